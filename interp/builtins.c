/* The builtins module: functions that do not belong to one type. */

#include "interp/state.h"
#include "interp/parse/parse.h"
#include "interp/vm/vm.h"
#include "objects/compare.h"
#include "objects/error.h"
#include "locking/world.h"

#include <ctype.h>
#include <unistd.h>

/* Cleanup of a converted argument that is an object. */
static void bind_drop(PyObject **object)
{
    Py_XDECREF(*object);
}

#include "builtins.bind.h"

/* ---- classes ----------------------------------------------------------------------------------- */

/* Replaces bases by what their __mro_entries__ say: a new reference to `bases` itself if none does. */
static PyObject *resolve_bases(PyObject *bases)
{
    PyObject *result = NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyObject *base = PyTuple_GET_ITEM(bases, i), *method = NULL, *entries;
        if (!PyType_Check(base)
            && PyObject_GetOptionalAttr(base, ID(__mro_entries__), &method) < 0) {
            goto fail;
        }
        if (method == NULL) {
            if (result != NULL && PyList_Append(result, base) < 0) {
                goto fail;
            }
            continue;
        }
        entries = PyObject_CallOneArg(method, bases);
        Py_DECREF(method);
        if (entries == NULL) {
            goto fail;
        }
        if (!PyTuple_Check(entries)) {
            Py_DECREF(entries);
            PyErr_SetString(PyExc_TypeError, "__mro_entries__ must return a tuple");
            goto fail;
        }
        if (result == NULL) {
            PyObject *before = PyTuple_GetSlice(bases, 0, i);
            result = before == NULL ? NULL : PySequence_List(before);
            Py_XDECREF(before);
        }
        int failed =
            result == NULL
            || PyList_SetSlice(result, PyList_GET_SIZE(result), PyList_GET_SIZE(result), entries)
                   < 0;
        Py_DECREF(entries);
        if (failed) {
            goto fail;
        }
    }
    if (result == NULL) {
        return Py_NewRef(bases);
    }
    PyObject *tuple = PyList_AsTuple(result);
    Py_DECREF(result);
    return tuple;
fail:
    Py_XDECREF(result);
    return NULL;
}

/* The most derived of the given metaclass and those of the bases (new reference). */
static PyObject *winning_metaclass(PyObject *metaclass, PyObject *bases)
{
    PyTypeObject *winner = (PyTypeObject *)metaclass;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *type = Py_TYPE(PyTuple_GET_ITEM(bases, i));
        if (PyType_IsSubtype(winner, type)) {
            continue;
        }
        if (PyType_IsSubtype(type, winner)) {
            winner = type;
            continue;
        }
        PyErr_SetString(PyExc_TypeError,
                        "metaclass conflict: the metaclass of a derived class must be a "
                        "(non-strict) subclass of the metaclasses of all its bases");
        return NULL;
    }
    return Py_NewRef(winner);
}

/* The metaclass, taken out of the keywords, or found by the bases (new reference). */
static PyObject *find_metaclass(PyObject *keywords, PyObject *bases)
{
    PyObject *metaclass = NULL;
    if (keywords != NULL && PyDict_Pop(keywords, ID(metaclass), &metaclass) < 0) {
        return NULL;
    }
    if (metaclass == NULL) {
        metaclass = PyTuple_GET_SIZE(bases) == 0 ? Py_NewRef(&PyType_Type)
                                                 : Py_NewRef(Py_TYPE(PyTuple_GET_ITEM(bases, 0)));
    } else if (!PyType_Check(metaclass)) {
        return metaclass; /* any callable will do */
    }
    PyObject *winner = winning_metaclass(metaclass, bases);
    Py_DECREF(metaclass);
    return winner;
}

/* The mapping that the class body runs in (new reference). */
static PyObject *prepare_namespace(PyObject *metaclass, PyObject *name, PyObject *bases,
                                   PyObject *keywords)
{
    PyObject *prepare;
    if (PyObject_GetOptionalAttr(metaclass, ID(__prepare__), &prepare) < 0) {
        return NULL;
    }
    if (prepare == NULL) {
        return PyDict_New();
    }
    PyObject *args[] = {name, bases};
    PyObject *namespace = PyObject_VectorcallDict(prepare, args, 2, keywords);
    Py_DECREF(prepare);
    if (namespace != NULL && !PyMapping_Check(namespace)) {
        PyErr_Format(PyExc_TypeError, "%.200s.__prepare__() must return a mapping, not %.200s",
                     PyType_Check(metaclass) ? ((PyTypeObject *)metaclass)->tp_name : "<metaclass>",
                     Py_TYPE(namespace)->tp_name);
        Py_CLEAR(namespace);
    }
    return namespace;
}

/* After the metaclass was called: __class__ must have been set to the new class. */
static int check_class_cell(PyObject *class, PyObject *cell, PyObject *name)
{
    if (class == NULL || cell == NULL || !PyType_Check(class) || !PyCell_Check(cell)) {
        return 0;
    }
    PyObject *value = PyCell_Get(cell);
    int result = 0;
    if (value == NULL) {
        PyErr_Format(PyExc_RuntimeError,
                     "__class__ not set defining %.200R as %.200R. "
                     "Was __classcell__ propagated to type.__new__?",
                     name, class);
        result = -1;
    } else if (value != class) {
        PyErr_Format(PyExc_TypeError, "__class__ set to %.200R defining %.200R as %.200R", value,
                     name, class);
        result = -1;
    }
    Py_XDECREF(value);
    return result;
}

static PyObject *make_class(PyObject *body, PyObject *name, PyObject *bases, PyObject *keywords)
{
    PyObject *resolved = resolve_bases(bases), *metaclass = NULL, *namespace = NULL, *cell = NULL;
    PyObject *class = NULL;
    if (resolved == NULL || (metaclass = find_metaclass(keywords, resolved)) == NULL
        || (namespace = prepare_namespace(metaclass, name, resolved, keywords)) == NULL
        || (cell = interp_eval(body, namespace)) == NULL) {
        goto done;
    }
    if (resolved != bases && PyObject_SetItem(namespace, ID(__orig_bases__), bases) < 0) {
        goto done;
    }
    PyObject *args[] = {name, resolved, namespace};
    class = PyObject_VectorcallDict(metaclass, args, 3, keywords);
    if (check_class_cell(class, cell, name) < 0) {
        Py_CLEAR(class);
    }
done:
    Py_XDECREF(cell);
    Py_XDECREF(namespace);
    Py_XDECREF(metaclass);
    Py_XDECREF(resolved);
    return class;
}

static PyObject *builtins_build_class(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                                      PyObject *kwnames)
{
    if (nargs < 2) {
        PyErr_SetString(PyExc_TypeError, "__build_class__: not enough arguments");
        return NULL;
    }
    if (!PyFunction_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "__build_class__: func must be a function");
        return NULL;
    }
    if (!PyUnicode_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "__build_class__: name is not a string");
        return NULL;
    }
    PyObject *bases = PyTuple_New(nargs - 2);
    if (bases == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 2; i < nargs; i++) {
        PyTuple_SET_ITEM(bases, i - 2, Py_NewRef(args[i]));
    }
    PyObject *keywords = NULL, *class = NULL;
    if (kwnames != NULL) {
        keywords = PyDict_New();
        for (Py_ssize_t i = 0; keywords != NULL && i < PyTuple_GET_SIZE(kwnames); i++) {
            if (PyDict_SetItem(keywords, PyTuple_GET_ITEM(kwnames, i), args[nargs + i]) < 0) {
                Py_CLEAR(keywords);
            }
        }
        if (keywords == NULL) {
            Py_DECREF(bases);
            return NULL;
        }
    }
    class = make_class(args[0], args[1], bases, keywords);
    Py_XDECREF(keywords);
    Py_DECREF(bases);
    return class;
}

static PyObject *builtins_import(PyObject *module, PyObject *name, PyObject *globals,
                                 PyObject *locals, PyObject *fromlist, int level)
{
    return PyImport_ImportModuleLevelObject(name, globals, locals, fromlist, level);
}

/* ---- truth of many ------------------------------------------------------------------------------ */

/* PyIter_Next(), a safe point too, giving a word: numbers that a generator yields need no objects. */
static value_t next_word(PyObject *iterator)
{
    if (safe_point() < 0) {
        return VALUE_NULL;
    }
    value_t v = PyGen_CheckExact(iterator) ? gen_next_word(iterator) : iter_next_word(iterator);
    if (unlikely(v == VALUE_NULL) && PyErr_Occurred()
        && PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyErr_Clear();
    }
    return v;
}

/* PyIter_Next(), and a safe point. */
static inline PyObject *next_object(PyObject *iterator)
{
    if (safe_point() < 0) {
        return NULL;
    }
    PyObject *item = iter_next_object(iterator);
    if (unlikely(item == NULL) && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyErr_Clear();
    }
    return item;
}

/* 1 if some item's truth is `wanted`, 0 if none's, -1 with an exception. */
static int find_truth(PyObject *iterable, int wanted)
{
    PyObject *iterator = PyObject_GetIter(iterable);
    if (iterator == NULL) {
        return -1;
    }
    int found = 0;
    value_t item;
    while (found == 0 && (item = next_word(iterator)) != VALUE_NULL) {
        int truth = value_truth_fast(item);
        if (truth < 0) {
            truth = PyObject_IsTrue(value_object(item));
        }
        value_release(item);
        found = truth < 0 ? -1 : truth == wanted;
    }
    Py_DECREF(iterator);
    return found == 0 && PyErr_Occurred() ? -1 : found;
}

static int builtins_all(PyObject *module, PyObject *iterable)
{
    int found = find_truth(iterable, 0);
    return found < 0 ? -1 : !found;
}

static int builtins_any(PyObject *module, PyObject *iterable)
{
    return find_truth(iterable, 1);
}

/* ---- one-line functions --------------------------------------------------------------------------- */

static PyObject *builtins_abs(PyObject *module, PyObject *x)
{
    return PyNumber_Absolute(x);
}

static PyObject *builtins_ascii(PyObject *module, PyObject *obj)
{
    return PyObject_ASCII(obj);
}

static PyObject *builtins_bin(PyObject *module, PyObject *number)
{
    return PyNumber_ToBase(number, 2);
}

static PyObject *builtins_oct(PyObject *module, PyObject *number)
{
    return PyNumber_ToBase(number, 8);
}

static PyObject *builtins_hex(PyObject *module, PyObject *number)
{
    return PyNumber_ToBase(number, 16);
}

static int builtins_callable(PyObject *module, PyObject *obj)
{
    return PyCallable_Check(obj);
}

static PyObject *builtins_chr(PyObject *module, PyObject *i)
{
    int overflow;
    long code = PyLong_AsLongAndOverflow(i, &overflow);
    if (code == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (overflow != 0 || code < 0 || code > 0x10ffff) {
        PyErr_SetString(PyExc_ValueError, "chr() arg not in range(0x110000)");
        return NULL;
    }
    return PyUnicode_FromOrdinal((int)code);
}

static int builtins_delattr(PyObject *module, PyObject *obj, PyObject *name)
{
    return PyObject_DelAttr(obj, name);
}

static int builtins_setattr(PyObject *module, PyObject *obj, PyObject *name, PyObject *value)
{
    return PyObject_SetAttr(obj, name, value);
}

static PyObject *builtins_dir(PyObject *module, PyObject *obj)
{
    return PyObject_Dir(obj);
}

static PyObject *builtins_divmod(PyObject *module, PyObject *x, PyObject *y)
{
    return PyNumber_Divmod(x, y);
}

static PyObject *builtins_format(PyObject *module, PyObject *value, PyObject *format_spec)
{
    return PyObject_Format(value, format_spec);
}

static PyObject *builtins_hash(PyObject *module, PyObject *obj)
{
    Py_hash_t hash = PyObject_Hash(obj);
    return hash == -1 && PyErr_Occurred() ? NULL : PyLong_FromSsize_t(hash);
}

static PyObject *builtins_id(PyObject *module, PyObject *obj)
{
    PyObject *id = PyLong_FromVoidPtr(obj);
    if (id != NULL && PySys_Audit("builtins.id", "O", id) < 0) {
        Py_CLEAR(id);
    }
    return id;
}

static int builtins_isinstance(PyObject *module, PyObject *obj, PyObject *class_or_tuple)
{
    return PyObject_IsInstance(obj, class_or_tuple);
}

static int builtins_issubclass(PyObject *module, PyObject *cls, PyObject *class_or_tuple)
{
    return PyObject_IsSubclass(cls, class_or_tuple);
}

static PyObject *builtins_len(PyObject *module, PyObject *obj)
{
    Py_ssize_t length = PyObject_Size(obj);
    return length < 0 ? NULL : PyLong_FromSsize_t(length);
}

static PyObject *builtins_pow(PyObject *module, PyObject *base, PyObject *exp, PyObject *mod)
{
    return PyNumber_Power(base, exp, mod);
}

static PyObject *builtins_repr(PyObject *module, PyObject *obj)
{
    return PyObject_Repr(obj);
}

static PyObject *builtins_breakpoint(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                                     PyObject *kwnames)
{
    PyObject *hook = sys_get(ID(breakpointhook));
    if (hook == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "lost sys.breakpointhook");
        return NULL;
    }
    PyObject *result = NULL;
    if (PySys_Audit("builtins.breakpoint", "O", hook) == 0) {
        result = PyObject_Vectorcall(hook, args, (size_t)nargs, kwnames);
    }
    Py_DECREF(hook);
    return result;
}

static PyObject *builtins_ord(PyObject *module, PyObject *c)
{
    Py_ssize_t length;
    if (PyUnicode_Check(c)) {
        length = PyUnicode_GET_LENGTH(c);
        if (length == 1) {
            return PyLong_FromLong((long)PyUnicode_READ_CHAR(c, 0));
        }
    } else if (PyBytes_Check(c)) {
        length = PyBytes_GET_SIZE(c);
        if (length == 1) {
            return PyLong_FromLong((unsigned char)PyBytes_AS_STRING(c)[0]);
        }
    } else if (PyByteArray_Check(c)) {
        length = PyByteArray_GET_SIZE(c);
        if (length == 1) {
            return PyLong_FromLong((unsigned char)PyByteArray_AS_STRING(c)[0]);
        }
    } else {
        PyErr_Format(PyExc_TypeError, "ord() expected string of length 1, but %.200s found",
                     Py_TYPE(c)->tp_name);
        return NULL;
    }
    PyErr_Format(PyExc_TypeError, "ord() expected a character, but string of length %zd found",
                 length);
    return NULL;
}

static PyObject *builtins_round(PyObject *module, PyObject *number, PyObject *ndigits)
{
    PyObject *method = object_lookup_special(number, ID(__round__));
    if (method == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_TypeError, "type %.100s doesn't define __round__ method",
                         Py_TYPE(number)->tp_name);
        }
        return NULL;
    }
    PyObject *result =
        ndigits == Py_None ? PyObject_CallNoArgs(method) : PyObject_CallOneArg(method, ndigits);
    Py_DECREF(method);
    return result;
}

/* ---- attributes, iteration --------------------------------------------------------------------------- */

static PyObject *builtins_getattr(PyObject *module, PyObject *object, PyObject *name,
                                  PyObject *fallback)
{
    if (fallback == NULL) {
        return PyObject_GetAttr(object, name);
    }
    PyObject *value;
    if (PyObject_GetOptionalAttr(object, name, &value) < 0) {
        return NULL;
    }
    return value != NULL ? value : Py_NewRef(fallback);
}

static int builtins_hasattr(PyObject *module, PyObject *obj, PyObject *name)
{
    return PyObject_HasAttrWithError(obj, name);
}

static PyObject *builtins_iter(PyObject *module, PyObject *object, PyObject *sentinel)
{
    if (sentinel == NULL) {
        return PyObject_GetIter(object);
    }
    if (!PyCallable_Check(object)) {
        PyErr_SetString(PyExc_TypeError, "iter(v, w): v must be callable");
        return NULL;
    }
    return PyCallIter_New(object, sentinel);
}

static PyObject *builtins_aiter(PyObject *module, PyObject *async_iterable)
{
    return PyObject_GetAIter(async_iterable);
}

static PyObject *builtins_anext(PyObject *module, PyObject *iterator, PyObject *fallback)
{
    PyTypeObject *type = Py_TYPE(iterator);
    if (type->tp_as_async == NULL || type->tp_as_async->am_anext == NULL) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an async iterator", type->tp_name);
        return NULL;
    }
    PyObject *awaitable = type->tp_as_async->am_anext(iterator);
    if (awaitable == NULL || fallback == NULL) {
        return awaitable;
    }
    PyObject *result = anext_awaitable_new(awaitable, fallback);
    Py_DECREF(awaitable);
    return result;
}

static PyObject *builtins_next(PyObject *module, PyObject *iterator, PyObject *fallback)
{
    if (!PyIter_Check(iterator)) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an iterator",
                     Py_TYPE(iterator)->tp_name);
        return NULL;
    }
    PyObject *item = Py_TYPE(iterator)->tp_iternext(iterator);
    if (item != NULL) {
        return item;
    }
    if (fallback != NULL) {
        if (PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
                return NULL;
            }
            PyErr_Clear();
        }
        return Py_NewRef(fallback);
    }
    if (!PyErr_Occurred()) {
        PyErr_SetNone(PyExc_StopIteration);
    }
    return NULL;
}

/* ---- compiling and running ---------------------------------------------------------------------------- */

/* Inherits the future features of the code that called us. */
static void inherit_flags(PyCompilerFlags *flags)
{
    PyEval_MergeCompilerFlags(flags);
}

/* An ast object: compiled, or with PyCF_ONLY_AST checked and given back. */
static PyObject *compile_ast(PyObject *source, PyObject *filename, int start, int mode,
                             PyCompilerFlags *flags, int optimize)
{
    if ((flags->cf_flags & PyCF_OPTIMIZED_AST) == PyCF_ONLY_AST) {
        return Py_NewRef(source);
    }
    struct arena arena;
    arena_init(&arena);
    PyObject *result = NULL;
    struct ast_module *tree = ast_from_object(source, (enum parse_mode)mode, &arena);
    if (tree != NULL && ast_validate(tree) == 0) {
        result = compile_parsed(tree, filename, flags, optimize, &arena);
    }
    arena_clear(&arena);
    return result;
}

const char *source_text(PyObject *source, const char *function, const char *what,
                        PyCompilerFlags *flags, PyObject **owner, Py_ssize_t *length)
{
    const char *text;
    *owner = NULL;
    if (PyUnicode_Check(source)) {
        flags->cf_flags |= PyCF_IGNORE_COOKIE;
        text = PyUnicode_AsUTF8AndSize(source, length);
        *owner = text == NULL ? NULL : Py_NewRef(source);
    } else if (PyBytes_Check(source)) {
        text = PyBytes_AS_STRING(source);
        *length = PyBytes_GET_SIZE(source);
        *owner = Py_NewRef(source);
    } else if (PyObject_CheckBuffer(source)) {
        *owner = PyBytes_FromObject(source);
        text = *owner == NULL ? NULL : PyBytes_AS_STRING(*owner);
        *length = *owner == NULL ? 0 : PyBytes_GET_SIZE(*owner);
    } else {
        PyErr_Format(PyExc_TypeError, "%s() arg 1 must be a %s object", function, what);
        return NULL;
    }
    if (text != NULL && memchr(text, 0, (size_t)*length) != NULL) {
        PyErr_SetString(PyExc_SyntaxError, "source code string cannot contain null bytes");
        Py_CLEAR(*owner);
        return NULL;
    }
    return text;
}

static int mode_of(const char *mode, int flags)
{
    if (strcmp(mode, "exec") == 0) {
        return PARSE_FILE;
    }
    if (strcmp(mode, "eval") == 0) {
        return PARSE_EVAL;
    }
    if (strcmp(mode, "single") == 0) {
        return PARSE_SINGLE;
    }
    if (strcmp(mode, "func_type") == 0) {
        if (!(flags & PyCF_ONLY_AST)) {
            return raise_value("compile() mode 'func_type' requires flag PyCF_ONLY_AST");
        }
        return PARSE_FUNCTYPE;
    }
    return raise_value(flags & PyCF_ONLY_AST
                           ? "compile() mode must be 'exec', 'eval', 'single' or 'func_type'"
                           : "compile() mode must be 'exec', 'eval' or 'single'");
}

static PyObject *builtins_compile(PyObject *module, PyObject *source, PyObject *filename,
                                  const char *mode, int flags, int dont_inherit, int optimize,
                                  int feature_version)
{
    PyCompilerFlags cf = _PyCompilerFlags_INIT;
    cf.cf_flags = flags | PyCF_SOURCE_IS_UTF8;
    if (feature_version >= 0 && (flags & PyCF_ONLY_AST)) {
        cf.cf_feature_version = feature_version;
    }
    if (flags & ~(PyCF_MASK | PyCF_MASK_OBSOLETE | PyCF_COMPILE_MASK)) {
        raise_value("compile(): unrecognised flags");
        return NULL;
    }
    if (optimize < -1 || optimize > 2) {
        raise_value("compile(): invalid optimize value");
        return NULL;
    }
    if (!dont_inherit) {
        inherit_flags(&cf);
    }
    int start = mode_of(mode, flags);
    if (start < 0) {
        return NULL;
    }
    int is_ast = ast_object_check(source);
    if (is_ast < 0) {
        return NULL;
    }
    if (is_ast) {
        return compile_ast(source, filename, start, start, &cf, optimize);
    }
    PyObject *owner;
    Py_ssize_t length;
    const char *text = source_text(source, "compile", "string, bytes or AST", &cf, &owner, &length);
    if (text == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    if (PySys_Audit("compile", "OO", source, filename) == 0) {
        result = compile_source(text, (size_t)length, filename, start, &cf, optimize);
    }
    Py_DECREF(owner);
    return result;
}

struct scope {
    PyObject *globals, *locals; /* owned */
};

static void scope_clear(struct scope *scope)
{
    Py_CLEAR(scope->globals);
    Py_CLEAR(scope->locals);
}

/* Where eval() and exec() run: what was given, else the caller's. */
static int scope_init(struct scope *scope, PyObject *globals, PyObject *locals,
                      const char *function)
{
    *scope = (struct scope){NULL, NULL};
    if (locals != Py_None && !PyMapping_Check(locals)) {
        return strcmp(function, "exec") == 0 ? raise_type(
                   "exec() locals must be a mapping or None, not %.100s", Py_TYPE(locals)->tp_name)
                                             : raise_type("locals must be a mapping");
    }
    if (globals != Py_None && !PyDict_Check(globals)) {
        if (strcmp(function, "exec") == 0) {
            return raise_type("exec() globals must be a dict, not %.100s",
                              Py_TYPE(globals)->tp_name);
        }
        return raise_type(PyMapping_Check(globals)
                              ? "globals must be a real dict; try eval(code, {}, mapping)"
                              : "globals must be a dict");
    }
    if (globals == Py_None) {
        scope->globals = Py_XNewRef(PyEval_GetGlobals());
        if (scope->globals == NULL) {
            PyErr_Format(PyExc_SystemError,
                         "%s must be given globals and locals when called "
                         "without a frame",
                         function);
            return -1;
        }
        if (locals == Py_None) {
            scope->locals = PyEval_GetFrameLocals();
            if (scope->locals == NULL) {
                scope_clear(scope);
                return -1;
            }
        }
    } else {
        scope->globals = Py_NewRef(globals);
    }
    if (scope->locals == NULL) {
        scope->locals = Py_NewRef(locals == Py_None ? scope->globals : locals);
    }
    int known = PyDict_Contains(scope->globals, ID(__builtins__));
    if (known < 0
        || (known == 0
            && PyDict_SetItem(scope->globals, ID(__builtins__), PyEval_GetBuiltins()) < 0)) {
        scope_clear(scope);
        return -1;
    }
    return 0;
}

static PyObject *eval_in(struct scope *scope, PyObject *source)
{
    if (PyCode_Check(source)) {
        if (PySys_Audit("exec", "O", source) < 0) {
            return NULL;
        }
        if (PyCode_GetNumFree((PyCodeObject *)source) > 0) {
            PyErr_SetString(PyExc_TypeError,
                            "code object passed to eval() may not contain free variables");
            return NULL;
        }
        return PyEval_EvalCode(source, scope->globals, scope->locals);
    }
    PyCompilerFlags cf = _PyCompilerFlags_INIT;
    cf.cf_flags = PyCF_SOURCE_IS_UTF8;
    PyObject *owner;
    Py_ssize_t length;
    const char *text = source_text(source, "eval", "string, bytes or code", &cf, &owner, &length);
    if (text == NULL) {
        return NULL;
    }
    while (length > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        length--;
    }
    inherit_flags(&cf);
    PyObject *result =
        run_text(text, (size_t)length, PARSE_EVAL, scope->globals, scope->locals, &cf);
    Py_DECREF(owner);
    return result;
}

static PyObject *builtins_eval(PyObject *module, PyObject *source, PyObject *globals,
                               PyObject *locals)
{
    struct scope scope;
    if (scope_init(&scope, globals, locals, "eval") < 0) {
        return NULL;
    }
    PyObject *result = eval_in(&scope, source);
    scope_clear(&scope);
    return result;
}

/* The closure given to exec() must fit the code. */
static int check_closure(PyObject *source, PyObject *closure)
{
    Py_ssize_t wanted = PyCode_GetNumFree((PyCodeObject *)source);
    if (wanted == 0) {
        return closure == NULL ? 0 : raise_type("cannot use a closure with this code object");
    }
    bool fits =
        closure != NULL && PyTuple_CheckExact(closure) && PyTuple_GET_SIZE(closure) == wanted;
    for (Py_ssize_t i = 0; fits && i < wanted; i++) {
        fits = PyCell_Check(PyTuple_GET_ITEM(closure, i));
    }
    return fits ? 0 : raise_type("code object requires a closure of exactly length %zd", wanted);
}

static PyObject *exec_in(struct scope *scope, PyObject *source, PyObject *closure)
{
    if (closure == Py_None) {
        closure = NULL;
    }
    if (PyCode_Check(source)) {
        if (check_closure(source, closure) < 0 || PySys_Audit("exec", "O", source) < 0) {
            return NULL;
        }
        if (closure == NULL) {
            return PyEval_EvalCode(source, scope->globals, scope->locals);
        }
        return PyEval_EvalCodeEx(source, scope->globals, scope->locals, NULL, 0, NULL, 0, NULL, 0,
                                 NULL, closure);
    }
    if (closure != NULL) {
        PyErr_SetString(PyExc_TypeError, "closure can only be used when source is a code object");
        return NULL;
    }
    PyCompilerFlags cf = _PyCompilerFlags_INIT;
    cf.cf_flags = PyCF_SOURCE_IS_UTF8;
    PyObject *owner;
    Py_ssize_t length;
    const char *text = source_text(source, "exec", "string, bytes or code", &cf, &owner, &length);
    if (text == NULL) {
        return NULL;
    }
    inherit_flags(&cf);
    PyObject *result =
        run_text(text, (size_t)length, PARSE_FILE, scope->globals, scope->locals, &cf);
    Py_DECREF(owner);
    return result;
}

static int builtins_exec(PyObject *module, PyObject *source, PyObject *globals, PyObject *locals,
                         PyObject *closure)
{
    struct scope scope;
    if (scope_init(&scope, globals, locals, "exec") < 0) {
        return -1;
    }
    PyObject *result = exec_in(&scope, source, closure);
    scope_clear(&scope);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static PyObject *builtins_globals(PyObject *module)
{
    PyObject *globals = PyEval_GetGlobals();
    if (globals == NULL && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_SystemError, "globals() needs a running frame");
    }
    return Py_XNewRef(globals);
}

static PyObject *builtins_locals(PyObject *module)
{
    return PyEval_GetFrameLocals();
}

static PyObject *builtins_vars(PyObject *module, PyObject *object)
{
    if (object == NULL) {
        return PyEval_GetFrameLocals();
    }
    PyObject *dict;
    if (PyObject_GetOptionalAttr(object, ID(__dict__), &dict) == 0) {
        PyErr_SetString(PyExc_TypeError, "vars() argument must have __dict__ attribute");
    }
    return dict;
}

/* ---- max, min ------------------------------------------------------------------------------------------ */

struct extremum {
    int op;
    const char *name;
    PyObject *key, *fallback; /* borrowed, may be NULL */
};

static int extremum_keywords(struct extremum *ex, PyObject *const *values, PyObject *kwnames)
{
    const struct bind_spec spec = {.fname = ex->name, .names = "\3key\7default", .count = 2};
    PyObject *slots[2];
    if (kwnames == NULL) {
        return 0;
    }
    if (bind_unpack(&spec, values, 0, kwnames, NULL, slots) == NULL) {
        return -1;
    }
    ex->key = slots[0] == Py_None ? NULL : slots[0];
    ex->fallback = slots[1];
    return 0;
}

static int beats(const struct extremum *ex, PyObject *key, PyObject *best_key)
{
    int plain = compare_plain(key, best_key, ex->op);
    return likely(plain >= 0) ? plain : PyObject_RichCompareBool(key, best_key, ex->op);
}

/* Puts item (owned) and its key in place of the best so far if it beats it; takes the reference. Without a key function
 * the item is its own key, and is held once. */
static int consider(const struct extremum *ex, PyObject *item, PyObject **best, PyObject **best_key)
{
    PyObject *key = ex->key == NULL ? item : PyObject_CallOneArg(ex->key, item);
    if (key == NULL) {
        Py_DECREF(item);
        return -1;
    }
    int wins = *best == NULL ? 1 : beats(ex, key, *best_key);
    if (wins > 0) {
        PyObject *old = *best, *old_key = *best_key;
        *best = item;
        *best_key = key;
        item = old;
        key = old_key;
    }
    if (ex->key != NULL) {
        Py_XDECREF(key);
    }
    Py_XDECREF(item);
    return wins < 0 ? -1 : 0;
}

static PyObject *extremum_of_iterable(const struct extremum *ex, PyObject *iterable)
{
    PyObject *iterator = PyObject_GetIter(iterable);
    if (iterator == NULL) {
        return NULL;
    }
    PyObject *best = NULL, *best_key = NULL, *item;
    int result = 0;
    while (result == 0 && (item = next_object(iterator)) != NULL) {
        result = consider(ex, item, &best, &best_key);
    }
    Py_DECREF(iterator);
    if (ex->key != NULL) {
        Py_XDECREF(best_key);
    }
    if (result < 0 || PyErr_Occurred()) {
        Py_XDECREF(best);
        return NULL;
    }
    if (best == NULL && ex->fallback == NULL) {
        PyErr_Format(PyExc_ValueError, "%s() iterable argument is empty", ex->name);
    }
    return best != NULL ? best : Py_XNewRef(ex->fallback);
}

static PyObject *extremum(struct extremum *ex, PyObject *const *args, Py_ssize_t nargs,
                          PyObject *kwnames)
{
    if (nargs == 0) {
        PyErr_Format(PyExc_TypeError, "%s expected at least 1 argument, got 0", ex->name);
        return NULL;
    }
    if (extremum_keywords(ex, args + nargs, kwnames) < 0) {
        return NULL;
    }
    if (nargs == 1) {
        return extremum_of_iterable(ex, args[0]);
    }
    if (ex->fallback != NULL) {
        PyErr_Format(PyExc_TypeError,
                     "Cannot specify a default for %s() with multiple "
                     "positional arguments",
                     ex->name);
        return NULL;
    }
    PyObject *best = NULL, *best_key = NULL;
    int result = 0;
    for (Py_ssize_t i = 0; i < nargs && result == 0; i++) {
        result = consider(ex, Py_NewRef(args[i]), &best, &best_key);
    }
    if (ex->key != NULL) {
        Py_XDECREF(best_key);
    }
    if (result < 0) {
        Py_CLEAR(best);
    }
    return best;
}

static PyObject *builtins_max(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                              PyObject *kwnames)
{
    struct extremum ex = {.op = Py_GT, .name = "max"};
    return extremum(&ex, args, nargs, kwnames);
}

static PyObject *builtins_min(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                              PyObject *kwnames)
{
    struct extremum ex = {.op = Py_LT, .name = "min"};
    return extremum(&ex, args, nargs, kwnames);
}

/* ---- sorted, sum ------------------------------------------------------------------------------------------ */

static PyObject *builtins_sorted(PyObject *module, PyObject *iterable, PyObject *key,
                                 PyObject *reverse)
{
    PyObject *list = PySequence_List(iterable);
    PyObject *sort = list == NULL ? NULL : PyObject_GetAttr(list, ID(sort));
    if (sort == NULL) {
        Py_XDECREF(list);
        return NULL;
    }
    PyObject *args[] = {key, reverse == NULL ? Py_False : reverse};
    PyObject *names = PyTuple_Pack(2, ID(key), ID(reverse));
    PyObject *result = names == NULL ? NULL : PyObject_Vectorcall(sort, args, 0, names);
    Py_XDECREF(names);
    Py_DECREF(sort);
    if (result == NULL) {
        Py_CLEAR(list);
    }
    Py_XDECREF(result);
    return list;
}

/* A running sum in machine numbers, as long as all items are of the expected types. */
struct machine_sum {
    enum { SUM_OBJECTS, SUM_INTS, SUM_FLOATS } kind;
    long long integer;
    double value, compensation;
};

/* Neumaier's summation: the rounding error of each step is kept apart. */
static void add_float(struct machine_sum *sum, double x)
{
    double total = sum->value + x;
    if (__builtin_fabs(sum->value) >= __builtin_fabs(x)) {
        sum->compensation += (sum->value - total) + x;
    } else {
        sum->compensation += (x - total) + sum->value;
    }
    sum->value = total;
}

static PyObject *machine_sum_object(const struct machine_sum *sum)
{
    if (sum->kind == SUM_INTS) {
        return PyLong_FromLongLong(sum->integer);
    }
    double value = sum->value;
    if (sum->compensation != 0.0 && __builtin_isfinite(sum->compensation)) {
        value += sum->compensation;
    }
    return PyFloat_FromDouble(value);
}

/* 1, or 0 with the sum as it was. */
static int add_integer(struct machine_sum *sum, long long number)
{
    long long total;
    if (__builtin_add_overflow(sum->integer, number, &total)) {
        return 0;
    }
    sum->integer = total;
    return 1;
}

/* Of integers beyond this, floats do not hold every one. */
#define EXACT_IN_FLOAT(i) ((i) <= (1LL << 53) && (i) >= -(1LL << 53))

/* The same for a number of the other kind: what the sum is from now on is a float. */
static int machine_sum_add_number(struct machine_sum *sum, value_t word)
{
    if (sum->kind == SUM_INTS) {
        if (!EXACT_IN_FLOAT(sum->integer)) {
            return 0;
        }
        *sum = (struct machine_sum){SUM_FLOATS, 0, (double)sum->integer, 0.0};
    }
    add_float(sum, value_as_double(word));
    return 1;
}

/* 1: the item is in the sum. 0: it does not fit. */
static int machine_sum_add(struct machine_sum *sum, value_t word)
{
    if (value_is_int(word) && sum->kind == SUM_INTS) {
        return add_integer(sum, value_int(word));
    }
    if (value_is_double(word) && sum->kind == SUM_FLOATS) {
        add_float(sum, value_double(word));
        return 1;
    }
    if (value_is_number(word)) {
        return machine_sum_add_number(sum, word);
    }
    PyObject *item = value_object(word);
    if (PyLong_CheckExact(item) && sum->kind == SUM_INTS
        && PyUnstable_Long_IsCompact((PyLongObject *)item)) {
        return add_integer(sum, PyUnstable_Long_CompactValue((PyLongObject *)item));
    }
    if (PyLong_CheckExact(item) || PyBool_Check(item)) {
        int overflow;
        long long number = PyLong_AsLongLongAndOverflow(item, &overflow);
        if (overflow != 0) {
            return 0;
        }
        if (sum->kind == SUM_FLOATS) {
            if (!EXACT_IN_FLOAT(number)) {
                return 0;
            }
            add_float(sum, (double)number);
            return 1;
        }
        return add_integer(sum, number);
    }
    if (!PyFloat_CheckExact(item)) {
        return 0;
    }
    if (sum->kind == SUM_INTS) {
        if (!EXACT_IN_FLOAT(sum->integer)) {
            return 0;
        }
        *sum = (struct machine_sum){SUM_FLOATS, 0, (double)sum->integer, 0.0};
    }
    add_float(sum, PyFloat_AS_DOUBLE(item));
    return 1;
}

static bool machine_sum_start(struct machine_sum *sum, PyObject *start)
{
    *sum = (struct machine_sum){SUM_OBJECTS, 0, 0.0, 0.0};
    if (PyLong_CheckExact(start)) {
        int overflow;
        sum->integer = PyLong_AsLongLongAndOverflow(start, &overflow);
        sum->kind = overflow == 0 ? SUM_INTS : SUM_OBJECTS;
    } else if (PyFloat_CheckExact(start)) {
        sum->kind = SUM_FLOATS;
        sum->value = PyFloat_AS_DOUBLE(start);
    }
    return sum->kind != SUM_OBJECTS;
}

/* The machine's sum of items from `iterator`, up to the first that does not fit, which is returned in
 * *item (owned, NULL at the end). */
static PyObject *sum_machine(PyObject *iterator, PyObject *start, PyObject **item)
{
    struct machine_sum sum;
    *item = NULL;
    if (!machine_sum_start(&sum, start)) {
        return Py_NewRef(start);
    }
    value_t word;
    while ((word = next_word(iterator)) != VALUE_NULL && machine_sum_add(&sum, word)) {
        value_release(word);
    }
    if (word != VALUE_NULL) {
        *item = value_to_owned(word);
    }
    if (*item == NULL && PyErr_Occurred()) {
        return NULL;
    }
    return machine_sum_object(&sum);
}

static int check_sum_start(PyObject *start)
{
    if (PyUnicode_Check(start)) {
        return raise_type("sum() can't sum strings [use ''.join(seq) instead]");
    }
    if (PyBytes_Check(start)) {
        return raise_type("sum() can't sum bytes [use b''.join(seq) instead]");
    }
    if (PyByteArray_Check(start)) {
        return raise_type("sum() can't sum bytearray [use b''.join(seq) instead]");
    }
    return 0;
}

static PyObject *builtins_sum(PyObject *module, PyObject *iterable, PyObject *start)
{
    PyObject *iterator = PyObject_GetIter(iterable);
    if (iterator == NULL) {
        return NULL;
    }
    PyObject *zero = start == NULL ? PyLong_FromLong(0) : Py_NewRef(start);
    PyObject *item = NULL, *result = NULL;
    if (zero != NULL && check_sum_start(zero) == 0) {
        result = sum_machine(iterator, zero, &item);
    }
    Py_XDECREF(zero);
    while (result != NULL) {
        if (item == NULL && (item = PyIter_Next(iterator)) == NULL) {
            break;
        }
        Py_SETREF(result, PyNumber_Add(result, item));
        Py_CLEAR(item);
    }
    if (result != NULL && PyErr_Occurred()) {
        Py_CLEAR(result);
    }
    Py_XDECREF(item);
    Py_DECREF(iterator);
    return result;
}

/* ---- print, input -------------------------------------------------------------------------------------------- */

static int check_separator(PyObject **text, const char *name)
{
    if (*text == Py_None) {
        *text = NULL;
    } else if (*text != NULL && !PyUnicode_Check(*text)) {
        return raise_type("%s must be None or a string, not %.200s", name, Py_TYPE(*text)->tp_name);
    }
    return 0;
}

static int write_text(PyObject *file, PyObject *text, const char *standard)
{
    return text == NULL ? PyFile_WriteString(standard, file)
                        : PyFile_WriteObject(text, file, Py_PRINT_RAW);
}

static int flush_file(PyObject *file)
{
    PyObject *result = PyObject_CallMethodNoArgs(file, ID(flush));
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static int print_to(PyObject *file, PyObject *const *args, Py_ssize_t nargs, PyObject *sep,
                    PyObject *end, int flush)
{
    for (Py_ssize_t i = 0; i < nargs; i++) {
        if (i > 0 && write_text(file, sep, " ") < 0) {
            return -1;
        }
        if (PyFile_WriteObject(args[i], file, Py_PRINT_RAW) < 0) {
            return -1;
        }
    }
    if (write_text(file, end, "\n") < 0) {
        return -1;
    }
    return flush ? flush_file(file) : 0;
}

static int builtins_print(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *sep,
                          PyObject *end, PyObject *file, int flush)
{
    if (check_separator(&sep, "sep") < 0 || check_separator(&end, "end") < 0) {
        return -1;
    }
    if (file != Py_None) {
        return print_to(file, args, nargs, sep, end, flush);
    }
    file = sys_get(ID(stdout));
    if (file == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "lost sys.stdout");
        return -1;
    }
    /* sys.stdout is None where there is no terminal. */
    int result = file == Py_None ? 0 : print_to(file, args, nargs, sep, end, flush);
    Py_DECREF(file);
    return result;
}

/* sys.NAME, which must be there: new reference. */
static PyObject *standard_stream(PyObject *name, const char *lost)
{
    PyObject *file = sys_get(name);
    if (file == NULL || file == Py_None) {
        Py_XDECREF(file);
        PyErr_SetString(PyExc_RuntimeError, lost);
        return NULL;
    }
    return file;
}

/* Is `file` the process's own stream `number`, on a terminal? */
static int is_terminal(PyObject *file, int number)
{
    PyObject *fileno = PyObject_CallMethodNoArgs(file, ID(fileno));
    if (fileno == NULL) {
        PyErr_Clear();
        return 0;
    }
    long fd = PyLong_AsLong(fileno);
    Py_DECREF(fileno);
    if (fd == -1 && PyErr_Occurred()) {
        return -1;
    }
    return fd == number && isatty(number);
}

static PyObject *input_line(PyObject *in, PyObject *out, PyObject *prompt)
{
    if (prompt != NULL && PyFile_WriteObject(prompt, out, Py_PRINT_RAW) < 0) {
        return NULL;
    }
    if (flush_file(out) < 0) {
        PyErr_Clear();
    }
    return PyFile_GetLine(in, -1);
}

/* The encoding and error handler of a text stream, as attributes (new references). */
static int stream_codec(PyObject *file, PyObject **encoding, PyObject **errors)
{
    *encoding = PyObject_GetAttr(file, ID(encoding));
    *errors = *encoding == NULL ? NULL : PyObject_GetAttr(file, ID(errors));
    if (*errors == NULL || !PyUnicode_Check(*encoding) || !PyUnicode_Check(*errors)) {
        Py_CLEAR(*encoding);
        Py_CLEAR(*errors);
        return -1;
    }
    return 0;
}

static PyObject *decode_line(const char *line, PyObject *in)
{
    size_t length = strlen(line);
    if (length == 0) {
        PyErr_SetNone(PyExc_EOFError);
        return NULL;
    }
    if (length > PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_OverflowError, "input: input too long");
        return NULL;
    }
    PyObject *encoding, *errors;
    if (stream_codec(in, &encoding, &errors) < 0) {
        return NULL;
    }
    length -= line[length - 1] == '\n';
    PyObject *text = PyUnicode_Decode(line, (Py_ssize_t)length, PyUnicode_AsUTF8(encoding),
                                      PyUnicode_AsUTF8(errors));
    Py_DECREF(encoding);
    Py_DECREF(errors);
    return text;
}

/* Through readline, with line editing. */
static PyObject *input_terminal(PyObject *in, PyObject *out, PyObject *prompt)
{
    PyObject *prompt_bytes = NULL;
    if (prompt != NULL) {
        PyObject *text = PyObject_Str(prompt), *encoding, *errors;
        if (text == NULL || stream_codec(out, &encoding, &errors) < 0) {
            Py_XDECREF(text);
            return NULL;
        }
        prompt_bytes =
            PyUnicode_AsEncodedString(text, PyUnicode_AsUTF8(encoding), PyUnicode_AsUTF8(errors));
        Py_DECREF(text);
        Py_DECREF(encoding);
        Py_DECREF(errors);
        if (prompt_bytes == NULL) {
            return NULL;
        }
        if (strlen(PyBytes_AS_STRING(prompt_bytes)) != (size_t)PyBytes_GET_SIZE(prompt_bytes)) {
            PyErr_SetString(PyExc_ValueError, "input: prompt string cannot contain null "
                                              "characters");
            Py_DECREF(prompt_bytes);
            return NULL;
        }
    }
    char *line =
        PyOS_Readline(stdin, stdout, prompt_bytes == NULL ? "" : PyBytes_AS_STRING(prompt_bytes));
    Py_XDECREF(prompt_bytes);
    if (line == NULL) {
        if (PyErr_CheckSignals() == 0) {
            PyErr_SetNone(PyExc_KeyboardInterrupt);
        }
        return NULL;
    }
    PyObject *text = decode_line(line, in);
    PyMem_Free(line);
    return text;
}

static PyObject *builtins_input(PyObject *module, PyObject *prompt)
{
    PyObject *in = standard_stream(ID(stdin), "input(): lost sys.stdin");
    PyObject *out = in == NULL ? NULL : standard_stream(ID(stdout), "input(): lost sys.stdout");
    PyObject *err = out == NULL ? NULL : standard_stream(ID(stderr), "input(): lost sys.stderr");
    PyObject *text = NULL;
    if (err != NULL && PySys_Audit("builtins.input", "O", prompt != NULL ? prompt : Py_None) == 0) {
        if (flush_file(err) < 0) {
            PyErr_Clear();
        }
        int tty = is_terminal(in, STDIN_FILENO);
        tty = tty > 0 ? is_terminal(out, STDOUT_FILENO) : tty;
        if (tty >= 0) {
            if (tty && flush_file(out) < 0) {
                PyErr_Clear();
            }
            text = tty ? input_terminal(in, out, prompt) : input_line(in, out, prompt);
        }
        if (text != NULL && PySys_Audit("builtins.input/result", "O", text) < 0) {
            Py_CLEAR(text);
        }
    }
    Py_XDECREF(in);
    Py_XDECREF(out);
    Py_XDECREF(err);
    return text;
}

/* ---- the module ------------------------------------------------------------------------------------------------- */

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "builtins",          .m_doc = builtins_doc,
    .m_size = -1,          .m_methods = builtins_methods,
};

static const struct {
    const char *name;
    PyObject *value;
} constants[] = {
    {"None", Py_None},
    {"Ellipsis", Py_Ellipsis},
    {"NotImplemented", Py_NotImplemented},
    {"False", Py_False},
    {"True", Py_True},
    {"bool", (PyObject *)&PyBool_Type},
    {"memoryview", (PyObject *)&PyMemoryView_Type},
    {"bytearray", (PyObject *)&PyByteArray_Type},
    {"bytes", (PyObject *)&PyBytes_Type},
    {"classmethod", (PyObject *)&PyClassMethod_Type},
    {"complex", (PyObject *)&PyComplex_Type},
    {"dict", (PyObject *)&PyDict_Type},
    {"enumerate", (PyObject *)&PyEnum_Type},
    {"filter", (PyObject *)&PyFilter_Type},
    {"float", (PyObject *)&PyFloat_Type},
    {"frozenset", (PyObject *)&PyFrozenSet_Type},
    {"property", (PyObject *)&PyProperty_Type},
    {"int", (PyObject *)&PyLong_Type},
    {"list", (PyObject *)&PyList_Type},
    {"map", (PyObject *)&PyMap_Type},
    {"object", (PyObject *)&PyBaseObject_Type},
    {"range", (PyObject *)&PyRange_Type},
    {"reversed", (PyObject *)&PyReversed_Type},
    {"set", (PyObject *)&PySet_Type},
    {"slice", (PyObject *)&PySlice_Type},
    {"staticmethod", (PyObject *)&PyStaticMethod_Type},
    {"str", (PyObject *)&PyUnicode_Type},
    {"super", (PyObject *)&PySuper_Type},
    {"tuple", (PyObject *)&PyTuple_Type},
    {"type", (PyObject *)&PyType_Type},
    {"zip", (PyObject *)&PyZip_Type},
};

static int add_exceptions(PyObject *dict)
{
    for (PyTypeObject *const *type = exception_types; *type != NULL; type++) {
        if (PyDict_SetItemString(dict, (*type)->tp_name, (PyObject *)*type) < 0) {
            return -1;
        }
    }
    for (const char *const *alias = exception_aliases; *alias != NULL; alias += 2) {
        PyObject *class = PyDict_GetItemString(dict, alias[1]);
        if (class == NULL || PyDict_SetItemString(dict, alias[0], class) < 0) {
            return -1;
        }
    }
    PyObject *group = exception_group_type();
    return group == NULL ? -1 : PyDict_SetItemString(dict, "ExceptionGroup", group);
}

int builtins_init(struct main_interp *interp)
{
    PyObject *module = PyModule_Create2(&definition, PYTHON_API_VERSION);
    if (module == NULL) {
        return -1;
    }
    interp->builtins_module = module;
    PyObject *dict = PyModule_GetDict(module);
    interp->builtins_dict = Py_NewRef(dict);
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++) {
        if (PyDict_SetItemString(dict, constants[i].name, constants[i].value) < 0) {
            return -1;
        }
    }
    if (interp->base.base.is_main) {
        /* Functions that every program calls: they are never counted. */
        PyObject *name, *value;
        for (Py_ssize_t at = 0; PyDict_Next(dict, &at, &name, &value);) {
            if (PyCFunction_CheckExact(value)) {
                PyObject_GC_UnTrack(value);
                object_make_immortal(value);
            }
        }
    }
    PyObject *debug = PyBool_FromLong(interp->config.optimization_level == 0);
    if (PyDict_SetItemString(dict, "__debug__", debug) < 0) {
        return -1;
    }
    interp->import_func = PyDict_GetItemString(dict, "__import__");
    Py_XINCREF(interp->import_func);
    return add_exceptions(dict);
}
