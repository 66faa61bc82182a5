/* From the codes of re._compiler to a program.
 *
 * Everything is checked on the way, as anybody can pass a list of codes: what comes out never
 * reads or jumps outside itself.  Loops that need no counter get none, and a greedy loop over one
 * character that cannot be the one that follows never gives anything back. */
#include "sre.h"

struct words {
    uint32_t *at;
    uint32_t count, size;
};

struct translation {
    struct program *program;
    struct words code, data;
    uint32_t registers;
};

typedef const uint32_t *codes;

/* The width below which nothing matches; -1 is an error. */
typedef int64_t width;

static width block_translate(struct translation *t, codes at, codes end);

static width invalid(void)
{
    PyErr_SetString(PyExc_RuntimeError, "invalid SRE code");
    return -1;
}

/* ---- emitting -------------------------------------------------------------------------------- */

/* Room for `count` more words: where they begin, or NULL with MemoryError. */
static uint32_t *words_add(struct words *words, size_t count)
{
    if (words->count + count > words->size) {
        size_t size = words->size + words->size / 2 + count + 32;
        uint32_t *at = size < UINT32_MAX / 2 ? PyMem_Realloc(words->at, size * sizeof *at) : NULL;
        if (at == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        words->at = at;
        words->size = (uint32_t)size;
    }
    uint32_t *at = words->at + words->count;
    words->count += (uint32_t)count;
    return at;
}

static bool emit_words(struct translation *t, size_t count, const uint32_t *words)
{
    uint32_t *at = words_add(&t->code, count);
    if (at != NULL) {
        memcpy(at, words, count * sizeof *at);
    }
    return at != NULL;
}

#define EMIT(t, ...)                                                                               \
    emit_words(t, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), (uint32_t[]){__VA_ARGS__})

static inline uint32_t here(struct translation *t)
{
    return t->code.count;
}

/* Registers for a loop or a group. */
static uint32_t take_registers(struct translation *t, uint32_t count)
{
    uint32_t first = t->registers;
    t->registers += count;
    return first;
}

/* ---- sets ------------------------------------------------------------------------------------ */

/* Checks the codes of a set, which end with FAILURE at end - 1; whether the locale decides goes
 * to *dynamic. */
static bool set_check(codes at, codes end, bool *dynamic)
{
    if (at >= end || end[-1] != C_FAILURE) {
        return false;
    }
    for (end--; at < end;) {
        size_t left = (size_t)(end - at);
        size_t need;
        switch (*at) {
        case C_NEGATE:
            need = 1;
            break;
        case C_LITERAL:
            need = 2;
            break;
        case C_RANGE:
        case C_RANGE_UNI_IGNORE:
            need = 3;
            break;
        case C_CATEGORY:
            if (left < 2 || at[1] >= CAT_COUNT) {
                return false;
            }
            *dynamic |= (at[1] & ~1u) == CAT_LOC_WORD;
            need = 2;
            break;
        case C_CHARSET:
            need = 9;
            break;
        case C_BIGCHARSET: {
            if (left < 66) {
                return false;
            }
            const uint8_t *map = (const uint8_t *)(at + 2);
            for (int i = 0; i < 256; i++) {
                if (map[i] >= at[1]) {
                    return false;
                }
            }
            need = 66 + (size_t)at[1] * 8;
            break;
        }
        default:
            return false;
        }
        if (need > left) {
            return false;
        }
        at += need;
    }
    return true;
}

/* Adds a set to the data: its place there, or -1 with an exception. */
static int64_t set_add(struct translation *t, codes at, codes end, uint32_t mode)
{
    bool dynamic = mode == SET_LOCALE;
    if (!set_check(at, end, &dynamic)) {
        return invalid();
    }
    uint32_t place = t->data.count;
    size_t count = (size_t)(end - at);
    uint32_t *set = words_add(&t->data, SET_CODES + count);
    if (set == NULL) {
        return -1;
    }
    set[0] = mode | (dynamic ? SET_DYNAMIC : 0);
    memset(set + SET_MAP, 0, 32);
    memcpy(set + SET_CODES, at, count * sizeof *set);
    for (uint32_t ch = 0; ch < 256 && !dynamic; ch++) {
        set[SET_MAP + ch / 32] |= (uint32_t)char_in_set(set, ch) << (ch % 32);
    }
    return place;
}

/* ---- one character --------------------------------------------------------------------------- */

/* Reads codes for one character: how many, 0 if these are others, -1 with an exception. */
static int64_t item_read(struct translation *t, codes at, codes end, uint32_t *item,
                         uint32_t *operand)
{
    static const struct {
        uint8_t code, item;
    } plain[] = {
        {C_LITERAL, I_CHAR},
        {C_NOT_LITERAL, I_NOT_CHAR},
        {C_LITERAL_IGNORE, I_CHAR_ASCII},
        {C_NOT_LITERAL_IGNORE, I_NOT_CHAR_ASCII},
        {C_LITERAL_LOC_IGNORE, I_CHAR_LOCALE},
        {C_NOT_LITERAL_LOC_IGNORE, I_NOT_CHAR_LOCALE},
        {C_LITERAL_UNI_IGNORE, I_CHAR_UNICODE},
        {C_NOT_LITERAL_UNI_IGNORE, I_NOT_CHAR_UNICODE},
        {C_CATEGORY, I_CATEGORY},
    };
    size_t left = (size_t)(end - at);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (*at == plain[i].code) {
            if (left < 2 || (*at == C_CATEGORY && at[1] >= CAT_COUNT)) {
                return invalid();
            }
            *item = plain[i].item;
            *operand = at[1];
            return 2;
        }
    }
    uint32_t mode;
    switch (*at) {
    case C_ANY:
    case C_ANY_ALL:
        *item = *at == C_ANY ? I_ANY : I_ANY_ALL;
        *operand = 0;
        return 1;
    case C_IN:
        mode = SET_PLAIN;
        break;
    case C_IN_IGNORE:
        mode = SET_ASCII;
        break;
    case C_IN_LOC_IGNORE:
        mode = SET_LOCALE;
        break;
    case C_IN_UNI_IGNORE:
        mode = SET_UNICODE;
        break;
    default:
        return 0;
    }
    if (left < 3 || at[1] < 2 || at[1] > left - 1) {
        return invalid();
    }
    int64_t set = set_add(t, at + 2, at + 1 + at[1], mode);
    if (set < 0) {
        return -1;
    }
    *item = I_SET;
    *operand = (uint32_t)set;
    return 1 + (int64_t)at[1];
}

/* ---- repetition ------------------------------------------------------------------------------ */

static width width_times(width one, uint32_t times)
{
    width product;
    if (__builtin_mul_overflow(one, (width)times, &product) || product > UINT32_MAX) {
        return UINT32_MAX;
    }
    return product;
}

/* REPEAT_ONE and its kin: skip, minimum, maximum, one character, SUCCESS. */
static width star_translate(struct translation *t, codes at, codes end)
{
    uint32_t item, operand;
    int64_t length = at + 4 < end ? item_read(t, at + 4, end, &item, &operand) : 0;
    if (length <= 0) {
        return length < 0 ? -1 : invalid();
    }
    if (at + 4 + length + 1 != end || end[-1] != C_SUCCESS || at[2] > at[3]) {
        return invalid();
    }
    uint32_t op = at[0] == C_REPEAT_ONE       ? I_STAR
                  : at[0] == C_MIN_REPEAT_ONE ? I_STAR_LAZY
                                              : I_STAR_POSSESSIVE;
    if (!EMIT(t, op, item, operand, at[2], at[3], NO_CHAR)) {
        return -1;
    }
    if (op == I_STAR_LAZY && !EMIT(t, I_STAR_MORE, item, operand, at[2], at[3], NO_CHAR)) {
        return -1;
    }
    return at[2];
}

/* An instruction that continues here and elsewhere after a failure; the caller sets that target,
 * the word after the result.  -1 with an exception. */
static int64_t split_emit(struct translation *t, bool lazy)
{
    uint32_t at = here(t);
    return EMIT(t, lazy ? I_SPLIT_LAZY : I_SPLIT, 0, 0, 0) ? (int64_t)at : -1;
}

/* When what was emitted after a split begins with a character, the split looks at it first. */
static void split_finish(struct translation *t, uint32_t split, uint32_t target)
{
    uint32_t *at = t->code.at + split;
    at[1] = target;
    if (at[0] != I_SPLIT || split + 4 >= here(t)) {
        return;
    }
    uint32_t *next = at + 4;
    while (*next == I_MARK) {
        next += 2;
        if (next >= t->code.at + here(t)) {
            return;
        }
    }
    if (*next <= I_LAST_ITEM) {
        at[0] = I_SPLIT_ITEM;
        at[2] = next[0];
        at[3] = next[1];
    } else if (*next >= I_STAR && *next <= I_STAR_LAZY && next[3] > 0) {
        at[0] = I_SPLIT_ITEM;
        at[2] = next[1];
        at[3] = next[2];
    }
}

/* `x?` and `x??`. */
static width optional_translate(struct translation *t, codes body, codes end, bool lazy)
{
    int64_t split = split_emit(t, lazy);
    if (split < 0 || block_translate(t, body, end) < 0) {
        return -1;
    }
    split_finish(t, (uint32_t)split, here(t));
    return 0;
}

/* REPEAT: skip, minimum, maximum, a block; then MAX_UNTIL or MIN_UNTIL, at `end`. */
static width repeat_translate(struct translation *t, codes at, codes end, bool lazy)
{
    uint32_t min = at[2], max = at[3], head = here(t);
    if (min > max) {
        return invalid();
    }
    if (min == 0 && max == 1) {
        return optional_translate(t, at + 4, end, lazy);
    }
    /* The head has the size of a split, which takes its place where nothing needs counting. */
    uint32_t reg = take_registers(t, 2);
    if (!EMIT(t, I_LOOP, reg, I_JUMP, 0)) {
        return -1;
    }
    uint32_t start = here(t);
    width one = block_translate(t, at + 4, end);
    if (one < 0) {
        return -1;
    }
    if (min > 1 || max != SRE_MAXREPEAT || one == 0) {
        /* A counter, and a check against rounds that take nothing. */
        t->code.at[head + 3] = here(t);
        if (!EMIT(t, lazy ? I_UNTIL_LAZY : I_UNTIL, reg, min, max, start)
            || (lazy && !EMIT(t, I_UNTIL_MORE, reg, start))) {
            return -1;
        }
        return width_times(one, min);
    }
    uint32_t *code = t->code.at + head;
    if (min == 0) {
        code[0] = lazy ? I_SPLIT_LAZY : I_SPLIT;
        code[1] = code[2] = code[3] = 0;
        if (!EMIT(t, I_JUMP, head)) {
            return -1;
        }
        split_finish(t, head, here(t));
        return 0;
    }
    /* At least once: the body, then a way back that is tried first or last. */
    code[0] = code[2] = I_JUMP;
    code[1] = code[3] = start;
    return EMIT(t, lazy ? I_SPLIT : I_SPLIT_LAZY, start, 0, 0) ? one : -1;
}

/* POSSESSIVE_REPEAT: skip, minimum, maximum, a block; SUCCESS at `end`. */
static width possessive_translate(struct translation *t, codes at, codes end)
{
    uint32_t reg = take_registers(t, 3);
    if (at[2] > at[3]) {
        return invalid();
    }
    if (!EMIT(t, I_LOOP, reg)) {
        return -1;
    }
    uint32_t until = here(t);
    if (!EMIT(t, I_UNTIL_POSSESSIVE, reg, at[2], at[3], 0)) {
        return -1;
    }
    width one = block_translate(t, at + 4, end);
    if (one < 0 || !EMIT(t, I_ATOMIC_END, reg + 2, I_JUMP, until)) {
        return -1;
    }
    t->code.at[until + 4] = here(t);
    return width_times(one, at[2]);
}

/* ---- the other constructs -------------------------------------------------------------------- */

/* BRANCH, then for each way its skip, a block and JUMP; a skip of 0 ends it.  *next is what comes
 * behind. */
static width branch_translate(struct translation *t, codes at, codes end, codes *next)
{
    width least = UINT32_MAX;
    codes join = NULL;
    uint32_t chain = 0; /* jumps to the end, linked by their targets */
    for (at++;;) {
        if (at >= end) {
            return invalid();
        }
        uint32_t skip = *at;
        if (skip == 0) {
            break;
        }
        if (skip < 3 || skip >= (size_t)(end - at) || at[skip - 2] != C_JUMP) {
            return invalid();
        }
        codes jump = at + skip - 1;
        if (*jump > (size_t)(end - jump) || (join != NULL && jump + *jump != join)) {
            return invalid();
        }
        join = jump + *jump;
        bool last = at[skip] == 0;
        int64_t split = last ? 0 : split_emit(t, false);
        width one = split < 0 ? -1 : block_translate(t, at + 1, jump - 1);
        if (one < 0) {
            return -1;
        }
        least = one < least ? one : least;
        if (!last) {
            if (!EMIT(t, I_JUMP, chain)) {
                return -1;
            }
            chain = here(t) - 1;
            split_finish(t, (uint32_t)split, here(t));
        }
        at += skip;
    }
    if (join != at + 1) {
        return invalid();
    }
    while (chain != 0) {
        uint32_t further = t->code.at[chain];
        t->code.at[chain] = here(t);
        chain = further;
    }
    *next = join;
    return least;
}

/* GROUPREF_EXISTS: group, skip, a block, perhaps JUMP and another block. */
static width condition_translate(struct translation *t, codes at, codes end, codes *next)
{
    if (end - at < 3 || at[1] >= t->program->groups || at[2] < 1
        || at[2] > (size_t)(end - at) - 1) {
        return invalid();
    }
    /* The skip counts from its own word, and one less than it says. */
    codes no = at + 2 + at[2] - 1;
    codes yes = at + 3;
    if (no < yes) {
        return invalid();
    }
    /* With a second block, the first ends with a JUMP over it. */
    codes finish = no;
    bool both =
        no - yes >= 2 && no[-2] == C_JUMP && no[-1] >= 2 && no[-1] - 1 <= (size_t)(end - no);
    if (both) {
        /* The two words might as well be operands of something else; then the block without them
         * cannot be read. */
        finish = no - 1 + no[-1];
    }
    uint32_t test = here(t);
    if (!EMIT(t, I_IF_GROUP, at[1] * 2, 0)) {
        return -1;
    }
    struct translation before = *t;
    width first = block_translate(t, yes, both ? no - 2 : no);
    if (first < 0 && both && PyErr_ExceptionMatches(PyExc_RuntimeError)) {
        PyErr_Clear();
        uint32_t *code = t->code.at, *data = t->data.at;
        uint32_t code_size = t->code.size, data_size = t->data.size;
        *t = before;
        t->code.at = code;
        t->data.at = data;
        t->code.size = code_size;
        t->data.size = data_size;
        both = false;
        finish = no;
        first = block_translate(t, yes, no);
    }
    if (first < 0) {
        return -1;
    }
    width second = 0;
    if (both) {
        uint32_t jump = here(t);
        if (!EMIT(t, I_JUMP, 0)) {
            return -1;
        }
        t->code.at[test + 2] = here(t);
        second = block_translate(t, no, finish);
        if (second < 0) {
            return -1;
        }
        t->code.at[jump + 1] = here(t);
    } else {
        t->code.at[test + 2] = here(t);
    }
    *next = finish;
    return first < second ? first : second;
}

/* ASSERT and ASSERT_NOT: skip, characters back, a block, SUCCESS. */
static width assert_translate(struct translation *t, codes at, codes end)
{
    if (end - at < 4 || end[-1] != C_SUCCESS || at[2] > INT32_MAX) {
        return invalid();
    }
    uint32_t reg = take_registers(t, 2), start = here(t);
    bool negative = at[0] == C_ASSERT_NOT;
    if (negative ? !EMIT(t, I_ASSERT_NOT, reg, at[2], 0) : !EMIT(t, I_ASSERT, reg, at[2])) {
        return -1;
    }
    if (block_translate(t, at + 3, end - 1) < 0
        || !EMIT(t, negative ? I_ASSERT_NOT_END : I_ASSERT_END, reg)) {
        return -1;
    }
    if (negative) {
        t->code.at[start + 3] = here(t);
    }
    return 0;
}

static width atomic_translate(struct translation *t, codes at, codes end)
{
    if (end - at < 3 || end[-1] != C_SUCCESS) {
        return invalid();
    }
    uint32_t reg = take_registers(t, 1);
    if (!EMIT(t, I_ATOMIC, reg)) {
        return -1;
    }
    width one = block_translate(t, at + 2, end - 1);
    return one < 0 || !EMIT(t, I_ATOMIC_END, reg) ? -1 : one;
}

/* Whatever stands at `at`; *next is what comes behind. */
static width code_translate(struct translation *t, codes at, codes end, codes *next)
{
    uint32_t item, operand;
    int64_t length = item_read(t, at, end, &item, &operand);
    if (length != 0) {
        *next = at + length;
        return length > 0 && EMIT(t, item, operand) ? 1 : -1;
    }
    size_t left = (size_t)(end - at);
    codes target = left >= 2 && at[1] >= 1 && at[1] <= left - 1 ? at + 1 + at[1] : NULL;
    switch (*at) {
    case C_FAILURE:
        *next = at + 1;
        return EMIT(t, I_FAIL) ? 0 : -1;
    case C_AT:
        *next = at + 2;
        return left < 2 || at[1] >= AT_COUNT ? invalid() : EMIT(t, I_AT, at[1]) ? 0 : -1;
    case C_MARK:
        *next = at + 2;
        return left < 2 || at[1] >= t->program->groups * 2 ? invalid()
               : EMIT(t, I_MARK, at[1])                    ? 0
                                                           : -1;
    case C_GROUPREF:
    case C_GROUPREF_IGNORE:
    case C_GROUPREF_LOC_IGNORE:
    case C_GROUPREF_UNI_IGNORE: {
        uint32_t op = *at == C_GROUPREF              ? I_REF
                      : *at == C_GROUPREF_IGNORE     ? I_REF_ASCII
                      : *at == C_GROUPREF_LOC_IGNORE ? I_REF_LOCALE
                                                     : I_REF_UNICODE;
        *next = at + 2;
        return left < 2 || at[1] >= t->program->groups ? invalid()
               : EMIT(t, op, at[1] * 2)                ? 0
                                                       : -1;
    }
    case C_GROUPREF_EXISTS:
        return condition_translate(t, at, end, next);
    case C_BRANCH:
        return branch_translate(t, at, end, next);
    default:
        break;
    }
    if (target == NULL) {
        return invalid();
    }
    *next = target;
    switch (*at) {
    case C_REPEAT_ONE:
    case C_MIN_REPEAT_ONE:
    case C_POSSESSIVE_REPEAT_ONE:
        return star_translate(t, at, target);
    case C_REPEAT:
    case C_POSSESSIVE_REPEAT:
        if (at[1] < 3 || target >= end) {
            return invalid();
        }
        *next = target + 1;
        if (*at == C_POSSESSIVE_REPEAT) {
            return *target == C_SUCCESS ? possessive_translate(t, at, target) : invalid();
        }
        if (*target != C_MAX_UNTIL && *target != C_MIN_UNTIL) {
            return invalid();
        }
        return repeat_translate(t, at, target, *target == C_MIN_UNTIL);
    case C_ASSERT:
    case C_ASSERT_NOT:
        return assert_translate(t, at, target);
    case C_ATOMIC_GROUP:
        return atomic_translate(t, at, target);
    default:
        return invalid();
    }
}

/* The codes from `at` to `end`, which must be whole instructions. */
static width block_translate(struct translation *t, codes at, codes end)
{
    if (Py_EnterRecursiveCall(" while compiling a regular expression")) {
        return -1;
    }
    width sum = 0;
    while (at < end && sum >= 0) {
        codes next = end;
        width one = code_translate(t, at, end, &next);
        sum = one < 0 ? -1 : sum + one > UINT32_MAX ? UINT32_MAX : sum + one;
        at = next;
    }
    Py_LeaveRecursiveCall();
    return sum;
}

/* ---- after the translation ------------------------------------------------------------------- */

/* The character that must come at `pc`, or NO_CHAR. */
static uint32_t char_at(const uint32_t *code, uint32_t pc)
{
    for (int steps = 0; steps < 8; steps++) {
        switch (code[pc]) {
        case I_CHAR:
            return code[pc + 1];
        case I_MARK:
            pc += 2;
            break;
        case I_JUMP:
            pc = code[pc + 1];
            break;
        default:
            return NO_CHAR;
        }
    }
    return NO_CHAR;
}

/* Whether an item surely does not take a character; only asked without regard to the locale. */
static bool item_excludes(const struct translation *t, uint32_t item, uint32_t operand, uint32_t ch)
{
    switch (item) {
    case I_CHAR:
        return operand != ch;
    case I_NOT_CHAR:
        return operand == ch;
    case I_ANY:
        return ch == '\n';
    case I_SET:
        return !(t->data.at[operand] & SET_DYNAMIC) && !char_in_set(t->data.at + operand, ch);
    default:
        return false;
    }
}

static uint32_t instruction_words(uint32_t op)
{
    switch (op) {
    case I_MATCH:
    case I_FAIL:
        return 1;
    case I_SPLIT:
    case I_SPLIT_ITEM:
    case I_SPLIT_LAZY:
    case I_ASSERT_NOT:
        return 4;
    case I_STAR:
    case I_STAR_POSSESSIVE:
    case I_STAR_LAZY:
    case I_STAR_MORE:
        return STAR_WORDS;
    case I_UNTIL:
    case I_UNTIL_LAZY:
    case I_UNTIL_POSSESSIVE:
        return 5;
    case I_UNTIL_MORE:
    case I_ASSERT:
    case I_IF_GROUP:
        return 3;
    default:
        return 2;
    }
}

/* Tells each loop over one character what follows it. */
static void stars_look_ahead(struct translation *t)
{
    uint32_t *code = t->code.at;
    for (uint32_t pc = 0; pc < t->code.count; pc += instruction_words(code[pc])) {
        if (code[pc] < I_STAR || code[pc] > I_STAR_MORE) {
            continue;
        }
        uint32_t after = pc + STAR_WORDS * (code[pc] == I_STAR_LAZY ? 2 : 1);
        uint32_t ch = char_at(code, after);
        code[pc + 5] = ch;
        if (code[pc] == I_STAR && ch != NO_CHAR
            && item_excludes(t, code[pc + 1], code[pc + 2], ch)) {
            code[pc] = I_STAR_POSSESSIVE;
        }
    }
}

/* Finds out how matches begin, where the codes' own INFO does not say. */
static void search_plan(struct translation *t)
{
    const uint32_t *code = t->code.at;
    struct program *program = t->program;
    for (uint32_t pc = 0; program->search == SEARCH_ANYWHERE;) {
        switch (code[pc]) {
        case I_MARK:
        case I_ATOMIC:
            pc += 2;
            continue;
        case I_AT:
            if (code[pc + 1] == AT_BEGINNING || code[pc + 1] == AT_BEGINNING_STRING) {
                program->search = SEARCH_BEGIN;
            }
            return;
        case I_STAR:
        case I_STAR_LAZY:
        case I_STAR_POSSESSIVE:
            if (code[pc + 3] == 0) {
                return;
            }
            pc++;
            break;
        default:
            if (code[pc] > I_LAST_ITEM) {
                return;
            }
            break;
        }
        if (code[pc] == I_ANY_ALL) {
            return;
        }
        program->search = SEARCH_ITEM;
        program->item = code[pc];
        program->operand = code[pc + 1];
    }
}

/* INFO: skip, flags, least and greatest width, then a prefix or a set.  What comes behind, or NULL
 * with an exception. */
static codes info_read(struct translation *t, codes at, codes end)
{
    size_t left = (size_t)(end - at);
    if (left < 5 || at[1] < 4 || at[1] > left - 1) {
        invalid();
        return NULL;
    }
    struct program *program = t->program;
    codes next = at + 1 + at[1];
    uint32_t flags = at[2];
    program->min_width = at[3];
    if (flags & ~(uint32_t)(INFO_PREFIX | INFO_LITERAL | INFO_CHARSET)
        || ((flags & INFO_PREFIX) && (flags & INFO_CHARSET))
        || ((flags & INFO_LITERAL) && !(flags & INFO_PREFIX))) {
        invalid();
        return NULL;
    }
    if (flags & INFO_PREFIX) {
        uint32_t length = next - at >= 7 ? at[5] : 0;
        if (length == 0 || (size_t)(next - at - 7) != (size_t)length * 2 || at[6] > length) {
            invalid();
            return NULL;
        }
        program->search = flags & INFO_LITERAL ? SEARCH_LITERAL : SEARCH_PREFIX;
        program->prefix = t->data.count;
        program->prefix_length = length;
        program->prefix_narrow = true;
        uint32_t *data = words_add(&t->data, length + (length + 3) / 4);
        if (data == NULL) {
            return NULL;
        }
        memset(data + length, 0, (length + 3) / 4 * sizeof *data);
        for (uint32_t i = 0; i < length; i++) {
            data[i] = at[7 + i];
            ((uint8_t *)(data + length))[i] = (uint8_t)data[i];
            program->prefix_narrow &= data[i] < 256;
        }
    } else if (flags & INFO_CHARSET) {
        int64_t set = set_add(t, at + 5, next, SET_PLAIN);
        if (set < 0) {
            return NULL;
        }
        program->search = SEARCH_ITEM;
        program->item = I_SET;
        program->operand = (uint32_t)set;
    }
    return next;
}

static bool whole_translate(struct translation *t, codes at, codes end)
{
    if (at == end || end[-1] != C_SUCCESS) {
        return invalid() >= 0;
    }
    if (*at == C_INFO && (at = info_read(t, at, end)) == NULL) {
        return false;
    }
    if (at >= end || block_translate(t, at, end - 1) < 0 || !EMIT(t, I_MATCH)) {
        return PyErr_Occurred() || invalid();
    }
    stars_look_ahead(t);
    search_plan(t);
    t->program->size = t->code.count;
    t->program->registers = t->registers;
    size_t data = t->data.count;
    uint32_t *tail = words_add(&t->code, data);
    if (tail == NULL) {
        return false;
    }
    if (data != 0) {
        memcpy(tail, t->data.at, data * sizeof *tail);
    }
    t->program->words = t->code.at;
    t->program->total = t->code.count;
    return true;
}

int program_translate(struct program *program, const uint32_t *code, size_t count,
                      Py_ssize_t groups)
{
    *program = (struct program){.groups = (uint32_t)groups, .search = SEARCH_ANYWHERE};
    /* Behind the marks comes the last group that was closed. */
    struct translation t = {.program = program, .registers = (uint32_t)groups * 2 + 1};
    bool fine = whole_translate(&t, code, code + count) && !PyErr_Occurred();
    PyMem_Free(t.data.at);
    if (!fine) {
        PyMem_Free(t.code.at);
        program->words = NULL;
        return -1;
    }
    return 0;
}
