# SPDX-License-Identifier: Apache-2.0
"""What one entry of the losses stands for is what is protected: an example in several views, or a user with several rows."""

import torch
import torch.nn.functional as F
from classifier import data, network
from reference import assert_all_close, assert_exact, clipped_sum
from torch.utils.data import Dataset

import ghostgrad

VIEWS, USERS, ROWS = 3, 12, 4


def losses_of_views(model):
    """The mean over an example's views [B, K, 4]."""

    def losses(batch):
        views, classes = batch
        each = F.cross_entropy(model(views.flatten(0, 1)), classes.repeat_interleave(VIEWS), reduction="none")
        return each.view(-1, VIEWS).mean(1)

    return losses


def test_views_of_an_example_are_averaged_before_they_are_clipped():
    model, (x, classes) = network(), data()
    views = x.unsqueeze(1) + 0.1 * torch.randn(len(x), VIEWS, 4)
    assert_exact(losses_of_views(model), (views, classes), model, clip=0.3)
    engine = ghostgrad.Engine(model.named_parameters(), noise_multiplier=1.0, expected_batch_size=6)
    assert engine.check_independence(losses_of_views(model), (views, classes)).dropped


class Users(Dataset):
    """One item per user: rows [R, 4] and classes [R], of which R may be any number."""

    def __init__(self):
        generator = torch.Generator().manual_seed(0)
        self.rows = [torch.randn(1 + u % ROWS, 4, generator=generator).double() for u in range(USERS)]

    def __len__(self):
        return USERS

    def __getitem__(self, u):
        return self.rows[u], torch.arange(len(self.rows[u])) % 3


def padded(items):
    """Rows [U, ROWS, 4] and classes [U, ROWS], -100 where a user has no such row."""
    rows, classes = torch.zeros(len(items), ROWS, 4), torch.full((len(items), ROWS), -100)
    for u, (x, y) in enumerate(items):
        rows[u, : len(x)], classes[u, : len(y)] = x, y
    return rows, classes


def losses_of_users(model):
    """The sum over a user's rows."""

    def losses(batch):
        rows, classes = batch
        return F.cross_entropy(model(rows).transpose(1, 2), classes, reduction="none").sum(1)

    return losses


def test_the_rows_of_a_user_are_added_up_before_they_are_clipped():
    model, batch = network(), padded([Users()[u] for u in range(USERS)])
    assert_exact(losses_of_users(model), batch, model, clip=0.3)


def test_rows_of_users_may_come_in_any_order():
    model, users = network(), Users()
    items = [users[u] for u in range(USERS)]
    owner = torch.repeat_interleave(torch.arange(USERS), torch.tensor([len(x) for x, _ in items]))
    order = torch.randperm(len(owner))
    rows, classes, owner = (torch.cat([x for x, _ in items])[order], torch.cat([y for _, y in items])[order], owner[order])
    losses = torch.zeros(USERS).index_add(0, owner, F.cross_entropy(model(rows), classes, reduction="none"))
    found, _ = ghostgrad.testing.clipped_sum(losses, model.named_parameters(), clip=0.3)
    expected, _ = clipped_sum(losses_of_users(model), padded(items), list(model.parameters()), 0.3)
    assert_all_close(found, expected)


def test_users_are_drawn_and_accounted_for_as_examples_are():
    model, users, q = network(), Users(), 0.25
    engine = ghostgrad.Engine(model.named_parameters(), noise_multiplier=1.0, expected_batch_size=q * USERS, sample_rate=q)
    engine.check_independence(losses_of_users(model), padded([users[u] for u in range(6)]))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    sampler = ghostgrad.PoissonSampler(USERS, sample_rate=q, steps=5, physical_batch_size=2)
    for logical in ghostgrad.logical_batches(users, sampler, collate_fn=padded):
        for batch, mask in logical:
            engine.backward(losses_of_users(model)(batch), mask)
        engine.step(optimizer)
    assert engine.steps == 5 and engine.report().independence == "audited"
    assert engine.epsilon(1e-3) == ghostgrad.epsilon(noise_multiplier=1.0, sample_rate=q, steps=5, delta=1e-3)
