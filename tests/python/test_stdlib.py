"""Modules in C: cases that upstream's tests do not reach."""
import gc
import io
import os
import pickle
import random
import subprocess
import sys
import tempfile
import threading
import unittest
from collections import OrderedDict


class Node:
    def __init__(self, *parts):
        self.parts = parts

    def __eq__(self, other):
        return type(self) is type(other) and self.parts == other.parts


class PickleTest(unittest.TestCase):
    samples = [
        None, True, -1, 255, 65536, 2**31, -2**63, 2**100, -2**2047, 1.5, float("inf"),
        "", "a\n\\\x1a", "\xe9", "\u20ac\ud800", "\U0001f600" * 100, b"", b"\xff" * 300,
        bytearray(b"xy"), (), (1,), (1, 2, 3, 4), [], [1], list(range(2500)), {}, {1: 2},
        {str(i): i for i in range(2500)}, set(), set(range(1000)), frozenset("ab"), Node(1, [2]),
        OrderedDict(a=1), len, Node, type(None), ..., io.BytesIO, b"z" * 70000, "z" * 70000,
    ]

    def test_round_trips_as_in_python(self):
        for protocol in range(6):
            for sample in self.samples:
                data = pickle.dumps(sample, protocol)
                self.assertEqual(pickle.loads(data), sample)
                self.assertEqual(pickle._loads(data), sample)
                self.assertEqual(pickle.load(io.BufferedReader(io.BytesIO(data), 7)), sample)

    def test_corrupt_data_is_an_exception(self):
        rnd = random.Random(1)
        whole = [pickle.dumps(self.samples[:26] + [Node(1)], protocol) for protocol in range(6)]
        for _ in range(3000):
            data = bytearray(rnd.choice(whole))
            start = rnd.randrange(len(data))
            data = data[start:start + 200] if rnd.random() < .5 else data
            for _ in range(rnd.randrange(1, 6)):
                data[rnd.randrange(len(data))] = rnd.randrange(256)
            try:
                pickle.Unpickler.find_class, pickle.loads(data)
            except Exception:
                pass

    def test_far_memo_numbers_take_no_memory(self):
        self.assertEqual(pickle.loads(b"]r\xff\xff\xff\xff0j\xff\xff\xff\xff."), [])

    def test_a_pickler_is_for_one_at_a_time(self):
        class Recursive(pickle.Pickler):
            def persistent_id(self, obj):
                self.dump(obj)

        with self.assertRaises(RuntimeError):
            Recursive(io.BytesIO()).dump(1)

        class Loads(pickle.Unpickler):
            def persistent_load(self, pid):
                return self.load()

        with self.assertRaises(RuntimeError):
            Loads(io.BytesIO(b"NQ.")).load()

    def test_memo_cleared_meanwhile(self):
        class Forgets(pickle.Pickler):
            def persistent_id(self, obj):
                self.memo.clear()
                self.memo = {}

        out = io.BytesIO()
        Forgets(out).dump([[1], {"a": (2,)}, "x" * 10])
        self.assertTrue(out.getvalue())

    def test_uninitialised(self):
        self.assertEqual(pickle.Pickler.__new__(pickle.Pickler).memo.copy(), {})
        self.assertEqual(pickle.Unpickler.__new__(pickle.Unpickler).memo.copy(), {})

    def test_list_that_shrinks(self):
        class Shrinks:
            def __reduce__(self):
                items.clear()
                return int, ()

        items = [Shrinks() for _ in range(200)]
        self.assertLess(len(pickle.loads(pickle.dumps(items))), 200)


class OrderedDictTest(unittest.TestCase):
    def test_order_apart_from_the_dict(self):
        rnd = random.Random(2)
        od, order = OrderedDict(), []
        for _ in range(5000):
            key = rnd.randrange(50)
            action = rnd.randrange(6)
            if action < 2:
                if key not in od:
                    order.append(key)
                od[key] = str(key)
            elif action == 2 and key in od:
                del od[key]
                order.remove(key)
            elif action == 3 and key in od:
                last = rnd.random() < .5
                od.move_to_end(key, last)
                order.remove(key)
                order.insert(len(order) if last else 0, key)
            elif action == 4 and order:
                last = rnd.random() < .5
                self.assertEqual(od.popitem(last)[0], order.pop() if last else order.pop(0))
            elif action == 5:
                self.assertEqual(od.pop(key, None), str(key) if key in order else None)
                if key in order:
                    order.remove(key)
            self.assertEqual(list(od), order)
        self.assertEqual(list(reversed(od.items())), [(k, str(k)) for k in reversed(order)])
        self.assertEqual(list(dict(od)), order)

    def test_behind_its_back(self):
        od = OrderedDict.fromkeys("abc")
        dict.clear(od)
        od["x"] = 1
        with self.assertRaises(KeyError):
            od.copy()
        while od:
            try:
                od.popitem(last=False)
            except KeyError:
                pass
        self.assertEqual(repr(od), "OrderedDict()")

    def test_threads(self):
        od = OrderedDict()

        def work(seed):
            rnd = random.Random(seed)
            for _ in range(2000):
                key = rnd.randrange(20)
                try:
                    rnd.choice([lambda: od.__setitem__(key, key), lambda: od.pop(key, None),
                                lambda: od.move_to_end(key), lambda: od.popitem(False),
                                lambda: list(od.items()), lambda: od == OrderedDict(od)])()
                except (KeyError, RuntimeError):
                    pass

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(od), sorted(dict(od)))


class MultibyteTest(unittest.TestCase):
    encodings = ("gb2312 gbk gb18030 hz big5hkscs cp932 shift_jis euc_jp euc_jisx0213 "
                 "shift_jisx0213 euc_jis_2004 shift_jis_2004 cp949 euc_kr johab big5 cp950 "
                 "iso2022_jp iso2022_jp_1 iso2022_jp_2 iso2022_jp_3 iso2022_jp_2004 "
                 "iso2022_jp_ext iso2022_kr").split()

    def test_what_is_encoded_is_decoded(self):
        text = "".join(map(chr, [*range(0x20, 0x500), *range(0x3000, 0x3400), *range(0x4e00, 0x5000),
                                 *range(0xac00, 0xad00), *range(0x20000, 0x20100)]))
        text = text.replace("\u3164", "")  # in EUC-KR it begins a spelled syllable
        for encoding in self.encodings:
            data = text.encode(encoding, "ignore")
            decoded = data.decode(encoding)
            self.assertEqual(decoded.encode(encoding), data, encoding)
            self.assertGreater(len(decoded), 300)

    def test_garbage(self):
        rnd = random.Random(3)
        for encoding in self.encodings:
            for _ in range(200):
                data = rnd.randbytes(rnd.randrange(1, 12))
                data.decode(encoding, "replace")
                data.decode(encoding, "ignore")

    def test_state_of_ones_own(self):
        import codecs
        decoder = codecs.getincrementaldecoder("iso2022_jp")()
        decoder.setstate((b"", 0xffffffffffffffff))
        try:
            decoder.decode(b"ab\x1b$Bab")
        except UnicodeDecodeError:
            pass

    def test_all_of_gb18030(self):
        text = "".join(map(chr, [*range(0xd800), *range(0xe000, 0x10000, 7), 0x10000, 0x10ffff]))
        self.assertEqual(text.encode("gb18030").decode("gb18030"), text)


class FinalizerTest(unittest.TestCase):
    def test_files_in_garbage_are_flushed(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "out")
            code = f"out = open({path!r}, 'w')\nout.write('x')\ndef function(): pass\n"
            subprocess.run([sys.executable, "-c", code], check=True)
            with open(path) as file:
                self.assertEqual(file.read(), "x")

    def test_holders_go_first(self):
        gone = []

        class Holder:
            def __init__(self, name, held):
                self.name, self.held = name, held

            def __del__(self):
                gone.append(self.name)

        cycle = [Holder("a", Holder("b", Holder("c", None)))]
        cycle.append(cycle)
        del cycle
        gc.collect()
        self.assertEqual(gone, ["a", "b", "c"])


if __name__ == "__main__":
    unittest.main()
