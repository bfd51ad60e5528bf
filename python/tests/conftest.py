# SPDX-License-Identifier: Apache-2.0
"""The tests need the client library and a folder with the fake servers:

BLENDWIRE_CLIENT_LIBRARY=build/lib/libblendwire_client.so.1 BLENDWIRE_TEST_PROGRAMS=build/bin
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator

import numpy as np
import pytest

import blendwire


def test_program(name: str) -> pathlib.Path:
    """One of the programs that the C++ build makes for tests."""
    path = pathlib.Path(os.environ["BLENDWIRE_TEST_PROGRAMS"]) / name
    assert path.is_file(), path
    return path.resolve()


@pytest.fixture(scope="session")
def fake_program() -> pathlib.Path:
    """Answers offset = coordinate * intensity; src/client/testing/fake_server_main.cc."""
    return test_program("fake_server")


@pytest.fixture(scope="session")
def silent_program() -> pathlib.Path:
    """Speaks the start-up protocol only; src/client/testing/fake_managed_server.cc."""
    return test_program("fake_managed_server")


@pytest.fixture(scope="session")
def server(fake_program: pathlib.Path) -> Iterator[blendwire.ManagedServer]:
    """One server for all tests that leave it alone."""
    with blendwire.ManagedServer.start(fake_program) as started:
        yield started


@pytest.fixture
def client(server: blendwire.ManagedServer) -> Iterator[blendwire.Client]:
    with server.client() as connected:
        yield connected


@pytest.fixture
def vertices() -> np.ndarray:
    """[5,3] float32."""
    return np.arange(15, dtype=np.float32).reshape(5, 3) + 1
