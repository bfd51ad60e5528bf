# SPDX-License-Identifier: Apache-2.0
"""Labels for the model's margin outputs: the rims of the lids and the edges of the lips.

They are found from the rig's own blink and open mouth alone. A lid's rim is what comes down over
the eye lowest, column by column; the rim that it meets is what stays still where it arrives. The
lips are neighbours that an open mouth moves apart.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.spatial import cKDTree

from . import contact, geometry, landmarks

NAMES = ("upper_lid", "lower_lid", "upper_lip", "lower_lip")
COUNT = len(NAMES)
_COLUMNS = 9
_SOFTNESS = 0.03  # of the distance between the eyes
_LIP_SOFTNESS = 0.025


def _eye_rims(
    vertices: np.ndarray, blink: np.ndarray, parts: np.ndarray, side: np.ndarray, span: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """(vertex numbers of the upper rim, of the lower rim, how far the lid comes down) of one eye.

    vertices, blink (N,3); parts (N,) connected surfaces; side (N,) bool: vertices of this eye.
    """
    down = -blink[:, 2] * side
    none = np.zeros(0, int)
    fast = down[down > 0.2 * down.max()]
    if down.max() <= 0 or len(fast) < 2:
        return none, none, 0.0
    fastest = float(np.percentile(fast, 95))
    lid = down > 0.25 * fastest
    around = np.isin(parts, np.unique(parts[lid])) & side
    closed = vertices + blink
    x = vertices[:, 0]
    low, high = x[lid].min(), x[lid].max()
    width = high - low
    edges = np.linspace(low + 0.08 * width, high - 0.08 * width, _COLUMNS + 1)
    upper, lower = [none], [none]
    for left, right in zip(edges[:-1], edges[1:]):
        column = lid & (x >= left) & (x <= right)
        reach = down[column].max(initial=0.0)
        if reach < 0.3 * fastest:
            continue
        moving = np.nonzero(column & (down > 0.75 * reach))[0]
        height = vertices[moving, 2]
        rim = moving[height < height.min() + 0.12 * reach + 0.01 * span]
        goal = closed[rim].mean(0)
        still = (
            around & (closed[:, 0] > left - 0.15 * width) & (closed[:, 0] < right + 0.15 * width)
        )
        still &= (down < 0.3 * reach) & (np.abs(closed[:, 2] - goal[2]) < 0.35 * reach)
        still &= np.abs(vertices[:, 1] - goal[1]) < 0.9 * span
        still &= vertices[:, 2] < vertices[rim, 2].mean() - 0.4 * reach
        meeting = np.nonzero(still)[0]
        away = np.linalg.norm((closed[meeting] - goal) * [0.6, 0.7, 1.5], axis=1)
        upper.append(rim)
        lower.append(meeting[np.argsort(away)[:2]])
    return np.concatenate(upper), np.concatenate(lower), fastest


def lips(
    vertices: np.ndarray, opened: np.ndarray, marks: landmarks.Landmarks
) -> tuple[np.ndarray, np.ndarray]:
    """Vertex numbers of the upper and of the lower lip's edge; `opened` (N,3) opens the mouth."""
    span = landmarks.eye_distance(marks)
    size = np.linalg.norm(opened, axis=1)
    top = np.percentile(size[size > 1e-6], 97)
    width = max(float(np.linalg.norm(marks["mouth_left"] - marks["mouth_right"])), 0.1 * span)
    away = np.abs(vertices - marks["mouth"])
    index = np.nonzero((away[:, 0] < 0.62 * width) & (away[:, 2] < 0.3 * max(span, width)))[0]
    index = index[landmarks.seen_from_front(vertices[index], 0.08 * span, 0.05 * span)]
    points, rise = vertices[index], opened[index, 2]
    pairs = cKDTree(points).query_pairs(0.10 * span, output_type="ndarray")
    apart = rise[pairs[:, 0]] - rise[pairs[:, 1]]
    distance = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    tear = np.abs(apart) / (distance + 0.03 * span) * span / top
    torn = tear > 0.35 * np.percentile(tear, 99.5)
    up = np.where(apart > 0, pairs[:, 0], pairs[:, 1])[torn]
    down = np.where(apart > 0, pairs[:, 1], pairs[:, 0])[torn]
    votes_up = np.bincount(up, minlength=len(index))
    votes_down = np.bincount(down, minlength=len(index))
    found = votes_up + votes_down > 0
    return index[found & (votes_up >= votes_down)], index[found & (votes_up < votes_down)]


def _softened(
    vertices: np.ndarray, index: np.ndarray, sigma: float, allowed: np.ndarray
) -> np.ndarray:
    """(N,) 1 on the vertices `index`, fading with distance over those `allowed`."""
    if not len(index):
        return np.zeros(len(vertices))
    distance = cKDTree(vertices[index]).query(vertices)[0]
    value = np.exp(-((distance / sigma) ** 2)) * allowed
    value[index] = 1
    return value


def labels(
    vertices: np.ndarray, triangles: np.ndarray, offsets: Mapping[str, np.ndarray]
) -> np.ndarray:
    """(N,4) float32 in 0..1, in the order of NAMES. vertices (N,3), offsets: name -> (N,3)."""
    vertices = vertices.astype(np.float64)
    marks = landmarks.find(vertices, offsets)
    span = landmarks.eye_distance(marks)
    blink, opened = landmarks.blink_of(offsets), landmarks.open_mouth_of(offsets)
    parts = contact.connected_parts(triangles, geometry.weld(vertices))
    result = np.zeros((len(vertices), COUNT))
    down = -blink[:, 2]
    for _, sign in landmarks.SIDES:
        side = vertices[:, 0] * sign > 0
        upper, lower, reach = _eye_rims(vertices, blink, parts, side, span)
        sigma = _SOFTNESS * span
        moving, still = side & (down > 0.5 * reach), side & (down < 0.2 * reach)
        result[:, 0] = np.maximum(result[:, 0], _softened(vertices, upper, sigma, moving))
        result[:, 1] = np.maximum(result[:, 1], _softened(vertices, lower, sigma, still))
    result[:, 1] *= 1 - result[:, 0]
    upper, lower = lips(vertices, opened, marks)
    if len(upper) and len(lower):
        middle = 0.5 * (opened[upper, 2].mean() + opened[lower, 2].mean())
        above = opened[:, 2] > middle
        sigma = _LIP_SOFTNESS * span
        result[:, 2] = _softened(vertices, upper, sigma, above)
        result[:, 3] = _softened(vertices, lower, sigma, ~above)
    return result.astype(np.float32)
