# SPDX-License-Identifier: Apache-2.0
"""Clipped sums and norms of unmodified models, against the loop over examples, in float64."""

import pytest
import torch
import torch.nn.functional as F
from classifier import losses_of
from hypothesis import given
from hypothesis import strategies as st
from reference import assert_all_close, assert_exact, clipped_sum
from torch import nn

import ghostgrad

FROM_LOSSES = [name for name in ghostgrad.methods() if name not in ("naive", "non_private")]


def image_batch(examples=5):
    return torch.randn(examples, 3, 8, 8), torch.randint(0, 4, (examples,))


def cnn():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.GroupNorm(2, 8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, stride=2, groups=4, padding_mode="reflect", padding=1),
        nn.Flatten(),
        nn.LayerNorm(128),
        nn.Linear(128, 4),
    )


class Transformer(nn.Module):
    """Token embedding tied to the head, learned positions, one encoder layer."""

    def __init__(self, vocabulary=11, width=8):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.randn(6, width))
        self.layer = nn.TransformerEncoderLayer(width, 2, 16, dropout=0.0, batch_first=True)

    def forward(self, x):
        return self.layer(self.tokens(x) + self.positions) @ self.tokens.weight.T


def token_losses(model):
    return lambda batch: ghostgrad.per_example_loss(model(batch["x"]), batch["y"])


@pytest.mark.parametrize("method", FROM_LOSSES)
def test_every_method_gives_the_sums_of_the_loop(method):
    model = cnn()
    assert_exact(losses_of(model), image_batch(), model, clip=0.5, method=method)


def test_a_transformer_with_tied_embedding_and_ignored_tokens_is_exact():
    model = Transformer()
    y = torch.randint(0, 11, (4, 6))
    y[0, 2:] = -100
    y[1] = -100
    assert_exact(token_losses(model), {"x": torch.randint(0, 11, (4, 6)), "y": y}, model)


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_recurrent_layers_are_exact(kind):
    layer, head = kind(3, 5, num_layers=2, bidirectional=True), nn.Linear(10, 2)
    model = nn.ModuleList([layer, head])
    x, y = torch.randn(4, 6, 3), torch.randn(4, 2)
    assert_exact(lambda batch: ((head(layer(batch[0].transpose(0, 1))[0][-1]) - batch[1]) ** 2).sum(1), (x, y), model)


def test_the_positions_of_the_batch_axis_do_not_matter():
    layer = nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0)  # [T, B, d]
    assert_exact(lambda x: layer(x.transpose(0, 1)).pow(2).sum((0, 2)), torch.randn(3, 4, 6), layer)


@given(
    st.lists(st.sampled_from(["linear", "relu", "norm", "twice", "scale", "tanh"]), min_size=1, max_size=5),
    st.integers(1, 4),
    st.integers(1, 3),
)
def test_random_programs_are_exact(steps, examples, positions):
    torch.manual_seed(len(steps) + 7 * examples)
    model = nn.ModuleDict({"linear": nn.Linear(4, 4), "norm": nn.LayerNorm(4)})
    model.register_parameter("scale", nn.Parameter(torch.randn(4)))

    def losses(x):
        h = model["linear"](x)
        for step in steps:
            if step in ("linear", "norm"):
                h = model[step](h)
            elif step == "twice":
                h = F.linear(h, model["linear"].weight.T)
            else:
                h = h * model.scale if step == "scale" else getattr(torch, step)(h)
        return h.flatten(1).pow(2).sum(1)

    assert_exact(losses, torch.randn(examples, positions, 4), model, independence="assumed")


def test_masked_examples_count_as_if_they_were_not_there():
    model = cnn()
    batch = image_batch()
    mask = torch.tensor([True, False, True, True, False])
    found, _ = ghostgrad.testing.clipped_sum(losses_of(model)(batch), model.named_parameters(), mask=mask)
    expected, _ = clipped_sum(losses_of(model), (batch[0][mask], batch[1][mask]), list(model.parameters()))
    assert_all_close(found, expected)


def test_a_weight_used_functionally_and_a_frozen_one_are_exact():
    model = nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 4))
    model[1].bias.requires_grad_(False)
    losses = lambda batch: F.cross_entropy(F.linear(model(batch[0]), model[0].weight), batch[1], reduction="none")
    assert_exact(losses, (torch.randint(0, 7, (5,)), torch.randint(0, 7, (5,))), model)
    sums, _ = ghostgrad.testing.clipped_sum(losses((torch.tensor([1, 2]), torch.tensor([3, 4]))), model.named_parameters())
    assert [list(s.shape) for s in sums] == [list(p.shape) for p in model.parameters()] and sums[2].abs().sum() == 0


def test_a_regulariser_is_part_of_every_example():
    model = nn.Linear(3, 1)
    assert_exact(lambda x: model(x).squeeze(1).pow(2) + 0.1 * model.weight.pow(2).sum(), torch.randn(4, 3), model)


class Cube(torch.autograd.Function):
    """A custom function over data and a parameter."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return (x @ w) ** 3

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        inner = grad * 3 * (x @ w) ** 2
        return inner @ w.T, x.T @ inner


def test_custom_functions_run_by_the_fallback_and_want_the_check():
    weight, last = nn.Parameter(torch.randn(3, 4)), nn.Linear(4, 1)
    named = [("weight", weight), *last.named_parameters()]
    losses = lambda x: last(Cube.apply(x, weight)).squeeze(1)
    x = torch.randn(5, 3)
    with pytest.raises(ghostgrad.PrivacyError, match="CubeBackward.*check_independence"):
        ghostgrad.testing.clipped_sum(losses(x), named)
    found, _ = ghostgrad.testing.clipped_sum(losses(x), named, independence="assumed")
    expected, _ = clipped_sum(losses, x, [p for _, p in named])
    assert_all_close(found, expected)
    engine = ghostgrad.Engine(named, noise_multiplier=0, expected_batch_size=1)
    assert engine.check_independence(losses, x).rounds > 0
    engine.backward(losses(x))
    assert engine.report().by_rule["fallback"] == 1


class Broken(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        return x * w

    @staticmethod
    def backward(ctx, grad):
        raise KeyError("from the user's own backward")


def test_an_error_in_a_custom_backward_arrives_as_it_is():
    weight = nn.Parameter(torch.randn(3))
    below = nn.Linear(3, 3)
    losses = Broken.apply(below(torch.randn(2, 3)), weight).sum(1)
    with pytest.raises(KeyError, match="the user's own"):
        ghostgrad.testing.clipped_sum(losses, [("w", weight), *below.named_parameters()], independence="assumed")
