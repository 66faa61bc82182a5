/* The type bytearray. */
#include "objects/bytes/bytearray.h"
#include "objects/bytes/fill.h"
#include "objects/bytes/internal.h"
#include "objects/bytes/iterator.h"

#include "bytearray.bind.h"

/* ---- Methods ------------------------------------------------------------------------------------------ */

int arraym_init(PyObject *self, PyObject *source, const char *encoding, const char *errors)
{
    return bytearray_fill_from(self, source, encoding, errors);
}

Py_ssize_t arraym_alloc(PyObject *self)
{
    return ((PyByteArrayObject *)self)->ob_alloc;
}

PyObject *arraym_reduce(PyObject *self)
{
    return bytearray_reduce_with(self, 2);
}

PyObject *arraym_reduce_ex(PyObject *self, int proto)
{
    return bytearray_reduce_with(self, proto);
}

Py_ssize_t arraym_sizeof(PyObject *self)
{
    return Py_TYPE(self)->tp_basicsize + ((PyByteArrayObject *)self)->ob_alloc;
}

int arraym_append(PyObject *self, PyObject *item)
{
    return bytearray_append_item(self, item);
}

int arraym_extend(PyObject *self, PyObject *iterable_of_ints)
{
    return bytearray_extend_by(self, iterable_of_ints);
}

int arraym_insert(PyObject *self, Py_ssize_t index, PyObject *item)
{
    return bytearray_insert_item(self, index, item);
}

PyObject *arraym_pop(PyObject *self, Py_ssize_t index)
{
    return bytearray_pop_at(self, index);
}

int arraym_remove(PyObject *self, PyObject *value)
{
    return bytearray_remove_item(self, value);
}

int arraym_reverse(PyObject *self)
{
    bytearray_reverse_all(self);
    return 0;
}

int arraym_clear(PyObject *self)
{
    return PyByteArray_Resize(self, 0);
}

PyObject *arraym_copy(PyObject *self)
{
    return blob_same(self);
}

PyObject *arraym_fromhex(PyTypeObject *type, PyObject *string)
{
    PyObject *made = bytes_parse_hex(string, true);
    if (made != NULL && type != &PyByteArray_Type) {
        Py_SETREF(made, PyObject_CallOneArg((PyObject *)type, made));
    }
    return made;
}

PyObject *arraym_maketrans(PyObject *Py_UNUSED(type), Py_buffer *frm, Py_buffer *to)
{
    return blob_maketrans(frm, to);
}

/* ---- Slots: like the methods, they hold the critical section ---------------------------------------------- */

#define LOCKED(result, expression)                                                                 \
    do {                                                                                           \
        Py_BEGIN_CRITICAL_SECTION(self);                                                           \
        (result) = (expression);                                                                   \
        Py_END_CRITICAL_SECTION();                                                                 \
    } while (0)

static PyObject *repeat_slot(PyObject *self, Py_ssize_t count)
{
    PyObject *result;
    LOCKED(result, blob_repeat(self, count));
    return result;
}

static PyObject *inplace_concat_slot(PyObject *self, PyObject *other)
{
    int result;
    LOCKED(result, bytearray_add_buffer(self, other));
    return result < 0 ? NULL : Py_NewRef(self);
}

static PyObject *inplace_repeat_slot(PyObject *self, Py_ssize_t count)
{
    int result;
    LOCKED(result, bytearray_imultiply(self, count));
    return result < 0 ? NULL : Py_NewRef(self);
}

static int contains_slot(PyObject *self, PyObject *item)
{
    int result;
    LOCKED(result, blob_contains(self, item));
    return result;
}

static PyObject *modulo_slot(PyObject *self, PyObject *args)
{
    if (!PyByteArray_Check(self)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    /* Values run Python code: format from a copy. */
    PyObject *copy = PyBytes_FromObject(self);
    if (copy == NULL) {
        return NULL;
    }
    PyObject *result = bytes_format_percent(bytes_data(copy), bytes_len(copy), args, true);
    Py_DECREF(copy);
    return result;
}

static PyObject *iter_slot(PyObject *self)
{
    return bytes_iterator_new(&PyByteArrayIter_Type, self);
}

static PyNumberMethods number_slots = {.nb_remainder = modulo_slot};

static PySequenceMethods sequence_slots = {
    .sq_length = bytearray_length,
    .sq_concat = PyByteArray_Concat,
    .sq_repeat = repeat_slot,
    .sq_item = bytearray_item,
    .sq_ass_item = bytearray_set_item,
    .sq_contains = contains_slot,
    .sq_inplace_concat = inplace_concat_slot,
    .sq_inplace_repeat = inplace_repeat_slot,
};

static PyMappingMethods mapping_slots = {
    .mp_length = bytearray_length,
    .mp_subscript = bytearray_subscript,
    .mp_ass_subscript = bytearray_assign_subscript,
};

static PyBufferProcs buffer_slots = {
    .bf_getbuffer = bytearray_getbuffer,
    .bf_releasebuffer = bytearray_releasebuffer,
};

PyTypeObject PyByteArray_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "bytearray",
    .tp_basicsize = sizeof(PyByteArrayObject),
    .tp_dealloc = bytearray_dealloc,
    .tp_repr = bytearray_repr,
    .tp_as_number = &number_slots,
    .tp_as_sequence = &sequence_slots,
    .tp_as_mapping = &mapping_slots,
    .tp_str = bytearray_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_as_buffer = &buffer_slots,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = arraym_doc,
    .tp_richcompare = bytearray_richcompare,
    .tp_iter = iter_slot,
    .tp_methods = arraym_methods,
    .tp_init = bind_arraym_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_Free,
};
