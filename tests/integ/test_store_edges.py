"""Records at the edges of what the store takes, and what an export makes of them."""

import flows
from flows import BATCH_FILES


def bare_fields(rows):
    return [{name: value for name, value in row.items() if name != "identityMap"} for row in rows]


def test_one_identity_written_with_different_escapes_is_one_profile(client):
    first, second, events = (flows.create_dataset(client, kind) for kind in ("profile", "profile", "event"))
    flows.ingest(client, first, b'{"identityMap":{"E":[{"id":"\\u00e9\\/x"}]},"a":1}\n'
                                b'{"identityMap":{"\\u0045":[{"id":"\xc3\xa9/x"}]},"b":2}')
    flows.ingest(client, second, b'{"identityMap":{"E":[{"\\u0069d":"\xc3\xa9\\u002fx"}]},"c":3}')
    flows.ingest(client, events, b'{"_id":"\\u0031","timestamp":"2024-01-01T00:00:00Z",'
                                 b'"identityMap":{"E":[{"id":"\\u00E9/\\u0078"}]}}')
    _, rows = flows.export_all(client, additionalFields={"eventList": {"fields": "_id"}})
    assert bare_fields(rows) == [{"b": 2, "c": 3, "eventList": [{"_id": "1"}]}]


def test_what_the_export_makes_itself_is_refused_in_a_profile_record(client):
    """A stored eventList came out beside the one of the events: a row with one member twice."""
    profiles, events = flows.create_dataset(client, "profile"), flows.create_dataset(client, "event")
    one = b'"identityMap":{"E":[{"id":"a"}]}'
    batch = flows.ingest(client, profiles, b'{"good":1,' + one + b'}\n{"eventList":["stored"],' + one + b'}\n'
                         b'{"identities":["stored"],' + one + b'}\n{"\\u0065ventList":null,' + one + b'}')
    assert batch["metrics"]["failedRecordCount"] == 3
    failed = client.get(f"{BATCH_FILES}/{batch['id']}/failed").json()["data"]
    assert [(entry["line"], entry["code"]) for entry in failed] == [(n, "reserved") for n in (2, 3, 4)]
    flows.ingest(client, events, b'{"_id":"e","timestamp":"2024-01-01T00:00:00Z","eventList":7,' + one + b'}')
    _, rows = flows.export_all(client, additionalFields={"eventList": {"fields": "_id,eventList"}})
    assert bare_fields(rows) == [{"good": 1, "eventList": [{"_id": "e", "eventList": 7}]}]


def test_a_profile_whose_identities_have_no_room_in_a_row_does_not_fail_every_export(client):
    """2,000 identities in a namespace of 255 characters, each written as \\u0001: the view that `identities`
    selects would take 3 MB. The profile has too many identities anyway, and is left out for that."""
    for part in range(2):
        entries = b",".join(b'{"id":"%d"}' % (part * 1000 + n) for n in range(999))
        record = b'{"identityMap":{"P":[{"id":"p","primary":true}],"' + b"\\u0001" * 255 + b'":[' + entries + b"]}}"
        flows.ingest(client, flows.create_dataset(client, "profile"), record + b'\n{"identityMap":{"P":[{"id":"ok"}]}}')
    job, rows = flows.export_all(client, fields="identities.namespace.code")
    assert [row["identities"] for row in rows] == [[{"namespace": {"code": "P"}}]]
    assert job["metrics"]["skippedProfiles"] == {"tooManyIdentities": 1}
