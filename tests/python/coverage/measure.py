# SPDX-License-Identifier: Apache-2.0
"""One subject of the coverage lists against the one-example-at-a-time loop: sums and norms of each method, what ran how, what was refused.

PYTHONPATH=build/release/python python tests/python/coverage/measure.py     writes layers.json and architectures.json beside this file
"""

import json
import re
import sys
from pathlib import Path

import torch
from torch.overrides import TorchFunctionMode

import ghostgrad
from ghostgrad.nests import mapped

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from reference import assert_close, clipped_sum  # noqa: E402

METHODS = ("auto", "bk", "per_example")
TOLERANCE = 1e-9


class InFloat64(TorchFunctionMode):
    """Models that turn to float32 for a part of their arithmetic turn to float64, so that rounding does not hide an error."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is torch.Tensor.float:
            function = torch.Tensor.double
        wide = lambda value: torch.float64 if value is torch.float32 else value
        return function(*map(wide, args), **{name: wide(value) for name, value in (kwargs or {}).items()})


def measured(name, make):
    """A row of the table. Raises AssertionError where a number is wrong.

    Args:
        make: gives (model, loss function, batch); the loss function makes losses [B] of the batch.
    """
    torch.manual_seed(0)
    model, losses_of, batch = built(make)

    def losses(part):
        with InFloat64():
            return losses_of(part)

    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    engine = ghostgrad.Engine(named, clip=1.0, noise_multiplier=0, expected_batch_size=1)
    try:
        proof = proof_of(losses(batch), named)
        engine.check_independence(losses, batch)
        engine.backward(losses(batch))
    except ghostgrad.Error as error:
        return row(name, "refused", 0, "", str(error))
    assert_exact(losses, batch, named)
    check_in_float32(make)
    report = engine.report()
    assert report.independence == "audited"
    by_rule = sum(count for rule, count in report.by_rule.items() if rule != "fallback")
    return row(name, "exact", by_rule, fallbacks(report), proof)


def row(name, sums, by_rule, by_the_fallback, independence):
    return {"name": name, "sums": sums, "by rule": by_rule, "by the fallback": by_the_fallback, "independence": independence}


def built(make):
    """As a user builds a model, in float32; it turns itself into float64 afterwards."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        return make()
    finally:
        torch.set_default_dtype(before)


def check_in_float32(make):
    """No false alarm of the check in float32, with the precisions that the model itself chooses."""
    model, losses, batch = built(make)
    model.float()
    narrow = lambda part: part.float() if part.is_floating_point() else part
    ghostgrad.check_independence(losses, mapped(narrow, batch), model.named_parameters())


def proof_of(losses, named):
    """Whether the graph alone proves that examples are independent; else what it does not know."""
    try:
        ghostgrad.testing.clipped_sum(losses, named)
    except ghostgrad.PrivacyError as error:
        if "check_independence" not in str(error):
            raise
        return "by the check: " + re.search(r"\[graph\] (\S+)", str(error))[1]
    return "proved"


def assert_exact(losses, batch, named):
    parameters = [p for _, p in named]
    _, norms = clipped_sum(losses, batch, parameters)
    clip = norms.median().item()  # some examples are clipped, some are not
    expected, _ = clipped_sum(losses, batch, parameters, clip)
    for method in METHODS:
        found, found_norms = ghostgrad.testing.clipped_sum(losses(batch), named, clip=clip, method=method, independence="assumed")
        assert_close(found_norms, norms, TOLERANCE, f"{method}: norms")
        for (name, _), one, other in zip(named, found, expected):
            assert_close(one, other, TOLERANCE, f"{method}: {name}")


def fallbacks(report):
    """Op names and counts of what no rule served."""
    ops = [op for call in report.calls for op in re.findall(r"fallback (\S+)", call.label)]
    return ", ".join(f"{ops.count(op)} {op}" for op in sorted(set(ops)))


def versions():
    import transformers

    return {"torch": torch.__version__.split("+", maxsplit=1)[0], "transformers": transformers.__version__}


def main():
    from architectures import ARCHITECTURES
    from layers import LAYERS

    torch.set_default_dtype(torch.float64)
    for file, subjects in (("layers", LAYERS), ("architectures", ARCHITECTURES)):
        rows = []
        for name, make in subjects.items():
            rows.append(measured(name, make))
            print(*rows[-1].values(), sep=" | ", flush=True)
        (HERE / f"{file}.json").write_text(json.dumps({"versions": versions(), "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
