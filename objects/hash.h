/* Hashing bytes: SipHash-1-3 with a key of the process. */
#ifndef KRAIT_OBJECTS_HASH_H
#define KRAIT_OBJECTS_HASH_H

#include <Python.h>

#include <stdint.h>

/* The key.  Set once at start-up, before the first string is hashed. */
typedef union {
    unsigned char uc[24];
    struct {
        uint64_t k0;
        uint64_t k1;
    } siphash;
    struct {
        unsigned char padding[16];
        Py_hash_t hashsalt; /* for pyexpat's hash tables */
    } expat;
} hash_secret_t;

/* Its exported name, which extensions of the standard library know. */
PyAPI_DATA(hash_secret_t) _Py_HashSecret;

/* Sets the key: from the system's randomness if `use_seed` is 0; zero (no randomisation) if
 * `seed` is 0; else from `seed`, giving the hashes that CPython gives with that PYTHONHASHSEED.
 * -1 when the system has no randomness to give (no exception is set: there is no thread yet). */
int hash_secret_init(int use_seed, unsigned long seed);

/* Hash of `length` bytes: 0 for none of them, never -1. */
Py_hash_t hash_bytes(const void *data, Py_ssize_t length);

/* SipHash-1-3 itself, with any key (import checks sources with it). */
uint64_t hash_siphash13(uint64_t k0, uint64_t k1, const void *data, Py_ssize_t length);

#endif
