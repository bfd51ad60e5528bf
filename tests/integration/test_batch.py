# SPDX-License-Identifier: Apache-2.0
"""PredictBatch: order, items that fail alone, the shared mesh, equality with single calls."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import pytest

from harness import meshes, reference
from harness.meshes import condition, grid, offsets_of, request
from harness.server import CALL_SECONDS, Server, wait_until
from harness.stubs import pb

EMOTION = pb.ExpressionCondition.EMOTION
MESH = grid()
OTHER_MESH = meshes.tube_with_seam()
VISEMES = reference.expression_names("viseme")


def expressions() -> list[Any]:
    """22 that differ."""
    emotions = reference.expression_names("emotion")
    return [condition(name, 0.9) for name in VISEMES] + [
        condition(name, 0.6, EMOTION) for name in emotions
    ]


def assert_same(item: Any, single: Any) -> None:
    assert item.success and item.status_code == 0 and item.error_message == ""
    np.testing.assert_allclose(offsets_of(item), offsets_of(single), rtol=0, atol=1e-5)
    ours, theirs = item.metadata.quality, single.metadata.quality
    assert ours.max_displacement == pytest.approx(theirs.max_displacement, abs=1e-5)
    assert ours.smoothness_score == pytest.approx(theirs.smoothness_score, abs=1e-4)
    assert item.metadata.model_version == single.metadata.model_version
    assert item.metadata.vertices_processed == single.metadata.vertices_processed


# The model's limits decide how a batch is cut: any number in a run, 3, 1, 1 without metadata.
@pytest.mark.parametrize("model", ["", "three", "bare", "normals"])
@pytest.mark.parametrize("max_parallel", [0, 1, 2, 1000])
def test_same_as_singles(server: Server, model: str, max_parallel: int) -> None:
    wanted = expressions()
    answer = server.batch(
        meshes.batch([request(None, one, model) for one in wanted], MESH, max_parallel)
    )
    assert answer.all_successful and len(answer.responses) == len(wanted)
    assert answer.total_processing_time_ms > 0
    for one, item in zip(wanted, answer.responses, strict=True):
        assert_same(item, server.predict(request(MESH, one, model)))
    different = {tuple(item.offsets) for item in answer.responses}
    assert len(different) == len(wanted), "no two expressions are the same"


def test_options_are_each_items_own(server: Server) -> None:
    """Although they share a run of the model."""
    options: list[dict[str, Any]] = [
        {},
        {"apply_smoothing": True},
        {"clamp_extreme_values": True, "max_displacement": 0.01},
        {"apply_smoothing": True, "smoothing_iterations": 9, "clamp_extreme_values": True},
    ]
    answer = server.batch(meshes.batch([request(None, None, "strong", **o) for o in options], MESH))
    assert answer.all_successful
    for o, item in zip(options, answer.responses, strict=True):
        assert_same(item, server.predict(request(MESH, None, "strong", **o)))
    lengths = [item.metadata.quality.max_displacement for item in answer.responses]
    assert lengths[2] <= 0.01 + 1e-6 < lengths[0]


def test_own_meshes_beside_the_shared_one(server: Server) -> None:
    """And models that differ, in one batch."""
    wanted = [
        (None, "", "aa"), (OTHER_MESH, "", "aa"), (None, "other", "oh"), (OTHER_MESH, "other", "E"),
        (meshes.one_vertex(), "three", "aa"), (None, "slots", "aa"), (meshes.points_only(50), "", "nn"),
    ]  # fmt: skip
    answer = server.batch(
        meshes.batch([request(own, condition(name), model) for own, model, name in wanted], MESH)
    )
    assert answer.all_successful
    for (own, model, name), item in zip(wanted, answer.responses, strict=True):
        single = server.predict(request(own or MESH, condition(name), model))
        assert_same(item, single)
        assert item.metadata.vertices_processed == (own or MESH).count
        assert item.metadata.model_name == (model or "default")


def test_equal_meshes_share_a_run(server: Server) -> None:
    """Sent again and again, as a client of the specification has to: same answers, few runs."""
    wanted = expressions()
    server.stats(reset=True)
    answer = server.batch(meshes.batch([request(MESH, one) for one in wanted]))
    assert answer.all_successful
    for one, item in zip(wanted, answer.responses, strict=True):
        assert_same(item, server.predict(request(MESH, one)))
    # What a run costs is told in equal parts, so items of one run have one and the same time.
    assert len({item.metadata.inference_time_ms for item in answer.responses}) == 1


def test_bad_items_fail_alone(server: Server) -> None:
    bad = {
        1: (request(None, condition("nobody")), grpc.StatusCode.INVALID_ARGUMENT, "condition.name"),
        3: (request(None, None, "missing"), grpc.StatusCode.NOT_FOUND, '"missing"'),
        4: (request(meshes.points_only(3), None, "fixed"), grpc.StatusCode.INVALID_ARGUMENT, "99"),
        6: (request(None, condition(intensity=0.9), "nan"), grpc.StatusCode.INTERNAL, "NaN"),
        8: (
            pb.VertexOffsetRequest(vertices=[1.0, 2.0], vertex_count=1, condition=condition()),
            grpc.StatusCode.INVALID_ARGUMENT,
            "vertices has 2 values",
        ),
    }
    items = [bad[i][0] if i in bad else request(None, condition(VISEMES[i])) for i in range(10)]
    server.stats(reset=True)
    answer = server.batch(meshes.batch(items, MESH))
    assert not answer.all_successful
    for i, item in enumerate(answer.responses):
        assert item.success == (i not in bad)
        if i in bad:
            _, code, text = bad[i]
            assert item.status_code == code.value[0]
            assert text in item.error_message
            assert len(item.offsets) == 0
        else:
            assert_same(item, server.predict(request(MESH, condition(VISEMES[i]))))
    stats = server.stats()
    assert stats.failed_requests == 5
    assert stats.successful_requests == 5 + 5


def test_nan_spares_its_neighbours_in_the_run(server: Server) -> None:
    """The model makes NaN for one row of conditions; the rows beside it are fine."""
    items = [request(None, condition(intensity=i), "nan") for i in (0.2, 0.9, 0.4)]
    answer = server.batch(meshes.batch(items, MESH))
    assert [item.success for item in answer.responses] == [True, False, True]
    for i in (0, 2):
        assert_same(answer.responses[i], server.predict(request(MESH, items[i].condition, "nan")))


def test_all_items_bad(server: Server) -> None:
    answer = server.batch(meshes.batch([request(None, condition("x"))] * 3, MESH))
    assert not answer.all_successful
    assert [item.success for item in answer.responses] == [False] * 3


def test_bad_shared_mesh(server: Server) -> None:
    """Fails the items that use it, not those that have their own."""
    made = meshes.batch([request(None), request(OTHER_MESH)], MESH)
    made.vertices[5] = float("nan")
    answer = server.batch(made)
    assert [item.success for item in answer.responses] == [False, True]
    assert "vertices[5] is nan" in answer.responses[0].error_message


def test_no_mesh_anywhere(server: Server) -> None:
    answer = server.batch(meshes.batch([request(None)]))
    assert "vertices is empty" in answer.responses[0].error_message


def test_item_that_counts_otherwise(server: Server) -> None:
    item = request(None)
    item.vertex_count = 98
    answer = server.batch(meshes.batch([item], MESH))
    assert "vertex_count is 98" in answer.responses[0].error_message
    item.vertex_count = 99
    assert server.batch(meshes.batch([item], MESH)).all_successful


def test_item_with_triangles_but_no_vertices(server: Server) -> None:
    item = request(None)
    item.topology.triangles.extend([0, 1, 2])
    answer = server.batch(meshes.batch([item], MESH))
    assert answer.responses[0].status_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert "no vertices of its own" in answer.responses[0].error_message


def test_empty_batch(server: Server) -> None:
    answer = server.batch(pb.BatchPredictionRequest())
    assert answer.all_successful
    assert len(answer.responses) == 0


def slow_items(count: int) -> list[Any]:
    return [request(None, condition(intensity=0.002), "slow") for _ in range(count)]


@pytest.mark.parametrize(("asked", "beside_each_other"), [(1, 1), (2, 2), (0, 3), (50, 3)])
def test_max_parallel(
    start_server: Callable[..., Server], models: pathlib.Path, asked: int, beside_each_other: int
) -> None:
    """Never more runs than asked for or than there are workers; and that many really are."""
    server = start_server(
        "--model", models / "everyday.onnx", "--model-root", models, "--workers", "3"
    )
    server.load(models / "slow.onnx", "slow")
    call = server.stub.PredictBatch.future(
        meshes.batch(slow_items(12), MESH, asked), timeout=CALL_SECONDS
    )
    most = 0

    def done() -> bool:
        nonlocal most
        most = max(most, server.stats().in_flight_requests)
        return call.done()

    wait_until(done, CALL_SECONDS, "the batch is done")
    assert call.result().all_successful
    assert most == beside_each_other


def test_answer_over_the_message_limit(server: Server) -> None:
    """Told before any work is done, and PredictStream is named as the way."""
    mesh = meshes.points_only(60_000)
    items = [request(None) for _ in range(150)]  # 108 MB of offsets
    with pytest.raises(grpc.RpcError) as caught:
        server.batch(
            pb.BatchPredictionRequest(
                requests=items, vertices=mesh.vertices.ravel(), vertex_count=mesh.count
            )
        )
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "use PredictStream, or send fewer items at a time" in caught.value.details()


def test_deadline_fails_the_call(server: Server) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        items = [request(None, condition(intensity=1.0), "slow")] * 4
        server.batch(meshes.batch(items, MESH), timeout=0.5)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
