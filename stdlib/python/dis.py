"""Shows compiled code: instructions, their operands, where they jump and which lines they come from.

An instruction is a word of 64 bits with a number and up to three operands. Registers are called by
the local variable that lives in them, or t0, t1, ... for temporaries. Offsets count two for each word,
as f_lasti and co_lines() do. What an instruction writes stands first:

    MUL_K    t0, price, 2
"""

import collections
import io
import sys
import types

import opcode as _opcodes
from opcode import *
from opcode import __all__ as _opcodes_all
from opcode import _intrinsic_1_descs, _intrinsic_2_descs, _operands, _specialized_opmap

__all__ = ["code_info", "dis", "disassemble", "distb", "disco",
           "findlinestarts", "findlabels", "show_code",
           "get_instructions", "Instruction", "Bytecode"] + _opcodes_all
del _opcodes_all

_have_code = (types.MethodType, types.FunctionType, types.CodeType,
              classmethod, staticmethod, type)

_WORD = 8       # bytes of a word in co_code
_STEP = 2       # what a word counts in offsets
_NONE = 0xFFFF  # "no register"

_all_opname = list(opname)
_all_opmap = dict(opmap)
_base_opname = {}
for _base, _forms in _opcodes._specializations.items():
    for _form in _forms:
        _base_opname[_form] = _base
for _name, _number in _specialized_opmap.items():
    while len(_all_opname) <= _number:
        _all_opname.append(f'<{len(_all_opname)}>')
    _all_opname[_number] = _name
    _all_opmap[_name] = _number

CACHE = None    # there are no words of caches between instructions

COMPILER_FLAG_NAMES = {
    1: "OPTIMIZED",
    2: "NEWLOCALS",
    4: "VARARGS",
    8: "VARKEYWORDS",
    16: "NESTED",
    32: "GENERATOR",
    64: "NOFREE",
    128: "COROUTINE",
    256: "ITERABLE_COROUTINE",
    512: "ASYNC_GENERATOR",
}


def pretty_flags(flags):
    """The names of a code object's flags."""
    names = []
    for bit in range(32):
        if flags >> bit & 1:
            names.append(COMPILER_FLAG_NAMES.get(1 << bit, hex(1 << bit)))
    return ", ".join(names) or hex(flags)


# ---- finding code ------------------------------------------------------------------------------

def _try_compile(source, name):
    """Compiles an expression, or else statements."""
    try:
        return compile(source, name, 'eval')
    except SyntaxError:
        return compile(source, name, 'exec')


def _code_behind(x):
    """The code of a function, method, generator or the like; or x itself."""
    x = getattr(x, '__func__', x)
    for name in ('__code__', 'gi_code', 'ag_code', 'cr_code'):
        code = getattr(x, name, None)
        if code is not None:
            return code
    return x


def _get_code_object(x):
    x = _code_behind(x)
    if isinstance(x, str):
        x = _try_compile(x, "<disassembly>")
    if hasattr(x, 'co_code'):
        return x
    raise TypeError("don't know how to disassemble %s objects" % type(x).__name__)


# ---- words ----------------------------------------------------------------------------------------

class _Unknown:
    def __repr__(self):
        return "<unknown>"


UNKNOWN = _Unknown()


class _Words:
    """The words and sites of a code object, or of the bytes in its co_code."""

    def __init__(self, code_bytes):
        size = len(code_bytes)
        count = int.from_bytes(code_bytes[-8:-4], sys.byteorder) if size >= 8 else 0
        sites = int.from_bytes(code_bytes[-4:], sys.byteorder) if size >= 8 else 0
        if count * 10 + sites * 8 + 8 != size:
            count, sites = size // _WORD, 0
        self.words = memoryview(bytes(code_bytes[:count * _WORD])).cast('H').tolist()
        at = count * 10
        self.sites = memoryview(bytes(code_bytes[at:at + sites * 8])).cast('I').tolist()
        self.count = count

    def decoded(self):
        """Yields (index, index of its prefix or of itself, number, a, b, c); prefixes are added in."""
        high, start = None, 0
        for index in range(self.count):
            op, a, b, c = self.words[index * 4:index * 4 + 4]
            if op == EXTENDED_ARG:
                high, start = (a, b, c), index
                continue
            if high is None:
                start = index
            else:
                a, b, c = a | high[0] << 16, b | high[1] << 16, c | high[2] << 16
            yield index, start, op, a, b, c, high is not None
            high = None


def _signed(value, bits):
    return value - (1 << bits) if value >> (bits - 1) else value


def _operand_list(op, a, b, c, prefixed):
    """Pairs (kind, value) of an instruction's operands."""
    kinds = _operands[op]
    pairs = []
    for position, value in enumerate((a, b, c)):
        kind = kinds[position]
        if not kind:
            continue
        if kind.endswith('_bc'):
            value = b & 0xFFFF | (c & 0xFFFF) << 16
            kind = kind[:-3]
            if kind == 'jump' or kind == 'number':
                value = _signed(value, 32)
            pairs.append((kind, value))
            break
        if kind == 'jump':
            value = _signed(value, 32 if prefixed else 16)
        pairs.append((kind, value))
    return pairs


def _jump_of(index, pairs):
    """The word that a jump goes to, or None."""
    for kind, value in pairs:
        if kind == 'jump':
            return index + 1 + value
    return None


# ---- instructions ------------------------------------------------------------------------------------

Positions = collections.namedtuple(
    'Positions', ['lineno', 'end_lineno', 'col_offset', 'end_col_offset'],
    defaults=[None] * 4)

_Instruction = collections.namedtuple(
    'Instruction',
    ['opname', 'opcode', 'arg', 'argval', 'argrepr', 'offset', 'start_offset', 'starts_line',
     'line_number', 'label', 'positions', 'cache_info', 'operands'],
    defaults=[None, None, None, ()])

_Instruction.opname.__doc__ = "name of the instruction"
_Instruction.opcode.__doc__ = "its number"
_Instruction.arg.__doc__ = "its last operand as a number, or None"
_Instruction.argval.__doc__ = "what that stands for: a constant, a name, an offset; or the number"
_Instruction.argrepr.__doc__ = "all operands for people to read"
_Instruction.offset.__doc__ = "where it is"
_Instruction.start_offset.__doc__ = "the same, or where its prefix is"
_Instruction.starts_line.__doc__ = "whether a source line begins here"
_Instruction.line_number.__doc__ = "its source line, or None"
_Instruction.label.__doc__ = "number of the label here if something jumps to it, or None"
_Instruction.positions.__doc__ = "where it comes from in the source"
_Instruction.cache_info.__doc__ = "None: caches are not part of the code"
_Instruction.operands.__doc__ = "pairs (kind, number) of all operands"


class Instruction(_Instruction):
    """One instruction with what is known about it."""

    @property
    def oparg(self):
        """Another name of arg."""
        return self.arg

    @property
    def baseopname(self):
        """The name of the instruction that this is a form of."""
        return _base_opname.get(self.opname, self.opname)

    @property
    def baseopcode(self):
        """The number of the instruction that this is a form of."""
        return _all_opmap.get(self.baseopname, self.opcode)

    @property
    def cache_offset(self):
        """Where the next instruction begins."""
        return self.offset + _STEP

    @property
    def end_offset(self):
        """Where the next instruction begins."""
        return self.offset + _STEP

    @property
    def jump_target(self):
        """The offset that it may jump to, or None."""
        target = _jump_of(self.offset // _STEP, self.operands)
        return None if target is None else target * _STEP

    @property
    def is_jump_target(self):
        """Whether something jumps here."""
        return self.label is not None

    def __str__(self):
        return f"{self.opname:<22} {self.argrepr}".rstrip()


class _Reader:
    """Says what operands stand for in one code object; any of its parts may be missing."""

    def __init__(self, names=None, consts=None, local=None, locals_count=None, sites=()):
        self.names, self.consts, self.local = names, consts, local
        self.locals_count, self.sites = locals_count, sites

    def register(self, number):
        if number == _NONE:
            return '-'
        if self.locals_count is None:
            return f'r{number}'
        if number < self.locals_count:
            return self.local(number)
        return f't{number - self.locals_count}'

    def const(self, number):
        if self.consts is None or number >= len(self.consts):
            return UNKNOWN, f'const {number}'
        return self.consts[number], repr(self.consts[number])

    def site(self, op, number):
        """(what a site is about, as text): a name, or how many arguments a call has."""
        if number * 2 + 1 >= len(self.sites):
            return number, f'site {number}'
        arg, keywords = self.sites[number * 2], self.sites[number * 2 + 1]
        if _base_opname.get(_all_opname[op], _all_opname[op]) == 'CALL':
            text = f'{arg} argument' + 's' * (arg != 1)
            if keywords and self.consts is not None and keywords <= len(self.consts):
                text += ' ' + repr(self.consts[keywords - 1])
            return arg, text
        if self.names is None or arg >= len(self.names):
            return arg, f'name {arg}'
        return self.names[arg], self.names[arg]

    def number(self, op, value):
        name = _base_opname.get(_all_opname[op], _all_opname[op])
        names = {'INTRINSIC1': _intrinsic_1_descs, 'INTRINSIC2': _intrinsic_2_descs}.get(name, ())
        return names[value] if 0 <= value < len(names) else str(value)

    def operand(self, op, kind, value, target, labels):
        """(value, text) of one operand."""
        if kind == 'const':
            return self.const(value)
        if kind == 'site':
            return self.site(op, value)
        if kind == 'jump':
            label = labels.get(target)
            return target * _STEP, f'to L{label}' if label else f'to {target * _STEP}'
        if kind in ('count', 'number'):
            return value, self.number(op, value)
        text = self.register(value)
        return (text if kind == 'local' else value), text


def _reader_of(code, words):
    try:
        local = code._varname_from_oparg
    except AttributeError:
        local = (code.co_varnames + code.co_cellvars + code.co_freevars).__getitem__
    kinds = len(set(code.co_varnames) | set(code.co_cellvars)) + len(code.co_freevars)
    return _Reader(code.co_names, code.co_consts, local, kinds, words.sites)


def _labels_of(words, entries=()):
    """Words that something jumps to, numbered in order: dict index -> number."""
    targets = set()
    for index, _, op, a, b, c, prefixed in words.decoded():
        target = _jump_of(index, _operand_list(op, a, b, c, prefixed)) if op < len(_operands) else None
        if target is not None:
            targets.add(target)
    for entry in entries:
        targets.update((entry.start // _STEP, entry.end // _STEP, entry.target // _STEP))
    return {target: number for number, target in enumerate(sorted(targets), 1)}


def _instructions(words, reader, labels, starts, lines, positions):
    for index, start, op, a, b, c, prefixed in words.decoded():
        pairs = _operand_list(op, a, b, c, prefixed) if op < len(_operands) else ()
        target = _jump_of(index, pairs)
        texts, arg, argval = [], None, None
        for kind, value in pairs:
            argval, text = reader.operand(op, kind, value, target, labels)
            arg = value
            texts.append(text)
        offset = index * _STEP
        yield Instruction(
            _all_opname[op] if op < len(_all_opname) else f'<{op}>', op, arg, argval,
            ', '.join(texts), offset, start * _STEP, starts.get(start * _STEP, None) is not None,
            lines.get(index), labels.get(start), positions.get(index, Positions()), None,
            tuple(pairs))


def get_instructions(x, *, first_line=None, show_caches=None, adaptive=False):
    """Yields the instructions of a function, method, string of source, or code object.

    The first source line counts as first_line if that is given. With adaptive, instructions are shown
    as they have been specialised by now.
    """
    code = _get_code_object(x)
    delta = 0 if first_line is None else first_line - code.co_firstlineno
    words = _Words(code.co_code)
    if adaptive:
        words.words = memoryview(code._co_code_adaptive).cast('H').tolist()
    positions, lines = {}, {}
    for index, place in enumerate(code.co_positions()):
        positions[index] = Positions(*place)
        lines[index] = None if place[0] is None else place[0] + delta
    starts = dict(findlinestarts(code))
    labels = _labels_of(words, _parse_exception_table(code))
    return _instructions(words, _reader_of(code, words), labels, starts, lines, positions)


# ---- tables -------------------------------------------------------------------------------------------

_ExceptionTableEntry = collections.namedtuple("_ExceptionTableEntry",
                                              "start end target depth lasti")


def _parse_exception_table(code):
    """The ranges of instructions that have a handler."""
    entries, data = [], iter(code.co_exceptiontable)

    def number():
        byte = next(data)
        value = byte & 63
        while byte & 64:
            byte = next(data)
            value = value << 6 | byte & 63
        return value

    try:
        while True:
            start = number() * _STEP
            end = start + number() * _STEP
            target = number() * _STEP
            depth = number()
            entries.append(_ExceptionTableEntry(start, end, target, depth >> 1, bool(depth & 1)))
    except StopIteration:
        return entries


def findlinestarts(code):
    """Yields (offset, line) where a source line begins; the line may be None."""
    last = False
    for start, end, line in code.co_lines():
        if line is not last:
            last = line
            yield start, line


def findlabels(code):
    """The offsets that something jumps to, given the bytes of co_code."""
    if hasattr(code, 'co_code'):
        code = code.co_code
    return [index * _STEP for index in sorted(_labels_of(_Words(code)))]


def _unpack_opargs(code):
    """Yields (offset, offset of its prefix, number, last operand) from the bytes of co_code."""
    for index, start, op, a, b, c, prefixed in _Words(code).decoded():
        pairs = _operand_list(op, a, b, c, prefixed)
        yield index * _STEP, start * _STEP, op, pairs[-1][1] if pairs else None


def _find_imports(co):
    """Yields (module, level, names) of the import statements in code."""
    loaded = {}
    for instruction in get_instructions(co):
        if instruction.opname in ('LOAD_CONST', 'LOAD_INT'):
            loaded[instruction.operands[0][1]] = instruction.argval
        elif instruction.opname == 'IMPORT_NAME':
            base = instruction.operands[1][1]
            level, names = loaded.get(base, 0), loaded.get(base + 1)
            yield instruction.argval, level, names


def _find_store_names(co):
    """Yields the names that code assigns to in its namespace."""
    for instruction in get_instructions(co):
        if instruction.opname in ('STORE_NAME', 'STORE_GLOBAL'):
            yield instruction.argval


# ---- printing -------------------------------------------------------------------------------------------

def _format_code_info(co):
    lines = []
    add = lines.append
    add("Name:              %s" % co.co_name)
    add("Filename:          %s" % co.co_filename)
    add("Argument count:    %s" % co.co_argcount)
    add("Positional-only arguments: %s" % co.co_posonlyargcount)
    add("Kw-only arguments: %s" % co.co_kwonlyargcount)
    add("Number of locals:  %s" % co.co_nlocals)
    add("Stack size:        %s" % co.co_stacksize)
    add("Flags:             %s" % pretty_flags(co.co_flags))
    for title, items, show in (("Constants", co.co_consts, repr), ("Names", co.co_names, str),
                               ("Variable names", co.co_varnames, str),
                               ("Free variables", co.co_freevars, str),
                               ("Cell variables", co.co_cellvars, str)):
        if items:
            add(title + ":")
            lines.extend("%4d: %s" % (number, show(item)) for number, item in enumerate(items))
    return "\n".join(lines)


def code_info(x):
    """What there is to know about a code object, as a text of several lines."""
    return _format_code_info(_get_code_object(x))


def show_code(co, *, file=None):
    """Prints what code_info() says."""
    print(code_info(co), file=file)


class _Printer:
    """Prints instructions in columns: line, label or offset, name, operands."""

    def __init__(self, file, line_width, show_offsets):
        self.file, self.line_width, self.show_offsets = file, line_width, show_offsets

    def one(self, instruction, is_current):
        if instruction.starts_line and instruction.offset > 0 and self.line_width:
            print(file=self.file)
        cells = []
        if self.line_width:
            line = ''
            if instruction.starts_line:
                line = '--' if instruction.line_number is None else instruction.line_number
            cells.append(f'{line!s:>{self.line_width}}')
        cells.append('-->' if is_current else '   ')
        cells.append(f'L{instruction.label}:'.rjust(5) if instruction.label else ' ' * 5)
        if self.show_offsets:
            cells.append(f'{instruction.offset:>6}')
        cells.append(f' {instruction.opname:<22}')
        cells.append(instruction.argrepr)
        print(' '.join(cells).rstrip(), file=self.file)

    def table(self, entries, labels):
        if not entries:
            return
        print("ExceptionTable:", file=self.file)
        for entry in entries:
            start, end, target = (f'L{labels[offset // _STEP]}'
                                  for offset in (entry.start, entry.end, entry.target))
            lasti = " lasti" if entry.lasti else ""
            print(f"  {start} to {end} -> {target} [{entry.depth}]{lasti}", file=self.file)


def _is_current(instruction, lasti):
    return instruction.start_offset <= lasti <= instruction.offset


def disassemble(co, lasti=-1, *, file=None, show_caches=False, adaptive=False, show_offsets=False):
    """Prints the instructions of a code object, with an arrow at the one at lasti."""
    instructions = list(get_instructions(co, adaptive=adaptive))
    lines = [i.line_number for i in instructions if i.line_number is not None]
    width = max(3, len(str(max(lines)))) if lines else 0
    printer = _Printer(file, width, show_offsets)
    for instruction in instructions:
        printer.one(instruction, _is_current(instruction, lasti))
    entries = _parse_exception_table(co)
    printer.table(entries, _labels_of(_Words(co.co_code), entries))


def _disassemble_recursive(co, *, file, depth, **options):
    disassemble(co, file=file, **options)
    if depth is None or depth > 0:
        for constant in co.co_consts:
            if hasattr(constant, 'co_code'):
                print(file=file)
                print("Disassembly of %r:" % (constant,), file=file)
                _disassemble_recursive(constant, file=file,
                                       depth=None if depth is None else depth - 1, **options)


def _disassemble_bytes(code, lasti=-1, *, file=None, show_offsets=False, **_):
    words = _Words(code)
    printer = _Printer(file, 0, show_offsets)
    reader = _Reader(sites=words.sites)
    for instruction in _instructions(words, reader, _labels_of(words), {}, {}, {}):
        printer.one(instruction, _is_current(instruction, lasti))


def dis(x=None, *, file=None, depth=None, show_caches=False, adaptive=False, show_offsets=False):
    """Prints the instructions of classes, methods, functions, code, source text or bytes of co_code.

    Without an argument, of the last traceback. Functions inside are shown too, down to depth.
    """
    options = dict(show_caches=show_caches, adaptive=adaptive, show_offsets=show_offsets)
    if x is None:
        distb(file=file, **options)
        return
    x = _code_behind(x)
    if hasattr(x, '__dict__') and not hasattr(x, 'co_code'):
        for name, member in sorted(x.__dict__.items()):
            if isinstance(member, _have_code):
                print("Disassembly of %s:" % name, file=file)
                try:
                    dis(member, file=file, depth=depth, **options)
                except TypeError as error:
                    print("Sorry:", error, file=file)
                print(file=file)
    elif hasattr(x, 'co_code'):
        _disassemble_recursive(x, file=file, depth=depth, **options)
    elif isinstance(x, (bytes, bytearray)):
        _disassemble_bytes(x, file=file, show_offsets=show_offsets)
    elif isinstance(x, str):
        _disassemble_recursive(_try_compile(x, '<dis>'), file=file, depth=depth, **options)
    else:
        raise TypeError("don't know how to disassemble %s objects" % type(x).__name__)


disco = disassemble


def distb(tb=None, *, file=None, show_caches=False, adaptive=False, show_offsets=False):
    """Prints the instructions of the innermost function of a traceback, by default the last one."""
    if tb is None:
        try:
            tb = sys.last_exc.__traceback__ if hasattr(sys, 'last_exc') else sys.last_traceback
        except AttributeError:
            raise RuntimeError("no last traceback to disassemble") from None
        while tb.tb_next:
            tb = tb.tb_next
    disassemble(tb.tb_frame.f_code, tb.tb_lasti, file=file, show_caches=show_caches,
                adaptive=adaptive, show_offsets=show_offsets)


class Bytecode:
    """The instructions of some code: iterate over it, or ask for its text."""

    def __init__(self, x, *, first_line=None, current_offset=None, show_caches=False,
                 adaptive=False, show_offsets=False):
        self.codeobj = code = _get_code_object(x)
        self.first_line = code.co_firstlineno if first_line is None else first_line
        self.current_offset = current_offset
        self.show_caches = show_caches
        self.adaptive = adaptive
        self.show_offsets = show_offsets
        self._original_object = x
        self.exception_entries = _parse_exception_table(code)

    def __iter__(self):
        return get_instructions(self.codeobj, first_line=self.first_line, adaptive=self.adaptive)

    def __repr__(self):
        return "{}({!r})".format(self.__class__.__name__, self._original_object)

    @classmethod
    def from_traceback(cls, tb, *, show_caches=False, adaptive=False):
        """The code of a traceback's innermost function, with the place marked."""
        while tb.tb_next:
            tb = tb.tb_next
        return cls(tb.tb_frame.f_code, current_offset=tb.tb_lasti, show_caches=show_caches,
                   adaptive=adaptive)

    def info(self):
        """What code_info() says."""
        return _format_code_info(self.codeobj)

    def dis(self):
        """What dis() prints, as a text."""
        offset = -1 if self.current_offset is None else self.current_offset
        with io.StringIO() as output:
            disassemble(self.codeobj, offset, file=output, adaptive=self.adaptive,
                        show_offsets=self.show_offsets)
            return output.getvalue()


def main():
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument('-C', '--show-caches', action='store_true',
                        help='accepted; caches are not part of the code')
    parser.add_argument('-O', '--show-offsets', action='store_true',
                        help='show the offsets of instructions')
    parser.add_argument('infile', nargs='?', default='-')
    args = parser.parse_args()
    if args.infile == '-':
        name, source = '<stdin>', sys.stdin.buffer.read()
    else:
        name = args.infile
        with open(name, 'rb') as file:
            source = file.read()
    dis(compile(source, name, "exec"), show_caches=args.show_caches,
        show_offsets=args.show_offsets)


if __name__ == "__main__":
    main()
