/* The symbol table: which scope every name of a syntax tree belongs to.

   Two passes.  The first walks the tree and notes in each block how its names are used; the second
   walks the blocks from the outside in and decides for every name whether it is local, global, free or
   a cell, and which comprehensions become part of the block around them (PEP 709).  Flag values are
   those that Python's `symtable` module sees. */

#ifndef KRAIT_COMPILE_SYMTABLE_H
#define KRAIT_COMPILE_SYMTABLE_H

#include "interp/parse/ast.h"
#include <stdbool.h>

enum symbol_flag {
    SYM_GLOBAL = 1,          /* named in a global statement */
    SYM_LOCAL = 2,           /* assigned in this block */
    SYM_PARAM = 4,           /* a parameter */
    SYM_NONLOCAL = 8,        /* named in a nonlocal statement */
    SYM_USE = 16,            /* read */
    SYM_FREE_CLASS = 64,     /* free in a method, and also bound in this class body */
    SYM_IMPORT = 128,        /* bound by an import */
    SYM_ANNOT = 256,         /* annotated */
    SYM_COMP_ITER = 512,     /* a comprehension's iteration variable */
    SYM_TYPE_PARAM = 1024,   /* a type parameter */
    SYM_COMP_CELL = 2048,    /* a cell only because an inlined comprehension needs one */
    SYM_DELETED = 1 << 20,   /* deleted somewhere: never known to be bound (ours alone) */
    SYM_COMP_ONLY = 1 << 21, /* bound only by an inlined comprehension (ours alone) */
    SYM_BOUND = SYM_LOCAL | SYM_PARAM | SYM_IMPORT | SYM_TYPE_PARAM,
};

enum symbol_scope {
    SCOPE_UNKNOWN,
    SCOPE_LOCAL,
    SCOPE_GLOBAL_EXPLICIT,
    SCOPE_GLOBAL_IMPLICIT,
    SCOPE_FREE,
    SCOPE_CELL
};

struct symbol {
    PyObject *name; /* borrowed from the arena, mangled, interned */
    uint32_t flags; /* enum symbol_flag */
    uint8_t scope;  /* enum symbol_scope */
};

/* An insertion-ordered set of symbols, found by the address of their interned name. */
struct symbol_map {
    struct symbol *items;
    uint32_t count, capacity;
    uint32_t *index; /* open addressing, item number + 1; NULL while small */
    uint32_t index_mask;
};

enum block_kind {
    BLOCK_FUNCTION,
    BLOCK_CLASS,
    BLOCK_MODULE,
    BLOCK_ANNOTATION,
    BLOCK_TYPE_ALIAS,
    BLOCK_TYPE_PARAMETERS,
    BLOCK_TYPE_VARIABLE
};

enum comprehension_kind { COMP_NONE, COMP_LIST, COMP_DICT, COMP_SET, COMP_GENERATOR };

struct block {
    enum block_kind kind;
    enum comprehension_kind comprehension;
    PyObject *name;  /* borrowed from the arena */
    const void *key; /* the node that owns the block */
    struct block *parent;
    struct block **children;
    uint32_t child_count, child_capacity;
    struct symbol_map symbols;
    PyObject **params; /* parameters in order of declaration (borrowed) */
    uint32_t param_count, param_capacity;
    struct ast_pos pos;
    struct global_stmt *directives; /* where names were declared global or nonlocal, for errors */
    bool nested;                    /* inside a function at any depth */
    bool has_free;                  /* uses free variables */
    bool child_free;                /* a child uses free variables */
    bool generator, coroutine;
    bool async_comprehension; /* the comprehension itself awaits or iterates asynchronously */
    bool varargs, varkeywords;
    bool returns_value;
    bool inlined;             /* a comprehension that runs in its parent's frame */
    bool needs_class_closure; /* class: a method mentions __class__ */
    bool needs_classdict;     /* class: an annotation scope looks names up in its namespace */
    bool can_see_class;       /* annotation scope directly inside a class */
    bool is_method;           /* a function directly inside a class */
    bool has_walrus_or_comp;  /* expressions may assign: see compile's operand rules */
    bool iter_expression;     /* first pass: inside a comprehension's iterable */
    bool iter_target;         /* first pass: inside a comprehension's target */
    const char *unnameable;   /* annotation-like scopes: what it is called in errors */
};

struct symtable {
    struct block *top;
    struct arena *arena;
    PyObject *filename;     /* borrowed */
    int future_flags;       /* CO_FUTURE_* */
    struct block **by_node; /* hash map: node -> block */
    uint32_t map_mask, map_count;
    /* first pass */
    struct block *current;
    PyObject *private_name; /* innermost class's name, for mangling (borrowed) or NULL */
    const struct typeparam_seq *private_only; /* around a generic class: only these are mangled */
};

/* Builds the table of `module`.  Everything lives in `arena`, so there is nothing to free.
   Returns NULL with SyntaxError, RecursionError or MemoryError.  Runs no Python code but warnings. */
struct symtable *symtable_build(const struct ast_module *module, PyObject *filename,
                                int future_flags, struct arena *arena);

/* The block that the node opened (never NULL for a node that opens one). */
struct block *symtable_block(const struct symtable *table, const void *node);

/* The symbol of an (already mangled) name, or NULL. */
struct symbol *block_symbol(const struct block *block, PyObject *name);

/* Whether `name` is that of a type parameter. */
bool typeparams_name(const struct typeparam_seq *params, PyObject *name);

/* `name` as class `private_name` (may be NULL) spells it: borrowed from the arena or from the
   caller; NULL with MemoryError. */
PyObject *name_mangle(struct arena *arena, PyObject *private_name, PyObject *name);

static inline bool block_is_function_like(const struct block *block)
{
    return block->kind != BLOCK_MODULE && block->kind != BLOCK_CLASS;
}

#endif
