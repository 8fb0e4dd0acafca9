"""The lake and the inbox: published batches whole, nothing beside them, uploads that wait still there.

Reads the files themselves. verify() asks `consignctl verify` too, which must not find less.
"""

import hashlib
import json

MANIFEST = "manifest.json"


def folders(stack, truth):
    """{(dataset, batch): [attempt folders]} of everything below the tenant's part of the lake."""
    found = {}
    for path in (stack.lake / str(truth.org) / str(truth.sandbox)).glob("*/*/*"):
        found.setdefault((path.parent.parent.name, path.parent.name), []).append(path)
    return found


def orphans(stack, truth):
    """What lies in the tenant's part of the lake or the inbox, and nothing owns. Changes while a sweep runs."""
    found = []
    for (_, batch), attempts in folders(stack, truth).items():
        row = truth.batches.get(batch)
        keep = row is not None and row.status == "success" and row.kind == "export" and row.expired_ms is None
        found += [f"lake: {path.relative_to(stack.lake)}" for path in attempts if not keep or path.name != row.attempt]
    inbox = stack.dir / "inbox" / str(truth.org) / str(truth.sandbox)
    for path in inbox.iterdir() if inbox.is_dir() else ():
        row = truth.batches.get(path.name)
        if row is None or row.status not in ("loading", "processing"):
            found.append(f"inbox: {path.relative_to(stack.dir)}")
    return found


def work_left(stack):
    """What attempts have left in the lake's tmp."""
    return [f"lake: {path.relative_to(stack.lake)}" for path in (stack.lake / "tmp").glob("*")]


def check(stack, truth, found):
    """Every visible batch is whole. Answers {batch: [(path, rows)]} for the check of the rows."""
    lying = folders(stack, truth)
    whole, bytes_kept = {}, 0
    for batch, row in truth.batches.items():
        if row.kind != "export":
            continue
        there = lying.get((row.dataset, batch), [])
        if row.status != "success" or row.expired_ms is not None:
            continue
        if len(there) > 1:
            found.duplicated(f"batch {batch} lies there {len(there)} times")
        bytes_kept += row.output_bytes or 0
        at = [path for path in there if path.name == row.attempt]
        if not at:
            found.half(f"batch {batch} is published and not in the lake")
            continue
        files = one(at[0], truth.files.get(batch, []), f"batch {batch}", found)
        if files is not None:
            whole[batch] = files
    if bytes_kept != truth.usage:
        found.unexpected(f"the batches hold {bytes_kept} bytes, and {truth.usage} are counted for the quota")
    return whole


def one(folder, rows, name, found):
    try:
        listed = {entry["name"]: entry for entry in json.loads((folder / MANIFEST).read_text())["files"]}
    except (OSError, ValueError, KeyError) as error:
        found.half(f"{name}: its manifest can't be read: {error}")
        return None
    there = {path.name for path in folder.iterdir()} - {MANIFEST}
    if not listed.keys() == there == {row.name for row in rows}:
        found.half(f"{name}: manifest {sorted(listed)}, folder {sorted(there)}, catalog {[row.name for row in rows]}")
        return None
    for row in rows:
        entry, data = listed[row.name], (folder / row.name).read_bytes()
        told = (int(entry["rows"]), int(entry["bytes"]), entry["sha256"])
        if told != (row.records, row.bytes, row.sha256) or len(data) != row.bytes or hashlib.sha256(data).hexdigest() != row.sha256:
            found.half(f"{name}: {row.name} is not what manifest and catalog say")
            return None
    return [(folder / row.name, row.records) for row in rows]


def uploads(stack, truth, attempts, found):
    """A file that was put and whose batch is open lies in the inbox as it was sent."""
    last, ended = {}, set()
    for made in attempts:
        if made.op == "put" and made.good:
            last[made.batch] = made
        elif made.op == "complete":
            ended.add(made.batch)
    objects = {row.batch: row for row in truth.uploads}
    for batch, made in last.items():
        if batch in ended:
            continue
        row = objects.get(batch)
        path = stack.dir / "inbox" / str(truth.org) / str(truth.sandbox) / batch / (row.object if row else "-")
        if row is None or not path.is_file():
            found.lost(f"the file of batch {batch} was acknowledged and is gone")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != made.sha256:
            found.half(f"the file of batch {batch} is not what was sent")


def verify(stack, org, found):
    try:
        stack.ctl("verify", "--org", org)
    except RuntimeError as error:
        found.half(f"consignctl verify: {error}")
