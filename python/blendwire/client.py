# SPDX-License-Identifier: Apache-2.0
"""The client of a Blendwire server."""

from __future__ import annotations

import ctypes as c
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from . import _read
from . import _structs as s
from ._library import check, library, new_struct, string_array
from ._requests import RequestBuilder, call_options
from .errors import BlendwireError, InvalidArgumentError
from .job import BatchJob, Job
from .types import BatchItem, ModelInfo, Prediction, PredictionOptions, ServerHealth

if TYPE_CHECKING:
    from types import TracebackType

    from .types import FloatArray

T = TypeVar("T")

# The specification's time limit for health checks and statistics, seconds.
_SHORT_TIMEOUT = 5.0


class _Connection:
    """Owns the C library's client; goes with the last call that uses it."""

    def __init__(self, options: Any) -> None:
        handle = c.c_void_p()
        check(library().blendwire_client_create(c.byref(options), c.byref(handle)))
        self.handle = handle
        self._free = library().blendwire_client_free

    def __del__(self) -> None:
        if getattr(self, "handle", None):
            self._free(self.handle)


class Client:
    """Talks to a server; thread-safe.

        with blendwire.Client("127.0.0.1:50051") as client:
            offsets = client.predict_vertex_offsets(vertices, "viseme", "aa", triangles=triangles)

    Nothing is opened before the first call. A lost connection is opened again by the next call,
    also after the server was restarted on the same address; calls that find no server are tried
    again for up to 10 s. Every failure is a BlendwireError with the server's code and message.

    Args:
        server_address: "127.0.0.1:50051", "localhost:50051", "[::1]:50051" or "unix:/path". Only
            this machine.
        timeout: Seconds for one call, tries included; a batch has it for each of its items.
        token: Sent with every call; servers started with --managed demand it.
        channels: Separate connections, opened when calls overlap.
        max_message_bytes: Limit for one message, both ways.
        retry_attempts: Tries of a call that finds no server; 1 switches retries off.
    """

    def __init__(
        self,
        server_address: str = "localhost:50051",
        timeout: float = 30.0,
        *,
        token: str = "",
        channels: int = 3,
        max_message_bytes: int = 100 * 1024 * 1024,
        retry_attempts: int = 6,
    ) -> None:
        self.server_address = server_address
        self.timeout = timeout
        self._options = new_struct(s.ClientOptions, "client_options")
        self._options.address = server_address.encode()
        self._options.token = token.encode()
        self._options.timeout_ms = round(timeout * 1000)
        self._options.channels = channels
        self._options.max_message_bytes = max_message_bytes
        self._options.retry_max_attempts = retry_attempts
        # Wrong options show here, not at the first call.
        self._connection: _Connection | None = _Connection(self._options)

    # ---- the connection ----

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.disconnect()

    def connect(self) -> bool:
        """Whether a server answers and is ready; see ensure_connected()."""
        return self.ensure_connected()

    def disconnect(self) -> None:
        """Ends running calls with CancelledError and closes the connections. The next call opens
        them again."""
        self._connection = None

    def test_connection(self) -> bool:
        """Whether the server answers and is ready now; asked once, not tried again."""
        return self._is_serving(max_attempts=1)

    def ensure_connected(self) -> bool:
        """Whether the server answers and is ready, within 5 s and several tries."""
        return self._is_serving(max_attempts=0)

    def _is_serving(self, max_attempts: int) -> bool:
        try:
            return self.submit_health(_SHORT_TIMEOUT, max_attempts).result().serving
        except BlendwireError:
            return False

    def _handle(self) -> _Connection:
        connection = self._connection
        if connection is None:
            connection = self._connection = _Connection(self._options)
        return connection

    def _submit(
        self,
        name: str,
        arguments: Sequence[Any],
        call: Any,
        read: Callable[[c.c_void_p], T],
        keep: Any = None,
    ) -> Job[T]:
        job = c.c_void_p()
        connection = self._handle()  # held until the call has started
        submit = getattr(library(), f"blendwire_submit_{name}")
        check(submit(connection.handle, *arguments, call, c.byref(job)))
        return Job(job, read, keep)

    # ---- predictions ----

    def predict_vertex_offsets(
        self,
        vertices: Any,
        expression_type: str,
        expression_name: str,
        intensity: float = 1.0,
        options: PredictionOptions | None = None,
        *,
        triangles: Any = None,
        model: str = "",
        features: Sequence[float] | None = None,
        parameters: Mapping[str, float] | None = None,
        out: FloatArray | None = None,
        timeout: float | None = None,
        request_id: str = "",
    ) -> FloatArray:
        """Predicts how far each vertex moves for an expression.

        Args:
            vertices: Positions [N,3], metres, Z up, facing -Y. Float32 rows are used in place.
            expression_type: "viseme", "emotion" or "custom".
            expression_name: "aa", "vrc.v_aa", "Joy", ...; for "custom" an ARKit unit or free text.
            intensity: 0 to 1.
            options: apply_smoothing (True), smoothing_iterations (2), max_displacement (0.08 m),
                clamp_extreme_values (True), timeout_seconds (30).
            triangles: Vertex indices [T,3]. Without them the server smooths over nearest
                neighbours, which glues touching lips together.
            model: Which loaded model; empty means "default".
            features: For "custom": the raw condition vector, instead of parameters.
            parameters: For "custom": weights of ARKit units, e.g. {"jawOpen": 0.4}.
            out: Float32 [N,3] to write into; a new array without it.
            timeout: Seconds for this call, instead of the client's own.
            request_id: Found in the server's log; printable ASCII.

        Returns:
            Offsets [N,3], float32, metres, in the order of the vertices; `out` if it was given.

        Raises:
            BlendwireError: What the server, or the client, reports.
        """
        job = self.submit(
            vertices,
            expression_type,
            expression_name,
            intensity,
            options,
            triangles=triangles,
            model=model,
            features=features,
            parameters=parameters,
            out=out,
            timeout=timeout,
            request_id=request_id,
        )
        return job.result().offsets

    def submit(
        self,
        vertices: Any,
        expression_type: str,
        expression_name: str,
        intensity: float = 1.0,
        options: PredictionOptions | None = None,
        *,
        triangles: Any = None,
        model: str = "",
        features: Sequence[float] | None = None,
        parameters: Mapping[str, float] | None = None,
        out: FloatArray | None = None,
        timeout: float | None = None,
        request_id: str = "",
    ) -> Job[Prediction]:
        """As predict_vertex_offsets(), in the background; the result has the metadata, too.

        The vertices may change as soon as this returns; `out` must be left alone until the job is
        done.
        """
        builder = RequestBuilder()
        item: BatchItem = {
            "expression_type": expression_type,
            "expression_name": expression_name,
            "intensity": intensity,
            "options": options,
            "model": model,
            "features": features,
            "parameters": parameters,
            "out": out,
        }
        request, offsets = builder.predict(vertices, triangles, item)
        return self._submit(
            "predict",
            [c.byref(request)],
            call_options(timeout, request_id),
            lambda job: _read.read_prediction(job, offsets),
            offsets,
        )

    def predict_batch(
        self,
        requests: Sequence[BatchItem],
        max_parallel: int = 4,
        progress_callback: Callable[[float, str], object] | None = None,
        *,
        vertices: Any = None,
        triangles: Any = None,
        timeout: float | None = None,
        request_id: str = "",
    ) -> list[FloatArray | BlendwireError]:
        """Predicts several expressions, best over one mesh, which is then sent once.

        Args:
            requests: Dictionaries with expression_name, and as they are needed vertices, triangles,
                expression_type, intensity, options, model, features, parameters, out.
            max_parallel: How many the server may run side by side; 0: as many as it has workers.
            progress_callback: Called on this thread with progress from 0 to 1 and a text. If it
                raises, the batch is cancelled and the exception goes on.
            vertices: The mesh of every request that brings none, [N,3].
            triangles: Its triangles, [T,3].
            timeout: Seconds for the whole call; the client's own for each request otherwise.
            request_id: Found in the server's log; printable ASCII.

        Returns:
            In the order of the requests: offsets [N,3], or the BlendwireError of one that failed.
            One bad request does not fail the others.

        Raises:
            BlendwireError: The call as a whole failed.
        """
        job = self.submit_batch(
            requests,
            max_parallel,
            vertices=vertices,
            triangles=triangles,
            timeout=timeout,
            request_id=request_id,
        )
        if progress_callback is not None:
            _report_progress(job, progress_callback)
        return [item if isinstance(item, BlendwireError) else item.offsets for item in job.result()]

    def submit_batch(
        self,
        requests: Sequence[BatchItem],
        max_parallel: int = 4,
        *,
        vertices: Any = None,
        triangles: Any = None,
        timeout: float | None = None,
        request_id: str = "",
    ) -> BatchJob:
        """As predict_batch(), in the background; items can be taken as they finish."""
        if max_parallel < 0:
            raise InvalidArgumentError(f"max_parallel is {max_parallel}, but must be 0 or more")
        builder = RequestBuilder()
        batch, outputs = builder.batch(requests, vertices, triangles, max_parallel)
        handle = c.c_void_p()
        connection = self._handle()
        check(
            library().blendwire_submit_batch(
                connection.handle,
                c.byref(batch),
                call_options(timeout, request_id),
                c.byref(handle),
            )
        )
        return BatchJob(handle, outputs)

    # ---- the server ----

    def health(self, timeout: float | None = _SHORT_TIMEOUT) -> ServerHealth:
        """What the server is, and whether it is ready."""
        return self.submit_health(timeout).result()

    def submit_health(
        self, timeout: float | None = _SHORT_TIMEOUT, max_attempts: int = 0
    ) -> Job[ServerHealth]:
        """As health(), in the background; max_attempts 1 asks once, without trying again."""
        call = call_options(timeout, max_attempts=max_attempts)
        return self._submit("health", [], call, _read.read_health)

    def get_performance_stats(self, reset_stats: bool = False) -> dict[str, Any]:
        """The server's statistics since its start or the last reset.

        Keys: those of the specification (total_requests, avg_inference_time_ms, ...,
        resource_usage), latency summaries (total_time, queue_time, preprocessing_time,
        inference_time, postprocessing_time: count, mean_ms, p50_ms, p95_ms, p99_ms, max_ms),
        rejected_requests, cancelled_requests, deadline_exceeded_requests, in_flight_requests,
        queued_requests, and models.
        """
        return self.submit_performance_stats(reset_stats).result()

    def submit_performance_stats(self, reset_stats: bool = False) -> Job[dict[str, Any]]:
        """As get_performance_stats(), in the background."""
        call = call_options(_SHORT_TIMEOUT)
        return self._submit("stats", [int(reset_stats)], call, _read.read_stats)

    def load_model(
        self,
        path: str | os.PathLike[str],
        name: str = "",
        options: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
    ) -> str:
        """Loads a model file under a name ("default" if empty); returns the model's version.

        The path is one on the server's machine, inside one of its --model-root folders. Options:
        "device", "threads", "warmup", "sha256". A failed load leaves what was loaded as it is.
        """
        return self.submit_load_model(path, name, options, timeout=timeout).result()

    def submit_load_model(
        self,
        path: str | os.PathLike[str],
        name: str = "",
        options: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
    ) -> Job[str]:
        """As load_model(), in the background."""
        request = new_struct(s.LoadRequest, "load_request")
        request.path = os.fspath(path).encode()
        request.name = name.encode()
        given = dict(options or {})
        names, values = string_array(list(given)), string_array(list(given.values()))
        if given:
            request.option_names = c.cast(names, c.POINTER(c.c_char_p))
            request.option_values = c.cast(values, c.POINTER(c.c_char_p))
            request.option_count = len(given)
        return self._submit(
            "load_model", [c.byref(request)], call_options(timeout), _read.read_loaded_version
        )

    def unload_model(self, name: str = "", *, timeout: float | None = None) -> None:
        """Takes a model out of service ("default" if the name is empty)."""
        self.submit_unload_model(name, timeout=timeout).result()

    def submit_unload_model(self, name: str = "", *, timeout: float | None = None) -> Job[None]:
        """As unload_model(), in the background."""
        call = call_options(timeout)
        return self._submit("unload_model", [name.encode()], call, _read.read_nothing)

    def list_models(self, *, timeout: float | None = None) -> list[ModelInfo]:
        """What is loaded, its version, and which expressions it knows."""
        return self.submit_list_models(timeout=timeout).result()

    def submit_list_models(self, *, timeout: float | None = None) -> Job[list[ModelInfo]]:
        """As list_models(), in the background."""
        return self._submit("list_models", [], call_options(timeout), _read.read_models)


def _report_progress(job: BatchJob, callback: Callable[[float, str], object]) -> None:
    callback(0.0, "Starting batch prediction...")
    reported = 0
    done = False
    try:
        while not done:
            done = job.wait(0.02)
            completed = job.completed
            for count in range(reported + 1, completed + 1):
                callback(count / job.total, f"Completed {count}/{job.total}")
            reported = completed
    except BaseException:
        job.cancel()
        raise
    if job.exception() is None:
        callback(1.0, "Batch prediction complete")
