#!/usr/bin/env python3
"""Draws the Mandelbrot set with several threads, and writes the picture as PNG.

Threads take rows from a common pile, because rows differ much in how long they take. The PNG is written
by hand: a signature and three chunks, with compressed rows in one of them.
"""

import struct
import zlib

from measure import Tickets, arguments, check, report, run_threads, timed

LEFT, RIGHT, TOP, BOTTOM = -2.1, 0.7, 1.2, -1.2


def escape_time(re, im, limit):
    """Steps until the orbit of a point leaves the circle of radius 2, or `limit`."""
    x = y = 0.0
    step = 0
    while step < limit:
        xx = x * x
        yy = y * y
        if xx + yy > 4.0:
            return step
        y = 2.0 * x * y + im
        x = xx - yy + re
        step += 1
    return limit


def draw_row(row, width, height, limit):
    im = TOP + (BOTTOM - TOP) * row / height
    step = (RIGHT - LEFT) / width
    return [escape_time(LEFT + step * column, im, limit) for column in range(width)]


def make_palette(limit):
    """A colour for each escape time: from night blue over gold to white, black inside."""
    palette = []
    for step in range(limit):
        t = (step / limit) ** 0.4
        palette.append(bytes((int(255 * min(1, 1.6 * t)), int(255 * t ** 1.5),
                              int(255 * max(0.15, 2 * t - 1, 0.5 - abs(t - 0.4))))))
    return palette + [b"\0\0\0"]


def write_png(path, width, rows):
    def chunk(kind, data):
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, len(rows), 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels)
                   + chunk(b"IEND", b""))


def main():
    args = arguments(__doc__.splitlines()[0], width=480, height=320, limit=300)
    picture = [None] * args.height
    tickets = Tickets(args.height)

    def work(_):
        for row in tickets:
            picture[row] = draw_row(row, args.width, args.height, args.limit)

    with timed() as time:
        run_threads(args.threads, work)
    steps = sum(map(sum, picture))
    if (args.width, args.height, args.limit) == (480, 320, 300):
        check("steps", steps, 11216605)
    palette = make_palette(args.limit)
    write_png("mandelbrot.png", args.width, [b"".join([palette[step] for step in row]) for row in picture])
    report(args, time.seconds, f"{steps} steps; the picture is mandelbrot.png")


if __name__ == "__main__":
    main()
