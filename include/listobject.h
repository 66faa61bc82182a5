/* list. */
#ifndef Py_LISTOBJECT_H
#define Py_LISTOBJECT_H

_Py_BEGIN_DECLS

PyAPI_DATA(PyTypeObject) PyListIter_Type;
PyAPI_DATA(PyTypeObject) PyListRevIter_Type;
PyAPI_DATA(PyTypeObject) PyList_Type;
#define PyList_Check(op) PyType_FastSubclass(Py_TYPE(op), Py_TPFLAGS_LIST_SUBCLASS)
#define PyList_CheckExact(op) Py_IS_TYPE((op), &PyList_Type)

/* New list whose items are NULL until set (new reference). */
PyAPI_FUNC(PyObject *) PyList_New(Py_ssize_t size);

/* Item at an index: borrowed reference, or NULL with IndexError. GetItemRef gives a new
   reference. */
PyAPI_FUNC(PyObject *) PyList_GetItem(PyObject *list, Py_ssize_t index);
#if _Py_API_VERSION >= 0x030d0000
PyAPI_FUNC(PyObject *) PyList_GetItemRef(PyObject *list, Py_ssize_t index);
#endif

/* SetItem steals the reference to the item, also when it fails; Insert and Append do not. */
PyAPI_FUNC(int) PyList_Append(PyObject *list, PyObject *item);
PyAPI_FUNC(int) PyList_Insert(PyObject *list, Py_ssize_t index, PyObject *item);
PyAPI_FUNC(int) PyList_SetItem(PyObject *list, Py_ssize_t index, PyObject *item);
PyAPI_FUNC(PyObject *) PyList_AsTuple(PyObject *list);
PyAPI_FUNC(PyObject *) PyList_GetSlice(PyObject *list, Py_ssize_t start, Py_ssize_t stop);
PyAPI_FUNC(int) PyList_Reverse(PyObject *list);
PyAPI_FUNC(int) PyList_SetSlice(PyObject *list, Py_ssize_t start, Py_ssize_t stop, PyObject *items);
PyAPI_FUNC(Py_ssize_t) PyList_Size(PyObject *list);
PyAPI_FUNC(int) PyList_Sort(PyObject *list);

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/listobject.h"
#endif

#endif
