/* Classes and case mappings of characters. */
#include "objects/unicode_data/unicode_data.h"

#include "unicode_types.h"

_Static_assert(CHAR_ALPHA == UNICODE_ALPHA && CHAR_NUMERIC == UNICODE_NUMERIC
                   && CHAR_TITLE == UNICODE_TITLE && CHAR_PRINTABLE == UNICODE_PRINTABLE
                   && CHAR_CASE_IGNORABLE == UNICODE_CASE_IGNORABLE,
               "the generator and the header must agree on the bits");

static inline const struct unicode_record *record_of(Py_UCS4 ch)
{
    if (ch > 0x10ffff) {
        return &unicode_records[0];
    }
    unsigned block = unicode_record_index1[ch >> UNICODE_RECORD_SHIFT];
    unsigned place = (block << UNICODE_RECORD_SHIFT) + (ch & ((1u << UNICODE_RECORD_SHIFT) - 1));
    return &unicode_records[unicode_record_index2[place]];
}

unsigned char_flags(Py_UCS4 ch)
{
    return record_of(ch)->flags;
}

static int mapping_copy(const uint32_t *from, Py_UCS4 *out)
{
    int count = 0;
    while (count < 3 && from[count] != 0) {
        out[count] = from[count];
        count++;
    }
    return count;
}

#define FULL_MAPPING(function, field, simple)                                                      \
    int function(Py_UCS4 ch, Py_UCS4 *out)                                                         \
    {                                                                                              \
        const struct unicode_record *record = record_of(ch);                                       \
        if (record->special != 0) {                                                                \
            return mapping_copy(unicode_specials[record->special].field, out);                     \
        }                                                                                          \
        out[0] = ch + (Py_UCS4)record->simple;                                                     \
        return 1;                                                                                  \
    }

FULL_MAPPING(char_to_upper_full, upper, upper)
FULL_MAPPING(char_to_lower_full, lower, lower)
FULL_MAPPING(char_to_title_full, title, title)
FULL_MAPPING(char_to_folded, fold, lower)

/* ---- The C API ----------------------------------------------------------------------------- */

#define CLASS_TEST(function, flag)                                                                 \
    int function(Py_UCS4 ch)                                                                       \
    {                                                                                              \
        return (record_of(ch)->flags & (flag)) != 0;                                               \
    }

CLASS_TEST(_PyUnicode_IsAlpha, CHAR_ALPHA)
CLASS_TEST(_PyUnicode_IsDecimalDigit, CHAR_DECIMAL)
CLASS_TEST(_PyUnicode_IsDigit, CHAR_DIGIT)
CLASS_TEST(_PyUnicode_IsNumeric, CHAR_NUMERIC)
CLASS_TEST(_PyUnicode_IsLowercase, CHAR_LOWER)
CLASS_TEST(_PyUnicode_IsUppercase, CHAR_UPPER)
CLASS_TEST(_PyUnicode_IsTitlecase, CHAR_TITLE)
CLASS_TEST(_PyUnicode_IsPrintable, CHAR_PRINTABLE)
CLASS_TEST(_PyUnicode_IsWhitespace, CHAR_SPACE)
CLASS_TEST(_PyUnicode_IsLinebreak, CHAR_LINEBREAK)

Py_UCS4 _PyUnicode_ToUppercase(Py_UCS4 ch)
{
    return ch + (Py_UCS4)record_of(ch)->upper;
}

Py_UCS4 _PyUnicode_ToLowercase(Py_UCS4 ch)
{
    return ch + (Py_UCS4)record_of(ch)->lower;
}

Py_UCS4 _PyUnicode_ToTitlecase(Py_UCS4 ch)
{
    return ch + (Py_UCS4)record_of(ch)->title;
}

int _PyUnicode_ToDecimalDigit(Py_UCS4 ch)
{
    int value = record_of(ch)->decimal;
    return value == 255 ? -1 : value;
}

int _PyUnicode_ToDigit(Py_UCS4 ch)
{
    int value = record_of(ch)->digit;
    return value == 255 ? -1 : value;
}

double _PyUnicode_ToNumeric(Py_UCS4 ch)
{
    size_t low = 0, high = sizeof unicode_numbers / sizeof unicode_numbers[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (unicode_numbers[middle].code < ch) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found =
        low < sizeof unicode_numbers / sizeof unicode_numbers[0] && unicode_numbers[low].code == ch;
    return found ? unicode_numbers[low].value : -1.0;
}

/* ---- Tables for ASCII that macros of extensions read ----------------------------------------- */

#define WHITE(i) [i] = 1
const unsigned char _Py_ascii_whitespace[128] = {
    WHITE(9),  WHITE(10), WHITE(11), WHITE(12), WHITE(13),
    WHITE(28), WHITE(29), WHITE(30), WHITE(31), WHITE(32),
};

/* Bits of Py_IS*(): lower 1, upper 2, digit 4, space 8, hexadecimal digit 16. */
const unsigned int _Py_ctype_table[256] = {
    ['a' ... 'f'] = 1 | 16,
    ['g' ... 'z'] = 1,
    ['A' ... 'F'] = 2 | 16,
    ['G' ... 'Z'] = 2,
    ['0' ... '9'] = 4 | 16,
    ['\t' ... '\r'] = 8,
    [' '] = 8,
};

#define ROW16(m, b)                                                                                \
    m(b), m(b + 1), m(b + 2), m(b + 3), m(b + 4), m(b + 5), m(b + 6), m(b + 7), m(b + 8),          \
        m(b + 9), m(b + 10), m(b + 11), m(b + 12), m(b + 13), m(b + 14), m(b + 15)
#define ROW256(m)                                                                                  \
    ROW16(m, 0), ROW16(m, 16), ROW16(m, 32), ROW16(m, 48), ROW16(m, 64), ROW16(m, 80),             \
        ROW16(m, 96), ROW16(m, 112), ROW16(m, 128), ROW16(m, 144), ROW16(m, 160), ROW16(m, 176),   \
        ROW16(m, 192), ROW16(m, 208), ROW16(m, 224), ROW16(m, 240)
#define LOWERED(c) (unsigned char)((c) >= 'A' && (c) <= 'Z' ? (c) + 32 : (c))
#define RAISED(c) (unsigned char)((c) >= 'a' && (c) <= 'z' ? (c)-32 : (c))

const unsigned char _Py_ctype_tolower[256] = {ROW256(LOWERED)};
const unsigned char _Py_ctype_toupper[256] = {ROW256(RAISED)};
