"""Dates, time zones and decimals where the upstream tests are silent: rules of zones that reach over
the new year, the interface for C, numbers in foreign threads.
"""

import io
import struct
import threading
import unittest
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

try:
    import _decimal
    import decimal
except ImportError:
    decimal = None


def zone_of(rule):
    """A zone with nothing but a rule."""
    header = b"TZif2" + bytes(15) + struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    block = struct.pack(">lBB", 0, 0, 0) + b"LMT\0"
    data = header + block + header + block + b"\n" + rule.encode() + b"\n"
    return ZoneInfo.from_file(io.BytesIO(data))


class ZoneRules(unittest.TestCase):
    def test_day_numbers(self):
        # J counts without February 29, plain numbers count from 0 and with it.
        zone = zone_of("STD0DST,J60/0,100/0")
        for year in (2023, 2024):
            self.assertEqual(datetime(year, 2, 28, 12, tzinfo=zone).tzname(), "STD")
            self.assertEqual(datetime(year, 3, 1, 12, tzinfo=zone).tzname(), "DST")
            last = datetime(year, 1, 1) + timedelta(99)
            self.assertEqual(last.replace(tzinfo=zone, hour=12).tzname(), "DST")
            after = last + timedelta(1)
            self.assertEqual(after.replace(tzinfo=zone, hour=12).tzname(), "STD")

    def test_all_year(self):
        zone = zone_of("EST5EDT,0/0,J365/25")
        for day in (datetime(2023, 12, 31, 23, 59), datetime(2024, 1, 1), datetime(2024, 7, 1)):
            self.assertEqual(day.replace(tzinfo=zone).tzname(), "EDT")
        utc = datetime(2024, 1, 1, 4, 30, tzinfo=timezone.utc)
        self.assertEqual(utc.astimezone(zone).fold, 0)

    def test_southern(self):
        zone = zone_of("AEST-10AEDT,M10.1.0,M4.1.0/3")
        twice = datetime(2024, 4, 7, 2, 30, tzinfo=zone)
        self.assertEqual(twice.tzname(), "AEDT")
        self.assertEqual(twice.replace(fold=1).tzname(), "AEST")
        self.assertEqual(datetime(2024, 1, 1, tzinfo=zone).utcoffset(), timedelta(hours=11))

    def test_broken_files(self):
        good = b"TZif2" + bytes(15) + struct.pack(">6l", 0, 0, 0, 0, 1, 4)
        for data in (b"", b"TZif", good, good + b"\0" * 5,
                     b"TZif2" + bytes(15) + b"\xff" * 24):
            with self.subTest(data=data), self.assertRaises(ValueError):
                ZoneInfo.from_file(io.BytesIO(data))


class Spans(unittest.TestCase):
    def test_extremes(self):
        self.assertEqual(timedelta.max // timedelta.resolution, 86399999999999999999)
        self.assertEqual(timedelta(microseconds=86399999999999999999), timedelta.max)
        self.assertEqual(timedelta.resolution * 86399999999999999999, timedelta.max)
        self.assertEqual(timedelta.max / 1e300, timedelta(0))
        self.assertEqual(timedelta(0) * 10 ** 100, timedelta(0))
        self.assertEqual(timedelta(1) // 10 ** 100, timedelta(0))
        self.assertEqual(timedelta(-1) // 10 ** 100, -timedelta.resolution)
        with self.assertRaises(OverflowError):
            timedelta.resolution * 10 ** 100
        with self.assertRaises(OverflowError):
            timedelta.max * 2.5

    def test_floats_are_exact(self):
        for factor in (0.1, 1 / 3, 1e-9, 123456.789, 2.0 ** 20, 5e-324):
            for span in (timedelta(1), timedelta(-3, 5, 7), timedelta(microseconds=1)):
                with self.subTest(factor=factor, span=span):
                    up, down = factor.as_integer_ratio()
                    us = span // timedelta.resolution
                    quotient, rest = divmod(us * up, down)
                    if 2 * rest > down or (2 * rest == down and quotient & 1):
                        quotient += 1
                    self.assertEqual(span * factor, timedelta(microseconds=quotient))


@unittest.skipUnless(decimal, "needs libmpdec")
class Decimals(unittest.TestCase):
    def test_hash_of_equals(self):
        for number in (0, 1, -1, 10 ** 50, -(2 ** 61 - 1), 2 ** 61, 3 * 10 ** 400):
            self.assertEqual(hash(decimal.Decimal(number)), hash(number))
        for number in (0.5, -1.25, 1e-300, 1e300):
            self.assertEqual(hash(decimal.Decimal(number)), hash(number))

    def test_ints_both_ways(self):
        for bits in (29, 30, 31, 60, 63, 64, 65, 1000):
            for number in (2 ** bits, 2 ** bits - 1, -(2 ** bits)):
                self.assertEqual(int(decimal.Decimal(number)), number)
                self.assertEqual(decimal.Decimal(number) + 0 == number, bits < 90)

    def test_contexts_of_threads(self):
        seen = {}

        def work(precision):
            decimal.getcontext().prec = precision
            for _ in range(200):
                seen[precision] = decimal.Decimal(1) / 3

        threads = [threading.Thread(target=work, args=(p,)) for p in range(3, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for precision, value in seen.items():
            self.assertEqual(len(value.as_tuple().digits), precision)

    def test_one_context_in_threads(self):
        context = decimal.Context(prec=5)

        def work():
            for _ in range(500):
                context.divide(1, 3)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue(context.flags[decimal.Inexact])
        self.assertTrue(context.flags[decimal.Rounded])
        self.assertFalse(context.flags[decimal.Overflow])


if __name__ == "__main__":
    unittest.main()
