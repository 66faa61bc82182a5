/* The sys module: functions. What it shows of the build and the configuration is in sys_info.c. */

#include "alloc/alloc.h"
#include "interp/state.h"
#include "interp/sys_trace.h"
#include "locking/refs.h"
#include "locking/world.h"
#include "objects/error.h"
#include "objects/int.h"
#include "objects/str.h"

PyAPI_FUNC(int) _PyObject_DebugMallocStats(FILE *out);

#include <dlfcn.h>
#include <math.h>

#include "sys.bind.h"

/* ---- the module's dict --------------------------------------------------------------------------- */

PyObject *sys_get(PyObject *name)
{
    PyObject *dict = main_interp_self()->sys_dict, *value = NULL;
    if (dict == NULL) {
        return NULL;
    }
    PyObject *raised = error_fetch();
    if (PyDict_GetItemRef(dict, name, &value) < 0) {
        PyErr_Clear();
    }
    error_restore(raised);
    return value;
}

int sys_set(PyObject *name, PyObject *value)
{
    PyObject *dict = main_interp_self()->sys_dict;
    if (value != NULL) {
        return PyDict_SetItem(dict, name, value);
    }
    return PyDict_Pop(dict, name, NULL) < 0 ? -1 : 0;
}

PyObject *PySys_GetObject(const char *name)
{
    PyObject *dict = main_interp_self()->sys_dict;
    PyObject *raised = error_fetch();
    PyObject *value = dict == NULL ? NULL : PyDict_GetItemString(dict, name);
    error_restore(raised);
    return value;
}

int PySys_SetObject(const char *name, PyObject *value)
{
    PyObject *text = PyUnicode_InternFromString(name);
    int result = text == NULL ? -1 : sys_set(text, value);
    Py_XDECREF(text);
    return result;
}

/* ---- audit ------------------------------------------------------------------------------------------ */

static struct audit_hook *c_hooks; /* newest last; only ever grows */

int PySys_AddAuditHook(Py_AuditHookFunction function, void *data)
{
    if (thread_self() != NULL && PySys_Audit("sys.addaudithook", NULL) < 0) {
        if (PyErr_ExceptionMatches(PyExc_RuntimeError)) {
            PyErr_Clear(); /* a hook that vetoes new hooks does so quietly */
            return 0;
        }
        return -1;
    }
    struct audit_hook *hook = PyMem_RawMalloc(sizeof *hook);
    if (hook == NULL) {
        if (thread_self() != NULL) {
            PyErr_NoMemory();
        }
        return -1;
    }
    *hook = (struct audit_hook){NULL, function, data};
    struct audit_hook **end = &c_hooks;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    __atomic_store_n(end, hook, __ATOMIC_RELEASE);
    return 0;
}

static int run_python_hooks(PyObject *hooks, const char *event, PyObject *args)
{
    PyObject *name = PyUnicode_FromString(event);
    int result = name == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(hooks); i++) {
        PyObject *hook = PyList_GetItemRef(hooks, i);
        PyObject *can_trace = NULL, *done = NULL;
        if (hook == NULL) {
            break;
        }
        PyThreadState *ts = &thread_self()->ts;
        bool trace = PyObject_GetOptionalAttr(hook, ID(__cantrace__), &can_trace) > 0
                     && PyObject_IsTrue(can_trace) > 0;
        if (!trace) {
            PyThreadState_EnterTracing(ts);
        }
        PyObject *stack[] = {name, args};
        if (!PyErr_Occurred()) {
            done = PyObject_Vectorcall(hook, stack, 2, NULL);
        }
        if (!trace) {
            PyThreadState_LeaveTracing(ts);
        }
        result = done == NULL ? -1 : 0;
        Py_XDECREF(can_trace);
        Py_XDECREF(done);
        Py_DECREF(hook);
    }
    Py_XDECREF(name);
    return result;
}

int PySys_AuditTuple(const char *event, PyObject *args)
{
    if (args != NULL && !PyTuple_Check(args)) {
        raise_type("expected tuple, got %s", Py_TYPE(args)->tp_name);
        return -1;
    }
    struct audit_hook *hook = __atomic_load_n(&c_hooks, __ATOMIC_ACQUIRE);
    struct thread *self = thread_self();
    PyObject *hooks = self == NULL ? NULL : main_interp_of(&self->ts)->audit_hooks;
    if (hook == NULL && hooks == NULL) {
        return 0;
    }
    PyObject *raised = error_fetch();
    PyObject *tuple = args == NULL ? PyTuple_New(0) : Py_NewRef(args);
    int result = tuple == NULL ? -1 : 0;
    for (; hook != NULL && result == 0; hook = __atomic_load_n(&hook->next, __ATOMIC_ACQUIRE)) {
        result = hook->function(event, tuple, hook->data) < 0 ? -1 : 0;
    }
    if (result == 0 && hooks != NULL) {
        result = run_python_hooks(hooks, event, tuple);
    }
    Py_XDECREF(tuple);
    if (result == 0) {
        error_restore(raised);
    } else {
        Py_XDECREF(raised);
    }
    return result;
}

/* The arguments are built only when somebody listens. */
int PySys_Audit(const char *event, const char *format, ...)
{
    struct thread *self = thread_self();
    if (__atomic_load_n(&c_hooks, __ATOMIC_ACQUIRE) == NULL
        && (self == NULL || main_interp_of(&self->ts)->audit_hooks == NULL)) {
        return 0;
    }
    PyObject *raised = error_fetch(), *args = NULL;
    if (format != NULL && *format != 0) {
        va_list va;
        va_start(va, format);
        args = Py_VaBuildValue(format, va);
        va_end(va);
        if (args != NULL && !PyTuple_Check(args)) {
            Py_SETREF(args, PyTuple_Pack(1, args));
        }
        if (args == NULL) {
            Py_XDECREF(raised);
            return -1;
        }
    }
    int result = PySys_AuditTuple(event, args);
    Py_XDECREF(args);
    if (result == 0) {
        error_restore(raised);
    } else {
        Py_XDECREF(raised);
    }
    return result;
}

static PyObject *sys_audit(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs == 0) {
        raise_type("audit() missing 1 required positional argument: 'event'");
        return NULL;
    }
    if (!PyUnicode_Check(args[0])) {
        raise_type("expected str for argument 'event', not %.200s", Py_TYPE(args[0])->tp_name);
        return NULL;
    }
    const char *event = PyUnicode_AsUTF8(args[0]);
    PyObject *tuple = event == NULL ? NULL : PyTuple_New(nargs - 1);
    if (tuple == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 1; i < nargs; i++) {
        PyTuple_SET_ITEM(tuple, i - 1, Py_NewRef(args[i]));
    }
    int result = PySys_AuditTuple(event, tuple);
    Py_DECREF(tuple);
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

static int sys_addaudithook(PyObject *module, PyObject *hook)
{
    if (PySys_Audit("sys.addaudithook", NULL) < 0) {
        if (PyErr_ExceptionMatches(PyExc_Exception)) {
            PyErr_Clear();
            return 0;
        }
        return -1;
    }
    struct main_interp *interp = main_interp_self();
    if (interp->audit_hooks == NULL) {
        PyObject *list = PyList_New(0);
        if (list == NULL) {
            return -1;
        }
        PyObject_GC_UnTrack(list); /* gc.get_referrers() shall not lead to the hooks */
        interp->audit_hooks = list;
    }
    return PyList_Append(interp->audit_hooks, hook);
}

/* ---- hooks ----------------------------------------------------------------------------------------- */

static PyObject *sys_breakpointhook(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                                    PyObject *kwnames)
{
    const char *env =
        main_interp_self()->config.use_environment ? getenv("PYTHONBREAKPOINT") : NULL;
    if (env == NULL || *env == 0) {
        env = "pdb.set_trace";
    } else if (strcmp(env, "0") == 0) {
        Py_RETURN_NONE;
    }
    const char *dot = strrchr(env, '.');
    PyObject *module_name = dot == NULL ? PyUnicode_FromString("builtins")
                                        : PyUnicode_FromStringAndSize(env, dot - env);
    PyObject *target = NULL;
    if (dot == env) {
        PyErr_SetNone(PyExc_ImportError); /* a name without a module before its dot */
    } else if (module_name != NULL) {
        target = PyImport_Import(module_name);
    }
    Py_XDECREF(module_name);
    PyObject *hook =
        target == NULL ? NULL : PyObject_GetAttrString(target, dot == NULL ? env : dot + 1);
    Py_XDECREF(target);
    if (hook == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_ImportError)
            && !PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return NULL;
        }
        PyErr_Clear();
        if (PyErr_WarnFormat(PyExc_RuntimeWarning, 0,
                             "Ignoring unimportable $PYTHONBREAKPOINT: \"%s\"", env)
            < 0) {
            return NULL;
        }
        Py_RETURN_NONE;
    }
    PyObject *result = PyObject_Vectorcall(hook, args, (size_t)nargs, kwnames);
    Py_DECREF(hook);
    return result;
}

/* Writes repr(value) where the stream's encoding cannot say all of it. */
static int write_escaped(PyObject *out, PyObject *value)
{
    PyObject *encoding = PyObject_GetAttr(out, ID(encoding));
    PyObject *repr = encoding == NULL ? NULL : PyObject_Repr(value);
    const char *codec = repr == NULL ? NULL : PyUnicode_AsUTF8(encoding);
    PyObject *bytes =
        codec == NULL ? NULL : PyUnicode_AsEncodedString(repr, codec, "backslashreplace");
    PyObject *text = bytes == NULL ? NULL : PyUnicode_FromEncodedObject(bytes, codec, "strict");
    int result = text == NULL ? -1 : PyFile_WriteObject(text, out, Py_PRINT_RAW);
    Py_XDECREF(text);
    Py_XDECREF(bytes);
    Py_XDECREF(repr);
    Py_XDECREF(encoding);
    return result;
}

static int sys_displayhook(PyObject *module, PyObject *object)
{
    if (object == Py_None) {
        return 0;
    }
    PyObject *builtins = main_interp_self()->builtins_module;
    PyObject *underscore = PyUnicode_FromString("_");
    PyObject *out = NULL;
    int result = -1;
    if (underscore == NULL || PyObject_SetAttr(builtins, underscore, Py_None) < 0) {
        goto done;
    }
    out = sys_get(ID(stdout));
    if (out == NULL || out == Py_None) {
        PyErr_SetString(PyExc_RuntimeError, "lost sys.stdout");
        goto done;
    }
    result = PyFile_WriteObject(object, out, 0);
    if (result < 0 && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        result = write_escaped(out, object);
    }
    if (result == 0) {
        result = PyFile_WriteString("\n", out);
    }
    if (result == 0) {
        result = PyObject_SetAttr(builtins, underscore, object);
    }
done:
    Py_XDECREF(underscore);
    Py_XDECREF(out);
    return result;
}

static int sys_excepthook(PyObject *module, PyObject *exctype, PyObject *value, PyObject *traceback)
{
    PyErr_Display(NULL, value, traceback);
    return 0;
}

/* ---- exceptions ------------------------------------------------------------------------------------- */

static PyObject *sys_exception(PyObject *module)
{
    PyObject *handled = error_handled();
    return Py_NewRef(handled == NULL ? Py_None : handled);
}

static PyObject *sys_exc_info(PyObject *module)
{
    PyObject *handled = error_handled();
    if (handled == NULL) {
        return PyTuple_Pack(3, Py_None, Py_None, Py_None);
    }
    PyObject *traceback = PyException_GetTraceback(handled);
    PyObject *result =
        PyTuple_Pack(3, Py_TYPE(handled), handled, traceback == NULL ? Py_None : traceback);
    Py_XDECREF(traceback);
    return result;
}

static PyObject *sys_exit(PyObject *module, PyObject *status)
{
    PyErr_SetObject(PyExc_SystemExit, status);
    return NULL;
}

/* ---- small things -------------------------------------------------------------------------------------- */

static int sys_clear_internal_caches(PyObject *module)
{
    return 0;
}

static int sys_clear_type_cache(PyObject *module)
{
    PyType_ClearCache();
    return 0;
}

static PyObject *sys_getdefaultencoding(PyObject *module)
{
    return PyUnicode_InternFromString("utf-8");
}

static PyObject *sys_getdlopenflags(PyObject *module)
{
    return PyLong_FromLong(main_interp_self()->dlopen_flags);
}

static int sys_setdlopenflags(PyObject *module, int flags)
{
    main_interp_self()->dlopen_flags = flags;
    return 0;
}

static PyObject *sys_getfilesystemencoding(PyObject *module)
{
    return PyUnicode_FromWideChar(main_interp_self()->config.filesystem_encoding, -1);
}

static PyObject *sys_getfilesystemencodeerrors(PyObject *module)
{
    return PyUnicode_FromWideChar(main_interp_self()->config.filesystem_errors, -1);
}

static Py_ssize_t sys_getallocatedblocks(PyObject *module)
{
    struct mem_usage usage;
    mem_usage(&usage);
    return (Py_ssize_t)(usage.slab_blocks + usage.large_blocks);
}

static Py_ssize_t sys_getrefcount(PyObject *module, PyObject *object)
{
    return Py_REFCNT(object);
}

static int sys_getrecursionlimit(PyObject *module)
{
    return Py_GetRecursionLimit();
}

static int sys_setrecursionlimit(PyObject *module, int limit)
{
    if (limit < 1) {
        return raise_value("recursion limit must be greater or equal than 1");
    }
    PyThreadState *ts = &thread_self()->ts;
    int depth = ts->py_recursion_limit - ts->py_recursion_remaining;
    if (depth >= limit) {
        PyErr_Format(PyExc_RecursionError,
                     "cannot set the recursion limit to %i at the recursion depth %i: "
                     "the limit is too low",
                     limit, depth);
        return -1;
    }
    Py_SetRecursionLimit(limit);
    return 0;
}

/* sys.getsizeof without its default: -1 with an exception. */
static Py_ssize_t size_of(PyObject *object)
{
    PyObject *method = object_lookup_special(object, ID(__sizeof__));
    if (method == NULL) {
        if (!PyErr_Occurred()) {
            raise_type("Type %.100s doesn't define __sizeof__", Py_TYPE(object)->tp_name);
        }
        return -1;
    }
    PyObject *size = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (size == NULL) {
        return -1;
    }
    Py_ssize_t bytes = PyLong_AsSsize_t(size);
    Py_DECREF(size);
    if (bytes == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (bytes < 0) {
        return raise_value("__sizeof__() should return >= 0");
    }
    return bytes + (Py_ssize_t)(object_prehdr_words(Py_TYPE(object)) * sizeof(PyObject *));
}

size_t _PySys_GetSizeOf(PyObject *object)
{
    return (size_t)size_of(object);
}

static PyObject *sys_getsizeof(PyObject *module, PyObject *object, PyObject *fallback)
{
    Py_ssize_t bytes = size_of(object);
    if (bytes >= 0) {
        return PyLong_FromSsize_t(bytes);
    }
    if (fallback != NULL && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        return Py_NewRef(fallback);
    }
    return NULL;
}

static double sys_getswitchinterval(PyObject *module)
{
    return 1e-6 * (double)lock_switch_interval_get();
}

static int sys_setswitchinterval(PyObject *module, double interval)
{
    if (!(interval > 0.0)) {
        return raise_value("switch interval must be strictly positive");
    }
    lock_switch_interval_set((unsigned long)(1e6 * interval));
    return 0;
}

static Py_ssize_t sys_getunicodeinternedsize(PyObject *module, int only_immortal)
{
    Py_ssize_t immortal, all = str_intern_count(&immortal);
    return only_immortal ? immortal : all;
}

static PyObject *sys_intern(PyObject *module, PyObject *string)
{
    if (!PyUnicode_CheckExact(string)) {
        raise_type(PyUnicode_Check(string) ? "can't intern %.400s"
                                           : "intern() argument must be str, not %.400s",
                   Py_TYPE(string)->tp_name);
        return NULL;
    }
    Py_INCREF(string);
    PyUnicode_InternInPlace(&string);
    return string;
}

static int sys_is_interned(PyObject *module, PyObject *string)
{
    return PyUnicode_CHECK_INTERNED(string) != 0;
}

static int sys_is_gil_enabled(PyObject *module)
{
    return lock_gil_is_enabled(thread_interp(thread_self()));
}

static int sys_is_finalizing(PyObject *module)
{
    return Py_IsFinalizing();
}

static int sys_get_int_max_str_digits(PyObject *module)
{
    return int_max_str_digits();
}

enum { DIGITS_THRESHOLD = 640 };

static int sys_set_int_max_str_digits(PyObject *module, int maxdigits)
{
    if (maxdigits != 0 && maxdigits < DIGITS_THRESHOLD) {
        return raise_value("maxdigits must be 0 or larger than %d", DIGITS_THRESHOLD);
    }
    int_set_max_str_digits(maxdigits);
    return 0;
}

static PyObject *sys_get_cpu_count_config(PyObject *module)
{
    return PyLong_FromLong(main_interp_self()->config.cpu_count);
}

static int sys_is_stack_trampoline_active(PyObject *module)
{
    return 0;
}

/* Frames of Python functions are not on the C stack, so there is nothing to name there. */
static int sys_activate_stack_trampoline(PyObject *module, const char *backend)
{
    if (strcmp(backend, "perf") != 0) {
        PyErr_Format(PyExc_ValueError, "invalid backend: %s", backend);
    } else {
        PyErr_SetString(PyExc_ValueError, "perf trampoline not available");
    }
    return -1;
}

static int sys_debugmallocstats(PyObject *module)
{
    _PyObject_DebugMallocStats(stderr);
    return 0;
}

static int sys_baserepl(PyObject *module)
{
    PyCompilerFlags flags = _PyCompilerFlags_INIT;
    PyRun_InteractiveLoopFlags(stdin, "<stdin>", &flags);
    return 0;
}

static int sys_deactivate_stack_trampoline(PyObject *module)
{
    return 0;
}

/* ---- frames ----------------------------------------------------------------------------------------------- */

/* The visible frame `depth` calls below the top, or NULL. */
static struct frame *frame_at(int depth)
{
    struct frame *frame = frame_visible(thread_frame(&thread_self()->ts));
    while (depth-- > 0 && frame != NULL) {
        frame = frame_visible(frame->prev);
    }
    return frame;
}

static PyObject *sys_getframe(PyObject *module, int depth)
{
    struct frame *frame = frame_at(depth);
    if (frame == NULL) {
        raise_value("call stack is not deep enough");
        return NULL;
    }
    PyObject *object = Py_XNewRef(frame_object(frame));
    if (object != NULL && PySys_Audit("sys._getframe", "(O)", object) < 0) {
        Py_CLEAR(object);
    }
    return object;
}

static PyObject *sys_getframemodulename(PyObject *module, int depth)
{
    if (PySys_Audit("sys._getframemodulename", "i", depth) < 0) {
        return NULL;
    }
    struct frame *frame = frame_at(depth);
    PyObject *name = frame == NULL ? NULL : frame_function(frame)->func_module;
    return Py_NewRef(name == NULL ? Py_None : name);
}

/* For each thread of the interpreter an entry id -> what `fn` says of it. The world stands still
 * while the frames are looked at. */
struct census {
    PyObject *dict;
    PyObject *(*fn)(PyThreadState *); /* new reference; NULL: no entry, or failure */
    bool failed;
};

static void census_entry(struct thread *t, void *arg)
{
    struct census *census = arg;
    if (census->failed) {
        return;
    }
    PyObject *value = census->fn(&t->ts);
    PyObject *id = value == NULL ? NULL : PyLong_FromUnsignedLong(t->ts.thread_id);
    if (value != NULL && (id == NULL || PyDict_SetItem(census->dict, id, value) < 0)) {
        census->failed = true;
    }
    Py_XDECREF(id);
    Py_XDECREF(value);
}

static PyObject *take_census(PyObject *(*fn)(PyThreadState *))
{
    struct census census = {PyDict_New(), fn, false};
    if (census.dict == NULL) {
        return NULL;
    }
    struct interp_state *interp = thread_interp(thread_self());
    world_stop(interp);
    thread_each(interp, census_entry, &census);
    world_start(interp);
    if (census.failed || PyErr_Occurred()) {
        Py_CLEAR(census.dict);
    }
    return census.dict;
}

static PyObject *current_frame(PyThreadState *ts)
{
    struct frame *frame = frame_visible(thread_frame(ts));
    return frame == NULL ? NULL : Py_XNewRef(frame_object(frame));
}

static PyObject *current_exception(PyThreadState *ts)
{
    for (_PyErr_StackItem *item = ts->exc_info; item != NULL; item = item->previous_item) {
        if (item->exc_value != NULL && item->exc_value != Py_None) {
            return Py_NewRef(item->exc_value);
        }
    }
    return Py_NewRef(Py_None);
}

static PyObject *sys_current_frames(PyObject *module)
{
    if (PySys_Audit("sys._current_frames", NULL) < 0) {
        return NULL;
    }
    return take_census(current_frame);
}

PyObject *_PyThread_CurrentFrames(void)
{
    return sys_current_frames(NULL);
}

static PyObject *sys_current_exceptions(PyObject *module)
{
    if (PySys_Audit("sys._current_exceptions", NULL) < 0) {
        return NULL;
    }
    return take_census(current_exception);
}

/* ---- coroutines, async generators --------------------------------------------------------------------------- */

static int sys_get_coroutine_origin_tracking_depth(PyObject *module)
{
    return thread_self()->ts.coroutine_origin_tracking_depth;
}

static int sys_set_coroutine_origin_tracking_depth(PyObject *module, int depth)
{
    if (depth < 0) {
        return raise_value("depth must be >= 0");
    }
    thread_self()->ts.coroutine_origin_tracking_depth = depth;
    return 0;
}

static PyStructSequence_Field asyncgen_hooks_fields[] = {
    {"firstiter", "Hook to intercept first iteration"},
    {"finalizer", "Hook to intercept finalization"},
    {NULL, NULL},
};
static PyStructSequence_Desc asyncgen_hooks_desc = {
    "asyncgen_hooks",
    "asyncgen_hooks\n\nStruct sequence providing information about asynchronous\n"
    "generators hooks.  The attributes are read only.",
    asyncgen_hooks_fields,
    2,
};

static PyObject *sys_get_asyncgen_hooks(PyObject *module)
{
    PyThreadState *ts = &thread_self()->ts;
    static PyTypeObject type; /* per process: it has no state */
    static struct once ready;
    if (once_begin(&ready)) {
        bool made = PyStructSequence_InitType2(&type, &asyncgen_hooks_desc) == 0;
        once_end(&ready, made);
        if (!made) {
            return NULL;
        }
    }
    PyObject *hooks = PyStructSequence_New(&type);
    if (hooks != NULL) {
        PyObject *first = ts->async_gen_firstiter, *last = ts->async_gen_finalizer;
        PyStructSequence_SetItem(hooks, 0, Py_NewRef(first == NULL ? Py_None : first));
        PyStructSequence_SetItem(hooks, 1, Py_NewRef(last == NULL ? Py_None : last));
    }
    return hooks;
}

static int check_hook(PyObject *hook, const char *name)
{
    if (hook == NULL || hook == Py_None || PyCallable_Check(hook)) {
        return 0;
    }
    return raise_type("callable %s expected, got %.50s", name, Py_TYPE(hook)->tp_name);
}

static int sys_set_asyncgen_hooks(PyObject *module, PyObject *firstiter, PyObject *finalizer)
{
    PyThreadState *ts = &thread_self()->ts;
    if (check_hook(finalizer, "finalizer") < 0 || check_hook(firstiter, "firstiter") < 0
        || (finalizer != NULL && PySys_Audit("sys.set_asyncgen_hook_finalizer", NULL) < 0)
        || (firstiter != NULL && PySys_Audit("sys.set_asyncgen_hook_firstiter", NULL) < 0)) {
        return -1;
    }
    if (finalizer != NULL) {
        Py_XSETREF(ts->async_gen_finalizer, Py_XNewRef(finalizer == Py_None ? NULL : finalizer));
    }
    if (firstiter != NULL) {
        Py_XSETREF(ts->async_gen_firstiter, Py_XNewRef(firstiter == Py_None ? NULL : firstiter));
    }
    return 0;
}

/* ---- tracing --------------------------------------------------------------------------------------------------- */

static int sys_settrace(PyObject *module, PyObject *function)
{
    return sys_trace_set(&thread_self()->ts, function);
}

static int sys_setprofile(PyObject *module, PyObject *function)
{
    return sys_profile_set(&thread_self()->ts, function);
}

static PyObject *sys_gettrace(PyObject *module)
{
    PyObject *function = thread_self()->ts.c_traceobj;
    return Py_NewRef(function == NULL ? Py_None : function);
}

static PyObject *sys_getprofile(PyObject *module)
{
    PyObject *function = thread_self()->ts.c_profileobj;
    return Py_NewRef(function == NULL ? Py_None : function);
}

static int sys_settraceallthreads(PyObject *module, PyObject *function)
{
    PyEval_SetTraceAllThreads(function == Py_None ? NULL : sys_trace_call,
                              function == Py_None ? NULL : function);
    return PyErr_Occurred() ? -1 : 0;
}

static int sys_setprofileallthreads(PyObject *module, PyObject *function)
{
    PyEval_SetProfileAllThreads(function == Py_None ? NULL : sys_profile_call,
                                function == Py_None ? NULL : function);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *sys_call_tracing(PyObject *module, PyObject *func, PyObject *args)
{
    PyThreadState *ts = &thread_self()->ts;
    int saved = ts->tracing;
    ts->tracing = 0;
    PyObject *result = PyObject_Call(func, args, NULL);
    ts->tracing = saved;
    return result;
}

/* ---- unraisable exceptions ---------------------------------------------------------------------------------------- */

static int write_line(PyObject *file, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *text = PyUnicode_FromFormatV(format, va);
    va_end(va);
    int result = text == NULL ? -1 : PyFile_WriteObject(text, file, Py_PRINT_RAW);
    Py_XDECREF(text);
    return result;
}

static int sys_unraisablehook(PyObject *module, PyObject *unraisable)
{
    if (strcmp(Py_TYPE(unraisable)->tp_name, "builtins.UnraisableHookArgs") != 0) {
        return raise_type("sys.unraisablehook argument type must be UnraisableHookArgs");
    }
    PyObject *file = sys_get(ID(stderr));
    if (file == NULL || file == Py_None) {
        Py_XDECREF(file);
        return 0;
    }
    PyObject *value = PyObject_GetAttrString(unraisable, "exc_value");
    PyObject *message = value == NULL ? NULL : PyObject_GetAttrString(unraisable, "err_msg");
    PyObject *object = message == NULL ? NULL : PyObject_GetAttrString(unraisable, "object");
    int result = object == NULL ? -1 : 0;
    if (result == 0 && object != Py_None) {
        result = message == Py_None ? write_line(file, "Exception ignored in: ")
                                    : write_line(file, "%S: ", message);
        if (result == 0 && PyFile_WriteObject(object, file, 0) < 0) {
            PyErr_Clear();
            result = PyFile_WriteString("<object repr() failed>", file);
        }
        result = result == 0 ? PyFile_WriteString("\n", file) : result;
    } else if (result == 0 && message != Py_None) {
        result = write_line(file, "%S:\n", message);
    }
    if (result == 0 && value != Py_None) {
        PyErr_Display(NULL, value, NULL);
    }
    Py_XDECREF(value);
    Py_XDECREF(message);
    Py_XDECREF(object);
    Py_DECREF(file);
    return result;
}

/* ---- C API that writes to the standard streams ----------------------------------------------------------------------- */

static void write_stream(PyObject *name, FILE *fallback, const char *format, va_list va)
{
    PyObject *raised = error_fetch();
    char buffer[1001];
    int length = PyOS_vsnprintf(buffer, sizeof buffer, format, va);
    PyObject *file = sys_get(name);
    if (file == NULL || PyFile_WriteString(buffer, file) != 0) {
        PyErr_Clear();
        fputs(buffer, fallback);
    }
    if (length < 0 || (size_t)length >= sizeof buffer) {
        const char *cut = "... truncated";
        if (file == NULL || PyFile_WriteString(cut, file) != 0) {
            PyErr_Clear();
            fputs(cut, fallback);
        }
    }
    Py_XDECREF(file);
    error_restore(raised);
}

#define STREAM_WRITER(function, name, stream)                                                      \
    void function(const char *format, ...)                                                         \
    {                                                                                              \
        va_list va;                                                                                \
        va_start(va, format);                                                                      \
        write_stream(name, stream, format, va);                                                    \
        va_end(va);                                                                                \
    }
STREAM_WRITER(PySys_WriteStdout, ID(stdout), stdout)
STREAM_WRITER(PySys_WriteStderr, ID(stderr), stderr)

static void format_stream(PyObject *name, FILE *fallback, const char *format, va_list va)
{
    PyObject *raised = error_fetch();
    PyObject *text = PyUnicode_FromFormatV(format, va);
    PyObject *file = text == NULL ? NULL : sys_get(name);
    if (file == NULL || PyFile_WriteObject(text, file, Py_PRINT_RAW) != 0) {
        PyErr_Clear();
        const char *utf8 = text == NULL ? NULL : PyUnicode_AsUTF8(text);
        if (utf8 != NULL) {
            fputs(utf8, fallback);
        }
    }
    Py_XDECREF(file);
    Py_XDECREF(text);
    error_restore(raised);
}

#define STREAM_FORMATTER(function, name, stream)                                                   \
    void function(const char *format, ...)                                                         \
    {                                                                                              \
        va_list va;                                                                                \
        va_start(va, format);                                                                      \
        format_stream(name, stream, format, va);                                                   \
        va_end(va);                                                                                \
    }
STREAM_FORMATTER(PySys_FormatStdout, ID(stdout), stdout)
STREAM_FORMATTER(PySys_FormatStderr, ID(stderr), stderr)

/* ---- the module ---------------------------------------------------------------------------------------------------------- */

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "sys",          .m_doc = sys_doc,
    .m_size = -1,          .m_methods = sys_methods,
};

int sys_init(struct main_interp *interp)
{
    PyObject *module = PyModule_Create2(&definition, PYTHON_API_VERSION);
    if (module == NULL) {
        return -1;
    }
    interp->sys_module = module;
    interp->sys_dict = Py_NewRef(PyModule_GetDict(module));
    interp->dlopen_flags = RTLD_NOW;
    return PyDict_SetItemString(interp->sys_dict, "modules", interp->modules);
}
