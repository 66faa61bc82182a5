/* Making, sharing and reading strings. */
#include "objects/birth.h"
#include "objects/str/internal.h"

#include "objects/atom.h"

#include <wchar.h>

/* ---- The strings that always exist --------------------------------------------------------- */

#define STATIC_STATE(is_ascii)                                                                     \
    {                                                                                              \
        .interned = 3, .kind = 1, .compact = 1, .ascii = (is_ascii), .statically_allocated = 1     \
    }

#define ASCII_CHAR(c)                                                                              \
    {                                                                                              \
        .head = {.ob_base = PyObject_HEAD_INIT(&PyUnicode_Type).length = 1,                        \
                 .hash = -1,                                                                       \
                 .state = STATIC_STATE(1)},                                                        \
        .data = {                                                                                  \
            (c)                                                                                    \
        }                                                                                          \
    }
#define LATIN1_CHAR(c)                                                                             \
    {                                                                                              \
        .head = {._base = {.ob_base = PyObject_HEAD_INIT(&PyUnicode_Type).length = 1,              \
                           .hash = -1,                                                             \
                           .state = STATIC_STATE(0)}},                                             \
        .data = {                                                                                  \
            (c)                                                                                    \
        }                                                                                          \
    }
#define ROW8(m, b) m(b), m(b + 1), m(b + 2), m(b + 3), m(b + 4), m(b + 5), m(b + 6), m(b + 7)
#define ROW64(m, b)                                                                                \
    ROW8(m, b), ROW8(m, b + 8), ROW8(m, b + 16), ROW8(m, b + 24), ROW8(m, b + 32),                 \
        ROW8(m, b + 40), ROW8(m, b + 48), ROW8(m, b + 56)

struct str_static_ascii1 str_static_empty = {
    .head = {.ob_base = PyObject_HEAD_INIT(&PyUnicode_Type).length = 0,
             .hash = -1,
             .state = STATIC_STATE(1)},
};
struct str_static_ascii1 str_static_ascii[128] = {ROW64(ASCII_CHAR, 0), ROW64(ASCII_CHAR, 64)};
struct str_static_latin1 str_static_latin1[128] = {ROW64(LATIN1_CHAR, 128),
                                                   ROW64(LATIN1_CHAR, 192)};

/* ---- Allocation ---------------------------------------------------------------------------- */

static size_t header_size(bool ascii)
{
    return ascii ? sizeof(PyASCIIObject) : sizeof(PyCompactUnicodeObject);
}

/* An ASCII string without characters yet, but for the zero; length > 0. */
static inline PyObject *ascii_new(Py_ssize_t length)
{
    size_t header = header_size(true);
    if (unlikely((size_t)length > PY_SSIZE_T_MAX - header - 1)) {
        return PyErr_NoMemory();
    }
    PyObject *s = birth_of_atom(&PyUnicode_Type, header + (size_t)length + 1);
    if (s == NULL) {
        return NULL;
    }
    PyASCIIObject *head = (PyASCIIObject *)s;
    head->length = length;
    head->hash = -1;
    *(uint32_t *)&head->state = 0;
    head->state.kind = 1;
    head->state.compact = 1;
    head->state.ascii = 1;
    ((char *)s + header)[length] = 0;
    return s;
}

PyObject *PyUnicode_New(Py_ssize_t size, Py_UCS4 maxchar)
{
    if (likely(maxchar < 128 && size > 0)) {
        return ascii_new(size);
    }
    if (size == 0) {
        return str_empty();
    }
    if (maxchar > STR_MAX_CODE_POINT) {
        PyErr_SetString(PyExc_SystemError, "invalid maximum character passed to PyUnicode_New");
        return NULL;
    }
    if (size < 0) {
        PyErr_SetString(PyExc_SystemError, "Negative size passed to PyUnicode_New");
        return NULL;
    }
    int kind = str_kind_for(maxchar);
    size_t header = header_size(false);
    if (size > (PY_SSIZE_T_MAX - (Py_ssize_t)header) / kind - 1) {
        return PyErr_NoMemory();
    }
    PyObject *s = birth_of_atom(&PyUnicode_Type, header + ((size_t)size + 1) * (size_t)kind);
    if (s == NULL) {
        return NULL;
    }
    PyASCIIObject *head = (PyASCIIObject *)s;
    head->length = size;
    head->hash = -1;
    *(uint32_t *)&head->state = 0;
    head->state.kind = (unsigned)kind & 7;
    head->state.compact = 1;
    ((PyCompactUnicodeObject *)s)->utf8 = NULL;
    ((PyCompactUnicodeObject *)s)->utf8_length = 0;
    str_data_write(kind, (char *)s + header, size, 0);
    return s;
}

PyObject *str_new(Py_ssize_t length, Py_UCS4 maxchar)
{
    return PyUnicode_New(length, maxchar);
}

static bool utf8_is_own(PyObject *s)
{
    return !str_is_ascii(s) && ((PyCompactUnicodeObject *)s)->utf8 != NULL;
}

void str_dealloc(PyObject *s)
{
    PyASCIIObject *head = (PyASCIIObject *)s;
    if (likely(head->state.ascii && head->state.compact && head->state.interned == 0
               && !head->state.statically_allocated && PyUnicode_CheckExact(s))) {
        slab_free(s);
        return;
    }
    if (((PyASCIIObject *)s)->state.statically_allocated) {
        return; /* an unbalanced release: such strings never die */
    }
    if (str_is_interned(s)) {
        str_intern_forget(s);
    }
    if (utf8_is_own(s)) {
        PyMem_Free(((PyCompactUnicodeObject *)s)->utf8);
    }
    if (!((PyASCIIObject *)s)->state.compact) {
        PyMem_Free(((PyUnicodeObject *)s)->data.any);
    }
    if (PyUnicode_CheckExact(s)) {
        slab_free(s);
        return;
    }
    Py_TYPE(s)->tp_free(s);
}

PyObject *str_subtype_new(PyTypeObject *type, PyObject *s)
{
    int kind = str_kind(s);
    Py_ssize_t length = str_len(s);
    PyUnicodeObject *self = (PyUnicodeObject *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    PyASCIIObject *head = &self->_base._base;
    head->hash = str_hash(s);
    head->state.kind = (unsigned)kind & 7;
    head->state.ascii = str_is_ascii(s);
    self->data.any = PyMem_Malloc(((size_t)length + 1) * (size_t)kind);
    if (self->data.any == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    memcpy(self->data.any, str_data(s), ((size_t)length + 1) * (size_t)kind);
    head->length = length;
    if (head->state.ascii) {
        self->_base.utf8 = self->data.any;
        self->_base.utf8_length = length;
    }
    return (PyObject *)self;
}

bool str_is_private(PyObject *s)
{
    PyASCIIObject *head = (PyASCIIObject *)s;
    return Py_REFCNT(s) == 1 && head->hash == -1 && head->state.interned == 0 && head->state.compact
           && Py_TYPE(s) == &PyUnicode_Type;
}

/* Changes the length of a private string; the object may move.  Frees nothing when it fails. */
static PyObject *resize_private(PyObject *s, Py_ssize_t length)
{
    PyASCIIObject *head = (PyASCIIObject *)s;
    size_t header = header_size(head->state.ascii);
    int kind = str_kind(s);
    if (length > (PY_SSIZE_T_MAX - (Py_ssize_t)header) / kind - 1) {
        return PyErr_NoMemory();
    }
    if (utf8_is_own(s)) {
        PyMem_Free(((PyCompactUnicodeObject *)s)->utf8);
        ((PyCompactUnicodeObject *)s)->utf8 = NULL;
        ((PyCompactUnicodeObject *)s)->utf8_length = 0;
    }
    PyObject *moved = atom_realloc(s, header + ((size_t)head->length + 1) * (size_t)kind,
                                   header + ((size_t)length + 1) * (size_t)kind);
    if (moved == NULL) {
        return PyErr_NoMemory();
    }
    ((PyASCIIObject *)moved)->length = length;
    str_data_write(kind, (char *)moved + header, length, 0);
    return moved;
}

int PyUnicode_Resize(PyObject **p, Py_ssize_t length)
{
    if (p == NULL || *p == NULL || !PyUnicode_Check(*p) || length < 0) {
        PyErr_BadInternalCall();
        return -1;
    }
    PyObject *s = *p;
    if (str_len(s) == length) {
        return 0;
    }
    if (length == 0) {
        Py_SETREF(*p, str_empty());
        return 0;
    }
    PyObject *resized;
    if (str_is_private(s)) {
        resized = resize_private(s, length);
        if (resized == NULL) {
            return -1;
        }
        *p = resized;
        return 0;
    }
    resized = PyUnicode_New(length, str_maxchar(s));
    if (resized == NULL) {
        return -1;
    }
    Py_ssize_t kept = Py_MIN(length, str_len(s));
    memcpy(str_data(resized), str_data(s), (size_t)kept * (size_t)str_kind(s));
    Py_SETREF(*p, resized);
    return 0;
}

/* ---- Making from characters ---------------------------------------------------------------- */

/* The OR of all characters tells the kind: the bits of the largest are in it. */
#define OR_LOOP(type)                                                                              \
    do {                                                                                           \
        const type *p = data, *end = p + len;                                                      \
        type all = 0;                                                                              \
        while (p < end && !(all & (type)~mask)) {                                                  \
            const type *stop = end - p > 256 ? p + 256 : end;                                      \
            while (p < stop) {                                                                     \
                all |= *p++;                                                                       \
            }                                                                                      \
        }                                                                                          \
        bits = all;                                                                                \
    } while (0)

Py_UCS4 str_data_maxchar(int kind, const void *data, Py_ssize_t len)
{
    Py_UCS4 bits, mask;
    if (kind == 1 && len <= 64) {
        return ascii_bytes(data, len) ? 0x7f : 0xff;
    }
    if (kind == 1) {
        mask = 0x7f;
        OR_LOOP(Py_UCS1);
        return bits < 0x80 ? 0x7f : 0xff;
    }
    if (kind == 2) {
        mask = 0xff;
        OR_LOOP(Py_UCS2);
        return bits < 0x80 ? 0x7f : bits < 0x100 ? 0xff : 0xffff;
    }
    mask = 0xffff;
    OR_LOOP(Py_UCS4);
    return bits < 0x80 ? 0x7f : bits < 0x100 ? 0xff : bits < 0x10000 ? 0xffff : STR_MAX_CODE_POINT;
}

#define CONVERT_LOOP(to_type, from_type)                                                           \
    do {                                                                                           \
        to_type *t = (to_type *)to + to_index;                                                     \
        const from_type *f = (const from_type *)from + from_index;                                 \
        for (Py_ssize_t i = 0; i < count; i++) {                                                   \
            t[i] = (to_type)f[i];                                                                  \
        }                                                                                          \
    } while (0)

void str_data_copy(int to_kind, void *to, Py_ssize_t to_index, int from_kind, const void *from,
                   Py_ssize_t from_index, Py_ssize_t count)
{
    if (likely(to_kind == from_kind)) {
        copy_short((char *)to + to_index * to_kind, (const char *)from + from_index * from_kind,
                   (size_t)(count * to_kind));
        return;
    }
    switch (to_kind * 8 + from_kind) {
    case 1 * 8 + 2:
        CONVERT_LOOP(Py_UCS1, Py_UCS2);
        break;
    case 1 * 8 + 4:
        CONVERT_LOOP(Py_UCS1, Py_UCS4);
        break;
    case 2 * 8 + 1:
        CONVERT_LOOP(Py_UCS2, Py_UCS1);
        break;
    case 2 * 8 + 4:
        CONVERT_LOOP(Py_UCS2, Py_UCS4);
        break;
    case 4 * 8 + 1:
        CONVERT_LOOP(Py_UCS4, Py_UCS1);
        break;
    default:
        CONVERT_LOOP(Py_UCS4, Py_UCS2);
        break;
    }
}

PyObject *str_from_char(Py_UCS4 ch)
{
    if (ch < 256) {
        return str_latin1_char(ch);
    }
    PyObject *s = PyUnicode_New(1, ch);
    if (s != NULL) {
        str_data_write(str_kind(s), str_data(s), 0, ch);
    }
    return s;
}

static PyObject *from_data_known(int kind, const void *data, Py_ssize_t length, Py_UCS4 maxchar)
{
    if (length == 1) {
        return str_from_char(str_data_read(kind, data, 0));
    }
    if (kind == 1 && maxchar < 0x80) {
        return str_from_ascii(data, length);
    }
    PyObject *s = PyUnicode_New(length, maxchar);
    if (s != NULL && length > 0) {
        str_data_copy(str_kind(s), str_data(s), 0, kind, data, 0, length);
    }
    return s;
}

PyObject *str_from_data(int kind, const void *data, Py_ssize_t length)
{
    if (length <= 0) {
        return str_empty();
    }
    return from_data_known(kind, data, length, str_data_maxchar(kind, data, length));
}

PyObject *str_from_ascii(const char *text, Py_ssize_t length)
{
    if (length <= 1) {
        return length <= 0 ? str_empty() : str_latin1_char((uint8_t)*text);
    }
    PyObject *s = ascii_new(length);
    if (s != NULL) {
        copy_short((PyASCIIObject *)s + 1, text, (size_t)length);
    }
    return s;
}

PyObject *str_from_latin1(const uint8_t *text, Py_ssize_t length)
{
    return str_from_data(1, text, length);
}

PyObject *str_from_ucs2(const Py_UCS2 *text, Py_ssize_t length)
{
    return str_from_data(2, text, length);
}

PyObject *str_from_ucs4(const Py_UCS4 *text, Py_ssize_t length)
{
    return str_from_data(4, text, length);
}

PyObject *str_from_utf8(const char *text, Py_ssize_t length)
{
    return PyUnicode_DecodeUTF8Stateful(text, length, NULL, NULL);
}

PyObject *PyUnicode_FromKindAndData(int kind, const void *buffer, Py_ssize_t size)
{
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "size must be positive");
        return NULL;
    }
    if (kind != 1 && kind != 2 && kind != 4) {
        PyErr_SetString(PyExc_SystemError, "invalid kind");
        return NULL;
    }
    return str_from_data(kind, buffer, size);
}

PyObject *PyUnicode_FromStringAndSize(const char *text, Py_ssize_t size)
{
    if (size < 0) {
        PyErr_SetString(PyExc_SystemError, "Negative size passed to PyUnicode_FromStringAndSize");
        return NULL;
    }
    if (text != NULL) {
        return PyUnicode_DecodeUTF8Stateful(text, size, NULL, NULL);
    }
    if (size > 0) {
        PyErr_SetString(PyExc_SystemError, "NULL string with positive size with NULL passed to "
                                           "PyUnicode_FromStringAndSize");
        return NULL;
    }
    return str_empty();
}

PyObject *PyUnicode_FromString(const char *text)
{
    size_t size = strlen(text);
    if (size > PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_OverflowError, "input too long");
        return NULL;
    }
    return PyUnicode_DecodeUTF8Stateful(text, (Py_ssize_t)size, NULL, NULL);
}

PyObject *PyUnicode_FromOrdinal(int ordinal)
{
    if (ordinal < 0 || ordinal > (int)STR_MAX_CODE_POINT) {
        PyErr_SetString(PyExc_ValueError, "chr() arg not in range(0x110000)");
        return NULL;
    }
    return str_from_char((Py_UCS4)ordinal);
}

static PyObject *copy_exact(PyObject *s)
{
    return from_data_known(str_kind(s), str_data(s), str_len(s), str_maxchar(s));
}

PyObject *_PyUnicode_Copy(PyObject *s)
{
    if (!PyUnicode_Check(s)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyObject *copy = PyUnicode_New(str_len(s), str_maxchar(s));
    if (copy != NULL) {
        memcpy(str_data(copy), str_data(s), (size_t)str_len(s) * (size_t)str_kind(s));
    }
    return copy;
}

PyObject *str_exact(PyObject *s)
{
    return PyUnicode_CheckExact(s) ? Py_NewRef(s) : copy_exact(s);
}

PyObject *PyUnicode_FromObject(PyObject *object)
{
    if (PyUnicode_Check(object)) {
        return str_exact(object);
    }
    PyErr_Format(PyExc_TypeError, "Can't convert '%.100s' object to str implicitly",
                 Py_TYPE(object)->tp_name);
    return NULL;
}

PyObject *str_char_at(PyObject *s, Py_ssize_t i)
{
    return str_from_char(str_read(s, i));
}

PyObject *str_substring(PyObject *s, Py_ssize_t start, Py_ssize_t end)
{
    Py_ssize_t length = end - start;
    if (length == str_len(s)) {
        return str_exact(s);
    }
    if (length <= 0) {
        return str_empty();
    }
    int kind = str_kind(s);
    const char *data = (const char *)str_data(s) + start * kind;
    return str_is_ascii(s) ? str_from_ascii(data, length) : str_from_data(kind, data, length);
}

PyObject *PyUnicode_Substring(PyObject *s, Py_ssize_t start, Py_ssize_t end)
{
    end = Py_MIN(end, str_len(s));
    if (start == 0 && end == str_len(s)) {
        return str_exact(s);
    }
    if (start < 0 || end < 0) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return NULL;
    }
    return start >= end ? str_empty() : str_substring(s, start, end);
}

/* ---- Wide characters (32 bits here) -------------------------------------------------------- */

_Static_assert(sizeof(wchar_t) == sizeof(Py_UCS4), "wchar_t holds a code point");

PyObject *PyUnicode_FromWideChar(const wchar_t *text, Py_ssize_t size)
{
    if ((text == NULL && size != 0) || size < -1) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (size == -1) {
        size = (Py_ssize_t)wcslen(text);
    }
    if (size > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(wchar_t)) {
        return PyErr_NoMemory(); /* nobody has so much text */
    }
    for (Py_ssize_t i = 0; i < size; i++) {
        if ((Py_UCS4)text[i] > STR_MAX_CODE_POINT) {
            PyErr_Format(PyExc_ValueError, "character U+%x is not in range [U+0000; U+%x]",
                         (unsigned)text[i], 0x10ffff);
            return NULL;
        }
    }
    return str_from_ucs4((const Py_UCS4 *)text, size);
}

Py_ssize_t PyUnicode_AsWideChar(PyObject *s, wchar_t *buffer, Py_ssize_t size)
{
    if (s == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (str_check_argument(s) < 0) {
        return -1;
    }
    Py_ssize_t length = str_len(s);
    if (buffer == NULL) {
        return length + 1;
    }
    Py_ssize_t count = Py_MIN(size, length + 1); /* with the terminating zero if it fits */
    str_data_copy(4, buffer, 0, str_kind(s), str_data(s), 0, count);
    return size > length ? length : size;
}

wchar_t *PyUnicode_AsWideCharString(PyObject *s, Py_ssize_t *size)
{
    if (s == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (str_check_argument(s) < 0) {
        return NULL;
    }
    Py_ssize_t length = str_len(s);
    wchar_t *buffer = PyMem_New(wchar_t, length + 1);
    if (buffer == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    str_data_copy(4, buffer, 0, str_kind(s), str_data(s), 0, length + 1);
    if (size != NULL) {
        *size = length;
    } else if (wcslen(buffer) != (size_t)length) {
        PyMem_Free(buffer);
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return buffer;
}

Py_UCS4 *PyUnicode_AsUCS4(PyObject *s, Py_UCS4 *target, Py_ssize_t size, int with_zero)
{
    if (target == NULL || size < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    Py_ssize_t count = str_len(s) + (with_zero ? 1 : 0);
    if (size < count) {
        PyErr_SetString(PyExc_SystemError, "string is longer than the buffer");
        if (with_zero && size > 0) {
            target[0] = 0;
        }
        return NULL;
    }
    str_data_copy(4, target, 0, str_kind(s), str_data(s), 0, count);
    return target;
}

Py_UCS4 *PyUnicode_AsUCS4Copy(PyObject *s)
{
    Py_UCS4 *copy = PyMem_New(Py_UCS4, str_len(s) + 1);
    if (copy == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    return PyUnicode_AsUCS4(s, copy, str_len(s) + 1, 1);
}

/* ---- Single characters and stretches ------------------------------------------------------- */

Py_ssize_t PyUnicode_GetLength(PyObject *s)
{
    return str_check_argument(s) < 0 ? -1 : str_len(s);
}

PyAPI_FUNC(Py_ssize_t) PyUnicode_GetSize(PyObject *s);

Py_ssize_t PyUnicode_GetSize(PyObject *Py_UNUSED(s))
{
    PyErr_SetString(PyExc_RuntimeError,
                    "PyUnicode_GetSize has been removed, use PyUnicode_GetLength instead");
    return -1;
}

Py_UCS4 PyUnicode_ReadChar(PyObject *s, Py_ssize_t index)
{
    if (!PyUnicode_Check(s)) {
        PyErr_BadArgument();
        return (Py_UCS4)-1;
    }
    if (index < 0 || index >= str_len(s)) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return (Py_UCS4)-1;
    }
    return str_read(s, index);
}

static int require_private(PyObject *s)
{
    if (str_is_private(s)) {
        return 0;
    }
    PyErr_SetString(PyExc_SystemError, "Cannot modify a string currently used");
    return -1;
}

int PyUnicode_WriteChar(PyObject *s, Py_ssize_t index, Py_UCS4 ch)
{
    if (!PyUnicode_Check(s) || !PyUnicode_IS_COMPACT(s)) {
        PyErr_BadArgument();
        return -1;
    }
    if (index < 0 || index >= str_len(s)) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return -1;
    }
    if (require_private(s) < 0) {
        return -1;
    }
    if (ch > str_maxchar(s)) {
        PyErr_SetString(PyExc_ValueError, "character out of range");
        return -1;
    }
    str_data_write(str_kind(s), str_data(s), index, ch);
    return 0;
}

Py_ssize_t PyUnicode_CopyCharacters(PyObject *to, Py_ssize_t to_start, PyObject *from,
                                    Py_ssize_t from_start, Py_ssize_t count)
{
    if (!PyUnicode_Check(from) || !PyUnicode_Check(to)) {
        PyErr_BadInternalCall();
        return -1;
    }
    if ((size_t)from_start > (size_t)str_len(from) || (size_t)to_start > (size_t)str_len(to)) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return -1;
    }
    if (count < 0) {
        PyErr_SetString(PyExc_SystemError, "how_many cannot be negative");
        return -1;
    }
    count = Py_MIN(str_len(from) - from_start, count);
    if (to_start + count > str_len(to)) {
        PyErr_Format(PyExc_SystemError,
                     "Cannot write %zi characters at %zi in a string of %zi characters", count,
                     to_start, str_len(to));
        return -1;
    }
    if (count == 0) {
        return 0;
    }
    if (require_private(to) < 0) {
        return -1;
    }
    const void *start = (const char *)str_data(from) + from_start * str_kind(from);
    if (str_maxchar(from) > str_maxchar(to)
        && str_data_maxchar(str_kind(from), start, count) > str_maxchar(to)) {
        PyErr_Format(PyExc_SystemError, "Cannot copy %s characters into a string of %s characters",
                     str_maxchar(from) > 0xffff ? "UCS4"
                     : str_maxchar(from) > 0xff ? "UCS2"
                                                : "Latin-1",
                     str_maxchar(to) > 0xff   ? "UCS2"
                     : str_maxchar(to) > 0x7f ? "Latin-1"
                                              : "ASCII");
        return -1;
    }
    str_data_copy(str_kind(to), str_data(to), to_start, str_kind(from), start, 0, count);
    return count;
}

void str_data_fill(int kind, void *data, Py_ssize_t start, Py_ssize_t count, Py_UCS4 ch)
{
    if (kind == 1) {
        memset((char *)data + start, (int)ch, (size_t)count);
        return;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        str_data_write(kind, data, start + i, ch);
    }
}

Py_ssize_t PyUnicode_Fill(PyObject *s, Py_ssize_t start, Py_ssize_t length, Py_UCS4 ch)
{
    if (!PyUnicode_Check(s)) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (require_private(s) < 0) {
        return -1;
    }
    if (ch > str_maxchar(s)) {
        PyErr_SetString(PyExc_ValueError,
                        "fill character is bigger than the string maximum character");
        return -1;
    }
    if (start < 0) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return -1;
    }
    length = Py_MIN(str_len(s) - start, length);
    if (length <= 0) {
        return 0;
    }
    str_data_fill(str_kind(s), str_data(s), start, length, ch);
    return length;
}

/* ---- The UTF-8 form ------------------------------------------------------------------------ */

/* Several threads may make it at once: the first to publish wins, the others take its copy.  The
 * length is the same for all, and is there before the pointer is. */
static const char *utf8_publish(PyObject *s, char *utf8, Py_ssize_t length)
{
    PyCompactUnicodeObject *text = (PyCompactUnicodeObject *)s;
    char *expected = NULL;
    __atomic_store_n(&text->utf8_length, length, __ATOMIC_RELAXED);
    if (__atomic_compare_exchange_n(&text->utf8, &expected, utf8, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE)) {
        return utf8;
    }
    PyMem_Free(utf8);
    return expected;
}

const char *str_utf8(PyObject *s, Py_ssize_t *size)
{
    if (str_is_ascii(s)) {
        if (size != NULL) {
            *size = str_len(s);
        }
        return str_data(s);
    }
    PyCompactUnicodeObject *text = (PyCompactUnicodeObject *)s;
    const char *utf8 = __atomic_load_n(&text->utf8, __ATOMIC_ACQUIRE);
    if (utf8 == NULL) {
        PyObject *bytes = PyUnicode_AsUTF8String(s);
        if (bytes == NULL) {
            return NULL;
        }
        Py_ssize_t length = PyBytes_GET_SIZE(bytes);
        char *copy = PyMem_Malloc((size_t)length + 1);
        if (copy != NULL) {
            memcpy(copy, PyBytes_AS_STRING(bytes), (size_t)length + 1);
        }
        Py_DECREF(bytes);
        if (copy == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        utf8 = utf8_publish(s, copy, length);
    }
    if (size != NULL) {
        *size = __atomic_load_n(&text->utf8_length, __ATOMIC_RELAXED);
    }
    return utf8;
}

const char *PyUnicode_AsUTF8AndSize(PyObject *s, Py_ssize_t *size)
{
    if (!PyUnicode_Check(s)) {
        PyErr_BadArgument();
        if (size != NULL) {
            *size = -1;
        }
        return NULL;
    }
    const char *utf8 = str_utf8(s, size);
    if (utf8 == NULL && size != NULL) {
        *size = -1;
    }
    return utf8;
}

const char *PyUnicode_AsUTF8(PyObject *s)
{
    return PyUnicode_AsUTF8AndSize(s, NULL);
}

PyAPI_FUNC(const char *) _PyUnicode_AsUTF8NoNUL(PyObject *s);

const char *_PyUnicode_AsUTF8NoNUL(PyObject *s)
{
    Py_ssize_t size;
    const char *utf8 = PyUnicode_AsUTF8AndSize(s, &size);
    if (utf8 != NULL && strlen(utf8) != (size_t)size) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return utf8;
}

const char *PyUnicode_GetDefaultEncoding(void)
{
    return "utf-8";
}

int str_require(PyObject *s)
{
    if (PyUnicode_Check(s)) {
        return 0;
    }
    PyErr_Format(PyExc_TypeError, "must be str, not %.100s", Py_TYPE(s)->tp_name);
    return -1;
}

int _PyUnicode_CheckConsistency(PyObject *s, int check_content)
{
    PyASCIIObject *head = (PyASCIIObject *)s;
    bool good = PyUnicode_Check(s) && head->length >= 0
                && (head->state.kind == 1 || head->state.kind == 2 || head->state.kind == 4)
                && (!head->state.ascii || head->state.kind == 1)
                && str_data_read(str_kind(s), str_data(s), head->length) == 0;
    if (good && check_content && head->state.compact) {
        Py_UCS4 maxchar = str_data_maxchar(str_kind(s), str_data(s), str_len(s));
        good = maxchar == str_maxchar(s);
    }
    if (!good) {
        Py_FatalError("inconsistent string");
    }
    return 1;
}
