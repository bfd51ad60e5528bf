# SPDX-License-Identifier: GPL-3.0-or-later
"""Which vertices are the face, and how the motion fades at the border."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .arrays import bounds, within

BUST_HEIGHT = 0.6
"""Metres: what is higher has a body, of which only the top is sent."""

BODY_SLENDERNESS = 2.0
"""Height over depth: a body has more, a head (of any size) less."""

HEAD_SHARE = 0.25
"""Of a standing body, from the top: head and neck of a long-legged avatar or a chibi one."""

HEAD_BONES = ("head", "頭", "j_bip_c_head", "mixamorig:head", "bip001 head", "def-head", "face")


_PAIRS_AT_A_TIME = 150_000


def is_head_group(name: str) -> bool:
    """Whether a vertex group is the head's, by the names that avatars use."""
    return name.strip().lower() in HEAD_BONES


def head_mask(positions: Any) -> Any:
    """bool [N]: the top of a body; all of a head or a bust. Positions in the model's space."""
    heights, depths = positions[:, 2], positions[:, 1]
    top, bottom = float(heights.max()), float(heights.min())
    depth = float(depths.max() - depths.min())
    if top - bottom <= BUST_HEIGHT or top - bottom < BODY_SLENDERNESS * depth:
        return np.ones(len(positions), dtype=bool)
    return heights >= top - HEAD_SHARE * (top - bottom)


def soft_weight_steps(positions: Any, triangles: Any, inside: Any, width: float) -> Iterator[Any]:
    """As soft_weights(), in pieces: yields None until the last, the result."""
    inside = np.asarray(inside, dtype=bool)
    weights = inside.astype(np.float32)
    border = positions[:0]
    if width > 0.0 and not inside.all():
        for border in _border_steps(positions, triangles, inside):
            yield None
    if len(border) == 0:
        yield weights
        return
    low, high = bounds(border)
    candidates = np.flatnonzero(inside & within(positions, low - width, high + width))
    rows = max(1, _PAIRS_AT_A_TIME // len(border))
    yield None
    for begin in range(0, len(candidates), rows):
        chosen = candidates[begin : begin + rows]
        difference = positions[chosen][:, None, :] - border[None, :, :]
        distance = np.sqrt(np.einsum("ijk,ijk->ij", difference, difference).min(axis=1))
        ramp = np.clip(distance / width, 0.0, 1.0)
        weights[chosen] = ramp * ramp * (3 - 2 * ramp)
        yield None
    yield weights


def soft_weights(positions: Any, triangles: Any, inside: Any, width: float) -> Any:
    """float32 [N]: 1 deep inside, 0 outside, a smooth ramp over `width` from the border.

    The border is where the surface goes on outside. Where it simply ends (an eye, a tooth) there is
    none.

    Args:
        positions: [N,3] in the model's space, metres.
        triangles: [T,3].
        inside: bool [N].
        width: Metres; 0 gives 0 and 1 only.
    """
    weights = None
    for weights in soft_weight_steps(positions, triangles, inside, width):
        pass
    return weights


def _border_steps(positions: Any, triangles: Any, inside: Any) -> Iterator[Any]:
    """[B,3]: the outside's vertices that share a triangle with the inside; None until the last."""
    some = np.zeros(len(triangles), dtype=bool)
    every = np.ones(len(triangles), dtype=bool)
    for corner in range(3):
        at_corner = inside[triangles[:, corner]]
        some |= at_corner
        every &= at_corner
        yield None
    border = np.zeros(len(positions), dtype=bool)
    border[triangles[some & ~every].reshape(-1)] = True
    yield positions[border & ~inside]


def side_weights(x: Any, side: str, width: float = 0.02) -> Any:
    """float32 [N]: the share of the left (+X) or right half; both add up to 1.

    Args:
        x: [N] in the model's space, metres from the middle of the face.
        side: "left" or "right".
        width: Metres over which the halves blend into each other.
    """
    ramp = np.clip(np.asarray(x, dtype=np.float32) / np.float32(max(width, 1e-9)) + 0.5, 0.0, 1.0)
    left = ramp * ramp * (3 - 2 * ramp)
    return (left if side == "left" else 1 - left).astype(np.float32)
