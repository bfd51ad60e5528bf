# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmarks' part inside Blender: installs the add-on, makes a mesh of scripts/bench an
object, presses Generate for the visemes, and prints how long that took.

    BLENDER_USER_RESOURCES=EMPTY-FOLDER blender -b --factory-startup --python bench/click.py \\
        -- ZIP MESH
"""

from __future__ import annotations

import importlib
import json
import pathlib
import sys
import time

import bpy

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "packaging"), str(HERE / "callers")]
from blender_install import install
from settings import read_mesh


def generate() -> float:
    """Presses the button; the seconds until the shape keys are there."""
    began = time.perf_counter()
    # A failure raises RuntimeError with what the panel would say.
    bpy.ops.blendwire.generate("EXEC_DEFAULT", sets={"visemes"})
    return time.perf_counter() - began


def main() -> None:
    addon, mesh_file = sys.argv[sys.argv.index("--") + 1 :]
    name = install(str(pathlib.Path(addon).resolve()))
    vertices, triangles = read_mesh(pathlib.Path(mesh_file))
    mesh = bpy.data.meshes.new("Head")
    mesh.from_pydata(vertices.tolist(), [], triangles.tolist())
    head = bpy.data.objects.new("Head", mesh)
    bpy.context.scene.collection.objects.link(head)
    bpy.context.scene.blendwire.target = head
    first = generate()  # the server starts, too
    keys = len(head.data.shape_keys.key_blocks) - 1
    bpy.ops.blendwire.remove_generated()
    # Another mesh: what was worked out of the first is of no use. Without its Basis, which holds the
    # shape that counts.
    head.shape_key_clear()
    for vertex in head.data.vertices:
        vertex.co *= 1.001
    session = importlib.import_module(f"{name}.host.session").session()
    before = session.care.client.get_performance_stats()["inference_time"]
    second = generate()
    after = session.care.client.get_performance_stats()["inference_time"]
    model_ms = after["count"] * after["mean_ms"] - before["count"] * before["mean_ms"]
    print(
        "CLICK "
        + json.dumps(
            {
                "blender": bpy.app.version_string,
                "keys": keys,
                "vertices": len(vertices),
                "first_seconds": first,
                "seconds": second,
                "model_seconds": model_ms / 1000,
            }
        ),
        flush=True,
    )
    bpy.ops.blendwire.stop_server()


main()
