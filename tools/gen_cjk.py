#!/usr/bin/env python3
"""Makes stdlib/cjk/data.c, the character sets of the multibyte codecs, from the codecs of the Python
that runs it.

    gen_cjk.py > stdlib/cjk/data.c

A character set is a text of printable characters; stdlib/cjk/cjk.h describes it.  An encoding is a
list of layers (a set and how its codes are transformed), and what decodes or encodes differently
from what the layers say.
"""
import sys

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$"
LIMIT = 0x30000
BOTH_BAD = 1  # in place of a code point: illegal, and both bytes are to blame

PLANE2_ROWS = [1, 8, 3, 4, 5, 12, 13, 14, 15] + list(range(78, 95))


def number(value, digits):
    return "".join(DIGITS[value >> 6 * i & 63] for i in reversed(range(digits)))


# ---- transforms: a code of the set, 0x2121 ... for sets of 94 x 94, to one of the encoding ----------

def sjis(row, cell):
    trail = cell + 0x3F + (cell >= 0x40) if row % 2 else cell + 0x9E
    lead = (row - 1) // 2 + 0x81
    return (lead + 0x40 if lead > 0x9F else lead) << 8 | trail


def sjis_second(row, cell):
    if row not in PLANE2_ROWS:
        return None
    index = PLANE2_ROWS.index(row)
    trail = cell + 0x3F + (cell >= 0x40) if index % 2 == 0 else cell + 0x9E
    return (0xF0 + index // 2) << 8 | trail


def rows(function):
    return lambda code: function((code >> 8) - 0x20, (code & 0xFF) - 0x20)


TRANSFORMS = {
    "AS_IS": lambda code: code,
    "AS_EUC": lambda code: code | 0x8080,
    "AS_EUC_3": lambda code: code | 0x8F8080,
    "AS_SJIS": rows(sjis),
    "AS_SJIS_2": rows(sjis_second),
    "AS_EUC_3_REST": lambda code: code | 0x8F8080,  # only where nothing is yet
    "AS_7BIT": lambda code: code & 0x7F7F if code >= 0xA1A1 and code & 0xFF >= 0xA1 else None,
    "ASCII": lambda code: code,
    "AS_HIGH": lambda code: code if code >= 0xA1A1 and code & 0xFF >= 0xA1 else None,
}

# ---- what the running Python knows -----------------------------------------------------------------


def decode(encoding, data, before=b"", after=b""):
    """The text, None if there is none, or BOTH_BAD."""
    try:
        text = (before + data + after).decode(encoding)
    except UnicodeDecodeError as error:
        both = error.end - error.start == 2 and error.reason.startswith("illegal")
        return chr(BOTH_BAD) if both else None
    return text


def code_bytes(code):
    return code.to_bytes((code.bit_length() + 7) // 8 or 1, "big")


def known_codes(encoding, codes, **around):
    found = {}
    for code in codes:
        text = decode(encoding, code_bytes(code), **around)
        if text is not None and (len(text) == 1 or len(text) == 2 and text[1] in PAIR_SECOND):
            found[code] = text
    return found


PAIR_SECOND = "\u0300\u0301\u0304\u030c\u309a\u02e5\u02e9"
ALL_PAIRS = [lead << 8 | trail for lead in range(0x80, 0x100) for trail in range(0x100)]
GRID = [row << 8 | cell for row in range(0x21, 0x7F) for cell in range(0x21, 0x7F)]


def known_encodings(encoding, lengths):
    found = {}
    for point in range(LIMIT):
        if 0xD800 <= point < 0xE000:
            continue
        try:
            data = chr(point).encode(encoding)
        except UnicodeEncodeError:
            continue
        if len(data) in lengths:
            found[point] = int.from_bytes(data, "big")
    return found


# ---- the text of a set -----------------------------------------------------------------------------


def set_text(codes):
    """codes: {code: code point, or None to take one away}, ascending."""
    parts, at, previous = [], None, None
    items = sorted(codes.items())
    i = 0
    while i < len(items):
        code, point = items[i]
        if at != code:
            parts.append("@" + number(code, 4))
        run = 1
        while i + run < len(items) and run < 4000 and items[i + run][0] == code + run and (
                items[i + run][1] is None if point is None else
                items[i + run][1] == point + run):
            run += 1
        if point is None:
            parts.append("-" + number(run, 2))
        elif point != BOTH_BAD and previous is not None and point == previous + 1 and run > 1:
            parts.append("*" + number(run, 2))
        elif run > 2:
            parts.append(number(point, 3) + "*" + number(run - 1, 2))
        else:
            run = 1
            parts.append(number(point, 3))
        i += run
        at = code + run
        previous = None if point is None else point + run - 1
    return "".join(parts)


def c_text(text):
    lines = [text[i:i + 90] for i in range(0, len(text), 90)] or [""]
    return "\n".join(f'    "{line}"' for line in lines)


# ---- sets and encodings ----------------------------------------------------------------------------

SETS = {}
OUT = []


def single(found):
    return {code: ord(text) for code, text in found.items() if len(text) == 1}


def add_set(name, codes):
    SETS[name] = codes
    OUT.append(f"static const char set_{name}[] =\n{c_text(set_text(codes))};\n")


def transformed(layers):
    """{code: code point} and {code point: code} of layers."""
    forward, backward = {}, {}
    for name, transform in layers:
        for code, point in sorted(SETS[name].items()):
            target = TRANSFORMS[transform](code)
            if target is not None and not (transform == "AS_EUC_3_REST" and target in forward):
                if point is not None:
                    forward[target] = point
                    backward.setdefault(point, target)
                elif target in forward:
                    del forward[target]
    return forward, backward


def add_encoding(name, layers, decoded, encoded):
    """decoded: {code: text}; encoded: {code point: code}, or None: as decoding."""
    forward, backward = transformed(layers)
    wanted = single(decoded)
    patch = {code: point for code, point in wanted.items() if forward.get(code) != point}
    patch.update({code: None for code in forward if code not in wanted})
    for code, point in sorted(patch.items()):
        old = forward.get(code)
        if old is not None and backward.get(old) == code:
            del backward[old]
        if point is not None and point != BOTH_BAD:
            backward.setdefault(point, code)
    pairs = sorted((ord(text[0]), ord(text[1]), code)
                   for code, text in decoded.items() if len(text) == 2)
    back = []
    if encoded is not None:
        for point in sorted(set(backward) | set(encoded)):
            if backward.get(point) != encoded.get(point):
                back.append(number(point, 3) + number(encoded.get(point, 0), 4))
    if "-v" in sys.argv:
        print(name, [(hex(c), p and hex(p), forward.get(c) and hex(forward[c])) for c, p in sorted(patch.items())[:20]],
              [(hex(p), hex(encoded.get(p, 0)), hex(backward.get(p, 0))) for p in sorted(set(backward) | set(encoded)) if backward.get(p) != encoded.get(p)][:20], file=sys.stderr)
    print(f"{name}: decode patch {len(patch)}, encode patch {len(back)}, pairs {len(pairs)}",
          file=sys.stderr)
    OUT.append(f"static const struct cjk_layer layers_{name}[] = {{")
    for layer, transform in layers:
        OUT.append(f"    {{{'NULL' if transform == 'ASCII' else 'set_' + layer}, CJK_{transform}}},")
    if patch:
        OUT.append(f"    {{\n{c_text(set_text(patch))},\n     CJK_PATCH}},")
    OUT.append("    {NULL, CJK_END},\n};\n")
    if pairs:
        OUT.append(f"static const struct cjk_pair pairs_{name}[] = {{")
        OUT.extend(f"    {{0x{a:04x}, 0x{b:04x}, 0x{code:06x}}}," for a, b, code in pairs)
        OUT.append("    {0, 0, 0},\n};\n")
    fields = f"layers_{name}, " + (f"pairs_{name}" if pairs else "NULL")
    OUT.append(f"const struct cjk_data cjk_{name} = {{\n    {fields},\n{c_text(''.join(back))},\n}};\n")


def seven_bit(encoding, escape):
    found = known_codes(encoding, GRID, before=escape)
    return {code: text for code, text in found.items() if text != chr(BOTH_BAD)}


def main():
    both = {name: known_codes(name, ALL_PAIRS) for name in (
        "gbk", "gb18030", "gb2312", "cp949", "euc_kr", "johab", "big5", "cp950", "big5hkscs",
        "cp932", "shift_jis", "shift_jisx0213", "shift_jis_2004", "euc_jp", "euc_jisx0213",
        "euc_jis_2004")}
    high = [0x8F0000 | row << 8 | cell for row in range(0xA1, 0xFF) for cell in range(0xA1, 0xFF)]
    third = {name: known_codes(name, high) for name in ("euc_jp", "euc_jisx0213", "euc_jis_2004")}

    def grid(found, mask):
        return {code & mask: point for code, point in single(found).items()
                if code & 0x8080 == 0x8080 and code >> 8 & 0xFF >= 0xA1}

    def two_byte(name):
        return {code: text for code, text in both[name].items()
                if code >= 0x8000}

    add_set("jisx0208", grid(seven_bit_from(both["euc_jp"]), 0x7F7F))
    add_set("jisx0212", {code & 0x7F7F: point for code, point in single(third["euc_jp"]).items()})
    plane1 = grid(seven_bit_from(both["euc_jis_2004"]), 0x7F7F)
    base = SETS["jisx0208"]
    add_set("jisx0213_1", {code: plane1.get(code) for code in sorted(set(plane1) | set(base))
                           if plane1.get(code) != base.get(code)})
    add_set("jisx0213_2", single(seven_bit("iso2022_jp_2004", b"\x1b$(P")))
    for name in ("gbk", "cp949", "johab", "big5"):
        add_set(name, single(two_byte(name)))
    for name, base in (("cp950", "big5"), ("big5hkscs", "big5")):
        own = single(two_byte(name))
        add_set(name, {code: own.get(code) for code in sorted(set(own) | set(SETS[base]))
                       if own.get(code) != SETS[base].get(code)})
    add_set("kana", {0x8E00 | code: 0xFF61 + code - 0xA1 for code in range(0xA1, 0xE0)})

    SETS["ascii"] = {code: code for code in range(0x80)}
    x0213 = [("jisx0208", "AS_EUC"), ("jisx0213_1", "AS_EUC")]
    jobs = [
        ("gbk", [("gbk", "AS_IS")], "gbk", (1, 2)),
        ("gb18030", [("gbk", "AS_IS")], "gb18030", (1, 2)),
        ("gb2312", [("gbk", "AS_HIGH")], "gb2312", (1, 2)),
        ("cp949", [("cp949", "AS_IS")], "cp949", (1, 2)),
        ("euc_kr", [("cp949", "AS_HIGH")], "euc_kr", (1, 2)),
        ("johab", [("johab", "AS_IS")], "johab", (1, 2)),
        ("big5", [("big5", "AS_IS")], "big5", (1, 2)),
        ("cp950", [("big5", "AS_IS"), ("cp950", "AS_IS")], "cp950", (1, 2)),
        ("big5hkscs", [("big5", "AS_IS"), ("big5hkscs", "AS_IS")], "big5hkscs", (1, 2)),
        ("cp932", [("jisx0208", "AS_SJIS")], "cp932", (1, 2)),
        ("shift_jis", [("jisx0208", "AS_SJIS")], "shift_jis", (1, 2)),
        ("shift_jisx0213", [("jisx0208", "AS_SJIS"), ("jisx0213_1", "AS_SJIS"),
                            ("jisx0213_2", "AS_SJIS_2")], "shift_jisx0213", (1, 2)),
        ("shift_jis_2004", [("jisx0208", "AS_SJIS"), ("jisx0213_1", "AS_SJIS"),
                            ("jisx0213_2", "AS_SJIS_2")], "shift_jis_2004", (1, 2)),
        ("euc_jp", [("jisx0208", "AS_EUC"), ("kana", "AS_IS"), ("jisx0212", "AS_EUC_3")],
         "euc_jp", (1, 2, 3)),
        ("euc_jisx0213", x0213 + [("kana", "AS_IS"), ("jisx0213_2", "AS_EUC_3"),
                                  ("jisx0212", "AS_EUC_3_REST")],
         "euc_jisx0213", (1, 2, 3)),
        ("euc_jis_2004", x0213 + [("kana", "AS_IS"), ("jisx0213_2", "AS_EUC_3"),
                                  ("jisx0212", "AS_EUC_3_REST")],
         "euc_jis_2004", (1, 2, 3)),
    ]
    for name, layers, encoding, lengths in jobs:
        decoded = dict(two_byte(encoding))
        decoded.update(known_codes(encoding, range(0x100)))
        decoded.update(third.get(encoding, {}))
        encoded = known_encodings(encoding, lengths)
        add_encoding(name, [("ascii", "ASCII")] + layers, decoded, encoded)
    # The sets by themselves, as ISO 2022 and HZ use them.
    for name, layers, encoding, escape in (
            ("jisx0208", [("jisx0208", "AS_IS")], "iso2022_jp", b"\x1b$B"),
            ("jisx0212", [("jisx0212", "AS_IS")], "iso2022_jp_1", b"\x1b$(D"),
            ("jisx0213_2000_1", [("jisx0208", "AS_IS"), ("jisx0213_1", "AS_IS")], "iso2022_jp_3",
             b"\x1b$(O"),
            ("jisx0213_2004_1", [("jisx0208", "AS_IS"), ("jisx0213_1", "AS_IS")],
             "iso2022_jp_2004", b"\x1b$(Q"),
            ("jisx0213_2", [("jisx0213_2", "AS_IS")], "iso2022_jp_2004", b"\x1b$(P"),
            ("jisx0213_2000_2", [("jisx0213_2", "AS_IS")], "iso2022_jp_3", b"\x1b$(P"),
            ("gb2312_7bit", [("gbk", "AS_7BIT")], "iso2022_jp_2", b"\x1b$A"),
            ("ksx1001_7bit", [("cp949", "AS_7BIT")], "iso2022_jp_2", b"\x1b$(C")):
        add_encoding(name, layers, seven_bit(encoding, escape), encoded_by(encoding, escape))
    print("/* Character sets of the multibyte codecs.  Made by tools/gen_cjk.py: do not edit. */")
    print('#include "cjk.h"\n')
    print("\n".join(OUT), end="")


def seven_bit_from(found):
    return {code: text for code, text in found.items() if code & 0xFF >= 0xA1}


def encoded_by(encoding, escape):
    """{code point: code} of what an ISO 2022 encoding writes in the set with this escape, and for
    all else as decoding."""
    found = dict((ord(text), code) for code, text in
                 sorted(seven_bit(encoding, escape).items(), reverse=True)
                 if len(text) == 1 and ord(text) != BOTH_BAD)
    for point in range(0x80, LIMIT):
        if 0xD800 <= point < 0xE000:
            continue
        data = chr(point).encode(encoding, "ignore")
        at = data.find(escape)
        if at == 0:
            found[point] = int.from_bytes(data[len(escape):len(escape) + 2], "big")
    return found


main()
