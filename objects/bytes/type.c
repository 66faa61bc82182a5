/* The types bytes and bytes_iterator. */
#include "objects/bytes/internal.h"
#include "objects/bytes/iterator.h"
#include "objects/bytes/object.h"

#include "objects/bytes/fill.h"

#include "bytes.bind.h"

/* ---- Methods of bytes alone ---------------------------------------------------------------------- */

PyObject *bytesm_new(PyTypeObject *type, PyObject *source, const char *encoding, const char *errors)
{
    return bytes_construct(type, source, encoding, errors);
}

PyObject *bytesm_bytes(PyObject *self)
{
    return blob_same(self);
}

PyObject *bytesm_getnewargs(PyObject *self)
{
    return Py_BuildValue("(y#)", bytes_data(self), bytes_len(self));
}

/* Instances of subclasses are made by calling the class. */
static PyObject *of_class(PyTypeObject *type, PyTypeObject *base, PyObject *made)
{
    if (made != NULL && type != base) {
        Py_SETREF(made, PyObject_CallOneArg((PyObject *)type, made));
    }
    return made;
}

PyObject *bytesm_fromhex(PyTypeObject *type, PyObject *string)
{
    return of_class(type, &PyBytes_Type, bytes_parse_hex(string, false));
}

PyObject *bytesm_maketrans(PyObject *Py_UNUSED(type), Py_buffer *frm, Py_buffer *to)
{
    return blob_maketrans(frm, to);
}

/* ---- Slots ------------------------------------------------------------------------------------------ */

static PyObject *modulo_slot(PyObject *format, PyObject *args)
{
    if (!PyBytes_Check(format)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return blob_modulo(format, args);
}

static PyObject *iter_slot(PyObject *self)
{
    return bytes_iterator_new(&PyBytesIter_Type, self);
}

static PyNumberMethods number_slots = {.nb_remainder = modulo_slot};

static PySequenceMethods sequence_slots = {
    .sq_length = bytes_length,
    .sq_concat = blob_concat,
    .sq_repeat = blob_repeat,
    .sq_item = bytes_item,
    .sq_contains = blob_contains,
};

static PyMappingMethods mapping_slots = {
    .mp_length = bytes_length,
    .mp_subscript = bytes_subscript,
};

static PyBufferProcs buffer_slots = {.bf_getbuffer = bytes_getbuffer};

PyTypeObject PyBytes_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "bytes",
    .tp_basicsize = offsetof(PyBytesObject, ob_sval) + 1,
    .tp_itemsize = 1,
    .tp_dealloc = bytes_dealloc,
    .tp_repr = bytes_repr,
    .tp_as_number = &number_slots,
    .tp_as_sequence = &sequence_slots,
    .tp_as_mapping = &mapping_slots,
    .tp_hash = bytes_hash,
    .tp_str = bytes_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_as_buffer = &buffer_slots,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_BYTES_SUBCLASS
                | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = bytesm_doc,
    .tp_richcompare = bytes_richcompare,
    .tp_iter = iter_slot,
    .tp_methods = bytesm_methods,
    .tp_new = bind_bytesm_new,
    .tp_vectorcall = bind_bytesm_new_vectorcall,
    .tp_free = PyObject_Free,
};

PyTypeObject *const bytes_types[] = {
    &PyBytes_Type, &PyBytesIter_Type, &PyByteArray_Type, &PyByteArrayIter_Type, NULL,
};

int bytes_init(struct interp_state *interp)
{
    (void)interp;
    return 0;
}

void bytes_fini(struct interp_state *interp)
{
    (void)interp;
}
