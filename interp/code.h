/*
 * Code objects: what the compiler hands over, what the machine runs, and how one finds one's way in it.
 *
 * The public part (PyCodeObject) has CPython's layout. What the machine needs lies in a struct
 * code_body that the object owns, found by code_body().
 *
 * An instruction is one 64-bit word: op, a, b, c of 16 bits each, op lowest. Jumps count words from the
 * next instruction. All that is public (f_lasti, co_positions, line tables, monitoring) counts two
 * per word. Words change only in their op, by compare-exchange: specialised forms and instrumented ones.
 */
#ifndef KRAIT_INTERP_CODE_H
#define KRAIT_INTERP_CODE_H

#include "Python.h"

#include <stdbool.h>
#include <stdint.h>

#include "interp/opcodes.h" /* generated: enum opcode */
#include "objects/value.h"

/* ---- the instruction word -------------------------------------------------------------------- */

#define WORD(op, a, b, c)                                                                          \
    ((uint64_t)(uint16_t)(op) | (uint64_t)(uint16_t)(a) << 16 | (uint64_t)(uint16_t)(b) << 32      \
     | (uint64_t)(uint16_t)(c) << 48)
#define WORD_BC(op, a, bc)                                                                         \
    ((uint64_t)(uint16_t)(op) | (uint64_t)(uint16_t)(a) << 16 | (uint64_t)(uint32_t)(bc) << 32)
#define WORD_OP(w) ((unsigned)((w)&0xFFFF))
#define WORD_A(w) ((unsigned)((w) >> 16 & 0xFFFF))
#define WORD_B(w) ((unsigned)((w) >> 32 & 0xFFFF))
#define WORD_C(w) ((unsigned)((w) >> 48))
#define WORD_SC(w) ((int)((int64_t)(w) >> 48))
#define WORD_BCU(w) ((uint32_t)((w) >> 32))
#define WORD_SBC(w) ((int32_t)((w) >> 32))

#define REG_NONE 0xFFFFu /* RERAISE: no saved lasti */

/* CALL, SET_FUNC_ATTR, ... */
enum func_attr { FUNC_DEFAULTS = 1, FUNC_KWDEFAULTS = 2, FUNC_ANNOTATIONS = 4, FUNC_CLOSURE = 8 };

/* CALL_EX: [callable][0][positional arguments], then a dict of keyword arguments (1), any mapping that is all of them
 * (3), or a constant tuple of names (4) and, for each, its value. */
enum { CALL_EX_DICT = 1, CALL_EX_MAPPING = 3, CALL_EX_NAMES = 4, CALL_EX_SHIFT = 3 };

/* clang-format off */
enum intrinsic1 {
    INTRINSIC_1_INVALID, INTRINSIC_PRINT, INTRINSIC_IMPORT_STAR, INTRINSIC_STOPITERATION_ERROR,
    INTRINSIC_ASYNC_GEN_WRAP, INTRINSIC_UNARY_POSITIVE, INTRINSIC_LIST_TO_TUPLE,
    INTRINSIC_TYPEVAR, INTRINSIC_PARAMSPEC, INTRINSIC_TYPEVARTUPLE, INTRINSIC_SUBSCRIPT_GENERIC,
    INTRINSIC_TYPEALIAS,
};
/* clang-format on */
enum intrinsic2 {
    INTRINSIC_2_INVALID,
    INTRINSIC_PREP_RERAISE_STAR,
    INTRINSIC_TYPEVAR_WITH_BOUND,
    INTRINSIC_TYPEVAR_WITH_CONSTRAINTS,
    INTRINSIC_SET_FUNCTION_TYPE_PARAMS,
    INTRINSIC_SET_TYPEPARAM_DEFAULT,
};

/* localspluskinds */
enum {
    CODE_FAST_HIDDEN = 0x10,
    CODE_FAST_LOCAL = 0x20,
    CODE_FAST_CELL = 0x40,
    CODE_FAST_FREE = 0x80
};

/* ---- what the compiler hands over ------------------------------------------------------------ */

struct code_position {
    int line, end_line, col, end_col; /* -1: none */
};

struct code_handler {
    uint32_t start, end, target; /* words; sorted by start, not overlapping */
    uint16_t depth;              /* registers from here up are released */
    uint8_t lasti;               /* r[depth] gets the raising word's index * 2 */
};

struct code_site_spec {
    uint32_t arg, arg2;
};

struct code_spec {
    uint64_t *words;
    uint32_t nwords;
    uint16_t *depths;                /* one per word: first dead register before it */
    struct code_position *positions; /* one per word */
    struct code_site_spec *sites;
    uint32_t nsites;
    struct code_handler *handlers;
    uint32_t nhandlers;
    /* all borrowed */
    PyObject *consts, *names, *localsplusnames, *localspluskinds, *filename, *name, *qualname;
    int argcount, posonlyargcount, kwonlyargcount, flags, firstlineno, nlocals, nregs;
    bool trusted; /* the compiler made it: code_from_parts() need not verify */
};

/* New reference, or NULL with an exception. Copies everything; trusts the code (use code_verify()
 * for what does not come from the compiler). Interns names. Runs no Python code. */
PyCodeObject *code_new(const struct code_spec *spec);

/* ---- what the machine runs ------------------------------------------------------------------- */

struct code_site {
    uint64_t cache; /* atomic; 0: empty. Its meaning is the op's */
    uint32_t arg, arg2;
    uint32_t misses; /* atomic: how often it was specialised anew */
    uint32_t spare;
};

/* Arguments of a call site: their number, unless there are keywords. */
static inline uint64_t code_site_args(const struct code_site *site)
{
    return site->arg | (uint64_t)site->arg2 << 32;
}

struct code_monitor; /* monitoring.c */

struct code_body {
    uint64_t *words;
    value_t *kwords; /* constants as words: numbers, else uncounted */
    struct code_site *sites;
    uint16_t *depths;
    uint16_t nlocals; /* == co_nlocalsplus */
    uint16_t nregs;
    uint16_t argcount;
    uint8_t simple;      /* exactly argcount positional arguments, plain */
    uint64_t plain_args; /* argcount if simple, else what no site has */
    uint8_t generator;   /* CO_GENERATOR | COROUTINE | ASYNC_GENERATOR */
    PyCodeObject *code;  /* borrowed: owner */
    struct code_handler *handlers;
    uint32_t nwords, nsites, nhandlers, nconsts;
    uint32_t version;             /* unique; what call caches compare */
    uint32_t instrument_version;  /* which state of the interpreter's tools is patched in */
    struct code_monitor *monitor; /* NULL: never instrumented */
    PyObject **consts;            /* items of co_consts */
    PyObject **names;             /* items of co_names */
};

static inline struct code_body *code_body(PyCodeObject *code)
{
    return (struct code_body *)code->co_executors;
}

static inline int code_index(const struct code_body *body, const uint64_t *word)
{
    return (int)(word - body->words);
}

/* Gives words the forms that can be told from their operands. The code is new, and right. */
void code_choose_forms(struct code_body *body);

/* The op that the compiler put at a word: not instrumented, not specialised. */
enum opcode code_base_op(const struct code_body *body, uint32_t index);

/* A word with the compiler's op. */
uint64_t code_base_word(const struct code_body *body, uint32_t index);
/* monitoring.c: the op (possibly specialised) behind an instrumented word. */
unsigned monitor_original_op(const struct code_body *body, uint32_t index);
void monitor_free(struct code_monitor *monitor);

/* As code_new(), with finished tables (borrowed; NULL: made from the spec). */
PyCodeObject *code_new_with_tables(const struct code_spec *spec, PyObject *linetable,
                                   PyObject *exceptiontable);
/* Number of handlers, or -1 with ValueError; PyMem_RawFree(*handlers). */
int code_handlers_decode(PyObject *table, struct code_handler **handlers);
/* New tuple of the names with a CODE_FAST_* bit. */
PyObject *code_names_of_kind(PyCodeObject *code, int kind, int n);

/* co_code: new bytes; and code from it and a spec whose words, depths, sites and handlers are not filled in.
 * Verified, if it is not trusted. */
PyObject *code_serialise(PyCodeObject *code);
PyCodeObject *code_from_parts(struct code_spec *spec, PyObject *bytes, PyObject *linetable,
                              PyObject *exceptiontable);
void code_tell_watchers(PyCodeEvent event, PyCodeObject *code);

/* ---- finding one's way ----------------------------------------------------------------------- */

/* The handler of a word, or NULL. */
const struct code_handler *code_handler_find(const struct code_body *body, uint32_t index);

/* Line of a word, or -1. */
int code_line(PyCodeObject *code, int index);
/* All of the position; false when the word has none. */
bool code_position(PyCodeObject *code, int index, struct code_position *position);
/* Walks co_linetable. */
struct line_iter {
    const uint8_t *next, *end;
    int start, stop; /* words */
    struct code_position position;
    int running; /* line that deltas build on */
};
void line_iter_init(struct line_iter *iter, PyCodeObject *code);
bool line_iter_next(struct line_iter *iter);

/* The register of a name among the locals, cells and free variables; -1. */
int code_local_index(PyCodeObject *code, PyObject *name);
static inline int code_local_kind(PyCodeObject *code, int index)
{
    return (unsigned char)PyBytes_AS_STRING(code->co_localspluskinds)[index];
}

/* 0, or -1 with ValueError that says what is wrong: registers, jumps, depths, indices, handlers. Right code
 * gets its forms. */
int code_verify(PyCodeObject *code);

/* ---- tables (generated) ---------------------------------------------------------------------- */

/* What an operand is. */
/* clang-format off */
enum operand_kind {
    OPERAND_NONE, OPERAND_DST, OPERAND_USE, OPERAND_KEEP, OPERAND_BASE, OPERAND_JUMP,
    OPERAND_CONST, OPERAND_SITE, OPERAND_SITE_BC, OPERAND_COUNT, OPERAND_NUMBER, OPERAND_JUMP_BC,
    OPERAND_CONST_BC, OPERAND_LOCAL, OPERAND_NUMBER_BC,
};
/* clang-format on */

struct opcode_info {
    const char *name;
    uint16_t base;   /* the op that this one is a form of; itself else */
    uint8_t a, b, c; /* enum operand_kind */
    uint8_t flags;   /* OPCODE_* */
};
enum { OPCODE_JUMPS = 1, OPCODE_ENDS = 2, OPCODE_CALLS = 4, OPCODE_RAISES = 8 };
extern const struct opcode_info opcode_table[];
extern const unsigned opcode_count;

/* ---- start-up -------------------------------------------------------------------------------- */

extern PyTypeObject *const code_types[];

#endif
