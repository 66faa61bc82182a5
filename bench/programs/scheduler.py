"""A small operating system: tasks, devices and packets, a simulation full of objects and methods."""
from collections import deque


class Packet:
    def __init__(self, kind, target, number):
        self.kind = kind
        self.target = target
        self.number = number
        self.data = [0, 0, 0, 0]


class Task:
    def __init__(self, name, priority, kernel):
        self.name = name
        self.priority = priority
        self.kernel = kernel
        self.inbox = deque()
        self.blocked = False
        self.runs = 0

    def ready(self):
        return not self.blocked and (self.wants_to_run() or len(self.inbox) > 0)

    def wants_to_run(self):
        return False

    def step(self):
        raise NotImplementedError

    def send(self, name, packet):
        self.kernel.deliver(name, packet)


class Idle(Task):
    def __init__(self, name, kernel, seed):
        super().__init__(name, 0, kernel)
        self.seed = seed

    def wants_to_run(self):
        return True

    def step(self):
        if self.seed & 1:
            self.seed = (self.seed >> 1) ^ 0xD008
            self.kernel.unblock("disk")
        else:
            self.seed >>= 1
            self.kernel.unblock("net")


class Producer(Task):
    def __init__(self, name, priority, kernel, target, limit):
        super().__init__(name, priority, kernel)
        self.target = target
        self.limit = limit
        self.made = 0
        self.waiting = 0

    def wants_to_run(self):
        return self.made < self.limit and self.waiting < 4

    def step(self):
        while self.inbox:
            packet = self.inbox.popleft()
            self.waiting -= 1
            self.kernel.checksum = (self.kernel.checksum * 31 + sum(packet.data)) % 1000003
        if self.wants_to_run():
            packet = Packet("work", self.name, self.made)
            self.made += 1
            self.waiting += 1
            self.send(self.target, packet)


class Handler(Task):
    def __init__(self, name, priority, kernel, devices):
        super().__init__(name, priority, kernel)
        self.devices = devices

    def step(self):
        packet = self.inbox.popleft()
        for i in range(len(packet.data)):
            packet.data[i] = (packet.number * 7 + i) & 0xFF
        self.send(self.devices[packet.number % len(self.devices)], packet)


class Device(Task):
    def __init__(self, name, priority, kernel):
        super().__init__(name, priority, kernel)
        self.blocked = True

    def step(self):
        packet = self.inbox.popleft()
        packet.data[-1] ^= 0x55
        self.send(packet.target, packet)
        self.blocked = True


class Kernel:
    def __init__(self):
        self.tasks = {}
        self.order = []
        self.checksum = 0
        self.steps = 0

    def add(self, task):
        self.tasks[task.name] = task
        self.order = sorted(self.tasks.values(), key=lambda one: -one.priority)

    def deliver(self, name, packet):
        self.tasks[name].inbox.append(packet)

    def unblock(self, name):
        self.tasks[name].blocked = False

    def run(self, done):
        while not done():
            for task in self.order:
                if task.ready():
                    task.runs += 1
                    task.step()
                    break
            self.steps += 1


def main():
    for _ in range(4):
        kernel = Kernel()
        kernel.add(Idle("idle", kernel, 0x1234))
        first = Producer("first", 10, kernel, "handler", 2500)
        second = Producer("second", 20, kernel, "handler", 2500)
        kernel.add(first)
        kernel.add(second)
        kernel.add(Handler("handler", 50, kernel, ["disk", "net"]))
        kernel.add(Device("disk", 80, kernel))
        kernel.add(Device("net", 90, kernel))
        kernel.run(lambda: first.made == 2500 and second.made == 2500 and not first.waiting and not second.waiting)
    assert (kernel.checksum, sum(task.runs for task in kernel.order) <= kernel.steps) == (RESULT, True), kernel.checksum
    print(kernel.checksum, kernel.steps)


RESULT = 385863


if __name__ == "__main__":
    for _ in range(3):
        main()
