# SPDX-License-Identifier: Apache-2.0
"""Adapters that peft puts into a model of transformers: exact, by rules, and trained while the rest stays frozen."""

import pytest
import torch
from reference import assert_close, assert_exact

import ghostgrad

peft = pytest.importorskip("peft")
transformers = pytest.importorskip("transformers")

ADAPTERS = {
    "LoRA": lambda: peft.LoraConfig(task_type="CAUSAL_LM", r=2, lora_alpha=4, target_modules=["q_proj", "v_proj"], lora_dropout=0.0),
    "DoRA": lambda: peft.LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=["q_proj"], lora_dropout=0.0, use_dora=True),
    "IA3": lambda: peft.IA3Config(task_type="CAUSAL_LM", target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"]),
    "prompt tuning": lambda: peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3),
}


def adapted(name):
    sizes = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, vocab_size=20)
    config = transformers.LlamaConfig(**sizes, attn_implementation="eager", pad_token_id=0)
    model = peft.get_peft_model(transformers.LlamaForCausalLM(config).double(), ADAPTERS[name]()).double()
    for p in model.parameters():
        if p.requires_grad:
            torch.nn.init.normal_(p, std=0.3)  # where adapters begin at zero, half of their gradients are zero, too
    return model


def losses_of(model):
    def losses(tokens):
        logits = model(input_ids=tokens).logits[:, -tokens.shape[1] : -1]
        return ghostgrad.per_example_loss(logits, tokens[:, 1:])

    return losses


@pytest.mark.slow
@pytest.mark.parametrize("name", ADAPTERS)
def test_adapters_are_exact_and_accepted(name):
    model, tokens = adapted(name), torch.randint(1, 20, (4, 6))
    frozen = {key: p.clone() for key, p in model.named_parameters() if not p.requires_grad}
    assert frozen and len(frozen) < len(dict(model.named_parameters()))
    assert_exact(losses_of(model), tokens, model, clip=0.05, independence="assumed")
    engine = ghostgrad.Engine(model.named_parameters(), noise_multiplier=1.0, expected_batch_size=4)
    engine.check_independence(losses_of(model), tokens)
    engine.backward(losses_of(model)(tokens))
    engine.step(torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.1))
    assert engine.report().independence == "audited"
    for key, p in model.named_parameters():
        if key in frozen:
            assert p.grad is None
            assert_close(p, frozen[key], 0)
