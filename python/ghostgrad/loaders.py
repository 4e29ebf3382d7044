# SPDX-License-Identifier: Apache-2.0
"""The loader that make_private returns: the user's own with other batches, which says how many examples each batch was made of."""

from typing import Any, Iterator

from torch.utils.data import DataLoader

from ghostgrad.run import Draws
from ghostgrad.sampling import Collate, PoissonSampler, collate


class _Counted:
    """A collate function that tells how many examples there were. Where workers run it ahead, the number travels with the batch."""

    def __init__(self, collate_fn: Collate) -> None:
        self.collate_fn = collate_fn

    def __call__(self, examples: list[Any]) -> tuple[int, Any]:
        return len(examples), self.collate_fn(examples)


class PrivateLoader(DataLoader[Any]):
    """Records each batch when it is handed out: one that a worker has fetched is not yet anybody's."""

    def __init__(self, loader: "DataLoader[Any]", batches: Any, collate_fn: Collate, draws: Draws) -> None:
        super().__init__(loader.dataset, batch_sampler=batches, collate_fn=collate_fn, **_kept(loader))
        self._fetching = with_batches(loader, batches, _Counted(collate_fn))
        self._draws = draws

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        for size, values in self._fetching:
            self._draws.hand_out(size)
            yield values


def poisson_sampler(loader: "DataLoader[Any]") -> PoissonSampler:
    size = len(loader.dataset)  # type: ignore[arg-type]
    return PoissonSampler(size, sample_rate=1 / len(loader), steps=len(loader))


def private_loader(loader: "DataLoader[Any]", sampler: PoissonSampler | None, draws: Draws) -> "DataLoader[Any]":
    """Poisson batches, or without a sampler the loader's own (one that does not batch is left as it is)."""
    if sampler is not None:
        return PrivateLoader(loader, sampler, collate(loader.dataset, loader.collate_fn), draws)
    if loader.batch_sampler is None:
        return loader
    return PrivateLoader(loader, loader.batch_sampler, loader.collate_fn, draws)


def with_batches(loader: "DataLoader[Any]", batches: Any, collate_fn: Collate) -> "DataLoader[Any]":
    """The loader with other batches and everything else as it was."""
    return DataLoader(loader.dataset, batch_sampler=batches, collate_fn=collate_fn, **_kept(loader))


def _kept(loader: "DataLoader[Any]") -> dict[str, Any]:
    kept = ("num_workers", "pin_memory", "timeout", "worker_init_fn", "multiprocessing_context", "generator", "prefetch_factor")
    options = {name: getattr(loader, name) for name in kept}
    return {**options, "persistent_workers": loader.persistent_workers and loader.num_workers > 0}
