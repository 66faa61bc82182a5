/* The module _decimal, over libmpdec: exceptions, constants, and the state. */
#include "extensions/decimal/decimal.h"

/* ---- exceptions ------------------------------------------------------------------------------ */

enum { BASE = -1, NONE = -2 };

/* Bases are `base` and then `more`; signals and conditions come after what they derive from. */
struct exception {
    const char *name;
    int signal, condition; /* where it goes: NONE for nowhere */
    const char *bases[3];  /* in this module */
    PyObject **more;       /* a built-in one, or NULL */
};

static const struct exception exceptions[] = {
    {"InvalidOperation", 0, NONE, {"DecimalException"}, NULL},
    {"FloatOperation", 1, NONE, {"DecimalException"}, &PyExc_TypeError},
    {"DivisionByZero", 2, NONE, {"DecimalException"}, &PyExc_ZeroDivisionError},
    {"Inexact", 6, NONE, {"DecimalException"}, NULL},
    {"Rounded", 7, NONE, {"DecimalException"}, NULL},
    {"Subnormal", 5, NONE, {"DecimalException"}, NULL},
    {"Clamped", 8, NONE, {"DecimalException"}, NULL},
    {"Overflow", 3, NONE, {"Inexact", "Rounded"}, NULL},
    {"Underflow", 4, NONE, {"Inexact", "Rounded", "Subnormal"}, NULL},
    {"ConversionSyntax", NONE, 0, {"InvalidOperation"}, NULL},
    {"DivisionImpossible", NONE, 1, {"InvalidOperation"}, NULL},
    {"DivisionUndefined", NONE, 2, {"InvalidOperation"}, &PyExc_ZeroDivisionError},
    {"InvalidContext", NONE, 3, {"InvalidOperation"}, NULL},
};

/* The bases as a tuple, found in the module. */
static PyObject *exception_bases(PyObject *module, const struct exception *exception)
{
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && i < 3 && exception->bases[i] != NULL; i++) {
        PyObject *base = PyObject_GetAttrString(module, exception->bases[i]);
        if (base == NULL || PyList_Append(list, base) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(base);
    }
    if (list != NULL && exception->more != NULL && PyList_Append(list, *exception->more) < 0) {
        Py_CLEAR(list);
    }
    PyObject *bases = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return bases;
}

static int exception_add(PyObject *module, const char *name, PyObject *bases, PyObject **out)
{
    char full[64];
    snprintf(full, sizeof full, "decimal.%s", name);
    PyObject *type = bases ? PyErr_NewException(full, bases, NULL) : NULL;
    int rc = type ? PyModule_AddObjectRef(module, name, type) : -1;
    if (rc == 0 && out != NULL) {
        *out = Py_NewRef(type);
    }
    Py_XDECREF(type);
    return rc;
}

static int exceptions_setup(struct decimal_state *state, PyObject *module)
{
    if (exception_add(module, "DecimalException", PyExc_ArithmeticError, NULL) < 0) {
        return -1;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(exceptions); i++) {
        const struct exception *exception = &exceptions[i];
        PyObject *bases = exception_bases(module, exception);
        PyObject **out = exception->signal >= 0 ? &state->signals[exception->signal]
                                                : &state->conditions[exception->condition];
        int rc = exception_add(module, exception->name, bases, out);
        Py_XDECREF(bases);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- the rest of the module ------------------------------------------------------------------ */

static int roundings_setup(struct decimal_state *state, PyObject *module)
{
    static const char *const names[ROUNDINGS] = {
        [MPD_ROUND_UP] = "ROUND_UP",
        [MPD_ROUND_DOWN] = "ROUND_DOWN",
        [MPD_ROUND_CEILING] = "ROUND_CEILING",
        [MPD_ROUND_FLOOR] = "ROUND_FLOOR",
        [MPD_ROUND_HALF_UP] = "ROUND_HALF_UP",
        [MPD_ROUND_HALF_DOWN] = "ROUND_HALF_DOWN",
        [MPD_ROUND_HALF_EVEN] = "ROUND_HALF_EVEN",
        [MPD_ROUND_05UP] = "ROUND_05UP",
    };
    for (int i = 0; i < ROUNDINGS; i++) {
        state->roundings[i] = PyUnicode_InternFromString(names[i]);
        if (state->roundings[i] == NULL
            || PyModule_AddObjectRef(module, names[i], state->roundings[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *tuple_type_make(void)
{
    PyObject *make = _PyImport_GetModuleAttrString("collections", "namedtuple");
    PyObject *type =
        make ? PyObject_CallFunction(make, "ss", "DecimalTuple", "sign digits exponent") : NULL;
    PyObject *name = type ? PyUnicode_FromString("decimal") : NULL;
    if (name == NULL || PyObject_SetAttrString(type, "__module__", name) < 0) {
        Py_CLEAR(type);
    }
    Py_XDECREF(name);
    Py_XDECREF(make);
    return type;
}

/* Decimal is a number, and counts as one of numbers.Number. */
static int number_register(struct decimal_state *state)
{
    PyObject *number = _PyImport_GetModuleAttrString("numbers", "Number");
    PyObject *done =
        number ? PyObject_CallMethod(number, "register", "O", state->number_type) : NULL;
    Py_XDECREF(number);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static int constants_setup(PyObject *module)
{
    static const struct constant constants[] = {
        {"MAX_PREC", MPD_MAX_PREC},
        {"MAX_EMAX", MPD_MAX_EMAX},
        {"MIN_EMIN", MPD_MIN_EMIN},
        {"MIN_ETINY", MPD_MIN_ETINY},
    };
    if (module_constants(module, constants, Py_ARRAY_LENGTH(constants)) < 0
        || PyModule_AddObjectRef(module, "HAVE_THREADS", Py_True) < 0
        || PyModule_AddObjectRef(module, "HAVE_CONTEXTVAR", Py_True) < 0
        || PyModule_AddStringConstant(module, "__version__", "1.70") < 0) {
        return -1;
    }
    return PyModule_AddStringConstant(module, "__libmpdec_version__", mpd_version());
}

static int decimal_exec(PyObject *module)
{
    struct decimal_state *state = PyModule_GetState(module);
    static int room_set; /* the library wants to be told once */
    if (!__atomic_exchange_n(&room_set, 1, __ATOMIC_ACQ_REL)) {
        mpd_setminalloc(INLINE_WORDS);
    }
    state->rational = _PyImport_GetModuleAttrString("numbers", "Rational");
    state->tuple = state->rational ? tuple_type_make() : NULL;
    if (state->tuple == NULL || PyModule_AddObjectRef(module, "DecimalTuple", state->tuple) < 0
        || exceptions_setup(state, module) < 0 || roundings_setup(state, module) < 0
        || number_setup(state, module) < 0 || number_register(state) < 0
        || context_setup(state, module) < 0) {
        return -1;
    }
    return constants_setup(module);
}

STATE_OBJECTS(decimal)

static PyModuleDef_Slot decimal_slots[] = MODULE_SLOTS(decimal_exec);

PyModuleDef decimal_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_decimal",
    .m_doc = PyDoc_STR("Decimal arithmetic of any precision."),
    .m_slots = decimal_slots,
    STATE_FIELDS(decimal),
};

MODULE_INIT(_decimal, decimal_definition)
