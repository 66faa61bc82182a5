/* What Unicode 15.1 says about characters.  Pure functions: no memory, no errors, no locks. */
#ifndef KRAIT_OBJECTS_UNICODE_DATA_H
#define KRAIT_OBJECTS_UNICODE_DATA_H

#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

/* ---- Classes and case (types.c) ------------------------------------------------------------ */

/* What str asks most: one bit each, so that several questions cost one look-up. */
enum {
    CHAR_ALPHA = 1,
    CHAR_DECIMAL = 2,
    CHAR_DIGIT = 4,
    CHAR_NUMERIC = 8,
    CHAR_LOWER = 16,
    CHAR_UPPER = 32,
    CHAR_TITLE = 64,
    CHAR_SPACE = 128,
    CHAR_LINEBREAK = 256,
    CHAR_PRINTABLE = 512,
    CHAR_ID_START = 1024,
    CHAR_ID_CONTINUE = 2048,
    CHAR_CASED = 4096,
    CHAR_CASE_IGNORABLE = 8192,
};

unsigned char_flags(Py_UCS4 ch);

extern const uint16_t char_latin1_flags[256];

/* char_flags() with a table for the first 256 characters. */
static inline bool char_is(Py_UCS4 ch, unsigned flag)
{
    return ((ch < 256 ? char_latin1_flags[ch] : char_flags(ch)) & flag) != 0;
}

/* Full mappings: write up to 3 characters, return how many. */
int char_to_upper_full(Py_UCS4 ch, Py_UCS4 *out);
int char_to_lower_full(Py_UCS4 ch, Py_UCS4 *out);
int char_to_title_full(Py_UCS4 ch, Py_UCS4 *out);
int char_to_folded(Py_UCS4 ch, Py_UCS4 *out);

/* ---- Properties of unicodedata (database.c) -------------------------------------------------- */

struct char_properties {
    const char *category, *bidirectional, *width;
    uint8_t combining;
    bool mirrored;
    int decimal;    /* -1: none */
    double numeric; /* -1.0: none */
};

/* `old`: as version 3.2.0 had it. */
void char_properties(Py_UCS4 ch, bool old, struct char_properties *out);
/* The decomposition mapping; returns the number of characters (0: none), *tag is "" or "<...>". */
int char_decomposition(Py_UCS4 ch, bool old, const char **tag, Py_UCS4 *out, int room);

enum normal_form { NORMAL_NFC, NORMAL_NFKC, NORMAL_NFD, NORMAL_NFKD };

/* New reference to the normal form of `s` (a str); `s` itself where it is normal already. */
PyObject *str_normalize(PyObject *s, enum normal_form form, bool old);
/* False also where only normalising can tell. */
bool str_is_normal(PyObject *s, enum normal_form form);

/* ---- Names (names.c) ------------------------------------------------------------------------- */

enum { CHAR_NAME_MAX = 256 };

/* Writes the zero-terminated name; false if there is none. */
bool char_name(Py_UCS4 ch, bool old, char *buffer, size_t size);
/* Looks a name up, ignoring case.  Returns the number of characters written to `out` (up to 8), 0 if
 * unknown. */
enum char_names { CHAR_NAMES = 0, CHAR_ALIASES = 1, CHAR_SEQUENCES = 2 };
int char_from_name(const char *name, Py_ssize_t length, unsigned kinds, Py_UCS4 *out);

#endif
