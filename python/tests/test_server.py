# SPDX-License-Identifier: Apache-2.0
"""A private server: its life, its failures, and that nothing is left of it."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from processes import is_alive, wait_until_gone

import blendwire


def test_starts_serves_and_stops(fake_program: pathlib.Path) -> None:
    with blendwire.ManagedServer.start(fake_program) as server:
        assert server.running
        assert server.address.startswith("127.0.0.1:")
        assert len(server.token) == 64
        assert server.version == "0.1.0"
        pid = server.pid
        assert is_alive(pid)
        assert server.client(timeout=3.0).health().serving
    assert not is_alive(pid)
    assert not server.running
    with pytest.raises(blendwire.FailedPreconditionError, match="was stopped"):
        server.check()


def test_in_the_background(fake_program: pathlib.Path) -> None:
    server = blendwire.ManagedServer.submit_start(fake_program).result(30)
    token = server.token
    server.submit_restart().result(30)
    assert server.token != token
    assert server.client().health().serving
    server.submit_stop().result(30)


def test_a_start_that_is_given_up_leaves_nothing(silent_program: pathlib.Path) -> None:
    job = blendwire.ManagedServer.submit_start(silent_program, ["silent"])
    assert not job.wait(0.2)
    job.cancel()
    assert isinstance(job.wait(5) and job.exception(), blendwire.CancelledError)


def test_exit_codes_become_advice(silent_program: pathlib.Path) -> None:
    with pytest.raises(blendwire.FailedPreconditionError) as caught:
        blendwire.ManagedServer.start(silent_program, ["exit", "5"])
    assert "the model failed to load" in caught.value.message
    assert "reason 5" in caught.value.message  # its log
    with pytest.raises(blendwire.NotFoundError, match="no/such/program"):
        blendwire.ManagedServer.start("/no/such/program")


def test_environment_and_log_file(silent_program: pathlib.Path, tmp_path: pathlib.Path) -> None:
    log = tmp_path / "ünï log.txt"
    with blendwire.ManagedServer.start(
        silent_program,
        ["environment", "BLENDWIRE_TEST_VALUE"],
        environment={"BLENDWIRE_TEST_VALUE": "here", "HOME": None},
        log_file=log,
    ) as server:
        assert server.version == "here"
        # This fake does not exit with 0: not what is tested here.
        with pytest.raises(blendwire.BlendwireError):
            server.stop()
    assert log.read_text().startswith("token ")


def test_a_long_log_is_read_whole(silent_program: pathlib.Path) -> None:
    with blendwire.ManagedServer.start(silent_program, ["chatter"]) as server:
        deadline = time.monotonic() + 10
        while not server.log() or not server.log()[-1].startswith("token"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert server.log()[0] == "line 19901"
        assert len(server.log()) == 100


def test_killed_in_the_middle_of_a_thousand_requests(fake_program: pathlib.Path) -> None:
    """Every request ends as a right answer or a clear error, and a restart serves again."""
    vertices = np.arange(300, dtype=np.float32).reshape(100, 3)
    with blendwire.ManagedServer.start(fake_program) as server:
        client = server.client(retry_attempts=1)
        jobs = [client.submit(vertices, "viseme", "aa", 0.5) for _ in range(500)]
        assert jobs[100].wait(10)
        os.kill(server.pid, signal.SIGKILL)
        jobs += [client.submit(vertices, "viseme", "aa", 0.5) for _ in range(500)]
        right, failed = 0, 0
        for job in jobs:
            try:
                np.testing.assert_array_equal(job.result(20).offsets, vertices * 0.5)
                right += 1
            except blendwire.UnavailableError:
                failed += 1
        assert right > 0
        assert failed > 0
        assert right + failed == 1000
        with pytest.raises(blendwire.InternalError, match="killed"):
            server.check()
        server.restart()
        np.testing.assert_array_equal(
            server.client().predict_vertex_offsets(vertices, "viseme", "aa"), vertices
        )


def test_a_client_survives_a_restart_on_the_same_address(fake_program: pathlib.Path) -> None:
    def start(port: str) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [fake_program, "--port", port],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        return process, process.stdout.readline().split('"')[3]

    vertices = np.ones((10, 3), np.float32)
    process, address = start("0")
    client = blendwire.Client(address)
    assert client.test_connection()
    process.kill()
    process.wait()
    assert not client.test_connection()
    waiting = client.submit(vertices, "viseme", "aa")  # tried again until the server is back
    time.sleep(0.2)
    process, _ = start(address.rsplit(":", 1)[1])
    np.testing.assert_array_equal(waiting.result(10).offsets, vertices)
    assert client.test_connection()
    process.communicate()


def test_goes_with_a_host_that_is_killed(fake_program: pathlib.Path) -> None:
    code = """
        import sys, time, blendwire
        server = blendwire.ManagedServer.start(sys.argv[1])
        print(server.pid, flush=True)
        time.sleep(60)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(fake_program)],
        stdout=subprocess.PIPE,
        text=True,
    ) as host:
        assert host.stdout is not None
        pid = int(host.stdout.readline())
        assert is_alive(pid)
        host.kill()
        assert wait_until_gone(pid, 2.0)
