/* Opcodes to objects: the stack machine. */
#include "pickle.h"

/* ---- the stack ------------------------------------------------------------------------------ */

static int raise_underflow(struct unpickler *self)
{
    PyErr_SetString(self->state->unpickling_error,
                    self->mark_top ? "unexpected MARK found" : "unpickling stack underflow");
    return -1;
}

static int stack_grow(struct unpickler *self)
{
    Py_ssize_t room = self->room ? self->room * 2 : 32;
    PyObject **stack = room > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof *stack
                           ? NULL
                           : PyMem_Realloc(self->stack, (size_t)room * sizeof *stack);
    if (stack == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->stack = stack;
    self->room = room;
    return 0;
}

/* Takes over `object`; NULL is an error. */
static inline int push(struct unpickler *self, PyObject *object)
{
    if (object == NULL) {
        return -1;
    }
    if (UNLIKELY(self->top == self->room) && stack_grow(self) < 0) {
        Py_DECREF(object);
        return -1;
    }
    self->stack[self->top++] = object;
    return 0;
}

/* Whether n items may be taken. */
static inline bool has(struct unpickler *self, Py_ssize_t n)
{
    return LIKELY(self->top - self->fence >= n) || raise_underflow(self) == 0;
}

/* New reference, or NULL with an exception. */
static inline PyObject *pop(struct unpickler *self)
{
    return has(self, 1) ? self->stack[--self->top] : NULL;
}

static inline PyObject *top(struct unpickler *self)
{
    return self->stack[self->top - 1];
}

/* Drops everything from `height` on. */
static void stack_cut(struct unpickler *self, Py_ssize_t height)
{
    while (self->top > height) {
        PyObject *object = self->stack[--self->top];
        Py_DECREF(object);
    }
}

static int mark_push(struct unpickler *self)
{
    if (self->mark_top == self->mark_room) {
        Py_ssize_t room = self->mark_room ? self->mark_room * 2 : 16;
        Py_ssize_t *marks = PyMem_Realloc(self->marks, (size_t)room * sizeof *marks);
        if (marks == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->marks = marks;
        self->mark_room = room;
    }
    self->marks[self->mark_top++] = self->fence = self->top;
    return 0;
}

/* Takes the last mark away: the height where it was, or -1. */
static Py_ssize_t mark_pop(struct unpickler *self)
{
    if (self->mark_top == 0) {
        PyErr_SetString(self->state->unpickling_error, "could not find MARK");
        return -1;
    }
    Py_ssize_t height = self->marks[--self->mark_top];
    self->fence = self->mark_top ? self->marks[self->mark_top - 1] : 0;
    return height;
}

/* The mark, when at least one item is below it. */
static Py_ssize_t mark_pop_below(struct unpickler *self)
{
    Py_ssize_t height = mark_pop(self);
    if (height >= 0 && height <= self->fence) {
        return raise_underflow(self);
    }
    return height;
}

/* The items from `height` on, as a tuple or list (new reference). */
static PyObject *take_tuple(struct unpickler *self, Py_ssize_t height)
{
    Py_ssize_t n = self->top - height;
    PyObject *tuple = PyTuple_New(n);
    if (tuple != NULL) {
        for (Py_ssize_t i = 0; i < n; i++) {
            PyTuple_SET_ITEM(tuple, i, self->stack[height + i]);
        }
        self->top = height;
    }
    return tuple;
}

static PyObject *take_list(struct unpickler *self, Py_ssize_t height)
{
    Py_ssize_t n = self->top - height;
    PyObject *list = PyList_New(n);
    if (list != NULL) {
        for (Py_ssize_t i = 0; i < n; i++) {
            PyList_SET_ITEM(list, i, self->stack[height + i]);
        }
        self->top = height;
    }
    return list;
}

/* ---- numbers -------------------------------------------------------------------------------- */

static inline uint64_t number_at(const char *data, int size)
{
    uint64_t value = 0;
    for (int i = size; i-- > 0;) {
        value = value << 8 | (unsigned char)data[i];
    }
    return value;
}

/* A little-endian number of `size` bytes from the stream; false with an exception. */
static inline bool read_number(struct unpickler *self, int size, uint64_t *value)
{
    const char *data;
    if (input_read(&self->in, size, &data) < 0) {
        return false;
    }
    *value = number_at(data, size);
    return true;
}

/* The length of what follows. */
static bool read_length(struct unpickler *self, int size, const char *name, Py_ssize_t *length)
{
    uint64_t value;
    if (!read_number(self, size, &value)) {
        return false;
    }
    if (value > (uint64_t)PY_SSIZE_T_MAX) {
        PyErr_Format(PyExc_OverflowError, "%s exceeds system's maximum %s%zd bytes", name,
                     strcmp(name, "FRAME length") ? "size of " : "of ", PY_SSIZE_T_MAX);
        return false;
    }
    *length = (Py_ssize_t)value;
    return true;
}

/* A line without its newline as C string, in `buffer` or on the heap; NULL with an exception.
 * line_free() releases it. */
struct line {
    char *text, buffer[64];
    Py_ssize_t len; /* without the newline */
};

static char *line_read(struct unpickler *self, struct line *line)
{
    const char *data;
    Py_ssize_t len;
    if (input_line(&self->in, &data, &len) < 0) {
        return NULL;
    }
    line->len = len - 1;
    if (line->len == 0) {
        input_truncated(&self->in);
        return NULL;
    }
    line->text = len <= (Py_ssize_t)sizeof line->buffer ? line->buffer : PyMem_Malloc((size_t)len);
    if (line->text == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    memcpy(line->text, data, (size_t)line->len);
    line->text[line->len] = '\0';
    return line->text;
}

static void line_free(struct line *line)
{
    if (line->text != line->buffer) {
        PyMem_Free(line->text);
    }
}

/* As int() reads it; the whole line, which may have no NUL inside. */
static PyObject *int_of_line(struct line *line, int base)
{
    char *end;
    PyObject *value = PyLong_FromString(line->text, &end, base);
    if (value != NULL && end != line->text + line->len) {
        Py_CLEAR(value);
        PyErr_SetString(PyExc_ValueError, "could not convert string to int");
    }
    return value;
}

static int load_int(struct unpickler *self)
{
    struct line line;
    if (line_read(self, &line) == NULL) {
        return -1;
    }
    PyObject *value;
    if (line.len == 2 && line.text[0] == '0' && (line.text[1] == '0' || line.text[1] == '1')) {
        value = PyBool_FromLong(line.text[1] == '1');
    } else {
        value = int_of_line(&line, 0);
        if (value == NULL && PyErr_ExceptionMatches(PyExc_ValueError)) {
            PyErr_SetString(PyExc_ValueError, "could not convert string to int");
        }
    }
    line_free(&line);
    return push(self, value);
}

static int load_long(struct unpickler *self)
{
    struct line line;
    if (line_read(self, &line) == NULL) {
        return -1;
    }
    if (line.text[line.len - 1] == 'L') {
        line.text[--line.len] = '\0';
    }
    PyObject *value = int_of_line(&line, 0);
    line_free(&line);
    return push(self, value);
}

static int load_counted_long(struct unpickler *self, int size)
{
    uint64_t length;
    if (!read_number(self, size, &length)) {
        return -1;
    }
    if (length > 0x7fffffff) {
        PyErr_SetString(self->state->unpickling_error, "LONG pickle has negative byte count");
        return -1;
    }
    const char *data;
    if (input_read(&self->in, (Py_ssize_t)length, &data) < 0) {
        return -1;
    }
    if (length > 8) {
        return push(self, PyLong_FromNativeBytes(data, length, Py_ASNATIVEBYTES_LITTLE_ENDIAN));
    }
    uint64_t value = number_at(data, (int)length);
    if (length > 0 && length < 8 && value >> (8 * length - 1)) {
        value |= ~UINT64_C(0) << 8 * length;
    }
    return push(self, PyLong_FromLongLong((long long)value));
}

static int load_float(struct unpickler *self)
{
    struct line line;
    if (line_read(self, &line) == NULL) {
        return -1;
    }
    char *end;
    double value = PyOS_string_to_double(line.text, &end, PyExc_OverflowError);
    PyObject *number = NULL;
    if (value != -1.0 || !PyErr_Occurred()) {
        if (end == line.text + line.len) {
            number = PyFloat_FromDouble(value);
        } else {
            PyErr_SetString(PyExc_ValueError, "could not convert string to float");
        }
    }
    line_free(&line);
    return push(self, number);
}

static int load_binfloat(struct unpickler *self)
{
    const char *data;
    if (input_read(&self->in, 8, &data) < 0) {
        return -1;
    }
    double value = PyFloat_Unpack8(data, 0);
    return value == -1.0 && PyErr_Occurred() ? -1 : push(self, PyFloat_FromDouble(value));
}

/* ---- text and bytes ------------------------------------------------------------------------- */

/* What Python 2 called str. */
static int push_string(struct unpickler *self, const char *data, Py_ssize_t len)
{
    const char *encoding = self->encoding ? self->encoding : "ASCII";
    if (strcmp(encoding, "bytes") == 0) {
        return push(self, PyBytes_FromStringAndSize(data, len));
    }
    return push(self,
                PyUnicode_Decode(data, len, encoding, self->errors ? self->errors : "strict"));
}

static int load_string(struct unpickler *self)
{
    const char *line;
    Py_ssize_t len;
    if (input_line(&self->in, &line, &len) < 0) {
        return -1;
    }
    len--;
    if (len < 2 || line[0] != line[len - 1] || (line[0] != '"' && line[0] != '\'')) {
        PyErr_SetString(self->state->unpickling_error, "the STRING opcode argument must be quoted");
        return -1;
    }
    PyObject *bytes = PyBytes_DecodeEscape(line + 1, len - 2, NULL, 0, NULL);
    if (bytes == NULL) {
        return -1;
    }
    int rc = push_string(self, PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return rc;
}

static int load_binstring(struct unpickler *self, int size)
{
    uint64_t len;
    const char *data;
    if (!read_number(self, size, &len)) {
        return -1;
    }
    if (len > 0x7fffffff) {
        PyErr_SetString(self->state->unpickling_error, "BINSTRING pickle has negative byte count");
        return -1;
    }
    return input_read(&self->in, (Py_ssize_t)len, &data) < 0
               ? -1
               : push_string(self, data, (Py_ssize_t)len);
}

static int load_unicode(struct unpickler *self)
{
    const char *line;
    Py_ssize_t len;
    if (input_line(&self->in, &line, &len) < 0) {
        return -1;
    }
    return push(self, PyUnicode_DecodeRawUnicodeEscape(line, len - 1, NULL));
}

static int load_binunicode(struct unpickler *self, int size)
{
    Py_ssize_t len;
    const char *data;
    return !read_length(self, size, "BINUNICODE", &len) || input_read(&self->in, len, &data) < 0
               ? -1
               : push(self, PyUnicode_DecodeUTF8(data, len, "surrogatepass"));
}

static int load_binbytes(struct unpickler *self, int size)
{
    Py_ssize_t len;
    return read_length(self, size, "BINBYTES", &len) ? push(self, input_bytes(&self->in, len)) : -1;
}

static int load_bytearray(struct unpickler *self)
{
    Py_ssize_t len;
    const char *data;
    return !read_length(self, 8, "BYTEARRAY8", &len) || input_read(&self->in, len, &data) < 0
               ? -1
               : push(self, PyByteArray_FromStringAndSize(data, len));
}

static int load_next_buffer(struct unpickler *self)
{
    PyObject *error = self->state->unpickling_error;
    if (self->buffers == NULL) {
        PyErr_SetString(error, "pickle stream refers to out-of-band data but no *buffers* argument "
                               "was given");
        return -1;
    }
    PyObject *buffer = PyIter_Next(self->buffers);
    if (buffer == NULL && !PyErr_Occurred()) {
        PyErr_SetString(error, "not enough out-of-band buffers");
    }
    return push(self, buffer);
}

static int load_readonly_buffer(struct unpickler *self)
{
    if (!has(self, 1)) {
        return -1;
    }
    PyObject *view = PyMemoryView_FromObject(top(self));
    if (view == NULL) {
        return -1;
    }
    if (!PyMemoryView_GET_BUFFER(view)->readonly) {
        PyObject *readonly = PyObject_CallMethod(view, "toreadonly", NULL);
        if (readonly == NULL) {
            Py_DECREF(view);
            return -1;
        }
        Py_SETREF(self->stack[self->top - 1], readonly);
    }
    Py_DECREF(view);
    return 0;
}

/* ---- containers ----------------------------------------------------------------------------- */

static int load_short_tuple(struct unpickler *self, int n)
{
    return has(self, n) ? push(self, take_tuple(self, self->top - n)) : -1;
}

static int load_tuple(struct unpickler *self)
{
    Py_ssize_t height = mark_pop(self);
    return height < 0 ? -1 : push(self, take_tuple(self, height));
}

static int load_list(struct unpickler *self)
{
    Py_ssize_t height = mark_pop(self);
    return height < 0 ? -1 : push(self, take_list(self, height));
}

static int odd_number(struct unpickler *self, const char *op)
{
    PyErr_Format(self->state->unpickling_error, "odd number of items for %s", op);
    return -1;
}

static int load_dict(struct unpickler *self)
{
    Py_ssize_t height = mark_pop(self);
    if (height < 0) {
        return -1;
    }
    if ((self->top - height) % 2 != 0) {
        return odd_number(self, "DICT");
    }
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = height; dict != NULL && i < self->top; i += 2) {
        if (PyDict_SetItem(dict, self->stack[i], self->stack[i + 1]) < 0) {
            Py_CLEAR(dict);
        }
    }
    stack_cut(self, height);
    return push(self, dict);
}

static int load_frozenset(struct unpickler *self)
{
    Py_ssize_t height = mark_pop(self);
    PyObject *items = height < 0 ? NULL : take_tuple(self, height);
    PyObject *set = items ? PyFrozenSet_New(items) : NULL;
    Py_XDECREF(items);
    return push(self, set);
}

/* Calls object.method(item) for the items from `height` on. */
static int call_for_each(struct unpickler *self, PyObject *object, PyObject *name,
                         Py_ssize_t height)
{
    PyObject *method = PyObject_GetAttr(object, name);
    int rc = method ? 0 : -1;
    for (Py_ssize_t i = height; rc == 0 && i < self->top; i++) {
        PyObject *result = PyObject_CallOneArg(method, self->stack[i]);
        rc = result ? 0 : -1;
        Py_XDECREF(result);
    }
    Py_XDECREF(method);
    return rc;
}

/* Appends the items from `height` on to what lies below them. */
static int append_from(struct unpickler *self, Py_ssize_t height)
{
    PyObject *list = self->stack[height - 1];
    int rc = 0;
    if (self->top == height) {
        return 0;
    }
    if (PyList_CheckExact(list)) {
        PyObject *items = take_list(self, height);
        Py_ssize_t end = PyList_GET_SIZE(list);
        rc = items ? PyList_SetSlice(list, end, end, items) : -1;
        Py_XDECREF(items);
        return rc;
    }
    PyObject *extend;
    if (PyObject_GetOptionalAttr(list, self->state->str_extend, &extend) < 0) {
        return -1;
    }
    if (extend != NULL) {
        PyObject *items = take_list(self, height);
        PyObject *result = items ? PyObject_CallOneArg(extend, items) : NULL;
        rc = result ? 0 : -1;
        Py_XDECREF(result);
        Py_XDECREF(items);
        Py_DECREF(extend);
        return rc;
    }
    rc = call_for_each(self, list, self->state->str_append, height);
    stack_cut(self, height);
    return rc;
}

static int load_append(struct unpickler *self)
{
    if (!has(self, 2)) {
        return -1;
    }
    PyObject *list = self->stack[self->top - 2];
    if (!PyList_CheckExact(list)) {
        return append_from(self, self->top - 1);
    }
    PyObject *item = pop(self);
    int rc = PyList_Append(list, item);
    Py_DECREF(item);
    return rc;
}

static int load_appends(struct unpickler *self)
{
    Py_ssize_t height = mark_pop_below(self);
    return height < 0 ? -1 : append_from(self, height);
}

static int set_from(struct unpickler *self, Py_ssize_t height)
{
    PyObject *dict = self->stack[height - 1];
    bool plain = PyDict_CheckExact(dict);
    int rc = 0;
    if ((self->top - height) % 2 != 0) {
        return odd_number(self, "SETITEMS");
    }
    for (Py_ssize_t i = height; rc == 0 && i < self->top; i += 2) {
        PyObject *key = self->stack[i], *value = self->stack[i + 1];
        rc = plain ? PyDict_SetItem(dict, key, value) : PyObject_SetItem(dict, key, value);
    }
    stack_cut(self, height);
    return rc;
}

static int load_setitems(struct unpickler *self)
{
    Py_ssize_t height = mark_pop_below(self);
    return height < 0 ? -1 : set_from(self, height);
}

static int load_additems(struct unpickler *self)
{
    Py_ssize_t height = mark_pop_below(self);
    if (height < 0 || self->top == height) {
        return height < 0 ? -1 : 0;
    }
    PyObject *set = self->stack[height - 1];
    int rc = 0;
    if (PySet_Check(set)) {
        for (Py_ssize_t i = height; rc == 0 && i < self->top; i++) {
            rc = PySet_Add(set, self->stack[i]);
        }
    } else {
        rc = call_for_each(self, set, self->state->str_add, height);
    }
    stack_cut(self, height);
    return rc;
}

/* ---- the memo ------------------------------------------------------------------------------- */

static int push_memo(struct unpickler *self, Py_ssize_t index)
{
    PyObject *object = index < 0 ? NULL : unpickler_memo_get(self, index);
    if (object == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(self->state->unpickling_error, "Memo value not found at index %ld",
                         (long)index);
        }
        return -1;
    }
    return push(self, Py_NewRef(object));
}

/* The number in a line; -2 with an exception. */
static Py_ssize_t read_index(struct unpickler *self)
{
    struct line line;
    if (line_read(self, &line) == NULL) {
        return -2;
    }
    PyObject *value = int_of_line(&line, 10);
    Py_ssize_t index = value ? PyLong_AsSsize_t(value) : -2;
    Py_XDECREF(value);
    line_free(&line);
    return PyErr_Occurred() ? -2 : index < 0 ? -1 : index;
}

static int load_get(struct unpickler *self)
{
    Py_ssize_t index = read_index(self);
    return index == -2 ? -1 : push_memo(self, index);
}

static int load_binget(struct unpickler *self, int size)
{
    uint64_t index;
    return read_number(self, size, &index) ? push_memo(self, (Py_ssize_t)index) : -1;
}

static int load_put(struct unpickler *self)
{
    Py_ssize_t index = read_index(self);
    if (index == -2 || !has(self, 1)) {
        return -1;
    }
    if (index < 0) {
        PyErr_SetString(PyExc_ValueError, "negative PUT argument");
        return -1;
    }
    return unpickler_memo_put(self, index, top(self));
}

static int load_binput(struct unpickler *self, int size)
{
    uint64_t index;
    return read_number(self, size, &index) && has(self, 1)
               ? unpickler_memo_put(self, (Py_ssize_t)index, top(self))
               : -1;
}

/* ---- globals and instances ------------------------------------------------------------------ */

/* A line as str (new reference). */
static PyObject *read_name(struct unpickler *self, bool ascii)
{
    const char *line;
    Py_ssize_t len;
    if (input_line(&self->in, &line, &len) < 0) {
        return NULL;
    }
    if (len < 2) {
        input_truncated(&self->in);
        return NULL;
    }
    return ascii ? PyUnicode_DecodeASCII(line, len - 1, "strict")
                 : PyUnicode_DecodeUTF8(line, len - 1, "strict");
}

/* What the next two lines name. */
static PyObject *read_global(struct unpickler *self, bool ascii)
{
    PyObject *module_name = read_name(self, ascii);
    PyObject *name = module_name ? read_name(self, ascii) : NULL;
    PyObject *found = name ? unpickle_find_class(self, module_name, name) : NULL;
    Py_XDECREF(module_name);
    Py_XDECREF(name);
    return found;
}

static int load_stack_global(struct unpickler *self)
{
    if (!has(self, 2)) {
        return -1;
    }
    PyObject *name = pop(self), *module_name = pop(self), *found = NULL;
    if (!PyUnicode_CheckExact(name) || !PyUnicode_CheckExact(module_name)) {
        PyErr_SetString(self->state->unpickling_error, "STACK_GLOBAL requires str");
    } else {
        found = unpickle_find_class(self, module_name, name);
    }
    Py_DECREF(name);
    Py_DECREF(module_name);
    return push(self, found);
}

static int load_extension(struct unpickler *self, int size)
{
    uint64_t code;
    if (!read_number(self, size, &code)) {
        return -1;
    }
    if (code == 0 || code > 0x7fffffff) {
        PyErr_SetString(self->state->unpickling_error, "EXT specifies code <= 0");
        return -1;
    }
    return push(self, unpickle_extension(self, (long)code));
}

static int load_inst(struct unpickler *self)
{
    PyObject *cls = read_global(self, true), *args = NULL, *made = NULL;
    Py_ssize_t height = cls ? mark_pop(self) : -1;
    if (height >= 0) {
        args = take_tuple(self, height);
    }
    if (args != NULL) {
        made = unpickle_instance(self->state, cls, args);
    }
    Py_XDECREF(cls);
    Py_XDECREF(args);
    return push(self, made);
}

static int load_obj(struct unpickler *self)
{
    Py_ssize_t height = mark_pop(self);
    if (height < 0) {
        return -1;
    }
    if (self->top == height) {
        return raise_underflow(self);
    }
    PyObject *args = take_tuple(self, height + 1);
    PyObject *cls = pop(self);
    PyObject *made = args && cls ? unpickle_instance(self->state, cls, args) : NULL;
    Py_XDECREF(cls);
    Py_XDECREF(args);
    return push(self, made);
}

static int wrong_argument(struct unpickler *self, const char *op, const char *what, PyObject *value)
{
    PyErr_Format(self->state->unpickling_error, "%s %s, not %.200s", op, what,
                 Py_TYPE(value)->tp_name);
    return -1;
}

/* `keywords` may be NULL.  All borrowed. */
static PyObject *make_newobj(struct unpickler *self, PyObject *cls, PyObject *args,
                             PyObject *keywords)
{
    const char *op = keywords ? "NEWOBJ_EX" : "NEWOBJ";
    if (!PyType_Check(cls)) {
        wrong_argument(self, op, "class argument must be a type", cls);
    } else if (((PyTypeObject *)cls)->tp_new == NULL) {
        PyErr_Format(self->state->unpickling_error,
                     "%s class argument '%.200s' doesn't have "
                     "__new__",
                     op, ((PyTypeObject *)cls)->tp_name);
    } else if (!PyTuple_Check(args)) {
        wrong_argument(self, op, "args argument must be a tuple", args);
    } else if (keywords != NULL && !PyDict_Check(keywords)) {
        wrong_argument(self, op, "kwargs argument must be a dict", keywords);
    } else {
        return ((PyTypeObject *)cls)->tp_new((PyTypeObject *)cls, args, keywords);
    }
    return NULL;
}

static int load_newobj(struct unpickler *self, bool with_keywords)
{
    if (!has(self, with_keywords ? 3 : 2)) {
        return -1;
    }
    PyObject *keywords = with_keywords ? pop(self) : NULL;
    PyObject *args = pop(self), *cls = pop(self);
    PyObject *made = make_newobj(self, cls, args, keywords);
    Py_XDECREF(keywords);
    Py_DECREF(args);
    Py_DECREF(cls);
    return push(self, made);
}

static int load_reduce(struct unpickler *self)
{
    if (!has(self, 2)) {
        return -1;
    }
    PyObject *args = pop(self), *func = pop(self);
    PyObject *made = PyObject_CallObject(func, args);
    Py_DECREF(args);
    Py_DECREF(func);
    return push(self, made);
}

static int load_build(struct unpickler *self)
{
    if (!has(self, 2)) {
        return -1;
    }
    PyObject *value = pop(self);
    int rc = unpickle_state(self->state, top(self), value);
    Py_DECREF(value);
    return rc;
}

/* Takes over `id`. */
static int push_persistent(struct unpickler *self, PyObject *id)
{
    if (id == NULL) {
        return -1;
    }
    PyObject *object = NULL;
    if (self->persistent_load != NULL) {
        object = PyObject_CallOneArg(self->persistent_load, id);
    } else {
        PyErr_SetString(self->state->unpickling_error,
                        "A load persistent id instruction was encountered, but no persistent_load "
                        "function was specified.");
    }
    Py_DECREF(id);
    return push(self, object);
}

static int load_persid(struct unpickler *self)
{
    const char *line;
    Py_ssize_t len;
    if (input_line(&self->in, &line, &len) < 0) {
        return -1;
    }
    PyObject *id = PyUnicode_DecodeASCII(line, len - 1, "strict");
    if (id == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        PyErr_SetString(self->state->unpickling_error,
                        "persistent IDs in protocol 0 must be ASCII strings");
    }
    return push_persistent(self, id);
}

/* ---- the rest ------------------------------------------------------------------------------- */

static int load_pop(struct unpickler *self)
{
    /* A mark on top goes like an item. */
    if (self->mark_top != 0 && self->marks[self->mark_top - 1] == self->top) {
        return mark_pop(self) < 0 ? -1 : 0;
    }
    PyObject *object = pop(self);
    Py_XDECREF(object);
    return object ? 0 : -1;
}

static int load_pop_mark(struct unpickler *self)
{
    Py_ssize_t height = mark_pop(self);
    if (height < 0) {
        return -1;
    }
    stack_cut(self, height);
    return 0;
}

static int load_protocol(struct unpickler *self)
{
    uint64_t protocol;
    if (!read_number(self, 1, &protocol)) {
        return -1;
    }
    if (protocol > HIGHEST_PROTOCOL) {
        PyErr_Format(PyExc_ValueError, "unsupported pickle protocol: %d", (int)protocol);
        return -1;
    }
    self->protocol = (int)protocol;
    return 0;
}

/* A frame says how many bytes are worth reading at once. */
static int load_frame(struct unpickler *self)
{
    Py_ssize_t len;
    const char *data;
    if (!read_length(self, 8, "FRAME length", &len) || input_read(&self->in, len, &data) < 0) {
        return -1;
    }
    self->in.pos -= len;
    return 0;
}

static int bad_opcode(struct unpickler *self, unsigned char op)
{
    if (op >= 0x20 && op <= 0x7e && op != '\'' && op != '\\') {
        PyErr_Format(self->state->unpickling_error, "invalid load key, '%c'.", op);
    } else {
        PyErr_Format(self->state->unpickling_error, "invalid load key, '\\x%02x'.", op);
    }
    return -1;
}

/* Executes anything but STOP. */
static int execute(struct unpickler *self, unsigned char op)
{
    uint64_t number;
    switch (op) {
    case OP_MARK:
        return mark_push(self);
    case OP_NONE:
        return push(self, Py_NewRef(Py_None));
    case OP_NEWTRUE:
        return push(self, Py_NewRef(Py_True));
    case OP_NEWFALSE:
        return push(self, Py_NewRef(Py_False));
    case OP_BININT1:
        return read_number(self, 1, &number) ? push(self, PyLong_FromLong((long)number)) : -1;
    case OP_BININT2:
        return read_number(self, 2, &number) ? push(self, PyLong_FromLong((long)number)) : -1;
    case OP_BININT:
        return read_number(self, 4, &number) ? push(self, PyLong_FromLong((int32_t)number)) : -1;
    case OP_MEMOIZE:
        return has(self, 1) ? unpickler_memo_put(self, self->memo_used, top(self)) : -1;
    case OP_BINPUT:
        return load_binput(self, 1);
    case OP_LONG_BINPUT:
        return load_binput(self, 4);
    case OP_PUT:
        return load_put(self);
    case OP_BINGET:
        return load_binget(self, 1);
    case OP_LONG_BINGET:
        return load_binget(self, 4);
    case OP_GET:
        return load_get(self);
    case OP_SHORT_BINUNICODE:
        return load_binunicode(self, 1);
    case OP_BINUNICODE:
        return load_binunicode(self, 4);
    case OP_BINUNICODE8:
        return load_binunicode(self, 8);
    case OP_UNICODE:
        return load_unicode(self);
    case OP_SHORT_BINBYTES:
        return load_binbytes(self, 1);
    case OP_BINBYTES:
        return load_binbytes(self, 4);
    case OP_BINBYTES8:
        return load_binbytes(self, 8);
    case OP_BYTEARRAY8:
        return load_bytearray(self);
    case OP_SHORT_BINSTRING:
        return load_binstring(self, 1);
    case OP_BINSTRING:
        return load_binstring(self, 4);
    case OP_STRING:
        return load_string(self);
    case OP_BINFLOAT:
        return load_binfloat(self);
    case OP_FLOAT:
        return load_float(self);
    case OP_INT:
        return load_int(self);
    case OP_LONG:
        return load_long(self);
    case OP_LONG1:
        return load_counted_long(self, 1);
    case OP_LONG4:
        return load_counted_long(self, 4);
    case OP_EMPTY_TUPLE:
        return push(self, PyTuple_New(0));
    case OP_TUPLE1:
        return load_short_tuple(self, 1);
    case OP_TUPLE2:
        return load_short_tuple(self, 2);
    case OP_TUPLE3:
        return load_short_tuple(self, 3);
    case OP_TUPLE:
        return load_tuple(self);
    case OP_EMPTY_LIST:
        return push(self, PyList_New(0));
    case OP_LIST:
        return load_list(self);
    case OP_APPEND:
        return load_append(self);
    case OP_APPENDS:
        return load_appends(self);
    case OP_EMPTY_DICT:
        return push(self, PyDict_New());
    case OP_DICT:
        return load_dict(self);
    case OP_SETITEM:
        return has(self, 3) ? set_from(self, self->top - 2) : -1;
    case OP_SETITEMS:
        return load_setitems(self);
    case OP_EMPTY_SET:
        return push(self, PySet_New(NULL));
    case OP_ADDITEMS:
        return load_additems(self);
    case OP_FROZENSET:
        return load_frozenset(self);
    case OP_GLOBAL:
        return push(self, read_global(self, false));
    case OP_STACK_GLOBAL:
        return load_stack_global(self);
    case OP_EXT1:
        return load_extension(self, 1);
    case OP_EXT2:
        return load_extension(self, 2);
    case OP_EXT4:
        return load_extension(self, 4);
    case OP_REDUCE:
        return load_reduce(self);
    case OP_BUILD:
        return load_build(self);
    case OP_NEWOBJ:
        return load_newobj(self, false);
    case OP_NEWOBJ_EX:
        return load_newobj(self, true);
    case OP_INST:
        return load_inst(self);
    case OP_OBJ:
        return load_obj(self);
    case OP_PERSID:
        return load_persid(self);
    case OP_BINPERSID:
        return has(self, 1) ? push_persistent(self, pop(self)) : -1;
    case OP_POP:
        return load_pop(self);
    case OP_POP_MARK:
        return load_pop_mark(self);
    case OP_DUP:
        return has(self, 1) ? push(self, Py_NewRef(top(self))) : -1;
    case OP_NEXT_BUFFER:
        return load_next_buffer(self);
    case OP_READONLY_BUFFER:
        return load_readonly_buffer(self);
    case OP_PROTO:
        return load_protocol(self);
    case OP_FRAME:
        return load_frame(self);
    default:
        return bad_opcode(self, op);
    }
}

void unpickler_reset(struct unpickler *self)
{
    stack_cut(self, 0);
    self->fence = self->mark_top = 0;
}

/* The next opcode, or -1: then nothing more was there. */
static int next_op(struct unpickler *self)
{
    const char *op;
    if (input_read(&self->in, 1, &op) == 0) {
        return (unsigned char)*op;
    }
    if (PyErr_ExceptionMatches(self->state->unpickling_error)) {
        PyErr_SetString(PyExc_EOFError, "Ran out of input");
    }
    return -1;
}

PyObject *unpickler_run(struct unpickler *self)
{
    unpickler_reset(self);
    self->protocol = 0;
    PyObject *result = NULL;
    for (unsigned count = 1;; count++) {
        int op = next_op(self);
        if (op == OP_STOP) {
            result = pop(self);
            break;
        }
        if (op < 0 || execute(self, (unsigned char)op) < 0
            || (UNLIKELY((count & 0x3fff) == 0) && PyErr_CheckSignals() < 0)) {
            break;
        }
    }
    unpickler_reset(self);
    if (result != NULL && input_sync(&self->in) < 0) {
        Py_CLEAR(result);
    }
    return result;
}
