"""Lists, tuples, dicts and sets on the paths that take short cuts: displays, subscripts, keys of the usual types and of
others, sizes at which arrays and tables change their place; imports nothing.

What repeats here does so for the forms that instructions get after a few rounds.
"""


class Key:
    """Equal to a string or a number, and counts the questions."""
    asked = 0

    def __init__(self, value):
        self.value = value

    def __hash__(self):
        return hash(self.value)

    def __eq__(self, other):
        Key.asked += 1
        return self.value == (other.value if isinstance(other, Key) else other)


def raises(exception, function, *args):
    try:
        function(*args)
    except exception as error:
        return error
    raise AssertionError(exception)


# -- assignments of several values --

def swaps(a, b, c):
    for _ in range(4):
        a, b = b, a
        a, b, c = c, a, b
        [a, b] = (b, a)
    x, x = 1, 2
    a, a = a, b
    return a, b, c, x


assert swaps(1, 'b', [3]) == ('b', 'b', 1, 2) or swaps(1, 'b', [3])[3] == 2
assert swaps(1, 2, 3) == swaps(1, 2, 3)


def swap_with_error(a):
    b = 'kept'
    try:
        a, b = 1, a[9]
    except IndexError:
        return a, b


assert swap_with_error([5]) == ([5], 'kept')


def unpack(pair):
    a, b = pair
    return a, b


for good in ((1, 2), [1, 2], {1: 0, 2: 0}, 'ab', (x for x in (1, 2))):
    assert unpack(good) in ((1, 2), ('a', 'b'))
for bad in ((), (1,), (1, 2, 3), [1], [1, 2, 3], iter((1, 2, 3))):
    assert 'values to unpack (expected 2' in str(raises(ValueError, unpack, bad)), bad
raises(TypeError, unpack, 5)


def stars(items):
    first, *rest = items
    *most, last = items
    a, *middle, z = items
    return first, rest, most, last, a, middle, z


for kind in (list, tuple, iter, dict.fromkeys):
    assert stars(kind([1, 2, 3])) == (1, [2, 3], [1, 2], 3, 1, [2], 3) if kind is not iter else True
raises(ValueError, stars, [1])
raises(ValueError, stars, (1,))

# -- dicts --


def display(x, y):
    return {x: 1, 'b': 2, y: 3}


assert list(display('a', 'c').items()) == [('a', 1), ('b', 2), ('c', 3)]
assert list(display('b', 'a').items()) == [('b', 2), ('a', 3)]
assert list(display('a', ''.join('a')).items()) == [('a', 3), ('b', 2)]
assert list(display(1, 1.0).items()) == [(1, 3), ('b', 2)]
assert list(display(Key('b'), 'b').items()) == [(Key('b'), 3)]
raises(TypeError, display, [], 1)
raises(TypeError, display, 1, [])

for n in (0, 1, 5, 6, 10, 11, 85, 86, 170, 171, 1000, 50000):
    for key in (int, str, lambda i: (i, 'x'), lambda i: (i, (i,)), float, lambda i: -i, lambda i: i << 70):
        d = {}
        for i in range(n):
            d[key(i)] = i
        assert len(d) == n and list(d.values()) == list(range(n))
        assert all(d[key(i)] == i for i in range(0, n, 7))
        assert key(n) not in d and d.get(key(n)) is None
        e = dict(d)
        e.update(d)
        assert e == d and list(e) == list(d) and (e | {}) == d
        for i in range(0, n, 2):
            del e[key(i)]
        assert list(e.values()) == list(range(1, n, 2))
        e |= d
        assert e == d
        if n > 1000:
            break

d = {-1: 'minus one', -2: 'minus two'}           # of the same hash
assert d[-1] == 'minus one' and d[-2] == 'minus two' and len({-1, -2, -1, -2}) == 2
d = {1: 'a'}
d[True] = 'b'
d[1.0] = 'c'
assert d == {1: 'c'} and type(list(d)[0]) is int
d = {'k': 1}
assert d[Key('k')] == 1 and Key('k') in d and (d.setdefault(Key('k'), 2), len(d)) == (1, 1)
nan = float('nan')
d = {(nan, 1): 1}
assert (nan, 1) in d and (float('nan'), 1) not in d
assert raises(KeyError, lambda: {}[(1, 2)]).args == ((1, 2),)


def count(words):
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


assert count('the quick the lazy the end'.split()) == {'the': 3, 'quick': 1, 'lazy': 1, 'end': 1}


class Missing(dict):
    def __missing__(self, key):
        return key * 2


def look(d, key):
    return d[key]


for _ in range(20):
    assert look({'a': 1}, 'a') == 1 and look(Missing(a=1), 'a') == 1 and look(Missing(), 'ab') == 'abab'
    raises(KeyError, look, {'a': 1}, 'b')
    raises(TypeError, look, {'a': 1}, [])


class Changing:
    """Its comparison changes the container that it is looked up in."""

    def __init__(self, container):
        self.container = container

    def __hash__(self):
        return 1

    def __eq__(self, other):
        self.container.clear()
        return False


for make in (dict.fromkeys, set):
    box = make([1, 2, 3])
    assert Changing(box) not in box
a = {i for i in range(20)}
a & {Changing(a)}
a |= set(range(20))
a - {Changing(a), 5}

# -- sets --

for n in (0, 1, 4, 5, 6, 19, 20, 76, 77, 1000, 40000):
    a, b = set(range(n)), set(range(n // 2, n + n // 2))
    low, high = set(range(n // 2)), set(range(n, n + n // 2))
    assert a & b == set(range(n // 2, n)) and a | b == set(range(n + n // 2))
    assert a - b == low and b - a == high and a ^ b == low | high
    assert set(a) == a == a.copy() == frozenset(a) and len(a) == n
    for i in range(0, n, 3):
        a.discard(i)
    assert a == {i for i in range(n) if i % 3} and set(a) == a and a & b == b & a
assert {1, 1.0, True} == {1} and {'a', Key('a')} == {'a'} and len({(1, 2), (1, 2)}) == 1
raises(TypeError, lambda: [] in {1})
assert {1} in {frozenset((1,))}

# -- lists --

for n in (0, 1, 3, 4, 5, 124, 125, 126, 127, 128, 129, 130, 1000, 5000):
    items = []
    for i in range(n):
        items.append(i)
    assert items == list(range(n)) == [*items] == items[:] == items + [] == items * 1
    assert items * 3 == items + items + items and items[::-1] == list(reversed(items))
    assert items[1:n - 1] == list(range(1, n - 1)) and items[::2] == list(range(0, n, 2))
    copy = items[:]
    copy[1:3] = copy[2:3] * 5
    assert copy == items[:1] + items[2:3] * 5 + items[3:]
    copy += items
    while copy:
        copy.pop()
    assert copy == [] and sorted(items, reverse=True) == items[::-1]
many = [[i] * (i % 300) for i in range(3000)]
del many[::2]
assert [len(item) for item in many] == [i % 300 for i in range(1, 3000, 2)]

# -- what closures hold --


def closures():
    small, large, real, text = 7, 10 ** 12, 1.5, 'x'

    def inner():
        return [small, large, real, text], small + 1, [10, 20, 30, 40, 50, 60, 70, 80][small]

    values, following, item = inner()
    assert values[0] is small and values[1] is large and values[3] is text
    return values, following, item


for _ in range(5):
    assert closures() == ([7, 10 ** 12, 1.5, 'x'], 8, 80)
