/* An extension module that shows the C API to Python: what the public functions make of arguments,
 * formats and objects. It uses the public headers only, so any interpreter of this version that has
 * the API can load it; the tests hold for each of them. */
#include "Python.h"

#include <string.h>

/* ---- arguments ------------------------------------------------------------------------------- */

enum { SLOTS = 12 };

/* Where PyArg_Parse* stores the results of one run, and how to read them. */
struct results {
    void *targets[2 * SLOTS]; /* what the function gets, in order */
    int target_count;
    char storage[SLOTS][sizeof(Py_buffer)];
    char kinds[SLOTS]; /* the unit: see read_result() */
    int count;
};

/* A converter for O&: takes ints but 13, and leaves -1 behind when told to clean up. */
static int convert_long(PyObject *arg, void *target)
{
    if (!arg) {
        *(long *)target = -1;
        return 0;
    }
    long value = PyLong_AsLong(arg);
    if (value == 13 || (value == -1 && PyErr_Occurred())) {
        return 0;
    }
    *(long *)target = value;
    return Py_CLEANUP_SUPPORTED;
}

static void add_target(struct results *r, char kind)
{
    r->kinds[r->count] = kind;
    r->targets[r->target_count++] = r->storage[r->count++];
}

/* Provides a target for each unit of a format. */
static void prepare(struct results *r, const char *format)
{
    memset(r, 0, sizeof *r);
    for (const char *f = format; *f && *f != ':' && *f != ';' && r->count < SLOTS - 1; f++) {
        if (strchr("()|$", *f)) {
            continue;
        }
        char next = f[1];
        if (*f == 'O' && next == '!') {
            r->targets[r->target_count++] = &PyLong_Type;
            add_target(r, 'O');
            f++;
        } else if (*f == 'O' && next == '&') {
            r->targets[r->target_count++] = (void *)convert_long;
            add_target(r, 'l');
            f++;
        } else if (*f == 'e') {
            r->targets[r->target_count++] = "latin-1";
            add_target(r, 'e');
            f++;
        } else if (next == '*') {
            add_target(r, '*');
            f++;
        } else if (next == '#') {
            add_target(r, 's');
            add_target(r, 'n');
            f++;
        } else {
            add_target(r, strchr("zy", *f) ? 's' : strchr("SYU", *f) ? 'O' : *f);
        }
    }
}

/* The object for a stored result (new reference); gives up what the result held. */
static PyObject *read_result(struct results *r, int i)
{
    void *p = r->storage[i];
    switch (r->kinds[i]) {
    case 'b':
    case 'B':
        return PyLong_FromLong(*(unsigned char *)p);
    case 'h':
        return PyLong_FromLong(*(short *)p);
    case 'H':
        return PyLong_FromLong(*(unsigned short *)p);
    case 'i':
    case 'p':
    case 'C':
        return PyLong_FromLong(*(int *)p);
    case 'I':
        return PyLong_FromUnsignedLong(*(unsigned int *)p);
    case 'l':
        return PyLong_FromLong(*(long *)p);
    case 'k':
        return PyLong_FromUnsignedLong(*(unsigned long *)p);
    case 'L':
        return PyLong_FromLongLong(*(long long *)p);
    case 'K':
        return PyLong_FromUnsignedLongLong(*(unsigned long long *)p);
    case 'n':
        return PyLong_FromSsize_t(*(Py_ssize_t *)p);
    case 'f':
        return PyFloat_FromDouble(*(float *)p);
    case 'd':
        return PyFloat_FromDouble(*(double *)p);
    case 'D':
        return PyComplex_FromCComplex(*(Py_complex *)p);
    case 'c':
        return PyBytes_FromStringAndSize(p, 1);
    case 's':
        return Py_BuildValue("y", *(const char **)p);
    case 'O':
        return Py_NewRef(*(PyObject **)p ? *(PyObject **)p : Py_None);
    case 'e': {
        PyObject *bytes = Py_BuildValue("y", *(char **)p);
        PyMem_Free(*(char **)p);
        return bytes;
    }
    case '*': {
        Py_buffer *view = p;
        PyObject *bytes = Py_BuildValue("y#", view->buf, view->len);
        PyBuffer_Release(view);
        return bytes;
    }
    default:
        return PyErr_Format(PyExc_SystemError, "the probe does not know unit '%c'", r->kinds[i]);
    }
}

static PyObject *read_results(struct results *r, int ok)
{
    if (!ok) {
        return NULL;
    }
    PyObject *list = PyList_New(0);
    for (int i = 0; list && i < r->count; i++) {
        PyObject *item = read_result(r, i);
        if (!item || PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    return list;
}

#define TARGETS(r)                                                                                 \
    (r).targets[0], (r).targets[1], (r).targets[2], (r).targets[3], (r).targets[4],                \
        (r).targets[5], (r).targets[6], (r).targets[7], (r).targets[8], (r).targets[9]

/* parse_tuple(format, args): the results as a list. */
static PyObject *parse_tuple(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    struct results r;
    const char *format = nargs == 2 ? PyUnicode_AsUTF8(args[0]) : NULL;
    if (!format) {
        return NULL;
    }
    prepare(&r, format);
    return read_results(&r, PyArg_ParseTuple(args[1], format, TARGETS(r)));
}

/* parse_object(format, arg) */
static PyObject *parse_object(PyObject *Py_UNUSED(module), PyObject *const *args,
                              Py_ssize_t Py_UNUSED(nargs))
{
    struct results r;
    const char *format = PyUnicode_AsUTF8(args[0]);
    if (!format) {
        return NULL;
    }
    prepare(&r, format);
    return read_results(&r, PyArg_Parse(args[1], format, TARGETS(r)));
}

/* parse_keywords(format, names, args, kwargs) */
static PyObject *parse_keywords(PyObject *Py_UNUSED(module), PyObject *const *args,
                                Py_ssize_t Py_UNUSED(nargs))
{
    struct results r;
    char *names[SLOTS + 1] = {NULL};
    const char *format = PyUnicode_AsUTF8(args[0]);
    if (!format) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args[1]) && i < SLOTS; i++) {
        names[i] = (char *)PyUnicode_AsUTF8(PyTuple_GET_ITEM(args[1], i));
    }
    prepare(&r, format);
    return read_results(&r,
                        PyArg_ParseTupleAndKeywords(args[2], args[3], format, names, TARGETS(r)));
}

/* unpack_tuple(args, low, high): up to three items. */
static PyObject *unpack_tuple(PyObject *Py_UNUSED(module), PyObject *const *args,
                              Py_ssize_t Py_UNUSED(nargs))
{
    PyObject *a = Py_None, *b = Py_None, *c = Py_None;
    if (!PyArg_UnpackTuple(args[0], "probe", PyLong_AsSsize_t(args[1]), PyLong_AsSsize_t(args[2]),
                           &a, &b, &c)) {
        return NULL;
    }
    return PyTuple_Pack(3, a, b, c);
}

/* ---- values from formats --------------------------------------------------------------------- */

static PyObject *from_pointer(void *pointer)
{
    return PyUnicode_FromString(pointer);
}

/* build(kind, format): Py_BuildValue with the fixed values of a kind. */
static PyObject *build(PyObject *Py_UNUSED(module), PyObject *const *args,
                       Py_ssize_t Py_UNUSED(nargs))
{
    const char *kind = PyUnicode_AsUTF8(args[0]), *format = PyUnicode_AsUTF8(args[1]);
    Py_complex complex = {1.0, -2.0};
    if (strcmp(kind, "ints") == 0) {
        return Py_BuildValue(format, 1, 2, 3, 4, 5, 6, 7, 8);
    }
    if (strcmp(kind, "negative") == 0) {
        return Py_BuildValue(format, -1, -1, -1, -1);
    }
    if (strcmp(kind, "texts") == 0) {
        return Py_BuildValue(format, "ab", "cd", "ef", "gh");
    }
    if (strcmp(kind, "sized") == 0) {
        return Py_BuildValue(format, "abcdef", (Py_ssize_t)2, NULL, (Py_ssize_t)1);
    }
    if (strcmp(kind, "floats") == 0) {
        return Py_BuildValue(format, 1.5, 2.5, &complex);
    }
    if (strcmp(kind, "wide") == 0) {
        return Py_BuildValue(format, L"\x00e9t\x00e9", L"ab", (Py_ssize_t)1);
    }
    if (strcmp(kind, "convert") == 0) {
        return Py_BuildValue(format, from_pointer, "made", -5LL, -6L, (Py_ssize_t)-7);
    }
    if (strcmp(kind, "new") == 0) {
        return Py_BuildValue(format, PyList_New(0), NULL, PyList_New(0));
    }
    return Py_BuildValue(format, Py_None, Py_True, Py_False);
}

/* ---- buffers --------------------------------------------------------------------------------- */

/* contiguity(object, flags): which orders a view is contiguous in, as letters. */
static PyObject *contiguity(PyObject *Py_UNUSED(module), PyObject *const *args,
                            Py_ssize_t Py_UNUSED(nargs))
{
    Py_buffer view;
    char letters[4] = "";
    if (PyObject_GetBuffer(args[0], &view, (int)PyLong_AsLong(args[1])) < 0) {
        return NULL;
    }
    for (const char *order = "CFA"; *order; order++) {
        if (PyBuffer_IsContiguous(&view, *order)) {
            letters[strlen(letters)] = *order;
        }
    }
    PyBuffer_Release(&view);
    return PyUnicode_FromString(letters);
}

/* pack(object, order): its items in the order, as bytes. */
static PyObject *pack(PyObject *Py_UNUSED(module), PyObject *const *args,
                      Py_ssize_t Py_UNUSED(nargs))
{
    Py_buffer view;
    if (PyObject_GetBuffer(args[0], &view, PyBUF_FULL_RO) < 0) {
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, view.len);
    if (bytes
        && PyBuffer_ToContiguous(PyBytes_AS_STRING(bytes), &view, view.len,
                                 *PyUnicode_AsUTF8(args[1]))
               < 0) {
        Py_CLEAR(bytes);
    }
    PyBuffer_Release(&view);
    return bytes;
}

static PyObject *copy_data(PyObject *Py_UNUSED(module), PyObject *const *args,
                           Py_ssize_t Py_UNUSED(nargs))
{
    return PyObject_CopyData(args[0], args[1]) < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- capsules and struct sequences ----------------------------------------------------------- */

static int destroyed;

static void count_destroyed(PyObject *Py_UNUSED(capsule))
{
    destroyed++;
}

static PyObject *capsule(PyObject *Py_UNUSED(module), PyObject *name)
{
    return PyCapsule_New(&destroyed, name == Py_None ? NULL : "probe.name", count_destroyed);
}

/* capsule_value(capsule, name): the counter of destroyed capsules, read through the pointer. */
static PyObject *capsule_value(PyObject *Py_UNUSED(module), PyObject *const *args,
                               Py_ssize_t Py_UNUSED(nargs))
{
    int *pointer = PyCapsule_GetPointer(args[0], PyUnicode_AsUTF8(args[1]));
    return pointer ? PyLong_FromLong(*pointer) : NULL;
}

static PyObject *capsule_import(PyObject *Py_UNUSED(module), PyObject *name)
{
    return PyCapsule_Import(PyUnicode_AsUTF8(name), 0) ? Py_NewRef(Py_True) : NULL;
}

/* A type with two items that the tuple shows, and two that only attributes do. */
static PyObject *sequence_type(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused))
{
    static PyStructSequence_Field fields[] = {
        {"first", "the first"}, {"second", NULL}, {"third", "hidden"},
        {"fourth", NULL},       {NULL, NULL},
    };
    static PyStructSequence_Desc desc = {"probe.pair", "Two and two.", fields, 2};
    return (PyObject *)PyStructSequence_NewType(&desc);
}

/* ---- abstract operations --------------------------------------------------------------------- */

/* call_format(callable, format): with the ints 1, 2, 3. */
static PyObject *call_format(PyObject *Py_UNUSED(module), PyObject *const *args,
                             Py_ssize_t Py_UNUSED(nargs))
{
    return PyObject_CallFunction(args[0], PyUnicode_AsUTF8(args[1]), 1, 2, 3);
}

/* vectorcall(callable, args, names): the last arguments are those of the names. */
static PyObject *vectorcall(PyObject *Py_UNUSED(module), PyObject *const *args,
                            Py_ssize_t Py_UNUSED(nargs))
{
    Py_ssize_t count = PyTuple_GET_SIZE(args[1]) - PyTuple_GET_SIZE(args[2]);
    return PyObject_Vectorcall(args[0], &PyTuple_GET_ITEM(args[1], 0), (size_t)count, args[2]);
}

/* vectorcall_dict(callable, args, kwargs) */
static PyObject *vectorcall_dict(PyObject *Py_UNUSED(module), PyObject *const *args,
                                 Py_ssize_t Py_UNUSED(nargs))
{
    return PyObject_VectorcallDict(args[0], &PyTuple_GET_ITEM(args[1], 0),
                                   (size_t)PyTuple_GET_SIZE(args[1]), args[2]);
}

#define BINARY(name, function)                                                                     \
    static PyObject *name(PyObject *Py_UNUSED(module), PyObject *const *args,                      \
                          Py_ssize_t Py_UNUSED(nargs))                                             \
    {                                                                                              \
        return function(args[0], args[1]);                                                         \
    }
#define UNARY(name, function)                                                                      \
    static PyObject *name(PyObject *Py_UNUSED(module), PyObject *arg)                              \
    {                                                                                              \
        return function(arg);                                                                      \
    }

BINARY(number_add, PyNumber_Add)
BINARY(number_multiply, PyNumber_Multiply)
BINARY(number_rshift, PyNumber_Rshift)
BINARY(number_inplace_add, PyNumber_InPlaceAdd)
BINARY(sequence_concat, PySequence_Concat)
BINARY(object_get_item, PyObject_GetItem)
BINARY(object_format, PyObject_Format)
UNARY(number_index, PyNumber_Index)
UNARY(number_float, PyNumber_Float)
UNARY(number_negative, PyNumber_Negative)
UNARY(sequence_list, PySequence_List)
UNARY(sequence_tuple, PySequence_Tuple)
UNARY(mapping_items, PyMapping_Items)
UNARY(get_iter, PyObject_GetIter)

static PyObject *number_power(PyObject *Py_UNUSED(module), PyObject *const *args,
                              Py_ssize_t Py_UNUSED(nargs))
{
    return PyNumber_Power(args[0], args[1], args[2]);
}

static PyObject *length_hint(PyObject *Py_UNUSED(module), PyObject *arg)
{
    Py_ssize_t hint = PyObject_LengthHint(arg, 99);
    return hint < 0 ? NULL : PyLong_FromSsize_t(hint);
}

/* send(iterator, value): the outcome and what came of it. */
static PyObject *send(PyObject *Py_UNUSED(module), PyObject *const *args,
                      Py_ssize_t Py_UNUSED(nargs))
{
    PyObject *result;
    PySendResult outcome = PyIter_Send(args[0], args[1], &result);
    const char *name = outcome == PYGEN_NEXT ? "next" : "return";
    return outcome == PYGEN_ERROR ? NULL : Py_BuildValue("sN", name, result);
}

#define FAST(name)                                                                                 \
    {                                                                                              \
#name, _PyCFunction_CAST(name), METH_FASTCALL, NULL                                        \
    }
#define ONE(name)                                                                                  \
    {                                                                                              \
#name, name, METH_O, NULL                                                                  \
    }

/* clang-format off */
static PyMethodDef methods[] = {
    FAST(parse_tuple), FAST(parse_object), FAST(parse_keywords), FAST(unpack_tuple), FAST(build),
    FAST(contiguity), FAST(pack), FAST(copy_data), ONE(capsule), FAST(capsule_value),
    ONE(capsule_import), {"sequence_type", sequence_type, METH_NOARGS, NULL}, FAST(call_format),
    FAST(vectorcall), FAST(vectorcall_dict), FAST(number_add), FAST(number_multiply),
    FAST(number_rshift), FAST(number_inplace_add), FAST(number_power), FAST(sequence_concat),
    FAST(object_get_item), FAST(object_format), ONE(number_index), ONE(number_float),
    ONE(number_negative), ONE(sequence_list), ONE(sequence_tuple), ONE(mapping_items),
    ONE(get_iter), ONE(length_hint), FAST(send), {NULL, NULL, 0, NULL},
};
/* clang-format on */

static PyModuleDef_Slot slots[] = {
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "capi_probe",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_capi_probe(void)
{
    return PyModuleDef_Init(&definition);
}
