# SPDX-License-Identifier: Apache-2.0
"""Poisson sampling with PyTorch's data loader."""

import copy
import math
import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, TensorDataset

import ghostgrad


def dataset(examples):
    return TensorDataset(torch.arange(examples), torch.arange(examples) * 2.0)


def test_each_example_is_drawn_with_probability_q():
    """400 x 50 draws at q = 0.1: the count is normal to good accuracy; 5 deviations are left once in two million. The seed is fixed."""
    sampler = ghostgrad.PoissonSampler(50, sample_rate=0.1, steps=400, test_seed=3)
    total = sum(len(batch) for batch in sampler)
    assert abs(total - 2000) < 5 * math.sqrt(20000 * 0.1 * 0.9)
    assert sampler.expected_batch_size == 5 and not sampler.is_private


def test_iterating_again_goes_on_with_fresh_draws():
    sampler = ghostgrad.PoissonSampler(100, sample_rate=0.3, steps=4, test_seed=1)
    first, second = list(sampler), list(sampler)
    straight = list(ghostgrad.PoissonSampler(100, sample_rate=0.3, steps=8, test_seed=1))
    assert first + second == straight and first != second


def test_samplers_are_unpredictable_without_a_test_seed():
    torch.manual_seed(0)
    one = list(ghostgrad.PoissonSampler(200, sample_rate=0.5, steps=2))
    torch.manual_seed(0)
    assert one != list(ghostgrad.PoissonSampler(200, sample_rate=0.5, steps=2))


def test_it_is_a_batch_sampler_of_the_data_loader():
    data = dataset(40)
    sampler = ghostgrad.PoissonSampler(40, sample_rate=0.02, steps=30, test_seed=5)
    loader = DataLoader(data, batch_sampler=sampler, collate_fn=ghostgrad.collate(data))
    sizes = [(len(x), len(y), x.dtype) for x, y in loader]
    assert len(loader) == len(sizes) == 30
    assert any(size == 0 for size, _, _ in sizes) and all(a == b and kind == torch.int64 for a, b, kind in sizes)


@given(st.integers(1, 30), st.floats(0.01, 1.0), st.integers(1, 7), st.integers(0, 6))
def test_physical_batches_hold_each_drawn_example_once(examples, q, physical, steps):
    sampler = ghostgrad.PoissonSampler(examples, sample_rate=q, steps=steps, physical_batch_size=physical, test_seed=examples)
    expected = [sampler.draw(step) for step in range(steps)]
    found = []
    for logical in ghostgrad.logical_batches(dataset(examples), sampler):
        found.append([])
        for (x, y), mask in logical:
            assert len(x) == len(mask) == physical and mask.dtype == torch.bool and mask.any()
            found[-1] += x[mask].tolist()
    assert found == expected


def test_what_the_consumer_leaves_does_not_slip_into_the_next_logical_batch():
    sampler = ghostgrad.PoissonSampler(20, sample_rate=0.6, steps=5, physical_batch_size=3, test_seed=2)
    for step, logical in enumerate(ghostgrad.logical_batches(dataset(20), sampler)):
        (x, _), mask = next(logical)
        assert x[mask].tolist() == sampler.draw(step)[:3]


def test_workers_load_the_same_batches():
    sampler = ghostgrad.PoissonSampler(20, sample_rate=0.4, steps=4, physical_batch_size=4, test_seed=2)
    batches = ghostgrad.logical_batches(dataset(20), sampler, num_workers=1, multiprocessing_context="fork")
    assert [[i for (x, _), mask in logical for i in x[mask].tolist()] for logical in batches] == [sampler.draw(step) for step in range(4)]


def test_the_default_number_of_steps_is_an_epoch_rounded_up():
    assert [len(ghostgrad.PoissonSampler(10, sample_rate=q)) for q in (1.0, 0.5, 1 / 3, 0.3, 0.1)] == [1, 2, 3, 4, 10]


def test_its_event_is_the_engines():
    sampler = ghostgrad.PoissonSampler(1000, sample_rate=0.02)
    accountant = ghostgrad.Accountant()
    accountant.compose(sampler.event(1.1), 10)
    assert accountant.epsilon(1e-5).value == ghostgrad.epsilon(noise_multiplier=1.1, sample_rate=0.02, steps=10, delta=1e-5)


def test_values_out_of_range_and_copies_are_refused():
    for wrong in (
        dict(sample_rate=0.0),
        dict(sample_rate=1.1),
        dict(sample_rate=0.1, steps=-1),
        dict(sample_rate=0.1, physical_batch_size=0),
    ):
        with pytest.raises(ghostgrad.InvalidArgument):
            ghostgrad.PoissonSampler(10, **wrong)
    sampler = ghostgrad.PoissonSampler(10, sample_rate=0.1)
    for copied in (copy.deepcopy, pickle.dumps):
        with pytest.raises(ghostgrad.InvalidArgument):
            copied(sampler)
    with pytest.raises(ghostgrad.InvalidArgument, match="dataset"):
        next(ghostgrad.logical_batches(dataset(11), sampler))
