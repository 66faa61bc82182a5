#!/usr/bin/env python3
"""Writes objects/unicode_data/unicode-15.1.txt, the facts of Unicode that the interpreter needs.

Run once per Unicode version, by an interpreter whose own unicodedata has that version:

    python3.13 tools/derive_unicode.py objects/unicode_data/unicode-15.1.txt

Everything is asked of that interpreter: str methods for casing and classes, the unicodedata module
for the rest, and through ctypes the C functions that Python code cannot reach (simple case
mappings, aliases and named sequences).  The text file is what the tree keeps; gen_unicode.py makes
the C tables from it at build time.  Its sections:

  [characters]  FIRST[-LAST] category bidi combining mirrored width flags upper lower title
                decimal digit numeric          (case mappings as distances, '-' for no value)
  [special]     CODE upper / lower / title / fold   where the full mapping is not the simple one
  [decomposition]  CODE [<tag>] CODES
  [not-composed]   canonical pairs that normalisation never composes
  [names]       CODE NAME        without Hangul syllables and CJK ideographs
  [ranges]      FIRST-LAST PREFIX-   names made of the prefix and the code
  [aliases]     CODE NAME
  [sequences]   CODES ; NAME
  [3.2.0]       FIRST[-LAST] category bidi mirrored width decimal numeric   where version 3.2 differs
  [3.2.0-decomposition]  CODE CODES
"""
import ctypes
import sys
import unicodedata
from fractions import Fraction

LAST = 0x110000
api = ctypes.pythonapi


def c_function(name, result):
    function = getattr(api, name)
    function.restype = result
    function.argtypes = [ctypes.c_uint32]
    return function


FLAGS = [
    ("a", lambda c, o: c.isalpha()),
    ("d", lambda c, o: c.isdecimal()),
    ("g", lambda c, o: c.isdigit()),
    ("n", lambda c, o: c.isnumeric()),
    ("l", lambda c, o: c_lower(o)),
    ("u", lambda c, o: c_upper(o)),
    ("t", lambda c, o: c_title(o)),
    ("s", lambda c, o: c.isspace()),
    ("b", lambda c, o: len(("a" + c + "a").splitlines()) > 1),
    ("p", lambda c, o: c.isprintable()),
    ("i", lambda c, o: c.isidentifier()),
    ("c", lambda c, o: ("a" + c).isidentifier()),
    ("C", lambda c, o: (c + "a").title()[-1] == "a"),
    ("I", lambda c, o: not ends_word(c) and ("A" + c + "\u03a3").lower()[-1] == "\u03c2"),
]
c_lower = c_function("_PyUnicode_IsLowercase", ctypes.c_int)
c_upper = c_function("_PyUnicode_IsUppercase", ctypes.c_int)
c_title = c_function("_PyUnicode_IsTitlecase", ctypes.c_int)
to_lower = c_function("_PyUnicode_ToLowercase", ctypes.c_uint32)
to_upper = c_function("_PyUnicode_ToUppercase", ctypes.c_uint32)
to_title = c_function("_PyUnicode_ToTitlecase", ctypes.c_uint32)


def ends_word(c):
    """Cased and not ignorable: what may stand before a final sigma."""
    return (c + "\u03a3").lower()[-1] == "\u03c2"


def numeric_text(value):
    if value is None:
        return "-"
    return str(Fraction(value).limit_denominator(1000))


def runs(rows):
    """Joins equal rows of neighbouring code points."""
    start, previous = None, None
    for code, row in enumerate(rows):
        if row != previous:
            if previous is not None:
                yield start, code - 1, previous
            start, previous = code, row
    yield start, LAST - 1, previous


def write_runs(out, rows):
    for first, last, row in runs(rows):
        if row:
            place = f"{first:X}" if first == last else f"{first:X}-{last:X}"
            print(place, row, file=out)


def codes_text(text):
    return " ".join(f"{ord(c):X}" for c in text)


def character_row(code):
    c = chr(code)
    flags = "".join(letter for letter, test in FLAGS if test(c, code)) or "-"
    width = unicodedata.east_asian_width(c)
    decimal = unicodedata.decimal(c, None)
    digit = unicodedata.digit(c, None)
    row = [unicodedata.category(c), unicodedata.bidirectional(c) or "-",
           unicodedata.combining(c), unicodedata.mirrored(c), width, flags,
           to_upper(code) - code, to_lower(code) - code, to_title(code) - code,
           "-" if decimal is None else decimal, "-" if digit is None else digit,
           numeric_text(unicodedata.numeric(c, None))]
    return " ".join(map(str, row))


def old_row(code):
    c, old = chr(code), unicodedata.ucd_3_2_0
    new = unicodedata
    row = []
    changed = False
    for ask in (lambda m: m.category(c), lambda m: m.bidirectional(c) or "''",
                lambda m: m.mirrored(c), lambda m: m.east_asian_width(c),
                lambda m: m.decimal(c, None), lambda m: numeric_text(m.numeric(c, None))):
        was, now = ask(old), ask(new)
        changed |= was != now
        row.append("=" if was == now else "-" if was is None else str(was))
    return " ".join(row) if changed else ""


def write_names(out):
    class Capi(ctypes.Structure):
        _fields_ = [("getname", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint32, ctypes.c_char_p,
                                                 ctypes.c_int, ctypes.c_int)),
                    ("getcode", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_int,
                                                 ctypes.POINTER(ctypes.c_uint32), ctypes.c_int))]
    get_pointer = api.PyCapsule_GetPointer
    get_pointer.restype = ctypes.POINTER(Capi)
    get_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    capi = get_pointer(unicodedata._ucnhash_CAPI, b"unicodedata._ucnhash_CAPI").contents

    print("[names]", file=out)
    ranges = []
    for code in range(LAST):
        name = unicodedata.name(chr(code), None)
        if name is None or name.startswith("HANGUL SYLLABLE "):
            continue
        hexa = f"-{code:X}"
        if name == "CJK UNIFIED IDEOGRAPH" + hexa:
            prefix = name.removesuffix(hexa[1:])
            if ranges and ranges[-1][1] == code - 1 and ranges[-1][2] == prefix:
                ranges[-1][1] = code
            else:
                ranges.append([code, code, prefix])
            continue
        print(f"{code:X} {name}", file=out)
    print("[ranges]", file=out)
    for first, last, prefix in ranges:
        print(f"{first:X}-{last:X} {prefix}", file=out)
    buffer = ctypes.create_string_buffer(300)
    aliases, sequences = [], []
    for code in range(0xF0000, 0xF1000):
        if not capi.getname(code, buffer, 300, 1):
            continue
        text = unicodedata.lookup(buffer.value.decode())
        (aliases if len(text) == 1 else sequences).append((codes_text(text), buffer.value.decode()))
    print("[aliases]", file=out)
    for codes, name in aliases:
        print(codes, name, file=out)
    print("[sequences]", file=out)
    for codes, name in sequences:
        print(codes, ";", name, file=out)


def is_fold_special(c, o):
    return c.casefold() != chr(to_lower(o))


def main():
    out = open(sys.argv[1], "w", encoding="ascii")
    print("# Unicode", unicodedata.unidata_version, "as tools/derive_unicode.py wrote it;",
          "the format is described there.", file=out)
    print("[characters]", file=out)
    write_runs(out, [character_row(code) for code in range(LAST)])
    print("[special]", file=out)
    for code in range(LAST):
        c = chr(code)
        full = (c.upper(), c.lower(), c.title(), c.casefold())
        simple = (chr(to_upper(code)), chr(to_lower(code)), chr(to_title(code)),
                  chr(to_lower(code)))
        if full != simple:
            print(f"{code:X}", " / ".join(map(codes_text, full)), file=out)
    print("[decomposition]", file=out)
    for code in range(LAST):
        mapping = unicodedata.decomposition(chr(code))
        if mapping:
            print(f"{code:X}", mapping, file=out)
    print("[not-composed]", file=out)
    for code in range(LAST):
        mapping = unicodedata.decomposition(chr(code)).split()
        if len(mapping) == 2 and not mapping[0].startswith("<"):
            pair = "".join(chr(int(x, 16)) for x in mapping)
            if unicodedata.normalize("NFC", pair) != chr(code):
                print(f"{code:X}", file=out)
    write_names(out)
    print("[3.2.0]", file=out)
    write_runs(out, [old_row(code) for code in range(LAST)])
    print("[3.2.0-decomposition]", file=out)
    for code in range(LAST):
        c = chr(code)
        if unicodedata.ucd_3_2_0.category(c) == "Cn":
            continue
        old = unicodedata.ucd_3_2_0.normalize("NFD", c)
        if old != unicodedata.normalize("NFD", c):
            print(f"{code:X}", codes_text(old), file=out)


main()
