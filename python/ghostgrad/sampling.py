# SPDX-License-Identifier: Apache-2.0
"""Who is drawn: Poisson sampling, as a batch sampler for PyTorch's DataLoader, and physical batches of one size with masks.

sampler = ghostgrad.PoissonSampler(len(dataset), sample_rate=256 / len(dataset), steps=1000, physical_batch_size=64)
for physical_batches in ghostgrad.logical_batches(dataset, sampler):
    for (x, y), mask in physical_batches:
        engine.backward(F.cross_entropy(model(x), y, reduction="none"), mask)
    engine.step(optimizer)
"""

import math
from typing import Any, Callable, Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate

from ghostgrad import _core
from ghostgrad.errors import invalid
from ghostgrad.nests import mapped
from ghostgrad.privacy import Event, gaussian

Collate = Callable[[list[Any]], Any]


class PoissonSampler(Sampler[list[int]]):
    """Logical batches that hold each example independently with probability q, drawn from the operating system's entropy.

    Iterating gives `steps` logical batches as lists of indices, which vary in length and may be empty; iterating again goes on with fresh
    draws. So it serves as `DataLoader(dataset, batch_sampler=sampler, collate_fn=ghostgrad.collate(dataset))` when a logical batch fits in
    memory, and `logical_batches` is for when it does not.

    Args:
        data_set_size: N, public.
        sample_rate: q in (0, 1]; expected batch size / N.
        steps: logical batches of one iteration; ceil(1 / q) by default, about one epoch.
        physical_batch_size: how many examples fit in memory; has no influence on privacy.
        test_seed: for tests alone: anybody can compute the draws, and `is_private` says so.

    Raises:
        InvalidArgument: a value out of range.
    """

    def __init__(
        self,
        data_set_size: int,
        *,
        sample_rate: float,
        steps: int | None = None,
        physical_batch_size: int = 64,
        test_seed: int | None = None,
    ) -> None:
        options = _core.PoissonOptions()
        options.data_set_size, options.sample_rate, options.physical_batch_size = data_set_size, sample_rate, physical_batch_size
        options.steps = 0
        self._core = _core.PoissonSampler(options, test_seed)
        self.data_set_size = data_set_size
        self.sample_rate = sample_rate
        self.physical_batch_size = physical_batch_size
        self.steps = math.ceil(1 / sample_rate) if steps is None else steps
        self.drawn = 0  # steps handed out, over all iterations
        if self.steps < 0:
            raise invalid("steps", "must not be negative", str(steps), "pass the number of logical batches")

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[list[int]]:
        for step in self.take():
            yield self.draw(step)

    def take(self) -> range:
        """The next `len(self)` steps; none of them is ever handed out again."""
        first, self.drawn = self.drawn, self.drawn + self.steps
        return range(first, self.drawn)

    def draw(self, step: int) -> list[int]:
        """The logical batch of this step: indices, ascending."""
        return self._core.draw(step)

    def __reduce__(self) -> Any:
        raise invalid("PoissonSampler", "cannot be copied or stored", "a pickle", "make one in each process: two with one key draw alike")

    @property
    def expected_batch_size(self) -> float:
        """q N: public, and the engine's divisor."""
        return self._core.expected_batch_size

    @property
    def is_private(self) -> bool:
        """False with a test seed."""
        return self._core.is_private

    def event(self, noise_multiplier: float) -> Event:
        """What one release on such a batch is to an accountant."""
        return self._core.event(gaussian(noise_multiplier))


def collate(dataset: "Dataset[Any]", collate_fn: Collate = default_collate) -> Collate:
    """A collate function that also serves the empty logical batch: tensors with no rows, as its release needs them."""

    def collated(examples: list[Any]) -> Any:
        if examples:
            return collate_fn(examples)
        return mapped(lambda tensor: tensor[:0], collate_fn([dataset[0]]))

    return collated


def cut(indices: list[int], size: int) -> list[list[int]]:
    """A logical batch in parts of this size, of which the last may be smaller; an empty one has none."""
    return [indices[start : start + size] for start in range(0, len(indices), size)]


class _PhysicalIndices:
    """The logical batches of these steps, cut into index lists of one length; what fills up the last one is a copy of its first index."""

    def __init__(self, sampler: PoissonSampler, steps: range) -> None:
        self.sampler = sampler
        self.steps = steps

    def parts(self, step: int) -> list[list[int]]:
        return cut(self.sampler.draw(step), self.sampler.physical_batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        for step in self.steps:
            for part in self.parts(step):
                yield part + [part[0]] * (self.sampler.physical_batch_size - len(part))


def logical_batches(
    dataset: "Dataset[Any]", sampler: PoissonSampler, *, collate_fn: Collate = default_collate, **loader_options: Any
) -> Iterator[Iterator[tuple[Any, Tensor]]]:
    """Logical batches, each an iterator of `(batch, mask)`: physical batches of `sampler.physical_batch_size` rows.

    The last physical batch is filled up with copies of one of its examples, which the mask (bool [P], false for filling) leaves out. An
    empty logical batch has no physical batches and still is one `engine.step`.

    Args:
        dataset: a map-style data set of `sampler.data_set_size` examples.
        sampler: who is drawn; `len(sampler)` logical batches are.
        collate_fn: from a list of examples to a batch.
        loader_options: for `torch.utils.data.DataLoader` (num_workers, pin_memory, ...).

    Raises:
        InvalidArgument: a data set of another size than the sampler's.
    """
    size = len(dataset)  # type: ignore[arg-type]
    if size != sampler.data_set_size:
        raise invalid(
            "dataset", f"must have the sampler's {sampler.data_set_size} examples", str(size), "make the sampler for this data set"
        )
    # A step's draw is a function of the step: the loader draws ahead as it likes, and what it fetched is counted by drawing again.
    indices = _PhysicalIndices(sampler, sampler.take())
    loader = iter(DataLoader(dataset, batch_sampler=indices, collate_fn=collate_fn, **loader_options))
    positions = torch.arange(sampler.physical_batch_size)
    for step in indices.steps:
        physical = ((next(loader), positions < len(part)) for part in indices.parts(step))
        yield physical
        for _ in physical:  # what the consumer left
            pass
