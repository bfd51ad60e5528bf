# SPDX-License-Identifier: Apache-2.0
"""Plain geometry: axes, normals, welding, splines, Jacobians. numpy and scipy only.

Everything in this package uses Blendwire's axes: right-handed, Z up, the face looks along -Y and
the avatar's own left is +X.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Map = Callable[[np.ndarray], np.ndarray]


def from_y_up(points: np.ndarray) -> np.ndarray:
    """(..., 3) with Y up and the face along +Z, to Blendwire's axes."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], -1)


def weld(vertices: np.ndarray, tolerance: float = 2e-5) -> np.ndarray:
    """(N,) group of each vertex: vertices of one position (within a part of the size) share one."""
    size = float(np.ptp(vertices, axis=0).max()) if len(vertices) else 1.0
    keys = np.round((vertices - vertices.min(0)) / max(tolerance * size, 1e-12)).astype(np.int64)
    return np.unique(keys, axis=0, return_inverse=True)[1].ravel()


def vertex_normals(
    vertices: np.ndarray, triangles: np.ndarray, groups: np.ndarray | None = None
) -> np.ndarray:
    """(N, 3) unit normals, area-weighted; with `groups` (see weld) equal over a group, so that a
    texture seam does not show. Vertices without a triangle get zero."""
    corners = vertices[triangles]
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    owner = triangles if groups is None else groups[triangles]
    count = len(vertices) if groups is None else int(groups.max(initial=-1)) + 1
    total = np.zeros((count, 3))
    for corner in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(owner[:, corner], face[:, axis], count)
    total /= np.linalg.norm(total, axis=1, keepdims=True) + 1e-20
    return (total if groups is None else total[groups]).astype(np.float32)


class Spline:
    """A three-dimensional thin-plate spline (kernel r) that takes `source` points to `target`."""

    def __init__(self, source: np.ndarray, target: np.ndarray, smoothing: float = 1e-3) -> None:
        self.center = source.mean(0)
        self.scale = float(np.sqrt(((source - self.center) ** 2).mean()))
        self.source = (source - self.center) / self.scale
        count = len(source)
        distance = np.linalg.norm(self.source[:, None] - self.source[None], axis=2)
        affine = np.c_[np.ones(count), self.source]
        system = np.zeros((count + 4, count + 4))
        system[:count, :count] = -distance + smoothing * np.eye(count)
        system[:count, count:] = affine
        system[count:, :count] = affine.T
        right = np.r_[target, np.zeros((4, 3))]
        self.weights = np.linalg.lstsq(system, right, rcond=1e-8)[0]

    def __call__(self, points: np.ndarray) -> np.ndarray:
        q = (points - self.center) / self.scale
        squared = (q**2).sum(1)[:, None] + (self.source**2).sum(1)[None] - 2 * q @ self.source.T
        distance = np.sqrt(np.maximum(squared, 0))
        return -distance @ self.weights[:-4] + np.c_[np.ones(len(q)), q] @ self.weights[-4:]


def jacobian(function: Map, points: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """(function(points) (N,3), its Jacobian (N,3,3) by forward differences)."""
    value = function(points)
    columns = [(function(points + step * np.eye(3)[k]) - value) / step for k in range(3)]
    return value, np.stack(columns, 2)


def transform_normals(jacobians: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Unit normals (N,3) after a map with these Jacobians (N,3,3): by the cofactor matrix."""
    a, b, c = jacobians[..., 0], jacobians[..., 1], jacobians[..., 2]
    cofactor = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], 2)
    out = (cofactor @ normals[..., None])[..., 0]
    return out / (np.linalg.norm(out, axis=1, keepdims=True) + 1e-12)


def local_affine(
    vertices: np.ndarray, centers: np.ndarray, neighbors: np.ndarray, sigma: float
) -> Map:
    """Prepares a least-squares fit of the affine map around some vertices.

    vertices (N,3), centers (C,) and neighbors (C,k) indices. The result takes moved vertices (N,3)
    to (C,3,3): the linear part of the map that best takes each centre's neighbourhood (Gaussian
    weights of `sigma`) to its new place.
    """
    offset = vertices[neighbors] - vertices[centers][:, None]
    weight = np.exp(-0.5 * (offset**2).sum(2) / sigma**2)
    mean = (weight[..., None] * offset).sum(1) / weight.sum(1)[:, None]
    centered = offset - mean[:, None]
    weighted = weight[..., None] * centered
    moment = np.einsum("nka,nkb->nab", weighted, centered)
    moment += np.eye(3) * np.trace(moment, axis1=1, axis2=2)[:, None, None] * 0.06
    solver = weighted @ np.linalg.inv(moment)  # C,k,3

    def fit(moved: np.ndarray) -> np.ndarray:
        displacement = moved - vertices
        difference = displacement[neighbors] - displacement[centers][:, None]
        return np.eye(3) + np.einsum("nka,nkb->nab", difference, solver)

    return fit


def apply_matrices(matrices: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """matrices (N,3,3) times offsets (3,N,K) -> (3,N,K); plain multiplies beat a batched matmul."""
    return np.stack(
        [
            sum(matrices[:, row, column, None] * offsets[column] for column in range(3))
            for row in range(3)
        ]
    )
