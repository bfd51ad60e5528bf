# SPDX-License-Identifier: GPL-3.0-or-later
"""Which vertices of a mesh are one: those that lie at one place along borders that were cut.

Files cut a mesh where normals or texture coordinates jump; a mesh with flat faces is cut at every
edge. So all vertices may be border, and the search is done for some thousand at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .arrays import bounds, lengths

_MOST_COPIES = 16
"""So many vertices at one place are looked at: a sharp corner of a split file has as many faces."""

_AT_A_TIME = 8000
"""Border vertices, and triangles beside the border, of one step."""

_TRIANGLES_AT_A_TIME = 25_000
"""Of one step where all are looked at."""

_OPPOSED = -0.5
"""The dot product of two normals below which their vertices stay apart."""


def _scrambled(count: int) -> Any:
    """float64 [count]: whole numbers below 2**40 without pattern (the finisher of splitmix64)."""
    x = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((x ^ (x >> np.uint64(31))) >> np.uint64(24)).astype(np.float64)


def open_vertex_steps(triangles: Any, count: int) -> Iterator[Any]:
    """As open_vertices(), in pieces: yields None until the last, the result."""
    numbers = _scrambled(count)
    yield None
    balance = np.full(count, 0.0)  # np.zeros() would leave the work for the first sum
    yield None
    for begin in range(0, len(triangles), _TRIANGLES_AT_A_TIME):
        corners = triangles[begin : begin + _TRIANGLES_AT_A_TIME].T
        for corner in range(3):
            following, preceding = corners[(corner + 1) % 3], corners[(corner + 2) % 3]
            difference = numbers[following] - numbers[preceding]
            balance += np.bincount(corners[corner], weights=difference, minlength=count)
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
    if count == 0 or len(triangles) == 0:
        yield np.arange(count)
        return
    if tolerance is None:
        low, high = bounds(positions)
        diagonal = float(np.linalg.norm(high - low))
        tolerance = max(diagonal * 1e-6, 1e-12)
    yield None
    is_open: Any = None
    for is_open in open_vertex_steps(triangles, count):
        yield None
    result = np.arange(count)
    border = np.flatnonzero(is_open)
    if len(border) == 0:
        yield result
        return
    normals: Any = None
    for normals in _normal_steps(positions, triangles, is_open, border):
        yield None
    first: Any = None
    for first in _first_steps(positions[border].astype(np.float64), normals, tolerance):
        yield None
    result[border] = border[first]
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


def _normal_steps(positions: Any, triangles: Any, is_open: Any, border: Any) -> Iterator[Any]:
    """float64 [B,3], unit length, of the border's vertices; None until the last."""
    beside = np.zeros(len(triangles), dtype=bool)
    for corner in range(3):
        beside |= is_open[triangles[:, corner]]
        yield None
    used = triangles if beside.all() else triangles[beside]
    yield None
    faces = np.empty((3, len(used)))
    for begin in range(0, len(used), _AT_A_TIME):
        corners = used[begin : begin + _AT_A_TIME]
        faces[:, begin : begin + _AT_A_TIME] = _face_normals(positions, corners)
        yield None
    number = np.full(len(positions), -1)
    number[border] = np.arange(len(border))
    yield None
    normals = np.zeros((len(border), 3))
    for corner in range(3):
        target = number[used[:, corner]]
        there = target >= 0
        target = target[there]
        yield None
        for axis in range(3):
            weights = faces[axis][there]
            normals[:, axis] += np.bincount(target, weights=weights, minlength=len(border))
            yield None
    long = lengths(normals)
    long[long == 0] = 1
    for axis in range(3):
        normals[:, axis] /= long
    yield normals


def _face_normals(positions: Any, triangles: Any) -> Any:
    """float64 [3,T]: twice the area long. numpy's cross() takes three times as long."""
    a, b, c = (positions[triangles[:, corner]].astype(np.float64).T for corner in range(3))
    u, v = b - a, c - a
    return np.stack(
        [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
    )


def _first_steps(places: Any, normals: Any, tolerance: float) -> Iterator[Any]:
    """int64 [B]: the smallest member of each one's group; None until the last.

    A pair that a cell's wall parts is together in a grid that is shifted by half a cell. The cells
    of a grid are dealt out to parts, and each part is searched by itself.
    """
    first = np.arange(len(places))
    parts = -(-len(places) // _AT_A_TIME)
    for shift in np.ndindex(2, 2, 2):
        cells = np.zeros(len(places), dtype=np.int64)
        for axis, prime in enumerate((73856093, 19349663, 83492791)):
            along = np.floor(places[:, axis] / (4 * tolerance) + 0.5 * shift[axis])
            cells += along.astype(np.int64) * prime
            yield None
        part_of = (cells % parts).astype(np.int32)
        yield None
        for part in range(parts):
            chosen = np.flatnonzero(part_of == part)
            pairs = _near_pairs(places, normals, chosen, cells[chosen], tolerance)
            first = _joined(first, pairs)
            yield None
    yield first


def _near_pairs(places: Any, normals: Any, chosen: Any, cells: Any, tolerance: float) -> Any:
    """int64 [2,P]: pairs of the chosen [C] that share a cell, lie within the tolerance and do not
    oppose each other."""
    order = np.argsort(cells, kind="stable")
    chosen, cells = chosen[order], cells[order]
    found = [np.zeros((2, 0), dtype=np.int64)]
    begins = np.arange(len(chosen))
    for lag in range(1, _MOST_COPIES):
        begins = begins[: np.searchsorted(begins, len(chosen) - lag)]
        begins = begins[cells[begins] == cells[begins + lag]]
        if len(begins) == 0:
            break
        one, other = chosen[begins], chosen[begins + lag]
        near = lengths(places[one] - places[other]) <= tolerance
        one, other = one[near], other[near]
        agree = np.einsum("ij,ij->i", normals[one], normals[other]) >= _OPPOSED
        found.append(np.stack([one[agree], other[agree]]))
    return np.concatenate(found, axis=1)


def _joined(first: Any, pairs: Any) -> Any:
    """int64 [B]: `first` with the groups of each pair made one."""
    while True:
        low, high = np.sort(first[pairs], axis=0)
        apart = low != high
        if not apart.any():
            return first
        low, high, pairs = low[apart], high[apart], pairs[:, apart]
        first = first.copy()
        first[high] = low  # of several for one the last counts; the next round sees to the others
        while True:
            further = first[first]
            if (further == first).all():
                break
            first = further
