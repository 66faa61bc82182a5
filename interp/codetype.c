/*
 * The code type: attributes, co_lines() and co_positions(), replace(), comparison; code from its parts.
 *
 * co_code is all that the machine needs, as bytes: the words, a depth (2 bytes) per word, a pair of arguments
 * (8 bytes) per site, then the number of words and of sites (4 bytes each).
 */
#include "interp/vm/vm.h"

#include "objects/weakref.h"

#include "codetype.bind.h"

#define CODE(op) ((PyCodeObject *)(op))

/* ---- co_code --------------------------------------------------------------------------------- */

PyObject *code_serialise(PyCodeObject *code)
{
    struct code_body *body = code_body(code);
    size_t n = body->nwords, sites = body->nsites;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(n * 10 + sites * 8 + 8));
    if (bytes == NULL) {
        return NULL;
    }
    char *to = PyBytes_AS_STRING(bytes);
    for (uint32_t i = 0; i < n; i++, to += 8) {
        uint64_t word = code_base_word(body, i);
        memcpy(to, &word, 8);
    }
    memcpy(to, body->depths, n * 2);
    to += n * 2;
    for (uint32_t i = 0; i < sites; i++, to += 8) {
        memcpy(to, &body->sites[i].arg, 4);
        memcpy(to + 4, &body->sites[i].arg2, 4);
    }
    memcpy(to, &body->nwords, 4);
    memcpy(to + 4, &body->nsites, 4);
    return bytes;
}

/* The inverse: lets words, depths and sites of spec point into the bytes. False if these are not ours. */
static bool deserialise(PyObject *bytes, struct code_spec *spec)
{
    char *from = PyBytes_AS_STRING(bytes);
    size_t size = (size_t)PyBytes_GET_SIZE(bytes);
    uint32_t nwords, nsites;
    if (size < 8) {
        return false;
    }
    memcpy(&nwords, from + size - 8, 4);
    memcpy(&nsites, from + size - 4, 4);
    if (nwords == 0 || (size_t)nwords * 10 + (size_t)nsites * 8 + 8 != size) {
        return false;
    }
    spec->words = (uint64_t *)from;
    spec->depths = (uint16_t *)(from + (size_t)nwords * 8);
    spec->sites = (struct code_site_spec *)(from + (size_t)nwords * 10);
    spec->nwords = nwords;
    spec->nsites = nsites;
    return true;
}

/* Code for another machine can be described, but not run. */
static int foreign_body(struct code_spec *spec)
{
    uint64_t *words = PyMem_RawMalloc(3 * 8 + 3 * 2);
    if (words == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    words[0] = WORD(RESUME, 0, 0, 0);
    words[1] = WORD(LOAD_ASSERTION_ERROR, spec->nlocals, 0, 0);
    words[2] = WORD(RAISE, spec->nlocals, 0, 0);
    spec->words = words;
    spec->depths = (uint16_t *)(words + 3);
    spec->depths[0] = spec->depths[1] = (uint16_t)spec->nlocals;
    spec->depths[2] = (uint16_t)(spec->nlocals + 1);
    spec->nwords = 3;
    spec->nregs = spec->nregs > spec->nlocals ? spec->nregs : spec->nlocals + 1;
    return 0;
}

PyCodeObject *code_from_parts(struct code_spec *spec, PyObject *bytes, PyObject *linetable,
                              PyObject *exceptiontable)
{
    bool ours = deserialise(bytes, spec);
    if (!ours && foreign_body(spec) < 0) {
        return NULL;
    }
    PyCodeObject *code = NULL;
    struct code_handler *handlers = NULL;
    PyObject *empty = NULL;
    if (!ours) {
        exceptiontable = empty = PyBytes_FromStringAndSize(NULL, 0);
    }
    int nhandlers = exceptiontable ? code_handlers_decode(exceptiontable, &handlers) : -1;
    if (nhandlers >= 0) {
        spec->handlers = handlers;
        spec->nhandlers = (uint32_t)nhandlers;
        code = code_new_with_tables(spec, linetable, exceptiontable);
    }
    if (code != NULL && spec->trusted) {
        code_choose_forms(code_body(code));
    } else if (code != NULL && code_verify(code) < 0) {
        Py_CLEAR(code);
    }
    PyMem_RawFree(handlers);
    if (!ours) {
        PyMem_RawFree(spec->words);
    }
    Py_XDECREF(empty);
    return code;
}

/* ---- locals from three tuples of names ------------------------------------------------------- */

static int check_names(PyObject *tuple)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        if (!PyUnicode_Check(PyTuple_GET_ITEM(tuple, i))) {
            PyErr_Format(PyExc_TypeError, "name tuples must contain only strings, not '%.500s'",
                         Py_TYPE(PyTuple_GET_ITEM(tuple, i))->tp_name);
            return -1;
        }
    }
    return 0;
}

/* New references in *names (tuple) and *kinds (bytes). */
static int join_locals(PyObject *vars, PyObject *cells, PyObject *frees, PyObject **names,
                       PyObject **kinds)
{
    PyObject *list = PySequence_List(vars);
    Py_ssize_t nvars = PyTuple_GET_SIZE(vars), ncells = PyTuple_GET_SIZE(cells);
    char *text = list ? PyMem_Malloc((size_t)(nvars + ncells + PyTuple_GET_SIZE(frees) + 1)) : NULL;
    int status = -1;
    *names = *kinds = NULL;
    if (text == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    memset(text, CODE_FAST_LOCAL, (size_t)nvars);
    for (Py_ssize_t i = 0; i < ncells; i++) {
        PyObject *name = PyTuple_GET_ITEM(cells, i);
        Py_ssize_t at = PySequence_Index(vars, name);
        if (at >= 0) {
            text[at] |= CODE_FAST_CELL;
            continue;
        }
        PyErr_Clear();
        text[PyList_GET_SIZE(list)] = CODE_FAST_CELL;
        if (PyList_Append(list, name) < 0) {
            goto done;
        }
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(frees); i++) {
        text[PyList_GET_SIZE(list)] = (char)CODE_FAST_FREE;
        if (PyList_Append(list, PyTuple_GET_ITEM(frees, i)) < 0) {
            goto done;
        }
    }
    *names = PyList_AsTuple(list);
    *kinds = *names ? PyBytes_FromStringAndSize(text, PyList_GET_SIZE(list)) : NULL;
    status = *kinds ? 0 : -1;
done:
    PyMem_Free(text);
    Py_XDECREF(list);
    return status;
}

static int check_bytes(PyObject *op, const char *what)
{
    if (!PyBytes_Check(op)) {
        PyErr_Format(PyExc_TypeError, "%s must be bytes, not %.200s", what, Py_TYPE(op)->tp_name);
        return -1;
    }
    return 0;
}

static PyCodeObject *make_code(int argcount, int posonly, int kwonly, int nlocals, int stacksize,
                               int flags, PyObject *bytes, PyObject *consts, PyObject *names,
                               PyObject *varnames, PyObject *filename, PyObject *name,
                               PyObject *qualname, int firstlineno, PyObject *linetable,
                               PyObject *exceptiontable, PyObject *freevars, PyObject *cellvars)
{
    if (argcount < 0 || posonly < 0 || kwonly < 0 || nlocals < 0) {
        PyErr_Format(PyExc_ValueError, "code: %s must not be negative",
                     argcount < 0  ? "argcount"
                     : posonly < 0 ? "posonlyargcount"
                     : kwonly < 0  ? "kwonlyargcount"
                                   : "nlocals");
        return NULL;
    }
    if (nlocals != PyTuple_GET_SIZE(varnames)) {
        PyErr_SetString(PyExc_ValueError, "code: co_nlocals != len(co_varnames)");
        return NULL;
    }
    if (argcount < posonly || argcount + kwonly > nlocals || stacksize < 0 || flags < 0) {
        PyErr_SetString(PyExc_ValueError, argcount + kwonly > nlocals
                                              ? "code: varnames is too small"
                                              : "code: bad argument counts, stack size or flags");
        return NULL;
    }
    PyObject *all, *kinds;
    if (check_names(names) < 0 || check_names(varnames) < 0 || check_names(freevars) < 0
        || check_names(cellvars) < 0
        || join_locals(varnames, cellvars, freevars, &all, &kinds) < 0) {
        return NULL;
    }
    struct code_spec spec = {
        .consts = consts,
        .names = names,
        .localsplusnames = all,
        .localspluskinds = kinds,
        .filename = filename,
        .name = name,
        .qualname = qualname,
        .argcount = argcount,
        .posonlyargcount = posonly,
        .kwonlyargcount = kwonly,
        .flags = flags,
        .firstlineno = firstlineno,
        .nlocals = (int)PyTuple_GET_SIZE(all),
        .nregs = (int)PyTuple_GET_SIZE(all) + stacksize,
    };
    PyCodeObject *code = code_from_parts(&spec, bytes, linetable, exceptiontable);
    Py_DECREF(all);
    Py_DECREF(kinds);
    return code;
}

PyCodeObject *PyUnstable_Code_NewWithPosOnlyArgs(
    int argcount, int posonly, int kwonly, int nlocals, int stacksize, int flags, PyObject *bytes,
    PyObject *consts, PyObject *names, PyObject *varnames, PyObject *freevars, PyObject *cellvars,
    PyObject *filename, PyObject *name, PyObject *qualname, int firstlineno, PyObject *linetable,
    PyObject *exceptiontable)
{
    return make_code(argcount, posonly, kwonly, nlocals, stacksize, flags, bytes, consts, names,
                     varnames, filename, name, qualname, firstlineno, linetable, exceptiontable,
                     freevars, cellvars);
}

PyCodeObject *PyUnstable_Code_New(int argcount, int kwonly, int nlocals, int stacksize, int flags,
                                  PyObject *bytes, PyObject *consts, PyObject *names,
                                  PyObject *varnames, PyObject *freevars, PyObject *cellvars,
                                  PyObject *filename, PyObject *name, PyObject *qualname,
                                  int firstlineno, PyObject *linetable, PyObject *exceptiontable)
{
    return make_code(argcount, 0, kwonly, nlocals, stacksize, flags, bytes, consts, names, varnames,
                     filename, name, qualname, firstlineno, linetable, exceptiontable, freevars,
                     cellvars);
}

static PyObject *codetype_new(PyTypeObject *type, int argcount, int posonly, int kwonly,
                              int nlocals, int stacksize, int flags, PyObject *bytes,
                              PyObject *consts, PyObject *names, PyObject *varnames,
                              PyObject *filename, PyObject *name, PyObject *qualname,
                              int firstlineno, PyObject *linetable, PyObject *exceptiontable,
                              PyObject *freevars, PyObject *cellvars)
{
    (void)type;
    if (check_bytes(bytes, "code() argument 7") < 0
        || check_bytes(linetable, "code() argument 15") < 0
        || check_bytes(exceptiontable, "code() argument 16") < 0
        || PySys_Audit("code.__new__", "OOOiiiiii", bytes, filename, name, argcount, posonly,
                       kwonly, nlocals, stacksize, flags)
               < 0) {
        return NULL;
    }
    PyObject *empty = PyTuple_New(0);
    PyObject *code = (PyObject *)make_code(
        argcount, posonly, kwonly, nlocals, stacksize, flags, bytes, consts, names, varnames,
        filename, name, qualname, firstlineno, linetable, exceptiontable,
        freevars ? freevars : empty, cellvars ? cellvars : empty);
    Py_DECREF(empty);
    return code;
}

static PyObject *codetype_replace_special(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                          PyObject *kwnames)
{
    return bind_codetype_replace(self, args, nargs, kwnames);
}

/* Field i of replace(): the new value or the old one. */
#define OR_OLD_INT(value, field) ((value) == -1 ? self->field : (value))

static PyObject *codetype_replace(PyCodeObject *self, int argcount, int posonly, int kwonly,
                                  int nlocals, int stacksize, int flags, int firstlineno,
                                  PyObject *bytes, PyObject *consts, PyObject *names,
                                  PyObject *varnames, PyObject *freevars, PyObject *cellvars,
                                  PyObject *filename, PyObject *name, PyObject *qualname,
                                  PyObject *linetable, PyObject *exceptiontable)
{
    PyObject *own_vars = PyCode_GetVarnames(self), *own_free = PyCode_GetFreevars(self);
    PyObject *own_cells = PyCode_GetCellvars(self), *own_bytes = PyCode_GetCode(self);
    PyObject *code = NULL;
    if (!own_vars || !own_free || !own_cells || !own_bytes) {
        goto done;
    }
    bytes = bytes ? bytes : own_bytes;
    linetable = linetable ? linetable : self->co_linetable;
    exceptiontable = exceptiontable ? exceptiontable : self->co_exceptiontable;
    if (check_bytes(bytes, "replace() argument 'co_code'") < 0
        || check_bytes(linetable, "replace() argument 'co_linetable'") < 0
        || check_bytes(exceptiontable, "replace() argument 'co_exceptiontable'") < 0) {
        goto done;
    }
    argcount = OR_OLD_INT(argcount, co_argcount);
    posonly = OR_OLD_INT(posonly, co_posonlyargcount);
    kwonly = OR_OLD_INT(kwonly, co_kwonlyargcount);
    nlocals = OR_OLD_INT(nlocals, co_nlocals);
    stacksize = OR_OLD_INT(stacksize, co_stacksize);
    flags = OR_OLD_INT(flags, co_flags);
    firstlineno = OR_OLD_INT(firstlineno, co_firstlineno);
    filename = filename ? filename : self->co_filename;
    name = name ? name : self->co_name;
    if (PySys_Audit("code.__new__", "OOOiiiiii", bytes, filename, name, argcount, posonly, kwonly,
                    nlocals, stacksize, flags)
        < 0) {
        goto done;
    }
    if (!varnames && !freevars && !cellvars && argcount + kwonly <= self->co_nlocalsplus
        && argcount >= posonly && nlocals == self->co_nlocals && stacksize >= 0) {
        /* The variables stay: keep their kinds too. */
        struct code_spec spec = {
            .consts = consts ? consts : self->co_consts,
            .names = names ? names : self->co_names,
            .localsplusnames = self->co_localsplusnames,
            .localspluskinds = self->co_localspluskinds,
            .filename = filename,
            .name = name,
            .qualname = qualname ? qualname : self->co_qualname,
            .argcount = argcount,
            .posonlyargcount = posonly,
            .kwonlyargcount = kwonly,
            .flags = flags,
            .firstlineno = firstlineno,
            .nlocals = self->co_nlocalsplus,
            .nregs = self->co_nlocalsplus + stacksize,
        };
        code = (PyObject *)code_from_parts(&spec, bytes, linetable, exceptiontable);
        goto done;
    }
    code = (PyObject *)make_code(argcount, posonly, kwonly, nlocals, stacksize, flags, bytes,
                                 consts ? consts : self->co_consts, names ? names : self->co_names,
                                 varnames ? varnames : own_vars, filename, name,
                                 qualname ? qualname : self->co_qualname, firstlineno, linetable,
                                 exceptiontable, freevars ? freevars : own_free,
                                 cellvars ? cellvars : own_cells);
done:
    Py_XDECREF(own_vars);
    Py_XDECREF(own_free);
    Py_XDECREF(own_cells);
    Py_XDECREF(own_bytes);
    return code;
}

/* ---- iterating over locations ---------------------------------------------------------------- */

static PyObject *number_or_none(int value)
{
    return value < 0 ? Py_NewRef(Py_None) : PyLong_FromLong(value);
}

static int append_new(PyObject *list, PyObject *item)
{
    int status = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return status;
}

static PyObject *iterator_over(PyObject *list, int failed)
{
    PyObject *it = list && !failed ? PyObject_GetIter(list) : NULL;
    Py_XDECREF(list);
    return it;
}

static PyObject *codetype_co_lines(PyCodeObject *self)
{
    PyObject *list = PyList_New(0);
    struct line_iter iter;
    int start = 0, line = 0, failed = 0;
    bool any = false;
    line_iter_init(&iter, self);
    while (list && !failed && line_iter_next(&iter)) {
        if (any && iter.position.line != line) {
            failed = append_new(list, Py_BuildValue("iiN", start * 2, iter.start * 2,
                                                    number_or_none(line)))
                     < 0;
            start = iter.start;
        }
        any = true;
        line = iter.position.line;
    }
    if (list && !failed && any) {
        failed =
            append_new(list, Py_BuildValue("iiN", start * 2, iter.stop * 2, number_or_none(line)))
            < 0;
    }
    return iterator_over(list, failed);
}

static PyObject *codetype_co_positions(PyCodeObject *self)
{
    PyObject *list = PyList_New(0);
    struct line_iter iter;
    int failed = 0;
    line_iter_init(&iter, self);
    while (list && !failed && line_iter_next(&iter)) {
        struct code_position *p = &iter.position;
        PyObject *item =
            Py_BuildValue("(NNNN)", number_or_none(p->line), number_or_none(p->end_line),
                          number_or_none(p->col), number_or_none(p->end_col));
        for (int i = iter.start; item && i < iter.stop && !failed; i++) {
            failed = PyList_Append(list, item) < 0;
        }
        failed |= item == NULL;
        Py_XDECREF(item);
    }
    return iterator_over(list, failed);
}

/* ---- attributes ------------------------------------------------------------------------------ */

PyObject *PyCode_GetCode(PyCodeObject *code)
{
    return code_serialise(code);
}

static PyObject *codetype_get_co_code(PyCodeObject *self)
{
    return code_serialise(self);
}

static PyObject *codetype_get_co_code_adaptive(PyCodeObject *self)
{
    struct code_body *body = code_body(self);
    return PyBytes_FromStringAndSize((char *)body->words, (Py_ssize_t)body->nwords * 8);
}

static PyObject *codetype_get_co_varnames(PyCodeObject *self)
{
    return PyCode_GetVarnames(self);
}

static PyObject *codetype_get_co_cellvars(PyCodeObject *self)
{
    return PyCode_GetCellvars(self);
}

static PyObject *codetype_get_co_freevars(PyCodeObject *self)
{
    return PyCode_GetFreevars(self);
}

/* The format of 3.9: pairs of (bytes, lines). */
static PyObject *codetype_get_co_lnotab(PyCodeObject *self)
{
    if (PyErr_WarnEx(PyExc_DeprecationWarning, "co_lnotab is deprecated, use co_lines instead.", 1)
        < 0) {
        return NULL;
    }
    PyObject *table = PyByteArray_FromStringAndSize(NULL, 0);
    struct line_iter iter;
    int line = self->co_firstlineno, offset = 0;
    line_iter_init(&iter, self);
    while (table && line_iter_next(&iter)) {
        if (iter.position.line < 0 || iter.position.line == line) {
            continue;
        }
        int dbytes = iter.start * 2 - offset, dlines = iter.position.line - line;
        offset = iter.start * 2;
        line = iter.position.line;
        do {
            int b = dbytes > 254 ? 254 : dbytes;
            dbytes -= b;
            int l = dbytes ? 0 : dlines < -128 ? -128 : dlines > 127 ? 127 : dlines;
            dlines -= l;
            Py_ssize_t n = PyByteArray_GET_SIZE(table);
            if (PyByteArray_Resize(table, n + 2) < 0) {
                Py_CLEAR(table);
                break;
            }
            PyByteArray_AS_STRING(table)[n] = (char)b;
            PyByteArray_AS_STRING(table)[n + 1] = (char)l;
        } while (dbytes || dlines);
    }
    PyObject *bytes = table ? PyBytes_FromObject(table) : NULL;
    Py_XDECREF(table);
    return bytes;
}

static PyObject *codetype_varname_from_oparg(PyCodeObject *self, int oparg)
{
    if (oparg < 0 || oparg >= self->co_nlocalsplus) {
        PyErr_SetString(PyExc_IndexError, "tuple index out of range");
        return NULL;
    }
    return Py_NewRef(PyTuple_GET_ITEM(self->co_localsplusnames, oparg));
}

static Py_ssize_t codetype_sizeof(PyCodeObject *self)
{
    struct code_body *body = code_body(self);
    return (Py_ssize_t)(sizeof(PyCodeObject) + sizeof *body + body->nwords * 10
                        + body->nsites * sizeof(struct code_site) + body->nconsts * 8
                        + body->nhandlers * sizeof(struct code_handler));
}

#define OFF(field) offsetof(PyCodeObject, field)
static PyMemberDef codetype_fields[] = {
    {"co_argcount", Py_T_INT, OFF(co_argcount), Py_READONLY, NULL},
    {"co_posonlyargcount", Py_T_INT, OFF(co_posonlyargcount), Py_READONLY, NULL},
    {"co_kwonlyargcount", Py_T_INT, OFF(co_kwonlyargcount), Py_READONLY, NULL},
    {"co_stacksize", Py_T_INT, OFF(co_stacksize), Py_READONLY, NULL},
    {"co_nlocals", Py_T_INT, OFF(co_nlocals), Py_READONLY, NULL},
    {"co_flags", Py_T_INT, OFF(co_flags), Py_READONLY, NULL},
    {"co_names", _Py_T_OBJECT, OFF(co_names), Py_READONLY, NULL},
    {"co_filename", _Py_T_OBJECT, OFF(co_filename), Py_READONLY, NULL},
    {"co_name", _Py_T_OBJECT, OFF(co_name), Py_READONLY, NULL},
    {"co_qualname", _Py_T_OBJECT, OFF(co_qualname), Py_READONLY, NULL},
    {"co_firstlineno", Py_T_INT, OFF(co_firstlineno), Py_READONLY, NULL},
    {"co_linetable", _Py_T_OBJECT, OFF(co_linetable), Py_READONLY, NULL},
    {"co_exceptiontable", _Py_T_OBJECT, OFF(co_exceptiontable), Py_READONLY, NULL},
    {"co_consts", _Py_T_OBJECT, OFF(co_consts), Py_READONLY, NULL},
    {0},
};

/* ---- comparison ------------------------------------------------------------------------------ */

/* A key that tells 1 from 1.0 and 0.0 from -0.0, also inside tuples: new reference. */
PyObject *_PyCode_ConstantKey(PyObject *op)
{
    if (Py_IsNone(op) || op == Py_Ellipsis || PyLong_CheckExact(op) || PyUnicode_CheckExact(op)
        || PyCode_Check(op)) {
        return PyTuple_Pack(2, Py_TYPE(op), op);
    }
    if (PyBool_Check(op) || PyBytes_CheckExact(op)) {
        return PyTuple_Pack(2, Py_TYPE(op), op);
    }
    if (PyFloat_CheckExact(op)) {
        bool negative_zero = PyFloat_AS_DOUBLE(op) == 0.0 && signbit(PyFloat_AS_DOUBLE(op));
        return negative_zero ? PyTuple_Pack(3, Py_TYPE(op), op, Py_None)
                             : PyTuple_Pack(2, Py_TYPE(op), op);
    }
    if (PyComplex_CheckExact(op)) {
        Py_complex z = PyComplex_AsCComplex(op);
        int signs = (z.real == 0.0 && signbit(z.real)) + 2 * (z.imag == 0.0 && signbit(z.imag));
        return Py_BuildValue("OOi", Py_TYPE(op), op, signs);
    }
    if (PyTuple_CheckExact(op) || PyFrozenSet_CheckExact(op)) {
        PyObject *items = PySequence_Tuple(op), *keys = NULL, *key = NULL;
        keys = items ? PyTuple_New(PyTuple_GET_SIZE(items)) : NULL;
        for (Py_ssize_t i = 0; keys && i < PyTuple_GET_SIZE(items); i++) {
            PyObject *item = _PyCode_ConstantKey(PyTuple_GET_ITEM(items, i));
            if (item == NULL) {
                Py_CLEAR(keys);
                break;
            }
            PyTuple_SET_ITEM(keys, i, item);
        }
        if (keys && PyFrozenSet_CheckExact(op)) {
            Py_SETREF(keys, PyFrozenSet_New(keys));
        }
        key = keys ? PyTuple_Pack(2, keys, op) : NULL;
        Py_XDECREF(items);
        Py_XDECREF(keys);
        return key;
    }
    PyObject *id = PyLong_FromVoidPtr(op);
    PyObject *key = id ? PyTuple_Pack(2, op, id) : NULL;
    Py_XDECREF(id);
    return key;
}

static bool same_words(const struct code_body *a, const struct code_body *b)
{
    if (a->nwords != b->nwords || a->nsites != b->nsites) {
        return false;
    }
    for (uint32_t i = 0; i < a->nwords; i++) {
        if (code_base_word(a, i) != code_base_word(b, i)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < a->nsites; i++) {
        if (a->sites[i].arg != b->sites[i].arg || a->sites[i].arg2 != b->sites[i].arg2) {
            return false;
        }
    }
    return true;
}

static int equal_constants(PyObject *a, PyObject *b)
{
    PyObject *x = _PyCode_ConstantKey(a), *y = x ? _PyCode_ConstantKey(b) : NULL;
    int equal = y ? PyObject_RichCompareBool(x, y, Py_EQ) : -1;
    Py_XDECREF(x);
    Py_XDECREF(y);
    return equal;
}

static int code_equal(PyCodeObject *a, PyCodeObject *b)
{
    if (a->co_argcount != b->co_argcount || a->co_posonlyargcount != b->co_posonlyargcount
        || a->co_kwonlyargcount != b->co_kwonlyargcount || a->co_flags != b->co_flags
        || a->co_firstlineno != b->co_firstlineno || !same_words(code_body(a), code_body(b))) {
        return 0;
    }
    PyObject *pairs[][2] = {
        {a->co_name, b->co_name},
        {a->co_names, b->co_names},
        {a->co_localsplusnames, b->co_localsplusnames},
        {a->co_linetable, b->co_linetable},
        {a->co_exceptiontable, b->co_exceptiontable},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        int equal = PyObject_RichCompareBool(pairs[i][0], pairs[i][1], Py_EQ);
        if (equal <= 0) {
            return equal;
        }
    }
    return equal_constants(a->co_consts, b->co_consts);
}

static PyObject *code_richcompare(PyObject *self, PyObject *other, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyCode_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int equal = self == other ? 1 : code_equal(CODE(self), CODE(other));
    return equal < 0 ? NULL : PyBool_FromLong(equal == (op == Py_EQ));
}

static Py_hash_t code_hash(PyObject *self)
{
    PyCodeObject *code = CODE(self);
    struct code_body *body = code_body(code);
    Py_uhash_t hash = 20221211;
    PyObject *parts[] = {code->co_name,      code->co_consts,
                         code->co_names,     code->co_localsplusnames,
                         code->co_linetable, code->co_exceptiontable};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        Py_hash_t part = PyObject_Hash(parts[i]);
        if (part == -1) {
            return -1;
        }
        hash = (hash ^ (Py_uhash_t)part) * 1000003;
    }
    hash = (hash ^ (Py_uhash_t)code->co_argcount) * 1000003;
    hash = (hash ^ (Py_uhash_t)code->co_flags) * 1000003;
    hash = (hash ^ (Py_uhash_t)code->co_firstlineno) * 1000003;
    for (uint32_t i = 0; i < body->nwords; i++) {
        hash = (hash ^ code_base_word(body, i)) * 1000003;
    }
    return hash == (Py_uhash_t)-1 ? -2 : (Py_hash_t)hash;
}

/* ---- extra data of extensions ---------------------------------------------------------------- */

struct code_extra {
    Py_ssize_t size;
    void *items[];
};

static freefunc extra_free[255];
static Py_ssize_t extra_used;

Py_ssize_t PyUnstable_Eval_RequestCodeExtraIndex(freefunc free)
{
    if (extra_used == 255) {
        return -1;
    }
    extra_free[extra_used] = free;
    return extra_used++;
}

int PyUnstable_Code_GetExtra(PyObject *code, Py_ssize_t index, void **extra)
{
    if (!PyCode_Check(code)) {
        PyErr_BadInternalCall();
        return -1;
    }
    struct code_extra *have = CODE(code)->co_extra;
    *extra = have && index >= 0 && index < have->size ? have->items[index] : NULL;
    return 0;
}

int PyUnstable_Code_SetExtra(PyObject *code, Py_ssize_t index, void *extra)
{
    if (!PyCode_Check(code) || index < 0 || index >= extra_used) {
        PyErr_BadInternalCall();
        return -1;
    }
    struct code_extra *have = CODE(code)->co_extra;
    if (have == NULL || have->size <= index) {
        struct code_extra *more =
            PyMem_Realloc(have, sizeof *more + (size_t)extra_used * sizeof(void *));
        if (more == NULL) {
            return -1;
        }
        for (Py_ssize_t i = have ? more->size : 0; i < extra_used; i++) {
            more->items[i] = NULL;
        }
        more->size = extra_used;
        CODE(code)->co_extra = have = more;
    }
    void *old = have->items[index];
    have->items[index] = extra;
    if (old != NULL && extra_free[index] != NULL) {
        extra_free[index](old);
    }
    return 0;
}

/* ---- watchers -------------------------------------------------------------------------------- */

static PyCode_WatchCallback watchers[8];

int PyCode_AddWatcher(PyCode_WatchCallback callback)
{
    for (int i = 0; i < 8; i++) {
        if (watchers[i] == NULL) {
            watchers[i] = callback;
            return i;
        }
    }
    PyErr_SetString(PyExc_RuntimeError, "no more code watcher IDs available");
    return -1;
}

int PyCode_ClearWatcher(int id)
{
    if (id < 0 || id >= 8) {
        PyErr_Format(PyExc_ValueError, "Invalid code watcher ID %d", id);
        return -1;
    }
    if (watchers[id] == NULL) {
        PyErr_Format(PyExc_ValueError, "No code watcher set for ID %d", id);
        return -1;
    }
    watchers[id] = NULL;
    return 0;
}

void code_tell_watchers(PyCodeEvent event, PyCodeObject *code)
{
    for (int i = 0; i < 8; i++) {
        if (watchers[i] != NULL && watchers[i](event, code) < 0) {
            PyErr_FormatUnraisable("Exception ignored in %s watcher callback for %R",
                                   event == PY_CODE_EVENT_CREATE ? "PY_CODE_EVENT_CREATE"
                                                                 : "PY_CODE_EVENT_DESTROY",
                                   code);
        }
    }
}

PyObject *PyCode_Optimize(PyObject *code, PyObject *consts, PyObject *names, PyObject *lnotab)
{
    (void)consts, (void)names, (void)lnotab;
    return Py_NewRef(code);
}

/* ---- type ------------------------------------------------------------------------------------ */

static void body_free(void *op)
{
    struct code_body *body = op;
    for (uint32_t i = 0; i < body->nsites; i++) {
        uint64_t cache = body->sites[i].cache;
        if (cache != 0 && cache >> 48 == CACHE_ENTRY) {
            PyMem_RawFree((void *)(uintptr_t)cache);
        }
    }
    monitor_free(body->monitor);
    PyMem_RawFree(body);
}

static void code_dealloc(PyObject *self)
{
    PyCodeObject *code = CODE(self);
    Py_SET_REFCNT(self, 1);
    code_tell_watchers(PY_CODE_EVENT_DESTROY, code);
    struct code_extra *extra = code->co_extra;
    for (Py_ssize_t i = 0; extra && i < extra->size; i++) {
        if (extra->items[i] != NULL && extra_free[i] != NULL) {
            extra_free[i](extra->items[i]);
        }
    }
    PyMem_Free(extra);
    if (code->co_weakreflist != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    qsbr_retire(code_body(code), body_free);
    Py_XDECREF(code->co_consts);
    Py_XDECREF(code->co_names);
    Py_XDECREF(code->co_localsplusnames);
    Py_XDECREF(code->co_localspluskinds);
    Py_XDECREF(code->co_filename);
    Py_XDECREF(code->co_name);
    Py_XDECREF(code->co_qualname);
    Py_XDECREF(code->co_linetable);
    Py_XDECREF(code->co_exceptiontable);
    PyObject_Free(self);
}

static PyObject *code_repr(PyObject *self)
{
    PyCodeObject *code = CODE(self);
    int line = code->co_firstlineno != 0 ? code->co_firstlineno : -1;
    if (PyUnicode_Check(code->co_filename)) {
        return PyUnicode_FromFormat("<code object %U at %p, file \"%U\", line %d>", code->co_name,
                                    code, code->co_filename, line);
    }
    return PyUnicode_FromFormat("<code object %U at %p, file ???, line %d>", code->co_name, code,
                                line);
}

PyTypeObject PyCode_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "code",
    .tp_basicsize = offsetof(PyCodeObject, co_code_adaptive),
    .tp_itemsize = 2,
    .tp_dealloc = code_dealloc,
    .tp_repr = code_repr,
    .tp_hash = code_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = codetype_doc,
    .tp_richcompare = code_richcompare,
    .tp_weaklistoffset = offsetof(PyCodeObject, co_weakreflist),
    .tp_methods = codetype_methods,
    .tp_members = codetype_fields,
    .tp_getset = codetype_getset,
    .tp_new = bind_codetype_new,
};

PyTypeObject *const code_types[] = {&PyCode_Type, NULL};
