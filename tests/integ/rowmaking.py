"""How the oracle makes a row: merging fragments, projecting, and comparing rows. No selection here.

Independent of the product's code: written from contract section 6 alone. Used by oracle.py.
"""

import json

MISSING = object()
WHOLE = None


def copied(value):
    """What JSON can say, copied; copy.deepcopy() takes ten times as long."""
    if isinstance(value, dict):
        return {name: copied(below) for name, below in value.items()}
    return [copied(below) for below in value] if isinstance(value, list) else value


def merge(records):
    """Fold the fragments of a profile, the weakest first."""
    row = {}
    for record in records:
        for name, value in record.items():
            if name == "identityMap":
                row[name] = unite(row.get(name, {}), value)
            else:
                row[name] = fold(row.get(name), value)
    return row


def fold(old, new):
    """Objects merge member by member; anything else, null too, is replaced by the stronger.

    segmentMembership needs nothing of its own: it is objects all the way down to its entries."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return copied(new)
    out = dict(old)
    for name, value in new.items():
        out[name] = fold(out.get(name), value)
    return out


def unite(old, new):
    """identityMap: the union by (namespace, id); entries of one id fold."""
    out = {ns: {e["id"]: e for e in entries} for ns, entries in old.items()}
    for ns, entries in new.items():
        mine = out.setdefault(ns, {})
        for entry in entries:
            mine[entry["id"]] = fold(mine.get(entry["id"]), entry)
    return {ns: list(mine.values()) for ns, mine in out.items()}


def identities_of(identity_map):
    """The virtual view `identities` of an identityMap."""
    return [{"id": e["id"], "namespace": {"code": ns}, "primary": e.get("primary", False)}
            for ns, entries in identity_map.items() for e in entries]


def field_tree(fields):
    """A request's field list as a tree of names; WHOLE where everything below is wanted."""
    paths = [path.strip() for path in (fields or "").split(",") if path.strip()]
    if not paths:
        return WHOLE
    tree = {}
    for path in paths:
        *parents, leaf = path.split(".")
        node = tree
        for name in parents:
            node = node.setdefault(name, {})
            if node is WHOLE:
                break
        else:
            node[leaf] = WHOLE
    return tree


def project(value, tree):
    """The part of a value that the tree names, or MISSING."""
    if tree is WHOLE:
        return value
    if isinstance(value, list):
        parts = [project(element, tree) for element in value]
        if all(part is MISSING for part in parts):
            return MISSING
        return [{} if part is MISSING else part for part in parts]
    if not isinstance(value, dict):
        return MISSING
    out = {}
    for name, below in tree.items():
        if name in value:
            part = project(value[name], below)
            if part is not MISSING:
                out[name] = part
    return out or MISSING


def select(profile, fields):
    """A profile under the request's `fields`; identityMap is always there."""
    tree = field_tree(fields)
    if tree is WHOLE:
        return copied(profile)
    source = dict(profile)
    if "identities" in tree:
        source["identities"] = identities_of(profile["identityMap"])
    part = project(source, {k: v for k, v in tree.items() if k != "identityMap"})
    row = {} if part is MISSING else copied(part)
    row["identityMap"] = copied(profile["identityMap"])
    return row


def normalise(row):
    """Drop the differences the contract leaves open: orders, absent against empty."""
    row = dict(row)
    # an entry is a text where the column is one
    row["identityMap"] = {ns: sorted(entries, key=lambda e: e if isinstance(e, str) else e["id"])
                          for ns, entries in row["identityMap"].items() if entries}
    if isinstance(row.get("segmentMembership"), dict):
        row["segmentMembership"] = {ns: inside for ns, inside in row["segmentMembership"].items() if inside}
        if not row["segmentMembership"]:
            del row["segmentMembership"]
    if isinstance(row.get("identities"), list):
        plain = [{k: v for k, v in e.items() if (k, v) != ("primary", False)}
                 for e in row["identities"]]
        row["identities"] = sorted(plain, key=canonical)
        if not any(row["identities"]):
            del row["identities"]
    if not any(row.get("eventList") or []):
        row.pop("eventList", None)
    return row


def canonical(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def canonical_rows(rows):
    """A sorted list of texts, equal for equal exports whatever the order of rows."""
    return sorted(canonical(normalise(row)) for row in rows)
