"""What the processes of a stack hold while it runs for long: memory, descriptors, database connections.

Sampled by a thread of its own. Between the first and the last third nothing may have grown by more than some noise.
"""

import contextlib
import pathlib
import resource
import statistics
import threading

import psycopg

EVERY_S = 2.0
PAGE = resource.getpagesize()
MIB = 1 << 20
# by what the median of the last third may be above that of the first: a share of it, and so many besides
NOISE = {"memory": (0.10, 4.0), "descriptors": (0.05, 2), "connections": (0.05, 2)}


class Usage:
    """start(), stop(), then grown() and text(). Memory is MiB of the largest process of a service, so that a worker that
    was replaced does not count twice."""

    def __init__(self, stand):
        self.stand = stand
        self.samples = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def stop(self):
        self._over.set()
        self._thread.join()

    def thirds(self):
        """{name: (median of the first third, of the last)}; the first tenth is warming up."""
        found = {}
        for name, values in sorted(self.samples.items()):
            values = values[len(values) // 10:]
            third = len(values) // 3
            if third > 0:
                found[name] = statistics.median(values[:third]), statistics.median(values[-third:])
        return found

    def grown(self):
        found = []
        for name, (first, last) in self.thirds().items():
            share, spare = NOISE[name.split()[0]]
            if last > first * (1 + share) + spare:
                found.append(f"{name}: {first:.1f} in the first third, {last:.1f} in the last")
        return found if self.samples else ["nothing was measured"]

    def text(self):
        return "\n".join(f"{name}: {first:.1f}, {last:.1f}" for name, (first, last) in self.thirds().items())

    def _run(self):
        while not self._over.wait(EVERY_S):
            for service in ("api", "spooler", "nginx"):
                self._sample(service)
            with contextlib.suppress(psycopg.Error), psycopg.connect(self.stand.stack.pg_uri, connect_timeout=2) as db:
                (count,) = db.execute("SELECT count(*) FROM pg_stat_activity"
                                      " WHERE usename IN ('consign_api', 'consign_spooler', 'consign_sender')"
                                      " AND application_name <> 'fault'").fetchone()
                self._enter("connections", count)

    def _sample(self, service):
        root = self.stand.root(service)
        sizes, files = [], []
        for pid in ([root, *self.stand.workers(service)] if root else []):
            with contextlib.suppress(OSError, IndexError, ValueError):
                place = pathlib.Path(f"/proc/{pid}")
                sizes.append(int((place / "statm").read_text().split()[1]) * PAGE / MIB)
                files.append(len(list((place / "fd").iterdir())))
        if len(sizes) > 1:  # else it is just being started
            self._enter(f"memory of {service}, MiB", max(sizes))
            # which of its workers serves how many clients is nginx's affair, and changes when one is killed
            self._enter(f"descriptors of {service}", sum(files) if service == "nginx" else max(files))

    def _enter(self, name, value):
        self.samples.setdefault(name, []).append(value)
