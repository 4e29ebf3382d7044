# SPDX-License-Identifier: Apache-2.0
"""Fine-tuning a causal language model privately, by low-rank adapters on frozen weights.

    python examples/lora_language_model.py

The model has random weights and the texts count (3 4 5 6 ...): what is shown is the loop, which is the same for a model from a hub.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import ghostgrad

WORDS, LENGTH, IGNORED = 32, 16, -100


def texts(count: int) -> TensorDataset:
    """Tokens [count, 16] that count upwards; what lies beyond a text's end is padding."""
    tokens = (torch.randint(0, WORDS, (count, 1)) + torch.arange(LENGTH)) % WORDS
    end = torch.randint(LENGTH // 2, LENGTH + 1, (count, 1))
    return TensorDataset(tokens, torch.where(torch.arange(LENGTH) < end, tokens, IGNORED))


class Adapted(nn.Module):
    """A frozen linear layer and what is trained beside it: x W^T + (x A^T) B^T."""

    def __init__(self, base: nn.Linear, rank: int) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.a = nn.Parameter(torch.randn(rank, base.in_features) / math.sqrt(base.in_features))
        self.b = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + F.linear(F.linear(x, self.a), self.b)


class LanguageModel(nn.Module):
    """Two pre-norm transformer blocks with causal attention; input and output words share their embedding."""

    def __init__(self, width: int = 48, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.words, self.positions = nn.Embedding(WORDS, width), nn.Embedding(LENGTH, width)
        nn.init.normal_(self.words.weight, std=0.15)
        self.qkv = nn.ModuleList(nn.Linear(width, 3 * width) for _ in range(2))
        self.mix = nn.ModuleList(nn.Linear(width, width) for _ in range(2))
        self.mlp = nn.ModuleList(nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(5))

    def attend(self, qkv: Tensor) -> Tensor:
        parts = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in qkv.chunk(3, dim=-1))
        return F.scaled_dot_product_attention(*parts, is_causal=True).transpose(1, 2).flatten(2)

    def forward(self, tokens: Tensor) -> Tensor:
        h = self.words(tokens) + self.positions(torch.arange(tokens.shape[1]))
        for k in range(2):
            h = h + self.mix[k](self.attend(self.qkv[k](self.norms[2 * k](h))))
            h = h + self.mlp[k](self.norms[2 * k + 1](h))
        return F.linear(self.norms[4](h), self.words.weight)


torch.manual_seed(0)
train, test = texts(6000), texts(400)
model = LanguageModel().requires_grad_(False)
for layers in (model.qkv, model.mix):
    for k, layer in enumerate(layers):
        layers[k] = Adapted(layer, rank=16)
for sequence in model.mlp:
    sequence[0], sequence[2] = Adapted(sequence[0], rank=16), Adapted(sequence[2], rank=16)
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.Adam(trained, lr=1e-2)

STEPS = 100
q = 300 / len(train)
noise = ghostgrad.calibrate_noise(epsilon=8, delta=1e-5, sample_rate=q, steps=STEPS).noise_multiplier
engine = ghostgrad.Engine(model.named_parameters(), clip=1.0, noise_multiplier=noise, expected_batch_size=300, sample_rate=q)


def losses_of(batch: tuple[Tensor, Tensor]) -> Tensor:
    # A language model's own loss divides by the tokens of the whole batch, which couples the texts. This is each text's own mean.
    return ghostgrad.per_example_loss(model(batch[0])[:, :-1], batch[1][:, 1:], ignore_index=IGNORED)


def perplexity() -> float:
    with torch.no_grad():
        return losses_of(test.tensors).mean().exp().item()


before = perplexity()
engine.check_independence(losses_of, train[:8])
for logical in ghostgrad.logical_batches(train, ghostgrad.PoissonSampler(len(train), sample_rate=q, steps=STEPS, physical_batch_size=128)):
    for batch, mask in logical:
        engine.backward(losses_of(batch), mask)
    engine.step(optimizer)

print(f"{sum(p.numel() for p in trained)} of {sum(p.numel() for p in model.parameters())} parameters trained")
print("calls by rule:", engine.report().by_rule)
print(engine.statement(delta=1e-5))
print(f"perplexity {before:.1f} -> {perplexity():.1f}")
