# SPDX-License-Identifier: Apache-2.0
"""Blendwire's Python package, as the add-on uses it: arrays in place, answers into `out`."""

from __future__ import annotations

import argparse

import blendwire
import numpy as np
from measure import Call
from settings import OPTIONS, PLAIN_OPTIONS, VISEMES, Meshes


def make(settings: argparse.Namespace, meshes: Meshes) -> Call:
    clients = [
        blendwire.Client(settings.address, timeout=120.0, channels=1)
        for _ in range(settings.clients)
    ]
    outs = [
        np.empty((settings.items, *meshes.of_thread[0].shape), np.float32)
        for _ in range(settings.clients)
    ]

    options = PLAIN_OPTIONS if settings.plain else OPTIONS

    def single(thread: int, number: int) -> None:
        clients[thread].predict_vertex_offsets(
            meshes.take(thread, number),
            "viseme",
            VISEMES[number % len(VISEMES)],
            options=options,
            triangles=meshes.triangles,
            out=outs[thread][0],
        )

    def batch(thread: int, number: int) -> None:
        requests = [
            {
                "expression_name": VISEMES[i % len(VISEMES)],
                "expression_type": "viseme",
                "options": options,
                "out": outs[thread][i],
            }
            for i in range(settings.items)
        ]
        results = clients[thread].predict_batch(
            requests, vertices=meshes.take(thread, number), triangles=meshes.triangles
        )
        for result in results:
            if isinstance(result, blendwire.BlendwireError):
                raise result

    return single if settings.items == 1 else batch
