# SPDX-License-Identifier: Apache-2.0
"""One loss per example, where a framework's own loss is normalised over the batch."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ghostgrad.errors import invalid


def per_example_loss(logits: Tensor, labels: Tensor, ignore_index: int = -100) -> Tensor:
    """Cross entropy of each example, averaged over the example's own tokens.

    The loss that token models compute themselves divides by the number of valid tokens of the whole batch, which makes every example's
    loss depend on the lengths of all others. This one divides by each example's own count; an example without a valid token has loss 0.
    A causal language model predicts the next token: pass `logits[:, :-1]` and `labels[:, 1:]`.

    Args:
        logits: scores [B, ..., V], examples first.
        labels: classes [B, ...], int64; positions equal to `ignore_index` do not count.
        ignore_index: the label of positions that do not count.

    Returns:
        Losses [B].

    Raises:
        InvalidArgument: the shapes do not fit.
    """
    if logits.dim() < 2 or logits.shape[:-1] != labels.shape:
        got = f"{list(logits.shape)} and {list(labels.shape)}"
        raise invalid("per_example_loss", "logits must be [B, ..., V] and labels [B, ...]", got, "leave the examples along the first axis")
    each = F.cross_entropy(logits.flatten(0, -2), labels.flatten(), ignore_index=ignore_index, reduction="none")
    counted = (labels != ignore_index).flatten(1).sum(1) if labels.dim() > 1 else torch.ones_like(labels)
    return each.view(len(labels), -1).sum(1) / counted.clamp(min=1)
