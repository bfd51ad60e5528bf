# SPDX-License-Identifier: GPL-3.0-or-later
"""From an object's local space to the model's space and back."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from .arrays import transformed

FACINGS = {"-Y": 0, "+X": -90, "+Y": 180, "-X": 90}
"""Where a face looks in Blender's world -> degrees about Z that turn it to -Y."""


@dataclasses.dataclass(frozen=True)
class Frame:
    """How Blender's world becomes the model's: a turn about Z and a scale.

    Attributes:
        unit_scale: Metres for a Blender unit (the scene's unit scale).
        facing: Where the face looks in the world, of FACINGS.
        size_factor: Makes heads that are not of human size (0.2 to 0.3 m high) fit.
    """

    unit_scale: float = 1.0
    facing: str = "-Y"
    size_factor: float = 1.0

    def matrix(self) -> Any:
        """[3,3] float64: model = matrix @ world."""
        angle = math.radians(FACINGS[self.facing])
        cosine, sine = round(math.cos(angle)), round(math.sin(angle))
        turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]], dtype=np.float64)
        return turn * (self.unit_scale * self.size_factor)


def to_model(co: Any, matrix_world: Any, frame: Frame) -> Any:
    """Positions [N,3] float32 of an object in the model's space."""
    world = np.asarray(matrix_world, dtype=np.float64)
    turn = frame.matrix()
    linear = turn @ world[:3, :3]
    offset = turn @ world[:3, 3]
    return transformed(np.asarray(co), linear, offset)


def is_flat(matrix_world: Any) -> bool:
    """Whether the transform has no inverse: one of its scales is (nearly) zero."""
    linear = np.asarray(matrix_world, dtype=np.float64)[:3, :3]
    lengths = np.linalg.norm(linear, axis=0)
    largest = float(lengths.max())
    if not np.isfinite(linear).all() or largest == 0.0:
        return True
    return abs(float(np.linalg.det(linear / largest))) < 1e-9


def offsets_to_local(matrix_world: Any, frame: Frame) -> Any:
    """[3,3] float32: local offset = matrix @ model offset. Offsets know no translation."""
    linear = frame.matrix() @ np.asarray(matrix_world, dtype=np.float64)[:3, :3]
    return np.linalg.inv(linear).astype(np.float32)
