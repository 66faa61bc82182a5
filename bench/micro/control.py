"""Generators, exceptions, comprehensions, context managers, patterns."""
import contextlib
import functools
import itertools
import operator
import re


def numbers(n):
    for i in range(n):
        yield i


def delegating(n):
    yield from numbers(n)


def echo():
    value = None
    while True:
        value = yield value


async def leaf(i):
    return i


async def awaiting(n):
    for i in range(n):
        await leaf(i)


class Manager:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


class Countdown:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n


class Node:
    __match_args__ = ("kind", "value")

    def __init__(self, kind, value):
        self.kind = kind
        self.value = value


def bench_generator(n):
    for i in numbers(n):
        pass


def bench_yield_from(n):
    for i in delegating(n):
        pass


def bench_send(n):
    generator = echo()
    next(generator)
    for i in range(n):
        generator.send(i)


def bench_generator_expression(n):
    for _ in range(n):
        sum(i * i for i in range(50))


def bench_await(n):
    try:
        awaiting(n).send(None)
    except StopIteration:
        pass


def bench_iterator_class(n):
    for i in Countdown(n):
        pass


def bench_try(n):
    for i in range(n):
        try:
            i
        finally:
            i


def bench_raise(n):
    for i in range(n):
        try:
            raise ValueError(i)
        except ValueError as error:
            pass


def bench_raise_deep(n):
    def down(k):
        if k == 0:
            raise KeyError(k)
        down(k - 1)

    for i in range(n):
        try:
            down(5)
        except (TypeError, KeyError):
            pass


def bench_catch_builtin(n):
    d = {}
    for i in range(n):
        try:
            d[i]
        except KeyError:
            pass


def bench_with(n):
    manager = Manager()
    for _ in range(n):
        with manager:
            pass


def bench_with_generator(n):
    @contextlib.contextmanager
    def managed():
        yield 1

    for _ in range(n):
        with managed():
            pass


def bench_list_comprehension(n):
    for _ in range(n):
        [i * 2 for i in range(50) if i & 1]


def bench_dict_comprehension(n):
    for _ in range(n):
        {i: i * 2 for i in range(50)}
        {i & 7 for i in range(50)}


def bench_zip_enumerate(n):
    a = list(range(50))
    for _ in range(n):
        for i, (x, y) in enumerate(zip(a, a)):
            pass


def bench_itertools(n):
    a = list(range(50))
    for _ in range(n):
        for x in itertools.chain(a, a):
            pass
        list(itertools.islice(itertools.count(), 50))
        list(itertools.accumulate(a))
        list(itertools.product((1, 2, 3), (4, 5, 6)))


def bench_functools(n):
    add = functools.partial(operator.add, 1)
    compare = functools.cmp_to_key(lambda a, b: a - b)
    get = operator.itemgetter(1)
    call = operator.methodcaller("upper")
    for _ in range(n):
        add(2)
        get((1, 2))
        call("x")
        sorted((3, 1, 2), key=compare)


def bench_lru_cache(n):
    @functools.lru_cache
    def square(x):
        return x * x

    for i in range(n):
        square(i & 63)


def bench_match(n):
    nodes = [Node("add", 1), Node("sub", 2), ("pair", 1), {"key": 3}, 7]
    for _ in range(n):
        for node in nodes:
            match node:
                case Node("add", value):
                    pass
                case Node(kind="sub"):
                    pass
                case (first, second):
                    pass
                case {"key": value}:
                    pass
                case _:
                    pass


def bench_branches(n):
    a = b = None
    for i in range(n):
        if a is None and not b:
            if i == -1 or i > -1:
                a = None
        c = "x" if b else "y"


def bench_regex(n):
    pattern = re.compile(r"(\w+)@(\w+)\.com")
    for _ in range(n):
        pattern.search("mail to someone@example.com now")


def bench_class_statement(n):
    for _ in range(n):
        class Local:
            x = 1

            def method(self):
                pass
