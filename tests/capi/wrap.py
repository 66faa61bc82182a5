#!/usr/bin/env python3
"""Makes C functions for Python out of a list of calls: wrap.py LIST... OUTPUT

A line of a list is

    name: arguments -> result  C_FUNCTION

with letters for the arguments:
    O     PyObject *, None stands for NULL      o     PyObject *, None stands for itself
    z     const char * from str, bytes or None  z#    the same and its length (two C arguments)
    Z     z#, where a further argument may give another length
    i n l L k K I d   int, Py_ssize_t, long, long long, unsigned long, unsigned long long,
          unsigned, double
    w     const wchar_t * (an int is a made-up argument: none)
    |     what follows may be missing: then it is 0 or NULL
    =C    the C expression itself
and for the result:
    O     a new reference                       b     a borrowed one; b:C gives C when there is none
    i n l L d   -1 may mean an exception        x     int without any exception
    k K   -1 unsigned may mean an exception     v     nothing; None
    s     const char *, as str                  y     const char *, as bytes
    c     Py_UCS4, -1 means an exception
A C_FUNCTION that is a macro serves as well. `#` begins a comment.

The output defines the functions and LIST_TABLE, the entries of a method table.
"""
import re
import sys

PARSE = {"O": "O", "o": "O", "z": "z#", "z#": "z#", "i": "i", "n": "n", "l": "l", "L": "L",
         "k": "k", "K": "K", "I": "I", "d": "d", "Z": "z#|n"}
TYPES = {"O": "PyObject *", "o": "PyObject *", "z": "const char *", "z#": "const char *",
         "Z": "const char *", "i": "int ", "n": "Py_ssize_t ", "l": "long ", "L": "long long ",
         "k": "unsigned long ", "K": "unsigned long long ", "I": "unsigned ", "d": "double "}
RESULTS = {
    "O": ("PyObject *", "return result;"),
    "x": ("int ", "return PyLong_FromLong(result);"),
    "i": ("int ", "return int_or_error(result);"),
    "n": ("Py_ssize_t ", "return size_or_error(result);"),
    "l": ("long ", "return result == -1 && PyErr_Occurred() ? NULL : PyLong_FromLong(result);"),
    "L": ("long long ",
          "return result == -1 && PyErr_Occurred() ? NULL : PyLong_FromLongLong(result);"),
    "k": ("unsigned long ",
          "return result == -1UL && PyErr_Occurred() ? NULL : PyLong_FromUnsignedLong(result);"),
    "K": ("unsigned long long ",
          "return result == -1ULL && PyErr_Occurred() ? NULL : PyLong_FromUnsignedLongLong(result);"),
    "d": ("double ", "return result == -1 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(result);"),
    "c": ("Py_UCS4 ",
          "return result == (Py_UCS4)-1 && PyErr_Occurred() ? NULL : PyLong_FromUnsignedLong(result);"),
    "s": ("const char *", "return result == NULL ? NULL : PyUnicode_FromString(result);"),
    "y": ("const char *", "return result == NULL ? NULL : PyBytes_FromString(result);"),
}
FLAGS = {"NOARGS": "NOARGS", "ONE": "O", "VARARGS": "VARARGS"}
LINE = re.compile(r"(\w+):\s*(.*?)\s*->\s*(\S+)\s+(\w+)\s*$")


def write(name, arguments, result, function):
    declarations, parse, targets, prepare, call = [], "", [], [], []
    optional = False
    for i, kind in enumerate(arguments):
        var = f"a{i}"
        if kind == "|":
            optional = True
            parse += "|"
            continue
        if kind.startswith("="):
            call.append(kind[1:])
            continue
        zero = " = NULL" if TYPES[kind].endswith("*") else " = 0"
        declarations.append(TYPES[kind] + var + (zero if optional else "") + ";")
        parse += PARSE[kind]
        targets.append("&" + var)
        call.append(var)
        if kind == "O":
            prepare.append(f"    NULLABLE({var});")
        if kind in ("z", "z#", "Z"):
            declarations.append(f"Py_ssize_t {var}_size = 0;")
            targets.append(f"&{var}_size")
        if kind == "z#":
            call.append(var + "_size")
        if kind == "z":
            prepare.append(f"    (void){var}_size;")
        if kind == "Z":
            declarations.append(f"Py_ssize_t {var}_given = UNSET_SIZE;")
            targets.append(f"&{var}_given")
            call.append(f"{var}_given == UNSET_SIZE ? {var}_size : {var}_given")
    single = [kind for kind in arguments if not kind.startswith("=")]
    if not single:
        kind, lines = "NOARGS", [f"FUNCTION0(wrap_{name})", "{"]
    elif single in (["O"], ["o"]):
        var = next(f"a{i}" for i, k in enumerate(arguments) if k in "Oo")
        kind, lines = "ONE", [f"FUNCTION1(wrap_{name}, {var})", "{"]
    else:
        kind, lines = "VARARGS", [f"FUNCTIONN(wrap_{name})", "{"]
        lines += ["    " + d for d in declarations]
        lines.append(f'    if (!PyArg_ParseTuple(args, "{parse}:{name}", {", ".join(targets)})) {{')
        lines += ["        return NULL;", "    }"]
    lines += prepare
    expression = f"{function}({', '.join(call)})"
    if result == "v":
        lines += [f"    {expression};", "    Py_RETURN_NONE;"]
    elif result[0] == "b":
        otherwise = f"borrowed_or(result, {result[2:]})" if result[1:] else "Py_XNewRef(result)"
        lines += [f"    PyObject *result = {expression};", f"    return {otherwise};"]
    else:
        ctype, finish = RESULTS[result]
        lines += [f"    {ctype}result = {expression};", "    " + finish]
    return kind, "\n".join(lines) + "\n}\n"


def main(lists, output):
    functions, tables = [], []
    for path in lists:
        entries = []
        with open(path) as file:
            for number, line in enumerate(file, 1):
                line = line.partition("#")[0] if not re.search(r"z#", line) else line
                if not line.strip():
                    continue
                match = LINE.match(line.strip())
                if match is None:
                    sys.exit(f"{path}:{number}: not understood: {line.strip()}")
                name, arguments, result, function = match.groups()
                kind, text = write(name, arguments.split(), result, function)
                functions.append(text)
                entries.append(f'    {{"{name}", wrap_{name}, METH_{FLAGS[kind]}, NULL}},')
        stem = re.sub(r"\W", "_", path.rsplit("/", 1)[-1].rsplit(".", 1)[0]).upper()
        tables.append(f"#define {stem}_TABLE \\\n" + " \\\n".join(entries) + "\n")
    with open(output, "w") as file:
        file.write("/* Made by wrap.py. */\n" + "\n".join(functions) + "\n" + "\n".join(tables))


if __name__ == "__main__":
    main(sys.argv[1:-1], sys.argv[-1])
