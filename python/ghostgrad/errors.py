# SPDX-License-Identifier: Apache-2.0
"""What ghostgrad raises. Every message reads `[where] what is wrong, but got <value>; <what to do>` and never shows a per-example value."""

from contextlib import contextmanager
from typing import Iterator


class Error(Exception):
    """Everything that ghostgrad raises on purpose; the four parts of its message are attributes."""

    where: str = ""
    wrong: str = ""
    got: str = ""
    remedy: str = ""


class InvalidArgument(Error, ValueError):
    """A value that the caller gave is wrong."""


class Unsupported(Error, NotImplementedError):
    """The value is fine, but nothing here can serve it."""


class PrivacyError(Error, RuntimeError):
    """Going on would void the guarantee."""


class SystemError(Error, OSError):
    """The world outside failed: a file, the operating system."""


@contextmanager
def compiled_models_explained() -> Iterator[None]:
    """What torch says when a compiled region is run backward more than once, in our words."""
    try:
        yield
    except RuntimeError as error:
        if "donated buffers" not in str(error):
            raise
        unsupported = Unsupported(
            "[torch.compile] a compiled region gave its saved tensors away at its first backward, and here it is run again; "
            'compute the losses under torch.compiler.set_stance("force_eager"), which is also faster here, or compile with '
            "torch._functorch.config.donated_buffer = False"
        )
        unsupported.where = "torch.compile"
        raise unsupported from error


def invalid(where: str, wrong: str, got: str, remedy: str) -> InvalidArgument:
    """An InvalidArgument with its message put together from its parts, as the core does."""
    error = InvalidArgument(f"[{where}] {wrong}" + (f", but got {got}" if got else "") + f"; {remedy}")
    error.where, error.wrong, error.got, error.remedy = where, wrong, got, remedy
    return error
