"""What a checker found: five lists of texts by the names of table.SETS."""

from table import SETS


class Findings:
    def __init__(self):
        self.sets = {name: [] for name in SETS}

    def add(self, name, text):
        self.sets[name].append(text)

    def __getattr__(self, name):
        """findings.lost("...") enters a text there."""
        if name not in SETS:
            raise AttributeError(name)
        return lambda text: self.add(name, text)

    @property
    def empty(self):
        return not any(self.sets.values())

    def text(self):
        return "\n".join(f"{name}: {text}" for name, found in self.sets.items() for text in found)
