"""Coroutines on an event loop of our own: tasks, sleeping, channels, locks."""
import heapq
from collections import deque
from contextlib import asynccontextmanager


class Suspend:
    """What a coroutine awaits to hand a request to the loop."""

    def __init__(self, request, argument=None):
        self.request = request
        self.argument = argument

    def __await__(self):
        return (yield self)


class Loop:
    def __init__(self):
        self.ready = deque()
        self.sleeping = []
        self.now = 0
        self.serial = 0
        self.switches = 0

    def spawn(self, coroutine):
        self.ready.append((coroutine, None))

    def run(self):
        while self.ready or self.sleeping:
            if not self.ready:
                self.now, _, coroutine = heapq.heappop(self.sleeping)
                self.ready.append((coroutine, None))
            coroutine, value = self.ready.popleft()
            self.switches += 1
            try:
                wish = coroutine.send(value)
            except StopIteration:
                continue
            match wish.request:
                case "sleep":
                    self.serial += 1
                    heapq.heappush(self.sleeping, (self.now + wish.argument, self.serial, coroutine))
                case "pass":
                    self.ready.append((coroutine, None))
                case "wait":
                    wish.argument.append((self, coroutine))


class Channel:
    def __init__(self, room):
        self.items = deque()
        self.room = room
        self.readers = []
        self.writers = []

    @staticmethod
    def wake(waiting):
        if waiting:
            loop, coroutine = waiting.pop(0)
            loop.ready.append((coroutine, None))

    async def put(self, item):
        while len(self.items) >= self.room:
            await Suspend("wait", self.writers)
        self.items.append(item)
        self.wake(self.readers)

    async def get(self):
        while not self.items:
            await Suspend("wait", self.readers)
        item = self.items.popleft()
        self.wake(self.writers)
        return item

    async def __aiter__(self):
        while (item := await self.get()) is not None:
            yield item


async def producer(channel, count):
    for i in range(count):
        await channel.put(i)
        if i % 10 == 0:
            await Suspend("sleep", 1 + i % 3)
    await channel.put(None)


@asynccontextmanager
async def counted(counts, key):
    counts[key] = counts.get(key, 0) + 1
    await Suspend("pass")
    try:
        yield counts
    finally:
        counts[key] += 1


async def square(x):
    return x * x


async def consumer(channel, out, counts):
    async for item in channel:
        async with counted(counts, item % 5):
            out.append(await square(item))


async def quiet(steps):
    for _ in range(steps):
        await Suspend("pass")


def main():
    counts, outs = {}, []
    loop = Loop()
    for pair in range(4):
        channel = Channel(3 + pair)
        outs.append([])
        loop.spawn(producer(channel, 2500))
        loop.spawn(consumer(channel, outs[-1], counts))
    for _ in range(10):
        loop.spawn(quiet(1000))
    loop.run()
    assert all(out == [i * i for i in range(2500)] for out in outs)
    assert sum(counts.values()) == 4 * 2500 * 2
    print(loop.switches, loop.now)


if __name__ == "__main__":
    for _ in range(6):
        main()
