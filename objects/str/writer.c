/* Building strings piece by piece: str_writer, which the C API calls _PyUnicodeWriter. */
#include "objects/int/text.h"
#include "objects/str/internal.h"

#include <stdio.h>

/* Room is added by a quarter of the length, so that appending costs constant time on average. */
enum { OVERALLOCATE_SHIFT = 2 };

/* A result below this is copied to its size, not resized. */
enum { SHORT = 64 };

static void writer_adopt_buffer(str_writer *w)
{
    w->kind = str_kind(w->buffer);
    w->data = str_data(w->buffer);
    w->maxchar = str_maxchar(w->buffer);
    /* A read-only buffer is someone's string: no room, so that the next write copies it. */
    w->size = w->readonly ? 0 : str_len(w->buffer);
    if (w->readonly) {
        w->kind = 0;
    }
}

int str_writer_grow(str_writer *w, Py_ssize_t length, Py_UCS4 maxchar)
{
    if (length > PY_SSIZE_T_MAX - w->pos) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t needed = w->pos + length;
    maxchar = Py_MAX(maxchar, w->min_char);
    bool full = needed > w->size;
    if (full && w->overallocate && w->buffer != NULL
        && needed <= PY_SSIZE_T_MAX - (needed >> OVERALLOCATE_SHIFT)) {
        needed += needed >> OVERALLOCATE_SHIFT;
    }
    if (full && w->overallocate && needed < 64 && w->min_length == 0) {
        needed = 64;
    }
    needed = Py_MAX(Py_MAX(needed, w->min_length), w->size);
    bool widen = maxchar > w->maxchar || w->readonly || w->buffer == NULL;
    if (!full && !widen) {
        return 0;
    }
    if (!widen && str_is_private(w->buffer)) {
        if (PyUnicode_Resize(&w->buffer, needed) < 0) {
            return -1;
        }
    } else {
        PyObject *wider = str_new(needed, Py_MAX(maxchar, w->maxchar));
        if (wider == NULL) {
            return -1;
        }
        if (w->buffer != NULL) {
            str_data_copy(str_kind(wider), str_data(wider), 0, str_kind(w->buffer),
                          str_data(w->buffer), 0, w->pos);
        }
        w->readonly = 0;
        Py_XSETREF(w->buffer, wider);
    }
    writer_adopt_buffer(w);
    return 0;
}

int str_writer_data(str_writer *w, int kind, const void *text, Py_ssize_t length)
{
    if (length == 0) {
        return 0;
    }
    Py_UCS4 maxchar = kind == 1 && w->maxchar >= 0xff ? 0x7f : str_data_maxchar(kind, text, length);
    if (str_writer_reserve(w, length, maxchar) < 0) {
        return -1;
    }
    str_data_copy(w->kind, w->data, w->pos, kind, text, 0, length);
    w->pos += length;
    return 0;
}

int str_writer_str(str_writer *w, PyObject *s)
{
    Py_ssize_t length = str_len(s);
    if (length == 0) {
        return 0;
    }
    Py_UCS4 maxchar = str_maxchar(s);
    if (maxchar > w->maxchar || length > w->size - w->pos) {
        if (w->buffer == NULL && !w->overallocate && PyUnicode_CheckExact(s)) {
            /* The only piece so far: perhaps the result. */
            w->readonly = 1;
            w->buffer = Py_NewRef(s);
            writer_adopt_buffer(w);
            w->pos = length;
            return 0;
        }
        if (str_writer_reserve(w, length, maxchar) < 0) {
            return -1;
        }
    }
    str_data_copy(w->kind, w->data, w->pos, str_kind(s), str_data(s), 0, length);
    w->pos += length;
    return 0;
}

int str_writer_substring(str_writer *w, PyObject *s, Py_ssize_t start, Py_ssize_t end)
{
    if (start == 0 && end == str_len(s)) {
        return str_writer_str(w, s);
    }
    int kind = str_kind(s);
    const char *from = (const char *)str_data(s) + start * kind;
    if (str_maxchar(s) > w->maxchar) {
        return str_writer_data(w, kind, from, end - start);
    }
    if (end == start) {
        return 0;
    }
    if (str_writer_reserve(w, end - start, str_maxchar(s)) < 0) {
        return -1;
    }
    str_data_copy(w->kind, w->data, w->pos, kind, from, 0, end - start);
    w->pos += end - start;
    return 0;
}

int str_writer_ascii(str_writer *w, const char *text, Py_ssize_t length)
{
    if (length < 0) {
        length = (Py_ssize_t)strlen(text);
    }
    if (length == 0) {
        return 0;
    }
    if (str_writer_reserve(w, length, 0x7f) < 0) {
        return -1;
    }
    str_data_copy(w->kind, w->data, w->pos, 1, text, 0, length);
    w->pos += length;
    return 0;
}

int str_writer_int64(str_writer *w, int64_t value)
{
    char text[INT64_TEXT_MAX], *end = text + sizeof text, *digits = int64_write(value, end);
    return str_writer_ascii(w, digits, end - digits);
}

int str_writer_latin1(str_writer *w, const uint8_t *text, Py_ssize_t length)
{
    return str_writer_data(w, 1, text, length);
}

int str_writer_fill(str_writer *w, Py_UCS4 ch, Py_ssize_t count)
{
    if (count <= 0) {
        return 0;
    }
    if (str_writer_reserve(w, count, ch) < 0) {
        return -1;
    }
    str_data_fill(w->kind, w->data, w->pos, count, ch);
    w->pos += count;
    return 0;
}

static int write_and_release(str_writer *w, PyObject *text)
{
    if (text == NULL) {
        return -1;
    }
    int result = str_writer_str(w, text);
    Py_DECREF(text);
    return result;
}

int str_writer_object(str_writer *w, PyObject *value)
{
    return PyUnicode_CheckExact(value) ? str_writer_str(w, value)
                                       : write_and_release(w, PyObject_Str(value));
}

int str_writer_repr(str_writer *w, PyObject *value)
{
    return write_and_release(w, PyObject_Repr(value));
}

PyObject *str_writer_finish(str_writer *w)
{
    PyObject *s = w->buffer;
    w->buffer = NULL;
    if (w->pos == 0 || s == NULL) {
        Py_XDECREF(s);
        return str_empty();
    }
    if (w->readonly) {
        return s;
    }
    if (w->pos == 1 && str_read(s, 0) < 256) {
        Py_UCS4 ch = str_read(s, 0);
        Py_DECREF(s);
        return str_latin1_char(ch);
    }
    if (w->pos < SHORT && str_is_ascii(s) && str_len(s) != w->pos) {
        PyObject *exact = str_from_ascii(str_data(s), w->pos);
        Py_DECREF(s);
        return exact;
    }
    if (str_len(s) != w->pos && PyUnicode_Resize(&s, w->pos) < 0) {
        Py_XDECREF(s);
        return NULL;
    }
    return s;
}

void str_writer_drop(str_writer *w)
{
    Py_CLEAR(w->buffer);
}

/* ---- The C API's names ----------------------------------------------------------------------- */

void _PyUnicodeWriter_Init(_PyUnicodeWriter *w)
{
    memset(w, 0, sizeof *w); /* the caller says whether to overallocate */
}

int _PyUnicodeWriter_PrepareInternal(_PyUnicodeWriter *w, Py_ssize_t length, Py_UCS4 maxchar)
{
    return str_writer_grow(w, length, maxchar);
}

int _PyUnicodeWriter_PrepareKindInternal(_PyUnicodeWriter *w, int kind)
{
    return str_writer_grow(w, 0, kind == 1 ? 0xff : kind == 2 ? 0xffff : STR_MAX_CODE_POINT);
}

int _PyUnicodeWriter_WriteChar(_PyUnicodeWriter *w, Py_UCS4 ch)
{
    return str_writer_char(w, ch);
}

int _PyUnicodeWriter_WriteStr(_PyUnicodeWriter *w, PyObject *s)
{
    return str_writer_str(w, s);
}

int _PyUnicodeWriter_WriteSubstring(_PyUnicodeWriter *w, PyObject *s, Py_ssize_t start,
                                    Py_ssize_t end)
{
    return str_writer_substring(w, s, start, end);
}

int _PyUnicodeWriter_WriteASCIIString(_PyUnicodeWriter *w, const char *text, Py_ssize_t length)
{
    return str_writer_ascii(w, text, length);
}

int _PyUnicodeWriter_WriteLatin1String(_PyUnicodeWriter *w, const char *text, Py_ssize_t length)
{
    return str_writer_latin1(w, (const uint8_t *)text, length);
}

PyObject *_PyUnicodeWriter_Finish(_PyUnicodeWriter *w)
{
    return str_writer_finish(w);
}

void _PyUnicodeWriter_Dealloc(_PyUnicodeWriter *w)
{
    str_writer_drop(w);
}
