/* Objects, containers, functions, types: what testcapi.list has, and what takes more than a call. */
#include "parts.h"

#include <errno.h>
#include <stddef.h>

#include "frameobject.h"

/* ---- helpers of the list ------------------------------------------------------------------------- */

static PyObject *number_power(PyObject *a, PyObject *b, PyObject *modulo)
{
    return PyNumber_Power(a, b, modulo == NULL ? Py_None : modulo);
}

static PyObject *number_inplace_power(PyObject *a, PyObject *b, PyObject *modulo)
{
    return PyNumber_InPlacePower(a, b, modulo == NULL ? Py_None : modulo);
}

/* `length` times the character, or nothing if there are none. */
static PyObject *unicode_new_filled(Py_ssize_t length, unsigned ch)
{
    PyObject *text = PyUnicode_New(length, ch);
    if (text != NULL && length > 0 && ch <= 0x10ffff && PyUnicode_Fill(text, 0, length, ch) < 0) {
        Py_CLEAR(text);
    }
    return text;
}

static int function_set_defaults_of(PyObject *function, PyObject *defaults)
{
    return PyFunction_SetDefaults(function, defaults == NULL ? Py_None : defaults);
}

static int function_set_kwdefaults_of(PyObject *function, PyObject *defaults)
{
    return PyFunction_SetKwDefaults(function, defaults == NULL ? Py_None : defaults);
}

static PyObject *type_get_name(PyObject *type)
{
    return PyType_GetName((PyTypeObject *)type);
}

static PyObject *type_get_qualname(PyObject *type)
{
    return PyType_GetQualName((PyTypeObject *)type);
}

static PyObject *type_get_full_name(PyObject *type)
{
    return PyType_GetFullyQualifiedName((PyTypeObject *)type);
}

static PyObject *type_get_module_name(PyObject *type)
{
    return PyType_GetModuleName((PyTypeObject *)type);
}

static unsigned long type_version(PyObject *type)
{
    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "argument must be a type");
        return -1UL;
    }
    return ((PyTypeObject *)type)->tp_version_tag;
}

static void type_modified_of(PyObject *type)
{
    PyType_Modified((PyTypeObject *)type);
}

static int type_assign_version_to(PyObject *type)
{
    return PyUnstable_Type_AssignVersionTag((PyTypeObject *)type);
}

static PyObject *type_bases(PyObject *type)
{
    return ((PyTypeObject *)type)->tp_bases;
}

static PyObject *type_mro(PyObject *type)
{
    return ((PyTypeObject *)type)->tp_mro;
}

static PyObject *gen_code(PyObject *generator)
{
    return (PyObject *)PyGen_GetCode((PyGenObject *)generator);
}

static int check_frame(PyObject *frame)
{
    if (!PyFrame_Check(frame)) {
        PyErr_SetString(PyExc_TypeError, "argument must be a frame");
        return -1;
    }
    return 0;
}

static PyObject *frame_locals(PyObject *frame)
{
    return check_frame(frame) < 0 ? NULL : PyFrame_GetLocals((PyFrameObject *)frame);
}

static PyObject *frame_globals(PyObject *frame)
{
    return check_frame(frame) < 0 ? NULL : PyFrame_GetGlobals((PyFrameObject *)frame);
}

static PyObject *frame_builtins(PyObject *frame)
{
    return check_frame(frame) < 0 ? NULL : PyFrame_GetBuiltins((PyFrameObject *)frame);
}

static PyObject *frame_generator(PyObject *frame)
{
    return check_frame(frame) < 0 ? NULL : PyFrame_GetGenerator((PyFrameObject *)frame);
}

/* None for a frame that does not run: -1 would look like a failure. */
FUNCTION1(frame_getlasti, frame)
{
    if (check_frame(frame) < 0) {
        return NULL;
    }
    int last = PyFrame_GetLasti((PyFrameObject *)frame);
    return last < 0 ? Py_NewRef(Py_None) : PyLong_FromLong(last);
}

static PyObject *complex_again(PyObject *number)
{
    Py_complex value = PyComplex_AsCComplex(number);
    return PyErr_Occurred() ? NULL : PyComplex_FromCComplex(value);
}

static void print_exception_of(PyObject *exception, int legacy)
{
    if (!legacy) {
        PyErr_DisplayException(exception);
        return;
    }
    PyObject *traceback = PyException_GetTraceback(exception);
    PyErr_Display(NULL, exception, traceback);
    Py_XDECREF(traceback);
}

FUNCTIONN(exception_print)
{
    PyObject *exception;
    int legacy = 0;
    if (!PyArg_ParseTuple(args, "O|i", &exception, &legacy)) {
        return NULL;
    }
    if (PyExceptionInstance_Check(exception)) {
        print_exception_of(exception, legacy);
    } else {
        PyErr_DisplayException(exception);
    }
    Py_RETURN_NONE;
}

#include "testcapi.h"

/* ---- optional attributes and items ----------------------------------------------------------------- */

/* The value, or the class of what is missing. */
static PyObject *found_or(int result, PyObject *value, PyObject *missing)
{
    if (result > 0) {
        return value != NULL && value != UNSET_POINTER ? value : failed("found, but no value");
    }
    if (value != NULL) {
        return failed("not found, but a value");
    }
    return result < 0 ? NULL : Py_NewRef(missing);
}

FUNCTIONN(object_getoptionalattr)
{
    PyObject *object, *name, *value = UNSET_POINTER;
    if (!PyArg_ParseTuple(args, "OO", &object, &name)) {
        return NULL;
    }
    NULLABLE(object);
    NULLABLE(name);
    int result = PyObject_GetOptionalAttr(object, name, &value);
    return found_or(result, value, PyExc_AttributeError);
}

FUNCTIONN(object_getoptionalattrstring)
{
    PyObject *object, *value = UNSET_POINTER;
    const char *name;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "Oz#", &object, &name, &size)) {
        return NULL;
    }
    NULLABLE(object);
    int result = PyObject_GetOptionalAttrString(object, name, &value);
    return found_or(result, value, PyExc_AttributeError);
}

FUNCTIONN(mapping_getoptionalitem)
{
    PyObject *object, *key, *value = UNSET_POINTER;
    if (!PyArg_ParseTuple(args, "OO", &object, &key)) {
        return NULL;
    }
    NULLABLE(object);
    NULLABLE(key);
    int result = PyMapping_GetOptionalItem(object, key, &value);
    return found_or(result, value, PyExc_KeyError);
}

FUNCTIONN(mapping_getoptionalitemstring)
{
    PyObject *object, *value = UNSET_POINTER;
    const char *key;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "Oz#", &object, &key, &size)) {
        return NULL;
    }
    NULLABLE(object);
    int result = PyMapping_GetOptionalItemString(object, key, &value);
    return found_or(result, value, PyExc_KeyError);
}

FUNCTIONN(dict_getitemref)
{
    PyObject *dict, *key, *value = UNSET_POINTER;
    if (!PyArg_ParseTuple(args, "OO", &dict, &key)) {
        return NULL;
    }
    NULLABLE(dict);
    NULLABLE(key);
    int result = PyDict_GetItemRef(dict, key, &value);
    return found_or(result, value, PyExc_KeyError);
}

FUNCTIONN(dict_getitemstringref)
{
    PyObject *dict, *value = UNSET_POINTER;
    const char *key;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "Oz#", &dict, &key, &size)) {
        return NULL;
    }
    NULLABLE(dict);
    int result = PyDict_GetItemStringRef(dict, key, &value);
    return found_or(result, value, PyExc_KeyError);
}

FUNCTIONN(dict_setdefaultref)
{
    PyObject *dict, *key, *fallback, *value = UNSET_POINTER;
    if (!PyArg_ParseTuple(args, "OOO", &dict, &key, &fallback)) {
        return NULL;
    }
    NULLABLE(dict);
    NULLABLE(key);
    NULLABLE(fallback);
    int result = PyDict_SetDefaultRef(dict, key, fallback, &value);
    if (result < 0) {
        return value == NULL ? NULL : failed("failed, but a value");
    }
    return value;
}

static PyObject *popped(int result, PyObject *value)
{
    if (result < 0) {
        return value == NULL ? NULL : failed("failed, but a value");
    }
    if ((result == 1) != (value != NULL)) {
        return failed("%d, but a value or none", result);
    }
    return Py_BuildValue("iN", result, value == NULL ? Py_NewRef(Py_None) : value);
}

FUNCTIONN(dict_pop)
{
    PyObject *dict, *key, *value = UNSET_POINTER;
    if (!PyArg_ParseTuple(args, "OO", &dict, &key)) {
        return NULL;
    }
    NULLABLE(dict);
    NULLABLE(key);
    int result = PyDict_Pop(dict, key, &value);
    return popped(result, value);
}

FUNCTIONN(dict_pop_null)
{
    PyObject *dict, *key;
    if (!PyArg_ParseTuple(args, "OO", &dict, &key)) {
        return NULL;
    }
    NULLABLE(dict);
    NULLABLE(key);
    return int_or_error(PyDict_Pop(dict, key, NULL));
}

FUNCTIONN(dict_popstring)
{
    PyObject *dict, *value = UNSET_POINTER;
    const char *key;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "Oz#", &dict, &key, &size)) {
        return NULL;
    }
    NULLABLE(dict);
    int result = PyDict_PopString(dict, key, &value);
    return popped(result, value);
}

FUNCTIONN(dict_popstring_null)
{
    PyObject *dict;
    const char *key;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "Oz#", &dict, &key, &size)) {
        return NULL;
    }
    NULLABLE(dict);
    return int_or_error(PyDict_PopString(dict, key, NULL));
}

_Py_COMP_DIAG_PUSH _Py_COMP_DIAG_IGNORE_DEPR_DECLS FUNCTION1(dict_get_version, dict)
{
    if (!PyDict_Check(dict)) {
        PyErr_SetString(PyExc_TypeError, "argument must be a dict");
        return NULL;
    }
    return PyLong_FromUnsignedLongLong(((PyDictObject *)dict)->ma_version_tag);
}
_Py_COMP_DIAG_POP

/* Changing a dict's values while going through it keeps it going. */
FUNCTION0(test_dict_iteration)
{
    for (int count = 0; count < 200; count++) {
        PyObject *dict = PyDict_New(), *key, *value;
        for (int i = 0; i < count; i++) {
            PyObject *number = PyLong_FromLong(i);
            PyDict_SetItem(dict, number, number);
            Py_DECREF(number);
        }
        Py_ssize_t pos = 0;
        int seen = 0;
        while (PyDict_Next(dict, &pos, &key, &value)) {
            PyObject *number = PyLong_FromLong(seen++ + 1000);
            PyDict_SetItem(dict, key, number);
            Py_DECREF(number);
        }
        Py_DECREF(dict);
        if (seen != count) {
            return failed("%d of %d items", seen, count);
        }
    }
    Py_RETURN_NONE;
}

/* ---- lists, tuples ------------------------------------------------------------------------------------ */

FUNCTIONN(list_set_item)
{
    PyObject *list, *value;
    Py_ssize_t index;
    if (!PyArg_ParseTuple(args, "OnO", &list, &index, &value)) {
        return NULL;
    }
    NULLABLE(list);
    NULLABLE(value);
    PyList_SET_ITEM(list, index, Py_XNewRef(value));
    Py_RETURN_NONE;
}

static PyObject *tuple_copy(PyObject *tuple)
{
    Py_ssize_t size = PyTuple_GET_SIZE(tuple);
    PyObject *copy = PyTuple_New(size);
    for (Py_ssize_t i = 0; i < size && copy != NULL; i++) {
        PyTuple_SET_ITEM(copy, i, Py_XNewRef(PyTuple_GET_ITEM(tuple, i)));
    }
    return copy;
}

FUNCTIONN(tuple_set_item)
{
    PyObject *tuple, *value;
    Py_ssize_t index;
    if (!PyArg_ParseTuple(args, "OnO", &tuple, &index, &value)) {
        return NULL;
    }
    NULLABLE(value);
    PyObject *copy = PyTuple_CheckExact(tuple) ? tuple_copy(tuple) : Py_NewRef(tuple);
    if (copy != NULL) {
        Py_XSETREF(((PyTupleObject *)copy)->ob_item[index], Py_XNewRef(value));
    }
    return copy;
}

FUNCTIONN(_tuple_resize)
{
    PyObject *tuple;
    Py_ssize_t size;
    int fresh = 1;
    if (!PyArg_ParseTuple(args, "On|p", &tuple, &size, &fresh)) {
        return NULL;
    }
    NULLABLE(tuple);
    tuple = fresh ? tuple_copy(tuple) : Py_XNewRef(tuple);
    if (tuple == NULL && fresh) {
        return NULL;
    }
    return _PyTuple_Resize(&tuple, size) < 0 ? NULL : tuple;
}

FUNCTIONN(_check_tuple_item_is_NULL)
{
    PyObject *tuple;
    Py_ssize_t index;
    return PyArg_ParseTuple(args, "On", &tuple, &index)
               ? PyLong_FromLong(PyTuple_GET_ITEM(tuple, index) == NULL)
               : NULL;
}

FUNCTIONN(bytes_resize)
{
    PyObject *bytes;
    Py_ssize_t size;
    int fresh;
    if (!PyArg_ParseTuple(args, "Onp", &bytes, &size, &fresh)) {
        return NULL;
    }
    NULLABLE(bytes);
    if (fresh) {
        bytes = PyBytes_FromStringAndSize(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes));
        if (bytes == NULL) {
            return NULL;
        }
    } else {
        Py_XINCREF(bytes);
    }
    return _PyBytes_Resize(&bytes, size) < 0 ? NULL : bytes;
}

FUNCTION0(test_list_api)
{
    enum { COUNT = 30 };
    PyObject *list = PyList_New(COUNT);
    for (int i = 0; i < COUNT; i++) {
        PyList_SET_ITEM(list, i, PyLong_FromLong(i));
    }
    int wrong = PyList_Reverse(list) < 0;
    for (int i = 0; i < COUNT; i++) {
        wrong |= PyLong_AsLong(PyList_GET_ITEM(list, i)) != COUNT - 1 - i;
    }
    Py_DECREF(list);
    return wrong ? failed("a reversed list") : Py_NewRef(Py_None);
}

/* ---- numbers of other kinds --------------------------------------------------------------------------- */

FUNCTION1(complex_asccomplex, number)
{
    NULLABLE(number);
    Py_complex value = PyComplex_AsCComplex(number);
    return value.real == -1 && PyErr_Occurred() ? NULL : PyComplex_FromCComplex(value);
}

static PyObject *complex_binary(PyObject *args, Py_complex (*function)(Py_complex, Py_complex))
{
    Py_complex a, b;
    if (!PyArg_ParseTuple(args, "DD", &a, &b)) {
        return NULL;
    }
    errno = 0;
    Py_complex value = function(a, b);
    return Py_BuildValue("Di", &value, errno);
}

FUNCTIONN(_py_c_sum)
{
    return complex_binary(args, _Py_c_sum);
}

FUNCTIONN(_py_c_diff)
{
    return complex_binary(args, _Py_c_diff);
}

FUNCTIONN(_py_c_prod)
{
    return complex_binary(args, _Py_c_prod);
}

FUNCTION1(_py_c_neg, number)
{
    Py_complex value = PyComplex_AsCComplex(number);
    return PyErr_Occurred() ? NULL : PyComplex_FromCComplex(_Py_c_neg(value));
}

FUNCTIONN(_py_c_quot)
{
    return complex_binary(args, _Py_c_quot);
}

FUNCTIONN(_py_c_pow)
{
    return complex_binary(args, _Py_c_pow);
}

FUNCTION1(_py_c_abs, number)
{
    Py_complex value = PyComplex_AsCComplex(number);
    if (PyErr_Occurred()) {
        return NULL;
    }
    errno = 0;
    double result = _Py_c_abs(value);
    return Py_BuildValue("di", result, errno);
}

FUNCTIONN(float_pack)
{
    int size, little;
    double value;
    char data[8];
    if (!PyArg_ParseTuple(args, "idi", &size, &value, &little)) {
        return NULL;
    }
    int result = size == 2   ? PyFloat_Pack2(value, data, little)
                 : size == 4 ? PyFloat_Pack4(value, data, little)
                 : size == 8 ? PyFloat_Pack8(value, data, little)
                             : (PyErr_SetString(PyExc_ValueError, "size must 2, 4 or 8"), -1);
    return result < 0 ? NULL : PyBytes_FromStringAndSize(data, size);
}

FUNCTIONN(float_unpack)
{
    const char *data;
    Py_ssize_t size;
    int little;
    if (!PyArg_ParseTuple(args, "y#i", &data, &size, &little)) {
        return NULL;
    }
    double value =
        size == 2   ? PyFloat_Unpack2(data, little)
        : size == 4 ? PyFloat_Unpack4(data, little)
        : size == 8 ? PyFloat_Unpack8(data, little)
                    : (PyErr_SetString(PyExc_ValueError, "data length must 2, 4 or 8 bytes"), -1);
    return value == -1 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
}

FUNCTION1(call_long_compact_api, number)
{
    int compact = PyUnstable_Long_IsCompact((PyLongObject *)number);
    Py_ssize_t value = compact ? PyUnstable_Long_CompactValue((PyLongObject *)number) : -1;
    return Py_BuildValue("in", compact, value);
}

FUNCTIONN(pylong_asnativebytes)
{
    PyObject *number;
    Py_buffer buffer;
    Py_ssize_t size, flags;
    if (!PyArg_ParseTuple(args, "Ow*nn", &number, &buffer, &size, &flags)) {
        return NULL;
    }
    Py_ssize_t result = -1;
    if (buffer.readonly || !PyBuffer_IsContiguous(&buffer, 'C')) {
        PyErr_SetString(PyExc_TypeError, "buffer must be writable and contiguous");
    } else if (size > buffer.len) {
        PyErr_SetString(PyExc_ValueError, "buffer must be at least 'n' bytes");
    } else {
        result = PyLong_AsNativeBytes(number, buffer.buf, size, (int)flags);
    }
    PyBuffer_Release(&buffer);
    return result < 0 ? NULL : PyLong_FromSsize_t(result);
}

FUNCTIONN(pylong_fromnativebytes)
{
    Py_buffer buffer;
    Py_ssize_t size, flags, is_signed;
    if (!PyArg_ParseTuple(args, "y*nnn", &buffer, &size, &flags, &is_signed)) {
        return NULL;
    }
    PyObject *number = NULL;
    if (size > buffer.len) {
        PyErr_SetString(PyExc_ValueError, "buffer must be at least 'n' bytes");
    } else {
        number = is_signed ? PyLong_FromNativeBytes(buffer.buf, size, (int)flags)
                           : PyLong_FromUnsignedNativeBytes(buffer.buf, size, (int)flags);
    }
    PyBuffer_Release(&buffer);
    return number;
}

FUNCTION1(hash_pointer, number)
{
    void *address = PyLong_AsVoidPtr(number);
    return address == NULL && PyErr_Occurred() ? NULL : PyLong_FromSsize_t(Py_HashPointer(address));
}

FUNCTION0(hash_getfuncdef)
{
    PyHash_FuncDef *def = PyHash_GetFuncDef();
    PyObject *types = PyImport_ImportModule("types");
    PyObject *make = types == NULL ? NULL : PyObject_GetAttrString(types, "SimpleNamespace");
    PyObject *values = Py_BuildValue("{ss si si}", "name", def->name, "hash_bits", def->hash_bits,
                                     "seed_bits", def->seed_bits);
    PyObject *none = PyTuple_New(0), *result = NULL;
    if (make != NULL && values != NULL && none != NULL) {
        result = PyObject_Call(make, none, values);
    }
    Py_XDECREF(types);
    Py_XDECREF(make);
    Py_XDECREF(values);
    Py_XDECREF(none);
    return result;
}

/* ---- code, frames ---------------------------------------------------------------------------------------- */

/* The items of a tuple as an array: what PyEval_EvalCodeEx wants. */
static PyObject **items_of(PyObject *tuple, int *count)
{
    *count = tuple == NULL ? 0 : (int)PyTuple_Size(tuple);
    return *count <= 0 ? NULL : ((PyTupleObject *)tuple)->ob_item;
}

FUNCTIONN(eval_code_ex)
{
    PyObject *code, *globals, *locals = NULL, *positional = NULL, *keywords = NULL,
                              *defaults = NULL, *kwdefaults = NULL, *closure = NULL, *flat = NULL;
    if (!PyArg_ParseTuple(args, "OO|OO!O!O!OO:eval_code_ex", &code, &globals, &locals,
                          &PyTuple_Type, &positional, &PyDict_Type, &keywords, &PyTuple_Type,
                          &defaults, &kwdefaults, &closure)) {
        return NULL;
    }
    NULLABLE(code);
    NULLABLE(globals);
    NULLABLE(locals);
    NULLABLE(kwdefaults);
    NULLABLE(closure);
    if (keywords != NULL) {
        /* name, value, name, value, ... */
        flat = PyTuple_New(2 * PyDict_Size(keywords));
        Py_ssize_t pos = 0, i = 0;
        PyObject *name, *value;
        while (flat != NULL && PyDict_Next(keywords, &pos, &name, &value)) {
            PyTuple_SET_ITEM(flat, i++, Py_NewRef(name));
            PyTuple_SET_ITEM(flat, i++, Py_NewRef(value));
        }
    }
    int positional_count, flat_count, default_count;
    PyObject *const *positional_items = items_of(positional, &positional_count);
    PyObject *const *flat_items = items_of(flat, &flat_count);
    PyObject *const *default_items = items_of(defaults, &default_count);
    PyObject *result =
        PyEval_EvalCodeEx(code, globals, locals, positional_items, positional_count, flat_items,
                          flat_count / 2, default_items, default_count, kwdefaults, closure);
    Py_XDECREF(flat);
    return result;
}

FUNCTIONN(code_newempty)
{
    const char *filename, *name;
    int line;
    return PyArg_ParseTuple(args, "ssi", &filename, &name, &line)
               ? (PyObject *)PyCode_NewEmpty(filename, name, line)
               : NULL;
}

FUNCTIONN(frame_new)
{
    PyObject *code, *globals, *locals;
    return PyArg_ParseTuple(args, "OOO", &code, &globals, &locals)
               ? (PyObject *)PyFrame_New(PyThreadState_Get(), (PyCodeObject *)code, globals, locals)
               : NULL;
}

FUNCTIONN(frame_getvar)
{
    PyObject *frame, *name;
    return PyArg_ParseTuple(args, "OO", &frame, &name) && check_frame(frame) == 0
               ? PyFrame_GetVar((PyFrameObject *)frame, name)
               : NULL;
}

FUNCTIONN(frame_getvarstring)
{
    PyObject *frame;
    const char *name;
    return PyArg_ParseTuple(args, "Oy", &frame, &name) && check_frame(frame) == 0
               ? PyFrame_GetVarString((PyFrameObject *)frame, name)
               : NULL;
}

FUNCTIONN(Py_CompileString_of)
{
    const char *source;
    return PyArg_ParseTuple(args, "y", &source)
               ? Py_CompileString(source, "<string>", Py_file_input)
               : NULL;
}

/* ---- types ------------------------------------------------------------------------------------------------ */

FUNCTIONN(type_assign_specific_version_unsafe)
{
    PyTypeObject *type;
    unsigned version;
    if (!PyArg_ParseTuple(args, "Oi", &type, &version)) {
        return NULL;
    }
    type->tp_version_tag = version;
    Py_RETURN_NONE;
}

FUNCTION1(pyobject_clear_weakrefs_no_callbacks, object)
{
    PyUnstable_Object_ClearWeakRefsNoCallbacks(object);
    Py_RETURN_NONE;
}

FUNCTION1(clear_managed_dict, object)
{
    PyObject_ClearManagedDict(object);
    Py_RETURN_NONE;
}

FUNCTION1(pyobject_getitemdata, object)
{
    void *data = PyObject_GetItemData(object);
    return data == NULL ? NULL : PyLong_FromVoidPtr(data);
}

FUNCTION1(has_vectorcall_flag, type)
{
    return PyBool_FromLong(PyType_HasFeature((PyTypeObject *)type, Py_TPFLAGS_HAVE_VECTORCALL));
}

FUNCTION1(without_gc, type)
{
    if (PyType_Check(type)) {
        PyTypeObject *t = (PyTypeObject *)type;
        t->tp_flags &= ~Py_TPFLAGS_HAVE_GC;
        t->tp_traverse = NULL;
        t->tp_clear = NULL;
        return Py_NewRef(type);
    }
    PyErr_SetString(PyExc_TypeError, "a type is needed");
    return NULL;
}

static void call_tp_del(PyObject *self)
{
    PyObject *saved = PyErr_GetRaisedException(),
             *method = PyObject_GetAttrString(self, "__tp_del__");
    PyObject *result = method == NULL ? NULL : PyObject_CallNoArgs(method);
    if (result == NULL) {
        PyErr_WriteUnraisable(method);
    }
    Py_XDECREF(method);
    Py_XDECREF(result);
    PyErr_SetRaisedException(saved);
}

/* The old tp_del: as it may bring the object back, it is called with a reference of its own. */
static void tp_del(PyObject *self)
{
    Py_SET_REFCNT(self, 1);
    call_tp_del(self);
    Py_ssize_t left = Py_REFCNT(self) - 1;
    Py_SET_REFCNT(self, left);
}

FUNCTION1(with_tp_del, type)
{
    if (!PyType_Check(type) || !PyType_HasFeature((PyTypeObject *)type, Py_TPFLAGS_HEAPTYPE)) {
        PyErr_Format(PyExc_TypeError, "heap type expected, got %R", type);
        return NULL;
    }
    ((PyTypeObject *)type)->tp_del = tp_del;
    return Py_NewRef(type);
}

/* ---- the part --------------------------------------------------------------------------------------------- */

static PyMethodDef methods[] = {
    TESTCAPI_TABLE ONE(frame_getlasti),
    VARARGS(exception_print),
    VARARGS(object_getoptionalattr),
    VARARGS(object_getoptionalattrstring),
    VARARGS(mapping_getoptionalitem),
    VARARGS(mapping_getoptionalitemstring),
    VARARGS(dict_getitemref),
    VARARGS(dict_getitemstringref),
    VARARGS(dict_setdefaultref),
    VARARGS(dict_pop),
    VARARGS(dict_pop_null),
    VARARGS(dict_popstring),
    VARARGS(dict_popstring_null),
    ONE(dict_get_version),
    NOARGS(test_dict_iteration),
    VARARGS(list_set_item),
    VARARGS(tuple_set_item),
    VARARGS(_tuple_resize),
    VARARGS(_check_tuple_item_is_NULL),
    VARARGS(bytes_resize),
    NOARGS(test_list_api),
    ONE(complex_asccomplex),
    VARARGS(_py_c_sum),
    VARARGS(_py_c_diff),
    VARARGS(_py_c_prod),
    ONE(_py_c_neg),
    VARARGS(_py_c_quot),
    VARARGS(_py_c_pow),
    ONE(_py_c_abs),
    VARARGS(float_pack),
    VARARGS(float_unpack),
    ONE(call_long_compact_api),
    VARARGS(pylong_asnativebytes),
    VARARGS(pylong_fromnativebytes),
    ONE(hash_pointer),
    NOARGS(hash_getfuncdef),
    VARARGS(eval_code_ex),
    VARARGS(code_newempty),
    VARARGS(frame_new),
    VARARGS(frame_getvar),
    VARARGS(frame_getvarstring),
    {"Py_CompileString", Py_CompileString_of, METH_VARARGS, NULL},
    VARARGS(type_assign_specific_version_unsafe),
    ONE(pyobject_clear_weakrefs_no_callbacks),
    ONE(clear_managed_dict),
    ONE(pyobject_getitemdata),
    ONE(has_vectorcall_flag),
    ONE(without_gc),
    ONE(with_tp_del),
    {NULL},
};

int add_abstract(PyObject *module)
{
    return PyModule_AddFunctions(module, methods);
}
