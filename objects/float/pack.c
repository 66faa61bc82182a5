/*
 * Floats in 2, 4 and 8 bytes, in either byte order.
 */
#include "Python.h"
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

static void store(uint64_t bits, char *to, int n, int little)
{
    for (int i = 0; i < n; i++) {
        to[little ? i : n - 1 - i] = (char)(bits >> (8 * i));
    }
}

static uint64_t load(const char *from, int n, int little)
{
    uint64_t bits = 0;
    for (int i = 0; i < n; i++) {
        bits |= (uint64_t)(unsigned char)from[little ? i : n - 1 - i] << (8 * i);
    }
    return bits;
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double value_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

int PyFloat_Pack8(double value, char *to, int little)
{
    store(bits_of(value), to, 8, little);
    return 0;
}

int PyFloat_Pack4(double value, char *to, int little)
{
    float narrow = (float)value;
    if (isinf(narrow) && !isinf(value)) {
        PyErr_SetString(PyExc_OverflowError, "float too large to pack with f format");
        return -1;
    }
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    store(bits, to, 4, little);
    return 0;
}

/* The IEEE half: 11 bits of precision, exponents -14 .. 15, rounded half-even. */
int PyFloat_Pack2(double value, char *to, int little)
{
    uint64_t bits = bits_of(value);
    uint64_t sign = bits >> 63 << 15, half;
    int exponent = (int)(bits >> 52 & 0x7ff) - 1023;
    uint64_t mantissa = bits & (((uint64_t)1 << 52) - 1);
    if (isnan(value)) {
        /* A quiet NaN with what fits of the payload. */
        half = 0x7e00 | (mantissa >> 42 & 0x1ff);
    } else if (isinf(value)) {
        half = 0x7c00;
    } else {
        mantissa |= (uint64_t)1 << 52;
        int drop = 42;
        half = exponent < -14 ? 0 : (uint64_t)(exponent + 14) << 10;
        drop += exponent < -14 ? -14 - exponent : 0;
        if (drop > 54) {
            half = 0;
        } else {
            uint64_t middle = (uint64_t)1 << (drop - 1), rest = mantissa & ((middle << 1) - 1);
            uint64_t kept = mantissa >> drop;
            half += kept + (rest > middle || (rest == middle && (kept & 1)));
        }
        if (half >= 0x7c00) {
            PyErr_SetString(PyExc_OverflowError, "float too large to pack with e format");
            return -1;
        }
    }
    store(sign | half, to, 2, little);
    return 0;
}

double PyFloat_Unpack8(const char *from, int little)
{
    return value_of(load(from, 8, little));
}

double PyFloat_Unpack4(const char *from, int little)
{
    uint32_t bits = (uint32_t)load(from, 4, little);
    float narrow;
    memcpy(&narrow, &bits, sizeof narrow);
    return narrow;
}

double PyFloat_Unpack2(const char *from, int little)
{
    uint64_t half = load(from, 2, little), sign = half >> 15 << 63;
    int exponent = (int)(half >> 10 & 0x1f);
    uint64_t mantissa = half & 0x3ff;
    if (exponent == 0x1f) {
        return value_of(sign | (uint64_t)0x7ff << 52 | mantissa << 42);
    }
    double value = exponent == 0 ? ldexp((double)mantissa, -24)
                                 : ldexp((double)(mantissa | 0x400), exponent - 25);
    return sign ? -value : value;
}
