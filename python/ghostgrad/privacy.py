# SPDX-License-Identifier: Apache-2.0
"""What was released, what it costs, and how much noise a budget needs.

    epsilon(noise_multiplier=1.1, sample_rate=256 / 50000, steps=2000, delta=1e-5)
    calibrate_noise(epsilon=3, delta=1e-5, sample_rate=256 / 50000, steps=2000)

Events say what was released: `repeated(poisson_sampled(q, gaussian(sigma)), steps)` is a training run. Accountants turn them into
(epsilon, delta); each value is an upper bound. delta lies in (0, 1), q in (0, 1], and sigma >= 0 is in units of the threshold.
"""

import json
import math
from typing import Any, NamedTuple

from ghostgrad import _core
from ghostgrad._core import Event, composed, gaussian, non_private, poisson_sampled, repeated

__all__ = [
    "Accountant",
    "AccountantRow",
    "Bound",
    "Calibration",
    "Event",
    "PrivacyStatement",
    "accountants",
    "calibrate_noise",
    "composed",
    "epsilon",
    "gaussian",
    "non_private",
    "poisson_sampled",
    "repeated",
]

USUAL_ACCOUNTANT = "pld"  # who answers when nobody is named, as in the core


class Bound(NamedTuple):
    """A number that the privacy loss does not exceed, and what its reader must know."""

    value: float
    warnings: list[str]


class AccountantRow(NamedTuple):
    """One accountant of the table."""

    name: str
    what: str
    source: str


def accountants() -> dict[str, AccountantRow]:
    """The accountants by name."""
    return {row[0]: AccountantRow(*row) for row in _core.accountants()}


class Accountant:
    """Adds up events.

        accountant = Accountant("pld")
        accountant.compose(poisson_sampled(0.01, gaussian(1.0)), 1000)
        accountant.epsilon(1e-5).value

    Args:
        name: one of `accountants()`.
        adjacency: which data sets are neighbours: "add_remove", "replace_one" or "zero_out".

    Raises:
        InvalidArgument: an unknown name.
        Unsupported: an adjacency or an event that this accountant cannot serve.
    """

    def __init__(self, name: str = USUAL_ACCOUNTANT, *, adjacency: str = "add_remove") -> None:
        self._core = _core.Accountant(name, adjacency)

    @property
    def name(self) -> str:
        return self._core.name

    @property
    def adjacency(self) -> str:
        return self._core.adjacency

    def supports(self, event: Event) -> bool:
        """Whether `compose` would take this event."""
        return self._core.supports(event)

    def compose(self, event: Event, count: int = 1) -> None:
        """Adds `count` times the event to what was released."""
        self._core.compose(event, count)

    def epsilon(self, delta: float) -> Bound:
        """The epsilon for this delta in (0, 1)."""
        return Bound(*self._core.epsilon(delta))

    def delta(self, epsilon: float) -> Bound:
        """The delta for this epsilon >= 0."""
        return Bound(*self._core.delta(epsilon))


def epsilon(
    *,
    noise_multiplier: float,
    sample_rate: float,
    steps: int,
    delta: float,
    accountant: str = USUAL_ACCOUNTANT,
    adjacency: str = "add_remove",
) -> float:
    """Upper bound on epsilon of a training run: `steps` releases on Poisson batches. As `ghostgrad account`.

    Raises:
        InvalidArgument: a value out of range, an unknown name.
    """
    counted = Accountant(accountant, adjacency=adjacency)
    counted.compose(poisson_sampled(sample_rate, gaussian(noise_multiplier)), steps)
    return counted.epsilon(delta).value


class Calibration(NamedTuple):
    """The smallest noise that was found to keep a budget."""

    noise_multiplier: float
    epsilon: float  # what it really spends
    questions: int  # how often the accountant was asked
    warnings: list[str]


def calibrate_noise(
    *, epsilon: float, delta: float, sample_rate: float, steps: int, accountant: str = USUAL_ACCOUNTANT, adjacency: str = "add_remove"
) -> Calibration:
    """The smallest noise multiplier that keeps `steps` releases within (epsilon, delta). As `ghostgrad calibrate`.

    Raises:
        InvalidArgument: a value out of range, or a budget that no noise keeps.
    """
    search = _core.Search()
    search.epsilon, search.delta, search.sample_rate, search.steps = epsilon, delta, sample_rate, steps
    search.accountant, search.adjacency = accountant, adjacency
    return Calibration(*_core.calibrate_noise(search))


class PrivacyStatement:
    """What a run promises, with everything that the promise rests on: `print(statement)` for people, `to_dict()` for programs."""

    def __init__(self, core: "_core.PrivacyStatement") -> None:
        self._core = core

    @property
    def epsilon(self) -> float:
        """The bound; infinite where nothing is promised."""
        return self._core.epsilon

    def __str__(self) -> str:
        return str(self._core)

    def to_dict(self) -> dict[str, Any]:
        """All numbers and warnings; an infinite epsilon is the string "infinity", as in JSON."""
        return json.loads(self._core.to_json())

    @property
    def is_finite(self) -> bool:
        """Whether there is a bound at all."""
        return math.isfinite(self.epsilon)
