# SPDX-License-Identifier: Apache-2.0
"""The tables of the core, by name: `"auto" in methods()`, `methods()["auto"].paper`."""

from typing import NamedTuple

from ghostgrad import _core


class Method(NamedTuple):
    """One way to form norms and clipped sums. All methods give the same clipped sum."""

    name: str
    summary: str
    paper: str


class ClipFunction(NamedTuple):
    """From a norm to the coefficient of a gradient."""

    name: str
    formula: str
    constant: str  # what its constant is called, empty without one


class Rule(NamedTuple):
    """What serves the calls of one kind of autograd node."""

    node: str
    name: str
    formula: str


def methods() -> dict[str, Method]:
    """The methods by name; the engine's argument `method` is one of these."""
    return {row[0]: Method(*row) for row in _core.methods()}


def clip_functions() -> dict[str, ClipFunction]:
    """The clip functions by name; the engine's argument `clip_function` is one of these."""
    return {row[0]: ClipFunction(*row) for row in _core.clip_functions()}


def rules() -> dict[str, Rule]:
    """The rules by the autograd node that they serve ("AddmmBackward0"). The rest is done by the fallback: exact, slower, reported."""
    return {row[0]: Rule(*row) for row in _core.rules()}
