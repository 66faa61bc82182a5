"""What the examples share: command line, shares of work for threads, and wall time."""

import argparse
import sys
import sysconfig
import threading
import time


def arguments(description, **options):
    """The command line: --threads, and an int option for each keyword (its value is the default)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--threads", type=int, default=1, metavar="N",
                        help="how many threads share the work (default: 1)")
    parser.add_argument("--quiet", action="store_true", help="print nothing but the wall time")
    for name, default in options.items():
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N",
                            help=f"(default: {default})")
    result = parser.parse_args()
    if result.threads < 1:
        parser.error("--threads must be at least 1")
    return result


class Tickets:
    """Hands out 0, 1, 2, ... below `count`, each number once, to any number of threads."""

    def __init__(self, count):
        self.lock = threading.Lock()
        self.next = 0
        self.count = count

    def __iter__(self):
        while True:
            with self.lock:
                number = self.next
                self.next += 1
            if number >= self.count:
                return
            yield number


def run_threads(count, work):
    """Calls work(0) ... work(count - 1), each in a thread of its own; their results, in this order."""
    results = [None] * count
    failures = []

    def run(index):
        try:
            results[index] = work(index)
        except BaseException as failure:
            failures.append(failure)

    if count == 1:
        return [work(0)]
    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results


class timed:
    """A `with` block that knows how long it took: `with timed() as time: ...; time.seconds`."""

    def __enter__(self):
        self.start = time.perf_counter()
        return self

    def __exit__(self, *exception):
        self.seconds = time.perf_counter() - self.start


def check(what, found, expected):
    """Ends the program if a result is not what it must be."""
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def report(args, seconds, text):
    """Prints the result and the wall time; with --quiet only the latter."""
    if args.quiet:
        print(f"{seconds:.3f}")
        return
    lock = "no global lock" if sysconfig.get_config_var("Py_GIL_DISABLED") else "one global lock"
    if getattr(sys, "_is_gil_enabled", lambda: True)() and lock.startswith("no"):
        lock = "the global lock is on"
    print(text)
    print(f"{seconds:.2f} s with {args.threads} thread{'s'[:args.threads != 1]} ({lock})")
