"""The language, piece by piece; imports nothing."""

# assignment, unpacking, walrus, augmented
a, (b, *c), d = 1, (2, 3, 4), 5
assert (a, b, c, d) == (1, 2, [3, 4], 5)
a, b = b, a
assert (a, b) == (2, 1)
x = y = [1]
assert x is y
x += [2]
assert y == [1, 2]
if (n := len(y)) == 2:
    assert n == 2
d = {'k': 1}
d['k'] += 4
d['k'] **= 2
assert d == {'k': 25}
l = [0] * 3
l[1] -= 7
assert l == [0, -7, 0]


# scopes
def outer():
    v = 1

    def inner():
        nonlocal v
        v += 1
        return v
    return inner, lambda: v


inc, get = outer()
assert inc() == 2 and inc() == 3 and get() == 3


def unbound():
    if False:
        z = 1
    return z


try:
    unbound()
except UnboundLocalError as e:
    assert str(e) == "cannot access local variable 'z' where it is not associated with a value", e
else:
    assert False


def deleted():
    q = 1
    del q
    try:
        q
    except UnboundLocalError:
        return True


assert deleted()


# calls
def f(a, /, b, *args, c, d=4, **kw):
    return a, b, args, c, d, kw


assert f(1, 2, c=3) == (1, 2, (), 3, 4, {})
assert f(1, 2, 3, 4, c=5, d=6, e=7) == (1, 2, (3, 4), 5, 6, {'e': 7})
assert f(*[1, 2], **{'c': 3}) == (1, 2, (), 3, 4, {})
assert f(1, *(2, 3), c=9, **{'z': 1}) == (1, 2, (3,), 9, 4, {'z': 1})
for call, text in [
    (lambda: f(), "f() missing 2 required positional arguments: 'a' and 'b'"),
    (lambda: f(1, 2), "f() missing 1 required keyword-only argument: 'c'"),
    (lambda: f(a=1, b=2, c=3), "f() missing 1 required positional argument: 'a'"),
    (lambda: (lambda: 0)(1), "<lambda>() takes 0 positional arguments but 1 was given"),
    (lambda: (lambda x: 0)(1, x=2), "<lambda>() got multiple values for argument 'x'"),
    (lambda: (lambda x: 0)(y=2), "<lambda>() got an unexpected keyword argument 'y'"),
]:
    try:
        call()
    except TypeError as e:
        assert text in str(e), (str(e), text)
    else:
        assert False, text


# closures over loop variables, default capture
fs = [lambda: i for i in range(3)]
assert [g() for g in fs] == [2, 2, 2]
fs = [lambda i=i: i for i in range(3)]
assert [g() for g in fs] == [0, 1, 2]


# comprehensions do not leak, may nest, see the surrounding function
def comp():
    k = 10
    r = [k + i for i in range(3)]
    s = {i: [j for j in range(i)] for i in range(3)}
    t = {i % 2 for i in range(5)}
    u = list(i * j for i in range(3) for j in range(3) if i != j)
    return r, s, t, u, k


assert comp() == ([10, 11, 12], {0: [], 1: [0], 2: [0, 1]}, {0, 1},
                  [0, 0, 0, 2, 0, 2], 10)
x = 'outer'
assert [x for x in range(2)] == [0, 1] and x == 'outer'


# control flow
def loops():
    out = []
    for i in range(10):
        if i % 2:
            continue
        if i > 6:
            break
        out.append(i)
    else:
        out.append('else')
    while out:
        if out.pop() == 2:
            break
    else:
        out.append('never')
    for i in ():
        pass
    else:
        out.append('else')
    return out


assert loops() == [0, 'else']


def finally_order():
    out = []
    for i in range(3):
        try:
            if i == 0:
                continue
            if i == 1:
                raise ValueError(i)
            return out
        except ValueError as e:
            out.append(('except', e.args))
        else:
            out.append('else')
        finally:
            out.append(('finally', i))


assert finally_order() == [('finally', 0), ('except', (1,)), ('finally', 1), ('finally', 2)]


def return_in_finally():
    try:
        return 1
    finally:
        return 2


assert return_in_finally() == 2


# exceptions: chaining, notes, groups
try:
    try:
        raise KeyError('a')
    except KeyError:
        raise ValueError('b')
except ValueError as e:
    assert isinstance(e.__context__, KeyError) and e.__cause__ is None
try:
    try:
        raise KeyError('a')
    except KeyError as k:
        raise ValueError('b') from k
except ValueError as e:
    assert e.__cause__ is e.__context__ and e.__suppress_context__
e = ValueError('x')
e.add_note('n')
assert e.__notes__ == ['n']
caught = []
try:
    raise ExceptionGroup('g', [ValueError(1), TypeError(2), ExceptionGroup('h', [ValueError(3)])])
except* ValueError as eg:
    caught.append(eg.exceptions)
except* TypeError as eg:
    caught.append(eg.exceptions)
assert len(caught) == 2 and caught[1][0].args == (2,)
try:
    try:
        raise ExceptionGroup('g', [ValueError(1), OSError(2)])
    except* ValueError:
        pass
except ExceptionGroup as rest:
    assert [type(x) for x in rest.exceptions] == [OSError]
else:
    assert False


# with
class Manager:
    def __init__(self, log, swallow=False):
        self.log, self.swallow = log, swallow

    def __enter__(self):
        self.log.append('enter')
        return self

    def __exit__(self, *info):
        self.log.append(('exit', info[0]))
        return self.swallow


log = []
with Manager(log) as m, Manager(log, True):
    assert m.log is log
    raise KeyError
assert log == ['enter', 'enter', ('exit', KeyError), ('exit', None)]


def with_return():
    with Manager(log2):
        return 5


log2 = []
assert with_return() == 5 and log2 == ['enter', ('exit', None)]


# generators
def gen():
    got = yield 1
    try:
        yield got
    except ValueError:
        yield 'caught'
    return 'done'


g = gen()
assert next(g) == 1 and g.send('s') == 's' and g.throw(ValueError) == 'caught'
try:
    next(g)
except StopIteration as s:
    assert s.value == 'done'


def delegating():
    r = yield from gen()
    yield r


assert list(delegating()) == [1, None, 'done']


def closing(out):
    try:
        yield 1
    finally:
        out.append('closed')


out = []
g = closing(out)
next(g)
g.close()
assert out == ['closed']
g = closing(out)
next(g)
del g
assert out == ['closed', 'closed']


# coroutines
class Awaitable:
    def __await__(self):
        got = yield 'ask'
        return got * 2


async def coro():
    async def agen():
        yield 1
        yield 2
    total = 0
    async for v in agen():
        total += v
    total += sum([v async for v in agen()])
    return total + await Awaitable()


co = coro()
assert co.send(None) == 'ask'
try:
    co.send(10)
except StopIteration as s:
    assert s.value == 26


# classes
class Base:
    registry = []

    def __init_subclass__(cls, tag=None, **kw):
        super().__init_subclass__(**kw)
        Base.registry.append((cls.__name__, tag))

    def who(self):
        return 'base'


class Derived(Base, tag='t'):
    __slots__ = ('p',)

    def who(self):
        return 'derived+' + super().who()

    @property
    def prop(self):
        return self.p

    @prop.setter
    def prop(self, v):
        self.p = v + 1

    @classmethod
    def make(cls):
        return cls()

    @staticmethod
    def st(a):
        return a


assert Base.registry == [('Derived', 't')]
o = Derived.make()
o.prop = 4
assert o.prop == 5 and o.who() == 'derived+base' and o.st(3) == 3


class Meta(type):
    def __new__(m, name, bases, ns, **kw):
        ns['extra'] = kw.get('extra')
        return super().__new__(m, name, bases, ns)

    def __call__(cls, *a):
        return ('made', super().__call__(*a))


class WithMeta(metaclass=Meta, extra=1):
    pass


assert WithMeta.extra == 1 and WithMeta()[0] == 'made'


class Desc:
    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, obj, owner=None):
        return (self.name, obj is None)


class HasDesc:
    d = Desc()


assert HasDesc.d == ('d', True) and HasDesc().d == ('d', False)


class Shadow:
    x = 0


s = Shadow()
assert s.x == 0
s.x = 1
assert s.x == 1
for i in range(3):
    t = Shadow()
    assert t.x == 0
    t.x = i + 5
    assert t.x == i + 5


class Diamond1:
    def m(self): return ['1']


class Diamond2(Diamond1):
    def m(self): return ['2'] + super().m()


class Diamond3(Diamond1):
    def m(self): return ['3'] + super().m()


class Diamond4(Diamond2, Diamond3):
    def m(self): return ['4'] + super().m()


assert Diamond4().m() == ['4', '2', '3', '1']


# operators through dunders
class Num:
    def __init__(self, v): self.v = v
    def __add__(self, o): return Num(self.v + o) if isinstance(o, int) else NotImplemented
    def __radd__(self, o): return ('radd', o)
    def __eq__(self, o): return isinstance(o, Num) and self.v == o.v
    def __hash__(self): return hash(self.v)
    def __lt__(self, o): return self.v < o.v
    def __len__(self): return self.v
    def __bool__(self): return self.v != 0
    def __getitem__(self, k): return k
    def __contains__(self, k): return k == self.v
    def __call__(self, *a, **k): return a, k
    def __iter__(self): return iter(range(self.v))
    def __repr__(self): return f'Num({self.v})'


assert Num(1) + 2 == Num(3) and 5 + Num(1) == ('radd', 5)
assert Num(1) < Num(2) and not Num(0) and len(Num(4)) == 4 and 4 in Num(4)
assert Num(1)[1:2, ...] == (slice(1, 2, None), Ellipsis) and Num(1)(1, k=2) == ((1,), {'k': 2})
assert list(Num(3)) == [0, 1, 2] and {Num(1): 2}[Num(1)] == 2 and repr(Num(7)) == 'Num(7)'
try:
    Num(1) + 'x'
except TypeError as e:
    assert str(e) == "unsupported operand type(s) for +: 'Num' and 'str'", e


# comparison chains, boolean logic
assert 1 < 2 < 3 and not 1 < 2 > 3
assert (0 or 'a') == 'a' and (1 and 0) == 0 and (not 1) is False
assert (None is None) and (name is not None if (name := "n") else 0)
assert 1 if [] else 2 == 2


# strings
name, width = 'krait', 8
assert f'{name:>{width}}|{name!r}|{3.14159:.2f}|{name=}' == "   krait|'krait'|3.14|name='krait'"
assert '%s %05d %.1f' % ('a', 42, 2.55) == 'a 00042 2.5'
assert 'a,b,c'.split(',') == ['a', 'b', 'c'] and '-'.join('abc') == 'a-b-c'
assert 'äöü'.upper() == 'ÄÖÜ' and 'x' * 3 == 'xxx' and 'hello'[1:4] == 'ell'


# match
def m(v):
    match v:
        case 0 | 1:
            return 'small'
        case int(n) if n > 100:
            return 'big'
        case [x, *rest]:
            return x, rest
        case {'k': val, **others}:
            return val, others
        case Derived(p=q):
            return 'derived', q
        case str() as s:
            return s
        case None:
            return 'none'
        case _:
            return 'other'


assert [m(1), m(200), m([1, 2, 3]), m({'k': 1, 'z': 2}), m('s'), m(None), m(50)] == [
    'small', 'big', (1, [2, 3]), (1, {'z': 2}), 's', 'none', 'other']
assert m(o) == ('derived', 5)


# type parameters
def ident[T](v: T) -> T:
    return v


assert ident(3) == 3 and ident.__type_params__[0].__name__ == 'T'
type Alias[T] = list[T]
assert Alias.__name__ == 'Alias'

# numbers
assert 7 // -2 == -4 and 7 % -2 == -1 and divmod(-7, 2) == (-4, 1)
assert 2 ** 100 == 1267650600228229401496703205376 and (1 << 64) >> 60 == 16
assert 10 ** 20 // 3 == 33333333333333333333 and -5 ** 2 == -25
assert 0.1 + 0.2 == 0.30000000000000004 and repr(1e22) == '1e+22' and round(2.5) == 2
assert (1 + 2j) * (3 - 1j) == 5 + 5j and abs(3 + 4j) == 5.0
big = 1
for i in range(1, 30):
    big *= i
assert big == 8841761993739701954543616000000
i = 2 ** 47 - 1
i += 1
assert i == 140737488355328 and i - 1 == 140737488355327
