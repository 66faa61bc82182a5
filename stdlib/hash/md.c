/* MD5 (RFC 1321), SHA-1 and SHA-2 (FIPS 180-4): all pad a message to whole blocks with its length in
 * the last one, and differ in what they do with a block. */
#include "hash/hash.h"

struct md {
    const struct hash_algorithm *algorithm;
    uint64_t length; /* bytes so far */
    union {
        uint32_t word[8];
        uint64_t wide[8];
    } state;
    uint8_t block[128];
};

_Static_assert(sizeof(struct md) <= HASH_CONTEXT, "context too small");

struct md_kind {
    void (*blocks)(struct md *md, const uint8_t *data, size_t count);
    const void *initial;
    bool wide, little; /* 64-bit words; the lowest byte first */
};

/* ---- blocks --------------------------------------------------------------------------------- */

static const uint32_t md5_constant[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static const uint8_t md5_shift[4][4] = {
    {7, 12, 17, 22},
    {5, 9, 14, 20},
    {4, 11, 16, 23},
    {6, 10, 15, 21},
};

static void md5_blocks(struct md *md, const uint8_t *data, size_t count)
{
    uint32_t *state = md->state.word;
    for (; count > 0; count--, data += 64) {
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3], word[16];
        for (int i = 0; i < 16; i++) {
            word[i] = load_le32(data + 4 * i);
        }
#define MD5_ROUND(round, mix, index)                                                               \
    _Pragma("GCC unroll 16") for (int i = 0; i < 16; i++)                                          \
    {                                                                                              \
        uint32_t sum = a + (mix) + md5_constant[16 * round + i] + word[(index)&15];                \
        a = d, d = c, c = b;                                                                       \
        b += rotate_left(sum, md5_shift[round][i & 3]);                                            \
    }
        MD5_ROUND(0, d ^ (b & (c ^ d)), i)
        MD5_ROUND(1, c ^ (d & (b ^ c)), 5 * i + 1)
        MD5_ROUND(2, b ^ c ^ d, 3 * i + 5)
        MD5_ROUND(3, c ^ (b | ~d), 7 * i)
#undef MD5_ROUND
        state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    }
}

static void sha1_blocks(struct md *md, const uint8_t *data, size_t count)
{
    uint32_t *state = md->state.word;
    for (; count > 0; count--, data += 64) {
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], word[80];
        for (int i = 0; i < 16; i++) {
            word[i] = load_be32(data + 4 * i);
        }
        for (int i = 16; i < 80; i++) {
            word[i] = rotate_left(word[i - 3] ^ word[i - 8] ^ word[i - 14] ^ word[i - 16], 1);
        }
#define SHA1_ROUND(from, mix, constant)                                                            \
    for (int i = from; i < from + 20; i++) {                                                       \
        uint32_t sum = rotate_left(a, 5) + (mix) + e + constant + word[i];                         \
        e = d, d = c, c = rotate_left(b, 30), b = a, a = sum;                                      \
    }
        SHA1_ROUND(0, d ^ (b & (c ^ d)), 0x5a827999u)
        SHA1_ROUND(20, b ^ c ^ d, 0x6ed9eba1u)
        SHA1_ROUND(40, (b & c) | (d & (b | c)), 0x8f1bbcdcu)
        SHA1_ROUND(60, b ^ c ^ d, 0xca62c1d6u)
#undef SHA1_ROUND
        state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
    }
}

static const uint32_t sha256_constant[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static const uint64_t sha512_constant[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

/* SHA-256 and SHA-512 are the same with other words: shifts of the two sums over the state and of
 * the two over the message, and the number of rounds. */
#define SHA2_BLOCKS(name, type, field, load, bytes, rounds, constant, rotate, A, B, C, D)          \
    static void name(struct md *md, const uint8_t *data, size_t count)                             \
    {                                                                                              \
        type *state = md->state.field;                                                             \
        for (; count > 0; count--, data += 16 * bytes) {                                           \
            type s[8], word[rounds];                                                               \
            memcpy(s, state, sizeof s);                                                            \
            for (int i = 0; i < 16; i++) {                                                         \
                word[i] = load(data + bytes * i);                                                  \
            }                                                                                      \
            for (int i = 16; i < rounds; i++) {                                                    \
                type x = word[i - 15], y = word[i - 2];                                            \
                word[i] = word[i - 16] + word[i - 7] + (C(x)) + (D(y));                            \
            }                                                                                      \
            for (int i = 0; i < rounds; i++) {                                                     \
                type x = s[4], y = s[0];                                                           \
                type one = s[7] + (B(x)) + (s[6] ^ (x & (s[5] ^ s[6]))) + constant[i] + word[i];   \
                type two = (A(y)) + ((y & s[1]) | (s[2] & (y | s[1])));                            \
                s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = s[3] + one;                          \
                s[3] = s[2], s[2] = s[1], s[1] = s[0], s[0] = one + two;                           \
            }                                                                                      \
            for (int i = 0; i < 8; i++) {                                                          \
                state[i] += s[i];                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

#define R rotate_right
#define A256(x) R(x, 2) ^ R(x, 13) ^ R(x, 22)
#define B256(x) R(x, 6) ^ R(x, 11) ^ R(x, 25)
#define C256(x) R(x, 7) ^ R(x, 18) ^ x >> 3
#define D256(x) R(x, 17) ^ R(x, 19) ^ x >> 10
SHA2_BLOCKS(sha256_blocks, uint32_t, word, load_be32, 4, 64, sha256_constant, R, A256, B256, C256,
            D256)
#undef R

#define R rotate_right64
#define A512(x) R(x, 28) ^ R(x, 34) ^ R(x, 39)
#define B512(x) R(x, 14) ^ R(x, 18) ^ R(x, 41)
#define C512(x) R(x, 1) ^ R(x, 8) ^ x >> 7
#define D512(x) R(x, 19) ^ R(x, 61) ^ x >> 6
SHA2_BLOCKS(sha512_blocks, uint64_t, wide, load_be64, 8, 80, sha512_constant, R, A512, B512, C512,
            D512)
#undef R

/* ---- messages ------------------------------------------------------------------------------- */

static void md_start(void *context, const struct hash_algorithm *algorithm)
{
    struct md *md = context;
    const struct md_kind *kind = algorithm->constants;
    md->algorithm = algorithm;
    md->length = 0;
    memcpy(&md->state, kind->initial, kind->wide ? 64 : 32);
}

static void md_update(void *context, const uint8_t *data, size_t length)
{
    struct md *md = context;
    const struct md_kind *kind = md->algorithm->constants;
    size_t size = (size_t)md->algorithm->block_size, held = md->length % size;
    md->length += length;
    if (held != 0) {
        size_t part = Py_MIN(length, size - held);
        memcpy(md->block + held, data, part);
        data += part;
        length -= part;
        if (held + part < size) {
            return;
        }
        kind->blocks(md, md->block, 1);
    }
    kind->blocks(md, data, length / size);
    memcpy(md->block, data + length / size * size, length % size);
}

static void md_finish(void *context, uint8_t *out, size_t length)
{
    struct md *md = context;
    const struct md_kind *kind = md->algorithm->constants;
    size_t size = (size_t)md->algorithm->block_size, held = md->length % size;
    size_t tail = size / 8; /* room for the length */
    uint64_t bits = md->length << 3;
    md->block[held++] = 0x80;
    if (held > size - tail) {
        memset(md->block + held, 0, size - held);
        kind->blocks(md, md->block, 1);
        held = 0;
    }
    memset(md->block + held, 0, size - held);
    for (int i = 0; i < 8; i++) {
        size_t at = kind->little ? size - 8 + (size_t)i : size - 1 - (size_t)i;
        md->block[at] = (uint8_t)(bits >> (8 * i));
    }
    if (tail == 16) {
        md->block[size - 9] = (uint8_t)(md->length >> 61);
    }
    kind->blocks(md, md->block, 1);
    int bytes = kind->wide ? 8 : 4;
    for (size_t i = 0; i < length; i++) {
        int shift =
            8 * (int)(kind->little ? i % (size_t)bytes : (size_t)bytes - 1 - i % (size_t)bytes);
        out[i] =
            (uint8_t)(kind->wide ? md->state.wide[i / 8] >> shift : md->state.word[i / 4] >> shift);
    }
}

static const uint32_t md5_initial[8] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
static const uint32_t sha1_initial[8] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
                                         0xc3d2e1f0};
static const uint32_t sha224_initial[8] = {
    0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4,
};
static const uint32_t sha256_initial[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};
static const uint64_t sha384_initial[8] = {
    0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
    0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4,
};
static const uint64_t sha512_initial[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

#define MD_ALGORITHM(id, digest, block, transform, is_wide, is_little)                             \
    static const struct md_kind id##_kind = {transform, id##_initial, is_wide, is_little};         \
    const struct hash_algorithm hash_##id = {                                                      \
        .name = #id,                                                                               \
        .digest_size = digest,                                                                     \
        .block_size = block,                                                                       \
        .constants = &id##_kind,                                                                   \
        .start = md_start,                                                                         \
        .update = md_update,                                                                       \
        .finish = md_finish,                                                                       \
    };

MD_ALGORITHM(md5, 16, 64, md5_blocks, false, true)
MD_ALGORITHM(sha1, 20, 64, sha1_blocks, false, false)
MD_ALGORITHM(sha224, 28, 64, sha256_blocks, false, false)
MD_ALGORITHM(sha256, 32, 64, sha256_blocks, false, false)
MD_ALGORITHM(sha384, 48, 128, sha512_blocks, true, false)
MD_ALGORITHM(sha512, 64, 128, sha512_blocks, true, false)
