"""Parquet through the whole service: uploaded, exported, downloaded and read by three independent readers.

Twin.check() compares every value with the oracle, and the columns' types with what was ever ingested.
"""

import json
import pathlib
import random
import sys

import pytest

import flows
import readers
from client import Client
from columns import columns_of
from flows import CATALOG
from oracle import Policy
from rfc3339 import to_ms
from test_oracle_selection import event, ident, member
from twin import Twin

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fault"))

import rolling  # noqa: E402

EVENTS = {"additionalFields": {"eventList": {}}}
LARGEST = 2**53 - 1


@pytest.fixture
def twin(client):
    return Twin(client)


def check(twin, body=EVENTS, compression="zstd"):
    return twin.check(body, form="parquet", compression=compression, names=readers.NAMES)


def nested(depth, leaf):
    return leaf if depth == 0 else {f"d{depth}": nested(depth - 1, leaf)}


def listed(depth, leaf):
    return leaf if depth == 0 else [listed(depth - 1, leaf)]


CORNERS = {
    "lists": [{"l": []}, {"l": None}, {}, {"l": [None]}, {"l": [1, None, 2]}, {"l": [1]}],
    "lists of lists": [{"l": [[]]}, {"l": [None, []]}, {"l": [[1], [], None, [2, None, 3]]}, {"l": []}, {}, {"l": [[None]]}],
    "lists of objects": [{"l": [{}]}, {"l": [{"a": 1}, None, {}]}, {"l": [{"a": None, "b": [{}]}]}, {"l": []},
                         {"l": [{"b": [{"c": "x"}, {}]}, {"b": []}, {"b": None}]}, {"l": None}],
    "objects": [{"o": {}}, {"o": None}, {}, {"o": {"p": None}}, {"o": {"p": {}}}, {"o": {"p": {"q": 1}}}, {"o": {"p": {"q": None}}}],
    "never anything": [{"o": {}, "l": [], "n": None}, {"o": {}, "l": []}, {}],
    "only nulls in a list": [{"l": [None, None]}, {"l": []}],
    "maps": [member("ups/s=realized"), {"segmentMembership": {}}, {"segmentMembership": {"ups": {}}}, {},
             {"segmentMembership": {"ups": {"s": {}, "": {"status": ""}}, "": {"x": {}}}},
             member("ups/a=exited@2024-01-01T00:00:00Z", "aam/b.c=existing")],
    "texts": [{"t": ""}, {"t": None}, {"t": "a\tb\r\n\"\\/\u2028\u0001"}, {"t": "\U0001f600\u00e9\u4e2d"}, {"t": "null"}, {"t": "x" * 1_040_000}],
    "integers": [{"i": LARGEST}, {"i": -LARGEST}, {"i": 0}, {"i": None}, {"i": 1}, {"i": -1}, {"i": 2**31}, {"i": -2**31 - 1}],
    "numbers": [{"d": 1.7976931348623157e308}, {"d": -1.7976931348623157e308}, {"d": 5e-324}, {"d": 2.2250738585072014e-308},
                {"d": 0.1}, {"d": 1e21}, {"d": 1e-7}, {"d": LARGEST}, {"d": -LARGEST}, {"d": 0}, {"d": None}],
    "booleans": [{"b": n % 3 == 0} for n in range(17)] + [{"b": None}, {}],
    "date-times": [{"t": text} for text in (
        "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.1Z", "2024-01-01T00:00:00.12+05:30", "2024-01-01T00:00:00.123-12:00",
        "2024-02-29T23:59:59.999z", "2024-06-30t00:00:59Z", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "1582-10-10T00:00:00Z")] + [{"t": None}],
    "almost date-times": [{"t": "2024-01-01T00:00:00Z"}, {"t": "2024-01-01T00:00:00.1234Z"}, {"t": "2024-01-01"}],
    "leap seconds": [{"t": "2016-12-31T23:59:60Z"}, {"t": "2016-12-31T23:59:59Z"}],
    "types that fight": [{"m": 1, "o": {"a": 1}, "l": [1], "s": "1"}, {"m": "1", "o": [1], "l": ["1"], "s": "2024-01-01T00:00:00Z"},
                         {"m": True, "o": {"a": "x"}, "l": [{"a": None}], "s": "x"}, {"m": None, "o": None, "l": [None]},
                         {"m": {"deep": [1, {"x": None}]}, "o": "text", "l": [[]], "s": ""}, {"m": 1.5, "o": {}, "l": 7}],
    "names": [{name: n} for n, name in enumerate((
        "a.b", "a", "b.c.d", "na\u00efve", "\u540d\u524d", "\U0001f600", "two words", 'qu"ote', "semi;colon", "list", "element", "key",
        "value", "key_value", "back\\slash", "new\nline", "n" * 200, "schema", "eventListX", "'"))]
        + [{"o": {"a.b": {"c.d": 1}, "list": {"element": [1]}, "key_value": {"key": 1, "value": 2}}}],
    "depth 16 of objects": [nested(14, "leaf"), nested(13, {"other": 1}), {}],
    "depth 16 of lists": [{"l": listed(14, 1)}, {"l": listed(13, None)}, {"l": []}],
    "one text a thousand times": [{"t": "same"}] * 1000 + [{"t": f"other{n}"} for n in range(300)],
    "runs of nulls": [{"a": n} if n % 97 == 0 else {"b": [n] * (n % 3)} for n in range(2000)],
}


@pytest.mark.parametrize("case", CORNERS)
def test_corner(twin, case):
    """Each in profiles and, below `inside`, in events."""
    twin.records("crm", [ident(f"E:{n}", **more) for n, more in enumerate(CORNERS[case])])
    twin.events("web", [event(f"{n:05}", "01", f"E:{n % 3}", inside=more) for n, more in enumerate(CORNERS[case])])
    for compression in ("zstd", "none"):
        check(twin, compression=compression)


def test_no_rows_is_one_file_that_has_the_columns(twin):
    twin.records("crm", [ident("E:a", n=1, t="x", **member("ups/s=realized"))])
    job, wanted = check(twin, {"filter": {"segments": [{"segmentId": "nobody"}]}})
    assert wanted.rows == []
    (entry,) = flows.manifest(twin.client, job["destination"]["batchId"]).values()
    assert int(entry["rows"]) == 0 and entry["name"].startswith("part-00000-") and entry["name"].endswith(".zstd.parquet")


def test_an_empty_store_is_one_file_that_has_identities(twin):
    job, wanted = check(twin)
    assert wanted.rows == [] and len(flows.manifest(twin.client, job["destination"]["batchId"])) == 1


def test_columns_widen_as_the_store_grows(twin):
    """integer, then number, then text; a record that is replaced leaves its type behind."""
    for value, kind in ((1, "integer"), (None, "integer"), (2.5, "number"), ("x", "json"), (3, "json")):
        twin.records("crm", [ident("E:a", v=value), ident("E:b", v=7)])
        check(twin)
        assert columns_of(twin.store, {}, Policy())["v"] == kind
    for value, kind in (("2024-01-01T00:00:00Z", "date-time"), ("tomorrow", "string"), ({"a": 1}, "json")):
        twin.records("crm", [ident("E:a", w=value)])
        check(twin)
        assert columns_of(twin.store, {}, Policy())["w"] == kind


def test_types_of_one_dataset_do_not_widen_an_export_without_it(client, tenants, stack):
    org = tenants.org("own")
    twin = Twin(Client(stack, org, "own", *tenants.credentials(org)))
    twin.records("crm", [ident("E:a", v=1)])
    twin.records("web", [ident("E:a", v="text", more=True)])
    policy = flows.create_policy(twin.client, "none", [twin.datasets["crm"]])["id"]
    rules = Policy("none", ("crm",))
    twin.check({"mergePolicy": {"id": policy}}, rules, form="parquet", names=readers.NAMES)
    assert columns_of(twin.store, {}, rules)["v"] == "integer"


@pytest.mark.parametrize("fields", ["a.b,identities", "identities.namespace,nothing", "l.x,identities.primary,o.p.q", "segmentMembership.ups"])
def test_projected_columns(twin, fields):
    twin.records("crm", [ident("E:a", "C:1", a={"b": 1, "c": 2}, l=[{"x": 1, "y": 2}, {"y": 1}, None], o={"p": {"q": True, "r": 1}},
                               **member("ups/s=realized", "aam/t=exited")),
                         ident("E:b", l=[], o={"p": None})])
    twin.events("web", [event("1", "01", "E:a", web={"url": "x", "n": 1}), event("2", "02", "E:a")])
    check(twin, {"fields": fields, "additionalFields": {"eventList": {"fields": "web.url,_id,nothing"}}})


def test_events_none_some_and_many(twin):
    twin.records("crm", [ident("E:none", v=1), ident("E:one", v=2), ident("E:many", v=3)])
    twin.events("web", [event("1", "01", "E:one")] + [event(f"{n:05}", f"{n % 60:02}", "E:many", n=n) for n in range(5000)])
    check(twin)
    check(twin, {"additionalFields": {"eventList": {"fields": "nothing.at.all"}}})
    check(twin, {})


@pytest.mark.parametrize("compression", ["zstd", "none"])
def test_the_files_own_metadata(twin, compression):
    twin.records("crm", [ident("E:a", v=1)])
    job, _ = check(twin, {"fields": "v"}, compression)
    with readers.fetch(twin.client, job["destination"]["batchId"]) as files:
        told = readers.notes(files.paths[0])
        (codecs,) = {tuple(row) for row in readers.query(f"SELECT DISTINCT compression FROM parquet_metadata({files.glob})")}
    assert told["consign.job"] == str(job["id"]) and told["consign.batch"] == job["destination"]["batchId"]
    assert told["consign.watermark"] == str(job["watermark"])
    assert json.loads(told["consign.schema"])["v"] == "integer"
    assert codecs == (("ZSTD",) if compression == "zstd" else ("UNCOMPRESSED",))


# Files of several row groups in several parts.

ROWS = 6000
TEXTS = ("", "a", "b" * 70, "b" * 70 + "x", "\u00e9", "\u4e2d\u6587", "\U0001f600", "~", "\uffff", "Z")


def row(rng, n):
    out = {"n": n, "num": rng.randint(-1000, 1000), "big": rng.choice((-LARGEST, LARGEST, 0)), "flag": n % 7 == 0,
           "price": rng.choice((rng.uniform(-1e6, 1e6), -0.5, 0.25)), "text": rng.choice(TEXTS) + rng.choice(("", str(n))),
           "at": f"20{n % 90 + 10:02}-0{n % 9 + 1}-1{n % 10}T0{n % 10}:00:00.{n % 1000:03}Z",
           "late": n, "filler": "".join(rng.choices("abcdefghij", k=150))}
    if n < ROWS // 2:
        del out["late"]  # null in whole row groups
    for name in ("num", "price", "text", "at"):
        if rng.random() < 0.1:
            del out[name]
    return out


FILTERS = [
    ("num = 7", lambda r: r["num"] == 7), ("num < -990", lambda r: r["num"] < -990), ("num > 1000", lambda r: r["num"] > 1000),
    ("num >= 1000", lambda r: r["num"] >= 1000), ("num <> 0", lambda r: r["num"] != 0), ("num IN (1, 2, 5000)", lambda r: r["num"] in (1, 2, 5000)),
    ("n = 0", lambda r: r["n"] == 0), (f"n = {ROWS - 1}", lambda r: r["n"] == ROWS - 1), (f"n = {ROWS}", lambda r: r["n"] == ROWS),
    ("n BETWEEN 100 AND 199", lambda r: 100 <= r["n"] <= 199), (f"big = {LARGEST}", lambda r: r["big"] == LARGEST),
    (f"big < {-LARGEST + 1}", lambda r: r["big"] < -LARGEST + 1), ("price < -999000", lambda r: r["price"] < -999000),
    ("price = 0.25", lambda r: r["price"] == 0.25), ("price > 1e6", lambda r: r["price"] > 1e6), ("flag", lambda r: r["flag"]),
    ("NOT flag", lambda r: not r["flag"]), ("text = ''", lambda r: r["text"] == ""), ("text = 'b'", lambda r: r["text"] == "b"),
    ("text > '\uffff'", lambda r: r["text"].encode() > "\uffff".encode()), ("text < 'a'", lambda r: r["text"].encode() < b"a"),
    (f"text >= '{'b' * 70}x'", lambda r: r["text"].encode() >= b"b" * 70 + b"x"), (f"text = '{'b' * 70}x'", lambda r: r["text"] == "b" * 70 + "x"),
    ("text >= '\U0001f600'", lambda r: r["text"].encode() >= "\U0001f600".encode()), ("text = '\u4e2d\u6587'", lambda r: r["text"] == "\u4e2d\u6587"),
    ("\"at\" < TIMESTAMPTZ '2012-01-01 00:00:00Z'", lambda r: to_ms(r["at"]) < to_ms("2012-01-01T00:00:00Z")),
    ("\"at\" = TIMESTAMPTZ '2011-02-11 01:00:00.001Z'", lambda r: to_ms(r["at"]) == to_ms("2011-02-11T01:00:00.001Z")),
    ("\"at\" > TIMESTAMPTZ '2100-01-01 00:00:00Z'", lambda r: to_ms(r["at"]) > to_ms("2100-01-01T00:00:00Z")),
    ("late IS NULL", None), ("late IS NOT NULL", lambda r: r["late"] is not None), ("late < 10", lambda r: r["late"] < 10),
    ("num IS NULL", None), ("text IS NULL", None), ("text IS NOT NULL AND price IS NULL", None),
    ("num > 990 AND text < 'b'", lambda r: r["num"] > 990 and r["text"].encode() < b"b"),
]


def counted(rows, text, test):
    """How many rows a filter takes, by Python; a null takes no part."""
    if test is None:
        wanted = {"late IS NULL": lambda r: "late" not in r, "num IS NULL": lambda r: "num" not in r,
                  "text IS NULL": lambda r: "text" not in r,
                  "text IS NOT NULL AND price IS NULL": lambda r: "text" in r and "price" not in r}[text]
        return sum(map(wanted, rows))

    def takes(r):
        try:
            return bool(test(r))
        except KeyError:
            return False
    return sum(map(takes, rows))


@pytest.fixture(scope="module")
def parts(stack, shared):
    """One export in many parts; (twin, job, files)."""
    twin, rng = Twin(shared), random.Random(7)
    twin.records("crm", [ident(f"E:{n:05}", **row(rng, n)) for n in range(ROWS)])
    with rolling.settings(stack, "spooler", export__part_bytes=65536, export__share_profiles=500):
        job, _ = twin.check({}, form="parquet", names=readers.NAMES)
    with readers.fetch(twin.client, job["destination"]["batchId"]) as files:
        yield twin, job, files


def test_parts_are_numbered_and_their_rows_are_the_catalogs(parts):
    twin, job, files = parts
    assert len(files.entries) >= 5
    assert sorted(int(entry["name"].split("-")[1]) for entry in files.entries) == list(range(len(files.entries)))
    batch = job["destination"]["batchId"]
    listed = flows.list_files(twin.client, batch)
    assert sum(int(entry["records"]) for entry in listed) == sum(int(entry["rows"]) for entry in files.entries) == ROWS
    assert sum(int(entry["size"]) for entry in listed) == sum(path.stat().st_size for path in files.paths)
    assert twin.client.get(f"{CATALOG}/batches/{batch}").json()[batch]["status"] == "success"
    sizes = [path.stat().st_size for path in files.paths]
    assert max(sizes) < 4 * 65536, sizes


@pytest.mark.parametrize("text, test", FILTERS, ids=[text[:30] for text, _ in FILTERS])
def test_filters_that_push_down_on_statistics_count_the_same(parts, text, test):
    twin, _, files = parts
    rows = [{k: v for k, v in row.items() if v is not None} for row in twin.store.rows()]
    assert readers.query(f"SELECT count(*) FROM read_parquet({files.glob}) WHERE {text}") == [[counted(rows, text, test)]]


def test_every_chunk_says_its_least_its_greatest_and_its_nulls(parts):
    _, _, files = parts
    chunks = readers.query(
        "SELECT path_in_schema, num_values, stats_null_count, stats_min_value, stats_max_value"
        f" FROM parquet_metadata({files.glob}) WHERE path_in_schema IN ('n', 'num', 'price', 'at', 'late', 'flag', 'text', 'big')")
    assert chunks and all(nulls is not None for _, _, nulls, _, _ in chunks)
    assert all((least is None) is (values == nulls) for _, values, nulls, least, _ in chunks)
    for name in ("n", "num", "late", "price", "big"):
        mine = [chunk for chunk in chunks if chunk[0] == name]
        ((least, greatest, nulls),) = readers.query(
            f"SELECT CAST(min(\"{name}\") AS VARCHAR), CAST(max(\"{name}\") AS VARCHAR), count(*) - count(\"{name}\") FROM read_parquet({files.glob})")
        assert sum(chunk[2] for chunk in mine) == nulls
        assert min(float(chunk[3]) for chunk in mine if chunk[3] is not None) == float(least)
        assert max(float(chunk[4]) for chunk in mine if chunk[4] is not None) == float(greatest)


def test_a_store_of_more_members_than_columns_has_a_column_for_the_whole_profile(twin):
    """600 names at the top of profiles are too many to tell apart; the profile stands in `document` then."""
    records = [ident(f"E:{part}", document="mine", **{f"n{part}_{n}": n for n in range(200)}) for part in range(3)]
    twin.records("crm", records)
    job = flows.wait_job(twin.client, flows.start_job(twin.client, flows.job_body(twin.target("parquet")))["id"])
    assert job["status"] == "SUCCEEDED", job
    with readers.fetch(twin.client, job["destination"]["batchId"]) as files:
        for name in readers.NAMES:
            rows = [json.loads(row) for path in files.paths for row in readers.SERVER.ask(rows=name, path=str(path))["rows"]]
            assert {frozenset(row) for row in rows} == {frozenset(("document", "identityMap"))}
            kept = sorted((json.loads(row["document"]) for row in rows), key=str)
            assert kept == sorted(records, key=str)
