# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes, and what the tests ask of the add-on in them; for all tests that run in a Blender."""

from __future__ import annotations

import importlib
import json
import pathlib
from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
from names import VISEMES as VISEMES

FACE_PARTS = ("Eyes", "Lashes", "Brows", "Teeth", "Tongue")

_addon = ""
_head_file = ""
_out = ""


def setup(addon: str, head: str, out: str) -> None:
    global _addon, _head_file, _out
    _addon, _head_file, _out = addon, head, out


def addon_name() -> str:
    return _addon


def module(name: str) -> Any:
    return importlib.import_module(f"{_addon}.{name}")


def session() -> Any:
    return module("host.session").session()


def pump(predicate: Callable[[], bool], timeout: float = 120) -> None:
    assert module("host.session").pump_until(predicate, timeout), "timed out"


def tear_down() -> None:
    session().care.stop()
    pump(lambda: session().care.state.value == "stopped", 20)


def fresh_file() -> None:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    session().messages = []


# ---- scenes ----


def import_head(with_parts: bool = True) -> Any:
    """The demo head in Blender's axes; its parts are added to the face."""
    bpy.ops.import_scene.gltf(filepath=_head_file)
    head = bpy.data.objects["Head"]
    bpy.context.view_layer.objects.active = head
    bpy.context.scene.blendwire.target = head
    if with_parts:
        for name in FACE_PARTS:
            bpy.context.scene.blendwire.others.add().object = bpy.data.objects[name]
    return head


def dense_head(count: int) -> Any:
    """The demo head, subdivided to at least `count` vertices."""
    head = import_head(with_parts=False)
    while len(head.data.vertices) < count:
        modifier = head.modifiers.new("Subdivide", "SUBSURF")
        modifier.levels = 1
        bpy.ops.object.modifier_apply(modifier="Subdivide")
    return head


def new_object(name: str, co: np.ndarray, triangles: np.ndarray, matrix: Any = None) -> Any:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(co.tolist(), [], triangles.tolist())
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    if matrix is not None:
        obj.matrix_world = matrix
    bpy.context.view_layer.objects.active = obj
    bpy.context.view_layer.update()
    return obj


def arrays(obj: Any) -> tuple[np.ndarray, np.ndarray]:
    meshes = module("host.meshes")
    return meshes.positions_of(obj.data), meshes.triangles_of(obj.data)


def keys_of(obj: Any) -> dict[str, np.ndarray]:
    keys = obj.data.shape_keys
    if keys is None:
        return {}
    return {k.name: module("host.meshes").key_positions(k) for k in keys.key_blocks}


def world(obj: Any, positions: np.ndarray) -> np.ndarray:
    matrix = np.array(obj.matrix_world)
    return positions @ matrix[:3, :3].T + matrix[:3, 3]


def codes() -> list[str]:
    return [m.code for m in session().messages]


def generate(**options: Any) -> None:
    assert bpy.ops.blendwire.generate("EXEC_DEFAULT", **options) == {"FINISHED"}


def refused(**options: Any) -> str:
    """Generates, which must fail; what the user reads."""
    try:
        result = bpy.ops.blendwire.generate("EXEC_DEFAULT", **options)
    except RuntimeError as error:
        return str(error)
    assert result == {"CANCELLED"}, result
    return str(session().messages)


def begin(sets: set[str]) -> Any:
    """As the button does: returns at once; the run. (Without a window Blender's own way to call
    an operator's invoke() calls execute().)"""
    settings = bpy.context.scene.blendwire
    specs = module("ui.properties").key_specs(settings, sorted(sets), "")
    return module("ui.operators").begin_run(bpy.context, specs)


def until_phase(name: str) -> Any:
    run = session().run
    pump(lambda: run.finished or run.phase.value == name)
    assert run.phase.value == name, (run.phase, run.outcome)
    return run


def report(name: str, **figures: Any) -> None:
    """Figures for the log, and for a file where --out names a folder."""
    print("FIGURES", name, json.dumps(figures), flush=True)
    if _out:
        path = pathlib.Path(_out) / f"figures-{bpy.app.version_string.split()[0]}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        known = json.loads(path.read_text()) if path.is_file() else {}
        path.write_text(json.dumps({**known, name: figures}, indent=1))
