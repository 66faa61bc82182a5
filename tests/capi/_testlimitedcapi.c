/* The limited API for Python: what limited.list has, and what takes more than a call. */
#include "Python.h"

#include <stdalign.h>
#include <stddef.h>
#include <string.h>
#include <wchar.h>

#include "testing.h"

/* ---- helpers of the list --------------------------------------------------------------------------- */

/* The setter takes the reference. */
static int list_set_new(PyObject *list, Py_ssize_t index, PyObject *value)
{
    return PyList_SetItem(list, index, Py_XNewRef(value));
}

static PyObject *list_new_of(PyObject *size)
{
    Py_ssize_t length = PyLong_AsSsize_t(size);
    return length == -1 && PyErr_Occurred() ? NULL : PyList_New(length);
}

static PyObject *running_frame(void)
{
    return (PyObject *)PyEval_GetFrame();
}

/* No module and no exception is KeyError, as a class. */
static PyObject *import_get_module(PyObject *name)
{
    PyObject *module = PyImport_GetModule(name);
    return module != NULL ? module : borrowed_or(NULL, PyExc_KeyError);
}

/* -1 is a result, -2 the failure: it has an exception. */
static Py_ssize_t find_result(PyObject *str, PyObject *sub, Py_ssize_t start, Py_ssize_t end,
                              int direction)
{
    return PyUnicode_Find(str, sub, start, end, direction);
}

static Py_ssize_t find_char_result(PyObject *str, unsigned ch, Py_ssize_t start, Py_ssize_t end,
                                   int direction)
{
    return PyUnicode_FindChar(str, ch, start, end, direction);
}

#include "limited.h"

/* ---- bytes and bytearray --------------------------------------------------------------------------- */

FUNCTIONN(bytearray_asstring)
{
    PyObject *object;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(args, "On", &object, &length)) {
        return NULL;
    }
    NULLABLE(object);
    const char *text = PyByteArray_AsString(object);
    return text == NULL ? NULL : PyByteArray_FromStringAndSize(text, length);
}

FUNCTIONN(bytes_asstring)
{
    PyObject *object;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(args, "On", &object, &length)) {
        return NULL;
    }
    NULLABLE(object);
    const char *text = PyBytes_AsString(object);
    return text == NULL ? NULL : PyBytes_FromStringAndSize(text, length);
}

static PyObject *as_string_and_size(PyObject *args, int with_size)
{
    PyObject *object;
    Py_ssize_t length, size = UNSET_SIZE;
    char *text = UNSET_POINTER;
    if (!PyArg_ParseTuple(args, "On", &object, &length)) {
        return NULL;
    }
    NULLABLE(object);
    if (PyBytes_AsStringAndSize(object, &text, with_size ? &size : NULL) < 0) {
        return NULL;
    }
    return with_size ? Py_BuildValue("(y#n)", text, length, size)
                     : PyBytes_FromStringAndSize(text, length);
}

FUNCTIONN(bytes_asstringandsize)
{
    return as_string_and_size(args, 1);
}

FUNCTIONN(bytes_asstringandsize_null)
{
    return as_string_and_size(args, 0);
}

/* (left, right, new=False): with new the left one is a fresh object of one reference. */
static PyObject *concat_bytes(PyObject *args, int drop_right)
{
    PyObject *left, *right;
    int fresh = 0;
    if (!PyArg_ParseTuple(args, "OO|p", &left, &right, &fresh)) {
        return NULL;
    }
    NULLABLE(left);
    NULLABLE(right);
    if (fresh) {
        left = PyBytes_FromStringAndSize(PyBytes_AS_STRING(left), PyBytes_GET_SIZE(left));
        if (left == NULL) {
            return NULL;
        }
    } else {
        Py_XINCREF(left);
    }
    if (drop_right) {
        PyBytes_ConcatAndDel(&left, Py_XNewRef(right));
    } else {
        PyBytes_Concat(&left, right);
    }
    return left == NULL && !PyErr_Occurred() ? Py_NewRef(Py_None) : left;
}

FUNCTIONN(bytes_concat)
{
    return concat_bytes(args, 0);
}

FUNCTIONN(bytes_concatanddel)
{
    return concat_bytes(args, 1);
}

FUNCTIONN(bytes_decodeescape)
{
    const char *text, *errors = NULL;
    Py_ssize_t length, given = -100;
    if (!PyArg_ParseTuple(args, "z#|zn", &text, &length, &errors, &given)) {
        return NULL;
    }
    return PyBytes_DecodeEscape(text, given == -100 ? length : given, errors, 0, NULL);
}

/* ---- dict, tuple -------------------------------------------------------------------------------------- */

FUNCTIONN(dict_next)
{
    PyObject *dict, *key = UNSET_POINTER, *value = UNSET_POINTER;
    Py_ssize_t pos;
    if (!PyArg_ParseTuple(args, "On", &dict, &pos)) {
        return NULL;
    }
    NULLABLE(dict);
    if (PyDict_Next(dict, &pos, &key, &value)) {
        return Py_BuildValue("inOO", 1, pos, key, value);
    }
    if (key != UNSET_POINTER || value != UNSET_POINTER) {
        return failed("key and value are changed at the end");
    }
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

FUNCTIONN(tuple_pack)
{
    PyObject *first = NULL, *second = NULL;
    Py_ssize_t count;
    return PyArg_ParseTuple(args, "n|OO", &count, &first, &second)
               ? PyTuple_Pack(count, first, second)
               : NULL;
}

/* A copy of the tuple with one item changed. */
FUNCTIONN(tuple_setitem)
{
    PyObject *tuple, *value, *copy;
    Py_ssize_t index;
    if (!PyArg_ParseTuple(args, "OnO", &tuple, &index, &value)) {
        return NULL;
    }
    NULLABLE(value);
    if (!PyTuple_CheckExact(tuple)) {
        return PyTuple_SetItem(tuple, index, Py_XNewRef(value)) < 0 ? NULL
                                                                    : failed("that is no tuple");
    }
    Py_ssize_t size = PyTuple_Size(tuple);
    copy = PyTuple_New(size);
    for (Py_ssize_t i = 0; i < size && copy != NULL; i++) {
        PyTuple_SetItem(copy, i, Py_XNewRef(PyTuple_GetItem(tuple, i)));
    }
    if (copy != NULL && PyTuple_SetItem(copy, index, Py_XNewRef(value)) < 0) {
        Py_CLEAR(copy);
    }
    return copy;
}

/* A frozenset that nobody has seen yet may be filled. */
FUNCTION0(test_frozenset_add_in_capi)
{
    PyObject *set = PyFrozenSet_New(NULL), *number = PyLong_FromLong(123456);
    if (set == NULL || number == NULL || PySet_Add(set, number) < 0) {
        return NULL;
    }
    int good = PySet_Contains(set, number) == 1 && PySet_Size(set) == 1;
    Py_DECREF(set);
    Py_DECREF(number);
    return good ? Py_NewRef(Py_None) : failed("the frozenset has no such item");
}

/* ---- int ---------------------------------------------------------------------------------------------- */

FUNCTIONN(pylong_fromstring)
{
    const char *text;
    Py_ssize_t length;
    int base;
    char *end = UNSET_POINTER;
    if (!PyArg_ParseTuple(args, "z#i", &text, &length, &base)) {
        return NULL;
    }
    PyObject *number = PyLong_FromString(text, &end, base);
    return number == NULL ? NULL : Py_BuildValue("Nn", number, (Py_ssize_t)(end - text));
}

FUNCTION1(pylong_asvoidptr, number)
{
    NULLABLE(number);
    PyObject *object = PyLong_AsVoidPtr(number);
    return borrowed_or(object, Py_None);
}

FUNCTION1(pylong_aslongandoverflow, number)
{
    NULLABLE(number);
    int overflow = UNSET_INT;
    long value = PyLong_AsLongAndOverflow(number, &overflow);
    return value == -1 && PyErr_Occurred() ? NULL : Py_BuildValue("li", value, overflow);
}

FUNCTION1(pylong_aslonglongandoverflow, number)
{
    NULLABLE(number);
    int overflow = UNSET_INT;
    long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
    return value == -1 && PyErr_Occurred() ? NULL : Py_BuildValue("Li", value, overflow);
}

/* 2**shift + add (new reference). */
static PyObject *power_of_two(int shift, long add)
{
    PyObject *one = PyLong_FromLong(1), *by = PyLong_FromLong(shift), *rest = PyLong_FromLong(add);
    PyObject *power = PyNumber_Lshift(one, by), *sum = PyNumber_Add(power, rest);
    Py_DECREF(one);
    Py_DECREF(by);
    Py_DECREF(rest);
    Py_DECREF(power);
    return sum;
}

/* Does every conversion of the numbers around 2**shift give what 64 bits can say? */
static const char *check_conversions(int shift, long add)
{
    PyObject *number = power_of_two(shift, add);
    __int128 expected = ((__int128)1 << shift) + add;
    int overflow;
    const char *wrong = NULL;
    long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
    int fits = expected >= INT64_MIN && expected <= INT64_MAX;
    if (fits ? overflow != 0 || value != (long long)expected : overflow != 1 || value != -1) {
        wrong = "PyLong_AsLongLongAndOverflow";
    }
    long small = PyLong_AsLongAndOverflow(number, &overflow);
    if (fits ? overflow != 0 || small != (long)expected : overflow != 1 || small != -1) {
        wrong = "PyLong_AsLongAndOverflow";
    }
    if (PyLong_AsUnsignedLongLongMask(number) != (unsigned long long)expected
        || PyLong_AsUnsignedLongMask(number) != (unsigned long)expected) {
        wrong = "a mask";
    }
    unsigned long long all = PyLong_AsUnsignedLongLong(number);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        wrong = expected >= 0 && expected <= UINT64_MAX ? "PyLong_AsUnsignedLongLong" : wrong;
    } else if (expected < 0 || expected > UINT64_MAX || all != (unsigned long long)expected) {
        wrong = "PyLong_AsUnsignedLongLong";
    }
    size_t size = PyLong_AsSize_t(number);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        wrong = expected >= 0 && expected <= (__int128)SIZE_MAX ? "PyLong_AsSize_t" : wrong;
    } else if (expected < 0 || size != (size_t)expected) {
        wrong = "PyLong_AsSize_t";
    }
    if (fits) {
        PyObject *again = PyLong_FromLongLong((long long)expected);
        if (PyObject_RichCompareBool(again, number, Py_EQ) != 1) {
            wrong = "PyLong_FromLongLong";
        }
        Py_DECREF(again);
    }
    Py_DECREF(number);
    return wrong;
}

static PyObject *check_all_conversions(void)
{
    for (int shift = 0; shift < 100; shift++) {
        for (long add = -2; add <= 2; add++) {
            const char *wrong = check_conversions(shift, add);
            if (wrong != NULL) {
                return failed("%s of 2**%d + %ld", wrong, shift, add);
            }
        }
    }
    Py_RETURN_NONE;
}

FUNCTION0(test_long_api)
{
    return check_all_conversions();
}

FUNCTION0(test_longlong_api)
{
    return check_all_conversions();
}

FUNCTION0(test_long_and_overflow)
{
    return check_all_conversions();
}

FUNCTION0(test_long_long_and_overflow)
{
    return check_all_conversions();
}

/* What is no number is refused with an exception. */
#define REFUSES(call) ((call), PyErr_ExceptionMatches(PyExc_TypeError) ? (PyErr_Clear(), 1) : 0)

FUNCTION0(test_long_as_unsigned_long_long_mask)
{
    PyErr_Clear();
    PyLong_AsUnsignedLongLongMask(NULL);
    if (!PyErr_Occurred() || !PyErr_ExceptionMatches(PyExc_SystemError)) {
        return failed("NULL is taken for a number");
    }
    PyErr_Clear();
    return check_all_conversions();
}

FUNCTION0(test_long_as_size_t)
{
    PyLong_AsSize_t(Py_None);
    return PyErr_Occurred() && REFUSES((void)0) ? check_all_conversions()
                                                : failed("None is taken for a number");
}

FUNCTION0(test_long_as_double)
{
    PyObject *number = power_of_two(80, 0);
    double value = PyLong_AsDouble(number);
    Py_DECREF(number);
    if (value != 0x1p80) {
        return failed("2**80 as double");
    }
    PyLong_AsDouble(Py_None);
    return PyErr_Occurred() && REFUSES((void)0) ? Py_NewRef(Py_None)
                                                : failed("None is taken for a number");
}

/* ---- str ---------------------------------------------------------------------------------------------- */

/* A str that nobody else has a reference to (new reference), or the object itself. */
static PyObject *unshared(PyObject *text)
{
    if (text == NULL || !PyUnicode_Check(text)) {
        return Py_XNewRef(text);
    }
    PyObject *encoded = PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass");
    PyObject *copy =
        encoded == NULL ? NULL : PyUnicode_FromEncodedObject(encoded, "utf-8", "surrogatepass");
    Py_XDECREF(encoded);
    return copy;
}

FUNCTIONN(unicode_writechar)
{
    PyObject *from;
    Py_ssize_t index;
    unsigned ch;
    if (!PyArg_ParseTuple(args, "OnI", &from, &index, &ch)) {
        return NULL;
    }
    NULLABLE(from);
    PyObject *copy = unshared(from);
    if (copy == NULL) {
        return NULL;
    }
    int result = PyUnicode_WriteChar(copy, index, ch);
    if (result < 0) {
        Py_DECREF(copy);
        return NULL;
    }
    return Py_BuildValue("(Ni)", copy, result);
}

FUNCTIONN(unicode_resize)
{
    PyObject *text;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(args, "On", &text, &length)) {
        return NULL;
    }
    NULLABLE(text);
    PyObject *copy = unshared(text);
    if (copy == NULL && text != NULL) {
        return NULL;
    }
    int result = PyUnicode_Resize(&copy, length);
    if (result < 0) {
        Py_XDECREF(copy);
        return NULL;
    }
    if (length > PyUnicode_GetLength(text)) {
        /* The new characters are whatever was there. */
        for (Py_ssize_t i = PyUnicode_GetLength(text); i < length; i++) {
            PyUnicode_WriteChar(copy, i, 0);
        }
    }
    return Py_BuildValue("(Ni)", copy, result);
}

FUNCTIONN(unicode_append)
{
    PyObject *left, *right;
    if (!PyArg_ParseTuple(args, "OO", &left, &right)) {
        return NULL;
    }
    NULLABLE(left);
    NULLABLE(right);
    Py_XINCREF(left);
    PyUnicode_Append(&left, right);
    return left;
}

FUNCTIONN(unicode_appendanddel)
{
    PyObject *left, *right;
    if (!PyArg_ParseTuple(args, "OO", &left, &right)) {
        return NULL;
    }
    NULLABLE(left);
    NULLABLE(right);
    Py_XINCREF(left);
    PyUnicode_AppendAndDel(&left, Py_XNewRef(right));
    return left;
}

FUNCTION1(unicode_interninplace, text)
{
    NULLABLE(text);
    Py_XINCREF(text);
    PyUnicode_InternInPlace(&text);
    return text;
}

FUNCTIONN(unicode_fromwidechar)
{
    const char *data;
    Py_ssize_t bytes, size = -100;
    if (!PyArg_ParseTuple(args, "z#|n", &data, &bytes, &size)) {
        return NULL;
    }
    if (size == -100) {
        if (bytes % (Py_ssize_t)sizeof(wchar_t) != 0) {
            return failed("the bytes are not whole characters");
        }
        size = bytes / (Py_ssize_t)sizeof(wchar_t);
    }
    return PyUnicode_FromWideChar((const wchar_t *)data, size);
}

FUNCTIONN(unicode_aswidechar)
{
    PyObject *text;
    Py_ssize_t length;
    wchar_t buffer[100];
    if (!PyArg_ParseTuple(args, "On", &text, &length)) {
        return NULL;
    }
    NULLABLE(text);
    if (length < 0 || length > 100) {
        PyErr_SetString(PyExc_ValueError, "the length must be in range(101)");
        return NULL;
    }
    Py_ssize_t size = PyUnicode_AsWideChar(text, buffer, length);
    if (size < 0) {
        return NULL;
    }
    /* The terminator is copied too if there is room. */
    return Py_BuildValue("(Nn)", PyUnicode_FromWideChar(buffer, size < length ? size + 1 : size),
                         size);
}

FUNCTIONN(unicode_aswidechar_null)
{
    PyObject *text;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(args, "On", &text, &length)) {
        return NULL;
    }
    NULLABLE(text);
    return size_or_error(PyUnicode_AsWideChar(text, NULL, length));
}

FUNCTION1(unicode_aswidecharstring, text)
{
    Py_ssize_t size = UNSET_SIZE;
    NULLABLE(text);
    wchar_t *wide = PyUnicode_AsWideCharString(text, &size);
    if (wide == NULL) {
        return NULL;
    }
    PyObject *copy = PyUnicode_FromWideChar(wide, size + 1);
    PyMem_Free(wide);
    return copy == NULL ? NULL : Py_BuildValue("(Nn)", copy, size);
}

FUNCTION1(unicode_aswidecharstring_null, text)
{
    NULLABLE(text);
    wchar_t *wide = PyUnicode_AsWideCharString(text, NULL);
    PyObject *copy = wide == NULL ? NULL : PyUnicode_FromWideChar(wide, -1);
    PyMem_Free(wide);
    return copy;
}

static PyObject *as_utf8_and_size(PyObject *args, int with_size)
{
    PyObject *text;
    Py_ssize_t length, size = UNSET_SIZE;
    if (!PyArg_ParseTuple(args, "On", &text, &length)) {
        return NULL;
    }
    NULLABLE(text);
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, with_size ? &size : NULL);
    if (utf8 == NULL) {
        return with_size && size != -1 ? failed("the size after a failure") : NULL;
    }
    return with_size ? Py_BuildValue("(y#n)", utf8, length, size)
                     : PyBytes_FromStringAndSize(utf8, length);
}

FUNCTIONN(unicode_asutf8andsize)
{
    return as_utf8_and_size(args, 1);
}

FUNCTIONN(unicode_asutf8andsize_null)
{
    return as_utf8_and_size(args, 0);
}

FUNCTIONN(unicode_split)
{
    PyObject *text, *separator;
    Py_ssize_t most = -1;
    if (!PyArg_ParseTuple(args, "OO|n", &text, &separator, &most)) {
        return NULL;
    }
    NULLABLE(text);
    NULLABLE(separator);
    return PyUnicode_Split(text, separator, most);
}

FUNCTIONN(unicode_rsplit)
{
    PyObject *text, *separator;
    Py_ssize_t most = -1;
    if (!PyArg_ParseTuple(args, "OO|n", &text, &separator, &most)) {
        return NULL;
    }
    NULLABLE(text);
    NULLABLE(separator);
    return PyUnicode_RSplit(text, separator, most);
}

FUNCTIONN(unicode_replace)
{
    PyObject *text, *from, *to;
    Py_ssize_t most = -1;
    if (!PyArg_ParseTuple(args, "OOO|n", &text, &from, &to, &most)) {
        return NULL;
    }
    NULLABLE(text);
    NULLABLE(from);
    NULLABLE(to);
    return PyUnicode_Replace(text, from, to, most);
}

typedef PyObject *stateful_decoder(const char *, Py_ssize_t, const char *, Py_ssize_t *);

static PyObject *decode_stateful(PyObject *args, stateful_decoder *decode)
{
    const char *data, *errors = NULL;
    Py_ssize_t size, consumed = UNSET_SIZE;
    if (!PyArg_ParseTuple(args, "z#|z", &data, &size, &errors)) {
        return NULL;
    }
    PyObject *text = decode(data, size, errors, &consumed);
    return text == NULL ? NULL : Py_BuildValue("(Nn)", text, consumed);
}

FUNCTIONN(unicode_decodeutf7stateful)
{
    return decode_stateful(args, PyUnicode_DecodeUTF7Stateful);
}

FUNCTIONN(unicode_decodeutf8stateful)
{
    return decode_stateful(args, PyUnicode_DecodeUTF8Stateful);
}

typedef PyObject *order_decoder(const char *, Py_ssize_t, const char *, int *);

static PyObject *decode_ordered(PyObject *args, order_decoder *decode)
{
    int order;
    const char *data, *errors = NULL;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "iz#|z", &order, &data, &size, &errors)) {
        return NULL;
    }
    PyObject *text = decode(data, size, errors, &order);
    return text == NULL ? NULL : Py_BuildValue("(iN)", order, text);
}

FUNCTIONN(unicode_decodeutf16)
{
    return decode_ordered(args, PyUnicode_DecodeUTF16);
}

FUNCTIONN(unicode_decodeutf32)
{
    return decode_ordered(args, PyUnicode_DecodeUTF32);
}

typedef PyObject *ordered_stateful(const char *, Py_ssize_t, const char *, int *, Py_ssize_t *);

static PyObject *decode_ordered_stateful(PyObject *args, ordered_stateful *decode)
{
    int order;
    const char *data, *errors = NULL;
    Py_ssize_t size, consumed = UNSET_SIZE;
    if (!PyArg_ParseTuple(args, "iz#|z", &order, &data, &size, &errors)) {
        return NULL;
    }
    PyObject *text = decode(data, size, errors, &order, &consumed);
    return text == NULL ? NULL : Py_BuildValue("(iNn)", order, text, consumed);
}

FUNCTIONN(unicode_decodeutf16stateful)
{
    return decode_ordered_stateful(args, PyUnicode_DecodeUTF16Stateful);
}

FUNCTIONN(unicode_decodeutf32stateful)
{
    return decode_ordered_stateful(args, PyUnicode_DecodeUTF32Stateful);
}

#define EXPECT_TEXT(expected, ...)                                                                 \
    do {                                                                                           \
        PyObject *text = PyUnicode_FromFormat(__VA_ARGS__);                                        \
        int same = text != NULL && PyUnicode_EqualToUTF8(text, expected);                          \
        Py_XDECREF(text);                                                                          \
        if (!same) {                                                                               \
            return failed("line %d: not %s", __LINE__, expected);                                  \
        }                                                                                          \
    } while (0)

FUNCTION0(test_string_from_format)
{
    EXPECT_TEXT("%", "%%");
    EXPECT_TEXT("a", "%c", 'a');
    EXPECT_TEXT("-7 -8 -9 -10 -11", "%d %ld %lld %zd %i", -7, -8L, -9LL, (Py_ssize_t)-10, -11);
    EXPECT_TEXT("7 8 9 10", "%u %lu %llu %zu", 7, 8UL, 9ULL, (size_t)10);
    EXPECT_TEXT("ff FF 17 ff", "%x %X %o %lx", 255, 255, 15, 255L);
    EXPECT_TEXT("-1 18446744073709551615 12 -13", "%jd %ju %td %ti", (intmax_t)-1, (uintmax_t)-1,
                (ptrdiff_t)12, (ptrdiff_t)-13);
    EXPECT_TEXT("[   5] [0005] [5   ]", "[%4d] [%04d] [%-4d]", 5, 5, 5);
    EXPECT_TEXT("[  007]", "[%5.3d]", 7);
    EXPECT_TEXT("[abc] [  ab] [ab  ] [abc]", "[%s] [%4.2s] [%-4.2s] [%.9s]", "abc", "abc", "abc",
                "abc");
    EXPECT_TEXT("w: xyz", "w: %ls", L"xyz");
    PyObject *name = PyUnicode_FromString("\xc3\xa9");
    EXPECT_TEXT("\xc3\xa9 '\xc3\xa9' \xc3\xa9 '\\xe9' v", "%U %R %S %A %V", name, name, name, name,
                NULL, "v");
    EXPECT_TEXT("str T:str", "%T T:%N", name, Py_TYPE(name));
    Py_DECREF(name);
    PyObject *text = PyUnicode_FromFormat("%y", 1);
    if (text != NULL || !PyErr_ExceptionMatches(PyExc_SystemError)) {
        Py_XDECREF(text);
        return failed("%%y is taken for a format");
    }
    PyErr_Clear();
    Py_RETURN_NONE;
}

FUNCTION0(test_unicode_compare_with_ascii)
{
    PyObject *text = PyUnicode_FromStringAndSize("str\0", 4);
    int result = text == NULL ? 0 : PyUnicode_CompareWithASCIIString(text, "str");
    Py_XDECREF(text);
    return result > 0 ? Py_NewRef(Py_None) : failed("a NUL at the end counts for nothing");
}

FUNCTION0(test_widechar)
{
    const wchar_t wide[] = {(wchar_t)0x10abcd};
    PyObject *text = PyUnicode_FromWideChar(wide, 1),
             *same = PyUnicode_FromString("\xf4\x8a\xaf\x8d");
    int good = text != NULL && same != NULL && PyUnicode_GetLength(text) == 1
               && PyUnicode_Compare(text, same) == 0;
    Py_XDECREF(text);
    Py_XDECREF(same);
    if (!good) {
        return failed("a wide character");
    }
    const wchar_t invalid[] = {(wchar_t)0x110000};
    text = PyUnicode_FromWideChar(invalid, 1);
    if (text != NULL) {
        Py_DECREF(text);
        return failed("a character above the last");
    }
    PyErr_Clear();
    Py_RETURN_NONE;
}

/* ---- text of the system -------------------------------------------------------------------------------- */

FUNCTION0(test_PyOS_mystrnicmp)
{
    return PyOS_mystrnicmp("", "", 0) == 0 && PyOS_mystrnicmp("", "", 1) == 0
                   && PyOS_mystrnicmp("inSEnsitive", "ins", 3) == 0
                   && PyOS_mystrnicmp("inSEnsitive", "insA", 4) > 0
                   && PyOS_mystrnicmp("ab", "a", 2) > 0 && PyOS_mystrnicmp("a", "ab", 2) < 0
                   && PyOS_mystrnicmp("a", "b", 0) == 0
               ? Py_NewRef(Py_None)
               : failed("PyOS_mystrnicmp");
}

FUNCTION0(test_PyOS_mystricmp)
{
    return PyOS_mystricmp("", "") == 0 && PyOS_mystricmp("inSEnsitive", "INsenSITIVE") == 0
                   && PyOS_mystricmp("insensitive", "insensitivE1") < 0
                   && PyOS_mystricmp("b", "A") > 0
               ? Py_NewRef(Py_None)
               : failed("PyOS_mystricmp");
}

/* ---- constants ------------------------------------------------------------------------------------------ */

FUNCTION0(test_constants)
{
    PyObject *const known[] = {Py_None, Py_False, Py_True, Py_Ellipsis, Py_NotImplemented};
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
        PyObject *constant = Py_GetConstant(i);
        Py_XDECREF(constant);
        if (constant != known[i] || Py_GetConstantBorrowed(i) != known[i]) {
            return failed("constant %u", i);
        }
    }
    Py_RETURN_NONE;
}

/* ---- calls ------------------------------------------------------------------------------------------------ */

/* callable("foo", baz="bar") by vectorcall, with the slot in front of the arguments to write to. */
FUNCTION1(call_vectorcall, callable)
{
    PyObject *args[3] = {NULL}, *names = NULL, *result = NULL;
    args[1] = PyUnicode_FromString("foo");
    args[2] = PyUnicode_FromString("bar");
    names = Py_BuildValue("(s)", "baz");
    if (args[1] != NULL && args[2] != NULL && names != NULL) {
        result = PyObject_Vectorcall(callable, args + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, names);
    }
    Py_XDECREF(args[1]);
    Py_XDECREF(args[2]);
    Py_XDECREF(names);
    return result;
}

/* object.f("foo", baz="bar") in the same way. */
FUNCTION1(call_vectorcall_method, object)
{
    PyObject *args[4] = {NULL}, *names = NULL, *result = NULL, *method = PyUnicode_FromString("f");
    args[1] = Py_NewRef(object);
    args[2] = PyUnicode_FromString("foo");
    args[3] = PyUnicode_FromString("bar");
    names = Py_BuildValue("(s)", "baz");
    if (method != NULL && args[2] != NULL && args[3] != NULL && names != NULL) {
        result =
            PyObject_VectorcallMethod(method, args + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, names);
    }
    Py_XDECREF(args[1]);
    Py_XDECREF(args[2]);
    Py_XDECREF(args[3]);
    Py_XDECREF(names);
    Py_XDECREF(method);
    return result;
}

struct vectorcall_object {
    PyObject_HEAD
    vectorcallfunc vectorcall;
};

static PyObject *vectorcall_called(PyObject *self, PyObject *const *args, size_t nargs,
                                   PyObject *names)
{
    return PyUnicode_FromString("vectorcall called");
}

static PyObject *tpcall_called(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return PyUnicode_FromString("tp_call called");
}

static PyObject *vectorcall_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    PyObject *self = alloc(type, 0);
    if (self != NULL) {
        ((struct vectorcall_object *)self)->vectorcall = vectorcall_called;
    }
    return self;
}

static PyMemberDef vectorcall_members[] = {
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(struct vectorcall_object, vectorcall),
     Py_READONLY, NULL},
    {NULL},
};

static PyType_Slot vectorcall_slots[] = {
    {Py_tp_new, vectorcall_new},
    {Py_tp_call, tpcall_called},
    {Py_tp_members, vectorcall_members},
    {0, NULL},
};

static PyType_Spec vectorcall_spec = {
    .name = "_testlimitedcapi.LimitedVectorCallClass",
    .basicsize = sizeof(struct vectorcall_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_BASETYPE,
    .slots = vectorcall_slots,
};

/* ---- types whose size is relative to the base's ------------------------------------------------------------ */

static PyType_Slot no_slots[] = {{0, NULL}};

/* (basicsize, a type with that offset, ...) of a base class with extra room. */
FUNCTIONN(make_sized_heaptypes)
{
    PyObject *result = NULL, *base = NULL, *sub = NULL, *instance = NULL;
    int extra_base, basicsize;
    if (!PyArg_ParseTuple(args, "ii", &extra_base, &basicsize)) {
        return NULL;
    }
    PyType_Spec base_spec = {
        .name = "_testcapi.Base",
        .basicsize = (int)sizeof(PyObject) + extra_base,
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
        .slots = no_slots,
    };
    PyType_Spec sub_spec = {
        .name = "_testcapi.Sub",
        .basicsize = basicsize,
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
        .slots = no_slots,
    };
    base = PyType_FromMetaclass(NULL, NULL, &base_spec, NULL);
    sub = base == NULL ? NULL : PyType_FromMetaclass(NULL, NULL, &sub_spec, base);
    instance = sub == NULL ? NULL : PyObject_CallNoArgs(sub);
    if (instance != NULL) {
        char *data = PyObject_GetTypeData(instance, (PyTypeObject *)sub);
        Py_ssize_t size = PyType_GetTypeDataSize((PyTypeObject *)sub);
        if (data != NULL && size >= 0) {
            for (Py_ssize_t i = 0; i < size; i++) {
                if (data[i] != 0) {
                    failed("the type's data are not zero");
                }
            }
            memset(data, 0xdd, (size_t)size);
            if (!PyErr_Occurred()) {
                result = Py_BuildValue("OOONnn", base, sub, instance, PyLong_FromVoidPtr(data),
                                       (Py_ssize_t)(data - (char *)instance), size);
            }
        }
    }
    Py_XDECREF(base);
    Py_XDECREF(sub);
    Py_XDECREF(instance);
    return result;
}

/* All bytes of the type's own data are set to 3. */
static PyObject *fill_with_3s(PyObject *self, PyTypeObject *type, PyObject *const *args,
                              Py_ssize_t nargs, PyObject *names)
{
    void *data = PyObject_GetTypeData(self, type);
    Py_ssize_t size = PyType_GetTypeDataSize(type);
    if (data == NULL || size < 0) {
        return NULL;
    }
    memset(data, 3, (size_t)size);
    Py_RETURN_NONE;
}

static PyObject *get_data(PyObject *self, PyTypeObject *type, PyObject *const *args,
                          Py_ssize_t nargs, PyObject *names)
{
    void *data = PyObject_GetTypeData(self, type);
    Py_ssize_t size = PyType_GetTypeDataSize(type);
    return data == NULL || size < 0 ? NULL : PyBytes_FromStringAndSize(data, size);
}

#define CLASS_METHOD(name, function)                                                               \
    {                                                                                              \
        name, (PyCFunction)(void (*)(void))function, METH_METHOD | METH_FASTCALL | METH_KEYWORDS,  \
            NULL                                                                                   \
    }

static PyMethodDef data_methods[] = {
    CLASS_METHOD("set_data_to_3s", fill_with_3s),
    CLASS_METHOD("get_data", get_data),
    {NULL},
};

static PyType_Slot data_slots[] = {{Py_tp_methods, data_methods}, {0, NULL}};

static PyObject *make_subclass(PyObject *base, int basicsize, int itemsize, PyType_Slot *slots,
                               unsigned flags)
{
    PyType_Spec spec = {
        .name = "_testcapi.Sub",
        .basicsize = basicsize,
        .itemsize = itemsize,
        .flags = Py_TPFLAGS_DEFAULT | flags,
        .slots = slots,
    };
    return PyType_FromMetaclass(NULL, NULL, &spec, base);
}

FUNCTIONN(subclass_var_heaptype)
{
    PyObject *base;
    int basicsize, itemsize;
    long unused;
    return PyArg_ParseTuple(args, "Oiil", &base, &basicsize, &itemsize, &unused)
               ? make_subclass(base, basicsize, itemsize, data_slots, Py_TPFLAGS_ITEMS_AT_END)
               : NULL;
}

FUNCTIONN(subclass_heaptype)
{
    PyObject *base;
    int basicsize, itemsize;
    return PyArg_ParseTuple(args, "Oii", &base, &basicsize, &itemsize)
               ? make_subclass(base, basicsize, itemsize, no_slots, 0)
               : NULL;
}

/* The member of the type, with an absolute offset, or as if that were relative to the type's data. */
static PyMemberDef member_of(PyTypeObject *type, int relative)
{
    PyMemberDef member = *(PyMemberDef *)PyType_GetSlot(type, Py_tp_members);
    member.flags |= relative ? Py_RELATIVE_OFFSET : 0;
    return member;
}

static PyObject *get_memb(PyObject *self, PyTypeObject *type, PyObject *const *args,
                          Py_ssize_t nargs, PyObject *names)
{
    PyMemberDef member = member_of(type, 0);
    return PyMember_GetOne((const char *)self, &member);
}

static PyObject *set_memb(PyObject *self, PyTypeObject *type, PyObject *const *args,
                          Py_ssize_t nargs, PyObject *names)
{
    PyMemberDef member = member_of(type, 0);
    return none_or_error(PyMember_SetOne((char *)self, &member, args[0]));
}

static PyObject *get_memb_offset(PyObject *self, PyTypeObject *type, PyObject *const *args,
                                 Py_ssize_t nargs, PyObject *names)
{
    return PyLong_FromSsize_t(member_of(type, 0).offset);
}

static PyObject *get_memb_relative(PyObject *self, PyTypeObject *type, PyObject *const *args,
                                   Py_ssize_t nargs, PyObject *names)
{
    PyMemberDef member = member_of(type, 1);
    return PyMember_GetOne((const char *)self, &member);
}

static PyObject *set_memb_relative(PyObject *self, PyTypeObject *type, PyObject *const *args,
                                   Py_ssize_t nargs, PyObject *names)
{
    PyMemberDef member = member_of(type, 1);
    return none_or_error(PyMember_SetOne((char *)self, &member, args[0]));
}

static PyMethodDef memb_methods[] = {
    CLASS_METHOD("get_memb", get_memb),
    CLASS_METHOD("set_memb", set_memb),
    CLASS_METHOD("get_memb_offset", get_memb_offset),
    CLASS_METHOD("get_memb_relative", get_memb_relative),
    CLASS_METHOD("set_memb_relative", set_memb_relative),
    {NULL},
};

/* A class with a byte `memb` at `offset` of its own data, below a class that is larger than object. */
FUNCTIONN(make_heaptype_with_member)
{
    int extra_base, basicsize, offset, relative;
    if (!PyArg_ParseTuple(args, "iiip", &extra_base, &basicsize, &offset, &relative)) {
        return NULL;
    }
    PyType_Spec base_spec = {
        .name = "_testcapi.Base",
        .basicsize = (int)sizeof(PyObject) + extra_base,
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
        .slots = no_slots,
    };
    PyMemberDef members[] = {
        {"memb", Py_T_BYTE, offset, relative ? Py_RELATIVE_OFFSET : 0, NULL},
        {NULL},
    };
    PyType_Slot slots[] = {{Py_tp_members, members}, {Py_tp_methods, memb_methods}, {0, NULL}};
    PyType_Spec spec = {
        .name = "_testcapi.Derived",
        .basicsize = basicsize,
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
        .slots = slots,
    };
    PyObject *base = PyType_FromMetaclass(NULL, NULL, &base_spec, NULL);
    PyObject *type = base == NULL ? NULL : PyType_FromMetaclass(NULL, NULL, &spec, base);
    Py_XDECREF(base);
    return type;
}

FUNCTION0(test_alignof_max_align_t)
{
    return (int)alignof(max_align_t) >= alignof(long double)
                   && ALIGNOF_MAX_ALIGN_T % alignof(void *) == 0
               ? Py_NewRef(Py_None)
               : failed("the largest alignment");
}

/* ---- the module ------------------------------------------------------------------------------------------- */

static PyMethodDef methods[] = {
    LIMITED_TABLE VARARGS(bytearray_asstring),
    VARARGS(bytes_asstring),
    VARARGS(bytes_asstringandsize),
    VARARGS(bytes_asstringandsize_null),
    VARARGS(bytes_concat),
    VARARGS(bytes_concatanddel),
    VARARGS(bytes_decodeescape),
    VARARGS(dict_next),
    VARARGS(tuple_pack),
    VARARGS(tuple_setitem),
    NOARGS(test_frozenset_add_in_capi),
    VARARGS(pylong_fromstring),
    ONE(pylong_asvoidptr),
    ONE(pylong_aslongandoverflow),
    ONE(pylong_aslonglongandoverflow),
    NOARGS(test_long_api),
    NOARGS(test_longlong_api),
    NOARGS(test_long_and_overflow),
    NOARGS(test_long_long_and_overflow),
    NOARGS(test_long_as_unsigned_long_long_mask),
    NOARGS(test_long_as_size_t),
    NOARGS(test_long_as_double),
    VARARGS(unicode_writechar),
    VARARGS(unicode_resize),
    VARARGS(unicode_append),
    VARARGS(unicode_appendanddel),
    ONE(unicode_interninplace),
    VARARGS(unicode_fromwidechar),
    VARARGS(unicode_aswidechar),
    VARARGS(unicode_aswidechar_null),
    ONE(unicode_aswidecharstring),
    ONE(unicode_aswidecharstring_null),
    VARARGS(unicode_asutf8andsize),
    VARARGS(unicode_asutf8andsize_null),
    VARARGS(unicode_split),
    VARARGS(unicode_rsplit),
    VARARGS(unicode_replace),
    VARARGS(unicode_decodeutf7stateful),
    VARARGS(unicode_decodeutf8stateful),
    VARARGS(unicode_decodeutf16),
    VARARGS(unicode_decodeutf32),
    VARARGS(unicode_decodeutf16stateful),
    VARARGS(unicode_decodeutf32stateful),
    NOARGS(test_string_from_format),
    NOARGS(test_unicode_compare_with_ascii),
    NOARGS(test_widechar),
    NOARGS(test_PyOS_mystrnicmp),
    NOARGS(test_PyOS_mystricmp),
    NOARGS(test_constants),
    ONE(call_vectorcall),
    ONE(call_vectorcall_method),
    VARARGS(make_sized_heaptypes),
    VARARGS(subclass_var_heaptype),
    VARARGS(subclass_heaptype),
    VARARGS(make_heaptype_with_member),
    NOARGS(test_alignof_max_align_t),
    {NULL},
};

static int exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &vectorcall_spec, NULL);
    if (type == NULL || PyModule_AddType(module, (PyTypeObject *)type) < 0) {
        Py_XDECREF(type);
        return -1;
    }
    Py_DECREF(type);
    return PyModule_AddIntConstant(module, "ALIGNOF_MAX_ALIGN_T", alignof(max_align_t));
}

MODULE(_testlimitedcapi, methods, exec)
