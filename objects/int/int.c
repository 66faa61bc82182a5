/*
 * int: making ints, and the type with its methods and slots.
 */
#include "objects/int.h"
#include "objects/birth.h"
#include "objects/dict.h"
#include "objects/float.h"
#include "objects/object.h"
#include "objects/str.h"
#include "objects/tuple.h"

/* ---- the small ones -------------------------------------------------------------------------- */

#define SMALL(v)                                                                                   \
    {                                                                                              \
        .ob_base = PyObject_HEAD_INIT(&PyLong_Type).long_value = {                                 \
            .lv_tag = (v) == 0 ? INT_ZERO                                                          \
                               : 1 << INT_SIZE_SHIFT | ((v) < 0 ? INT_NEGATIVE : INT_POSITIVE),    \
            .ob_digit = {(v) < 0 ? -(v) : (v)},                                                    \
        },                                                                                         \
    }
#define SMALL_4(v) SMALL(v), SMALL((v) + 1), SMALL((v) + 2), SMALL((v) + 3)
#define SMALL_16(v) SMALL_4(v), SMALL_4((v) + 4), SMALL_4((v) + 8), SMALL_4((v) + 12)
#define SMALL_64(v) SMALL_16(v), SMALL_16((v) + 16), SMALL_16((v) + 32), SMALL_16((v) + 48)

PyLongObject int_small_table[INT_SMALL_MAX - INT_SMALL_MIN + 1] = {
    SMALL(-5), SMALL_4(-4), SMALL_64(0), SMALL_64(64), SMALL_64(128), SMALL_64(192), SMALL(256),
};

/* ---- making ---------------------------------------------------------------------------------- */

static inline uintptr_t tag_of(Py_ssize_t ndigits, bool negative)
{
    return (uintptr_t)ndigits << INT_SIZE_SHIFT | (negative ? INT_NEGATIVE : INT_POSITIVE);
}

PyLongObject *int_alloc(Py_ssize_t ndigits)
{
    if ((size_t)ndigits > (PY_SSIZE_T_MAX - sizeof(PyLongObject)) / sizeof(digit)) {
        PyErr_SetString(PyExc_OverflowError, "too many digits in integer");
        return NULL;
    }
    PyLongObject *v = (PyLongObject *)object_new_raw(&PyLong_Type, ndigits == 0 ? 1 : ndigits);
    if (v != NULL) {
        v->long_value.lv_tag = tag_of(ndigits, false);
        v->long_value.ob_digit[0] = 0;
    }
    return v;
}

static inline PyLongObject *few_digits(Py_ssize_t n)
{
    return (PyLongObject *)birth_of_atom(&PyLong_Type, offsetof(PyLongObject, long_value.ob_digit)
                                                           + (size_t)n * sizeof(digit));
}

static PyObject *one_digit(digit d, bool negative)
{
    PyLongObject *v = few_digits(1);
    if (v != NULL) {
        v->long_value.lv_tag = tag_of(1, negative);
        v->long_value.ob_digit[0] = d;
    }
    return (PyObject *)v;
}

static PyObject *from_magnitude(uint64_t magnitude, bool negative)
{
    if (magnitude < INT_BASE) {
        return one_digit((digit)magnitude, negative);
    }
    Py_ssize_t n = magnitude >> (2 * INT_SHIFT) ? 3 : 2;
    PyLongObject *v = few_digits(n);
    if (v != NULL) {
        v->long_value.lv_tag = tag_of(n, negative);
        digit *d = v->long_value.ob_digit;
        d[0] = (digit)(magnitude & INT_MASK);
        d[1] = (digit)(magnitude >> INT_SHIFT & INT_MASK);
        if (n == 3) {
            d[2] = (digit)(magnitude >> (2 * INT_SHIFT));
        }
    }
    return (PyObject *)v;
}

/* Apart, so that small ones cost nothing but the question. */
static NOINLINE PyObject *from_larger_i64(int64_t value)
{
    return from_magnitude(value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0);
}

PyObject *int_from_i64(int64_t value)
{
    if (int_is_small_value(value)) {
        return int_small((int)value);
    }
    return from_larger_i64(value);
}

PyObject *int_from_u64(uint64_t value)
{
    return value <= INT_SMALL_MAX ? int_small((int)value) : from_magnitude(value, false);
}

PyObject *int_from_i128(__int128 value)
{
    if (value >= INT64_MIN && value <= INT64_MAX) {
        return int_from_i64((int64_t)value);
    }
    unsigned __int128 magnitude = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    PyLongObject *v = int_alloc(5);
    if (v == NULL) {
        return NULL;
    }
    for (int i = 0; i < 5; i++) {
        v->long_value.ob_digit[i] = (digit)(magnitude & INT_MASK);
        magnitude >>= INT_SHIFT;
    }
    return int_normalized(v, 5, value < 0);
}

PyObject *int_normalized(PyLongObject *v, Py_ssize_t ndigits, bool negative)
{
    const digit *d = v->long_value.ob_digit;
    while (ndigits > 0 && d[ndigits - 1] == 0) {
        ndigits--;
    }
    if (ndigits <= 1) {
        int64_t value = ndigits == 0 ? 0 : negative ? -(int64_t)d[0] : (int64_t)d[0];
        if (int_is_small_value(value)) {
            Py_DECREF(v);
            return int_small((int)value);
        }
    }
    v->long_value.lv_tag = tag_of(ndigits, negative);
    return (PyObject *)v;
}

/* ---- slots ----------------------------------------------------------------------------------- */

#define BOTH_INTS(a, b)                                                                            \
    if (!PyLong_Check(a) || !PyLong_Check(b)) {                                                    \
        Py_RETURN_NOTIMPLEMENTED;                                                                  \
    }

#define BINARY_SLOT(NAME, FUNCTION)                                                                \
    static PyObject *NAME(PyObject *a, PyObject *b)                                                \
    {                                                                                              \
        BOTH_INTS(a, b)                                                                            \
        return FUNCTION((PyLongObject *)a, (PyLongObject *)b);                                     \
    }

BINARY_SLOT(slot_add, int_add)
BINARY_SLOT(slot_subtract, int_subtract)
BINARY_SLOT(slot_multiply, int_multiply)
BINARY_SLOT(slot_floor_divide, int_floor_divide)
BINARY_SLOT(slot_modulo, int_modulo)
BINARY_SLOT(slot_true_divide, int_true_divide)
BINARY_SLOT(slot_left_shift, int_left_shift)
BINARY_SLOT(slot_right_shift, int_right_shift)
BINARY_SLOT(slot_and, int_and)
BINARY_SLOT(slot_or, int_or)
BINARY_SLOT(slot_xor, int_xor)

static PyObject *slot_divmod(PyObject *a, PyObject *b)
{
    BOTH_INTS(a, b)
    PyObject *q, *r;
    if (int_divmod((PyLongObject *)a, (PyLongObject *)b, &q, &r) < 0) {
        return NULL;
    }
    return tuple_pair_steal(q, r);
}

static PyObject *slot_negative(PyObject *v)
{
    return int_negate((PyLongObject *)v);
}

static PyObject *slot_absolute(PyObject *v)
{
    return int_absolute((PyLongObject *)v);
}

static PyObject *slot_invert(PyObject *v)
{
    return int_invert((PyLongObject *)v);
}

static int slot_bool(PyObject *v)
{
    return !int_is_zero((PyLongObject *)v);
}

/* The int itself, as an exact one. */
static PyObject *slot_int(PyObject *v)
{
    return PyLong_CheckExact(v) ? Py_NewRef(v) : _PyLong_Copy((PyLongObject *)v);
}

static PyObject *slot_float(PyObject *v)
{
    double value = PyLong_AsDouble(v);
    return value == -1.0 && PyErr_Occurred() ? NULL : float_new(value);
}

static PyObject *slot_repr(PyObject *v)
{
    return int_to_str((PyLongObject *)v, 10, false);
}

static Py_hash_t slot_hash(PyObject *v)
{
    return int_hash((PyLongObject *)v);
}

static PyObject *slot_richcompare(PyObject *a, PyObject *b, int operation)
{
    BOTH_INTS(a, b)
    int order = a == b ? 0 : int_compare((PyLongObject *)a, (PyLongObject *)b);
    Py_RETURN_RICHCOMPARE(order, 0, operation);
}

static void slot_dealloc(PyObject *op)
{
    /* Code that counts plainly may bring the small ones to zero. */
    if (int_is_small_object(op)) {
        object_make_immortal(op);
        return;
    }
    if (PyLong_CheckExact(op)) {
        slab_free(op);
    } else {
        Py_TYPE(op)->tp_free(op);
    }
}

/* ---- int() ----------------------------------------------------------------------------------- */

PyObject *int_from_bytes_text(PyObject *original, const char *text, Py_ssize_t length, int base);

static PyObject *from_text_object(PyObject *op, int base)
{
    if (PyUnicode_Check(op)) {
        return PyLong_FromUnicodeObject(op, base);
    }
    if (PyBytes_Check(op)) {
        return int_from_bytes_text(op, PyBytes_AS_STRING(op), PyBytes_GET_SIZE(op), base);
    }
    if (PyByteArray_Check(op)) {
        return int_from_bytes_text(op, PyByteArray_AS_STRING(op), PyByteArray_GET_SIZE(op), base);
    }
    return NULL;
}

/* Text in any buffer. NULL without an exception when op has no buffer. */
static PyObject *from_buffer_object(PyObject *op)
{
    Py_buffer view;
    if (!PyObject_CheckBuffer(op)) {
        return NULL;
    }
    if (PyObject_GetBuffer(op, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        return NULL;
    }
    /* The text needs a zero behind it. */
    PyObject *bytes = PyBytes_FromStringAndSize(view.buf, view.len);
    PyBuffer_Release(&view);
    if (bytes == NULL) {
        return NULL;
    }
    PyObject *value =
        int_from_bytes_text(bytes, PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), 10);
    Py_DECREF(bytes);
    return value;
}

/* What __int__ returned, as an exact int. Steals it. */
static PyObject *exact_result(PyObject *result, const char *method)
{
    if (result == NULL || PyLong_CheckExact(result)) {
        return result;
    }
    if (!PyLong_Check(result)) {
        PyErr_Format(PyExc_TypeError, "%s returned non-int (type %.200s)", method,
                     Py_TYPE(result)->tp_name);
        Py_DECREF(result);
        return NULL;
    }
    if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                         "%s returned non-int (type %.200s).  The ability to return an instance "
                         "of a strict subclass of int is deprecated, and may not be supported in "
                         "a future version of Python.",
                         method, Py_TYPE(result)->tp_name)
        < 0) {
        Py_DECREF(result);
        return NULL;
    }
    Py_SETREF(result, _PyLong_Copy((PyLongObject *)result));
    return result;
}

static PyObject *from_trunc(PyObject *trunc)
{
    if (PyErr_WarnEx(PyExc_DeprecationWarning,
                     "The delegation of int() to __trunc__ is deprecated.", 1)
        < 0) {
        Py_DECREF(trunc);
        return NULL;
    }
    PyObject *result = PyObject_CallNoArgs(trunc);
    Py_DECREF(trunc);
    if (result == NULL || PyLong_CheckExact(result)) {
        return result;
    }
    if (PyLong_Check(result)) {
        Py_SETREF(result, _PyLong_Copy((PyLongObject *)result));
        return result;
    }
    if (!PyIndex_Check(result)) {
        PyErr_Format(PyExc_TypeError, "__trunc__ returned non-Integral (type %.200s)",
                     Py_TYPE(result)->tp_name);
        Py_DECREF(result);
        return NULL;
    }
    Py_SETREF(result, PyNumber_Index(result));
    return exact_result(result, "__index__");
}

PyObject *int_from_object(PyObject *op)
{
    if (op == NULL) {
        PyErr_SetString(PyExc_SystemError, "null argument to internal routine");
        return NULL;
    }
    if (PyLong_CheckExact(op)) {
        return Py_NewRef(op);
    }
    PyNumberMethods *number = Py_TYPE(op)->tp_as_number;
    if (number != NULL && number->nb_int != NULL) {
        return exact_result(number->nb_int(op), "__int__");
    }
    if (number != NULL && number->nb_index != NULL) {
        PyObject *result = PyNumber_Index(op);
        if (result != NULL && !PyLong_CheckExact(result)) {
            Py_SETREF(result, _PyLong_Copy((PyLongObject *)result));
        }
        return result;
    }
    PyObject *trunc = object_lookup_special(op, ID(__trunc__));
    if (trunc != NULL) {
        return from_trunc(trunc);
    }
    if (PyErr_Occurred()) {
        return NULL;
    }
    PyObject *result = from_text_object(op, 10);
    if (result == NULL && !PyErr_Occurred()) {
        result = from_buffer_object(op);
    }
    if (result == NULL && !PyErr_Occurred()) {
        PyErr_Format(PyExc_TypeError,
                     "int() argument must be a string, a bytes-like object or a real number, not "
                     "'%.200s'",
                     Py_TYPE(op)->tp_name);
    }
    return result;
}

static PyObject *new_exact(PyObject *x, PyObject *base)
{
    if (x == NULL) {
        if (base != NULL) {
            PyErr_SetString(PyExc_TypeError, "int() missing string argument");
            return NULL;
        }
        return int_small(0);
    }
    if (base == NULL) {
        return int_from_object(x);
    }
    Py_ssize_t b = PyNumber_AsSsize_t(base, NULL);
    if (b == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if ((b != 0 && b < 2) || b > 36) {
        PyErr_SetString(PyExc_ValueError, "int() base must be >= 2 and <= 36, or 0");
        return NULL;
    }
    PyObject *result = from_text_object(x, (int)b);
    if (result == NULL && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_TypeError, "int() can't convert non-string with explicit base");
    }
    return result;
}

/* An instance of a subclass with the value of an exact int. */
static PyObject *subtype_new(PyTypeObject *type, PyLongObject *value)
{
    Py_ssize_t n = int_ndigits(value);
    PyLongObject *self = (PyLongObject *)type->tp_alloc(type, n == 0 ? 1 : n);
    if (self != NULL) {
        self->long_value.lv_tag = value->long_value.lv_tag;
        size_t size = (size_t)(n == 0 ? 1 : n) * sizeof(digit);
        memcpy(self->long_value.ob_digit, int_digits(value), size);
    }
    return (PyObject *)self;
}

/* ---- methods --------------------------------------------------------------------------------- */

#include "int.bind.h"

static PyObject *int_new(PyTypeObject *type, PyObject *x, PyObject *base)
{
    PyObject *value = new_exact(x, base);
    if (value == NULL || type == &PyLong_Type) {
        return value;
    }
    PyObject *self = subtype_new(type, (PyLongObject *)value);
    Py_DECREF(value);
    return self;
}

static PyObject *int_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (kwnames != NULL && PyTuple_GET_SIZE(kwnames) != 0) {
        PyObject *self = NULL, *tuple = tuple_from_array(args, nargs);
        PyObject *kwargs = tuple == NULL ? NULL : PyDict_New();
        if (kwargs != NULL && dict_update_from_kwargs(kwargs, kwnames, args + nargs) == 0) {
            self = bind_int_new((PyTypeObject *)type, tuple, kwargs);
        }
        Py_XDECREF(tuple);
        Py_XDECREF(kwargs);
        return self;
    }
    if (!bind_count("int", nargs, 0, 2)) {
        return NULL;
    }
    return new_exact(nargs > 0 ? args[0] : NULL, nargs > 1 ? args[1] : NULL);
}

static PyObject *int_conjugate(PyLongObject *self)
{
    return slot_int((PyObject *)self);
}

static PyObject *int_bit_length_method(PyLongObject *self)
{
    return int_from_u64(int_bit_length(self));
}

static PyObject *int_bit_count(PyLongObject *self)
{
    uint64_t count = 0;
    for (Py_ssize_t i = 0; i < int_ndigits(self); i++) {
        count += (uint64_t)__builtin_popcount(int_digits(self)[i]);
    }
    return int_from_u64(count);
}

static PyObject *int_as_integer_ratio(PyLongObject *self)
{
    PyObject *value = slot_int((PyObject *)self);
    return value == NULL ? NULL : tuple_pair_steal(value, int_small(1));
}

/* 1 for 'little', 0 for 'big', -1 with an exception. */
static int is_little(PyObject *byteorder)
{
    if (byteorder == NULL || str_equal_ascii(byteorder, "big")) {
        return 0;
    }
    if (str_equal_ascii(byteorder, "little")) {
        return 1;
    }
    PyErr_SetString(PyExc_ValueError, "byteorder must be either 'little' or 'big'");
    return -1;
}

static PyObject *int_to_bytes(PyLongObject *self, Py_ssize_t length, PyObject *byteorder,
                              int is_signed)
{
    int little = is_little(byteorder);
    if (little < 0) {
        return NULL;
    }
    if (length < 0) {
        PyErr_SetString(PyExc_ValueError, "length argument must be non-negative");
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, length);
    if (bytes != NULL
        && _PyLong_AsByteArray(self, (unsigned char *)PyBytes_AS_STRING(bytes), (size_t)length,
                               little, is_signed, 1)
               < 0) {
        Py_CLEAR(bytes);
    }
    return bytes;
}

static PyObject *int_from_bytes(PyTypeObject *type, PyObject *bytes_obj, PyObject *byteorder,
                                int is_signed)
{
    int little = is_little(byteorder);
    PyObject *bytes = little < 0 ? NULL : PyObject_Bytes(bytes_obj);
    if (bytes == NULL) {
        return NULL;
    }
    PyObject *value = _PyLong_FromByteArray((unsigned char *)PyBytes_AS_STRING(bytes),
                                            (size_t)PyBytes_GET_SIZE(bytes), little, is_signed);
    Py_DECREF(bytes);
    if (value != NULL && type != &PyLong_Type) {
        Py_SETREF(value, PyObject_CallOneArg((PyObject *)type, value));
    }
    return value;
}

static PyObject *int_trunc(PyLongObject *self)
{
    return slot_int((PyObject *)self);
}

static PyObject *int_floor(PyLongObject *self)
{
    return slot_int((PyObject *)self);
}

static PyObject *int_ceil(PyLongObject *self)
{
    return slot_int((PyObject *)self);
}

/* round(self, -n): self minus the remainder of the nearest multiple of 10**n. */
static PyObject *int_round(PyLongObject *self, PyObject *ndigits)
{
    if (ndigits == NULL) {
        return slot_int((PyObject *)self);
    }
    PyObject *n = PyNumber_Index(ndigits);
    if (n == NULL) {
        return NULL;
    }
    if (!int_is_negative((PyLongObject *)n)) {
        Py_DECREF(n);
        return slot_int((PyObject *)self);
    }
    Py_SETREF(n, int_negate((PyLongObject *)n));
    PyObject *unit = n == NULL ? NULL : int_power(int_small(10), n, Py_None);
    Py_XDECREF(n);
    PyObject *pair = unit == NULL ? NULL : int_divmod_near(self, (PyLongObject *)unit);
    Py_XDECREF(unit);
    if (pair == NULL) {
        return NULL;
    }
    PyObject *result = int_subtract(self, (PyLongObject *)PyTuple_GET_ITEM(pair, 1));
    Py_DECREF(pair);
    return result;
}

static PyObject *int_getnewargs(PyLongObject *self)
{
    PyObject *value = _PyLong_Copy(self);
    return value == NULL ? NULL : tuple_from_array_steal(&value, 1);
}

static PyObject *int_format(PyLongObject *self, PyObject *format_spec)
{
    return format_int((PyObject *)self, format_spec);
}

static Py_ssize_t int_sizeof(PyLongObject *self)
{
    Py_ssize_t n = int_ndigits(self);
    return Py_TYPE(self)->tp_basicsize + (n > 1 ? n : 1) * (Py_ssize_t)sizeof(digit);
}

static int int_is_integer(PyLongObject *Py_UNUSED(self))
{
    return 1;
}

static PyObject *int_get_real(PyLongObject *self)
{
    return slot_int((PyObject *)self);
}

static PyObject *int_get_imag(PyLongObject *Py_UNUSED(self))
{
    return int_small(0);
}

static PyObject *int_get_numerator(PyLongObject *self)
{
    return slot_int((PyObject *)self);
}

static PyObject *int_get_denominator(PyLongObject *Py_UNUSED(self))
{
    return int_small(1);
}

/* ---- the type -------------------------------------------------------------------------------- */

static PyNumberMethods int_as_number = {
    .nb_add = slot_add,
    .nb_subtract = slot_subtract,
    .nb_multiply = slot_multiply,
    .nb_remainder = slot_modulo,
    .nb_divmod = slot_divmod,
    .nb_power = int_power,
    .nb_negative = slot_negative,
    .nb_positive = slot_int,
    .nb_absolute = slot_absolute,
    .nb_bool = slot_bool,
    .nb_invert = slot_invert,
    .nb_lshift = slot_left_shift,
    .nb_rshift = slot_right_shift,
    .nb_and = slot_and,
    .nb_xor = slot_xor,
    .nb_or = slot_or,
    .nb_int = slot_int,
    .nb_float = slot_float,
    .nb_floor_divide = slot_floor_divide,
    .nb_true_divide = slot_true_divide,
    .nb_index = slot_int,
};

PyTypeObject PyLong_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "int",
    .tp_basicsize = offsetof(PyLongObject, long_value.ob_digit),
    .tp_itemsize = sizeof(digit),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_LONG_SUBCLASS
                | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = "int([x]) -> integer\n"
              "int(x, base=10) -> integer\n"
              "\n"
              "An integer of any size: 0, a number cut off towards zero, or what a text says.\n"
              "\n"
              "With a base, 2 to 36 or 0, x must be a str, bytes or bytearray. Base 0 reads x\n"
              "as Python source would be read, with its prefix 0b, 0o or 0x.\n"
              "\n"
              ">>> int('ff', 16)\n"
              "255",
    .tp_dealloc = slot_dealloc,
    .tp_repr = slot_repr,
    .tp_hash = slot_hash,
    .tp_richcompare = slot_richcompare,
    .tp_as_number = &int_as_number,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_methods = int_methods,
    .tp_getset = int_getset,
    .tp_new = bind_int_new,
    .tp_vectorcall = int_vectorcall,
    .tp_free = PyObject_Free,
};

PyTypeObject *const int_types[] = {&PyLong_Type, NULL};
