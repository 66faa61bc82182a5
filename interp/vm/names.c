/*
 * Globals, names of module and class code, cells.
 */
#include "interp/vm/vm.h"

static PyObject *site_name(struct frame *fp, unsigned s)
{
    return fp->body->names[fp->body->sites[s].arg];
}

static void raise_name_error(PyObject *type, const char *format, PyObject *name)
{
    PyErr_Format(type, format, name);
    PyObject *exc = PyErr_GetRaisedException();
    /* Other names cannot stand for a local one that has no value yet, so UnboundLocalError does not say it. */
    if (exc != NULL && Py_IS_TYPE(exc, (PyTypeObject *)PyExc_NameError)) {
        PyNameErrorObject *error = (PyNameErrorObject *)exc;
        if (error->name == NULL) {
            error->name = Py_NewRef(name);
        }
    }
    PyErr_SetRaisedException(exc);
}

static void raise_undefined(PyObject *name)
{
    raise_name_error(PyExc_NameError, "name '%.200S' is not defined", name);
}

/* ---- globals --------------------------------------------------------------------------------- */

static uint32_t keys_version_now(PyObject *dict)
{
    return field_load(&field_load_acquire(&((PyDictObject *)dict)->ma_keys)->version);
}

PyObject **vm_global_slot_again(struct frame *fp, struct site_entry *entry)
{
    PyFunctionObject *func = frame_function(fp);
    uint64_t epoch = field_load_acquire(&dict_keys_epoch);
    if (func->func_globals != entry->globals || keys_version_now(entry->globals) != entry->version
        || (entry->owner != NULL
            && (func->func_builtins != entry->owner
                || keys_version_now(entry->owner) != entry->version2))) {
        return NULL;
    }
    field_store_release(&entry->epoch, epoch);
    return entry->slot;
}

static void learn_global(struct frame *fp, struct code_site *site, PyObject *name)
{
    PyFunctionObject *func = frame_function(fp);
    PyObject *globals = func->func_globals, *builtins = func->func_builtins;
    if (!PyDict_CheckExact(globals) || !PyDict_CheckExact(builtins)) {
        site_specialise(fp, site, GET_GLOBAL_ANY, 0, GET_GLOBAL_ANY);
        return;
    }
    uint32_t version = dict_keys_version(globals);
    Py_ssize_t index = dict_str_index(globals, name);
    if (version == 0) {
        return;
    }
    if (index >= 0) {
        struct site_entry entry = {.kind = GET_GLOBAL_MODULE,
                                   .version = version,
                                   .globals = globals,
                                   .slot = dict_cached_slot(globals, version, index)};
        if (entry.slot != NULL) {
            site_specialise_entry(fp, site, GET_GLOBAL_MODULE, &entry, GET_GLOBAL_ANY);
        }
        return;
    }
    uint32_t builtins_version = dict_keys_version(builtins);
    index = dict_str_index(builtins, name);
    if (index >= 0 && builtins_version != 0) {
        struct site_entry entry = {.kind = GET_GLOBAL_BUILTIN,
                                   .version = version,
                                   .version2 = builtins_version,
                                   .owner = builtins,
                                   .globals = globals,
                                   .slot = dict_cached_slot(builtins, builtins_version, index)};
        if (entry.slot != NULL) {
            site_specialise_entry(fp, site, GET_GLOBAL_BUILTIN, &entry, GET_GLOBAL_ANY);
        }
    }
}

/* New reference; NULL with an exception, or without when there is none. */
static PyObject *find_in(PyObject *namespace, PyObject *name)
{
    PyObject *value = NULL;
    if (PyDict_CheckExact(namespace)) {
        PyDict_GetItemRef(namespace, name, &value);
    } else {
        PyMapping_GetOptionalItem(namespace, name, &value);
    }
    return value;
}

static PyObject *find_global(struct frame *fp, PyObject *name)
{
    PyFunctionObject *func = frame_function(fp);
    PyObject *value = find_in(func->func_globals, name);
    if (value == NULL && !PyErr_Occurred()) {
        value = find_in(func->func_builtins, name);
    }
    return value;
}

static int put_found(struct frame *fp, unsigned a, PyObject *value, PyObject *name)
{
    if (value == NULL) {
        if (!PyErr_Occurred()) {
            raise_undefined(name);
        }
        return -1;
    }
    reg_put(fp, a, value_from_owned(value));
    return 0;
}

int vm_get_global_any(struct frame *fp, unsigned a, unsigned s)
{
    PyObject *name = site_name(fp, s);
    return put_found(fp, a, find_global(fp, name), name);
}

int vm_get_global(struct frame *fp, unsigned a, unsigned s)
{
    PyObject *name = site_name(fp, s);
    PyObject *value = find_global(fp, name);
    if (value != NULL) {
        learn_global(fp, &fp->body->sites[s], name);
    }
    return put_found(fp, a, value, name);
}

int vm_set_global_any(struct frame *fp, unsigned a, unsigned s)
{
    PyObject *value = reg_object(fp, a);
    if (value == NULL || PyDict_SetItem(frame_globals(fp), site_name(fp, s), value) < 0) {
        return -1;
    }
    reg_consume(fp, a);
    return 0;
}

int vm_set_global(struct frame *fp, unsigned a, unsigned s)
{
    PyObject *globals = frame_globals(fp), *name = site_name(fp, s);
    if (PyDict_CheckExact(globals)) {
        uint32_t version = dict_keys_version(globals);
        Py_ssize_t index = version ? dict_str_index(globals, name) : -1;
        if (index >= 0 && index <= CACHE_INDEX_MAX) {
            site_specialise(fp, &fp->body->sites[s], SET_GLOBAL_MODULE,
                            CACHE_WORD(CACHE_MODULE, index, version), SET_GLOBAL_ANY);
        }
    }
    return vm_set_global_any(fp, a, s);
}

int vm_del_global(struct frame *fp, unsigned s)
{
    PyObject *name = site_name(fp, s), *old;
    int found = PyDict_Pop(frame_globals(fp), name, &old);
    if (found > 0) {
        Py_DECREF(old);
        return 0;
    }
    if (found == 0) {
        raise_undefined(name);
    }
    return -1;
}

/* ---- names of module and class code ---------------------------------------------------------- */

static PyObject *locals_of(struct frame *fp, const char *what, PyObject *name)
{
    if (fp->locals == NULL && !(fp->body->code->co_flags & CO_OPTIMIZED)) {
        /* A module's code made into a function: what it stores are globals. */
        fp->locals = Py_NewRef(frame_globals(fp));
    }
    if (fp->locals == NULL) {
        if (name != NULL) {
            PyErr_Format(PyExc_SystemError, what, name);
        } else {
            PyErr_SetString(PyExc_SystemError, what);
        }
    }
    return fp->locals;
}

int vm_get_name(struct frame *fp, unsigned a, unsigned s)
{
    PyObject *name = site_name(fp, s);
    PyObject *locals = locals_of(fp, "no locals when loading %R", name);
    if (locals == NULL) {
        return -1;
    }
    PyObject *value = find_in(locals, name);
    if (value == NULL && !PyErr_Occurred()) {
        value = find_global(fp, name);
    }
    return put_found(fp, a, value, name);
}

int vm_set_name(struct frame *fp, unsigned a, unsigned s)
{
    PyObject *name = site_name(fp, s), *value = reg_object(fp, a);
    PyObject *locals = locals_of(fp, "no locals found when storing %R", name);
    if (locals == NULL || value == NULL) {
        return -1;
    }
    if (PyDict_CheckExact(locals) ? PyDict_SetItem(locals, name, value) < 0
                                  : PyObject_SetItem(locals, name, value) < 0) {
        return -1;
    }
    reg_consume(fp, a);
    return 0;
}

int vm_del_name(struct frame *fp, unsigned s)
{
    PyObject *name = site_name(fp, s);
    PyObject *locals = locals_of(fp, "no locals when deleting %R", name);
    if (locals == NULL) {
        return -1;
    }
    if (PyObject_DelItem(locals, name) < 0) {
        if (PyErr_ExceptionMatches(PyExc_KeyError)) {
            PyErr_Clear();
            raise_undefined(name);
        }
        return -1;
    }
    return 0;
}

int vm_load_locals(struct frame *fp, unsigned a)
{
    PyObject *locals = locals_of(fp, "no locals", NULL);
    return reg_put_owned(fp, a, Py_XNewRef(locals));
}

int vm_get_from_dict_or_globals(struct frame *fp, unsigned a, unsigned b, unsigned s)
{
    PyObject *name = site_name(fp, s), *dict = reg_object(fp, b);
    PyObject *value = find_in(dict, name);
    if (value == NULL && !PyErr_Occurred()) {
        value = find_global(fp, name);
    }
    if (value != NULL) {
        reg_consume(fp, b);
    }
    return put_found(fp, a, value, name);
}

int vm_load_build_class(struct frame *fp, unsigned a)
{
    PyObject *value = find_in(frame_function(fp)->func_builtins, ID(__build_class__));
    if (value == NULL && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_NameError, "__build_class__ not found");
    }
    return reg_put_owned(fp, a, value);
}

int vm_setup_annotations(struct frame *fp)
{
    PyObject *locals = locals_of(fp, "no locals found when setting up annotations", NULL);
    if (locals == NULL) {
        return -1;
    }
    PyObject *annotations = find_in(locals, ID(__annotations__));
    if (annotations != NULL) {
        Py_DECREF(annotations);
        return 0;
    }
    if (PyErr_Occurred() || (annotations = PyDict_New()) == NULL) {
        return -1;
    }
    int status = PyObject_SetItem(locals, ID(__annotations__), annotations);
    Py_DECREF(annotations);
    return status;
}

/* ---- locals and cells ------------------------------------------------------------------------ */

static PyObject *local_name(struct frame *fp, unsigned s)
{
    return PyTuple_GET_ITEM(frame_code(fp)->co_localsplusnames, s);
}

void vm_raise_unbound(struct frame *fp, unsigned s)
{
    raise_name_error(PyExc_UnboundLocalError,
                     "cannot access local variable '%S' where it is not associated with a value",
                     local_name(fp, s));
}

void vm_raise_unbound_cell(struct frame *fp, unsigned s)
{
    if (code_local_kind(frame_code(fp), (int)s) & CODE_FAST_FREE) {
        raise_name_error(PyExc_NameError,
                         "cannot access free variable '%S' where it is not associated with a "
                         "value in enclosing scope",
                         local_name(fp, s));
    } else {
        vm_raise_unbound(fp, s);
    }
}

int vm_make_cell(struct frame *fp, unsigned a)
{
    PyObject *value = value_box(&fp->r[a]);
    if (value == NULL && PyErr_Occurred()) {
        return -1;
    }
    PyObject *cell = PyCell_New(value);
    if (cell == NULL) {
        return -1;
    }
    value_t old = fp->r[a];
    fp->r[a] = value_from_owned(cell);
    value_release(old);
    return 0;
}

int vm_set_deref(struct frame *fp, unsigned a, unsigned b)
{
    PyObject *value = reg_take(fp, b);
    if (value == NULL) {
        return -1;
    }
    PyObject *cell = value_object(fp->r[a]);
    Py_XDECREF(ref_replace(&((PyCellObject *)cell)->ob_ref, value, cell));
    return 0;
}

int vm_del_deref(struct frame *fp, unsigned a)
{
    PyObject *cell = value_object(fp->r[a]);
    PyObject *old = ref_replace(&((PyCellObject *)cell)->ob_ref, NULL, cell);
    if (old == NULL) {
        vm_raise_unbound_cell(fp, a);
        return -1;
    }
    Py_DECREF(old);
    return 0;
}

int vm_get_from_dict_or_deref(struct frame *fp, unsigned a, unsigned b, unsigned c)
{
    PyObject *value = find_in(reg_object(fp, b), local_name(fp, c));
    if (value == NULL) {
        if (PyErr_Occurred()) {
            return -1;
        }
        value = cell_load(value_object(fp->r[c]));
        if (value == NULL) {
            vm_raise_unbound_cell(fp, c);
            return -1;
        }
    }
    reg_consume(fp, b);
    reg_put(fp, a, value_from_owned(value));
    return 0;
}
