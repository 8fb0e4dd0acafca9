"""Power cuts: database, lake and inbox each on a disk whose write cache is lost, all processes gone at the same moment.

What the stack then finds on its disks is what they were told to keep (fsync), and nothing of the page cache. For
tests/fault/run, and a few of them in tests/integ/test_disk_trouble.py.
"""

import os

import devices
import phase
from devicestand import device_stand
from inject.fault import Fault
from scale import SCALE

CUTS = int(os.environ.get("CONSIGN_POWER_CUTS", "100"))
JOBS_BETWEEN = 12  # a cut takes far longer than a kill
MAKERS = {name: devices.power_disk for name in ("pg", "lake", "inbox")}


class PowerCut(Fault):
    name = "power cut"
    times = CUTS

    def start(self):
        self.stand.lights_out()
        return 0

    def heal(self):
        self.stand.up()


def run(table):
    """Fails where no disk can be made: a power cut that did not happen proves nothing."""
    reason = devices.why_no_disks()
    assert reason is None, f"no power cuts: {reason}"
    with device_stand(MAKERS) as stand:
        return phase.run(stand, table, PowerCut, SCALE, JOBS_BETWEEN, seed=71)
