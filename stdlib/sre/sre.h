/* What the parts of the regular-expression engine share.
 *
 * re._compiler makes a list of codes out of a pattern.  translate.c checks that list and turns it
 * into a program for a backtracking machine; engine.c runs programs over text of one, two or four
 * bytes a character; pattern.c and match.c are the objects Python code sees. */
#ifndef KRAIT_STDLIB_SRE_H
#define KRAIT_STDLIB_SRE_H

#include "module.h"

#pragma GCC visibility push(hidden)

#define SRE_MAGIC 20230612
#define SRE_MAXREPEAT UINT32_MAX
#define SRE_MAXGROUPS (INT32_MAX / 2)

/* ---- the codes of re._constants, in its order ------------------------------------------------ */

/* clang-format off */
enum code {
    C_FAILURE, C_SUCCESS, C_ANY, C_ANY_ALL, C_ASSERT, C_ASSERT_NOT, C_AT, C_BRANCH, C_CATEGORY,
    C_CHARSET, C_BIGCHARSET, C_GROUPREF, C_GROUPREF_EXISTS, C_IN, C_INFO, C_JUMP, C_LITERAL,
    C_MARK, C_MAX_UNTIL, C_MIN_UNTIL, C_NOT_LITERAL, C_NEGATE, C_RANGE, C_REPEAT, C_REPEAT_ONE,
    C_SUBPATTERN, C_MIN_REPEAT_ONE, C_ATOMIC_GROUP, C_POSSESSIVE_REPEAT, C_POSSESSIVE_REPEAT_ONE,
    C_GROUPREF_IGNORE, C_IN_IGNORE, C_LITERAL_IGNORE, C_NOT_LITERAL_IGNORE,
    C_GROUPREF_LOC_IGNORE, C_IN_LOC_IGNORE, C_LITERAL_LOC_IGNORE, C_NOT_LITERAL_LOC_IGNORE,
    C_GROUPREF_UNI_IGNORE, C_IN_UNI_IGNORE, C_LITERAL_UNI_IGNORE, C_NOT_LITERAL_UNI_IGNORE,
    C_RANGE_UNI_IGNORE,
};
/* clang-format on */

/* clang-format off */
enum at {
    AT_BEGINNING, AT_BEGINNING_LINE, AT_BEGINNING_STRING, AT_BOUNDARY, AT_NON_BOUNDARY, AT_END,
    AT_END_LINE, AT_END_STRING, AT_LOC_BOUNDARY, AT_LOC_NON_BOUNDARY, AT_UNI_BOUNDARY,
    AT_UNI_NON_BOUNDARY, AT_COUNT,
};
/* clang-format on */

/* clang-format off */
enum category {
    CAT_DIGIT, CAT_NOT_DIGIT, CAT_SPACE, CAT_NOT_SPACE, CAT_WORD, CAT_NOT_WORD, CAT_LINEBREAK,
    CAT_NOT_LINEBREAK, CAT_LOC_WORD, CAT_LOC_NOT_WORD, CAT_UNI_DIGIT, CAT_UNI_NOT_DIGIT,
    CAT_UNI_SPACE, CAT_UNI_NOT_SPACE, CAT_UNI_WORD, CAT_UNI_NOT_WORD, CAT_UNI_LINEBREAK,
    CAT_UNI_NOT_LINEBREAK, CAT_COUNT,
};
/* clang-format on */

enum { INFO_PREFIX = 1, INFO_LITERAL = 2, INFO_CHARSET = 4 };

enum {
    FLAG_IGNORECASE = 2,
    FLAG_LOCALE = 4,
    FLAG_MULTILINE = 8,
    FLAG_DOTALL = 16,
    FLAG_UNICODE = 32,
    FLAG_VERBOSE = 64,
    FLAG_DEBUG = 128,
    FLAG_ASCII = 256,
};

/* ---- programs -------------------------------------------------------------------------------- */

/* An instruction is an opcode and its operands, a word each.  Targets are indexes into the program;
 * a set is an index into the data behind it.  The first group takes one character and has one
 * operand, so that a loop over one of them is a single instruction. */
enum instruction {
    I_CHAR,
    I_NOT_CHAR, /* character */
    I_CHAR_ASCII,
    I_NOT_CHAR_ASCII, /* the same, case ignored in three ways */
    I_CHAR_LOCALE,
    I_NOT_CHAR_LOCALE,
    I_CHAR_UNICODE,
    I_NOT_CHAR_UNICODE,
    I_ANY,
    I_ANY_ALL,  /* unused */
    I_SET,      /* set */
    I_CATEGORY, /* category */
    I_LAST_ITEM = I_CATEGORY,

    I_MATCH,
    I_FAIL,
    I_AT,         /* position */
    I_MARK,       /* register */
    I_JUMP,       /* target */
    I_SPLIT,      /* other way: goes on, and there after a failure */
    I_SPLIT_ITEM, /* other way, item, operand: as above, if the next character will do */
    I_SPLIT_LAZY, /* other way: goes there, and on after a failure */
    I_STAR,
    I_STAR_POSSESSIVE,
    I_STAR_LAZY, /* item, operand, minimum, maximum, what follows */
    I_STAR_MORE, /* the same after a failure of the lazy one */
    I_LOOP,      /* registers: begins counting */
    I_UNTIL,
    I_UNTIL_LAZY,       /* registers, minimum, maximum, body */
    I_UNTIL_MORE,       /* registers, body: one more round of a lazy loop */
    I_UNTIL_POSSESSIVE, /* registers, minimum, maximum, end */
    I_ATOMIC,
    I_ATOMIC_END,     /* registers */
    I_ASSERT,         /* registers, characters back */
    I_ASSERT_END,     /* registers */
    I_ASSERT_NOT,     /* registers, characters back, way out */
    I_ASSERT_NOT_END, /* registers */
    I_REF,
    I_REF_ASCII,
    I_REF_LOCALE,
    I_REF_UNICODE, /* register */
    I_IF_GROUP,    /* register, target without the group */
};

#define STAR_WORDS 6
#define NO_CHAR UINT32_MAX /* for "what follows" */

/* A set in the data: how case is ignored, a map of the first 256 characters, and the codes. */
enum set_mode { SET_PLAIN, SET_ASCII, SET_LOCALE, SET_UNICODE, SET_DYNAMIC = 8 };
#define SET_MAP 1
#define SET_CODES 9

/* How a search skips characters no match can begin with. */
enum search {
    SEARCH_ANYWHERE,
    SEARCH_ITEM,    /* matches begin with an item */
    SEARCH_PREFIX,  /* matches begin with a string */
    SEARCH_LITERAL, /* that string is the whole pattern */
    SEARCH_BEGIN,   /* matches begin where the text does */
};

struct program {
    uint32_t *words; /* the instructions, then the data */
    uint32_t size;   /* of the instructions */
    uint32_t total;
    uint32_t registers; /* marks, last index, loops and groups */
    uint32_t groups;
    uint32_t min_width;
    uint32_t search;                /* enum search */
    uint32_t item, operand;         /* SEARCH_ITEM */
    uint32_t prefix, prefix_length; /* SEARCH_PREFIX: in the data; behind it the same as bytes */
    bool prefix_narrow;             /* whether there are such bytes */
};

/* Translates `count` codes.  -1 with an exception, RuntimeError if the codes make no sense; on
 * success program->words is the caller's to PyMem_Free. */
int program_translate(struct program *program, const uint32_t *code, size_t count,
                      Py_ssize_t groups);

/* ---- characters ------------------------------------------------------------------------------ */

bool char_in_category(uint32_t category, Py_UCS4 ch);
bool char_in_set(const uint32_t *set, Py_UCS4 ch);
Py_UCS4 char_lower_locale(Py_UCS4 ch);
bool char_equal_locale(Py_UCS4 pattern, Py_UCS4 ch);
bool char_is_word(uint32_t at, Py_UCS4 ch);

static inline Py_UCS4 char_lower_ascii(Py_UCS4 ch)
{
    return ch - 'A' < 26 ? ch + 32 : ch;
}

static inline Py_UCS4 char_lower_unicode(Py_UCS4 ch)
{
    return ch < 128 ? char_lower_ascii(ch) : Py_UNICODE_TOLOWER(ch);
}

/* ---- running --------------------------------------------------------------------------------- */

/* Where to go on after a failure. */
struct choice {
    uint32_t pc;
    uint32_t trail; /* how much of the trail to keep */
    const void *ptr;
    Py_ssize_t extra; /* below zero: go on at pc, ~extra is what is left of a lazy count;
                           else characters a greedy loop may still give back */
};

/* What a register held before. */
struct undo {
    uint32_t reg;
    Py_ssize_t value;
};

enum { CHOICES_INSIDE = 24, TRAIL_INSIDE = 40, REGISTERS_INSIDE = 24 };

/* A text and the machine that works on it. */
struct run {
    const struct program *program;
    PyObject *string; /* owned */
    Py_buffer buffer; /* of what is no str */
    int kind;
    bool is_bytes;
    bool full;         /* a match must end at the end */
    bool must_advance; /* and must not be empty at the start */
    const char *begin; /* of the text */
    Py_ssize_t length, pos, endpos;

    Py_ssize_t start, end; /* where to begin; afterwards the match */
    Py_ssize_t *registers;

    struct choice *choices;
    struct undo *trail;
    uint32_t depth, choices_size, trail_top, trail_size;
    unsigned ticks;

    struct choice choices_inside[CHOICES_INSIDE];
    struct undo trail_inside[TRAIL_INSIDE];
    Py_ssize_t registers_inside[REGISTERS_INSIDE];
};

/* Match at run->start, or the first match from there: 1, 0 if there is none, -1 with an exception.
 * May run signal handlers. */
int run_match(struct run *run);
int run_search(struct run *run);

int run_choices_grow(struct run *run);
int run_trail_grow(struct run *run);

/* ---- objects --------------------------------------------------------------------------------- */

struct pattern {
    PyObject_VAR_HEAD
    PyObject *groupindex; /* name -> number */
    PyObject *indexgroup; /* number -> name */
    PyObject *pattern;
    PyObject *weaklist;
    Py_ssize_t groups;
    int flags;
    int is_bytes; /* -1 if not known */
    struct program program;
    uint32_t words[];
};

struct match {
    PyObject_VAR_HEAD
    PyObject *string;
    PyObject *regs;
    struct pattern *pattern;
    Py_ssize_t pos, endpos;
    Py_ssize_t last_index;
    Py_ssize_t groups; /* with the whole match */
    Py_ssize_t marks[];
};

struct template_part {
    Py_ssize_t group;
    PyObject *literal; /* what follows; NULL if nothing does */
};

struct template
{
    PyObject_VAR_HEAD
    PyObject *literal;
    struct template_part parts[];
};

struct scanner {
    PyObject_HEAD
    struct pattern *pattern;
    int executing;
    bool ended;
    bool ready;
    struct run run;
};

struct sre_state {
    PyObject *pattern_type, *match_type, *scanner_type, *template_type, *compile_template;
};

/* Of types that only this module makes objects of. */
#define HIDDEN_TYPE                                                                                \
    (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE                            \
     | Py_TPFLAGS_DISALLOW_INSTANTIATION)

extern PyModuleDef sre_module;
extern PyType_Spec pattern_spec, match_spec, scanner_spec, template_spec;

static inline struct sre_state *sre_state_of(PyTypeObject *type)
{
    return PyModule_GetState(PyType_GetModule(type));
}

/* Begins to work on `string`; -1 with an exception.  run_end in every case of success. */
int run_begin(struct run *run, struct pattern *pattern, PyObject *string, Py_ssize_t pos,
              Py_ssize_t endpos);
void run_end(struct run *run);

/* A part of the text, as str or bytes (new reference). */
PyObject *run_slice(const struct run *run, Py_ssize_t start, Py_ssize_t end);
/* A group of the match just found (new reference), or `missing`, a new reference too. */
PyObject *run_group(const struct run *run, Py_ssize_t group, PyObject *missing);

/* The match just found: status 1; None for 0, NULL for -1. */
PyObject *match_make(struct pattern *pattern, struct run *run, int status);
/* What re makes of a replacement: a template, or something else it likes (new reference). */
PyObject *template_compile(struct sre_state *state, PyObject *pattern, PyObject *text);
/* The replacement for a match (new reference). */
PyObject *template_expand(struct template *self, struct match *match);
/* A template out of [literal, group, literal, ...] (new reference). */
PyObject *template_make(struct sre_state *state, PyObject *list);

#pragma GCC visibility pop
#endif
