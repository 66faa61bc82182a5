/* The built-in error handlers: strict, ignore, replace, backslashreplace, xmlcharrefreplace,
 * namereplace, surrogateescape, surrogatepass.
 *
 * Each takes the exception of an encoder, decoder or (some) translator and returns
 * (replacement, position to go on). */
#include "objects/codecs/handlers.h"

#include "objects/bytes.h"
#include "objects/codecs/callbacks.h"
#include "objects/str.h"
#include "objects/unicode_data/unicode_data.h"

/* ---- What the exception says ------------------------------------------------------------------ */

enum kind { KIND_ENCODE = 1, KIND_DECODE = 2, KIND_TRANSLATE = 4 };

struct problem {
    enum kind kind;
    PyObject *object;      /* owned: str, or bytes for KIND_DECODE */
    Py_ssize_t start, end; /* the offending part, clipped to the object */
};

/* Fills in *problem; TypeError and -1 for kinds that the handler does not know. */
static int problem_read(PyObject *exception, int kinds, struct problem *problem)
{
    int failed;
    if ((kinds & KIND_ENCODE)
        && PyObject_TypeCheck(exception, (PyTypeObject *)PyExc_UnicodeEncodeError)) {
        problem->kind = KIND_ENCODE;
        failed = PyUnicodeEncodeError_GetStart(exception, &problem->start) < 0
                 || PyUnicodeEncodeError_GetEnd(exception, &problem->end) < 0;
        problem->object = failed ? NULL : PyUnicodeEncodeError_GetObject(exception);
    } else if ((kinds & KIND_DECODE)
               && PyObject_TypeCheck(exception, (PyTypeObject *)PyExc_UnicodeDecodeError)) {
        problem->kind = KIND_DECODE;
        failed = PyUnicodeDecodeError_GetStart(exception, &problem->start) < 0
                 || PyUnicodeDecodeError_GetEnd(exception, &problem->end) < 0;
        problem->object = failed ? NULL : PyUnicodeDecodeError_GetObject(exception);
    } else if ((kinds & KIND_TRANSLATE)
               && PyObject_TypeCheck(exception, (PyTypeObject *)PyExc_UnicodeTranslateError)) {
        problem->kind = KIND_TRANSLATE;
        failed = PyUnicodeTranslateError_GetStart(exception, &problem->start) < 0
                 || PyUnicodeTranslateError_GetEnd(exception, &problem->end) < 0;
        problem->object = failed ? NULL : PyUnicodeTranslateError_GetObject(exception);
    } else {
        PyErr_Format(PyExc_TypeError, "don't know how to handle %.200s in error callback",
                     Py_TYPE(exception)->tp_name);
        return -1;
    }
    return problem->object == NULL ? -1 : 0;
}

/* (replacement, position); steals `replacement`, which may be NULL. */
static PyObject *answer(PyObject *replacement, Py_ssize_t position)
{
    return replacement == NULL ? NULL : Py_BuildValue("(Nn)", replacement, position);
}

static PyObject *answer_writer(str_writer *w, int failed, Py_ssize_t position)
{
    if (failed < 0) {
        str_writer_drop(w);
        return NULL;
    }
    return answer(str_writer_finish(w), position);
}

/* ---- The handlers ------------------------------------------------------------------------------ */

PyObject *PyCodec_StrictErrors(PyObject *exception)
{
    if (PyExceptionInstance_Check(exception)) {
        PyErr_SetObject(PyExceptionInstance_Class(exception), exception);
    } else {
        PyErr_SetString(PyExc_TypeError, "codec must pass exception instance");
    }
    return NULL;
}

PyObject *PyCodec_IgnoreErrors(PyObject *exception)
{
    struct problem problem;
    if (problem_read(exception, KIND_ENCODE | KIND_DECODE | KIND_TRANSLATE, &problem) < 0) {
        return NULL;
    }
    Py_DECREF(problem.object);
    return answer(str_empty(), problem.end);
}

PyObject *PyCodec_ReplaceErrors(PyObject *exception)
{
    struct problem problem;
    if (problem_read(exception, KIND_ENCODE | KIND_DECODE | KIND_TRANSLATE, &problem) < 0) {
        return NULL;
    }
    Py_DECREF(problem.object);
    Py_ssize_t count = problem.kind == KIND_DECODE ? 1 : problem.end - problem.start;
    PyObject *one = str_from_char(problem.kind == KIND_ENCODE ? '?' : 0xfffd);
    if (one == NULL) {
        return NULL;
    }
    PyObject *all = str_repeat(one, count);
    Py_DECREF(one);
    return answer(all, problem.end);
}

PyObject *PyCodec_XMLCharRefReplaceErrors(PyObject *exception)
{
    struct problem problem;
    if (problem_read(exception, KIND_ENCODE, &problem) < 0) {
        return NULL;
    }
    str_writer w;
    str_writer_init(&w);
    int failed = 0;
    for (Py_ssize_t i = problem.start; i < problem.end && failed == 0; i++) {
        char text[12];
        failed = str_writer_ascii(&w, text, escape_xml(str_read(problem.object, i), text));
    }
    Py_DECREF(problem.object);
    return answer_writer(&w, failed, problem.end);
}

PyObject *PyCodec_BackslashReplaceErrors(PyObject *exception)
{
    struct problem problem;
    if (problem_read(exception, KIND_ENCODE | KIND_DECODE | KIND_TRANSLATE, &problem) < 0) {
        return NULL;
    }
    str_writer w;
    str_writer_init(&w);
    int failed = 0;
    for (Py_ssize_t i = problem.start; i < problem.end && failed == 0; i++) {
        char text[12];
        Py_UCS4 ch = problem.kind == KIND_DECODE ? bytes_data(problem.object)[i]
                                                 : str_read(problem.object, i);
        failed = str_writer_ascii(&w, text, escape_backslash(ch, text));
    }
    Py_DECREF(problem.object);
    return answer_writer(&w, failed, problem.end);
}

PyObject *PyCodec_NameReplaceErrors(PyObject *exception)
{
    struct problem problem;
    if (problem_read(exception, KIND_ENCODE, &problem) < 0) {
        return NULL;
    }
    str_writer w;
    str_writer_init(&w);
    int failed = 0;
    for (Py_ssize_t i = problem.start; i < problem.end && failed == 0; i++) {
        char text[CHAR_NAME_MAX];
        Py_UCS4 ch = str_read(problem.object, i);
        failed = char_name(ch, false, text, sizeof text)
                     ? str_writer_format(&w, "\\N{%s}", text)
                     : str_writer_ascii(&w, text, escape_backslash(ch, text));
    }
    Py_DECREF(problem.object);
    return answer_writer(&w, failed, problem.end);
}

/* Which UTF an encoding is ("utf-16-le", "UTF16LE", ...): bytes per unit and order; 3 for UTF-8,
 * where a surrogate takes three bytes; 0 if it is none. */
static int utf_width(const char *name, bool *big)
{
    *big = PY_BIG_ENDIAN;
    if (PyOS_strnicmp(name, "utf", 3) != 0) {
        return 0;
    }
    name += 3;
    name += *name == '-' || *name == '_';
    if (strcmp(name, "8") == 0) {
        return 3;
    }
    int width = strncmp(name, "16", 2) == 0 ? 2 : strncmp(name, "32", 2) == 0 ? 4 : 0;
    if (width == 0 || name[2] == '\0') {
        return width;
    }
    name += 2;
    name += *name == '-' || *name == '_';
    bool is_big = PyOS_stricmp(name, "be") == 0;
    if (!is_big && PyOS_stricmp(name, "le") != 0) {
        return 0;
    }
    *big = is_big;
    return width;
}

static void surrogate_write(uint8_t *out, Py_UCS4 ch, int width, bool big)
{
    if (width == 3) {
        out[0] = (uint8_t)(0xe0 | ch >> 12);
        out[1] = (uint8_t)(0x80 | (ch >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (ch & 0x3f));
        return;
    }
    for (int i = 0; i < width; i++) {
        out[big ? width - 1 - i : i] = (uint8_t)(ch >> (8 * i));
    }
}

static Py_UCS4 surrogate_read(const uint8_t *in, int width, bool big)
{
    if (width == 3) {
        bool good = (in[0] & 0xf0) == 0xe0 && (in[1] & 0xc0) == 0x80 && (in[2] & 0xc0) == 0x80;
        return good ? (Py_UCS4)((in[0] & 0xf) << 12 | (in[1] & 0x3f) << 6 | (in[2] & 0x3f)) : 0;
    }
    Py_UCS4 ch = 0;
    for (int i = 0; i < width; i++) {
        ch |= (Py_UCS4)in[big ? width - 1 - i : i] << (8 * i);
    }
    return ch;
}

static bool is_surrogate(Py_UCS4 ch)
{
    return ch >= 0xd800 && ch < 0xe000;
}

/* The encoding that the exception names: a new reference in *holder. */
static int exception_width(PyObject *exception, enum kind kind, bool *big)
{
    PyObject *name = kind == KIND_ENCODE ? PyUnicodeEncodeError_GetEncoding(exception)
                                         : PyUnicodeDecodeError_GetEncoding(exception);
    const char *text = name == NULL ? NULL : PyUnicode_AsUTF8(name);
    int width = text == NULL ? -1 : utf_width(text, big);
    Py_XDECREF(name);
    return width;
}

static PyObject *pass_encode(PyObject *exception, const struct problem *problem, int width,
                             bool big)
{
    PyObject *bytes = bytes_new((problem->end - problem->start) * width);
    if (bytes == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = problem->start; i < problem->end; i++) {
        Py_UCS4 ch = str_read(problem->object, i);
        if (!is_surrogate(ch)) {
            Py_DECREF(bytes);
            return PyCodec_StrictErrors(exception);
        }
        surrogate_write(bytes_data(bytes) + (i - problem->start) * width, ch, width, big);
    }
    return answer(bytes, problem->end);
}

PyObject *codec_surrogatepass(PyObject *exception)
{
    struct problem problem;
    bool big = PY_BIG_ENDIAN;
    if (problem_read(exception, KIND_ENCODE | KIND_DECODE, &problem) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    int width = exception_width(exception, problem.kind, &big);
    if (width == 0) {
        PyCodec_StrictErrors(exception);
    } else if (width > 0 && problem.kind == KIND_ENCODE) {
        result = pass_encode(exception, &problem, width, big);
    } else if (width > 0) {
        Py_ssize_t left = bytes_len(problem.object) - problem.start;
        Py_UCS4 ch = left < width
                         ? 0
                         : surrogate_read(bytes_data(problem.object) + problem.start, width, big);
        result = is_surrogate(ch) ? answer(str_from_char(ch), problem.start + width)
                                  : PyCodec_StrictErrors(exception);
    }
    Py_DECREF(problem.object);
    return result;
}

static PyObject *escape_encode(PyObject *exception, const struct problem *problem)
{
    PyObject *bytes = bytes_new(problem->end - problem->start);
    if (bytes == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = problem->start; i < problem->end; i++) {
        Py_UCS4 ch = str_read(problem->object, i);
        if (ch < 0xdc80 || ch > 0xdcff) {
            Py_DECREF(bytes);
            return PyCodec_StrictErrors(exception);
        }
        bytes_data(bytes)[i - problem->start] = (uint8_t)(ch - 0xdc00);
    }
    return answer(bytes, problem->end);
}

/* Up to four bytes that are not ASCII become lone surrogates. */
static PyObject *escape_decode(PyObject *exception, const struct problem *problem)
{
    Py_UCS2 text[4];
    Py_ssize_t count = 0;
    while (count < 4 && problem->start + count < problem->end) {
        uint8_t byte = bytes_data(problem->object)[problem->start + count];
        if (byte < 128) {
            break;
        }
        text[count++] = (Py_UCS2)(0xdc00 + byte);
    }
    return count == 0 ? PyCodec_StrictErrors(exception)
                      : answer(str_from_ucs2(text, count), problem->start + count);
}

PyObject *codec_surrogateescape(PyObject *exception)
{
    struct problem problem;
    if (problem_read(exception, KIND_ENCODE | KIND_DECODE, &problem) < 0) {
        return NULL;
    }
    PyObject *result = problem.kind == KIND_ENCODE ? escape_encode(exception, &problem)
                                                   : escape_decode(exception, &problem);
    Py_DECREF(problem.object);
    return result;
}

/* ---- As Python functions ------------------------------------------------------------------------ */

#define HANDLER(name, function)                                                                    \
    static PyObject *name(PyObject *Py_UNUSED(self), PyObject *exception)                          \
    {                                                                                              \
        return function(exception);                                                                \
    }
HANDLER(strict_errors, PyCodec_StrictErrors)
HANDLER(ignore_errors, PyCodec_IgnoreErrors)
HANDLER(replace_errors, PyCodec_ReplaceErrors)
HANDLER(xmlcharrefreplace_errors, PyCodec_XMLCharRefReplaceErrors)
HANDLER(backslashreplace_errors, PyCodec_BackslashReplaceErrors)
HANDLER(namereplace_errors, PyCodec_NameReplaceErrors)
HANDLER(surrogatepass_errors, codec_surrogatepass)
HANDLER(surrogateescape_errors, codec_surrogateescape)

static struct {
    const char *name;
    PyMethodDef method;
} handlers[] = {
    {"strict",
     {"strict_errors", strict_errors, METH_O,
      "Implements the 'strict' error handling, which raises a UnicodeError on coding errors."}},
    {"ignore",
     {"ignore_errors", ignore_errors, METH_O,
      "Implements the 'ignore' error handling, which ignores malformed data and continues."}},
    {"replace",
     {"replace_errors", replace_errors, METH_O,
      "Implements the 'replace' error handling, which replaces malformed data with a replacement "
      "marker."}},
    {"xmlcharrefreplace",
     {"xmlcharrefreplace_errors", xmlcharrefreplace_errors, METH_O,
      "Implements the 'xmlcharrefreplace' error handling, which replaces an unencodable character "
      "with the appropriate XML character reference."}},
    {"backslashreplace",
     {"backslashreplace_errors", backslashreplace_errors, METH_O,
      "Implements the 'backslashreplace' error handling, which replaces malformed data with a "
      "backslashed escape sequence."}},
    {"namereplace",
     {"namereplace_errors", namereplace_errors, METH_O,
      "Implements the 'namereplace' error handling, which replaces an unencodable character with a "
      "\\N{...} escape sequence."}},
    {"surrogatepass", {"surrogatepass", surrogatepass_errors, METH_O, NULL}},
    {"surrogateescape", {"surrogateescape", surrogateescape_errors, METH_O, NULL}},
};

PyObject *codec_handlers_make(void)
{
    PyObject *dict = PyDict_New();
    for (size_t i = 0; dict != NULL && i < sizeof handlers / sizeof handlers[0]; i++) {
        PyObject *function = PyCFunction_New(&handlers[i].method, NULL);
        if (function == NULL || PyDict_SetItemString(dict, handlers[i].name, function) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(function);
    }
    return dict;
}

void codec_note_failure(const char *operation, const char *encoding)
{
    PyObject *exception = PyErr_GetRaisedException();
    if (exception == NULL) {
        return;
    }
    PyObject *note = PyUnicode_FromFormat("%s with '%s' codec failed", operation, encoding);
    PyObject *result = note == NULL ? NULL : PyObject_CallMethod(exception, "add_note", "O", note);
    Py_XDECREF(note);
    if (result == NULL) {
        PyErr_Clear(); /* the failure itself matters more */
    }
    Py_XDECREF(result);
    PyErr_SetRaisedException(exception);
}
