/* OrderedDict: what its two files share.  ordered.c has the type, ordered_walk.c views and
 * iterators. */
#ifndef KRAIT_OBJECTS_DICT_ORDERED_H
#define KRAIT_OBJECTS_DICT_ORDERED_H

#include "objects/dict/keys.h"

struct odict_node {
    PyObject *key; /* owned */
    Py_hash_t hash;
    struct odict_node *prev, *next;
};

/* A dict and the order of its keys, which is a list of nodes apart from it.  nodes[ix] is the node
 * of the entry ix of the key table that `nodes_for` says.  Everything is under the dict's lock. */
struct odict {
    PyDictObject dict;
    struct odict_node **nodes;
    Py_ssize_t nodes_size;
    void *nodes_for; /* never followed */
    size_t state;    /* changes with the list */
    struct odict_node *first, *last;
    PyObject *inst_dict, *weaklist;
};

struct dict_view {
    PyObject_HEAD
    PyDictObject *dict; /* owned */
};

enum { ODICT_KEYS = 1, ODICT_VALUES = 2, ODICT_ITEMS = 3, ODICT_REVERSED = 4 };

struct odict_iter {
    PyObject_HEAD
    int kind;
    struct odict *dict; /* owned; NULL: exhausted */
    Py_ssize_t size;    /* of the dict; -1 after an error */
    size_t state;       /* `next` is valid while the dict has this one */
    PyObject *spare;
    struct odict_node *next;
};

/* All new references. */
PyObject *odict_iter_new(struct odict *dict, int kind);
/* The value of a key that is in the list: KeyError if the dict lost it otherwise.  May run Python
 * code. */
PyObject *odict_value_of(struct odict *self, PyObject *key);

#endif
