# SPDX-License-Identifier: Apache-2.0
"""A small face made of formulas, so that the tests need no data set."""

from __future__ import annotations

import numpy as np

from training import landmarks, margins, prepare, rigs, slots

EYE = np.array([0.032, -0.085, 0.035])  # the left one; metres
MOUTH = np.array([0.0, -0.098, -0.035])
LID_TRAVEL = 0.010
JAW_TRAVEL = 0.020


def head(rows: int = 61, columns: int = 61) -> tuple[np.ndarray, np.ndarray]:
    """(vertices, triangles) of the front of an ellipsoid head with a nose."""
    u, v = np.meshgrid(np.linspace(-1.45, 1.45, columns), np.linspace(-1.3, 1.3, rows))
    x, z = 0.08 * np.sin(u) * np.cos(v), 0.11 * np.sin(v)
    y = -0.1 * np.cos(u) * np.cos(v)
    y = y - 0.025 * np.exp(-((x / 0.012) ** 2) - ((z + 0.002) / 0.014) ** 2)
    vertices = np.stack([x.ravel(), y.ravel(), z.ravel()], 1)
    n = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (q.ravel() for q in (n[:-1, :-1], n[:-1, 1:], n[1:, 1:], n[1:, :-1]))
    return vertices, np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def expressions(vertices: np.ndarray) -> dict[str, np.ndarray]:
    """A blink per eye, an open mouth that tears along z = MOUTH, and raised brows."""
    x, z = vertices[:, 0], vertices[:, 2]
    named = {}
    for side, sign in landmarks.SIDES:
        lid = (np.abs(x * sign - EYE[0]) < 0.014) & (z > EYE[2]) & (z < EYE[2] + 0.012)
        offset = np.zeros_like(vertices)
        offset[lid, 2] = -LID_TRAVEL * (1 - (z[lid] - EYE[2]) / 0.02)
        named["eyeBlink" + side.title()] = offset
        brow = np.exp(-(((x * sign - EYE[0]) / 0.02) ** 2) - ((z - EYE[2] - 0.025) / 0.008) ** 2)
        named["browOuterUp" + side.title()] = np.outer(brow * (x * sign > 0), [0, 0, 0.006])
    below = (np.abs(x) < 0.025) & (z < MOUTH[2]) & (z > MOUTH[2] - 0.05)
    fall = np.where(below, -JAW_TRAVEL * (1 - (MOUTH[2] - z) / 0.05), 0)
    named["viseme_aa"] = np.outer(fall, [0, 0, 1.0])
    named["jawOpen"] = 1.5 * named["viseme_aa"]
    return named


def rig(name: str = "synthetic", style: str = "human", shift: float = 0.0) -> rigs.Rig:
    vertices, triangles = head()
    named = expressions(vertices)
    offsets = np.zeros((3, len(vertices), slots.COUNT), np.float32)
    weight = np.zeros(slots.COUNT, np.float32)
    for key, value in named.items():
        offsets[:, :, slots.INDEX[key]] = value.T
        weight[slots.INDEX[key]] = 1
    found = landmarks.find(vertices, named)
    marks = np.array([found[key] for key in landmarks.NAMES], np.float32)
    identities = np.stack([vertices, vertices * 1.1 + shift]).astype(np.float32)
    return rigs.Rig(
        name=name,
        artist=name,
        style=style,
        identities=identities,
        normals=prepare.all_normals(identities, triangles),
        triangles=triangles,
        offsets=offsets,
        slot_weight=weight,
        part=np.zeros(len(vertices), int),
        part_names=["skin"],
        canonical=(vertices / 0.05).astype(np.float32),
        contact=prepare.contact_of(vertices, named, landmarks.eye_distance(found)),
        margins=margins.labels(vertices, triangles, named),
        activity=prepare.activity_of(offsets),
        marks=np.stack([marks, marks * 1.1 + shift]),
        mark_weight=np.ones(len(marks), np.float32),
    )
