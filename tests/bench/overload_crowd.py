#!/usr/bin/python3
"""Holds idle and slow connections to a stack until its standard input ends; a process of its own, so that it can be nice.

  overload_crowd.py URL IDLE HEADERS BODIES READERS [FILE]     FILE: requests whose answers nobody reads, in hex, one a line

Says "ready" when all are there, and at the end how many are. Those that the server let go (a header has 15 s in all) are made
anew. Started by overload.py.
"""
import itertools
import pathlib
import select
import sys
import time

import bed  # noqa: F401  it leads to tests/integ
from crowd import Crowd, over, raise_file_limit

ROUND_S = 10  # a byte each
PARTS = 100


def renew(crowd, reads):
    """In place of each that ended, another; returns how many ended."""
    ended = 0
    for links, make in ((crowd.idle, {"idle": 1}), (crowd.headers, {"headers": 1}), (crowd.bodies, {"bodies": 1}),
                        (crowd.readers, {"readers": 1})):
        told = over(links, links is crowd.readers) if links else []
        gone = [link for link, is_over in zip(links, told) if is_over]
        for link in gone:
            links.remove(link)
            link.close()
            crowd.gather(**make, read=next(reads))
        ended += len(gone)
    return ended


def main():
    url, (idle, headers, bodies, readers) = sys.argv[1], map(int, sys.argv[2:6])
    lines = pathlib.Path(sys.argv[6]).read_text(encoding="ascii").split() if len(sys.argv) > 6 else [""]
    reads = itertools.cycle([bytes.fromhex(line) for line in lines])
    raise_file_limit()
    crowd = Crowd(url)
    crowd.gather(idle=idle, headers=headers, bodies=bodies)
    for _ in range(readers):
        crowd.gather(readers=1, read=next(reads))
    for link in crowd.readers:  # its answer has begun: what is measured is slow reading, not the burst of requests before
        link.recv(1)
    print("ready", flush=True)
    ended = 0
    for part in itertools.cycle(range(PARTS)):
        crowd.trickle(part, PARTS)
        if part % 10 == 0:
            ended += renew(crowd, reads)
        if select.select([sys.stdin], [], [], ROUND_S / PARTS)[0]:
            break
    print(f"held {sum(crowd.held().values())} of {idle + headers + bodies + readers}, {ended} made anew", flush=True)
    crowd.close()


main()
