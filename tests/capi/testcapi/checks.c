/* Tests that check themselves: counts, capsules, weak references, the collector, struct sequences, ... */
#include "parts.h"

#include <stddef.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    if (!(condition)) {                                                                            \
        return failed("%s: %s", __func__, #condition);                                             \
    }

/* ---- reference counts ------------------------------------------------------------------------------- */

FUNCTION0(test_refcount_macros)
{
    PyObject *object = PyList_New(0);
    CHECK(Py_REFCNT(object) == 1);
    PyObject *same = Py_NewRef(object);
    CHECK(same == object && Py_REFCNT(object) == 2);
    Py_DECREF(same);
    same = Py_XNewRef(object);
    CHECK(same == object && Py_REFCNT(object) == 2);
    Py_DECREF(object);
    CHECK(Py_XNewRef(NULL) == NULL);
    Py_DECREF(object);
    Py_RETURN_NONE;
}

#undef Py_NewRef
#undef Py_XNewRef

FUNCTION0(test_refcount_funcs)
{
    PyObject *object = PyList_New(0);
    PyObject *same = Py_NewRef(object);
    CHECK(same == object && Py_REFCNT(object) == 2);
    Py_DECREF(same);
    same = Py_XNewRef(object);
    CHECK(same == object && Py_REFCNT(object) == 2);
    Py_DECREF(object);
    CHECK(Py_XNewRef(NULL) == NULL);
    Py_DECREF(object);
    Py_RETURN_NONE;
}

#define Py_NewRef(object) Py_NewRef(_PyObject_CAST(object))
#define Py_XNewRef(object) Py_XNewRef(_PyObject_CAST(object))

FUNCTION0(test_incref_decref_API)
{
    PyObject *object = PyLong_FromLong(123456);
    Py_IncRef(object);
    Py_DecRef(object);
    CHECK(Py_REFCNT(object) == 1);
    Py_DecRef(object);
    Py_IncRef(NULL);
    Py_DecRef(NULL);
    Py_RETURN_NONE;
}

/* The test modules' own leak finder counts references: here only that nothing is lost or dies too early. */
static PyObject *count_after(void (*change)(PyObject *))
{
    PyObject *object = PyList_New(0);
    Py_ssize_t before = Py_REFCNT(object);
    change(object);
    CHECK(Py_REFCNT(object) == before);
    Py_DECREF(object);
    Py_RETURN_NONE;
}

static void use_incref(PyObject *object)
{
    Py_INCREF(object);
    Py_DECREF(object);
}

static void use_xincref(PyObject *object)
{
    Py_XINCREF(object);
    Py_XDECREF(object);
    Py_XINCREF(NULL);
    Py_XDECREF(NULL);
}

FUNCTION0(test_incref_doesnt_leak)
{
    return count_after(use_incref);
}

FUNCTION0(test_decref_doesnt_leak)
{
    return count_after(use_incref);
}

FUNCTION0(test_xincref_doesnt_leak)
{
    return count_after(use_xincref);
}

FUNCTION0(test_xdecref_doesnt_leak)
{
    return count_after(use_xincref);
}

/* Macros evaluate their argument once. */
static int evaluated;

static PyObject **counted(PyObject **place)
{
    evaluated++;
    return place;
}

FUNCTION0(test_py_clear)
{
    PyObject *array[2] = {PyList_New(0), NULL};
    evaluated = 0;
    Py_CLEAR(*counted(array));
    CHECK(array[0] == NULL && evaluated == 1);
    Py_CLEAR(array[1]);
    CHECK(array[1] == NULL);
    Py_RETURN_NONE;
}

FUNCTION0(test_py_setref)
{
    PyObject *array[2] = {PyList_New(0), NULL}, *value = PyList_New(0);
    evaluated = 0;
    Py_SETREF(*counted(array), value);
    CHECK(array[0] == value && evaluated == 1);
    Py_XSETREF(array[1], NULL);
    Py_XSETREF(array[0], NULL);
    CHECK(array[0] == NULL && array[1] == NULL);
    Py_RETURN_NONE;
}

static PyObject *check_is(int is, int is_none, int is_true, int is_false)
{
    CHECK(is == 1 && is_none == 1 && is_true == 1 && is_false == 1);
    Py_RETURN_NONE;
}

FUNCTION0(test_py_is_macros)
{
    return check_is(Py_Is(Py_None, Py_None) && !Py_Is(Py_None, Py_True), Py_IsNone(Py_None),
                    Py_IsTrue(Py_True) && !Py_IsTrue(Py_False), Py_IsFalse(Py_False));
}

#undef Py_Is
#undef Py_IsNone
#undef Py_IsTrue
#undef Py_IsFalse

FUNCTION0(test_py_is_funcs)
{
    return check_is(Py_Is(Py_None, Py_None) && !Py_Is(Py_None, Py_True), Py_IsNone(Py_None),
                    Py_IsTrue(Py_True) && !Py_IsTrue(Py_False), Py_IsFalse(Py_False));
}

static int is_immortal(PyObject *object)
{
    return _Py_IsImmortal(object) != 0;
}

FUNCTION0(test_immortal_builtins)
{
    PyObject *const objects[] = {Py_True, Py_False, Py_None, Py_Ellipsis, Py_NotImplemented};
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        CHECK(is_immortal(objects[i]));
        Py_ssize_t before = Py_REFCNT(objects[i]);
        for (int j = 0; j < 1000; j++) {
            Py_DECREF(objects[i]);
        }
        CHECK(Py_REFCNT(objects[i]) == before);
    }
    Py_RETURN_NONE;
}

FUNCTION0(test_immortal_small_ints)
{
    for (int i = -5; i <= 256; i++) {
        PyObject *number = PyLong_FromLong(i);
        CHECK(is_immortal(number) && PyUnstable_Long_IsCompact((PyLongObject *)number)
              && PyUnstable_Long_CompactValue((PyLongObject *)number) == i);
    }
    Py_RETURN_NONE;
}

/* ---- sizes, macros ------------------------------------------------------------------------------------- */

FUNCTION0(test_sizeof_c_types)
{
    CHECK(sizeof(char) == 1 && sizeof(short) >= 2 && sizeof(int) >= 4 && sizeof(long) >= 4);
    CHECK(sizeof(Py_ssize_t) == sizeof(size_t) && sizeof(Py_hash_t) == sizeof(Py_ssize_t));
    CHECK(sizeof(time_t) == SIZEOF_TIME_T && sizeof(void *) == SIZEOF_VOID_P);
    CHECK(sizeof(Py_UCS1) == 1 && sizeof(Py_UCS2) == 2 && sizeof(Py_UCS4) == 4);
    Py_RETURN_NONE;
}

struct with_member {
    int first;
    double second[3];
};

FUNCTION0(test_macros)
{
    int array[7];
    CHECK(Py_MIN(5, 11) == 5 && Py_MAX(5, 11) == 11 && Py_ABS(-5) == 5);
    CHECK(Py_MEMBER_SIZE(struct with_member, second) == 3 * sizeof(double));
    CHECK(Py_ARRAY_LENGTH(array) == 7 && strcmp(Py_STRINGIFY(123), "123") == 0);
    CHECK(Py_CHARMASK('\xff') == 255);
    Py_RETURN_NONE;
}

FUNCTION0(test_set_type_size)
{
    PyObject *list = PyList_New(0);
    Py_SET_TYPE(list, &PyList_Type);
    CHECK(Py_TYPE(list) == &PyList_Type);
    Py_SET_SIZE(list, 0);
    CHECK(Py_SIZE(list) == 0);
    Py_DECREF(list);
    Py_RETURN_NONE;
}

/* What is said by pyconfig.h is so. */
FUNCTION0(test_config)
{
    CHECK(SIZEOF_SHORT == sizeof(short) && SIZEOF_INT == sizeof(int)
          && SIZEOF_LONG == sizeof(long));
    CHECK(SIZEOF_VOID_P == sizeof(void *) && SIZEOF_TIME_T == sizeof(time_t));
    CHECK(SIZEOF_LONG_LONG == sizeof(long long) && SIZEOF_SIZE_T == sizeof(size_t));
    Py_RETURN_NONE;
}

/* A static type that only PyObject_Hash makes ready: it hashes as object does. */
FUNCTION0(test_lazy_hash_inheritance)
{
    static PyTypeObject type = {
        PyVarObject_HEAD_INIT(NULL, 0).tp_name = "hash_test",
        .tp_basicsize = sizeof(PyObject),
    };
    if (type.tp_dict != NULL) {
        Py_RETURN_NONE; /* it is ready from a run before */
    }
    PyObject *object = PyObject_New(PyObject, &type);
    CHECK(object != NULL && type.tp_dict == NULL);
    Py_hash_t hash = PyObject_Hash(object);
    CHECK(hash != -1 && type.tp_dict != NULL && type.tp_hash == PyType_Type.tp_hash);
    CHECK(hash == Py_HashPointer(object));
    Py_DECREF(object);
    Py_RETURN_NONE;
}

static PyTypeObject basic_types[4];

/* A fresh static type, as PyType_Ready left it: each one once. */
FUNCTIONN(get_basic_static_type)
{
    static int used;
    PyObject *base = NULL;
    if (!PyArg_ParseTuple(args, "|O", &base)) {
        return NULL;
    }
    if (used == (int)(sizeof basic_types / sizeof basic_types[0])) {
        return failed("no more types");
    }
    PyTypeObject *type = &basic_types[used++];
    *type = (PyTypeObject){
        PyVarObject_HEAD_INIT(NULL, 0).tp_name = "BasicStaticType",
        .tp_basicsize = sizeof(PyObject),
    };
    type->tp_base = (PyTypeObject *)Py_XNewRef(base);
    if (base != NULL) {
        type->tp_bases = PyTuple_Pack(1, base);
    }
    return PyType_Ready(type) < 0 ? NULL : Py_NewRef((PyObject *)type);
}

/* ---- capsules --------------------------------------------------------------------------------------------- */

static int destroyed;

static void destroy(PyObject *capsule)
{
    destroyed += *(int *)PyCapsule_GetContext(capsule);
}

FUNCTION0(test_capsule)
{
    int pointer, context = 7, other;
    static const char name[] = "capsule name", name2[] = "another name";
    PyObject *capsule = PyCapsule_New(&pointer, name, destroy);
    CHECK(capsule != NULL && PyCapsule_SetContext(capsule, &context) == 0);
    destroyed = 0;
    CHECK(PyCapsule_GetPointer(capsule, name) == &pointer);
    CHECK(PyCapsule_GetContext(capsule) == &context && PyCapsule_GetName(capsule) == name);
    CHECK(PyCapsule_IsValid(capsule, name) && !PyCapsule_IsValid(capsule, "no"));
    CHECK(PyCapsule_GetPointer(capsule, "no") == NULL && PyErr_Occurred());
    PyErr_Clear();
    CHECK(PyCapsule_SetName(capsule, name2) == 0 && PyCapsule_SetPointer(capsule, &other) == 0);
    CHECK(PyCapsule_GetPointer(capsule, name2) == &other);
    Py_DECREF(capsule);
    CHECK(destroyed == 7);
    CHECK(PyCapsule_New(NULL, name, NULL) == NULL && PyErr_ExceptionMatches(PyExc_ValueError));
    PyErr_Clear();
    CHECK(PyCapsule_Import("datetime.datetime_CAPI", 0) != NULL || !PyErr_Occurred()
          || (PyErr_Clear(), 1));
    Py_RETURN_NONE;
}

/* ---- weak references ---------------------------------------------------------------------------------------- */

_Py_COMP_DIAG_PUSH _Py_COMP_DIAG_IGNORE_DEPR_DECLS FUNCTION0(test_weakref_capi)
{
    PyObject *type = PyObject_CallFunction((PyObject *)&PyType_Type, "s(){}", "C"),
             *object = UNSET_POINTER;
    PyObject *target = type == NULL ? NULL : PyObject_CallNoArgs(type);
    PyObject *reference = target == NULL ? NULL : PyWeakref_NewRef(target, NULL);
    CHECK(reference != NULL && PyWeakref_Check(reference) && PyWeakref_CheckRefExact(reference)
          && !PyWeakref_CheckProxy(reference));
    CHECK(PyWeakref_GetRef(reference, &object) == 1 && object == target);
    Py_DECREF(object);
    CHECK(PyWeakref_GetObject(reference) == target && PyWeakref_GET_OBJECT(reference) == target);
    Py_DECREF(target);
    CHECK(PyWeakref_GetRef(reference, &object) == 0 && object == NULL);
    CHECK(PyWeakref_GetObject(reference) == Py_None && PyWeakref_GET_OBJECT(reference) == Py_None);
    object = UNSET_POINTER;
    CHECK(PyWeakref_GetRef(type, &object) == -1 && object == NULL
          && PyErr_ExceptionMatches(PyExc_TypeError));
    PyErr_Clear();
    object = UNSET_POINTER;
    CHECK(PyWeakref_GetRef(NULL, &object) == -1 && object == NULL
          && PyErr_ExceptionMatches(PyExc_SystemError));
    PyErr_Clear();
    CHECK(PyWeakref_GetObject(type) == NULL && PyErr_ExceptionMatches(PyExc_SystemError));
    PyErr_Clear();
    Py_DECREF(reference);
    Py_DECREF(type);
    Py_RETURN_NONE;
}
_Py_COMP_DIAG_POP

/* ---- the collector ---------------------------------------------------------------------------------------------- */

FUNCTION0(test_gc_control)
{
    int before = PyGC_IsEnabled();
    PyGC_Enable();
    CHECK(PyGC_Enable() == 1 && PyGC_IsEnabled() == 1);
    CHECK(PyGC_Disable() == 1 && PyGC_IsEnabled() == 0);
    CHECK(PyGC_Disable() == 0 && PyGC_Enable() == 0);
    if (!before) {
        PyGC_Disable();
    }
    Py_RETURN_NONE;
}

struct looking_for {
    PyObject *target;
    int found, stop, calls;
};

static int look(PyObject *object, void *arg)
{
    struct looking_for *looking = arg;
    looking->calls++;
    looking->found += object == looking->target;
    return !looking->stop;
}

FUNCTION0(test_gc_visit_objects_basic)
{
    struct looking_for looking = {PyList_New(0), 0, 0, 0};
    PyUnstable_GC_VisitObjects(look, &looking);
    Py_DECREF(looking.target);
    CHECK(looking.found == 1);
    Py_RETURN_NONE;
}

FUNCTION0(test_gc_visit_objects_exit_early)
{
    struct looking_for looking = {NULL, 0, 1, 0};
    PyUnstable_GC_VisitObjects(look, &looking);
    CHECK(looking.calls == 1);
    Py_RETURN_NONE;
}

/* ---- struct sequences --------------------------------------------------------------------------------------------- */

FUNCTION0(test_structseq_newtype_doesnt_leak)
{
    PyStructSequence_Field fields[] = {
        {"foo", "foo value"}, {NULL, NULL}, {"bar", NULL}, {NULL, NULL}};
    fields[1].name = (char *)PyStructSequence_UnnamedField;
    PyStructSequence_Desc description = {
        "_testcapi.test_descr",
        "This is used to test for memory leaks in NewType",
        fields,
        1,
    };
    PyTypeObject *type = PyStructSequence_NewType(&description);
    CHECK(type != NULL && PyType_Check(type)
          && PyType_FastSubclass(type, Py_TPFLAGS_TUPLE_SUBCLASS));
    Py_DECREF(type);
    Py_RETURN_NONE;
}

FUNCTION0(test_structseq_newtype_null_descr_doc)
{
    PyStructSequence_Field fields[] = {{"foo", "foo value"}, {NULL, NULL}};
    PyStructSequence_Desc description = {"_testcapi.test_descr", NULL, fields, 1};
    PyTypeObject *type = PyStructSequence_NewType(&description);
    CHECK(type != NULL && PyType_Check(type));
    Py_DECREF(type);
    Py_RETURN_NONE;
}

/* ---- reference tracers --------------------------------------------------------------------------------------------- */

struct traced {
    PyObject *made[64];
    int created, destroyed;
};

static int trace(PyObject *object, PyRefTracerEvent event, void *data)
{
    struct traced *traced = data;
    if (event == PyRefTracer_CREATE) {
        traced->created++;
    } else {
        traced->destroyed++;
    }
    return 0;
}

FUNCTION0(test_reftracer)
{
    struct traced traced = {.created = 0};
    void *before_data, *data;
    PyRefTracer before = PyRefTracer_GetTracer(&before_data);
    CHECK(PyRefTracer_SetTracer(trace, &traced) == 0);
    PyRefTracer now = PyRefTracer_GetTracer(&data);
    PyObject *object = PyList_New(0);
    int created = traced.created;
    Py_XDECREF(object);
    int destroyed_now = traced.destroyed;
    PyRefTracer_SetTracer(before, before_data);
    CHECK(now == trace && data == &traced && created == 1 && destroyed_now == 1);
    Py_RETURN_NONE;
}

/* ---- code objects ---------------------------------------------------------------------------------------------------- */

FUNCTION0(test_code_api)
{
    PyCodeObject *code = PyCode_NewEmpty("_testcapi", "dummy", 1);
    CHECK(code != NULL && PyCode_Check(code));
    PyObject *bytes = PyCode_GetCode(code), *names = PyCode_GetVarnames(code);
    PyObject *cells = PyCode_GetCellvars(code), *free = PyCode_GetFreevars(code);
    CHECK(bytes != NULL && PyBytes_CheckExact(bytes) && PyBytes_GET_SIZE(bytes) > 0);
    CHECK(names != NULL && PyTuple_CheckExact(names) && PyTuple_GET_SIZE(names) == 0);
    CHECK(cells != NULL && PyTuple_CheckExact(cells) && PyTuple_GET_SIZE(cells) == 0);
    CHECK(free != NULL && PyTuple_CheckExact(free) && PyTuple_GET_SIZE(free) == 0);
    CHECK(PyCode_GetNumFree(code) == 0 && PyCode_GetFirstFree(code) == 0);
    Py_DECREF(bytes);
    Py_DECREF(names);
    Py_DECREF(cells);
    Py_DECREF(free);
    Py_DECREF(code);
    Py_RETURN_NONE;
}

static int extra_freed;

static void free_extra(void *extra)
{
    extra_freed += extra != NULL;
}

FUNCTION0(test_code_extra)
{
    Py_ssize_t index = PyUnstable_Eval_RequestCodeExtraIndex(free_extra);
    CHECK(index >= 0);
    PyCodeObject *code = PyCode_NewEmpty("_testcapi", "dummy", 1);
    void *extra = UNSET_POINTER;
    int value;
    CHECK(PyUnstable_Code_GetExtra((PyObject *)code, index, &extra) == 0 && extra == NULL);
    CHECK(PyUnstable_Code_SetExtra((PyObject *)code, index, &value) == 0);
    CHECK(PyUnstable_Code_GetExtra((PyObject *)code, index, &extra) == 0 && extra == &value);
    extra_freed = 0;
    Py_DECREF(code);
    Py_RETURN_NONE;
}

FUNCTION0(test_critical_sections)
{
    PyObject *a = PyList_New(0), *b = PyList_New(0);
    Py_BEGIN_CRITICAL_SECTION(a);
    Py_END_CRITICAL_SECTION();
    Py_BEGIN_CRITICAL_SECTION2(a, b);
    Py_END_CRITICAL_SECTION2();
    Py_DECREF(a);
    Py_DECREF(b);
    Py_RETURN_NONE;
}

/* ---- the end of an interpreter ------------------------------------------------------------------------------------------ */

static void at_exit(void *data)
{
    ++*(int *)data;
}

#ifdef HAVE_SUBINTERPRETERS
FUNCTION0(test_atexit)
{
    int called = 0;
    PyThreadState *here = PyThreadState_Swap(NULL), *inside = Py_NewInterpreter();
    int result = inside == NULL ? -1 : PyUnstable_AtExit(inside->interp, at_exit, &called);
    if (inside != NULL) {
        Py_EndInterpreter(inside);
    }
    PyThreadState_Swap(here);
    CHECK(result == 0 && called == 1);
    Py_RETURN_NONE;
}
#endif

/* ---- what the build has --------------------------------------------------------------------------------------------------- */

FUNCTION0(get_feature_macros)
{
    static const struct {
        const char *name;
        int has;
    } features[] = {
        {"HAVE_FORK", 1},    {"MS_WINDOWS", 0},    {"PY_HAVE_THREAD_NATIVE_ID", 1},
        {"Py_REF_DEBUG", 0}, {"Py_TRACE_REFS", 0}, {"USE_STACKCHECK", 0},
    };
    PyObject *dict = PyDict_New();
    for (size_t i = 0; i < sizeof features / sizeof features[0] && dict != NULL; i++) {
        if (PyDict_SetItemString(dict, features[i].name, features[i].has ? Py_True : Py_False)
            < 0) {
            Py_CLEAR(dict);
        }
    }
    return dict;
}

static PyMethodDef methods[] = {
    NOARGS(test_refcount_macros),
    NOARGS(test_refcount_funcs),
    NOARGS(test_incref_decref_API),
    NOARGS(test_incref_doesnt_leak),
    NOARGS(test_decref_doesnt_leak),
    NOARGS(test_xincref_doesnt_leak),
    NOARGS(test_xdecref_doesnt_leak),
    NOARGS(test_py_clear),
    NOARGS(test_py_setref),
    NOARGS(test_py_is_macros),
    NOARGS(test_py_is_funcs),
    NOARGS(test_immortal_builtins),
    NOARGS(test_immortal_small_ints),
    NOARGS(test_sizeof_c_types),
    NOARGS(test_macros),
    NOARGS(test_set_type_size),
    NOARGS(test_config),
    NOARGS(test_lazy_hash_inheritance),
    VARARGS(get_basic_static_type),
    NOARGS(test_capsule),
    NOARGS(test_weakref_capi),
    NOARGS(test_gc_control),
    NOARGS(test_gc_visit_objects_basic),
    NOARGS(test_gc_visit_objects_exit_early),
    NOARGS(test_structseq_newtype_doesnt_leak),
    NOARGS(test_structseq_newtype_null_descr_doc),
    NOARGS(test_reftracer),
    NOARGS(test_code_api),
    NOARGS(test_code_extra),
    NOARGS(test_critical_sections),
    NOARGS(get_feature_macros),
    {NULL},
};

int add_checks(PyObject *module)
{
    (void)at_exit;
    return PyModule_AddFunctions(module, methods);
}
