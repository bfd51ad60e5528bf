# SPDX-License-Identifier: GPL-3.0-or-later
"""Several objects as one mesh for the server, and its answer back to each of them."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import region
from .arrays import bounds, lengths, transformed
from .transforms import Frame, offsets_to_local, to_model

# So many vertices at one place are looked at: a sharp corner of a split file has as many faces.
_MOST_COPIES = 16


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

    def local_offsets(self, offsets: Any, factor: Any = 1.0) -> Any:
        """[k,3] float32 in local space, from the server's offsets [M,3]; `factor` scalar or [k]."""
        scale = self.weights * np.float32(factor) if np.isscalar(factor) else self.weights * factor
        return transformed(offsets[self.sent], self.to_local, scale=scale)

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


def _normals(positions: Any, triangles: Any, chosen: Any) -> Any:
    """[C,3] float64, unit length, of the chosen vertices [C]; zero where there is no triangle."""
    a, b, c = (positions[triangles[:, i]].astype(np.float64) for i in range(3))
    faces = np.cross(b - a, c - a)
    number = np.full(len(positions), -1)
    number[chosen] = np.arange(len(chosen))
    normals = np.zeros((len(chosen), 3))
    for corner in range(3):
        target = number[triangles[:, corner]]
        there = target >= 0
        for axis in range(3):
            normals[:, axis] += np.bincount(
                target[there], weights=faces[there, axis], minlength=len(chosen)
            )
    long = lengths(normals)
    return normals / np.where(long > 0, long, 1)[:, None]


def _at_corners(mask: Any, triangles: Any) -> Any:
    """bool [3,T]: the mask [N] at each triangle's corners."""
    return np.stack([np.asarray(mask)[triangles[:, corner]] for corner in range(3)])


def _scrambled(count: int) -> Any:
    """float64 [count]: whole numbers below 2**40 without pattern (the finisher of splitmix64)."""
    x = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((x ^ (x >> np.uint64(31))) >> np.uint64(24)).astype(np.float64)


def open_vertex_steps(triangles: Any, count: int) -> Iterator[Any]:
    """As open_vertices(), in pieces: yields None until the last, the result."""
    numbers = _scrambled(count)
    balance = np.zeros(count)
    for corner in range(3):
        following = triangles[:, (corner + 1) % 3]
        preceding = triangles[:, (corner + 2) % 3]
        difference = numbers[following] - numbers[preceding]
        balance += np.bincount(triangles[:, corner], weights=difference, minlength=count)
        yield None
    yield balance != 0


def open_vertices(triangles: Any, count: int) -> Any:
    """bool [N]: those on an edge that has no second triangle beside it.

    Around a closed vertex each neighbour is reached by one edge that leaves and one that arrives:
    scrambled numbers for the neighbours, added for the one and subtracted for the other, give zero.
    This takes a tenth of the time of sorting the edges.
    """
    return list(open_vertex_steps(triangles, count))[-1]


def weld_steps(positions: Any, triangles: Any, tolerance: float | None = None) -> Iterator[Any]:
    """As weld_map(), in pieces: yields None until the last, the result."""
    count = len(positions)
    result = np.arange(count)
    if count == 0 or len(triangles) == 0:
        yield result
        return
    if tolerance is None:
        low, high = bounds(positions)
        diagonal = float(np.linalg.norm(high - low))
        tolerance = max(diagonal * 1e-6, 1e-12)
    is_open: Any = None
    for is_open in open_vertex_steps(triangles, count):
        yield None
    border = np.flatnonzero(is_open)
    if len(border):
        beside = triangles[_at_corners(is_open, triangles).any(axis=0)]
        yield None
        normals = _normals(positions, beside, border)
        yield None
        pairs = _near_pairs(positions[border].astype(np.float64), tolerance)
        agree = np.einsum("ij,ij->i", normals[pairs[:, 0]], normals[pairs[:, 1]]) >= -0.5
        result[border] = border[_first_of_each(len(border), pairs[agree])]
    yield result


def weld_map(positions: Any, triangles: Any, tolerance: float | None = None) -> Any:
    """int64 [N]: for each vertex the first one at its place that it may be joined with.

    Cut borders are joined, so that no crack can open along them. The lips of a closed mouth share
    places, too: vertices without an open side and vertices whose normals oppose each other (dot
    product below -0.5) stay apart, by the same rule as on the server.

    Args:
        positions: [N,3].
        triangles: [T,3].
        tolerance: 1e-6 of the bounding box's diagonal if None.
    """
    return list(weld_steps(positions, triangles, tolerance))[-1]


def _near_pairs(places: Any, tolerance: float) -> Any:
    """int64 [P,2]: pairs that are not further apart than the tolerance."""
    found = [np.zeros((0, 2), dtype=np.int64)]
    primes = np.array([73856093, 19349663, 83492791], dtype=np.int64)
    # A pair that a cell's wall parts is together in a grid that is shifted by half a cell.
    for shift in np.ndindex(2, 2, 2):
        cells = np.floor(places / (4 * tolerance) + np.array(shift) * 0.5).astype(np.int64)
        label = (cells * primes).sum(axis=1)
        order = np.argsort(label, kind="stable")
        for lag in range(1, min(_MOST_COPIES, len(order))):
            first, second = order[:-lag], order[lag:]
            same = label[first] == label[second]
            if not same.any():
                break
            first, second = first[same], second[same]
            near = lengths(places[first] - places[second]) <= tolerance
            found.append(np.stack([first[near], second[near]], axis=1))
    return np.concatenate(found)


def _first_of_each(count: int, pairs: Any) -> Any:
    """int64 [count]: the smallest member of the group that the pairs put each into."""
    parent = np.arange(count)
    while len(pairs):
        smallest = np.minimum(parent[pairs[:, 0]], parent[pairs[:, 1]])
        before = parent.copy()
        np.minimum.at(parent, pairs[:, 0], smallest)
        np.minimum.at(parent, pairs[:, 1], smallest)
        if (parent == before).all():
            break
    return parent


def gather_steps(
    sources: Sequence[Source], frame: Frame, soft_edge: float = 0.0
) -> Iterator[Joint | None]:
    """As gather(), in pieces of a few milliseconds: yields None until the last, the result."""
    placed: list[Any] = []
    for source in sources:
        placed.append(to_model(source.co, source.matrix_world, frame))
        yield None
    automatic = _automatic(sources, placed)
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
            triangles.append(number[source.triangles[all_inside]])
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
