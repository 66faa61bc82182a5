"""Bad input for the parser, the verifier of code and marshal: whatever comes, an exception or a result.

    python tests/fuzz/fuzz_language.py [--seed N] [--rounds N] [--seconds S] [--only source,code,marshal,limits]

The same seed gives the same input. Each input is tried in a child process that says what it does, so that a crash or a
hang costs that child alone and is reported with what caused it. Code objects with changed words are only made and
loaded, never run: the verifier must refuse what the machine relies on, it does not promise that the rest means something.
"""
import argparse
import marshal
import os
import random
import subprocess
import sys
import time

SEEDS = [
    "def f(a, b=1, *c, d, e=2, **g):\n    return [x for x in a if x] + [*c, *d.values()]\n",
    "class C[T: int](B, metaclass=M):\n    x: int = 1\n    def m(self): return super().m\n",
    "try:\n    pass\nexcept* E as e:\n    raise\nelse:\n    1\nfinally:\n    2\n",
    "async def f():\n    async with a as b, c: return [await x async for x in y]\n",
    "match x:\n    case {'a': 1, **r} if r: pass\n    case [1, *_, 2] | C(a=1): pass\n    case -1.5+2j: ...\n",
    "x = f'{a!r:>{w}}' rf\"{b=}\" 'z' if (y := 1) else lambda *a, **k: (yield)\n",
    "while 1:\n    for i in x:\n        if i: break\n        else: continue\n    else: del a[1:2, ...], b.c\n",
    "@d\ndef g():\n    global h; h = b'\\x00', 0x1F_FF, 1_0.5e-3, 0b1, 'a\\N{DIGIT ONE}\\x41'\n",
    "type A[*Ts, **P] = tuple[*Ts]\nimport a.b as c\nfrom . import (x, y as z)\nassert a, b\n",
]
TOKENS = ("( ) [ ] { } : , ; . ... = == := -> + - * ** / // % @ & | ^ ~ << >> < > != \\\n \n\n \t \f # ' \" ''' \"\"\" f' f\"\"\" "
          "{{ }} !r \\ \0 \x80 \ufeff \u00e9 \U0001f600 if else elif for while def class lambda yield await async return "
          "try except finally with as match case _ type in is not and or None True 1 0x 1e999 1_ 0777 \r \r\n").split(" ")


def mutate_source(rng):
    text = rng.choice(SEEDS)
    if rng.random() < .3:
        other = rng.choice(SEEDS)
        text = text[:rng.randrange(len(text))] + other[rng.randrange(len(other)):]
    for _ in range(rng.randrange(1, 6)):
        at, kind = rng.randrange(len(text) + 1), rng.randrange(4)
        if kind == 0:
            text = text[:at] + rng.choice(TOKENS) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + rng.randrange(1, 9):]
        elif kind == 2:
            text = text[:at] + rng.choice(TOKENS) * rng.randrange(1, 300) + text[at:]
        else:
            text = text[:at] + chr(rng.randrange(1, 0x2FF)) + text[at + 1:]
    return text


def try_source(rng):
    text = mutate_source(rng)
    source = text
    if rng.random() < .3:
        raw = bytearray(text.encode("utf-8", "surrogatepass"))
        if raw and rng.random() < .5:
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        if rng.random() < .3:
            raw[:0] = rng.choice([b"\xef\xbb\xbf", b"# coding: latin-1\n", b"# coding: nonsense\n", b"# -*- coding: utf-16\n"])
        source = bytes(raw)
    try:
        compile(source, "<fuzz>", rng.choice(["exec", "eval", "single"]), dont_inherit=True)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError, UnicodeError):
        pass


def codes_of(code):
    yield code
    for const in code.co_consts:
        if hasattr(const, "co_code"):
            yield from codes_of(const)


CODES = []


def some_code(rng):
    if not CODES:
        for text in SEEDS:
            CODES.extend(codes_of(compile(text, "<seed>", "exec")))
    return rng.choice(CODES)


def change_bytes(rng, data):
    data = bytearray(data)
    for _ in range(rng.randrange(1, 5)):
        if not data:
            break
        at, kind = rng.randrange(len(data)), rng.randrange(5)
        if kind == 0:
            data[at] = rng.randrange(256)
        elif kind == 1:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            del data[at:at + rng.choice([1, 2, 8, 16])]
        elif kind == 3:
            data[at:at] = bytes(rng.randrange(256) for _ in range(rng.choice([1, 4, 8])))
        else:
            data[at:at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\x80", b"\xff\xff\xff\x7f", b"\0\0\0\0"])
    return bytes(data)


def try_code(rng):
    code = some_code(rng)
    changes = {}
    kind = rng.randrange(4)
    if kind == 0:
        changes["co_code"] = change_bytes(rng, code.co_code)
    elif kind == 1:
        changes["co_code"] = rng.randbytes(rng.randrange(0, 200))
    else:
        for name in rng.sample(["co_exceptiontable", "co_linetable"], rng.randrange(1, 3)):
            changes[name] = change_bytes(rng, getattr(code, name) or b"\0\1")
        if rng.random() < .5:
            name = rng.choice(["co_argcount", "co_kwonlyargcount", "co_posonlyargcount", "co_nlocals", "co_stacksize",
                               "co_flags", "co_firstlineno"])
            changes[name] = rng.choice([-1, 0, 1, 2, 255, 65535, 2**31 - 1, 2**31])
        if rng.random() < .3:
            changes[rng.choice(["co_consts", "co_names", "co_varnames", "co_freevars", "co_cellvars"])] = ()
    try:
        made = code.replace(**changes)
    except (ValueError, TypeError, OverflowError, SystemError, MemoryError):
        return
    try:
        list(made.co_lines()), list(made.co_positions()), hash(made), made == code, repr(made)
        marshal.loads(marshal.dumps(made))
    except (ValueError, EOFError, TypeError, OverflowError):
        pass


def try_marshal(rng):
    if rng.random() < .7:
        data = marshal.dumps(some_code(rng))
    else:
        data = marshal.dumps([1, 2 ** 70, 1.5, 2j, "text", "\u1234", b"bytes", (None, ...), {1: {2}}, frozenset("ab")])
    data = change_bytes(rng, data) if rng.random() < .9 else rng.randbytes(rng.randrange(1, 100))
    try:
        marshal.loads(data)
    except (ValueError, EOFError, TypeError, OverflowError, MemoryError, RecursionError, UnicodeError, SystemError):
        pass


LIMITS = {
    "brackets": lambda: compile("(" * 100_000, "x", "exec"),
    "closed brackets": lambda: compile("[" * 100_000 + "]" * 100_000, "x", "exec"),
    "minus": lambda: compile("-" * 1_000_000 + "1", "x", "eval"),
    "not": lambda: compile("not " * 500_000 + "1", "x", "eval"),
    "attributes": lambda: compile("a" + ".b" * 1_000_000, "x", "eval"),
    "calls": lambda: compile("f" + "()" * 200_000, "x", "eval"),
    "sum": lambda: compile("+".join("a" * 300_000), "x", "eval"),
    "power": lambda: compile("**".join("a" * 100_000), "x", "eval"),
    "lambda": lambda: compile("lambda:" * 100_000 + "1", "x", "eval"),
    "conditions": lambda: compile("a if b else " * 100_000 + "c", "x", "eval"),
    "elif": lambda: compile("if a: pass\n" + "elif a: pass\n" * 100_000, "x", "exec"),
    "blocks": lambda: compile("".join(" " * i + "if a:\n" for i in range(5000)) + " " * 5000 + "pass", "x", "exec"),
    "f-strings": lambda: compile("f'{" * 1000 + "1" + "}'" * 1000, "x", "eval"),
    "decorators": lambda: compile("@a\n" * 200_000 + "def f(): pass", "x", "exec"),
    "targets": lambda: compile("a=" * 500_000 + "1", "x", "exec"),
    "arguments": lambda: compile("f(" + "a," * 300_000 + ")", "x", "eval"),
    "parameters": lambda: compile("def f(%s): pass" % ",".join("a%d" % i for i in range(70_000)), "x", "exec"),
    "comprehensions": lambda: compile("[a " + "for a in b " * 50_000 + "]", "x", "eval"),
    "patterns": lambda: compile("match a:\n case " + "[" * 50_000 + "]" * 50_000 + ": pass", "x", "exec"),
    "long line": lambda: compile("x = '" + "a" * 100_000_000 + "'", "x", "exec"),
    "long comment": lambda: compile("#" + "a" * 100_000_000, "x", "exec"),
    "null bytes": lambda: compile("a\0b", "x", "exec"),
    "digits": lambda: compile("9" * 10_000_000, "x", "eval"),
    "marshal depth": lambda: marshal.loads(b"(\1\0\0\0" * 1_000_000),
    "marshal size": lambda: marshal.loads(b"[\xff\xff\xff\x7f"),
}
EXPECTED = (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError, EOFError)


def try_limit(name):
    try:
        LIMITS[name]()
    except EXPECTED as error:
        return type(error).__name__
    return "done"


def child(what, seed, rounds):
    if what == "limits":
        name = list(LIMITS)[seed]
        print(name, flush=True)
        try_limit(name)
        return
    import warnings
    warnings.simplefilter("ignore")
    test = {"source": try_source, "code": try_code, "marshal": try_marshal}[what]
    for i in range(rounds):
        print(seed + i, flush=True)
        test(random.Random(seed + i))


def run_child(what, seed, rounds, limit):
    """(what went wrong or None, where)"""
    command = [sys.executable, os.path.abspath(__file__), "--child", what, str(seed), str(rounds)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=limit)
    except subprocess.TimeoutExpired as error:
        return "timeout", (error.stdout or b"").split(b"\n")[-2:-1]
    if done.returncode == 0:
        return None, None
    last = done.stdout.rstrip().split(b"\n")[-1:]
    reason = "signal %d" % -done.returncode if done.returncode < 0 else done.stderr.decode("utf-8", "replace")[-400:]
    return reason, last


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2000, help="inputs of each kind")
    parser.add_argument("--batch", type=int, default=250, help="inputs per process")
    parser.add_argument("--seconds", type=float, default=300, help="stop after this time")
    parser.add_argument("--only", default="source,code,marshal,limits")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args.child[0], int(args.child[1]), int(args.child[2]))
        return 0
    end, wrong, tried = time.monotonic() + args.seconds, 0, 0
    for what in args.only.split(","):
        batches = ([(i, 1) for i in range(len(LIMITS))] if what == "limits"
                   else [(args.seed * 1_000_000 + i, min(args.batch, args.rounds - i))
                         for i in range(0, args.rounds, args.batch)])
        for seed, count in batches:
            if time.monotonic() > end:
                break
            reason, where = run_child(what, seed, count, 60)
            tried += count
            if reason is not None:
                wrong += 1
                print(f"{what}: {reason} at {b' '.join(where or []).decode()}", flush=True)
    print(f"{tried} inputs, {wrong} processes that went wrong")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
