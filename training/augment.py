# SPDX-License-Identifier: Apache-2.0
"""One training sample: a rig's face, warped, cropped, cluttered and placed anywhere.

The network meets heads, busts and whole bodies, with and without hair, teeth and normals, and faces
between human and anime proportions. Displacements are carried through each warp by its Jacobian.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from . import geometry, landmarks, slots
from .rigs import Rig

_SEMANTIC = len(landmarks.NAMES)
_NAME_INDEX = {name: i for i, name in enumerate(landmarks.NAMES)}


@dataclasses.dataclass
class Sample:
    """n points. Lengths are those of the placed face (any unit, anywhere)."""

    points: np.ndarray  # (n,3)
    normals: np.ndarray  # (n,3), all zero where the sample has none
    offsets: np.ndarray  # (n,3,K)
    marks: np.ndarray  # (L,3)
    mark_weight: np.ndarray  # (L,)
    canonical: np.ndarray  # (n,3)
    canonical_weight: np.ndarray  # (n,) 0 for clutter
    contact: np.ndarray  # (n,)
    slot_weight: np.ndarray  # (K,)


@dataclasses.dataclass
class FaceUnits:
    """The frame that warps work in: origin between the eyes, eyes to mouth is 1."""

    origin: np.ndarray
    scale: float

    @staticmethod
    def of(marks: np.ndarray) -> "FaceUnits":
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

    Human faces are mostly pulled towards anime (large eyes, small nose and mouth, short chin), anime
    faces both ways.
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


def clutter(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(points, normals) in face units of what stands around faces: hair, strands, shoulders, cloth.
    About `count` points or none."""
    points, normals = [np.zeros((0, 3))], [np.zeros((0, 3))]

    def ball(n: int) -> np.ndarray:
        direction = rng.normal(0, 1, (n, 3))
        return direction / np.linalg.norm(direction, axis=1, keepdims=True)

    if rng.random() < 0.6:  # a cap of hair that leaves the face open
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
        place = np.stack([np.cos(angle) * rng.uniform(1.2, 1.8), 1.0 + np.sin(angle), 0.8 - fall], 1)
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


class Sampler:
    """Draws samples. `mark_mirror` (L,): the landmark that each becomes under reflection."""

    def __init__(self, rigs: Sequence[Rig], mark_mirror: np.ndarray) -> None:
        self._layouts = Layouts(rigs)
        self._mark_mirror = mark_mirror
        self._slot_mirror = slots.mirror_permutation()
        self._droppable = {rig.name: self._loose_parts(rig) for rig in rigs}

    @staticmethod
    def _loose_parts(rig: Rig) -> list[np.ndarray]:
        """Masks of the parts a mesh may lack: all but the skin, which has most of the contact."""
        numbers = np.unique(rig.part)
        skin = max(numbers, key=lambda i: float(rig.contact[rig.part == i].sum()))
        return [rig.part == i for i in numbers if i != skin]

    def _kept(self, rng: np.random.Generator, rig: Rig, points: np.ndarray, marks: np.ndarray):
        """(N,) bool: the vertices that this sample's mesh has."""
        keep = np.ones(len(points), bool)
        for mask in self._droppable[rig.name]:
            if rng.random() < 0.3:
                keep &= ~mask
        chin = marks[_NAME_INDEX["chin"]][2]
        height = points[:, 2].max() - chin
        crop = rng.random()
        if crop < 0.45:  # a head
            keep &= points[:, 2] > chin - rng.uniform(-0.02, 0.35) * height
        elif crop < 0.85:  # a bust
            keep &= points[:, 2] > chin - rng.uniform(0.35, 2.0) * height
        if rng.random() < 0.15:  # a mask without the back of the head
            center = marks.mean(0)
            keep &= points[:, 1] < center[1] + rng.uniform(0.3, 1.0) * height
        if rng.random() < 0.1:  # a flat top, under hair that was modelled as the skull
            keep &= points[:, 2] < points[:, 2].max() - rng.uniform(0, 0.3) * height
        return keep

    @staticmethod
    def _density(rng: np.random.Generator, rig: Rig, points: np.ndarray, marks: np.ndarray):
        """(N,) how likely a vertex is picked: mostly where the face moves and touches."""
        center = marks.mean(0)
        spread = np.sqrt(((marks - center) ** 2).mean())
        far = np.linalg.norm(points - center, axis=1) > 5 * spread
        focus = rng.uniform(0, 0.9)
        weight = 0.05 + 0.5 * (1 - focus) + focus * rig.activity + rng.uniform(0, 1) * rig.contact
        return weight * np.where(far, 0.12, 1.0)

    def _pick(
        self, rng: np.random.Generator, rig: Rig, points: np.ndarray, marks: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """(corners (n,3) vertex numbers, barycentric weights (n,3)) of the sampled points."""
        keep = self._kept(rng, rig, points, marks)
        density = self._density(rng, rig, points, marks)
        on_vertices = int(count * rng.choice([0.0, 0.5, 1.0, 1.0]))
        corners, weights = [], []
        if on_vertices:
            vertices = np.nonzero(keep)[0]
            chosen = _draw(rng, vertices, density[vertices], on_vertices)
            corners.append(np.repeat(chosen[:, None], 3, 1))
            weights.append(np.tile([1.0, 0.0, 0.0], (on_vertices, 1)))
        if on_vertices < count:
            t = rig.triangles[keep[rig.triangles].all(1)]
            cross = np.cross(points[t[:, 1]] - points[t[:, 0]], points[t[:, 2]] - points[t[:, 0]])
            area = np.linalg.norm(cross, axis=1) + 1e-14
            density = area ** rng.uniform(0.3, 1.0) * density[t].mean(1)
            corners.append(_draw(rng, t, density, count - on_vertices))
            weights.append(rng.dirichlet([1, 1, 1], count - on_vertices))
        return np.concatenate(corners), np.concatenate(weights).astype(np.float32)

    def _warp(self, rng: np.random.Generator, rig: Rig, marks: np.ndarray, strength: float):
        """The warp of this sample, from and to face units."""
        human = rig.style == "human"
        steps = []
        if strength > 0.3 and rng.random() < 0.55:
            anime = rng.uniform(0, 0.5) if human and strength <= 0.6 else rng.uniform(0.4, 1.1)
            own = named_marks(marks, rig.mark_weight)
            steps.append(self._layouts.spline(rng, own, anime))
            strength = 0.25
        steps.append(proportions(rng, named_marks(marks), strength, human))

        def chain(p: np.ndarray) -> np.ndarray:
            for step in steps:
                p = step(p)
            return p

        return chain

    def draw(self, rng: np.random.Generator, rig: Rig, count: int) -> Sample:
        identity = int(rng.integers(rig.count))
        mesh, marks = rig.identities[identity], rig.marks[identity]
        corners, weights = self._pick(rng, rig, mesh, marks, count)

        def blend(values: np.ndarray) -> np.ndarray:
            return sum(weights[:, k, None] * values[corners[:, k]] for k in range(3))

        units = FaceUnits.of(marks)
        points = units(blend(mesh))
        normals = blend(rig.normals[identity].astype(np.float32))
        canonical = blend(rig.canonical)
        touching = blend(rig.contact[:, None])[:, 0]
        offsets = self._offsets(rig, identity, corners, weights)
        marks = units(marks)
        strength = self._strength(rng, rig)
        warp = self._warp(rng, rig, marks, strength)
        points, matrices = geometry.jacobian(warp, points, 1e-3)
        normals = geometry.transform_normals(matrices, normals)
        marks = warp(marks)
        known = np.ones(count)
        self._add_clutter(rng, points, normals, offsets, known, touching)
        normals += rng.normal(0, 0.06, normals.shape)
        if rng.random() < 0.12:
            normals[:] = 0
        points = points + rng.normal(0, 0.0012, points.shape)
        return self._place(
            rng, rig, points, normals, offsets, matrices * units.scale, marks, canonical, known, touching
        )

    @staticmethod
    def _strength(rng: np.random.Generator, rig: Rig) -> float:
        if rig.style == "anime":
            return rng.uniform(0, 0.9)
        kind = rng.random()
        if kind < 0.62:
            return rng.uniform(0, 0.25)
        return rng.uniform(0.25, 1.0) if kind < 0.85 else 1.5

    @staticmethod
    def _offsets(rig: Rig, identity: int, corners: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(3,n,K)"""
        if (weights[:, 0] == 1).all():
            return rig.offsets_of(identity, corners[:, 0])
        flat = rig.offsets_of(identity, corners.T.ravel())
        parts = flat.reshape(3, 3, len(corners), -1)
        return sum(parts[:, k] * weights[:, k, None] for k in range(3))

    @staticmethod
    def _add_clutter(
        rng: np.random.Generator,
        points: np.ndarray,
        normals: np.ndarray,
        offsets: np.ndarray,
        known: np.ndarray,
        touching: np.ndarray,
    ) -> None:
        """Replaces some of the points, in place, by points that never move."""
        if rng.random() > 0.5:
            return
        count = len(points)
        place, direction = clutter(rng, int(count * rng.uniform(0.1, 1.0)))
        number = min(len(place), count // 2)
        if number:
            chosen = rng.permutation(len(place))[:number]
            at = rng.choice(count, number, replace=False)
            points[at], normals[at] = place[chosen], direction[chosen]
            offsets[:, at] = 0
            known[at] = 0
            touching[at] = 0

    def _place(
        self,
        rng: np.random.Generator,
        rig: Rig,
        points: np.ndarray,
        normals: np.ndarray,
        offsets: np.ndarray,
        matrices: np.ndarray,
        marks: np.ndarray,
        canonical: np.ndarray,
        known: np.ndarray,
        touching: np.ndarray,
    ) -> Sample:
        """Turns a little, mirrors half of the time, scales and moves."""
        x, y, z = rng.normal(0, 0.07, 3)
        turn = _rotation(x, y, z)
        slot_weight, mark_weight = rig.slot_weight, rig.mark_weight
        if rng.random() < 0.5:
            turn = turn @ np.diag([-1.0, 1.0, 1.0])
            offsets = offsets[:, :, self._slot_mirror]
            slot_weight = slot_weight[self._slot_mirror]
            marks, mark_weight = marks[self._mark_mirror], mark_weight[self._mark_mirror]
            canonical = canonical * [-1.0, 1.0, 1.0]
        size = rng.uniform(0.05, 0.25)
        moved = rng.normal(0, 0.3, 3)
        matrices = (size * turn @ matrices).astype(np.float32)
        return Sample(
            points=points @ (size * turn.T) + moved,
            normals=normals @ turn.T,
            offsets=np.ascontiguousarray(
                np.moveaxis(geometry.apply_matrices(matrices, offsets), 0, 1)
            ),
            marks=marks @ (size * turn.T) + moved,
            mark_weight=mark_weight,
            canonical=canonical,
            canonical_weight=known,
            contact=touching,
            slot_weight=slot_weight,
        )


def _draw(
    rng: np.random.Generator, items: np.ndarray, density: np.ndarray, count: int
) -> np.ndarray:
    """`count` items with replacement, in proportion to their density."""
    total = np.cumsum(density)
    return items[np.searchsorted(total, rng.random(count) * total[-1]).clip(0, len(items) - 1)]


def _rotation(x: float, y: float, z: float) -> np.ndarray:
    (cx, sx), (cy, sy), (cz, sz) = ((np.cos(a), np.sin(a)) for a in (x, y, z))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_x @ about_y @ about_z
