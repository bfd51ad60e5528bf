# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts, watches and ends the server; never waits.

    STOPPED -> STARTING -> RUNNING -> (CRASHED | STOPPING -> STOPPED)

A private server is a child process that cannot outlive Blender. With an address in the preferences
no process is started; STARTING then means that the first answer is awaited.
"""

from __future__ import annotations

import dataclasses
import enum
import pathlib
import re
import time
from collections.abc import Callable
from typing import Any, Protocol

from .messages import Message, from_call_error


class State(enum.Enum):
    """What the server is doing."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    CRASHED = "crashed"


@dataclasses.dataclass(frozen=True)
class ServerSettings:
    """From the preferences.

    Attributes:
        address: Of a server that is not ours; empty for a private one.
        program: The server's file; empty for the one that came with the add-on.
        model: A model file, or the folder of one; empty for the default model.
        device: "auto", "cpu", "cuda", ...
        log_level: "INFO", ...
        log_file: Where its log is appended.
    """

    address: str = ""
    program: str = ""
    model: str = ""
    device: str = "auto"
    log_level: str = "INFO"
    log_file: str = ""


@dataclasses.dataclass(frozen=True)
class ServerInfo:
    """What a running server said of itself."""

    version: str
    model_version: str
    device: str


class Backend(Protocol):
    """The client package, or a fake of it in tests."""

    def submit_start(self, settings: ServerSettings) -> Any:
        """A job whose result is a server: check(), client(), submit_stop()."""

    def connect(self, address: str) -> Any:
        """A client: submit_health(), submit_batch()."""

    def is_error(self, error: Exception) -> bool:
        """Whether the exception is one of the client's own, with `code` and `message`."""


class ServerCare:
    """One server; tick() is called a few times each second."""

    MAX_CRASHES = 3
    CRASH_WINDOW = 120.0  # seconds
    HEALTH_INTERVAL = 10.0  # seconds, for a server that is not ours
    FIRST_ANSWER = 10.0  # seconds

    def __init__(self, backend: Backend, clock: Callable[[], float] = time.monotonic) -> None:
        self._backend = backend
        self._clock = clock
        self._crashes: list[float] = []
        self._last_reason = ""
        self._settings = ServerSettings()
        self._server: Any = None
        self._job: Any = None  # start or stop
        self._health: Any = None
        self._next_health = 0.0
        self.state = State.STOPPED
        self.client: Any = None
        self.info: ServerInfo | None = None
        self.message: Message | None = None

    @property
    def address(self) -> str:
        """Of a server that is not ours."""
        return self._settings.address

    @property
    def private(self) -> bool:
        """Whether the server is a child of Blender's."""
        return not self._settings.address

    @property
    def pid(self) -> int:
        """The private server's process id; 0 if there is none."""
        return int(self._server.pid) if self._server is not None else 0

    @property
    def broken(self) -> bool:
        """Whether it crashed too often to be started without the user's word."""
        now = self._clock()
        self._crashes = [t for t in self._crashes if now - t < self.CRASH_WINDOW]
        return len(self._crashes) >= self.MAX_CRASHES

    # ---- commands ----

    def start(self, settings: ServerSettings) -> bool:
        """Starts it if it does not run; False if it crashed too often."""
        if self.state in (State.STARTING, State.RUNNING):
            return True
        if self.broken:
            self._crashed(self._too_many_crashes(), count=False)
            return False
        self._settings = settings
        self.message = None
        self.info = None
        try:
            if settings.address:
                self.client = self._backend.connect(settings.address)
                self._ask_health(retry=True)
            else:
                self._job = self._backend.submit_start(settings)
        except Exception as error:
            self._failed_to_start(error)
            return False
        self.state = State.STARTING
        return True

    def restart(self, settings: ServerSettings) -> bool:
        """As the user's button: forgets earlier crashes."""
        self.drop()
        self._crashes.clear()
        return self.start(settings)

    def stop(self) -> None:
        """Lets it finish what it does and end."""
        server, self._server = self._server, None
        if server is not None and self.state == State.RUNNING:
            self._job = server.submit_stop()
            self.state = State.STOPPING
            self._forget_calls()
            self._server = server  # until the job is done
            return
        self.drop()

    def drop(self) -> None:
        """Ends it at once; for the add-on's removal and Blender's end."""
        if self._job is not None:
            self._job.cancel()
        self._job = None
        self._forget_calls()
        self._server = None  # the last reference: closes its standard input, which ends it
        self.message = None
        self.state = State.STOPPED

    # ---- watching ----

    def tick(self) -> None:
        """Takes note of what has happened meanwhile."""
        if self.state == State.STARTING:
            self._tick_starting()
        elif self.state == State.STOPPING:
            if self._job is None or self._job.poll():
                self._job = None
                self._server = None
                self.state = State.STOPPED
        elif self.state == State.RUNNING:
            self._tick_running()

    def _tick_starting(self) -> None:
        if self._job is not None:
            if not self._job.poll():
                return
            job, self._job = self._job, None
            try:
                self._server = job.result()
                self.client = self._server.client()
                self._ask_health(retry=True)
            except Exception as error:
                self._failed_to_start(error)
            return
        if self._health is None or not self._health.poll():
            return
        job, self._health = self._health, None
        try:
            health = job.result()
        except Exception as error:
            if self.private:
                self._failed_to_start(error)
            else:
                self._crashed(self._explain(error), count=False)
            return
        if not health.serving:
            self._crashed(Message("not_serving", {"reason": health.message}), count=False)
            return
        self._remember(health)
        self.state = State.RUNNING
        self._next_health = self._clock() + self.HEALTH_INTERVAL

    def _tick_running(self) -> None:
        if self._server is not None:
            try:
                self._server.check()
            except Exception as error:
                self._crashed(Message("crashed", {"reason": _reason(error)}))
            return
        if self._health is not None:
            if self._health.poll():
                job, self._health = self._health, None
                try:
                    self._remember(job.result())
                except Exception as error:
                    self._crashed(self._explain(error), count=False)
            return
        if self._clock() >= self._next_health:
            self._next_health = self._clock() + self.HEALTH_INTERVAL
            self._ask_health(retry=False)

    # ---- steps ----

    def _ask_health(self, *, retry: bool) -> None:
        timeout = self.FIRST_ANSWER if retry else 3.0
        self._health = self.client.submit_health(timeout, 0 if retry else 1)

    def _remember(self, health: Any) -> None:
        self.info = ServerInfo(
            health.version, health.model_version, readable_device(health.device_info)
        )

    def _explain(self, error: Exception) -> Message:
        if self._backend.is_error(error):
            return from_call_error(error, self._settings.address)
        return Message("internal", {"reason": str(error)})

    def _failed_to_start(self, error: Exception) -> None:
        self._crashed(Message("start_failed", {"reason": _reason(error)}))

    def _too_many_crashes(self) -> Message:
        params = {"count": len(self._crashes), "reason": self._last_reason}
        return Message("too_many_crashes", params)

    def _crashed(self, message: Message, count: bool = True) -> None:
        if count:
            self._last_reason = message.params["reason"]
            self._crashes.append(self._clock())
            if self.broken:
                message = self._too_many_crashes()
        self._job = None
        self._server = None
        self._forget_calls()
        self.message = message
        self.state = State.CRASHED

    def _forget_calls(self) -> None:
        self._health = None
        self.client = None
        self.info = None


def model_file(path: str) -> str:
    """The model of a folder: its default.onnx, or the only one there is. Files stay as they are.

    Raises:
        ValueError: The folder has none, or several.
    """
    folder = pathlib.Path(path)
    if not folder.is_dir():
        return path
    found = sorted(folder.glob("*.onnx"))
    chosen = [file for file in found if file.name == "default.onnx"] or found
    if len(chosen) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise ValueError(
            f"the model folder {path} should hold one .onnx file or a default.onnx; found: {names}"
        )
    return str(chosen[0])


def readable_device(text: str) -> str:
    """The server's description of its device without ONNX Runtime's own terms: "CPU: a processor,
    2 threads (CPUExecutionProvider)" says nothing in brackets that is not said before."""
    return re.sub(r"\((\w+)ExecutionProvider\)", r"(\1)", text).removesuffix(" (CPU)")


def _reason(error: Exception) -> str:
    """Without the last lines of the log, for which the panel has a button but no room."""
    text = str(getattr(error, "message", error)).split("\nThe last lines of its log:")[0]
    return text.removeprefix("the server ended with ")
