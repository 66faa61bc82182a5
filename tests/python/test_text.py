"""Text and bytes: cases that once went wrong, and those that upstream's tests do not reach."""
import codecs
import unicodedata
import unittest


class StrTest(unittest.TestCase):
    def test_title_after_cased_modifier_letter(self):
        # U+02B0 is both cased and ignorable: cased counts for title(), ignorable for final sigma.
        self.assertEqual("\u02b0aB".title(), "\u02b0ab")
        self.assertEqual("A\u02b0\u03a3".lower(), "a\u02b0\u03c2")
        self.assertEqual("\u02b0\u03a3".lower(), "\u02b0\u03c3")

    def test_normal_form_through_compatible_parts(self):
        self.assertFalse(unicodedata.is_normalized("NFKC", "\u0385"))
        self.assertEqual(unicodedata.normalize("NFKC", "\u0385"), " \u0308\u0301")

    def test_replace_narrows(self):
        text = "abc\U0001f600".replace("\U0001f600", "d")
        self.assertEqual(text, "abcd")
        self.assertTrue(text.isascii())

    def test_append_in_place_keeps_other_names(self):
        a = "x" * 100
        b = a
        a += "y"
        self.assertEqual(len(b), 100)
        self.assertEqual(a, b + "y")

    def test_sole_field_is_the_value(self):
        text = "".join(["ab", "cde"])
        self.assertIs("%s" % (text,), text)
        self.assertIs("{}".format(text), text)


class PercentTest(unittest.TestCase):
    def test_mapping_value_is_used_once(self):
        self.assertEqual("%s %(a)s" % {"a": 1}, "{'a': 1} 1")
        for template in ("%(a)s %s", "%(a)*d"):
            with self.assertRaisesRegex(TypeError, "not enough arguments"):
                template % {"a": 1}

    def test_percent_sign_takes_no_flags(self):
        self.assertEqual("%%" % (), "%")
        with self.assertRaisesRegex(ValueError, r"unsupported format character '%' \(0x25\)"):
            "% %" % 1


class CodecTest(unittest.TestCase):
    def test_cut_off_surrogate_waits(self):
        decoder = codecs.getincrementaldecoder("utf-8")("surrogatepass")
        self.assertEqual([decoder.decode(bytes([b])) for b in b"\xed\xa0\x80"], ["", "", "\ud800"])

    def test_utf7_encodes_delete(self):
        self.assertEqual("\x7f".encode("utf-7"), b"+AH8-")

    def test_surrogatepass_knows_short_names(self):
        self.assertEqual("\ud800".encode("utf-16le", "surrogatepass"), b"\x00\xd8")

    def test_handler_may_replace_the_input(self):
        def handler(error):
            error.object = b"12"
            return "?", 0
        codecs.register_error("test.replace-input", handler)
        self.assertEqual(b"ab\xff".decode("ascii", "test.replace-input"), "ab?12")


class BytesTest(unittest.TestCase):
    def test_slots_survive_copies(self):
        import copy

        class Array(bytearray):
            __slots__ = ("x", "__dict__")
        a = Array(b"ab")
        a.x = 1
        self.assertEqual(copy.copy(a).x, 1)

    def test_empty_assignment_deletes_extended_slice(self):
        b = bytearray(b"abcdef")
        b[::2] = b""
        self.assertEqual(b, b"bdf")


class MemoryViewTest(unittest.TestCase):
    def test_index_may_release_the_view(self):
        class Index:
            def __index__(self):
                view.release()
                return 0
        view = memoryview(bytearray(4)).cast("B", (2, 2))
        with self.assertRaisesRegex(ValueError, "operation forbidden"):
            view[0, Index()]
        view = memoryview(bytearray(4))
        with self.assertRaisesRegex(ValueError, "operation forbidden"):
            view[:Index()] = b""


if __name__ == "__main__":
    unittest.main()
