# SPDX-License-Identifier: Apache-2.0
"""What every Python caller is told, and the meshes and expressions that it sends."""

from __future__ import annotations

import argparse
import pathlib
import random
from typing import Any

import numpy as np

VISEMES = ["PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou"]

OPTIONS: dict[str, Any] = {
    "apply_smoothing": True,
    "smoothing_iterations": 2,
    "max_displacement": 0.08,
    "clamp_extreme_values": True,
}

PLAIN_OPTIONS = OPTIONS | {"apply_smoothing": False, "clamp_extreme_values": False}


def read_mesh(path: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    """Vertices [N,3] float32 in metres, triangles [T,3] uint32."""
    data = path.read_bytes()
    vertex_count, triangle_count = np.frombuffer(data, "<u4", 2)
    vertices = np.frombuffer(data, "<f4", 3 * int(vertex_count), 8).reshape(-1, 3).copy()
    triangles = np.frombuffer(data, "<u4", 3 * int(triangle_count), 8 + vertices.nbytes)
    return vertices, triangles.reshape(-1, 3).copy()


class Meshes:
    """A mesh of its own for each thread, and with `fresh` for each call, so that nothing that
    remembers meshes has seen it."""

    def __init__(self, settings: argparse.Namespace) -> None:
        vertices, triangles = read_mesh(settings.mesh)
        self.triangles: np.ndarray | None = triangles
        self.fresh = settings.fresh
        if settings.plain:
            self.triangles = None
        salt = 0.01 * random.random()  # meshes of another process are other meshes, too
        self.of_thread = [vertices.copy() for _ in range(settings.clients)]
        for thread, own in enumerate(self.of_thread):
            own[0, :2] = 0.0, 1e-4 * thread + salt

    def take(self, thread: int, number: int) -> np.ndarray:
        """Vertices [N,3], valid until this thread's next call."""
        own = self.of_thread[thread]
        if self.fresh:
            own[0, 0] = 1e-6 * (number % 10_000)
        return own


def parse(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("caller", help="module beside this one")
    parser.add_argument("--address", required=True)
    parser.add_argument("--mesh", type=pathlib.Path, required=True)
    parser.add_argument("--items", type=int, default=1, help="more than one: a batch on one mesh")
    parser.add_argument(
        "--own-meshes", action="store_true", help="each item of a batch has its own"
    )
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--plain", action="store_true", help="Blendwire: no triangles, no options")
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--at-least", type=int, default=3)
    parser.add_argument("--warm-up", type=int, default=1)
    parser.add_argument("--model", default="", help="KServe servers: the model's name")
    parser.add_argument("--shared-memory", action="store_true", help="Triton: its own way")
    return parser.parse_args()
