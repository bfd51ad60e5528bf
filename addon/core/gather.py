# SPDX-License-Identifier: GPL-3.0-or-later
"""Several objects as one mesh for the server, and its answer back to each of them."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import region
from .arrays import transformed
from .transforms import Frame, offsets_to_local, to_model
from .weld import weld_steps


@dataclasses.dataclass
class Source:
    """What was read from one object.

    Attributes:
        name: The object's name.
        co: [N,3] float32, the Basis key, local.
        triangles: [T,3] int32.
        matrix_world: [4,4].
        inside: bool [N], the region that the user chose; None for the automatic one.
        weights: float32 [N], a vertex group's weights, which multiply the soft edge; None for 1.
    """

    name: str
    co: Any
    triangles: Any
    matrix_world: Any
    inside: Any = None
    weights: Any = None


@dataclasses.dataclass
class Part:
    """One object's share of the joint mesh; k of its N vertices are sent.

    Attributes:
        name: The object's name.
        co: [N,3] float32, the base of its keys, local.
        vertices: int64 [k]: which vertices were sent.
        sent: int64 [k]: where in the joint mesh each of them is.
        weights: float32 [k]: how much of the motion each gets.
        x: float32 [k]: metres from the middle of the face, + is the avatar's left.
        to_local: [3,3] float32.
    """

    name: str
    co: Any
    vertices: Any
    sent: Any
    weights: Any
    x: Any
    to_local: Any

    def local_offsets(self, offsets: Any, factor: Any = 1.0, rows: slice = slice(None)) -> Any:
        """[k,3] float32 in local space, from the server's offsets [M,3]; `factor` scalar or [k].
        Of the k vertices only those of the slice `rows`, if it is given."""
        weights = self.weights[rows]
        scale = weights * np.float32(factor) if np.isscalar(factor) else weights * factor
        return transformed(offsets[self.sent[rows]], self.to_local, scale=scale)

    def key_positions(self, local_offsets: Any) -> Any:
        """[N,3] float32: what a shape key holds; untouched vertices equal the base to the bit."""
        if len(self.vertices) == len(self.co):  # all of them, in order
            return self.co + local_offsets
        positions = self.co.copy()
        positions[self.vertices] += local_offsets
        return positions


@dataclasses.dataclass
class Joint:
    """What is sent.

    Attributes:
        vertices: [M,3] float32, the model's space.
        triangles: [T,3] uint32.
        parts: One for each object that has at least one vertex in the region.
    """

    vertices: Any
    triangles: Any
    parts: list[Part]


class NothingToSend(ValueError):
    """No vertex of any object lies in the region."""


def fingerprint(co: Any, triangle_count: int) -> int:
    """Changes when the base mesh is edited."""
    return zlib.crc32(np.ascontiguousarray(co).view(np.uint8), triangle_count)


def _at_corners(mask: Any, triangles: Any) -> Any:
    """bool [3,T]: the mask [N] at each triangle's corners."""
    return np.stack([np.asarray(mask)[triangles[:, corner]] for corner in range(3)])


def gather_steps(
    sources: Sequence[Source], frame: Frame, soft_edge: float = 0.0
) -> Iterator[Joint | None]:
    """As gather(), in pieces of a few milliseconds: yields None until the last, the result."""
    placed: list[Any] = []
    for source in sources:
        placed.append(to_model(source.co, source.matrix_world, frame))
        yield None
    automatic = _automatic(sources, placed)
    yield None
    parts: list[Part] = []
    vertices: list[Any] = []
    triangles: list[Any] = []
    total = 0
    for source, positions, guessed in zip(sources, placed, automatic):
        inside = guessed if source.inside is None else np.asarray(source.inside, dtype=bool)
        weights: Any = None
        for weights in region.soft_weight_steps(positions, source.triangles, inside, soft_edge):
            yield None
        if source.weights is not None:
            weights = weights * source.weights
        yield None
        kept = np.flatnonzero(inside)
        if len(kept) == 0:
            continue
        number = np.full(len(positions), -1, dtype=np.int64)
        number[kept] = np.arange(len(kept)) + total
        if len(kept) == len(positions):
            triangles.append(source.triangles + np.int32(total))
        else:
            all_inside = _at_corners(inside, source.triangles).all(axis=0)
            yield None
            used = source.triangles[all_inside]
            yield None
            triangles.append(number[used])
        yield None
        vertices.append(positions[kept])
        parts.append(
            Part(
                name=source.name,
                co=source.co,
                vertices=kept,
                sent=number[kept],
                weights=weights[kept].astype(np.float32),
                x=positions[kept, 0],
                to_local=offsets_to_local(source.matrix_world, frame),
            )
        )
        total += len(kept)
        yield None
    if not parts:
        raise NothingToSend("no vertex lies in the face region")
    joined, faces = np.concatenate(vertices), np.concatenate(triangles)
    yield None
    middle = _middle(joined)
    for part in parts:
        part.x = part.x - middle
    mapping = None
    for mapping in weld_steps(joined, faces):
        yield None
    yield None
    yield from _welded_steps(joined, faces, parts, mapping)


def gather(sources: Sequence[Source], frame: Frame, soft_edge: float = 0.0) -> Joint:
    """Joins the objects.

    Raises:
        NothingToSend: No vertex lies in the region.
    """
    result = None
    for result in gather_steps(sources, frame, soft_edge):
        pass
    assert result is not None
    return result


def _automatic(sources: Sequence[Source], placed: Sequence[Any]) -> list[Any]:
    """The automatic region looks at all objects together: teeth alone have no body."""
    filled = [p for p in placed if len(p)]
    if not filled:
        return [np.zeros(0, dtype=bool) for _ in placed]
    mask = region.head_mask(np.concatenate(filled))
    result, begin = [], 0
    for positions in placed:
        result.append(mask[begin : begin + len(positions)])
        begin += len(positions)
    return result


def _middle(positions: Any) -> float:
    """Where the face's middle is, x: that of the bounding box, and 0 if that is near."""
    low, high = float(positions[:, 0].min()), float(positions[:, 0].max())
    middle = (low + high) / 2
    return 0.0 if abs(middle) < 0.1 * (high - low) else middle


def _welded_steps(
    vertices: Any, triangles: Any, parts: list[Part], mapping: Any
) -> Iterator[Joint | None]:
    """Leaves one vertex of each group that the mapping joins; None until the last, the result."""
    first = mapping == np.arange(len(mapping))
    if not first.all():
        kept = np.flatnonzero(first)
        number = np.empty(len(mapping), dtype=np.int64)
        number[kept] = np.arange(len(kept))
        number = number[mapping]
        yield None
        triangles = number[triangles]
        yield None
        for part in parts:
            part.sent = number[part.sent]
        vertices = vertices[kept]
        yield None
    a, b, c = (triangles[:, corner] for corner in range(3))
    proper = (a != b) & (b != c) & (a != c)
    yield None
    if not proper.all():
        triangles = triangles[proper]
        yield None
    yield Joint(
        np.ascontiguousarray(vertices, dtype=np.float32),
        np.ascontiguousarray(triangles, dtype=np.uint32),
        parts,
    )
