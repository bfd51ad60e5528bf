# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, with the server's own code and words, and what to do about it."""

from __future__ import annotations

import enum


class Code(enum.IntEnum):
    """The canonical codes of gRPC; docs/errors.md says when the server gives which."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


_ADVICE = {
    Code.CANCELLED: "",
    Code.DEADLINE_EXCEEDED: "Allow more time, or send fewer vertices at once.",
    Code.PERMISSION_DENIED: "Check the file's permissions and the server's --model-root.",
    Code.RESOURCE_EXHAUSTED: "Send less at once, or try again in a moment.",
    Code.UNIMPLEMENTED: "Use a server of the same version as this client.",
    Code.INTERNAL: "Try again; if it happens again, report it with the server's log.",
    Code.UNAVAILABLE: "Start the server, or check that its address is right.",
    Code.DATA_LOSS: "Try again.",
    Code.UNAUTHENTICATED: "Use the token that the server was started with.",
}


class BlendwireError(Exception):
    """A call that failed.

    Attributes:
        code: What kind of failure it is.
        message: What happened: the field, its value and what would be right.
        advice: What to do, in one sentence; empty where the message says it already.
    """

    code: Code = Code.UNKNOWN

    def __init__(self, message: str, code: Code | None = None) -> None:
        if code is not None:
            self.code = code
        self.message = message
        self.advice = _ADVICE.get(self.code, "")
        super().__init__(message)

    def __str__(self) -> str:
        text = f"{self.code.name}: {self.message}"
        return f"{text}. {self.advice}" if self.advice else text

    def __reduce__(self) -> tuple[type[BlendwireError], tuple[str, Code]]:
        return type(self), (self.message, self.code)


class CancelledError(BlendwireError):
    """The call was cancelled, or its client was closed."""

    code = Code.CANCELLED


class InvalidArgumentError(BlendwireError, ValueError):
    """Something in the request cannot be right; the message names it."""

    code = Code.INVALID_ARGUMENT


class DeadlineExceededError(BlendwireError, TimeoutError):
    """The time limit passed."""

    code = Code.DEADLINE_EXCEEDED


class NotFoundError(BlendwireError, LookupError):
    """No such model, program or file."""

    code = Code.NOT_FOUND


class PermissionDeniedError(BlendwireError, PermissionError):
    """A file that may not be used."""

    code = Code.PERMISSION_DENIED


class ResourceExhaustedError(BlendwireError):
    """The server's queue is full, or a message is over the limit."""

    code = Code.RESOURCE_EXHAUSTED


class FailedPreconditionError(BlendwireError):
    """The call does not fit the state of things, e.g. no model is loaded."""

    code = Code.FAILED_PRECONDITION


class InternalError(BlendwireError):
    """A fault in the server, the model or the client."""

    code = Code.INTERNAL


class UnavailableError(BlendwireError, ConnectionError):
    """No server could be reached, after all tries."""

    code = Code.UNAVAILABLE


class UnauthenticatedError(BlendwireError):
    """The token is missing or wrong."""

    code = Code.UNAUTHENTICATED


_CLASSES: dict[Code, type[BlendwireError]] = {
    cls.code: cls
    for cls in (
        CancelledError,
        InvalidArgumentError,
        DeadlineExceededError,
        NotFoundError,
        PermissionDeniedError,
        ResourceExhaustedError,
        FailedPreconditionError,
        InternalError,
        UnavailableError,
        UnauthenticatedError,
    )
}


def make_error(code: int, message: str) -> BlendwireError:
    """The exception for a code of the C library."""
    try:
        known = Code(code)
    except ValueError:
        known = Code.UNKNOWN
    return _CLASSES.get(known, BlendwireError)(message, known)
