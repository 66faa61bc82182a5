/* Dispatchers: the C slots of classes whose special methods are written in Python.
 *
 * Each looks the method up on the type (never on the instance) and calls it. All of them may run
 * Python code. */
#include "objects/type/internal.h"

/* ---- calling special methods ----------------------------------------------------------------- */

/* Calls self.name(args...); absent: AttributeError, or with `optional` NULL without exception. */
static PyObject *call_method(PyObject *self, PyObject *name, PyObject *const *args, size_t count,
                             bool optional)
{
    PyObject *method;
    int unbound = object_lookup_special_method(self, name, &method);
    if (method == NULL) {
        if (unbound == 0 && !optional) {
            PyErr_SetObject(PyExc_AttributeError, name);
        }
        return NULL;
    }
    PyObject *stack[5] = {NULL, self};
    for (size_t i = 0; i < count; i++) {
        stack[2 + i] = args[i];
    }
    PyObject *result =
        unbound
            ? PyObject_Vectorcall(method, stack + 1, (count + 1) | PY_VECTORCALL_ARGUMENTS_OFFSET,
                                  NULL)
            : PyObject_Vectorcall(method, stack + 2, count | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    Py_DECREF(method);
    return result;
}

static PyObject *call0(PyObject *self, PyObject *name)
{
    return call_method(self, name, NULL, 0, false);
}

static PyObject *call1(PyObject *self, PyObject *name, PyObject *arg)
{
    return call_method(self, name, &arg, 1, false);
}

static PyObject *call2(PyObject *self, PyObject *name, PyObject *a, PyObject *b)
{
    return call_method(self, name, (PyObject *[]){a, b}, 2, false);
}

/* NotImplemented when there is no such method. */
static PyObject *call_optional(PyObject *self, PyObject *name, PyObject *const *args, size_t count)
{
    PyObject *result = call_method(self, name, args, count, true);
    if (result == NULL && !PyErr_Occurred()) {
        return Py_NewRef(Py_NotImplemented);
    }
    return result;
}

static int drop_result(PyObject *result)
{
    if (result == NULL) {
        return -1;
    }
    Py_DECREF(result);
    return 0;
}

/* ---- text, hash, comparison ------------------------------------------------------------------ */

PyObject *slot_tp_repr(PyObject *self)
{
    PyObject *result = call_method(self, ID(__repr__), NULL, 0, true);
    if (result == NULL && !PyErr_Occurred()) {
        return PyUnicode_FromFormat("<%s object at %p>", Py_TYPE(self)->tp_name, self);
    }
    return result;
}

PyObject *slot_tp_str(PyObject *self)
{
    return call0(self, ID(__str__));
}

Py_hash_t slot_tp_hash(PyObject *self)
{
    PyObject *method;
    int unbound = object_lookup_special_method(self, ID(__hash__), &method);
    if (unbound < 0) {
        return -1;
    }
    if (method == NULL || method == Py_None) {
        Py_XDECREF(method);
        return PyObject_HashNotImplemented(self);
    }
    PyObject *result = unbound ? PyObject_CallOneArg(method, self) : PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (result == NULL) {
        return -1;
    }
    if (!PyLong_Check(result)) {
        PyErr_SetString(PyExc_TypeError, "__hash__ method should return an integer");
        Py_DECREF(result);
        return -1;
    }
    /* Any int will do: large ones are reduced as the hash of an int is. */
    Py_hash_t hash = PyLong_AsSsize_t(result);
    if (hash == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        hash = PyLong_Type.tp_hash(result);
    }
    Py_DECREF(result);
    return hash == -1 ? -2 : hash;
}

PyObject *slot_tp_richcompare(PyObject *self, PyObject *other, int op)
{
    PyObject *const names[] = {
        [Py_LT] = ID(__lt__), [Py_LE] = ID(__le__), [Py_EQ] = ID(__eq__),
        [Py_NE] = ID(__ne__), [Py_GT] = ID(__gt__), [Py_GE] = ID(__ge__),
    };
    return call_optional(self, names[op], &other, 1);
}

/* ---- calls and instances --------------------------------------------------------------------- */

PyObject *slot_tp_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyObject *method;
    int unbound = object_lookup_special_method(self, ID(__call__), &method);
    if (method == NULL) {
        if (unbound == 0) {
            PyErr_SetObject(PyExc_AttributeError, ID(__call__));
        }
        return NULL;
    }
    PyObject *result;
    if (!unbound) {
        result = PyObject_Call(method, args, kwds);
    } else {
        Py_ssize_t count = PyTuple_GET_SIZE(args);
        PyObject *small[8], **stack = small;
        if (count + 2 > (Py_ssize_t)ARRAY_SIZE(small)) {
            stack = PyMem_New(PyObject *, count + 2);
            if (stack == NULL) {
                Py_DECREF(method);
                return PyErr_NoMemory();
            }
        }
        stack[0] = NULL;
        stack[1] = self;
        for (Py_ssize_t i = 0; i < count; i++) {
            stack[2 + i] = PyTuple_GET_ITEM(args, i);
        }
        result = PyObject_VectorcallDict(
            method, stack + 1, (size_t)(count + 1) | PY_VECTORCALL_ARGUMENTS_OFFSET, kwds);
        if (stack != small) {
            PyMem_Free(stack);
        }
    }
    Py_DECREF(method);
    return result;
}

int slot_tp_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyObject *method = object_lookup_special(self, ID(__init__));
    if (method == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetObject(PyExc_AttributeError, ID(__init__));
        }
        return -1;
    }
    PyObject *result = PyObject_Call(method, args, kwds);
    Py_DECREF(method);
    if (result != NULL && result != Py_None) {
        PyErr_Format(PyExc_TypeError, "__init__() should return None, not '%.200s'",
                     Py_TYPE(result)->tp_name);
        Py_DECREF(result);
        return -1;
    }
    return drop_result(result);
}

PyObject *slot_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *func = PyObject_GetAttr((PyObject *)type, ID(__new__));
    if (func == NULL) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    PyObject *all = PyTuple_New(count + 1);
    if (all == NULL) {
        Py_DECREF(func);
        return NULL;
    }
    PyTuple_SET_ITEM(all, 0, Py_NewRef((PyObject *)type));
    for (Py_ssize_t i = 0; i < count; i++) {
        PyTuple_SET_ITEM(all, i + 1, Py_NewRef(PyTuple_GET_ITEM(args, i)));
    }
    PyObject *result = PyObject_Call(func, all, kwds);
    Py_DECREF(all);
    Py_DECREF(func);
    return result;
}

void slot_tp_finalize(PyObject *self)
{
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *method;
    int unbound = object_lookup_special_method(self, ID(__del__), &method);
    if (method != NULL) {
        PyObject *result =
            unbound ? PyObject_CallOneArg(method, self) : PyObject_CallNoArgs(method);
        if (result == NULL) {
            PyErr_WriteUnraisable(method);
        }
        Py_XDECREF(result);
        Py_DECREF(method);
    } else if (unbound < 0) {
        PyErr_WriteUnraisable(self);
    }
    PyErr_SetRaisedException(raised);
}

/* ---- attributes ------------------------------------------------------------------------------ */

PyObject *slot_tp_getattro(PyObject *self, PyObject *name)
{
    return call1(self, ID(__getattribute__), name);
}

static PyObject *call_attribute(PyObject *self, PyObject *hook, PyObject *name)
{
    descrgetfunc get = Py_TYPE(hook)->tp_descr_get;
    if (PyType_HasFeature(Py_TYPE(hook), Py_TPFLAGS_METHOD_DESCRIPTOR)) {
        return PyObject_Vectorcall(hook, (PyObject *[]){self, name}, 2, NULL);
    }
    PyObject *bound = get == NULL ? Py_NewRef(hook) : get(hook, self, (PyObject *)Py_TYPE(self));
    if (bound == NULL) {
        return NULL;
    }
    PyObject *result = PyObject_CallOneArg(bound, name);
    Py_DECREF(bound);
    return result;
}

/* Classes that define __getattr__, __getattribute__ or both. */
PyObject *slot_tp_getattr_hook(PyObject *self, PyObject *name)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject *getattr = type_lookup_ref(type, ID(__getattr__), NULL);
    if (getattr == NULL) {
        return slot_tp_getattro(self, name);
    }
    PyObject *getattribute = type_lookup_ref(type, ID(__getattribute__), NULL);
    PyObject *result;
    if (getattribute == NULL
        || (Py_IS_TYPE(getattribute, &PyWrapperDescr_Type)
            && ((PyWrapperDescrObject *)getattribute)->d_wrapped
                   == (void *)PyObject_GenericGetAttr)) {
        /* The usual lookup, which need not raise to say that there is nothing. */
        if (object_get_generic(self, name, NULL, &result) < 0
            && PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyErr_Clear();
        }
    } else {
        result = call_attribute(self, getattribute, name);
        if (result == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyErr_Clear();
        }
    }
    Py_XDECREF(getattribute);
    if (result == NULL && !PyErr_Occurred()) {
        result = call_attribute(self, getattr, name);
    }
    Py_DECREF(getattr);
    return result;
}

int slot_tp_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    return drop_result(value == NULL ? call1(self, ID(__delattr__), name)
                                     : call2(self, ID(__setattr__), name, value));
}

PyObject *slot_tp_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    PyTypeObject *own = Py_TYPE(self);
    PyObject *get = type_lookup_ref(own, ID(__get__), NULL);
    if (get == NULL) {
        /* The method is gone: the slot catches up. */
        if (own->tp_descr_get == slot_tp_descr_get) {
            slot_update(own, ID(__get__));
        }
        return Py_NewRef(self);
    }
    PyObject *args[] = {self, obj == NULL ? Py_None : obj, type == NULL ? Py_None : type};
    PyObject *result = PyObject_Vectorcall(get, args, 3, NULL);
    Py_DECREF(get);
    return result;
}

int slot_tp_descr_set(PyObject *self, PyObject *target, PyObject *value)
{
    return drop_result(value == NULL ? call1(self, ID(__delete__), target)
                                     : call2(self, ID(__set__), target, value));
}

/* ---- iteration, await ------------------------------------------------------------------------ */

PyObject *slot_tp_iter(PyObject *self)
{
    PyObject *method;
    int unbound = object_lookup_special_method(self, ID(__iter__), &method);
    if (unbound < 0) {
        return NULL;
    }
    if (method == Py_None) {
        Py_DECREF(method);
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not iterable", Py_TYPE(self)->tp_name);
        return NULL;
    }
    if (method != NULL) {
        PyObject *result =
            unbound ? PyObject_CallOneArg(method, self) : PyObject_CallNoArgs(method);
        Py_DECREF(method);
        return result;
    }
    PyObject *getitem = object_lookup_special(self, ID(__getitem__));
    if (getitem == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_TypeError, "'%.200s' object is not iterable",
                         Py_TYPE(self)->tp_name);
        }
        return NULL;
    }
    Py_DECREF(getitem);
    return PySeqIter_New(self);
}

PyObject *slot_tp_iternext(PyObject *self)
{
    return call0(self, ID(__next__));
}

static PyObject *call_async(PyObject *self, PyObject *name, const char *message)
{
    PyObject *result = call_method(self, name, NULL, 0, true);
    if (result == NULL && !PyErr_Occurred()) {
        PyErr_Format(PyExc_AttributeError, message, Py_TYPE(self)->tp_name);
    }
    return result;
}

PyObject *slot_am_await(PyObject *self)
{
    return call_async(self, ID(__await__), "object %.50s does not have __await__ method");
}

PyObject *slot_am_aiter(PyObject *self)
{
    return call_async(self, ID(__aiter__), "object %.50s does not have __aiter__ method");
}

PyObject *slot_am_anext(PyObject *self)
{
    return call_async(self, ID(__anext__), "object %.50s does not have __anext__ method");
}

/* ---- numbers --------------------------------------------------------------------------------- */

typedef void *number_slot;

static number_slot number_slot_of(PyObject *op, size_t offset)
{
    PyNumberMethods *methods = Py_TYPE(op)->tp_as_number;
    return methods == NULL ? NULL : *(number_slot *)((char *)methods + offset);
}

/* Whether the right operand's class has another method under this name than the left's: 1, 0,
 * -1 with an exception. */
static int is_overridden(PyObject *left, PyObject *right, PyObject *name)
{
    PyObject *theirs, *ours;
    if (PyObject_GetOptionalAttr((PyObject *)Py_TYPE(right), name, &theirs) <= 0) {
        return PyErr_Occurred() ? -1 : 0;
    }
    int found = PyObject_GetOptionalAttr((PyObject *)Py_TYPE(left), name, &ours);
    if (found <= 0) {
        Py_DECREF(theirs);
        return found < 0 ? -1 : 1;
    }
    int different = PyObject_RichCompareBool(ours, theirs, Py_NE);
    Py_DECREF(ours);
    Py_DECREF(theirs);
    return different;
}

/* left OP right, where at least one of them has `self_slot` in the number slot at `offset`. The
 * reflected method goes first when the right operand's class is a subclass that overrides it. */
static PyObject *binary_dispatch(PyObject *left, PyObject *right, size_t offset,
                                 number_slot self_slot, PyObject *name, PyObject *reflected)
{
    bool try_right =
        !Py_IS_TYPE(left, Py_TYPE(right)) && number_slot_of(right, offset) == self_slot;
    PyObject *result;
    if (number_slot_of(left, offset) == self_slot) {
        if (try_right && PyType_IsSubtype(Py_TYPE(right), Py_TYPE(left))) {
            int first = is_overridden(left, right, reflected);
            if (first < 0) {
                return NULL;
            }
            if (first) {
                result = call_optional(right, reflected, &left, 1);
                if (result != Py_NotImplemented) {
                    return result;
                }
                Py_DECREF(result);
                try_right = false;
            }
        }
        result = call_optional(left, name, &right, 1);
        if (result != Py_NotImplemented || Py_IS_TYPE(right, Py_TYPE(left))) {
            return result;
        }
        Py_DECREF(result);
    }
    return try_right ? call_optional(right, reflected, &left, 1) : Py_NewRef(Py_NotImplemented);
}

#define BINARY(slot, name, reflected)                                                              \
    PyObject *slot_nb_##slot(PyObject *self, PyObject *other)                                      \
    {                                                                                              \
        return binary_dispatch(self, other, offsetof(PyNumberMethods, nb_##slot),                  \
                               (number_slot)slot_nb_##slot, name, reflected);                      \
    }
BINARY(add, ID(__add__), ID(__radd__))
BINARY(subtract, ID(__sub__), ID(__rsub__))
BINARY(multiply, ID(__mul__), ID(__rmul__))
BINARY(matrix_multiply, ID(__matmul__), ID(__rmatmul__))
BINARY(true_divide, ID(__truediv__), ID(__rtruediv__))
BINARY(floor_divide, ID(__floordiv__), ID(__rfloordiv__))
BINARY(remainder, ID(__mod__), ID(__rmod__))
BINARY(divmod, ID(__divmod__), ID(__rdivmod__))
BINARY(lshift, ID(__lshift__), ID(__rlshift__))
BINARY(rshift, ID(__rshift__), ID(__rrshift__))
BINARY(and, ID(__and__), ID(__rand__))
BINARY(xor, ID(__xor__), ID(__rxor__))
BINARY(or, ID(__or__), ID(__ror__))

PyObject *slot_nb_power(PyObject *self, PyObject *other, PyObject *modulus)
{
    number_slot slot = (number_slot)slot_nb_power;
    size_t offset = offsetof(PyNumberMethods, nb_power);
    if (modulus == Py_None) {
        return binary_dispatch(self, other, offset, slot, ID(__pow__), ID(__rpow__));
    }
    /* With three arguments there is no reflected form; the slot may be called for any of them. */
    if (number_slot_of(self, offset) == slot) {
        return call_optional(self, ID(__pow__), (PyObject *[]){other, modulus}, 2);
    }
    Py_RETURN_NOTIMPLEMENTED;
}

#define INPLACE(slot, name)                                                                        \
    PyObject *slot_nb_inplace_##slot(PyObject *self, PyObject *other)                              \
    {                                                                                              \
        return call1(self, name, other);                                                           \
    }
INPLACE(add, ID(__iadd__))
INPLACE(subtract, ID(__isub__))
INPLACE(multiply, ID(__imul__))
INPLACE(matrix_multiply, ID(__imatmul__))
INPLACE(true_divide, ID(__itruediv__))
INPLACE(floor_divide, ID(__ifloordiv__))
INPLACE(remainder, ID(__imod__))
INPLACE(lshift, ID(__ilshift__))
INPLACE(rshift, ID(__irshift__))
INPLACE(and, ID(__iand__))
INPLACE(xor, ID(__ixor__))
INPLACE(or, ID(__ior__))

PyObject *slot_nb_inplace_power(PyObject *self, PyObject *other, PyObject *Py_UNUSED(modulus))
{
    return call1(self, ID(__ipow__), other);
}

#define UNARY(slot, name)                                                                          \
    PyObject *slot_nb_##slot(PyObject *self)                                                       \
    {                                                                                              \
        return call0(self, name);                                                                  \
    }
UNARY(negative, ID(__neg__))
UNARY(positive, ID(__pos__))
UNARY(absolute, ID(__abs__))
UNARY(invert, ID(__invert__))
UNARY(int, ID(__int__))
UNARY(float, ID(__float__))
UNARY(index, ID(__index__))

int slot_nb_bool(PyObject *self)
{
    PyObject *name = ID(__bool__);
    PyObject *result = call_method(self, name, NULL, 0, true);
    bool by_length = false;
    if (result == NULL && !PyErr_Occurred()) {
        by_length = true;
        result = call_method(self, ID(__len__), NULL, 0, true);
        if (result == NULL) {
            return PyErr_Occurred() ? -1 : 1;
        }
    }
    if (result == NULL) {
        return -1;
    }
    int truth;
    if (by_length) {
        truth = PyObject_IsTrue(result);
    } else if (PyBool_Check(result)) {
        truth = result == Py_True;
    } else {
        PyErr_Format(PyExc_TypeError, "__bool__ should return bool, returned %s",
                     Py_TYPE(result)->tp_name);
        truth = -1;
    }
    Py_DECREF(result);
    return truth;
}

/* ---- containers ------------------------------------------------------------------------------ */

Py_ssize_t slot_mp_length(PyObject *self)
{
    PyObject *result = call0(self, ID(__len__));
    if (result == NULL) {
        return -1;
    }
    Py_SETREF(result, PyNumber_Index(result));
    if (result == NULL) {
        return -1;
    }
    Py_ssize_t length;
    PyObject *zero = PyLong_FromLong(0);
    int negative = PyObject_RichCompareBool(result, zero, Py_LT);
    Py_DECREF(zero);
    if (negative != 0) {
        if (negative > 0) {
            PyErr_SetString(PyExc_ValueError, "__len__() should return >= 0");
        }
        length = -1;
    } else {
        length = PyNumber_AsSsize_t(result, PyExc_OverflowError);
    }
    Py_DECREF(result);
    return length;
}

PyObject *slot_mp_subscript(PyObject *self, PyObject *key)
{
    return call1(self, ID(__getitem__), key);
}

int slot_mp_ass_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    return drop_result(value == NULL ? call1(self, ID(__delitem__), key)
                                     : call2(self, ID(__setitem__), key, value));
}

PyObject *slot_sq_item(PyObject *self, Py_ssize_t index)
{
    PyObject *key = PyLong_FromSsize_t(index);
    if (key == NULL) {
        return NULL;
    }
    PyObject *result = call1(self, ID(__getitem__), key);
    Py_DECREF(key);
    return result;
}

int slot_sq_ass_item(PyObject *self, Py_ssize_t index, PyObject *value)
{
    PyObject *key = PyLong_FromSsize_t(index);
    if (key == NULL) {
        return -1;
    }
    int result = slot_mp_ass_subscript(self, key, value);
    Py_DECREF(key);
    return result;
}

/* Without __contains__ the items are looked at one by one. */
static int sequence_search(PyObject *self, PyObject *item)
{
    PyObject *iterator = PyObject_GetIter(self), *each;
    if (iterator == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_TypeError, "argument of type '%.200s' is not iterable",
                         Py_TYPE(self)->tp_name);
        }
        return -1;
    }
    int found = 0;
    while (found == 0 && (each = PyIter_Next(iterator)) != NULL) {
        found = PyObject_RichCompareBool(each, item, Py_EQ);
        Py_DECREF(each);
    }
    Py_DECREF(iterator);
    return found == 0 && PyErr_Occurred() ? -1 : found;
}

int slot_sq_contains(PyObject *self, PyObject *item)
{
    PyObject *method;
    int unbound = object_lookup_special_method(self, ID(__contains__), &method);
    if (unbound < 0) {
        return -1;
    }
    if (method == NULL) {
        return sequence_search(self, item);
    }
    if (method == Py_None) {
        Py_DECREF(method);
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not a container", Py_TYPE(self)->tp_name);
        return -1;
    }
    PyObject *result = unbound ? PyObject_Vectorcall(method, (PyObject *[]){self, item}, 2, NULL)
                               : PyObject_CallOneArg(method, item);
    Py_DECREF(method);
    if (result == NULL) {
        return -1;
    }
    int truth = PyObject_IsTrue(result);
    Py_DECREF(result);
    return truth;
}

/* ---- buffers --------------------------------------------------------------------------------- */

/* Python's __buffer__ returns a memoryview; the consumer gets that view's buffer, and a wrapper
 * object as its owner that knows both the view and self, to call __release_buffer__ at the end. */
struct buffer_owner {
    PyObject_HEAD
    PyObject *view;     /* what __buffer__ returned */
    PyObject *exporter; /* whose __buffer__ it was */
};

static void buffer_owner_dealloc(PyObject *op)
{
    struct buffer_owner *self = (struct buffer_owner *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(self->view);
    Py_XDECREF(self->exporter);
    Py_TYPE(op)->tp_free(op);
}

static int buffer_owner_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct buffer_owner *self = (struct buffer_owner *)op;
    Py_VISIT(self->view);
    Py_VISIT(self->exporter);
    return 0;
}

static void release_by_python(PyObject *self, PyObject *view);

/* The view's own export ends with the buffer. A view of the exporter itself calls __release_buffer__ when it goes;
 * for any other it is called here, where it may keep the view. */
static void buffer_owner_release(PyObject *op, Py_buffer *buffer)
{
    struct buffer_owner *self = (struct buffer_owner *)op;
    PyObject *view = self->view, *exporter = self->exporter;
    self->view = self->exporter = NULL;
    if (view == NULL) {
        return;
    }
    PyMemoryView_Type.tp_as_buffer->bf_releasebuffer(view, buffer);
    if (PyMemoryView_GET_BUFFER(view)->obj != exporter
        && Py_TYPE(exporter)->tp_as_buffer->bf_releasebuffer == slot_bf_releasebuffer) {
        release_by_python(exporter, view);
    }
    Py_DECREF(view);
    Py_DECREF(exporter);
}

static int buffer_owner_getbuffer(PyObject *op, Py_buffer *buffer, int flags)
{
    struct buffer_owner *self = (struct buffer_owner *)op;
    if (self->view == NULL) {
        PyErr_SetString(PyExc_BufferError, "buffer owner has been released");
        return -1;
    }
    return PyObject_GetBuffer(self->view, buffer, flags);
}

static PyBufferProcs buffer_owner_procs = {
    .bf_getbuffer = buffer_owner_getbuffer,
    .bf_releasebuffer = buffer_owner_release,
};

PyTypeObject buffer_owner_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "_buffer_wrapper",
    .tp_basicsize = sizeof(struct buffer_owner),
    .tp_dealloc = buffer_owner_dealloc,
    .tp_traverse = buffer_owner_traverse,
    .tp_as_buffer = &buffer_owner_procs,
    .tp_alloc = PyType_GenericAlloc,
    .tp_free = PyObject_GC_Del,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
};

int slot_bf_getbuffer(PyObject *self, Py_buffer *buffer, int flags)
{
    PyObject *flags_object = PyLong_FromLong(flags);
    if (flags_object == NULL) {
        return -1;
    }
    PyObject *view = call_method(self, ID(__buffer__), &flags_object, 1, false);
    Py_DECREF(flags_object);
    if (view == NULL) {
        return -1;
    }
    if (!PyMemoryView_Check(view)) {
        PyErr_Format(PyExc_TypeError, "__buffer__ returned non-memoryview object");
        Py_DECREF(view);
        return -1;
    }
    struct buffer_owner *owner = NULL;
    if (PyObject_GetBuffer(view, buffer, flags) == 0) {
        owner = (struct buffer_owner *)object_new(&buffer_owner_type, 0);
        if (owner == NULL) {
            PyBuffer_Release(buffer);
        }
    }
    if (owner == NULL) {
        Py_DECREF(view);
        return -1;
    }
    owner->view = view;
    owner->exporter = Py_NewRef(self);
    PyObject_GC_Track(owner);
    /* The view stands behind the owner now; its own export count is kept by the owner. */
    Py_SETREF(buffer->obj, (PyObject *)owner);
    return 0;
}

static void release_view(PyObject *view, PyObject *context)
{
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *result = PyObject_CallMethodNoArgs(view, ID(release));
    if (result == NULL) {
        PyErr_WriteUnraisable(context);
    }
    Py_XDECREF(result);
    PyErr_SetRaisedException(raised);
}

/* Calls self.__release_buffer__(view). */
static void release_by_python(PyObject *self, PyObject *view)
{
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *result = call_method(self, ID(__release_buffer__), &view, 1, true);
    if (result == NULL && PyErr_Occurred()) {
        PyErr_WriteUnraisable(self);
    }
    Py_XDECREF(result);
    PyErr_SetRaisedException(raised);
}

/* A class below a C type that exports buffers: that one's function comes first. */
static releasebufferproc base_releasebuffer(PyObject *self)
{
    for (PyTypeObject *type = Py_TYPE(self); type != NULL; type = type->tp_base) {
        PyBufferProcs *procs = type->tp_as_buffer;
        if (procs != NULL && procs->bf_releasebuffer != NULL
            && procs->bf_releasebuffer != slot_bf_releasebuffer) {
            return procs->bf_releasebuffer;
        }
    }
    return NULL;
}

void slot_bf_releasebuffer(PyObject *self, Py_buffer *buffer)
{
    releasebufferproc base = base_releasebuffer(self);
    PyObject *view = PyMemoryView_FromBuffer(buffer);
    if (view == NULL) {
        PyErr_WriteUnraisable(self);
    } else {
        /* The memory ends with the call: nobody may make other views of it. */
        ((PyMemoryViewObject *)view)->flags |= _Py_MEMORYVIEW_RESTRICTED;
        release_by_python(self, view);
        release_view(view, self);
        Py_DECREF(view);
    }
    if (base != NULL) {
        base(self, buffer);
    }
}
