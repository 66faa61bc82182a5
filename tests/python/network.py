"""Sockets, event loops and semaphores: what upstream's tests do not look at."""
import asyncio
import gc
import marshal
import os
import socket
import subprocess
import sys
import threading
import time
import unittest


class SocketTest(unittest.TestCase):
    def test_timeout_although_another_made_the_file_block(self):
        # The mode of a file belongs to all who have it open; a timeout is this socket's own.
        left, right = socket.socketpair()
        with left, right, left.dup() as twin:
            left.settimeout(0.05)
            twin.setblocking(True)
            for receive in (left.recv, left.recvfrom, left.recvmsg):
                with self.assertRaises(TimeoutError):
                    receive(1)

    def test_deadline_holds_for_all_of_sendall(self):
        left, right = socket.socketpair()
        with left, right:
            left.settimeout(0.2)
            stop = threading.Event()

            def drip():
                while not stop.wait(0.02):
                    right.recv(1024)

            reader = threading.Thread(target=drip)
            reader.start()
            begin = time.monotonic()
            with self.assertRaises(TimeoutError):
                left.sendall(bytes(64 << 20))
            stop.set()
            reader.join()
            self.assertLess(time.monotonic() - begin, 10)

    def test_close_while_another_thread_waits(self):
        server = socket.create_server(("127.0.0.1", 0))
        server.settimeout(0.3)
        errors = []

        def accept():
            try:
                server.accept()
            except OSError as error:
                errors.append(error)

        waiter = threading.Thread(target=accept)
        waiter.start()
        time.sleep(0.05)
        server.close()
        waiter.join()
        self.assertEqual(len(errors), 1)

    def test_descriptors_of_a_lost_message_are_closed(self):
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with left, right, open(os.devnull) as file:
            before = len(os.listdir("/proc/self/fd"))
            socket.send_fds(left, [b"x"], [file.fileno()])
            _, fds, _, _ = socket.recv_fds(right, 1, 1)
            self.assertEqual(len(fds), 1)
            os.close(fds[0])
            self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_many_threads_on_one_socket(self):
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with left, right:
            got = []

            def take():
                for _ in range(200):
                    got.append(right.recv(16))

            threads = [threading.Thread(target=take) for _ in range(4)]
            for thread in threads:
                thread.start()
            for i in range(800):
                left.send(b"%d" % i)
            for thread in threads:
                thread.join()
            self.assertEqual(sorted(map(int, got)), list(range(800)))


class FutureTest(unittest.TestCase):
    def test_only_one_thread_finishes_a_future(self):
        class Loop:
            def __init__(self):
                self.calls = []

            def get_debug(self):
                return False

            def call_soon(self, *args, context=None):
                self.calls.append(args)

        for _ in range(200):
            loop = Loop()
            future = asyncio.Future(loop=loop)
            future.add_done_callback(print)
            start, wins = threading.Barrier(3), []

            def finish(value):
                start.wait()
                try:
                    future.set_result(value)
                    wins.append(value)
                except asyncio.InvalidStateError:
                    pass

            threads = [threading.Thread(target=finish, args=(i,)) for i in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(wins, [future.result()])
            self.assertEqual(loop.calls, [(print, future)])

    def test_loops_in_many_threads(self):
        async def child(n):
            await asyncio.sleep(0)
            return n

        async def main(n):
            self.assertIs(asyncio.current_task().get_loop(), asyncio.get_running_loop())
            return sum(await asyncio.gather(*(child(i) for i in range(n))))

        results = []
        threads = [threading.Thread(target=lambda: results.append(asyncio.run(main(100))))
                   for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [4950] * 4)

    def test_thrown_exception_gets_the_context_of_the_generator(self):
        def generator():
            try:
                raise KeyError
            except KeyError:
                yield

        thrower = generator()
        next(thrower)
        with self.assertRaises(ValueError) as caught:
            thrower.throw(ValueError())
        self.assertIsInstance(caught.exception.__context__, KeyError)

    def test_tasks_that_nobody_holds(self):
        reports = []

        async def forever():
            await asyncio.get_running_loop().create_future()

        async def main():
            asyncio.get_running_loop().set_exception_handler(
                lambda loop, context: reports.append(context["message"]))
            asyncio.create_task(forever())
            await asyncio.sleep(0)
            gc.collect()

        asyncio.run(main())
        self.assertEqual(reports, ["Task was destroyed but it is pending!"])


class OthersTest(unittest.TestCase):
    def test_semaphore_between_processes(self):
        import multiprocessing
        context = multiprocessing.get_context("fork")
        semaphore = context.Semaphore(0)
        process = context.Process(target=semaphore.release)
        process.start()
        self.assertTrue(semaphore.acquire(timeout=30))
        process.join()
        self.assertEqual(process.exitcode, 0)

    def test_names_of_keywords_are_not_mangled(self):
        self.assertEqual(dict(__name=1, **{"other": 2}), {"__name": 1, "other": 2})

    def test_an_empty_display_into_a_local_can_be_stored(self):
        code = compile("def f(x=None):\n    if x is None:\n        x = {}\n    return x\n", "f",
                       "exec")
        names = {}
        exec(marshal.loads(marshal.dumps(code)), names)
        self.assertEqual(names["f"](), {})

    def test_destructors_at_the_end_find_their_modules(self):
        program = ("import logging, sys\n"
                   "class A:\n"
                   "    def __del__(self):\n"
                   "        logging.getLogger().error('at the end')\n"
                   "a = A()\n")
        result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        self.assertEqual(result.stderr, "at the end\n")

    def test_script_with_a_name_that_is_not_ascii(self):
        import tempfile
        with tempfile.TemporaryDirectory() as folder:
            script = os.path.join(folder, "\xe6\u20ac\U0001f40d.py")
            with open(script, "w") as file:
                file.write("print(ascii(__file__))")
            result = subprocess.run([sys.executable, script], capture_output=True, text=True,
                                    env={**os.environ, "LC_ALL": "C.UTF-8"})
            self.assertEqual(result.stdout.strip(), ascii(script))


if __name__ == "__main__":
    unittest.main()
