# SPDX-License-Identifier: GPL-3.0-or-later
"""What may come between while keys are written to a large mesh."""

from __future__ import annotations

import os
from typing import Any

import bpy
from scenes import begin, codes, dense_head, generate, keys_of, pump, until_phase


def _until_keys(count: int) -> Any:
    """Writes on to the middle of an object that takes many evaluations; the run."""
    run = until_phase("writing")
    while len(keys_of(bpy.data.objects["Head"])) <= count:
        run.tick(0)
    assert not run.finished
    return run


def _auto_smooth() -> bool:
    """Whether Blender works out custom normals; from 4.1 on always."""
    return getattr(bpy.data.objects["Head"].data, "use_auto_smooth", True)


def test_custom_normals_come_back_however_it_ends() -> None:
    dense_head(20_000)
    assert _auto_smooth() and bpy.data.objects["Head"].data.has_custom_normals
    bpy.ops.ed.undo_push(message="Before")
    sets = {"visemes", "arkit"}
    begin(sets)
    _until_keys(10)
    assert _auto_smooth() == (bpy.app.version >= (4, 1))
    assert bpy.ops.blendwire.cancel() == {"FINISHED"}
    assert _auto_smooth() and keys_of(bpy.data.objects["Head"]) == {}
    bpy.ops.ed.undo_push(message="More")
    run = begin(sets)
    _until_keys(10)
    bpy.ops.ed.undo()
    pump(lambda: run.finished)
    assert codes()[0] == "undone_while_writing"
    assert _auto_smooth() and keys_of(bpy.data.objects["Head"]) == {}
    generate(sets=sets)
    assert _auto_smooth() and len(keys_of(bpy.data.objects["Head"])) == 68
    bpy.ops.ed.undo()
    assert _auto_smooth() and keys_of(bpy.data.objects["Head"]) == {}


def test_custom_normals_come_back_to_a_mesh_that_was_renamed() -> None:
    head = dense_head(20_000)
    run = begin({"visemes", "arkit"})
    _until_keys(10)
    head.data.name = "Somebody"
    pump(lambda: run.finished)
    assert run.outcome.written == 67 and _auto_smooth()


def test_file_saved_during_the_run_has_all_keys() -> None:
    dense_head(20_000)
    run = begin({"visemes", "arkit"})
    _until_keys(10)
    path = os.path.join(bpy.app.tempdir, "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    assert run.finished and run.outcome.written == 67
    bpy.ops.wm.open_mainfile(filepath=path)
    assert _auto_smooth() and len(keys_of(bpy.data.objects["Head"])) == 68
