#!/usr/bin/env python3
"""Follows how heat spreads on a plate, with several threads on one grid.

The plate's upper edge is hot, the others are cold. In each step every cell becomes the mean of its four
neighbours. Each thread has a band of rows; a barrier keeps the threads in step, and they swap the
grid that is read and the one that is written.
"""

import threading

from measure import arguments, check, report, run_threads, timed


def make_grid(size):
    return [[100.0] * size] + [[0.0] * size for _ in range(size - 1)]


def relax(old, new, first, last):
    """One step for the rows first..last-1."""
    for row in range(first, last):
        above, here, below, target = old[row - 1], old[row], old[row + 1], new[row]
        for column in range(1, len(here) - 1):
            target[column] = (above[column] + below[column] + here[column - 1] + here[column + 1]) * 0.25


def solve(size, steps, threads):
    grids = [make_grid(size), make_grid(size)]
    barrier = threading.Barrier(threads)

    def work(index):
        first = 1 + (size - 2) * index // threads
        last = 1 + (size - 2) * (index + 1) // threads
        old, new = grids
        for _ in range(steps):
            relax(old, new, first, last)
            barrier.wait()
            old, new = new, old

    run_threads(threads, work)
    return grids[steps % 2]


def main():
    args = arguments(__doc__.splitlines()[0], size=200, steps=60)
    with timed() as time:
        grid = solve(args.size, args.steps, args.threads)
    middle = args.size // 2
    if (args.size, args.steps) == (200, 60):
        # Any number of threads gives the same sums, to the last bit.
        check("heat of the second row", sum(grid[1]).hex(), "0x1.065bfd541b657p+14")
    check("symmetry", [f"{x:.9f}" for x in grid[5]], [f"{x:.9f}" for x in reversed(grid[5])])
    report(args, time.seconds,
           "\n".join(f"row {row:3}: {grid[row][middle]:10.6f} degrees in the middle" for row in (1, 5, 20)))


if __name__ == "__main__":
    main()
