# SPDX-License-Identifier: Apache-2.0
"""Blendwire: predicts face shape keys for avatars through a local server.

    import blendwire

    with blendwire.ManagedServer.start() as server, server.client() as client:
        offsets = client.predict_vertex_offsets(vertices, "viseme", "aa", triangles=triangles)

Client has calls that wait, and submit functions whose jobs are polled; AsyncClient is for asyncio.
No Python thread is ever started, and no gRPC or protobuf package is needed.
"""

from typing import TYPE_CHECKING, Any

from ._library import client_version
from .client import Client
from .errors import (
    BlendwireError,
    CancelledError,
    Code,
    DeadlineExceededError,
    FailedPreconditionError,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    ResourceExhaustedError,
    UnauthenticatedError,
    UnavailableError,
)
from .job import BatchJob, Job
from .server import ManagedServer
from .types import (
    BatchItem,
    ItemResult,
    ModelInfo,
    Prediction,
    PredictionMetadata,
    PredictionOptions,
    QualityMetrics,
    ServerHealth,
)

if TYPE_CHECKING:
    from .aio import AsyncClient, wait_for

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "BatchItem",
    "BatchJob",
    "BlendwireError",
    "CancelledError",
    "Client",
    "Code",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "InternalError",
    "InvalidArgumentError",
    "ItemResult",
    "Job",
    "ManagedServer",
    "ModelInfo",
    "NotFoundError",
    "PermissionDeniedError",
    "Prediction",
    "PredictionMetadata",
    "PredictionOptions",
    "QualityMetrics",
    "ResourceExhaustedError",
    "ServerHealth",
    "UnauthenticatedError",
    "UnavailableError",
    "client_version",
    "wait_for",
]


def __getattr__(name: str) -> Any:
    """What needs asyncio, which takes longer to import than all the rest, only where it is used."""
    if name in ("AsyncClient", "wait_for"):
        from . import aio

        return getattr(aio, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
