/* Names of characters.
 *
 * A name is stored as the numbers of its words: one byte for the most frequent ones, two for the
 * others.  Look-up goes through a hash table of name numbers; the names found are written out
 * and compared, so the table needs no keys.
 */
#include "objects/unicode_data/unicode_data.h"

#include <stdio.h>
#include <string.h>

#include "unicode_names.h"

_Static_assert(UNICODE_NAME_MAX < CHAR_NAME_MAX, "buffers hold every name");

enum { HANGUL_FIRST = 0xac00, HANGUL_LAST = 0xd7a3, HANGUL_VOWELS = 21, HANGUL_TAILS = 28 };

static const char *const hangul_parts[3][28] = {
    {"G", "GG", "N", "D", "DD", "R", "M", "B", "BB", "S", "SS", "", "J", "JJ", "C", "K", "T", "P",
     "H"},
    {"A",  "AE", "YA", "YAE", "EO", "E",  "YEO", "YE", "O",  "WA", "WAE",
     "OE", "YO", "U",  "WEO", "WE", "WI", "YU",  "EU", "YI", "I"},
    {"",   "G",  "GG", "GS", "N",  "NJ", "NH", "D",  "L", "LG", "LM", "LB", "LS", "LT",
     "LP", "LH", "M",  "B",  "BS", "S",  "SS", "NG", "J", "C",  "K",  "T",  "P",  "H"},
};
static const int hangul_counts[3] = {19, 21, 28};
static const char hangul_prefix[] = "HANGUL SYLLABLE ";
static const char ideograph_prefix[] = "CJK UNIFIED IDEOGRAPH-";

static bool is_ideograph(Py_UCS4 ch)
{
    for (size_t i = 0; i < sizeof unicode_ideographs / sizeof unicode_ideographs[0]; i++) {
        if (ch >= unicode_ideographs[i].first && ch <= unicode_ideographs[i].last) {
            return true;
        }
    }
    return false;
}

/* Writes name `number`; the buffer holds CHAR_NAME_MAX bytes. */
static size_t name_expand(uint32_t number, char *buffer)
{
    uint32_t place = unicode_name_starts[number], end = unicode_name_starts[number + 1];
    char *out = buffer;
    while (place < end) {
        uint32_t word = unicode_name_text[place++];
        if (word >= UNICODE_SHORT_WORDS) {
            word = ((word - UNICODE_SHORT_WORDS) << 8) + unicode_name_text[place++]
                   + UNICODE_SHORT_WORDS;
        }
        if (out != buffer) {
            *out++ = ' ';
        }
        uint32_t first = unicode_word_starts[word];
        size_t length = unicode_word_starts[word + 1] - first;
        memcpy(out, unicode_letters + first, length);
        out += length;
    }
    *out = '\0';
    return (size_t)(out - buffer);
}

bool char_name(Py_UCS4 ch, bool old, char *buffer, size_t size)
{
    char text[CHAR_NAME_MAX];
    if (old) {
        struct char_properties properties;
        char_properties(ch, true, &properties);
        if (strcmp(properties.category, "Cn") == 0) {
            return false;
        }
    }
    if (ch >= HANGUL_FIRST && ch <= HANGUL_LAST) {
        unsigned index = ch - HANGUL_FIRST;
        snprintf(text, sizeof text, "%s%s%s%s", hangul_prefix,
                 hangul_parts[0][index / (HANGUL_VOWELS * HANGUL_TAILS)],
                 hangul_parts[1][index / HANGUL_TAILS % HANGUL_VOWELS],
                 hangul_parts[2][index % HANGUL_TAILS]);
    } else if (is_ideograph(ch)) {
        snprintf(text, sizeof text, "%s%X", ideograph_prefix, (unsigned)ch);
    } else {
        size_t low = 0, high = sizeof unicode_spans / sizeof unicode_spans[0];
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (unicode_spans[middle].last < ch) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (low == sizeof unicode_spans / sizeof unicode_spans[0]
            || unicode_spans[low].first > ch) {
            return false;
        }
        name_expand(unicode_spans[low].base + (ch - unicode_spans[low].first), text);
    }
    size_t length = strlen(text);
    if (length >= size) {
        return false;
    }
    memcpy(buffer, text, length + 1);
    return true;
}

/* The longest part of the table that `text` starts with; -1 if none. */
static int hangul_part(const char **text, const char *end, int which)
{
    int best = -1;
    size_t best_length = 0;
    for (int i = 0; i < hangul_counts[which]; i++) {
        const char *part = hangul_parts[which][i];
        size_t length = strlen(part);
        if (length <= (size_t)(end - *text) && (best < 0 || length > best_length)
            && strncmp(*text, part, length) == 0) {
            best = i;
            best_length = length;
        }
    }
    *text += best_length;
    return best;
}

static int hangul_lookup(const char *name, const char *end, Py_UCS4 *out)
{
    int lead = hangul_part(&name, end, 0);
    int vowel = hangul_part(&name, end, 1);
    int tail = hangul_part(&name, end, 2);
    if (lead < 0 || vowel < 0 || tail < 0 || name != end) {
        return 0;
    }
    *out = HANGUL_FIRST + ((Py_UCS4)lead * HANGUL_VOWELS + (Py_UCS4)vowel) * HANGUL_TAILS
           + (Py_UCS4)tail;
    return 1;
}

static int ideograph_lookup(const char *name, const char *end, Py_UCS4 *out)
{
    Py_UCS4 ch = 0;
    if (end - name != 4 && end - name != 5) {
        return 0;
    }
    for (; name < end; name++) {
        bool digit = *name >= '0' && *name <= '9';
        if (!digit && (*name < 'A' || *name > 'F')) {
            return 0;
        }
        ch = ch * 16 + (Py_UCS4)(digit ? *name - '0' : *name - 'A' + 10);
    }
    *out = ch;
    return is_ideograph(ch);
}

/* Characters of the name with this number. */
static int name_characters(uint32_t number, unsigned kinds, Py_UCS4 *out)
{
    if (number < UNICODE_NAMED) {
        size_t low = 0, high = sizeof unicode_spans / sizeof unicode_spans[0];
        while (high - low > 1) {
            size_t middle = (low + high) / 2;
            if (unicode_spans[middle].base <= number) {
                low = middle;
            } else {
                high = middle;
            }
        }
        *out = unicode_spans[low].first + (number - unicode_spans[low].base);
        return 1;
    }
    number -= UNICODE_NAMED;
    if (number < UNICODE_ALIASES) {
        if (!(kinds & CHAR_ALIASES)) {
            return 0;
        }
        *out = unicode_alias_codes[number];
        return 1;
    }
    if (!(kinds & CHAR_SEQUENCES)) {
        return 0;
    }
    number -= UNICODE_ALIASES;
    int count = 0;
    for (uint32_t i = unicode_sequence_starts[number]; i < unicode_sequence_starts[number + 1];
         i++) {
        out[count++] = unicode_sequence_data[i];
    }
    return count;
}

int char_from_name(const char *name, Py_ssize_t length, unsigned kinds, Py_UCS4 *out)
{
    char upper[CHAR_NAME_MAX], text[CHAR_NAME_MAX];
    if (length <= 0 || length >= CHAR_NAME_MAX) {
        return 0;
    }
    uint32_t hash = 0x811c9dc5;
    for (Py_ssize_t i = 0; i < length; i++) {
        upper[i] = (char)Py_TOUPPER(Py_CHARMASK(name[i]));
        hash = (hash ^ (uint8_t)upper[i]) * 0x01000193;
    }
    const char *end = upper + length;
    size_t prefix = sizeof hangul_prefix - 1;
    if ((size_t)length > prefix && memcmp(upper, hangul_prefix, prefix) == 0) {
        return hangul_lookup(upper + prefix, end, out);
    }
    prefix = sizeof ideograph_prefix - 1;
    if ((size_t)length > prefix && memcmp(upper, ideograph_prefix, prefix) == 0) {
        return ideograph_lookup(upper + prefix, end, out);
    }
    for (uint32_t place = hash & (UNICODE_NAME_TABLE - 1); unicode_name_table[place] != 0;
         place = (place + 1) & (UNICODE_NAME_TABLE - 1)) {
        uint32_t number = unicode_name_table[place] - 1u;
        if (name_expand(number, text) == (size_t)length
            && memcmp(text, upper, (size_t)length) == 0) {
            return name_characters(number, kinds, out);
        }
    }
    return 0;
}
