/* SHA-3 and SHAKE (FIPS 202). */
#include "hash/hash.h"

struct keccak {
    const struct hash_algorithm *algorithm;
    uint64_t lane[25];
    size_t held; /* bytes of the block that were taken in */
};

_Static_assert(sizeof(struct keccak) <= HASH_CONTEXT, "context too small");

static const uint64_t round_constant[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

/* The lanes form one cycle: each is rotated and moves to the next place of it. */
static const uint8_t place[24] = {
    10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1,
};

static const uint8_t rotation[24] = {
    1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44,
};

static inline uint64_t rotate_left64(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static void keccak_permute(uint64_t lane[25])
{
    for (int round = 0; round < 24; round++) {
        uint64_t column[5];
        for (int x = 0; x < 5; x++) {
            column[x] = lane[x] ^ lane[x + 5] ^ lane[x + 10] ^ lane[x + 15] ^ lane[x + 20];
        }
        for (int x = 0; x < 5; x++) {
            uint64_t mixed = column[(x + 4) % 5] ^ rotate_left64(column[(x + 1) % 5], 1);
            for (int y = 0; y < 25; y += 5) {
                lane[x + y] ^= mixed;
            }
        }
        uint64_t carried = lane[1];
#pragma GCC unroll 24
        for (int i = 0; i < 24; i++) {
            uint64_t there = lane[place[i]];
            lane[place[i]] = rotate_left64(carried, rotation[i]);
            carried = there;
        }
        for (int y = 0; y < 25; y += 5) {
            uint64_t a = lane[y], b = lane[y + 1];
            lane[y] ^= ~b & lane[y + 2];
            lane[y + 1] ^= ~lane[y + 2] & lane[y + 3];
            lane[y + 2] ^= ~lane[y + 3] & lane[y + 4];
            lane[y + 3] ^= ~lane[y + 4] & a;
            lane[y + 4] ^= ~a & b;
        }
        lane[0] ^= round_constant[round];
    }
}

static void keccak_start(void *context, const struct hash_algorithm *algorithm)
{
    memset(context, 0, sizeof(struct keccak));
    ((struct keccak *)context)->algorithm = algorithm;
}

static inline void keccak_mix(struct keccak *k, size_t at, uint8_t byte)
{
    k->lane[at / 8] ^= (uint64_t)byte << (at % 8 * 8);
}

static void keccak_update(void *context, const uint8_t *data, size_t length)
{
    struct keccak *k = context;
    size_t rate = (size_t)k->algorithm->block_size;
    while (length > 0) {
        if (k->held == 0 && length >= rate) {
            for (size_t i = 0; i < rate / 8; i++) {
                k->lane[i] ^= load_le64(data + 8 * i);
            }
            data += rate;
            length -= rate;
            keccak_permute(k->lane);
            continue;
        }
        keccak_mix(k, k->held++, *data++);
        length--;
        if (k->held == rate) {
            keccak_permute(k->lane);
            k->held = 0;
        }
    }
}

static void keccak_finish(void *context, uint8_t *out, size_t length)
{
    struct keccak *k = context;
    size_t rate = (size_t)k->algorithm->block_size;
    keccak_mix(k, k->held, k->algorithm->digest_size ? 0x06 : 0x1f);
    keccak_mix(k, rate - 1, 0x80);
    for (size_t i = 0; i < length; i++) {
        if (i % rate == 0) {
            keccak_permute(k->lane);
        }
        out[i] = (uint8_t)(k->lane[i % rate / 8] >> (i % 8 * 8));
    }
}

#define KECCAK(id, digest, rate)                                                                   \
    const struct hash_algorithm hash_##id = {                                                      \
        .name = #id,                                                                               \
        .digest_size = digest,                                                                     \
        .block_size = rate,                                                                        \
        .start = keccak_start,                                                                     \
        .update = keccak_update,                                                                   \
        .finish = keccak_finish,                                                                   \
    };

KECCAK(sha3_224, 28, 144)
KECCAK(sha3_256, 32, 136)
KECCAK(sha3_384, 48, 104)
KECCAK(sha3_512, 64, 72)
KECCAK(shake_128, 0, 168)
KECCAK(shake_256, 0, 136)
