"""Three hundred random small stores, fifty of them in make test: every exported row equals the oracle's, in JSON and in Parquet.

One sandbox a store; stores run side by side, each lane in an org of its own, because an org has five merge
policies at most. Parquet is read by all three readers. What differs is made small and printed. CONSIGN_STORES and
CONSIGN_SEED choose how many and which, CONSIGN_SHRINK for how many seconds.
"""

import json
import os
import queue
from concurrent.futures import ThreadPoolExecutor

import pytest

import planrun
import readers
from client import Client
from randomstore import RandomStore
from shrink import shrink
from twin import Refused

STORES = int(os.environ.get("CONSIGN_STORES", "300"))
SEED = int(os.environ.get("CONSIGN_SEED", "1"))
SHRINK_S = float(os.environ.get("CONSIGN_SHRINK", "60"))
LANES = 6
GROUP = 50
USUAL = 50  # the others are marked long


class Lanes:
    """Orgs, each of which one store at a time may use."""

    def __init__(self, stack, tenants):
        self.tenants = tenants
        self.free = queue.SimpleQueue()
        for _ in range(LANES):
            org = tenants.org()
            self.free.put(Client(stack, org, "none", *tenants.credentials(org)))

    def run(self, plan):
        """What goes wrong with the plan in a fresh sandbox, or None."""
        client = self.free.get()
        try:
            planrun.run(client.in_sandbox(self.tenants.sandbox(client.org)), plan, readers.NAMES)
        except (AssertionError, Refused) as failure:
            return failure
        finally:
            self.free.put(client)
        return None


@pytest.fixture(scope="module")
def lanes(stack, tenants):
    return Lanes(stack, tenants)


def report(lanes, seed, plan, kind):
    """The smallest store and request that still fail in the same way, and how."""
    small = shrink(plan, lambda smaller: type(lanes.run(smaller)) is kind, SHRINK_S)
    return "\n".join([f"seed {seed}, smallest store and request:", json.dumps(small, ensure_ascii=False, indent=1),
                      str(lanes.run(small) or "it does not differ every time")])


@pytest.mark.parametrize("first", [pytest.param(first, marks=[pytest.mark.long] if first >= SEED + USUAL else [])
                                   for first in range(SEED, SEED + STORES, GROUP)])
def test_exports_equal_the_oracle(lanes, first):
    seeds = range(first, min(first + GROUP, SEED + STORES))
    plans = [RandomStore(seed).plan() for seed in seeds]
    with ThreadPoolExecutor(LANES) as pool:
        found = list(pool.map(lanes.run, plans))
    wrong = [(seed, plan, text) for seed, plan, text in zip(seeds, plans, found) if text is not None]
    if not wrong:
        return
    seed, plan, text = min(wrong, key=lambda item: len(json.dumps(item[1])))
    others = "\n\n".join(f"seed {other}: {text}" for other, _, text in wrong[:3] if other != seed)
    pytest.fail(f"{len(wrong)} of {len(seeds)} stores differ\n\n{text}\n\n"
                f"{report(lanes, seed, plan, type(text))}\n\n{others}", pytrace=False)
