"""What the client was answered: only what the contract has for a client under a fault, nothing of another tenant, one
object for one key, whole files. From the log alone."""

from collections import defaultdict

LONGEST_S = 10.5  # promise 10: nothing hangs longer than 10 s
WAITS = ("job_get",)  # asked to wait
FINAL = {"complete": (409,), "remove": (404,)}  # what an earlier call whose answer did not come explains
SLUGS = {429: ("/problems/too-many-requests",),
         503: ("/problems/overloaded", "/problems/database-unavailable", "/problems/conflict-try-again",
               "/problems/storage-unavailable")}


def check(attempts, found, allows=frozenset(), quiet=False):
    """`quiet`: no fault was on, so every answer has to be a good one."""
    earlier = defaultdict(int)  # calls of unknown outcome before, by what they were about
    for made in attempts:
        about = (made.op, made.tenant, made.id or made.batch or made.nonce)
        why = complaint(made, allows, quiet, earlier[about])
        if why:
            found.unexpected(f"{why}: {made.says()}")
        if made.answer.get("odd"):
            found.unexpected(f"an answer without what it must hold: {made.op}: {made.answer['odd']}")
        if made.op == "download" and made.good and not made.answer.get("whole"):
            found.half(f"a downloaded file of batch {made.batch} is not as its manifest says")
        earlier[about] += made.unknown
    keys(attempts, found)
    strangers(attempts, found)


def complaint(made, allows, quiet, earlier):
    if made.answer.get("hung") or (made.op not in WAITS and made.t1 - made.t0 > LONGEST_S):
        return "it hung"
    if made.good or made.status in allows:
        return None
    if made.status in FINAL.get(made.op, ()) and earlier:
        return None
    if quiet:
        return "no good answer while nothing was wrong"
    if made.status is None:
        return None
    if made.status not in SLUGS:
        return "a status that no client is to see"
    if not made.answer.get("retry_after"):
        return "no Retry-After"
    if made.answer.get("type") not in SLUGS[made.status] and made.op != "token":
        return "no problem of that status"
    return None


def keys(attempts, found):
    """The same key is one object: as the client was told."""
    objects = defaultdict(set)
    for made in attempts:
        if made.key and made.good and made.answer.get("id"):
            objects[made.op, made.tenant, made.nonce].add(made.answer["id"])
    for (op, _, nonce), ids in objects.items():
        if len(ids) > 1:
            found.duplicated(f"key {nonce} of a {op} was answered {sorted(map(str, ids))}")


def strangers(attempts, found):
    """What two tenants were shown belongs to one of them, and says so. Numbers of jobs are a tenant's own (fcgi/core/job_id.h): of
    two who post in the same millisecond one in 4,096 pairs has the same, each with a batch of its own."""
    seen, made_by = defaultdict(set), defaultdict(dict)
    orgs = {made.tenant: made.org for made in attempts if made.op == "place"}
    for made in attempts:
        if not set(made.answer.get("who", ())) <= {orgs.get(made.tenant)}:
            found.unexpected(f"{made.tenant} was shown jobs of {made.answer['who']}")
        for kind in ("jobs", "batches"):
            for one in made.answer.get(kind, ()):
                seen[kind, one].add(made.tenant)
        if made.op == "job" and made.good:
            made_by[made.answer.get("id")][made.tenant] = made.answer.get("batch")
        if made.op in ("job", "batch") and made.good:
            seen["jobs" if made.op == "job" else "batches", made.answer.get("id")].add(made.tenant)
    for (kind, one), tenants in seen.items():
        batches = {made_by[one].get(tenant) for tenant in tenants} - {None} if kind == "jobs" else ()
        if len(tenants) > max(1, len(batches)):
            found.unexpected(f"{one} of {kind} was shown to {sorted(tenants)}")


def outage_s(attempts, ops=("probe",)):
    """The longest time between two good answers to the probe, or to the calls named."""
    good = sorted(made.t1 for made in attempts if made.op in ops and made.good)
    if not good:
        return max((made.t1 for made in attempts), default=0.0) - min((made.t0 for made in attempts), default=0.0)
    return max((later - before for before, later in zip(good, good[1:])), default=0.0)
