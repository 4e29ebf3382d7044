# SPDX-License-Identifier: Apache-2.0
"""What makes `loss.backward()` and `optimizer.step()` private without a wrapper: outputs of the model carry a mark, the mark passes through
the loss, and backward() of a marked loss hands its graph to the engine; a pre-hook of the optimizer releases."""

import weakref
from typing import Any

import torch
from torch import Tensor, nn

from ghostgrad.errors import invalid
from ghostgrad.nests import mapped, tensors_of
from ghostgrad.run import Run


class Marked(Tensor):
    """An alias of a tensor made from a private model's output. Ops work on the tensor itself; its backward() belongs to the engine."""

    _plain: Tensor
    _run: Run

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        run = next(part._run for part in tensors_of((args, kwargs or {})) if isinstance(part, Marked))
        result = func(*mapped(unmarked, tuple(args)), **mapped(unmarked, dict(kwargs or {})))
        return mapped(lambda tensor: mark(tensor, run), result)

    def backward(self, gradient: Any = None, retain_graph: Any = None, create_graph: bool = False, inputs: Any = None) -> None:
        if gradient is not None or create_graph or inputs is not None:
            raise invalid(
                "backward", "must be called without arguments", "others than retain_graph", "call loss.backward() of a scalar loss"
            )
        self._run.backward(self._plain)


def mark(tensor: Tensor, run: Run) -> Tensor:
    if not tensor.requires_grad or isinstance(tensor, (Marked, nn.Parameter)):
        return tensor
    marked = tensor.as_subclass(Marked)
    marked._plain, marked._run = tensor, run
    return marked


def unmarked(tensor: Tensor) -> Tensor:
    return tensor._plain if isinstance(tensor, Marked) else tensor


def inert(*_: Any) -> None:
    """What copies and pickles of a private model carry in the place of the hook."""


class OutputHook:
    """The forward hook of a private model. Copies of the model are not private and carry none."""

    def __init__(self, run: Run) -> None:
        self._run = weakref.ref(run)

    def __call__(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
        run = self._run()
        if run is None or not torch.is_grad_enabled():
            return None
        sizes = [len(part) for part in tensors_of((args, kwargs)) if part.dim() > 0]
        run.empty = bool(sizes) and max(sizes) == 0
        return mapped(lambda tensor: mark(tensor, run), output)

    def __deepcopy__(self, memo: Any) -> Any:
        return inert

    def __reduce__(self) -> Any:
        return getattr, (Inert, "hook")


class Inert:
    hook = staticmethod(inert)
