"""Jobs: every acknowledged one is there, once, and ended as it was asked to."""

from collections import defaultdict

TERMINAL = ("SUCCEEDED", "FAILED", "CANCELLED")


def check(truth, attempts, found, clock=False):
    """`attempts` are those of the tenant. `clock`: clocks did not agree."""
    asked = defaultdict(list)
    for made in attempts:
        if made.op == "job":
            asked[made.nonce].append(made)
    cancels = defaultdict(list)
    for made in attempts:
        if made.op == "cancel":
            cancels[made.id].append(made)
    there = defaultdict(list)
    for job in truth.jobs:
        there[(job.fields or "").rsplit(",", 1)[-1]].append(job)
    for nonce, jobs in there.items():
        if nonce not in asked:
            found.unexpected(f"job {jobs[0].job} ({jobs[0].fields!r}) that nobody asked for")
    for nonce, tries in asked.items():
        created(nonce, tries, there.get(nonce, []), found)
    for job in truth.jobs:
        ended(job, cancels[job.job], found, clock)


def created(nonce, tries, jobs, found):
    ids = {job.job for job in jobs}
    for made in tries:
        if made.good and made.answer.get("id") not in ids:
            found.lost(f"job {made.answer.get('id')} was acknowledged and is not there")
    most = 1 if tries[0].key else sum(made.good or made.unknown for made in tries)
    if len(jobs) > max(most, 1):
        found.duplicated(f"{nonce}: {len(jobs)} jobs of {len(tries)} calls with{'' if tries[0].key else 'out'} a key")
    if jobs and not any(made.good or made.unknown for made in tries):
        found.unexpected(f"job {jobs[0].job} is there, and every call was refused: {[made.says() for made in tries][:3]}")


def ended(job, cancels, found, clock):
    if job.status not in TERMINAL:
        found.lost(f"job {job.job} is {job.status} and has not ended")
    elif job.status == "FAILED":
        found.lost(f"job {job.job} FAILED: {job.errors}")
    elif job.status == "CANCELLED" and not cancels:
        found.unexpected(f"job {job.job} is CANCELLED and nobody cancelled it")
    told = [made.t1 for made in cancels if made.good]
    if told and job.status in ("SUCCEEDED", "FAILED") and not clock and job.ended_ms > min(told) * 1000 + 1:
        found.lost(f"job {job.job} was cancelled and {job.status} {job.ended_ms - min(told) * 1000:.0f} ms after the 204")
