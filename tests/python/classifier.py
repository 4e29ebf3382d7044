# SPDX-License-Identifier: Apache-2.0
"""A small classifier, its data and an engine for it."""

import torch
import torch.nn.functional as F
from torch import nn

import ghostgrad

Q = 0.01


def network():
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))


def engine_for(model, **options):
    plan = dict(clip=1.0, noise_multiplier=0.0, expected_batch_size=8.0, sample_rate=Q)
    return ghostgrad.Engine(model.named_parameters(), **{**plan, **options})


def losses_of(model):
    return lambda batch: F.cross_entropy(model(batch[0]), batch[1], reduction="none")


def data(examples=6):
    return torch.randn(examples, 4), torch.randint(0, 3, (examples,))
