/* Element, its iterators, and the functions of the module. */
#include "optional/etree/etree.h"

#include "etree_element.bind.h"

/* ---- children -------------------------------------------------------------------------------- */

static struct extra *extra_make(void)
{
    struct extra *extra = PyMem_Calloc(1, sizeof *extra);
    if (extra == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    extra->children = extra->few;
    extra->room = FEW;
    return extra;
}

static struct extra *element_extra(struct element *self)
{
    if (self->extra == NULL) {
        self->extra = extra_make();
    }
    return self->extra;
}

static void extra_free(struct extra *extra)
{
    if (extra == NULL) {
        return;
    }
    Py_CLEAR(extra->attrib);
    for (Py_ssize_t i = 0; i < extra->count; i++) {
        Py_CLEAR(extra->children[i]);
    }
    if (extra->children != extra->few) {
        PyMem_Free(extra->children);
    }
    PyMem_Free(extra);
}

static Py_ssize_t child_count(struct element *self)
{
    return self->extra ? self->extra->count : 0;
}

/* Makes room for one more child. */
static int extra_grow(struct extra *extra)
{
    if (extra->count < extra->room) {
        return 0;
    }
    Py_ssize_t room = extra->count + (extra->count >> 1) + 4;
    bool few = extra->children == extra->few;
    PyObject **children =
        PyMem_Realloc(few ? NULL : extra->children, (size_t)room * sizeof *children);
    if (children == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (few) {
        memcpy(children, extra->few, sizeof extra->few);
    }
    extra->children = children;
    extra->room = room;
    return 0;
}

int element_add(struct element *self, PyObject *child)
{
    struct extra *extra = element_extra(self);
    if (extra == NULL || extra_grow(extra) < 0) {
        return -1;
    }
    extra->children[extra->count++] = Py_NewRef(child);
    return 0;
}

static PyObject *children_list(struct element *self)
{
    Py_ssize_t count = child_count(self);
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list != NULL && i < count; i++) {
        PyList_SET_ITEM(list, i, Py_NewRef(self->extra->children[i]));
    }
    return list;
}

/* Replaces all children by those of a list. */
static int children_replace(struct element *self, PyObject *list)
{
    struct extra *fresh = extra_make();
    if (fresh == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        if (extra_grow(fresh) < 0) {
            extra_free(fresh);
            return -1;
        }
        fresh->children[fresh->count++] = Py_NewRef(PyList_GET_ITEM(list, i));
    }
    struct extra *old = self->extra;
    if (old != NULL) {
        fresh->attrib = old->attrib;
        old->attrib = NULL;
    }
    self->extra = fresh;
    extra_free(old);
    return 0;
}

static bool element_required(struct etree_state *state, PyObject *op)
{
    if (is_element(state, op)) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "expected an Element, not \"%.200s\"", Py_TYPE(op)->tp_name);
    return false;
}

static bool element_argument(struct etree_state *state, PyObject *op, const char *function,
                             const char *which)
{
    if (is_element(state, op)) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "%s() argument%s must be xml.etree.ElementTree.Element, not %T",
                 function, which, op);
    return false;
}

/* ---- making ---------------------------------------------------------------------------------- */

static PyObject *element_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct element *self = type_make(type);
    if (self != NULL) {
        self->tag = Py_NewRef(Py_None);
        self->text = Py_NewRef(Py_None);
        self->tail = Py_NewRef(Py_None);
    }
    return (PyObject *)self;
}

PyObject *element_make(struct etree_state *state, PyTypeObject *type, PyObject *tag,
                       PyObject *attrib)
{
    struct element *self = (struct element *)element_new(type, NULL, NULL);
    if (self == NULL) {
        return NULL;
    }
    field_set(&self->tag, Py_NewRef(tag));
    if (attrib != NULL && PyDict_GET_SIZE(attrib) != 0) {
        if (element_extra(self) == NULL) {
            Py_DECREF(self);
            return NULL;
        }
        self->extra->attrib = Py_NewRef(attrib);
    }
    return (PyObject *)self;
}

/* The attributes of a call: a copy of the positional dict or of the keyword attrib, and all other
 * keywords.  New reference, or NULL with an exception. */
static PyObject *attributes_of_call(const char *function, int position, PyObject *positional,
                                    PyObject *kwargs)
{
    PyObject *given = positional, *named = NULL;
    PyObject *rest = kwargs ? PyDict_Copy(kwargs) : PyDict_New();
    if (rest == NULL) {
        return NULL;
    }
    if (given == NULL && kwargs != NULL) {
        if (PyDict_PopString(rest, "attrib", &named) < 0) {
            Py_DECREF(rest);
            return NULL;
        }
        given = named;
    }
    PyObject *result = NULL;
    if (given == NULL) {
        return rest;
    }
    if (!PyDict_Check(given)) {
        if (named != NULL) {
            PyErr_Format(PyExc_TypeError, "attrib must be dict, not %.100s",
                         Py_TYPE(given)->tp_name);
        } else {
            PyErr_Format(PyExc_TypeError, "%s() argument %d must be dict, not %T", function,
                         position, given);
        }
    } else {
        result = PyDict_Copy(given);
        if (result != NULL && PyDict_Update(result, rest) < 0) {
            Py_CLEAR(result);
        }
    }
    Py_XDECREF(named);
    Py_DECREF(rest);
    return result;
}

static int element_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    struct element *self = (struct element *)op;
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    if (nargs < 1 || nargs > 2) {
        PyErr_Format(PyExc_TypeError, "Element() takes at %s argument%s (%zd given)",
                     nargs < 1 ? "least 1" : "most 2", nargs < 1 ? "" : "s", nargs);
        return -1;
    }
    PyObject *attrib =
        attributes_of_call("Element", 2, nargs == 2 ? PyTuple_GET_ITEM(args, 1) : NULL, kwargs);
    if (attrib == NULL) {
        return -1;
    }
    if (PyDict_GET_SIZE(attrib) != 0 || self->extra != NULL) {
        if (element_extra(self) == NULL) {
            Py_DECREF(attrib);
            return -1;
        }
        field_set(&self->extra->attrib, Py_NewRef(attrib));
    }
    Py_DECREF(attrib);
    field_set(&self->tag, Py_NewRef(PyTuple_GET_ITEM(args, 0)));
    field_set(&self->text, Py_NewRef(Py_None));
    field_set(&self->tail, Py_NewRef(Py_None));
    return 0;
}

static PyObject *etree_module_SubElement(PyObject *module, PyObject *args, PyObject *kwargs)
{
    struct etree_state *state = PyModule_GetState(module);
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    if (nargs < 2 || nargs > 3) {
        return PyErr_Format(PyExc_TypeError, "SubElement() takes at %s arguments (%zd given)",
                            nargs < 2 ? "least 2" : "most 3", nargs);
    }
    PyObject *parent = PyTuple_GET_ITEM(args, 0);
    if (!element_argument(state, parent, "SubElement", " 1")) {
        return NULL;
    }
    PyObject *attrib =
        attributes_of_call("SubElement", 3, nargs == 3 ? PyTuple_GET_ITEM(args, 2) : NULL, kwargs);
    PyObject *child = attrib ? element_make(state, (PyTypeObject *)state->element_type,
                                            PyTuple_GET_ITEM(args, 1), attrib)
                             : NULL;
    Py_XDECREF(attrib);
    if (child != NULL && LOCKED(parent, element_add((struct element *)parent, child)) < 0) {
        Py_CLEAR(child);
    }
    return child;
}

static int element_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct element *self = (struct element *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->tag);
    Py_VISIT(self->text);
    Py_VISIT(self->tail);
    if (self->extra != NULL) {
        Py_VISIT(self->extra->attrib);
        for (Py_ssize_t i = 0; i < self->extra->count; i++) {
            Py_VISIT(self->extra->children[i]);
        }
    }
    return 0;
}

static void extra_drop(struct element *self)
{
    struct extra *extra = self->extra;
    self->extra = NULL;
    extra_free(extra);
}

static int element_gc_clear(PyObject *op)
{
    struct element *self = (struct element *)op;
    field_set(&self->tag, Py_NewRef(Py_None));
    field_set(&self->text, Py_NewRef(Py_None));
    field_set(&self->tail, Py_NewRef(Py_None));
    extra_drop(self);
    return 0;
}

static void element_dealloc(PyObject *op)
{
    struct element *self = (struct element *)op;
    PyObject_GC_UnTrack(op);
    Py_TRASHCAN_BEGIN(op, element_dealloc) PyTypeObject *type = Py_TYPE(op);
    if (self->weaklist != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    Py_CLEAR(self->tag);
    Py_CLEAR(self->text);
    Py_CLEAR(self->tail);
    extra_drop(self);
    type->tp_free(op);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

/* ---- attributes ------------------------------------------------------------------------------ */

/* The dict, made now if need be: borrowed. */
static PyObject *attrib_dict(struct element *self)
{
    struct extra *extra = element_extra(self);
    if (extra != NULL && extra->attrib == NULL) {
        extra->attrib = PyDict_New();
    }
    return extra ? extra->attrib : NULL;
}

static PyObject *element_get(struct element *self, PyObject *key, PyObject *fallback)
{
    PyObject *value;
    if (self->extra == NULL || self->extra->attrib == NULL) {
        return Py_NewRef(fallback);
    }
    PyObject *attrib = Py_NewRef(self->extra->attrib);
    int found = PyDict_GetItemRef(attrib, key, &value);
    Py_DECREF(attrib);
    return found == 0 ? Py_NewRef(fallback) : value;
}

static int element_set(struct element *self, PyObject *key, PyObject *value)
{
    PyObject *attrib = attrib_dict(self);
    return attrib ? PyDict_SetItem(attrib, key, value) : -1;
}

static PyObject *element_items(struct element *self)
{
    return self->extra && self->extra->attrib ? PyDict_Items(self->extra->attrib) : PyList_New(0);
}

static PyObject *element_keys(struct element *self)
{
    return self->extra && self->extra->attrib ? PyDict_Keys(self->extra->attrib) : PyList_New(0);
}

static PyObject *attrib_getter(PyObject *op, void *Py_UNUSED(closure))
{
    return Py_XNewRef(LOCKED(op, attrib_dict((struct element *)op)));
}

static bool no_delete(PyObject *value)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "can't delete element attribute");
    }
    return value != NULL;
}

static int attrib_setter(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    struct element *self = (struct element *)op;
    if (!no_delete(value)) {
        return -1;
    }
    if (!PyDict_Check(value)) {
        PyErr_Format(PyExc_TypeError, "attrib must be dict, not %.200s", Py_TYPE(value)->tp_name);
        return -1;
    }
    PyObject *old = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (element_extra(self) != NULL) {
        old = self->extra->attrib;
        self->extra->attrib = Py_NewRef(value);
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *field_getter(PyObject *op, void *closure)
{
    return Py_NewRef(LOCKED(op, *(PyObject **)((char *)op + (intptr_t)closure)));
}

static int field_setter(PyObject *op, PyObject *value, void *closure)
{
    PyObject **field = (PyObject **)((char *)op + (intptr_t)closure), *old;
    if (!no_delete(value)) {
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    old = *field;
    *field = Py_NewRef(value);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
    return 0;
}

/* ---- changing -------------------------------------------------------------------------------- */

static int element_clear(struct element *self)
{
    PyObject *text = self->text, *tail = self->tail;
    self->text = Py_NewRef(Py_None);
    self->tail = Py_NewRef(Py_None);
    extra_drop(self);
    Py_XDECREF(text);
    Py_XDECREF(tail);
    return 0;
}

static int element_append(struct element *self, PyObject *child)
{
    return element_argument(STATE(self), child, "append", " 1") ? element_add(self, child) : -1;
}

static int element_extend(struct element *self, PyObject *elements)
{
    struct etree_state *state = STATE(self);
    PyObject *items = PySequence_Fast(elements, "'elements' must be an iterable");
    if (items == NULL) {
        return -1;
    }
    int rc = 0;
    for (Py_ssize_t i = 0; rc == 0 && i < PySequence_Fast_GET_SIZE(items); i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(items, i);
        rc = element_required(state, item) ? LOCKED(self, element_add(self, item)) : -1;
    }
    Py_DECREF(items);
    return rc;
}

static int element_insert(struct element *self, Py_ssize_t index, PyObject *child)
{
    struct extra *extra = element_extra(self);
    if (!element_argument(STATE(self), child, "insert", " 2") || extra == NULL
        || extra_grow(extra) < 0) {
        return -1;
    }
    Py_ssize_t count = extra->count;
    index += index < 0 ? count : 0;
    index = index < 0 ? 0 : index > count ? count : index;
    memmove(extra->children + index + 1, extra->children + index,
            (size_t)(count - index) * sizeof(PyObject *));
    extra->children[index] = Py_NewRef(child);
    extra->count++;
    return 0;
}

static void child_remove(struct element *self, Py_ssize_t index)
{
    struct extra *extra = self->extra;
    PyObject *child = extra->children[index];
    extra->count--;
    memmove(extra->children + index, extra->children + index + 1,
            (size_t)(extra->count - index) * sizeof(PyObject *));
    Py_DECREF(child);
}

static int element_remove(struct element *self, PyObject *child)
{
    if (!element_argument(STATE(self), child, "remove", "")) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < child_count(self); i++) {
        PyObject *candidate = Py_NewRef(self->extra->children[i]);
        int same = candidate == child ? 1 : PyObject_RichCompareBool(candidate, child, Py_EQ);
        if (same > 0) { /* the comparison may have changed the children */
            for (i = 0; i < child_count(self) && self->extra->children[i] != candidate; i++) {
            }
            if (i < child_count(self)) {
                child_remove(self, i);
            }
        }
        Py_DECREF(candidate);
        if (same != 0) {
            return same < 0 ? -1 : 0;
        }
    }
    PyErr_SetString(PyExc_ValueError, "list.remove(x): x not in list");
    return -1;
}

/* ---- as a sequence --------------------------------------------------------------------------- */

static Py_ssize_t element_length(PyObject *op)
{
    return LOCKED(op, child_count((struct element *)op));
}

static PyObject *item_locked(struct element *self, Py_ssize_t index)
{
    if (index < 0 || index >= child_count(self)) {
        PyErr_SetString(PyExc_IndexError, "child index out of range");
        return NULL;
    }
    return Py_NewRef(self->extra->children[index]);
}

static PyObject *element_item(PyObject *op, Py_ssize_t index)
{
    return LOCKED(op, item_locked((struct element *)op, index));
}

static int assign_locked(struct element *self, Py_ssize_t index, PyObject *value)
{
    if (index < 0 || index >= child_count(self)) {
        PyErr_SetString(PyExc_IndexError, "child assignment index out of range");
        return -1;
    }
    if (value == NULL) {
        child_remove(self, index);
        return 0;
    }
    if (!element_required(STATE(self), value)) {
        return -1;
    }
    field_set(&self->extra->children[index], Py_NewRef(value));
    return 0;
}

static int element_assign_item(PyObject *op, Py_ssize_t index, PyObject *value)
{
    return LOCKED(op, assign_locked((struct element *)op, index, value));
}

/* An index, from the end if negative; false with TypeError. */
static bool index_of(PyObject *op, PyObject *key, Py_ssize_t *index)
{
    if (!PyIndex_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "element indices must be integers");
        return false;
    }
    *index = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (*index == -1 && PyErr_Occurred()) {
        return false;
    }
    *index += *index < 0 ? element_length(op) : 0;
    return true;
}

static PyObject *element_subscript(PyObject *op, PyObject *key)
{
    Py_ssize_t index;
    if (PySlice_Check(key)) {
        PyObject *list = LOCKED(op, children_list((struct element *)op));
        PyObject *part = list ? PyObject_GetItem(list, key) : NULL;
        Py_XDECREF(list);
        return part;
    }
    return index_of(op, key, &index) ? element_item(op, index) : NULL;
}

/* Lists know how to assign to slices. */
static int assign_slice(PyObject *op, PyObject *slice, PyObject *items)
{
    struct element *self = (struct element *)op;
    PyObject *list = LOCKED(op, children_list(self));
    int rc = list == NULL ? -1
             : items      ? PyObject_SetItem(list, slice, items)
                          : PyObject_DelItem(list, slice);
    if (rc == 0) {
        rc = LOCKED(op, children_replace(self, list));
    }
    Py_XDECREF(list);
    return rc;
}

static int element_assign_subscript(PyObject *op, PyObject *key, PyObject *value)
{
    struct etree_state *state = STATE(op);
    Py_ssize_t index;
    if (!PySlice_Check(key)) {
        return index_of(op, key, &index) ? element_assign_item(op, index, value) : -1;
    }
    if (value == NULL) {
        return assign_slice(op, key, NULL);
    }
    PyObject *items = PySequence_Fast(value, "assignment expects elements");
    if (items == NULL) {
        return -1;
    }
    int rc = 0;
    for (Py_ssize_t i = 0; rc == 0 && i < PySequence_Fast_GET_SIZE(items); i++) {
        rc = element_required(state, PySequence_Fast_GET_ITEM(items, i)) ? 0 : -1;
    }
    rc = rc == 0 ? assign_slice(op, key, items) : -1;
    Py_DECREF(items);
    return rc;
}

static int element_bool(PyObject *op)
{
    if (PyErr_WarnEx(PyExc_DeprecationWarning,
                     "Testing an element's truth value will always return True in future "
                     "versions.  Use specific 'len(elem)' or 'elem is not None' test instead.",
                     1)
        < 0) {
        return -1;
    }
    return element_length(op) != 0;
}

/* ---- finding --------------------------------------------------------------------------------- */

/* Whether a path is more than a tag. */
static bool is_path(PyObject *path)
{
    if (!PyUnicode_Check(path)) {
        return true;
    }
    bool in_namespace = false;
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(path); i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(path, i);
        if (c == '{') {
            in_namespace = true;
            if (i + 1 < PyUnicode_GET_LENGTH(path)
                && (PyUnicode_READ_CHAR(path, i + 1) == '*'
                    || PyUnicode_READ_CHAR(path, i + 1) == '}')) {
                return true; /* any namespace, or none */
            }
        } else if (c == '}') {
            in_namespace = false;
        } else if (!in_namespace && (c == '/' || c == '*' || c == '[' || c == '@' || c == '.')) {
            return true;
        }
    }
    return false;
}

static PyObject *by_path(struct element *self, const char *function, PyObject *path,
                         PyObject *namespaces)
{
    return PyObject_CallMethod(STATE(self)->paths, function, "OOO", self, path, namespaces);
}

static PyObject *child_or_null(struct element *self, Py_ssize_t index)
{
    return index < child_count(self) ? Py_NewRef(self->extra->children[index]) : NULL;
}

/* 1, 0, or -1 with an exception. */
static int tag_equal(PyObject *own, PyObject *tag)
{
    if (own == tag) {
        return 1;
    }
    if (PyUnicode_CheckExact(own) && PyUnicode_CheckExact(tag)) {
        Py_ssize_t size = PyUnicode_GET_LENGTH(own);
        return size == PyUnicode_GET_LENGTH(tag) && PyUnicode_KIND(own) == PyUnicode_KIND(tag)
               && memcmp(PyUnicode_DATA(own), PyUnicode_DATA(tag),
                         (size_t)size * PyUnicode_KIND(own))
                      == 0;
    }
    return PyObject_RichCompareBool(own, tag, Py_EQ);
}

static int tag_matches(struct element *element, PyObject *tag)
{
    PyObject *own = LOCKED((PyObject *)element, Py_NewRef(element->tag));
    int same = tag_equal(own, tag);
    Py_DECREF(own);
    return same;
}

/* The next child with such a tag from *at on: new reference; NULL at the end or on error. */
static PyObject *next_child(struct element *self, PyObject *tag, Py_ssize_t *at)
{
    PyObject *child;
    while ((child = LOCKED((PyObject *)self, child_or_null(self, *at))) != NULL) {
        ++*at;
        int same = tag_matches((struct element *)child, tag);
        if (same > 0) {
            return child;
        }
        Py_DECREF(child);
        if (same < 0) {
            return NULL;
        }
    }
    return NULL;
}

static PyObject *element_find(struct element *self, PyObject *path, PyObject *namespaces)
{
    Py_ssize_t at = 0;
    if (namespaces != Py_None || is_path(path)) {
        return by_path(self, "find", path, namespaces);
    }
    PyObject *child = next_child(self, path, &at);
    return child != NULL || PyErr_Occurred() ? child : Py_NewRef(Py_None);
}

static PyObject *element_findtext(struct element *self, PyObject *path, PyObject *fallback,
                                  PyObject *namespaces)
{
    Py_ssize_t at = 0;
    if (namespaces != Py_None || is_path(path)) {
        return PyObject_CallMethod(STATE(self)->paths, "findtext", "OOOO", self, path, fallback,
                                   namespaces);
    }
    PyObject *child = next_child(self, path, &at);
    if (child == NULL) {
        return PyErr_Occurred() ? NULL : Py_NewRef(fallback);
    }
    PyObject *text = LOCKED(child, Py_NewRef(((struct element *)child)->text));
    Py_DECREF(child);
    if (text == Py_None) {
        Py_DECREF(text);
        return PyUnicode_FromStringAndSize("", 0);
    }
    return text;
}

static PyObject *element_findall(struct element *self, PyObject *path, PyObject *namespaces)
{
    Py_ssize_t at = 0;
    if (namespaces != Py_None || is_path(path)) {
        return by_path(self, "findall", path, namespaces);
    }
    PyObject *list = PyList_New(0), *child;
    while (list != NULL && (child = next_child(self, path, &at)) != NULL) {
        if (PyList_Append(list, child) < 0) {
            Py_CLEAR(list);
        }
        Py_DECREF(child);
    }
    if (PyErr_Occurred()) {
        Py_CLEAR(list);
    }
    return list;
}

static PyObject *element_iterfind(struct element *self, PyObject *path, PyObject *namespaces)
{
    return by_path(self, "iterfind", path, namespaces);
}

/* ---- iterators ------------------------------------------------------------------------------- */

struct place {
    struct element *element;
    Py_ssize_t at; /* the next child, or beyond all */
};

struct walk {
    PyObject_HEAD
    struct element *root; /* until it is entered */
    PyObject *tag;        /* NULL for any */
    bool texts;           /* of text instead of elements */
    struct place *stack;
    Py_ssize_t depth, room;
};

static PyObject *walk_make(struct element *root, PyObject *tag, bool texts)
{
    struct walk *self = type_make((PyTypeObject *)STATE(root)->iter_type);
    if (self != NULL) {
        self->root = (struct element *)Py_NewRef(root);
        self->tag = Py_XNewRef(tag);
        self->texts = texts;
    }
    return (PyObject *)self;
}

static PyObject *element_iter(struct element *self, PyObject *tag)
{
    bool any = tag == Py_None || (PyUnicode_Check(tag) && PyUnicode_EqualToUTF8(tag, "*"));
    return walk_make(self, any ? NULL : tag, false);
}

static PyObject *element_itertext(struct element *self)
{
    return walk_make(self, NULL, true);
}

/* Steals the element. */
static int walk_enter(struct walk *self, struct element *element, bool inside)
{
    if (self->depth == self->room) {
        Py_ssize_t room = self->room ? self->room * 2 : 8;
        struct place *stack = PyMem_Realloc(self->stack, (size_t)room * sizeof *stack);
        if (stack == NULL) {
            Py_DECREF(element);
            PyErr_NoMemory();
            return -1;
        }
        self->stack = stack;
        self->room = room;
    }
    self->stack[self->depth++] = (struct place){element, inside ? 0 : PY_SSIZE_T_MAX};
    return 0;
}

/* A text to hand out, or NULL without an exception if it is empty; -1 in *error. */
static PyObject *text_if_any(PyObject *op, PyObject **field, int *error)
{
    PyObject *text = LOCKED(op, Py_NewRef(*field));
    int any = text == Py_None ? 0 : PyObject_IsTrue(text);
    if (any > 0) {
        return text;
    }
    *error = any;
    Py_DECREF(text);
    return NULL;
}

/* Enters an element (stolen); what that hands out, or NULL. */
static PyObject *walk_visit(struct walk *self, struct element *element, int *error)
{
    bool plain = element->tag == Py_None || PyUnicode_Check(element->tag);
    bool inside = !self->texts || plain;
    Py_INCREF(element); /* what follows may use the iterator itself */
    if (walk_enter(self, element, inside) < 0) {
        *error = -1;
        Py_DECREF(element);
        return NULL;
    }
    if (self->texts) {
        PyObject *text = inside ? text_if_any((PyObject *)element, &element->text, error) : NULL;
        Py_DECREF(element);
        return text;
    }
    int same = self->tag ? tag_matches(element, self->tag) : 1;
    if (same > 0) {
        return (PyObject *)element;
    }
    *error = same;
    Py_DECREF(element);
    return NULL;
}

static PyObject *walk_next_locked(struct walk *self)
{
    PyObject *result = NULL;
    int error = 0;
    while (result == NULL && error == 0) {
        struct element *next = NULL;
        if (self->root != NULL) {
            next = self->root;
            self->root = NULL;
        } else if (self->depth == 0) {
            return NULL;
        } else {
            struct place *top = &self->stack[self->depth - 1];
            next = (struct element *)LOCKED((PyObject *)top->element,
                                            child_or_null(top->element, top->at));
            top->at += next != NULL;
        }
        if (next != NULL) {
            result = walk_visit(self, next, &error);
            continue;
        }
        struct element *done = self->stack[--self->depth].element;
        if (self->texts && self->depth > 0) {
            result = text_if_any((PyObject *)done, &done->tail, &error);
        }
        Py_DECREF(done);
    }
    return result;
}

static PyObject *walk_next(PyObject *op)
{
    return LOCKED(op, walk_next_locked((struct walk *)op));
}

static int walk_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct walk *self = (struct walk *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->root);
    Py_VISIT(self->tag);
    for (Py_ssize_t i = 0; i < self->depth; i++) {
        Py_VISIT(self->stack[i].element);
    }
    return 0;
}

static void walk_dealloc(PyObject *op)
{
    struct walk *self = (struct walk *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_CLEAR(self->root);
    Py_CLEAR(self->tag);
    while (self->depth > 0) {
        Py_DECREF(self->stack[--self->depth].element);
    }
    PyMem_Free(self->stack);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot walk_slots[] = {
    {Py_tp_dealloc, walk_dealloc},
    {Py_tp_traverse, walk_traverse},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, walk_next},
    {0, NULL},
};

static PyType_Spec walk_spec = {
    "_elementtree._element_iterator",
    sizeof(struct walk),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION
        | Py_TPFLAGS_IMMUTABLETYPE,
    walk_slots,
};

/* ---- copies and pickles ---------------------------------------------------------------------- */

static PyObject *element_makeelement(struct element *self, PyObject *tag, PyObject *attrib)
{
    struct etree_state *state = STATE(self);
    PyObject *copy = PyDict_Copy(attrib);
    PyObject *result =
        copy ? element_make(state, (PyTypeObject *)state->element_type, tag, copy) : NULL;
    Py_XDECREF(copy);
    return result;
}

static PyObject *element_copy(struct element *self)
{
    struct etree_state *state = STATE(self);
    struct element *copy =
        (struct element *)element_make(state, (PyTypeObject *)state->element_type, self->tag, NULL);
    if (copy == NULL) {
        return NULL;
    }
    field_set(&copy->text, Py_NewRef(self->text));
    field_set(&copy->tail, Py_NewRef(self->tail));
    PyObject *attrib = self->extra ? self->extra->attrib : NULL;
    bool fine = true;
    if (attrib != NULL && PyDict_GET_SIZE(attrib) != 0) {
        fine = element_extra(copy) != NULL && (copy->extra->attrib = Py_NewRef(attrib), true);
    }
    for (Py_ssize_t i = 0; fine && i < child_count(self); i++) {
        fine = element_add(copy, self->extra->children[i]) == 0;
    }
    if (!fine) {
        Py_CLEAR(copy);
    }
    return (PyObject *)copy;
}

static PyObject *element_deepcopy(struct element *self, PyObject *memo);

/* A deep copy of anything: new reference. */
static PyObject *deep(struct etree_state *state, PyObject *op, PyObject *memo)
{
    if (op == Py_None || PyUnicode_CheckExact(op)) {
        return Py_NewRef(op);
    }
    if (Py_IS_TYPE(op, (PyTypeObject *)state->element_type)) {
        return LOCKED(op, element_deepcopy((struct element *)op, memo));
    }
    return PyObject_CallFunctionObjArgs(state->deepcopy, op, memo, NULL);
}

static bool deep_field(struct etree_state *state, PyObject **field, PyObject *from, PyObject *memo)
{
    PyObject *copy = deep(state, from, memo);
    if (copy != NULL) {
        field_set(field, copy);
    }
    return copy != NULL;
}

static bool deep_children(struct etree_state *state, struct element *copy, struct element *self,
                          PyObject *memo)
{
    for (Py_ssize_t i = 0; i < child_count(self); i++) {
        PyObject *child = Py_NewRef(self->extra->children[i]);
        PyObject *other = deep(state, child, memo);
        Py_DECREF(child);
        int rc = other && element_required(state, other) ? element_add(copy, other) : -1;
        Py_XDECREF(other);
        if (rc < 0) {
            return false;
        }
    }
    return true;
}

static bool memo_add(PyObject *memo, void *original, PyObject *copy)
{
    PyObject *id = PyLong_FromVoidPtr(original);
    int rc = id ? PyDict_SetItem(memo, id, copy) : -1;
    Py_XDECREF(id);
    return rc == 0;
}

static PyObject *element_deepcopy(struct element *self, PyObject *memo)
{
    struct etree_state *state = STATE(self);
    if (Py_EnterRecursiveCall(" while copying an element")) {
        return NULL;
    }
    struct element *copy =
        (struct element *)element_make(state, (PyTypeObject *)state->element_type, Py_None, NULL);
    bool fine = copy != NULL && deep_field(state, &copy->tag, self->tag, memo)
                && deep_field(state, &copy->text, self->text, memo)
                && deep_field(state, &copy->tail, self->tail, memo);
    PyObject *attrib = self->extra ? Py_XNewRef(self->extra->attrib) : NULL;
    if (fine && attrib != NULL && PyDict_GET_SIZE(attrib) != 0) {
        fine = element_extra(copy) != NULL && deep_field(state, &copy->extra->attrib, attrib, memo);
    }
    Py_XDECREF(attrib);
    fine = fine && deep_children(state, copy, self, memo) && memo_add(memo, self, (PyObject *)copy);
    Py_LeaveRecursiveCall();
    if (!fine) {
        Py_CLEAR(copy);
    }
    return (PyObject *)copy;
}

static size_t element_sizeof(struct element *self)
{
    size_t size = (size_t)Py_TYPE(self)->tp_basicsize;
    if (self->extra != NULL) {
        size += sizeof *self->extra;
        if (self->extra->children != self->extra->few) {
            size += (size_t)self->extra->room * sizeof(PyObject *);
        }
    }
    return size;
}

static PyObject *element_getstate(struct element *self)
{
    PyObject *children = children_list(self);
    PyObject *attrib = children == NULL                     ? NULL
                       : self->extra && self->extra->attrib ? Py_NewRef(self->extra->attrib)
                                                            : PyDict_New();
    if (attrib == NULL) {
        Py_XDECREF(children);
        return NULL;
    }
    return Py_BuildValue("{sOsNsNsOsO}", "tag", self->tag, "_children", children, "attrib", attrib,
                         "text", self->text, "tail", self->tail);
}

static int state_field(PyObject **field, PyObject *state, const char *name)
{
    PyObject *value = PyDict_GetItemString(state, name);
    field_set(field, Py_NewRef(value ? value : Py_None));
    return 0;
}

static int element_setstate(struct element *self, PyObject *state)
{
    struct etree_state *module = STATE(self);
    if (!PyDict_CheckExact(state)) {
        PyErr_Format(PyExc_TypeError, "Don't know how to unpickle \"%.200R\" as an Element", state);
        return -1;
    }
    PyObject *tag = PyDict_GetItemString(state, "tag");
    if (tag == NULL) {
        PyErr_SetString(PyExc_TypeError, "tag may not be NULL");
        return -1;
    }
    PyObject *attrib = PyDict_GetItemString(state, "attrib");
    PyObject *children = PyDict_GetItemString(state, "_children");
    if (attrib != NULL && attrib != Py_None && !PyDict_Check(attrib)) {
        PyErr_Format(PyExc_TypeError, "attrib must be dict, not %.200s", Py_TYPE(attrib)->tp_name);
        return -1;
    }
    if (children != NULL && children != Py_None && !PyList_Check(children)) {
        PyErr_SetString(PyExc_TypeError, "'_children' is not a list");
        return -1;
    }
    Py_INCREF(state);
    field_set(&self->tag, Py_NewRef(tag));
    state_field(&self->text, state, "text");
    state_field(&self->tail, state, "tail");
    extra_drop(self);
    int rc = 0;
    if (attrib != NULL && attrib != Py_None) {
        rc = element_extra(self) ? 0 : -1;
        if (rc == 0) {
            field_set(&self->extra->attrib, Py_NewRef(attrib));
        }
    }
    for (Py_ssize_t i = 0;
         rc == 0 && children != NULL && PyList_Check(children) && i < PyList_GET_SIZE(children);
         i++) {
        PyObject *child = PyList_GET_ITEM(children, i);
        rc = element_required(module, child) ? element_add(self, child) : -1;
    }
    Py_DECREF(state);
    return rc;
}

/* ---- the type -------------------------------------------------------------------------------- */

static PyObject *element_repr(PyObject *op)
{
    struct element *self = (struct element *)op;
    int inside = Py_ReprEnter(op);
    if (inside != 0) {
        if (inside > 0) {
            PyErr_Format(PyExc_RuntimeError, "reentrant call inside %s.__repr__",
                         Py_TYPE(op)->tp_name);
        }
        return NULL;
    }
    PyObject *tag = LOCKED(op, Py_NewRef(self->tag));
    PyObject *text = PyUnicode_FromFormat("<Element %R at %p>", tag, op);
    Py_DECREF(tag);
    Py_ReprLeave(op);
    return text;
}

#define FIELD(name, doc)                                                                           \
    {                                                                                              \
#name, field_getter, field_setter, PyDoc_STR(doc), (void *)offsetof(struct element, name)  \
    }

static PyGetSetDef element_getset[] = {
    FIELD(tag, "what kind of element this is"),
    FIELD(text, "the text behind the start tag, or None"),
    FIELD(tail, "the text behind the end tag, or None"),
    {"attrib", attrib_getter, attrib_setter, PyDoc_STR("the attributes, a dict"), NULL},
    {0},
};

static PyMemberDef element_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct element, weaklist), Py_READONLY, NULL},
    {0},
};

static PyType_Slot element_slots[] = {
    {Py_tp_dealloc, element_dealloc},
    {Py_tp_traverse, element_traverse},
    {Py_tp_clear, element_gc_clear},
    {Py_tp_repr, element_repr},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_init, element_init},
    {Py_tp_new, element_new},
    {Py_tp_methods, element_methods},
    {Py_tp_members, element_members},
    {Py_tp_getset, element_getset},
    {Py_nb_bool, element_bool},
    {Py_sq_length, element_length},
    {Py_sq_item, element_item},
    {Py_sq_ass_item, element_assign_item},
    {Py_mp_length, element_length},
    {Py_mp_subscript, element_subscript},
    {Py_mp_ass_subscript, element_assign_subscript},
    {0, NULL},
};

static PyType_Spec element_spec = {
    "xml.etree.ElementTree.Element",
    sizeof(struct element),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    element_slots,
};

/* False with TypeError. */
static bool factory_check(const char *what, PyObject *factory)
{
    if (factory == Py_None || PyCallable_Check(factory)) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "%s factory must be callable, not %.100s", what,
                 Py_TYPE(factory)->tp_name);
    return false;
}

static PyObject *etree_module_set_factories(PyObject *module, PyObject *comment, PyObject *pi)
{
    struct etree_state *state = PyModule_GetState(module);
    if (!factory_check("Comment", comment) || !factory_check("PI", pi)) {
        return NULL;
    }
    PyObject *old = PyTuple_Pack(2, state->comment_factory ? state->comment_factory : Py_None,
                                 state->pi_factory ? state->pi_factory : Py_None);
    if (old != NULL) {
        field_set(&state->comment_factory, comment == Py_None ? NULL : Py_NewRef(comment));
        field_set(&state->pi_factory, pi == Py_None ? NULL : Py_NewRef(pi));
    }
    return old;
}

int element_setup(struct etree_state *state, PyObject *module)
{
    state->iter_type = (PyObject *)module_type(module, &walk_spec, false);
    state->element_type =
        state->iter_type ? (PyObject *)module_type(module, &element_spec, true) : NULL;
    return state->element_type ? PyModule_AddFunctions(module, etree_module_methods) : -1;
}
