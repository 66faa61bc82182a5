/* Matches and replacement templates. */
#include "sre.h"

#include "sre_match.bind.h"

PyObject *match_make(struct pattern *pattern, struct run *run, int status)
{
    if (status <= 0) {
        return status < 0 ? NULL : Py_NewRef(Py_None);
    }
    PyTypeObject *type = (PyTypeObject *)sre_state_of(Py_TYPE(pattern))->match_type;
    struct match *self = (struct match *)type->tp_alloc(type, 2 * (pattern->groups + 1));
    if (self == NULL) {
        return NULL;
    }
    self->string = Py_NewRef(run->string);
    self->pattern = (struct pattern *)Py_NewRef(pattern);
    self->pos = run->pos;
    self->endpos = run->endpos;
    self->groups = pattern->groups + 1;
    self->last_index = run->registers[pattern->groups * 2];
    self->marks[0] = run->start;
    self->marks[1] = run->end;
    for (Py_ssize_t i = 0; i < pattern->groups; i++) {
        Py_ssize_t start = run->registers[i * 2], end = run->registers[i * 2 + 1];
        bool set = start >= 0 && end >= start;
        self->marks[i * 2 + 2] = set ? start : -1;
        self->marks[i * 2 + 3] = set ? end : -1;
    }
    return (PyObject *)self;
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* The number of a group, NULL meaning 0; -1 with IndexError or what the argument raises. */
static Py_ssize_t group_number(struct match *self, PyObject *group)
{
    Py_ssize_t number = -1;
    if (group == NULL) {
        return 0;
    }
    if (PyIndex_Check(group)) {
        number = PyNumber_AsSsize_t(group, NULL);
    } else {
        PyObject *found;
        if (PyDict_GetItemRef(self->pattern->groupindex, group, &found) > 0) {
            number = PyLong_Check(found) ? PyLong_AsSsize_t(found) : -1;
            Py_DECREF(found);
        }
    }
    if (number < 0 || number >= self->groups) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_IndexError, "no such group");
        }
        return -1;
    }
    return number;
}

/* A part of the text (new reference). */
static PyObject *text_slice(PyObject *string, Py_ssize_t start, Py_ssize_t end)
{
    if (PyUnicode_Check(string)) {
        return PyUnicode_Substring(string, start, end);
    }
    Py_buffer view;
    if (PyObject_GetBuffer(string, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    /* What could be resized since may have become shorter. */
    end = end > view.len ? view.len : end;
    start = start > end ? end : start;
    PyObject *slice = PyBytes_CheckExact(string) && start == 0 && end == view.len
                          ? Py_NewRef(string)
                          : PyBytes_FromStringAndSize((char *)view.buf + start, end - start);
    PyBuffer_Release(&view);
    return slice;
}

/* A group's text, or a new reference to `missing`. */
static PyObject *group_text(struct match *self, Py_ssize_t number, PyObject *missing)
{
    Py_ssize_t start = self->marks[number * 2], end = self->marks[number * 2 + 1];
    return start < 0 ? Py_NewRef(missing) : text_slice(self->string, start, end);
}

static PyObject *group_get(struct match *self, PyObject *group)
{
    Py_ssize_t number = group_number(self, group);
    return number < 0 ? NULL : group_text(self, number, Py_None);
}

static PyObject *match_group(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    struct match *self = (struct match *)op;
    if (nargs <= 1) {
        return nargs == 0 ? group_text(self, 0, Py_None) : group_get(self, args[0]);
    }
    PyObject *tuple = PyTuple_New(nargs);
    for (Py_ssize_t i = 0; i < nargs && tuple != NULL; i++) {
        PyObject *item = group_get(self, args[i]);
        if (item == NULL) {
            Py_CLEAR(tuple);
        } else {
            PyTuple_SET_ITEM(tuple, i, item);
        }
    }
    return tuple;
}

static PyObject *match_subscript(PyObject *op, PyObject *key)
{
    return group_get((struct match *)op, key);
}

static PyObject *match_groups(struct match *self, PyObject *missing)
{
    PyObject *tuple = PyTuple_New(self->groups - 1);
    for (Py_ssize_t i = 1; i < self->groups && tuple != NULL; i++) {
        PyObject *item = group_text(self, i, missing);
        if (item == NULL) {
            Py_CLEAR(tuple);
        } else {
            PyTuple_SET_ITEM(tuple, i - 1, item);
        }
    }
    return tuple;
}

static PyObject *match_groupdict(struct match *self, PyObject *missing)
{
    PyObject *result = PyDict_New(), *names = PyDict_Keys(self->pattern->groupindex);
    for (Py_ssize_t i = 0; names != NULL && result != NULL && i < PyList_GET_SIZE(names); i++) {
        PyObject *name = PyList_GET_ITEM(names, i);
        Py_ssize_t number = group_number(self, name);
        PyObject *text = number < 0 ? NULL : group_text(self, number, missing);
        if (text == NULL || PyDict_SetItem(result, name, text) < 0) {
            Py_CLEAR(result);
        }
        Py_XDECREF(text);
    }
    if (names == NULL) {
        Py_CLEAR(result);
    }
    Py_XDECREF(names);
    return result;
}

/* ---- places ---------------------------------------------------------------------------------- */

/* A mark, or -1: an exception tells an error from a group that took no part. */
static Py_ssize_t mark_get(struct match *self, PyObject *group, int side)
{
    Py_ssize_t number = group_number(self, group);
    return number < 0 ? -1 : self->marks[number * 2 + side];
}

static Py_ssize_t match_start(struct match *self, PyObject *group)
{
    return mark_get(self, group, 0);
}

static Py_ssize_t match_end(struct match *self, PyObject *group)
{
    return mark_get(self, group, 1);
}

static PyObject *span_make(struct match *self, Py_ssize_t number)
{
    return Py_BuildValue("nn", self->marks[number * 2], self->marks[number * 2 + 1]);
}

static PyObject *match_span(struct match *self, PyObject *group)
{
    Py_ssize_t number = group_number(self, group);
    return number < 0 ? NULL : span_make(self, number);
}

static PyObject *match_get_regs(struct match *self)
{
    PyObject *regs = LOCKED(self, Py_XNewRef(self->regs));
    if (regs != NULL) {
        return regs;
    }
    regs = PyTuple_New(self->groups);
    for (Py_ssize_t i = 0; i < self->groups && regs != NULL; i++) {
        PyObject *span = span_make(self, i);
        if (span == NULL) {
            Py_CLEAR(regs);
        } else {
            PyTuple_SET_ITEM(regs, i, span);
        }
    }
    if (regs != NULL) {
        Py_BEGIN_CRITICAL_SECTION(self);
        if (self->regs == NULL) {
            self->regs = Py_NewRef(regs);
        }
        Py_END_CRITICAL_SECTION();
    }
    return regs;
}

static PyObject *match_get_lastindex(struct match *self)
{
    return self->last_index < 0 ? Py_NewRef(Py_None) : PyLong_FromSsize_t(self->last_index);
}

static PyObject *match_get_lastgroup(struct match *self)
{
    PyObject *names = self->pattern->indexgroup;
    bool named = self->last_index >= 0 && self->last_index < PyTuple_GET_SIZE(names);
    return Py_NewRef(named ? PyTuple_GET_ITEM(names, self->last_index) : Py_None);
}

/* ---- the rest of the type -------------------------------------------------------------------- */

static PyObject *match_expand(struct match *self, PyObject *template)
{
    struct sre_state *state = sre_state_of(Py_TYPE(self));
    PyObject *filter = template_compile(state, (PyObject *)self->pattern, template);
    if (filter == NULL || !Py_IS_TYPE(filter, (PyTypeObject *)state->template_type)) {
        return filter;
    }
    PyObject *result = template_expand((struct template *)filter, self);
    Py_DECREF(filter);
    return result;
}

static int match_copy(struct match *self)
{
    return 0;
}

static int match_deepcopy(struct match *self, PyObject *memo)
{
    return 0;
}

static PyObject *match_repr(PyObject *op)
{
    struct match *self = (struct match *)op;
    PyObject *text = group_text(self, 0, Py_None);
    if (text == NULL) {
        return NULL;
    }
    PyObject *repr =
        PyUnicode_FromFormat("<%s object; span=(%zd, %zd), match=%.50R>", Py_TYPE(op)->tp_name,
                             self->marks[0], self->marks[1], text);
    Py_DECREF(text);
    return repr;
}

GC_OBJECT(match, string, regs, pattern)

static PyType_Slot match_slots[] = {
    GC_SLOTS(match),
    {Py_tp_doc, (void *)match_doc},
    {Py_tp_repr, match_repr},
    {Py_mp_subscript, match_subscript},
    {Py_tp_methods, match_methods},
    {Py_tp_members, match_members},
    {Py_tp_getset, match_getset},
    {0, NULL},
};

PyType_Spec match_spec = {
    "re.Match", sizeof(struct match), sizeof(Py_ssize_t), HIDDEN_TYPE, match_slots,
};

/* ---- templates ------------------------------------------------------------------------------- */

PyObject *template_compile(struct sre_state *state, PyObject *pattern, PyObject *text)
{
    PyObject *function = LOCKED(PyType_GetModule((PyTypeObject *)state->match_type),
                                Py_XNewRef(state->compile_template));
    if (function == NULL) {
        PyObject *re = PyImport_ImportModule("re");
        function = re ? PyObject_GetAttrString(re, "_compile_template") : NULL;
        Py_XDECREF(re);
        if (function == NULL) {
            return NULL;
        }
        Py_BEGIN_CRITICAL_SECTION(PyType_GetModule((PyTypeObject *)state->match_type));
        if (state->compile_template == NULL) {
            state->compile_template = Py_NewRef(function);
        }
        Py_END_CRITICAL_SECTION();
    }
    PyObject *result = PyObject_CallFunctionObjArgs(function, pattern, text, NULL);
    Py_DECREF(function);
    return result;
}

static PyObject *invalid_template(struct template *self)
{
    Py_XDECREF(self);
    if (!PyErr_Occurred()) {
        PyErr_SetString(PyExc_TypeError, "invalid template");
    }
    return NULL;
}

PyObject *template_make(struct sre_state *state, PyObject *list)
{
    if (!PyList_Check(list)) {
        PyErr_Format(PyExc_TypeError, "template() argument 2 must be list, not %.50s",
                     Py_TYPE(list)->tp_name);
        return NULL;
    }
    PyObject *items = PyList_AsTuple(list);
    if (items == NULL) {
        return NULL;
    }
    PyTypeObject *type = (PyTypeObject *)state->template_type;
    Py_ssize_t count = PyTuple_GET_SIZE(items);
    struct template *self = NULL;
    if (count % 2 == 1) {
        self = (struct template *)type->tp_alloc(type, count / 2);
    }
    bool fine = self != NULL;
    for (Py_ssize_t i = 0; i < count && fine; i++) {
        PyObject *item = PyTuple_GET_ITEM(items, i);
        if (i == 0) {
            self->literal = Py_NewRef(item);
        } else if (i % 2 == 1) {
            self->parts[i / 2].group = PyLong_AsSsize_t(item);
            fine = self->parts[i / 2].group >= 0;
        } else if (!(PyUnicode_Check(item) && PyUnicode_GET_LENGTH(item) == 0)
                   && !(PyBytes_Check(item) && PyBytes_GET_SIZE(item) == 0)) {
            self->parts[i / 2 - 1].literal = Py_NewRef(item);
        }
    }
    Py_DECREF(items);
    return fine ? (PyObject *)self : invalid_template(self);
}

PyObject *template_expand(struct template *self, struct match *match)
{
    if (Py_SIZE(self) == 0) {
        return Py_NewRef(self->literal);
    }
    PyObject *list = PyList_New(0);
    if (list == NULL || PyList_Append(list, self->literal) < 0) {
        Py_XDECREF(list);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < Py_SIZE(self) && list != NULL; i++) {
        struct template_part *part = &self->parts[i];
        int rc = 0;
        if (part->group >= match->groups) {
            PyErr_SetString(PyExc_IndexError, "no such group");
            rc = -1;
        } else if (match->marks[part->group * 2] >= 0) {
            PyObject *text = group_text(match, part->group, Py_None);
            rc = text ? PyList_Append(list, text) : -1;
            Py_XDECREF(text);
        }
        if (rc < 0 || (part->literal != NULL && PyList_Append(list, part->literal) < 0)) {
            Py_CLEAR(list);
        }
    }
    if (list == NULL) {
        return NULL;
    }
    bool wide = PyUnicode_Check(self->literal);
    PyObject *empty = wide ? PyUnicode_FromStringAndSize(NULL, 0) : PyBytes_FromString("");
    PyObject *result = empty == NULL ? NULL
                       : wide        ? PyUnicode_Join(empty, list)
                                     : PyObject_CallMethod(empty, "join", "O", list);
    Py_XDECREF(empty);
    Py_DECREF(list);
    return result;
}

static int template_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct template *self = (struct template *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->literal);
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++) {
        Py_VISIT(self->parts[i].literal);
    }
    return 0;
}

static int template_clear(PyObject *op)
{
    struct template *self = (struct template *)op;
    Py_CLEAR(self->literal);
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++) {
        Py_CLEAR(self->parts[i].literal);
    }
    return 0;
}

GC_DEALLOC(template)

static PyType_Slot template_slots[] = {
    GC_SLOTS(template),
    {0, NULL},
};

PyType_Spec template_spec = {
    "_sre.SRE_Template", sizeof(struct template), sizeof(struct template_part),
    HIDDEN_TYPE,         template_slots,
};
