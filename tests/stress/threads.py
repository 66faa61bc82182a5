"""Threads in hard places: signals while everybody is busy or blocked, daemon threads when the interpreter ends, fork() in
a program with threads. Whatever hangs is ended by the test's time limit."""
import _thread
import gc
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time

MAIN = threading.get_ident()


def check(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: {found!r}, not {expected!r}")


class Busy:
    """Threads that compute while the block runs."""

    def __init__(self, count=3):
        self.stop = False
        self.threads = [threading.Thread(target=self.work) for _ in range(count)]

    def work(self):
        while not self.stop:
            sum([i * i for i in range(100)])

    def __enter__(self):
        for thread in self.threads:
            thread.start()

    def __exit__(self, *exception):
        self.stop = True
        for thread in self.threads:
            thread.join()


# ---- signals --------------------------------------------------------------------------------------------------

def signals_in_main():
    """Handlers run in the main thread, whichever thread the signal hits, and none gets lost."""
    seen = []
    arrived = threading.Semaphore(0)

    def handler(number, frame):
        seen.append(threading.get_ident())
        arrived.release()

    signal.signal(signal.SIGUSR1, handler)
    rounds = 100

    def send():
        for i in range(rounds):
            if i % 2:
                os.kill(os.getpid(), signal.SIGUSR1)
            else:
                signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
            arrived.acquire()

    sender = threading.Thread(target=send)
    with Busy():
        sender.start()
        while sender.is_alive():
            sum(range(100))
    check("where handlers ran", set(seen), {MAIN})
    check("how often", len(seen), rounds)


def signals_wake_up():
    """A signal gets the main thread out of everything that blocks; what was waited for goes on afterwards."""
    handled = threading.Event()
    signal.signal(signal.SIGUSR1, lambda number, frame: handled.set())
    read_end, write_end = os.pipe()
    lock, event, line = threading.Lock(), threading.Event(), queue.SimpleQueue()
    condition = threading.Condition()
    lock.acquire()

    def wait_for(condition):
        with condition:
            condition.wait()

    def notify():
        with condition:
            condition.notify_all()

    # What blocks, and what ends it.
    blocking = {
        "lock": (lock.acquire, lock.release),
        "lock with a timeout": (lambda: lock.acquire(timeout=60), lock.release),
        "event": (event.wait, event.set),
        "queue": (line.get, lambda: line.put(None)),
        "condition": (lambda: wait_for(condition), notify),
        "read": (lambda: os.read(read_end, 1), lambda: os.write(write_end, b"x")),
        "select": (lambda: select.select([read_end], [], []), lambda: os.write(write_end, b"x")),
    }
    for name, (block, release) in blocking.items():
        handled.clear()

        def send():
            time.sleep(0.02)
            while not handled.is_set():   # one that comes just before it blocks is seen by the next one
                os.kill(os.getpid(), signal.SIGUSR1)
                handled.wait(0.1)
            release()

        sender = threading.Thread(target=send)
        sender.start()
        block()
        check(f"a signal while in: {name}", handled.is_set(), True)
        sender.join()

    go = threading.Event()
    sleeper = threading.Thread(target=go.wait)
    sleeper.start()
    handled.clear()

    def send():
        while not handled.is_set():
            os.kill(os.getpid(), signal.SIGUSR1)
            handled.wait(0.1)
        go.set()
    sender = threading.Thread(target=send)
    sender.start()
    sleeper.join()
    sender.join()


def exceptions_break_waits():
    """A handler that raises ends the wait, and leaves the lock as it was."""
    class Enough(Exception):
        pass

    def handler(number, frame):
        raise Enough

    signal.signal(signal.SIGALRM, handler)
    lock = threading.RLock()
    taken, give_back = threading.Event(), threading.Event()

    def hold():
        with lock:
            taken.set()
            give_back.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait()
    for block in [lock.acquire, holder.join, threading.Event().wait, queue.SimpleQueue().get]:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.02)  # on a busy machine it may be over before the wait begins
            block()
        except Enough:
            pass
        else:
            sys.exit(f"{block} came back without the exception")
    check("whether the lock was taken", lock.acquire(blocking=False), False)
    give_back.set()
    holder.join()
    with lock:
        pass


def interrupts():
    """interrupt_main() of other threads runs the handler here and only here."""
    where = []
    signal.signal(signal.SIGINT, lambda *_: where.append(threading.get_ident()))

    def work():
        for _ in range(50):
            before = len(where)
            _thread.interrupt_main()
            while len(where) == before:
                time.sleep(0)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        sum(range(50))
    check("where interrupts went", set(where), {MAIN})
    signal.signal(signal.SIGINT, signal.default_int_handler)


# ---- the end --------------------------------------------------------------------------------------------------

DAEMONS = """
import sys, threading, time, queue, gc
line = queue.SimpleQueue()
shared, table = [], {}
lock = threading.Lock()
class Node:
    def __init__(self): self.me = self
    def __del__(self): table.pop(1, None)
def compute():
    while True: sum(i for i in range(50))
def change():
    while True:
        for i in range(50): table[i] = [i]; shared.append(table[i])
        shared.clear(); table.clear()
def hold():
    while True:
        with lock: time.sleep(0)
def wait():
    while True: line.get()
def feed():
    while True: line.put(Node()); time.sleep(0.0001)
def collect():
    while True: gc.collect(0)
def start():
    while True:
        thread = threading.Thread(target=sum, args=([],)); thread.start(); thread.join()
def doze():
    while True: time.sleep(0.001)
for target in [compute, change, hold, wait, feed, collect, start, doze]:
    threading.Thread(target=target, daemon=True).start()
time.sleep(%f)
print("end", flush=True)
"""


def run_program(program, *arguments):
    result = subprocess.run([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, timeout=120)
    return result.returncode, result.stdout, result.stderr


def daemons_at_the_end():
    """Daemon threads neither keep the interpreter from ending, nor fall over what is taken down."""
    for i in range(12):
        found = run_program(DAEMONS % (i * 0.004))
        if "can't create new thread" in found[2]:  # the one that starts threads may notice the end: that is right
            found = (found[0], found[1], "")
        check("a program with daemon threads", found, (0, "end\n", ""))


NON_DAEMONS = """
import threading, time, atexit
def last(): print("last", flush=True)
def work(n):
    if n: threading.Thread(target=work, args=(n - 1,)).start()
    time.sleep(0.005)
    if n == 0: print("deepest", flush=True)
atexit.register(last)
threading.Thread(target=work, args=(5,)).start()
"""


def others_at_the_end():
    """Other threads are waited for, also those that they start; exit functions come after them."""
    check("a program with threads", run_program(NON_DAEMONS), (0, "deepest\nlast\n", ""))


# ---- fork -----------------------------------------------------------------------------------------------------

def child_work():
    """What a child of a threaded program may do: all of it."""
    import colorsys
    colorsys.rgb_to_hsv(0, 0, 1)
    check("threads in the child", threading.active_count(), 1)
    check("the child's main thread", threading.main_thread() is threading.current_thread(), True)
    results = queue.SimpleQueue()
    threads = [threading.Thread(target=lambda n=n: results.put(sum(range(n)))) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check("results in the child", results.qsize(), 4)
    gc.collect()
    hit = []
    signal.signal(signal.SIGUSR2, lambda *_: hit.append(1))
    os.kill(os.getpid(), signal.SIGUSR2)
    while not hit:
        pass


def fork_and_wait():
    child = os.fork()
    if child == 0:
        result = 1
        try:
            signal.alarm(60)
            child_work()
            result = 0
        except BaseException as exception:
            print("in a child:", repr(exception), file=sys.stderr, flush=True)
        finally:
            os._exit(result)
    _, status = os.waitpid(child, 0)
    check("the child's exit", os.waitstatus_to_exitcode(status), 0)


def fork_with_threads():
    """fork() while the others compute, allocate, collect, wait for locks and start threads."""
    stop = threading.Event()
    lock = threading.Lock()

    def allocate():
        while not stop.is_set():
            [[i] for i in range(200)]

    def wait():
        while not stop.is_set():
            with lock:
                pass

    def start():
        while not stop.is_set():
            thread = threading.Thread(target=sum, args=([],))
            thread.start()
            thread.join()

    def collect():
        while not stop.is_set():
            gc.collect(0)
            stop.wait(0.001)

    threads = [threading.Thread(target=work) for work in (allocate, wait, start, collect)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(15):
            fork_and_wait()
        forker = threading.Thread(target=lambda: [fork_and_wait_in_thread() for _ in range(5)])
        forker.start()
        forker.join()
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def fork_and_wait_in_thread():
    """The forking thread is the main thread of the child."""
    child = os.fork()
    if child == 0:
        result = 1
        try:
            signal.alarm(60)
            check("threads in the child of a thread", threading.active_count(), 1)
            check("its main thread", threading.main_thread().ident, threading.get_ident())
            gc.collect()
            result = 0
        except BaseException as exception:
            print("in a child of a thread:", repr(exception), file=sys.stderr, flush=True)
        finally:
            os._exit(result)
    _, status = os.waitpid(child, 0)
    check("the exit of a thread's child", os.waitstatus_to_exitcode(status), 0)


def fork_and_end():
    """A child that ends as a program does, with threads of its own, of which it waits for the right ones."""
    program = """
import os, sys, threading, time
event = threading.Event()
threading.Thread(target=event.wait).start()
threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
if os.fork() == 0:
    threading.Thread(target=lambda: (time.sleep(0.01), print("child", flush=True))).start()
    sys.exit(0)
_, status = os.wait()
event.set()
print("parent", status)
"""
    check("a child that ends", run_program("import warnings; warnings.simplefilter('ignore')\n" + program),
          (0, "child\nparent 0\n", ""))


TESTS = [signals_in_main, signals_wake_up, exceptions_break_waits, interrupts, daemons_at_the_end, others_at_the_end,
         fork_with_threads, fork_and_end]
names = sys.argv[1:]
for test in TESTS:
    if not names or test.__name__ in names:
        test()
        print(test.__name__, "ok", flush=True)
