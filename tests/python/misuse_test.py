# SPDX-License-Identifier: Apache-2.0
"""What would spend privacy unseen: two threads at one engine, masks of another shape, resized parameters, numbers that messages give away."""

import threading

import pytest
import torch
from torch import nn

import ghostgrad


def engine_for(module, **options):
    plan = dict(clip=1.0, noise_multiplier=1.0, expected_batch_size=4, sample_rate=0.1)
    return ghostgrad.Engine(module.named_parameters(), **{**plan, **options})


def losses(module, examples):
    return module(torch.randn(examples, 4)).square().sum(1)


def test_two_threads_never_draw_the_same_noise():
    module = nn.Linear(1000, 500, bias=False)
    engine = engine_for(module)
    released, refused = [], []

    def release():
        try:
            engine.release()
            released.append(1)
        except ghostgrad.PrivacyError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=release) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert engine.steps == len(released) >= 1
    assert all("one thread" in message or ".grad" in message for message in refused)


def test_a_thread_that_watches_reads_what_is_there_and_stops_nobody():
    module = nn.Sequential(*[nn.Linear(8, 8) for _ in range(60)])
    engine = engine_for(module)
    done, wrong, seen = threading.Event(), [], set()

    def watch():
        while not done.is_set():
            try:
                seen.update(call.label for call in engine.report().calls)
                wrong.extend(norm for norm in [engine.last_norms] if norm is not None and norm.shape != (4,))
                assert engine.threshold == 1.0 and engine.steps >= 0 and engine.epsilon(1e-5) >= 0
            except Exception as error:
                wrong.append(error)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(100):
            engine.backward(module(torch.randn(4, 8)).square().sum(1))
            engine.release()
            module.zero_grad()
    finally:
        done.set()
        watcher.join()
    names = {call.label for call in engine.report().calls}
    assert not wrong and seen <= names and engine.steps == 100


def test_a_loss_function_may_read_the_engine_that_runs_it():
    module = nn.Linear(4, 1)
    engine = engine_for(module, method="naive")
    engine.backward(lambda x: module(x).square().sum(1) * engine.threshold + 0 * engine.steps, batch=torch.randn(3, 4))
    engine.release()
    assert engine.report().steps == 1


@pytest.mark.parametrize("method", ["naive", "auto", "multi_loss"])
def test_a_mask_of_another_shape_is_refused(method):
    module = nn.Linear(4, 1, bias=False)
    engine = engine_for(module, method=method, adaptive_clipping=True)
    x = torch.ones(6, 4)
    for shape in ((6, 1), (5,), (1, 6)):
        mask = torch.ones(shape, dtype=torch.bool)
        with pytest.raises(ValueError, match="mask"):
            if method == "naive":
                engine.backward(lambda rows: module(rows).square().sum(1), mask, batch=x)
            else:
                engine.backward(module(x).square().sum(1), mask)
        engine.discard()


def test_a_parameter_that_was_resized_is_trained_in_its_new_shape():
    module = nn.Linear(4, 2, bias=False)
    engine = engine_for(module)
    engine.backward(losses(module, 3))
    engine.release()
    module.zero_grad()
    module.weight.data = torch.randn(3, 4)
    engine.backward(losses(module, 3))
    engine.release()
    assert module.weight.grad.shape == (3, 4)


def test_an_accountant_that_cannot_serve_the_plan_is_refused_before_anything_is_released():
    with pytest.raises(NotImplementedError, match="analytic"):
        engine_for(nn.Linear(4, 1), accountant="analytic")
    engine_for(nn.Linear(4, 1), accountant="analytic", sample_rate=1.0)


def test_neither_reports_nor_messages_tell_how_many_examples_were_drawn():
    module = nn.Linear(4, 3)
    engine = engine_for(module)
    engine.backward(losses(module, 37))
    assert "37" not in str(engine.report().calls)
    with pytest.raises(ghostgrad.PrivacyError) as refusal:
        engine.backward(losses(module, 474))
    assert "474" not in str(refusal.value) and "511" not in str(refusal.value)
