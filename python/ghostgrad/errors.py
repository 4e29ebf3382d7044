# SPDX-License-Identifier: Apache-2.0
"""What ghostgrad raises. Every message reads `[where] what is wrong, but got <value>; <what to do>` and never shows a per-example value."""


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


def invalid(where: str, wrong: str, got: str, remedy: str) -> InvalidArgument:
    """An InvalidArgument with its message put together from its parts, as the core does."""
    error = InvalidArgument(f"[{where}] {wrong}" + (f", but got {got}" if got else "") + f"; {remedy}")
    error.where, error.wrong, error.got, error.remedy = where, wrong, got, remedy
    return error
