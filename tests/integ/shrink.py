"""Makes a failing plan of randomstore.py small: drops batches, files, records, members and parts of the request
as long as the difference stays. Used by test_oracle_random.py; proved by test_oracle_self.py.
"""

import copy
import itertools
import json
import time

KEPT = ("identityMap", "_id", "timestamp")


def shrink(plan, still_fails, seconds=60):
    """The smallest plan found in the time; still_fails(plan) runs it again and may raise: that counts as no."""
    deadline = time.monotonic() + seconds
    best = copy.deepcopy(plan)

    def holds(smaller):
        try:
            return still_fails(smaller)
        except Exception:  # whatever else goes wrong is not the difference that is looked for
            return False

    place, fruitless = 0, 0  # goes round and round, so that a success does not repeat what has just failed
    while time.monotonic() < deadline:
        smaller = next(itertools.islice(candidates(best), place, None), None)
        if smaller is None:
            if fruitless >= place:
                return best
            place = 0
            continue
        if size(smaller) < size(best) and holds(smaller):
            best, fruitless = smaller, 0
        else:
            place, fruitless = place + 1, fruitless + 1
    return best


def size(plan):
    return len(json.dumps(plan))


def candidates(plan):
    """Smaller plans, the boldest cuts first."""
    for number, export in enumerate(plan["exports"]):
        if len(plan["exports"]) > 1:
            yield changed(plan, ("exports",), [export])
    for number, batch in enumerate(plan["batches"]):
        if any(batch["files"]):
            # the place stays, so that the cuts of the requests keep their meaning
            yield changed(plan, ("batches", number, "files"), [[]])
    for path, records in record_lists(plan):
        half = len(records) // 2
        if half > 1:
            yield changed(plan, path, records[:half])
            yield changed(plan, path, records[half:])
        for index in range(len(records)):
            yield changed(plan, path, records[:index] + records[index + 1:])
    yield from without_members(plan, "exports")
    for path, records in record_lists(plan):
        for index in range(len(records)):
            yield from without_members(plan, *path, index)


def record_lists(plan):
    for number, batch in enumerate(plan["batches"]):
        for index, records in enumerate(batch["files"]):
            yield ("batches", number, "files", index), records


def without_members(plan, *path):
    """One member or element less somewhere below the path."""
    value = follow(plan, path)
    if isinstance(value, list):
        for index, inside in enumerate(value):
            if path != ("exports",):
                yield changed(plan, path, value[:index] + value[index + 1:])
            yield from without_members(plan, *path, index)
    elif isinstance(value, dict) and "cut" not in value:
        for name in value:
            if name not in KEPT and name not in ("format", "compression", "graph", "order", "older", "pin", "default"):
                yield changed(plan, path, {k: v for k, v in value.items() if k != name})
            yield from without_members(plan, *path, name)
    elif isinstance(value, str) and path[-1] == "fields" and "," in value:
        names = value.split(",")
        for index in range(len(names)):
            yield changed(plan, path, ",".join(names[:index] + names[index + 1:]))


def follow(plan, path):
    for step in path:
        plan = plan[step]
    return plan


def changed(plan, path, value):
    """A copy of the plan with another value at the path; what is not on the path is shared."""
    if not path:
        return value
    copied = copy.copy(plan)
    copied[path[0]] = changed(plan[path[0]], path[1:], value)
    return copied
