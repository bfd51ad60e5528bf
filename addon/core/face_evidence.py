# SPDX-License-Identifier: GPL-3.0-or-later
"""Is it a face that the model understands? Judged by how the prediction moves, not by its shape.

Left lids move on the left, right lids on the right, the jaw below them and downwards, none of it
all over the mesh; and when the jaw opens, the lips part: close to each other there are vertices
that go with the jaw and vertices that stay. That last one tells a mouth from a muzzle that is only
pulled longer.

Measured with the default model: the lips of 21 heads of many styles part by 1.0 to 1.5 of the jaw's
way, of the same heads reduced to 1000 vertices by 0.9 and more; Suzanne at four levels of
subdivision 0.2 to 0.5, terrains 0.4, balls, cubes, cones and tori 0. Heads seen from behind or from
the side fail by their lids. The whole score of the 21 heads is 0.77 to 0.98, turned by 25 degrees
0.53 to 0.84, from behind 0 to 0.15; that of the others 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .arrays import bounds, lengths, within

PROBES = ("eyeBlinkLeft", "eyeBlinkRight", "jawOpen")
"""The expressions that are looked at."""

PROBE_OPTIONS = {
    "apply_smoothing": True,
    "smoothing_iterations": 2,
    "clamp_extreme_values": False,
    "timeout_seconds": 600,
}
"""The server's options for them, whatever the user chose: a limit would make all motions alike."""

_SAMPLES = 2000  # so many vertices, evenly chosen, stand for all where that is enough
_NEAR = 0.02  # of the mesh's size: how near the lips are to each other
_NO_MOUTH, _MOUTH = 0.5, 0.85  # shares of the jaw's way that nothing and everything are given for
_LEVELS = 16  # in tenths of the jaw's way, from -0.4 on
_FIRST_LEVEL = -4
_FEWEST_PLACES = 8  # where lips part they do so at many places


def evidence_steps(positions: Any, offsets: Mapping[str, Any]) -> Iterator[float | None]:
    """As face_evidence(), in pieces: yields None until the last, the result."""
    if any(name not in offsets for name in PROBES):
        yield None
        return
    yield None
    score = _place_score(positions, offsets)
    if score > 0:
        parting: float | None = None
        for parting in lips_parting_steps(positions, offsets["jawOpen"]):
            yield None
        assert parting is not None
        score = min(score, _ramp(parting, _NO_MOUTH, _MOUTH))
    yield score


def face_evidence(positions: Any, offsets: Mapping[str, Any]) -> float | None:
    """How much the predicted motions look like those of a face, 0 to 1; None: cannot tell.

    Args:
        positions: [M,3] in the model's space.
        offsets: Blendwire's names -> [M,3]; those of PROBES are looked at.
    """
    return list(evidence_steps(positions, offsets))[-1]


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))


def _place_score(positions: Any, offsets: Mapping[str, Any]) -> float:
    """0 to 1: whether lids and jaw move where and how they should; by some of the vertices."""
    some = slice(None, None, max(1, len(positions) // _SAMPLES))
    positions = positions[some]
    offsets = {name: offsets[name][some] for name in PROBES}
    size = float((positions.max(axis=0) - positions.min(axis=0)).max())
    centres, spreads = {}, {}
    for name in PROBES:
        weights = lengths(offsets[name])
        total = float(weights.sum())
        if total <= 1e-9 or size <= 0.0:
            return 0.0
        centre = (positions * weights[:, None]).sum(axis=0) / total
        distance = ((positions - centre) ** 2).sum(axis=1)
        centres[name] = centre
        spreads[name] = float(np.sqrt((distance * weights).sum() / total)) / size
    left, right, jaw = (centres[n] for n in PROBES)
    eyes = (left + right) / 2
    gap = float(left[0] - right[0]) / size
    widest_blink = max(spreads["eyeBlinkLeft"], spreads["eyeBlinkRight"])
    return min(
        _ramp(gap, 0.0, 0.08),
        _ramp(float(eyes[2] - jaw[2]) / size, 0.0, 0.08),
        _ramp(-float(_mean_direction(offsets["jawOpen"])[2]), 0.0, 0.6),
        1 - _ramp(widest_blink, 0.15, 0.3),
        1 - _ramp(abs(float(left[2] - right[2])) / size, 0.0, 0.05),
    )


def _mean_direction(offsets: Any) -> Any:
    """[3]: of the motion, weighted by its length; shorter than 1 where it disagrees."""
    total = float(lengths(offsets).sum())
    return offsets.sum(axis=0) / total if total > 0 else np.zeros(3)


def lips_parting_steps(positions: Any, jaw: Any) -> Iterator[float | None]:
    """How much of the jaw's way lies between neighbours in space; None until the last, the result.

    The space around what the jaw moves is cut into cells, eight times with shifted walls, and in
    each cell the vertex that goes furthest is compared with the one that goes least.

    Args:
        positions: [M,3].
        jaw: [M,3], the offsets of jawOpen.
    """
    low, high = bounds(positions)
    cell = _NEAR * float((high - low).max())
    direction = np.array([jaw[:, axis].sum() for axis in range(3)], dtype=np.float64)
    norm = float(np.linalg.norm(direction))
    yield None
    sampled = lengths(jaw[:: max(1, len(jaw) // 5000)])
    # The longest, but for a few: numpy's percentile() takes 8 ms when it is first called.
    place = int(0.995 * (len(sampled) - 1))
    way = float(np.partition(sampled, place)[place])
    if way <= 1e-9 or norm <= 0.0 or cell <= 0.0:
        yield 0.0
        return
    a, b, c = (direction / norm / way).astype(np.float32)
    share = jaw[:, 0] * a + jaw[:, 1] * b + jaw[:, 2] * c
    moving = np.flatnonzero(share > 0.5)
    if len(moving) == 0:
        yield 0.0
        return
    yield None
    low, high = bounds(positions[moving])
    near = np.flatnonzero(within(positions, low - cell, high + cell))
    yield None
    places = (positions[near] - (low - cell)) / np.float32(cell)
    levels = np.clip(np.round(share[near] * 10) - _FIRST_LEVEL, 0, _LEVELS - 1).astype(np.int64)
    yield None
    counts = np.zeros(_LEVELS, dtype=np.int64)
    for shift in np.ndindex(2, 2, 2):
        spreads = _spreads(places + 0.5 * np.array(shift, dtype=np.float32), levels)
        counts += np.bincount(spreads, minlength=_LEVELS)
        yield None
    so_many_or_more = counts[::-1].cumsum()[::-1]
    yield float(np.count_nonzero(so_many_or_more >= _FEWEST_PLACES) - 1) / 10


def _spreads(places: Any, levels: Any) -> Any:
    """int64: the highest level less the lowest one, for each cell of side 1 that is not empty."""
    cells = [places[:, axis].astype(np.int64) for axis in range(3)]
    _, rows, columns = (int(c.max()) + 1 for c in cells)
    label = (cells[0] * rows + cells[1]) * columns + cells[2]
    there = np.zeros((int(label.max()) + 1, _LEVELS), dtype=bool)
    there[label, levels] = True
    there = there[there.any(axis=1)]
    return (_LEVELS - 1 - there[:, ::-1].argmax(axis=1)) - there.argmax(axis=1)
