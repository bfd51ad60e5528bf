# SPDX-License-Identifier: Apache-2.0
"""Tests of the Windows build under Wine, of what is special to Windows. They use the harness of
tests/integration, whose own tests scripts/test-windows runs against the same build."""

from __future__ import annotations

import os
import pathlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from harness.server import Server  # noqa: E402


@pytest.fixture(scope="session")
def binaries() -> pathlib.Path:
    """Where the programs for Windows lie."""
    return pathlib.Path(os.environ["BLENDWIRE_BIN"]).resolve()


@pytest.fixture
def start_server() -> Iterator[Callable[..., Server]]:
    """Starts servers that are stopped after the test; each must end with exit code 0."""
    started: list[Server] = []

    def start(*arguments: Any, **more: Any) -> Server:
        server = Server(*arguments, **more)
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()
