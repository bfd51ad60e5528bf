# SPDX-License-Identifier: Apache-2.0
"""What goes into a call and what comes out of it.

Coordinates everywhere: metres, right-handed, Z up, the face looks along -Y, the avatar's own left
is +X (Blender's convention).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, TypedDict, Union

from .errors import BlendwireError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float32]
    MeshArray = Union[npt.NDArray[Any], Sequence[Sequence[float]]]

PredictionOptions = Mapping[str, Any]
"""apply_smoothing (True), smoothing_iterations (2), max_displacement (0.08 m),
clamp_extreme_values (True), timeout_seconds (30)."""


class _RequestRequired(TypedDict):
    expression_name: str


class BatchItem(_RequestRequired, total=False):
    """One expression of a batch, as a dictionary; only expression_name is needed."""

    vertices: Any  # [N,3]; without it the batch's own
    triangles: Any  # [T,3]
    expression_type: str  # "viseme" (the default), "emotion" or "custom"
    intensity: float  # 1.0
    options: Optional[PredictionOptions]
    model: str
    features: Optional[Sequence[float]]  # custom: the raw condition vector
    parameters: Optional[Mapping[str, float]]  # custom: weights of ARKit units
    out: Any  # float32 [N,3]: where the offsets go


@dataclasses.dataclass(frozen=True)
class QualityMetrics:
    """How the offsets look."""

    mean_displacement: float  # metres
    max_displacement: float  # metres
    extreme_vertices: int  # displaced by more than 0.08 m
    smoothness: float  # 0 (noise) to 1 (locally constant)


@dataclasses.dataclass(frozen=True)
class PredictionMetadata:
    """How a prediction was made; times are the server's, in milliseconds."""

    queue_time_ms: float
    preprocessing_time_ms: float
    inference_time_ms: float
    postprocessing_time_ms: float
    vertices_processed: int
    model_name: str
    model_version: str
    execution_provider: str
    quality: QualityMetrics


@dataclasses.dataclass(frozen=True, eq=False)
class Prediction:
    """A predicted shape."""

    offsets: FloatArray  # float32 [N,3], metres, in the order of the vertices
    metadata: PredictionMetadata


ItemResult = Union[Prediction, BlendwireError]
"""An item of a batch: one that failed does not fail the others."""


@dataclasses.dataclass(frozen=True)
class ServerHealth:
    """Whether the server is ready, and what it is."""

    status: str  # "SERVING", "NOT_SERVING", "UNKNOWN" or "SERVICE_UNKNOWN"
    message: str
    version: str
    model_version: str  # of the model named "default"; empty when there is none
    gpu_available: bool
    device_info: str
    max_concurrent_requests: int

    @property
    def serving(self) -> bool:
        """Whether it takes requests."""
        return self.status == "SERVING"


@dataclasses.dataclass(frozen=True)
class ModelInfo:
    """A loaded model."""

    name: str  # what `model` asks for
    version: str
    title: str
    execution_provider: str
    condition_size: int
    condition_slots: tuple[str, ...]  # empty: the standard layout
    takes_normals: bool
    max_batch: int  # expressions in one run; 0 is any number
    expressions: tuple[str, ...]  # names that it can be asked for
    sha256: str
