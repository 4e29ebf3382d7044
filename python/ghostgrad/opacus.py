# SPDX-License-Identifier: Apache-2.0
"""A training script written for Opacus, with one import changed.

    from ghostgrad.opacus import PrivacyEngine       # was: from opacus import PrivacyEngine

    privacy_engine = PrivacyEngine()
    model, optimizer, data_loader = privacy_engine.make_private(
        module=model, optimizer=optimizer, data_loader=data_loader, noise_multiplier=1.1, max_grad_norm=1.0)
    for x, y in data_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()         # adds to the logical batch: no ordinary gradient is formed
        optimizer.step()        # one release, then the optimizer's step
    privacy_engine.get_epsilon(delta=1e-5)

Names, defaults and return values are those of Opacus 1.6. How it works: a forward hook marks what the model returns, the mark passes through
the loss, and `backward()` of a marked loss hands its graph to a `ghostgrad.Engine`; a pre-hook of the optimizer releases. Both are PyTorch's
own, public hooks: the model and the optimizer come back as the objects that they were.

Where the guarantee is another than Opacus':

- The loss is taken apart from its own graph (`Engine.backward`). One that couples examples, is weighted over the batch or scaled is
  refused; there it would be clipped as if it were a mean of single losses.
- Each release is divided by q N = len(dataset) / len(data_loader), not rounded. N and the batch size of the loader are taken to be public.
- An epoch has len(data_loader) steps of Poisson sampling, none lost to rounding; empty logical batches are released, too.
- Noise and sampling come from the operating system's entropy, always: what `secure_mode` is for.
- Each release is of one batch that the returned loader handed out, and with one loss for each of its examples; all else is refused.
- With `poisson_sampling=False` no epsilon is given: none of the accountants covers a shuffled loader.
- An ordinary gradient (a loss that lost its mark, `torch.autograd.backward`) stops the next release with a PrivacyError.
"""

import os
from typing import Any, Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Optimizer
from torch.utils.data import DataLoader, IterableDataset

from ghostgrad.engine import Engine
from ghostgrad.errors import InvalidArgument, PrivacyError, Unsupported, invalid
from ghostgrad.loaders import poisson_sampler, private_loader, with_batches
from ghostgrad.marks import OutputHook, mark
from ghostgrad.privacy import Accountant, Event, calibrate_noise
from ghostgrad.run import Draws, Run
from ghostgrad.sampling import PoissonSampler, cut

__all__ = ["BatchMemoryManager", "PrivacyEngine"]

_BACKWARD_MODES = ("hooks", "functorch", "ew")


class _Criterion:
    """Ghost mode's criterion: the user's own, per example, averaged (or added up) so that the graph shows how."""

    def __init__(self, criterion: Any, run: Run, reduction: str) -> None:
        self.criterion, self.run, self.reduction = criterion, run, reduction

    def __call__(self, *args: Any, shape: Any = None, **kwargs: Any) -> Tensor:
        before, self.criterion.reduction = getattr(self.criterion, "reduction", "mean"), "none"
        try:
            losses = self.criterion(*args, **kwargs)
        finally:
            self.criterion.reduction = before
        if shape is not None and len(losses) == shape[0] * shape[1]:
            losses = self._of_sequences(losses.view(shape[0], shape[1]), kwargs.get("target", args[1] if len(args) > 1 else None))
        elif losses.dim() > 1:
            losses = losses.flatten(1).mean(1) if self.reduction == "mean" else losses.flatten(1).sum(1)
        return mark(losses.mean() if self.reduction == "mean" else losses.sum(), self.run)

    def _of_sequences(self, losses: Tensor, targets: Tensor | None) -> Tensor:
        """Each sequence's own mean over what is not ignored, or its sum."""
        if self.reduction == "sum":
            return losses.sum(1)
        ignored = getattr(self.criterion, "ignore_index", None)
        if ignored is None or targets is None:
            return losses.mean(1)
        return losses.sum(1) / (targets.view(losses.shape) != ignored).sum(1).clamp(min=1)


class PrivacyEngine:
    """Makes a model, an optimizer and a data loader train with differential privacy, with the interface of Opacus' class of this name.

    Args:
        accountant: one of `ghostgrad.accountants()`.
        secure_mode: taken and without effect; noise is always drawn from a cryptographic generator with the system's entropy.
    """

    def __init__(self, *, accountant: str = "prv", secure_mode: bool = False) -> None:
        self.accountant = Accountant(accountant).name  # refuses unknown names
        self.secure_mode = secure_mode
        self._runs: list[Run] = []

    def make_private(
        self,
        *,
        module: nn.Module,
        optimizer: Optimizer,
        criterion: Any = None,
        data_loader: "DataLoader[Any]",
        noise_multiplier: float,
        max_grad_norm: float | list[float],
        batch_first: bool = True,
        loss_reduction: str = "mean",
        poisson_sampling: bool = True,
        clipping: str = "flat",
        noise_generator: Any = None,
        grad_sample_mode: str = "hooks",
        wrap_model: bool = True,
        rand_on_empty: bool = False,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """Returns (module, optimizer, data_loader), and in mode "ghost" (module, optimizer, criterion, data_loader).

        Args:
            module: any model; it comes back as it is, with a forward hook. What mixes examples is refused at the first backward.
            optimizer: of all trainable parameters of the module; it comes back as it is, with a pre-hook on its steps.
            criterion: mode "ghost": a loss with an attribute `reduction`; by default cross entropy.
            data_loader: of a map-style data set; its length and that of its data set give q. Replaced by one with Poisson sampling.
            noise_multiplier: sigma.
            max_grad_norm: C; with clipping "per_layer" a list with one threshold for each trainable parameter, or C for all together.
            batch_first: False if examples are dimension 1; `backward()` then takes one loss for each example, [B], and no scalar.
            loss_reduction: "mean" divides each release by the expected batch size, "sum" does not.
            poisson_sampling: False keeps the loader's own batches, and `get_epsilon` refuses.
            clipping: "flat" or "per_layer".
            grad_sample_mode: "hooks", "functorch" and "ew" leave the criterion alone, "ghost" returns one; all do the same here.
            noise_generator, rand_on_empty: must be left as they are; wrap_model is taken and without effect: nothing is wrapped.
            kwargs: `independence` and `positions`, as `Engine` takes them.

        Raises:
            InvalidArgument: a value that cannot be served, with what to do instead.
        """
        _refuse_the_unknown(grad_sample_mode, loss_reduction, clipping, kwargs)
        _refuse_what_cannot_be(noise_generator, rand_on_empty, not batch_first and grad_sample_mode == "ghost")
        self.validate(module=module, optimizer=optimizer, data_loader=data_loader)
        sampler = poisson_sampler(data_loader)
        threshold, groups = _thresholds(module, max_grad_norm, clipping)
        engine = Engine(
            module.named_parameters(),
            clip=threshold,
            groups=groups,
            noise_multiplier=noise_multiplier,
            expected_batch_size=sampler.expected_batch_size,
            sample_rate=sampler.sample_rate if poisson_sampling else None,
            accountant=self.accountant,
            **kwargs,
        )
        scale = 1.0 if loss_reduction == "mean" else sampler.expected_batch_size
        run = self._attached(Run(engine, scale, Draws(accounted=poisson_sampling), batch_first), module, optimizer)
        loader = private_loader(data_loader, sampler if poisson_sampling else None, run.draws)
        if grad_sample_mode == "ghost":
            return module, optimizer, _Criterion(nn.CrossEntropyLoss() if criterion is None else criterion, run, loss_reduction), loader
        return module, optimizer, loader

    def _attached(self, run: Run, module: nn.Module, optimizer: Optimizer) -> Run:
        self._runs.append(run)
        module.register_forward_hook(OutputHook(run), with_kwargs=True)
        optimizer.register_step_pre_hook(run.before_step)
        return run

    def make_private_with_epsilon(
        self,
        *,
        module: nn.Module,
        optimizer: Optimizer,
        criterion: Any = None,
        data_loader: "DataLoader[Any]",
        target_epsilon: float,
        target_delta: float,
        epochs: int,
        max_grad_norm: float | list[float],
        poisson_sampling: bool = True,
        **options: Any,
    ) -> tuple[Any, ...]:
        """As `make_private`, with the smallest noise that keeps `epochs` epochs within (target_epsilon, target_delta)."""
        if not poisson_sampling:
            raise invalid("poisson_sampling", "must be True for a target epsilon", "False", "no accountant covers a shuffled loader")
        found = calibrate_noise(
            epsilon=target_epsilon,
            delta=target_delta,
            sample_rate=1 / len(data_loader),
            steps=epochs * len(data_loader),
            accountant=self.accountant,
        )
        return self.make_private(
            module=module,
            optimizer=optimizer,
            criterion=criterion,
            data_loader=data_loader,
            noise_multiplier=found.noise_multiplier,
            max_grad_norm=max_grad_norm,
            **options,
        )

    @property
    def engines(self) -> list[Engine]:
        """The engines, one of each make_private: for reports, statements and `check_independence`."""
        return [run.engine for run in self._runs]

    def get_epsilon(self, delta: float) -> float:
        """Upper bound on epsilon for all releases so far, of all models together.

        Raises:
            InvalidArgument: nothing was made private yet, or without Poisson sampling.
        """
        if not self._runs:
            raise invalid("get_epsilon", "needs a private model", "none", "call make_private first")
        if len(self._runs) == 1:
            return self.engines[0].epsilon(delta)
        total = Accountant(self.accountant)
        for engine in self.engines:
            total.compose(_history(engine))
        return total.epsilon(delta).value

    # ---- what Opacus' class has besides ------------------------------------------------------------------------------------------

    def validate(self, *, module: nn.Module, optimizer: Optimizer | None = None, data_loader: Any = None) -> None:
        """Raises InvalidArgument or PrivacyError for what cannot be trained."""
        for name, layer in module.named_modules():
            if isinstance(layer, _BatchNorm) and (layer.training or not layer.track_running_stats):
                raise PrivacyError(f"[{name}] batch norm in training mode mixes examples; use GroupNorm, or put the layer into eval mode")
        if optimizer is not None:
            ours = {id(p) for p in module.parameters() if p.requires_grad}
            theirs = {id(p) for group in optimizer.param_groups for p in group["params"] if p.requires_grad}
            if ours != theirs:
                got = f"{len(ours)} and {len(theirs)} tensors, {len(ours & theirs)} of them in both"
                raise invalid("optimizer", "must hold the trainable parameters of the module", got, "make it from module.parameters()")
        if data_loader is not None and (not isinstance(data_loader, DataLoader) or isinstance(data_loader.dataset, IterableDataset)):
            raise invalid("data_loader", "must be a DataLoader of a map-style data set", type(data_loader).__name__, "wrap the data in one")

    def is_compatible(self, *, module: nn.Module, optimizer: Optimizer | None = None, data_loader: Any = None) -> bool:
        """Whether `validate` has nothing to say."""
        try:
            self.validate(module=module, optimizer=optimizer, data_loader=data_loader)
        except (InvalidArgument, PrivacyError):
            return False
        return True

    @staticmethod
    def get_compatible_module(module: nn.Module) -> nn.Module:
        """Refused: nothing is rewritten here."""
        raise Unsupported("[get_compatible_module] models are trained as they are; replace batch norm by GroupNorm in your own code")

    def save_checkpoint(
        self, *, path: str | os.PathLike[str], module: nn.Module, optimizer: Optimizer | None = None, checkpoint_dict: Any = None
    ) -> None:
        """Writes the state of the module, the optimizer and the privacy accounting, which torch.load(weights_only=True) reads."""
        states = {"module": module.state_dict(), "privacy": [engine.state_dict() for engine in self.engines]}
        torch.save({**(checkpoint_dict or {}), **states, "optimizer": optimizer and optimizer.state_dict()}, path)

    def load_checkpoint(self, *, path: str | os.PathLike[str], module: nn.Module, optimizer: Optimizer | None = None) -> dict[str, Any]:
        """Goes on where `save_checkpoint` was called; make everything private first.

        Raises:
            InvalidArgument: another number of models, or what a release depends on (the loader's sample rate, the noise) is not as it was.
        """
        found = torch.load(path, weights_only=True)
        if len(found["privacy"]) != len(self._runs):
            raise invalid(
                "load_checkpoint", f"needs {len(found['privacy'])} private models", str(len(self._runs)), "call make_private first"
            )
        for engine, past in zip(self.engines, found["privacy"]):
            engine._refuse_to_resume(past)  # before anything is changed
        module.load_state_dict(found.pop("module"))
        state = found.pop("optimizer")
        if optimizer is not None and state is not None:
            optimizer.load_state_dict(state)
        for engine, past in zip(self.engines, found.pop("privacy")):
            engine.load_state_dict(past)
        return found


class BatchMemoryManager:
    """Logical batches in physical ones that fit in memory; `optimizer.step()` acts after the last of each logical batch only.

    with BatchMemoryManager(data_loader=loader, max_physical_batch_size=64, optimizer=optimizer) as loader:
        for x, y in loader: ...         # backward() and optimizer.step() for each

    Leaving the loop half-way drops the logical batch under way, unreleased.

    Raises:
        PrivacyError: a part without its optimizer.step(), or one step too many.
    """

    def __init__(self, *, data_loader: "DataLoader[Any]", max_physical_batch_size: int, optimizer: Optimizer) -> None:
        hooks = (getattr(hook, "__self__", None) for hook in optimizer._optimizer_step_pre_hooks.values())
        runs = [owner for owner in hooks if isinstance(owner, Run)]
        if not runs or not isinstance(data_loader.batch_sampler, PoissonSampler):
            raise invalid("BatchMemoryManager", "needs what make_private returned", "others", "call make_private first")
        if max_physical_batch_size < 1:
            raise invalid("max_physical_batch_size", "must be positive", str(max_physical_batch_size), "pass what fits in memory")
        self._run, self._loader, self._size = runs[-1], data_loader, max_physical_batch_size

    def __enter__(self) -> Iterator[Any]:
        return _Split(self._run, self._loader, self._size)  # type: ignore[return-value]

    def __exit__(self, *_: Any) -> None:
        self._run.begin_pass().closed = True


class _Split:
    """The loader with each logical batch in parts."""

    def __init__(self, run: Run, loader: "DataLoader[Any]", size: int) -> None:
        self.run, self.loader, self.size = run, loader, size

    def __iter__(self) -> Iterator[Any]:
        sampler: Any = self.loader.batch_sampler
        parts = [cut(sampler.draw(step), self.size) or [[]] for step in sampler.take()]
        handed = self.run.begin_pass()
        loader = with_batches(self.loader, [part for batch in parts for part in batch], self.loader.collate_fn)
        cuts = ((len(part), at + 1 < len(batch)) for batch in parts for at, part in enumerate(batch))
        for values, (size, follow) in zip(loader, cuts):
            handed.hand_out(follow)
            self.run.draws.hand_out(size)
            yield values
        handed.require_stepped()


def _history(engine: Engine) -> Event:
    """What an engine released; refused where batches did not come from Poisson sampling."""
    history = engine.history
    if history is None:
        raise invalid("sample_rate", "is needed to account for privacy", "a shuffled loader", "leave poisson_sampling True")
    return history


def _refuse_what_cannot_be(noise_generator: Any, rand_on_empty: bool, sequences_first: bool) -> None:
    if noise_generator is not None:
        raise invalid("noise_generator", "cannot be given", "a generator", "leave it out: noise from a known state is no privacy")
    if rand_on_empty:
        raise invalid("rand_on_empty", "must be False", "True", "let the model take a batch without rows")
    if sequences_first:
        raise invalid("batch_first", "must be True in mode ghost", "False", "leave the criterion to yourself: grad_sample_mode='hooks'")


def _refuse_the_unknown(mode: str, reduction: str, clipping: str, kwargs: dict[str, Any]) -> None:
    if mode not in (*_BACKWARD_MODES, "ghost"):
        raise invalid("grad_sample_mode", "must be hooks, functorch, ew or ghost", repr(mode), "leave it out: all do the same here")
    if reduction not in ("mean", "sum"):
        raise invalid("loss_reduction", "must be mean or sum", repr(reduction), "pass how your criterion reduces")
    if clipping not in ("flat", "per_layer"):
        remedy = "use ghostgrad.Engine(adaptive_clipping=...)" if clipping == "adaptive" else "pass one of the two"
        raise invalid("clipping", "must be flat or per_layer", repr(clipping), remedy)
    unknown = sorted(set(kwargs) - {"independence", "positions"})
    if unknown:
        raise invalid(unknown[0], "is no argument that can be served here", repr(kwargs[unknown[0]]), "leave it out")


def _thresholds(module: nn.Module, given: float | list[float], clipping: str) -> tuple[float | None, str]:
    """C over everything, where it is one number, and the engine's groups."""
    if given is None:
        raise invalid("max_grad_norm", "must be a number", "None", "pass C, e.g. 1.0")
    if not isinstance(given, (list, tuple)):
        return given, "flat" if clipping == "flat" else "per_parameter"
    names = [name for name, parameter in module.named_parameters() if parameter.requires_grad]
    if clipping != "per_layer" or len(given) != len(names):
        got = f"a list of {len(given)} with clipping {clipping!r}"
        raise invalid("max_grad_norm", f"must be a number, or with clipping per_layer {len(names)} numbers", got, "one for each parameter")
    return None, ",".join(f"{name}={c!r}" for name, c in zip(names, given))
