# SPDX-License-Identifier: Apache-2.0
"""Start, exit codes, configuration, logs, drain, and the life beside a program that manages it."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from harness import onnx_models
from harness.meshes import condition, grid, request
from harness.server import CALL_SECONDS, LAUNCHER, Server, run_to_end, wait_until
from harness.stubs import pb

MESH = grid()
TOKEN = "a-token-of-the-tests-0123456789"
USAGE, IN_USE, NOT_LOOPBACK, MODEL, TOKEN_PROBLEM, CONFIGURATION = 2, 3, 4, 5, 6, 7

StartServer = Callable[..., Server]


def slow_call(server: Server, intensity: float) -> Any:
    call = server.stub.PredictVertexOffsets.future(
        request(MESH, condition(intensity=intensity)), timeout=CALL_SECONDS, metadata=server.metadata
    )
    wait_until(lambda: server.stats().in_flight_requests == 1, 20, "it runs")
    return call


def test_version_and_help() -> None:
    version = run_to_end("--version")
    assert version.returncode == 0
    assert version.stdout.startswith("blendwire-server ") and version.stdout.count(".") == 2
    usage = run_to_end("--help")
    assert usage.returncode == 0
    for flag in ("--model", "--port", "--workers", "--log-level", "--config", "--managed", "Examples"):
        assert flag in usage.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--nonsense"], USAGE, "--nonsense"),
        (["--port", "70000"], USAGE, "--port"),
        (["--port", "http"], USAGE, "--port"),
        (["--workers", "0"], USAGE, "--workers"),
        (["--queue", "0"], USAGE, "--queue"),
        (["--grace", "-1"], USAGE, "--grace"),
        (["--log-level", "LOUD"], USAGE, "must be DEBUG, INFO, WARNING or ERROR"),
        (["--log-format", "xml"], USAGE, "must be text or json"),
        (["--device", "abacus"], USAGE, "abacus"),
        (["--no-model", "--model", "x.onnx"], USAGE, "excludes"),
        (["--no-model", "--model-root", "/nowhere/at/all"], USAGE, "which is no folder"),
        (["--model", "/nowhere/model.onnx"], MODEL, "there is no model file /nowhere/model.onnx"),
        (["--model", __file__], MODEL, "ONNX Runtime cannot load"),
        (["--no-model", "--token-file", "/nowhere/token"], TOKEN_PROBLEM, "/nowhere/token"),
        (["--config", "/nowhere/blendwire.toml"], CONFIGURATION, "/nowhere/blendwire.toml"),
    ],
)
def test_exit_codes(arguments: list[str], code: int, text: str) -> None:
    done = run_to_end("--port", "0", *arguments) if "--port" not in arguments else run_to_end(*arguments)
    assert done.returncode == code, done.stderr
    assert text in re.sub(r"Z:\\+nowhere\\+", "/nowhere/", done.stderr), "or as Windows has it"
    assert done.stdout == "", "nothing that looks like a server that runs"


@pytest.mark.parametrize("first_line", ["", "\n", "short\n", "with a space in the middle\n", "x" * 513 + "\n"])
def test_managed_without_a_usable_token(first_line: str) -> None:
    done = run_to_end("--managed", "--no-model", stdin=first_line)
    assert done.returncode == TOKEN_PROBLEM
    assert "token" in done.stderr
    assert done.stdout == ""


def test_port_in_use(start_server: StartServer, models: pathlib.Path) -> None:
    """A second server neither shares the port nor disturbs the first."""
    first = start_server("--model", models / "everyday.onnx")
    second = run_to_end("--no-model", "--port", str(first.port))
    assert second.returncode == IN_USE
    assert f"cannot listen on 127.0.0.1:{first.port}" in second.stderr
    assert "choose another --port" in second.stderr
    assert first.predict(request(MESH)).success

    with socket.socket() as other:  # a program that is no server of ours
        other.bind(("127.0.0.1", 0))
        other.listen()
        third = run_to_end("--no-model", "--port", str(other.getsockname()[1]))
        assert third.returncode == IN_USE


def test_start_line(start_server: StartServer) -> None:
    """As the specification has it."""
    server = start_server("--no-model")
    assert server.first_line == f"Server running on port {server.port}. Press Ctrl+C to stop.\n"


def test_specified_flags(start_server: StartServer, models: pathlib.Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = start_server(
        "--model", models / "everyday.onnx", "--port", str(port), "--workers", "3",
        "--log-level", "ERROR", port=None,
    )
    assert server.port == port
    health = server.stub.HealthCheck(pb.HealthCheckRequest(), timeout=CALL_SECONDS)
    assert health.server_info.max_concurrent_requests == 3
    server.predict(request(MESH))
    assert server.log() == "", "nothing went wrong, so there is nothing to say"


def test_config_file(start_server: StartServer, models: pathlib.Path, tmp_path: pathlib.Path) -> None:
    config = tmp_path / "blendwire.toml"
    config.write_text(
        f"# what the operator wants\nmodel = '{models / 'everyday.onnx'}'\n"
        f"model-root = ['{models}', '{tmp_path}']\nport = 0\nworkers = 3\nlog-format = \"json\"\n"
        "max-vertices = 200\ngrace = 1.5\n"
    )
    server = start_server("--config", config, "--workers", "5", port=None)
    health = server.stub.HealthCheck(pb.HealthCheckRequest(), timeout=CALL_SECONDS)
    assert health.server_info.max_concurrent_requests == 5, "a flag wins over the file"
    assert health.server_info.model_version == "test-1"
    assert json.loads(server.log().splitlines()[0])["event"] == "model-loaded"
    assert server.load(models / "other.onnx", "x").success
    with pytest.raises(grpc.RpcError) as caught:
        server.predict(request(grid(20, 20)))
    assert "at most 200" in caught.value.details()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("worker = 3\n", "worker"),
        ("workers = 0\n", "workers"),
        ("workers = \"many\"\n", "workers"),
        ("log-level = 'LOUD'\n", "LOUD"),
        ("[server\nworkers 3 = = \n", ""),
    ],
    ids=["unknown", "range", "type", "value", "syntax"],
)
def test_wrong_config_file(tmp_path: pathlib.Path, text: str, names: str) -> None:
    config = tmp_path / "blendwire.toml"
    config.write_text(text)
    done = run_to_end("--no-model", "--port", "0", "--config", config)
    assert done.returncode in (USAGE, CONFIGURATION), done.stderr
    assert names in done.stderr


def test_json_log(start_server: StartServer, models: pathlib.Path) -> None:
    """Every line parses and every call's line names its request, whatever callers send."""
    server = start_server(
        "--model", models / "everyday.onnx", "--model-root", models, "--log-format", "json",
        "--log-level", "DEBUG", token=TOKEN, managed=True,
    )
    server.load("slow.onnx", "slow")
    server.load("nan.onnx", "nan")
    server.predict(request(MESH), metadata=[*server.metadata, ("x-request-id", "mine")])
    for bad in ('quote " and \\', "line\nbreak", "\x1b[31m", "ümläut", "null\0"):
        with pytest.raises(grpc.RpcError):
            server.predict(request(MESH, condition(bad)))
    with pytest.raises(grpc.RpcError):
        server.predict(request(MESH, condition(), "nan"))
    with pytest.raises(grpc.RpcError):
        server.predict(request(MESH, condition(), "slow"), timeout=0.3)  # stopped in the model
    with pytest.raises(grpc.RpcError):
        server.predict(request(MESH), metadata=[("authorization", f"Bearer {TOKEN}x")])
    server.batch(pb.BatchPredictionRequest())
    server.stats()
    server.models()
    wait_until(lambda: server.stats().in_flight_requests == 0, 20, "idle")
    server.ask_to_end()
    assert server.await_end() == 0

    lines = server.log().splitlines()
    entries = [json.loads(line) for line in lines]
    assert len(entries) > 12
    for entry in entries:
        assert {"time", "level", "event"} <= set(entry)
    calls = [entry for entry in entries if entry["event"] == "call"]
    assert all(entry["request_id"] and entry["code"] and entry["method"] for entry in calls)
    assert sum(entry["request_id"] == "mine" for entry in calls) == 1
    assert {"OK", "INVALID_ARGUMENT", "INTERNAL", "DEADLINE_EXCEEDED"} <= {e["code"] for e in calls}
    assert {"LoadModel", "PredictVertexOffsets", "PredictBatch", "GetPerformanceStats",
            "ListModels"} <= {entry["method"] for entry in calls}  # fmt: skip
    assert TOKEN not in server.log()


def test_text_log_cannot_be_forged(start_server: StartServer, models: pathlib.Path) -> None:
    server = start_server("--model", models / "everyday.onnx")
    before = len(server.log().splitlines())
    with pytest.raises(grpc.RpcError):
        server.predict(request(MESH, condition("x\n2026-01-01 00:00:00.000 info ended\x1b[2J")))
    added = server.log().splitlines()[before:]
    assert len(added) == 1
    assert "\x1b" not in server.log()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_drain(start_server: StartServer, models: pathlib.Path, sent: signal.Signals) -> None:
    """What runs and what waits is finished; what is new is refused; then exit code 0."""
    server = start_server("--model", models / "slow.onnx", "--workers", "1", "--grace", "30")
    running = slow_call(server, 0.01)
    waiting = server.stub.PredictVertexOffsets.future(
        request(MESH, condition(intensity=0.0)), timeout=CALL_SECONDS
    )
    wait_until(lambda: server.stats().queued_requests == 1, 20, "one waits")
    server.process.send_signal(sent)
    wait_until(lambda: "draining" in server.log(), 20, "it drains")
    with pytest.raises(grpc.RpcError) as caught:
        server.predict(request(MESH))
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert "the server is shutting down" in caught.value.details()
    with pytest.raises(grpc.RpcError) as caught:
        server.load("x.onnx", "x")
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert running.result().success and waiting.result().success
    began = time.monotonic()
    assert server.await_end() == 0
    assert time.monotonic() - began < 10, "it does not sit out the grace period"


def test_grace_period_ends(start_server: StartServer, models: pathlib.Path) -> None:
    """What does not finish in time is stopped and told so."""
    server = start_server("--model", models / "slow.onnx", "--workers", "1", "--grace", "0.5")
    running = slow_call(server, 1.0)
    began = time.monotonic()
    server.ask_to_end()
    assert server.await_end() == 0
    assert 0.4 < time.monotonic() - began < 10
    assert running.exception().code() == grpc.StatusCode.UNAVAILABLE


def test_second_signal_ends_at_once(start_server: StartServer, models: pathlib.Path) -> None:
    server = start_server("--model", models / "slow.onnx", "--workers", "1", "--grace", "60")
    running = slow_call(server, 1.0)
    server.ask_to_end()
    wait_until(lambda: "draining" in server.log(), 20, "it drains")
    server.ask_to_end()
    began = time.monotonic()
    assert server.await_end() == 0
    assert time.monotonic() - began < 10
    assert running.exception().code() == grpc.StatusCode.UNAVAILABLE


def test_port_is_free_after_the_end(start_server: StartServer) -> None:
    first = start_server("--no-model")
    first.ask_to_end()
    assert first.await_end() == 0
    second = start_server("--no-model", "--port", str(first.port), port=None)
    assert second.port == first.port


def test_managed(start_server: StartServer, models: pathlib.Path) -> None:
    """One line of JSON, the token on every call, and the end with standard input."""
    server = start_server("--model", models / "everyday.onnx", token=TOKEN, managed=True)
    assert set(server.handshake) == {"address", "pid", "version"}
    if LAUNCHER is None:  # Wine gives processes numbers of its own
        assert server.handshake["pid"] == server.pid
    assert server.address.startswith("127.0.0.1:")
    second = start_server("--no-model", token=TOKEN, managed=True)
    assert second.port != server.port, "each takes a free port unless it is told one"
    assert server.predict(request(MESH)).success
    assert server.process.stdin is not None and server.process.stdout is not None
    server.process.stdin.close()
    assert server.await_end() == 0
    assert server.process.stdout.read() == b"", "one line and no more"
    assert TOKEN not in server.log()


def test_managed_ends_with_its_parent(models: pathlib.Path) -> None:
    """Although the parent is killed and has no time to say so."""
    from harness.server import environment, program

    reader, writer = os.pipe()
    parent = os.fork()
    if parent == 0:  # the program that will crash
        try:
            os.dup2(writer, 1)
            feed, hold = os.pipe()
            os.write(hold, TOKEN.encode() + b"\n")
            os.set_inheritable(hold, False)
            if os.fork() == 0:
                os.dup2(feed, 0)
                os.close(hold)
                os.execve(
                    program(),
                    [str(program()), "--managed", "--no-model", "--log-level", "ERROR"],
                    environment(),
                )
            time.sleep(600)
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as lines:
        pid = json.loads(lines.readline())["pid"]
        os.kill(parent, signal.SIGKILL)
        os.waitpid(parent, 0)

        def gone() -> bool:
            try:
                stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
            except OSError:
                return True
            return stat.rsplit(")", 1)[1].split()[0] == "Z"

        wait_until(gone, 20, "the server is gone")


def test_model_flag_takes_relative_paths(start_server: StartServer, tmp_path: pathlib.Path) -> None:
    onnx_models.everyday(tmp_path / "my model ü.onnx")
    server = start_server("--model", os.path.relpath(tmp_path / "my model ü.onnx"))
    assert server.predict(request(MESH)).success


def test_killed_server_leaves_a_port_that_can_be_used(start_server: StartServer) -> None:
    first = start_server("--no-model")
    first.kill()
    first.ended_as_expected = True
    assert start_server("--no-model", "--port", str(first.port), port=None).running()
