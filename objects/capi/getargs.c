/* PyArg_Parse*: the arguments of C functions, described by a format.
 *
 * A format names one unit per argument; '|' starts the optional ones, '$' those given by keyword
 * only, ':' the function's name for messages, ';' a message. Results are stored through pointers;
 * objects stored are borrowed. When an argument is wrong, all that was acquired is given back. */
#include "objects/capi/getargs.h"
#include "objects/capi/capi.h"

#include <string.h>

/* ---- a run ----------------------------------------------------------------------------------- */

static void cleanup_one(struct cleanup *c)
{
    switch (c->kind) {
    case CLEANUP_BUFFER:
        PyBuffer_Release(c->item);
        break;
    case CLEANUP_MEMORY:
        PyMem_Free(*(void **)c->item);
        *(void **)c->item = NULL;
        break;
    case CLEANUP_CONVERTER:
        c->converter(NULL, c->item);
        break;
    }
}

int cleanup_add(struct parser *p, enum cleanup_kind kind, void *item,
                int (*converter)(PyObject *, void *))
{
    struct cleanup entry = {kind, item, converter};
    if (p->cleanup_count == p->cleanup_room) {
        int room = 2 * p->cleanup_room;
        struct cleanup *grown = PyMem_New(struct cleanup, room);
        if (!grown) {
            cleanup_one(&entry);
            PyErr_NoMemory();
            return -1;
        }
        memcpy(grown, p->cleanups, (size_t)p->cleanup_count * sizeof *grown);
        if (p->cleanups != p->few) {
            PyMem_Free(p->cleanups);
        }
        p->cleanups = grown;
        p->cleanup_room = room;
    }
    p->cleanups[p->cleanup_count++] = entry;
    return 0;
}

static void parser_start(struct parser *p, const char *format, va_list va)
{
    p->format = format;
    va_copy(p->va, va);
    p->fname = p->message = NULL;
    p->levels[0] = 0;
    p->cleanups = p->few;
    p->cleanup_room = Py_ARRAY_LENGTH(p->few);
    p->cleanup_count = 0;
}

/* Ends a run; a failed one gives everything back. Returns `ok`. */
static int parser_end(struct parser *p, int ok)
{
    if (!ok && p->cleanup_count) {
        PyObject *exception = PyErr_GetRaisedException();
        while (p->cleanup_count) {
            cleanup_one(&p->cleanups[--p->cleanup_count]);
        }
        PyErr_SetRaisedException(exception);
    }
    if (p->cleanups != p->few) {
        PyMem_Free(p->cleanups);
    }
    va_end(p->va);
    return ok;
}

static bool at_end(const char *format)
{
    return *format == '\0' || *format == ';' || *format == ':';
}

static const char *function_name(struct parser *p)
{
    return p->fname ? p->fname : "function";
}

static const char *function_parens(struct parser *p)
{
    return p->fname ? "()" : "";
}

/* Raises TypeError, or SystemError if the text blames the format, for argument number `arg`. */
static void raise_wrong_argument(struct parser *p, Py_ssize_t arg, const char *text, int *levels)
{
    if (PyErr_Occurred()) {
        return;
    }
    char buffer[512];
    const char *message = p->message;
    if (!message) {
        size_t used = 0;
        buffer[0] = '\0';
        if (p->fname) {
            used += (size_t)PyOS_snprintf(buffer, sizeof buffer, "%.200s() ", p->fname);
        }
        used += (size_t)PyOS_snprintf(buffer + used, sizeof buffer - used, "argument");
        if (arg) {
            used += (size_t)PyOS_snprintf(buffer + used, sizeof buffer - used, " %zd", arg);
        }
        for (int i = 0; arg && i < ARGS_DEPTH && levels[i] > 0 && used < 220; i++) {
            used += (size_t)PyOS_snprintf(buffer + used, sizeof buffer - used, ", item %d",
                                          levels[i] - 1);
        }
        PyOS_snprintf(buffer + used, sizeof buffer - used, " %.256s", text);
        message = buffer;
    }
    PyErr_SetString(text[0] == '(' ? PyExc_SystemError : PyExc_TypeError, message);
}

/* ---- positional arguments -------------------------------------------------------------------- */

struct limits {
    int min, max;
};

/* Counts the units of a format and finds its name and message. 0, or -1 with SystemError. */
static int format_limits(struct parser *p, struct limits *limits)
{
    int min = -1, max = 0, level = 0;
    for (const char *f = p->format; *f; f++) {
        if (*f == '(') {
            max += level == 0;
            level++;
            if (level >= 30) {
                PyErr_SetString(PyExc_SystemError,
                                "too many tuple nesting levels in argument format string");
                return -1;
            }
        } else if (*f == ')') {
            if (level-- == 0) {
                PyErr_SetString(PyExc_SystemError, "excess ')' in getargs format");
                return -1;
            }
        } else if (*f == ':') {
            p->fname = f + 1;
            break;
        } else if (*f == ';') {
            p->message = f + 1;
            break;
        } else if (level == 0) {
            if (*f == 'O') {
                max++;
            } else if (Py_ISALPHA(*f)) {
                max += *f != 'e';
            } else if (*f == '|') {
                min = max;
            }
        }
    }
    if (level != 0) {
        PyErr_SetString(PyExc_SystemError, "missing ')' in getargs format");
        return -1;
    }
    limits->min = min < 0 ? max : min;
    limits->max = max;
    return 0;
}

static int raise_count(struct parser *p, struct limits limits, Py_ssize_t nargs)
{
    if (p->message) {
        PyErr_SetString(PyExc_TypeError, p->message);
        return 0;
    }
    int wanted = nargs < limits.min ? limits.min : limits.max;
    PyErr_Format(PyExc_TypeError, "%.150s%s takes %s %d argument%s (%zd given)", function_name(p),
                 function_parens(p),
                 limits.min == limits.max ? "exactly"
                 : nargs < limits.min     ? "at least"
                                          : "at most",
                 wanted, wanted == 1 ? "" : "s", nargs);
    return 0;
}

static int parse_positional(struct parser *p, PyObject *const *args, Py_ssize_t nargs)
{
    struct limits limits;
    if (format_limits(p, &limits) < 0) {
        return 0;
    }
    if (nargs < limits.min || nargs > limits.max) {
        return raise_count(p, limits, nargs);
    }
    const char *whole = p->format;
    for (Py_ssize_t i = 0; i < nargs; i++) {
        if (*p->format == '|') {
            p->format++;
        }
        const char *error = convert_item(p, args[i], p->levels);
        if (error) {
            raise_wrong_argument(p, i + 1, error, p->levels);
            return 0;
        }
    }
    if (!at_end(p->format) && !Py_ISALPHA(*p->format) && *p->format != '(' && *p->format != '|') {
        PyErr_Format(PyExc_SystemError, "bad format string: %.200s", whole);
        return 0;
    }
    return 1;
}

static int va_parse_array(PyObject *const *args, Py_ssize_t nargs, const char *format, va_list va)
{
    struct parser p;
    parser_start(&p, format, va);
    return parser_end(&p, parse_positional(&p, args, nargs));
}

int PyArg_VaParse(PyObject *args, const char *format, va_list va)
{
    if (!args || !PyTuple_Check(args)) {
        PyErr_SetString(PyExc_SystemError, "new style getargs format but argument is not a tuple");
        return 0;
    }
    return va_parse_array(&PyTuple_GET_ITEM(args, 0), PyTuple_GET_SIZE(args), format, va);
}

/* One object, not a tuple of arguments. */
static int va_parse_object(PyObject *arg, const char *format, va_list va)
{
    struct parser p;
    struct limits limits;
    parser_start(&p, format, va);
    if (format_limits(&p, &limits) < 0) {
        return parser_end(&p, 0);
    }
    if (limits.max == 0) {
        if (arg) {
            PyErr_Format(PyExc_TypeError, "%.200s%s takes no arguments", function_name(&p),
                         function_parens(&p));
        }
        return parser_end(&p, !arg);
    }
    if (limits.min != 1 || limits.max != 1) {
        PyErr_SetString(PyExc_SystemError, "old style getargs format uses new features");
        return parser_end(&p, 0);
    }
    if (!arg) {
        PyErr_Format(PyExc_TypeError, "%.200s%s takes at least one argument", function_name(&p),
                     function_parens(&p));
        return parser_end(&p, 0);
    }
    const char *error = convert_item(&p, arg, p.levels);
    if (error) {
        raise_wrong_argument(&p, p.levels[0], error, p.levels[0] ? p.levels + 1 : p.levels);
    }
    return parser_end(&p, !error);
}

#define VARIADIC(Name, parameter, call)                                                            \
    int Name(PyObject *parameter, const char *format, ...)                                         \
    {                                                                                              \
        va_list va;                                                                                \
        va_start(va, format);                                                                      \
        int ok = call(parameter, format, va);                                                      \
        va_end(va);                                                                                \
        return ok;                                                                                 \
    }

VARIADIC(PyArg_Parse, arg, va_parse_object)
VARIADIC(PyArg_ParseTuple, args, PyArg_VaParse)

/* An array, for functions of METH_FASTCALL. */
PyAPI_FUNC(int) _PyArg_ParseStack(PyObject *const *args, Py_ssize_t nargs, const char *format, ...);
int _PyArg_ParseStack(PyObject *const *args, Py_ssize_t nargs, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    int ok = va_parse_array(args, nargs, format, va);
    va_end(va);
    return ok;
}

/* ---- keyword arguments ----------------------------------------------------------------------- */

/* Where arguments come from, and how parameters are called. */
struct arguments {
    PyObject *const *args;
    Py_ssize_t nargs;
    PyObject *dict; /* keywords: a dict, or names and their values, or neither */
    PyObject *names;
    PyObject *const *values;
    Py_ssize_t nkw;
    const char *const *params; /* NULL-terminated; the positional-only ones first, empty */
    int count, posonly;
};

/* The keyword argument of a name: 1 and a new reference, 0, or -1 with an exception. */
static int find_keyword(struct arguments *a, const char *name, PyObject **value)
{
    *value = NULL;
    if (a->dict) {
        return PyDict_GetItemStringRef(a->dict, name, value);
    }
    for (Py_ssize_t i = 0; i < a->nkw; i++) {
        PyObject *key = PyTuple_GET_ITEM(a->names, i);
        if (PyUnicode_Check(key) && PyUnicode_EqualToUTF8(key, name)) {
            *value = Py_NewRef(a->values[i]);
            return 1;
        }
    }
    return 0;
}

static int count_params(struct arguments *a)
{
    a->posonly = 0;
    while (a->params[a->posonly] && !*a->params[a->posonly]) {
        a->posonly++;
    }
    a->count = a->posonly;
    while (a->params[a->count]) {
        if (!*a->params[a->count++]) {
            PyErr_SetString(PyExc_SystemError, "Empty keyword parameter name");
            return -1;
        }
    }
    return 0;
}

static int raise_too_many(struct parser *p, struct arguments *a)
{
    PyErr_Format(PyExc_TypeError, "%.200s%s takes at most %d %sargument%s (%zd given)",
                 function_name(p), function_parens(p), a->count, a->nargs == 0 ? "keyword " : "",
                 a->count == 1 ? "" : "s", a->nargs + a->nkw);
    return 0;
}

static int raise_positional(struct parser *p, const char *how, int wanted, Py_ssize_t given)
{
    PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d positional argument%s (%zd given)",
                 function_name(p), function_parens(p), how, wanted, wanted == 1 ? "" : "s", given);
    return 0;
}

/* A keyword that is no parameter's, or one given twice. 1 if all are in order, else 0. */
static int check_one_keyword(struct parser *p, struct arguments *a, PyObject *key)
{
    if (!PyUnicode_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "keywords must be strings");
        return 0;
    }
    for (int i = a->posonly; i < a->count; i++) {
        if (PyUnicode_EqualToUTF8(key, a->params[i])) {
            return 1;
        }
    }
    PyErr_Format(PyExc_TypeError, "%.200s%s got an unexpected keyword argument '%S'",
                 p->fname ? p->fname : "this function", function_parens(p), key);
    return 0;
}

/* Raises what is wrong with keywords that no parameter took: 0. */
static int raise_keywords(struct parser *p, struct arguments *a)
{
    for (int i = a->posonly; i < a->nargs && i < a->count; i++) {
        PyObject *value;
        int found = find_keyword(a, a->params[i], &value);
        Py_XDECREF(value);
        if (found < 0) {
            return 0;
        }
        if (found) {
            PyErr_Format(PyExc_TypeError,
                         "argument for %.200s%s given by name ('%s') and position (%d)",
                         function_name(p), function_parens(p), a->params[i], i + 1);
            return 0;
        }
    }
    for (Py_ssize_t i = 0; !a->dict && i < a->nkw; i++) {
        if (!check_one_keyword(p, a, PyTuple_GET_ITEM(a->names, i))) {
            return 0;
        }
    }
    Py_ssize_t position = 0;
    PyObject *key, *value;
    while (a->dict && PyDict_Next(a->dict, &position, &key, &value)) {
        if (!check_one_keyword(p, a, key)) {
            return 0;
        }
    }
    /* A str of a subclass that reads like a parameter, but does not compare like one. */
    PyErr_Format(PyExc_TypeError, "invalid keyword argument for %.200s%s",
                 p->fname ? p->fname : "this function", function_parens(p));
    return 0;
}

/* Converts an argument that was found (steals it). */
static int convert_found(struct parser *p, PyObject *arg, int number)
{
    const char *error = convert_item(p, arg, p->levels);
    Py_DECREF(arg);
    if (error) {
        raise_wrong_argument(p, number, error, p->levels);
        return 0;
    }
    return 1;
}

/* The markers between units: where optional and keyword-only parameters begin. INT_MAX if they
 * do not. 1, or 0 with an exception. */
static int read_markers(struct parser *p, struct arguments *a, int i, struct limits *limits,
                        bool missing)
{
    if (*p->format == '|') {
        if (limits->min != INT_MAX) {
            PyErr_SetString(PyExc_SystemError, "Invalid format string (| specified twice)");
            return 0;
        }
        limits->min = i;
        p->format++;
        if (limits->max != INT_MAX) {
            PyErr_SetString(PyExc_SystemError, "Invalid format string ($ before |)");
            return 0;
        }
    }
    if (*p->format == '$') {
        if (limits->max != INT_MAX) {
            PyErr_SetString(PyExc_SystemError, "Invalid format string ($ specified twice)");
            return 0;
        }
        limits->max = i;
        p->format++;
        if (i < a->posonly) {
            PyErr_SetString(PyExc_SystemError, "Empty parameter name after $");
            return 0;
        }
        if (missing) {
            return 1;
        }
        if (i < a->nargs) {
            if (i == 0) {
                PyErr_Format(PyExc_TypeError, "%.200s%s takes no positional arguments",
                             function_name(p), function_parens(p));
                return 0;
            }
            return raise_positional(p, limits->min != INT_MAX ? "at most" : "exactly", i, a->nargs);
        }
    }
    if (at_end(p->format)) {
        PyErr_Format(PyExc_SystemError,
                     "More keyword list entries (%d) than format specifiers (%d)", a->count, i);
        return 0;
    }
    return 1;
}

static int parse_keywords(struct parser *p, struct arguments *a)
{
    struct limits limits = {INT_MAX, INT_MAX};
    bool missing = false;     /* a positional-only argument is: read on to the '|' */
    Py_ssize_t left = a->nkw; /* keywords not yet found */
    const char *end = strpbrk(p->format, ":;");
    if (end) {
        *(*end == ':' ? &p->fname : &p->message) = end + 1;
    }
    if (count_params(a) < 0) {
        return 0;
    }
    if (a->nargs + a->nkw > a->count) {
        return raise_too_many(p, a);
    }
    int i;
    for (i = 0; i < a->count; i++) {
        if (!read_markers(p, a, i, &limits, missing)) {
            return 0;
        }
        if (missing && limits.max == i) {
            break;
        }
        if (!missing) {
            PyObject *arg = NULL;
            if (i < a->nargs) {
                arg = Py_NewRef(a->args[i]);
            } else if (left && i >= a->posonly) {
                int found = find_keyword(a, a->params[i], &arg);
                if (found < 0) {
                    return 0;
                }
                left -= found;
            }
            if (arg) {
                if (!convert_found(p, arg, i + 1)) {
                    return 0;
                }
                continue;
            }
            if (i < limits.min) {
                if (i < a->posonly) {
                    missing = true;
                } else {
                    PyErr_Format(PyExc_TypeError,
                                 "%.200s%s missing required argument '%s' (pos %i)",
                                 function_name(p), function_parens(p), a->params[i], i + 1);
                    return 0;
                }
            } else if (!left) {
                /* Nothing else is given: the rest keeps its defaults. */
                return 1;
            }
        }
        const char *error = skip_item(p);
        if (error) {
            PyErr_Format(PyExc_SystemError, "%s: '%s'", error, p->format);
            return 0;
        }
    }
    if (missing) {
        int wanted = a->posonly < limits.min ? a->posonly : limits.min;
        return raise_positional(p, wanted < i ? "at least" : "exactly", wanted, a->nargs);
    }
    if (!at_end(p->format) && *p->format != '|' && *p->format != '$') {
        PyErr_Format(PyExc_SystemError,
                     "more argument specifiers than keyword list entries (remaining format:'%s')",
                     p->format);
        return 0;
    }
    return left > 0 ? raise_keywords(p, a) : 1;
}

static int va_parse_arguments(struct arguments *a, const char *format, const char *fname,
                              const char *message, va_list va)
{
    struct parser p;
    parser_start(&p, format, va);
    p.fname = fname;
    p.message = message;
    return parser_end(&p, parse_keywords(&p, a));
}

int PyArg_VaParseTupleAndKeywords(PyObject *args, PyObject *kwargs, const char *format,
                                  char *const *params, va_list va)
{
    if (!args || !PyTuple_Check(args) || (kwargs && !PyDict_Check(kwargs)) || !format || !params) {
        PyErr_BadInternalCall();
        return 0;
    }
    struct arguments a = {
        .args = &PyTuple_GET_ITEM(args, 0),
        .nargs = PyTuple_GET_SIZE(args),
        .dict = kwargs,
        .nkw = kwargs ? PyDict_GET_SIZE(kwargs) : 0,
        .params = (const char *const *)params,
    };
    return va_parse_arguments(&a, format, NULL, NULL, va);
}

int PyArg_ParseTupleAndKeywords(PyObject *args, PyObject *kwargs, const char *format,
                                char *const *params, ...)
{
    va_list va;
    va_start(va, params);
    int ok = PyArg_VaParseTupleAndKeywords(args, kwargs, format, params, va);
    va_end(va);
    return ok;
}

/* ---- parsers kept in static storage ---------------------------------------------------------- */

static int va_parse_with(struct _PyArg_Parser *parser, struct arguments *a, va_list va)
{
    if (!parser->format || !parser->keywords) {
        PyErr_BadInternalCall();
        return 0;
    }
    a->params = parser->keywords;
    return va_parse_arguments(a, parser->format, parser->fname, parser->custom_msg, va);
}

int _PyArg_ParseTupleAndKeywordsFast(PyObject *args, PyObject *kwargs, struct _PyArg_Parser *parser,
                                     ...)
{
    if (!args || !PyTuple_Check(args) || (kwargs && !PyDict_Check(kwargs)) || !parser) {
        PyErr_BadInternalCall();
        return 0;
    }
    struct arguments a = {
        .args = &PyTuple_GET_ITEM(args, 0),
        .nargs = PyTuple_GET_SIZE(args),
        .dict = kwargs,
        .nkw = kwargs ? PyDict_GET_SIZE(kwargs) : 0,
    };
    va_list va;
    va_start(va, parser);
    int ok = va_parse_with(parser, &a, va);
    va_end(va);
    return ok;
}

PyAPI_FUNC(int) _PyArg_ParseStackAndKeywords(PyObject *const *args, Py_ssize_t nargs,
                                             PyObject *kwnames, struct _PyArg_Parser *parser, ...);
int _PyArg_ParseStackAndKeywords(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
                                 struct _PyArg_Parser *parser, ...)
{
    struct arguments a = {
        .args = args,
        .nargs = nargs,
        .names = kwnames,
        .values = args + nargs,
        .nkw = kwnames ? PyTuple_GET_SIZE(kwnames) : 0,
    };
    va_list va;
    va_start(va, parser);
    int ok = va_parse_with(parser, &a, va);
    va_end(va);
    return ok;
}

/* ---- without conversion ---------------------------------------------------------------------- */

int PyArg_ValidateKeywordArguments(PyObject *kwargs)
{
    if (!PyDict_Check(kwargs)) {
        PyErr_BadInternalCall();
        return 0;
    }
    Py_ssize_t position = 0;
    PyObject *key, *value;
    while (PyDict_Next(kwargs, &position, &key, &value)) {
        if (!PyUnicode_Check(key)) {
            PyErr_SetString(PyExc_TypeError, "keywords must be strings");
            return 0;
        }
    }
    return 1;
}

int _PyArg_CheckPositional(const char *name, Py_ssize_t given, Py_ssize_t low, Py_ssize_t high)
{
    if (low <= given && given <= high) {
        return 1;
    }
    Py_ssize_t wanted = given < low ? low : high;
    const char *how = low == high ? "" : given < low ? "at least " : "at most ";
    const char *plural = wanted == 1 ? "" : "s";
    if (name) {
        PyErr_Format(PyExc_TypeError, "%.200s expected %s%zd argument%s, got %zd", name, how,
                     wanted, plural, given);
    } else {
        PyErr_Format(PyExc_TypeError, "unpacked tuple should have %s%zd element%s, but has %zd",
                     how, wanted, plural, given);
    }
    return 0;
}

int PyArg_UnpackTuple(PyObject *args, const char *name, Py_ssize_t low, Py_ssize_t high, ...)
{
    if (!PyTuple_Check(args)) {
        PyErr_SetString(PyExc_SystemError, "PyArg_UnpackTuple() argument list is not a tuple");
        return 0;
    }
    Py_ssize_t given = PyTuple_GET_SIZE(args);
    if (!_PyArg_CheckPositional(name, given, low, high)) {
        return 0;
    }
    va_list va;
    va_start(va, high);
    for (Py_ssize_t i = 0; i < given; i++) {
        *va_arg(va, PyObject **) = PyTuple_GET_ITEM(args, i);
    }
    va_end(va);
    return 1;
}

PyAPI_FUNC(int) _PyArg_NoKeywords(const char *name, PyObject *kwargs);
int _PyArg_NoKeywords(const char *name, PyObject *kwargs)
{
    if (!kwargs) {
        return 1;
    }
    if (!PyDict_CheckExact(kwargs)) {
        PyErr_BadInternalCall();
        return 0;
    }
    if (PyDict_GET_SIZE(kwargs) == 0) {
        return 1;
    }
    PyErr_Format(PyExc_TypeError, "%.200s() takes no keyword arguments", name);
    return 0;
}

int _PyArg_NoPositional(const char *name, PyObject *args)
{
    if (!args) {
        return 1;
    }
    if (!PyTuple_CheckExact(args)) {
        PyErr_BadInternalCall();
        return 0;
    }
    if (PyTuple_GET_SIZE(args) == 0) {
        return 1;
    }
    PyErr_Format(PyExc_TypeError, "%.200s() takes no positional arguments", name);
    return 0;
}

PyAPI_FUNC(void) _PyArg_BadArgument(const char *function, const char *parameter,
                                    const char *expected, PyObject *arg);
void _PyArg_BadArgument(const char *function, const char *parameter, const char *expected,
                        PyObject *arg)
{
    PyErr_Format(PyExc_TypeError, "%.200s() %.200s must be %.50s, not %.50s", function, parameter,
                 expected, arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
}

/* ---- names from when lengths could be int ---------------------------------------------------- */

#define EXPORTED_VARIADIC(Name, parameter, call)                                                   \
    PyAPI_FUNC(int) Name(PyObject *parameter, const char *format, ...);                            \
    VARIADIC(Name, parameter, call)

EXPORTED_VARIADIC(_PyArg_Parse_SizeT, arg, va_parse_object)
EXPORTED_VARIADIC(_PyArg_ParseTuple_SizeT, args, PyArg_VaParse)

PyAPI_FUNC(int) _PyArg_VaParse_SizeT(PyObject *args, const char *format, va_list va);
int _PyArg_VaParse_SizeT(PyObject *args, const char *format, va_list va)
{
    return PyArg_VaParse(args, format, va);
}

PyAPI_FUNC(int)
    _PyArg_VaParseTupleAndKeywords_SizeT(PyObject *args, PyObject *kwargs, const char *format,
                                         char *const *params, va_list va);
int _PyArg_VaParseTupleAndKeywords_SizeT(PyObject *args, PyObject *kwargs, const char *format,
                                         char *const *params, va_list va)
{
    return PyArg_VaParseTupleAndKeywords(args, kwargs, format, params, va);
}

PyAPI_FUNC(int) _PyArg_ParseTupleAndKeywords_SizeT(PyObject *args, PyObject *kwargs,
                                                   const char *format, char *const *params, ...);
int _PyArg_ParseTupleAndKeywords_SizeT(PyObject *args, PyObject *kwargs, const char *format,
                                       char *const *params, ...)
{
    va_list va;
    va_start(va, params);
    int ok = PyArg_VaParseTupleAndKeywords(args, kwargs, format, params, va);
    va_end(va);
    return ok;
}
