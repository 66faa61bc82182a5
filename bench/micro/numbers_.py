"""Arithmetic."""


def bench_int_loop(n):
    s = 0
    for i in range(n):
        s += i & 7
        s -= i >> 3


def bench_int_while(n):
    i = 0
    while i < n:
        if i % 3 == 0 or i // 2 > 10:
            i += 1
        else:
            i += 1


def bench_int_medium(n):
    # results of more than 30 and up to 60 bits
    x = 123456789
    for i in range(n):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF


def bench_int_big(n):
    x = 3 ** 200
    y = 7 ** 90
    for _ in range(n):
        (x + y) * y // x
        x ^ y


def bench_int_huge_multiply(n):
    x = 3 ** 20000
    for _ in range(n):
        x * x


def bench_int_to_text(n):
    for i in range(n):
        int(str(i * 7919))


def bench_float_loop(n):
    x = 0.5
    for _ in range(n):
        x = x * 0.999 + 1.5


def bench_float_mixed(n):
    a, b, c = 1.5, 2, 0.25
    for i in range(n):
        d = (a * b - c) / (i + 1)
        d = d if d < 1.0 else 1.0 / d


def bench_float_calls(n):
    from math import sin, sqrt
    for i in range(n):
        sqrt(i)
        sin(0.5)
        round(2.675, 2)


def bench_float_text(n):
    for i in range(n):
        float(repr(i * 0.1))


def bench_complex(n):
    z, c = 0j, 0.3 + 0.5j
    for _ in range(n):
        z = z * z + c
        if abs(z) > 2.0:
            z = 0j


def bench_power_divmod(n):
    for i in range(n):
        i ** 2
        divmod(i, 7)
        i % 10
