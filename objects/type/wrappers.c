/* C slots as Python methods: what int.__add__ and its like do when they are called.
 *
 * Each gets the slot's function as `wrapped`, checks the argument tuple, calls it, and turns the
 * C result into an object. */
#include "objects/memoryview/object.h"
#include "objects/type/internal.h"

static bool check_count(PyObject *args, Py_ssize_t count)
{
    if (!PyTuple_CheckExact(args)) {
        PyErr_SetString(PyExc_SystemError, "PyArg_UnpackTuple() argument list is not a tuple");
        return false;
    }
    if (PyTuple_GET_SIZE(args) == count) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "expected %d argument%s, got %zd", (int)count,
                 count == 1 ? "" : "s", PyTuple_GET_SIZE(args));
    return false;
}

static PyObject *none_or_error(int result)
{
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *number_or_error(Py_ssize_t result)
{
    return result == -1 && PyErr_Occurred() ? NULL : PyLong_FromSsize_t(result);
}

static PyObject *truth_or_error(int result)
{
    return result == -1 && PyErr_Occurred() ? NULL : PyBool_FromLong(result);
}

#define ARG(i) PyTuple_GET_ITEM(args, i)
#define NEED(count)                                                                                \
    if (!check_count(args, count)) {                                                               \
        return NULL;                                                                               \
    }

PyObject *wrap_unaryfunc(PyObject *self, PyObject *args, void *wrapped)
{
    NEED(0)
    return ((unaryfunc)wrapped)(self);
}

PyObject *wrap_binaryfunc(PyObject *self, PyObject *args, void *wrapped)
{
    NEED(1)
    return ((binaryfunc)wrapped)(self, ARG(0));
}

PyObject *wrap_binaryfunc_l(PyObject *self, PyObject *args, void *wrapped)
{
    return wrap_binaryfunc(self, args, wrapped);
}

PyObject *wrap_binaryfunc_r(PyObject *self, PyObject *args, void *wrapped)
{
    NEED(1)
    return ((binaryfunc)wrapped)(ARG(0), self);
}

static bool power_arguments(PyObject *args, PyObject **other, PyObject **modulus)
{
    *modulus = Py_None;
    return PyArg_UnpackTuple(args, "", 1, 2, other, modulus);
}

PyObject *wrap_ternaryfunc(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *other, *modulus;
    if (!power_arguments(args, &other, &modulus)) {
        return NULL;
    }
    return ((ternaryfunc)wrapped)(self, other, modulus);
}

PyObject *wrap_ternaryfunc_r(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *other, *modulus;
    if (!power_arguments(args, &other, &modulus)) {
        return NULL;
    }
    return ((ternaryfunc)wrapped)(other, self, modulus);
}

PyObject *wrap_inquirypred(PyObject *self, PyObject *args, void *wrapped)
{
    NEED(0)
    return truth_or_error(((inquiry)wrapped)(self));
}

PyObject *wrap_lenfunc(PyObject *self, PyObject *args, void *wrapped)
{
    NEED(0)
    return number_or_error(((lenfunc)wrapped)(self));
}

PyObject *wrap_hashfunc(PyObject *self, PyObject *args, void *wrapped)
{
    NEED(0)
    return number_or_error(((hashfunc)wrapped)(self));
}

PyObject *wrap_indexargfunc(PyObject *self, PyObject *args, void *wrapped)
{
    NEED(1)
    Py_ssize_t count = PyNumber_AsSsize_t(ARG(0), PyExc_OverflowError);
    if (count == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return ((ssizeargfunc)wrapped)(self, count);
}

/* An index as sq_item wants it: negative ones count from the end. -1 with an exception. */
static Py_ssize_t sequence_index(PyObject *self, PyObject *arg)
{
    Py_ssize_t index = PyNumber_AsSsize_t(arg, PyExc_OverflowError);
    if (index >= 0 || PyErr_Occurred()) {
        return index;
    }
    PySequenceMethods *methods = Py_TYPE(self)->tp_as_sequence;
    if (methods != NULL && methods->sq_length != NULL) {
        Py_ssize_t length = methods->sq_length(self);
        if (length < 0) {
            return -1;
        }
        index += length;
    }
    return index;
}

PyObject *wrap_sq_item(PyObject *self, PyObject *args, void *wrapped)
{
    NEED(1)
    Py_ssize_t index = sequence_index(self, ARG(0));
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return ((ssizeargfunc)wrapped)(self, index);
}

PyObject *wrap_sq_setitem(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *arg, *value;
    if (!PyArg_UnpackTuple(args, "", 2, 2, &arg, &value)) {
        return NULL;
    }
    Py_ssize_t index = sequence_index(self, arg);
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return none_or_error(((ssizeobjargproc)wrapped)(self, index, value));
}

PyObject *wrap_sq_delitem(PyObject *self, PyObject *args, void *wrapped)
{
    NEED(1)
    Py_ssize_t index = sequence_index(self, ARG(0));
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return none_or_error(((ssizeobjargproc)wrapped)(self, index, NULL));
}

PyObject *wrap_objobjproc(PyObject *self, PyObject *args, void *wrapped)
{
    NEED(1)
    return truth_or_error(((objobjproc)wrapped)(self, ARG(0)));
}

PyObject *wrap_objobjargproc(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *key, *value;
    if (!PyArg_UnpackTuple(args, "", 2, 2, &key, &value)) {
        return NULL;
    }
    return none_or_error(((objobjargproc)wrapped)(self, key, value));
}

PyObject *wrap_delitem(PyObject *self, PyObject *args, void *wrapped)
{
    NEED(1)
    return none_or_error(((objobjargproc)wrapped)(self, ARG(0), NULL));
}

/* object.__setattr__(cls, ...) and the like must not go around what a C type in between checks.
 * `func` is allowed when it is the slot of the nearest C type that defines one. */
static bool may_set_attributes(PyObject *self, setattrofunc func, const char *what)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject *mro = type_mro(type);
    if (mro == NULL) {
        return true;
    }
    PyTypeObject *definer = type;
    for (Py_ssize_t i = PyTuple_GET_SIZE(mro); i-- > 0;) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        if (base->tp_setattro != slot_tp_setattro && base->tp_setattro == type->tp_setattro) {
            definer = base;
            break;
        }
    }
    for (PyTypeObject *base = definer; base != NULL; base = base->tp_base) {
        if (base->tp_setattro == func) {
            return true;
        }
        if (base->tp_setattro != slot_tp_setattro) {
            PyErr_Format(PyExc_TypeError, "can't apply this %s to %s object", what, type->tp_name);
            return false;
        }
    }
    return true;
}

PyObject *wrap_setattr(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *name, *value;
    if (!PyArg_UnpackTuple(args, "", 2, 2, &name, &value)
        || !may_set_attributes(self, (setattrofunc)wrapped, "__setattr__")) {
        return NULL;
    }
    return none_or_error(((setattrofunc)wrapped)(self, name, value));
}

PyObject *wrap_delattr(PyObject *self, PyObject *args, void *wrapped)
{
    NEED(1)
    if (!may_set_attributes(self, (setattrofunc)wrapped, "__delattr__")) {
        return NULL;
    }
    return none_or_error(((setattrofunc)wrapped)(self, ARG(0), NULL));
}

PyObject *wrap_next(PyObject *self, PyObject *args, void *wrapped)
{
    NEED(0)
    PyObject *item = ((iternextfunc)wrapped)(self);
    if (item == NULL && !PyErr_Occurred()) {
        PyErr_SetNone(PyExc_StopIteration);
    }
    return item;
}

PyObject *wrap_descr_get(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *obj, *type = NULL;
    if (!PyArg_UnpackTuple(args, "", 1, 2, &obj, &type)) {
        return NULL;
    }
    obj = obj == Py_None ? NULL : obj;
    type = type == Py_None ? NULL : type;
    if (obj == NULL && type == NULL) {
        PyErr_SetString(PyExc_TypeError, "__get__(None, None) is invalid");
        return NULL;
    }
    return ((descrgetfunc)wrapped)(self, obj, type);
}

PyObject *wrap_descr_set(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *obj, *value;
    if (!PyArg_UnpackTuple(args, "", 2, 2, &obj, &value)) {
        return NULL;
    }
    return none_or_error(((descrsetfunc)wrapped)(self, obj, value));
}

PyObject *wrap_descr_delete(PyObject *self, PyObject *args, void *wrapped)
{
    NEED(1)
    return none_or_error(((descrsetfunc)wrapped)(self, ARG(0), NULL));
}

PyObject *wrap_del(PyObject *self, PyObject *args, void *wrapped)
{
    NEED(0)
    ((destructor)wrapped)(self);
    Py_RETURN_NONE;
}

PyObject *wrap_buffer(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *arg;
    if (!PyArg_UnpackTuple(args, "", 1, 1, &arg)) {
        return NULL;
    }
    Py_ssize_t flags = PyNumber_AsSsize_t(arg, PyExc_OverflowError);
    if (flags == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (flags > INT_MAX || flags < INT_MIN) {
        PyErr_SetString(PyExc_OverflowError, "buffer flags out of range");
        return NULL;
    }
    /* By the function that is wrapped: the type of self may have another one that calls this. */
    return _PyMemoryView_FromBufferProc(self, (int)flags, (getbufferproc)wrapped);
}

PyObject *wrap_releasebuffer(PyObject *self, PyObject *args, void *Py_UNUSED(wrapped))
{
    PyObject *arg;
    if (!PyArg_UnpackTuple(args, "", 1, 1, &arg)) {
        return NULL;
    }
    if (!PyMemoryView_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "expected a memoryview object");
        return NULL;
    }
    Py_buffer *view = PyMemoryView_GET_BUFFER(arg);
    if (((PyMemoryViewObject *)arg)->flags & _Py_MEMORYVIEW_RELEASED) {
        PyErr_SetString(PyExc_ValueError, "memoryview's buffer has already been released");
        return NULL;
    }
    if (view->obj == NULL) {
        Py_RETURN_NONE; /* of memory that is nobody's: made for __release_buffer__ */
    }
    if (view->obj != self) {
        PyErr_SetString(PyExc_ValueError, "memoryview's buffer is not this object");
        return NULL;
    }
    if (((PyMemoryViewObject *)arg)->flags & _Py_MEMORYVIEW_RELEASED) {
        PyErr_SetString(PyExc_ValueError, "memoryview's buffer has already been released");
        return NULL;
    }
    return PyObject_CallMethodNoArgs(arg, ID(release));
}

#define WRAP_COMPARE(name, op)                                                                     \
    PyObject *wrap_##name(PyObject *self, PyObject *args, void *wrapped)                           \
    {                                                                                              \
        NEED(1)                                                                                    \
        return ((richcmpfunc)wrapped)(self, ARG(0), op);                                           \
    }
WRAP_COMPARE(lt, Py_LT)
WRAP_COMPARE(le, Py_LE)
WRAP_COMPARE(eq, Py_EQ)
WRAP_COMPARE(ne, Py_NE)
WRAP_COMPARE(gt, Py_GT)
WRAP_COMPARE(ge, Py_GE)

PyObject *wrap_init(PyObject *self, PyObject *args, void *wrapped, PyObject *kwds)
{
    return none_or_error(((initproc)wrapped)(self, args, kwds));
}

PyObject *wrap_call(PyObject *self, PyObject *args, void *wrapped, PyObject *kwds)
{
    return ((ternaryfunc)wrapped)(self, args, kwds);
}
