# SPDX-License-Identifier: Apache-2.0
"""Changes of a face's shape and surroundings: proportions, landmark layouts, clutter."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from . import geometry, landmarks
from .rigs import Rig

_NAME_INDEX = {name: i for i, name in enumerate(landmarks.NAMES)}


@dataclasses.dataclass
class FaceUnits:
    """The frame that warps work in: origin between the eyes, eyes to mouth is 1."""

    origin: np.ndarray
    scale: float

    @staticmethod
    def of(marks: np.ndarray) -> FaceUnits:
        named = named_marks(marks)
        eyes = landmarks.eye_middle(named)
        return FaceUnits(eyes, 1.0 / float(np.linalg.norm(eyes - named["mouth"])))

    def __call__(self, points: np.ndarray) -> np.ndarray:
        return (points - self.origin) * self.scale


def named_marks(marks: np.ndarray, weight: np.ndarray | None = None) -> landmarks.Landmarks:
    """The semantic landmarks of (L,3) as name -> xyz, without the unknown ones."""
    return {
        name: marks[i].astype(np.float64)
        for name, i in _NAME_INDEX.items()
        if weight is None or weight[i] > 0
    }


def _swell(center: np.ndarray, factor: np.ndarray, reach: np.ndarray) -> geometry.Map:
    """Scales space by `factor` around `center`, fading with a Gaussian of `reach` per axis."""

    def apply(p: np.ndarray) -> np.ndarray:
        fade = np.exp(-0.5 * (((p - center) / reach) ** 2).sum(-1, keepdims=True))
        return center + (p - center) * (1 + (factor - 1) * fade)

    return apply


def _waves(rng: np.random.Generator, strength: float) -> geometry.Map:
    """A sum of six long sine waves: small, smooth, asymmetric changes everywhere."""
    count = 6
    direction = rng.normal(0, 1, (count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    length = rng.uniform(1.2, 6.0, count)
    amplitude = rng.normal(0, 1, (count, 3))
    amplitude /= np.linalg.norm(amplitude, axis=1, keepdims=True)
    amplitude *= (0.05 * length / (2 * np.pi) * rng.uniform(0.2, strength, count))[:, None]
    wave = direction * (2 * np.pi / length)[:, None]
    phase = rng.uniform(0, 2 * np.pi, count)
    return lambda p: p + np.sin(p @ wave.T + phase) @ amplitude


def proportions(
    rng: np.random.Generator, marks: landmarks.Landmarks, strength: float, human: bool
) -> geometry.Map:
    """A random change of proportions in face units: strength 0 mild, 1 far, 1.5 (human only) anime.

    Human faces are mostly pulled towards anime (large eyes, small nose and mouth, short chin),
    anime faces both ways.
    """
    u = rng.uniform
    eyes = [(marks[f"eye_{s}_upper"] + marks[f"eye_{s}_lower"]) / 2 for s, _ in landmarks.SIDES]
    spacing = float(np.linalg.norm(eyes[0] - eyes[1])) / 0.94
    half_eye, half_nose, half_mouth = (
        np.array(x) for x in ([0.41, 0.6, 0.5], [0.35, 0.55, 0.44], [0.58, 0.53, 0.47])
    )
    amount = u(0, 1) * min(strength, 1.0)
    if human and strength > 1:
        eye = np.array([u(1.1, 1.9), u(0.6, 1.2), u(1.2, 2.6)])
        nose = np.array([u(0.3, 0.8), u(0.15, 0.7), u(0.4, 0.95)])
        mouth = np.array([u(0.35, 0.95), u(0.5, 1.0), u(0.45, 1.0)])
        taper, chin, round_ = u(0, 0.35), u(0.6, 1.05), u(0, 0.5)
    elif human:
        eye = 1 + np.array([u(-0.1, 0.7), u(-0.3, 0.2), u(-0.15, 1.1)]) * amount
        nose = 1 - np.array([u(-0.2, 0.6), u(-0.2, 0.75), u(-0.2, 0.5)]) * amount
        mouth = 1 + np.array([u(-0.6, 0.35), u(-0.35, 0.2), u(-0.5, 0.45)]) * amount
        taper, chin, round_ = u(-0.1, 0.25) * amount, 1 + u(-0.25, 0.2) * amount, 0.3 * amount
    else:
        eye = 1 + np.array([u(-0.3, 0.5), u(-0.3, 0.3), u(-0.4, 0.6)]) * amount
        nose = 1 + np.array([u(-0.4, 0.6), u(-0.4, 1.2), u(-0.3, 0.3)]) * amount
        mouth = 1 + np.array([u(-0.4, 0.6), u(-0.3, 0.5), u(-0.4, 0.6)]) * amount
        taper, chin, round_ = u(-0.2, 0.2) * amount, 1 + u(-0.25, 0.3) * amount, 0.3 * amount
    behind = np.array([0.0, 0.08, 0.0])
    steps = [_swell(center + behind, eye, half_eye * spacing) for center in eyes]
    steps.append(_swell(marks["nose"] + [0.0, 0.4, 0.08], nose, half_nose))
    steps.append(_swell(marks["mouth"], mouth, half_mouth))
    middle, radius, share = np.array([0.0, 1.45, 0.08]), u(1.5, 2.0), u(0, 1) * round_

    def rounder(p: np.ndarray) -> np.ndarray:
        q = p - middle
        length = np.linalg.norm(q, axis=-1, keepdims=True)
        return middle + q * (1 - share + share * radius / np.maximum(length, 0.9))

    def jaw(p: np.ndarray) -> np.ndarray:
        below = np.clip(-p[..., 2:], -0.7, 2.2)
        x = p[..., :1] * (1 - taper * np.tanh(below))
        z = p[..., 2:] * np.where(p[..., 2:] < 0, chin, 1)
        return np.concatenate([x, p[..., 1:2], z], -1)

    stretch = 1 + rng.normal(0, 0.05 + 0.05 * min(strength, 1), 3)
    steps += [rounder, jaw, lambda p: p * stretch, _waves(rng, 1.3 if strength < 0.3 else 1.8)]

    def chain(p: np.ndarray) -> np.ndarray:
        for step in steps:
            p = step(p)
        return p

    return chain


class Layouts:
    """Landmark layouts of all rigs, and splines from a face to random mixtures of them."""

    def __init__(self, rigs: Sequence[Rig]) -> None:
        self._human: list[landmarks.Landmarks] = []
        self._anime: list[landmarks.Landmarks] = []
        for rig in rigs:
            marks = FaceUnits.of(rig.marks[0])(rig.marks[0])
            store = self._anime if rig.style == "anime" else self._human
            store.append(named_marks(marks, rig.mark_weight))

    @staticmethod
    def _mix(
        rng: np.random.Generator, layouts: list[landmarks.Landmarks], own: landmarks.Landmarks
    ) -> landmarks.Landmarks:
        share = rng.dirichlet(np.full(len(layouts), 0.6))
        return {
            name: sum(w * layout.get(name, place) for w, layout in zip(share, layouts))
            for name, place in own.items()
        }

    def spline(
        self, rng: np.random.Generator, own: landmarks.Landmarks, anime: float
    ) -> geometry.Map:
        """From the layout `own` (face units) to one of which the part `anime` is anime."""
        human = self._mix(rng, self._human or [own], own)
        other = self._mix(rng, self._anime or [own], own)
        keep = rng.uniform(0, 0.7)
        goal = {
            name: keep * place + (1 - keep) * ((1 - anime) * human[name] + anime * other[name])
            for name, place in own.items()
        }
        self._jitter(rng, goal)
        return landmarks.spline(own, goal, 1e-2)

    @staticmethod
    def _jitter(rng: np.random.Generator, goal: landmarks.Landmarks) -> None:
        """Changes eye height, mouth width and every landmark a little, the same on both sides."""
        height, width = rng.uniform(0.7, 1.4), rng.uniform(0.75, 1.35)
        for side, _ in landmarks.SIDES:
            lower = goal[f"eye_{side}_lower"]
            gap = goal[f"eye_{side}_upper"] - lower
            goal[f"eye_{side}_upper"] = lower + gap * [1, 1, height]
            reach = goal[f"mouth_{side}"] - goal["mouth"]
            goal[f"mouth_{side}"] = goal["mouth"] + reach * [width, 1, 1]
        shared: dict[str, np.ndarray] = {}
        for name in goal:
            both = name.replace("left", "*").replace("right", "*")
            spread = 0.027 if name.startswith("eye") else 0.04
            move = shared.setdefault(both, rng.normal(0, spread, 3)).copy()
            if "right" in name:
                move[0] *= -1
            elif both == name:
                move[0] = 0
            goal[name] = goal[name] + move + rng.normal(0, 0.006, 3)


def hair(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(points, normals) in face units of one haircut: a closed shell close around the skull, with a
    fringe before the forehead and sides as long as chance has it. About `count` points.

    Avatars nearly always bring their hair in the same file, often with more vertices than the face.
    A shell has an inner surface too, so half of the normals point inwards.
    """
    skull = np.array([0, 0.95, 0.35])
    radius = rng.uniform([1.05, 1.25, 1.25], [1.7, 1.9, 1.9])
    fringe = rng.uniform(0.25, 1.3)  # its lower edge: 0 is the eyes' height
    part = rng.uniform(0.35, 1.0)  # how far from the middle the face's opening reaches
    sides = rng.uniform(-3.5, 0.6)  # where the hair ends below
    direction = rng.normal(0, 1, (count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    # What hangs below the skull's middle hangs straight down.
    hanging = direction[:, 2] < 0
    place = direction * radius
    length = np.maximum(skull[2] - sides, 0.1)
    place[hanging, 2] = direction[hanging, 2] * length
    wide = np.hypot(direction[hanging, 0], direction[hanging, 1])
    place[hanging, :2] /= np.maximum(wide, 0.2)[:, None] ** rng.uniform(0.6, 1.0)
    place += skull + np.sin(direction @ rng.normal(0, 4, (3, 3))) * rng.uniform(0, 0.06)
    outward = direction.copy()
    outward[hanging, 2] = 0
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-6)
    inner = rng.random(count) < 0.5
    place[inner] -= outward[inner] * rng.uniform(0.02, 0.2)
    outward[inner] *= -1
    front = place[:, 1] < skull[1] - 0.3 * radius[1]
    opening = front & (np.abs(place[:, 0]) < part * radius[0])
    ragged = 0.08 * np.sin(place[:, 0] * rng.uniform(4, 12))
    keep = ~opening | (place[:, 2] > fringe + ragged)
    return place[keep], outward[keep]


def clutter(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(points, normals) in face units of what stands around faces: hair, strands, shoulders, cloth.
    About `count` points or none."""
    points, normals = [np.zeros((0, 3))], [np.zeros((0, 3))]

    def ball(n: int) -> np.ndarray:
        direction = rng.normal(0, 1, (n, 3))
        return direction / np.linalg.norm(direction, axis=1, keepdims=True)

    if rng.random() < 0.6:
        place, direction = hair(rng, count)
        points.append(place)
        normals.append(direction)
    elif rng.random() < 0.4:  # a cap of hair that leaves the face open
        direction = ball(count // 2)
        head = np.array([0, 1.1, 0.25])
        place = head + direction * rng.uniform([1.25, 1.5, 1.5], [2.2, 2.4, 2.4])
        keep = (place[:, 1] > rng.uniform(-0.8, 0.6)) | (place[:, 2] > rng.uniform(0.5, 1.3))
        points.append(place[keep])
        normals.append(direction[keep])
    if rng.random() < 0.35:  # long hair behind
        n = count // 4
        angle = rng.uniform(0.2 * np.pi, 0.8 * np.pi, n)
        fall = rng.uniform(0, 1, n) * rng.uniform(1.5, 7.5)
        place = np.stack(
            [np.cos(angle) * rng.uniform(1.2, 1.8), 1.0 + np.sin(angle), 0.8 - fall], 1
        )
        points.append(place)
        normals.append(np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1))
    if rng.random() < 0.5:  # shoulders
        direction = ball(count // 3)
        place = np.array([0, 1.2, -rng.uniform(3.6, 5.2)])
        place = place + direction * rng.uniform([1.8, 0.9, 1.0], [4.2, 1.7, 3.0])
        keep = place[:, 2] > -3.0 - rng.uniform(0, 3)
        points.append(place[keep])
        normals.append(direction[keep])
        if rng.random() < 0.3:  # a body down to the feet
            n = count // 3
            angle, fall = rng.uniform(0, 2 * np.pi, n), rng.uniform(0, 1, n)
            wide = rng.uniform(1.5, 2.4)
            place = np.stack(
                [
                    np.cos(angle) * wide,
                    1.2 + np.sin(angle) * 1.2,
                    -3.8 - fall * rng.uniform(3, 15),
                ],
                1,
            )
            points.append(place)
            normals.append(np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1))
    return np.concatenate(points), np.concatenate(normals)
