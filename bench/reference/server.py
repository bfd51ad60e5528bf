# SPDX-License-Identifier: Apache-2.0
"""The specification's own server, made to work: Python, gRPC's thread pool, lists of floats.

    server.py --stubs FOLDER --model FILE --port N [--workers 4] [--log-level WARNING]

It does what the specification's text does, step by step, its costs included: request and answer
pass through lists, a batch is answered in the order in which items finish, smoothing returns what it
is given, and the smoothness score is a constant. `--stubs` is the folder of inference_pb2, which
scripts/bench makes from the specification's proto.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from concurrent import futures
from typing import Any

import grpc
import numpy as np
import psutil
from engine import ModelManager, PerformanceMonitor

EXTREME_DISPLACEMENT = 0.08  # metres
CONDITION_SIZE = 64
MEGABYTES_100 = 100 * 1024 * 1024
SERVER_OPTIONS = [
    ("grpc.keepalive_time_ms", 30000),
    ("grpc.keepalive_timeout_ms", 5000),
    ("grpc.keepalive_permit_without_calls", True),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_time_between_pings_ms", 10000),
    ("grpc.http2.min_ping_interval_without_data_ms", 300000),
    ("grpc.max_receive_message_length", MEGABYTES_100),
    ("grpc.max_send_message_length", MEGABYTES_100),
]


def import_stubs() -> tuple[Any, Any]:
    """inference_pb2 and inference_pb2_grpc; their folder comes before everything else is known."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--stubs", required=True)
    sys.path.insert(0, parser.parse_known_args()[0].stubs)
    import inference_pb2
    import inference_pb2_grpc

    return inference_pb2, inference_pb2_grpc


pb, rpc = import_stubs()


class InferenceServicer(rpc.InferenceServiceServicer):
    """The specification's service."""

    def __init__(self, model_path: str | None = None, max_workers: int = 4) -> None:
        self.model_manager = ModelManager()
        self.performance_monitor = PerformanceMonitor()
        self.max_workers = max_workers
        if model_path:
            self.model_manager.load_model(model_path, "default")
        self.server_info = pb.ServerInfo(
            version="1.0.0",
            model_version="vrchat_blendshape_v1",
            gpu_available=self.model_manager.has_gpu_support(),
            device_info=self.model_manager.get_device_info(),
            max_concurrent_requests=max_workers,
        )

    def HealthCheck(self, request: Any, context: grpc.ServicerContext) -> Any:
        ready = self.model_manager.has_loaded_models()
        return pb.HealthCheckResponse(
            status=pb.HealthCheckResponse.SERVING if ready else pb.HealthCheckResponse.NOT_SERVING,
            message="Service is healthy and ready" if ready else "No models loaded",
            server_info=self.server_info,
        )

    def PredictVertexOffsets(self, request: Any, context: grpc.ServicerContext) -> Any:
        start_time = time.time()
        try:
            if not request.vertices or request.vertex_count <= 0:
                return self._refuse(
                    context, grpc.StatusCode.INVALID_ARGUMENT, "Invalid vertex data"
                )
            vertices = np.array(request.vertices, dtype=np.float32)
            vertices = vertices.reshape(1, request.vertex_count, 3)
            model = self.model_manager.get_default_model()
            if model is None:
                return self._refuse(context, grpc.StatusCode.FAILED_PRECONDITION, "No model loaded")
            condition = self._encode_condition(request.condition, model.slots)

            preprocessing_start = time.time()
            preprocessing_time = (time.time() - preprocessing_start) * 1000
            inference_start = time.time()
            offsets = model.predict_vertex_offsets(vertices, condition)
            inference_time = (time.time() - inference_start) * 1000

            postprocessing_start = time.time()
            if request.options.apply_smoothing:
                iterations = request.options.smoothing_iterations
                offsets = self._apply_smoothing(offsets, vertices, iterations)
            if request.options.clamp_extreme_values:
                longest = request.options.max_displacement
                offsets = self._clamp_extreme_displacements(offsets, longest)
            postprocessing_time = (time.time() - postprocessing_start) * 1000

            metadata = pb.PredictionMetadata(
                inference_time_ms=inference_time,
                preprocessing_time_ms=preprocessing_time,
                postprocessing_time_ms=postprocessing_time,
                vertices_processed=request.vertex_count,
                model_version=self.server_info.model_version,
                quality=self._calculate_quality_metrics(offsets),
            )
            self.performance_monitor.record_request(time.time() - start_time, success=True)
            return pb.VertexOffsetResponse(
                success=True, offsets=offsets.flatten().tolist(), metadata=metadata
            )
        except Exception as error:  # as the specification does
            logging.error(f"Prediction failed: {error}")
            self.performance_monitor.record_request(time.time() - start_time, success=False)
            return self._refuse(context, grpc.StatusCode.INTERNAL, str(error))

    def PredictBatch(self, request: Any, context: grpc.ServicerContext) -> Any:
        start_time = time.time()
        responses = []
        successful_count = 0
        max_parallel = min(request.max_parallel_requests or 4, self.max_workers)
        for i in range(0, len(request.requests), max_parallel):
            group = request.requests[i : i + max_parallel]
            with futures.ThreadPoolExecutor(max_workers=max_parallel) as executor:
                running = [
                    executor.submit(self.PredictVertexOffsets, item, context) for item in group
                ]
                for future in futures.as_completed(running):
                    response = future.result()
                    responses.append(response)
                    successful_count += response.success
        return pb.BatchPredictionResponse(
            responses=responses,
            total_processing_time_ms=(time.time() - start_time) * 1000,
            all_successful=successful_count == len(request.requests),
        )

    def GetPerformanceStats(self, request: Any, context: grpc.ServicerContext) -> Any:
        stats = self.performance_monitor.get_stats()
        if request.reset_stats:
            self.performance_monitor.reset()
        return pb.PerformanceStatsResponse(
            total_requests=stats["total_requests"],
            avg_inference_time_ms=stats["avg_time"] * 1000,
            max_inference_time_ms=stats["max_time"] * 1000,
            min_inference_time_ms=stats["min_time"] * 1000,
            successful_requests=stats["successful_requests"],
            failed_requests=stats["failed_requests"],
            uptime_seconds=stats["uptime"],
            resource_usage=pb.ResourceUsage(
                cpu_usage_percent=psutil.cpu_percent(),
                memory_usage_mb=psutil.virtual_memory().used / 1024 / 1024,
            ),
        )

    def LoadModel(self, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            self.model_manager.load_model(request.model_path, request.model_name or "default")
        except Exception as error:  # as the specification does
            context.set_code(grpc.StatusCode.INTERNAL)
            context.set_details(str(error))
            return pb.LoadModelResponse(success=False, error_message=str(error))
        return pb.LoadModelResponse(success=True, model_version=self.server_info.model_version)

    def UnloadModel(self, request: Any, context: grpc.ServicerContext) -> Any:
        return pb.UnloadModelResponse(success=self.model_manager.unload_model(request.model_name))

    def _refuse(self, context: grpc.ServicerContext, code: grpc.StatusCode, why: str) -> Any:
        context.set_code(code)
        context.set_details(why)
        return pb.VertexOffsetResponse(success=False, error_message=why)

    def _encode_condition(self, condition: Any, slots: list[str]) -> np.ndarray:
        """[1,K]: the specification's 64 values, or the slots that the model names."""
        if slots:
            vector = np.zeros(len(slots), dtype=np.float32)
            kinds = {
                pb.ExpressionCondition.VISEME: "viseme_",
                pb.ExpressionCondition.EMOTION: "emotion_",
            }
            name = kinds.get(condition.type, "") + condition.name
            if name in slots:
                vector[slots.index(name)] = condition.intensity
            return vector.reshape(1, -1)
        vector = np.zeros(CONDITION_SIZE, dtype=np.float32)
        if condition.type == pb.ExpressionCondition.VISEME:
            vector[0] = 1.0
        elif condition.type == pb.ExpressionCondition.EMOTION:
            vector[1] = 1.0
        vector[2] = condition.intensity
        return vector.reshape(1, -1)

    def _apply_smoothing(
        self, offsets: np.ndarray, vertices: np.ndarray, iterations: int
    ) -> np.ndarray:
        """The specification leaves this to be written; it costs nothing here."""
        return offsets

    def _clamp_extreme_displacements(
        self, offsets: np.ndarray, max_displacement: float
    ) -> np.ndarray:
        magnitudes = np.linalg.norm(offsets, axis=2)
        extreme = magnitudes > max_displacement
        if np.any(extreme):
            for batch in range(offsets.shape[0]):
                for vertex in range(offsets.shape[1]):
                    if extreme[batch, vertex]:
                        offset = offsets[batch, vertex]
                        normalized = offset / np.linalg.norm(offset)
                        offsets[batch, vertex] = normalized * max_displacement
        return offsets

    def _calculate_quality_metrics(self, offsets: np.ndarray) -> Any:
        magnitudes = np.linalg.norm(offsets, axis=2)
        return pb.QualityMetrics(
            avg_displacement=float(np.mean(magnitudes)),
            max_displacement=float(np.max(magnitudes)),
            extreme_vertex_count=int(np.sum(magnitudes > EXTREME_DISPLACEMENT)),
            smoothness_score=0.85,
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--stubs", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, default=50051)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--log-level", default="INFO")
    arguments = parser.parse_args()
    logging.basicConfig(level=getattr(logging, arguments.log_level.upper()))

    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=arguments.workers), options=SERVER_OPTIONS
    )
    rpc.add_InferenceServiceServicer_to_server(
        InferenceServicer(arguments.model, arguments.workers), server
    )
    port = server.add_insecure_port(f"127.0.0.1:{arguments.port}")
    server.start()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    print(f"Server running on port {port}. Press Ctrl+C to stop.", flush=True)
    ended.wait()
    server.stop(5.0).wait()


if __name__ == "__main__":
    main()
