/* Interned identifiers: ID(__init__) is the str '__init__', borrowed, immortal and interned.
 *
 * The table is generated from the sources: write ID(word) wherever it is needed. Strings of one
 * character have their own singletons and are refused. */
#ifndef KRAIT_OBJECTS_IDS_H
#define KRAIT_OBJECTS_IDS_H

#include "Python.h"
#include "objects/ids_table.h"

#define ID(word) ((PyObject *)&krait_ids.id_##word)

/* All of them, for the table of interned strings; ends with NULL. */
extern PyObject *const krait_id_list[];

#endif
