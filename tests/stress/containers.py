"""Dicts, sets and lists that some threads change while others walk and search them. What stays in them all the time must be
found every time, pairs must belong together, and nothing but "changed" may be raised. Threads come and go meanwhile, so the
process also passes between one thread and many."""
import random
import sys
import threading
import time

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
STAYS = (10**20 + 7, "al" + str(0), 3)

table = {str(i): [i] for i in range(50)}
numbers = {i: (i,) for i in range(20)}
mixed = set(range(40)) | {f"a{i}" for i in range(30)}
small = {0, 1, 2}
stays = set(STAYS)
items = [object() for _ in range(50)] + [f"x{i}" for i in range(50)]
walk = [iter(table.items())]


def change_dicts(rng):
    key = str(rng.randrange(70))
    if rng.random() < 0.5:
        table[key] = [int(key)]
    else:
        table.pop(key, None)
    if rng.random() < 0.01:
        table.clear()
        table.update((str(i), [i]) for i in range(50))
    numbers[rng.randrange(60)] = (rng.random(),)
    if rng.random() < 0.1:
        try:
            numbers.popitem()
        except KeyError:
            pass


def walk_dicts(rng):
    for key, value in table.items():
        assert key == str(value[0]), (key, value)
    assert all(type(key) is str for key in table)
    assert all(type(value) is tuple for value in numbers.values())
    assert all(type(key) is int for key in reversed(numbers))
    for key, value in list(table.items()):
        assert key == str(value[0]), (key, value)
    for pair in zip(table, table.values()):
        pass
    try:
        key, value = next(walk[0])      # an iterator of all threads
        assert key == str(value[0]), (key, value)
    except StopIteration:
        walk[0] = iter(table.items())


def change_sets(rng):
    number = rng.randrange(200)
    (mixed.add if rng.random() < 0.5 else mixed.discard)(number)
    mixed.add(f"a{rng.randrange(60)}")
    mixed.discard(f"a{rng.randrange(60)}")
    stays.add(1000 + rng.randrange(100))
    stays.discard(1000 + rng.randrange(100))
    small.add(rng.randrange(9))
    small.discard(rng.randrange(1, 9))
    if rng.random() < 0.02:
        stays.intersection_update(STAYS)
        mixed.clear()
        small.clear()
        mixed.intersection_update(range(100))
        mixed.update(range(50))
    if rng.random() < 0.05:
        try:
            mixed.pop()
        except KeyError:
            pass


def walk_sets(rng):
    assert 10**20 + 7 in stays and "al" + str(0) in stays and 3 in stays
    assert all(type(key) in (int, str) for key in mixed)
    assert all(type(key) is int for key in small)
    list(stays)
    f"a{rng.randrange(60)}" in mixed
    10**20 + rng.randrange(10) in mixed


def change_lists(rng):
    items.append(f"x{rng.randrange(100)}")
    items.insert(rng.randrange(10), object())
    try:
        items[0] = 10**18 + rng.randrange(100)
        items.pop()
    except IndexError:
        pass
    if len(items) > 120:
        del items[:60]
    if rng.random() < 0.01:
        items.clear()
        items.extend(f"x{i}" for i in range(50))


def walk_lists(rng):
    f"x{rng.randrange(100)}" in items
    items.count(10**18 + rng.randrange(100))
    try:
        items.index(f"x{rng.randrange(100)}")
    except ValueError:
        pass
    for i, item in enumerate(items):
        assert type(item) in (object, str, int)
    for first, second in zip(items, items):
        pass


def once(body, rng):
    try:
        body(rng)
    except RuntimeError as error:
        assert "chang" in str(error), error


def main():
    end = time.monotonic() + SECONDS
    failed = []

    def run(body, seed):
        rng = random.Random(seed)
        try:
            while time.monotonic() < end and not failed:
                for _ in range(20):
                    once(body, rng)
        except BaseException as error:
            failed.append(error)
            raise

    bodies = (change_dicts, walk_dicts, change_sets, walk_sets, change_lists, walk_lists) * 2
    threads = [threading.Thread(target=run, args=(body, i)) for i, body in enumerate(bodies)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(200):                # one thread, two, one
        rng = random.Random(i)
        thread = threading.Thread(target=lambda: [once(body, random.Random(i)) for body in bodies])
        thread.start()
        for body in bodies:
            once(body, rng)
        thread.join()
    return 1 if failed else 0


sys.exit(main())
