# SPDX-License-Identifier: Apache-2.0
"""A PyTorch Lightning module that trains with differential privacy.

Lightning's manual optimization leaves the backward pass and the optimizer's step to the module, and here the engine does both. Needs
lightning; the data are two interleaved spirals.
"""

import logging
import warnings

import lightning
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import ghostgrad

EXAMPLES, BATCH, EPOCHS = 4000, 200, 15


def spirals(examples, seed):
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(examples) % 2
    turn = 1 + 4 * torch.rand(examples, generator=generator)
    angle = turn + 3.14159 * y
    x = torch.stack([turn * angle.cos(), turn * angle.sin()], 1) + 0.1 * torch.randn(examples, 2, generator=generator)
    return TensorDataset(x, y)


class PrivateClassifier(lightning.LightningModule):
    """Any network; the engine is made with the optimizer."""

    def __init__(self, noise_multiplier, sample_rate):
        super().__init__()
        self.automatic_optimization = False
        self.noise_multiplier, self.sample_rate = noise_multiplier, sample_rate
        self.network = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 2))

    def configure_optimizers(self):
        plan = dict(noise_multiplier=self.noise_multiplier, expected_batch_size=BATCH, sample_rate=self.sample_rate)
        self.engine = ghostgrad.Engine(self.network.named_parameters(), clip=1.0, **plan)
        return torch.optim.Adam(self.network.parameters(), lr=0.01)

    def losses(self, batch):
        return F.cross_entropy(self.network(batch[0]), batch[1], reduction="none")

    def training_step(self, batch, index):
        if self.engine.steps == 0 and len(batch[0]) > 1:
            self.engine.check_independence(self.losses, batch)
        self.engine.backward(self.losses(batch))
        self.engine.step(self.optimizers())


def main():
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    torch.manual_seed(0)
    train, (x, y) = spirals(EXAMPLES, 1), spirals(1000, 2).tensors
    q = BATCH / EXAMPLES
    sampler = ghostgrad.PoissonSampler(EXAMPLES, sample_rate=q)
    sigma = ghostgrad.calibrate_noise(epsilon=8, delta=1e-5, sample_rate=q, steps=EPOCHS * len(sampler)).noise_multiplier
    model = PrivateClassifier(sigma, q)
    settings = dict(max_epochs=EPOCHS, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False)
    trainer = lightning.Trainer(**settings, enable_model_summary=False)
    trainer.fit(model, DataLoader(train, batch_sampler=sampler, collate_fn=ghostgrad.collate(train)))
    with torch.no_grad():
        right = (model.network(x).argmax(1) == y).float().mean()
    print(f"accuracy on what it was not trained on: {right:.3f}; {model.engine.steps} releases")
    print(model.engine.statement(delta=1e-5))


if __name__ == "__main__":
    main()
