# SPDX-License-Identifier: Apache-2.0
"""The two servers of the chaos run: one that the driver starts itself, and one under the manager of
the client library."""

from __future__ import annotations

import abc
import contextlib
import os
import pathlib
import signal
import time
from typing import Any

import grpc
from harness.server import CALL_SECONDS, Server, program, wait_until
from harness.stubs import pb, rpc

import blendwire

FLAGS = ("--workers", "4", "--queue", "64", "--grace", "3", "--log-level", "ERROR")


class Victim(abc.ABC):
    """A server that is killed, stopped and drained again and again."""

    name: str

    def __init__(self, models: pathlib.Path) -> None:
        self.models = models
        self.kills = self.drains = self.stops = self.crashes = 0
        self.down: list[float] = []  # seconds from a kill until the next one serves with its models
        self.drain_seconds: list[float] = []  # for a drain, and until the next one serves
        self.to_serving: list[float] = []  # seconds from a kill until the next one says it serves
        self.complaints: list[str] = []
        self._flags = ["--model", str(models / "everyday.onnx"), "--model-root", str(models), *FLAGS]

    @property
    @abc.abstractmethod
    def pid(self) -> int: ...

    @property
    @abc.abstractmethod
    def address(self) -> str: ...

    @property
    @abc.abstractmethod
    def token(self) -> str: ...

    @abc.abstractmethod
    def death(self) -> str:
        """Why it does not run; empty while it runs."""

    @abc.abstractmethod
    def _start(self) -> None:
        """Returns when it says that it serves."""

    @abc.abstractmethod
    def _drain(self) -> None:
        """Ends it as its users would; complains if it does not end properly."""

    def start(self) -> None:
        self._start()
        self._load_slow()

    def kill(self) -> None:
        """kill -9, and another one at once."""
        self.kills += 1
        began = time.monotonic()
        os.kill(self.pid, signal.SIGKILL)
        while not self.death():
            time.sleep(0.001)
        self._start()
        self.to_serving.append(time.monotonic() - began)
        self._load_slow()
        self.down.append(time.monotonic() - began)

    def drain(self) -> None:
        self.drains += 1
        began = time.monotonic()
        self._drain()
        self.start()
        self.drain_seconds.append(time.monotonic() - began)

    def notice_crash(self) -> bool:
        """Whether it has died by itself; then it is started again."""
        reason = self.death()
        if not reason:
            return False
        self.crashes += 1
        self.complaints.append(f"{self.name} ended by itself: {reason}")
        self.start()
        return True

    def call(self, method: str, request: Any) -> Any:
        """Past the proxy."""
        with grpc.insecure_channel(self.address) as channel:
            metadata = [("authorization", f"Bearer {self.token}")] if self.token else []
            stub = getattr(rpc.InferenceServiceStub(channel), method)
            return stub(request, timeout=CALL_SECONDS, metadata=metadata, wait_for_ready=True)

    def _load_slow(self) -> None:
        path = str(self.models / "slow.onnx")
        self.call("LoadModel", pb.LoadModelRequest(model_path=path, model_name="slow"))

    def await_idle(self) -> None:
        """Nothing that a client left behind may go on."""

        def idle() -> bool:
            stats = self.call("GetPerformanceStats", pb.PerformanceStatsRequest())
            return bool(stats.in_flight_requests + stats.queued_requests == 0)

        try:
            wait_until(idle, 15, f"{self.name} becomes idle")
        except AssertionError as failure:
            self.complaints.append(str(failure))

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))


class OwnServer(Victim):
    """Started by the driver."""

    name = "own"

    @property
    def pid(self) -> int:
        return self._server.pid

    @property
    def address(self) -> str:
        return self._server.address

    @property
    def token(self) -> str:
        return ""

    def death(self) -> str:
        return "" if self._server.running() else f"{self._server.process.returncode} {self._server.log()}"

    def _start(self) -> None:
        self._server = Server(*self._flags)

    def _drain(self) -> None:
        self._server.ask_to_end()
        try:
            code = self._server.await_end()
            if code != 0:
                self.complaints.append(f"own: exit code {code} after a drain: {self._server.log()}")
        except Exception as failure:  # noqa: BLE001 - whatever it is, the run goes on and fails at its end
            self.complaints.append(f"own: {failure}")
            self._server.kill()

    def end(self) -> None:
        """For good."""
        self._drain()


class ManagedVictim(Victim):
    """Started, and started again, by blendwire.ManagedServer."""

    name = "managed"

    def __init__(self, models: pathlib.Path) -> None:
        super().__init__(models)
        self._server: blendwire.ManagedServer | None = None

    @property
    def server(self) -> blendwire.ManagedServer:
        assert self._server is not None
        return self._server

    @property
    def pid(self) -> int:
        return self.server.pid

    @property
    def address(self) -> str:
        return self.server.address

    @property
    def token(self) -> str:
        return self.server.token

    def death(self) -> str:
        try:
            self.server.check()
        except blendwire.BlendwireError as error:
            return str(error)
        return ""

    def _start(self) -> None:
        if self._server is None:
            self._server = blendwire.ManagedServer.start(
                program(), self._flags, max_crashes=1_000_000
            )
        else:
            self._server.restart()

    def _drain(self) -> None:
        try:
            self.server.stop(grace=10.0)
        except blendwire.BlendwireError as error:
            self.complaints.append(f"managed: {error}")

    def end(self) -> None:
        """For good."""
        with contextlib.suppress(blendwire.BlendwireError):
            self.server.check()
            self._drain()
