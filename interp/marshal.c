/*
 * marshal: values as bytes, for .pyc files. Formats 0 to 4 are read and written; code objects are Krait's.
 *
 * A value is a type byte, maybe with FLAG_REF (it gets the next number and may be referred to by 'r'), and its
 * content, little end first.
 */
#include "interp/vm/vm.h"
#include "marshal.h"
#include "objects/str.h"

#include "marshal.bind.h"

#define MARSHAL_VERSION Py_MARSHAL_VERSION

/* clang-format off */
enum {
    TYPE_NULL = '0', TYPE_NONE = 'N', TYPE_FALSE = 'F', TYPE_TRUE = 'T', TYPE_STOPITER = 'S',
    TYPE_ELLIPSIS = '.', TYPE_INT = 'i', TYPE_INT64 = 'I', TYPE_FLOAT = 'f',
    TYPE_BINARY_FLOAT = 'g', TYPE_COMPLEX = 'x', TYPE_BINARY_COMPLEX = 'y', TYPE_LONG = 'l',
    TYPE_STRING = 's', TYPE_INTERNED = 't', TYPE_REF = 'r', TYPE_TUPLE = '(', TYPE_LIST = '[',
    TYPE_DICT = '{', TYPE_CODE = 'c', TYPE_UNICODE = 'u', TYPE_UNKNOWN = '?', TYPE_SET = '<',
    TYPE_FROZENSET = '>', TYPE_ASCII = 'a', TYPE_ASCII_INTERNED = 'A', TYPE_SMALL_TUPLE = ')',
    TYPE_SHORT_ASCII = 'z', TYPE_SHORT_ASCII_INTERNED = 'Z', FLAG_REF = 0x80,
    DEPTH_MAX = 2000,
};
/* clang-format on */

PyObject *marshal_to_bytes(PyObject *value, int version, int allow_code);

/* ---- writing --------------------------------------------------------------------------------- */

enum write_error {
    WRITE_OK,
    WRITE_UNMARSHALLABLE,
    WRITE_TOO_DEEP,
    WRITE_NO_MEMORY,
    WRITE_CODE_NOT_ALLOWED,
    WRITE_RAISED
};

struct seen {
    PyObject *op; /* alive as long as the value that is written */
    uint32_t index;
};

struct writer {
    FILE *file; /* or NULL */
    char *data;
    size_t length, capacity;
    struct seen *seen; /* open addressing; capacity is a power of two */
    size_t seen_count, seen_capacity;
    int depth, version, allow_code;
    enum write_error error;
};

static void put(struct writer *w, const void *bytes, size_t n)
{
    if (w->error) {
        return;
    }
    if (w->file != NULL) {
        fwrite(bytes, 1, n, w->file);
        return;
    }
    if (n > w->capacity - w->length) {
        size_t capacity = (w->capacity + n) * 2 + 64;
        char *data = PyMem_RawRealloc(w->data, capacity);
        if (data == NULL) {
            w->error = WRITE_NO_MEMORY;
            return;
        }
        w->data = data;
        w->capacity = capacity;
    }
    memcpy(w->data + w->length, bytes, n);
    w->length += n;
}

static void put_byte(struct writer *w, int byte)
{
    char c = (char)byte;
    put(w, &c, 1);
}

static void put_short(struct writer *w, int value)
{
    uint16_t v = (uint16_t)value;
    put(w, &v, 2);
}

static void put_long(struct writer *w, int64_t value)
{
    int32_t v = (int32_t)value;
    put(w, &v, 4);
}

static void put_size(struct writer *w, Py_ssize_t n)
{
    if (n > INT32_MAX) {
        w->error = WRITE_UNMARSHALLABLE;
        return;
    }
    put_long(w, n);
}

static void put_string(struct writer *w, const char *text, Py_ssize_t n)
{
    put_size(w, n);
    put(w, text, (size_t)n);
}

static struct seen *seen_slot(struct writer *w, PyObject *op)
{
    size_t mask = w->seen_capacity - 1;
    size_t i = ((uintptr_t)op >> 4) * 0x9E3779B97F4A7C15u >> 20;
    while (w->seen[i & mask].op != NULL && w->seen[i & mask].op != op) {
        i++;
    }
    return &w->seen[i & mask];
}

static bool seen_grow(struct writer *w)
{
    struct seen *old = w->seen;
    size_t n = w->seen_capacity;
    w->seen_capacity = n ? n * 2 : 64;
    w->seen = PyMem_RawCalloc(w->seen_capacity, sizeof *w->seen);
    if (w->seen == NULL) {
        w->seen = old;
        w->seen_capacity = n;
        w->error = WRITE_NO_MEMORY;
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (old[i].op != NULL) {
            *seen_slot(w, old[i].op) = old[i];
        }
    }
    PyMem_RawFree(old);
    return true;
}

/* True when a reference was written; else *flag is what to add to the type byte. */
static bool put_reference(struct writer *w, PyObject *op, int *flag)
{
    *flag = 0;
    if (w->version < 3 || (Py_REFCNT(op) == 1 && !PyCode_Check(op))) {
        return false;
    }
    if (w->seen_count * 2 >= w->seen_capacity && !seen_grow(w)) {
        return true;
    }
    struct seen *slot = seen_slot(w, op);
    if (slot->op != NULL) {
        put_byte(w, TYPE_REF);
        put_long(w, slot->index);
        return true;
    }
    slot->op = op;
    slot->index = (uint32_t)w->seen_count++;
    *flag = FLAG_REF;
    return false;
}

static void put_int(struct writer *w, PyObject *op, int flag)
{
    PyLongObject *v = (PyLongObject *)op;
    int64_t small;
    if (int_fits_i64(v, &small) && small == (int32_t)small) {
        put_byte(w, TYPE_INT | flag);
        put_long(w, small);
        return;
    }
    Py_ssize_t n = int_ndigits(v);
    const digit *digits = int_digits(v);
    int64_t pieces = 2 * n - ((digits[n - 1] >> 15) == 0);
    put_byte(w, TYPE_LONG | flag);
    if (pieces > INT32_MAX) {
        w->error = WRITE_UNMARSHALLABLE;
        return;
    }
    put_long(w, int_is_negative(v) ? -pieces : pieces);
    for (int64_t i = 0; i < pieces; i++) {
        put_short(w, (int)(digits[i / 2] >> (i % 2 ? 15 : 0) & 0x7FFF));
    }
}

static void put_float_text(struct writer *w, double value)
{
    char *text = PyOS_double_to_string(value, 'g', 17, 0, NULL);
    if (text == NULL) {
        w->error = WRITE_NO_MEMORY;
        return;
    }
    size_t n = strlen(text);
    put_byte(w, (int)n);
    put(w, text, n);
    PyMem_Free(text);
}

static void put_unicode(struct writer *w, PyObject *op, int flag)
{
    if (w->version >= 4 && PyUnicode_IS_ASCII(op)) {
        bool interned = PyUnicode_CHECK_INTERNED(op) != 0;
        Py_ssize_t n = PyUnicode_GET_LENGTH(op);
        if (n < 256) {
            put_byte(w, (interned ? TYPE_SHORT_ASCII_INTERNED : TYPE_SHORT_ASCII) | flag);
            put_byte(w, (int)n);
            put(w, PyUnicode_DATA(op), (size_t)n);
        } else {
            put_byte(w, (interned ? TYPE_ASCII_INTERNED : TYPE_ASCII) | flag);
            put_string(w, PyUnicode_DATA(op), n);
        }
        return;
    }
    PyObject *utf8 = PyUnicode_AsEncodedString(op, "utf8", "surrogatepass");
    if (utf8 == NULL) {
        w->error = WRITE_RAISED;
        return;
    }
    put_byte(w, (w->version >= 3 && PyUnicode_CHECK_INTERNED(op) ? TYPE_INTERNED : TYPE_UNICODE)
                    | flag);
    put_string(w, PyBytes_AS_STRING(utf8), PyBytes_GET_SIZE(utf8));
    Py_DECREF(utf8);
}

static void put_object(struct writer *w, PyObject *op);

/* Sets are written in the order of their elements' bytes, so that equal sets give equal bytes. */
static void put_set(struct writer *w, PyObject *op, int flag)
{
    put_byte(w, (PyFrozenSet_CheckExact(op) ? TYPE_FROZENSET : TYPE_SET) | flag);
    put_size(w, PySet_GET_SIZE(op));
    PyObject *pairs = PyList_New(0), *it = pairs ? PyObject_GetIter(op) : NULL, *item;
    while (it != NULL && (item = PyIter_Next(it)) != NULL) {
        PyObject *bytes = marshal_to_bytes(item, w->version, w->allow_code);
        PyObject *pair = bytes ? PyTuple_Pack(2, bytes, item) : NULL;
        Py_XDECREF(bytes);
        Py_DECREF(item);
        if (pair == NULL || PyList_Append(pairs, pair) < 0) {
            Py_XDECREF(pair);
            break;
        }
        Py_DECREF(pair);
    }
    Py_XDECREF(it);
    if (PyErr_Occurred() || PyList_Sort(pairs) < 0) {
        w->error = WRITE_RAISED;
    }
    for (Py_ssize_t i = 0; !w->error && i < PyList_GET_SIZE(pairs); i++) {
        put_object(w, PyTuple_GET_ITEM(PyList_GET_ITEM(pairs, i), 1));
    }
    Py_XDECREF(pairs);
}

static void put_code(struct writer *w, PyCodeObject *code, int flag)
{
    if (!w->allow_code) {
        w->error = WRITE_CODE_NOT_ALLOWED;
        return;
    }
    PyObject *bytes = code_serialise(code);
    if (bytes == NULL) {
        w->error = WRITE_RAISED;
        return;
    }
    put_byte(w, TYPE_CODE | flag);
    put_long(w, code->co_argcount);
    put_long(w, code->co_posonlyargcount);
    put_long(w, code->co_kwonlyargcount);
    put_long(w, code->co_stacksize);
    put_long(w, code->co_flags);
    put_object(w, bytes);
    put_object(w, code->co_consts);
    put_object(w, code->co_names);
    put_object(w, code->co_localsplusnames);
    put_object(w, code->co_localspluskinds);
    put_object(w, code->co_filename);
    put_object(w, code->co_name);
    put_object(w, code->co_qualname);
    put_long(w, code->co_firstlineno);
    put_object(w, code->co_linetable);
    put_object(w, code->co_exceptiontable);
    Py_DECREF(bytes);
}

static void put_dict(struct writer *w, PyObject *op, int flag)
{
    Py_ssize_t pos = 0;
    PyObject *key, *value;
    put_byte(w, TYPE_DICT | flag);
    while (!w->error && PyDict_Next(op, &pos, &key, &value)) {
        put_object(w, key);
        put_object(w, value);
    }
    put_byte(w, TYPE_NULL);
}

static void put_buffer(struct writer *w, PyObject *op)
{
    Py_buffer view;
    if (PyObject_GetBuffer(op, &view, PyBUF_SIMPLE) < 0) {
        put_byte(w, TYPE_UNKNOWN);
        PyErr_Clear();
        w->error = WRITE_UNMARSHALLABLE;
        return;
    }
    put_byte(w, TYPE_STRING);
    put_string(w, view.buf, view.len);
    PyBuffer_Release(&view);
}

static void put_complex(struct writer *w, PyObject *op, int flag)
{
    Py_complex z = PyComplex_AsCComplex(op);
    put_byte(w, (w->version > 1 ? TYPE_BINARY_COMPLEX : TYPE_COMPLEX) | flag);
    if (w->version > 1) {
        put(w, &z.real, 8);
        put(w, &z.imag, 8);
    } else {
        put_float_text(w, z.real);
        put_float_text(w, z.imag);
    }
}

static void put_sequence(struct writer *w, PyObject *op, int flag)
{
    Py_ssize_t n = Py_SIZE(op);
    if (PyTuple_CheckExact(op) && w->version >= 4 && n < 256) {
        put_byte(w, TYPE_SMALL_TUPLE | flag);
        put_byte(w, (int)n);
    } else {
        put_byte(w, (PyTuple_CheckExact(op) ? TYPE_TUPLE : TYPE_LIST) | flag);
        put_size(w, n);
    }
    for (Py_ssize_t i = 0; i < n && !w->error; i++) {
        put_object(w, PyTuple_CheckExact(op) ? PyTuple_GET_ITEM(op, i) : PyList_GET_ITEM(op, i));
    }
}

static void put_compound(struct writer *w, PyObject *op)
{
    int flag;
    if (put_reference(w, op, &flag)) {
        return;
    }
    if (PyLong_CheckExact(op)) {
        put_int(w, op, flag);
    } else if (PyFloat_CheckExact(op)) {
        double value = PyFloat_AS_DOUBLE(op);
        put_byte(w, (w->version > 1 ? TYPE_BINARY_FLOAT : TYPE_FLOAT) | flag);
        w->version > 1 ? put(w, &value, 8) : put_float_text(w, value);
    } else if (PyComplex_CheckExact(op)) {
        put_complex(w, op, flag);
    } else if (PyBytes_CheckExact(op)) {
        put_byte(w, TYPE_STRING | flag);
        put_string(w, PyBytes_AS_STRING(op), PyBytes_GET_SIZE(op));
    } else if (PyUnicode_CheckExact(op)) {
        put_unicode(w, op, flag);
    } else if (PyTuple_CheckExact(op) || PyList_CheckExact(op)) {
        put_sequence(w, op, flag);
    } else if (PyDict_CheckExact(op)) {
        put_dict(w, op, flag);
    } else if (PyAnySet_CheckExact(op)) {
        put_set(w, op, flag);
    } else if (PyCode_Check(op)) {
        put_code(w, (PyCodeObject *)op, flag);
    } else if (PyObject_CheckBuffer(op)) {
        put_buffer(w, op);
    } else {
        put_byte(w, TYPE_UNKNOWN);
        w->error = WRITE_UNMARSHALLABLE;
    }
}

static void put_object(struct writer *w, PyObject *op)
{
    if (++w->depth > DEPTH_MAX || thread_stack_low(thread_self(), 0)) {
        w->error = w->error ? w->error : WRITE_TOO_DEEP;
    } else if (op == NULL) {
        put_byte(w, TYPE_NULL);
    } else if (Py_IsNone(op)) {
        put_byte(w, TYPE_NONE);
    } else if (op == PyExc_StopIteration) {
        put_byte(w, TYPE_STOPITER);
    } else if (op == Py_Ellipsis) {
        put_byte(w, TYPE_ELLIPSIS);
    } else if (Py_IsFalse(op) || Py_IsTrue(op)) {
        put_byte(w, Py_IsTrue(op) ? TYPE_TRUE : TYPE_FALSE);
    } else {
        put_compound(w, op);
    }
    w->depth--;
}

static int raise_write_error(struct writer *w)
{
    switch (w->error) {
    case WRITE_OK:
        return 0;
    case WRITE_NO_MEMORY:
        PyErr_NoMemory();
        break;
    case WRITE_CODE_NOT_ALLOWED:
        PyErr_SetString(PyExc_ValueError, "marshalling code objects is disallowed");
        break;
    case WRITE_RAISED:
        break;
    default:
        PyErr_SetString(PyExc_ValueError, w->error == WRITE_TOO_DEEP
                                              ? "object too deeply nested to marshal"
                                              : "unmarshallable object");
    }
    return -1;
}

PyObject *marshal_to_bytes(PyObject *value, int version, int allow_code)
{
    struct writer w = {.version = version, .allow_code = allow_code};
    if (PySys_Audit("marshal.dumps", "Oi", value, version) < 0) {
        return NULL;
    }
    put_object(&w, value);
    PyObject *bytes =
        raise_write_error(&w) < 0 ? NULL : PyBytes_FromStringAndSize(w.data, (Py_ssize_t)w.length);
    PyMem_RawFree(w.data);
    PyMem_RawFree(w.seen);
    return bytes;
}

PyObject *PyMarshal_WriteObjectToString(PyObject *value, int version)
{
    return marshal_to_bytes(value, version, 1);
}

void PyMarshal_WriteLongToFile(long value, FILE *file, int version)
{
    struct writer w = {.file = file, .version = version};
    put_long(&w, value);
}

void PyMarshal_WriteObjectToFile(PyObject *value, FILE *file, int version)
{
    struct writer w = {.file = file, .version = version, .allow_code = 1};
    if (PySys_Audit("marshal.dumps", "Oi", value, version) == 0) {
        put_object(&w, value);
    }
    PyMem_RawFree(w.seen);
}

/* ---- reading --------------------------------------------------------------------------------- */

struct reader {
    const char *next, *end;
    FILE *file;         /* or NULL */
    PyObject *readable; /* an object with readinto(), or NULL */
    char *scratch;      /* what was read from either */
    size_t scratch_size;
    PyObject **refs; /* owned; NULL for what is not complete yet */
    Py_ssize_t refs_count, refs_capacity;
    int depth, allow_code;
    bool trusted; /* the build made the data */
};

static void *too_short(void)
{
    PyErr_SetString(PyExc_EOFError, "marshal data too short");
    return NULL;
}

static void *bad_data(const char *what)
{
    PyErr_Format(PyExc_ValueError, "bad marshal data (%s)", what);
    return NULL;
}

static const char *get_from_object(struct reader *r, size_t n)
{
    PyObject *view = PyMemoryView_FromMemory(r->scratch, (Py_ssize_t)n, PyBUF_WRITE);
    PyObject *count = view ? PyObject_CallMethodOneArg(r->readable, ID(readinto), view) : NULL;
    Py_XDECREF(view);
    if (count == NULL) {
        return NULL;
    }
    Py_ssize_t got = PyNumber_AsSsize_t(count, PyExc_ValueError);
    Py_DECREF(count);
    if (got == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if ((size_t)got != n) {
        if ((size_t)got > n) {
            PyErr_Format(PyExc_ValueError,
                         "read() returned too much data: %zd bytes requested, %zd returned",
                         (Py_ssize_t)n, got);
            return NULL;
        }
        return too_short();
    }
    return r->scratch;
}

/* get() where the data is not all there yet, or too short. */
static COLD NOINLINE const char *get_more(struct reader *r, size_t n)
{
    if (n == 0) {
        return ""; /* readers of files have no `next` */
    }
    if (r->file == NULL && r->readable == NULL) {
        return too_short();
    }
    if (n > r->scratch_size) {
        char *more = PyMem_RawRealloc(r->scratch, n);
        if (more == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        r->scratch = more;
        r->scratch_size = n;
    }
    if (r->readable != NULL) {
        return get_from_object(r, n);
    }
    return fread(r->scratch, 1, n, r->file) == n ? r->scratch : too_short();
}

/* n bytes, valid until the next call; NULL with EOFError. */
static inline const char *get(struct reader *r, size_t n)
{
    if (likely((size_t)(r->end - r->next) >= n && n != 0)) { /* none from files */
        r->next += n;
        return r->next - n;
    }
    return get_more(r, n);
}

static inline int get_byte(struct reader *r)
{
    const char *p = get(r, 1);
    return p ? (unsigned char)*p : -1;
}

static inline bool get_long(struct reader *r, int32_t *value)
{
    const char *p = get(r, 4);
    if (p != NULL) {
        memcpy(value, p, 4);
    }
    return p != NULL;
}

static bool get_size(struct reader *r, Py_ssize_t *n, const char *what)
{
    int32_t value;
    if (!get_long(r, &value)) {
        return false;
    }
    if (value < 0) {
        bad_data(what);
        return false;
    }
    *n = value;
    return true;
}

static PyObject *get_object(struct reader *r);

static PyObject *get_int(struct reader *r)
{
    int32_t count;
    if (!get_long(r, &count)) {
        return NULL;
    }
    if (count == 0) {
        return PyLong_FromLong(0);
    }
    if (count == INT32_MIN) {
        return bad_data("long size out of range");
    }
    Py_ssize_t pieces = count < 0 ? -(Py_ssize_t)count : count, n = (pieces + 1) / 2;
    const char *p = get(r, (size_t)pieces * 2);
    PyLongObject *v = p ? int_alloc(n) : NULL;
    if (v == NULL) {
        return NULL;
    }
    memset(v->long_value.ob_digit, 0, (size_t)n * sizeof(digit));
    uint16_t piece = 0;
    for (Py_ssize_t i = 0; i < pieces; i++) {
        memcpy(&piece, p + 2 * i, 2);
        if (piece > 0x7FFF) {
            Py_DECREF(v);
            return bad_data("digit out of range in long");
        }
        v->long_value.ob_digit[i / 2] |= (digit)piece << (i % 2 ? 15 : 0);
    }
    if (piece == 0) {
        Py_DECREF(v);
        return bad_data("unnormalized long data");
    }
    return int_normalized(v, n, count < 0);
}

static bool get_float_text(struct reader *r, double *value)
{
    char text[256];
    int n = get_byte(r);
    const char *p = n < 0 ? NULL : get(r, (size_t)n);
    if (p == NULL) {
        return false;
    }
    memcpy(text, p, (size_t)n);
    text[n] = '\0';
    *value = PyOS_string_to_double(text, NULL, NULL);
    return !(*value == -1.0 && PyErr_Occurred());
}

static bool get_double(struct reader *r, double *value)
{
    const char *p = get(r, 8);
    if (p != NULL) {
        memcpy(value, p, 8);
    }
    return p != NULL;
}

static PyObject *get_ascii(struct reader *r, Py_ssize_t n, bool interned)
{
    const char *p = n < 0 ? NULL : get(r, (size_t)n);
    if (p == NULL) {
        return NULL;
    }
    if (interned && ascii_bytes(p, n)) {
        return str_intern_ascii(p, n);
    }
    PyObject *text = PyUnicode_FromKindAndData(PyUnicode_1BYTE_KIND, p, n);
    if (text != NULL && interned) {
        PyUnicode_InternInPlace(&text);
    }
    return text;
}

static PyObject *get_unicode(struct reader *r, bool interned)
{
    Py_ssize_t n;
    if (!get_size(r, &n, "string size out of range")) {
        return NULL;
    }
    const char *p = get(r, (size_t)n);
    PyObject *text = p ? PyUnicode_DecodeUTF8(p, n, "surrogatepass") : NULL;
    if (text != NULL && interned) {
        PyUnicode_InternInPlace(&text);
    }
    return text;
}

/* Remembers `op` (borrowed, or NULL for what is not there yet): its number, -2 on failure. */
static Py_ssize_t add_ref(struct reader *r, PyObject *op)
{
    if (r->refs_count == r->refs_capacity) {
        Py_ssize_t capacity = r->refs_capacity == 0 ? 64 : 2 * r->refs_capacity;
        PyObject **refs = PyMem_RawRealloc(r->refs, (size_t)capacity * sizeof *refs);
        if (refs == NULL) {
            PyErr_NoMemory();
            return -2;
        }
        r->refs = refs;
        r->refs_capacity = capacity;
    }
    r->refs[r->refs_count] = Py_XNewRef(op);
    return r->refs_count++;
}

/* A number for an object that is not there yet: -1 when it needs none, -2 on failure. */
static Py_ssize_t reserve_ref(struct reader *r, int flag)
{
    return flag ? add_ref(r, NULL) : -1;
}

static PyObject *fill_ref(struct reader *r, PyObject *op, Py_ssize_t index)
{
    if (op != NULL && index >= 0) {
        Py_XSETREF(r->refs[index], Py_NewRef(op));
    }
    return op;
}

static PyObject *get_item(struct reader *r, const char *kind)
{
    PyObject *item = get_object(r);
    if (item == NULL && !PyErr_Occurred()) {
        PyErr_Format(PyExc_TypeError, "NULL object in marshal data for %s", kind);
    }
    return item;
}

/* Longer tuples are collected first: the number may be all that is there of them. */
enum { TUPLE_BELIEVED = 4096 };

static PyObject *get_list_items(struct reader *r, Py_ssize_t n, const char *kind)
{
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list != NULL && i < n; i++) {
        PyObject *item = get_item(r, kind);
        if (item == NULL || list_append_owned((PyListObject *)list, item) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static PyObject *get_tuple(struct reader *r, Py_ssize_t n, int flag)
{
    Py_ssize_t index = reserve_ref(r, flag);
    if (index != -2 && n > TUPLE_BELIEVED) {
        PyObject *items = get_list_items(r, n, "tuple");
        PyObject *long_tuple = items == NULL ? NULL : PyList_AsTuple(items);
        Py_XDECREF(items);
        return fill_ref(r, long_tuple, index);
    }
    PyObject *tuple = index == -2 ? NULL : PyTuple_New(n);
    for (Py_ssize_t i = 0; tuple != NULL && i < n; i++) {
        PyObject *item = get_item(r, "tuple");
        if (item == NULL) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, item);
    }
    return fill_ref(r, tuple, index);
}

static PyObject *get_list(struct reader *r, Py_ssize_t n, int flag)
{
    PyObject *list = PyList_New(0);
    Py_ssize_t index = list ? reserve_ref(r, flag) : -2;
    if (index == -2) {
        Py_XDECREF(list);
        return NULL;
    }
    fill_ref(r, list, index);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = get_item(r, "list");
        if (item == NULL || list_append_owned((PyListObject *)list, item) < 0) {
            Py_DECREF(list);
            return NULL;
        }
    }
    return list;
}

static PyObject *get_dict(struct reader *r, int flag)
{
    PyObject *dict = PyDict_New();
    Py_ssize_t index = dict ? reserve_ref(r, flag) : -2;
    if (index == -2) {
        Py_XDECREF(dict);
        return NULL;
    }
    fill_ref(r, dict, index);
    for (;;) {
        PyObject *key = get_object(r);
        if (key == NULL) {
            break;
        }
        PyObject *value = get_object(r);
        int status = value ? PyDict_SetItem(dict, key, value) : -1;
        Py_DECREF(key);
        Py_XDECREF(value);
        if (status < 0) {
            break;
        }
    }
    if (PyErr_Occurred()) {
        Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *get_set(struct reader *r, Py_ssize_t n, bool frozen, int flag)
{
    /* A frozen set may be referred to only when it is complete. */
    PyObject *set = frozen ? PyFrozenSet_New(NULL) : PySet_New(NULL);
    if (frozen && n == 0) {
        Py_ssize_t index = reserve_ref(r, flag);
        return index == -2 ? NULL : fill_ref(r, set, index);
    }
    Py_ssize_t index = set ? reserve_ref(r, flag) : -2;
    if (index == -2) {
        Py_XDECREF(set);
        return NULL;
    }
    if (!frozen) {
        fill_ref(r, set, index);
    }
    PyObject *items = get_list_items(r, n, "set");
    if (items == NULL) {
        Py_DECREF(set);
        return NULL;
    }
    if (frozen) {
        Py_SETREF(set, PyFrozenSet_New(items));
        fill_ref(r, set, index);
    } else {
        for (Py_ssize_t i = 0; set && i < n; i++) {
            if (PySet_Add(set, PyList_GET_ITEM(items, i)) < 0) {
                Py_CLEAR(set);
            }
        }
    }
    Py_DECREF(items);
    return set;
}

static bool right_type(PyObject *op, PyTypeObject *type)
{
    if (op != NULL && !Py_IS_TYPE(op, type)) {
        bad_data("code object");
        return false;
    }
    return op != NULL;
}

static PyObject *get_code(struct reader *r, int flag)
{
    enum { BYTES, CONSTS, NAMES, LOCALS, KINDS, FILENAME, NAME, QUALNAME, LINES, HANDLERS, COUNT };
    static PyTypeObject *const types[COUNT] = {
        &PyBytes_Type,   &PyTuple_Type,   &PyTuple_Type,   &PyTuple_Type, &PyBytes_Type,
        &PyUnicode_Type, &PyUnicode_Type, &PyUnicode_Type, &PyBytes_Type, &PyBytes_Type,
    };
    PyObject *parts[COUNT] = {0}, *code = NULL;
    int32_t argcount, posonly, kwonly, stacksize, flags, firstlineno = 0;
    if (!r->allow_code) {
        PyErr_SetString(PyExc_ValueError, "unmarshalling code objects is disallowed");
        return NULL;
    }
    Py_ssize_t index = reserve_ref(r, flag);
    if (index == -2 || !get_long(r, &argcount) || !get_long(r, &posonly) || !get_long(r, &kwonly)
        || !get_long(r, &stacksize) || !get_long(r, &flags)) {
        return NULL;
    }
    for (int i = 0; i < COUNT; i++) {
        if (i == LINES && !get_long(r, &firstlineno)) {
            goto done;
        }
        parts[i] = get_item(r, "code object");
        if (!right_type(parts[i], types[i])) {
            goto done;
        }
    }
    Py_ssize_t nlocals = PyTuple_GET_SIZE(parts[LOCALS]);
    if (argcount < 0 || posonly < 0 || kwonly < 0 || stacksize < 0 || posonly > argcount
        || (Py_ssize_t)argcount + kwonly > nlocals || nlocals + stacksize > UINT16_MAX
        || PyBytes_GET_SIZE(parts[KINDS]) != nlocals) {
        bad_data("code object");
        goto done;
    }
    struct code_spec spec = {
        .consts = parts[CONSTS],
        .names = parts[NAMES],
        .localsplusnames = parts[LOCALS],
        .localspluskinds = parts[KINDS],
        .filename = parts[FILENAME],
        .name = parts[NAME],
        .qualname = parts[QUALNAME],
        .argcount = argcount,
        .posonlyargcount = posonly,
        .kwonlyargcount = kwonly,
        .flags = flags,
        .firstlineno = firstlineno,
        .nlocals = (int)nlocals,
        .nregs = (int)nlocals + stacksize,
        .trusted = r->trusted,
    };
    code = (PyObject *)code_from_parts(&spec, parts[BYTES], parts[LINES], parts[HANDLERS]);
done:
    for (int i = 0; i < COUNT; i++) {
        Py_XDECREF(parts[i]);
    }
    return fill_ref(r, code, index);
}

static PyObject *get_ref(struct reader *r)
{
    int32_t n;
    if (!get_long(r, &n)) {
        return NULL;
    }
    if (n < 0 || n >= r->refs_count || r->refs[n] == NULL) {
        return bad_data("invalid reference");
    }
    return Py_NewRef(r->refs[n]);
}

static PyObject *get_plain(struct reader *r, int type)
{
    Py_ssize_t n;
    double x, y;
    int32_t i;
    const char *p;
    switch (type) {
    case TYPE_INT:
        return get_long(r, &i) ? PyLong_FromLong(i) : NULL;
    case TYPE_INT64:
        p = get(r, 8);
        int64_t wide;
        if (p != NULL) {
            memcpy(&wide, p, 8);
        }
        return p ? PyLong_FromLongLong(wide) : NULL;
    case TYPE_LONG:
        return get_int(r);
    case TYPE_FLOAT:
        return get_float_text(r, &x) ? PyFloat_FromDouble(x) : NULL;
    case TYPE_BINARY_FLOAT:
        return get_double(r, &x) ? PyFloat_FromDouble(x) : NULL;
    case TYPE_COMPLEX:
        return get_float_text(r, &x) && get_float_text(r, &y) ? PyComplex_FromDoubles(x, y) : NULL;
    case TYPE_BINARY_COMPLEX:
        return get_double(r, &x) && get_double(r, &y) ? PyComplex_FromDoubles(x, y) : NULL;
    case TYPE_STRING:
        p = get_size(r, &n, "bytes object size out of range") ? get(r, (size_t)n) : NULL;
        return p ? PyBytes_FromStringAndSize(p, n) : NULL;
    case TYPE_ASCII:
    case TYPE_ASCII_INTERNED:
        return get_size(r, &n, "string size out of range")
                   ? get_ascii(r, n, type == TYPE_ASCII_INTERNED)
                   : NULL;
    case TYPE_SHORT_ASCII:
    case TYPE_SHORT_ASCII_INTERNED:
        return get_ascii(r, get_byte(r), type == TYPE_SHORT_ASCII_INTERNED);
    case TYPE_UNICODE:
    case TYPE_INTERNED:
        return get_unicode(r, type == TYPE_INTERNED);
    default:
        return bad_data("unknown type code");
    }
}

static PyObject *get_value(struct reader *r, int type, int flag)
{
    Py_ssize_t n;
    switch (type) {
    case TYPE_NULL:
        return NULL;
    case TYPE_NONE:
        return Py_NewRef(Py_None);
    case TYPE_STOPITER:
        return Py_NewRef(PyExc_StopIteration);
    case TYPE_ELLIPSIS:
        return Py_NewRef(Py_Ellipsis);
    case TYPE_FALSE:
    case TYPE_TRUE:
        return PyBool_FromLong(type == TYPE_TRUE);
    case TYPE_SMALL_TUPLE:
        n = get_byte(r);
        return n < 0 ? NULL : get_tuple(r, n, flag);
    case TYPE_TUPLE:
        return get_size(r, &n, "tuple size out of range") ? get_tuple(r, n, flag) : NULL;
    case TYPE_LIST:
        return get_size(r, &n, "list size out of range") ? get_list(r, n, flag) : NULL;
    case TYPE_DICT:
        return get_dict(r, flag);
    case TYPE_SET:
    case TYPE_FROZENSET:
        return get_size(r, &n, "set size out of range")
                   ? get_set(r, n, type == TYPE_FROZENSET, flag)
                   : NULL;
    case TYPE_CODE:
        return get_code(r, flag);
    case TYPE_REF:
        return get_ref(r);
    default: {
        PyObject *op = get_plain(r, type);
        if (op != NULL && flag && add_ref(r, op) < 0) {
            Py_CLEAR(op);
        }
        return op;
    }
    }
}

/* NULL without an exception for TYPE_NULL. */
static PyObject *get_object(struct reader *r)
{
    const char *p = r->file || r->readable || r->next < r->end ? get(r, 1) : NULL;
    if (p == NULL) {
        if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_EOFError)) {
            PyErr_SetString(PyExc_EOFError, "EOF read where object expected");
        }
        return NULL;
    }
    int code = (unsigned char)*p;
    if (++r->depth > DEPTH_MAX || thread_stack_low(thread_self(), 0)) {
        r->depth--;
        return PyErr_SetString(PyExc_ValueError, "recursion limit exceeded"), NULL;
    }
    PyObject *op = get_value(r, code & ~FLAG_REF, code & FLAG_REF);
    r->depth--;
    return op;
}

static PyObject *read_one(struct reader *r)
{
    if (r->next == NULL) { /* all comes from a file */
        r->next = r->end = "";
    }
    PyObject *op = get_object(r);
    if (op == NULL && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_TypeError, "NULL object in marshal data for object");
    }
    while (r->refs_count > 0) {
        Py_XDECREF(r->refs[--r->refs_count]);
    }
    PyMem_RawFree(r->refs);
    PyMem_RawFree(r->scratch);
    return op;
}

PyObject *PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t n)
{
    struct reader r = {.next = data, .end = data + n, .allow_code = 1};
    if (PySys_Audit("marshal.loads", "y#", data, n) < 0) {
        return NULL;
    }
    return read_one(&r);
}

PyObject *marshal_read_frozen(const unsigned char *data, Py_ssize_t n)
{
    struct reader r = {.next = (const char *)data,
                       .end = (const char *)data + n,
                       .allow_code = 1,
                       .trusted = true};
    return read_one(&r);
}

PyObject *PyMarshal_ReadObjectFromFile(FILE *file)
{
    struct reader r = {.file = file, .allow_code = 1};
    return read_one(&r);
}

PyObject *PyMarshal_ReadLastObjectFromFile(FILE *file)
{
    return PyMarshal_ReadObjectFromFile(file);
}

int PyMarshal_ReadShortFromFile(FILE *file)
{
    int16_t value;
    if (fread(&value, 1, 2, file) != 2) {
        too_short();
        return -1;
    }
    return value;
}

long PyMarshal_ReadLongFromFile(FILE *file)
{
    int32_t value;
    if (fread(&value, 1, 4, file) != 4) {
        too_short();
        return -1;
    }
    return value;
}

/* ---- module ---------------------------------------------------------------------------------- */

static PyObject *marshal_dump(PyObject *module, PyObject *value, PyObject *file, int version,
                              int allow_code)
{
    (void)module;
    PyObject *bytes = marshal_to_bytes(value, version, allow_code);
    PyObject *result = bytes ? PyObject_CallMethodOneArg(file, ID(write), bytes) : NULL;
    Py_XDECREF(bytes);
    return result;
}

static PyObject *marshal_load(PyObject *module, PyObject *file, int allow_code)
{
    (void)module;
    if (PySys_Audit("marshal.load", NULL) < 0) {
        return NULL;
    }
    /* read(0) tells whether it is a binary file. */
    PyObject *data = PyObject_CallMethod(file, "read", "i", 0);
    if (data == NULL) {
        return NULL;
    }
    if (!PyBytes_Check(data)) {
        PyErr_Format(PyExc_TypeError, "file.read() returned not bytes but %.100s",
                     Py_TYPE(data)->tp_name);
        Py_DECREF(data);
        return NULL;
    }
    Py_DECREF(data);
    struct reader r = {.readable = file, .allow_code = allow_code};
    return read_one(&r);
}

static PyObject *marshal_dumps(PyObject *module, PyObject *value, int version, int allow_code)
{
    (void)module;
    return marshal_to_bytes(value, version, allow_code);
}

static PyObject *marshal_loads(PyObject *module, Py_buffer *bytes, int allow_code)
{
    (void)module;
    const char *data = bytes->buf;
    struct reader r = {.next = data, .end = data + bytes->len, .allow_code = allow_code};
    if (PySys_Audit("marshal.loads", "y#", data, bytes->len) < 0) {
        return NULL;
    }
    return read_one(&r);
}

static int marshal_exec(PyObject *module)
{
    return PyModule_AddIntConstant(module, "version", Py_MARSHAL_VERSION);
}

static PyModuleDef_Slot marshal_slots[] = {
    {Py_mod_exec, marshal_exec},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static struct PyModuleDef marshal_module = {
    PyModuleDef_HEAD_INIT,        .m_name = "marshal",      .m_doc = marshal_doc,
    .m_methods = marshal_methods, .m_slots = marshal_slots,
};

PyMODINIT_FUNC PyInit_marshal(void);
PyMODINIT_FUNC PyInit_marshal(void)
{
    return PyModuleDef_Init(&marshal_module);
}
