"""The C API as extensions see it, through the module capi_probe."""
import array
import copy
import gc
import subprocess
import sys
import sysconfig
import unittest

import capi_probe as probe


class Message(unittest.TestCase):
    """assertMessage(exception, text, function, *args): the text word for word."""

    def assertMessage(self, exception, text, function, *args):
        with self.assertRaises(exception) as caught:
            function(*args)
        self.assertEqual(str(caught.exception), text)


class Arguments(Message):
    def parse(self, format, *args):
        return probe.parse_tuple(format, args)

    def test_numbers(self):
        self.assertEqual(self.parse("bhil", 255, -5, 7, -2**63), [255, -5, 7, -2**63])
        self.assertEqual(self.parse("BHI", -1, -1, 2**32 + 5), [255, 65535, 5])
        self.assertEqual(self.parse("kKLn", -1, -1, -3, 9), [2**64 - 1, 2**64 - 1, -3, 9])
        self.assertEqual(self.parse("fdD", 1, 2.5, 3), [1.0, 2.5, 3 + 0j])
        self.assertEqual(self.parse("ppc", [], "x", b"z"), [0, 1, b"z"])
        self.assertEqual(self.parse("C", "\u1234"), [0x1234])

    def test_numbers_out_of_range(self):
        for format, value, text in (
            ("b", -1, "unsigned byte integer is less than minimum"),
            ("b", 256, "unsigned byte integer is greater than maximum"),
            ("h", 2**15, "signed short integer is greater than maximum"),
            ("i", -2**31 - 1, "signed integer is less than minimum"),
            ("l", 2**63, "Python int too large to convert to C long"),
        ):
            self.assertMessage(OverflowError, text, self.parse, format, value)
        self.assertMessage(TypeError, "argument 1 must be int, not float", self.parse, "k", 1.5)

    def test_text(self):
        self.assertEqual(self.parse("szz", "ab", "cd", None), [b"ab", b"cd", None])
        self.assertEqual(self.parse("s#", b"ab\0"), [b"ab", 3])
        self.assertEqual(self.parse("s*z*y*", "\xe9", None, bytearray(b"x")),
                         [b"\xc3\xa9", None, b"x"])
        self.assertEqual(self.parse("es", "\xe9"), [b"\xe9"])
        self.assertEqual(self.parse("et", b"raw"), [b"raw"])
        self.assertMessage(ValueError, "embedded null character", self.parse, "s", "a\0b")
        self.assertMessage(ValueError, "embedded null byte", self.parse, "y", b"a\0b")
        self.assertMessage(TypeError, "f() argument 1 must be str, not None",
                           self.parse, "s:f", None)
        self.assertMessage(TypeError, "argument 1 must be str or None, not int",
                           self.parse, "z", 5)
        self.assertMessage(TypeError, "argument 1 must be read-only bytes-like object, "
                           "not bytearray", self.parse, "y", bytearray())
        self.assertMessage(TypeError, "argument 1 must be read-write bytes-like object, "
                           "not bytes", self.parse, "w*", b"")

    def test_objects(self):
        thing = object()
        self.assertIs(self.parse("O", thing)[0], thing)
        self.assertEqual(self.parse("O!O&", 5, 7), [5, 7])
        self.assertMessage(TypeError, "argument 1 must be int, not str", self.parse, "O!", "x")
        self.assertMessage(TypeError, "argument 1 must be bytes, not str", self.parse, "S", "x")
        self.assertMessage(SystemError, "argument 1 (unspecified)", self.parse, "O&", 13)

    def test_views_are_released_when_a_later_argument_is_wrong(self):
        data = bytearray(b"abc")
        with self.assertRaises(TypeError):
            self.parse("y*w*i", data, data, "x")
        data.append(1)   # BufferError while a view is held

    def test_nested(self):
        self.assertEqual(self.parse("(i(ii))i", (1, [2, 3]), 4), [1, 2, 3, 4])
        self.assertMessage(TypeError, "argument 1, item 1 must be 2-item sequence, not int",
                           self.parse, "(i(ii))", (1, 2))
        self.assertMessage(TypeError, "argument 1 must be sequence of length 2, not 3",
                           self.parse, "(ii)", (1, 2, 3))

    def test_counts(self):
        self.assertEqual(self.parse("i|i", 1), [1, 0])
        self.assertMessage(TypeError, "function takes exactly 2 arguments (1 given)",
                           self.parse, "ii", 1)
        self.assertMessage(TypeError, "f() takes at least 1 argument (0 given)",
                           self.parse, "i|i:f")
        self.assertMessage(TypeError, "f() takes at most 2 arguments (3 given)",
                           self.parse, "i|i:f", 1, 2, 3)
        self.assertMessage(TypeError, "only one, please", self.parse, "i;only one, please")

    def test_one_object(self):
        self.assertEqual(probe.parse_object("i", 5), [5])
        self.assertEqual(probe.parse_object("(ii)", (1, 2)), [1, 2])
        self.assertMessage(TypeError, "f() argument must be str, not int",
                           probe.parse_object, "s:f", 5)

    def test_unpack(self):
        self.assertEqual(probe.unpack_tuple((1, 2), 1, 3), (1, 2, None))
        self.assertMessage(TypeError, "probe expected at least 1 argument, got 0",
                           probe.unpack_tuple, (), 1, 3)
        self.assertMessage(TypeError, "probe expected 2 arguments, got 1",
                           probe.unpack_tuple, (1,), 2, 2)


class Keywords(Message):
    def parse(self, format, names, *args, **kwargs):
        return probe.parse_keywords(format, tuple(names.split(",")), args, kwargs)

    def test_by_position_and_name(self):
        self.assertEqual(self.parse("i|ii", "a,b,c", 1, c=3), [1, 0, 3])
        self.assertEqual(self.parse("i|i$i", "a,b,c", 1, 2, c=3), [1, 2, 3])
        self.assertEqual(self.parse("ii", ",b", 1, b=2), [1, 2])

    def test_errors(self):
        for text, arguments, kwargs in (
            ("f() missing required argument 'b' (pos 2)", ("ii:f", "a,b", 1), {}),
            ("f() takes at most 2 arguments (3 given)", ("ii:f", "a,b", 1, 2, 3), {}),
            ("f() got an unexpected keyword argument 'z'", ("i|i:f", "a,b", 1), {"z": 1}),
            ("argument for f() given by name ('a') and position (1)",
             ("i|i:f", "a,b", 1), {"a": 1}),
            ("f() takes at most 1 positional argument (2 given)", ("i|$i:f", "a,b", 1, 2), {}),
            ("f() takes exactly 1 positional argument (2 given)", ("i$i:f", "a,b", 1, 2), {}),
            ("f() takes no positional arguments", ("|$i:f", "a", 1), {}),
            ("f() takes at least 1 positional argument (0 given)", ("i|i:f", ",b"), {}),
            ("f() takes exactly 2 positional arguments (1 given)", ("ii:f", ",", 1), {}),
        ):
            with self.subTest(text):
                self.assertMessage(TypeError, text, lambda: self.parse(*arguments, **kwargs))

    def test_wrong_formats(self):
        self.assertMessage(SystemError, "Invalid format string (| specified twice)",
                           self.parse, "|i|i", "a,b", 1, 2)
        self.assertMessage(SystemError, "More keyword list entries (2) than format "
                           "specifiers (1)", self.parse, "i", "a,b", 1)
        self.assertMessage(SystemError, "Empty keyword parameter name", self.parse, "ii", "a,", 1)


class Values(Message):
    def test_shapes(self):
        for kind, format, value in (
            ("ints", "", None), ("ints", "i", 1), ("ints", "ii", (1, 2)), ("ints", "(i)", (1,)),
            ("ints", "[i(ii)]", [1, (2, 3)]), ("ints", "{i:i,i:i}", {1: 2, 3: 4}),
            ("ints", "()", ()), ("ints", "c", b"\1"), ("ints", "C", "\1"),
            ("negative", "bBhi", (-1, -1, -1, -1)), ("negative", "HI", (2**32 - 1, 2**32 - 1)),
            ("texts", "szUy", ("ab", "cd", "ef", b"gh")), ("sized", "s#z#", ("ab", None)),
            ("floats", "dfD", (1.5, 2.5, 1 - 2j)), ("wide", "uu#", ("\xe9t\xe9", "a")),
            ("convert", "O&Lln", ("made", -5, -6, -7)), ("objects", "OSO", (None, True, False)),
        ):
            with self.subTest(kind=kind, format=format):
                self.assertEqual(probe.build(kind, format), value)

    def test_errors(self):
        for format, text in (
            ("(i", "unmatched paren in format"), ("{iii}", "Bad dict format"),
            ("iq", "bad format char passed to Py_BuildValue"),
        ):
            self.assertMessage(SystemError, text, probe.build, "ints", format)
        self.assertMessage(SystemError, "NULL object passed to Py_BuildValue",
                           probe.build, "new", "NON")


class Abstract(Message):
    def test_reflected_operator_of_a_subclass_comes_first(self):
        class Number(int):
            def __radd__(self, other):
                return "reflected"
        self.assertEqual(probe.number_add(1, Number(2)), "reflected")
        self.assertEqual(probe.number_add(Number(1), 2), 3)

    def test_operators_of_sequences(self):
        self.assertEqual(probe.number_add([1], [2]), [1, 2])
        self.assertEqual(probe.number_multiply(2, "ab"), "abab")
        items = [1]
        self.assertIs(probe.number_inplace_add(items, [2]), items)
        self.assertMessage(TypeError, "can't multiply sequence by non-int of type 'str'",
                           probe.number_multiply, "a", "b")
        self.assertMessage(TypeError, "'int' object can't be concatenated",
                           probe.sequence_concat, 1, 2)

    def test_unsupported_operands(self):
        self.assertMessage(TypeError, "unsupported operand type(s) for +: 'int' and 'str'",
                           probe.number_add, 1, "x")
        self.assertMessage(TypeError, "unsupported operand type(s) for +=: 'int' and 'str'",
                           probe.number_inplace_add, 1, "x")
        self.assertMessage(TypeError, "unsupported operand type(s) for ** or pow(): "
                           "'str' and 'int'", probe.number_power, "x", 1, None)
        self.assertMessage(TypeError, "unsupported operand type(s) for >>: "
                           "'builtin_function_or_method' and 'int'. Did you mean "
                           "\"print(<message>, file=<output_stream>)\"?",
                           probe.number_rshift, print, 1)
        self.assertMessage(TypeError, "bad operand type for unary -: 'str'",
                           probe.number_negative, "x")

    def test_conversion(self):
        class Index:
            def __index__(self):
                return 7
        self.assertIs(type(probe.number_index(True)), int)
        self.assertEqual(probe.number_float(Index()), 7.0)
        self.assertMessage(TypeError, "'str' object cannot be interpreted as an integer",
                           probe.number_index, "x")

    def test_items(self):
        class Generic:
            def __class_getitem__(cls, key):
                return key
        self.assertEqual(probe.object_get_item(Generic, 5), 5)
        self.assertEqual(repr(probe.object_get_item(type, int)), "type[int]")
        self.assertMessage(TypeError, "type 'int' is not subscriptable",
                           probe.object_get_item, int, 1)
        self.assertMessage(TypeError, "'int' object is not subscriptable",
                           probe.object_get_item, 1, 1)

    def test_format(self):
        self.assertEqual(probe.object_format(255, "#x"), "0xff")
        self.assertMessage(SystemError, "Format specifier must be a string, not int",
                           probe.object_format, 1, 1)

    def test_iteration(self):
        self.assertEqual(probe.sequence_list("ab"), ["a", "b"])
        self.assertEqual(probe.sequence_tuple(range(3)), (0, 1, 2))
        self.assertMessage(TypeError, "'int' object is not iterable", probe.get_iter, 1)
        self.assertEqual(probe.mapping_items({"a": 1}), [("a", 1)])
        self.assertEqual(probe.length_hint(iter([1, 2])), 2)
        self.assertEqual(probe.length_hint(object()), 99)

        def generator():
            got = yield 1
            return got
        running = generator()
        self.assertEqual(probe.send(running, None), ("next", 1))
        self.assertEqual(probe.send(running, "end"), ("return", "end"))

    def test_calls(self):
        def function(*args, **kwargs):
            return args, kwargs

        class Callable:
            def __call__(self, *args, **kwargs):
                return args, kwargs
        for target in (function, Callable()):
            self.assertEqual(probe.call_format(target, "ii"), ((1, 2), {}))
            self.assertEqual(probe.call_format(target, "(ii)"), ((1, 2), {}))
            self.assertEqual(probe.vectorcall(target, (1, 2), ("b",)), ((1,), {"b": 2}))
            self.assertEqual(probe.vectorcall_dict(target, (1,), {"b": 2}), ((1,), {"b": 2}))
        self.assertMessage(TypeError, "'int' object is not callable", probe.call_format, 5, "")
        self.assertMessage(TypeError, "keywords must be strings",
                           probe.vectorcall_dict, function, (), {1: 2})


class Buffers(Message):
    FULL_RO = 0x11c

    def test_contiguity(self):
        grid = memoryview(bytes(6)).cast("B", (2, 3))
        self.assertEqual(probe.contiguity(b"abc", self.FULL_RO), "CFA")
        self.assertEqual(probe.contiguity(grid, self.FULL_RO), "CA")
        self.assertEqual(probe.contiguity(memoryview(b"abcd")[::2], self.FULL_RO), "")
        self.assertMessage(TypeError, "a bytes-like object is required, not 'str'",
                           probe.contiguity, "x", 0)

    def test_orders(self):
        grid = memoryview(b"abcdef").cast("B", (2, 3))
        self.assertEqual(probe.pack(grid, "C"), b"abcdef")
        self.assertEqual(probe.pack(grid, "F"), b"adbecf")
        self.assertEqual(probe.pack(memoryview(b"abcdef")[::-2], "C"), b"fdb")

    def test_copy(self):
        target = bytearray(4)
        probe.copy_data(target, memoryview(b"abcdef")[::2])
        self.assertEqual(target, b"ace\0")
        numbers = array.array("i", [0, 0])
        probe.copy_data(numbers, array.array("i", [7, 8]))
        self.assertEqual(list(numbers), [7, 8])
        self.assertMessage(BufferError, "destination is too small to receive data from source",
                           probe.copy_data, bytearray(1), b"ab")
        self.assertMessage(TypeError, "both destination and source must be bytes-like objects",
                           probe.copy_data, 1, b"ab")


class Capsules(Message):
    def test_pointer(self):
        capsule = probe.capsule("named")
        before = probe.capsule_value(capsule, "probe.name")
        self.assertRegex(repr(capsule), r'^<capsule object "probe.name" at 0x[0-9a-f]+>$')
        self.assertRegex(repr(probe.capsule(None)), "^<capsule object NULL at ")
        gc.collect()
        self.assertEqual(probe.capsule_value(capsule, "probe.name"), before + 1)
        self.assertMessage(ValueError, "PyCapsule_GetPointer called with incorrect name",
                           probe.capsule_value, capsule, "other")
        self.assertMessage(ValueError, "PyCapsule_GetPointer called with invalid PyCapsule object",
                           probe.capsule_value, 5, "other")

    def test_import(self):
        self.assertMessage(ImportError, 'PyCapsule_Import could not import module "no_such"',
                           probe.capsule_import, "no_such.name")
        self.assertMessage(AttributeError, 'PyCapsule_Import "gc.collect" is not valid',
                           probe.capsule_import, "gc.collect")


class StructSequences(Message):
    def setUp(self):
        self.type = probe.sequence_type()
        self.pair = self.type((1, 2), {"third": 3})

    def test_items_and_attributes(self):
        self.assertEqual(self.pair, (1, 2))
        self.assertEqual((self.pair.first, self.pair.third, self.pair.fourth), (1, 3, None))
        self.assertEqual((self.type.n_fields, self.type.n_sequence_fields,
                          self.type.n_unnamed_fields), (4, 2, 0))
        self.assertEqual(self.type.__match_args__, ("first", "second"))
        self.assertEqual(repr(self.pair), "probe.pair(first=1, second=2)")
        self.assertEqual(self.type((1, 2, 3, 4)).fourth, 4)

    def test_copies(self):
        again = copy.copy(self.pair)
        self.assertEqual((again, again.third), (self.pair, 3))
        changed = copy.replace(self.pair, second=9, fourth=8)
        self.assertEqual((changed, changed.third, changed.fourth), ((1, 9), 3, 8))
        self.assertMessage(TypeError, "Got unexpected field name(s): ['fifth']",
                           lambda: copy.replace(self.pair, fifth=1))

    def test_errors(self):
        self.assertMessage(TypeError, "probe.pair() takes an at least 2-sequence "
                           "(1-sequence given)", self.type, (1,))
        self.assertMessage(TypeError, "probe.pair() takes an at most 4-sequence "
                           "(5-sequence given)", self.type, range(5))
        self.assertMessage(TypeError, "constructor requires a sequence", self.type, 5)
        self.assertMessage(TypeError, "probe.pair() takes a dict as second arg, if any",
                           self.type, (1, 2), [])
        self.assertMessage(TypeError, "probe.pair() got duplicate or unexpected field name(s)",
                           self.type, (1, 2), {"fifth": 1})

    def test_cycles_are_collected(self):
        class Node:
            deaths = 0

            def __del__(self):
                Node.deaths += 1
        node = Node()
        node.me = self.type((1, 2), {"fourth": node})
        del node
        gc.collect()
        self.assertEqual(Node.deaths, 1)


class GlobalLock(unittest.TestCase):
    """What the import of an extension means for the global lock, in each of the three builds."""

    @staticmethod
    def run_with(*options, text="pass"):
        return subprocess.run([sys.executable, *options, "-c", text], capture_output=True, text=True, timeout=60)

    @classmethod
    def setUpClass(cls):
        cls.build = ("enabled" if not sysconfig.get_config_var("Py_GIL_DISABLED")
                     else "optional" if cls.run_with("-X", "gil=1").returncode == 0 else "disabled")

    def load(self, name, *options):
        """What was said about it, and whether there is a lock now (None: it was not loaded)."""
        done = self.run_with(*options, text=f"import {name}, sys; print(sys._is_gil_enabled())")
        return done.stderr, {"True\n": True, "False\n": False}.get(done.stdout)

    def test_undeclared(self):
        said, lock = self.load("capi_undeclared")
        if self.build == "enabled":
            self.assertEqual((said, lock), ("", True))
        elif self.build == "optional":
            self.assertIn("RuntimeWarning: The global interpreter lock (GIL) has been enabled to load module "
                          "'capi_undeclared', which has not declared that it can run safely without the GIL.", said)
            self.assertTrue(lock)
        else:
            self.assertIn("ImportError: module 'capi_undeclared' has not declared", said)
            self.assertIn("-Dgil=optional", said)
            self.assertIsNone(lock)

    def test_undeclared_and_wanted(self):
        if self.build != "enabled":
            self.assertEqual(self.load("capi_undeclared", "-X", "gil=0"), ("", False))
        if self.build == "optional":
            self.assertEqual(self.load("capi_undeclared", "-X", "gil=1"), ("", True))

    def test_declared(self):
        for name in "capi_probe", "_testcapi": # by a slot, and by a call
            self.assertEqual(self.load(name), ("", self.build == "enabled"))


if __name__ == "__main__":
    unittest.main()
