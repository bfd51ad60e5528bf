# SPDX-License-Identifier: Apache-2.0
"""The client for asyncio."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .client import Client
from .errors import BlendwireError
from .job import Job

if TYPE_CHECKING:
    from types import TracebackType

    from .types import BatchItem, FloatArray, ItemResult, ModelInfo, PredictionOptions, ServerHealth

T = TypeVar("T")

# A job is looked at after this many seconds, then after ever longer pauses, up to the last.
_FIRST_PAUSE = 0.0005
_LAST_PAUSE = 0.01


async def wait_for(job: Job[T]) -> T:
    """Awaits a job's result; the job is cancelled with the task that awaits it."""
    pause = _FIRST_PAUSE
    try:
        while not job.poll():
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LAST_PAUSE)
    except asyncio.CancelledError:
        job.cancel()
        raise
    return job.result()


class AsyncClient:
    """Client with awaitable calls, for asyncio. It starts no thread: the event loop polls.

        async with blendwire.AsyncClient("127.0.0.1:50051") as client:
            offsets = await client.predict_vertex_offsets(vertices, "viseme", "aa")

    Takes what Client takes; a task that is cancelled cancels its call on the server, too.
    """

    def __init__(self, server_address: str = "localhost:50051", *args: Any, **kwargs: Any) -> None:
        self.client = Client(server_address, *args, **kwargs)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.client.disconnect()

    def disconnect(self) -> None:
        """As Client.disconnect()."""
        self.client.disconnect()

    async def test_connection(self) -> bool:
        """As Client.test_connection()."""
        try:
            return (await wait_for(self.client.submit_health(max_attempts=1))).serving
        except BlendwireError:
            return False

    async def health(self, timeout: float | None = 5.0) -> ServerHealth:
        """As Client.health()."""
        return await wait_for(self.client.submit_health(timeout))

    async def predict_vertex_offsets(
        self,
        vertices: Any,
        expression_type: str,
        expression_name: str,
        intensity: float = 1.0,
        options: PredictionOptions | None = None,
        **kwargs: Any,
    ) -> FloatArray:
        """As Client.predict_vertex_offsets()."""
        job = self.client.submit(
            vertices, expression_type, expression_name, intensity, options, **kwargs
        )
        return (await wait_for(job)).offsets

    # The specification's name for it.
    predict_vertex_offsets_async = predict_vertex_offsets

    async def predict_batch(
        self, requests: Sequence[BatchItem], max_parallel: int = 4, **kwargs: Any
    ) -> list[FloatArray | BlendwireError]:
        """As Client.predict_batch(), without its progress_callback: predict_stream() has more."""
        job = self.client.submit_batch(requests, max_parallel, **kwargs)
        return [
            item if isinstance(item, BlendwireError) else item.offsets
            for item in await wait_for(job)
        ]

    async def predict_stream(
        self, requests: Sequence[BatchItem], max_parallel: int = 4, **kwargs: Any
    ) -> AsyncIterator[tuple[int, ItemResult]]:
        """Yields each item of a batch as soon as it is finished: its position, and its result.

        Leaving the loop early cancels what is left.
        """
        job = self.client.submit_batch(requests, max_parallel, **kwargs)
        pause = _FIRST_PAUSE
        try:
            while True:
                done = job.poll()  # before the items are taken: none can come after it
                for index, item in job.new_items():
                    pause = _FIRST_PAUSE
                    yield index, item
                if done:
                    break
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, _LAST_PAUSE)
        finally:
            job.cancel()
        error = job.exception()
        if error is not None:
            raise error

    async def get_performance_stats(self, reset_stats: bool = False) -> dict[str, Any]:
        """As Client.get_performance_stats()."""
        return await wait_for(self.client.submit_performance_stats(reset_stats))

    async def load_model(
        self,
        path: str | os.PathLike[str],
        name: str = "",
        options: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
    ) -> str:
        """As Client.load_model()."""
        return await wait_for(self.client.submit_load_model(path, name, options, timeout=timeout))

    async def unload_model(self, name: str = "", *, timeout: float | None = None) -> None:
        """As Client.unload_model()."""
        await wait_for(self.client.submit_unload_model(name, timeout=timeout))

    async def list_models(self, *, timeout: float | None = None) -> list[ModelInfo]:
        """As Client.list_models()."""
        return await wait_for(self.client.submit_list_models(timeout=timeout))
