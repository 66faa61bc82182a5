/*
 * Making code objects and finding one's way in them: location tables, handlers, names.
 *
 * co_linetable and co_exceptiontable have CPython's formats (a unit is one word); struct code_body holds
 * what the machine runs, in one block of memory.
 */
#include "interp/code.h"

#include "interp/vm/vm.h"

static uint32_t next_version = 1;

/* ---- bytes that grow ------------------------------------------------------------------------- */

struct buffer {
    uint8_t *data;
    size_t length, capacity;
};

static int buffer_byte(struct buffer *buffer, unsigned byte)
{
    if (buffer->length == buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity * 2 : 64;
        uint8_t *data = PyMem_RawRealloc(buffer->data, capacity);
        if (data == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        buffer->data = data;
        buffer->capacity = capacity;
    }
    buffer->data[buffer->length++] = (uint8_t)byte;
    return 0;
}

static PyObject *buffer_finish(struct buffer *buffer, int failed)
{
    PyObject *bytes =
        failed ? NULL : PyBytes_FromStringAndSize((char *)buffer->data, (Py_ssize_t)buffer->length);
    PyMem_RawFree(buffer->data);
    return bytes;
}

/* ---- location table -------------------------------------------------------------------------- */

enum location_code {
    LOCATION_ONE_LINE = 10,
    LOCATION_NO_COLUMNS = 13,
    LOCATION_LONG = 14,
    LOCATION_NONE = 15,
    LOCATION_UNITS_MAX = 8
};

static int location_varint(struct buffer *buffer, unsigned value)
{
    for (; value >= 64; value >>= 6) {
        if (buffer_byte(buffer, 0x40 | (value & 63)) < 0) {
            return -1;
        }
    }
    return buffer_byte(buffer, value);
}

static int location_signed(struct buffer *buffer, int value)
{
    return location_varint(buffer,
                           value < 0 ? (0u - (unsigned)value) << 1 | 1 : (unsigned)value << 1);
}

static int location_entry(struct buffer *buffer, const struct code_position *p, int *line,
                          unsigned units)
{
    unsigned first = 0x80 | (units - 1);
    if (p->line < 0) {
        return buffer_byte(buffer, first | LOCATION_NONE << 3);
    }
    int delta = p->line - *line;
    *line = p->line;
    if (p->col < 0 || p->end_col < 0) {
        if (p->end_line < 0 || p->end_line == p->line) {
            return buffer_byte(buffer, first | LOCATION_NO_COLUMNS << 3) < 0
                           || location_signed(buffer, delta) < 0
                       ? -1
                       : 0;
        }
    } else if (p->end_line == p->line) {
        if (delta == 0 && p->col < 80 && p->end_col >= p->col && p->end_col - p->col < 16) {
            return buffer_byte(buffer, first | (unsigned)(p->col >> 3) << 3) < 0
                           || buffer_byte(buffer, (unsigned)(p->col & 7) << 4
                                                      | (unsigned)(p->end_col - p->col))
                                  < 0
                       ? -1
                       : 0;
        }
        if (delta >= 0 && delta < 3 && p->col < 128 && p->end_col < 128) {
            return buffer_byte(buffer, first | (unsigned)(LOCATION_ONE_LINE + delta) << 3) < 0
                           || buffer_byte(buffer, (unsigned)p->col) < 0
                           || buffer_byte(buffer, (unsigned)p->end_col) < 0
                       ? -1
                       : 0;
        }
    }
    return buffer_byte(buffer, first | LOCATION_LONG << 3) < 0 || location_signed(buffer, delta) < 0
                   || location_varint(buffer,
                                      p->end_line < p->line ? 0 : (unsigned)(p->end_line - p->line))
                          < 0
                   || location_varint(buffer, (unsigned)(p->col + 1)) < 0
                   || location_varint(buffer, (unsigned)(p->end_col + 1)) < 0
               ? -1
               : 0;
}

static bool position_equal(const struct code_position *a, const struct code_position *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static PyObject *locations_encode(const struct code_position *positions, uint32_t n, int line)
{
    struct buffer buffer = {0};
    int failed = 0;
    for (uint32_t i = 0; i < n && !failed;) {
        unsigned units = 1;
        while (i + units < n && units < LOCATION_UNITS_MAX
               && position_equal(&positions[i], &positions[i + units])) {
            units++;
        }
        failed = location_entry(&buffer, &positions[i], &line, units) < 0;
        i += units;
    }
    return buffer_finish(&buffer, failed);
}

static unsigned read_varint(struct line_iter *iter)
{
    unsigned value = 0, shift = 0, byte;
    do {
        if (iter->next >= iter->end) {
            return 0;
        }
        byte = *iter->next++;
        value |= shift < 32 ? (byte & 63u) << shift : 0;
        shift += 6;
    } while (byte & 64);
    return value;
}

static int read_signed(struct line_iter *iter)
{
    unsigned value = read_varint(iter);
    return value & 1 ? -(int)(value >> 1) : (int)(value >> 1);
}

static unsigned read_byte(struct line_iter *iter)
{
    return iter->next < iter->end ? *iter->next++ : 0;
}

void line_iter_init(struct line_iter *iter, PyCodeObject *code)
{
    iter->next = (const uint8_t *)PyBytes_AS_STRING(code->co_linetable);
    iter->end = iter->next + PyBytes_GET_SIZE(code->co_linetable);
    iter->start = iter->stop = 0;
    iter->running = code->co_firstlineno;
    iter->position = (struct code_position){-1, -1, -1, -1};
}

bool line_iter_next(struct line_iter *iter)
{
    if (iter->next >= iter->end) {
        return false;
    }
    unsigned first = *iter->next++;
    unsigned code = first >> 3 & 15;
    struct code_position *p = &iter->position;
    iter->start = iter->stop;
    iter->stop += (int)(first & 7) + 1;
    *p = (struct code_position){-1, -1, -1, -1};
    if (code == LOCATION_NONE) {
        return true;
    }
    if (code < LOCATION_ONE_LINE) {
        unsigned second = read_byte(iter);
        p->col = (int)(code << 3 | (second >> 4 & 7));
        p->end_col = p->col + (int)(second & 15);
    } else if (code < LOCATION_NO_COLUMNS) {
        iter->running += (int)code - LOCATION_ONE_LINE;
        p->col = (int)read_byte(iter);
        p->end_col = (int)read_byte(iter);
    } else {
        iter->running += read_signed(iter);
    }
    p->line = p->end_line = iter->running;
    if (code == LOCATION_LONG) {
        p->end_line += (int)read_varint(iter);
        p->col = (int)read_varint(iter) - 1;
        p->end_col = (int)read_varint(iter) - 1;
    }
    return true;
}

bool code_position(PyCodeObject *code, int index, struct code_position *position)
{
    struct line_iter iter;
    line_iter_init(&iter, code);
    while (line_iter_next(&iter)) {
        if (index < iter.stop) {
            *position = iter.position;
            return position->line >= 0;
        }
    }
    *position = (struct code_position){-1, -1, -1, -1};
    return false;
}

int code_line(PyCodeObject *code, int index)
{
    if (index < 0) {
        return code->co_firstlineno;
    }
    struct code_position position;
    code_position(code, index, &position);
    return position.line;
}

/* ---- handlers -------------------------------------------------------------------------------- */

/* Numbers of 6 bits a byte, highest first; bit 6 says that more follow, bit 7 begins an entry. */
static int handler_varint(struct buffer *buffer, unsigned value, unsigned mark)
{
    for (int shift = 30; shift > 0; shift -= 6) {
        if (value >> shift) {
            for (; shift > 0; shift -= 6) {
                if (buffer_byte(buffer, (value >> shift & 63) | 64 | mark) < 0) {
                    return -1;
                }
                mark = 0;
            }
            break;
        }
    }
    return buffer_byte(buffer, (value & 63) | mark);
}

static PyObject *handlers_encode(const struct code_handler *handlers, uint32_t n)
{
    struct buffer buffer = {0};
    int failed = 0;
    for (uint32_t i = 0; i < n && !failed; i++) {
        const struct code_handler *h = &handlers[i];
        failed = handler_varint(&buffer, h->start, 128) < 0
                 || handler_varint(&buffer, h->end - h->start, 0) < 0
                 || handler_varint(&buffer, h->target, 0) < 0
                 || handler_varint(&buffer, (unsigned)h->depth << 1 | h->lasti, 0) < 0;
    }
    return buffer_finish(&buffer, failed);
}

static bool handler_number(const uint8_t **next, const uint8_t *end, unsigned *value)
{
    if (*next >= end) {
        return false;
    }
    unsigned byte = *(*next)++;
    *value = byte & 63;
    while (byte & 64) {
        if (*next >= end) {
            return false;
        }
        byte = *(*next)++;
        *value = *value << 6 | (byte & 63);
    }
    return true;
}

/* The inverse: number of handlers, or -1 with ValueError. *handlers is to be freed by PyMem_RawFree. */
int code_handlers_decode(PyObject *table, struct code_handler **handlers)
{
    const uint8_t *next = (const uint8_t *)PyBytes_AS_STRING(table);
    const uint8_t *end = next + PyBytes_GET_SIZE(table);
    int n = 0;
    struct code_handler *list = PyMem_RawMalloc((size_t)(end - next) * sizeof *list + 1);
    if (list == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    while (next < end) {
        unsigned start, size, target, depth;
        if (!(*next & 128) || !handler_number(&next, end, &start)
            || !handler_number(&next, end, &size) || !handler_number(&next, end, &target)
            || !handler_number(&next, end, &depth) || depth >> 17) {
            PyMem_RawFree(list);
            PyErr_SetString(PyExc_ValueError, "code: malformed exception table");
            return -1;
        }
        list[n++] =
            (struct code_handler){start, start + size, target, (uint16_t)(depth >> 1), depth & 1};
    }
    *handlers = list;
    return n;
}

const struct code_handler *code_handler_find(const struct code_body *body, uint32_t index)
{
    uint32_t low = 0, high = body->nhandlers;
    while (high - low > 4) {
        uint32_t middle = (low + high) / 2;
        if (body->handlers[middle].end <= index) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    while (low < high && body->handlers[low].end <= index) {
        low++;
    }
    return low < body->nhandlers && body->handlers[low].start <= index ? &body->handlers[low]
                                                                       : NULL;
}

int code_local_index(PyCodeObject *code, PyObject *name)
{
    for (int i = 0; i < code->co_nlocalsplus; i++) {
        PyObject *other = PyTuple_GET_ITEM(code->co_localsplusnames, i);
        if (other == name) {
            return i;
        }
    }
    for (int i = 0; i < code->co_nlocalsplus; i++) {
        PyObject *other = PyTuple_GET_ITEM(code->co_localsplusnames, i);
        if (PyUnicode_Check(name) && PyUnicode_Compare(other, name) == 0) {
            return i;
        }
    }
    return -1;
}

/* ---- making ---------------------------------------------------------------------------------- */

static bool looks_like_a_name(PyObject *str)
{
    if (!PyUnicode_IS_ASCII(str)) {
        return false;
    }
    const char *text = (const char *)PyUnicode_DATA(str);
    for (Py_ssize_t i = 0, n = PyUnicode_GET_LENGTH(str); i < n; i++) {
        if (!Py_ISALNUM(text[i]) && text[i] != '_') {
            return false;
        }
    }
    return true;
}

/* Interns the strings among constants that look like names, down through tuples. The tuple is the
 * compiler's own, nobody else has seen it. */
static void intern_constants(PyObject *tuple)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);
        if (PyUnicode_CheckExact(item) && looks_like_a_name(item)) {
            PyUnicode_InternInPlace(&((PyTupleObject *)tuple)->ob_item[i]);
        } else if (PyTuple_CheckExact(item)) {
            intern_constants(item);
        }
    }
}

static void intern_names(PyObject *tuple)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        if (PyUnicode_CheckExact(PyTuple_GET_ITEM(tuple, i))) {
            PyUnicode_InternInPlace(&((PyTupleObject *)tuple)->ob_item[i]);
        }
    }
}

/* Everything of the body in one block. */
static struct code_body *body_new(const struct code_spec *spec)
{
    size_t nconsts = (size_t)PyTuple_GET_SIZE(spec->consts);
    size_t size = sizeof(struct code_body) + spec->nwords * sizeof(uint64_t)
                  + nconsts * sizeof(value_t) + spec->nsites * sizeof(struct code_site)
                  + spec->nhandlers * sizeof(struct code_handler) + spec->nwords * sizeof(uint16_t);
    struct code_body *body = PyMem_RawCalloc(1, size);
    if (body == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    body->words = (uint64_t *)(body + 1);
    body->kwords = body->words + spec->nwords;
    body->sites = (struct code_site *)(body->kwords + nconsts);
    body->handlers = (struct code_handler *)(body->sites + spec->nsites);
    body->depths = (uint16_t *)(body->handlers + spec->nhandlers);
    body->nwords = spec->nwords;
    body->nsites = spec->nsites;
    body->nhandlers = spec->nhandlers;
    body->nconsts = (uint32_t)nconsts;
    memcpy(body->words, spec->words, spec->nwords * sizeof(uint64_t));
    memcpy(body->depths, spec->depths, spec->nwords * sizeof(uint16_t));
    if (spec->nhandlers) {
        memcpy(body->handlers, spec->handlers, spec->nhandlers * sizeof(struct code_handler));
    }
    for (uint32_t i = 0; i < spec->nsites; i++) {
        struct code_site_spec site; /* those of co_code are not aligned */
        memcpy(&site, (const char *)spec->sites + i * sizeof site, sizeof site);
        body->sites[i].arg = site.arg;
        body->sites[i].arg2 = site.arg2;
    }
    return body;
}

/* Destinations that are temporaries need no look at what was there: such words get forms that know. */
void code_choose_forms(struct code_body *body)
{
    static const uint16_t to_temporary[OPCODE_PLAIN_COUNT] = {
        [MOVE] = MOVE_TO_TEMP,      [LOAD_CONST] = LOAD_CONST_TEMP,
        [LOAD_INT] = LOAD_INT_TEMP, [LOAD_NULL] = LOAD_NULL_TEMP,
        [COPY] = COPY_TO_TEMP,      [GET_DEREF] = GET_DEREF_TO_TEMP,
    };
    for (uint32_t i = 0; i < body->nwords; i++) {
        uint64_t word = body->words[i];
        unsigned op = WORD_OP(word);
        if (op == EXT) {
            i++;
        } else if (op == MOVE && WORD_A(word) < body->nlocals && WORD_B(word) >= body->nlocals) {
            body->words[i] = (word & ~(uint64_t)0xFFFF) | MOVE_TO_LOCAL;
        } else if (op < OPCODE_PLAIN_COUNT && to_temporary[op] != 0 && WORD_A(word) >= body->nlocals
                   && (op != MOVE || WORD_B(word) < body->nlocals)) {
            body->words[i] = (word & ~(uint64_t)0xFFFF) | to_temporary[op];
        }
    }
}

static void body_fill(struct code_body *body, PyCodeObject *code, const struct code_spec *spec)
{
    body->consts = ((PyTupleObject *)code->co_consts)->ob_item;
    body->names = ((PyTupleObject *)code->co_names)->ob_item;
    for (uint32_t i = 0; i < body->nconsts; i++) {
        body->kwords[i] = value_from_uncounted(body->consts[i]);
        if (PyLong_CheckExact(body->consts[i])) {
            int64_t small;
            if (int_fits_i64((PyLongObject *)body->consts[i], &small) && value_int_fits(small)) {
                body->kwords[i] = value_from_int(small);
            }
        } else {
            body->kwords[i] = value_read(body->consts[i]);
        }
    }
    body->code = code;
    body->nlocals = (uint16_t)spec->nlocals;
    body->nregs = (uint16_t)spec->nregs;
    body->argcount = (uint16_t)spec->argcount;
    body->simple = !(spec->flags & (CO_VARARGS | CO_VARKEYWORDS)) && spec->kwonlyargcount == 0;
    body->plain_args = body->simple ? body->argcount : UINT64_MAX >> 1;
    body->generator = (spec->flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)) != 0;
    body->version = __atomic_fetch_add(&next_version, 1, __ATOMIC_RELAXED);
    code->co_version = body->version;
}

static void count_locals(PyCodeObject *code)
{
    for (int i = 0; i < code->co_nlocalsplus; i++) {
        int kind = code_local_kind(code, i);
        code->co_nlocals += (kind & CODE_FAST_LOCAL) != 0;
        code->co_ncellvars += (kind & CODE_FAST_CELL) != 0;
        code->co_nfreevars += (kind & CODE_FAST_FREE) != 0;
    }
}

static int first_traceable(const struct code_body *body)
{
    for (uint32_t i = 0; i < body->nwords; i++) {
        if (WORD_OP(body->words[i]) == RESUME) {
            return (int)i;
        }
    }
    return (int)body->nwords;
}

/* With the tables given (borrowed), or made from the spec when NULL. */
PyCodeObject *code_new_with_tables(const struct code_spec *spec, PyObject *linetable,
                                   PyObject *exceptiontable)
{
    if (spec->nregs > UINT16_MAX || spec->nlocals > UINT16_MAX) {
        PyErr_SetString(PyExc_OverflowError, "too many local variables");
        return NULL;
    }
    PyObject *lines = linetable != NULL
                          ? Py_NewRef(linetable)
                          : locations_encode(spec->positions, spec->nwords, spec->firstlineno);
    PyObject *handlers = exceptiontable != NULL ? Py_NewRef(exceptiontable)
                                                : handlers_encode(spec->handlers, spec->nhandlers);
    struct code_body *body = lines && handlers ? body_new(spec) : NULL;
    PyCodeObject *code = body ? (PyCodeObject *)object_new(&PyCode_Type, 0) : NULL;
    if (code == NULL) {
        Py_XDECREF(lines);
        Py_XDECREF(handlers);
        PyMem_RawFree(body);
        return NULL;
    }
    intern_names(spec->names);
    intern_names(spec->localsplusnames);
    intern_constants(spec->consts);
    code->co_consts = Py_NewRef(spec->consts);
    code->co_names = Py_NewRef(spec->names);
    code->co_localsplusnames = Py_NewRef(spec->localsplusnames);
    code->co_localspluskinds = Py_NewRef(spec->localspluskinds);
    code->co_filename = Py_NewRef(spec->filename);
    code->co_name = Py_NewRef(spec->name);
    PyUnicode_InternInPlace(&code->co_name);
    code->co_qualname = Py_NewRef(spec->qualname);
    PyUnicode_InternInPlace(&code->co_qualname);
    code->co_linetable = lines;
    code->co_exceptiontable = handlers;
    code->co_flags = spec->flags;
    code->co_argcount = spec->argcount;
    code->co_posonlyargcount = spec->posonlyargcount;
    code->co_kwonlyargcount = spec->kwonlyargcount;
    code->co_firstlineno = spec->firstlineno;
    code->co_nlocalsplus = spec->nlocals;
    code->co_stacksize = spec->nregs - spec->nlocals;
    code->co_framesize = spec->nregs;
    code->co_executors = (void *)body;
    count_locals(code);
    body_fill(body, code, spec);
    code->_co_firsttraceable = first_traceable(body);
    code_tell_watchers(PY_CODE_EVENT_CREATE, code);
    return code;
}

PyCodeObject *code_new(const struct code_spec *spec)
{
    PyCodeObject *code = code_new_with_tables(spec, NULL, NULL);
    if (code != NULL) {
        code_choose_forms(code_body(code));
    }
    return code;
}

enum opcode code_base_op(const struct code_body *body, uint32_t index)
{
    unsigned op = WORD_OP(field_load(&body->words[index]));
    if (op == INSTRUMENTED) {
        op = monitor_original_op(body, index);
    }
    return (enum opcode)opcode_table[op].base;
}

/* A word as the compiler made it. */
uint64_t code_base_word(const struct code_body *body, uint32_t index)
{
    uint64_t word = field_load(&body->words[index]);
    return (word & ~(uint64_t)0xFFFF) | (uint64_t)code_base_op(body, index);
}

/* Names of one kind as a tuple: co_varnames, co_cellvars, co_freevars. New reference. */
PyObject *code_names_of_kind(PyCodeObject *code, int kind, int n)
{
    PyObject *names = PyTuple_New(n);
    for (int i = 0, at = 0; names != NULL && i < code->co_nlocalsplus; i++) {
        if (code_local_kind(code, i) & kind) {
            PyTuple_SET_ITEM(names, at++, Py_NewRef(PyTuple_GET_ITEM(code->co_localsplusnames, i)));
        }
    }
    return names;
}

PyObject *PyCode_GetVarnames(PyCodeObject *code)
{
    return code_names_of_kind(code, CODE_FAST_LOCAL, code->co_nlocals);
}

PyObject *PyCode_GetCellvars(PyCodeObject *code)
{
    return code_names_of_kind(code, CODE_FAST_CELL, code->co_ncellvars);
}

PyObject *PyCode_GetFreevars(PyCodeObject *code)
{
    return code_names_of_kind(code, CODE_FAST_FREE, code->co_nfreevars);
}

int PyCode_Addr2Line(PyCodeObject *code, int offset)
{
    return offset < 0 ? code->co_firstlineno : code_line(code, offset / 2);
}

int PyCode_Addr2Location(PyCodeObject *code, int offset, int *start_line, int *start_column,
                         int *end_line, int *end_column)
{
    struct code_position p = {code->co_firstlineno, code->co_firstlineno, 0, 0};
    if (offset >= 0) {
        code_position(code, offset / 2, &p);
    }
    *start_line = p.line;
    *start_column = p.col;
    *end_line = p.end_line;
    *end_column = p.end_col;
    return 1;
}

int _PyCode_CheckLineNumber(int offset, PyCodeAddressRange *bounds)
{
    (void)offset, (void)bounds;
    return -1;
}

PyCodeObject *PyCode_NewEmpty(const char *filename, const char *funcname, int firstlineno)
{
    PyObject *empty = PyTuple_New(0), *nobytes = PyBytes_FromStringAndSize(NULL, 0);
    PyObject *file = PyUnicode_DecodeFSDefault(filename), *name = PyUnicode_FromString(funcname);
    PyCodeObject *code = NULL;
    if (empty && nobytes && file && name) {
        uint64_t words[] = {WORD(RESUME, 0, 0, 0), WORD(LOAD_ASSERTION_ERROR, 0, 0, 0),
                            WORD(RAISE, 0, 0, 0)};
        uint16_t depths[] = {0, 0, 1};
        struct code_position at = {firstlineno, firstlineno, -1, -1};
        struct code_position positions[] = {at, at, at};
        struct code_spec spec = {
            .words = words,
            .nwords = 3,
            .depths = depths,
            .positions = positions,
            .consts = empty,
            .names = empty,
            .localsplusnames = empty,
            .localspluskinds = nobytes,
            .filename = file,
            .name = name,
            .qualname = name,
            .flags = CO_OPTIMIZED | CO_NEWLOCALS,
            .firstlineno = firstlineno,
            .nregs = 1,
        };
        code = code_new(&spec);
    }
    Py_XDECREF(empty);
    Py_XDECREF(nobytes);
    Py_XDECREF(file);
    Py_XDECREF(name);
    return code;
}
