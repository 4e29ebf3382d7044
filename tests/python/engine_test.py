# SPDX-License-Identifier: Apache-2.0
"""The engine: releases, what is touched and what is not, reports, threads and memory."""

import gc
import math
import os
import threading
import time
import weakref

import pytest
import torch
import torch.nn.functional as F
from classifier import Q, data, engine_for, losses_of, network
from reference import assert_released
from torch import nn

import ghostgrad


def test_a_release_is_the_clipped_sum_over_the_expected_batch_size():
    model, batch = network(), data()
    engine = engine_for(model)
    engine.backward(losses_of(model)(batch))
    engine.release()
    assert_released(losses_of(model), batch, model.parameters())


def test_physical_batches_add_up_to_the_logical_one():
    model, (x, y) = network(), data()
    engine = engine_for(model)
    for part in (slice(0, 2), slice(2, 3), slice(3, 6)):
        engine.backward(losses_of(model)((x[part], y[part])))
    engine.release()
    assert_released(losses_of(model), (x, y), model.parameters())


@pytest.mark.parametrize("method", ["auto", "per_example", "bk", "ghost"])
def test_what_fills_masked_rows_does_not_reach_a_release_not_even_its_last_bit(method):
    torch.manual_seed(3)
    first, second = nn.Conv2d(3, 16, 3, 2), nn.Conv2d(16, 32, 3, 2)
    model = nn.Sequential(first, nn.GroupNorm(4, 16), nn.ReLU(), second, nn.ReLU(), nn.Flatten(), nn.Linear(1568, 10)).float()
    x, y, mask = torch.randn(24, 3, 32, 32, dtype=torch.float32), torch.arange(24) % 10, torch.arange(24) < 17

    def released(filling):
        model.zero_grad()
        engine = engine_for(model, noise_multiplier=1.0, method=method, test_seed=1)
        engine.backward(losses_of(model)((torch.where(mask[:, None, None, None], x, filling), y)), mask)
        engine.release()
        return [parameter.grad for parameter in model.parameters()]

    expected = released(torch.zeros_like(x))
    for filling in (x, 100 * torch.randn_like(x)):
        assert all(torch.equal(got, wanted) for got, wanted in zip(released(filling), expected))


def test_the_noise_has_the_stated_deviation():
    """The sample deviation of 20,000 normals leaves 1 +- 5 / sqrt(2 n) once in two million runs; the seed is fixed."""
    model = nn.Linear(100, 200)
    engine = engine_for(model, clip=2.0, noise_multiplier=1.5, test_seed=7)
    engine.release()
    noise = model.weight.grad * 8
    assert abs(noise.std().item() / 3.0 - 1) < 5 / math.sqrt(2 * noise.numel()) + 1e-3  # rounding raises it by up to 1 / 4096
    assert abs(noise.mean().item()) < 5 * 3 / math.sqrt(noise.numel())


def test_the_noise_does_not_follow_the_length_of_the_sequences():
    """Rounding grows with the positions of an example; the noise that covers it is made for declared ones, or asks for them."""

    def noise(lengths, **options):
        torch.manual_seed(0)
        model = nn.Linear(50, 4, dtype=torch.float32)
        options = dict(noise_multiplier=1.0, expected_batch_size=250, test_seed=1) | options
        engine = ghostgrad.Engine(model.named_parameters(), **options)
        for length in lengths:
            engine.backward(model(torch.zeros(250, length, 50, dtype=torch.float32)).sum((1, 2)) * 0.0)
            engine.release()
        return model.weight.grad

    assert torch.equal(noise([40, 100], positions=128), noise([128, 7], positions=128))
    with pytest.raises(ghostgrad.PrivacyError, match="would follow the batch.*pass positions"):
        noise([100, 101])
    with pytest.raises(ghostgrad.PrivacyError, match="must be at least those of every example"):
        noise([129], positions=128)


def test_noise_differs_between_steps_and_engines_and_is_independent_of_torchs_seed():
    released = []
    for _ in range(2):
        torch.manual_seed(0)
        model = network()
        engine = engine_for(model, noise_multiplier=1.0)
        for _ in range(2):
            engine.release()
            released.append(model[0].weight.grad.clone())
    assert all(not torch.equal(a, b) for i, a in enumerate(released) for b in released[:i])


def test_nothing_but_grad_is_touched_and_that_by_a_release_alone():
    model, batch = network(), data()
    model[0].bias.requires_grad_(False)
    before = {name: (p.detach().clone(), p._version) for name, p in model.named_parameters()}
    attributes = {name: set(vars(module)) for name, module in model.named_modules()}
    engine = engine_for(model, noise_multiplier=1.0)
    engine.check_independence(losses_of(model), batch)
    engine.backward(losses_of(model)(batch))
    assert all(p.grad is None for p in model.parameters())
    engine.release()
    assert model[0].bias.grad is None and not model[0].bias.requires_grad
    for name, p in model.named_parameters():
        assert torch.equal(p, before[name][0]) and p._version == before[name][1] and not p._backward_hooks
        assert p.grad is None or (p.grad.dtype == p.dtype and not p.grad.requires_grad)
    assert attributes == {name: set(vars(module)) for name, module in model.named_modules()}
    assert all(not m._forward_hooks and not m._backward_hooks for m in model.modules())


def test_an_empty_logical_batch_is_released_too():
    model = network()
    engine = engine_for(model, noise_multiplier=1.0)
    engine.backward(losses_of(model)(data(0)))
    engine.step(torch.optim.SGD(model.parameters(), 0.1))
    assert engine.steps == 1 and model[0].weight.grad.abs().sum() > 0


def test_a_mask_must_be_a_bool_tensor_of_the_losses_shape():
    model, batch = network(), data()
    for wrong in ([True] * 6, torch.ones(6), torch.ones(5, dtype=torch.bool), torch.ones(6, 1, dtype=torch.bool)):
        engine = engine_for(model)
        with pytest.raises(ghostgrad.InvalidArgument, match="mask"):
            engine.backward(losses_of(model)(batch), wrong)


def test_a_forked_child_cannot_release_with_its_parents_noise():
    engine = engine_for(network(), noise_multiplier=1.0)
    child = os.fork()
    if child == 0:
        try:
            engine.release()
        except ghostgrad.PrivacyError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    engine.release()


def test_a_discarded_batch_leaves_nothing_behind():
    model, batch = network(), data()
    engine = engine_for(model)
    engine.backward(100 * losses_of(model)(batch))
    engine.discard()
    engine.release()
    assert all(p.grad.abs().sum() == 0 for p in model.parameters())


def test_epsilon_is_the_accountants():
    model = network()
    engine = engine_for(model, noise_multiplier=1.1)
    for _ in range(3):
        engine.release()
    expected = ghostgrad.epsilon(noise_multiplier=1.1, sample_rate=Q, steps=3, delta=1e-5)
    assert engine.epsilon(delta=1e-5) == engine.epsilon(1e-5) == expected > 0
    assert engine.statement(1e-5).to_dict()["steps"] == 3 and "3 releases" in str(engine.statement(1e-5))


def test_no_noise_is_no_privacy():
    model = network()
    engine = engine_for(model)
    engine.release()
    assert engine.epsilon(1e-5) == math.inf and engine.statement(1e-5).to_dict()["epsilon"] == "infinity"


def test_without_a_sample_rate_epsilon_asks_for_it():
    engine = engine_for(network(), sample_rate=None)
    with pytest.raises(ValueError, match="sample_rate"):
        engine.epsilon(1e-5)


def test_a_test_seed_is_said_to_be_no_privacy():
    assert "NOT PRIVATE" in str(engine_for(network(), noise_multiplier=1.0, test_seed=1).statement(1e-5))


@pytest.mark.parametrize(
    "option, value",
    [
        ("clip", 0.0),
        ("clip", "1"),
        ("noise_multiplier", -1.0),
        ("noise_multiplier", math.nan),
        ("expected_batch_size", 0.0),
        ("sample_rate", 1.5),
        ("method", "fast"),
        ("clip_function", "hard"),
        ("clip_constant", 0.1),
        ("groups", "per_mood"),
        ("adaptive_clipping", {"quantile": "high"}),
        ("adaptive_clipping", {"speed": 1.0}),
        ("adaptive_clipping", 0.5),
        ("adaptive_clipping", ()),
        ("independence", "sure"),
        ("accountant", "none"),
        ("keep_bytes", -1),
    ],
)
def test_values_out_of_range_are_refused_by_name(option, value):
    with pytest.raises(ValueError, match=r"^\[") as refusal:
        engine_for(network(), **{option: value})
    assert isinstance(refusal.value, ghostgrad.InvalidArgument) and refusal.value.remedy
    assert refusal.value.where == (next(iter(value)) if isinstance(value, dict) else option)


def test_parameters_must_be_pairs_each_once():
    weight = nn.Parameter(torch.zeros(2))
    for wrong in ([], None, nn.Linear(2, 2), [weight], [("a", weight), ("b", weight)], [("a", weight.detach())], [(1, weight)]):
        with pytest.raises(ghostgrad.InvalidArgument):
            ghostgrad.Engine(wrong, noise_multiplier=1, expected_batch_size=1)
    ghostgrad.Engine(dict(nn.Linear(2, 2).named_parameters()), noise_multiplier=1, expected_batch_size=1)
    with pytest.raises(NotImplementedError, match="complex|real"):
        ghostgrad.Engine([("c", nn.Parameter(torch.zeros(2, dtype=torch.cfloat)))], noise_multiplier=1, expected_batch_size=1)


def test_naive_runs_the_model_once_per_example():
    model, batch = network(), data()
    engine = engine_for(model, method="naive")
    with pytest.raises(ValueError, match="naive"):
        engine.backward(losses_of(model)(batch))
    seen = []
    engine.discard()
    engine.backward(lambda b: (seen.append(len(b["x"])), F.cross_entropy(model(b["x"]), b["y"]))[1], batch={"x": batch[0], "y": batch[1]})
    engine.release()
    assert seen == [1] * 6
    assert_released(losses_of(model), batch, model.parameters())


def test_the_report_says_how_it_was_done():
    model, batch = network(), data()
    unused = nn.Parameter(torch.zeros(3))
    engine = ghostgrad.Engine([*model.named_parameters(), ("unused", unused)], noise_multiplier=1.0, expected_batch_size=8)
    engine.backward(losses_of(model)(batch))
    engine.step(torch.optim.SGD(model.parameters(), 0.1))
    report = engine.report()
    assert report.unreached == ["unused"] and report.by_rule == {"linear": 2} and report.steps == 1
    assert report.independence == "not audited" and any("check_independence" in w for w in report.warnings)
    assert any("AddmmBackward0" in call.label for call in report.calls) and report.method == "auto"
    assert unused.grad.abs().sum() > 0  # noise alone
    engine.check_independence(losses_of(model), batch)


def test_groups_are_clipped_apart():
    model, batch = network(), data()
    engine = engine_for(model, groups="per_layer", clip=0.1)
    engine.backward(losses_of(model)(batch))
    engine.release()
    for layer in (model[0], model[2]):
        assert_released(losses_of(model), batch, layer.parameters(), clip=0.1 / math.sqrt(2))


def test_an_adaptive_threshold_moves_and_is_part_of_the_state():
    model, batch = network(), data()
    engine = engine_for(model, clip=100.0, noise_multiplier=1.0, adaptive_clipping={"rate": 0.5})
    for _ in range(3):
        model.zero_grad()
        engine.backward(losses_of(model)(batch))
        engine.release()
    assert engine.threshold != 100.0
    for _ in range(2):  # a resumed engine is resumed in the same way
        other = engine_for(network(), clip=100.0, adaptive_clipping={"rate": 0.5}, noise_multiplier=1.0)
        other.load_state_dict(engine.state_dict())
        assert other.threshold == engine.threshold and other.epsilon(1e-5) == engine.epsilon(1e-5)
        engine = other


@pytest.mark.parametrize("given", [True, {}, {"quantile": 0.5}, {"rate": 0.2, "count_noise": None}])
def test_adaptive_clipping_without_options_has_the_usual_ones(given):
    usual = engine_for(network(), noise_multiplier=1.0, test_seed=1, adaptive_clipping={"quantile": 0.5, "rate": 0.2})
    engine = engine_for(network(), noise_multiplier=1.0, test_seed=1, adaptive_clipping=given)
    usual.release(), engine.release()
    assert engine.threshold == usual.threshold != 1.0
    assert engine.state_dict()["plan"]["adaptive_clipping"] == {"quantile": 0.5, "rate": 0.2, "count_noise": None}


@pytest.mark.parametrize("given", [None, False])
def test_without_adaptive_clipping_the_threshold_stays(given):
    engine = engine_for(network(), noise_multiplier=1.0, adaptive_clipping=given)
    engine.release()
    assert engine.threshold == 1.0 and engine.state_dict()["plan"]["adaptive_clipping"] is None


def test_an_audited_run_says_so():
    model, batch = network(), data()
    engine = engine_for(model, noise_multiplier=1.0)
    assert engine.check_independence(losses_of(model), batch).dropped
    engine.backward(losses_of(model)(batch))
    assert engine.report().independence == "audited"


# ---- the interpreter -----------------------------------------------------------------------------------------------------------------


def test_other_threads_run_while_the_core_runs():
    model = nn.Sequential(*[nn.Linear(256, 256) for _ in range(6)])
    engine = engine_for(model)
    losses = model(torch.randn(64, 256)).sum(1)
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.perf_counter()
    for _ in range(5):
        engine.backward(losses)
    end = time.perf_counter()
    done.set()
    thread.join()
    assert sum(start < t < end for t in ticks) >= 5


def test_no_graph_stays_alive_after_a_step():
    model, (x, y) = network(), data()
    engine = engine_for(model, noise_multiplier=1.0)
    gc.disable()
    try:
        hidden = model[1](model[0](x))
        losses = F.cross_entropy(model[2](hidden), y, reduction="none")
        saved = weakref.ref(hidden)  # lives as long as the graph that saved it
        del hidden
        assert saved() is not None
        engine.backward(losses)
        del losses
        assert saved() is None  # by reference counts alone: no cycle keeps it
        engine.release()
        alive = weakref.ref(engine)
        del engine
        assert alive() is None
    finally:
        gc.enable()


def resident_kilobytes():
    with open("/proc/self/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


def test_memory_does_not_grow_over_a_thousand_steps():
    model, batch = network(), data()
    engine = engine_for(model, noise_multiplier=1.0)
    optimizer = torch.optim.Adam(model.parameters())

    def run(steps):
        for _ in range(steps):
            engine.backward(losses_of(model)(batch))
            engine.step(optimizer)
        gc.collect()
        return resident_kilobytes(), sum(issubclass(type(o), torch.Tensor) for o in gc.get_objects())

    run(100)
    before, tensors = run(10)
    after, tensors_after = run(1000)
    assert tensors_after == tensors and after - before < 4096
