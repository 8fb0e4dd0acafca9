"""A stack for the request path's benchmark: filled, without its spooler, with the constant answer beside the pool.

Caller: request_path.py.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import population
from bed import Bed
from constant import Constant, write_nginx
from meter import below, processes
from stack import is_alive, process_tree

NGINX_WAIT_S = 30
LOG_WAIT_S = 1.5  # nginx keeps lines for a second


class PathBed:
    """.bed, .population, .tokens (a file of tokens of .asked tenants), .walk (a file of many)."""

    def __init__(self, port, workers):
        self.bed, self.workers = Bed(port), workers
        self.folder = pathlib.Path(self.bed.dir + ".files")
        self.folder.mkdir(exist_ok=True)
        self.tokens, self.walk = self.folder / "tokens", self.folder / "walk"
        self.population = None
        self.constant = None

    def up(self, tenants, jobs, asked):
        """Seconds of the fill."""
        self.bed.up(1, f"api.workers={self.workers}")
        self.stop_service("spooler")  # nobody runs what POST leaves
        self.bed.sql("ALTER SYSTEM SET autovacuum = off", rows=False)
        self.bed.sql("SELECT pg_reload_conf()")
        self.population = population.Population(self.bed.stack)
        took = self.population.fill(tenants, jobs)
        self.population.sign(self.tokens, asked, asked)
        return took

    def down(self):
        if self.constant:
            self.constant.stop()
        self.bed.down()
        shutil.rmtree(self.folder, ignore_errors=True)

    def pid(self, service):
        return int((self.bed.stack.dir / "pids" / service).read_text().split()[0])

    def stop_service(self, service):
        all_of_it = process_tree(self.pid(service))
        os.kill(all_of_it[0], signal.SIGTERM)
        end = time.monotonic() + 60
        while any(is_alive(pid) for pid in all_of_it):
            if time.monotonic() > end:
                raise RuntimeError(f"{service} does not stop")
            time.sleep(0.05)

    def url(self, which=0):
        """0: the product, 2: the constant answer; a connection for each request: 3: the constant answer, 4: the product."""
        return f"http://127.0.0.1:{self.bed.port + which}"

    def groups(self, which=0):
        """The roots of the process groups that answer at url(which)."""
        pool = self.constant.pid if which in (2, 3) else self.pid("api")
        return {"nginx": [self.pid("nginx")], "pool": [pool], "postgres": [self.pid("postgres")]}

    def job_answer(self):
        """The body of GET of one of the jobs."""
        number, org, client, token = self.tokens.read_text(encoding="utf-8").splitlines()[0].split("\t")
        del number
        headers = {"Authorization": f"Bearer {token}", "x-api-key": client, "x-gw-ims-org-id": org, "x-sandbox-name": "prod"}
        words = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
        return subprocess.run(["curl", "-fsS", "--noproxy", "*", *words, f"{self.url()}/data/core/ups/export/jobs/"
                               f"{population.job(0)}"], stdout=subprocess.PIPE, check=True).stdout

    def add_constant(self):
        """The constant answer as large as that of GET job; its bytes."""
        answer, stack = self.job_answer(), self.bed.stack
        self.constant = Constant(stack, self.workers, answer)
        self.constant.await_socket()
        write_nginx(stack, self.bed.port, answer, self.constant.socket)
        return answer

    def nginx(self, workers):
        """nginx with so many workers, and its files anew; returns when only they are left."""
        file, master = self.bed.stack.dir / "nginx" / "nginx.conf", self.pid("nginx")
        text, count = re.subn(r"worker_processes \S+;", f"worker_processes {workers};", file.read_text(encoding="utf-8"))
        if count != 1:
            raise RuntimeError("nginx.conf does not say worker_processes once")
        file.write_text(text, encoding="utf-8")
        before = {pid for pid in below(processes(), master) if pid != master}
        os.kill(master, signal.SIGHUP)
        end = time.monotonic() + NGINX_WAIT_S
        while True:
            now = {pid for pid in below(processes(), master) if pid != master}
            if len(now) == workers and not now & before:
                return
            if time.monotonic() > end:
                raise RuntimeError("nginx does not change; see its log")
            time.sleep(0.1)

    def forget_log(self):
        """Empties nginx's log, which would fill the disk; it is written as ever."""
        os.truncate(self.bed.stack.dir / "log" / "access.log", 0)

    def sent_again(self):
        """How many requests nginx has handed to the pool twice since forget_log()."""
        time.sleep(LOG_WAIT_S)
        with open(self.bed.stack.dir / "log" / "access.log", encoding="utf-8") as log:
            return sum(1 for line in log if re.search(r' pool_status="[^"]*,', line))

    def resident(self):
        """VmRSS of each worker of the pool, in MiB."""
        found = []
        for pid in below(processes(), self.pid("api"))[1:]:
            lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
            found += [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")]
        return found

    def token_lookups(self):
        """(hits, misses) of the pool's token cache so far."""
        text = subprocess.run(["curl", "-fsS", "--noproxy", "*", f"{self.bed.stack.ops_url}/metrics"], stdout=subprocess.PIPE,
                              text=True, check=True).stdout
        return tuple(int(re.search(rf'consign_token_cache_lookups_total{{outcome="{what}"}} (\d+)', text)[1])
                     for what in ("hit", "miss"))
