"""Parquet files of a batch, read by independent readers: DuckDB, hyparquet and parquet-wasm, in one node process.

fetch() downloads a batch (sizes, hashes and names checked); rows() reads it and checks, on the way, that the
columns have the types that the oracle knows (columns.py) and that the counts agree. See tests/node/serve.mjs.
"""

import atexit
import json
import pathlib
import shutil
import subprocess
import tempfile
import threading

import flows
from columns import reread
from stack import REPO

NAMES = ("duckdb", "hyparquet", "parquet-wasm")
NODE = REPO / "tests" / "node"


class Server:
    """The node process, started when it is first needed; one request at a time."""

    def __init__(self):
        self.lock = threading.Lock()
        self.process = None

    def ask(self, **request):
        with self.lock:
            if self.process is None:
                self._start()
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        assert line, "the readers have ended"
        answer = json.loads(line)
        assert "error" not in answer, f"{request}: {answer['error']}"
        return answer

    def _start(self):
        if not (NODE / "node_modules").exists():
            subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--prefix", str(NODE)], check=True, timeout=300)
        self.process = subprocess.Popen(["node", str(NODE / "serve.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, encoding="utf-8")
        atexit.register(self.process.kill)


SERVER = Server()


class Files:
    """A downloaded batch: paths, and the manifest's entry of each. Goes with close()."""

    def __init__(self, entries, folder):
        self.entries = entries
        self.folder = folder
        self.paths = [folder / entry["name"] for entry in entries]
        self.seen = {}  # path -> columns that were found to be its

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    @property
    def glob(self):
        """For DuckDB: all of them."""
        return f"'{self.folder}/*.parquet'"


def fetch(client, batch):
    """All files of a batch, which must be Parquet; at least one."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="consign-files."))
    parts = flows.download_parts(client, batch)
    assert parts and all(entry["name"].endswith(".parquet") for entry, _ in parts), parts
    for entry, data in parts:
        (folder / entry["name"]).write_bytes(data)
    return Files([entry for entry, _ in parts], folder)


def rows(files, name, columns):
    """Every row by one reader, in the form of columns.hold_members()."""
    found = []
    for entry, path in zip(files.entries, files.paths):
        if files.seen.get(path) is not columns:
            check_types(path, columns)
            files.seen[path] = columns
        part = SERVER.ask(rows=name, path=str(path))["rows"]
        assert len(part) == int(entry["rows"]), entry
        found += part
    return [reread(json.loads(row), {"object": columns}) for row in found]


def check_types(path, columns):
    """The columns are the oracle's: in the reader's eyes, and in the words of the file's metadata."""
    told = json.loads(notes(path)["consign.schema"])
    assert list(told.items()) == list(columns.items()), f"schema {told}, wanted {columns}"
    seen = [[name, plain(kind)] for name, kind in columns.items()]
    types = SERVER.ask(types=str(path))["types"]
    assert types == seen, f"types {types}, wanted {seen}"


def plain(kind):
    """A type as a reader sees it: objects as lists of members, JSON texts as strings."""
    if isinstance(kind, str):
        return "string" if kind == "json" else kind
    if "object" in kind:
        return {"object": [[name, plain(below)] for name, below in kind["object"].items()]}
    ((name, below),) = kind.items()
    return {name: plain(below)}


def notes(path):
    return SERVER.ask(notes=str(path))["notes"]


def query(sql):
    return SERVER.ask(query=sql)["values"]
