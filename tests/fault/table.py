"""The one table of the fault suite: a row for each fault, the sums, what was found.

Every part calls row() once for each fault it tried:

    table.row("kill -9 of a pool worker", 40, 900, {"lost": [], "half": ["batch x: ..."]}, 1.3)

What repeats no fault (a cancel, a test) says faults=0, so that the sum of the faults is one of faults.
`sets` maps the five names of SETS to what was found (a list of texts, or a number); a name that is left out is empty.
`outage_s` is the client's: the longest time between two good answers to the probe, the fault itself and the database's
recovery included; what of it is the database's stands in the note (phase.py).
`note` stands below the table: figures that belong to the row and are no set (a p99, say).
"""

import sys

SETS = ("lost", "duplicated", "unexpected", "orphaned", "half")
HEADS = ("fault", "repetitions", "acknowledged jobs", *SETS, "longest outage")
SHOWN = 20  # findings of a row that are printed


class Table:
    def __init__(self, out=sys.stdout):
        self.rows = []
        self.faults = 0
        self.out = out

    def row(self, fault, repetitions, acknowledged, sets, outage_s=0.0, note="", faults=None):
        """Enters a fault and says at once what was found. `faults`: how many of the repetitions were faults; all."""
        strange = set(sets) - set(SETS)
        assert not strange, f"no such set: {strange}"
        found = {name: sets.get(name, 0) for name in SETS}
        counts = {name: what if isinstance(what, int) else len(what) for name, what in found.items()}
        self.rows.append((fault, repetitions, acknowledged, counts, outage_s, note))
        self.faults += repetitions if faults is None else faults
        total = ", ".join(f"{name} {count}" for name, count in counts.items() if count) or "nothing found"
        self._say(f"{fault}: {repetitions} times, {acknowledged} jobs, {total}, outage {outage_s:.1f} s"
                  + (f"; {note}" if note else ""))
        for name, what in found.items():
            for text in ([] if isinstance(what, int) else what[:SHOWN]):
                self._say(f"    {name}: {text}")

    @property
    def repetitions(self):
        return sum(row[1] for row in self.rows)

    @property
    def acknowledged(self):
        return sum(row[2] for row in self.rows)

    @property
    def empty(self):
        """Whether all sets of all rows are."""
        return not any(any(row[3].values()) for row in self.rows)

    def text(self):
        """The table; the last line holds the sums, and the longest of the outages."""
        sums = {name: sum(row[3][name] for row in self.rows) for name in SETS}
        longest = max((row[4] for row in self.rows), default=0.0)
        lines = [HEADS] + [cells(*row[:5]) for row in self.rows]
        lines.append(cells("total", self.repetitions, self.acknowledged, sums, longest))
        widths = [max(len(line[at]) for line in lines) for at in range(len(HEADS))]
        drawn = ["  ".join(cell.ljust(width) if at == 0 else cell.rjust(width)
                           for at, (cell, width) in enumerate(zip(line, widths))) for line in lines]
        notes = [f"{row[0]}: {row[5]}" for row in self.rows if row[5]]
        return "\n".join([drawn[0], "-" * len(drawn[0]), *drawn[1:-1], "-" * len(drawn[0]), drawn[-1], *notes])

    def _say(self, text):
        print(text, file=self.out, flush=True)


def cells(fault, repetitions, acknowledged, counts, outage_s):
    return (fault, str(repetitions), str(acknowledged), *(str(counts[name]) for name in SETS), f"{outage_s:.1f} s")
