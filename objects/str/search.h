/* Searching in arrays of characters of any width.  Pure functions without failure; the cost is
 * linear in the worst case for searches forward. */
#ifndef KRAIT_OBJECTS_STR_SEARCH_H
#define KRAIT_OBJECTS_STR_SEARCH_H

#include <Python.h>

/* Index of the character, -1 if there is none. */
Py_ssize_t text_find_char(int kind, const void *text, Py_ssize_t n, Py_UCS4 ch);
Py_ssize_t text_rfind_char(int kind, const void *text, Py_ssize_t n, Py_UCS4 ch);
Py_ssize_t text_count_char(int kind, const void *text, Py_ssize_t n, Py_UCS4 ch);

/* First and last index of `m` characters in `n`; -1 if there is none.  The needle's kind is at most
 * the text's.  An empty needle is found at once. */
Py_ssize_t text_find(int kind, const void *text, Py_ssize_t n, int needle_kind, const void *needle,
                     Py_ssize_t m);
Py_ssize_t text_rfind(int kind, const void *text, Py_ssize_t n, int needle_kind, const void *needle,
                      Py_ssize_t m);
/* The first places, at most `most`, that do not overlap, from the left; returns how many. The needle
 * has at least one character. */
Py_ssize_t text_find_each(int kind, const void *text, Py_ssize_t n, int needle_kind,
                          const void *needle, Py_ssize_t m, Py_ssize_t *places, Py_ssize_t most);
/* Occurrences that do not overlap, at most `limit` (-1: all). */
Py_ssize_t text_count(int kind, const void *text, Py_ssize_t n, int needle_kind, const void *needle,
                      Py_ssize_t m, Py_ssize_t limit);

#endif
