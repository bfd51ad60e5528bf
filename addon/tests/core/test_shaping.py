# SPDX-License-Identifier: GPL-3.0-or-later
"""Quality figures and the size that is seen by the user."""

from __future__ import annotations

import numpy as np
import pytest
from core.expressions import keys_of_set
from core.gather import Source, gather
from core.shaping import quality_of, shapes_of
from core.transforms import Frame


def test_quality_is_in_millimetres_of_the_avatar(ball) -> None:
    co, triangles = ball
    world = np.eye(4)
    world[:3, :3] *= 0.01
    source = Source("a", co * 100, triangles, world)
    joint = gather([source], Frame(size_factor=0.5))
    offsets = np.zeros_like(joint.vertices)
    offsets[3] = [0.001, 0, 0]
    offsets[4] = [0, 0.003, 0]
    (shape,) = shapes_of(keys_of_set("visemes")[1], joint, offsets, 2.0)
    quality = quality_of(shape, joint.parts[0], 0.75, 0.5)
    assert quality.max_mm == pytest.approx(12, rel=1e-4)  # 3 mm, twice as strong, half the size
    assert quality.mean_mm == pytest.approx(8, rel=1e-4)
    assert quality.moving == 2
    assert shape.moving == 2
    assert quality.smoothness == 0.75
