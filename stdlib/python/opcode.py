"""What instructions there are and what they take; for people, see the module dis."""

__all__ = ["cmp_op", "stack_effect", "hascompare", "opname", "opmap",
           "HAVE_ARGUMENT", "EXTENDED_ARG", "hasarg", "hasconst", "hasname",
           "hasjump", "hasjrel", "hasjabs", "hasfree", "haslocal", "hasexc"]

import _opcode
from _opcode import stack_effect

from _opcode_metadata import (_specializations, _specialized_opmap, opmap, operands as _operands,
                              HAVE_ARGUMENT, MIN_INSTRUMENTED_OPCODE)

EXTENDED_ARG = opmap['EXTENDED_ARG']

opname = [f'<{number}>' for number in range(max(opmap.values()) + 1)]
for _name, _number in opmap.items():
    opname[_number] = _name
# What super() has goes by one name, called or not.
opname[opmap['LOAD_SUPER_METHOD']] = 'LOAD_SUPER_ATTR'

cmp_op = ('<', '<=', '==', '!=', '>', '>=')

hasarg = [op for op in opmap.values() if _opcode.has_arg(op)]
hasconst = [op for op in opmap.values() if _opcode.has_const(op)]
hasname = [op for op in opmap.values() if _opcode.has_name(op)]
hasjump = [op for op in opmap.values() if _opcode.has_jump(op)]
hasjrel = hasjump
hasjabs = []
hasfree = [op for op in opmap.values() if _opcode.has_free(op)]
haslocal = [op for op in opmap.values() if _opcode.has_local(op)]
hasexc = []
hascompare = [number for name, number in opmap.items()
              if name.removesuffix('_K').removeprefix('JIF_').removeprefix('JIN_')
              in ('LT', 'LE', 'EQ', 'NE', 'GT', 'GE')]

_intrinsic_1_descs = _opcode.get_intrinsic1_descs()
_intrinsic_2_descs = _opcode.get_intrinsic2_descs()
_nb_ops = _opcode.get_nb_ops()

# Caches lie beside the instructions, not between them.
_cache_format = {}
_inline_cache_entries = {}
