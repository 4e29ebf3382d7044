#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes golden.h: pairs of rounded normals evaluated by mpmath with 120 digits.

    python3 tests/noise/golden.py > tests/noise/golden.h        (pip install mpmath)
"""

import random

from mpmath import acos, cos, floor, log, mp, mpf, pi, sin, sqrt

mp.dps = 120
WORD = 2**64


def radius(u):
    return sqrt(-2 * log((mpf(u) + mpf(1) / 2) / mpf(2) ** 256))


def rounded(u, v, s):
    angle = 2 * pi * mpf(v) / mpf(2) ** 128
    return [int(floor(s * radius(u) * f(angle) + mpf(1) / 2)) for f in (cos, sin)]


def row(what, u, v, s):
    words = [u >> 192, v >> 64, (u >> 128) % WORD, (u >> 64) % WORD, u % WORD, v % WORD]
    n = rounded(u, v, mpf(s))
    print("    {%s, %s, {%s}, %d, %d},  // %s" % (float(s).hex(), ", ".join("%#018xU" % w for w in words[:2]),
                                                 ", ".join("%#018xU" % w for w in words[2:]), n[0], n[1], what))


def neighbours_of_a_half_integer(dice, s):
    """Two angles that differ in the last of 128 bits, with a half-integer between their s z_0."""
    u = dice.getrandbits(256)
    half = mpf(dice.randrange(int(s * radius(u)))) + mpf(1) / 2
    v = int(floor(acos(half / (s * radius(u))) / (2 * pi) * mpf(2) ** 128))
    assert rounded(u, v, s)[0] == rounded(u, v + 1, s)[0] + 1
    return u, v


def main():
    dice = random.Random(1)
    s = 2.0**24 * 1.37
    print("// SPDX-License-Identifier: Apache-2.0")
    print("// Rounded normals by mpmath with 120 digits; written by golden.py, do not edit.")
    print("#pragma once\n\n#include <cstdint>\n\n#include \"ghostgrad/noise/box_muller.h\"\n")
    print("namespace ghostgrad::noise {\n\nstruct Golden {\n  double deviation;\n  uint64_t u, v;\n  FurtherBits further;\n  int64_t n0, n1;\n};\n")
    print("// clang-format off\nconstexpr Golden kGolden[] = {")
    for deviation in (0.001, 0.7, 1.0, 3e3, s, s, s, s, 2.0**28 * 1.9, 2.0**40):
        row("any bits", dice.getrandbits(256), dice.getrandbits(128), deviation)
    for top in (2**46 - 1, 2**46, 2**20, 1, 0, WORD - 2**34 - 2, WORD - 2**34 - 1, WORD - 2**20, WORD - 1):
        row("at the ends of the float64 range", top << 192 | dice.getrandbits(192), dice.getrandbits(128), s)
    for u in (0, 1, 2**256 - 1, 2**256 - 2):
        row("the first and the last u", u, dice.getrandbits(128), s)
    for eighth in range(8):
        row("an eighth of a turn, times %d" % eighth, dice.getrandbits(256), eighth << 125, s)
        row("a little less", dice.getrandbits(256), ((eighth << 125) - 1) % 2**128, s)
    for _ in range(8):
        u, v = neighbours_of_a_half_integer(dice, s)
        row("just above a half-integer", u, v, s)
        row("just below it", u, v + 1, s)
    print("};\n// clang-format on\n\n}  // namespace ghostgrad::noise")


main()
