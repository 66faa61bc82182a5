/* The module _struct.
 *
 * A format is compiled to a row of fields, kept in a bytes object that never changes, so that calls
 * read it without a lock. */
#include "module.h"

#include <math.h>

enum kind { PAD, CHAR, STRING, PASCAL, BOOLEAN, SIGNED, UNSIGNED, POINTER, HALF, SINGLE, DOUBLE };

struct field {
    uint8_t kind, size;
    bool swapped, native; /* byte order; native: a C float, which may overflow to infinity */
    char letter;
    Py_ssize_t offset, count; /* for strings the count is their length */
};

struct structs {
    PyObject_HEAD
    Py_ssize_t size, values; /* bytes and number of values; -1 before __init__ */
    PyObject *fields;        /* bytes: an array of struct field */
    PyObject *format;        /* bytes */
    PyObject *retired;       /* what a second __init__ replaced */
    PyObject *weaklist;
};

struct unpacker {
    PyObject_HEAD
    struct structs *structs;
    Py_buffer buffer;
    Py_ssize_t index;
};

struct structs_state {
    PyObject *struct_type, *unpacker_type, *error, *cache;
};

enum { CACHE_MOST = 100 };

static PyModuleDef structs_module;

#include "struct.bind.h"

static struct structs_state *structs_state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &structs_module);
    return module ? PyModule_GetState(module) : NULL;
}

static PyObject *structs_error(struct structs *self)
{
    struct structs_state *state = structs_state_of(Py_TYPE(self));
    return state ? state->error : PyExc_SystemError;
}

/* ---- compiling a format --------------------------------------------------------------------- */

/* Kind and size of a format character; size 0 if there is none such. */
static struct field field_kind(char letter, bool native)
{
    struct field field = {.letter = letter};
    switch (letter) {
    case 'x':
        field.kind = PAD, field.size = 1;
        break;
    case 'c':
        field.kind = CHAR, field.size = 1;
        break;
    case 's':
        field.kind = STRING, field.size = 1;
        break;
    case 'p':
        field.kind = PASCAL, field.size = 1;
        break;
    case '?':
        field.kind = BOOLEAN, field.size = 1;
        break;
    case 'b':
        field.kind = SIGNED, field.size = 1;
        break;
    case 'B':
        field.kind = UNSIGNED, field.size = 1;
        break;
    case 'h':
        field.kind = SIGNED, field.size = 2;
        break;
    case 'H':
        field.kind = UNSIGNED, field.size = 2;
        break;
    case 'i':
        field.kind = SIGNED, field.size = 4;
        break;
    case 'I':
        field.kind = UNSIGNED, field.size = 4;
        break;
    case 'l':
        field.kind = SIGNED, field.size = native ? sizeof(long) : 4;
        break;
    case 'L':
        field.kind = UNSIGNED, field.size = native ? sizeof(long) : 4;
        break;
    case 'q':
        field.kind = SIGNED, field.size = 8;
        break;
    case 'Q':
        field.kind = UNSIGNED, field.size = 8;
        break;
    case 'e':
        field.kind = HALF, field.size = 2;
        break;
    case 'f':
        field.kind = SINGLE, field.size = 4;
        break;
    case 'd':
        field.kind = DOUBLE, field.size = 8;
        break;
    case 'n':
        field.kind = SIGNED, field.size = native ? sizeof(Py_ssize_t) : 0;
        break;
    case 'N':
        field.kind = UNSIGNED, field.size = native ? sizeof(size_t) : 0;
        break;
    case 'P':
        field.kind = POINTER, field.size = native ? sizeof(void *) : 0;
        break;
    default:
        break;
    }
    return field;
}

struct compiler {
    const char *at;
    bool native, swapped;
    Py_ssize_t size, values, fields;
    const char *complaint;
};

static void compiler_start(struct compiler *c, const char *format)
{
    const uint16_t probe = 1;
    bool little = *(const uint8_t *)&probe == 1;
    *c = (struct compiler){.at = format, .native = true};
    switch (*format) {
    case '<':
        c->native = false, c->swapped = !little, c->at++;
        break;
    case '>':
    case '!':
        c->native = false, c->swapped = little, c->at++;
        break;
    case '=':
        c->native = false, c->at++;
        break;
    case '@':
        c->at++;
        break;
    default:
        break;
    }
}

/* Reads the next field; false at the end or, with a complaint, on a mistake. */
static bool compiler_next(struct compiler *c, struct field *field)
{
    while (Py_ISSPACE(*c->at)) {
        c->at++;
    }
    if (*c->at == '\0') {
        return false;
    }
    Py_ssize_t count = 1;
    if (Py_ISDIGIT(*c->at)) {
        for (count = 0; Py_ISDIGIT(*c->at); c->at++) {
            if (__builtin_mul_overflow(count, 10, &count)
                || __builtin_add_overflow(count, *c->at - '0', &count)) {
                c->complaint = "total struct size too long";
                return false;
            }
        }
        if (*c->at == '\0') {
            c->complaint = "repeat count given without format specifier";
            return false;
        }
    }
    *field = field_kind(*c->at++, c->native);
    if (field->size == 0) {
        c->complaint = "bad char in struct format";
        return false;
    }
    Py_ssize_t align = c->native ? field->size : 1, bytes;
    if (__builtin_add_overflow(c->size, align - 1, &c->size)) {
        c->complaint = "total struct size too long";
        return false;
    }
    field->offset = c->size & -align;
    field->count = count;
    field->swapped = c->swapped;
    field->native = c->native;
    if (__builtin_mul_overflow(count, (Py_ssize_t)field->size, &bytes)
        || __builtin_add_overflow(field->offset, bytes, &c->size)) {
        c->complaint = "total struct size too long";
        return false;
    }
    c->values += field->kind == PAD                               ? 0
                 : field->kind == STRING || field->kind == PASCAL ? 1
                                                                  : count;
    c->fields++;
    return true;
}

/* Compiles into self; -1 with an exception, and self as it was. */
static int structs_compile(struct structs *self, PyObject *format, PyObject *error)
{
    struct compiler c;
    struct field field;
    const char *text = PyBytes_AS_STRING(format);
    if (strlen(text) != (size_t)PyBytes_GET_SIZE(format)) {
        PyErr_SetString(error, "embedded null character");
        return -1;
    }
    compiler_start(&c, text);
    while (compiler_next(&c, &field)) {
    }
    if (c.complaint != NULL) {
        PyErr_SetString(error, c.complaint);
        return -1;
    }
    PyObject *fields = PyBytes_FromStringAndSize(NULL, c.fields * (Py_ssize_t)sizeof field);
    PyObject *retired = NULL;
    if (fields != NULL && self->fields != NULL) {
        retired = Py_BuildValue("(OOO)", self->fields, self->format,
                                self->retired ? self->retired : Py_None);
    }
    if (fields == NULL || (self->fields != NULL && retired == NULL)) {
        Py_XDECREF(fields);
        return -1;
    }
    char *out = PyBytes_AS_STRING(fields);
    compiler_start(&c, text);
    while (compiler_next(&c, &field)) {
        memcpy(out, &field, sizeof field);
        out += sizeof field;
    }
    if (retired != NULL) {
        field_set(&self->retired, retired);
    }
    field_set(&self->format, Py_NewRef(format));
    field_set(&self->fields, fields);
    self->size = c.size;
    self->values = c.values;
    return 0;
}

/* A format as bytes (new reference). */
static PyObject *format_bytes(PyObject *format)
{
    if (PyUnicode_Check(format)) {
        return PyUnicode_AsASCIIString(format);
    }
    if (PyBytes_Check(format)) {
        return Py_NewRef(format);
    }
    PyErr_Format(PyExc_TypeError, "Struct() argument 1 must be a str or bytes object, not %.200s",
                 Py_TYPE(format)->tp_name);
    return NULL;
}

static int Struct_init(struct structs *self, PyObject *format)
{
    PyObject *bytes = format_bytes(format);
    PyObject *error = structs_error(self);
    int rc = bytes ? LOCKED(self, structs_compile(self, bytes, error)) : -1;
    Py_XDECREF(bytes);
    return rc;
}

static PyObject *Struct_make(PyTypeObject *type, PyObject *Py_UNUSED(args),
                             PyObject *Py_UNUSED(kwargs))
{
    struct structs *self = type_make(type);
    if (self != NULL) {
        self->size = self->values = -1;
    }
    return (PyObject *)self;
}

/* ---- one value to bytes --------------------------------------------------------------------- */

static inline void store(void *to, const void *from, size_t size, bool swapped)
{
    if (!swapped) {
        memcpy(to, from, size);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        ((char *)to)[i] = ((const char *)from)[size - 1 - i];
    }
}

static int out_of_range(const struct field *field, struct structs *self)
{
    int bits = field->size * 8;
    if (field->kind == UNSIGNED) {
        PyErr_Format(structs_error(self), "'%c' format requires 0 <= number <= %llu", field->letter,
                     ULLONG_MAX >> (64 - bits));
    } else {
        long long most = LLONG_MAX >> (64 - bits);
        PyErr_Format(structs_error(self), "'%c' format requires %lld <= number <= %lld",
                     field->letter, -most - 1, most);
    }
    return -1;
}

/* An int (new reference). */
static PyObject *index_of(PyObject *value, struct structs *self)
{
    if (PyLong_Check(value)) {
        return Py_NewRef(value);
    }
    if (!PyIndex_Check(value)) {
        PyErr_SetString(structs_error(self), "required argument is not an integer");
        return NULL;
    }
    return PyNumber_Index(value);
}

/* Whether the number whose low bits these are has a place in the field. */
static inline bool fits_in(const struct field *field, long long number)
{
    int width = field->size * 8;
    if (field->kind == SIGNED) {
        return width == 64 || (number >> (width - 1)) == (number >> 63);
    }
    return number >= 0 && (width == 64 || (uint64_t)number >> width == 0);
}

/* The number of an int; false if it does not fit (then maybe with an exception). */
static bool field_number(const struct field *field, PyObject *number, uint64_t *bits)
{
    int overflow;
    long long small = PyLong_AsLongLongAndOverflow(number, &overflow);
    *bits = (uint64_t)small;
    if (overflow > 0 && field->kind == UNSIGNED && field->size == 8) {
        *bits = PyLong_AsUnsignedLongLong(number);
        return *bits != (uint64_t)-1 || !PyErr_Occurred();
    }
    return overflow == 0 && fits_in(field, small);
}

static int pack_int(const struct field *field, PyObject *value, char *to, struct structs *self)
{
    uint64_t bits;
    bool fits;
    if (LIKELY(PyLong_CheckExact(value) && PyUnstable_Long_IsCompact((PyLongObject *)value))) {
        long long small = PyUnstable_Long_CompactValue((PyLongObject *)value);
        bits = (uint64_t)small;
        fits = fits_in(field, small);
    } else {
        PyObject *number = index_of(value, self);
        if (number == NULL) {
            return -1;
        }
        fits = field_number(field, number, &bits);
        Py_DECREF(number);
    }
    if (!fits) {
        PyErr_Clear();
        return out_of_range(field, self);
    }
    switch (field->size) {
    case 1:
        *to = (char)bits;
        break;
    case 2:
        store(to, &(uint16_t){(uint16_t)bits}, 2, field->swapped);
        break;
    case 4:
        store(to, &(uint32_t){(uint32_t)bits}, 4, field->swapped);
        break;
    default:
        store(to, &bits, 8, field->swapped);
        break;
    }
    return 0;
}

static int pack_pointer(PyObject *value, char *to, struct structs *self)
{
    PyObject *number = index_of(value, self);
    if (number == NULL) {
        return -1;
    }
    void *pointer = PyLong_AsVoidPtr(number);
    Py_DECREF(number);
    if (pointer == NULL && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_SetString(structs_error(self), "int too large to convert");
        }
        return -1;
    }
    memcpy(to, &pointer, sizeof pointer);
    return 0;
}

static int pack_float(const struct field *field, PyObject *value, char *to, struct structs *self)
{
    double number = PyFloat_AsDouble(value);
    if (number == -1.0 && PyErr_Occurred()) {
        PyErr_SetString(structs_error(self), "required argument is not a float");
        return -1;
    }
    const uint16_t probe = 1;
    bool little = (*(const uint8_t *)&probe == 1) != field->swapped;
    switch (field->kind) {
    case HALF:
        return PyFloat_Pack2(number, to, little);
    case SINGLE:
        if (field->native) {
            float single = (float)number;
            memcpy(to, &single, sizeof single);
            return 0;
        }
        return PyFloat_Pack4(number, to, little);
    default:
        store(to, &number, sizeof number, field->swapped);
        return 0;
    }
}

/* Bytes into a field of fixed length: cut, or filled with zeros; a Pascal string has its length in
 * front. */
static int pack_string(const struct field *field, PyObject *value, char *to, struct structs *self)
{
    bool is_bytes = PyBytes_Check(value);
    if (!is_bytes && !PyByteArray_Check(value)) {
        PyErr_Format(structs_error(self), "argument for '%c' must be a bytes object",
                     field->letter);
        return -1;
    }
    Py_buffer view;
    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    Py_ssize_t room = field->count;
    if (field->kind == PASCAL && room > 0) {
        room--;
        *to++ = (char)Py_MIN(Py_MIN(view.len, room), 255);
    }
    Py_ssize_t length = Py_MIN(view.len, room);
    memcpy(to, view.buf, (size_t)length);
    memset(to + length, 0, (size_t)(room - length));
    PyBuffer_Release(&view);
    return 0;
}

static int pack_value(const struct field *field, PyObject *value, char *to, struct structs *self)
{
    switch ((enum kind)field->kind) {
    case SIGNED:
    case UNSIGNED:
        return pack_int(field, value, to, self);
    case HALF:
    case SINGLE:
    case DOUBLE:
        return pack_float(field, value, to, self);
    case POINTER:
        return pack_pointer(value, to, self);
    case STRING:
    case PASCAL:
        return pack_string(field, value, to, self);
    case BOOLEAN: {
        int truth = PyObject_IsTrue(value);
        *to = (char)(truth > 0);
        return truth < 0 ? -1 : 0;
    }
    case CHAR:
        if (!PyBytes_Check(value) || PyBytes_GET_SIZE(value) != 1) {
            PyErr_SetString(structs_error(self), "char format requires a bytes object of length 1");
            return -1;
        }
        *to = PyBytes_AS_STRING(value)[0];
        return 0;
    case PAD:
        break;
    }
    return 0;
}

/* ---- one value from bytes ------------------------------------------------------------------- */

static PyObject *unpack_int(const struct field *field, const char *from)
{
    bool with_sign = field->kind == SIGNED;
    switch (field->size) {
    case 1:
        return PyLong_FromLong(with_sign ? (int8_t)*from : (uint8_t)*from);
    case 2: {
        uint16_t bits;
        store(&bits, from, 2, field->swapped);
        return PyLong_FromLong(with_sign ? (int16_t)bits : bits);
    }
    case 4: {
        uint32_t bits;
        store(&bits, from, 4, field->swapped);
        return PyLong_FromLongLong(with_sign ? (int32_t)bits : (int64_t)bits);
    }
    default: {
        uint64_t bits;
        store(&bits, from, 8, field->swapped);
        return with_sign ? PyLong_FromLongLong((int64_t)bits) : PyLong_FromUnsignedLongLong(bits);
    }
    }
}

static PyObject *unpack_float(const struct field *field, const char *from)
{
    const uint16_t probe = 1;
    bool little = (*(const uint8_t *)&probe == 1) != field->swapped;
    double number;
    if (field->kind == DOUBLE) {
        store(&number, from, sizeof number, field->swapped);
        return PyFloat_FromDouble(number);
    }
    number = field->kind == HALF ? PyFloat_Unpack2(from, little) : PyFloat_Unpack4(from, little);
    return number == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(number);
}

static PyObject *unpack_value(const struct field *field, const char *from)
{
    switch ((enum kind)field->kind) {
    case SIGNED:
    case UNSIGNED:
        return unpack_int(field, from);
    case HALF:
    case SINGLE:
    case DOUBLE:
        return unpack_float(field, from);
    case BOOLEAN:
        return PyBool_FromLong(*from != 0);
    case CHAR:
        return PyBytes_FromStringAndSize(from, 1);
    case STRING:
        return PyBytes_FromStringAndSize(from, field->count);
    case PASCAL: {
        Py_ssize_t length = field->count > 0 ? (uint8_t)*from : 0;
        length = length >= field->count ? Py_MAX(field->count - 1, 0) : length;
        return PyBytes_FromStringAndSize(from + 1, length);
    }
    case POINTER: {
        void *pointer;
        memcpy(&pointer, from, sizeof pointer);
        return PyLong_FromVoidPtr(pointer);
    }
    case PAD:
        break;
    }
    Py_UNREACHABLE();
}

/* ---- whole structs -------------------------------------------------------------------------- */

/* Writes the values; their number has been checked. */
static int structs_write(struct structs *self, PyObject *const *values, char *to)
{
    const struct field *field = (const struct field *)PyBytes_AS_STRING(self->fields);
    const struct field *end = field + PyBytes_GET_SIZE(self->fields) / (Py_ssize_t)sizeof *field;
    memset(to, 0, (size_t)self->size);
    for (; field < end; field++) {
        char *at = to + field->offset;
        if (field->kind == PAD) {
            continue;
        }
        bool string = field->kind == STRING || field->kind == PASCAL;
        for (Py_ssize_t i = string ? 1 : field->count; i > 0; i--, at += field->size) {
            if (pack_value(field, *values++, at, self) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static PyObject *structs_read(struct structs *self, const char *from)
{
    const struct field *field = (const struct field *)PyBytes_AS_STRING(self->fields);
    const struct field *end = field + PyBytes_GET_SIZE(self->fields) / (Py_ssize_t)sizeof *field;
    PyObject *result = PyTuple_New(self->values);
    Py_ssize_t n = 0;
    for (; result != NULL && field < end; field++) {
        const char *at = from + field->offset;
        bool string = field->kind == STRING || field->kind == PASCAL;
        Py_ssize_t count = field->kind == PAD ? 0 : string ? 1 : field->count;
        for (; count > 0; count--, at += field->size) {
            PyObject *value = unpack_value(field, at);
            if (value == NULL) {
                Py_DECREF(result);
                return NULL;
            }
            PyTuple_SET_ITEM(result, n++, value);
        }
    }
    return result;
}

static bool structs_ready(struct structs *self)
{
    if (self->fields == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "Struct object is not initialized");
        return false;
    }
    return true;
}

static bool structs_count(struct structs *self, const char *name, Py_ssize_t given)
{
    if (given != self->values) {
        PyErr_Format(structs_error(self), "%s expected %zd items for packing (got %zd)", name,
                     self->values, given);
        return false;
    }
    return structs_ready(self);
}

static PyObject *Struct_pack(PyObject *op, PyObject *const *values, Py_ssize_t count)
{
    struct structs *self = (struct structs *)op;
    if (!structs_count(self, "pack", count)) {
        return NULL;
    }
    PyObject *result = PyBytes_FromStringAndSize(NULL, self->size);
    if (result != NULL && structs_write(self, values, PyBytes_AS_STRING(result)) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

/* Makes an offset count from the start; false with an exception if the struct does not fit. */
static bool structs_place(struct structs *self, Py_ssize_t *offset, Py_ssize_t length, bool packing)
{
    Py_ssize_t size = self->size;
    if (LIKELY(*offset >= 0 && length - *offset >= size)) {
        return true;
    }
    PyObject *error = structs_error(self);
    if (*offset < 0) {
        if (*offset + size > 0) {
            PyErr_Format(error,
                         packing ? "no space to pack %zd bytes at offset %zd"
                                 : "not enough data to unpack %zd bytes at offset %zd",
                         size, *offset);
            return false;
        }
        if (*offset + length < 0) {
            PyErr_Format(error, "offset %zd out of range for %zd-byte buffer", *offset, length);
            return false;
        }
        *offset += length;
    }
    if (length - *offset < size) {
        PyErr_Format(error,
                     packing ? "pack_into requires a buffer of at least %zu bytes for packing %zd "
                               "bytes at offset %zd (actual buffer size is %zd)"
                             : "unpack_from requires a buffer of at least %zu bytes for unpacking "
                               "%zd bytes at offset %zd (actual buffer size is %zd)",
                     (size_t)size + (size_t)*offset, size, *offset, length);
        return false;
    }
    return true;
}

static PyObject *Struct_pack_into(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    struct structs *self = (struct structs *)op;
    if (count < 2) {
        PyErr_SetString(structs_error(self), count == 0 ? "pack_into expected buffer argument"
                                                        : "pack_into expected offset argument");
        return NULL;
    }
    if (!structs_count(self, "pack_into", count - 2)) {
        return NULL;
    }
    Py_buffer buffer;
    if (PyObject_GetBuffer(args[0], &buffer, PyBUF_WRITABLE) < 0) {
        PyErr_Format(PyExc_TypeError, "argument must be read-write bytes-like object, not %.50s",
                     args[0] == Py_None ? "None" : Py_TYPE(args[0])->tp_name);
        return NULL;
    }
    Py_ssize_t offset = PyNumber_AsSsize_t(args[1], PyExc_IndexError);
    bool done = (offset != -1 || !PyErr_Occurred())
                && structs_place(self, &offset, buffer.len, true)
                && structs_write(self, args + 2, (char *)buffer.buf + offset) == 0;
    PyBuffer_Release(&buffer);
    return done ? Py_NewRef(Py_None) : NULL;
}

static PyObject *Struct_unpack(struct structs *self, Py_buffer *buffer)
{
    if (!structs_ready(self)) {
        return NULL;
    }
    if (buffer->len != self->size) {
        PyErr_Format(structs_error(self), "unpack requires a buffer of %zd bytes", self->size);
        return NULL;
    }
    return structs_read(self, buffer->buf);
}

static PyObject *Struct_unpack_from(struct structs *self, Py_buffer *buffer, Py_ssize_t offset)
{
    if (!structs_ready(self) || !structs_place(self, &offset, buffer->len, false)) {
        return NULL;
    }
    return structs_read(self, (const char *)buffer->buf + offset);
}

static PyObject *Struct_iter_unpack(struct structs *self, PyObject *source)
{
    struct structs_state *state = structs_state_of(Py_TYPE(self));
    if (state == NULL || !structs_ready(self)) {
        return NULL;
    }
    if (self->size == 0) {
        PyErr_SetString(state->error, "cannot iteratively unpack with a struct of length 0");
        return NULL;
    }
    struct unpacker *it = type_make((PyTypeObject *)state->unpacker_type);
    if (it == NULL || PyObject_GetBuffer(source, &it->buffer, PyBUF_SIMPLE) < 0) {
        Py_XDECREF(it);
        return NULL;
    }
    if (it->buffer.len % self->size != 0) {
        PyErr_Format(state->error,
                     "iterative unpacking requires a buffer of a multiple of %zd bytes",
                     self->size);
        Py_DECREF(it);
        return NULL;
    }
    it->structs = (struct structs *)Py_NewRef((PyObject *)self);
    return (PyObject *)it;
}

static size_t Struct_sizeof(struct structs *self)
{
    return (size_t)Py_TYPE(self)->tp_basicsize
           + (self->fields ? (size_t)PyBytes_GET_SIZE(self->fields) : 0) + sizeof(struct field);
}

static PyObject *Struct_get_format(struct structs *self)
{
    if (self->format == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "Struct object is not initialized");
        return NULL;
    }
    return PyUnicode_FromStringAndSize(PyBytes_AS_STRING(self->format),
                                       PyBytes_GET_SIZE(self->format));
}

static Py_ssize_t Struct_get_size(struct structs *self)
{
    return self->size;
}

static PyObject *Struct_repr(PyObject *op)
{
    PyObject *format = Struct_get_format((struct structs *)op);
    PyObject *name = format ? PyType_GetName(Py_TYPE(op)) : NULL;
    PyObject *text = name ? PyUnicode_FromFormat("%U(%R)", name, format) : NULL;
    Py_XDECREF(name);
    Py_XDECREF(format);
    return text;
}

GC_TRAVERSE(structs, fields, format, retired)

static void Struct_dealloc(PyObject *op)
{
    struct structs *self = (struct structs *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    PyObject_ClearWeakRefs(op);
    Py_XDECREF(self->fields);
    Py_XDECREF(self->format);
    Py_XDECREF(self->retired);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMemberDef Struct_hidden_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct structs, weaklist), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot Struct_slots[] = {
    {Py_tp_dealloc, Struct_dealloc},
    {Py_tp_traverse, structs_traverse},
    {Py_tp_repr, Struct_repr},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_setattro, PyObject_GenericSetAttr},
    {Py_tp_doc, Struct_doc},
    {Py_tp_methods, Struct_methods},
    {Py_tp_members, Struct_hidden_members},
    {Py_tp_getset, Struct_getset},
    {Py_tp_init, bind_Struct_init},
    {Py_tp_new, Struct_make},
    {0, NULL},
};

static PyType_Spec Struct_spec = {
    "_struct.Struct",
    sizeof(struct structs),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    Struct_slots,
};

/* ---- unpack_iterator ------------------------------------------------------------------------ */

static PyObject *unpacker_step(struct unpacker *self)
{
    if (self->structs == NULL) {
        return NULL;
    }
    if (self->index >= self->buffer.len) {
        Py_CLEAR(self->structs);
        PyBuffer_Release(&self->buffer);
        return NULL;
    }
    const char *from = (const char *)self->buffer.buf + self->index;
    self->index += self->structs->size;
    return structs_read(self->structs, from);
}

static PyObject *unpacker_next(PyObject *op)
{
    return LOCKED(op, unpacker_step((struct unpacker *)op));
}

static Py_ssize_t unpacker_length_hint(struct unpacker *self)
{
    return self->structs ? (self->buffer.len - self->index) / self->structs->size : 0;
}

static int unpacker_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT((PyObject *)((struct unpacker *)op)->structs);
    Py_VISIT(((struct unpacker *)op)->buffer.obj);
    return 0;
}

static void unpacker_dealloc(PyObject *op)
{
    struct unpacker *self = (struct unpacker *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_XDECREF(self->structs);
    PyBuffer_Release(&self->buffer);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot unpacker_slots[] = {
    {Py_tp_dealloc, unpacker_dealloc},
    {Py_tp_traverse, unpacker_traverse},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, unpacker_next},
    {Py_tp_methods, unpacker_methods},
    {0, NULL},
};

static PyType_Spec unpacker_spec = {
    "_struct.unpack_iterator",
    sizeof(struct unpacker),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE
        | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    unpacker_slots,
};

/* ---- functions of the module: by a Struct out of a cache ------------------------------------- */

static struct structs *structs_cached(PyObject *module, PyObject *format)
{
    struct structs_state *state = PyModule_GetState(module);
    PyObject *found;
    if (PyDict_GetItemRef(state->cache, format, &found) != 0) {
        if (found != NULL || !PyErr_ExceptionMatches(PyExc_TypeError)) {
            return (struct structs *)found;
        }
        PyErr_Clear(); /* not hashable: the constructor knows what to say */
    }
    PyObject *made = PyObject_CallOneArg(state->struct_type, format);
    if (made != NULL) {
        if (PyDict_GET_SIZE(state->cache) >= CACHE_MOST) {
            PyDict_Clear(state->cache);
        }
        if (PyDict_SetItem(state->cache, format, made) < 0) {
            PyErr_Clear();
        }
    }
    return (struct structs *)made;
}

static Py_ssize_t structs_calcsize(PyObject *module, PyObject *format)
{
    struct structs *structs = structs_cached(module, format);
    Py_ssize_t size = structs ? structs->size : -1;
    Py_XDECREF(structs);
    return size;
}

static PyObject *structs_unpack(PyObject *module, PyObject *format, Py_buffer *buffer)
{
    struct structs *structs = structs_cached(module, format);
    PyObject *result = structs ? Struct_unpack(structs, buffer) : NULL;
    Py_XDECREF(structs);
    return result;
}

static PyObject *structs_unpack_from(PyObject *module, PyObject *format, Py_buffer *buffer,
                                     Py_ssize_t offset)
{
    struct structs *structs = structs_cached(module, format);
    PyObject *result = structs ? Struct_unpack_from(structs, buffer, offset) : NULL;
    Py_XDECREF(structs);
    return result;
}

static PyObject *structs_iter_unpack(PyObject *module, PyObject *format, PyObject *buffer)
{
    struct structs *structs = structs_cached(module, format);
    PyObject *result = structs ? Struct_iter_unpack(structs, buffer) : NULL;
    Py_XDECREF(structs);
    return result;
}

typedef PyObject *(*packer)(PyObject *structs, PyObject *const *args, Py_ssize_t count);

static PyObject *pack_by_format(PyObject *module, PyObject *const *args, Py_ssize_t count,
                                packer pack)
{
    if (count == 0) {
        PyErr_SetString(PyExc_TypeError, "missing format argument");
        return NULL;
    }
    struct structs *structs = structs_cached(module, args[0]);
    PyObject *result = structs ? pack((PyObject *)structs, args + 1, count - 1) : NULL;
    Py_XDECREF(structs);
    return result;
}

static PyObject *structs_pack(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    return pack_by_format(module, args, count, Struct_pack);
}

static PyObject *structs_pack_into(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    return pack_by_format(module, args, count, Struct_pack_into);
}

static void structs_clearcache(PyObject *module)
{
    PyDict_Clear(((struct structs_state *)PyModule_GetState(module))->cache);
}

/* ---- the module ----------------------------------------------------------------------------- */

static int structs_exec(PyObject *module)
{
    struct structs_state *state = PyModule_GetState(module);
    state->cache = PyDict_New();
    state->struct_type = (PyObject *)module_type(module, &Struct_spec, true);
    state->unpacker_type = (PyObject *)module_type(module, &unpacker_spec, false);
    state->error = PyErr_NewException("struct.error", NULL, NULL);
    bool complete = state->cache && state->struct_type && state->unpacker_type;
    return complete && PyModule_AddObjectRef(module, "error", state->error) == 0 ? 0 : -1;
}

STATE_OBJECTS(structs)

static PyModuleDef_Slot structs_slots[] = MODULE_SLOTS(structs_exec);

static PyModuleDef structs_module = {
    PyModuleDef_HEAD_INIT,        .m_name = "_struct",      .m_doc = structs_doc,
    .m_methods = structs_methods, .m_slots = structs_slots, STATE_FIELDS(structs),
};

MODULE_INIT(_struct, structs_module)
