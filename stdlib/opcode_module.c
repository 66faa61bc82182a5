/* _opcode: what the machine's instructions take, from the generated table. */

#include "interp/code.h"
#include "module.h"

#include "opcode_module.bind.h"

static bool valid(int opcode)
{
    return opcode >= 0 && (unsigned)opcode < opcode_count;
}

/* Is one of the operands of kind `kind` or `wide`? */
static int has_kind(int opcode, int kind, int wide)
{
    if (!valid(opcode)) {
        return 0;
    }
    const struct opcode_info *info = &opcode_table[opcode];
    const int kinds[] = {info->a, info->b, info->c};
    for (int i = 0; i < 3; i++) {
        if (kinds[i] == kind || kinds[i] == wide) {
            return 1;
        }
    }
    return 0;
}

static int opcode_module_is_valid(PyObject *module, int opcode)
{
    return valid(opcode);
}

static int opcode_module_has_arg(PyObject *module, int opcode)
{
    return valid(opcode)
           && (opcode_table[opcode].a != OPERAND_NONE || opcode_table[opcode].b != OPERAND_NONE
               || opcode_table[opcode].c != OPERAND_NONE);
}

static int opcode_module_has_const(PyObject *module, int opcode)
{
    return has_kind(opcode, OPERAND_CONST, OPERAND_CONST_BC);
}

static int opcode_module_has_name(PyObject *module, int opcode)
{
    return has_kind(opcode, OPERAND_SITE, OPERAND_SITE_BC);
}

static int opcode_module_has_jump(PyObject *module, int opcode)
{
    return has_kind(opcode, OPERAND_JUMP, OPERAND_JUMP_BC);
}

static int opcode_module_has_free(PyObject *module, int opcode)
{
    return opcode == GET_DEREF || opcode == SET_DEREF || opcode == DEL_DEREF
           || opcode == GET_FROM_DICT_OR_DEREF || opcode == MAKE_CELL;
}

static int opcode_module_has_local(PyObject *module, int opcode)
{
    return has_kind(opcode, OPERAND_LOCAL, OPERAND_LOCAL);
}

static int opcode_module_has_exc(PyObject *module, int opcode)
{
    return 0;
}

static PyObject *names_of(const char *const *names, size_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; i < count && list != NULL; i++) {
        PyObject *name = PyUnicode_FromString(names[i]);
        if (name == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, i, name);
        }
    }
    return list;
}

#define NAMES(table) names_of(table, sizeof table / sizeof table[0])

static PyObject *opcode_module_get_nb_ops(PyObject *module)
{
    static const char *const ops[][2] = {
        {"NB_ADD", "+"},
        {"NB_AND", "&"},
        {"NB_FLOOR_DIVIDE", "//"},
        {"NB_LSHIFT", "<<"},
        {"NB_MATRIX_MULTIPLY", "@"},
        {"NB_MULTIPLY", "*"},
        {"NB_REMAINDER", "%"},
        {"NB_OR", "|"},
        {"NB_POWER", "**"},
        {"NB_RSHIFT", ">>"},
        {"NB_SUBTRACT", "-"},
        {"NB_TRUE_DIVIDE", "/"},
        {"NB_XOR", "^"},
        {"NB_INPLACE_ADD", "+="},
        {"NB_INPLACE_AND", "&="},
        {"NB_INPLACE_FLOOR_DIVIDE", "//="},
        {"NB_INPLACE_LSHIFT", "<<="},
        {"NB_INPLACE_MATRIX_MULTIPLY", "@="},
        {"NB_INPLACE_MULTIPLY", "*="},
        {"NB_INPLACE_REMAINDER", "%="},
        {"NB_INPLACE_OR", "|="},
        {"NB_INPLACE_POWER", "**="},
        {"NB_INPLACE_RSHIFT", ">>="},
        {"NB_INPLACE_SUBTRACT", "-="},
        {"NB_INPLACE_TRUE_DIVIDE", "/="},
        {"NB_INPLACE_XOR", "^="},
    };
    size_t count = sizeof ops / sizeof ops[0];
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; i < count && list != NULL; i++) {
        PyObject *pair = Py_BuildValue("(ss)", ops[i][0], ops[i][1]);
        if (pair == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, i, pair);
        }
    }
    return list;
}

static PyObject *opcode_module_get_intrinsic1_descs(PyObject *module)
{
    static const char *const names[] = {
        "INTRINSIC_1_INVALID",         "INTRINSIC_PRINT",
        "INTRINSIC_IMPORT_STAR",       "INTRINSIC_STOPITERATION_ERROR",
        "INTRINSIC_ASYNC_GEN_WRAP",    "INTRINSIC_UNARY_POSITIVE",
        "INTRINSIC_LIST_TO_TUPLE",     "INTRINSIC_TYPEVAR",
        "INTRINSIC_PARAMSPEC",         "INTRINSIC_TYPEVARTUPLE",
        "INTRINSIC_SUBSCRIPT_GENERIC", "INTRINSIC_TYPEALIAS",
    };
    return NAMES(names);
}

static PyObject *opcode_module_get_intrinsic2_descs(PyObject *module)
{
    static const char *const names[] = {
        "INTRINSIC_2_INVALID",
        "INTRINSIC_PREP_RERAISE_STAR",
        "INTRINSIC_TYPEVAR_WITH_BOUND",
        "INTRINSIC_TYPEVAR_WITH_CONSTRAINTS",
        "INTRINSIC_SET_FUNCTION_TYPE_PARAMS",
        "INTRINSIC_SET_TYPEPARAM_DEFAULT",
    };
    return NAMES(names);
}

static int opcode_module_stack_effect(PyObject *module, int opcode, PyObject *oparg, PyObject *jump)
{
    if (!valid(opcode)) {
        PyErr_SetString(PyExc_ValueError, "invalid opcode or oparg");
        return -1;
    }
    return 0;
}

/* The machine has registers: no instruction moves a stack. */
int PyCompile_OpcodeStackEffectWithJump(int opcode, int Py_UNUSED(oparg), int Py_UNUSED(jump))
{
    return valid(opcode) ? 0 : PY_INVALID_STACK_EFFECT;
}

int PyCompile_OpcodeStackEffect(int opcode, int oparg)
{
    return PyCompile_OpcodeStackEffectWithJump(opcode, oparg, -1);
}

static PyObject *opcode_module_get_executor(PyObject *module, PyObject *code, int offset)
{
    PyErr_SetString(PyExc_RuntimeError, "Executors are not available in this build");
    return NULL;
}

/* Instructions that have seen the same thing for a while are replaced by specialised forms. */
static int opcode_module_exec(PyObject *module)
{
    return PyModule_AddIntConstant(module, "ENABLE_SPECIALIZATION", 1);
}

static PyObject *opcode_module_table(PyObject *module)
{
    static const char *const kinds[] = {
        [OPERAND_NONE] = "",
        [OPERAND_DST] = "dst",
        [OPERAND_USE] = "use",
        [OPERAND_KEEP] = "keep",
        [OPERAND_BASE] = "base",
        [OPERAND_JUMP] = "jump",
        [OPERAND_CONST] = "const",
        [OPERAND_SITE] = "site",
        [OPERAND_SITE_BC] = "site_bc",
        [OPERAND_COUNT] = "count",
        [OPERAND_NUMBER] = "number",
        [OPERAND_JUMP_BC] = "jump_bc",
        [OPERAND_CONST_BC] = "const_bc",
        [OPERAND_LOCAL] = "local",
        [OPERAND_NUMBER_BC] = "number_bc",
    };
    PyObject *tuple = PyTuple_New(opcode_count);
    for (unsigned i = 0; i < opcode_count && tuple != NULL; i++) {
        const struct opcode_info *info = &opcode_table[i];
        PyObject *item = Py_BuildValue("(si(sss)i)", info->name, info->base, kinds[info->a],
                                       kinds[info->b], kinds[info->c], info->flags);
        if (item == NULL) {
            Py_CLEAR(tuple);
        } else {
            PyTuple_SET_ITEM(tuple, i, item);
        }
    }
    return tuple;
}

static PyObject *opcode_module_get_specialization_stats(PyObject *module)
{
    Py_RETURN_NONE;
}

static int opcode_exec(PyObject *module)
{
    return PyModule_AddObjectRef(module, "ENABLE_SPECIALIZATION", Py_True);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, opcode_exec},
    {Py_mod_exec, opcode_module_exec},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,      .m_name = "_opcode",
    .m_doc = opcode_module_doc, .m_methods = opcode_module_methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__opcode(void)
{
    return PyModuleDef_Init(&definition);
}
