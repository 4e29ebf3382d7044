# SPDX-License-Identifier: Apache-2.0
"""A text classifier: token embedding, a transformer, padding, one loss per text.

    python examples/text_classifier.py

The texts are made here: words of a small vocabulary, some of them friendly, some not; the label says which kind is more frequent.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import ghostgrad

PADDING, WORDS, LENGTH = 0, 200, 24


def texts(count: int) -> TensorDataset:
    """Tokens [count, 24], padded on the right, and labels: words 1-20 are friendly, 21-40 are not."""
    tokens = torch.randint(41, WORDS, (count, LENGTH))
    labels = torch.randint(0, 2, (count,))
    telling = torch.rand(count, LENGTH) < 0.4
    kind = torch.where(torch.rand(count, LENGTH) < 0.9, labels[:, None], 1 - labels[:, None])
    tokens = torch.where(telling, torch.randint(1, 21, (count, LENGTH)) + 20 * kind, tokens)
    lengths = torch.randint(8, LENGTH + 1, (count, 1))
    return TensorDataset(torch.where(torch.arange(LENGTH) < lengths, tokens, PADDING), labels)


class Classifier(nn.Module):
    """Embedding, one transformer layer, the mean over the words of each text, and a head."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, width, padding_idx=PADDING)
        self.positions = nn.Parameter(0.1 * torch.randn(LENGTH, width))
        self.layer = nn.TransformerEncoderLayer(width, 4, 64, dropout=0.1, batch_first=True)
        self.head = nn.Linear(width, 2)

    def forward(self, tokens: Tensor) -> Tensor:
        padding = tokens == PADDING
        hidden = self.layer(self.words(tokens) + self.positions, src_key_padding_mask=padding)
        counted = (~padding).unsqueeze(-1)
        return self.head((hidden * counted).sum(1) / counted.sum(1))  # each text's own mean over its own words


torch.manual_seed(0)
train, test = texts(4000), texts(500)
model = Classifier()
optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=120)

q = 250 / len(train)
noise = ghostgrad.calibrate_noise(epsilon=4, delta=1e-5, sample_rate=q, steps=120).noise_multiplier
engine = ghostgrad.Engine(model.named_parameters(), clip=0.5, noise_multiplier=noise, expected_batch_size=250, sample_rate=q)


def losses_of(batch: tuple[Tensor, Tensor]) -> Tensor:
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")


engine.check_independence(losses_of, train[:8])
for logical in ghostgrad.logical_batches(train, ghostgrad.PoissonSampler(len(train), sample_rate=q, steps=120, physical_batch_size=128)):
    for batch, mask in logical:
        engine.backward(losses_of(batch), mask)
    engine.step(optimizer)
    scheduler.step()

model.eval()
with torch.no_grad():
    accuracy = (model(test.tensors[0]).argmax(1) == test.tensors[1]).double().mean().item()
print("calls by rule:", engine.report().by_rule)
print(engine.statement(delta=1e-5))
print(f"accuracy on texts that were not trained on: {accuracy:.2f}")
