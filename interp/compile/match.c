/* match statements.

   A pattern leaves everything it takes apart in temporaries that stay until the whole case is decided:
   a captured name is just a note of a register.  When all of the pattern has matched, the names are
   stored and the temporaries dropped; a failure jumps to a label for its depth, from where the
   temporaries are dropped one by one down to the start of the case. */

#include "unit.h"
#include <string.h>

struct capture {
    PyObject *name;
    int reg;
};

struct match {
    struct capture *captures;
    uint32_t capture_count, capture_capacity;
    int32_t *failures; /* label per number of temporaries above `base` */
    uint32_t failure_count, failure_capacity;
    int base; /* depth at which the failed case leaves off */
    bool allow_irrefutable;
};

/* The label to jump to on failure at the current depth. */
static int32_t failure(struct compiler *c, struct match *m)
{
    uint32_t height = (uint32_t)(c->unit->depth - m->base);
    if (height >= m->failure_capacity) {
        uint32_t capacity = (height + 1) * 2;
        int32_t *grown = arena_alloc(c->arena, capacity * sizeof *grown);
        if (grown == NULL) {
            fail(c);
            return 0;
        }
        if (m->failure_count != 0) {
            memcpy(grown, m->failures, m->failure_count * sizeof *grown);
        }
        m->failures = grown;
        m->failure_capacity = capacity;
    }
    while (m->failure_count <= height) {
        m->failures[m->failure_count++] = label_new(c);
    }
    return m->failures[height];
}

/* Where failures arrive, deepest first; ends with all temporaries of the case dropped. */
static void failures_here(struct compiler *c, struct match *m)
{
    for (uint32_t height = m->failure_count; height-- > 0;) {
        label_here(c, m->failures[height]);
        if (height > 0) {
            temp_pop_to(c, m->base + (int)height);
            emit(c, DROP, m->base + (int)height - 1, 0, 0);
        }
    }
    temp_pop_to(c, m->base);
}

static void capture(struct compiler *c, struct match *m, PyObject *name, int reg)
{
    for (uint32_t i = 0; i < m->capture_count; i++) {
        if (PyUnicode_Compare(m->captures[i].name, name) == 0) {
            fail_syntax(c, "multiple assignments to name %R in pattern", name);
            return;
        }
    }
    if (m->capture_count == m->capture_capacity) {
        uint32_t capacity = m->capture_capacity == 0 ? 8 : m->capture_capacity * 2;
        struct capture *grown = arena_alloc(c->arena, capacity * sizeof *grown);
        if (grown == NULL) {
            fail(c);
            return;
        }
        if (m->capture_count != 0) {
            memcpy(grown, m->captures, m->capture_count * sizeof *grown);
        }
        m->captures = grown;
        m->capture_capacity = capacity;
    }
    m->captures[m->capture_count++] = (struct capture){name, reg};
}

static void pattern(struct compiler *c, struct match *m, struct pattern *p, int subject);

static bool is_wildcard(const struct pattern *p)
{
    return p->kind == PATTERN_AS && p->as.name == NULL && p->as.pattern == NULL;
}

static bool is_star_wildcard(const struct pattern *p)
{
    return p->kind == PATTERN_STAR && p->star.name == NULL;
}

/* Inside another pattern an irrefutable one is fine. */
static void subpattern(struct compiler *c, struct match *m, struct pattern *p, int subject)
{
    bool saved = m->allow_irrefutable;
    m->allow_irrefutable = true;
    pattern(c, m, p, subject);
    m->allow_irrefutable = saved;
}

/* r[reg] into a new temporary that an instruction may consume. */
static int push_copy(struct compiler *c, int reg)
{
    int temp = c->unit->depth;
    emit(c, COPY, temp, reg, 0);
    return temp_push(c);
}

static void pattern_value(struct compiler *c, struct match *m, struct pattern *p, int subject)
{
    struct expr *value = p->value.value;
    if (value->kind != EXPR_CONSTANT && value->kind != EXPR_ATTRIBUTE && value->kind != EXPR_BINOP
        && value->kind != EXPR_UNARYOP) {
        fail_syntax(c, "patterns may only match literals and attribute lookups");
        return;
    }
    int base = c->unit->depth;
    int left = push_copy(c, subject);
    int right = expr_push(c, value);
    c->pos = p->pos;
    temp_pop_to(c, base);
    int32_t label = failure(c, m);
    temp_pop_to(c, right + 1);
    emit_jump(c, JIN_EQ, left, right, label);
    temp_pop_to(c, base);
}

static void pattern_singleton(struct compiler *c, struct match *m, struct pattern *p, int subject)
{
    int base = c->unit->depth;
    int32_t label = failure(c, m);
    int left = push_copy(c, subject);
    int right = c->unit->depth;
    load_const(c, right, p->singleton.value);
    temp_push(c);
    emit_jump(c, JIF_IS_NOT, left, right, label);
    temp_pop_to(c, base);
}

static size_t star_position(struct compiler *c, struct pattern_seq *patterns)
{
    size_t star = SIZE_MAX;
    for (size_t i = 0; i < patterns->len; i++) {
        if (patterns->items[i]->kind != PATTERN_STAR) {
            continue;
        }
        if (star != SIZE_MAX) {
            fail_syntax(c, "multiple starred expressions in sequence pattern");
        }
        star = i;
    }
    return star;
}

static bool all_wildcards(const struct pattern_seq *patterns)
{
    for (size_t i = 0; i < patterns->len; i++) {
        if (!is_wildcard(patterns->items[i]) && !is_star_wildcard(patterns->items[i])) {
            return false;
        }
    }
    return true;
}

/* len(subject) compared with a constant. */
static void check_length(struct compiler *c, struct match *m, int subject, size_t length,
                         enum opcode jump_if_not)
{
    int base = c->unit->depth;
    int32_t label = failure(c, m);
    PyObject *number = keep(c, PyLong_FromSize_t(length));
    if (number == NULL) {
        return;
    }
    emit(c, GET_LEN, base, subject, 0);
    temp_push(c);
    emit_jump(c, jump_if_not, base, (int)const_add(c, number), label);
    temp_pop_to(c, base);
}

/* r[item], a copy of the subject, becomes its item number -`from_end`, counted with len(). */
static void item_from_end(struct compiler *c, int subject, int item, size_t from_end)
{
    PyObject *number = keep(c, PyLong_FromSize_t(from_end));
    if (number == NULL) {
        return;
    }
    int index = c->unit->depth;
    emit(c, GET_LEN, index, subject, 0);
    temp_push(c);
    emit(c, SUB_K, index, index, (int)const_add(c, number));
    emit(c, GET_ITEM, item, item, index);
    temp_pop_to(c, index);
}

/* Items one by one by index, for [a, *_, b]: what nobody asks for is not fetched. */
static void items_by_index(struct compiler *c, struct match *m, struct pattern_seq *patterns,
                           size_t star, int subject)
{
    for (size_t i = 0; i < patterns->len; i++) {
        struct pattern *p = patterns->items[i];
        if (i == star || is_wildcard(p)) {
            continue;
        }
        int item = push_copy(c, subject);
        if (i < star) {
            PyObject *index = keep(c, PyLong_FromSize_t(i));
            if (index == NULL) {
                return;
            }
            emit(c, GET_ITEM_K, item, item, (int)const_add(c, index));
        } else {
            item_from_end(c, subject, item, patterns->len - i);
        }
        subpattern(c, m, p, item);
    }
}

static void items_unpacked(struct compiler *c, struct match *m, struct pattern_seq *patterns,
                           size_t star, int subject)
{
    int first = push_copy(c, subject);
    if (star == SIZE_MAX) {
        emit(c, UNPACK_SEQ, first, first, (int)patterns->len);
    } else {
        if (star >= 1 << 8 || patterns->len - star - 1 >= INT32_MAX >> 8) {
            fail_syntax(c, "too many expressions in star-unpacking sequence pattern");
            return;
        }
        emit(c, UNPACK_EX, first, first, (int)(star | (patterns->len - star - 1) << 8));
    }
    temp_pop_to(c, first);
    for (size_t i = 0; i < patterns->len; i++) {
        temp_push(c);
    }
    /* The first item lies on top. */
    for (size_t i = 0; i < patterns->len; i++) {
        subpattern(c, m, patterns->items[i], first + (int)(patterns->len - 1 - i));
    }
}

static void pattern_sequence(struct compiler *c, struct match *m, struct pattern *p, int subject)
{
    struct pattern_seq *patterns = p->sequence.patterns;
    size_t star = star_position(c, patterns);
    bool only_wildcards = all_wildcards(patterns);
    bool star_wildcard = star != SIZE_MAX && is_star_wildcard(patterns->items[star]);
    int base = c->unit->depth;
    int32_t label = failure(c, m);
    emit(c, MATCH_SEQUENCE, base, subject, 0);
    temp_push(c);
    emit_jump(c, JUMP_IF_FALSE, base, 0, label);
    temp_pop_to(c, base);
    if (star == SIZE_MAX) {
        check_length(c, m, subject, patterns->len, JIN_EQ_K);
    } else if (patterns->len > 1) {
        check_length(c, m, subject, patterns->len - 1, JIN_GE_K);
    }
    if (only_wildcards) {
        return;
    }
    if (star_wildcard) {
        items_by_index(c, m, patterns, star, subject);
    } else {
        items_unpacked(c, m, patterns, star, subject);
    }
}

/* The keys of a mapping pattern as one tuple in a new temporary. */
static void push_keys(struct compiler *c, struct expr_seq *keys)
{
    int first = c->unit->depth;
    PyObject *seen = keep(c, PySet_New(NULL));
    for (size_t i = 0; i < keys->len && !c->failed; i++) {
        struct expr *key = keys->items[i];
        if (key == NULL) {
            fail_syntax(c, "can't use NULL keys in MatchMapping (set 'rest' parameter instead)");
            return;
        }
        if (key->kind == EXPR_CONSTANT) {
            int known = PySet_Contains(seen, key->constant.value);
            if (known < 0 || (known == 0 && PySet_Add(seen, key->constant.value) < 0)) {
                fail(c);
                return;
            }
            if (known) {
                fail_syntax(c, "mapping pattern checks duplicate key (%R)", key->constant.value);
                return;
            }
        } else if (key->kind != EXPR_ATTRIBUTE && key->kind != EXPR_BINOP
                   && key->kind != EXPR_UNARYOP) {
            fail_syntax(c, "mapping pattern keys may only match literals and attribute lookups");
            return;
        }
        expr_push(c, key);
    }
    emit(c, BUILD_TUPLE, first, first, (int)keys->len);
    temp_pop_to(c, first);
    temp_push(c);
}

/* The items that no key named, as a dict in a new temporary. */
static void capture_rest(struct compiler *c, struct match *m, struct pattern *p, int keys,
                         int subject)
{
    int rest = c->unit->depth;
    size_t count = p->mapping.keys->len;
    emit(c, BUILD_MAP, rest, rest, 0);
    temp_push(c);
    int temp = push_copy(c, subject);
    emit(c, DICT_UPDATE, rest, temp, 0);
    temp_pop_to(c, rest + 1);
    for (size_t i = 0; i < count; i++) {
        int dict = push_copy(c, rest);
        int key = push_copy(c, keys);
        PyObject *index = keep(c, PyLong_FromSize_t(i));
        if (index == NULL) {
            return;
        }
        emit(c, GET_ITEM_K, key, key, (int)const_add(c, index));
        emit(c, DEL_ITEM, dict, key, 0);
        temp_pop_to(c, rest + 1);
    }
    capture(c, m, p->mapping.rest, rest);
}

/* The tuple of what a pattern found, or None, at r[found]: its `count` items become temporaries, the first one on
 * top. */
static void unpack_found(struct compiler *c, struct match *m, int found, size_t count)
{
    int32_t label = failure(c, m);
    temp_push(c);
    emit_jump(c, JUMP_IF_NONE_OR_KEEP, found, 0, label);
    emit(c, UNPACK_SEQ, found, found, (int)count);
    temp_pop_to(c, found);
    for (size_t i = 0; i < count; i++) {
        temp_push(c);
    }
}

static void pattern_mapping(struct compiler *c, struct match *m, struct pattern *p, int subject)
{
    size_t count = p->mapping.keys->len;
    int base = c->unit->depth;
    int32_t label = failure(c, m);
    emit(c, MATCH_MAPPING, base, subject, 0);
    temp_push(c);
    emit_jump(c, JUMP_IF_FALSE, base, 0, label);
    temp_pop_to(c, base);
    if (count == 0 && p->mapping.rest == NULL) {
        return;
    }
    if (count != 0) {
        check_length(c, m, subject, count, JIN_GE_K);
    }
    int keys = c->unit->depth;
    push_keys(c, p->mapping.keys);
    if (c->failed) {
        return;
    }
    int values = c->unit->depth;
    emit(c, MATCH_KEYS, values, subject, keys);
    unpack_found(c, m, values, count);
    for (size_t i = 0; i < count; i++) {
        subpattern(c, m, p->mapping.patterns->items[i], values + (int)(count - 1 - i));
    }
    if (p->mapping.rest != NULL) {
        capture_rest(c, m, p, keys, subject);
    }
}

static void check_attributes(struct compiler *c, struct pattern *p)
{
    struct name_seq *names = p->class_.kwd_attrs;
    for (size_t i = 0; i < names->len; i++) {
        for (size_t k = i + 1; k < names->len; k++) {
            if (PyUnicode_Compare(names->items[i], names->items[k]) == 0) {
                c->pos = p->class_.kwd_patterns->items[k]->pos;
                fail_syntax(c, "attribute name repeated in class pattern: %U", names->items[k]);
                return;
            }
        }
    }
}

static void pattern_class(struct compiler *c, struct match *m, struct pattern *p, int subject)
{
    struct pattern_seq *patterns = p->class_.patterns, *kwd_patterns = p->class_.kwd_patterns;
    struct name_seq *names = p->class_.kwd_attrs;
    size_t positional = patterns->len, count = positional + names->len;
    if (count >= INT16_MAX) {
        fail_syntax(c, "too many sub-patterns in class pattern %R", p->class_.cls);
        return;
    }
    check_attributes(c, p);
    if (c->failed) {
        return;
    }
    int base = push_copy(c, subject);
    expr_push(c, p->class_.cls);
    PyObject *tuple = keep(c, PyTuple_New((Py_ssize_t)names->len));
    if (tuple == NULL) {
        return;
    }
    for (size_t i = 0; i < names->len; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(names->items[i]));
    }
    c->pos = p->pos;
    load_const(c, base + 2, tuple);
    temp_push(c);
    emit(c, MATCH_CLASS, base, base, (int)positional);
    temp_pop_to(c, base);
    unpack_found(c, m, base, count);
    for (size_t i = 0; i < count; i++) {
        struct pattern *sub =
            i < positional ? patterns->items[i] : kwd_patterns->items[i - positional];
        if (!is_wildcard(sub)) {
            subpattern(c, m, sub, base + (int)(count - 1 - i));
        }
    }
}

static void pattern_as(struct compiler *c, struct match *m, struct pattern *p, int subject)
{
    if (p->as.pattern == NULL) {
        if (!m->allow_irrefutable) {
            if (p->as.name != NULL) {
                fail_syntax(c, "name capture %R makes remaining patterns unreachable", p->as.name);
            } else {
                fail_syntax(c, "wildcard makes remaining patterns unreachable");
            }
            return;
        }
        if (p->as.name != NULL) {
            capture(c, m, p->as.name, subject);
        }
        return;
    }
    pattern(c, m, p->as.pattern, subject);
    c->pos = p->pos;
    capture(c, m, p->as.name, subject);
}

/* The register that an alternative bound to `name`, or ANY. */
static int captured_register(const struct match *m, PyObject *name)
{
    for (uint32_t i = 0; i < m->capture_count; i++) {
        if (PyUnicode_Compare(m->captures[i].name, name) == 0) {
            return m->captures[i].reg;
        }
    }
    return ANY;
}

/* Names that a pattern captures, collected without emitting anything. */
static void collect_names(struct compiler *c, const struct pattern *p, PyObject *names);

static void collect_seq(struct compiler *c, const struct pattern_seq *patterns, PyObject *names)
{
    for (size_t i = 0; i < patterns->len; i++) {
        collect_names(c, patterns->items[i], names);
    }
}

static void collect_names(struct compiler *c, const struct pattern *p, PyObject *names)
{
    PyObject *name = NULL;
    switch ((enum pattern_kind)p->kind) {
    case PATTERN_SEQUENCE:
        collect_seq(c, p->sequence.patterns, names);
        break;
    case PATTERN_MAPPING:
        collect_seq(c, p->mapping.patterns, names);
        name = p->mapping.rest;
        break;
    case PATTERN_CLASS:
        collect_seq(c, p->class_.patterns, names);
        collect_seq(c, p->class_.kwd_patterns, names);
        break;
    case PATTERN_STAR:
        name = p->star.name;
        break;
    case PATTERN_AS:
        if (p->as.pattern != NULL) {
            collect_names(c, p->as.pattern, names);
        }
        name = p->as.name;
        break;
    case PATTERN_OR:
        collect_names(c, p->or_.patterns->items[0], names);
        break;
    case PATTERN_VALUE:
    case PATTERN_SINGLETON:
    case PATTERN_KINDS:
        break;
    }
    if (name == NULL) {
        return;
    }
    int known = PySequence_Contains(names, name);
    if (known < 0 || (known == 0 && PyList_Append(names, name) < 0)) {
        fail(c);
    }
}

/* Each alternative leaves its captures in the same slots, reserved below it. */
static void pattern_or(struct compiler *c, struct match *m, struct pattern *p, int subject)
{
    struct pattern_seq *alternatives = p->or_.patterns;
    PyObject *names = keep(c, PyList_New(0));
    if (names == NULL) {
        return;
    }
    collect_names(c, p, names);
    Py_ssize_t count = PyList_GET_SIZE(names);
    int slots = c->unit->depth;
    for (Py_ssize_t i = 0; i < count; i++) {
        emit(c, LOAD_NULL, c->unit->depth, 0, 0);
        temp_push(c);
    }
    int32_t matched = label_new(c);
    for (size_t k = 0; k < alternatives->len && !c->failed; k++) {
        bool last = k + 1 == alternatives->len;
        struct match inner = {.base = slots + (int)count,
                              .allow_irrefutable = last && m->allow_irrefutable};
        c->pos = alternatives->items[k]->pos;
        pattern(c, &inner, alternatives->items[k], subject);
        if (c->failed) {
            return;
        }
        bool same = inner.capture_count == (uint32_t)count;
        for (Py_ssize_t i = 0; i < count && same; i++) {
            int reg = captured_register(&inner, PyList_GET_ITEM(names, i));
            same = reg != ANY;
            if (same) {
                emit(c, COPY, slots + (int)i, reg, 0);
            }
        }
        if (!same) {
            c->pos = p->pos;
            fail_syntax(c, "alternative patterns bind different names");
            return;
        }
        while (c->unit->depth > inner.base) {
            emit(c, DROP, c->unit->depth - 1, 0, 0);
            temp_pop_to(c, c->unit->depth - 1);
        }
        emit_jump(c, JUMP, 0, 0, matched);
        failures_here(c, &inner);
    }
    c->pos = p->pos;
    int32_t label = failure(c, m);
    emit_jump(c, JUMP, 0, 0, label);
    label_here(c, matched);
    for (Py_ssize_t i = 0; i < count; i++) {
        capture(c, m, PyList_GET_ITEM(names, i), slots + (int)i);
    }
}

static void pattern(struct compiler *c, struct match *m, struct pattern *p, int subject)
{
    if (c->failed || Py_EnterRecursiveCall(" during compilation")) {
        fail(c);
        return;
    }
    struct ast_pos saved = c->pos;
    c->pos = p->pos;
    switch ((enum pattern_kind)p->kind) {
    case PATTERN_VALUE:
        pattern_value(c, m, p, subject);
        break;
    case PATTERN_SINGLETON:
        pattern_singleton(c, m, p, subject);
        break;
    case PATTERN_SEQUENCE:
        pattern_sequence(c, m, p, subject);
        break;
    case PATTERN_MAPPING:
        pattern_mapping(c, m, p, subject);
        break;
    case PATTERN_CLASS:
        pattern_class(c, m, p, subject);
        break;
    case PATTERN_STAR:
        if (p->star.name != NULL) {
            capture(c, m, p->star.name, subject);
        }
        break;
    case PATTERN_AS:
        pattern_as(c, m, p, subject);
        break;
    case PATTERN_OR:
        pattern_or(c, m, p, subject);
        break;
    case PATTERN_KINDS:
        break;
    }
    c->pos = saved;
    Py_LeaveRecursiveCall();
}

/* One case; falls through to the next one with the depth at `base`. */
static void match_case(struct compiler *c, struct match_case *mc, int subject, bool last,
                       int32_t end)
{
    int base = c->unit->depth;
    struct match m = {.base = base, .allow_irrefutable = mc->guard != NULL || last};
    c->pos = mc->pattern->pos;
    pattern(c, &m, mc->pattern, subject);
    for (uint32_t i = 0; i < m.capture_count && !c->failed; i++) {
        int temp = push_copy(c, m.captures[i].reg);
        name_store(c, m.captures[i].name, temp);
        temp_pop_to(c, temp);
    }
    while (!c->failed && c->unit->depth > base) {
        emit(c, DROP, c->unit->depth - 1, 0, 0);
        temp_pop_to(c, c->unit->depth - 1);
    }
    if (mc->guard != NULL) {
        expr_jump(c, mc->guard, false, failure(c, &m));
    }
    if (!is_local(c, subject)) {
        /* The body does not need the subject any more. */
        emit(c, CLEAR, subject, 0, 0);
    }
    stmts(c, mc->body);
    c->pos = (struct ast_pos){-1, -1, -1, -1};
    emit_jump(c, JUMP, 0, 0, end);
    failures_here(c, &m);
}

void stmt_match(struct compiler *c, struct stmt *s)
{
    int base = c->unit->depth;
    int32_t end = label_new(c);
    /* The subject is kept in a temporary: captures may assign the local it came from. */
    int subject = expr_push(c, s->match.subject);
    uint64_t *before = bound_save(c);
    for (size_t i = 0; i < s->match.cases->len && !c->failed; i++) {
        bound_restore(c, before);
        match_case(c, s->match.cases->items[i], subject, i + 1 == s->match.cases->len, end);
    }
    c->pos = (struct ast_pos){-1, -1, -1, -1};
    label_here(c, end);
    emit(c, DROP, subject, 0, 0);
    temp_pop_to(c, base);
    bound_restore(c, before);
}
