"""log.format = json, and one request's id from nginx through the pool's line into those of its job's transitions."""

import json
import re
import subprocess
import time

import pytest

import flows
import ownstack
from flows import JOBS

WORDS = re.compile(r'(\w+)=("[^"]*"|\S*)')


def lines(stack, program, form, word=""):
    """The program's log lines that hold a word, as dicts."""
    found = [line for line in (stack.dir / "log" / f"{program}.log").read_text().splitlines() if word in line]
    if form == "json":
        return [json.loads(line) for line in found]
    return [{key: value.strip('"') for key, value in WORDS.findall(line)} for line in found]


def await_events(stack, program, form, request, wanted, seconds=10):
    """The events of the lines that have the request's id, when all wanted ones are there."""
    deadline = time.monotonic() + seconds
    while True:
        found = [line for line in lines(stack, program, form, request) if line.get("req") == request]
        if set(wanted) <= {line["event"] for line in found}:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


@pytest.fixture(scope="module", params=["logfmt", "json"])
def logged(request, stack):
    """(stack, its format)"""
    if request.param == "logfmt":  # which is the default
        yield stack, request.param
        return
    with ownstack.own_stack() as made:
        yield made.start(log__format=request.param), request.param


def test_one_id_leads_from_nginx_into_the_job(logged):
    stack, form = logged
    client = ownstack.new_client(stack)
    flows.ingest(client, flows.create_dataset(client, "profile"),
                 [{"identityMap": {"Email": [{"id": "a", "primary": True}]}}])
    given = "follow-me.1"
    dataset = flows.create_dataset(client)
    job = client.post(JOBS, flows.job_body(dataset), expect=200, headers={"x-request-id": given}).json()
    assert job["requestId"] == given
    assert flows.wait_job(client, job["id"])["status"] == "SUCCEEDED"
    (audit,) = await_events(stack, "api", form, given, ["audit"])
    assert (audit["action"], str(audit["object"])) == ("job_create", str(job["id"]))
    spooled = await_events(stack, "spooler", form, given, ["job_started", "published"])
    assert {str(line["job"]) for line in spooled} == {str(job["id"])}
    deadline = time.monotonic() + 10  # nginx writes its lines once a second
    while not (named := [line for line in (stack.dir / "log" / "access.log").read_text().splitlines()
                         if f'client_request="{given}"' in line]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert len(named) == 1 and "method=POST" in named[0]
    # without one of the client's it is nginx's
    other = flows.start_job(client, flows.job_body(dataset))
    flows.wait_job(client, other["id"])
    await_events(stack, "spooler", form, other["requestId"], ["job_started", "published"])


def test_a_cancelled_job_keeps_its_id(logged):
    stack, form = logged
    client = ownstack.new_client(stack)
    dataset = flows.create_dataset(client)
    for attempt in range(20):  # a worker may have ended it before
        job = client.post(JOBS, flows.job_body(dataset), expect=200, headers={"x-request-id": f"stop-{attempt}"}).json()
        client.delete(f"{JOBS}/{job['id']}")
        flows.wait_job(client, job["id"])
        ended = [line["event"] for line in lines(stack, "spooler", form, "stop-") if line.get("req") == f"stop-{attempt}"]
        if "given_up" in ended:
            return
    pytest.skip("no worker was in the middle of one")


def test_every_line_of_both_programs_is_an_object(logged):
    stack, form = logged
    if form == "logfmt":
        pytest.skip("is not JSON")
    # a refused token and a refused program add lines with values from outside
    ownstack.new_client(stack).call("GET", JOBS, headers={"Authorization": 'Bearer "x\\y'})
    for program in ("api", "spooler"):
        for line in lines(stack, program, "json"):
            assert {"time", "level", "process", "pid", "event"} <= set(line)
            assert isinstance(line["time"], float) and isinstance(line["pid"], int)
            assert line["process"] == program


def test_another_format_is_refused(logged):
    stack, _ = logged
    conf = stack.dir / "bad.conf"
    conf.write_text(re.sub(r"(?m)^log\.format = .*\n", "", (stack.dir / "consign.conf").read_text()) + "log.format = xjson\n")
    told = subprocess.run([str(stack.dir / "bin" / "consign-api"), "--config", str(conf), "--check"],
                          capture_output=True, text=True, timeout=20)
    assert told.returncode == 2 and "logfmt or json expected" in told.stderr
