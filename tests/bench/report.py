"""What a benchmark prints: a line a measurement as soon as it is known, targets beside what was reached, and the same
as one TSV file (CONSIGN_BENCH_OUT). The columns are the engine's unless others are given. Callers: engine.py, ingest.py,
request_path.py.
"""
import sys

COLUMNS = ("what", "policy", "workers", "wall s", "CPU s", "rows/s", "MB/s", "RSS MiB", "out MB", "CPU x COPY",
           "wall x COPY")
LAYOUT = "{:<24} {:<6} {:>7} {:>8} {:>8} {:>9} {:>7} {:>8} {:>7} {:>10} {:>11}  {}"


class Report:
    """Collects failures and misses; nothing ends a run but what makes the rest meaningless."""

    def __init__(self, path, columns=COLUMNS, layout=LAYOUT):
        self.path, self.columns, self.layout = path, columns, layout
        self.lines = [("# section", *columns, "target")]
        self.section = ""
        self.targets = []
        self.failed = []

    def note(self, text):
        self.lines.append((f"# {text}",))
        print(text, flush=True)

    def begin(self, section, about):
        self.section = section
        self.lines.append((f"# {section}: {about}",))
        print(f"== {section}: {about}", flush=True)
        print(self.layout.format(*self.columns, ""), flush=True)

    def row(self, shown, told=""):
        """A line of the table: a text a column, and what stands beside it."""
        print(self.layout.format(*shown, told).rstrip(), flush=True)
        self.lines.append((self.section, *shown, told))

    def add(self, what, policy, workers, cost, rows, body_bytes, base=None, out_bytes=None, targets=()):
        """One measurement. base: the raw COPY's Cost; targets: (name, value, "<=" or ">=", bound)."""
        shown = [what, policy, str(workers or "-"), f"{cost.wall:.2f}", f"{cost.cpu:.2f}", f"{rows / cost.wall:.0f}",
                 f"{body_bytes / cost.wall / 1e6:.1f}", "-" if cost.rss is None else f"{cost.rss:.1f}",
                 "-" if out_bytes is None else f"{out_bytes / 1e6:.1f}"]
        shown += ["-", "-"] if base is None else [f"{cost.cpu / base.cpu:.2f}", f"{cost.wall / base.wall:.2f}"]
        where = " ".join(word for word in (what, policy, f"{workers} worker(s)" if workers else "") if word != "-")
        told = "; ".join(self.reach(f"{name}: {where}", *rest, short=name) for name, *rest in targets)
        self.row(shown, told)

    def fail(self, what, policy, workers, reason):
        self.failed.append(f"{what} {policy}")
        print(f"{what:<24} {policy:<6} {workers or '-':>7}  failed: {reason}", flush=True)
        self.lines.append((self.section, what, policy, str(workers or "-"), *["-"] * (len(self.columns) - 3), f"failed: {reason}"))

    def reach(self, name, value, relation, bound, unit="", short=None):
        """Keeps a target for the summary; returns how it reads beside its line."""
        met = value <= bound if relation == "<=" else value >= bound
        self.targets.append((name, value, relation, bound, unit, met))
        return f"{short or name} {value:.2f}{unit} (target {relation} {bound:g}{unit}{'' if met else ', missed'})"

    def finish(self):
        """The targets, the file; returns the exit status: 1 when something could not be measured."""
        if self.targets:
            print("== targets")
        for name, value, relation, bound, unit, met in self.targets:
            print(f"{name:<62} {value:>9.2f}{unit}  target {relation} {bound:g}{unit}  {'met' if met else 'MISSED'}")
            self.lines.append(("target", name, *["-"] * (len(self.columns) - 1), f"{value:.2f}{unit} {relation} {bound:g}{unit} "
                               f"{'met' if met else 'missed'}"))
        if self.path:
            with open(self.path, "w", encoding="utf-8") as file:
                file.writelines("\t".join(line) + "\n" for line in self.lines)
        if self.failed:
            print(f"not measured: {', '.join(dict.fromkeys(self.failed))}", file=sys.stderr)
        return 1 if self.failed else 0
