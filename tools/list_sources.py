#!/usr/bin/env python3
"""Rewrites the source lists of a folder's meson.build from what lies in it.

usage: list_sources.py FOLDER

Between the lines `# <sources>` and `# </sources>` stands `files(...)` of every .c file below the
folder (sorted; subfolders included, unless they have a meson.build of their own), and between
`# <binds>` and `# </binds>` the .bind files.
"""
import os
import re
import sys


def below(folder, suffix):
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders
                            if not os.path.exists(os.path.join(where, f, "meson.build")))
        for name in sorted(names):
            if name.endswith(suffix):
                yield os.path.relpath(os.path.join(where, name), folder)


def main():
    folder = sys.argv[1]
    path = os.path.join(folder, "meson.build")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for tag, suffix in (("sources", ".c"), ("binds", ".bind")):
        lines = "".join(f"  '{name}',\n" for name in sorted(below(folder, suffix)))
        text = re.sub(rf"(# <{tag}>\n).*?(# </{tag}>)",
                      lambda m: m.group(1) + lines + m.group(2), text, flags=re.S)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


main()
