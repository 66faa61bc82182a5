/* Contexts, their signals, and the current one. */
#include "extensions/decimal/decimal.h"

struct manager {
    PyObject_HEAD
    PyObject *local, *saved; /* contexts */
};

#include "decimal_context.bind.h"

#define ROUNDING_ERROR                                                                             \
    "valid values for rounding are:\n  [ROUND_CEILING, ROUND_FLOOR, ROUND_UP, ROUND_DOWN,\n"       \
    "   ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_HALF_EVEN,\n   ROUND_05UP]"
#define SIGNALS_ERROR                                                                              \
    "valid values for signals are:\n  [InvalidOperation, FloatOperation, DivisionByZero,\n"        \
    "   Overflow, Underflow, Subnormal, Inexact, Rounded,\n   Clamped]"

/* ---- signals --------------------------------------------------------------------------------- */

/* clang-format off */
const uint32_t signal_bits[SIGNALS] = {
    MPD_IEEE_Invalid_operation, FLOAT_OPERATION, MPD_Division_by_zero, MPD_Overflow, MPD_Underflow,
    MPD_Subnormal, MPD_Inexact, MPD_Rounded, MPD_Clamped,
};
/* clang-format on */

static const uint32_t condition_bits[CONDITIONS] = {
    MPD_Conversion_syntax,
    MPD_Division_impossible,
    MPD_Division_undefined,
    MPD_Invalid_context,
};

/* A list of the signals in `bits`; with `details`, invalid operations by their conditions. */
static PyObject *signal_list(struct decimal_state *state, uint32_t bits, bool details)
{
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    int rc = 0;
    if (details) {
        if (bits & MPD_Invalid_operation) {
            rc = PyList_Append(list, state->signals[0]);
        }
        for (int i = 0; rc == 0 && i < CONDITIONS; i++) {
            rc = bits & condition_bits[i] ? PyList_Append(list, state->conditions[i]) : 0;
        }
    }
    for (int i = details; rc == 0 && i < SIGNALS; i++) {
        rc = bits & signal_bits[i] ? PyList_Append(list, state->signals[i]) : 0;
    }
    if (rc < 0) {
        Py_CLEAR(list);
    }
    return list;
}

static BIND_COLD int raise_signal(struct decimal_state *state, uint32_t bits)
{
    if (bits & MPD_Malloc_error) {
        PyErr_NoMemory();
        return -1;
    }
    int first = 0;
    while ((bits & signal_bits[first]) == 0) {
        first++;
    }
    PyObject *list = signal_list(state, bits, true);
    if (list != NULL) {
        PyErr_SetObject(state->signals[first], list);
        Py_DECREF(list);
    }
    return -1;
}

int context_signal(struct decimal_state *state, struct context *context, uint32_t status)
{
    uint32_t *flags = &context->mpd.status;
    if ((__atomic_load_n(flags, __ATOMIC_RELAXED) & status) != status) {
        __atomic_fetch_or(flags, status, __ATOMIC_RELAXED);
    }
    uint32_t trapped = status & (context->mpd.traps | MPD_Malloc_error);
    return LIKELY(trapped == 0) ? 0 : raise_signal(state, trapped);
}

/* The bits of a signal; 0 with KeyError. */
static uint32_t bits_of_signal(struct decimal_state *state, PyObject *signal)
{
    for (int i = 0; i < SIGNALS; i++) {
        if (signal == state->signals[i]) {
            return signal_bits[i];
        }
    }
    PyErr_SetString(PyExc_KeyError, SIGNALS_ERROR);
    return 0;
}

static bool is_signal_dict(struct decimal_state *state, PyObject *op)
{
    return PyObject_TypeCheck(op, state->mixin_type);
}

/* The bits that a dict of all signals, or a list of some, stands for; false with an exception. */
static bool bits_of_dict(struct decimal_state *state, PyObject *dict, uint32_t *bits)
{
    *bits = 0;
    if (PyDict_GET_SIZE(dict) != SIGNALS) {
        PyErr_SetString(PyExc_KeyError, "invalid signal dict");
        return false;
    }
    PyObject *key, *value;
    for (Py_ssize_t at = 0; PyDict_Next(dict, &at, &key, &value);) {
        uint32_t bit = bits_of_signal(state, key);
        int set = bit ? PyObject_IsTrue(value) : -1;
        if (set < 0) {
            return false;
        }
        *bits |= set ? bit : 0;
    }
    return true;
}

static bool bits_of_list(struct decimal_state *state, PyObject *list, uint32_t *bits)
{
    *bits = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        uint32_t bit = bits_of_signal(state, PyList_GET_ITEM(list, i));
        if (bit == 0) {
            return false;
        }
        *bits |= bit;
    }
    return true;
}

static bool bits_read(struct decimal_state *state, PyObject *arg, bool lists, uint32_t *bits)
{
    if (is_signal_dict(state, arg)) {
        uint32_t *from = ((struct signals *)arg)->bits;
        if (from == NULL) {
            PyErr_SetString(PyExc_ValueError, "invalid signal dict");
            return false;
        }
        *bits = *from;
        return true;
    }
    if (PyDict_Check(arg)) {
        return bits_of_dict(state, arg, bits);
    }
    if (lists && PyList_Check(arg)) {
        return bits_of_list(state, arg, bits);
    }
    PyErr_SetString(PyExc_TypeError, "argument must be a signal dict");
    return false;
}

/* ---- the mapping over signals ---------------------------------------------------------------- */

static bool signals_alive(struct signals *self)
{
    if (self->bits == NULL) {
        PyErr_SetString(PyExc_ValueError, "invalid signal dict");
        return false;
    }
    return true;
}

static int signals_init(PyObject *op, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    ((struct signals *)op)->bits = NULL;
    return 0;
}

static Py_ssize_t signals_length(PyObject *op)
{
    return signals_alive((struct signals *)op) ? SIGNALS : -1;
}

static PyObject *signals_subscript(PyObject *op, PyObject *key)
{
    struct signals *self = (struct signals *)op;
    if (!signals_alive(self)) {
        return NULL;
    }
    uint32_t bit = bits_of_signal(STATE(op), key);
    return bit ? PyBool_FromLong((*self->bits & bit) != 0) : NULL;
}

static int signals_assign(PyObject *op, PyObject *key, PyObject *value)
{
    struct signals *self = (struct signals *)op;
    if (!signals_alive(self)) {
        return -1;
    }
    if (value == NULL) {
        PyErr_SetString(PyExc_ValueError, "signal keys cannot be deleted");
        return -1;
    }
    uint32_t bit = bits_of_signal(STATE(op), key);
    int set = bit ? PyObject_IsTrue(value) : -1;
    if (set < 0) {
        return -1;
    }
    if (set) {
        __atomic_fetch_or(self->bits, bit, __ATOMIC_RELAXED);
    } else {
        __atomic_fetch_and(self->bits, ~bit, __ATOMIC_RELAXED);
    }
    return 0;
}

static PyObject *signals_iter(PyObject *op)
{
    if (!signals_alive((struct signals *)op)) {
        return NULL;
    }
    PyObject *list = signal_list(STATE(op), ~0u, false);
    PyObject *it = list ? PyObject_GetIter(list) : NULL;
    Py_XDECREF(list);
    return it;
}

static PyObject *mixin_copy(struct signals *self)
{
    struct decimal_state *state = STATE(self);
    PyObject *dict = signals_alive(self) ? PyDict_New() : NULL;
    for (int i = 0; dict != NULL && i < SIGNALS; i++) {
        if (PyDict_SetItem(dict, state->signals[i],
                           *self->bits & signal_bits[i] ? Py_True : Py_False)
            < 0) {
            Py_CLEAR(dict);
        }
    }
    return dict;
}

static PyObject *signals_repr(PyObject *op)
{
    struct signals *self = (struct signals *)op;
    struct decimal_state *state = STATE(op);
    if (!signals_alive(self)) {
        return NULL;
    }
    PyObject *text = PyUnicode_FromString("{");
    for (int i = 0; text != NULL && i < SIGNALS; i++) {
        Py_SETREF(text, PyUnicode_FromFormat("%U%s%R:%s", text, i ? ", " : "", state->signals[i],
                                             *self->bits & signal_bits[i] ? "True" : "False"));
    }
    if (text != NULL) {
        Py_SETREF(text, PyUnicode_FromFormat("%U}", text));
    }
    return text;
}

static PyObject *signals_richcompare(PyObject *left, PyObject *right, int op)
{
    struct decimal_state *state = STATE(left);
    uint32_t bits;
    if (!signals_alive((struct signals *)left)) {
        return NULL;
    }
    if ((op != Py_EQ && op != Py_NE) || !(is_signal_dict(state, right) || PyDict_Check(right))) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (!bits_read(state, right, false, &bits)) {
        if (PyDict_Check(right) && PyErr_ExceptionMatches(PyExc_KeyError)) {
            PyErr_Clear();
            return PyBool_FromLong(op == Py_NE);
        }
        return NULL;
    }
    return PyBool_FromLong((*((struct signals *)left)->bits == bits) == (op == Py_EQ));
}

static void signals_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static int signals_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    return 0;
}

static PyType_Slot mixin_slots[] = {
    {Py_tp_dealloc, signals_dealloc},
    {Py_tp_traverse, signals_traverse},
    {Py_tp_init, signals_init},
    {Py_tp_repr, signals_repr},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_richcompare, signals_richcompare},
    {Py_tp_iter, signals_iter},
    {Py_tp_methods, mixin_methods},
    {Py_tp_new, PyType_GenericNew},
    {Py_mp_length, signals_length},
    {Py_mp_subscript, signals_subscript},
    {Py_mp_ass_subscript, signals_assign},
    {0, NULL},
};

static PyType_Spec mixin_spec = {
    "decimal.SignalDictMixin",
    sizeof(struct signals),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    mixin_slots,
};

/* ---- making contexts ------------------------------------------------------------------------- */

static PyObject *signals_make(struct decimal_state *state, uint32_t *bits)
{
    PyObject *self = PyObject_CallNoArgs(state->signal_dict);
    if (self != NULL) {
        ((struct signals *)self)->bits = bits;
    }
    return self;
}

static struct context *context_make(struct decimal_state *state, PyTypeObject *type,
                                    const mpd_context_t *mpd)
{
    struct context *self = type_make(type);
    if (self == NULL) {
        return NULL;
    }
    self->mpd = *mpd;
    self->mpd.status = 0;
    self->mpd.newtrap = 0;
    self->capitals = 1;
    self->traps = signals_make(state, &self->mpd.traps);
    self->flags = self->traps ? signals_make(state, &self->mpd.status) : NULL;
    if (self->flags == NULL) {
        Py_CLEAR(self);
    }
    return self;
}

PyObject *context_copy(struct decimal_state *state, const struct context *from)
{
    struct context *self = context_make(state, state->context_type, &from->mpd);
    if (self != NULL) {
        self->capitals = from->capitals;
        self->mpd.status = from->mpd.status;
    }
    return (PyObject *)self;
}

/* The same without flags. */
static PyObject *context_fresh(struct decimal_state *state, PyObject *from)
{
    PyObject *self = context_copy(state, (struct context *)from);
    if (self != NULL) {
        CTX(self)->status = 0;
    }
    return self;
}

static PyObject *context_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct decimal_state *state = state_of_type(type);
    if (state == NULL) {
        return NULL;
    }
    struct context *like = (struct context *)state->default_context;
    struct context *self = context_make(state, type, &like->mpd);
    if (self != NULL) {
        self->capitals = like->capitals;
    }
    return (PyObject *)self;
}

static void context_dealloc(PyObject *op)
{
    struct context *self = (struct context *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (self->traps != NULL) {
        ((struct signals *)self->traps)->bits = NULL;
        Py_CLEAR(self->traps);
    }
    if (self->flags != NULL) {
        ((struct signals *)self->flags)->bits = NULL;
        Py_CLEAR(self->flags);
    }
    type->tp_free(op);
    Py_DECREF(type);
}

static int context_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct context *self = (struct context *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->traps);
    Py_VISIT(self->flags);
    return 0;
}

/* ---- attributes ------------------------------------------------------------------------------ */

int rounding_of(struct decimal_state *state, PyObject *arg)
{
    if (PyUnicode_Check(arg)) {
        for (int i = 0; i < ROUNDINGS; i++) {
            if (arg == state->roundings[i] || PyUnicode_Compare(arg, state->roundings[i]) == 0) {
                return i;
            }
        }
    }
    PyErr_SetString(PyExc_TypeError, ROUNDING_ERROR);
    return -1;
}

/* A number for one of the fields; false with an exception. */
static bool field_number(PyObject *arg, Py_ssize_t *out)
{
    if (!PyLong_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "an integer is required");
        return false;
    }
    *out = PyLong_AsSsize_t(arg);
    return *out != -1 || !PyErr_Occurred();
}

static int raise_value(const char *text)
{
    PyErr_SetString(PyExc_ValueError, text);
    return -1;
}

static int delete_error(PyObject *value)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "context attributes cannot be deleted");
        return -1;
    }
    return 0;
}

#define FIELD(name, type, field, setter, text)                                                     \
    static type context_get_##name(struct context *self)                                           \
    {                                                                                              \
        return (type)self->field;                                                                  \
    }                                                                                              \
    static int context_set_##name(struct context *self, PyObject *value)                           \
    {                                                                                              \
        Py_ssize_t number;                                                                         \
        if (delete_error(value) < 0 || !field_number(value, &number)) {                            \
            return -1;                                                                             \
        }                                                                                          \
        return setter ? 0 : raise_value(text);                                                     \
    }

FIELD(prec, Py_ssize_t, mpd.prec, mpd_qsetprec(&self->mpd, number),
      "valid range for prec is [1, MAX_PREC]")
FIELD(emax, Py_ssize_t, mpd.emax, mpd_qsetemax(&self->mpd, number),
      "valid range for Emax is [0, MAX_EMAX]")
FIELD(emin, Py_ssize_t, mpd.emin, mpd_qsetemin(&self->mpd, number),
      "valid range for Emin is [MIN_EMIN, 0]")
FIELD(clamp, int, mpd.clamp, (number == 0 || number == 1) && mpd_qsetclamp(&self->mpd, (int)number),
      "valid values for clamp are 0 or 1")
FIELD(capitals, int, capitals, (number == 0 || number == 1) && (self->capitals = (int)number, true),
      "valid values for capitals are 0 or 1")

static PyObject *context_get_rounding(struct context *self)
{
    return Py_NewRef(STATE(self)->roundings[self->mpd.round]);
}

static int context_set_rounding(struct context *self, PyObject *value)
{
    if (delete_error(value) < 0) {
        return -1;
    }
    int rounding = rounding_of(STATE(self), value);
    if (rounding < 0) {
        return -1;
    }
    self->mpd.round = rounding;
    return 0;
}

static PyObject *context_get_traps(struct context *self)
{
    return Py_NewRef(self->traps);
}

static PyObject *context_get_flags(struct context *self)
{
    return Py_NewRef(self->flags);
}

static int context_set_traps(struct context *self, PyObject *value)
{
    return delete_error(value) < 0 || !bits_read(STATE(self), value, false, &self->mpd.traps) ? -1
                                                                                              : 0;
}

static int context_set_flags(struct context *self, PyObject *value)
{
    return delete_error(value) < 0 || !bits_read(STATE(self), value, false, &self->mpd.status) ? -1
                                                                                               : 0;
}

/* No attribute can be deleted, not even one that does not exist. */
static int context_setattro(PyObject *op, PyObject *name, PyObject *value)
{
    return delete_error(value) < 0 ? -1 : PyObject_GenericSetAttr(op, name, value);
}

/* Sets the fields that were given, None is not. */
static int context_fill(struct context *self, PyObject *prec, PyObject *rounding, PyObject *emin,
                        PyObject *emax, PyObject *capitals, PyObject *clamp, PyObject *flags,
                        PyObject *traps)
{
    struct decimal_state *state = STATE(self);
    if ((prec != Py_None && context_set_prec(self, prec) < 0)
        || (rounding != Py_None && context_set_rounding(self, rounding) < 0)
        || (emin != Py_None && context_set_emin(self, emin) < 0)
        || (emax != Py_None && context_set_emax(self, emax) < 0)
        || (clamp != Py_None && context_set_clamp(self, clamp) < 0)
        || (capitals != Py_None && context_set_capitals(self, capitals) < 0)
        || (traps != Py_None && !bits_read(state, traps, true, &self->mpd.traps))
        || (flags != Py_None && !bits_read(state, flags, true, &self->mpd.status))) {
        return -1;
    }
    return 0;
}

static int context_init(struct context *self, PyObject *prec, PyObject *rounding, PyObject *emin,
                        PyObject *emax, PyObject *capitals, PyObject *clamp, PyObject *flags,
                        PyObject *traps)
{
    return context_fill(self, prec, rounding, emin, emax, capitals, clamp, flags, traps);
}

/* '[Inexact, Rounded]' into text. */
static void names_put(char *text, uint32_t bits)
{
    static const struct {
        const char *name;
        uint32_t bits;
    } names[] = {
        {"Clamped", MPD_Clamped},
        {"InvalidOperation", MPD_IEEE_Invalid_operation},
        {"DivisionByZero", MPD_Division_by_zero},
        {"Inexact", MPD_Inexact},
        {"FloatOperation", FLOAT_OPERATION},
        {"Overflow", MPD_Overflow},
        {"Rounded", MPD_Rounded},
        {"Subnormal", MPD_Subnormal},
        {"Underflow", MPD_Underflow},
    };
    char *at = text;
    *at++ = '[';
    for (size_t i = 0; i < Py_ARRAY_LENGTH(names); i++) {
        if (bits & names[i].bits) {
            at += sprintf(at, "%s%s", at == text + 1 ? "" : ", ", names[i].name);
        }
    }
    strcpy(at, "]");
}

static PyObject *context_repr(PyObject *op)
{
    struct context *self = (struct context *)op;
    char flags[200], traps[200];
    names_put(flags, self->mpd.status);
    names_put(traps, self->mpd.traps);
    return PyUnicode_FromFormat(
        "Context(prec=%zd, rounding=%U, Emin=%zd, Emax=%zd, capitals=%d, clamp=%d, flags=%s, "
        "traps=%s)",
        (Py_ssize_t)self->mpd.prec, STATE(op)->roundings[self->mpd.round],
        (Py_ssize_t)self->mpd.emin, (Py_ssize_t)self->mpd.emax, self->capitals, self->mpd.clamp,
        flags, traps);
}

static PyObject *context_copy_method(struct context *self)
{
    return context_copy(STATE(self), self);
}

static PyObject *context_reduce(struct context *self)
{
    struct decimal_state *state = STATE(self);
    PyObject *flags = signal_list(state, self->mpd.status, false);
    PyObject *traps = flags ? signal_list(state, self->mpd.traps, false) : NULL;
    if (traps == NULL) {
        Py_XDECREF(flags);
        return NULL;
    }
    return Py_BuildValue("O(nOnniiNN)", Py_TYPE(self), (Py_ssize_t)self->mpd.prec,
                         state->roundings[self->mpd.round], (Py_ssize_t)self->mpd.emin,
                         (Py_ssize_t)self->mpd.emax, self->capitals, self->mpd.clamp, flags, traps);
}

static void context_clear_flags(struct context *self)
{
    self->mpd.status = 0;
}

static void context_clear_traps(struct context *self)
{
    self->mpd.traps = 0;
}

/* ---- arithmetic ------------------------------------------------------------------------------ */

#define UNARY(name, function)                                                                      \
    static PyObject *context_##name(struct context *self, PyObject *x)                             \
    {                                                                                              \
        return apply_unary(STATE(self), self, function, x);                                        \
    }
#define BINARY(name, function)                                                                     \
    static PyObject *context_##name(struct context *self, PyObject *x, PyObject *y)                \
    {                                                                                              \
        return apply_binary(STATE(self), self, function, x, y);                                    \
    }

UNARY_METHODS(UNARY)
UNARY(abs, mpd_qabs)
UNARY(minus, mpd_qminus)
UNARY(plus, mpd_qplus)
UNARY(to_integral_value, mpd_qround_to_int)
UNARY(to_integral_exact, mpd_qround_to_intx)
UNARY(copy_abs, quiet_copy_abs)
UNARY(copy_negate, quiet_copy_negate)
BINARY_METHODS(BINARY)
BINARY(add, mpd_qadd)
BINARY(divide, mpd_qdiv)
BINARY(divide_int, mpd_qdivint)
BINARY(multiply, mpd_qmul)
BINARY(quantize, mpd_qquantize)
BINARY(remainder, mpd_qrem)
BINARY(subtract, mpd_qsub)

static PyObject *context_divmod(struct context *self, PyObject *x, PyObject *y)
{
    return apply_divmod(STATE(self), self, x, y);
}

static PyObject *context_fma(struct context *self, PyObject *x, PyObject *y, PyObject *z)
{
    return apply_fma(STATE(self), self, x, y, z);
}

static PyObject *context_power(struct context *self, PyObject *a, PyObject *b, PyObject *modulo)
{
    return apply_power(STATE(self), self, a, b, modulo);
}

static PyObject *context_same_quantum(struct context *self, PyObject *x, PyObject *y)
{
    return apply_same_quantum(STATE(self), x, y);
}

/* ---- questions ------------------------------------------------------------------------------- */

#define ABOUT(name, expression)                                                                    \
    static PyObject *context_##name(struct context *self, PyObject *x)                             \
    {                                                                                              \
        struct operand operand;                                                                    \
        if (!operand_require(&operand, STATE(self), x)) {                                          \
            return NULL;                                                                           \
        }                                                                                          \
        PyObject *result = expression;                                                             \
        operand_drop(&operand);                                                                    \
        return result;                                                                             \
    }
#define QUESTION(name, function) ABOUT(name, PyBool_FromLong(function(operand.mpd)))

QUESTIONS(QUESTION)
ABOUT(is_normal, PyBool_FromLong(mpd_isnormal(operand.mpd, &self->mpd)))
ABOUT(is_subnormal, PyBool_FromLong(mpd_issubnormal(operand.mpd, &self->mpd)))
ABOUT(number_class, PyUnicode_FromString(mpd_class(operand.mpd, &self->mpd)))

static bool number_required(struct context *self, PyObject *x)
{
    if (is_number(STATE(self), x)) {
        return true;
    }
    PyErr_SetString(PyExc_TypeError, "argument must be a Decimal");
    return false;
}

static PyObject *context_is_canonical(struct context *self, PyObject *x)
{
    return number_required(self, x) ? Py_NewRef(Py_True) : NULL;
}

static PyObject *context_canonical(struct context *self, PyObject *x)
{
    return number_required(self, x) ? Py_NewRef(x) : NULL;
}

/* The operand as a number: new reference. */
static PyObject *number_of(struct context *self, PyObject *x)
{
    struct decimal_state *state = STATE(self);
    if (is_number(state, x)) {
        return Py_NewRef(x);
    }
    if (PyLong_Check(x)) {
        return number_from_int(state->number_type, x, state, self, true);
    }
    PyErr_Format(PyExc_TypeError, "conversion from %s to Decimal is not supported",
                 Py_TYPE(x)->tp_name);
    return NULL;
}

static PyObject *context_copy_decimal(struct context *self, PyObject *x)
{
    return number_of(self, x);
}

static PyObject *context_text(struct context *self, PyObject *x, bool engineering)
{
    PyObject *number = number_of(self, x);
    PyObject *text = number ? number_to_str(number, self->capitals, engineering) : NULL;
    Py_XDECREF(number);
    return text;
}

static PyObject *context_to_sci_string(struct context *self, PyObject *x)
{
    return context_text(self, x, false);
}

static PyObject *context_to_eng_string(struct context *self, PyObject *x)
{
    return context_text(self, x, true);
}

static PyObject *context_apply(struct context *self, PyObject *x)
{
    return number_required(self, x) ? context_create_decimal(self, x) : NULL;
}

static Py_ssize_t context_etiny(struct context *self)
{
    return mpd_etiny(&self->mpd);
}

static Py_ssize_t context_etop(struct context *self)
{
    return mpd_etop(&self->mpd);
}

static PyObject *context_radix(struct context *self)
{
    return number_from_ssize(STATE(self)->number_type, 10);
}

static PyObject *context_create_decimal(struct context *self, PyObject *value)
{
    struct decimal_state *state = STATE(self);
    if (value == NULL) {
        return number_from_ssize(state->number_type, 0);
    }
    return number_from_object(state, state->number_type, value, self, false);
}

static PyObject *context_create_decimal_from_float(struct context *self, PyObject *value)
{
    struct decimal_state *state = STATE(self);
    if (PyLong_Check(value)) {
        return number_from_int(state->number_type, value, state, self, false);
    }
    if (!PyFloat_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "argument must be int or float");
        return NULL;
    }
    return number_from_double(state->number_type, PyFloat_AS_DOUBLE(value), state, self, false);
}

/* ---- the current context --------------------------------------------------------------------- */

static int current_set(struct decimal_state *state, PyObject *context)
{
    PyObject *token = PyContextVar_Set(state->current, context);
    Py_XDECREF(token);
    return token ? 0 : -1;
}

struct context *context_current(struct decimal_state *state)
{
    PyObject *context;
    if (PyContextVar_Get(state->current, NULL, &context) < 0) {
        return NULL;
    }
    if (context == NULL) {
        context = context_fresh(state, state->default_context);
        if (context != NULL && current_set(state, context) < 0) {
            Py_CLEAR(context);
        }
    }
    return (struct context *)context;
}

struct context *context_argument(struct decimal_state *state, PyObject *arg)
{
    if (arg == NULL || arg == Py_None) {
        return context_current(state);
    }
    if (!PyObject_TypeCheck(arg, state->context_type)) {
        PyErr_SetString(PyExc_TypeError, "optional argument must be a context");
        return NULL;
    }
    return (struct context *)Py_NewRef(arg);
}

static PyObject *decimal_module_getcontext(PyObject *module)
{
    return (PyObject *)context_current(PyModule_GetState(module));
}

/* The three contexts of the module are only patterns. */
static int decimal_module_setcontext(PyObject *module, PyObject *context)
{
    struct decimal_state *state = PyModule_GetState(module);
    if (!PyObject_TypeCheck(context, state->context_type)) {
        PyErr_SetString(PyExc_TypeError, "argument must be a context");
        return -1;
    }
    if (context != state->default_context && context != state->basic_context
        && context != state->extended_context) {
        return current_set(state, context);
    }
    PyObject *copy = context_fresh(state, context);
    int rc = copy ? current_set(state, copy) : -1;
    Py_XDECREF(copy);
    return rc;
}

static PyObject *decimal_module_localcontext(PyObject *module, PyObject *ctx, PyObject *prec,
                                             PyObject *rounding, PyObject *emin, PyObject *emax,
                                             PyObject *capitals, PyObject *clamp, PyObject *flags,
                                             PyObject *traps)
{
    struct decimal_state *state = PyModule_GetState(module);
    struct context *from = context_argument(state, ctx);
    if (from == NULL) {
        return NULL;
    }
    struct manager *self = type_make(state->manager_type);
    if (self != NULL) {
        self->saved = (PyObject *)context_current(state);
        self->local = self->saved ? context_copy(state, from) : NULL;
        if (self->local == NULL
            || context_fill((struct context *)self->local, prec, rounding, emin, emax, capitals,
                            clamp, flags, traps)
                   < 0) {
            Py_CLEAR(self);
        }
    }
    Py_DECREF(from);
    return (PyObject *)self;
}

static PyObject *manager_enter(struct manager *self)
{
    struct decimal_state *state = STATE(self);
    return current_set(state, self->local) < 0 ? NULL : Py_NewRef(self->local);
}

static int manager_exit(struct manager *self, PyObject *const *args, Py_ssize_t nargs)
{
    return current_set(STATE(self), self->saved);
}

GC_OBJECT(manager, local, saved)

static PyType_Slot manager_slots[] = {
    GC_SLOTS(manager),
    {Py_tp_methods, manager_methods},
    {0, NULL},
};

static PyType_Spec manager_spec = {
    "decimal.ContextManager",
    sizeof(struct manager),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE
        | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    manager_slots,
};

/* ---- setting up ------------------------------------------------------------------------------ */

static PyType_Slot context_slots[] = {
    {Py_tp_dealloc, context_dealloc},
    {Py_tp_traverse, context_traverse},
    {Py_tp_repr, context_repr},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_setattro, context_setattro},
    {Py_tp_doc, (void *)context_doc},
    {Py_tp_methods, context_methods},
    {Py_tp_getset, context_getset},
    {Py_tp_init, bind_context_init},
    {Py_tp_new, context_new},
    {0, NULL},
};

static PyType_Spec context_spec = {
    "decimal.Context",
    sizeof(struct context),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    context_slots,
};

/* SignalDict, which gets the rest of its methods from MutableMapping. */
static PyObject *signal_dict_make(struct decimal_state *state)
{
    PyObject *mapping = _PyImport_GetModuleAttrString("collections.abc", "MutableMapping");
    PyObject *meta = mapping ? (PyObject *)Py_TYPE(mapping) : NULL;
    PyObject *type =
        meta ? PyObject_CallFunction(meta, "s(OO){}", "SignalDict", state->mixin_type, mapping)
             : NULL;
    Py_XDECREF(mapping);
    return type;
}

static PyObject *pattern_make(struct decimal_state *state, PyObject *module, const char *name,
                              int prec, int rounding, uint32_t traps)
{
    mpd_context_t mpd;
    mpd_maxcontext(&mpd);
    mpd.prec = prec;
    mpd.emax = 999999;
    mpd.emin = -999999;
    mpd.round = rounding;
    mpd.clamp = 0;
    mpd.traps = traps;
    struct context *self = context_make(state, state->context_type, &mpd);
    if (self != NULL && PyModule_AddObjectRef(module, name, (PyObject *)self) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

int context_setup(struct decimal_state *state, PyObject *module)
{
    const uint32_t usual = MPD_IEEE_Invalid_operation | MPD_Division_by_zero | MPD_Overflow;
    state->mixin_type = module_type(module, &mixin_spec, false);
    state->signal_dict = state->mixin_type ? signal_dict_make(state) : NULL;
    state->manager_type = state->signal_dict ? module_type(module, &manager_spec, false) : NULL;
    state->context_type = state->manager_type ? module_type(module, &context_spec, true) : NULL;
    state->current = state->context_type ? PyContextVar_New("decimal_context", NULL) : NULL;
    if (state->current == NULL) {
        return -1;
    }
    state->default_context =
        pattern_make(state, module, "DefaultContext", 28, MPD_ROUND_HALF_EVEN, usual);
    state->basic_context = pattern_make(state, module, "BasicContext", 9, MPD_ROUND_HALF_UP,
                                        usual | MPD_Underflow | MPD_Clamped);
    state->extended_context =
        pattern_make(state, module, "ExtendedContext", 9, MPD_ROUND_HALF_EVEN, 0);
    if (!state->default_context || !state->basic_context || !state->extended_context) {
        return -1;
    }
    return PyModule_AddFunctions(module, decimal_module_methods);
}
