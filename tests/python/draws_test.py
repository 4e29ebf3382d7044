# SPDX-License-Identifier: Apache-2.0
"""Scripts written for Opacus: each release has one draw of the private loader, and one loss for each of its examples."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import ghostgrad
from ghostgrad.opacus import BatchMemoryManager, PrivacyEngine

N, T = 8, 8  # as many positions as examples, so that their numbers tell nothing apart


class Script:
    """Sequences of T positions, labelled as a whole or position by position."""

    def __init__(self, batch=N, loader=None, **options):
        torch.manual_seed(0)
        self.model = nn.Linear(6, 3)
        self.optimizer = torch.optim.SGD(self.model.parameters(), 0.1)
        self.public = DataLoader(TensorDataset(torch.randn(N, T, 6), torch.randint(3, (N, T))), batch_size=batch, **(loader or {}))
        self.private = PrivacyEngine(accountant="rdp")
        options = {"noise_multiplier": 1.0, "max_grad_norm": 1.0} | options
        made = self.private.make_private(module=self.model, optimizer=self.optimizer, data_loader=self.public, **options)
        self.loader, self.engine = made[2], self.private.engines[0]

    def parts(self, size=1):
        return BatchMemoryManager(data_loader=self.loader, max_physical_batch_size=size, optimizer=self.optimizer)

    def loss(self, batch):
        return F.cross_entropy(self.model(batch[0]).permute(0, 2, 1), batch[1])

    def step(self, batch, loss=None):
        self.optimizer.zero_grad()
        (loss or self.loss)(batch).backward()
        self.optimizer.step()


# ---- one loss for each example -------------------------------------------------------------------------------------------------------


def over_flattened_positions(run, batch):
    return F.cross_entropy(run.model(batch[0]).view(-1, 3), batch[1].view(-1))


def over_picked_positions(run, batch):
    picked = torch.arange(T) < 2
    return F.cross_entropy(run.model(batch[0])[0, picked], batch[1][0, picked])


def over_losses_of_positions(run, batch):
    return F.cross_entropy(run.model(batch[0][0]), batch[1][0], reduction="none")


@pytest.mark.parametrize("poisson", [True, False])
@pytest.mark.parametrize("loss", [over_flattened_positions, over_picked_positions, over_losses_of_positions])
def test_positions_of_one_example_are_not_taken_for_examples(loss, poisson):
    run = Script(batch=N if poisson else 1, poisson_sampling=poisson)
    by_loader = loss is over_losses_of_positions  # of scalars the graph speaks first
    error = ghostgrad.PrivacyError if by_loader else ghostgrad.InvalidArgument
    why = r"one loss for each example.*reduction='none'" if by_loader else r"takes from another axis than the first.*reduction=none"
    with pytest.raises(error, match=why) as refused:
        if poisson:
            with run.parts() as parts:
                for batch in parts:
                    run.step(batch, lambda batch: loss(run, batch))
        else:
            run.step(next(iter(run.loader)), lambda batch: loss(run, batch))
    assert run.engine.steps == 0
    assert not (by_loader and any(digit in str(refused.value) for digit in "0123456789"))


def test_two_draws_in_one_release_are_refused():
    run = Script()
    both = zip(run.loader, run.loader)
    with pytest.raises(ghostgrad.PrivacyError, match="two batches together"):
        for one, two in both:
            run.step([torch.cat(pair) for pair in zip(one, two)])
    assert run.engine.steps == 0


def test_sequences_first_need_one_loss_for_each_example():
    run = Script(batch_first=False)
    x, y = next(iter(run.loader))
    outputs, labels = run.model(x.transpose(0, 1)).permute(0, 2, 1), y.transpose(0, 1)  # [T, 3, B], [T, B]
    with pytest.raises(ghostgrad.PrivacyError, match=r"batch_first.*\[B\]"):
        F.cross_entropy(outputs, labels).backward()
    F.cross_entropy(outputs, labels, reduction="none").mean(0).backward()
    run.optimizer.step()
    assert run.engine.steps == 1
    with pytest.raises(ValueError, match="batch_first"):
        Script(batch_first=False, grad_sample_mode="ghost")


# ---- one draw for each release -------------------------------------------------------------------------------------------------------


def test_one_draw_is_released_once():
    run = Script()
    batch = next(iter(run.loader))
    run.step(batch)
    with pytest.raises(ghostgrad.PrivacyError, match=r"released already.*one optimizer\.step\(\) for each batch"):
        run.step(batch)
    assert run.engine.steps == 1


def test_the_loader_that_was_made_private_is_not_drawn_from():
    run = Script(batch=2, loader={"shuffle": True})
    with pytest.raises(ghostgrad.PrivacyError, match="iterate over the loader that make_private returned"):
        for batch in run.public:
            run.step(batch)
    assert run.engine.steps == 0


def test_a_batch_that_is_looked_at_or_fetched_ahead_is_no_misuse():
    run = Script(batch=2)
    next(iter(run.loader))  # a look at the shapes
    for _ in range(3):
        batches = iter(run.loader)
        batch = next(batches, None)
        while batch is not None:
            following = next(batches, None)
            run.step(batch)
            batch = following
    assert run.engine.steps == 3 * N // 2


@pytest.mark.parametrize("options", [{}, {"persistent_workers": True}, {"prefetch_factor": 3}])
def test_workers_that_fetch_ahead_change_nothing(options):
    run = Script(batch=2, loader={"num_workers": 2, **options})
    for _ in range(2):
        for batch in run.loader:
            run.step(batch)
    with run.parts(2) as parts:
        for batch in parts:
            run.step(batch)
    assert run.engine.steps == 3 * N // 2


def test_a_loop_may_be_left_and_begun_again():
    run = Script(batch=2)
    for _ in range(3):
        for batch in run.loader:
            run.step(batch)
            break
    assert run.engine.steps == 3


def test_without_poisson_sampling_a_batch_may_come_again():
    run = Script(batch=4, poisson_sampling=False)
    batch = next(iter(run.loader))
    run.step(batch)
    run.step(batch)
    assert len(batch[0]) == 4 and run.engine.steps == 2
