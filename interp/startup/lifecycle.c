/* Start-up and shut-down. */

#include "interp/startup/startup.h"
#include "locking/config.h"
#include "locking/world.h"
#include "objects/bytes.h"
#include "objects/dict.h"
#include "objects/float.h"
#include "objects/int.h"
#include "objects/iter.h"
#include "objects/list.h"
#include "objects/range.h"
#include "objects/set.h"
#include "objects/tuple.h"
#include "objects/capi/capsule.h"
#include "objects/codecs.h"
#include "objects/error.h"
#include "objects/functional.h"
#include "objects/hash.h"
#include "objects/module.h"
#include "objects/gc/end.h"
#include "objects/gc/gc.h"
#include "objects/str.h"
#include "objects/type.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a thread and an interpreter consist of ------------------------------------------------------- */

static int thread_init_all(struct thread *t)
{
    struct interp_thread *self = (struct interp_thread *)t;
    PyThreadState *ts = &t->ts;
    ts->py_recursion_limit = Py_GetRecursionLimit();
    ts->py_recursion_remaining = ts->py_recursion_limit;
    ts->c_recursion_remaining = Py_C_RECURSION_LIMIT;
    ts->exc_info = &ts->exc_state;
    return exec_init(&self->exec, thread_newest(thread_interp(t)) == NULL);
}

static void thread_clear_all(struct thread *t)
{
    hooks_thread_clear(&t->ts);
    object_thread_fini(t);
}

static void thread_fini_all(struct thread *t)
{
    exec_fini(&((struct interp_thread *)t)->exec);
}

static int interp_init_all(struct interp_state *interp)
{
    return gc_interp_init(interp);
}

static void interp_clear_all(struct interp_state *interp)
{
    gc_interp_clear(interp);
}

static void interp_fini_all(struct interp_state *interp)
{
    gc_interp_fini(interp);
}

static const struct thread_layout layout = {
    .thread_size = sizeof(struct interp_thread),
    .interp_size = sizeof(struct main_interp),
    .thread_init = thread_init_all,
    .thread_clear = thread_clear_all,
    .thread_fini = thread_fini_all,
    .interp_init = interp_init_all,
    .interp_clear = interp_clear_all,
    .interp_fini = interp_fini_all,
};

/* ---- the first objects ------------------------------------------------------------------------------------ */

/* In files that have no header. */
extern PyTypeObject *const bool_types[], *const complex_types[], *const slice_types[],
                                                                     *const enumerate_types[];

static int types_ready(void)
{
    PyTypeObject *const *const lists[] = {
        tuple_types,     str_types,        dict_types,      list_types,     int_types,
        bool_types,      float_types,      complex_types,   set_types,      slice_types,
        range_types,     iter_types,       enumerate_types, bytes_types,    memoryview_types,
        exception_types, code_types,       frame_types,     function_types, traceback_types,
        generator_types, functional_types, capsule_types,
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (type_ready_all(lists[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Types, singletons, the string table: from here on objects can be made. */
static int objects_start(struct interp_state *interp)
{
    return str_init(interp) < 0 || object_init(interp) < 0 || types_ready() < 0
                   || bytes_init(interp) < 0 || error_init(interp) < 0
                   || gc_interp_ready(interp) < 0
               ? -1
               : 0;
}

static int modules_start(struct main_interp *interp)
{
    interp->modules = PyDict_New();
    interp->extensions = PyDict_New();
    interp->import_lock = PyMem_RawCalloc(1, sizeof *interp->import_lock);
    if (interp->modules == NULL || interp->extensions == NULL || interp->import_lock == NULL) {
        return -1;
    }
    int_set_max_str_digits(interp->config.int_max_str_digits);
    if (builtins_init(interp) < 0 || sys_init(interp) < 0
        || PyDict_SetItemString(interp->modules, "builtins", interp->builtins_module) < 0
        || PyDict_SetItemString(interp->modules, "sys", interp->sys_module) < 0
        || sys_configure(interp) < 0 || codecs_init(&interp->base.base) < 0
        || warnings_init(interp) < 0) {
        return -1;
    }
    return 0;
}

/* ---- running before importlib is there (also the whole of the freezing tool) --------------------------------- */

/* Everything but import: the thread is attached. */
static PyStatus core_start(const PyConfig *config, struct main_interp **result)
{
    thread_layout_set(&layout);
    struct main_interp *interp = (struct main_interp *)interp_new(true);
    if (interp == NULL) {
        return PyStatus_NoMemory();
    }
    PyStatus status = config_copy(&interp->config, config);
    if (PyStatus_Exception(status)) {
        return status;
    }
    flags_from_config(&interp->config);
    const char *reason = NULL;
    if (lock_gil_configure(lock_config_get(&interp->config), &reason) < 0) {
        return PyStatus_Error(reason);
    }
    struct thread *t = thread_new(&interp->base.base);
    if (t == NULL) {
        return PyStatus_NoMemory();
    }
    thread_bind(t);
    thread_attach(t);
    gc_start_up(&interp->base.base, true);
    interp_init_hooks();
    hooks_init();
    hash_secret_init(config->use_hash_seed, config->hash_seed);
    if (objects_start(&interp->base.base) < 0) {
        return PyStatus_Error("can't make the built-in types");
    }
    if (monitoring_init(&interp->base) < 0 || modules_start(interp) < 0) {
        if (PyErr_Occurred()) {
            PyErr_DisplayException(PyErr_GetRaisedException());
        }
        return PyStatus_Error("can't make the first modules");
    }
    *result = interp;
    return PyStatus_Ok();
}

PyStatus startup_core(const PyConfig *config)
{
    struct main_interp *interp;
    PyStatus status = core_start(config, &interp);
    if (!PyStatus_Exception(status)) {
        gc_start_up(&interp->base.base, false);
    }
    return status;
}

/* ---- Py_Initialize --------------------------------------------------------------------------------------------- */

static bool initialized;
static bool finalizing;

int Py_IsInitialized(void)
{
    return __atomic_load_n(&initialized, __ATOMIC_ACQUIRE);
}

int Py_IsFinalizing(void)
{
    return __atomic_load_n(&finalizing, __ATOMIC_ACQUIRE);
}

static PyStatus fail_with(const char *message)
{
    if (PyErr_Occurred()) {
        PyErr_PrintEx(0);
    }
    return PyStatus_Error(message);
}

/* module.function(...): 0, or -1 with an exception. */
static int call_module(const char *name, const char *function, const char *format, ...)
{
    PyObject *module = PyImport_ImportModule(name);
    PyObject *callable = module == NULL ? NULL : PyObject_GetAttrString(module, function);
    va_list args;
    va_start(args, format);
    PyObject *result = NULL;
    if (callable != NULL && format != NULL) {
        PyObject *argument = Py_VaBuildValue(format, args);
        result = argument == NULL ? NULL : PyObject_CallOneArg(callable, argument);
        Py_XDECREF(argument);
    } else if (callable != NULL) {
        result = PyObject_CallNoArgs(callable);
    }
    va_end(args);
    Py_XDECREF(result);
    Py_XDECREF(callable);
    Py_XDECREF(module);
    return result == NULL ? -1 : 0;
}

static int import_site(void)
{
    PyObject *site = PyImport_ImportModule("site");
    Py_XDECREF(site);
    return site == NULL ? -1 : 0;
}

/* __main__ with its __builtins__ and loader. */
static int add_main_module(struct main_interp *interp)
{
    PyObject *module = PyImport_AddModuleRef("__main__");
    if (module == NULL) {
        return -1;
    }
    PyObject *dict = PyModule_GetDict(module);
    PyObject *annotations = PyDict_New();
    int result = annotations == NULL || PyDict_SetItem(dict, ID(__annotations__), annotations) < 0
                         || PyDict_SetItem(dict, ID(__builtins__), interp->builtins_module) < 0
                     ? -1
                     : 0;
    if (result == 0) {
        PyObject *loader = PyObject_GetAttrString(interp->importlib, "BuiltinImporter");
        result = loader == NULL ? -1 : PyDict_SetItemString(dict, "__loader__", loader);
        Py_XDECREF(loader);
    }
    Py_XDECREF(annotations);
    Py_DECREF(module);
    return result;
}

PyStatus Py_InitializeFromConfig(const PyConfig *given)
{
    if (Py_IsInitialized()) {
        return PyStatus_Ok();
    }
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    PyStatus status = config_copy(&config, given);
    if (!PyStatus_Exception(status)) {
        status = PyConfig_Read(&config);
    }
    struct main_interp *interp = NULL;
    if (!PyStatus_Exception(status)) {
        status = core_start(&config, &interp);
    }
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) {
        return status;
    }
    /* Until there are streams, what is said goes out like this. */
    PyObject *printer = PyFile_NewStdPrinter(2);
    if (printer == NULL || PySys_SetObject("stderr", printer) < 0) {
        Py_XDECREF(printer);
        return fail_with("can't set preliminary stderr");
    }
    Py_DECREF(printer);
    if (import_init(interp) < 0) {
        return fail_with("failed to initialize importlib");
    }
    if (import_init_external(interp) < 0) {
        return fail_with("failed to initialize external importlib");
    }
    if (interp->config.install_signal_handlers) {
        signal(SIGPIPE, SIG_IGN);
        if (interrupts_init() < 0) {
            return fail_with("can't initialize signals");
        }
    }
    if (add_main_module(interp) < 0) {
        return fail_with("can't create __main__ module");
    }
    codec_checks_names = interp->config.dev_mode > 0;
    if (streams_init(interp) < 0) {
        return fail_with("can't initialize sys standard streams");
    }
    interp->initialized = true;
    __atomic_store_n(&initialized, true, __ATOMIC_RELEASE);
    if (interp->config.faulthandler && call_module("faulthandler", "enable", NULL) < 0) {
        return fail_with("can't initialize faulthandler");
    }
    if (interp->config.tracemalloc
        && call_module("_tracemalloc", "start", "i", interp->config.tracemalloc) < 0) {
        return fail_with("can't initialize tracemalloc");
    }
    if (interp->config.warnoptions.length > 0) {
        PyObject *warnings = PyImport_ImportModule("warnings");
        if (warnings == NULL) {
            PyErr_Clear();
        }
        Py_XDECREF(warnings);
    }
    if (interp->config.site_import && import_site() < 0) {
        return fail_with("Failed to import the site module");
    }
    gc_start_up(&interp->base.base, false);
    return PyStatus_Ok();
}

void Py_InitializeEx(int install_signals)
{
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.parse_argv = 0;
    config.install_signal_handlers = install_signals;
    PyStatus status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
}

void Py_Initialize(void)
{
    Py_InitializeEx(1);
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */

enum { EXIT_CALLS = 32 };
static void (*exit_calls[EXIT_CALLS])(void);
static int exit_call_count;

int Py_AtExit(void (*function)(void))
{
    if (exit_call_count >= EXIT_CALLS) {
        return -1;
    }
    exit_calls[exit_call_count++] = function;
    return 0;
}

static int flush_stream(PyObject *name)
{
    PyObject *file = sys_get(name);
    if (file == NULL || file == Py_None) {
        Py_XDECREF(file);
        return 0;
    }
    PyObject *closed = PyObject_GetAttrString(file, "closed");
    int is_closed = closed == NULL ? 0 : PyObject_IsTrue(closed);
    Py_XDECREF(closed);
    PyErr_Clear();
    int result = 0;
    if (!is_closed) {
        PyObject *done = PyObject_CallMethodNoArgs(file, ID(flush));
        if (done == NULL) {
            PyErr_FormatUnraisable("Exception ignored on flushing sys.%U", name);
            result = -1;
        }
        Py_XDECREF(done);
    }
    Py_DECREF(file);
    return result;
}

static int flush_streams(void)
{
    int result = flush_stream(ID(stdout));
    if (flush_stream(ID(stderr)) < 0) {
        PyErr_Clear();
    }
    return result;
}

/* What is left in the standard streams that others now stand in for. */
static void flush_original_streams(void)
{
    static const char *const names[][2] = {{"stdout", "__stdout__"}, {"stderr", "__stderr__"}};
    for (int i = 0; i < 2; i++) {
        if (PySys_GetObject(names[i][0]) == PySys_GetObject(names[i][1])) {
            continue;
        }
        PyObject *name = PyUnicode_FromString(names[i][1]);
        if (name == NULL || flush_stream(name) < 0) {
            PyErr_Clear();
        }
        Py_XDECREF(name);
    }
}

static void wait_for_threads(void)
{
    PyObject *name = PyUnicode_FromString("threading");
    PyObject *threading = name == NULL ? NULL : PyImport_GetModule(name);
    Py_XDECREF(name);
    if (threading != NULL) {
        PyObject *done = PyObject_CallMethod(threading, "_shutdown", NULL);
        if (done == NULL) {
            PyErr_FormatUnraisable("Exception ignored on threading shutdown");
        }
        Py_XDECREF(done);
        Py_DECREF(threading);
    }
    PyErr_Clear();
}

/* Empties the table of modules; returns weak references to them (new reference), NULL without memory.
 * So what is used by nobody dies as a whole, and its destructors still find all of it. */
static PyObject *modules_forget(struct main_interp *interp)
{
    PyObject *result = PyList_New(0), *items = PyDict_Items(interp->modules);
    for (Py_ssize_t i = 0; items != NULL && i < PyList_GET_SIZE(items); i++) {
        PyObject *name = PyTuple_GET_ITEM(PyList_GET_ITEM(items, i), 0);
        PyObject *module = PyTuple_GET_ITEM(PyList_GET_ITEM(items, i), 1);
        PyObject *ref = PyModule_Check(module) ? PyWeakref_NewRef(module, NULL) : NULL;
        if (ref != NULL && result != NULL && PyList_Append(result, ref) < 0) {
            Py_CLEAR(result);
        }
        Py_XDECREF(ref);
        (void)PyDict_SetItem(interp->modules, name, Py_None);
        PyErr_Clear();
    }
    Py_XDECREF(items);
    PyDict_Clear(interp->modules);
    return result;
}

/* Modules are emptied so that destructors of their globals run while the rest still works. */
static void clear_modules(struct main_interp *interp)
{
    if (PyDict_SetItemString(interp->builtins_dict, "_", Py_None) < 0) {
        PyErr_Clear();
    }
    static const char *const names[] = {"path",       "argv",           "ps1",
                                        "ps2",        "last_exc",       "last_type",
                                        "last_value", "last_traceback", "path_importer_cache",
                                        "meta_path",  "path_hooks",     NULL};
    for (int i = 0; names[i] != NULL; i++) {
        if (PySys_SetObject(names[i], Py_None) < 0) {
            PyErr_Clear();
        }
    }
    PyObject *modules = modules_forget(interp);
    PyGC_Collect();
    for (Py_ssize_t i = modules == NULL ? 0 : PyList_GET_SIZE(modules); i-- > 0;) {
        PyObject *module;
        if (PyWeakref_GetRef(PyList_GET_ITEM(modules, i), &module) <= 0) {
            PyErr_Clear();
            continue;
        }
        if (module != interp->sys_module && module != interp->builtins_module) {
            module_clear_dict(PyModule_GetDict(module));
        }
        Py_DECREF(module);
    }
    Py_XDECREF(modules);
    PyGC_Collect();
}

/* From here on only this thread runs: daemon threads, which are detached or parked now, never come back. */
static void threads_hang(struct main_interp *interp)
{
    struct thread *self = thread_self();
    world_stop(&interp->base.base);
    __atomic_store_n(&finalizing, true, __ATOMIC_RELEASE);
    __atomic_store_n(&interp->base.base.finalizing, self, __ATOMIC_RELEASE);
    __atomic_store_n(&runtime.finalizing, self, __ATOMIC_RELEASE);
    world_start(&interp->base.base);
    /* What they had to themselves goes while the modules are still whole. Their states stay, since they look at them once
     * more before they hang. */
    for (struct thread *t = thread_remove_others(self); t != NULL;
         t = (struct thread *)t->ts.next) {
        thread_clear(t);
    }
}

/* The standard streams, and what they are made of: borrowed, as long as they stay in sys. False if others stand in
 * for them. */
static bool find_streams(PyObject **found, int *n)
{
    static const char *const names[][2] = {
        {"stdin", "__stdin__"}, {"stdout", "__stdout__"}, {"stderr", "__stderr__"}};
    static const char *const parts[] = {"buffer", "raw"};
    for (int i = 0; i < 3; i++) {
        PyObject *now = PySys_GetObject(names[i][0]), *part = PySys_GetObject(names[i][1]);
        if (now == NULL || now != part) {
            return false;
        }
        if (part == Py_None) {
            continue;
        }
        if (strcmp(Py_TYPE(part)->tp_name, "_io.TextIOWrapper") != 0) {
            return false;
        }
        for (int depth = 0; depth < 3 && part != NULL; depth++) {
            found[(*n)++] = part;
            PyObject *inner = depth < 2 ? PyObject_GetAttrString(part, parts[depth]) : NULL;
            Py_XDECREF(inner); /* the outer one keeps it */
            part = inner;
        }
        PyErr_Clear(); /* there may be no buffer, or nothing below it */
    }
    return true;
}

/* The process ends, and what would be deallocated first has no say in it: the system takes all back at once. */
static bool may_leave_objects(struct main_interp *interp)
{
    PyObject *streams[9];
    int n = 0;
    return !interp->config.dev_mode && interp->config.warnoptions.length == 0
           && !import_has_libraries() && find_streams(streams, &n) && gc_ends_quietly(streams, n);
}

static int finalize(bool process_ends)
{
    if (!Py_IsInitialized()) {
        return 0;
    }
    struct main_interp *interp = main_interp_self();
    wait_for_threads();
    if (interp->before_finalize != NULL) {
        interp->before_finalize();
    }
    int result = flush_streams();
    threads_hang(interp);
    __atomic_store_n(&initialized, false, __ATOMIC_RELEASE);
    if (interrupts_end != NULL) {
        interrupts_end();
    }
    if (!process_ends || !may_leave_objects(interp)) {
        clear_modules(interp);
    }
    if (PyErr_CheckSignals() < 0) {
        PyErr_WriteUnraisable(NULL);
    }
    interp_run_exit_callbacks(interp);
    if (flush_streams() < 0) {
        result = -1;
    }
    flush_original_streams();
    while (exit_call_count > 0) {
        exit_calls[--exit_call_count]();
    }
    fflush(stdout);
    fflush(stderr);
    return result;
}

int Py_FinalizeEx(void)
{
    return finalize(false);
}

int finalize_at_exit(void)
{
    return finalize(true);
}

void Py_Finalize(void)
{
    Py_FinalizeEx();
}

void Py_Exit(int status)
{
    if (finalize_at_exit() < 0) {
        status = 120;
    }
    exit(status);
}
