/* What the files of the module pyexpat share. */
#ifndef KRAIT_STDLIB_OPTIONAL_EXPAT_PARSER_H
#define KRAIT_STDLIB_OPTIONAL_EXPAT_PARSER_H

#include "module.h"

#include <expat.h>

#pragma GCC visibility push(hidden)

/* clang-format off */
enum handler {
    START_ELEMENT, END_ELEMENT, PROCESSING_INSTRUCTION, CHARACTER_DATA, UNPARSED_ENTITY_DECL,
    NOTATION_DECL, START_NAMESPACE_DECL, END_NAMESPACE_DECL, COMMENT, START_CDATA_SECTION,
    END_CDATA_SECTION, DEFAULT, DEFAULT_EXPAND, NOT_STANDALONE, EXTERNAL_ENTITY_REF,
    START_DOCTYPE_DECL, END_DOCTYPE_DECL, ENTITY_DECL, XML_DECL, ELEMENT_DECL, ATTLIST_DECL,
    SKIPPED_ENTITY, HANDLERS
};
/* clang-format on */

struct parser {
    PyObject_HEAD
    XML_Parser expat;
    PyObject *parent; /* the parser that this one is for an entity of, or NULL */
    PyObject *intern; /* a dict of names, or NULL */
    PyObject *handlers[HANDLERS];
    char *buffer; /* character data that waits for more, or NULL */
    int buffer_size, buffer_used;
    bool ordered_attributes, specified_attributes, namespace_prefixes, in_callback;
    bool reparse_deferral, busy;
};

struct pyexpat_state {
    PyObject *error, *parser_type;
};

/* Set or take away handlers in the library. */
typedef void (*handler_installer)(XML_Parser parser, bool on);
extern const handler_installer handler_installers[HANDLERS];

/* Hands out the character data that waits; false with an exception. */
bool parser_flush(struct parser *self);
int parser_unknown_encoding(void *data, const XML_Char *name, XML_Encoding *info);

#pragma GCC visibility pop

#endif
