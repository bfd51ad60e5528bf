# SPDX-License-Identifier: Apache-2.0
"""A small software renderer for contact sheets: flat shading, depth buffer, no GPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

_PALETTE = np.array(
    [
        [232, 198, 178],
        [150, 190, 230],
        [150, 190, 230],
        [235, 235, 225],
        [235, 235, 225],
        [90, 70, 60],
        [220, 120, 130],
        [200, 180, 220],
    ],
    float,
)
_BACKGROUND = 34
_LIGHT = np.array([0.35, -0.8, 0.5]) / np.linalg.norm([0.35, -0.8, 0.5])
_MAX_EDGE = 5.0  # pixels; longer triangles are split before they are drawn


def _split(corners: np.ndarray, color: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Halves triangles (T,3,3) at their longest edge until none is longer than _MAX_EDGE."""
    done, done_color = [], []
    for _ in range(24):
        edges = np.linalg.norm((corners - np.roll(corners, -1, 1))[..., :2], axis=2)
        large = edges.max(1) > _MAX_EDGE
        done.append(corners[~large])
        done_color.append(color[~large])
        if not large.any():
            break
        rows = np.arange(large.sum())
        first = edges[large].argmax(1)
        part, part_color = corners[large], color[large]
        a, b, c = (part[rows, (first + k) % 3] for k in range(3))
        middle = (a + b) / 2
        corners = np.concatenate([np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)])
        color = np.concatenate([part_color, part_color])
    return np.concatenate(done), np.concatenate(done_color)


def render(
    vertices: np.ndarray,
    triangles: np.ndarray,
    part: np.ndarray,
    center: np.ndarray,
    extent: float,
    size: int = 180,
    yaw: float = 0.0,
) -> np.ndarray:
    """(size, size, 3) uint8: the mesh from the front, `extent` metres wide; yaw in degrees."""
    angle = np.radians(yaw)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    points = (vertices - center) @ turn.T
    screen = np.stack(
        [
            points[:, 0] / extent * size + size / 2,
            size / 2 - points[:, 2] / extent * size,
            points[:, 1],
        ],
        1,
    )
    low, high = screen[triangles].min(1), screen[triangles].max(1)
    shown = (high[:, :2] > 0).all(1) & (low[:, :2] < size).all(1) & (low[:, 2] < extent)
    triangles = triangles[shown]
    corners = points[triangles]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-15)
    shade = 0.25 + 0.75 * np.clip(normal @ _LIGHT, 0, 1)
    shade[normal[:, 1] > 0] *= 0.45  # seen from behind
    color = _PALETTE[part[triangles[:, 0]] % len(_PALETTE)] * shade[:, None]
    pieces, color = _split(screen[triangles], color)
    image = np.full((size * size, 3), _BACKGROUND, np.uint8)
    depth = np.full(size * size, np.inf)
    a, b, c = pieces[:, 0], pieces[:, 1], pieces[:, 2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    pieces, color = pieces[area != 0], color[area != 0]
    a, b, c, area = pieces[:, 0], pieces[:, 1], pieces[:, 2], area[area != 0]
    corner = np.floor(pieces[..., :2].min(1)).astype(int)
    reach = int(_MAX_EDGE) + 2
    for dy in range(reach):
        for dx in range(reach):
            x, y = corner[:, 0] + dx, corner[:, 1] + dy
            px, py = x + 0.5, y + 0.5
            u = ((b[:, 0] - px) * (c[:, 1] - py) - (b[:, 1] - py) * (c[:, 0] - px)) / area
            v = ((c[:, 0] - px) * (a[:, 1] - py) - (c[:, 1] - py) * (a[:, 0] - px)) / area
            w = 1 - u - v
            hit = (np.minimum(np.minimum(u, v), w) >= -1e-4) & (x >= 0) & (x < size)
            hit &= (y >= 0) & (y < size)
            if not hit.any():
                continue
            z = (u * a[:, 2] + v * b[:, 2] + w * c[:, 2])[hit]
            pixel = (y * size + x)[hit]
            np.minimum.at(depth, pixel, z)
            front = z <= depth[pixel]
            image[pixel[front]] = color[hit][front].astype(np.uint8)
    return image.reshape(size, size, 3)


def sheet(rows: Sequence[tuple[str, Sequence[tuple[str, np.ndarray]]]]) -> Image.Image:
    """Rows of (label, [(caption, image)]) on one picture."""
    size = rows[0][1][0][1].shape[0]
    width = max(len(cells) for _, cells in rows) * size
    strip = 13
    picture = Image.new("RGB", (width, len(rows) * (size + strip)))
    draw = ImageDraw.Draw(picture)
    for r, (label, cells) in enumerate(rows):
        for c, (caption, image) in enumerate(cells):
            picture.paste(Image.fromarray(image), (c * size, r * (size + strip) + strip))
            text = f"{label}: {caption}" if c == 0 else caption
            draw.text((c * size + 3, r * (size + strip)), text, fill=(255, 255, 255))
    return picture
