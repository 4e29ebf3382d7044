#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes rdp_golden.csv: Renyi divergences of the Poisson-subsampled Gaussian with 40 digits (needs mpmath).

    python3 tests/privacy/rdp_golden.py            # writes the file beside this script
    python3 tests/privacy/rdp_golden.py --check 5  # recomputes 5 of its rows and compares
    python3 tests/privacy/rdp_golden.py --check 5 0.5  # of those with a noise multiplier of at least 0.5, which are quick

Straight from the definition, ln E_Q[(P/Q)^a] / (a - 1), by tanh-sinh quadrature in 70 digits: the digits that cancel are simply
carried along. Nothing here is shared with the library's way of computing it.
"""
import csv
import pathlib
import random
import sys

try:
    import mpmath as mp
except ImportError:
    sys.exit(77)  # ctest: skipped

mp.mp.dps = 70
PATH = pathlib.Path(__file__).with_suffix(".csv")

SIGMAS = ["0.02", "0.03", "0.05", "0.1", "0.2", "0.4", "0.5", "0.7", "1", "1.5", "2.5", "5", "20", "100", "10000"]
RATES = ["1e-12", "1e-6", "0.001", "0.00426666666666667", "0.01", "0.04", "0.2", "0.5", "0.9", "0.999"]
ORDERS = ["1.1", "1.2", "1.5", "1.9", "2.1", "2.5", "3.9", "5.5", "8.6", "10.9", "2", "3", "13", "63", "256", "1024"]


def breakpoints(order, sigma, rate):
    """Unit steps over all bells, and steps that shrink towards the branch points of (P/Q)^a."""
    turn = 1 / (2 * sigma) + sigma * mp.log(1 / rate - 1)
    first, last = mp.mpf(-19), max(order, 2) / sigma + 19
    points = {first, last}
    at = first
    while at < last:
        at += min(mp.mpf(2), max(mp.pi * sigma, abs(turn - at) / 2))
        points.add(min(at, last))
    return sorted(points)


def by_quadrature(order, sigma, rate):
    def integrand(t):
        ratio = 1 - rate + rate * mp.exp(t / sigma - 1 / (2 * sigma**2))
        return mp.exp(order * mp.log(ratio) - t * t / 2)

    return mp.quad(integrand, breakpoints(order, sigma, rate)) / mp.sqrt(2 * mp.pi)


def by_binomial_sum(order, sigma, rate):
    terms = (mp.binomial(order, k) * (1 - rate) ** (order - k) * rate**k * mp.exp(mp.mpf(k * (k - 1)) / (2 * sigma**2)) for k in range(order + 1))
    return mp.fsum(terms)


def divergence(order, sigma, rate):
    # ordinary doubles first: the library is given the doubles nearest to these decimals
    sigma, rate = mp.mpf(float(sigma)), mp.mpf(float(rate))
    moment = by_quadrature(mp.mpf(float(order)), sigma, rate) if "." in order else by_binomial_sum(int(order), sigma, rate)
    return mp.log(moment) / (mp.mpf(float(order)) - 1)


def cases():
    rng = random.Random(20)
    corners = [(s, q, a) for s in ("0.02", "0.5", "10000") for q in ("1e-12", "0.999") for a in ("1.1", "10.9")]
    rest = [(s, q, a) for s in SIGMAS for q in RATES for a in ORDERS]
    return corners + [case for case in rng.sample(rest, 130) if case not in corners]


def write():
    with PATH.open("w", newline="") as file:
        file.write("noise_multiplier,sample_rate,order,rdp\n")
        for sigma, rate, order in cases():
            file.write(f"{sigma},{rate},{order},{mp.nstr(divergence(order, sigma, rate), 25)}\n")
            file.flush()


def check(count, least_noise=0.0):
    rows = [row for row in csv.DictReader(PATH.open()) if float(row["noise_multiplier"]) >= least_noise]
    for row in random.SystemRandom().sample(rows, count):
        again = divergence(row["order"], row["noise_multiplier"], row["sample_rate"])
        if abs(again / mp.mpf(row["rdp"]) - 1) > mp.mpf("1e-20"):
            sys.exit(f"{row} should be {mp.nstr(again, 25)}")
    print(f"{count} rows agree")


if __name__ == "__main__":
    check(int(sys.argv[2]), *map(float, sys.argv[3:])) if sys.argv[1:2] == ["--check"] else write()
