/* The module _suggestions: which name may have been meant by a misspelled one.
 *
 * The measure is the edit distance, in which a wrong case costs half of a wrong letter. */
#include "module.h"

#include "suggestions.bind.h"

enum { LONGEST = 40, MOST_CANDIDATES = 750, EDIT = 2, CASE = 1 };

struct word {
    const char *text;
    Py_ssize_t len;
};

static Py_ssize_t substitution(char a, char b)
{
    return a == b ? 0 : Py_TOLOWER(a) == Py_TOLOWER(b) ? CASE : EDIT;
}

/* Leaves out what both begin and end with. */
static void trim(struct word *a, struct word *b)
{
    while (a->len > 0 && b->len > 0 && a->text[0] == b->text[0]) {
        a->text++, a->len--;
        b->text++, b->len--;
    }
    while (a->len > 0 && b->len > 0 && a->text[a->len - 1] == b->text[b->len - 1]) {
        a->len--;
        b->len--;
    }
}

/* What it costs to make one of the other, or some number above `most`. */
static Py_ssize_t distance(struct word a, struct word b, Py_ssize_t most)
{
    trim(&a, &b);
    if (a.len == 0 || b.len == 0) {
        return (a.len + b.len) * EDIT;
    }
    if (a.len > LONGEST || b.len > LONGEST || Py_ABS(a.len - b.len) * EDIT > most) {
        return most + 1;
    }
    /* row[j]: from the letters of a so far to j letters of b. */
    Py_ssize_t row[LONGEST + 1];
    for (Py_ssize_t j = 0; j <= b.len; j++) {
        row[j] = j * EDIT;
    }
    for (Py_ssize_t i = 0; i < a.len; i++) {
        Py_ssize_t diagonal = row[0], least = row[0] = (i + 1) * EDIT;
        for (Py_ssize_t j = 1; j <= b.len; j++) {
            Py_ssize_t replaced = diagonal + substitution(a.text[i], b.text[j - 1]);
            diagonal = row[j];
            row[j] = Py_MIN(replaced, Py_MIN(row[j], row[j - 1]) + EDIT);
            least = Py_MIN(least, row[j]);
        }
        if (least > most) {
            return most + 1;
        }
    }
    return row[b.len];
}

static PyObject *suggestions_generate(PyObject *Py_UNUSED(module), PyObject *candidates,
                                      PyObject *item)
{
    if (!PyList_CheckExact(candidates)) {
        PyErr_SetString(PyExc_TypeError, "candidates must be a list");
        return NULL;
    }
    PyObject *names = PyList_AsTuple(candidates);
    struct word wrong;
    wrong.text = names ? PyUnicode_AsUTF8AndSize(item, &wrong.len) : NULL;
    if (wrong.text == NULL) {
        Py_XDECREF(names);
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(names), nearest = PY_SSIZE_T_MAX;
    PyObject *found = Py_None;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        if (!PyUnicode_Check(name)) {
            PyErr_SetString(PyExc_TypeError, "all elements in 'candidates' must be strings");
            Py_DECREF(names);
            return NULL;
        }
        if (count >= MOST_CANDIDATES) {
            continue;
        }
        struct word word;
        word.text = PyUnicode_AsUTF8AndSize(name, &word.len);
        if (word.text == NULL) {
            Py_DECREF(names);
            return NULL;
        }
        if (word.len == wrong.len && memcmp(word.text, wrong.text, (size_t)word.len) == 0) {
            continue;
        }
        /* At most a third of the letters may be wrong. */
        Py_ssize_t most = Py_MIN((wrong.len + word.len + 3) * EDIT / 6, nearest - 1);
        Py_ssize_t far = distance(wrong, word, most);
        if (far <= most) {
            found = name;
            nearest = far;
        }
    }
    Py_INCREF(found);
    Py_DECREF(names);
    return found;
}

static PyModuleDef_Slot suggestions_slots[] = MODULE_SLOTS_PLAIN;

static PyModuleDef suggestions_module = {
    PyModuleDef_HEAD_INIT,        .m_name = "_suggestions",
    .m_doc = suggestions_doc,     .m_methods = suggestions_methods,
    .m_slots = suggestions_slots,
};

MODULE_INIT(_suggestions, suggestions_module)
