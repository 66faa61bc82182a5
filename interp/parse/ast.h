/* The syntax tree: what the parser makes and the symbol table and the code generator read.

   Nodes live in an arena and are never freed one by one.  Every object they mention (names, which
   are interned str, and constants) is owned by the arena, so the pointers here are all BORROWED.

   A node of a sum type (`struct expr`, `struct stmt`, ...) is allocated with just the bytes that its
   kind needs: never copy one by assignment, and read only the union member of its kind.  Member
   names are those of Python's `ast` module; what is a keyword of C carries an underscore behind it.

   A sequence pointer is never NULL; an empty list is a sequence of length 0.  Pointers marked
   `AST_OPT` may be NULL.  Entries of a sequence are not NULL, but for Dict.keys (`**x`) and
   arguments.kw_defaults (no default). */

#ifndef KRAIT_PARSE_AST_H
#define KRAIT_PARSE_AST_H

#include "arena.h"

#define AST_OPT /* reads as "may be NULL" */

/* Lines count from 1, columns from 0 in bytes of UTF-8; the end is exclusive. */
struct ast_pos {
    int32_t line, col, end_line, end_col;
};

#define AST_SEQ(name, item)                                                                        \
    struct name {                                                                                  \
        size_t len;                                                                                \
        item items[];                                                                              \
    }

AST_SEQ(expr_seq, struct expr *);
AST_SEQ(stmt_seq, struct stmt *);
AST_SEQ(pattern_seq, struct pattern *);
AST_SEQ(arg_seq, struct arg *);
AST_SEQ(keyword_seq, struct keyword *);
AST_SEQ(alias_seq, struct alias *);
AST_SEQ(withitem_seq, struct withitem *);
AST_SEQ(comprehension_seq, struct comprehension *);
AST_SEQ(handler_seq, struct handler *);
AST_SEQ(match_case_seq, struct match_case *);
AST_SEQ(typeparam_seq, struct typeparam *);
AST_SEQ(typeignore_seq, struct typeignore *);
AST_SEQ(name_seq, PyObject *);
AST_SEQ(cmpop_seq, uint8_t); /* of enum ast_cmpop */

enum ast_context { AST_LOAD, AST_STORE, AST_DEL };
/* clang-format off */
enum ast_boolop { AST_AND, AST_OR };
enum ast_operator {
    AST_ADD, AST_SUB, AST_MULT, AST_MATMULT, AST_DIV, AST_MOD, AST_POW, AST_LSHIFT, AST_RSHIFT,
    AST_BITOR, AST_BITXOR, AST_BITAND, AST_FLOORDIV,
};
enum ast_unaryop { AST_INVERT, AST_NOT, AST_UADD, AST_USUB };
enum ast_cmpop {
    AST_EQ, AST_NOTEQ, AST_LT, AST_LTE, AST_GT, AST_GTE, AST_IS, AST_ISNOT, AST_IN, AST_NOTIN,
};

enum expr_kind {
    EXPR_BOOLOP, EXPR_NAMEDEXPR, EXPR_BINOP, EXPR_UNARYOP, EXPR_LAMBDA, EXPR_IFEXP, EXPR_DICT,
    EXPR_SET, EXPR_LISTCOMP, EXPR_SETCOMP, EXPR_DICTCOMP, EXPR_GENERATOREXP, EXPR_AWAIT,
    EXPR_YIELD, EXPR_YIELDFROM, EXPR_COMPARE, EXPR_CALL, EXPR_FORMATTEDVALUE, EXPR_JOINEDSTR,
    EXPR_CONSTANT, EXPR_ATTRIBUTE, EXPR_SUBSCRIPT, EXPR_STARRED, EXPR_NAME, EXPR_LIST, EXPR_TUPLE,
    EXPR_SLICE,
    EXPR_KINDS
};

enum { EXPR_PARENTHESISED = 1 }; /* struct expr.flags; for the parser's own use */

struct expr {
    uint8_t kind;  /* enum expr_kind */
    uint8_t ctx;   /* enum ast_context: attribute, subscript, starred, name, list, tuple */
    uint8_t op;    /* enum ast_boolop, ast_operator or ast_unaryop: boolop, binop, unaryop */
    uint8_t flags;
    struct ast_pos pos;
    union {
        struct { struct expr_seq *values; } boolop;                     /* op */
        struct { struct expr *target, *value; } namedexpr;
        struct { struct expr *left, *right; } binop;                    /* op */
        struct { struct expr *operand; } unaryop;                       /* op */
        struct { struct arguments *args; struct expr *body; } lambda;
        struct { struct expr *test, *body, *orelse; } ifexp;
        struct { struct expr_seq *keys, *values; } dict;                /* keys: items may be NULL */
        struct { struct expr_seq *elts; } set;
        struct { struct expr *elt; struct comprehension_seq *generators; } listcomp;
        struct { struct expr *elt; struct comprehension_seq *generators; } setcomp;
        struct { struct expr *key, *value; struct comprehension_seq *generators; } dictcomp;
        struct { struct expr *elt; struct comprehension_seq *generators; } generatorexp;
        struct { struct expr *value; } await;
        struct { struct expr *AST_OPT value; } yield;
        struct { struct expr *value; } yieldfrom;
        struct { struct expr *left; struct cmpop_seq *ops; struct expr_seq *comparators; } compare;
        struct { struct expr *func; struct expr_seq *args; struct keyword_seq *keywords; } call;
        struct {
            struct expr *value, *AST_OPT format_spec;
            int32_t conversion; /* -1, or one of "sra" */
        } formattedvalue;
        struct { struct expr_seq *values; } joinedstr;
        struct { PyObject *value, *AST_OPT kind; } constant;                /* kind: "u" or NULL */
        struct { struct expr *value; PyObject *attr; } attribute;       /* ctx */
        struct { struct expr *value, *slice; } subscript;               /* ctx */
        struct { struct expr *value; } starred;                         /* ctx */
        struct { PyObject *id; } name;                                  /* ctx */
        struct { struct expr_seq *elts; } list;                         /* ctx */
        struct { struct expr_seq *elts; } tuple;                        /* ctx */
        struct { struct expr *AST_OPT lower, *AST_OPT upper, *AST_OPT step; } slice;
    };
};

enum stmt_kind {
    STMT_FUNCTIONDEF, STMT_ASYNCFUNCTIONDEF, STMT_CLASSDEF, STMT_RETURN, STMT_DELETE, STMT_ASSIGN,
    STMT_TYPEALIAS, STMT_AUGASSIGN, STMT_ANNASSIGN, STMT_FOR, STMT_ASYNCFOR, STMT_WHILE, STMT_IF,
    STMT_WITH, STMT_ASYNCWITH, STMT_MATCH, STMT_RAISE, STMT_TRY, STMT_TRYSTAR, STMT_ASSERT,
    STMT_IMPORT, STMT_IMPORTFROM, STMT_GLOBAL, STMT_NONLOCAL, STMT_EXPR, STMT_PASS, STMT_BREAK,
    STMT_CONTINUE,
    STMT_KINDS
};

struct stmt {
    uint8_t kind; /* enum stmt_kind */
    uint8_t op;   /* enum ast_operator of augassign; `simple` of annassign is in its struct */
    struct ast_pos pos;
    union {
        struct { /* also asyncfunctiondef */
            PyObject *name;
            struct arguments *args;
            struct stmt_seq *body;
            struct expr_seq *decorator_list;
            struct expr *AST_OPT returns;
            PyObject *AST_OPT type_comment;
            struct typeparam_seq *type_params;
        } functiondef;
        struct {
            PyObject *name;
            struct expr_seq *bases;
            struct keyword_seq *keywords;
            struct stmt_seq *body;
            struct expr_seq *decorator_list;
            struct typeparam_seq *type_params;
        } classdef;
        struct { struct expr *AST_OPT value; } return_;
        struct { struct expr_seq *targets; } delete_;
        struct {
            struct expr_seq *targets;
            struct expr *value;
            PyObject *AST_OPT type_comment;
        } assign;
        struct { struct expr *name; struct typeparam_seq *type_params; struct expr *value; } typealias;
        struct { struct expr *target, *value; } augassign; /* op */
        struct { struct expr *target, *annotation, *AST_OPT value; int32_t simple; } annassign;
        struct { /* also asyncfor */
            struct expr *target, *iter;
            struct stmt_seq *body, *orelse;
            PyObject *AST_OPT type_comment;
        } for_;
        struct { struct expr *test; struct stmt_seq *body, *orelse; } while_;
        struct { struct expr *test; struct stmt_seq *body, *orelse; } if_;
        struct { /* also asyncwith */
            struct withitem_seq *items;
            struct stmt_seq *body;
            PyObject *AST_OPT type_comment;
        } with;
        struct { struct expr *subject; struct match_case_seq *cases; } match;
        struct { struct expr *AST_OPT exc, *AST_OPT cause; } raise;
        struct { /* also trystar */
            struct stmt_seq *body;
            struct handler_seq *handlers;
            struct stmt_seq *orelse, *finalbody;
        } try_;
        struct { struct expr *test, *AST_OPT msg; } assert_;
        struct { struct alias_seq *names; } import;
        struct { PyObject *AST_OPT module; struct alias_seq *names; int32_t level; } importfrom;
        struct { struct name_seq *names; } global; /* also nonlocal */
        struct { struct expr *value; } expr;
    };
};

enum pattern_kind {
    PATTERN_VALUE, PATTERN_SINGLETON, PATTERN_SEQUENCE, PATTERN_MAPPING, PATTERN_CLASS,
    PATTERN_STAR, PATTERN_AS, PATTERN_OR,
    PATTERN_KINDS
};

struct pattern {
    uint8_t kind; /* enum pattern_kind */
    struct ast_pos pos;
    union {
        struct { struct expr *value; } value;
        struct { PyObject *value; } singleton; /* None, True or False */
        struct { struct pattern_seq *patterns; } sequence;
        struct { struct expr_seq *keys; struct pattern_seq *patterns; PyObject *AST_OPT rest; } mapping;
        struct {
            struct expr *cls;
            struct pattern_seq *patterns;
            struct name_seq *kwd_attrs;
            struct pattern_seq *kwd_patterns;
        } class_;
        struct { PyObject *AST_OPT name; } star;
        struct { struct pattern *AST_OPT pattern; PyObject *AST_OPT name; } as; /* both NULL: `_` */
        struct { struct pattern_seq *patterns; } or_;
    };
};

enum typeparam_kind { TYPEPARAM_TYPEVAR, TYPEPARAM_PARAMSPEC, TYPEPARAM_TYPEVARTUPLE,
                      TYPEPARAM_KINDS };

struct typeparam {
    uint8_t kind; /* enum typeparam_kind */
    struct ast_pos pos;
    PyObject *name;
    struct expr *AST_OPT bound; /* TypeVar only */
    struct expr *AST_OPT default_value;
};

struct comprehension {
    struct expr *target, *iter;
    struct expr_seq *ifs;
    int32_t is_async;
};

struct handler { /* ExceptHandler */
    struct ast_pos pos;
    struct expr *AST_OPT type;
    PyObject *AST_OPT name;
    struct stmt_seq *body;
};

struct arguments {
    struct arg_seq *posonlyargs, *args;
    struct arg *AST_OPT vararg;
    struct arg_seq *kwonlyargs;
    struct expr_seq *kw_defaults; /* items may be NULL, as many as kwonlyargs */
    struct arg *AST_OPT kwarg;
    struct expr_seq *defaults;    /* of the last posonlyargs + args */
};

struct arg {
    struct ast_pos pos;
    PyObject *arg;
    struct expr *AST_OPT annotation;
    PyObject *AST_OPT type_comment;
};

struct keyword {
    struct ast_pos pos;
    PyObject *AST_OPT arg; /* NULL: `**value` */
    struct expr *value;
};

struct alias {
    struct ast_pos pos;
    PyObject *name;
    PyObject *AST_OPT asname;
};

struct withitem {
    struct expr *context_expr, *AST_OPT optional_vars;
};

struct match_case {
    struct pattern *pattern;
    struct expr *AST_OPT guard;
    struct stmt_seq *body;
};

struct typeignore { /* TypeIgnore; no position of its own but the line */
    int32_t lineno;
    PyObject *tag;
};

enum module_kind { MODULE_MODULE, MODULE_INTERACTIVE, MODULE_EXPRESSION, MODULE_FUNCTIONTYPE,
                   MODULE_KINDS };

struct ast_module {
    uint8_t kind; /* enum module_kind */
    union {
        struct { struct stmt_seq *body; struct typeignore_seq *type_ignores; } module;
        struct { struct stmt_seq *body; } interactive;
        struct { struct expr *body; } expression;
        struct { struct expr_seq *argtypes; struct expr *returns; } functiontype;
    };
};

/* Nodes of exactly the size their kind needs, all pointers NULL and numbers 0 but for what is
   given here (ctx is AST_LOAD).  NULL with MemoryError. */
struct expr *ast_expr_new(struct arena *, enum expr_kind, const struct ast_pos *);
struct stmt *ast_stmt_new(struct arena *, enum stmt_kind, const struct ast_pos *);
struct pattern *ast_pattern_new(struct arena *, enum pattern_kind, const struct ast_pos *);

/* A sequence for `len` items of `item_size` bytes, the items NULL; cast it to its type.  Length 0
   gives one shared constant sequence.  NULL with MemoryError. */
void *ast_seq_new(struct arena *, size_t len, size_t item_size);
#define AST_SEQ_NEW(arena, type, len) \
    ((struct type *)ast_seq_new(arena, len, sizeof(((struct type *)0)->items[0])))

/* clang-format on */
/* The docstring of a body: its first statement if that is a plain str constant, or NULL
   (borrowed). */
PyObject *ast_docstring(const struct stmt_seq *body);

#endif
