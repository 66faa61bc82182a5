/* str.translate and str.maketrans. */
#include "objects/str/methods.h"

/* What the table says about one character. */
enum answer { ANSWER_ERROR = -1, ANSWER_KEEP, ANSWER_DROP, ANSWER_CHAR, ANSWER_STR };

/* *object is a new reference for ANSWER_STR; *ch is set for ANSWER_CHAR. */
static enum answer table_ask(PyObject *table, Py_UCS4 ch, Py_UCS4 *to, PyObject **object)
{
    PyObject *key = PyLong_FromLong((long)ch);
    if (key == NULL) {
        return ANSWER_ERROR;
    }
    PyObject *value;
    if (PyDict_CheckExact(table)) { /* without an exception for what is not there */
        if (PyDict_GetItemRef(table, key, &value) == 0) {
            Py_DECREF(key);
            return ANSWER_KEEP;
        }
    } else {
        value = PyObject_GetItem(table, key);
    }
    Py_DECREF(key);
    if (value == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_LookupError)) {
            return ANSWER_ERROR;
        }
        PyErr_Clear();
        return ANSWER_KEEP;
    }
    enum answer answer = ANSWER_ERROR;
    if (value == Py_None) {
        answer = ANSWER_DROP;
    } else if (PyLong_Check(value)) {
        long number = PyLong_AsLong(value);
        if (number == -1 && PyErr_Occurred()) {
            PyErr_Clear();
        }
        if (number < 0 || number > (long)STR_MAX_CODE_POINT) {
            PyErr_SetString(PyExc_ValueError, "character mapping must be in range(0x110000)");
        } else {
            *to = (Py_UCS4)number;
            answer = ANSWER_CHAR;
        }
    } else if (PyUnicode_Check(value)) {
        *object = Py_NewRef(value);
        answer = ANSWER_STR;
    } else {
        PyErr_SetString(PyExc_TypeError, "character mapping must return integer, None or str");
    }
    Py_DECREF(value);
    return answer;
}

/* ASCII characters are asked for once; the answers that stay ASCII are kept here. */
enum { NOT_ASKED = 0xff, DROPPED = 0xfe };

static int translate_char(str_writer *w, PyObject *table, Py_UCS4 ch, uint8_t *known)
{
    Py_UCS4 to = ch;
    PyObject *object = NULL;
    enum answer answer = table_ask(table, ch, &to, &object);
    switch (answer) {
    case ANSWER_KEEP:
    case ANSWER_CHAR:
        if (ch < 128 && to < 128) {
            known[ch] = (uint8_t)to;
        }
        return str_writer_char(w, to);
    case ANSWER_DROP:
        if (ch < 128) {
            known[ch] = DROPPED;
        }
        return 0;
    case ANSWER_STR: {
        if (ch < 128 && str_len(object) == 1 && str_read(object, 0) < 128) {
            known[ch] = (uint8_t)str_read(object, 0);
        }
        int result = str_writer_str(w, object);
        Py_DECREF(object);
        return result;
    }
    default:
        return -1;
    }
}

PyObject *str_translate(PyObject *s, PyObject *table)
{
    uint8_t known[128];
    memset(known, NOT_ASKED, sizeof known);
    str_writer w;
    str_writer_init(&w);
    Py_ssize_t n = str_len(s);
    if (n == 0) {
        return str_exact(s);
    }
    if (str_writer_reserve(&w, n, 0x7f) < 0) {
        goto fail;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = str_read(s, i);
        if (ch < 128 && known[ch] != NOT_ASKED) {
            if (known[ch] != DROPPED && str_writer_char(&w, known[ch]) < 0) {
                goto fail;
            }
        } else if (translate_char(&w, table, ch, known) < 0) {
            goto fail;
        }
    }
    return str_writer_finish(&w);
fail:
    str_writer_drop(&w);
    return NULL;
}

/* ---- with an error handler ------------------------------------------------------------------- */

/* Where the characters end, from `start` on, that the table maps to nothing; -1 with an exception. */
static Py_ssize_t undefined_end(PyObject *s, Py_ssize_t start, PyObject *table)
{
    Py_ssize_t end = start + 1;
    for (; end < str_len(s); end++) {
        Py_UCS4 to;
        PyObject *object = NULL;
        enum answer answer = table_ask(table, str_read(s, end), &to, &object);
        Py_XDECREF(object);
        if (answer == ANSWER_ERROR) {
            return -1;
        }
        if (answer != ANSWER_DROP) {
            break;
        }
    }
    return end;
}

/* Asks the handler what stands for s[start, end): writes that, and gives where to go on; -1 with an
 * exception. */
static Py_ssize_t write_replacement(str_writer *w, PyObject *s, Py_ssize_t start, Py_ssize_t end,
                                    PyObject *handler)
{
    PyObject *error = PyObject_CallFunction(PyExc_UnicodeTranslateError, "Onns", s, start, end,
                                            "character maps to <undefined>");
    PyObject *answer = error == NULL ? NULL : PyObject_CallOneArg(handler, error), *text;
    Py_ssize_t position = -1;
    if (answer != NULL) {
        if (!PyTuple_Check(answer)) {
            PyErr_SetString(PyExc_TypeError,
                            "translating error handler must return (str, int) tuple");
        } else if (PyArg_ParseTuple(answer,
                                    "Un;translating error handler must return (str, int) tuple",
                                    &text, &position)) {
            position += position < 0 ? str_len(s) : 0;
            if (position < 0 || position > str_len(s)) {
                PyErr_Format(PyExc_IndexError, "position %zd from error handler out of bounds",
                             position);
                position = -1;
            } else if (str_writer_str(w, text) < 0) {
                position = -1;
            }
        } else {
            position = -1;
        }
    }
    Py_XDECREF(error);
    Py_XDECREF(answer);
    return position;
}

static PyObject *translate_with(PyObject *s, PyObject *table, PyObject *handler)
{
    str_writer w;
    str_writer_init(&w);
    for (Py_ssize_t i = 0; i < str_len(s);) {
        Py_UCS4 ch = str_read(s, i);
        PyObject *object = NULL;
        int result = -1;
        switch (table_ask(table, ch, &ch, &object)) {
        case ANSWER_KEEP:
        case ANSWER_CHAR:
            result = str_writer_char(&w, ch);
            i++;
            break;
        case ANSWER_STR:
            result = str_writer_str(&w, object);
            Py_DECREF(object);
            i++;
            break;
        case ANSWER_DROP: {
            Py_ssize_t end = undefined_end(s, i, table);
            i = end < 0 ? -1 : write_replacement(&w, s, i, end, handler);
            result = i < 0 ? -1 : 0;
            break;
        }
        case ANSWER_ERROR:
            break;
        }
        if (result < 0) {
            str_writer_drop(&w);
            return NULL;
        }
    }
    return str_writer_finish(&w);
}

PyObject *PyUnicode_Translate(PyObject *s, PyObject *table, const char *errors)
{
    if (str_require(s) < 0) {
        return NULL;
    }
    if (table == NULL) {
        PyErr_SetString(PyExc_TypeError, "a table is needed");
        return NULL;
    }
    if (errors != NULL && strcmp(errors, "ignore") == 0) {
        return str_translate(s, table);
    }
    PyObject *handler = PyCodec_LookupError(errors);
    PyObject *result = handler == NULL ? NULL : translate_with(s, table, handler);
    Py_XDECREF(handler);
    return result;
}

/* ---- maketrans ----------------------------------------------------------------------------- */

static int map_pairs(PyObject *dict, PyObject *x, PyObject *y)
{
    if (str_len(x) != str_len(y)) {
        PyErr_SetString(PyExc_ValueError,
                        "the first two maketrans arguments must have equal length");
        return -1;
    }
    for (Py_ssize_t i = 0; i < str_len(x); i++) {
        PyObject *key = PyLong_FromLong((long)str_read(x, i));
        PyObject *value = PyLong_FromLong((long)str_read(y, i));
        int failed = key == NULL || value == NULL || PyDict_SetItem(dict, key, value) < 0;
        Py_XDECREF(key);
        Py_XDECREF(value);
        if (failed) {
            return -1;
        }
    }
    return 0;
}

static int map_dropped(PyObject *dict, PyObject *z)
{
    for (Py_ssize_t i = 0; i < str_len(z); i++) {
        PyObject *key = PyLong_FromLong((long)str_read(z, i));
        int failed = key == NULL || PyDict_SetItem(dict, key, Py_None) < 0;
        Py_XDECREF(key);
        if (failed) {
            return -1;
        }
    }
    return 0;
}

static int map_dict(PyObject *dict, PyObject *from)
{
    PyObject *key, *value;
    Py_ssize_t pos = 0;
    while (PyDict_Next(from, &pos, &key, &value)) {
        int failed;
        if (PyUnicode_Check(key)) {
            if (str_len(key) != 1) {
                PyErr_SetString(PyExc_ValueError,
                                "string keys in translate table must be of length 1");
                return -1;
            }
            PyObject *number = PyLong_FromLong((long)str_read(key, 0));
            failed = number == NULL || PyDict_SetItem(dict, number, value) < 0;
            Py_XDECREF(number);
        } else if (PyLong_Check(key)) {
            failed = PyDict_SetItem(dict, key, value) < 0;
        } else {
            PyErr_SetString(PyExc_TypeError, "keys in translate table must be strings or integers");
            return -1;
        }
        if (failed) {
            return -1;
        }
    }
    return 0;
}

/* `y` and `z` may be NULL; if given they are str. */
PyObject *str_maketrans(PyObject *x, PyObject *y, PyObject *z)
{
    PyObject *dict = PyDict_New();
    if (dict == NULL) {
        return NULL;
    }
    int failed;
    if (y != NULL) {
        if (!PyUnicode_Check(x)) {
            PyErr_SetString(
                PyExc_TypeError,
                "first maketrans argument must be a string if there is a second argument");
            failed = -1;
        } else {
            failed = map_pairs(dict, x, y);
            failed = failed < 0 || (z != NULL && map_dropped(dict, z) < 0);
        }
    } else if (!PyDict_CheckExact(x)) {
        PyErr_SetString(PyExc_TypeError,
                        "if you give only one argument to maketrans it must be a dict");
        failed = -1;
    } else {
        failed = map_dict(dict, x);
    }
    if (failed) {
        Py_DECREF(dict);
        return NULL;
    }
    return dict;
}
