"""Start-up seen from outside: where the program looks, and PYTHONMALLOC."""

import os
import subprocess
import sys
import sysconfig
import tempfile
import unittest

FREE = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def run(*args, program=sys.executable, **variables):
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **variables}
    return subprocess.run([program, *args], env=environment, capture_output=True, text=True, timeout=60)


class Memory(unittest.TestCase):
    PROGRAM = "import json; print(json.dumps(list(range(3))), sorted({'b': 1, 'a': 2}))"

    def check(self, *args, **variables):
        result = run(*args, "-c", self.PROGRAM, **variables)
        self.assertEqual((result.returncode, result.stdout), (0, "[0, 1, 2] ['a', 'b']\n"), result.stderr)

    def test_default(self):
        self.check(PYTHONMALLOC="")
        self.check(PYTHONMALLOC="default")

    def test_debug(self):
        self.check(PYTHONMALLOC="debug")
        self.check("-X", "dev")
        self.check(PYTHONDEVMODE="1")

    def test_malloc(self):
        if not FREE:
            self.check(PYTHONMALLOC="malloc")
            self.check(PYTHONMALLOC="malloc_debug")

    def test_unknown(self):
        result = run("-c", "pass", PYTHONMALLOC="nonsense")
        self.assertEqual(result.returncode, 1)
        self.assertIn("PYTHONMALLOC: unknown allocator", result.stderr)

    def test_ignored(self):
        for option in ("-E", "-I", "-Es", "-sE"):
            self.check(option, PYTHONMALLOC="nonsense")
        result = run("-W", "ignore", "-c", "pass", PYTHONMALLOC="nonsense")
        self.assertEqual(result.returncode, 1)


class Lock(unittest.TestCase):
    """PYTHON_GIL and -X gil: what is not there cannot be chosen, and sys.flags.gil says what was."""

    PROGRAM = "import sys; print(sys.flags.gil, sys._is_gil_enabled())"

    def check(self, outcomes, *args, **variables):
        """One of the outcomes: what is printed, or what the error says."""
        result = run(*args, "-c", self.PROGRAM, **variables)
        found = result.stdout.strip() if result.returncode == 0 else result.stderr.rpartition(": ")[2].strip()
        self.assertIn(found, outcomes, result.stderr)

    NOT_ON = "Enabling the GIL is not supported by this build, which was configured with gil=disabled"
    NOT_OFF = "Disabling the GIL is not supported by this build"

    def test_nothing_said(self):
        self.check(["None False"] if FREE else ["1 True"])
        self.check(["None False"] if FREE else ["1 True"], PYTHON_GIL="")

    def test_on(self):
        outcomes = ["1 True", self.NOT_ON] if FREE else ["1 True"]
        self.check(outcomes, "-X", "gil=1")
        self.check(outcomes, PYTHON_GIL="1")
        self.check(outcomes, "-X", "gil=1", PYTHON_GIL="0")

    def test_off(self):
        outcomes = ["0 False"] if FREE else [self.NOT_OFF]
        self.check(outcomes, "-X", "gil=0")
        self.check(outcomes, PYTHON_GIL="0")
        self.check(outcomes, "-X", "gil=0", PYTHON_GIL="1")

    def test_names(self):
        """What tells the two layouts apart."""
        text = ("import sys, sysconfig as s; print(sys.abiflags, s.get_config_var('ABIFLAGS'), "
                "s.get_config_var('Py_GIL_DISABLED'), s.get_config_var('EXT_SUFFIX').split('-')[1], sep='|')")
        self.assertEqual(run("-c", text).stdout, "t|t|1|313t\n" if FREE else "||0|313\n")
        mark = "experimental free-threading build"
        for version in run("-VV").stdout, run("-c", "import sys; print(sys.version)").stdout:
            self.assertEqual(mark in version, FREE, version)
        self.assertTrue(os.path.basename(os.path.realpath(sys.executable)).startswith("python3.13t" if FREE else "python3.13"))

    def test_error(self):
        """As a failure of start-up, which says where."""
        result = run("-X", "gil=x", "-c", "pass")
        self.assertEqual(result.returncode, 1)
        self.assertIn('Fatal Python error: config_read_gil: PYTHON_GIL / -X gil must be "0" or "1"', result.stderr)

    def test_nonsense(self):
        outcomes = ['PYTHON_GIL / -X gil must be "0" or "1"']
        for value in ("2", "01", "on"):
            self.check(outcomes, "-X", "gil=" + value)
            self.check(outcomes, PYTHON_GIL=value)
        self.check(outcomes, "-X", "gil")
        self.check(outcomes, "-X", "gil=", PYTHON_GIL="0")


class Paths(unittest.TestCase):
    def test_no_library(self):
        result = run("-c", "pass", PYTHONHOME="/nowhere")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr.count("\n"), 1)
        self.assertIn("/nowhere/lib/python3.13", result.stderr)

    def test_library_not_whole(self):
        with tempfile.TemporaryDirectory() as folder:
            library = os.path.join(folder, "lib", "python3.13")
            os.makedirs(library)
            open(os.path.join(library, "os.py"), "w").close()
            result = run("-c", "pass", PYTHONHOME=folder)
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"{library} is not whole", result.stderr)

    def test_virtual_environment(self):
        # The folder's name is the library's choice: Debian's has no "t" in the free-threaded builds.
        names = {"python3.13", os.path.basename(os.path.realpath(sys.executable))}
        with tempfile.TemporaryDirectory() as folder:
            folder = os.path.realpath(folder)
            os.makedirs(os.path.join(folder, "bin"))
            places = [os.path.join(folder, "lib", name, "site-packages") for name in sorted(names)]
            for place in places:
                os.makedirs(place)
                with open(os.path.join(place, "of_the_environment.py"), "w") as file:
                    file.write("here = __file__\n")
            program = os.path.join(folder, "bin", "python")
            os.symlink(os.path.realpath(sys.executable), program)
            with open(os.path.join(folder, "pyvenv.cfg"), "w") as file:
                file.write(f"home = {os.path.dirname(os.path.realpath(sys.executable))}\n")
            result = run("-c", "import sys, of_the_environment as m; print(sys.prefix); print(m.here);"
                         "print(sys.executable); print(sys.base_prefix)", program=program)
            prefix, here, executable, base_prefix = result.stdout.splitlines() or [result.stderr] * 4
            self.assertEqual([prefix, executable, base_prefix], [folder, program, sys.base_prefix])
            self.assertIn(os.path.dirname(here), places)

    def test_found_on_path(self):
        name = os.path.basename(sys.executable)
        environment = {"PATH": os.path.dirname(sys.executable)}
        result = subprocess.run([name, "-c", "import sys; print(sys.executable)"], env=environment,
                                executable=sys.executable, capture_output=True, text=True)
        self.assertEqual(result.stdout.strip(), sys.executable)

    def test_pythonpath(self):
        result = run("-c", "import sys; print(sys.path[1:3])", PYTHONPATH="/one:/two")
        self.assertEqual(result.stdout, "['/one', '/two']\n")
        result = run("-Ec", "import sys; print('/one' in sys.path)", PYTHONPATH="/one:/two")
        self.assertEqual(result.stdout, "False\n")


class Frozen(unittest.TestCase):
    def test_modules(self):
        program = "import os, site, io, codecs; print(os.__spec__.origin, os.path.isfile(os.__file__))"
        self.assertEqual(run("-c", program).stdout, "frozen True\n")
        off = run("-X", "frozen_modules=off", "-c", "import os; print(os.__spec__.origin == os.__file__)")
        self.assertEqual(off.stdout, "True\n")

    def test_code_from_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "it.bin")
            program = f"""
import marshal
value = [compile("x = 'é', b'', (), 1.5, 10 ** 30", "f", "exec"), "", b"", (), frozenset({{1}})]
with open({path!r}, "wb") as file:
    marshal.dump(value, file)
with open({path!r}, "rb") as file:
    print(marshal.load(file) == value)
"""
            self.assertEqual(run("-c", program).stdout, "True\n")


class End(unittest.TestCase):
    """What the end of the process must not leave out, though it leaves most objects as they are."""

    def check(self, expected, *lines):
        result = run("-c", "\n".join(lines))
        self.assertEqual((result.stdout, result.stderr), (expected, ""))

    def test_finalizers(self):
        self.check("del\n", "class A:", " def __del__(self): print('del')", "a = A(); a.a = a")
        self.check("end\n", "def f():", " try: yield", " finally: print('end')", "g = f(); next(g)")
        self.check("meta\n", "class M(type):", " def __del__(cls): print('meta')", "class A(metaclass=M): pass")

    def test_weak_references(self):
        self.check("f\n", "import weakref", "class A: pass", "a = A()", "weakref.finalize(a, print, 'f')")

    def test_streams(self):
        self.check("x\n", "import sys, io", "print('x'); sys.stdout = io.StringIO()")
        self.check("y", "import sys", "sys.stdout.write('y'); sys.stdout = None")
        self.check("raw", "import sys", "sys.stdout.buffer.write(b'raw')")

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "it")
            self.check("", f"f = open({path!r}, 'w'); f.write('text'); cycle = [f]; cycle.append(cycle)")
            with open(path, encoding="utf-8") as file:
                self.assertEqual(file.read(), "text")


class Description(unittest.TestCase):
    def test_sysconfig(self):
        variables = sysconfig.get_config_vars()
        tag = "cpython-313t" if FREE else "cpython-313"
        self.assertTrue(variables["EXT_SUFFIX"].startswith(f".{tag}-"))
        self.assertEqual(variables["SOABI"], variables["EXT_SUFFIX"][1:-3])
        self.assertTrue(variables["INCLUDEPY"].endswith("include/python3.13" + ("t" if FREE else "")))
        self.assertIn("-shared", variables["LDSHARED"])
        self.assertEqual(variables["HAVE_FORK"], 1)


unittest.main()
