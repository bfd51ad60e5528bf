# SPDX-License-Identifier: Apache-2.0
"""Real servers for the tests.

Every process that a test starts, and every child of it, carries this session's mark in its
environment; `leftovers()` finds those that are still there when they should not be.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import select
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import grpc

from harness.stubs import health_rpc, pb, reflection_rpc, rpc

MARK_NAME = "BLENDWIRE_TEST_MARK"
MARK = uuid.uuid4().hex

# Generous: the machine that runs the tests may be busy with something else.
START_SECONDS = 60.0
CALL_SECONDS = 60.0

CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
]


# BLENDWIRE_LAUNCHER names a program that runs programs for Windows here: tests/windows/launch. Then
# the server under test is one, and asked to end by Ctrl-C, since it knows no SIGTERM.
LAUNCHER = os.environ.get("BLENDWIRE_LAUNCHER")
END_SIGNAL = signal.SIGINT if LAUNCHER else signal.SIGTERM


def program() -> pathlib.Path:
    """The server under test."""
    name = "blendwire-server.exe" if LAUNCHER else "blendwire-server"
    path = pathlib.Path(os.environ["BLENDWIRE_BIN"]) / name
    assert path.is_file(), f"{path} is missing: build the target blendwire_server_main"
    return path.resolve()


def command() -> list[str]:
    """What starts it."""
    return [LAUNCHER, str(program())] if LAUNCHER else [str(program())]


def path_for_server(path: str | os.PathLike[str]) -> str:
    """An absolute path of this system as the server's system has it."""
    text = os.fspath(path)
    return "Z:" + text.replace("/", "\\") if LAUNCHER and text.startswith("/") else text


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's, with the mark and without anything that could bend connections."""
    result = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    result[MARK_NAME] = MARK
    result.update(extra or {})
    return result


def run_to_end(
    *arguments: str | os.PathLike[str], stdin: str = "", seconds: float = START_SECONDS
) -> subprocess.CompletedProcess[str]:
    """Runs the server with arguments with which it should end by itself."""
    return subprocess.run(
        [*command(), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=seconds,
        env=environment(),
        check=False,
    )


def leftovers() -> list[int]:
    """Processes of this session that run although nobody should need them any more."""
    wanted = f"{MARK_NAME}={MARK}".encode()
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            marked = wanted in (entry / "environ").read_bytes().split(b"\0")
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            if LAUNCHER and (entry / "cmdline").read_bytes().startswith(b"C:\\windows\\system32\\"):
                continue  # Wine's own: the first program that asks for a desktop starts it
        except OSError:
            continue
        if marked and state != "Z" and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


class Server:
    """One server process and a channel to it. Log and standard output are kept."""

    def __init__(
        self,
        *arguments: str | os.PathLike[str],
        token: str | None = None,
        managed: bool = False,
        env: Mapping[str, str] | None = None,
        port: int | None = 0,
    ) -> None:
        """`port` None: the arguments say where to listen. `managed` sends the token on stdin."""
        self.token = token
        self._log = tempfile.TemporaryFile(prefix="blendwire-log-")
        where = [] if port is None or managed else ["--port", str(port)]
        self.process = subprocess.Popen(
            [*command(), *where, *(["--managed"] if managed else []), *arguments],
            stdin=subprocess.PIPE if managed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment(env),
        )
        self.ended_as_expected = False
        self.channel: grpc.Channel | None = None
        try:
            if managed:
                assert self.process.stdin is not None and token is not None
                self.process.stdin.write(token.encode() + b"\n")
                self.process.stdin.flush()
            self.first_line = self._read_line()
            self.handshake: dict[str, Any] = json.loads(self.first_line) if managed else {}
            self.address = self._find_address(managed, arguments)
            self.connect()
        except BaseException:
            self.kill()
            raise

    def _read_line(self) -> str:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        line = self.process.stdout.readline().decode() if ready else ""
        if not line:
            self.process.wait(START_SECONDS) if ready else self.kill()
            raise RuntimeError(f"no server: exit code {self.process.returncode}\n{self.log()}")
        return line

    def _find_address(self, managed: bool, arguments: Sequence[Any]) -> str:
        if managed:
            return str(self.handshake["address"])
        if match := re.search(r"Server running on port (\d+)", self.first_line):
            host = next((str(b) for a, b in zip(arguments, arguments[1:]) if a == "--host"), "127.0.0.1")
            host = host.strip("[]")
            return f"[{host}]:{match[1]}" if ":" in host else f"{host}:{match[1]}"
        match = re.search(r"Server running on (unix:\S+?)\. ", self.first_line)
        assert match is not None, self.first_line
        return match[1]

    @property
    def port(self) -> int:
        return int(self.address.rsplit(":", 1)[1])

    @property
    def pid(self) -> int:
        return self.process.pid

    def new_channel(self, options: Sequence[tuple[str, Any]] = ()) -> grpc.Channel:
        """A connection of its own."""
        return grpc.insecure_channel(self.address, options=[*CHANNEL_OPTIONS, *options])

    def connect(self) -> None:
        if self.channel is not None:
            self.channel.close()
        self.channel = self.new_channel()
        self.stub = rpc.InferenceServiceStub(self.channel)
        self.health = health_rpc.HealthStub(self.channel)
        self.reflection = reflection_rpc.ServerReflectionStub(self.channel)

    @property
    def metadata(self) -> list[tuple[str, str]]:
        return [] if self.token is None else [("authorization", f"Bearer {self.token}")]

    def predict(self, request: Any, **more: Any) -> Any:
        """PredictVertexOffsets with a patience that ends."""
        more.setdefault("timeout", CALL_SECONDS)
        more.setdefault("metadata", self.metadata)
        return self.stub.PredictVertexOffsets(request, **more)

    def batch(self, request: Any, **more: Any) -> Any:
        more.setdefault("timeout", CALL_SECONDS)
        more.setdefault("metadata", self.metadata)
        return self.stub.PredictBatch(request, **more)

    def stats(self, reset: bool = False) -> Any:
        return self.stub.GetPerformanceStats(
            pb.PerformanceStatsRequest(reset_stats=reset), timeout=CALL_SECONDS, metadata=self.metadata
        )

    def load(self, path: str | os.PathLike[str], name: str = "", **options: str) -> Any:
        request = pb.LoadModelRequest(
            model_path=path_for_server(path), model_name=name, options=options
        )
        return self.stub.LoadModel(request, timeout=CALL_SECONDS, metadata=self.metadata)

    def unload(self, name: str = "") -> Any:
        request = pb.UnloadModelRequest(model_name=name)
        return self.stub.UnloadModel(request, timeout=CALL_SECONDS, metadata=self.metadata)

    def models(self) -> dict[str, Any]:
        """ListModels, by name."""
        answer = self.stub.ListModels(
            pb.ListModelsRequest(), timeout=CALL_SECONDS, metadata=self.metadata
        )
        return {model.name: model for model in answer.models}

    def log(self) -> str:
        """Everything on standard error so far."""
        self._log.seek(0)
        text = self._log.read().decode(errors="replace")
        # ONNX Runtime's own, since Wine without a display has no graphics to be asked for.
        return text.replace("Failed to create DXGI factory.\n", "") if LAUNCHER else text

    def resident_mib(self) -> float:
        """As the system counts it, not as the server says."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError(f"no resident memory of {self.pid}")

    def running(self) -> bool:
        return self.process.poll() is None

    def ask_to_end(self) -> None:
        """What Ctrl+C and service managers do; returns at once."""
        self.process.send_signal(END_SIGNAL)

    def await_end(self, seconds: float = 30.0) -> int:
        """The exit code of a server that was asked to end, or is about to for another reason."""
        code = self.process.wait(seconds)
        self.ended_as_expected = True
        return code

    def stop(self) -> None:
        """At the end of a test: the server must still be there, and must end properly."""
        if self.channel is not None:
            self.channel.close()
        if self.ended_as_expected:
            return
        if not self.running():
            raise AssertionError(f"the server died: {self.process.returncode}\n{self.log()[-4000:]}")
        self.ask_to_end()
        try:
            code = self.await_end()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not end on {END_SIGNAL.name}\n{self.log()[-4000:]}") from None
        assert code == 0, f"exit code {code}\n{self.log()[-4000:]}"

    def kill(self) -> None:
        if self.running():
            self.process.kill()
            self.process.wait()


def wait_until(condition: Any, seconds: float, what: str) -> float:
    """Polls until `condition()` is true; the seconds it took."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.005)
    return time.monotonic() - start


def slowdown() -> float:
    """How much slower than an idle machine this one is just now: 1, or more if other processes hold
    the processors. For tests of times that are promised on an idle machine."""
    began, used = time.monotonic(), time.process_time()
    while time.process_time() - used < 0.1:
        pass
    return max(1.0, (time.monotonic() - began) / 0.1)
