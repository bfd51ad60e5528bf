# SPDX-License-Identifier: Apache-2.0
"""What takes too long, and what nobody waits for any more: timeouts, deadlines, cancelled calls, the
full queue. Whatever ends early gives its worker back at once."""

from __future__ import annotations

import pathlib
import time
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import pytest

from harness import meshes
from harness.meshes import condition, grid, request
from harness.server import CALL_SECONDS, Server, slowdown, wait_until
from harness.stubs import SERVICE, pb

MESH = grid()
STOPS_WITHIN = 0.5  # seconds
FREED_WITHIN = 10.0  # far below what the slow model would take; the 0.5 s are measured in one place
DEADLINE_EXCEEDED = grpc.StatusCode.DEADLINE_EXCEEDED
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.fixture(scope="module")
def one_worker(start_shared_server: Callable[..., Server], models: pathlib.Path) -> Server:
    """One worker, a queue of two, and the slow model: most of a minute at intensity 1."""
    server = start_shared_server(
        "--model", models / "everyday.onnx", "--model-root", models, "--workers", "1",
        "--queue", "2",
    )
    server.load(models / "slow.onnx", "slow")
    server.load(models / "nan.onnx", "nan")
    return server


@pytest.fixture
def quiet(one_worker: Server) -> Server:
    """The same with nothing to do and its statistics at zero."""
    await_idle(one_worker)
    one_worker.stats(reset=True)
    return one_worker


def slow_request(intensity: float = 1.0, **options: Any) -> Any:
    return request(MESH, condition(intensity=intensity), model="slow", **options)


def await_idle(server: Server) -> float:
    def idle() -> bool:
        stats = server.stats()
        return stats.in_flight_requests + stats.queued_requests == 0

    return wait_until(idle, FREED_WITHIN, "the server becomes idle")


def await_running(server: Server, running: int = 1, queued: int = 0) -> None:
    def there() -> bool:
        stats = server.stats()
        return (stats.in_flight_requests, stats.queued_requests) == (running, queued)

    wait_until(there, 20, f"{running} running and {queued} waiting")


def start(server: Server, made: Any) -> Any:
    """A call whose end is not waited for."""
    return server.stub.PredictVertexOffsets.future(made, timeout=CALL_SECONDS)


def block(server: Server) -> Any:
    """Keeps the only worker busy."""
    call = start(server, slow_request())
    await_running(server)
    return call


def end(server: Server, *calls: Any) -> None:
    for call in calls:
        call.cancel()
    await_idle(server)


def assert_serves(server: Server) -> None:
    assert server.predict(request(MESH)).success


def test_timeout_while_running(quiet: Server) -> None:
    began = time.monotonic()
    with pytest.raises(grpc.RpcError) as caught:
        quiet.predict(slow_request(timeout_seconds=1))
    took = time.monotonic() - began
    assert caught.value.code() == DEADLINE_EXCEEDED
    assert "options.timeout_seconds (1) have passed" in caught.value.details()
    assert 0.95 <= took < 5.0
    await_idle(quiet)
    stats = quiet.stats()
    assert (stats.deadline_exceeded_requests, stats.failed_requests) == (1, 1)
    assert_serves(quiet)


def test_timeout_while_queued(quiet: Server) -> None:
    """Answered when its time is over, not when its turn comes; and the model never runs for it."""
    blocker = block(quiet)
    began = time.monotonic()
    with pytest.raises(grpc.RpcError) as caught:
        quiet.predict(request(MESH, timeout_seconds=1))
    took = time.monotonic() - began
    assert caught.value.code() == DEADLINE_EXCEEDED
    assert "options.timeout_seconds (1) have passed" in caught.value.details()
    assert 0.95 <= took < 5.0
    stats = quiet.stats()
    assert (stats.in_flight_requests, stats.queued_requests) == (1, 0)
    assert stats.deadline_exceeded_requests == 1
    assert stats.inference_time.count == 0
    end(quiet, blocker)
    assert_serves(quiet)


def test_timeout_of_batch_items(quiet: Server) -> None:
    """Each item has its own: the slow one runs out of time, the others are answered."""
    answer = quiet.batch(
        meshes.batch([request(MESH), slow_request(timeout_seconds=1), request(MESH)])
    )
    assert [item.success for item in answer.responses] == [True, False, True]
    assert answer.responses[1].status_code == DEADLINE_EXCEEDED.value[0]
    assert "options.timeout_seconds (1) have passed" in answer.responses[1].error_message
    assert_serves(quiet)


@pytest.mark.parametrize("queued", [False, True], ids=["running", "queued"])
def test_client_deadline(quiet: Server, queued: bool) -> None:
    blocker = block(quiet) if queued else None
    with pytest.raises(grpc.RpcError) as caught:
        quiet.predict(slow_request(), timeout=0.5)
    assert caught.value.code() == DEADLINE_EXCEEDED
    if blocker is None:
        await_idle(quiet)
    else:
        await_running(quiet, running=1, queued=0)
    wait_until(lambda: quiet.stats().deadline_exceeded_requests == 1, 5, "it is counted")
    stats = quiet.stats()
    assert (stats.cancelled_requests, stats.inference_time.count) == (0, 0)
    if blocker is not None:
        end(quiet, blocker)
    assert_serves(quiet)


@pytest.mark.parametrize("queued", [False, True], ids=["running", "queued"])
def test_cancel(quiet: Server, queued: bool) -> None:
    blocker = block(quiet) if queued else None
    call = start(quiet, slow_request())
    await_running(quiet, running=1, queued=1 if queued else 0)
    call.cancel()
    if blocker is None:
        await_idle(quiet)
    else:
        await_running(quiet, running=1, queued=0)
    wait_until(lambda: quiet.stats().cancelled_requests == 1, 5, "it is counted")
    assert quiet.stats().inference_time.count == 0
    if blocker is not None:
        end(quiet, blocker)
    assert_serves(quiet)


def test_cancel_stops_the_model_at_once(quiet: Server) -> None:
    """The best of three counts: other processes may hold the processors for a moment."""
    times = []
    for _ in range(3):
        call = block(quiet)
        began = time.monotonic()
        call.cancel()
        await_idle(quiet)
        times.append((time.monotonic() - began) / slowdown())
        if times[-1] < STOPS_WITHIN:
            break
    assert min(times) < STOPS_WITHIN, times


def test_caller_that_vanishes(quiet: Server) -> None:
    """A closed connection ends the call as a cancel does."""
    channel = quiet.new_channel()
    call = channel.unary_unary(
        f"/{SERVICE}/PredictVertexOffsets",
        request_serializer=pb.VertexOffsetRequest.SerializeToString,
        response_deserializer=pb.VertexOffsetResponse.FromString,
    ).future(slow_request())
    await_running(quiet)
    channel.close()
    await_idle(quiet)
    assert call.done()
    wait_until(lambda: quiet.stats().cancelled_requests == 1, 5, "it is counted")
    assert_serves(quiet)


def test_queue_full(quiet: Server) -> None:
    """Refused at once, saying how long to wait; what waits is answered when its turn comes."""
    blocker = block(quiet)
    waiting = []
    for i in range(2):
        waiting.append(start(quiet, request(MESH)))
        await_running(quiet, running=1, queued=i + 1)
    began = time.monotonic()
    with pytest.raises(grpc.RpcError) as caught:
        quiet.predict(request(MESH))
    assert time.monotonic() - began < 5.0
    assert caught.value.code() == EXHAUSTED
    assert "the queue is full (2 calls are waiting); try again in about " in caught.value.details()
    metadata = dict(caught.value.trailing_metadata())
    assert int(metadata["retry-after-ms"]) >= 1
    assert quiet.stats().rejected_requests == 1

    blocker.cancel()
    assert all(call.result(CALL_SECONDS).success for call in waiting)
    await_idle(quiet)
    assert_serves(quiet)


def test_single_request_is_not_starved_by_a_batch(quiet: Server) -> None:
    """It gets its turn between the units of a batch that came first."""
    items = [slow_request(0.001 + 0.00001 * i) for i in range(16)]  # each a run of its own
    slow_batch = quiet.stub.PredictBatch.future(meshes.batch(items), timeout=CALL_SECONDS)
    wait_until(lambda: quiet.stats().in_flight_requests == 1, 20, "the batch runs")
    assert quiet.predict(request(MESH)).success
    assert not slow_batch.done()
    assert slow_batch.result(CALL_SECONDS).all_successful


def test_nan_is_counted_as_a_failure(quiet: Server) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        quiet.predict(request(MESH, condition(intensity=0.9), model="nan"))
    assert caught.value.code() == grpc.StatusCode.INTERNAL
    assert "made NaN or infinite offsets" in caught.value.details()
    assert quiet.predict(request(MESH, condition(intensity=0.4), model="nan")).success
    stats = quiet.stats()
    assert (stats.failed_requests, stats.successful_requests) == (1, 1)
    model = next(entry for entry in stats.models if entry.model_name == "nan")
    assert (model.failed_requests, model.successful_requests) == (1, 1)


def test_memory_budget(start_server: Callable[..., Server], models: pathlib.Path) -> None:
    """A quarter of it for messages, waiting ones included; the rest for what runs. Too large a run
    is refused, one that is too large just now waits, and messages that are too many are refused."""
    server = start_server(
        "--model", models / "everyday.onnx", "--model-root", models, "--workers", "4",
        "--memory-budget", "64",
    )  # fmt: skip
    server.load(models / "slow.onnx", "slow")
    with pytest.raises(grpc.RpcError) as caught:
        server.predict(request(meshes.points_only(100_000)))
    assert caught.value.code() == EXHAUSTED
    assert "a prediction for 100000 vertices needs about" in caught.value.details()
    assert "48 MiB for it; start it with a larger --memory-budget" in caught.value.details()

    blocker = start(server, request(meshes.points_only(12_500), model="slow"))  # 43 of 48 MiB
    await_running(server)
    triangles = np.random.default_rng(8).integers(0, 5000, (400_000, 3), np.uint32)
    large = request(meshes.Mesh(meshes.points_only(5000).vertices, triangles))  # 4.7 MiB
    waiting = []
    for i in range(3):
        waiting.append(start(server, large))
        await_running(server, running=1, queued=i + 1)
    assert_serves(server)  # a small one passes by: there is room for it
    with pytest.raises(grpc.RpcError) as caught:
        server.predict(large)
    assert caught.value.code() == EXHAUSTED
    assert "(--memory-budget) are in use; try again soon" in caught.value.details()
    assert int(dict(caught.value.trailing_metadata())["retry-after-ms"]) >= 1
    assert server.stats().rejected_requests == 2
    blocker.cancel()
    assert all(call.result(CALL_SECONDS).success for call in waiting)
    await_idle(server)
    assert server.predict(large).success, "the budget is given back"


def test_times_are_told(quiet: Server) -> None:
    """The metadata of an answer adds up to what the caller sees, and waiting is told apart."""
    blocker = block(quiet)
    began = time.monotonic()
    call = start(quiet, request(MESH, apply_smoothing=True))
    await_running(quiet, running=1, queued=1)
    time.sleep(0.3)
    blocker.cancel()
    metadata = call.result(CALL_SECONDS).metadata
    took = 1000 * (time.monotonic() - began)
    assert 290 <= metadata.queue_time_ms <= took
    parts = (
        metadata.preprocessing_time_ms + metadata.inference_time_ms + metadata.postprocessing_time_ms
    )
    assert 0 < parts <= took - metadata.queue_time_ms + 1
    assert metadata.execution_provider == "CPUExecutionProvider"
    assert metadata.model_name == "default"
    assert np.isfinite(parts)
