# SPDX-License-Identifier: Apache-2.0
"""Where predictions come from when a model is judged: an ONNX file, or a running server.

The file shows the network alone; the server is what users get, with smoothing, lids that meet and
limits. Both answer the same question, so that everything else is measured alike.
"""

from __future__ import annotations

import os
import pathlib
import sys
from typing import Protocol

import numpy as np

from . import slots

_TYPES = {"viseme": "viseme", "emotion": "emotion", "unit": "custom"}


class Predictor(Protocol):
    def __call__(
        self, vertices: np.ndarray, normals: np.ndarray | None, triangles: np.ndarray
    ) -> np.ndarray:
        """(N,K,3): the offsets of every expression at full weight, in metres.

        vertices (N,3); normals (N,3), None to withhold them; triangles (T,3).
        """


class OnnxFile:
    """The network alone, by ONNX Runtime."""

    def __init__(self, path: pathlib.Path, threads: int = 1) -> None:
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # its build would send its maker what runs here
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._width = {x.name: x.shape[-1] for x in self._session.get_inputs()}.get("features")

    def _inputs(self, vertices: np.ndarray, normals: np.ndarray | None) -> dict[str, np.ndarray]:
        given = np.zeros_like(vertices) if normals is None else normals
        inputs = {
            "vertices": vertices[None].astype(np.float32),
            "normals": given[None].astype(np.float32),
            "condition": np.eye(slots.COUNT, dtype=np.float32),
        }
        if self._width:
            inputs["features"] = np.zeros((1, 0, self._width), np.float32)
        return inputs

    def __call__(
        self, vertices: np.ndarray, normals: np.ndarray | None, triangles: np.ndarray
    ) -> np.ndarray:
        return np.moveaxis(self._session.run(["offsets"], self._inputs(vertices, normals))[0], 0, 1)

    def margins(self, vertices: np.ndarray, normals: np.ndarray | None) -> np.ndarray:
        """(N,4): see margins.py."""
        return self._session.run(["margins"], self._inputs(vertices, normals))[0][0]


class Server:
    """What users get, by the Python package of this repository; the server must be running."""

    def __init__(self, address: str) -> None:
        sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))
        import blendwire

        self._client = blendwire.Client(address, timeout=120.0)

    def __call__(
        self, vertices: np.ndarray, normals: np.ndarray | None, triangles: np.ndarray
    ) -> np.ndarray:
        """Normals are the server's own, of the triangles; None withholds the triangles."""
        requests = [
            {"expression_type": _TYPES[slots.kind(name)], "expression_name": name.split("_")[-1]}
            for name in slots.SLOTS
        ]
        mesh = {"vertices": np.ascontiguousarray(vertices, np.float32)}
        if normals is not None:
            mesh["triangles"] = np.ascontiguousarray(triangles, np.int32)
        answers = self._client.predict_batch(requests, **mesh)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return np.stack(answers, 1)
