"""Text processing: a made-up corpus is split, normalised, counted, indexed, wrapped and laid out."""
import string
from collections import Counter, defaultdict

SYLLABLES = ["ka", "lo", "mi", "ter", "sun", "ra", "Pel", "do", "vi", "ste", "Ön", "quo", "ße", "ni"]


def make_text(words):
    state = 99
    line = []
    lines = []
    for i in range(words):
        word = ""
        for _ in range(1 + state % 3):
            state = (state * 69069 + 5) & 0xFFFFFFFF
            word += SYLLABLES[(state >> 10) % len(SYLLABLES)]
        line.append(word + (",", ".", "", "", "", "!", "", ";")[state >> 5 & 7])
        if len(line) == 11:
            lines.append(" ".join(line))
            line = []
    return "\n".join(lines)


STRIP = str.maketrans("", "", string.punctuation)


def words_of(text):
    for line in text.splitlines():
        for word in line.split():
            yield word.translate(STRIP).casefold()


def wrap(words, width):
    lines = []
    line = ""
    for word in words:
        if len(line) + 1 + len(word) > width and line:
            lines.append(line)
            line = word
        else:
            line = line + " " + word if line else word
    lines.append(line)
    return lines


def justify(line, width):
    words = line.split(" ")
    if len(words) == 1:
        return line.ljust(width)
    gaps = len(words) - 1
    spaces, extra = divmod(width - sum(map(len, words)), gaps)
    return "".join(word + " " * (spaces + (i < extra)) for i, word in enumerate(words[:-1])) + words[-1]


def table(rows):
    widths = [max(len(str(cell)) for cell in column) for column in zip(*rows)]
    return "\n".join(" | ".join(str(cell).ljust(width) for cell, width in zip(row, widths)) for row in rows)


def caesar(text, shift):
    out = []
    for c in text:
        if "a" <= c <= "z":
            c = chr((ord(c) - 97 + shift) % 26 + 97)
        out.append(c)
    return "".join(out)


def main():
    text = make_text(12000)
    words = list(words_of(text))
    counts = Counter(words)
    index = defaultdict(list)
    for number, line in enumerate(text.splitlines()):
        for word in set(words_of(line)):
            index[word].append(number)
    lines = wrap(words, 60)
    page = [justify(line, 60) for line in lines[:-1]]
    assert {len(line) for line in page} == {60}
    rows = [("word", "count", "lines", "share")]
    for word, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:200]:
        rows.append((word, count, len(index[word]), f"{100 * count / len(words):.3f}%"))
    report = table(rows)
    assert report.count("\n") == 200
    assert caesar(caesar(text[:5000], 5), 21) == text[:5000]
    for _ in range(5):
        title = text.title().swapcase().replace("ka", "KA").encode("utf-8").decode("utf-8")
    palindromes = sorted({word for word in counts if word == word[::-1] and len(word) > 2})
    print(len(words), len(counts), rows[1], len(title), palindromes[:3])


if __name__ == "__main__":
    for _ in range(5):
        main()
