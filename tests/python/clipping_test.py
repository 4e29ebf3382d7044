# SPDX-License-Identifier: Apache-2.0
"""Clip functions, their constants, groups and the adaptive threshold, as the engine's options: each has exactly the effect it names."""

import math
import pathlib
from collections import OrderedDict

import pytest
import torch
import torch.nn.functional as F
from classifier import engine_for
from reference import assert_all_close, length, rows
from torch import nn

import ghostgrad

FROM_LOSSES = [name for name in ghostgrad.methods() if name not in ("naive", "non_private")]
CLIP, DIVISOR = 0.4, 8.0

COEFFICIENTS = {  # of C, |G| and the constant
    "abadi": lambda c, norm, _: min(1.0, c / norm),
    "automatic": lambda c, norm, gamma: c / (norm + gamma),
    "auto_v": lambda c, norm, _: c / norm,
    "normalize": lambda c, norm, r: c / (norm + r),
    "psac": lambda c, norm, r: c / (norm + r / (norm + r)),
    "global": lambda c, norm, z: c / z if norm <= z else 0.0,
}
USUAL = {"automatic": 0.01, "normalize": 0.1, "psac": 0.1, "global": 10.0}
GIVEN = {"automatic": 0.2, "normalize": 0.5, "psac": 0.3, "global": 0.3}
CONSTANTS = [(name, given) for name in COEFFICIENTS for given in dict.fromkeys([None, GIVEN.get(name)])]

PREFIXES = {"blocks.0": 0.2, "blocks.1.first": 0.05, "blocks.1": 0.3, "head.weight": 0.6, "": 0.1}  # the longest that fits counts
GROUPS = {  # the group of each parameter
    "flat": lambda name: "all",
    "per_layer": lambda name: name.rpartition(".")[0],
    "per_block": lambda name: ".".join(name.split(".")[:2]) if name.startswith("blocks") else "head",
    "per_parameter": lambda name: name,
    ",".join(f"{prefix}={c}" for prefix, c in PREFIXES.items()): lambda name: max((p for p in PREFIXES if name.startswith(p)), key=len),
}


def block():
    return nn.Sequential(OrderedDict(first=nn.Linear(4, 4), second=nn.LayerNorm(4), third=nn.Tanh()))


def network():
    return nn.Sequential(OrderedDict(blocks=nn.Sequential(block(), block()), head=nn.Linear(4, 3)))


def losses_of(model):
    return lambda batch: batch[2] * F.cross_entropy(model(batch[0]), batch[1], reduction="none")


def data():
    """Gradients from far below to far above C."""
    return torch.randn(7, 4), torch.arange(7) % 3, torch.logspace(-2, 1, 7)


def thresholds(groups, names):
    """C_g: C / sqrt(number of groups), where the groups do not say."""
    found = {GROUPS[groups](name) for name in names}
    return PREFIXES if "=" in groups else dict.fromkeys(found, CLIP / math.sqrt(len(found)))


def loop(model, batch, function, constant, groups):
    """sum_i c_ig G_ig for each parameter, one example at a time; and the coefficients."""
    names, parameters = zip(*model.named_parameters())
    group_of, clip_of = [GROUPS[groups](name) for name in names], thresholds(groups, names)
    sums, coefficients = [torch.zeros_like(p) for p in parameters], []
    for i in range(length(batch)):
        grads = torch.autograd.grad(losses_of(model)(rows(batch, i)).sum(), parameters)
        for group, clip in clip_of.items():
            norm = math.sqrt(sum(g.pow(2).sum().item() for g, of in zip(grads, group_of) if of == group))
            coefficients.append(COEFFICIENTS[function](clip, norm, constant))
            for total, grad, of in zip(sums, grads, group_of):
                if of == group:
                    total += coefficients[-1] * grad
    return sums, coefficients


@pytest.mark.parametrize("groups", GROUPS)
@pytest.mark.parametrize("function, constant", CONSTANTS)
def test_every_clip_function_and_grouping_gives_the_sum_of_the_loop_by_every_method(function, constant, groups):
    model, batch = network(), data()
    used = USUAL.get(function) if constant is None else constant
    sums, coefficients = loop(model, batch, function, used, groups)
    assert min(coefficients) < 0.9 * max(coefficients) or (function, constant) == ("global", None)  # there is something to clip
    for method in FROM_LOSSES:
        given = None if "=" in groups else CLIP
        engine = engine_for(model, clip=given, clip_function=function, clip_constant=constant, groups=groups, method=method)
        assert engine.threshold == pytest.approx(math.hypot(*thresholds(groups, dict(model.named_parameters())).values()), rel=1e-12)
        model.zero_grad()
        engine.backward(losses_of(model)(batch))
        engine.release()
        assert_all_close([p.grad * DIVISOR for p in model.parameters()], sums, 1e-10)


def test_the_tables_of_this_file_are_those_of_the_core_and_no_two_rows_do_the_same():
    assert set(COEFFICIENTS) == set(ghostgrad.clip_functions())
    assert set(USUAL) == {name for name, row in ghostgrad.clip_functions().items() if row.constant}
    model, batch = network(), data()
    sums = [
        torch.cat([total.flatten() for total in loop(model, batch, function, constant or USUAL.get(function), groups)[0]])
        for function, constant in CONSTANTS
        for groups in GROUPS
    ]
    apart = min((one - other).norm().item() for i, one in enumerate(sums) for other in sums[:i])
    assert apart > 1e-3  # so each option has an effect


def test_a_clip_beside_the_thresholds_of_groups_is_refused():
    for clip in (3.0, 1.0):
        with pytest.raises(ghostgrad.InvalidArgument, match=f"but got {clip:g} and groups .=2.") as refusal:
            engine_for(network(), clip=clip, groups="=2")
        assert refusal.value.where == "clip"
    assert engine_for(network(), clip=None, groups="blocks=3,=4").threshold == 5.0


def test_a_clip_that_is_not_given_is_one_also_in_the_state():
    engine = engine_for(network(), clip=None)
    assert engine.threshold == 1.0 and engine.state_dict()["plan"]["clip"] == 1.0
    engine_for(network(), clip=1.0).load_state_dict(engine.state_dict())
    grouped = engine_for(network(), clip=None, groups="=2")
    state = grouped.state_dict()
    assert state["plan"]["clip"] is None and state["threshold"] == 2.0
    ghostgrad.Engine(network().named_parameters(), **state["plan"]).load_state_dict(state)


# ---- the adaptive threshold ----------------------------------------------------------------------------------------------------------

ENGINES, BATCH, RATE, QUANTILE = 400, 8.0, 0.2, 0.3
PLANS = [(1.0, None, 1.0), (1.0, 3.0, 3.0), (0.5, 0.8, 0.8)]  # sigma, sigma_b as given, sigma_b as it must be


def counts(noise_multiplier, count_noise, below, above):
    """For each of many keys: the count that its threshold tells after one release, and the noise of one coordinate of the sum."""
    found = []
    for seed in range(ENGINES):
        weight = nn.Parameter(torch.ones(2))
        engine = ghostgrad.Engine(
            [("weight", weight)],
            clip=1.0,
            noise_multiplier=noise_multiplier,
            expected_batch_size=BATCH,
            adaptive_clipping={"quantile": QUANTILE, "rate": RATE, "count_noise": count_noise},
            test_seed=seed,
        )
        engine.backward(torch.tensor([[0.1, 0.1]] * below + [[9.0, 9.0]] * above) @ weight)
        engine.release()
        fraction = QUANTILE - math.log(engine.threshold) / RATE  # C <- C exp(-rate (b - quantile))
        found.append([(fraction - 0.5) * BATCH, weight.grad[0].item()])
    return torch.tensor(found).T


@pytest.mark.parametrize("noise_multiplier, count_noise, deviation", PLANS)
def test_the_count_behind_the_adaptive_threshold_is_as_noisy_as_declared(noise_multiplier, count_noise, deviation):
    """Mean, deviation and correlation with the sum's noise of 400 counts: each leaves 5 standard errors once in 1.7 million runs, and the
    keys are fixed. Without the noise of the count all thresholds were one."""
    found, noise = counts(noise_multiplier, count_noise, below=3, above=2)
    assert abs(found.mean().item() - 0.5) < 5 * deviation / math.sqrt(ENGINES)  # three halves up, two halves down
    assert abs(found.std().item() / deviation - 1) < 5 / math.sqrt(2 * ENGINES)
    assert found.unique().numel() == ENGINES
    assert abs(torch.corrcoef(torch.stack([found, noise]))[0, 1].item()) < 5 / math.sqrt(ENGINES)


def test_the_documents_give_the_formula_of_every_clip_function():
    text = (pathlib.Path(__file__).resolve().parents[2] / "docs/cli.md").read_text(encoding="utf-8")
    for name, function in ghostgrad.clip_functions().items():
        formula = function.formula.replace("|", "\\|")
        assert f"| {name} | {formula} |" in text
