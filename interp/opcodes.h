/* Made by tools/gen_interp.py. */
#ifndef KRAIT_OPCODES_H
#define KRAIT_OPCODES_H

enum opcode {
    NOP = 0,
    EXT = 1,
    MOVE = 2,
    BORROW = 3,
    LOAD_CONST = 4,
    LOAD_INT = 5,
    LOAD_NULL = 6,
    DROP = 7,
    CHECK_BOUND = 8,
    DEL_LOCAL = 9,
    CLEAR = 10,
    COPY = 11,
    SWAP = 12,
    SAVE_CLEAR = 13,
    RESTORE = 14,
    ADD = 15,
    ADD_K = 16,
    SUB = 17,
    SUB_K = 18,
    MUL = 19,
    MUL_K = 20,
    IADD = 21,
    IADD_K = 22,
    ISUB = 23,
    ISUB_K = 24,
    IMUL = 25,
    IMUL_K = 26,
    AND = 27,
    AND_K = 28,
    OR = 29,
    OR_K = 30,
    IAND = 31,
    IAND_K = 32,
    IOR = 33,
    IOR_K = 34,
    XOR = 35,
    XOR_K = 36,
    IXOR = 37,
    IXOR_K = 38,
    TRUEDIV = 39,
    TRUEDIV_K = 40,
    ITRUEDIV = 41,
    ITRUEDIV_K = 42,
    FLOORDIV = 43,
    FLOORDIV_K = 44,
    MOD = 45,
    MOD_K = 46,
    LSHIFT = 47,
    LSHIFT_K = 48,
    RSHIFT = 49,
    RSHIFT_K = 50,
    IFLOORDIV = 51,
    IFLOORDIV_K = 52,
    IMOD = 53,
    IMOD_K = 54,
    ILSHIFT = 55,
    ILSHIFT_K = 56,
    IRSHIFT = 57,
    IRSHIFT_K = 58,
    POW = 59,
    POW_K = 60,
    MATMUL = 61,
    MATMUL_K = 62,
    IPOW = 63,
    IPOW_K = 64,
    IMATMUL = 65,
    IMATMUL_K = 66,
    NEG = 67,
    POS = 68,
    INVERT = 69,
    NOT = 70,
    TO_BOOL = 71,
    LT = 72,
    LT_K = 73,
    JIF_LT = 74,
    JIN_LT = 75,
    JIF_LT_K = 76,
    JIN_LT_K = 77,
    LE = 78,
    LE_K = 79,
    JIF_LE = 80,
    JIN_LE = 81,
    JIF_LE_K = 82,
    JIN_LE_K = 83,
    EQ = 84,
    EQ_K = 85,
    JIF_EQ = 86,
    JIN_EQ = 87,
    JIF_EQ_K = 88,
    JIN_EQ_K = 89,
    NE = 90,
    NE_K = 91,
    JIF_NE = 92,
    JIN_NE = 93,
    JIF_NE_K = 94,
    JIN_NE_K = 95,
    GT = 96,
    GT_K = 97,
    JIF_GT = 98,
    JIN_GT = 99,
    JIF_GT_K = 100,
    JIN_GT_K = 101,
    GE = 102,
    GE_K = 103,
    JIF_GE = 104,
    JIN_GE = 105,
    JIF_GE_K = 106,
    JIN_GE_K = 107,
    IS = 108,
    IS_NOT = 109,
    JIF_IS = 110,
    JIF_IS_NOT = 111,
    CONTAINS = 112,
    NOT_CONTAINS = 113,
    JIF_IN = 114,
    JIF_NOT_IN = 115,
    JUMP = 116,
    JUMP_BACK = 117,
    JUMP_IF_TRUE = 118,
    JUMP_IF_FALSE = 119,
    JUMP_IF_TRUE_OR_DROP = 120,
    JUMP_IF_FALSE_OR_DROP = 121,
    JUMP_IF_NONE = 122,
    JUMP_IF_NOT_NONE = 123,
    GET_ATTR = 124,
    SET_ATTR = 125,
    DEL_ATTR = 126,
    LOAD_METHOD = 127,
    LOAD_SUPER_ATTR = 128,
    LOAD_SUPER_METHOD = 129,
    GET_GLOBAL = 130,
    SET_GLOBAL = 131,
    DEL_GLOBAL = 132,
    GET_NAME = 133,
    SET_NAME = 134,
    DEL_NAME = 135,
    LOAD_LOCALS = 136,
    GET_FROM_DICT_OR_GLOBALS = 137,
    LOAD_BUILD_CLASS = 138,
    SETUP_ANNOTATIONS = 139,
    MAKE_CELL = 140,
    COPY_FREE_VARS = 141,
    GET_DEREF = 142,
    SET_DEREF = 143,
    DEL_DEREF = 144,
    GET_FROM_DICT_OR_DEREF = 145,
    GET_ITEM = 146,
    GET_ITEM_K = 147,
    SET_ITEM = 148,
    DEL_ITEM = 149,
    GET_SLICE = 150,
    BUILD_SLICE = 151,
    BUILD_TUPLE = 152,
    BUILD_LIST = 153,
    BUILD_SET = 154,
    BUILD_MAP = 155,
    BUILD_STRING = 156,
    LIST_APPEND = 157,
    SET_ADD = 158,
    MAP_ADD = 159,
    LIST_EXTEND = 160,
    SET_UPDATE = 161,
    DICT_UPDATE = 162,
    DICT_MERGE = 163,
    LIST_TO_TUPLE = 164,
    UNPACK_SEQ = 165,
    UNPACK_EX = 166,
    GET_ITER = 167,
    FOR_ITER = 168,
    GET_AITER = 169,
    GET_ANEXT = 170,
    END_ASYNC_FOR = 171,
    IMPORT_NAME = 172,
    IMPORT_FROM = 173,
    FORMAT_SIMPLE = 174,
    FORMAT_SPEC = 175,
    CONVERT = 176,
    MATCH_CLASS = 177,
    MATCH_MAPPING = 178,
    MATCH_SEQUENCE = 179,
    MATCH_KEYS = 180,
    GET_LEN = 181,
    CALL = 182,
    CALL_EX = 183,
    INTRINSIC1 = 184,
    INTRINSIC2 = 185,
    MAKE_FUNCTION = 186,
    SET_FUNC_ATTR = 187,
    RETURN = 188,
    RETURN_CONST = 189,
    RETURN_GENERATOR = 190,
    RESUME = 191,
    YIELD = 192,
    GET_YIELD_FROM_ITER = 193,
    GET_AWAITABLE = 194,
    SEND = 195,
    CLEANUP_THROW = 196,
    BEFORE_WITH = 197,
    BEFORE_ASYNC_WITH = 198,
    WITH_EXCEPT_START = 199,
    PUSH_EXC = 200,
    POP_EXC = 201,
    CHECK_EXC_MATCH = 202,
    CHECK_EG_MATCH = 203,
    RAISE = 204,
    RAISE_FROM = 205,
    RAISE_CURRENT = 206,
    RERAISE = 207,
    LOAD_ASSERTION_ERROR = 208,
    INSTRUMENTED = 209,
    GET_ATTR_INLINE = 210,
    GET_ATTR_SLOT = 211,
    GET_ATTR_MODULE = 212,
    GET_ATTR_ENTRY = 213,
    GET_ATTR_ANY = 214,
    SET_ATTR_INLINE = 215,
    SET_ATTR_SLOT = 216,
    SET_ATTR_ANY = 217,
    LOAD_METHOD_ENTRY = 218,
    LOAD_METHOD_MODULE = 219,
    LOAD_METHOD_ANY = 220,
    GET_GLOBAL_MODULE = 221,
    GET_GLOBAL_BUILTIN = 222,
    GET_GLOBAL_ANY = 223,
    CALL_CLASS = 224,
    CALL_ANY = 225,
    CALL_LIST_APPEND = 226,
    CALL_LEN = 227,
};

#define OPCODE_COUNT 228
#define OPCODE_PLAIN_COUNT 210     /* the rest are forms of these */

#define OPCODE_LIST(X) \
    X(NOP) \
    X(EXT) \
    X(MOVE) \
    X(BORROW) \
    X(LOAD_CONST) \
    X(LOAD_INT) \
    X(LOAD_NULL) \
    X(DROP) \
    X(CHECK_BOUND) \
    X(DEL_LOCAL) \
    X(CLEAR) \
    X(COPY) \
    X(SWAP) \
    X(SAVE_CLEAR) \
    X(RESTORE) \
    X(ADD) \
    X(ADD_K) \
    X(SUB) \
    X(SUB_K) \
    X(MUL) \
    X(MUL_K) \
    X(IADD) \
    X(IADD_K) \
    X(ISUB) \
    X(ISUB_K) \
    X(IMUL) \
    X(IMUL_K) \
    X(AND) \
    X(AND_K) \
    X(OR) \
    X(OR_K) \
    X(IAND) \
    X(IAND_K) \
    X(IOR) \
    X(IOR_K) \
    X(XOR) \
    X(XOR_K) \
    X(IXOR) \
    X(IXOR_K) \
    X(TRUEDIV) \
    X(TRUEDIV_K) \
    X(ITRUEDIV) \
    X(ITRUEDIV_K) \
    X(FLOORDIV) \
    X(FLOORDIV_K) \
    X(MOD) \
    X(MOD_K) \
    X(LSHIFT) \
    X(LSHIFT_K) \
    X(RSHIFT) \
    X(RSHIFT_K) \
    X(IFLOORDIV) \
    X(IFLOORDIV_K) \
    X(IMOD) \
    X(IMOD_K) \
    X(ILSHIFT) \
    X(ILSHIFT_K) \
    X(IRSHIFT) \
    X(IRSHIFT_K) \
    X(POW) \
    X(POW_K) \
    X(MATMUL) \
    X(MATMUL_K) \
    X(IPOW) \
    X(IPOW_K) \
    X(IMATMUL) \
    X(IMATMUL_K) \
    X(NEG) \
    X(POS) \
    X(INVERT) \
    X(NOT) \
    X(TO_BOOL) \
    X(LT) \
    X(LT_K) \
    X(JIF_LT) \
    X(JIN_LT) \
    X(JIF_LT_K) \
    X(JIN_LT_K) \
    X(LE) \
    X(LE_K) \
    X(JIF_LE) \
    X(JIN_LE) \
    X(JIF_LE_K) \
    X(JIN_LE_K) \
    X(EQ) \
    X(EQ_K) \
    X(JIF_EQ) \
    X(JIN_EQ) \
    X(JIF_EQ_K) \
    X(JIN_EQ_K) \
    X(NE) \
    X(NE_K) \
    X(JIF_NE) \
    X(JIN_NE) \
    X(JIF_NE_K) \
    X(JIN_NE_K) \
    X(GT) \
    X(GT_K) \
    X(JIF_GT) \
    X(JIN_GT) \
    X(JIF_GT_K) \
    X(JIN_GT_K) \
    X(GE) \
    X(GE_K) \
    X(JIF_GE) \
    X(JIN_GE) \
    X(JIF_GE_K) \
    X(JIN_GE_K) \
    X(IS) \
    X(IS_NOT) \
    X(JIF_IS) \
    X(JIF_IS_NOT) \
    X(CONTAINS) \
    X(NOT_CONTAINS) \
    X(JIF_IN) \
    X(JIF_NOT_IN) \
    X(JUMP) \
    X(JUMP_BACK) \
    X(JUMP_IF_TRUE) \
    X(JUMP_IF_FALSE) \
    X(JUMP_IF_TRUE_OR_DROP) \
    X(JUMP_IF_FALSE_OR_DROP) \
    X(JUMP_IF_NONE) \
    X(JUMP_IF_NOT_NONE) \
    X(GET_ATTR) \
    X(SET_ATTR) \
    X(DEL_ATTR) \
    X(LOAD_METHOD) \
    X(LOAD_SUPER_ATTR) \
    X(LOAD_SUPER_METHOD) \
    X(GET_GLOBAL) \
    X(SET_GLOBAL) \
    X(DEL_GLOBAL) \
    X(GET_NAME) \
    X(SET_NAME) \
    X(DEL_NAME) \
    X(LOAD_LOCALS) \
    X(GET_FROM_DICT_OR_GLOBALS) \
    X(LOAD_BUILD_CLASS) \
    X(SETUP_ANNOTATIONS) \
    X(MAKE_CELL) \
    X(COPY_FREE_VARS) \
    X(GET_DEREF) \
    X(SET_DEREF) \
    X(DEL_DEREF) \
    X(GET_FROM_DICT_OR_DEREF) \
    X(GET_ITEM) \
    X(GET_ITEM_K) \
    X(SET_ITEM) \
    X(DEL_ITEM) \
    X(GET_SLICE) \
    X(BUILD_SLICE) \
    X(BUILD_TUPLE) \
    X(BUILD_LIST) \
    X(BUILD_SET) \
    X(BUILD_MAP) \
    X(BUILD_STRING) \
    X(LIST_APPEND) \
    X(SET_ADD) \
    X(MAP_ADD) \
    X(LIST_EXTEND) \
    X(SET_UPDATE) \
    X(DICT_UPDATE) \
    X(DICT_MERGE) \
    X(LIST_TO_TUPLE) \
    X(UNPACK_SEQ) \
    X(UNPACK_EX) \
    X(GET_ITER) \
    X(FOR_ITER) \
    X(GET_AITER) \
    X(GET_ANEXT) \
    X(END_ASYNC_FOR) \
    X(IMPORT_NAME) \
    X(IMPORT_FROM) \
    X(FORMAT_SIMPLE) \
    X(FORMAT_SPEC) \
    X(CONVERT) \
    X(MATCH_CLASS) \
    X(MATCH_MAPPING) \
    X(MATCH_SEQUENCE) \
    X(MATCH_KEYS) \
    X(GET_LEN) \
    X(CALL) \
    X(CALL_EX) \
    X(INTRINSIC1) \
    X(INTRINSIC2) \
    X(MAKE_FUNCTION) \
    X(SET_FUNC_ATTR) \
    X(RETURN) \
    X(RETURN_CONST) \
    X(RETURN_GENERATOR) \
    X(RESUME) \
    X(YIELD) \
    X(GET_YIELD_FROM_ITER) \
    X(GET_AWAITABLE) \
    X(SEND) \
    X(CLEANUP_THROW) \
    X(BEFORE_WITH) \
    X(BEFORE_ASYNC_WITH) \
    X(WITH_EXCEPT_START) \
    X(PUSH_EXC) \
    X(POP_EXC) \
    X(CHECK_EXC_MATCH) \
    X(CHECK_EG_MATCH) \
    X(RAISE) \
    X(RAISE_FROM) \
    X(RAISE_CURRENT) \
    X(RERAISE) \
    X(LOAD_ASSERTION_ERROR) \
    X(INSTRUMENTED) \
    X(GET_ATTR_INLINE) \
    X(GET_ATTR_SLOT) \
    X(GET_ATTR_MODULE) \
    X(GET_ATTR_ENTRY) \
    X(GET_ATTR_ANY) \
    X(SET_ATTR_INLINE) \
    X(SET_ATTR_SLOT) \
    X(SET_ATTR_ANY) \
    X(LOAD_METHOD_ENTRY) \
    X(LOAD_METHOD_MODULE) \
    X(LOAD_METHOD_ANY) \
    X(GET_GLOBAL_MODULE) \
    X(GET_GLOBAL_BUILTIN) \
    X(GET_GLOBAL_ANY) \
    X(CALL_CLASS) \
    X(CALL_ANY) \
    X(CALL_LIST_APPEND) \
    X(CALL_LEN)

#endif
