# SPDX-License-Identifier: Apache-2.0
"""Nests: tensors inside of tuples, lists and mappings of any class, which batches, arguments and outputs of models are."""

from collections.abc import Mapping
from typing import Any, Callable, Iterator

from torch import Tensor


def tensors_of(nest: Any) -> Iterator[Tensor]:
    """The tensors of a nest, in order."""
    if isinstance(nest, Tensor):
        yield nest
    elif isinstance(nest, (Mapping, tuple, list)):
        for part in nest.values() if isinstance(nest, Mapping) else nest:
            yield from tensors_of(part)


def mapped(change: Callable[[Tensor], Tensor], nest: Any) -> Any:
    """A nest of the same classes with changed tensors, in the order of `tensors_of`; everything else in it stays as it is."""
    if isinstance(nest, Tensor):
        return change(nest)
    if isinstance(nest, Mapping):
        return _mapping(type(nest), {key: mapped(change, part) for key, part in nest.items()})
    if isinstance(nest, (tuple, list)):
        parts = [mapped(change, part) for part in nest]
        return type(nest)(*parts) if hasattr(nest, "_fields") else type(nest)(parts)
    return nest


def _mapping(kind: Any, items: dict[Any, Any]) -> Any:
    """Dictionaries take their items by name, as those must that are dataclasses; other mappings (UserDict) take a dictionary."""
    return kind(**items) if issubclass(kind, dict) and all(isinstance(key, str) for key in items) else kind(items)
