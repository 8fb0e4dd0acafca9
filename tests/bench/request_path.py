#!/usr/bin/python3
"""The request path by wrk beside a constant answer through the same pool and pgbench of the same statements.

A stack of its own with CONSIGN_BENCH_JOBS jobs over 1,000 orgs, without its spooler, which would run what POST makes.
Each request is of another tenant, job and token, drawn among 200 tenants. What is compared is measured in turn, several
rounds, and the median counts. CPU is that of the process groups, in microseconds a request. A missed target does not fail
the run; what could not be measured does. Called by part.d/requests.

  CONSIGN_BENCH_FULL     1: everything, longer (half an hour); else a quick run (4 minutes on a quiet machine)
  CONSIGN_BENCH_SECONDS  (2; full 5) of each measurement
  CONSIGN_BENCH_ROUNDS   (2; full 5)
  CONSIGN_BENCH_JOBS     (1000000) jobs in all
  CONSIGN_BENCH_GROWTH   (JOBS; full 10000000) jobs in all that 10,000 are compared with
  CONSIGN_BENCH_REQUESTS (100000; full 1000000) between two looks at the workers' memory
  CONSIGN_BENCH_WORKERS  (8) workers of the pool, and clients of pgbench
  CONSIGN_BENCH_ONLY     a regular expression: of "reads", "tokens", "connections", "nginx", "writes", "memory", "growth",
                         and "keep" (full only, unless named)
  CONSIGN_BENCH_OUT, CONSIGN_BENCH_PORT  as for the engine; ports up to PORT + 13 are used
"""
import os
import re
import signal
import sys

import load
import population
from pathbed import PathBed
from report import Report

COLUMNS = ("what", "conns", "rate/s", "p50 ms", "p99 ms", "p99/p50", "errors", "nginx us", "pool us", "postgres", "load us",
           "ratio")
LAYOUT = "{:<40} {:>5} {:>8} {:>8} {:>8} {:>7} {:>7} {:>8} {:>8} {:>8} {:>8} {:>6}  {}"
ORGS, ASKED = 1000, 200
SMALL_JOBS = 10_000
CONNECTIONS, NGINX = 32, 2
READS = (("GET job", "get", 0.62), ("GET list of 20", "list", 0.45), ("GET list of 20, status and cursor", "status", None))
LIVE_JOB = population.job(population.LIVE)
RSS_MOST_MIB, FLAT_MIB = 12, 0.5


class RequestPath:
    def __init__(self):
        env = os.environ
        self.full = env.get("CONSIGN_BENCH_FULL") == "1"
        self.seconds = self.setting("SECONDS", 2, 5)
        self.rounds = self.setting("ROUNDS", 2, 5)
        self.jobs = self.setting("JOBS", 1_000_000, 1_000_000)
        self.growth_jobs = self.setting("GROWTH", self.jobs, 10_000_000)
        self.requests = self.setting("REQUESTS", 100_000, 1_000_000)
        self.workers = self.setting("WORKERS", 8, 8)
        self.port = self.setting("PORT", 21100, 21100)
        self.only = env.get("CONSIGN_BENCH_ONLY", "")
        self.report = Report(env.get("CONSIGN_BENCH_OUT"), COLUMNS, LAYOUT)
        self.place = PathBed(self.port, self.workers)
        self.small = None

    def setting(self, name, quick, full):
        return int(os.environ.get(f"CONSIGN_BENCH_{name}", full if self.full else quick))

    def wrk(self, way, which=0, connections=CONNECTIONS, place=None, path="", **more):
        place = place or self.place
        place.forget_log()
        return load.wrk(place.groups(which), place.url(which) + path, way, place, connections,
                        more.pop("seconds", self.seconds), **more)

    def warm(self, place):
        """Every worker connects, prepares and has been asked for each read."""
        for _, way, _ in READS:
            self.wrk(way, place=place, seconds=1)

    def pgbench(self, what):
        return load.pgbench(self.place.groups(), self.place, what, ASKED, self.workers, self.seconds)

    def turns(self, ways, rounds=None):
        """{name: the median} of {name: function}, each called once a round."""
        found = {name: [] for name in ways}
        for _ in range(rounds or self.rounds):
            for name, way in ways.items():
                found[name].append(way())
        return {name: load.middle(loads) for name, loads in found.items()}

    def line(self, what, one, connections=CONNECTIONS, base=None, told=""):
        def figure(value, form):
            return "-" if value is None else form.format(value)
        self.report.row([what, str(connections), f"{one.rate:.0f}", figure(one.p50, "{:.2f}"), figure(one.p99, "{:.2f}"),
                         "-" if one.p99 is None else f"{one.tail:.1f}", str(one.errors),
                         *(f"{one.cpu[name]:.0f}" for name in (*load.GROUPS, "load")),
                         "-" if base is None else f"{one.rate / base.rate:.2f}"], told)

    def whole(self, what, one):
        """No error may hide in a rate."""
        if one.errors:
            self.report.fail(what, "-", None, f"{one.errors} errors")

    def reads(self):
        self.report.begin("reads", "ratio: to the constant answer; the aims were set by one with a connection for each request;"
                          " pgbench's p50 is its mean")
        ways = {"nginx static answer": lambda: self.wrk("plain", 2, path="/static"),
                "constant answer": lambda: self.wrk("get", 2), "constant answer, once": lambda: self.wrk("get", 3),
                **{name: lambda way=way: self.wrk(way) for name, way, _ in READS},
                **{f"pgbench, statement of {name}": lambda way=way: self.pgbench(way) for name, way, _ in READS}}
        found = self.turns(ways)
        constant, once = found["constant answer"], found["constant answer, once"]
        bounds = {name: bound for name, _, bound in READS}
        for name, one in found.items():
            told = ""
            if bounds.get(name):
                told = self.report.reach(f"{name} x constant answer, once", one.rate / once.rate, ">=", bounds[name],
                                         short="to once")
            self.line(name, one, self.workers if name.startswith("pgbench") else CONNECTIONS, constant, told)
            self.whole(name, one)

    def tokens(self):
        self.report.begin("tokens", "each request another token, so that each is verified; ratio: to GET job")
        count = (20_000 if self.full else 12_000) * self.seconds
        self.place.population.sign(self.place.walk, ASKED, count)
        before = self.place.token_lookups()
        walked = self.wrk("get-walk")
        after = self.place.token_lookups()
        cached = self.wrk("get")
        hits, misses = (new - old for new, old in zip(after, before))
        self.line("GET job, token cached", cached, base=cached)
        self.line("GET job, token not cached", walked, base=cached,
                  told=f"{misses / max(hits + misses, 1):.1%} verified, {count} tokens")
        self.whole("GET job, token not cached", walked)

    def connections(self):
        self.report.begin("connections", f"{self.workers} workers, {NGINX} nginx workers; ratio: to the constant answer")
        for connections in (1, 8, 32, 256):
            found = self.turns({"constant answer": lambda n=connections: self.wrk("get", 2, n),
                                "GET job": lambda n=connections: self.wrk("get", 0, n)})
            one, told = found["GET job"], ""
            if connections == 32:
                told = self.report.reach("GET job at 32 connections: p99 / p50", one.tail, "<=", 5, short="p99/p50")
            elif connections == 256:
                told = self.report.reach("GET job at 256 connections: p99 / p50", one.tail, "<=", 4, short="p99/p50")
                told += "; " + self.report.reach("GET job at 256 connections: errors", one.errors, "<=", 0, short="errors")
            for name, other in found.items():
                self.line(name, other, connections, found["constant answer"], told if name == "GET job" else "")

    def nginx(self):
        self.report.begin("nginx", "GET job with 1, 2 and 4 nginx workers; ratio: to 2 workers")
        for connections in (32, 256) if self.full else (32,):
            found = {}
            for _ in range(self.rounds):
                for workers in (1, 2, 4):
                    self.place.nginx(workers)
                    found.setdefault(workers, []).append(self.wrk("get", connections=connections))
            middles = {workers: load.middle(loads) for workers, loads in found.items()}
            for workers, one in middles.items():
                self.line(f"GET job, {workers} nginx worker(s)", one, connections, middles[2])
        self.place.nginx(NGINX)

    def writes(self):
        self.report.begin("writes", "durable (fsync); the spooler is stopped; ratio: to pgbench's bare inserts")
        live = self.seconds * self.rounds * 4000 // ASKED
        self.place.population.wait(live)
        turn = iter(range(self.rounds))

        def cancel():
            first = LIVE_JOB + next(turn) * (live // self.rounds) * population.STEP_JOB
            return self.wrk("cancel", first=first, jobs=live // self.rounds)
        found = self.turns({"pgbench, the same inserts": lambda: self.pgbench("inserts"),
                            "pgbench, the same function": lambda: self.pgbench("create"),
                            "POST job": lambda: self.wrk("post"), "DELETE job (cancel)": cancel})
        bare, post = found["pgbench, the same inserts"], found["POST job"]
        for name, one in found.items():
            told = ""
            if one is post:
                told = self.report.reach("POST job x pgbench of the same inserts", post.rate / bare.rate, ">=", 0.6,
                                         short="rate")
            self.line(name, one, self.workers if name.startswith("pgbench") else CONNECTIONS, bare, told)
            self.whole(name, one)
        ended = found["DELETE job (cancel)"].count
        if ended > live // self.rounds * ASKED:
            self.report.note(f"(of the {ended} cancelled jobs only {live // self.rounds * ASKED} were live)")
        self.place.population.clear()

    def memory(self):
        self.report.begin("memory", f"resident size of the pool's workers before and after {self.requests} requests")
        self.wrk("get")
        self.wrk("list")
        before, done, errors = self.place.resident(), 0, 0
        while done < self.requests:
            for way in ("get", "list", "status"):
                one = self.wrk(way)
                done, errors = done + one.count, errors + one.errors
        after = self.place.resident()
        self.report.note(f"{len(before)} workers: {min(before):.1f} to {max(before):.1f} MiB; after {done} requests"
                         f" ({errors} errors) {min(after):.1f} to {max(after):.1f} MiB")
        self.report.note(self.report.reach("resident size of a worker", max(after), "<=", RSS_MOST_MIB, " MiB"))
        self.report.note(self.report.reach(f"growth of it over {done} requests", max(after) - max(before), "<=", FLAT_MIB, " MiB"))

    def growth(self):
        self.small = PathBed(self.port + 10, self.workers)
        self.small.up(ASKED, SMALL_JOBS // ASKED, ASKED)
        if self.growth_jobs > self.jobs:
            took = self.place.population.fill(ORGS, self.growth_jobs // ORGS)
            self.report.note(f"filled up to {self.growth_jobs} jobs in {took:.0f} s")
        self.warm(self.small)
        self.warm(self.place)
        self.report.begin("growth", f"{SMALL_JOBS} jobs beside {self.growth_jobs}, two stacks in turn; ratio: to {SMALL_JOBS}")
        for name, way, _ in READS:
            found = self.turns({"small": lambda w=way: self.wrk(w, place=self.small), "large": lambda w=way: self.wrk(w)},
                               max(self.rounds, 2))
            small, large = found["small"], found["large"]
            self.line(f"{name}, {SMALL_JOBS} jobs", small, base=small)
            self.line(f"{name}, {self.growth_jobs} jobs", large, base=small, told=self.report.reach(
                f"{name} at {self.growth_jobs} jobs x at {SMALL_JOBS}", large.rate / small.rate, ">=", 0.85, short="rate"))
            self.whole(name, small)
            self.whole(name, large)

    def keep(self):
        self.report.begin("keep", "a connection for each request and kept ones; ratio: to one for each request")
        again = {"constant": [], "GET job": []}

        def kept(what, which, connections):
            one = self.wrk("get", which, connections)
            again[what].append(self.place.sent_again())
            return one
        for workers in (1, 2, 4):
            self.place.nginx(workers)
            for connections in (1, 8, 32, 256):
                for counts in again.values():
                    counts.clear()
                found = self.turns({(what, which == once): lambda a=what, b=which, n=connections: kept(a, b, n)
                                    for what, keeps, once in (("constant", 2, 3), ("GET job", 0, 4)) for which in (once, keeps)},
                                   max(self.rounds, 3))
                for (what, once), one in found.items():
                    self.line(f"{what}, {'once' if once else 'kept'}, {workers} nginx worker(s)", one, connections, found[what, True],
                              "" if once else f"sent again: {sum(again[what])}")
                    self.whole(f"{what}, {workers} nginx worker(s), {connections} connections", one)
            post = self.wrk("post", 2, 256)
            self.line(f"POST beside kept, {workers} nginx worker(s)", post, 256)
            self.report.note(self.report.reach(f"POST sent again, {workers} nginx worker(s)", self.place.sent_again(), "<=", 0))
        self.place.nginx(NGINX)

    def measure(self, name, wanted):
        if not wanted:
            return
        try:
            getattr(self, name)()
        except (RuntimeError, AssertionError, OSError) as error:
            self.report.fail(name, "-", None, " ".join(str(error).split())[:300])

    def run(self):
        self.report.note(f"{os.cpu_count()} cores, load average before the run {os.getloadavg()[0]:.2f}, {self.workers} workers,"
                         f" {NGINX} nginx workers, {self.rounds} rounds of {self.seconds} s")
        took = self.place.up(ORGS, self.jobs // ORGS, ASKED)
        answer = self.place.add_constant()
        self.place.nginx(NGINX)
        self.report.note(f"{self.jobs} jobs over {ORGS} orgs, filled in {took:.0f} s; a job is {len(answer)} bytes")
        self.warm(self.place)
        for name in ("reads", "tokens", "connections", "nginx", "writes", "memory", "keep", "growth"):
            wanted = re.search(self.only, name) and (name != "keep" or self.full or self.only)
            self.measure(name, wanted)

    def down(self):
        for place in (self.small, self.place):
            if place:
                place.down()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of the finally below
    path = RequestPath()
    try:
        path.run()
        status = path.report.finish()
    finally:
        path.down()
    return status


if __name__ == "__main__":
    sys.exit(main())
