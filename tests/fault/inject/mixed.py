"""A fault drawn at random each time, for the soak."""

from inject.fault import Fault


class Mixed(Fault):
    """Of `kinds`, which need no preparation; a bag of them is emptied before one comes again."""

    name = "random faults"
    kinds = ()

    def __init__(self, stand):
        super().__init__(stand)
        self.bag, self.now = [], None

    def start(self):
        if not self.bag:
            self.bag = self.random.sample(self.kinds, len(self.kinds))
        self.now = self.bag.pop()(self.stand)
        lasts_s = self.now.begin()
        return lasts_s if self.now.done else self.missed()

    def heal(self):
        self.now.heal()
