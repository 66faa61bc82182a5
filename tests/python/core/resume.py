"""Generators resumed by loops, send(), next() and each other; loops that take pairs apart; imports nothing.

What repeats here does so for the forms that instructions get after a few rounds.
"""


def echo():
    value = None
    while True:
        value = yield value


def result():
    first = yield 1
    second = yield first
    return first, second


def sends():
    g = echo()
    next(g)
    return [g.send(x) for x in (0, 1, 2 ** 60, 1.5, 'a', None, [1])]


assert sends() == sends() == [0, 1, 2 ** 60, 1.5, 'a', None, [1]]


def drive():
    seen = []
    for _ in range(6):
        g = result()
        seen.append((next(g), g.send('s')))
        try:
            g.send('t')
        except StopIteration as end:
            seen.append(end.value)
        for again in (lambda: next(g), lambda: g.send(None)):
            try:
                again()
            except StopIteration as end:
                assert end.value is None
            else:
                assert False
        try:
            result().send(5)
        except TypeError as error:
            assert str(error) == "can't send non-None value to a just-started generator"
    return seen


assert drive() == [(1, 's'), ('s', 't')] * 6

# the window of the call holds a generator that nothing else does
died = []


class Watched:
    def __del__(self):
        died.append('gone')


def holder():
    watched = Watched()
    yield watched is not None


def of_temporaries():
    for k in range(5):
        assert next(holder())
        died.append(k)
        assert next(x * 2 for x in (k, 7)) == k * 2


of_temporaries()
assert died == ['gone', 0, 'gone', 1, 'gone', 2, 'gone', 3, 'gone', 4]


def raising():
    yield 1
    raise ValueError('inside')


def depth_of(error):
    n, tb = 0, error.__traceback__
    while tb is not None:
        n, tb = n + 1, tb.tb_next
    return n


for _ in range(5):
    g = raising()
    next(g)
    try:
        next(g)
    except ValueError as error:
        assert depth_of(error) == 2
    else:
        assert False


def calls_itself():
    yield 1
    try:
        next(itself)
    except ValueError as error:
        yield str(error)


for _ in range(5):
    itself = calls_itself()
    next(itself)
    assert next(itself) == 'generator already executing'


def nested(n):
    yield next(nested(n - 1)) if n else 'bottom'


assert [next(nested(n)) for n in (0, 1, 50)] == ['bottom'] * 3
try:
    next(nested(10 ** 6))
except RecursionError:
    pass
else:
    assert False

# ---- delegation ----


def middle():
    words = [1, 2, 3]
    got = yield from result()
    words.append(got)
    yield words
    try:
        yield from raising()
    except ValueError as error:
        assert depth_of(error) == 2
        yield 'caught'
    return 'middle'


def outer():
    here = object()
    got = yield from middle()
    yield got, here is not None


def whole(g):
    return [next(g), g.send('p'), g.send('q'), *g]


assert whole(outer()) == [1, 'p', [1, 2, 3, ('p', 'q')], 1, 'caught', ('middle', True)]


def tree(n):
    if n:
        yield from tree(n - 1)
        yield n
        yield from tree(n - 1)


assert sum(tree(9)) == 1013 and len(list(tree(9))) == 511


def chain(n):
    if n:
        yield from chain(n - 1)
    else:
        yield from range(3)


assert list(chain(300)) == [0, 1, 2]

order = []


def guarded(name, inner=None):
    try:
        if inner is None:
            yield name
            yield name
        else:
            yield from inner
    finally:
        order.append(name)


g = guarded('a', guarded('b', guarded('c')))
next(g)
g.close()
assert order == ['c', 'b', 'a']
g = guarded('d', guarded('e'))
next(g)
try:
    g.throw(KeyError('k'))
except KeyError as error:
    assert depth_of(error) == 3 and order[3:] == ['e', 'd']


def handles():
    try:
        raise KeyError
    except KeyError:
        yield from during()


def during():
    for _ in range(2):
        try:
            raise
        except KeyError:
            yield 'key'
        except RuntimeError:
            yield 'none'


assert list(handles()) == ['key'] * 2

# ---- pairs ----


def pairs(iterable):
    return [(a, b) for a, b in iterable]


for _ in range(3):
    assert pairs(enumerate('xy')) == [(0, 'x'), (1, 'y')]
    assert pairs(enumerate('xy', 2 ** 47 - 1)) == [(2 ** 47 - 1, 'x'), (2 ** 47, 'y')]
    assert pairs(enumerate('xy', 2 ** 63 - 1)) == [(2 ** 63 - 1, 'x'), (2 ** 63, 'y')]
    assert pairs(zip((1, 2), [3, 4])) == [(1, 3), (2, 4)] and pairs(zip('ab', 'c')) == [('a', 'c')]
    assert pairs({1: 2, 3: 4}.items()) == [(1, 2), (3, 4)]
    assert pairs([(1, 2), [3, 4], 'ab', {5: 0, 6: 0}]) == [(1, 2), (3, 4), ('a', 'b'), (5, 6)]
    assert [(i, x, y) for i, (x, y) in enumerate(zip((1, 2), 'ab'))] == [(0, 1, 'a'), (1, 2, 'b')]
for wrong, message in ((enumerate('a'), 'not enough values to unpack (expected 3, got 2)'),
                       (zip('a', strict=True), 'not enough values to unpack (expected 3, got 1)')):
    try:
        for a, b, c in wrong:
            pass
    except ValueError as error:
        assert str(error) == message, error
    else:
        assert False
seen = []
try:
    for a, b in zip((1, 2), (3,), strict=True):
        seen.append((a, b))
except ValueError as error:
    assert str(error) == 'zip() argument 2 is shorter than argument 1' and seen == [(1, 3)]
else:
    assert False
try:
    for a, b in zip((1, 2), (1 // x for x in (1, 0))):
        seen.append((a, b))
except ZeroDivisionError:
    assert seen == [(1, 3), (1, 1)]
growing = {1: 2}
try:
    for a, b in growing.items():
        growing[a + 1] = b
except RuntimeError as error:
    assert str(error) == 'dictionary changed size during iteration'
else:
    assert False


class Counted(enumerate):
    def __next__(self):
        return 'n', super().__next__()[1]


assert pairs(Counted('ab')) == [('n', 'a'), ('n', 'b')]

# ---- sums of what generators yield ----

assert sum(i * i for i in range(10)) == 285 and sum(i / 2 for i in range(4)) == 3.0
assert sum((x for x in (2 ** 46, 0.5)), 2 ** 54) == 2 ** 54 + 2 ** 46 + 0.5
assert sum(x for x in (1, 2 ** 70, True)) == 2 ** 70 + 2
assert any(x > 3 for x in range(5)) and not all(x for x in (1, 0.0)) and not any(x for x in ())
