"""fuzz.py BUILD SECONDS SEED FILE...: parses mutated sources; anything but a tree or an exception is a bug."""
import random, sys, time, warnings
sys.path.insert(0, sys.argv[1])
import _kparse, importlib.util
spec = importlib.util.spec_from_file_location("_tokenize", sys.argv[1] + "/_tokenize.so")
TokenizerIter = importlib.util.module_from_spec(spec)
spec.loader.exec_module(TokenizerIter)
TokenizerIter = TokenizerIter.TokenizerIter
warnings.simplefilter("ignore")
BITS = [b"(", b")", b"[", b"]", b"{", b"}", b"f'", b'f"""', b"'", b'"', b"\\", b"\\N{", b"\\x", b"\\u12", b"\n", b"\r", b"\t",
        b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f", b"\xc3\xa9", b"\xef\xbb\xbf", b"# coding: latin-1\n", b"0x", b"1_", b"1e",
        b"lambda ", b"if ", b"else ", b"match x:\n case ", b"async ", b"await ", b"yield ", b"*", b"**", b":=", b"=", b"!r", b":",
        b"print ", b"def f(", b"class A[", b"type X = ", b"try:\n", b"except* ", b"with (", b" as ", b"import ", b"from . import ",
        b"# type: int\n", b"# type: ignore\n", b"\0", b"\x0c", b";", b"->", b"\\\n", b"not ", b"is ", b"in ", b"~", b"-" * 300, b"(" * 60]

def mutate(rng, data):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        at = rng.randrange(len(data) + 1)
        how = rng.randrange(6)
        if how == 0:
            del data[at:at + rng.choice((1, 1, 2, 5, 30))]
        elif how in (1, 2):
            data[at:at] = rng.choice(BITS)
        elif how == 3:
            data[at:at + 1] = bytes((rng.randrange(256),))
        elif how == 4:
            other = rng.randrange(len(data) + 1)
            data[at:at] = data[other:other + rng.randrange(60)]
        else:
            del data[at + rng.randrange(200):]
    return bytes(data)

def main():
    seconds, seed = float(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(seed)
    sources = []
    for path in sys.argv[4:]:
        with open(path, "rb") as f:
            sources.append(f.read())
    end = time.time() + seconds
    count = errors = 0
    last = open(f"{sys.argv[1]}/last-{seed}", "wb")
    while time.time() < end:
        source = rng.choice(sources)
        if len(source) > 3000:
            start = source.find(b"\n", rng.randrange(len(source))) + 1
            source = source[start:start + 3000]
            lines = source.split(b"\n")
            margin = len(lines[0]) - len(lines[0].lstrip())
            source = b"\n".join(line[min(margin, len(line) - len(line.lstrip())):] for line in lines[:-1]) + b"\n"
        source = mutate(rng, source)
        last.seek(0); last.truncate(); last.write(source); last.flush()
        mode = rng.choice(("exec", "exec", "exec", "eval", "single", "func_type"))
        flags = rng.choice((0, 0, 0x1000, 0x4000, 0x200, 0x400000))
        count += 1
        try:
            if rng.random() < .15 and TokenizerIter:
                lines = iter(source.splitlines(True))
                for _ in TokenizerIter(lambda: next(lines, b""), encoding="utf-8", extra_tokens=rng.random() < .5):
                    pass
            else:
                tree = _kparse.parse(source, "f", mode, flags, optimize=rng.choice((-1, 0, 2)))
                if rng.random() < .1:
                    _kparse.roundtrip(tree, mode)
                if mode == "eval":
                    try:
                        _kparse.unparse(source)
                    except NotImplementedError:
                        pass
        except SystemError:
            raise
        except (SyntaxError, ValueError, MemoryError, RecursionError, LookupError, OverflowError, TypeError):
            errors += 1
    print(count, "sources,", errors, "wrong ones")

if __name__ == "__main__":
    main()
