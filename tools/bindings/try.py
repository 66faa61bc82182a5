#!/usr/bin/env python3
"""Builds modules of stdlib/ as extensions of another interpreter and runs a test there.

    try.py [--python PYTHON] [--cc CC] [--cflags FLAGS] [--libs LIBS] MODULE... -- ARGS...

ARGS go to `python -m unittest`, or run a file if the first ends in .py, or code after -c; without
ARGS the modules are only built.  The built modules take the place of PYTHON's own.  A module is
stdlib/MODULE.c, or the .c files of stdlib/MODULE/.
"""

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / "try"

RUNNER = """
import sys, importlib.util
from importlib.machinery import ExtensionFileLoader
FILES = {files!r}
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in FILES:
            loader = ExtensionFileLoader(name, FILES[name])
            return importlib.util.spec_from_file_location(name, FILES[name], loader=loader)
sys.meta_path.insert(0, Finder)
users = ["collections", "functools", "operator", "heapq", "bisect", "random", "struct", "json",
         "keyword", "reprlib", "types", "enum", "zoneinfo", "contextlib", "re"]
for name in list(sys.modules):
    if name in FILES or name.split(".")[0] in users:
        del sys.modules[name]
argv = {argv!r}
sys.argv = argv
if argv[0] == "-c":
    exec(compile(argv[1], "<try>", "exec"), {{"__name__": "__main__"}})
elif argv[0].endswith(".py"):
    import runpy
    runpy.run_path(argv[0], run_name="__main__")
else:
    import unittest
    sys.argv = ["try"] + argv
    unittest.main(module=None)
"""


def command(python, code):
    return subprocess.run([python, "-c", code], check=True, text=True,
                          capture_output=True).stdout.strip()


def module_sources(name):
    hashes = ("_md5", "_sha1", "_sha2", "_sha3", "_blake2")
    for base in ("hash",) if name in hashes else (name, name.lstrip("_")):
        folder = ROOT / "stdlib" / base
        if folder.is_dir():
            return sorted(folder.glob("*.c"))
        if folder.with_suffix(".c").exists():
            return [folder.with_suffix(".c")]
    sys.exit(f"try: no stdlib/{name}.c")


def build(name, options, include, suffix):
    BUILD.mkdir(parents=True, exist_ok=True)
    sources = module_sources(name)
    for bind in sorted({b for s in sources for b in s.parent.glob(
            "*.bind" if s.parent.name != "stdlib" else s.stem + ".bind")}):
        subprocess.run([sys.executable, ROOT / "tools/bindings/generate.py", bind, "-o",
                        BUILD / f"{bind.stem}.bind.h"], check=True)
    target = BUILD / f"{name}{suffix}"
    done = subprocess.run(
        [*shlex.split(options.cc), "-std=gnu17", "-D_GNU_SOURCE", "-g", "-shared", "-fPIC", "-Wall",
         "-Wextra", "-Wno-unused-parameter", "-Wno-missing-field-initializers",
         "-Wno-cast-function-type", "-fno-strict-aliasing", "-fvisibility=hidden",
         *shlex.split(options.cflags), f"-I{include}", f"-I{include}/..", f"-I{ROOT}",
         f"-I{ROOT / 'stdlib'}", f"-I{BUILD}", *map(str, sources),
         str(ROOT / "objects/bindings.c"), "-o", str(target), *shlex.split(options.libs)])
    if done.returncode != 0:
        sys.exit(f"try: {name} does not compile")
    return target


def main():
    argv = sys.argv[1:]
    args = []
    if "--" in argv:
        at = argv.index("--")
        argv, args = argv[:at], argv[at + 1:]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="+")
    parser.add_argument("--python", default=os.environ.get("TRY_PYTHON", "python3.13"))
    parser.add_argument("--include", default=os.environ.get("TRY_INCLUDE"))
    parser.add_argument("--cc", default=os.environ.get("CC", "gcc"))
    parser.add_argument("--cflags", default="-O1")
    parser.add_argument("--libs", default="")
    options = parser.parse_args(argv)
    include = options.include or command(
        options.python, "import sysconfig; print(sysconfig.get_paths()['include'])")
    files = {name: str(build(name, options, include, ".so")) for name in options.modules}
    if args:
        code = RUNNER.format(files=files, argv=args)
        sys.exit(subprocess.run([options.python, "-S", "-c", code]).returncode)


if __name__ == "__main__":
    main()
