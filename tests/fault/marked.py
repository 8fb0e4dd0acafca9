"""What make test does by halves: the integration tests that are marked as faults, with more kills, requests and failovers; and
what it leaves out, those marked long."""

import os
import re
import subprocess

from scale import scaled
from stack import REPO


def run(table):
    more = {"CONSIGN_KILLS": str(scaled(20, 3)), "CONSIGN_KILL_PROFILES": "100000",
            "CONSIGN_FAILOVERS": "killed stopped", "CONSIGN_SHARED_PROFILES": "30000",
            "CONSIGN_ISOLATION_REQUESTS": str(scaled(100000, 3000))}
    done = subprocess.run([str(REPO / "tests" / "run"), "-m", "fault or long", "tests/integ"], cwd=REPO, env={**os.environ, **more},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, check=False)
    passed = sum(int(number) for number in re.findall(r"(\d+) passed", done.stdout))
    wrong = re.findall(r"^(?:FAILED|ERROR) .*", done.stdout, re.M)
    if done.returncode != 0 and not wrong:
        wrong = [done.stdout[-2000:]]
    table.row("integration tests of faults", passed, 0, {"unexpected": wrong}, faults=0)
