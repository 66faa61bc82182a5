#!/usr/bin/env python3
"""Writes objects/float/power10.h: 10**k for k of POWER10_MIN .. POWER10_MAX, cut off to 128 bits."""

import sys

LOW, HIGH = -342, 324
HEAD = f"""/*
 * Powers of ten as 128-bit numbers with the top bit set: 10**k is
 * power10_table[k - POWER10_MIN] * 2**e, cut off. Written by tools/gen_pow10.py.
 */
#define POWER10_MIN ({LOW})
#define POWER10_MAX {HIGH}

static const uint64_t power10_table[][2] = {{   /* high, low */
"""


def power(k):
    """The leading 128 bits of 10**k."""
    if k >= 0:
        n = 10**k
        extra = n.bit_length() - 128
        return n >> extra if extra > 0 else n << -extra
    d = 10**-k
    return (1 << (d.bit_length() + 127)) // d


def main(path):
    with open(path, "w") as out:
        out.write(HEAD)
        for k in range(LOW, HIGH + 1):
            p = power(k)
            out.write(f"    {{0x{p >> 64:016x}, 0x{p & (1 << 64) - 1:016x}}},\n")
        out.write("};\n")


main(sys.argv[1])
