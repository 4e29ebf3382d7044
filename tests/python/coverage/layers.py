# SPDX-License-Identifier: Apache-2.0
"""Every trainable layer of torch.nn: name -> (model, loss function, batch), in float64."""

import torch
import torch.nn.functional as F
from torch import nn

EXAMPLES = 4


def smooth(out):
    """A loss for each example of an output [B, ...] that leaves no gradient at zero."""
    return (out * out.sin() + out).flatten(1).mean(1)


def on(layer, *shape):
    """The layer on numbers [B, *shape]."""
    layer = layer.double()
    return layer, lambda x: smooth(layer(x)), torch.randn(EXAMPLES, *shape, dtype=torch.float64)


def after_a_layer(layer, *shape):
    """The layer behind another, so that gradients pass through it, too."""
    first = nn.Linear(shape[-1], shape[-1])
    model = nn.Sequential(first, layer).double()
    return model, lambda x: smooth(model(x)), torch.randn(EXAMPLES, *shape, dtype=torch.float64)


def looked_up(layer):
    layer = layer.double()
    return layer, lambda x: smooth(layer(x)), torch.randint(0, 9, (EXAMPLES, 5))


def recurrent(layer):
    layer = layer.double()
    return layer, lambda x: smooth(layer(x)[0]), torch.randn(EXAMPLES, 5, 3, dtype=torch.float64)


def cell(layer):
    """Two steps of a cell."""
    layer = layer.double()

    def losses(x):
        state = layer(x[:, 0])
        state = layer(x[:, 1], state)
        return smooth(state if isinstance(state, torch.Tensor) else state[0])

    return layer, losses, torch.randn(EXAMPLES, 2, 3, dtype=torch.float64)


def attention(**options):
    layer = nn.MultiheadAttention(8, 2, batch_first=True, **options).double()
    other = options.get("kdim", 8)
    batch = torch.randn(EXAMPLES, 5, 8, dtype=torch.float64), torch.randn(EXAMPLES, 6, other, dtype=torch.float64)
    return layer, lambda b: smooth(layer(b[0], b[1], b[1])[0]), batch


def transformer(layer, memory):
    layer = layer.double()
    x, y = (torch.randn(EXAMPLES, length, 8, dtype=torch.float64) for length in (5, 3))
    return layer, lambda b: smooth(layer(*b) if memory else layer(b[0])), (x, y)


def adaptive_softmax():
    layer = nn.AdaptiveLogSoftmaxWithLoss(4, 10, [3, 6], head_bias=True).double()
    return layer, lambda b: -layer(*b).output, (torch.randn(EXAMPLES, 4, dtype=torch.float64), torch.arange(EXAMPLES) * 2)


def bilinear():
    layer = nn.Bilinear(4, 5, 3).double()
    batch = torch.randn(EXAMPLES, 4, dtype=torch.float64), torch.randn(EXAMPLES, 5, dtype=torch.float64)
    return layer, lambda b: smooth(layer(*b)), batch


def lazy(layer, *shape):
    layer(torch.zeros(2, *shape))
    return on(layer, *shape)


def batch_norm(layer, *shape):
    """In evaluation mode, with statistics that are not trivial."""
    layer.running_mean.normal_()
    layer.running_var.uniform_(0.5, 2.0)
    return on(layer.eval(), *shape)


def encoder(**options):
    return nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, batch_first=True, **options)


def decoder():
    return nn.TransformerDecoderLayer(8, 2, 12, dropout=0.0, batch_first=True)


LAYERS = {
    "Linear": lambda: on(nn.Linear(4, 3), 4),
    "Linear, positions": lambda: on(nn.Linear(4, 3), 5, 4),
    "Linear, 4-D": lambda: on(nn.Linear(4, 3), 2, 5, 4),
    "Bilinear": bilinear,
    "LazyLinear": lambda: lazy(nn.LazyLinear(3), 4),
    "Conv1d": lambda: on(nn.Conv1d(2, 4, 3, padding=1), 2, 7),
    "Conv1d, dilated, circular": lambda: on(nn.Conv1d(2, 4, 3, padding=2, dilation=2, padding_mode="circular"), 2, 7),
    "Conv2d": lambda: on(nn.Conv2d(2, 4, 3), 2, 6, 6),
    "Conv2d, stride, groups, reflect": lambda: on(nn.Conv2d(4, 4, 3, 2, 1, groups=2, padding_mode="reflect"), 4, 6, 6),
    "Conv2d, depthwise, same": lambda: on(nn.Conv2d(4, 8, 3, padding="same", groups=4), 4, 6, 6),
    "Conv3d": lambda: on(nn.Conv3d(2, 3, 2), 2, 4, 4, 4),
    "ConvTranspose1d": lambda: on(nn.ConvTranspose1d(2, 3, 3, stride=2), 2, 5),
    "ConvTranspose2d": lambda: on(nn.ConvTranspose2d(4, 4, 3, stride=2, groups=2, output_padding=1), 4, 4, 4),
    "ConvTranspose3d": lambda: on(nn.ConvTranspose3d(2, 3, 2), 2, 3, 3, 3),
    "LazyConv1d": lambda: lazy(nn.LazyConv1d(4, 3), 2, 7),
    "LazyConv2d": lambda: lazy(nn.LazyConv2d(4, 3), 2, 6, 6),
    "LazyConv3d": lambda: lazy(nn.LazyConv3d(4, 2), 2, 4, 4, 4),
    "LazyConvTranspose1d": lambda: lazy(nn.LazyConvTranspose1d(4, 3), 2, 7),
    "LazyConvTranspose2d": lambda: lazy(nn.LazyConvTranspose2d(4, 3), 2, 4, 4),
    "LazyConvTranspose3d": lambda: lazy(nn.LazyConvTranspose3d(4, 2), 2, 3, 3, 3),
    "Embedding": lambda: looked_up(nn.Embedding(9, 4)),
    "Embedding, padding": lambda: looked_up(nn.Embedding(9, 4, padding_idx=2)),
    "Embedding, sparse": lambda: looked_up(nn.Embedding(9, 4, sparse=True)),
    "Embedding, scaled by frequency": lambda: looked_up(nn.Embedding(9, 4, scale_grad_by_freq=True)),
    "EmbeddingBag, sum": lambda: looked_up(nn.EmbeddingBag(9, 4, mode="sum")),
    "EmbeddingBag, mean": lambda: looked_up(nn.EmbeddingBag(9, 4, mode="mean")),
    "EmbeddingBag, max": lambda: looked_up(nn.EmbeddingBag(9, 4, mode="max")),
    "LayerNorm": lambda: after_a_layer(nn.LayerNorm(4), 5, 4),
    "LayerNorm, two dimensions, no bias": lambda: after_a_layer(nn.LayerNorm((5, 4), bias=False), 5, 4),
    "RMSNorm": lambda: after_a_layer(nn.RMSNorm(4), 5, 4),
    "GroupNorm": lambda: after_a_layer(nn.GroupNorm(2, 6), 6, 4),
    "InstanceNorm1d": lambda: after_a_layer(nn.InstanceNorm1d(6, affine=True), 6, 4),
    "InstanceNorm2d": lambda: after_a_layer(nn.InstanceNorm2d(3, affine=True), 3, 4, 4),
    "InstanceNorm3d": lambda: after_a_layer(nn.InstanceNorm3d(3, affine=True), 3, 2, 2, 4),
    "LazyInstanceNorm1d": lambda: lazy(nn.LazyInstanceNorm1d(affine=True, track_running_stats=False), 6, 4),
    "LazyInstanceNorm1d, running statistics": lambda: lazy(nn.LazyInstanceNorm1d(affine=True), 6, 4),
    "LazyInstanceNorm2d": lambda: lazy(nn.LazyInstanceNorm2d(affine=True, track_running_stats=False), 3, 4, 4),
    "LazyInstanceNorm3d": lambda: lazy(nn.LazyInstanceNorm3d(affine=True, track_running_stats=False), 3, 2, 2, 4),
    "BatchNorm1d, evaluation": lambda: batch_norm(nn.BatchNorm1d(4), 4),
    "BatchNorm2d, evaluation": lambda: batch_norm(nn.BatchNorm2d(3), 3, 4, 4),
    "BatchNorm3d, evaluation": lambda: batch_norm(nn.BatchNorm3d(3), 3, 2, 4, 4),
    "LazyBatchNorm1d": lambda: lazy(nn.LazyBatchNorm1d(), 4),
    "LazyBatchNorm2d": lambda: lazy(nn.LazyBatchNorm2d(), 3, 4, 4),
    "LazyBatchNorm3d": lambda: lazy(nn.LazyBatchNorm3d(), 3, 2, 4, 4),
    "SyncBatchNorm, evaluation": lambda: batch_norm(nn.SyncBatchNorm(3), 3, 4, 4),
    "BatchNorm1d": lambda: on(nn.BatchNorm1d(4), 4),
    "BatchNorm2d": lambda: on(nn.BatchNorm2d(3), 3, 4, 4),
    "BatchNorm3d": lambda: on(nn.BatchNorm3d(3), 3, 2, 4, 4),
    "PReLU": lambda: after_a_layer(nn.PReLU(), 5, 4),
    "PReLU, channels": lambda: after_a_layer(nn.PReLU(5), 5, 4),
    "RNN": lambda: recurrent(nn.RNN(3, 4, 2, batch_first=True, bidirectional=True)),
    "RNN, relu": lambda: recurrent(nn.RNN(3, 4, batch_first=True, nonlinearity="relu")),
    "LSTM": lambda: recurrent(nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True)),
    "LSTM, projection": lambda: recurrent(nn.LSTM(3, 4, batch_first=True, proj_size=2)),
    "GRU": lambda: recurrent(nn.GRU(3, 4, 2, batch_first=True, bidirectional=True)),
    "RNNCell": lambda: cell(nn.RNNCell(3, 4)),
    "LSTMCell": lambda: cell(nn.LSTMCell(3, 4)),
    "GRUCell": lambda: cell(nn.GRUCell(3, 4)),
    "MultiheadAttention": attention,
    "MultiheadAttention, other key and value": lambda: attention(kdim=6, vdim=6, bias=False),
    "MultiheadAttention, added key and value": lambda: attention(add_bias_kv=True, add_zero_attn=True),
    "TransformerEncoderLayer": lambda: transformer(encoder(), False),
    "TransformerEncoderLayer, norm first": lambda: transformer(encoder(norm_first=True, activation=F.gelu), False),
    "TransformerEncoder": lambda: transformer(nn.TransformerEncoder(encoder(), 2, enable_nested_tensor=False), False),
    "TransformerDecoderLayer": lambda: transformer(decoder(), True),
    "TransformerDecoder": lambda: transformer(nn.TransformerDecoder(decoder(), 2), True),
    "Transformer": lambda: transformer(nn.Transformer(8, 2, 1, 1, 12, dropout=0.0, batch_first=True), True),
    "AdaptiveLogSoftmaxWithLoss": adaptive_softmax,
}
