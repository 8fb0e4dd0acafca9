#!/usr/bin/python3
"""How many workers the pool needs for the cores of this machine, and what a worker takes after very many requests.

Workers: for each size of the pool a reload, then GET of a job, a list of 20 and POST of a job by wrk, all sizes in turn
and as often as wanted; prints the medians of rate, p99 and CPU a request of each group of processes. The spooler is
stopped meanwhile: it would run what is posted. Memory: requests of mixed kinds (tests/integ/mixture.py) while wrk
sends GETs, and what the largest worker takes as their number grows. Called by part.d/sizing.

  CONSIGN_BENCH_SECONDS      (5) of each measurement
  CONSIGN_BENCH_REPEATS      (3)
  CONSIGN_BENCH_SIZES        (2,4,8,12,16,32) workers for two cores; other machines in proportion
  CONSIGN_BENCH_CONNECTIONS  (32)
  CONSIGN_BENCH_REQUESTS     (1000000) of the memory part; 0 leaves it out
  CONSIGN_BENCH_ONLY         workers or memory
"""
import os
import pathlib
import re
import signal
import statistics
import sys
import tempfile
import threading
import time

REPO = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "tests" / "integ"))
import flows  # noqa: E402
import mixture  # noqa: E402
import ownstack  # noqa: E402
import psycopg  # noqa: E402
import wire  # noqa: E402
from meter import cpu_seconds  # noqa: E402

MOST_KIB = 12 * 1024
POST_SCRIPT = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [==[%s]==]
"""
ROUND = 100  # of mixed requests between two looks


def setting(name, default):
    return os.environ.get(f"CONSIGN_BENCH_{name}", default)


def sizes():
    cores = len(os.sched_getaffinity(0))
    return [max(1, int(word) * cores // 2) for word in setting("SIZES", "2,4,8,12,16,32").split(",")]


class Bench:
    def __init__(self, own):
        self.stack = own.start(api__workers=max(sizes()))
        self.client = ownstack.new_client(self.stack)
        self.dataset = flows.create_dataset(self.client)
        self.job = flows.wait_job(self.client, flows.start_job(self.client, flows.job_body(self.dataset))["id"])["id"]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="consign-bench."))

    def pids(self):
        """The first process of each group."""
        first = {name: int((self.stack.dir / "pids" / name).read_text().split()[0]) for name in ("api", "nginx")}
        return {**first, "postgres": int((self.stack.dir / "pg" / "postmaster.pid").read_text().split()[0])}

    def resize(self, workers):
        conf = self.stack.dir / "consign.conf"
        conf.write_text(re.sub(r"(?m)^api\.workers = .*$", f"api.workers = {workers}", conf.read_text()))
        before = set(mixture.workers(self.stack))
        # the pool alone: the spooler stands still
        os.kill(self.pids()["api"], signal.SIGHUP)
        deadline = time.monotonic() + 30
        while len(found := mixture.workers(self.stack)) != workers or before & set(found):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{workers} workers were wanted")
            time.sleep(0.05)

    def kinds(self):
        script = self.folder / "post.lua"
        script.write_text(POST_SCRIPT % re.sub(r"'", '"', str(flows.job_body(self.dataset))), encoding="utf-8")
        return (("GET job", f"{flows.JOBS}/{self.job}", None), ("list of 20", f"{flows.JOBS}?limit=20", None),
                ("POST job", flows.JOBS, script))

    def measure(self, path, script):
        """A line's numbers: rate, p99, errors, CPU us a request of the pool, nginx and the database."""
        pids = self.pids()
        before = {name: cpu_seconds([pid]) for name, pid in pids.items()}
        told = wire.Wrk(self.client, path, int(setting("SECONDS", 5)), int(setting("CONNECTIONS", 32)), script)
        spent = [(cpu_seconds([pids[name]]) - before[name]) * 1e6 / max(1, told.count) for name in ("api", "nginx", "postgres")]
        return told.rate, told.p99, told.bad + told.broken, *spent

    def workers(self):
        """The table of sizes. All sizes come in turn, so that what else the machine does hits them alike."""
        found = {}
        # as many jobs as are posted must be allowed to wait
        self.stack.ctl("quota", "set", "--org", self.client.org, "--jobs", "100000000")
        self.stack.signal_spooler(signal.SIGSTOP)
        try:
            for _ in range(int(setting("REPEATS", 3))):
                for workers in sizes():
                    self.resize(workers)
                    # every new worker connects and prepares
                    wire.Wrk(self.client, f"{flows.JOBS}/{self.job}", 1, int(setting("CONNECTIONS", 32)))
                    for name, path, script in self.kinds():
                        found.setdefault((name, workers), []).append(self.measure(path, script))
                    self.forget_jobs()
        finally:
            self.stack.signal_spooler(signal.SIGCONT)
        print(f"== workers ({len(os.sched_getaffinity(0))} cores, {setting('CONNECTIONS', 32)} connections; medians)")
        print(f"{'what':<12} {'workers':>7} {'rate/s':>9} {'p99 ms':>8} {'errors':>7}"
              f" {'pool us':>8} {'nginx us':>9} {'pg us':>7}")
        for (name, workers), rows in sorted(found.items(), key=lambda item: (item[0][0], item[0][1])):
            rate, p99, _, pool, nginx, postgres = (statistics.median(column) for column in zip(*rows))
            print(f"{name:<12} {workers:>7} {rate:>9.0f} {p99:>8.1f} {sum(row[2] for row in rows):>7}"
                  f" {pool:>8.1f} {nginx:>9.1f} {postgres:>7.1f}", flush=True)

    def forget_jobs(self):
        """What was posted: the next size finds the tables as this one did."""
        with psycopg.connect(self.stack.pg_uri, autocommit=True) as db:
            db.execute("DELETE FROM consign.work_queue")
            db.execute("DELETE FROM consign.export_job WHERE status = 'NEW'")
            db.execute("DELETE FROM consign.batch b WHERE NOT EXISTS (SELECT FROM consign.export_job j WHERE j.org = b.org"
                       " AND j.sandbox = b.sandbox AND j.batch = b.batch)")
            db.execute("VACUUM ANALYZE consign.export_job, consign.work_queue, consign.batch")

    def served(self):
        """Lines of nginx's log: requests."""
        with open(self.stack.dir / "log" / "access.log", "rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))

    def memory(self, wanted):
        """Resident memory of the largest worker as requests grow. True: within the bound and flat."""
        workers = 4 * len(os.sched_getaffinity(0))
        self.resize(workers)
        mixed = mixture.Mixture(self.client)
        mixed.fill()
        print(f"== memory ({workers} workers; GETs with every kind of large request between them)")
        print(f"{'requests':>9} {'largest KiB':>12} {'its own KiB':>12} {'peak KiB':>9} {'mean KiB':>9}")
        seen, before = [], self.served()
        first = mixture.workers(self.stack)
        while not seen or seen[-1][0] < wanted:
            step = threading.Thread(target=wire.Wrk, args=(self.client, f"{flows.JOBS}/{self.job}", 10, 16))
            step.start()
            while step.is_alive():
                mixed.run(ROUND, 5)
            step.join()
            time.sleep(1.5)
            sizes_kib = {pid: mixture.resident_kib(pid) for pid in mixture.workers(self.stack)}
            largest = max(sizes_kib, key=sizes_kib.get)
            seen.append((self.served() - before, sizes_kib[largest]))
            print(f"{seen[-1][0]:>9} {sizes_kib[largest]:>12} {mixture.resident_kib(largest, 'RssAnon'):>12}"
                  f" {mixture.resident_kib(largest, 'VmHWM'):>9} {statistics.mean(sizes_kib.values()):>9.0f}", flush=True)
        half = [kib for _, kib in seen[len(seen) // 2:]]
        growth, lost = max(half) - half[0], len(set(first) - set(mixture.workers(self.stack)))
        print(f"largest {max(kib for _, kib in seen)} KiB (target <= {MOST_KIB}), growth over the second half {growth} KiB,"
              f" workers that ended {lost}, refused {len(mixed.failed)} {sorted(set(mixed.failed))[:5]}")
        return max(kib for _, kib in seen) <= MOST_KIB and lost == 0 and not mixed.failed


def main():
    only, requests = setting("ONLY", ""), int(setting("REQUESTS", 1_000_000))
    with ownstack.own_stack() as own:
        bench = Bench(own)
        if only in ("", "workers"):
            bench.workers()
        if only in ("", "memory") and requests > 0:
            print("memory:", "met" if bench.memory(requests) else "MISSED")
    return 0


if __name__ == "__main__":
    sys.exit(main())
