/* The machine for one width of characters.  Included by engine.c with CHAR, the type of a
 * character, and NAME(x), which makes names of their own for it. */

static inline bool NAME(set_has)(const uint32_t *set, Py_UCS4 ch)
{
    if (LIKELY(ch < 256 && !(set[0] & SET_DYNAMIC))) {
        return set[SET_MAP + ch / 32] >> (ch % 32) & 1;
    }
    return char_in_set(set, ch);
}

/* Whether an item takes the character. */
static inline bool NAME(item_takes)(const uint32_t *data, uint32_t item, uint32_t operand,
                                    Py_UCS4 ch)
{
    switch (item) {
    case I_CHAR:
        return ch == operand;
    case I_NOT_CHAR:
        return ch != operand;
    case I_CHAR_ASCII:
    case I_NOT_CHAR_ASCII:
        return (char_lower_ascii(ch) == operand) == (item == I_CHAR_ASCII);
    case I_CHAR_LOCALE:
    case I_NOT_CHAR_LOCALE:
        return char_equal_locale(operand, ch) == (item == I_CHAR_LOCALE);
    case I_CHAR_UNICODE:
    case I_NOT_CHAR_UNICODE:
        return (char_lower_unicode(ch) == operand) == (item == I_CHAR_UNICODE);
    case I_ANY:
        return ch != '\n';
    case I_ANY_ALL:
        return true;
    case I_SET:
        return NAME(set_has)(data + operand, ch);
    default:
        return char_in_category(operand, ch);
    }
}

/* The first `ch` in [ptr, end), or end. */
static inline const CHAR *NAME(find)(const CHAR *ptr, const CHAR *end, Py_UCS4 ch)
{
    if (ptr >= end || (CHAR)ch != ch) {
        return end;
    }
    if (sizeof(CHAR) == 1) {
        const void *at = memchr(ptr, (int)ch, (size_t)(end - ptr));
        return at ? at : end;
    }
    if (sizeof(CHAR) == sizeof(wchar_t)) {
        const void *at = wmemchr((const wchar_t *)ptr, (wchar_t)ch, (size_t)(end - ptr));
        return at ? at : end;
    }
    while (ptr < end && *ptr != ch) {
        ptr++;
    }
    return ptr;
}

/* The end of the longest run of characters the item takes. */
static const CHAR *NAME(span)(const uint32_t *data, uint32_t item, uint32_t operand,
                              const CHAR *ptr, const CHAR *end)
{
    switch (item) {
    case I_ANY_ALL:
        return end;
    case I_ANY:
        return NAME(find)(ptr, end, '\n');
    case I_NOT_CHAR:
        return NAME(find)(ptr, end, operand);
    case I_CHAR:
        while (ptr < end && *ptr == operand) {
            ptr++;
        }
        return ptr;
    case I_SET: {
        const uint32_t *set = data + operand;
        while (ptr < end && NAME(set_has)(set, *ptr)) {
            ptr++;
        }
        return ptr;
    }
    default:
        while (ptr < end && NAME(item_takes)(data, item, operand, *ptr)) {
            ptr++;
        }
        return ptr;
    }
}

static bool NAME(at)(uint32_t at, const CHAR *begin, const CHAR *ptr, const CHAR *end)
{
    switch (at) {
    case AT_BEGINNING:
    case AT_BEGINNING_STRING:
        return ptr == begin;
    case AT_BEGINNING_LINE:
        return ptr == begin || ptr[-1] == '\n';
    case AT_END:
        return ptr == end || (ptr + 1 == end && *ptr == '\n');
    case AT_END_LINE:
        return ptr == end || *ptr == '\n';
    case AT_END_STRING:
        return ptr == end;
    default: {
        if (begin == end) {
            return false;
        }
        bool before = ptr > begin && char_is_word(at, ptr[-1]);
        bool behind = ptr < end && char_is_word(at, *ptr);
        bool boundary = at == AT_BOUNDARY || at == AT_LOC_BOUNDARY || at == AT_UNI_BOUNDARY;
        return (before != behind) == boundary;
    }
    }
}

static bool NAME(same)(uint32_t op, const CHAR *a, const CHAR *b, Py_ssize_t length)
{
    if (op == I_REF) {
        return memcmp(a, b, (size_t)length * sizeof(CHAR)) == 0;
    }
    for (Py_ssize_t i = 0; i < length; i++) {
        bool same = op == I_REF_ASCII    ? char_lower_ascii(a[i]) == char_lower_ascii(b[i])
                    : op == I_REF_LOCALE ? char_lower_locale(a[i]) == char_lower_locale(b[i])
                                         : char_lower_unicode(a[i]) == char_lower_unicode(b[i]);
        if (!same) {
            return false;
        }
    }
    return true;
}

/* Writes a register, so that a failure takes it back if there is anywhere to go back to. */
#define SET_REGISTER(reg, new_value)                                                               \
    do {                                                                                           \
        uint32_t set_reg = (reg);                                                                  \
        if (run->depth != 0) {                                                                     \
            if (UNLIKELY(run->trail_top == run->trail_size) && run_trail_grow(run) < 0) {          \
                return -1;                                                                         \
            }                                                                                      \
            run->trail[run->trail_top++] = (struct undo){set_reg, registers[set_reg]};             \
        }                                                                                          \
        registers[set_reg] = (new_value);                                                          \
    } while (0)

#define PUSH_CHOICE(to, where, more)                                                               \
    do {                                                                                           \
        if (UNLIKELY(run->depth == run->choices_size) && run_choices_grow(run) < 0) {              \
            return -1;                                                                             \
        }                                                                                          \
        run->choices[run->depth++] = (struct choice){(to), run->trail_top, (where), (more)};       \
    } while (0)

/* Tries to match at `start`: 1 with run->start and run->end set, 0, or -1 with an exception. */
static int NAME(match_at)(struct run *run, const CHAR *const start)
{
    const uint32_t *const code = run->program->words, *const data = code + run->program->size;
    const CHAR *const begin = (const CHAR *)run->begin, *const end = begin + run->endpos;
    Py_ssize_t *const registers = run->registers;
    const CHAR *ptr = start;
    Py_ssize_t extra = 0;
    uint32_t pc = 0;

    for (uint32_t i = 0; i < run->program->groups * 2 + 1; i++) {
        registers[i] = -1;
    }
    run->depth = run->trail_top = 0;
    for (;;) {
        const uint32_t *const at = code + pc;
        switch (at[0]) {
        case I_CHAR:
            if (ptr >= end || *ptr != at[1]) {
                goto fail;
            }
            ptr++;
            pc += 2;
            continue;
        case I_SET:
            if (ptr >= end || !NAME(set_has)(data + at[1], *ptr)) {
                goto fail;
            }
            ptr++;
            pc += 2;
            continue;
        case I_NOT_CHAR:
        case I_CHAR_ASCII:
        case I_NOT_CHAR_ASCII:
        case I_CHAR_LOCALE:
        case I_NOT_CHAR_LOCALE:
        case I_CHAR_UNICODE:
        case I_NOT_CHAR_UNICODE:
        case I_ANY:
        case I_ANY_ALL:
        case I_CATEGORY:
            if (ptr >= end || !NAME(item_takes)(data, at[0], at[1], *ptr)) {
                goto fail;
            }
            ptr++;
            pc += 2;
            continue;
        case I_MATCH:
            if ((run->full && ptr != end) || (run->must_advance && ptr == begin + run->pos)) {
                goto fail;
            }
            run->start = start - begin;
            run->end = ptr - begin;
            return 1;
        case I_FAIL:
            goto fail;
        case I_AT:
            if (!NAME(at)(at[1], begin, ptr, end)) {
                goto fail;
            }
            pc += 2;
            continue;
        case I_MARK:
            SET_REGISTER(at[1], ptr - begin);
            if (at[1] & 1) {
                SET_REGISTER(run->program->groups * 2, at[1] / 2 + 1);
            }
            pc += 2;
            continue;
        case I_JUMP:
            pc = at[1];
            continue;
        case I_SPLIT_ITEM:
            if (ptr >= end || !NAME(item_takes)(data, at[2], at[3], *ptr)) {
                pc = at[1];
                continue;
            }
            /* fall through */
        case I_SPLIT:
            PUSH_CHOICE(at[1], ptr, -1);
            pc += 4;
            continue;
        case I_SPLIT_LAZY:
            PUSH_CHOICE(pc + 4, ptr, -1);
            pc = at[1];
            continue;
        case I_STAR:
        case I_STAR_POSSESSIVE: {
            const CHAR *limit =
                at[4] == SRE_MAXREPEAT || (size_t)(end - ptr) <= at[4] ? end : ptr + at[4];
            const CHAR *stop = NAME(span)(data, at[1], at[2], ptr, limit);
            if (stop - ptr < (Py_ssize_t)at[3]) {
                goto fail;
            }
            Py_ssize_t spare = stop - ptr - (Py_ssize_t)at[3];
            ptr = stop;
            if (at[0] == I_STAR && spare > 0) {
                if (at[5] != NO_CHAR) {
                    extra = spare;
                    goto give_back;
                }
                PUSH_CHOICE(pc, ptr, spare - 1);
            } else if (at[5] != NO_CHAR && (ptr >= end || *ptr != at[5])) {
                goto fail;
            }
            pc += STAR_WORDS;
            continue;
        }
        give_back : {
            /* Up to `extra` characters may go; what follows is known. */
            const uint32_t *const star = code + pc;
            while (ptr >= end || *ptr != star[5]) {
                if (extra == 0) {
                    goto fail;
                }
                extra--;
                ptr--;
            }
            if (extra > 0) {
                PUSH_CHOICE(pc, ptr, extra - 1);
            }
            pc += STAR_WORDS;
            continue;
        }
        case I_STAR_LAZY: {
            if ((size_t)(end - ptr) < at[3]
                || (at[3] != 0
                    && NAME(span)(data, at[1], at[2], ptr, ptr + at[3]) != ptr + at[3])) {
                goto fail;
            }
            ptr += at[3];
            Py_ssize_t more =
                at[4] == SRE_MAXREPEAT ? PY_SSIZE_T_MAX - 1 : (Py_ssize_t)(at[4] - at[3]);
            pc += STAR_WORDS;
            if (at[5] != NO_CHAR && (ptr >= end || *ptr != at[5])) {
                extra = ~more;
                continue; /* with one more at once */
            }
            PUSH_CHOICE(pc, ptr, ~more);
            pc += STAR_WORDS;
            continue;
        }
        case I_STAR_MORE: {
            Py_ssize_t more = ~extra;
            do {
                if (more-- == 0 || ptr >= end || !NAME(item_takes)(data, at[1], at[2], *ptr)) {
                    goto fail;
                }
                ptr++;
            } while (at[5] != NO_CHAR && (ptr >= end || *ptr != at[5]));
            if (more > 0) {
                PUSH_CHOICE(pc, ptr, ~more);
            }
            pc += STAR_WORDS;
            continue;
        }
        case I_LOOP:
            SET_REGISTER(at[1], 0);
            SET_REGISTER(at[1] + 1, -1);
            pc += 2;
            continue;
        case I_UNTIL: {
            Py_ssize_t count = registers[at[1]];
            if (count < (Py_ssize_t)at[2]) {
                SET_REGISTER(at[1], count + 1);
                pc = at[4];
                continue;
            }
            if ((at[3] == SRE_MAXREPEAT || count < (Py_ssize_t)at[3])
                && registers[at[1] + 1] != ptr - begin) {
                PUSH_CHOICE(pc + 5, ptr, -1);
                SET_REGISTER(at[1], count + 1);
                SET_REGISTER(at[1] + 1, ptr - begin);
                pc = at[4];
                continue;
            }
            pc += 5;
            continue;
        }
        case I_UNTIL_LAZY: {
            Py_ssize_t count = registers[at[1]];
            if (count < (Py_ssize_t)at[2]) {
                SET_REGISTER(at[1], count + 1);
                pc = at[4];
                continue;
            }
            if ((at[3] == SRE_MAXREPEAT || count < (Py_ssize_t)at[3])
                && registers[at[1] + 1] != ptr - begin) {
                PUSH_CHOICE(pc + 5, ptr, -1);
            }
            pc += 8;
            continue;
        }
        case I_UNTIL_MORE:
            SET_REGISTER(at[1], registers[at[1]] + 1);
            SET_REGISTER(at[1] + 1, ptr - begin);
            pc = at[2];
            continue;
        case I_UNTIL_POSSESSIVE: {
            Py_ssize_t count = registers[at[1]];
            bool must = count < (Py_ssize_t)at[2];
            if (!must
                && ((at[3] != SRE_MAXREPEAT && count >= (Py_ssize_t)at[3])
                    || registers[at[1] + 1] == ptr - begin)) {
                pc = at[4];
                continue;
            }
            SET_REGISTER(at[1] + 2, run->depth);
            if (!must) {
                PUSH_CHOICE(at[4], ptr, -1);
                SET_REGISTER(at[1] + 1, ptr - begin);
            }
            SET_REGISTER(at[1], count + 1);
            pc += 5;
            continue;
        }
        case I_ATOMIC:
            SET_REGISTER(at[1], run->depth);
            pc += 2;
            continue;
        case I_ATOMIC_END:
            run->depth = (uint32_t)registers[at[1]];
            pc += 2;
            continue;
        case I_ASSERT:
            if (ptr - begin < (Py_ssize_t)at[2]) {
                goto fail;
            }
            SET_REGISTER(at[1], run->depth);
            SET_REGISTER(at[1] + 1, ptr - begin);
            ptr -= at[2];
            pc += 3;
            continue;
        case I_ASSERT_END:
            run->depth = (uint32_t)registers[at[1]];
            ptr = begin + registers[at[1] + 1];
            pc += 2;
            continue;
        case I_ASSERT_NOT:
            if (ptr - begin < (Py_ssize_t)at[2]) {
                pc = at[3];
                continue;
            }
            SET_REGISTER(at[1], run->depth);
            PUSH_CHOICE(at[3], ptr, -1);
            ptr -= at[2];
            pc += 4;
            continue;
        case I_ASSERT_NOT_END:
            run->depth = (uint32_t)registers[at[1]];
            goto fail;
        case I_REF:
        case I_REF_ASCII:
        case I_REF_LOCALE:
        case I_REF_UNICODE: {
            Py_ssize_t from = registers[at[1]], length = registers[at[1] + 1] - from;
            if (from < 0 || length < 0 || length > end - ptr
                || !NAME(same)(at[0], begin + from, ptr, length)) {
                goto fail;
            }
            ptr += length;
            pc += 2;
            continue;
        }
        case I_IF_GROUP:
            pc = registers[at[1]] >= 0 && registers[at[1] + 1] >= registers[at[1]] ? pc + 3 : at[2];
            continue;
        default:
            Py_UNREACHABLE();
        }
    fail:
        if (UNLIKELY((++run->ticks & 0x3fff) == 0) && PyErr_CheckSignals() < 0) {
            return -1;
        }
        if (run->depth == 0) {
            return 0;
        }
        struct choice *choice = &run->choices[run->depth - 1];
        while (run->trail_top > choice->trail) {
            struct undo *undo = &run->trail[--run->trail_top];
            registers[undo->reg] = undo->value;
        }
        pc = choice->pc;
        ptr = choice->ptr;
        extra = choice->extra;
        if (extra < 0) {
            run->depth--;
            continue;
        }
        /* A greedy loop gives back one character. */
        ptr--;
        if (code[pc + 5] != NO_CHAR) {
            run->depth--;
            goto give_back;
        }
        if (extra == 0) {
            run->depth--;
        } else {
            choice->extra--;
            choice->ptr = ptr;
        }
        pc += STAR_WORDS;
    }
}

/* The first place in [ptr, last] where the prefix stands, or NULL. */
static const CHAR *NAME(find_prefix)(const struct program *program, const CHAR *ptr,
                                     const CHAR *end)
{
    const uint32_t *prefix = program->words + program->size + program->prefix;
    size_t length = program->prefix_length;
    if (sizeof(CHAR) == 1) {
        return program->prefix_narrow && ptr < end
                   ? memmem(ptr, (size_t)(end - ptr), prefix + length, length)
                   : NULL;
    }
    while ((size_t)(end - ptr) >= length) {
        const CHAR *stop = end - (length - 1);
        ptr = NAME(find)(ptr, stop, prefix[0]);
        if (ptr == stop) {
            return NULL;
        }
        size_t i = 1;
        while (i < length && ptr[i] == prefix[i]) {
            i++;
        }
        if (i == length) {
            return ptr;
        }
        ptr++;
    }
    return NULL;
}

/* The first match at or behind run->start. */
static int NAME(search)(struct run *run)
{
    const struct program *program = run->program;
    const uint32_t *data = program->words + program->size;
    const CHAR *begin = (const CHAR *)run->begin, *end = begin + run->endpos;
    const CHAR *ptr = begin + run->pos;
    if (run->pos > run->endpos || (size_t)(run->endpos - run->pos) < program->min_width) {
        return 0;
    }
    const CHAR *last = end - program->min_width;
    for (;; ptr++) {
        switch (program->search) {
        case SEARCH_BEGIN:
            return ptr == begin ? NAME(match_at)(run, ptr) : 0;
        case SEARCH_PREFIX:
        case SEARCH_LITERAL:
            ptr = NAME(find_prefix)(program, ptr, end);
            if (ptr == NULL) {
                return 0;
            }
            if (program->search == SEARCH_LITERAL) {
                run->start = ptr - begin;
                run->end = run->start + program->prefix_length;
                for (uint32_t i = 0; i < program->groups * 2 + 1; i++) {
                    run->registers[i] = -1;
                }
                return 1;
            }
            break;
        case SEARCH_ITEM:
            if (program->item == I_CHAR) {
                ptr = NAME(find)(ptr, end, program->operand);
            } else {
                while (ptr <= last && ptr < end
                       && !NAME(item_takes)(data, program->item, program->operand, *ptr)) {
                    ptr++;
                }
            }
            if (ptr >= end) {
                return 0;
            }
            break;
        }
        if (ptr > last) {
            return 0;
        }
        int status = NAME(match_at)(run, ptr);
        if (status != 0) {
            return status;
        }
        if (ptr == last) {
            return 0;
        }
    }
}

static int NAME(match)(struct run *run)
{
    return run->pos > run->endpos ? 0 : NAME(match_at)(run, (const CHAR *)run->begin + run->pos);
}

#undef SET_REGISTER
#undef PUSH_CHOICE
