"""The curl calls of the reference document, as printed there, run with curl.

Headers and bodies are the document's; host, ids and credentials are replaced,
and the merge policy by the one that always exists. The dataset that the rows are
read from has a fileDescription more than the printed one, so that they are JSON.
"""

import json
import re
import subprocess
import textwrap

import pytest

import flows
from flows import CATALOG, JOBS
from oracle import Store, canonical_rows
from shapes import HEX24, assert_job, assert_problem

DATASET = textwrap.dedent("""\
    {
            "name": "Profile Data Export",
            "schemaRef": {
              "id": "https://ns.adobe.com/xdm/context/profile__union",
              "contentType": "application/vnd.adobe.xed+json;version=1"
            }
          }""")
EVENTS = """
    "additionalFields": {
      "eventList": {
        "fields": "environment.browserDetails.name,environment.browserDetails.version",
        "filter": {
          "fromIngestTimestamp": "2018-10-25T13:22:04-07:00"
        }
      }
    },"""
JOB = """{
    "fields": "FIELDS",
    "mergePolicy": {
      "id": "timestampOrdered-none-mp",
      "version": 1
    },EVENTS
    "destination": {
      "datasetId": "DATASET",
      "segmentPerBatch": false
    },
    "schema": {
      "name": "_xdm.context.profile"
    }
  }"""
EVENT_LIST = {"fields": "environment.browserDetails.name,environment.browserDetails.version",
              "filter": {"fromIngestTimestamp": "2018-10-25T13:22:04-07:00"}}


def payload(dataset, fields="identities.id,personalEmail.address", events=EVENTS):
    return JOB.replace("FIELDS", fields).replace("EVENTS", events).replace("DATASET", dataset)


class Answer:
    """What curl -i printed, in the shape the helpers of shapes.py read."""

    def __init__(self, printed):
        head, self.text = printed.split("\r\n\r\n", 1)
        status, *lines = head.split("\r\n")
        self.status_code = int(status.split()[1])
        self.headers = {n.title(): v.strip() for n, v in (line.split(":", 1) for line in lines)}

    def json(self):
        return json.loads(self.text)


def curl(client, method, path, body=None):
    """One of the document's curl lines."""
    command = ["curl", "-sS", "-i", "-X", method, client.url + path]
    if body is not None:
        command += ["-H", "Content-Type: application/json"]
    for name, value in client.headers().items():
        command += ["-H", f"{name}: {value}"]
    if body is not None:
        command += ["-d", body]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    return Answer(done.stdout.decode())


@pytest.fixture(scope="module")
def store(shared):
    """Three people, one of them with events only; returns the oracle of what was ingested."""
    def ident(value, **more):
        return {"identityMap": {"Email": [{"id": value, "primary": True}],
                                "ECID": [{"id": "e-" + value}]}, **more}

    def event(value, number, browser):
        return ident(value, _id=f"ev{number}", timestamp=f"2024-01-0{number}T00:00:00Z",
                     environment={"browserDetails": browser, "type": "browser"})

    people = [ident("ann@example.org", personalEmail={"address": "ann@example.org", "x": 1},
                    person={"name": {"firstName": "Ann"}}),
              ident("bob@example.org", person={"name": {"firstName": "Bob"}})]
    events = [event("ann@example.org", 2, {"name": "B2", "version": "2", "cookies": True}),
              event("ann@example.org", 1, {"name": "B1", "version": "1"}),
              event("eve@example.org", 3, {"name": "B3", "version": "3"})]
    oracle = Store()
    flows.ingest(shared, flows.create_dataset(shared, "profile"), people)
    oracle.ingest_records("people", people)
    flows.ingest(shared, flows.create_dataset(shared, "event"), events)
    oracle.ingest_events(events, flows.now_ms())
    return oracle


@pytest.fixture(scope="module")
def dataset(shared):
    body = json.dumps({**json.loads(DATASET), "fileDescription": {"format": "json"}})
    (reference,) = curl(shared, "POST", f"{CATALOG}/dataSets", body).json()
    return reference.rsplit("/", 1)[1]


def test_create_the_target_dataset(shared):
    answer = curl(shared, "POST", f"{CATALOG}/dataSets", DATASET)
    assert answer.status_code == 201, answer.text
    (reference,) = answer.json()
    assert reference.startswith("@/datasets/") and HEX24.match(reference[11:]), reference
    assert reference[11:] in answer.headers["Location"]
    made = curl(shared, "GET", f"{CATALOG}/dataSets/{reference[11:]}").json()[reference[11:]]
    assert made["fileDescription"]["format"] == "parquet"
    job = curl(shared, "POST", JOBS, payload(reference[11:])).json()
    assert_job(job, shared, reference[11:], "NEW")


def run_and_compare(shared, dataset, store, body, fields, event_list):
    """POST a printed payload; check its answer, follow it to the end, compare the rows."""
    answer = curl(shared, "POST", JOBS, body)
    assert answer.status_code == 200, answer.text
    job = answer.json()
    assert_job(job, shared, dataset, "NEW")
    assert answer.headers["X-Location"].rstrip("/").endswith(f"/export/jobs/{job['id']}")
    assert job["fields"] == fields
    assert job.get("additionalFields") == (event_list and {"eventList": event_list})
    assert job["profileInstanceId"] == "ups"
    done = flows.wait_job(shared, job["id"])
    assert_job(done, shared, dataset, "SUCCEEDED")
    assert done["destination"]["batchId"] == job["destination"]["batchId"]
    rows = flows.download(shared, done["destination"]["batchId"])
    assert canonical_rows(rows) == canonical_rows(store.rows(fields=fields, event_list=event_list))
    return done


def test_initiate_an_export_job(shared, dataset, store):
    fields = "identities.id,personalEmail.address"
    done = run_and_compare(shared, dataset, store, payload(dataset), fields, EVENT_LIST)
    assert done["metrics"]["totalExportedProfileCounter"] == 2
    assert done["metrics"]["totalExportedEventCounter"] == 2


def test_payload_with_profile_data_only(shared, dataset, store):
    fields = "identities.id,personalEmail.address"
    run_and_compare(shared, dataset, store, payload(dataset, events=""), fields, None)


def test_payload_with_event_data_only(shared, dataset, store):
    run_and_compare(shared, dataset, store, payload(dataset, "identityMap"), "identityMap",
                    EVENT_LIST)


@pytest.mark.parametrize("path", [JOBS + "/", JOBS])
def test_list_all_export_jobs(shared, dataset, path):
    made = curl(shared, "POST", JOBS, payload(dataset)).json()
    answer = curl(shared, "GET", path)
    assert answer.status_code == 200, answer.text
    listing = answer.json()
    assert set(listing) == {"records", "page", "link"}
    newest = listing["records"][0]
    assert newest["id"] == made["id"]
    for job in listing["records"]:
        assert_job(job, shared, job["destination"]["datasetId"])
    last = listing["records"][-1]
    assert listing["page"] == {
        "sortField": "createdTime", "sort": "desc", "pageSize": len(listing["records"]),
        "pageOffset": f"{last['creationTime']}_{last['id']}"}
    assert listing["link"] == {"next": ""}


@pytest.mark.parametrize("slash", ["", "/"])
def test_monitor_export_progress(shared, dataset, slash):
    made = curl(shared, "POST", JOBS + slash, payload(dataset)).json()
    flows.wait_job(shared, made["id"])
    answer = curl(shared, "GET", f"{JOBS}/{made['id']}{slash}")
    assert answer.status_code == 200, answer.text
    assert_job(answer.json(), shared, dataset, "SUCCEEDED")


@pytest.mark.parametrize("slash", ["", "/"])
def test_cancel_an_export_job(shared, dataset, slash):
    made = curl(shared, "POST", JOBS, payload(dataset)).json()
    answer = curl(shared, "DELETE", f"{JOBS}/{made['id']}{slash}")
    assert answer.status_code == 204 and answer.text == "", answer.text
    assert flows.wait_job(shared, made["id"])["status"] in ("CANCELLED", "SUCCEEDED")


def test_the_printed_cancel_call_says_post_and_gets_405(shared, dataset):
    """The document's curl line has -X POST where its own table says DELETE."""
    made = curl(shared, "POST", JOBS, payload(dataset)).json()
    answer = curl(shared, "POST", f"{JOBS}/{made['id']}")
    assert_problem(answer, 405)
    allowed = {word.strip() for word in answer.headers["Allow"].split(",")}
    assert {"GET", "DELETE"} <= allowed and "POST" not in allowed


@pytest.mark.parametrize("path", ["/dataSets/", "/batches/"])
def test_catalog_lists_with_a_trailing_slash(shared, store, path):
    plain = curl(shared, "GET", CATALOG + path.rstrip("/"))
    slashed = curl(shared, "GET", CATALOG + path)
    assert plain.status_code == slashed.status_code == 200
    # exports of earlier tests may end, and their batches show, in between
    assert set(plain.json()) and set(plain.json()) <= set(slashed.json())


def test_create_dataset_with_a_trailing_slash(shared):
    assert curl(shared, "POST", f"{CATALOG}/dataSets/", DATASET).status_code == 201


def test_older_sample_without_the_comma_is_400_with_the_offset(shared, dataset):
    faulty = payload(dataset, events=EVENTS.rstrip(","))
    place = faulty.index('"destination"')
    problem = assert_problem(curl(shared, "POST", JOBS, faulty), 400)
    told = [int(number) for number in re.findall(r"\d+", problem["detail"])]
    told.append(problem.get("offset", -1))
    # The first wrong byte is the quote of "destination"; counting from 0 or from 1 is fine.
    assert place in told or place + 1 in told, (place, problem)
