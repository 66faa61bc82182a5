"""Compares the tokens of every file below the folders given with the reference's."""
import sys, importlib.util
import _tokenize as theirs
spec = importlib.util.spec_from_file_location("_tokenize", sys.argv[1] + "/_tokenize.so")
ours = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ours)
sys.path.insert(0, sys.argv[1])
from compare_library import files

def tokens(module, lines, extra):
    result = []
    lines = iter(lines)
    try:
        for token in module.TokenizerIter(lambda: next(lines, b""), encoding="utf-8", extra_tokens=extra):
            result.append(token)
    except SyntaxError as e:
        result.append((type(e).__name__, e.args))
    return result

def main():
    total = bad = 0
    for path in files(sys.argv[2:]):
        with open(path, "rb") as f:
            lines = f.read().splitlines(True)
        total += 1
        for extra in (False, True):
            want, got = tokens(theirs, lines, extra), tokens(ours, lines, extra)
            if want != got:
                bad += 1
                if bad <= 10:
                    print(path, extra)
                    for a, b in zip(want, got):
                        if a != b:
                            print("  ", a, "\n  ", b)
                            break
    print(total, "files,", bad, "differ")
    return bad != 0

if __name__ == "__main__":
    sys.exit(main())
