# SPDX-License-Identifier: Apache-2.0
"""The oracle: one example at a time, the slow and obvious way."""

import torch
from torch import nn

import ghostgrad
from ghostgrad.nests import mapped, tensors_of


def rows(batch, i):
    """The batch that holds example i alone."""
    return mapped(lambda tensor: tensor[i : i + 1], batch)


def length(batch):
    return len(next(tensors_of(batch)))


def clipped_sum(loss_fn, batch, parameters, clip=1.0):
    """sum_i min(1, C / |G_i|) G_i and |G_i|, by a loop over examples; loss_fn: batch -> losses [B]."""
    sums = [torch.zeros_like(parameter) for parameter in parameters]
    norms = []
    for i in range(length(batch)):
        grads = torch.autograd.grad(loss_fn(rows(batch, i)).sum(), parameters, allow_unused=True)
        grads = [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, grads)]
        norm = torch.sqrt(sum((g.double() ** 2).sum() for g in grads))
        norms.append(norm)
        for total, grad in zip(sums, grads):
            total += min(1.0, clip / norm.item() if norm > 0 else 1.0) * grad
    return sums, torch.stack(norms)


def assert_exact(loss_fn, batch, module: nn.Module, *, clip=1.0, tolerance=1e-9, **options):
    """ghostgrad's sums and norms against the loop's. Returns what it was compared with."""
    named = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    expected, norms = clipped_sum(loss_fn, batch, [p for _, p in named], clip)
    found, found_norms = ghostgrad.testing.clipped_sum(loss_fn(batch), named, clip=clip, **options)
    assert_close(found_norms, norms, tolerance)
    for (name, _), one, other in zip(named, found, expected):
        assert_close(one, other, tolerance, name)
    return expected, norms


def assert_released(loss_fn, batch, parameters, *, clip=1.0, divisor=8.0):
    """Each .grad is the loop's clipped sum over the divisor."""
    parameters = list(parameters)
    expected, _ = clipped_sum(loss_fn, batch, parameters, clip)
    assert_all_close([parameter.grad for parameter in parameters], [total / divisor for total in expected])


def assert_all_close(found, expected, tolerance=1e-9):
    for i, (one, other) in enumerate(zip(found, expected, strict=True)):
        assert_close(one, other, tolerance, f"number {i}")


def assert_close(found, expected, tolerance=1e-9, what=""):
    scale = max(1.0, expected.abs().max().item()) if expected.numel() else 1.0
    difference = (found.double() - expected.double()).abs().max().item() if expected.numel() else 0.0
    assert difference <= tolerance * scale, f"{what}: {difference} apart"
