"""The clock of one service jumps, forwards and back: the program runs with clock.c preloaded."""

import os
import pathlib
import shutil
import struct
import subprocess

from inject.again import restart_service
from inject.fault import Fault
from stack import REPO

SOURCE = REPO / "tests" / "fault" / "clock.c"
WRAPPER = """#!/bin/sh
LD_PRELOAD={library} CONSIGN_FAULT_CLOCK={file} exec {program} "$@"
"""


class PoolClock(Fault):
    """Up to an hour. A token whose `iat` lies in the future of a clock that went back is refused, rightly."""

    name = "clock of the pool jumps"
    times = 12
    service, program = "api", "consign-api"
    allows = frozenset({401})
    jumps_s = (-3600, -60, -5, 5, 60, 3600)
    clock = True

    def __init__(self, stand):
        super().__init__(stand)
        self.file = stand.dir / "run" / f"clock.{self.service}"

    def prepare(self):
        """The program's place is taken by a script that preloads the library; the service starts anew."""
        library = self.stand.dir / "run" / "clock.so"
        if not library.exists():
            subprocess.run(["gcc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"],
                           check=True)
            library.chmod(0o755)
        self.jump(0)
        self.place(library)
        self.again()

    def place(self, library):
        at = self.stand.dir / "bin" / self.program
        aside = at.with_name(f"{self.program}.true")
        at.rename(aside)
        at.write_text(WRAPPER.format(library=library, file=self.file, program=aside))
        at.chmod(0o755)
        owner = aside.stat()
        os.chown(at, owner.st_uid, owner.st_gid)

    def start(self):
        self.jump(self.random.choice(self.jumps_s))
        return self.random.uniform(0.5, 1.5)

    def heal(self):
        self.jump(0)

    def restore(self):
        at = self.stand.dir / "bin" / self.program
        at.with_name(f"{self.program}.true").replace(at)
        self.again()

    def again(self):
        restart_service(self.stand, self.service)

    def jump(self, seconds):
        """Written in place, because it is mapped."""
        with open(self.file, "r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("q", int(seconds * 1000)))
        self.file.chmod(0o644)


class SpoolerClock(PoolClock):
    name = "clock of the spooler jumps"
    service, program = "spooler", "consign-spooler"
    allows = frozenset()


class DatabaseClock(PoolClock):
    """By seconds, which is what a corrected clock jumps by: work that was to wait for a moment of the faster clock
    waits that much longer."""

    name = "clock of the database jumps"
    service = "postgres"
    times = 8
    allows = frozenset()
    jumps_s = (-20, -2, 2, 20)

    def place(self, library):
        """A folder of PostgreSQL's programs, in which `postgres` preloads the library."""
        true = max(pathlib.Path("/usr/lib/postgresql").iterdir(), key=lambda path: float(path.name)) / "bin"
        folder = self.stand.dir / "pgbin"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        for path in true.iterdir():
            if path.name != "postgres" and not (folder / path.name).is_symlink():
                (folder / path.name).symlink_to(path)
        at = folder / "postgres"
        at.write_text(WRAPPER.format(library=library, file=self.file, program=true / "postgres"))
        at.chmod(0o755)
        os.environ["CONSIGN_PG_BIN"] = str(folder)

    def restore(self):
        os.environ.pop("CONSIGN_PG_BIN", None)
        self.again()
        shutil.rmtree(self.stand.dir / "pgbin")

    def again(self):
        self.stand.stack.stop_postgres()
        self.stand.up()
