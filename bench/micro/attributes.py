"""Attributes and names."""

COUNT = 0


class Point:
    scale = 3

    def __init__(self):
        self.x = 1
        self.y = 2.0

    @property
    def double(self):
        return self.x

    def __getattr__(self, name):
        return name


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self):
        self.a = 1
        self.b = 2


class Left:
    def value(self):
        return 1


class Right:
    def value(self):
        return 2


class Third(Left):
    pass


def bench_read(n):
    p = Point()
    for _ in range(n):
        p.x
        p.y
        p.scale


def bench_write(n):
    p = Point()
    for i in range(n):
        p.x = i
        p.y += 0.5


def bench_slots(n):
    s = Slotted()
    for i in range(n):
        s.a = s.b
        s.b = i


def bench_property(n):
    p = Point()
    for _ in range(n):
        p.double


def bench_dynamic(n):
    p = Point()
    for _ in range(n):
        getattr(p, "x")
        setattr(p, "x", 1)
        hasattr(p, "y")
        p.missing


def bench_polymorphic(n):
    things = (Left(), Right(), Third(), Left(), Right(), Third())
    for _ in range(n):
        for thing in things:
            thing.value()


def bench_globals(n):
    global COUNT
    for _ in range(n):
        COUNT = COUNT + 1
        len
        Point
