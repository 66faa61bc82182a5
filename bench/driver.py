"""What runs inside a measured interpreter.

    driver.py micro FOLDER            reads commands from standard input, one to a line, answers with one line each
    driver.py scaling FOLDER

Commands: `list`, `time ENTRY LOOPS` (micro), `time ENTRY LOOPS THREADS` (scaling), `memory`, `size`. Answers are
what repr() gives; an answer that begins with `!` is an error. Nothing but start-up modules is
imported before an entry's file needs it, so that a young interpreter can be measured too.
"""
import sys
import time


def load(folder):
    """The entries of a folder: {'file.name': function} of all functions bench_* of its files."""
    import os

    entries = {}
    sys.path.insert(0, folder)
    for file in sorted(os.listdir(folder)):
        if not file.endswith(".py"):
            continue
        name = file[:-3]
        try:
            module = __import__(name)
        except ImportError as error:
            entries[name] = str(error)
            continue
        for key in module.__dict__:
            if key.startswith("bench_"):
                entries[name + "." + key[len("bench_"):]] = module.__dict__[key]
    return entries


def run_threads(work, loops, threads):
    """Wall and processor time of `threads` threads that each do work(loops)."""
    import threading

    start = threading.Barrier(threads + 1)
    done = []

    def body():
        start.wait()
        work(loops)
        done.append(1)

    running = [threading.Thread(target=body) for _ in range(threads)]
    for thread in running:
        thread.start()
    processor = time.process_time()
    start.wait()
    wall = time.perf_counter()
    for thread in running:
        thread.join()
    wall = time.perf_counter() - wall
    if len(done) != threads:
        raise RuntimeError("a thread failed")
    return wall, time.process_time() - processor


def peak_memory():
    """Peak resident memory of this process in bytes, or 0 where the system does not tell."""
    try:
        with open("/proc/self/status", "rb") as file:
            for line in file:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def sizes():
    """What some objects take: sys.getsizeof, and growth of the process per object (bytes)."""

    class Instance:
        def __init__(self):
            self.x = 1
            self.y = 2
            self.z = 3

    count = 200_000
    makers = [
        ("instance with 3 attributes", lambda: Instance()),
        ("float", lambda base=[1.5]: base.__setitem__(0, base[0] + 1.0) or base[0]),
        ("int", lambda base=[1 << 20]: base.__setitem__(0, base[0] + 1) or base[0]),
        ("tuple of 10", lambda: (*range(10),)),
        ("empty dict", lambda: {}),
        ("dict of 10", lambda: {key: None for key in "abcdefghij"}),
        ("empty list", lambda: []),
    ]
    result = []
    for name, make in makers:
        probe = make()
        told = sys.getsizeof(probe)
        keep = [None] * count
        before = resident()
        for i in range(count):
            keep[i] = make()
        grown = resident() - before
        result.append((name, told, round(grown / count, 1)))
        del keep
    return result


def resident():
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * 4096


def main():
    kind, folder = sys.argv[1:3]
    entries = load(folder)
    for line in sys.stdin:
        words = line.split()
        try:
            if words[0] == "list":
                answer = sorted(entries)
            elif words[0] == "memory":
                answer = peak_memory()
            elif words[0] == "size":
                answer = sizes()
            else:
                work = entries[words[1]]
                if isinstance(work, str):
                    raise RuntimeError(work)
                loops = int(words[2])
                if kind == "scaling":
                    answer = run_threads(work, loops, int(words[3]))
                else:
                    wall = time.perf_counter()
                    processor = time.process_time()
                    work(loops)
                    answer = (time.perf_counter() - wall, time.process_time() - processor)
            print(repr(answer), flush=True)
        except Exception as error:
            print("!" + type(error).__name__ + ": " + str(error).replace("\n", " "), flush=True)


if __name__ == "__main__":
    main()
