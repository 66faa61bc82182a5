/* Indexing, slicing and iterating over strings; the % operator; start and end. */
#include "objects/ids.h"
#include "objects/str/object.h"

PyObject *str_item(PyObject *s, Py_ssize_t index)
{
    if (index < 0 || index >= str_len(s)) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return NULL;
    }
    return str_char_at(s, index);
}

static PyObject *slice_with_step(PyObject *s, Py_ssize_t start, Py_ssize_t step, Py_ssize_t count)
{
    int kind = str_kind(s);
    const void *data = str_data(s);
    PyObject *result = str_new(count, str_maxchar(s));
    if (result == NULL) {
        return NULL;
    }
    void *out = str_data(result);
    for (Py_ssize_t i = 0; i < count; i++) {
        str_data_write(kind, out, i, str_data_read(kind, data, start + i * step));
    }
    return str_narrow(result);
}

PyObject *str_subscript(PyObject *s, PyObject *index)
{
    if (PyIndex_Check(index)) {
        Py_ssize_t i = PyNumber_AsSsize_t(index, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return str_item(s, i < 0 ? i + str_len(s) : i);
    }
    if (!PySlice_Check(index)) {
        PyErr_Format(PyExc_TypeError, "string indices must be integers, not '%.200s'",
                     Py_TYPE(index)->tp_name);
        return NULL;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(index, &start, &stop, &step) < 0) {
        return NULL;
    }
    Py_ssize_t count = PySlice_AdjustIndices(str_len(s), &start, &stop, step);
    if (count <= 0) {
        return str_empty();
    }
    if (step == 1) {
        return str_substring(s, start, start + count);
    }
    return count == 1 ? str_char_at(s, start) : slice_with_step(s, start, step, count);
}

PyObject *str_modulo(PyObject *format, PyObject *args)
{
    if (!PyUnicode_Check(format)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return PyUnicode_Format(format, args);
}

/* ---- The iterator ---------------------------------------------------------------------------------- */

PyObject *str_iter(PyObject *s)
{
    struct str_iterator *self = PyObject_GC_New(struct str_iterator, &PyUnicodeIter_Type);
    if (self == NULL) {
        return NULL;
    }
    self->index = 0;
    self->text = Py_NewRef(s);
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

void str_iterator_dealloc(PyObject *object)
{
    struct str_iterator *self = (struct str_iterator *)object;
    PyObject_GC_UnTrack(self);
    Py_XDECREF(self->text);
    PyObject_GC_Del(self);
}

int str_iterator_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((struct str_iterator *)self)->text);
    return 0;
}

/* Threads that share an iterator may get the same character twice, never a wrong one: the text stays
 * until the iterator dies. */
PyObject *str_iterator_next(PyObject *object)
{
    struct str_iterator *self = (struct str_iterator *)object;
    Py_ssize_t i = __atomic_load_n(&self->index, __ATOMIC_RELAXED);
    if (i < 0 || i >= str_len(self->text)) {
        __atomic_store_n(&self->index, PY_SSIZE_T_MAX, __ATOMIC_RELAXED);
        return NULL;
    }
    __atomic_store_n(&self->index, i + 1, __ATOMIC_RELAXED);
    return str_char_at(self->text, i);
}

PyObject *str_iterator_length_hint(PyObject *object, PyObject *Py_UNUSED(unused))
{
    struct str_iterator *self = (struct str_iterator *)object;
    Py_ssize_t i = __atomic_load_n(&self->index, __ATOMIC_RELAXED);
    return PyLong_FromSsize_t(Py_MAX(str_len(self->text) - i, 0));
}

PyObject *str_iterator_reduce(PyObject *object, PyObject *Py_UNUSED(unused))
{
    struct str_iterator *self = (struct str_iterator *)object;
    PyObject *builtins = PyEval_GetBuiltins();
    /* Looking the name up may run the iterator: it comes first. */
    PyObject *iter = PyMapping_GetItemString(builtins, "iter");
    if (iter == NULL) {
        return NULL;
    }
    Py_ssize_t i = __atomic_load_n(&self->index, __ATOMIC_RELAXED);
    return i == PY_SSIZE_T_MAX ? Py_BuildValue("N(O)", iter, str_empty())
                               : Py_BuildValue("N(O)n", iter, self->text, i);
}

PyObject *str_iterator_setstate(PyObject *object, PyObject *state)
{
    struct str_iterator *self = (struct str_iterator *)object;
    Py_ssize_t i = PyLong_AsSsize_t(state);
    if (i == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (__atomic_load_n(&self->index, __ATOMIC_RELAXED) != PY_SSIZE_T_MAX) {
        i = Py_MIN(Py_MAX(i, 0), str_len(self->text));
        __atomic_store_n(&self->index, i, __ATOMIC_RELAXED);
    }
    return Py_None;
}

/* ---- Start and end ---------------------------------------------------------------------------------- */

int str_init(struct interp_state *interp)
{
    (void)interp;
    if (str_intern_static(str_empty()) < 0) {
        return -1;
    }
    for (Py_UCS4 ch = 0; ch < 256; ch++) {
        if (str_intern_static(str_latin1_char(ch)) < 0) {
            return -1;
        }
    }
    for (PyObject *const *id = krait_id_list; *id != NULL; id++) {
        if (str_intern_static(*id) < 0) {
            return -1;
        }
    }
    return 0;
}

void str_fini(struct interp_state *interp)
{
    (void)interp;
}
