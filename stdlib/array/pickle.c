/* Pickling of arrays: items in a form that says how they lie in memory. */
#include "array.h"

static const struct machine_format {
    char size;
    bool big;
    enum item_kind what;
} machine_formats[] = {
    {1, false, IS_UNSIGNED}, {1, false, IS_SIGNED}, {2, false, IS_UNSIGNED}, {2, true, IS_UNSIGNED},
    {2, false, IS_SIGNED},   {2, true, IS_SIGNED},  {4, false, IS_UNSIGNED}, {4, true, IS_UNSIGNED},
    {4, false, IS_SIGNED},   {4, true, IS_SIGNED},  {8, false, IS_UNSIGNED}, {8, true, IS_UNSIGNED},
    {8, false, IS_SIGNED},   {8, true, IS_SIGNED},  {4, false, IS_FLOAT},    {4, true, IS_FLOAT},
    {8, false, IS_FLOAT},    {8, true, IS_FLOAT},   {2, false, IS_TEXT},     {2, true, IS_TEXT},
    {4, false, IS_TEXT},     {4, true, IS_TEXT},
};

/* The number of the format that this machine has for a kind. */
static int machine_format_of(const struct kind *kind)
{
    for (int i = 0; i < (int)Py_ARRAY_LENGTH(machine_formats); i++) {
        const struct machine_format *format = &machine_formats[i];
        if (format->size == kind->size && format->what == kind->what
            && (format->size == 1 || format->big == (PY_BIG_ENDIAN != 0))) {
            return i;
        }
    }
    return -1;
}

PyObject *array_reduce_ex(struct array *self, PyTypeObject *cls, PyObject *protocol)
{
    if (!PyLong_Check(protocol)) {
        PyErr_SetString(PyExc_TypeError, "__reduce_ex__ argument should be an integer");
        return NULL;
    }
    long version = PyLong_AsLong(protocol);
    if (version == -1 && PyErr_Occurred()) {
        return NULL;
    }
    PyObject *dict;
    if (PyObject_GetOptionalAttrString((PyObject *)self, "__dict__", &dict) < 0) {
        return NULL;
    }
    dict = dict ? dict : Py_NewRef(Py_None);
    int format = machine_format_of(self->kind);
    if (format < 0 || version < 3) {
        PyObject *list = LOCKED(self, array_tolist(self));
        return list ? Py_BuildValue("O(CN)N", Py_TYPE(self), self->kind->code, list, dict)
                    : (Py_DECREF(dict), NULL);
    }
    PyObject *module = PyType_GetModule(cls);
    PyObject *function = module ? PyObject_GetAttrString(module, "_array_reconstructor") : NULL;
    PyObject *bytes = function ? LOCKED(self, array_tobytes(self)) : NULL;
    if (bytes == NULL) {
        Py_XDECREF(function);
        Py_DECREF(dict);
        return NULL;
    }
    return Py_BuildValue("N(OCiN)N", function, Py_TYPE(self), self->kind->code, format, bytes,
                         dict);
}

/* One item in a foreign format. */
static PyObject *foreign_item(const struct machine_format *format, const char *at)
{
    if (format->what == IS_FLOAT) {
        double value = format->size == 4 ? PyFloat_Unpack4(at, !format->big)
                                         : PyFloat_Unpack8(at, !format->big);
        return value == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
    }
    int order = format->big ? Py_ASNATIVEBYTES_BIG_ENDIAN : Py_ASNATIVEBYTES_LITTLE_ENDIAN;
    return format->what == IS_SIGNED
               ? PyLong_FromNativeBytes(at, (size_t)format->size, order)
               : PyLong_FromUnsignedNativeBytes(at, (size_t)format->size, order);
}

/* All items in a foreign format: a str or a list. */
static PyObject *foreign_items(const struct machine_format *format, const char *at,
                               Py_ssize_t length)
{
    int order = format->big ? 1 : -1;
    if (format->what == IS_TEXT) {
        return format->size == 2 ? PyUnicode_DecodeUTF16(at, length, "strict", &order)
                                 : PyUnicode_DecodeUTF32(at, length, "strict", &order);
    }
    Py_ssize_t count = length / format->size;
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list != NULL && i < count; i++) {
        PyObject *item = foreign_item(format, at + i * format->size);
        if (item == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, item);
    }
    return list;
}

PyObject *arrays_array_reconstructor(PyObject *module, PyObject *type, Py_UCS4 code, int number,
                                     PyObject *items)
{
    struct arrays_state *state = PyModule_GetState(module);
    PyTypeObject *array_type = (PyTypeObject *)state->array_type;
    if (!PyType_Check(type)) {
        PyErr_Format(PyExc_TypeError, "first argument must be a type object, not %.200s",
                     Py_TYPE(type)->tp_name);
        return NULL;
    }
    if (!PyType_IsSubtype((PyTypeObject *)type, array_type)) {
        PyErr_Format(PyExc_TypeError, "%.200s is not a subtype of %.200s",
                     ((PyTypeObject *)type)->tp_name, array_type->tp_name);
        return NULL;
    }
    const struct kind *kind = kind_of(code);
    if (kind == NULL) {
        PyErr_SetString(PyExc_ValueError, "second argument must be a valid type code");
        return NULL;
    }
    if (number < 0 || number >= (int)Py_ARRAY_LENGTH(machine_formats)) {
        PyErr_SetString(PyExc_ValueError, "third argument must be a valid machine format code.");
        return NULL;
    }
    if (!PyBytes_Check(items)) {
        PyErr_Format(PyExc_TypeError, "fourth argument should be bytes, not %.200s",
                     Py_TYPE(items)->tp_name);
        return NULL;
    }
    const struct machine_format *format = &machine_formats[number];
    PyObject *values;
    if (number == machine_format_of(kind)) {
        values = Py_NewRef(items);
    } else {
        if (PyBytes_GET_SIZE(items) % format->size != 0) {
            PyErr_SetString(PyExc_ValueError, "bytes length not a multiple of item size");
            return NULL;
        }
        values = foreign_items(format, PyBytes_AS_STRING(items), PyBytes_GET_SIZE(items));
        bool is_integral = format->what == IS_SIGNED || format->what == IS_UNSIGNED;
        /* The code may have had another size where it came from: take one of that size. */
        for (size_t i = 0; i < ARRAY_KINDS && is_integral; i++) {
            if (array_kinds[i].what == format->what && array_kinds[i].size == format->size) {
                code = (Py_UCS4)array_kinds[i].code;
            }
        }
    }
    return values ? PyObject_CallFunction(type, "CN", (int)code, values) : NULL;
}
