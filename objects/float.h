/*
 * float: making floats and the conversions between doubles and text. Nothing here takes a lock
 * or runs Python code, unless stated.
 */
#ifndef KRAIT_OBJECTS_FLOAT_H
#define KRAIT_OBJECTS_FLOAT_H

#include "Python.h"
#include <stdbool.h>
#include <stdint.h>

static inline double float_value(const PyObject *op)
{
    return ((const PyFloatObject *)op)->ob_fval;
}

/* New reference or NULL with MemoryError. PyFloat_FromDouble is the same. */
PyObject *float_new(double value);

/* The remainder and floor quotient of Python's % and //; b must not be 0. */
double float_mod(double a, double b);
double float_floor_divide(double a, double b);
/* a ** b by Python's rules. 0 on success; -1 with ZeroDivisionError or OverflowError; 1 when the
 * result is complex (negative base, fractional exponent), *result untouched. */
int float_pow(double a, double b, double *result);
/* Compares a float with an int exactly: -1, 0, 1; 2 if the float is a NaN. */
int float_compare_int(double a, const PyLongObject *b);
/* Hash of a double; NaN hashes by the object's address, so pass the object too. */
Py_hash_t float_hash(PyObject *op, double value);

/*
 * Decimal conversions, the engine beneath repr, format, round and float().
 *
 * float_digits() produces the digits of |value| (finite) into `digits` (at least
 * FLOAT_DIGITS_MAX + ndigits bytes, not terminated) and the position of the decimal point:
 * 0.DIGITS * 10**point.
 *   FLOAT_SHORTEST  the shortest digits that read back as value
 *   FLOAT_PRECISION ndigits significant digits, correctly rounded half-even, zeros stripped
 *   FLOAT_FIXED     digits up to ndigits after the decimal point, zeros stripped
 * Returns the number of digits (0 when the value rounds to zero), or -1 with MemoryError.
 */
enum float_digits_mode { FLOAT_SHORTEST, FLOAT_PRECISION, FLOAT_FIXED };
#define FLOAT_DIGITS_MAX 1100
Py_ssize_t float_digits(double value, enum float_digits_mode mode, Py_ssize_t ndigits, char *digits,
                        Py_ssize_t *point);

/* Reads a decimal float as C's strtod does, but only decimal forms, inf and nan, no leading white
 * space; correctly rounded. *end is the first character not used (== text if nothing matched).
 * `length` bounds the text. Returns HUGE_VAL with its sign on overflow. Never raises. */
double float_parse(const char *text, size_t length, const char **end);

/* Correctly rounded m * 10**e from decimal digits. */
double float_from_decimal(const char *digits, size_t ndigits, int64_t exponent, bool negative);

/* repr(value) into buf (at least 32 bytes), with ".0" for integral values; the length. */
int float_repr(double value, char *buf);

/* Hexadecimal text as float.hex() gives it (new str), and back: 0, or -1 with ValueError or
 * OverflowError. */
PyObject *float_to_hex(double value);
int float_from_hex(const char *text, Py_ssize_t length, double *value);
/* A whole text with white space around it and underscores between digits: 1; 0 when it is no
 * number; -1 with MemoryError. */
int float_from_text(const char *text, Py_ssize_t length, double *value);

extern PyTypeObject *const float_types[];

#endif
