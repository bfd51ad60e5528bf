# SPDX-License-Identifier: Apache-2.0
"""Labels averaged over artists: what several of them would do to one face.

Two artists agree at a cosine of about one half, and a stranger agrees more with the mean of several
than with any one of them. So every rig gets, beside its own expressions, the mean of the human
rigs' and the mean of the anime rigs', each carried onto it: a spline takes the landmarks of one
face to those of the other, a vertex takes the motion of the nearest points that face the same way
and move alike in a blink and an open mouth, turned and stretched by the spline's Jacobian.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

from . import contact, geometry, landmarks, rigs, slots

HUMAN, ANIME = 0, 1
_NEIGHBORS = 4
_NORMAL, _ALIKE = 0.06, 0.15  # what a unit of difference counts, in distances between the eyes
_NEAREST = 0.004  # softens inverse distances
_REACH = 0.25  # motion fades out this far from the nearest source point
_BORROWED = 0.6  # weight of an expression that the anime artists lack and the human ones lend
_STEP = 0.15  # of the distance between the eyes
_NOTABLE = 0.03  # of an expression's largest motion
_QUIET = 0.02  # activity below which a vertex counts as unmoved
# Where the mean over artists of both styles is nearer to a stranger of one style than the mean over
# that style alone (training.ceiling: vowels 0.79 and 0.67 instead of 0.76 and 0.62, anime emotions
# 0.53 instead of 0.52; anime visemes are 0.68 instead of 0.71).
_VOWELS = tuple(slots.INDEX["viseme_" + vowel] for vowel in ("aa", "E", "ih", "oh", "ou"))
_EMOTIONS = tuple(i for name, i in slots.INDEX.items() if slots.kind(name) == "emotion")
_FROM_ALL = {"human": _VOWELS, "anime": _EMOTIONS}


@dataclasses.dataclass
class Face:
    """A rig's base, prepared for carrying."""

    rig: rigs.Rig
    marks: landmarks.Landmarks
    span: float
    vertices: np.ndarray  # (N,3)
    normals: np.ndarray  # (N,3)
    alike: np.ndarray  # (N,2) how far a vertex goes with the lid in a blink, with the jaw

    @staticmethod
    def of(rig: rigs.Rig) -> Face:
        offsets = {
            name: rig.offsets[:, :, i].T.astype(np.float64)
            for name, i in slots.INDEX.items()
            if rig.slot_weight[i] > 0
        }
        vertices = rig.base().astype(np.float64)
        marks = landmarks.find(vertices, offsets)
        alike = []
        for motion in (landmarks.blink_of(offsets), landmarks.open_mouth_of(offsets)):
            down = -motion[:, 2]
            alike.append(np.clip(down / np.percentile(down[down > 0.2 * down.max()], 90), 0, 1))
        normals = geometry.vertex_normals(vertices, rig.triangles, geometry.weld(vertices))
        span = landmarks.eye_distance(marks)
        return Face(rig, marks, span, vertices, normals, np.stack(alike, 1))


def _smooth_jacobian(
    function: geometry.Map, points: np.ndarray, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """(values (N,3), Jacobians (N,3,3)) by central differences over a wide step: the spline's own
    derivative jumps at the landmarks, which would put a beak into the middle of a lip."""
    value, forward = geometry.jacobian(function, points, step)
    _, backward = geometry.jacobian(function, points, -step)
    return value, 0.5 * (forward + backward)


def movable(target: Face) -> np.ndarray:
    """(N,K) bool: what an expression may move: the connected surfaces that the artist moves in it,
    or, where the artist did not make it, in any expression like it. Teeth stay in place."""
    rig = target.rig
    parts = contact.connected_parts(rig.triangles, geometry.weld(target.vertices))
    size = np.linalg.norm(rig.offsets, axis=0)
    largest = np.zeros((parts.max() + 1, slots.COUNT))
    np.maximum.at(largest, parts, size)
    moved = largest > _NOTABLE * np.maximum(largest.max(0), 1e-9)
    known = rig.slot_weight > 0
    looks = np.array([name.startswith("eyeLook") for name in slots.SLOTS])
    for group in (looks, ~looks):
        like = known & group
        if not like.any():
            like = known
        moved[:, group & ~known] = moved[:, like].any(1, keepdims=True)
    return moved[parts]


def eyeballs(target: Face) -> np.ndarray:
    """(N,) bool: surfaces in an eye's opening that stay where they are in a blink."""
    parts = contact.connected_parts(target.rig.triangles, geometry.weld(target.vertices))
    count = parts.max() + 1
    number = np.bincount(parts, minlength=count)[:, None]
    center = np.stack([np.bincount(parts, axis, count) for axis in target.vertices.T], 1) / number
    follows = np.zeros(count)
    np.maximum.at(follows, parts, target.alike[:, 0])
    found = np.zeros(count, bool)
    for side, _ in landmarks.SIDES:
        middle = 0.5 * (target.marks[f"eye_{side}_upper"] + target.marks[f"eye_{side}_lower"])
        away = (np.abs(center - middle) < np.array([0.3, 0.6, 0.25]) * target.span).all(1)
        found |= away & (follows < 0.05)
    return found[parts]


def carry(source: Face, target: Face, chosen: np.ndarray) -> np.ndarray:
    """(3,N,S) float32: the source's expressions `chosen` (S,) on the target's vertices."""
    to_target = landmarks.spline(source.marks, target.marks)
    middle = landmarks.eye_middle(source.marks)
    near = np.linalg.norm(source.vertices - middle, axis=1) < 4 * source.span
    warped, matrices = _smooth_jacobian(to_target, source.vertices[near], _STEP * source.span)
    normals = geometry.transform_normals(matrices, source.normals[near])

    def keys(points: np.ndarray, facing: np.ndarray, alike: np.ndarray) -> np.ndarray:
        return np.c_[points / target.span, facing * _NORMAL, alike * _ALIKE]

    tree = cKDTree(keys(warped, normals, source.alike[near]))
    distance, index = tree.query(keys(target.vertices, target.normals, target.alike), k=_NEIGHBORS)
    weight = 1 / (distance + _NEAREST) ** 2
    weight *= np.exp(-((distance[:, :1] / _REACH) ** 2)) / weight.sum(1, keepdims=True)
    moved = geometry.apply_matrices(
        matrices.astype(np.float32), source.rig.offsets[:, near][:, :, chosen]
    )
    weight = weight.astype(np.float32)
    return sum(moved[:, index[:, k]] * weight[None, :, k, None] for k in range(_NEIGHBORS))


def mean_of(target: Face, sources: Sequence[Face]) -> tuple[np.ndarray, np.ndarray]:
    """(offsets (3,N,K), weight (K,)): mean direction and (geometric) mean length of the sources;
    the rigs of one artist share one vote."""
    artists = [face.rig.artist for face in sources]
    total = np.zeros_like(target.rig.offsets, dtype=np.float32)
    length, votes, best = np.zeros((3, slots.COUNT))
    for face in sources:
        known = np.nonzero(face.rig.slot_weight > 0)[0]
        vote = face.rig.slot_weight[known] / artists.count(face.rig.artist)
        motion = face.rig.offsets[:, :, known] if face is target else carry(face, target, known)
        size = np.sqrt((motion.astype(np.float64) ** 2).sum((0, 1)))
        there = size > 1e-9
        known, vote, size, motion = known[there], vote[there], size[there], motion[:, :, there]
        total[:, :, known] += motion * (vote / size)
        length[known] += vote * np.log(size)
        votes[known] += vote
        best[known] = np.maximum(best[known], face.rig.slot_weight[known])
    reach = np.sqrt((total.astype(np.float64) ** 2).sum((0, 1)))
    factor = np.exp(length / np.maximum(votes, 1e-9)) / np.maximum(reach, 1e-9)
    return total * factor.astype(np.float32), best.astype(np.float32)


def style_mean(
    target: Face, sources: Sequence[Face], style: str
) -> tuple[np.ndarray, np.ndarray] | None:
    """(offsets (3,N,K), weight (K,)) as the artists of one style would have them, with what all
    artists together know better. None without an artist of that style."""
    alike = [face for face in sources if face.rig.style == style]
    if not alike:
        return None
    offsets, weight = mean_of(target, alike)
    if len(alike) < len(sources):
        every, every_weight = mean_of(target, sources)
        for slot in _FROM_ALL[style]:
            if weight[slot] > 0:
                offsets[:, :, slot], weight[slot] = every[:, :, slot], every_weight[slot]
    return offsets, weight


def of_rig(target: Face, sources: Sequence[Face]) -> tuple[np.ndarray, np.ndarray]:
    """(offsets (2,3,N,K) float16, weight (2,K)): means as the human and as the anime artists have
    them.

    What the rig never moves stays still, and what lies in an eye moves as the rig's own artist has
    it. A blink is always the rig's own, for it must close.
    """
    own, known = target.rig.offsets, target.rig.slot_weight
    results, weights = [], []
    for style in ("human", "anime"):
        offsets, weight = style_mean(target, sources, style) or (own.copy(), known.copy())
        results.append(offsets)
        weights.append(weight)
    lacking = weights[ANIME] == 0
    results[ANIME][:, :, lacking] = results[HUMAN][:, :, lacking]
    weights[ANIME][lacking] = _BORROWED * weights[HUMAN][lacking]
    blinks = [i for name, i in slots.INDEX.items() if "Blink" in name and known[i] > 0]
    moving = np.clip(target.rig.activity / _QUIET, 0, 1)[:, None] * movable(target)
    inside = eyeballs(target)
    for offsets, weight in zip(results, weights):
        offsets *= moving
        offsets[:, inside] = own[:, inside]
        offsets[:, :, blinks] = own[:, :, blinks]
        weight[blinks] = known[blinks]
    return np.stack(results).astype(np.float16), np.stack(weights)


def attach(loaded: Sequence[rigs.Rig], path: pathlib.Path) -> None:
    """Gives every rig its averages over all of `loaded`: read from `path`, or made and kept
    there."""
    if not path.exists():
        faces = [Face.of(rig) for rig in loaded]
        made = {}
        for face in faces:
            made[face.rig.name], made[face.rig.name + "/weight"] = of_rig(face, faces)
        np.savez(path, **made)
    with np.load(path) as file:
        for rig in loaded:
            rig.averages = file[rig.name]
            rig.average_weight = file[rig.name + "/weight"]
