/* What the files of the module _elementtree share. */
#ifndef KRAIT_STDLIB_OPTIONAL_ETREE_ETREE_H
#define KRAIT_STDLIB_OPTIONAL_ETREE_ETREE_H

#include "module.h"

#include <expat.h>

#pragma GCC visibility push(hidden)

enum { FEW = 4 };

/* What most elements of a document do without. */
struct extra {
    PyObject *attrib; /* a dict, or NULL for an empty one */
    Py_ssize_t count, room;
    PyObject **children; /* `few`, or memory of its own */
    PyObject *few[FEW];
};

struct element {
    PyObject_HEAD
    PyObject *tag, *text, *tail;
    struct extra *extra; /* or NULL */
    PyObject *weaklist;
};

enum event {
    EVENT_START,
    EVENT_END,
    EVENT_START_NS,
    EVENT_END_NS,
    EVENT_COMMENT,
    EVENT_PI,
    EVENTS
};

struct builder {
    PyObject_HEAD
    PyObject *root, *current; /* NULL if none yet */
    PyObject *last;           /* what text goes to: as its text, or as its tail */
    bool after_end;
    PyObject *data;  /* a list of text that has come since, or NULL */
    PyObject *stack; /* a list of the elements around `current` */
    PyObject *element_factory, *comment_factory, *pi_factory; /* or NULL */
    PyObject *report;         /* the append method of a queue of events, or NULL */
    PyObject *events[EVENTS]; /* the names of the events wanted, or NULL */
    bool insert_comments, insert_pis;
};

struct etree_state {
    PyObject *element_type, *iter_type, *builder_type, *parser_type;
    PyObject *parse_error, *comment_factory, *pi_factory, *paths, *deepcopy;
};

extern PyModuleDef etree_definition;

static inline struct etree_state *state_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &etree_definition);
    return module ? PyModule_GetState(module) : NULL;
}

#define STATE(self) state_of_type(Py_TYPE(self))

static inline bool is_element(struct etree_state *state, PyObject *op)
{
    return PyObject_TypeCheck(op, (PyTypeObject *)state->element_type);
}

/* element.c.  A new element (new reference); attrib is a dict or NULL, and kept as it is. */
PyObject *element_make(struct etree_state *state, PyTypeObject *type, PyObject *tag,
                       PyObject *attrib);
/* -1 with MemoryError. */
int element_add(struct element *self, PyObject *child);
int element_setup(struct etree_state *state, PyObject *module);

/* builder.c.  What a target is told, for the parser: new references, or NULL with an exception. */
PyObject *builder_handle_start(struct etree_state *state, struct builder *self, PyObject *tag,
                               PyObject *attrib);
PyObject *builder_handle_end(struct builder *self);
PyObject *builder_handle_comment(struct builder *self, PyObject *text);
PyObject *builder_handle_pi(struct builder *self, PyObject *target, PyObject *text);
int builder_handle_data(struct builder *self, PyObject *text);
PyObject *builder_finish(struct builder *self);
/* Adds an event to the queue if it is wanted; value is stolen. */
int builder_report(struct builder *self, enum event event, PyObject *value);
int builder_setup(struct etree_state *state, PyObject *module);

/* xmlparser.c */
int xmlparser_setup(struct etree_state *state, PyObject *module);

#pragma GCC visibility pop

#endif
