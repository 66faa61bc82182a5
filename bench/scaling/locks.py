"""Locks and queues. What is shared here is meant to be shared: one cannot expect N times as much."""
import queue
import threading

SHARED = threading.Lock()
COUNTS = {}
SHARED_LIST = []


def bench_own_lock(n):
    lock = threading.Lock()
    for _ in range(n * 100):
        with lock:
            pass


def bench_one_lock(n):
    for _ in range(n * 20):
        with SHARED:
            sum(range(30))


def bench_shared_dict(n):
    for i in range(n * 50):
        COUNTS[i & 255] = i


def bench_shared_append(n):
    for i in range(n * 50):
        SHARED_LIST.append(i)
    if len(SHARED_LIST) > 100_000:
        SHARED_LIST.clear()


def bench_queue(n):
    line = queue.SimpleQueue()
    for i in range(n * 50):
        line.put(i)
        line.get()
