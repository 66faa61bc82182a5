"""Runs the tests of one module and appends every outcome to a file. Imported by what `run` starts:

    INTERPRETER -c "...; import child; child.main()" RESULTS MODULE [SKIPPED [ONLY]]

So it is not the main module, which processes that multiprocessing spawns would import and run again.

RESULTS gets lines `begin NAME`, `OUTCOME NAME` (pass, fail, skip) and at last `done` or `broken REASON`; each is written at
once, so that a crash loses nothing. SKIPPED and ONLY are files of names, one on a line. A NAME is the test's id without
the module; a second test of the same name is NAME#2.
"""
import os
import sys

results, module_name = sys.argv[1:3]
skipped_file = sys.argv[3] if len(sys.argv) > 3 else ""
only_file = sys.argv[4] if len(sys.argv) > 4 else ""
del sys.argv[1:], sys.path[0]

out = os.open(results, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
owner = os.getpid()


def record(*words):
    if os.getpid() != owner:
        os._exit(97)  # a forked child that came back here
    os.write(out, " ".join(" ".join(words).split()).encode("utf-8", "backslashreplace") + b"\n")


def read_names(path):
    if not path:
        return set()
    with open(path, encoding="utf-8") as file:
        return set(file.read().split("\n"))


try:
    import unittest
    from test import support
except BaseException as failure:
    record("broken", "unittest and test.support:", type(failure).__name__, str(failure))
    sys.exit(1)


class Recorder(unittest.TestResult):
    """Tells the outcome of each test, after its last subtest."""

    def startTest(self, test):
        super().startTest(test)
        self.outcome = None
        record("begin", test.shown_name)

    def stopTest(self, test):
        super().stopTest(test)
        record(self.outcome or "fail", test.shown_name)

    def settle(self, outcome):
        if self.outcome is None or outcome == "fail":
            self.outcome = outcome

    def addSuccess(self, test):
        self.settle("pass")

    def addExpectedFailure(self, test, error):
        self.settle("pass")

    def addFailure(self, test, error):
        self.settle("fail")

    def addError(self, test, error):
        self.outcome = "fail"

    def addUnexpectedSuccess(self, test):
        self.settle("fail")

    def addSkip(self, test, reason):
        self.outcome = "skip"

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.settle("fail")


def each_test(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from each_test(item)
        else:
            yield item


def choose(suite):
    """The tests of a suite that are to run, each with the name it is shown by."""
    skipped, only, seen = read_names(skipped_file), read_names(only_file), {}
    chosen = unittest.TestSuite()
    for test in each_test(suite):
        name = test.id().removeprefix(module_name + ".")
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            name += f"#{seen[name]}"
        if name in skipped or (only and name not in only):
            continue
        try:
            test.shown_name = name
        except AttributeError:
            continue
        chosen.addTest(test)
    return chosen


def main():
    support.verbose = 0
    support.use_resources = []
    try:
        module = __import__(module_name, fromlist=["*"])
        suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    except unittest.SkipTest as reason:
        record("broken", "skipped:", str(reason))
        os._exit(0)
    except BaseException as failure:
        record("broken", type(failure).__name__ + ":", str(failure))
        os._exit(0)
    choose(suite).run(Recorder())
    record("done")
    os._exit(0)
