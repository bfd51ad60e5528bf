# SPDX-License-Identifier: Apache-2.0
"""MakeHuman's CC0 base mesh: files, identities, and its ARKit units and visemes on each of them.

MakeHuman's files are in decimetres, Y up, facing +Z; everything returned here is in metres and in
Blendwire's axes.
"""

from __future__ import annotations

import dataclasses
import gzip
import pathlib

import numpy as np
from scipy.spatial import cKDTree

from . import geometry, slots

_RACES = ("caucasian", "african", "asian")
_AGES = ("child", "young", "old")
_GENDERS = ("female", "male")
_MUSCLES = ("minmuscle", "averagemuscle", "maxmuscle")
_WEIGHTS = ("minweight", "averageweight", "maxweight")
_DETAIL_FOLDERS = "head mouth nose eyes cheek chin eyebrows forehead neck ears asym".split()
_PARTS = {
    "body": "skin",
    "helper-l-eye": "eye_left",
    "helper-r-eye": "eye_right",
    "helper-upper-teeth": "teeth_upper",
    "helper-lower-teeth": "teeth_lower",
    "helper-tongue": "tongue",
}
_VISEME_FILES = {"ih": "I", "oh": "O", "ou": "U"}  # the others are named as we name them
_DECIMETRE = 0.1


@dataclasses.dataclass
class BaseMesh:
    """The base mesh without MakeHuman's helper geometry."""

    vertices: np.ndarray  # (N,3) metres
    triangles: np.ndarray  # (M,3)
    part: np.ndarray  # (N,) index into part_names
    part_names: list[str]
    source: np.ndarray  # (N,) vertex number in base.obj
    source_count: int


def _part_of(group: str) -> str | None:
    return "lashes" if "eyelashes" in group else _PARTS.get(group)


def read_base(path: pathlib.Path) -> BaseMesh:
    """Reads base.obj: skin, eyes, teeth, tongue and lashes; quads are split."""
    points: list[list[float]] = []
    triangles: list[list[int]] = []
    labels: list[str] = []
    part: str | None = None
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            words = line.split()
            if not words:
                continue
            if words[0] == "v":
                points.append([float(x) for x in words[1:4]])
            elif words[0] == "g":
                part = _part_of(words[1])
            elif words[0] == "f" and part:
                corners = [int(word.split("/")[0]) - 1 for word in words[1:]]
                for k in range(1, len(corners) - 1):
                    triangles.append([corners[0], corners[k], corners[k + 1]])
                    labels.append(part)
    faces = np.array(triangles)
    used = np.unique(faces)
    renumber = np.full(len(points), -1)
    renumber[used] = np.arange(len(used))
    names = sorted(set(labels), key=labels.index)
    part_of_vertex = np.zeros(len(used), int)
    part_of_vertex[renumber[faces].ravel()] = np.repeat([names.index(x) for x in labels], 3)
    vertices = geometry.from_y_up(np.array(points)[used]) * _DECIMETRE
    return BaseMesh(vertices, renumber[faces], part_of_vertex, names, used, len(points))


def read_target(path: pathlib.Path, mesh: BaseMesh) -> np.ndarray:
    """(N,3) float32 metres: one `.target` or `.target.gz` (lines of: vertex dx dy dz)."""
    offsets = np.zeros((mesh.source_count, 3), np.float32)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:  # type: ignore[operator]
        for line in lines:
            words = line.split()
            if len(words) == 4 and not line.startswith("#"):
                offsets[int(words[0])] = [float(x) for x in words[1:]]
    return geometry.from_y_up(offsets[mesh.source]) * _DECIMETRE


def read_expressions(folder: pathlib.Path, mesh: BaseMesh) -> np.ndarray:
    """(N,K,3) float32 metres: units and visemes from the CC0 packs, emotions by recipe."""
    columns = [read_target(folder / "arkit" / f"{name}.target", mesh) for name in slots.ARKIT]
    for name in slots.VISEMES:
        short = name.removeprefix("viseme_")
        file = f"viseme_{_VISEME_FILES.get(short, short)}.target"
        columns.append(read_target(folder / "visemes" / file, mesh))
    units = np.stack(columns[: len(slots.ARKIT)], 1)
    for name in slots.EMOTIONS:
        columns.append(np.einsum("u,nuc->nc", slots.recipe_weights(name), units))
    return np.stack(columns, 1).astype(np.float32)


class Synthesizer:
    """Draws identities from MakeHuman's macro and modelling targets."""

    def __init__(self, targets: pathlib.Path, mesh: BaseMesh) -> None:
        self.mesh = mesh
        macro = targets / "macrodetails"

        def load(path: pathlib.Path) -> np.ndarray:
            return read_target(path, mesh) if path.exists() else np.zeros_like(mesh.vertices)

        self._race = np.array(
            [
                [[load(macro / f"{r}-{g}-{a}.target.gz") for a in _AGES] for g in _GENDERS]
                for r in _RACES
            ],
            np.float32,
        )
        self._shape = np.array(
            [
                [
                    [
                        [load(macro / f"universal-{g}-{a}-{m}-{w}.target.gz") for w in _WEIGHTS]
                        for m in _MUSCLES
                    ]
                    for a in _AGES
                ]
                for g in _GENDERS
            ],
            np.float32,
        )
        self._details: dict[str, list[np.ndarray]] = {}
        for folder in _DETAIL_FOLDERS:
            for path in sorted((targets / folder).glob("*.target.gz")):
                if "head-trans" in path.name or "neck-trans" in path.name:
                    continue
                offset = read_target(path, mesh)
                if np.abs(offset).max() > 1e-7:
                    # l- and r- of one name are drawn together, so that faces stay symmetric
                    key = f"{folder}/{path.name}".replace("/l-", "/").replace("/r-", "/")
                    self._details.setdefault(key, []).append(offset)

    def identity(self, rng: np.random.Generator) -> np.ndarray:
        """(N,3) metres: a person of mixed origin, age and build with a fifth of the modelling
        sliders moved."""
        race, gender = rng.dirichlet([0.5] * 3), rng.dirichlet([0.5] * 2)
        age, muscle, weight = (rng.dirichlet([0.6] * 3) for _ in range(3))
        points = self.mesh.vertices + np.einsum("r,g,a,rganc->nc", race, gender, age, self._race)
        points += np.einsum("g,a,m,w,gamwnc->nc", gender, age, muscle, weight, self._shape)
        for key, offsets in self._details.items():
            if rng.random() < 0.2:
                amount = abs(rng.normal(0, 0.2 if key.startswith("asym") else 0.4))
                for offset in offsets:
                    points += min(amount * rng.uniform(0.85, 1.15), 1.3) * offset
        return points.astype(np.float32)


class Carrier:
    """Carries the base mesh's expressions onto an identity.

    MakeHuman itself adds the base mesh's offsets unchanged, so large eyes do not close. Here an
    offset is turned and stretched with the skin around it (the local affine map from base to
    identity), and a blink ends where the identity's lower lid is.
    """

    _SIGMA = 0.04  # metres; wide, for a narrow fit copies wrinkles into the motion
    _RADIUS = 0.09
    _NEIGHBORS = 160
    _LID_SIGMA = 0.005
    _LID_NEIGHBORS = 24

    def __init__(self, mesh: BaseMesh, expressions: np.ndarray, seed: int = 0) -> None:
        self.mesh = mesh
        self.active = np.nonzero(np.abs(expressions).sum((1, 2)) > 1e-6)[0]
        rng = np.random.default_rng(seed)
        tree = cKDTree(mesh.vertices)
        near = tree.query_ball_point(mesh.vertices[self.active], self._RADIUS)
        picked = np.array(
            [rng.choice(n, self._NEIGHBORS, replace=len(n) < self._NEIGHBORS) for n in near]
        )
        self._fit = geometry.local_affine(mesh.vertices, self.active, picked, self._SIGMA)
        self.blink_slots = [slots.INDEX["eyeBlinkLeft"], slots.INDEX["eyeBlinkRight"]]
        blink = expressions[:, self.blink_slots].sum(1)
        self.lids = np.nonzero(np.abs(blink).sum(1) > 1e-6)[0]
        skin = np.nonzero(mesh.part == mesh.part_names.index("skin"))[0]
        lid_tree = cKDTree(mesh.vertices[skin])
        self._blink = blink[self.lids]
        self._stencils = []
        for points in (mesh.vertices[self.lids], mesh.vertices[self.lids] + self._blink):
            distance, index = lid_tree.query(points, k=self._LID_NEIGHBORS)
            weight = np.exp(-0.5 * (distance / self._LID_SIGMA) ** 2) + 1e-6
            self._stencils.append((skin[index], weight / weight.sum(1, keepdims=True)))

    def matrices(self, identity: np.ndarray) -> np.ndarray:
        """(A,3,3) float32 for the active vertices."""
        return self._fit(identity).astype(np.float32)

    def blink(self, identity: np.ndarray) -> np.ndarray:
        """(L,3) metres: how the vertices `lids` of this identity close both eyes."""
        displacement = identity - self.mesh.vertices
        here, there = (
            np.einsum("nk,nkc->nc", weight, displacement[index]) for index, weight in self._stencils
        )
        return (self._blink + there - here).astype(np.float32)
