/* Classes and case of ASCII characters, the same in every locale. */
#include "Python.h"

const unsigned int _Py_ctype_table[256] = {
    ['\t' ... '\r'] = PY_CTF_SPACE,
    [' '] = PY_CTF_SPACE,
    ['0' ... '9'] = PY_CTF_DIGIT | PY_CTF_XDIGIT,
    ['A' ... 'F'] = PY_CTF_UPPER | PY_CTF_XDIGIT,
    ['G' ... 'Z'] = PY_CTF_UPPER,
    ['a' ... 'f'] = PY_CTF_LOWER | PY_CTF_XDIGIT,
    ['g' ... 'z'] = PY_CTF_LOWER,
};

/* Every byte by itself, then the letters that change. */
#define SAME_4(n) [n] = n, [n + 1] = n + 1, [n + 2] = n + 2, [n + 3] = n + 3
#define SAME_16(n) SAME_4(n), SAME_4(n + 4), SAME_4(n + 8), SAME_4(n + 12)
#define SAME_64(n) SAME_16(n), SAME_16(n + 16), SAME_16(n + 32), SAME_16(n + 48)
#define SAME_256 SAME_64(0), SAME_64(64), SAME_64(128), SAME_64(192)
#define LETTERS(X)                                                                                 \
    X('A') X('B') X('C') X('D') X('E') X('F') X('G') X('H') X('I') X('J') X('K') X('L') X('M')     \
    X('N') X('O') X('P') X('Q') X('R') X('S') X('T') X('U') X('V') X('W') X('X') X('Y') X('Z')
#define TO_LOWER(letter) [letter] = letter + 32,
#define TO_UPPER(letter) [letter + 32] = letter,

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
const unsigned char _Py_ctype_tolower[256] = {SAME_256, LETTERS(TO_LOWER)};
const unsigned char _Py_ctype_toupper[256] = {SAME_256, LETTERS(TO_UPPER)};
#pragma GCC diagnostic pop
