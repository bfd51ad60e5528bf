# SPDX-License-Identifier: Apache-2.0
"""The demo head with exactly as many vertices as asked for: thinned out on a lattice where it has
too many, then its longest edges are halved until it has enough."""

from __future__ import annotations

import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _demo_head() -> tuple[np.ndarray, np.ndarray]:
    """The head's skin: vertices [N,3] in Blender's axes, triangles [T,3]."""
    sys.path.insert(0, str(ROOT / "tools"))
    import glb

    scene = glb.read(ROOT / "assets/demo_head.glb")
    skin = max(scene.primitives, key=lambda part: len(part.positions))
    x, y, z = skin.positions.T
    return np.stack([x, -z, y], 1).astype(np.float64), np.asarray(skin.triangles, np.int64)


def _used_only(vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    used, index = np.unique(triangles, return_inverse=True)
    return vertices[used], index.reshape(-1, 3)


def _thin_out(
    vertices: np.ndarray, triangles: np.ndarray, at_most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices of one cell become their mean; the finest lattice that leaves few enough."""
    low, high = 1e-4, 0.1  # edge of a cell, metres
    for _ in range(30):
        size = (low * high) ** 0.5
        _, cell = np.unique(np.floor(vertices / size).astype(int), axis=0, return_inverse=True)
        low, high = (size, high) if cell.max() + 1 > at_most else (low, size)
    _, cell = np.unique(np.floor(vertices / high).astype(int), axis=0, return_inverse=True)
    cell = cell.ravel()
    count = np.bincount(cell)[:, None]
    means = np.stack([np.bincount(cell, axis) for axis in vertices.T], 1) / count
    kept = cell[triangles]
    corners = np.sort(kept, axis=1)
    flat = (corners[:, 0] == corners[:, 1]) | (corners[:, 1] == corners[:, 2])
    return _used_only(means, kept[~flat])


def _split(
    vertices: np.ndarray, triangles: np.ndarray, wanted: int
) -> tuple[np.ndarray, np.ndarray]:
    """Halves the longest edges, in rounds in which no triangle loses more than one."""
    while len(vertices) < wanted:
        edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]], axis=2)  # [T,3,2]
        unique, index = np.unique(edges.reshape(-1, 2), axis=0, return_inverse=True)
        index = index.reshape(-1, 3)
        length = np.linalg.norm(vertices[unique[:, 0]] - vertices[unique[:, 1]], axis=1)
        rank = np.empty(len(unique), int)
        rank[np.argsort(-length, kind="stable")] = np.arange(len(unique))
        # An edge is halved if it is the longest of every triangle that it belongs to.
        best = rank[index].min(axis=1)
        blocked = np.zeros(len(unique), bool)
        np.logical_or.at(blocked, index, rank[index] != best[:, None])
        chosen = np.flatnonzero(~blocked)
        chosen = chosen[np.argsort(rank[chosen])][: wanted - len(vertices)]
        middle = np.full(len(unique), -1)
        middle[chosen] = len(vertices) + np.arange(len(chosen))
        vertices = np.concatenate([vertices, vertices[unique[chosen]].mean(axis=1)])
        hit = (middle[index] >= 0).any(axis=1)
        side = np.argmax(middle[index[hit]] >= 0, axis=1)
        rows = np.arange(len(side))
        a = triangles[hit][rows, side]
        b = triangles[hit][rows, (side + 1) % 3]
        c = triangles[hit][rows, (side + 2) % 3]
        m = middle[index[hit][rows, side]]
        triangles = np.concatenate(
            [triangles[~hit], np.stack([a, m, c], 1), np.stack([m, b, c], 1)]
        )
    return vertices, triangles


def make(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices [count,3] float32 in metres, triangles [T,3] uint32."""
    vertices, triangles = _used_only(*_demo_head())
    if len(vertices) > count:
        vertices, triangles = _thin_out(vertices, triangles, count)
    vertices, triangles = _split(vertices, triangles, count)
    return vertices.astype(np.float32), triangles.astype(np.uint32)


def write(path: pathlib.Path, count: int) -> None:
    """The format of bench/mesh_file.h."""
    vertices, triangles = make(count)
    header = np.array([len(vertices), len(triangles)], "<u4")
    path.write_bytes(
        header.tobytes() + vertices.astype("<f4").tobytes() + triangles.astype("<u4").tobytes()
    )
