/* What the files of the module _decimal share.
 *
 * Numbers never change.  A context is changed by its owner and collects status flags; flags are set
 * atomically, so that a context may be used by several threads. */
#ifndef KRAIT_EXTENSIONS_DECIMAL_H
#define KRAIT_EXTENSIONS_DECIMAL_H

#include "module.h"

#include <mpdecimal.h>

#pragma GCC visibility push(hidden)

enum { INLINE_WORDS = 4, SIGNALS = 9, CONDITIONS = 4, ROUNDINGS = 8 };

#define FLOAT_OPERATION MPD_Not_implemented

struct number {
    PyObject_HEAD
    Py_hash_t hash; /* -1 when unknown */
    mpd_t mpd;
    mpd_uint_t words[INLINE_WORDS]; /* the coefficient, if it fits */
};

struct context {
    PyObject_HEAD
    mpd_context_t mpd;
    PyObject *traps, *flags; /* signal dicts over the fields of mpd */
    int capitals;
};

/* A mapping over the bits of a context; `bits` is NULL when that is gone. */
struct signals {
    PyObject_HEAD
    uint32_t *bits;
};

struct decimal_state {
    PyTypeObject *number_type, *context_type, *manager_type, *mixin_type;
    PyObject *signal_dict; /* the type of traps and flags */
    PyObject *tuple;       /* DecimalTuple */
    PyObject *rational;    /* numbers.Rational */
    PyObject *current;     /* the context variable */
    PyObject *default_context, *basic_context, *extended_context;
    PyObject *signals[SIGNALS];
    PyObject *conditions[CONDITIONS];
    PyObject *roundings[ROUNDINGS];
};

extern PyModuleDef decimal_definition;
extern const uint32_t signal_bits[SIGNALS];

static inline struct decimal_state *state_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &decimal_definition);
    return module ? PyModule_GetState(module) : NULL;
}

#define STATE(self) state_of_type(Py_TYPE(self))
#define MPD(op) (&((struct number *)(op))->mpd)
#define CTX(op) (&((struct context *)(op))->mpd)

static inline bool is_number(struct decimal_state *state, PyObject *op)
{
    return PyObject_TypeCheck(op, state->number_type);
}

/* ---- context.c ------------------------------------------------------------------------------- */

/* The thread's context: new reference, or NULL with an exception. */
struct context *context_current(struct decimal_state *state);
/* The argument `context` of a method: None means the current one.  New reference. */
struct context *context_argument(struct decimal_state *state, PyObject *arg);
/* Adds status flags: 0, or -1 with the exception of one that is trapped. */
int context_signal(struct decimal_state *state, struct context *context, uint32_t status);
/* A new context with the same settings and flags. */
PyObject *context_copy(struct decimal_state *state, const struct context *from);
/* A rounding mode, or -1 with TypeError. */
int rounding_of(struct decimal_state *state, PyObject *arg);
/* Types and the three contexts; -1 with an exception. */
int context_setup(struct decimal_state *state, PyObject *module);

/* ---- convert.c: new references, or NULL with an exception ------------------------------------ */

struct number *number_make(PyTypeObject *type);
/* Exactly, or rounded as the context says. */
PyObject *number_from_object(struct decimal_state *state, PyTypeObject *type, PyObject *value,
                             struct context *context, bool exact);
PyObject *number_from_int(PyTypeObject *type, PyObject *value, struct decimal_state *state,
                          struct context *context, bool exact);
PyObject *number_from_double(PyTypeObject *type, double value, struct decimal_state *state,
                             struct context *context, bool exact);
PyObject *number_from_ssize(PyTypeObject *type, Py_ssize_t value);
/* A number as an int, rounded in some way. */
PyObject *number_to_int(struct decimal_state *state, PyObject *op, struct context *context,
                        int rounding);
PyObject *number_to_float(PyObject *op);
PyObject *number_to_tuple(struct decimal_state *state, PyObject *op);
PyObject *number_to_ratio(struct decimal_state *state, PyObject *op, struct context *context);
PyObject *number_to_str(PyObject *op, bool capitals, bool engineering);

/* An operand: a number, or an int that was converted.  1; 0 if it is neither; -1 with an exception.
 * It is dropped in any case after 1. */
struct operand {
    const mpd_t *mpd;
    PyObject *owned; /* or NULL */
    mpd_t local;
    mpd_uint_t words[INLINE_WORDS];
};
int operand_take(struct operand *operand, struct decimal_state *state, PyObject *op);

static inline void operand_drop(struct operand *operand)
{
    Py_XDECREF(operand->owned);
}

/* The same, with TypeError instead of 0. */
bool operand_require(struct operand *operand, struct decimal_state *state, PyObject *op);

/* ---- format.c -------------------------------------------------------------------------------- */

PyObject *number_format(struct decimal_state *state, PyObject *op, PyObject *format,
                        PyObject *overrides);

/* ---- number.c: arithmetic for methods of both types ------------------------------------------ */

typedef void (*unary_function)(mpd_t *, const mpd_t *, const mpd_context_t *, uint32_t *);
typedef void (*binary_function)(mpd_t *, const mpd_t *, const mpd_t *, const mpd_context_t *,
                                uint32_t *);

/* Operands may be ints. */
PyObject *apply_unary(struct decimal_state *state, struct context *context, unary_function function,
                      PyObject *x);
PyObject *apply_binary(struct decimal_state *state, struct context *context,
                       binary_function function, PyObject *x, PyObject *y);
PyObject *apply_divmod(struct decimal_state *state, struct context *context, PyObject *x,
                       PyObject *y);
PyObject *apply_fma(struct decimal_state *state, struct context *context, PyObject *x, PyObject *y,
                    PyObject *z);
PyObject *apply_power(struct decimal_state *state, struct context *context, PyObject *x,
                      PyObject *y, PyObject *modulo);
PyObject *apply_same_quantum(struct decimal_state *state, PyObject *x, PyObject *y);

/* Functions of the library in these shapes. */
void quiet_compare(mpd_t *, const mpd_t *, const mpd_t *, const mpd_context_t *, uint32_t *);
void quiet_compare_signal(mpd_t *, const mpd_t *, const mpd_t *, const mpd_context_t *, uint32_t *);
void quiet_compare_total(mpd_t *, const mpd_t *, const mpd_t *, const mpd_context_t *, uint32_t *);
void quiet_compare_total_mag(mpd_t *, const mpd_t *, const mpd_t *, const mpd_context_t *,
                             uint32_t *);
void quiet_copy_sign(mpd_t *, const mpd_t *, const mpd_t *, const mpd_context_t *, uint32_t *);
void quiet_copy_abs(mpd_t *, const mpd_t *, const mpd_context_t *, uint32_t *);
void quiet_copy_negate(mpd_t *, const mpd_t *, const mpd_context_t *, uint32_t *);

/* Methods that both types have: X(name, function). */
/* clang-format off */
#define UNARY_METHODS(X)                                                                          \
    X(exp, mpd_qexp) X(ln, mpd_qln) X(log10, mpd_qlog10) X(next_minus, mpd_qnext_minus)           \
    X(next_plus, mpd_qnext_plus) X(normalize, mpd_qreduce) X(sqrt, mpd_qsqrt)                     \
    X(logb, mpd_qlogb) X(logical_invert, mpd_qinvert)
#define BINARY_METHODS(X)                                                                         \
    X(compare, quiet_compare) X(compare_signal, quiet_compare_signal)                             \
    X(compare_total, quiet_compare_total) X(compare_total_mag, quiet_compare_total_mag)           \
    X(copy_sign, quiet_copy_sign) X(max, mpd_qmax) X(max_mag, mpd_qmax_mag) X(min, mpd_qmin)      \
    X(min_mag, mpd_qmin_mag) X(next_toward, mpd_qnext_toward) X(remainder_near, mpd_qrem_near)    \
    X(logical_and, mpd_qand) X(logical_or, mpd_qor) X(logical_xor, mpd_qxor)                      \
    X(rotate, mpd_qrotate) X(scaleb, mpd_qscaleb) X(shift, mpd_qshift)
#define QUESTIONS(X)                                                                              \
    X(is_finite, mpd_isfinite) X(is_infinite, mpd_isinfinite) X(is_nan, mpd_isnan)                \
    X(is_qnan, mpd_isqnan) X(is_snan, mpd_issnan) X(is_signed, mpd_issigned)                      \
    X(is_zero, mpd_iszero)
/* clang-format on */

int number_setup(struct decimal_state *state, PyObject *module);

#pragma GCC visibility pop

#endif
