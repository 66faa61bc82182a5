/* The module _sre. */
#include "sre.h"

#include "sre.bind.h"

/* Reads the codes: a buffer for PyMem_Free, or NULL with an exception. */
static uint32_t *codes_read(PyObject *list, Py_ssize_t *count)
{
    Py_ssize_t size = *count = PyList_GET_SIZE(list);
    uint32_t *codes = PyMem_New(uint32_t, (size_t)size + 1);
    if (codes == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < size; i++) {
        PyObject *item = PyList_GetItemRef(list, i);
        unsigned long value = item ? PyLong_AsUnsignedLong(item) : (unsigned long)-1;
        Py_XDECREF(item);
        if (value == (unsigned long)-1 && PyErr_Occurred()) {
            if (item != NULL && PyErr_ExceptionMatches(PyExc_OverflowError)) {
                PyErr_SetString(PyExc_OverflowError, "regular expression code size limit exceeded");
            }
            PyMem_Free(codes);
            return NULL;
        }
        if (value > UINT32_MAX) {
            PyErr_SetString(PyExc_OverflowError, "regular expression code size limit exceeded");
            PyMem_Free(codes);
            return NULL;
        }
        codes[i] = (uint32_t)value;
    }
    return codes;
}

/* Whether patterns like this one are for bytes: -1 if nobody knows, -2 with an exception. */
static int pattern_kind(PyObject *pattern)
{
    if (pattern == Py_None) {
        return -1;
    }
    if (PyUnicode_Check(pattern)) {
        return 0;
    }
    if (!PyObject_CheckBuffer(pattern)) {
        PyErr_Format(PyExc_TypeError, "expected string or bytes-like object, got '%.200s'",
                     Py_TYPE(pattern)->tp_name);
        return -2;
    }
    return 1;
}

static PyObject *sre_compile(PyObject *module, PyObject *pattern, int flags, PyObject *code,
                             Py_ssize_t groups, PyObject *groupindex, PyObject *indexgroup)
{
    struct sre_state *state = PyModule_GetState(module);
    Py_ssize_t count;
    uint32_t *codes = codes_read(code, &count);
    if (codes == NULL) {
        return NULL;
    }
    int kind = pattern_kind(pattern);
    struct program program = {0};
    if (groups < 0 || groups > SRE_MAXGROUPS || (size_t)count > UINT32_MAX / 8
        || PyTuple_GET_SIZE(indexgroup) > groups + 1) {
        PyErr_SetString(PyExc_RuntimeError, "invalid SRE code");
        kind = -2;
    }
    int rc = kind == -2 ? -1 : program_translate(&program, codes, (size_t)count, groups);
    PyMem_Free(codes);
    if (rc < 0) {
        return NULL;
    }
    PyTypeObject *type = (PyTypeObject *)state->pattern_type;
    struct pattern *self = (struct pattern *)type->tp_alloc(type, program.total);
    if (self != NULL) {
        memcpy(self->words, program.words, program.total * sizeof(uint32_t));
        self->program = program;
        self->program.words = self->words;
        self->groupindex = Py_NewRef(groupindex);
        self->indexgroup = Py_NewRef(indexgroup);
        self->pattern = Py_NewRef(pattern);
        self->groups = groups;
        self->flags = flags;
        self->is_bytes = kind;
    }
    PyMem_Free(program.words);
    return (PyObject *)self;
}

static PyObject *sre_template(PyObject *module, PyObject *Py_UNUSED(pattern), PyObject *template)
{
    return template_make(PyModule_GetState(module), template);
}

static int sre_getcodesize(PyObject *module)
{
    return sizeof(uint32_t);
}

static int sre_ascii_iscased(PyObject *module, int character)
{
    return character >= 0 && character < 128 && Py_ISALPHA(character);
}

static int sre_unicode_iscased(PyObject *module, int character)
{
    Py_UCS4 ch = (Py_UCS4)character;
    return ch != Py_UNICODE_TOLOWER(ch) || ch != Py_UNICODE_TOUPPER(ch);
}

static int sre_ascii_tolower(PyObject *module, int character)
{
    return (int)char_lower_ascii((Py_UCS4)character);
}

static int sre_unicode_tolower(PyObject *module, int character)
{
    return (int)char_lower_unicode((Py_UCS4)character);
}

static int sre_exec(PyObject *module)
{
    static const struct constant constants[] = {
        {"MAGIC", SRE_MAGIC},
        {"CODESIZE", sizeof(uint32_t)},
        {"MAXREPEAT", SRE_MAXREPEAT},
        {"MAXGROUPS", SRE_MAXGROUPS},
    };
    struct sre_state *state = PyModule_GetState(module);
    state->pattern_type = (PyObject *)module_type(module, &pattern_spec, false);
    state->match_type = (PyObject *)module_type(module, &match_spec, false);
    state->scanner_type = (PyObject *)module_type(module, &scanner_spec, false);
    state->template_type = (PyObject *)module_type(module, &template_spec, false);
    if (!state->pattern_type || !state->match_type || !state->scanner_type
        || !state->template_type) {
        return -1;
    }
    return module_constants(module, constants, sizeof constants / sizeof *constants);
}

STATE_OBJECTS(sre)

static PyModuleDef_Slot sre_slots[] = MODULE_SLOTS(sre_exec);

PyModuleDef sre_module = {
    PyModuleDef_HEAD_INIT,    .m_name = "_sre",     .m_doc = sre_doc,
    .m_methods = sre_methods, .m_slots = sre_slots, STATE_FIELDS(sre),
};

MODULE_INIT(_sre, sre_module)
