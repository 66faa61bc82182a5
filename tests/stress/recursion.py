"""Recursion without end, and nesting without measure: RecursionError or a result, never a death of the process.

    python tests/stress/recursion.py [PART OF A NAME ...]

Each program runs in a process of its own, in the main thread and in one with a small stack.
"""
import subprocess
import sys

# What must end with RecursionError.
ENDLESS = {
    "function": "def f(): f()\nf()",
    "repr": "class A:\n def __repr__(s): return repr(s)\nrepr(A())",
    "eq": "class A:\n def __eq__(s, o): return s == o\nA() == A()",
    "hash": "class A:\n def __hash__(s): return hash(s)\nhash(A())",
    "getattr": "class A:\n def __getattr__(s, n): return getattr(s, n)\nA().x",
    "call": "class A: pass\nA.__call__ = A()\nA()()",
    "partial": "import functools\np = functools.partial(int)\np.__setstate__((p, (), {}, {}))\np()",
    "map": "def k(x): return list(map(k, [1]))\nk(1)",
    "sort": "def k(x): return sorted([1, 2], key=k)\nk(1)",
    "generator": "def g(): yield from g()\nnext(g())",
    "coroutine": "async def g(): await g()\ng().send(None)",
    "no limit": "import sys\nsys.setrecursionlimit(10**9)\nclass A:\n def __repr__(s): return repr(s)\nrepr(A())",
    "no limit, functions": "import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\n"
                           "try: f()\nexcept RecursionError: pass\nraise RecursionError",
    "json": "import json\njson.loads('[' * 200000)",
    "equal lists": "a = b = ()\nfor i in range(200000): a = [a]; b = [b]\na == b",
    "list equal to itself": "a = []; a.append(a)\nb = []; b.append(b)\na == b",
    "copy": "import copy\na = []\nfor i in range(100000): a = [a]\ncopy.deepcopy(a)",
    "pickle": "import pickle\na = []\nfor i in range(200000): a = [a]\npickle.dumps(a)",
    "isinstance": "t = int,\nfor i in range(20000): t = t,\nisinstance('', t)",
    "except": "e = ValueError()\nfor i in range(100000): e = ExceptionGroup('a', [e])\ne.split(TypeError)",
}

# Chains of these are made, hashed, compared, iterated, called, shown and destroyed; only death counts.
CHAINS = """[a] | (a,) | {1: a} | slice(a) | list[a] | list[a] | int | map(int, a) | zip(a) | filter(None, a) | enumerate(a)
    | itertools.chain(a, a) | itertools.islice(a, 3) | itertools.starmap(int, a) | itertools.accumulate(a)
    | itertools.groupby(a) | itertools.pairwise(a) | itertools.zip_longest(a, a) | itertools.takewhile(int, a)
    | itertools.compress(a, a) | itertools.tee(a)[0] | itertools.batched(a, 2) | types.MethodType(a, 1)
    | types.MappingProxyType({1: a}) | types.SimpleNamespace(x=a) | types.GenericAlias(a, a) | functools.partial(a)
    | collections.deque([a]) | keep(weakref.proxy(a)) | keep(weakref.ref(a)) | (lambda: a) | staticmethod(a)
    | generator(a) | iter([a]) | ValueError(a) | Node(a) | types.CellType(a)"""
CHAIN = """
import collections, functools, itertools, marshal, types, weakref
kept = []
def keep(a):
    kept.append(a)
    return a
def generator(a):
    yield from a
class Node:
    def __init__(self, a): self.a = a
    def __iter__(self): return self
a = b = {start}
for i in range({length}):
    a = {step}
for i in range({length}):
    b, a = a, b
    a = {step}
    a, b = b, a
    if i > 10 and {one}: break
for what in (lambda: hash(a), lambda: repr(a), lambda: a == b, lambda: a < b, lambda: next(a), lambda: list(a), lambda: a(),
             lambda: bool(a), lambda: len(a), lambda: marshal.dumps(a), lambda: isinstance(1, a), lambda: a.x):
    try:
        what()
    except Exception:
        pass
kept.reverse()
del a, b, kept
"""
IN_THREAD = """
import threading
threading.stack_size(256 * 1024)
thread = threading.Thread(target=exec, args=({!r}, {{}}))
thread.start()
thread.join()
"""


def run(text):
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=600, errors="replace")
    return done.returncode, done.stderr.strip().split("\n")[-1][:150]


def chain_of(step):
    start = "frozenset" if step.startswith(("keep", "(lambda", "static", "types.G")) else "()"
    length = 5000 if step.startswith(("list[a]", "types.Method")) else 40_000
    return CHAIN.format(start=start, step=step, length=length, one=step.startswith("keep"))


def main(wanted):
    cases = [(name, text, True) for name, text in ENDLESS.items()]
    cases += [(step.strip(), chain_of(step.strip()), False) for step in CHAINS.replace("| int", "¦ int").split("|")]
    wrong = 0
    for name, text, raises in cases:
        name, text = name.replace("¦", "|"), text.replace("¦", "|")
        if wanted and not any(part in name for part in wanted):
            continue
        status, last = run(text)
        if status not in (0, 1) or raises and not last.startswith("RecursionError"):
            wrong += 1
            print(f"{name}: status {status}: {last}", flush=True)
        status, last = run(IN_THREAD.format(text))
        if status != 0:
            wrong += 1
            print(f"{name}, in a thread: status {status}: {last}", flush=True)
    print(f"{len(cases)} programs, {wrong} of their runs went wrong")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
