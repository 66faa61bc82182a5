/* Exceptions that carry a few objects of their own: StopIteration, SystemExit, NameError,
 * AttributeError, ImportError, KeyError. */

#include "objects/exceptions/exceptions.h"

#include "fields.bind.h"

/* Traverse, clear and dealloc of a type whose own fields are `first`..`last`, objects side by side. */
#define OBJECT_FIELDS(prefix, struct_type, first, last)                                            \
    static int prefix##_clear(PyObject *self)                                                      \
    {                                                                                              \
        struct_type *e = (struct_type *)self;                                                      \
        for (PyObject **field = &e->first; field <= &e->last; field++) {                           \
            Py_CLEAR(*field);                                                                      \
        }                                                                                          \
        return exception_clear(self);                                                              \
    }                                                                                              \
    static int prefix##_traverse(PyObject *self, visitproc visit, void *arg)                       \
    {                                                                                              \
        struct_type *e = (struct_type *)self;                                                      \
        for (PyObject **field = &e->first; field <= &e->last; field++) {                           \
            Py_VISIT(*field);                                                                      \
        }                                                                                          \
        return exception_traverse(self, visit, arg);                                               \
    }

#define FIELD_SLOTS(prefix) .tp_clear = prefix##_clear, .tp_traverse = prefix##_traverse

static void set_field(PyObject **field, PyObject *value)
{
    Py_XSETREF(*field, Py_XNewRef(value));
}

/* ---- StopIteration ---------------------------------------------------------------------------- */

OBJECT_FIELDS(stop_iteration, PyStopIterationObject, value, value)

static int stop_iteration_init(PyStopIterationObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (exception_set_args((PyObject *)self, args, nargs) < 0) {
        return -1;
    }
    set_field(&self->value, nargs > 0 ? args[0] : Py_None);
    return 0;
}

static PyMemberDef stop_iteration_members[] = {
    EXCEPTION_MEMBER(PyStopIterationObject, value, "what the generator returned"),
    {NULL},
};

EXCEPTION_TYPE(StopIteration, Exception, PyStopIterationObject, stop_iteration_doc,
               .tp_init = bind_stop_iteration_init, .tp_members = stop_iteration_members,
               FIELD_SLOTS(stop_iteration));

/* ---- SystemExit -------------------------------------------------------------------------------- */

OBJECT_FIELDS(system_exit, PySystemExitObject, code, code)

static int system_exit_init(PySystemExitObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (exception_set_args((PyObject *)self, args, nargs) < 0) {
        return -1;
    }
    if (nargs == 1) {
        set_field(&self->code, args[0]);
    } else if (nargs > 1) {
        set_field(&self->code, ((PyBaseExceptionObject *)self)->args);
    }
    return 0;
}

static PyMemberDef system_exit_members[] = {
    EXCEPTION_MEMBER(PySystemExitObject, code, "the exit status, or what to print"),
    {NULL},
};

EXCEPTION_TYPE(SystemExit, BaseException, PySystemExitObject, system_exit_doc,
               .tp_init = bind_system_exit_init, .tp_members = system_exit_members,
               FIELD_SLOTS(system_exit));

/* ---- NameError ---------------------------------------------------------------------------------- */

OBJECT_FIELDS(name_error, PyNameErrorObject, name, name)

static int name_error_init(PyNameErrorObject *self, PyObject *const *args, Py_ssize_t nargs,
                           PyObject *name)
{
    if (exception_set_args((PyObject *)self, args, nargs) < 0) {
        return -1;
    }
    set_field(&self->name, name);
    return 0;
}

static PyMemberDef name_error_members[] = {
    EXCEPTION_MEMBER(PyNameErrorObject, name, "the name that was not found"),
    {NULL},
};

EXCEPTION_TYPE(NameError, Exception, PyNameErrorObject, name_error_doc,
               .tp_init = bind_name_error_init, .tp_members = name_error_members,
               FIELD_SLOTS(name_error));
EXCEPTION_TYPE(UnboundLocalError, NameError, PyNameErrorObject,
               "A local variable has no value yet, or no longer.", .tp_init = bind_name_error_init,
               FIELD_SLOTS(name_error));

/* ---- AttributeError ------------------------------------------------------------------------------- */

OBJECT_FIELDS(attribute_error, PyAttributeErrorObject, obj, name)

static int attribute_error_init(PyAttributeErrorObject *self, PyObject *const *args,
                                Py_ssize_t nargs, PyObject *name, PyObject *obj)
{
    if (exception_set_args((PyObject *)self, args, nargs) < 0) {
        return -1;
    }
    set_field(&self->name, name);
    set_field(&self->obj, obj);
    return 0;
}

/* Name and arguments travel with a pickled one; the object does not: it need not be picklable. */
static PyObject *attribute_error_getstate(PyAttributeErrorObject *self)
{
    PyObject *dict = self->dict;
    if (self->name == NULL && self->args == NULL) {
        return Py_NewRef(dict == NULL ? Py_None : dict);
    }
    PyObject *state = dict == NULL ? PyDict_New() : PyDict_Copy(dict);
    if (state == NULL || (self->name != NULL && PyDict_SetItem(state, ID(name), self->name) < 0)
        || (self->args != NULL && PyDict_SetItem(state, ID(args), self->args) < 0)) {
        Py_CLEAR(state);
    }
    return state;
}

static PyObject *attribute_error_reduce(PyAttributeErrorObject *self)
{
    PyObject *state = attribute_error_getstate(self);
    if (state == NULL) {
        return NULL;
    }
    PyObject *result = PyTuple_Pack(3, Py_TYPE(self), self->args, state);
    Py_DECREF(state);
    return result;
}

static PyMemberDef attribute_error_members[] = {
    EXCEPTION_MEMBER(PyAttributeErrorObject, name, "the name of the attribute"),
    EXCEPTION_MEMBER(PyAttributeErrorObject, obj, "what has no such attribute"),
    {NULL},
};

EXCEPTION_TYPE(AttributeError, Exception, PyAttributeErrorObject, attribute_error_doc,
               .tp_init = bind_attribute_error_init, .tp_members = attribute_error_members,
               .tp_methods = attribute_error_methods, FIELD_SLOTS(attribute_error));

/* ---- ImportError ----------------------------------------------------------------------------------- */

OBJECT_FIELDS(import_error, PyImportErrorObject, msg, name_from)

static int import_error_init(PyImportErrorObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *name, PyObject *path, PyObject *name_from)
{
    if (exception_set_args((PyObject *)self, args, nargs) < 0) {
        return -1;
    }
    set_field(&self->name, name);
    set_field(&self->path, path);
    set_field(&self->name_from, name_from);
    set_field(&self->msg, nargs == 1 ? args[0] : NULL);
    return 0;
}

static PyObject *import_error_str(PyObject *op)
{
    PyImportErrorObject *self = (PyImportErrorObject *)op;
    if (self->msg != NULL && PyUnicode_CheckExact(self->msg)) {
        return Py_NewRef(self->msg);
    }
    return exception_str(op);
}

static PyObject *import_error_reduce(PyImportErrorObject *self)
{
    PyObject *const fields[] = {self->name, self->path, self->name_from};
    PyObject *const names[] = {ID(name), ID(path), ID(name_from)};
    PyObject *state = NULL;
    if (self->dict != NULL || fields[0] != NULL || fields[1] != NULL || fields[2] != NULL) {
        state = self->dict == NULL ? PyDict_New() : PyDict_Copy(self->dict);
        for (int i = 0; i < 3 && state != NULL; i++) {
            if (fields[i] != NULL && PyDict_SetItem(state, names[i], fields[i]) < 0) {
                Py_CLEAR(state);
            }
        }
        if (state == NULL) {
            return NULL;
        }
    }
    PyObject *result = state == NULL ? PyTuple_Pack(2, Py_TYPE(self), self->args)
                                     : PyTuple_Pack(3, Py_TYPE(self), self->args, state);
    Py_XDECREF(state);
    return result;
}

static PyMemberDef import_error_members[] = {
    EXCEPTION_MEMBER(PyImportErrorObject, msg, "what went wrong"),
    EXCEPTION_MEMBER(PyImportErrorObject, name, "the module's name"),
    EXCEPTION_MEMBER(PyImportErrorObject, path, "the file that was tried"),
    EXCEPTION_MEMBER(PyImportErrorObject, name_from, "what was to be taken from the module"),
    {NULL},
};

EXCEPTION_TYPE(ImportError, Exception, PyImportErrorObject, import_error_doc,
               .tp_init = bind_import_error_init, .tp_members = import_error_members,
               .tp_methods = import_error_methods, .tp_str = import_error_str,
               FIELD_SLOTS(import_error));
EXCEPTION_TYPE(ModuleNotFoundError, ImportError, PyImportErrorObject,
               "No module of this name can be found.", .tp_init = bind_import_error_init,
               FIELD_SLOTS(import_error));

/* ---- KeyError ----------------------------------------------------------------------------------------- */

/* The key itself would make a message like '' or 'a b' hard to read: its repr does not. */
static PyObject *key_error_str(PyObject *self)
{
    PyObject *args = ((PyBaseExceptionObject *)self)->args;
    if (PyTuple_GET_SIZE(args) == 1) {
        return PyObject_Repr(PyTuple_GET_ITEM(args, 0));
    }
    return exception_str(self);
}

SIMPLE_EXCEPTION(KeyError, LookupError, "A mapping has no such key.", .tp_str = key_error_str);
