"""GET of the job list: paging, cursors, sorting, filters, refusals (contract section 5)."""

import uuid

import pytest

import flows
from flows import JOBS, job_body
from shapes import assert_problem

COUNT = 12
SORTS = [f"{field}:{way}" for field in ("id", "creationTime", "createdTime", "updateTime", "status")
         for way in ("asc", "desc")]


@pytest.fixture(scope="module")
def jobs(shared, spooler_paused):
    """COUNT finished jobs, two of them cancelled before they began; newest first."""
    dataset = flows.create_dataset(shared)
    with spooler_paused():
        made = [flows.start_job(shared, job_body(dataset)) for _ in range(COUNT)]
        for job in (made[3], made[7]):
            shared.delete(f"{JOBS}/{job['id']}")
    done = [flows.wait_job(shared, job["id"]) for job in made]
    assert [job["status"] for job in done].count("CANCELLED") == 2
    return done[::-1]


def listing(client, query=""):
    return client.get(JOBS + ("?" + query if query else "")).json()


def ids(page):
    return [job["id"] for job in page["records"]]


def follow(client, query):
    """All pages from a first query on, by link.next alone."""
    pages = [listing(client, query)]
    while pages[-1]["link"]["next"]:
        link = pages[-1]["link"]["next"]
        assert link.startswith("/export/jobs/?limit="), link
        assert "&offset=" in link, link
        pages.append(client.get("/data/core/ups" + link).json())
        assert len(pages) <= COUNT + 2, "the cursor does not advance"
    return pages


def test_newest_first_and_the_whole_job_in_every_record(shared, jobs):
    page = listing(shared)
    assert page["records"] == jobs
    assert page["page"]["pageSize"] == COUNT
    assert page["link"]["next"] == ""


def test_empty_list(client):
    page = listing(client)
    assert page["records"] == [] and page["page"]["pageSize"] == 0
    assert page["link"]["next"] == ""


@pytest.mark.parametrize("limit", [1, 5, 6, COUNT, 1000])
@pytest.mark.parametrize("sort", [None] + SORTS)
def test_cursor_runs_through_all_pages_without_loss_or_repetition(shared, jobs, sort, limit):
    pages = follow(shared, f"limit={limit}" + (f"&sort={sort}" if sort else ""))
    got = [ident for page in pages for ident in ids(page)]
    assert sorted(got) == sorted(job["id"] for job in jobs)
    assert [page["page"]["pageSize"] for page in pages] == [len(page["records"]) for page in pages]
    assert len(pages) == -(-COUNT // limit), "a full last page must end the list"
    for page in pages:
        last = page["records"][-1]
        assert page["page"]["pageOffset"] == f"{last['creationTime']}_{last['id']}"
        if page["link"]["next"]:
            assert f"offset={page['page']['pageOffset']}" in page["link"]["next"]
    if sort:
        assert_sorted([job for page in pages for job in page["records"]], sort)


def assert_sorted(records, sort):
    field, way = sort.split(":")
    values = [job["creationTime" if field == "createdTime" else field] for job in records]
    if field == "status":
        # Any order of the states will do, as long as equal ones stand together.
        assert len([1 for a, b in zip(values, values[1:]) if a != b]) == len(set(values)) - 1
        return
    assert values == sorted(values, reverse=way == "desc")


@pytest.mark.parametrize("sort", SORTS)
def test_page_names_its_sort(shared, jobs, sort):
    field, way = sort.split(":")
    assert listing(shared, f"sort={sort}")["page"]["sortField"] == field
    assert listing(shared, f"sort={sort}")["page"]["sort"] == way


def test_ascending_is_the_reverse_of_descending(shared, jobs):
    for field in ("id", "creationTime"):
        up, down = (ids(listing(shared, f"sort={field}:{way}")) for way in ("asc", "desc"))
        assert up == down[::-1]


def test_next_link_keeps_the_filters_unencoded(shared, jobs):
    link = listing(shared, "limit=2&status=SUCCEEDED&sort=id:asc")["link"]["next"]
    assert "limit=2" in link and "status=SUCCEEDED" in link and "sort=id:asc" in link
    assert "%" not in link


def test_cursor_and_row_offset_and_start_and_page_agree(shared, jobs):
    wanted = [job["id"] for job in jobs]
    assert ids(listing(shared, "offset=5")) == wanted[5:]
    assert ids(listing(shared, "start=5")) == wanted[5:]
    assert ids(listing(shared, "start=0")) == wanted
    assert ids(listing(shared, "limit=5&page=1")) == wanted[:5]
    assert ids(listing(shared, "limit=5&page=3")) == wanted[10:]
    cursor = f"{jobs[4]['creationTime']}_{jobs[4]['id']}"
    assert ids(listing(shared, f"offset={cursor}")) == wanted[5:]
    for past in (f"offset={COUNT}", "start=500", "page=900"):
        page = listing(shared, past)
        assert page["records"] == [] and page["link"]["next"] == ""


def test_next_works_after_start_and_page(shared, jobs):
    wanted = [job["id"] for job in jobs]
    for query in ("limit=3&start=2", "limit=2&page=2", "limit=3&offset=2"):
        got = [ident for page in follow(shared, query) for ident in ids(page)]
        assert got == wanted[2:], query


def test_a_new_job_between_pages_shifts_nothing(client):
    """The cursor names a place in the list, not a number of rows."""
    dataset = flows.create_dataset(client)
    made = [flows.start_job(client, job_body(dataset))["id"] for _ in range(6)][::-1]
    first = listing(client, "limit=2")
    flows.start_job(client, job_body(dataset))
    rest = client.get("/data/core/ups" + first["link"]["next"]).json()
    assert ids(first) + ids(rest) == made[:4]


@pytest.mark.parametrize("sort", ["id:desc", "updateTime:asc", "status:desc"])
def test_a_page_of_large_jobs_is_cut_and_the_next_goes_on(client, spooler_paused, sort):
    """At 2 MiB of what jobs keep as given; 40 jobs of 60,000 bytes are 2.4 MB."""
    dataset = flows.create_dataset(client)
    fields = ",".join(f"_tenant.member{number:046d}" for number in range(1000))[:60000].rstrip(",._")
    with spooler_paused():
        made = [flows.start_job(client, job_body(dataset, fields=fields))["id"] for _ in range(40)]
        pages = [listing(client, f"limit=1000&sort={sort}")]
        pages.append(client.get("/data/core/ups" + pages[0]["link"]["next"]).json())
        for job in made:
            client.delete(f"{JOBS}/{job}")
    assert [len(ids(page)) for page in pages] == [34, 6]
    assert pages[1]["link"]["next"] == ""
    assert ids(pages[0]) + ids(pages[1]) == (made if sort.endswith("asc") else made[::-1])


def test_status_filter(client, spooler_paused):
    dataset = flows.create_dataset(client)
    done = flows.start_job(client, job_body(dataset))
    flows.wait_job(client, done["id"])
    with spooler_paused():
        fresh, cancelled = (flows.start_job(client, job_body(dataset)) for _ in range(2))
        client.delete(f"{JOBS}/{cancelled['id']}")
        for status, wanted in (("NEW", [fresh]), ("SUCCEEDED", [done]), ("CANCELLED", [cancelled]),
                               ("PROCESSING", []), ("CANCELLING", []), ("FAILED", [])):
            assert ids(listing(client, f"status={status}")) == [job["id"] for job in wanted]


BAD_QUERIES = [
    "limit=0", "limit=-1", "limit=1001", "limit=x", "limit=", "limit=1.5", "limit=1e2",
    "limit=99999999999999999999", "limit=+5", "limit=%005",
    "offset=x", "offset=-1", "offset=_", "offset=12_", "offset=_12", "offset=1_2_3", "offset=1_x",
    "offset=99999999999999999999_1", "offset=1_99999999999999999999", "offset=",
    "start=-1", "start=x", "start=", "start=99999999999999999999",
    "page=0", "page=-1", "page=x", "page=",
    "sort=id", "sort=id:up", "sort=:asc", "sort=name:asc", "sort=id:asc:desc", "sort=",
    "sort=id;drop:asc", "status=DONE", "status=", "status=NEW,FAILED",
]


@pytest.mark.parametrize("query", BAD_QUERIES)
def test_bad_query_is_400(shared, query):
    assert_problem(shared.call("GET", f"{JOBS}?{query}"), 400)


@pytest.mark.parametrize("wait", ["-1", "61", "x", "", "1.5", "99999999999999999999"])
def test_bad_wait_is_400(shared, jobs, wait):
    assert_problem(shared.call("GET", f"{JOBS}/{jobs[0]['id']}?wait={wait}"), 400)


def test_unknown_query_parameters_are_ignored(shared, jobs):
    assert listing(shared, f"limit=5&colour={uuid.uuid4()}")["page"]["pageSize"] == 5
