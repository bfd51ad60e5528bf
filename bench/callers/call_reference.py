# SPDX-License-Identifier: Apache-2.0
"""The specification's own client (bench/reference/client.py)."""

from __future__ import annotations

import argparse

from client import InferenceClient
from measure import Call
from settings import OPTIONS, VISEMES, Meshes


def make(settings: argparse.Namespace, meshes: Meshes) -> Call:
    clients = [InferenceClient(settings.address, timeout=120.0) for _ in range(settings.clients)]

    def single(thread: int, number: int) -> None:
        name = VISEMES[number % len(VISEMES)]
        vertices = meshes.take(thread, number)
        offsets = clients[thread].predict_vertex_offsets(vertices, "viseme", name, options=OPTIONS)
        if offsets is None:
            raise RuntimeError("the prediction failed; the log says why")

    def batch(thread: int, number: int) -> None:
        vertices = meshes.take(thread, number)
        requests = [
            {
                "vertices": vertices + i * 1e-6 if settings.own_meshes else vertices,
                "expression_type": "viseme",
                "expression_name": VISEMES[i % len(VISEMES)],
                "options": OPTIONS,
            }
            for i in range(settings.items)
        ]
        if any(result is None for result in clients[thread].predict_batch(requests)):
            raise RuntimeError("a prediction of the batch failed; the log says why")

    return single if settings.items == 1 else batch
