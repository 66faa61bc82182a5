/* Single characters: categories, sets and case. */
#include "sre.h"

#include <ctype.h>

Py_UCS4 char_lower_locale(Py_UCS4 ch)
{
    return ch < 256 ? (Py_UCS4)tolower((int)ch) : ch;
}

bool char_equal_locale(Py_UCS4 pattern, Py_UCS4 ch)
{
    return ch == pattern
           || (ch < 256
               && ((Py_UCS4)tolower((int)ch) == pattern || (Py_UCS4)toupper((int)ch) == pattern));
}

static bool ascii_word(Py_UCS4 ch)
{
    return ch < 128 && (Py_ISALNUM(ch) || ch == '_');
}

static bool locale_word(Py_UCS4 ch)
{
    return ch == '_' || (ch < 256 && isalnum((int)ch));
}

static bool unicode_word(Py_UCS4 ch)
{
    return ch == '_' || Py_UNICODE_ISALNUM(ch);
}

/* A character is a word character for a boundary `at`. */
bool char_is_word(uint32_t at, Py_UCS4 ch)
{
    return at >= AT_UNI_BOUNDARY   ? unicode_word(ch)
           : at >= AT_LOC_BOUNDARY ? locale_word(ch)
                                   : ascii_word(ch);
}

bool char_in_category(uint32_t category, Py_UCS4 ch)
{
    bool in = false;
    /* Every category is followed by its opposite. */
    switch (category & ~1u) {
    case CAT_DIGIT:
        in = ch - '0' < 10;
        break;
    case CAT_SPACE:
        in = ch < 128 && Py_ISSPACE(ch);
        break;
    case CAT_WORD:
        in = ascii_word(ch);
        break;
    case CAT_LINEBREAK:
        in = ch == '\n';
        break;
    case CAT_LOC_WORD:
        in = locale_word(ch);
        break;
    case CAT_UNI_DIGIT:
        in = Py_UNICODE_ISDECIMAL(ch);
        break;
    case CAT_UNI_SPACE:
        in = Py_UNICODE_ISSPACE(ch);
        break;
    case CAT_UNI_WORD:
        in = unicode_word(ch);
        break;
    case CAT_UNI_LINEBREAK:
        in = Py_UNICODE_ISLINEBREAK(ch);
        break;
    }
    return in != (category & 1);
}

static inline bool bit_is_set(const uint32_t *bits, uint32_t i)
{
    return bits[i / 32] >> (i % 32) & 1;
}

/* Whether the codes of a set have the character as it is. */
static bool codes_have(const uint32_t *code, Py_UCS4 ch)
{
    bool found = true;
    for (;;) {
        switch (*code++) {
        case C_FAILURE:
            return !found;
        case C_NEGATE:
            found = !found;
            break;
        case C_LITERAL:
            if (ch == *code++) {
                return found;
            }
            break;
        case C_CATEGORY:
            if (char_in_category(*code++, ch)) {
                return found;
            }
            break;
        case C_RANGE:
            if (code[0] <= ch && ch <= code[1]) {
                return found;
            }
            code += 2;
            break;
        case C_RANGE_UNI_IGNORE: {
            Py_UCS4 upper = Py_UNICODE_TOUPPER(ch);
            if ((code[0] <= ch && ch <= code[1]) || (code[0] <= upper && upper <= code[1])) {
                return found;
            }
            code += 2;
            break;
        }
        case C_CHARSET:
            if (ch < 256 && bit_is_set(code, ch)) {
                return found;
            }
            code += 8;
            break;
        case C_BIGCHARSET: {
            uint32_t blocks = *code++;
            if (ch < 0x10000) {
                uint8_t block = ((const uint8_t *)code)[ch >> 8];
                if (bit_is_set(code + 64, block * 256u + (ch & 255))) {
                    return found;
                }
            }
            code += 64 + blocks * 8;
            break;
        }
        default:
            return false; /* the translation lets nothing else through */
        }
    }
}

/* The whole test; its result for the first 256 characters is what the set's map holds. */
bool char_in_set(const uint32_t *set, Py_UCS4 ch)
{
    const uint32_t *codes = set + SET_CODES;
    switch (set[0] & ~(uint32_t)SET_DYNAMIC) {
    case SET_ASCII:
        return codes_have(codes, char_lower_ascii(ch));
    case SET_UNICODE:
        return codes_have(codes, char_lower_unicode(ch));
    case SET_LOCALE: {
        Py_UCS4 lower = char_lower_locale(ch);
        Py_UCS4 upper = ch < 256 ? (Py_UCS4)toupper((int)ch) : ch;
        return codes_have(codes, lower) || (upper != lower && codes_have(codes, upper));
    }
    default:
        return codes_have(codes, ch);
    }
}
