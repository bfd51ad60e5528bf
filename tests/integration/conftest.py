# SPDX-License-Identifier: Apache-2.0
"""The tests need a folder with the built server:

    BLENDWIRE_BIN=build/bin python -m pytest tests/integration
"""

from __future__ import annotations

import os
import pathlib
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness import onnx_models
from harness.server import Server, leftovers, wait_until

StartServer = Callable[..., Server]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder with everyday.onnx, normals.onnx, slots.onnx, slow.onnx, …"""
    folder = tmp_path_factory.mktemp("models")
    onnx_models.everyday(folder / "everyday.onnx")
    onnx_models.everyday(folder / "other.onnx", version="test-2", seed=77)
    onnx_models.everyday(folder / "strong.onnx", version="strong-1", scale=0.1)
    onnx_models.everyday(folder / "normals.onnx", version="normals-1", normals=True)
    onnx_models.everyday(folder / "slots.onnx", version="slots-1", slots=onnx_models.OWN_SLOTS)
    onnx_models.everyday(folder / "bare.onnx", metadata=False)
    onnx_models.everyday(folder / "three.onnx", version="three-1", max_batch=3)
    onnx_models.everyday(folder / "fixed.onnx", version="fixed-1", count=99)
    onnx_models.slow(folder / "slow.onnx")
    onnx_models.heavy(folder / "heavy.onnx")
    onnx_models.not_a_number(folder / "nan.onnx")
    return folder


@pytest.fixture(scope="session", autouse=True)
def nothing_left() -> Iterator[None]:
    """Fails the session if a server, or a child of one, outlives its test."""
    yield
    left = leftovers()
    named = {pid: pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() for pid in left}
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left, f"processes that outlived their tests: {named}"


def _starter(started: list[Server]) -> StartServer:
    def start(*arguments: Any, **more: Any) -> Server:
        server = Server(*arguments, **more)
        started.append(server)
        return server

    return start


def _stop_all(started: list[Server]) -> None:
    failures = []
    for server in started:
        try:
            server.stop()
        except AssertionError as failure:
            failures.append(str(failure))
    assert not failures, "\n".join(failures)


@pytest.fixture
def start_server() -> Iterator[StartServer]:
    """Starts servers that are stopped after the test; each must end with exit code 0."""
    started: list[Server] = []
    yield _starter(started)
    _stop_all(started)


@pytest.fixture(scope="module")
def start_shared_server() -> Iterator[StartServer]:
    """The same for servers that a file's tests share."""
    started: list[Server] = []
    yield _starter(started)
    _stop_all(started)


@pytest.fixture(scope="module")
def shared_server(start_shared_server: StartServer, models: pathlib.Path) -> Server:
    """One server with all test models."""
    server = start_shared_server(
        "--model", models / "everyday.onnx", "--model-root", models, "--workers", "2"
    )
    for name in ("other", "strong", "normals", "slots", "bare", "three", "fixed", "slow", "heavy", "nan"):
        server.load(models / f"{name}.onnx", name)
    return server


@pytest.fixture
def server(shared_server: Server) -> Iterator[Server]:
    """The shared one: idle before and after each test, and still serving."""
    yield shared_server
    wait_until(
        lambda: (stats := shared_server.stats()).in_flight_requests + stats.queued_requests == 0,
        10,
        "the server becomes idle",
    )
    assert shared_server.running()
