# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's life, as the panel sees it."""

from __future__ import annotations

import pytest
from core.server_care import ServerCare, ServerSettings, State, model_file, readable_device
from fakes import CallError, FakeBackend, FakeJob, healthy


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def started(settings: ServerSettings = ServerSettings()):
    backend, clock = FakeBackend(), Clock()
    care = ServerCare(backend, clock)
    assert care.start(settings)
    assert care.state == State.STARTING
    for _ in range(6):
        care.tick()
    return backend, clock, care


def test_start_tells_device_and_model() -> None:
    _, _, care = started()
    assert care.state == State.RUNNING
    assert care.info is not None
    assert (care.info.device, care.info.model_version) == ("CPU", "7")
    assert care.pid == 42


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("CPU: AMD EPYC, 2 threads (CPUExecutionProvider)", "CPU: AMD EPYC, 2 threads"),
        (
            "GPU, with CPU: X, 4 threads (CUDAExecutionProvider)",
            "GPU, with CPU: X, 4 threads (CUDA)",
        ),
        ("CPU: X, 1 thread (no model loaded)", "CPU: X, 1 thread (no model loaded)"),
    ],
)
def test_device_is_shown_in_plain_words(told: str, shown: str) -> None:
    assert readable_device(told) == shown


def test_model_folder_gives_its_model(tmp_path) -> None:
    with pytest.raises(ValueError, match="none"):
        model_file(str(tmp_path))
    first = tmp_path / "mine.onnx"
    first.touch()
    assert model_file(str(tmp_path)) == str(first)
    assert model_file(str(first)) == str(first)
    (tmp_path / "other.onnx").touch()
    with pytest.raises(ValueError, match=r"mine\.onnx, other\.onnx"):
        model_file(str(tmp_path))
    (tmp_path / "default.onnx").touch()
    assert model_file(str(tmp_path)) == str(tmp_path / "default.onnx")


def test_second_start_does_nothing() -> None:
    backend, _, care = started()
    assert care.start(ServerSettings())
    assert len(backend.servers) == 1


def test_failed_start_says_why() -> None:
    backend = FakeBackend()
    backend.start_error = CallError("FAILED_PRECONDITION", "exit code 5: the model is broken")
    care = ServerCare(backend)
    care.start(ServerSettings())
    for _ in range(4):
        care.tick()
    assert care.state == State.CRASHED
    assert "the model is broken" in str(care.message)


def test_missing_library_is_a_failed_start() -> None:
    class NoLibrary(FakeBackend):
        def submit_start(self, settings):
            raise CallError("NOT_FOUND", "no library")

    care = ServerCare(NoLibrary())
    assert not care.start(ServerSettings())
    assert care.message.code == "start_failed"


def test_reason_leaves_the_log_to_its_button() -> None:
    backend, _, care = started()
    reason = "the server ended with signal 9 (killed): it crashed\nThe last lines of its log:\n  x"
    backend.servers[0].dead = CallError("INTERNAL", reason)
    care.tick()
    assert care.message.params == {"reason": "signal 9 (killed): it crashed"}


def test_crash_is_noticed_and_can_be_restarted() -> None:
    backend, _, care = started()
    backend.servers[0].dead = CallError("INTERNAL", "killed by signal 9")
    care.tick()
    assert care.state == State.CRASHED
    assert "signal 9" in care.message.text()
    assert care.client is None
    assert care.restart(ServerSettings())
    backend.client.health = FakeJob(healthy())
    for _ in range(6):
        care.tick()
    assert care.state == State.RUNNING
    assert care.message is None


def crash(backend, care) -> None:
    backend.client.health = FakeJob(healthy())
    care.start(ServerSettings())
    for _ in range(6):
        care.tick()
    backend.servers[-1].dead = CallError("INTERNAL", "signal 11")
    care.tick()


def test_breaker_opens_after_three_crashes_and_the_button_closes_it() -> None:
    backend, clock, care = started()
    backend.servers[0].dead = CallError("INTERNAL", "signal 11")
    care.tick()
    crash(backend, care)
    assert care.message.code == "crashed"
    crash(backend, care)
    assert care.message.code == "too_many_crashes"
    assert "signal" in care.message.text(), "it must say why"
    assert not care.start(ServerSettings())
    assert len(backend.servers) == 3
    assert care.restart(ServerSettings())
    assert len(backend.servers) == 4


def test_breaker_forgets_old_crashes() -> None:
    backend, clock, care = started()
    backend.servers[0].dead = CallError("INTERNAL", "signal 11")
    care.tick()
    crash(backend, care)
    clock.now += ServerCare.CRASH_WINDOW + 1
    crash(backend, care)
    assert care.message.code == "crashed"
    assert care.start(ServerSettings())


def test_stop_is_graceful() -> None:
    backend, _, care = started()
    care.stop()
    assert care.state == State.STOPPING
    assert backend.servers[0].stopping is not None
    for _ in range(3):
        care.tick()
    assert care.state == State.STOPPED
    assert care.client is None


def test_drop_cancels_a_start() -> None:
    backend = FakeBackend()
    care = ServerCare(backend)
    care.start(ServerSettings())
    job = care._job
    care.drop()
    assert job.cancelled
    assert care.state == State.STOPPED


def test_address_starts_no_process() -> None:
    backend, _, care = started(ServerSettings(address="127.0.0.1:50051"))
    assert care.state == State.RUNNING
    assert backend.addresses == ["127.0.0.1:50051"]
    assert not backend.servers
    assert not care.private


def test_server_of_an_address_is_asked_again() -> None:
    backend, clock, care = started(ServerSettings(address="127.0.0.1:50051"))
    backend.client.health = FakeJob(error=CallError("UNAVAILABLE", "refused"))
    for _ in range(4):
        care.tick()
    assert care.state == State.RUNNING
    clock.now += ServerCare.HEALTH_INTERVAL + 1
    for _ in range(4):
        care.tick()
    assert care.state == State.CRASHED
    assert "127.0.0.1:50051" in care.message.text()


def test_server_without_a_model_is_not_ready() -> None:
    backend = FakeBackend()
    backend.client.health = FakeJob(healthy(serving=False))
    care = ServerCare(backend)
    care.start(ServerSettings())
    for _ in range(6):
        care.tick()
    assert care.message.code == "not_serving"
