"""A worker of the pool stays small: whatever it has answered, it is as large afterwards as before.

tests/bench/part.d/sizing does the same with a million requests.
"""

import time

import pytest

import mixture
import ownstack
from test_hardening import sanitized

pytestmark = pytest.mark.slow

MOST_KIB = 12 * 1024
GROWTH_KIB = 1024  # libpq keeps buffers as long as the longest message; after the first round there is none longer
ROUND = 1000
EACH = 50
WARMING = 20 * len(mixture.LARGE_KINDS)


@pytest.fixture(scope="module")
def stack():
    with ownstack.own_stack() as own:
        made = own.start(api__workers=2)
        if sanitized(made):
            pytest.skip("a sanitizer build takes more")
        yield made


def settled(stack):
    """What each worker takes when it has nothing to do: it gives memory back after the answer."""
    time.sleep(0.5)
    return {pid: mixture.resident_kib(pid) for pid in mixture.workers(stack)}


def test_workers_stay_small_and_flat(stack):
    mixed = mixture.Mixture(ownstack.new_client(stack))
    mixed.fill()
    # so many of each large kind that every worker has had it
    mixed.run(WARMING, 1)
    first = settled(stack)
    mixed.run(2 * ROUND, EACH)
    last = settled(stack)
    assert not mixed.failed, mixed.failed[:5]
    assert set(first) == set(last), "a worker ended"
    assert max(first.values()) <= MOST_KIB and max(last.values()) <= MOST_KIB, (first, last)
    for pid, before in first.items():
        assert last[pid] <= before + GROWTH_KIB, (first, last)
