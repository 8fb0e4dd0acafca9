#!/usr/bin/python3
"""random_rows: random schemas and rows through the real Parquet sink, read back by three independent readers.

    random_rows.py WRITE_ROWS [cases [seed]]      cases: how many random ones, or `corners`: the hand-made ones

WRITE_ROWS is the program built from write_rows.c. Every case has a schema, rows, a compression, a size of parts
and an amount of memory of its own. Each reader (read.mjs) must give back every value of every row, in order, and
DuckDB must find rows by conditions. Prints what differs and ends with 1, or one line and 0.
"""
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
READERS = ("duckdb", "hyparquet", "parquet-wasm")
SCALARS = ("boolean", "integer", "number", "date-time", "string", "json")
NAMES = ["a", "b", "id", "list", "element", "key", "value", "key_value", "x.y", "a.b.c", ".", "it's", 'say "x"', "größe",
         "名前", "😀", "tab\there", "line\nbreak", " ", "back\\slash", "_tenant", "0", "42", "array", "bag", "null", "%s"]
INTEGERS = [0, 1, -1, 127, 128, 2**31 - 1, -2**31, 2**32, 2**53 - 1, -(2**53 - 1)]
NUMBERS = ["0.1", "-0.0", "0.0", "5e-324", "1e308", "-1.7976931348623157e308", "2.2250738585072014e-308", "1.5",
           "123456789.123456789", "1e22", "1e23", "9007199254740993.0", "0.30000000000000004", "3", "-7", "-0", "1E2",
           "100.00", "4.35", "8.5e-10", "1e-400", "123456789012345678901234567890.5"]


class Case:
    """Makes a schema and rows: for each row its lines of input and the value that must come back."""

    def __init__(self, rng):
        self.rng = rng
        self.words = [self.new_string() for _ in range(rng.choice([1, 3, 30, 300]))]
        self.richness = rng.choice([0.1, 0.5, 0.9, 1.0])

    # --- schema

    def make_type(self, depth):
        kind = self.rng.random()
        if depth <= 0 or kind < 0.5:
            return self.rng.choice(SCALARS)
        if kind < 0.7:
            return {"object": self.make_members(depth - 1)}
        if kind < 0.9:
            return {"array": self.make_type(depth - 1)}
        return {"map": self.make_type(depth - 1)}

    def make_members(self, depth):
        names, seen = [], set()
        for name in self.rng.sample(NAMES, self.rng.randint(1, 6)):
            if name.lower() not in seen:
                seen.add(name.lower())
                names.append(name)
        return {name: self.make_type(depth) for name in sorted(names, key=lambda n: n.encode())}

    # --- values: (JSON text, what must come back)

    def new_string(self):
        alphabet = self.rng.choice(["abc", "abcdefghijklmnopqrstuvwxyz -_", "é日😀\u007f\u0080\uffff\"\\\n\u0001 a"])
        most = self.rng.choice([0, 3, 10, 40, 200])
        return "".join(self.rng.choice(alphabet) for _ in range(self.rng.randint(0, most)))

    def string(self):
        text = self.rng.choice(self.words) if self.rng.random() < 0.8 else self.new_string()
        return json.dumps(text, ensure_ascii=self.rng.random() < 0.5), text

    def date_time(self):
        ms = self.rng.choice([0, 999, 1704067200000, self.rng.randint(-2**41, 2**42)])
        seconds, rest = divmod(ms, 1000)
        stamp = date_time_of(seconds)
        return f'"{stamp}.{rest:03d}Z"', ms

    def json_value(self, depth=2):
        kind = self.rng.randint(0, 6 if depth > 0 else 4)
        if kind == 0:
            return self.string()[0]
        if kind == 1:
            return self.rng.choice(NUMBERS)
        if kind == 2:
            return self.rng.choice(["true", "false", "{}", "[]", '""'])
        if kind <= 4:
            return str(self.rng.choice(INTEGERS))
        if kind == 5:
            return "[" + ", ".join(self.json_value(depth - 1) for _ in range(self.rng.randint(0, 3))) + "]"
        return '{"k": ' + self.json_value(depth - 1) + ',"l":null}'

    def scalar(self, kind):
        if kind == "boolean":
            value = self.rng.random() < 0.5
            return ("true" if value else "false"), value
        if kind == "integer":
            value = self.rng.choice(INTEGERS + [self.rng.randint(-10, 10), self.rng.randint(-2**53 + 1, 2**53 - 1)])
            return str(value), value
        if kind == "number":
            text = self.rng.choice(NUMBERS + [repr(self.rng.uniform(-1e6, 1e6)), repr(self.rng.randint(0, 5) / 4),
                                              repr(self.rng.random() * 10.0**self.rng.randint(-300, 300))])
            return text, float(text)
        if kind == "date-time":
            return self.date_time()
        if kind == "string":
            return self.string()
        text = self.json_value()
        return text, text

    def value(self, kind):
        """Text and expectation; None for null."""
        if self.rng.random() > self.richness and self.rng.random() < 0.5:
            return "null", None
        if isinstance(kind, str):
            return self.scalar(kind)
        if "object" in kind:
            return self.members(kind["object"])
        count = self.rng.choice([0, 1, 1, 2, 3, self.rng.randint(0, 20)])
        if "array" in kind:
            pairs = [self.value(kind["array"]) for _ in range(count)]
            return "[" + ",".join(text for text, _ in pairs) + "]", [back for _, back in pairs]
        entries = {}
        for _ in range(count):
            entries[self.string()[1]] = self.value(kind["map"])
        entries.pop("__proto__", None)
        texts = [json.dumps(name) + ":" + text for name, (text, _) in entries.items()]
        return "{" + ",".join(texts) + "}", {name: back for name, (_, back) in entries.items()}

    def members(self, members):
        names = [name for name in members if self.rng.random() <= self.richness]
        if self.rng.random() < 0.3:
            self.rng.shuffle(names)
        texts, back = [], {}
        for name in names:
            text, value = self.value(members[name])
            space = " " if self.rng.random() < 0.1 else ""
            texts.append(json.dumps(name, ensure_ascii=self.rng.random() < 0.5) + ":" + space + text)
            if value is not None:
                back[name] = value
        if self.rng.random() < 0.05:
            texts.append('"no such member":null')
        return "{" + ",".join(texts) + "}", back

    # --- a whole case

    def make(self):
        schema = self.make_members(self.rng.choice([0, 1, 2, 3, 4]))
        events = self.make_members(2) if self.rng.random() < 0.5 else None
        lines, rows = [], []
        for _ in range(self.rng.choice([0, 1, 2, 10, 100, 100, 1000])):
            text, back = self.members(schema)
            lines.append("P" + text)
            if events:
                made = [self.members(events) for _ in range(self.rng.choice([0, 0, 1, 2, 10]))]
                lines.extend("E" + event for event, _ in made)
                if made:
                    back["eventList"] = [value for _, value in made]
            rows.append(back)
        if events:
            schema = {**schema, "eventList": {"array": {"object": events}}}
        return {"schema": schema, "lines": lines, "rows": rows,
                "compression": self.rng.choice(["zstd", "none"]),
                "part_bytes": self.rng.choice([0, 0, 1 if len(rows) <= 10 else 20000, 200000]),
                "memory_bytes": self.rng.choice([262144, 1 << 20, 16 << 20])}


def date_time_of(seconds):
    """Seconds since 1970 as a date and time, without the limits of the platform."""
    days, rest = divmod(seconds, 86400)
    year, month, day = civil(days)
    return f"{year:04d}-{month:02d}-{day:02d}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"


def civil(days):
    days += 719468
    era, day_of_era = divmod(days, 146097)
    year = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day = day_of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * day + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (1 if month <= 2 else 0), month, day - (153 * shifted + 2) // 5 + 1


def plain_case(schema, rows, **more):
    """A hand-made case: rows are (profile, events or None), plain Python values that JSON can say."""
    lines, back = [], []
    for profile, events in rows:
        lines.append("P" + json.dumps(profile))
        lines.extend("E" + json.dumps(event) for event in events or [])
        back.append(without_nulls({**profile, "eventList": events} if events else profile, {"object": schema}))
    return {"schema": schema, "lines": lines, "rows": back, "compression": "zstd", "part_bytes": 0,
            "memory_bytes": 16 << 20, **more}


def without_nulls(value, kind):
    if value is None or isinstance(kind, str):
        return value
    if "object" in kind:
        members = {name: without_nulls(each, kind["object"][name]) for name, each in value.items()}
        return {name: each for name, each in members.items() if each is not None}
    if "array" in kind:
        return [without_nulls(each, kind["array"]) for each in value]
    return {name: without_nulls(each, kind["map"]) for name, each in value.items()}


def corners():
    """The hand-made cases."""
    texts = {"array": "string"}
    yield plain_case({}, [])
    yield plain_case({"a": "string"}, [])
    yield plain_case({"a": texts, "m": {"map": "integer"}}, [
        ({}, None), ({"a": None}, None), ({"a": []}, None), ({"a": [None]}, None), ({"a": [None, None, ""]}, None),
        ({"a": ["x", None]}, None), ({"m": {}}, None), ({"m": {"": None}}, None), ({"m": {"k": 0, "": 1}}, None)])
    yield plain_case({"a": {"array": {"array": texts}}}, [
        ({"a": [[[]]]}, None), ({"a": [[], None, [None, [], ["x", None]]]}, None), ({"a": []}, None), ({}, None)])
    yield plain_case({"i": "integer", "n": "number"}, [({"i": i, "n": i}, None) for i in INTEGERS])
    yield plain_case({"s": "string", "j": "json"}, [({"s": "x" * (1 << 20)}, None), ({"s": ""}, None),
                                                    ({"s": "y" * (3 << 20)}, None)], memory_bytes=262144)
    deep, value = "integer", 7
    for level in range(16):
        deep = {"object": {"g": deep, "h": "string"}} if level % 2 else {"array": deep}
        value = {"g": value, "h": "x"} if level % 2 else [value, None]
    yield plain_case({"deep": deep}, [({"deep": value}, None), ({}, None), ({"deep": value}, None)])
    events = [{"_id": f"e{i:06d}", "n": i / 8 if i % 3 else None, "t": [i % 7] * (i % 4)} for i in range(100000)]
    event = {"array": {"object": {"_id": "string", "n": "number", "t": {"array": "integer"}}}}
    for memory in (262144, 16 << 20):
        yield plain_case({"a": "integer", "eventList": event}, [({"a": 1}, None), ({"a": 2}, events), ({"a": 3}, None)],
                         memory_bytes=memory)
    wide = {f"m{i:04d}": SCALARS[i % 6] for i in range(1000)}
    rng = random.Random(5)
    rows = []
    for i in range(300):
        picked = rng.sample(sorted(wide), 40)
        values = {"boolean": i % 2 == 0, "integer": i, "number": i / 2, "string": f"s{i}", "json": i}
        rows.append(({name: values[wide[name]] for name in picked if wide[name] != "date-time"}, None))
    case = plain_case(wide, rows, memory_bytes=262144)
    case["rows"] = [{name: str(each) if wide[name] == "json" else each for name, each in row.items()}
                    for row in case["rows"]]
    yield case
    # dictionaries that pay first and get too long later, and come back in the next row group
    turning = [({"s": f"v{i % 50}" if i % 90000 < 30000 else f"w{i}" * 5, "i": i % 50 if i % 90000 < 30000 else i,
                 "n": i % 50 / 4 if i % 90000 < 30000 else i / 4, "l": [f"v{i % 7}", None, f"w{i}"][:i % 4]}, None)
               for i in range(180000)]
    for memory in (262144, 16 << 20):
        yield plain_case({"i": "integer", "l": texts, "n": "number", "s": "string"}, turning, memory_bytes=memory)
    many = [({"k": i % 5, "u": f"user-{i}", "c": None if i % 2 else "red"}, None) for i in range(300000)]
    yield plain_case({"k": "integer", "u": "string", "c": "string"}, many)


def same(expected, got):
    if isinstance(expected, float):
        return (isinstance(got, (int, float)) and not isinstance(got, bool) and float(got) == expected and
                (expected != 0 or math.copysign(1, expected) == math.copysign(1, float(got))))
    if isinstance(expected, (bool, int)):
        return type(got) is type(expected) and got == expected or \
            (isinstance(got, float) and not isinstance(expected, bool) and got == expected)
    if isinstance(expected, list):
        return isinstance(got, list) and len(got) == len(expected) and all(map(same, expected, got))
    if isinstance(expected, dict):
        return isinstance(got, dict) and got.keys() == expected.keys() and \
            all(same(each, got[name]) for name, each in expected.items())
    return type(got) is type(expected) and got == expected


def parse(line):
    return json.loads(line, parse_int=lambda text: -0.0 if text == "-0" else int(text))


def write(program, case, folder):
    folder.mkdir()
    schema = folder / "schema"
    schema.write_text(json.dumps(case["schema"]), encoding="utf-8")
    done = subprocess.run([program, str(folder), str(schema), case["compression"], str(case["part_bytes"]),
                           str(case["memory_bytes"])], input="".join(line + "\n" for line in case["lines"]).encode(),
                          stdout=subprocess.PIPE, check=False)
    lines = done.stdout.decode().split()
    if done.returncode != 0 or int(lines[-1]) != len(case["rows"]):
        raise SystemExit(f"write_rows: {done.returncode} {lines} in {folder}")
    left = sorted(path.name for path in folder.iterdir() if path.name != "schema")
    if left != sorted(lines[:-1]):
        raise SystemExit(f"write_rows: {left} lie in {folder}")
    return [folder / name for name in lines[:-1]]


def check(reader, cases, files, taken):
    """How many cases differ. taken: of each case the lines of the reader before, which were compared with what was
    written; the readers write equal rows as equal bytes, so a line that is equal is right."""
    # DuckDB refuses a file without columns; the export never makes one
    skipped = {number for number, case in enumerate(cases) if reader == "duckdb" and not case["schema"]}
    names = [str(file) for number, each in enumerate(files) for file in each if number not in skipped]
    done = subprocess.Popen(["node", str(HERE / "read.mjs"), reader] + names, stdout=subprocess.PIPE)
    bad = 0
    for number, case in enumerate(cases):
        if number in skipped:
            continue
        before = taken[number]
        for at, expected in enumerate(case["rows"]):
            line = done.stdout.readline()
            if not line:
                print(f"{reader}: case {number}: ends at row {at}; files {files[number]}")
                return bad + 1
            if at < len(before) and before[at] == line:
                continue
            if at == len(before):
                before.append(line)
            if not same(expected, parse(line)):
                bad += 1
                print(f"{reader}: case {number} row {at}: {files[number][0]}\n  wrote {json.dumps(expected)[:500]}\n"
                      f"  read  {line.decode()[:500]}")
                return bad
    if done.stdout.readline() or done.wait() != 0:
        print(f"{reader}: too many rows, or a fault at the end")
        bad += 1
    return bad


def order_of(value):
    return value.encode() if isinstance(value, str) else value


def literal(value):
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"{value!r}::DOUBLE" if isinstance(value, float) else str(value)


def check_bounds(cases, files, rng, most):
    """DuckDB leaves out row groups by their bounds: a condition must find what is there all the same."""
    kinds = {"integer", "number", "string"}
    places = [(number, name) for number, case in enumerate(cases) for name, kind in case["schema"].items()
              if isinstance(kind, str) and kind in kinds and name.isalnum() and len(case["rows"]) >= 10]
    bad = 0
    for number, name in rng.sample(places, min(most, len(places))):
        there = [row[name] for row in cases[number]["rows"] if name in row]
        if not there:
            continue
        value = rng.choice([rng.choice(there), min(there, key=order_of), max(there, key=order_of)])
        sign = rng.choice(["=", "<", "<=", ">", ">="])
        against = {"=": lambda x, y: x == y, "<": lambda x, y: x < y, "<=": lambda x, y: x <= y,
                   ">": lambda x, y: x > y, ">=": lambda x, y: x >= y}[sign]
        wanted = sum(against(order_of(each), order_of(value)) for each in there)
        condition = f'"{name}" {sign} {literal(value)}'
        done = subprocess.run(["node", str(HERE / "read.mjs"), "duckdb", "--count", condition] +
                              [str(file) for file in files[number]], stdout=subprocess.PIPE, check=False)
        if done.stdout.decode().strip() != str(wanted):
            bad += 1
            print(f"duckdb: case {number}: {condition[:300]}: {done.stdout.decode().strip()}, not {wanted}")
    return bad


def main():
    program = sys.argv[1]
    count = sys.argv[2] if len(sys.argv) > 2 else "200"
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    cases = list(corners()) if count == "corners" else [
        Case(random.Random(seed * 1000003 + n)).make() for n in range(int(count))]
    with tempfile.TemporaryDirectory() as top:
        files = [write(program, case, pathlib.Path(top) / str(n)) for n, case in enumerate(cases)]
        taken = [[] for _ in cases]
        bad = sum(check(reader, cases, files, taken) for reader in READERS)
        bad += check_bounds(cases, files, random.Random(seed), 14)
    rows = sum(len(case["rows"]) for case in cases)
    print(f"random_rows: {len(cases)} cases, {rows} rows, {sum(map(len, files))} files, {bad} faults, seed {seed}")
    return 1 if bad else 0


sys.exit(main())
