"""Programs that touch each part of the machine; the output is compared with what the language says.

Fails with an AssertionError, or ends in silence. Imports nothing.
"""
results = []


def print(*args):
    results.append(" ".join(str(a) for a in args))


def fib(n): return n if n < 2 else fib(n-1)+fib(n-2)
print(fib(15))
s=0
for i in range(10): s+=i*i
print(s)
class P:
    def __init__(self,x): self.x=x
    def add(self,d): self.x+=d; return self.x
p=P(1.5); print(p.add(2), p.add(3.25), p.x)
def g(n):
    for i in range(n): yield i*2
print(list(g(5)), sum(g(10)))
try:
    1/0
except ZeroDivisionError as e: print("caught", e)
def f(a,b=2,*args,c=3,**kw): return (a,b,args,c,kw)
print(f(1), f(1,5,6,7,c=8,d=9), f(*[1,2],**{'z':1}))
d={'a':1,'b':[1,2]}; print(d, {k:v for k,v in d.items()}, [x for x in 'abc'])
a,*b,c=range(5); print(a,b,c)
def co():
    x=1
    def inner():
        nonlocal x
        x+=1
        return x
    return inner
h=co(); print(h(),h())
class Q(P):
    def __init__(self): super().__init__(7)
    def add(self,d): return super().add(d)+100
print(Q().add(1))
with_=[]
class C:
    def __enter__(self): with_.append(1); return self
    def __exit__(self,*a): with_.append(a[0]); return True
with C() as c: raise ValueError(3)
print(with_)
match [1,2,3]:
    case [1,*r]: print("m",r)
def dg():
    x = yield from g(3)
    return 5
print(list(dg()))
async def aa(): return 42
try: aa().send(None)
except StopIteration as e: print(e.value)
try: f()
except TypeError as e: print(e)
try: undefined_name
except NameError as e: print(e)
lst=[]
for i in range(3): lst.append(i)
print(lst,len(lst), 2**100, -7//2, 7%-3, 1.5e300*1e10)
def outer():
    try:
        inner()
    except ValueError as e:
        raise KeyError("k") from e
def inner(): raise ValueError("v")
try: outer()
except KeyError as e:
    tb=e.__traceback__
    n=[]
    while tb: n.append((tb.tb_frame.f_code.co_name, tb.tb_lineno)); tb=tb.tb_next
    print(n, repr(e.__cause__))
def loc(a):
    b=2
    return locals()
print(loc(1))
async def ag():
    for i in range(3): yield i
async def run():
    r=[]
    async for x in ag(): r.append(x)
    return r
try: run().send(None)
except StopIteration as e: print(e.value)
def rec(n): return rec(n+1)
try: rec(0)
except RecursionError as e: print(e)
def gg():
    try: yield 1
    except ValueError: yield "v"
    finally: print("fin")
x=gg(); next(x); print(x.throw(ValueError())); x.close()
c=compile("a=1\nb=a+2","<s>","exec"); d={}; exec(c,d); print(d["b"], c.replace(co_name="zz").co_name, c==c)

expected = [
    '610',
    '285',
    '3.5 6.75 6.75',
    '[0, 2, 4, 6, 8] 90',
    'caught division by zero',
    "(1, 2, (), 3, {}) (1, 5, (6, 7), 8, {'d': 9}) (1, 2, (), 3, {'z': 1})",
    "{'a': 1, 'b': [1, 2]} {'a': 1, 'b': [1, 2]} ['a', 'b', 'c']",
    '0 [1, 2, 3] 4',
    '2 3',
    '108',
    "[1, <class 'ValueError'>]",
    'm [2, 3]',
    '[0, 2, 4]',
    '42',
    "f() missing 1 required positional argument: 'a'",
    "name 'undefined_name' is not defined",
    '[0, 1, 2] 3 1267650600228229401496703205376 -4 -2 inf',
    "[('<module>', 71), ('outer', 69)] ValueError('v')",
    "{'a': 1, 'b': 2}",
    '[0, 1, 2]',
    'maximum recursion depth exceeded',
    'v',
    'fin',
    '3 zz True',
]
for got, want in zip(results, expected):
    assert got == want, (got, want)
assert len(results) == len(expected), (len(results), len(expected))
