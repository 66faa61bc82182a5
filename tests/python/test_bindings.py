"""Tests of tools/bindings: the generator under any Python, its parsers where 3.13's headers are.

The sample module is built with $CC (gcc) against the running interpreter's headers, or those in
$BINDINGS_INCLUDE, and called; its messages must be word for word CPython 3.13's.
"""

import importlib.util
import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
GENERATOR = ROOT / "tools" / "bindings" / "generate.py"


def load_generator():
    spec = importlib.util.spec_from_file_location("bindings_generate", GENERATOR)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class GeneratorTests(unittest.TestCase):
    def setUp(self):
        self.generate = load_generator()
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def header(self, text):
        path = Path(self.folder.name) / "m.bind"
        path.write_text(text)
        return self.generate.generate(path)

    def signature(self, declaration):
        head = self.header("module m\n\n" + declaration + "\n")
        start = head.index("{\"f\"")
        return head[start:].split('"')[3].split("\\n")[0]

    def test_conventions(self):
        for declaration, flags in [
            ("f()", "METH_NOARGS"),
            ("f(x: int, /)", "METH_O"),
            ("f(x: int = 0, /)", "METH_FASTCALL"),
            ("f(x: int, y: int, /)", "METH_FASTCALL"),
            ("f(*args)", "METH_FASTCALL"),
            ("f(x: int)", "METH_FASTCALL | METH_KEYWORDS"),
            ("f(*args, x: int = 0)", "METH_FASTCALL | METH_KEYWORDS"),
        ]:
            head = self.header("module m\n" + declaration)
            self.assertIn(f"BIND_FUNC(bind_m_f), {flags} | BIND_LENT,", head, declaration)

    def test_signatures(self):
        for declaration, shown in [
            ("f()", "f($module, /)"),
            ("f(x: int, /)", "f($module, x, /)"),
            ("f(x: int, /, y: int)", "f($module, x, /, y)"),
            ("f(x: int, y: object = None)", "f($module, /, x, y=None)"),
            ("f(x: int, /, *, y: object = NULL)", "f($module, x, /, *, y=<unrepresentable>)"),
            ("f(*args)", "f($module, *args)"),
            ("f(*args, x: int = 1)", "f($module, /, *args, x=1)"),
            ("f(x: ssize = sys.maxsize)", "f($module, /, x=sys.maxsize)"),
            ("f(x: int = A {B})", "f($module, /, x=A)"),
        ]:
            self.assertEqual(self.signature(declaration), shown, declaration)

    def test_mistakes_are_named(self):
        for declaration, message in [
            ("f(x)", "expected NAME: TYPE"),
            ("f(x: strange)", "unknown type"),
            ("f(x: int = thing)", "needs {C expression}"),
            ("f(x: int = 1, y: int)", "after an optional one"),
            ("f() -> strange", "unknown result"),
            ("@odd\nf()", "unknown decorator"),
            ('f(x: int)\n    audit "e" y', "unknown parameter"),
        ]:
            with self.assertRaises(self.generate.BindError, msg=declaration) as caught:
                self.header("module m\n" + declaration)
            self.assertIn(message, str(caught.exception))

    def test_same_input_same_output(self):
        source = HERE / "bindings" / "sample.bind"
        self.assertEqual(self.generate.generate(source), self.generate.generate(source))


# Call -> exception and message, as CPython 3.13 words them.
ERRORS = """
sample.none(1) | TypeError | sample.none() takes no arguments (1 given)
sample.none(x=1) | TypeError | sample.none() takes no keyword arguments
sample.one() | TypeError | sample.one() takes exactly one argument (0 given)
sample.one(x=1) | TypeError | sample.one() takes no keyword arguments
sample.one('a') | TypeError | must be real number, not str
sample.two(1) | TypeError | two expected 2 arguments, got 1
sample.two(1, 2, 3) | TypeError | two expected 2 arguments, got 3
sample.two(1, 'x') | TypeError | must be real number, not str
sample.perm() | TypeError | perm expected at least 1 argument, got 0
sample.perm(1, 2, 3) | TypeError | perm expected at most 2 arguments, got 3
sample.maybe() | TypeError | maybe() takes at least 1 positional argument (0 given)
sample.maybe(1, b=2) | TypeError | maybe() got an unexpected keyword argument 'b'
sample.maybe(1, 2, 3, 4) | TypeError | maybe() takes at most 3 arguments (4 given)
sample.close(1) | TypeError | close() missing required argument 'b' (pos 2)
sample.close() | TypeError | close() missing required argument 'a' (pos 1)
sample.close(b=1) | TypeError | close() missing required argument 'a' (pos 1)
sample.close(1, foo=1) | TypeError | close() missing required argument 'b' (pos 2)
sample.close(1, 2, 3) | TypeError | close() takes exactly 2 positional arguments (3 given)
sample.close(1, 2, rel_tl=1) | TypeError | close() got an unexpected keyword argument 'rel_tl'. \
Did you mean 'rel_tol'?
sample.close(1, 2, rel_tl=1, a=2) | TypeError | argument for close() given by name ('a') and \
position (1)
sample.close(1, 2, a=3, b=4) | TypeError | argument for close() given by name ('a') and position (1)
sample.close(1, 2, foo=1, bar=2) | TypeError | close() got an unexpected keyword argument 'foo'
sample.close(q=1, w=2, e=3, r=4, t=5) | TypeError | close() takes at most 4 keyword arguments \
(5 given)
sample.close(1, w=2, e=3, r=4, t=5) | TypeError | close() takes at most 4 arguments (5 given)
sample.close(1, 2, **{3: 4}) | TypeError | keywords must be strings
sample.prod() | TypeError | prod() takes exactly 1 positional argument (0 given)
sample.prod(1, 2) | TypeError | prod() takes exactly 1 positional argument (2 given)
sample.prod([], strt=2) | TypeError | prod() got an unexpected keyword argument 'strt'. \
Did you mean 'start'?
sample.prod([], iterable=2) | TypeError | prod() got an unexpected keyword argument 'iterable'
sample.need(1) | TypeError | need() missing required argument 'key' (pos 2)
sample.show(sp=1) | TypeError | show() got an unexpected keyword argument 'sp'. Did you mean 'sep'?
sample.show(1, 2, foo=1) | TypeError | show() got an unexpected keyword argument 'foo'
sample.gcd(x=1) | TypeError | sample.gcd() takes no keyword arguments
sample.first() | TypeError | first expected at least 1 argument, got 0
sample.text(1) | TypeError | text() argument must be str, not int
sample.text(None) | TypeError | text() argument must be str, not None
sample.texts('a', 1) | TypeError | texts() argument 2 must be str or None, not int
sample.encode(1) | TypeError | encode() argument 'encoding' must be str, not int
sample.encode('a', 1) | TypeError | encode() argument 'errors' must be str or None, not int
sample.encode('a\\0b') | ValueError | embedded null character
sample.data(1) | TypeError | a bytes-like object is required, not 'int'
sample.data(b'', n='x') | TypeError | 'str' object cannot be interpreted as an integer
sample.data(b'', n=2**100) | OverflowError | Python int too large to convert to C ssize_t
sample.into(b'') | TypeError | into() argument must be read-write bytes-like object, not bytes
sample.into(1) | TypeError | into() argument must be read-write bytes-like object, not int
sample.fill(b'') | TypeError | fill() argument 'c' must be a byte string of length 1, not bytes
sample.fill(b'a', 'xx') | TypeError | fill() argument 'u' must be a unicode character, not str
sample.heap(1, 2) | TypeError | heap() argument 1 must be list, not int
sample.exact(1) | TypeError | exact() argument must be dict, not int
sample.index(1, 'x') | TypeError | slice indices must be integers or have an __index__ method
sample.read('x') | TypeError | argument should be integer or None, not 'str'
sample.unsigned(-1) | ValueError | value must be positive
sample.unsigned('x') | TypeError | an integer is required
sample.unsigned(2**32) | OverflowError | Python int too large for C unsigned int
sample.unsigned(0, 2**64) | OverflowError | Python int too large to convert to C unsigned long
sample.unsigned(0, 0, 2**64) | OverflowError | Python int too large to convert to C size_t
sample.unsigned(d=256) | OverflowError | unsigned byte integer is greater than maximum
sample.unsigned(d=-1) | OverflowError | unsigned byte integer is less than minimum
sample.mask('x') | TypeError | mask() argument must be int, not str
sample.number(1.5) | TypeError | 'float' object cannot be interpreted as an integer
sample.number(2**31) | OverflowError | Python int too large to convert to C int
sample.number(0, 2**63) | OverflowError | Python int too large to convert to C long
sample.number(0, 0, 40000) | OverflowError | signed short integer is greater than maximum
sample.fd('x') | TypeError | argument must be an int, or have a fileno() method.
sample.fd(-1) | ValueError | file descriptor cannot be a negative integer (-1)
sample.custom(3) | ValueError | odd
sample.group() | TypeError | sample.group requires 1 to 2 arguments
sample.unnamed() | TypeError | function missing required argument 'a' (pos 1)
sample.unnamed(1, 2) | TypeError | argument 'text' must be str, not int
sample.unnamed(1, txt=2) | TypeError | this function got an unexpected keyword argument 'txt'. \
Did you mean 'text'?
sample.unnamed(1, a=2) | TypeError | argument for function given by name ('a') and position (1)
sample.counted(1, 2) | TypeError | other() argument 2 must be str, not int
sample.counted() | TypeError | other() missing required argument 'a' (pos 1)
sample.Thing(1)() | TypeError | thing() missing required argument 'n' (pos 1)
sample.Thing(1)(1, 2, 3) | TypeError | thing() takes at most 2 arguments (3 given)
sample.Thing() | TypeError | Thing() missing required argument 'a' (pos 1)
sample.Thing(1, 2, 3) | TypeError | Thing() takes at most 2 positional arguments (3 given)
sample.Thing(1, 2, True) | TypeError | Thing() takes at most 2 positional arguments (3 given)
sample.Thing.__new__(sample.Thing, 1, 2, True) | TypeError | Thing() takes at most 2 positional \
arguments (3 given)
sample.Thing(1, d=3) | TypeError | Thing() got an unexpected keyword argument 'd'
sample.Thing.__new__(sample.Thing, 1, d=3) | TypeError | Thing() got an unexpected keyword \
argument 'd'
sample.Thing(1).add(1, 2) | TypeError | add expected at most 1 argument, got 2
sample.Thing(1).copy(1) | TypeError | copy() takes no arguments
sample.Thing(1).copy(x=1) | TypeError | copy() takes no arguments
sample.Bare() | TypeError | Bare expected 1 argument, got 0
sample.Bare(x=1) | TypeError | Bare() takes no keyword arguments
"""

RESULTS = """
sample.none() | None
sample.one(2) | 2.0
sample.two(1, 2) | 3.0
sample.maybe(1) | (1, None, 5)
sample.maybe(1, 2, n=7) | (1, 2, 7)
sample.perm(3) | 3
sample.perm(3, 4) | 4
sample.close(b=1, a=1) | True
sample.close(1, 1.5, abs_tol=0.1) | False
sample.prod(1, start=2) | (1, 2)
sample.need(key=2, a=1) | (1, 2, 0)
sample.show(1, 2, 3, end=5) | (3, 3, None, 5, 0)
sample.show(flush=True) | (None, 0, None, None, 1)
sample.gcd(1, 2) | 2
sample.gcd() | 0
sample.first(1, 2, 3) | 102
sample.first(1) | 100
sample.texts('a', None) | ('a', None)
sample.encode() | ('utf-8', None)
sample.encode('x', errors='y') | ('x', 'y')
sample.data(b'abc') | 2
sample.data(memoryview(b'abc'), n=1) | 4
sample.fill(bytearray(b'a')) | (b'a', 'x')
sample.index(1, -2**80, 2**80) | (-9223372036854775808, 9223372036854775807)
sample.index(1) | (0, 9223372036854775807)
sample.read(None) | 999
sample.read(5) | 1005
sample.unsigned(1, 2, 3, 4, -1) | (1, 2, 3, 4, 4294967295)
sample.mask(-1) | 18446744073709551615
sample.number(-1, -2, -3, -4, []) | (-1, -2, -3, -4, 0)
sample.custom(4) | 4
sample.unnamed(3) | 3
sample.counted(3, text='x') | 4
sample.Thing(5)(2) | 7
sample.Thing(5)(2, times=3) | 11
sample.group('m') | (0, 'm', 0)
sample.group(3, 'm') | (3, 'm', 1)
sample.Thing(5, c=True).value | -5
sample.Thing(5, 'x').b | 'x'
sample.Thing.__new__(sample.Thing, 5, c=1).value | -5
sample.Thing.make(5).value | 5
sample.Thing.plain(n=5) | 5
sample.Thing(2).copies(n=3).value | 6
sample.Thing(2).more(3).value | 8
sample.Thing(2).merge(sample.Thing(3)).value | 5
type('B', (sample.Bare,), {'__init__': lambda self, x, y: None})(1, y=2) is not None | True
sample.Thing.__text_signature__ | '(a, b=None, *, c=False)'
sample.Thing.__doc__ | 'A thing.'
sample.Thing.add.__doc__ | 'Add n.'
sample.Thing.add.__text_signature__ | '($self, n=1, /)'
sample.Thing.make.__text_signature__ | '($type, n, /)'
sample.Thing.plain.__text_signature__ | '(n)'
sample.show.__text_signature__ | "($module, /, *args, sep=' ', end='\\\\n', flush=False)"
sample.group.__text_signature__ | None
"""


def cases(table):
    for line in table.strip().split("\n"):
        yield [part.strip() for part in line.split(" | ")]


class ParserTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        include = os.environ.get("BINDINGS_INCLUDE") or sysconfig.get_paths()["include"]
        if sys.version_info < (3, 13) or not Path(include, "Python.h").exists():
            raise unittest.SkipTest("needs the headers of a 3.13 interpreter")
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        out = Path(cls.folder.name)
        subprocess.run([sys.executable, GENERATOR, HERE / "bindings" / "sample.bind",
                        "-o", out / "sample.bind.h"], check=True)
        subprocess.run([
            *shlex.split(os.environ.get("CC", "gcc")), "-std=gnu17", "-g", "-O1", "-Wall",
            "-Wextra", "-Werror", "-shared", "-fPIC", f"-I{include}", f"-I{include}/..",
            f"-I{ROOT}", f"-I{out}", HERE / "bindings" / "sample.c",
            ROOT / "objects" / "bindings.c", "-o", out / "sample.so"], check=True)
        sys.path.insert(0, str(out))
        cls.addClassCleanup(sys.path.remove, str(out))
        import sample
        cls.sample = sample

    def evaluate(self, text):
        return eval(text, {"sample": self.sample})

    def test_errors(self):
        for call, kind, message in cases(ERRORS.replace("\\\n", "")):
            with self.subTest(call):
                with self.assertRaises(Exception) as caught:
                    self.evaluate(call)
                self.assertEqual((type(caught.exception).__name__, str(caught.exception)),
                                 (kind, message))

    def test_results(self):
        for call, shown in cases(RESULTS):
            with self.subTest(call):
                self.assertEqual(repr(self.evaluate(call)), shown)

    def test_writable_buffer_is_released(self):
        target = bytearray(b"abc")
        self.assertEqual(self.sample.into(target), 3)
        target += b"d"  # raises BufferError if an export were left
        self.assertEqual(target, b"xxxd")

    def test_setter(self):
        thing = self.sample.Thing(1)
        thing.value = 7
        self.assertEqual(thing.value, 7)
        with self.assertRaisesRegex(AttributeError, "cannot delete attribute 'value'"):
            del thing.value
        with self.assertRaises(TypeError):
            thing.value = "x"

    def test_audit(self):
        seen = []
        sys.addaudithook(lambda event, args: seen.append((event, args))
                         if event.startswith("sample.") else None)
        self.sample.opened("p", "r", 3)
        self.assertEqual(seen, [("sample.open", ("p", "r", 3))])

    def test_references_stay_level(self):
        value = object()
        before = sys.getrefcount(value)
        for _ in range(100):
            self.sample.maybe(value, value)
            self.sample.Thing(1, value)
        self.assertEqual(sys.getrefcount(value), before)


if __name__ == "__main__":
    unittest.main()
