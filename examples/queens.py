#!/usr/bin/env python3
"""Counts the ways to place N queens on a board of N x N so that none attacks another.

The first two rows split the search into independent parts, which threads take from a common pile. Columns
and diagonals that are under attack are bits of three ints.
"""

from measure import Tickets, arguments, check, report, run_threads, timed

KNOWN = {1: 1, 2: 0, 3: 0, 4: 2, 5: 10, 6: 4, 7: 40, 8: 92, 9: 352, 10: 724, 11: 2680, 12: 14200, 13: 73712}


def count_below(full, columns, left, right):
    """Solutions for the rows that are left, given what is under attack in the next one."""
    if columns == full:
        return 1
    count = 0
    free = full & ~(columns | left | right)
    while free:
        place = free & -free
        free ^= place
        count += count_below(full, columns | place, (left | place) << 1 & full, (right | place) >> 1)
    return count


def starts(size):
    """The state after each way to fill the first two rows."""
    full = (1 << size) - 1
    for first in range(size):
        a = 1 << first
        for second in range(size):
            b = 1 << second
            left, right = a << 1 & full, a >> 1
            if not b & (a | left | right):
                yield full, a | b, (left | b) << 1 & full, (right | b) >> 1


def main():
    args = arguments(__doc__.splitlines()[0], size=12)
    if args.size < 3:
        parts = [((1 << args.size) - 1, 0, 0, 0)]
    else:
        parts = list(starts(args.size))
    tickets = Tickets(len(parts))
    with timed() as time:
        counts = run_threads(args.threads, lambda _: sum(count_below(*parts[i]) for i in tickets))
    if args.size in KNOWN:
        check("solutions", sum(counts), KNOWN[args.size])
    report(args, time.seconds, f"{args.size} queens: {sum(counts)} solutions")


if __name__ == "__main__":
    main()
