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
from .warps import FaceUnits, Layouts, clutter, named_marks, proportions

_CHIN = landmarks.NAMES.index("chin")


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
        chin = marks[_CHIN][2]
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
            rng,
            rig,
            points,
            normals,
            offsets,
            matrices * units.scale,
            marks,
            canonical,
            known,
            touching,
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
        if rng.random() > 0.65:
            return
        count = len(points)
        place, direction = clutter(rng, int(count * rng.uniform(0.1, 1.0)))
        # Up to two thirds: hair often has more vertices than the face.
        number = min(len(place), count * 2 // 3)
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
