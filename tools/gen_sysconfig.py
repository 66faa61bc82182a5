#!/usr/bin/env python3
"""Writes what the module sysconfig reads about the build.

usage: gen_sysconfig.py PYCONFIG_H OUT_MODULE OUT_MAKEFILE NAME=VALUE ...

OUT_MODULE is _sysconfigdata_*.py: the NAME=VALUE pairs, and every macro of pyconfig.h. OUT_MAKEFILE has the same
in Makefile's form. A VALUE of digits becomes an int; `${NAME}` in a value stands for an earlier one.
"""
import pprint
import re
import sys


def macros(path):
    """The macros that pyconfig.h defines (int or text), and those it leaves undefined (0)."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            if found := re.match(r"#define (\w+) (.*)$", line):
                text = found[2].strip()
                yield found[1], int(text) if re.fullmatch(r"-?\d+", text) else text.strip('"')
            elif found := re.match(r"/\* #undef (\w+) \*/", line):
                yield found[1], 0


def main():
    pyconfig, module, makefile, *pairs = sys.argv[1:]
    values = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        text = re.sub(r"\$\{(\w+)\}", lambda m: str(values[m[1]]), text)
        values[name] = int(text) if re.fullmatch(r"-?\d+", text) else text
    everything = dict(sorted({**dict(macros(pyconfig)), **values}.items()))
    with open(module, "w", encoding="utf-8") as file:
        file.write("# How this interpreter was built; for sysconfig.\nbuild_time_vars = ")
        pprint.pprint(everything, stream=file, width=100)
    with open(makefile, "w", encoding="utf-8") as file:
        file.write("# How this interpreter was built; nothing is made with this file.\n")
        for name, value in values.items():
            file.write(f"{name}=\t{value}\n")


main()
