# SPDX-License-Identifier: Apache-2.0
"""An image classifier, trained privately in an ordinary loop.

    python examples/image_classifier.py

The images are drawn here: 12 x 12 pixels with a horizontal bar, a vertical bar, a cross or a square, and noise on top.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import ghostgrad


def images(count: int) -> TensorDataset:
    """Pictures of four kinds, [count, 1, 12, 12], and their kinds."""
    kinds, row, column = torch.randint(0, 4, (count,)), torch.randint(2, 9, (count,)), torch.randint(2, 9, (count,))
    pictures = 0.5 * torch.randn(count, 1, 12, 12)
    for picture, kind, i, j in zip(pictures[:, 0], kinds.tolist(), row.tolist(), column.tolist()):
        if kind in (0, 2):
            picture[i, j - 2 : j + 3] += 2
        if kind in (1, 2):
            picture[i - 2 : i + 3, j] += 2
        if kind == 3:
            picture[i - 1 : i + 2, j - 1 : j + 2] += 1.3
    return TensorDataset(pictures, kinds)


# 1. Data and model: as always. No layer is replaced; group norm instead of batch norm, since a batch statistic mixes examples.
torch.manual_seed(0)
train, test = images(4000), images(500)
model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1),
    nn.GroupNorm(4, 16),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1),
    nn.GroupNorm(4, 32),
    nn.ReLU(),
    nn.AdaptiveMaxPool2d(1),
    nn.Flatten(),
    nn.Linear(32, 4),
)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

# 2. The budget: how much noise keeps 150 steps within epsilon = 3. All of this is decided before an example is looked at.
expected_batch_size, steps, delta = 250, 150, 1e-5
q = expected_batch_size / len(train)
noise = ghostgrad.calibrate_noise(epsilon=3, delta=delta, sample_rate=q, steps=steps).noise_multiplier
sampler = ghostgrad.PoissonSampler(len(train), sample_rate=q, steps=steps, physical_batch_size=128)
engine = ghostgrad.Engine(
    model.named_parameters(), clip=1.0, noise_multiplier=noise, expected_batch_size=sampler.expected_batch_size, sample_rate=q
)


def losses_of(batch: tuple[Tensor, Tensor]) -> Tensor:
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")  # one loss per example


# 3. Once: does any example's loss depend on other examples in a way that the graph does not show?
engine.check_independence(losses_of, train[:8])

# 4. The loop: physical batches that fit in memory, one release per logical batch.
for logical in ghostgrad.logical_batches(train, sampler):
    for batch, mask in logical:
        engine.backward(losses_of(batch), mask)
    engine.step(optimizer)

# 5. What it cost, and what it brought.
with torch.no_grad():
    accuracy = (model(test.tensors[0]).argmax(1) == test.tensors[1]).double().mean().item()
print(engine.statement(delta))
print(f"accuracy on examples that were not trained on: {accuracy:.2f}")
