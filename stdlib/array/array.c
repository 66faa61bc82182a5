/* The module array, and the type: making, comparing, showing, and lending its memory. */
#include "array.h"

#include "array.bind.h"

static PyModuleDef arrays_module;

struct arrays_state *state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &arrays_module);
    return module ? PyModule_GetState(module) : NULL;
}

bool is_array(struct array *self, PyObject *op)
{
    struct arrays_state *state = state_of(Py_TYPE(self));
    return state != NULL && PyObject_TypeCheck(op, (PyTypeObject *)state->array_type);
}

/* ---- what an array says of itself ----------------------------------------------------------- */

PyObject *array_buffer_info(struct array *self)
{
    return Py_BuildValue("Nn", PyLong_FromVoidPtr(self->items), Py_SIZE(self));
}

size_t array_sizeof(struct array *self)
{
    return (size_t)Py_TYPE(self)->tp_basicsize + (size_t)(self->allocated * self->kind->size);
}

PyObject *array_get_typecode(struct array *self)
{
    return PyUnicode_FromOrdinal(self->kind->code);
}

int array_get_itemsize(struct array *self)
{
    return self->kind->size;
}

static PyObject *array_compare(PyObject *a, PyObject *b, int op)
{
    struct array *left = (struct array *)a, *right = (struct array *)b;
    if (!is_array(left, b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Py_ssize_t a_len = array_length(a), b_len = array_length(b);
    if (a_len != b_len && (op == Py_EQ || op == Py_NE)) {
        return PyBool_FromLong(op == Py_NE);
    }
    if (left->kind == right->kind && is_integer(left->kind) && (op == Py_EQ || op == Py_NE)) {
        int same = LOCKED2(
            a, b,
            Py_SIZE(left) == Py_SIZE(right)
                && (Py_SIZE(left) == 0
                    || memcmp(left->items, right->items, (size_t)(Py_SIZE(left) * left->kind->size))
                           == 0));
        return PyBool_FromLong(same == (op == Py_EQ));
    }
    for (Py_ssize_t i = 0; i < array_length(a) && i < array_length(b); i++) {
        PyObject *x = array_item(a, i), *y = x ? array_item(b, i) : NULL;
        int equal = y ? PyObject_RichCompareBool(x, y, Py_EQ) : -1;
        PyObject *result = equal == 0 ? (op == Py_EQ   ? Py_NewRef(Py_False)
                                         : op == Py_NE ? Py_NewRef(Py_True)
                                                       : PyObject_RichCompare(x, y, op))
                                      : NULL;
        Py_XDECREF(x);
        Py_XDECREF(y);
        if (equal <= 0) {
            return result;
        }
    }
    a_len = array_length(a);
    b_len = array_length(b);
    Py_RETURN_RICHCOMPARE(a_len, b_len, op);
}

static PyObject *array_repr(PyObject *op)
{
    struct array *self = (struct array *)op;
    PyObject *name = PyType_GetName(Py_TYPE(op));
    if (name == NULL) {
        return NULL;
    }
    PyObject *text = NULL;
    if (array_length(op) == 0) {
        text = PyUnicode_FromFormat("%U('%c')", name, self->kind->code);
    } else {
        PyObject *values = self->kind->what == IS_TEXT ? LOCKED(op, array_text(self))
                                                       : LOCKED(op, array_tolist(self));
        if (values != NULL) {
            text = PyUnicode_FromFormat("%U('%c', %R)", name, self->kind->code, values);
            Py_DECREF(values);
        }
    }
    Py_DECREF(name);
    return text;
}

/* ---- the buffer protocol -------------------------------------------------------------------- */

static int array_fill_buffer(struct array *self, Py_buffer *view, int flags)
{
    view->buf = self->items ? (void *)self->items : (void *)"";
    view->obj = Py_NewRef((PyObject *)self);
    view->len = Py_SIZE(self) * self->kind->size;
    view->readonly = 0;
    view->ndim = 1;
    view->itemsize = self->kind->size;
    view->suboffsets = NULL;
    view->internal = NULL;
    view->shape = (flags & PyBUF_ND) == PyBUF_ND ? &((PyVarObject *)self)->ob_size : NULL;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &view->itemsize : NULL;
    view->format = (flags & PyBUF_FORMAT) == PyBUF_FORMAT ? (char *)self->kind->format : NULL;
    self->exports++;
    return 0;
}

static int array_getbuffer(PyObject *op, Py_buffer *view, int flags)
{
    if (view == NULL) {
        PyErr_SetString(PyExc_BufferError, "array_buffer_getbuf: view==NULL argument is obsolete");
        return -1;
    }
    return LOCKED(op, array_fill_buffer((struct array *)op, view, flags));
}

static void array_releasebuffer(PyObject *op, Py_buffer *Py_UNUSED(view))
{
    (void)LOCKED(op, ((struct array *)op)->exports--);
}

/* ---- making --------------------------------------------------------------------------------- */

/* How many items an initializer will give, as far as it is known. */
static Py_ssize_t initial_size(struct array *self, PyObject *initial)
{
    if (PyList_Check(initial) || PyTuple_Check(initial) || PyUnicode_Check(initial)
        || is_array(self, initial)) {
        return PyObject_Size(initial);
    }
    bool bytes = PyBytes_Check(initial) || PyByteArray_Check(initial);
    return bytes ? PyObject_Size(initial) / self->kind->size : 0;
}

/* Takes just the memory that a new array will need. */
static int array_reserve(struct array *self, Py_ssize_t count)
{
    if (count <= 0) {
        return PyErr_Occurred() ? -1 : 0;
    }
    self->items = count > PY_SSIZE_T_MAX / self->kind->size
                      ? NULL
                      : PyMem_Malloc((size_t)(count * self->kind->size));
    if (self->items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->allocated = count;
    return 0;
}

/* Fills a new array; -1 with an exception. */
static int array_fill(struct array *self, PyObject *initial)
{
    if (array_reserve(self, initial_size(self, initial)) < 0) {
        return -1;
    }
    if (PyUnicode_Check(initial)) {
        return array_add_text(self, initial);
    }
    if (PyBytes_Check(initial)) {
        return array_add_bytes(self, PyBytes_AS_STRING(initial), PyBytes_GET_SIZE(initial));
    }
    if (PyByteArray_Check(initial)) {
        return LOCKED(initial, array_add_bytes(self, PyByteArray_AS_STRING(initial),
                                               PyByteArray_GET_SIZE(initial)));
    }
    if (is_array(self, initial) && ((struct array *)initial)->kind == self->kind) {
        return LOCKED(initial, array_extend_array(self, (struct array *)initial));
    }
    return array_extend_iterable(self, initial);
}

/* Whether such an array can be made of `initial`; false with TypeError. */
static bool array_accepts(struct array *self, PyObject *initial)
{
    char code = self->kind->code;
    if (self->kind->what == IS_TEXT) {
        return true;
    }
    if (PyUnicode_Check(initial)) {
        PyErr_Format(PyExc_TypeError, "cannot use a str to initialize an array with typecode '%c'",
                     code);
        return false;
    }
    if (is_array(self, initial) && ((struct array *)initial)->kind->what == IS_TEXT) {
        PyErr_Format(PyExc_TypeError,
                     "cannot use a unicode array to initialize an array with typecode '%c'", code);
        return false;
    }
    return true;
}

static PyObject *array_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct arrays_state *state = state_of(type);
    if (state == NULL) {
        return NULL;
    }
    bool own_init = type->tp_init == ((PyTypeObject *)state->array_type)->tp_init;
    if (own_init && !bind_no_keywords("array.array", kwargs)) {
        return NULL;
    }
    Py_ssize_t given = PyTuple_GET_SIZE(args);
    if (given < 1 || given > 2) {
        PyErr_Format(PyExc_TypeError, "array() takes at %s %d argument%s (%zd given)",
                     given < 1 ? "least" : "most", given < 1 ? 1 : 2, given < 1 ? "" : "s", given);
        return NULL;
    }
    Py_UCS4 code;
    PyObject *initial = given == 2 ? PyTuple_GET_ITEM(args, 1) : NULL;
    if (!bind_uchar(PyTuple_GET_ITEM(args, 0), "array", "argument 1", &code)
        || PySys_Audit("array.__new__", "CO", (int)code, initial ? initial : Py_None) < 0) {
        return NULL;
    }
    if (code == 'u'
        && PyErr_WarnEx(PyExc_DeprecationWarning,
                        "The 'u' type code is deprecated and will be "
                        "removed in Python 3.16",
                        1)
               < 0) {
        return NULL;
    }
    const struct kind *kind = kind_of(code);
    if (kind == NULL) {
        PyErr_SetString(PyExc_ValueError, "bad typecode (must be b, B, u, w, h, H, i, I, l, L, q, "
                                          "Q, f or d)");
        return NULL;
    }
    struct array *self = array_make(type, 0, kind);
    if (self != NULL && initial != NULL
        && (!array_accepts(self, initial) || array_fill(self, initial) < 0)) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static int array_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    return 0;
}

static void array_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    PyObject_ClearWeakRefs(op);
    PyMem_Free(((struct array *)op)->items);
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- the type and the module ---------------------------------------------------------------- */

static PyMemberDef array_hidden_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct array, weaklist), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static const char array_about[] =
    "array(typecode [, initializer]) -> array\n\n"
    "A list-like array whose items all have the C type that the code says, filled from an\n"
    "iterable, from bytes as they lie in memory, or, for characters, from a str.\n\n"
    "  b, B  signed and unsigned char       q, Q  long long\n"
    "  h, H  short                          f     float\n"
    "  i, I  int                            d     double\n"
    "  l, L  long                           w     a character (u: deprecated)";

static PyType_Slot array_slots[] = {
    {Py_tp_dealloc, array_dealloc},
    {Py_tp_traverse, array_traverse},
    {Py_tp_repr, array_repr},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_doc, (void *)array_about},
    {Py_tp_richcompare, array_compare},
    {Py_tp_iter, array_iter},
    {Py_tp_methods, array_methods},
    {Py_tp_members, array_hidden_members},
    {Py_tp_getset, array_getset},
    {Py_tp_new, array_new},
    {Py_sq_length, array_length},
    {Py_sq_concat, array_concat},
    {Py_sq_repeat, array_repeat},
    {Py_sq_item, array_item},
    {Py_sq_ass_item, array_assign},
    {Py_sq_contains, array_contains},
    {Py_sq_inplace_concat, array_inplace_concat},
    {Py_sq_inplace_repeat, array_inplace_repeat},
    {Py_mp_length, array_length},
    {Py_mp_subscript, array_subscript},
    {Py_mp_ass_subscript, array_subscript_assign},
    {Py_bf_getbuffer, array_getbuffer},
    {Py_bf_releasebuffer, array_releasebuffer},
    {0, NULL},
};

static PyType_Spec array_spec = {
    "array.array",
    sizeof(struct array),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC
        | Py_TPFLAGS_SEQUENCE,
    array_slots,
};

/* Arrays are mutable sequences to collections.abc. */
static int register_as_sequence(PyObject *type)
{
    PyObject *abc = PyImport_ImportModule("collections.abc");
    PyObject *sequence = abc ? PyObject_GetAttrString(abc, "MutableSequence") : NULL;
    PyObject *result = sequence ? PyObject_CallMethod(sequence, "register", "O", type) : NULL;
    Py_XDECREF(abc);
    Py_XDECREF(sequence);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static int arrays_exec(PyObject *module)
{
    struct arrays_state *state = PyModule_GetState(module);
    char codes[ARRAY_KINDS + 1] = {0};
    for (size_t i = 0; i < ARRAY_KINDS; i++) {
        codes[i] = array_kinds[i].code;
    }
    state->iterator_type = (PyObject *)module_type(module, &arrayiterator_spec, false);
    state->array_type = (PyObject *)module_type(module, &array_spec, true);
    return state->iterator_type == NULL || state->array_type == NULL
                   || PyModule_AddObjectRef(module, "ArrayType", state->array_type) < 0
                   || register_as_sequence(state->array_type) < 0
                   || PyModule_AddStringConstant(module, "typecodes", codes) < 0
               ? -1
               : 0;
}

STATE_OBJECTS(arrays)

static PyModuleDef_Slot arrays_slots[] = MODULE_SLOTS(arrays_exec);

static PyModuleDef arrays_module = {
    PyModuleDef_HEAD_INIT,       .m_name = "array",       .m_doc = arrays_doc,
    .m_methods = arrays_methods, .m_slots = arrays_slots, STATE_FIELDS(arrays),
};

MODULE_INIT(array, arrays_module)
