/* Operations on any object: calls, items, numbers, sequences, mappings, iteration.

   Unless a comment says otherwise, functions that return an object return a new reference, or NULL
   with an exception set, and functions that return int give 0 or 1, or -1 with an exception set. */
#ifndef Py_ABSTRACT_H
#define Py_ABSTRACT_H

_Py_BEGIN_DECLS

/* Calls. */
PyAPI_FUNC(PyObject *) PyObject_Call(PyObject *callable, PyObject *args, PyObject *kwargs);
PyAPI_FUNC(PyObject *) PyObject_CallFunction(PyObject *callable, const char *format, ...);
PyAPI_FUNC(PyObject *) PyObject_CallFunctionObjArgs(PyObject *callable, ...);
PyAPI_FUNC(PyObject *) PyObject_CallMethod(PyObject *op, const char *name, const char *format, ...);
PyAPI_FUNC(PyObject *) PyObject_CallMethodObjArgs(PyObject *op, PyObject *name, ...);
PyAPI_FUNC(PyObject *) PyObject_CallObject(PyObject *callable, PyObject *args);
PyAPI_FUNC(PyObject *) PyVectorcall_Call(PyObject *callable, PyObject *args, PyObject *kwargs);
PyAPI_FUNC(Py_ssize_t) PyVectorcall_NARGS(size_t nargsf);
#if _Py_API_VERSION >= 0x03090000
PyAPI_FUNC(PyObject *) PyObject_CallNoArgs(PyObject *callable);
#endif

#if _Py_API_VERSION >= 0x030c0000
PyAPI_FUNC(PyObject *) PyObject_Vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf,
                                           PyObject *kwnames);
PyAPI_FUNC(PyObject *) PyObject_VectorcallMethod(PyObject *name, PyObject *const *args,
                                                 size_t nargsf, PyObject *kwnames);
#endif

/* Items, size, iteration of an object. */
PyAPI_FUNC(int) PyObject_DelItem(PyObject *op, PyObject *key);
PyAPI_FUNC(int) PyObject_DelItemString(PyObject *op, const char *key);
PyAPI_FUNC(PyObject *) PyObject_Format(PyObject *op, PyObject *spec);
PyAPI_FUNC(PyObject *) PyObject_GetAIter(PyObject *op);
PyAPI_FUNC(PyObject *) PyObject_GetItem(PyObject *op, PyObject *key);
PyAPI_FUNC(PyObject *) PyObject_GetIter(PyObject *op);
PyAPI_FUNC(int) PyObject_IsInstance(PyObject *op, PyObject *cls);
PyAPI_FUNC(int) PyObject_IsSubclass(PyObject *derived, PyObject *cls);
PyAPI_FUNC(Py_ssize_t) PyObject_Length(PyObject *op);
PyAPI_FUNC(int) PyObject_SetItem(PyObject *op, PyObject *key, PyObject *value);
PyAPI_FUNC(Py_ssize_t) PyObject_Size(PyObject *op);
PyAPI_FUNC(PyObject *) PyObject_Type(PyObject *op);
#define PyObject_Length PyObject_Size
/* Iterators. PyIter_Next returns NULL without an exception at the end. */
PyAPI_FUNC(int) PyIter_Check(PyObject *it);
PyAPI_FUNC(PyObject *) PyIter_Next(PyObject *it);
PyAPI_FUNC(int) PyAIter_Check(PyObject *it);
#if _Py_API_VERSION >= 0x030a0000
PyAPI_FUNC(PySendResult) PyIter_Send(PyObject *it, PyObject *arg, PyObject **result);
#endif

/* Numbers. */
PyAPI_FUNC(PyObject *) PyNumber_Absolute(PyObject *op);
PyAPI_FUNC(PyObject *) PyNumber_Add(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_And(PyObject *x, PyObject *y);
PyAPI_FUNC(Py_ssize_t) PyNumber_AsSsize_t(PyObject *op, PyObject *error);
PyAPI_FUNC(int) PyNumber_Check(PyObject *op);
PyAPI_FUNC(PyObject *) PyNumber_Divmod(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_Float(PyObject *op);
PyAPI_FUNC(PyObject *) PyNumber_FloorDivide(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceAdd(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceAnd(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceFloorDivide(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceLshift(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceMultiply(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceOr(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_InPlacePower(PyObject *x, PyObject *y, PyObject *z);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceRemainder(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceRshift(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceSubtract(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceTrueDivide(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceXor(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_Index(PyObject *op);
PyAPI_FUNC(PyObject *) PyNumber_Invert(PyObject *op);
PyAPI_FUNC(PyObject *) PyNumber_Long(PyObject *op);
PyAPI_FUNC(PyObject *) PyNumber_Lshift(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_Multiply(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_Negative(PyObject *op);
PyAPI_FUNC(PyObject *) PyNumber_Or(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_Positive(PyObject *op);
PyAPI_FUNC(PyObject *) PyNumber_Power(PyObject *x, PyObject *y, PyObject *z);
PyAPI_FUNC(PyObject *) PyNumber_Remainder(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_Rshift(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_Subtract(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_ToBase(PyObject *op, int base);
PyAPI_FUNC(PyObject *) PyNumber_TrueDivide(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_Xor(PyObject *x, PyObject *y);
PyAPI_FUNC(int) PyIndex_Check(PyObject *op);
#if _Py_API_VERSION >= 0x03050000
PyAPI_FUNC(PyObject *) PyNumber_InPlaceMatrixMultiply(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyNumber_MatrixMultiply(PyObject *x, PyObject *y);
#endif

/* Sequences. */
PyAPI_FUNC(int) PySequence_Check(PyObject *op);
PyAPI_FUNC(PyObject *) PySequence_Concat(PyObject *x, PyObject *y);
PyAPI_FUNC(int) PySequence_Contains(PyObject *op, PyObject *item);
PyAPI_FUNC(Py_ssize_t) PySequence_Count(PyObject *op, PyObject *item);
PyAPI_FUNC(int) PySequence_DelItem(PyObject *op, Py_ssize_t index);
PyAPI_FUNC(int) PySequence_DelSlice(PyObject *op, Py_ssize_t start, Py_ssize_t stop);
PyAPI_FUNC(PyObject *) PySequence_Fast(PyObject *op, const char *message);
PyAPI_FUNC(PyObject *) PySequence_GetItem(PyObject *op, Py_ssize_t index);
PyAPI_FUNC(PyObject *) PySequence_GetSlice(PyObject *op, Py_ssize_t start, Py_ssize_t stop);
PyAPI_FUNC(int) PySequence_In(PyObject *op, PyObject *item);
PyAPI_FUNC(PyObject *) PySequence_InPlaceConcat(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PySequence_InPlaceRepeat(PyObject *op, Py_ssize_t count);
PyAPI_FUNC(Py_ssize_t) PySequence_Index(PyObject *op, PyObject *item);
PyAPI_FUNC(Py_ssize_t) PySequence_Length(PyObject *op);
PyAPI_FUNC(PyObject *) PySequence_List(PyObject *op);
PyAPI_FUNC(PyObject *) PySequence_Repeat(PyObject *op, Py_ssize_t count);
PyAPI_FUNC(int) PySequence_SetItem(PyObject *op, Py_ssize_t index, PyObject *value);
PyAPI_FUNC(int) PySequence_SetSlice(PyObject *op, Py_ssize_t start, Py_ssize_t stop,
                                    PyObject *value);
PyAPI_FUNC(Py_ssize_t) PySequence_Size(PyObject *op);
PyAPI_FUNC(PyObject *) PySequence_Tuple(PyObject *op);
#define PySequence_Length PySequence_Size
#define PySequence_In PySequence_Contains

/* Parts of what PySequence_Fast gave, borrowed. */
#define PySequence_Fast_GET_SIZE(o) (PyList_Check(o) ? PyList_GET_SIZE(o) : PyTuple_GET_SIZE(o))
#define PySequence_Fast_GET_ITEM(o, i)                                                             \
    (PyList_Check(o) ? PyList_GET_ITEM(o, i) : PyTuple_GET_ITEM(o, i))
#define PySequence_Fast_ITEMS(sf)                                                                  \
    (PyList_Check(sf) ? ((PyListObject *)(sf))->ob_item : ((PyTupleObject *)(sf))->ob_item)

/* Mappings. */
PyAPI_FUNC(int) PyMapping_Check(PyObject *op);
PyAPI_FUNC(PyObject *) PyMapping_GetItemString(PyObject *op, const char *key);
PyAPI_FUNC(int) PyMapping_HasKey(PyObject *op, PyObject *key);
PyAPI_FUNC(int) PyMapping_HasKeyString(PyObject *op, const char *key);
PyAPI_FUNC(int) PyMapping_HasKeyStringWithError(PyObject *op, const char *key);
PyAPI_FUNC(int) PyMapping_HasKeyWithError(PyObject *op, PyObject *key);
PyAPI_FUNC(PyObject *) PyMapping_Items(PyObject *op);
PyAPI_FUNC(PyObject *) PyMapping_Keys(PyObject *op);
PyAPI_FUNC(Py_ssize_t) PyMapping_Length(PyObject *op);
PyAPI_FUNC(int) PyMapping_SetItemString(PyObject *op, const char *key, PyObject *value);
PyAPI_FUNC(Py_ssize_t) PyMapping_Size(PyObject *op);
PyAPI_FUNC(PyObject *) PyMapping_Values(PyObject *op);
#if _Py_API_VERSION >= 0x030d0000
PyAPI_FUNC(int) PyMapping_GetOptionalItem(PyObject *op, PyObject *key, PyObject **result);
PyAPI_FUNC(int) PyMapping_GetOptionalItemString(PyObject *op, const char *key, PyObject **result);
#endif
#define PyMapping_Length PyMapping_Size
#define PyMapping_DelItemString(o, key) PyObject_DelItemString((o), (key))
#define PyMapping_DelItem(o, key) PyObject_DelItem((o), (key))

/* Added to the count of arguments: the callee may use the word before them as scratch. */
#if _Py_API_VERSION >= 0x030c0000
#  define PY_VECTORCALL_ARGUMENTS_OFFSET (_Py_STATIC_CAST(size_t, 1) << (8 * sizeof(size_t) - 1))
#endif

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/abstract.h"
#endif

#endif
