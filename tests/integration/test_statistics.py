# SPDX-License-Identifier: Apache-2.0
"""GetPerformanceStats: what the specification's fields say they are, percentiles, reset, resources."""

from __future__ import annotations

import os
import pathlib
import time
from typing import Any

import grpc
import pytest

from harness import meshes
from harness.meshes import condition, grid, request
from harness.server import Server, wait_until

MESH = grid()


@pytest.fixture
def fresh(server: Server) -> Server:
    server.stats(reset=True)
    return server


def assert_sane(summary: Any, count: int) -> None:
    assert summary.count == count
    assert 0 <= summary.p50_ms <= summary.p95_ms <= summary.p99_ms <= summary.max_ms
    assert 0 <= summary.mean_ms <= summary.max_ms


def test_counts(fresh: Server) -> None:
    for _ in range(7):
        fresh.predict(request(MESH))
    for _ in range(2):
        with pytest.raises(grpc.RpcError):
            fresh.predict(request(MESH, condition("nobody")))
    fresh.batch(meshes.batch([request(None), request(None, condition("x")), request(None)], MESH))
    stats = fresh.stats()
    assert stats.total_requests == 7 + 2 + 3
    assert stats.successful_requests == 7 + 2
    assert stats.failed_requests == 2 + 1
    assert_sane(stats.total_time, 12)
    for stage in (
        stats.queue_time, stats.preprocessing_time, stats.inference_time, stats.postprocessing_time
    ):  # fmt: skip
        assert_sane(stage, 9)
    assert (stats.rejected_requests, stats.cancelled_requests, stats.queued_requests) == (0, 0, 0)
    # A worker is done a moment after its answer has gone.
    wait_until(lambda: fresh.stats().in_flight_requests == 0, 20, "nothing is running")


def test_inference_times_are_those_of_the_answers(fresh: Server) -> None:
    times = [fresh.predict(request(MESH)).metadata.inference_time_ms for _ in range(40)]
    stats = fresh.stats()
    assert stats.avg_inference_time_ms == pytest.approx(sum(times) / len(times), rel=1e-3)
    assert stats.max_inference_time_ms == pytest.approx(max(times), rel=1e-3)
    assert stats.min_inference_time_ms == pytest.approx(min(times), rel=1e-3)
    # Percentiles are known to within 2.5 %; the rank may differ by one.
    ordered = sorted(times)
    assert ordered[18] * 0.97 <= stats.inference_time.p50_ms <= ordered[21] * 1.03
    assert ordered[36] * 0.97 <= stats.inference_time.p95_ms <= ordered[39] * 1.03
    assert stats.inference_time.max_ms == pytest.approx(max(times), rel=1e-3)


def test_slow_and_quick_are_told_apart(fresh: Server) -> None:
    for _ in range(18):
        fresh.predict(request(MESH))
    slow = fresh.predict(request(MESH, condition(intensity=0.005), "slow"))
    stats = fresh.stats()
    assert stats.inference_time.p50_ms < slow.metadata.inference_time_ms / 3
    assert stats.inference_time.p99_ms == pytest.approx(slow.metadata.inference_time_ms, rel=0.05)
    models = {model.model_name: model for model in stats.models}
    assert (models["default"].successful_requests, models["slow"].successful_requests) == (18, 1)
    assert models["slow"].inference_time.mean_ms == pytest.approx(
        slow.metadata.inference_time_ms, rel=1e-3
    )
    assert models["default"].inference_time.count == 18


def test_reset(fresh: Server) -> None:
    """The answer that resets still has what was counted; the next one starts anew."""
    fresh.predict(request(MESH))
    uptime = fresh.stats().uptime_seconds
    last = fresh.stats(reset=True)
    assert last.successful_requests == 1
    after = fresh.stats()
    assert (after.total_requests, after.inference_time.count, len(after.models)) == (0, 0, 0)
    assert after.avg_inference_time_ms == after.min_inference_time_ms == 0
    assert after.uptime_seconds >= uptime > 0, "a reset is no restart"


def test_asking_counts_nothing(fresh: Server) -> None:
    for _ in range(5):
        fresh.stats()
    assert fresh.stats().total_requests == 0


def test_resources(fresh: Server) -> None:
    """Memory as the system counts it; processor time while there is work, and without."""
    usage = fresh.stats().resource_usage
    assert usage.memory_usage_mb == pytest.approx(fresh.resident_mib(), rel=0.1)

    def used() -> float:
        fields = pathlib.Path(f"/proc/{fresh.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    for intensity in (None, 0.01):  # idle, busy
        fresh.stats()
        began, before = time.monotonic(), used()
        if intensity is None:
            time.sleep(0.6)
        else:
            fresh.predict(request(MESH, condition(intensity=intensity), "slow"))
            time.sleep(0.15)
        percent = fresh.stats().resource_usage.cpu_usage_percent
        expected = 100 * (used() - before) / (time.monotonic() - began)
        assert percent == pytest.approx(expected, rel=0.25, abs=6)
    assert usage.gpu_utilization_percent >= 0 and usage.gpu_memory_usage_mb >= 0


def test_uptime(fresh: Server) -> None:
    first = fresh.stats().uptime_seconds
    time.sleep(0.3)
    assert fresh.stats().uptime_seconds - first == pytest.approx(0.3, abs=0.25)
