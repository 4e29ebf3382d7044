# SPDX-License-Identifier: Apache-2.0
"""Scripts written for Opacus, with one import changed."""

import copy
import importlib.util
import inspect
import pickle

import pytest
import torch
import torch.nn.functional as F
from classifier import losses_of
from parity import SampleNet
from reference import assert_all_close, assert_released
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import ghostgrad
from ghostgrad.opacus import BatchMemoryManager, PrivacyEngine

N, B = 24, 6
X, Y = torch.randn(N, 1, 28, 28).double(), torch.arange(N) % 10
needs_opacus = pytest.mark.skipif(importlib.util.find_spec("opacus") is None, reason="opacus is not installed")


class Scores(dict):
    """As model libraries return them."""


def small():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 5), nn.Tanh(), nn.Linear(5, 10))


def private(model, **options):
    options = {"noise_multiplier": 0.0, "max_grad_norm": 0.5, "poisson_sampling": True, **options}
    optimizer = options.pop("optimizer", None) or torch.optim.SGD(model.parameters(), 0.1)
    engine = options.pop("engine", None) or PrivacyEngine(accountant="rdp")
    loader = DataLoader(TensorDataset(X, Y), batch_size=B, shuffle=True)
    return engine, *engine.make_private(module=model, optimizer=optimizer, data_loader=loader, **options)


def draw(loader):
    """One of its batches, not an empty one."""
    return next((x, y) for x, y in loader if len(x) > 0)


def step(model, optimizer, loader):
    x, y = draw(loader)
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
    return x, y


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("mode", ["hooks", "functorch", "ew", "ghost"])
def test_loss_backward_and_optimizer_step_release_the_clipped_sum(mode, reduction):
    model = SampleNet()
    criterion = nn.CrossEntropyLoss(reduction=reduction)
    extra = {"criterion": criterion} if mode == "ghost" else {}
    _, same, optimizer, *criteria, loader = private(model, grad_sample_mode=mode, loss_reduction=reduction, **extra)
    assert same is model and isinstance(optimizer, torch.optim.SGD)
    criterion = criteria[0] if criteria else criterion
    for group in optimizer.param_groups:
        group["lr"] = 0.0  # the oracle looks at the same weights
    optimizer.zero_grad()
    x, y = draw(loader)
    loss = criterion(model(x), y)
    assert loss.item() > 0 and float(loss.detach()) == loss.item()
    loss.backward()
    optimizer.step()
    assert_released(losses_of(model), (x, y), model.parameters(), clip=0.5, divisor=B if reduction == "mean" else 1)


def test_a_whole_script_spends_what_the_accountant_says():
    model = small()
    engine, model, optimizer, loader = private(model, noise_multiplier=1.1)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2)
    sizes = []
    for _ in range(3):
        for x, y in loader:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            sizes.append(len(x))
        schedule.step()
    assert len(sizes) == 3 * N // B and len(set(sizes)) > 1
    expected = ghostgrad.epsilon(noise_multiplier=1.1, sample_rate=B / N, steps=len(sizes), delta=1e-5, accountant="rdp")
    assert engine.get_epsilon(1e-5) == expected and engine.get_epsilon(delta=1e-5) > 0


def test_a_target_epsilon_is_kept():
    model = small()
    engine = PrivacyEngine(accountant="rdp")
    model, optimizer, loader = engine.make_private_with_epsilon(
        module=model,
        optimizer=torch.optim.Adam(model.parameters()),
        data_loader=DataLoader(TensorDataset(X, Y), batch_size=B),
        target_epsilon=3.0,
        target_delta=1e-5,
        epochs=2,
        max_grad_norm=1.0,
    )
    for _ in range(2):
        for x, y in loader:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
    assert 2.9 < engine.get_epsilon(1e-5) <= 3.0


class ByName(nn.Module):
    """Takes its batch by name, as transformers are called."""

    def __init__(self):
        super().__init__()
        self.inner = small()

    def forward(self, *, x):
        return self.inner(x)


@pytest.mark.parametrize("make, call", [(small, lambda model, x: model(x)), (ByName, lambda model, x: model(x=x))])
def test_an_empty_logical_batch_is_released(make, call):
    engine, model, optimizer, _ = private(make(), noise_multiplier=1.0)
    F.cross_entropy(call(model, X[:0]), Y[:0]).backward()
    optimizer.step()
    assert engine.engines[0].steps == 1 and all(torch.isfinite(p.grad).all() and p.grad.abs().sum() > 0 for p in model.parameters())


class Lossy(torch.autograd.Function):
    """Gives a plain tensor back: the mark is lost."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return grad


@pytest.mark.parametrize(
    "ordinary", [lambda loss: Lossy.apply(loss).as_subclass(torch.Tensor).backward(), lambda loss: torch.autograd.backward(loss)]
)
def test_an_ordinary_backward_stops_the_release(ordinary):
    model = small()
    _, model, optimizer, _ = private(model)
    before = copy.deepcopy(model.state_dict())
    ordinary(F.cross_entropy(model(X[:4]), Y[:4]))
    with pytest.raises(ghostgrad.PrivacyError, match="ordinary gradient"):
        optimizer.step()
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    "loss",
    [
        lambda out: F.cross_entropy(out, Y[:4]) / 2,
        lambda out: F.cross_entropy(out, Y[:4], weight=torch.arange(1.0, 11.0)),
        lambda out: F.cross_entropy(out @ out.T, torch.arange(4)),
        lambda out: F.cross_entropy(out - out.mean(0), Y[:4]),
        lambda out: out.mean(),
    ],
)
def test_losses_that_are_no_plain_means_are_refused_at_backward(loss):
    _, model, optimizer, _ = private(small())
    with pytest.raises((ghostgrad.PrivacyError, ValueError)):
        loss(model(X[:4])).backward()
    assert all(p.grad is None for p in model.parameters())


def test_physical_batches_of_a_memory_manager_give_the_logical_batchs_sum():
    model = small()
    engine, model, optimizer, loader = private(model, optimizer=torch.optim.Adam(model.parameters(), lr=0.0))
    seen, released = [], 0
    with BatchMemoryManager(data_loader=loader, max_physical_batch_size=2, optimizer=optimizer) as physical:
        for x, y in physical:
            assert len(x) <= 2
            seen.append((x, y))
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if engine.engines[0].steps > released:
                released += 1
                assert_released(losses_of(model), tuple(torch.cat(part) for part in zip(*seen)), model.parameters(), clip=0.5, divisor=B)
                seen = []
    assert released == N // B and not seen


def test_closures_are_run_before_the_release_and_lbfgs_is_refused():
    model = small()
    _, model, optimizer, loader = private(model, optimizer=torch.optim.SGD(model.parameters(), 0.0))
    x, y = draw(loader)

    def closure():
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        return loss

    assert optimizer.step(closure) > 0
    assert_released(losses_of(model), (x, y), model.parameters(), clip=0.5, divisor=B)
    model = small()
    _, model, optimizer, _ = private(model, optimizer=torch.optim.LBFGS(model.parameters()))
    with pytest.raises(ValueError, match="LBFGS"):
        optimizer.step(lambda: F.cross_entropy(model(X[:4]), Y[:4]))


def test_models_that_return_dictionaries_with_a_loss_are_served():
    class WithLoss(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = small()

        def forward(self, x, y):
            out = self.inner(x)
            return Scores(loss=F.cross_entropy(out, y), logits=out)

    model = WithLoss()
    _, model, optimizer, loader = private(model, optimizer=torch.optim.SGD(model.parameters(), 0.0))
    x, y = draw(loader)
    out = model(x, y)
    assert type(out) is Scores
    out["loss"].backward()
    optimizer.step()
    assert_released(losses_of(model.inner), (x, y), model.parameters(), clip=0.5, divisor=B)


def test_clipping_per_layer_keeps_each_tensors_own_threshold():
    model = small()
    clips = [0.1, 0.2, 0.3, 0.4]
    options = {"clipping": "per_layer", "max_grad_norm": clips, "optimizer": torch.optim.SGD(model.parameters(), 0.0)}
    _, model, optimizer, loader = private(model, **options)
    batch = step(model, optimizer, loader)
    for parameter, clip in zip(model.parameters(), clips):
        assert_released(losses_of(model), batch, [parameter], clip=clip, divisor=B)


REFUSED = {
    "noise_generator": torch.Generator(),
    "rand_on_empty": True,
    "grad_sample_mode": "ghost_fsdp",
    "clipping": "adaptive",
    "loss_reduction": "none",
    "max_grad_norm": [1.0, 2.0],
    "target_unclipped_quantile": 0.5,
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_served_is_refused_by_name(name):
    with pytest.raises(ValueError, match=name):
        private(small(), **{name: REFUSED[name]})


def test_a_maximal_norm_must_be_given():
    with pytest.raises(ghostgrad.InvalidArgument, match="max_grad_norm.*None"):
        private(small(), max_grad_norm=None)


def test_options_of_the_engine_are_handed_on():
    private(small().double(), positions=7, independence="assumed")
    with pytest.raises(ghostgrad.InvalidArgument, match="positions.*at least 1"):
        private(small().double(), positions=0)
    with pytest.raises(ghostgrad.InvalidArgument, match="independence"):
        private(small().double(), independence="hoped")


def test_batch_norm_and_foreign_optimizers_are_refused_before_training():
    engine = PrivacyEngine()
    with pytest.raises(ghostgrad.PrivacyError, match="batch norm"):
        private(nn.Sequential(nn.Flatten(), nn.BatchNorm1d(784), nn.Linear(784, 10)))
    with pytest.raises(ValueError, match="optimizer"):
        private(small(), optimizer=torch.optim.SGD(small().parameters(), 0.1))
    assert engine.is_compatible(module=small()) and not engine.is_compatible(module=nn.BatchNorm1d(3))


def test_without_poisson_sampling_there_is_no_epsilon():
    engine, model, optimizer, loader = private(small(), noise_multiplier=1.0, poisson_sampling=False)
    for x, y in loader:  # its own batches
        assert len(x) == B
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    with pytest.raises(ValueError, match="sample"):
        engine.get_epsilon(1e-5)
    private(small(), noise_multiplier=1.0, engine=engine)
    with pytest.raises(ValueError, match="sample"):
        engine.get_epsilon(1e-5)


def test_copies_and_evaluation_are_those_of_an_ordinary_model():
    _, model, optimizer, _ = private(small())
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert type(twin(X[:2])) is torch.Tensor
        F.cross_entropy(twin(X[:2]), Y[:2]).backward()
        assert twin[1].weight.grad is not None and model[1].weight.grad is None
    with torch.no_grad():
        assert type(model(X[:2])) is torch.Tensor
    assert model(X[:2]).argmax(1).tolist() == model(X[:2]).detach().numpy().argmax(1).tolist()


def test_two_private_models_spend_together():
    engine, *one = private(small(), noise_multiplier=1.0)
    _, *two = private(small(), noise_multiplier=1.0, engine=engine)
    step(*one)
    step(*two)
    both = ghostgrad.epsilon(noise_multiplier=1.0, sample_rate=B / N, steps=2, delta=1e-5, accountant="rdp")
    assert engine.get_epsilon(1e-5) == pytest.approx(both, rel=1e-9)
    private(small(), noise_multiplier=1.0, engine=engine)  # has released nothing
    assert engine.get_epsilon(1e-5) == pytest.approx(both, rel=1e-9)


def test_a_checkpoint_goes_on_where_it_was_written(tmp_path):
    engine, model, optimizer, loader = private(small(), noise_multiplier=1.0)
    step(model, optimizer, loader)
    engine.save_checkpoint(path=tmp_path / "run.pt", module=model, optimizer=optimizer, checkpoint_dict={"epoch": 3})
    other, twin, resumed, _ = private(small(), noise_multiplier=1.0)
    assert other.load_checkpoint(path=tmp_path / "run.pt", module=twin, optimizer=resumed) == {"epoch": 3}
    assert other.get_epsilon(1e-5) == engine.get_epsilon(1e-5) and torch.equal(twin[1].weight, model[1].weight)


@pytest.mark.parametrize(
    "other, message",
    [
        ({"poisson_sampling": False}, "sample_rate=0.25, but got .*sample_rate=None"),
        ({"noise_multiplier": 2.0}, "noise_multiplier=1.0, but got .*noise_multiplier=2.0"),
        ({"clipping": "per_layer"}, "groups='flat', but got .*groups='per_parameter'"),
    ],
)
def test_a_checkpoint_of_other_sampling_noise_or_clipping_is_refused(tmp_path, other, message):
    engine, model, *_ = private(small(), noise_multiplier=1.0)
    engine.save_checkpoint(path=tmp_path / "run.pt", module=model)
    changed, twin, *_ = private(small(), **{"noise_multiplier": 1.0, **other})
    before = copy.deepcopy(twin.state_dict())
    with pytest.raises(ValueError, match=message):
        changed.load_checkpoint(path=tmp_path / "run.pt", module=twin)
    assert all(torch.equal(before[name], value) for name, value in twin.state_dict().items())


@needs_opacus
@pytest.mark.filterwarnings("ignore")
def test_arguments_and_defaults_are_those_of_opacus():
    import opacus

    for name in ("__init__", "make_private", "make_private_with_epsilon", "get_epsilon"):
        ours, theirs = (inspect.signature(getattr(engine, name)).parameters for engine in (PrivacyEngine, opacus.PrivacyEngine))
        for argument, parameter in theirs.items():
            if argument in ours and argument != "criterion" and parameter.default is not inspect.Parameter.empty:
                assert ours[argument].default == parameter.default, (name, argument)
        assert set(theirs) - set(ours) <= {"kwargs", *inspect.signature(PrivacyEngine.make_private).parameters}


@needs_opacus
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mode", ["hooks", "ghost"])
def test_sums_are_those_of_opacus(mode):
    import opacus

    ours, theirs = SampleNet(), SampleNet()
    theirs.load_state_dict(ours.state_dict())
    released = []
    for kind, model in ((PrivacyEngine, ours), (opacus.PrivacyEngine, theirs)):
        made = kind(accountant="rdp").make_private(
            module=model,
            optimizer=torch.optim.SGD(model.parameters(), 0.1),
            criterion=nn.CrossEntropyLoss(),
            data_loader=DataLoader(TensorDataset(X, Y), batch_size=B),
            noise_multiplier=0.0,
            max_grad_norm=0.5,
            grad_sample_mode=mode,
            poisson_sampling=False,  # both get the same batches
        )
        criterion = made[2] if mode == "ghost" else nn.CrossEntropyLoss()
        for at in range(3):
            made[1].zero_grad()
            part = slice(at * B, (at + 1) * B)
            criterion(made[0](X[part]), Y[part]).backward()
            made[1].step()
        released.append([p.detach() for p in model.parameters()])
    assert_all_close(*released, 1e-5)  # Opacus adds 1e-6 to each norm
