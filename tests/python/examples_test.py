# SPDX-License-Identifier: Apache-2.0
"""The scripts of examples/ do what they say: they learn, within their budget."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(name):
    done = subprocess.run([sys.executable, EXAMPLES / name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def number(pattern, text):
    return float(re.search(pattern, text)[1])


@pytest.mark.slow
@pytest.mark.parametrize("name, epsilon, accuracy", [("image_classifier.py", 3, 0.8), ("text_classifier.py", 4, 0.8)])
def test_a_classifier_learns_within_its_budget(name, epsilon, accuracy):
    printed = run(name)
    assert 0.99 * epsilon < number(r"\(([\d.]+), 1e-05\)-differential privacy", printed) <= epsilon
    assert number(r"not trained on: ([\d.]+)", printed) > accuracy and "independence of examples: checked" in printed


@pytest.mark.slow
def test_a_language_model_is_tuned_within_its_budget():
    printed = run("lora_language_model.py")
    before, after = (float(found) for found in re.search(r"perplexity ([\d.]+) -> ([\d.]+)", printed).groups())
    assert after < 0.5 * before and "fallback" not in printed
    assert number(r"\(([\d.]+), 1e-05\)-differential privacy", printed) <= 8


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, needs", [("huggingface_trainer.py", ("transformers", "accelerate")), ("lightning_module.py", ("lightning",))]
)
def test_a_trainer_of_another_library_learns_within_its_budget(name, needs):
    missing = [package for package in needs if importlib.util.find_spec(package) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed")
    printed = run(name)
    assert number(r"\(([\d.]+), 1e-05\)-differential privacy", printed) <= 8
    assert number(r"not trained on: ([\d.]+)", printed) > 0.8 and "independence of examples: checked" in printed
