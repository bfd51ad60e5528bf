# SPDX-License-Identifier: Apache-2.0
"""Work in the background, and asyncio."""

from __future__ import annotations

import asyncio
import gc
import signal
import subprocess
import sys
import textwrap
import threading
import time
from typing import Any

import numpy as np
import pytest

import blendwire


class TestJob:
    def test_is_polled(self, client: blendwire.Client, vertices: np.ndarray) -> None:
        job = client.submit(vertices, "viseme", "slow:200", 0.5)
        assert not job.poll()
        assert not job.wait(0.001)
        assert job.exception() is None
        with pytest.raises(blendwire.DeadlineExceededError, match=r"0\.001 s"):
            job.result(0.001)
        while not job.poll():
            time.sleep(0.005)
        np.testing.assert_array_equal(job.result().offsets, vertices * 0.5)
        assert repr(job) == "<Job 'done'>"

    def test_the_vertices_may_change_at_once(self, client: blendwire.Client) -> None:
        vertices = np.ones((4, 3), np.float32)
        job = client.submit(vertices, "viseme", "slow:50")
        vertices[:] = 7
        np.testing.assert_array_equal(job.result().offsets, 1)

    def test_starts_no_thread(self, client: blendwire.Client, vertices: np.ndarray) -> None:
        before = threading.active_count()
        job = client.submit(vertices, "viseme", "slow:50")
        assert threading.active_count() == before
        job.result()

    def test_is_cancelled(self, client: blendwire.Client, vertices: np.ndarray) -> None:
        job = client.submit(vertices, "viseme", "slow:20000")
        job.cancel()
        assert job.wait(5)
        assert isinstance(job.exception(), blendwire.CancelledError)
        with pytest.raises(blendwire.CancelledError):
            job.result()

    @pytest.mark.parametrize("batch", [False, True])
    def test_a_dropped_one_ends_at_once(
        self, client: blendwire.Client, vertices: np.ndarray, batch: bool
    ) -> None:
        gc.disable()  # no cycle may keep it
        try:
            before = time.monotonic()
            out = np.full((5, 3), -1, np.float32)
            if batch:
                job: Any = client.submit_batch(
                    [{"expression_name": "slow:20000", "out": out}], vertices=vertices
                )
            else:
                job = client.submit(vertices, "viseme", "slow:20000", out=out)
            del job
            assert time.monotonic() - before < 5
            assert sys.getrefcount(out) == 2
        finally:
            gc.enable()

    def test_outlives_its_client(self, server: blendwire.ManagedServer, vertices: Any) -> None:
        job = server.client().submit(vertices, "viseme", "slow:20000")
        assert job.wait(5)
        assert isinstance(job.exception(), blendwire.CancelledError)

    def test_ctrl_c_ends_a_wait(self, client: blendwire.Client, vertices: np.ndarray) -> None:
        job = client.submit(vertices, "viseme", "slow:20000")
        threading.Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()
        before = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            job.wait()
        assert time.monotonic() - before < 5

    def test_many_leak_nothing(self, client: blendwire.Client) -> None:
        resource = pytest.importorskip("resource")
        vertices = np.ones((2000, 3), np.float32)

        def submit_many(count: int) -> int:
            for i in range(count):
                job = client.submit(vertices, "viseme", "aa")
                if i % 2:
                    job.result()
            return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

        before = submit_many(500)
        # 24 KB in each would be 48 MB.
        assert submit_many(2000) - before < 16_000


class TestBatchJob:
    def test_items_are_taken_as_they_finish(
        self, client: blendwire.Client, vertices: np.ndarray
    ) -> None:
        names = ["slow:300", "bad", "aa"]  # the fake server answers from the last to the first
        job = client.submit_batch([{"expression_name": n} for n in names], vertices=vertices)
        taken: list[tuple[int, Any]] = []
        seen_progress = set()
        while not job.poll():
            taken += job.new_items()
            seen_progress.add(job.completed)
            time.sleep(0.002)
        taken += job.new_items()
        assert [index for index, _ in taken] == [2, 1, 0]
        np.testing.assert_array_equal(taken[0][1].offsets, vertices)
        assert isinstance(taken[1][1], blendwire.InvalidArgumentError)
        assert 2 in seen_progress
        assert (job.completed, job.total, job.progress) == (3, 3, 1.0)
        assert job.result()[2].offsets is taken[0][1].offsets

    def test_a_cancelled_one_keeps_what_was_finished(
        self, client: blendwire.Client, vertices: np.ndarray
    ) -> None:
        job = client.submit_batch(
            [{"expression_name": n} for n in ("slow:20000", "aa")], vertices=vertices
        )
        while job.completed < 1:
            time.sleep(0.002)
        job.cancel()
        assert job.wait(5)
        items = dict(job.new_items())
        np.testing.assert_array_equal(items[1].offsets, vertices)
        assert isinstance(job.exception(), blendwire.CancelledError)


class TestAsync:
    def test_calls(self, server: blendwire.ManagedServer, vertices: np.ndarray) -> None:
        async def main() -> None:
            async with blendwire.AsyncClient(server.address, token=server.token) as client:
                assert await client.test_connection()
                assert (await client.health()).serving
                assert (await client.get_performance_stats())["total_requests"] == 100
                assert [m.name for m in await client.list_models()] == ["default", "second"]
                assert await client.load_model("a.onnx") == "2.0"
                await client.unload_model()
                offsets = await client.predict_vertex_offsets_async(vertices, "viseme", "aa", 0.5)
                np.testing.assert_array_equal(offsets, vertices * 0.5)
                results = await client.predict_batch(
                    [{"expression_name": n} for n in ("aa", "bad")], vertices=vertices
                )
                np.testing.assert_array_equal(results[0], vertices)
                assert isinstance(results[1], blendwire.InvalidArgumentError)
                with pytest.raises(blendwire.InvalidArgumentError):
                    await client.predict_vertex_offsets(vertices, "viseme", "bad")

        before = threading.active_count()
        asyncio.run(main())
        assert threading.active_count() == before

    def test_calls_overlap(self, server: blendwire.ManagedServer, vertices: np.ndarray) -> None:
        async def main() -> float:
            async with blendwire.AsyncClient(server.address, token=server.token) as client:
                before = time.monotonic()
                await asyncio.gather(
                    *(
                        client.predict_vertex_offsets(vertices, "viseme", "slow:300")
                        for _ in range(6)
                    )
                )
                return time.monotonic() - before

        assert asyncio.run(main()) < 6 * 0.3 / 2

    def test_a_cancelled_task_cancels_its_call(
        self, server: blendwire.ManagedServer, vertices: np.ndarray
    ) -> None:
        async def main() -> None:
            async with blendwire.AsyncClient(server.address, token=server.token) as client:
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(
                        client.predict_vertex_offsets(vertices, "viseme", "slow:20000"), 0.1
                    )

        before = time.monotonic()
        asyncio.run(main())
        assert time.monotonic() - before < 5

    def test_a_stream(self, server: blendwire.ManagedServer, vertices: np.ndarray) -> None:
        async def main() -> list[int]:
            async with blendwire.AsyncClient(server.address, token=server.token) as client:
                requests = [{"expression_name": n} for n in ("slow:20000", "aa", "E")]
                order = []
                async for index, item in client.predict_stream(requests, vertices=vertices):
                    order.append(index)
                    np.testing.assert_array_equal(item.offsets, vertices)
                    if len(order) == 2:
                        break
                return order

        before = time.monotonic()
        assert asyncio.run(main()) == [2, 1]
        assert time.monotonic() - before < 5


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_exit_with_everything_running_is_clean(fake_program: Any) -> None:
    ended = run_python(
        """
        import sys, numpy, blendwire
        server = blendwire.ManagedServer.start(sys.argv[1])
        client = server.client()
        jobs = [client.submit(numpy.ones((9, 3)), "viseme", "slow:20000") for _ in range(8)]
        jobs.append(client.submit_batch([{"expression_name": "slow:20000"}] * 3,
                                        vertices=numpy.ones((9, 3))))
        jobs[0].wait(0.1)
        """,
        str(fake_program),
    )
    assert (ended.returncode, ended.stderr) == (0, "")
