/* The module _io: open() and what belongs to it, and the making of the types. */
#include "io.h"

#include <langinfo.h>

#include "io.bind.h"

/* ---- encodings ------------------------------------------------------------------------------- */

/* Whether a flag of sys.flags is set. */
static bool sys_flag(const char *name)
{
    PyObject *flags = PySys_GetObject("flags"), *value;
    if (flags == NULL || PyObject_GetOptionalAttrString(flags, name, &value) <= 0) {
        PyErr_Clear();
        return false;
    }
    bool set = PyObject_IsTrue(value) > 0;
    Py_DECREF(value);
    return set;
}

PyObject *io_default_encoding(void)
{
    const char *name = sys_flag("utf8_mode") ? "utf-8" : nl_langinfo(CODESET);
    return PyUnicode_FromString(name && name[0] ? name : "utf-8");
}

static PyObject *io_module_text_encoding(PyObject *Py_UNUSED(module), PyObject *encoding,
                                         int stacklevel)
{
    if (encoding != Py_None && encoding != NULL) {
        return Py_NewRef(encoding);
    }
    if (sys_flag("warn_default_encoding")
        && PyErr_WarnEx(PyExc_EncodingWarning, "'encoding' argument not specified", stacklevel)
               < 0) {
        return NULL;
    }
    return PyUnicode_FromString(sys_flag("utf8_mode") ? "utf-8" : "locale");
}

/* ---- open ------------------------------------------------------------------------------------ */

struct open_mode {
    bool creating, reading, writing, appending, updating, text, binary;
    char raw[6];
};

/* Takes the mode apart; false with ValueError. */
static bool mode_read(const char *mode, struct open_mode *m)
{
    static const char letters[] = "xrwa+tb";
    bool *const flags[] = {&m->creating, &m->reading, &m->writing, &m->appending,
                           &m->updating, &m->text,    &m->binary};
    memset(m, 0, sizeof *m);
    for (const char *c = mode; *c; c++) {
        const char *at = strchr(letters, *c);
        if (at == NULL || strchr(c + 1, *c) != NULL) {
            PyErr_Format(PyExc_ValueError, "invalid mode: '%s'", mode);
            return false;
        }
        *flags[at - letters] = true;
    }
    char *raw = m->raw;
    for (int i = 0; i < 5; i++) {
        if (*flags[i]) {
            *raw++ = letters[i];
        }
    }
    return true;
}

static bool mode_fits(const struct open_mode *m, const char *encoding, const char *errors,
                      const char *newline)
{
    const char *problem = NULL;
    if (m->text && m->binary) {
        problem = "can't have text and binary mode at once";
    } else if (m->creating + m->reading + m->writing + m->appending > 1) {
        problem = "must have exactly one of create/read/write/append mode";
    } else if (m->binary && encoding != NULL) {
        problem = "binary mode doesn't take an encoding argument";
    } else if (m->binary && errors != NULL) {
        problem = "binary mode doesn't take an errors argument";
    } else if (m->binary && newline != NULL) {
        problem = "binary mode doesn't take a newline argument";
    }
    if (problem != NULL) {
        PyErr_SetString(PyExc_ValueError, problem);
    }
    return problem == NULL;
}

/* The size of the buffer over `raw`; 0 for none, -1 with an exception.  Sets *by_lines. */
static Py_ssize_t buffer_size(struct io_state *state, PyObject *raw, int buffering, bool *by_lines)
{
    PyObject *answer = NULL;
    int tty = 0;
    if (buffering < 0) {
        answer = PyObject_CallMethodNoArgs(raw, state->names.isatty);
        tty = answer ? PyObject_IsTrue(answer) : -1;
        Py_XDECREF(answer);
        if (tty < 0) {
            return -1;
        }
    }
    *by_lines = buffering == 1 || tty;
    if (buffering >= 0 && buffering != 1) {
        return buffering;
    }
    PyObject *size = PyObject_GetAttrString(raw, "_blksize");
    Py_ssize_t result = size ? PyLong_AsSsize_t(size) : -1;
    Py_XDECREF(size);
    return result;
}

/* The buffered stream over `raw`; new reference. */
static PyObject *open_buffer(struct io_state *state, PyObject *raw, const struct open_mode *m,
                             const char *mode, Py_ssize_t size)
{
    PyTypeObject *type = m->updating                                 ? state->random_type
                         : m->creating || m->writing || m->appending ? state->writer_type
                         : m->reading                                ? state->reader_type
                                                                     : NULL;
    if (type == NULL) {
        PyErr_Format(PyExc_ValueError, "unknown mode: '%s'", mode);
        return NULL;
    }
    return PyObject_CallFunction((PyObject *)type, "On", raw, size);
}

static PyObject *open_text(struct io_state *state, PyObject *buffer, const char *mode,
                           const char *encoding, const char *errors, const char *newline,
                           bool by_lines)
{
    PyObject *text = PyObject_CallFunction((PyObject *)state->text_type, "OzzzO", buffer, encoding,
                                           errors, newline, by_lines ? Py_True : Py_False);
    PyObject *name = text ? PyUnicode_FromString(mode) : NULL;
    if (text != NULL && (name == NULL || PyObject_SetAttr(text, state->names.mode, name) < 0)) {
        Py_CLEAR(text);
    }
    Py_XDECREF(name);
    return text;
}

/* Closes what was opened before the failure; the exception stays. */
static PyObject *open_fail(struct io_state *state, PyObject *stream)
{
    PyObject *raised = PyErr_GetRaisedException();
    Py_XDECREF(PyObject_CallMethodNoArgs(stream, state->names.close));
    io_chain(raised);
    Py_DECREF(stream);
    return NULL;
}

/* The layers above `stream` (stolen), the raw file. */
static PyObject *open_layers(struct io_state *state, PyObject *stream, const struct open_mode *m,
                             const char *mode, int buffering, const char *encoding,
                             const char *errors, const char *newline)
{
    bool by_lines;
    Py_ssize_t size = buffer_size(state, stream, buffering, &by_lines);
    if (size < 0) {
        return open_fail(state, stream);
    }
    if (size == 0) {
        if (!m->binary) {
            PyErr_SetString(PyExc_ValueError, "can't have unbuffered text I/O");
            return open_fail(state, stream);
        }
        return stream;
    }
    PyObject *buffer = open_buffer(state, stream, m, mode, size);
    if (buffer == NULL) {
        return open_fail(state, stream);
    }
    Py_DECREF(stream);
    if (m->binary) {
        return buffer;
    }
    PyObject *text = open_text(state, buffer, mode, encoding, errors, newline, by_lines);
    if (text == NULL) {
        return open_fail(state, buffer);
    }
    Py_DECREF(buffer);
    return text;
}

static PyObject *io_module_open(PyObject *module, PyObject *file, const char *mode, int buffering,
                                const char *encoding, const char *errors, const char *newline,
                                int closefd, PyObject *opener)
{
    struct io_state *state = PyModule_GetState(module);
    struct open_mode m;
    if (!mode_read(mode, &m) || !mode_fits(&m, encoding, errors, newline)) {
        return NULL;
    }
    if (m.binary && buffering == 1
        && PyErr_WarnEx(PyExc_RuntimeWarning,
                        "line buffering (buffering=1) isn't supported in binary mode, the default "
                        "buffer size will be used",
                        1)
               < 0) {
        return NULL;
    }
    PyObject *path = PyNumber_Check(file) ? Py_NewRef(file) : PyOS_FSPath(file);
    PyObject *raw = path ? PyObject_CallFunction((PyObject *)state->fileio_type, "OsOO", path,
                                                 m.raw, closefd ? Py_True : Py_False, opener)
                         : NULL;
    Py_XDECREF(path);
    return raw ? open_layers(state, raw, &m, mode, buffering, encoding, errors, newline) : NULL;
}

static PyObject *io_module_open_code(PyObject *module, PyObject *path)
{
    return io_module_open(module, path, "rb", -1, NULL, NULL, NULL, 1, Py_None);
}

/* ---- the module ------------------------------------------------------------------------------ */

static PyTypeObject *type_add(PyObject *module, PyType_Spec *spec, PyTypeObject *base)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, (PyObject *)base);
    if (type != NULL && PyModule_AddType(module, type) < 0) {
        Py_CLEAR(type);
    }
    return type;
}

static int types_make(PyObject *module, struct io_state *state)
{
#define MAKE(name, base)                                                                           \
    do {                                                                                           \
        state->name##_type = type_add(module, &name##_spec, base);                                 \
        if (state->name##_type == NULL) {                                                          \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)
    MAKE(iobase, NULL);
    MAKE(rawiobase, state->iobase_type);
    MAKE(bufferediobase, state->iobase_type);
    MAKE(textiobase, state->iobase_type);
    MAKE(fileio, state->rawiobase_type);
    MAKE(reader, state->bufferediobase_type);
    MAKE(writer, state->bufferediobase_type);
    MAKE(random, state->bufferediobase_type);
    MAKE(rwpair, state->bufferediobase_type);
    MAKE(newline, NULL);
    MAKE(text, state->textiobase_type);
    MAKE(bytesio, state->bufferediobase_type);
    MAKE(bytesbuffer, NULL);
    MAKE(stringio, state->textiobase_type);
#undef MAKE
    return 0;
}

static int names_make(struct io_names *names)
{
#define MAKE(n)                                                                                    \
    names->n = PyUnicode_InternFromString(#n);                                                     \
    if (names->n == NULL) {                                                                        \
        return -1;                                                                                 \
    }
    IO_NAMES(MAKE)
#undef MAKE
    return 0;
}

static int io_exec(PyObject *module)
{
    struct io_state *state = PyModule_GetState(module);
    if (names_make(&state->names) < 0 || types_make(module, state) < 0) {
        return -1;
    }
    PyObject *codecs = PyImport_ImportModule("_codecs");
    state->codec_lookup = codecs ? PyObject_GetAttrString(codecs, "lookup") : NULL;
    Py_XDECREF(codecs);
    if (state->codec_lookup == NULL) {
        return -1;
    }
    state->unsupported =
        PyObject_CallFunction((PyObject *)&PyType_Type, "s(OO){ss}", "UnsupportedOperation",
                              PyExc_OSError, PyExc_ValueError, "__module__", "io");
    if (state->unsupported == NULL
        || PyModule_AddObjectRef(module, "UnsupportedOperation", state->unsupported) < 0
        || PyModule_AddObjectRef(module, "BlockingIOError", PyExc_BlockingIOError) < 0) {
        return -1;
    }
    return PyModule_AddIntConstant(module, "DEFAULT_BUFFER_SIZE", IO_BUFFER_SIZE);
}

/* The objects in front of the names. */
enum { STATE_REFERENCES = offsetof(struct io_state, names) / sizeof(PyObject *) };

static int io_traverse(PyObject *module, visitproc visit, void *arg)
{
    PyObject **item = PyModule_GetState(module);
    for (int i = 0; i < STATE_REFERENCES; i++) {
        Py_VISIT(item[i]);
    }
    return 0;
}

static int io_clear(PyObject *module)
{
    PyObject **item = PyModule_GetState(module);
    for (int i = 0; i < STATE_REFERENCES; i++) {
        Py_CLEAR(item[i]);
    }
    return 0;
}

static void io_free(void *module)
{
    struct io_state *state = PyModule_GetState(module);
    io_clear(module);
    Py_CLEAR(state->codec_lookup);
#define DROP(n) Py_CLEAR(state->names.n);
    IO_NAMES(DROP)
#undef DROP
}

static PyModuleDef_Slot io_slots[] = MODULE_SLOTS(io_exec);

PyModuleDef io_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_io",
    .m_doc = io_module_doc,
    .m_size = sizeof(struct io_state),
    .m_methods = io_module_methods,
    .m_slots = io_slots,
    .m_traverse = io_traverse,
    .m_clear = io_clear,
    .m_free = io_free,
};

MODULE_INIT(_io, io_module)
