"""Compares what the parser says about wrong sources with what the reference says.

compare_errors.py BUILD --cases FILE...          sources kept by collect_sources.py
compare_errors.py BUILD --mutate SEED N FILE...  N mutations of the tokens of each file
"""
import ast, collections, io, pickle, random, sys, tokenize, warnings
sys.path.insert(0, sys.argv[1])
import _kparse
from compare_library import tree, first_difference
warnings.simplefilter("ignore")
ONLY_AST = 0x400

def outcome(parse, *args):
    try:
        return tree(parse(*args))
    except SyntaxError as e:
        return (type(e).__name__, e.msg, e.lineno, e.offset, e.end_lineno, e.end_offset, e.text)
    except (ValueError, RecursionError, MemoryError, OverflowError) as e:
        return type(e).__name__, str(e)

stats = collections.Counter()
kinds = collections.Counter()
shown = collections.Counter()
LIMIT = int(__import__("os").environ.get("SHOW", "2"))

def check(source, mode, flags=0):
    want = outcome(compile, source, "<file>", mode, flags | ONLY_AST)
    if isinstance(source, str) and "\0" in source:
        return
    got = outcome(_kparse.parse, source, "<file>", mode, flags)
    bad = want and isinstance(want[0], str) and want[0].endswith("Error")
    stats["errors" if bad else "good"] += 1
    if want == got:
        return
    if bad and got and got[0] == want[0] and got[1] == want[1]:
        key = "place"
        # the tokenizer's text without newline, the line of another ...
        if got[2:6] == want[2:6]:
            key = "text"
    else:
        key = "message" if bad else "tree"
    stats[key] += 1
    what = (key, str(want[1])[:60] if bad else "", str(got[1])[:60] if got and got[0] != want[0] or bad else "")
    kinds[what] += 1
    if shown[what] < LIMIT:
        shown[what] += 1
        line = want[2] if bad and isinstance(want[2:3] and want[2], int) else 1
        print("----", mode, flags, repr(source) if len(source) < 200 else repr("\n".join(source.split("\n")[max(0, line - 3):line + 2])) if isinstance(source, str) else "...")
        if bad:
            print("  want", str(want)[:400]); print("  got ", str(got)[:400])
        else:
            print("  tree", str(first_difference(want, got) or (want, got))[:400])

def mutations(source, seed, count):
    rng = random.Random(seed)
    try:
        tokens = [t for t in tokenize.generate_tokens(io.StringIO(source).readline)
                  if t.type not in (tokenize.ENDMARKER, tokenize.DEDENT, tokenize.NL)]
    except (tokenize.TokenError, SyntaxError):
        return
    lines = source.splitlines(True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    spans = [(starts[t.start[0] - 1] + t.start[1], starts[t.end[0] - 1] + t.end[1]) for t in tokens]
    extra = ["if", "for", "in", "=", ":", "(", ")", "[", "]", "{", "}", ",", ".", "*", "**", "lambda",
             "yield", "not", "else", "import", "x", "1", "'s'", "f'{x}'", "as", "->", ":=", "==", "\n",
             "    ", "$", "await", "print", "class", "def", "try:", "async", "f'{", "'", "\\", "0777", "1_a", "..."]
    for _ in range(count):
        i = rng.randrange(len(spans))
        start, end = spans[i]
        how = rng.randrange(6)
        if how == 0:
            yield source[:start] + source[end:]
        elif how == 1:
            yield source[:end] + " " + source[start:end] + source[end:]
        elif how == 2:
            a, b = spans[rng.randrange(len(spans))]
            yield source[:start] + source[a:b] + source[end:]
        elif how == 3:
            yield source[:start] + rng.choice(extra) + source[end:]
        elif how == 4:
            yield source[:start] + " " + rng.choice(extra) + " " + source[start:]
        else:
            yield source[:rng.randrange(start, max(end, start + 1))]

def main():
    sys.setrecursionlimit(30000)
    if sys.argv[2] == "--cases":
        for name in sys.argv[3:]:
            with open(name, "rb") as f:
                for source, mode, flags in pickle.load(f):
                    check(source, mode, flags)
    else:
        seed, count = int(sys.argv[3]), int(sys.argv[4])
        for n, path in enumerate(sys.argv[5:]):
            with open(path, encoding="utf-8", errors="replace") as f:
                source = f.read()
            for mutated in mutations(source, seed + n, count):
                check(mutated, "exec")
    print(dict(stats))
    for what, count in kinds.most_common(40):
        print(f"{count:6}", what)

if __name__ == "__main__":
    main()
