/* The module _csv. */
#include "module.h"

enum quoting {
    QUOTE_MINIMAL,
    QUOTE_ALL,
    QUOTE_NONNUMERIC,
    QUOTE_NONE,
    QUOTE_STRINGS,
    QUOTE_NOTNULL
};

#define NOT_SET ((Py_UCS4)-1)

struct dialect {
    PyObject_HEAD
    char doublequote, skipinitialspace, strict;
    int quoting;
    Py_UCS4 delimiter, quotechar, escapechar; /* NOT_SET if there is none */
    PyObject *lineterminator;
    uint64_t special[2]; /* bits: the ASCII characters that is_special() tells */
};

/* Text that grows. */
struct line {
    Py_UCS4 *at;
    Py_ssize_t length, capacity;
};

/* clang-format off */
enum state {
    START_RECORD, START_FIELD, ESCAPED, IN_FIELD, IN_QUOTES, ESCAPED_IN_QUOTES, QUOTE_IN_QUOTES,
    AFTER_LINE, AFTER_ESCAPED_LINE,
};
/* clang-format on */

struct reader {
    PyObject_HEAD
    PyObject *input, *dialect, *fields;
    struct line field;
    enum state state;
    bool quoted; /* the field had a quote */
    unsigned long line_num;
};

struct writer {
    PyObject_HEAD
    PyObject *write, *dialect;
    struct line row;
};

struct csv_state {
    PyObject *dialect_type, *reader_type, *writer_type, *error, *dialects, *limit;
};

static PyModuleDef csv_module;

#include "csv.bind.h"

static struct csv_state *state_of(void *op)
{
    return PyModule_GetState(PyType_GetModuleByDef(Py_TYPE((PyObject *)op), &csv_module));
}

static inline bool line_add(struct line *line, Py_UCS4 ch)
{
    if (UNLIKELY(line->length == line->capacity)) {
        Py_ssize_t capacity = line->capacity ? line->capacity * 2 : 256;
        Py_UCS4 *larger = line->at;
        PyMem_Resize(larger, Py_UCS4, capacity);
        if (larger == NULL) {
            PyErr_NoMemory();
            return false;
        }
        line->at = larger;
        line->capacity = capacity;
    }
    line->at[line->length++] = ch;
    return true;
}

static PyObject *line_text(const struct line *line)
{
    return PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, line->at, line->length);
}

/* ---- dialects ------------------------------------------------------------------------------- */

static PyObject *character_object(Py_UCS4 ch)
{
    return ch == NOT_SET ? Py_NewRef(Py_None) : PyUnicode_FromOrdinal((int)ch);
}

static PyObject *dialect_get_delimiter(struct dialect *self)
{
    return character_object(self->delimiter);
}

static PyObject *dialect_get_escapechar(struct dialect *self)
{
    return character_object(self->escapechar);
}

static PyObject *dialect_get_quotechar(struct dialect *self)
{
    return character_object(self->quotechar);
}

static PyObject *dialect_get_lineterminator(struct dialect *self)
{
    return Py_XNewRef(self->lineterminator);
}

static int dialect_get_quoting(struct dialect *self)
{
    return self->quoting;
}

static PyObject *dialect_reduce(struct dialect *self)
{
    PyErr_Format(PyExc_TypeError, "cannot pickle '%.100s' instances", "Dialect");
    (void)self;
    return NULL;
}

static PyObject *dialect_reduce_ex(struct dialect *self, PyObject *Py_UNUSED(protocol))
{
    return dialect_reduce(self);
}

/* Reads a setting of one character; NULL leaves it, None (where allowed) unsets it. */
static bool set_character(const char *name, Py_UCS4 *out, PyObject *value, bool optional)
{
    if (value == NULL) {
        return true;
    }
    if (value == Py_None && optional) {
        *out = NOT_SET;
        return true;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "\"%s\" must be string%s, not %.200s", name,
                     optional ? " or None" : "", Py_TYPE(value)->tp_name);
        return false;
    }
    if (PyUnicode_GET_LENGTH(value) != 1) {
        PyErr_Format(PyExc_TypeError, "\"%s\" must be a 1-character string", name);
        return false;
    }
    *out = PyUnicode_READ_CHAR(value, 0);
    return true;
}

static bool set_flag(char *out, PyObject *value)
{
    int truth = value ? PyObject_IsTrue(value) : *out;
    *out = (char)truth;
    return truth >= 0;
}

static bool set_quoting(struct dialect *self, PyObject *value)
{
    if (value == NULL) {
        return true;
    }
    if (!PyLong_CheckExact(value)) {
        PyErr_SetString(PyExc_TypeError, "\"quoting\" must be an integer");
        return false;
    }
    return bind_int(value, &self->quoting);
}

static bool set_terminator(struct dialect *self, PyObject *value)
{
    if (value == NULL) {
        self->lineterminator = PyUnicode_FromString("\r\n");
        return self->lineterminator != NULL;
    }
    if (value == Py_None) {
        return true;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "\"lineterminator\" must be a string");
        return false;
    }
    self->lineterminator = Py_NewRef(value);
    return true;
}

static bool in_terminator(const struct dialect *self, Py_UCS4 ch)
{
    PyObject *text = self->lineterminator;
    return PyUnicode_FindChar(text, ch, 0, PyUnicode_GET_LENGTH(text), 1) >= 0;
}

/* Whether a character, written, is not just itself. */
static bool looks_special(const struct dialect *d, Py_UCS4 ch)
{
    return ch == d->delimiter || ch == d->escapechar || ch == d->quotechar || ch == '\n'
           || ch == '\r' || in_terminator(d, ch);
}

/* Special characters must be told apart from each other and from line ends. */
static bool dialect_consistent(const struct dialect *self)
{
    const struct {
        const char *name;
        Py_UCS4 ch;
        bool space;
    } special[] = {
        {"delimiter", self->delimiter, true},
        {"escapechar", self->escapechar, !self->skipinitialspace},
        {"quotechar", self->quotechar, !self->skipinitialspace},
    };
    for (int i = 0; i < 3; i++) {
        Py_UCS4 ch = special[i].ch;
        if (ch == '\r' || ch == '\n' || (ch == ' ' && !special[i].space)) {
            PyErr_Format(PyExc_ValueError, "bad %s value", special[i].name);
            return false;
        }
    }
    for (int i = 0; i < 3; i++) {
        for (int k = i + 1; k < 3; k++) {
            if (special[i].ch == special[k].ch && special[i].ch != NOT_SET) {
                PyErr_Format(PyExc_ValueError, "bad %s or %s value", special[i].name,
                             special[k].name);
                return false;
            }
        }
    }
    for (int i = 0; i < 3; i++) {
        if (special[i].ch != NOT_SET && in_terminator(self, special[i].ch)) {
            PyErr_Format(PyExc_ValueError, "bad %s or lineterminator value", special[i].name);
            return false;
        }
    }
    return true;
}

enum {
    DELIMITER,
    DOUBLEQUOTE,
    ESCAPECHAR,
    LINETERMINATOR,
    QUOTECHAR,
    QUOTING,
    SKIPINITIALSPACE,
    STRICT,
    SETTINGS
};

static const char *const setting_names[SETTINGS] = {
    "delimiter", "doublequote", "escapechar",       "lineterminator",
    "quotechar", "quoting",     "skipinitialspace", "strict",
};

static bool dialect_set(struct dialect *self, PyObject *const value[SETTINGS])
{
    self->delimiter = ',';
    self->doublequote = 1;
    self->escapechar = NOT_SET;
    self->quotechar = '"';
    self->quoting = QUOTE_MINIMAL;
    if (!set_character("delimiter", &self->delimiter, value[DELIMITER], false)
        || !set_flag(&self->doublequote, value[DOUBLEQUOTE])
        || !set_character("escapechar", &self->escapechar, value[ESCAPECHAR], true)
        || !set_terminator(self, value[LINETERMINATOR])
        || !set_character("quotechar", &self->quotechar, value[QUOTECHAR], true)
        || !set_quoting(self, value[QUOTING])
        || !set_flag(&self->skipinitialspace, value[SKIPINITIALSPACE])
        || !set_flag(&self->strict, value[STRICT])) {
        return false;
    }
    if (self->quoting < QUOTE_MINIMAL || self->quoting > QUOTE_NOTNULL) {
        PyErr_SetString(PyExc_TypeError, "bad \"quoting\" value");
        return false;
    }
    if (value[QUOTECHAR] == Py_None && value[QUOTING] == NULL) {
        self->quoting = QUOTE_NONE;
    }
    if (self->quoting != QUOTE_NONE && self->quotechar == NOT_SET) {
        PyErr_SetString(PyExc_TypeError, "quotechar must be set if quoting enabled");
        return false;
    }
    if (self->lineterminator == NULL) {
        PyErr_SetString(PyExc_TypeError, "lineterminator must be set");
        return false;
    }
    if (!dialect_consistent(self)) {
        return false;
    }
    for (Py_UCS4 ch = 0; ch < 128; ch++) {
        self->special[ch >> 6] |= (uint64_t)looks_special(self, ch) << (ch & 63);
    }
    return true;
}

/* The dialect called `name` (new reference). */
static PyObject *dialect_named(struct csv_state *state, PyObject *name)
{
    PyObject *dialect;
    if (PyDict_GetItemRef(state->dialects, name, &dialect) == 0) {
        PyErr_SetString(state->error, "unknown dialect");
    }
    return dialect;
}

/* `base` is a dialect, its name, or None; what is not given comes from it, or from the usual one. */
static PyObject *dialect_new(PyTypeObject *type, PyObject *base, PyObject *delimiter,
                             PyObject *doublequote, PyObject *escapechar, PyObject *lineterminator,
                             PyObject *quotechar, PyObject *quoting, PyObject *skipinitialspace,
                             PyObject *strict)
{
    PyObject *module = PyType_GetModuleByDef(type, &csv_module);
    if (module == NULL) {
        return NULL;
    }
    struct csv_state *state = PyModule_GetState(module);
    base = base == Py_None ? NULL : Py_XNewRef(base);
    if (base != NULL && PyUnicode_Check(base)) {
        Py_SETREF(base, dialect_named(state, base));
        if (base == NULL) {
            return NULL;
        }
    }
    PyObject *settings[SETTINGS] = {
        delimiter, doublequote, escapechar,       lineterminator,
        quotechar, quoting,     skipinitialspace, strict,
    };
    bool any = false, fine = true;
    for (int i = 0; i < SETTINGS; i++) {
        Py_XINCREF(settings[i]);
        any |= settings[i] != NULL;
    }
    if (base != NULL && !any && PyObject_TypeCheck(base, (PyTypeObject *)state->dialect_type)) {
        return base; /* nothing to change, and they are immutable */
    }
    for (int i = 0; i < SETTINGS && base != NULL && fine; i++) {
        if (settings[i] == NULL) {
            fine = PyObject_GetOptionalAttrString(base, setting_names[i], &settings[i]) >= 0;
        }
    }
    struct dialect *self = fine ? type_make(type) : NULL;
    if (self != NULL && !dialect_set(self, settings)) {
        Py_CLEAR(self);
    }
    for (int i = 0; i < SETTINGS; i++) {
        Py_XDECREF(settings[i]);
    }
    Py_XDECREF(base);
    return (PyObject *)self;
}

/* A dialect made of another one (or NULL) and keywords (new reference). */
static PyObject *dialect_make(struct csv_state *state, PyObject *base, PyObject *kwargs)
{
    return PyObject_VectorcallDict(state->dialect_type, &base, base != NULL, kwargs);
}

GC_OBJECT(dialect, lineterminator)

static PyType_Slot dialect_slots[] = {
    GC_SLOTS(dialect),
    {Py_tp_doc, dialect_doc},
    {Py_tp_methods, dialect_methods},
    {Py_tp_members, dialect_members},
    {Py_tp_getset, dialect_getset},
    {Py_tp_new, bind_dialect_new},
    {0, NULL},
};

static PyType_Spec dialect_spec = {
    "_csv.Dialect",
    sizeof(struct dialect),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    dialect_slots,
};

/* ---- reading -------------------------------------------------------------------------------- */

/* Ends the field: adds it to the row. */
static bool field_end(struct reader *self, const struct dialect *d)
{
    bool converts =
        !self->quoted && (d->quoting == QUOTE_NONNUMERIC || d->quoting == QUOTE_STRINGS);
    PyObject *field;
    if (!self->quoted && self->field.length == 0
        && (d->quoting == QUOTE_NOTNULL || d->quoting == QUOTE_STRINGS)) {
        field = Py_NewRef(Py_None);
    } else {
        field = line_text(&self->field);
        if (field != NULL && converts && self->field.length != 0) {
            Py_SETREF(field, PyNumber_Float(field));
        }
    }
    self->field.length = 0;
    int rc = field ? PyList_Append(self->fields, field) : -1;
    Py_XDECREF(field);
    return rc == 0;
}

static bool field_add(struct reader *self, Py_UCS4 ch, Py_ssize_t limit)
{
    if (UNLIKELY(self->field.length >= limit)) {
        PyErr_Format(state_of(self)->error, "field larger than field limit (%zd)", limit);
        return false;
    }
    return line_add(&self->field, ch);
}

/* The character that stands for the end of what the iterator gave. */
#define END_OF_LINE NOT_SET

static inline bool ends_line(Py_UCS4 ch)
{
    return ch == '\n' || ch == '\r' || ch == END_OF_LINE;
}

/* The field and the row end, here or with the rest of the line end. */
static bool row_end(struct reader *self, const struct dialect *d, Py_UCS4 ch)
{
    self->state = ch == END_OF_LINE ? START_RECORD : AFTER_LINE;
    return field_end(self, d);
}

/* A character of a field without quotes, or of what follows one with them. */
static bool read_plain(struct reader *self, const struct dialect *d, Py_UCS4 ch, Py_ssize_t limit)
{
    if (ends_line(ch)) {
        return row_end(self, d, ch);
    }
    if (ch == d->escapechar) {
        self->state = ESCAPED;
        return true;
    }
    if (ch == d->delimiter) {
        self->state = START_FIELD;
        return field_end(self, d);
    }
    self->state = IN_FIELD;
    return field_add(self, ch, limit);
}

static bool read_first(struct reader *self, const struct dialect *d, Py_UCS4 ch, Py_ssize_t limit)
{
    self->quoted = false;
    if (!ends_line(ch) && ch == d->quotechar && d->quoting != QUOTE_NONE) {
        self->quoted = true;
        self->state = IN_QUOTES;
        return true;
    }
    if (ch == ' ' && d->skipinitialspace) {
        self->state = START_FIELD;
        return true;
    }
    return read_plain(self, d, ch, limit);
}

static bool read_quoted(struct reader *self, const struct dialect *d, Py_UCS4 ch, Py_ssize_t limit)
{
    if (ch == END_OF_LINE) {
        return true;
    }
    if (ch == d->escapechar) {
        self->state = ESCAPED_IN_QUOTES;
        return true;
    }
    if (ch == d->quotechar && d->quoting != QUOTE_NONE) {
        self->state = d->doublequote ? QUOTE_IN_QUOTES : IN_FIELD;
        return true;
    }
    return field_add(self, ch, limit);
}

static bool read_after_quote(struct reader *self, const struct dialect *d, Py_UCS4 ch,
                             Py_ssize_t limit)
{
    if (ch != END_OF_LINE && ch == d->quotechar && d->quoting != QUOTE_NONE) {
        self->state = IN_QUOTES;
        return field_add(self, ch, limit);
    }
    if (ch == d->delimiter || ends_line(ch)) {
        self->state = START_FIELD;
        return ends_line(ch) ? row_end(self, d, ch) : field_end(self, d);
    }
    if (d->strict) {
        PyErr_Format(state_of(self)->error, "'%c' expected after '%c'", (int)d->delimiter,
                     (int)d->quotechar);
        return false;
    }
    self->state = IN_FIELD;
    return field_add(self, ch, limit);
}

static bool read_character(struct reader *self, const struct dialect *d, Py_UCS4 ch,
                           Py_ssize_t limit)
{
    switch (self->state) {
    case START_RECORD:
        if (ch == END_OF_LINE) {
            return true; /* an empty line: an empty row */
        }
        if (ch == '\n' || ch == '\r') {
            self->state = AFTER_LINE;
            return true;
        }
        return read_first(self, d, ch, limit);
    case START_FIELD:
        return read_first(self, d, ch, limit);
    case ESCAPED:
        self->state = ch == '\n' || ch == '\r' ? AFTER_ESCAPED_LINE : IN_FIELD;
        return field_add(self, ch == END_OF_LINE ? '\n' : ch, limit);
    case AFTER_ESCAPED_LINE:
        return ch == END_OF_LINE || read_plain(self, d, ch, limit);
    case IN_FIELD:
        return read_plain(self, d, ch, limit);
    case IN_QUOTES:
        return read_quoted(self, d, ch, limit);
    case ESCAPED_IN_QUOTES:
        self->state = IN_QUOTES;
        return field_add(self, ch == END_OF_LINE ? '\n' : ch, limit);
    case QUOTE_IN_QUOTES:
        return read_after_quote(self, d, ch, limit);
    case AFTER_LINE:
        if (ch == '\n' || ch == '\r') {
            return true;
        }
        if (ch == END_OF_LINE) {
            self->state = START_RECORD;
            return true;
        }
        PyErr_SetString(state_of(self)->error,
                        "new-line character seen in unquoted field - do you need to open the file "
                        "with newline=''?");
        return false;
    }
    Py_UNREACHABLE();
}

static bool read_line(struct reader *self, const struct dialect *d, PyObject *line,
                      Py_ssize_t limit)
{
    int kind = PyUnicode_KIND(line);
    const void *data = PyUnicode_DATA(line);
    Py_ssize_t length = PyUnicode_GET_LENGTH(line);
    for (Py_ssize_t i = 0; i < length; i++) {
        if (!read_character(self, d, PyUnicode_READ(kind, data, i), limit)) {
            return false;
        }
    }
    return read_character(self, d, END_OF_LINE, limit);
}

/* The input has ended within a row; true if there is a row still. */
static bool read_last(struct reader *self, const struct dialect *d)
{
    if (PyErr_Occurred() || (self->field.length == 0 && self->state != IN_QUOTES)) {
        return false;
    }
    if (d->strict) {
        PyErr_SetString(state_of(self)->error, "unexpected end of data");
        return false;
    }
    return field_end(self, d);
}

static bool read_row(struct reader *self, const struct dialect *d, Py_ssize_t limit)
{
    do {
        PyObject *line = PyIter_Next(self->input);
        if (line == NULL) {
            return read_last(self, d);
        }
        if (self->fields == NULL) {
            PyErr_SetString(state_of(self)->error, "iterator has used the reader itself");
            Py_DECREF(line);
            return false;
        }
        bool fine = PyUnicode_Check(line);
        if (!fine) {
            PyErr_Format(state_of(self)->error,
                         "iterator should return strings, not %.200s (the file should be opened "
                         "in text mode)",
                         Py_TYPE(line)->tp_name);
        }
        self->line_num++;
        fine = fine && read_line(self, d, line, limit);
        Py_DECREF(line);
        if (!fine) {
            return false;
        }
    } while (self->state != START_RECORD);
    return true;
}

static PyObject *reader_step(struct reader *self)
{
    Py_ssize_t limit = PyLong_AsSsize_t(state_of(self)->limit);
    field_set(&self->fields, PyList_New(0));
    self->field.length = 0;
    self->state = START_RECORD;
    self->quoted = false;
    if (self->fields == NULL || !read_row(self, (struct dialect *)self->dialect, limit)) {
        return NULL;
    }
    PyObject *fields = self->fields;
    self->fields = NULL;
    return fields;
}

static PyObject *reader_next(PyObject *op)
{
    return LOCKED(op, reader_step((struct reader *)op));
}

/* The first of one or two positional arguments and the dialect of the others; NULL with an
 * exception. */
static PyObject *first_and_dialect(struct csv_state *state, PyObject *args, PyObject *kwargs,
                                   PyObject **dialect)
{
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    if (!bind_count("", count, 1, 2)) {
        return NULL;
    }
    *dialect = dialect_make(state, count == 2 ? PyTuple_GET_ITEM(args, 1) : NULL, kwargs);
    return *dialect ? PyTuple_GET_ITEM(args, 0) : NULL;
}

static PyObject *csv_reader(PyObject *module, PyObject *args, PyObject *kwargs)
{
    struct csv_state *state = PyModule_GetState(module);
    if (!bind_count("", PyTuple_GET_SIZE(args), 1, 2)) {
        return NULL;
    }
    struct reader *self = type_make((PyTypeObject *)state->reader_type);
    if (self == NULL) {
        return NULL;
    }
    self->input = PyObject_GetIter(PyTuple_GET_ITEM(args, 0));
    if (self->input == NULL || first_and_dialect(state, args, kwargs, &self->dialect) == NULL) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

GC_FIELDS(reader, input, dialect, fields)

static void reader_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    reader_clear(op);
    PyMem_Free(((struct reader *)op)->field.at);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot reader_slots[] = {
    GC_SLOTS(reader),
    {Py_tp_doc, "An iterator over rows; line_num counts the lines it has read."},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, reader_next},
    {Py_tp_members, row_reader_members},
    {0, NULL},
};

static PyType_Spec reader_spec = {
    "_csv.reader",
    sizeof(struct reader),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE
        | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    reader_slots,
};

/* ---- writing -------------------------------------------------------------------------------- */

static inline bool is_special(const struct dialect *d, Py_UCS4 ch)
{
    return LIKELY(ch < 128) ? d->special[ch >> 6] >> (ch & 63) & 1 : looks_special(d, ch);
}

/* Whether a special character gets another one in front of it; that one in *before. */
static bool needs_escape(const struct dialect *d, Py_UCS4 ch, Py_UCS4 *before)
{
    *before = d->escapechar;
    if (d->quoting == QUOTE_NONE) {
        return true;
    }
    if (ch == d->quotechar) {
        if (d->doublequote) {
            *before = d->quotechar;
        }
        return true;
    }
    return ch == d->escapechar;
}

/* Whether a field has a character that makes it need quotes. */
static bool needs_quotes(const struct dialect *d, PyObject *text)
{
    if (d->quoting == QUOTE_NONE) {
        return false;
    }
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    for (Py_ssize_t i = 0, length = PyUnicode_GET_LENGTH(text); i < length; i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, i), before;
        if (is_special(d, ch)) {
            bool doubled = ch == d->quotechar && d->doublequote;
            if (doubled || !needs_escape(d, ch, &before)) {
                return true;
            }
        }
    }
    return false;
}

static bool row_add_text(struct writer *self, const struct dialect *d, PyObject *text)
{
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    for (Py_ssize_t i = 0, length = PyUnicode_GET_LENGTH(text); i < length; i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, i), before;
        if (UNLIKELY(is_special(d, ch)) && needs_escape(d, ch, &before)) {
            if (before == NOT_SET) {
                PyErr_SetString(state_of(self)->error, "need to escape, but no escapechar set");
                return false;
            }
            if (!line_add(&self->row, before)) {
                return false;
            }
        }
        if (!line_add(&self->row, ch)) {
            return false;
        }
    }
    return true;
}

/* Adds a field: its text (NULL for None) with or without quotes. */
static bool row_add_field(struct writer *self, const struct dialect *d, PyObject *text, bool quoted)
{
    if (text == NULL || PyUnicode_GET_LENGTH(text) == 0) {
        if (d->delimiter == ' ' && d->skipinitialspace) { /* would be skipped when read */
            bool never =
                d->quoting == QUOTE_NONE
                || (text == NULL && (d->quoting == QUOTE_STRINGS || d->quoting == QUOTE_NOTNULL));
            if (never) {
                PyErr_SetString(state_of(self)->error,
                                "empty field must be quoted if delimiter is a space and "
                                "skipinitialspace is true");
                return false;
            }
            quoted = true;
        }
    }
    quoted = quoted || (text != NULL && needs_quotes(d, text));
    return (!quoted || line_add(&self->row, d->quotechar))
           && (text == NULL || row_add_text(self, d, text))
           && (!quoted || line_add(&self->row, d->quotechar));
}

static bool row_add_object(struct writer *self, const struct dialect *d, PyObject *field)
{
    bool quoted = d->quoting == QUOTE_ALL
                  || (d->quoting == QUOTE_NONNUMERIC && !PyNumber_Check(field))
                  || (d->quoting == QUOTE_STRINGS && PyUnicode_Check(field))
                  || (d->quoting == QUOTE_NOTNULL && field != Py_None);
    if (field == Py_None) {
        return row_add_field(self, d, NULL, quoted);
    }
    PyObject *text = PyUnicode_Check(field) ? Py_NewRef(field) : PyObject_Str(field);
    bool fine = text != NULL && row_add_field(self, d, text, quoted);
    Py_XDECREF(text);
    return fine;
}

/* A row of one empty field would be read as no field at all. */
static bool row_quote_empty(struct writer *self, const struct dialect *d, bool was_none)
{
    if (d->quoting == QUOTE_NONE
        || (was_none && (d->quoting == QUOTE_STRINGS || d->quoting == QUOTE_NOTNULL))) {
        PyErr_SetString(state_of(self)->error, "single empty field record must be quoted");
        return false;
    }
    return line_add(&self->row, d->quotechar) && line_add(&self->row, d->quotechar);
}

static bool row_build(struct writer *self, const struct dialect *d, PyObject *it)
{
    PyObject *field;
    Py_ssize_t count = 0;
    bool was_none = false;
    self->row.length = 0;
    while ((field = PyIter_Next(it)) != NULL) {
        was_none = field == Py_None;
        bool fine =
            (count++ == 0 || line_add(&self->row, d->delimiter)) && row_add_object(self, d, field);
        Py_DECREF(field);
        if (!fine) {
            return false;
        }
    }
    if (PyErr_Occurred()
        || (count == 1 && self->row.length == 0 && !row_quote_empty(self, d, was_none))) {
        return false;
    }
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(d->lineterminator); i++) {
        if (!line_add(&self->row, PyUnicode_READ_CHAR(d->lineterminator, i))) {
            return false;
        }
    }
    return true;
}

static PyObject *row_writer_writerow(struct writer *self, PyObject *row)
{
    PyObject *it = PyObject_GetIter(row);
    if (it == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Format(state_of(self)->error, "iterable expected, not %.200s",
                         Py_TYPE(row)->tp_name);
        }
        return NULL;
    }
    bool built = row_build(self, (struct dialect *)self->dialect, it);
    Py_DECREF(it);
    PyObject *text = built ? line_text(&self->row) : NULL;
    PyObject *result = text ? PyObject_CallOneArg(self->write, text) : NULL;
    Py_XDECREF(text);
    return result;
}

static int row_writer_writerows(struct writer *self, PyObject *rows)
{
    PyObject *it = PyObject_GetIter(rows);
    if (it == NULL) {
        return -1;
    }
    PyObject *row;
    while ((row = PyIter_Next(it)) != NULL) {
        PyObject *result = LOCKED(self, row_writer_writerow(self, row));
        Py_DECREF(row);
        if (result == NULL) {
            break;
        }
        Py_DECREF(result);
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *csv_writer(PyObject *module, PyObject *args, PyObject *kwargs)
{
    struct csv_state *state = PyModule_GetState(module);
    PyObject *dialect = NULL, *file = first_and_dialect(state, args, kwargs, &dialect);
    if (file == NULL) {
        return NULL;
    }
    PyObject *write;
    if (PyObject_GetOptionalAttrString(file, "write", &write) < 0) {
        Py_DECREF(dialect);
        return NULL;
    }
    if (write == NULL || !PyCallable_Check(write)) {
        PyErr_SetString(PyExc_TypeError, "argument 1 must have a \"write\" method");
        Py_XDECREF(write);
        Py_DECREF(dialect);
        return NULL;
    }
    struct writer *self = type_make((PyTypeObject *)state->writer_type);
    if (self == NULL) {
        Py_DECREF(write);
        Py_DECREF(dialect);
        return NULL;
    }
    self->write = write;
    self->dialect = dialect;
    return (PyObject *)self;
}

GC_FIELDS(writer, write, dialect)

static void writer_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    writer_clear(op);
    PyMem_Free(((struct writer *)op)->row.at);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot writer_slots[] = {
    GC_SLOTS(writer),
    {Py_tp_doc, "An object that writes rows to a file."},
    {Py_tp_methods, row_writer_methods},
    {Py_tp_members, row_writer_members},
    {0, NULL},
};

static PyType_Spec writer_spec = {
    "_csv.writer",
    sizeof(struct writer),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE
        | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    writer_slots,
};

/* ---- the module ----------------------------------------------------------------------------- */

static PyObject *csv_register_dialect(PyObject *module, PyObject *args, PyObject *kwargs)
{
    struct csv_state *state = PyModule_GetState(module);
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    if (!bind_count("", count, 1, 2)) {
        return NULL;
    }
    PyObject *name = PyTuple_GET_ITEM(args, 0);
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "dialect name must be a string");
        return NULL;
    }
    PyObject *dialect = dialect_make(state, count == 2 ? PyTuple_GET_ITEM(args, 1) : NULL, kwargs);
    int rc = dialect ? PyDict_SetItem(state->dialects, name, dialect) : -1;
    Py_XDECREF(dialect);
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

static int csv_unregister_dialect(PyObject *module, PyObject *name)
{
    struct csv_state *state = PyModule_GetState(module);
    int found = PyDict_Pop(state->dialects, name, NULL);
    if (found == 0) {
        PyErr_SetString(state->error, "unknown dialect");
    }
    return found > 0 ? 0 : -1;
}

static PyObject *csv_get_dialect(PyObject *module, PyObject *name)
{
    return dialect_named(PyModule_GetState(module), name);
}

static PyObject *csv_list_dialects(PyObject *module)
{
    return PyDict_Keys(((struct csv_state *)PyModule_GetState(module))->dialects);
}

static PyObject *csv_field_size_limit(PyObject *module, PyObject *new_limit)
{
    struct csv_state *state = PyModule_GetState(module);
    PyObject *number = NULL;
    if (new_limit != NULL) {
        if (!PyLong_CheckExact(new_limit)) {
            PyErr_SetString(PyExc_TypeError, "limit must be an integer");
            return NULL;
        }
        Py_ssize_t limit = PyLong_AsSsize_t(new_limit);
        if (limit == -1 && PyErr_Occurred()) {
            return NULL;
        }
        number = Py_NewRef(new_limit);
    }
    PyObject *old;
    Py_BEGIN_CRITICAL_SECTION(module);
    old = Py_NewRef(state->limit);
    if (number != NULL) {
        field_set(&state->limit, number);
    }
    Py_END_CRITICAL_SECTION();
    return old;
}

static int csv_exec(PyObject *module)
{
    static const struct constant constants[] = {
        CONSTANT(QUOTE_MINIMAL), CONSTANT(QUOTE_ALL),     CONSTANT(QUOTE_NONNUMERIC),
        CONSTANT(QUOTE_NONE),    CONSTANT(QUOTE_STRINGS), CONSTANT(QUOTE_NOTNULL),
    };
    struct csv_state *state = PyModule_GetState(module);
    state->limit = PyLong_FromLong(128 * 1024);
    state->dialects = PyDict_New();
    state->error = PyErr_NewException("_csv.Error", NULL, NULL);
    state->dialect_type = (PyObject *)module_type(module, &dialect_spec, true);
    state->reader_type = (PyObject *)module_type(module, &reader_spec, false);
    state->writer_type = (PyObject *)module_type(module, &writer_spec, false);
    if (state->limit == NULL || state->dialects == NULL || state->error == NULL
        || state->dialect_type == NULL || state->reader_type == NULL || state->writer_type == NULL
        || PyModule_AddObjectRef(module, "Error", state->error) < 0
        || PyModule_AddObjectRef(module, "Reader", state->reader_type) < 0
        || PyModule_AddObjectRef(module, "Writer", state->writer_type) < 0
        || PyModule_AddObjectRef(module, "_dialects", state->dialects) < 0
        || PyModule_AddStringConstant(module, "__version__", "1.0") < 0) {
        return -1;
    }
    return module_constants(module, constants, Py_ARRAY_LENGTH(constants));
}

STATE_OBJECTS(csv)

static PyModuleDef_Slot csv_slots[] = MODULE_SLOTS(csv_exec);

static PyModuleDef csv_module = {
    PyModuleDef_HEAD_INIT,    .m_name = "_csv",     .m_doc = csv_doc,
    .m_methods = csv_methods, .m_slots = csv_slots, STATE_FIELDS(csv),
};

MODULE_INIT(_csv, csv_module)
