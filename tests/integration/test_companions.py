# SPDX-License-Identifier: Apache-2.0
"""The standard services beside our own: grpc.health.v1 and server reflection; request ids."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2

from harness.meshes import condition, grid, request
from harness.server import CALL_SECONDS, Server, wait_until
from harness.stubs import REPOSITORY, SERVICE, health_pb, pb, reflection_pb

SERVING = health_pb.HealthCheckResponse.SERVING
NOT_SERVING = health_pb.HealthCheckResponse.NOT_SERVING
MESH = grid()


def check(server: Server, service: str) -> int:
    made = health_pb.HealthCheckRequest(service=service)
    return server.health.Check(made, timeout=CALL_SECONDS).status


@pytest.mark.parametrize("service", ["", SERVICE])
def test_health(server: Server, service: str) -> None:
    assert check(server, service) == SERVING


def test_health_of_an_unknown_service(server: Server) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        check(server, "nobody")
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("service", ["", "InferenceService", SERVICE])
def test_our_own_health_check(server: Server, service: str) -> None:
    answer = server.stub.HealthCheck(pb.HealthCheckRequest(service=service), timeout=CALL_SECONDS)
    assert answer.status == pb.HealthCheckResponse.SERVING
    assert answer.message == "Service is healthy and ready"
    info = answer.server_info
    assert info.model_version == "test-1"
    assert info.max_concurrent_requests == 2
    assert info.version == (REPOSITORY / "CMakeLists.txt").read_text().split("VERSION ")[2].split()[0]
    assert info.device_info.startswith(("CPU: ", "GPU"))
    assert info.gpu_available == info.device_info.startswith("GPU")
    assert "ExecutionProvider)" in info.device_info


def test_our_own_health_check_of_another_service(server: Server) -> None:
    answer = server.stub.HealthCheck(pb.HealthCheckRequest(service="x"), timeout=CALL_SECONDS)
    assert answer.status == pb.HealthCheckResponse.SERVICE_UNKNOWN


def test_health_follows_models_and_drain(
    start_server: Callable[..., Server], models: pathlib.Path
) -> None:
    """Watch tells each change: no model, a model, none again, one again, the end."""
    server = start_server("--no-model", "--model-root", models, "--workers", "1", "--grace", "20")
    watch = server.health.Watch(health_pb.HealthCheckRequest(service=SERVICE), timeout=CALL_SECONDS)
    assert next(watch).status == NOT_SERVING
    assert check(server, "") == check(server, SERVICE) == NOT_SERVING
    server.load("everyday.onnx")
    assert next(watch).status == SERVING
    server.unload()
    assert next(watch).status == NOT_SERVING
    server.load("slow.onnx", "slow")
    assert next(watch).status == SERVING
    assert check(server, "") == check(server, SERVICE) == SERVING

    running = server.stub.PredictVertexOffsets.future(
        request(MESH, condition(intensity=0.01), "slow"), timeout=CALL_SECONDS
    )
    wait_until(lambda: server.stats().in_flight_requests == 1, 20, "it runs")
    server.ask_to_end()
    assert next(watch).status == NOT_SERVING, "told while the last request still runs"
    assert not running.done()
    assert check(server, "") == NOT_SERVING
    own = server.stub.HealthCheck(pb.HealthCheckRequest(), timeout=CALL_SECONDS)
    assert own.status == pb.HealthCheckResponse.NOT_SERVING
    assert "shutting down" in own.message
    assert running.result().success
    assert server.await_end() == 0


def reflect(server: Server, **what: Any) -> Any:
    asked = iter([reflection_pb.ServerReflectionRequest(**what)])
    return next(server.reflection.ServerReflectionInfo(asked, timeout=CALL_SECONDS))


def test_reflection_lists_the_services(server: Server) -> None:
    listed = reflect(server, list_services="").list_services_response
    names = {service.name for service in listed.service}
    assert {SERVICE, "grpc.health.v1.Health"} <= names
    assert any(name.startswith("grpc.reflection.v1") for name in names)


def test_reflection_describes_the_contract(server: Server) -> None:
    """A tool that knows nothing gets the whole contract."""
    answer = reflect(server, file_containing_symbol=SERVICE).file_descriptor_response
    files = [
        descriptor_pb2.FileDescriptorProto.FromString(data) for data in answer.file_descriptor_proto
    ]
    (service,) = (one for file in files for one in file.service)
    assert {method.name for method in service.method} == {
        "HealthCheck", "PredictVertexOffsets", "PredictBatch", "GetPerformanceStats", "LoadModel",
        "UnloadModel", "PredictStream", "ListModels", "ShareMemory",
    }  # fmt: skip
    ours = {message.name for message in pb.DESCRIPTOR.message_types_by_name.values()}
    assert ours == {message.name for file in files for message in file.message_type}


def initial_metadata(server: Server, sent: list[tuple[str, str]]) -> dict[str, str]:
    _, call = server.stub.PredictVertexOffsets.with_call(
        request(MESH), timeout=CALL_SECONDS, metadata=sent
    )
    return dict(call.initial_metadata())


def test_request_id_is_echoed_and_logged(server: Server) -> None:
    assert initial_metadata(server, [("x-request-id", "blender-42/a")])["x-request-id"] == "blender-42/a"
    line = next(line for line in server.log().splitlines() if "request_id=blender-42/a" in line)
    assert "method=PredictVertexOffsets" in line and "code=OK" in line


def test_request_id_of_an_error(server: Server) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        server.predict(request(MESH, condition("nobody")), metadata=[("x-request-id", "bad-one")])
    assert dict(caught.value.initial_metadata())["x-request-id"] == "bad-one"
    line = next(line for line in server.log().splitlines() if "request_id=bad-one" in line)
    assert "code=INVALID_ARGUMENT" in line and "condition.name" in line


def test_request_ids_are_made(server: Server) -> None:
    made = {initial_metadata(server, [])["x-request-id"] for _ in range(5)}
    assert len(made) == 5 and all(len(one) >= 8 for one in made)


@pytest.mark.parametrize("bad", ["x" * 129, "with space", ""])
def test_unusable_request_ids_are_replaced(server: Server, bad: str) -> None:
    assert initial_metadata(server, [("x-request-id", bad)])["x-request-id"] not in (bad, "")


@pytest.mark.parametrize(
    "method",
    ["HealthCheck", "PredictBatch", "GetPerformanceStats", "ListModels", "LoadModel", "UnloadModel"],
)
def test_request_id_on_every_method(server: Server, method: str) -> None:
    made = {
        "HealthCheck": pb.HealthCheckRequest(),
        "PredictBatch": pb.BatchPredictionRequest(),
        "GetPerformanceStats": pb.PerformanceStatsRequest(),
        "ListModels": pb.ListModelsRequest(),
        "LoadModel": pb.LoadModelRequest(),
        "UnloadModel": pb.UnloadModelRequest(model_name="nobody"),
    }[method]
    call = getattr(server.stub, method).future(
        made, timeout=CALL_SECONDS, metadata=[("x-request-id", f"id-{method}")]
    )
    assert dict(call.initial_metadata())["x-request-id"] == f"id-{method}"
