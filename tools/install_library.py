#!/usr/bin/env python3
"""Copies the Python part of the standard library into an installed tree.

usage: install_library.py FROM TO OWN    (TO is relative to the prefix, which Meson names)

What describes another build (sysconfig data, compiled modules) or another system's habits stays behind, and
so do the modules that the folder OWN has as well: these are Krait's, and come before the others.
"""
import os
import shutil
import sys

SKIPPED = {
    "__pycache__", "test", "tests", "idlelib", "turtledemo", "lib-dynload", "site-packages",
    "dist-packages", "EXTERNALLY-MANAGED", "sitecustomize.py",
}


def main():
    source, target, own = sys.argv[1:]
    target = os.path.join(os.environ["MESON_INSTALL_DESTDIR_PREFIX"], target)
    if not os.path.isfile(os.path.join(source, "os.py")):
        sys.exit(f"install_library: there is no Python library in {source}")
    if os.path.realpath(source) == os.path.realpath(target):
        return

    replaced = set(os.listdir(own)) if os.path.isdir(own) else set()

    def skip(folder, names):
        return [name for name in names
                if name in SKIPPED or name.startswith(("config-3.", "_sysconfigdata_"))
                or name.endswith(".pyc") or (folder == source and name in replaced)]

    shutil.copytree(source, target, ignore=skip, dirs_exist_ok=True, ignore_dangling_symlinks=True)
    if replaced:
        shutil.copytree(own, target, ignore=skip, dirs_exist_ok=True)
    for folder in ("site-packages", "lib-dynload"):
        os.makedirs(os.path.join(target, folder), exist_ok=True)
    if "MESON_INSTALL_QUIET" not in os.environ:
        print("Installing Python's library from", source, "to", target)


main()
