# SPDX-License-Identifier: Apache-2.0
"""Calls that wait, and what they do with arrays."""

from __future__ import annotations

import pathlib
import pickle
import threading
import time
from typing import Any

import numpy as np
import pytest

import blendwire


def echo(client: blendwire.Client, vertices: np.ndarray, **changes: Any) -> str:
    """What arrived at the server."""
    arguments: dict[str, Any] = {"expression_type": "viseme", "expression_name": "aa", **changes}
    return client.submit(vertices, model="echo", **arguments).result().metadata.model_version


class TestPredict:
    def test_fills_a_new_array(self, client: blendwire.Client, vertices: np.ndarray) -> None:
        offsets = client.predict_vertex_offsets(vertices, "viseme", "aa", 0.5)
        assert offsets.dtype == np.float32
        np.testing.assert_array_equal(offsets, vertices * 0.5)

    def test_intensity_is_one_by_default(self, client: blendwire.Client, vertices: Any) -> None:
        np.testing.assert_array_equal(
            client.predict_vertex_offsets(vertices, "viseme", "aa"), vertices
        )

    def test_fills_the_callers_array(self, client: blendwire.Client, vertices: Any) -> None:
        out = np.full((5, 3), -1, dtype=np.float32)
        assert client.predict_vertex_offsets(vertices, "viseme", "aa", 0.5, out=out) is out
        np.testing.assert_array_equal(out, vertices * 0.5)

    def test_rows_with_gaps_are_used_in_place(self, client: blendwire.Client) -> None:
        wide = np.arange(40, dtype=np.float32).reshape(5, 8)
        out = np.full((5, 4), -1, dtype=np.float32)
        client.predict_vertex_offsets(wide[:, 2:5], "viseme", "aa", 0.5, out=out[:, :3])
        np.testing.assert_array_equal(out[:, :3], wide[:, 2:5] * 0.5)
        np.testing.assert_array_equal(out[:, 3], -1)

    @pytest.mark.parametrize(
        "change",
        [
            lambda v: v.astype(np.float64),
            lambda v: v.astype(np.int16),
            lambda v: v.astype(">f4"),
            lambda v: np.asfortranarray(v),
            lambda v: v[::-1][::-1],
            lambda v: v.reshape(-1),
            lambda v: v.tolist(),
        ],
        ids=["float64", "int16", "big-endian", "fortran", "reversed twice", "flat", "list"],
    )
    def test_other_arrays_are_converted(
        self, client: blendwire.Client, vertices: np.ndarray, change: Any
    ) -> None:
        offsets = client.predict_vertex_offsets(change(vertices), "viseme", "aa", 0.5)
        np.testing.assert_array_equal(offsets, vertices * 0.5)

    def test_backward_rows_are_copied(self, client: blendwire.Client, vertices: Any) -> None:
        offsets = client.predict_vertex_offsets(vertices[::-1], "viseme", "aa")
        np.testing.assert_array_equal(offsets, vertices[::-1])

    def test_the_specifications_defaults_arrive(
        self, client: blendwire.Client, vertices: np.ndarray
    ) -> None:
        assert echo(client, vertices) == (
            "type 0 name aa features 0 parameters  triangles 0 options 1 2 0.08 1 30"
        )

    def test_everything_arrives(self, client: blendwire.Client, vertices: np.ndarray) -> None:
        options = {
            "apply_smoothing": False,
            "smoothing_iterations": 5,
            "max_displacement": 0.5,
            "clamp_extreme_values": False,
            "timeout_seconds": 7,
        }
        seen = echo(
            client,
            vertices,
            expression_type="Custom",
            expression_name="mine",
            options=options,
            triangles=np.array([[0, 1, 2], [2, 3, 4]]),
            features=[0.5, 0.25],
            parameters={"jawOpen": 0.25},
        )
        assert seen == (
            "type 2 name mine features 2 parameters jawOpen=0.25, triangles 6 options 0 5 0.5 0 7"
        )

    def test_some_options_leave_the_others(self, client: blendwire.Client, vertices: Any) -> None:
        assert echo(client, vertices, options={"max_displacement": 0.5}).endswith("1 2 0.5 1 30")

    @pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64, np.uint16])
    def test_triangles_of_any_integer(
        self, client: blendwire.Client, vertices: np.ndarray, dtype: Any
    ) -> None:
        triangles = np.array([[0, 1, 2]], dtype=dtype)
        assert "triangles 3 " in echo(client, vertices, triangles=triangles)

    def test_the_metadata_comes_with_a_job(self, client: blendwire.Client, vertices: Any) -> None:
        metadata = client.submit(vertices, "emotion", "Joy").result().metadata
        assert metadata.inference_time_ms == 1.5
        assert metadata.vertices_processed == 5
        assert metadata.execution_provider == "FakeProvider"
        assert metadata.quality.smoothness == 0.75

    def test_a_hundred_thousand_vertices(self, client: blendwire.Client) -> None:
        vertices = np.random.default_rng(1).random((100_000, 3), dtype=np.float32)
        offsets = client.predict_vertex_offsets(vertices, "viseme", "aa", 0.5)
        np.testing.assert_array_equal(offsets, vertices * np.float32(0.5))


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"vertices": np.zeros((4, 2))}, "vertices has shape (4, 2), but must be (N, 3)"),
            ({"vertices": np.zeros((4, 3), dtype="O")}, "vertices has dtype object"),
            ({"expression_type": "noise"}, 'expression_type is "noise"'),
            ({"options": {"smooth": 1}}, 'options has "smooth", but knows only apply_smoothing'),
            ({"triangles": [[0, 1, -2]]}, "triangles has index -2"),
            ({"triangles": [[0.0, 1.0, 2.0]]}, "triangles has dtype float64"),
            ({"out": np.zeros((4, 3))}, "out is float64, but must be a float32 array"),
            ({"out": np.zeros((4, 3), np.float32)}, "out has shape (4, 3)"),
            ({"out": np.zeros((3, 5), np.float32).T}, "out has strides"),
        ],
    )
    def test_what_cannot_be_right_is_named(
        self, client: blendwire.Client, vertices: Any, arguments: dict[str, Any], message: str
    ) -> None:
        call = {
            "vertices": vertices,
            "expression_type": "viseme",
            "expression_name": "aa",
            **arguments,
        }
        with pytest.raises(blendwire.InvalidArgumentError) as caught:
            client.predict_vertex_offsets(**call)
        assert message in caught.value.message

    def test_a_read_only_buffer_is_refused(self, client: blendwire.Client, vertices: Any) -> None:
        out = np.zeros((5, 3), np.float32)
        out.flags.writeable = False
        with pytest.raises(blendwire.InvalidArgumentError, match="read-only"):
            client.predict_vertex_offsets(vertices, "viseme", "aa", out=out)

    def test_the_servers_words_are_handed_on(self, client: blendwire.Client, vertices: Any) -> None:
        with pytest.raises(blendwire.InvalidArgumentError) as caught:
            client.predict_vertex_offsets(vertices, "viseme", "bad")
        assert caught.value.code is blendwire.Code.INVALID_ARGUMENT
        assert str(caught.value) == 'INVALID_ARGUMENT: condition.name is "bad"'
        assert isinstance(caught.value, ValueError)

    def test_a_deadline(self, client: blendwire.Client, vertices: np.ndarray) -> None:
        with pytest.raises(blendwire.DeadlineExceededError) as caught:
            client.predict_vertex_offsets(vertices, "viseme", "slow:20000", timeout=0.1)
        assert isinstance(caught.value, TimeoutError)
        assert "Allow more time" in str(caught.value)

    def test_nobody_there(self, vertices: np.ndarray) -> None:
        client = blendwire.Client("127.0.0.1:1", retry_attempts=1)
        with pytest.raises(blendwire.UnavailableError) as caught:
            client.predict_vertex_offsets(vertices, "viseme", "aa")
        assert isinstance(caught.value, ConnectionError)
        assert caught.value.advice.startswith("Start the server")
        assert client.test_connection() is False

    def test_the_wrong_token(self, server: blendwire.ManagedServer) -> None:
        with pytest.raises(blendwire.UnauthenticatedError, match="token"):
            blendwire.Client(server.address, token="guess").health()

    def test_an_address_elsewhere(self) -> None:
        with pytest.raises(blendwire.InvalidArgumentError, match="not a loopback address"):
            blendwire.Client("192.168.0.2:50051")

    def test_they_can_be_pickled(self) -> None:
        error = pickle.loads(pickle.dumps(blendwire.NotFoundError("no model")))
        assert isinstance(error, blendwire.NotFoundError)
        assert (error.code, error.message) == (blendwire.Code.NOT_FOUND, "no model")


class TestBatch:
    def test_one_mesh_for_all(self, client: blendwire.Client, vertices: np.ndarray) -> None:
        results = client.predict_batch(
            [
                {"expression_name": "aa", "intensity": 1.0},
                {"expression_name": "Joy", "expression_type": "emotion", "intensity": 0.5},
            ],
            vertices=vertices,
        )
        np.testing.assert_array_equal(results[0], vertices)
        np.testing.assert_array_equal(results[1], vertices * 0.5)

    def test_as_the_specification_calls_it(self, client: blendwire.Client, vertices: Any) -> None:
        other = np.ones((2, 3))
        results = client.predict_batch(
            [
                {"vertices": vertices, "expression_type": "viseme", "expression_name": "aa"},
                {"vertices": vertices, "expression_name": "E", "intensity": 0.5},
                {"vertices": other, "expression_name": "oh", "options": {"max_displacement": 1}},
            ],
            max_parallel=2,
        )
        np.testing.assert_array_equal(results[0], vertices)
        np.testing.assert_array_equal(results[1], vertices * 0.5)
        np.testing.assert_array_equal(results[2], other)

    def test_a_bad_item_stands_in_its_place(self, client: blendwire.Client, vertices: Any) -> None:
        results = client.predict_batch(
            [{"expression_name": n} for n in ("aa", "bad", "E")], vertices=vertices
        )
        np.testing.assert_array_equal(results[0], vertices)
        assert isinstance(results[1], blendwire.InvalidArgumentError)
        assert results[1].message == 'condition.name is "bad"'
        np.testing.assert_array_equal(results[2], vertices)

    def test_progress_is_reported_here(self, client: blendwire.Client, vertices: Any) -> None:
        reports: list[tuple[float, str]] = []
        threads = set()

        def report(progress: float, status: str) -> None:
            reports.append((progress, status))
            threads.add(threading.get_ident())

        client.predict_batch(
            [{"expression_name": n} for n in ("aa", "E", "oh", "ou")], 4, report, vertices=vertices
        )
        assert reports == [
            (0.0, "Starting batch prediction..."),
            (0.25, "Completed 1/4"),
            (0.5, "Completed 2/4"),
            (0.75, "Completed 3/4"),
            (1.0, "Completed 4/4"),
            (1.0, "Batch prediction complete"),
        ]
        assert threads == {threading.get_ident()}

    def test_a_callback_that_raises_stops_it(self, client: blendwire.Client, vertices: Any) -> None:
        def stop(progress: float, _: str) -> None:
            if progress > 0:
                raise KeyboardInterrupt

        before = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            client.predict_batch(
                [{"expression_name": "slow:20000"}, {"expression_name": "aa"}],
                progress_callback=stop,
                vertices=vertices,
            )
        assert time.monotonic() - before < 10

    def test_an_empty_batch(self, client: blendwire.Client) -> None:
        assert client.predict_batch([]) == []

    @pytest.mark.parametrize(
        ("request_", "message"),
        [
            ({"expression_name": "aa"}, "requests[1].vertices is missing"),
            ({"vertices": [[0, 0, 0]]}, "requests[1].expression_name is missing"),
            ({"expression_name": "aa", "strength": 1}, 'requests[1] has "strength"'),
            ({"expression_name": "aa", "vertices": [[0]]}, "requests[1].vertices has shape"),
        ],
    )
    def test_what_cannot_be_right_is_named(
        self, client: blendwire.Client, request_: Any, message: str
    ) -> None:
        good = {"expression_name": "aa", "vertices": np.zeros((2, 3))}
        requests = [good, request_]
        if message == "requests[1].vertices is missing":
            requests = [{"expression_name": "aa"}, request_]
            message = "requests[0].vertices is missing"
        with pytest.raises(blendwire.InvalidArgumentError) as caught:
            client.predict_batch(requests)
        assert message in caught.value.message


class TestServerCalls:
    def test_health(self, client: blendwire.Client) -> None:
        health = client.health()
        assert health.serving
        assert (health.version, health.model_version) == ("0.1.0", "1.2")
        assert health.max_concurrent_requests == 4
        assert client.connect() and client.ensure_connected() and client.test_connection()

    def test_stats(self, client: blendwire.Client) -> None:
        stats = client.get_performance_stats()
        assert stats["total_requests"] == 100
        assert stats["resource_usage"]["memory_usage_mb"] == 64.0
        assert stats["inference_time"]["p95_ms"] == pytest.approx(40.3)
        assert stats["models"][0]["model_name"] == "default"
        assert client.get_performance_stats(reset_stats=True)["total_requests"] == 1000

    def test_models(self, client: blendwire.Client) -> None:
        first, second = client.list_models()
        assert first.name == "default"
        assert first.condition_slots == ("viseme:aa", "unit:jawOpen")
        assert first.expressions == ("aa",)
        assert (second.name, second.expressions) == ("second", ())
        assert client.load_model(pathlib.Path("face.onnx"), "x", {"threads": "2"}) == "2.0"
        with pytest.raises(blendwire.BlendwireError, match="Failed to load"):
            client.load_model("face.txt")
        client.unload_model()
        with pytest.raises(blendwire.NotFoundError):
            client.unload_model("missing")

    def test_disconnect_ends_calls_and_the_next_one_connects(
        self, client: blendwire.Client, vertices: np.ndarray
    ) -> None:
        job = client.submit(vertices, "viseme", "slow:20000")
        client.disconnect()
        with pytest.raises(blendwire.CancelledError):
            job.result(5)
        assert client.test_connection()

    def test_many_threads(self, client: blendwire.Client) -> None:
        wrong: list[int] = []

        def work(number: int) -> None:
            vertices = np.full((100, 3), number, dtype=np.float32)
            for _ in range(30):
                offsets = client.predict_vertex_offsets(vertices, "viseme", "aa", 0.5)
                if not np.array_equal(offsets, vertices * 0.5):
                    wrong.append(number)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
