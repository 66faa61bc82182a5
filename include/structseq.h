/* Struct sequences: tuples whose items have names. */
#ifndef Py_STRUCTSEQ_H
#define Py_STRUCTSEQ_H

_Py_BEGIN_DECLS

struct PyStructSequence_Field {
    const char *name;
    const char *doc;
};
typedef struct PyStructSequence_Field PyStructSequence_Field;

struct PyStructSequence_Desc {
    const char *name;
    const char *doc;
    PyStructSequence_Field *fields;
    int n_in_sequence;
};
typedef struct PyStructSequence_Desc PyStructSequence_Desc;

/* Make types and objects. SetItem steals a reference; GetItem borrows. */
PyAPI_FUNC(PyObject *) PyStructSequence_GetItem(PyObject *op, Py_ssize_t index);
PyAPI_FUNC(void) PyStructSequence_InitType(PyTypeObject *type, PyStructSequence_Desc *desc);
PyAPI_FUNC(int) PyStructSequence_InitType2(PyTypeObject *type, PyStructSequence_Desc *desc);
PyAPI_FUNC(PyObject *) PyStructSequence_New(PyTypeObject *type);
PyAPI_FUNC(PyTypeObject *) PyStructSequence_NewType(PyStructSequence_Desc *desc);
PyAPI_FUNC(void) PyStructSequence_SetItem(PyObject *op, Py_ssize_t index, PyObject *value);
PyAPI_DATA(const char * const) PyStructSequence_UnnamedField;
#ifndef Py_LIMITED_API
typedef PyTupleObject PyStructSequence;
#endif
#define PyStructSequence_SET_ITEM PyStructSequence_SetItem
#define PyStructSequence_GET_ITEM PyStructSequence_GetItem

_Py_END_DECLS

#endif
