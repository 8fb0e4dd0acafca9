#!/usr/bin/python3
"""What others notice of a tenant at full blast, of idle and of slow connections; how soon nginx refuses what is too large.

Others: eight tenants over 16 connections that ask for a job every 20 ms on average. Their p99 alone and beside each kind of trouble,
in turn, so that what else the machine does meets both; medians of the rounds. The troublemakers run at nice 19, because they
would be other machines. nginx limits tokens and the pool tenants as in production; the limits of an address are off, since all
come from one. A missed target does not fail the run. Called by part.d/overload.

  CONSIGN_BENCH_SECONDS  (5) of each measurement
  CONSIGN_BENCH_ROUNDS   (5) of each pair
  CONSIGN_BENCH_ONLY     a regular expression: of "one token", "many tokens", "idle", "slow", "too large"
  CONSIGN_BENCH_SET      further settings of the stack, KEY=VALUE with blanks between
  CONSIGN_BENCH_LIMITS   (token) CONSIGN_RATE_LIMITS of the stack
  CONSIGN_BENCH_OUT, CONSIGN_BENCH_PORT  as for the engine
"""
import contextlib
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import bed  # noqa: F401  it leads to tests/integ
from bed import flows
from client import token_request
from crowd import request_bytes
from meter import below, cpu_seconds, processes
from ownstack import new_client, own_stack
from report import Report

HERE = pathlib.Path(__file__).resolve().parent
OTHERS, CONNECTIONS, PAUSE_MS = 8, 16, 20
BLAST = 256
IDLE, SLOW = 10_000, 4_000
TOKENS = 64  # that one tenant uses, against a limit by token
REFUSALS = 200
NICE = ["nice", "-n", "19"]


def setting(name, default):
    return int(os.environ.get(f"CONSIGN_BENCH_{name}", default))


class Wrk:
    """One run of wrk: .rate, .p50 and .p99 in ms, .bad (not 2xx), .broken (of the socket)."""

    def __init__(self, url, requests, connections, seconds, pause_ms, first=()):
        env = {**os.environ, "CONSIGN_WRK_REQUESTS": str(requests), "CONSIGN_WRK_PAUSE_MS": str(pause_ms)}
        self.process = subprocess.Popen([*first, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s",
                                         str(HERE / "wrk" / "paced.lua"), url], env=env, stdout=subprocess.PIPE, text=True)

    def wait(self):
        told, _ = self.process.communicate()
        found = re.search(r"^RESULT (\d+) ([\d.]+) (\d+) (\d+) (\d+) (\d+)$", told, re.MULTILINE)
        if not found:
            raise RuntimeError(f"wrk: {told[-300:]}")
        count, seconds, p50, p99, self.bad, self.broken = (float(word) for word in found.groups())
        self.rate, self.p50, self.p99 = count / seconds, p50 / 1000, p99 / 1000
        return self


class Overload:
    def __init__(self, stack, folder):
        self.stack, self.folder = stack, pathlib.Path(folder)
        self.seconds, self.rounds = setting("SECONDS", 5), setting("ROUNDS", 5)
        self.only = re.compile(os.environ.get("CONSIGN_BENCH_ONLY", ""))
        self.report = Report(os.environ.get("CONSIGN_BENCH_OUT"))
        self.others = self.requests("others", [self.tenant() for _ in range(OTHERS)])
        self.greedy = self.tenant()
        self.roots = [int((stack.dir / "pids" / name).read_text().split()[0]) for name in ("nginx", "api")]

    def tenant(self):
        """(client, path of a job of its own)"""
        client = new_client(self.stack)
        job = flows.start_job(client, flows.job_body(flows.create_dataset(client)))
        return client, f"{flows.JOBS}/{job['id']}"

    def requests(self, name, tenants):
        """A file for paced.lua."""
        file = self.folder / name
        file.write_text("".join("\t".join([path, *(f"{n}: {v}" for n, v in client.headers().items())]) + "\n"
                                for client, path in tenants))
        return file

    def tokens(self, client, count):
        """Clients like this one, each with another token."""
        made = []
        for _ in range(count):
            twin = client.in_sandbox(client.sandbox)
            twin._token = token_request(self.stack, client.client_id, client.client_secret).json()["access_token"]
            made.append(twin)
        return made

    @contextlib.contextmanager
    def blast(self, requests):
        """One tenant asks over 256 connections as fast as it is answered; its Wrk is complete afterwards."""
        run = Wrk(self.stack.url, requests, BLAST, self.seconds + 1, 0, NICE)
        time.sleep(0.5)
        yield run
        run.wait()

    @contextlib.contextmanager
    def crowd(self, *counts, reads=None):
        held = subprocess.Popen([*NICE, sys.executable, str(HERE / "overload_crowd.py"), self.stack.url, *map(str, counts),
                                 *([str(reads)] if reads else [])], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if held.stdout.readline() != "ready\n":
            raise RuntimeError("the crowd did not come together")
        yield held
        held.told = held.communicate("\n")[0].strip()

    def ask(self):
        return Wrk(self.stack.url, self.others, CONNECTIONS, self.seconds, PAUSE_MS).wait()

    def nginx_mib(self):
        return sum(int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])
                   for pid in below(processes(), self.roots[0])) / 1024

    def line(self, what, run, more=""):
        self.report.note(f"{what:<34} {run.rate:>8.0f} {run.p50:>8.2f} {run.p99:>8.2f} {run.bad:>6.0f} {run.broken:>6.0f}  {more}")

    def pair(self, name, trouble, told):
        """Others alone and beside the trouble, in turn. told: what to say of what trouble() gave."""
        if not self.only.search(name):
            return
        alone, beside, last = [], [], ""
        for _ in range(self.rounds):
            alone.append(self.ask())
            before = cpu_seconds(self.roots)
            with trouble() as given:
                beside.append(self.ask())
                memory = self.nginx_mib()
            last = f"{told(given)}; nginx and pool {cpu_seconds(self.roots) - before:.1f} s of CPU, nginx {memory:.0f} MiB"
            self.line("  others alone", alone[-1])
            self.line(f"  others beside {name}", beside[-1], last)
        p99 = [statistics.median(run.p99 for run in runs) for runs in (alone, beside)]
        self.report.note(f"{name}: p99 {p99[0]:.2f} and {p99[1]:.2f} ms; p50 "
                         + " and ".join(f"{statistics.median(run.p50 for run in runs):.2f}" for runs in (alone, beside)))
        self.report.reach(f"p99 of others beside {name}", p99[1] / p99[0], "<=", 1.5, " x")
        rates = [statistics.median(run.rate for run in runs) for runs in (alone, beside)]
        self.report.reach(f"rate of others beside {name}", rates[1] / rates[0], ">=", 0.8, " x")
        self.report.reach(f"failed requests of others beside {name}", sum(r.bad + r.broken for r in beside), "<=", 0)

    def too_large(self):
        if not self.only.search("too large"):
            return
        client = self.greedy[0]
        filler = b"".join(b"X-Filler-%d: %s\r\n" % (i, b"f" * 8000) for i in range(7))
        cases = {413: request_bytes(client, "POST", flows.JOBS, 1048577),
                 414: request_bytes(client, "GET", flows.JOBS + "?x=" + "x" * 8192),
                 431: request_bytes(client, "GET", flows.JOBS).replace(b"\r\n\r\n", b"\r\n" + filler + b"\r\n")}
        for status, sent in cases.items():
            times = sorted(self.refusal(status, sent) for _ in range(REFUSALS))
            self.report.note(f"{status}: median {times[REFUSALS // 2]:.2f} ms, most {times[-1]:.2f} ms")
            self.report.reach(f"{status}, p99 of {REFUSALS}", times[REFUSALS * 99 // 100], "<=", 50, " ms")

    def refusal(self, status, sent):
        """ms from the connection to the status line."""
        url = self.stack.url.split("/")[2].split(":")
        begun = time.monotonic()
        with socket.create_connection((url[0], int(url[1])), 10) as link:
            link.sendall(sent)
            got = link.recv(64)
        if not got.startswith(b"HTTP/1.1 %d " % status):
            raise RuntimeError(f"{status} expected, not {got}")
        return (time.monotonic() - begun) * 1000

    def run(self):
        client, job = self.greedy
        one = self.requests("one", [self.greedy])
        twins = self.tokens(client, TOKENS)
        many = self.requests("many", [(twin, job) for twin in twins])
        for _ in range(30):
            flows.create_dataset(client, name="n" * 255, description="d" * 2000)
        reads = self.folder / "reads"
        reads.write_text("\n".join(request_bytes(twin, "GET", f"{flows.CATALOG}/dataSets?limit=30").hex() for twin in twins))
        self.report.note(f"{'== overload':<34} {'rate/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'not2xx':>6} {'socket':>6}")

        def blaster(run):
            return f"blast {run.rate:.0f}/s, p99 {run.p99:.0f} ms, {run.bad / max(run.rate * self.seconds, 1) * 100:.0f} % refused"

        self.pair("one token", lambda: self.blast(one), blaster)
        self.pair("many tokens", lambda: self.blast(many), blaster)
        self.pair("idle", lambda: self.crowd(IDLE, 0, 0, 0), lambda held: held.told)
        third = SLOW // 3
        self.pair("slow", lambda: self.crowd(0, third, third, SLOW - 2 * third, reads=reads), lambda held: held.told)
        self.too_large()
        return self.report.finish()


def main():
    os.environ["CONSIGN_RATE_LIMITS"] = os.environ.get("CONSIGN_BENCH_LIMITS", "token")
    with tempfile.TemporaryDirectory(prefix="consign-bench.") as folder, own_stack() as own:
        own.port = setting("PORT", 21100)
        more = dict(word.replace(".", "__", 1).split("=", 1) for word in os.environ.get("CONSIGN_BENCH_SET", "").split())
        return Overload(own.start(**{"api__workers": 8, "api__org_workers": 0, "api__org_rate": 0, **more}), folder).run()


if __name__ == "__main__":
    sys.exit(main())
