"""How much of a whole make fault is run: CONSIGN_FAULT_SCALE, a factor for all repetitions (default 1)."""

import os

SCALE = float(os.environ.get("CONSIGN_FAULT_SCALE", "1"))


def scaled(times, least=1):
    return max(least, round(times * SCALE))
