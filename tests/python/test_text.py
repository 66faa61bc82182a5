"""Text and bytes: cases that once went wrong, and those that upstream's tests do not reach."""
import codecs
import json
import random
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


def places_of(text, part):
    """Where `part` stands, without overlaps, by the plainest of ways."""
    found, at = [], 0
    while at + len(part) <= len(text):
        if text[at:at + len(part)] == part:
            found.append(at)
            at += len(part)
        else:
            at += 1
    return found


class SearchTest(unittest.TestCase):
    """What looks at 8, 16 or 32 characters at a time, against models that look at one."""

    def setUp(self):
        self.random = random.Random(5)

    def some_text(self, alphabet, most):
        return "".join(self.random.choice(alphabet) for _ in range(self.random.randrange(most)))

    def test_places(self):
        for _ in range(1500):
            alphabet = self.random.choice(["ab", "abc", "aé", "a☕b", "ab\U0001f600"])
            text = self.some_text(alphabet, 140)
            part = self.some_text(alphabet, 6) or "a"
            new = self.random.choice(["", "x", "é", "☕☕", "abcdefghijklmnopqrstuvw"])
            places = places_of(text, part)
            self.assertEqual(text.count(part), len(places))
            self.assertEqual(text.find(part), places[0] if places else -1)
            for limit in -1, 0, 1, len(places):
                pieces, at = [], 0
                for place in places if limit < 0 else places[:limit]:
                    pieces.append(text[at:place])
                    at = place + len(part)
                pieces.append(text[at:])
                self.assertEqual(text.split(part, limit), pieces)
                self.assertEqual(text.replace(part, new, limit), new.join(pieces))

    def test_more_places_than_are_kept(self):
        text = "ab" * 5000 + "x"
        self.assertEqual(text.count("ab"), 5000)
        self.assertEqual(text.replace("ab", "c"), "c" * 5000 + "x")
        self.assertEqual(text.replace("ab", "cde", 70), "cde" * 70 + "ab" * 4930 + "x")
        self.assertEqual(text.split("ab"), [""] * 5000 + ["x"])
        self.assertEqual(("a" * 100000).find("a" * 500 + "b"), -1)

    def test_split_from_both_sides(self):
        for _ in range(300):
            text = self.some_text(" ab,é\n", 200)
            for limit in -1, 1, 30:
                backwards = [piece[::-1] for piece in text[::-1].split(None, limit)][::-1]
                self.assertEqual(text.rsplit(None, limit), backwards)
            self.assertEqual(text.split(), text.rsplit())

    def test_lines_and_case_at_every_offset(self):
        for n in range(70):
            for end in "\n\r\v\f\x1c\x1d\x1e":
                self.assertEqual(("y" * n + end + "\tz" * n).splitlines(), ["y" * n] + ["\tz" * n] * (n > 0))
            text = "aZ[`{@" * n
            self.assertEqual(text.swapcase(), "".join(c.swapcase() for c in text))

    def test_utf8(self):
        for _ in range(2000):
            text = self.some_text(self.random.choice(["abcdefgé", "abcdef☕日", "éüß", "ab\U0001f600é☕"]), 60)
            data = b"".join(chr(ord(c)).encode("utf-16-le").decode("utf-16-le").encode() for c in text)
            self.assertEqual(text.encode(), data)
            self.assertEqual(data.decode(), text)
            at = self.random.randrange(len(data) + 1)
            for bad in b"\xff", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80":
                with self.assertRaises(UnicodeDecodeError) as caught:
                    (data[:at] + bad + data[at:]).decode()
                data[:caught.exception.start].decode()

    def test_json_strings_at_every_offset(self):
        for n in range(40):
            for special in '"', "\\", "\x1f", "\x7f", "é", "☕":
                value = {"k" * n + special: ["v" * n + special + "w" * n, "k" * n]}
                for ascii_only in True, False:
                    self.assertEqual(json.loads(json.dumps([value] * 2, ensure_ascii=ascii_only)), [value] * 2)
            self.assertEqual(json.loads('"' + "a" * n + '\0"', strict=False), "a" * n + "\0")

    def test_json_sees_cycles_only(self):
        shared = [1]
        self.assertEqual(json.dumps([shared, shared]), "[[1], [1]]")
        shared.append({"a": shared})
        with self.assertRaisesRegex(ValueError, "Circular reference"):
            json.dumps(shared)


class FormatTest(unittest.TestCase):
    def test_keywords_are_told_by_their_characters(self):
        self.assertEqual("{é}{a}☕{b.real}".format(a=1, b=2, é=3), "31☕2")
        with self.assertRaises(KeyError) as caught:
            "{(1, 2)}".format(a=1)
        self.assertEqual(caught.exception.args, ("(1, 2)",))
        self.assertEqual("{a:{b}}".format_map({"a": 1, "b": 3}), "  1")


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
