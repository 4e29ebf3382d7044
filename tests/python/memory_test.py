# SPDX-License-Identifier: Apache-2.0
"""Nothing is kept from one step to the next: no cycle holds a graph or an engine. Memory over a thousand steps: engine_test.py."""

import gc
import weakref

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import ghostgrad
from ghostgrad.opacus import PrivacyEngine

X, Y = torch.randn(16, 64).double(), torch.arange(16) % 4


def network():
    return nn.Sequential(nn.Linear(64, 128), nn.Tanh(), nn.Linear(128, 4))


def engine_of(model):
    return ghostgrad.Engine(model.named_parameters(), clip=1.0, noise_multiplier=1.0, expected_batch_size=16, sample_rate=0.01)


class Watched:
    """Lives as long as what holds it."""


def graphs_left_behind(model, run):
    """How many of these steps' graphs are alive without a run of the garbage collector."""
    alive = []

    def watch(module, args, output):
        output.grad_fn.metadata["watched"] = watched = Watched()
        alive.append(weakref.ref(watched))

    handle = model.register_forward_hook(watch, prepend=True)
    gc.collect()
    gc.disable()
    try:
        run()
    finally:
        gc.enable()
        handle.remove()
    return sum(reference() is not None for reference in alive), len(alive)


def test_no_cycle_keeps_a_graph_alive():
    model = network()
    engine, optimizer = engine_of(model), torch.optim.SGD(model.parameters(), 0.1)

    def run():
        for _ in range(5):
            engine.backward(F.cross_entropy(model(X), Y, reduction="none"))
            engine.step(optimizer)

    assert graphs_left_behind(model, run) == (0, 5)


def test_no_cycle_of_the_opacus_interface_keeps_a_graph_alive():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    loader = DataLoader(TensorDataset(X, Y), batch_size=16)
    options = dict(module=model, optimizer=optimizer, data_loader=loader, noise_multiplier=1.0, max_grad_norm=1.0)
    made = PrivacyEngine().make_private(**options)

    def run():
        for _ in range(5):
            for x, y in made[2]:
                F.cross_entropy(made[0](x), y).backward()
                optimizer.step()

    assert graphs_left_behind(model, run) == (0, 5)


def test_an_engine_dies_with_its_last_reference():
    model = network()
    engine = engine_of(model)
    engine.backward(F.cross_entropy(model(X), Y, reduction="none"))
    reference = weakref.ref(engine)
    del engine
    assert reference() is None
