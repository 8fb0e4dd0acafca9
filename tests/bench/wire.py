"""Load generators of the ingest benchmark: wrk that posts messages, pgbench that commits the same rows.

Each message is another person's: a body has one %d. Caller: ingest.py.
"""
import pathlib
import re
import subprocess

CLIENTS, THREADS = 32, 2

SCRIPT = """
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


def post_rate(client, path, record, count, seconds, folder):
    """(requests/s, median ms) of posts to the path, `count` records each."""
    script = pathlib.Path(folder) / "post.lua"
    # string.format of Lua: only %d is ours
    template = record.replace("%", "%%").replace("%%d", "%d")
    script.write_text(SCRIPT % {"record": template, "count": count, "path": path}, encoding="utf-8")
    headers = [word for name, value in client.headers().items() for word in ("-H", f"{name}: {value}")]
    told = run(["wrk", "-t", str(THREADS), "-c", str(CLIENTS), "-d", f"{seconds}s", "--latency", *headers,
                "-H", "Content-Type: application/json", "-s", str(script), client.url])
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    if bad:
        raise Failed(f"{bad[1]} answers were not 2xx")
    middle = re.search(r"50%\s+([\d.]+)(us|ms|s)\b", told)
    scale = {"us": 0.001, "ms": 1, "s": 1000}[middle[2]]
    return float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1]), float(middle[1]) * scale


def commit_rate(stack, insert, seconds, folder):
    """Transactions a second of that one statement, prepared, each committed by itself."""
    script = pathlib.Path(folder) / "insert.sql"
    script.write_text(insert + ";\n", encoding="utf-8")
    told = run(["pgbench", "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", str(THREADS), "-T", str(seconds),
                "-f", str(script), "-U", "postgres", "-h", str(stack.dir / "run" / "pg"), "consign"])
    return float(re.search(r"tps = ([\d.]+)", told)[1])
