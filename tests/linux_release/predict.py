# SPDX-License-Identifier: Apache-2.0
"""One prediction with the installed wheel: its own server, its default model."""

from __future__ import annotations

import platform

import blendwire
import numpy as np

side = np.linspace(-0.06, 0.06, 9, dtype=np.float32)
x, z = np.meshgrid(side, side)
vertices = np.stack([x, -0.08 + 8 * x * x, z], -1).reshape(-1, 3)

with blendwire.ManagedServer.start() as server, server.client() as client:
    offsets = client.predict_vertex_offsets(vertices, "viseme", "aa")
    again = client.predict_vertex_offsets(vertices, "viseme", "aa")
assert offsets.shape == vertices.shape and np.isfinite(offsets).all()
assert np.abs(offsets).max() > 1e-4, "the mouth opens"
np.testing.assert_array_equal(offsets, again)
print(f"glibc {platform.libc_ver()[1]}: largest offset {np.abs(offsets).max():.4f} m")
