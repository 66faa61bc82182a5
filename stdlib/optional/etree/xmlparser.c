/* XMLParser: Expat, and a target that is told what it finds. */
#include "optional/etree/etree.h"

enum { FILE_PIECE = 64 * 1024, LARGEST_PIECE = 1 << 20 };

/* The methods that a target may have; all are called if there is one. */
enum hook {
    HOOK_START,
    HOOK_END,
    HOOK_DATA,
    HOOK_COMMENT,
    HOOK_PI,
    HOOK_START_NS,
    HOOK_END_NS,
    HOOK_DOCTYPE,
    HOOK_CLOSE,
    HOOKS
};

static const char *const hook_names[HOOKS] = {
    "start", "end", "data", "comment", "pi", "start_ns", "end_ns", "doctype", "close",
};

struct xmlparser {
    PyObject_HEAD
    XML_Parser expat; /* NULL before __init__ */
    PyObject *target, *entity;
    PyObject *names; /* a dict: one object for equal names */
    PyObject *hooks[HOOKS];
    struct etree_state *state;
    bool direct; /* the target is a TreeBuilder and nothing else */
    bool busy;   /* the library is at work: it may call us, but we not it */
};

/* Libraries before 2.6 have this only where it was added as a correction. */
extern XML_Bool XML_SetReparseDeferralEnabled(XML_Parser, XML_Bool) __attribute__((weak));

#include "etree_parser.bind.h"

#define BUILDER(self) ((struct builder *)(self)->target)

/* ---- values ---------------------------------------------------------------------------------- */

static PyObject *text(const XML_Char *string)
{
    if (string == NULL) {
        Py_RETURN_NONE;
    }
    return PyUnicode_DecodeUTF8(string, (Py_ssize_t)strlen(string), "strict");
}

static PyObject *text_or_empty(const XML_Char *string)
{
    return text(string ? string : "");
}

/* A name, as '{namespace}name' if it has one; one object for equal names. */
static PyObject *name(struct xmlparser *self, const XML_Char *string)
{
    PyObject *plain = text(string), *known;
    if (plain != NULL && strchr(string, '}') != NULL) {
        Py_SETREF(plain, PyUnicode_FromFormat("{%U", plain));
    }
    if (plain == NULL || PyDict_SetDefaultRef(self->names, plain, plain, &known) < 0) {
        known = NULL;
    }
    Py_XDECREF(plain);
    return known;
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void raise_parse(struct xmlparser *self, enum XML_Error code, const char *message)
{
    long line = (long)XML_GetErrorLineNumber(self->expat);
    long column = (long)XML_GetErrorColumnNumber(self->expat);
    PyObject *type = self->state->parse_error;
    PyObject *string = PyUnicode_FromFormat(
        "%s: line %ld, column %ld", message ? message : XML_ErrorString(code), line, column);
    PyObject *error = string ? PyObject_CallOneArg(type, string) : NULL;
    PyObject *number = error ? PyLong_FromLong(code) : NULL;
    PyObject *position = number ? Py_BuildValue("(ll)", line, column) : NULL;
    if (position != NULL && PyObject_SetAttrString(error, "code", number) == 0
        && PyObject_SetAttrString(error, "position", position) == 0) {
        PyErr_SetObject(type, error);
    }
    Py_XDECREF(string);
    Py_XDECREF(error);
    Py_XDECREF(number);
    Py_XDECREF(position);
}

/* Releases a result; after an exception nothing more is to be parsed. */
static void done(struct xmlparser *self, PyObject *result)
{
    if (result == NULL) {
        XML_StopParser(self->expat, XML_FALSE);
    }
    Py_XDECREF(result);
}

/* Calls a hook with a tuple of arguments (stolen, NULL after an error). */
static void call_hook(struct xmlparser *self, enum hook which, PyObject *args)
{
    PyObject *hook = Py_NewRef(self->hooks[which]);
    done(self, args ? PyObject_Call(hook, args, NULL) : NULL);
    Py_XDECREF(args);
    Py_DECREF(hook);
}

static PyObject *none_if(int rc)
{
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- what Expat calls ------------------------------------------------------------------------ */

/* NULL without an exception for none. */
static PyObject *attributes(struct xmlparser *self, const XML_Char **pairs)
{
    if (pairs[0] == NULL) {
        return NULL;
    }
    PyObject *dict = PyDict_New();
    for (; dict != NULL && pairs[0] != NULL; pairs += 2) {
        PyObject *key = name(self, pairs[0]), *value = key ? text(pairs[1]) : NULL;
        if (value == NULL || PyDict_SetItem(dict, key, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

static void on_start(void *data, const XML_Char *tag_text, const XML_Char **pairs)
{
    struct xmlparser *self = data;
    if (PyErr_Occurred()) {
        return;
    }
    PyObject *tag = name(self, tag_text);
    PyObject *attrib = tag ? attributes(self, pairs) : NULL;
    if (PyErr_Occurred()) {
        done(self, NULL);
    } else if (self->direct) {
        done(self, builder_handle_start(self->state, BUILDER(self), tag, attrib));
    } else if (self->hooks[HOOK_START] != NULL) {
        call_hook(self, HOOK_START,
                  Py_BuildValue("(ON)", tag, attrib ? Py_NewRef(attrib) : PyDict_New()));
    }
    Py_XDECREF(tag);
    Py_XDECREF(attrib);
}

static void on_end(void *data, const XML_Char *tag)
{
    struct xmlparser *self = data;
    if (PyErr_Occurred()) {
        return;
    }
    if (self->direct) {
        done(self, builder_handle_end(BUILDER(self)));
    } else if (self->hooks[HOOK_END] != NULL) {
        call_hook(self, HOOK_END, Py_BuildValue("(N)", name(self, tag)));
    }
}

/* Text (stolen, NULL after an error) for the target. */
static void data_hand_over(struct xmlparser *self, PyObject *string)
{
    if (string == NULL) {
        done(self, NULL);
        return;
    }
    if (self->direct) {
        done(self, none_if(builder_handle_data(BUILDER(self), string)));
    } else if (self->hooks[HOOK_DATA] != NULL) {
        call_hook(self, HOOK_DATA, PyTuple_Pack(1, string));
    }
    Py_DECREF(string);
}

static void on_data(void *data, const XML_Char *string, int size)
{
    if (!PyErr_Occurred()) {
        data_hand_over(data, PyUnicode_DecodeUTF8(string, size, "strict"));
    }
}

/* What no other handler is for; among that are entities, which the user may have defined. */
static void on_default(void *data, const XML_Char *string, int size)
{
    struct xmlparser *self = data;
    if (size < 2 || string[0] != '&' || PyErr_Occurred()) {
        return;
    }
    PyObject *key = PyUnicode_DecodeUTF8(string + 1, size - 2, "strict"), *value = NULL;
    int found = key ? PyDict_GetItemRef(self->entity, key, &value) : -1;
    if (found > 0) {
        data_hand_over(self, value);
    } else if (found == 0) {
        char message[128];
        snprintf(message, sizeof message, "undefined entity %.*s", size < 100 ? size : 100, string);
        raise_parse(self, XML_ERROR_UNDEFINED_ENTITY, message);
    }
    if (found <= 0) {
        done(self, NULL);
    }
    Py_XDECREF(key);
}

static void on_comment(void *data, const XML_Char *string)
{
    struct xmlparser *self = data;
    if (PyErr_Occurred()) {
        return;
    }
    PyObject *comment = text(string);
    if (self->direct) {
        done(self, comment ? builder_handle_comment(BUILDER(self), comment) : NULL);
    } else if (self->hooks[HOOK_COMMENT] != NULL) {
        call_hook(self, HOOK_COMMENT, comment ? PyTuple_Pack(1, comment) : NULL);
    }
    Py_XDECREF(comment);
}

static void on_pi(void *data, const XML_Char *target_text, const XML_Char *rest)
{
    struct xmlparser *self = data;
    if (PyErr_Occurred()) {
        return;
    }
    PyObject *target = text(target_text), *string = target ? text_or_empty(rest) : NULL;
    if (self->direct) {
        done(self, string ? builder_handle_pi(BUILDER(self), target, string) : NULL);
    } else if (self->hooks[HOOK_PI] != NULL) {
        call_hook(self, HOOK_PI, string ? PyTuple_Pack(2, target, string) : NULL);
    }
    Py_XDECREF(target);
    Py_XDECREF(string);
}

static void on_start_ns(void *data, const XML_Char *prefix, const XML_Char *uri)
{
    struct xmlparser *self = data;
    if (PyErr_Occurred()) {
        return;
    }
    PyObject *args = Py_BuildValue("(NN)", text_or_empty(prefix), text_or_empty(uri));
    if (self->direct) {
        done(self, none_if(builder_report(BUILDER(self), EVENT_START_NS, args)));
    } else if (self->hooks[HOOK_START_NS] != NULL) {
        call_hook(self, HOOK_START_NS, args);
    } else {
        Py_XDECREF(args);
    }
}

static void on_end_ns(void *data, const XML_Char *prefix)
{
    struct xmlparser *self = data;
    if (PyErr_Occurred()) {
        return;
    }
    if (self->direct) {
        done(self, none_if(builder_report(BUILDER(self), EVENT_END_NS, Py_NewRef(Py_None))));
    } else if (self->hooks[HOOK_END_NS] != NULL) {
        call_hook(self, HOOK_END_NS, Py_BuildValue("(N)", text_or_empty(prefix)));
    }
}

static void on_doctype(void *data, const XML_Char *doctype, const XML_Char *system,
                       const XML_Char *public, int internal)
{
    struct xmlparser *self = data;
    if (PyErr_Occurred()) {
        return;
    }
    if (self->hooks[HOOK_DOCTYPE] != NULL) {
        call_hook(self, HOOK_DOCTYPE,
                  Py_BuildValue("(NNN)", text(doctype), text(public), text(system)));
        return;
    }
    int has = PyObject_HasAttrStringWithError((PyObject *)self, "doctype");
    if (has > 0) {
        has = PyErr_WarnEx(PyExc_RuntimeWarning,
                           "The doctype() method of XMLParser is ignored.  Define doctype() "
                           "method on the TreeBuilder target.",
                           1);
    }
    if (has < 0) {
        done(self, NULL);
    }
}

/* Asks the codec what each byte stands for. */
static int on_unknown_encoding(void *data, const XML_Char *encoding, XML_Encoding *info)
{
    unsigned char bytes[256];
    if (PyErr_Occurred()) {
        return XML_STATUS_ERROR;
    }
    for (int i = 0; i < 256; i++) {
        bytes[i] = (unsigned char)i;
    }
    PyObject *decoded = PyUnicode_Decode((const char *)bytes, 256, encoding, "replace");
    if (decoded == NULL) {
        return XML_STATUS_ERROR;
    }
    bool fine = PyUnicode_GET_LENGTH(decoded) == 256;
    for (int i = 0; fine && i < 256; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(decoded, i);
        info->map[i] = c == Py_UNICODE_REPLACEMENT_CHARACTER ? -1 : (int)c;
    }
    Py_DECREF(decoded);
    if (!fine) {
        PyErr_SetString(PyExc_ValueError, "multi-byte encodings are not supported");
        return XML_STATUS_ERROR;
    }
    info->data = NULL;
    info->convert = NULL;
    info->release = NULL;
    return XML_STATUS_OK;
}

/* ---- making ---------------------------------------------------------------------------------- */

static void handlers_install(struct xmlparser *self)
{
    XML_Parser expat = self->expat;
    XML_SetUserData(expat, self);
    XML_SetDefaultHandlerExpand(expat, on_default);
    XML_SetElementHandler(expat, on_start, on_end);
    XML_SetCharacterDataHandler(expat, on_data);
    XML_SetStartDoctypeDeclHandler(expat, on_doctype);
    XML_SetUnknownEncodingHandler(expat, on_unknown_encoding, NULL);
    if (self->hooks[HOOK_COMMENT] != NULL) {
        XML_SetCommentHandler(expat, on_comment);
    }
    if (self->hooks[HOOK_PI] != NULL) {
        XML_SetProcessingInstructionHandler(expat, on_pi);
    }
    if (self->hooks[HOOK_START_NS] != NULL) {
        XML_SetStartNamespaceDeclHandler(expat, on_start_ns);
    }
    if (self->hooks[HOOK_END_NS] != NULL) {
        XML_SetEndNamespaceDeclHandler(expat, on_end_ns);
    }
}

static int xmlparser_clear(PyObject *op)
{
    struct xmlparser *self = (struct xmlparser *)op;
    if (self->expat != NULL) {
        XML_ParserFree(self->expat);
        self->expat = NULL;
    }
    for (int i = 0; i < HOOKS; i++) {
        Py_CLEAR(self->hooks[i]);
    }
    EACH_FIELD(Py_CLEAR, target, entity, names)
    return 0;
}

static int hooks_find(struct xmlparser *self)
{
    for (int i = 0; i < HOOKS; i++) {
        if (PyObject_GetOptionalAttrString(self->target, hook_names[i], &self->hooks[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

/* False with an exception. */
static bool is_idle(struct xmlparser *self)
{
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "the parser is already at work");
    }
    return !self->busy;
}

static int xmlparser_init(struct xmlparser *self, PyObject *target, const char *encoding)
{
    if (!is_idle(self)) {
        return -1;
    }
    xmlparser_clear((PyObject *)self);
    self->state = STATE(self);
    self->names = PyDict_New();
    self->entity = self->names ? PyDict_New() : NULL;
    self->target = self->entity == NULL ? NULL
                   : target != Py_None  ? Py_NewRef(target)
                                        : PyObject_CallNoArgs(self->state->builder_type);
    if (self->target == NULL || hooks_find(self) < 0) {
        return -1;
    }
    self->direct = Py_IS_TYPE(self->target, (PyTypeObject *)self->state->builder_type);
    self->expat = XML_ParserCreate_MM(encoding, NULL, "}");
    if (self->expat == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    XML_SetHashSalt(self->expat, (unsigned long)PyHash_GetFuncDef()->hash("etree", 5) | 1);
    handlers_install(self);
    return 0;
}

/* ---- parsing --------------------------------------------------------------------------------- */

static bool is_ready(struct xmlparser *self)
{
    if (self->expat == NULL) {
        PyErr_SetString(PyExc_ValueError, "XMLParser.__init__() wasn't called");
        return false;
    }
    return is_idle(self);
}

/* -1 with an exception. */
static int parse(struct xmlparser *self, const char *data, Py_ssize_t size, bool final)
{
    enum XML_Status status = XML_STATUS_OK;
    self->busy = true;
    while (size > LARGEST_PIECE && status == XML_STATUS_OK && !PyErr_Occurred()) {
        status = XML_Parse(self->expat, data, LARGEST_PIECE, XML_FALSE);
        data += LARGEST_PIECE;
        size -= LARGEST_PIECE;
    }
    if (status == XML_STATUS_OK && !PyErr_Occurred()) {
        status = XML_Parse(self->expat, data, (int)size, final);
    }
    self->busy = false;
    if (PyErr_Occurred()) {
        return -1;
    }
    if (status == XML_STATUS_ERROR) {
        raise_parse(self, XML_GetErrorCode(self->expat), NULL);
        return -1;
    }
    return 0;
}

static PyObject *xmlparser_feed(struct xmlparser *self, PyObject *data)
{
    if (!is_ready(self)) {
        return NULL;
    }
    if (PyUnicode_Check(data)) {
        Py_ssize_t size;
        const char *utf8 = PyUnicode_AsUTF8AndSize(data, &size);
        if (utf8 == NULL) {
            return NULL;
        }
        XML_SetEncoding(self->expat, "utf-8"); /* whatever the document says */
        return none_if(parse(self, utf8, size, false));
    }
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    int rc = parse(self, view.buf, view.len, false);
    PyBuffer_Release(&view);
    return none_if(rc);
}

static PyObject *xmlparser_close(struct xmlparser *self)
{
    if (!is_ready(self) || parse(self, "", 0, true) < 0) {
        return NULL;
    }
    if (self->direct) {
        return builder_finish(BUILDER(self));
    }
    if (self->hooks[HOOK_CLOSE] != NULL) {
        return PyObject_CallNoArgs(self->hooks[HOOK_CLOSE]);
    }
    Py_RETURN_NONE;
}

static int xmlparser_flush(struct xmlparser *self)
{
    if (!is_ready(self)) {
        return -1;
    }
    if (XML_SetReparseDeferralEnabled == NULL) {
        return 0;
    }
    XML_SetReparseDeferralEnabled(self->expat, XML_FALSE);
    int rc = parse(self, "", 0, false);
    XML_SetReparseDeferralEnabled(self->expat, XML_TRUE);
    return rc;
}

/* A piece of a file: 1; 0 at the end; -1 with an exception. */
static int parse_piece(struct xmlparser *self, PyObject *read, bool *is_text)
{
    PyObject *piece = PyObject_CallFunction(read, "i", FILE_PIECE);
    if (piece == NULL) {
        return -1;
    }
    if (PyUnicode_CheckExact(piece)) {
        if (PyUnicode_GET_LENGTH(piece) == 0) {
            Py_DECREF(piece);
            return 0;
        }
        Py_SETREF(piece, PyUnicode_AsEncodedString(piece, "utf-8", "surrogatepass"));
        if (piece == NULL) {
            return -1;
        }
        if (!*is_text) {
            *is_text = true;
            XML_SetEncoding(self->expat, "utf-8");
        }
    } else if (!PyBytes_CheckExact(piece) || PyBytes_GET_SIZE(piece) == 0) {
        Py_DECREF(piece);
        return 0;
    }
    int rc = parse(self, PyBytes_AS_STRING(piece), PyBytes_GET_SIZE(piece), false);
    Py_DECREF(piece);
    return rc < 0 ? -1 : 1;
}

static PyObject *xmlparser_parse_whole(struct xmlparser *self, PyObject *file)
{
    if (!is_ready(self)) {
        return NULL;
    }
    PyObject *read = PyObject_GetAttrString(file, "read");
    bool is_text = false;
    int rc = read ? 1 : -1;
    while (rc > 0) {
        rc = parse_piece(self, read, &is_text);
    }
    Py_XDECREF(read);
    if (rc < 0 || parse(self, "", 0, true) < 0) {
        return NULL;
    }
    return self->direct ? builder_finish(BUILDER(self)) : Py_NewRef(Py_None);
}

/* ---- events ---------------------------------------------------------------------------------- */

static int event_of(PyObject *name_arg)
{
    static const char *const names[EVENTS] = {"start",  "end",     "start-ns",
                                              "end-ns", "comment", "pi"};
    if (!PyUnicode_Check(name_arg)) {
        PyErr_SetString(PyExc_ValueError, "invalid events sequence");
        return -1;
    }
    for (int i = 0; i < EVENTS; i++) {
        if (PyUnicode_EqualToUTF8(name_arg, names[i])) {
            return i;
        }
    }
    PyErr_Format(PyExc_ValueError, "unknown event '%U'", name_arg);
    return -1;
}

static int event_add(struct xmlparser *self, struct builder *builder, PyObject *name_arg)
{
    int event = event_of(name_arg);
    if (event < 0) {
        return -1;
    }
    field_set(&builder->events[event], Py_NewRef(name_arg));
    switch ((enum event)event) {
    case EVENT_START_NS:
    case EVENT_END_NS:
        XML_SetNamespaceDeclHandler(self->expat, on_start_ns, on_end_ns);
        break;
    case EVENT_COMMENT:
        XML_SetCommentHandler(self->expat, on_comment);
        break;
    case EVENT_PI:
        XML_SetProcessingInstructionHandler(self->expat, on_pi);
        break;
    default:
        break;
    }
    return 0;
}

static int xmlparser_setevents(struct xmlparser *self, PyObject *queue, PyObject *events)
{
    if (!is_ready(self)) {
        return -1;
    }
    if (!self->direct) {
        PyErr_SetString(PyExc_TypeError,
                        "event handling only supported for ElementTree.TreeBuilder targets");
        return -1;
    }
    struct builder *builder = BUILDER(self);
    PyObject *report = PyObject_GetAttrString(queue, "append");
    if (report == NULL) {
        return -1;
    }
    field_set(&builder->report, report);
    for (int i = 0; i < EVENTS; i++) {
        Py_CLEAR(builder->events[i]);
    }
    if (events == Py_None) {
        builder->events[EVENT_END] = PyUnicode_InternFromString("end");
        return builder->events[EVENT_END] ? 0 : -1;
    }
    PyObject *list = PySequence_Fast(events, "events must be a sequence");
    int rc = list ? 0 : -1;
    for (Py_ssize_t i = 0; rc == 0 && i < PySequence_Fast_GET_SIZE(list); i++) {
        rc = event_add(self, builder, PySequence_Fast_GET_ITEM(list, i));
    }
    Py_XDECREF(list);
    return rc;
}

/* ---- the type -------------------------------------------------------------------------------- */

static int xmlparser_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct xmlparser *self = (struct xmlparser *)op;
    Py_VISIT(Py_TYPE(op));
    EACH_FIELD(Py_VISIT, target, entity, names)
    for (int i = 0; i < HOOKS; i++) {
        Py_VISIT(self->hooks[i]);
    }
    return 0;
}

static void xmlparser_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    xmlparser_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyObject *version_getter(PyObject *Py_UNUSED(op), void *Py_UNUSED(closure))
{
    XML_Expat_Version version = XML_ExpatVersionInfo();
    return PyUnicode_FromFormat("Expat %d.%d.%d", version.major, version.minor, version.micro);
}

static PyGetSetDef xmlparser_getset[] = {
    {"version", version_getter, NULL, PyDoc_STR("the name and version of the library"), NULL},
    {0},
};

static PyMemberDef xmlparser_members[] = {
    {"entity", _Py_T_OBJECT, offsetof(struct xmlparser, entity), Py_READONLY, NULL},
    {"target", _Py_T_OBJECT, offsetof(struct xmlparser, target), Py_READONLY, NULL},
    {0},
};

static PyType_Slot xmlparser_slots[] = {
    {Py_tp_dealloc, xmlparser_dealloc},
    {Py_tp_traverse, xmlparser_traverse},
    {Py_tp_clear, xmlparser_clear},
    {Py_tp_methods, xmlparser_methods},
    {Py_tp_members, xmlparser_members},
    {Py_tp_getset, xmlparser_getset},
    {Py_tp_init, bind_xmlparser_init},
    {Py_tp_new, PyType_GenericNew},
    {0, NULL},
};

static PyType_Spec xmlparser_spec = {
    "xml.etree.ElementTree.XMLParser",
    sizeof(struct xmlparser),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    xmlparser_slots,
};

int xmlparser_setup(struct etree_state *state, PyObject *module)
{
    state->parser_type = (PyObject *)module_type(module, &xmlparser_spec, true);
    return state->parser_type ? 0 : -1;
}
