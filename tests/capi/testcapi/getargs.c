/* PyArg_Parse*: each format unit, keywords, building values. */
#include "parts.h"

#include <string.h>

/* ---- numbers, one unit each ------------------------------------------------------------------------ */

#define NUMBER_UNIT(unit, ctype, make)                                                             \
    FUNCTIONN(getargs_##unit)                                                                      \
    {                                                                                              \
        ctype value;                                                                               \
        return PyArg_ParseTuple(args, #unit, &value) ? make(value) : NULL;                         \
    }

NUMBER_UNIT(b, unsigned char, PyLong_FromUnsignedLong)
NUMBER_UNIT(B, unsigned char, PyLong_FromUnsignedLong)
NUMBER_UNIT(h, short, PyLong_FromLong)
NUMBER_UNIT(H, unsigned short, PyLong_FromUnsignedLong)
NUMBER_UNIT(i, int, PyLong_FromLong)
NUMBER_UNIT(I, unsigned, PyLong_FromUnsignedLong)
NUMBER_UNIT(l, long, PyLong_FromLong)
NUMBER_UNIT(k, unsigned long, PyLong_FromUnsignedLong)
NUMBER_UNIT(L, long long, PyLong_FromLongLong)
NUMBER_UNIT(K, unsigned long long, PyLong_FromUnsignedLongLong)
NUMBER_UNIT(n, Py_ssize_t, PyLong_FromSsize_t)
NUMBER_UNIT(f, float, PyFloat_FromDouble)
NUMBER_UNIT(d, double, PyFloat_FromDouble)
NUMBER_UNIT(D, Py_complex, PyComplex_FromCComplex)
NUMBER_UNIT(p, int, PyLong_FromLong)
NUMBER_UNIT(c, char, PyLong_FromLong)
NUMBER_UNIT(C, int, PyLong_FromLong)
NUMBER_UNIT(S, PyObject *, Py_NewRef)
NUMBER_UNIT(Y, PyObject *, Py_NewRef)
NUMBER_UNIT(U, PyObject *, Py_NewRef)

/* ---- text and buffers ------------------------------------------------------------------------------- */

static PyObject *bytes_or_none(const char *text)
{
    return text == NULL ? Py_NewRef(Py_None) : PyBytes_FromString(text);
}

static PyObject *sized_or_none(const char *text, Py_ssize_t size)
{
    return text == NULL ? Py_NewRef(Py_None) : PyBytes_FromStringAndSize(text, size);
}

#define TEXT_UNIT(unit)                                                                            \
    FUNCTIONN(getargs_##unit)                                                                      \
    {                                                                                              \
        const char *text;                                                                          \
        return PyArg_ParseTuple(args, #unit, &text) ? bytes_or_none(text) : NULL;                  \
    }                                                                                              \
    FUNCTIONN(getargs_##unit##_hash)                                                               \
    {                                                                                              \
        const char *text;                                                                          \
        Py_ssize_t size;                                                                           \
        return PyArg_ParseTuple(args, #unit "#", &text, &size) ? sized_or_none(text, size) : NULL; \
    }                                                                                              \
    FUNCTIONN(getargs_##unit##_star)                                                               \
    {                                                                                              \
        Py_buffer buffer;                                                                          \
        if (!PyArg_ParseTuple(args, #unit "*", &buffer)) {                                         \
            return NULL;                                                                           \
        }                                                                                          \
        PyObject *bytes = sized_or_none(buffer.buf, buffer.len);                                   \
        PyBuffer_Release(&buffer);                                                                 \
        return bytes;                                                                              \
    }

TEXT_UNIT(s)
TEXT_UNIT(z)
TEXT_UNIT(y)

/* The buffer's ends are changed, and given back as bytes. */
static PyObject *change_ends(Py_buffer *buffer)
{
    char *data = buffer->buf;
    if (buffer->len >= 2) {
        data[0] = '[';
        data[buffer->len - 1] = ']';
    }
    PyObject *bytes = PyBytes_FromStringAndSize(data, buffer->len);
    PyBuffer_Release(buffer);
    return bytes;
}

FUNCTIONN(getargs_w_star)
{
    Py_buffer buffer;
    return PyArg_ParseTuple(args, "w*", &buffer) ? change_ends(&buffer) : NULL;
}

FUNCTIONN(getargs_w_star_opt)
{
    Py_buffer buffer, second;
    int number = 1;
    if (!PyArg_ParseTuple(args, "w*|w*i", &buffer, &second, &number)) {
        return NULL;
    }
    return change_ends(&buffer);
}

/* (text, encoding=None, buffer=None): with a buffer the text is put there. */
static PyObject *encoded(PyObject *args, const char *format)
{
    PyObject *object;
    const char *encoding = NULL;
    char *text = NULL;
    if (!PyArg_ParseTuple(args, "O|s", &object, &encoding)) {
        return NULL;
    }
    PyObject *one = PyTuple_Pack(1, object), *result = NULL;
    if (one != NULL && PyArg_ParseTuple(one, format, encoding, &text)) {
        result = PyBytes_FromString(text);
        PyMem_Free(text);
    }
    Py_XDECREF(one);
    return result;
}

static PyObject *encoded_sized(PyObject *args, const char *format)
{
    PyObject *object, *buffer = NULL, *result = NULL;
    const char *encoding = NULL;
    char *text = NULL;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "O|sY", &object, &encoding, &buffer)) {
        return NULL;
    }
    if (buffer != NULL) {
        text = PyByteArray_AS_STRING(buffer);
        size = PyByteArray_GET_SIZE(buffer);
    }
    PyObject *one = PyTuple_Pack(1, object);
    if (one != NULL && PyArg_ParseTuple(one, format, encoding, &text, &size)) {
        result = PyBytes_FromStringAndSize(text, size);
        if (buffer == NULL) {
            PyMem_Free(text);
        }
    }
    Py_XDECREF(one);
    return result;
}

FUNCTIONN(getargs_es)
{
    return encoded(args, "es");
}

FUNCTIONN(getargs_et)
{
    return encoded(args, "et");
}

FUNCTIONN(getargs_es_hash)
{
    return encoded_sized(args, "es#");
}

FUNCTIONN(getargs_et_hash)
{
    return encoded_sized(args, "et#");
}

/* A later failure must free what an earlier unit has allocated. */
FUNCTIONN(gh_99240_clear_args)
{
    char *a = NULL, *b = NULL;
    if (!PyArg_ParseTuple(args, "eses", "idna", &a, "idna", &b)) {
        return a == NULL && b == NULL ? NULL : failed("the strings have not been cleared");
    }
    PyMem_Free(a);
    PyMem_Free(b);
    Py_RETURN_NONE;
}

/* ---- tuples, keywords -------------------------------------------------------------------------------- */

FUNCTIONN(get_args)
{
    return args == NULL ? Py_NewRef(Py_None) : Py_NewRef(args);
}

static PyObject *get_kwargs(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(args),
                            PyObject *kwargs)
{
    return kwargs == NULL ? Py_NewRef(Py_None) : Py_NewRef(kwargs);
}

FUNCTIONN(getargs_tuple)
{
    int a, b, c;
    return PyArg_ParseTuple(args, "i(ii)", &a, &b, &c) ? Py_BuildValue("iii", a, b, c) : NULL;
}

static PyObject *getargs_empty(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    /* The values do not matter: the table of keywords is empty. */
    static char *names[] = {NULL};
    int result = kwargs == NULL
                     ? PyArg_ParseTuple(args, "|:getargs_empty")
                     : PyArg_ParseTupleAndKeywords(args, kwargs, "|:getargs_empty", names);
    return result ? PyLong_FromLong(result) : NULL;
}

static PyObject *getargs_keywords(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"arg1", "arg2", "arg3", "arg4", "arg5", NULL};
    int v[10] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "(ii)i|(i(ii))(iii)i", names, &v[0], &v[1],
                                     &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8], &v[9])) {
        return NULL;
    }
    return Py_BuildValue("iiiiiiiiii", v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9]);
}

static PyObject *getargs_keyword_only(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"required", "optional", "keyword_only", NULL};
    int required = -1, optional = -1, only = -1;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "i|i$i", names, &required, &optional, &only)
               ? Py_BuildValue("iii", required, optional, only)
               : NULL;
}

static PyObject *getargs_positional_only_and_keywords(PyObject *Py_UNUSED(module), PyObject *args,
                                                      PyObject *kwargs)
{
    static char *names[] = {"", "", "keyword", NULL};
    int required = -1, optional = -1, keyword = -1;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "i|ii", names, &required, &optional, &keyword)
               ? Py_BuildValue("iii", required, optional, keyword)
               : NULL;
}

enum { MOST_KEYWORDS = 8 };

/* Places that any unit can write to (a Py_buffer is the largest). */
union place {
    PyObject *object;
    Py_buffer buffer;
    double complex_number[2];
};

/* The keywords as C strings in `names`; 0 or -1. */
static int read_keywords(PyObject *keywords, char **names)
{
    if (!PyList_CheckExact(keywords) && !PyTuple_CheckExact(keywords)) {
        PyErr_SetString(PyExc_ValueError, "keywords must be a list or tuple");
        return -1;
    }
    Py_ssize_t count = PySequence_Fast_GET_SIZE(keywords);
    if (count > MOST_KEYWORDS) {
        PyErr_SetString(PyExc_ValueError, "too many keywords");
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *name = PySequence_Fast_GET_ITEM(keywords, i);
        if (!PyUnicode_Check(name) && !PyBytes_Check(name)) {
            PyErr_Format(PyExc_ValueError, "keyword %zd must be str or bytes", i);
            return -1;
        }
        names[i] = PyBytes_Check(name) ? PyBytes_AS_STRING(name) : (char *)PyUnicode_AsUTF8(name);
        if (names[i] == NULL) {
            return -1;
        }
    }
    names[count] = NULL;
    return 0;
}

/* (args, kwargs, format, keywords): the objects if the format has only such, else None. */
FUNCTIONN(parse_tuple_and_keywords)
{
    PyObject *tuple, *dict, *keywords;
    const char *format;
    char *names[MOST_KEYWORDS + 1];
    if (!PyArg_ParseTuple(args, "OOsO:parse_tuple_and_keywords", &tuple, &dict, &format,
                          &keywords)) {
        return NULL;
    }
    if (!PyTuple_CheckExact(tuple) || !PyDict_CheckExact(dict)) {
        PyErr_SetString(PyExc_ValueError, "a tuple and a dict are needed");
        return NULL;
    }
    union place places[2 * MOST_KEYWORDS];
    memset(places, 0, sizeof places);
    if (read_keywords(keywords, names) < 0) {
        return NULL;
    }
    union place *p = places;
    if (!PyArg_ParseTupleAndKeywords(tuple, dict, format, names, p, p + 1, p + 2, p + 3, p + 4,
                                     p + 5, p + 6, p + 7, p + 8, p + 9, p + 10, p + 11, p + 12,
                                     p + 13, p + 14, p + 15)) {
        return NULL;
    }
    Py_ssize_t objects = 0;
    for (const char *c = format; *c != 0; c++) {
        if (*c == 'O') {
            objects++;
        } else if (strchr("|$()", *c) == NULL) {
            Py_RETURN_NONE;
        }
    }
    PyObject *result = PyTuple_New(objects);
    for (Py_ssize_t i = 0; i < objects && result != NULL; i++) {
        PyObject *value = places[i].object == NULL ? Py_None : places[i].object;
        PyTuple_SET_ITEM(result, i, Py_NewRef(value));
    }
    return result;
}

FUNCTIONN(argparsing)
{
    PyObject *a, *b;
    if (!PyArg_ParseTuple(args, "O&O&", PyUnicode_FSConverter, &a, PyUnicode_FSConverter, &b)) {
        return NULL;
    }
    Py_DECREF(a);
    Py_DECREF(b);
    return PyLong_FromLong(1);
}

/* ---- Py_BuildValue -------------------------------------------------------------------------------------- */

FUNCTIONN(py_buildvalue)
{
    PyObject *o[10] = {NULL};
    const char *format = PyUnicode_AsUTF8(PyTuple_GET_ITEM(args, 0));
    if (format == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 1; i < PyTuple_GET_SIZE(args) && i <= 10; i++) {
        o[i - 1] = PyTuple_GET_ITEM(args, i);
        NULLABLE(o[i - 1]);
    }
    return Py_BuildValue(format, o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7], o[8], o[9]);
}

FUNCTIONN(py_buildvalue_ints)
{
    unsigned v[10] = {0};
    const char *format = PyUnicode_AsUTF8(PyTuple_GET_ITEM(args, 0));
    if (format == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 1; i < PyTuple_GET_SIZE(args) && i <= 10; i++) {
        v[i - 1] = (unsigned)PyLong_AsUnsignedLongMask(PyTuple_GET_ITEM(args, i));
        if (PyErr_Occurred()) {
            return NULL;
        }
    }
    return Py_BuildValue(format, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9]);
}

/* N takes the reference over, also when building fails. */
FUNCTION0(test_buildvalue_N)
{
    PyObject *object = PyList_New(0);
    Py_INCREF(object);
    Py_ssize_t count = Py_REFCNT(object);
    PyObject *same = Py_BuildValue("N", object);
    if (same != object || Py_REFCNT(object) != count) {
        return failed("one N");
    }
    Py_INCREF(object);
    PyObject *tuple = Py_BuildValue("NN", object, object);
    Py_XDECREF(tuple);
    if (tuple == NULL || Py_REFCNT(object) != count - 1) {
        return failed("a pair of Ns");
    }
    Py_INCREF(object);
    Py_INCREF(object);
    tuple = Py_BuildValue("(N{i[N]})", object, 1, object);
    Py_XDECREF(tuple);
    if (tuple == NULL || Py_REFCNT(object) != count - 1) {
        return failed("nested Ns");
    }
    Py_INCREF(object);
    tuple = Py_BuildValue("(sN)", "\xff", object);
    if (tuple != NULL || Py_REFCNT(object) != count - 1) {
        return failed("an N after a failure");
    }
    PyErr_Clear();
    Py_DECREF(object);
    Py_RETURN_NONE;
}

/* ---- the part ------------------------------------------------------------------------------------------- */

static PyMethodDef methods[] = {
    VARARGS(getargs_b),
    VARARGS(getargs_B),
    VARARGS(getargs_h),
    VARARGS(getargs_H),
    VARARGS(getargs_i),
    VARARGS(getargs_I),
    VARARGS(getargs_l),
    VARARGS(getargs_k),
    VARARGS(getargs_L),
    VARARGS(getargs_K),
    VARARGS(getargs_n),
    VARARGS(getargs_f),
    VARARGS(getargs_d),
    VARARGS(getargs_D),
    VARARGS(getargs_p),
    VARARGS(getargs_c),
    VARARGS(getargs_C),
    VARARGS(getargs_S),
    VARARGS(getargs_Y),
    VARARGS(getargs_U),
    VARARGS(getargs_s),
    VARARGS(getargs_s_hash),
    VARARGS(getargs_s_star),
    VARARGS(getargs_z),
    VARARGS(getargs_z_hash),
    VARARGS(getargs_z_star),
    VARARGS(getargs_y),
    VARARGS(getargs_y_hash),
    VARARGS(getargs_y_star),
    VARARGS(getargs_w_star),
    VARARGS(getargs_w_star_opt),
    VARARGS(getargs_es),
    VARARGS(getargs_et),
    VARARGS(getargs_es_hash),
    VARARGS(getargs_et_hash),
    VARARGS(gh_99240_clear_args),
    VARARGS(get_args),
    KEYWORDS(get_kwargs),
    VARARGS(getargs_tuple),
    KEYWORDS(getargs_empty),
    KEYWORDS(getargs_keywords),
    KEYWORDS(getargs_keyword_only),
    KEYWORDS(getargs_positional_only_and_keywords),
    VARARGS(parse_tuple_and_keywords),
    VARARGS(argparsing),
    VARARGS(py_buildvalue),
    VARARGS(py_buildvalue_ints),
    NOARGS(test_buildvalue_N),
    {NULL},
};

int add_getargs(PyObject *module)
{
    return PyModule_AddFunctions(module, methods);
}
