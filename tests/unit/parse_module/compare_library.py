"""Compares the parser's trees with the reference's for every file below the folders given."""
import ast, os, sys, time, warnings
sys.path.insert(0, sys.argv[1])
import _kparse
warnings.simplefilter("ignore")

def tree(node):
    """A nested tuple of everything in a tree, whichever module's types it is made of."""
    if isinstance(node, list):
        return [tree(item) for item in node]
    if hasattr(node, "_fields"):
        kind = type(node)
        return (kind.__name__, *[tree(getattr(node, name, None)) for name in kind._fields],
                *[getattr(node, name, None) for name in kind._attributes])
    if isinstance(node, (float, complex)):
        return type(node), repr(node)
    return type(node), node

def first_difference(a, b, path=""):
    if type(a) is not type(b) or not isinstance(a, (tuple, list)):
        return None if a == b else (path, a, b)
    if len(a) != len(b):
        return path, a, b
    if a and isinstance(a, tuple) and isinstance(a[0], str):
        path += "/" + a[0]
    for i, (x, y) in enumerate(zip(a, b)):
        found = first_difference(x, y, f"{path}[{i}]")
        if found:
            return found

def outcome(parse, source, name="<file>"):
    try:
        return tree(parse(source, name))
    except RecursionError:
        return "recursion"
    except SyntaxError as e:
        return (type(e).__name__, e.msg, e.lineno, e.offset, e.end_lineno, e.end_offset, e.text)
    except ValueError as e:
        return type(e).__name__, str(e)

def files(folders):
    for folder in folders:
        if os.path.isfile(folder):
            yield folder
        for base, dirs, names in os.walk(folder):
            dirs.sort()
            for name in sorted(names):
                if name.endswith(".py") and os.path.isfile(os.path.join(base, name)):
                    yield os.path.join(base, name)

def main():
    sys.setrecursionlimit(20000)
    total = bad = 0
    for path in files(sys.argv[2:]):
        with open(path, "rb") as f:
            source = f.read()
        total += 1
        want = outcome(ast.parse, source)
        got = outcome(_kparse.parse, source)
        if want != got:
            bad += 1
            if bad <= 15:
                print(path, *map(lambda x: str(x)[:300], first_difference(want, got) or (want, got)), sep="\n   ")
    print(f"{total} files, {bad} differ")
    return bad != 0

if __name__ == "__main__":
    sys.exit(main())
