# SPDX-License-Identifier: Apache-2.0
"""torch.compile: exact by the fallback, or eagerly by torch's own switch; never silently wrong."""

import pytest
import torch
from classifier import losses_of
from reference import assert_released
from torch import nn

import ghostgrad


@pytest.fixture(params=["aot_eager", pytest.param("inductor", marks=pytest.mark.slow)])
def compiled(request):
    torch._dynamo.reset()
    model = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.LayerNorm(8), nn.Linear(8, 3))
    yield model, torch.compile(model, backend=request.param)
    torch._dynamo.reset()


def batch():
    return torch.randn(5, 4), torch.randint(0, 3, (5,))


def test_a_compiled_model_is_exact_once_you_vouch_for_it(compiled):
    model, fast = compiled
    data = batch()
    with pytest.raises(ghostgrad.PrivacyError, match="CompiledFunctionBackward"):
        ghostgrad.testing.clipped_sum(losses_of(fast)(data), model.named_parameters(), clip=0.1)
    engine = ghostgrad.Engine(model.named_parameters(), clip=0.1, noise_multiplier=0, expected_batch_size=1, independence="assumed")
    engine.backward(losses_of(fast)(data))
    assert engine.report().by_rule == {"fallback": 1} and any("force_eager" in warning for warning in engine.report().warnings)
    engine.release()
    assert_released(losses_of(model), data, model.parameters(), clip=0.1, divisor=1)
    with pytest.raises(NotImplementedError, match="force_eager"):
        engine.check_independence(losses_of(fast), data)


def test_a_compiled_model_runs_by_its_rules_under_torchs_eager_stance(compiled):
    model, fast = compiled
    data = batch()
    losses_of(fast)(data)
    engine = ghostgrad.Engine(model.named_parameters(), clip=0.1, noise_multiplier=0, expected_batch_size=1)
    with torch.compiler.set_stance("force_eager"):
        engine.check_independence(losses_of(fast), data)
        engine.backward(losses_of(fast)(data))
    engine.release()
    assert "fallback" not in engine.report().by_rule
    assert_released(losses_of(model), data, model.parameters(), clip=0.1, divisor=1)
