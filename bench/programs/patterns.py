"""Regular expressions over a made-up server log."""
import re
from collections import Counter

LINE = re.compile(
    r"(?P<host>\d{1,3}(?:\.\d{1,3}){3}) - (?P<user>\S+) \[(?P<time>[^\]]+)\] "
    r'"(?P<method>[A-Z]+) (?P<path>\S+) HTTP/(?P<version>\d\.\d)" (?P<status>\d{3}) (?P<size>\d+|-)')
QUERY = re.compile(r"[?&](\w+)=([^&\s]*)")
WORD = re.compile(r"\b[a-z]{3,}\b", re.IGNORECASE)
DATE = re.compile(r"(\d+)/(\w+)/(\d+):(\d+):(\d+):(\d+)")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
ESCAPES = re.compile(r"%([0-9A-F]{2})")
MONTHS = {"Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4}

METHODS = ["GET", "POST", "GET", "PUT", "GET"]
PATHS = ["/index.html", "/api/userList?page=3&size=20", "/static/mainStyle.css", "/search?q=fast%20python&lang=en",
         "/download/bigFileName.tar.gz"]


def make_log(lines):
    state = 12345
    for i in range(lines):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        host = f"10.{state >> 8 & 255}.{state >> 16 & 255}.{i % 250}"
        yield (f'{host} - user{state % 17} [{1 + i % 28}/{list(MONTHS)[i % 4]}/2024:{i % 24:02}:{i % 60:02}:00 +0000] '
               f'"{METHODS[state % 5]} {PATHS[(state >> 4) % 5]} HTTP/1.1" {200 if state % 7 else 404} '
               f'{state % 5000 if state % 11 else "-"}')


def unescape(text):
    return ESCAPES.sub(lambda match: chr(int(match[1], 16)), text)


def analyse(lines):
    statuses, words, queries, months = Counter(), Counter(), Counter(), Counter()
    size = 0
    for line in lines:
        match = LINE.match(line)
        if match is None:
            raise ValueError(line)
        statuses[match["method"], match["status"]] += 1
        if match["size"] != "-":
            size += int(match["size"])
        for key, value in QUERY.findall(match["path"]):
            queries[key, unescape(value)] += 1
        for word in WORD.finditer(match["path"]):
            for part in CAMEL.split(word.group()):
                words[part.lower()] += 1
        day, month, year, *_ = DATE.match(match["time"]).groups()
        months[MONTHS[month]] += int(day) > 0
    return statuses, words, queries, months, size


def main():
    lines = list(make_log(4000))
    for _ in range(2):
        statuses, words, queries, months, size = analyse(lines)
    text = "\n".join(lines)
    masked = re.sub(r"(?m)^\d+\.\d+\.\d+\.\d+", "x.x.x.x", text)
    assert masked.count("x.x.x.x") == 4000
    assert sum(statuses.values()) == 4000 and set(months.values()) == {1000}
    assert len(re.findall(r"(?i)USER\d+\b", text)) == 4000
    print(size, words.most_common(3), sorted(queries.items())[:2])


if __name__ == "__main__":
    for _ in range(3):
        main()
