# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender itself needs for many shape keys on a large mesh, without any add-on.

    blender -b --factory-startup --python addon/tests/blender/own_costs.py
    python addon/tests/blender/own_costs.py                        (with PyPI's bpy)

Each line is one call that Python cannot cut into pieces: what it takes, the main thread stands
still for, whoever calls it. Wall clock and processor time in milliseconds.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import bpy
import numpy as np

SIDE = 322  # vertices: 103,684
KEYS = 73


def measure(what: str, call: Callable[[], object]) -> None:
    wall, cpu = time.perf_counter(), time.thread_time()
    call()
    wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
    print(f"{what:60s} {wall * 1000:7.1f} wall {cpu * 1000:7.1f} processor", flush=True)


def main() -> None:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=SIDE - 1, y_subdivisions=SIDE - 1)
    obj = bpy.context.object
    count = len(obj.data.vertices)
    print(f"Blender {bpy.app.version_string}, {count} vertices, {KEYS} keys")
    base = np.empty(count * 3, dtype=np.float32)
    obj.data.vertices.foreach_get("co", base)
    bpy.ops.ed.undo_push(message="before")
    obj.shape_key_add(name="Basis")

    def add() -> None:
        obj.shape_key_add(name="Key", from_mix=False).value = 0.0

    def fill(key: bpy.types.ShapeKey) -> None:
        getattr(key, "points", key.data).foreach_set("co", base)

    measure("add the first key", add)
    for _ in range(KEYS - 2):
        add()
    measure("add the last key", add)
    keys = obj.data.shape_keys.key_blocks
    measure("fill a key", lambda: fill(keys[1]))
    for number, key in enumerate(keys[1:]):
        base += np.float32(1e-5 * number)
        fill(key)
    obj.data.update()
    measure("evaluate the mesh (view_layer.update)", bpy.context.view_layer.update)
    obj.data.update()
    measure("evaluate it again", bpy.context.view_layer.update)
    measure("undo step with all keys", lambda: bpy.ops.ed.undo_push(message="keys"))
    measure("undo step without a change", lambda: bpy.ops.ed.undo_push(message="nothing"))


main()
sys.stdout.flush()
os._exit(0)  # some bpy modules hang when Python ends
