"""Load generators of one client: wrk with what it prints itself, wrk that posts messages, pgbench that commits the same rows.

Each message is another person's: a body has one %d. Callers: ingest.py, sizing.py.
"""
import pathlib
import re
import subprocess

CLIENTS, THREADS = 32, 2

SCRIPT = """
wrk.headers["Content-Type"] = "application/json"
local threads = 0
function setup(thread) thread:set("first", threads * 100000000); threads = threads + 1 end
local n = 0
local template = [==[%(record)s]==]
request = function()
    local body = {}
    for i = 1, %(count)d do n = n + 1; body[i] = string.format(template, first + n) end
    body = table.concat(body, ",")
    if %(count)d > 1 then body = '{"messages":[' .. body .. ']}' end
    return wrk.format("POST", "%(path)s", nil, body)
end
"""


class Failed(RuntimeError):
    """A generator did not run, or answers were not 2xx."""


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{command[0]}: {done.stdout[-200:]}")
    return done.stdout


class Wrk:
    """One run of wrk with the client's headers: .count, .rate a second, .p50 and .p99 in ms, .bad (not 2xx), .broken (of the
    socket). script: a file of Lua."""

    def __init__(self, client, path, seconds, connections, script=None):
        headers = [word for name, value in client.headers().items() for word in ("-H", f"{name}: {value}")]
        self.text = run(["wrk", "-t", str(THREADS), "-c", str(connections), "-d", f"{seconds}s", "--latency", *headers,
                         *(["-s", str(script)] if script else []), client.url + path])
        self.count, self.rate = int(self.number(r"(\d+) requests in")), float(self.number(r"Requests/sec:\s+([\d.]+)"))
        self.p50, self.p99 = self.latency(50), self.latency(99)
        self.bad = int(self.number(r"Non-2xx or 3xx responses: (\d+)", 0))
        errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", self.text)
        self.broken = sum(map(int, errors.groups())) if errors else 0

    def number(self, pattern, absent=None):
        found = re.search(pattern, self.text)
        if not found and absent is None:
            raise Failed(f"wrk: {self.text[-200:]}")
        return found[1] if found else absent

    def latency(self, percent):
        """in ms"""
        found = re.search(rf"^ +{percent}% +([\d.]+)(us|ms|s) *$", self.text, re.M)
        if not found:
            raise Failed(f"wrk: {self.text[-200:]}")
        return float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000}[found[2]]


def post_rate(client, path, record, count, seconds, folder):
    """(requests/s, median ms) of posts to the path, `count` records each."""
    script = pathlib.Path(folder) / "post.lua"
    # string.format of Lua: only %d is ours
    template = record.replace("%", "%%").replace("%%d", "%d")
    script.write_text(SCRIPT % {"record": template, "count": count, "path": path}, encoding="utf-8")
    told = Wrk(client, path, seconds, CLIENTS, script)
    if told.bad:
        raise Failed(f"{told.bad} answers were not 2xx")
    return told.rate, told.p50


def commit_rate(stack, insert, seconds, folder):
    """Transactions a second of that one statement, prepared, each committed by itself."""
    script = pathlib.Path(folder) / "insert.sql"
    script.write_text(insert + ";\n", encoding="utf-8")
    told = run(["pgbench", "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", str(THREADS), "-T", str(seconds),
                "-f", str(script), "-U", "postgres", "-h", str(stack.dir / "run" / "pg"), "consign"])
    return float(re.search(r"tps = ([\d.]+)", told)[1])
