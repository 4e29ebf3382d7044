#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How a step would scale over workers: a model fitted to runs on one and two processes, and a SIMULATION of more.

    PYTHONPATH=build/release/python .venv/bin/python bench/scaling.py [--rounds 9] >bench/scaling.json

Each worker forms the sum over its own physical batch, and the sums are added up by one all-reduce over a Gloo process group. What is
fitted, in seconds, with n workers and a sum of s bytes moved round a ring [Thakur05, Sec. 4.1.2; Patarasuk09]:

    all-reduce(n, s) = 2 (n - 1) latency + 2 (n - 1) / n * s / bandwidth           from all-reduces of several sizes on two processes
    step(n) = compute + all-reduce(n, s)                                          compute from one process

The processes share one machine and its memory: latency and bandwidth are those of its loopback, not of a network.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from typing import Callable

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn

import ghostgrad

BATCH = 32
SIZES = tuple(2**k for k in range(10, 23, 2))  # elements of float32
WORKERS = (1, 2, 4, 8, 16, 32, 64, 80)


def network() -> nn.Module:
    """Six convolutions of 32 to 128 filters on 3x32x32."""
    layers: list[nn.Module] = []
    for before, after, stride in ((3, 32, 1), (32, 32, 2), (32, 64, 1), (64, 64, 2), (64, 128, 1), (128, 128, 2)):
        layers += [nn.Conv2d(before, after, 3, stride, 1), nn.GroupNorm(8, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(2048, 128), nn.ReLU(), nn.Linear(128, 10))


def seconds(work: Callable[[], None], rounds: int) -> float:
    times = []
    for _ in range(rounds + 1):  # the first is warm-up
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def compute_seconds(method: str, rounds: int) -> tuple[float, int]:
    """Forward and sum of one physical batch, and the elements of the sum."""
    torch.manual_seed(1)
    model, inputs, targets = network(), torch.randn(BATCH, 3, 32, 32), torch.randint(0, 10, (BATCH,))

    def step() -> None:
        losses = nn.functional.cross_entropy(model(inputs), targets, reduction="none")
        if method == "non_private":
            torch.autograd.grad(losses.sum(), list(model.parameters()))
        else:
            ghostgrad.testing.clipped_sum(losses, model.named_parameters(), clip=1.0, method=method)

    return seconds(step, rounds), sum(parameter.numel() for parameter in model.parameters())


def worker(rank: int, count: int, folder: str, rounds: int) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=count)
    reduced = {}
    for size in SIZES:
        sums = torch.ones(size)
        reduced[size] = seconds(lambda: dist.all_reduce(sums.fill_(1.0)), 3 * rounds)
    dist.barrier()
    compute = {method: compute_seconds(method, rounds)[0] for method in ("non_private", "auto")}
    if rank == 0:
        with open(f"{folder}/report.json", "w", encoding="utf-8") as file:
            json.dump({"all_reduce": list(reduced.items()), "compute": compute}, file)
    dist.destroy_process_group()


def run(count: int, rounds: int) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(worker, args=(count, folder, rounds), nprocs=count)
        with open(f"{folder}/report.json", encoding="utf-8") as file:
            return json.load(file)


def fitted(pairs: list[tuple[int, float]]) -> tuple[float, float]:
    """(latency, bandwidth) of two processes by least squares of relative errors: t = 2 latency + s / bandwidth."""
    weights = torch.tensor([1 / t for _, t in pairs], dtype=torch.float64)
    sizes = torch.tensor([4.0 * size for size, _ in pairs], dtype=torch.float64)
    left = torch.stack([2 * weights, sizes * weights], 1)
    latency, slope = torch.linalg.lstsq(left, torch.ones(len(pairs), 1, dtype=torch.float64)).solution.flatten().tolist()
    return max(latency, 0.0), 1 / slope


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args(arguments).rounds
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    alone, pair = run(1, rounds), run(2, rounds)
    latency, bandwidth = fitted([(size, t) for size, t in pair["all_reduce"]])
    elements = sum(parameter.numel() for parameter in network().parameters())
    rows = []
    for method in ("non_private", "auto"):
        for n in WORKERS:
            reduce = 2 * (n - 1) * latency + 2 * (n - 1) / n * 4 * elements / bandwidth
            compute = alone["compute"][method]
            step = compute + reduce
            rows.append({"method": method, "workers": n, "step_ms": 1e3 * step, "speed_up": n * compute / step, "simulated": n > 2})
    report = {
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "versions": {"ghostgrad": ghostgrad.__version__, "torch": torch.__version__},
        "batch": BATCH,
        "elements": elements,
        "latency_us": 1e6 * latency,
        "bandwidth_mb_per_s": bandwidth / 1e6,
        "compute_of_two_over_one": {method: pair["compute"][method] / alone["compute"][method] for method in alone["compute"]},
        "rows": rows,
    }
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
