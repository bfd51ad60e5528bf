# SPDX-License-Identifier: Apache-2.0
"""Where two surfaces touch and part: lips, lids, teeth behind lips, eyeballs behind lids."""

from __future__ import annotations

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph
from scipy.spatial import cKDTree


def tear(points: np.ndarray, offsets: np.ndarray, radius: float) -> np.ndarray:
    """(N,) in 0..1: how sharply the motion changes between a point and points within `radius`.

    For each pair the difference of their offsets, divided by their distance plus half the radius;
    the largest over a point's pairs, as a part of what the fastest point could reach.
    """
    fastest = float(np.linalg.norm(offsets, axis=1).max(initial=0.0))
    result = np.zeros(len(points))
    pairs = cKDTree(points).query_pairs(radius, output_type="ndarray")
    if fastest <= 0 or not len(pairs):
        return result
    apart = np.linalg.norm(offsets[pairs[:, 0]] - offsets[pairs[:, 1]], axis=1)
    distance = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    value = apart / (distance + 0.5 * radius) * (0.5 * radius) / fastest
    for column in range(2):
        np.maximum.at(result, pairs[:, column], value)
    return result.clip(0, 1)


def contact_weight(points: np.ndarray, motions: list[np.ndarray], span: float) -> np.ndarray:
    """(N,) in 0..1: largest tear over expressions (N,3), at rest and at the end of the motion.

    At the end of a blink the upper lid's rim lies on the lower one, which did not move: that is how
    lids are found although they are apart at rest. `span` is the distance between the eyes.
    """
    radius = 0.06 * span
    weight = np.zeros(len(points))
    for motion in motions:
        for pose in (points, points + motion):
            weight = np.maximum(weight, tear(pose, motion, radius))
    return np.clip(weight / 0.6, 0, 1)


def connected_parts(triangles: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(N,) number of the connected surface that each vertex lies on; `groups` as geometry.weld."""
    t = groups[triangles]
    count = int(groups.max()) + 1
    rows, columns = t.ravel(), np.roll(t, -1, 1).ravel()
    graph = scipy.sparse.coo_matrix((np.ones(len(rows)), (rows, columns)), (count, count))
    return scipy.sparse.csgraph.connected_components(graph, False)[1][groups]


def lid_columns(
    vertices: np.ndarray, blink: np.ndarray, parts: np.ndarray, columns: int = 9
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of vertex sets (upper rim, lower rim), from nose to temple, of both eyes.

    vertices, blink (N,3); parts (N,) from connected_parts. In each column of one eye the upper rim
    is the lowest of what the blink moves most; the lower rim is what stays, on the same surface,
    and is nearest to where the upper one arrives.
    """
    found = []
    down = -blink[:, 2]
    for sign in (1.0, -1.0):
        side = vertices[:, 0] * sign > 0
        if not side.any() or down[side].max() <= 0:
            continue
        fastest = np.percentile(down[side & (down > 0.2 * down[side].max())], 95)
        lid = side & (down > 0.25 * fastest)
        biggest = np.bincount(parts[lid]).argmax()
        lid &= parts == biggest
        x = vertices[lid, 0]
        low, width = x.min(), np.ptp(x)
        edges = np.linspace(low + 0.12 * width, low + 0.88 * width, columns + 1)
        for left, right in zip(edges[:-1], edges[1:]):
            inside = lid & (vertices[:, 0] >= left) & (vertices[:, 0] <= right)
            if not inside.any() or down[inside].max() < 0.3 * fastest:
                continue
            top = down[inside].max()
            strong = np.nonzero(inside & (down > 0.75 * top))[0]
            front = vertices[strong, 1] < vertices[strong, 1].min() + 0.3 * top
            strong = strong[front]
            upper = strong[vertices[strong, 2] < vertices[strong, 2].min() + 0.12 * top]
            goal = (vertices + blink)[upper].mean(0)
            near = (np.abs(vertices[:, 0] - goal[0]) < 0.1 * width) & (parts == biggest)
            still = np.nonzero(near & (down < 0.2 * top) & (vertices[:, 2] < goal[2] + 0.6 * top))[
                0
            ]
            still = still[np.abs(vertices[still, 1] - goal[1]) < 0.5 * width]
            if not len(still):
                continue
            away = np.linalg.norm((vertices[still] - goal) * [1.0, 1.5, 1.0], axis=1)
            lower = still[away < away.min() + 0.1 * top]
            found.append((upper, lower))
    return found


def lid_gaps(
    vertices: np.ndarray, offsets: np.ndarray, pairs: list[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """(C,) height of the eye's opening after `offsets`, as a part of its height at rest."""
    z, moved = vertices[:, 2], (vertices + offsets)[:, 2]
    return np.array(
        [
            (moved[upper].mean() - moved[lower].mean())
            / max(z[upper].mean() - z[lower].mean(), 1e-9)
            for upper, lower in pairs
        ]
    )
