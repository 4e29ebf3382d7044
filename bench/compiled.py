# SPDX-License-Identifier: Apache-2.0
"""What torch.compile costs and saves in private training, over an ordinary eager step of the same model.

    PYTHONPATH=build/release/python .venv/bin/python bench/compiled.py

One thread, processor time, medians; all take turns. Private steps of a compiled model run by the fallback (docs/python.md).
"""

import statistics
import time

import torch
import torch._functorch.config
import torch.nn.functional as F
from torch import nn

import ghostgrad

ROUNDS = 9


def perceptron():
    model = nn.Sequential(nn.Linear(64, 256), nn.GELU(), nn.LayerNorm(256), nn.Linear(256, 256), nn.GELU(), nn.LayerNorm(256), nn.Linear(256, 10))
    return model, (torch.randn(32, 64), torch.randint(0, 10, (32,)))


def transformer():
    layer = nn.TransformerEncoderLayer(128, 4, 512, dropout=0.0, batch_first=True)
    model = nn.Sequential(nn.Embedding(1000, 128), layer, nn.Linear(128, 1000))
    return model, tuple(torch.randint(0, 1000, (2, 16, 64)))


def losses_of(model, batch):
    """Of rows, or the mean over an example's positions."""
    each = F.cross_entropy(model(batch[0]).movedim(-1, 1), batch[1], reduction="none")
    return each.flatten(1).mean(1) if each.dim() > 1 else each


def contenders(model, batch):
    compiled = torch.compile(model)
    options = dict(noise_multiplier=0, expected_batch_size=1, independence="assumed")
    engine = ghostgrad.Engine(model.named_parameters(), **options)

    def ordinary():
        losses_of(model, batch).sum().backward()
        model.zero_grad()

    def private(called):
        engine.backward(losses_of(called, batch))
        engine.discard()

    return {"ordinary": ordinary, "private": lambda: private(model), "private, compiled": lambda: private(compiled)}


def ratios(model, batch):
    runs = contenders(model, batch)
    times = {name: [] for name in runs}
    for round in range(ROUNDS + 2):  # the first two compile and measure
        for name, run in runs.items():
            start = time.process_time()
            run()
            if round >= 2:
                times[name].append(time.process_time() - start)
    medians = {name: statistics.median(each) for name, each in times.items()}
    return {name: median / medians["ordinary"] for name, median in medians.items()}


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    torch._functorch.config.donated_buffer = False
    for make in (perceptron, transformer):
        print(make.__name__, {name: round(ratio, 2) for name, ratio in ratios(*make()).items()})


if __name__ == "__main__":
    main()
