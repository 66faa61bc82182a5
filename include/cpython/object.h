/* Full definition of types, and what only the unlimited API offers for objects. */
#ifndef Py_CPYTHON_OBJECT_H
#define Py_CPYTHON_OBJECT_H

_Py_BEGIN_DECLS

typedef struct {
    binaryfunc nb_add;
    binaryfunc nb_subtract;
    binaryfunc nb_multiply;
    binaryfunc nb_remainder;
    binaryfunc nb_divmod;
    ternaryfunc nb_power;
    unaryfunc nb_negative;
    unaryfunc nb_positive;
    unaryfunc nb_absolute;
    inquiry nb_bool;
    unaryfunc nb_invert;
    binaryfunc nb_lshift;
    binaryfunc nb_rshift;
    binaryfunc nb_and;
    binaryfunc nb_xor;
    binaryfunc nb_or;
    unaryfunc nb_int;
    void *nb_reserved;
    unaryfunc nb_float;
    binaryfunc nb_inplace_add;
    binaryfunc nb_inplace_subtract;
    binaryfunc nb_inplace_multiply;
    binaryfunc nb_inplace_remainder;
    ternaryfunc nb_inplace_power;
    binaryfunc nb_inplace_lshift;
    binaryfunc nb_inplace_rshift;
    binaryfunc nb_inplace_and;
    binaryfunc nb_inplace_xor;
    binaryfunc nb_inplace_or;
    binaryfunc nb_floor_divide;
    binaryfunc nb_true_divide;
    binaryfunc nb_inplace_floor_divide;
    binaryfunc nb_inplace_true_divide;
    unaryfunc nb_index;
    binaryfunc nb_matrix_multiply;
    binaryfunc nb_inplace_matrix_multiply;
} PyNumberMethods;

typedef struct {
    lenfunc sq_length;
    binaryfunc sq_concat;
    ssizeargfunc sq_repeat;
    ssizeargfunc sq_item;
    void *was_sq_slice;
    ssizeobjargproc sq_ass_item;
    void *was_sq_ass_slice;
    objobjproc sq_contains;
    binaryfunc sq_inplace_concat;
    ssizeargfunc sq_inplace_repeat;
} PySequenceMethods;

typedef struct {
    lenfunc mp_length;
    binaryfunc mp_subscript;
    objobjargproc mp_ass_subscript;
} PyMappingMethods;

typedef PySendResult (*sendfunc)(PyObject *, PyObject *, PyObject **);

typedef struct {
    unaryfunc am_await;
    unaryfunc am_aiter;
    unaryfunc am_anext;
    sendfunc am_send;
} PyAsyncMethods;

typedef struct {
    getbufferproc bf_getbuffer;
    releasebufferproc bf_releasebuffer;
} PyBufferProcs;

typedef Py_ssize_t printfunc;

/* A type. Binaries contain these structs, and call the slots of the runtime's own. */
struct _typeobject {
    PyObject_VAR_HEAD
    const char *tp_name;
    Py_ssize_t tp_basicsize;
    Py_ssize_t tp_itemsize;
    destructor tp_dealloc;
    Py_ssize_t tp_vectorcall_offset;
    getattrfunc tp_getattr;
    setattrfunc tp_setattr;
    PyAsyncMethods *tp_as_async;
    reprfunc tp_repr;
    PyNumberMethods *tp_as_number;
    PySequenceMethods *tp_as_sequence;
    PyMappingMethods *tp_as_mapping;
    hashfunc tp_hash;
    ternaryfunc tp_call;
    reprfunc tp_str;
    getattrofunc tp_getattro;
    setattrofunc tp_setattro;
    PyBufferProcs *tp_as_buffer;
    unsigned long tp_flags;
    const char *tp_doc;
    traverseproc tp_traverse;
    inquiry tp_clear;
    richcmpfunc tp_richcompare;
    Py_ssize_t tp_weaklistoffset;
    getiterfunc tp_iter;
    iternextfunc tp_iternext;
    PyMethodDef *tp_methods;
    PyMemberDef *tp_members;
    PyGetSetDef *tp_getset;
    PyTypeObject *tp_base;
    PyObject *tp_dict;
    descrgetfunc tp_descr_get;
    descrsetfunc tp_descr_set;
    Py_ssize_t tp_dictoffset;
    initproc tp_init;
    allocfunc tp_alloc;
    newfunc tp_new;
    freefunc tp_free;
    inquiry tp_is_gc;
    PyObject *tp_bases;
    PyObject *tp_mro;
    PyObject *tp_cache;
    void *tp_subclasses;
    PyObject *tp_weaklist;
    destructor tp_del;
    unsigned int tp_version_tag;
    destructor tp_finalize;
    vectorcallfunc tp_vectorcall;
    unsigned char tp_watched;
    uint16_t tp_versions_used;
};

/* The number under which a type's instances of specialised code find it. */
struct _specialization_cache {
    PyObject *getitem;
    uint32_t getitem_version;
    PyObject *init;
};

/* A type made at run time; its member descriptions follow. */
typedef struct _heaptypeobject {
    PyTypeObject ht_type;
    PyAsyncMethods as_async;
    PyNumberMethods as_number;
    PyMappingMethods as_mapping;
    PySequenceMethods as_sequence;
    PyBufferProcs as_buffer;
    PyObject *ht_name;
    PyObject *ht_slots;
    PyObject *ht_qualname;
    struct _dictkeysobject *ht_cached_keys;
    PyObject *ht_module;
    char *_ht_tpname;
    struct _specialization_cache _spec_cache;
} PyHeapTypeObject;

/* ---- identifiers: names that become interned strings on first use ---- */

typedef struct _Py_Identifier {
    const char *string;
    Py_ssize_t index;
    struct {
        uint8_t v;
    } mutex;
} _Py_Identifier;

#ifdef __cplusplus
#  define _Py_static_string_init(value) {value, -1, {0}}
#else
#  define _Py_static_string_init(value) {.string = (value), .index = -1}
#endif
#define _Py_static_string(varname, value)                                                          \
    static _Py_Identifier varname = _Py_static_string_init(value)
#define _Py_IDENTIFIER(varname) _Py_static_string(PyId_##varname, #varname)

/* ---- types ---- */

typedef int (*PyType_WatchCallback)(PyTypeObject *);
#define TYPE_MAX_WATCHERS 8

/* Called for every object made and destroyed. */
typedef enum {
    PyRefTracer_CREATE = 0,
    PyRefTracer_DESTROY = 1
} PyRefTracerEvent;
typedef int (*PyRefTracer)(PyObject *, PyRefTracerEvent, void *);

/* Attribute found along the MRO: borrowed reference, or NULL without an exception. */
PyAPI_FUNC(PyObject *) _PyType_Lookup(PyTypeObject *type, PyObject *name);
PyAPI_FUNC(PyObject *) _PyType_LookupRef(PyTypeObject *type, PyObject *name);

/* Watch changes of types; -1 with an exception set. */
PyAPI_FUNC(int) PyType_AddWatcher(PyType_WatchCallback callback);
PyAPI_FUNC(int) PyType_ClearWatcher(int watcher);
PyAPI_FUNC(int) PyType_Watch(int watcher, PyObject *type);
PyAPI_FUNC(void) PyObject_CallFinalizer(PyObject *op);
PyAPI_FUNC(int) PyObject_CallFinalizerFromDealloc(PyObject *op);
PyAPI_FUNC(void) PyObject_ClearManagedDict(PyObject *op);
PyAPI_FUNC(void *) PyObject_GetItemData(PyObject *op);
PyAPI_FUNC(int) PyObject_Print(PyObject *op, FILE *stream, int flags);
PyAPI_FUNC(int) PyObject_VisitManagedDict(PyObject *op, visitproc visit, void *arg);
PyAPI_FUNC(PyRefTracer) PyRefTracer_GetTracer(void **data);
PyAPI_FUNC(int) PyRefTracer_SetTracer(PyRefTracer tracer, void *data);
PyAPI_FUNC(PyObject *) PyType_GetDict(PyTypeObject *type);
PyAPI_FUNC(int) PyType_Unwatch(int watcher, PyObject *type);
PyAPI_FUNC(void) PyUnstable_Object_ClearWeakRefsNoCallbacks(PyObject *op);
PyAPI_FUNC(int) PyUnstable_Type_AssignVersionTag(PyTypeObject *type);
PyAPI_FUNC(_Py_NO_RETURN void) _PyObject_AssertFailed(PyObject *op, const char *expression,
                                                      const char *message, const char *filename,
                                                      int line, const char *function);
PyAPI_FUNC(void) _PyObject_Dump(PyObject *op);
PyAPI_FUNC(PyObject *) _PyObject_FunctionStr(PyObject *op);
PyAPI_FUNC(PyObject *) _PyObject_GenericGetAttrWithDict(PyObject *op, PyObject *name,
                                                        PyObject *dict, int suppress);
PyAPI_FUNC(int) _PyObject_GenericSetAttrWithDict(PyObject *op, PyObject *name, PyObject *value,
                                                 PyObject *dict);
PyAPI_FUNC(PyObject *) _PyObject_GetAttrId(PyObject *op, _Py_Identifier *name);
PyAPI_FUNC(PyObject **) _PyObject_GetDictPtr(PyObject *op);
PyAPI_FUNC(int) _PyObject_SetManagedDict(PyObject *op, PyObject *dict);
PyAPI_FUNC(int) _PyTrash_begin(PyThreadState *ts, PyObject *op);
PyAPI_FUNC(void) _PyTrash_end(PyThreadState *ts);
PyAPI_FUNC(void) _PyTrash_thread_deposit_object(PyThreadState *ts, PyObject *op);
PyAPI_FUNC(void) _PyTrash_thread_destroy_chain(PyThreadState *ts);
PyAPI_FUNC(const char *) _PyType_Name(PyTypeObject *type);
PyAPI_FUNC(void) _Py_BreakPoint(void);
PyAPI_FUNC(void) _Py_NewReference(PyObject *op);
PyAPI_FUNC(void) _Py_NewReferenceNoTotal(PyObject *op);
PyAPI_FUNC(void) _Py_ResurrectReference(PyObject *op);

/* ---- assignment that releases the old value last ---- */

#define Py_SETREF(dst, src)                                                                        \
    do {                                                                                           \
        PyObject **_py_dst = _Py_CAST(PyObject **, &(dst));                                        \
        PyObject *_py_old = *_py_dst;                                                              \
        *_py_dst = _PyObject_CAST(src);                                                            \
        Py_DECREF(_py_old);                                                                        \
    } while (0)
#define Py_XSETREF(dst, src)                                                                       \
    do {                                                                                           \
        PyObject **_py_dst = _Py_CAST(PyObject **, &(dst));                                        \
        PyObject *_py_old = *_py_dst;                                                              \
        *_py_dst = _PyObject_CAST(src);                                                            \
        Py_XDECREF(_py_old);                                                                       \
    } while (0)

/* ---- assertions about objects; on failure the object is shown and the process aborts ---- */

#ifdef NDEBUG
#  define _PyObject_ASSERT_FROM(obj, expr, msg, filename, lineno, func) ((void)0)
#else
#  define _PyObject_ASSERT_FROM(obj, expr, msg, filename, lineno, func)                            \
      ((expr) ? (void)0                                                                            \
              : _PyObject_AssertFailed((obj), Py_STRINGIFY(expr), (msg), (filename), (lineno),     \
                                       (func)))
#endif
#define _PyObject_ASSERT_WITH_MSG(obj, expr, msg)                                                  \
    _PyObject_ASSERT_FROM((obj), expr, (msg), __FILE__, __LINE__, __func__)
#define _PyObject_ASSERT(obj, expr) _PyObject_ASSERT_WITH_MSG((obj), expr, _Py_NULL)
#define _PyObject_ASSERT_FAILED_MSG(obj, msg)                                                      \
    _PyObject_AssertFailed((obj), _Py_NULL, (msg), __FILE__, __LINE__, __func__)

/* ---- the trashcan: bounds the C stack that nested deallocators use ---- */

#define Py_TRASHCAN_HEADROOM 50

/* Stands around the body of a container's deallocator. When the stack runs short, the object is
   kept for later and the deallocator left. Subclasses with another deallocator pass through. */
#define Py_TRASHCAN_BEGIN(op, dealloc)                                                             \
    do {                                                                                           \
        PyThreadState *_py_tstate = PyThreadState_Get();                                           \
        if (_py_tstate->c_recursion_remaining <= Py_TRASHCAN_HEADROOM &&                           \
            Py_TYPE(op)->tp_dealloc == (destructor)(dealloc)) {                                    \
            _PyTrash_thread_deposit_object(_py_tstate, (PyObject *)(op));                          \
            break;                                                                                 \
        }                                                                                          \
        --_py_tstate->c_recursion_remaining;
#define Py_TRASHCAN_END                                                                            \
        ++_py_tstate->c_recursion_remaining;                                                       \
        if (_py_tstate->delete_later &&                                                            \
            _py_tstate->c_recursion_remaining > Py_TRASHCAN_HEADROOM * 2) {                        \
            _PyTrash_thread_destroy_chain(_py_tstate);                                             \
        }                                                                                          \
    } while (0);

_Py_END_DECLS

#endif
