# SPDX-License-Identifier: Apache-2.0
"""The contract's error table: each row is sent over real gRPC, the code and the text that comes back
are checked, and the server goes on serving."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import pytest

from harness import meshes
from harness.meshes import condition, grid, request
from harness.server import CALL_SECONDS, Server
from harness.stubs import SERVICE, pb

INVALID = grpc.StatusCode.INVALID_ARGUMENT
EMOTION = pb.ExpressionCondition.EMOTION
CUSTOM = pb.ExpressionCondition.CUSTOM
MESH = grid()  # 99 vertices


def failure(call: Callable[[], Any]) -> tuple[grpc.StatusCode, str]:
    """Code and text of a call that must fail."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    make: Callable[[], Any]
    code: grpc.StatusCode
    text: str  # a regular expression that the message must contain


def changed(change: Callable[[Any], Any], **options: Any) -> Callable[[], Any]:
    """A good request made bad."""

    def make() -> Any:
        made = request(MESH, **options)
        change(made)
        return made

    return make


def with_vertex(index: int, value: float) -> Callable[[], Any]:
    def change(made: Any) -> None:
        made.vertices[index] = value

    return changed(change)


def with_condition(**fields: Any) -> Callable[[], Any]:
    return lambda: request(MESH, condition(**fields))


def with_options(**options: Any) -> Callable[[], Any]:
    return lambda: request(MESH, **options)


def set_count(value: int) -> Callable[[], Any]:
    return changed(lambda made: setattr(made, "vertex_count", value))


VERTICES = [
    Row("empty", lambda: pb.VertexOffsetRequest(condition=condition()), INVALID,
        r"vertices is empty, but must hold x, y and z of at least one vertex"),
    Row("entirely-empty-request", pb.VertexOffsetRequest, INVALID, r"vertices is empty"),
    Row("count-too-large", set_count(100), INVALID,
        r"vertex_count is 100, but vertices has 297 values, which are 99 vertices"),
    Row("count-too-small", set_count(98), INVALID, r"vertex_count is 98, but vertices has 297"),
    Row("count-zero", set_count(0), INVALID, r"vertex_count is 0, but vertices has 297"),
    Row("count-negative", set_count(-99), INVALID, r"vertex_count is -99, but vertices has 297"),
    Row("count-absurd", set_count(2**31 - 1), INVALID, r"vertex_count is 2147483647"),
    Row("not-three-each", changed(lambda made: made.vertices.append(0.0)), INVALID,
        r"vertices has 298 values, but must have 3 \(x, y, z\) for each vertex"),
    Row("nan", with_vertex(7, math.nan), INVALID,
        r"vertices\[7\] is nan \(y of vertex 2\), but must be finite"),
    Row("infinite", with_vertex(3, math.inf), INVALID, r"vertices\[3\] is inf \(x of vertex 1\)"),
    Row("minus-infinite", with_vertex(296, -math.inf), INVALID,
        r"vertices\[296\] is -inf \(z of vertex 98\)"),
]


def set_triangle(index: int, value: int) -> Callable[[], Any]:
    def change(made: Any) -> None:
        made.topology.triangles[index] = value

    return changed(change)


TRIANGLES = [
    Row("one-past-the-end", set_triangle(17, 99), INVALID,
        r"triangles\[17\] is 99, but the mesh has 99 vertices \(indices 0 to 98\)"),
    Row("largest-number", set_triangle(0, 2**32 - 1), INVALID, r"triangles\[0\] is 4294967295"),
    Row("not-three-each", changed(lambda made: made.topology.triangles.append(1)), INVALID,
        r"triangles has \d+ indices, but must have 3 for each triangle"),
]

CONDITION = [
    Row("intensity-above", with_condition(intensity=1.5), INVALID,
        r"condition\.intensity is 1\.5, but must be 0 to 1"),
    Row("intensity-just-above", with_condition(intensity=1.0001), INVALID, r"condition\.intensity"),
    Row("intensity-negative", with_condition(intensity=-0.25), INVALID,
        r"condition\.intensity is -0\.25, but must be 0 to 1"),
    Row("intensity-nan", with_condition(intensity=math.nan), INVALID,
        r"condition\.intensity is -?nan, but must be 0 to 1"),
    Row("intensity-infinite", with_condition(intensity=math.inf), INVALID,
        r"condition\.intensity is inf"),
    Row("unknown-viseme", with_condition(name="aaa"), INVALID,
        r'condition\.name is "aaa".*viseme.*did you mean "aa"\?'),
    Row("unknown-emotion", with_condition(name="Hapyp", kind=EMOTION), INVALID,
        r'condition\.name is "Hapyp".*did you mean "happy"\?'),
    Row("unknown-unit", with_condition(name="jawOpn", kind=CUSTOM), INVALID,
        r'condition\.name is "jawOpn".*did you mean "jawOpen"\?'),
    Row("emotion-asked-for-as-viseme", with_condition(name="Joy"), INVALID,
        r'condition\.name is "Joy"'),
    Row("no-name", with_condition(name=""), INVALID, r"condition\.name is"),
    Row("nothing-like-it", with_condition(name="x" * 5000), INVALID, r"condition\.name is"),
    Row("line-breaks", with_condition(name="aa\n\x1b[31mforged"), INVALID, r"condition\.name is"),
    Row("unknown-type", with_condition(kind=7), INVALID,
        r"condition\.type is 7, but must be VISEME \(0\), EMOTION \(1\) or CUSTOM \(2\)"),
    Row("negative-type", with_condition(kind=-1), INVALID, r"condition\.type is -1"),
    Row("too-few-features", with_condition(name="", kind=CUSTOM, features=[0.5] * 63), INVALID,
        r"condition\.features has 63 values, but must have 64"),
    Row("too-many-features", with_condition(name="", kind=CUSTOM, features=[0.5] * 65), INVALID,
        r"condition\.features has 65 values, but must have 64"),
    Row("nan-feature",
        with_condition(name="", kind=CUSTOM, features=[0.0] * 10 + [math.nan] + [0.0] * 53),
        INVALID, r"condition\.features\[10\] is -?nan, but must be -10 to 10"),
    Row("large-feature", with_condition(name="", kind=CUSTOM, features=[1e6] + [0.0] * 63), INVALID,
        r"condition\.features\[0\] is 1e\+06"),
    Row("features-with-viseme", with_condition(features=[0.0] * 64), INVALID,
        r"condition\.features has 64 values, but must be empty unless condition\.type is CUSTOM"),
    Row("features-with-emotion", with_condition(name="Joy", kind=EMOTION, features=[0.0]), INVALID,
        r"condition\.features has 1 values, but must be empty"),
    Row("features-and-parameters",
        with_condition(name="", kind=CUSTOM, features=[0.0] * 64, parameters={"jawOpen": 1.0}),
        INVALID, r"condition\.features and condition\.parameters are both set"),
    Row("custom-says-nothing", with_condition(name="", kind=CUSTOM), INVALID,
        r"condition\.type is CUSTOM, but name, parameters and features are all empty"),
    Row("unknown-parameter", with_condition(name="", kind=CUSTOM, parameters={"jawOpn": 0.5}),
        INVALID, r'condition\.parameters names "jawOpn".*did you mean "jawOpen"\?'),
    Row("parameter-above", with_condition(name="", kind=CUSTOM, parameters={"jawOpen": 1.25}),
        INVALID, r'condition\.parameters\["jawOpen"\] is 1\.25, but must be 0 to 1'),
    Row("parameter-nan", with_condition(name="", kind=CUSTOM, parameters={"jawOpen": math.nan}),
        INVALID, r'condition\.parameters\["jawOpen"\] is -?nan'),
    Row("too-many-parameters",
        with_condition(name="", kind=CUSTOM, parameters={f"p{i}": 0.1 for i in range(257)}),
        INVALID, r"condition\.parameters has 257 entries, but may have 256"),
]

OPTIONS = [
    Row("negative-iterations", with_options(smoothing_iterations=-1), INVALID,
        r"options\.smoothing_iterations is -1, but must be 0 \(the default, 2\) to 100"),
    Row("absurd-iterations", with_options(apply_smoothing=True, smoothing_iterations=101), INVALID,
        r"options\.smoothing_iterations is 101"),
    Row("negative-displacement", with_options(max_displacement=-0.01), INVALID,
        r"options\.max_displacement is -0\.01, but must be 0 \(the default, 0\.08 m\) to 100 m"),
    Row("absurd-displacement", with_options(max_displacement=1e9), INVALID,
        r"options\.max_displacement is 1e\+09"),
    Row("nan-displacement", with_options(max_displacement=math.nan), INVALID,
        r"options\.max_displacement is -?nan"),
    Row("negative-timeout", with_options(timeout_seconds=-5), INVALID,
        r"options\.timeout_seconds is -5, but must be 0 \(none\) to 86400"),
    Row("absurd-timeout", with_options(timeout_seconds=86401), INVALID,
        r"options\.timeout_seconds is 86401"),
]

MODEL = [
    Row("unknown-model", lambda: request(MESH, model="nobody"), grpc.StatusCode.NOT_FOUND,
        r'model_name is "nobody", but loaded are: bare, default,'),
    Row("hostile-model-name", lambda: request(MESH, model="../../etc/passwd\n"),
        grpc.StatusCode.NOT_FOUND, r"model_name is "),
    Row("mesh-of-another-size", lambda: request(meshes.points_only(98), model="fixed"), INVALID,
        r"vertex_count is 98, but this model takes meshes of exactly 99 vertices"),
    Row("feature-count-of-own-slots",
        lambda: request(MESH, condition("", kind=CUSTOM, features=[0.1] * 7), model="slots"), INVALID,
        r"condition\.features has 7 values, but must have 5 \(one for each slot of the model\) or 64"),
    Row("expression-that-the-model-lacks",
        lambda: request(MESH, condition("tongueOut", kind=CUSTOM), model="slots"), INVALID,
        r'condition\.name is "tongueOut", which this model cannot make'),
    Row("nan-from-the-model", lambda: request(MESH, model="nan"), grpc.StatusCode.INTERNAL,
        r"the model \(version nan-1\) made NaN or infinite offsets"),
]

ROWS = [
    pytest.param(row, id=f"{group}-{row.name}")
    for group, rows in {
        "vertices": VERTICES, "triangles": TRIANGLES, "condition": CONDITION, "options": OPTIONS,
        "model": MODEL,
    }.items()
    for row in rows
]


@pytest.fixture(scope="module")
def good_answer(shared_server: Server) -> np.ndarray:
    return meshes.offsets_of(shared_server.predict(request(MESH)))


@pytest.mark.parametrize("row", ROWS)
def test_row(server: Server, good_answer: np.ndarray, row: Row) -> None:
    before = server.stats()
    code, text = failure(lambda: server.predict(row.make()))
    assert (code, bool(re.search(row.text, text))) == (row.code, True), text
    assert len(text) < 1000
    assert not re.search(r"[\x00-\x1f]", text), "control characters in an error"

    after = server.stats()
    assert after.failed_requests == before.failed_requests + 1
    assert after.successful_requests == before.successful_requests
    np.testing.assert_array_equal(
        meshes.offsets_of(server.predict(request(MESH))), good_answer, "it goes on serving"
    )


@pytest.mark.parametrize("row", ROWS)
def test_row_in_a_batch(server: Server, good_answer: np.ndarray, row: Row) -> None:
    """The item fails with the same code and text, and the others are answered."""
    _, text = failure(lambda: server.predict(row.make()))
    answer = server.batch(meshes.batch([request(MESH), row.make(), request(MESH)]))
    assert not answer.all_successful
    assert [item.success for item in answer.responses] == [True, False, True]
    bad = answer.responses[1]
    assert (bad.status_code, bad.error_message) == (row.code.value[0], text)
    assert len(bad.offsets) == 0
    for item in (answer.responses[0], answer.responses[2]):
        np.testing.assert_allclose(meshes.offsets_of(item), good_answer, rtol=0, atol=1e-5)
        assert (item.status_code, item.error_message) == (0, "")


def test_limits_are_allowed(server: Server) -> None:
    """What stands just inside the limits."""
    for good in (
        request(MESH, condition(intensity=0.0)),
        request(MESH, condition(intensity=1.0)),
        request(MESH, apply_smoothing=True, smoothing_iterations=100),
        request(MESH, max_displacement=100.0, timeout_seconds=86400),
        request(MESH, condition("", kind=CUSTOM, features=[10.0] * 32 + [-10.0] * 32)),
        request(MESH, model="fixed"),
        request(meshes.one_vertex()),
    ):
        assert server.predict(good).success


def test_no_model_at_all(start_server: Callable[..., Server]) -> None:
    server = start_server("--no-model")
    code, text = failure(lambda: server.predict(request(MESH)))
    assert code == grpc.StatusCode.FAILED_PRECONDITION
    assert "no model is loaded; load one with LoadModel" in text
    health = server.stub.HealthCheck(pb.HealthCheckRequest(), timeout=CALL_SECONDS)
    assert health.status == pb.HealthCheckResponse.NOT_SERVING
    assert health.message == "No models loaded"


def packed_vertices(floats: int) -> bytes:
    """A VertexOffsetRequest of zeros as it stands on the wire: field 1, packed."""
    length, varint = 4 * floats, b""
    while length >= 128:
        varint += bytes([length % 128 + 128])
        length //= 128
    return b"\x0a" + varint + bytes([length]) + bytes(4 * floats)


def test_size_limits(start_server: Callable[..., Server], models) -> None:
    """Meshes over --max-vertices, batches over --max-batch, messages over 100 MB."""
    server = start_server(
        "--model", models / "everyday.onnx", "--max-vertices", "500", "--max-batch", "4"
    )
    exhausted = grpc.StatusCode.RESOURCE_EXHAUSTED
    assert server.predict(request(meshes.points_only(500))).success
    code, text = failure(lambda: server.predict(request(meshes.points_only(501))))
    assert code == exhausted
    assert "the mesh has 501 vertices; this server takes at most 500 (--max-vertices)" in text

    assert server.batch(meshes.batch([request(MESH)] * 4)).all_successful
    code, text = failure(lambda: server.batch(meshes.batch([request(MESH)] * 5)))
    assert code == exhausted
    assert "requests has 5 items; this server takes at most 4 in one batch" in text

    shared = server.batch(meshes.batch([request(None)], mesh=meshes.grid(30, 30)))
    assert shared.responses[0].status_code == exhausted.value[0]
    assert "the mesh has 900 vertices" in shared.responses[0].error_message

    send_bytes = server.channel.unary_unary(
        f"/{SERVICE}/PredictVertexOffsets",
        request_serializer=bytes,
        response_deserializer=pb.VertexOffsetResponse.FromString,
    )
    code, text = failure(lambda: send_bytes(packed_vertices(27_000_000), timeout=CALL_SECONDS))
    assert code == exhausted
    assert "larger than max" in text
    assert server.predict(request(MESH)).success


def test_negative_max_parallel(server: Server) -> None:
    code, text = failure(lambda: server.batch(meshes.batch([request(MESH)], max_parallel=-1)))
    assert code == INVALID
    assert "max_parallel_requests is -1, but must be 0 (as many as there are workers) or more" in text
