/* Decimal: arithmetic, comparison, and its other methods. */
#include "extensions/decimal/decimal.h"

#include "decimal_number.bind.h"

/* ---- applying functions of the library ------------------------------------------------------- */

#define BINARY_SHAPE(name, call)                                                                   \
    void name(mpd_t *out, const mpd_t *a, const mpd_t *b, const mpd_context_t *context,            \
              uint32_t *status)                                                                    \
    {                                                                                              \
        call;                                                                                      \
    }
#define UNARY_SHAPE(name, call)                                                                    \
    void name(mpd_t *out, const mpd_t *a, const mpd_context_t *context, uint32_t *status)          \
    {                                                                                              \
        call;                                                                                      \
    }

BINARY_SHAPE(quiet_compare, mpd_qcompare(out, a, b, context, status))
BINARY_SHAPE(quiet_compare_signal, mpd_qcompare_signal(out, a, b, context, status))
BINARY_SHAPE(quiet_compare_total, mpd_compare_total(out, a, b))
BINARY_SHAPE(quiet_compare_total_mag, mpd_compare_total_mag(out, a, b))
BINARY_SHAPE(quiet_copy_sign, mpd_qcopy_sign(out, a, b, status))
UNARY_SHAPE(quiet_copy_abs, mpd_qcopy_abs(out, a, status))
UNARY_SHAPE(quiet_copy_negate, mpd_qcopy_negate(out, a, status))

/* The end of every operation. */
static inline PyObject *result_finish(struct number *result, struct decimal_state *state,
                                      struct context *context, uint32_t status)
{
    if (status != 0 && context_signal(state, context, status) < 0) {
        Py_CLEAR(result);
    }
    return (PyObject *)result;
}

static inline PyObject *unary_mpd(struct decimal_state *state, struct context *context,
                                  unary_function function, const mpd_t *x, const mpd_context_t *how)
{
    uint32_t status = 0;
    struct number *result = number_make(state->number_type);
    if (result == NULL) {
        return NULL;
    }
    function(&result->mpd, x, how, &status);
    return result_finish(result, state, context, status);
}

static inline PyObject *binary_mpd(struct decimal_state *state, struct context *context,
                                   binary_function function, const mpd_t *x, const mpd_t *y,
                                   const mpd_context_t *how)
{
    uint32_t status = 0;
    struct number *result = number_make(state->number_type);
    if (result == NULL) {
        return NULL;
    }
    function(&result->mpd, x, y, how, &status);
    return result_finish(result, state, context, status);
}

PyObject *apply_unary(struct decimal_state *state, struct context *context, unary_function function,
                      PyObject *x)
{
    struct operand a;
    if (!operand_require(&a, state, x)) {
        return NULL;
    }
    PyObject *result = unary_mpd(state, context, function, a.mpd, &context->mpd);
    operand_drop(&a);
    return result;
}

/* Both operands; false with an exception. */
static bool two_operands(struct operand *a, struct operand *b, struct decimal_state *state,
                         PyObject *x, PyObject *y)
{
    if (!operand_require(a, state, x)) {
        return false;
    }
    if (!operand_require(b, state, y)) {
        operand_drop(a);
        return false;
    }
    return true;
}

/* What is done with two operands; `function` is for a step that applies it. */
typedef PyObject *(*binary_step)(struct decimal_state *state, struct context *context,
                                 binary_function function, const mpd_t *x, const mpd_t *y);

static inline PyObject *apply_step(struct decimal_state *state, struct context *context,
                                   binary_function function, const mpd_t *x, const mpd_t *y)
{
    return binary_mpd(state, context, function, x, y, &context->mpd);
}

static PyObject *divmod_step(struct decimal_state *state, struct context *context,
                             binary_function function, const mpd_t *x, const mpd_t *y)
{
    uint32_t status = 0;
    struct number *quotient = number_make(state->number_type);
    struct number *rest = quotient ? number_make(state->number_type) : NULL;
    PyObject *pair = NULL;
    if (rest != NULL) {
        mpd_qdivmod(&quotient->mpd, &rest->mpd, x, y, &context->mpd, &status);
        if (context_signal(state, context, status) == 0) {
            pair = PyTuple_Pack(2, quotient, rest);
        }
    }
    Py_XDECREF(quotient);
    Py_XDECREF(rest);
    return pair;
}

static PyObject *same_quantum_step(struct decimal_state *state, struct context *context,
                                   binary_function function, const mpd_t *x, const mpd_t *y)
{
    return PyBool_FromLong(mpd_same_quantum(x, y));
}

static inline PyObject *with_operands(struct decimal_state *state, struct context *context,
                                      binary_step step, binary_function function, PyObject *x,
                                      PyObject *y)
{
    struct operand a, b;
    if (!two_operands(&a, &b, state, x, y)) {
        return NULL;
    }
    PyObject *result = step(state, context, function, a.mpd, b.mpd);
    operand_drop(&a);
    operand_drop(&b);
    return result;
}

PyObject *apply_binary(struct decimal_state *state, struct context *context,
                       binary_function function, PyObject *x, PyObject *y)
{
    return with_operands(state, context, apply_step, function, x, y);
}

PyObject *apply_divmod(struct decimal_state *state, struct context *context, PyObject *x,
                       PyObject *y)
{
    return with_operands(state, context, divmod_step, NULL, x, y);
}

PyObject *apply_same_quantum(struct decimal_state *state, PyObject *x, PyObject *y)
{
    return with_operands(state, NULL, same_quantum_step, NULL, x, y);
}

/* function(x, y, z), where the third is only another operand. */
static PyObject *ternary(struct decimal_state *state, struct context *context,
                         void (*function)(mpd_t *, const mpd_t *, const mpd_t *, const mpd_t *,
                                          const mpd_context_t *, uint32_t *),
                         PyObject *x, PyObject *y, PyObject *z)
{
    struct operand a, b, c;
    uint32_t status = 0;
    if (!two_operands(&a, &b, state, x, y)) {
        return NULL;
    }
    PyObject *result = NULL;
    if (operand_require(&c, state, z)) {
        struct number *number = number_make(state->number_type);
        if (number != NULL) {
            function(&number->mpd, a.mpd, b.mpd, c.mpd, &context->mpd, &status);
            result = result_finish(number, state, context, status);
        }
        operand_drop(&c);
    }
    operand_drop(&a);
    operand_drop(&b);
    return result;
}

PyObject *apply_fma(struct decimal_state *state, struct context *context, PyObject *x, PyObject *y,
                    PyObject *z)
{
    return ternary(state, context, mpd_qfma, x, y, z);
}

PyObject *apply_power(struct decimal_state *state, struct context *context, PyObject *x,
                      PyObject *y, PyObject *modulo)
{
    if (modulo == Py_None) {
        return apply_binary(state, context, mpd_qpow, x, y);
    }
    return ternary(state, context, mpd_qpowmod, x, y, modulo);
}

/* ---- operators ------------------------------------------------------------------------------- */

/* The state by the operand that is a Decimal.  Types of other modules do not have it, and static
 * types need not be asked. */
static struct decimal_state *state_of_operands(PyObject *x, PyObject *y)
{
    if (PyType_HasFeature(Py_TYPE(x), Py_TPFLAGS_HEAPTYPE)) {
        PyObject *module = PyType_GetModuleByDef(Py_TYPE(x), &decimal_definition);
        if (LIKELY(module != NULL)) {
            return PyModule_GetState(module);
        }
        PyErr_Clear();
    }
    return STATE(y);
}

/* Two operands of an operator: 1; 0 if one is of no such type; -1 with an exception. */
static int operator_operands(struct operand *a, struct operand *b, struct decimal_state *state,
                             PyObject *x, PyObject *y)
{
    int rc = operand_take(a, state, x);
    if (rc > 0) {
        rc = operand_take(b, state, y);
        if (rc <= 0) {
            operand_drop(a);
        }
    }
    return rc;
}

static inline PyObject *binary_operator(binary_step step, binary_function function, PyObject *x,
                                        PyObject *y)
{
    struct decimal_state *state = state_of_operands(x, y);
    struct context *context = state ? context_current(state) : NULL;
    struct operand a, b;
    if (context == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    int rc = operator_operands(&a, &b, state, x, y);
    if (rc > 0) {
        result = step(state, context, function, a.mpd, b.mpd);
        operand_drop(&a);
        operand_drop(&b);
    } else if (rc == 0) {
        result = Py_NewRef(Py_NotImplemented);
    }
    Py_DECREF(context);
    return result;
}

#define OPERATOR(name, step, function)                                                             \
    static PyObject *number_##name(PyObject *x, PyObject *y)                                       \
    {                                                                                              \
        return binary_operator(step, function, x, y);                                              \
    }

OPERATOR(add, apply_step, mpd_qadd)
OPERATOR(subtract, apply_step, mpd_qsub)
OPERATOR(multiply, apply_step, mpd_qmul)
OPERATOR(divide, apply_step, mpd_qdiv)
OPERATOR(floor_divide, apply_step, mpd_qdivint)
OPERATOR(remainder, apply_step, mpd_qrem)
OPERATOR(divmod, divmod_step, NULL)

static bool is_operand(struct decimal_state *state, PyObject *op)
{
    return PyLong_Check(op) || is_number(state, op);
}

/* The state by whichever of three operands is a Decimal. */
static struct decimal_state *state_of_three(PyObject *x, PyObject *y, PyObject *z)
{
    PyObject *const all[] = {x, y, z};
    for (int i = 0; i < 3; i++) {
        if (PyType_HasFeature(Py_TYPE(all[i]), Py_TPFLAGS_HEAPTYPE)) {
            struct decimal_state *state = STATE(all[i]);
            if (state != NULL) {
                return state;
            }
            PyErr_Clear();
        }
    }
    PyErr_SetString(PyExc_SystemError, "no Decimal among the operands");
    return NULL;
}

static PyObject *number_power(PyObject *x, PyObject *y, PyObject *modulo)
{
    struct decimal_state *state = state_of_three(x, y, modulo);
    if (state == NULL) {
        return NULL;
    }
    if (!is_operand(state, x) || !is_operand(state, y)
        || (modulo != Py_None && !is_operand(state, modulo))) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    struct context *context = context_current(state);
    PyObject *result = context ? apply_power(state, context, x, y, modulo) : NULL;
    Py_XDECREF(context);
    return result;
}

/* In the context that was given, or with None or NULL in the current one. */
static PyObject *unary_in_context(PyObject *self, PyObject *context_arg, unary_function function)
{
    struct decimal_state *state = STATE(self);
    struct context *context = context_argument(state, context_arg);
    if (context == NULL) {
        return NULL;
    }
    PyObject *result = unary_mpd(state, context, function, MPD(self), &context->mpd);
    Py_DECREF(context);
    return result;
}

static PyObject *number_negative(PyObject *x)
{
    return unary_in_context(x, NULL, mpd_qminus);
}

static PyObject *number_positive(PyObject *x)
{
    return unary_in_context(x, NULL, mpd_qplus);
}

static PyObject *number_absolute(PyObject *x)
{
    return unary_in_context(x, NULL, mpd_qabs);
}

static int number_bool(PyObject *x)
{
    return !mpd_iszero(MPD(x));
}

static PyObject *to_int_rounded(PyObject *x, int rounding)
{
    struct decimal_state *state = STATE(x);
    struct context *context = context_current(state);
    PyObject *result = context ? number_to_int(state, x, context, rounding) : NULL;
    Py_XDECREF(context);
    return result;
}

static PyObject *number_int(PyObject *x)
{
    return to_int_rounded(x, MPD_ROUND_DOWN);
}

/* ---- hashing --------------------------------------------------------------------------------- */

#define MODULUS (((uint64_t)1 << 61) - 1)

static uint64_t multiply_mod(uint64_t a, uint64_t b)
{
    return (uint64_t)((unsigned __int128)a * b % MODULUS);
}

static uint64_t power_mod(uint64_t base, uint64_t exponent)
{
    uint64_t result = 1;
    for (; exponent != 0; exponent >>= 1) {
        if (exponent & 1) {
            result = multiply_mod(result, base);
        }
        base = multiply_mod(base, base);
    }
    return result;
}

/* The hash that all numbers of this value have. */
static Py_hash_t hash_finite(const mpd_t *mpd)
{
    const uint64_t tenth = 2075258708292324556ULL; /* 10 times this is 1 */
    uint64_t hash = 0;
    for (mpd_ssize_t i = mpd->len - 1; i >= 0; i--) {
        hash = (multiply_mod(hash, MPD_RADIX % MODULUS) + mpd->data[i] % MODULUS) % MODULUS;
    }
    uint64_t scale =
        mpd->exp < 0 ? power_mod(tenth, (uint64_t)-mpd->exp) : power_mod(10, (uint64_t)mpd->exp);
    Py_hash_t result = (Py_hash_t)multiply_mod(hash, scale);
    result = mpd_isnegative(mpd) ? -result : result;
    return result == -1 ? -2 : result;
}

static Py_hash_t number_hash(PyObject *op)
{
    struct number *self = (struct number *)op;
    const mpd_t *mpd = &self->mpd;
    if (mpd_issnan(mpd)) {
        PyErr_SetString(PyExc_TypeError, "Cannot hash a signaling NaN value");
        return -1;
    }
    if (mpd_isnan(mpd)) {
        return PyObject_GenericHash(op);
    }
    if (mpd_isinfinite(mpd)) {
        return mpd_isnegative(mpd) ? -314159 : 314159;
    }
    Py_hash_t hash = __atomic_load_n(&self->hash, __ATOMIC_RELAXED);
    if (hash == -1) {
        hash = hash_finite(mpd);
        __atomic_store_n(&self->hash, hash, __ATOMIC_RELAXED);
    }
    return hash;
}

/* ---- comparing ------------------------------------------------------------------------------- */

/* The right side of a comparison, for operands that are not numbers of this module: a number, Py_
 * NotImplemented, or NULL with an exception. */
static PyObject *comparable_float(struct decimal_state *state, struct context *context,
                                  double value, int op)
{
    if (op == Py_EQ || op == Py_NE) {
        __atomic_fetch_or(&context->mpd.status, FLOAT_OPERATION, __ATOMIC_RELAXED);
    } else if (context_signal(state, context, FLOAT_OPERATION) < 0) {
        return NULL;
    }
    return number_from_double(state->number_type, value, state, context, true);
}

static PyObject *comparable(struct decimal_state *state, struct context *context, PyObject *other,
                            int op)
{
    if (PyFloat_Check(other)) {
        return comparable_float(state, context, PyFloat_AS_DOUBLE(other), op);
    }
    if (PyComplex_Check(other) && (op == Py_EQ || op == Py_NE)) {
        Py_complex value = PyComplex_AsCComplex(other);
        if (value.imag == 0.0) {
            return comparable_float(state, context, value.real, op);
        }
    }
    Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *compare_mpd(struct decimal_state *state, struct context *context, const mpd_t *a,
                             const mpd_t *b, int op)
{
    uint32_t status = 0;
    int order = mpd_qcmp(a, b, &status);
    if (order == INT_MAX) { /* a NaN */
        if (mpd_issnan(a) || mpd_issnan(b) || (op != Py_EQ && op != Py_NE)) {
            if (context_signal(state, context, status) < 0) {
                return NULL;
            }
        }
        return PyBool_FromLong(op == Py_NE);
    }
    Py_RETURN_RICHCOMPARE(order, 0, op);
}

/* With numerator / denominator: self * denominator is compared to the numerator, exactly. */
static PyObject *compare_rational(struct decimal_state *state, struct context *context,
                                  const mpd_t *self, PyObject *other, int op)
{
    PyObject *up = PyObject_GetAttrString(other, "numerator");
    PyObject *down = up ? PyObject_GetAttrString(other, "denominator") : NULL;
    struct number *product = down ? number_make(state->number_type) : NULL;
    PyObject *result = NULL;
    struct operand a, b;
    if (product != NULL && two_operands(&a, &b, state, up, down)) {
        mpd_context_t widest;
        uint32_t status = 0;
        mpd_maxcontext(&widest);
        if (mpd_isspecial(self)) {
            result = compare_mpd(state, context, self, a.mpd, op);
        } else {
            mpd_qmul(&product->mpd, self, b.mpd, &widest, &status);
            if (context_signal(state, context, status & MPD_Errors) == 0) {
                result = compare_mpd(state, context, &product->mpd, a.mpd, op);
            }
        }
        operand_drop(&a);
        operand_drop(&b);
    }
    Py_XDECREF(product);
    Py_XDECREF(up);
    Py_XDECREF(down);
    return result;
}

static PyObject *compare_other(struct decimal_state *state, struct context *context, PyObject *left,
                               PyObject *right, int op)
{
    PyObject *other = comparable(state, context, right, op);
    if (other == NULL) {
        return NULL;
    }
    if (other != Py_NotImplemented) {
        PyObject *result = compare_mpd(state, context, MPD(left), MPD(other), op);
        Py_DECREF(other);
        return result;
    }
    if (!PyType_HasFeature(Py_TYPE(right), Py_TPFLAGS_HEAPTYPE)) {
        return other;
    }
    int rational = PyObject_IsInstance(right, state->rational);
    if (rational == 0) {
        return other;
    }
    Py_DECREF(other);
    return rational < 0 ? NULL : compare_rational(state, context, MPD(left), right, op);
}

static PyObject *number_richcompare(PyObject *left, PyObject *right, int op)
{
    struct decimal_state *state = STATE(left);
    struct context *context = context_current(state);
    struct operand operand;
    if (context == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    int rc = operand_take(&operand, state, right);
    if (rc > 0) {
        result = compare_mpd(state, context, MPD(left), operand.mpd, op);
        operand_drop(&operand);
    } else if (rc == 0) {
        result = compare_other(state, context, left, right, op);
    }
    Py_DECREF(context);
    return result;
}

/* ---- making and text ------------------------------------------------------------------------- */

static PyObject *number_new(PyTypeObject *type, PyObject *value, PyObject *context_arg)
{
    struct decimal_state *state = state_of_type(type);
    struct context *context = state ? context_argument(state, context_arg) : NULL;
    if (context == NULL) {
        return NULL;
    }
    PyObject *self =
        value ? number_from_object(state, type, value, context, true) : number_from_ssize(type, 0);
    Py_DECREF(context);
    return self;
}

static PyObject *number_from_float(PyTypeObject *type, PyObject *value)
{
    struct decimal_state *state = state_of_type(type);
    struct context *context = state ? context_current(state) : NULL;
    PyObject *number = NULL;
    if (context == NULL) {
        return NULL;
    }
    if (PyLong_Check(value)) {
        number = number_from_int(state->number_type, value, state, context, true);
    } else if (PyFloat_Check(value)) {
        number =
            number_from_double(state->number_type, PyFloat_AS_DOUBLE(value), state, context, true);
    } else {
        PyErr_SetString(PyExc_TypeError, "argument must be int or float");
    }
    Py_DECREF(context);
    if (number != NULL && type != state->number_type) {
        Py_SETREF(number, PyObject_CallOneArg((PyObject *)type, number));
    }
    return number;
}

static void number_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    mpd_del(MPD(op));
    type->tp_free(op);
    Py_DECREF(type);
}

static PyObject *text_in_context(PyObject *op, PyObject *context_arg, bool engineering)
{
    struct context *context = context_argument(STATE(op), context_arg);
    if (context == NULL) {
        return NULL;
    }
    PyObject *text = number_to_str(op, context->capitals, engineering);
    Py_DECREF(context);
    return text;
}

static PyObject *number_str(PyObject *op)
{
    return text_in_context(op, NULL, false);
}

static PyObject *number_repr(PyObject *op)
{
    PyObject *text = number_str(op);
    PyObject *result = text ? PyUnicode_FromFormat("Decimal('%U')", text) : NULL;
    Py_XDECREF(text);
    return result;
}

static PyObject *number_to_eng_string(struct number *self, PyObject *context)
{
    return text_in_context((PyObject *)self, context, true);
}

static PyObject *number_format_method(struct number *self, PyObject *format, PyObject *overrides)
{
    return number_format(STATE(self), (PyObject *)self, format, overrides);
}

static PyObject *number_reduce(struct number *self)
{
    PyObject *text = number_str((PyObject *)self);
    return text ? Py_BuildValue("O(N)", Py_TYPE(self), text) : NULL;
}

/* ---- methods with a context ------------------------------------------------------------------ */

static PyObject *binary_method(struct number *self, PyObject *other, PyObject *context_arg,
                               binary_function function)
{
    struct decimal_state *state = STATE(self);
    struct context *context = context_argument(state, context_arg);
    if (context == NULL) {
        return NULL;
    }
    PyObject *result = apply_binary(state, context, function, (PyObject *)self, other);
    Py_DECREF(context);
    return result;
}

#define UNARY(name, function)                                                                      \
    static PyObject *number_##name(struct number *self, PyObject *context)                         \
    {                                                                                              \
        return unary_in_context((PyObject *)self, context, function);                              \
    }
#define BINARY(name, function)                                                                     \
    static PyObject *number_##name(struct number *self, PyObject *other, PyObject *context)        \
    {                                                                                              \
        return binary_method(self, other, context, function);                                      \
    }

UNARY_METHODS(UNARY)
BINARY_METHODS(BINARY)

static PyObject *number_copy_abs(struct number *self)
{
    return unary_in_context((PyObject *)self, NULL, quiet_copy_abs);
}

static PyObject *number_copy_negate(struct number *self)
{
    return unary_in_context((PyObject *)self, NULL, quiet_copy_negate);
}

static PyObject *number_same_quantum(struct number *self, PyObject *other, PyObject *context_arg)
{
    struct decimal_state *state = STATE(self);
    struct context *context = context_argument(state, context_arg);
    PyObject *result = context ? apply_same_quantum(state, (PyObject *)self, other) : NULL;
    Py_XDECREF(context);
    return result;
}

static PyObject *number_fma(struct number *self, PyObject *other, PyObject *third,
                            PyObject *context_arg)
{
    struct decimal_state *state = STATE(self);
    struct context *context = context_argument(state, context_arg);
    PyObject *result = context ? apply_fma(state, context, (PyObject *)self, other, third) : NULL;
    Py_XDECREF(context);
    return result;
}

/* A copy of the context's settings with another rounding, unless that is None; false with an
 * exception. */
static bool settings_with_rounding(struct decimal_state *state, const struct context *context,
                                   PyObject *rounding_arg, mpd_context_t *out)
{
    *out = context->mpd;
    if (rounding_arg == Py_None) {
        return true;
    }
    out->round = rounding_of(state, rounding_arg);
    return out->round >= 0;
}

static PyObject *to_integral(struct number *self, PyObject *rounding, PyObject *context_arg,
                             unary_function function)
{
    struct decimal_state *state = STATE(self);
    struct context *context = context_argument(state, context_arg);
    mpd_context_t how;
    if (context == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    if (settings_with_rounding(state, context, rounding, &how)) {
        result = unary_mpd(state, context, function, &self->mpd, &how);
    }
    Py_DECREF(context);
    return result;
}

static PyObject *number_to_integral_value(struct number *self, PyObject *rounding,
                                          PyObject *context)
{
    return to_integral(self, rounding, context, mpd_qround_to_int);
}

static PyObject *number_to_integral_exact(struct number *self, PyObject *rounding,
                                          PyObject *context)
{
    return to_integral(self, rounding, context, mpd_qround_to_intx);
}

static PyObject *number_quantize(struct number *self, PyObject *exponent, PyObject *rounding,
                                 PyObject *context_arg)
{
    struct decimal_state *state = STATE(self);
    struct context *context = context_argument(state, context_arg);
    struct operand operand;
    mpd_context_t how;
    if (context == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    if (settings_with_rounding(state, context, rounding, &how)
        && operand_require(&operand, state, exponent)) {
        result = binary_mpd(state, context, mpd_qquantize, &self->mpd, operand.mpd, &how);
        operand_drop(&operand);
    }
    Py_DECREF(context);
    return result;
}

static PyObject *question_in_context(struct number *self, PyObject *context_arg,
                                     int (*function)(const mpd_t *, const mpd_context_t *))
{
    struct context *context = context_argument(STATE(self), context_arg);
    if (context == NULL) {
        return NULL;
    }
    int answer = function(&self->mpd, &context->mpd);
    Py_DECREF(context);
    return PyBool_FromLong(answer);
}

static PyObject *number_is_normal(struct number *self, PyObject *context)
{
    return question_in_context(self, context, mpd_isnormal);
}

static PyObject *number_is_subnormal(struct number *self, PyObject *context)
{
    return question_in_context(self, context, mpd_issubnormal);
}

static PyObject *number_number_class(struct number *self, PyObject *context_arg)
{
    struct context *context = context_argument(STATE(self), context_arg);
    if (context == NULL) {
        return NULL;
    }
    const char *name = mpd_class(&self->mpd, &context->mpd);
    Py_DECREF(context);
    return PyUnicode_FromString(name);
}

/* ---- the rest -------------------------------------------------------------------------------- */

#define QUESTION(name, function)                                                                   \
    static int number_##name(struct number *self)                                                  \
    {                                                                                              \
        return function(&self->mpd);                                                               \
    }

QUESTIONS(QUESTION)
QUESTION(is_canonical, mpd_iscanonical)

static Py_ssize_t number_adjusted(struct number *self)
{
    return mpd_isspecial(&self->mpd) ? 0 : mpd_adjexp(&self->mpd);
}

static int number_canonical(struct number *self)
{
    return 0;
}

static int number_conjugate(struct number *self)
{
    return 0;
}

static int number_copy(struct number *self)
{
    return 0;
}

static PyObject *number_deepcopy(struct number *self, PyObject *memo)
{
    return Py_NewRef(self);
}

static PyObject *number_radix(struct number *self)
{
    return number_from_ssize(STATE(self)->number_type, 10);
}

static PyObject *number_as_tuple(struct number *self)
{
    return number_to_tuple(STATE(self), (PyObject *)self);
}

static PyObject *number_as_integer_ratio(struct number *self)
{
    struct decimal_state *state = STATE(self);
    struct context *context = context_current(state);
    PyObject *result = context ? number_to_ratio(state, (PyObject *)self, context) : NULL;
    Py_XDECREF(context);
    return result;
}

static PyObject *number_round(struct number *self, PyObject *ndigits)
{
    if (ndigits == NULL) {
        return to_int_rounded((PyObject *)self, MPD_ROUND_HALF_EVEN);
    }
    if (!PyLong_Check(ndigits)) {
        PyErr_SetString(PyExc_TypeError, "optional arg must be an integer");
        return NULL;
    }
    Py_ssize_t digits = PyLong_AsSsize_t(ndigits);
    if (digits == -1 && PyErr_Occurred()) {
        return NULL;
    }
    mpd_uint_t one[MPD_MINALLOC_MIN] = {1, 0};
    mpd_t unit = {.flags = MPD_STATIC | MPD_CONST_DATA,
                  .digits = 1,
                  .len = 1,
                  .alloc = 1,
                  .exp = digits == PY_SSIZE_T_MIN ? PY_SSIZE_T_MAX : -digits,
                  .data = one};
    struct decimal_state *state = STATE(self);
    struct context *context = context_current(state);
    if (context == NULL) {
        return NULL;
    }
    PyObject *result = binary_mpd(state, context, mpd_qquantize, &self->mpd, &unit, &context->mpd);
    Py_DECREF(context);
    return result;
}

static PyObject *number_ceil(struct number *self)
{
    return to_int_rounded((PyObject *)self, MPD_ROUND_CEILING);
}

static PyObject *number_floor(struct number *self)
{
    return to_int_rounded((PyObject *)self, MPD_ROUND_FLOOR);
}

static PyObject *number_trunc(struct number *self)
{
    return to_int_rounded((PyObject *)self, MPD_ROUND_DOWN);
}

static PyObject *number_complex(struct number *self)
{
    PyObject *real = number_to_float((PyObject *)self);
    if (real == NULL) {
        return NULL;
    }
    double value = PyFloat_AsDouble(real);
    Py_DECREF(real);
    return PyComplex_FromDoubles(value, 0.0);
}

static size_t number_sizeof(struct number *self)
{
    size_t size = (size_t)Py_TYPE(self)->tp_basicsize;
    return size
           + (mpd_isdynamic_data(&self->mpd) ? (size_t)self->mpd.alloc * sizeof(mpd_uint_t) : 0);
}

static PyObject *number_get_real(struct number *self)
{
    return Py_NewRef(self);
}

static PyObject *number_get_imag(struct number *self)
{
    return number_from_ssize(STATE(self)->number_type, 0);
}

/* ---- the type -------------------------------------------------------------------------------- */

static PyType_Slot number_slots[] = {
    {Py_tp_dealloc, number_dealloc},
    {Py_tp_repr, number_repr},
    {Py_tp_str, number_str},
    {Py_tp_hash, number_hash},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_richcompare, number_richcompare},
    {Py_tp_doc, (void *)number_doc},
    {Py_tp_methods, number_methods},
    {Py_tp_getset, number_getset},
    {Py_tp_new, bind_number_new},
    {Py_nb_add, number_add},
    {Py_nb_subtract, number_subtract},
    {Py_nb_multiply, number_multiply},
    {Py_nb_remainder, number_remainder},
    {Py_nb_divmod, number_divmod},
    {Py_nb_power, number_power},
    {Py_nb_negative, number_negative},
    {Py_nb_positive, number_positive},
    {Py_nb_absolute, number_absolute},
    {Py_nb_bool, number_bool},
    {Py_nb_int, number_int},
    {Py_nb_float, number_to_float},
    {Py_nb_floor_divide, number_floor_divide},
    {Py_nb_true_divide, number_divide},
    {0, NULL},
};

static PyType_Spec number_spec = {
    "decimal.Decimal",
    sizeof(struct number),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    number_slots,
};

int number_setup(struct decimal_state *state, PyObject *module)
{
    state->number_type = module_type(module, &number_spec, true);
    if (state->number_type == NULL) {
        return -1;
    }
    state->number_type->tp_vectorcall = bind_number_new_vectorcall;
    return 0;
}
