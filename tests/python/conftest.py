# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from hypothesis import settings

settings.register_profile("ghostgrad", deadline=None, derandomize=True, max_examples=25, database=None)
settings.load_profile("ghostgrad")


@pytest.fixture(autouse=True)
def _float64():
    """Comparisons with the loop are in float64; every test starts from one seed and leaves torch as it was."""
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
