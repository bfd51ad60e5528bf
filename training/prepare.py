# SPDX-License-Identifier: Apache-2.0
"""Turns the data sets into rigs: `python3 -m training.prepare --data DATA --cache CACHE`.

Writes one .npz per rig to CACHE. README.md names the files that DATA must hold.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import tarfile

import numpy as np
from scipy.spatial import cKDTree

from . import artists, contact, geometry, landmarks, makehuman, margins, rigs, slots

DATA_VARIABLE = "BLENDWIRE_TRAINING_DATA"
SURFACE_MARKS = 31  # landmarks beyond the 17 semantic ones, spread over the face
MARKS = len(landmarks.NAMES) + SURFACE_MARKS
RECIPE_WEIGHT = 0.35  # how much an emotion made by recipe counts against an artist's own
# ICT-FaceKit: vertex ranges of its parts; what hides the eyes (a wet rim, occluders) is left out
_ICT_PARTS = (
    ("skin", 0, 11248),
    ("socket", 11248, 14062),
    ("gums_tongue", 14062, 17039),
    ("teeth", 17039, 21451),
    ("eyes", 21451, 24591),
    ("lashes", 25351, 26719),
)


class Template:
    """MakeHuman's base face: the place where all rigs are brought into correspondence."""

    def __init__(self, vertices: np.ndarray, offsets: dict[str, np.ndarray], skin: np.ndarray):
        self.vertices = vertices
        self.semantic = landmarks.find(vertices[skin], {k: v[skin] for k, v in offsets.items()})
        points = np.array([self.semantic[name] for name in landmarks.NAMES])
        surface = self._spread(offsets, skin)
        self.surface_index = surface
        self.marks = np.r_[points, vertices[surface]]
        self.center = self.marks.mean(0)
        self.scale = float(np.sqrt(((self.marks - self.center) ** 2).mean()))

    def _spread(self, offsets: dict[str, np.ndarray], skin: np.ndarray) -> np.ndarray:
        """Vertices spread over the left half of the face by farthest-point sampling, denser where
        expressions move, with their mirror images and the midline."""
        span = landmarks.eye_distance(self.semantic)
        size = np.stack([np.linalg.norm(o, axis=1) for o in offsets.values()], 1)
        active = (size / (size.max(0) + 1e-9)).max(1)
        points = self.vertices
        eyes = landmarks.eye_middle(self.semantic)
        inside = (np.abs(points - eyes) < np.array([1.2, 1.0, 1.7]) * span).all(1)
        face = np.nonzero(skin & inside & (points[:, 0] > -1e-4))[0]
        face = face[landmarks.seen_from_front(points[face], 0.15 * span, 0.08 * span)]
        density = 0.15 + active[face]
        chosen: list[int] = []
        count = 0
        distance = np.full(len(face), np.inf)
        distance[:] = np.linalg.norm(points[face] - self.semantic["nose"], axis=1)
        while count < SURFACE_MARKS:
            score = distance * density
            best = int(score.argmax())
            on_midline = points[face[best], 0] < 0.03 * span
            if not on_midline and count + 2 > SURFACE_MARKS:
                distance[points[face, 0] >= 0.03 * span] = 0
                continue
            chosen.append(face[best])
            count += 1 if on_midline else 2
            distance = np.minimum(
                distance, np.linalg.norm(points[face] - points[face[best]], axis=1)
            )
        middle = [i for i in chosen if points[i, 0] < 0.03 * span]
        left = [i for i in chosen if points[i, 0] >= 0.03 * span]
        everywhere = np.nonzero(skin)[0]
        mirror = cKDTree(points[everywhere]).query(points[left] * [-1, 1, 1])[1]
        self.midline_count = len(middle)
        return np.array(middle + left + list(everywhere[mirror]))

    def mirror_permutation(self) -> np.ndarray:
        """(L,) int: which landmark each one becomes when left and right are exchanged."""
        first = len(landmarks.NAMES)
        middle = first + np.arange(self.midline_count)
        half = (SURFACE_MARKS - self.midline_count) // 2
        left = first + self.midline_count + np.arange(half)
        return np.r_[landmarks.mirror_permutation(), middle, left + half, left]

    def normalized(self, points: np.ndarray) -> np.ndarray:
        return ((points - self.center) / self.scale).astype(np.float32)


def activity_of(offsets: np.ndarray) -> np.ndarray:
    """(N,) from (3,N,K)."""
    size = np.linalg.norm(offsets, axis=0)
    return (size / (size.max(0) + 1e-9)).max(1).astype(np.float32)


def contact_of(vertices: np.ndarray, offsets: dict[str, np.ndarray], span: float) -> np.ndarray:
    motions = [landmarks.blink_of(offsets), landmarks.open_mouth_of(offsets)]
    if "jawOpen" in offsets:
        motions.append(offsets["jawOpen"])
    moving = np.nonzero(np.max([np.linalg.norm(m, axis=1) for m in motions], axis=0) > 0)[0]
    center = vertices[moving].mean(0)
    near = np.linalg.norm(vertices - center, axis=1) < 3 * span
    weight = np.zeros(len(vertices), np.float32)
    weight[near] = contact.contact_weight(vertices[near], [m[near] for m in motions], span)
    return weight


def by_name(offsets: np.ndarray, weight: np.ndarray) -> dict[str, np.ndarray]:
    """name -> (N,3) from (3,N,K): the expressions that are there."""
    return {
        name: offsets[:, :, i].T.astype(np.float64)
        for name, i in slots.INDEX.items()
        if weight[i] > 0
    }


def marks_of_identities(
    base: np.ndarray, marks: np.ndarray, identities: np.ndarray, neighbors: int = 4
) -> np.ndarray:
    """(I,L,3): landmarks moved along with the nearest vertices of the base."""
    index = cKDTree(base).query(marks, k=neighbors)[1]
    return (marks + (identities[:, index] - base[index]).mean(2)).astype(np.float32)


def all_normals(identities: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    groups = geometry.weld(identities[0])
    return np.array([geometry.vertex_normals(p, triangles, groups) for p in identities], np.float16)


def add_recipes(offsets: np.ndarray, weight: np.ndarray) -> None:
    """Fills missing emotions, in place, where all units of the recipe are there."""
    for name in slots.EMOTIONS:
        recipe, slot = slots.recipe_weights(name), slots.INDEX[name]
        units = np.nonzero(recipe)[0]
        if weight[slot] == 0 and (weight[units] > 0).all():
            offsets[:, :, slot] = offsets[:, :, units] @ recipe[units]
            weight[slot] = 1.0 if name == "emotion_Blink" else RECIPE_WEIGHT


def unpacked(data: pathlib.Path, work: pathlib.Path, name: str) -> pathlib.Path:
    """The folder DATA/name, or what DATA/name.tar.xz holds, unpacked into `work`."""
    if (data / name).is_dir():
        return data / name
    if not (work / name).exists():
        with tarfile.open(data / f"{name}.tar.xz") as tar:
            tar.extractall(work)
    return work / name


def prepare_makehuman(
    data: pathlib.Path, work: pathlib.Path, count: int, seed: int
) -> tuple[rigs.Rig, Template]:
    head = unpacked(data, work, "makehuman-head")
    mesh = makehuman.read_base(head / "3dobjs/base.obj")
    units = unpacked(data, work, "makehuman-faceunits")
    expressions = makehuman.read_expressions(units, mesh)
    carrier = makehuman.Carrier(mesh, expressions)
    synthesizer = makehuman.Synthesizer(head / "targets", mesh)
    identities = np.array(
        [synthesizer.identity(np.random.default_rng([seed, i])) for i in range(count)]
    )
    offsets = np.ascontiguousarray(np.moveaxis(expressions, 2, 0))
    weight = np.ones(slots.COUNT, np.float32)
    for name in slots.EMOTIONS[:-1]:
        weight[slots.INDEX[name]] = RECIPE_WEIGHT
    named = by_name(offsets, weight)
    skin = mesh.part == mesh.part_names.index("skin")
    template = Template(mesh.vertices, named, skin)
    rig = rigs.Rig(
        name="makehuman",
        artist="MakeHuman",
        style="human",
        identities=identities,
        normals=all_normals(identities, mesh.triangles),
        triangles=mesh.triangles,
        offsets=offsets,
        slot_weight=weight,
        part=mesh.part,
        part_names=mesh.part_names,
        canonical=template.normalized(mesh.vertices),
        contact=contact_of(mesh.vertices, named, landmarks.eye_distance(template.semantic)),
        margins=margins.labels(mesh.vertices, mesh.triangles, named),
        activity=activity_of(offsets),
        marks=marks_of_identities(mesh.vertices, template.marks, identities),
        mark_weight=np.ones(MARKS, np.float32),
        base_vertices=mesh.vertices.astype(np.float32),
        carried=carrier.active,
        matrices=np.array([carrier.matrices(p) for p in identities]),
        lids=carrier.lids,
        blinks=np.array([carrier.blink(p) for p in identities]),
    )
    return rig, template


def register(
    rig_vertices: np.ndarray, named: dict[str, np.ndarray], template: Template, face: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(canonical (N,3), marks (L,3), mark_weight (L,)) of a rig by its own expressions.

    `face` (N,) bool: the vertices on which the surface landmarks may lie.
    """
    own = landmarks.find(rig_vertices, named)
    to_template = landmarks.spline(own, template.semantic)
    to_rig = landmarks.spline(template.semantic, own)
    marks = to_rig(template.marks)
    weight = np.ones(MARKS, np.float32)
    for i, name in enumerate(landmarks.NAMES):
        if name in own:
            marks[i] = own[name]
        else:
            weight[i] = 0
    first = len(landmarks.NAMES)
    span = landmarks.eye_distance(own)
    points = rig_vertices[face]
    distance, nearest = cKDTree(points).query(marks[first:])
    weight[first:] = distance < 0.35 * span
    marks[first:] = 0.5 * (marks[first:] + points[nearest])  # half-way: coarse meshes have few
    return template.normalized(to_template(rig_vertices)), marks, weight


def prepare_ict(data: pathlib.Path, template: Template, count: int, seed: int) -> rigs.Rig:
    with np.load(data / "ict-facekit.npz") as file:
        values = {name: file[name] for name in file.files}
    part = np.full(len(values["neutral"]), -1)
    for i, (_, start, end) in enumerate(_ICT_PARTS):
        part[start:end] = i
    triangles = values["triangles"]
    triangles = triangles[(part[triangles] >= 0).all(1)]
    used = np.unique(triangles)
    renumber = np.full(len(part), -1)
    renumber[used] = np.arange(len(used))
    triangles = renumber[triangles]
    neutral = geometry.from_y_up(values["neutral"][used]).astype(np.float32)
    modes = geometry.from_y_up(values["identity_modes"][:, used]).astype(np.float32)
    rng = np.random.default_rng(seed)
    mix = np.clip(rng.normal(0, 1, (count, len(modes))), -1.6, 1.6).astype(np.float32)
    mix[0] = 0
    identities = neutral + np.tensordot(mix, modes, 1)

    def expression(name: str) -> np.ndarray | None:
        side = name.replace("Left", "_L").replace("Right", "_R")
        for key in (name, side):
            if f"expression__{key}" in values:
                return values[f"expression__{key}"]
        both = [values.get(f"expression__{name}_{s}") for s in "LR"]
        return None if both[0] is None else both[0] + both[1]

    offsets = np.zeros((3, len(used), slots.COUNT), np.float32)
    weight = np.zeros(slots.COUNT, np.float32)
    for i, name in enumerate(slots.ARKIT):
        found = expression(name)
        if found is not None:
            offsets[:, :, i] = geometry.from_y_up(found[used]).T
            weight[i] = 1
    add_recipes(offsets, weight)
    named = by_name(offsets, weight)
    canonical, marks, mark_weight = register(neutral, named, template, part[used] == 0)
    return rigs.Rig(
        name="ict",
        artist="ICT-FaceKit",
        style="human",
        identities=identities.astype(np.float32),
        normals=all_normals(identities, triangles),
        triangles=triangles,
        offsets=offsets,
        slot_weight=weight,
        part=part[used],
        part_names=[name for name, _, _ in _ICT_PARTS],
        canonical=canonical,
        contact=contact_of(neutral, named, landmarks.eye_distance(template.semantic)),
        margins=margins.labels(neutral, triangles, named),
        activity=activity_of(offsets),
        marks=marks_of_identities(neutral, marks, identities),
        mark_weight=mark_weight,
    )


def prepare_avatar(path: pathlib.Path, template: Template) -> rigs.Rig:
    with np.load(path, allow_pickle=False) as file:
        values = {name: file[name] for name in file.files}
    vertices = geometry.from_y_up(values["vertices"]).astype(np.float32)
    triangles = values["triangles"].astype(int)
    offsets = np.zeros((3, len(vertices), slots.COUNT), np.float32)
    weight = np.zeros(slots.COUNT, np.float32)
    for key, value in values.items():
        if not key.startswith("offset__") or np.abs(value).max() < 1e-6:
            continue
        name = key.removeprefix("offset__")
        slot = slots.INDEX.get(name, slots.INDEX.get("emotion_" + name))
        if slot is not None:
            offsets[:, :, slot] = geometry.from_y_up(value).T
            weight[slot] = 1
    artist = artists.of_file(path.stem)
    if artist.style == "human":
        add_recipes(offsets, weight)
    named = by_name(offsets, weight)
    active = activity_of(offsets)
    part = values.get("part", np.zeros(len(vertices), int)).astype(int)
    moving_parts = np.unique(part[active > 0.3])
    face = np.isin(part, moving_parts)
    canonical, marks, mark_weight = register(vertices, named, template, face)
    span = landmarks.eye_distance(landmarks.find(vertices, named))
    names = [str(x) for x in values["part_names"]] if "part_names" in values else ["all"]
    return rigs.Rig(
        name=path.stem,
        artist=artist.name,
        style=artist.style,
        identities=vertices[None],
        normals=all_normals(vertices[None], triangles),
        triangles=triangles,
        offsets=offsets,
        slot_weight=weight,
        part=part,
        part_names=names,
        canonical=canonical,
        contact=contact_of(vertices, named, span),
        margins=margins.labels(vertices, triangles, named),
        activity=active,
        marks=marks[None].astype(np.float32),
        mark_weight=mark_weight,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data",
        type=pathlib.Path,
        default=os.environ.get(DATA_VARIABLE),
        help=f"the folder of data sets (or the environment variable {DATA_VARIABLE})",
    )
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="where to write the rigs")
    parser.add_argument("--makehuman", type=int, default=416, help="MakeHuman identities to draw")
    parser.add_argument("--ict", type=int, default=166, help="ICT-FaceKit identities to draw")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if not arguments.data:
        parser.error(f"give --data or set {DATA_VARIABLE}: the folder that README.md describes")
    work = arguments.cache / "unpacked"
    work.mkdir(parents=True, exist_ok=True)
    rig, template = prepare_makehuman(arguments.data, work, arguments.makehuman, arguments.seed)
    rigs.save(rig, arguments.cache / "makehuman.npz")
    print(f"makehuman: {rig.count} identities of {rig.identities.shape[1]} vertices", flush=True)
    ict = prepare_ict(arguments.data, template, arguments.ict, arguments.seed)
    rigs.save(ict, arguments.cache / "ict.npz")
    print(f"ict: {ict.count} identities of {ict.identities.shape[1]} vertices", flush=True)
    for path in sorted((arguments.data / "avatars").glob("*.npz")):
        avatar = prepare_avatar(path, template)
        rigs.save(avatar, arguments.cache / f"{avatar.name}.npz")
        print(f"{avatar.name}: {int((avatar.slot_weight > 0).sum())} expressions", flush=True)
    settings = {
        "center": template.center.tolist(),
        "scale": template.scale,
        "mark_mirror": template.mirror_permutation().tolist(),
        "marks": template.normalized(template.marks).tolist(),
    }
    (arguments.cache / "template.json").write_text(json.dumps(settings), encoding="utf-8")


if __name__ == "__main__":
    main()
