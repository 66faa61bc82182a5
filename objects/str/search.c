/* Searching in arrays of characters of any width. */
#include "objects/str/search.h"

#include "alloc/prim.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* ---- One character ------------------------------------------------------------------------- */

#ifdef __SSE2__
#define FIND_WIDE(name, type, set1, compare)                                                       \
    static Py_ssize_t name(const type *text, Py_ssize_t n, Py_UCS4 ch)                             \
    {                                                                                              \
        enum { STEP = 16 / sizeof(type) };                                                         \
        const __m128i wanted = set1((int)ch);                                                      \
        Py_ssize_t i = 0;                                                                          \
        for (; i + STEP <= n; i += STEP) {                                                         \
            __m128i block = _mm_loadu_si128((const __m128i *)(text + i));                          \
            unsigned hits = (unsigned)_mm_movemask_epi8(compare(block, wanted));                   \
            if (hits != 0) {                                                                       \
                return i + __builtin_ctz(hits) / (int)sizeof(type);                                \
            }                                                                                      \
        }                                                                                          \
        for (; i < n; i++) {                                                                       \
            if (text[i] == ch) {                                                                   \
                return i;                                                                          \
            }                                                                                      \
        }                                                                                          \
        return -1;                                                                                 \
    }
#define SET16(ch) _mm_set1_epi16((short)(ch))
FIND_WIDE(find_char2, Py_UCS2, SET16, _mm_cmpeq_epi16)
FIND_WIDE(find_char4, Py_UCS4, _mm_set1_epi32, _mm_cmpeq_epi32)
#else
#define FIND_WIDE(name, type)                                                                      \
    static Py_ssize_t name(const type *text, Py_ssize_t n, Py_UCS4 ch)                             \
    {                                                                                              \
        for (Py_ssize_t i = 0; i < n; i++) {                                                       \
            if (text[i] == ch) {                                                                   \
                return i;                                                                          \
            }                                                                                      \
        }                                                                                          \
        return -1;                                                                                 \
    }
FIND_WIDE(find_char2, Py_UCS2)
FIND_WIDE(find_char4, Py_UCS4)
#endif

static bool char_fits(int kind, Py_UCS4 ch)
{
    return kind == 4 || ch < (1u << (kind * 8));
}

Py_ssize_t text_find_char(int kind, const void *text, Py_ssize_t n, Py_UCS4 ch)
{
    if (n <= 0 || !char_fits(kind, ch)) {
        return -1;
    }
    if (kind == 1) {
        const char *found = memchr(text, (int)ch, (size_t)n);
        return found == NULL ? -1 : found - (const char *)text;
    }
    return kind == 2 ? find_char2(text, n, ch) : find_char4(text, n, ch);
}

Py_ssize_t text_rfind_char(int kind, const void *text, Py_ssize_t n, Py_UCS4 ch)
{
    if (n <= 0 || !char_fits(kind, ch)) {
        return -1;
    }
    if (kind == 1) {
        const char *found = memrchr(text, (int)ch, (size_t)n);
        return found == NULL ? -1 : found - (const char *)text;
    }
    Py_ssize_t i = n - 1;
    if (kind == 2) {
        for (; i >= 0 && ((const Py_UCS2 *)text)[i] != ch; i--) {
        }
    } else {
        for (; i >= 0 && ((const Py_UCS4 *)text)[i] != ch; i--) {
        }
    }
    return i;
}

#define COUNT_LOOP(type)                                                                           \
    for (Py_ssize_t i = 0; i < n; i++) {                                                           \
        count += ((const type *)text)[i] == (type)ch;                                              \
    }

Py_ssize_t text_count_char(int kind, const void *text, Py_ssize_t n, Py_UCS4 ch)
{
    Py_ssize_t count = 0;
    if (!char_fits(kind, ch)) {
        return 0;
    }
    if (kind == 1) {
        COUNT_LOOP(Py_UCS1)
    } else if (kind == 2) {
        COUNT_LOOP(Py_UCS2)
    } else {
        COUNT_LOOP(Py_UCS4)
    }
    return count;
}

/* ---- Several characters -------------------------------------------------------------------- */

/* Whether the needle, whose first and last byte are right, stands there. */
static inline bool inside_matches(const uint8_t *text, const uint8_t *needle, Py_ssize_t m)
{
    return m <= 2 || memcmp(text + 1, needle + 1, (size_t)m - 2) == 0;
}

/* find_each() by memmem(), which is linear, from `at` on; `count` places are known. */
static Py_ssize_t find_rest(const uint8_t *text, Py_ssize_t at, Py_ssize_t n, const uint8_t *needle,
                            Py_ssize_t m, Py_ssize_t *places, Py_ssize_t count, Py_ssize_t most)
{
    while (count < most && n - at >= m) {
        const uint8_t *found = memmem(text + at, (size_t)(n - at), needle, (size_t)m);
        if (found == NULL) {
            break;
        }
        places[count++] = found - text;
        at = found - text + m;
    }
    return count;
}

#ifdef __SSE2__
/* Of sixteen places, those where both ends of a needle are right. */
static inline __m128i ends_match(const uint8_t *text, Py_ssize_t gap, __m128i first, __m128i last)
{
    __m128i begins = _mm_loadu_si128((const __m128i *)text);
    __m128i ends = _mm_loadu_si128((const __m128i *)(text + gap));
    return _mm_and_si128(_mm_cmpeq_epi8(begins, first), _mm_cmpeq_epi8(ends, last));
}

/* text_find_each() in bytes. Looks at 16 places at a time whether first and last byte are right. When
 * too much of that was in vain, memmem() goes on. */
static inline Py_ssize_t find_each(const uint8_t *text, Py_ssize_t n, const uint8_t *needle,
                                   Py_ssize_t m, Py_ssize_t *places, Py_ssize_t most)
{
    Py_ssize_t end = n - m + 1, next = 0, count = 0, wasted = 0;
    const __m128i first = _mm_set1_epi8((char)needle[0]), last = _mm_set1_epi8((char)needle[m - 1]);
    for (Py_ssize_t i = 0; i < end && end >= 16; i += 16) {
        for (; i + 32 <= end; i += 32) {
            if (_mm_movemask_epi8(_mm_or_si128(ends_match(text + i, m - 1, first, last),
                                               ends_match(text + i + 16, m - 1, first, last)))) {
                break;
            }
        }
        /* The last 16 may have been seen in part. What was found there is before `next`. */
        Py_ssize_t from = Py_MIN(i, end - 16);
        unsigned hits = (unsigned)_mm_movemask_epi8(ends_match(text + from, m - 1, first, last));
        for (; hits != 0; hits &= hits - 1) {
            Py_ssize_t at = from + __builtin_ctz(hits);
            if (at < next) {
                continue;
            }
            if (!inside_matches(text + at, needle, m)) {
                wasted += m;
                continue;
            }
            places[count++] = at;
            if (count == most) {
                return count;
            }
            next = at + m;
        }
        if (unlikely(wasted > 4 * i + 2000)) {
            return find_rest(text, Py_MAX(next, from + 16), n, needle, m, places, count, most);
        }
    }
    for (Py_ssize_t at = 0; at < end && end < 16; at++) {
        if (text[at] == needle[0] && text[at + m - 1] == needle[m - 1]
            && inside_matches(text + at, needle, m)) {
            places[count++] = at;
            if (count == most) {
                break;
            }
            at += m - 1;
        }
    }
    return count;
}
#else
static inline Py_ssize_t find_each(const uint8_t *text, Py_ssize_t n, const uint8_t *needle,
                                   Py_ssize_t m, Py_ssize_t *places, Py_ssize_t most)
{
    return find_rest(text, 0, n, needle, m, places, 0, most);
}
#endif

/* Of at least 2 bytes. */
static Py_ssize_t find_bytes(const uint8_t *text, Py_ssize_t n, const uint8_t *needle, Py_ssize_t m)
{
    Py_ssize_t place;
    return find_each(text, n, needle, m, &place, 1) == 1 ? place : -1;
}

static Py_ssize_t rfind_1_1(const uint8_t *text, Py_ssize_t n, const uint8_t *x, Py_ssize_t m)
{
    for (Py_ssize_t room = n - m + 1; room > 0;) {
        Py_ssize_t at = text_rfind_char(1, text, room, x[0]);
        if (at < 0 || memcmp(text + at + 1, x + 1, (size_t)m - 1) == 0) {
            return at;
        }
        room = at;
    }
    return -1;
}

#define HAY Py_UCS2
#define NEEDLE Py_UCS1
#define NAME(x) x##_2_1
#include "objects/str/search_wide.h"

#define HAY Py_UCS2
#define NEEDLE Py_UCS2
#define NAME(x) x##_2_2
#include "objects/str/search_wide.h"

#define HAY Py_UCS4
#define NEEDLE Py_UCS1
#define NAME(x) x##_4_1
#include "objects/str/search_wide.h"

#define HAY Py_UCS4
#define NEEDLE Py_UCS2
#define NAME(x) x##_4_2
#include "objects/str/search_wide.h"

#define HAY Py_UCS4
#define NEEDLE Py_UCS4
#define NAME(x) x##_4_4
#include "objects/str/search_wide.h"

static Py_UCS4 first_char(int kind, const void *text)
{
    return kind == 1   ? *(const Py_UCS1 *)text
           : kind == 2 ? *(const Py_UCS2 *)text
                       : *(const Py_UCS4 *)text;
}

#define DISPATCH(name)                                                                             \
    switch (kind * 8 + needle_kind) {                                                              \
    case 2 * 8 + 1:                                                                                \
        return name##_2_1(text, n, needle, m);                                                     \
    case 2 * 8 + 2:                                                                                \
        return name##_2_2(text, n, needle, m);                                                     \
    case 4 * 8 + 1:                                                                                \
        return name##_4_1(text, n, needle, m);                                                     \
    case 4 * 8 + 2:                                                                                \
        return name##_4_2(text, n, needle, m);                                                     \
    case 4 * 8 + 4:                                                                                \
        return name##_4_4(text, n, needle, m);                                                     \
    default:                                                                                       \
        return -1;                                                                                 \
    }

Py_ssize_t text_find(int kind, const void *text, Py_ssize_t n, int needle_kind, const void *needle,
                     Py_ssize_t m)
{
    if (m > n || needle_kind > kind) {
        return -1;
    }
    if (m <= 1) {
        return m == 0 ? 0 : text_find_char(kind, text, n, first_char(needle_kind, needle));
    }
    if (kind == 1) {
        return find_bytes(text, n, needle, m);
    }
    DISPATCH(find)
}

Py_ssize_t text_rfind(int kind, const void *text, Py_ssize_t n, int needle_kind, const void *needle,
                      Py_ssize_t m)
{
    if (m > n || needle_kind > kind) {
        return -1;
    }
    if (m <= 1) {
        return m == 0 ? n : text_rfind_char(kind, text, n, first_char(needle_kind, needle));
    }
    if (kind == 1) {
        return rfind_1_1(text, n, needle, m);
    }
    DISPATCH(rfind)
}

Py_ssize_t text_find_each(int kind, const void *text, Py_ssize_t n, int needle_kind,
                          const void *needle, Py_ssize_t m, Py_ssize_t *places, Py_ssize_t most)
{
    if (m > n || needle_kind > kind || most <= 0) {
        return 0;
    }
    if (kind == 1) {
        return find_each(text, n, needle, m, places, most);
    }
    Py_ssize_t count = 0, at = 0;
    while (count < most) {
        Py_ssize_t found =
            text_find(kind, (const char *)text + at * kind, n - at, needle_kind, needle, m);
        if (found < 0) {
            break;
        }
        places[count++] = at + found;
        at += found + m;
    }
    return count;
}

Py_ssize_t text_count(int kind, const void *text, Py_ssize_t n, int needle_kind, const void *needle,
                      Py_ssize_t m, Py_ssize_t limit)
{
    if (limit < 0) {
        limit = PY_SSIZE_T_MAX;
    }
    if (m > n || needle_kind > kind || limit == 0) {
        return 0;
    }
    if (m == 0) {
        return Py_MIN(n + 1, limit);
    }
    if (m == 1 && limit >= n) {
        return text_count_char(kind, text, n, first_char(needle_kind, needle));
    }
    Py_ssize_t places[32], count = 0, at = 0, found;
    do {
        found = text_find_each(kind, (const char *)text + at * kind, n - at, needle_kind, needle, m,
                               places, Py_MIN(limit - count, 32));
        count += found;
        at += found == 0 ? 0 : places[found - 1] + m;
    } while (found == 32);
    return count;
}
