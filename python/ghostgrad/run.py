# SPDX-License-Identifier: Apache-2.0
"""One make_private: what `loss.backward()` adds to a logical batch, and which `optimizer.step()` ends it.

    one batch of a loader, or all parts of one that a BatchMemoryManager cut  =  one logical batch  =  one release

Guarantee: no example enters a release twice, and each release has a draw of its own. One backward() per batch or part, with one loss for each
of its examples, one step() for each, and what was left half-way is dropped."""

from collections import deque
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from ghostgrad import _core
from ghostgrad.engine import Engine
from ghostgrad.errors import PrivacyError, invalid


class Draws:
    """What the private loader has handed out and no release has used: how many examples each batch (or part of one) was made of.

    The last two are kept, since some loops fetch one batch ahead. One that is left out, by a look at the data or an evaluation, costs nothing."""

    def __init__(self, accounted: bool) -> None:
        self.accounted = accounted  # each release needs a draw of its own; without Poisson sampling there is no epsilon to be wrong
        self.sizes: deque[int] = deque(maxlen=2)

    def hand_out(self, size: int) -> None:
        self.sizes.append(size)

    def require(self, losses: int) -> None:
        """Says neither of the numbers: they are private."""
        if self.accounted and not self.sizes:
            raise PrivacyError(
                "[backward] no batch of the private loader is left that was not released already, and a release without a draw of its own "
                "costs more than epsilon says; iterate over the loader that make_private returned, with one optimizer.step() for each batch"
            )
        if self.sizes and losses not in self.sizes:
            raise PrivacyError(
                "[backward] there is not one loss for each example of the batch that the private loader handed out last, and each loss is "
                "clipped as one example: over flattened tokens, masked entries or two batches together, one example would count several "
                "times; call backward() on one loss for each example of that batch, [B], made with reduction='none'"
            )

    def use(self, losses: int) -> None:
        if self.accounted and losses in self.sizes:
            self.sizes.remove(losses)


class Parts:
    """One pass of a BatchMemoryManager. A part is handed out after the one before it was stepped, so that no boundary can shift."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.closed = False  # another pass has begun, or the manager was left
        self.more: bool | None = None  # of the part handed out: whether more of its logical batch follow; None when it was stepped
        self.summed: int | None = None  # the number of the engine's logical batch that parts went into and that goes on

    def hand_out(self, more: bool) -> None:
        self.require_stepped()
        self.more = more

    def require_stepped(self) -> None:
        if self.closed:
            raise PrivacyError("[BatchMemoryManager] this pass over the loader was left, and what it had summed up dropped; begin a new one")
        if self.more is not None:
            raise PrivacyError(
                "[BatchMemoryManager] the part handed out last was not stepped, and its logical batch is incomplete; call "
                "optimizer.step() once for every part, also for one that is empty or whose backward() you leave out"
            )

    def end_the_logical_batch(self) -> bool:
        """Whether the part under way is the last of its logical batch."""
        if self.summed not in (None, self.engine._number):
            raise PrivacyError("[optimizer.step] parts of this logical batch were released or discarded on their own; leave the loop")
        if self.more is None and self.summed is not None:
            raise PrivacyError(
                "[optimizer.step] would release a part of a logical batch; call it once for each part that BatchMemoryManager hands out"
            )
        return not self.more

    def stepped(self, ended: bool) -> None:
        self.more, self.summed = None, None if ended else self.engine._number


class Run:
    """One make_private: the engine, and how far its logical batch has come."""

    def __init__(self, engine: Engine, scale: float, draws: Draws, batch_first: bool = True) -> None:
        self.engine = engine
        self.scale = scale  # of each release: 1 for "mean", the expected batch size for "sum"
        self.draws = draws
        self.batch_first = batch_first
        self.empty = False  # the last forward pass was of an empty logical batch
        self.added: int | None = None  # the number of the engine's logical batch that backward() added to since the last step
        self.losses = 0  # how many it added
        self.parts = Parts(engine)

    def backward(self, loss: Tensor) -> None:
        if self.added == self.engine._number:
            raise PrivacyError(
                "[backward] was called before in this logical batch, and an example in both would move its release by 2 C; call "
                "optimizer.step() after each backward(), add losses up before one backward(), use BatchMemoryManager to save memory, or "
                "drop what was summed up by privacy_engine.engines[0].discard()"
            )
        losses = None if self.empty else self._one_for_each_example(loss)
        self.losses = 0 if losses is None else len(losses)
        if losses is not None:
            self.engine.backward(losses)
        self.added = self.engine._number

    def _one_for_each_example(self, loss: Tensor) -> Tensor:
        """The losses [B] that a scalar was made of."""
        if not self.batch_first and loss.dim() == 0:
            raise PrivacyError(
                "[backward] takes a scalar apart along dimension 0, which with batch_first=False may be the positions; call it on one loss "
                "for each example, [B]: reduction='none', then the mean over the other dimensions"
            )
        losses = _core.unreduced(loss, [parameter for _, parameter in self.engine._named if parameter.requires_grad])
        if losses.dim() == 1:  # all else the engine refuses
            self.draws.require(len(losses))
        return losses

    def begin_pass(self) -> Parts:
        """Drops what a pass before this one left half-way: some examples of a draw are no Poisson draw."""
        self.engine.discard()
        self.parts.closed = True
        self.parts = Parts(self.engine)
        self.draws.sizes.clear()
        return self.parts

    def before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> Any:
        """The optimizer's pre-hook: a release, unless the logical batch goes on."""
        closure = kwargs.get("closure", args[1] if len(args) > 1 else None)
        result = None
        if closure is not None:
            if isinstance(optimizer, torch.optim.LBFGS):
                raise invalid("optimizer", "evaluates its closure several times a step, which no release covers", "LBFGS", "use another")
            with torch.enable_grad():
                result = closure()
        ended = self.parts.end_the_logical_batch()
        if ended:
            self.engine._refuse_foreign_gradients(optimizer)
            self.engine.release()
            self._rescale(optimizer)
        else:
            optimizer.zero_grad(set_to_none=True)  # without gradients the step does nothing
        self.parts.stepped(ended)
        if self.added is not None:
            self.draws.use(self.losses)
        self.added = None
        return None if closure is None else ((args[0], lambda: result), {})

    def _rescale(self, optimizer: Optimizer) -> None:
        if self.scale != 1.0:
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        parameter.grad = parameter.grad * self.scale
