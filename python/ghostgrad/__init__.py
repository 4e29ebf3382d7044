# SPDX-License-Identifier: Apache-2.0
"""Differentially private training of any PyTorch model, unmodified.

    engine = ghostgrad.Engine(model.named_parameters(), clip=1.0, noise_multiplier=1.1, expected_batch_size=256, sample_rate=256 / 50000)
    losses = F.cross_entropy(model(x), y, reduction="none")     # [B]; the model is untouched
    engine.backward(losses)                                     # again for the next physical batch
    engine.step(optimizer)                                      # one release: noise once, .grad written, the event recorded
    engine.epsilon(delta=1e-5)

The per-example gradients are read off the autograd graph of the losses by the C++ core; nothing is wrapped, hooked or replaced.
"""

import torch as _torch  # its libraries must be in the process before ours

try:
    from ghostgrad import _core
except ImportError as _error:  # pragma: no cover
    raise ImportError(
        f"[ghostgrad] the extension does not load beside torch {_torch.__version__}, but one built for this very torch and Python would; "
        "reinstall it here: pip install --no-build-isolation --force-reinstall --no-deps PATH_TO_GHOSTGRAD"
    ) from _error

from ghostgrad import errors, privacy, testing
from ghostgrad.engine import Call, Engine, Report
from ghostgrad.errors import Error, InvalidArgument, PrivacyError, SystemError, Unsupported
from ghostgrad.independence import IndependenceReport, check_independence
from ghostgrad.losses import per_example_loss
from ghostgrad.privacy import Accountant, accountants, calibrate_noise, epsilon
from ghostgrad.sampling import PoissonSampler, collate, logical_batches
from ghostgrad.tables import clip_functions, methods, rules

__version__: str = _core.__version__

__all__ = [
    "Accountant",
    "Call",
    "Engine",
    "Error",
    "IndependenceReport",
    "InvalidArgument",
    "PoissonSampler",
    "PrivacyError",
    "Report",
    "SystemError",
    "Unsupported",
    "accountants",
    "calibrate_noise",
    "check_independence",
    "clip_functions",
    "collate",
    "epsilon",
    "errors",
    "logical_batches",
    "methods",
    "per_example_loss",
    "privacy",
    "rules",
    "testing",
]
