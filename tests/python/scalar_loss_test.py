# SPDX-License-Identifier: Apache-2.0
"""Scalars that are plainly a mean or sum over examples are taken apart exactly; all others are refused."""

import pytest
import torch
import torch.nn.functional as F
from classifier import losses_of
from reference import assert_all_close, assert_close, assert_released, clipped_sum
from torch import nn

import ghostgrad

B = 5


def network():
    return nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 4))


X, CLASSES, VALUES, BITS = torch.randn(B, 3).double(), torch.arange(B) % 4, torch.randn(B, 4).double(), torch.ones(B, 4).double()

PLAIN = {
    "mean": (lambda out: out.pow(2).sum(1).mean(), lambda out: out.pow(2).sum(1)),
    "sum": (lambda out: out.pow(2).sum(1).sum(), lambda out: out.pow(2).sum(1)),
    "mean over dim 0": (lambda out: out.pow(2).sum(1).mean(0), lambda out: out.pow(2).sum(1)),
    "cross entropy": (lambda out: F.cross_entropy(out, CLASSES), lambda out: F.cross_entropy(out, CLASSES, reduction="none")),
    "cross entropy, sum": (
        lambda out: F.cross_entropy(out, CLASSES, reduction="sum"),
        lambda out: F.cross_entropy(out, CLASSES, reduction="none"),
    ),
    "cross entropy of images": (
        lambda out: F.cross_entropy(out.view(B, 2, 1, 2), BITS.long().view(B, 2, 2)[:, :1]),
        lambda out: F.cross_entropy(out.view(B, 2, 1, 2), BITS.long().view(B, 2, 2)[:, :1], reduction="none").flatten(1).mean(1),
    ),
    "mse": (lambda out: F.mse_loss(out, VALUES), lambda out: F.mse_loss(out, VALUES, reduction="none").mean(1)),
    "mse, sum": (lambda out: F.mse_loss(out, VALUES, reduction="sum"), lambda out: F.mse_loss(out, VALUES, reduction="none").sum(1)),
    "mse of squeezed": (
        lambda out: F.mse_loss(out[:, :1].squeeze(1), VALUES[:, 0]),
        lambda out: F.mse_loss(out[:, 0], VALUES[:, 0], reduction="none"),
    ),
    "bce": (
        lambda out: F.binary_cross_entropy(out.sigmoid(), BITS),
        lambda out: F.binary_cross_entropy(out.sigmoid(), BITS, reduction="none").mean(1),
    ),
    "bce with logits": (
        lambda out: F.binary_cross_entropy_with_logits(out, BITS),
        lambda out: F.binary_cross_entropy_with_logits(out, BITS, reduction="none").mean(1),
    ),
    "bce with positive weights": (
        lambda out: F.binary_cross_entropy_with_logits(out, BITS, pos_weight=torch.arange(4.0)),
        lambda out: F.binary_cross_entropy_with_logits(out, BITS, pos_weight=torch.arange(4.0), reduction="none").mean(1),
    ),
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_reduction_gives_the_sums_of_its_examples(name):
    scalar, each = PLAIN[name]
    model = network()
    out = model(X)
    expected, norms = ghostgrad.testing.clipped_sum(each(out), model.named_parameters(), clip=0.3)
    found, found_norms = ghostgrad.testing.clipped_sum(scalar(out), model.named_parameters(), clip=0.3)
    assert_close(found_norms, norms)
    assert_all_close(found, expected)


def test_a_plain_reduction_agrees_with_the_loop():
    model = network()
    found, _ = ghostgrad.testing.clipped_sum(F.cross_entropy(model(X), CLASSES), model.named_parameters(), clip=0.3)
    expected, _ = clipped_sum(losses_of(model), (X, CLASSES), list(model.parameters()), 0.3)
    assert_all_close(found, expected)


def test_both_sides_of_a_squared_error_may_depend_on_parameters():
    one, two = nn.Linear(3, 4), nn.Linear(3, 4)
    model = nn.ModuleList([one, two])
    expected, _ = ghostgrad.testing.clipped_sum(F.mse_loss(one(X), two(X), reduction="none").mean(1), model.named_parameters(), clip=0.1)
    found, _ = ghostgrad.testing.clipped_sum(F.mse_loss(one(X), two(X)), model.named_parameters(), clip=0.1)
    assert_all_close(found, expected)


IGNORED = CLASSES.clone()
IGNORED[0] = -100
TOKENS = torch.arange(B * 2) % 2

REFUSED = {
    "accumulation factor": (lambda out: F.cross_entropy(out, CLASSES) / 4, "DivBackward0"),
    "regulariser outside": (lambda out: F.cross_entropy(out, CLASSES) + 0.1 * out.pow(2).mean(), "AddBackward0"),
    "class weights": (lambda out: F.cross_entropy(out, CLASSES, weight=torch.arange(1.0, 5.0)), "class weights"),
    "ignored targets": (lambda out: F.cross_entropy(out, IGNORED), "not ignored"),
    "label smoothing": (lambda out: F.cross_entropy(out, CLASSES, label_smoothing=0.1), "AddBackward0|MulBackward0"),
    "valid count": (lambda out: (out.sum(1) * (VALUES[:, 0] > 0)).sum() / (VALUES[:, 0] > 0).sum(), "DivBackward0"),
    "token rows": (lambda out: F.cross_entropy(out.view(B, 2, 2).view(-1, 2), TOKENS), "reshaped from"),
    "token rows, mean": (lambda out: F.cross_entropy(out.view(B, 2, 2).view(-1, 2), TOKENS, reduction="none").mean(), "reshaped from"),
    "mean of a matrix": (lambda out: out.mean(), r"shape \[5, 4\]"),
    "bce with element weights": (lambda out: F.binary_cross_entropy(out.sigmoid(), BITS, weight=BITS), "weights"),
    "one example's": (lambda out: out.pow(2).sum(1)[0], "SelectBackward0"),
    "maximum": (lambda out: out.pow(2).sum(1).max(), "MaxBackward1"),
    "an example without a batch axis": (lambda out: F.cross_entropy(out[0], CLASSES[0]), "without a batch axis"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_any_other_scalar_is_refused_with_what_to_write_instead(name):
    scalar, said = REFUSED[name]
    model = network()
    engine = ghostgrad.Engine(model.named_parameters(), noise_multiplier=0, expected_batch_size=B)
    with pytest.raises(ValueError, match=said) as refusal:
        engine.backward(scalar(model(X)))
    assert "reduction=none" in str(refusal.value)


def test_rows_merged_before_the_first_parameter_are_counted_by_the_check():
    model = network()
    tokens, classes = torch.randn(4, 2, 3), torch.randint(0, 4, (4, 2))
    with pytest.raises(ValueError, match="8 losses for 4 examples"):
        ghostgrad.check_independence(lambda b: F.cross_entropy(model(b[0].view(-1, 3)), b[1].view(-1)), (tokens, classes))


def test_the_model_is_trained_as_from_losses():
    model = network()
    engine = ghostgrad.Engine(model.named_parameters(), clip=0.3, noise_multiplier=0, expected_batch_size=B)
    engine.backward(nn.CrossEntropyLoss()(model(X), CLASSES))
    engine.release()
    assert_released(losses_of(model), (X, CLASSES), model.parameters(), clip=0.3, divisor=B)


def test_per_example_loss_divides_by_each_examples_own_count():
    logits, labels = torch.randn(3, 4, 6), torch.randint(0, 6, (3, 4))
    labels[0, 1:] = -100
    labels[2] = -100
    found = ghostgrad.per_example_loss(logits, labels)
    for i in range(2):
        assert_close(found[i], F.cross_entropy(logits[i], labels[i]))
    assert found[2] == 0
    assert_close(
        ghostgrad.per_example_loss(logits[:, 0], labels[:, 0])[:2], F.cross_entropy(logits[:2, 0], labels[:2, 0], reduction="none")
    )
    with pytest.raises(ghostgrad.InvalidArgument, match="per_example_loss"):
        ghostgrad.per_example_loss(logits, labels[:, :-1])
