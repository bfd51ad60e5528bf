# SPDX-License-Identifier: Apache-2.0
"""A program that knows the specification's own proto only, and its channel settings.

    specification_client.py STUBS ADDRESS < requests.json > answers.json

It runs in a process of its own: the specification's messages and ours have the same names.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import grpc

CHANNEL_OPTIONS = [
    ("grpc.keepalive_time_ms", 30000),
    ("grpc.keepalive_timeout_ms", 5000),
    ("grpc.keepalive_permit_without_calls", True),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_send_message_length", 100 * 1024 * 1024),
    ("grpc.max_receive_message_length", 100 * 1024 * 1024),
    ("grpc.enable_http_proxy", 0),
]


def answer_of(response: Any) -> dict[str, Any]:
    metadata, quality = response.metadata, response.metadata.quality
    return {
        "success": response.success,
        "error_message": response.error_message,
        "offsets": list(response.offsets),
        "vertices_processed": metadata.vertices_processed,
        "model_version": metadata.model_version,
        "inference_time_ms": metadata.inference_time_ms,
        "quality": [
            quality.avg_displacement,
            quality.max_displacement,
            quality.extreme_vertex_count,
            quality.smoothness_score,
        ],
    }


def main() -> None:
    stubs, address = sys.argv[1:]
    sys.path.insert(0, stubs)
    import inference_pb2 as pb
    import inference_pb2_grpc as rpc

    def request_of(entry: dict[str, Any]) -> Any:
        made = pb.VertexOffsetRequest(
            vertices=entry["vertices"],
            vertex_count=entry["vertex_count"],
            condition=pb.ExpressionCondition(**entry["condition"]),
            options=pb.PredictionOptions(**entry["options"]),
        )
        assert not any(field.number >= 16 for field in made.DESCRIPTOR.fields)
        return made

    entries = json.load(sys.stdin)
    stub = rpc.InferenceServiceStub(grpc.insecure_channel(address, options=CHANNEL_OPTIONS))
    health = stub.HealthCheck(pb.HealthCheckRequest(service="InferenceService"), timeout=60)
    singles = [stub.PredictVertexOffsets(request_of(entry), timeout=60) for entry in entries]
    batch = stub.PredictBatch(
        pb.BatchPredictionRequest(
            requests=[request_of(entry) for entry in entries], max_parallel_requests=2
        ),
        timeout=60,
    )
    stats = stub.GetPerformanceStats(pb.PerformanceStatsRequest(), timeout=60)
    loaded = stub.LoadModel(
        pb.LoadModelRequest(model_path="other.onnx", model_name="from-specification"), timeout=60
    )
    unloaded = stub.UnloadModel(
        pb.UnloadModelRequest(model_name="from-specification"), timeout=60
    )
    json.dump(
        {
            "health": {
                "status": health.status,
                "message": health.message,
                "version": health.server_info.version,
                "model_version": health.server_info.model_version,
                "workers": health.server_info.max_concurrent_requests,
            },
            "singles": [answer_of(single) for single in singles],
            "batch": [answer_of(item) for item in batch.responses],
            "all_successful": batch.all_successful,
            "total_requests": stats.total_requests,
            "successful_requests": stats.successful_requests,
            "memory": stats.resource_usage.memory_usage_mb,
            "loaded": [loaded.success, loaded.model_version],
            "unloaded": unloaded.success,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
