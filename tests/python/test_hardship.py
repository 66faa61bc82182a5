"""Interrupts in long loops, requests that cannot be met, source that is none: exceptions, soon, and no death."""
import copyreg
import os
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import typing
import unittest

GIB = 1 << 30

# Each runs for ever, or far too long, in C.
ENDLESS = """sum(range(10**13))
sum(map(abs, iter(int, 1)))
all(itertools.repeat(1))
any(iter(int, 1))
max(itertools.count())
5 in itertools.repeat(1)
dict.fromkeys(iter(int, 1))
set(iter(int, 1))
next(filter(None, iter(int, 1)))
next(itertools.filterfalse(None, itertools.repeat(1)))
next(itertools.dropwhile(abs, itertools.repeat(1)))
next(itertools.compress(itertools.repeat(1), itertools.repeat(0)))
next(itertools.islice(itertools.count(), 10**15, None))
max(itertools.permutations(range(20)))
max(itertools.product(range(1000), repeat=9))
collections.deque(itertools.repeat(1), maxlen=0)
collections.deque(zip(itertools.count(), itertools.repeat(1)), maxlen=0)
functools.reduce(max, itertools.repeat(1))
math.fsum(itertools.repeat(.1))
math.prod(itertools.repeat(1))
operator.countOf(itertools.repeat(1), 1)
b''.join(iter(bytes, 1))
re.match('(a*)*b', 'a' * 60)
3 ** (10 ** 9)
math.factorial(10 ** 8)
int('9' * 10 ** 8)
sorted(range(10 ** 6), key=lambda x: sum(range(10 ** 6)))
open('/dev/zero', 'rb').readline()
time.sleep(1000)
input()""".split("\n")

NAMES = "import collections, functools, itertools, math, operator, re, sys, time\nsys.set_int_max_str_digits(0)\n"

# More than there is; each under a limit on address space.
HUGE = """bytes(1 << 40)
[0] * (1 << 40)
'a' * (1 << 42)
bytearray(1 << 40)
bytes(5 << 30)
(1,) * (1 << 30)
'a' * (5 << 30)
b'a' * (5 << 30)
bytearray(5 << 30)
list(range(1 << 40))
'a'.ljust(1 << 40)
1 << (1 << 36)
[bytes(1 << 28) for i in range(100)]
b'a'.join([b'b' * (1 << 28)] * 100)
f'{1:{1 << 40}}'
open('/dev/zero', 'rb').read(1 << 40)
bytearray(1 << 20).extend(bytes(1 << 32) for i in range(2))""".split("\n")

BAD_SOURCE = [
    (b"x = 1\0\n", "SyntaxError: source code cannot contain null bytes"),
    (b"# coding: nonsense\nx = 1\n", "SyntaxError: encoding problem: nonsense"),
    (b"# coding: base64\nx = 1\n", "SyntaxError: encoding problem: base64"),
    (b"# coding: undefined\nx = 1\n", "SyntaxError: encoding problem: undefined"),
    (b"x = '\xff'\n", "SyntaxError: Non-UTF-8 code starting with '\\xff' in file"),
    ("x = 1\n".encode("utf-16"), "SyntaxError: Non-UTF-8 code starting with '\\xff' in file"),
    (b"\xef\xbb\xbf# coding: latin-1\n", "SyntaxError: encoding problem: iso-8859-1 with BOM"),
    (b"".join(b" " * i + b"if 1:\n" for i in range(100)) + b" " * 100 + b"1\n", "IndentationError: too many levels"),
    (b"if 1:\n\tx = 1\n        y = 2\n", "TabError: inconsistent use of tabs and spaces"),
    (b"(" * 1_000_000, "SyntaxError: too many nested parentheses"),
]


def run(text, *options, **how):
    return subprocess.run([sys.executable, *options, "-c", text], capture_output=True, text=True, timeout=240, **how)


def last_line(done):
    return done.stderr.strip().split("\n")[-1]


def little_space():
    resource.setrlimit(resource.RLIMIT_AS, (4 * GIB, 4 * GIB))


class Interrupts(unittest.TestCase):
    def test_long_loops(self):
        for text in ENDLESS:
            with self.subTest(text):
                child = subprocess.Popen([sys.executable, "-c", f"{NAMES}print('go', flush=True)\n{text}"],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                         preexec_fn=little_space)
                child.stdout.readline()
                time.sleep(.2)
                child.send_signal(signal.SIGINT)
                try:
                    error = child.communicate(timeout=60)[1]
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.communicate()
                    self.fail("goes on")
                self.assertTrue(error.rstrip().endswith(b"KeyboardInterrupt"), error[-300:])

    def test_short_write(self):
        def interrupt(number, frame):
            raise ZeroDivisionError
        read, write = os.pipe()
        old = signal.signal(signal.SIGALRM, interrupt)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
        reader = threading.Thread(target=os.read, args=(read, 1))
        reader.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
        try:
            signal.setitimer(signal.ITIMER_REAL, .3)
            with self.assertRaises(ZeroDivisionError):
                os.write(write, bytes(1 << 22))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, old)
            reader.join()
            os.close(read)
            os.close(write)


class LittleSpace(unittest.TestCase):
    def test_huge_requests(self):
        for text in HUGE:
            with self.subTest(text):
                self.assertEqual(last_line(run(text, preexec_fn=little_space)).split(":")[0], "MemoryError")

    def test_more_than_there_is(self):
        for text in "bytearray(b'a') * (1 << 44)", "'a' * (1 << 44)", "[0] * (1 << 44)":
            with self.subTest(text):
                self.assertEqual(last_line(run(text)).split(":")[0], "MemoryError")

    def test_threads(self):
        done = run("import threading\nall_here = threading.Barrier(101)\n"
                   "ts = [threading.Thread(target=all_here.wait, daemon=True) for i in range(100)]\n"
                   "for t in ts: t.start()\nall_here.wait()\nfor t in ts: t.join()\nprint('done')", preexec_fn=little_space)
        self.assertEqual(done.stdout, "done\n", done.stderr[-300:])


class Source(unittest.TestCase):
    def test_bad_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "bad.py")
            for source, expected in BAD_SOURCE:
                with self.subTest(source[:40]):
                    with open(path, "wb") as file:
                        file.write(source)
                    done = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=120)
                    self.assertEqual(done.returncode, 1)
                    self.assertTrue(last_line(done).startswith(expected), done.stderr[-300:])

    def test_module_that_awaits(self):
        import ast
        import inspect
        async def numbers():
            yield 5

        async def number():
            return 5
        for mode in "exec", "single":
            for text in "x = await number()\n", "async for x in numbers(): pass\n":
                code = compile(text, "", mode, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
                self.assertTrue(code.co_flags & inspect.CO_COROUTINE, text)
                names = {"numbers": numbers, "number": number}
                coroutine = eval(code, names)
                with self.assertRaises(StopIteration):
                    coroutine.send(None)
                self.assertEqual(names["x"], 5)
        self.assertFalse(compile("x = 1", "", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT).co_flags & inspect.CO_COROUTINE)

    def test_module_as_function(self):
        names = {}
        type(run)(compile("x = 1\ny = x + 1", "", "exec"), names)()
        self.assertEqual(names["y"], 2)

    def test_long_tuple_that_is_not_there(self):
        import marshal
        start = time.process_time()
        with self.assertRaises(EOFError):
            marshal.loads(b"(\xff\xff\xff\x7f" + b"N" * 5000)
        self.assertLess(time.process_time() - start, 1)


class Names(unittest.TestCase):
    def test_dev_mode(self):
        for text in ("b''.decode(errors='nonsense')", "''.encode(errors='nonsense')", "''.encode('nonsense')",
                     "str(b'', 'utf8', 'nonsense')", "bytes('', 'ascii', 'nonsense')",
                     "open('/dev/null', errors='nonsense')"):
            with self.subTest(text):
                self.assertEqual(last_line(run(text, "-X", "dev")).split(":")[0], "LookupError")
        self.assertEqual(run("b''.decode(errors='nonsense')").returncode, 0)

    def test_dialogue_after_module(self):
        done = subprocess.run([sys.executable, "-i", "-m", "timeit", "-n", "1"], input="Timer\n", capture_output=True,
                              text=True, timeout=60)
        self.assertIn("__main__.Timer", done.stdout)


class Box[T]:
    def __init__(self, value):
        self.value = value


class Classes(unittest.TestCase):
    def test_generics_are_pickled(self):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            self.assertEqual(pickle.loads(pickle.dumps(Box(5), protocol)).value, 5)
        self.assertTrue(typing.Generic.__flags__ & copyreg._HEAPTYPE)

    def test_other_keys(self):
        with self.assertWarnsRegex(RuntimeWarning, "non-string key in the __dict__ of class Odd"):
            type("Odd", (), {1: 2})

    def test_separator_is_held(self):
        separator = bytearray(b",")

        def items():
            separator.clear()
            yield b"a"
        self.assertRaises(BufferError, separator.join, items())
        self.assertEqual(separator.join([b"a", b"b"]), b"a,b")


if __name__ == "__main__":
    unittest.main()
