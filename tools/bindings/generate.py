#!/usr/bin/env python3
"""Makes NAME.bind.h from NAME.bind: argument parsers, method tables, signatures, docstrings.

The notation is described in docs/bindings.md.  Usage: generate.py NAME.bind -o NAME.bind.h
"""

import argparse
import ast
import re
import sys
from pathlib import Path

C_WORDS = set(
    "auto bool break case char const continue default do double else enum extern float for goto if "
    "inline int long register restrict return short signed sizeof static struct switch typedef "
    "union unsigned void volatile while self type cls args nargs kwnames kwargs result".split()
)


class BindError(Exception):
    """A mistake in a .bind file."""


# ---- types of parameters ------------------------------------------------------------------------


class Conv:
    """How one parameter type is converted: C type, call, release, audit letter."""

    def __init__(self, ctype, call=None, named=False, cleanup=None, audit="O", init=None):
        self.ctype = ctype
        self.call = call          # converter function, or None for a plain object
        self.named = named        # its message names the function and the argument
        self.cleanup = cleanup    # statement with {v}
        self.audit = audit
        self.init = init          # initialiser when the conversion may be skipped
        self.check = None         # (C condition with {a}, text) for checked objects
        self.cast = ""
        self.nullable = False


BUFFER = dict(cleanup="if ({v}.obj != NULL) {{\n        PyBuffer_Release(&{v});\n    }}",
              audit="O", init="{0}")

SIMPLE = {
    "double": ("double", "bind_double", "d"),
    "float": ("float", "bind_float", "f"),
    "complex": ("Py_complex", "bind_complex", "D"),
    "short": ("short", "bind_short", "h"),
    "int": ("int", "bind_int", "i"),
    "long": ("long", "bind_long", "l"),
    "longlong": ("long long", "bind_longlong", "L"),
    "ssize": ("Py_ssize_t", "bind_ssize", "n"),
    "ssize?": ("Py_ssize_t", "bind_ssize_or_none", "n"),
    "slice_index": ("Py_ssize_t", "bind_slice_index", "n"),
    "slice_index?": ("Py_ssize_t", "bind_slice_index_or_none", "n"),
    "byte": ("unsigned char", "bind_byte", "b"),
    "ushort": ("unsigned short", "bind_ushort", "H"),
    "uint": ("unsigned int", "bind_uint", "I"),
    "ulong": ("unsigned long", "bind_ulong", "k"),
    "ulonglong": ("unsigned long long", "bind_ulonglong", "K"),
    "size": ("size_t", "bind_size", "n"),
    "uint_mask": ("unsigned int", "bind_uint_mask", "I"),
    "bool": ("int", "bind_truth", "i"),
    "fd": ("int", "bind_fd", "i"),
}

NAMED = {
    "ulong_mask": ("unsigned long", "bind_ulong_mask", "k"),
    "utf8": ("const char *", "bind_utf8", "s"),
    "utf8?": ("const char *", "bind_utf8_or_none", "z"),
    "char": ("char", "bind_char", "c"),
    "uchar": ("Py_UCS4", "bind_uchar", "C"),
}

CHECKED = {
    "str": ("PyUnicode_Check({a})", "str"),
    "bytes": ("PyBytes_Check({a})", "bytes"),
    "bytearray": ("PyByteArray_Check({a})", "bytearray"),
    "list": ("PyList_Check({a})", "list"),
    "tuple": ("PyTuple_Check({a})", "tuple"),
    "dict": ("PyDict_Check({a})", "dict"),
    "set": ("PyAnySet_Check({a})", "set"),
    "pylong": ("PyLong_Check({a})", "int"),
    "strict_bool": ("PyBool_Check({a})", "bool"),
    "type": ("PyType_Check({a})", "type"),
}


def split_call(text):
    """'conv(a, b)' -> ('conv', ['a', 'b']); 'int' -> ('int', None)."""
    match = re.fullmatch(r"(\w+\??)(?:\((.*)\))?(\??)", text.strip(), re.S)
    if not match:
        raise BindError(f"bad type {text!r}")
    name, inner, mark = match.groups()
    return name + mark, None if inner is None else [a.strip() for a in split_commas(inner)]


def make_conv(text):
    """The Conv for a type as written in a .bind file."""
    name, args = split_call(text)
    if name == "object" or name == "object?":
        conv = Conv("PyObject *")
        conv.nullable = name.endswith("?")
        return conv
    if name in SIMPLE:
        ctype, call, audit = SIMPLE[name]
        return Conv(ctype, call, audit=audit)
    if name in NAMED:
        ctype, call, audit = NAMED[name]
        return Conv(ctype, call, named=True, audit=audit)
    if name == "buffer":
        kind = args[0] if args else ""
        if kind == "w":
            return Conv("Py_buffer", "bind_buffer_writable", named=True, **BUFFER)
        call = {"": "bind_buffer", "str": "bind_buffer_or_str", "ascii": "bind_buffer_or_ascii"}
        if kind not in call:
            raise BindError(f"buffer({kind}) is unknown")
        return Conv("Py_buffer", call[kind], **BUFFER)
    if name == "conv":
        if not args or len(args) not in (2, 3):
            raise BindError("conv(function, C type[, cleanup function])")
        cleanup = f"{args[2]}(&{{v}});" if len(args) == 3 else None
        return Conv(args[1], args[0], cleanup=cleanup, init="{0}" if cleanup else None)
    bare = name.rstrip("?")
    if bare == "type" and args:
        check, expected = f"PyObject_TypeCheck({{a}}, {args[0]})", ast.literal_eval(args[1])
        conv = Conv(args[2] if len(args) > 2 else "PyObject *")
    elif bare in CHECKED:
        check, expected = CHECKED[bare]
        conv = Conv("PyObject *")
    else:
        raise BindError(f"unknown type {text!r}")
    if name.endswith("?"):
        check, expected = f"({{a}} == Py_None || {check})", expected + " or None"
    conv.check = (check, expected)
    conv.cast = "" if conv.ctype == "PyObject *" else f"({conv.ctype})"
    return conv


# ---- results -------------------------------------------------------------------------------------

# result name -> (C type, statements with {r} that turn `r` into the value returned)
RESULTS = {
    "object": ("PyObject *", None),
    "None": ("int", ("{r} < 0", "Py_NewRef(Py_None)")),
    "void": ("void", (None, "Py_NewRef(Py_None)")),
    "self": ("int", ("{r} < 0", "Py_NewRef((PyObject *)self)")),
    "bool": ("int", ("{r} < 0", "PyBool_FromLong({r})")),
    "int": ("int", ("{r} == -1 && PyErr_Occurred()", "PyLong_FromLong({r})")),
    "long": ("long", ("{r} == -1 && PyErr_Occurred()", "PyLong_FromLong({r})")),
    "ssize": ("Py_ssize_t", ("{r} == -1 && PyErr_Occurred()", "PyLong_FromSsize_t({r})")),
    "size": ("size_t", ("{r} == (size_t)-1 && PyErr_Occurred()", "PyLong_FromSize_t({r})")),
    "uint": ("unsigned int", ("{r} == (unsigned int)-1 && PyErr_Occurred()",
                              "PyLong_FromUnsignedLong({r})")),
    "ulong": ("unsigned long", ("{r} == (unsigned long)-1 && PyErr_Occurred()",
                                "PyLong_FromUnsignedLong({r})")),
    "double": ("double", ("{r} == -1.0 && PyErr_Occurred()", "PyFloat_FromDouble({r})")),
}


# ---- declarations --------------------------------------------------------------------------------


class Param:
    def __init__(self, name, conv, default=None, cexpr=None, group=0):
        self.name = name
        self.conv = conv
        self.default = default    # Python text, or None if required
        self.cexpr = cexpr        # C text of the default
        self.group = group        # number of the optional group, 0 for none
        self.kwonly = False
        self.posonly = False

    @property
    def cname(self):
        return f"a_{self.name}"


# Functions that go into slots of a type, with a tuple and a dict of arguments.
SLOTS = ("new", "init", "call")


class Function:
    def __init__(self, name, line):
        self.name = name
        self.line = line
        self.cname = None
        self.params = []
        self.vararg = None
        self.varkw = False
        self.result = "object"
        self.doc = ""
        self.audits = []
        self.kind = "method"      # method, classmethod, staticmethod, new, init, call, get, set
        self.defining_class = False
        self.locked = None
        self.raw = None
        self.flags = []
        self.signature = None     # text overriding the generated one; "" for none
        self.owner = None
        self.deletable = False
        self.counts = False
        self.keywords_apart = False
        self.vectorcall = False
        self.named = True         # whether error texts name the function, by `error_name` if that is set
        self.error_name = None
        self.numbered = False     # error texts count the arguments instead of naming them

    @property
    def groups(self):
        return any(p.group for p in self.params)


class Scope:
    """The module or a class."""

    def __init__(self, name, prefix, ctype):
        self.name = name
        self.prefix = prefix
        self.ctype = ctype
        self.doc = ""
        self.functions = []
        self.members = []
        self.extern = False
        self.is_class = False


def split_commas(text):
    """Splits at commas outside brackets and strings."""
    parts, depth, start, quote = [], 0, 0, None
    i = 0
    while i < len(text):
        ch = text[i]
        if quote:
            if ch == "\\":
                i += 1
            elif ch == quote:
                quote = None
        elif ch in "\"'":
            quote = ch
        elif ch in "({":
            depth += 1
        elif ch in ")}":
            depth -= 1
        elif ch == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
        i += 1
    if text[start:].strip():
        parts.append(text[start:])
    return parts


def default_to_c(python, conv):
    """The C expression for a default written in Python."""
    if python == "NULL":
        return "NULL"
    if python == "None":
        if conv.ctype == "PyObject *":
            return "Py_None"
        if conv.ctype.endswith("*"):
            return "NULL"
        raise BindError("a default of None needs {C expression} for this type")
    if python in ("True", "False"):
        if conv.ctype == "PyObject *":
            return f"Py_{python}"
        return "1" if python == "True" else "0"
    if python == "sys.maxsize":
        return "PY_SSIZE_T_MAX"
    try:
        value = ast.literal_eval(python)
    except (ValueError, SyntaxError):
        raise BindError(f"default {python!r} needs {{C expression}}") from None
    if conv.ctype == "Py_buffer" and value == b"":
        return '{.buf = (void *)"", .obj = NULL, .len = 0}'
    if isinstance(value, str):
        if conv.ctype == "const char *":
            return c_string(value)
        if len(value) == 1 and conv.ctype == "Py_UCS4":
            return str(ord(value))
    if isinstance(value, bytes) and len(value) == 1 and conv.ctype == "char":
        return f"(char){value[0]}"
    if isinstance(value, (int, float)) and not conv.ctype.endswith("*"):
        return repr(value)
    raise BindError(f"default {python!r} needs {{C expression}}")


def parse_params(func, text):
    """Fills func.params from the text between the parentheses."""
    group = 0
    group_count = 0
    kwonly = False
    # An optional group is written [a: t, b: t]; brackets are marked and then split as commas.
    marked = re.sub(r"\[", ",<<,", text)
    marked = re.sub(r"\]", ",>>,", marked)
    for part in split_commas(marked):
        part = part.strip()
        if not part:
            continue
        if part == "<<":
            group_count += 1
            group = group_count
        elif part == ">>":
            group = 0
        elif part == "/":
            for p in func.params:
                p.posonly = True
        elif part == "*":
            kwonly = True
        elif part.startswith("**"):
            func.varkw = True
        elif part.startswith("*"):
            func.vararg = part[1:].split(":")[0].strip()
            kwonly = True
        else:
            param = parse_param(func, part, group, kwonly)
            if param is not None:
                func.params.append(param)
    if func.groups:
        for p in func.params:
            p.posonly = True


def parse_param(func, part, group, kwonly):
    name, sep, rest = part.partition(":")
    name = name.strip()
    if not sep or not name.isidentifier():
        raise BindError(f"expected NAME: TYPE, found {part!r}")
    type_text, sep, default = split_default(rest)
    if type_text.strip() == "defining_class":
        func.defining_class = True
        return None
    conv = make_conv(type_text)
    param = Param(name, conv, group=group)
    param.kwonly = kwonly
    if sep:
        match = re.fullmatch(r"(.*?)\s*(?:\{(.*)\})?", default.strip(), re.S)
        param.default, param.cexpr = match.groups()
        if param.cexpr is None:
            param.cexpr = default_to_c(param.default, conv)
    elif group:
        param.default = "NULL"
        param.cexpr = "NULL" if conv.ctype.endswith("*") else "0"
    return param


def split_default(text):
    depth = 0
    for i, ch in enumerate(text):
        depth += ch in "({"
        depth -= ch in ")}"
        if ch == "=" and depth == 0:
            return text[:i], "=", text[i + 1:]
    return text, "", ""


# ---- reading a file ------------------------------------------------------------------------------


class Reader:
    """Reads a .bind file into scopes: the first is the module."""

    def __init__(self, path):
        self.path = path
        self.lines = Path(path).read_text().split("\n")
        self.at = 0
        self.scopes = []
        self.scope = None

    def fail(self, message):
        raise BindError(f"{self.path}:{self.at}: {message}")

    def read(self):
        decorators = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            indent = len(line) - len(line.lstrip())
            try:
                if indent == 0:
                    self.leave_class()
                if text.startswith("@"):
                    decorators.append(text[1:])
                elif re.match(r"(module|class)\s", text):
                    self.read_scope(text, indent, decorators)
                    decorators = []
                elif text.startswith("member "):
                    self.read_member(text, indent)
                else:
                    self.read_function(text, indent, decorators)
                    decorators = []
            except BindError as error:
                if str(error).startswith(str(self.path)):
                    raise
                self.fail(error)
        return self.scopes

    def leave_class(self):
        if self.scopes:
            self.scope = self.scopes[0]

    def read_scope(self, text, indent, decorators):
        pattern = (r"(module|class)\s+(\w+)(?:\s+\"([^\"]+)\")?(?:\s+\(([^)]*)\))?"
                   r"(?:\s+as\s+(\w+))?")
        match = re.fullmatch(pattern, text)
        if not match:
            self.fail("expected: module NAME [as PREFIX] | class NAME (C TYPE) [as PREFIX]")
        kind, name, _, ctype, prefix = match.groups()
        if prefix is None:
            prefix = name.lstrip("_") or name
        ctype = ctype or "PyObject *"
        if not ctype.endswith("*"):
            ctype += " *"
        scope = Scope(name, prefix, ctype)
        scope.is_class = kind == "class"
        scope.extern = "extern" in decorators
        scope.doc = self.read_quoted_doc()
        self.scopes.append(scope)
        self.scope = scope

    def read_quoted_doc(self):
        while self.at < len(self.lines) and not self.lines[self.at].strip():
            self.at += 1
        if self.at >= len(self.lines) or not self.lines[self.at].strip().startswith('"""'):
            return ""
        first = self.lines[self.at]
        indent = len(first) - len(first.lstrip())
        body = []
        text = first.strip()[3:]
        self.at += 1
        while not text.endswith('"""'):
            body.append(text)
            if self.at >= len(self.lines):
                self.fail("docstring without end")
            line = self.lines[self.at]
            text = line[indent:].rstrip() if line[:indent].strip() == "" else line.strip()
            self.at += 1
        body.append(text[:-3])
        return "\n".join(body).strip("\n")

    def read_member(self, text, indent):
        match = re.fullmatch(r"member\s+(\w+):\s*(\w+)\s+([\w.]+)(\s+readonly)?", text)
        if not match:
            self.fail("expected: member NAME: Py_T_TYPE FIELD [readonly]")
        name, code, field, readonly = match.groups()
        doc, _ = self.read_doc(indent)
        self.scope.members.append((name, code, field, bool(readonly), doc))

    def read_function(self, text, indent, decorators):
        func_line = self.at
        while text.count("(") > text.count(")"):
            text += " " + self.lines[self.at].strip()
            self.at += 1
        if self.scope is None:
            self.fail("the first declaration must be `module NAME`")
        func = parse_declaration(text, func_line)
        func.owner = self.scope
        if func.kind in SLOTS and not self.scope.is_class:
            func.kind = "method"  # a function like any other
        for decorator in decorators:
            apply_decorator(func, decorator)
        if func.cname is None:
            stem = {"get": "get_", "set": "set_"}.get(func.kind, "") + func.name.strip("_")
            func.cname = f"{self.scope.prefix}_{stem}"
        func.doc, func.audits = self.read_doc(indent)
        self.scope.functions.append(func)

    def read_doc(self, indent):
        body, audits = [], []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.strip() and len(line) - len(line.lstrip()) <= indent:
                break
            self.at += 1
            match = re.fullmatch(r"\s*audit\s+\"([^\"]+)\"((?:\s+[\w.]+)*)\s*", line)
            if match:
                audits.append((match.group(1), match.group(2).split()))
            else:
                body.append(line)
        while body and not body[-1].strip():
            body.pop()
        while body and not body[0].strip():
            body.pop(0)
        margin = min((len(b) - len(b.lstrip()) for b in body if b.strip()), default=0)
        return "\n".join(b[margin:].rstrip() for b in body), audits


def parse_declaration(text, line):
    """'pow(x: double, y: double, /) -> object as math_pow' -> Function."""
    text = text.strip()
    kind = "method"
    word = re.match(r"(get|set|new|init|call)\b(?!\s*:)", text)
    if word and (word.group(1) in ("get", "set") and re.match(r"(get|set)\s+\w", text)
                 or word.group(1) in SLOTS and text[word.end():].lstrip()[:1] == "("):
        kind = word.group(1)
        if kind in ("get", "set"):
            text = text[word.end():].strip()
    match = re.fullmatch(r"(\w+)\s*(?:\((.*)\))?\s*(?:->\s*(\w+))?\s*(?:as\s+(\w+))?", text, re.S)
    if not match:
        raise BindError(f"cannot read declaration {text!r}")
    name, params, result, cname = match.groups()
    func = Function(name, line)
    func.kind = kind
    func.cname = cname
    if result:
        if result not in RESULTS:
            raise BindError(f"unknown result {result!r}")
        func.result = result
    elif kind == "init" or kind == "set":
        func.result = "None"
    parse_params(func, params or "")
    check_order(func)
    return func


def check_order(func):
    optional = False
    for p in func.params:
        if p.kwonly or p.group:
            continue
        if p.default is not None:
            optional = True
        elif optional:
            raise BindError(f"required parameter {p.name!r} after an optional one")
    kw = [p for p in func.params if p.kwonly]
    if [p.default is None for p in kw] != sorted((p.default is None for p in kw), reverse=True):
        raise BindError("required keyword-only parameters come first")


def apply_decorator(func, text):
    name, _, rest = text.partition("(")
    rest = rest.rstrip()
    rest = rest[:-1] if rest.endswith(")") else rest
    if name in ("classmethod", "staticmethod"):
        func.kind = name
    elif name == "locked":
        func.locked = [r.strip() for r in rest.split(",")] if rest else ["self"]
    elif name == "coexist":
        func.flags.append("METH_COEXIST")
    elif name == "counts":
        func.counts = True
    elif name == "raw":
        func.raw = rest or "METH_FASTCALL | METH_KEYWORDS"
    elif name == "signature":
        func.signature = ast.literal_eval(rest) if rest else ""
    elif name == "deletable":
        func.deletable = True
    elif name == "keywords_apart":
        func.keywords_apart = True
    elif name == "vectorcall":
        func.vectorcall = True
    elif name == "name":
        func.named = bool(rest)
        func.error_name = ast.literal_eval(rest) if rest else None
    elif name == "numbered":
        func.numbered = True
    else:
        raise BindError(f"unknown decorator @{text}")


# ---- writing C -----------------------------------------------------------------------------------


def c_string(text):
    """A C string literal on one line."""
    out = []
    for byte in text.encode():
        ch = chr(byte)
        if ch == "\n":
            out.append("\\n")
        elif ch in '"\\':
            out.append("\\" + ch)
        elif 32 <= byte < 127 and not (ch == "?" and out and out[-1] == "?"):
            out.append(ch)
        else:
            out.append(f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


def c_text(text):
    """A C string literal of a long text, a line of the text on each line."""
    lines = text.split("\n")
    pieces = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    return "\n    ".join(c_string(p) for p in pieces) or '""'


def packed_names(func):
    """All parameter names, each after a byte with its length, as a C string."""
    return " ".join(f'"\\{len(p.name):03o}" "{p.name}"' for p in func.params) or '""'


class Shape:
    """Counts that decide how a function parses its arguments."""

    def __init__(self, func):
        positional = [p for p in func.params if not p.kwonly]
        kwonly = [p for p in func.params if p.kwonly]
        self.count = len(func.params)
        self.posonly = sum(p.posonly for p in positional)
        self.maxpos = len(positional)
        self.minpos = sum(p.default is None for p in positional)
        self.minkw = sum(p.default is None for p in kwonly)
        self.plain = self.posonly == self.count


def display_name(func, index, how):
    param = func.params[index]
    if how in ("o", "set"):
        return "argument"
    if param.posonly or func.numbered:
        return f"argument {index + 1}"
    return f"argument '{param.name}'"


def call_name(func):
    return func.owner.name if func.kind in SLOTS else func.name


def error_name(func):
    """What error texts call a function: a C string."""
    return c_string(func.error_name or call_name(func)) if func.named else "NULL"


def text_signature(func):
    """'name($self, x, /)\\n--\\n\\n', or '' where no signature can be written."""
    if func.signature == "" or func.groups or func.raw and func.signature is None:
        return ""
    name = call_name(func)
    if func.signature is not None:
        return f"{name}{func.signature}\n--\n\n"
    first = {"classmethod": "$type", "new": "", "init": "", "staticmethod": ""}.get(
        func.kind, "$self" if func.owner.is_class else "$module")
    parts = [first] if first else []
    named_seen = star_seen = False
    slash_due = bool(first)
    for p in func.params:
        if not p.posonly and slash_due:
            parts.append("/")
            slash_due = False
        if p.posonly:
            slash_due = True
        if p.kwonly and not star_seen:
            parts.append(f"*{func.vararg}" if func.vararg else "*")
            star_seen = True
        named_seen = named_seen or not p.posonly
        parts.append(p.name if p.default is None else f"{p.name}={shown_default(p)}")
    if func.vararg and not star_seen:
        if slash_due and func.params:
            parts.append("/")
            slash_due = False
        parts.append(f"*{func.vararg}")
        slash_due = False
    if slash_due:
        parts.append("/")
    if func.varkw:
        parts.append("**kwargs")
    return f"{name}({', '.join(parts)})\n--\n\n"


def shown_default(param):
    return "<unrepresentable>" if param.default == "NULL" else param.default


class Writer:
    """Writes the header for one file."""

    def __init__(self, source, scopes):
        self.source = source
        self.scopes = scopes
        self.out = []

    def put(self, text=""):
        self.out.append(text)

    def header(self):
        self.put(f"/* Generated from {Path(self.source).name} by tools/bindings. */")
        self.put('#include "objects/bindings.h"')
        for scope in self.scopes:
            self.scope(scope)
        return "\n".join(self.out) + "\n"

    def scope(self, scope):
        self.put()
        self.put(f"/* ---- {scope.name} ---- */")
        if scope.doc and not any(f.kind in ("new", "init") for f in scope.functions):
            self.put(f"\n#define {scope.prefix}_doc \\")
            self.put("    " + c_text(scope.doc).replace("\n", " \\\n"))
        for func in scope.functions:
            self.function(func)
        self.method_table(scope)
        self.getset_table(scope)
        self.member_table(scope)

    # -- tables --

    def method_table(self, scope):
        methods = [f for f in scope.functions
                   if f.kind in ("method", "classmethod", "staticmethod")]
        if not methods:
            return
        self.put(f"\nstatic PyMethodDef {scope.prefix}_methods[] = {{")
        for func in methods:
            doc = text_signature(func) + func.doc
            flags = " | ".join(self.flags(func))
            target = func.cname if func.raw else f"bind_{func.cname}"
            self.put(f'    {{"{func.name}", BIND_FUNC({target}), {flags},')
            self.put("    " + c_text(doc) + "}," if doc else "     NULL},")
        self.put("    {NULL, NULL, 0, NULL},\n};")

    def flags(self, func):
        kind = {"classmethod": ["METH_CLASS"], "staticmethod": ["METH_STATIC"]}.get(func.kind, [])
        kind += func.flags if func.counts else func.flags + ["BIND_LENT"]
        return (func.raw or self.convention(func)[1]).split(" | ") + kind

    def getset_table(self, scope):
        getters = {f.name: f for f in scope.functions if f.kind == "get"}
        setters = {f.name: f for f in scope.functions if f.kind == "set"}
        if not getters and not setters:
            return
        self.put(f"\nstatic PyGetSetDef {scope.prefix}_getset[] = {{")
        for name in dict.fromkeys([*getters, *setters]):
            getter = f"bind_{getters[name].cname}" if name in getters else "NULL"
            setter = f"bind_{setters[name].cname}" if name in setters else "NULL"
            doc = getters[name].doc if name in getters else setters[name].doc
            doc = c_text(doc) if doc else "NULL"
            self.put(f'    {{"{name}", {getter}, {setter},\n    {doc}, NULL}},')
        self.put("    {NULL, NULL, NULL, NULL, NULL},\n};")

    def member_table(self, scope):
        if not scope.members:
            return
        ctype = scope.ctype[:-1].strip()
        self.put(f"\nstatic PyMemberDef {scope.prefix}_members[] = {{")
        for name, code, field, readonly, doc in scope.members:
            flag = "Py_READONLY" if readonly else "0"
            offset = field if field.isdigit() else f"offsetof({ctype}, {field})"
            doc = c_text(doc) if doc else "NULL"
            self.put(f'    {{"{name}", {code}, {offset}, {flag}, {doc}}},')
        self.put("    {NULL, 0, 0, 0, NULL},\n};")

    # -- one function --

    def convention(self, func):
        """(how, flags): how the wrapper receives its arguments."""
        shape = Shape(func)
        if func.kind in (*SLOTS, "get", "set"):
            return func.kind, ""
        if func.defining_class:
            return "m", "METH_METHOD | METH_FASTCALL | METH_KEYWORDS"
        if func.groups:
            return "f", "METH_FASTCALL"
        if not func.params and not func.vararg:
            return "n", "METH_NOARGS"
        if shape.plain and not func.vararg and shape.count == 1 and shape.minpos == 1:
            return "o", "METH_O"
        if shape.plain:
            return "f", "METH_FASTCALL"
        return "k", "METH_FASTCALL | METH_KEYWORDS"

    def self_type(self, func):
        if func.kind in ("new", "classmethod"):
            return "PyTypeObject *"
        if func.kind == "staticmethod" or not func.owner.is_class:
            return "PyObject *"
        return func.owner.ctype

    def prototype(self, func):
        ctype, _ = RESULTS[func.result]
        types = [self.self_type(func)]
        if func.defining_class:
            types.append("PyTypeObject *")
        vararg_put = False
        for p in func.params:
            if p.kwonly and func.vararg and not vararg_put:
                types += ["PyObject *const *", "Py_ssize_t"]
                vararg_put = True
            types.append("Py_buffer *" if p.conv.ctype == "Py_buffer" else p.conv.ctype)
        if func.vararg and not vararg_put:
            types += ["PyObject *const *", "Py_ssize_t"]
        groups = len({p.group for p in func.params if p.group})
        types += ["int"] * groups
        linkage = "" if func.owner.extern else "static "
        space = "" if ctype.endswith("*") else " "
        return f"{linkage}{ctype}{space}{func.cname}({', '.join(types)});"

    def function(self, func):
        self.put()
        if func.raw:
            if func.cname.startswith("Py"):
                return  # of the public API, declared already
            kind = func.raw
            if "METH_METHOD" in kind:
                args = "PyTypeObject *, PyObject *const *, Py_ssize_t, PyObject *"
            elif "METH_FASTCALL" in kind and "METH_KEYWORDS" in kind:
                args = "PyObject *const *, Py_ssize_t, PyObject *"
            elif "METH_FASTCALL" in kind:
                args = "PyObject *const *, Py_ssize_t"
            elif "METH_KEYWORDS" in kind:
                args = "PyObject *, PyObject *"
            else:
                args = "PyObject *"
            linkage = "" if func.owner.extern else "static "
            self.put(f"{linkage}PyObject *{func.cname}(PyObject *, {args});")
            return
        self.put(self.prototype(func))
        how = self.convention(func)[0]
        if func.kind in ("new", "init"):
            doc = text_signature(func) + (func.doc or func.owner.doc)
            self.put(f"\n#define {func.owner.prefix}_doc \\")
            self.put("    " + c_text(doc).replace("\n", " \\\n"))
        if how in ("k", "m", *SLOTS):
            self.spec(func)
        self.wrapper(func, how)
        if func.vectorcall:
            self.put()
            self.wrapper(func, "vectorcall")

    def needs_spec(self, func, how):
        if how in (*SLOTS, "vectorcall"):
            return not Shape(func).plain
        return how == "k" or how == "m" and bool(func.params)

    def spec(self, func):
        if not self.needs_spec(func, self.convention(func)[0]):
            return
        shape = Shape(func)
        self.put(f"\nstatic const struct bind_spec spec_{func.cname} = {{")
        self.put(f"    .fname = {error_name(func)},")
        self.put(f"    .names = {packed_names(func)},")
        vararg = ", .vararg = true" if func.vararg else ""
        vararg += ", .apart = true" if func.keywords_apart else ""
        self.put(f"    .count = {shape.count}, .posonly = {shape.posonly}, "
                 f".maxpos = {shape.maxpos}, .minpos = {shape.minpos}, "
                 f".minkw = {shape.minkw}{vararg},\n}};")

    HEADS = {
        "n": "PyObject *self, PyObject *Py_UNUSED(ignored)",
        "o": "PyObject *self, PyObject *arg",
        "f": "PyObject *self, PyObject *const *args, Py_ssize_t nargs",
        "k": "PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames",
        "m": "PyObject *self, PyTypeObject *cls, PyObject *const *args,\n    Py_ssize_t nargs, "
             "PyObject *kwnames",
        "new": "PyTypeObject *self, PyObject *tuple, PyObject *kwargs",
        "init": "PyObject *self, PyObject *tuple, PyObject *kwargs",
        "call": "PyObject *self, PyObject *tuple, PyObject *kwargs",
        "vectorcall": "PyObject *type, PyObject *const *args,\n    size_t nargsf, "
                      "PyObject *kwnames",
        "get": "PyObject *self, void *Py_UNUSED(closure)",
        "set": "PyObject *self, PyObject *arg, void *Py_UNUSED(closure)",
    }

    def wrapper(self, func, how):
        suffix = "_vectorcall" if how == "vectorcall" else ""
        rtype = "int" if how in ("init", "set") else "PyObject *"
        body = self.body(func, how)
        self.put(f"\nstatic {rtype}\nbind_{func.cname}{suffix}({self.HEADS[how]})\n{{")
        for line in body:
            self.put(line)
        self.put("}")

    def body(self, func, how):
        """The statements of a wrapper."""
        shape = Shape(func)
        fname = error_name(func)
        fail = "-1" if how in ("init", "set") else "NULL"
        lines = []
        add = lines.append
        self.unpack(func, how, shape, fname, fail, add)
        source = {"o": "arg", "set": "arg"}.get(how)
        cleanups = [p for p in func.params if p.conv.cleanup]
        uses_goto = bool(cleanups) or bool(func.audits)
        give_up = "goto done;" if uses_goto else f"return {fail};"
        result_type = RESULTS[func.result][0]
        if uses_goto:
            add(f"    {'int result = -1' if fail == '-1' else 'PyObject *result = NULL'};")
        for p in cleanups:  # before the first goto, so that the end always sees them
            add(f"    {p.conv.ctype} {p.cname} = {p.cexpr or p.conv.init};")
        for group in sorted({p.group for p in func.params if p.group}):
            add(f"    int group_{group} = 0;")
        if func.groups:
            self.group_arguments(func, shape, add)
            source = None
        for index, p in enumerate(func.params):
            self.convert(func, index, p, how, source, give_up, add)
        for event, names in func.audits:
            self.audit(func, event, names, give_up, add)
        self.call(func, how, result_type, uses_goto, fail, add)
        if uses_goto:
            add("done:")
            for p in cleanups:
                add("    " + p.conv.cleanup.format(v=p.cname))
            add("    return result;")
        return lines

    def unpack(self, func, how, shape, fname, fail, add):
        if how in ("n", "get"):
            return
        if how == "set":
            if not func.deletable:
                add(f'    if (arg == NULL) {{\n        return bind_no_delete("{func.name}");\n'
                    "    }")
            return
        if how == "o":
            return
        if how == "vectorcall":
            add("    PyTypeObject *self = (PyTypeObject *)type;")
            add("    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);")
        if how in SLOTS:
            add("    Py_ssize_t nargs = PyTuple_GET_SIZE(tuple);")
            if func.params or func.vararg:
                add("    PyObject *const *args = bind_items(tuple);")
        if how == "m" and not func.params and not func.vararg:
            add("    if (nargs != 0 || (kwnames != NULL && PyTuple_GET_SIZE(kwnames) != 0)) {")
            add(f"        bind_takes_no_arguments({fname});\n        return {fail};\n    }}")
            add("    (void)args;")
            return
        if self.needs_spec(func, how):
            self.unpack_keywords(func, how, shape, fail, add)
            return
        if how in (*SLOTS, "vectorcall"):
            self.refuse_keywords(func, how, fname, fail, add)
        if func.groups:
            return
        top = "PY_SSIZE_T_MAX" if func.vararg else shape.maxpos
        if func.vararg and shape.minpos == 0 and shape.maxpos == 0:
            return
        add(f'    if (!bind_count({fname}, nargs, {shape.minpos}, {top})) {{\n'
            f"        return {fail};\n    }}")
        if not func.params:
            if how == "vectorcall":
                add("    (void)args;")

    def refuse_keywords(self, func, how, fname, fail, add):
        """A subclass with its own __init__ (or __new__) may still take keywords."""
        if how == "vectorcall":
            check = f"bind_no_kwnames({fname}, kwnames)"
        elif how == "call":
            check = f"bind_no_keywords({fname}, kwargs)"
        elif how == "new":
            check = (f"self->tp_init != PyBaseObject_Type.tp_init || "
                     f"bind_no_keywords({fname}, kwargs)")
        else:
            news = [f for f in func.owner.functions if f.kind == "new"]
            base = f"bind_{news[0].cname}" if news else "PyType_GenericNew"
            check = (f"Py_TYPE(self)->tp_new != {base} || "
                     f"bind_no_keywords({fname}, kwargs)")
        add(f"    if (!({check})) {{\n        return {fail};\n    }}")

    def unpack_keywords(self, func, how, shape, fail, add):
        size = max(shape.count, 1)
        add(f"    PyObject *slots[{size}];")
        spec = f"&spec_{func.cname}"
        if func.vararg:
            add("    PyObject *const *given = args;")
            add("    (void)given;")
        if how in SLOTS:
            unpack = f"args = bind_unpack({spec}, args, nargs, NULL, kwargs, slots);"
            if func.vararg or shape.maxpos < shape.count:
                add(f"    {unpack}")
            else:
                add(f"    if (nargs != {shape.count} || "
                    "(kwargs != NULL && PyDict_GET_SIZE(kwargs) != 0)) {")
                add(f"        {unpack}\n    }}")
        elif func.vararg or shape.maxpos < shape.count:
            add(f"    args = bind_unpack({spec}, args, nargs, kwnames, NULL, slots);")
        else:
            add(f"    args = bind_args({spec}, args, nargs, kwnames, slots);")
        add(f"    if (args == NULL) {{\n        return {fail};\n    }}")

    def group_arguments(self, func, shape, add):
        """Optional groups: which parameters are there follows from the count alone."""
        counts = self.group_counts(func)
        add(f"    PyObject *slots[{shape.count}] = {{NULL}};")
        add("    switch (nargs) {")
        for count, groups in sorted(counts.items()):
            add(f"    case {count}:")
            at = 0
            for index, p in enumerate(func.params):
                if not p.group or p.group in groups:
                    add(f"        slots[{index}] = args[{at}];")
                    at += 1
            for group in sorted(groups):
                add(f"        group_{group} = 1;")
            add("        break;")
        add("    default:")
        dotted = call_name(func)
        if not func.owner.is_class:
            dotted = f"{func.owner.name}.{dotted}"
        add(f'        bind_group_error("{dotted}", {min(counts)}, {max(counts)});')
        add("        return NULL;\n    }\n    args = slots;")

    def group_counts(self, func):
        """count of arguments -> groups present; left groups fill first from the right."""
        required = [i for i, p in enumerate(func.params) if not p.group]
        first_required = required[0] if required else len(func.params)
        groups = {}
        for i, p in enumerate(func.params):
            if p.group:
                groups.setdefault(p.group, []).append(i)
        left = [g for g in sorted(groups, reverse=True) if groups[g][0] < first_required]
        right = [g for g in sorted(groups) if groups[g][0] > first_required]
        counts = {}
        for n_left in range(len(left) + 1):
            for n_right in range(len(right) + 1):
                present = set(left[:n_left]) | set(right[:n_right])
                count = len(required) + sum(len(groups[g]) for g in present)
                counts.setdefault(count, present)
        return counts

    def convert(self, func, index, p, how, source, give_up, add):
        """Declares the C variable of a parameter and fills it."""
        conv = p.conv
        arg = source or f"args[{index}]"
        fname = error_name(func)
        argument = c_string(display_name(func, index, how))
        optional = p.default is not None
        plain = conv.call is None
        positional_tail = how in ("f", *SLOTS, "vectorcall") and not self.needs_spec(
            func, how) and not func.groups
        given = f"nargs > {index}" if positional_tail else f"{arg} != NULL"
        ctype = conv.ctype + ("" if conv.ctype.endswith("*") else " ")
        if plain and not conv.check:
            value = f"{given} ? {arg} : {p.cexpr}" if optional else arg
            add(f"    PyObject *{p.cname} = {value};")
            return
        init = p.cexpr if optional else ("NULL" if plain else conv.init)
        if not conv.cleanup:
            add(f"    {ctype}{p.cname}{' = ' + init if init else ''};")
        pad = "    "
        if optional:
            add(f"    if ({given}) {{")
            pad = "        "
        if plain:
            check = conv.check[0].format(a=arg)
            add(f"{pad}if (!{check}) {{")
            add(f'{pad}    bind_bad_argument({fname}, {argument}, "{conv.check[1]}", {arg});')
            add(f"{pad}    {give_up}\n{pad}}}")
            add(f"{pad}{p.cname} = {conv.cast}{arg};")
        else:
            extra = f", {fname}, {argument}" if conv.named else ""
            add(f"{pad}if (!{conv.call}({arg}{extra}, &{p.cname})) {{")
            add(f"{pad}    {give_up}\n{pad}}}")
        if optional:
            add("    }")

    def audit(self, func, event, names, give_up, add):
        by_name = {p.name: p for p in func.params}
        letters, values = "", ""
        for name in names:
            if name == "self":
                letters, values = letters + "O", values + ", self"
                continue
            if name not in by_name:
                raise BindError(f"audit names unknown parameter {name!r}")
            p = by_name[name]
            letters += p.conv.audit
            values += f", {p.cname}.obj" if p.conv.ctype == "Py_buffer" else f", {p.cname}"
        fmt = f'"{letters}"' if letters else "NULL"
        add(f'    if (PySys_Audit("{event}", {fmt}{values}) < 0) {{\n        {give_up}\n    }}')

    def call(self, func, how, result_type, uses_goto, fail, add):
        self_type = self.self_type(func)
        own = "self"
        if how in ("new", "vectorcall") or self_type == "PyTypeObject *" or (
                self_type != "PyObject *"):
            own = f"({self_type})self"
        if how in ("new", "vectorcall"):
            own = "self"
        args = [own]
        if func.defining_class:
            args.append("cls")
        shape = Shape(func)
        vararg = []
        if func.vararg:
            base = "given" if self.needs_spec(func, how) else "args"
            if shape.maxpos == 0:
                vararg = [base, "nargs"]
            else:
                more = f"nargs > {shape.maxpos} ? nargs - {shape.maxpos} : 0"
                vararg = [f"{base} + {shape.maxpos}", f"({more})"]
        placed = False
        for p in func.params:
            if p.kwonly and vararg and not placed:
                args += vararg
                placed = True
            args.append(("&" if p.conv.ctype == "Py_buffer" else "") + p.cname)
        if vararg and not placed:
            args += vararg
        args += [f"group_{g}" for g in sorted({p.group for p in func.params if p.group})]
        call = f"{func.cname}({', '.join(args)})"
        self.finish(func, how, result_type, call, uses_goto, fail, add)

    def finish(self, func, how, result_type, call, uses_goto, fail, add):
        """Calls, under the lock where asked, and turns the result into what is returned."""
        out = "result = " if uses_goto else "return "
        value = None
        if func.locked or RESULTS[func.result][1] is not None and not fail == "-1":
            value = "r"
            if result_type != "void":
                space = "" if result_type.endswith("*") else " "
                add(f"    {result_type}{space}r;" if func.locked
                    else f"    {result_type}{space}r = {call};")
            elif not func.locked:
                add(f"    {call};")
            if func.locked:
                two = len(func.locked) == 2
                objects = ", ".join(self.lock_object(func, n) for n in func.locked)
                begin = "Py_BEGIN_CRITICAL_SECTION" + ("2" if two else "")
                end = "Py_END_CRITICAL_SECTION" + ("2" if two else "")
                target = "" if result_type == "void" else "r = "
                add(f"    {begin}({objects});\n    {target}{call};\n    {end}();")
        if fail == "-1" or func.result == "object":
            add(f"    {out}{value or call};")
            return
        failed, made = RESULTS[func.result][1]
        if failed:
            failed = failed.format(r=value)
            add(f"    {out}{failed} ? NULL : {made.format(r=value)};")
        else:
            add(f"    {out}{made.format(r=value)};")

    def lock_object(self, func, name):
        if name == "self":
            return "self"
        return next((p.cname for p in func.params if p.name == name), name)


def generate(path):
    """The text of the header for a .bind file."""
    scopes = Reader(path).read()
    return Writer(path, scopes).header()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source")
    parser.add_argument("-o", "--output")
    options = parser.parse_args()
    try:
        text = generate(options.source)
    except BindError as error:
        sys.exit(f"bindings: {error}")
    if options.output:
        Path(options.output).write_text(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
