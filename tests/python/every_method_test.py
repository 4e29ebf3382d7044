# SPDX-License-Identifier: Apache-2.0
"""Layers whose gradients come by unusual ways, by every method, against the loop over examples: in float64 to 1e-10, in float32 to 1e-5."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from reference import clipped_sum
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import ghostgrad
from ghostgrad.nests import mapped

FROM_LOSSES = [name for name in ghostgrad.methods() if name not in ("naive", "non_private")]
B, T, WIDTH, VOCABULARY = 4, 5, 8, 9


def smooth(out):
    """A loss for each example of an output [B, ...] that leaves no gradient at zero."""
    return (out * out.sin() + out).flatten(1).mean(1)


# ---- packed sequences ----------------------------------------------------------------------------------------------------------------


def packed(kind, in_order, **options):
    """The padded outputs and the last states of sequences of several lengths."""
    layer = kind(3, 4, **options)
    first = options["batch_first"]

    def losses(batch):
        x, lengths = batch
        sequences = pack_padded_sequence(x if first else x.transpose(0, 1), lengths, batch_first=first, enforce_sorted=in_order)
        packed_out, states = layer(sequences)
        out, _ = pad_packed_sequence(packed_out, batch_first=first, total_length=T)
        states = states if isinstance(states, tuple) else (states,)
        return smooth(out if first else out.transpose(0, 1)) + sum(smooth(state.transpose(0, 1)) for state in states)

    return layer, losses, (torch.randn(B, T, 3), torch.tensor([5, 4, 4, 1] if in_order else [3, 5, 1, 4]))


def padded(kind, **options):
    layer = kind(3, 4, **options)
    first = options["batch_first"]

    def losses(x):
        out, _ = layer(x if first else x.transpose(0, 1))
        return smooth(out if first else out.transpose(0, 1))

    return layer, losses, torch.randn(B, T, 3)


def recurrent_cases():
    deep = {"num_layers": 2, "bidirectional": True}
    for kind, in_order, first, options in itertools.product((nn.RNN, nn.GRU, nn.LSTM), (True, False), (True, False), ({}, deep)):
        name = f"{kind.__name__}, {'sorted' if in_order else 'any order'}, {'[B, T]' if first else '[T, B]'}{', deep' if options else ''}"
        yield name, lambda kind=kind, in_order=in_order, o={"batch_first": first, **options}: packed(kind, in_order, **o)
    for first, options in itertools.product((True, False), ({}, {"bidirectional": True}, {"num_layers": 2}, deep)):
        o = {"batch_first": first, "proj_size": 2, **options}
        name = f"LSTM, projected, {'[B, T]' if first else '[T, B]'}, {', '.join(options) or 'plain'}"
        yield name, lambda o=o: padded(nn.LSTM, **o)
        yield name + ", packed", lambda o=o: packed(nn.LSTM, False, **o)


# ---- attention -----------------------------------------------------------------------------------------------------------------------


def attended(layer, out_and_weights):
    out, weights = out_and_weights
    return smooth(out) if weights is None else smooth(out) + smooth(weights)


def three_inputs(need_weights, **options):
    """Three inputs of the three thirds of one in_proj matrix."""
    layer = nn.MultiheadAttention(WIDTH, 2, batch_first=True, **options)
    batch = torch.randn(B, T, WIDTH), torch.randn(B, T + 1, WIDTH), torch.randn(B, T + 1, WIDTH)
    return layer, lambda b: attended(layer, layer(*b, need_weights=need_weights)), batch


def masked(need_weights, **options):
    """Self-attention that sees neither what follows nor what is padding."""
    layer = nn.MultiheadAttention(WIDTH, 2, batch_first=True, **options)
    causal = torch.ones(T, T, dtype=torch.bool).triu(1)

    def losses(batch):
        x, lengths = batch
        absent = torch.arange(T) >= lengths[:, None]
        return attended(layer, layer(x, x, x, key_padding_mask=absent, attn_mask=causal, need_weights=need_weights))

    return layer, losses, (torch.randn(B, T, WIDTH), torch.tensor([3, 5, 1, 4]))


def masked_encoder():
    layer = nn.TransformerEncoderLayer(WIDTH, 2, 12, dropout=0.0, batch_first=True)
    causal = torch.ones(T, T, dtype=torch.bool).triu(1)
    losses = lambda b: smooth(layer(b[0], src_mask=causal, src_key_padding_mask=torch.arange(T) >= b[1][:, None]))
    return layer, losses, (torch.randn(B, T, WIDTH), torch.tensor([3, 5, 1, 4]))


class RelativeAttention(nn.Module):
    """Scores q k^T + table[i - j], one table of 2T - 1 distances for two heads."""

    def __init__(self, look_up):
        super().__init__()
        self.look_up = look_up
        self.qkv, self.table = nn.Linear(WIDTH, 3 * WIDTH), nn.Parameter(torch.randn(2 * T - 1, 2))
        self.distances = torch.arange(T)[:, None] - torch.arange(T) + T - 1

    def forward(self, x):
        q, k, v = self.qkv(x).unflatten(2, (3, 2, WIDTH // 2)).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(2, 3) + self.look_up(self.table, self.distances).permute(2, 0, 1)
        return (scores.softmax(3) @ v).transpose(1, 2).flatten(2)


LOOK_UPS = {
    "table[idx]": lambda table, idx: table[idx],
    "table[idx.view(-1)]": lambda table, idx: table[idx.view(-1)].view(T, T, 2),
    "index_select": lambda table, idx: table.index_select(0, idx.flatten()).view(T, T, 2),
    "embedding": lambda table, idx: F.embedding(idx, table),
}


def relative(look_up):
    layer = RelativeAttention(LOOK_UPS[look_up])
    return layer, lambda x: smooth(layer(x)), torch.randn(B, T, WIDTH)


ATTENTION = {
    "three inputs": lambda: three_inputs(False),
    "three inputs, weights": lambda: three_inputs(True),
    "three inputs, no bias": lambda: three_inputs(False, bias=False),
    "added bias of key and value": lambda: three_inputs(False, add_bias_kv=True),
    "added bias of key and value, weights": lambda: three_inputs(True, add_bias_kv=True),
    "added zero attention": lambda: three_inputs(False, add_zero_attn=True),
    "added zero attention, weights": lambda: three_inputs(True, add_zero_attn=True),
    "padding and causal mask": lambda: masked(False),
    "padding and causal mask, weights": lambda: masked(True),
    "padding and causal mask, added bias": lambda: masked(False, add_bias_kv=True, add_zero_attn=True),
    "padding and causal mask, encoder": masked_encoder,
    **{f"relative positions, {way}": lambda way=way: relative(way) for way in LOOK_UPS},
}

# ---- embedding bags and experts ------------------------------------------------------------------------------------------------------


class Bag(nn.Module):
    """Bags of several lengths in one flat list of ids with offsets, or in rows; weights of ids that are learned, too."""

    def __init__(self, flat, weighted, **options):
        super().__init__()
        self.flat, self.last = flat, options.get("include_last_offset", False)
        self.scores = nn.Embedding(VOCABULARY, 1) if weighted else None
        self.bag = nn.EmbeddingBag(VOCABULARY, 4, **options)

    def forward(self, ids, lengths):
        weights = None if self.scores is None else self.scores(ids).squeeze(2)
        if not self.flat:
            return self.bag(ids, per_sample_weights=weights)
        present = torch.arange(T) < lengths[:, None]
        ends = lengths.cumsum(0)
        offsets = F.pad(ends, (1, 0)) if self.last else ends - lengths
        return self.bag(ids[present], offsets, None if weights is None else weights[present])


def bag(flat=True, weighted=False, **options):
    layer = Bag(flat, weighted, **options)
    return layer, lambda b: smooth(layer(*b)), (torch.randint(0, VOCABULARY, (B, T)), torch.tensor([3, 5, 1, 4]))


def bag_cases():
    for mode, flat in itertools.product(("sum", "mean", "max"), (False, True)):
        yield f"bag, {mode}, {'offsets' if flat else 'rows'}", lambda mode=mode, flat=flat: bag(flat, mode=mode)
        if flat:
            yield f"bag, {mode}, last offset", lambda mode=mode: bag(mode=mode, include_last_offset=True)
            yield f"bag, {mode}, padding", lambda mode=mode: bag(mode=mode, padding_idx=2)
    for flat in (False, True):
        yield f"bag, learned weights, {'offsets' if flat else 'rows'}", lambda flat=flat: bag(flat, True, mode="sum")
    yield "bag, learned weights, last offset", lambda: bag(True, True, mode="sum", include_last_offset=True)


class Experts(nn.Module):
    """A mixture of linear maps [E, d, p], gated by the example."""

    def __init__(self, way):
        super().__init__()
        self.way, self.gate = way, nn.Linear(4, 3)
        self.weight, self.bias = nn.Parameter(torch.randn(3, 4, 2)), nn.Parameter(torch.randn(3, 1, 2))

    def forward(self, x):
        return torch.einsum("be,betp->btp", self.gate(x.mean(1)).softmax(1), self.way(self, x))


def each_expert_on_all(layer, x):
    """[E, B T, d] with the weights as they are."""
    out = torch.bmm(x.flatten(0, 1).expand(3, -1, -1), layer.weight)
    return (out + layer.bias).view(3, len(x), -1, 2).transpose(0, 1)


def expanded_over_examples(layer, x):
    """[B E, T, d], the weights repeated for each example."""
    rows = x[:, None].expand(-1, 3, -1, -1).flatten(0, 1)
    weight, bias = (p.expand(len(x), -1, -1, -1).flatten(0, 1) for p in (layer.weight, layer.bias))
    return torch.baddbmm(bias, rows, weight).view(len(x), 3, -1, 2)


def one_after_another(layer, x):
    """[B, T, d] by one expert's weight, expanded without a copy."""
    return torch.stack([torch.bmm(x, weight.expand(len(x), -1, -1)) for weight in layer.weight], 1)


def experts(way):
    layer = Experts(way)
    layer.bias.requires_grad_(way is not one_after_another)
    return layer, lambda x: smooth(layer(x)), torch.randn(B, T, 4)


EXPERTS = {way.__name__: lambda way=way: experts(way) for way in (each_expert_on_all, expanded_over_examples, one_after_another)}

# ---- the judgement -------------------------------------------------------------------------------------------------------------------

CASES = {**dict(recurrent_cases()), **ATTENTION, **dict(bag_cases()), **EXPERTS}


def assert_near(found, expected, tolerance, what):
    """Relative to the largest number of all tensors: the gradient of a bias of keys is zero, but for rounding."""
    scale = max(tensor.abs().max().item() for tensor in expected)
    apart = max((one.double() - other.double()).abs().max().item() for one, other in zip(found, expected, strict=True))
    assert scale > 0 and apart <= tolerance * scale, f"{what}: {apart / scale} apart"


def in_type(dtype, nest):
    return mapped(lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor, nest)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("name", CASES)
def test_every_method_gives_the_sum_of_the_loop(name):
    model, losses, batch = CASES[name]()
    model.float().double()  # the same numbers in both types
    batch = in_type(torch.float64, in_type(torch.float32, batch))
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    _, norms = clipped_sum(losses, batch, [p for _, p in named])
    clip = norms.median().item()  # some examples are clipped, some are not
    expected, _ = clipped_sum(losses, batch, [p for _, p in named], clip)
    for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-5)):
        model.to(dtype)
        for method in FROM_LOSSES:
            found = losses(in_type(dtype, batch))
            sums, found_norms = ghostgrad.testing.clipped_sum(found, named, clip=clip, method=method, independence="assumed")
            assert found_norms.dtype == dtype and all(total.dtype == dtype for total in sums)
            assert_near(sums, expected, tolerance, f"{method}, {dtype}: sums")
            assert_near([found_norms], [norms], tolerance, f"{method}, {dtype}: norms")


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("name", [name for name in CASES if ", sorted" not in name])  # the check reorders examples, which these refuse
def test_is_accepted_after_the_check(name):
    model, losses, batch = CASES[name]()
    engine = ghostgrad.Engine([(n, p) for n, p in model.named_parameters() if p.requires_grad], noise_multiplier=0, expected_batch_size=1)
    assert engine.check_independence(losses, batch).rounds > 0
    engine.backward(losses(batch))
    assert engine.report().independence == "audited"
