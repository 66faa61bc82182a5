"""Counts of instances on their types, under stress: many threads make and drop instances of few and of many classes,
pass them to each other, end with counts put by, and fork. Whatever happened, a class has as many references as it has
instances more than at the beginning, and dies when the last one is gone."""
import gc
import os
import queue
import sys
import threading
import weakref

THREADS = 6
ROUNDS = 40


def references(cls):
    """The first collection may still find instances that wait for their owner; the second one settles those as well."""
    gc.collect()
    gc.collect()
    return sys.getrefcount(cls)


def run(work, count=THREADS):
    """work(number) in threads; the first exception of one of them is raised here."""
    failures = []
    start = threading.Barrier(count)

    def body(number):
        try:
            start.wait()
            work(number)
        except BaseException as exception:
            failures.append(exception)

    threads = [threading.Thread(target=body, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def make_class(name, base=object, **attributes):
    return type(name, (base,), attributes)


def check(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: {found}, not {expected}")


def churn():
    """Instances of one class, made and dropped by all, collections between."""
    cls = make_class("Churned")
    before = references(cls)

    def work(number):
        for i in range(ROUNDS):
            kept = [cls() for _ in range(200)]
            if i % 10 == number:
                gc.collect()
            del kept
    run(work)
    check("references after churn", references(cls), before)


def keep():
    """Some stay: the count is theirs, while the threads that made them are long gone."""
    cls = make_class("Kept")
    before = references(cls)
    kept = [[] for _ in range(THREADS)]

    def work(number):
        for i in range(ROUNDS * 10):
            value = cls()
            if i % 4 == 0:
                kept[number].append(value)
    run(work)
    check("references with instances alive", references(cls) - before, sum(map(len, kept)))
    kept.clear()
    check("references after they died", references(cls), before)


def hand_over():
    """Made in one thread, dropped in another: one counts up, the other down."""
    classes = [make_class(f"Handed{i}") for i in range(40)]
    before = [references(cls) for cls in classes]
    lines = [queue.SimpleQueue() for _ in range(THREADS)]

    def work(number):
        for i in range(ROUNDS * 20):
            lines[(number + 1) % THREADS].put(classes[i % len(classes)]())
            lines[number].get()
    run(work)
    check("references after handing over", [references(cls) for cls in classes], before)


def classes_die():
    """Classes made, used in another thread and dropped: none is left, none died too early."""
    alive = []

    def work(number):
        for i in range(ROUNDS):
            base = make_class("Base", slot=number)
            derived = make_class("Derived", base)
            alive.extend([weakref.ref(base), weakref.ref(derived)])
            values = [base(), derived(), derived()]
            values[0].others = values
            if i % 7 == 0:
                gc.collect()
            if any(value.slot != number for value in values):
                raise AssertionError("the wrong class")
    run(work)
    gc.collect()
    check("classes left", sum(ref() is not None for ref in alive), 0)


def last_moments():
    """Instances that come and go when a thread ends: by its local data, and by finalizers of those."""
    cls = make_class("Last")
    made = []

    class Finalized:
        def __del__(self):
            made.append(cls())
            [cls() for _ in range(5)]

    before = references(cls)
    local = threading.local()

    def work(number):
        for _ in range(5):
            local.values = [Finalized(), cls()]

    for _ in range(ROUNDS // 4):
        run(work)
    check("references from last moments", references(cls) - before, len(made))
    made.clear()
    check("references after them", references(cls), before)


def dropped_at_the_end():
    """What a thread made dies while that thread ends, by another's hand: its finalizer runs in its last moments."""
    cls = make_class("Late")
    made = []

    class Finalized:
        def __del__(self):
            made.append(cls())

    before = references(cls)
    line = queue.SimpleQueue()

    def drop():
        while line.get() is not None:
            pass

    dropper = threading.Thread(target=drop)
    dropper.start()
    for _ in range(ROUNDS):
        run(lambda number: line.put(Finalized()))
    line.put(None)
    dropper.join()
    check("finalizers that ran", len(made), ROUNDS * THREADS)
    check("references from the end", references(cls) - before, len(made))
    made.clear()
    check("references after the end", references(cls), before)


def fork():
    """In a child the other threads are gone; what they had put by must not be."""
    if not hasattr(os, "fork"):
        return
    cls = make_class("Forked")
    before = references(cls)
    kept = []
    made = threading.Barrier(THREADS + 1)
    go = threading.Event()

    def work():
        kept.extend([cls() for _ in range(100)])
        made.wait()
        go.wait()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    made.wait()
    child = os.fork()
    if child == 0:
        result = 3
        try:
            check("references in the child", references(cls) - before, len(kept))
            kept.clear()
            check("references in the child, at its end", references(cls), before)
            ref = weakref.ref(cls)
            del cls, work, threads, thread   # the frame's cells hold it as well
            result = 0
        except SystemExit as exception:
            print(exception.code, file=sys.stderr)
            result = 1
        finally:
            os._exit(result)
    _, status = os.waitpid(child, 0)
    go.set()
    for thread in threads:
        thread.join()
    check("the child's exit", os.waitstatus_to_exitcode(status), 0)
    kept.clear()
    check("references after fork", references(cls), before)


def fork_at_work():
    """Forks while the others are in the midst of it; the child sees counts that agree with what it finds."""
    if not hasattr(os, "fork"):
        return
    cls = make_class("Working")
    stop = threading.Event()

    def work():
        while not stop.is_set():
            [cls() for _ in range(50)]

    before = references(cls)
    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        child = os.fork()
        if child == 0:
            # Registers of threads that are no more keep what they held: a few may be alive, none may be missing.
            extra = references(cls) - before
            [cls() for _ in range(100)]
            os._exit(0 if 0 <= extra <= THREADS * 60 and references(cls) - before == extra else 1)
        _, status = os.waitpid(child, 0)
        if status:
            stop.set()
        check("the child's exit", os.waitstatus_to_exitcode(status), 0)
    stop.set()
    for thread in threads:
        thread.join()
    check("references after forks", references(cls), before)


for test in [churn, keep, hand_over, classes_die, last_moments, dropped_at_the_end, fork, fork_at_work]:
    test()
    print(test.__name__, "ok", flush=True)
