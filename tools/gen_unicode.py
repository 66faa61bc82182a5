#!/usr/bin/env python3
"""Makes the C tables of the Unicode database from objects/unicode_data/unicode-15.1.txt.

    gen_unicode.py DATA types OUT     classes and case mappings, for str
    gen_unicode.py DATA database OUT  categories, decompositions, ..., for unicodedata and normalising
    gen_unicode.py DATA names OUT     names, for unicodedata and \\N{...}

Tables over all code points are two-stage: `index1[code >> SHIFT]` names a block of `index2`, whose
entry is a row of a table of distinct records.
"""
import sys
from fractions import Fraction

LAST = 0x110000
SHIFT = 7
BLOCK = 1 << SHIFT


def read_sections(path):
    sections, current = {}, None
    with open(path, encoding="ascii") as file:
        for line in file:
            line = line.rstrip("\n")
            if line.startswith("["):
                current = sections.setdefault(line[1:-1], [])
            elif line and not line.startswith("#"):
                current.append(line)
    return sections


def span(text):
    first, _, last = text.partition("-")
    return int(first, 16), int(last or first, 16)


def codes(text):
    return [int(word, 16) for word in text.split()]


def c_type(numbers):
    low, high = min(numbers, default=0), max(numbers, default=0)
    if low < 0:
        return "int8_t" if high < 128 and low >= -128 else "int16_t" if high < 32768 else "int32_t"
    return "uint8_t" if high < 256 else "uint16_t" if high < 65536 else "uint32_t"


def array(out, name, numbers, ctype=None):
    print(f"static const {ctype or c_type(numbers)} {name}[{max(len(numbers), 1)}] = {{", file=out)
    line = "   "
    for number in numbers:
        word = f" {number},"
        if len(line) + len(word) > 98:
            print(line, file=out)
            line = "   "
        line += word
    print(line, file=out)
    print("};", file=out)


def structs(out, kind, name, rows):
    print(f"static const {kind} {name}[{max(len(rows), 1)}] = {{", file=out)
    for row in rows:
        print("    {" + ", ".join(map(str, row)) + "},", file=out)
    print("};", file=out)


def two_stage(out, name, per_code):
    """Writes the two index tables of a list with one number for each code point."""
    blocks, index1 = {}, []
    index2 = []
    for start in range(0, LAST, BLOCK):
        block = tuple(per_code[start:start + BLOCK])
        if block not in blocks:
            blocks[block] = len(index2) // BLOCK
            index2.extend(block)
        index1.append(blocks[block])
    print(f"#define {name.upper()}_SHIFT {SHIFT}", file=out)
    array(out, f"{name}_index1", index1)
    array(out, f"{name}_index2", index2)


class Records:
    """Distinct rows, numbered in order of appearance."""

    def __init__(self, first):
        self.rows = [first]
        self.number = {first: 0}

    def add(self, row):
        if row not in self.number:
            self.number[row] = len(self.rows)
            self.rows.append(row)
        return self.number[row]


FLAG_BITS = {letter: 1 << bit for bit, letter in enumerate("adgnlutsbpicCI")}


def fraction_text(text):
    value = Fraction(text)
    return f"{value.numerator}.0" + (f" / {value.denominator}.0" if value.denominator != 1 else "")


def make_types(sections, out):
    special = {}
    special_rows = [((0, 0, 0),) * 4]
    for line in sections["special"]:
        code, _, rest = line.partition(" ")
        parts = [codes(part) for part in rest.split("/")]
        special[int(code, 16)] = len(special_rows)
        special_rows.append(tuple(tuple(part + [0] * (3 - len(part))) for part in parts))
    records = Records((0, 0, 0, 0, 0, 255, 255))
    per_code = [0] * LAST
    numeric = []
    for line in sections["characters"]:
        place, _, _, _, _, _, flags, upper, lower, title, decimal, digit, number = line.split()
        first, last = span(place)
        bits = sum(FLAG_BITS[flag] for flag in flags if flag != "-")
        for code in range(first, last + 1):
            per_code[code] = records.add((bits, special.get(code, 0), int(upper), int(lower),
                                          int(title), 255 if decimal == "-" else int(decimal),
                                          255 if digit == "-" else int(digit)))
            if number != "-":
                numeric.append((code, fraction_text(number)))
    for bit, name in enumerate(("ALPHA", "DECIMAL", "DIGIT", "NUMERIC", "LOWER", "UPPER", "TITLE",
                                "SPACE", "LINEBREAK", "PRINTABLE", "ID_START", "ID_CONTINUE",
                                "CASED", "CASE_IGNORABLE")):
        print(f"#define UNICODE_{name} {1 << bit}", file=out)
    print("""
struct unicode_record {
    uint16_t flags;
    uint16_t special; /* row of unicode_specials, or 0 */
    int32_t upper, lower, title; /* distance to the simple mapping */
    uint8_t decimal, digit; /* 255: none */
};

/* Full case mappings; unused places are 0. */
struct unicode_special {
    uint32_t upper[3], lower[3], title[3], fold[3];
};

struct unicode_number {
    uint32_t code;
    double value;
};
""", file=out)
    two_stage(out, "unicode_record", per_code)
    print("const uint16_t char_latin1_flags[256] = {" +
          ", ".join(str(records.rows[per_code[code]][0]) for code in range(256)) + "};", file=out)
    structs(out, "struct unicode_record", "unicode_records", records.rows)
    structs(out, "struct unicode_special", "unicode_specials",
            [["{" + ", ".join(map(str, part)) + "}" for part in row] for row in special_rows])
    structs(out, "struct unicode_number", "unicode_numbers", numeric)


def make_database(sections, out):
    categories, bidis, widths = ["Cn"], [""], ["N"]

    def number(names, name):
        if name not in names:
            names.append(name)
        return names.index(name)

    decomposition = {}
    tags = [""]
    for line in sections["decomposition"]:
        code, _, rest = line.partition(" ")
        tag = ""
        if rest.startswith("<"):
            tag, _, rest = rest.partition(" ")
        decomposition[int(code, 16)] = (tag, codes(rest))
    not_composed = {int(line, 16) for line in sections["not-composed"]}
    pairs = {tuple(to): code for code, (tag, to) in decomposition.items()
             if not tag and len(to) == 2 and code not in not_composed}
    seconds = {second for _, second in pairs} | set(range(0x1161, 0x1176)) | \
        set(range(0x11A8, 0x11C3))

    def compatible(code):
        """Whether the full decomposition takes compatibility mappings."""
        tag, to = decomposition.get(code, ("", ()))
        return tag != "" or any(compatible(part) for part in to)

    # One record per code point; the quick-check bits say where normalising has work to do.
    records = Records((0, 0, 0, 0, 0, 0))
    per_code = [0] * LAST
    for line in sections["characters"]:
        place, category, bidi, combining, mirrored, width = line.split()[:6]
        first, last = span(place)
        for code in range(first, last + 1):
            hangul = 0xAC00 <= code <= 0xD7A3
            tag, to = decomposition.get(code, ("", None))
            canonical = to is not None and not tag
            quick = 0
            if canonical or hangul:
                quick |= 1  # NFD: no
            if to is not None or hangul:
                quick |= 2  # NFKD: no
            if canonical and tuple(to) not in pairs:
                quick |= 4  # NFC: no
            if to is not None and (tuple(to) not in pairs or compatible(code)):
                quick |= 8  # NFKC: no
            if code in seconds:
                quick |= 16  # may combine with what stands before
            per_code[code] = records.add((number(categories, category),
                                          number(bidis, "" if bidi == "-" else bidi),
                                          int(combining), int(mirrored), number(widths, width),
                                          quick))
    old = Records((255, 255, 255, 255, 255, -1))
    old_numbers = ["-1.0"]
    old_per_code = [0] * LAST
    for line in sections["3.2.0"]:
        place, category, bidi, mirrored, width, decimal, numeric = line.split()
        first, last = span(place)
        row = (255 if category == "=" else number(categories, category),
               255 if bidi == "=" else number(bidis, "" if bidi == "''" else bidi),
               255 if mirrored == "=" else int(mirrored),
               255 if width == "=" else number(widths, width),
               255 if decimal == "=" else 254 if decimal == "-" else int(decimal),
               -1 if numeric == "=" else -2 if numeric == "-" else int(Fraction(numeric)))
        for code in range(first, last + 1):
            old_per_code[code] = old.add(row)

    data, per_code_decomposition = [0], [0] * LAST
    for code, (tag, to) in sorted(decomposition.items()):
        per_code_decomposition[code] = len(data)
        data.append(number(tags, tag) << 8 | len(to))
        data.extend(to)

    print("""
struct unicode_entry {
    uint8_t category, bidi, combining, mirrored, width;
    uint8_t quick; /* 1: not NFD, 2: not NFKD, 4: not NFC, 8: not NFKC, 16: may combine backwards */
};

/* What version 3.2.0 said: 255 and -1 where it agrees, 254 and -2 for no value. */
struct unicode_old_entry {
    uint8_t category, bidi, mirrored, width, decimal;
    int64_t numeric;
};

struct unicode_pair {
    uint32_t first, second, composed;
};

struct unicode_correction {
    uint32_t code, old;
};
""", file=out)
    for name, names in (("categories", categories), ("bidis", bidis), ("widths", widths),
                        ("tags", tags)):
        print(f"static const char *const unicode_{name}[] = {{" +
              ", ".join(f'"{name}"' for name in names) + "};", file=out)
    two_stage(out, "unicode_entry", per_code)
    structs(out, "struct unicode_entry", "unicode_entries", records.rows)
    two_stage(out, "unicode_old", old_per_code)
    structs(out, "struct unicode_old_entry", "unicode_old_entries", old.rows)
    print("/* tag << 8 | count, then the characters; place 0 is 'none' */", file=out)
    two_stage(out, "unicode_decomposition", per_code_decomposition)
    array(out, "unicode_decomposition_data", data)
    print("/* sorted by first, then second */", file=out)
    structs(out, "struct unicode_pair", "unicode_pairs",
            [(a, b, c) for (a, b), c in sorted(pairs.items())])
    structs(out, "struct unicode_correction", "unicode_corrections",
            [codes(line) for line in sections["3.2.0-decomposition"]])


def name_hash(name):
    value = 0x811C9DC5
    for byte in name.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


SHORT = 160  # words with a one-byte number


def make_names(sections, out):
    names = []
    for line in sections["names"]:
        code, _, name = line.partition(" ")
        names.append((int(code, 16), name))
    named = len(names)
    aliases = []
    for line in sections["aliases"]:
        code, _, name = line.partition(" ")
        aliases.append(int(code, 16))
        names.append((None, name))
    sequence_data, sequence_starts = [], []
    for line in sections["sequences"]:
        to, _, name = line.partition(" ; ")
        sequence_starts.append(len(sequence_data))
        sequence_data.extend(codes(to))
        names.append((None, name))
    sequence_starts.append(len(sequence_data))

    counts = {}
    for _, name in names:
        for word in name.split(" "):
            counts[word] = counts.get(word, 0) + 1
    words = sorted(counts, key=lambda word: (-counts[word], word))
    number = {word: i for i, word in enumerate(words)}
    assert len(words) <= SHORT + (256 - SHORT) * 256
    text, starts = [], []
    for _, name in names:
        starts.append(len(text))
        for word in name.split(" "):
            i = number[word]
            if i < SHORT:
                text.append(i)
            else:
                i -= SHORT
                text += [SHORT + (i >> 8), i & 255]
    starts.append(len(text))
    word_starts, letters = [], ""
    for word in words:
        word_starts.append(len(letters))
        letters += word
    word_starts.append(len(letters))

    spans = []
    for i in range(named):
        code = names[i][0]
        if spans and spans[-1][1] == code - 1:
            spans[-1][1] = code
        else:
            spans.append([code, code, i])
    size = 1 << 17
    table = [0] * size
    for i, (_, name) in enumerate(names):
        place = name_hash(name) & (size - 1)
        while table[place]:
            place = (place + 1) & (size - 1)
        table[place] = i + 1

    print("""
struct unicode_span {
    uint32_t first, last, base; /* codes, and the number of the first one's name */
};

struct unicode_name_range {
    uint32_t first, last;
};
""", file=out)
    print(f"#define UNICODE_NAMED {named}", file=out)
    print(f"#define UNICODE_ALIASES {len(aliases)}", file=out)
    print(f"#define UNICODE_SEQUENCES {len(sequence_starts) - 1}", file=out)
    print(f"#define UNICODE_SHORT_WORDS {SHORT}", file=out)
    print(f"#define UNICODE_NAME_MAX {max(len(name) for _, name in names)}", file=out)
    print(f"#define UNICODE_NAME_TABLE {size}", file=out)
    structs(out, "struct unicode_span", "unicode_spans", spans)
    print("/* CJK UNIFIED IDEOGRAPH-code */", file=out)
    structs(out, "struct unicode_name_range", "unicode_ideographs",
            [span(line.split()[0]) for line in sections["ranges"]])
    array(out, "unicode_name_starts", starts)
    array(out, "unicode_name_text", text)
    array(out, "unicode_word_starts", word_starts)
    print(f"static const char unicode_letters[{len(letters) + 1}] =", file=out)
    for start in range(0, len(letters), 90):
        print(f'    "{letters[start:start + 90]}"', file=out)
    print(";", file=out)
    print("/* number of the name + 1, at its hash; open addressing */", file=out)
    array(out, "unicode_name_table", table)
    array(out, "unicode_alias_codes", aliases)
    array(out, "unicode_sequence_starts", sequence_starts)
    array(out, "unicode_sequence_data", sequence_data)


def main():
    data, kind, path = sys.argv[1], sys.argv[2], sys.argv[3]
    sections = read_sections(data)
    makers = {"types": make_types, "database": make_database, "names": make_names}
    with open(path, "w", encoding="ascii") as out:
        print("/* Made by tools/gen_unicode.py; do not edit. */", file=out)
        makers[kind](sections, out)


main()
