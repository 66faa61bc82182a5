/*
 * Arithmetic and comparisons beyond two number words: numbers behind pointers are read through, the rest goes
 * to the types' slots.
 */
#include <math.h>

#include "interp/vm/vm.h"
#include "objects/float.h"
#include "objects/key.h"
#include "objects/set.h"
#include "objects/str.h"

static PyObject *power(PyObject *a, PyObject *b)
{
    return PyNumber_Power(a, b, Py_None);
}

static PyObject *inplace_power(PyObject *a, PyObject *b)
{
    return PyNumber_InPlacePower(a, b, Py_None);
}

/* clang-format off */
static PyObject *(*const binary_functions[])(PyObject *, PyObject *) = {
    [ARITH_ADD] = PyNumber_Add, [ARITH_SUBTRACT] = PyNumber_Subtract,
    [ARITH_MULTIPLY] = PyNumber_Multiply, [ARITH_TRUE_DIVIDE] = PyNumber_TrueDivide,
    [ARITH_FLOOR_DIVIDE] = PyNumber_FloorDivide, [ARITH_REMAINDER] = PyNumber_Remainder,
    [ARITH_POWER] = power, [ARITH_LSHIFT] = PyNumber_Lshift, [ARITH_RSHIFT] = PyNumber_Rshift,
    [ARITH_AND] = PyNumber_And, [ARITH_OR] = PyNumber_Or, [ARITH_XOR] = PyNumber_Xor,
    [ARITH_MATRIX_MULTIPLY] = PyNumber_MatrixMultiply,
    [ARITH_IADD] = PyNumber_InPlaceAdd, [ARITH_ISUBTRACT] = PyNumber_InPlaceSubtract,
    [ARITH_IMULTIPLY] = PyNumber_InPlaceMultiply,
    [ARITH_ITRUE_DIVIDE] = PyNumber_InPlaceTrueDivide,
    [ARITH_IFLOOR_DIVIDE] = PyNumber_InPlaceFloorDivide,
    [ARITH_IREMAINDER] = PyNumber_InPlaceRemainder, [ARITH_IPOWER] = inplace_power,
    [ARITH_ILSHIFT] = PyNumber_InPlaceLshift, [ARITH_IRSHIFT] = PyNumber_InPlaceRshift,
    [ARITH_IAND] = PyNumber_InPlaceAnd, [ARITH_IOR] = PyNumber_InPlaceOr,
    [ARITH_IXOR] = PyNumber_InPlaceXor, [ARITH_IMATRIX_MULTIPLY] = PyNumber_InPlaceMatrixMultiply,
};
/* clang-format on */

static inline bool put_double(double d, value_t *result)
{
    if (d != d) {
        return false;
    }
    *result = value_from_double(d);
    return true;
}

static inline bool arith_ints(unsigned kind, value_t x, value_t y, value_t *result)
{
    switch (kind) {
    case ARITH_ADD:
        return value_add(x, y, result);
    case ARITH_SUBTRACT:
        return value_subtract(x, y, result);
    case ARITH_MULTIPLY:
        return value_multiply(x, y, result);
    case ARITH_FLOOR_DIVIDE:
        return vm_int_floordiv(x, y, result);
    case ARITH_REMAINDER:
        return vm_int_mod(x, y, result);
    case ARITH_LSHIFT:
        return vm_int_lshift(x, y, result);
    case ARITH_RSHIFT:
        return vm_int_rshift(x, y, result);
    case ARITH_AND:
        *result = x & y;
        return true;
    case ARITH_OR:
        *result = x | y;
        return true;
    case ARITH_XOR:
        *result = (x ^ y) | VALUE_INT_TAG;
        return true;
    case ARITH_TRUE_DIVIDE:
        return value_int(y) != 0 && put_double((double)value_int(x) / (double)value_int(y), result);
    default:
        return false;
    }
}

static inline bool arith_doubles(unsigned kind, double x, double y, value_t *result)
{
    switch (kind) {
    case ARITH_ADD:
        return put_double(x + y, result);
    case ARITH_SUBTRACT:
        return put_double(x - y, result);
    case ARITH_MULTIPLY:
        return put_double(x * y, result);
    case ARITH_TRUE_DIVIDE:
        return y != 0.0 && put_double(x / y, result);
    case ARITH_FLOOR_DIVIDE:
        return y != 0.0 && put_double(float_floor_divide(x, y), result);
    case ARITH_REMAINDER:
        return y != 0.0 && put_double(float_mod(x, y), result);
    case ARITH_POWER:
        return x >= 0.0 && isfinite(x) && y == 2.0 && isfinite(x * x) && put_double(x * x, result);
    default:
        return false;
    }
}

/* Both words are numbers, or pointers to numbers; false when objects must do it. */
static inline __attribute__((always_inline)) bool arith_numbers(unsigned kind, value_t x, value_t y,
                                                                value_t *result)
{
    if (kind >= ARITH_INPLACE) {
        kind -= ARITH_INPLACE;
    }
    x = value_number_of(x);
    y = value_number_of(y);
    if (value_are_ints(x, y)) {
        return arith_ints(kind, x, y, result);
    }
    if (value_is_number(x) && value_is_number(y)) {
        return arith_doubles(kind, value_as_double(x), value_as_double(y), result);
    }
    return false;
}

/* Two float objects, as the items of lists are. */
ALWAYS_INLINE bool arith_float_objects(unsigned kind, value_t x, value_t y, value_t *result)
{
    if ((kind != ARITH_ADD && kind != ARITH_SUBTRACT && kind != ARITH_MULTIPLY)
        || !value_is_pointer(x) || !value_is_pointer(y) || !PyFloat_CheckExact(value_object(x))
        || !PyFloat_CheckExact(value_object(y))) {
        return false;
    }
    return arith_doubles(kind, PyFloat_AS_DOUBLE(value_object(x)),
                         PyFloat_AS_DOUBLE(value_object(y)), result);
}

static bool arith_objects(unsigned kind, PyObject *x, PyObject *y, value_t *result)
{
    if (x == NULL || y == NULL) {
        return false;
    }
    *result = value_from_owned(binary_functions[kind](x, y));
    return *result != VALUE_NULL;
}

/* s += t, where s is a str nobody else holds: its buffer may grow in place. */
static int append_str(struct frame *fp, unsigned a, unsigned b, unsigned c)
{
    value_t left = fp->r[b];
    PyObject *x = value_object(left), *y = value_object(fp->r[c]);
    unsigned nlocals = fp->body->nlocals;
    if (a == b && value_is_owned(left) && Py_REFCNT(x) == 1) {
        value_t y_word = fp->r[c];
        fp->r[b] = VALUE_NULL;
        if (c == b) {
            fp->r[b] = left;
            return 1;
        }
        if (str_concat_inplace(&x, y) < 0) {
            return -1;
        }
        fp->r[a] = value_from_owned(x);
        if (c >= nlocals) {
            value_release(y_word);
        }
        return 0;
    }
    return 1;
}

/* The value of an int word, or of an exact int of at most two digits. */
static bool read_int64(value_t v, int64_t *value)
{
    if (value_is_int(v)) {
        *value = value_int(v);
        return true;
    }
    if (!value_is_pointer(v) || !PyLong_CheckExact(value_object(v))) {
        return false;
    }
    const PyLongObject *op = (PyLongObject *)value_object(v);
    uintptr_t tag = op->long_value.lv_tag;
    if (tag >> INT_SIZE_SHIFT > 2) {
        return false;
    }
    int64_t magnitude = op->long_value.ob_digit[0];
    if (tag >> INT_SIZE_SHIFT == 2) {
        magnitude |= (int64_t)op->long_value.ob_digit[1] << INT_SHIFT;
    }
    *value = (tag & INT_SIGN_MASK) == INT_NEGATIVE ? -magnitude
             : (tag & INT_SIGN_MASK) == INT_ZERO   ? 0
                                                   : magnitude;
    return true;
}

/* Ints that leave the 48 bits of a word, but not those of a machine word: 1 done, 0 not here, -1. */
static int arith_int64(unsigned kind, value_t x, value_t y, value_t *result)
{
    int64_t a, b, c;
    if (!read_int64(x, &a) || !read_int64(y, &b)) {
        return 0;
    }
    switch (kind >= ARITH_INPLACE ? kind - ARITH_INPLACE : kind) {
    case ARITH_ADD:
        if (__builtin_add_overflow(a, b, &c)) {
            return 0;
        }
        break;
    case ARITH_SUBTRACT:
        if (__builtin_sub_overflow(a, b, &c)) {
            return 0;
        }
        break;
    case ARITH_MULTIPLY:
        if (__builtin_mul_overflow(a, b, &c)) {
            return 0;
        }
        break;
    case ARITH_AND:
        c = a & b;
        break;
    case ARITH_OR:
        c = a | b;
        break;
    case ARITH_XOR:
        c = a ^ b;
        break;
    default:
        return 0;
    }
    *result = value_int_fits(c) ? value_from_int(c) : value_from_owned(PyLong_FromLongLong(c));
    return *result == VALUE_NULL ? -1 : 1;
}

static __attribute__((noinline)) int arith_slow(struct frame *fp, unsigned kind, unsigned a,
                                                unsigned b, unsigned c)
{
    value_t x = fp->r[b], y = fp->r[c], result;
    if ((kind == ARITH_IADD || kind == ARITH_ADD) && value_is_pointer(x) && value_is_pointer(y)
        && PyUnicode_CheckExact(value_object(x)) && PyUnicode_CheckExact(value_object(y))) {
        int done = append_str(fp, a, b, c);
        if (done <= 0) {
            return done;
        }
        PyObject *text = str_concat(value_object(x), value_object(y));
        if (text == NULL) {
            return -1;
        }
        reg_consume(fp, b);
        reg_consume(fp, c);
        reg_put(fp, a, value_from_owned(text));
        return 0;
    }
    int done = arith_int64(kind, x, y, &result);
    if (done < 0
        || (done == 0 && !arith_objects(kind, reg_object(fp, b), reg_object(fp, c), &result))) {
        return -1;
    }
    reg_consume(fp, b);
    reg_consume(fp, c);
    reg_put(fp, a, result);
    return 0;
}

static __attribute__((noinline)) int arith_k_slow(struct frame *fp, unsigned kind, unsigned a,
                                                  unsigned b, unsigned k)
{
    value_t result;
    int done = arith_int64(kind, fp->r[b], fp->body->kwords[k], &result);
    if (done < 0
        || (done == 0 && !arith_objects(kind, reg_object(fp, b), fp->body->consts[k], &result))) {
        return -1;
    }
    reg_consume(fp, b);
    reg_put(fp, a, result);
    return 0;
}

/* Of a kind that strings have, and one: no number. */
static inline bool is_text(unsigned kind, value_t x)
{
    return (kind == ARITH_IADD || kind == ARITH_ADD) && value_is_pointer(x)
           && PyUnicode_CheckExact(value_object(x));
}

#define ARITH_DEFINE(name, KIND)                                                                   \
    int vm_arith_##name(struct frame *fp, unsigned a, unsigned b, unsigned c)                      \
    {                                                                                              \
        value_t result = VALUE_NULL;                                                               \
        if (!arith_float_objects(ARITH_##KIND, fp->r[b], fp->r[c], &result)                        \
            && (is_text(ARITH_##KIND, fp->r[b])                                                    \
                || !arith_numbers(ARITH_##KIND, fp->r[b], fp->r[c], &result))) {                   \
            return arith_slow(fp, ARITH_##KIND, a, b, c);                                          \
        }                                                                                          \
        reg_consume(fp, b);                                                                        \
        reg_consume(fp, c);                                                                        \
        reg_put(fp, a, result);                                                                    \
        return 0;                                                                                  \
    }                                                                                              \
    int vm_arith_k_##name(struct frame *fp, unsigned a, unsigned b, unsigned k)                    \
    {                                                                                              \
        value_t result = VALUE_NULL;                                                               \
        if (!arith_numbers(ARITH_##KIND, fp->r[b], fp->body->kwords[k], &result)) {                \
            return arith_k_slow(fp, ARITH_##KIND, a, b, k);                                        \
        }                                                                                          \
        reg_consume(fp, b);                                                                        \
        reg_put(fp, a, result);                                                                    \
        return 0;                                                                                  \
    }
ARITH_KINDS(ARITH_DEFINE)

int vm_unary(struct frame *fp, enum unary_kind kind, unsigned a, unsigned b)
{
    PyObject *op = reg_object(fp, b);
    if (op == NULL) {
        return -1;
    }
    PyObject *result = kind == UNARY_NEGATIVE   ? PyNumber_Negative(op)
                       : kind == UNARY_POSITIVE ? PyNumber_Positive(op)
                                                : PyNumber_Invert(op);
    if (result == NULL) {
        return -1;
    }
    reg_consume(fp, b);
    reg_put(fp, a, value_from_owned(result));
    return 0;
}

/* ---- comparisons ----------------------------------------------------------------------------- */

#define COMPARE(op, x, y)                                                                          \
    ((op) == Py_LT   ? (x) < (y)                                                                   \
     : (op) == Py_LE ? (x) <= (y)                                                                  \
     : (op) == Py_EQ ? (x) == (y)                                                                  \
     : (op) == Py_NE ? (x) != (y)                                                                  \
     : (op) == Py_GT ? (x) > (y)                                                                   \
                     : (x) >= (y))

/* 1 or 0; -1: objects must compare. */
static int compare_numbers(int op, value_t x, value_t y)
{
    x = value_number_of(x);
    y = value_number_of(y);
    if (value_are_ints(x, y)) {
        return COMPARE(op, value_int(x), value_int(y));
    }
    if (value_is_number(x) && value_is_number(y)) {
        /* 48-bit ints are exact as doubles. */
        return COMPARE(op, value_as_double(x), value_as_double(y));
    }
    return -1;
}

/* An owned word, or unbound with an exception. */
static value_t compare_objects(int op, PyObject *x, PyObject *y)
{
    if (x == NULL || y == NULL) {
        return VALUE_NULL;
    }
    return value_from_owned(PyObject_RichCompare(x, y, op));
}

/* Of two exact str: 1 or 0; -1: not here. */
static inline int compare_texts(int op, value_t x, value_t y)
{
    if (!value_is_pointer(x) || !value_is_pointer(y)) {
        return -1;
    }
    PyObject *a = value_object(x), *b = value_object(y);
    if (!PyUnicode_CheckExact(a) || !PyUnicode_CheckExact(b)) {
        return -1;
    }
    if (op == Py_EQ || op == Py_NE) {
        bool same = a == b || (!(str_is_interned(a) && str_is_interned(b)) && str_equal(a, b));
        return same == (op == Py_EQ);
    }
    int order = str_compare(a, b);
    return COMPARE(op, order, 0);
}

/* Of numbers and of strings: 1 or 0; -1: objects must compare. */
static inline int compare_plain(int op, value_t x, value_t y)
{
    int truth = compare_texts(op, x, y);
    return truth >= 0 ? truth : compare_numbers(op, x, y);
}

int vm_compare(struct frame *fp, int op, unsigned a, unsigned b, unsigned c)
{
    int truth = compare_plain(op, fp->r[b], fp->r[c]);
    value_t result =
        truth >= 0 ? VALUE_BOOL(truth) : compare_objects(op, reg_object(fp, b), reg_object(fp, c));
    if (result == VALUE_NULL) {
        return -1;
    }
    reg_consume(fp, b);
    reg_consume(fp, c);
    reg_put(fp, a, result);
    return 0;
}

int vm_compare_k(struct frame *fp, int op, unsigned a, unsigned b, unsigned k)
{
    int truth = compare_plain(op, fp->r[b], fp->body->kwords[k]);
    value_t result = truth >= 0 ? VALUE_BOOL(truth)
                                : compare_objects(op, reg_object(fp, b), fp->body->consts[k]);
    if (result == VALUE_NULL) {
        return -1;
    }
    reg_consume(fp, b);
    reg_put(fp, a, result);
    return 0;
}

static int truth_of_result(value_t result)
{
    if (result == VALUE_NULL) {
        return -1;
    }
    int truth = value_truth_fast(result);
    if (truth < 0) {
        truth = PyObject_IsTrue(value_object(result));
    }
    value_release(result);
    return truth;
}

int vm_compare_test(struct frame *fp, int op, unsigned b, unsigned c)
{
    int truth = compare_plain(op, fp->r[b], fp->r[c]);
    if (truth < 0) {
        truth = truth_of_result(compare_objects(op, reg_object(fp, b), reg_object(fp, c)));
        if (truth < 0) {
            return -1;
        }
    }
    reg_consume(fp, b);
    reg_consume(fp, c);
    return truth;
}

int vm_compare_test_k(struct frame *fp, int op, unsigned b, unsigned k)
{
    int truth = compare_plain(op, fp->r[b], fp->body->kwords[k]);
    if (truth < 0) {
        truth = truth_of_result(compare_objects(op, reg_object(fp, b), fp->body->consts[k]));
        if (truth < 0) {
            return -1;
        }
    }
    reg_consume(fp, b);
    return truth;
}

int vm_contains(struct frame *fp, unsigned b, unsigned c)
{
    PyObject *item = reg_object(fp, b), *container = reg_object(fp, c);
    if (item == NULL || container == NULL) {
        return -1;
    }
    PyTypeObject *type = Py_TYPE(container);
    int truth;
    if (type == &PyDict_Type) {
        Py_hash_t hash = key_hash(item);
        truth = hash == -1 ? -1 : dict_contains(container, item, hash);
    } else if (type == &PySet_Type && (PyUnicode_CheckExact(item) || PyLong_CheckExact(item))) {
        truth = set_contains_key(container, item, key_hash(item)); /* others may be sets */
    } else {
        truth = PySequence_Contains(container, item);
    }
    if (truth >= 0) {
        reg_consume(fp, b);
        reg_consume(fp, c);
    }
    return truth;
}

int vm_is(value_t a, value_t b)
{
    if ((a | VALUE_UNCOUNTED) == (b | VALUE_UNCOUNTED) && value_is_pointer(a)
        && value_is_pointer(b)) {
        return 1;
    }
    if (value_is_number(a) || value_is_number(b)) {
        /* A number has no identity of its own yet: its value is it. */
        return value_number_of(a) == value_number_of(b);
    }
    return 0;
}

int vm_truth(struct frame *fp, unsigned s, bool keep)
{
    int truth = PyObject_IsTrue(value_object(fp->r[s]));
    if (truth >= 0 && !keep) {
        reg_consume(fp, s);
    }
    return truth;
}
