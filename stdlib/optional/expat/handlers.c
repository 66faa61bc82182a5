/* What Expat calls, and what Python functions get to see of it. */
#include "optional/expat/parser.h"

/* ---- values ---------------------------------------------------------------------------------- */

/* A str, or None for NULL. */
static PyObject *text(const XML_Char *string)
{
    if (string == NULL) {
        Py_RETURN_NONE;
    }
    return PyUnicode_DecodeUTF8(string, (Py_ssize_t)strlen(string), "strict");
}

static PyObject *text_sized(const XML_Char *string, int size)
{
    if (string == NULL) {
        Py_RETURN_NONE;
    }
    return PyUnicode_DecodeUTF8(string, size, "strict");
}

/* The same, one object for equal names. */
static PyObject *name(struct parser *self, const XML_Char *string)
{
    PyObject *result = text(string), *known;
    if (result == NULL || self->intern == NULL || result == Py_None) {
        return result;
    }
    if (PyDict_SetDefaultRef(self->intern, result, result, &known) < 0) {
        known = NULL;
    }
    Py_DECREF(result);
    return known;
}

/* ---- calling --------------------------------------------------------------------------------- */

/* Whether the handler is there and nothing has gone wrong yet. */
static bool wanted(struct parser *self, enum handler which)
{
    return self->handlers[which] != NULL && !PyErr_Occurred();
}

/* After an exception nothing more is to be parsed. */
static void give_up(struct parser *self)
{
    XML_StopParser(self->expat, XML_FALSE);
}

/* Calls a handler with a tuple of arguments (stolen, NULL after an error).  The result, or NULL. */
static PyObject *call(struct parser *self, enum handler which, PyObject *args)
{
    PyObject *result = NULL;
    if (args != NULL) {
        PyObject *handler = Py_NewRef(self->handlers[which]);
        bool outer = self->in_callback;
        self->in_callback = true;
        result = PyObject_Call(handler, args, NULL);
        self->in_callback = outer;
        Py_DECREF(handler);
        Py_DECREF(args);
    }
    if (result == NULL) {
        give_up(self);
    }
    return result;
}

static void notify(struct parser *self, enum handler which, PyObject *args)
{
    Py_XDECREF(call(self, which, args));
}

/* The same for handlers that answer with a number; 0 after an error. */
static int ask(struct parser *self, enum handler which, PyObject *args)
{
    PyObject *result = call(self, which, args);
    if (result == NULL) {
        return 0;
    }
    int answer = (int)PyLong_AsLong(result);
    Py_DECREF(result);
    if (answer == -1 && PyErr_Occurred()) {
        give_up(self);
        return 0;
    }
    return answer;
}

/* ---- character data -------------------------------------------------------------------------- */

static void character_data_send(struct parser *self, const char *data, int size)
{
    if (wanted(self, CHARACTER_DATA)) {
        notify(self, CHARACTER_DATA, Py_BuildValue("(N)", text_sized(data, size)));
    }
}

bool parser_flush(struct parser *self)
{
    int size = self->buffer_used;
    if (self->buffer != NULL && size != 0) {
        self->buffer_used = 0;
        character_data_send(self, self->buffer, size);
    }
    return !PyErr_Occurred();
}

static void on_character_data(void *data, const XML_Char *string, int size)
{
    struct parser *self = data;
    if (PyErr_Occurred()) {
        return;
    }
    if (self->buffer == NULL) {
        character_data_send(self, string, size);
        return;
    }
    if (self->buffer_used + size > self->buffer_size && !parser_flush(self)) {
        return;
    }
    if (size > self->buffer_size) {
        character_data_send(self, string, size);
        return;
    }
    memcpy(self->buffer + self->buffer_used, string, (size_t)size);
    self->buffer_used += size;
}

/* ---- elements -------------------------------------------------------------------------------- */

/* Names and values, as a dict or in order as a list. */
static PyObject *attributes(struct parser *self, const XML_Char **pairs)
{
    int count = 0;
    if (self->specified_attributes) {
        count = XML_GetSpecifiedAttributeCount(self->expat);
    } else {
        while (pairs[count] != NULL) {
            count += 2;
        }
    }
    PyObject *result = self->ordered_attributes ? PyList_New(0) : PyDict_New();
    for (int i = 0; result != NULL && i < count; i += 2) {
        PyObject *key = name(self, pairs[i]), *value = key ? text(pairs[i + 1]) : NULL;
        bool fine = value != NULL
                    && (self->ordered_attributes
                            ? PyList_Append(result, key) == 0 && PyList_Append(result, value) == 0
                            : PyDict_SetItem(result, key, value) == 0);
        Py_XDECREF(key);
        Py_XDECREF(value);
        if (!fine) {
            Py_CLEAR(result);
        }
    }
    return result;
}

static void on_start_element(void *data, const XML_Char *tag, const XML_Char **pairs)
{
    struct parser *self = data;
    if (wanted(self, START_ELEMENT) && parser_flush(self)) {
        notify(self, START_ELEMENT,
               Py_BuildValue("(NN)", name(self, tag), attributes(self, pairs)));
    }
}

/* The kinds of handlers that only pass on what they got. */
#define EVENT(function, which, parameters, ...)                                                    \
    static void function parameters                                                                \
    {                                                                                              \
        struct parser *self = data;                                                                \
        if (wanted(self, which) && parser_flush(self)) {                                           \
            notify(self, which, Py_BuildValue(__VA_ARGS__));                                       \
        }                                                                                          \
    }
#define STRING const XML_Char *

EVENT(on_end_element, END_ELEMENT, (void *data, STRING tag), "(N)", name(self, tag))
EVENT(on_processing_instruction, PROCESSING_INSTRUCTION, (void *data, STRING target, STRING rest),
      "(NN)", name(self, target), text(rest))
EVENT(on_unparsed_entity_decl, UNPARSED_ENTITY_DECL,
      (void *data, STRING entity, STRING base, STRING system, STRING public, STRING notation),
      "(NNNNN)", name(self, entity), name(self, base), name(self, system), name(self, public),
      name(self, notation))
EVENT(on_notation_decl, NOTATION_DECL,
      (void *data, STRING notation, STRING base, STRING system, STRING public), "(NNNN)",
      name(self, notation), name(self, base), name(self, system), name(self, public))
EVENT(on_start_namespace_decl, START_NAMESPACE_DECL, (void *data, STRING prefix, STRING uri),
      "(NN)", name(self, prefix), name(self, uri))
EVENT(on_end_namespace_decl, END_NAMESPACE_DECL, (void *data, STRING prefix), "(N)",
      name(self, prefix))
EVENT(on_comment, COMMENT, (void *data, STRING string), "(N)", text(string))
EVENT(on_start_cdata_section, START_CDATA_SECTION, (void *data), "()")
EVENT(on_end_cdata_section, END_CDATA_SECTION, (void *data), "()")
EVENT(on_default, DEFAULT, (void *data, STRING string, int size), "(N)", text_sized(string, size))
EVENT(on_default_expand, DEFAULT_EXPAND, (void *data, STRING string, int size), "(N)",
      text_sized(string, size))
EVENT(on_start_doctype_decl, START_DOCTYPE_DECL,
      (void *data, STRING doctype, STRING system, STRING public, int internal), "(NNNi)",
      name(self, doctype), name(self, system), name(self, public), internal)
EVENT(on_end_doctype_decl, END_DOCTYPE_DECL, (void *data), "()")
EVENT(on_entity_decl, ENTITY_DECL,
      (void *data, STRING entity, int parameter, STRING value, int size, STRING base, STRING system,
       STRING public, STRING notation),
      "(NiNNNNN)", name(self, entity), parameter, text_sized(value, size), name(self, base),
      name(self, system), name(self, public), name(self, notation))
EVENT(on_xml_decl, XML_DECL, (void *data, STRING version, STRING encoding, int standalone), "(NNi)",
      text(version), text(encoding), standalone)
EVENT(on_attlist_decl, ATTLIST_DECL,
      (void *data, STRING element, STRING attribute, STRING type, STRING value, int required),
      "(NNNNi)", name(self, element), name(self, attribute), text(type), text(value), required)
EVENT(on_skipped_entity, SKIPPED_ENTITY, (void *data, STRING entity, int parameter), "(Ni)",
      name(self, entity), parameter)

static int on_not_standalone(void *data)
{
    struct parser *self = data;
    if (!wanted(self, NOT_STANDALONE) || !parser_flush(self)) {
        return 0;
    }
    return ask(self, NOT_STANDALONE, PyTuple_New(0));
}

/* Called with the parser as first argument, unlike the others. */
static int on_external_entity_ref(XML_Parser parser, const XML_Char *context, const XML_Char *base,
                                  const XML_Char *system, const XML_Char *public)
{
    struct parser *self = XML_GetUserData(parser);
    if (!wanted(self, EXTERNAL_ENTITY_REF) || !parser_flush(self)) {
        return 0;
    }
    return ask(self, EXTERNAL_ENTITY_REF,
               Py_BuildValue("(NNNN)", text(context), name(self, base), name(self, system),
                             name(self, public)));
}

/* (type, quantifier, name, children) */
static PyObject *content_model(struct parser *self, const XML_Content *model)
{
    if (Py_EnterRecursiveCall(" in content_model")) {
        return NULL;
    }
    PyObject *children = PyTuple_New(model->numchildren);
    for (unsigned i = 0; children != NULL && i < model->numchildren; i++) {
        PyObject *child = content_model(self, &model->children[i]);
        if (child == NULL) {
            Py_CLEAR(children);
        } else {
            PyTuple_SET_ITEM(children, i, child);
        }
    }
    Py_LeaveRecursiveCall();
    if (children == NULL) {
        return NULL;
    }
    return Py_BuildValue("(iiNN)", (int)model->type, (int)model->quant, name(self, model->name),
                         children);
}

static void on_element_decl(void *data, const XML_Char *element, XML_Content *model)
{
    struct parser *self = data;
    if (wanted(self, ELEMENT_DECL) && parser_flush(self)) {
        PyObject *tree = content_model(self, model);
        notify(self, ELEMENT_DECL, tree ? Py_BuildValue("(NN)", name(self, element), tree) : NULL);
    }
    XML_FreeContentModel(self->expat, model);
}

/* ---- encodings ------------------------------------------------------------------------------- */

/* Asks the codec what each byte stands for. */
int parser_unknown_encoding(void *data, const XML_Char *encoding, XML_Encoding *info)
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
    if (PyUnicode_GET_LENGTH(decoded) != 256) {
        PyErr_SetString(PyExc_ValueError, "multi-byte encodings are not supported");
        Py_DECREF(decoded);
        return XML_STATUS_ERROR;
    }
    for (int i = 0; i < 256; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(decoded, i);
        info->map[i] = c == Py_UNICODE_REPLACEMENT_CHARACTER ? -1 : (int)c;
    }
    info->data = NULL;
    info->convert = NULL;
    info->release = NULL;
    Py_DECREF(decoded);
    return XML_STATUS_OK;
}

/* ---- installing ------------------------------------------------------------------------------ */

#define INSTALL(setter, function)                                                                  \
    static void install_##function(XML_Parser parser, bool on)                                     \
    {                                                                                              \
        setter(parser, on ? function : NULL);                                                      \
    }

INSTALL(XML_SetStartElementHandler, on_start_element)
INSTALL(XML_SetEndElementHandler, on_end_element)
INSTALL(XML_SetProcessingInstructionHandler, on_processing_instruction)
INSTALL(XML_SetCharacterDataHandler, on_character_data)
INSTALL(XML_SetUnparsedEntityDeclHandler, on_unparsed_entity_decl)
INSTALL(XML_SetNotationDeclHandler, on_notation_decl)
INSTALL(XML_SetStartNamespaceDeclHandler, on_start_namespace_decl)
INSTALL(XML_SetEndNamespaceDeclHandler, on_end_namespace_decl)
INSTALL(XML_SetCommentHandler, on_comment)
INSTALL(XML_SetStartCdataSectionHandler, on_start_cdata_section)
INSTALL(XML_SetEndCdataSectionHandler, on_end_cdata_section)
INSTALL(XML_SetDefaultHandler, on_default)
INSTALL(XML_SetDefaultHandlerExpand, on_default_expand)
INSTALL(XML_SetNotStandaloneHandler, on_not_standalone)
INSTALL(XML_SetExternalEntityRefHandler, on_external_entity_ref)
INSTALL(XML_SetStartDoctypeDeclHandler, on_start_doctype_decl)
INSTALL(XML_SetEndDoctypeDeclHandler, on_end_doctype_decl)
INSTALL(XML_SetEntityDeclHandler, on_entity_decl)
INSTALL(XML_SetXmlDeclHandler, on_xml_decl)
INSTALL(XML_SetElementDeclHandler, on_element_decl)
INSTALL(XML_SetAttlistDeclHandler, on_attlist_decl)
INSTALL(XML_SetSkippedEntityHandler, on_skipped_entity)

const handler_installer handler_installers[HANDLERS] = {
    [START_ELEMENT] = install_on_start_element,
    [END_ELEMENT] = install_on_end_element,
    [PROCESSING_INSTRUCTION] = install_on_processing_instruction,
    [CHARACTER_DATA] = install_on_character_data,
    [UNPARSED_ENTITY_DECL] = install_on_unparsed_entity_decl,
    [NOTATION_DECL] = install_on_notation_decl,
    [START_NAMESPACE_DECL] = install_on_start_namespace_decl,
    [END_NAMESPACE_DECL] = install_on_end_namespace_decl,
    [COMMENT] = install_on_comment,
    [START_CDATA_SECTION] = install_on_start_cdata_section,
    [END_CDATA_SECTION] = install_on_end_cdata_section,
    [DEFAULT] = install_on_default,
    [DEFAULT_EXPAND] = install_on_default_expand,
    [NOT_STANDALONE] = install_on_not_standalone,
    [EXTERNAL_ENTITY_REF] = install_on_external_entity_ref,
    [START_DOCTYPE_DECL] = install_on_start_doctype_decl,
    [END_DOCTYPE_DECL] = install_on_end_doctype_decl,
    [ENTITY_DECL] = install_on_entity_decl,
    [XML_DECL] = install_on_xml_decl,
    [ELEMENT_DECL] = install_on_element_decl,
    [ATTLIST_DECL] = install_on_attlist_decl,
    [SKIPPED_ENTITY] = install_on_skipped_entity,
};
