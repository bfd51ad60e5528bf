# SPDX-License-Identifier: Apache-2.0
"""A server of one's own: started by this program, for this program, gone with this program."""

from __future__ import annotations

import ctypes as c
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import _read
from . import _structs as s
from ._library import (
    bundled_server,
    check,
    library,
    new_struct,
    string_array,
    text,
)
from .client import Client
from .errors import BlendwireError
from .job import Job

if TYPE_CHECKING:
    from types import TracebackType


class ManagedServer:
    """A private blendwire-server. Made by start() or submit_start().

        with blendwire.ManagedServer.start() as server, server.client() as client:
            ...

    It gets a secret token over its standard input and a free port, and cannot outlive this program,
    however this program ends. Thread-safe.
    """

    def __init__(self, handle: c.c_void_p) -> None:
        self._handle = handle
        self._free = library().blendwire_server_free

    def __enter__(self) -> ManagedServer:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        except BlendwireError:
            if exc is None:
                raise

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._free(self._handle)

    @classmethod
    def start(
        cls,
        program: str | os.PathLike[str] | None = None,
        arguments: Sequence[str] = (),
        *,
        environment: Mapping[str, str | None] | None = None,
        log_file: str | os.PathLike[str] | None = None,
        start_timeout: float = 60.0,
        max_crashes: int = 3,
        crash_window: float = 60.0,
    ) -> ManagedServer:
        """Starts a server and returns when it serves.

        Args:
            program: The server's file. Without it: what the environment variable BLENDWIRE_SERVER
                names, else the one that came with this package.
            arguments: E.g. ["--model", "face.onnx", "--workers", "2"].
            environment: Variables to set, or with None to remove, for the server.
            log_file: Where its log is appended; without it log() has the last lines.
            start_timeout: Seconds until it must serve, loading the model included.
            max_crashes: restart() refuses after this many crashes ...
            crash_window: ... within this many seconds.

        Raises:
            BlendwireError: What happened, what to do, and the last lines of the server's log.
        """
        return cls.submit_start(
            program,
            arguments,
            environment=environment,
            log_file=log_file,
            start_timeout=start_timeout,
            max_crashes=max_crashes,
            crash_window=crash_window,
        ).result()

    @classmethod
    def submit_start(
        cls,
        program: str | os.PathLike[str] | None = None,
        arguments: Sequence[str] = (),
        *,
        environment: Mapping[str, str | None] | None = None,
        log_file: str | os.PathLike[str] | None = None,
        start_timeout: float = 60.0,
        max_crashes: int = 3,
        crash_window: float = 60.0,
    ) -> Job[ManagedServer]:
        """As start(), in the background; a cancelled start leaves no process behind."""
        options = new_struct(s.ServerOptions, "server_options")
        if program is None and not os.environ.get("BLENDWIRE_SERVER"):
            program = bundled_server()
        options.program = None if program is None else os.fspath(program).encode()
        options.log_file = None if log_file is None else os.fspath(log_file).encode()
        options.start_timeout_ms = round(start_timeout * 1000)
        options.max_crashes = max_crashes
        options.crash_window_ms = round(crash_window * 1000)
        given = string_array(list(arguments))
        if given is not None:
            options.arguments = c.cast(given, c.POINTER(c.c_char_p))
            options.argument_count = len(given)
        entries = string_array(
            [k if v is None else f"{k}={v}" for k, v in (environment or {}).items()]
        )
        if entries is not None:
            options.environment = c.cast(entries, c.POINTER(c.c_char_p))
            options.environment_count = len(entries)
        job = c.c_void_p()
        check(library().blendwire_submit_server_start(c.byref(options), c.byref(job)))
        return Job(job, cls._take)

    @classmethod
    def _take(cls, job: c.c_void_p) -> ManagedServer:
        handle = c.c_void_p()
        check(library().blendwire_job_take_server(job, c.byref(handle)))
        return cls(handle)

    def restart(self) -> None:
        """Stops the server if it runs and starts it again. Address and token change: make a new
        client. Refused with FailedPreconditionError after too many crashes."""
        self.submit_restart().result()

    def submit_restart(self) -> Job[None]:
        """As restart(), in the background."""
        job = c.c_void_p()
        check(library().blendwire_submit_server_restart(self._handle, c.byref(job)))
        return Job(job, _read.read_nothing)

    def stop(self, grace: float = 5.0) -> None:
        """Lets the server finish its work and exit; kills it after `grace` seconds.

        Raises:
            BlendwireError: It had to be killed, or had ended by itself before.
        """
        self.submit_stop(grace).result()

    def submit_stop(self, grace: float = 5.0) -> Job[None]:
        """As stop(), in the background; it cannot be cancelled."""
        job = c.c_void_p()
        milliseconds = round(grace * 1000)
        check(library().blendwire_submit_server_stop(self._handle, milliseconds, c.byref(job)))
        return Job(job, _read.read_nothing)

    def check(self) -> None:
        """Raises why the server does not run, if it does not. Never waits."""
        check(library().blendwire_server_check(self._handle))

    @property
    def running(self) -> bool:
        """Whether the server runs now."""
        return bool(library().blendwire_server_check(self._handle) == 0)

    @property
    def address(self) -> str:
        """Where it serves, as of its last start."""
        return self._text("address")

    @property
    def token(self) -> str:
        """What it demands with every call."""
        return self._text("token")

    @property
    def version(self) -> str:
        """The server's version, e.g. "0.1.0"."""
        return self._text("version")

    @property
    def pid(self) -> int:
        """Its process id."""
        return int(library().blendwire_server_pid(self._handle))

    def log(self) -> list[str]:
        """The last lines of the server's log, at most 100; empty when they go to a file."""
        return self._text("log").splitlines()

    def client(self, **options: Any) -> Client:
        """A client of this server; takes what Client takes, but address and token."""
        return Client(self.address, token=self.token, **options)

    def _text(self, what: str) -> str:
        function = getattr(library(), f"blendwire_server_{what}")
        size = 1024
        while True:
            buffer = c.create_string_buffer(size)
            needed = function(self._handle, buffer, size)
            if needed < size:
                return text(buffer.value)
            size = needed + 1024  # the log may have grown meanwhile
