/* Hash functions behind one interface, and the object that Python code sees of each. */
#ifndef KRAIT_HASH_H
#define KRAIT_HASH_H

#include "module.h"

#pragma GCC visibility push(hidden)

enum { HASH_CONTEXT = 432, HASH_LONGEST = 64 };

struct hash_algorithm {
    const char *name;
    int digest_size; /* 0: as long as one likes */
    int block_size;
    const void *constants; /* what the functions below need to know */
    void (*start)(void *context, const struct hash_algorithm *algorithm);
    void (*update)(void *context, const uint8_t *data, size_t length);
    void (*finish)(void *context, uint8_t *out, size_t length); /* spoils the context */
};

struct hash {
    PyObject_HEAD
    const struct hash_algorithm *algorithm;
    PyMutex mutex; /* guards the context, also while the global lock is given up */
    _Alignas(16) uint8_t context[HASH_CONTEXT];
};

extern const struct hash_algorithm hash_md5, hash_sha1, hash_sha224, hash_sha256, hash_sha384,
    hash_sha512, hash_sha3_224, hash_sha3_256, hash_sha3_384, hash_sha3_512, hash_shake_128,
    hash_shake_256;

/* A new hash of `type`, fed with data or string, NULL or None where not given (new reference). */
PyObject *hash_new(PyTypeObject *type, const struct hash_algorithm *algorithm, PyObject *data,
                   PyObject *string);
/* Feeds it; -1 with an exception. */
int hash_feed(struct hash *self, PyObject *data);
/* The one of data and string that was given (borrowed), *out NULL for none; -1 with TypeError. */
int hash_data(PyObject *data, PyObject *string, PyObject **out);

/* The methods and getters of every hash object of fixed length, and its deallocation. */
extern PyMethodDef *const hash_methods_fixed;
extern PyGetSetDef *const hash_getset_fixed;
void hash_dealloc(PyObject *op);

#pragma GCC visibility pop

static inline uint32_t rotate_left(uint32_t x, int bits)
{
    return x << bits | x >> (32 - bits);
}

static inline uint32_t rotate_right(uint32_t x, int bits)
{
    return x >> bits | x << (32 - bits);
}

static inline uint64_t rotate_right64(uint64_t x, int bits)
{
    return x >> bits | x << (64 - bits);
}

static inline uint32_t load_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint32_t load_le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline uint64_t load_be64(const uint8_t *p)
{
    return (uint64_t)load_be32(p) << 32 | load_be32(p + 4);
}

static inline uint64_t load_le64(const uint8_t *p)
{
    return (uint64_t)load_le32(p + 4) << 32 | load_le32(p);
}

#endif
