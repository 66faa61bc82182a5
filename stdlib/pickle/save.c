/* Objects to opcodes: numbers, text, bytes and containers. */
#include "pickle.h"

enum { BATCH = 1000, FAST_NESTING_LIMIT = 50 };

/* ---- the memo ------------------------------------------------------------------------------- */

static int put_text_number(struct output *out, int op, Py_ssize_t index)
{
    char line[32];
    int len = PyOS_snprintf(line, sizeof line, "%c%zd\n", op, index);
    return output_put(out, line, len);
}

int pickle_fetch(struct pickler *self, Py_ssize_t index)
{
    struct output *out = &self->out;
    if (!self->bin) {
        return put_text_number(out, OP_GET, index);
    }
    if (index < 256) {
        return output_op_number(out, OP_BINGET, (uint64_t)index, 1);
    }
    if (index <= 0xffffffffL) {
        return output_op_number(out, OP_LONG_BINGET, (uint64_t)index, 4);
    }
    PyErr_SetString(self->state->pickling_error, "memo id too large for LONG_BINGET");
    return -1;
}

int pickle_memoize(struct pickler *self, PyObject *object)
{
    if (self->fast) {
        return 0;
    }
    Py_ssize_t index = (Py_ssize_t)self->memo.used;
    if (pickle_memo_set(&self->memo, object, index) < 0) {
        return -1;
    }
    struct output *out = &self->out;
    if (self->protocol >= 4) {
        return output_op(out, OP_MEMOIZE);
    }
    if (!self->bin) {
        return put_text_number(out, OP_PUT, index);
    }
    if (index < 256) {
        return output_op_number(out, OP_BINPUT, (uint64_t)index, 1);
    }
    if (index <= 0xffffffffL) {
        return output_op_number(out, OP_LONG_BINPUT, (uint64_t)index, 4);
    }
    PyErr_SetString(self->state->pickling_error, "memo id too large for LONG_BINPUT");
    return -1;
}

/* ---- numbers -------------------------------------------------------------------------------- */

static int save_bool(struct pickler *self, bool value)
{
    if (self->protocol >= 2) {
        return output_op(&self->out, value ? OP_NEWTRUE : OP_NEWFALSE);
    }
    return output_put(&self->out, value ? "I01\n" : "I00\n", 4);
}

/* Two's complement in as few bytes as hold the sign. */
static int save_long_bytes(struct pickler *self, PyObject *number)
{
    Py_ssize_t size = PyLong_AsNativeBytes(number, NULL, 0, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
    if (size < 0) {
        return -1;
    }
    if (size > 0x7fffffff) {
        PyErr_SetString(PyExc_OverflowError, "int too large to pickle");
        return -1;
    }
    char small[64], *digits = size <= (Py_ssize_t)sizeof small ? small : PyMem_Malloc(size);
    if (digits == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    int rc = -1;
    if (PyLong_AsNativeBytes(number, digits, size, Py_ASNATIVEBYTES_LITTLE_ENDIAN) >= 0) {
        while (size > 1 && digits[size - 1] == (digits[size - 2] & 0x80 ? '\xff' : '\0')) {
            size--;
        }
        rc = size < 256 ? output_op_number(&self->out, OP_LONG1, (uint64_t)size, 1)
                        : output_op_number(&self->out, OP_LONG4, (uint64_t)size, 4);
        if (rc == 0) {
            rc = output_put(&self->out, digits, size);
        }
    }
    if (digits != small) {
        PyMem_Free(digits);
    }
    return rc;
}

static int save_long_text(struct pickler *self, PyObject *number)
{
    PyObject *text = PyObject_Repr(number);
    Py_ssize_t len;
    const char *digits = text ? PyUnicode_AsUTF8AndSize(text, &len) : NULL;
    int rc = digits && output_op(&self->out, OP_LONG) == 0
                     && output_put(&self->out, digits, len) == 0
                     && output_put(&self->out, "L\n", 2) == 0
                 ? 0
                 : -1;
    Py_XDECREF(text);
    return rc;
}

static int save_int(struct pickler *self, PyObject *number)
{
    int overflow = 0;
    long value;
    if (LIKELY(PyUnstable_Long_IsCompact((PyLongObject *)number))) {
        value = (long)PyUnstable_Long_CompactValue((PyLongObject *)number);
    } else {
        value = PyLong_AsLongAndOverflow(number, &overflow);
        if (value == -1 && overflow == 0 && PyErr_Occurred()) {
            return -1;
        }
    }
    struct output *out = &self->out;
    if (overflow == 0 && value == (int32_t)value) {
        if (!self->bin) {
            return put_text_number(out, OP_INT, value);
        }
        if ((unsigned long)value <= 0xff) {
            return output_op_number(out, OP_BININT1, (uint64_t)value, 1);
        }
        if ((unsigned long)value <= 0xffff) {
            return output_op_number(out, OP_BININT2, (uint64_t)value, 2);
        }
        return output_op_number(out, OP_BININT, (uint64_t)value, 4);
    }
    return self->protocol >= 2 ? save_long_bytes(self, number) : save_long_text(self, number);
}

static int save_float(struct pickler *self, double value)
{
    struct output *out = &self->out;
    if (self->bin) {
        char *room = output_room(out, 9);
        if (room == NULL) {
            return -1;
        }
        *room = OP_BINFLOAT;
        return PyFloat_Pack8(value, room + 1, 0);
    }
    char *text = PyOS_double_to_string(value, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    if (text == NULL) {
        return -1;
    }
    int rc = output_op(out, OP_FLOAT);
    if (rc == 0) {
        rc = output_put(out, text, (Py_ssize_t)strlen(text));
    }
    PyMem_Free(text);
    return rc < 0 ? rc : output_op(out, '\n');
}

/* ---- text ----------------------------------------------------------------------------------- */

/* UTF-8, where surrogates are characters like others. */
static Py_ssize_t utf8_size(PyObject *text)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(text), size = length;
    switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND:
        for (Py_ssize_t i = 0; i < length; i++) {
            size += PyUnicode_1BYTE_DATA(text)[i] >> 7;
        }
        return size;
    case PyUnicode_2BYTE_KIND:
        for (Py_ssize_t i = 0; i < length; i++) {
            Py_UCS2 c = PyUnicode_2BYTE_DATA(text)[i];
            size += (c >= 0x80) + (c >= 0x800);
        }
        return size;
    default:
        for (Py_ssize_t i = 0; i < length; i++) {
            Py_UCS4 c = PyUnicode_4BYTE_DATA(text)[i];
            size += (c >= 0x80) + (c >= 0x800) + (c >= 0x10000);
        }
        return size;
    }
}

static void utf8_write(PyObject *text, char *to)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    for (Py_ssize_t i = 0; i < length; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c < 0x80) {
            *to++ = (char)c;
            continue;
        }
        if (c < 0x800) {
            *to++ = (char)(0xc0 | c >> 6);
        } else {
            if (c < 0x10000) {
                *to++ = (char)(0xe0 | c >> 12);
            } else {
                *to++ = (char)(0xf0 | c >> 18);
                *to++ = (char)(0x80 | (c >> 12 & 0x3f));
            }
            *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        }
        *to++ = (char)(0x80 | (c & 0x3f));
    }
}

/* The opcode and length in front of `len` bytes; how many bytes that takes, or -1. */
static int str_head(struct pickler *self, Py_ssize_t len, char *head)
{
    if (len <= 0xff && self->protocol >= 4) {
        head[0] = (char)OP_SHORT_BINUNICODE;
        head[1] = (char)len;
        return 2;
    }
    if (len <= 0xffffffffL) {
        head[0] = OP_BINUNICODE;
        store_le(head + 1, (uint64_t)len, 4);
        return 5;
    }
    if (self->protocol >= 4) {
        head[0] = (char)OP_BINUNICODE8;
        store_le(head + 1, (uint64_t)len, 8);
        return 9;
    }
    PyErr_SetString(PyExc_OverflowError,
                    "serializing a string larger than 4 GiB requires pickle protocol 4 or higher");
    return -1;
}

static int save_str_large(struct pickler *self, PyObject *text, Py_ssize_t len, const char *head,
                          int head_len)
{
    if (PyUnicode_IS_ASCII(text)) {
        return output_large(&self->out, head, head_len, PyUnicode_DATA(text), len, NULL);
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, len);
    if (bytes == NULL) {
        return -1;
    }
    utf8_write(text, PyBytes_AS_STRING(bytes));
    int rc = output_large(&self->out, head, head_len, PyBytes_AS_STRING(bytes), len, bytes);
    Py_DECREF(bytes);
    return rc;
}

static int save_str_binary(struct pickler *self, PyObject *text)
{
    bool ascii = PyUnicode_IS_ASCII(text);
    Py_ssize_t len = ascii ? PyUnicode_GET_LENGTH(text) : utf8_size(text);
    char head[FRAME_HEADER];
    int head_len = str_head(self, len, head);
    if (head_len < 0) {
        return -1;
    }
    if (len >= FRAME_TARGET) {
        return save_str_large(self, text, len, head, head_len);
    }
    char *room = output_room(&self->out, head_len + len);
    if (room == NULL) {
        return -1;
    }
    memcpy(room, head, (size_t)head_len);
    if (ascii) {
        memcpy(room + head_len, PyUnicode_DATA(text), (size_t)len);
    } else {
        utf8_write(text, room + head_len);
    }
    return 0;
}

/* A line of Latin-1 with escapes for everything else and for what would end the line. */
static int save_str_text(struct pickler *self, PyObject *text)
{
    struct output *out = &self->out;
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    if (output_op(out, OP_UNICODE) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < length; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(text, i);
        char escape[16];
        int len = 1;
        escape[0] = (char)c;
        if (c >= 0x10000) {
            len = PyOS_snprintf(escape, sizeof escape, "\\U%08x", (unsigned)c);
        } else if (c >= 256 || c == '\\' || c == 0 || c == '\n' || c == '\r' || c == 0x1a) {
            len = PyOS_snprintf(escape, sizeof escape, "\\u%04x", (unsigned)c);
        }
        if (output_put(out, escape, len) < 0) {
            return -1;
        }
    }
    return output_op(out, '\n');
}

int pickle_str(struct pickler *self, PyObject *text)
{
    int rc = self->bin ? save_str_binary(self, text) : save_str_text(self, text);
    return rc < 0 ? rc : pickle_memoize(self, text);
}

/* ---- bytes ---------------------------------------------------------------------------------- */

/* A head and the data behind it, in the frame or outside of it. */
static int put_data(struct pickler *self, const char *head, int head_len, const char *data,
                    Py_ssize_t len, PyObject *owner)
{
    if (len >= FRAME_TARGET) {
        return output_large(&self->out, head, head_len, data, len, owner);
    }
    char *room = output_room(&self->out, head_len + len);
    if (room == NULL) {
        return -1;
    }
    memcpy(room, head, (size_t)head_len);
    if (len != 0) {
        memcpy(room + head_len, data, (size_t)len);
    }
    return 0;
}

int pickle_bytes_data(struct pickler *self, PyObject *object, const char *data, Py_ssize_t len,
                      PyObject *owner)
{
    char head[FRAME_HEADER];
    int head_len = 5;
    if (len <= 0xff) {
        head[0] = OP_SHORT_BINBYTES;
        head[1] = (char)len;
        head_len = 2;
    } else if (len <= 0xffffffffL) {
        head[0] = OP_BINBYTES;
        store_le(head + 1, (uint64_t)len, 4);
    } else if (self->protocol >= 4) {
        head[0] = (char)OP_BINBYTES8;
        store_le(head + 1, (uint64_t)len, 8);
        head_len = 9;
    } else {
        PyErr_SetString(PyExc_OverflowError, "serializing a bytes object larger than 4 GiB "
                                             "requires pickle protocol 4 or higher");
        return -1;
    }
    int rc = put_data(self, head, head_len, data, len, owner);
    return rc < 0 ? rc : pickle_memoize(self, object);
}

/* Before protocol 3 bytes travel as text that is encoded again. */
static int save_bytes_as_text(struct pickler *self, PyObject *bytes)
{
    if (PyBytes_GET_SIZE(bytes) == 0) {
        return pickle_call(self, (PyObject *)&PyBytes_Type, PyTuple_New(0), bytes);
    }
    PyObject *text =
        PyUnicode_DecodeLatin1(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), "strict");
    PyObject *args = text ? PyTuple_Pack(2, text, self->state->str_latin1) : NULL;
    Py_XDECREF(text);
    return pickle_call(self, self->state->codecs_encode, args, bytes);
}

static int save_bytes(struct pickler *self, PyObject *bytes)
{
    if (self->protocol < 3) {
        return save_bytes_as_text(self, bytes);
    }
    return pickle_bytes_data(self, bytes, PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), bytes);
}

static int save_bytearray_data(struct pickler *self, PyObject *object, const char *data,
                               Py_ssize_t len)
{
    char head[FRAME_HEADER];
    head[0] = (char)OP_BYTEARRAY8;
    store_le(head + 1, (uint64_t)len, 8);
    int rc = put_data(self, head, FRAME_HEADER, data, len, NULL);
    return rc < 0 ? rc : pickle_memoize(self, object);
}

static int save_bytearray(struct pickler *self, PyObject *array)
{
    if (self->protocol < 5) {
        if (PyByteArray_GET_SIZE(array) == 0) {
            return pickle_call(self, (PyObject *)&PyByteArray_Type, PyTuple_New(0), array);
        }
        PyObject *bytes = PyBytes_FromObject(array);
        PyObject *args = bytes ? PyTuple_Pack(1, bytes) : NULL;
        Py_XDECREF(bytes);
        return pickle_call(self, (PyObject *)&PyByteArray_Type, args, array);
    }
    /* The export keeps others from resizing it while the file's write() runs. */
    Py_buffer view;
    if (PyObject_GetBuffer(array, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    int rc = save_bytearray_data(self, array, view.buf, view.len);
    PyBuffer_Release(&view);
    return rc;
}

static int save_picklebuffer(struct pickler *self, PyObject *object)
{
    PyObject *error = self->state->pickling_error;
    if (self->protocol < 5) {
        PyErr_SetString(error, "PickleBuffer can only be pickled with protocol >= 5");
        return -1;
    }
    const Py_buffer *view = PyPickleBuffer_GetBuffer(object);
    if (view == NULL) {
        return -1;
    }
    if (view->suboffsets != NULL || !PyBuffer_IsContiguous(view, 'A')) {
        PyErr_SetString(error, "PickleBuffer can not be pickled when pointing to a non-contiguous "
                               "buffer");
        return -1;
    }
    int in_band = 1;
    if (self->buffer_callback != NULL) {
        PyObject *answer = PyObject_CallOneArg(self->buffer_callback, object);
        in_band = answer ? PyObject_IsTrue(answer) : -1;
        Py_XDECREF(answer);
        if (in_band < 0) {
            return -1;
        }
    }
    /* The callback may have released it. */
    view = PyPickleBuffer_GetBuffer(object);
    if (view == NULL) {
        return -1;
    }
    if (in_band) {
        return view->readonly ? pickle_bytes_data(self, object, view->buf, view->len, NULL)
                              : save_bytearray_data(self, object, view->buf, view->len);
    }
    int rc = output_op(&self->out, OP_NEXT_BUFFER);
    return rc == 0 && view->readonly ? output_op(&self->out, OP_READONLY_BUFFER) : rc;
}

/* ---- tuples --------------------------------------------------------------------------------- */

/* The tuple turned out to contain itself, and is complete already: drops `pops` items, or
 * everything to the mark, and fetches it. */
static int fetch_instead(struct pickler *self, Py_ssize_t index, Py_ssize_t pops)
{
    if (pops < 0 && self->bin) {
        return output_op(&self->out, OP_POP_MARK) < 0 ? -1 : pickle_fetch(self, index);
    }
    for (; pops > 0; pops--) {
        if (output_op(&self->out, OP_POP) < 0) {
            return -1;
        }
    }
    return pickle_fetch(self, index);
}

static int save_tuple(struct pickler *self, PyObject *tuple)
{
    struct output *out = &self->out;
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    if (n == 0) {
        return self->bin ? output_op(out, OP_EMPTY_TUPLE) : output_put(out, "(t", 2);
    }
    bool counted = n <= 3 && self->protocol >= 2;
    if (!counted && output_op(out, OP_MARK) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        if (pickle_save(self, PyTuple_GET_ITEM(tuple, i), true) < 0) {
            return -1;
        }
    }
    Py_ssize_t index = pickle_memo_find(&self->memo, tuple);
    if (index >= 0) {
        return fetch_instead(self, index, counted ? n : self->bin ? -1 : n + 1);
    }
    int op = counted ? OP_TUPLE1 + (int)n - 1 : OP_TUPLE;
    return output_op(out, op) < 0 ? -1 : pickle_memoize(self, tuple);
}

/* ---- lists ---------------------------------------------------------------------------------- */

static int put_empty(struct pickler *self, PyObject *object, int op, int text_op)
{
    const char text[] = {OP_MARK, (char)text_op};
    int rc = self->bin ? output_op(&self->out, op) : output_put(&self->out, text, 2);
    return rc < 0 ? rc : pickle_memoize(self, object);
}

static int save_list_item(struct pickler *self, PyObject *item)
{
    return pickle_save(self, item, true) < 0 || (!self->bin && output_op(&self->out, OP_APPEND) < 0)
               ? -1
               : 0;
}

enum { TAKE = 64 };

/* Items from `from` on, as many as go into a batch; how many, or -1. They are taken out a few at a
 * time: what is done to the list meanwhile shows in the next ones. */
static Py_ssize_t save_list_items(struct pickler *self, PyObject *list, Py_ssize_t from)
{
    PyObject *taken[TAKE];
    Py_ssize_t done = 0;
    int rc = 0;
    while (rc == 0 && done < BATCH) {
        Py_ssize_t n = 0;
        Py_BEGIN_CRITICAL_SECTION(list);
        Py_ssize_t left = PyList_GET_SIZE(list) - from - done;
        left = Py_MIN(Py_MIN(left, BATCH - done), TAKE);
        for (; n < left; n++) {
            taken[n] = Py_NewRef(PyList_GET_ITEM(list, from + done + n));
        }
        Py_END_CRITICAL_SECTION();
        if (n == 0) {
            break;
        }
        for (Py_ssize_t i = 0; i < n; i++) {
            if (rc == 0) {
                rc = save_list_item(self, taken[i]);
            }
            Py_DECREF(taken[i]);
        }
        done += n;
    }
    return rc < 0 ? -1 : done;
}

static int save_list(struct pickler *self, PyObject *list)
{
    struct output *out = &self->out;
    if (put_empty(self, list, OP_EMPTY_LIST, OP_LIST) < 0) {
        return -1;
    }
    bool single = PyList_GET_SIZE(list) == 1;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list);) {
        if (self->bin && !single && output_op(out, OP_MARK) < 0) {
            return -1;
        }
        Py_ssize_t n = save_list_items(self, list, i);
        if (n < 0 || (self->bin && output_op(out, single ? OP_APPEND : OP_APPENDS) < 0)) {
            return -1;
        }
        i += n;
        if (single) {
            break;
        }
    }
    return 0;
}

/* The next item; NULL at the end, and with an exception on error (*failed). */
static PyObject *next_item(PyObject *iterator, bool *failed)
{
    PyObject *item = PyIter_Next(iterator);
    *failed = item == NULL && PyErr_Occurred();
    return item;
}

typedef int (*save_function)(struct pickler *, PyObject *);

/* Some items: 1 if more may follow, 0 at the end, -1. */
static int save_batch(struct pickler *self, PyObject *iterator, save_function save, int op_one,
                      int op_many)
{
    bool failed;
    PyObject *item = next_item(iterator, &failed);
    if (item == NULL) {
        return failed ? -1 : 0;
    }
    PyObject *next = self->bin ? next_item(iterator, &failed) : NULL;
    if (next == NULL) {
        int rc = failed || save(self, item) < 0 ? -1 : output_op(&self->out, op_one);
        Py_DECREF(item);
        return rc < 0 ? -1 : !self->bin;
    }
    int rc = output_op(&self->out, OP_MARK) < 0 ? -1 : save(self, item), n = 1;
    Py_DECREF(item);
    while (rc == 0 && next != NULL) {
        rc = save(self, next);
        Py_CLEAR(next);
        if (rc == 0 && ++n < BATCH) {
            next = next_item(iterator, &failed);
            rc = failed ? -1 : 0;
        }
    }
    Py_XDECREF(next);
    return rc < 0 || output_op(&self->out, op_many) < 0 ? -1 : n == BATCH;
}

static int save_batches(struct pickler *self, PyObject *iterator, save_function save, int op_one,
                        int op_many)
{
    int rc;
    do {
        rc = save_batch(self, iterator, save, op_one, op_many);
    } while (rc > 0);
    return rc;
}

static int save_plain(struct pickler *self, PyObject *item)
{
    return pickle_save(self, item, true);
}

int pickle_append_all(struct pickler *self, PyObject *iterator)
{
    return save_batches(self, iterator, save_plain, OP_APPEND, OP_APPENDS);
}

/* ---- dicts and sets ------------------------------------------------------------------------- */

static int save_pair(struct pickler *self, PyObject *pair)
{
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
        PyErr_SetString(PyExc_TypeError, "dict items iterator must return 2-tuples");
        return -1;
    }
    int rc = pickle_save(self, PyTuple_GET_ITEM(pair, 0), true);
    return rc < 0 ? rc : pickle_save(self, PyTuple_GET_ITEM(pair, 1), true);
}

int pickle_set_all(struct pickler *self, PyObject *iterator)
{
    return save_batches(self, iterator, save_pair, OP_SETITEM, OP_SETITEMS);
}

/* The next item of a dict, as new references. */
static bool dict_step(PyObject *dict, Py_ssize_t *pos, PyObject **key, PyObject **value)
{
    bool more;
    Py_BEGIN_CRITICAL_SECTION(dict);
    more = PyDict_Next(dict, pos, key, value);
    if (more) {
        Py_INCREF(*key);
        Py_INCREF(*value);
    }
    Py_END_CRITICAL_SECTION();
    return more;
}

/* As many items as go into a batch; how many, or -1. */
static int save_dict_items(struct pickler *self, PyObject *dict, Py_ssize_t *pos, Py_ssize_t size)
{
    int n = 0;
    PyObject *key, *value;
    while (n < BATCH && dict_step(dict, pos, &key, &value)) {
        int rc = pickle_save(self, key, true);
        if (rc == 0) {
            rc = pickle_save(self, value, true);
        }
        Py_DECREF(key);
        Py_DECREF(value);
        if (rc == 0 && !self->bin) {
            rc = output_op(&self->out, OP_SETITEM);
        }
        if (rc == 0 && PyDict_GET_SIZE(dict) != size) {
            PyErr_SetString(PyExc_RuntimeError, "dictionary changed size during iteration");
            rc = -1;
        }
        if (rc < 0) {
            return -1;
        }
        n++;
    }
    return n;
}

static int save_dict(struct pickler *self, PyObject *dict)
{
    struct output *out = &self->out;
    if (put_empty(self, dict, OP_EMPTY_DICT, OP_DICT) < 0) {
        return -1;
    }
    Py_ssize_t size = PyDict_GET_SIZE(dict), pos = 0, left = size;
    while (left > 0) {
        if (self->bin && size > 1 && output_op(out, OP_MARK) < 0) {
            return -1;
        }
        int n = save_dict_items(self, dict, &pos, size);
        if (n < 0 || (self->bin && output_op(out, size > 1 ? OP_SETITEMS : OP_SETITEM) < 0)) {
            return -1;
        }
        left = n < BATCH ? 0 : left - n;
    }
    return 0;
}

/* A set of before protocol 4 is the class called with a list. */
static int save_set_as_list(struct pickler *self, PyObject *set)
{
    PyObject *list = PySequence_List(set);
    PyObject *args = list ? PyTuple_Pack(1, list) : NULL;
    Py_XDECREF(list);
    return pickle_call(self, (PyObject *)Py_TYPE(set), args, set);
}

static int save_items(struct pickler *self, PyObject *iterator, int most)
{
    bool failed = false;
    PyObject *item;
    int n = 0;
    while (n < most && (item = next_item(iterator, &failed)) != NULL) {
        int rc = pickle_save(self, item, true);
        Py_DECREF(item);
        if (rc < 0) {
            return -1;
        }
        n++;
    }
    return failed ? -1 : n;
}

static int save_set(struct pickler *self, PyObject *set)
{
    struct output *out = &self->out;
    if (self->protocol < 4) {
        return save_set_as_list(self, set);
    }
    if (output_op(out, OP_EMPTY_SET) < 0 || pickle_memoize(self, set) < 0) {
        return -1;
    }
    if (PySet_GET_SIZE(set) == 0) {
        return 0;
    }
    PyObject *iterator = PyObject_GetIter(set);
    int n = iterator ? BATCH : -1;
    while (n == BATCH) {
        n = output_op(out, OP_MARK) < 0 ? -1 : save_items(self, iterator, BATCH);
        if (n >= 0 && output_op(out, OP_ADDITEMS) < 0) {
            n = -1;
        }
    }
    Py_XDECREF(iterator);
    return n < 0 ? -1 : 0;
}

static int save_frozenset(struct pickler *self, PyObject *set)
{
    struct output *out = &self->out;
    if (self->protocol < 4) {
        return save_set_as_list(self, set);
    }
    PyObject *iterator = PyObject_GetIter(set);
    int n = iterator && output_op(out, OP_MARK) == 0 ? save_items(self, iterator, INT_MAX) : -1;
    Py_XDECREF(iterator);
    if (n < 0) {
        return -1;
    }
    Py_ssize_t index = pickle_memo_find(&self->memo, set);
    if (index >= 0) {
        return fetch_instead(self, index, -1);
    }
    return output_op(out, OP_FROZENSET) < 0 ? -1 : pickle_memoize(self, set);
}

/* ---- fast mode: no memo, so cycles must be noticed ------------------------------------------ */

static int fast_enter(struct pickler *self, PyObject *object)
{
    if (++self->fast_nesting < FAST_NESTING_LIMIT) {
        return 0;
    }
    PyObject *address = PyLong_FromVoidPtr(object);
    if (address != NULL && self->fast_seen == NULL) {
        self->fast_seen = PySet_New(NULL);
    }
    int seen = address && self->fast_seen ? PySet_Contains(self->fast_seen, address) : -1;
    if (seen == 0) {
        seen = PySet_Add(self->fast_seen, address);
    } else if (seen > 0) {
        PyErr_Format(PyExc_ValueError,
                     "fast mode: can't pickle cyclic objects including object "
                     "type %.200s at %p",
                     Py_TYPE(object)->tp_name, object);
    }
    Py_XDECREF(address);
    return seen == 0 ? 0 : -1;
}

/* On failure the whole dump fails, and what was seen is forgotten at the next one. */
static int fast_leave(struct pickler *self, PyObject *object)
{
    if (self->fast_nesting-- < FAST_NESTING_LIMIT) {
        return 0;
    }
    PyObject *address = PyLong_FromVoidPtr(object);
    int rc = address ? PySet_Discard(self->fast_seen, address) : -1;
    Py_XDECREF(address);
    return rc < 0 ? -1 : 0;
}

static int save_nested(struct pickler *self, PyObject *object, save_function save)
{
    if (!self->fast) {
        return save(self, object);
    }
    if (fast_enter(self, object) < 0 || save(self, object) < 0) {
        return -1;
    }
    return self->fast_nesting > 0 ? fast_leave(self, object) : 0;
}

/* ---- any object ----------------------------------------------------------------------------- */

/* Asks for a persistent id: 1 if it was written, 0 if there is none, -1. */
static int save_persistent(struct pickler *self, PyObject *object)
{
    struct output *out = &self->out;
    PyObject *id = PyObject_CallOneArg(self->persistent_id, object);
    if (id == NULL || id == Py_None) {
        Py_XDECREF(id);
        return id ? 0 : -1;
    }
    int rc;
    if (self->bin) {
        rc = pickle_save(self, id, false) < 0 ? -1 : output_op(out, OP_BINPERSID);
    } else {
        PyObject *text = PyObject_Str(id);
        rc = text ? 0 : -1;
        if (text != NULL && !PyUnicode_IS_ASCII(text)) {
            PyErr_SetString(self->state->pickling_error,
                            "persistent IDs in protocol 0 must be ASCII strings");
            rc = -1;
        }
        if (rc == 0) {
            rc = output_op(out, OP_PERSID) < 0
                         || output_put(out, PyUnicode_DATA(text), PyUnicode_GET_LENGTH(text)) < 0
                         || output_op(out, '\n') < 0
                     ? -1
                     : 0;
        }
        Py_XDECREF(text);
    }
    Py_DECREF(id);
    return rc < 0 ? -1 : 1;
}

static int save_type(struct pickler *self, PyObject *type)
{
    PyObject *single = type == (PyObject *)Py_TYPE(Py_None)             ? Py_None
                       : type == (PyObject *)Py_TYPE(Py_NotImplemented) ? Py_NotImplemented
                       : type == (PyObject *)&PyEllipsis_Type           ? Py_Ellipsis
                                                                        : NULL;
    if (single != NULL) {
        return pickle_call(self, (PyObject *)&PyType_Type, PyTuple_Pack(1, single), type);
    }
    return pickle_global(self, type, NULL);
}

/* The reducer registered for a type (new reference), or NULL, with or without an exception. */
static PyObject *registered_reducer(struct pickler *self, PyTypeObject *type)
{
    PyObject *reducer;
    if (self->used_table == NULL) {
        PyDict_GetItemRef(self->state->table_dispatch_table, (PyObject *)type, &reducer);
        return reducer;
    }
    reducer = PyObject_GetItem(self->used_table, (PyObject *)type);
    if (reducer == NULL && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
    }
    return reducer;
}

/* Calls __reduce_ex__ or __reduce__: new reference. */
static PyObject *reduce_by_method(struct pickler *self, PyObject *object)
{
    struct pickle_state *state = self->state;
    PyObject *method = NULL, *reduced = NULL;
    PyObject *protocol = PyLong_FromLong(self->protocol); /* one of the small ones, at no cost */
    if (Py_TYPE(object)->tp_getattro == PyObject_GenericGetAttr) {
        /* object has the method, so it is there. */
        reduced = PyObject_CallMethodOneArg(object, state->str___reduce_ex__, protocol);
        Py_DECREF(protocol);
        return reduced;
    }
    if (PyObject_GetOptionalAttr(object, state->str___reduce_ex__, &method) < 0) {
        Py_DECREF(protocol);
        return NULL;
    }
    if (method != NULL) {
        reduced = PyObject_CallOneArg(method, protocol);
    } else if (PyObject_GetOptionalAttr(object, state->str___reduce__, &method) == 0) {
        PyErr_Format(state->pickling_error, "can't pickle '%.200s' object: %R",
                     Py_TYPE(object)->tp_name, object);
    } else if (method != NULL) {
        reduced = PyObject_CallNoArgs(method);
    }
    Py_XDECREF(method);
    Py_DECREF(protocol);
    return reduced;
}

static int save_reduced(struct pickler *self, PyObject *object, PyObject *reduced)
{
    if (PyUnicode_Check(reduced)) {
        return pickle_global(self, object, reduced);
    }
    if (!PyTuple_Check(reduced)) {
        PyErr_SetString(self->state->pickling_error, "__reduce__ must return a string or tuple");
        return -1;
    }
    return pickle_reduced(self, reduced, object);
}

static save_function save_function_of(PyTypeObject *type)
{
    return type == &PyDict_Type           ? save_dict
           : type == &PyTuple_Type        ? save_tuple
           : type == &PyList_Type         ? save_list
           : type == &PySet_Type          ? save_set
           : type == &PyFrozenSet_Type    ? save_frozenset
           : type == &PyByteArray_Type    ? save_bytearray
           : type == &PyPickleBuffer_Type ? save_picklebuffer
                                          : NULL;
}

/* What is neither a number nor text and not yet in the memo. */
static int save_object(struct pickler *self, PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    PyObject *reduced = NULL;
    if (self->reducer_override != NULL) {
        reduced = PyObject_CallOneArg(self->reducer_override, object);
        if (reduced == NULL) {
            return -1;
        }
        if (reduced == Py_NotImplemented) {
            Py_CLEAR(reduced);
        }
    }
    if (reduced == NULL) {
        save_function save = save_function_of(type);
        if (save != NULL) {
            return save == save_list || save == save_dict ? save_nested(self, object, save)
                                                          : save(self, object);
        }
        if (type == &PyType_Type) {
            return save_type(self, object);
        }
        if (type == &PyFunction_Type) {
            return pickle_global(self, object, NULL);
        }
        PyObject *reducer = registered_reducer(self, type);
        if (reducer != NULL) {
            reduced = PyObject_CallOneArg(reducer, object);
            Py_DECREF(reducer);
        } else if (PyErr_Occurred()) {
            return -1;
        } else if (PyType_IsSubtype(type, &PyType_Type)) {
            return pickle_global(self, object, NULL);
        } else {
            reduced = reduce_by_method(self, object);
        }
    }
    int rc = reduced ? save_reduced(self, object, reduced) : -1;
    Py_XDECREF(reduced);
    return rc;
}

int pickle_save(struct pickler *self, PyObject *object, bool ask_id)
{
    if (UNLIKELY(self->out.len >= self->out.boundary) && output_boundary(&self->out) < 0) {
        return -1;
    }
    if (UNLIKELY(ask_id && self->persistent_id != NULL)) {
        int rc = save_persistent(self, object);
        if (rc != 0) {
            return rc < 0 ? -1 : 0;
        }
    }
    PyTypeObject *type = Py_TYPE(object);
    if (type == &PyLong_Type) {
        return save_int(self, object);
    }
    if (object == Py_None) {
        return output_op(&self->out, OP_NONE);
    }
    if (type == &PyFloat_Type) {
        return save_float(self, PyFloat_AS_DOUBLE(object));
    }
    if (type == &PyBool_Type) {
        return save_bool(self, object == Py_True);
    }
    Py_ssize_t index = pickle_memo_find(&self->memo, object);
    if (index >= 0) {
        return pickle_fetch(self, index);
    }
    if (type == &PyUnicode_Type) {
        return pickle_str(self, object);
    }
    if (type == &PyBytes_Type) {
        return save_bytes(self, object);
    }
    if (Py_EnterRecursiveCall(" while pickling an object")) {
        return -1;
    }
    int rc = UNLIKELY((++self->ticks & 0x3fff) == 0) ? PyErr_CheckSignals() : 0;
    if (rc == 0) {
        rc = save_object(self, object);
    }
    Py_LeaveRecursiveCall();
    return rc;
}
