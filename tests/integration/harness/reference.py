# SPDX-License-Identifier: Apache-2.0
"""The same maths as the server's, written a second time, slowly and in double precision."""

from __future__ import annotations

import dataclasses
import json

import numpy as np

from harness.meshes import Mesh
from harness.stubs import REPOSITORY

EXTREME = 0.08  # metres
STANDARD_SIZE = 64
FLAG_OF = {"viseme": 0, "emotion": 1, "unit": 3}


def _table() -> dict:
    return json.loads((REPOSITORY / "src/expression/expressions.json").read_text())


def unit_names() -> list[str]:
    """The 52 ARKit units in order."""
    return [unit["name"] for unit in _table()["units"]]


def expression_names(kind: str) -> list[str]:
    """kind: "viseme", "emotion" or "unit"."""
    return [entry["name"] for entry in _table()[kind + "s"]]


def unit_weights(kind: str, name: str) -> dict[str, float]:
    """An expression as weights of units; "jawOpen" in a recipe is one unit, "eyeBlink" both sides."""
    units = unit_names()
    if kind == "unit":
        return {name: 1.0}
    recipe = next(entry for entry in _table()[kind + "s"] if entry["name"] == name)["recipe"]
    weights = {}
    for part, weight in recipe.items():
        for unit in [part] if part in units else [part + "Left", part + "Right"]:
            assert unit in units, unit
            weights[unit] = weight
    return weights


def standard_condition(kind: str, name: str, intensity: float) -> np.ndarray:
    """[64] float32: flags, intensity, units, free."""
    vector = np.zeros(STANDARD_SIZE, np.float32)
    vector[FLAG_OF[kind]] = 1.0
    vector[2] = intensity
    units = unit_names()
    for unit, weight in unit_weights(kind, name).items():
        vector[4 + units.index(unit)] = weight * intensity
    return vector


def normals(mesh: Mesh) -> np.ndarray:
    """[N,3] float32 unit normals, weighted by area; zeros without triangles. Seams share one."""
    points = np.arange(mesh.count) if mesh.points is None else mesh.points
    sums = np.zeros((mesh.count, 3))
    v = mesh.vertices.astype(np.float64)
    for a, b, c in mesh.triangles.astype(int):
        cross = np.cross(v[b] - v[a], v[c] - v[a])
        for corner in (a, b, c):
            sums[points[corner]] += cross
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    unit = np.divide(sums, length, out=np.zeros_like(sums), where=length > 0)
    return unit[points].astype(np.float32)


def mirror_partners(mesh: Mesh) -> np.ndarray:
    """[N]: the vertex at each one's mirror image about the middle of the mesh's box, with a normal that
    is not turned away from the mirrored one; -1 where there is none or it is not mutual. For meshes
    that are symmetric as a whole."""
    v, facing = mesh.vertices.astype(np.float64), normals(mesh).astype(np.float64)
    low, high = v.min(0), v.max(0)
    reach = 2e-4 * np.linalg.norm(high - low)
    flip = np.array([-1.0, 1.0, 1.0])
    partners = np.full(mesh.count, -1)
    for i in range(mesh.count):
        image = v[i] * flip + np.array([low[0] + high[0], 0.0, 0.0])
        distance = np.linalg.norm(v - image, axis=1)
        dot = facing @ (facing[i] * flip)
        unlike = np.where((distance <= reach) & (dot >= 0), (distance / reach) ** 2 + 1 - dot, np.inf)
        if np.isfinite(unlike.min()):
            partners[i] = int(unlike.argmin())
    back = v[partners[partners]]  # a seam's copies are one place
    mutual = (partners >= 0) & (np.linalg.norm(back - v, axis=1) <= reach)
    return np.where(mutual, partners, -1)


def mirrored_condition(slots: list[str], vector: np.ndarray) -> np.ndarray:
    """[K]: left and right exchanged, by the slots' names."""
    other = {"Left": "Right", "Right": "Left"}
    mirrored = np.zeros_like(vector)
    for name, weight in zip(slots, vector, strict=True):
        side = next((side for side in other if name.endswith(side)), "")
        mirrored[slots.index(name.removesuffix(side) + other.get(side, ""))] = weight
    return mirrored


def average_with_mirror(
    partners: np.ndarray, offsets: np.ndarray, mirrored: np.ndarray
) -> np.ndarray:
    """[N,3]: the mean of each offset and the mirror image of its partner's in `mirrored`, the offsets
    of the mirrored condition."""
    assert (partners >= 0).all()
    return 0.5 * (offsets + mirrored[partners] * np.array([-1.0, 1.0, 1.0]))


def neighbours_by_edges(mesh: Mesh) -> dict[int, set[int]]:
    """For each point the points that share an edge with it."""
    points = np.arange(mesh.count) if mesh.points is None else mesh.points
    result: dict[int, set[int]] = {int(p): set() for p in points}
    for triangle in mesh.triangles.astype(int):
        corners = {int(points[corner]) for corner in triangle}
        for corner in corners:
            result[corner] |= corners - {corner}
    return result


def neighbours_by_distance(mesh: Mesh, k: int = 8) -> dict[int, set[int]]:
    """Two points are neighbours if either is among the other's k nearest."""
    v = mesh.vertices.astype(np.float64)
    result: dict[int, set[int]] = {i: set() for i in range(mesh.count)}
    for i in range(mesh.count):
        distance = np.linalg.norm(v - v[i], axis=1)
        distance[i] = np.inf
        for j in np.argsort(distance)[: min(k, mesh.count - 1)]:
            result[i].add(int(j))
            result[int(j)].add(i)
    return result


def stretches(mesh: Mesh, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(edges [E,2] of the triangles, [E] how many times as long as at rest the offsets make them)."""
    sides = np.concatenate([mesh.triangles[:, pair] for pair in ((0, 1), (1, 2), (2, 0))])
    edges = np.unique(np.sort(sides, 1), axis=0).astype(int)

    def lengths(points: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)

    rest = mesh.vertices.astype(float)
    # Both sides of a seam have such edges; none has a length of 0.
    return edges, lengths(rest + offsets) / lengths(rest)


def bending(vertices: np.ndarray, offsets: np.ndarray) -> float:
    """The largest change of the distance of two vertices, to the first order, in metres."""
    apart = vertices[:, None].astype(float) - vertices[None].astype(float)
    moved = offsets[:, None].astype(float) - offsets[None].astype(float)
    distance = np.linalg.norm(apart, axis=2)
    return float(np.abs((apart * moved).sum(2) / np.maximum(distance, 1e-9)).max())


def _point_means(mesh: Mesh, offsets: np.ndarray) -> dict[int, np.ndarray]:
    points = np.arange(mesh.count) if mesh.points is None else mesh.points
    return {int(p): offsets[points == p].mean(axis=0) for p in np.unique(points)}


def smooth(
    mesh: Mesh, neighbours: dict[int, set[int]], offsets: np.ndarray, iterations: int
) -> np.ndarray:
    """[N,3]: half-way to the neighbours' mean, `iterations` times."""
    if iterations <= 0:
        return offsets.astype(np.float64)
    field = _point_means(mesh, offsets.astype(np.float64))
    for _ in range(iterations):
        field = {
            p: 0.5 * d + 0.5 * np.mean([field[q] for q in neighbours[p]], axis=0)
            if neighbours[p]
            else d
            for p, d in field.items()
        }
    points = np.arange(mesh.count) if mesh.points is None else mesh.points
    return np.array([field[int(p)] for p in points])


def clamp(offsets: np.ndarray, longest: float) -> np.ndarray:
    """[N,3]: no longer than `longest`, directions kept."""
    length = np.linalg.norm(offsets, axis=1, keepdims=True)
    return offsets * np.minimum(1.0, longest / np.maximum(length, 1e-30))


@dataclasses.dataclass(frozen=True)
class Quality:
    mean: float
    largest: float
    extreme: int
    smoothness: float


def quality(mesh: Mesh, neighbours: dict[int, set[int]], offsets: np.ndarray) -> Quality:
    """max(0, 1 - sum |d - mean of neighbours|^2 / sum |d|^2) over those that have neighbours."""
    offsets = offsets.astype(np.float64)
    field = _point_means(mesh, offsets)
    points = np.arange(mesh.count) if mesh.points is None else mesh.points
    rough = energy = 0.0
    for p, d in zip(points, offsets):
        around = neighbours[int(p)]
        if around:
            rough += float(np.sum((d - np.mean([field[q] for q in around], axis=0)) ** 2))
            energy += float(np.sum(d**2))
    length = np.linalg.norm(offsets, axis=1)
    smoothness = max(0.0, 1.0 - rough / energy) if energy > 0 else 1.0
    return Quality(
        float(length.mean()), float(length.max()), int(np.sum(length > EXTREME)), smoothness
    )
