# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes as they are: transforms, pieces, regions, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import bpy
import numpy as np
from scenes import (
    arrays,
    codes,
    dense_head,
    fresh_file,
    generate,
    import_head,
    keys_of,
    module,
    new_object,
    refused,
    report,
    session,
    world,
)


def test_triangles_are_those_of_the_polygons() -> None:
    bpy.ops.mesh.primitive_cylinder_add(vertices=7, end_fill_type="NGON")
    obj = bpy.context.object
    co, triangles = arrays(obj)
    obj.data.calc_loop_triangles()
    own = np.array([t.vertices[:] for t in obj.data.loop_triangles])

    def area_vectors(faces: np.ndarray) -> np.ndarray:
        return np.cross(co[faces[:, 1]] - co[faces[:, 0]], co[faces[:, 2]] - co[faces[:, 0]])

    assert len(triangles) == len(own) == 7 * 2 + 2 * 5
    for direction in np.eye(3):
        expected, found = (area_vectors(f) @ direction for f in (own, triangles))
        assert abs(np.abs(expected).sum() - np.abs(found).sum()) < 1e-5
    sides = {frozenset(e.vertices) for e in obj.data.edges}
    edges = {frozenset(map(int, t[[i, i - 1]])) for t in triangles for i in range(3)}
    assert sides <= edges


def _compare_with_plain(make: Callable[[np.ndarray, np.ndarray], Iterator[Any]]) -> float:
    """Generates on the plain head and on what `make` makes of it; largest difference, metres."""
    head = import_head(with_parts=False)
    co, triangles = arrays(head)
    co = world(head, co).astype(np.float32)
    generate(sets={"visemes", "arkit"})
    expected = {n: world(head, p) for n, p in keys_of(head).items()}
    settings = bpy.context.scene.blendwire
    worst, compared = 0.0, 0
    pieces = list(make(co, triangles))
    settings.target = pieces[0][0]
    for obj, _ in pieces[1:]:
        settings.others.add().object = obj
    generate(sets={"visemes", "arkit"})
    for obj, used in pieces:
        for name, positions in keys_of(obj).items():
            if name == "vrc.v_sil":
                continue  # its 0.1 mm may be at another vertex
            worst = max(worst, float(np.abs(world(obj, positions) - expected[name][used]).max()))
            compared += 1
    assert compared > 60, compared
    return worst


def test_fbx_style_object_gets_the_plain_result() -> None:
    from mathutils import Matrix

    def make(co: np.ndarray, triangles: np.ndarray) -> Iterator[Any]:
        matrix = Matrix.Rotation(np.radians(-90), 4, "X") @ Matrix.Scale(0.01, 4)
        inverse = np.array(matrix.inverted())
        local = co @ inverse[:3, :3].T + inverse[:3, 3]
        yield new_object("Fbx", local, triangles, matrix), slice(None)

    worst = _compare_with_plain(make)
    report("fbx_object", largest_difference_m=worst)
    assert worst < 1e-4, worst


def test_four_objects_get_the_plain_result() -> None:
    from mathutils import Matrix

    def make(co: np.ndarray, triangles: np.ndarray) -> Iterator[Any]:
        centre = co[triangles].mean(axis=1)
        quarter = (centre[:, 0] > 0) + 2 * (centre[:, 2] > np.median(co[:, 2]))
        for number in range(4):
            used, inner = np.unique(triangles[quarter == number], return_inverse=True)
            matrix = Matrix.Translation((number, 0, 0)) @ Matrix.Scale(0.5 + number, 4)
            inverse = np.array(matrix.inverted())
            local = co[used] @ inverse[:3, :3].T + inverse[:3, 3]
            yield new_object(f"Quarter{number}", local, inner.reshape(-1, 3), matrix), used

    worst = _compare_with_plain(make)
    report("four_objects", largest_difference_m=worst)
    assert worst < 1e-4, worst


def test_region_leaves_the_rest_alone_to_the_bit() -> None:
    head = import_head(with_parts=False)
    co, _ = arrays(head)
    front = np.flatnonzero(co[:, 1] < np.median(co[:, 1]))
    group = head.vertex_groups.new(name="Face")
    group.add(front.tolist(), 1.0, "REPLACE")
    settings = bpy.context.scene.blendwire
    settings.region, settings.group = "GROUP", "Face"
    generate(sets={"visemes"})
    keys = keys_of(head)
    outside = np.setdiff1d(np.arange(len(co)), front)
    for name, positions in keys.items():
        same = positions[outside].view(np.uint32) == keys["Basis"][outside].view(np.uint32)
        assert same.all(), name
    assert np.abs(keys["vrc.v_aa"] - keys["Basis"]).max() > 0.003


def test_split_sides() -> None:
    head = import_head(with_parts=False)
    settings = bpy.context.scene.blendwire
    settings.split_sides = True
    generate(expressions="Joy")
    keys = keys_of(head)
    left = np.abs(keys["Joy_L"] - keys["Basis"]).max(axis=1)
    x = world(head, keys["Basis"])[:, 0]
    assert left[x > 0.011].max() > 0.001
    assert left[x < -0.011].max() == 0


def test_shared_mesh_and_findings() -> None:
    head = import_head(with_parts=False)
    twin = head.copy()
    bpy.context.scene.collection.objects.link(twin)
    bpy.ops.blendwire.check()
    assert [f.message.code for f in session().findings] == ["shared_data"]
    bpy.ops.blendwire.cure_single_user(object="Head")
    assert session().findings == []
    generate(sets={"visemes"})
    assert keys_of(twin) == {}


def test_mirrored_half_is_refused_and_cured() -> None:
    head = import_head(with_parts=False)
    head.modifiers.new("Mirror", "MIRROR")
    text = refused(sets={"visemes"})
    assert "Mirror" in text, text
    assert keys_of(head) == {}
    bpy.ops.blendwire.cure_apply_mirror(object="Head")
    assert not head.modifiers


def test_edit_mode_is_refused_and_cured() -> None:
    head = import_head(with_parts=False)
    bpy.ops.object.mode_set(mode="EDIT")
    assert "Edit Mode" in refused(sets={"visemes"})
    assert codes() == ["edit_mode"]
    bpy.ops.blendwire.cure_object_mode(object="Head")
    assert head.mode == "OBJECT"
    assert codes() == [], "it is still said although it is cured"


def test_findings_are_about_the_chosen_meshes_only() -> None:
    head = import_head(with_parts=False)
    settings = bpy.context.scene.blendwire
    properties = module("ui.properties")
    bpy.ops.blendwire.check()
    assert session().checked == properties.checked_settings(bpy.context)
    settings.target = bpy.data.objects["Teeth"]
    assert session().checked != properties.checked_settings(bpy.context)
    settings.target = head
    assert session().checked == properties.checked_settings(bpy.context)
    settings.facing = "+Y"
    assert session().checked != properties.checked_settings(bpy.context)


def test_suzanne_is_refused_unless_the_user_insists() -> None:
    for scale, levels in ((1.0, 0), (0.12, 0), (0.12, 2)):
        fresh_file()
        bpy.ops.mesh.primitive_monkey_add()
        suzanne = bpy.context.object
        suzanne.scale = (scale,) * 3
        bpy.context.view_layer.update()
        if levels:
            suzanne.modifiers.new("Subdivide", "SUBSURF").levels = levels
            bpy.ops.object.modifier_apply(modifier="Subdivide")
        bpy.ops.blendwire.check()
        found = [f.message.code for f in session().findings]
        assert found == (["too_large"] if scale == 1.0 else []) + ["no_face_found"], found
        assert "No face that the model knows" in refused(sets={"visemes"}), (scale, levels)
        assert keys_of(suzanne) == {}
        report(f"suzanne_{scale}_{levels}", face_score=session().outcome.face_score)
    generate(sets={"visemes"}, anyway=True)
    assert "no_face" in codes(), codes()
    assert bpy.context.scene.blendwire.need_face, "the choice was for this time only"
    keys = keys_of(suzanne)
    assert len(keys) == 16
    assert all(np.isfinite(p).all() for p in keys.values())


def test_no_face_is_refused() -> None:
    bpy.ops.mesh.primitive_uv_sphere_add(radius=0.12)
    ball = bpy.context.object
    assert "No face" in refused(sets={"visemes"})
    assert keys_of(ball) == {}


def test_wrong_facing_is_refused_and_the_right_one_works() -> None:
    head = import_head(with_parts=False)
    head.rotation_mode = "XYZ"
    head.parent = None
    head.rotation_euler = (0, 0, np.pi)
    head.location = (0, 0, 1.52)
    bpy.context.view_layer.update()
    assert "No face" in refused(sets={"visemes"})
    assert bpy.ops.blendwire.cure_no_face() == {"FINISHED"}
    assert bpy.context.scene.blendwire.facing == "+Y"
    assert codes() == [] and session().findings == [], (codes(), session().findings)
    generate(sets={"visemes"})
    assert len(keys_of(head)) == 16


def test_modifier_that_changes_the_mesh_is_told_and_can_be_applied() -> None:
    head = import_head(with_parts=False)
    count = len(head.data.vertices)
    head.modifiers.new("Subdivide", "SUBSURF").levels = 1
    bpy.ops.blendwire.check()
    assert [f.message.code for f in session().findings] == ["changes_topology"]
    bpy.ops.blendwire.cure_apply_modifier(object="Head", modifier="Subdivide")
    assert not head.modifiers and len(head.data.vertices) > 3 * count
    assert session().findings == [], session().findings


def test_object_without_faces_is_refused_and_can_be_left_out() -> None:
    head = import_head(with_parts=False)
    points = new_object("Points", np.zeros((3, 3)), np.zeros((0, 3), dtype=int))
    settings = bpy.context.scene.blendwire
    settings.others.add().object = points
    assert "no faces" in refused(sets={"visemes"})
    bpy.ops.blendwire.cure_leave_out(object="Points")
    assert len(settings.others) == 0 and codes() == []
    settings.target = points
    bpy.ops.blendwire.cure_leave_out(object="Points")
    assert settings.target == head, settings.target


def test_linked_mesh_is_refused_and_cured() -> None:
    import_head(with_parts=False)
    path = os.path.join(bpy.app.tempdir, "library.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    fresh_file()
    with bpy.data.libraries.load(path, link=True) as (_, wanted):
        wanted.objects = ["Head"]
    linked = wanted.objects[0]
    bpy.context.scene.collection.objects.link(linked)
    bpy.context.view_layer.objects.active = linked
    assert linked.library is not None
    assert "linked" in refused(sets={"visemes"})
    bpy.ops.blendwire.check()
    assert [f.cure for f in session().findings] == ["cure_make_local"]
    bpy.ops.blendwire.cure_make_local(object="Head")
    local = bpy.context.view_layer.objects.active
    assert local.library is None and local.data.library is None
    assert session().findings == [], session().findings
    generate(sets={"visemes"})
    assert len(keys_of(local)) == 16


def test_shared_mesh_gets_the_keys_of_all_its_objects() -> None:
    head = import_head(with_parts=False)
    twin = head.copy()
    bpy.context.scene.collection.objects.link(twin)
    generate(sets={"visemes"})
    assert twin.data == head.data
    assert len(keys_of(twin)) == 16


def test_selection_is_the_region_to_the_bit() -> None:
    head = import_head(with_parts=False)
    co, _ = arrays(head)
    chosen = co[:, 1] < np.median(co[:, 1])
    head.data.vertices.foreach_set("select", chosen)
    head.data.edges.foreach_set("select", np.zeros(len(head.data.edges), dtype=bool))
    head.data.polygons.foreach_set("select", np.zeros(len(head.data.polygons), dtype=bool))
    head.data.update()
    assert (module("host.meshes").selection_of(head.data) == chosen).all()
    bpy.context.scene.blendwire.region = "SELECTION"
    generate(sets={"visemes"})
    keys = keys_of(head)
    for name, positions in keys.items():
        same = positions[~chosen].view(np.uint32) == keys["Basis"][~chosen].view(np.uint32)
        assert same.all(), name
    assert np.abs(keys["vrc.v_aa"] - keys["Basis"]).max() > 0.003
    head.data.vertices.foreach_set("select", np.zeros(len(co), dtype=bool))
    assert "No vertices are selected" in refused(sets={"visemes"})


def test_200_000_vertices() -> None:
    head = dense_head(60_000)
    co, triangles = arrays(head)
    parts = [co, co * np.float32(0.98)]  # a second skin below the first
    both = new_object(
        "Both",
        world(head, np.concatenate(parts)),
        np.concatenate([triangles, triangles + len(co)]),
    )
    assert len(both.data.vertices) > 200_000
    bpy.context.scene.blendwire.target = both
    bpy.ops.blendwire.check()
    assert "many_vertices" in [f.message.code for f in session().findings]
    generate(expressions="aa, Blink")
    keys = keys_of(both)
    assert np.abs(keys["aa"] - keys["Basis"]).max() > 0.003
    report("two_hundred_thousand", vertices=len(co) * 2, seconds=session().outcome.seconds)
