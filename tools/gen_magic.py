#!/usr/bin/env python3
"""Writes the magic number of .pyc files: a hash of everything that shapes the code in them.

usage: gen_magic.py OUT FILE ...

So a .pyc of another version of the compiler or of the instructions is compiled again, never misread.
"""
import sys
import zlib

out, *files = sys.argv[1:]
value = 0
for name in files:
    with open(name, "rb") as file:
        value = zlib.crc32(file.read(), value)
# CPython's numbers are below 0x8000.
text = f"/* Of .pyc files. */\n#define KRAIT_MAGIC 0x{0x8000 | (value & 0xFFFF ^ value >> 16) & 0x7FFF:04x}\n"
with open(out, "w", encoding="utf-8") as file:
    file.write(text)
