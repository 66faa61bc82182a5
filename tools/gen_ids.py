#!/usr/bin/env python3
"""Makes the table of interned identifiers from every ID(word) in the sources.

usage: gen_ids.py SOURCE_ROOT OUT_HEADER OUT_SOURCE [DEPFILE]

Files are rewritten only when their content changes, so that nothing is compiled again without
need. Words of one character are refused: the latin-1 singletons stand for them.
"""
import os
import re
import sys

FOLDERS = ("alloc", "locking", "objects", "interp", "stdlib")
SUFFIXES = (".c", ".h", ".inc", ".py", ".def", ".bind")
WORD = re.compile(r"\bID\(\s*([A-Za-z_][A-Za-z_0-9]*)\s*\)")


def sources(root):
    for folder in FOLDERS:
        for where, folders, files in os.walk(os.path.join(root, folder)):
            folders.sort()
            for name in sorted(files):
                if name.endswith(SUFFIXES) and not name.startswith("."):
                    yield os.path.join(where, name)


def words_of(paths):
    found = {}
    for path in paths:
        if os.path.basename(path) == "ids.h":
            continue
        with open(path, encoding="utf-8", errors="replace") as file:
            for word in WORD.findall(file.read()):
                found.setdefault(word, path)
    short = [(word, path) for word, path in found.items() if len(word) < 2]
    if short:
        sys.exit("".join(f"{path}: ID({word}): use the one-character singleton\n"
                         for word, path in short))
    return sorted(found)


def header(words):
    lines = ["/* Made by tools/gen_ids.py. */", "struct krait_ids {"]
    lines += [f"    struct {{ PyASCIIObject head; char text[{len(w) + 1}]; }} id_{w};"
              for w in words]
    lines += ["};", "extern struct krait_ids krait_ids;", f"#define ID_COUNT {len(words)}", ""]
    return "\n".join(lines)


def source(words):
    lines = ["/* Made by tools/gen_ids.py. */", '#include "objects/ids.h"', "",
             "#define TEXT(word) .id_##word = { .head = { \\",
             "    .ob_base = PyObject_HEAD_INIT(&PyUnicode_Type) .length = sizeof(#word) - 1, \\",
             "    .hash = -1, .state = { .interned = 3, .kind = 1, .compact = 1, .ascii = 1, \\",
             "                           .statically_allocated = 1 } }, .text = #word }", "",
             "struct krait_ids krait_ids = {"]
    lines += [f"    TEXT({w})," for w in words]
    lines += ["};", "", "PyObject *const krait_id_list[] = {"]
    lines += [f"    (PyObject *)&krait_ids.id_{w}," for w in words]
    lines += ["    NULL,", "};", ""]
    return "\n".join(lines)


def write_if_changed(path, text):
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main(root, out_header, out_source, depfile=None):
    paths = list(sources(root))
    words = words_of(paths)
    write_if_changed(out_header, header(words))
    write_if_changed(out_source, source(words))
    if depfile:
        with open(depfile, "w", encoding="utf-8") as file:
            file.write(f"{out_header} {out_source}: {' '.join(paths)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
