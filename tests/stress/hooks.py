"""Hooks of tracing, profiling and monitoring that come and go while other threads run the same code; threads that end with
one; handlers of signals that are asked for while they change. No sanitizer, and no interpreter, may have anything to say."""
import contextvars
import signal
import sys
import threading
import time

THREADS = 4
monitoring = sys.monitoring
EVENTS = monitoring.events


def check(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: {found!r}, not {expected!r}")


def leaf(n):
    total = 0
    for i in range(n):
        total += i
        if i % 3:
            total -= 1
    return total


def work():
    assert leaf(10) == sum(range(10)) - 6
    try:
        leaf(None)
    except TypeError:
        pass
    return list(leaf(i) for i in range(3))


def in_threads(*bodies, seconds=0.5):
    """Runs each again and again, in a thread of its own, and work() in two more."""
    stop, failed = threading.Event(), []

    def run(body):
        try:
            while not stop.is_set():
                body()
        except BaseException as exception:
            failed.append(exception)
            stop.set()
            raise

    threads = [threading.Thread(target=run, args=(body,)) for body in (*bodies, work, work)]
    for thread in threads:
        thread.start()
    stop.wait(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    if failed:
        sys.exit(repr(failed[0]))


def trace(frame, event, argument):
    return trace


def profile(frame, event, argument):
    pass


def own_hooks():
    sys.settrace(trace)
    sys.setprofile(profile)
    work()
    sys.setprofile(None)
    sys.settrace(None)
    check("a hook that was taken away", (sys.gettrace(), sys.getprofile()), (None, None))


def hooks_of_all():
    threading.settrace_all_threads(trace)
    threading.setprofile_all_threads(profile)
    threading.setprofile_all_threads(None)
    threading.settrace_all_threads(None)


def hooks():
    in_threads(*[own_hooks] * THREADS)


def all_hooks():
    in_threads(hooks_of_all, hooks_of_all, lambda: sys.settrace(trace))
    hooks_of_all()
    check("events that nobody wants", monitoring._all_events(), {})


def short_threads():
    """They end with their hooks on, which see what finalizers still run."""
    variable = contextvars.ContextVar("variable")

    class Last:
        def __del__(self):
            leaf(3)

    def body():
        sys.settrace(trace)
        sys.setprofile(profile)
        variable.set(Last())
        local.last = Last()

    local = threading.local()

    def start():
        thread = threading.Thread(target=body)
        thread.start()
        thread.join()

    in_threads(start, start)
    check("events of threads that ended", monitoring._all_events(), {})


def tools():
    """Each thread has a tool, whose events come, are switched off where they are, and are switched on again."""
    def use(tool):
        seen = [0]

        def callback(*arguments):
            seen[0] += 1
            return monitoring.DISABLE if seen[0] % 2 else None

        def body():
            monitoring.use_tool_id(tool, f"tool {tool}")
            for event in EVENTS.LINE, EVENTS.PY_START, EVENTS.JUMP:
                monitoring.register_callback(tool, event, callback)
            monitoring.set_events(tool, EVENTS.LINE | EVENTS.PY_START)
            work()
            monitoring.restart_events()
            monitoring.set_local_events(tool, leaf.__code__, EVENTS.JUMP)
            work()
            monitoring.set_local_events(tool, leaf.__code__, 0)
            monitoring.set_events(tool, 0)
            monitoring.free_tool_id(tool)
            assert seen[0] > 0

        return body

    in_threads(*map(use, range(THREADS)))


def names_of_tools():
    """Who comes first has it."""
    has = [0]

    def body():
        try:
            monitoring.use_tool_id(3, "".join(["na", "me"]))
        except ValueError:
            monitoring.get_tool(3)
            return
        has[0] += 1
        check("how many have the tool", has[0], 1)
        has[0] -= 1
        monitoring.free_tool_id(3)

    in_threads(*[body] * THREADS)


def traced_frames():
    """Others set and look at f_trace of a frame that runs."""
    frame = None

    def victim():
        nonlocal frame
        frame = sys._getframe()
        sys.settrace(trace)
        frame.f_trace = trace
        for _ in range(20):
            leaf(3)
        sys.settrace(None)

    def meddle():
        if frame is not None:
            frame.f_trace = lambda *arguments: None
            frame.f_trace
            frame.f_trace_opcodes = False
            del frame.f_trace

    in_threads(victim, meddle, meddle)


def handlers():
    """signal.getsignal() while the main thread puts new handlers there."""
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            assert callable(signal.getsignal(signal.SIGUSR1))

    def send():
        while not stop.is_set():
            signal.raise_signal(signal.SIGUSR1)

    signal.signal(signal.SIGUSR1, lambda *arguments: None)
    threads = [threading.Thread(target=target) for target in (ask, ask, send)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        signal.signal(signal.SIGUSR1, lambda *arguments: None)
    stop.set()
    for thread in threads:
        thread.join()


def locks():
    """Released by two at once, a lock raises; nothing worse."""
    lock = threading.Lock()
    shown = threading.RLock()

    def take():
        lock.acquire(timeout=0.01)

    def give():
        try:
            lock.release()
        except RuntimeError:
            pass

    def hold():
        with shown, shown:
            repr(shown)

    in_threads(take, give, give, give, hold, lambda: repr(shown))


TESTS = [hooks, all_hooks, short_threads, tools, names_of_tools, traced_frames, handlers, locks]
names = sys.argv[1:]
for test in TESTS:
    if not names or test.__name__ in names:
        test()
        print(test.__name__, "ok", flush=True)
