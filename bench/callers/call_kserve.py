# SPDX-License-Identifier: Apache-2.0
"""Triton and MLServer, which speak one protocol (KServe v2 over gRPC), with NVIDIA's client; for
Triton also through shared memory."""

from __future__ import annotations

import argparse
import os
from typing import Any

import numpy as np
import tritonclient.grpc as kserve
from measure import Call
from settings import Meshes


def _tensor(name: str, array: np.ndarray) -> Any:
    tensor = kserve.InferInput(name, list(array.shape), "FP32")
    tensor.set_data_from_numpy(array)
    return tensor


class Plain:
    """The arrays travel in the messages."""

    def __init__(self, settings: argparse.Namespace, meshes: Meshes, condition_size: int) -> None:
        self.settings, self.meshes = settings, meshes
        self.clients = [
            kserve.InferenceServerClient(settings.address) for _ in range(settings.clients)
        ]
        self.condition = np.zeros((1, condition_size), np.float32)
        self.outputs = [kserve.InferRequestedOutput("offsets")]

    def __call__(self, thread: int, number: int) -> None:
        inputs = [
            _tensor("vertices", self.meshes.take(thread, number)[None]),
            _tensor("condition", self.condition),
        ]
        answer = self.clients[thread].infer(self.settings.model, inputs, outputs=self.outputs)
        offsets = answer.as_numpy("offsets")
        if offsets is None or not np.isfinite(offsets[0, 0, 0]):
            raise RuntimeError("no offsets in the answer")


class Shared(Plain):
    """The arrays lie in memory that client and server share."""

    def __init__(self, settings: argparse.Namespace, meshes: Meshes, condition_size: int) -> None:
        from tritonclient.utils import shared_memory

        super().__init__(settings, meshes, condition_size)
        self.memory = shared_memory
        self.bytes = meshes.of_thread[0].nbytes
        self.shape = [1, *meshes.of_thread[0].shape]
        self.regions = [
            (self._region(f"in{i}", i), self._region(f"out{i}", i)) for i in range(settings.clients)
        ]

    def _region(self, name: str, thread: int) -> Any:
        name = f"blendwire_bench_{os.getpid()}_{name}"
        region = self.memory.create_shared_memory_region(name, f"/{name}", self.bytes)
        self.clients[thread].register_system_shared_memory(name, f"/{name}", self.bytes)
        return name, region

    def __call__(self, thread: int, number: int) -> None:
        (in_name, in_region), (out_name, out_region) = self.regions[thread]
        self.memory.set_shared_memory_region(in_region, [self.meshes.take(thread, number)])
        vertices = kserve.InferInput("vertices", self.shape, "FP32")
        vertices.set_shared_memory(in_name, self.bytes)
        output = kserve.InferRequestedOutput("offsets")
        output.set_shared_memory(out_name, self.bytes)
        self.clients[thread].infer(
            self.settings.model, [vertices, _tensor("condition", self.condition)], outputs=[output]
        )
        offsets = self.memory.get_contents_as_numpy(out_region, np.float32, self.shape)
        if not np.isfinite(offsets[0, 0, 0]):
            raise RuntimeError("no offsets in the answer")

    def close(self) -> None:
        for thread, pair in enumerate(self.regions):
            for name, region in pair:
                self.clients[thread].unregister_system_shared_memory(name)
                self.memory.destroy_shared_memory_region(region)


def make(settings: argparse.Namespace, meshes: Meshes) -> Call:
    import atexit

    client = kserve.InferenceServerClient(settings.address)
    metadata = client.get_model_metadata(settings.model)
    size = next(int(entry.shape[1]) for entry in metadata.inputs if entry.name == "condition")
    if not settings.shared_memory:
        return Plain(settings, meshes, size)
    shared = Shared(settings, meshes, size)
    atexit.register(shared.close)
    return shared
