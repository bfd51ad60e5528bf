# SPDX-License-Identifier: Apache-2.0
"""The package with the real server, which BLENDWIRE_TEST_SERVER names, and the default model."""

from __future__ import annotations

import collections
import os
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator

import numpy as np
import pytest
from processes import is_alive, wait_until_gone

import blendwire

PROGRAM = os.environ.get("BLENDWIRE_TEST_SERVER")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="BLENDWIRE_TEST_SERVER is not set")

VISEMES = ["sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou"]


@pytest.fixture(scope="module")
def real_server() -> Iterator[blendwire.ManagedServer]:
    with blendwire.ManagedServer.start(PROGRAM) as started:
        yield started


@pytest.fixture
def real_client(real_server: blendwire.ManagedServer) -> Iterator[blendwire.Client]:
    with real_server.client() as client:
        yield client


@pytest.fixture(scope="module")
def dome() -> tuple[np.ndarray, np.ndarray]:
    """A grid bent like a face: vertices [N,3] in metres facing -Y, triangles [T,3]."""
    count = 24
    u, v = np.meshgrid(np.linspace(-1, 1, count), np.linspace(-1, 1, count))
    depth = 0.09 * np.cos(u) * np.cos(v)
    vertices = np.stack([0.08 * u, -depth, 0.11 * v + 1.5], axis=-1).reshape(-1, 3)
    corner = np.arange(count * count).reshape(count, count)
    a, b = corner[:-1, :-1].ravel(), corner[:-1, 1:].ravel()
    c, d = corner[1:, :-1].ravel(), corner[1:, 1:].ravel()
    triangles = np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)])
    return vertices.astype(np.float32), triangles.astype(np.int32)


def test_says_what_it_is(real_client: blendwire.Client) -> None:
    health = real_client.health()
    assert health.serving
    model = real_client.list_models()[0]
    assert model.name == "default"
    assert model.version == health.model_version
    assert set(VISEMES) <= set(model.expressions)


def test_visemes_one_by_one_and_as_a_batch(
    real_client: blendwire.Client, dome: tuple[np.ndarray, np.ndarray]
) -> None:
    vertices, triangles = dome
    batch = real_client.predict_batch(
        [{"expression_name": name} for name in VISEMES], vertices=vertices, triangles=triangles
    )
    for name, offsets in zip(VISEMES, batch):
        assert isinstance(offsets, np.ndarray), offsets
        assert np.isfinite(offsets).all()
        assert np.linalg.norm(offsets, axis=1).max() <= 0.08 + 1e-6
        alone = real_client.predict_vertex_offsets(vertices, "viseme", name, triangles=triangles)
        np.testing.assert_allclose(offsets, alone, atol=1e-5)


def test_errors_name_what_is_wrong(
    real_client: blendwire.Client, dome: tuple[np.ndarray, np.ndarray]
) -> None:
    vertices, _ = dome
    with pytest.raises(blendwire.InvalidArgumentError, match="nope"):
        real_client.predict_vertex_offsets(vertices, "viseme", "nope")
    with pytest.raises(blendwire.InvalidArgumentError, match="intensity is 2"):
        real_client.predict_vertex_offsets(vertices, "viseme", "aa", 2.0)
    with pytest.raises(blendwire.InvalidArgumentError, match=str(len(vertices) + 5)):
        real_client.predict_vertex_offsets(
            vertices, "viseme", "aa", triangles=[[0, 1, len(vertices) + 5]]
        )
    broken = vertices.copy()
    broken[7, 1] = np.nan
    with pytest.raises(blendwire.InvalidArgumentError):
        real_client.predict_vertex_offsets(broken, "viseme", "aa")
    with pytest.raises(blendwire.NotFoundError):
        real_client.predict_vertex_offsets(vertices, "viseme", "aa", model="other")
    with pytest.raises(blendwire.PermissionDeniedError):
        real_client.load_model("/etc/passwd", "other")


def test_a_batch_is_cancelled_half_way(real_client: blendwire.Client) -> None:
    vertices = np.random.default_rng(1).random((20_000, 3), dtype=np.float32) * 0.1
    job = real_client.submit_batch(
        [{"expression_name": name, "vertices": vertices + i} for i, name in enumerate(VISEMES)],
        max_parallel=1,
    )
    job.cancel()
    assert job.wait(20)
    assert isinstance(job.exception(), blendwire.CancelledError)
    assert real_client.test_connection()


def test_statistics_count(
    real_client: blendwire.Client, dome: tuple[np.ndarray, np.ndarray]
) -> None:
    vertices, triangles = dome
    real_client.get_performance_stats(reset_stats=True)
    for _ in range(3):
        real_client.predict_vertex_offsets(vertices, "viseme", "aa", triangles=triangles)
    stats = real_client.get_performance_stats()
    assert stats["successful_requests"] == 3
    assert stats["inference_time"]["count"] == 3
    assert stats["models"][0]["successful_requests"] == 3


def test_the_token_is_demanded(real_server: blendwire.ManagedServer) -> None:
    with pytest.raises(blendwire.UnauthenticatedError):
        blendwire.Client(real_server.address).health()


def test_it_goes_with_a_host_that_is_killed() -> None:
    code = """
        import sys, time, blendwire
        server = blendwire.ManagedServer.start(sys.argv[1])
        print(server.pid, flush=True)
        time.sleep(60)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(PROGRAM)],
        stdout=subprocess.PIPE,
        text=True,
    ) as host:
        assert host.stdout is not None
        pid = int(host.stdout.readline())
        assert is_alive(pid)
        host.kill()
        assert wait_until_gone(pid, 2.0)


def start_on(port: int) -> subprocess.Popen[bytes]:
    """The real server on a port of its own, without a manager or a token."""
    return subprocess.Popen(
        [str(PROGRAM), "--port", str(port), "--log-level", "error"], stderr=subprocess.DEVNULL
    )


def test_killed_among_a_thousand_requests_and_started_again_on_the_same_address(
    dome: tuple[np.ndarray, np.ndarray],
) -> None:
    """Every request ends as a right answer or a clear error; the same clients go on."""
    vertices, triangles = dome
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    server = start_on(port)
    pending: collections.deque[tuple[str, blendwire.Job[blendwire.Prediction]]] = (
        collections.deque()
    )
    answered, failed = 0, 0

    def settle() -> None:
        nonlocal answered, failed
        name, job = pending.popleft()
        try:
            offsets = job.result(60).offsets
        except blendwire.UnavailableError as error:
            assert address in str(error)
            failed += 1
        else:
            np.testing.assert_allclose(offsets, right[name], atol=1e-6)
            answered += 1

    try:
        with blendwire.Client(address) as patient, blendwire.Client(
            address, retry_attempts=1
        ) as hasty:
            assert patient.ensure_connected()
            right = {
                name: patient.predict_vertex_offsets(vertices, "viseme", name, triangles=triangles)
                for name in VISEMES
            }
            for i in range(1000):
                name = VISEMES[i % 15]
                client = hasty if i % 2 else patient
                pending.append((name, client.submit(vertices, "viseme", name, triangles=triangles)))
                if len(pending) > 32:
                    settle()
                if i == 300:
                    server.kill()
                    server.wait()
                    time.sleep(0.3)
                    server = start_on(port)
            while pending:
                settle()
            assert answered + failed == 1000
            assert failed > 0, "the kill came while requests were under way"
            assert answered > 500, "what may be tried again outlives the restart"
            assert hasty.ensure_connected()
            for name in VISEMES:
                again = hasty.predict_vertex_offsets(vertices, "viseme", name, triangles=triangles)
                np.testing.assert_allclose(again, right[name], atol=1e-6)
    finally:
        server.kill()
        server.wait()


def test_it_restarts_after_a_kill(dome: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, triangles = dome
    with blendwire.ManagedServer.start(PROGRAM) as server:
        os.kill(server.pid, 9)
        while server.running:
            pass
        server.restart()
        offsets = server.client().predict_vertex_offsets(
            vertices, "viseme", "aa", triangles=triangles
        )
        assert np.abs(offsets).max() > 0
