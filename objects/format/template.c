/* str.format() and str.format_map(): text with {replacement fields}. */
#include "objects/error.h"
#include "objects/format/format.h"

/* Fields nest in the specifications of other fields, but only so deep. */
enum { NESTING = 2 };

/* Part of a string that somebody else keeps alive. */
struct part {
    PyObject *text;
    Py_ssize_t start, end;
    const uint8_t *bytes; /* the characters if they are bytes, or NULL */
};

static struct part span_of(PyObject *text, Py_ssize_t start)
{
    return (struct part){text, start, str_len(text), str_kind(text) == 1 ? str_data(text) : NULL};
}

/* Another part of the same string. */
static struct part part_of(const struct part *s, Py_ssize_t start, Py_ssize_t end)
{
    return (struct part){s->text, start, end, s->bytes};
}

static Py_UCS4 char_at(const struct part *s, Py_ssize_t i)
{
    return s->bytes != NULL ? s->bytes[i] : str_read(s->text, i);
}

/* Characters [start, end) of a text that is known from elsewhere. */
struct range {
    Py_ssize_t start, end;
};

static struct part part_at(const struct part *s, struct range range)
{
    return part_of(s, range.start, range.end);
}

static PyObject *span_str(const struct part *s)
{
    return s->start >= s->end ? str_empty() : str_substring(s->text, s->start, s->end);
}

static PyObject *range_str(const struct part *s, struct range range)
{
    struct part part = part_at(s, range);
    return span_str(&part);
}

static int refuse(const char *message)
{
    PyErr_SetString(PyExc_ValueError, message);
    return -1;
}

/* Automatic numbering ("{}") and manual ("{0}") do not mix. */
struct numbering {
    enum { NUMBERING_UNKNOWN, NUMBERING_AUTO, NUMBERING_MANUAL } state;
    Py_ssize_t next;
};

static int numbering_check(struct numbering *n, bool automatic)
{
    if (n->state == NUMBERING_UNKNOWN) {
        n->state = automatic ? NUMBERING_AUTO : NUMBERING_MANUAL;
    }
    if (n->state == NUMBERING_MANUAL && automatic) {
        return refuse("cannot switch from manual field specification to automatic field numbering");
    }
    if (n->state == NUMBERING_AUTO && !automatic) {
        return refuse("cannot switch from automatic field numbering to manual field specification");
    }
    return 0;
}

/* ---- Taking text apart ---------------------------------------------------------------------------- */

/* One piece: literal text, then perhaps a field. */
struct piece {
    struct range literal, name, spec;
    bool has_field, nested; /* `nested`: the specification has fields of its own */
    Py_UCS4 conversion;     /* 0: none */
};

/* Field name, conversion and specification of the field at s->start (behind the '{'); s->start ends
 * behind its '}'. */
static int parse_field(struct part *s, struct piece *piece)
{
    Py_ssize_t at = s->start;
    Py_UCS4 c = 0;
    piece->name = piece->spec = (struct range){at, at};
    if (at < s->end && char_at(s, at) == '}') {
        s->start = at + 1;
        return 0;
    }
    while (at < s->end) {
        c = char_at(s, at++);
        if (c == '{') {
            s->start = at;
            return refuse("unexpected '{' in field name");
        }
        if (c == '[') {
            /* ']' ends it: other signs in between stand for themselves */
            while (at < s->end && char_at(s, at) != ']') {
                at++;
            }
            continue;
        }
        if (c == '}' || c == ':' || c == '!') {
            break;
        }
    }
    bool ended = c == '}' || c == ':' || c == '!';
    piece->name.end = ended ? at - 1 : at;
    piece->spec = (struct range){at, at};
    if (c == '!' || c == ':') {
        if (c == '!') {
            if (at >= s->end) {
                return refuse("end of string while looking for conversion specifier");
            }
            piece->conversion = char_at(s, at++);
            if (at < s->end) {
                c = char_at(s, at++);
                if (c == '}') {
                    s->start = at;
                    return 0;
                }
                if (c != ':') {
                    return refuse("expected ':' after conversion specifier");
                }
            }
        }
        piece->spec.start = at;
        int depth = 1;
        for (; at < s->end; at++) {
            c = char_at(s, at);
            if (c == '{') {
                piece->nested = true;
                depth++;
            } else if (c == '}' && --depth == 0) {
                piece->spec.end = at;
                s->start = at + 1;
                return 0;
            }
        }
        return refuse("unmatched '{' in format spec");
    }
    if (c != '}') {
        return refuse("expected '}' before end of string");
    }
    s->start = at;
    return 0;
}

/* The index of the next brace from `at` on, or s->end. */
static Py_ssize_t next_brace(const struct part *s, Py_ssize_t at)
{
    if (s->bytes != NULL) {
        const uint8_t *p = s->bytes;
        while (at < s->end && p[at] != '{' && p[at] != '}') {
            at++;
        }
        return at;
    }
    for (; at < s->end; at++) {
        Py_UCS4 c = char_at(s, at);
        if (c == '{' || c == '}') {
            break;
        }
    }
    return at;
}

/* The next piece: 1, 0 at the end, -1 on error.  A doubled brace ends a literal, with one of the two
 * in it. */
static int next_piece(struct part *s, struct piece *piece)
{
    piece->literal = (struct range){s->start, s->start};
    piece->name = piece->spec = (struct range){0, 0};
    piece->has_field = piece->nested = false;
    piece->conversion = 0;
    if (s->start >= s->end) {
        return 0;
    }
    Py_ssize_t at = next_brace(s, s->start);
    if (at == s->end) {
        piece->literal.end = at;
        s->start = at;
        return 1;
    }
    Py_UCS4 c = char_at(s, at++);
    bool at_end = at >= s->end;
    if (c == '}' && (at_end || char_at(s, at) != '}')) {
        return refuse("Single '}' encountered in format string");
    }
    if (at_end) {
        return refuse("Single '{' encountered in format string");
    }
    if (char_at(s, at) == c) {
        piece->literal.end = at;
        s->start = at + 1;
        return 1;
    }
    piece->literal.end = at - 1;
    piece->has_field = true;
    s->start = at;
    return parse_field(s, piece) < 0 ? -1 : 1;
}

/* ---- Field names: first.attribute[index] ------------------------------------------------------------ */

/* Decimal number of the span, or -1 if it is none; -2 with ValueError if it is too big. */
static Py_ssize_t span_number(const struct part *s)
{
    Py_ssize_t at = s->start, value;
    if (s->start >= s->end) {
        return -1;
    }
    for (Py_ssize_t i = s->start; i < s->end; i++) {
        if (_PyUnicode_ToDecimalDigit(char_at(s, i)) < 0) {
            return -1;
        }
    }
    return format_read_number(s->text, &at, s->end, &value) < 0 ? -2 : value;
}

/* Splits off the first part of the name: its number in *index, or -1 for a keyword. */
static int split_first(struct part *name, struct part *first, Py_ssize_t *index,
                       struct numbering *numbering)
{
    Py_ssize_t at = name->start;
    while (at < name->end && char_at(name, at) != '.' && char_at(name, at) != '[') {
        at++;
    }
    *first = part_of(name, name->start, at);
    name->start = at;
    *index = span_number(first);
    if (*index == -2) {
        return -1;
    }
    bool empty = first->start >= first->end;
    if (numbering != NULL && (empty || *index >= 0)) {
        if (numbering_check(numbering, empty) < 0) {
            return -1;
        }
        if (empty) {
            *index = numbering->next++;
        }
    }
    return 0;
}

/* The next .attribute or [index]: 1, 0 at the end, -1. */
static int next_accessor(struct part *rest, struct part *name, Py_ssize_t *index,
                         bool *is_attribute)
{
    if (rest->start >= rest->end) {
        return 0;
    }
    Py_UCS4 c = char_at(rest, rest->start);
    Py_ssize_t at = ++rest->start;
    *is_attribute = c == '.';
    *index = -1;
    if (c == '.') {
        while (at < rest->end && char_at(rest, at) != '.' && char_at(rest, at) != '[') {
            at++;
        }
        *name = part_of(rest, rest->start, at);
        rest->start = at;
    } else if (c == '[') {
        while (at < rest->end && char_at(rest, at) != ']') {
            at++;
        }
        if (at >= rest->end) {
            return refuse("Missing ']' in format string");
        }
        *name = part_of(rest, rest->start, at);
        rest->start = at + 1;
        *index = span_number(name);
        if (*index == -2) {
            return -1;
        }
    } else {
        return refuse("Only '.' or '[' may follow ']' in format field specifier");
    }
    return name->start < name->end ? 1 : refuse("Empty attribute in format string");
}

/* ---- Values of fields --------------------------------------------------------------------------------- */

/* The arguments of a call, all borrowed; for format_map() a mapping instead. */
struct context {
    PyObject *const *args; /* the values of keywords behind the `count` others */
    Py_ssize_t count;
    PyObject *names; /* of keywords: a tuple or NULL */
    PyObject *mapping;
    struct numbering numbering;
};

static bool span_equals(const struct part *s, PyObject *name)
{
    Py_ssize_t length = s->end - s->start;
    if (length != str_len(name)) {
        return false;
    }
    if (s->bytes != NULL && str_kind(name) == 1) {
        return memcmp(s->bytes + s->start, str_data(name), (size_t)length) == 0;
    }
    for (Py_ssize_t i = 0; i < length; i++) {
        if (char_at(s, s->start + i) != str_read(name, i)) {
            return false;
        }
    }
    return true;
}

/* The value of a keyword: new reference. */
static PyObject *keyword_value(struct context *c, const struct part *name)
{
    for (Py_ssize_t i = 0; c->names != NULL && i < PyTuple_GET_SIZE(c->names); i++) {
        if (span_equals(name, PyTuple_GET_ITEM(c->names, i))) {
            return Py_NewRef(c->args[c->count + i]);
        }
    }
    PyObject *key = span_str(name), *value = NULL;
    if (key != NULL && c->mapping != NULL) {
        value = PyObject_GetItem(c->mapping, key);
    } else if (key != NULL) {
        raise_key(key);
    }
    Py_XDECREF(key);
    return value;
}

static PyObject *first_value(struct context *c, const struct part *first, Py_ssize_t index)
{
    if (index < 0) {
        return keyword_value(c, first);
    }
    if (c->mapping != NULL) {
        refuse("Format string contains positional fields");
        return NULL;
    }
    if (index >= c->count) {
        PyErr_Format(PyExc_IndexError,
                     "Replacement index %zd out of range for positional args tuple", index);
        return NULL;
    }
    return Py_NewRef(c->args[index]);
}

static PyObject *access_value(PyObject *object, const struct part *name, Py_ssize_t index,
                              bool is_attribute)
{
    PyObject *key = is_attribute || index < 0 ? span_str(name) : PyLong_FromSsize_t(index);
    if (key == NULL) {
        return NULL;
    }
    PyObject *value = is_attribute ? PyObject_GetAttr(object, key) : PyObject_GetItem(object, key);
    Py_DECREF(key);
    return value;
}

/* New reference to what the field names. */
static PyObject *field_value(struct context *c, struct part name)
{
    struct part part = name;
    Py_ssize_t index;
    if (name.start == name.end) {
        return numbering_check(&c->numbering, true) < 0
                   ? NULL
                   : first_value(c, &part, c->numbering.next++);
    }
    if (split_first(&name, &part, &index, &c->numbering) < 0) {
        return NULL;
    }
    PyObject *value = first_value(c, &part, index);
    while (value != NULL) {
        bool is_attribute;
        int more = next_accessor(&name, &part, &index, &is_attribute);
        if (more <= 0) {
            if (more < 0) {
                Py_CLEAR(value);
            }
            break;
        }
        Py_SETREF(value, access_value(value, &part, index, is_attribute));
    }
    return value;
}

static PyObject *convert(PyObject *value, Py_UCS4 conversion)
{
    switch (conversion) {
    case 'r':
        return PyObject_Repr(value);
    case 's':
        return PyObject_Str(value);
    case 'a':
        return PyObject_ASCII(value);
    default:
        if (conversion > 32 && conversion < 127) {
            PyErr_Format(PyExc_ValueError, "Unknown conversion specifier %c", (int)conversion);
        } else {
            PyErr_Format(PyExc_ValueError, "Unknown conversion specifier \\x%x",
                         (unsigned)conversion);
        }
        return NULL;
    }
}

static PyObject *format_span(struct context *c, struct part s, int depth);

static int write_field(str_writer *w, struct context *c, const struct part *text,
                       const struct piece *piece, int depth)
{
    PyObject *value = field_value(c, part_at(text, piece->name)), *nested = NULL;
    int result = -1;
    if (value == NULL) {
        return -1;
    }
    if (piece->conversion != 0) {
        Py_SETREF(value, convert(value, piece->conversion));
        if (value == NULL) {
            return -1;
        }
    }
    struct part spec = part_at(text, piece->spec);
    if (piece->nested) {
        nested = format_span(c, spec, depth - 1);
        if (nested == NULL) {
            goto done;
        }
        spec = span_of(nested, 0);
    }
    result = format_object(w, value, spec.text, spec.start, Py_MAX(spec.start, spec.end));
done:
    Py_DECREF(value);
    Py_XDECREF(nested);
    return result;
}

static PyObject *format_span(struct context *c, struct part s, int depth)
{
    if (depth <= 0) {
        refuse("Max string recursion exceeded");
        return NULL;
    }
    str_writer w;
    struct piece piece;
    int more;
    str_writer_init(&w);
    while ((more = next_piece(&s, &piece)) > 0) {
        w.overallocate = s.start < s.end; /* a sole value is the result itself */
        if (str_writer_substring(&w, s.text, piece.literal.start, piece.literal.end) < 0
            || (piece.has_field && write_field(&w, c, &s, &piece, depth) < 0)) {
            more = -1;
            break;
        }
    }
    if (more < 0) {
        str_writer_drop(&w);
        return NULL;
    }
    return str_writer_finish(&w);
}

PyObject *template_format(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    struct context c = {.args = args, .count = count, .names = names};
    return format_span(&c, span_of(self, 0), NESTING);
}

PyObject *template_format_map(PyObject *self, PyObject *mapping)
{
    struct context c = {.mapping = mapping};
    return format_span(&c, span_of(self, 0), NESTING);
}

/* ---- The _string module's iterators -------------------------------------------------------------------- */

struct template_iterator {
    PyObject_HEAD
    PyMutex lock;
    struct part rest; /* rest.text is owned */
};

static void iterator_dealloc(PyObject *self)
{
    Py_XDECREF(((struct template_iterator *)self)->rest.text);
    PyObject_Free(self);
}

static PyObject *iterator_new(PyTypeObject *type, PyObject *text, Py_ssize_t start)
{
    struct template_iterator *self = PyObject_New(struct template_iterator, type);
    if (self != NULL) {
        self->lock = (PyMutex){0};
        self->rest = span_of(Py_NewRef(text), start);
    }
    return (PyObject *)self;
}

/* (literal, field name, specification, conversion) */
static PyObject *parser_next(PyObject *object)
{
    struct template_iterator *self = (struct template_iterator *)object;
    struct piece piece;
    PyMutex_Lock(&self->lock);
    int more = next_piece(&self->rest, &piece);
    PyMutex_Unlock(&self->lock);
    if (more <= 0) {
        return NULL;
    }
    PyObject *literal = range_str(&self->rest, piece.literal);
    if (!piece.has_field) {
        return literal == NULL ? NULL : Py_BuildValue("(NOOO)", literal, Py_None, Py_None, Py_None);
    }
    PyObject *name = range_str(&self->rest, piece.name);
    PyObject *spec = range_str(&self->rest, piece.spec);
    PyObject *conversion = piece.conversion == 0 ? Py_None : str_from_char(piece.conversion);
    PyObject *result = NULL;
    if (literal != NULL && name != NULL && spec != NULL && conversion != NULL) {
        result = PyTuple_Pack(4, literal, name, spec, conversion);
    }
    Py_XDECREF(literal);
    Py_XDECREF(name);
    Py_XDECREF(spec);
    Py_XDECREF(conversion);
    return result;
}

/* (is attribute, name or index) */
static PyObject *accessor_next(PyObject *object)
{
    struct template_iterator *self = (struct template_iterator *)object;
    struct part name;
    Py_ssize_t index;
    bool is_attribute;
    PyMutex_Lock(&self->lock);
    int more = next_accessor(&self->rest, &name, &index, &is_attribute);
    PyMutex_Unlock(&self->lock);
    if (more <= 0) {
        return NULL;
    }
    PyObject *key = index >= 0 && !is_attribute ? PyLong_FromSsize_t(index) : span_str(&name);
    return key == NULL ? NULL : Py_BuildValue("(NN)", PyBool_FromLong(is_attribute), key);
}

PyTypeObject template_parser_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "formatteriterator",
    .tp_basicsize = sizeof(struct template_iterator),
    .tp_dealloc = iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = parser_next,
};

PyTypeObject template_field_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "fieldnameiterator",
    .tp_basicsize = sizeof(struct template_iterator),
    .tp_dealloc = iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = accessor_next,
};

PyObject *template_parser(PyObject *self)
{
    return iterator_new(&template_parser_type, self, 0);
}

/* (first part as number or text, iterator of the accessors) */
PyObject *template_field_name_split(PyObject *text)
{
    struct part name = span_of(text, 0), first;
    Py_ssize_t index;
    if (split_first(&name, &first, &index, NULL) < 0) {
        return NULL;
    }
    PyObject *head = index >= 0 ? PyLong_FromSsize_t(index) : span_str(&first);
    PyObject *rest = head == NULL ? NULL : iterator_new(&template_field_type, text, name.start);
    PyObject *result = rest == NULL ? NULL : PyTuple_Pack(2, head, rest);
    Py_XDECREF(head);
    Py_XDECREF(rest);
    return result;
}
