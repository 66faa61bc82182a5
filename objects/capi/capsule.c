/* Capsules: a C pointer with a name, a context and a destructor, as an object. */
#include "objects/capi/capsule.h"
#include "objects/capi/capi.h"

#include <string.h>

struct capsule {
    PyObject_HEAD
    void *pointer;    /* never NULL */
    const char *name; /* not copied; NULL is a name of its own */
    void *context;
    PyCapsule_Destructor destructor;
    traverseproc traverse; /* set both or none; only then the collector knows the capsule */
    inquiry clear;
};

/* The names of all functions differ only in one word of their messages. */
static struct capsule *check_capsule(PyObject *op, const char *function)
{
    if (op && PyCapsule_CheckExact(op) && ((struct capsule *)op)->pointer) {
        return (struct capsule *)op;
    }
    PyErr_Format(PyExc_ValueError, "PyCapsule_%s called with invalid PyCapsule object", function);
    return NULL;
}

static bool same_name(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

PyObject *PyCapsule_New(void *pointer, const char *name, PyCapsule_Destructor destructor)
{
    if (!pointer) {
        PyErr_SetString(PyExc_ValueError, "PyCapsule_New called with null pointer");
        return NULL;
    }
    struct capsule *capsule = PyObject_GC_New(struct capsule, &PyCapsule_Type);
    if (!capsule) {
        return NULL;
    }
    capsule->pointer = pointer;
    capsule->name = name;
    capsule->context = NULL;
    capsule->destructor = destructor;
    capsule->traverse = NULL;
    capsule->clear = NULL;
    return (PyObject *)capsule;
}

/* Never fails. */
int PyCapsule_IsValid(PyObject *op, const char *name)
{
    struct capsule *capsule = (struct capsule *)op;
    return op && PyCapsule_CheckExact(op) && capsule->pointer && same_name(capsule->name, name);
}

/* ---- parts ----------------------------------------------------------------------------------- */

void *PyCapsule_GetPointer(PyObject *op, const char *name)
{
    struct capsule *capsule = check_capsule(op, "GetPointer");
    if (!capsule) {
        return NULL;
    }
    if (!same_name(capsule->name, name)) {
        PyErr_SetString(PyExc_ValueError, "PyCapsule_GetPointer called with incorrect name");
        return NULL;
    }
    return capsule->pointer;
}

int PyCapsule_SetPointer(PyObject *op, void *pointer)
{
    struct capsule *capsule = check_capsule(op, "SetPointer");
    if (!capsule) {
        return -1;
    }
    if (!pointer) {
        PyErr_SetString(PyExc_ValueError, "PyCapsule_SetPointer called with null pointer");
        return -1;
    }
    capsule->pointer = pointer;
    return 0;
}

#define CAPSULE_PART(Name, type, field)                                                            \
    type PyCapsule_Get##Name(PyObject *op)                                                         \
    {                                                                                              \
        struct capsule *capsule = check_capsule(op, "Get" #Name);                                  \
        return capsule ? capsule->field : NULL;                                                    \
    }                                                                                              \
    int PyCapsule_Set##Name(PyObject *op, type value)                                              \
    {                                                                                              \
        struct capsule *capsule = check_capsule(op, "Set" #Name);                                  \
        if (!capsule) {                                                                            \
            return -1;                                                                             \
        }                                                                                          \
        capsule->field = value;                                                                    \
        return 0;                                                                                  \
    }

CAPSULE_PART(Name, const char *, name)
CAPSULE_PART(Context, void *, context)
CAPSULE_PART(Destructor, PyCapsule_Destructor, destructor)

/* Lets the collector look through the pointer: for capsules that hold objects. */
PyAPI_FUNC(int) _PyCapsule_SetTraverse(PyObject *op, traverseproc traverse, inquiry clear);
int _PyCapsule_SetTraverse(PyObject *op, traverseproc traverse, inquiry clear)
{
    struct capsule *capsule = check_capsule(op, "SetTraverse");
    if (!capsule) {
        return -1;
    }
    if (!traverse || !clear) {
        PyErr_SetString(PyExc_ValueError, "_PyCapsule_SetTraverse() called with NULL callback");
        return -1;
    }
    capsule->traverse = traverse;
    capsule->clear = clear;
    if (!PyObject_GC_IsTracked(op)) {
        PyObject_GC_Track(op);
    }
    return 0;
}

/* ---- import ---------------------------------------------------------------------------------- */

/* The pointer of the capsule with a dotted name: a module to import, then attributes. */
void *PyCapsule_Import(const char *name, int Py_UNUSED(no_block))
{
    size_t size = strlen(name) + 1;
    char *path = PyMem_Malloc(size);
    if (!path) {
        PyErr_NoMemory();
        return NULL;
    }
    memcpy(path, name, size);
    PyObject *op = NULL;
    for (char *part = path; part;) {
        char *dot = strchr(part, '.');
        if (dot) {
            *dot++ = '\0';
        }
        if (op) {
            Py_SETREF(op, PyObject_GetAttrString(op, part));
        } else {
            op = PyImport_ImportModule(part);
            if (!op) {
                PyErr_Format(PyExc_ImportError, "PyCapsule_Import could not import module \"%s\"",
                             part);
            }
        }
        if (!op) {
            PyMem_Free(path);
            return NULL;
        }
        part = dot;
    }
    void *pointer = NULL;
    if (PyCapsule_IsValid(op, name)) {
        pointer = ((struct capsule *)op)->pointer;
    } else {
        PyErr_Format(PyExc_AttributeError, "PyCapsule_Import \"%s\" is not valid", name);
    }
    Py_DECREF(op);
    PyMem_Free(path);
    return pointer;
}

/* ---- the type -------------------------------------------------------------------------------- */

static void capsule_dealloc(PyObject *op)
{
    struct capsule *capsule = (struct capsule *)op;
    PyObject_GC_UnTrack(op);
    if (capsule->destructor) {
        capsule->destructor(op);
    }
    PyObject_GC_Del(op);
}

static PyObject *capsule_repr(PyObject *op)
{
    struct capsule *capsule = (struct capsule *)op;
    const char *quote = capsule->name ? "\"" : "";
    return PyUnicode_FromFormat("<capsule object %s%s%s at %p>", quote,
                                capsule->name ? capsule->name : "NULL", quote, (void *)capsule);
}

static int capsule_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct capsule *capsule = (struct capsule *)op;
    return capsule->traverse ? capsule->traverse(op, visit, arg) : 0;
}

static int capsule_clear(PyObject *op)
{
    struct capsule *capsule = (struct capsule *)op;
    return capsule->clear ? capsule->clear(op) : 0;
}

PyDoc_STRVAR(capsule_doc,
             "A C pointer wrapped as an object.\n\n"
             "One extension module hands it to another through a named attribute; the name\n"
             "tells which interface the pointer belongs to.");

PyTypeObject PyCapsule_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "PyCapsule",
    .tp_basicsize = sizeof(struct capsule),
    .tp_dealloc = capsule_dealloc,
    .tp_repr = capsule_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = capsule_doc,
    .tp_traverse = capsule_traverse,
    .tp_clear = capsule_clear,
};

PyTypeObject *const capsule_types[] = {&PyCapsule_Type, NULL};
