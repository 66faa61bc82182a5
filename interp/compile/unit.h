/* A unit under compilation: its instructions, registers, constants and open blocks.  Internal to
   interp/compile. */

#ifndef KRAIT_COMPILE_UNIT_H
#define KRAIT_COMPILE_UNIT_H

#include "interp/code.h"
#include "symtable.h"

/* The position of what stands nowhere in the source: see lines.c. */
#define NOWHERE ((struct ast_pos){-1, -1, -1, -1})

enum { ANY = -1 }; /* as destination: wherever is cheapest */
enum { NO_LABEL = -1, NO_HANDLER = -1 };

/* One instruction before jumps are resolved. */
struct draft {
    uint16_t op;
    uint16_t depth;
    int32_t handler; /* index into unit.handlers, or NO_HANDLER */
    int32_t label;   /* where it jumps to, or NO_LABEL */
    uint32_t a, b, c;
    struct ast_pos pos;
};

/* Where an exception raised by the instructions marked with it continues. */
struct draft_handler {
    int32_t label;
    int32_t outer; /* the handler around it */
    uint16_t depth;
    bool lasti;
    bool used;
};

struct label {
    int32_t at; /* index of the instruction it stands before, or -1 */
    bool used;  /* some emitted instruction or handler range refers to it */
};

/* What must be undone when control leaves a block by break, continue or return. */
enum open_kind {
    OPEN_WHILE,
    OPEN_FOR,
    OPEN_ASYNC_FOR,
    OPEN_TRY,
    OPEN_FINALLY_TRY,
    OPEN_FINALLY_END,
    OPEN_WITH,
    OPEN_ASYNC_WITH,
    OPEN_HANDLER,
    OPEN_COMPREHENSION
};

struct open_block {
    enum open_kind kind;
    struct open_block *outer;
    int32_t handler; /* the handler in force outside the block */
    int32_t break_label, continue_label;
    int reg;                    /* iterator; __exit__; previous handled exception */
    struct stmt_seq *finalbody; /* OPEN_FINALLY_TRY */
    PyObject *name;             /* OPEN_HANDLER: the name to delete, or NULL */
    bool star;                  /* OPEN_HANDLER of an except*: no jump leaves it */
    struct ast_pos pos;         /* of the with statement */
};

/* An inlined comprehension around the code that is being compiled. */
struct comp_scope {
    struct comp_scope *outer;
    const struct block *block;
};

struct unit {
    struct unit *outer;
    const struct block *block;
    struct comp_scope *comp;
    PyObject *name, *qualname;                /* borrowed from the arena */
    PyObject *private_name;                   /* for mangling, borrowed, or NULL */
    const struct typeparam_seq *private_only; /* only these are mangled; NULL: all names */
    int argcount, posonlyargcount, kwonlyargcount, flags, firstlineno;

    struct draft *code;
    uint32_t code_count, code_capacity;
    struct label *labels;
    uint32_t label_count, label_capacity;
    struct draft_handler *handlers;
    uint32_t handler_count, handler_capacity;
    struct {
        uint32_t arg, arg2;
    } * sites;
    uint32_t site_count, site_capacity;

    PyObject *consts, *const_index; /* list; dict key -> index (owned by the arena) */
    PyObject *names, *name_index;
    PyObject *slots; /* localsplus names, a list */
    uint8_t *slot_kinds;
    PyObject *slot_index;        /* dict name -> register */
    PyObject *static_attributes; /* class: list of names assigned on self, or NULL */

    int class_cell, classdict_cell; /* class: registers of __class__, __classdict__, or ANY */
    int nlocals;                    /* registers of localsplus */
    int depth;                      /* first dead register */
    int nregs;                      /* high-water mark of depth */
    int32_t handler;                /* in force for what is emitted now */
    bool unreachable;
    bool async; /* await may stand here */
    struct open_block *open;
    int open_count;  /* nested blocks, as their limit counts them */
    uint64_t *bound; /* bit per local: surely bound here */
    uint32_t bound_words;
};

struct compiler {
    struct arena *arena;
    struct symtable *table;
    struct unit *unit;
    PyObject *filename;
    int flags; /* PyCF_ and CO_FUTURE_ */
    int optimize;
    bool interactive;
    bool failed;
    struct ast_pos pos; /* where the node being compiled stands */
    uint32_t nested_functions;
};

/* ---- failure ---- */

/* Marks the compilation as failed (an exception is set). */
static inline void fail(struct compiler *c)
{
    c->failed = true;
}

/* Raises SyntaxError at the current position. */
void fail_syntax(struct compiler *c, const char *format, ...);

/* Gives a SyntaxWarning at the current position; fails if it became an error. */
void warn_syntax(struct compiler *c, const char *format, ...);

/* `object` (STOLEN, NULL = failure) handed to the arena, borrowed back. */
PyObject *keep(struct compiler *c, PyObject *object);

/* ---- units ---- */

/* Opens a unit for `block`; `name` is borrowed from the arena.  False on failure. */
bool unit_enter(struct compiler *c, PyObject *name, const struct block *block, int firstlineno);

/* Assembles the current unit and leaves it.  The code object is borrowed from the arena; NULL on
   failure. */
PyObject *unit_leave(struct compiler *c);
/* Whether this is a module that awaits, and may. */
bool unit_is_module_coroutine(const struct compiler *c, const struct unit *u);

/* Gives drafts that stand nowhere the position of what runs before them. */
void lines_settle(struct compiler *c, struct unit *unit);

/* Finishes the drafts of `unit` into a code object (new reference). */
PyObject *unit_assemble(struct compiler *c, struct unit *unit);

/* ---- emitting ---- */

uint32_t emit(struct compiler *c, enum opcode op, int a, int b, int c_);
static inline void emit_wide(struct compiler *c, enum opcode op, int a, uint32_t bc);
void emit_jump(struct compiler *c, enum opcode op, int a, int b, int32_t label);
/* Adds a copy of draft number `index` at the end, reachable or not. */
void draft_append(struct compiler *c, uint32_t index);
int32_t label_new(struct compiler *c);
void label_here(struct compiler *c, int32_t label);

/* Operands b and c together as one number of 32 bits. */
static inline void emit_wide(struct compiler *c, enum opcode op, int a, uint32_t bc)
{
    emit(c, op, a, bc & 0xFFFF, bc >> 16);
}

uint32_t site_new(struct compiler *c, uint32_t arg, uint32_t arg2);
uint32_t const_add(struct compiler *c, PyObject *value); /* value borrowed */
uint32_t name_add(struct compiler *c, PyObject *name);   /* co_names index */
static inline uint32_t name_site(struct compiler *c, PyObject *name)
{
    return site_new(c, name_add(c, name), 0);
}

/* The private spelling of a name in the current unit (borrowed). */
PyObject *mangled(struct compiler *c, PyObject *name);

/* ---- registers ---- */

/* The next temporary, now live. */
int temp_push(struct compiler *c);

static inline void temp_pop_to(struct compiler *c, int depth)
{
    c->unit->depth = depth;
}

static inline bool is_local(const struct compiler *c, int reg)
{
    return reg < c->unit->nlocals;
}

void load_const(struct compiler *c, int dst, PyObject *value); /* value borrowed */
static inline void load_none(struct compiler *c, int dst)
{
    load_const(c, dst, Py_None);
}

/* ---- handlers ---- */

/* A handler at `label` that is entered with `depth` live registers; it becomes the one in force. */
int32_t handler_push(struct compiler *c, int32_t label, int depth, bool lasti);

/* The handler around the one in force is in force again. */
void handler_pop(struct compiler *c);

/* ---- what is surely bound ---- */

uint64_t *bound_save(struct compiler *c);
void bound_restore(struct compiler *c, const uint64_t *saved);
void bound_intersect(struct compiler *c, uint64_t *into); /* into &= now */
void bound_set(struct compiler *c, int reg);
void bound_clear(struct compiler *c, int reg);
bool bound_known(const struct compiler *c, int reg);

/* ---- names (names.c) ---- */

/* How the current scope reaches a name. */
struct place {
    enum {
        PLACE_LOCAL,
        PLACE_CELL,
        PLACE_GLOBAL,
        PLACE_NAME,
        PLACE_CLASS_GLOBAL,
        PLACE_CLASS_CELL
    } kind;
    int reg;        /* local, or register of the cell */
    bool deletable; /* some statement deletes it: always check */
};
struct place place_of(struct compiler *c, PyObject *mangled_name);

/* The register if `name` is a plain local that is bound here (after a check was emitted if it was
   not sure), or ANY. */
int name_register(struct compiler *c, PyObject *name);
void name_load(struct compiler *c, PyObject *name, int dst);
void name_store(struct compiler *c, PyObject *name, int src);
void name_delete(struct compiler *c, PyObject *name);
/* The register a store could be made to directly, or ANY. */
int name_store_register(struct compiler *c, PyObject *name);
/* The register of the cell that holds `name` here (for closures, __class__, ...). */
int cell_register(struct compiler *c, PyObject *name);

/* ---- expressions (expr.c, call.c, comprehension.c) ---- */

/* Evaluates `e`.  dst == ANY: into a new temporary, or no copy at all for a plain local; otherwise into
   exactly `dst`, a local or the first dead register (which the caller then makes live).  Returns
   the register; with ANY a temporary result is live. */
int expr(struct compiler *c, struct expr *e, int dst);

/* Into a new live temporary. */
int expr_push(struct compiler *c, struct expr *e);

/* An operand: as ANY, but a local is copied if evaluating `later` (may be NULL) could change it. */
int expr_operand(struct compiler *c, struct expr *e, struct expr *later);

/* For the argument of a call or build: like expr_push, but a local may be lent if `stable`. */
int expr_lend(struct compiler *c, struct expr *e, bool stable);

/* Evaluates for effect alone. */
void expr_drop(struct compiler *c, struct expr *e);

/* Jumps to `label` if the truth of `e` is `when`; falls through otherwise. */
void expr_jump(struct compiler *c, struct expr *e, bool when, int32_t label);

/* Could evaluating `e` assign a local, or suspend the frame? */
bool expr_unstable(const struct compiler *c, const struct expr *e);

/* Stores register `src` (consumed if a temporary) in a target expression. */
void target_store(struct compiler *c, struct expr *target, int src);
void target_delete(struct compiler *c, struct expr *target);

/* r[left] OP= right, into dst. */
void emit_inplace(struct compiler *c, unsigned op, int dst, int left, struct expr *right,
                  const struct ast_pos *pos);
/* Sets the position of the attribute access `e`: the line of its name. */
void attribute_pos(struct compiler *c, const struct expr *e);
/* super().name: a place to stop at where the name stands on a line of its own. */
void super_attribute_line(struct compiler *c, const struct expr *e);
/* If `e` is super() or super(type, self) that needs no object: pushes super, class and self. */
bool super_push(struct compiler *c, struct expr *e);

void call_expr(struct compiler *c, struct expr *e, int dst);
/* A call with the callable in r[base], 0 or self in r[base+1] and `count` arguments from base+2 already
   pushed, plus `args` and `keywords` still to be evaluated. */
void call_finish(struct compiler *c, int base, int count, struct expr_seq *args,
                 struct keyword_seq *keywords, int dst);
void call_window(struct compiler *c, int base, int count, int dst);

void comprehension_expr(struct compiler *c, struct expr *e, int dst);

/* r[reg], an awaitable's or sub-iterator's iterator in the top temporary, is run to its end; the
   result replaces it. */
void emit_send_loop(struct compiler *c, int reg, int resume_kind);
void emit_await(struct compiler *c, int reg, int where);

/* ---- statements ---- */

void stmts(struct compiler *c, struct stmt_seq *body);
void stmt_function(struct compiler *c, struct stmt *s);
void stmt_class(struct compiler *c, struct stmt *s);
void stmt_type_alias(struct compiler *c, struct stmt *s);
void stmt_try(struct compiler *c, struct stmt *s);
void stmt_try_star(struct compiler *c, struct stmt *s);
void stmt_with(struct compiler *c, struct stmt *s);
void stmt_match(struct compiler *c, struct stmt *s);
void lambda_expr(struct compiler *c, struct expr *e, int dst);
void class_body_prologue(struct compiler *c);
void annotation_value(struct compiler *c, struct expr *annotation); /* pushes a temporary */
void body_with_docstring(struct compiler *c, struct stmt_seq *body);

/* The code object `code` as a function in r[dst]; what SET_FUNC_ATTR adds comes after. */
void make_function(struct compiler *c, PyObject *code, const struct block *block, int dst);

/* ---- open blocks (unwind.c) ---- */

/* Fails when too many are open. */
void open_push(struct compiler *c, struct open_block *block);
void open_pop(struct compiler *c);

/* Emits what leaving all blocks up to (not including) `until` needs, innermost first. */
void unwind_to(struct compiler *c, struct open_block *until);

/* Inside a handler entered with r[base] = previous, r[base+1] = lasti, r[base+2] = exception. */
void emit_restore_and_reraise(struct compiler *c, int base);

/* Calls r[reg] (an __exit__) with three Nones and leaves the result live in the returned temporary. */
int emit_exit_call(struct compiler *c, int reg);

#endif
