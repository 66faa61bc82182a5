/* The module _blake2: BLAKE2b and BLAKE2s (RFC 7693), with tree hashing. */
#include "hash/hash.h"

/* Both are kept in 64-bit words; BLAKE2s uses the lower halves. */
struct blake2 {
    const struct hash_algorithm *algorithm;
    uint64_t state[8];
    uint64_t length[2];
    size_t held;
    bool last_node;
    uint8_t block[128];
};

_Static_assert(sizeof(struct blake2) <= HASH_CONTEXT, "context too small");

static bool offset_of(PyObject *arg, uint64_t *out);

#include "blake2.bind.h"

/* ---- the functions -------------------------------------------------------------------------- */

static const uint8_t message_order[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static const uint64_t initial_b[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

#define BLAKE2_BLOCK(name, type, bytes, load, rotate, rounds, shift, R1, R2, R3, R4)               \
    static void name(struct blake2 *b, const uint8_t *data, bool last)                             \
    {                                                                                              \
        type v[16], m[16];                                                                         \
        for (int i = 0; i < 16; i++) {                                                             \
            m[i] = load(data + bytes * i);                                                         \
        }                                                                                          \
        for (int i = 0; i < 8; i++) {                                                              \
            v[i] = (type)b->state[i];                                                              \
            v[i + 8] = (type)(initial_b[i] >> shift);                                              \
        }                                                                                          \
        v[12] ^= (type)b->length[0];                                                               \
        v[13] ^= (type)(shift ? b->length[0] >> 32 : b->length[1]);                                \
        v[14] ^= last ? (type)-1 : 0;                                                              \
        v[15] ^= last && b->last_node ? (type)-1 : 0;                                              \
        for (int round = 0; round < rounds; round++) {                                             \
            const uint8_t *order = message_order[round % 10];                                      \
            for (int i = 0; i < 8; i++) {                                                          \
                int turn = i / 4, p = i % 4, q = 4 + (p + turn) % 4, r = 8 + (p + 2 * turn) % 4,   \
                    s = 12 + (p + 3 * turn) % 4;                                                   \
                v[p] += v[q] + m[order[2 * i]];                                                    \
                v[s] = rotate(v[s] ^ v[p], R1);                                                    \
                v[r] += v[s];                                                                      \
                v[q] = rotate(v[q] ^ v[r], R2);                                                    \
                v[p] += v[q] + m[order[2 * i + 1]];                                                \
                v[s] = rotate(v[s] ^ v[p], R3);                                                    \
                v[r] += v[s];                                                                      \
                v[q] = rotate(v[q] ^ v[r], R4);                                                    \
            }                                                                                      \
        }                                                                                          \
        for (int i = 0; i < 8; i++) {                                                              \
            b->state[i] ^= (type)(v[i] ^ v[i + 8]);                                                \
        }                                                                                          \
    }

BLAKE2_BLOCK(blake2b_block, uint64_t, 8, load_le64, rotate_right64, 12, 0, 32, 24, 16, 63)
BLAKE2_BLOCK(blake2s_block, uint32_t, 4, load_le32, rotate_right, 10, 32, 16, 12, 8, 7)

static void blake2_take(struct blake2 *b, const uint8_t *block, size_t length, bool last)
{
    b->length[0] += length;
    b->length[1] += b->length[0] < length;
    if (b->algorithm->block_size == 128) {
        blake2b_block(b, block, last);
    } else {
        blake2s_block(b, block, last);
    }
}

/* A block is only taken when more follows, since the last one is marked. */
static void blake2_update(void *context, const uint8_t *data, size_t length)
{
    struct blake2 *b = context;
    size_t size = (size_t)b->algorithm->block_size;
    while (length > 0) {
        if (b->held == size) {
            blake2_take(b, b->block, size, false);
            b->held = 0;
        }
        if (b->held == 0) {
            for (; length > size; data += size, length -= size) {
                blake2_take(b, data, size, false);
            }
        }
        size_t part = Py_MIN(length, size - b->held);
        memcpy(b->block + b->held, data, part);
        b->held += part;
        data += part;
        length -= part;
    }
}

static void blake2_finish(void *context, uint8_t *out, size_t length)
{
    struct blake2 *b = context;
    size_t size = (size_t)b->algorithm->block_size;
    int word = size == 128 ? 8 : 4;
    memset(b->block + b->held, 0, size - b->held);
    blake2_take(b, b->block, b->held, true);
    for (size_t i = 0; i < length; i++) {
        out[i] = (uint8_t)(b->state[i / (size_t)word] >> (i % (size_t)word * 8));
    }
}

/* ---- parameters ----------------------------------------------------------------------------- */

struct parameters {
    int digest_size, fanout, depth, node_depth, inner_size, last_node;
    Py_buffer *key, *salt, *person;
    unsigned long leaf_size;
    uint64_t node_offset;
};

static bool offset_of(PyObject *arg, uint64_t *out)
{
    unsigned long long value;
    if (!bind_ulonglong(arg, &value)) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_SetString(PyExc_OverflowError, "int too big to convert");
        }
        return false;
    }
    *out = value;
    return true;
}

static bool check_range(const char *what, int value, int least, int most)
{
    if (value < least || value > most) {
        PyErr_Format(PyExc_ValueError, "%s must be between %d and %d", what, least, most);
        return false;
    }
    return true;
}

static bool check_length(const char *what, const Py_buffer *given, int most)
{
    if (given->len > most) {
        PyErr_Format(PyExc_ValueError, "maximum %s length is %d bytes", what, most);
        return false;
    }
    return true;
}

static bool parameters_valid(const struct parameters *p, bool wide)
{
    int most = wide ? 64 : 32;
    if (p->digest_size <= 0 || p->digest_size > most) {
        PyErr_Format(PyExc_ValueError, "digest_size must be between 1 and %d bytes", most);
        return false;
    }
    if (!check_length("salt", p->salt, most / 4) || !check_length("person", p->person, most / 4)
        || !check_range("fanout", p->fanout, 0, 255) || !check_range("depth", p->depth, 1, 255)) {
        return false;
    }
    if (p->leaf_size > 0xffffffffu) {
        PyErr_SetString(PyExc_OverflowError, "leaf_size is too large");
        return false;
    }
    if (!wide && p->node_offset > 0xffffffffffffull) {
        PyErr_SetString(PyExc_OverflowError, "node_offset is too large");
        return false;
    }
    if (!check_range("node_depth", p->node_depth, 0, 255)) {
        return false;
    }
    if (p->inner_size < 0 || p->inner_size > most) {
        PyErr_Format(PyExc_ValueError, "inner_size must be between 0 and is %d", most);
        return false;
    }
    return check_length("key", p->key, most);
}

static void put_le(uint8_t *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
}

static void blake2_start(struct blake2 *b, const struct parameters *p, bool wide)
{
    uint8_t block[128] = {0};
    block[0] = (uint8_t)p->digest_size;
    block[1] = (uint8_t)p->key->len;
    block[2] = (uint8_t)p->fanout;
    block[3] = (uint8_t)p->depth;
    put_le(block + 4, p->leaf_size, 4);
    put_le(block + 8, p->node_offset, wide ? 8 : 6);
    block[wide ? 16 : 14] = (uint8_t)p->node_depth;
    block[wide ? 17 : 15] = (uint8_t)p->inner_size;
    memcpy(block + (wide ? 32 : 16), p->salt->buf, (size_t)p->salt->len);
    memcpy(block + (wide ? 48 : 24), p->person->buf, (size_t)p->person->len);
    for (int i = 0; i < 8; i++) {
        b->state[i] = wide ? initial_b[i] ^ load_le64(block + 8 * i)
                           : (initial_b[i] >> 32) ^ load_le32(block + 4 * i);
    }
    b->last_node = p->last_node;
    if (p->key->len > 0) {
        memset(block, 0, sizeof block);
        memcpy(block, p->key->buf, (size_t)p->key->len);
        blake2_update(b, block, (size_t)b->algorithm->block_size);
    }
}

/* The digest size is a parameter, so each object has an algorithm of its own size. */
#define SIZED(n, name_, block)                                                                     \
    {                                                                                              \
        .name = name_, .digest_size = n, .block_size = block, .update = blake2_update,             \
        .finish = blake2_finish                                                                    \
    }
#define SIZED8(n, a, b)                                                                            \
    SIZED(n, a, b), SIZED(n + 1, a, b), SIZED(n + 2, a, b), SIZED(n + 3, a, b),                    \
        SIZED(n + 4, a, b), SIZED(n + 5, a, b), SIZED(n + 6, a, b), SIZED(n + 7, a, b)

static const struct hash_algorithm blake2b_sized[64] = {
    SIZED8(1, "blake2b", 128),  SIZED8(9, "blake2b", 128),  SIZED8(17, "blake2b", 128),
    SIZED8(25, "blake2b", 128), SIZED8(33, "blake2b", 128), SIZED8(41, "blake2b", 128),
    SIZED8(49, "blake2b", 128), SIZED8(57, "blake2b", 128),
};

static const struct hash_algorithm blake2s_sized[32] = {
    SIZED8(1, "blake2s", 64),
    SIZED8(9, "blake2s", 64),
    SIZED8(17, "blake2s", 64),
    SIZED8(25, "blake2s", 64),
};

static PyObject *blake2_new(PyTypeObject *type, const struct parameters *p, bool wide,
                            PyObject *data, PyObject *string)
{
    PyObject *first;
    if (hash_data(data, string, &first) < 0 || !parameters_valid(p, wide)) {
        return NULL;
    }
    struct hash *self = (struct hash *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->algorithm = &(wide ? blake2b_sized : blake2s_sized)[p->digest_size - 1];
    struct blake2 *b = (struct blake2 *)self->context;
    b->algorithm = self->algorithm;
    blake2_start(b, p, wide);
    if (first != NULL && hash_feed(self, first) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

#define BLAKE2_NEW(name, wide)                                                                     \
    static PyObject *name##_new(PyTypeObject *type, PyObject *data, int digest_size,               \
                                Py_buffer *key, Py_buffer *salt, Py_buffer *person, int fanout,    \
                                int depth, unsigned long leaf_size, uint64_t node_offset,          \
                                int node_depth, int inner_size, int last_node,                     \
                                int Py_UNUSED(usedforsecurity), PyObject *string)                  \
    {                                                                                              \
        struct parameters p = {                                                                    \
            .digest_size = digest_size,                                                            \
            .key = key,                                                                            \
            .salt = salt,                                                                          \
            .person = person,                                                                      \
            .fanout = fanout,                                                                      \
            .depth = depth,                                                                        \
            .leaf_size = leaf_size,                                                                \
            .node_offset = node_offset,                                                            \
            .node_depth = node_depth,                                                              \
            .inner_size = inner_size,                                                              \
            .last_node = last_node,                                                                \
        };                                                                                         \
        return blake2_new(type, &p, wide, data, string);                                           \
    }

BLAKE2_NEW(blake2b, true)
BLAKE2_NEW(blake2s, false)

/* ---- the module ----------------------------------------------------------------------------- */

static int add_number(PyObject *module, PyTypeObject *type, const char *prefix, const char *name,
                      int value)
{
    PyObject *number = PyLong_FromLong(value);
    PyObject *long_name = PyUnicode_FromFormat("%s_%s", prefix, name);
    int rc = number && long_name ? PyObject_SetAttr(module, long_name, number) : -1;
    if (rc == 0) {
        rc = PyDict_SetItemString(type->tp_dict, name, number);
    }
    Py_XDECREF(number);
    Py_XDECREF(long_name);
    return rc;
}

static int add_type(PyObject *module, const char *name, const char *prefix, newfunc make,
                    const char *doc, int longest)
{
    PyType_Slot slots[] = {
        {Py_tp_new, make},
        {Py_tp_dealloc, hash_dealloc},
        {Py_tp_methods, hash_methods_fixed},
        {Py_tp_getset, hash_getset_fixed},
        {Py_tp_doc, (void *)doc},
        {0, NULL},
    };
    PyType_Spec spec = {name, sizeof(struct hash), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                        slots};
    PyTypeObject *type = module_type(module, &spec, true);
    int rc = type == NULL || add_number(module, type, prefix, "SALT_SIZE", longest / 4) < 0
                     || add_number(module, type, prefix, "PERSON_SIZE", longest / 4) < 0
                     || add_number(module, type, prefix, "MAX_KEY_SIZE", longest) < 0
                     || add_number(module, type, prefix, "MAX_DIGEST_SIZE", longest) < 0
                 ? -1
                 : 0;
    if (type != NULL) {
        PyType_Modified(type);
        Py_DECREF(type);
    }
    return rc;
}

static int blake2_exec(PyObject *module)
{
    if (add_type(module, "_blake2.blake2b", "BLAKE2B", bind_blake2b_new, blake2b_doc, 64) < 0) {
        return -1;
    }
    return add_type(module, "_blake2.blake2s", "BLAKE2S", bind_blake2s_new, blake2s_doc, 32);
}

static PyModuleDef_Slot blake2_slots[] = MODULE_SLOTS(blake2_exec);

static PyModuleDef blake2_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_blake2",
    .m_doc = "BLAKE2b and BLAKE2s.",
    .m_slots = blake2_slots,
};

MODULE_INIT(_blake2, blake2_module)
