"""Calls of all kinds, often enough that each site gets its special form, and then with what that does not expect."""


def error_of(function, *args):
    try:
        function(*args)
    except Exception as error:
        return error
    raise AssertionError("no exception")


def catch_all(*args, k=1, **kwargs):
    return args, k, kwargs


def mixed(a, b=2, /, c=3, *, d=4):
    return a, b, c, d


class Proxy:
    def method(self, *args, **kwargs):
        return args, kwargs

    def __getattr__(self, name):
        if name == "bad":
            raise AttributeError("no " + name)
        return name


class Slots:
    __slots__ = "a", "b"


class Base:
    @classmethod
    def of_class(cls, x):
        return cls.__name__, x

    @staticmethod
    def static(x):
        return x

    def method(self, x=1):
        return "Base", x


class Derived(Base):
    def method(self, x=2):
        return super().method(x)

    @classmethod
    def of_class(cls, x):
        return super().of_class(x)


class Other:
    def method(self, x=3):
        return "Other", x

    of_class = static = method


class Callable:
    def __call__(self, a, b=2, *, c=3):
        return a, b, c


class Made:
    def __init__(self, a, b=2, *rest, d=4, **more):
        self.all = a, b, rest, d, more


def arguments():
    pair, none = (1, 2), ()
    proxy = Proxy()
    for i in range(8):
        assert catch_all(1, 2, 3) == ((1, 2, 3), 1, {})
        assert catch_all(1, z=3, k=7) == ((1,), 7, {"z": 3})
        assert catch_all(*pair, k=i) == (pair, i, {})
        assert catch_all(*none, z=i, k=2) == ((), 2, {"z": i})
        assert catch_all(*pair, *none, y=1) == (pair, 1, {"y": 1})
        assert catch_all(*pair, **{"q": i}) == (pair, 1, {"q": i})
        assert dict(*none, a=i, b=2) == {"a": i, "b": 2}
        assert proxy.method(*pair, q=i) == (pair, {"q": i})
        assert max(*[3, 4], key=lambda x: -x) == 3
        assert (mixed(i), mixed(1, c=i), mixed(1, 2, 3, d=i), mixed(1, d=1, c=2)) == (
            (i, 2, 3, 4), (1, 2, i, 4), (1, 2, 3, i), (1, 2, 2, 1))
    given = {"a": 1}
    received = catch_all(**given)[2]
    assert received == given and received is not given
    for call, text in (
        (lambda: mixed(), "mixed() missing 1 required positional argument: 'a'"),
        (lambda: mixed(1, 2, 3, 4), "mixed() takes from 1 to 3 positional arguments but 4 were given"),
        (lambda: mixed(1, 2, 3, c=3), "mixed() got multiple values for argument 'c'"),
        (lambda: mixed(1, e=3), "mixed() got an unexpected keyword argument 'e'"),
        (lambda: catch_all(**{1: 2}), "keywords must be strings"),
        (lambda: len(*1), "len() argument after * must be an iterable, not int"),
        (lambda: len(**1), "len() argument after ** must be a mapping, not int"),
        (lambda: min(0, default=1, key=2, foo=3), "min() takes at most 2 keyword arguments (3 given)"),
        (lambda: max(1, 2, kee=3), "max() got an unexpected keyword argument 'kee'. Did you mean 'key'?"),
        (lambda: ImportError(0, name=1, path=2, name_from=3, foo=3),
         "ImportError() takes at most 3 keyword arguments (4 given)"),
    ):
        assert str(error_of(call)) == text, (error_of(call), text)


def methods():
    for i in range(12):
        for thing in (Base(), Derived(), Base, Derived):
            name = thing.__name__ if isinstance(thing, type) else type(thing).__name__
            assert thing.of_class(i) == (name, i) and thing.static(i) == i
        assert [thing.method() for thing in (Base(), Derived(), Other())] == [
            ("Base", 1), ("Base", 2), ("Other", 3)]
    found = []
    for i in range(12):
        if i == 8:
            Base.method = lambda self, x=1: ("new", x)
        found.append(Derived().method(i))
    assert found[7:9] == [("Base", 7), ("new", 8)]


def attributes():
    for i in range(12):
        proxy = Proxy()
        if i == 9:
            proxy.foo = "own"
        assert proxy.foo == ("own" if i == 9 else "foo") and Proxy().bar == "bar"
        try:
            proxy.bad
        except AttributeError as error:
            assert (error.name, error.obj is proxy, str(error)) == ("bad", True, "no bad")
    slots = Slots()
    for i in range(5000, 5012):
        slots.a = i
        slots.b = slots.a
        assert slots.a is slots.b == i
        slots.a = [i]
        assert slots.a == [i]


def objects():
    call = Callable()
    for i in range(8):
        assert (call(i), call(1, c=i), call(*[1], c=2)) == ((i, 2, 3), (1, 2, i), (1, 2, 2))
        assert Made(i).all == (i, 2, (), 4, {}) and Made(1, 2, 3, d=5, x=6).all == (1, 2, (3,), 5, {"x": 6})
    assert "missing 1 required positional argument: 'a'" in str(error_of(Made))


def builtins():
    things = [len, abs, str]
    for i in range(12):
        assert isinstance(i, int) and isinstance(1.5, (int, float)) and not isinstance(i, str)
        assert (len("abc"), abs(-i), int("12"), str(i), float(3)) == (3, i, 12, repr(i), 3.0)
        assert things[i % 3]([1, 2, 3] if i % 3 == 0 else -i) in (3, i, str(-i))
    assert str(error_of(lambda: len(1))) == "object of type 'int' has no len()"


def again_star(n):
    return again_star(*[n + 1], **{})


def again_named(n, k=0):
    return again_named(*[n + 1], k=n)


class Endless:
    def __getattr__(self, name):
        return self.x


def closures():
    adders = []
    for i in range(5):
        def add(x, i=i, *, j=1):
            return x + i + j + n
        adders.append(add)
    n = 100
    assert [add(1) for add in adders] == [102, 103, 104, 105, 106]
    n = 200
    assert adders[0](1, j=0) == 201 and adders[0].__module__ == __name__


arguments()
methods()
attributes()
objects()
builtins()
closures()
for deep in (lambda: again_star(0), lambda: again_named(0), lambda: Endless().y):
    assert isinstance(error_of(deep), RecursionError)
