# SPDX-License-Identifier: Apache-2.0
"""Every trainable layer of torch.nn and a hundred architectures against the loop over examples; docs/coverage.md tells how each was done."""

import importlib.util
import inspect
import json

import measure
import pytest
import torch
from architectures import ARCHITECTURES
from layers import LAYERS
from torch import nn

QUICK = ("GPT-2", "Llama", "BERT", "T5", "ViT", "Wav2Vec2")
HAS_TRANSFORMERS = importlib.util.find_spec("transformers") is not None


def kept(file):
    """What docs/coverage.md shows."""
    report = json.loads((measure.HERE / f"{file}.json").read_text(encoding="utf-8"))
    return report["versions"], {row["name"]: row for row in report["rows"]}


def agrees(found, row, versions):
    """The same verdict in any version; in those that were measured, the same calls."""
    assert found["sums"] == row["sums"], found["independence"]
    here = {"torch": torch.__version__.split("+", maxsplit=1)[0]}
    if HAS_TRANSFORMERS and "transformers" in versions:
        here = measure.versions()
    assert any(here[name] != versions[name] for name in here) or found == row


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_of_torch_is_exact_or_refused_with_a_reason(name):
    versions, rows = kept("layers")
    agrees(measure.measured(name, LAYERS[name]), rows[name], {"torch": versions["torch"]})


@pytest.mark.skipif(not HAS_TRANSFORMERS, reason="transformers is not installed")
@pytest.mark.parametrize("name", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in ARCHITECTURES])
@pytest.mark.filterwarnings("ignore")
def test_an_architecture_is_exact_or_refused_with_a_reason(name):
    versions, rows = kept("architectures")
    agrees(measure.measured(name, ARCHITECTURES[name]), rows[name], versions)


def test_the_tables_hold_every_subject():
    assert list(kept("layers")[1]) == list(LAYERS) and list(kept("architectures")[1]) == list(ARCHITECTURES)


def makes_parameters(layer):
    names = ("Parameter", "UninitializedParameter", "register_parameter")
    return any(
        set(names) & set(base.__init__.__code__.co_names) for base in layer.__mro__ if issubclass(base, nn.Module) and base is not nn.Module
    )


def test_no_trainable_layer_of_torch_is_left_out():
    shown = {name.split()[0].strip(",") for name in LAYERS}
    layers = {c.__name__: c for _, c in inspect.getmembers(nn, inspect.isclass) if issubclass(c, nn.Module)}
    trainable = {name for name, layer in layers.items() if makes_parameters(layer) and layer.__module__ != "torch.nn.modules.container"}
    assert {"Linear", "PReLU", "MultiheadAttention", "GRU"} < trainable
    assert trainable - shown <= {"RNNBase", "RNNCellBase"}, trainable - shown
