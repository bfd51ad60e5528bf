# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender itself needs for many shape keys on a large mesh, without any add-on.

    blender -b --factory-startup --python addon/tests/blender/own_costs.py
    python addon/tests/blender/own_costs.py                        (with PyPI's bpy)

Each line is one call that Python cannot cut into pieces: what it takes, the main thread stands
still for, whoever calls it; the least of some repeats, wall clock and processor time of the main
thread in milliseconds. The mesh has custom normals, as FBX and glTF files give them to meshes:
before Blender 4.1 these are most of what an evaluation takes, with or without shape keys.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable

import bpy
import numpy as np

SIDE = 322  # vertices: 103,684
KEYS = 73
KEYS_AT_A_TIME = 4
REPEATS = 5


def measure(what: str, call: Callable[[], object], before: Callable[[], object] = int) -> None:
    """Prints the least of what the call takes; `before` goes ahead of each, not measured."""
    walls, processor = [], []
    for _ in range(REPEATS):
        before()
        wall, cpu = time.perf_counter(), time.thread_time()
        call()
        walls.append(1000 * (time.perf_counter() - wall))
        processor.append(1000 * (time.thread_time() - cpu))
    print(f"{what:44s} {min(walls):7.1f} wall {min(processor):7.1f} processor", flush=True)


def make_mesh() -> bpy.types.Object:
    """A grid with custom normals."""
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=SIDE - 1, y_subdivisions=SIDE - 1)
    obj = bpy.context.object
    bpy.ops.object.shade_smooth()
    if hasattr(obj.data, "use_auto_smooth"):
        obj.data.use_auto_smooth = True
    obj.data.normals_split_custom_set_from_vertices([(0.0, 0.0, 1.0)] * len(obj.data.vertices))
    return obj


def fill(key: bpy.types.ShapeKey, positions: np.ndarray) -> None:
    """Writes all positions [N * 3] of a key."""
    getattr(key, "points", key.data).foreach_set("co", positions)


def evaluations(at_a_time: int, without_normals: bool = False) -> None:
    """Prints what the longest evaluation takes if all keys are added, so many at a time."""
    longest: list[tuple[float, float]] = []
    for _ in range(REPEATS):
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        obj = make_mesh()
        if without_normals:
            obj.data.use_auto_smooth = False
        obj.shape_key_add(name="Basis")
        bpy.context.view_layer.update()
        times = []
        for number in range(1, KEYS + 1):
            obj.shape_key_add(name="Key", from_mix=False).value = 0.0
            if number % at_a_time == 0 or number == KEYS:
                wall, cpu = time.perf_counter(), time.thread_time()
                bpy.context.view_layer.update()
                times.append((time.perf_counter() - wall, time.thread_time() - cpu))
        longest.append((max(t[0] for t in times), max(t[1] for t in times)))
    wall, cpu = (1000 * min(column) for column in zip(*longest))
    what = f"evaluate after every {at_a_time}{', no normals' * without_normals}, longest"
    print(f"{what:44s} {wall:7.1f} wall {cpu:7.1f} processor", flush=True)


def main() -> None:
    evaluations(KEYS)
    evaluations(KEYS_AT_A_TIME)
    if bpy.app.version < (4, 1):
        evaluations(KEYS_AT_A_TIME, without_normals=True)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    obj = make_mesh()
    mesh, evaluate = obj.data, bpy.context.view_layer.update
    count = len(mesh.vertices)
    print(f"Blender {bpy.app.version_string}, {count} vertices, {KEYS} keys")
    base = np.empty(count * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", base)
    measure("evaluate the mesh, no shape keys yet", evaluate, mesh.update)
    obj.shape_key_add(name="Basis")
    keys = mesh.shape_keys.key_blocks

    def add() -> None:
        obj.shape_key_add(name="Key", from_mix=False).value = 0.0

    measure("add a key", add)
    while len(keys) <= KEYS:
        add()
    measure("fill a key", lambda: fill(keys[1], base))
    for number, key in enumerate(keys[1:]):
        fill(key, base + np.float32(1e-5 * number))
    bpy.ops.ed.undo_push(message="before")
    measure("evaluate the mesh with its keys", evaluate, mesh.update)

    def move_slider() -> None:
        keys[1].value = 1.0 - keys[1].value

    measure("evaluate it after a slider was moved", evaluate, move_slider)

    edits = itertools.count()

    def edit_all() -> None:
        for key in keys[1:]:
            fill(key, base + np.float32(1e-6 * next(edits)))

    measure("undo step with all keys", lambda: bpy.ops.ed.undo_push(message="keys"), edit_all)
    measure("undo step without a change", lambda: bpy.ops.ed.undo_push(message="nothing"))


main()
sys.stdout.flush()
os._exit(0)  # some bpy modules hang when Python ends
