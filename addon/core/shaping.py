# SPDX-License-Identifier: GPL-3.0-or-later
"""From predicted offsets to the offsets of the shape keys."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

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


def shapes_of(
    spec: KeySpec, joint: Joint, offsets: Any, strength: float, split_width: float = 0.02
) -> list[Shape]:
    """The key's offsets for each object, from the prediction [M,3] that it is made of."""
    shapes = []
    for index, part in enumerate(joint.parts):
        factor: Any = strength
        if spec.side:
            factor = side_weights(part.x, spec.side, split_width) * np.float32(strength)
        local = part.local_offsets(offsets, factor)
        shapes.append(Shape(spec, index, local, int(np.count_nonzero(local.any(axis=1)))))
    return shapes


def _model_lengths(part: Part, local_offsets: Any) -> Any:
    """[k] metres in the model's space."""
    return np.linalg.norm(local_offsets @ np.linalg.inv(part.to_local).T, axis=1)


def _nudge(shape: Shape, part: Part, position: int, size: float) -> None:
    """Moves one vertex forward by `size` metres in the model's space."""
    step = np.array([0.0, -size, 0.0], dtype=np.float32) @ part.to_local.T
    shape.offsets = shape.offsets.copy()
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
    chin = _lowest(part, 2 * len(own))
    yield None
    moves = np.zeros(len(part.vertices), dtype=bool)
    for shape in own:
        moves |= shape.offsets.any(axis=1)
        yield None
    moving = np.flatnonzero(moves)
    rows = np.union1d(moving[:: max(1, len(moving) // _COMPARED)], chin)
    yield None
    seen: list[Any] = []
    for number, shape in enumerate(own):
        if float(_model_lengths(part, shape.offsets).max(initial=0.0)) < SAME:
            _nudge(shape, part, int(chin[number % len(chin)]), TINY)
        for attempt in range(1, len(chin)):
            if not any(_equal(shape.offsets[rows], other, part) for other in seen):
                break
            _nudge(shape, part, int(chin[(number + attempt) % len(chin)]), TINY * (1 + attempt))
        seen.append(shape.offsets[rows])
        yield None


def main_part(shapes: Sequence[Shape], joint: Joint) -> int:
    """The object that moves most, or the largest if none moves."""
    moving = [0] * len(joint.parts)
    for shape in shapes:
        moving[shape.part] += shape.moving
    sizes = moving if any(moving) else [len(part.vertices) for part in joint.parts]
    return int(np.argmax(sizes))


def _lowest(part: Part, count: int) -> Any:
    """int64 [count or fewer]: the lowest of the part's vertices that may move."""
    up = np.linalg.inv(part.to_local)[2].astype(np.float32)
    heights = np.where(part.weights > 0.5, part.co[part.vertices] @ up, np.inf)
    count = min(count, len(heights))
    return np.sort(np.argpartition(heights, count - 1)[:count])


def _equal(one: Any, other: Any, part: Part) -> bool:
    return float(_model_lengths(part, one - other).max(initial=0.0)) < SAME


@dataclasses.dataclass(frozen=True)
class Quality:
    """Figures for the result list."""

    mean_mm: float  # over the vertices that move
    max_mm: float
    moving: int  # vertices that move by more than 0.01 mm
    smoothness: float  # the server's, 0 to 1


def quality_of(shape: Shape, part: Part, smoothness: float, size_factor: float = 1.0) -> Quality:
    """Measured on what is written, strength and region included, in millimetres of the avatar."""
    lengths = _model_lengths(part, shape.offsets) / size_factor
    moving = lengths > 1e-5
    mean = float(lengths[moving].mean()) if moving.any() else 0.0
    return Quality(
        round(mean * 1000, 3),
        round(float(lengths.max(initial=0.0)) * 1000, 3),
        int(np.count_nonzero(moving)),
        round(smoothness, 4),
    )


# ---- is it a face? ----


def face_evidence(positions: Any, offsets: Mapping[str, Any]) -> float | None:
    """How much the predicted motions look like those of a face, 0 to 1; None: cannot tell.

    A face that the model understands moves its left lids on the left, its right lids on the right,
    its jaw below them and downwards, and never all of itself. The parts of the score:
    the side of each blink, the height of the jaw below the lids, the jaw's direction, and how local
    the blinks are.

    Args:
        positions: [M,3] in the model's space.
        offsets: Blendwire's names -> [M,3]; eyeBlinkLeft, eyeBlinkRight and jawOpen are looked at.
    """
    names = ("eyeBlinkLeft", "eyeBlinkRight", "jawOpen")
    if any(name not in offsets for name in names):
        return None
    some = slice(None, None, max(1, len(positions) // _COMPARED))
    positions = positions[some]
    offsets = {name: offsets[name][some] for name in names}
    size = float((positions.max(axis=0) - positions.min(axis=0)).max())
    centres, spreads = {}, {}
    for name in names:
        weights = np.linalg.norm(offsets[name], axis=1)
        total = float(weights.sum())
        if total <= 1e-9 or size <= 0.0:
            return 0.0
        centre = (positions * weights[:, None]).sum(axis=0) / total
        distance = ((positions - centre) ** 2).sum(axis=1)
        centres[name] = centre
        spreads[name] = float(np.sqrt((distance * weights).sum() / total)) / size
    left, right, jaw = (centres[n] for n in names)
    eyes = (left + right) / 2
    gap = float(left[0] - right[0]) / size
    scores = [
        np.clip(gap / 0.08, 0, 1),
        np.clip(float(eyes[2] - jaw[2]) / size / 0.08, 0, 1),
        np.clip(-_mean_direction(offsets["jawOpen"])[2] / 0.6, 0, 1),
        np.clip((0.3 - max(spreads["eyeBlinkLeft"], spreads["eyeBlinkRight"])) / 0.15, 0, 1),
        np.clip(1 - abs(float(left[2] - right[2])) / size / 0.05, 0, 1),
    ]
    return float(np.min(scores))


def _mean_direction(offsets: Any) -> Any:
    """[3]: of the motion, weighted by its length; shorter than 1 where it disagrees."""
    total = float(np.linalg.norm(offsets, axis=1).sum())
    return offsets.sum(axis=0) / total if total > 0 else np.zeros(3)
