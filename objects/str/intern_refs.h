/* How the intern table, which owns no references, takes them. */
#ifndef KRAIT_OBJECTS_STR_INTERN_REFS_H
#define KRAIT_OBJECTS_STR_INTERN_REFS_H

#include "locking/refs.h"

/* A reference to a string found in the table, unless it is about to be freed. */
static inline bool intern_try_incref(PyObject *s)
{
    return ref_try_inc(s);
}

/* Before the string is entered: other threads may now count it without knowing its owner. */
static inline void intern_make_findable(PyObject *s)
{
    ref_make_known(s);
}

static inline void intern_make_immortal(PyObject *s)
{
    ref_immortalise(s);
}

#endif
