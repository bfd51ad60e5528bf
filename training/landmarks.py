# SPDX-License-Identifier: Apache-2.0
"""Finds a face's landmarks from what its own expressions move, and registers faces by them.

No mesh, part name or texture is trusted: lids are what a blink moves, the mouth is where an open
mouth tears neighbouring points apart, brows are what brow expressions move.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.spatial import cKDTree

from . import geometry

NAMES = (
    "eye_left_upper eye_left_lower eye_left_inner eye_left_outer "
    "eye_right_upper eye_right_lower eye_right_inner eye_right_outer "
    "mouth_left mouth_right mouth nose chin "
    "brow_left_inner brow_left_outer brow_right_inner brow_right_outer"
).split()
SIDES = (("left", 1.0), ("right", -1.0))

_BROW_SLOTS = (
    "browInnerUp browOuterUpLeft browOuterUpRight browDownLeft browDownRight "
    "emotion_Surprised emotion_Angry emotion_Sorrow"
).split()

Landmarks = dict[str, np.ndarray]


def mirror_permutation() -> np.ndarray:
    """(17,) int: the landmark that each becomes when left and right are exchanged."""

    def other(name: str) -> str:
        if "left" in name:
            return name.replace("left", "right")
        return name.replace("right", "left")

    return np.array([NAMES.index(other(name)) for name in NAMES])


def first_known(offsets: Mapping[str, np.ndarray], *choices: str) -> np.ndarray:
    """The first choice that `offsets` has; a choice may be a sum, "a+b"."""
    for choice in choices:
        names = choice.split("+")
        if all(name in offsets for name in names):
            return np.sum([offsets[name] for name in names], axis=0, dtype=np.float64)
    raise ValueError(f"the rig has none of the expressions {', '.join(choices)}")


def blink_of(offsets: Mapping[str, np.ndarray]) -> np.ndarray:
    return first_known(offsets, "eyeBlinkLeft+eyeBlinkRight", "emotion_Blink")


def open_mouth_of(offsets: Mapping[str, np.ndarray]) -> np.ndarray:
    return first_known(offsets, "viseme_aa", "jawOpen", "viseme_oh")


def seen_from_front(points: np.ndarray, tolerance: float, radius: float) -> np.ndarray:
    """(N,) bool: no point within `radius` (in x and z) lies more than `tolerance` nearer."""
    near = cKDTree(points[:, [0, 2]]).query_ball_point(points[:, [0, 2]], radius)
    return np.array([points[i, 1].min() > p[1] - tolerance for i, p in zip(near, points)], bool)


def eye_middle(marks: Landmarks) -> np.ndarray:
    names = ("eye_left_upper", "eye_left_lower", "eye_right_upper", "eye_right_lower")
    return np.mean([marks[name] for name in names], axis=0)


def eye_distance(marks: Landmarks) -> float:
    return float(np.linalg.norm(marks["eye_left_lower"] - marks["eye_right_lower"]))


def _eyes(vertices: np.ndarray, blink: np.ndarray) -> Landmarks:
    marks: Landmarks = {}
    size = np.linalg.norm(blink, axis=1)
    top = np.percentile(size[size > 1e-6], 98)
    closed = vertices + blink
    for side, sign in SIDES:
        lid = (vertices[:, 0] * sign > 0) & (size > 0.25 * top)
        upper = lid & (blink[:, 2] < -0.6 * top)
        if upper.sum() < 2:
            upper = lid
        marks[f"eye_{side}_upper"] = vertices[upper].mean(0)
        marks[f"eye_{side}_lower"] = closed[upper].mean(0)
        x = vertices[lid, 0] * sign
        inner, outer = np.percentile(x, 3), np.percentile(x, 97)
        margin = 0.12 * (outer - inner)
        marks[f"eye_{side}_inner"] = closed[lid][x < inner + margin].mean(0)
        marks[f"eye_{side}_outer"] = closed[lid][x > outer - margin].mean(0)
    return marks


def _mouth(vertices: np.ndarray, opened: np.ndarray, marks: Landmarks) -> Landmarks:
    """Centre and corners of the line along which an open mouth tears neighbours apart."""
    eyes, span = eye_middle(marks), eye_distance(marks)
    size = np.linalg.norm(opened, axis=1)
    top = np.percentile(size[size > 1e-6], 97)
    height = vertices[:, 2]
    region = (np.abs(vertices[:, 0]) < 0.8 * span) & (height < eyes[2] - 0.15 * span)
    index = np.nonzero(region & (height > eyes[2] - 2.2 * span))[0]
    index = index[seen_from_front(vertices[index], 0.08 * span, 0.06 * span)]
    points, motion = vertices[index], opened[index]
    pairs = cKDTree(points).query_pairs(0.10 * span, output_type="ndarray")
    apart = np.linalg.norm(motion[pairs[:, 0]] - motion[pairs[:, 1]], axis=1) / top
    tear = apart / (np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1) + 0.03 * span)
    torn = points[np.unique(pairs[tear > 0.35 * np.percentile(tear, 99.5)])]
    middle = torn[np.abs(torn[:, 0]) < 0.12 * span]
    center = (middle if len(middle) else torn).mean(0)
    torn = torn[np.abs(torn[:, 2] - center[2]) < 0.35 * span]
    found = {"mouth": center}
    for side, sign in SIDES:
        x = torn[:, 0] * sign
        found[f"mouth_{side}"] = torn[x > np.percentile(x, 97) - 0.08 * span].mean(0)
    return found


def _nose_and_chin(vertices: np.ndarray, marks: Landmarks) -> Landmarks:
    eyes, mouth, span = eye_middle(marks), marks["mouth"], eye_distance(marks)
    drop = eyes[2] - mouth[2]
    height = vertices[:, 2]
    midline = np.abs(vertices[:, 0]) < 0.12 * span
    between = midline & (height < eyes[2] - 0.1 * drop) & (height > mouth[2] + 0.2 * drop)
    candidates = vertices[between & (vertices[:, 1] >= mouth[1] - 1.2 * drop)]
    nose = candidates[candidates[:, 1].argmin()]
    chin, misses = mouth, 0
    for level in np.linspace(mouth[2] - 0.1 * drop, mouth[2] - 1.5 * drop, 40):
        band = vertices[midline & (np.abs(height - level) < 0.06 * drop)]
        if not len(band):
            continue
        front = band[band[:, 1].argmin()]
        if front[1] > mouth[1] + 0.35 * drop:  # the underside of the jaw, or the neck
            misses += 1
            if misses > 4:
                break
            continue  # a coarse mesh may have only the mouth's inside at this height
        chin, misses = front, 0
    center = np.array([0.0, 1.0, 1.0])
    return {"nose": nose * center, "chin": chin * center}


def _brows(vertices: np.ndarray, offsets: Mapping[str, np.ndarray], marks: Landmarks) -> Landmarks:
    known = [np.linalg.norm(offsets[name], axis=1) for name in _BROW_SLOTS if name in offsets]
    if not known:
        return {}
    eyes, span = eye_middle(marks), eye_distance(marks)
    lids = max(marks["eye_left_upper"][2], marks["eye_right_upper"][2])
    above = (vertices[:, 2] > lids + 0.02 * span) & (np.abs(vertices[:, 0]) < 1.2 * span)
    size = np.max(known, axis=0) * above
    if size.max() <= 0:
        return {}
    moved = size > 0.6 * np.percentile(size[size > 0], 97)
    moved &= vertices[:, 1] < eyes[1] + 0.6 * span
    found: Landmarks = {}
    for side, sign in SIDES:
        points = vertices[moved & (vertices[:, 0] * sign > 0)]
        if len(points) > 4:
            x = points[:, 0] * sign
            inner, outer = np.percentile(x, [8, 92])
            found[f"brow_{side}_inner"] = points[x < inner + 0.1 * span].mean(0)
            found[f"brow_{side}_outer"] = points[x > outer - 0.1 * span].mean(0)
    return found


def find(vertices: np.ndarray, offsets: Mapping[str, np.ndarray]) -> Landmarks:
    """Landmarks (name -> xyz) of a face that has at least a blink and an open mouth.

    vertices (N,3) with the face's middle at x = 0; offsets: name -> (N,3), all in Blendwire's axes.
    Brows are missing where no expression moves them.
    """
    vertices = vertices.astype(np.float64)
    marks = _eyes(vertices, blink_of(offsets))
    marks |= _mouth(vertices, open_mouth_of(offsets), marks)
    marks |= _nose_and_chin(vertices, marks)
    return marks | _brows(vertices, offsets, marks)


def _helpers(marks: Landmarks) -> list[np.ndarray]:
    """Points behind and above the face, so that the affine part of a spline is well posed."""
    eyes = (marks["eye_left_lower"] + marks["eye_right_lower"]) / 2
    span = abs(marks["eye_left_lower"][0] - marks["eye_right_lower"][0])
    return [
        eyes + [span, 1.6 * span, 0],
        eyes + [-span, 1.6 * span, 0],
        eyes + [0, 0.6 * span, 1.5 * span],
        marks["mouth"] + [0, 1.6 * span, 0],
    ]


def spline(source: Landmarks, target: Landmarks, smoothing: float = 1e-3) -> geometry.Spline:
    """The spline that takes one face's landmarks to the other's (those that both have)."""
    names = [name for name in NAMES if name in source and name in target]
    a = np.array([source[name] for name in names] + _helpers(source))
    b = np.array([target[name] for name in names] + _helpers(target))
    return geometry.Spline(a, b, smoothing)
