"""Random JSON values of random shapes; used by randomstore.py.

A shape is drawn once a store and says what a place holds: most places have one type all over the store, some
have several, so that columns of every type come about and are widened. Shapes are plain data:
  ["bool"] ["integer"] ["number"] ["word"] ["moment"] ["near moment"]   scalars
  ["object", {name: shape}]   ["array", shape]   ["mixed", [shape, ...]]
"""

WORDS = ("", "Ann", "b\u00f6b", "\u4e2d\u6587", "\U0001f600", "a\nb", 'q"\\', "x" * 40, "</script>", "\u2028")
SCALARS = {
    "bool": (True, False),
    "integer": (0, -7, 42, 2**53 - 1, -(2**53 - 1)),
    "number": (1.5, -0.25, 2.0, 1e300, 5e-324, 0.1, 3),
    "word": WORDS,
    "moment": ("2024-01-01T00:00:00Z", "2023-12-31T23:59:59.999+05:30", "1969-12-31T23:59:59.5Z", "2024-02-29t10:00:00.25z",
               "0999-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "2024-06-30T12:00:00-00:00"),
    "near moment": ("2024-01-01", "2024-02-30T00:00:00Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00.1234Z",
                    "2024-01-01T25:00:00Z", "2024-1-1T00:00:00Z", " 2024-01-01T00:00:00Z"),
}
# none differ only in case: DuckDB does not tell such columns apart
NAMES = ("score", "tags", "nested", "a.b", "na\u00efve", "\u540d", "two words", 'qu"ote', "list", "key", "value", "element", "x")


class ValueMaker:
    """Draws shapes, then values of them."""

    def __init__(self, rng):
        self.rng = rng

    def shape(self, depth):
        rng = self.rng
        draw = rng.random()
        if depth == 0 or draw < 0.5:
            return [rng.choice(list(SCALARS))]
        if draw < 0.7:
            return self.object_shape(depth - 1, rng.randint(0, 3))
        if draw < 0.85:
            return ["array", self.shape(depth - 1)]
        return ["mixed", [self.shape(depth - 1) for _ in range(rng.randint(2, 3))]]

    def object_shape(self, depth, members):
        return ["object", {name: self.shape(depth) for name in self.rng.sample(NAMES, members)}]

    def value(self, shape):
        rng = self.rng
        if rng.random() < 0.08:
            return None
        kind = shape[0]
        if kind == "object":
            return {name: self.value(below) for name, below in shape[1].items() if rng.random() < 0.7}
        if kind == "array":
            return [self.value(shape[1]) for _ in range(rng.choice((0, 1, 2, 3)))]
        if kind == "mixed":
            return self.value(rng.choice(shape[1]))
        return rng.choice(SCALARS[kind])

    def scalar(self):
        """Any scalar at all."""
        return self.rng.choice((None, True, False, 0, -7, 1.5, 2**53 - 1, self.rng.choice(WORDS), self.rng.choice(WORDS)))


def paths_of(shape, prefix=""):
    """Dot paths into values of the shape; names with a dot cannot be named by one."""
    kind = shape[0]
    if kind == "array":
        return paths_of(shape[1], prefix)
    if kind == "mixed":
        return [path for below in shape[1] for path in paths_of(below, prefix)]
    if kind != "object":
        return []
    found = []
    for name, below in shape[1].items():
        if "." not in name:
            found += [prefix + name, *paths_of(below, prefix + name + ".")]
    return found
