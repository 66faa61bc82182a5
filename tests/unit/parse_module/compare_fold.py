"""Compares folded trees with the reference's for every file below the folders given, and trees that were
turned into nodes and back with what they were."""
import ast, sys, warnings
sys.path.insert(0, sys.argv[1])
import _kparse
from compare_library import files, first_difference, tree
warnings.simplefilter("ignore")

def relocate(node):
    """The same tree made of _kparse's types."""
    if isinstance(node, list):
        return [relocate(item) for item in node]
    if isinstance(node, ast.AST):
        kind = getattr(_kparse, type(node).__name__)
        fields = {name: relocate(getattr(node, name)) for name in node._fields if hasattr(node, name)}
        fields |= {name: getattr(node, name) for name in node._attributes if hasattr(node, name)}
        return kind(**fields)
    return node

def main():
    sys.setrecursionlimit(20000)
    total = bad = 0
    for path in files(sys.argv[2:]):
        with open(path, "rb") as f:
            source = f.read()
        try:
            plain = ast.parse(source)
        except (SyntaxError, ValueError):
            continue
        total += 1
        optimize = total % 3
        want = tree(compile(source, "f", "exec", ast.PyCF_OPTIMIZED_AST, dont_inherit=True, optimize=optimize))
        annotations = "from __future__ import annotations" in str(source)
        pairs = [] if annotations else [("fold", want, tree(_kparse.parse(source, optimize=optimize)))]
        if total % 5 == 0:
            pairs.append(("round trip", tree(plain), tree(_kparse.roundtrip(relocate(plain)))))
        for what, a, b in pairs:
            if a != b:
                bad += 1
                if bad < 10:
                    print(path, what, *map(lambda x: str(x)[:300], first_difference(a, b) or ()), sep="\n   ")
    print(f"{total} files, {bad} differ")
    return bad != 0

if __name__ == "__main__":
    sys.exit(main())
