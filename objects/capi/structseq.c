/* Struct sequences: tuples whose items have names, such as the result of os.stat().
 *
 * The tuple shows the first n_sequence_fields items; those behind them, up to n_fields, are
 * attributes only. They lie behind the tuple's end, and the type's basic size allows for them. The
 * type's dict holds the counts. */
#include "objects/capi/capi.h"
#include "objects/capi/getargs.h"

#include <stddef.h>
#include <string.h>

const char *const PyStructSequence_UnnamedField = "unnamed field";

static bool is_unnamed(const PyStructSequence_Field *field)
{
    return field->name == PyStructSequence_UnnamedField;
}

/* ---- counts ---------------------------------------------------------------------------------- */

/* A count from the type's dict; -1 with an exception if somebody took it away. */
static Py_ssize_t type_count(PyTypeObject *type, PyObject *name)
{
    PyObject *value = _PyType_Lookup(type, name);
    if (value && PyLong_CheckExact(value)) {
        return PyLong_AsSsize_t(value);
    }
    PyErr_Format(PyExc_TypeError, "Missed attribute '%U' of type %s", name, type->tp_name);
    return -1;
}

enum { PLAIN_SIZE = offsetof(PyTupleObject, ob_item) };

static Py_ssize_t count_hidden(PyTypeObject *type)
{
    return (type->tp_basicsize - PLAIN_SIZE) / (Py_ssize_t)sizeof(PyObject *);
}

/* All items of an object. */
static Py_ssize_t count_items(PyObject *op)
{
    return Py_SIZE(op) + count_hidden(Py_TYPE(op));
}

static PyObject **items_of(PyObject *op)
{
    return ((PyTupleObject *)op)->ob_item;
}

/* Name of the item with an index, from the member that shows it; NULL if it has none. Members are
 * in the order of items. */
static const char *item_name(PyTypeObject *type, Py_ssize_t index)
{
    Py_ssize_t offset =
        (Py_ssize_t)offsetof(PyTupleObject, ob_item) + index * (Py_ssize_t)sizeof(PyObject *);
    for (PyMemberDef *member = type->tp_members; member && member->name; member++) {
        if (member->offset == offset) {
            return member->name;
        }
    }
    return NULL;
}

/* ---- making and freeing ---------------------------------------------------------------------- */

/* All items are NULL; the caller sets them. */
PyObject *PyStructSequence_New(PyTypeObject *type)
{
    Py_ssize_t visible = type_count(type, ID(n_sequence_fields));
    if (visible < 0) {
        return NULL;
    }
    PyObject *op = (PyObject *)PyObject_GC_NewVar(PyStructSequence, type, visible);
    if (op) {
        memset(items_of(op), 0, (size_t)count_items(op) * sizeof(PyObject *));
    }
    return op;
}

void PyStructSequence_SetItem(PyObject *op, Py_ssize_t index, PyObject *value)
{
    items_of(op)[index] = value;
}

PyObject *PyStructSequence_GetItem(PyObject *op, Py_ssize_t index)
{
    return items_of(op)[index];
}

static int structseq_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyTypeObject *type = Py_TYPE(op);
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        Py_VISIT(type);
    }
    Py_ssize_t count = count_items(op);
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_VISIT(items_of(op)[i]);
    }
    return 0;
}

static void structseq_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_ssize_t count = count_items(op);
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_XDECREF(items_of(op)[i]);
    }
    PyObject_GC_Del(op);
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        Py_DECREF(type);
    }
}

/* ---- type(iterable, dict={}) ----------------------------------------------------------------- */

static PyObject *raise_length(PyTypeObject *type, const char *how, Py_ssize_t wanted,
                              Py_ssize_t given)
{
    return PyErr_Format(PyExc_TypeError, "%.500s() takes %s %zd-sequence (%zd-sequence given)",
                        type->tp_name, how, wanted, given);
}

/* The items that only attributes show: from the dict, else None. 0, or -1 with an exception. */
static int fill_hidden(PyObject *op, Py_ssize_t from, Py_ssize_t count, PyObject *dict)
{
    Py_ssize_t used = 0;
    for (Py_ssize_t i = from; i < count; i++) {
        PyObject *value = NULL;
        const char *name = item_name(Py_TYPE(op), i);
        if (dict && name) {
            int found = PyDict_GetItemStringRef(dict, name, &value);
            if (found < 0) {
                return -1;
            }
            used += found;
        }
        items_of(op)[i] = value ? value : Py_NewRef(Py_None);
    }
    if (dict && PyDict_GET_SIZE(dict) > used) {
        PyErr_Format(PyExc_TypeError, "%.500s() got duplicate or unexpected field name(s)",
                     Py_TYPE(op)->tp_name);
        return -1;
    }
    return 0;
}

static PyObject *from_sequence(PyTypeObject *type, PyObject *sequence, PyObject *dict)
{
    Py_ssize_t low = type_count(type, ID(n_sequence_fields));
    Py_ssize_t high = low + count_hidden(type);
    Py_ssize_t given = PySequence_Fast_GET_SIZE(sequence);
    if (low < 0) {
        return NULL;
    }
    if (low == high && given != low) {
        return raise_length(type, "a", low, given);
    }
    if (given < low) {
        return raise_length(type, "an at least", low, given);
    }
    if (given > high) {
        return raise_length(type, "an at most", high, given);
    }
    PyObject *op = PyStructSequence_New(type);
    if (!op) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < given; i++) {
        items_of(op)[i] = Py_NewRef(PySequence_Fast_GET_ITEM(sequence, i));
    }
    if (fill_hidden(op, given, high, dict) < 0) {
        Py_DECREF(op);
        return NULL;
    }
    PyObject_GC_Track(op);
    return op;
}

static PyObject *structseq_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *const names[] = {"sequence", "dict", NULL};
    PyObject *iterable, *dict = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:structseq", names, &iterable, &dict)) {
        return NULL;
    }
    PyObject *sequence = PySequence_Fast(iterable, "constructor requires a sequence");
    if (!sequence) {
        return NULL;
    }
    PyObject *op = NULL;
    if (dict && !PyDict_Check(dict)) {
        PyErr_Format(PyExc_TypeError, "%.500s() takes a dict as second arg, if any", type->tp_name);
    } else {
        /* A list could change while the new object is made. */
        PyObject *fixed = PySequence_Tuple(sequence);
        op = fixed ? from_sequence(type, fixed, dict) : NULL;
        Py_XDECREF(fixed);
    }
    Py_DECREF(sequence);
    return op;
}

/* ---- methods --------------------------------------------------------------------------------- */

static int write_text(_PyUnicodeWriter *writer, const char *text)
{
    PyObject *string = PyUnicode_FromString(text);
    int status = string ? _PyUnicodeWriter_WriteStr(writer, string) : -1;
    Py_XDECREF(string);
    return status;
}

/* "name=repr" of the item with an index. 0, or -1 with an exception. Names are taken in the order
 * of the members: an item without a name shows the next one's, as those of os.stat_result do. */
static int write_item(_PyUnicodeWriter *writer, PyObject *op, Py_ssize_t index)
{
    const char *name = Py_TYPE(op)->tp_members[index].name;
    if (!name) {
        PyErr_Format(PyExc_SystemError,
                     "In structseq_repr(), member %zd name is NULL for type %.500s", index,
                     Py_TYPE(op)->tp_name);
        return -1;
    }
    if (write_text(writer, name) < 0 || _PyUnicodeWriter_WriteChar(writer, '=') < 0) {
        return -1;
    }
    PyObject *repr = PyObject_Repr(items_of(op)[index]);
    int status = repr ? _PyUnicodeWriter_WriteStr(writer, repr) : -1;
    Py_XDECREF(repr);
    return status;
}

/* "time.struct_time(tm_year=1970, ...)", the visible items. */
static PyObject *structseq_repr(PyObject *op)
{
    _PyUnicodeWriter writer;
    _PyUnicodeWriter_Init(&writer);
    writer.overallocate = 1;
    int status = write_text(&writer, Py_TYPE(op)->tp_name);
    if (status == 0) {
        status = _PyUnicodeWriter_WriteChar(&writer, '(');
    }
    for (Py_ssize_t i = 0; status == 0 && i < Py_SIZE(op); i++) {
        if (i > 0) {
            status = _PyUnicodeWriter_WriteASCIIString(&writer, ", ", 2);
        }
        if (status == 0) {
            status = write_item(&writer, op, i);
        }
    }
    if (status < 0 || _PyUnicodeWriter_WriteChar(&writer, ')') < 0) {
        _PyUnicodeWriter_Dealloc(&writer);
        return NULL;
    }
    return _PyUnicodeWriter_Finish(&writer);
}

/* The visible items as a tuple. */
static PyObject *visible_items(PyObject *op)
{
    return PyTuple_GetSlice(op, 0, Py_SIZE(op));
}

/* The items from `from` on as a dict of their names. */
static PyObject *named_items(PyObject *op, Py_ssize_t from, Py_ssize_t count)
{
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = from; dict && i < count; i++) {
        const char *name = item_name(Py_TYPE(op), i);
        if (name && PyDict_SetItemString(dict, name, items_of(op)[i]) < 0) {
            Py_CLEAR(dict);
        }
    }
    return dict;
}

static PyObject *structseq_reduce(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyObject *tuple = visible_items(op);
    PyObject *dict = tuple ? named_items(op, Py_SIZE(op), count_items(op)) : NULL;
    PyObject *result = dict ? Py_BuildValue("(O(OO))", Py_TYPE(op), tuple, dict) : NULL;
    Py_XDECREF(tuple);
    Py_XDECREF(dict);
    return result;
}

/* Takes replacements out of `changes`; what stays there is no field's. */
static int replace_items(PyObject *op, PyObject *copy, PyObject *changes)
{
    Py_ssize_t count = count_items(op);
    for (Py_ssize_t i = 0; i < count; i++) {
        const char *name = item_name(Py_TYPE(op), i);
        PyObject *value = NULL;
        if (PyDict_PopString(changes, name, &value) < 0) {
            return -1;
        }
        items_of(copy)[i] = value ? value : Py_NewRef(items_of(op)[i]);
    }
    if (PyDict_GET_SIZE(changes) > 0) {
        PyObject *names = PyDict_Keys(changes);
        if (names) {
            PyErr_Format(PyExc_TypeError, "Got unexpected field name(s): %R", names);
            Py_DECREF(names);
        }
        return -1;
    }
    return 0;
}

static PyObject *structseq_replace(PyObject *op, PyObject *args, PyObject *kwargs)
{
    PyTypeObject *type = Py_TYPE(op);
    if (!_PyArg_NoPositional("__replace__", args)) {
        return NULL;
    }
    Py_ssize_t unnamed = type_count(type, ID(n_unnamed_fields));
    if (unnamed < 0) {
        return NULL;
    }
    if (unnamed > 0) {
        return PyErr_Format(PyExc_TypeError,
                            "__replace__() is not supported for %.500s because it has unnamed "
                            "field(s)",
                            type->tp_name);
    }
    PyObject *changes = kwargs ? PyDict_Copy(kwargs) : PyDict_New();
    PyObject *copy = changes ? PyStructSequence_New(type) : NULL;
    if (copy && replace_items(op, copy, changes) < 0) {
        Py_CLEAR(copy);
    }
    Py_XDECREF(changes);
    if (copy) {
        PyObject_GC_Track(copy);
    }
    return copy;
}

static PyMethodDef structseq_methods[] = {
    {"__reduce__", structseq_reduce, METH_NOARGS,
     "__reduce__($self, /)\n--\n\nState for pickling."},
    {"__replace__", _PyCFunction_CAST(structseq_replace), METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("__replace__($self, /, **changes)\n--\n\n"
               "A copy in which the fields given by keyword are replaced.")},
    {NULL, NULL, 0, NULL},
};

/* ---- types ----------------------------------------------------------------------------------- */

struct counts {
    Py_ssize_t all, visible, unnamed;
};

static struct counts count_fields(const PyStructSequence_Desc *desc)
{
    struct counts n = {0, desc->n_in_sequence, 0};
    for (; desc->fields[n.all].name; n.all++) {
        n.unnamed += is_unnamed(&desc->fields[n.all]);
    }
    return n;
}

static Py_ssize_t basic_size(struct counts n)
{
    return PLAIN_SIZE + (n.all - n.visible) * (Py_ssize_t)sizeof(PyObject *);
}

/* One member for each named field, ended by an empty one; for PyMem_Free. */
static PyMemberDef *make_members(const PyStructSequence_Desc *desc, struct counts n)
{
    PyMemberDef *members = PyMem_New(PyMemberDef, n.all - n.unnamed + 1);
    if (!members) {
        PyErr_NoMemory();
        return NULL;
    }
    PyMemberDef *member = members;
    for (Py_ssize_t i = 0; i < n.all; i++) {
        if (!is_unnamed(&desc->fields[i])) {
            *member++ = (PyMemberDef){
                .name = desc->fields[i].name,
                .type = _Py_T_OBJECT,
                .offset = (Py_ssize_t)offsetof(PyTupleObject, ob_item)
                          + i * (Py_ssize_t)sizeof(PyObject *),
                .flags = Py_READONLY,
                .doc = desc->fields[i].doc,
            };
        }
    }
    *member = (PyMemberDef){0};
    return members;
}

static int set_count(PyObject *dict, PyObject *name, Py_ssize_t count)
{
    PyObject *value = PyLong_FromSsize_t(count);
    int status = value ? PyDict_SetItem(dict, name, value) : -1;
    Py_XDECREF(value);
    return status;
}

/* The names that positional patterns of `match` stand for. */
static int set_match_args(PyObject *dict, const PyStructSequence_Desc *desc, struct counts n)
{
    PyObject *names = PyTuple_New(n.visible);
    Py_ssize_t filled = 0;
    for (Py_ssize_t i = 0; names && i < n.visible; i++) {
        if (is_unnamed(&desc->fields[i])) {
            continue;
        }
        PyObject *name = PyUnicode_FromString(desc->fields[i].name);
        if (!name) {
            Py_DECREF(names);
            return -1;
        }
        PyTuple_SET_ITEM(names, filled++, name);
    }
    if (!names || (filled < n.visible && _PyTuple_Resize(&names, filled) < 0)) {
        return -1;
    }
    int status = PyDict_SetItem(dict, ID(__match_args__), names);
    Py_DECREF(names);
    return status;
}

static int fill_dict(PyTypeObject *type, const PyStructSequence_Desc *desc, struct counts n)
{
    PyObject *dict = PyType_GetDict(type);
    if (!dict) {
        return -1;
    }
    int status = -(set_count(dict, ID(n_sequence_fields), n.visible) < 0
                   || set_count(dict, ID(n_fields), n.all) < 0
                   || set_count(dict, ID(n_unnamed_fields), n.unnamed) < 0
                   || set_match_args(dict, desc, n) < 0);
    Py_DECREF(dict);
    PyType_Modified(type);
    return status;
}

PyAPI_FUNC(PyTypeObject *)
    _PyStructSequence_NewType(PyStructSequence_Desc *desc, unsigned long flags);
PyTypeObject *_PyStructSequence_NewType(PyStructSequence_Desc *desc, unsigned long flags)
{
    struct counts n = count_fields(desc);
    PyMemberDef *members = make_members(desc, n);
    PyObject *bases = members ? PyTuple_Pack(1, &PyTuple_Type) : NULL;
    PyTypeObject *type = NULL;
    if (bases) {
        PyType_Slot slots[] = {
            {Py_tp_dealloc, structseq_dealloc},   {Py_tp_repr, structseq_repr},
            {Py_tp_doc, (void *)desc->doc},       {Py_tp_methods, structseq_methods},
            {Py_tp_new, structseq_new},           {Py_tp_members, members},
            {Py_tp_traverse, structseq_traverse}, {0, NULL},
        };
        PyType_Spec spec = {
            .name = desc->name,
            .basicsize = (int)basic_size(n),
            .itemsize = sizeof(PyObject *),
            .flags = (unsigned int)(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | flags),
            .slots = slots,
        };
        type = (PyTypeObject *)PyType_FromSpecWithBases(&spec, bases);
    }
    /* The type has a copy of the members. */
    PyMem_Free(members);
    Py_XDECREF(bases);
    if (type && fill_dict(type, desc, n) < 0) {
        Py_CLEAR(type);
    }
    return type;
}

PyTypeObject *PyStructSequence_NewType(PyStructSequence_Desc *desc)
{
    return _PyStructSequence_NewType(desc, 0);
}

/* Makes a zeroed static type of the caller's. */
int PyStructSequence_InitType2(PyTypeObject *type, PyStructSequence_Desc *desc)
{
    if (Py_REFCNT(type) > 1 && type->tp_name) {
        PyErr_BadInternalCall();
        return -1;
    }
    struct counts n = count_fields(desc);
    PyMemberDef *members = make_members(desc, n);
    if (!members) {
        return -1;
    }
    type->tp_name = desc->name;
    type->tp_basicsize = basic_size(n);
    type->tp_itemsize = sizeof(PyObject *);
    type->tp_dealloc = structseq_dealloc;
    type->tp_repr = structseq_repr;
    type->tp_doc = desc->doc;
    type->tp_base = &PyTuple_Type;
    type->tp_methods = structseq_methods;
    type->tp_members = members;
    type->tp_new = structseq_new;
    type->tp_traverse = structseq_traverse;
    type->tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC;
    if (PyType_Ready(type) < 0) {
        type->tp_members = NULL;
        PyMem_Free(members);
        return -1;
    }
    Py_INCREF(type);
    return fill_dict(type, desc, n);
}

void PyStructSequence_InitType(PyTypeObject *type, PyStructSequence_Desc *desc)
{
    (void)PyStructSequence_InitType2(type, desc);
}
