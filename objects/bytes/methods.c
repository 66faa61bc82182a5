/* join, translate, hex, casing, padding, ...: the rest of what bytes and bytearray share. */
#include "objects/bytes/internal.h"

#include "objects/str.h"

PyObject *blob_make(bool array, const void *data, Py_ssize_t len)
{
    PyObject *result;
    if (!array) {
        return data == NULL ? bytes_new(len) : bytes_from(data, len);
    }
    result = PyByteArray_FromStringAndSize(data, len);
    return result;
}

PyObject *blob_same(PyObject *self)
{
    struct blob b = blob_of(self);
    return PyBytes_CheckExact(self) ? Py_NewRef(self) : blob_make(b.array, b.data, b.len);
}

static uint8_t *blob_data(PyObject *made)
{
    return (uint8_t *)blob_of(made).data;
}

/* ---- Joining ---------------------------------------------------------------------------------- */

PyObject *blob_concat(PyObject *a, PyObject *b)
{
    Py_buffer left = {0}, right = {0};
    PyObject *result = NULL;
    bool array = PyByteArray_Check(a);
    if (PyObject_GetBuffer(a, &left, PyBUF_SIMPLE) < 0
        || PyObject_GetBuffer(b, &right, PyBUF_SIMPLE) < 0) {
        PyErr_Format(PyExc_TypeError, "can't concat %.100s to %.100s", Py_TYPE(b)->tp_name,
                     Py_TYPE(a)->tp_name);
        goto done;
    }
    if (left.len == 0 && PyBytes_CheckExact(b) && !array) {
        result = Py_NewRef(b);
    } else if (right.len == 0 && PyBytes_CheckExact(a)) {
        result = Py_NewRef(a);
    } else if (left.len > PY_SSIZE_T_MAX - right.len) {
        PyErr_NoMemory();
    } else {
        result = blob_make(array, NULL, left.len + right.len);
        if (result != NULL) {
            memcpy(blob_data(result), left.buf, (size_t)left.len);
            memcpy(blob_data(result) + left.len, right.buf, (size_t)right.len);
        }
    }
done:
    PyBuffer_Release(&left);
    PyBuffer_Release(&right);
    return result;
}

PyObject *blob_repeat(PyObject *self, Py_ssize_t count)
{
    struct blob b = blob_of(self);
    count = Py_MAX(count, 0);
    if (count > 0 && b.len > PY_SSIZE_T_MAX / count) {
        if (b.array) {
            return PyErr_NoMemory();
        }
        PyErr_SetString(PyExc_OverflowError, "repeated bytes are too long");
        return NULL;
    }
    Py_ssize_t total = b.len * count;
    if (total == b.len && PyBytes_CheckExact(self)) {
        return Py_NewRef(self);
    }
    PyObject *result = blob_make(b.array, NULL, total);
    if (result == NULL || total == 0) {
        return result;
    }
    uint8_t *data = blob_data(result);
    memcpy(data, b.data, (size_t)b.len);
    for (Py_ssize_t done = b.len; done < total;) {
        Py_ssize_t step = Py_MIN(done, total - done);
        memcpy(data + done, data, (size_t)step);
        done += step;
    }
    return result;
}

/* The items' buffers are all held while the result is put together. */
static PyObject *join_views(PyObject *self, PyObject *items, Py_buffer *views)
{
    Py_ssize_t count = PyTuple_GET_SIZE(items), total = 0, opened = 0;
    PyObject *result = NULL;
    struct blob sep;
    for (; opened < count; opened++) {
        PyObject *item = PyTuple_GET_ITEM(items, opened);
        if (PyObject_GetBuffer(item, &views[opened], PyBUF_SIMPLE) < 0) {
            PyErr_Format(PyExc_TypeError,
                         "sequence item %zd: expected a bytes-like object, %.80s found", opened,
                         Py_TYPE(item)->tp_name);
            goto done;
        }
    }
    sep = blob_of(self);
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_ssize_t add = views[i].len + (i == 0 ? 0 : sep.len);
        if (add > PY_SSIZE_T_MAX - total) {
            PyErr_SetString(PyExc_OverflowError, "join() result is too long");
            goto done;
        }
        total += add;
    }
    result = blob_make(sep.array, NULL, total);
    if (result != NULL) {
        uint8_t *out = blob_data(result);
        for (Py_ssize_t i = 0; i < count; i++) {
            if (i > 0 && sep.len > 0) {
                memcpy(out, sep.data, (size_t)sep.len);
                out += sep.len;
            }
            memcpy(out, views[i].buf, (size_t)views[i].len);
            out += views[i].len;
        }
    }
done:
    while (opened-- > 0) {
        PyBuffer_Release(&views[opened]);
    }
    return result;
}

static PyObject *join_items(PyObject *self, PyObject *iterable)
{
    PyObject *items = PySequence_Tuple(iterable), *result;
    if (items == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError) && Py_TYPE(iterable)->tp_iter == NULL
            && !PySequence_Check(iterable)) {
            PyErr_SetString(PyExc_TypeError, "can only join an iterable");
        }
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(items);
    if (count == 1 && PyBytes_CheckExact(self) && PyBytes_CheckExact(PyTuple_GET_ITEM(items, 0))) {
        result = Py_NewRef(PyTuple_GET_ITEM(items, 0));
        Py_DECREF(items);
        return result;
    }
    Py_buffer few[10], *views = few;
    if (count > 10) {
        views = PyMem_New(Py_buffer, count);
    }
    result = views == NULL ? PyErr_NoMemory() : join_views(self, items, views);
    if (views != few) {
        PyMem_Free(views);
    }
    Py_DECREF(items);
    return result;
}

PyObject *blob_join(PyObject *self, PyObject *iterable)
{
    Py_buffer held = {0}; /* the separator must not change while the items are collected */
    if (PyByteArray_Check(self) && PyObject_GetBuffer(self, &held, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *result = join_items(self, iterable);
    PyBuffer_Release(&held);
    return result;
}

/* ---- Translating ------------------------------------------------------------------------------ */

PyObject *blob_translate(PyObject *self, PyObject *table, PyObject *delete_)
{
    Py_buffer map = {0}, gone = {0};
    PyObject *result = NULL;
    if (table != Py_None && PyObject_GetBuffer(table, &map, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    if (table != Py_None && map.len != 256) {
        PyErr_SetString(PyExc_ValueError, "translation table must be 256 characters long");
        goto done;
    }
    if (delete_ != NULL && PyObject_GetBuffer(delete_, &gone, PyBUF_SIMPLE) < 0) {
        goto done;
    }
    bool drop[256] = {false};
    for (Py_ssize_t i = 0; i < gone.len; i++) {
        drop[((const uint8_t *)gone.buf)[i]] = true;
    }
    struct blob b = blob_of(self);
    result = blob_make(b.array, NULL, b.len);
    if (result == NULL) {
        goto done;
    }
    uint8_t *out = blob_data(result), *start = out;
    bool changed = false;
    for (Py_ssize_t i = 0; i < b.len; i++) {
        uint8_t byte = b.data[i];
        if (drop[byte]) {
            changed = true;
            continue;
        }
        *out = map.buf == NULL ? byte : ((const uint8_t *)map.buf)[byte];
        changed |= *out++ != byte;
    }
    if (!changed && PyBytes_CheckExact(self)) {
        Py_SETREF(result, Py_NewRef(self));
    } else if (out - start != b.len) {
        Py_SETREF(result, blob_make(b.array, start, out - start));
    }
done:
    PyBuffer_Release(&map);
    PyBuffer_Release(&gone);
    return result;
}

PyObject *blob_maketrans(Py_buffer *frm, Py_buffer *to)
{
    if (frm->len != to->len) {
        PyErr_SetString(PyExc_ValueError, "maketrans arguments must have same length");
        return NULL;
    }
    PyObject *table = bytes_new(256);
    if (table != NULL) {
        uint8_t *data = bytes_data(table);
        for (int i = 0; i < 256; i++) {
            data[i] = (uint8_t)i;
        }
        for (Py_ssize_t i = 0; i < frm->len; i++) {
            data[((const uint8_t *)frm->buf)[i]] = ((const uint8_t *)to->buf)[i];
        }
    }
    return table;
}

/* ---- Text ------------------------------------------------------------------------------------- */

PyObject *blob_decode(PyObject *self, const char *encoding, const char *errors)
{
    return PyUnicode_FromEncodedObject(self, encoding, errors);
}

PyObject *blob_hex(PyObject *self, PyObject *sep, int bytes_per_sep)
{
    struct blob b = blob_of(self);
    return bytes_to_hex(b.data, b.len, sep, bytes_per_sep, false);
}

/* The separator's one character: -1 for none, -2 for an exception. */
static int hex_separator(PyObject *sep)
{
    if (sep == NULL) {
        return -1;
    }
    Py_ssize_t length = PyObject_Length(sep);
    if (length < 0) {
        return -2;
    }
    if (length != 1) {
        PyErr_SetString(PyExc_ValueError, "sep must be length 1.");
        return -2;
    }
    Py_UCS4 ch;
    if (PyUnicode_Check(sep)) {
        ch = str_read(sep, 0);
    } else if (PyBytes_Check(sep)) {
        ch = bytes_data(sep)[0];
    } else {
        PyErr_SetString(PyExc_TypeError, "sep must be str or bytes.");
        return -2;
    }
    if (ch > 127) {
        PyErr_SetString(PyExc_ValueError, "sep must be ASCII.");
        return -2;
    }
    return (int)ch;
}

PyObject *bytes_to_hex(const uint8_t *data, Py_ssize_t length, PyObject *sep, int group,
                       bool as_bytes)
{
    static const char digits[] = "0123456789abcdef";
    int separator = hex_separator(sep);
    if (separator == -2) {
        return NULL;
    }
    Py_ssize_t size = group == 0 || separator < 0 ? 0 : group < 0 ? -(Py_ssize_t)group : group;
    Py_ssize_t gaps = size == 0 || length == 0 ? 0 : (length - 1) / size;
    if (length > (PY_SSIZE_T_MAX - 64) / 3) {
        return PyErr_NoMemory();
    }
    PyObject *result = as_bytes ? bytes_new(length * 2 + gaps) : str_new(length * 2 + gaps, 127);
    if (result == NULL || length == 0) {
        return result;
    }
    uint8_t *out = as_bytes ? bytes_data(result) : str_data(result);
    if (gaps == 0) {
        for (Py_ssize_t i = 0; i < length; i++) {
            unsigned high = data[i] >> 4, low = data[i] & 15;
            out[2 * i] = (uint8_t)(high + (high > 9 ? 'a' - 10 : '0'));
            out[2 * i + 1] = (uint8_t)(low + (low > 9 ? 'a' - 10 : '0'));
        }
        return result;
    }
    /* Groups are counted from the right if `group` is positive. */
    Py_ssize_t left = gaps == 0 ? length : group > 0 ? (length - 1) % size + 1 : size;
    for (Py_ssize_t i = 0; i < length; i++) {
        if (left-- == 0) {
            *out++ = (uint8_t)separator;
            left = size - 1;
        }
        *out++ = (uint8_t)digits[data[i] >> 4];
        *out++ = (uint8_t)digits[data[i] & 15];
    }
    return result;
}

PyAPI_FUNC(PyObject *) _Py_strhex(const char *data, Py_ssize_t length);
PyAPI_FUNC(PyObject *)
    _Py_strhex_bytes_with_sep(const char *data, Py_ssize_t length, PyObject *sep, int group);

PyObject *_Py_strhex(const char *data, Py_ssize_t length)
{
    return bytes_to_hex((const uint8_t *)data, length, NULL, 0, false);
}

PyObject *_Py_strhex_bytes_with_sep(const char *data, Py_ssize_t length, PyObject *sep, int group)
{
    return bytes_to_hex((const uint8_t *)data, length, sep, group, true);
}

static int hex_digit(Py_UCS4 ch)
{
    return ch >= '0' && ch <= '9'   ? (int)ch - '0'
           : ch >= 'a' && ch <= 'f' ? (int)ch - 'a' + 10
           : ch >= 'A' && ch <= 'F' ? (int)ch - 'A' + 10
                                    : -1;
}

PyObject *bytes_parse_hex(PyObject *text, bool as_bytearray)
{
    struct bytes_writer w;
    bytes_writer_init(&w);
    Py_ssize_t n = str_len(text), i = 0;
    for (;;) {
        while (i < n && str_read(text, i) < 128 && Py_ISSPACE(str_read(text, i))) {
            i++;
        }
        if (i >= n) {
            break;
        }
        int high = hex_digit(str_read(text, i));
        int low = high < 0 || i + 1 >= n ? -1 : hex_digit(str_read(text, i + 1));
        if (high < 0 || low < 0) {
            PyErr_Format(PyExc_ValueError,
                         "non-hexadecimal number found in fromhex() arg at position %zd",
                         high < 0 ? i : i + 1);
            bytes_writer_drop(&w);
            return NULL;
        }
        if (bytes_writer_byte(&w, (uint8_t)(high << 4 | low)) < 0) {
            bytes_writer_drop(&w);
            return NULL;
        }
        i += 2;
    }
    return as_bytearray ? bytes_writer_finish_bytearray(&w) : bytes_writer_finish(&w);
}

PyObject *bytes_to_repr(const uint8_t *data, Py_ssize_t length, bool smart_quotes,
                        const char *prefix, const char *suffix)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t quote = '\'';
    if (smart_quotes && length > 0 && memchr(data, '\'', (size_t)length) != NULL
        && memchr(data, '"', (size_t)length) == NULL) {
        quote = '"';
    }
    Py_ssize_t size = (Py_ssize_t)(strlen(prefix) + strlen(suffix)) + 3;
    for (Py_ssize_t i = 0; i < length; i++) {
        uint8_t c = data[i];
        Py_ssize_t add = c == quote || c == '\\' || c == '\t' || c == '\n' || c == '\r' ? 2
                         : c < ' ' || c >= 0x7f                                         ? 4
                                                                                        : 1;
        if (size > PY_SSIZE_T_MAX - add) {
            PyErr_SetString(PyExc_OverflowError, "bytes object is too large to make repr");
            return NULL;
        }
        size += add;
    }
    PyObject *repr = str_new(size, 127);
    if (repr == NULL) {
        return NULL;
    }
    uint8_t *p = str_data(repr);
    p = (uint8_t *)stpcpy((char *)p, prefix);
    *p++ = 'b';
    *p++ = quote;
    for (Py_ssize_t i = 0; i < length; i++) {
        uint8_t c = data[i];
        if (c == quote || c == '\\') {
            *p++ = '\\';
            *p++ = c;
        } else if (c == '\t' || c == '\n' || c == '\r') {
            *p++ = '\\';
            *p++ = c == '\t' ? 't' : c == '\n' ? 'n' : 'r';
        } else if (c < ' ' || c >= 0x7f) {
            *p++ = '\\';
            *p++ = 'x';
            *p++ = (uint8_t)digits[c >> 4];
            *p++ = (uint8_t)digits[c & 15];
        } else {
            *p++ = c;
        }
    }
    *p++ = quote;
    memcpy(p, suffix, strlen(suffix));
    return repr;
}

/* ---- Padding ---------------------------------------------------------------------------------- */

static PyObject *pad(PyObject *self, Py_ssize_t left, Py_ssize_t right, char fill)
{
    struct blob b = blob_of(self);
    if (left <= 0 && right <= 0) {
        return blob_same(self);
    }
    if (left > PY_SSIZE_T_MAX - b.len - right) {
        return PyErr_NoMemory();
    }
    PyObject *result = blob_make(b.array, NULL, left + b.len + right);
    if (result != NULL) {
        uint8_t *out = blob_data(result);
        memset(out, fill, (size_t)left);
        memcpy(out + left, b.data, (size_t)b.len);
        memset(out + left + b.len, fill, (size_t)right);
    }
    return result;
}

PyObject *blob_ljust(PyObject *self, Py_ssize_t width, char fillchar)
{
    return pad(self, 0, Py_MAX(width - Py_SIZE(self), 0), fillchar);
}

PyObject *blob_rjust(PyObject *self, Py_ssize_t width, char fillchar)
{
    return pad(self, Py_MAX(width - Py_SIZE(self), 0), 0, fillchar);
}

PyObject *blob_center(PyObject *self, Py_ssize_t width, char fillchar)
{
    Py_ssize_t margin = Py_MAX(width - Py_SIZE(self), 0);
    Py_ssize_t left = margin / 2 + (margin & width & 1);
    return pad(self, left, margin - left, fillchar);
}

PyObject *blob_zfill(PyObject *self, Py_ssize_t width)
{
    struct blob b = blob_of(self);
    Py_ssize_t fill = width - b.len;
    if (fill <= 0) {
        return blob_same(self);
    }
    PyObject *result = pad(self, fill, 0, '0');
    if (result != NULL && b.len > 0 && (b.data[0] == '+' || b.data[0] == '-')) {
        uint8_t *out = blob_data(result);
        out[0] = b.data[0];
        out[fill] = '0';
    }
    return result;
}

PyObject *blob_expandtabs(PyObject *self, int tabsize)
{
    struct blob b = blob_of(self);
    PyObject *result = NULL;
    uint8_t *out = NULL;
    for (int pass = 0; pass < 2; pass++) { /* count, then write */
        Py_ssize_t column = 0, length = 0;
        for (Py_ssize_t i = 0; i < b.len; i++) {
            uint8_t byte = b.data[i];
            Py_ssize_t add = byte != '\t' ? 1 : tabsize > 0 ? tabsize - column % tabsize : 0;
            if (add > PY_SSIZE_T_MAX - length) {
                PyErr_SetString(PyExc_OverflowError, "result too long");
                return NULL;
            }
            if (out != NULL) {
                memset(out + length, byte == '\t' ? ' ' : byte, (size_t)add);
            }
            length += add;
            column = byte == '\n' || byte == '\r' ? 0 : column + add;
        }
        if (pass == 0) {
            result = blob_make(b.array, NULL, length);
            if (result == NULL) {
                return NULL;
            }
            out = blob_data(result);
        }
    }
    return result;
}

/* ---- Case -------------------------------------------------------------------------------------- */

enum casing { UPPER, LOWER, TITLE, CAPITALIZE, SWAP };

static PyObject *change_case(PyObject *self, enum casing casing)
{
    struct blob b = blob_of(self);
    PyObject *result = blob_make(b.array, NULL, b.len);
    if (result == NULL) {
        return NULL;
    }
    if (PyBytes_Check(result) && b.len <= 1) { /* shared objects are not written to */
        uint8_t byte = b.len == 1 ? b.data[0] : 0;
        byte = casing == LOWER                      ? Py_TOLOWER(byte)
               : casing == SWAP && Py_ISUPPER(byte) ? Py_TOLOWER(byte)
                                                    : Py_TOUPPER(byte);
        Py_DECREF(result);
        return b.len == 0 ? bytes_empty() : bytes_char(byte);
    }
    uint8_t *out = blob_data(result);
    bool inside = false;
    for (Py_ssize_t i = 0; i < b.len; i++) {
        uint8_t c = b.data[i];
        bool raise = casing == UPPER || (casing == TITLE && !inside)
                     || (casing == CAPITALIZE && i == 0) || (casing == SWAP && Py_ISLOWER(c));
        out[i] = raise ? Py_TOUPPER(c) : Py_TOLOWER(c);
        inside = Py_ISALPHA(c);
    }
    return result;
}

PyObject *blob_upper(PyObject *self)
{
    return change_case(self, UPPER);
}

PyObject *blob_lower(PyObject *self)
{
    return change_case(self, LOWER);
}

PyObject *blob_title(PyObject *self)
{
    return change_case(self, TITLE);
}

PyObject *blob_capitalize(PyObject *self)
{
    return change_case(self, CAPITALIZE);
}

PyObject *blob_swapcase(PyObject *self)
{
    return change_case(self, SWAP);
}

/* ---- Questions ---------------------------------------------------------------------------------- */

enum { LOWER_BIT = 1, UPPER_BIT = 2, DIGIT_BIT = 4, SPACE_BIT = 8 };

static PyObject *all_have(PyObject *self, unsigned bits)
{
    struct blob b = blob_of(self);
    for (Py_ssize_t i = 0; i < b.len; i++) {
        if (!(_Py_ctype_table[b.data[i]] & bits)) {
            return Py_False;
        }
    }
    return PyBool_FromLong(b.len > 0);
}

PyObject *blob_isalnum(PyObject *self)
{
    return all_have(self, LOWER_BIT | UPPER_BIT | DIGIT_BIT);
}

PyObject *blob_isalpha(PyObject *self)
{
    return all_have(self, LOWER_BIT | UPPER_BIT);
}

PyObject *blob_isdigit(PyObject *self)
{
    return all_have(self, DIGIT_BIT);
}

PyObject *blob_isspace(PyObject *self)
{
    return all_have(self, SPACE_BIT);
}

PyObject *blob_isascii(PyObject *self)
{
    struct blob b = blob_of(self);
    return PyBool_FromLong(str_data_maxchar(1, b.data, b.len) < 0x80);
}

static PyObject *one_case(PyObject *self, unsigned wanted, unsigned forbidden)
{
    struct blob b = blob_of(self);
    bool seen = false;
    for (Py_ssize_t i = 0; i < b.len; i++) {
        if (_Py_ctype_table[b.data[i]] & forbidden) {
            return Py_False;
        }
        seen = seen || (_Py_ctype_table[b.data[i]] & wanted);
    }
    return PyBool_FromLong(seen);
}

PyObject *blob_islower(PyObject *self)
{
    return one_case(self, LOWER_BIT, UPPER_BIT);
}

PyObject *blob_isupper(PyObject *self)
{
    return one_case(self, UPPER_BIT, LOWER_BIT);
}

PyObject *blob_istitle(PyObject *self)
{
    struct blob b = blob_of(self);
    bool seen = false, inside = false;
    for (Py_ssize_t i = 0; i < b.len; i++) {
        uint8_t c = b.data[i];
        if ((Py_ISUPPER(c) && inside) || (Py_ISLOWER(c) && !inside)) {
            return Py_False;
        }
        inside = Py_ISALPHA(c);
        seen = seen || inside;
    }
    return PyBool_FromLong(seen);
}

PyObject *blob_modulo(PyObject *format, PyObject *args)
{
    struct blob b = blob_of(format);
    return bytes_format_percent(b.data, b.len, args, b.array);
}
