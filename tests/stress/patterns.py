"""Every pattern of bench/scaling in a few threads at once, with little to do: for ThreadSanitizer. Its exit status tells."""
import os
import sys
import threading

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench")
THREADS, ROUNDS = 3, 3

sys.path.insert(0, BENCH)
import driver

failed = []


def body(name, work, start):
    start.wait()
    try:
        work(ROUNDS)
    except BaseException as exception:
        failed.append(f"{name}: {exception!r}")
        raise


entries = driver.load(os.path.join(BENCH, "scaling"))
for name, work in entries.items():
    if isinstance(work, str):
        sys.exit(f"{name}: {work}")
    start = threading.Barrier(THREADS)
    threads = [threading.Thread(target=body, args=(name, work, start)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(f"{len(entries)} patterns, {len(failed)} failed")
sys.exit("\n".join(failed) or 0)
