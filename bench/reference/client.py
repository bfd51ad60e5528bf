# SPDX-License-Identifier: Apache-2.0
"""The specification's own client, without Blender: the same channel settings, a health check before
every call, lists of floats both ways."""

from __future__ import annotations

import logging
import threading
from typing import Any

import grpc
import inference_pb2 as pb
import inference_pb2_grpc as rpc
import numpy as np

MEGABYTES_100 = 100 * 1024 * 1024
CHANNEL_OPTIONS = [
    ("grpc.keepalive_time_ms", 30000),
    ("grpc.keepalive_timeout_ms", 5000),
    ("grpc.keepalive_permit_without_calls", True),
    ("grpc.max_receive_message_length", MEGABYTES_100),
    ("grpc.max_send_message_length", MEGABYTES_100),
]


def _condition(expression_type: str, name: str, intensity: float) -> Any:
    viseme = expression_type.lower() == "viseme"
    kind = pb.ExpressionCondition.VISEME if viseme else pb.ExpressionCondition.EMOTION
    return pb.ExpressionCondition(type=kind, name=name, intensity=intensity)


def _options(options: dict[str, Any] | None) -> Any:
    made = pb.PredictionOptions()
    if options:
        made.apply_smoothing = options.get("apply_smoothing", True)
        made.smoothing_iterations = options.get("smoothing_iterations", 2)
        made.max_displacement = options.get("max_displacement", 0.08)
        made.clamp_extreme_values = options.get("clamp_extreme_values", True)
    return made


def _request(vertices: np.ndarray, condition: Any, options: Any) -> Any:
    return pb.VertexOffsetRequest(
        vertices=vertices.flatten().tolist(),
        vertex_count=len(vertices),
        condition=condition,
        options=options,
    )


def _offsets(response: Any, count: int) -> np.ndarray:
    return np.array(response.offsets, dtype=np.float32).reshape(count, 3)


class InferenceClient:
    """Returns None where a prediction failed, as the specification's does."""

    def __init__(self, server_address: str, timeout: float = 30.0) -> None:
        self.timeout = timeout
        self.lock = threading.RLock()
        self.channel = grpc.insecure_channel(server_address, options=CHANNEL_OPTIONS)
        self.stub = rpc.InferenceServiceStub(self.channel)

    def test_connection(self) -> bool:
        request = pb.HealthCheckRequest(service="InferenceService")
        response = self.stub.HealthCheck(request, timeout=5.0)
        return response.status == pb.HealthCheckResponse.SERVING

    def ensure_connected(self) -> bool:
        with self.lock:
            return self.test_connection()

    def predict_vertex_offsets(
        self,
        vertices: np.ndarray,
        expression_type: str,
        expression_name: str,
        intensity: float = 1.0,
        options: dict[str, Any] | None = None,
    ) -> np.ndarray | None:
        """vertices [N,3] metres -> offsets [N,3] metres."""
        if not self.ensure_connected():
            return None
        request = _request(
            vertices, _condition(expression_type, expression_name, intensity), _options(options)
        )
        try:
            response = self.stub.PredictVertexOffsets(request, timeout=self.timeout)
        except grpc.RpcError as error:
            logging.error(f"gRPC error during prediction: {error}")
            return None
        return _offsets(response, len(vertices)) if response.success else None

    def predict_batch(
        self, requests: list[dict[str, Any]], max_parallel: int = 4
    ) -> list[np.ndarray | None]:
        if not self.ensure_connected():
            return [None] * len(requests)
        batch = pb.BatchPredictionRequest(
            requests=[
                _request(
                    entry["vertices"],
                    _condition(entry["expression_type"], entry["expression_name"], 1.0),
                    _options(entry.get("options")),
                )
                for entry in requests
            ],
            max_parallel_requests=max_parallel,
        )
        try:
            response = self.stub.PredictBatch(batch, timeout=self.timeout * len(requests))
        except grpc.RpcError as error:
            logging.error(f"gRPC error during batch prediction: {error}")
            return [None] * len(requests)
        return [
            _offsets(item, len(requests[i]["vertices"])) if item.success else None
            for i, item in enumerate(response.responses)
        ]
