/* module objects, and making modules from their C definitions. */
#include "objects/module.h"

#include <string.h>

#include "locking/lock.h"
#include "locking/refs.h"
#include "objects/dict.h"
#include "objects/error.h"
#include "objects/type.h"
#include "objects/weakref.h"
#include "module.bind.h"

struct module_hooks module_hooks;

static struct module_object *module_of(PyObject *op)
{
    return (struct module_object *)op;
}

/* ---- definitions ----------------------------------------------------------------------------- */

static Py_ssize_t last_index;

PyObject *PyModuleDef_Init(PyModuleDef *def)
{
    if (type_ready(&PyModuleDef_Type) < 0) {
        return NULL;
    }
    if (def->m_base.m_index == 0) {
        Py_ssize_t index = __atomic_add_fetch(&last_index, 1, __ATOMIC_RELAXED);
        Py_SET_REFCNT(def, 1);
        Py_SET_TYPE(def, &PyModuleDef_Type);
        def->m_base.m_index = index;
    }
    return (PyObject *)def;
}

PyTypeObject PyModuleDef_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "moduledef",
    .tp_basicsize = sizeof(PyModuleDef),
    .tp_flags = Py_TPFLAGS_DEFAULT,
};

/* ---- making ---------------------------------------------------------------------------------- */

static PyObject *module_alloc(PyTypeObject *type)
{
    PyObject *op = type == &PyModule_Type ? object_new(type, 0) : type->tp_alloc(type, 0);
    if (op == NULL) {
        return NULL;
    }
    module_of(op)->dict = PyDict_New();
    if (module_of(op)->dict == NULL) {
        Py_DECREF(op);
        return NULL;
    }
    ref_defer(op);
    ref_defer(module_of(op)->dict);
    if (type == &PyModule_Type) {
        PyObject_GC_Track(op);
    }
    return op;
}

static PyObject *module_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                            PyObject *Py_UNUSED(kwds))
{
    return module_alloc(type);
}

static int fill_dict(struct module_object *self, PyObject *name, PyObject *doc)
{
    PyObject *dict = self->dict;
    if (PyDict_SetItem(dict, ID(__name__), name) < 0 || PyDict_SetItem(dict, ID(__doc__), doc) < 0
        || PyDict_SetItem(dict, ID(__package__), Py_None) < 0
        || PyDict_SetItem(dict, ID(__loader__), Py_None) < 0
        || PyDict_SetItem(dict, ID(__spec__), Py_None) < 0) {
        return -1;
    }
    if (PyUnicode_CheckExact(name)) {
        Py_XSETREF(self->name, Py_NewRef(name));
    }
    return 0;
}

static int module_init(struct module_object *self, PyObject *name, PyObject *doc)
{
    return fill_dict(self, name, doc);
}

PyObject *PyModule_NewObject(PyObject *name)
{
    PyObject *op = module_alloc(&PyModule_Type);
    if (op != NULL && fill_dict(module_of(op), name, Py_None) < 0) {
        Py_CLEAR(op);
    }
    return op;
}

PyObject *PyModule_New(const char *name)
{
    PyObject *object = PyUnicode_FromString(name);
    if (object == NULL) {
        return NULL;
    }
    PyObject *op = PyModule_NewObject(object);
    Py_DECREF(object);
    return op;
}

static int check_api_version(const char *name, int version)
{
    if (version == PYTHON_API_VERSION || version == PYTHON_ABI_VERSION) {
        return 0;
    }
    return PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                            "Python C API version mismatch for module %.100s: "
                            "This Python has API version %d, module %.100s has version %d.",
                            name, PYTHON_API_VERSION, name, version);
}

static int add_functions(PyObject *module, PyObject *name, PyMethodDef *functions)
{
    for (; functions->ml_name != NULL; functions++) {
        if (functions->ml_flags & (METH_CLASS | METH_STATIC)) {
            PyErr_SetString(PyExc_ValueError,
                            "module functions cannot set METH_CLASS or METH_STATIC");
            return -1;
        }
        PyObject *func = PyCMethod_New(functions, module, name, NULL);
        if (func == NULL) {
            return -1;
        }
        ref_defer(func);
        int failed = PyObject_SetAttrString(module, functions->ml_name, func);
        Py_DECREF(func);
        if (failed) {
            return -1;
        }
    }
    return 0;
}

int PyModule_AddFunctions(PyObject *module, PyMethodDef *functions)
{
    PyObject *name = PyModule_GetNameObject(module);
    if (name == NULL) {
        return -1;
    }
    int result = add_functions(module, name, functions);
    Py_DECREF(name);
    return result;
}

int PyModule_SetDocString(PyObject *module, const char *doc)
{
    PyObject *text = PyUnicode_FromString(doc);
    int result = text == NULL ? -1 : PyObject_SetAttr(module, ID(__doc__), text);
    Py_XDECREF(text);
    return result;
}

static int make_state(struct module_object *self, PyModuleDef *def, const char *name)
{
    if (def->m_size <= 0 || self->state != NULL) {
        if (def->m_size == 0 && self->state == NULL) {
            /* Asked for and of no size: extensions may test the pointer. */
            self->state = PyMem_Calloc(1, 1);
        }
        return 0;
    }
    (void)name;
    self->state = PyMem_Calloc(1, (size_t)def->m_size);
    if (self->state == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

PyObject *PyModule_Create2(PyModuleDef *def, int version)
{
    if (PyModuleDef_Init(def) == NULL || check_api_version(def->m_name, version) < 0) {
        return NULL;
    }
    if (def->m_slots != NULL) {
        PyErr_Format(PyExc_SystemError, "module %s: PyModule_Create is incompatible with m_slots",
                     def->m_name);
        return NULL;
    }
    const char *name =
        module_hooks.full_name == NULL ? def->m_name : module_hooks.full_name(def->m_name);
    PyObject *op = PyModule_New(name);
    if (op == NULL) {
        return NULL;
    }
    struct module_object *self = module_of(op);
    if ((def->m_size > 0 && make_state(self, def, name) < 0)
        || (def->m_methods != NULL && PyModule_AddFunctions(op, def->m_methods) < 0)
        || (def->m_doc != NULL && PyModule_SetDocString(op, def->m_doc) < 0)) {
        Py_DECREF(op);
        return NULL;
    }
    self->def = def;
    return op;
}

/* ---- multi-phase initialisation -------------------------------------------------------------- */

struct slot_plan {
    PyObject *(*create)(PyObject *, PyModuleDef *);
    void *interpreters, *gil;
    bool has_interpreters, has_gil, executes;
};

static int read_slots(PyModuleDef *def, const char *name, struct slot_plan *plan)
{
    for (PyModuleDef_Slot *slot = def->m_slots; slot != NULL && slot->slot != 0; slot++) {
        switch (slot->slot) {
        case Py_mod_create:
            if (plan->create != NULL) {
                PyErr_Format(PyExc_SystemError, "module %s has multiple create slots", name);
                return -1;
            }
            plan->create = (PyObject * (*)(PyObject *, PyModuleDef *)) slot->value;
            break;
        case Py_mod_exec:
            plan->executes = true;
            break;
        case Py_mod_multiple_interpreters:
            if (plan->has_interpreters) {
                PyErr_Format(PyExc_SystemError,
                             "module %s has more than one 'multiple interpreters' slots", name);
                return -1;
            }
            plan->has_interpreters = true;
            plan->interpreters = slot->value;
            break;
        case Py_mod_gil:
            if (plan->has_gil) {
                PyErr_Format(PyExc_SystemError, "module %s has more than one 'gil' slot", name);
                return -1;
            }
            plan->has_gil = true;
            plan->gil = slot->value;
            break;
        default:
            PyErr_Format(PyExc_SystemError, "module %s uses unknown slot ID %i", name, slot->slot);
            return -1;
        }
    }
    if (!plan->has_interpreters) {
        plan->interpreters = Py_MOD_MULTIPLE_INTERPRETERS_SUPPORTED;
    }
    return 0;
}

/* SystemError with the raised exception as its cause. */
static void raise_from_current(const char *format, const char *name)
{
    PyObject *cause = PyErr_GetRaisedException();
    PyErr_Format(PyExc_SystemError, format, name);
    PyObject *error = PyErr_GetRaisedException();
    PyException_SetContext(error, Py_NewRef(cause));
    PyException_SetCause(error, cause);
    PyErr_SetRaisedException(error);
}

static PyObject *create_by_slot(struct slot_plan *plan, PyObject *spec, PyModuleDef *def,
                                const char *name)
{
    PyObject *op = plan->create(spec, def);
    if (op == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_SystemError,
                         "creation of module %s failed without setting an exception", name);
        }
        return NULL;
    }
    if (PyErr_Occurred()) {
        raise_from_current("creation of module %s raised unreported exception", name);
        Py_DECREF(op);
        return NULL;
    }
    return op;
}

/* What stands for the module may be any object; then it can have no state and no exec slots. */
static int attach_def(PyObject *op, PyModuleDef *def, struct slot_plan *plan, const char *name)
{
    if (PyModule_Check(op)) {
        module_of(op)->state = NULL;
        module_of(op)->def = def;
        if (MODULE_BASICSIZE == (Py_ssize_t)sizeof(struct module_object)) {
            module_of(op)->gil = plan->gil;
        }
        return 0;
    }
    if (def->m_size > 0 || def->m_traverse != NULL || def->m_clear != NULL || def->m_free != NULL) {
        PyErr_Format(PyExc_SystemError,
                     "module %s is not a module object, but requests module state", name);
        return -1;
    }
    if (plan->executes) {
        PyErr_Format(PyExc_SystemError,
                     "module %s specifies execution slots, but did not create "
                     "a ModuleType instance",
                     name);
        return -1;
    }
    return 0;
}

static PyObject *from_def(PyModuleDef *def, PyObject *spec, PyObject *name, const char *text)
{
    struct slot_plan plan = {0};
    if (def->m_size < 0) {
        PyErr_Format(PyExc_SystemError,
                     "module %s: m_size may not be negative for multi-phase initialization", text);
        return NULL;
    }
    if (read_slots(def, text, &plan) < 0
        || (module_hooks.check_interpreter != NULL
            && module_hooks.check_interpreter(text, plan.interpreters) < 0)) {
        return NULL;
    }
    PyObject *op =
        plan.create != NULL ? create_by_slot(&plan, spec, def, text) : PyModule_NewObject(name);
    if (op == NULL) {
        return NULL;
    }
    if (attach_def(op, def, &plan, text) < 0
        || (def->m_methods != NULL && add_functions(op, name, def->m_methods) < 0)
        || (def->m_doc != NULL && PyModule_SetDocString(op, def->m_doc) < 0)) {
        Py_DECREF(op);
        return NULL;
    }
    return op;
}

PyObject *PyModule_FromDefAndSpec2(PyModuleDef *def, PyObject *spec, int version)
{
    PyModuleDef_Init(def);
    PyObject *name = PyObject_GetAttr(spec, ID(name));
    const char *text = name == NULL ? NULL : PyUnicode_AsUTF8(name);
    PyObject *op = NULL;
    if (text != NULL && check_api_version(text, version) == 0) {
        op = from_def(def, spec, name, text);
    }
    Py_XDECREF(name);
    return op;
}

int PyModule_ExecDef(PyObject *op, PyModuleDef *def)
{
    const char *name = PyModule_GetName(op);
    if (name == NULL) {
        return -1;
    }
    if (def->m_size >= 0 && make_state(module_of(op), def, name) < 0) {
        return -1;
    }
    for (PyModuleDef_Slot *slot = def->m_slots; slot != NULL && slot->slot != 0; slot++) {
        if (slot->slot != Py_mod_exec) {
            continue;
        }
        int result = ((int (*)(PyObject *))slot->value)(op);
        if (result != 0) {
            if (!PyErr_Occurred()) {
                PyErr_Format(PyExc_SystemError,
                             "execution of module %s failed without setting an exception", name);
            }
            return -1;
        }
        if (PyErr_Occurred()) {
            raise_from_current("execution of module %s raised unreported exception", name);
            return -1;
        }
    }
    return 0;
}

int PyUnstable_Module_SetGIL(PyObject *op, void *gil)
{
    if (!PyModule_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (MODULE_BASICSIZE == (Py_ssize_t)sizeof(struct module_object)) {
        module_of(op)->gil = gil;
    }
    return 0;
}

/* ---- questions ------------------------------------------------------------------------------- */

PyObject *PyModule_GetDict(PyObject *op)
{
    if (!PyModule_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return module_dict(op);
}

PyObject *PyModule_GetNameObject(PyObject *op)
{
    if (!PyModule_Check(op)) {
        PyErr_BadArgument();
        return NULL;
    }
    PyObject *name;
    if (dict_get_item(module_dict(op), ID(__name__), &name) < 0) {
        return NULL;
    }
    if (name == NULL || !PyUnicode_Check(name)) {
        Py_CLEAR(name);
        PyErr_SetString(PyExc_SystemError, "nameless module");
    }
    return name;
}

const char *PyModule_GetName(PyObject *op)
{
    PyObject *name = PyModule_GetNameObject(op);
    if (name == NULL) {
        return NULL;
    }
    Py_DECREF(name); /* the module's dict keeps it */
    return PyUnicode_AsUTF8(name);
}

PyObject *PyModule_GetFilenameObject(PyObject *op)
{
    if (!PyModule_Check(op)) {
        PyErr_BadArgument();
        return NULL;
    }
    PyObject *file;
    if (dict_get_item(module_dict(op), ID(__file__), &file) < 0) {
        return NULL;
    }
    if (file == NULL || !PyUnicode_Check(file)) {
        Py_CLEAR(file);
        PyErr_SetString(PyExc_SystemError, "module filename missing");
    }
    return file;
}

const char *PyModule_GetFilename(PyObject *op)
{
    PyObject *file = PyModule_GetFilenameObject(op);
    const char *text = file == NULL ? NULL : PyUnicode_AsUTF8(file);
    Py_XDECREF(file); /* the module's dict keeps it */
    return text;
}

PyModuleDef *PyModule_GetDef(PyObject *op)
{
    if (!PyModule_Check(op)) {
        PyErr_BadArgument();
        return NULL;
    }
    return module_of(op)->def;
}

void *PyModule_GetState(PyObject *op)
{
    if (!PyModule_Check(op)) {
        PyErr_BadArgument();
        return NULL;
    }
    return module_of(op)->state;
}

/* ---- attributes ------------------------------------------------------------------------------ */

/* 1, 0, -1: whether spec._initializing is true. */
static int is_initializing(PyObject *spec)
{
    PyObject *value;
    if (spec == NULL || PyObject_GetOptionalAttr(spec, ID(_initializing), &value) <= 0) {
        return PyErr_Occurred() ? -1 : 0;
    }
    int truth = PyObject_IsTrue(value);
    Py_DECREF(value);
    return truth;
}

/* Whether `name` is a submodule that is being loaded just now. */
static int is_loading_submodule(PyObject *spec, PyObject *name)
{
    PyObject *list;
    if (spec == NULL || PyObject_GetOptionalAttr(spec, ID(_uninitialized_submodules), &list) <= 0) {
        return PyErr_Occurred() ? -1 : 0;
    }
    int found = PySequence_Contains(list, name);
    Py_DECREF(list);
    return found;
}

/* The file that a spec says the module comes from: 1 and a new reference, 0, -1. */
static int origin_of(PyObject *spec, PyObject **origin)
{
    PyObject *located;
    *origin = NULL;
    if (spec == NULL || PyObject_GetOptionalAttr(spec, ID(has_location), &located) <= 0) {
        return PyErr_Occurred() ? -1 : 0;
    }
    int truth = PyObject_IsTrue(located);
    Py_DECREF(located);
    if (truth <= 0) {
        return truth;
    }
    if (PyObject_GetOptionalAttr(spec, ID(origin), origin) < 0) {
        return -1;
    }
    if (*origin != NULL && !PyUnicode_Check(*origin)) {
        Py_CLEAR(*origin);
    }
    return *origin != NULL;
}

/* Whether the file lies in the folder that comes first on sys.path, where scripts get in the way
 * of libraries. */
static int lies_on_first_path(PyObject *origin)
{
    PyObject *first = module_hooks.first_path == NULL ? NULL : module_hooks.first_path();
    if (first == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    Py_ssize_t end = PyUnicode_GET_LENGTH(origin);
    Py_ssize_t slash = PyUnicode_FindChar(origin, '/', 0, end, -1);
    PyObject *tail = slash < 0 ? NULL : PyUnicode_Substring(origin, slash + 1, end);
    if (tail != NULL && PyUnicode_EqualToUTF8(tail, "__init__.py")) {
        slash = PyUnicode_FindChar(origin, '/', 0, slash, -1);
    }
    Py_XDECREF(tail);
    int same = 0;
    if (slash >= 0) {
        PyObject *folder = PyUnicode_Substring(origin, 0, slash);
        same = folder == NULL ? -1 : PyObject_RichCompareBool(folder, first, Py_EQ);
        Py_XDECREF(folder);
    }
    Py_DECREF(first);
    return same;
}

static int is_stdlib_name(PyObject *name)
{
    PyObject *names = PySys_GetObject("stdlib_module_names");
    return names != NULL && PyAnySet_Check(names) ? PySet_Contains(names, name) : 0;
}

/* Says why a module has no such attribute as well as can be told. Borrows all; spec and origin
 * may be NULL. */
static void raise_absent(PyObject *module_name, PyObject *name, PyObject *spec, PyObject *origin)
{
    int shadowing = origin == NULL ? 0 : lies_on_first_path(origin);
    int shadows_stdlib = shadowing > 0 ? is_stdlib_name(module_name) : 0;
    if (shadowing < 0 || shadows_stdlib < 0) {
        return;
    }
    if (shadows_stdlib) {
        PyErr_Format(PyExc_AttributeError,
                     "module '%U' has no attribute '%U' (consider renaming '%U' since it has the "
                     "same name as the standard library module named '%U' and the import system "
                     "gives it precedence)",
                     module_name, name, origin, module_name);
        return;
    }
    int initializing = is_initializing(spec);
    if (initializing > 0) {
        if (shadowing) {
            PyErr_Format(PyExc_AttributeError,
                         "module '%U' has no attribute '%U' (consider renaming '%U' if it has "
                         "the same name as a library you intended to import)",
                         module_name, name, origin);
        } else if (origin != NULL) {
            PyErr_Format(PyExc_AttributeError,
                         "partially initialized module '%U' from '%U' has no attribute '%U' "
                         "(most likely due to a circular import)",
                         module_name, origin, name);
        } else {
            PyErr_Format(PyExc_AttributeError,
                         "partially initialized module '%U' has no attribute '%U' "
                         "(most likely due to a circular import)",
                         module_name, name);
        }
        return;
    }
    int loading = initializing < 0 ? -1 : is_loading_submodule(spec, name);
    if (loading > 0) {
        PyErr_Format(PyExc_AttributeError,
                     "cannot access submodule '%U' of module '%U' "
                     "(most likely due to a circular import)",
                     name, module_name);
    } else if (loading == 0) {
        PyErr_Format(PyExc_AttributeError, "module '%U' has no attribute '%U'", module_name, name);
    }
}

PyObject *module_getattr(PyObject *op, PyObject *name, bool suppress)
{
    PyObject *result = NULL;
    int found = object_get_generic(op, name, NULL, &result);
    if (found > 0) {
        return result;
    }
    if (found < 0) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return NULL;
        }
        PyErr_Clear();
    }
    PyObject *dict = module_dict(op), *hook = NULL, *module_name = NULL;
    if (dict_get_item(dict, ID(__getattr__), &hook) < 0) {
        return NULL;
    }
    if (hook != NULL) {
        result = PyObject_CallOneArg(hook, name);
        if (result == NULL && suppress && PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyErr_Clear();
        }
        Py_DECREF(hook);
        return result;
    }
    if (suppress || dict_get_item(dict, ID(__name__), &module_name) < 0) {
        return NULL;
    }
    if (module_name == NULL || !PyUnicode_Check(module_name)) {
        Py_XDECREF(module_name);
        PyErr_Format(PyExc_AttributeError, "module has no attribute '%U'", name);
        return NULL;
    }
    PyObject *spec, *origin = NULL;
    if (dict_get_item(dict, ID(__spec__), &spec) >= 0 && origin_of(spec, &origin) >= 0) {
        raise_absent(module_name, name, spec, origin);
    }
    Py_XDECREF(origin);
    Py_XDECREF(spec);
    Py_DECREF(module_name);
    return NULL;
}

PyObject *_Py_module_getattro(PyObject *op, PyObject *name)
{
    return module_getattr(op, name, false);
}

static PyObject *module_getattro(PyObject *op, PyObject *name)
{
    return module_getattr(op, name, false);
}

static PyObject *module_repr(PyObject *op)
{
    if (module_hooks.repr != NULL) {
        return module_hooks.repr(op);
    }
    PyObject *name = PyModule_GetNameObject(op);
    PyObject *text = name == NULL ? NULL : PyUnicode_FromFormat("<module %R>", name);
    Py_XDECREF(name);
    return text;
}

static PyObject *module_dir(struct module_object *self)
{
    PyObject *dict = PyObject_GetAttr((PyObject *)self, ID(__dict__)), *result = NULL, *hook;
    if (dict == NULL) {
        return NULL;
    }
    if (!PyDict_Check(dict)) {
        PyErr_Format(PyExc_TypeError, "%R.__dict__ is not a dictionary", self);
    } else if (dict_get_item(dict, ID(__dir__), &hook) >= 0) {
        result = hook != NULL ? PyObject_CallNoArgs(hook) : PyDict_Keys(dict);
        Py_XDECREF(hook);
    }
    Py_DECREF(dict);
    return result;
}

static PyObject *module_annotations_dict(struct module_object *self)
{
    PyObject *dict = PyObject_GetAttr((PyObject *)self, ID(__dict__));
    if (dict != NULL && !PyDict_Check(dict)) {
        PyErr_SetString(PyExc_TypeError, "<module>.__dict__ is not a dictionary");
        Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *module_get_annotations(struct module_object *self)
{
    PyObject *dict = module_annotations_dict(self), *annotations = NULL;
    if (dict != NULL && dict_get_item(dict, ID(__annotations__), &annotations) == 0) {
        annotations = PyDict_New();
        if (annotations != NULL && PyDict_SetItem(dict, ID(__annotations__), annotations) < 0) {
            Py_CLEAR(annotations);
        }
    }
    Py_XDECREF(dict);
    return annotations;
}

static int module_set_annotations(struct module_object *self, PyObject *value)
{
    PyObject *dict = module_annotations_dict(self);
    if (dict == NULL) {
        return -1;
    }
    int result;
    if (value != NULL) {
        result = PyDict_SetItem(dict, ID(__annotations__), value);
    } else {
        int removed = PyDict_Pop(dict, ID(__annotations__), NULL);
        if (removed == 0) {
            PyErr_SetString(PyExc_AttributeError, "__annotations__");
        }
        result = removed > 0 ? 0 : -1;
    }
    Py_DECREF(dict);
    return result;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* C code of the module may look at its state only once it has been made. */
static bool state_ready(struct module_object *self)
{
    return self->def->m_size <= 0 || self->state != NULL;
}

static int module_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct module_object *self = module_of(op);
    if (self->def != NULL && self->def->m_traverse != NULL && state_ready(self)) {
        int stopped = self->def->m_traverse(op, visit, arg);
        if (stopped) {
            return stopped;
        }
    }
    Py_VISIT(self->dict);
    return 0;
}

static int module_clear(PyObject *op)
{
    struct module_object *self = module_of(op);
    if (self->def != NULL && self->def->m_clear != NULL && state_ready(self)
        && self->def->m_clear(op) != 0 && PyErr_Occurred()) {
        PyErr_FormatUnraisable("Exception ignored in m_clear of module%s%V",
                               self->name == NULL ? "" : " ", self->name, "");
    }
    Py_CLEAR(self->dict);
    return 0;
}

static void module_dealloc(PyObject *op)
{
    struct module_object *self = module_of(op);
    PyObject_GC_UnTrack(op);
    if (self->weaklist != NULL) {
        weakref_clear_all(op);
    }
    if (self->def != NULL && self->def->m_free != NULL && state_ready(self)) {
        self->def->m_free(op);
    }
    Py_XDECREF(self->dict);
    Py_XDECREF(self->name);
    PyMem_Free(self->state);
    Py_TYPE(op)->tp_free(op);
}

static void clear_names(PyObject *dict, bool private_ones)
{
    Py_ssize_t pos = 0;
    PyObject *name, *value;
    while (PyDict_Next(dict, &pos, &name, &value)) {
        if (value == Py_None || !PyUnicode_Check(name)) {
            continue;
        }
        Py_ssize_t length = PyUnicode_GET_LENGTH(name);
        bool is_private = length > 0 && PyUnicode_READ_CHAR(name, 0) == '_'
                          && !(length > 1 && PyUnicode_READ_CHAR(name, 1) == '_');
        bool builtins = PyUnicode_EqualToUTF8(name, "__builtins__");
        if (private_ones == is_private && !builtins && PyDict_SetItem(dict, name, Py_None) < 0) {
            PyErr_FormatUnraisable("Exception ignored on clearing module dict");
        }
    }
}

void module_clear_dict(PyObject *dict)
{
    clear_names(dict, true);
    clear_names(dict, false);
}

static PyMemberDef module_members[] = {
    {"__dict__", _Py_T_OBJECT, offsetof(struct module_object, dict), Py_READONLY, NULL},
    {NULL},
};

PyTypeObject PyModule_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "module",
    .tp_basicsize = MODULE_BASICSIZE,
    .tp_dealloc = module_dealloc,
    .tp_repr = module_repr,
    .tp_getattro = module_getattro,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = module_doc,
    .tp_traverse = module_traverse,
    .tp_clear = module_clear,
    .tp_weaklistoffset = offsetof(struct module_object, weaklist),
    .tp_methods = module_methods,
    .tp_members = module_members,
    .tp_getset = module_getset,
    .tp_dictoffset = offsetof(struct module_object, dict),
    .tp_init = bind_module_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = module_new,
    .tp_free = PyObject_GC_Del,
};

PyTypeObject *const module_types[] = {&PyModule_Type, &PyModuleDef_Type, NULL};
