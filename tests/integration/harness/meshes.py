# SPDX-License-Identifier: Apache-2.0
"""Meshes whose neighbourhoods are known by construction, and requests made of them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from harness.stubs import pb


@dataclasses.dataclass(frozen=True)
class Mesh:
    vertices: np.ndarray  # [N,3] float32, metres
    triangles: np.ndarray  # [T,3] uint32; T may be 0
    # [N]: vertices at one place that a seam has split have one number. None: each stands alone.
    points: np.ndarray | None = None

    @property
    def count(self) -> int:
        return len(self.vertices)


def _quads(rows: int, columns: int) -> np.ndarray:
    """[T,3]: two triangles for each cell of a grid of rows x columns vertices."""
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
    a = (row * columns + column).ravel()
    b, c, d = a + 1, a + columns, a + columns + 1
    return np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)]).astype(np.uint32)


def grid(rows: int = 9, columns: int = 11, seed: int = 1) -> Mesh:
    """A bumpy sheet about as large as a face, with a boundary all around."""
    random = np.random.default_rng(seed)
    x, z = np.meshgrid(
        np.linspace(-0.08, 0.08, columns), np.linspace(-0.1, 0.1, rows), indexing="xy"
    )
    y = 3.0 * x * x + 2.0 * z * z + random.normal(0, 0.002, x.shape)
    return Mesh(np.stack([x, y, z], -1).reshape(-1, 3).astype(np.float32), _quads(rows, columns))


def tube_with_seam(rows: int = 7, around: int = 14) -> Mesh:
    """A tube whose first and last column lie at the same places, as a texture seam leaves them."""
    angle = np.linspace(0, 2 * np.pi, around + 1)
    height = np.linspace(-0.1, 0.1, rows)
    x = np.broadcast_to(0.07 * np.cos(angle), (rows, around + 1)).copy()
    y = np.broadcast_to(0.09 * np.sin(angle), (rows, around + 1)).copy()
    x[:, -1], y[:, -1] = x[:, 0], y[:, 0]
    z = np.broadcast_to(height[:, None], x.shape)
    points = np.arange(rows * (around + 1)).reshape(rows, around + 1)
    points[:, -1] = points[:, 0]
    vertices = np.stack([x, y, z], -1).reshape(-1, 3).astype(np.float32)
    return Mesh(vertices, _quads(rows, around + 1), points.ravel())


def with_loose_vertices(mesh: Mesh) -> Mesh:
    """Two more vertices that no triangle uses."""
    loose = np.array([[0.5, 0.5, 0.5], [0.6, 0.5, 0.4]], np.float32)
    return Mesh(np.concatenate([mesh.vertices, loose]), mesh.triangles)


def box(middle: np.ndarray, edge: float) -> Mesh:
    """A closed box of eight vertices."""
    corners = np.array(list(np.ndindex(2, 2, 2)), np.float32) - 0.5
    sides = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = [side for a, b, c, d in sides for side in ((a, b, c), (a, c, d))]
    return Mesh((middle + edge * corners).astype(np.float32), np.array(triangles, np.uint32))


def joined(first: Mesh, second: Mesh) -> Mesh:
    """Both in one, the second's vertices behind the first's."""
    triangles = np.concatenate([first.triangles, second.triangles + np.uint32(first.count)])
    return Mesh(np.concatenate([first.vertices, second.vertices]), triangles)


def one_vertex() -> Mesh:
    return Mesh(np.array([[0.01, -0.02, 0.03]], np.float32), np.zeros((0, 3), np.uint32))


def points_only(count: int, seed: int = 2) -> Mesh:
    """No triangles."""
    vertices = np.random.default_rng(seed).uniform(-0.1, 0.1, (count, 3)).astype(np.float32)
    return Mesh(vertices, np.zeros((0, 3), np.uint32))


def condition(name: str = "aa", intensity: float = 1.0, kind: int | None = None, **more: Any) -> Any:
    """An ExpressionCondition; a viseme unless `kind` says otherwise."""
    kind = pb.ExpressionCondition.VISEME if kind is None else kind
    return pb.ExpressionCondition(type=kind, name=name, intensity=intensity, **more)


def request(
    mesh: Mesh | None, expression: Any = None, model: str = "", **options: Any
) -> Any:
    """A VertexOffsetRequest; without a mesh for an item of a batch that has a shared one."""
    made = pb.VertexOffsetRequest(
        condition=condition() if expression is None else expression,
        options=pb.PredictionOptions(**options),
        model_name=model,
    )
    if mesh is not None:
        made.vertices.extend(mesh.vertices.ravel())
        made.vertex_count = mesh.count
        if len(mesh.triangles):
            made.topology.triangles.extend(mesh.triangles.ravel())
    return made


def batch(items: list[Any], mesh: Mesh | None = None, max_parallel: int = 0) -> Any:
    """A BatchPredictionRequest, with `mesh` as its shared one."""
    made = pb.BatchPredictionRequest(requests=items, max_parallel_requests=max_parallel)
    if mesh is not None:
        made.vertices.extend(mesh.vertices.ravel())
        made.vertex_count = mesh.count
        made.topology.triangles.extend(mesh.triangles.ravel())
    return made


def offsets_of(response: Any) -> np.ndarray:
    """[N,3] float32."""
    return np.array(response.offsets, np.float32).reshape(-1, 3)
