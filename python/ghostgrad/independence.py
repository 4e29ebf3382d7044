# SPDX-License-Identifier: Apache-2.0
"""The independence check from Python: batches of any nesting, and every generator of random numbers at the same seed."""

import random
import sys
from contextlib import contextmanager
from typing import Any, Callable, Iterable, Iterator, NamedTuple

import torch
from torch import Tensor

from ghostgrad import _core
from ghostgrad.errors import compiled_models_explained, invalid
from ghostgrad.nests import mapped, tensors_of
from ghostgrad.parameters import Parameters, named_pairs

LossFunction = Callable[[Any], Tensor]


class IndependenceReport(NamedTuple):
    """A check that passed."""

    rounds: int  # replacements tried
    dropped: bool  # smaller batches were compared, too
    to_the_bit: bool  # False: something moved by rounding, as kernels do that libraries choose by what a batch holds
    random_losses: bool  # the losses differ between seeds (dropout), so that smaller batches could not be compared


class FlatBatch:
    """A batch as the core takes it, a list of tensors with the examples first, and the way back to what the user passed."""

    def __init__(self, batch: Any) -> None:
        self.batch = batch
        self.tensors = list(tensors_of(batch))
        if not self.tensors:
            raise invalid(
                "batch", "must be a tensor, or a tuple, list or dict of tensors", type(batch).__name__, "pass examples along axis 0"
            )

    def rebuilt(self, tensors: Iterable[Tensor]) -> Any:
        """The batch with these tensors in place of its own; everything else in it stays as it is."""
        remaining = iter(tensors)
        return mapped(lambda _: next(remaining), self.batch)


@contextmanager
def _generators_restored() -> Iterator[None]:
    """Leaves Python's, NumPy's and the accelerators' generators as they were (the core sees to torch's own)."""
    state = random.getstate()
    numpy_state = _numpy_random().get_state() if _numpy_random() else None
    cuda = list(range(torch.cuda.device_count())) if torch.cuda.is_available() and torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=cuda):
        try:
            yield
        finally:
            random.setstate(state)
            if numpy_state is not None:
                _numpy_random().set_state(numpy_state)


def _numpy_random() -> Any:
    numpy = sys.modules.get("numpy")
    return numpy.random if numpy is not None else None


def _seeded_alike(loss_fn: LossFunction, flat: FlatBatch) -> Callable[[list[Tensor]], Tensor]:
    """What the core calls: it has seeded torch's generator, and the other generators follow that seed."""

    def losses_of(tensors: list[Tensor]) -> Tensor:
        seed = torch.initial_seed()
        random.seed(seed)
        if _numpy_random():
            _numpy_random().seed(seed % 2**32)
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(seed)
        return losses_from(loss_fn(flat.rebuilt(tensors)))

    return losses_of


def losses_from(returned: Any) -> Tensor:
    """What a loss function returned, if it is a tensor."""
    if isinstance(returned, Tensor):
        return returned
    raise invalid("loss_fn", "must return the losses, a tensor [B]", type(returned).__name__, "return one loss per example")


def run_check(check: Callable[..., Any], loss_fn: LossFunction, batch: Any) -> IndependenceReport:
    """Runs the core's check, `check(losses_of, tensors)`."""
    flat = FlatBatch(batch)
    with _generators_restored(), compiled_models_explained():
        return IndependenceReport(**check(_seeded_alike(loss_fn, flat), flat.tensors).to_dict())


def check_independence(loss_fn: LossFunction, batch: Any, named_parameters: Parameters | None = None) -> IndependenceReport:
    """Demands that no example's loss or gradient norm moves by a bit when other examples are replaced, with all generators at one seed.
    What moves by rounding alone is let pass and reported (`to_the_bit`).

    The graph of the losses shows what mixes examples there; this shows what it cannot: statistics of raw inputs, detached values, counts
    over the batch, routing by rank.

    Args:
        loss_fn: from a batch to its losses [B]; `batch` is passed as one argument, nested as it came.
        batch: a tensor, or tuples, lists and dicts of tensors, every one with the examples first; two different examples at least.
        named_parameters: whose gradients are compared, where they require them, and which a forward pass may not change; by default all
            parameters in the graph of the losses that require gradients.

    Returns:
        What was tried. The model's mode and the generators are left as they were; buffers that a forward pass changes are changed.

    Raises:
        PrivacyError: examples are coupled.
        InvalidArgument: a batch that cannot be checked.
    """
    if named_parameters is None:
        parameters = leaves_below(losses_from(loss_fn(batch)))
    else:
        parameters = [parameter for _, parameter in named_pairs(named_parameters)]
    return run_check(lambda losses_of, tensors: _core.check_independence(losses_of, tensors, parameters), loss_fn, batch)


def leaves_below(losses: Tensor) -> list[Tensor]:
    """The leaves that these losses send gradients to."""
    leaves, seen, open_nodes = [], set(), [losses.grad_fn]
    while open_nodes:
        node = open_nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node.name() == "torch::autograd::AccumulateGrad":
            leaves.append(node.variable)
        open_nodes.extend(below for below, _ in node.next_functions)
    return leaves
