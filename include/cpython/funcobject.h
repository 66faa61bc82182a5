/* Python functions, classmethod and staticmethod. */
#ifndef Py_CPYTHON_FUNCOBJECT_H
#define Py_CPYTHON_FUNCOBJECT_H

#ifndef Py_LIMITED_API
_Py_BEGIN_DECLS

#define _Py_COMMON_FIELDS(prefix)                                                                  \
    PyObject *prefix##globals;                                                                     \
    PyObject *prefix##builtins;                                                                    \
    PyObject *prefix##name;                                                                        \
    PyObject *prefix##qualname;                                                                    \
    PyObject *prefix##code;                                                                        \
    PyObject *prefix##defaults;                                                                    \
    PyObject *prefix##kwdefaults;                                                                  \
    PyObject *prefix##closure;

typedef struct {
    PyObject *fc_globals;
    PyObject *fc_builtins;
    PyObject *fc_name;
    PyObject *fc_qualname;
    PyObject *fc_code;
    PyObject *fc_defaults;
    PyObject *fc_kwdefaults;
    PyObject *fc_closure;
} PyFrameConstructor;

typedef struct {
    PyObject_HEAD
    PyObject *func_globals;
    PyObject *func_builtins;
    PyObject *func_name;
    PyObject *func_qualname;
    PyObject *func_code;
    PyObject *func_defaults;
    PyObject *func_kwdefaults;
    PyObject *func_closure;
    PyObject *func_doc;
    PyObject *func_dict;
    PyObject *func_weakreflist;
    PyObject *func_module;
    PyObject *func_annotations;
    PyObject *func_typeparams;
    vectorcallfunc vectorcall;
    uint32_t func_version;
} PyFunctionObject;

PyAPI_DATA(PyTypeObject) PyClassMethod_Type;
PyAPI_DATA(PyTypeObject) PyFunction_Type;
PyAPI_DATA(PyTypeObject) PyStaticMethod_Type;
#define PyFunction_Check(op) Py_IS_TYPE((op), &PyFunction_Type)

/* New functions are new references; their parts are borrowed, NULL if absent. */
PyAPI_FUNC(PyObject *) PyFunction_GetAnnotations(PyObject *function);
PyAPI_FUNC(PyObject *) PyFunction_GetClosure(PyObject *function);
PyAPI_FUNC(PyObject *) PyFunction_GetCode(PyObject *function);
PyAPI_FUNC(PyObject *) PyFunction_GetDefaults(PyObject *function);
PyAPI_FUNC(PyObject *) PyFunction_GetGlobals(PyObject *function);
PyAPI_FUNC(PyObject *) PyFunction_GetKwDefaults(PyObject *function);
PyAPI_FUNC(PyObject *) PyFunction_GetModule(PyObject *function);
PyAPI_FUNC(PyObject *) PyFunction_New(PyObject *code, PyObject *globals);
PyAPI_FUNC(PyObject *) PyFunction_NewWithQualName(PyObject *code, PyObject *globals,
                                                  PyObject *qualname);

/* Change parts: 0, or -1 with an exception set. */
PyAPI_FUNC(int) PyFunction_SetAnnotations(PyObject *function, PyObject *annotations);
PyAPI_FUNC(int) PyFunction_SetClosure(PyObject *function, PyObject *closure);
PyAPI_FUNC(int) PyFunction_SetDefaults(PyObject *function, PyObject *defaults);
PyAPI_FUNC(int) PyFunction_SetKwDefaults(PyObject *function, PyObject *defaults);
PyAPI_FUNC(void) PyFunction_SetVectorcall(PyFunctionObject *function, vectorcallfunc vectorcall);
PyAPI_FUNC(PyObject *) PyClassMethod_New(PyObject *callable);
PyAPI_FUNC(PyObject *) PyStaticMethod_New(PyObject *callable);

#define _PyFunction_CAST(func) (assert(PyFunction_Check(func)), _Py_CAST(PyFunctionObject *, func))

/* Parts without checks: borrowed references. */
static inline PyObject *PyFunction_GET_CODE(PyObject *func)
{
    return _PyFunction_CAST(func)->func_code;
}
#define PyFunction_GET_CODE(func) PyFunction_GET_CODE(_PyObject_CAST(func))

static inline PyObject *PyFunction_GET_GLOBALS(PyObject *func)
{
    return _PyFunction_CAST(func)->func_globals;
}
#define PyFunction_GET_GLOBALS(func) PyFunction_GET_GLOBALS(_PyObject_CAST(func))

static inline PyObject *PyFunction_GET_MODULE(PyObject *func)
{
    return _PyFunction_CAST(func)->func_module;
}
#define PyFunction_GET_MODULE(func) PyFunction_GET_MODULE(_PyObject_CAST(func))

static inline PyObject *PyFunction_GET_DEFAULTS(PyObject *func)
{
    return _PyFunction_CAST(func)->func_defaults;
}
#define PyFunction_GET_DEFAULTS(func) PyFunction_GET_DEFAULTS(_PyObject_CAST(func))

static inline PyObject *PyFunction_GET_KW_DEFAULTS(PyObject *func)
{
    return _PyFunction_CAST(func)->func_kwdefaults;
}
#define PyFunction_GET_KW_DEFAULTS(func) PyFunction_GET_KW_DEFAULTS(_PyObject_CAST(func))

static inline PyObject *PyFunction_GET_CLOSURE(PyObject *func)
{
    return _PyFunction_CAST(func)->func_closure;
}
#define PyFunction_GET_CLOSURE(func) PyFunction_GET_CLOSURE(_PyObject_CAST(func))

static inline PyObject *PyFunction_GET_ANNOTATIONS(PyObject *func)
{
    return _PyFunction_CAST(func)->func_annotations;
}
#define PyFunction_GET_ANNOTATIONS(func) PyFunction_GET_ANNOTATIONS(_PyObject_CAST(func))

/* What happened to a function, for watchers. */
#define PY_FOREACH_FUNC_EVENT(V)                                                                   \
    V(CREATE) V(DESTROY) V(MODIFY_CODE) V(MODIFY_DEFAULTS) V(MODIFY_KWDEFAULTS)
typedef enum {
    PyFunction_EVENT_CREATE = 0,
    PyFunction_EVENT_DESTROY = 1,
    PyFunction_EVENT_MODIFY_CODE = 2,
    PyFunction_EVENT_MODIFY_DEFAULTS = 3,
    PyFunction_EVENT_MODIFY_KWDEFAULTS = 4
} PyFunction_WatchEvent;
typedef int (*PyFunction_WatchCallback)(PyFunction_WatchEvent, PyFunctionObject *, PyObject *);

PyAPI_FUNC(int) PyFunction_AddWatcher(PyFunction_WatchCallback callback);
PyAPI_FUNC(int) PyFunction_ClearWatcher(int watcher);

_Py_END_DECLS
#endif

#endif
