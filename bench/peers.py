# SPDX-License-Identifier: Apache-2.0
"""A step of ours beside a step of Opacus (per-example gradients by hooks, and its ghost clipping) and an ordinary one, on the same models.

    PYTHONPATH=build/release/python python bench/peers.py >bench/peers.json      # needs opacus 1.6

A step is forward, backward and clipped sum of one physical batch, without noise or optimizer. All take turns in one process; the median of
the rounds counts (the fastest is kept, too), as a ratio to the ordinary step. What a peer cannot train is kept as its first words.
"""

import argparse
import copy
import json
import statistics
import sys
import time
import warnings

import torch
import torch.nn.functional as F
from torch import nn

import ghostgrad
from header import header


class Recurrent(nn.Module):
    """nn.LSTM over 28 rows; for Opacus its own layer takes the place."""

    def __init__(self, layer=nn.LSTM):
        super().__init__()
        self.layer, self.head = layer(28, 64, batch_first=True), nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.layer(x)[0][:, -1])


class Decoder(nn.Module):
    """A small transformer that predicts the next token."""

    def __init__(self, vocabulary=1000, width=128, length=64):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList(
            nn.ModuleList([nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)]) for _ in range(2)
        )
        self.wide = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)) for _ in range(2)
        )
        self.head = nn.Linear(width, vocabulary, bias=False)

    def forward(self, x):
        h = self.tokens(x) + self.positions(torch.arange(x.shape[1]).repeat(len(x), 1))
        for (norm, qkv, out), wide in zip(self.blocks, self.wide):
            q, k, v = (part.unflatten(-1, (4, -1)).transpose(1, 2) for part in qkv(norm(h)).chunk(3, -1))
            h = h + out(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2))
            h = h + wide(h)
        return self.head(h).transpose(1, 2)  # [B, V, T]


def perceptron():
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))


def convolutions():
    layers, channels = [], 3
    for width in (32, 32, 64, 64):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.GroupNorm(8, width), nn.ReLU()] + (
            [nn.MaxPool2d(2)] if channels == width else []
        )
        channels = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 64, 10))


WORKLOADS = {
    "perceptron 784-512-256-10, B 128": (perceptron, lambda: (torch.randn(128, 784), torch.arange(128) % 10)),
    "4 convolutions 32x32, group norm, B 16": (convolutions, lambda: (torch.randn(16, 3, 32, 32), torch.arange(16) % 10)),
    "transformer d 128, 2 layers, V 1000, T 64, B 16": (
        Decoder,
        lambda: (torch.randint(0, 1000, (16, 64)), torch.randint(0, 1000, (16, 64))),
    ),
    "LSTM 28x28, h 64, B 64": (Recurrent, lambda: (torch.randn(64, 28, 28), torch.arange(64) % 10)),
}


def losses_of(model, batch):
    losses = F.cross_entropy(model(batch[0]), batch[1], reduction="none")
    return losses.flatten(1).mean(1) if losses.dim() > 1 else losses


def ordinary(model, batch):
    parameters = list(model.parameters())

    def step():
        torch.autograd.grad(losses_of(model, batch).sum(), parameters)

    return step


def ours(model, batch):
    engine = ghostgrad.Engine(model.named_parameters(), clip=1.0, noise_multiplier=1.0, expected_batch_size=len(batch[0]))

    def step():
        engine.backward(losses_of(model, batch))
        engine.discard()

    return step


def opacus(mode):
    def made(model, batch):
        from opacus import PrivacyEngine
        from opacus.layers import DPLSTM

        if isinstance(model, Recurrent):
            model = Recurrent(DPLSTM)
        loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*batch), batch_size=len(batch[0]))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        options = dict(module=model, optimizer=optimizer, data_loader=loader, noise_multiplier=0.0, max_grad_norm=1.0)
        made = PrivacyEngine(accountant="rdp").make_private(
            **options, criterion=nn.CrossEntropyLoss(), grad_sample_mode=mode, poisson_sampling=False
        )
        private, optimizer = made[0], made[1]

        def step():
            optimizer.zero_grad()
            out = private(batch[0])
            if mode == "ghost":
                shape = (*batch[1].shape, out.shape[1]) if batch[1].dim() > 1 else None
                flat = (out.transpose(1, 2).flatten(0, 1), batch[1].flatten()) if shape else (out, batch[1])
                made[2](*flat, **({"shape": shape} if shape else {})).backward()
            else:
                F.cross_entropy(out, batch[1]).backward()
                optimizer.pre_step()

        return step

    return made


WAYS = {"ordinary": ordinary, "ghostgrad": ours, "opacus hooks": opacus("hooks"), "opacus ghost": opacus("ghost")}


def seconds(step):
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def compared(name, rounds):
    make, batch_of = WORKLOADS[name]
    torch.manual_seed(0)
    model, batch = make(), batch_of()
    steps, failed = {}, {}
    for way, made in WAYS.items():
        try:
            steps[way] = made(copy.deepcopy(model), batch)
            for _ in range(3):
                steps[way]()
        except Exception as error:  # a peer's refusal is a result
            steps.pop(way, None)
            failed[way] = f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"
    times = {way: [] for way in steps}
    for _ in range(rounds):
        for way, step in steps.items():
            times[way].append(seconds(step))
    for way in WAYS:
        row = {"workload": name, "way": way, "ratio": None, "minimum_ratio": None, "median_ms": None, "failed": failed.get(way)}
        if way in times:
            row["ratio"] = statistics.median(times[way]) / statistics.median(times["ordinary"])
            row["minimum_ratio"] = min(times[way]) / min(times["ordinary"])
            row["median_ms"] = 1000 * statistics.median(times[way])
        yield row


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    rows = []
    for name in WORKLOADS:
        rows += compared(name, options.rounds)
        print(*(f"{row['way']} {row['ratio'] or row['failed']}" for row in rows[-len(WAYS) :]), sep="; ", file=sys.stderr)
    json.dump({**header("opacus"), "threads": 1, "rounds": options.rounds, "rows": rows}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
