# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be wrong with the chosen meshes, before anything is sent."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from .arrays import bounds
from .messages import ERROR, Message
from .transforms import FACINGS

MANY_VERTICES = 200_000
HEAD_HEIGHTS = (0.12, 0.7)  # metres

# Modifiers that give the mesh another number of vertices.
TOPOLOGY_MODIFIERS = frozenset(
    [
        "ARRAY",
        "BEVEL",
        "BOOLEAN",
        "BUILD",
        "DECIMATE",
        "EDGE_SPLIT",
        "MASK",
        "MULTIRES",
        "REMESH",
        "SCREW",
        "SKIN",
        "SOLIDIFY",
        "SUBSURF",
        "TRIANGULATE",
        "WELD",
        "WIREFRAME",
        "NODES",
        "VOLUME_TO_MESH",
    ]
)

# message code -> the cure's operator, without "blendwire."; the rest has no button.
CURES = {
    "edit_mode": "cure_object_mode",
    "no_triangles": "cure_leave_out",
    "linked": "cure_make_local",
    "mirrored": "cure_apply_mirror",
    "changes_topology": "cure_apply_modifier",
    "absolute_keys": "cure_relative_keys",
    "shared_data": "cure_single_user",
    "too_large": "cure_size",
    "too_small": "cure_size",
    "wrong_way": "cure_facing",
    "no_face": "cure_no_face",
    "no_face_found": "cure_no_face",
    "no_face_stopped": "cure_no_face",
}


@dataclasses.dataclass
class Facts:
    """What the checks need to know of one object.

    Attributes:
        name: The object's name.
        in_edit_mode: Whether it is being edited.
        triangle_count: Triangles of its mesh.
        linked: Whether its data cannot be changed.
        flat: Whether its transform has no inverse.
        finite: Whether all positions are real numbers.
        modifiers: (name, type) of those that are switched on.
        has_keys: Whether it has shape keys.
        absolute_keys: Whether they are absolute.
        other_users: Objects that share its mesh, without itself.
    """

    name: str
    in_edit_mode: bool = False
    triangle_count: int = 1
    linked: bool = False
    flat: bool = False
    finite: bool = True
    modifiers: Sequence[tuple[str, str]] = ()
    has_keys: bool = False
    absolute_keys: bool = False
    other_users: int = 0


@dataclasses.dataclass(frozen=True)
class Finding:
    """A message about one object, or about all of them together."""

    message: Message
    object: str = ""

    @property
    def cure(self) -> str:
        """The operator that cures it, without "blendwire."; empty if there is none."""
        return CURES.get(self.message.code, "")

    @property
    def blocks(self) -> bool:
        """Whether nothing can be generated before it is cured."""
        return self.message.severity == ERROR


def check_object(facts: Facts) -> list[Finding]:
    """What is wrong with one object."""

    def found(code: str, **params: Any) -> Finding:
        return Finding(Message(code, {"object": facts.name, **params}), facts.name)

    result = []
    if facts.linked:
        result.append(found("linked"))
    if facts.in_edit_mode:
        result.append(found("edit_mode"))
    if facts.triangle_count == 0:
        result.append(found("no_triangles"))
    if facts.flat:
        result.append(found("flat"))
    if not facts.finite:
        result.append(found("not_finite"))
    if facts.absolute_keys:
        result.append(found("absolute_keys"))
    for name, kind in facts.modifiers:
        if kind == "MIRROR":
            result.append(found("mirrored_keys" if facts.has_keys else "mirrored"))
        elif kind in TOPOLOGY_MODIFIERS:
            code = "changes_topology_keys" if facts.has_keys else "changes_topology"
            result.append(found(code, modifier=name))
    if facts.other_users:
        result.append(found("shared_data", count=facts.other_users))
    return result


def check_joint(positions: Any, name: str, facing: str = "-Y") -> list[Finding]:
    """What is wrong with the face as a whole.

    Args:
        positions: [M,3] float32 in the model's space, what would be sent.
        name: The main object's name.
        facing: The facing that is set.
    """
    result = []
    if len(positions) == 0:
        return [Finding(Message("empty_region"))]
    size = check_size(positions, name)
    if size is not None:
        result.append(size)
    if len(positions) > MANY_VERTICES:
        result.append(Finding(Message("many_vertices", {"count": len(positions)})))
    across, along = asymmetry(positions, 0), asymmetry(positions, 1)
    if across > 0.02 and along < across / 3:
        sideways = sideways_facing(positions, facing)
        result.append(Finding(Message("wrong_way", {"facing": sideways}), name))
    elif across > 0.08:
        result.append(Finding(Message("lopsided", {"object": name}), name))
    return result


def check_size(positions: Any, name: str) -> Finding | None:
    """Whether the head is of human size; positions [M,3] in the model's space, M > 0."""
    height = float(positions[:, 2].max() - positions[:, 2].min())
    if HEAD_HEIGHTS[0] <= height <= HEAD_HEIGHTS[1]:
        return None
    code = "too_large" if height > HEAD_HEIGHTS[1] else "too_small"
    return Finding(Message(code, {"object": name, "height": height}), name)


def human_size_factor(positions: Any) -> float:
    """What makes the head 0.25 m high."""
    height = float(positions[:, 2].max() - positions[:, 2].min())
    return 0.25 / height if height > 0 else 1.0


def asymmetry(positions: Any, axis: int, samples: int = 1500) -> float:
    """How far the mirrored mesh is from itself: mean distance to the nearest, over the size.

    Args:
        positions: [M,3].
        axis: The axis that is mirrored, about the middle of the bounding box.
        samples: So many vertices stand for all.
    """
    step = max(1, len(positions) // samples)
    some = positions[::step].astype(np.float32)
    low, high = bounds(positions)
    size = float((high - low).max())
    if size <= 0 or len(some) < 8:
        return 0.0
    mirrored = some.copy()
    mirrored[:, axis] = (low + high)[axis] - mirrored[:, axis]
    total = 0.0
    for begin in range(0, len(some), 250):
        block = mirrored[begin : begin + 250]
        distance = ((block[:, None, :] - some[None, :, :]) ** 2).sum(axis=2)
        total += float(np.sqrt(distance.min(axis=1)).sum())
    spacing = _spacing(some)
    return max(0.0, total / len(some) - 0.6 * spacing) / size


def _spacing(some: Any) -> float:
    """The mean distance from a sample to its nearest neighbour: what mirroring costs by chance."""
    total = 0.0
    for begin in range(0, len(some), 250):
        block = some[begin : begin + 250]
        distance = ((block[:, None, :] - some[None, :, :]) ** 2).sum(axis=2)
        distance[np.arange(len(block)), np.arange(begin, begin + len(block))] = np.inf
        total += float(np.sqrt(distance.min(axis=1)).sum())
    return total / len(some)


def sideways_facing(positions: Any, facing: str) -> str:
    """The likelier of the two directions at right angles to the one that is set.

    The back of a head is rounder than its face: the face's side has its furthest point (the nose)
    lower than the back's.
    """
    along = positions[:, 0]
    low, high = positions[np.argmin(along)], positions[np.argmax(along)]
    turns_to_plus_x = high[2] < low[2]
    degrees = (FACINGS[facing] + (-90 if turns_to_plus_x else 90) + 180) % 360 - 180
    for name, value in FACINGS.items():
        if (value - degrees) % 360 == 0:
            return name
    raise AssertionError(degrees)
