"""Compares unparsed expressions with the strings that the reference keeps as annotations."""
import ast, sys, warnings
sys.path.insert(0, sys.argv[1])
import _kparse
from compare_library import files
warnings.simplefilter("ignore")

def main():
    total = bad = 0
    for path in files(sys.argv[2:]):
        with open(path, "rb") as f:
            source = f.read()
        try:
            plain = ast.parse(source)
        except (SyntaxError, ValueError):
            continue
        text = source.decode("utf-8", "replace")
        for node in ast.walk(plain):
            if not isinstance(node, ast.expr) or isinstance(node, (ast.Slice, ast.Starred)):
                continue
            segment = ast.get_source_segment(text, node) if node.end_lineno == node.lineno else None
            if not segment or len(segment) > 300:
                continue
            segment = f"({segment})"
            space = {}
            try:
                code = f"from __future__ import annotations\nx: {segment}\n"
                exec(compile(code, "f", "exec", dont_inherit=True), space)
                want = space["__annotations__"]["x"]
            except Exception as e:
                continue
            total += 1
            got = _kparse.unparse(segment)
            if got != want:
                bad += 1
                if bad < 20:
                    print(path, segment, want, got, sep="\n   ")
    print(total, "expressions,", bad, "differ")
    return bad != 0

if __name__ == "__main__":
    sys.exit(main())
