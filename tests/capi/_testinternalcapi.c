/* What the library's tests want to know of the interpreter's insides, as far as it has them: mostly private
 * functions that it exports for extension modules of the library. */
#include "Python.h"

#include <stddef.h>
#include <sys/time.h>

#include "testing.h"

/* Exported, but in no public header. */
PyAPI_FUNC(PyObject *) _PyCompile_CleanDoc(PyObject *doc);
PyAPI_FUNC(PyObject *) _PyUnicode_TransformDecimalAndSpaceToASCII(PyObject *text);
PyAPI_FUNC(const char *) _PyMem_GetCurrentAllocatorName(void);
PyAPI_FUNC(PyObject *) _PyTraceMalloc_GetTraceback(unsigned domain, uintptr_t address);
PyAPI_FUNC(int) _PySet_Update(PyObject *set, PyObject *iterable);
PyAPI_FUNC(int)
    _PySet_NextEntryRef(PyObject *set, Py_ssize_t *pos, PyObject **key, Py_hash_t *hash);
PyAPI_FUNC(int) _PyObject_IsFreed(PyObject *object);
PyAPI_FUNC(PyObject *) _PyConfig_AsDict(const PyConfig *config);
PyAPI_FUNC(int) _PyConfig_FromDict(PyConfig *config, PyObject *dict);
PyAPI_FUNC(int) _PyInterpreterState_GetConfigCopy(PyConfig *config);
PyAPI_FUNC(int) _PyInterpreterState_SetConfig(const PyConfig *config);
PyAPI_FUNC(PyObject *) _Py_GetConfigsAsDict(void);
PyAPI_FUNC(PyTime_t) _PyTime_FromSeconds(int seconds);
PyAPI_FUNC(int) _PyTime_FromSecondsObject(PyTime_t *time, PyObject *number, int round);
PyAPI_FUNC(PyTime_t) _PyTime_AsMilliseconds(PyTime_t time, int round);
PyAPI_FUNC(PyTime_t) _PyTime_AsMicroseconds(PyTime_t time, int round);
PyAPI_FUNC(int) _PyTime_AsTimeval(PyTime_t time, struct timeval *result, int round);
PyAPI_FUNC(void) _PyTime_AsTimeval_clamp(PyTime_t time, struct timeval *result, int round);
PyAPI_FUNC(int) _PyTime_AsTimespec(PyTime_t time, struct timespec *result);
PyAPI_FUNC(void) _PyTime_AsTimespec_clamp(PyTime_t time, struct timespec *result);
PyAPI_FUNC(int) _PyTime_ObjectToTime_t(PyObject *number, time_t *seconds, int round);
PyAPI_FUNC(int) _PyTime_ObjectToTimeval(PyObject *number, time_t *seconds, long *usec, int round);
PyAPI_FUNC(int) _PyTime_ObjectToTimespec(PyObject *number, time_t *seconds, long *nsec, int round);

/* ---- depth ------------------------------------------------------------------------------------- */

FUNCTION0(get_recursion_depth)
{
    PyThreadState *ts = PyThreadState_Get();
    return PyLong_FromLong(ts->py_recursion_limit - ts->py_recursion_remaining);
}

FUNCTION0(get_c_recursion_remaining)
{
    return PyLong_FromLong(PyThreadState_Get()->c_recursion_remaining);
}

/* ---- configuration ------------------------------------------------------------------------------- */

FUNCTION0(get_configs)
{
    return _Py_GetConfigsAsDict();
}

FUNCTION0(get_config)
{
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    PyObject *dict = NULL;
    if (_PyInterpreterState_GetConfigCopy(&config) == 0) {
        dict = _PyConfig_AsDict(&config);
    }
    PyConfig_Clear(&config);
    return dict;
}

FUNCTION1(set_config, dict)
{
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    int result = _PyConfig_FromDict(&config, dict);
    if (result == 0) {
        result = _PyInterpreterState_SetConfig(&config);
    }
    PyConfig_Clear(&config);
    return none_or_error(result);
}

/* ---- objects ------------------------------------------------------------------------------------- */

/* Attributes lie in the object itself while the word before it is odd. */
FUNCTION1(has_inline_values, object)
{
    PyTypeObject *type = Py_TYPE(object);
    int has = (type->tp_flags & Py_TPFLAGS_INLINE_VALUES) && (((uintptr_t *)object)[-1] & 1);
    return PyBool_FromLong(has);
}

FUNCTIONN(dict_getitem_knownhash)
{
    PyObject *dict, *key;
    Py_ssize_t hash;
    if (!PyArg_ParseTuple(args, "OOn:dict_getitem_knownhash", &dict, &key, &hash)) {
        return NULL;
    }
    PyObject *value = _PyDict_GetItem_KnownHash(dict, key, hash);
    if (value == NULL && !PyErr_Occurred()) {
        PyErr_SetObject(PyExc_KeyError, key);
    }
    return Py_XNewRef(value);
}

FUNCTION1(get_co_framesize, code)
{
    if (!PyCode_Check(code)) {
        PyErr_SetString(PyExc_TypeError, "argument must be a code object");
        return NULL;
    }
    return PyLong_FromLong(((PyCodeObject *)code)->co_framesize);
}

/* Nothing is immortal for being deferred here. */
FUNCTION1(suppress_immortalization, value)
{
    return PyObject_IsTrue(value) < 0 ? NULL : Py_NewRef(Py_None);
}

FUNCTION0(get_immortalize_deferred)
{
    Py_RETURN_FALSE;
}

FUNCTION0(pymem_getallocatorsname)
{
    const char *name = _PyMem_GetCurrentAllocatorName();
    if (name == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "cannot get allocators name");
        return NULL;
    }
    return PyUnicode_FromString(name);
}

FUNCTIONN(set_update)
{
    PyObject *set, *iterable;
    return PyArg_ParseTuple(args, "OO", &set, &iterable)
               ? int_or_error(_PySet_Update(set, iterable))
               : NULL;
}

FUNCTIONN(set_next_entry)
{
    PyObject *set, *item = UNSET_POINTER;
    Py_ssize_t pos;
    Py_hash_t hash = UNSET_SIZE;
    if (!PyArg_ParseTuple(args, "On", &set, &pos)) {
        return NULL;
    }
    int result = _PySet_NextEntryRef(set, &pos, &item, &hash);
    if (result == 1) {
        return Py_BuildValue("innN", result, pos, hash, item);
    }
    if (item != UNSET_POINTER || hash != UNSET_SIZE) {
        return failed("an item at the end");
    }
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- memory with the debug hooks --------------------------------------------------------------- */

static PyObject *must_be_freed(PyObject *object)
{
    return _PyObject_IsFreed(object) ? Py_NewRef(Py_None) : failed("the object seems to live");
}

FUNCTION0(check_pyobject_null_is_freed)
{
    return must_be_freed(NULL);
}

/* The type of fresh memory is the fill of fresh memory. */
FUNCTION0(check_pyobject_uninitialized_is_freed)
{
    PyObject *object = PyObject_Malloc(sizeof(PyObject));
    if (object == NULL) {
        return NULL;
    }
    Py_SET_REFCNT(object, 1);
    return must_be_freed(object);
}

/* A block that ends where the type would be: there are the guard bytes. */
FUNCTION0(check_pyobject_forbidden_bytes_is_freed)
{
    PyObject *object = PyObject_Malloc(offsetof(PyObject, ob_type));
    if (object == NULL) {
        return NULL;
    }
    Py_SET_REFCNT(object, 1);
    return must_be_freed(object);
}

FUNCTION0(check_pyobject_freed_is_freed)
{
    PyObject *object = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type);
    if (object == NULL) {
        return NULL;
    }
    Py_TYPE(object)->tp_dealloc(object);
    Py_SET_REFCNT(object, 1); /* only the type is looked at */
    return must_be_freed(object);
}

/* ---- text ------------------------------------------------------------------------------------------ */

FUNCTION1(compiler_cleandoc, doc)
{
    if (!PyUnicode_Check(doc)) {
        PyErr_SetString(PyExc_TypeError, "a str is needed");
        return NULL;
    }
    return _PyCompile_CleanDoc(doc);
}

FUNCTION1(transform_decimal, text)
{
    return _PyUnicode_TransformDecimalAndSpaceToASCII(text);
}

/* The bits of numbers around each power of two up to a few digits. */
FUNCTION0(test_long_numbits)
{
    for (int shift = 0; shift < 130; shift++) {
        PyObject *one = PyLong_FromLong(1), *by = PyLong_FromLong(shift);
        PyObject *power = PyNumber_Lshift(one, by), *less = PyNumber_Subtract(power, one);
        PyObject *negative = PyNumber_Negative(power);
        int good = _PyLong_NumBits(power) == (size_t)shift + 1
                   && _PyLong_NumBits(less) == (size_t)shift
                   && _PyLong_NumBits(negative) == (size_t)shift + 1 && _PyLong_Sign(power) == 1
                   && _PyLong_Sign(less) == (shift > 0) && _PyLong_Sign(negative) == -1;
        Py_DECREF(one);
        Py_DECREF(by);
        Py_DECREF(power);
        Py_DECREF(less);
        Py_DECREF(negative);
        if (!good) {
            return failed("bits of 2**%d", shift);
        }
    }
    Py_RETURN_NONE;
}

/* ---- time ------------------------------------------------------------------------------------------ */

static int round_mode(int mode)
{
    if (mode < 0 || mode > 3) {
        PyErr_SetString(PyExc_ValueError, "invalid rounding");
        return -1;
    }
    return mode;
}

/* (time, rounding) or (number, rounding): 0 or -1. */
static int time_arguments(PyObject *args, PyTime_t *time, PyObject **number, int *round)
{
    PyObject *first;
    if (!PyArg_ParseTuple(args, "Oi", &first, round) || round_mode(*round) < 0) {
        return -1;
    }
    if (number != NULL) {
        *number = first;
        return 0;
    }
    *time = PyLong_AsLongLong(first);
    return *time == -1 && PyErr_Occurred() ? -1 : 0;
}

FUNCTION1(time_from_seconds, seconds)
{
    int number = PyLong_AsInt(seconds);
    return number == -1 && PyErr_Occurred() ? NULL
                                            : PyLong_FromLongLong(_PyTime_FromSeconds(number));
}

FUNCTIONN(time_from_seconds_object)
{
    PyObject *number;
    PyTime_t time;
    int round;
    if (time_arguments(args, NULL, &number, &round) < 0
        || _PyTime_FromSecondsObject(&time, number, round) < 0) {
        return NULL;
    }
    return PyLong_FromLongLong(time);
}

FUNCTIONN(time_as_milliseconds)
{
    PyTime_t time;
    int round;
    return time_arguments(args, &time, NULL, &round) < 0
               ? NULL
               : PyLong_FromLongLong(_PyTime_AsMilliseconds(time, round));
}

FUNCTIONN(time_as_microseconds)
{
    PyTime_t time;
    int round;
    return time_arguments(args, &time, NULL, &round) < 0
               ? NULL
               : PyLong_FromLongLong(_PyTime_AsMicroseconds(time, round));
}

FUNCTIONN(time_as_timeval)
{
    PyTime_t time;
    int round;
    struct timeval result;
    if (time_arguments(args, &time, NULL, &round) < 0
        || _PyTime_AsTimeval(time, &result, round) < 0) {
        return NULL;
    }
    return Py_BuildValue("Ll", (long long)result.tv_sec, (long)result.tv_usec);
}

FUNCTIONN(time_as_timeval_clamp)
{
    PyTime_t time;
    int round;
    struct timeval result;
    if (time_arguments(args, &time, NULL, &round) < 0) {
        return NULL;
    }
    _PyTime_AsTimeval_clamp(time, &result, round);
    return Py_BuildValue("Ll", (long long)result.tv_sec, (long)result.tv_usec);
}

FUNCTION1(time_as_timespec, number)
{
    struct timespec result;
    PyTime_t time = PyLong_AsLongLong(number);
    if ((time == -1 && PyErr_Occurred()) || _PyTime_AsTimespec(time, &result) < 0) {
        return NULL;
    }
    return Py_BuildValue("Ll", (long long)result.tv_sec, result.tv_nsec);
}

FUNCTION1(time_as_timespec_clamp, number)
{
    struct timespec result;
    PyTime_t time = PyLong_AsLongLong(number);
    if (time == -1 && PyErr_Occurred()) {
        return NULL;
    }
    _PyTime_AsTimespec_clamp(time, &result);
    return Py_BuildValue("Ll", (long long)result.tv_sec, result.tv_nsec);
}

FUNCTIONN(object_to_time_t)
{
    PyObject *number;
    time_t seconds;
    int round;
    if (time_arguments(args, NULL, &number, &round) < 0
        || _PyTime_ObjectToTime_t(number, &seconds, round) < 0) {
        return NULL;
    }
    return PyLong_FromLongLong(seconds);
}

static PyObject *object_to_parts(PyObject *args, int (*convert)(PyObject *, time_t *, long *, int))
{
    PyObject *number;
    time_t seconds;
    long parts;
    int round;
    if (time_arguments(args, NULL, &number, &round) < 0
        || convert(number, &seconds, &parts, round) < 0) {
        return NULL;
    }
    return Py_BuildValue("Ll", (long long)seconds, parts);
}

FUNCTIONN(object_to_timeval)
{
    return object_to_parts(args, _PyTime_ObjectToTimeval);
}

FUNCTIONN(object_to_timespec)
{
    return object_to_parts(args, _PyTime_ObjectToTimespec);
}

/* ---- pending calls --------------------------------------------------------------------------------- */

static int pending_call(void *arg)
{
    PyObject *callable = arg;
    PyObject *result = PyObject_CallNoArgs(callable);
    Py_DECREF(callable);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

/* pending_threadfunc(callable, num=1, *, blocking=False, ensure_added=False): how many were added. */
static PyObject *pending_threadfunc(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"callback", "num", "blocking", "ensure_added", NULL};
    PyObject *callable;
    unsigned num = 1;
    int blocking = 0, ensure = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|I$pp:pending_threadfunc", names, &callable,
                                     &num, &blocking, &ensure)) {
        return NULL;
    }
    Py_INCREF(callable); /* each added call owns one reference, and this function one */
    PyThreadState *saved = NULL;
    unsigned added = 0;
    for (unsigned i = 0; i < num; i++) {
        Py_INCREF(callable);
    }
    if (!blocking) {
        saved = PyEval_SaveThread();
    }
    while (added < num) {
        if (Py_AddPendingCall(pending_call, callable) == 0) {
            added++;
        } else if (!ensure) {
            break;
        }
    }
    if (saved != NULL) {
        PyEval_RestoreThread(saved);
    }
    for (unsigned i = added; i < num; i++) {
        Py_DECREF(callable);
    }
    Py_DECREF(callable);
    return PyLong_FromUnsignedLong(added);
}

/* ---- critical sections, mutexes -------------------------------------------------------------------- */

FUNCTION0(test_critical_sections)
{
    PyObject *a = PyDict_New(), *b = PyDict_New();
    if (a == NULL || b == NULL) {
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(a);
    Py_END_CRITICAL_SECTION();
    Py_BEGIN_CRITICAL_SECTION2(a, b);
    Py_END_CRITICAL_SECTION2();
    Py_BEGIN_CRITICAL_SECTION2(b, b);
    Py_END_CRITICAL_SECTION2();
    Py_DECREF(a);
    Py_DECREF(b);
    Py_RETURN_NONE;
}

FUNCTION0(test_critical_sections_nest)
{
    PyObject *a = PyDict_New(), *b = PyDict_New();
    if (a == NULL || b == NULL) {
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(a);
    Py_BEGIN_CRITICAL_SECTION(b);
    Py_BEGIN_CRITICAL_SECTION2(a, b);
    Py_END_CRITICAL_SECTION2();
    Py_END_CRITICAL_SECTION();
    Py_END_CRITICAL_SECTION();
    Py_DECREF(a);
    Py_DECREF(b);
    Py_RETURN_NONE;
}

/* Who detaches gives its sections up and has them again afterwards. */
FUNCTION0(test_critical_sections_suspend)
{
    PyObject *a = PyDict_New();
    if (a == NULL) {
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(a);
    Py_BEGIN_ALLOW_THREADS Py_END_ALLOW_THREADS Py_END_CRITICAL_SECTION();
    Py_DECREF(a);
    Py_RETURN_NONE;
}

FUNCTION0(test_lock_basic)
{
    PyMutex mutex = {0};
    PyMutex_Lock(&mutex);
    int held = mutex._bits & 1;
    PyMutex_Unlock(&mutex);
    return held && mutex._bits == 0 ? Py_NewRef(Py_None) : failed("the bits of a mutex");
}

enum { COUNTERS = 5, COUNTS = 10000 };

struct counter {
    PyMutex *mutex;
    long *value;
    PyThread_type_lock running;
};

static void count_up(void *arg)
{
    struct counter *counter = arg;
    for (int i = 0; i < COUNTS; i++) {
        PyMutex_Lock(counter->mutex);
        ++*counter->value;
        PyMutex_Unlock(counter->mutex);
    }
    PyThread_release_lock(counter->running);
}

/* Threads that count together lose nothing. */
FUNCTION0(test_lock_counter)
{
    PyMutex mutex = {0};
    long value = 0;
    struct counter counters[COUNTERS];
    for (int i = 0; i < COUNTERS; i++) {
        counters[i] = (struct counter){&mutex, &value, PyThread_allocate_lock()};
        PyThread_acquire_lock(counters[i].running, 1);
        if (PyThread_start_new_thread(count_up, &counters[i]) == PYTHREAD_INVALID_THREAD_ID) {
            Py_FatalError("no thread could be started");
        }
    }
    for (int i = 0; i < COUNTERS; i++) {
        Py_BEGIN_ALLOW_THREADS PyThread_acquire_lock(counters[i].running, 1);
        Py_END_ALLOW_THREADS PyThread_release_lock(counters[i].running);
        PyThread_free_lock(counters[i].running);
    }
    return value == COUNTERS * COUNTS ? Py_NewRef(Py_None) : failed("%ld counts", value);
}

/* ---- the locale's encoding ---- */

/* The pending Unicode error as the RuntimeError that tests look for: NULL. */
static PyObject *locale_failed(const char *what, PyObject *expected)
{
    if (!PyErr_ExceptionMatches(expected)) {
        return NULL;
    }
    PyObject *error = PyErr_GetRaisedException();
    PyObject *start = PyObject_GetAttrString(error, "start");
    PyObject *reason = start == NULL ? NULL : PyObject_GetAttrString(error, "reason");
    if (reason != NULL) {
        PyErr_Format(PyExc_RuntimeError, "%s error: pos=%S, reason=%S", what, start, reason);
    }
    Py_XDECREF(start);
    Py_XDECREF(reason);
    Py_DECREF(error);
    return NULL;
}

/* The argument `current` of both is of no use: it is always the current locale. */
static PyObject *EncodeLocaleEx(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *text;
    int current = 0;
    const char *errors = NULL;
    if (!PyArg_ParseTuple(args, "U|is", &text, &current, &errors)) {
        return NULL;
    }
    PyObject *result = PyUnicode_EncodeLocale(text, errors);
    return result != NULL ? result : locale_failed("encode", PyExc_UnicodeEncodeError);
}

static PyObject *DecodeLocaleEx(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *bytes, *errors = NULL;
    int current = 0;
    if (!PyArg_ParseTuple(args, "y|is", &bytes, &current, &errors)) {
        return NULL;
    }
    PyObject *result = PyUnicode_DecodeLocale(bytes, errors);
    return result != NULL ? result : locale_failed("decode", PyExc_UnicodeDecodeError);
}

/* ---- tracemalloc ---- */

FUNCTIONN(_PyTraceMalloc_GetTraceback_)
{
    unsigned domain;
    PyObject *address;
    if (!PyArg_ParseTuple(args, "IO", &domain, &address)) {
        return NULL;
    }
    void *block = PyLong_AsVoidPtr(address);
    return PyErr_Occurred() ? NULL : _PyTraceMalloc_GetTraceback(domain, (uintptr_t)block);
}

/* ---- the module ------------------------------------------------------------------------------------ */

static PyMethodDef methods[] = {
    {"_PyTraceMalloc_GetTraceback", _PyTraceMalloc_GetTraceback_, METH_VARARGS, NULL},
    VARARGS(EncodeLocaleEx),
    VARARGS(DecodeLocaleEx),
    NOARGS(get_recursion_depth),
    NOARGS(get_c_recursion_remaining),
    NOARGS(get_configs),
    NOARGS(get_config),
    ONE(set_config),
    ONE(has_inline_values),
    VARARGS(dict_getitem_knownhash),
    ONE(get_co_framesize),
    VARARGS(set_update),
    VARARGS(set_next_entry),
    NOARGS(check_pyobject_null_is_freed),
    NOARGS(check_pyobject_uninitialized_is_freed),
    NOARGS(check_pyobject_forbidden_bytes_is_freed),
    NOARGS(check_pyobject_freed_is_freed),
    ONE(suppress_immortalization),
    NOARGS(get_immortalize_deferred),
    NOARGS(pymem_getallocatorsname),
    ONE(compiler_cleandoc),
    {"_PyUnicode_TransformDecimalAndSpaceToASCII", transform_decimal, METH_O},
    NOARGS(test_long_numbits),
    {"_PyTime_FromSeconds", time_from_seconds, METH_O},
    {"_PyTime_FromSecondsObject", time_from_seconds_object, METH_VARARGS},
    {"_PyTime_AsMilliseconds", time_as_milliseconds, METH_VARARGS},
    {"_PyTime_AsMicroseconds", time_as_microseconds, METH_VARARGS},
    {"_PyTime_AsTimeval", time_as_timeval, METH_VARARGS},
    {"_PyTime_AsTimeval_clamp", time_as_timeval_clamp, METH_VARARGS},
    {"_PyTime_AsTimespec", time_as_timespec, METH_O},
    {"_PyTime_AsTimespec_clamp", time_as_timespec_clamp, METH_O},
    {"_PyTime_ObjectToTime_t", object_to_time_t, METH_VARARGS},
    {"_PyTime_ObjectToTimeval", object_to_timeval, METH_VARARGS},
    {"_PyTime_ObjectToTimespec", object_to_timespec, METH_VARARGS},
    KEYWORDS(pending_threadfunc),
    NOARGS(test_critical_sections),
    NOARGS(test_critical_sections_nest),
    NOARGS(test_critical_sections_suspend),
    NOARGS(test_lock_basic),
    NOARGS(test_lock_counter),
    {NULL},
};

/* What sys.getsizeof adds for the collector's and the managed words in front of an object. */
static int exec(PyObject *module)
{
    /* The collector needs no words in front of an object. */
    return PyModule_AddIntConstant(module, "SIZEOF_PYGC_HEAD", 0) < 0
                   || PyModule_AddIntConstant(module, "SIZEOF_MANAGED_PRE_HEADER", 16) < 0
                   || PyModule_AddIntConstant(module, "SIZEOF_PYOBJECT", sizeof(PyObject)) < 0
                   || PyModule_AddIntConstant(module, "SIZEOF_TIME_T", sizeof(time_t)) < 0
               ? -1
               : 0;
}

MODULE(_testinternalcapi, methods, exec)
