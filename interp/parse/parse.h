/* From source text to a syntax tree, and between trees and `ast` objects.

   Everything here may run Python code (codecs, warnings, readline callbacks, destructors), needs an
   attached thread and no locks held.  On failure a function returns NULL or -1 with an exception
   set; for wrong source that is SyntaxError with all of its positions. */

#ifndef KRAIT_PARSE_PARSE_H
#define KRAIT_PARSE_PARSE_H

#include "ast.h"
#include <stdio.h>

enum parse_mode {
    PARSE_FILE,     /* "exec": Module */
    PARSE_EVAL,     /* "eval": Expression */
    PARSE_SINGLE,   /* "single": Interactive */
    PARSE_FUNCTYPE, /* "func_type": FunctionType */
};

/* Values of parse_options.flags are the PyCF_ and CO_FUTURE_ bits of compile(). */
struct parse_options {
    int flags;           /* PyCF_TYPE_COMMENTS, PyCF_IGNORE_COOKIE, PyCF_DONT_IMPLY_DEDENT,
                            PyCF_ALLOW_INCOMPLETE_INPUT, CO_FUTURE_BARRY_AS_BDFL are heeded;
                            a barry_as_FLUFL import in the source is added on return */
    int feature_version; /* minor version of Python 3 whose grammar is asked for; < 0: the newest */
    PyObject *encoding;  /* out, new reference, may be NULL on input: the source's encoding, for
                            source that came as bytes or as a file */
    int want_encoding;   /* fill in `encoding` */
};
#define PARSE_OPTIONS_DEFAULT                                                                      \
    {                                                                                              \
        .feature_version = -1                                                                      \
    }

/* Parses `len` bytes (without NUL bytes; any encoding unless PyCF_IGNORE_COOKIE says that it is
   UTF-8).  The tree and its objects live in `arena`; `filename` (str) is for errors and warnings.
   The result is borrowed from the arena. */
struct ast_module *parse_string(const char *source, size_t len, PyObject *filename,
                                enum parse_mode mode, struct parse_options *options,
                                struct arena *arena);

/* The same for all that remains in a stdio stream; `encoding` (may be NULL) overrides the cookie. */
struct ast_module *parse_stream(FILE *stream, PyObject *filename, const char *encoding,
                                enum parse_mode mode, struct parse_options *options,
                                struct arena *arena);

/* Where interactive text comes from: returns one more line as UTF-8 with its newline (a new str), an
   empty str at the end, NULL with an exception set.  `continued` is true when the statement already
   has lines (the secondary prompt). */
typedef PyObject *parse_readline(void *context, int continued);

/* Parses ONE interactive statement.  Reads as few lines as it needs.  At the end of the input
   (before any token) returns NULL *without* an exception set and *at_end true.
   `consumed` (out, new str, may be NULL) is the text that was read. */
struct ast_module *parse_interactive(parse_readline *readline, void *context, PyObject *filename,
                                     struct parse_options *options, struct arena *arena,
                                     int *at_end, PyObject **consumed);

/* ---- the `ast` module's objects ---- */

/* Fills `module` (`_ast`) with the node types and constants; they are kept in a state that
   hangs off `module`.  -1 on failure. */
int ast_types_add(PyObject *module);

/* A tree as objects of `_ast`'s types (new reference). */
PyObject *ast_to_object(const struct ast_module *tree);

/* An object tree back as nodes in `arena`, with the checks and messages that compile() shows.
   `mode` says which root is wanted. */
struct ast_module *ast_from_object(PyObject *object, enum parse_mode mode, struct arena *arena);

/* 1 if `object` is an instance of _ast.AST, 0 if not, -1 with an exception. */
int ast_object_check(PyObject *object);

/* What a tree that did not come from the parser must satisfy before it may be compiled: 0, or -1 with
   ValueError, TypeError or RecursionError. */
int ast_validate(const struct ast_module *tree);

/* ---- on trees ---- */

/* Folds constants in place as compile() does at `optimize` (0, 1, 2), which is what __debug__ is.
   `future_flags` are the CO_FUTURE_ bits: annotations stay untouched with CO_FUTURE_ANNOTATIONS.
   -1 on failure. */
int ast_fold(struct ast_module *tree, int optimize, int future_flags, struct arena *arena);

/* The source text of an expression, as `from __future__ import annotations` stores it (new str). */
PyObject *ast_unparse(const struct expr *expr);

#endif
