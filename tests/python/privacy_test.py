# SPDX-License-Identifier: Apache-2.0
"""Events, accountants, calibration and the tables."""

import inspect
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ghostgrad
from ghostgrad import _core, privacy


@given(st.floats(0.5, 8), st.floats(1e-4, 0.5), st.integers(1, 1000))
def test_the_calibrated_noise_spends_the_budget_and_no_more(epsilon, q, steps):
    found = ghostgrad.calibrate_noise(epsilon=epsilon, delta=1e-6, sample_rate=q, steps=steps, accountant="rdp")
    spent = ghostgrad.epsilon(noise_multiplier=found.noise_multiplier, sample_rate=q, steps=steps, delta=1e-6, accountant="rdp")
    assert spent == found.epsilon <= epsilon and (spent >= 0.999 * epsilon or found.warnings)


def test_the_default_accountant_is_the_cores():
    assert ghostgrad.Accountant().name == privacy.USUAL_ACCOUNTANT == _core.PlanOptions().accountant


def test_the_default_accountant_needs_less_noise_for_the_same_budget():
    run = dict(epsilon=3.0, delta=1e-6, sample_rate=0.01, steps=500)
    tight, loose = ghostgrad.calibrate_noise(**run), ghostgrad.calibrate_noise(**run, accountant="rdp")
    assert 2.997 < tight.epsilon <= 3.0 and tight.noise_multiplier < 0.97 * loose.noise_multiplier


@pytest.mark.parametrize("name", ghostgrad.accountants())
def test_every_accountant_of_the_table_can_be_asked_by_name(name):
    accountant = ghostgrad.Accountant(name)
    event = privacy.poisson_sampled(0.01, privacy.gaussian(1.0))
    if not accountant.supports(event):
        event = privacy.gaussian(5.0)
    accountant.compose(event, 100)
    bound = accountant.epsilon(1e-5)
    assert 0 < bound.value < 100 and 0.8e-5 < accountant.delta(bound.value).value <= 1  # a bound, tight or not


def test_a_known_epsilon():
    """2.1013: the Renyi accountant of Opacus 1.5 for q = 0.01, sigma = 1, 1000 steps, delta = 1e-5; 1.8282: the PLD accountant of dp_accounting."""
    run = dict(noise_multiplier=1.0, sample_rate=0.01, steps=1000, delta=1e-5)
    assert ghostgrad.epsilon(**run, accountant="rdp") == pytest.approx(2.1013, abs=2e-4)
    assert ghostgrad.epsilon(**run) == pytest.approx(1.8282, abs=2e-4)


def test_events_are_values_that_survive_json():
    event = privacy.composed([privacy.repeated(privacy.poisson_sampled(0.1, privacy.gaussian(1.5)), 7), privacy.non_private()])
    assert privacy.Event.from_json(event.to_json()) == event != privacy.gaussian(1.5) and "1.5" in str(event)


def test_what_promises_nothing_costs_infinity():
    assert ghostgrad.epsilon(noise_multiplier=0.0, sample_rate=0.01, steps=1, delta=1e-5) == math.inf


@pytest.mark.parametrize(
    "wrong",
    [dict(noise_multiplier=-1.0), dict(sample_rate=0.0), dict(steps=-1), dict(delta=0.0), dict(accountant="x"), dict(adjacency="x")],
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=r"^\["):
        ghostgrad.epsilon(**{**dict(noise_multiplier=1.0, sample_rate=0.1, steps=1, delta=1e-5), **wrong})


def test_an_adjacency_that_cannot_be_served_is_not_implemented():
    with pytest.raises(NotImplementedError):
        ghostgrad.Accountant("rdp", adjacency="replace_one").compose(privacy.poisson_sampled(0.1, privacy.gaussian(1.0)))


def test_the_tables_are_those_of_the_core():
    assert {"auto", "naive", "bk", "non_private"} <= set(ghostgrad.methods()) and ghostgrad.methods()["ghost"].paper
    assert ghostgrad.rules()["AddmmBackward0"].name == "linear" and "abadi" in ghostgrad.clip_functions()


def test_everything_public_has_a_docstring():
    for name in ghostgrad.__all__:
        thing = getattr(ghostgrad, name)
        assert inspect.getdoc(thing), name
        for member, value in vars(thing).items() if inspect.isclass(thing) else ():
            if inspect.isfunction(value) and not member.startswith("_"):
                assert inspect.getdoc(value), f"{name}.{member}"


def test_errors_are_pythons_own_kinds():
    assert issubclass(ghostgrad.InvalidArgument, ValueError) and issubclass(ghostgrad.Unsupported, NotImplementedError)
    assert issubclass(ghostgrad.PrivacyError, RuntimeError) and issubclass(ghostgrad.SystemError, OSError)
