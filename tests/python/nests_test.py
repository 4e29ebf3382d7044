# SPDX-License-Identifier: Apache-2.0
"""Nests of every class that batches, arguments and outputs come in."""

import importlib.util
from collections import OrderedDict, UserDict, defaultdict
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_sequence

import ghostgrad
from ghostgrad.nests import mapped, tensors_of

A, B = torch.tensor([1.0, 2.0]), torch.tensor([3.0])


class Pair(NamedTuple):
    x: Tensor
    y: Tensor


class Encoding(UserDict):
    """As tokenizers return them."""


class Scores(dict):
    """As model libraries return them."""


class Stack(list):
    """A list of another class."""


@dataclass
class Output(OrderedDict):
    """As transformers' models return them: items that are attributes, too, and left out where they are None."""

    x: Tensor
    y: Tensor
    z: Tensor | None = None

    def __post_init__(self):
        self.update({field.name: getattr(self, field.name) for field in fields(self) if getattr(self, field.name) is not None})


NESTS = {
    "tuple": (A, B),
    "list": [A, B],
    "class of lists": Stack([A, B]),
    "named tuple": Pair(A, B),
    "dict": {"x": A, "y": B},
    "dict with other keys": {1: A, (2, 3): B},
    "ordered dict": OrderedDict(x=A, y=B),
    "class of dicts": Scores(x=A, y=B),
    "user dict": Encoding(x=A, y=B),
    "read-only mapping": MappingProxyType({"x": A, "y": B}),
    "dataclass of items": Output(A, B),
    "nest of nests": {"pair": Pair([A], Encoding(y=B)), "more": [Scores(), ()]},
    "what is no tensor": ["text", A, {"n": 1, "none": None}, (B, 2.0)],
}


def parts(nest):
    """The same nest in plain dictionaries and lists, with its classes."""
    if isinstance(nest, (dict, UserDict, MappingProxyType)):
        return type(nest), {key: parts(value) for key, value in nest.items()}
    if isinstance(nest, (tuple, list)):
        return type(nest), [parts(value) for value in nest]
    return nest.tolist() if isinstance(nest, Tensor) else nest


@pytest.mark.parametrize("name", NESTS)
def test_a_mapped_nest_differs_in_its_tensors_alone(name):
    nest = NESTS[name]
    before = parts(nest)
    assert [tensor.tolist() for tensor in tensors_of(nest)] == [[1, 2], [3]]
    doubled = mapped(lambda tensor: 2 * tensor, nest)
    assert [tensor.tolist() for tensor in tensors_of(doubled)] == [[2, 4], [6]]
    assert parts(nest) == before == parts(mapped(lambda tensor: tensor / 2, doubled))


@pytest.mark.parametrize("name", NESTS)
def test_tensors_are_changed_in_the_order_in_which_they_are_listed(name):
    replacements = iter((B, A))
    assert [tensor.tolist() for tensor in tensors_of(mapped(lambda _: next(replacements), NESTS[name]))] == [[3], [1, 2]]


def test_attributes_follow_the_items():
    negated = mapped(torch.neg, Output(A, B))
    assert negated.x is negated["x"] and negated.x.tolist() == [-1, -2] and negated.z is None and list(negated) == ["x", "y"]


def test_a_packed_sequence_stays_one():
    packed = pack_sequence([torch.ones(3), torch.ones(2)])
    moved = mapped(lambda tensor: tensor.clone(), packed)
    assert type(moved) is PackedSequence and torch.equal(moved.data, packed.data) and torch.equal(moved.batch_sizes, packed.batch_sizes)


def test_a_tensor_is_a_nest_and_everything_else_holds_none():
    assert list(tensors_of(A)) == [A] and mapped(lambda _: B, A) is B
    for other in ("text", 1, None, {}, defaultdict(list), torch.Size([2]), torch.nn.Linear(1, 1)):
        assert not list(tensors_of(other)) and type(mapped(torch.neg, other)) is type(other)


@pytest.mark.parametrize("kind", [dict, Encoding, Scores, Output])
def test_the_empty_logical_batch_has_no_rows_in_any_mapping(kind):
    collated = ghostgrad.collate([0], lambda examples: kind(x=torch.ones(len(examples), 4), y=torch.ones(len(examples))))
    assert [len(tensor) for tensor in tensors_of(collated([0, 0]))] == [2, 2]
    empty = collated([])
    assert type(empty) is kind and [tuple(tensor.shape) for tensor in tensors_of(empty)] == [(0, 4), (0,)]


@pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="transformers is not installed")
def test_the_classes_of_transformers_are_nests():
    from transformers import BatchEncoding
    from transformers.modeling_outputs import SequenceClassifierOutput

    for nest in (BatchEncoding({"x": A, "y": B}), SequenceClassifierOutput(loss=A, hidden_states=(B,))):
        negated = mapped(torch.neg, nest)
        assert type(negated) is type(nest) and list(negated) == list(nest)
        assert [tensor.tolist() for tensor in tensors_of(negated)] == [[-1, -2], [-3]]
    assert negated.loss is negated["loss"]
