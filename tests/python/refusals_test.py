# SPDX-License-Identifier: Apache-2.0
"""What is refused from Python, and that its harmless twin is not."""

import pytest
import torch
import torch.nn.functional as F
from classifier import engine_for, losses_of
from torch import nn

import ghostgrad

X, Y = torch.randn(6, 4).double(), torch.arange(6) % 3


def network(*between):
    return nn.Sequential(nn.Linear(4, 8), *between, nn.ReLU(), nn.Linear(8, 3))


def sums(losses, model, **options):
    return ghostgrad.testing.clipped_sum(losses, model.named_parameters(), **options)


def test_losses_of_shape_b_1_are_refused():
    model = network()
    with pytest.raises(ValueError, match=r"\[6, 1\]"):
        sums(losses_of(model)((X, Y)).unsqueeze(1), model)
    with pytest.raises(ValueError, match="autograd graph"):
        sums(losses_of(model)((X, Y)).detach(), model)


@pytest.mark.parametrize("affine, frozen", [(True, False), (True, True), (False, False)])
def test_batch_norm_in_training_mode_is_refused_and_in_evaluation_mode_is_not(affine, frozen):
    norm = nn.BatchNorm1d(8, affine=affine)
    if frozen:
        norm.requires_grad_(False)
    model = network(norm)
    with pytest.raises(ghostgrad.PrivacyError, match="(?i)batch.?norm"):
        sums(losses_of(model)((X, Y)), model, independence="assumed")
    norm.eval()
    sums(losses_of(model)((X, Y)), model, independence="assumed")


class Centred(nn.Module):
    def __init__(self, detached):
        super().__init__()
        self.detached = detached

    def forward(self, x):
        mean = x.mean(0)
        return x - (mean.detach() if self.detached else mean)


def test_centred_activations_are_seen_in_the_graph_and_detached_ones_by_the_check():
    model = network(Centred(False))
    with pytest.raises(ghostgrad.PrivacyError):
        sums(losses_of(model)((X, Y)), model)
    model = network(Centred(True))
    with pytest.raises(ghostgrad.PrivacyError, match="moves"):
        engine_for(model).check_independence(losses_of(model), (X, Y))
    model = network(nn.LayerNorm(8))
    engine_for(model).check_independence(losses_of(model), (X, Y))


def test_in_batch_negatives_are_refused():
    model = nn.Linear(4, 5)
    scores = lambda x: model(x) @ model(x + 1).T
    with pytest.raises(ghostgrad.PrivacyError):
        sums(F.cross_entropy(scores(X), torch.arange(6), reduction="none"), model)


def test_losses_divided_by_a_count_over_the_batch_are_found_by_the_check():
    model = network()
    normalised = lambda batch: losses_of(model)(batch) / len(batch[0])
    with pytest.raises(ghostgrad.PrivacyError, match="count"):
        engine_for(model).check_independence(normalised, (X, Y))
    with pytest.raises(ghostgrad.PrivacyError, match="count"):
        ghostgrad.check_independence(normalised, (X, Y))


def test_hooks_on_activations_and_parameters_are_refused():
    model = network()
    hidden = model[0](X)
    hidden.register_hook(lambda grad: grad.mean(0, keepdim=True).expand_as(grad))
    with pytest.raises(ghostgrad.PrivacyError, match="hooks"):
        sums(F.cross_entropy(model[1:](hidden), Y, reduction="none"), model, independence="assumed")
    model = network()
    handle = model[0].weight.register_hook(lambda grad: 2 * grad)
    with pytest.raises(ghostgrad.PrivacyError, match="hooks"):
        sums(losses_of(model)((X, Y)), model, independence="assumed")
    handle.remove()
    sums(losses_of(model)((X, Y)), model)


def test_hooks_that_were_removed_are_no_hooks():
    model = network()
    hidden = model[0](X)
    hidden.register_hook(lambda grad: grad).remove()
    hidden.grad_fn.register_prehook(lambda grads: grads).remove()
    hidden.grad_fn.register_hook(lambda below, above: None).remove()
    sums(F.cross_entropy(model[1:](hidden), Y, reduction="none"), model)


def test_a_hook_on_a_node_is_refused():
    model = network()
    hidden = model[0](X)
    hidden.grad_fn.register_prehook(lambda grads: grads)
    with pytest.raises(ghostgrad.PrivacyError, match="hooks"):
        sums(F.cross_entropy(model[1:](hidden), Y, reduction="none"), model, independence="assumed")


def test_retained_gradients_are_no_hooks():
    model = network()
    hidden = model[0](X)
    hidden.retain_grad()
    sums(F.cross_entropy(model[1:](hidden), Y, reduction="none"), model)


class Mixing(torch.autograd.Function):
    """The identity, whose backward mixes examples: losses do not show it."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return grad + grad.flip(0)


class Mix(nn.Module):
    def forward(self, x):
        return Mixing.apply(x)


def test_a_backward_that_mixes_is_found_by_the_check():
    model = network(Mix())
    engine = engine_for(model)
    with pytest.raises(ghostgrad.PrivacyError, match="check_independence"):
        engine.backward(losses_of(model)((X, Y)))
    with pytest.raises(ghostgrad.PrivacyError):
        engine.check_independence(losses_of(model), (X, Y))


def test_an_ordinary_gradient_beside_ours_is_refused():
    model = network()
    engine = engine_for(model)
    losses_of(model)((X, Y)).mean().backward()
    with pytest.raises(ghostgrad.PrivacyError, match="ordinary gradient"):
        engine.backward(losses_of(model)((X, Y)))
    model.zero_grad()
    engine.backward(losses_of(model)((X, Y)))
    losses_of(model)((X, Y)).mean().backward()
    with pytest.raises(ghostgrad.PrivacyError, match="ordinary gradient"):
        engine.release()


def test_a_logical_batch_left_by_an_error_is_not_released():
    model = network(Centred(False))
    engine = engine_for(model)
    with pytest.raises(ghostgrad.PrivacyError):
        engine.backward(losses_of(model)((X, Y)))
    with pytest.raises(ghostgrad.PrivacyError, match="discard"):
        engine.release()
    engine.discard()
    engine.release()


def test_an_example_that_is_not_finite_contributes_nothing():
    model = network()
    x = X.clone()
    x[2] = float("nan")
    x[3, 0] = float("inf")
    keep = torch.tensor([0, 1, 4, 5])
    found, _ = sums(losses_of(model)((x, Y)), model)
    expected, _ = sums(losses_of(model)((X[keep], Y[keep])), model)
    assert all(torch.allclose(a, b, rtol=0, atol=1e-12) for a, b in zip(found, expected))


def test_no_message_shows_a_value_of_an_example():
    model = network(Centred(True))
    with pytest.raises(ghostgrad.PrivacyError) as refusal:
        engine_for(model).check_independence(losses_of(model), (X, Y))
    assert not any(f"{value:.3f}" in str(refusal.value) for value in losses_of(model)((X, Y)).tolist())


def test_a_graph_that_was_run_already_is_refused_by_torchs_own_message():
    model = network()
    losses = losses_of(model)((X, Y))
    torch.autograd.grad(losses.sum(), list(model.parameters()))
    with pytest.raises(RuntimeError, match="second time"):
        sums(losses, model)


def test_a_parameter_changed_in_place_since_the_forward_is_refused():
    model = network()
    losses = losses_of(model)((X, Y))
    with torch.no_grad():
        model[2].weight.mul_(2)
    with pytest.raises(RuntimeError, match="inplace"):
        sums(losses, model)


def stepped_after(change):
    """Whether a step is refused after an ordinary backward() and this change of (model, head), and that nothing moved then."""
    model, head = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 3)), nn.Linear(4, 3)
    model[0].requires_grad_(False)
    optimizer = torch.optim.SGD([*model.parameters(), *head.parameters()], 1.0)
    engine = ghostgrad.Engine(model.named_parameters(), clip=1.0, noise_multiplier=1.0, expected_batch_size=4)
    x = torch.randn(4, 4)
    change(model, head, x)
    before = [parameter.detach().clone() for parameter in (*model.parameters(), *head.parameters())]
    with pytest.raises(ghostgrad.PrivacyError, match="gradient.*clear"):
        engine.backward(model(x).square().sum(1))
        model[0].requires_grad_(True)
        if model[0].weight.grad is None and head.weight.grad is None:
            model(x).square().sum().backward(inputs=list(model[0].parameters()))
        engine.step(optimizer)
    assert all(torch.equal(one, other) for one, other in zip(before, (*model.parameters(), *head.parameters())))


def then_frozen(model, head, x):
    model[0].requires_grad_(True)
    model(x).sum().backward(inputs=list(model[0].parameters()))
    model[0].requires_grad_(False)


def of_what_the_optimizer_holds_besides(model, head, x):
    head(x).sum().backward()


def of_what_is_unfrozen_within_the_batch(model, head, x):
    pass


@pytest.mark.parametrize("gradient", [then_frozen, of_what_the_optimizer_holds_besides, of_what_is_unfrozen_within_the_batch])
def test_an_ordinary_gradient_of_what_is_not_trained_is_refused(gradient):
    stepped_after(gradient)
