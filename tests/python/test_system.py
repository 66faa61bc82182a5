"""Signals, fault handlers, traces of memory, the symbol table and dis, as this interpreter has them."""

import dis
import faulthandler
import io
import signal
import symtable
import tempfile
import threading
import time
import tracemalloc
import unittest


class Signals(unittest.TestCase):
    def test_main_thread_gets_them_though_others_are_younger(self):
        seen = []
        old = signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
        stop = threading.Event()
        thread = threading.Thread(target=stop.wait)
        thread.start()
        try:
            signal.raise_signal(signal.SIGUSR1)
            for _ in range(100):
                pass
        finally:
            stop.set()
            thread.join()
            signal.signal(signal.SIGUSR1, old)
        self.assertEqual(seen, [signal.SIGUSR1])

    def test_timer(self):
        seen = []
        old = signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            end = time.monotonic() + 60
            while not seen and time.monotonic() < end:
                time.sleep(0.1)
        finally:
            signal.signal(signal.SIGALRM, old)
        self.assertEqual(seen, [1])

    def test_masked_signal_waits(self):
        old = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
        try:
            signal.raise_signal(signal.SIGUSR2)
            self.assertIn(signal.SIGUSR2, signal.sigpending())
            self.assertEqual(signal.sigtimedwait([signal.SIGUSR2], 1).si_signo, signal.SIGUSR2)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, old)


class Traces(unittest.TestCase):
    def test_stacks_of_all_threads(self):
        stop, ready = threading.Event(), threading.Event()

        def waiting_for_the_end():
            ready.set()
            stop.wait()

        thread = threading.Thread(target=waiting_for_the_end)
        thread.start()
        ready.wait()
        with tempfile.TemporaryFile('w+') as file:
            faulthandler.dump_traceback(file)
            stop.set()
            thread.join()
            file.seek(0)
            text = file.read()
        self.assertIn('in waiting_for_the_end', text)
        self.assertIn('in test_stacks_of_all_threads', text)

    def test_allocations_have_a_place(self):
        tracemalloc.start(3)
        try:
            data = [bytes(1000) for _ in range(10)]
            place = tracemalloc.get_object_traceback(data[3])
            size = tracemalloc.get_traced_memory()[0]
            del data
            self.assertLess(tracemalloc.get_traced_memory()[0], size - 9000)
        finally:
            tracemalloc.stop()
        self.assertEqual(place[-1].filename, __file__)


class Names(unittest.TestCase):
    def test_inlined_comprehension_is_no_block(self):
        table = symtable.symtable('def f(a):\n    return [a + b for b in a]\n', 'x', 'exec')
        function = table.get_children()[0]
        self.assertEqual([child.get_name() for child in function.get_children()], [])
        self.assertTrue(function.lookup('a').is_parameter())


class Instructions(unittest.TestCase):
    def test_operands_have_names(self):
        def area(width, height):
            total = width * height
            return total

        rows = {i.opname: i for i in dis.get_instructions(area)}
        self.assertEqual(rows['MUL'].argrepr, 'total, width, height')
        self.assertEqual(rows['MUL'].line_number, area.__code__.co_firstlineno + 1)

    def test_jumps_have_labels(self):
        def loop(items):
            for item in items:
                print(item)

        out = io.StringIO()
        dis.dis(loop, file=out)
        self.assertRegex(out.getvalue(), r'L1:\s+FOR_ITER .* to L2')
        self.assertRegex(out.getvalue(), r'JUMP_BACK +to L1')

    def test_imports(self):
        code = compile('import a.b\nfrom .. import c', 'x', 'exec')
        self.assertEqual(list(dis._find_imports(code)), [('a.b', 0, None), ('', 2, ('c',))])


if __name__ == '__main__':
    unittest.main()
