/* Ints as text, for formatting. */
#ifndef KRAIT_OBJECTS_INT_TEXT_H
#define KRAIT_OBJECTS_INT_TEXT_H

#include <stdint.h>

enum { INT64_TEXT_MAX = 20 };

/* Writes the decimal digits of `value`, with its sign, so that they end before `end`; returns where they begin.
 * There is room for INT64_TEXT_MAX characters. */
char *int64_write(int64_t value, char *end);

#endif
