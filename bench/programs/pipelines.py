"""Generators: streams of numbers and words through filters, permutations, a tree walk, a maze."""
import itertools


def sieve():
    """All primes."""
    marked = {}
    for n in itertools.count(2):
        prime = marked.pop(n, None)
        if prime is None:
            marked[n * n] = n
            yield n
        else:
            multiple = n + prime
            while multiple in marked:
                multiple += prime
            marked[multiple] = prime


def take(count, stream):
    for _, item in zip(range(count), stream):
        yield item


def windows(stream, size):
    window = []
    for item in stream:
        window.append(item)
        if len(window) > size:
            del window[0]
        if len(window) == size:
            yield tuple(window)


class Tree:
    def __init__(self, key):
        self.key = key
        self.left = None
        self.right = None

    def insert(self, key):
        node = self
        while True:
            side = "left" if key < node.key else "right"
            child = getattr(node, side)
            if child is None:
                setattr(node, side, Tree(key))
                return
            node = child

    def __iter__(self):
        if self.left is not None:
            yield from self.left
        yield self.key
        if self.right is not None:
            yield from self.right


def permutations(items):
    if not items:
        yield ()
        return
    for i, item in enumerate(items):
        for rest in permutations(items[:i] + items[i + 1:]):
            yield (item, *rest)


def queens(size):
    def place(row, columns):
        if row == size:
            yield columns
            return
        for column in range(size):
            if all(column != c and abs(column - c) != row - r for r, c in enumerate(columns)):
                yield from place(row + 1, columns + (column,))

    return place(0, ())


def averager():
    """Receives numbers, gives back their mean so far."""
    total = count = 0
    mean = None
    while True:
        number = yield mean
        if number is None:
            return total
        total += number
        count += 1
        mean = total / count


def main():
    primes = list(take(4000, sieve()))
    assert primes[-1] == 37813
    gaps = [b - a for a, b in windows(primes, 2)]
    tree = Tree(primes[2000])
    state = 7
    for _ in range(3000):
        state = (state * 48271) % 2147483647
        tree.insert(state)
    keys = list(tree)
    assert keys == sorted(keys)
    for _ in range(3):
        for number in tree:
            pass
    assert sum(1 for _ in permutations(tuple(range(7)))) == 5040
    assert sum(1 for _ in queens(6)) == 4 and next(queens(8)) == (0, 4, 7, 5, 2, 6, 1, 3)
    mean = averager()
    next(mean)
    for gap in gaps:
        last = mean.send(gap)
    print(len(keys), max(gaps), round(last, 3))


if __name__ == "__main__":
    for _ in range(8):
        main()
