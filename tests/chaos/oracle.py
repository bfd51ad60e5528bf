# SPDX-License-Identifier: Apache-2.0
"""What the right answer is, computed without the server, ONNX Runtime or any code of src/: the test
model's weights, read from its file, and harness/reference.py, in numpy and double precision.
"""

from __future__ import annotations

import dataclasses
import functools
import pathlib

import numpy as np
import onnx
from harness import meshes, reference
from onnx import numpy_helper

TOLERANCE = 1e-5  # metres; that of tests/integration/test_numbers.py
EXPRESSIONS = [
    (kind, name) for kind in ("viseme", "emotion") for name in reference.expression_names(kind)
]


@dataclasses.dataclass(frozen=True)
class Options:
    """How a prediction is finished."""

    smoothing: int = 0  # iterations
    longest: float = 0.0  # metres; 0: no clamp


@functools.cache
def pool() -> list[meshes.Mesh]:
    """The meshes of all clients: a sheet, a tube with a seam, points without triangles, and larger."""
    return [
        meshes.grid(),
        meshes.tube_with_seam(),
        meshes.with_loose_vertices(meshes.grid(5, 6, seed=8)),
        meshes.points_only(40),
        meshes.grid(20, 25, seed=9),
    ]


class Oracle:
    """Answers for harness.onnx_models.everyday, and for slow, whose answers are the same."""

    def __init__(self, model: pathlib.Path) -> None:
        weights = {
            entry.name: numpy_helper.to_array(entry).astype(np.float64)
            for entry in onnx.load(str(model)).graph.initializer
        }
        self._hidden = [np.tanh(m.vertices.astype(np.float64) @ weights["A"]) for m in pool()]
        self._gains = weights["C"]
        self._directions = weights["D"] * weights["scale"]

    @functools.cache  # noqa: B019 - one oracle in each process
    def _smoother(self, mesh: int, iterations: int) -> np.ndarray:
        """[N,N]: reference.smooth() is linear, so applying it to unit vectors gives its matrix."""
        shape = pool()[mesh]
        near = (
            reference.neighbours_by_edges(shape)
            if len(shape.triangles)
            else reference.neighbours_by_distance(shape)
        )
        return reference.smooth(shape, near, np.eye(shape.count), iterations)

    @functools.cache  # noqa: B019
    def _condition(self, kind: str, name: str) -> np.ndarray:
        """[64] at full intensity."""
        return reference.standard_condition(kind, name, 1.0).astype(np.float64)

    def answer(
        self, mesh: int, kind: str, name: str, intensity: float, options: Options
    ) -> np.ndarray:
        """[N,3] offsets, metres, for mesh `mesh` of pool()."""
        condition = self._condition(kind, name).copy()
        condition[2:] *= np.float32(intensity)  # the two flags in front stay 1
        condition[3] = 0.0
        offsets = (self._hidden[mesh] * (condition @ self._gains)) @ self._directions
        if options.smoothing:
            offsets = self._smoother(mesh, options.smoothing) @ offsets
        return reference.clamp(offsets, options.longest) if options.longest else offsets

    @staticmethod
    def is_right(expected: np.ndarray, answer: np.ndarray) -> bool:
        """Within the tolerance, everywhere."""
        found = np.asarray(answer).reshape(-1, 3)
        return found.shape == expected.shape and bool(np.abs(found - expected).max() <= TOLERANCE)
