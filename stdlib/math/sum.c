/* math: sums that lose nothing on the way. */
#include "math/math.h"

/* ---- two numbers for one -------------------------------------------------------------------- */

struct pair {
    double high, low; /* high + low is the exact value */
};

static inline struct pair add_exactly(double a, double b)
{
    double sum = a + b, b_part = sum - a;
    return (struct pair){sum, (a - (sum - b_part)) + (b - b_part)};
}

static inline struct pair multiply_exactly(double a, double b)
{
    double product = a * b;
    return (struct pair){product, fma(a, b, -product)};
}

/* ---- fsum ----------------------------------------------------------------------------------- */

/* Partial sums of growing magnitude that do not overlap: their exact sum is the sum so far. */
struct partials {
    double *item;
    double space[32];
    Py_ssize_t count, capacity;
    double special;  /* sum of the infinities and NaNs that were added */
    double infinite; /* sum of the infinities alone */
};

static bool partials_grow(struct partials *p)
{
    double *larger = PyMem_New(double, p->capacity * 2);
    if (larger == NULL) {
        PyErr_SetString(PyExc_MemoryError, "math.fsum partials");
        return false;
    }
    memcpy(larger, p->item, sizeof *larger * (size_t)p->count);
    if (p->item != p->space) {
        PyMem_Free(p->item);
    }
    p->item = larger;
    p->capacity *= 2;
    return true;
}

static bool partials_add(struct partials *p, double x)
{
    double given = x;
    Py_ssize_t kept = 0;
    for (Py_ssize_t i = 0; i < p->count; i++) {
        struct pair sum = add_exactly(x, p->item[i]);
        if (sum.low != 0.0) {
            p->item[kept++] = sum.low;
        }
        x = sum.high;
    }
    p->count = kept;
    if (x == 0.0) {
        return true;
    }
    if (!isfinite(x)) {
        if (isfinite(given)) {
            PyErr_SetString(PyExc_OverflowError, "intermediate overflow in fsum");
            return false;
        }
        p->infinite += isinf(given) ? given : 0.0;
        p->special += given;
        p->count = 0;
        return true;
    }
    if (p->count >= p->capacity && !partials_grow(p)) {
        return false;
    }
    p->item[p->count++] = x;
    return true;
}

/* The exact sum, rounded once, half to even. */
static double partials_round(const struct partials *p)
{
    Py_ssize_t n = p->count;
    if (n == 0) {
        return 0.0;
    }
    struct pair sum = {p->item[--n], 0.0};
    while (n > 0 && sum.low == 0.0) {
        sum = add_exactly(sum.high, p->item[--n]);
    }
    /* What is left of it is exactly half a unit, and more of the same sign follows: go there. */
    if (n > 0 && sum.low != 0.0 && (sum.low < 0.0) == (p->item[n - 1] < 0.0)) {
        double doubled = sum.low * 2.0, up = sum.high + doubled;
        if (doubled == up - sum.high) {
            return up;
        }
    }
    return sum.high;
}

static bool partials_add_all(struct partials *p, PyObject *it)
{
    PyObject *item;
    while ((item = iter_next(it)) != NULL) {
        double x;
        bool added = bind_double(item, &x) && partials_add(p, x);
        Py_DECREF(item);
        if (!added || PyErr_CheckSignals() < 0) {
            return false;
        }
    }
    return iter_ended();
}

PyObject *sum_floats(PyObject *seq)
{
    PyObject *it = PyObject_GetIter(seq);
    if (it == NULL) {
        return NULL;
    }
    struct partials p = {.capacity = 32};
    p.item = p.space;
    PyObject *result = NULL;
    if (partials_add_all(&p, it)) {
        if (p.special == 0.0) {
            result = PyFloat_FromDouble(partials_round(&p));
        } else if (isnan(p.infinite)) {
            PyErr_SetString(PyExc_ValueError, "-inf + inf in fsum");
        } else {
            result = PyFloat_FromDouble(p.special);
        }
    }
    Py_DECREF(it);
    if (p.item != p.space) {
        PyMem_Free(p.item);
    }
    return result;
}

/* ---- sumprod -------------------------------------------------------------------------------- */

/* A sum of products: of ints in a word as long as they fit, then of floats (three doubles that
 * add up to it), then of objects.  Each stage is left for good, as adding is not associative. */
struct dot {
    enum { DOT_WHOLE, DOT_REAL, DOT_OBJECT } stage;
    bool used;       /* this stage has taken products */
    PyObject *total; /* what earlier stages gave */
    long whole;
    double high, middle, low;
};

/* Adds a new reference to the total; false on error. */
static bool dot_add_object(struct dot *dot, PyObject *part)
{
    PyObject *sum = part ? PyNumber_Add(dot->total, part) : NULL;
    Py_XDECREF(part);
    if (sum == NULL) {
        return false;
    }
    Py_SETREF(dot->total, sum);
    return true;
}

/* Adds what this stage holds to the total and goes on to the next. */
static bool dot_advance(struct dot *dot)
{
    bool real = dot->stage == DOT_REAL, used = dot->used;
    dot->stage = real ? DOT_OBJECT : DOT_REAL;
    dot->used = false;
    if (!used) {
        return true;
    }
    struct pair last = add_exactly(dot->middle, dot->high);
    return dot_add_object(dot, real ? PyFloat_FromDouble(dot->low + last.low + last.high)
                                    : PyLong_FromLong(dot->whole));
}

static inline void dot_add_real(struct dot *dot, double a, double b)
{
    struct pair product = multiply_exactly(a, b);
    struct pair sum = add_exactly(dot->high, product.high);
    struct pair rest = add_exactly(dot->middle, product.low);
    struct pair carry = add_exactly(rest.high, sum.low);
    dot->high = sum.high;
    dot->middle = carry.high;
    dot->low += rest.low + carry.low;
}

static inline bool dot_try_whole(struct dot *dot, PyObject *p, PyObject *q)
{
    if (!PyLong_CheckExact(p) || !PyLong_CheckExact(q)) {
        return false;
    }
    int p_over, q_over;
    long a = PyLong_AsLongAndOverflow(p, &p_over), b = PyLong_AsLongAndOverflow(q, &q_over), c;
    if (p_over || q_over || __builtin_mul_overflow(a, b, &c)
        || __builtin_add_overflow(dot->whole, c, &c)) {
        return false;
    }
    dot->whole = c;
    return true;
}

/* The value of an exact float, or of an int that a double holds. */
static inline bool as_real(PyObject *item, double *out)
{
    if (PyFloat_CheckExact(item)) {
        *out = PyFloat_AS_DOUBLE(item);
        return true;
    }
    if (PyLong_CheckExact(item) || PyBool_Check(item)) {
        *out = PyLong_AsDouble(item);
        if (*out == -1.0 && PyErr_Occurred()) {
            PyErr_Clear();
            return false;
        }
        return true;
    }
    return false;
}

static inline bool dot_try_real(struct dot *dot, PyObject *p, PyObject *q)
{
    double a, b;
    if ((!PyFloat_CheckExact(p) && !PyFloat_CheckExact(q)) || !as_real(p, &a) || !as_real(q, &b)) {
        return false;
    }
    struct dot before = *dot;
    dot_add_real(dot, a, b);
    if (!isfinite(dot->high)) {
        *dot = before; /* infinities and NaNs go their plain way */
        return false;
    }
    return true;
}

static bool dot_add(struct dot *dot, PyObject *p, PyObject *q)
{
    while (dot->stage != DOT_OBJECT) {
        if (dot->stage == DOT_WHOLE ? dot_try_whole(dot, p, q) : dot_try_real(dot, p, q)) {
            dot->used = true;
            return true;
        }
        if (!dot_advance(dot)) {
            return false;
        }
    }
    return dot_add_object(dot, PyNumber_Multiply(p, q));
}

static bool dot_finish(struct dot *dot)
{
    return dot->stage == DOT_OBJECT || dot_advance(dot);
}

PyObject *sum_products(PyObject *p, PyObject *q)
{
    PyObject *p_it = PyObject_GetIter(p), *q_it = p_it ? PyObject_GetIter(q) : NULL;
    struct dot dot = {.total = q_it ? PyLong_FromLong(0) : NULL};
    bool going = dot.total != NULL;
    while (going) {
        PyObject *a = iter_next(p_it);
        bool fine = a != NULL || iter_ended();
        PyObject *b = fine ? iter_next(q_it) : NULL;
        fine = fine && (b != NULL || iter_ended());
        going = a != NULL && b != NULL;
        if (fine && going) {
            fine = dot_add(&dot, a, b) && PyErr_CheckSignals() == 0;
        } else if (fine && (a != NULL || b != NULL)) {
            PyErr_SetString(PyExc_ValueError, "Inputs are not the same length");
            fine = false;
        }
        Py_XDECREF(a);
        Py_XDECREF(b);
        if (!fine || (!going && !dot_finish(&dot))) {
            Py_CLEAR(dot.total);
            break;
        }
    }
    Py_XDECREF(p_it);
    Py_XDECREF(q_it);
    return dot.total;
}

/* ---- vector_norm ---------------------------------------------------------------------------- */

/* Scaled by a power of two, so that squares neither overflow nor vanish, squared and summed in two
 * doubles, and the root corrected by what its square misses. */
double vector_norm(double *values, Py_ssize_t count)
{
    double largest = 0.0;
    bool has_nan = false;
    for (Py_ssize_t i = 0; i < count; i++) {
        values[i] = fabs(values[i]);
        has_nan |= isnan(values[i]) != 0;
        largest = values[i] > largest ? values[i] : largest;
    }
    if (isinf(largest) || has_nan) {
        return isinf(largest) ? largest : NAN;
    }
    if (largest == 0.0 || count <= 1) {
        return largest;
    }
    int exponent;
    frexp(largest, &exponent);
    struct pair sum = {0.0, 0.0};
    for (Py_ssize_t i = 0; i < count; i++) {
        double x = ldexp(values[i], -exponent);
        struct pair square = multiply_exactly(x, x);
        struct pair step = add_exactly(sum.high, square.high);
        sum.high = step.high;
        sum.low += step.low + square.low;
    }
    double root = sqrt(sum.high + sum.low);
    struct pair square = multiply_exactly(root, root);
    struct pair miss = add_exactly(sum.high, -square.high);
    root += (miss.high + (miss.low + (sum.low - square.low))) / (2.0 * root);
    return ldexp(root, exponent);
}
