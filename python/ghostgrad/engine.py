# SPDX-License-Identifier: Apache-2.0
"""The engine: per-example losses in, private gradients out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor
from torch.optim import Optimizer

from ghostgrad import _core
from ghostgrad.errors import PrivacyError, compiled_models_explained, invalid
from ghostgrad.independence import FlatBatch, IndependenceReport, LossFunction, losses_from, run_check
from ghostgrad.parameters import Parameters, named_pairs
from ghostgrad.privacy import USUAL_ACCOUNTANT, Event, PrivacyStatement

_STATE_VERSION = 1
# What a release or its event depends on; the rest of a plan says how it is computed, checked and read.
_OF_A_RELEASE = (
    "clip",
    "noise_multiplier",
    "expected_batch_size",
    "sample_rate",
    "positions",
    "clip_function",
    "clip_constant",
    "groups",
    "adaptive_clipping",
)
_COMPILED = (
    "a region compiled by torch.compile shows as one call and runs by the fallback, one backward for each example: exact, but slow; "
    'torch.compiler.set_stance("force_eager") around the losses is faster'
)


def _fill(options: Any, values: dict[str, Any]) -> Any:
    """Sets the options of the core; a value of another type is refused by name."""
    for name, value in values.items():
        if not hasattr(options, name):
            raise invalid(name, "is no option", repr(value), "see the docstring of Engine")
        try:
            setattr(options, name, value)
        except TypeError:
            raise invalid(name, "has the wrong type", f"{value!r} ({type(value).__name__})", "see the docstring of Engine") from None
    return options


def _adaptive(given: Any) -> dict[str, float | None] | None:
    """All options of adaptive clipping, or None without it."""
    if given is None or given is False:
        return None
    options = {} if given is True else given
    if not isinstance(options, Mapping):
        raise invalid("adaptive_clipping", "must be True or a dictionary of options", repr(given), 'pass e.g. {"quantile": 0.5}')
    filled = _fill(_core.AdaptiveClipping(), dict(options))
    return {name: getattr(filled, name) for name in ("quantile", "rate", "count_noise")}


class Call(NamedTuple):
    """One call (or a bundle of calls that meet in the same parameters): the op with its shape, and how its norms were formed."""

    label: str
    route: str


@dataclass(frozen=True)
class Report:
    """How the last physical batch was done."""

    method: str
    calls: list[Call]
    by_rule: dict[str, int]  # calls by rule; what ran through the fallback is under "fallback"
    unreached: list[str]  # parameters that the losses do not depend on: they get noise alone
    warnings: list[str]
    independence: str  # "audited", "not audited" or "assumed"
    steps: int
    noise_is_private: bool


class Engine:
    """Trains one set of parameters with differential privacy. The model is untouched; `.grad` is written by a release alone.

        q = 256 / 50000
        engine = ghostgrad.Engine(model.named_parameters(), clip=1.0, noise_multiplier=1.1, expected_batch_size=256, sample_rate=q)
        engine.backward(F.cross_entropy(model(x), y, reduction="none"))
        engine.step(optimizer)
        engine.epsilon(delta=1e-5)

    Each release is the Poisson-subsampled Gaussian mechanism [Abadi et al. 2016, Alg. 1],
    (sum_i min(1, C / |G_i|) G_i + sigma C N(0, I)) / expected_batch_size, if the batches come from Poisson sampling (`PoissonSampler`) and
    each loss depends on its own example alone. The graph is checked for that at every step.

    Args:
        named_parameters: `model.named_parameters()`. Frozen ones are left alone; unfreezing one later is seen at the next logical batch.
        clip: C, the threshold: the L2 norm over all parameters together that each example's gradient is scaled down to; 1 if neither it
            nor `groups` says it.
        noise_multiplier: sigma; the noise has standard deviation sigma C in each coordinate of the sum. 0 means no privacy.
        expected_batch_size: what a release is divided by; public, q N, never the size of a batch.
        sample_rate: q of the Poisson sampling. Without it the engine trains, but `epsilon` asks for it.
        positions: the most tokens or pixels that a layer sees of one example, where that varies from batch to batch (sequences padded to the
            longest of their batch): rounding grows with it, and the noise, which must not follow the batch, is made for this many.
        method: one of `ghostgrad.methods()`; all give the same sums.
        clip_function: one of `ghostgrad.clip_functions()`.
        clip_constant: of the clip function, where it has one.
        groups: what is clipped together: "flat" (all), "per_layer", "per_block", "per_parameter", together C; or "PREFIX=C_g,..." in place
            of `clip`: C is then sqrt(sum C_g^2).
        adaptive_clipping: C follows a quantile of the norms [Andrew et al. 2021]: True, or a dictionary of `quantile` (0.5), `rate` (0.2)
            and `count_noise`, of which any may be left out.
        independence: "graph" (what the graph cannot prove needs `check_independence`) or "assumed" (you vouch for it).
        accountant: one of `ghostgrad.accountants()`.
        keep_bytes: memory for instantiated gradients between norms and sums; no influence on privacy.
        test_seed: for tests alone: anybody can compute the noise, and every statement says NOT PRIVATE.

    Raises:
        InvalidArgument (a ValueError): a value out of range; the message names it.
        Unsupported (a NotImplementedError): complex parameters.
    """

    def __init__(
        self,
        named_parameters: Parameters,
        *,
        clip: float | None = None,
        noise_multiplier: float,
        expected_batch_size: float,
        sample_rate: float | None = None,
        positions: int | None = None,
        method: str = "auto",
        clip_function: str = "abadi",
        clip_constant: float | None = None,
        groups: str = "flat",
        adaptive_clipping: dict[str, float | None] | bool | None = None,
        independence: str = "graph",
        accountant: str = USUAL_ACCOUNTANT,
        keep_bytes: int = 1 << 30,
        test_seed: int | None = None,
    ) -> None:
        self._named = named_pairs(named_parameters)
        self._test_seed = test_seed
        self._number = 0  # of the logical batch under way: those before it were released or discarded
        plan = {
            "clip": clip,
            "noise_multiplier": noise_multiplier,
            "expected_batch_size": expected_batch_size,
            "sample_rate": sample_rate,
            "positions": positions,
            "method": method,
            "clip_function": clip_function,
            "clip_constant": clip_constant,
            "groups": groups,
            "adaptive_clipping": _adaptive(adaptive_clipping),
            "independence": independence,
            "accountant": accountant,
            "keep_bytes": keep_bytes,
        }
        self._core = self._make_core(plan)
        self._plan = {**plan, "clip": self._core.clip}

    def _make_core(self, plan: dict[str, Any]) -> "_core.Engine":
        options = _core.PlanOptions()
        adaptive = plan["adaptive_clipping"]
        _fill(options, {**plan, "adaptive_clipping": None if adaptive is None else _fill(_core.AdaptiveClipping(), adaptive)})
        return _core.Engine(self._named, options, self._test_seed)

    # ---- a step ----------------------------------------------------------------------------------------------------------------

    def backward(self, losses: Tensor | LossFunction, mask: Tensor | None = None, *, batch: Any = None) -> None:
        """Adds one physical batch to the logical batch, in place of `losses.sum().backward()`.

        Args:
            losses: [B], one per example; or a scalar that is plainly a mean or sum over examples (dimension 0 of what was reduced): of [B]
                losses, or cross entropy, squared error, binary cross entropy without weights or ignored targets, which is taken apart
                exactly. Or, for method `naive`, a function from `batch` to the losses.
            mask: bool [B], true for each example that counts.
            batch: what the loss function takes (a tensor, tuple, list or dict of tensors, examples first).

        Raises:
            InvalidArgument: another shape or another scalar; the message says what to write instead.
            PrivacyError: examples are mixed, or may be; a parameter holds an ordinary gradient.
        """
        if mask is not None and not isinstance(mask, Tensor):
            raise invalid("mask", "must be a bool tensor [B]", type(mask).__name__, "pass true for each example that counts")
        if isinstance(losses, Tensor):
            if losses.dim() == 1 and len(losses) == 0:  # what an empty logical batch gives: it is released all the same
                return
            with compiled_models_explained():
                self._core.backward(losses, mask)
        elif callable(losses):
            flat = FlatBatch(batch)
            self._core.backward_of(lambda tensors: losses_from(losses(flat.rebuilt(tensors))), flat.tensors, mask)
        else:
            raise invalid("losses", "must be a tensor [B]", type(losses).__name__, "pass the losses themselves")

    def release(self) -> None:
        """Ends the logical batch (which may be empty): adds noise once, writes `.grad` of every tracked parameter, records the event.

        Raises:
            PrivacyError: the logical batch was left half-way by an error, or a parameter holds an ordinary gradient.
        """
        self._core.release()
        self._number += 1

    def step(self, optimizer: Optimizer) -> None:
        """`release()`, then `optimizer.step()`. What any optimizer or scheduler does with a release costs no privacy.

        Raises:
            PrivacyError: as `release`; the optimizer holds a gradient of a parameter that is not the engine's.
        """
        apply = optimizer.step
        self._refuse_foreign_gradients(optimizer)
        self.release()
        apply()

    def _refuse_foreign_gradients(self, optimizer: Optimizer) -> None:
        """What an optimizer holds besides the engine's parameters must have no gradient."""
        self._core.refuse_foreign_gradients([held for group in getattr(optimizer, "param_groups", ()) for held in group["params"]])

    def discard(self) -> None:
        """Drops a half-done logical batch. Nothing is released."""
        self._core.discard()
        self._number += 1

    # ---- what it costs ---------------------------------------------------------------------------------------------------------

    def epsilon(self, delta: float) -> float:
        """Upper bound on epsilon for all releases so far, infinite without noise.

        Raises:
            InvalidArgument: no sample rate, or delta outside of (0, 1).
        """
        return self.statement(delta).epsilon

    def statement(self, delta: float) -> PrivacyStatement:
        """The promise with everything that it rests on. Raises as `epsilon`."""
        return PrivacyStatement(self._core.statement(delta))

    @property
    def steps(self) -> int:
        """Releases so far."""
        return self._core.steps

    @property
    def history(self) -> Event | None:
        """What was released so far, for an `Accountant` that adds up several engines; None without a sample rate.

        Raises:
            PrivacyError: inside a logical batch.
        """
        return self._core.past()[0]

    @property
    def threshold(self) -> float:
        """C of the logical batch under way, or of the next, sqrt(sum C_g^2) of several groups: `clip`, where it is given and not adaptive."""
        return self._core.threshold

    @property
    def last_norms(self) -> Tensor | None:
        """Gradient norms [B] of the last physical batch. Private: for debugging, never for a log."""
        return self._core.last_norms

    def report(self) -> Report:
        """How the last physical batch was done: calls, their rules, what ran through the fallback, warnings."""
        fields = self._core.report()
        fields["calls"] = [Call(*call) for call in fields["calls"]]
        if any("CompiledFunctionBackward" in call.label for call in fields["calls"]):
            fields["warnings"].append(_COMPILED)
        return Report(**fields)

    def check_independence(self, loss_fn: LossFunction, batch: Any) -> IndependenceReport:
        """`ghostgrad.check_independence`, remembered for graphs of this shape: what the graph alone cannot prove is then allowed.

        Raises:
            PrivacyError: examples are coupled.
        """
        return run_check(self._core.check_independence, loss_fn, batch)

    # ---- checkpoints -----------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The plan (threshold, sigma, ...), the history of releases and their number, as plain numbers and strings; never the noise key.

        Raises:
            PrivacyError: inside a logical batch, whose sum is not stored.
        """
        history, steps, noise_is_private, independence = self._core.past()
        return {
            "version": _STATE_VERSION,
            "plan": dict(self._plan),
            "threshold": self.threshold,
            "history": None if history is None else json.loads(history.to_json()),
            "steps": steps,
            "noise_is_private": noise_is_private,
            "independence": independence,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where another engine stopped, with its releases and its threshold, and with a noise key of its own.

        What a release depends on must be as it was there, so that nothing that this engine was made with is replaced behind one's back:
        `Engine(named_parameters, **state["plan"])` is such an engine. To go on otherwise, make a new one, and add up both histories in an
        `Accountant`.

        Raises:
            PrivacyError: this engine has begun already.
            InvalidArgument: not a state of an engine, or of another version; an engine made otherwise.
        """
        self._refuse_to_resume(state)
        adaptive = self._plan["adaptive_clipping"] is not None
        core = self._make_core({**self._plan, "clip": state["threshold"]} if adaptive else self._plan)
        history = None if state["history"] is None else _core.Event.from_json(json.dumps(state["history"]))
        core.resume(history, state["steps"], (state["noise_is_private"], state["independence"] == "audited"))
        self._core = core

    def _refuse_to_resume(self, state: Any) -> None:
        """Raises as `load_state_dict`, and changes nothing."""
        if not isinstance(state, dict) or state.get("version") != _STATE_VERSION:
            raise invalid("state", "must come from Engine.state_dict of this version", type(state).__name__, "pass such a dictionary")
        missing = {"plan", "threshold", "history", "steps", "noise_is_private", "independence"} - set(state)
        if missing:
            raise invalid("state", "is incomplete", "no " + ", ".join(sorted(missing)), "pass all that state_dict gave")
        if self._core.past()[1] > 0:
            raise PrivacyError(f"[Engine] would forget {self.steps} releases; load a state into a new engine")
        then, now = state["plan"], self._plan
        differing = [name for name in _OF_A_RELEASE if then.get(name) != now[name]]
        if differing:
            shown = [", ".join(f"{name}={plan.get(name)!r}" for name in differing) for plan in (then, now)]
            raise invalid(
                "load_state_dict",
                f"must go on as before, with {shown[0]}",
                f"an engine with {shown[1]}",
                'make it with the values of state["plan"]; to go on otherwise, make a new engine and add up both histories in an Accountant',
            )

    def __reduce__(self) -> Any:
        raise invalid(
            "Engine", "cannot be copied or stored: two with one noise key would cancel each other's noise", "a copy", "use state_dict()"
        )
