# SPDX-License-Identifier: Apache-2.0
"""For tests: the clipped sum without noise. Never publish what comes from here."""

import torch
from torch import Tensor

from ghostgrad import _core
from ghostgrad.errors import compiled_models_explained, invalid
from ghostgrad.parameters import Parameters, named_pairs


def clipped_sum(
    losses: Tensor,
    named_parameters: Parameters,
    *,
    clip: float = 1.0,
    method: str = "auto",
    independence: str = "graph",
    clip_function: str = "abadi",
    mask: Tensor | None = None,
) -> tuple[list[Tensor], Tensor]:
    """The sum over examples of their clipped gradients, sum_i min(1, C / |G_i|) G_i, and the norms |G_i|.

    Args:
        losses: [B], or a scalar that is plainly their mean or sum.
        named_parameters: pairs of names and tensors; frozen ones get zeros.
        clip: C, the threshold.
        method: one of `ghostgrad.methods()`; `naive` needs an engine and a loss function.
        independence: "graph" refuses what the graph cannot prove independent, "assumed" refuses only what is proved to be coupled.
        clip_function: one of `ghostgrad.clip_functions()`.
        mask: bool [B], true for each example that counts.

    Returns:
        The sums, in the order and the types of the parameters, and the norms [B] (zeros for method `non_private`).

    Raises:
        InvalidArgument: losses, names or values out of range.
        PrivacyError: examples are coupled, or may be.
    """
    if independence not in ("graph", "assumed"):
        raise invalid("independence", "must be graph or assumed", repr(independence), 'pass "graph", and "assumed" where you vouch for it')
    parameters = [parameter for _, parameter in named_pairs(named_parameters)]
    tracked = [parameter for parameter in parameters if parameter.requires_grad]
    options = _core.SumOptions()
    options.clip, options.method, options.clip_function = clip, method, clip_function
    options.assumed = independence == "assumed"
    with compiled_models_explained():
        totals, norms = _core.clipped_sum(losses, tracked, options, mask)
    found = iter(totals)
    sums = [next(found).to(p.device, p.dtype) if p.requires_grad else torch.zeros_like(p) for p in parameters]
    return sums, norms.to(losses.dtype if losses.dtype.itemsize >= 4 else torch.float32)
