/*
 * Between doubles and decimal digits, correctly rounded both ways.
 *
 * Shortest digits: Giulietti's Schubfach. Fixed numbers of digits: a 128-bit product that is taken
 * when its error cannot matter. Reading: Lemire's product of 128 bits, likewise. What these leave
 * open is decided with exact big numbers of bounded size, on the stack.
 */
#include "objects/float.h"
#include "objects/float/power10.h"
#include <float.h>
#include <math.h>
#include <string.h>

typedef unsigned __int128 uint128_t;

#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1075 /* of the mantissa as an integer */

static inline uint64_t double_bits(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return bits;
}

static inline double bits_double(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

/* |value| = mantissa * 2**exponent. */
static uint64_t split(double value, int *exponent)
{
    uint64_t bits = double_bits(value) & ~((uint64_t)1 << 63);
    int e = (int)(bits >> MANTISSA_BITS);
    uint64_t m = bits & (((uint64_t)1 << MANTISSA_BITS) - 1);
    *exponent = (e == 0 ? 1 : e) - EXPONENT_BIAS;
    return e == 0 ? m : m | (uint64_t)1 << MANTISSA_BITS;
}

static inline int floor_log2_pow10(int k)
{
    return (k * 1741647) >> 19;
}

/* ---- big numbers of bounded size ------------------------------------------------------------- */

#define BIG_LIMBS 84 /* 5040 bits: more than 800 digits times any power that occurs */
#define BIG_BITS 60
#define BIG_MASK (((uint64_t)1 << BIG_BITS) - 1)

struct big {
    int n;
    uint64_t limbs[BIG_LIMBS];
};

static void big_from(struct big *b, uint64_t value)
{
    b->limbs[0] = value & BIG_MASK;
    b->limbs[1] = value >> BIG_BITS;
    b->n = b->limbs[1] != 0 ? 2 : b->limbs[0] != 0;
}

static void big_multiply_add(struct big *b, uint64_t factor, uint64_t summand)
{
    uint64_t carry = summand;
    for (int i = 0; i < b->n; i++) {
        uint128_t t = (uint128_t)b->limbs[i] * factor + carry;
        b->limbs[i] = (uint64_t)t & BIG_MASK;
        carry = (uint64_t)(t >> BIG_BITS);
    }
    if (carry != 0) {
        b->limbs[b->n++] = carry;
    }
}

static void big_times_pow5(struct big *b, int k)
{
    const uint64_t five25 = 298023223876953125ull;
    for (; k >= 25; k -= 25) {
        big_multiply_add(b, five25, 0);
    }
    uint64_t rest = 1;
    for (; k > 0; k--) {
        rest *= 5;
    }
    big_multiply_add(b, rest, 0);
}

static void big_shift_left(struct big *b, int bits)
{
    int words = bits / BIG_BITS;
    if (b->n == 0) {
        return;
    }
    big_multiply_add(b, (uint64_t)1 << (bits % BIG_BITS), 0);
    memmove(b->limbs + words, b->limbs, (size_t)b->n * sizeof b->limbs[0]);
    memset(b->limbs, 0, (size_t)words * sizeof b->limbs[0]);
    b->n += words;
}

static int big_compare(const struct big *a, const struct big *b)
{
    if (a->n != b->n) {
        return a->n < b->n ? -1 : 1;
    }
    for (int i = a->n; --i >= 0;) {
        if (a->limbs[i] != b->limbs[i]) {
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
        }
    }
    return 0;
}

#define TEN18 1000000000000000000ull

/* b /= 10**18, the remainder. */
static uint64_t big_divide_ten18(struct big *b)
{
    uint64_t remainder = 0;
    for (int i = b->n; --i >= 0;) {
        uint128_t t = (uint128_t)remainder << BIG_BITS | b->limbs[i];
        b->limbs[i] = (uint64_t)(t / TEN18);
        remainder = (uint64_t)(t % TEN18);
    }
    while (b->n > 0 && b->limbs[b->n - 1] == 0) {
        b->n--;
    }
    return remainder;
}

/* ---- shortest digits ------------------------------------------------------------------------- */

/* The upper part of power * c, with a sticky lowest bit. */
static inline uint64_t round_to_odd(uint64_t high, uint64_t low, uint64_t c)
{
    uint128_t x = (uint128_t)low * c;
    uint128_t y = (uint128_t)high * c + (uint64_t)(x >> 64);
    return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

/* The shortest decimal inside the interval that rounds to the double, the nearest of these:
 * returned as a number times 10**k. */
static uint64_t shortest(double value, int *k_out)
{
    int q;
    uint64_t c = split(value, &q);
    if (q <= 0 && -q <= MANTISSA_BITS && (c & (((uint64_t)1 << -q) - 1)) == 0) {
        *k_out = 0;
        return c >> -q;
    }
    bool even = !(c & 1);
    bool closer_below = c == (uint64_t)1 << MANTISSA_BITS && q > 1 - EXPONENT_BIAS;
    int k = (q * 1262611 - (closer_below ? 524031 : 0)) >> 22;
    int h = q + floor_log2_pow10(-k) + 1;
    const uint64_t *power = power10_table[-k - POWER10_MIN];
    bool exact = -k >= 0 && -k <= 55;
    uint64_t low = power[1] + !exact, high = power[0] + (!exact && low == 0);
    uint64_t below = round_to_odd(high, low, (4 * c - 2 + closer_below) << h);
    uint64_t middle = round_to_odd(high, low, 4 * c << h);
    uint64_t above = round_to_odd(high, low, (4 * c + 2) << h);
    below += !even;
    above -= !even;
    uint64_t s = middle / 4;
    if (s >= 10) {
        uint64_t tens = s / 10;
        bool down = below <= 40 * tens, up = 40 * tens + 40 <= above;
        if (down != up) {
            *k_out = k + 1;
            return tens + up;
        }
    }
    *k_out = k;
    bool down = below <= 4 * s, up = 4 * s + 4 <= above;
    if (down != up) {
        return s + up;
    }
    uint64_t tie = 4 * s + 2;
    return s + (middle > tie || (middle == tie && (s & 1)));
}

/* Writes a number's digits without trailing zeros; how many. */
static Py_ssize_t write_stripped(uint64_t number, char *digits, Py_ssize_t *length)
{
    char text[20];
    int n = 0;
    do {
        text[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    *length = n;
    int zeros = 0;
    while (zeros < n - 1 && text[zeros] == '0') {
        zeros++;
    }
    for (int i = n; --i >= zeros;) {
        *digits++ = text[i];
    }
    return n - zeros;
}

/* ---- a given number of digits ---------------------------------------------------------------- */

/* clang-format off */
static const uint64_t small_power10[] = {
    1ull, 10ull, 100ull, 1000ull, 10000ull, 100000ull, 1000000ull, 10000000ull, 100000000ull,
    1000000000ull, 10000000000ull, 100000000000ull, 1000000000000ull, 10000000000000ull,
    100000000000000ull, 1000000000000000ull, 10000000000000000ull, 100000000000000000ull,
    1000000000000000000ull,
};
/* clang-format on */

/* floor(log10(value)) + 1, or one less. */
static int estimate_point(uint64_t m, int e)
{
    int log2 = 63 - __builtin_clzll(m) + e;
    return ((log2 * 78913) >> 18) + 1;
}

/* value * 10**k rounded to an integer, if the product's error leaves no doubt. *floor_out is the
 * integer before rounding. */
static bool scaled_integer(uint64_t m, int e, int k, uint64_t *floor_out, uint64_t *rounded)
{
    if (k < POWER10_MIN || k > POWER10_MAX) {
        return false;
    }
    int zeros = __builtin_clzll(m);
    const uint64_t *power = power10_table[k - POWER10_MIN];
    uint64_t w = m << zeros;
    uint128_t product = (uint128_t)w * power[0] + (uint64_t)(((uint128_t)w * power[1]) >> 64);
    /* value * 10**k lies in [product, product + 2] * 2**-shift */
    int shift = -(e - zeros + floor_log2_pow10(k) - 127 + 64);
    if (shift < 65 || shift > 127) {
        return false;
    }
    uint128_t half = (uint128_t)1 << (shift - 1), rest = product & ((half << 1) - 1);
    uint64_t floor = (uint64_t)(product >> shift);
    if (rest >= (half << 1) - 2 || (rest + 2 >= half && rest <= half)) {
        return false;
    }
    *floor_out = floor;
    *rounded = floor + (rest > half);
    return true;
}

/* Up to 17 digits by one product. False: use exact numbers. */
static bool digits_fast(uint64_t m, int e, enum float_digits_mode mode, Py_ssize_t ndigits,
                        char *digits, Py_ssize_t *point, Py_ssize_t *length)
{
    int at = estimate_point(m, e);
    for (int attempt = 0; attempt < 2; attempt++, at++) {
        Py_ssize_t count = mode == FLOAT_FIXED ? at + ndigits : ndigits;
        if (count < 1 || count > 17) {
            return false;
        }
        uint64_t floor, rounded;
        if (!scaled_integer(m, e, (int)count - at, &floor, &rounded)) {
            return false;
        }
        if (floor >= small_power10[count]) {
            continue; /* the estimate was one too low */
        }
        if (floor < small_power10[count - 1]) {
            return false;
        }
        Py_ssize_t written;
        *length = write_stripped(rounded, digits, &written);
        *point = at + (written - count);
        return true;
    }
    return false;
}

/* All digits of the exact value, then rounded half-even. */
static Py_ssize_t digits_exact(uint64_t m, int e, enum float_digits_mode mode, Py_ssize_t ndigits,
                               char *digits, Py_ssize_t *point)
{
    struct big b;
    char text[FLOAT_DIGITS_MAX], *end = text + sizeof text, *at = end;
    int scale = 0;
    big_from(&b, m);
    if (e >= 0) {
        big_shift_left(&b, e);
    } else {
        int zeros = __builtin_ctzll(m);
        zeros = zeros < -e ? zeros : -e;
        big_from(&b, m >> zeros);
        scale = -e - zeros;
        big_times_pow5(&b, scale);
    }
    while (b.n > 0) {
        uint64_t chunk = big_divide_ten18(&b);
        for (int i = 0; i < 18; i++, chunk /= 10) {
            *--at = (char)('0' + chunk % 10);
        }
    }
    while (*at == '0') {
        at++;
    }
    Py_ssize_t n = end - at, where = n - scale;
    Py_ssize_t keep = mode == FLOAT_FIXED ? (ndigits > n - where ? n : where + ndigits) : ndigits;
    if (keep < 0 || (keep == 0 && (at[0] < '5' || (at[0] == '5' && n == 1)))) {
        *point = mode == FLOAT_FIXED ? -ndigits : 1;
        return 0;
    }
    if (keep < n) {
        bool up = at[keep] > '5';
        if (at[keep] == '5') {
            for (Py_ssize_t i = keep + 1; i < n && !up; i++) {
                up = at[i] != '0';
            }
            up = up || (keep > 0 && (at[keep - 1] & 1));
        }
        n = keep;
        if (up) {
            while (n > 0 && at[n - 1] == '9') {
                n--;
            }
            if (n == 0) {
                at[0] = '1';
                n = 1;
                where++;
            } else {
                at[n - 1]++;
            }
        }
    }
    while (n > 1 && at[n - 1] == '0') {
        n--;
    }
    memcpy(digits, at, (size_t)n);
    *point = where;
    return n;
}

Py_ssize_t float_digits(double value, enum float_digits_mode mode, Py_ssize_t ndigits, char *digits,
                        Py_ssize_t *point)
{
    if (value == 0.0) {
        *point = 1;
        return 0;
    }
    if (mode == FLOAT_SHORTEST) {
        int k;
        Py_ssize_t written;
        uint64_t number = shortest(value, &k);
        Py_ssize_t n = write_stripped(number, digits, &written);
        *point = written + k;
        return n;
    }
    int e;
    uint64_t m = split(value, &e);
    Py_ssize_t n;
    if (digits_fast(m, e, mode, ndigits, digits, point, &n)) {
        return n;
    }
    return digits_exact(m, e, mode, ndigits, digits, point);
}

/* ---- reading --------------------------------------------------------------------------------- */

#define INFINITE_BITS ((uint64_t)0x7ff << MANTISSA_BITS)

/* Bits of the double nearest to w * 10**q, w not 0. False when the product cannot tell; then *bits
 * is next to it. */
static bool nearest_by_product(uint64_t w, int64_t q, uint64_t *bits)
{
    if (q < POWER10_MIN) {
        *bits = 0;
        return true;
    }
    if (q > 308) {
        *bits = INFINITE_BITS;
        return true;
    }
    int zeros = __builtin_clzll(w);
    w <<= zeros;
    const uint64_t *power = power10_table[q - POWER10_MIN];
    /* Negative powers are never exact; they must be rounded up for ties to be seen. */
    uint64_t power_low = power[1] + (q < 0), power_high = power[0] + (q < 0 && power_low == 0);
    uint128_t product = (uint128_t)w * power_high;
    uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
    if ((high & 0x1ff) == 0x1ff) {
        uint64_t more = (uint64_t)(((uint128_t)w * power_low) >> 64);
        low += more;
        high += low < more;
    }
    bool sure = low != UINT64_MAX || (q >= -27 && q <= 55);
    int top = (int)(high >> 63);
    uint64_t m = high >> (top + 9);
    int exponent = ((int)q * 217706 >> 16) + 63 + top - zeros + 1023;
    if (exponent <= 0) {
        if (1 - exponent >= 64) {
            *bits = 0;
            return sure;
        }
        m >>= 1 - exponent;
        m = (m + (m & 1)) >> 1;
        *bits = m; /* a carry makes the exponent 1 by itself */
        return sure;
    }
    if (low <= 1 && q >= -4 && q <= 23 && (m & 3) == 1 && m << (top + 9) == high) {
        m &= ~(uint64_t)1; /* exactly in the middle: to even */
    }
    m = (m + (m & 1)) >> 1;
    if (m >= (uint64_t)2 << MANTISSA_BITS) {
        m = (uint64_t)1 << MANTISSA_BITS;
        exponent++;
    }
    *bits = exponent >= 0x7ff
                ? INFINITE_BITS
                : (uint64_t)exponent << MANTISSA_BITS | (m & (((uint64_t)1 << MANTISSA_BITS) - 1));
    return sure;
}

#define DIGITS_KEPT 800 /* more cannot matter, but for whether they are zeros */

/* Compares digits * 10**q with the middle between a double and the next one above it. */
static int compare_with_middle(const struct big *digits, int64_t q, uint64_t bits)
{
    int e;
    uint64_t m = 2 * split(bits_double(bits), &e) + 1;
    e--;
    struct big left = *digits, right;
    big_from(&right, m);
    /* digits * 5**q * 2**q  against  m * 2**e */
    if (q >= 0) {
        big_times_pow5(&left, (int)q);
    } else {
        big_times_pow5(&right, (int)-q);
    }
    int64_t shift = q - e;
    if (shift >= 0) {
        big_shift_left(&left, (int)shift);
    } else {
        big_shift_left(&right, (int)-shift);
    }
    return big_compare(&left, &right);
}

/* From a neighbour to the right double. */
static uint64_t nearest_exact(const char *text, size_t n, int64_t q, uint64_t bits)
{
    struct big digits = {.n = 0};
    bool sticky = false;
    if (n > DIGITS_KEPT) {
        for (size_t i = DIGITS_KEPT; i < n && !sticky; i++) {
            sticky = text[i] != '0';
        }
        q += (int64_t)(n - DIGITS_KEPT);
        n = DIGITS_KEPT;
    }
    for (size_t i = 0; i < n;) {
        uint64_t chunk = 0, scale = 1;
        for (int k = 0; k < 17 && i < n; k++, i++, scale *= 10) {
            chunk = chunk * 10 + (uint64_t)(text[i] - '0');
        }
        big_multiply_add(&digits, scale, chunk);
    }
    if (sticky) {
        big_multiply_add(&digits, 10, 1);
        q--;
    }
    if (bits >= INFINITE_BITS) {
        bits = INFINITE_BITS - 1;
    }
    for (;;) {
        if (bits >= INFINITE_BITS) {
            return INFINITE_BITS;
        }
        int order = compare_with_middle(&digits, q, bits);
        if (order > 0) {
            bits++;
            continue;
        }
        if (order == 0) {
            return bits + (bits & 1);
        }
        if (bits == 0) {
            return bits;
        }
        order = compare_with_middle(&digits, q, bits - 1);
        if (order > 0 || (order == 0 && !(bits & 1))) {
            return bits;
        }
        bits--;
    }
}

double float_from_decimal(const char *digits, size_t n, int64_t exponent, bool negative)
{
    while (n > 0 && *digits == '0') {
        digits++;
        n--;
    }
    while (n > 0 && digits[n - 1] == '0') {
        n--;
        exponent++;
    }
    uint64_t bits = 0;
    if (n > 0 && exponent + (int64_t)n > 400) {
        bits = INFINITE_BITS;
    } else if (n > 0 && exponent + (int64_t)n >= -400) {
        uint64_t w = 0;
        size_t used = n < 19 ? n : 19;
        for (size_t i = 0; i < used; i++) {
            w = w * 10 + (uint64_t)(digits[i] - '0');
        }
        int64_t q = exponent + (int64_t)(n - used);
        if (n <= 15 && q >= -22 && q <= 22) {
            /* Both are exact doubles: one operation rounds correctly. */
            static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                           1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                           1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
            double value = q < 0 ? (double)w / exact[-q] : (double)w * exact[q];
            return negative ? -value : value;
        }
        bool sure = nearest_by_product(w, q, &bits);
        if (sure && used < n) {
            uint64_t above;
            sure = nearest_by_product(w + 1, q, &above) && above == bits;
        }
        if (!sure) {
            bits = nearest_exact(digits, n, exponent, bits);
        }
    }
    return bits_double(bits | (uint64_t)negative << 63);
}

/* Whether the text begins with a word, in any case. */
static bool has_word(const char *text, const char *end, const char *word)
{
    for (; *word != '\0'; word++, text++) {
        if (text >= end || (*text | 0x20) != *word) {
            return false;
        }
    }
    return true;
}

static inline bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

/* The exponent after an e, if there is one; far beyond any use it does not grow any more. */
static int64_t read_exponent(const char **at, const char *end)
{
    const char *p = *at;
    if (p >= end || (*p | 0x20) != 'e') {
        return 0;
    }
    p++;
    bool negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    if (!is_digit(p, end)) {
        return 0;
    }
    int64_t exponent = 0;
    for (; is_digit(p, end); p++) {
        exponent = exponent < PY_SSIZE_T_MAX / 100 ? exponent * 10 + (*p - '0') : exponent;
    }
    *at = p;
    return negative ? -exponent : exponent;
}

double float_parse(const char *text, size_t length, const char **stop)
{
    const char *at = text, *end = text + length;
    bool negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    if (has_word(at, end, "inf")) {
        *stop = at + (has_word(at, end, "infinity") ? 8 : 3);
        return negative ? -INFINITY : INFINITY;
    }
    if (has_word(at, end, "nan")) {
        *stop = at + 3;
        return negative ? -NAN : NAN;
    }
    const char *whole = at;
    while (is_digit(at, end)) {
        at++;
    }
    Py_ssize_t nwhole = at - whole, nfraction = 0;
    const char *fraction = at;
    if (at < end && *at == '.') {
        fraction = ++at;
        while (is_digit(at, end)) {
            at++;
        }
        nfraction = at - fraction;
    }
    if (nwhole + nfraction == 0) {
        *stop = text;
        return 0.0;
    }
    int64_t exponent = read_exponent(&at, end);
    *stop = at;
    if (nfraction == 0) {
        return float_from_decimal(whole, (size_t)nwhole, exponent, negative);
    }
    /* The digits without the point: leading zeros are skipped, and of very many only the first
     * and whether the rest is zero matter. */
    char digits[DIGITS_KEPT + 20];
    Py_ssize_t n = 0, total = nwhole + nfraction;
    bool sticky = false;
    int64_t dropped = 0;
    for (Py_ssize_t i = 0; i < total; i++) {
        char c = i < nwhole ? whole[i] : fraction[i - nwhole];
        if (n == 0 && c == '0') {
            continue;
        }
        if (n < DIGITS_KEPT + 8) {
            digits[n++] = c;
        } else {
            sticky |= c != '0';
            dropped++;
        }
    }
    if (sticky) {
        digits[n++] = '1';
        dropped--;
    }
    return float_from_decimal(digits, (size_t)n, exponent - nfraction + dropped, negative);
}
