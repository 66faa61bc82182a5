"""Reads of what all threads share: nobody should write to shared lines."""
import math

TABLE = {i: str(i) for i in range(1000)}
WORDS = ["word" + str(i) for i in range(200)]
INDEX = {word: i for i, word in enumerate(WORDS)}


class Shape:
    sides = 4

    def __init__(self, width, height):
        self.width = width
        self.height = height

    def area(self):
        return self.width * self.height


SHAPES = [Shape(i, i + 1) for i in range(100)]


def bench_dict(n):
    for _ in range(n):
        for i in range(0, 1000, 7):
            TABLE[i]


def bench_list(n):
    for _ in range(n):
        for word in WORDS:
            INDEX[word]


def bench_methods(n):
    for _ in range(n):
        total = 0
        for shape in SHAPES:
            total += shape.area() * shape.sides


def bench_module(n):
    for i in range(n * 100):
        math.sqrt(i)
        isinstance(i, int)
