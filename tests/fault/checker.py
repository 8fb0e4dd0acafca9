"""The checker: what was lost, duplicated, unexpected, orphaned or half, from the client's log, the database and the lake.

    finish(stack, load)                       after healing: some keys again, one last export of every tenant
    found = check(stack, path_of_the_log)     found.sets, found.text()

It asks the product itself for nothing but `consignctl verify`, and waits until nothing of the log's tenants is under
way. What each set means stands in the check_*.py beside this.
"""

import time
from types import SimpleNamespace

import check_answers
import check_jobs
import check_lake
import check_rows
import check_store
import clientlog
import flows
from findings import Findings
from loggedwire import Wire
from truth import STRAYS, Truth

SETTLE_S = 60   # all work has ended by then
HURRY_S = 3     # after that, work that waits for its next attempt is told to begin
AGAIN = 10      # keys that are used once more after everything


def finish(stack, load):
    """What the same client asks after healing: keys of before, which must find what they made, and a last export."""
    wire = Wire(stack.url, load.log)
    attempts = clientlog.read(load.log.path)
    tags = {place.tag: place for place in load.places}
    jobs = [made for made in attempts if made.op == "job" and made.key and made.good]
    for made in jobs[::max(len(jobs) // AGAIN, 1)]:
        place = tags[made.tenant]
        body = job_body(place, made.kind, made.nonce, made.events)
        wire.send("job", place, "POST", flows.JOBS, body, {"Idempotency-Key": made.nonce}, told, nonce=made.nonce,
                  key=True, kind=made.kind, events=made.events, again=True)
    for place in load.places:
        settle(Truth(stack, place), Findings())
        wire.send("job", place, "POST", flows.JOBS, job_body(place, "json", f"final{place.tag}", True), None, told,
                  nonce=f"final{place.tag}", key=False, kind="json", events=True, final=True)


def job_body(place, kind, nonce, events):
    body = flows.job_body(place.datasets[kind], fields=f"_tenant,{nonce}")
    return {**body, "additionalFields": {"eventList": {}}} if events else body


def told(answer):
    made = answer.json()
    return {"id": made["id"], "batch": made["destination"]["batchId"]}


def check(stack, path, sweep_s=2.0, allows=frozenset(), quiet=False, clock=False):
    """`sweep_s`: spooler.sweep_ms of the stack, in seconds; 0: nobody sweeps, so nothing is waited for.
    `allows`, `quiet`, `clock`: see check_answers, check_jobs."""
    attempts = clientlog.read(path)
    found = Findings()
    check_answers.check(attempts, found, allows, quiet)
    truths = [Truth(stack, place_of(made)) for made in attempts if made.op == "place"]
    try:
        for truth in truths:
            settle(truth, found)
        orphaned(stack, truths, sweep_s, found)
        for truth in truths:
            tenant(stack, truth, [made for made in attempts if made.tenant == truth.place.tag], found, clock)
    finally:
        for truth in truths:
            truth.close()
    return found


def place_of(made):
    return SimpleNamespace(tag=made.tenant, **{name: made.facts[name] for name in ("org", "sandbox", "datasets", "base")})


def tenant(stack, truth, attempts, found, clock):
    truth.read()
    sent = check_store.Sent(truth.place, attempts)
    check_jobs.check(truth, attempts, found, clock)
    check_store.check(truth, sent, attempts, found)
    whole = check_lake.check(stack, truth, found)
    check_lake.uploads(stack, truth, attempts, found)
    check_lake.verify(stack, truth.place.org, found)
    check_rows.check(truth, sent, whole, attempts, found)


def settle(truth, found):
    """Until the queue holds nothing of the tenant; what it still holds then is lost."""
    begin = time.monotonic()
    while left := truth.waiting():
        spent = time.monotonic() - begin
        if spent > SETTLE_S:
            for row in left:
                found.lost(f"after {SETTLE_S} s still waits: {row}")
            return
        if spent > HURRY_S:
            truth.hurry()
        time.sleep(0.05)


def orphaned(stack, truths, sweep_s, found):
    """What nothing owns, and is still there after the next sweep has had its time."""
    deadline = time.monotonic() + (2 * sweep_s + 3 if sweep_s else 0)
    while True:
        left = check_lake.work_left(stack)
        for truth in truths:
            truth.read()
            left += check_lake.orphans(stack, truth)
            left += [f"{what} {row[0]}" for what, text in STRAYS.items() for row in truth.rows(text)]
        if not left:
            return
        if time.monotonic() > deadline:
            for text in sorted(set(left)):
                found.orphaned(text)
            return
        time.sleep(0.2)
