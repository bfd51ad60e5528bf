# SPDX-License-Identifier: Apache-2.0
"""Work in the background.

The C library's own threads do it; nothing of Python runs meanwhile, so this is safe in hosts that
allow no Python threads, such as Blender: poll() the job from a timer.
"""

from __future__ import annotations

import ctypes as c
import functools
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from . import _structs as s
from ._library import PENDING, library, result_struct, text
from .errors import BlendwireError, DeadlineExceededError, make_error
from .types import ItemResult, Prediction, PredictionMetadata, QualityMetrics

if TYPE_CHECKING:
    from .types import FloatArray

T = TypeVar("T")

# A wait is cut into pieces of this length, so that Ctrl-C gets its turn.
_WAIT_PIECE_MS = 50


class Job(Generic[T]):
    """A call that runs in the background. Made by the submit functions.

    A job that is dropped while it runs is cancelled. Its buffers stay alive with it.
    """

    def __init__(
        self, handle: c.c_void_p, read: Callable[[c.c_void_p], T], keep: Any = None
    ) -> None:
        self._handle = handle
        self._free = library().blendwire_job_free
        self._read = read
        self._keep = keep  # buffers that the library writes to
        self._lock = threading.Lock()
        self._code = PENDING
        self._result: T | None = None
        self._error: BlendwireError | None = None

    def poll(self) -> bool:
        """Whether the job is done, however it ended. Never waits."""
        if self._code == PENDING:
            self._settle(library().blendwire_job_poll(self._handle))
        return self._code != PENDING

    @property
    def done(self) -> bool:
        """The same as poll()."""
        return self.poll()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits for the end, `timeout` seconds at the most; whether the job is done."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self.poll():
            piece = _WAIT_PIECE_MS
            if deadline is not None:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                piece = min(piece, max(1, round(left * 1000)))
            self._settle(library().blendwire_job_wait(self._handle, piece))
        return True

    def cancel(self) -> None:
        """Asks the job to end with CancelledError; one that is done stays as it is."""
        library().blendwire_job_cancel(self._handle)

    def result(self, timeout: float | None = None) -> T:
        """Waits for the result, `timeout` seconds at the most, or raises what went wrong.

        Raises:
            DeadlineExceededError: The timeout passed; the job goes on.
            BlendwireError: The job failed.
        """
        if not self.wait(timeout):
            raise DeadlineExceededError(f"the job was not done within {timeout} s")
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]

    def exception(self) -> BlendwireError | None:
        """What went wrong in a job that is done; None if nothing did or it still runs."""
        self.poll()
        return self._error

    def _settle(self, code: int) -> None:
        """Takes note of the end, once, and reads the result."""
        if code == PENDING:
            return
        with self._lock:
            if self._code != PENDING:
                return
            if code != 0:
                self._error = make_error(code, text(library().blendwire_job_message(self._handle)))
            else:
                try:
                    self._result = self._read(self._handle)
                except BlendwireError as error:
                    self._error = error
            self._code = code

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._free(self._handle)

    def __repr__(self) -> str:
        state = "running" if not self.poll() else repr(self._error or "done")
        return f"<{type(self).__name__} {state}>"


class BatchJob(Job["list[ItemResult]"]):
    """A batch in the background; its items can be taken as soon as each is finished.

    result() is a list of ItemResult in the order of the requests.
    """

    def __init__(self, handle: c.c_void_p, outputs: list[FloatArray]) -> None:
        # Not a method of this object: it would keep itself alive.
        super().__init__(handle, functools.partial(_read_items, outputs), outputs)
        self._outputs = outputs

    @property
    def total(self) -> int:
        """How many items the batch has."""
        return len(self._outputs)

    @property
    def completed(self) -> int:
        """How many of them are finished."""
        completed = c.c_size_t()
        library().blendwire_job_progress(self._handle, c.byref(completed), None)
        return completed.value

    @property
    def progress(self) -> float:
        """From 0 to 1."""
        return self.completed / self.total if self.total else 1.0

    def new_items(self) -> Iterator[tuple[int, ItemResult]]:
        """What has finished since the last call: position in the requests, and result."""
        index = c.c_size_t()
        while library().blendwire_job_next_item(self._handle, c.byref(index)):
            yield index.value, _read_item(self._outputs[index.value], self._handle, index.value)


def _read_item(offsets: FloatArray, handle: c.c_void_p, index: int) -> ItemResult:
    info = result_struct(s.PredictionInfo)
    code = library().blendwire_job_item(handle, index, c.byref(info))
    if code != 0:
        return make_error(code, text(library().blendwire_last_error()))
    return Prediction(offsets, read_metadata(info))


def _read_items(outputs: list[FloatArray], handle: c.c_void_p) -> list[ItemResult]:
    return [_read_item(offsets, handle, index) for index, offsets in enumerate(outputs)]


def read_metadata(info: Any) -> PredictionMetadata:
    """From blendwire_prediction_info."""
    return PredictionMetadata(
        queue_time_ms=info.queue_time_ms,
        preprocessing_time_ms=info.preprocessing_time_ms,
        inference_time_ms=info.inference_time_ms,
        postprocessing_time_ms=info.postprocessing_time_ms,
        vertices_processed=info.vertices_processed,
        model_name=text(info.model_name),
        model_version=text(info.model_version),
        execution_provider=text(info.execution_provider),
        quality=QualityMetrics(
            mean_displacement=info.mean_displacement,
            max_displacement=info.max_displacement,
            extreme_vertices=info.extreme_vertices,
            smoothness=info.smoothness,
        ),
    )
