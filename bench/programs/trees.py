"""Many small objects: binary trees built and dropped, linked lists, cycles, a cache, a grid of cells."""
import gc
import weakref


class Node:
    __slots__ = ("left", "right")

    def __init__(self, left, right):
        self.left = left
        self.right = right

    def check(self):
        return 1 if self.left is None else 1 + self.left.check() + self.right.check()


def build(depth):
    return Node(None, None) if depth == 0 else Node(build(depth - 1), build(depth - 1))


class Link:
    def __init__(self, value):
        self.value = value
        self.next = None
        self.before = None


class Ring:
    """A doubly linked ring: a cycle for the collector."""

    def __init__(self, size):
        self.first = last = Link(0)
        for i in range(1, size):
            link = Link(i)
            link.before = last
            last.next = link
            last = link
        last.next = self.first
        self.first.before = last

    def __iter__(self):
        link = self.first
        while True:
            yield link.value
            link = link.next
            if link is self.first:
                return


class Cache:
    def __init__(self, size):
        self.size = size
        self.items = {}
        self.hits = self.misses = 0

    def get(self, key, make):
        if key in self.items:
            self.hits += 1
            value = self.items.pop(key)
        else:
            self.misses += 1
            value = make(key)
            if len(self.items) >= self.size:
                del self.items[next(iter(self.items))]
        self.items[key] = value
        return value


def life(cells, steps):
    for _ in range(steps):
        counts = {}
        for x, y in cells:
            for dx in (-1, 0, 1):
                for dy in (-1, 0, 1):
                    if dx or dy:
                        place = x + dx, y + dy
                        counts[place] = counts.get(place, 0) + 1
        cells = {place for place, count in counts.items() if count == 3 or count == 2 and place in cells}
    return cells


def main():
    kept = build(12)
    for depth in range(4, 12):
        for _ in range(2 ** (12 - depth)):
            assert build(depth).check() == 2 ** (depth + 1) - 1
    assert kept.check() == 8191
    rings = [Ring(50) for _ in range(200)]
    assert sum(sum(ring) for ring in rings) == 200 * 1225
    watch = weakref.ref(rings[0].first)
    del rings
    gc.collect()
    assert watch() is None
    cache = Cache(50)
    state = 3
    for _ in range(20000):
        state = (state * 48271) % 2147483647
        cache.get(state % 70, lambda key: [key] * 5)
    glider = {(1, 0), (2, 1), (0, 2), (1, 2), (2, 2), (20, 20), (21, 20), (22, 20), (22, 19), (21, 18)}
    final = life(glider, 120)
    print(cache.hits, cache.misses, len(final))


if __name__ == "__main__":
    for _ in range(4):
        main()
