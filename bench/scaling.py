#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How a step scales over workers: steps of one and of two processes, measured, and a SIMULATION of more by a model fitted to them.

    PYTHONPATH=build/release/python .venv/bin/python bench/scaling.py [--rounds 15] >bench/scaling.json

Each worker has one thread. It forms the sum over its own physical batch, by an engine that lasts, and the sums are added up by one
all-reduce of as many float32 as there are parameters, over a Gloo process group. A step ends when its all-reduce does. The model, in
seconds, of n workers and a sum of s bytes moved round a ring [Thakur05, Sec. 4.1.2; Patarasuk09]:

    all-reduce(n, s) = 2 (n - 1) latency + 2 (n - 1) / n * s / bandwidth           from all-reduces of several sizes on two processes
    step(n) = compute(n) + all-reduce(n, s)                                       compute(1) and compute(2) from one and two processes

Two processes share a machine and its memory and slow each other down: compute(n) = compute(2) for all n > 2, as if workers came in pairs.
Latency and bandwidth are those of the machine's loopback, not of a network.
"""

import argparse
import json
import os
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
from header import header

BATCH = 32
SIZES = tuple(2**k for k in range(10, 23, 2))  # elements of float32
WORKERS = (1, 2, 4, 8, 16, 32, 64, 80)
METHODS = ("non_private", "auto")
WARM_UP = 3


def network() -> nn.Module:
    """Six convolutions of 32 to 128 filters on 3x32x32."""
    layers: list[nn.Module] = []
    for before, after, stride in ((3, 32, 1), (32, 32, 2), (32, 64, 1), (64, 64, 2), (64, 128, 1), (128, 128, 2)):
        layers += [nn.Conv2d(before, after, 3, stride, 1), nn.GroupNorm(8, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(2048, 128), nn.ReLU(), nn.Linear(128, 10))


def elements(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def sum_of(method: str, model: nn.Module) -> Callable[[], object]:
    """Forward and sum of one physical batch."""
    inputs, targets = torch.randn(BATCH, 3, 32, 32), torch.randint(0, 10, (BATCH,))
    losses = lambda: nn.functional.cross_entropy(model(inputs), targets, reduction="none")
    if method == "non_private":
        return lambda: torch.autograd.grad(losses().sum(), list(model.parameters()))
    engine = ghostgrad.Engine(model.named_parameters(), clip=1.0, noise_multiplier=0, expected_batch_size=BATCH, method=method)

    def private() -> None:
        engine.backward(losses())
        engine.discard()

    return private


def elapsed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def steps(rounds: int) -> dict[str, dict[str, float]]:
    """Of each method, taking turns: medians of the seconds of a step, and of its computing."""
    torch.manual_seed(1)
    model = network()
    works, sums = {method: sum_of(method, model) for method in METHODS}, torch.ones(elements(model))
    times: dict[str, list[tuple[float, float]]] = {method: [] for method in METHODS}
    for _ in range(WARM_UP + rounds):
        for method, work in works.items():
            dist.barrier()
            computing = elapsed(work)
            times[method].append((computing, computing + elapsed(lambda: dist.all_reduce(sums.fill_(1.0)))))
    parts = {"compute": 0, "step": 1}
    return {method: {part: statistics.median(time[k] for time in times[method][WARM_UP:]) for part, k in parts.items()} for method in METHODS}


def all_reduce(size: int, rounds: int) -> float:
    sums, times = torch.ones(size), []
    for _ in range(WARM_UP + 3 * rounds):
        dist.barrier()
        times.append(elapsed(lambda: dist.all_reduce(sums.fill_(1.0))))
    return statistics.median(times[WARM_UP:])


def worker(rank: int, count: int, folder: str, rounds: int) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=count)
    reduced = [(size, all_reduce(size, rounds)) for size in SIZES] if count > 1 else []
    report = {"all_reduce": reduced, **steps(rounds)}
    if rank == 0:
        with open(f"{folder}/report.json", "w", encoding="utf-8") as file:
            json.dump(report, file)
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


def rows_of(method: str, measured: dict[int, dict], reduced: Callable[[int], float]) -> list[dict]:
    """Speed-ups over one worker, measured where there were so many, and by the model."""
    base = measured[1]["step"]
    rows = []
    for n in WORKERS:
        seen = measured[n]["step"] if n in measured else None
        step = measured[min(n, 2)]["compute"] + reduced(n)
        row = {"method": method, "workers": n, "step_ms": seen and 1e3 * seen, "speed_up": seen and n * base / seen}
        rows.append({**row, "model_step_ms": 1e3 * step, "model_speed_up": n * base / step, "simulated": seen is None})
    return rows


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args(arguments).rounds
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    runs = {count: run(count, rounds) for count in (1, 2)}
    latency, bandwidth = fitted(runs[2]["all_reduce"])
    size = elements(network())
    reduced = lambda n: 2 * (n - 1) * latency + 2 * (n - 1) / n * 4 * size / bandwidth
    rows = [row for method in METHODS for row in rows_of(method, {count: runs[count][method] for count in runs}, reduced)]
    report = {
        **header(),
        "threads_of_a_worker": 1,
        "rounds": rounds,
        "batch": BATCH,
        "elements": size,
        "latency_us": 1e6 * latency,
        "bandwidth_mb_per_s": bandwidth / 1e6,
        "measured_ms": {str(n): {m: {k: 1e3 * v for k, v in runs[n][m].items()} for m in METHODS} for n in runs},
        "rows": rows,
    }
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
