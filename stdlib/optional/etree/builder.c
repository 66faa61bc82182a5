/* TreeBuilder: makes a tree out of what a parser tells. */
#include "optional/etree/etree.h"

#include "etree_builder.bind.h"

/* ---- text ------------------------------------------------------------------------------------ */

/* Joined text (stolen) goes behind what is there already. */
static int text_put(struct etree_state *state, PyObject *element, bool tail, PyObject *text)
{
    if (Py_IS_TYPE(element, (PyTypeObject *)state->element_type)) {
        struct element *exact = (struct element *)element;
        PyObject **field = tail ? &exact->tail : &exact->text;
        if (*field != Py_None) {
            Py_SETREF(text, PyNumber_Add(*field, text));
            if (text == NULL) {
                return -1;
            }
        }
        PyObject *old;
        Py_BEGIN_CRITICAL_SECTION(element);
        old = *field;
        *field = text;
        Py_END_CRITICAL_SECTION();
        Py_XDECREF(old);
        return 0;
    }
    const char *name = tail ? "tail" : "text";
    PyObject *before = PyObject_GetAttrString(element, name);
    if (before != NULL && before != Py_None) {
        Py_SETREF(text, PyNumber_Add(before, text));
    }
    int rc = before && text ? PyObject_SetAttrString(element, name, text) : -1;
    Py_XDECREF(before);
    Py_XDECREF(text);
    return rc;
}

/* The text that has come, as one str: new reference. */
static PyObject *data_join(PyObject *list)
{
    if (PyList_GET_SIZE(list) == 1) {
        return Py_NewRef(PyList_GET_ITEM(list, 0));
    }
    PyObject *empty = PyUnicode_FromStringAndSize("", 0);
    PyObject *text = empty ? PyUnicode_Join(empty, list) : NULL;
    Py_XDECREF(empty);
    return text;
}

static int builder_flush(struct builder *self)
{
    PyObject *list = self->data, *last = self->last;
    if (list == NULL) {
        return 0;
    }
    self->data = NULL;
    int rc = 0;
    if (last != NULL) {
        Py_INCREF(last);
        PyObject *text = data_join(list);
        rc = text ? text_put(STATE(self), last, self->after_end, text) : -1;
        Py_DECREF(last);
    }
    Py_DECREF(list);
    return rc;
}

int builder_handle_data(struct builder *self, PyObject *text)
{
    if (self->data == NULL) {
        if (self->last == NULL) {
            return 0; /* there is nothing that it could belong to */
        }
        self->data = PyList_New(0);
        if (self->data == NULL) {
            return -1;
        }
    }
    return PyList_Append(self->data, text);
}

/* ---- elements -------------------------------------------------------------------------------- */

int builder_report(struct builder *self, enum event event, PyObject *value)
{
    if (value == NULL || self->report == NULL || self->events[event] == NULL) {
        Py_XDECREF(value);
        return value == NULL ? -1 : 0;
    }
    PyObject *report = Py_NewRef(self->report);
    PyObject *pair = PyTuple_Pack(2, self->events[event], value);
    PyObject *done = pair ? PyObject_CallOneArg(report, pair) : NULL;
    Py_DECREF(value);
    Py_XDECREF(pair);
    Py_XDECREF(done);
    Py_DECREF(report);
    return done ? 0 : -1;
}

static int child_add(struct etree_state *state, PyObject *parent, PyObject *child)
{
    if (Py_IS_TYPE(parent, (PyTypeObject *)state->element_type)) {
        if (!is_element(state, child)) {
            PyErr_Format(PyExc_TypeError, "expected an Element, not \"%.200s\"",
                         Py_TYPE(child)->tp_name);
            return -1;
        }
        return LOCKED(parent, element_add((struct element *)parent, child));
    }
    PyObject *done = PyObject_CallMethod(parent, "append", "O", child);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* Puts a new element into the tree; -1 with an exception. */
static int builder_enter(struct etree_state *state, struct builder *self, PyObject *element)
{
    if (self->current != NULL) {
        if (child_add(state, self->current, element) < 0
            || PyList_Append(self->stack, self->current) < 0) {
            return -1;
        }
    } else {
        if (self->root != NULL) {
            PyErr_SetString(state->parse_error, "multiple elements on top level");
            return -1;
        }
        self->root = Py_NewRef(element);
    }
    field_set(&self->current, Py_NewRef(element));
    field_set(&self->last, Py_NewRef(element));
    self->after_end = false;
    return builder_report(self, EVENT_START, Py_NewRef(element));
}

PyObject *builder_handle_start(struct etree_state *state, struct builder *self, PyObject *tag,
                               PyObject *attrib)
{
    if (builder_flush(self) < 0) {
        return NULL;
    }
    PyObject *element;
    if (self->element_factory == NULL) {
        element = element_make(state, (PyTypeObject *)state->element_type, tag, attrib);
    } else {
        PyObject *given = attrib ? Py_NewRef(attrib) : PyDict_New();
        element =
            given ? PyObject_CallFunctionObjArgs(self->element_factory, tag, given, NULL) : NULL;
        Py_XDECREF(given);
    }
    if (element != NULL && builder_enter(state, self, element) < 0) {
        Py_CLEAR(element);
    }
    return element;
}

PyObject *builder_handle_end(struct builder *self)
{
    if (builder_flush(self) < 0) {
        return NULL;
    }
    if (self->current == NULL) {
        PyErr_SetString(PyExc_IndexError, "pop from empty stack");
        return NULL;
    }
    PyObject *element = self->current; /* its reference goes to `last` */
    Py_ssize_t depth = PyList_GET_SIZE(self->stack);
    if (depth == 0) {
        self->current = NULL;
    } else {
        self->current = Py_NewRef(PyList_GET_ITEM(self->stack, depth - 1));
        if (PyList_SetSlice(self->stack, depth - 1, depth, NULL) < 0) {
            return NULL;
        }
    }
    field_set(&self->last, element);
    self->after_end = true;
    element = Py_NewRef(element);
    if (builder_report(self, EVENT_END, Py_NewRef(element)) < 0) {
        Py_CLEAR(element);
    }
    return element;
}

/* A comment or a processing instruction (stolen): into the tree if that is wanted. */
static PyObject *single_finish(struct builder *self, PyObject *node, bool insert, enum event event)
{
    if (node == NULL) {
        return NULL;
    }
    int rc = 0;
    if (insert) {
        rc = builder_flush(self);
        if (rc == 0 && self->current != NULL) {
            rc = child_add(STATE(self), self->current, node);
        }
        if (rc == 0) {
            field_set(&self->last, Py_NewRef(node));
            self->after_end = true;
        }
    }
    if (rc < 0 || builder_report(self, event, Py_NewRef(node)) < 0) {
        Py_CLEAR(node);
    }
    return node;
}

PyObject *builder_handle_comment(struct builder *self, PyObject *text)
{
    PyObject *node =
        self->comment_factory ? PyObject_CallOneArg(self->comment_factory, text) : Py_NewRef(text);
    return single_finish(self, node, self->comment_factory && self->insert_comments, EVENT_COMMENT);
}

PyObject *builder_handle_pi(struct builder *self, PyObject *target, PyObject *text)
{
    PyObject *node = self->pi_factory
                         ? PyObject_CallFunctionObjArgs(self->pi_factory, target, text, NULL)
                         : PyTuple_Pack(2, target, text);
    return single_finish(self, node, self->pi_factory && self->insert_pis, EVENT_PI);
}

PyObject *builder_finish(struct builder *self)
{
    return Py_NewRef(self->root ? self->root : Py_None);
}

/* ---- methods --------------------------------------------------------------------------------- */

static int builder_data(struct builder *self, PyObject *text)
{
    return builder_handle_data(self, text);
}

static PyObject *builder_start(struct builder *self, PyObject *tag, PyObject *attrib)
{
    return builder_handle_start(STATE(self), self, tag, attrib);
}

static PyObject *builder_end(struct builder *self, PyObject *Py_UNUSED(tag))
{
    return builder_handle_end(self);
}

static PyObject *builder_comment(struct builder *self, PyObject *text)
{
    return builder_handle_comment(self, text);
}

static PyObject *builder_pi(struct builder *self, PyObject *target, PyObject *text)
{
    return builder_handle_pi(self, target, text);
}

static PyObject *builder_close(struct builder *self)
{
    return builder_finish(self);
}

static PyObject *builder_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct builder *self = type_make(type);
    if (self != NULL) {
        self->stack = PyList_New(0);
        if (self->stack == NULL) {
            Py_CLEAR(self);
        }
    }
    return (PyObject *)self;
}

static void factory_set(PyObject **field, PyObject *given, PyObject *usual)
{
    PyObject *factory = given != Py_None ? given : usual;
    field_set(field, Py_XNewRef(factory));
}

static int builder_init(struct builder *self, PyObject *element_factory, PyObject *comment_factory,
                        PyObject *pi_factory, int insert_comments, int insert_pis)
{
    struct etree_state *state = STATE(self);
    factory_set(&self->element_factory, element_factory, NULL);
    factory_set(&self->comment_factory, comment_factory, state->comment_factory);
    factory_set(&self->pi_factory, pi_factory, state->pi_factory);
    self->insert_comments = insert_comments;
    self->insert_pis = insert_pis;
    return 0;
}

/* ---- the type -------------------------------------------------------------------------------- */

static int builder_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct builder *self = (struct builder *)op;
    Py_VISIT(Py_TYPE(op));
    EACH_FIELD(Py_VISIT, root, current, last, data, stack, report)
    EACH_FIELD(Py_VISIT, element_factory, comment_factory, pi_factory)
    for (int i = 0; i < EVENTS; i++) {
        Py_VISIT(self->events[i]);
    }
    return 0;
}

static int builder_clear(PyObject *op)
{
    struct builder *self = (struct builder *)op;
    EACH_FIELD(Py_CLEAR, root, current, last, data, report)
    EACH_FIELD(Py_CLEAR, element_factory, comment_factory, pi_factory)
    for (int i = 0; i < EVENTS; i++) {
        Py_CLEAR(self->events[i]);
    }
    return 0;
}

static void builder_dealloc(PyObject *op)
{
    struct builder *self = (struct builder *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    builder_clear(op);
    Py_CLEAR(self->stack);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot builder_slots[] = {
    {Py_tp_dealloc, builder_dealloc},
    {Py_tp_traverse, builder_traverse},
    {Py_tp_clear, builder_clear},
    {Py_tp_methods, builder_methods},
    {Py_tp_init, bind_builder_init},
    {Py_tp_new, builder_new},
    {0, NULL},
};

static PyType_Spec builder_spec = {
    "xml.etree.ElementTree.TreeBuilder",
    sizeof(struct builder),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    builder_slots,
};

int builder_setup(struct etree_state *state, PyObject *module)
{
    state->builder_type = (PyObject *)module_type(module, &builder_spec, true);
    return state->builder_type ? 0 : -1;
}
