# SPDX-License-Identifier: GPL-3.0-or-later
"""core.run.Host for Blender. Objects are looked up by name each time: after an undo, what was held
before is gone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import bpy
import numpy as np

from ..core import provenance
from ..core.gather import Source, fingerprint
from ..core.messages import Message, Stop
from ..core.region import BUST_HEIGHT, is_head_group
from . import meshes
from .split_normals import PutOffNormals


@dataclasses.dataclass(frozen=True)
class Region:
    """Which vertices are the face: "AUTOMATIC", "GROUP" or "SELECTION"."""

    kind: str = "AUTOMATIC"
    group: str = ""


@dataclasses.dataclass(frozen=True)
class _Identity:
    vertices: int
    checksum: int
    uid: int  # 0 where Blender has none (before 4.2)


class BlenderHost:
    """The target objects of one run."""

    def __init__(
        self, names: Sequence[str], region: Region, undo_count: Callable[[], int], unit_scale: float
    ) -> None:
        self._names = list(names)
        self._region = region
        self._undo_count = undo_count
        self._undos = 0
        self._unit_scale = unit_scale
        self._read: dict[str, _Identity] = {}
        self._basis_added: list[str] = []
        self._added: list[tuple[str, str]] = []
        self._replaced: list[tuple[str, str, Any]] = []
        self._records_before: dict[str, dict[str, provenance.Record]] = {}
        self._normals = PutOffNormals()

    # ---- reading ----

    def read_steps(self) -> Iterator[list[Source] | None]:
        sources = []
        any_selected = False
        for name in self._names:
            obj = _find(name)
            if obj is None:
                raise Stop("object_gone", object=name)
            source: Source | None = None
            for source in _guarded(name, self._read_object(name, obj)):
                yield None
            assert source is not None
            if self._region.kind == "SELECTION":
                any_selected = any_selected or bool(source.inside.any())
            sources.append(source)
        if self._region.kind == "SELECTION" and not any_selected:
            raise Stop("no_selection")
        yield sources

    def _read_object(self, name: str, obj: Any) -> Iterator[Source | None]:
        mesh = obj.data
        co = meshes.positions_of(mesh)
        yield None
        triangles = None
        for triangles in meshes.triangle_steps(mesh):
            yield None
        self._read[name] = _identity(obj, co)
        yield None
        source = Source(name, co, triangles, meshes.world_matrix(obj))
        for _ in self._choose(obj, source):
            yield None
        yield source

    def _choose(self, obj: Any, source: Source) -> Iterator[None]:
        """Fills in the region."""
        if self._region.kind == "SELECTION":
            source.inside = meshes.selection_of(obj.data)
            return
        if self._region.kind == "GROUP":
            if self._region.group not in obj.vertex_groups:
                if len(self._names) == 1:
                    raise Stop("no_group", object=obj.name, group=self._region.group)
                return  # teeth and lashes move as a whole
            for weights in meshes.group_weight_steps(obj, self._region.group):
                yield None
            source.inside = weights > 0
            source.weights = weights
            return
        group = next((g.name for g in obj.vertex_groups if is_head_group(g.name)), "")
        if group and self._height(source) > BUST_HEIGHT:
            for weights in meshes.group_weight_steps(obj, group):
                yield None
            if (weights > 0.3).any():
                source.inside = weights > 0.3

    def _height(self, source: Source) -> float:
        if len(source.co) == 0:
            return 0.0
        a, b, c = np.asarray(source.matrix_world)[2, :3].astype(np.float32)
        heights = source.co[:, 0] * a + source.co[:, 1] * b + source.co[:, 2] * c
        return float(heights.max() - heights.min()) * self._unit_scale

    # ---- core.run.Host ----

    def trouble(self, name: str) -> Message | None:
        obj = _find(name)
        if obj is None:
            return Message("object_gone", {"object": name})
        if _identity(obj, meshes.positions_of(obj.data)) != self._read[name]:
            return Message("object_changed", {"object": name})
        return None

    def busy_object(self) -> str:
        for name in self._names:
            obj = _find(name)
            if obj is not None and obj.mode == "EDIT":
                return name
        return ""

    def existing_steps(self, name: str) -> Iterator[tuple[dict[str, str], str | None] | None]:
        obj = _find(name)
        if obj is None:
            raise Stop("object_gone", object=name)
        yield from _guarded(name, meshes.key_state_steps(obj))

    def begin_writing(self) -> None:
        self._undos = self._undo_count()
        for name in self._names:
            obj = _find(name)
            if obj is not None:
                self._records_before[name] = meshes.records_of(obj.data)

    def begin_many_keys(self, name: str) -> None:
        self._normals.put_off(_writable(name))

    def add_key(self, name: str, key: str) -> None:
        obj = _writable(name)
        if obj.data.shape_keys is None:
            obj.shape_key_add(name="Basis", from_mix=False)
            self._basis_added.append(name)
        block = obj.data.shape_keys.key_blocks.get(key)
        if block is None:
            block = obj.shape_key_add(name=key, from_mix=False)
            self._added.append((name, key))
            block.value = 0.0  # from 5.0 on a new key is at 1
        else:
            self._replaced.append((name, key, meshes.key_positions(block)))

    def fill_key(self, name: str, key: str, positions: Any) -> None:
        keys = _writable(name).data.shape_keys
        block = keys.key_blocks.get(key) if keys is not None else None
        if block is None or len(block.data) != len(positions):
            raise Stop("object_changed", object=name)
        meshes.set_key_positions(block, positions)

    def interrupted(self) -> bool:
        return self._undo_count() != self._undos

    def evaluate(self) -> None:
        evaluate()

    def finish_object_steps(
        self, name: str, records: Mapping[str, provenance.Record]
    ) -> Iterator[None]:
        mesh = _writable(name).data
        meshes.set_records(mesh, {**meshes.records_of(mesh), **records})
        self._normals.bring_back()
        mesh.update()
        yield None
        # The undo step would do it, too; here it does not add to the undo step's own time.
        evaluate()
        yield None

    def finish_writing(self) -> None:
        push_undo("Generate Shape Keys")

    def abort_writing(self) -> None:
        self._normals.bring_back()
        for name, key, positions in reversed(self._replaced):
            block = _key(name, key)
            if block is not None and len(block.data) == len(positions):
                meshes.set_key_positions(block, positions)
        for name, key in reversed(self._added):
            block = _key(name, key)
            if block is not None:
                bpy.data.objects[name].shape_key_remove(block)
        for name in self._basis_added:
            obj = _find(name)
            keys = obj.data.shape_keys if obj is not None else None
            if keys is not None and len(keys.key_blocks) == 1:
                obj.shape_key_clear()
        for name, records in self._records_before.items():
            obj = _find(name)
            if obj is not None and obj.data.shape_keys is not None:
                meshes.set_records(obj.data, records)
                obj.data.update()


_T = TypeVar("_T")


def _guarded(name: str, steps: Iterator[_T]) -> Iterator[_T]:
    """Between steps the user may undo, which removes what Python holds of the file."""
    try:
        yield from steps
    except ReferenceError:
        raise Stop("object_changed", object=name) from None


def _find(name: str) -> Any:
    obj = bpy.data.objects.get(name)
    return obj if obj is not None and obj.type == "MESH" else None


def _writable(name: str) -> Any:
    obj = _find(name)
    if obj is None:
        raise Stop("object_gone", object=name)
    if obj.mode == "EDIT":
        raise Stop("edit_mode", object=name)
    return obj


def _key(name: str, key: str) -> Any:
    obj = _find(name)
    keys = obj.data.shape_keys if obj is not None else None
    return keys.key_blocks.get(key) if keys is not None else None


def _identity(obj: Any, co: Any) -> _Identity:
    checksum = fingerprint(co, len(obj.data.polygons))
    return _Identity(len(co), checksum, int(getattr(obj, "session_uid", 0)))


def evaluate() -> None:
    """Lets Blender work out the meshes that were changed."""
    bpy.context.view_layer.update()


def push_undo(message: str) -> None:
    """An undo step for what was changed outside of an operator with an undo step of its own."""
    window = bpy.context.window
    windows = bpy.context.window_manager.windows
    if window is None and not bpy.app.background and len(windows):
        with bpy.context.temp_override(window=windows[0]):
            bpy.ops.ed.undo_push(message=message)
    else:
        bpy.ops.ed.undo_push(message=message)
