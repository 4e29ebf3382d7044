# SPDX-License-Identifier: Apache-2.0
"""The parameters that a user hands over: `model.named_parameters()`, or any pairs of a name and a tensor."""

from collections.abc import Iterable, Mapping

from torch import Tensor

from ghostgrad.errors import invalid

Parameters = Iterable[tuple[str, Tensor]] | Mapping[str, Tensor]


def named_pairs(named_parameters: Parameters) -> list[tuple[str, Tensor]]:
    """The pairs as a list.

    Raises:
        InvalidArgument: something else than pairs, or one tensor under two names (its gradient would be written twice).
    """
    remedy = "pass model.named_parameters()"
    pairs = []
    names: dict[int, str] = {}
    if not isinstance(named_parameters, Iterable):
        raise invalid("named_parameters", "must be pairs of a name and a tensor", type(named_parameters).__name__, remedy)
    for item in named_parameters.items() if isinstance(named_parameters, Mapping) else named_parameters:
        if not (isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str) and isinstance(item[1], Tensor)):
            raise invalid("named_parameters", "must be pairs of a name and a tensor", type(item).__name__, remedy)
        name, parameter = item
        if id(parameter) in names:
            raise invalid("named_parameters", "must hold each tensor once", f"{names[id(parameter)]!r} and {name!r} for one tensor", remedy)
        names[id(parameter)] = name
        pairs.append((name, parameter))
    return pairs
