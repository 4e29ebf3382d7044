# SPDX-License-Identifier: Apache-2.0
"""The independence check over nested batches and every generator."""

import random
from collections import UserDict, namedtuple

import numpy
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import ghostgrad

Pair = namedtuple("Pair", "x y")
X, Y = torch.randn(6, 4).double(), torch.arange(6) % 3


class Encoding(UserDict):
    """As tokenizers return them."""


@pytest.mark.parametrize(
    "batch, losses_from",
    [
        ((X, Y), lambda m, b: F.cross_entropy(m(b[0]), b[1], reduction="none")),
        ([X, Y], lambda m, b: F.cross_entropy(m(b[0]), b[1], reduction="none")),
        (Pair(X, Y), lambda m, b: F.cross_entropy(m(b.x), b.y, reduction="none")),
        (
            {"x": X, "more": {"y": Y, "scale": 2.0}},
            lambda m, b: b["more"]["scale"] * F.cross_entropy(m(b["x"]), b["more"]["y"], reduction="none"),
        ),
        (Encoding(x=X, y=Y), lambda m, b: F.cross_entropy(m(b["x"]), b["y"], reduction="none")),
        (X, lambda m, b: m(b).pow(2).sum(1)),
    ],
)
def test_batches_of_any_nesting_are_checked(batch, losses_from):
    model = nn.Linear(4, 3)
    report = ghostgrad.check_independence(lambda b: losses_from(model, b), batch, model.named_parameters())
    assert report.rounds >= 4 and report.dropped and report.to_the_bit and not report.random_losses
    assert ghostgrad.check_independence(lambda b: losses_from(model, b), batch) == report


def test_random_numbers_of_every_generator_are_held_still():
    model = nn.Linear(4, 3)

    def losses(x):
        noise = torch.rand(len(x)) + torch.tensor(numpy.random.rand(len(x))) + random.random()
        return F.dropout(model(x), 0.5).sum(1) * noise

    states = torch.get_rng_state(), random.getstate(), numpy.random.get_state()[1].tolist()
    assert ghostgrad.check_independence(losses, X, model.named_parameters()).random_losses
    assert (
        torch.equal(torch.get_rng_state(), states[0])
        and random.getstate() == states[1]
        and numpy.random.get_state()[1].tolist() == states[2]
    )


def test_batches_that_cannot_be_checked_are_refused():
    model = nn.Linear(4, 3)
    losses = lambda x: model(x).sum(1)
    for batch in (X[:1], X[:1].expand(4, 4), (X, Y[:3]), {}, "x", (X, torch.tensor(1.0))):
        with pytest.raises(ghostgrad.InvalidArgument):
            ghostgrad.check_independence(losses, batch, model.named_parameters())
    with pytest.raises(ghostgrad.InvalidArgument, match="loss_fn"):
        ghostgrad.check_independence(lambda x: 1.0, X, model.named_parameters())


def test_errors_of_the_loss_function_arrive_as_they_are():
    def broken(x):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        ghostgrad.check_independence(broken, X, nn.Linear(4, 3).named_parameters())


def test_gradients_and_modes_are_left_alone():
    model = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.1)).train()
    ghostgrad.check_independence(lambda x: model(x).sum(1), X, model.named_parameters())
    assert model.training and all(p.grad is None for p in model.parameters())


def test_a_scalar_mean_is_checked_as_its_examples():
    model = nn.Linear(4, 3)
    ghostgrad.check_independence(lambda b: F.cross_entropy(model(b[0]), b[1]), (X, Y), model.named_parameters())


def test_what_moves_by_rounding_alone_is_let_pass_and_reported():
    """As kernels do that libraries choose by what a batch holds."""
    model = nn.Linear(4, 3)

    def losses(batch):
        each = model(batch).pow(2).sum(1)
        return each * (1 + share * each.detach().mean())

    for share, expected in ((0.0, True), (1e-14, False)):
        assert ghostgrad.check_independence(losses, X, model.named_parameters()).to_the_bit is expected
    share = 1e-10
    with pytest.raises(ghostgrad.PrivacyError, match="moves when other examples"):
        ghostgrad.check_independence(losses, X, model.named_parameters())


class Clamped(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return g.clamp(-1, 1)


def test_a_backward_that_clamps_its_gradient_is_found_by_uneven_weights():
    """Each example's gradient is at the clamp, and so is that of their sum: they add up, but not with other weights."""
    model = nn.Linear(4, 3)
    with pytest.raises(ghostgrad.PrivacyError, match="do not add up"):
        ghostgrad.check_independence(lambda x: (Clamped.apply(model(x)) * 1000).sum(1), X, model.named_parameters())
