"""Lists and tuples."""


def bench_append(n):
    for _ in range(n):
        items = []
        for i in range(100):
            items.append(i)


def bench_index(n):
    items = list(range(100))
    for _ in range(n):
        s = 0
        for i in range(100):
            s += items[i]
            items[i] = s & 15


def bench_matrix(n):
    a = [[float(i * j % 7) for j in range(8)] for i in range(8)]
    for _ in range(n):
        [[sum(a[i][k] * a[k][j] for k in range(8)) for j in range(8)] for i in range(8)]


def bench_iterate(n):
    items = list(range(100))
    for _ in range(n):
        for item in items:
            pass


def bench_sort(n):
    items = [(i * 7919) % 1009 for i in range(200)]
    words = [str(item) for item in items]
    for _ in range(n):
        sorted(items)
        sorted(words)
        sorted(items, key=lambda x: -x)


def bench_slice(n):
    items = list(range(50))
    for _ in range(n):
        items[10:20]
        items[::2]
        items[5:10] = items[10:15]


def bench_insert_pop(n):
    items = list(range(50))
    for _ in range(n):
        items.insert(10, 1)
        items.pop()
        items.append(items.pop(0))


def bench_concat(n):
    a, b = [1, 2, 3], [4, 5, 6]
    for _ in range(n):
        c = a + b
        c += a
        c * 2


def bench_contains(n):
    items = list(range(50))
    for _ in range(n):
        40 in items
        items.index(30)
        items.count(3)


def bench_tuples(n):
    for i in range(n):
        t = (i, i, 3)
        a, b, c = t
        a, b = b, a
        t[1]


def bench_tuple_compare(n):
    a, b = (1, "x", 2.0), (1, "x", 3.0)
    for _ in range(n):
        a < b
        a == b
        hash(a)


def bench_unpack_star(n):
    items = [1, 2, 3, 4, 5]
    for _ in range(n):
        first, *rest = items
        [*items, *rest]


def bench_reduce(n):
    items = list(range(100))
    for _ in range(n):
        sum(items)
        min(items)
        max(items)
        any(items)
        all(items)
