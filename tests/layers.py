#!/usr/bin/env python3
"""The floors of the tree: who may include what, and who may know which lock was built in.

usage: layers.py SOURCE_ROOT

  1. A folder includes headers of its own floor and of those below.
  2. Py_GIL_DISABLED stands in include/ and in locking/.
  3. Only alloc/ knows which allocator was chosen.
  4. No file is longer than what can be read in one sitting (generated tables excepted).
"""
import os
import re
import sys

FLOORS = ["alloc", "locking", "objects", "interp", "stdlib"]
LIMIT = 1800
INCLUDE = re.compile(r'\s*#\s*include\s*"(\w+)/')
LOCK = re.compile(r"\bPy_GIL_DISABLED\b|\bLOCK_(GIL|FREE|OPTIONAL)\b")
ALLOCATOR = re.compile(r"\bALLOC_(MIMALLOC|JEMALLOC|SYSTEM)\w*\b")


def sources(root, folder):
    for where, folders, names in os.walk(os.path.join(root, folder)):
        folders.sort()
        for name in sorted(names):
            if name.endswith((".c", ".h", ".inc", ".inst")):
                path = os.path.join(where, name)
                with open(path, encoding="utf-8") as file:
                    yield os.path.relpath(path, root), file.read().split("\n")


def without_text(line):
    """A line of C without its string literals and what a comment says."""
    line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
    line = re.sub(r"//.*|/\*.*?(\*/|$)", "", line)
    return "" if line.lstrip().startswith("*") else line


def main():
    root = sys.argv[1]
    problems, files = [], 0
    for floor, folder in enumerate(FLOORS):
        above = set(FLOORS[floor + 1:])
        for path, lines in sources(root, folder):
            files += 1
            generated = "do not edit" in lines[0]
            if len(lines) > LIMIT and not generated:
                problems.append(f"{path}: {len(lines)} lines, {LIMIT} are the limit")
            for number, line in enumerate(lines, 1):
                found = INCLUDE.match(line)
                if found and found[1] in above:
                    problems.append(f"{path}:{number}: {folder}/ includes a header of {found[1]}/")
                code = without_text(line)
                if folder != "locking" and LOCK.search(code):
                    problems.append(f"{path}:{number}: only locking/ knows which lock was built in")
                if folder != "alloc" and ALLOCATOR.search(code):
                    problems.append(f"{path}:{number}: only alloc/ knows which allocator was built in")
    if files < 100:
        problems.append(f"only {files} source files found below {root}")
    print("\n".join(problems) or f"{files} files, no line out of place")
    sys.exit(bool(problems))


main()
