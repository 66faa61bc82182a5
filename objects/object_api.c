/* The abstract operations on any object: text, hash, comparison, truth, attributes, dir. */
#include "objects/compare.h"
#include "objects/object.h"

#include "locking/lock.h"
#include "locking/refs.h"
#include "objects/error.h"
#include "objects/shape.h"
#include "objects/type.h"
#include "objects/dict.h"

/* ---- text ------------------------------------------------------------------------------------ */

static PyObject *null_text(void)
{
    return PyUnicode_FromString("<NULL>");
}

/* Calls repr or str of a type and checks that a str comes out. */
static PyObject *text_of(PyObject *op, reprfunc function, const char *method, const char *where)
{
    if (Py_EnterRecursiveCall(where)) {
        return NULL;
    }
    PyObject *text = function(op);
    Py_LeaveRecursiveCall();
    if (text != NULL && !PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "%s returned non-string (type %.200s)", method,
                     Py_TYPE(text)->tp_name);
        Py_CLEAR(text);
    }
    return text;
}

PyObject *PyObject_Repr(PyObject *op)
{
    if (PyErr_CheckSignals() < 0) {
        return NULL;
    }
    if (op == NULL) {
        return null_text();
    }
    if (Py_TYPE(op)->tp_repr == NULL) {
        return PyUnicode_FromFormat("<%s object at %p>", Py_TYPE(op)->tp_name, op);
    }
    return text_of(op, Py_TYPE(op)->tp_repr, "__repr__", " while getting the repr of an object");
}

PyObject *PyObject_Str(PyObject *op)
{
    if (op != NULL && PyUnicode_CheckExact(op)) {
        return Py_NewRef(op);
    }
    if (PyErr_CheckSignals() < 0) {
        return NULL;
    }
    if (op == NULL) {
        return null_text();
    }
    if (PyLong_CheckExact(op)) {
        return PyLong_Type.tp_repr(op); /* calls nothing else */
    }
    if (Py_TYPE(op)->tp_str == NULL) {
        return PyObject_Repr(op);
    }
    return text_of(op, Py_TYPE(op)->tp_str, "__str__", " while getting the str of an object");
}

PyObject *PyObject_ASCII(PyObject *op)
{
    PyObject *repr = PyObject_Repr(op);
    if (repr == NULL || PyUnicode_IS_ASCII(repr)) {
        return repr;
    }
    PyObject *bytes = PyUnicode_AsEncodedString(repr, "ascii", "backslashreplace");
    Py_DECREF(repr);
    if (bytes == NULL) {
        return NULL;
    }
    PyObject *text =
        PyUnicode_DecodeASCII(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), "strict");
    Py_DECREF(bytes);
    return text;
}

PyObject *PyObject_Bytes(PyObject *op)
{
    if (op == NULL) {
        return PyBytes_FromString("<NULL>");
    }
    if (PyBytes_CheckExact(op)) {
        return Py_NewRef(op);
    }
    PyObject *method = object_lookup_special(op, ID(__bytes__));
    if (method == NULL) {
        return PyErr_Occurred() ? NULL : PyBytes_FromObject(op);
    }
    PyObject *result = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (result != NULL && !PyBytes_Check(result)) {
        PyErr_Format(PyExc_TypeError, "__bytes__ returned non-bytes (type %.200s)",
                     Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    return result;
}

PyObject *_PyObject_FunctionStr(PyObject *func)
{
    PyObject *qualname, *module, *result = NULL;
    if (PyObject_GetOptionalAttr(func, ID(__qualname__), &qualname) <= 0) {
        return PyErr_Occurred() ? NULL : PyObject_Str(func);
    }
    int found = PyObject_GetOptionalAttr(func, ID(__module__), &module);
    if (found >= 0) {
        bool builtin = module == NULL || module == Py_None
                       || (PyUnicode_Check(module) && PyUnicode_EqualToUTF8(module, "builtins"));
        result = builtin ? PyUnicode_FromFormat("%S()", qualname)
                         : PyUnicode_FromFormat("%S.%S()", module, qualname);
    }
    Py_XDECREF(module);
    Py_DECREF(qualname);
    return result;
}

static int print_text(PyObject *text, FILE *file)
{
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
    if (bytes == NULL) {
        return -1;
    }
    fwrite(PyBytes_AS_STRING(bytes), 1, (size_t)PyBytes_GET_SIZE(bytes), file);
    Py_DECREF(bytes);
    return 0;
}

int PyObject_Print(PyObject *op, FILE *file, int flags)
{
    if (PyErr_CheckSignals() < 0) {
        return -1;
    }
    clearerr(file);
    int result = 0;
    if (op == NULL) {
        fprintf(file, "<nil>");
    } else if (Py_REFCNT(op) <= 0) {
        fprintf(file, "<refcnt %zd at %p>", Py_REFCNT(op), (void *)op);
    } else {
        PyObject *text = flags & Py_PRINT_RAW ? PyObject_Str(op) : PyObject_Repr(op);
        result = text == NULL ? -1 : print_text(text, file);
        Py_XDECREF(text);
    }
    if (result == 0 && ferror(file)) {
        PyErr_SetFromErrno(PyExc_OSError);
        clearerr(file);
        result = -1;
    }
    return result;
}

/* ---- hash, comparison, truth ----------------------------------------------------------------- */

Py_hash_t PyObject_HashNotImplemented(PyObject *op)
{
    PyErr_Format(PyExc_TypeError, "unhashable type: '%.200s'", Py_TYPE(op)->tp_name);
    return -1;
}

Py_hash_t PyObject_Hash(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (type->tp_hash == NULL && !(type->tp_flags & Py_TPFLAGS_READY)) {
        /* An extension's type that was never made ready. */
        if (PyType_Ready(type) < 0) {
            return -1;
        }
    }
    return type->tp_hash != NULL ? type->tp_hash(op) : PyObject_HashNotImplemented(op);
}

/* For x op y, what y is asked. */
PyAPI_DATA(int) _Py_SwappedOp[];
int _Py_SwappedOp[] = {Py_GT, Py_GE, Py_EQ, Py_NE, Py_LT, Py_LE};

static PyObject *compare(PyObject *a, PyObject *b, int op)
{
    bool reflected = false;
    richcmpfunc function;
    PyObject *result;
    if (!Py_IS_TYPE(a, Py_TYPE(b)) && PyType_IsSubtype(Py_TYPE(b), Py_TYPE(a))
        && (function = Py_TYPE(b)->tp_richcompare) != NULL) {
        reflected = true;
        result = function(b, a, _Py_SwappedOp[op]);
        if (result != Py_NotImplemented) {
            return result;
        }
        Py_DECREF(result);
    }
    if ((function = Py_TYPE(a)->tp_richcompare) != NULL) {
        result = function(a, b, op);
        if (result != Py_NotImplemented) {
            return result;
        }
        Py_DECREF(result);
    }
    if (!reflected && (function = Py_TYPE(b)->tp_richcompare) != NULL) {
        result = function(b, a, _Py_SwappedOp[op]);
        if (result != Py_NotImplemented) {
            return result;
        }
        Py_DECREF(result);
    }
    static const char *const symbols[] = {"<", "<=", "==", "!=", ">", ">="};
    switch (op) {
    case Py_EQ:
        return PyBool_FromLong(a == b);
    case Py_NE:
        return PyBool_FromLong(a != b);
    default:
        PyErr_Format(PyExc_TypeError,
                     "'%s' not supported between instances of '%.100s' and '%.100s'", symbols[op],
                     Py_TYPE(a)->tp_name, Py_TYPE(b)->tp_name);
        return NULL;
    }
}

PyObject *PyObject_RichCompare(PyObject *a, PyObject *b, int op)
{
    if (a == NULL || b == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_BadInternalCall();
        }
        return NULL;
    }
    int plain = compare_plain(a, b, op);
    if (plain >= 0) {
        return PyBool_FromLong(plain);
    }
    if (Py_EnterRecursiveCall(" in comparison")) {
        return NULL;
    }
    PyObject *result = compare(a, b, op);
    Py_LeaveRecursiveCall();
    return result;
}

int PyObject_RichCompareBool(PyObject *a, PyObject *b, int op)
{
    /* What is the same object is equal, also a NaN. */
    if (a == b) {
        if (op == Py_EQ) {
            return 1;
        }
        if (op == Py_NE) {
            return 0;
        }
    }
    int plain = a == NULL || b == NULL ? -1 : compare_plain(a, b, op);
    if (plain >= 0) {
        return plain;
    }
    PyObject *result = PyObject_RichCompare(a, b, op);
    if (result == NULL) {
        return -1;
    }
    int truth = PyBool_Check(result) ? result == Py_True : PyObject_IsTrue(result);
    Py_DECREF(result);
    return truth;
}

int PyObject_IsTrue(PyObject *op)
{
    if (op == Py_True) {
        return 1;
    }
    if (op == Py_False || op == Py_None) {
        return 0;
    }
    PyTypeObject *type = Py_TYPE(op);
    Py_ssize_t result;
    if (type->tp_as_number != NULL && type->tp_as_number->nb_bool != NULL) {
        result = type->tp_as_number->nb_bool(op);
    } else if (type->tp_as_mapping != NULL && type->tp_as_mapping->mp_length != NULL) {
        result = type->tp_as_mapping->mp_length(op);
    } else if (type->tp_as_sequence != NULL && type->tp_as_sequence->sq_length != NULL) {
        result = type->tp_as_sequence->sq_length(op);
    } else {
        return 1;
    }
    return result > 0 ? 1 : (int)result;
}

int PyObject_Not(PyObject *op)
{
    int truth = PyObject_IsTrue(op);
    return truth < 0 ? truth : !truth;
}

int PyCallable_Check(PyObject *op)
{
    return op != NULL && Py_TYPE(op)->tp_call != NULL;
}

PyObject *PyObject_SelfIter(PyObject *op)
{
    return Py_NewRef(op);
}

PyObject *_PyObject_NextNotImplemented(PyObject *op)
{
    PyErr_Format(PyExc_TypeError, "'%.200s' object is not iterable", Py_TYPE(op)->tp_name);
    return NULL;
}

/* ---- attributes: errors ---------------------------------------------------------------------- */

void complete_attribute_error(PyObject *op, PyObject *name)
{
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return;
    }
    PyObject *error = PyErr_GetRaisedException();
    if (Py_IS_TYPE(error, (PyTypeObject *)PyExc_AttributeError)) {
        PyAttributeErrorObject *fields = (PyAttributeErrorObject *)error;
        if (fields->name == NULL && fields->obj == NULL) {
            fields->name = Py_NewRef(name);
            fields->obj = Py_NewRef(op);
        }
    }
    PyErr_SetRaisedException(error);
}

/* Takes `text` over. */
static PyObject *raise_attribute_text(PyObject *op, PyObject *name, PyObject *text)
{
    if (text != NULL) {
        PyErr_SetObject(PyExc_AttributeError, text);
        Py_DECREF(text);
        complete_attribute_error(op, name);
    }
    return NULL;
}

PyObject *raise_no_attribute(PyObject *op, PyObject *name)
{
    return raise_attribute_text(
        op, name,
        PyUnicode_FromFormat("'%.100s' object has no attribute '%U'", Py_TYPE(op)->tp_name, name));
}

static bool check_name(PyObject *name)
{
    if (likely(PyUnicode_Check(name))) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'",
                 Py_TYPE(name)->tp_name);
    return false;
}

/* ---- attributes: the entrances --------------------------------------------------------------- */

PyObject *PyObject_GetAttr(PyObject *op, PyObject *name)
{
    if (!check_name(name)) {
        return NULL;
    }
    PyTypeObject *type = Py_TYPE(op);
    PyObject *result = NULL;
    if (type->tp_getattro != NULL) {
        result = type->tp_getattro(op, name);
    } else if (type->tp_getattr != NULL) {
        const char *text = PyUnicode_AsUTF8(name);
        if (text == NULL) {
            return NULL;
        }
        result = type->tp_getattr(op, (char *)text);
    } else {
        raise_no_attribute(op, name);
    }
    if (unlikely(result == NULL)) {
        complete_attribute_error(op, name);
    }
    return result;
}

int PyObject_GetOptionalAttr(PyObject *op, PyObject *name, PyObject **result)
{
    *result = NULL;
    if (!check_name(name)) {
        return -1;
    }
    PyTypeObject *type = Py_TYPE(op);
    if (type->tp_getattro == PyObject_GenericGetAttr) {
        int found = object_get_generic(op, name, NULL, result);
        if (found < 0 && PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyErr_Clear();
            found = 0;
        }
        return found;
    }
    if (type->tp_getattro != NULL) {
        *result = type->tp_getattro(op, name);
    } else if (type->tp_getattr != NULL) {
        const char *text = PyUnicode_AsUTF8(name);
        if (text == NULL) {
            return -1;
        }
        *result = type->tp_getattr(op, (char *)text);
    } else {
        return 0;
    }
    if (*result != NULL) {
        return 1;
    }
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return -1;
    }
    PyErr_Clear();
    return 0;
}

int PyObject_SetAttr(PyObject *op, PyObject *name, PyObject *value)
{
    if (!check_name(name)) {
        return -1;
    }
    PyTypeObject *type = Py_TYPE(op);
    Py_INCREF(name);
    if (PyUnicode_CheckExact(name)) {
        PyUnicode_InternInPlace(&name);
    }
    int result = -1;
    if (type->tp_setattro != NULL) {
        result = type->tp_setattro(op, name, value);
    } else if (type->tp_setattr != NULL) {
        const char *text = PyUnicode_AsUTF8(name);
        result = text == NULL ? -1 : type->tp_setattr(op, (char *)text, value);
    } else {
        PyErr_Format(PyExc_TypeError, "'%.100s' object has %s attributes (%s .%U)", type->tp_name,
                     type->tp_getattr == NULL && type->tp_getattro == NULL ? "no"
                                                                           : "only read-only",
                     value == NULL ? "del" : "assign to", name);
    }
    Py_DECREF(name);
    return result;
}

int PyObject_DelAttr(PyObject *op, PyObject *name)
{
    return PyObject_SetAttr(op, name, NULL);
}

int PyObject_HasAttrWithError(PyObject *op, PyObject *name)
{
    PyObject *value;
    int found = PyObject_GetOptionalAttr(op, name, &value);
    Py_XDECREF(value);
    return found;
}

int PyObject_HasAttr(PyObject *op, PyObject *name)
{
    int found = PyObject_HasAttrWithError(op, name);
    if (found < 0) {
        PyErr_FormatUnraisable("Exception ignored in PyObject_HasAttr(); consider using "
                               "PyObject_HasAttrWithError(), PyObject_GetOptionalAttr() or "
                               "PyObject_GetAttr()");
        return 0;
    }
    return found;
}

/* ---- by C string ----------------------------------------------------------------------------- */

PyObject *PyObject_GetAttrString(PyObject *op, const char *name)
{
    PyObject *object = PyUnicode_FromString(name);
    if (object == NULL) {
        return NULL;
    }
    PyObject *result = PyObject_GetAttr(op, object);
    Py_DECREF(object);
    return result;
}

int PyObject_GetOptionalAttrString(PyObject *op, const char *name, PyObject **result)
{
    PyObject *object = PyUnicode_FromString(name);
    if (object == NULL) {
        *result = NULL;
        return -1;
    }
    int found = PyObject_GetOptionalAttr(op, object, result);
    Py_DECREF(object);
    return found;
}

int PyObject_SetAttrString(PyObject *op, const char *name, PyObject *value)
{
    PyObject *object = PyUnicode_InternFromString(name);
    if (object == NULL) {
        return -1;
    }
    int result = PyObject_SetAttr(op, object, value);
    Py_DECREF(object);
    return result;
}

int PyObject_DelAttrString(PyObject *op, const char *name)
{
    return PyObject_SetAttrString(op, name, NULL);
}

int PyObject_HasAttrStringWithError(PyObject *op, const char *name)
{
    PyObject *value;
    int found = PyObject_GetOptionalAttrString(op, name, &value);
    Py_XDECREF(value);
    return found;
}

int PyObject_HasAttrString(PyObject *op, const char *name)
{
    int found = PyObject_HasAttrStringWithError(op, name);
    if (found < 0) {
        PyErr_FormatUnraisable("Exception ignored in PyObject_HasAttrString(); consider using "
                               "PyObject_HasAttrStringWithError(), "
                               "PyObject_GetOptionalAttrString() or PyObject_GetAttrString()");
        return 0;
    }
    return found;
}

PyObject *_PyObject_GetAttrId(PyObject *op, struct _Py_Identifier *name)
{
    return PyObject_GetAttrString(op, name->string);
}

/* ---- the instance's dict --------------------------------------------------------------------- */

/* Where a type keeps the pointer to its instances' dict (not managed ones); NULL: nowhere. */
static PyObject **dict_slot(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    Py_ssize_t offset = type->tp_dictoffset;
    if (offset == 0 || (type->tp_flags & Py_TPFLAGS_MANAGED_DICT)) {
        return NULL;
    }
    if (offset < 0) {
        /* Counted from the end of an instance of variable size. */
        Py_ssize_t items = ((PyVarObject *)op)->ob_size;
        if (PyLong_Check(op)) {
            items = (Py_ssize_t)(((PyLongObject *)op)->long_value.lv_tag >> 3);
        }
        offset += (Py_ssize_t)object_size(type, items < 0 ? -items : items);
    }
    return (PyObject **)((char *)op + offset);
}

PyObject **_PyObject_GetDictPtr(PyObject *op)
{
    if (!(Py_TYPE(op)->tp_flags & Py_TPFLAGS_MANAGED_DICT)) {
        return dict_slot(op);
    }
    /* The caller will read and write the word: it must be a dict from now on. */
    if (instance_dict(op) == NULL) {
        PyErr_Clear();
        return NULL;
    }
    return (PyObject **)object_managed_word(op);
}

PyObject *object_dict_if_made(PyObject *op)
{
    if (Py_TYPE(op)->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        uintptr_t word = object_managed_load(op);
        return word == 0 || managed_is_inline(word) ? NULL : Py_NewRef((PyObject *)word);
    }
    PyObject **slot = dict_slot(op);
    return slot == NULL ? NULL : ref_load(slot, op);
}

PyObject *object_dict(PyObject *op)
{
    PyObject *dict = NULL;
    if (Py_TYPE(op)->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        return Py_XNewRef(instance_dict(op));
    }
    PyObject **slot = dict_slot(op);
    if (slot == NULL) {
        PyErr_SetString(PyExc_AttributeError, "This object has no __dict__");
        return NULL;
    }
    CRITICAL_SECTION(op);
    dict = *slot;
    if (dict == NULL) {
        dict = PyDict_New();
        field_store_release(slot, dict);
    }
    if (dict != NULL) {
        ref_inc_known(dict);
    }
    CRITICAL_SECTION_END();
    return dict;
}

PyObject *PyObject_GenericGetDict(PyObject *op, void *Py_UNUSED(context))
{
    return object_dict(op);
}

int PyObject_GenericSetDict(PyObject *op, PyObject *value, void *Py_UNUSED(context))
{
    bool managed = Py_TYPE(op)->tp_flags & Py_TPFLAGS_MANAGED_DICT;
    PyObject **slot = managed ? NULL : dict_slot(op);
    if (!managed && slot == NULL) {
        PyErr_SetString(PyExc_AttributeError, "This object has no __dict__");
        return -1;
    }
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "cannot delete __dict__");
        return -1;
    }
    if (!PyDict_Check(value)) {
        PyErr_Format(PyExc_TypeError, "__dict__ must be set to a dictionary, not a '%.200s'",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    if (managed) {
        return _PyObject_SetManagedDict(op, value);
    }
    PyObject *old;
    CRITICAL_SECTION(op);
    old = *slot;
    field_store_release(slot, Py_NewRef(value));
    CRITICAL_SECTION_END();
    Py_XDECREF(old);
    return 0;
}

/* ---- the generic lookup ---------------------------------------------------------------------- */

/* Looks in the instance alone: 1 and a new reference, 0, -1. */
static int get_from_instance(PyObject *op, PyObject *name, PyObject **result)
{
    if (Py_TYPE(op)->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        value_t word;
        int found = instance_get(op, name, &word);
        *result = found > 0 ? value_to_owned(word) : NULL;
        return found > 0 && *result == NULL ? -1 : found;
    }
    PyObject *dict = object_dict_if_made(op);
    if (dict == NULL) {
        *result = NULL;
        return 0;
    }
    int found = dict_get_item(dict, name, result);
    Py_DECREF(dict);
    return found;
}

int object_get_generic(PyObject *op, PyObject *name, PyObject *dict, PyObject **result)
{
    PyTypeObject *type = Py_TYPE(op);
    *result = NULL;
    if (unlikely(!(type->tp_flags & Py_TPFLAGS_READY)) && PyType_Ready(type) < 0) {
        return -1;
    }
    PyObject *descr = type_lookup_ref(type, name, NULL);
    descrgetfunc get = NULL;
    if (descr != NULL) {
        get = Py_TYPE(descr)->tp_descr_get;
        if (get != NULL && PyDescr_IsData(descr)) {
            *result = get(descr, op, (PyObject *)type);
            Py_DECREF(descr);
            goto called;
        }
    }
    int found = 0;
    if (dict != NULL) {
        found = PyDict_GetItemRef(dict, name, result);
    } else if (type->tp_dictoffset != 0) {
        found = get_from_instance(op, name, result);
    }
    if (found != 0) {
        Py_XDECREF(descr);
        return found;
    }
    if (descr == NULL) {
        return 0;
    }
    if (get == NULL) {
        *result = descr;
        return 1;
    }
    *result = get(descr, op, (PyObject *)type);
    Py_DECREF(descr);
called:
    return *result == NULL ? -1 : 1;
}

PyObject *PyObject_GenericGetAttr(PyObject *op, PyObject *name)
{
    return _PyObject_GenericGetAttrWithDict(op, name, NULL, 0);
}

PyObject *_PyObject_GenericGetAttrWithDict(PyObject *op, PyObject *name, PyObject *dict,
                                           int suppress)
{
    if (!check_name(name)) {
        return NULL;
    }
    PyObject *result;
    int found = object_get_generic(op, name, dict, &result);
    if (found < 0 && suppress && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
    } else if (found == 0 && !suppress) {
        raise_no_attribute(op, name);
    }
    return result;
}

/* ---- the generic assignment ------------------------------------------------------------------ */

/* There is no dict to assign to, and `descr` (borrowed or NULL) does not take it. */
static int raise_cannot_set(PyObject *op, PyObject *name, PyObject *descr)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject *text;
    if (descr != NULL) {
        text = PyUnicode_FromFormat("'%.100s' object attribute '%U' is read-only", type->tp_name,
                                    name);
    } else if (type->tp_setattro == PyObject_GenericSetAttr) {
        text = PyUnicode_FromFormat(
            "'%.100s' object has no attribute '%U' and no __dict__ for setting new attributes",
            type->tp_name, name);
    } else {
        text = PyUnicode_FromFormat("'%.100s' object has no attribute '%U'", type->tp_name, name);
    }
    raise_attribute_text(op, name, text);
    return -1;
}

static int set_in_dict(PyObject *op, PyObject *dict, PyObject *name, PyObject *value)
{
    if (value != NULL) {
        return PyDict_SetItem(dict, name, value);
    }
    int removed = PyDict_Pop(dict, name, NULL);
    if (removed == 0) {
        raise_no_attribute(op, name);
    }
    return removed > 0 ? 0 : -1;
}

static int set_in_instance(PyObject *op, PyObject *name, PyObject *value)
{
    if (value == NULL) {
        int removed = instance_delete(op, name);
        if (removed == 0) {
            raise_no_attribute(op, name);
        }
        return removed > 0 ? 0 : -1;
    }
    Py_INCREF(value);
    int result = instance_set(op, name, value_from_owned(value));
    if (result < 0) {
        Py_DECREF(value);
    }
    return result;
}

int _PyObject_GenericSetAttrWithDict(PyObject *op, PyObject *name, PyObject *value, PyObject *dict)
{
    PyTypeObject *type = Py_TYPE(op);
    if (!check_name(name)
        || (unlikely(!(type->tp_flags & Py_TPFLAGS_READY)) && PyType_Ready(type) < 0)) {
        return -1;
    }
    Py_INCREF(name);
    if (PyUnicode_CheckExact(name)) {
        PyUnicode_InternInPlace(&name);
    }
    int result;
    PyObject *descr = type_lookup_ref(type, name, NULL);
    if (descr != NULL && Py_TYPE(descr)->tp_descr_set != NULL) {
        result = Py_TYPE(descr)->tp_descr_set(descr, op, value);
    } else if (dict != NULL) {
        result = set_in_dict(op, dict, name, value);
    } else if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        result = set_in_instance(op, name, value);
    } else if (type->tp_dictoffset == 0) {
        result = raise_cannot_set(op, name, descr);
    } else {
        PyObject *own = object_dict(op);
        result = own == NULL ? -1 : set_in_dict(op, own, name, value);
        Py_XDECREF(own);
    }
    Py_XDECREF(descr);
    Py_DECREF(name);
    return result;
}

int PyObject_GenericSetAttr(PyObject *op, PyObject *name, PyObject *value)
{
    return _PyObject_GenericSetAttrWithDict(op, name, value, NULL);
}

/* ---- methods --------------------------------------------------------------------------------- */

PyObject *object_lookup_special(PyObject *op, PyObject *name)
{
    PyObject *descr = type_lookup_ref(Py_TYPE(op), name, NULL);
    descrgetfunc get = descr == NULL ? NULL : Py_TYPE(descr)->tp_descr_get;
    if (get == NULL) {
        return descr;
    }
    PyObject *bound = get(descr, op, (PyObject *)Py_TYPE(op));
    Py_DECREF(descr);
    return bound;
}

int object_lookup_special_method(PyObject *op, PyObject *name, PyObject **method)
{
    PyObject *descr = type_lookup_ref(Py_TYPE(op), name, NULL);
    *method = descr;
    if (descr == NULL) {
        return 0;
    }
    if (PyType_HasFeature(Py_TYPE(descr), Py_TPFLAGS_METHOD_DESCRIPTOR)) {
        return 1;
    }
    descrgetfunc get = Py_TYPE(descr)->tp_descr_get;
    if (get != NULL) {
        *method = get(descr, op, (PyObject *)Py_TYPE(op));
        Py_DECREF(descr);
    }
    return *method == NULL ? -1 : 0;
}

int object_get_method(PyObject *op, PyObject *name, PyObject **method)
{
    PyTypeObject *type = Py_TYPE(op);
    if (type->tp_getattro != PyObject_GenericGetAttr || !PyUnicode_CheckExact(name)) {
        *method = PyObject_GetAttr(op, name);
        return *method == NULL ? -1 : 0;
    }
    PyObject *descr = type_lookup_ref(type, name, NULL);
    if (descr != NULL && PyType_HasFeature(Py_TYPE(descr), Py_TPFLAGS_METHOD_DESCRIPTOR)) {
        int found = type->tp_dictoffset == 0 ? 0 : get_from_instance(op, name, method);
        if (found == 0) {
            *method = descr;
            return 1;
        }
        Py_DECREF(descr);
        return found < 0 ? -1 : 0;
    }
    Py_XDECREF(descr);
    int found = object_get_generic(op, name, NULL, method);
    if (found == 0) {
        raise_no_attribute(op, name);
    }
    if (found <= 0) {
        complete_attribute_error(op, name);
        return -1;
    }
    return 0;
}

int _PyObject_GetMethod(PyObject *op, PyObject *name, PyObject **method)
{
    int unbound = object_get_method(op, name, method);
    return unbound > 0;
}

PyObject *_PyObject_LookupSpecial(PyObject *op, PyObject *name)
{
    return object_lookup_special(op, name);
}

/* ---- dir ------------------------------------------------------------------------------------- */

static PyObject *dir_of_locals(void)
{
    PyObject *locals = PyEval_GetFrameLocals();
    if (locals == NULL) {
        return NULL;
    }
    PyObject *names = PyMapping_Keys(locals);
    Py_DECREF(locals);
    if (names != NULL && !PyList_Check(names)) {
        PyErr_Format(PyExc_TypeError, "dir(): expected keys() of locals to be a list, not '%.200s'",
                     Py_TYPE(names)->tp_name);
        Py_CLEAR(names);
    }
    return names;
}

static PyObject *dir_of_object(PyObject *op)
{
    PyObject *method = object_lookup_special(op, ID(__dir__));
    if (method == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, "object does not provide __dir__");
        }
        return NULL;
    }
    PyObject *result = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (result == NULL) {
        return NULL;
    }
    PyObject *names = PySequence_List(result);
    Py_DECREF(result);
    return names;
}

PyObject *PyObject_Dir(PyObject *op)
{
    PyObject *names = op == NULL ? dir_of_locals() : dir_of_object(op);
    if (names != NULL && PyList_Sort(names) < 0) {
        Py_CLEAR(names);
    }
    return names;
}

/* ---- repr of containers ---------------------------------------------------------------------- */

/* The objects whose repr this thread is making. */
int Py_ReprEnter(PyObject *op)
{
    struct object_thread *thread = object_thread_self();
    if (thread->repr_running == NULL) {
        thread->repr_running = PyList_New(0);
        if (thread->repr_running == NULL) {
            return -1;
        }
    }
    PyObject *list = thread->repr_running;
    for (Py_ssize_t i = PyList_GET_SIZE(list); i-- > 0;) {
        if (PyList_GET_ITEM(list, i) == op) {
            return 1;
        }
    }
    return PyList_Append(list, op);
}

void Py_ReprLeave(PyObject *op)
{
    PyObject *list = object_thread_self()->repr_running;
    for (Py_ssize_t i = list == NULL ? 0 : PyList_GET_SIZE(list); i-- > 0;) {
        if (PyList_GET_ITEM(list, i) == op) {
            PyObject *raised = PyErr_GetRaisedException();
            PyList_SetSlice(list, i, i + 1, NULL);
            PyErr_SetRaisedException(raised);
            break;
        }
    }
}
