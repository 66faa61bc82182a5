"""The module `__hello_only__`: it is nowhere but inside the program, for tests of importlib."""
initialized = True
print("Hello world!")
