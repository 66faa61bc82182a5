/* What annotations are made of: list[int], int | str, type parameters. */
#ifndef KRAIT_OBJECTS_TYPING_H
#define KRAIT_OBJECTS_TYPING_H

#include "objects/object.h"

/* ---- list[int] ------------------------------------------------------------------------------- */

struct generic_alias {
    PyObject_HEAD
    PyObject *origin;
    PyObject *args;       /* tuple */
    PyObject *parameters; /* tuple, or NULL while nobody has asked */
    PyObject *weaklist;
    bool starred; /* *tuple[int] */
    vectorcallfunc vectorcall;
};

/* The type parameters in args, each once: new tuple. May run Python code. */
OWNED PyObject *alias_parameters(PyObject *args);
/* args with `item` in the place of the parameters: new tuple; `self` for messages. */
OWNED PyObject *alias_substitute(PyObject *self, PyObject *args, PyObject *parameters,
                                 PyObject *item);
/* An argument as the repr of an alias or a union shows it (new reference). */
OWNED PyObject *alias_item_text(PyObject *item);

extern PyTypeObject _Py_GenericAliasIterType;

/* ---- int | str ------------------------------------------------------------------------------- */

extern PyTypeObject _PyUnion_Type;

/* NotImplemented when one of them is nothing that a union may hold. */
OWNED PyObject *_Py_union_type_or(PyObject *left, PyObject *right);
BORROWED PyObject *_Py_union_args(PyObject *op);
/* The union of the members of a tuple (itself when it is one). */
OWNED PyObject *union_from_tuple(PyObject *members);

/* ---- type parameters ------------------------------------------------------------------------- */

extern PyTypeObject typevar_type, paramspec_type, paramspec_args_type, paramspec_kwargs_type,
    typevartuple_type, typealias_type, no_default_type;
extern PyObject no_default; /* typing.NoDefault, immortal */

/* For instructions: new references, lazily evaluated by the functions given. */
OWNED PyObject *typevar_new_lazy(PyObject *name, PyObject *evaluate_bound,
                                 PyObject *evaluate_constraints);
OWNED PyObject *paramspec_new_lazy(PyObject *name);
OWNED PyObject *typevartuple_new_lazy(PyObject *name);
/* (name, type_params, compute_value) as the compiler lays them out. */
OWNED PyObject *typealias_new_lazy(PyObject *arguments);
/* param.__default__ is what evaluate() returns: the parameter itself, a new reference. */
OWNED PyObject *typeparam_set_default(PyObject *param, PyObject *evaluate);
/* Generic[params] for class C[T]: new reference. */
OWNED PyObject *generic_subscript(PyObject *params);

extern PyTypeObject *const typing_types[]; /* NULL-terminated */

#endif
