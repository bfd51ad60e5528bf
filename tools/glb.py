# SPDX-License-Identifier: Apache-2.0
"""Reads and writes the part of binary glTF 2.0 (.glb) that a face asset uses.

Reading flattens the scene: every triangle primitive comes back in world space (glTF's axes: Y up,
the face looks along +Z, metres), with its morph targets as offsets by name. Textures, skins,
cameras and animations are left aside: a skinned mesh is shown in its bind pose.

Formula and field names: the glTF 2.0 specification, https://registry.khronos.org/glTF/specs/2.0/.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_MAGIC = 0x46546C67
_JSON_CHUNK = 0x4E4F534A
_BINARY_CHUNK = 0x004E4942
_TRIANGLES = 4
_ARRAY_BUFFER = 34962
_ELEMENT_ARRAY_BUFFER = 34963
_FLOAT = 5126
_COMPONENT_TYPES = {
    5120: np.dtype("<i1"),
    5121: np.dtype("<u1"),
    5122: np.dtype("<i2"),
    5123: np.dtype("<u2"),
    5125: np.dtype("<u4"),
    _FLOAT: np.dtype("<f4"),
}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
# Required extensions that change nothing this reader looks at, or that it handles.
_HARMLESS_EXTENSIONS = ("KHR_materials_", "KHR_texture_", "KHR_mesh_quantization", "VRM",
                        "EXT_texture")


class GlbError(ValueError):
    """A file that is not a .glb, is damaged, or uses a feature this reader does not have."""


@dataclass(frozen=True)
class Material:
    """What the preview needs of a glTF material. `color` is linear RGB in 0..1."""

    name: str = "default"
    color: tuple[float, float, float] = (0.8, 0.8, 0.8)
    roughness: float = 1.0
    double_sided: bool = False


@dataclass
class Primitive:
    """One triangle primitive in world space.

    positions: [V, 3] metres. triangles: [T, 3] indices into positions. normals: [V, 3] unit, or
    None. colors: [V, 3] linear RGB that multiplies the material's, or None. targets: name ->
    [V, 3] offsets in metres that weight 1.0 adds to positions.
    """

    node: str
    mesh: str
    material: Material
    positions: Floats
    triangles: Ints
    normals: Floats | None = None
    colors: Floats | None = None
    targets: dict[str, Floats] = field(default_factory=dict)


@dataclass
class Scene:
    """All primitives of a file, and its parsed JSON for whoever needs more."""

    primitives: list[Primitive]
    document: dict[str, Any]

    def target_names(self) -> list[str]:
        """Every morph target's name, in the order of their first appearance."""
        return list(dict.fromkeys(name for p in self.primitives for name in p.targets))


def read(path: Path) -> Scene:
    """Reads `path`; raises GlbError with what is wrong, or OSError."""
    document, binary = _chunks(path)
    for extension in document.get("extensionsRequired", []):
        if not extension.startswith(_HARMLESS_EXTENSIONS):
            raise GlbError(f"{path}: needs the glTF extension {extension}, which is not supported")
    reader = _Reader(document, binary, str(path))
    return Scene(reader.primitives(), document)


def _chunks(path: Path) -> tuple[dict[str, Any], bytes]:
    data = path.read_bytes()
    if len(data) < 20 or struct.unpack_from("<II", data)[0] != _MAGIC:
        raise GlbError(f"{path}: not a binary glTF file (a .glb starts with the bytes 'glTF')")
    _, version, length = struct.unpack_from("<III", data)
    if version != 2:
        raise GlbError(f"{path}: glTF version {version}, supported is 2")
    if length > len(data):
        raise GlbError(f"{path}: the header says {length} bytes, the file has {len(data)}")
    chunks: dict[int, bytes] = {}
    offset = 12
    while offset + 8 <= length:
        size, kind = struct.unpack_from("<II", data, offset)
        offset += 8
        if offset + size > length:
            raise GlbError(f"{path}: a chunk of {size} bytes reaches past the end of the file")
        chunks.setdefault(kind, data[offset : offset + size])
        offset += size
    if _JSON_CHUNK not in chunks:
        raise GlbError(f"{path}: has no JSON chunk")
    return json.loads(chunks[_JSON_CHUNK]), chunks.get(_BINARY_CHUNK, b"")


class _Reader:
    """Walks the node tree of one parsed document."""

    def __init__(self, document: dict[str, Any], binary: bytes, path: str) -> None:
        self._document = document
        self._binary = binary
        self._path = path

    def primitives(self) -> list[Primitive]:
        nodes = self._document.get("nodes", [])
        scenes = self._document.get("scenes")
        if scenes:
            roots = scenes[self._document.get("scene", 0)].get("nodes", [])
        else:
            children = {child for node in nodes for child in node.get("children", [])}
            roots = [index for index in range(len(nodes)) if index not in children]
        found: list[Primitive] = []
        pending = [(root, np.eye(4)) for root in reversed(roots)]
        while pending:
            index, parent = pending.pop()
            node = nodes[index]
            world = parent @ node_matrix(node)
            if "mesh" in node:
                # glTF ignores the transform of a skinned node; its bind pose is the mesh as stored.
                placed = np.eye(4) if "skin" in node else world
                found += self._mesh(node, placed)
            pending += [(child, world) for child in reversed(node.get("children", []))]
        return found

    def _mesh(self, node: dict[str, Any], world: NDArray[np.float64]) -> list[Primitive]:
        mesh = self._document["meshes"][node["mesh"]]
        names = mesh.get("extras", {}).get("targetNames", [])
        linear = world[:3, :3]
        inverse_transpose = np.linalg.inv(linear).T
        result = []
        for description in mesh["primitives"]:
            mode = description.get("mode", _TRIANGLES)
            if mode != _TRIANGLES:
                raise GlbError(f"{self._path}: mesh '{mesh.get('name', '')}' has a primitive of "
                               f"mode {mode}, supported is {_TRIANGLES} (triangles)")
            attributes = description["attributes"]
            local = self._accessor(attributes["POSITION"])
            if "indices" in description:
                indices = self._accessor(description["indices"]).astype(np.int64)
            else:
                indices = np.arange(len(local))
            triangles = indices.reshape(-1, 3)
            if triangles.size and triangles.max() >= len(local):
                raise GlbError(f"{self._path}: mesh '{mesh.get('name', '')}' has the index "
                               f"{triangles.max()}, but {len(local)} vertices")
            if np.linalg.det(linear) < 0:
                triangles = triangles[:, ::-1]
            normals = None
            if "NORMAL" in attributes:
                normals = _unit(self._accessor(attributes["NORMAL"]) @ inverse_transpose.T)
            colors = None
            if "COLOR_0" in attributes:
                colors = self._accessor(attributes["COLOR_0"])[:, :3].astype(np.float32)
            targets = {}
            for number, target in enumerate(description.get("targets", [])):
                name = names[number] if number < len(names) else f"target {number}"
                if "POSITION" in target:
                    offsets = self._accessor(target["POSITION"]) @ linear.T
                else:
                    offsets = np.zeros_like(local)
                targets[name] = offsets.astype(np.float32)
            result.append(Primitive(
                node=node.get("name", ""), mesh=mesh.get("name", ""),
                material=self._material(description.get("material")),
                positions=(local @ linear.T + world[:3, 3]).astype(np.float32),
                triangles=triangles, normals=normals, colors=colors, targets=targets))
        return result

    def _material(self, index: int | None) -> Material:
        if index is None:
            return Material()
        material = self._document["materials"][index]
        surface = material.get("pbrMetallicRoughness", {})
        red, green, blue = surface.get("baseColorFactor", [1.0, 1.0, 1.0, 1.0])[:3]
        return Material(material.get("name", ""), (red, green, blue),
                        surface.get("roughnessFactor", 1.0), material.get("doubleSided", False))

    def _accessor(self, index: int) -> NDArray[Any]:
        """Reads an accessor as [count] or [count, width], sparse and normalised ones included."""
        accessor = self._document["accessors"][index]
        kind = _COMPONENT_TYPES[accessor["componentType"]]
        width = _WIDTHS[accessor["type"]]
        count = accessor["count"]
        if "bufferView" in accessor:
            values = self._view(accessor["bufferView"], accessor.get("byteOffset", 0),
                                kind, width, count)
        else:
            values = np.zeros((count, width), kind)
        if "sparse" in accessor:
            sparse = accessor["sparse"]
            places = self._view(sparse["indices"]["bufferView"],
                                sparse["indices"].get("byteOffset", 0),
                                _COMPONENT_TYPES[sparse["indices"]["componentType"]],
                                1, sparse["count"])[:, 0]
            values = values.copy()
            values[places] = self._view(sparse["values"]["bufferView"],
                                        sparse["values"].get("byteOffset", 0),
                                        kind, width, sparse["count"])
        if accessor.get("normalized") and kind.kind in "iu":
            values = np.maximum(values.astype(np.float32) / np.iinfo(kind).max, -1.0)
        elif kind.kind in "iu" and width > 1:
            values = values.astype(np.float32)
        return values[:, 0] if width == 1 else values

    def _view(self, index: int, offset: int, kind: np.dtype[Any], width: int,
              count: int) -> NDArray[Any]:
        view = self._document["bufferViews"][index]
        if view["buffer"] != 0 or "uri" in self._document["buffers"][0]:
            raise GlbError(f"{self._path}: keeps its data outside the .glb, which is not supported")
        stride = view.get("byteStride", kind.itemsize * width)
        start = view.get("byteOffset", 0) + offset
        end = start + stride * (count - 1) + kind.itemsize * width if count else start
        if end > len(self._binary):
            raise GlbError(f"{self._path}: bufferViews[{index}] ends at byte {end}, but the file "
                           f"carries {len(self._binary)}")
        return np.ndarray((count, width), kind, self._binary, start, (stride, kind.itemsize))


def node_matrix(node: dict[str, Any]) -> NDArray[np.float64]:
    """The 4 x 4 matrix of a node's `matrix`, or of its translation, rotation and scale."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    x, y, z, w = node.get("rotation", [0.0, 0.0, 0.0, 1.0])
    rotation = np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]])
    matrix = np.eye(4)
    matrix[:3, :3] = rotation * np.array(node.get("scale", [1.0, 1.0, 1.0]))
    matrix[:3, 3] = node.get("translation", [0.0, 0.0, 0.0])
    return matrix


def _unit(vectors: NDArray[Any]) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)


class Writer:
    """Collects materials, meshes and nodes, and writes them as one .glb.

    The same calls give the same bytes: nothing in the file depends on time or place.
    """

    def __init__(self, asset: dict[str, Any]) -> None:
        self._binary = bytearray()
        self._document: dict[str, Any] = {
            "asset": {"version": "2.0", **asset}, "scene": 0, "scenes": [{"nodes": []}],
            "nodes": [], "meshes": [], "materials": [], "accessors": [], "bufferViews": []}

    def add_material(self, material: Material) -> int:
        description = {
            "name": material.name,
            "pbrMetallicRoughness": {
                "baseColorFactor": [*material.color, 1.0], "metallicFactor": 0.0,
                "roughnessFactor": material.roughness}}
        if material.double_sided:
            description["doubleSided"] = True
        self._document["materials"].append(description)
        return len(self._document["materials"]) - 1

    def add_mesh(self, name: str, primitives: list[Primitive], materials: list[int]) -> int:
        """Adds primitives (in the mesh's own space) as one mesh; `materials` are their indices.

        All primitives must have the same morph targets, as glTF demands.
        """
        names = list(primitives[0].targets)
        descriptions = []
        for primitive, material in zip(primitives, materials, strict=True):
            if list(primitive.targets) != names:
                raise GlbError(f"mesh '{name}': its primitives have different morph targets")
            attributes = {"POSITION": self._add_accessor(primitive.positions, "VEC3")}
            if primitive.normals is not None:
                attributes["NORMAL"] = self._add_accessor(primitive.normals, "VEC3")
            if primitive.colors is not None:
                attributes["COLOR_0"] = self._add_colors(primitive.colors)
            description: dict[str, Any] = {
                "attributes": attributes, "indices": self._add_indices(primitive),
                "material": material}
            if names:
                description["targets"] = [{"POSITION": self._add_sparse(offsets)}
                                          for offsets in primitive.targets.values()]
            descriptions.append(description)
        mesh: dict[str, Any] = {"name": name, "primitives": descriptions}
        if names:
            mesh["weights"] = [0.0] * len(names)
            mesh["extras"] = {"targetNames": names}
        self._document["meshes"].append(mesh)
        return len(self._document["meshes"]) - 1

    def add_node(self, name: str, *, mesh: int | None = None, parent: int | None = None,
                 **transform: list[float]) -> int:
        """Adds a node; `transform` is glTF's translation, rotation, scale or matrix."""
        node: dict[str, Any] = {"name": name, **transform}
        if mesh is not None:
            node["mesh"] = mesh
        nodes = self._document["nodes"]
        nodes.append(node)
        index = len(nodes) - 1
        siblings = (self._document["scenes"][0]["nodes"] if parent is None
                    else nodes[parent].setdefault("children", []))
        siblings.append(index)
        return index

    def write(self, path: Path) -> None:
        document = {**self._document, "buffers": [{"byteLength": len(self._binary)}]}
        text = json.dumps(document, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        binary = bytes(self._binary) + b"\0" * (-len(self._binary) % 4)
        path.write_bytes(
            struct.pack("<III", _MAGIC, 2, 12 + 8 + len(text) + 8 + len(binary))
            + struct.pack("<II", len(text), _JSON_CHUNK) + text
            + struct.pack("<II", len(binary), _BINARY_CHUNK) + binary)

    def _add_view(self, values: NDArray[Any], target: int | None = None) -> int:
        self._binary += b"\0" * (-len(self._binary) % 4)
        view = {"buffer": 0, "byteOffset": len(self._binary), "byteLength": values.nbytes}
        if target is not None:
            view["target"] = target
        self._binary += values.tobytes()
        self._document["bufferViews"].append(view)
        return len(self._document["bufferViews"]) - 1

    def _add_accessor(self, values: NDArray[Any], kind: str) -> int:
        stored = np.ascontiguousarray(values, "<f4")
        return self._append_accessor({
            "bufferView": self._add_view(stored, _ARRAY_BUFFER), "componentType": _FLOAT,
            "count": len(stored), "type": kind,
            "min": stored.min(axis=0).tolist(), "max": stored.max(axis=0).tolist()})

    def _add_colors(self, colors: Floats) -> int:
        """Stores [V, 3] in 0..1 as four normalised bytes, the smallest aligned form."""
        stored = np.full((len(colors), 4), 255, np.uint8)
        stored[:, :3] = np.round(np.clip(colors, 0, 1) * 255)
        return self._append_accessor({
            "bufferView": self._add_view(stored, _ARRAY_BUFFER), "componentType": 5121,
            "normalized": True, "count": len(stored), "type": "VEC4"})

    def _add_indices(self, primitive: Primitive) -> int:
        component, dtype = (5123, "<u2") if len(primitive.positions) < 65535 else (5125, "<u4")
        stored = primitive.triangles.reshape(-1).astype(dtype)
        return self._append_accessor({
            "bufferView": self._add_view(stored, _ELEMENT_ARRAY_BUFFER),
            "componentType": component, "count": len(stored), "type": "SCALAR"})

    def _add_sparse(self, offsets: Floats) -> int:
        """Stores only the vertices that move; an accessor of zeros where none does."""
        moved = np.flatnonzero(np.any(offsets != 0, axis=1))
        accessor: dict[str, Any] = {
            "componentType": _FLOAT, "count": len(offsets), "type": "VEC3",
            "min": offsets.min(axis=0).tolist(), "max": offsets.max(axis=0).tolist()}
        if len(moved):
            values = np.ascontiguousarray(offsets[moved], "<f4")
            accessor["sparse"] = {
                "count": len(moved),
                "indices": {"bufferView": self._add_view(moved.astype("<u4")),
                            "componentType": 5125},
                "values": {"bufferView": self._add_view(values)}}
        return self._append_accessor(accessor)

    def _append_accessor(self, accessor: dict[str, Any]) -> int:
        self._document["accessors"].append(accessor)
        return len(self._document["accessors"]) - 1
