/* The module array.  Functions without a note run with the array locked. */
#include "module.h"

struct kind {
    char code;
    int size;
    PyObject *(*get)(const char *at);
    int (*set)(char *at, PyObject *value); /* -1 with an exception, *at as it was */
    const char *format;                    /* for the buffer protocol */
    bool is_integer, is_signed;
};

/* The layout is public: extensions read it. */
struct array {
    PyObject_VAR_HEAD
    char *items;
    Py_ssize_t allocated;
    const struct kind *kind;
    PyObject *weaklist;
    Py_ssize_t exports;
};

struct arrayiterator {
    PyObject_HEAD
    Py_ssize_t index;
    struct array *array; /* NULL at the end */
    PyObject *(*get)(const char *at);
};

struct arrays_state {
    PyObject *array_type, *iterator_type;
};

static PyModuleDef arrays_module;

#include "array.bind.h"

/* ---- items ---------------------------------------------------------------------------------- */

#define READ(type, at)                                                                            \
    __extension__({                                                                               \
        type read_value;                                                                          \
        memcpy(&read_value, at, sizeof read_value);                                               \
        read_value;                                                                               \
    })

static int
overflow(const char *what, bool below)
{
    PyErr_Format(PyExc_OverflowError, "%s is %s", what,
                 below ? "less than minimum" : "greater than maximum");
    return -1;
}

/* Two checks, since messages tell the C type that a value is read as first. */
#define SMALL_INT(name, type, least, most, wide_least, wide_most, what, wide)                     \
    static PyObject *name##_get(const char *at) { return PyLong_FromLong(READ(type, at)); }       \
    static int name##_set(char *at, PyObject *value)                                              \
    {                                                                                             \
        long number;                                                                              \
        if (!bind_long(value, &number)) {                                                         \
            return -1;                                                                            \
        }                                                                                         \
        if (number < wide_least || number > wide_most) {                                          \
            return overflow(wide, number < wide_least);                                           \
        }                                                                                         \
        if (number < least || number > most) {                                                    \
            return overflow(what, number < least);                                                \
        }                                                                                         \
        memcpy(at, &(type){(type)number}, sizeof(type));                                          \
        return 0;                                                                                 \
    }

SMALL_INT(schar, signed char, -128, 127, SHRT_MIN, SHRT_MAX, "signed char",
          "signed short integer")
SMALL_INT(uchar, unsigned char, 0, 255, 0, 255, "unsigned byte integer", "unsigned byte integer")
SMALL_INT(short, short, SHRT_MIN, SHRT_MAX, SHRT_MIN, SHRT_MAX, "signed short integer",
          "signed short integer")
SMALL_INT(ushort, unsigned short, 0, USHRT_MAX, INT_MIN, INT_MAX, "unsigned short",
          "signed integer")
SMALL_INT(int, int, INT_MIN, INT_MAX, INT_MIN, INT_MAX, "signed integer", "signed integer")

static PyObject *
long_get(const char *at)
{
    return PyLong_FromLong(READ(long, at));
}

static int
long_set(char *at, PyObject *value)
{
    long number;
    if (!bind_long(value, &number)) {
        return -1;
    }
    memcpy(at, &number, sizeof number);
    return 0;
}

/* An unsigned long out of anything with __index__; false with an exception. */
static bool
unsigned_of(PyObject *value, unsigned long *out)
{
    PyObject *index = PyNumber_Index(value);
    if (index == NULL) {
        return false;
    }
    int over;
    long small = PyLong_AsLongAndOverflow(index, &over);
    bool negative = over < 0 || (over == 0 && small < 0);
    if (negative) {
        PyErr_SetString(PyExc_OverflowError, "can't convert negative value to unsigned int");
    } else {
        *out = over ? PyLong_AsUnsignedLong(index) : (unsigned long)small;
    }
    Py_DECREF(index);
    return !negative && (*out != (unsigned long)-1 || !PyErr_Occurred());
}

static PyObject *
uint_get(const char *at)
{
    return PyLong_FromUnsignedLong(READ(unsigned int, at));
}

static int
uint_set(char *at, PyObject *value)
{
    unsigned long number;
    if (!unsigned_of(value, &number)) {
        return -1;
    }
    if (number > UINT_MAX) {
        return overflow("unsigned int", false);
    }
    memcpy(at, &(unsigned){(unsigned)number}, sizeof(unsigned));
    return 0;
}

static PyObject *
ulong_get(const char *at)
{
    return PyLong_FromUnsignedLong(READ(unsigned long, at));
}

static int
ulong_set(char *at, PyObject *value)
{
    unsigned long number;
    if (!unsigned_of(value, &number)) {
        return -1;
    }
    memcpy(at, &number, sizeof number);
    return 0;
}

static PyObject *
longlong_get(const char *at)
{
    return PyLong_FromLongLong(READ(long long, at));
}

static int
longlong_set(char *at, PyObject *value)
{
    PyObject *index = PyNumber_Index(value);
    long long number = index ? PyLong_AsLongLong(index) : -1;
    Py_XDECREF(index);
    if (number == -1 && PyErr_Occurred()) {
        if (index != NULL) {
            PyErr_SetString(PyExc_OverflowError, "int too big to convert");
        }
        return -1;
    }
    memcpy(at, &number, sizeof number);
    return 0;
}

static PyObject *
ulonglong_get(const char *at)
{
    return PyLong_FromUnsignedLongLong(READ(unsigned long long, at));
}

static int
ulonglong_set(char *at, PyObject *value)
{
    PyObject *index = PyNumber_Index(value);
    if (index == NULL) {
        return -1;
    }
    int over;
    long long small = PyLong_AsLongLongAndOverflow(index, &over);
    unsigned long long number = over > 0 ? PyLong_AsUnsignedLongLong(index)
                                         : (unsigned long long)small;
    Py_DECREF(index);
    if (over < 0 || (over == 0 && small < 0)) {
        PyErr_SetString(PyExc_OverflowError, "can't convert negative int to unsigned");
        return -1;
    }
    if (number == (unsigned long long)-1 && PyErr_Occurred()) {
        PyErr_SetString(PyExc_OverflowError, "int too big to convert");
        return -1;
    }
    memcpy(at, &number, sizeof number);
    return 0;
}

static PyObject *
float_get(const char *at)
{
    return PyFloat_FromDouble(READ(float, at));
}

static int
float_set(char *at, PyObject *value)
{
    double number;
    if (!bind_double(value, &number)) {
        return -1;
    }
    memcpy(at, &(float){(float)number}, sizeof(float));
    return 0;
}

static PyObject *
double_get(const char *at)
{
    return PyFloat_FromDouble(READ(double, at));
}

static int
double_set(char *at, PyObject *value)
{
    double number;
    if (!bind_double(value, &number)) {
        return -1;
    }
    memcpy(at, &number, sizeof number);
    return 0;
}

static PyObject *
character_get(const char *at)
{
    return PyUnicode_FromOrdinal((int)READ(Py_UCS4, at));
}

static int
character_set(char *at, PyObject *value)
{
    if (!PyUnicode_Check(value) || PyUnicode_GET_LENGTH(value) != 1) {
        PyErr_SetString(PyExc_TypeError, "array item must be unicode character");
        return -1;
    }
    memcpy(at, &(Py_UCS4){PyUnicode_READ_CHAR(value, 0)}, sizeof(Py_UCS4));
    return 0;
}

_Static_assert(sizeof(wchar_t) == sizeof(Py_UCS4), "'u' and 'w' are not the same here");

static const struct kind kinds[] = {
    {'b', 1, schar_get, schar_set, "b", true, true},
    {'B', 1, uchar_get, uchar_set, "B", true, false},
    {'u', sizeof(wchar_t), character_get, character_set, "u", false, false},
    {'w', sizeof(Py_UCS4), character_get, character_set, "w", false, false},
    {'h', sizeof(short), short_get, short_set, "h", true, true},
    {'H', sizeof(short), ushort_get, ushort_set, "H", true, false},
    {'i', sizeof(int), int_get, int_set, "i", true, true},
    {'I', sizeof(int), uint_get, uint_set, "I", true, false},
    {'l', sizeof(long), long_get, long_set, "l", true, true},
    {'L', sizeof(long), ulong_get, ulong_set, "L", true, false},
    {'q', sizeof(long long), longlong_get, longlong_set, "q", true, true},
    {'Q', sizeof(long long), ulonglong_get, ulonglong_set, "Q", true, false},
    {'f', sizeof(float), float_get, float_set, "f", false, false},
    {'d', sizeof(double), double_get, double_set, "d", false, false},
};

static const struct kind *
kind_of(Py_UCS4 code)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(kinds); i++) {
        if ((Py_UCS4)kinds[i].code == code) {
            return &kinds[i];
        }
    }
    return NULL;
}

static inline bool
is_text(const struct kind *kind)
{
    return kind->get == character_get;
}

static inline char *
item_at(struct array *self, Py_ssize_t i)
{
    return self->items + i * self->kind->size;
}

/* The state of the module that an array's type comes from (borrowed). */
static struct arrays_state *
state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &arrays_module);
    return module ? PyModule_GetState(module) : NULL;
}

/* Whether it is an array: 1, 0, or -1 on error. */
static bool
is_array(struct array *self, PyObject *op)
{
    struct arrays_state *state = state_of(Py_TYPE(self));
    return state != NULL && PyObject_TypeCheck(op, (PyTypeObject *)state->array_type);
}

/* ---- size ----------------------------------------------------------------------------------- */

/* Makes room for `size` items and makes that the length; -1 with an exception. */
static int
array_resize(struct array *self, Py_ssize_t size)
{
    if (self->exports > 0 && size != Py_SIZE(self)) {
        PyErr_SetString(PyExc_BufferError,
                        "cannot resize an array that is exporting buffers");
        return -1;
    }
    bool grows = size >= Py_SIZE(self);
    if (size <= self->allocated && (grows || size >= self->allocated / 2) && self->items) {
        Py_SET_SIZE(self, size);
        return 0;
    }
    if (size == 0) {
        PyMem_Free(self->items);
        self->items = NULL;
        self->allocated = 0;
        Py_SET_SIZE(self, 0);
        return 0;
    }
    Py_ssize_t room = size + (size >> 4) + (Py_SIZE(self) < 8 ? 3 : 7);
    if (room > PY_SSIZE_T_MAX / self->kind->size) {
        PyErr_NoMemory();
        return -1;
    }
    char *items = PyMem_Realloc(self->items, (size_t)(room * self->kind->size));
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->items = items;
    self->allocated = room;
    Py_SET_SIZE(self, size);
    return 0;
}

/* An array of `size` items that are not set yet. */
static struct array *
array_make(PyTypeObject *type, Py_ssize_t size, const struct kind *kind)
{
    if (size > PY_SSIZE_T_MAX / kind->size) {
        return (struct array *)PyErr_NoMemory();
    }
    struct array *self = (struct array *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->kind = kind;
    if (size > 0) {
        self->items = PyMem_Malloc((size_t)(size * kind->size));
        if (self->items == NULL) {
            Py_DECREF(self);
            return (struct array *)PyErr_NoMemory();
        }
    }
    self->allocated = size;
    Py_SET_SIZE(self, size);
    return self;
}

/* Replaces `removed` items from `at` by `count` others, which may lie in the array itself only if
 * no item is removed. */
static int
array_splice(struct array *self, Py_ssize_t at, Py_ssize_t removed, const char *source,
             Py_ssize_t count)
{
    Py_ssize_t old = Py_SIZE(self), tail = old - at - removed, change = count - removed;
    size_t unit = (size_t)self->kind->size;
    if (change > PY_SSIZE_T_MAX - old) {
        PyErr_NoMemory();
        return -1;
    }
    if (change < 0 && self->exports == 0) {
        memmove(item_at(self, at + count), item_at(self, at + removed), (size_t)tail * unit);
    }
    if (change != 0 && array_resize(self, old + change) < 0) {
        return -1;
    }
    if (change > 0) {
        memmove(item_at(self, at + count), item_at(self, at + removed), (size_t)tail * unit);
    }
    if (count > 0 && source != NULL) {
        memcpy(item_at(self, at), source, (size_t)count * unit);
    }
    return 0;
}

/* Puts one item in at `at`.  Setting it may run code, so it is converted first. */
static int
array_insert_value(struct array *self, Py_ssize_t at, PyObject *value)
{
    char item[16];
    if (self->kind->set(item, value) < 0) {
        return -1;
    }
    return array_splice(self, Py_MIN(at, Py_SIZE(self)), 0, item, 1);
}

/* ---- methods -------------------------------------------------------------------------------- */

static int
array_append(struct array *self, PyObject *value)
{
    char item[16];
    if (self->kind->set(item, value) < 0) {
        return -1;
    }
    Py_ssize_t size = Py_SIZE(self);
    if (array_resize(self, size + 1) < 0) {
        return -1;
    }
    memcpy(item_at(self, size), item, (size_t)self->kind->size);
    return 0;
}

static int
array_insert(struct array *self, Py_ssize_t i, PyObject *value)
{
    if (i < 0) {
        i = Py_MAX(i + Py_SIZE(self), 0);
    }
    return array_insert_value(self, i, value);
}

static PyObject *
array_pop(struct array *self, Py_ssize_t i)
{
    if (Py_SIZE(self) == 0) {
        PyErr_SetString(PyExc_IndexError, "pop from empty array");
        return NULL;
    }
    i = i < 0 ? i + Py_SIZE(self) : i;
    if (i < 0 || i >= Py_SIZE(self)) {
        PyErr_SetString(PyExc_IndexError, "pop index out of range");
        return NULL;
    }
    PyObject *item = self->kind->get(item_at(self, i));
    if (item != NULL && array_splice(self, i, 1, NULL, 0) < 0) {
        Py_CLEAR(item);
    }
    return item;
}

static int
array_clear(struct array *self)
{
    return array_resize(self, 0);
}

/* Whether item i is equal to value: 1, 0, or -1 on error. */
static int
item_is(struct array *self, Py_ssize_t i, PyObject *value)
{
    PyObject *item = self->kind->get(item_at(self, i));
    int equal = item ? PyObject_RichCompareBool(item, value, Py_EQ) : -1;
    Py_XDECREF(item);
    return equal;
}

/* The index of the first item equal to value; Py_SIZE if there is none, -1 on error. */
static Py_ssize_t
array_find(struct array *self, PyObject *value, Py_ssize_t start, Py_ssize_t stop)
{
    for (Py_ssize_t i = start; i < Py_SIZE(self) && i < stop; i++) {
        int equal = item_is(self, i, value);
        if (equal != 0) {
            return equal < 0 ? -1 : i;
        }
    }
    return PY_SSIZE_T_MAX;
}

static Py_ssize_t
array_count(struct array *self, PyObject *value)
{
    Py_ssize_t count = 0;
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        int equal = item_is(self, i, value);
        if (equal < 0) {
            return -1;
        }
        count += equal;
    }
    return count;
}

static Py_ssize_t
array_index(struct array *self, PyObject *value, Py_ssize_t start, Py_ssize_t stop)
{
    start = start < 0 ? Py_MAX(start + Py_SIZE(self), 0) : start;
    stop = stop < 0 ? stop + Py_SIZE(self) : stop;
    Py_ssize_t i = array_find(self, value, start, stop);
    if (i == PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_ValueError, "array.index(x): x not in array");
        return -1;
    }
    return i;
}

static int
array_remove(struct array *self, PyObject *value)
{
    Py_ssize_t i = array_find(self, value, 0, PY_SSIZE_T_MAX);
    if (i == PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_ValueError, "array.remove(x): x not in array");
        return -1;
    }
    return i < 0 || i >= Py_SIZE(self) ? (i < 0 ? -1 : 0) : array_splice(self, i, 1, NULL, 0);
}

static int
array_contains_locked(struct array *self, PyObject *value)
{
    Py_ssize_t i = array_find(self, value, 0, PY_SSIZE_T_MAX);
    return i < 0 ? -1 : i != PY_SSIZE_T_MAX;
}

static int
array_contains(PyObject *op, PyObject *value)
{
    return LOCKED(op, array_contains_locked((struct array *)op, value));
}

static void
array_reverse(struct array *self)
{
    size_t unit = (size_t)self->kind->size;
    char held[16];
    for (Py_ssize_t i = 0, j = Py_SIZE(self) - 1; i < j; i++, j--) {
        memcpy(held, item_at(self, i), unit);
        memcpy(item_at(self, i), item_at(self, j), unit);
        memcpy(item_at(self, j), held, unit);
    }
}

static int
array_byteswap(struct array *self)
{
    int unit = self->kind->size;
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        char *at = item_at(self, i);
        for (int a = 0, b = unit - 1; a < b; a++, b--) {
            char byte = at[a];
            at[a] = at[b];
            at[b] = byte;
        }
    }
    return 0;
}

static PyObject *
array_slice_copy(struct array *self, Py_ssize_t start, Py_ssize_t count)
{
    struct arrays_state *state = state_of(Py_TYPE(self));
    struct array *copy = state ? array_make((PyTypeObject *)state->array_type, count, self->kind)
                               : NULL;
    if (copy != NULL && count > 0) {
        memcpy(copy->items, item_at(self, start), (size_t)(count * self->kind->size));
    }
    return (PyObject *)copy;
}

static PyObject *
array_copy(struct array *self)
{
    return array_slice_copy(self, 0, Py_SIZE(self));
}

static PyObject *
array_deepcopy(struct array *self, PyObject *Py_UNUSED(memo))
{
    return array_copy(self);
}

static PyObject *
array_buffer_info(struct array *self)
{
    return Py_BuildValue("Nn", PyLong_FromVoidPtr(self->items), Py_SIZE(self));
}

/* ---- in and out ----------------------------------------------------------------------------- */

static int
array_extend_iterable(struct array *self, PyObject *iterable)
{
    PyObject *it = PyObject_GetIter(iterable);
    if (it == NULL) {
        return -1;
    }
    PyObject *item;
    int rc = 0;
    while (rc == 0 && (item = iter_next(it)) != NULL) {
        rc = array_append(self, item) < 0 ? -1 : PyErr_CheckSignals();
        Py_DECREF(item);
    }
    Py_DECREF(it);
    return rc < 0 || !iter_ended() ? -1 : 0;
}

static int
array_extend_array(struct array *self, struct array *other)
{
    if (self->kind != other->kind) {
        PyErr_SetString(PyExc_TypeError, "can only extend with array of same kind");
        return -1;
    }
    Py_ssize_t old = Py_SIZE(self), count = Py_SIZE(other);
    if (count == 0) {
        return 0;
    }
    if (count > PY_SSIZE_T_MAX - old || array_resize(self, old + count) < 0) {
        if (!PyErr_Occurred()) {
            PyErr_NoMemory();
        }
        return -1;
    }
    memcpy(item_at(self, old), other->items, (size_t)(count * self->kind->size));
    return 0;
}

static int
array_extend(struct array *self, PyObject *other)
{
    if (!is_array(self, other)) {
        return array_extend_iterable(self, other);
    }
    return LOCKED(other, array_extend_array(self, (struct array *)other));
}

static int
array_fromlist(struct array *self, PyObject *list)
{
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "arg must be list");
        return -1;
    }
    Py_ssize_t old = Py_SIZE(self), count = PyList_GET_SIZE(list);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = i < PyList_GET_SIZE(list) ? PyList_GetItemRef(list, i) : NULL;
        int rc = item ? array_append(self, item) : -1;
        if (item == NULL && !PyErr_Occurred()) {
            PyErr_SetString(PyExc_RuntimeError, "list changed size during iteration");
        }
        Py_XDECREF(item);
        if (rc < 0) {
            PyObject *raised = PyErr_GetRaisedException();
            if (Py_SIZE(self) > old && array_resize(self, old) < 0) {
                PyErr_Clear();
            }
            PyErr_SetRaisedException(raised);
            return -1;
        }
    }
    return 0;
}

static int
array_add_bytes(struct array *self, const void *bytes, Py_ssize_t length)
{
    if (length % self->kind->size != 0) {
        PyErr_SetString(PyExc_ValueError, "bytes length not a multiple of item size");
        return -1;
    }
    Py_ssize_t count = length / self->kind->size, old = Py_SIZE(self);
    if (count == 0) {
        return 0;
    }
    if (count > PY_SSIZE_T_MAX - old) {
        PyErr_NoMemory();
        return -1;
    }
    if (array_resize(self, old + count) < 0) {
        return -1;
    }
    memcpy(item_at(self, old), bytes, (size_t)length);
    return 0;
}

static int
array_frombytes(struct array *self, Py_buffer *buffer)
{
    if (buffer->itemsize != 1) {
        PyErr_SetString(PyExc_TypeError, "a bytes-like object is required");
        return -1;
    }
    return array_add_bytes(self, buffer->buf, buffer->len);
}

static PyObject *
array_tobytes(struct array *self)
{
    if (Py_SIZE(self) > PY_SSIZE_T_MAX / self->kind->size) {
        return PyErr_NoMemory();
    }
    return PyBytes_FromStringAndSize(self->items, Py_SIZE(self) * self->kind->size);
}

static PyObject *
array_tolist(struct array *self)
{
    Py_ssize_t count = Py_SIZE(self);
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list != NULL && i < count; i++) {
        PyObject *item = self->kind->get(item_at(self, i));
        if (item == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, item);
    }
    return list;
}

static int
array_add_text(struct array *self, PyObject *text)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(text), old = Py_SIZE(self);
    if (length == 0) {
        return 0;
    }
    if (array_resize(self, old + length) < 0) {
        return -1;
    }
    return PyUnicode_AsUCS4(text, (Py_UCS4 *)item_at(self, old), length, 0) ? 0 : -1;
}

static int
array_fromunicode(struct array *self, PyObject *text)
{
    if (!is_text(self->kind)) {
        PyErr_SetString(PyExc_ValueError, "fromunicode() may only be called on unicode type "
                                          "arrays ('u' or 'w')");
        return -1;
    }
    return array_add_text(self, text);
}

static PyObject *
array_text(struct array *self)
{
    if (self->kind->code == 'u') {
        return PyUnicode_FromWideChar((const wchar_t *)self->items, Py_SIZE(self));
    }
    int order = 0;
    return PyUnicode_DecodeUTF32(self->items, Py_SIZE(self) * 4, "surrogatepass",
                                 (order = PY_LITTLE_ENDIAN ? -1 : 1, &order));
}

static PyObject *
array_tounicode(struct array *self)
{
    if (!is_text(self->kind)) {
        PyErr_SetString(PyExc_ValueError, "tounicode() may only be called on unicode type arrays "
                                          "('u' or 'w')");
        return NULL;
    }
    return array_text(self);
}

/* Reads without the lock: that runs any code. */
static int
array_fromfile(struct array *self, PyObject *file, Py_ssize_t n)
{
    if (n < 0) {
        PyErr_SetString(PyExc_ValueError, "negative count");
        return -1;
    }
    if (n > PY_SSIZE_T_MAX / self->kind->size) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t wanted = n * self->kind->size;
    PyObject *bytes = PyObject_CallMethod(file, "read", "n", wanted);
    if (bytes == NULL) {
        return -1;
    }
    int rc = -1;
    if (!PyBytes_Check(bytes)) {
        PyErr_SetString(PyExc_TypeError, "read() didn't return bytes");
    } else {
        rc = LOCKED(self, array_add_bytes(self, PyBytes_AS_STRING(bytes),
                                          PyBytes_GET_SIZE(bytes)));
        if (rc == 0 && PyBytes_GET_SIZE(bytes) != wanted) {
            PyErr_SetString(PyExc_EOFError, "read() didn't return enough bytes");
            rc = -1;
        }
    }
    Py_DECREF(bytes);
    return rc;
}

enum { WRITE_AT_ONCE = 64 * 1024 };

/* Bytes [from, from + WRITE_AT_ONCE) of the array, fewer at its end. */
static PyObject *
array_part(struct array *self, Py_ssize_t from)
{
    Py_ssize_t all = Py_SIZE(self) * self->kind->size;
    Py_ssize_t count = Py_MAX(Py_MIN(all - from, WRITE_AT_ONCE), 0);
    return PyBytes_FromStringAndSize(self->items + (count ? from : 0), count);
}

static int
array_tofile(struct array *self, PyObject *file)
{
    for (Py_ssize_t from = 0;; from += WRITE_AT_ONCE) {
        PyObject *part = LOCKED(self, array_part(self, from));
        bool last = part == NULL || PyBytes_GET_SIZE(part) == 0;
        if (last && from != 0) {
            Py_XDECREF(part);
            return part ? 0 : -1;
        }
        PyObject *result = part ? PyObject_CallMethod(file, "write", "O", part) : NULL;
        Py_XDECREF(part);
        if (result == NULL) {
            return -1;
        }
        Py_DECREF(result);
        if (last) {
            return 0;
        }
    }
}

static size_t
array_sizeof(struct array *self)
{
    return (size_t)Py_TYPE(self)->tp_basicsize + (size_t)(self->allocated * self->kind->size);
}

static PyObject *
array_get_typecode(struct array *self)
{
    return PyUnicode_FromOrdinal(self->kind->code);
}

static int
array_get_itemsize(struct array *self)
{
    return self->kind->size;
}

/* ---- as a sequence -------------------------------------------------------------------------- */

static Py_ssize_t
array_length(PyObject *op)
{
    return __atomic_load_n(&((PyVarObject *)op)->ob_size, __ATOMIC_RELAXED);
}

static PyObject *
array_item_locked(struct array *self, Py_ssize_t i)
{
    if (i < 0 || i >= Py_SIZE(self)) {
        PyErr_SetString(PyExc_IndexError, "array index out of range");
        return NULL;
    }
    return self->kind->get(item_at(self, i));
}

static PyObject *
array_item(PyObject *op, Py_ssize_t i)
{
    return LOCKED(op, array_item_locked((struct array *)op, i));
}

static int
array_assign_locked(struct array *self, Py_ssize_t i, PyObject *value)
{
    char item[16];
    if (i < 0 || i >= Py_SIZE(self)) {
        PyErr_SetString(PyExc_IndexError, "array assignment index out of range");
        return -1;
    }
    if (value == NULL) {
        return array_splice(self, i, 1, NULL, 0);
    }
    if (self->kind->set(item, value) < 0) {
        return -1;
    }
    if (i >= Py_SIZE(self)) { /* converting it has changed the array */
        PyErr_SetString(PyExc_IndexError, "array assignment index out of range");
        return -1;
    }
    memcpy(item_at(self, i), item, (size_t)self->kind->size);
    return 0;
}

static int
array_assign(PyObject *op, Py_ssize_t i, PyObject *value)
{
    return LOCKED(op, array_assign_locked((struct array *)op, i, value));
}

static PyObject *
array_subscript_slice(struct array *self, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t step)
{
    Py_ssize_t count = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
    if (step == 1 || count == 0) {
        return array_slice_copy(self, start, count);
    }
    struct arrays_state *state = state_of(Py_TYPE(self));
    struct array *part = state ? array_make((PyTypeObject *)state->array_type, count, self->kind)
                               : NULL;
    for (Py_ssize_t i = 0; part != NULL && i < count; i++) {
        memcpy(item_at(part, i), item_at(self, start + i * step), (size_t)self->kind->size);
    }
    return (PyObject *)part;
}

static PyObject *
array_subscript(PyObject *op, PyObject *key)
{
    struct array *self = (struct array *)op;
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return LOCKED(op, array_item_locked(self, i < 0 ? i + Py_SIZE(self) : i));
    }
    if (!PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "array indices must be integers");
        return NULL;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) {
        return NULL;
    }
    return LOCKED(op, array_subscript_slice(self, start, stop, step));
}

/* Removes every step-th of `count` items from start on; step is positive. */
static int
array_delete_steps(struct array *self, Py_ssize_t start, Py_ssize_t count, Py_ssize_t step)
{
    Py_ssize_t to = start, size = Py_SIZE(self);
    if (self->exports > 0) {
        return array_resize(self, size - count);
    }
    for (Py_ssize_t from = start; from < size; from++) {
        bool removed = (from - start) % step == 0 && (from - start) / step < count;
        if (!removed) {
            memcpy(item_at(self, to++), item_at(self, from), (size_t)self->kind->size);
        }
    }
    return array_resize(self, size - count);
}

static int
array_assign_slice(struct array *self, const Py_ssize_t slice[3], struct array *other)
{
    Py_ssize_t start = slice[0], stop = slice[1], step = slice[2];
    Py_ssize_t count = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
    Py_ssize_t needed = other ? Py_SIZE(other) : 0;
    if (step == 1) {
        return array_splice(self, start, count, other ? other->items : NULL, needed);
    }
    if (needed == 0 && (other == NULL || count == 0)) {
        if (step < 0 && count > 0) {
            start += step * (count - 1);
            step = -step;
        }
        return count == 0 ? 0 : array_delete_steps(self, start, count, step);
    }
    if (needed != count) {
        PyErr_Format(PyExc_ValueError,
                     "attempt to assign array of size %zd to extended slice of size %zd", needed,
                     count);
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        memcpy(item_at(self, start + i * step), item_at(other, i), (size_t)self->kind->size);
    }
    return 0;
}

static int
array_subscript_assign(PyObject *op, PyObject *key, PyObject *value)
{
    struct array *self = (struct array *)op;
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return -1;
        }
        return LOCKED(op, array_assign_locked(self, i < 0 ? i + Py_SIZE(self) : i, value));
    }
    if (!PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "array indices must be integers");
        return -1;
    }
    Py_ssize_t slice[3];
    if (PySlice_Unpack(key, &slice[0], &slice[1], &slice[2]) < 0) {
        return -1;
    }
    if (value == NULL) {
        return LOCKED(op, array_assign_slice(self, slice, NULL));
    }
    if (!is_array(self, value)) {
        PyErr_Format(PyExc_TypeError, "can only assign array (not \"%.200s\") to array slice",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    struct array *other = (struct array *)value;
    if (other->kind != self->kind) {
        PyErr_BadArgument();
        return -1;
    }
    PyObject *copy = value == op ? LOCKED(op, array_copy(self)) : Py_NewRef(value);
    if (copy == NULL) {
        return -1;
    }
    int rc = LOCKED2(op, copy, array_assign_slice(self, slice, (struct array *)copy));
    Py_DECREF(copy);
    return rc;
}

static PyObject *
array_concat_locked(struct array *self, struct array *other)
{
    Py_ssize_t a = Py_SIZE(self), b = Py_SIZE(other), unit = self->kind->size;
    struct arrays_state *state = state_of(Py_TYPE(self));
    if (state == NULL || a > PY_SSIZE_T_MAX - b) {
        return state ? PyErr_NoMemory() : NULL;
    }
    struct array *sum = array_make((PyTypeObject *)state->array_type, a + b, self->kind);
    if (sum != NULL && a > 0) {
        memcpy(sum->items, self->items, (size_t)(a * unit));
    }
    if (sum != NULL && b > 0) {
        memcpy(sum->items + a * unit, other->items, (size_t)(b * unit));
    }
    return (PyObject *)sum;
}

static PyObject *
array_concat(PyObject *op, PyObject *other)
{
    struct array *self = (struct array *)op;
    if (!is_array(self, other)) {
        PyErr_Format(PyExc_TypeError, "can only append array (not \"%.200s\") to array",
                     Py_TYPE(other)->tp_name);
        return NULL;
    }
    if (self->kind != ((struct array *)other)->kind) {
        PyErr_BadArgument();
        return NULL;
    }
    return LOCKED2(op, other, array_concat_locked(self, (struct array *)other));
}

static PyObject *
array_inplace_concat(PyObject *op, PyObject *other)
{
    struct array *self = (struct array *)op;
    if (!is_array(self, other)) {
        PyErr_Format(PyExc_TypeError, "can only extend array with array (not \"%.200s\")",
                     Py_TYPE(other)->tp_name);
        return NULL;
    }
    int rc = LOCKED2(op, other, array_extend_array(self, (struct array *)other));
    return rc < 0 ? NULL : Py_NewRef(op);
}

/* Makes the array `n` times as long as its first `size` items. */
static int
array_multiply(struct array *self, Py_ssize_t n)
{
    Py_ssize_t size = Py_SIZE(self);
    if (n <= 0 || size == 0) {
        return array_resize(self, 0);
    }
    if (size > PY_SSIZE_T_MAX / n) {
        PyErr_NoMemory();
        return -1;
    }
    if (array_resize(self, size * n) < 0) {
        return -1;
    }
    size_t done = (size_t)(size * self->kind->size), all = done * (size_t)n;
    while (done < all) {
        size_t part = Py_MIN(done, all - done);
        memcpy(self->items + done, self->items, part);
        done += part;
    }
    return 0;
}

static PyObject *
array_repeat(PyObject *op, Py_ssize_t n)
{
    PyObject *copy = LOCKED(op, array_copy((struct array *)op));
    if (copy != NULL && array_multiply((struct array *)copy, n) < 0) {
        Py_CLEAR(copy);
    }
    return copy;
}

static PyObject *
array_inplace_repeat(PyObject *op, Py_ssize_t n)
{
    int rc = n == 1 ? 0 : LOCKED(op, array_multiply((struct array *)op, n));
    return rc < 0 ? NULL : Py_NewRef(op);
}

static PyObject *
array_compare(PyObject *a, PyObject *b, int op)
{
    struct array *left = (struct array *)a, *right = (struct array *)b;
    if (!is_array(left, b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Py_ssize_t a_len = array_length(a), b_len = array_length(b);
    if (a_len != b_len && (op == Py_EQ || op == Py_NE)) {
        return PyBool_FromLong(op == Py_NE);
    }
    if (left->kind == right->kind && left->kind->is_integer && (op == Py_EQ || op == Py_NE)) {
        int same = LOCKED2(a, b, Py_SIZE(left) == Py_SIZE(right)
                                     && (Py_SIZE(left) == 0
                                         || memcmp(left->items, right->items,
                                                   (size_t)(Py_SIZE(left) * left->kind->size))
                                                == 0));
        return PyBool_FromLong(same == (op == Py_EQ));
    }
    for (Py_ssize_t i = 0; i < array_length(a) && i < array_length(b); i++) {
        PyObject *x = array_item(a, i), *y = x ? array_item(b, i) : NULL;
        int equal = y ? PyObject_RichCompareBool(x, y, Py_EQ) : -1;
        PyObject *result = equal == 0 ? (op == Py_EQ   ? Py_NewRef(Py_False)
                                         : op == Py_NE ? Py_NewRef(Py_True)
                                                       : PyObject_RichCompare(x, y, op))
                                      : NULL;
        Py_XDECREF(x);
        Py_XDECREF(y);
        if (equal <= 0) {
            return result;
        }
    }
    a_len = array_length(a);
    b_len = array_length(b);
    Py_RETURN_RICHCOMPARE(a_len, b_len, op);
}

static PyObject *
array_repr(PyObject *op)
{
    struct array *self = (struct array *)op;
    PyObject *name = PyType_GetName(Py_TYPE(op));
    if (name == NULL) {
        return NULL;
    }
    PyObject *text = NULL;
    if (array_length(op) == 0) {
        text = PyUnicode_FromFormat("%U('%c')", name, self->kind->code);
    } else {
        PyObject *values = is_text(self->kind) ? LOCKED(op, array_text(self))
                                               : LOCKED(op, array_tolist(self));
        if (values != NULL) {
            text = PyUnicode_FromFormat("%U('%c', %R)", name, self->kind->code, values);
            Py_DECREF(values);
        }
    }
    Py_DECREF(name);
    return text;
}

/* ---- the buffer protocol -------------------------------------------------------------------- */

static int
array_fill_buffer(struct array *self, Py_buffer *view, int flags)
{
    view->buf = self->items ? (void *)self->items : (void *)"";
    view->obj = Py_NewRef((PyObject *)self);
    view->len = Py_SIZE(self) * self->kind->size;
    view->readonly = 0;
    view->ndim = 1;
    view->itemsize = self->kind->size;
    view->suboffsets = NULL;
    view->internal = NULL;
    view->shape = (flags & PyBUF_ND) == PyBUF_ND ? &((PyVarObject *)self)->ob_size : NULL;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &view->itemsize : NULL;
    view->format = (flags & PyBUF_FORMAT) == PyBUF_FORMAT ? (char *)self->kind->format : NULL;
    self->exports++;
    return 0;
}

static int
array_getbuffer(PyObject *op, Py_buffer *view, int flags)
{
    if (view == NULL) {
        PyErr_SetString(PyExc_BufferError,
                        "array_buffer_getbuf: view==NULL argument is obsolete");
        return -1;
    }
    return LOCKED(op, array_fill_buffer((struct array *)op, view, flags));
}

static void
array_releasebuffer(PyObject *op, Py_buffer *Py_UNUSED(view))
{
    (void)LOCKED(op, ((struct array *)op)->exports--);
}

/* ---- making --------------------------------------------------------------------------------- */

/* How many items an initializer will give, as far as it is known. */
static Py_ssize_t
initial_size(struct array *self, PyObject *initial)
{
    if (PyList_Check(initial) || PyTuple_Check(initial) || PyUnicode_Check(initial)
        || is_array(self, initial)) {
        return PyObject_Size(initial);
    }
    bool bytes = PyBytes_Check(initial) || PyByteArray_Check(initial);
    return bytes ? PyObject_Size(initial) / self->kind->size : 0;
}

/* Takes just the memory that a new array will need. */
static int
array_reserve(struct array *self, Py_ssize_t count)
{
    if (count <= 0) {
        return PyErr_Occurred() ? -1 : 0;
    }
    self->items = count > PY_SSIZE_T_MAX / self->kind->size
                      ? NULL : PyMem_Malloc((size_t)(count * self->kind->size));
    if (self->items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->allocated = count;
    return 0;
}

/* Fills a new array; -1 with an exception. */
static int
array_fill(struct array *self, PyObject *initial)
{
    if (array_reserve(self, initial_size(self, initial)) < 0) {
        return -1;
    }
    if (PyUnicode_Check(initial)) {
        return array_add_text(self, initial);
    }
    if (PyBytes_Check(initial)) {
        return array_add_bytes(self, PyBytes_AS_STRING(initial), PyBytes_GET_SIZE(initial));
    }
    if (PyByteArray_Check(initial)) {
        return LOCKED(initial, array_add_bytes(self, PyByteArray_AS_STRING(initial),
                                               PyByteArray_GET_SIZE(initial)));
    }
    if (is_array(self, initial) && ((struct array *)initial)->kind == self->kind) {
        return LOCKED(initial, array_extend_array(self, (struct array *)initial));
    }
    return array_extend_iterable(self, initial);
}

/* Whether such an array can be made of `initial`; false with TypeError. */
static bool
array_accepts(struct array *self, PyObject *initial)
{
    char code = self->kind->code;
    if (is_text(self->kind)) {
        return true;
    }
    if (PyUnicode_Check(initial)) {
        PyErr_Format(PyExc_TypeError,
                     "cannot use a str to initialize an array with typecode '%c'", code);
        return false;
    }
    if (is_array(self, initial) && is_text(((struct array *)initial)->kind)) {
        PyErr_Format(PyExc_TypeError,
                     "cannot use a unicode array to initialize an array with typecode '%c'", code);
        return false;
    }
    return true;
}

static PyObject *
array_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct arrays_state *state = state_of(type);
    if (state == NULL) {
        return NULL;
    }
    bool own_init = type->tp_init == ((PyTypeObject *)state->array_type)->tp_init;
    if (own_init && !bind_no_keywords("array.array", kwargs)) {
        return NULL;
    }
    Py_ssize_t given = PyTuple_GET_SIZE(args);
    if (given < 1 || given > 2) {
        PyErr_Format(PyExc_TypeError, "array() takes at %s %d argument%s (%zd given)",
                     given < 1 ? "least" : "most", given < 1 ? 1 : 2, given < 1 ? "" : "s", given);
        return NULL;
    }
    Py_UCS4 code;
    PyObject *initial = given == 2 ? PyTuple_GET_ITEM(args, 1) : NULL;
    if (!bind_uchar(PyTuple_GET_ITEM(args, 0), "array", "argument 1", &code)
        || PySys_Audit("array.__new__", "CO", (int)code, initial ? initial : Py_None) < 0) {
        return NULL;
    }
    if (code == 'u'
        && PyErr_WarnEx(PyExc_DeprecationWarning, "The 'u' type code is deprecated and will be "
                                                  "removed in Python 3.16", 1) < 0) {
        return NULL;
    }
    const struct kind *kind = kind_of(code);
    if (kind == NULL) {
        PyErr_SetString(PyExc_ValueError, "bad typecode (must be b, B, u, w, h, H, i, I, l, L, q, "
                                          "Q, f or d)");
        return NULL;
    }
    struct array *self = array_make(type, 0, kind);
    if (self != NULL && initial != NULL
        && (!array_accepts(self, initial) || array_fill(self, initial) < 0)) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static int
array_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    return 0;
}

static void
array_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    PyObject_ClearWeakRefs(op);
    PyMem_Free(((struct array *)op)->items);
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- pickling: items in a form that says how they lie in memory ------------------------------- */

static const struct machine_format {
    char size;
    bool is_signed, big, is_float, is_text;
} machine_formats[] = {
    {1, false, false, false, false}, {1, true, false, false, false},
    {2, false, false, false, false}, {2, false, true, false, false},
    {2, true, false, false, false},  {2, true, true, false, false},
    {4, false, false, false, false}, {4, false, true, false, false},
    {4, true, false, false, false},  {4, true, true, false, false},
    {8, false, false, false, false}, {8, false, true, false, false},
    {8, true, false, false, false},  {8, true, true, false, false},
    {4, false, false, true, false},  {4, false, true, true, false},
    {8, false, false, true, false},  {8, false, true, true, false},
    {2, false, false, false, true},  {2, false, true, false, true},
    {4, false, false, false, true},  {4, false, true, false, true},
};

/* The number of the format that this machine has for a kind. */
static int
machine_format_of(const struct kind *kind)
{
    for (int i = 0; i < (int)Py_ARRAY_LENGTH(machine_formats); i++) {
        const struct machine_format *format = &machine_formats[i];
        bool is_float = !kind->is_integer && !is_text(kind);
        if (format->size == kind->size && format->is_float == is_float
            && format->is_text == is_text(kind) && format->is_signed == kind->is_signed
            && (format->size == 1 || format->big == (PY_BIG_ENDIAN != 0))) {
            return i;
        }
    }
    return -1;
}

static PyObject *
array_reduce_ex(struct array *self, PyTypeObject *cls, PyObject *protocol)
{
    if (!PyLong_Check(protocol)) {
        PyErr_SetString(PyExc_TypeError, "__reduce_ex__ argument should be an integer");
        return NULL;
    }
    long version = PyLong_AsLong(protocol);
    if (version == -1 && PyErr_Occurred()) {
        return NULL;
    }
    PyObject *dict;
    if (PyObject_GetOptionalAttrString((PyObject *)self, "__dict__", &dict) < 0) {
        return NULL;
    }
    dict = dict ? dict : Py_NewRef(Py_None);
    int format = machine_format_of(self->kind);
    if (format < 0 || version < 3) {
        PyObject *list = LOCKED(self, array_tolist(self));
        return list ? Py_BuildValue("O(CN)N", Py_TYPE(self), self->kind->code, list, dict)
                    : (Py_DECREF(dict), NULL);
    }
    PyObject *module = PyType_GetModule(cls);
    PyObject *function = module ? PyObject_GetAttrString(module, "_array_reconstructor") : NULL;
    PyObject *bytes = function ? LOCKED(self, array_tobytes(self)) : NULL;
    if (bytes == NULL) {
        Py_XDECREF(function);
        Py_DECREF(dict);
        return NULL;
    }
    return Py_BuildValue("N(OCiN)N", function, Py_TYPE(self), self->kind->code, format, bytes,
                         dict);
}

/* One item in a foreign format. */
static PyObject *
foreign_item(const struct machine_format *format, const char *at)
{
    if (format->is_float) {
        double value = format->size == 4 ? PyFloat_Unpack4(at, !format->big)
                                         : PyFloat_Unpack8(at, !format->big);
        return value == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
    }
    int order = format->big ? Py_ASNATIVEBYTES_BIG_ENDIAN : Py_ASNATIVEBYTES_LITTLE_ENDIAN;
    return format->is_signed ? PyLong_FromNativeBytes(at, (size_t)format->size, order)
                             : PyLong_FromUnsignedNativeBytes(at, (size_t)format->size, order);
}

/* All items in a foreign format: a str or a list. */
static PyObject *
foreign_items(const struct machine_format *format, const char *at, Py_ssize_t length)
{
    int order = format->big ? 1 : -1;
    if (format->is_text) {
        return format->size == 2 ? PyUnicode_DecodeUTF16(at, length, "strict", &order)
                                 : PyUnicode_DecodeUTF32(at, length, "strict", &order);
    }
    Py_ssize_t count = length / format->size;
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list != NULL && i < count; i++) {
        PyObject *item = foreign_item(format, at + i * format->size);
        if (item == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, item);
    }
    return list;
}

static PyObject *
arrays_array_reconstructor(PyObject *module, PyObject *type, Py_UCS4 code, int number,
                           PyObject *items)
{
    struct arrays_state *state = PyModule_GetState(module);
    PyTypeObject *array_type = (PyTypeObject *)state->array_type;
    if (!PyType_Check(type)) {
        PyErr_Format(PyExc_TypeError, "first argument must be a type object, not %.200s",
                     Py_TYPE(type)->tp_name);
        return NULL;
    }
    if (!PyType_IsSubtype((PyTypeObject *)type, array_type)) {
        PyErr_Format(PyExc_TypeError, "%.200s is not a subtype of %.200s",
                     ((PyTypeObject *)type)->tp_name, array_type->tp_name);
        return NULL;
    }
    const struct kind *kind = kind_of(code);
    if (kind == NULL) {
        PyErr_SetString(PyExc_ValueError, "second argument must be a valid type code");
        return NULL;
    }
    if (number < 0 || number >= (int)Py_ARRAY_LENGTH(machine_formats)) {
        PyErr_SetString(PyExc_ValueError,
                        "third argument must be a valid machine format code.");
        return NULL;
    }
    if (!PyBytes_Check(items)) {
        PyErr_Format(PyExc_TypeError, "fourth argument should be bytes, not %.200s",
                     Py_TYPE(items)->tp_name);
        return NULL;
    }
    const struct machine_format *format = &machine_formats[number];
    PyObject *values;
    if (number == machine_format_of(kind)) {
        values = Py_NewRef(items);
    } else {
        if (PyBytes_GET_SIZE(items) % format->size != 0) {
            PyErr_SetString(PyExc_ValueError, "bytes length not a multiple of item size");
            return NULL;
        }
        values = foreign_items(format, PyBytes_AS_STRING(items), PyBytes_GET_SIZE(items));
        /* The code may have had another size where it came from: take one of that size. */
        for (size_t i = 0; i < Py_ARRAY_LENGTH(kinds) && !format->is_float && !format->is_text;
             i++) {
            if (kinds[i].is_integer && kinds[i].size == format->size
                && kinds[i].is_signed == format->is_signed) {
                code = (Py_UCS4)kinds[i].code;
            }
        }
    }
    PyObject *made = values ? PyObject_CallFunction(type, "CN", (int)code, values) : NULL;
    return made;
}

/* ---- iterators ------------------------------------------------------------------------------ */

static PyObject *
array_iter(PyObject *op)
{
    struct arrays_state *state = state_of(Py_TYPE(op));
    struct arrayiterator *it = state ? type_make((PyTypeObject *)state->iterator_type) : NULL;
    if (it != NULL) {
        it->array = (struct array *)Py_NewRef(op);
        it->get = ((struct array *)op)->kind->get;
    }
    return (PyObject *)it;
}

static PyObject *
arrayiterator_step(struct arrayiterator *self, struct array *array)
{
    return self->index < Py_SIZE(array) ? self->get(item_at(array, self->index++)) : NULL;
}

static PyObject *
arrayiterator_next_locked(struct arrayiterator *self)
{
    if (self->array == NULL) {
        return NULL;
    }
    struct array *array = self->array;
    PyObject *item = LOCKED(array, arrayiterator_step(self, array));
    if (item == NULL && !PyErr_Occurred()) {
        self->array = NULL;
        Py_DECREF(array);
    }
    return item;
}

static PyObject *
arrayiterator_next(PyObject *op)
{
    return LOCKED(op, arrayiterator_next_locked((struct arrayiterator *)op));
}

static PyObject *
arrayiterator_reduce(struct arrayiterator *self)
{
    PyObject *builtins = PyEval_GetBuiltins();
    PyObject *iter = builtins ? PyDict_GetItemString(builtins, "iter") : NULL;
    if (iter == NULL) {
        return NULL;
    }
    return self->array == NULL ? Py_BuildValue("O(())", iter)
                               : Py_BuildValue("O(O)n", iter, self->array, self->index);
}

static int
arrayiterator_setstate(struct arrayiterator *self, PyObject *state)
{
    Py_ssize_t index = PyLong_AsSsize_t(state);
    if (index == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (self->array != NULL) {
        Py_ssize_t size = array_length((PyObject *)self->array);
        self->index = index < 0 ? 0 : Py_MIN(index, size);
    }
    return 0;
}

GC_OBJECT(arrayiterator, array)

static PyType_Slot arrayiterator_slots[] = {
    GC_SLOTS(arrayiterator), {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, arrayiterator_next}, {Py_tp_methods, arrayiterator_methods}, {0, NULL},
};

static PyType_Spec arrayiterator_spec = {
    "array.arrayiterator", sizeof(struct arrayiterator), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION
        | Py_TPFLAGS_IMMUTABLETYPE,
    arrayiterator_slots,
};

/* ---- the type and the module ---------------------------------------------------------------- */

static PyMemberDef array_hidden_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct array, weaklist), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static const char array_about[] =
    "array(typecode [, initializer]) -> array\n\n"
    "A list-like array whose items all have the C type that the code says, filled from an\n"
    "iterable, from bytes as they lie in memory, or, for characters, from a str.\n\n"
    "  b, B  signed and unsigned char       q, Q  long long\n"
    "  h, H  short                          f     float\n"
    "  i, I  int                            d     double\n"
    "  l, L  long                           w     a character (u: deprecated)";

static PyType_Slot array_slots[] = {
    {Py_tp_dealloc, array_dealloc},
    {Py_tp_traverse, array_traverse},
    {Py_tp_repr, array_repr},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_doc, (void *)array_about},
    {Py_tp_richcompare, array_compare},
    {Py_tp_iter, array_iter},
    {Py_tp_methods, array_methods},
    {Py_tp_members, array_hidden_members},
    {Py_tp_getset, array_getset},
    {Py_tp_new, array_new},
    {Py_sq_length, array_length},
    {Py_sq_concat, array_concat},
    {Py_sq_repeat, array_repeat},
    {Py_sq_item, array_item},
    {Py_sq_ass_item, array_assign},
    {Py_sq_contains, array_contains},
    {Py_sq_inplace_concat, array_inplace_concat},
    {Py_sq_inplace_repeat, array_inplace_repeat},
    {Py_mp_length, array_length},
    {Py_mp_subscript, array_subscript},
    {Py_mp_ass_subscript, array_subscript_assign},
    {Py_bf_getbuffer, array_getbuffer},
    {Py_bf_releasebuffer, array_releasebuffer},
    {0, NULL},
};

static PyType_Spec array_spec = {
    "array.array", sizeof(struct array), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC
        | Py_TPFLAGS_SEQUENCE,
    array_slots,
};

/* Arrays are mutable sequences to collections.abc. */
static int
register_as_sequence(PyObject *type)
{
    PyObject *abc = PyImport_ImportModule("collections.abc");
    PyObject *sequence = abc ? PyObject_GetAttrString(abc, "MutableSequence") : NULL;
    PyObject *result = sequence ? PyObject_CallMethod(sequence, "register", "O", type) : NULL;
    Py_XDECREF(abc);
    Py_XDECREF(sequence);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static int
arrays_exec(PyObject *module)
{
    struct arrays_state *state = PyModule_GetState(module);
    char codes[sizeof kinds / sizeof kinds[0] + 1] = {0};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(kinds); i++) {
        codes[i] = kinds[i].code;
    }
    state->iterator_type = (PyObject *)module_type(module, &arrayiterator_spec, false);
    state->array_type = (PyObject *)module_type(module, &array_spec, true);
    return state->iterator_type == NULL || state->array_type == NULL
                   || PyModule_AddObjectRef(module, "ArrayType", state->array_type) < 0
                   || register_as_sequence(state->array_type) < 0
                   || PyModule_AddStringConstant(module, "typecodes", codes) < 0
               ? -1 : 0;
}

STATE_OBJECTS(arrays)

static PyModuleDef_Slot arrays_slots[] = MODULE_SLOTS(arrays_exec);

static PyModuleDef arrays_module = {
    PyModuleDef_HEAD_INIT, .m_name = "array", .m_doc = arrays_doc, .m_methods = arrays_methods,
    .m_slots = arrays_slots, STATE_FIELDS(arrays),
};

MODULE_INIT(array, arrays_module)
