# SPDX-License-Identifier: Apache-2.0
"""Geometry of the demo head's parts. Lengths are decimetres, Y up, the face looks along +Z."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass
class Part:
    """A triangle mesh. positions: [V, 3]; triangles: [T, 3], counter-clockwise from outside."""

    positions: Doubles
    triangles: Ints

    def mirrored(self) -> Part:
        return Part(self.positions * [-1, 1, 1], self.triangles[:, ::-1])

    def compact(self) -> Part:
        """Without the vertices that no triangle uses."""
        used, triangles = np.unique(self.triangles, return_inverse=True)
        return Part(self.positions[used], triangles.reshape(-1, 3))


def join(*parts: Part) -> Part:
    starts = np.cumsum([0] + [len(part.positions) for part in parts[:-1]])
    return Part(np.concatenate([part.positions for part in parts]),
                np.concatenate([part.triangles + start
                                for part, start in zip(parts, starts, strict=True)]))


def triangulate(quads: Ints) -> Ints:
    """Two triangles for each quad [F, 4] -> [2F, 3]."""
    return quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)


def grid_triangles(rows: int, columns: int, closed: bool = False) -> Ints:
    """Triangles of a grid whose vertex (r, c) has the index r * columns + c.

    closed: the last column joins the first.
    """
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(columns - (not closed)),
                              indexing="ij")
    following = (column + 1) % columns
    quads = np.stack([row * columns + column, (row + 1) * columns + column,
                      (row + 1) * columns + following, row * columns + following], axis=-1)
    return triangulate(quads.reshape(-1, 4))


def cut(quads: Ints, level: Doubles) -> tuple[Ints, list[tuple[int, int, float]]]:
    """Keeps the part of a quad mesh where `level` [V] is not negative, cut cleanly along zero.

    Returns triangles, whose indices from V up are new vertices, and for each new vertex the edge
    it lies on and how far along: (a, b, t) stands for a + t (b - a).
    """
    new: list[tuple[int, int, float]] = []
    on_edge: dict[tuple[int, int], int] = {}

    def crossing(a: int, b: int) -> int:
        low, high = min(a, b), max(a, b)
        if (low, high) not in on_edge:
            on_edge[low, high] = len(level) + len(new)
            new.append((low, high, float(level[low] / (level[low] - level[high]))))
        return on_edge[low, high]

    triangles: list[list[int]] = []
    for quad in quads.tolist():
        polygon: list[int] = []
        for a, b in zip(quad, quad[1:] + quad[:1], strict=True):
            if level[a] >= 0:
                polygon.append(a)
            if (level[a] >= 0) != (level[b] >= 0):
                polygon.append(crossing(a, b))
        triangles += [[polygon[0], polygon[i], polygon[i + 1]] for i in range(1, len(polygon) - 1)]
    return np.array(triangles), new


def smooth_normals(part: Part) -> Doubles:
    """Unit normals [V, 3], weighted by area; vertices at one place share theirs."""
    _, group = np.unique(np.round(part.positions, 6), axis=0, return_inverse=True)
    group = group.reshape(-1)
    corners = part.positions[part.triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    sums = np.zeros((group.max() + 1, 3))
    for corner in range(3):
        np.add.at(sums, group[part.triangles[:, corner]], faces)
    normals = sums[group]
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)


def sphere_of(points: Doubles) -> tuple[Doubles, float]:
    """Least-squares centre [3] and radius of points [N, 3] on a sphere."""
    system = np.column_stack([2 * points, np.ones(len(points))])
    solution = np.linalg.lstsq(system, (points ** 2).sum(axis=1), rcond=None)[0]
    centre = solution[:3]
    return centre, float(np.sqrt(solution[3] + centre @ centre))


def eyeball(centre: Doubles, radius: float, angles: Doubles, segments: int = 28) -> Part:
    """A band of an eyeball. angles: [R] radians from the line of sight, growing.

    An angle of 0 closes the band with a fan in front.
    """
    around = 2 * np.pi * np.arange(segments) / segments
    rings = []
    for angle in angles:
        # A shallow cornea: the front stands out by 3 % of the radius where the iris is.
        distance = radius * (1 + 0.03 * np.clip(1 - (angle / 0.45) ** 2, 0, 1))
        rings.append(centre + distance * np.column_stack([
            np.sin(angle) * np.cos(around), np.sin(angle) * np.sin(around),
            np.full(segments, np.cos(angle))]))
    return Part(np.concatenate(rings), grid_triangles(len(angles), segments, True)).compact()


def strip_rows(quads: Ints, positions: Doubles, eye_centre: Doubles) -> Ints:
    """The vertices of a lash strip as a grid [rows, columns], row 0 at the lid.

    quads: of one strip, a grid of quads. The lid's side is the one nearer to the eye's centre.
    """
    edges = Counter(tuple(sorted((int(a), int(b)))) for quad in quads
                    for a, b in zip(quad, np.roll(quad, -1), strict=True))
    neighbours, border = defaultdict(set), defaultdict(set)
    for (a, b), count in edges.items():
        neighbours[a].add(b)
        neighbours[b].add(a)
        if count == 1:
            border[a].add(b)
            border[b].add(a)
    corners = sorted(vertex for vertex in neighbours if len(neighbours[vertex]) == 2)
    sides = [_walk(border, corner, step, set(corners)) for corner in corners
             for step in sorted(border[corner])]
    longest = max(len(side) for side in sides)
    row = min((side for side in sides if len(side) == longest),
              key=lambda side: float(np.linalg.norm(positions[side] - eye_centre, axis=1).mean()))
    if positions[row[0], 0] > positions[row[-1], 0]:
        row = row[::-1]
    rows = [row]
    seen = set(row)
    while len(seen) < len(neighbours):
        following = [next(iter(neighbours[vertex] - seen)) for vertex in rows[-1]]
        rows.append(following)
        seen |= set(following)
    return np.array(rows)


def _walk(border: dict[int, set[int]], start: int, step: int, stops: set[int]) -> list[int]:
    path = [start, step]
    while path[-1] not in stops:
        path.append(next(iter(border[path[-1]] - {path[-2]})))
    return path


def lashes(grid: Doubles, count: int, length: float, width: float) -> Part:
    """Single lashes grown along a strip, and the dark line at their roots.

    grid: [rows, columns, 3] the strip, row 0 at the lid. length: how much of the strip's height
    a lash takes. width: of a lash at its root, relative to the distance between two.
    """
    rows, columns, _ = grid.shape

    def at(height: Doubles, along: Doubles) -> Doubles:
        r, c = np.clip(height, 0, 1) * (rows - 1), np.clip(along, 0, 1) * (columns - 1)
        r0, c0 = np.minimum(r.astype(int), rows - 2), np.minimum(c.astype(int), columns - 2)
        fr, fc = (r - r0)[:, None], (c - c0)[:, None]
        return ((grid[r0, c0] * (1 - fc) + grid[r0, c0 + 1] * fc) * (1 - fr)
                + (grid[r0 + 1, c0] * (1 - fc) + grid[r0 + 1, c0 + 1] * fc) * fr)

    middle = (np.arange(count) + 0.5) / count
    half = width / 2 / count
    # Lashes lean outwards, are longest past the middle and alternate a little in length.
    reach = (length * (0.55 + 0.45 * np.sin(np.pi * middle ** 0.8))
             * (1 - 0.16 * (np.arange(count) % 2)))
    lean = 0.035 * (middle - 0.35)
    outline = [at(np.zeros(count), middle - half), at(np.zeros(count), middle + half),
               at(reach * 0.55, middle + lean * 0.5 - half * 0.7),
               at(reach * 0.55, middle + lean * 0.5 + half * 0.7), at(reach, middle + lean)]
    spikes = Part(np.stack(outline, axis=1).reshape(-1, 3), np.concatenate([
        np.array([[0, 1, 3], [0, 3, 2], [2, 3, 4]]) + 5 * lash for lash in range(count)]))

    along = np.linspace(0, 1, columns * 2)
    liner = Part(np.concatenate([at(np.zeros(len(along)), along),
                                 at(0.16 * length * np.sin(np.pi * along) ** 0.5, along)]),
                 grid_triangles(2, len(along))[:, ::-1])
    return join(spikes, liner)


def project(skin: Part, origins: Doubles, direction: Doubles, farthest: bool) -> Doubles:
    """Where rays meet the skin: distances [N] along `direction` ([3] or [N, 3]); NaN for a miss."""
    a, b, c = (skin.positions[skin.triangles[:, corner]] for corner in range(3))
    distances = np.full(len(origins), np.nan)
    directions = np.broadcast_to(direction, origins.shape)
    for index, (origin, ray) in enumerate(zip(origins, directions, strict=True)):
        # Moller and Trumbore: the ray's barycentric coordinates in every triangle at once.
        p = np.cross(ray, c - a)
        determinant = np.einsum("ij,ij->i", b - a, p)
        safe = np.where(np.abs(determinant) < 1e-14, np.inf, determinant)
        offset = origin - a
        u = np.einsum("ij,ij->i", offset, p) / safe
        q = np.cross(offset, b - a)
        v = (q @ ray) / safe
        t = np.einsum("ij,ij->i", c - a, q) / safe
        hit = t[(np.abs(determinant) >= 1e-14) & (u >= -1e-9) & (v >= -1e-9)
                & (u + v <= 1 + 1e-9) & (t > 0)]
        if len(hit):
            distances[index] = hit.max() if farthest else hit.min()
    return distances


def close_lips(positions: Doubles, skin: Ints, inside: Ints, seam: Doubles, half_width: float,
               yaws: tuple[float, ...] = (0.0, 0.6, -0.6), rounds: int = 4) -> Doubles:
    """Moves the lips together where one can look between them into the mouth.

    skin, inside: [T, 3] triangles of the face, and of all that lies in the mouth. seam: [3] where
    the lips meet in the middle. half_width: of the mouth. yaws: radians from which to look.
    """
    positions = positions.copy()
    columns = np.linspace(-half_width, half_width, 61)
    heights = np.linspace(-0.14, 0.14, 113)
    for number in range(rounds * len(yaws)):
        yaw = yaws[number % len(yaws)]
        forward = np.array([np.sin(yaw), 0.0, np.cos(yaw)])
        right = np.array([np.cos(yaw), 0.0, -np.sin(yaw)])
        centre = seam @ right
        x, y = np.meshgrid(columns, heights, indexing="ij")
        origins = (seam + forward + x.ravel()[:, None] * right
                   + y.ravel()[:, None] * np.array([0.0, 1.0, 0.0]))
        face = Part(positions, _near(positions, skin, seam, half_width))
        mouth = Part(positions, _near(positions, inside, seam, half_width))
        blocked = np.nan_to_num(project(face, origins, -forward, farthest=False), nan=np.inf)
        reached = np.nan_to_num(project(mouth, origins, -forward, farthest=False), nan=np.inf)
        gap = (reached < blocked).reshape(x.shape)
        size = gap.sum(axis=1) * (heights[1] - heights[0])
        if not size.any():
            continue
        open_columns = gap.any(axis=1)
        middle = np.interp(columns, columns[open_columns], [
            heights[row].mean() for row in gap[open_columns]])
        across = positions @ right - centre
        size_here = np.interp(across, columns, np.convolve(size, [0.25, 0.5, 0.25], "same"),
                              left=0, right=0)
        above = positions[:, 1] - seam[1] - np.interp(across, columns, middle)
        depth = (positions - seam) @ forward
        near = np.exp(-(above / 0.09) ** 2) * np.exp(-(np.minimum(depth + 0.15, 0) / 0.1) ** 2)
        positions[:, 1] -= np.sign(above) * near * size_here * 0.6
    return positions


def _near(positions: Doubles, triangles: Ints, seam: Doubles, half_width: float) -> Ints:
    """The triangles around the mouth: what a ray through the lips can meet."""
    offset = np.abs(positions - seam) < [1.7 * half_width, 0.5, 0.9]
    return triangles[offset.all(axis=1)[triangles].any(axis=1)]


def brow(skin: Part, path: Doubles, widths: Doubles, thickness: float) -> Part:
    """A brow laid on the skin.

    path: [N, 2] its middle line as (x, y) in front of the face. widths: [N] its full width there.
    """
    forward = np.array([0.0, 0.0, 1.0])
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    across = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    profile = np.linspace(-1, 1, 7)
    rows = []
    for side in profile:
        flat = path + across * (widths * side / 2)[:, None]
        origins = np.column_stack([flat, np.full(len(flat), 3.0)])
        depth = 3.0 - project(skin, origins, -forward, farthest=False)
        ends = np.sin(np.pi * np.clip(np.linspace(0.04, 0.96, len(flat)), 0, 1)) ** 0.5
        lift = thickness * (np.sqrt(max(0.0, 1 - side * side)) * ends - 0.12)
        rows.append(np.column_stack([flat, depth + lift]))
    part = Part(np.concatenate(rows), grid_triangles(len(profile), len(path)))
    return part if smooth_normals(part)[:, 2].mean() > 0 else Part(
        part.positions, part.triangles[:, ::-1])


def bob_hair(skin: Part, centre: Doubles, thickness: float,
             hem: Callable[[Doubles], Doubles], columns: int = 96, rows: int = 26) -> Part:
    """A bob: a shell over the skull that falls straight from its widest place.

    centre: [3] middle of the skull at its widest. hem: angle [N] (0 is the face's side, pi/2 the
    avatar's left) -> height of the hair's lower edge.
    """
    angles = 2 * np.pi * np.arange(columns) / columns
    outward = np.column_stack([np.sin(angles), np.zeros(columns), np.cos(angles)])
    lower = hem(angles)
    elevations = np.linspace(np.pi / 2, 0, 24)
    scalp = np.zeros((len(elevations), columns))
    for index, elevation in enumerate(elevations):
        rays = outward * np.cos(elevation) + [0, np.sin(elevation), 0]
        scalp[index] = project(skin, np.tile(centre, (columns, 1)), rays, farthest=True)
    lock = 1 + 0.10 * np.sin(angles * 17 + 1.7 * np.sin(angles * 3)) + 0.07 * np.sin(angles * 31)
    grid = np.zeros((rows + 2, columns, 3))
    for column in range(columns):
        line = _hair_line(scalp[:, column], elevations, thickness, lock[column],
                          centre[1] - lower[column])
        points = _resampled(line, rows)
        # The edge turns in, so that the shell has a visible thickness.
        inner = points[-1] + [-0.10 * thickness / 0.1, 0.05 * thickness / 0.1]
        deeper = inner + [-0.05 * thickness / 0.1, 0.9 * thickness]
        line3 = np.concatenate([points, [inner, deeper]])
        grid[:, column] = (centre + line3[:, :1] * outward[column]
                           + line3[:, 1:] * np.array([0.0, 1.0, 0.0]))
    return Part(grid.reshape(-1, 3), grid_triangles(rows + 2, columns, True))


def _hair_line(scalp: Doubles, elevations: Doubles, thickness: float, lock: float,
               drop: float) -> Doubles:
    """One meridian as (distance from the axis, height over the centre) [N, 2] from the crown down.

    drop: how far below the centre it ends; negative where it ends above, as a fringe does.
    """
    depth = thickness * (1 + (lock - 1) * np.cos(elevations) ** 0.5)
    radius = scalp + depth
    curve = np.column_stack([radius * np.cos(elevations), radius * np.sin(elevations)])
    if drop > 0:
        fall = np.linspace(0, 1, 20)[1:]
        shape = 0.10 * np.sin(fall * np.pi * 0.75) - 0.09 * fall ** 4
        curve = np.concatenate([curve, np.column_stack([
            curve[-1, 0] + shape * drop * 0.8, curve[-1, 1] - fall * drop])])
        return curve
    kept = curve[curve[:, 1] > -drop]
    end = np.interp(drop, -curve[:, 1], curve[:, 0])
    return np.concatenate([kept, [[end, -drop]]])


def _resampled(line: Doubles, count: int) -> Doubles:
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    even = np.linspace(0, length[-1], count)
    return np.column_stack([np.interp(even, length, line[:, axis]) for axis in range(2)])
