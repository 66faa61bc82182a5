"""The interpreter as a whole: import, files, text, threads, regular expressions, json."""
import collections
import functools
import io
import itertools
import json
import os
import re
import sys
import threading

assert sys.implementation.name == 'cpython' and sys.version_info[:3] == (3, 13, 5)
assert sys._is_gil_enabled() == (sys.abiflags == '')

sys.set_int_max_str_digits(1000)
try:
    str(10 ** 2000)
except ValueError as e:
    assert 'Exceeds the limit (1000 digits)' in str(e)
else:
    assert False
sys.set_int_max_str_digits(0)
assert len(str(10 ** 5000)) == 5001 and sys.get_int_max_str_digits() == 0

assert json.loads(json.dumps({'a': [1, 2.5, None, True, 'ä']})) == {'a': [1, 2.5, None, True, 'ä']}
assert re.findall(r'(\w)(\d+)', 'a1 b22 c') == [('a', '1'), ('b', '22')]
assert re.sub(r'\s+', ' ', 'a  b \n c') == 'a b c'
assert collections.Counter('abracadabra').most_common(2) == [('a', 5), ('b', 2)]
Point = collections.namedtuple('Point', 'x y')
assert Point(1, 2)._replace(y=3) == (1, 3)
assert list(itertools.permutations('ab')) == [('a', 'b'), ('b', 'a')]


@functools.lru_cache
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


assert fib(80) == 23416728348467685

path = f'/tmp/krait-smoke-{os.getpid()}'
with open(path, 'w', encoding='utf-8') as file:
    file.write('line one\nline ä two\n')
with open(path, encoding='utf-8') as file:
    assert file.read().splitlines() == ['line one', 'line ä two']
os.unlink(path)
buffer = io.StringIO()
print('a', 1, sep='-', file=buffer)
assert buffer.getvalue() == 'a-1\n'

total = []
lock = threading.Lock()


def work(n):
    s = 0
    for i in range(n):
        s += i
    with lock:
        total.append(s)


threads = [threading.Thread(target=work, args=(50000,)) for _ in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
assert total == [sum(range(50000))] * 4
