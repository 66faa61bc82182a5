"""collect_sources.py OUT TEST...: runs upstream tests and keeps every source text that they compile."""
import builtins, pickle, sys, unittest, warnings
seen = {}
real_compile, real_eval, real_exec = builtins.compile, builtins.eval, builtins.exec
def note(source, mode, flags=0):
    if isinstance(source, (str, bytes)) and len(source) < 20000:
        seen[source, mode, flags & 0x1000] = None
def new_compile(source, filename="", mode="exec", flags=0, *args, **kwargs):
    note(source, mode, flags)
    return real_compile(source, filename, mode, flags, *args, **kwargs)
def new_eval(source, *args, **kwargs):
    note(source.lstrip(" \t") if isinstance(source, str) else source, "eval")
    if not args:
        frame = sys._getframe(1)
        args = frame.f_globals, frame.f_locals
    return real_eval(source, *args, **kwargs)
def new_exec(source, *args, **kwargs):
    note(source, "exec")
    if not args:
        frame = sys._getframe(1)
        args = frame.f_globals, frame.f_locals
    return real_exec(source, *args, **kwargs)
builtins.compile, builtins.eval, builtins.exec = new_compile, new_eval, new_exec
warnings.simplefilter("ignore")
for name in sys.argv[2:]:
    try:
        suite = unittest.defaultTestLoader.loadTestsFromName("test." + name)
        unittest.TextTestRunner(stream=open("/dev/null", "w")).run(suite)
    except BaseException as e:
        print(name, repr(e)[:100])
with open(sys.argv[1], "wb") as f:
    pickle.dump(list(seen), f)
print(len(seen))
