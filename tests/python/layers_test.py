# SPDX-License-Identifier: Apache-2.0
"""What PyTorch offers to build models from, unmodified and exact, and accepted by the check."""

import pytest
import torch
import torch.nn.functional as F
from classifier import data, losses_of, network
from reference import assert_exact
from torch import nn
from torch.nn.utils import parametrizations

import ghostgrad


def parametrized(kind, evaluate=False):
    model = network()
    kind(model[0])
    model.train(not evaluate)
    return model, losses_of(model), data()


def with_forward_hook():
    model = network()
    model[0].register_forward_hook(lambda module, inputs, output: 2 * output)
    return model, losses_of(model), data()


def by_functional_call():
    model = network()
    scaled = lambda: {name: 2 * p for name, p in model.named_parameters()}
    losses = lambda b: F.cross_entropy(torch.func.functional_call(model, scaled(), b[0]), b[1], reduction="none")
    return model, losses, data()


def by_vmap():
    model = network()
    return model, lambda b: torch.vmap(lambda x, y: F.cross_entropy(model(x), y))(*b), data()


def by_a_loop_over_examples():
    model = network()
    return model, lambda b: torch.stack([F.cross_entropy(model(x), y) for x, y in zip(*b)]), data()


def with_gradient_penalty():
    model = network()

    def losses(x):
        x = x.detach().requires_grad_()
        out = model(x).sum(1)
        (slope,) = torch.autograd.grad(out.sum(), x, create_graph=True)
        return out**2 + (slope.norm(dim=1) - 1) ** 2

    return model, losses, torch.randn(6, 4)


def attention():
    model = nn.MultiheadAttention(4, 2, batch_first=True)
    return model, lambda x: model(x, x, x)[0].pow(2).sum((1, 2)), torch.randn(3, 5, 4)


def bag(**options):
    model = nn.EmbeddingBag(10, 4, **options)
    return model, lambda x: model(x).pow(2).sum(1), torch.randint(0, 10, (4, 5))


def embedding(**options):
    model = nn.Embedding(10, 4, **options)
    return model, lambda x: model(x).pow(2).sum((1, 2)), torch.randint(0, 10, (4, 5))


def packed_lstm():
    model = nn.LSTM(4, 5, batch_first=True)

    def losses(batch):
        packed = nn.utils.rnn.pack_padded_sequence(*batch, batch_first=True, enforce_sorted=False)
        return model(packed)[1][0][-1].pow(2).sum(1)

    return model, losses, (torch.randn(4, 5, 4), torch.tensor([3, 5, 1, 4]))


def whole_transformer():
    model = nn.Transformer(8, 2, 1, 1, 16, dropout=0.0, batch_first=True)
    return model, lambda b: model(*b).pow(2).sum((1, 2)), (torch.randn(3, 4, 8), torch.randn(3, 5, 8))


def lazy_prelu_rms():
    model = nn.Sequential(nn.LazyLinear(8), nn.PReLU(), nn.RMSNorm(8), nn.Linear(8, 3))
    model(torch.zeros(1, 4))
    return model, losses_of(model), data()


def one_dimensional_convolutions():
    model = nn.Sequential(nn.Conv1d(2, 4, 3, padding=1), nn.InstanceNorm1d(4, affine=True), nn.ConvTranspose1d(4, 2, 2, stride=2))
    return model, lambda x: model(x).pow(2).sum((1, 2)), torch.randn(3, 2, 6)


def adaptive_softmax():
    model = nn.AdaptiveLogSoftmaxWithLoss(4, 10, [3, 6])
    return model, lambda b: -model(*b).output, (torch.randn(6, 4), torch.arange(6))


def bilinear():
    model = nn.Bilinear(4, 4, 3)
    return model, lambda x: model(x, x + 1).pow(2).sum(1), torch.randn(6, 4)


class Conditioned(nn.Module):
    """A linear layer whose input is changed by two further ones, one of them passed by name."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 4))

    def forward(self, x, scale, *, shift):
        return F.linear(x * scale, self.weight) + F.linear(shift, self.weight)


def with_further_inputs():
    model = Conditioned()
    batch = (*data(), torch.randn(6, 4), torch.randn(6, 4))
    return model, lambda b: F.cross_entropy(model(b[0], b[2], shift=b[3]), b[1], reduction="none"), batch


def channels_last_convolutions():
    model = nn.Sequential(
        nn.Conv2d(4, 8, 3, padding=2, dilation=2, groups=2, padding_mode="circular"), nn.GroupNorm(2, 8), nn.Conv2d(8, 8, 3, groups=8)
    ).to(memory_format=torch.channels_last)
    return model, lambda x: model(x).sin().sum((1, 2, 3)), torch.randn(3, 4, 6, 6).contiguous(memory_format=torch.channels_last)


def four_dimensional_linear():
    model = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8, bias=False), nn.Linear(8, 2, bias=False))
    return model, lambda x: model(x).sin().sum((1, 2, 3)), torch.randn(3, 2, 5, 4)


CASES = {
    "further inputs": with_further_inputs,
    "convolutions, channels last": channels_last_convolutions,
    "linear of 4-D inputs, norm without bias": four_dimensional_linear,
    "weight norm": lambda: parametrized(parametrizations.weight_norm),
    "spectral norm, evaluation": lambda: parametrized(parametrizations.spectral_norm, evaluate=True),
    "orthogonal weight": lambda: parametrized(parametrizations.orthogonal),
    "forward hook": with_forward_hook,
    "functional call": by_functional_call,
    "vmap": by_vmap,
    "loop over examples": by_a_loop_over_examples,
    "gradient penalty": with_gradient_penalty,
    "attention": attention,
    "embedding bag, mean": bag,
    "embedding bag, sum": lambda: bag(mode="sum"),
    "sparse embedding": lambda: embedding(sparse=True),
    "embedding with padding": lambda: embedding(padding_idx=2),
    "packed LSTM": packed_lstm,
    "transformer": whole_transformer,
    "lazy linear, PReLU, RMS norm": lazy_prelu_rms,
    "one-dimensional convolutions": one_dimensional_convolutions,
    "adaptive softmax": adaptive_softmax,
    "bilinear": bilinear,
}


@pytest.mark.parametrize("name", CASES)
def test_is_exact_and_accepted(name):
    model, losses, batch = CASES[name]()
    assert_exact(losses, batch, model, clip=0.3, independence="assumed")
    engine = ghostgrad.Engine(model.named_parameters(), noise_multiplier=0, expected_batch_size=1)
    assert engine.check_independence(losses, batch).rounds > 0
    engine.backward(losses(batch))
    assert engine.report().independence == "audited"


def test_a_state_that_each_forward_pass_updates_is_named():
    model, losses, batch = parametrized(parametrizations.spectral_norm)
    with pytest.raises(ghostgrad.PrivacyError, match="from one forward pass to the next"):
        ghostgrad.check_independence(losses, batch, model.named_parameters())


def test_module_hooks_on_gradients_are_refused():
    model = network()
    model[0].register_full_backward_hook(lambda module, below, above: None)
    with pytest.raises(ghostgrad.PrivacyError, match="hooks"):
        ghostgrad.testing.clipped_sum(losses_of(model)(data()), model.named_parameters(), independence="assumed")
