#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What correct Poisson sampling costs: how well the draws fit their law, and the rows that fill up physical batches of one size.

    PYTHONPATH=build/release/python .venv/bin/python bench/poisson.py [--steps 4000] [--timed 20] [--rounds 3] >bench/poisson.json

The law [Beltran24, Sec. 2]: K examples of N are drawn with K ~ Binomial(N, q), each example with probability q. Both are put to a
chi-square test. A logical batch is cut into ceil(K / P) physical batches of P rows, of which ceil(K / P) P - K are filling: `waste` is
their share of all rows, drawn and by the law. `time_ratio` is the time of clipped sums of whole physical batches with masks over that of
the same examples without filling, and `rows_ratio` what it would be if time went by rows: of some of these logical batches, all of them
together, taking turns in this process. Each way has one engine for all, which met every size of batch before the clock started.
"""

import argparse
import json
import math
import sys
import time

import torch
from torch import Tensor, nn

import ghostgrad
from header import header

EXAMPLES, EXPECTED = 10_000, 256
PHYSICAL = (8, 16, 32, 64, 128, 256)


def log_binomial(k: int, n: int, q: float) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(q) + (n - k) * math.log1p(-q)


def chi_square_tail(statistic: float, degrees: int) -> float:
    """P(chi-square > statistic) [Abramowitz64, 26.4]."""
    half = torch.tensor(degrees / 2, dtype=torch.float64)
    return float(torch.special.gammaincc(half, torch.tensor(statistic / 2, dtype=torch.float64)))


def fit_of_sizes(sizes: list[int], n: int, q: float) -> dict:
    """Sizes of logical batches in cells of about equal probability."""
    weights = [math.exp(log_binomial(k, n, q)) for k in range(n + 1)]
    cells, probability, first = [], 0.0, 0
    for k, weight in enumerate(weights):
        probability += weight
        if probability >= 0.05:
            cells.append((first, k, probability))
            probability, first = 0.0, k + 1
    cells[-1] = (cells[-1][0], n, cells[-1][2] + probability)
    expected = [len(sizes) * weight for _, _, weight in cells]
    seen = [sum(low <= k <= high for k in sizes) for low, high, _ in cells]
    statistic = sum((s - e) ** 2 / e for s, e in zip(seen, expected))
    return {"cells": len(cells), "chi_square": statistic, "p_value": chi_square_tail(statistic, len(cells) - 1)}


def fit_of_inclusion(counts: Tensor, steps: int, q: float) -> dict:
    """How often each example was drawn, against steps q with variance steps q (1 - q)."""
    statistic = float(((counts - steps * q) ** 2).sum() / (steps * q * (1 - q)))
    return {"examples": len(counts), "chi_square": statistic, "p_value": chi_square_tail(statistic, len(counts))}


def waste(sizes: list[int], physical: int) -> float:
    rows = sum(-(-k // physical) * physical for k in sizes)
    return 1 - sum(sizes) / rows


def waste_by_law(n: int, q: float, physical: int) -> float:
    rows = sum(math.exp(log_binomial(k, n, q)) * -(-k // physical) * physical for k in range(n + 1))
    return 1 - n * q / rows


class Timing:
    """Clipped sums of logical batches, in physical batches with or without filling."""

    def __init__(self, physical: int) -> None:
        torch.manual_seed(1)
        first, second = nn.Conv2d(3, 16, 3, 2), nn.Conv2d(16, 32, 3, 2)
        self.model = nn.Sequential(first, nn.GroupNorm(4, 16), nn.ReLU(), second, nn.ReLU(), nn.Flatten(), nn.Linear(1568, 10))
        self.inputs, self.targets = torch.randn(EXPECTED * 2, 3, 32, 32), torch.randint(0, 10, (EXPECTED * 2,))
        self.physical = physical
        plan = dict(clip=1.0, noise_multiplier=0, expected_batch_size=EXPECTED)
        self.engines = {masked: ghostgrad.Engine(self.model.named_parameters(), **plan) for masked in (True, False)}

    def seconds(self, size: int, masked: bool) -> float:
        engine, physical = self.engines[masked], self.physical
        start = time.perf_counter()
        for first in range(0, size, physical):
            rows = physical if masked else min(physical, size - first)
            mask = torch.arange(rows) < size - first if masked else None
            chosen = slice(first, first + rows)
            engine.backward(nn.functional.cross_entropy(self.model(self.inputs[chosen]), self.targets[chosen], reduction="none"), mask)
        engine.discard()
        return time.perf_counter() - start

    def ratio(self, sizes: list[int], rounds: int) -> float:
        """Of the time of all these logical batches; the first round, in which `auto` measures, does not count."""
        totals = {True: 0.0, False: 0.0}
        for round in range(rounds + 1):
            for size in sizes:
                for masked in totals:
                    elapsed = self.seconds(size, masked)
                    totals[masked] += elapsed if round > 0 else 0
        return totals[True] / totals[False]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4000, help="logical batches that are drawn")
    parser.add_argument("--timed", type=int, default=20, help="logical batches that are timed")
    parser.add_argument("--rounds", type=int, default=3, help="how often")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    q = EXPECTED / EXAMPLES
    sizes, counts = [], torch.zeros(EXAMPLES, dtype=torch.float64)
    for indices in ghostgrad.PoissonSampler(EXAMPLES, sample_rate=q, steps=options.steps):
        sizes.append(len(indices))
        counts[indices] += 1
    timed = sizes[: options.timed]
    rows = []
    for physical in PHYSICAL:
        row = {"physical_batch": physical, "waste": waste(sizes, physical), "waste_by_law": waste_by_law(EXAMPLES, q, physical)}
        row |= {"rows_ratio": 1 / (1 - waste(timed, physical)), "time_ratio": Timing(physical).ratio(timed, options.rounds)}
        rows.append(row)
    report = {
        **header(),
        "threads": 1,
        "timed_batches": len(timed),
        "rounds": options.rounds,
        "examples": EXAMPLES,
        "expected_batch_size": EXPECTED,
        "logical_batches": options.steps,
        "sizes": fit_of_sizes(sizes, EXAMPLES, q),
        "inclusion": fit_of_inclusion(counts, options.steps, q),
        "rows": rows,
    }
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
