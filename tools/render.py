# SPDX-License-Identifier: Apache-2.0
"""Draws a triangle mesh softly lit, so that a person can judge a face: no GPU, no display server.

Visibility comes from Embree (PyPI's `embreex`): one self-contained wheel that needs numpy and no
system package. VTK draws off-screen too, but is 560 MB and needs Mesa's EGL and LLVM from apt.
Shading is ours: a key light with a soft shadow, a hemisphere of ambient light with occlusion over
short distances (so that a mouth is dark inside and lids read as lids), a soft rim and a highlight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

# Directions towards the lights for a camera that looks along -Z (Y up), linear RGB strengths.
_KEY_DIRECTION = np.array([-0.55, 0.65, 0.95])
_KEY_COLOR = np.array([1.0, 0.96, 0.9]) * 0.80
_FILL_DIRECTION = np.array([0.8, 0.05, 0.7])
_FILL_COLOR = np.array([0.85, 0.92, 1.0]) * 0.22
_SKY_COLOR = np.array([0.92, 0.96, 1.0]) * 0.44
_GROUND_COLOR = np.array([1.0, 0.9, 0.82]) * 0.26
# Seen only as a gleam: low enough to mirror in an eye below its lid.
_GLEAM_DIRECTION = np.array([-0.30, 0.26, 1.0])
_LIGHT_RADIUS = 0.22  # of the key light, relative to its distance: the width of the half-shadow
_WRAP = 0.25  # how far light bleeds past the terminator, as it does in skin
_AMBIENT_REACH = 0.13  # how far ambient light is blocked, relative to the picture's height
_BOUNCE_COLOR = np.array([1.0, 0.62, 0.52]) * 0.16  # from skin that blocks the sky
_AMBIENT_RAYS = 4  # per sample; a pixel has SAMPLES^2 samples
SAMPLES = 2  # per pixel and axis


@dataclass(frozen=True)
class Camera:
    """A perspective camera in front of the face.

    target: the point [3] at the tile's middle, metres. height: what the tile shows from top to
    bottom at the target, metres. yaw: degrees the camera walks towards the avatar's left (+X).
    """

    target: Floats
    height: float
    yaw: float = 0.0
    field_of_view: float = 16.0


@dataclass(frozen=True)
class Surface:
    """A mesh ready to draw.

    positions, normals: [V, 3] metres and unit length. triangles: [T, 3]. colors: [V, 3] linear
    RGB. gloss: [V] strength of the highlight, 0..1.
    """

    positions: Floats
    normals: Floats
    triangles: Ints
    colors: Floats
    gloss: Floats


def vertex_normals(positions: Floats, triangles: Ints, groups: Ints) -> Floats:
    """Smooth unit normals [V, 3], weighted by triangle area.

    groups: [V] vertices with the same number share a normal (the copies along a material seam).
    """
    corners = positions[triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    count = int(groups.max()) + 1 if len(groups) else 0
    sums = np.zeros((count, 3))
    for axis in range(3):
        sums[:, axis] = np.bincount(groups[triangles].ravel(), np.repeat(faces[:, axis], 3), count)
    normals = sums[groups]
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return (normals / np.maximum(lengths, 1e-20)).astype(np.float32)


def render(surface: Surface, camera: Camera, width: int, height: int,
           background: tuple[float, float, float]) -> Image.Image:
    """Draws one picture of width x height pixels. `background` is sRGB in 0..1."""
    noise = _Noise(width, height)
    scene = rtcore_scene.EmbreeScene()
    # Embree reads past neither array, but the binding wants exactly these types.
    TriangleMesh(scene, np.ascontiguousarray(surface.positions, np.float32),
                 np.ascontiguousarray(surface.triangles, np.int32))
    origins, directions = _camera_rays(camera, width * SAMPLES, height * SAMPLES)
    hit = scene.run(origins, directions, output=True)
    seen = np.flatnonzero(hit["primID"] >= 0)

    backdrop = _linear(np.array(background))
    image = np.tile(backdrop.astype(np.float32), (len(origins), 1))
    if len(seen):
        image[seen] = _shade(scene, surface, camera, directions[seen], hit["primID"][seen],
                             hit["u"][seen], hit["v"][seen], noise.of_samples(seen))
    # Averaging after the tone curve keeps bright edges from fraying.
    pixels = _display(image).reshape(height, SAMPLES, width, SAMPLES, 3).mean(axis=(1, 3))
    return Image.fromarray((pixels * 255 + 0.5).astype(np.uint8), "RGB")


class _Noise:
    """Well-spread random numbers for the light rays of a picture's samples; always the same.

    A pixel's rays take consecutive points of Roberts' R2 sequence, which covers the square evenly,
    and every pixel shifts the sequence by its own random amount.
    """

    _RATIO = np.array([0.7548776662466927, 0.5698402909980532])

    def __init__(self, width: int, height: int) -> None:
        shifts = np.random.default_rng(1).random((height, width, 2))
        self._shifts = shifts.repeat(SAMPLES, axis=0).repeat(SAMPLES, axis=1).reshape(-1, 2)
        row, column = np.meshgrid(np.arange(height * SAMPLES), np.arange(width * SAMPLES),
                                  indexing="ij")
        self._turn = (row % SAMPLES * SAMPLES + column % SAMPLES).ravel()

    def of_samples(self, samples: Ints) -> NDArray[np.float64]:
        """Numbers in 0..1, [S, _AMBIENT_RAYS, 2], for these samples of the picture."""
        turns = self._turn[samples, None] * _AMBIENT_RAYS + np.arange(_AMBIENT_RAYS)
        return (self._shifts[samples, None] + turns[:, :, None] * self._RATIO) % 1.0


def _camera_axes(camera: Camera) -> NDArray[np.float64]:
    """Rows: right, up and towards the camera, in world space."""
    yaw = np.radians(camera.yaw)
    return np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])


def _camera_rays(camera: Camera, width: int, height: int) -> tuple[Floats, Floats]:
    right, up, back = _camera_axes(camera)
    distance = camera.height / 2 / np.tan(np.radians(camera.field_of_view) / 2)
    eye = camera.target + back * distance
    pixel = camera.height / height
    columns = (np.arange(width) + 0.5 - width / 2) * pixel
    rows = (height / 2 - np.arange(height) - 0.5) * pixel
    across, along = np.meshgrid(columns, rows)
    directions = (across.ravel()[:, None] * right + along.ravel()[:, None] * up
                  - back * distance)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    origins = np.broadcast_to(eye, directions.shape)
    return np.ascontiguousarray(origins, np.float32), directions.astype(np.float32)


def _shade(scene: rtcore_scene.EmbreeScene, surface: Surface, camera: Camera, view: Floats,
           triangle: Ints, u: Floats, v: Floats, noise: NDArray[np.float64]) -> Floats:
    """Linear RGB [S, 3] of the surface points (triangle, u, v) seen along the rays `view`.

    noise: [S, _AMBIENT_RAYS, 2] random numbers in 0..1.
    """
    corners = surface.triangles[triangle]
    weights = np.stack([1 - u - v, u, v], axis=1)[:, :, None]
    points = (surface.positions[corners] * weights).sum(axis=1)
    normals = _normalized((surface.normals[corners] * weights).sum(axis=1))
    a, b, c = (surface.positions[corners[:, i]] for i in range(3))
    flat = _normalized(np.cross(b - a, c - a))
    flat *= -np.sign(np.einsum("ij,ij->i", flat, view))[:, None]
    # Thin sheets (lashes, hair) are seen from both sides: light the side that is seen.
    normals *= np.where(np.einsum("ij,ij->i", normals, flat) < 0, -1, 1)[:, None]

    axes = _camera_axes(camera)
    key = _normalized(_KEY_DIRECTION[None] @ axes)[0]
    fill = _normalized(_FILL_DIRECTION[None] @ axes)[0]
    start = points + flat * (camera.height * 2e-3)
    lit = _key_visibility(scene, start, key, noise[:, 0])
    open_sky = _ambient_visibility(scene, start, normals, camera.height * _AMBIENT_REACH, noise)

    color = (surface.colors[corners] * weights).sum(axis=1)
    key_light = _wrapped(normals @ key)[:, None] * lit[:, None] * _KEY_COLOR
    fill_light = _wrapped(normals @ fill)[:, None] * open_sky[:, None] * _FILL_COLOR
    upward = (normals[:, 1:2] + 1) / 2
    ambient = ((_SKY_COLOR * upward + _GROUND_COLOR * (1 - upward)) * open_sky[:, None]
               + _BOUNCE_COLOR * (1 - open_sky[:, None]))
    facing = np.clip(-np.einsum("ij,ij->i", normals, view), 0, 1)
    rim = 0.10 * (1 - facing[:, None]) ** 3 * open_sky[:, None]
    gloss = surface.gloss[corners[:, :1]][:, 0]
    shine, gleam = (np.clip(np.einsum("ij,ij->i", normals, _normalized(light - view)), 0, 1)
                    for light in (key, _normalized(_GLEAM_DIRECTION[None] @ axes)[0]))
    highlight = (gloss * lit * 0.10 * shine ** 18 + gloss ** 8 * gleam ** 400)[:, None]
    return (color * (key_light + fill_light + ambient + rim) + highlight).astype(np.float32)


def _key_visibility(scene: rtcore_scene.EmbreeScene, start: NDArray[np.floating],
                    key: NDArray[np.floating], noise: NDArray[np.float64]) -> Floats:
    """1 where a point of the key light is seen, 0 where not; one ray a sample, noise [S, 2]."""
    side = _normalized(np.cross(key, [0.0, 1.0, 0.0]))
    radius, angle = _LIGHT_RADIUS * np.sqrt(noise[:, 0]), 2 * np.pi * noise[:, 1]
    directions = (key + (radius * np.cos(angle))[:, None] * side
                  + (radius * np.sin(angle))[:, None] * np.cross(side, key))
    blocked = scene.run(start.astype(np.float32), _normalized(directions).astype(np.float32),
                        query="OCCLUDED")
    return (np.asarray(blocked) < 0).astype(np.float32)


def _ambient_visibility(scene: rtcore_scene.EmbreeScene, start: NDArray[np.floating],
                        normals: NDArray[np.floating], reach: float,
                        noise: NDArray[np.float64]) -> Floats:
    """How much of the hemisphere over each point is free within `reach` metres, 0..1."""
    free = np.zeros(len(start), np.float32)
    distances = np.full(len(start), reach, np.float32)
    for ray in range(_AMBIENT_RAYS):
        height = 2 * noise[:, ray, 0] - 1
        radius, angle = np.sqrt(1 - height * height), 2 * np.pi * noise[:, ray, 1]
        ball = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), height])
        # A normal plus a point on the unit sphere: directions weighted by the cosine.
        directions = _normalized(normals + ball * 0.999)
        blocked = scene.run(start.astype(np.float32), directions.astype(np.float32),
                            dists=distances, query="OCCLUDED")
        free += np.asarray(blocked) < 0
    return free / _AMBIENT_RAYS


def _wrapped(cosine: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.clip((cosine + _WRAP) / (1 + _WRAP), 0, 1) ** 1.2


def _normalized(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(lengths, 1e-20)


def _linear(srgb: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _display(linear: Floats) -> Floats:
    """sRGB's curve, clipped to 0..1."""
    value = np.clip(linear, 0, 1)
    return np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)
