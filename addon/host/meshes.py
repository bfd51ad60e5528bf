# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and writes meshes and shape keys with numpy arrays; never a Python loop over vertices,
except for vertex groups, which Blender offers no other way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core import provenance
from ..core.checks import Facts
from ..core.transforms import is_flat

_VERTICES_AT_A_TIME = 2000


def positions_of(mesh: Any) -> Any:
    """[N,3] float32: the Basis key where there is one, not a mixed shape."""
    if mesh.shape_keys is not None:
        return key_positions(mesh.shape_keys.reference_key)
    result = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    position = mesh.attributes.get("position") if hasattr(mesh, "attributes") else None
    if position is not None and len(position.data) == len(mesh.vertices):
        position.data.foreach_get("vector", result)
    else:
        mesh.vertices.foreach_get("co", result)
    return result.reshape(-1, 3)


def key_positions(key: Any) -> Any:
    """[N,3] float32 of a shape key."""
    points = getattr(key, "points", key.data)
    result = np.empty(len(points) * 3, dtype=np.float32)
    points.foreach_get("co", result)
    return result.reshape(-1, 3)


def set_key_positions(key: Any, positions: Any) -> None:
    """[N,3] float32 into a shape key."""
    points = getattr(key, "points", key.data)
    if len(points) != len(positions):
        raise ValueError(f"the key has {len(points)} points, but {len(positions)} were given")
    points.foreach_set("co", np.ascontiguousarray(positions, dtype=np.float32).reshape(-1))


def triangle_steps(mesh: Any) -> Iterator[Any]:
    """int32 [T,3], each polygon as a fan, in pieces: yields None until the last, the result.

    Blender's own triangles take ten times as long to read, and which diagonal a quad gets matters
    neither to normals nor to smoothing. The arrays are unsigned because Blender's numbers are: with
    any other type each number goes through a Python object, which takes thirty times as long.
    """
    corners = np.empty(len(mesh.loops), dtype=np.uint32)
    starts = np.empty(len(mesh.polygons), dtype=np.uint32)
    totals = np.empty(len(mesh.polygons), dtype=np.uint32)
    stored = mesh.attributes.get(".corner_vert") if hasattr(mesh, "attributes") else None
    if stored is not None and len(stored.data) == len(corners):
        stored.data.foreach_get("value", corners.view(np.int32))  # from 3.6 on, and much faster
    else:
        mesh.loops.foreach_get("vertex_index", corners)
    yield None
    mesh.polygons.foreach_get("loop_start", starts)
    yield None
    mesh.polygons.foreach_get("loop_total", totals)
    yield None
    fans = []
    step = 1
    while len(starts):
        large = totals > step + 1
        if not large.all():
            starts, totals = starts[large], totals[large]
        fan = np.empty((len(starts), 3), dtype=np.int32)
        for corner, offset in enumerate((0, step, step + 1)):
            fan[:, corner] = corners[starts + np.uint32(offset)]
            yield None
        fans.append(fan)
        step += 1
    yield np.concatenate(fans) if fans else np.zeros((0, 3), dtype=np.int32)


def triangles_of(mesh: Any) -> Any:
    """int32 [T,3]: as triangle_steps()."""
    result = None
    for result in triangle_steps(mesh):
        pass
    return result


def selection_of(mesh: Any) -> Any:
    """bool [N]."""
    result = np.zeros(len(mesh.vertices), dtype=bool)
    stored = mesh.attributes.get(".select_vert") if hasattr(mesh, "attributes") else None
    if stored is not None and len(stored.data) == len(result):
        stored.data.foreach_get("value", result)  # from 3.4 on, and faster
    else:
        mesh.vertices.foreach_get("select", result)
    return result


def group_weight_steps(obj: Any, group_name: str) -> Iterator[Any]:
    """float32 [N], in pieces: yields None until the last, the result."""
    index = obj.vertex_groups[group_name].index
    vertices = obj.data.vertices
    result = np.zeros(len(vertices), dtype=np.float32)
    for begin in range(0, len(vertices), _VERTICES_AT_A_TIME):
        for vertex in vertices[begin : begin + _VERTICES_AT_A_TIME]:
            for group in vertex.groups:
                if group.group == index:
                    result[vertex.index] = group.weight
        yield None
    yield result


def world_matrix(obj: Any) -> Any:
    """[4,4] float64."""
    return np.array(obj.matrix_world, dtype=np.float64)


def facts_of(obj: Any, in_edit_mode: bool | None = None) -> Facts:
    """What core.checks needs to know."""
    mesh = obj.data
    keys = mesh.shape_keys
    return Facts(
        name=obj.name,
        in_edit_mode=obj.mode == "EDIT" if in_edit_mode is None else in_edit_mode,
        triangle_count=len(mesh.polygons),
        linked=not _is_editable(obj),
        flat=is_flat(world_matrix(obj)),
        finite=bool(np.isfinite(positions_of(mesh)).all()),
        modifiers=[(m.name, m.type) for m in obj.modifiers if m.show_viewport],
        has_keys=keys is not None,
        absolute_keys=keys is not None and not keys.use_relative,
        other_users=mesh.users - 1 - int(mesh.use_fake_user),
    )


def _is_editable(obj: Any) -> bool:
    return all(i.library is None and i.override_library is None for i in (obj, obj.data))


# ---- records ----


def records_of(mesh: Any) -> dict[str, provenance.Record]:
    """Of the generated keys, without those that are gone."""
    keys = mesh.shape_keys
    if keys is None:
        return {}
    records = provenance.load(keys.get(provenance.PROPERTY))
    return {name: record for name, record in records.items() if name in keys.key_blocks}


def set_records(mesh: Any, records: dict[str, provenance.Record]) -> None:
    """Replaces all records of a mesh that has shape keys; none leaves no trace."""
    keys = mesh.shape_keys
    if keys is None:
        return
    if records:
        keys[provenance.PROPERTY] = provenance.dump(records)
    elif provenance.PROPERTY in keys:
        del keys[provenance.PROPERTY]


def key_state_steps(obj: Any) -> Iterator[tuple[dict[str, str], str | None] | None]:
    """Each key's state (core.provenance), and the Basis key's name; in pieces: yields None until
    the last. The object may change in between: what is gone by then is left out."""
    mesh = obj.data
    if mesh.shape_keys is None:
        yield {}, None
        return
    records = records_of(mesh)
    states: dict[str, str] = {}
    for name in [key.name for key in mesh.shape_keys.key_blocks]:
        key = mesh.shape_keys.key_blocks.get(name)
        if key is None:
            continue
        record = records.get(name)
        checksum = provenance.checksum(key_positions(key)) if record else 0
        states[name] = provenance.state_of(record, checksum)
        yield None
    yield states, mesh.shape_keys.reference_key.name


def key_states(obj: Any) -> tuple[dict[str, str], str | None]:
    """As key_state_steps()."""
    result = None
    for result in key_state_steps(obj):
        pass
    assert result is not None
    return result
