"""Reference cycles, finalizers and weak references, with collections of the young in between; imports nothing."""


class Node:
    made = died = 0

    def __init__(self):
        Node.made += 1
        self.me = self

    def __del__(self):
        Node.died += 1


for i in range(20000):
    Node()
assert Node.made == 20000
# How many are left depends on when the collector last ran.
assert Node.died > 5000, Node.died


def chain(n):
    head = None
    for i in range(n):
        head = (head,)
    return head


deep = chain(200000)
del deep
deep = []
for i in range(100000):
    deep = [deep]
del deep


def closure_cycle():
    def f():
        return f
    return f


for i in range(5000):
    closure_cycle()


def generator_cycle():
    def g():
        yield me
    me = g()
    return me


for i in range(5000):
    next(generator_cycle())

for i in range(2000):
    class Temporary:
        attribute = i

        def method(self):
            return self.attribute
    assert Temporary().method() == i

d = {}
for i in range(100000):
    d[i] = str(i)
for i in range(0, 100000, 2):
    del d[i]
assert len(d) == 50000 and d[99999] == '99999'
assert sum(d) == sum(range(1, 100000, 2))
s = set(range(1000)) - set(range(500))
assert len(s) == 500 and 499 not in s and 500 in s
assert sorted([3, 1, 2], reverse=True) == [3, 2, 1]
assert sorted('banana', key=lambda c: (-ord(c))) == list('nnbaaa')
assert ''.join(reversed('abc')) == 'cba'

# A sum that leaves the machine's integers keeps what it had.
assert sum([2**62, 2**62]) == 2**63
assert sum(range(10), 2**63 - 5) == 2**63 + 40
assert sum([True, 2**63 - 1, -5]) == 2**63 - 5
assert sum([-2**63, -1, 1.5]) == -2.0**63
