# SPDX-License-Identifier: Apache-2.0
"""Graphs that were once read wrongly: each is exact now, or refused with the reason."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import ghostgrad

METHODS = ["auto", "bk", "ghost", "reweight", "per_example", "bk_mixed_opt"]


def parameter(*shape, scale=1.0):
    return (torch.randn(*shape, dtype=torch.float64) * scale).requires_grad_()


def by_example(values):
    return values.flatten(1).square().sum(1)


def assert_exact(losses, parameters, **options):
    """Norms and clipped sums of every method against one backward for each example of the same graph."""
    rows = [torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True) for loss in losses]
    rows = [[torch.zeros_like(p) if g is None else g for p, g in zip(parameters, row)] for row in rows]
    norms = torch.stack([torch.sqrt(sum((g**2).sum() for g in row)) for row in rows])
    expected = [sum(g / max(1.0, norm.item()) for g, norm in zip(column, norms)) for column in zip(*rows)]
    for method in METHODS:
        named = [(str(i), p) for i, p in enumerate(parameters)]
        sums, found = ghostgrad.testing.clipped_sum(losses, named, method=method, **options)
        torch.testing.assert_close(found, norms, rtol=1e-9, atol=1e-12, msg=lambda text: f"{method} norms: {text}")
        for one, other in zip(sums, expected):
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12, msg=lambda text: f"{method} sum: {text}")


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_losses_of_parameters_alone():
    users, items = parameter(5, 3, scale=9), parameter(6, 3, scale=9)
    triples = [(0, 1, 2), (1, 3, 4), (0, 5, 1)]
    assert_exact(torch.stack([F.softplus(-(users[u] @ (items[i] - items[j]))) for u, i, j in triples]), [users, items])
    w = parameter(3)
    assert_exact(parameter(4, 3) @ w, [w], independence="assumed")
    both = parameter(4, 3)
    assert_exact(both @ w, [both, w])
    assert_exact(w.exp(), [w], independence="assumed")
    assert_exact(w.double() * 2, [w], independence="assumed")
    assert_exact(torch.cat([both[0:1].sum(1), both[1:3].square().sum(1)]), [both])


def test_losses_that_are_no_plain_tensor_are_refused():
    two_tensor = pytest.importorskip("torch.testing._internal.two_tensor")
    w, x = torch.randn(3, 2, requires_grad=True), torch.randn(4, 3)
    for method in METHODS:
        with pytest.raises(ghostgrad.PrivacyError, match="no plain tensor"):
            ghostgrad.testing.clipped_sum(by_example(two_tensor.TwoTensor(x, x.clone()) @ w), [("w", w)], method=method,
                                          independence="assumed")  # fmt: skip


@pytest.mark.parametrize("norm, shape", [(nn.BatchNorm1d, (4, 1, 5)), (nn.BatchNorm2d, (4, 1, 4, 4)), (nn.BatchNorm3d, (4, 1, 2, 2, 2))])
def test_batch_norm_of_one_channel_in_evaluation_mode(norm, shape):
    layer = norm(1).double().eval()
    layer.running_mean.fill_(0.3), layer.running_var.fill_(2.0)
    assert_exact(by_example(layer(torch.randn(*shape, dtype=torch.float64))), list(layer.parameters()))


@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_an_embedding_bag_that_scales_by_frequency_is_refused(mode):
    bag = nn.EmbeddingBag(6, 3, mode=mode, scale_grad_by_freq=True).double()
    losses = by_example(bag(torch.tensor([[1, 2, 2], [2, 2, 3], [1, 1, 1]])))
    with pytest.raises(ghostgrad.PrivacyError, match="scale_grad_by_freq=False"):
        ghostgrad.testing.clipped_sum(losses, bag.named_parameters(), independence="assumed")


def test_group_norm_of_which_some_channels_are_not_used():
    w = parameter(3, 5)
    normed = F.group_norm(torch.randn(1, 4, 3, dtype=torch.float64) @ w, 2)
    assert_exact(by_example(normed[0, ::2]), [w])
    assert_exact(by_example(F.pad(normed, (0, 0, 0, -1))[0, ::2]), [w])


def test_right_hand_sides_that_are_broadcast_over_a_batch_of_systems():
    w, p = parameter(3, 8), parameter(5, 3)
    systems = (torch.randn(2, 3, dtype=torch.float64) @ w).view(2, 2, 2, 2) * 0.2 + 3 * torch.eye(2, dtype=torch.float64)
    sides = (torch.randn(4, 5, dtype=torch.float64) @ p).view(2, 2, 3)
    assert_exact(by_example(torch.linalg.solve(systems, sides)), [w, p], independence="assumed")
    assert_exact(by_example(torch.linalg.solve_triangular(systems, sides, upper=True)), [w, p], independence="assumed")
    vectors = (torch.randn(2, 5, dtype=torch.float64) @ parameter(5, 4)).view(2, 2, 2)
    assert_exact(by_example(torch.linalg.solve(systems, vectors)), [w], independence="assumed")


def test_complex_matrices_times_a_vector_of_parameters():
    v, data = parameter(4, 2), torch.randn(6, 4, dtype=torch.complex128)
    assert_exact((data @ torch.view_as_complex(v)).view(3, 2).abs().square().sum(1), [v], independence="assumed")


def test_real_parameters_cast_to_complex():
    w, data = parameter(4, 5), torch.randn(6, 4, dtype=torch.complex128)
    assert_exact((data @ w.to(torch.complex128)).abs().square().sum(1), [w], independence="assumed")
    shift = parameter(5)
    assert_exact((data @ w.detach().to(torch.complex128) + shift.to(torch.complex128)).abs().square().sum(1), [shift],
                 independence="assumed")  # fmt: skip


def test_sparse_inputs_of_every_layout():
    w = parameter(3, 2)
    dense = torch.randn(4, 3, dtype=torch.float64).relu()
    for data in (dense.to_sparse(), dense.to_sparse_csr()):
        assert_exact(by_example(data @ w), [w], independence="assumed")


@pytest.mark.parametrize("way", ["check", "function", "naive", "two_batches"])
def test_a_frozen_embedding_that_rescales_its_rows_is_refused(way):
    table, head = nn.Embedding(10, 3, max_norm=0.5).requires_grad_(False), nn.Linear(3, 1)
    model, batch = nn.ModuleList([table, head]), torch.arange(8).view(4, 2)
    plan = dict(clip=1.0, noise_multiplier=1.0, expected_batch_size=4)
    engine = ghostgrad.Engine(model.named_parameters(), method="naive" if way == "naive" else "auto", **plan)

    def losses(tokens):
        return head(table(tokens).sum(1)).squeeze(1) ** 2

    with pytest.raises(ghostgrad.PrivacyError, match="in place|within a logical batch"):
        if way == "check":
            engine.check_independence(losses, batch)
        elif way == "two_batches":
            engine.backward(losses(batch[:2]))
            engine.backward(losses(batch[2:]))
        else:
            engine.backward(losses, batch=batch)
    if way == "check":
        with pytest.raises(ghostgrad.PrivacyError, match="in place"):
            ghostgrad.check_independence(losses, batch, model.named_parameters())


def test_weights_may_be_changed_between_releases():
    model = nn.Sequential(nn.Linear(3, 3).requires_grad_(False), nn.Linear(3, 1))
    engine = ghostgrad.Engine(model.named_parameters(), clip=1.0, noise_multiplier=1.0, expected_batch_size=4)
    for _ in range(2):
        engine.backward(model(torch.randn(4, 3)).square().sum(1))
        engine.release()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(0.9)
    assert engine.steps == 2


def test_an_embedding_that_rescales_its_rows_in_the_forward_pass_is_refused():
    table, head = nn.Embedding(10, 3, max_norm=0.5), nn.Linear(3, 2)
    model = nn.Sequential(table, nn.Flatten(), nn.Linear(6, 2))

    def loss_fn(batch):
        return F.cross_entropy(model(batch[0]), batch[1], reduction="none")

    def tokens(first):
        return torch.arange(first, first + 4).view(2, 2), torch.tensor([0, 1])

    with pytest.raises(ghostgrad.PrivacyError, match="in place"):
        ghostgrad.check_independence(loss_fn, tokens(0), model.named_parameters())
    engine = ghostgrad.Engine(model.named_parameters(), noise_multiplier=0, expected_batch_size=4)
    engine.backward(loss_fn(tokens(4)))
    with pytest.raises(ghostgrad.PrivacyError, match="must not change within a logical batch"):
        engine.backward(loss_fn(tokens(6)))
    assert head.weight.shape == (2, 3)


@pytest.mark.parametrize("loss", [F.mse_loss, F.binary_cross_entropy_with_logits])
@pytest.mark.filterwarnings("ignore:Using a target size")
def test_scalars_over_inputs_and_targets_of_other_shapes_are_refused(loss):
    linear, x, y = nn.Linear(5, 1).double(), torch.randn(6, 5, dtype=torch.float64), torch.rand(6, dtype=torch.float64)
    if loss is F.mse_loss:
        with pytest.raises(ValueError, match="broadcast against each other"):
            ghostgrad.testing.clipped_sum(loss(linear(x), y), linear.named_parameters())
    sums, _ = ghostgrad.testing.clipped_sum(loss(linear(x), y[:, None]), linear.named_parameters())
    expected, _ = ghostgrad.testing.clipped_sum(loss(linear(x), y[:, None], reduction="none").squeeze(1), linear.named_parameters())
    torch.testing.assert_close(sums[0], expected[0])


def test_scalars_over_tokens_that_were_flattened_below_a_layer_are_refused():
    table, head = nn.Embedding(10, 4), nn.Linear(4, 10)
    model = nn.ModuleList([table, head])
    tokens = torch.randint(10, (3, 8))
    with pytest.raises(ValueError, match=r"reshaped from \[3, 8, 4\]"):
        ghostgrad.testing.clipped_sum(F.cross_entropy(head(table(tokens).view(-1, 4)), tokens.view(-1)), model.named_parameters())
