# SPDX-License-Identifier: GPL-3.0-or-later
"""The core is imported as `core`: neither Blender nor the client library is needed.

python -m pytest addon/tests/core
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))


def sphere(rows: int = 12, columns: int = 16, radius: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """A closed ball: positions [N,3] float32, triangles [T,3] int32, outward normals."""
    points = [(0.0, 0.0, radius)]
    for row in range(1, rows):
        polar = np.pi * row / rows
        for column in range(columns):
            turn = 2 * np.pi * column / columns
            points.append(
                (
                    radius * np.sin(polar) * np.cos(turn),
                    radius * np.sin(polar) * np.sin(turn),
                    radius * np.cos(polar),
                )
            )
    points.append((0.0, 0.0, -radius))
    last = len(points) - 1
    triangles = []
    for column in range(columns):
        following = (column + 1) % columns
        triangles.append((0, 1 + column, 1 + following))
        base = last - columns
        triangles.append((last, base + following, base + column))
        for row in range(rows - 2):
            a, b = 1 + row * columns + column, 1 + row * columns + following
            triangles += [(a, a + columns, b), (b, a + columns, b + columns)]
    return np.array(points, dtype=np.float32), np.array(triangles, dtype=np.int32)


def head() -> tuple[np.ndarray, np.ndarray]:
    """A ball of 0.2 m with two rows of vertices that nearly touch, as the lips of a mouth do."""
    co, triangles = sphere(24, 32)
    upper, lower = (slice(1 + row * 32, 1 + (row + 1) * 32) for row in (14, 15))
    co[lower] = co[upper] - np.array([0, 0, 0.0015], dtype=np.float32)
    return co, triangles


@pytest.fixture
def ball() -> tuple[np.ndarray, np.ndarray]:
    """A closed ball of 0.2 m."""
    return sphere()
