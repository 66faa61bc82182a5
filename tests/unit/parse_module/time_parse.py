"""Times the parser against the reference: paired runs over every file below the folders given."""
import ast, os, sys, time, warnings
sys.path.insert(0, sys.argv[1])
import _kparse
from compare_library import files
warnings.simplefilter("ignore")

def main():
    sources = []
    for path in files(sys.argv[2:]):
        with open(path, "rb") as f:
            source = f.read()
        try:
            compile(source, path, "exec", ast.PyCF_ONLY_AST)
        except (SyntaxError, ValueError):
            continue
        sources.append(source)
    size = sum(map(len, sources)) / 1e6
    def run(function):
        start = time.perf_counter()
        for source in sources:
            function(source)
        return time.perf_counter() - start
    ours = lambda s: _kparse.parse(s)
    theirs = lambda s: compile(s, "f", "exec", ast.PyCF_ONLY_AST)
    # The reference cannot parse without building objects or compiling: subtract what objects cost us.
    alone = lambda s: _kparse.parse(s, tree=False)
    full = lambda s: compile(s, "f", "exec", dont_inherit=True)
    for _ in range(3):
        a, b, c, d = run(theirs), run(ours), run(alone), run(full)
        print(f"{size:.1f} MB: reference ast {a:.3f} s, ours {b:.3f} s (ratio {a / b:.2f}); "
              f"ours without objects {c:.3f} s ({size / c:.1f} MB/s); reference compile() {d:.3f} s")

if __name__ == "__main__":
    main()
