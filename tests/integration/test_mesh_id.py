# SPDX-License-Identifier: Apache-2.0
"""A mesh that was sent once is named by the id of its answer: same numbers, clear errors, no leaks."""

from __future__ import annotations

from typing import Any

import grpc
import numpy as np
import pytest
from harness import meshes
from harness.meshes import condition, grid, offsets_of, request
from harness.server import CALL_SECONDS, Server
from harness.stubs import pb

MESH = grid(9, 7)
SMOOTHED = {"apply_smoothing": True, "smoothing_iterations": 3, "clamp_extreme_values": True}


def named(mesh_id: bytes, name: str = "aa", **options: Any) -> Any:
    message = request(None, condition(name), **options)
    message.mesh_id = mesh_id
    return message


def large_mesh(count: int, seed: int = 0) -> meshes.Mesh:
    """With a triangle, so that no neighbours have to be looked for."""
    points = meshes.points_only(count, seed=seed).vertices
    return meshes.Mesh(points, np.array([[0, 1, 2]], np.uint32))


def refused(server: Server, message: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        server.predict(message)
    return caught.value.code(), caught.value.details() or ""


@pytest.mark.parametrize("model", ["", "normals", "strong"])
def test_the_name_gives_what_the_mesh_gives(server: Server, model: str) -> None:
    whole = request(MESH, condition("oh"), model, **SMOOTHED)
    expected = server.predict(whole)
    assert len(expected.mesh_id) == 16
    message = named(expected.mesh_id, "oh", **SMOOTHED)
    message.model_name = model
    for count in (0, len(MESH.vertices)):
        message.vertex_count = count
        answer = server.predict(message)
        assert answer.mesh_id == expected.mesh_id
        assert np.array_equal(offsets_of(answer), offsets_of(expected))
        assert answer.metadata.quality == expected.metadata.quality
        assert answer.metadata.vertices_processed == len(MESH.vertices)
    assert server.predict(whole).mesh_id == expected.mesh_id


def test_in_batches_and_streams(server: Server) -> None:
    names = ["aa", "oh", "ou"]
    items = [request(None, condition(name)) for name in names]
    expected = server.batch(meshes.batch(items, MESH))
    mesh_id = expected.responses[0].mesh_id
    message = pb.BatchPredictionRequest(requests=items, mesh_id=mesh_id)
    answers = list(server.batch(message).responses)
    updates = sorted(server.stub.PredictStream(message, timeout=CALL_SECONDS), key=lambda u: u.index)
    for one, item, update in zip(expected.responses, answers, updates, strict=True):
        assert item.success and update.response.success
        assert np.array_equal(offsets_of(item), offsets_of(one))
        assert np.array_equal(offsets_of(update.response), offsets_of(one))
        assert item.mesh_id == update.response.mesh_id == mesh_id
    # One item names its own; the others use the batch's.
    other = server.predict(request(grid(4, 4), condition("aa")))
    mixed = [named(other.mesh_id), request(None, condition("aa"))]
    answer = server.batch(meshes.batch(mixed, MESH))
    assert np.array_equal(offsets_of(answer.responses[0]), offsets_of(other))
    assert np.array_equal(offsets_of(answer.responses[1]), offsets_of(expected.responses[0]))


def test_what_names_no_mesh(server: Server) -> None:
    known = server.predict(request(MESH, condition("aa"))).mesh_id
    for mesh_id in (b"x", b"\0" * 16, known[:-1], known + b"\0", b"y" * 100_000):
        code, details = refused(server, named(mesh_id))
        assert code == grpc.StatusCode.NOT_FOUND
        assert "mesh_id" in details and "send vertices" in details
    batch = pb.BatchPredictionRequest(requests=[request(None, condition("aa"))] * 3, mesh_id=b"x")
    for call in (server.stub.PredictBatch, lambda *a, **k: list(server.stub.PredictStream(*a, **k))):
        with pytest.raises(grpc.RpcError) as caught:
            call(batch, timeout=CALL_SECONDS)
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    # An item's own name fails that item only.
    answer = server.batch(meshes.batch([named(b"x"), request(None, condition("aa"))], MESH))
    assert answer.responses[0].status_code == grpc.StatusCode.NOT_FOUND.value[0]
    assert answer.responses[1].success


def test_a_name_and_a_mesh_contradict_each_other(server: Server) -> None:
    known = server.predict(request(MESH, condition("aa"))).mesh_id
    both = request(MESH, condition("aa"))
    both.mesh_id = known
    code, details = refused(server, both)
    assert code == grpc.StatusCode.INVALID_ARGUMENT and "mesh_id" in details
    count = named(known)
    count.vertex_count = 5
    code, details = refused(server, count)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "vertex_count is 5" in details and str(len(MESH.vertices)) in details
    batch = meshes.batch([request(None, condition("aa"))], MESH)
    batch.mesh_id = known
    item = server.batch(batch).responses[0]
    assert item.status_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert "mesh_id" in item.error_message


def test_the_oldest_is_forgotten(server: Server) -> None:
    first = server.predict(request(MESH, condition("aa"))).mesh_id
    for seed in range(10):  # of which about five fit
        last = server.predict(request(large_mesh(150_000, seed), condition("aa"))).mesh_id
    assert refused(server, named(first))[0] == grpc.StatusCode.NOT_FOUND
    assert server.predict(named(last)).success
