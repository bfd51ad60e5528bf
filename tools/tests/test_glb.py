# SPDX-License-Identifier: Apache-2.0
"""The glTF reader against files with known content."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

import glb

_TRIANGLE = np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0]], np.float32)


def _file_with(document: dict, binary: bytes) -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    return (struct.pack("<III", 0x46546C67, 2, 28 + len(text) + len(binary))
            + struct.pack("<II", len(text), 0x4E4F534A) + text
            + struct.pack("<II", len(binary), 0x004E4942) + binary)


def test_reads_back_what_it_wrote(tmp_path: Path) -> None:
    offsets = np.array([[0, 0, 0], [0, 0.5, 0], [0, 0, 0]], np.float32)
    material = glb.Material("Paint", (0.1, 0.2, 0.3), 0.4)
    primitive = glb.Primitive("", "", material, _TRIANGLE, np.array([[0, 1, 2]]),
                              normals=np.tile(np.float32([0, 0, 1]), (3, 1)),
                              colors=np.float32([[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
                              targets={"jawOpen": offsets, "still": np.zeros_like(offsets)})
    writer = glb.Writer({})
    mesh = writer.add_mesh("Mesh", [primitive], [writer.add_material(material)])
    parent = writer.add_node("Parent", translation=[10.0, 0.0, 0.0])
    # A quarter turn about Y takes X to -Z, then the scale of 2 is inside of it.
    half = float(np.sqrt(0.5))
    writer.add_node("Child", mesh=mesh, parent=parent, rotation=[0.0, half, 0.0, half],
                    scale=[2.0, 2.0, 2.0])
    path = tmp_path / "one.glb"
    writer.write(path)

    scene = glb.read(path)
    assert scene.target_names() == ["jawOpen", "still"]
    (read,) = scene.primitives
    assert (read.node, read.mesh, read.material) == ("Child", "Mesh", material)
    np.testing.assert_allclose(read.positions, [[10, 0, 0], [10, 0, -2], [10, 4, 0]], atol=1e-5)
    np.testing.assert_allclose(read.normals, [[1, 0, 0]] * 3, atol=1e-6)
    np.testing.assert_allclose(read.colors, np.eye(3), atol=1e-6)
    # An offset is turned and scaled, but not moved.
    np.testing.assert_allclose(read.targets["jawOpen"], [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
                               atol=1e-6)
    assert not read.targets["still"].any()


def test_reads_interleaved_and_sparse_data(tmp_path: Path) -> None:
    # Positions 16 bytes apart; a sparse accessor over them replaces the second one.
    interleaved = np.zeros((3, 4), "<f4")
    interleaved[:, :3] = _TRIANGLE
    binary = (interleaved.tobytes() + struct.pack("<Hxx", 1) + np.float32([7, 8, 9]).tobytes())
    document = {
        "asset": {"version": "2.0"}, "buffers": [{"byteLength": len(binary)}],
        "bufferViews": [{"buffer": 0, "byteLength": 48, "byteStride": 16},
                        {"buffer": 0, "byteOffset": 48, "byteLength": 2},
                        {"buffer": 0, "byteOffset": 52, "byteLength": 12}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3",
                       "sparse": {"count": 1, "indices": {"bufferView": 1, "componentType": 5123},
                                  "values": {"bufferView": 2}}}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "nodes": [{"mesh": 0, "matrix": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 5, 1]}]}
    path = tmp_path / "sparse.glb"
    path.write_bytes(_file_with(document, binary))
    (read,) = glb.read(path).primitives
    np.testing.assert_array_equal(read.positions, [[0, 0, 5], [7, 8, 14], [0, 2, 5]])
    np.testing.assert_array_equal(read.triangles, [[0, 1, 2]])


def test_a_mirrored_node_keeps_its_triangles_outward(tmp_path: Path) -> None:
    writer = glb.Writer({})
    primitive = glb.Primitive("", "", glb.Material(), _TRIANGLE, np.array([[0, 1, 2]]))
    mesh = writer.add_mesh("Mesh", [primitive], [writer.add_material(primitive.material)])
    writer.add_node("Mirror", mesh=mesh, scale=[-1.0, 1.0, 1.0])
    path = tmp_path / "mirror.glb"
    writer.write(path)
    (read,) = glb.read(path).primitives
    a, b, c = read.positions[read.triangles[0]]
    assert np.cross(b - a, c - a)[2] > 0


@pytest.mark.parametrize(("content", "reason"), [
    (b"solid cube, which is an STL file", "not a binary glTF"),
    (_file_with({"asset": {"version": "2.0"}, "extensionsRequired": [
        "KHR_draco_mesh_compression"]}, b""), "KHR_draco_mesh_compression"),
    (_file_with({"asset": {"version": "2.0"}}, b"")[:-10], "the header says"),
])
def test_says_what_is_wrong_with_a_file(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "bad.glb"
    path.write_bytes(content)
    with pytest.raises(glb.GlbError, match=reason):
        glb.read(path)
