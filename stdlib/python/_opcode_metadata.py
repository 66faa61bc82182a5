"""Numbers and names of the machine's instructions, as the interpreter itself has them.

Loads, stores and deletions of variables go by the names that programs which look at code expect.
"""

import _opcode

_FAMILIAR = {
    'EXT': 'EXTENDED_ARG', 'RETURN': 'RETURN_VALUE', 'YIELD': 'YIELD_VALUE',
    'SET_ATTR': 'STORE_ATTR', 'SET_GLOBAL': 'STORE_GLOBAL', 'SET_NAME': 'STORE_NAME',
    'SET_DEREF': 'STORE_DEREF', 'SET_ITEM': 'STORE_SUBSCR', 'GET_ITEM': 'BINARY_SUBSCR',
    'DEL_LOCAL': 'DELETE_FAST', 'DEL_ITEM': 'DELETE_SUBSCR', 'DEL_ATTR': 'DELETE_ATTR',
    'DEL_GLOBAL': 'DELETE_GLOBAL', 'DEL_NAME': 'DELETE_NAME', 'DEL_DEREF': 'DELETE_DEREF',
    'GET_ATTR': 'LOAD_ATTR', 'GET_GLOBAL': 'LOAD_GLOBAL', 'GET_NAME': 'LOAD_NAME',
    'GET_DEREF': 'LOAD_DEREF', 'GET_FROM_DICT_OR_GLOBALS': 'LOAD_FROM_DICT_OR_GLOBALS',
    'GET_FROM_DICT_OR_DEREF': 'LOAD_FROM_DICT_OR_DEREF',
}

opmap = {}              # name -> number, of what the compiler emits
_specialized_opmap = {} # the same of forms that replace them while code runs
_specializations = {}   # name -> names of its forms
operands = []           # number -> kinds of the operands a, b, c: '' where there is none

for _number, (_name, _base, _kinds, _) in enumerate(_opcode.table()):
    _name = _FAMILIAR.get(_name, _name)
    operands.append(_kinds)
    if _base == _number:
        opmap[_name] = _number
    else:
        _specialized_opmap[_name] = _number
        _base = _opcode.table()[_base][0]
        _specializations.setdefault(_FAMILIAR.get(_base, _base), []).append(_name)

HAVE_ARGUMENT = 0       # operands do not depend on the number
MIN_INSTRUMENTED_OPCODE = opmap['INSTRUMENTED']
