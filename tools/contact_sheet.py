#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws every morph target of a .glb at full weight, as one labelled picture.

    python tools/contact_sheet.py face.glb sheet.png
    python tools/contact_sheet.py face.glb lips.png --close mouth --names vrc.v_pp,vrc.v_ou

The neutral face comes first, then the targets, in groups: visemes, emotions, others. A group or a
`--names` list keeps the file's order of targets.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import glb
import render
from render import Floats, Ints

_NEUTRAL = "neutral"
_VISEME_PREFIXES = ("vrc.v_", "v_", "viseme_", "viseme ")
_EMOTIONS = ("joy", "happy", "happiness", "smile", "sad", "sadness", "sorrow", "angry", "anger",
             "surprise", "surprised", "fear", "fearful", "disgust", "disgusted", "fun", "relaxed",
             "contempt", "confused", "excited", "shy", "embarrassed", "blink", "neutral")
_EYE_PARTS = ("eye",)
_NOT_EYES = ("brow", "lash", "lid")
_MOUTH_PARTS = ("teeth", "tooth", "tongue")
_MOUTH_TARGETS = _VISEME_PREFIXES + ("mouth", "jaw")
_EYE_TARGETS = ("eyeblink", "vrc.blink", "blink", "eye")

# sRGB
_PAGE = (238, 240, 243)
_TILE = (0.965, 0.970, 0.976)
_TEXT = (44, 48, 56)
_HEADING = (110, 116, 126)
_MARGIN = 24
_GAP = 12
_LABEL_HEIGHT = 30
_HEADING_HEIGHT = 40
_ASPECT = 1.12  # of a tile: height over width


@dataclass(frozen=True)
class Face:
    """All primitives of a scene as one mesh of V vertices and T triangles.

    positions: [V, 3] metres. triangles: [T, 3]. colors: [V, 3] linear RGB. gloss: [V] 0..1.
    normal_groups: [V] vertices that share a normal. labels: [V] in lower case, the names of the
    node, mesh and material a vertex belongs to. targets: name -> [V, 3] offsets in metres.
    """

    positions: Floats
    triangles: Ints
    colors: Floats
    gloss: Floats
    normal_groups: Ints
    labels: list[str]
    targets: dict[str, Floats]

    @staticmethod
    def of(scene: glb.Scene) -> Face:
        primitives = scene.primitives
        if not primitives:
            raise glb.GlbError("the file has no triangles to draw")
        counts = [len(p.positions) for p in primitives]
        starts = np.cumsum([0] + counts[:-1])
        targets = {
            name: np.concatenate([p.targets.get(name, np.zeros_like(p.positions))
                                  for p in primitives]) for name in scene.target_names()}
        return Face(
            positions=np.concatenate([p.positions for p in primitives]),
            triangles=np.concatenate([p.triangles + start
                                      for p, start in zip(primitives, starts, strict=True)]),
            colors=np.concatenate([_colors(p) for p in primitives]),
            gloss=np.concatenate([np.full(count, 1 - min(1.0, p.material.roughness), np.float32)
                                  for p, count in zip(primitives, counts, strict=True)]),
            normal_groups=_normal_groups(primitives),
            labels=[label for p, count in zip(primitives, counts, strict=True)
                    for label in [f"{p.node}|{p.mesh}|{p.material.name}".lower()] * count],
            targets=targets)

    def surface(self, target: str) -> render.Surface:
        """The face with one target at weight 1, or none of them for 'neutral'."""
        positions = self.positions
        if target in self.targets:
            positions = positions + self.targets[target]
        # Exported normals are those of the neutral face: a moved lid or lip needs its own.
        normals = render.vertex_normals(positions, self.triangles, self.normal_groups)
        return render.Surface(positions, normals, self.triangles, self.colors, self.gloss)


def _colors(primitive: glb.Primitive) -> Floats:
    color = np.array(primitive.material.color, np.float32)
    if primitive.colors is None:
        return np.tile(color, (len(primitive.positions), 1))
    return primitive.colors * color


def _normal_groups(primitives: list[glb.Primitive]) -> Ints:
    """Numbers [V]: copies of a vertex along a seam share one, sides of a hard edge do not."""
    keys = []
    for primitive in primitives:
        # Primitives of one mesh meet along material seams; those of different meshes only touch.
        first = next(i for i, p in enumerate(primitives)
                     if (p.node, p.mesh) == (primitive.node, primitive.mesh))
        normals = np.zeros_like(primitive.positions)
        if primitive.normals is not None:
            normals = np.round(primitive.normals, 2)
        keys.append(np.column_stack([np.full(len(normals), first), primitive.positions, normals]))
    _, groups = np.unique(np.concatenate(keys) + 0.0, axis=0, return_inverse=True)
    return groups.reshape(-1)


def frame(face: Face, close: str | None, yaw: float, aspect: float) -> render.Camera:
    """A camera on the whole face, or on the mouth or the eyes.

    aspect: the tile's height over its width.
    """
    if close == "mouth":
        points, padding = _region(face, _MOUTH_PARTS, (), _MOUTH_TARGETS), 1.45
    elif close == "eyes":
        points, padding = _region(face, _EYE_PARTS, _NOT_EYES, _EYE_TARGETS), 1.45
    else:
        points, padding = _moved(face, tuple(face.targets), 0.12), 1.36
    if not len(points):
        points, padding = face.positions, 1.06
    low, high = points.min(axis=0), points.max(axis=0)
    size = high - low
    width = size[0] * abs(np.cos(np.radians(yaw))) + size[2] * abs(np.sin(np.radians(yaw)))
    height = max(size[1], width * aspect)
    target = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2],
                      np.float32)
    return render.Camera(target, float(height * padding), yaw)


def _region(face: Face, parts: tuple[str, ...], not_parts: tuple[str, ...],
            targets: tuple[str, ...]) -> Floats:
    """Vertices of the named parts, else those that the named targets move most."""
    named = [any(part in label for part in parts) and not any(part in label for part in not_parts)
             for label in face.labels]
    if any(named):
        return face.positions[named]
    names = tuple(name for name in face.targets if name.lower().startswith(targets))
    return _moved(face, names, 0.35)


def _moved(face: Face, names: tuple[str, ...], share: float) -> Floats:
    """Vertices that one of the targets moves by more than `share` of its own largest offset."""
    moved = np.zeros(len(face.positions), bool)
    for name in names:
        length = np.linalg.norm(face.targets[name], axis=1)
        moved |= length > max(share * length.max(), 1e-6)
    return face.positions[moved]


def grouped(names: list[str]) -> list[tuple[str, list[str]]]:
    """Splits target names into headed groups; empty groups are left out."""
    groups: dict[str, list[str]] = {"Visemes": [], "Emotions": [], "Others": []}
    for name in names:
        plain = name.lower()
        if plain.startswith(_VISEME_PREFIXES):
            groups["Visemes"].append(name)
        elif plain.removeprefix("emotion_").removeprefix("vrc.") in _EMOTIONS:
            groups["Emotions"].append(name)
        else:
            groups["Others"].append(name)
    return [(heading, members) for heading, members in groups.items() if members]


def draw(face: Face, names: list[str], *, columns: int, tile: int, close: str | None = None,
         yaw: float = 0.0) -> Image.Image:
    """The sheet: neutral and `names`, `columns` to a row. tile: a tile's width in pixels."""
    # A mouth or a pair of eyes is wider than high.
    tile_height = round(tile * {None: _ASPECT, "mouth": 0.85, "eyes": 0.5}[close])
    camera = frame(face, close, yaw, tile_height / tile)
    groups = grouped(names)
    if groups:
        groups[0] = (groups[0][0], [_NEUTRAL, *groups[0][1]])
    else:
        groups = [("Neutral", [_NEUTRAL])]
    rows = sum(-(-len(members) // columns) for _, members in groups)
    widest = min(columns, max(len(members) for _, members in groups))
    sheet = Image.new("RGB", (
        2 * _MARGIN + widest * (tile + _GAP) - _GAP,
        2 * _MARGIN + len(groups) * _HEADING_HEIGHT + rows * (tile_height + _LABEL_HEIGHT + _GAP)
        - _GAP), _PAGE)
    pen = ImageDraw.Draw(sheet)
    top = _MARGIN
    for heading, members in groups:
        pen.text((_MARGIN, top), heading, _HEADING, ImageFont.load_default(22))
        top += _HEADING_HEIGHT
        for start in range(0, len(members), columns):
            for column, name in enumerate(members[start:start + columns]):
                left = _MARGIN + column * (tile + _GAP)
                picture = render.render(face.surface(name), camera, tile, tile_height, _TILE)
                sheet.paste(picture, (left, top))
                pen.text((left + tile / 2, top + tile_height + _LABEL_HEIGHT / 2), name, _TEXT,
                         _font_for(name, tile), anchor="mm")
            top += tile_height + _LABEL_HEIGHT + _GAP
    return sheet


def _font_for(text: str, width: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, as large as the label's width allows: no system font is needed."""
    for size in range(18, 8, -1):
        font = ImageFont.load_default(size)
        if font.getlength(text) <= width:
            return font
    return font


def chosen_names(available: list[str], wanted: str | None) -> list[str]:
    """The targets to draw; raises GlbError for a name that the file does not have."""
    if wanted is None:
        return available
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    for name in names:
        if name not in available:
            near = difflib.get_close_matches(name, available, 3)
            raise glb.GlbError(f"--names: the file has no morph target '{name}'"
                               + (f"; near it: {', '.join(near)}" if near else ""))
    return names


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input", type=Path, help="a .glb, with or without morph targets")
    parser.add_argument("output", type=Path, help="the picture to write, such as sheet.png")
    parser.add_argument("--names", help="only these targets, separated by commas")
    parser.add_argument("--close", choices=("mouth", "eyes"), help="close-ups of a region")
    parser.add_argument("--columns", type=int, default=8, help="tiles in a row (default 8)")
    parser.add_argument("--tile", type=int, default=300, help="a tile's width in pixels (300)")
    parser.add_argument("--yaw", type=float, default=0.0,
                        help="degrees the camera walks to the avatar's left (0 is in front)")
    options = parser.parse_args(arguments)
    if options.columns < 1 or not 16 <= options.tile <= 4096:
        parser.error("--columns must be at least 1, and --tile from 16 to 4096")
    try:
        scene = glb.read(options.input)
        names = chosen_names(scene.target_names(), options.names)
        sheet = draw(Face.of(scene), names, columns=options.columns, tile=options.tile,
                     close=options.close, yaw=options.yaw)
        sheet.save(options.output)
    except (glb.GlbError, OSError) as error:
        print(f"contact_sheet: {error}", file=sys.stderr)
        return 1
    print(f"{options.output}: {sheet.width} x {sheet.height} pixels, {1 + len(names)} tiles")
    return 0


if __name__ == "__main__":
    sys.exit(main())
