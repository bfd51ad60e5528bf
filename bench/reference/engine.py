# SPDX-License-Identifier: Apache-2.0
"""What the specification's server imports but does not show: engine, model manager, statistics.
Filled in as plainly as its text allows."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import numpy as np
import onnxruntime


class ONNXInferenceEngine:
    """One model, run through onnxruntime's Python package with its default session settings."""

    def __init__(self, path: str) -> None:
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        self.inputs = {entry.name: entry.shape for entry in self.session.get_inputs()}
        metadata = self.session.get_modelmeta().custom_metadata_map
        # The slots that the model names, in their order; without them the specification's 64.
        self.slots: list[str] = json.loads(metadata.get("blendwire.condition_slots", "[]"))

    def predict_vertex_offsets(self, vertices: np.ndarray, condition: np.ndarray) -> np.ndarray:
        """vertices [1,N,3] metres, condition [1,K] -> offsets [1,N,3] metres."""
        feeds = {"vertices": vertices, "condition": condition}
        if "normals" in self.inputs:
            # The specification's request has no triangles: unknown normals are zeros.
            feeds["normals"] = np.zeros_like(vertices)
        if "features" in self.inputs:
            feeds["features"] = np.zeros((1, 0, self.inputs["features"][2]), np.float32)
        return self.session.run(["offsets"], feeds)[0]


class ModelManager:
    """The loaded models by name."""

    def __init__(self) -> None:
        self.models: dict[str, ONNXInferenceEngine] = {}
        self.lock = threading.Lock()

    def load_model(self, path: str, name: str) -> bool:
        engine = ONNXInferenceEngine(path)
        with self.lock:
            self.models[name] = engine
        return True

    def unload_model(self, name: str) -> bool:
        with self.lock:
            return self.models.pop(name, None) is not None

    def has_loaded_models(self) -> bool:
        return bool(self.models)

    def get_default_model(self) -> ONNXInferenceEngine | None:
        return self.models.get("default")

    def has_gpu_support(self) -> bool:
        return "CUDAExecutionProvider" in onnxruntime.get_available_providers()

    def get_device_info(self) -> str:
        return str(onnxruntime.get_device())


class PerformanceMonitor:
    """Counts requests and their times, in seconds."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.started = time.time()
        self.reset()

    def reset(self) -> None:
        with self.lock:
            self.times: list[float] = []
            self.failed = 0

    def record_request(self, seconds: float, success: bool) -> None:
        with self.lock:
            self.times.append(seconds)
            self.failed += not success

    def get_stats(self) -> dict[str, Any]:
        with self.lock:
            times = self.times or [0.0]
            return {
                "total_requests": len(self.times),
                "avg_time": sum(times) / len(times),
                "max_time": max(times),
                "min_time": min(times),
                "successful_requests": len(self.times) - self.failed,
                "failed_requests": self.failed,
                "uptime": time.time() - self.started,
            }
