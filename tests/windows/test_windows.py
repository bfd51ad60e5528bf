# SPDX-License-Identifier: Apache-2.0
"""What is special to Windows: its paths, its DLL, its ways for a process to end, large messages."""

from __future__ import annotations

import functools
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import zipfile
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import pytest

from harness import onnx_models
from harness.meshes import Mesh, batch, condition, grid, request
from harness.server import (
    CHANNEL_OPTIONS, LAUNCHER, START_SECONDS, Server, environment, run_to_end, wait_until,
)  # fmt: skip
from harness.stubs import REPOSITORY, pb, rpc

StartServer = Callable[..., Server]
NOT_LOOPBACK = 4
FOLDER = "たろう の フォルダ"  # a user's name that no code page of the West has, and spaces


@pytest.fixture
def installed(binaries: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    """Everything, copied to where such a user would have it."""
    folder = tmp_path / FOLDER
    (folder / "models").mkdir(parents=True)
    for file in (*binaries.glob("*.exe"), *binaries.glob("*.dll")):
        shutil.copy(file, folder)
    shutil.copy(binaries / "models" / "default.onnx", folder / "models")
    return folder


def launch(*command: str | os.PathLike[str], **more: object) -> subprocess.Popen[str]:
    """A program for Windows whose output is read."""
    assert LAUNCHER is not None
    return subprocess.Popen(
        [LAUNCHER, *command],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        **{"env": environment(), **more},
    )  # fmt: skip


def load_library(installed: pathlib.Path, what: str, **more: object) -> subprocess.Popen[str]:
    return launch(
        installed / "load_library.exe", installed / "blendwire_client.dll",
        installed / "blendwire-server.exe", what, **more,
    )  # fmt: skip


def edges_of(answer: Any) -> np.ndarray:
    """[100,3]: the first and the last offsets, all of them seen to be numbers."""
    offsets = np.asarray(answer.offsets, np.float32).reshape(-1, 3)
    assert np.isfinite(offsets).all()
    return np.concatenate([offsets[:50], offsets[-50:]])


@pytest.mark.parametrize("megabytes", [4, 100])
def test_large_messages(start_server: StartServer, tmp_path: pathlib.Path, megabytes: int) -> None:
    """A large request and a large answer. Winsock takes a large message in parts, which gRPC 1.51
    does not expect."""
    model = onnx_models.everyday(tmp_path / "everyday.onnx")
    server = start_server("--model", model, "--memory-budget", "80000", "--max-batch", "500")
    mesh = grid(300, 334)  # 1.2 MB of vertices, 1.8 MB of triangles
    plain = {"apply_smoothing": False, "clamp_extreme_values": False}
    names = ["aa", "ou", "E"]
    expected = {}
    for name in names:
        edges = np.concatenate([mesh.vertices[:50], mesh.vertices[-50:]])
        small = request(Mesh(edges, mesh.triangles[:0]), condition(name), **plain)
        expected[name] = np.asarray(server.predict(small).offsets, np.float32).reshape(-1, 3)

    own = request(mesh, **plain).ByteSize()
    with_meshes = [
        request(mesh, condition(names[i % 3]), **plain)
        for i in range(megabytes * 10**6 // own + 1)
    ]
    without = [
        request(None, condition(names[i % 3]), **plain)
        for i in range(megabytes * 10**6 // (12 * mesh.count) + 1)
    ]
    for asked in (batch(with_meshes), batch(without, mesh)):
        answer = server.batch(asked, timeout=300)
        assert answer.all_successful
        assert max(asked.ByteSize(), answer.ByteSize()) > megabytes * 10**6
        for item, response in zip(asked.requests, answer.responses):
            np.testing.assert_allclose(
                edges_of(response), expected[item.condition.name], rtol=0, atol=1e-6
            )


def test_names_that_no_code_page_has(
    installed: pathlib.Path, tmp_path: pathlib.Path, start_server: StartServer
) -> None:
    """As arguments, in a call, and in what is said when a file is missing."""
    folder = tmp_path / FOLDER
    onnx_models.everyday(folder / "モデル.onnx")
    server = start_server("--model", folder / "モデル.onnx", "--model-root", folder)
    assert server.predict(request(grid())).success
    assert server.load(folder / "モデル.onnx", "again").success
    missing = run_to_end("--port", "0", "--model", str(folder / "ない.onnx"))
    assert missing.returncode == 5
    assert "ない.onnx" in missing.stderr


def test_unix_sockets_are_refused() -> None:
    done = run_to_end("--no-model", "--socket", "/tmp/blendwire/server.sock")
    assert done.returncode == NOT_LOOPBACK
    assert "no unix sockets on this system; use --host and --port" in done.stderr


def test_library_as_ctypes_loads_it(installed: pathlib.Path, start_server: StartServer) -> None:
    """Its private server gives the answers that a grpcio client gets from a server of the same kind."""
    program = load_library(installed, "predict")
    output, errors = program.communicate(timeout=3 * START_SECONDS)
    assert program.returncode == 0, errors
    rows = {line.split()[0]: [float(x) for x in line.split()[1:]] for line in output.splitlines()}
    assert set(rows) == {"single", "aa", "ou", "E"}
    assert rows["single"] == pytest.approx(rows["aa"], abs=1e-6)

    server = start_server()
    vertices = [0.0, -0.05, 0.0, 0.03, -0.04, 0.01, 0.0, -0.06, 0.04, -0.03, -0.04, -0.02]
    for name in ("aa", "ou", "E"):
        answer = server.predict(
            pb.VertexOffsetRequest(
                vertices=vertices, vertex_count=4, condition=condition(name),
                options=pb.PredictionOptions(
                    apply_smoothing=True, smoothing_iterations=2, max_displacement=0.08,
                    clamp_extreme_values=True,
                ),
            )
        )  # fmt: skip
        assert rows[name] == pytest.approx(list(answer.offsets), abs=1e-5)
        assert max(map(abs, rows[name])) > 0


def test_server_ends_with_the_program_that_started_it(installed: pathlib.Path) -> None:
    """Although that is killed and has no time to say so."""
    program = load_library(installed, "wait")
    assert program.stdout is not None and program.stderr is not None
    line = program.stdout.readline()
    assert line, program.stderr.read()
    address, token = line.split()
    with grpc.insecure_channel(address, options=CHANNEL_OPTIONS) as channel:
        health = rpc.InferenceServiceStub(channel).HealthCheck(
            pb.HealthCheckRequest(), metadata=[("authorization", f"Bearer {token}")], timeout=60
        )
        assert health.status == pb.HealthCheckResponse.SERVING
    program.send_signal(signal.SIGKILL)
    program.communicate()

    def gone() -> bool:
        host, port = address.rsplit(":", 1)
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) != 0

    wait_until(gone, 20, "nobody listens any more")


def test_missing_runtime_library_says_what_to_install(installed: pathlib.Path) -> None:
    """ONNX Runtime needs Microsoft's C++ runtime, which a fresh Windows does not have."""
    without = environment({"BLENDWIRE_TEST_WITHOUT_DLL": "msvcp140"})
    program = load_library(installed, "predict", env=without)
    _, errors = program.communicate(timeout=3 * START_SECONDS)
    assert program.returncode == 1
    assert "Microsoft Visual C++ Redistributable" in errors
    assert "0xC0000135" in errors


def test_command(installed: pathlib.Path) -> None:
    """blendwire.exe reads and writes files there, with a server that it starts itself."""
    head = REPOSITORY / "assets" / "demo_head.glb"
    shutil.copy(head, installed / "頭.glb")
    program = launch(
        installed / "blendwire.exe", "generate", installed / "頭.glb", "--set", "visemes",
        "--output", installed / "結果.glb",
    )  # fmt: skip
    output, errors = program.communicate(timeout=3 * START_SECONDS)
    assert program.returncode == 0, output + errors
    written = (installed / "結果.glb").read_bytes()
    assert written[:4] == b"glTF"
    assert b"vrc.v_aa" in written and len(written) > head.stat().st_size


def test_sdk(tmp_path: pathlib.Path) -> None:
    """The C example, built as its readers would build it, with the SDK archive alone."""
    (archive,) = REPOSITORY.glob("dist/windows-x64/blendwire-*-sdk-windows-x64.zip")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path)
    (sdk,) = tmp_path.iterdir()
    build = tmp_path / "build"
    toolchain = REPOSITORY / "cmake" / "toolchains" / "windows-x64.cmake"
    run = functools.partial(subprocess.run, check=True, stdout=subprocess.DEVNULL)
    run(["cmake", "-G", "Ninja", "-S", REPOSITORY / "examples" / "c", "-B", build,
         f"-DCMAKE_TOOLCHAIN_FILE={toolchain}", f"-Dblendwire_DIR={sdk}/lib/cmake/blendwire"])  # fmt: skip
    run(["cmake", "--build", build])
    shutil.copy(build / "predict.exe", sdk / "bin")
    program = launch(sdk / "bin" / "predict.exe", sdk / "bin" / "blendwire-server.exe")
    output, errors = program.communicate(timeout=3 * START_SECONDS)
    assert program.returncode == 0, errors
    rows = np.array([[float(x) for x in line.split()] for line in output.splitlines()])
    assert rows.shape == (4, 3) and np.isfinite(rows).all()
