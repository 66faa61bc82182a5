/* Patterns and scanners. */
#include "sre.h"

#include "sre_pattern.bind.h"

/* ---- a text to work on ----------------------------------------------------------------------- */

static int run_text(struct run *run, struct pattern *pattern, PyObject *string)
{
    run->buffer.buf = NULL;
    if (PyUnicode_Check(string)) {
        if (pattern->is_bytes > 0) {
            PyErr_SetString(PyExc_TypeError, "cannot use a bytes pattern on a string-like object");
            return -1;
        }
        run->is_bytes = false;
        run->kind = (int)PyUnicode_KIND(string);
        run->begin = PyUnicode_DATA(string);
        run->length = PyUnicode_GET_LENGTH(string);
        return 0;
    }
    if (PyObject_GetBuffer(string, &run->buffer, PyBUF_SIMPLE) < 0) {
        PyErr_Format(PyExc_TypeError, "expected string or bytes-like object, got '%.200s'",
                     Py_TYPE(string)->tp_name);
        return -1;
    }
    if (pattern->is_bytes == 0) {
        PyBuffer_Release(&run->buffer);
        PyErr_SetString(PyExc_TypeError, "cannot use a string pattern on a bytes-like object");
        return -1;
    }
    run->is_bytes = true;
    run->kind = 1;
    run->begin = run->buffer.buf ? run->buffer.buf : "";
    run->length = run->buffer.len;
    return 0;
}

static inline Py_ssize_t clip(Py_ssize_t value, Py_ssize_t max)
{
    return value < 0 ? 0 : value > max ? max : value;
}

int run_begin(struct run *run, struct pattern *pattern, PyObject *string, Py_ssize_t pos,
              Py_ssize_t endpos)
{
    if (run_text(run, pattern, string) < 0) {
        return -1;
    }
    run->program = &pattern->program;
    run->pos = clip(pos, run->length);
    run->endpos = clip(endpos, run->length);
    run->full = run->must_advance = false;
    run->choices = run->choices_inside;
    run->choices_size = CHOICES_INSIDE;
    run->trail = run->trail_inside;
    run->trail_size = TRAIL_INSIDE;
    run->depth = run->trail_top = 0;
    run->ticks = 0;
    run->registers = run->registers_inside;
    if (run->program->registers > REGISTERS_INSIDE) {
        run->registers = PyMem_Calloc(run->program->registers, sizeof(Py_ssize_t));
        if (run->registers == NULL) {
            if (run->is_bytes) {
                PyBuffer_Release(&run->buffer);
            }
            PyErr_NoMemory();
            return -1;
        }
    } else {
        memset(run->registers, 0, sizeof run->registers_inside);
    }
    run->string = Py_NewRef(string);
    return 0;
}

void run_end(struct run *run)
{
    if (run->choices != run->choices_inside) {
        PyMem_Free(run->choices);
    }
    if (run->trail != run->trail_inside) {
        PyMem_Free(run->trail);
    }
    if (run->registers != run->registers_inside) {
        PyMem_Free(run->registers);
    }
    if (run->is_bytes) {
        PyBuffer_Release(&run->buffer);
    }
    Py_DECREF(run->string);
}

PyObject *run_slice(const struct run *run, Py_ssize_t start, Py_ssize_t end)
{
    if (!run->is_bytes) {
        return PyUnicode_Substring(run->string, start, end);
    }
    if (PyBytes_CheckExact(run->string) && start == 0 && end == run->length) {
        return Py_NewRef(run->string);
    }
    return PyBytes_FromStringAndSize(run->begin + start, end - start);
}

PyObject *run_group(const struct run *run, Py_ssize_t group, PyObject *missing)
{
    Py_ssize_t start = run->registers[group * 2 - 2], end = run->registers[group * 2 - 1];
    if (start < 0 || end < start) {
        return Py_NewRef(missing);
    }
    return run_slice(run, start, end);
}

/* The next match begins where this one ended. */
static void run_go_on(struct run *run)
{
    run->must_advance = run->end == run->start;
    run->pos = run->end;
}

/* ---- matching -------------------------------------------------------------------------------- */

static PyObject *match_once(struct pattern *self, PyObject *string, Py_ssize_t pos,
                            Py_ssize_t endpos, int (*how)(struct run *), bool full)
{
    struct run run;
    if (run_begin(&run, self, string, pos, endpos) < 0) {
        return NULL;
    }
    run.full = full;
    PyObject *result = match_make(self, &run, how(&run));
    run_end(&run);
    return result;
}

static PyObject *pattern_match(struct pattern *self, PyObject *string, Py_ssize_t pos,
                               Py_ssize_t endpos)
{
    return match_once(self, string, pos, endpos, run_match, false);
}

static PyObject *pattern_fullmatch(struct pattern *self, PyObject *string, Py_ssize_t pos,
                                   Py_ssize_t endpos)
{
    return match_once(self, string, pos, endpos, run_match, true);
}

static PyObject *pattern_search(struct pattern *self, PyObject *string, Py_ssize_t pos,
                                Py_ssize_t endpos)
{
    return match_once(self, string, pos, endpos, run_search, false);
}

/* Appends a new reference (stolen, NULL is an error); -1 with an exception. */
static int list_take(PyObject *list, PyObject *item)
{
    int rc = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return rc;
}

/* What findall gives for a match (new reference). */
static PyObject *found_item(struct pattern *self, const struct run *run, PyObject *empty)
{
    if (self->groups == 0) {
        return run_slice(run, run->start, run->end);
    }
    if (self->groups == 1) {
        return run_group(run, 1, empty);
    }
    PyObject *tuple = PyTuple_New(self->groups);
    for (Py_ssize_t i = 0; i < self->groups && tuple != NULL; i++) {
        PyObject *item = run_group(run, i + 1, empty);
        if (item == NULL) {
            Py_CLEAR(tuple);
        } else {
            PyTuple_SET_ITEM(tuple, i, item);
        }
    }
    return tuple;
}

static PyObject *pattern_findall(struct pattern *self, PyObject *string, Py_ssize_t pos,
                                 Py_ssize_t endpos)
{
    struct run run;
    if (run_begin(&run, self, string, pos, endpos) < 0) {
        return NULL;
    }
    PyObject *list = PyList_New(0), *empty = run_slice(&run, 0, 0);
    int status = list && empty ? 1 : -1;
    while (status > 0 && (status = run_search(&run)) > 0) {
        if (list_take(list, found_item(self, &run, empty)) < 0) {
            status = -1;
        }
        run_go_on(&run);
    }
    if (status < 0) {
        Py_CLEAR(list);
    }
    Py_XDECREF(empty);
    run_end(&run);
    return list;
}

static PyObject *pattern_split(struct pattern *self, PyObject *string, Py_ssize_t maxsplit)
{
    struct run run;
    if (run_begin(&run, self, string, 0, PY_SSIZE_T_MAX) < 0) {
        return NULL;
    }
    PyObject *list = PyList_New(0);
    int status = list ? 1 : -1;
    Py_ssize_t last = 0;
    for (Py_ssize_t n = 0; status > 0 && (maxsplit == 0 || n < maxsplit); n++) {
        status = run_search(&run);
        if (status <= 0) {
            break;
        }
        status = list_take(list, run_slice(&run, last, run.start)) < 0 ? -1 : 1;
        for (Py_ssize_t i = 1; i <= self->groups && status > 0; i++) {
            status = list_take(list, run_group(&run, i, Py_None)) < 0 ? -1 : 1;
        }
        last = run.end;
        run_go_on(&run);
    }
    if (status < 0 || list_take(list, run_slice(&run, last, run.length)) < 0) {
        Py_CLEAR(list);
    }
    run_end(&run);
    return list;
}

/* ---- replacing ------------------------------------------------------------------------------- */

/* Whether a replacement has no backslash, so that it stands for itself; false for what is neither
 * str nor bytes-like. */
static bool replacement_is_plain(PyObject *repl)
{
    if (PyUnicode_Check(repl)) {
        return PyUnicode_FindChar(repl, '\\', 0, PyUnicode_GET_LENGTH(repl), 1) == -1;
    }
    Py_buffer view;
    if (PyObject_GetBuffer(repl, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        return false;
    }
    bool plain = view.len == 0 || memchr(view.buf, '\\', (size_t)view.len) == NULL;
    PyBuffer_Release(&view);
    return plain;
}

/* What replaces a match: a literal, a template, or something to call (new reference). */
static PyObject *replacement_prepare(struct sre_state *state, struct pattern *self, PyObject *repl)
{
    if (PyCallable_Check(repl) || replacement_is_plain(repl)) {
        return Py_NewRef(repl);
    }
    PyObject *filter = template_compile(state, (PyObject *)self, repl);
    if (filter != NULL && Py_IS_TYPE(filter, (PyTypeObject *)state->template_type)
        && Py_SIZE(filter) == 0) {
        Py_SETREF(filter, Py_NewRef(((struct template *)filter)->literal));
    }
    return filter;
}

static PyObject *text_join(const struct run *run, PyObject *list)
{
    PyObject *empty = run_slice(run, 0, 0);
    if (empty == NULL || PyList_GET_SIZE(list) == 0) {
        return empty;
    }
    PyObject *joined =
        run->is_bytes ? PyObject_CallMethod(empty, "join", "O", list) : PyUnicode_Join(empty, list);
    Py_DECREF(empty);
    return joined;
}

/* The replacement for the match just found goes to the list; -1 with an exception. */
static int replacement_add(struct sre_state *state, struct pattern *self, struct run *run,
                           PyObject *filter, bool call, PyObject *list)
{
    bool template = Py_IS_TYPE(filter, (PyTypeObject *)state->template_type);
    if (!call && !template) {
        return PyList_Append(list, filter);
    }
    PyObject *match = match_make(self, run, 1);
    if (match == NULL) {
        return -1;
    }
    PyObject *item = template ? template_expand((struct template *)filter, (struct match *)match)
                              : PyObject_CallOneArg(filter, match);
    Py_DECREF(match);
    if (item == Py_None) {
        Py_DECREF(item);
        return 0;
    }
    return list_take(list, item);
}

/* Replaces at most `count` matches, all if it is 0; their number goes to *replaced. */
static PyObject *replace(struct pattern *self, PyObject *repl, PyObject *string, Py_ssize_t count,
                         Py_ssize_t *replaced)
{
    struct sre_state *state = sre_state_of(Py_TYPE(self));
    struct run run;
    PyObject *filter = replacement_prepare(state, self, repl);
    if (filter == NULL || run_begin(&run, self, string, 0, PY_SSIZE_T_MAX) < 0) {
        Py_XDECREF(filter);
        return NULL;
    }
    bool call = PyCallable_Check(filter);
    PyObject *list = PyList_New(0), *result = NULL;
    Py_ssize_t last = 0, n = 0;
    int status = list ? 1 : -1;
    while (status > 0 && (count == 0 || n < count) && (status = run_search(&run)) > 0) {
        Py_ssize_t start = run.start, end = run.end;
        if ((last < start && list_take(list, run_slice(&run, last, start)) < 0)
            || replacement_add(state, self, &run, filter, call, list) < 0) {
            status = -1;
        }
        last = end;
        n++;
        run_go_on(&run);
    }
    if (status >= 0
        && (last >= run.length || list_take(list, run_slice(&run, last, run.length)) == 0)) {
        result = text_join(&run, list);
    }
    *replaced = n;
    Py_XDECREF(list);
    Py_DECREF(filter);
    run_end(&run);
    return result;
}

static PyObject *pattern_sub(struct pattern *self, PyObject *repl, PyObject *string,
                             Py_ssize_t count)
{
    Py_ssize_t n;
    return replace(self, repl, string, count, &n);
}

static PyObject *pattern_subn(struct pattern *self, PyObject *repl, PyObject *string,
                              Py_ssize_t count)
{
    Py_ssize_t n;
    PyObject *text = replace(self, repl, string, count, &n);
    return text ? Py_BuildValue("Nn", text, n) : NULL;
}

/* ---- scanners -------------------------------------------------------------------------------- */

static PyObject *pattern_scanner(struct pattern *self, PyObject *string, Py_ssize_t pos,
                                 Py_ssize_t endpos)
{
    struct sre_state *state = sre_state_of(Py_TYPE(self));
    struct scanner *scanner = type_make((PyTypeObject *)state->scanner_type);
    if (scanner == NULL) {
        return NULL;
    }
    if (run_begin(&scanner->run, self, string, pos, endpos) < 0) {
        Py_DECREF(scanner);
        return NULL;
    }
    scanner->ready = true;
    scanner->pattern = (struct pattern *)Py_NewRef(self);
    return (PyObject *)scanner;
}

static PyObject *pattern_finditer(struct pattern *self, PyObject *string, Py_ssize_t pos,
                                  Py_ssize_t endpos)
{
    PyObject *scanner = pattern_scanner(self, string, pos, endpos);
    PyObject *search = scanner ? PyObject_GetAttrString(scanner, "search") : NULL;
    PyObject *iterator = search ? PyCallIter_New(search, Py_None) : NULL;
    Py_XDECREF(scanner);
    Py_XDECREF(search);
    return iterator;
}

/* One step; two threads, or a signal handler in the middle, cannot share it. */
static PyObject *scanner_step(struct scanner *self, int (*how)(struct run *))
{
    if (__atomic_exchange_n(&self->executing, 1, __ATOMIC_ACQUIRE)) {
        PyErr_SetString(PyExc_ValueError, "regular expression scanner already executing");
        return NULL;
    }
    PyObject *result = NULL;
    if (self->ended) {
        result = Py_NewRef(Py_None);
    } else {
        int status = how(&self->run);
        result = match_make(self->pattern, &self->run, status);
        if (status == 0) {
            self->ended = true;
        } else if (status > 0) {
            run_go_on(&self->run);
        }
    }
    __atomic_store_n(&self->executing, 0, __ATOMIC_RELEASE);
    return result;
}

static PyObject *scanner_match(struct scanner *self)
{
    return scanner_step(self, run_match);
}

static PyObject *scanner_search(struct scanner *self)
{
    return scanner_step(self, run_search);
}

static int scanner_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct scanner *self = (struct scanner *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->pattern);
    if (self->ready) {
        Py_VISIT(self->run.string);
    }
    return 0;
}

static void scanner_dealloc(PyObject *op)
{
    struct scanner *self = (struct scanner *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (self->ready) {
        run_end(&self->run);
    }
    Py_XDECREF(self->pattern);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot scanner_slots[] = {
    {Py_tp_traverse, scanner_traverse},
    {Py_tp_dealloc, scanner_dealloc},
    {Py_tp_methods, scanner_methods},
    {Py_tp_members, scanner_members},
    {0, NULL},
};

PyType_Spec scanner_spec = {
    "_sre.SRE_Scanner", sizeof(struct scanner), 0, HIDDEN_TYPE, scanner_slots,
};

/* ---- patterns as objects --------------------------------------------------------------------- */

static int pattern_copy(struct pattern *self)
{
    return 0;
}

static int pattern_deepcopy(struct pattern *self, PyObject *memo)
{
    return 0;
}

static PyObject *pattern_get_groupindex(struct pattern *self)
{
    return PyDictProxy_New(self->groupindex);
}

/* The flags as repr shows them (new reference); "" if there are none. */
static PyObject *flags_text(unsigned flags)
{
    static const struct {
        const char *name;
        unsigned flag;
    } names[] = {
        {"re.IGNORECASE", FLAG_IGNORECASE}, {"re.LOCALE", FLAG_LOCALE},
        {"re.MULTILINE", FLAG_MULTILINE},   {"re.DOTALL", FLAG_DOTALL},
        {"re.UNICODE", FLAG_UNICODE},       {"re.VERBOSE", FLAG_VERBOSE},
        {"re.DEBUG", FLAG_DEBUG},           {"re.ASCII", FLAG_ASCII},
    };
    char text[160] = "";
    size_t length = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (flags & names[i].flag) {
            length += (size_t)snprintf(text + length, sizeof text - length, "%s%s",
                                       length ? "|" : "", names[i].name);
            flags &= ~names[i].flag;
        }
    }
    if (flags != 0) {
        snprintf(text + length, sizeof text - length, "%s0x%x", length ? "|" : "", flags);
    }
    return PyUnicode_FromString(text);
}

static PyObject *pattern_repr(PyObject *op)
{
    struct pattern *self = (struct pattern *)op;
    unsigned flags = (unsigned)self->flags;
    /* That a str pattern is about Unicode goes without saying. */
    if (self->is_bytes == 0
        && (flags & (FLAG_LOCALE | FLAG_UNICODE | FLAG_ASCII)) == FLAG_UNICODE) {
        flags &= ~(unsigned)FLAG_UNICODE;
    }
    if (flags == 0) {
        return PyUnicode_FromFormat("re.compile(%.200R)", self->pattern);
    }
    PyObject *names = flags_text(flags);
    PyObject *text =
        names ? PyUnicode_FromFormat("re.compile(%.200R, %U)", self->pattern, names) : NULL;
    Py_XDECREF(names);
    return text;
}

static Py_hash_t pattern_hash(PyObject *op)
{
    struct pattern *self = (struct pattern *)op;
    Py_hash_t hash = PyObject_Hash(self->pattern);
    if (hash == -1) {
        return -1;
    }
    size_t mixed = (size_t)hash;
    for (uint32_t i = 0; i < self->program.total; i++) {
        mixed = (mixed ^ self->words[i]) * 0x9e3779b97f4a7c15u;
    }
    mixed ^= (size_t)self->flags ^ (size_t)self->is_bytes << 20 ^ (size_t)self->groups << 24;
    return (Py_hash_t)mixed == -1 ? -2 : (Py_hash_t)mixed;
}

static PyObject *pattern_compare(PyObject *left, PyObject *right, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !Py_IS_TYPE(right, Py_TYPE(left))) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    struct pattern *a = (struct pattern *)left, *b = (struct pattern *)right;
    int same = a == b;
    if (!same && a->flags == b->flags && a->is_bytes == b->is_bytes && a->groups == b->groups
        && a->program.total == b->program.total
        && memcmp(a->words, b->words, a->program.total * sizeof *a->words) == 0) {
        same = PyObject_RichCompareBool(a->pattern, b->pattern, Py_EQ);
        if (same < 0) {
            return NULL;
        }
    }
    return PyBool_FromLong(same == (op == Py_EQ));
}

GC_FIELDS(pattern, groupindex, indexgroup, pattern)

static void pattern_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    PyObject_ClearWeakRefs(op);
    pattern_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

/* By hand, for the place of the weak references. */
static PyMemberDef pattern_all_members[] = {
    {"pattern", Py_T_OBJECT_EX, offsetof(struct pattern, pattern), Py_READONLY,
     "What the pattern was compiled from."},
    {"flags", Py_T_INT, offsetof(struct pattern, flags), Py_READONLY,
     "The flags it was compiled with."},
    {"groups", Py_T_PYSSIZET, offsetof(struct pattern, groups), Py_READONLY,
     "How many groups it has."},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct pattern, weaklist), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot pattern_slots[] = {
    GC_SLOTS(pattern),
    {Py_tp_doc, (void *)pattern_doc},
    {Py_tp_repr, pattern_repr},
    {Py_tp_hash, pattern_hash},
    {Py_tp_richcompare, pattern_compare},
    {Py_tp_methods, pattern_methods},
    {Py_tp_members, pattern_all_members},
    {Py_tp_getset, pattern_getset},
    {0, NULL},
};

PyType_Spec pattern_spec = {
    "re.Pattern", sizeof(struct pattern), sizeof(uint32_t), HIDDEN_TYPE, pattern_slots,
};
