# SPDX-License-Identifier: Apache-2.0
"""Models that mix examples, each refused by the graph (naming the op) or by the independence check; and their harmless twins, accepted."""

from dataclasses import dataclass
from typing import Any, Callable

import pytest
import torch
import torch.nn.functional as F
from reference import assert_exact
from torch import nn

import ghostgrad

B, T, D = 6, 3, 4
GENERATOR = torch.Generator().manual_seed(0)  # the same batch whichever files were imported before
X, Y = torch.randn(B, D, generator=GENERATOR).double(), torch.arange(B) % 3
SEQUENCES = torch.randn(B, T, D, generator=GENERATOR).double()


@dataclass
class Pair:
    """One way to mix, and what it is easily confused with; each gives (model, loss function, batch)."""

    mixing: Callable[[], Any]
    twin: Callable[[], Any]
    op: str = ""  # what the graph's refusal names; empty: found by the check


class Between(nn.Module):
    """Any function of the hidden activations, between two layers."""

    def __init__(self, between):
        super().__init__()
        self.first, self.between, self.last = nn.Linear(D, 8), between, nn.Linear(8, 3)

    def forward(self, x):
        return self.last(self.between(self.first(x)).relu())


def hidden(between, evaluate=False):
    model = Between(between)
    if evaluate:
        model.eval()
    return model, lambda b: F.cross_entropy(model(b[0]), b[1], reduction="none"), (X, Y)


def frozen(norm):
    return norm.requires_grad_(False)


def from_scores(losses):
    """Losses of the scores [B, 3] and classes."""
    model = Between(nn.Identity())
    return model, lambda b: losses(model(b[0]), b[1]), (X, Y)


def each(out, y):
    return F.cross_entropy(out, y, reduction="none")


def of_inputs(change):
    """A network on changed raw inputs: no trace of the change is in the graph."""
    model = Between(nn.Identity())
    return model, lambda b: each(model(change(b[0])), b[1]), (X, Y)


def attention(batch_first):
    """Attention told, or not told, that examples come first."""
    layer = nn.MultiheadAttention(D, 2, batch_first=batch_first)
    return layer, lambda x: layer(x, x, x)[0].sin().sum((1, 2)), SEQUENCES


def contrastive(other):
    model = nn.Linear(D, 5)
    return model, lambda x: other(model(x), model(x.flip(1))), X


def in_batch(a, b):
    return F.cross_entropy(a @ b.T, torch.arange(len(a)), reduction="none")


def with_a_negative_of_its_own(a, b):
    return F.softplus((a * b.flip(1)).sum(1) - (a * b).sum(1))


def routed(capacity):
    """Rows go to an expert by their score; an expert takes `capacity` of them, first come, first served."""
    gate, experts = nn.Linear(D, 2), nn.ModuleList([nn.Linear(D, 3), nn.Linear(D, 3)])
    model = nn.ModuleList([gate, experts])

    def losses(b):
        scores = gate(b[0]).softmax(1)
        choice = scores.argmax(1)
        out = torch.zeros(len(b[0]), 3)
        for e, expert in enumerate(experts):
            rows = (choice == e).nonzero().squeeze(1)[:capacity]
            out = out.index_add(0, rows, expert(b[0][rows]) * scores[rows, e : e + 1])
        return each(out, b[1])

    return model, losses, (X, Y)


class Mixes(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return grad + grad.roll(1, 0)


class KeepsApart(Mixes):
    @staticmethod
    def backward(ctx, grad):
        return 2 * grad


def hardest_half(out, y):
    losses = each(out, y)
    return losses * (losses >= losses.median()).detach()


def normalised_by_hand(h):
    return (h - h.mean(0)) / h.std(0)


def mixup(x):
    return 0.7 * x + 0.3 * x.roll(1, 0)


PAIRS = {
    "batch norm": Pair(lambda: hidden(nn.BatchNorm1d(8)), lambda: hidden(nn.BatchNorm1d(8), evaluate=True), "NativeBatchNorm"),
    "batch norm, frozen": Pair(lambda: hidden(frozen(nn.BatchNorm1d(8))), lambda: hidden(frozen(nn.LayerNorm(8))), "NativeBatchNorm"),
    "batch norm, without affine": Pair(
        lambda: hidden(nn.BatchNorm1d(8, affine=False)), lambda: hidden(nn.LayerNorm(8, elementwise_affine=False)), "NativeBatchNorm"
    ),
    "batch norm, functional": Pair(
        lambda: hidden(lambda h: F.batch_norm(h, None, None, training=True)),
        lambda: hidden(lambda h: F.batch_norm(h, torch.zeros(8), torch.ones(8), training=False)),
        "NativeBatchNorm",
    ),
    "batch norm, by hand": Pair(
        lambda: hidden(normalised_by_hand), lambda: hidden(lambda h: (h - h.mean(1, True)) / h.std(1, keepdim=True)), "Backward"
    ),
    "layer norm over the batch": Pair(
        lambda: hidden(lambda h: F.layer_norm(h.T, (B,)).T if len(h) == B else h),
        lambda: hidden(lambda h: F.layer_norm(h, (8,))),
        "LayerNorm",
    ),
    "softmax over the batch": Pair(lambda: hidden(lambda h: h.softmax(0)), lambda: hidden(lambda h: h.softmax(1)), "Softmax"),
    "running sum over the batch": Pair(lambda: hidden(lambda h: h.cumsum(0)), lambda: hidden(lambda h: h.cumsum(1)), "Cumsum"),
    "centred activations": Pair(lambda: hidden(lambda h: h - h.mean(0)), lambda: hidden(lambda h: h - h.mean(1, True)), "Backward"),
    "centred activations, detached": Pair(
        lambda: hidden(lambda h: h - h.mean(0).detach()), lambda: hidden(lambda h: h - h.mean(1, True).detach())
    ),
    "scaled by a detached norm over the batch": Pair(
        lambda: hidden(lambda h: h / h.detach().norm()), lambda: hidden(lambda h: h / h.detach().norm(dim=1, keepdim=True))
    ),
    "standardised inputs": Pair(
        lambda: of_inputs(lambda x: (x - x.mean(0)) / x.std(0)), lambda: of_inputs(lambda x: (x - x.mean(1, True)) / x.std(1, keepdim=True))
    ),
    "mixup": Pair(lambda: of_inputs(mixup), lambda: of_inputs(lambda x: 0.7 * x + 0.3 * x.roll(1, 1))),
    "mixup of activations": Pair(lambda: hidden(mixup), lambda: hidden(lambda h: 0.7 * h + 0.3 * h.roll(1, 1)), "Backward"),
    "attention over the batch": Pair(lambda: attention(False), lambda: attention(True), "Backward"),
    "contrastive loss": Pair(lambda: contrastive(in_batch), lambda: contrastive(with_a_negative_of_its_own), "Backward"),
    "mean over all valid tokens": Pair(
        lambda: from_scores(lambda out, y: each(out, y) * (y > 0) / (y > 0).sum()),
        lambda: from_scores(lambda out, y: each(out, y) * (y > 0)),
    ),
    "weights normalised over the batch": Pair(
        lambda: from_scores(lambda out, y: each(out, y) * (1.0 + y) / (1.0 + y).sum()),
        lambda: from_scores(lambda out, y: each(out, y) * (1.0 + y)),
    ),
    "hardest half": Pair(
        lambda: from_scores(hardest_half), lambda: from_scores(lambda out, y: each(out, y) * (each(out, y) >= 1.0).detach())
    ),
    "ranks": Pair(
        lambda: from_scores(lambda out, y: each(out, y) * each(out, y).detach().argsort().argsort()),
        lambda: from_scores(lambda out, y: each(out, y) * out.detach().argmax(1)),
    ),
    "sorted activations": Pair(lambda: hidden(lambda h: h.sort(0).values), lambda: hidden(lambda h: h.sort(1).values), "Backward"),
    "experts of limited capacity": Pair(lambda: routed(1), lambda: routed(None)),
    "a backward that mixes": Pair(lambda: hidden(Mixes.apply), lambda: hidden(KeepsApart.apply)),
}


def engine_of(model):
    return ghostgrad.Engine(model.named_parameters(), noise_multiplier=0, expected_batch_size=1)


@pytest.mark.parametrize("name", PAIRS)
def test_what_mixes_examples_is_refused(name):
    pair = PAIRS[name]
    model, losses, batch = pair.mixing()
    engine = engine_of(model)
    if pair.op:
        with pytest.raises(ghostgrad.PrivacyError, match=rf"\[graph\] \S*{pair.op}") as refusal:
            ghostgrad.testing.clipped_sum(losses(batch), model.named_parameters(), independence="graph")
        assert str(refusal.value).count(";") >= 1  # says what to do
    with pytest.raises(ghostgrad.PrivacyError):
        for _ in range(10):  # each run replaces other examples; one alone may spare the few that are coupled
            engine.check_independence(losses, batch)
    if pair.op:
        with pytest.raises(ghostgrad.PrivacyError):
            engine.backward(losses(batch))


@pytest.mark.parametrize("name", PAIRS)
def test_the_harmless_twin_is_accepted_and_exact(name):
    model, losses, batch = PAIRS[name].twin()
    engine = engine_of(model)
    engine.check_independence(losses, batch)
    engine.backward(losses(batch))
    assert engine.report().independence == "audited"
    if name != "a backward that mixes":
        assert_exact(losses, batch, model, clip=0.3, independence="assumed")
