"""What all faults have in common. See inject/__init__.py."""


class Fault:
    name = ""
    times = 20
    allows = frozenset()
    clock = False

    def __init__(self, stand):
        self.stand = stand
        self.random = stand.random
        self.done = 0  # how often it was there: one that finds nobody to harm is none

    def begin(self):
        """start(), and counts."""
        self.done += 1
        return self.start()

    def missed(self):
        """For start(): the fault did not come about."""
        self.done -= 1
        return 0

    def prepare(self):
        """Once, before the load starts."""

    def start(self):
        raise NotImplementedError

    def heal(self):
        """Ends it. The default: the product heals itself."""

    def restore(self):
        """Once, when the load has stopped."""
