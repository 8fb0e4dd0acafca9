"""Which columns a Parquet export must have, from every record ever ingested; and rows as such columns hold them.

Independent of the product's code: written from contract section 6 and the decision on columns (fcgi/export/
rowschema.h says it in words). A type is what rowschema_write() prints: "boolean", "integer", "number",
"date-time", "string", "json", {"object": {name: type}}, {"array": type} or {"map": type}. Used by parquet.py.
"""

import json
from dataclasses import dataclass, field

from oracle import MISSING, WHOLE, canonical, field_tree
from rfc3339 import is_datetime, to_ms

IDENTITY_MAP = {"map": {"array": {"object": {"id": "string", "primary": "boolean"}}}}
IDENTITIES = {"array": {"object": {"id": "string", "namespace": {"object": {"code": "string"}}, "primary": "boolean"}}}


@dataclass
class Place:
    """What was seen at one path."""
    types: set = field(default_factory=set)
    members: dict = field(default_factory=dict)
    element: "Place" = None
    value: "Place" = None  # of a map, instead of members


def observe(place, value, maps=0):
    """Adds a value; maps: how many levels from here are maps."""
    if value is None:
        return
    if isinstance(value, bool):
        place.types.add("boolean")
    elif isinstance(value, (int, float)):
        place.types.add("integer" if isinstance(value, int) else "number")
    elif isinstance(value, str):
        place.types.add("date-time" if is_datetime(value) else "string")
    elif isinstance(value, list):
        place.types.add("array")
        for element in value:
            place.element = place.element or Place()
            observe(place.element, element)
    else:
        place.types.add("object")
        for name, below in value.items():
            if maps:
                place.value = place.value or Place()
                observe(place.value, below, maps - 1)
            else:
                observe(place.members.setdefault(name, Place()), below)


def observe_document(place, document):
    """A record or an event; its maps stand at the top."""
    for name, value in document.items():
        maps = {"identityMap": 1, "segmentMembership": 2}.get(name, 0)
        observe(place.members.setdefault(name, Place()), value, maps)


def column(place, tree=WHOLE):
    """The type of a place under a projection; None: no column."""
    types = place.types
    if types <= {"integer", "number"} and types:
        kind = "number" if "number" in types else "integer"
    elif types == {"date-time", "string"}:
        kind = "string"
    else:
        (kind,) = types if len(types) == 1 else ("json",)
    if tree is not WHOLE and not selects(place, tree):
        return None
    if kind == "object" and place.value is not None:
        return {"map": column(place.value, below_map(tree))}
    if kind == "object":
        return group(place.members, tree) or "json"
    if kind == "array":
        return "json" if place.element is None else {"array": column(place.element, tree)}
    return kind


def group(members, tree):
    found = {name: column(place, WHOLE if tree is WHOLE else tree[name])
             for name, place in sorted(members.items(), key=lambda item: item[0].encode())
             if tree is WHOLE or name in tree}
    found = {name: kind for name, kind in found.items() if kind is not None}
    return {"object": found} if found else None


def selects(place, tree):
    """Whether the tree names anything that was ever seen here or below."""
    if tree is WHOLE:
        return True
    if place.element is not None and selects(place.element, tree):
        return True
    if place.value is not None:
        return selects(place.value, below_map(tree))
    return any(name in tree and selects(below, tree[name]) for name, below in place.members.items())


def below_map(tree):
    """What is selected of any value of a map, whatever its key."""
    if tree is WHOLE or any(below is WHOLE for below in tree.values()):
        return WHOLE
    out = {}
    for below in tree.values():
        for name, deeper in below.items():
            out[name] = deeper if name not in out else join(out[name], deeper)
    return out


def join(one, other):
    if one is WHOLE or other is WHOLE:
        return WHOLE
    return {name: join(one.get(name, {}), other.get(name, {})) if name in one and name in other
            else one.get(name, other.get(name)) for name in {**one, **other}}


def columns_of(store, request, policy):
    """{name: type} of an export, in the order of the columns; eventList last."""
    profile, event = Place(), Place()
    for dataset, records in store.seen.items():
        place = event if dataset is None else profile
        if dataset is None or policy.order is None or dataset in policy.order:
            for record in records:
                observe_document(place, record)
    tree = field_tree(request.get("fields"))
    out = group(profile.members, tree)
    out = out["object"] if out else {}
    out["identityMap"] = with_identity(column(profile.members.get("identityMap", Place())))
    if tree is not WHOLE and "identities" in tree:
        out["identities"] = view(tree["identities"])
    out = {name: out[name] for name in sorted(out, key=str.encode) if out[name] is not None}
    event_list = (request.get("additionalFields") or {}).get("eventList")
    if event_list is not None:
        out["eventList"] = {"array": group(event.members, field_tree(event_list.get("fields"))) or "json"}
    return out


def with_identity(kind):
    """identityMap can always hold who has events only."""
    if kind == "json":
        return IDENTITY_MAP
    entry = kind["map"]["array"]["object"]
    entry = {**IDENTITY_MAP["map"]["array"]["object"], **entry}
    return {"map": {"array": {"object": dict(sorted(entry.items(), key=lambda item: item[0].encode()))}}}


def view(tree):
    """The type of the virtual `identities` under its part of the projection."""
    def cut(kind, tree):
        if tree is WHOLE:
            return kind
        if not isinstance(kind, dict):
            return None
        if "array" in kind:
            inside = cut(kind["array"], tree)
            return inside and {"array": inside}
        found = {name: cut(below, tree[name]) for name, below in kind["object"].items() if name in tree}
        found = {name: below for name, below in found.items() if below is not None}
        return {"object": found} if found else None
    return cut(IDENTITIES, tree)


def hold(value, kind):
    """A value as the column holds it: no nulls but in lists, moments in ms, JSON texts in one form."""
    if value is None:
        return MISSING
    if kind == "json":
        return canonical(value)
    if kind == "date-time":
        return to_ms(value)
    if kind == "number":
        return float(value)
    if isinstance(kind, str):
        return value
    if "array" in kind:
        return [None if (part := hold(element, kind["array"])) is MISSING else part for element in value]
    if "map" in kind:
        return {key: hold(below, kind["map"]) for key, below in value.items() if below is not None}
    return hold_members(value, kind["object"])


def hold_members(value, kinds):
    """KeyError when a member has no column: something would be dropped in silence."""
    held = {name: hold(below, kinds[name]) for name, below in value.items() if below is not None}
    return {name: below for name, below in held.items() if below is not MISSING}


def reread(value, kind):
    """What a reader gives, in the same form; moments come in milliseconds."""
    if value is None:
        return MISSING
    if kind == "json":
        return canonical(json.loads(value))
    if kind == "number":
        return float(value)
    if isinstance(kind, str):
        return value
    if "array" in kind:
        return [None if (part := reread(element, kind["array"])) is MISSING else part for element in value]
    if "map" in kind:
        return {key: reread(below, kind["map"]) for key, below in value.items() if below is not None}
    parts = {name: reread(below, kind["object"][name]) for name, below in value.items()}
    return {name: part for name, part in parts.items() if part is not MISSING}
