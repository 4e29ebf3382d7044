# SPDX-License-Identifier: Apache-2.0
"""Ordinary training loops keep working as they are."""

import pytest
import torch
import torch.nn.functional as F
from classifier import data, engine_for, losses_of, network
from reference import assert_all_close, assert_exact, assert_released, clipped_sum
from torch import nn
from torch.utils.checkpoint import checkpoint

import ghostgrad

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda p: torch.optim.Adam(p, 0.01),
    "adamw": lambda p: torch.optim.AdamW(p, 0.01, foreach=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, 0.01),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 0.01),
    "nadam": lambda p: torch.optim.NAdam(p, 0.01),
    "fused": lambda p: torch.optim.AdamW(p, 0.01, fused=True),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_does_with_releases_what_it_does_with_the_loops_gradients(name):
    torch.manual_seed(1)
    ours, theirs = network(), network()
    theirs.load_state_dict(ours.state_dict())
    batch = data()
    engine, optimizer, other = (
        engine_for(ours),
        OPTIMIZERS[name](ours.parameters()),
        OPTIMIZERS[name](theirs.parameters()),
    )
    schedules = [torch.optim.lr_scheduler.CosineAnnealingLR(o, 4) for o in (optimizer, other)]
    for _ in range(4):
        optimizer.zero_grad(set_to_none=name != "sgd")
        engine.backward(losses_of(ours)(batch))
        engine.step(optimizer)
        sums, _ = clipped_sum(losses_of(theirs), batch, list(theirs.parameters()))
        for parameter, total in zip(theirs.parameters(), sums):
            parameter.grad = total / 8
        other.step()
        for schedule in schedules:
            schedule.step()
    assert_all_close(ours.parameters(), theirs.parameters())


def test_two_engines_train_a_generator_and_a_discriminator():
    generator, discriminator = nn.Sequential(nn.Linear(2, 4), nn.Tanh()), nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    engines = [engine_for(m) for m in (generator, discriminator)]
    optimizers = [torch.optim.SGD(m.parameters(), 0.1) for m in (generator, discriminator)]
    real, z = torch.randn(5, 4), torch.randn(5, 2)

    def fooled(z):
        return F.softplus(-discriminator(generator(z))).squeeze(1)

    def told_apart(batch):
        return (F.softplus(-discriminator(batch[0])) + F.softplus(discriminator(generator(batch[1]).detach()))).squeeze(1)

    for _ in range(2):
        for engine, optimizer, module, losses, batch in (
            (engines[1], optimizers[1], discriminator, told_apart, (real, z)),
            (engines[0], optimizers[0], generator, fooled, z),
        ):
            engine.backward(losses(batch))
            engine.release()
            assert_released(losses, batch, module.parameters())
            optimizer.step()


def test_several_losses_of_one_model_are_added_before_they_are_clipped():
    body, heads = nn.Linear(4, 5), nn.ModuleList([nn.Linear(5, 3), nn.Linear(5, 1)])
    model = nn.ModuleList([body, heads])

    def losses(batch):
        h = body(batch[0]).tanh()
        return F.cross_entropy(heads[0](h), batch[1], reduction="none") + heads[1](h).squeeze(1) ** 2

    assert_exact(losses, data(), model, clip=0.5)


def test_autocast_bfloat16_is_close_to_float32_and_never_above_the_threshold():
    torch.set_default_dtype(torch.float32)
    model, batch = network(), data()
    exact, norms = clipped_sum(losses_of(model), batch, list(model.parameters()), 1e9)
    with torch.autocast("cpu", torch.bfloat16):
        losses = losses_of(model)(batch)
    found, found_norms = ghostgrad.testing.clipped_sum(losses, model.named_parameters(), clip=1e9)
    assert found_norms.dtype == torch.float32 and (found_norms - norms).abs().max() < 0.02 * norms.max()
    for one, other in zip(found, exact):
        assert (one - other).norm() < 0.03 * max(1e-2, other.norm())
    for method in ("per_example", "bk", "auto", "mixed_ghost"):
        with torch.autocast("cpu", torch.bfloat16):
            losses = losses_of(model)((batch[0][:1], batch[1][:1]))
        sums, _ = ghostgrad.testing.clipped_sum(losses, model.named_parameters(), clip=0.1, method=method)
        assert torch.sqrt(sum((s.double() ** 2).sum() for s in sums)) <= 0.1 * (1 + 1e-5)


def test_a_bfloat16_model_trains():
    model = network().to(torch.bfloat16)
    engine = engine_for(model, noise_multiplier=1.0)
    engine.backward(losses_of(model)((data()[0].bfloat16(), data()[1])))
    engine.step(torch.optim.SGD(model.parameters(), 0.1))
    assert all(p.grad.dtype == torch.bfloat16 for p in model.parameters())


def test_non_reentrant_checkpoint_is_exact_and_reentrant_is_refused():
    first, second = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.LayerNorm(6)), nn.Linear(6, 3)
    model = nn.ModuleList([first, second])

    def losses(batch, reentrant=False):
        return F.cross_entropy(second(checkpoint(first, batch[0], use_reentrant=reentrant)), batch[1], reduction="none")

    assert_exact(losses, data(), model)
    x, y = data()
    with pytest.raises(ghostgrad.PrivacyError, match="[Cc]heckpoint"):
        ghostgrad.testing.clipped_sum(losses((x.requires_grad_(), y), True), model.named_parameters(), independence="assumed")


def test_checkpointed_dropout_keeps_its_masks():
    first, second = nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.5)), nn.Linear(6, 3)
    model, batch = nn.ModuleList([first, second]), data()
    torch.manual_seed(3)
    plain, _ = ghostgrad.testing.clipped_sum(losses_of(lambda x: second(first(x)))(batch), model.named_parameters())
    torch.manual_seed(3)
    saved, _ = ghostgrad.testing.clipped_sum(
        losses_of(lambda x: second(checkpoint(first, x, use_reentrant=False)))(batch), model.named_parameters()
    )
    assert_all_close(saved, plain)


class LoRA(nn.Module):
    """A frozen linear layer plus a trained product of two thin matrices."""

    def __init__(self, base, rank, merged):
        super().__init__()
        self.base, self.merged = base.requires_grad_(False), merged
        self.a, self.b = nn.Parameter(torch.randn(rank, base.in_features)), nn.Parameter(torch.randn(base.out_features, rank))

    def forward(self, x):
        if self.merged:
            return F.linear(x, self.base.weight + self.b @ self.a, self.base.bias)
        return self.base(x) + x @ self.a.T @ self.b.T


@pytest.mark.parametrize("merged", [False, True])
def test_low_rank_adapters_are_exact(merged):
    model = nn.Sequential(LoRA(nn.Linear(4, 8), 2, merged), nn.Tanh(), LoRA(nn.Linear(8, 3), 2, merged))
    assert_exact(losses_of(model), data(), model, independence="assumed")
    engine = engine_for(model)
    engine.check_independence(losses_of(model), data())
    engine.backward(losses_of(model)(data()))
    engine.release()
    assert all((p.grad is not None) == p.requires_grad for p in model.parameters())


def test_a_parameter_unfrozen_later_is_trained_from_the_next_logical_batch():
    model, batch = network(), data()
    model[0].requires_grad_(False)
    engine = engine_for(model)
    engine.backward(losses_of(model)(batch))
    model[0].requires_grad_(True)
    with pytest.raises(ghostgrad.PrivacyError, match="within a logical batch"):
        engine.backward(losses_of(model)(batch))
    engine.release()
    assert model[0].weight.grad is None
    engine.backward(losses_of(model)(batch))
    engine.release()
    assert_released(losses_of(model), batch, model.parameters())


def test_a_frozen_parameter_may_keep_what_a_release_wrote():
    model, batch = network(), data()
    engine, optimizer = engine_for(model), torch.optim.SGD(model.parameters(), 0.1)
    for frozen in (False, True, True):
        model[0].requires_grad_(not frozen)
        engine.backward(losses_of(model)(batch))
        engine.step(optimizer)
    assert engine.steps == 3


def test_one_optimizer_of_two_engines_steps_after_both_released():
    first, second = network(), network()
    optimizer = torch.optim.SGD([*first.parameters(), *second.parameters()], 0.1)
    one, two = engine_for(first), engine_for(second)
    for engine, model in ((one, first), (two, second)):
        engine.backward(losses_of(model)(data()))
    one.release()
    with pytest.raises(ghostgrad.PrivacyError, match=r"does not know.*call release\(\) and optimizer\.step\(\) yourself"):
        two.step(optimizer)
    two.release()
    optimizer.step()


def test_two_engines_may_share_a_model_if_gradients_are_cleared_between():
    model, batch = network(), data()
    one, two = engine_for(model), engine_for(model, clip=0.1)
    one.backward(losses_of(model)(batch))
    one.release()
    with pytest.raises(ghostgrad.PrivacyError, match="zero_grad"):
        two.backward(losses_of(model)(batch))
    model.zero_grad()
    two.backward(losses_of(model)(batch))
    two.release()
    assert_released(losses_of(model), batch, model.parameters(), clip=0.1)


def test_gradients_may_be_changed_between_release_and_step():
    model, batch = network(), data()
    engine = engine_for(model, noise_multiplier=1.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(3):
        engine.backward(losses_of(model)(batch))
        engine.release()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    assert engine.steps == 3


def test_evaluation_and_no_grad_between_steps_change_nothing():
    model, batch = network(), data()
    engine = engine_for(model)
    engine.backward(losses_of(model)(batch))
    with torch.no_grad():
        model.eval()(batch[0])
    model.train()
    with torch.no_grad():
        engine.release()
    assert_released(losses_of(model), batch, model.parameters())
