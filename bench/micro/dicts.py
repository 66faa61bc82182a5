"""Dicts and sets."""
from collections import Counter, defaultdict


def bench_read_text_keys(n):
    d = {"alpha": 1, "beta": 2, "gamma": 3}
    for _ in range(n):
        d["alpha"]
        d["gamma"]
        d.get("delta")


def bench_write(n):
    for _ in range(n):
        d = {}
        for i in range(50):
            d[i] = i


def bench_int_keys(n):
    d = {i: i for i in range(1000)}
    for i in range(n):
        d[i % 1000] += 1


def bench_count_words(n):
    words = "the quick brown fox jumps over the lazy dog and the cat".split()
    for _ in range(n):
        counts = {}
        for word in words:
            counts[word] = counts.get(word, 0) + 1


def bench_items(n):
    d = {str(i): i for i in range(100)}
    for _ in range(n):
        for key, value in d.items():
            pass


def bench_display(n):
    for i in range(n):
        {"a": i, "b": 2, "c": 3}


def bench_copy_update(n):
    d = {str(i): i for i in range(20)}
    for _ in range(n):
        e = dict(d)
        e.update(a=1)
        e | d


def bench_collections(n):
    for _ in range(n):
        groups = defaultdict(list)
        for i in range(20):
            groups[i & 3].append(i)
        Counter("abracadabra")


def bench_tuple_keys(n):
    d = {}
    for i in range(n):
        d[i & 15, i & 3] = i


def bench_set_add(n):
    for _ in range(n):
        seen = set()
        for i in range(50):
            if i not in seen:
                seen.add(i)


def bench_set_algebra(n):
    a, b = set(range(0, 60)), set(range(30, 90))
    for _ in range(n):
        a & b
        a | b
        a - b


def bench_set_iterate(n):
    s = set(range(100))
    for _ in range(n):
        for item in s:
            pass
