"""Text and bytes."""

LINE = "2024-05-17 12:30:01 INFO  request from 10.0.0.1 took 35 ms for /index.html"
LONG = (LINE + "\n") * 40
WIDE = "Grüße, Österreich – naïve café ☕ " * 10


def bench_concat(n):
    for _ in range(n):
        s = ""
        for i in range(50):
            s += "ab"


def bench_join(n):
    words = [str(i) for i in range(100)]
    for _ in range(n):
        ",".join(words)


def bench_split(n):
    for _ in range(n):
        LINE.split()
        LINE.split(" ")
        LINE.partition(":")


def bench_lines(n):
    for _ in range(n):
        for line in LONG.splitlines():
            line.strip()


def bench_find_replace(n):
    for _ in range(n):
        LONG.find("nothing here")
        LONG.count("request")
        LINE.replace("INFO", "WARN")
        "took" in LINE


def bench_fstring(n):
    for i in range(n):
        f"{i}: {LINE!r:.10} {i:05d} {i / 3:.2f}"
        f"{i},{i}"


def bench_percent(n):
    for i in range(n):
        "%d %s %.2f" % (i, "x", 0.5)


def bench_format(n):
    for i in range(n):
        "{} {:>8} {name}".format(i, "x", name=1)


def bench_methods(n):
    for _ in range(n):
        LINE.upper()
        LINE.startswith("2024")
        " x ".strip()
        "12".isdigit()
        "abc".endswith(("b", "c"))


def bench_characters(n):
    for _ in range(n):
        for c in LINE:
            if c == " ":
                pass


def bench_slice_index(n):
    for i in range(n):
        LINE[5]
        LINE[3:20]
        LINE[-1]


def bench_compare_hash(n):
    a, b = "alphabet soup", "alphabet soap"
    words = ["w" + str(i) for i in range(10)]
    for _ in range(n):
        a < b
        a == b
        words[3] == words[4]


def bench_utf8(n):
    encoded = WIDE.encode()
    for _ in range(n):
        WIDE.encode()
        encoded.decode()
        LINE.encode()


def bench_translate(n):
    table = str.maketrans("aeiou", "AEIOU")
    for _ in range(n):
        LINE.translate(table)
        LINE.lower().title()


def bench_bytes(n):
    data = bytes(range(256))
    for _ in range(n):
        data[10:40]
        data.find(b"\x80")
        data.hex()
        data[7]


def bench_bytearray(n):
    for _ in range(n):
        buffer = bytearray(100)
        for i in range(100):
            buffer[i] = i
        buffer += b"end"


def bench_struct(n):
    from struct import pack, unpack
    for i in range(n):
        unpack("<IHd", pack("<IHd", i, 7, 0.5))


def bench_string_io(n):
    from io import StringIO
    for _ in range(n):
        out = StringIO()
        for i in range(20):
            out.write("line\n")
        out.seek(0)
        for line in out:
            pass
