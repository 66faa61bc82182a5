/* Static types with one special slot each. */
#include "parts.h"

#include <stddef.h>

/* ---- @ ------------------------------------------------------------------------------------------------ */

static PyObject *matmul(PyObject *a, PyObject *b)
{
    return Py_BuildValue("(sOO)", "matmul", a, b);
}

static PyObject *matmul_in_place(PyObject *a, PyObject *b)
{
    return Py_BuildValue("(sOO)", "imatmul", a, b);
}

static PyNumberMethods matmul_number = {
    .nb_matrix_multiply = matmul,
    .nb_inplace_matrix_multiply = matmul_in_place,
};

static PyTypeObject matmulType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "matmulType",
    .tp_basicsize = sizeof(PyObject),
    .tp_as_number = &matmul_number,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_doc = "C level type with matrix operations defined",
    .tp_new = PyType_GenericNew,
};

/* ---- **= ---------------------------------------------------------------------------------------------- */

static PyObject *power_in_place(PyObject *self, PyObject *other, PyObject *modulo)
{
    return PyTuple_Pack(2, other, modulo);
}

static PyNumberMethods ipow_number = {.nb_inplace_power = power_in_place};

static PyTypeObject ipowType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "ipowType",
    .tp_basicsize = sizeof(PyObject),
    .tp_as_number = &ipow_number,
    .tp_new = PyType_GenericNew,
};

/* ---- await -------------------------------------------------------------------------------------------- */

struct awaitable {
    PyObject_HEAD
    PyObject *iterator;
};

static PyObject *await_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *iterator;
    if (!PyArg_UnpackTuple(args, "awaitObject", 1, 1, &iterator)) {
        return NULL;
    }
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL) {
        ((struct awaitable *)self)->iterator = Py_NewRef(iterator);
    }
    return self;
}

static void await_dealloc(PyObject *self)
{
    Py_CLEAR(((struct awaitable *)self)->iterator);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *await_await(PyObject *self)
{
    return Py_NewRef(((struct awaitable *)self)->iterator);
}

static PyAsyncMethods await_async = {.am_await = await_await};

static PyTypeObject awaitType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "awaitType",
    .tp_basicsize = sizeof(struct awaitable),
    .tp_dealloc = await_dealloc,
    .tp_as_async = &await_async,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_doc = "C level type with tp_as_async",
    .tp_new = await_new,
};

/* ---- a list that says so when it dies: nested ones are taken apart without recursion --------------------- */

struct my_list {
    PyListObject list;
    int deallocated;
};

static PyObject *my_list_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *self = PyList_Type.tp_new(type, args, kwargs);
    if (self != NULL) {
        ((struct my_list *)self)->deallocated = 0;
    }
    return self;
}

static void my_list_dealloc(PyObject *self)
{
    if (((struct my_list *)self)->deallocated) {
        Py_FatalError("MyList instance deallocated twice");
    }
    ((struct my_list *)self)->deallocated = 1;
    PyList_Type.tp_dealloc(self);
}

static PyTypeObject MyList_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "MyList",
    .tp_basicsize = sizeof(struct my_list),
    .tp_dealloc = my_list_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_new = my_list_new,
};

/* ---- generic classes ---------------------------------------------------------------------------------------- */

struct generic_alias {
    PyObject_HEAD
    PyObject *item;
};

static void generic_alias_dealloc(PyObject *self)
{
    Py_CLEAR(((struct generic_alias *)self)->item);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *generic_alias_mro_entries(PyObject *self, PyObject *bases)
{
    return PyTuple_Pack(1, ((struct generic_alias *)self)->item);
}

static PyMethodDef generic_alias_methods[] = {
    {"__mro_entries__", generic_alias_mro_entries, METH_O, NULL},
    {NULL},
};

static PyTypeObject GenericAlias_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "GenericAlias",
    .tp_basicsize = sizeof(struct generic_alias),
    .tp_dealloc = generic_alias_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_methods = generic_alias_methods,
};

static PyObject *generic_class_getitem(PyObject *type, PyObject *item)
{
    struct generic_alias *alias = PyObject_New(struct generic_alias, &GenericAlias_Type);
    if (alias != NULL) {
        alias->item = Py_NewRef(item);
    }
    return (PyObject *)alias;
}

static PyMethodDef generic_methods[] = {
    {"__class_getitem__", generic_class_getitem, METH_O | METH_CLASS, NULL},
    {NULL},
};

static PyTypeObject Generic_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "Generic",
    .tp_basicsize = sizeof(PyObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_methods = generic_methods,
};

/* ---- a container that the collector does not know ----------------------------------------------------------- */

struct container {
    PyObject_HEAD
    PyObject *value;
};

static PyObject *container_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"value", NULL};
    PyObject *value;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O", names, &value)) {
        return NULL;
    }
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL) {
        ((struct container *)self)->value = Py_NewRef(value);
    }
    return self;
}

static void container_dealloc(PyObject *self)
{
    Py_DECREF(((struct container *)self)->value);
    Py_TYPE(self)->tp_free(self);
}

static PyMemberDef container_members[] = {
    {"value", _Py_T_OBJECT, offsetof(struct container, value), Py_READONLY, "a container value"},
    {NULL},
};

static PyTypeObject ContainerNoGC_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "_testcapi.ContainerNoGC",
    .tp_basicsize = sizeof(struct container),
    .tp_dealloc = container_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_members = container_members,
    .tp_new = container_new,
};

/* ---- buffers -------------------------------------------------------------------------------------------------- */

struct buffer_object {
    PyObject_HEAD
    PyObject *bytes;
    Py_ssize_t references;
};

static PyObject *buffer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *bytes = PyBytes_FromString("test");
    PyObject *self = bytes == NULL ? NULL : type->tp_alloc(type, 0);
    if (self == NULL) {
        Py_XDECREF(bytes);
        return NULL;
    }
    ((struct buffer_object *)self)->bytes = bytes;
    return self;
}

static int buffer_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((struct buffer_object *)self)->bytes);
    return 0;
}

static int buffer_clear(PyObject *self)
{
    Py_CLEAR(((struct buffer_object *)self)->bytes);
    return 0;
}

static void buffer_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(((struct buffer_object *)self)->bytes);
    Py_TYPE(self)->tp_free(self);
}

static int buffer_get(PyObject *self, Py_buffer *view, int flags)
{
    int result = PyObject_GetBuffer(((struct buffer_object *)self)->bytes, view, flags);
    if (result == 0) {
        Py_SETREF(view->obj, Py_NewRef(self));
        ((struct buffer_object *)self)->references++;
    }
    return result;
}

static void buffer_release(PyObject *self, Py_buffer *view)
{
    ((struct buffer_object *)self)->references--;
}

static PyBufferProcs buffer_procs = {buffer_get, buffer_release};

static PyMemberDef buffer_members[] = {
    {"references", Py_T_PYSSIZET, offsetof(struct buffer_object, references), Py_READONLY, NULL},
    {NULL},
};

static PyTypeObject testBufType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "testBufType",
    .tp_basicsize = sizeof(struct buffer_object),
    .tp_dealloc = buffer_dealloc,
    .tp_as_buffer = &buffer_procs,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = buffer_traverse,
    .tp_clear = buffer_clear,
    .tp_new = buffer_new,
    .tp_members = buffer_members,
};

FUNCTIONN(buffer_fill_info)
{
    Py_buffer view;
    const char *bytes;
    Py_ssize_t size;
    int readonly, flags;
    if (!PyArg_ParseTuple(args, "s#ii:buffer_fill_info", &bytes, &size, &readonly, &flags)
        || PyBuffer_FillInfo(&view, NULL, (void *)bytes, size, readonly, flags) < 0) {
        return NULL;
    }
    return PyMemoryView_FromBuffer(&view);
}

FUNCTION1(getbuffer_with_null_view, object)
{
    return none_or_error(PyObject_GetBuffer(object, NULL, PyBUF_SIMPLE));
}

FUNCTION0(make_memoryview_from_NULL_pointer)
{
    Py_buffer view;
    if (PyBuffer_FillInfo(&view, NULL, NULL, 1, 1, PyBUF_FULL_RO) < 0) {
        return NULL;
    }
    return PyMemoryView_FromBuffer(&view);
}

FUNCTION0(test_from_contiguous)
{
    int data[9] = {-1, -1, -1, -1, -1, -1, -1, -1, -1}, init[5] = {0, 1, 2, 3, 4};
    Py_ssize_t itemsize = sizeof(int), shape = 5, strides = 2 * itemsize;
    Py_buffer view = {
        .buf = data,
        .len = 5 * itemsize,
        .itemsize = itemsize,
        .ndim = 1,
        .shape = &shape,
        .strides = &strides,
    };
    PyBuffer_FromContiguous(&view, init, view.len, 'C');
    for (int i = 0; i < 5; i++) {
        if (data[2 * i] != i) {
            return failed("item %d going up", i);
        }
    }
    view.buf = &data[8];
    view.strides[0] = -2 * itemsize;
    PyBuffer_FromContiguous(&view, init, view.len, 'C');
    for (int i = 0; i < 5; i++) {
        if (data[8 - 2 * i] != i) {
            return failed("item %d going down", i);
        }
    }
    Py_RETURN_NONE;
}

/* Bytes that are exported for writing cannot be. */
FUNCTION0(test_pep3118_obsolete_write_locks)
{
    PyObject *bytes = PyBytes_FromString("a"),
             *memory = PyMemoryView_FromMemory("a", 1, PyBUF_READ);
    Py_buffer view;
    for (int i = 0; i < 2; i++) {
        PyObject *object = i == 0 ? bytes : memory;
        if (PyObject_GetBuffer(object, &view, PyBUF_WRITABLE) == 0) {
            return failed("a read-only object was opened for writing");
        }
        PyErr_Clear();
    }
    Py_XDECREF(bytes);
    Py_XDECREF(memory);
    Py_RETURN_NONE;
}

/* ---- a descriptor that deletes itself ------------------------------------------------------------------------- */

/* bad_get(descr, object, type): calls the class, then gives the descriptor's own type. */
static PyObject *bad_get(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 3) {
        PyErr_SetString(PyExc_TypeError, "bad_get requires exactly 3 arguments");
        return NULL;
    }
    PyObject *made = PyObject_CallNoArgs(args[2]);
    if (made == NULL) {
        return NULL;
    }
    Py_DECREF(made);
    return PyUnicode_FromString("good");
}

/* ---- the part --------------------------------------------------------------------------------------------------- */

static PyMethodDef methods[] = {
    VARARGS(buffer_fill_info),
    ONE(getbuffer_with_null_view),
    NOARGS(make_memoryview_from_NULL_pointer),
    NOARGS(test_from_contiguous),
    NOARGS(test_pep3118_obsolete_write_locks),
    {"bad_get", (PyCFunction)(void (*)(void))bad_get, METH_FASTCALL, NULL},
    {NULL},
};

int add_types(PyObject *module)
{
    MyList_Type.tp_base = &PyList_Type;
    PyTypeObject *const types[] = {
        &matmulType,        &ipowType,     &awaitType,          &MyList_Type,
        &GenericAlias_Type, &Generic_Type, &ContainerNoGC_Type,
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (PyModule_AddType(module, types[i]) < 0) {
            return -1;
        }
    }
    if (PyType_Ready(&testBufType) < 0
        || PyModule_AddObjectRef(module, "testBuf", (PyObject *)&testBufType) < 0) {
        return -1;
    }
    return PyModule_AddFunctions(module, methods);
}
