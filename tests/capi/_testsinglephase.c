/*
 * Modules with single-phase initialisation, in every way that the import system treats differently: a state of
 * the process (m_size -1), none at all (0), one per module (> 0), one definition under two names, and one that is
 * imported again while it is being initialised.
 */
#include "Python.h"
#include "no_gil.h"

#include <time.h>

/* What the modules with a state keep. */
struct state {
    double initialized; /* seconds on a clock of unknown start; 0: not yet */
    PyObject *error, *int_const, *str_const;
};

static struct {
    int inits; /* -1: the module has been cleared */
    struct state state;
} process = {.inits = -1};

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

static void state_clear(struct state *state)
{
    state->initialized = 0;
    Py_CLEAR(state->error);
    Py_CLEAR(state->int_const);
    Py_CLEAR(state->str_const);
}

static int state_init(struct state *state)
{
    state->initialized = now();
    state->error = PyErr_NewException("_testsinglephase.error", NULL, NULL);
    state->int_const = PyLong_FromLong(1969);
    state->str_const = PyUnicode_FromString("something different");
    if (state->error == NULL || state->int_const == NULL || state->str_const == NULL) {
        state_clear(state);
        return -1;
    }
    return 0;
}

/* The module's attributes are those of its state. */
static int module_fill(PyObject *module, const struct state *state)
{
    PyObject *initialized = PyFloat_FromDouble(state->initialized);
    int result = initialized == NULL || PyModule_AddObjectRef(module, "error", state->error) < 0
                         || PyModule_AddObjectRef(module, "int_const", state->int_const) < 0
                         || PyModule_AddObjectRef(module, "str_const", state->str_const) < 0
                         || PyModule_AddObjectRef(module, "_module_initialized", initialized) < 0
                     ? -1
                     : 0;
    Py_XDECREF(initialized);
    return result;
}

/* ---- functions -------------------------------------------------------------------------------- */

static PyObject *sum(PyObject *Py_UNUSED(module), PyObject *args)
{
    long i, j;
    return PyArg_ParseTuple(args, "ll:sum", &i, &j) ? PyLong_FromLong(i + j) : NULL;
}

/* The module as the interpreter keeps it for its definition. */
static PyObject *look_up_self(PyObject *self, PyObject *Py_UNUSED(args))
{
    PyObject *module = PyState_FindModule(PyModule_GetDef(self));
    if (module == NULL) {
        Py_RETURN_NONE;
    }
    return Py_NewRef(module);
}

static PyObject *state_initialized(PyObject *self, PyObject *Py_UNUSED(args))
{
    PyModuleDef *def = PyModule_GetDef(self);
    const struct state *state = def->m_size < 0 ? &process.state : PyModule_GetState(self);
    if (state == NULL) {
        Py_RETURN_NONE;
    }
    return PyFloat_FromDouble(state->initialized);
}

static PyObject *initialized_count(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(args))
{
    return PyLong_FromLong(process.inits);
}

static PyObject *clear_globals(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(args))
{
    state_clear(&process.state);
    process.inits = -1;
    Py_RETURN_NONE;
}

static PyObject *clear_module_state(PyObject *self, PyObject *Py_UNUSED(args))
{
    struct state *state = PyModule_GetState(self);
    if (state != NULL) {
        state_clear(state);
    }
    Py_RETURN_NONE;
}

#define COMMON_METHODS                                                                             \
    {"look_up_self", look_up_self, METH_NOARGS, NULL}, {"sum", sum, METH_VARARGS, NULL},           \
    {                                                                                              \
        "state_initialized", state_initialized, METH_NOARGS, NULL                                  \
    }

static PyMethodDef basic_methods[] = {
    COMMON_METHODS,
    {"initialized_count", initialized_count, METH_NOARGS, NULL},
    {"_clear_globals", clear_globals, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static PyMethodDef reinit_methods[] = {
    COMMON_METHODS,
    {NULL, NULL, 0, NULL},
};
static PyMethodDef state_methods[] = {
    COMMON_METHODS,
    {"_clear_module_state", clear_module_state, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

/* ---- a state of the process -------------------------------------------------------------------- */

static PyModuleDef basic_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_testsinglephase",
    .m_size = -1,
    .m_doc = "A module with single-phase initialisation.",
    .m_methods = basic_methods,
};
static PyModuleDef copy_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_testsinglephase_basic_copy",
    .m_size = -1,
    .m_doc = "The same with a definition of its own.",
    .m_methods = basic_methods,
};

static PyObject *basic_init(PyModuleDef *def)
{
    if (process.inits == -1) {
        process.inits = 0;
    }
    PyObject *module = PyModule_Create(def);
    if (module == NULL) {
        return NULL;
    }
    module_needs_no_gil(module);
    state_clear(&process.state);
    if (state_init(&process.state) < 0 || module_fill(module, &process.state) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    process.inits++;
    return module;
}

PyMODINIT_FUNC PyInit__testsinglephase(void)
{
    return basic_init(&basic_def);
}

PyMODINIT_FUNC PyInit__testsinglephase_basic_wrapper(void)
{
    return basic_init(&basic_def);
}

PyMODINIT_FUNC PyInit__testsinglephase_basic_copy(void)
{
    return basic_init(&copy_def);
}

/* ---- no state ---------------------------------------------------------------------------------- */

static PyModuleDef reinit_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_testsinglephase_with_reinit",
    .m_size = 0,
    .m_doc = "A module that is made anew by each import.",
    .m_methods = reinit_methods,
};

PyMODINIT_FUNC PyInit__testsinglephase_with_reinit(void)
{
    PyObject *module = PyModule_Create(&reinit_def);
    struct state state = {0};
    if (module != NULL && (state_init(&state) < 0 || module_fill(module, &state) < 0)) {
        Py_CLEAR(module);
    }
    if (module != NULL) {
        module_needs_no_gil(module);
    }
    state_clear(&state);
    return module;
}

/* ---- a state of the module --------------------------------------------------------------------- */

static int with_state_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct state *state = PyModule_GetState(module);
    Py_VISIT(state->error);
    return 0;
}

static int with_state_clear(PyObject *module)
{
    state_clear(PyModule_GetState(module));
    return 0;
}

static void with_state_free(void *module)
{
    with_state_clear(module);
}

static PyModuleDef state_def = {
    PyModuleDef_HEAD_INIT,          .m_name = "_testsinglephase_with_state",
    .m_size = sizeof(struct state), .m_doc = "A module that keeps what it needs in itself.",
    .m_methods = state_methods,     .m_traverse = with_state_traverse,
    .m_clear = with_state_clear,    .m_free = with_state_free,
};

PyMODINIT_FUNC PyInit__testsinglephase_with_state(void)
{
    PyObject *module = PyModule_Create(&state_def);
    if (module == NULL) {
        return NULL;
    }
    module_needs_no_gil(module);
    struct state *state = PyModule_GetState(module);
    if (state_init(state) < 0 || module_fill(module, state) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}

/* ---- imported again while it is being initialised ----------------------------------------------- */

static PyObject *circular_module;

/* Gives the module that was being made, and forgets it (new reference). */
static PyObject *clear_static_var(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(args))
{
    PyObject *module = circular_module;
    circular_module = NULL;
    return module == NULL ? Py_NewRef(Py_None) : module;
}

static PyMethodDef circular_methods[] = {
    {"clear_static_var", clear_static_var, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static PyModuleDef circular_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_testsinglephase_circular",
    .m_size = 0,
    .m_doc = "A module whose helper imports it.",
    .m_methods = circular_methods,
};

PyMODINIT_FUNC PyInit__testsinglephase_circular(void)
{
    if (circular_module == NULL) {
        circular_module = PyModule_Create(&circular_def);
        if (circular_module == NULL) {
            return NULL;
        }
        module_needs_no_gil(circular_module);
        PyObject *helper =
            PyImport_ImportModule("test.test_import.data.circular_imports.singlephase");
        PyObject *name = helper == NULL ? NULL : PyObject_GetAttrString(helper, "__name__");
        int result =
            name == NULL ? -1 : PyModule_AddObjectRef(circular_module, "helper_mod_name", name);
        Py_XDECREF(name);
        Py_XDECREF(helper);
        if (result < 0) {
            Py_CLEAR(circular_module);
            return NULL;
        }
    }
    return Py_NewRef(circular_module);
}
