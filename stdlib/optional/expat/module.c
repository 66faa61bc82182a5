/* The module pyexpat: parsers, errors, constants. */
#include "optional/expat/parser.h"

enum { BUFFER_SIZE = 8192, LARGEST_PIECE = 1 << 20, FILE_PIECE = 2048 };

/* Libraries before 2.6 have this only where it was added as a correction. */
extern XML_Bool XML_SetReparseDeferralEnabled(XML_Parser, XML_Bool) __attribute__((weak));

static PyModuleDef expat_definition;

#include "expat.bind.h"

static struct pyexpat_state *state_of(struct parser *self)
{
    return PyModule_GetState(PyType_GetModuleByDef(Py_TYPE(self), &expat_definition));
}

/* ---- errors ---------------------------------------------------------------------------------- */

static bool error_put(PyObject *error, const char *name, long value)
{
    PyObject *number = PyLong_FromLong(value);
    bool fine = number != NULL && PyObject_SetAttrString(error, name, number) == 0;
    Py_XDECREF(number);
    return fine;
}

/* Raises ExpatError for a code, with the place in the document.  Returns NULL. */
static PyObject *raise_expat(struct parser *self, enum XML_Error code)
{
    PyObject *type = state_of(self)->error;
    long line = (long)XML_GetErrorLineNumber(self->expat);
    long column = (long)XML_GetErrorColumnNumber(self->expat);
    PyObject *text =
        PyUnicode_FromFormat("%s: line %ld, column %ld", XML_ErrorString(code), line, column);
    PyObject *error = text ? PyObject_CallOneArg(type, text) : NULL;
    if (error != NULL && error_put(error, "code", code) && error_put(error, "offset", column)
        && error_put(error, "lineno", line)) {
        PyErr_SetObject(type, error);
    }
    Py_XDECREF(text);
    Py_XDECREF(error);
    return NULL;
}

/* ---- making ---------------------------------------------------------------------------------- */

/* Something that differs from process to process, against documents made to collide. */
static unsigned long hash_salt(void)
{
    return (unsigned long)PyHash_GetFuncDef()->hash("pyexpat", 7) | 1;
}

static struct parser *parser_make(PyTypeObject *type, XML_Parser expat, PyObject *intern)
{
    if (expat == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "XML_ParserCreate failed");
        return NULL;
    }
    struct parser *self = type_make(type);
    if (self == NULL) {
        XML_ParserFree(expat);
        return NULL;
    }
    self->expat = expat;
    self->intern = Py_XNewRef(intern);
    self->buffer_size = BUFFER_SIZE;
    self->reparse_deferral = XML_SetReparseDeferralEnabled != NULL;
    XML_SetUserData(expat, self);
    XML_SetUnknownEncodingHandler(expat, parser_unknown_encoding, NULL);
    return self;
}

static PyObject *expat_module_ParserCreate(PyObject *module, const char *encoding,
                                           const char *separator, PyObject *intern)
{
    struct pyexpat_state *state = PyModule_GetState(module);
    if (separator != NULL && strlen(separator) > 1) {
        PyErr_SetString(PyExc_ValueError, "namespace_separator must be at most one character, "
                                          "omitted, or None");
        return NULL;
    }
    if (intern == Py_None) {
        intern = NULL;
    } else if (intern == NULL) {
        intern = PyDict_New();
        if (intern == NULL) {
            return NULL;
        }
    } else if (!PyDict_Check(intern)) {
        PyErr_SetString(PyExc_TypeError, "intern must be a dictionary");
        return NULL;
    } else {
        Py_INCREF(intern);
    }
    XML_Parser expat = XML_ParserCreate_MM(encoding, NULL, separator);
    if (expat != NULL) {
        XML_SetHashSalt(expat, hash_salt());
    }
    struct parser *self = parser_make((PyTypeObject *)state->parser_type, expat, intern);
    Py_XDECREF(intern);
    return (PyObject *)self;
}

static PyObject *expat_module_ErrorString(PyObject *Py_UNUSED(module), long code)
{
    const char *text = XML_ErrorString((enum XML_Error)code);
    return text ? PyUnicode_FromString(text) : Py_NewRef(Py_None);
}

static PyObject *parser_create_external(struct parser *self, const char *context,
                                        const char *encoding)
{
    XML_Parser expat = XML_ExternalEntityParserCreate(self->expat, context, encoding);
    if (expat == NULL) {
        return PyErr_NoMemory();
    }
    struct parser *child = parser_make(Py_TYPE(self), expat, self->intern);
    if (child == NULL) {
        return NULL;
    }
    child->parent = Py_NewRef(self);
    child->ordered_attributes = self->ordered_attributes;
    child->specified_attributes = self->specified_attributes;
    child->namespace_prefixes = self->namespace_prefixes;
    child->buffer_size = self->buffer_size;
    if (self->buffer != NULL) {
        child->buffer = PyMem_Malloc((size_t)child->buffer_size);
        if (child->buffer == NULL) {
            Py_DECREF(child);
            return PyErr_NoMemory();
        }
    }
    for (int i = 0; i < HANDLERS; i++) {
        if (self->handlers[i] != NULL) {
            child->handlers[i] = Py_NewRef(self->handlers[i]);
            handler_installers[i](expat, true);
        }
    }
    return (PyObject *)child;
}

static int parser_clear(PyObject *op)
{
    struct parser *self = (struct parser *)op;
    for (int i = 0; i < HANDLERS; i++) {
        if (self->handlers[i] != NULL) {
            handler_installers[i](self->expat, false);
            Py_CLEAR(self->handlers[i]);
        }
    }
    Py_CLEAR(self->intern);
    return 0;
}

static int parser_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct parser *self = (struct parser *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->parent);
    Py_VISIT(self->intern);
    for (int i = 0; i < HANDLERS; i++) {
        Py_VISIT(self->handlers[i]);
    }
    return 0;
}

/* The library's parser of an entity needs that of the document, so the latter goes last. */
static void parser_dealloc(PyObject *op)
{
    struct parser *self = (struct parser *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    parser_clear(op);
    XML_ParserFree(self->expat);
    PyMem_Free(self->buffer);
    Py_CLEAR(self->parent);
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- parsing --------------------------------------------------------------------------------- */

/* The result of a piece: what the library returned, or NULL with an exception. */
static PyObject *piece_result(struct parser *self, enum XML_Status status)
{
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (status == XML_STATUS_ERROR) {
        return raise_expat(self, XML_GetErrorCode(self->expat));
    }
    return parser_flush(self) ? PyLong_FromLong((long)status) : NULL;
}

/* The library may call us, but we not it for the same parser meanwhile.  False on error. */
static bool parser_begin(struct parser *self)
{
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "the parser is already at work");
        return false;
    }
    self->busy = true;
    return true;
}

static enum XML_Status parse_bytes(struct parser *self, const char *data, Py_ssize_t size,
                                   bool final)
{
    enum XML_Status status = XML_STATUS_OK;
    while (size > LARGEST_PIECE && status == XML_STATUS_OK && !PyErr_Occurred()) {
        status = XML_Parse(self->expat, data, LARGEST_PIECE, XML_FALSE);
        data += LARGEST_PIECE;
        size -= LARGEST_PIECE;
    }
    if (status == XML_STATUS_OK && !PyErr_Occurred()) {
        status = XML_Parse(self->expat, data, (int)size, final);
    }
    return status;
}

static PyObject *parser_parse(struct parser *self, PyObject *data, int final)
{
    Py_buffer view = {.obj = NULL};
    if (PyUnicode_Check(data)) {
        view.buf = (void *)PyUnicode_AsUTF8AndSize(data, &view.len);
        if (view.buf == NULL) {
            return NULL;
        }
    } else if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (parser_begin(self)) {
        if (PyUnicode_Check(data)) {
            XML_SetEncoding(self->expat, "utf-8"); /* whatever the document says */
        }
        enum XML_Status status = parse_bytes(self, view.buf, view.len, final);
        self->busy = false;
        result = piece_result(self, status);
    }
    PyBuffer_Release(&view);
    return result;
}

/* Reads up to `size` bytes; how many, or -1 with an exception. */
static Py_ssize_t read_piece(PyObject *read, char *buffer, int size)
{
    PyObject *bytes = PyObject_CallFunction(read, "i", size);
    const char *data = NULL;
    Py_ssize_t length = -1;
    if (bytes == NULL) {
        return -1;
    }
    if (PyBytes_Check(bytes)) {
        data = PyBytes_AS_STRING(bytes);
        length = PyBytes_GET_SIZE(bytes);
    } else if (PyByteArray_Check(bytes)) {
        data = PyByteArray_AS_STRING(bytes);
        length = PyByteArray_GET_SIZE(bytes);
    } else {
        PyErr_Format(PyExc_TypeError, "read() did not return a bytes object (type=%.400s)",
                     Py_TYPE(bytes)->tp_name);
    }
    if (length > size) {
        PyErr_Format(PyExc_ValueError,
                     "read() returned too much data: %i bytes requested, %zd returned", size,
                     length);
        length = -1;
    }
    if (length > 0) {
        memcpy(buffer, data, (size_t)length);
    }
    Py_DECREF(bytes);
    return length;
}

static PyObject *parser_parse_file(struct parser *self, PyObject *file)
{
    PyObject *read;
    if (PyObject_GetOptionalAttrString(file, "read", &read) < 0) {
        return NULL;
    }
    if (read == NULL) {
        PyErr_SetString(PyExc_TypeError, "argument must have 'read' attribute");
        return NULL;
    }
    if (!parser_begin(self)) {
        Py_DECREF(read);
        return NULL;
    }
    enum XML_Status status = XML_STATUS_OK;
    Py_ssize_t size = 1;
    while (size > 0 && status == XML_STATUS_OK && !PyErr_Occurred()) {
        void *buffer = XML_GetBuffer(self->expat, FILE_PIECE);
        if (buffer == NULL) {
            status = XML_STATUS_ERROR;
            break;
        }
        size = read_piece(read, buffer, FILE_PIECE);
        if (size >= 0) {
            status = XML_ParseBuffer(self->expat, (int)size, size == 0);
        }
    }
    Py_DECREF(read);
    self->busy = false;
    return piece_result(self, status);
}

/* ---- settings -------------------------------------------------------------------------------- */

static int parser_set_base(struct parser *self, const char *base)
{
    if (XML_SetBase(self->expat, base) == XML_STATUS_OK) {
        return 0;
    }
    PyErr_NoMemory();
    return -1;
}

static PyObject *parser_get_base(struct parser *self)
{
    const char *base = XML_GetBase(self->expat);
    return base ? PyUnicode_FromString(base) : Py_NewRef(Py_None);
}

static PyObject *parser_input_context(struct parser *self)
{
    int offset, size;
    const char *text = self->in_callback ? XML_GetInputContext(self->expat, &offset, &size) : NULL;
    if (text == NULL) {
        Py_RETURN_NONE;
    }
    return PyBytes_FromStringAndSize(text + offset, size - offset);
}

static int parser_set_param_entities(struct parser *self, int flag)
{
    return XML_SetParamEntityParsing(self->expat, (enum XML_ParamEntityParsing)flag);
}

static PyObject *parser_use_foreign_dtd(struct parser *self, int flag)
{
    enum XML_Error code = XML_UseForeignDTD(self->expat, flag ? XML_TRUE : XML_FALSE);
    return code == XML_ERROR_NONE ? Py_NewRef(Py_None) : raise_expat(self, code);
}

static int parser_set_reparse_deferral(struct parser *self, int enabled)
{
    if (XML_SetReparseDeferralEnabled != NULL) {
        XML_SetReparseDeferralEnabled(self->expat, enabled ? XML_TRUE : XML_FALSE);
        self->reparse_deferral = enabled;
    }
    return 0;
}

static int parser_get_reparse_deferral(struct parser *self)
{
    XML_Expat_Version version = XML_ExpatVersionInfo();
    bool told = version.major > 2 || version.minor >= 6; /* before, it is not to be asked */
    return told && self->reparse_deferral;
}

/* ---- attributes ------------------------------------------------------------------------------ */

static PyObject *get_handler(PyObject *op, void *closure)
{
    PyObject *handler = ((struct parser *)op)->handlers[(intptr_t)closure];
    return Py_NewRef(handler ? handler : Py_None);
}

static int no_delete(PyObject *value)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "Cannot delete attribute");
        return -1;
    }
    return 0;
}

static int set_handler(PyObject *op, PyObject *value, void *closure)
{
    struct parser *self = (struct parser *)op;
    enum handler which = (enum handler)(intptr_t)closure;
    if (no_delete(value) < 0 || (which == CHARACTER_DATA && !parser_flush(self))) {
        return -1;
    }
    PyObject *handler = value == Py_None ? NULL : Py_NewRef(value);
    if (handler == NULL && which == CHARACTER_DATA && self->in_callback) {
        /* the library may be about to call it: what has no handler here is ignored */
    } else {
        handler_installers[which](self->expat, handler != NULL);
    }
    field_set(&self->handlers[which], handler);
    return 0;
}

enum place { ERROR_CODE, LINE, COLUMN, BYTE_INDEX, BUFFER_USED };

static PyObject *get_place(PyObject *op, void *closure)
{
    struct parser *self = (struct parser *)op;
    switch ((enum place)(intptr_t)closure) {
    case ERROR_CODE:
        return PyLong_FromLong((long)XML_GetErrorCode(self->expat));
    case LINE:
        return PyLong_FromLong((long)XML_GetCurrentLineNumber(self->expat));
    case COLUMN:
        return PyLong_FromLong((long)XML_GetCurrentColumnNumber(self->expat));
    case BYTE_INDEX:
        return PyLong_FromLong((long)XML_GetCurrentByteIndex(self->expat));
    case BUFFER_USED:
        return PyLong_FromLong(self->buffer_used);
    }
    Py_UNREACHABLE();
}

static PyObject *get_flag(PyObject *op, void *closure)
{
    return PyBool_FromLong(*(bool *)((char *)op + (intptr_t)closure));
}

static int set_flag(PyObject *op, PyObject *value, void *closure)
{
    struct parser *self = (struct parser *)op;
    int on = no_delete(value) < 0 ? -1 : PyObject_IsTrue(value);
    if (on < 0) {
        return -1;
    }
    *(bool *)((char *)op + (intptr_t)closure) = on;
    XML_SetReturnNSTriplet(self->expat, self->namespace_prefixes);
    return 0;
}

static PyObject *get_buffer_text(PyObject *op, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(((struct parser *)op)->buffer != NULL);
}

static int set_buffer_text(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    struct parser *self = (struct parser *)op;
    int on = no_delete(value) < 0 ? -1 : PyObject_IsTrue(value);
    if (on < 0 || (!on && !parser_flush(self))) {
        return -1;
    }
    if (!on) {
        PyMem_Free(self->buffer);
        self->buffer = NULL;
    } else if (self->buffer == NULL) {
        self->buffer = PyMem_Malloc((size_t)self->buffer_size);
        if (self->buffer == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->buffer_used = 0;
    }
    return 0;
}

static PyObject *get_buffer_size(PyObject *op, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(((struct parser *)op)->buffer_size);
}

static int set_buffer_size(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    struct parser *self = (struct parser *)op;
    if (no_delete(value) < 0) {
        return -1;
    }
    if (!PyLong_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "buffer_size must be an integer");
        return -1;
    }
    long size = PyLong_AsLong(value);
    if (size <= 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "buffer_size must be greater than zero");
        }
        return -1;
    }
    if (size > INT_MAX) {
        PyErr_Format(PyExc_ValueError, "buffer_size must not be greater than %i", INT_MAX);
        return -1;
    }
    if (size == self->buffer_size) {
        return 0;
    }
    if (self->buffer != NULL) {
        if (!parser_flush(self)) {
            return -1;
        }
        char *buffer = PyMem_Malloc((size_t)size);
        if (buffer == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        PyMem_Free(self->buffer);
        self->buffer = buffer;
    }
    self->buffer_size = (int)size;
    return 0;
}

#define PLACE(name, place)                                                                         \
    {                                                                                              \
        name, get_place, NULL, NULL, (void *)(intptr_t)(place)                                     \
    }
#define FLAG(name)                                                                                 \
    {                                                                                              \
#name, get_flag, set_flag, NULL, (void *)offsetof(struct parser, name)                     \
    }

#define HANDLER(which, name)                                                                       \
    {                                                                                              \
        name, get_handler, set_handler, NULL, (void *)(intptr_t)(which)                            \
    }

static PyGetSetDef parser_getset[] = {
    PLACE("ErrorCode", ERROR_CODE),
    PLACE("ErrorLineNumber", LINE),
    PLACE("ErrorColumnNumber", COLUMN),
    PLACE("ErrorByteIndex", BYTE_INDEX),
    PLACE("CurrentLineNumber", LINE),
    PLACE("CurrentColumnNumber", COLUMN),
    PLACE("CurrentByteIndex", BYTE_INDEX),
    PLACE("buffer_used", BUFFER_USED),
    {"buffer_size", get_buffer_size, set_buffer_size, NULL, NULL},
    {"buffer_text", get_buffer_text, set_buffer_text, NULL, NULL},
    FLAG(namespace_prefixes),
    FLAG(ordered_attributes),
    FLAG(specified_attributes),
    HANDLER(START_ELEMENT, "StartElementHandler"),
    HANDLER(END_ELEMENT, "EndElementHandler"),
    HANDLER(PROCESSING_INSTRUCTION, "ProcessingInstructionHandler"),
    HANDLER(CHARACTER_DATA, "CharacterDataHandler"),
    HANDLER(UNPARSED_ENTITY_DECL, "UnparsedEntityDeclHandler"),
    HANDLER(NOTATION_DECL, "NotationDeclHandler"),
    HANDLER(START_NAMESPACE_DECL, "StartNamespaceDeclHandler"),
    HANDLER(END_NAMESPACE_DECL, "EndNamespaceDeclHandler"),
    HANDLER(COMMENT, "CommentHandler"),
    HANDLER(START_CDATA_SECTION, "StartCdataSectionHandler"),
    HANDLER(END_CDATA_SECTION, "EndCdataSectionHandler"),
    HANDLER(DEFAULT, "DefaultHandler"),
    HANDLER(DEFAULT_EXPAND, "DefaultHandlerExpand"),
    HANDLER(NOT_STANDALONE, "NotStandaloneHandler"),
    HANDLER(EXTERNAL_ENTITY_REF, "ExternalEntityRefHandler"),
    HANDLER(START_DOCTYPE_DECL, "StartDoctypeDeclHandler"),
    HANDLER(END_DOCTYPE_DECL, "EndDoctypeDeclHandler"),
    HANDLER(ENTITY_DECL, "EntityDeclHandler"),
    HANDLER(XML_DECL, "XmlDeclHandler"),
    HANDLER(ELEMENT_DECL, "ElementDeclHandler"),
    HANDLER(ATTLIST_DECL, "AttlistDeclHandler"),
    HANDLER(SKIPPED_ENTITY, "SkippedEntityHandler"),
    {0},
};

static PyMemberDef parser_members[] = {
    {"intern", Py_T_OBJECT_EX, offsetof(struct parser, intern), Py_READONLY, NULL},
    {0},
};

static PyType_Slot parser_slots[] = {
    {Py_tp_doc, (void *)PyDoc_STR("Parses XML documents, telling handlers what it finds.")},
    {Py_tp_dealloc, parser_dealloc},
    {Py_tp_traverse, parser_traverse},
    {Py_tp_clear, parser_clear},
    {Py_tp_methods, parser_methods},
    {Py_tp_members, parser_members},
    {Py_tp_getset, parser_getset},
    {0, NULL},
};

static PyType_Spec parser_spec = {
    "pyexpat.xmlparser",
    sizeof(struct parser),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION
        | Py_TPFLAGS_IMMUTABLETYPE,
    parser_slots,
};

/* ---- the module ------------------------------------------------------------------------------ */

/* clang-format off */
static const char *const error_names[] = {
    NULL, "NO_MEMORY", "SYNTAX", "NO_ELEMENTS", "INVALID_TOKEN", "UNCLOSED_TOKEN", "PARTIAL_CHAR",
    "TAG_MISMATCH", "DUPLICATE_ATTRIBUTE", "JUNK_AFTER_DOC_ELEMENT", "PARAM_ENTITY_REF",
    "UNDEFINED_ENTITY", "RECURSIVE_ENTITY_REF", "ASYNC_ENTITY", "BAD_CHAR_REF",
    "BINARY_ENTITY_REF", "ATTRIBUTE_EXTERNAL_ENTITY_REF", "MISPLACED_XML_PI", "UNKNOWN_ENCODING",
    "INCORRECT_ENCODING", "UNCLOSED_CDATA_SECTION", "EXTERNAL_ENTITY_HANDLING", "NOT_STANDALONE",
    "UNEXPECTED_STATE", "ENTITY_DECLARED_IN_PE", "FEATURE_REQUIRES_XML_DTD",
    "CANT_CHANGE_FEATURE_ONCE_PARSING", "UNBOUND_PREFIX", "UNDECLARING_PREFIX", "INCOMPLETE_PE",
    "XML_DECL", "TEXT_DECL", "PUBLICID", "SUSPENDED", "NOT_SUSPENDED", "ABORTED", "FINISHED",
    "SUSPEND_PE", "RESERVED_PREFIX_XML", "RESERVED_PREFIX_XMLNS", "RESERVED_NAMESPACE_URI",
    "INVALID_ARGUMENT", "NO_BUFFER", "AMPLIFICATION_LIMIT_BREACH",
};
/* clang-format on */

/* A module inside of this one, known to the import system: new reference. */
static PyObject *submodule(PyObject *module, const char *full_name, const char *name,
                           const char *doc)
{
    PyObject *modules = PySys_GetObject("modules");
    PyObject *sub = modules ? PyModule_New(full_name) : NULL;
    if (sub != NULL
        && (PyModule_SetDocString(sub, doc) < 0 || PyDict_SetItemString(modules, full_name, sub) < 0
            || PyModule_AddObjectRef(module, name, sub) < 0)) {
        Py_CLEAR(sub);
    }
    return sub;
}

/* One error: its constant, and the two dicts between codes and texts. */
static bool error_add(PyObject *errors, PyObject *codes, PyObject *messages, int code)
{
    char name[64];
    const char *string = XML_ErrorString((enum XML_Error)code);
    if (string == NULL) {
        return true; /* newer than the library */
    }
    snprintf(name, sizeof name, "XML_ERROR_%s", error_names[code]);
    PyObject *number = PyLong_FromLong(code), *text = PyUnicode_FromString(string);
    bool fine = number != NULL && text != NULL && PyModule_AddObjectRef(errors, name, text) == 0
                && PyDict_SetItem(codes, text, number) == 0
                && PyDict_SetItem(messages, number, text) == 0;
    Py_XDECREF(number);
    Py_XDECREF(text);
    return fine;
}

static int errors_setup(PyObject *module)
{
    PyObject *errors =
        submodule(module, "pyexpat.errors", "errors", "The texts of errors, by name.");
    PyObject *codes = errors ? PyDict_New() : NULL, *messages = codes ? PyDict_New() : NULL;
    bool fine = messages != NULL;
    for (int i = 1; fine && i < (int)Py_ARRAY_LENGTH(error_names); i++) {
        fine = error_add(errors, codes, messages, i);
    }
    fine = fine && PyModule_AddObjectRef(errors, "codes", codes) == 0
           && PyModule_AddObjectRef(errors, "messages", messages) == 0;
    Py_XDECREF(errors);
    Py_XDECREF(codes);
    Py_XDECREF(messages);
    return fine ? 0 : -1;
}

static int model_setup(PyObject *module)
{
    static const struct constant constants[] = {
        CONSTANT(XML_CTYPE_EMPTY), CONSTANT(XML_CTYPE_ANY),    CONSTANT(XML_CTYPE_MIXED),
        CONSTANT(XML_CTYPE_NAME),  CONSTANT(XML_CTYPE_CHOICE), CONSTANT(XML_CTYPE_SEQ),
        CONSTANT(XML_CQUANT_NONE), CONSTANT(XML_CQUANT_OPT),   CONSTANT(XML_CQUANT_REP),
        CONSTANT(XML_CQUANT_PLUS),
    };
    PyObject *model = submodule(module, "pyexpat.model", "model", "The numbers in content models.");
    int rc = model ? module_constants(model, constants, Py_ARRAY_LENGTH(constants)) : -1;
    Py_XDECREF(model);
    return rc;
}

static int features_setup(PyObject *module)
{
    PyObject *list = PyList_New(0);
    const XML_Feature *feature = XML_GetFeatureList();
    int rc = list ? 0 : -1;
    for (; rc == 0 && feature->feature != XML_FEATURE_END; feature++) {
        PyObject *pair = Py_BuildValue("si", feature->name, (int)feature->value);
        rc = pair ? PyList_Append(list, pair) : -1;
        Py_XDECREF(pair);
    }
    rc = rc == 0 ? PyModule_AddObjectRef(module, "features", list) : -1;
    Py_XDECREF(list);
    return rc;
}

static int version_setup(PyObject *module)
{
    XML_Expat_Version version = XML_ExpatVersionInfo();
    PyObject *tuple = Py_BuildValue("(iii)", version.major, version.minor, version.micro);
    int rc = PyModule_AddObjectRef(module, "version_info", tuple);
    Py_XDECREF(tuple);
    if (rc < 0 || PyModule_AddStringConstant(module, "EXPAT_VERSION", XML_ExpatVersion()) < 0) {
        return -1;
    }
    return PyModule_AddStringConstant(module, "native_encoding", "UTF-8");
}

static int expat_exec(PyObject *module)
{
    static const struct constant constants[] = {
        CONSTANT(XML_PARAM_ENTITY_PARSING_NEVER),
        CONSTANT(XML_PARAM_ENTITY_PARSING_UNLESS_STANDALONE),
        CONSTANT(XML_PARAM_ENTITY_PARSING_ALWAYS),
    };
    struct pyexpat_state *state = PyModule_GetState(module);
    state->error = PyErr_NewException("xml.parsers.expat.ExpatError", NULL, NULL);
    state->parser_type = state->error ? (PyObject *)module_type(module, &parser_spec, false) : NULL;
    if (state->parser_type == NULL || PyModule_AddObjectRef(module, "error", state->error) < 0
        || PyModule_AddObjectRef(module, "ExpatError", state->error) < 0
        || PyModule_AddObjectRef(module, "XMLParserType", state->parser_type) < 0
        || module_constants(module, constants, Py_ARRAY_LENGTH(constants)) < 0
        || version_setup(module) < 0 || features_setup(module) < 0 || errors_setup(module) < 0) {
        return -1;
    }
    return model_setup(module);
}

STATE_OBJECTS(pyexpat)

static PyModuleDef_Slot expat_slots[] = MODULE_SLOTS(expat_exec);

static PyModuleDef expat_definition = {
    PyModuleDef_HEAD_INIT,     .m_name = "pyexpat",
    .m_doc = expat_module_doc, .m_methods = expat_module_methods,
    .m_slots = expat_slots,    STATE_FIELDS(pyexpat),
};

MODULE_INIT(pyexpat, expat_definition)
