/* SipHash-1-3, and the key of the process. */
#include "objects/hash.h"

#include "objects/str.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

hash_secret_t _Py_HashSecret;

static inline uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

#define SIP_ROUND(a, b, c, d)                                                                      \
    do {                                                                                           \
        a += b;                                                                                    \
        c += d;                                                                                    \
        b = rotate(b, 13) ^ a;                                                                     \
        d = rotate(d, 16) ^ c;                                                                     \
        a = rotate(a, 32);                                                                         \
        c += b;                                                                                    \
        a += d;                                                                                    \
        b = rotate(b, 17) ^ c;                                                                     \
        d = rotate(d, 21) ^ a;                                                                     \
        c = rotate(c, 32);                                                                         \
    } while (0)

uint64_t hash_siphash13(uint64_t k0, uint64_t k1, const void *data, Py_ssize_t length)
{
    const uint8_t *p = data;
    uint64_t a = k0 ^ 0x736f6d6570736575, b = k1 ^ 0x646f72616e646f6d;
    uint64_t c = k0 ^ 0x6c7967656e657261, d = k1 ^ 0x7465646279746573;
    uint64_t last = (uint64_t)length << 56, word;
    for (; length >= 8; length -= 8, p += 8) {
        memcpy(&word, p, 8);
        word = PY_LITTLE_ENDIAN ? word : __builtin_bswap64(word);
        d ^= word;
        SIP_ROUND(a, b, c, d);
        a ^= word;
    }
    for (Py_ssize_t i = 0; i < length; i++) {
        last |= (uint64_t)p[i] << (8 * i);
    }
    d ^= last;
    SIP_ROUND(a, b, c, d);
    a ^= last;
    c ^= 0xff;
    SIP_ROUND(a, b, c, d);
    SIP_ROUND(a, b, c, d);
    SIP_ROUND(a, b, c, d);
    return (a ^ b) ^ (c ^ d);
}

Py_hash_t hash_bytes(const void *data, Py_ssize_t length)
{
    if (length <= 0) {
        return 0;
    }
    Py_hash_t hash = (Py_hash_t)hash_siphash13(_Py_HashSecret.siphash.k0, _Py_HashSecret.siphash.k1,
                                               data, length);
    return hash == -1 ? -2 : hash;
}

PyAPI_FUNC(Py_hash_t) _Py_HashBytes(const void *data, Py_ssize_t length);

Py_hash_t _Py_HashBytes(const void *data, Py_ssize_t length)
{
    return hash_bytes(data, length);
}

Py_hash_t str_hash_compute(PyObject *s)
{
    Py_hash_t hash = hash_bytes(str_data(s), str_len(s) * str_kind(s));
    __atomic_store_n(&((PyASCIIObject *)s)->hash, hash, __ATOMIC_RELAXED);
    return hash;
}

/* ---- The key ------------------------------------------------------------------------------- */

static int random_bytes(uint8_t *out, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = getrandom(out + done, size - done, 0);
        if (got < 0 && errno != EINTR) {
            return -1;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

int hash_secret_init(int use_seed, unsigned long seed)
{
    uint8_t *key = _Py_HashSecret.uc;
    if (!use_seed) {
        return random_bytes(key, sizeof _Py_HashSecret);
    }
    memset(key, 0, sizeof _Py_HashSecret);
    if (seed != 0) {
        /* The generator that PYTHONHASHSEED is defined by. */
        uint32_t x = (uint32_t)seed;
        for (size_t i = 0; i < sizeof _Py_HashSecret; i++) {
            x = x * 214013 + 2531011;
            key[i] = (uint8_t)(x >> 16);
        }
    }
    return 0;
}

static Py_hash_t hash_for_api(const void *data, Py_ssize_t length)
{
    return hash_bytes(data, length);
}

PyHash_FuncDef *PyHash_GetFuncDef(void)
{
    static PyHash_FuncDef definition = {hash_for_api, "siphash13", 64, 128};
    return &definition;
}
