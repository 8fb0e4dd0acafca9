"""What all faults have in common. See inject/__init__.py."""


class Fault:
    name = ""
    times = 20
    allows = frozenset()
    clock = False

    def __init__(self, stand):
        self.stand = stand
        self.random = stand.random

    def prepare(self):
        """Once, before the load starts."""

    def start(self):
        raise NotImplementedError

    def heal(self):
        """Ends it. The default: the product heals itself."""

    def restore(self):
        """Once, when the load has stopped."""
