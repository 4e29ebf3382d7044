# SPDX-License-Identifier: Apache-2.0
"""Scripts written for Opacus: which backward() belongs to which release, however a loop leaves out, repeats or breaks off."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import ghostgrad
from ghostgrad.opacus import BatchMemoryManager, PrivacyEngine


class Script:
    """A model with one weight for each example: its gradient shows how often the example is in a release, in units of C."""

    def __init__(self, examples=4, batch=4, part=2, **options):
        self.weight, self.batch = nn.Linear(examples, 1, bias=False), batch
        nn.init.zeros_(self.weight.weight)
        data = TensorDataset(100 * torch.eye(examples), 100 * torch.ones(examples))
        self.optimizer = torch.optim.SGD(self.weight.parameters(), 0.0)
        self.private = PrivacyEngine()
        options = dict(noise_multiplier=0.0, max_grad_norm=1.0) | options
        made = self.private.make_private(
            module=self.weight, optimizer=self.optimizer, data_loader=DataLoader(data, batch_size=batch), **options
        )
        self.loader, self.engine = made[2], self.private.engines[0]
        self.part = part

    @property
    def manager(self):
        return BatchMemoryManager(data_loader=self.loader, max_physical_batch_size=self.part, optimizer=self.optimizer)

    def loss(self, batch):
        return F.mse_loss(self.weight(batch[0]).squeeze(1), batch[1])

    def step(self, batch):
        self.optimizer.zero_grad()
        self.loss(batch).backward()
        self.optimizer.step()

    def contributions(self):
        """How much each example moved the last release, in units of C."""
        return (self.weight.weight.grad[0] * self.batch).abs()


def assert_each_once(run):
    assert torch.allclose(run.contributions(), torch.ones(4), atol=1e-6), run.contributions()


def stop_by_a_break(run, parts):
    for batch in parts:
        run.step(batch)
        break


def stop_by_an_error(run, parts):
    with pytest.raises(ZeroDivisionError):
        for batch in parts:
            run.step(batch)
            raise ZeroDivisionError


def stop_after_backward(run, parts):
    for batch in parts:
        run.loss(batch).backward()
        break


STOPS = [stop_by_a_break, stop_by_an_error, stop_after_backward]


@pytest.mark.parametrize("stop", STOPS)
def test_what_a_pass_left_half_way_is_not_in_the_release_of_the_next_one(stop):
    run = Script()
    with run.manager as parts:
        stop(run, parts)
        for batch in parts:
            run.step(batch)
    assert_each_once(run)
    assert run.engine.steps == 1


@pytest.mark.parametrize("stop", STOPS)
def test_what_a_manager_left_half_way_is_not_in_a_later_release(stop):
    run = Script()
    with run.manager as parts:
        stop(run, parts)
    for batch in run.loader:
        run.step(batch)
    assert_each_once(run)


def test_an_error_that_leaves_the_manager_drops_its_logical_batch():
    run = Script()
    with pytest.raises(ZeroDivisionError), run.manager as parts:
        for batch in parts:
            run.step(batch)
            raise ZeroDivisionError
    assert run.private.get_epsilon(1e-5) == 0  # nothing was released, nothing is half-done
    run.engine.state_dict()


@pytest.mark.parametrize("left_out", range(2))
def test_a_part_without_its_step_is_refused_when_the_next_one_is_due(left_out):
    run = Script()
    with run.manager as parts, pytest.raises(ghostgrad.PrivacyError, match=r"not stepped.*optimizer\.step\(\) once for every part"):
        for at, batch in enumerate(parts):
            if at != left_out:
                run.step(batch)
    assert run.engine.steps == 0
    with run.manager as parts:
        for batch in parts:
            run.step(batch)
    assert_each_once(run)


def test_an_empty_part_that_is_left_out_is_refused_and_one_that_is_stepped_is_a_release():
    """Each of 200 logical batches is empty with probability 0.8 ** 5: none of them is once in 1e34 runs."""
    run = Script(examples=5, batch=1, part=1)
    with run.manager as parts, pytest.raises(ghostgrad.PrivacyError, match="empty"):
        for _ in range(40):
            for batch in parts:
                if len(batch[0]) > 0:
                    run.step(batch)
    done = run.engine.steps
    seen = set()
    with run.manager as parts:
        for _ in range(40):
            for batch in parts:
                run.step(batch)
                seen.add(len(batch[0]))
                assert run.weight.weight.grad is None or run.contributions().max() <= 1 + 1e-6
    assert run.engine.steps == done + 200 and seen == {0, 1}


def test_a_part_may_be_stepped_without_backward():
    run = Script(noise_multiplier=1.0)
    with run.manager as parts:
        for _ in parts:
            run.optimizer.step()
    assert run.engine.steps == 1


def test_a_step_too_many_does_not_release_a_part():
    run = Script()
    with run.manager as parts, pytest.raises(ghostgrad.PrivacyError, match="would release a part"):
        for batch in parts:
            run.step(batch)
            run.optimizer.step()
    assert run.engine.steps == 0


def test_parts_of_two_passes_do_not_meet():
    run = Script()
    with run.manager as parts:
        first, second = iter(parts), iter(parts)
        run.step(next(first))
        run.step(next(second))
        with pytest.raises(ghostgrad.PrivacyError, match="was left"):
            next(first)
        run.step(next(second))
    assert_each_once(run)
    with pytest.raises(ghostgrad.PrivacyError, match="was left"):
        next(second)


def test_the_rest_of_a_logical_batch_is_not_released_when_parts_of_it_were_discarded():
    run = Script()
    with run.manager as parts, pytest.raises(ghostgrad.PrivacyError, match="discarded"):
        for batch in parts:
            run.step(batch)
            run.engine.discard()


# ---- one backward for each release ---------------------------------------------------------------------------------------------------


def by_accumulation(run, batch):
    for _ in range(2):
        run.loss(batch).backward()


def by_two_losses(run, batch):
    first, second = run.loss(batch), run.loss(batch)
    first.backward()
    second.backward()


def by_a_step_left_out(run, batch):
    run.loss(batch).backward()
    run.optimizer.zero_grad()
    run.loss(batch).backward()


def by_a_closure(run, batch):
    run.loss(batch).backward()
    run.optimizer.step(lambda: run.loss(batch).backward())


@pytest.mark.parametrize("poisson", [True, False])
@pytest.mark.parametrize("twice", [by_accumulation, by_two_losses, by_a_step_left_out, by_a_closure])
def test_a_second_backward_is_refused_and_the_first_alone_is_released(twice, poisson):
    run = Script(poisson_sampling=poisson)
    batch = next(iter(run.loader))
    with pytest.raises(ghostgrad.PrivacyError, match=r"\[backward\].*add losses up.*BatchMemoryManager"):
        twice(run, batch)
    run.optimizer.step()
    assert_each_once(run)
    run.step(next(iter(run.loader)))
    assert run.engine.steps == 2


def test_a_second_backward_within_a_part_is_refused():
    run = Script()
    with run.manager as parts, pytest.raises(ghostgrad.PrivacyError, match=r"\[backward\]"):
        for batch in parts:
            run.loss(batch).backward()
            run.loss(batch).backward()


def test_losses_added_up_before_one_backward_are_served():
    run = Script()
    batch = next(iter(run.loader))
    losses = lambda: (run.weight(batch[0]).squeeze(1) - batch[1]).pow(2)
    (losses() + losses()).mean().backward()
    run.optimizer.step()
    assert_each_once(run)


def test_what_was_discarded_may_be_done_again():
    run = Script()
    batch = next(iter(run.loader))
    run.loss(batch).backward()
    run.engine.discard()
    run.step(batch)
    assert_each_once(run)
    batch = next(iter(run.loader))
    run.optimizer.zero_grad()
    run.weight.weight.grad = torch.ones_like(run.weight.weight)
    with pytest.raises(ghostgrad.PrivacyError, match="ordinary gradient"):
        run.loss(batch).backward()
    run.step(batch)  # clears it; what was refused added nothing
    assert_each_once(run)
