# SPDX-License-Identifier: Apache-2.0
"""What must hold for every mesh and every expression, tried on random ones (seeded) over a real
server: with a small model of known weights, and with the default model.

    BLENDWIRE_PROPERTY_CASES=200     how many random cases each property gets (25)
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from harness import meshes, onnx_models, reference
from harness.meshes import Mesh, condition, offsets_of
from harness.server import Server
from harness.stubs import pb

CASES = int(os.environ.get("BLENDWIRE_PROPERTY_CASES", "25"))
NAMES = [(kind, name) for kind in ("viseme", "emotion") for name in reference.expression_names(kind)]
KINDS = {"viseme": pb.ExpressionCondition.VISEME, "emotion": pb.ExpressionCondition.EMOTION}
CLOSE = 1e-5  # metres


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A model whose answers depend on every coordinate of a vertex, but not on its neighbours."""
    folder = tmp_path_factory.mktemp("models")
    onnx_models.everyday(folder / "everyday.onnx")
    server = Server("--model", folder / "everyday.onnx", "--log-level", "ERROR")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def default() -> Iterator[Server]:
    """The model that is shipped."""
    server = Server("--log-level", "ERROR")
    yield server
    server.stop()


@pytest.fixture(params=["small", "default"])
def server(request: pytest.FixtureRequest) -> Server:
    return request.getfixturevalue(request.param)


def random_face(source: random.Random) -> Mesh:
    """A bumpy dome about as large as a face, somewhere in front of the origin: no two vertices at one
    place."""
    rows, columns = source.randint(8, 16), source.randint(8, 16)
    u, v = np.meshgrid(np.linspace(-1, 1, columns), np.linspace(-1, 1, rows))
    noise = np.random.default_rng(source.randrange(2**32))
    depth = 0.09 * np.cos(u) * np.cos(v) + noise.normal(0, 0.001, u.shape)
    vertices = np.stack([0.08 * u, -depth, 0.11 * v + 1.5], -1).reshape(-1, 3)
    return Mesh(vertices.astype(np.float32), meshes.grid(rows, columns).triangles)


def random_options(source: random.Random) -> dict[str, Any]:
    smoothing = source.choice([0, 0, 1, 3])
    longest = source.choice([0.0, 0.004, 0.02])
    return {
        "apply_smoothing": smoothing > 0,
        "smoothing_iterations": smoothing,
        "clamp_extreme_values": longest > 0,
        "max_displacement": longest,
    }


def random_expression(source: random.Random) -> Any:
    kind, name = source.choice(NAMES)
    return condition(name, source.random(), KINDS[kind])


def predict(server: Server, mesh: Mesh, expression: Any, **options: Any) -> np.ndarray:
    """[N,3]"""
    return offsets_of(server.predict(meshes.request(mesh, expression, **options)))


def cases(seed: str) -> Iterator[random.Random]:
    for number in range(CASES):
        yield random.Random(f"{seed}/{number}")


def test_a_batch_is_its_singles(server: Server) -> None:
    for source in cases("batch"):
        mesh = random_face(source)
        wanted = [(random_expression(source), random_options(source)) for _ in range(5)]
        items = [meshes.request(None, expression, **options) for expression, options in wanted]
        answer = server.batch(meshes.batch(items, mesh))
        for (expression, options), item in zip(wanted, answer.responses, strict=True):
            single = predict(server, mesh, expression, **options)
            np.testing.assert_allclose(offsets_of(item), single, rtol=0, atol=CLOSE)


def test_permuting_vertices_permutes_offsets(server: Server) -> None:
    """Triangles are renumbered with them."""
    for source in cases("permutation"):
        mesh, expression, options = random_face(source), random_expression(source), random_options(source)
        order = np.array(source.sample(range(mesh.count), mesh.count))
        place = np.argsort(order).astype(np.uint32)  # where each old vertex went
        shuffled = Mesh(mesh.vertices[order], place[mesh.triangles])
        was = predict(server, mesh, expression, **options)
        now = predict(server, shuffled, expression, **options)
        np.testing.assert_allclose(now, was[order], rtol=0, atol=CLOSE)


def test_order_of_triangles_does_not_matter(server: Server) -> None:
    """Nor which of its corners a triangle begins with."""
    for source in cases("triangles"):
        mesh, expression, options = random_face(source), random_expression(source), random_options(source)
        order = source.sample(range(len(mesh.triangles)), len(mesh.triangles))
        turned = np.stack([np.roll(mesh.triangles[i], source.randrange(3)) for i in order])
        was = predict(server, mesh, expression, **options)
        now = predict(server, Mesh(mesh.vertices, turned), expression, **options)
        np.testing.assert_allclose(now, was, rtol=0, atol=CLOSE)


def test_where_the_head_is_does_not_matter_to_the_default_model(default: Server) -> None:
    largest = 0.0
    for source in cases("translation"):
        mesh, expression = random_face(source), random_expression(source)
        shift = np.array([source.uniform(-0.5, 0.5) for _ in range(3)], np.float32)
        was = predict(default, mesh, expression)
        now = predict(default, Mesh(mesh.vertices + shift, mesh.triangles), expression)
        np.testing.assert_allclose(now, was, rtol=0, atol=1e-6)
        largest = max(largest, float(np.abs(was).max()))
    assert largest > 1e-4, "something should move"


def test_smoothing_never_exceeds_the_largest_offset(server: Server) -> None:
    for source in cases("smoothing"):
        mesh, expression = random_face(source), random_expression(source)
        raw = predict(server, mesh, expression)
        smooth = predict(
            server, mesh, expression, apply_smoothing=True, smoothing_iterations=source.randint(1, 20)
        )
        longest = [np.linalg.norm(field, axis=1).max() for field in (raw, smooth)]
        assert longest[1] <= longest[0] * (1 + 1e-5)


def test_a_clamp_twice_is_a_clamp_once(server: Server) -> None:
    """A limit that every offset keeps already changes nothing, to the bit."""
    for source in cases("clamp"):
        mesh, expression = random_face(source), random_expression(source)
        limit = source.uniform(0.001, 0.02)
        once = predict(
            server, mesh, expression, clamp_extreme_values=True, max_displacement=limit
        )
        lengths = np.linalg.norm(once.astype(np.float64), axis=1)
        assert lengths.max() <= limit * (1 + 1e-6)
        free = predict(server, mesh, expression)
        short = np.linalg.norm(free.astype(np.float64), axis=1) <= limit
        assert np.array_equal(once[short], free[short])
        again = reference.clamp(once.astype(np.float64), limit)
        np.testing.assert_allclose(again, once, rtol=1e-6, atol=0)


def test_the_same_request_gives_the_same_bits(server: Server) -> None:
    for source in cases("same"):
        mesh, expression, options = random_face(source), random_expression(source), random_options(source)
        was = predict(server, mesh, expression, **options)
        assert np.array_equal(predict(server, mesh, expression, **options), was)


def test_no_prediction_is_lost_by_resets_of_the_statistics(small: Server) -> None:
    """Four callers, while another reads and resets: the periods' counts add up."""
    small.stats(reset=True)
    source = random.Random("statistics")
    mesh = random_face(source)
    each, flawed = 150, [source.random() < 0.2 for _ in range(150)]
    totals = {"total": 0, "successful": 0, "failed": 0}
    stop = threading.Event()

    def take() -> None:
        stats = small.stats(reset=True)
        totals["total"] += stats.total_requests
        totals["successful"] += stats.successful_requests
        totals["failed"] += stats.failed_requests

    def read() -> None:
        while not stop.is_set():
            take()

    def call() -> None:
        for bad in flawed:
            try:
                predict(small, mesh, condition("nonsense" if bad else "aa"))
            except Exception:  # noqa: BLE001 - the flawed ones
                assert bad

    reader = threading.Thread(target=read)
    callers = [threading.Thread(target=call) for _ in range(4)]
    for thread in (reader, *callers):
        thread.start()
    for thread in callers:
        thread.join()
    stop.set()
    reader.join()
    take()
    assert totals == {
        "total": 4 * each,
        "failed": 4 * sum(flawed),
        "successful": 4 * (each - sum(flawed)),
    }
