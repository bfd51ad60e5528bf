# SPDX-License-Identifier: Apache-2.0
"""One training sample: a rig's face, warped, cropped, cluttered and placed anywhere.

The network meets heads, busts and whole bodies, with and without hair, teeth and normals, and faces
between human and anime proportions. Displacements are carried through each warp by its Jacobian.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from . import averages, geometry, landmarks, slots
from .rigs import Rig
from .warps import FaceUnits, Layouts, clutter, named_marks, proportions

_CHIN = landmarks.NAMES.index("chin")
# Parts of the samples whose labels are averages over artists. Human artists agree more, and there
# are enough of them to tell their styles apart by the mesh.
_ANIME_AVERAGED, _HUMAN_AVERAGED = 0.65, 0.4
_STILL = 0.004  # activity below which nothing moves a point
_OTHER_LAYOUT = 0.65  # part of the anime, and of the far warped human, samples
_BLIND = 0.15  # part of the samples without normals


@dataclasses.dataclass
class Sample:
    """n points. Lengths are those of the placed face (any unit, anywhere).

    Point i of the first half and point n/2 + i are neighbours: ends of one edge of the mesh, or two
    points of one triangle.
    """

    points: np.ndarray  # (n,3)
    normals: np.ndarray  # (n,3), all zero where the sample has none
    offsets: np.ndarray  # (n,3,K)
    marks: np.ndarray  # (L,3)
    mark_weight: np.ndarray  # (L,)
    canonical: np.ndarray  # (n,3)
    canonical_weight: np.ndarray  # (n,) 0 for clutter
    contact: np.ndarray  # (n,)
    margins: np.ndarray  # (n,4)
    still: np.ndarray  # (n,) 1 where no expression moves anything
    joined: np.ndarray  # (n/2,) 1 where a point and its neighbour are both there
    slot_weight: np.ndarray  # (K,)


def mirrored(sample: Sample, mark_mirror: np.ndarray) -> Sample:
    """The sample as a mirror shows it: left and right are exchanged in everything."""
    flip = np.array([-1.0, 1.0, 1.0])
    swap = slots.mirror_permutation()
    return dataclasses.replace(
        sample,
        points=sample.points * flip,
        normals=sample.normals * flip,
        offsets=sample.offsets[:, :, swap] * flip[:, None],
        marks=sample.marks[mark_mirror] * flip,
        mark_weight=sample.mark_weight[mark_mirror],
        canonical=sample.canonical * flip,
        slot_weight=sample.slot_weight[swap],
    )


class Neighbors:
    """Draws for each vertex one that shares an edge with it; itself where there is none."""

    def __init__(self, triangles: np.ndarray, count: int) -> None:
        ends = np.concatenate([triangles[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
        ends = np.concatenate([ends, ends[:, ::-1]])
        ends = ends[np.argsort(ends[:, 0], kind="stable")]
        self._other = ends[:, 1]
        self._start = np.searchsorted(ends[:, 0], np.arange(count + 1))

    def __call__(self, rng: np.random.Generator, vertices: np.ndarray) -> np.ndarray:
        start, number = self._start[vertices], np.diff(self._start)[vertices]
        if not len(self._other):
            return vertices
        at = start + (rng.random(len(vertices)) * number).astype(int)
        return np.where(number > 0, self._other[at.clip(0, len(self._other) - 1)], vertices)


class Sampler:
    """Draws samples. `mark_mirror` (L,): the landmark that each becomes under reflection."""

    def __init__(self, rigs: Sequence[Rig], mark_mirror: np.ndarray) -> None:
        self._layouts = Layouts(rigs)
        self._mark_mirror = mark_mirror
        self._slot_mirror = slots.mirror_permutation()
        self._droppable = {rig.name: self._loose_parts(rig) for rig in rigs}
        self._neighbors = {rig.name: Neighbors(rig.triangles, len(rig.part)) for rig in rigs}

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
        """(corners (n,3) vertex numbers, barycentric weights (n,3)) of the sampled points, of which
        the second half are neighbours of the first."""
        keep = self._kept(rng, rig, points, marks)
        density = self._density(rng, rig, points, marks)
        half = count // 2
        on_vertices = int(half * rng.choice([0.0, 0.5, 1.0, 1.0]))
        first, second = [], []  # (corners, weights) of the points and of their neighbours
        if on_vertices:
            vertices = np.nonzero(keep)[0]
            chosen = _draw(rng, vertices, density[vertices], on_vertices)
            for store, index in ((first, chosen), (second, self._neighbors[rig.name](rng, chosen))):
                corner = np.tile([1.0, 0.0, 0.0], (len(index), 1))
                store.append((np.repeat(index[:, None], 3, 1), corner))
        if on_vertices < half:
            t = rig.triangles[keep[rig.triangles].all(1)]
            cross = np.cross(points[t[:, 1]] - points[t[:, 0]], points[t[:, 2]] - points[t[:, 0]])
            area = np.linalg.norm(cross, axis=1) + 1e-14
            density = area ** rng.uniform(0.3, 1.0) * density[t].mean(1)
            chosen = _draw(rng, t, density, half - on_vertices)
            for store in (first, second):
                store.append((chosen, rng.dirichlet([1, 1, 1], len(chosen))))
        corners, weights = zip(*first, *second)
        return np.concatenate(corners), np.concatenate(weights).astype(np.float32)

    def _warp(self, rng: np.random.Generator, rig: Rig, marks: np.ndarray, strength: float):
        """The warp of this sample, from and to face units."""
        human = rig.style == "human"
        steps = []
        if (strength > 0.3 or not human) and rng.random() < _OTHER_LAYOUT:
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
        margins = blend(rig.margins)
        marks = units(marks)
        strength = self._strength(rng, rig)
        convention = self._convention(rng, rig, strength)
        offsets = self._offsets(rig, identity, corners, weights, convention)
        slot_weight = rig.slot_weight if convention is None else rig.average_weight[convention]
        still = (blend(rig.activity[:, None])[:, 0] < _STILL).astype(np.float32)
        warp = self._warp(rng, rig, marks, strength)
        points, matrices = geometry.jacobian(warp, points, 1e-3)
        normals = geometry.transform_normals(matrices, normals)
        marks = warp(marks)
        known = np.ones(count)
        joined = np.ones(count // 2)
        self._add_clutter(rng, points, normals, offsets, known, touching, margins, still)
        joined *= known[: count // 2] * known[count // 2 :]
        normals += rng.normal(0, 0.06, normals.shape)
        if rng.random() < _BLIND:
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
            margins,
            still,
            joined,
            slot_weight,
        )

    @staticmethod
    def _strength(rng: np.random.Generator, rig: Rig) -> float:
        if rig.style == "anime":
            return rng.uniform(0, 0.9)
        kind = rng.random()
        if kind < 0.5:
            return rng.uniform(0, 0.25)
        return rng.uniform(0.25, 1.0) if kind < 0.75 else 1.5

    @staticmethod
    def _convention(rng: np.random.Generator, rig: Rig, strength: float) -> int | None:
        """Whose labels this sample takes: the rig's own, or an average; the anime one for anime
        faces and for human ones that are warped as far."""
        anime = rig.style == "anime" or strength > 1 or (strength > 0.5 and rng.random() < 0.5)
        if rig.averages is None or rng.random() > (_ANIME_AVERAGED if anime else _HUMAN_AVERAGED):
            return None
        return averages.ANIME if anime else averages.HUMAN

    @staticmethod
    def _offsets(
        rig: Rig,
        identity: int,
        corners: np.ndarray,
        weights: np.ndarray,
        convention: int | None,
    ) -> np.ndarray:
        """(3,n,K)"""
        if (weights[:, 0] == 1).all():
            return rig.offsets_of(identity, corners[:, 0], convention)
        flat = rig.offsets_of(identity, corners.T.ravel(), convention)
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
        margins: np.ndarray,
        still: np.ndarray,
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
            margins[at] = 0
            still[at] = 1

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
        margins: np.ndarray,
        still: np.ndarray,
        joined: np.ndarray,
        slot_weight: np.ndarray,
    ) -> Sample:
        """Turns a little, mirrors half of the time, scales and moves."""
        x, y, z = rng.normal(0, 0.07, 3)
        turn = _rotation(x, y, z)
        mark_weight = rig.mark_weight
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
            margins=margins,
            still=still,
            joined=joined,
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
