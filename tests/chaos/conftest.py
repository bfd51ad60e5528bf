# SPDX-License-Identifier: Apache-2.0
"""The tests need a folder with the built server, and the client library beside it:

BLENDWIRE_BIN=build/release/bin python -m pytest tests/chaos
"""

from __future__ import annotations

import os
import pathlib
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/integration"), str(ROOT / "python"), str(ROOT / "tests/chaos")]
os.environ.setdefault(
    "BLENDWIRE_CLIENT_LIBRARY",
    str(pathlib.Path(os.environ["BLENDWIRE_BIN"]).resolve().parent / "lib/libblendwire_client.so.1"),
)

import blendwire  # noqa: E402

blendwire.client_version()  # loads the library before the harness's stubs: see chaos.py

from harness import onnx_models  # noqa: E402
from harness.server import Server, leftovers  # noqa: E402

StartServer = Callable[..., Server]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder with everyday.onnx and slow.onnx."""
    folder = tmp_path_factory.mktemp("models")
    onnx_models.everyday(folder / "everyday.onnx")
    onnx_models.slow(folder / "slow.onnx")
    onnx_models.heavy(folder / "heavy.onnx")
    return folder


@pytest.fixture
def start_server() -> Iterator[StartServer]:
    """Starts servers that must still run after the test, and end with exit code 0."""
    started: list[Server] = []

    def start(*arguments: Any, **more: Any) -> Server:
        started.append(Server(*arguments, **more))
        return started[-1]

    yield start
    for server in started:
        server.stop()
    left = leftovers()
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left
