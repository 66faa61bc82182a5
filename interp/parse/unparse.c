/* Expressions back to source text: what PEP 563 stores as annotations.

   The text is the reference's to the letter: few spaces and parentheses, single quotes, numbers as
   repr() has them. */

#include "parse.h"

#include <stdbool.h>
#include <string.h>

/* How tightly the place binds that an expression stands in; what binds less gets parentheses. */
/* clang-format off */
enum level {
    LEVEL_TUPLE, LEVEL_TEST, LEVEL_OR, LEVEL_AND, LEVEL_NOT, LEVEL_COMPARE, LEVEL_BITOR,
    LEVEL_BITXOR, LEVEL_BITAND, LEVEL_SHIFT, LEVEL_SUM, LEVEL_TERM, LEVEL_FACTOR, LEVEL_POWER,
    LEVEL_AWAIT, LEVEL_ATOM,
};
/* clang-format on */

/* The text so far: pieces of str that are joined in the end. */
struct writer {
    PyObject *pieces;
};

static int write_expr(struct writer *w, const struct expr *e, int level);

/* ---- pieces ---- */

static int put(struct writer *w, PyObject *piece) /* steals */
{
    int rc = piece ? PyList_Append(w->pieces, piece) : -1;
    Py_XDECREF(piece);
    return rc;
}

static int put_text(struct writer *w, const char *text)
{
    return put(w, PyUnicode_FromString(text));
}

static int put_if(struct writer *w, bool wanted, const char *text)
{
    return wanted ? put_text(w, text) : 0;
}

static PyObject *joined(PyObject *pieces)
{
    PyObject *empty = PyUnicode_FromString("");
    PyObject *text = empty ? PyUnicode_Join(empty, pieces) : NULL;
    Py_XDECREF(empty);
    return text;
}

/* ---- constants ---- */

/* repr(), with infinities as numbers that are too large. */
static PyObject *number_text(PyObject *value)
{
    PyObject *text = PyObject_Repr(value), *inf, *large;
    if (text == NULL || !(PyFloat_CheckExact(value) || PyComplex_CheckExact(value))) {
        return text;
    }
    inf = PyUnicode_FromString("inf");
    large = PyUnicode_FromString("1e309");
    PyObject *result = inf && large ? PyUnicode_Replace(text, inf, large, -1) : NULL;
    Py_XDECREF(inf);
    Py_XDECREF(large);
    Py_DECREF(text);
    return result;
}

static int write_value(struct writer *w, PyObject *value)
{
    if (value == Py_Ellipsis) {
        return put_text(w, "...");
    }
    if (!PyTuple_CheckExact(value)) {
        return put(w, number_text(value));
    }
    Py_ssize_t len = PyTuple_GET_SIZE(value);
    if (put_text(w, "(") < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < len; i++) {
        if (put_if(w, i > 0, ", ") < 0 || write_value(w, PyTuple_GET_ITEM(value, i)) < 0) {
            return -1;
        }
    }
    return put_text(w, len == 1 ? ",)" : ")");
}

static int write_constant(struct writer *w, const struct expr *e)
{
    if (e->constant.kind != NULL && put(w, Py_NewRef(e->constant.kind)) < 0) {
        return -1;
    }
    return write_value(w, e->constant.value);
}

/* ---- operators ---- */

static int write_list(struct writer *w, const struct expr_seq *items, int level)
{
    for (size_t i = 0; i < items->len; i++) {
        if (put_if(w, i > 0, ", ") < 0 || write_expr(w, items->items[i], level) < 0) {
            return -1;
        }
    }
    return 0;
}

static int write_boolop(struct writer *w, const struct expr *e, int level)
{
    bool is_and = e->op == AST_AND;
    int own = is_and ? LEVEL_AND : LEVEL_OR;
    if (put_if(w, level > own, "(") < 0) {
        return -1;
    }
    for (size_t i = 0; i < e->boolop.values->len; i++) {
        if (put_if(w, i > 0, is_and ? " and " : " or ") < 0
            || write_expr(w, e->boolop.values->items[i], own + 1) < 0) {
            return -1;
        }
    }
    return put_if(w, level > own, ")");
}

static int write_binop(struct writer *w, const struct expr *e, int level)
{
    static const struct {
        const char *text;
        uint8_t level;
        bool right; /* groups from the right */
    } operators[] = {
        [AST_ADD] = {" + ", LEVEL_SUM, false},        [AST_SUB] = {" - ", LEVEL_SUM, false},
        [AST_MULT] = {" * ", LEVEL_TERM, false},      [AST_MATMULT] = {" @ ", LEVEL_TERM, false},
        [AST_DIV] = {" / ", LEVEL_TERM, false},       [AST_MOD] = {" % ", LEVEL_TERM, false},
        [AST_POW] = {" ** ", LEVEL_POWER, true},      [AST_LSHIFT] = {" << ", LEVEL_SHIFT, false},
        [AST_RSHIFT] = {" >> ", LEVEL_SHIFT, false},  [AST_BITOR] = {" | ", LEVEL_BITOR, false},
        [AST_BITXOR] = {" ^ ", LEVEL_BITXOR, false},  [AST_BITAND] = {" & ", LEVEL_BITAND, false},
        [AST_FLOORDIV] = {" // ", LEVEL_TERM, false},
    };
    int own = operators[e->op].level;
    bool right = operators[e->op].right;
    if (put_if(w, level > own, "(") < 0 || write_expr(w, e->binop.left, own + right) < 0
        || put_text(w, operators[e->op].text) < 0
        || write_expr(w, e->binop.right, own + !right) < 0) {
        return -1;
    }
    return put_if(w, level > own, ")");
}

static int write_unaryop(struct writer *w, const struct expr *e, int level)
{
    static const char *const texts[] = {
        [AST_INVERT] = "~", [AST_NOT] = "not ", [AST_UADD] = "+", [AST_USUB] = "-"};
    int own = e->op == AST_NOT ? LEVEL_NOT : LEVEL_FACTOR;
    if (put_if(w, level > own, "(") < 0 || put_text(w, texts[e->op]) < 0
        || write_expr(w, e->unaryop.operand, own) < 0) {
        return -1;
    }
    return put_if(w, level > own, ")");
}

static int write_compare(struct writer *w, const struct expr *e, int level)
{
    static const char *const texts[] = {
        [AST_EQ] = " == ", [AST_NOTEQ] = " != ",    [AST_LT] = " < ",  [AST_LTE] = " <= ",
        [AST_GT] = " > ",  [AST_GTE] = " >= ",      [AST_IS] = " is ", [AST_ISNOT] = " is not ",
        [AST_IN] = " in ", [AST_NOTIN] = " not in "};
    if (put_if(w, level > LEVEL_COMPARE, "(") < 0
        || write_expr(w, e->compare.left, LEVEL_COMPARE + 1) < 0) {
        return -1;
    }
    for (size_t i = 0; i < e->compare.ops->len; i++) {
        if (put_text(w, texts[e->compare.ops->items[i]]) < 0
            || write_expr(w, e->compare.comparators->items[i], LEVEL_COMPARE + 1) < 0) {
            return -1;
        }
    }
    return put_if(w, level > LEVEL_COMPARE, ")");
}

static int write_ifexp(struct writer *w, const struct expr *e, int level)
{
    if (put_if(w, level > LEVEL_TEST, "(") < 0 || write_expr(w, e->ifexp.body, LEVEL_TEST + 1) < 0
        || put_text(w, " if ") < 0 || write_expr(w, e->ifexp.test, LEVEL_TEST + 1) < 0
        || put_text(w, " else ") < 0 || write_expr(w, e->ifexp.orelse, LEVEL_TEST) < 0) {
        return -1;
    }
    return put_if(w, level > LEVEL_TEST, ")");
}

/* ---- lambda ---- */

static int write_arg(struct writer *w, const struct arg *arg)
{
    if (put(w, Py_NewRef(arg->arg)) < 0) {
        return -1;
    }
    return arg->annotation == NULL ? 0
           : put_text(w, ": ") < 0 ? -1
                                   : write_expr(w, arg->annotation, LEVEL_TEST);
}

static int write_default(struct writer *w, const struct expr *value)
{
    return value == NULL ? 0 : put_text(w, "=") < 0 ? -1 : write_expr(w, value, LEVEL_TEST);
}

static int write_parameters(struct writer *w, const struct arguments *a)
{
    size_t posonly = a->posonlyargs->len, positional = posonly + a->args->len;
    size_t without = positional - a->defaults->len;
    bool first = true;
    for (size_t i = 0; i < positional; i++, first = false) {
        const struct arg *arg =
            i < posonly ? a->posonlyargs->items[i] : a->args->items[i - posonly];
        if (put_if(w, !first, ", ") < 0 || write_arg(w, arg) < 0
            || write_default(w, i >= without ? a->defaults->items[i - without] : NULL) < 0
            || put_if(w, i + 1 == posonly, ", /") < 0) {
            return -1;
        }
    }
    if (a->vararg != NULL || a->kwonlyargs->len > 0) {
        if (put_if(w, !first, ", ") < 0 || put_text(w, "*") < 0
            || (a->vararg != NULL && write_arg(w, a->vararg) < 0)) {
            return -1;
        }
        first = false;
    }
    for (size_t i = 0; i < a->kwonlyargs->len; i++, first = false) {
        if (put_if(w, !first, ", ") < 0 || write_arg(w, a->kwonlyargs->items[i]) < 0
            || write_default(w, a->kw_defaults->items[i]) < 0) {
            return -1;
        }
    }
    if (a->kwarg != NULL
        && (put_if(w, !first, ", ") < 0 || put_text(w, "**") < 0 || write_arg(w, a->kwarg) < 0)) {
        return -1;
    }
    return 0;
}

static int write_lambda(struct writer *w, const struct expr *e, int level)
{
    const struct arguments *a = e->lambda.args;
    bool space =
        a->posonlyargs->len + a->args->len > 0; /* `lambda*args`, as the reference has it */
    if (put_if(w, level > LEVEL_TEST, "(") < 0 || put_text(w, space ? "lambda " : "lambda") < 0
        || write_parameters(w, a) < 0 || put_text(w, ": ") < 0
        || write_expr(w, e->lambda.body, LEVEL_TEST) < 0) {
        return -1;
    }
    return put_if(w, level > LEVEL_TEST, ")");
}

/* ---- displays and comprehensions ---- */

static int write_dict(struct writer *w, const struct expr *e)
{
    if (put_text(w, "{") < 0) {
        return -1;
    }
    for (size_t i = 0; i < e->dict.values->len; i++) {
        const struct expr *key = e->dict.keys->items[i], *value = e->dict.values->items[i];
        if (put_if(w, i > 0, ", ") < 0) {
            return -1;
        }
        int rc = key == NULL ? (put_text(w, "**") < 0 ? -1 : write_expr(w, value, LEVEL_BITOR))
                 : write_expr(w, key, LEVEL_TEST) < 0 || put_text(w, ": ") < 0
                     ? -1
                     : write_expr(w, value, LEVEL_TEST);
        if (rc < 0) {
            return -1;
        }
    }
    return put_text(w, "}");
}

static int write_generators(struct writer *w, const struct comprehension_seq *generators)
{
    for (size_t i = 0; i < generators->len; i++) {
        const struct comprehension *c = generators->items[i];
        if (put_text(w, c->is_async ? " async for " : " for ") < 0
            || write_expr(w, c->target, LEVEL_TUPLE) < 0 || put_text(w, " in ") < 0
            || write_expr(w, c->iter, LEVEL_TEST + 1) < 0) {
            return -1;
        }
        for (size_t n = 0; n < c->ifs->len; n++) {
            if (put_text(w, " if ") < 0 || write_expr(w, c->ifs->items[n], LEVEL_TEST + 1) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int write_comprehension(struct writer *w, const struct expr *e, const char *open,
                               const char *close)
{
    if (put_text(w, open) < 0 || write_expr(w, e->listcomp.elt, LEVEL_TEST) < 0
        || write_generators(w, e->listcomp.generators) < 0) {
        return -1;
    }
    return put_text(w, close);
}

static int write_dictcomp(struct writer *w, const struct expr *e)
{
    if (put_text(w, "{") < 0 || write_expr(w, e->dictcomp.key, LEVEL_TEST) < 0
        || put_text(w, ": ") < 0 || write_expr(w, e->dictcomp.value, LEVEL_TEST) < 0
        || write_generators(w, e->dictcomp.generators) < 0) {
        return -1;
    }
    return put_text(w, "}");
}

static int write_bracketed(struct writer *w, const struct expr_seq *elts, const char *open,
                           const char *close)
{
    if (put_text(w, open) < 0 || write_list(w, elts, LEVEL_TEST) < 0) {
        return -1;
    }
    return put_text(w, close);
}

static int write_tuple(struct writer *w, const struct expr *e, int level)
{
    const struct expr_seq *elts = e->tuple.elts;
    if (elts->len == 0) {
        return put_text(w, "()");
    }
    if (put_if(w, level > LEVEL_TUPLE, "(") < 0 || write_list(w, elts, LEVEL_TEST) < 0
        || put_if(w, elts->len == 1, ",") < 0) {
        return -1;
    }
    return put_if(w, level > LEVEL_TUPLE, ")");
}

/* ---- primaries ---- */

static int write_call(struct writer *w, const struct expr *e)
{
    const struct expr_seq *args = e->call.args;
    const struct keyword_seq *keywords = e->call.keywords;
    if (write_expr(w, e->call.func, LEVEL_ATOM) < 0) {
        return -1;
    }
    if (args->len == 1 && keywords->len == 0 && args->items[0]->kind == EXPR_GENERATOREXP) {
        return write_expr(w, args->items[0], LEVEL_TEST); /* has its own parentheses */
    }
    if (put_text(w, "(") < 0 || write_list(w, args, LEVEL_TEST) < 0) {
        return -1;
    }
    for (size_t i = 0; i < keywords->len; i++) {
        const struct keyword *keyword = keywords->items[i];
        if (put_if(w, i + args->len > 0, ", ") < 0
            || put(w, keyword->arg ? PyUnicode_FromFormat("%U=", keyword->arg)
                                   : PyUnicode_FromString("**"))
                   < 0
            || write_expr(w, keyword->value, LEVEL_TEST) < 0) {
            return -1;
        }
    }
    return put_text(w, ")");
}

static int write_attribute(struct writer *w, const struct expr *e)
{
    const struct expr *value = e->attribute.value;
    bool integer = value->kind == EXPR_CONSTANT && PyLong_CheckExact(value->constant.value);
    if (write_expr(w, value, LEVEL_ATOM) < 0 || put_text(w, integer ? " ." : ".") < 0) {
        return -1;
    }
    return put(w, Py_NewRef(e->attribute.attr));
}

static int write_subscript(struct writer *w, const struct expr *e)
{
    if (write_expr(w, e->subscript.value, LEVEL_ATOM) < 0 || put_text(w, "[") < 0
        || write_expr(w, e->subscript.slice, LEVEL_TUPLE) < 0) {
        return -1;
    }
    return put_text(w, "]");
}

static int write_slice(struct writer *w, const struct expr *e)
{
    const struct expr *lower = e->slice.lower, *upper = e->slice.upper, *step = e->slice.step;
    if ((lower && write_expr(w, lower, LEVEL_TEST) < 0) || put_text(w, ":") < 0
        || (upper && write_expr(w, upper, LEVEL_TEST) < 0)) {
        return -1;
    }
    return step == NULL ? 0 : put_text(w, ":") < 0 ? -1 : write_expr(w, step, LEVEL_TEST);
}

static int write_prefixed(struct writer *w, const char *prefix, const struct expr *value, int own,
                          int level, int inner)
{
    if (put_if(w, level > own, "(") < 0 || put_text(w, prefix) < 0
        || (value != NULL && write_expr(w, value, inner) < 0)) {
        return -1;
    }
    return put_if(w, level > own, ")");
}

static int write_named(struct writer *w, const struct expr *e, int level)
{
    if (put_if(w, level > LEVEL_TUPLE, "(") < 0
        || write_expr(w, e->namedexpr.target, LEVEL_ATOM) < 0 || put_text(w, " := ") < 0
        || write_expr(w, e->namedexpr.value, LEVEL_ATOM) < 0) {
        return -1;
    }
    return put_if(w, level > LEVEL_TUPLE, ")");
}

/* ---- f-strings ---- */

static PyObject *expr_text(const struct expr *e, int level)
{
    struct writer w = {PyList_New(0)};
    PyObject *text = w.pieces && write_expr(&w, e, level) == 0 ? joined(w.pieces) : NULL;
    Py_XDECREF(w.pieces);
    return text;
}

static PyObject *replaced(PyObject *text, const char *what, const char *with) /* steals text */
{
    PyObject *a = PyUnicode_FromString(what), *b = PyUnicode_FromString(with);
    PyObject *result = text && a && b ? PyUnicode_Replace(text, a, b, -1) : NULL;
    Py_XDECREF(a);
    Py_XDECREF(b);
    Py_XDECREF(text);
    return result;
}

static int write_parts(struct writer *w, const struct expr *e);

static int write_field(struct writer *w, const struct expr *e)
{
    PyObject *text = expr_text(e->formattedvalue.value, LEVEL_TEST + 1);
    if (text == NULL) {
        return -1;
    }
    bool brace = PyUnicode_GET_LENGTH(text) > 0 && PyUnicode_READ_CHAR(text, 0) == '{';
    if (put_text(w, brace ? "{ " : "{") < 0) {
        Py_DECREF(text);
        return -1;
    }
    char conversion[3] = {'!', (char)e->formattedvalue.conversion, 0};
    if (put(w, text) < 0 || put_if(w, e->formattedvalue.conversion > 0, conversion) < 0) {
        return -1;
    }
    const struct expr *spec = e->formattedvalue.format_spec;
    if (spec != NULL && (put_text(w, ":") < 0 || write_parts(w, spec) < 0)) {
        return -1;
    }
    return put_text(w, "}");
}

/* The inside of an f-string, before quotes are put around it. */
static int write_parts(struct writer *w, const struct expr *e)
{
    switch (e->kind) {
    case EXPR_CONSTANT:
        return put(w, replaced(replaced(Py_NewRef(e->constant.value), "{", "{{"), "}", "}}"));
    case EXPR_FORMATTEDVALUE:
        return write_field(w, e);
    case EXPR_JOINEDSTR:
        for (size_t i = 0; i < e->joinedstr.values->len; i++) {
            if (write_parts(w, e->joinedstr.values->items[i]) < 0) {
                return -1;
            }
        }
        return 0;
    default:
        PyErr_SetString(PyExc_SystemError, "unknown expression kind inside f-string");
        return -1;
    }
}

static int write_fstring(struct writer *w, const struct expr *e)
{
    struct writer inside = {PyList_New(0)};
    PyObject *text = inside.pieces && write_parts(&inside, e) == 0 ? joined(inside.pieces) : NULL;
    Py_XDECREF(inside.pieces);
    PyObject *quoted = text ? PyUnicode_FromFormat("f%R", text) : NULL;
    Py_XDECREF(text);
    return put(w, quoted);
}

/* ---- all kinds ---- */

static int write_kind(struct writer *w, const struct expr *e, int level)
{
    switch ((enum expr_kind)e->kind) {
    case EXPR_BOOLOP:
        return write_boolop(w, e, level);
    case EXPR_NAMEDEXPR:
        return write_named(w, e, level);
    case EXPR_BINOP:
        return write_binop(w, e, level);
    case EXPR_UNARYOP:
        return write_unaryop(w, e, level);
    case EXPR_LAMBDA:
        return write_lambda(w, e, level);
    case EXPR_IFEXP:
        return write_ifexp(w, e, level);
    case EXPR_DICT:
        return write_dict(w, e);
    case EXPR_SET:
        return write_bracketed(w, e->set.elts, "{", "}");
    case EXPR_LISTCOMP:
        return write_comprehension(w, e, "[", "]");
    case EXPR_SETCOMP:
        return write_comprehension(w, e, "{", "}");
    case EXPR_DICTCOMP:
        return write_dictcomp(w, e);
    case EXPR_GENERATOREXP:
        return write_comprehension(w, e, "(", ")");
    case EXPR_AWAIT:
        return write_prefixed(w, "await ", e->await.value, LEVEL_AWAIT, level, LEVEL_ATOM);
    case EXPR_YIELD:
        return e->yield.value == NULL
                   ? put_text(w, "(yield)")
                   : write_prefixed(w, "yield ", e->yield.value, -1, level, LEVEL_TEST);
    case EXPR_YIELDFROM:
        return write_prefixed(w, "yield from ", e->yieldfrom.value, -1, level, LEVEL_TEST);
    case EXPR_COMPARE:
        return write_compare(w, e, level);
    case EXPR_CALL:
        return write_call(w, e);
    case EXPR_FORMATTEDVALUE:
    case EXPR_JOINEDSTR:
        return write_fstring(w, e);
    case EXPR_CONSTANT:
        return write_constant(w, e);
    case EXPR_ATTRIBUTE:
        return write_attribute(w, e);
    case EXPR_SUBSCRIPT:
        return write_subscript(w, e);
    case EXPR_STARRED:
        return put_text(w, "*") < 0 ? -1 : write_expr(w, e->starred.value, LEVEL_BITOR);
    case EXPR_NAME:
        return put(w, Py_NewRef(e->name.id));
    case EXPR_LIST:
        return write_bracketed(w, e->list.elts, "[", "]");
    case EXPR_TUPLE:
        return write_tuple(w, e, level);
    case EXPR_SLICE:
        return write_slice(w, e);
    case EXPR_KINDS:
        break;
    }
    PyErr_SetString(PyExc_SystemError, "unknown expression kind");
    return -1;
}

static int write_expr(struct writer *w, const struct expr *e, int level)
{
    if (Py_EnterRecursiveCall(" during compilation")) {
        return -1;
    }
    int rc = write_kind(w, e, level);
    Py_LeaveRecursiveCall();
    return rc;
}

PyObject *ast_unparse(const struct expr *expr)
{
    return expr_text(expr, LEVEL_TEST);
}
