"""A bit of everything, for the walk through failing allocations."""


class Point:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __repr__(self):
        return f"Point({self.x}, {self.y})"


class Node:
    def __init__(self, value, *children):
        self.value, self.children = value, list(children)

    def walk(self):
        yield self.value
        for child in self.children:
            yield from child.walk()


def work():
    words = "the quick brown fox jumps over the lazy dog".split()
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    text = ", ".join(f"{word}={counts[word]:>2}" for word in sorted(counts))
    tree = Node(1, Node(2, Node(3)), Node(4))
    values = [value ** 20 for value in tree.walk()]
    points = {Point(i, i * 1.5) for i in range(5)}
    squares = [n * n for n in range(50) if n % 3]
    try:
        {}["missing"]
    except KeyError as error:
        squares.append(len(str(error)))
    data = bytearray(b"abc") * 10
    view = memoryview(data)[3:9]
    exec(compile("def made(a, *, b=2): return a + b\nresult = made(1)", "<made>", "exec"), {})
    return text, values, len(points), sum(squares), bytes(view), text.encode().decode("latin-1")


for _ in range(3):
    try:
        work()
    except MemoryError:
        pass
