/*
 * code_verify(): whether code that did not come from the compiler keeps to the rules that the machine relies on.
 */
#include "interp/vm/vm.h"

static int bad(PyCodeObject *code, uint32_t index, const char *what)
{
    PyErr_Format(PyExc_ValueError, "code: %s in %U at word %u", what, code->co_name, index);
    return -1;
}

/* 0, or what is wrong with an operand. */
static const char *check_operand(const struct code_body *body, unsigned kind, uint32_t value)
{
    Py_ssize_t nconsts = body->nconsts;
    switch (kind) {
    case OPERAND_DST:
    case OPERAND_USE:
    case OPERAND_KEEP:
        return value < body->nregs ? NULL : "register out of range";
    case OPERAND_BASE: /* an empty window may begin behind the last register */
        return value <= body->nregs ? NULL : "register out of range";
    case OPERAND_LOCAL:
        return value < body->nregs ? NULL : "local variable out of range";
    case OPERAND_CONST:
    case OPERAND_CONST_BC:
        return (Py_ssize_t)value < nconsts ? NULL : "constant out of range";
    case OPERAND_SITE:
    case OPERAND_SITE_BC:
        return value < body->nsites ? NULL : "site out of range";
    default:
        return NULL;
    }
}

static const char *check_jump(const struct code_body *body, uint32_t index, int displacement)
{
    int64_t target = (int64_t)index + 1 + displacement;
    if (target < 0 || target >= body->nwords) {
        return "jump out of range";
    }
    if (target > 0 && WORD_OP(body->words[target - 1]) == EXT) {
        return "jump between a prefix and its word";
    }
    return NULL;
}

/* Registers from a base operand on that an instruction reads or writes. */
static uint32_t window_size(const struct code_body *body, unsigned op, uint32_t a, uint32_t c)
{
    (void)a;
    switch (op) {
    case CALL:
        return 2 + (c < body->nsites ? body->sites[c].arg : 0);
    case CALL_EX:
        return c & CALL_EX_NAMES ? 4 + (c >> CALL_EX_SHIFT) : 3 + (c & 1);
    case BUILD_TUPLE:
    case BUILD_LIST:
    case BUILD_SET:
    case BUILD_STRING:
    case UNPACK_SEQ:
    case BUILD_SLICE:
        return c;
    case BUILD_MAP:
        return 2 * c;
    case UNPACK_EX:
        return (c & 0xFF) + (c >> 8) + 1;
    case MATCH_CLASS:
    case LOAD_SUPER_ATTR:
    case LOAD_SUPER_METHOD:
        return 3;
    case LOAD_METHOD:
    case BEFORE_WITH:
    case BEFORE_ASYNC_WITH:
    case PUSH_EXC:
    case CHECK_EG_MATCH:
    case CLEANUP_THROW:
    case END_ASYNC_FOR:
    case GET_SLICE:
    case IMPORT_NAME:
    case INTRINSIC2:
        return 2;
    default:
        return 1;
    }
}

static int verify_word(PyCodeObject *code, const struct code_body *body, uint32_t i, uint64_t x)
{
    uint64_t w = body->words[i];
    unsigned op = WORD_OP(w);
    if (op >= OPCODE_PLAIN_COUNT || op == INSTRUMENTED) {
        return bad(code, i, "unknown instruction");
    }
    const struct opcode_info *info = &opcode_table[op];
    bool joined = info->b >= OPERAND_JUMP_BC || info->b == OPERAND_SITE_BC;
    joined = info->b == OPERAND_SITE_BC || info->b == OPERAND_JUMP_BC || info->b == OPERAND_CONST_BC
             || info->b == OPERAND_NUMBER_BC;
    uint32_t a = WORD_A(w) | WORD_A(x) << 16;
    uint32_t b = joined ? WORD_BCU(w) : WORD_B(w) | WORD_B(x) << 16;
    uint32_t c = WORD_C(w) | WORD_C(x) << 16;
    const char *wrong = check_operand(body, info->a, a);
    wrong = wrong ? wrong : check_operand(body, info->b, b);
    wrong = wrong || joined ? wrong : check_operand(body, info->c, c);
    if (!wrong && info->c == OPERAND_JUMP) {
        wrong = check_jump(body, i, x ? (int)c : WORD_SC(w));
    }
    if (!wrong && info->b == OPERAND_JUMP_BC) {
        wrong = check_jump(body, i, WORD_SBC(w));
    }
    uint32_t size = window_size(body, op, a, c);
    if (!wrong
        && ((info->a == OPERAND_BASE && a + size > body->nregs)
            || (info->b == OPERAND_BASE && b + size > body->nregs)
            || (info->c == OPERAND_BASE && c + size > body->nregs))) {
        wrong = "call window out of range";
    }
    if (!wrong && (info->c == OPERAND_SITE || info->b == OPERAND_SITE_BC)) {
        const struct code_site *site = &body->sites[joined ? b : c];
        if (op == CALL) {
            if (site->arg2 > body->nconsts
                || (site->arg2
                    && (!PyTuple_CheckExact(body->consts[site->arg2 - 1])
                        || PyTuple_GET_SIZE(body->consts[site->arg2 - 1])
                               > (Py_ssize_t)site->arg))) {
                wrong = "bad keyword names";
            }
        } else if ((Py_ssize_t)site->arg >= PyTuple_GET_SIZE(code->co_names)) {
            wrong = "name out of range";
        }
    }
    if (!wrong && op == MAKE_FUNCTION && !PyCode_Check(body->consts[b])) {
        wrong = "a function without code";
    }
    if (!wrong && (body->depths[i] < body->nlocals || body->depths[i] > body->nregs)) {
        wrong = "bad depth";
    }
    return wrong ? bad(code, i, wrong) : 0;
}

int code_verify(PyCodeObject *code)
{
    const struct code_body *body = code_body(code);
    if (body->nregs < body->nlocals
        || code->co_argcount + code->co_kwonlyargcount > body->nlocals) {
        return bad(code, 0, "too few registers");
    }
    if (PyBytes_GET_SIZE(code->co_localspluskinds) != body->nlocals) {
        return bad(code, 0, "bad kinds of variables");
    }
    for (uint32_t i = 0; i < body->nwords; i++) {
        bool prefix = i > 0 && WORD_OP(body->words[i - 1]) == EXT;
        if (WORD_OP(body->words[i]) == EXT) {
            if (prefix || i + 1 == body->nwords) {
                return bad(code, i, "misplaced prefix");
            }
            continue;
        }
        if (verify_word(code, body, i, prefix ? body->words[i - 1] : 0) < 0) {
            return -1;
        }
    }
    if (!(opcode_table[WORD_OP(body->words[body->nwords - 1])].flags & OPCODE_ENDS)) {
        return bad(code, body->nwords - 1, "the end is not a return");
    }
    for (uint32_t i = 0; i < body->nhandlers; i++) {
        const struct code_handler *h = &body->handlers[i];
        if (h->start >= h->end || h->end > body->nwords || h->target >= body->nwords
            || h->depth < body->nlocals || h->depth + 1u + h->lasti > body->nregs
            || (i > 0 && h->start < body->handlers[i - 1].end)) {
            return bad(code, h->start, "bad exception handler");
        }
    }
    code_choose_forms(code_body(code));
    return 0;
}
