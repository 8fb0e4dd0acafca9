"""Short ways to /access/entities; used by the tests of look-ups."""

from urllib.parse import urlencode

ENTITIES = "/data/core/ups/access/entities"
PROFILE = "_xdm.context.profile"
EVENT = "_xdm.context.experienceevent"


def query(ns, value, **more):
    return {"schema.name": PROFILE, "entityId": value, "entityIdNS": ns, **more}


def event_query(ns, value, **more):
    return {"schema.name": EVENT, "relatedSchema.name": PROFILE, "relatedEntityId": value, "relatedEntityIdNS": ns, **more}


def ask(client, members, expect=200, method="GET"):
    return client.call(method, f"{ENTITIES}?{urlencode(members)}", expect=expect)


def look_up(client, ns, value, **more):
    """What is told of one profile, or None."""
    answer = ask(client, query(ns, value, **more), (200, 404))
    if answer.status_code == 404:
        return None
    ((key, told),) = answer.json().items()
    assert key == told["entityId"] == value
    return told


def events(client, ns, value, **more):
    """All events, page by page along the links; the pages too."""
    found, pages = [], []
    answer = ask(client, event_query(ns, value, **more)).json()
    while True:
        pages.append(answer)
        found += answer["children"]
        assert answer["_page"]["count"] == len(answer["children"])
        href = answer["_links"]["next"]["href"]
        assert (href == "") == (answer["_page"]["next"] == "")
        if href == "":
            return found, pages
        assert answer["children"], "an empty page with a next one"
        answer = client.get(href).json()


def many(client, names, kind=PROFILE, expect=200, **more):
    body = {"schema": {"name": kind}, "identities": [{"entityId": value, "entityIdNS": {"code": ns}} for ns, value in names]}
    if kind == EVENT:
        body["relatedSchema"] = {"name": PROFILE}
    return client.post(ENTITIES, {**body, **more}, expect=expect)
