"""Pure computation on a thread's own data."""


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def bench_calls(n):
    for _ in range(n):
        fib(12)


def bench_floats(n):
    x, y = 0.1, 0.2
    for _ in range(n * 500):
        x = x * 3.7 * (1.0 - x)
        y = y * 0.5 + x


def bench_closures(n):
    def adder(k):
        return lambda x: x + k

    for i in range(n * 100):
        adder(i)(1)


def bench_generators(n):
    for _ in range(n):
        sum(i * i for i in range(500))


def bench_sieve(n):
    for _ in range(n):
        flags = bytearray(b"\x01") * 1000
        for i in range(2, 32):
            if flags[i]:
                flags[i * i::i] = bytes(len(range(i * i, 1000, i)))


def bench_exceptions(n):
    for i in range(n * 50):
        try:
            raise ValueError
        except ValueError:
            pass
