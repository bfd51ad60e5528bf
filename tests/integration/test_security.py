# SPDX-License-Identifier: Apache-2.0
"""Who can reach the server: nobody from outside, nobody without the token, no other user."""

from __future__ import annotations

import os
import pathlib
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from harness import meshes
from harness.meshes import grid, request
from harness.server import CALL_SECONDS, LAUNCHER, Server, environment, run_to_end
from harness.stubs import health_pb, pb, reflection_pb

MESH = grid()
TOKEN = "a-token-of-the-tests-0123456789"
NOT_LOOPBACK, TOKEN_PROBLEM = 4, 6
NOBODY = 65534  # a user id

StartServer = Callable[..., Server]


def lan_addresses() -> list[str]:
    """This machine's own addresses that others can reach, and one that is nobody's."""
    found = {"192.0.2.1"}
    for family, target in ((socket.AF_INET, "198.51.100.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((target, 9))  # sends nothing
                found.add(probe.getsockname()[0])
        except OSError:
            pass
    return sorted(found - {"127.0.0.1", "::1"})


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0", "::", "[::]", "0", "*", "", "127.0.0.2.example.org", "example.org",
        socket.gethostname(), "localhost.localdomain", "127.1", "2130706433", "0x7f000001",
        "0177.0.0.1", "127.0.0.1 ", "127.0.0.5", "::ffff:127.0.0.1", "::ffff:0.0.0.0", "fe80::1", "127.0.0.256",
        "unix:/tmp/x", "dns:///example.org", "127.0.0.1,0.0.0.0", "127.0.0.1:80", *lan_addresses(),
    ],
)  # fmt: skip
def test_refused_hosts(host: str) -> None:
    """At start, with the reason, before anything listens."""
    done = run_to_end("--no-model", "--port", "0", "--host", host)
    assert done.returncode == NOT_LOOPBACK, done.stderr
    assert "is not a loopback address" in done.stderr
    assert "127.0.0.1" in done.stderr and "--socket" in done.stderr
    assert done.stdout == ""


def ipv6_works() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "::1", "[::1]"])
def test_allowed_hosts(start_server: StartServer, host: str) -> None:
    if ":" in host and not ipv6_works():
        pytest.skip("this machine has no IPv6 loopback address")
    server = start_server("--no-model", "--host", host)
    answer = server.stub.HealthCheck(pb.HealthCheckRequest(), timeout=CALL_SECONDS)
    assert answer.status == pb.HealthCheckResponse.NOT_SERVING


def listening_addresses(pid: int) -> set[str]:
    """Local addresses of the TCP sockets on which a process listens, in the kernel's notation."""
    inodes = set()
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(os.readlink(entry))
        except OSError:
            continue
    found = set()
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                found.add(fields[1].split(":")[0])
    return found


def test_listens_on_loopback_only(start_server: StartServer) -> None:
    """As the kernel has it, and tried from outside."""
    server = start_server("--no-model")
    # IPv4's 127.0.0.1, or the same as IPv6 writes it.
    assert listening_addresses(server.pid) <= {"0100007F", "0000000000000000FFFF00000100007F"}
    for address in lan_addresses():
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family) as probe:
            probe.settimeout(0.5)
            assert probe.connect_ex((address, server.port)) != 0, address


@pytest.mark.skipif(bool(LAUNCHER), reason="Windows' folders are not in the environment")
def test_nothing_is_kept_or_sent_for_anybody_else(
    start_server: StartServer, models: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """ONNX Runtime's own builds keep a database in the user's folder, and send what is in it to
    their maker, unless they are told not to."""
    places = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
    told = {"ORT_DISABLE_TELEMETRY": "0", **{name: str(tmp_path) for name in places}}
    server = start_server("--model", models / "everyday.onnx", env=told)
    assert server.predict(request(MESH)).success
    server.stop()
    assert list(tmp_path.rglob("*")) == []


# Every method of every service, each with a call that works when the token is right.
def refusal(stream: Any) -> grpc.StatusCode:
    """Why the handler, which thus was reached, refused a size of nothing."""
    with pytest.raises(grpc.RpcError) as caught:
        next(stream)
    if caught.value.code() == grpc.StatusCode.UNAUTHENTICATED:
        raise caught.value
    return caught.value.code()


def calls(server: Server) -> dict[str, Callable[..., Any]]:
    stub, empty = server.stub, pb.BatchPredictionRequest()
    listing = [reflection_pb.ServerReflectionRequest(list_services="")]
    health = health_pb.HealthCheckRequest()
    return {
        "HealthCheck": lambda **more: stub.HealthCheck(pb.HealthCheckRequest(), **more),
        "PredictVertexOffsets": lambda **more: stub.PredictVertexOffsets(request(MESH), **more),
        "PredictBatch": lambda **more: stub.PredictBatch(empty, **more),
        "PredictStream": lambda **more: list(stub.PredictStream(empty, **more)),
        "GetPerformanceStats": lambda **m: stub.GetPerformanceStats(pb.PerformanceStatsRequest(), **m),
        "LoadModel": lambda **m: stub.LoadModel(
            pb.LoadModelRequest(model_path="other.onnx", model_name="t"), **m),
        "UnloadModel": lambda **m: stub.UnloadModel(pb.UnloadModelRequest(model_name="t"), **m),
        "ShareMemory": lambda **m: refusal(stub.ShareMemory(pb.ShareMemoryRequest(size=0), **m)),
        "ListModels": lambda **m: stub.ListModels(pb.ListModelsRequest(), **m),
        "Health.Check": lambda **m: server.health.Check(health, **m),
        "Health.Watch": lambda **m: next(server.health.Watch(health, **m)),
        "Reflection": lambda **m: next(server.reflection.ServerReflectionInfo(iter(listing), **m)),
    }  # fmt: skip


# gRPC has no unix sockets on Windows.
WAYS = ["managed", "token-file", *([] if LAUNCHER else ["token-file-socket"])]


@pytest.fixture(scope="module", params=WAYS)
def guarded(
    request: pytest.FixtureRequest, start_shared_server: StartServer, models: pathlib.Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Server:  # fmt: skip
    """A server with a token, each of the ways to give it one."""
    common = ["--model", models / "everyday.onnx", "--model-root", models, "--log-level", "DEBUG"]
    if request.param == "managed":
        return start_shared_server(*common, token=TOKEN, managed=True)
    folder = tmp_path_factory.mktemp("token")
    folder.chmod(0o700)
    file = folder / "token"
    file.write_text(TOKEN + "\n")
    file.chmod(0o600)
    if request.param == "token-file":
        return start_shared_server(*common, "--token-file", file, token=TOKEN)
    where = ["--socket", folder / "s"]
    return start_shared_server(*common, "--token-file", file, *where, token=TOKEN, port=None)


def test_every_method_is_listed(guarded: Server) -> None:
    ours = {method.name for method in pb.DESCRIPTOR.services_by_name["InferenceService"].methods}
    assert ours <= set(calls(guarded))


WRONG = {
    "none": [],
    "wrong": [("authorization", f"Bearer {TOKEN[:-1]}x")],
    "shorter": [("authorization", f"Bearer {TOKEN[:-1]}")],
    "longer": [("authorization", f"Bearer {TOKEN}x")],
    "empty": [("authorization", "")],
    "no-scheme": [("authorization", TOKEN)],
    "other-scheme": [("authorization", f"Basic {TOKEN}")],
    "lower-case": [("authorization", f"bearer {TOKEN}")],
    "other-key": [("x-authorization", f"Bearer {TOKEN}")],
    "twice": [("authorization", f"Bearer {TOKEN}"), ("authorization", "Bearer other")],
}


@pytest.mark.parametrize("wrong", WRONG)
def test_without_the_right_token(guarded: Server, wrong: str) -> None:
    """Refused on every method of every service, before anything is looked at."""
    before = guarded.stats()
    for name, call in calls(guarded).items():
        with pytest.raises(grpc.RpcError) as caught:
            call(metadata=WRONG[wrong], timeout=CALL_SECONDS)
        assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED, name
        details = caught.value.details()
        assert "token" in details and TOKEN not in details
    assert guarded.stats().total_requests == before.total_requests
    assert "t" not in guarded.models()


def test_with_the_right_token(guarded: Server) -> None:
    for name, call in calls(guarded).items():
        assert call(metadata=guarded.metadata, timeout=CALL_SECONDS) is not None, name


def test_the_token_is_nowhere_to_be_read(guarded: Server) -> None:
    """Not in the log, not among the arguments, not in the environment of a child."""
    assert TOKEN not in guarded.log()
    assert TOKEN.encode() not in pathlib.Path(f"/proc/{guarded.pid}/cmdline").read_bytes()
    assert TOKEN.encode() not in pathlib.Path(f"/proc/{guarded.pid}/environ").read_bytes()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601, 0o777])
def test_token_file_that_others_can_read(tmp_path: pathlib.Path, mode: int) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(mode)
    done = run_to_end("--no-model", "--port", "0", "--token-file", file)
    assert done.returncode == TOKEN_PROBLEM
    assert f"has mode {mode:04o}" in done.stderr and "chmod 0600" in done.stderr
    assert TOKEN not in done.stderr


@pytest.mark.parametrize("text", ["", "\n", "short", "with space inside it", "x" * 600], ids=range(5))
def test_unusable_token_file(tmp_path: pathlib.Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text)
    file.chmod(0o600)
    done = run_to_end("--no-model", "--port", "0", "--token-file", file)
    assert done.returncode == TOKEN_PROBLEM
    assert text == "" or text.strip() not in done.stderr or not text.strip()


def test_token_file_of_another_user(tmp_path: pathlib.Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to another user")
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(0o600)
    os.chown(file, NOBODY, NOBODY)
    done = run_to_end("--no-model", "--port", "0", "--token-file", file)
    assert done.returncode == TOKEN_PROBLEM
    assert f"belongs to user {NOBODY}" in done.stderr


@pytest.fixture
def private(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A short path: sockets allow about 100 bytes."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="bw-", dir="/tmp") as folder:
        yield pathlib.Path(folder)


def test_unix_socket(start_server: StartServer, models: pathlib.Path, private: pathlib.Path) -> None:
    """The server makes the folder, 0700, and the socket, 0600; and listens nowhere else."""
    path = private / "run" / "server.sock"
    server = start_server("--model", models / "everyday.onnx", "--socket", path, port=None)
    assert server.first_line == f"Server running on unix:{path}. Press Ctrl+C to stop.\n"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_ISSOCK(path.stat().st_mode) and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert server.predict(request(MESH)).success
    assert listening_addresses(server.pid) == set()


def test_another_user_cannot_connect(
    start_server: StartServer, private: pathlib.Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    private.chmod(0o755)
    path = private / "run" / "server.sock"
    start_server("--no-model", "--socket", path, port=None)
    program = (
        "import os, socket, sys\n"
        "if len(sys.argv) > 2: os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))\n"
        "try: socket.socket(socket.AF_UNIX).connect(sys.argv[1])\n"
        "except PermissionError: print('denied')\n"
        "else: print('connected')\n"
    )

    def attempt(*more: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", program, path, *more], capture_output=True, text=True,
            env=environment(), check=True, timeout=60,
        ).stdout.strip()  # fmt: skip

    assert attempt() == "connected", "the attempt itself works"
    assert attempt(str(NOBODY)) == "denied"
    # Were the folder open by some mistake, the socket itself would still keep others out.
    path.parent.chmod(0o755)
    assert attempt(str(NOBODY)) == "denied"


def test_socket_in_a_folder_of_others(private: pathlib.Path) -> None:
    private.chmod(0o755)
    done = run_to_end("--no-model", "--socket", private / "server.sock")
    assert done.returncode == NOT_LOOPBACK
    assert "has mode 0755" in done.stderr and "chmod 0700" in done.stderr


def test_socket_folder_that_is_a_link(private: pathlib.Path) -> None:
    (private / "real").mkdir(mode=0o700)
    (private / "link").symlink_to(private / "real")
    done = run_to_end("--no-model", "--socket", private / "link" / "server.sock")
    assert done.returncode == NOT_LOOPBACK
    assert "is not a folder" in done.stderr


@pytest.mark.parametrize("path", ["relative.sock", "/tmp/" + "x" * 200, "unix:/tmp/x/y"])
def test_unusable_socket_path(path: str) -> None:
    done = run_to_end("--no-model", "--socket", path)
    assert done.returncode == NOT_LOOPBACK
    assert "it must be an absolute path of at most 103 bytes" in done.stderr


def test_socket_path_taken_by_a_file(private: pathlib.Path) -> None:
    path = private / "server.sock"
    path.write_text("precious")
    done = run_to_end("--no-model", "--socket", path)
    assert done.returncode == NOT_LOOPBACK
    assert "exists and is no socket" in done.stderr
    assert path.read_text() == "precious"


def test_socket_of_a_server_that_was_killed(start_server: StartServer, private: pathlib.Path) -> None:
    """Its remains do not stop the next one."""
    path = private / "server.sock"
    first = start_server("--no-model", "--socket", path, port=None)
    first.kill()
    first.ended_as_expected = True
    assert path.exists()
    second = start_server("--no-model", "--socket", path, port=None)
    second.stub.HealthCheck(pb.HealthCheckRequest(), timeout=CALL_SECONDS)


def test_socket_of_a_server_that_runs(start_server: StartServer, private: pathlib.Path) -> None:
    """A second one does not take it away from the first."""
    path = private / "server.sock"
    first = start_server("--no-model", "--socket", path, port=None)
    done = run_to_end("--no-model", "--socket", path, seconds=30)
    assert done.returncode == 3, done.stderr
    first.connect()
    first.stub.HealthCheck(pb.HealthCheckRequest(), timeout=CALL_SECONDS)


def test_proxy_settings_change_nothing(start_server: StartServer, models: pathlib.Path) -> None:
    """Neither does the server ask a proxy, nor is it in the way."""
    seen = []
    with socket.socket() as proxy:
        proxy.bind(("127.0.0.1", 0))
        proxy.listen()

        def accept() -> None:
            try:
                while True:
                    connection, _ = proxy.accept()
                    seen.append(connection.recv(1000))
                    connection.close()
            except OSError:
                pass

        watcher = threading.Thread(target=accept, daemon=True)
        watcher.start()
        url = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        names = ("http_proxy", "https_proxy", "grpc_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY")
        server = start_server(
            "--model", models / "everyday.onnx", "--model-root", models,
            env={name: url for name in names},
        )  # fmt: skip
        assert server.predict(request(MESH)).success
        assert server.load("other.onnx", "x").success
        assert server.batch(meshes.batch([request(MESH)])).all_successful
        proxy.shutdown(socket.SHUT_RDWR)
    watcher.join(10)
    assert seen == []


def test_rubbish_on_the_port(server: Server) -> None:
    """Whatever local programs send: HTTP, TLS, noise, half a handshake, many connections."""
    for data in (
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 1000, bytes(100_000), b"PRI * HT",
    ):  # fmt: skip
        with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
            try:
                connection.sendall(data)
                connection.settimeout(0.2)
                connection.recv(1000)
            except OSError:
                pass
    idle = [socket.create_connection(("127.0.0.1", server.port), 10) for _ in range(100)]
    assert server.predict(request(MESH)).success
    for connection in idle:
        connection.close()


def test_rubbish_in_a_call(server: Server) -> None:
    """Bytes that are no message of the contract. gRPC answers itself, with UNIMPLEMENTED in 1.51."""
    for data in (b"\xff" * 50, b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x05\x00\x00\x00\x00\x00", b"\x1a\x02"):
        call = server.channel.unary_unary(
            "/vrchat.blendshape.inference.InferenceService/PredictVertexOffsets",
            request_serializer=bytes,
            response_deserializer=bytes,
        )
        with pytest.raises(grpc.RpcError) as caught:
            call(data, timeout=CALL_SECONDS)
        assert caught.value.code() in (
            grpc.StatusCode.INTERNAL,
            grpc.StatusCode.INVALID_ARGUMENT,
            grpc.StatusCode.UNIMPLEMENTED,
        )
    assert server.predict(request(MESH)).success
