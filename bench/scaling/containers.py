"""Objects created and dropped: no thread should wait for another."""


class Node:
    def __init__(self, value, next):
        self.value = value
        self.next = next


def bench_lists(n):
    for i in range(n * 100):
        [i, [i], (i, i)]


def bench_dicts(n):
    for i in range(n * 100):
        {"key": [i], "other": {i}}


def bench_instances(n):
    for i in range(n * 10):
        head = None
        for k in range(10):
            head = Node(k, head)


def bench_growing(n):
    for _ in range(n):
        items = []
        table = {}
        for i in range(100):
            items.append([i])
            table[i] = items
        items.clear()


def bench_cycles(n):
    for i in range(n * 50):
        a = []
        a.append(a)


def bench_text(n):
    for i in range(n * 50):
        f"{i}:{i + 1}".split(":")
