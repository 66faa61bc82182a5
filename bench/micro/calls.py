"""Calls of all kinds."""


def three(a, b, c):
    return b


def defaults(a, b=2, c=3):
    return b


def keywords(a, *, b=2, c=3):
    return b


def variadic(*args, **kwargs):
    return args


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


class Thing:
    def method(self, a):
        return a

    @classmethod
    def of_class(cls, a):
        return a

    @staticmethod
    def static(a):
        return a

    def __call__(self, a):
        return a


class Pair:
    def __init__(self, a, b):
        self.a = a
        self.b = b


class Empty:
    pass


class Base:
    def greet(self, a):
        return a


class Derived(Base):
    def greet(self, a):
        return super().greet(a)


def bench_positional(n):
    for _ in range(n):
        three(1, 2, 3)


def bench_defaults(n):
    for _ in range(n):
        defaults(1)
        defaults(1, 2)


def bench_keywords(n):
    for _ in range(n):
        keywords(1, b=3, c=4)
        three(a=1, b=2, c=3)


def bench_variadic(n):
    args = (1, 2)
    for _ in range(n):
        variadic(1, 2, x=3)
        three(*args, c=4)


def bench_recursion(n):
    for _ in range(n):
        fib(10)


def bench_method(n):
    thing = Thing()
    for _ in range(n):
        thing.method(1)


def bench_bound_method(n):
    method = Thing().method
    for _ in range(n):
        method(1)


def bench_class_and_static(n):
    thing = Thing()
    for _ in range(n):
        thing.of_class(1)
        Thing.static(1)


def bench_super(n):
    thing = Derived()
    for _ in range(n):
        thing.greet(1)


def bench_callable_object(n):
    thing = Thing()
    for _ in range(n):
        thing(1)


def bench_instance(n):
    for _ in range(n):
        Pair(1, 2)


def bench_instance_empty(n):
    for _ in range(n):
        Empty()


def bench_builtin(n):
    items = [1, 2, 3]
    for _ in range(n):
        len(items)
        abs(-5)
        isinstance(items, list)


def bench_type_call(n):
    for _ in range(n):
        int("12")
        str(12)
        float(3)


def bench_lambda_map(n):
    for _ in range(n):
        list(map(lambda x: x + 1, (1, 2, 3, 4, 5, 6, 7, 8)))


def bench_closure(n):
    def outer(k):
        def inner(x):
            return x + k
        return inner

    add = outer(3)
    for i in range(n):
        add(i)


def bench_make_closure(n):
    for i in range(n):
        (lambda: i)()


def bench_nonlocal_counter(n):
    count = 0

    def step():
        nonlocal count
        count += 1

    for _ in range(n):
        step()


def bench_decorated(n):
    def twice(function):
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)
        return wrapper

    @twice
    def work(a, b):
        return a

    for _ in range(n):
        work(1, b=2)
