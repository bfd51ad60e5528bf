# SPDX-License-Identifier: GPL-3.0-or-later
"""From predicted offsets to the offsets of the shape keys."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .arrays import lengths, nonzero, row_slices, transformed
from .expressions import KeySpec
from .gather import Joint, Part
from .region import side_weights

TINY = 1e-4
"""Metres in the model's space: nobody sees it, and no exporter takes it for nothing."""

SAME = 2e-5
"""Metres: keys that nowhere differ by more count as equal. Exporters round at about 1e-6."""


_COMPARED = 2000
"""So many vertices, evenly chosen, stand for all where that is enough."""


@dataclasses.dataclass
class Shape:
    """One key of one object, ready to be written.

    Attributes:
        spec: Which key.
        part: Index of the object's part.
        offsets: [k,3] float32, local.
        moving: How many vertices move.
        nudged: Whether it got a tiny motion because it had none of its own.
    """

    spec: KeySpec
    part: int
    offsets: Any
    moving: int = 0
    nudged: bool = False


def shape_steps(
    spec: KeySpec, joint: Joint, offsets: Any, strength: float, split_width: float = 0.02
) -> Iterator[list[Shape] | None]:
    """As shapes_of(), in pieces: yields None until the last, the result."""
    shapes = []
    for index, part in enumerate(joint.parts):
        shape = Shape(spec, index, np.empty((len(part.sent), 3), dtype=np.float32))
        for rows in row_slices(len(part.sent)):
            factor: Any = strength
            if spec.side:
                factor = side_weights(part.x[rows], spec.side, split_width) * np.float32(strength)
            local = part.local_offsets(offsets, factor, rows)
            shape.offsets[rows] = local
            shape.moving += int(np.count_nonzero(nonzero(local)))
            yield None
        shapes.append(shape)
    yield shapes


def shapes_of(
    spec: KeySpec, joint: Joint, offsets: Any, strength: float, split_width: float = 0.02
) -> list[Shape]:
    """The key's offsets for each object, from the prediction [M,3] that it is made of."""
    shapes = list(shape_steps(spec, joint, offsets, strength, split_width))[-1]
    assert shapes is not None
    return shapes


def _model_length_steps(part: Part, local_offsets: Any) -> Iterator[Any]:
    """[k] metres in the model's space, in pieces: yields None until the last, the result."""
    to_model = np.linalg.inv(part.to_local)
    result = np.empty(len(local_offsets), dtype=np.float32)
    for rows in row_slices(len(result)):
        result[rows] = lengths(transformed(local_offsets[rows], to_model))
        yield None
    yield result


def _nudge(shape: Shape, part: Part, position: int, size: float) -> None:
    """Moves one vertex forward by `size` metres in the model's space."""
    step = np.array([0.0, -size, 0.0], dtype=np.float32) @ part.to_local.T
    shape.offsets[position % len(shape.offsets)] += step
    shape.nudged = True


def make_distinct_steps(shapes: Sequence[Shape], joint: Joint) -> Iterator[None]:
    """Gives each empty viseme, and each that equals another, a tiny motion of its own.

    VRChat's lip sync needs all fifteen, and importers drop keys that move nothing. It matters on
    the object with the mouth only. Keys are compared at some thousand vertices: two that are equal
    there but not elsewhere get a tiny motion, too, which harms nobody.
    """
    visemes = [s for s in shapes if s.spec.must_differ]
    if not visemes:
        return
    main = main_part(visemes, joint)
    part = joint.parts[main]
    own = [s for s in visemes if s.part == main]
    chin: Any = None
    for chin in _lowest_steps(part, 2 * len(own)):
        yield None
    moves = np.zeros(len(part.vertices), dtype=bool)
    for shape in own:
        moves |= nonzero(shape.offsets)
        yield None
    moving = np.flatnonzero(moves)
    # No np.union1d(): the first of its calls imports numpy's masked arrays, for 8 ms.
    compared = np.zeros(len(part.vertices), dtype=bool)
    compared[moving[:: max(1, len(moving) // _COMPARED)]] = True
    compared[chin] = True
    compared = np.flatnonzero(compared)
    yield None
    to_model = np.linalg.inv(part.to_local)
    seen: list[Any] = []
    for number, shape in enumerate(own):
        long: Any = None
        for long in _model_length_steps(part, shape.offsets):
            yield None
        if float(long.max(initial=0.0)) < SAME:
            _nudge(shape, part, int(chin[number % len(chin)]), TINY)
        for attempt in range(1, len(chin)):
            offsets = transformed(shape.offsets[compared], to_model)
            if not any(_equal(offsets, other) for other in seen):
                break
            _nudge(shape, part, int(chin[(number + attempt) % len(chin)]), TINY * (1 + attempt))
            yield None
        seen.append(transformed(shape.offsets[compared], to_model))
        yield None


def main_part(shapes: Sequence[Shape], joint: Joint) -> int:
    """The object that moves most, or the largest if none moves."""
    moving = [0] * len(joint.parts)
    for shape in shapes:
        moving[shape.part] += shape.moving
    sizes = moving if any(moving) else [len(part.vertices) for part in joint.parts]
    return int(np.argmax(sizes))


def _lowest_steps(part: Part, count: int) -> Iterator[Any]:
    """int64 [count or fewer]: the lowest of the part's vertices that may move; None until the
    last."""
    heights = np.zeros(len(part.vertices), dtype=np.float32)
    for axis, factor in enumerate(np.linalg.inv(part.to_local)[2].astype(np.float32)):
        heights += part.co[part.vertices, axis] * factor
    yield None
    heights[part.weights <= 0.5] = np.inf
    count = min(count, len(heights))
    yield np.sort(np.argpartition(heights, count - 1)[:count])


def _equal(one: Any, other: Any) -> bool:
    return float(lengths(one - other).max(initial=0.0)) < SAME


@dataclasses.dataclass(frozen=True)
class Quality:
    """Figures for the result list."""

    mean_mm: float  # over the vertices that move
    max_mm: float
    moving: int  # vertices that move by more than 0.01 mm
    smoothness: float  # the server's, 0 to 1


def quality_steps(
    shape: Shape, part: Part, smoothness: float, size_factor: float = 1.0
) -> Iterator[Quality | None]:
    """As quality_of(), in pieces: yields None until the last, the result."""
    long: Any = None
    for long in _model_length_steps(part, shape.offsets):
        yield None
    long = long / size_factor
    moving = long > 1e-5
    mean = float(long[moving].mean()) if moving.any() else 0.0
    yield Quality(
        round(mean * 1000, 3),
        round(float(long.max(initial=0.0)) * 1000, 3),
        int(np.count_nonzero(moving)),
        round(smoothness, 4),
    )


def quality_of(shape: Shape, part: Part, smoothness: float, size_factor: float = 1.0) -> Quality:
    """Measured on what is written, strength and region included, in millimetres of the avatar."""
    quality = list(quality_steps(shape, part, smoothness, size_factor))[-1]
    assert quality is not None
    return quality
