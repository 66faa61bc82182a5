/* Objects and types: the object header, reference counting, types and generic operations. */
#ifndef Py_OBJECT_H
#define Py_OBJECT_H

_Py_BEGIN_DECLS

#ifdef Py_GIL_DISABLED
/* The header of an object in free-threaded builds. The owner thread counts in ob_ref_local
   without atomic operations; other threads count in ob_ref_shared, whose two low bits are
   flags. ob_tid names the owner, 0 when there is none. */
struct _object {
    uintptr_t ob_tid;
    uint16_t _padding;
    PyMutex ob_mutex;
    uint8_t ob_gc_bits;
    uint32_t ob_ref_local;
    Py_ssize_t ob_ref_shared;
    PyTypeObject *ob_type;
};
#else
/* The header of every object: the reference count and the type. Counts whose low half is
   negative as a 32-bit number belong to immortal objects. */
struct _object {
    union {
        Py_ssize_t ob_refcnt;
        uint32_t ob_refcnt_split[2];
    };
    PyTypeObject *ob_type;
};
#endif

/* An object with a number of items. */
typedef struct {
    PyObject ob_base;
    Py_ssize_t ob_size;
} PyVarObject;

/* First member of the struct of an object, without or with ob_size. */
#define PyObject_HEAD PyObject ob_base;
#define PyObject_VAR_HEAD PyVarObject ob_base;
#define Py_INVALID_SIZE ((Py_ssize_t)-1)

#define _PyObject_CAST(op) _Py_CAST(PyObject *, (op))
#define _PyVarObject_CAST(op) _Py_CAST(PyVarObject *, (op))

/* Static objects are born immortal. Both initialisers end with a comma. */
#define _Py_IMMORTAL_REFCNT UINT_MAX
#define _PyObject_EXTRA_INIT
#ifdef Py_GIL_DISABLED
#  define _Py_IMMORTAL_REFCNT_LOCAL UINT32_MAX
#  define PyObject_HEAD_INIT(type)                                                                 \
      {0, 0, {0}, 0, _Py_IMMORTAL_REFCNT_LOCAL, 0, (type)},
#else
#  define PyObject_HEAD_INIT(type) {{_Py_IMMORTAL_REFCNT}, (type)},
#endif
#define PyVarObject_HEAD_INIT(type, size) {PyObject_HEAD_INIT(type)(size)},

/* Objects are aligned so that their lowest address bits are 0. */
#define _PyObject_ALIGNMENT_SHIFT 4

/* ---- identity, type, size ---- */

/* PyAPI functions with the names of the macros exist for callers that cannot use macros. */
PyAPI_FUNC(int) Py_Is(PyObject *x, PyObject *y);
PyAPI_FUNC(int) Py_IsNone(PyObject *op);
#define Py_Is(x, y) ((x) == (y))

#ifdef Py_GIL_DISABLED
#define _Py_UNOWNED_TID          0
#define _Py_REF_SHARED_SHIFT     2
#define _Py_REF_SHARED_FLAG_MASK 3

/* States of ob_ref_shared, in its low two bits: untouched; a reader without a lock or a weak
   reference may revive the object; waiting to be merged by its owner; merged. */
#define _Py_REF_SHARED_INIT   0
#define _Py_REF_MAYBE_WEAKREF 1
#define _Py_REF_QUEUED        2
#define _Py_REF_MERGED        3
#  define _Py_REF_SHARED(count, flags) (((count) << _Py_REF_SHARED_SHIFT) + (flags))

/* The running thread: the address of its control block. */
static inline uintptr_t _Py_ThreadId(void)
{
#  if defined(__x86_64__)
    uintptr_t tid;
    __asm__("movq %%fs:0, %0" : "=r"(tid));
    return tid;
#  else
    return (uintptr_t)__builtin_thread_pointer();
#  endif
}

static inline Py_ALWAYS_INLINE int _Py_IsOwnedByCurrentThread(PyObject *ob)
{
    return _Py_atomic_load_uintptr_relaxed(&ob->ob_tid) == _Py_ThreadId();
}
#endif

/* The reference count. In free-threaded builds a moment's estimate, exact for the owner of an
   object that no other thread uses. */
static inline Py_ssize_t Py_REFCNT(PyObject *ob)
{
#ifdef Py_GIL_DISABLED
    uint32_t local = _Py_atomic_load_uint32_relaxed(&ob->ob_ref_local);
    if (local == _Py_IMMORTAL_REFCNT_LOCAL)
        return _Py_IMMORTAL_REFCNT;
    Py_ssize_t shared = _Py_atomic_load_ssize_relaxed(&ob->ob_ref_shared);
    return _Py_STATIC_CAST(Py_ssize_t, local) + (shared >> _Py_REF_SHARED_SHIFT);
#else
    return ob->ob_refcnt;
#endif
}

static inline PyTypeObject *Py_TYPE(PyObject *ob)
{
    return ob->ob_type;
}

/* ob_size of an object whose type has items; not for ints, whose length is elsewhere. */
static inline Py_ssize_t Py_SIZE(PyObject *ob)
{
    return _PyVarObject_CAST(ob)->ob_size;
}

static inline int Py_IS_TYPE(PyObject *ob, PyTypeObject *type)
{
    return Py_TYPE(ob) == type;
}

static inline Py_ALWAYS_INLINE int _Py_IsImmortal(PyObject *op)
{
#ifdef Py_GIL_DISABLED
    return _Py_atomic_load_uint32_relaxed(&op->ob_ref_local) == _Py_IMMORTAL_REFCNT_LOCAL;
#else
    return _Py_CAST(int32_t, op->ob_refcnt) < 0;
#endif
}

/* Overwrites the reference count; immortal objects stay as they are. */
static inline void Py_SET_REFCNT(PyObject *ob, Py_ssize_t refcnt)
{
    if (_Py_IsImmortal(ob))
        return;
#ifdef Py_GIL_DISABLED
    if (!_Py_IsOwnedByCurrentThread(ob)) {
        ob->ob_tid = _Py_UNOWNED_TID;
        ob->ob_ref_local = 0;
        ob->ob_ref_shared = _Py_REF_SHARED(refcnt, _Py_REF_MERGED);
    } else if ((size_t)refcnt > (size_t)UINT32_MAX) {
        ob->ob_tid = _Py_UNOWNED_TID;
        ob->ob_ref_local = _Py_IMMORTAL_REFCNT_LOCAL;
        ob->ob_ref_shared = 0;
    } else {
        ob->ob_ref_local = _Py_STATIC_CAST(uint32_t, refcnt);
        ob->ob_ref_shared &= _Py_REF_SHARED_FLAG_MASK;
    }
#else
    ob->ob_refcnt = refcnt;
#endif
}

/* Stores the type; counts no references. */
static inline void Py_SET_TYPE(PyObject *ob, PyTypeObject *type)
{
    ob->ob_type = type;
}

static inline void Py_SET_SIZE(PyVarObject *ob, Py_ssize_t size)
{
#ifdef Py_GIL_DISABLED
    _Py_atomic_store_ssize_relaxed(&ob->ob_size, size);
#else
    ob->ob_size = size;
#endif
}

/* The macros accept a pointer to any object struct. */
#if _Py_API_VERSION < 0x030b0000 || !defined(Py_LIMITED_API)
#  define Py_REFCNT(ob) Py_REFCNT(_PyObject_CAST(ob))
#  define Py_TYPE(ob) Py_TYPE(_PyObject_CAST(ob))
#  define Py_SIZE(ob) Py_SIZE(_PyObject_CAST(ob))
#  define Py_IS_TYPE(ob, type) Py_IS_TYPE(_PyObject_CAST(ob), (type))
#  define Py_SET_REFCNT(ob, refcnt) Py_SET_REFCNT(_PyObject_CAST(ob), (refcnt))
#  define Py_SET_TYPE(ob, type) Py_SET_TYPE(_PyObject_CAST(ob), (type))
#  define Py_SET_SIZE(ob, size) Py_SET_SIZE(_PyVarObject_CAST(ob), (size))
#endif
#define _Py_IsImmortal(op) _Py_IsImmortal(_PyObject_CAST(op))

/* ---- slots of types ---- */

typedef PyObject *(*unaryfunc)(PyObject *);
typedef PyObject *(*binaryfunc)(PyObject *, PyObject *);
typedef PyObject *(*ternaryfunc)(PyObject *, PyObject *, PyObject *);
typedef int (*inquiry)(PyObject *);
typedef Py_ssize_t (*lenfunc)(PyObject *);
typedef PyObject *(*ssizeargfunc)(PyObject *, Py_ssize_t);
typedef PyObject *(*ssizessizeargfunc)(PyObject *, Py_ssize_t, Py_ssize_t);
typedef int (*ssizeobjargproc)(PyObject *, Py_ssize_t, PyObject *);
typedef int (*ssizessizeobjargproc)(PyObject *, Py_ssize_t, Py_ssize_t, PyObject *);
typedef int (*objobjargproc)(PyObject *, PyObject *, PyObject *);
typedef int (*objobjproc)(PyObject *, PyObject *);
typedef int (*visitproc)(PyObject *, void *);
typedef int (*traverseproc)(PyObject *, visitproc, void *);

typedef void (*freefunc)(void *);
typedef void (*destructor)(PyObject *);
typedef PyObject *(*getattrfunc)(PyObject *, char *);
typedef PyObject *(*getattrofunc)(PyObject *, PyObject *);
typedef int (*setattrfunc)(PyObject *, char *, PyObject *);
typedef int (*setattrofunc)(PyObject *, PyObject *, PyObject *);
typedef PyObject *(*reprfunc)(PyObject *);
typedef Py_hash_t (*hashfunc)(PyObject *);
typedef PyObject *(*richcmpfunc)(PyObject *, PyObject *, int);
typedef PyObject *(*getiterfunc)(PyObject *);
typedef PyObject *(*iternextfunc)(PyObject *);
typedef PyObject *(*descrgetfunc)(PyObject *, PyObject *, PyObject *);
typedef int (*descrsetfunc)(PyObject *, PyObject *, PyObject *);
typedef int (*initproc)(PyObject *, PyObject *, PyObject *);
typedef PyObject *(*newfunc)(PyTypeObject *, PyObject *, PyObject *);
typedef PyObject *(*allocfunc)(PyTypeObject *, Py_ssize_t);
#if _Py_API_VERSION >= 0x030c0000
typedef PyObject *(*vectorcallfunc)(PyObject *, PyObject *const *, size_t, PyObject *);
#endif

/* ---- making types from a description ---- */

typedef struct {
    int slot;
    void *pfunc;
} PyType_Slot;

typedef struct {
    const char *name;
    int basicsize;
    int itemsize;
    unsigned int flags;
    PyType_Slot *slots;
} PyType_Spec;

/* New type (new reference), or NULL with an exception set. */
#if _Py_API_VERSION >= 0x030c0000
PyAPI_FUNC(PyObject *) PyType_FromMetaclass(PyTypeObject *metaclass, PyObject *module,
                                            PyType_Spec *spec, PyObject *bases);
#endif

#if _Py_API_VERSION >= 0x03090000
PyAPI_FUNC(PyObject *) PyType_FromModuleAndSpec(PyObject *module, PyType_Spec *spec,
                                                PyObject *bases);
#endif

PyAPI_FUNC(PyObject *) PyType_FromSpec(PyType_Spec *spec);
#if _Py_API_VERSION >= 0x03030000
PyAPI_FUNC(PyObject *) PyType_FromSpecWithBases(PyType_Spec *spec, PyObject *bases);
#endif

/* ---- types ---- */

/* tp_flags. */
#define _Py_TPFLAGS_STATIC_BUILTIN (1 << 1)
#define Py_TPFLAGS_INLINE_VALUES (1 << 2)
#define Py_TPFLAGS_MANAGED_WEAKREF (1 << 3)
#define Py_TPFLAGS_MANAGED_DICT (1 << 4)
#define Py_TPFLAGS_PREHEADER (Py_TPFLAGS_MANAGED_WEAKREF | Py_TPFLAGS_MANAGED_DICT)
#define Py_TPFLAGS_SEQUENCE (1 << 5)
#define Py_TPFLAGS_MAPPING (1 << 6)
#define Py_TPFLAGS_DISALLOW_INSTANTIATION (1UL << 7)
#define Py_TPFLAGS_IMMUTABLETYPE (1UL << 8)
#define Py_TPFLAGS_HEAPTYPE (1UL << 9)
#define Py_TPFLAGS_BASETYPE (1UL << 10)
#define Py_TPFLAGS_HAVE_VECTORCALL (1UL << 11)
#define _Py_TPFLAGS_HAVE_VECTORCALL Py_TPFLAGS_HAVE_VECTORCALL
#define Py_TPFLAGS_READY (1UL << 12)
#define Py_TPFLAGS_READYING (1UL << 13)
#define Py_TPFLAGS_HAVE_GC (1UL << 14)
#define Py_TPFLAGS_HAVE_STACKLESS_EXTENSION 0
#define Py_TPFLAGS_METHOD_DESCRIPTOR (1UL << 17)
#define Py_TPFLAGS_HAVE_VERSION_TAG (1UL << 18)
#define Py_TPFLAGS_VALID_VERSION_TAG (1UL << 19)
#define Py_TPFLAGS_IS_ABSTRACT (1UL << 20)
#define _Py_TPFLAGS_MATCH_SELF (1UL << 22)
#define Py_TPFLAGS_ITEMS_AT_END (1UL << 23)
#define Py_TPFLAGS_LONG_SUBCLASS (1UL << 24)
#define Py_TPFLAGS_LIST_SUBCLASS (1UL << 25)
#define Py_TPFLAGS_TUPLE_SUBCLASS (1UL << 26)
#define Py_TPFLAGS_BYTES_SUBCLASS (1UL << 27)
#define Py_TPFLAGS_UNICODE_SUBCLASS (1UL << 28)
#define Py_TPFLAGS_DICT_SUBCLASS (1UL << 29)
#define Py_TPFLAGS_BASE_EXC_SUBCLASS (1UL << 30)
#define Py_TPFLAGS_TYPE_SUBCLASS (1UL << 31)
#define Py_TPFLAGS_DEFAULT (Py_TPFLAGS_HAVE_STACKLESS_EXTENSION | 0)
#define Py_TPFLAGS_HAVE_FINALIZE (1UL << 0)

/* Whether a type is another or derives from it; 1 or 0, never fails. */
PyAPI_FUNC(int) PyType_IsSubtype(PyTypeObject *type, PyTypeObject *base);

/* The types of everything. */
PyAPI_DATA(PyTypeObject) PyType_Type;
PyAPI_DATA(PyTypeObject) PyBaseObject_Type;
PyAPI_DATA(PyTypeObject) PySuper_Type;
PyAPI_DATA(PyTypeObject) PyBool_Type;
PyAPI_DATA(PyTypeObject) PyLong_Type;

/* Parts of a type. Py_tp_* slots are returned as they are, NULL if empty. */
PyAPI_FUNC(unsigned int) PyType_ClearCache(void);
PyAPI_FUNC(PyObject *) PyType_GenericAlloc(PyTypeObject *type, Py_ssize_t nitems);
PyAPI_FUNC(PyObject *) PyType_GenericNew(PyTypeObject *type, PyObject *args, PyObject *kwargs);
PyAPI_FUNC(unsigned long) PyType_GetFlags(PyTypeObject *type);
PyAPI_FUNC(void) PyType_Modified(PyTypeObject *type);
PyAPI_FUNC(int) PyType_Ready(PyTypeObject *type);
#if _Py_API_VERSION >= 0x030d0000
PyAPI_FUNC(PyObject *) PyType_GetFullyQualifiedName(PyTypeObject *type);
PyAPI_FUNC(PyObject *) PyType_GetModuleByDef(PyTypeObject *type, PyModuleDef *def);
PyAPI_FUNC(PyObject *) PyType_GetModuleName(PyTypeObject *type);
#endif

#if _Py_API_VERSION >= 0x03090000
PyAPI_FUNC(PyObject *) PyType_GetModule(PyTypeObject *type);
PyAPI_FUNC(void *) PyType_GetModuleState(PyTypeObject *type);
#endif

#if _Py_API_VERSION >= 0x030b0000
PyAPI_FUNC(PyObject *) PyType_GetName(PyTypeObject *type);
PyAPI_FUNC(PyObject *) PyType_GetQualName(PyTypeObject *type);
#endif

#if _Py_API_VERSION >= 0x03040000
PyAPI_FUNC(void *) PyType_GetSlot(PyTypeObject *type, int slot);
#endif

#if _Py_API_VERSION >= 0x030c0000
PyAPI_FUNC(Py_ssize_t) PyType_GetTypeDataSize(PyTypeObject *type);
#endif

static inline int PyObject_TypeCheck(PyObject *ob, PyTypeObject *type)
{
    return Py_IS_TYPE(ob, type) || PyType_IsSubtype(Py_TYPE(ob), type);
}

#if _Py_API_VERSION < 0x030b0000 || !defined(Py_LIMITED_API)
#  define PyObject_TypeCheck(ob, type) PyObject_TypeCheck(_PyObject_CAST(ob), (type))
#endif

/* ---- generic operations on objects ---- */

/* Text and bytes of an object: new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyObject_ASCII(PyObject *op);
PyAPI_FUNC(PyObject *) PyObject_Bytes(PyObject *op);
PyAPI_FUNC(PyObject *) PyObject_Repr(PyObject *op);
PyAPI_FUNC(PyObject *) PyObject_Str(PyObject *op);

/* Comparison: new reference, or 1, 0, -1 with an exception set. */
PyAPI_FUNC(PyObject *) PyObject_RichCompare(PyObject *x, PyObject *y, int op);
PyAPI_FUNC(int) PyObject_RichCompareBool(PyObject *x, PyObject *y, int op);

/* Attributes. Get functions return a new reference; Optional ones return 1, 0 (absent) or -1. */
PyAPI_FUNC(int) PyObject_DelAttr(PyObject *op, PyObject *name);
PyAPI_FUNC(int) PyObject_DelAttrString(PyObject *op, const char *name);
PyAPI_FUNC(PyObject *) PyObject_GetAttr(PyObject *op, PyObject *name);
PyAPI_FUNC(PyObject *) PyObject_GetAttrString(PyObject *op, const char *name);
PyAPI_FUNC(int) PyObject_HasAttr(PyObject *op, PyObject *name);
PyAPI_FUNC(int) PyObject_HasAttrString(PyObject *op, const char *name);
PyAPI_FUNC(int) PyObject_SetAttr(PyObject *op, PyObject *name, PyObject *value);
PyAPI_FUNC(int) PyObject_SetAttrString(PyObject *op, const char *name, PyObject *value);
#if _Py_API_VERSION >= 0x030d0000
PyAPI_FUNC(int) PyObject_GetOptionalAttr(PyObject *op, PyObject *name, PyObject **result);
PyAPI_FUNC(int) PyObject_GetOptionalAttrString(PyObject *op, const char *name, PyObject **result);
PyAPI_FUNC(int) PyObject_HasAttrStringWithError(PyObject *op, const char *name);
PyAPI_FUNC(int) PyObject_HasAttrWithError(PyObject *op, PyObject *name);
#endif

/* Hash value, or -1 with an exception set; truth as 1, 0 or -1. */
PyAPI_FUNC(Py_hash_t) PyObject_Hash(PyObject *op);
PyAPI_FUNC(Py_hash_t) PyObject_HashNotImplemented(PyObject *op);
PyAPI_FUNC(int) PyObject_IsTrue(PyObject *op);
PyAPI_FUNC(int) PyObject_Not(PyObject *op);
PyAPI_FUNC(void) PyObject_ClearWeakRefs(PyObject *op);
PyAPI_FUNC(PyObject *) PyObject_Dir(PyObject *op);
PyAPI_FUNC(PyObject *) PyObject_GenericGetAttr(PyObject *op, PyObject *name);
PyAPI_FUNC(int) PyObject_GenericSetAttr(PyObject *op, PyObject *name, PyObject *value);
PyAPI_FUNC(PyObject *) PyObject_SelfIter(PyObject *op);
#if _Py_API_VERSION >= 0x03030000
PyAPI_FUNC(int) PyObject_GenericSetDict(PyObject *op, PyObject *value, void *unused);
#endif

#if _Py_API_VERSION >= 0x030c0000
PyAPI_FUNC(void *) PyObject_GetTypeData(PyObject *op, PyTypeObject *cls);
#endif

/* Deep repr: 0 when entered, 1 when the object is being shown already. */
PyAPI_FUNC(int) Py_ReprEnter(PyObject *op);
PyAPI_FUNC(void) Py_ReprLeave(PyObject *op);

/* How PyObject_Print shows an object: str() instead of repr(). */
#define Py_PRINT_RAW 1

/* ---- counting references ---- */

PyAPI_FUNC(void) _Py_Dealloc(PyObject *op);

/* Functions behind the macros, for code of the stable ABI and other languages. */
PyAPI_FUNC(void) Py_IncRef(PyObject *op);
PyAPI_FUNC(void) Py_DecRef(PyObject *op);
PyAPI_FUNC(void) _Py_IncRef(PyObject *op);
PyAPI_FUNC(void) _Py_DecRef(PyObject *op);
#ifdef Py_GIL_DISABLED
PyAPI_FUNC(void) _Py_DecRefShared(PyObject *op);
PyAPI_FUNC(void) _Py_DecRefSharedDebug(PyObject *op, const char *filename, int line);
PyAPI_FUNC(void) _Py_MergeZeroLocalRefcount(PyObject *op);
PyAPI_FUNC(uintptr_t) _Py_GetThreadLocal_Addr(void);
#endif

/* Takes a reference. */
static inline Py_ALWAYS_INLINE void Py_INCREF(PyObject *op)
{
#if defined(Py_LIMITED_API)
#  if _Py_API_VERSION >= 0x030a0000
    _Py_IncRef(op);
#  else
    Py_IncRef(op);
#  endif
#elif defined(Py_GIL_DISABLED)
    uint32_t next = _Py_atomic_load_uint32_relaxed(&op->ob_ref_local) + 1;
    if (next == 0)
        return; /* immortal */
    if (_Py_IsOwnedByCurrentThread(op))
        _Py_atomic_store_uint32_relaxed(&op->ob_ref_local, next);
    else
        _Py_atomic_add_ssize(&op->ob_ref_shared, _Py_REF_SHARED(1, 0));
#else
    /* As wide as the decrement: a load that follows a narrower store has to wait for it. The sign of the
     * low half says immortal. */
    Py_ssize_t count = op->ob_refcnt;
    if ((int32_t)count >= 0)
        op->ob_refcnt = count + 1;
#endif
}

/* Releases a reference. The last one destroys the object, which may run any code. */
static inline Py_ALWAYS_INLINE void Py_DECREF(PyObject *op)
{
#if defined(Py_LIMITED_API)
#  if _Py_API_VERSION >= 0x030a0000
    _Py_DecRef(op);
#  else
    Py_DecRef(op);
#  endif
#elif defined(Py_GIL_DISABLED)
    uint32_t local = _Py_atomic_load_uint32_relaxed(&op->ob_ref_local);
    if (local == _Py_IMMORTAL_REFCNT_LOCAL)
        return;
    if (_Py_IsOwnedByCurrentThread(op)) {
        _Py_atomic_store_uint32_relaxed(&op->ob_ref_local, --local);
        if (local == 0)
            _Py_MergeZeroLocalRefcount(op);
    } else {
        _Py_DecRefShared(op);
    }
#else
    if (_Py_IsImmortal(op))
        return;
    if (--op->ob_refcnt == 0)
        _Py_Dealloc(op);
#endif
}

#if _Py_API_VERSION < 0x030b0000 || !defined(Py_LIMITED_API)
#  define Py_INCREF(op) Py_INCREF(_PyObject_CAST(op))
#  define Py_DECREF(op) Py_DECREF(_PyObject_CAST(op))
#endif

/* The same for a pointer that may be NULL. */
static inline void Py_XINCREF(PyObject *op)
{
    if (op != _Py_NULL)
        Py_INCREF(op);
}

static inline void Py_XDECREF(PyObject *op)
{
    if (op != _Py_NULL)
        Py_DECREF(op);
}

#if _Py_API_VERSION < 0x030b0000 || !defined(Py_LIMITED_API)
#  define Py_XINCREF(op) Py_XINCREF(_PyObject_CAST(op))
#  define Py_XDECREF(op) Py_XDECREF(_PyObject_CAST(op))
#endif

/* Sets a variable to NULL, then releases what it held: whatever the release runs sees NULL. */
#define Py_CLEAR(op)                                                                               \
    do {                                                                                           \
        PyObject **_py_slot = _Py_CAST(PyObject **, &(op));                                        \
        PyObject *_py_old = *_py_slot;                                                             \
        if (_py_old != _Py_NULL) {                                                                 \
            *_py_slot = _Py_NULL;                                                                  \
            Py_DECREF(_py_old);                                                                    \
        }                                                                                          \
    } while (0)

/* A new reference to the argument, which the X form allows to be NULL. */
PyAPI_FUNC(PyObject *) Py_NewRef(PyObject *op);
PyAPI_FUNC(PyObject *) Py_XNewRef(PyObject *op);
static inline PyObject *_Py_NewRef(PyObject *obj)
{
    Py_INCREF(obj);
    return obj;
}

static inline PyObject *_Py_XNewRef(PyObject *obj)
{
    Py_XINCREF(obj);
    return obj;
}

#if _Py_API_VERSION < 0x030b0000 || !defined(Py_LIMITED_API)
#  define Py_NewRef(obj) _Py_NewRef(_PyObject_CAST(obj))
#  define Py_XNewRef(obj) _Py_XNewRef(_PyObject_CAST(obj))
#else
#  define Py_NewRef(obj) _Py_NewRef(obj)
#  define Py_XNewRef(obj) _Py_XNewRef(obj)
#endif

/* ---- constants ---- */

/* Numbers of the constants that Py_GetConstant gives. */
#define Py_CONSTANT_NONE            0
#define Py_CONSTANT_FALSE           1
#define Py_CONSTANT_TRUE            2
#define Py_CONSTANT_ELLIPSIS        3
#define Py_CONSTANT_NOT_IMPLEMENTED 4
#define Py_CONSTANT_ZERO            5
#define Py_CONSTANT_ONE             6
#define Py_CONSTANT_EMPTY_STR       7
#define Py_CONSTANT_EMPTY_BYTES     8
#define Py_CONSTANT_EMPTY_TUPLE     9

/* New or borrowed reference to a constant; NULL with SystemError for an unknown number. */
#if _Py_API_VERSION >= 0x030d0000
PyAPI_FUNC(PyObject *) Py_GetConstant(unsigned int constant);
PyAPI_FUNC(PyObject *) Py_GetConstantBorrowed(unsigned int constant);
#endif

/* None, never freed: functions return it without counting. */
PyAPI_DATA(PyObject) _Py_NoneStruct;
PyAPI_DATA(PyObject) _Py_NotImplementedStruct;
#if defined(Py_LIMITED_API) && _Py_API_VERSION >= 0x030d0000
#  define Py_None Py_GetConstantBorrowed(Py_CONSTANT_NONE)
#  define Py_NotImplemented Py_GetConstantBorrowed(Py_CONSTANT_NOT_IMPLEMENTED)
#else
#  define Py_None (&_Py_NoneStruct)
#  define Py_NotImplemented (&_Py_NotImplementedStruct)
#endif
#define Py_IsNone(x) Py_Is((x), Py_None)
#define Py_RETURN_NONE return Py_None
#define Py_RETURN_NOTIMPLEMENTED return Py_NotImplemented

/* Operators of rich comparison. */
#define Py_LT 0
#define Py_LE 1
#define Py_EQ 2
#define Py_NE 3
#define Py_GT 4
#define Py_GE 5

/* Returns True or False for the comparison of two C values. */
#define Py_RETURN_RICHCOMPARE(val1, val2, op)                                                      \
    do {                                                                                           \
        switch (op) {                                                                              \
        case Py_EQ:                                                                                \
            return ((val1) == (val2)) ? Py_True : Py_False;                                        \
        case Py_NE:                                                                                \
            return ((val1) != (val2)) ? Py_True : Py_False;                                        \
        case Py_LT:                                                                                \
            return ((val1) < (val2)) ? Py_True : Py_False;                                         \
        case Py_GT:                                                                                \
            return ((val1) > (val2)) ? Py_True : Py_False;                                         \
        case Py_LE:                                                                                \
            return ((val1) <= (val2)) ? Py_True : Py_False;                                        \
        case Py_GE:                                                                                \
            return ((val1) >= (val2)) ? Py_True : Py_False;                                        \
        default:                                                                                   \
            Py_UNREACHABLE();                                                                      \
        }                                                                                          \
    } while (0)

/* Outcome of sending a value into a generator. */
typedef enum {
    PYGEN_RETURN = 0,
    PYGEN_ERROR = -1,
    PYGEN_NEXT = 1
} PySendResult;

PyAPI_FUNC(int) PyCallable_Check(PyObject *op);
PyAPI_FUNC(void) _Py_SetRefcnt(PyObject *op, Py_ssize_t count);
#ifndef Py_LIMITED_API
#  include "cpython/object.h"
#endif

/* ---- checks of types ---- */

static inline int PyType_HasFeature(PyTypeObject *type, unsigned long feature)
{
#ifdef Py_LIMITED_API
    unsigned long flags = PyType_GetFlags(type);
#elif defined(Py_GIL_DISABLED)
    unsigned long flags = _Py_atomic_load_ulong_relaxed(&type->tp_flags);
#else
    unsigned long flags = type->tp_flags;
#endif
    return (flags & feature) != 0;
}
#define PyType_FastSubclass(type, flag) PyType_HasFeature((type), (flag))

static inline int PyType_Check(PyObject *op)
{
    return PyType_FastSubclass(Py_TYPE(op), Py_TPFLAGS_TYPE_SUBCLASS);
}

static inline int PyType_CheckExact(PyObject *op)
{
    return Py_IS_TYPE(op, &PyType_Type);
}
#define _PyType_CAST(op) _Py_CAST(PyTypeObject *, (op))
#if _Py_API_VERSION < 0x030b0000 || !defined(Py_LIMITED_API)
#  define PyType_Check(op) PyType_Check(_PyObject_CAST(op))
#  define PyType_CheckExact(op) PyType_CheckExact(_PyObject_CAST(op))
#endif

_Py_END_DECLS

#endif
