# SPDX-License-Identifier: Apache-2.0
"""The server's numbers against ONNX Runtime's Python package and maths written a second time."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness import meshes, onnx_models, reference
from harness.meshes import Mesh, condition, request
from harness.server import Server, program
from harness.stubs import REPOSITORY, pb

TOLERANCE = 1e-5
KINDS = {
    "viseme": pb.ExpressionCondition.VISEME,
    "emotion": pb.ExpressionCondition.EMOTION,
    "unit": pb.ExpressionCondition.CUSTOM,
}
MESHES = {
    "grid": meshes.grid(),
    "seam": meshes.tube_with_seam(),
    "loose": meshes.with_loose_vertices(meshes.grid(5, 6)),
    "one": meshes.one_vertex(),
    "points": meshes.points_only(120),
    "two-points": meshes.points_only(2),
}
DEFAULT_MODEL = REPOSITORY / "models/default.onnx"


def neighbours_of(mesh: Mesh) -> dict[int, set[int]]:
    if len(mesh.triangles):
        return reference.neighbours_by_edges(mesh)
    return reference.neighbours_by_distance(mesh)


def run_reference(model: pathlib.Path, mesh: Mesh, vector: np.ndarray) -> np.ndarray:
    """[N,3]: one expression through ONNX Runtime in Python."""
    return onnx_models.run(
        model,
        vertices=mesh.vertices[None],
        condition=vector[None].astype(np.float32),
        normals=reference.normals(mesh)[None],
    )[0]


def run_symmetric_reference(
    model: pathlib.Path, mesh: Mesh, slots: list[str], vector: np.ndarray
) -> np.ndarray:
    """[N,3]: the same, averaged with the mirror image, as the default model wants it."""
    partners = reference.mirror_partners(mesh)
    own = run_reference(model, mesh, vector)
    if (partners >= 0).mean() < 0.5:
        return own
    mirrored = run_reference(model, mesh, reference.mirrored_condition(slots, vector))
    return reference.average_with_mirror(partners, own, mirrored)


def assert_close(actual: Any, expected: np.ndarray) -> None:
    np.testing.assert_allclose(
        np.asarray(actual).reshape(expected.shape), expected, rtol=0, atol=TOLERANCE
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_expression(server: Server, models: pathlib.Path, kind: str) -> None:
    """Each name of the table, through the whole of condition encoding and the model."""
    mesh = MESHES["grid"]
    names = reference.expression_names(kind)
    assert len(names) == {"viseme": 15, "emotion": 7, "unit": 52}[kind]
    for i, name in enumerate(names):
        intensity = 1.0 if i % 2 else 0.37
        answer = server.predict(request(mesh, condition(name, intensity, KINDS[kind])))
        vector = reference.standard_condition(kind, name, intensity)
        assert_close(answer.offsets, run_reference(models / "everyday.onnx", mesh, vector))


@pytest.mark.parametrize("spelling", ["aa", "AA", "vrc.v_aa", "viseme_aa", "v_aa"])
def test_spellings(server: Server, spelling: str) -> None:
    one = server.predict(request(MESHES["grid"], condition("aa")))
    other = server.predict(request(MESHES["grid"], condition(spelling)))
    assert one.offsets == other.offsets


@pytest.mark.parametrize("mesh_name", MESHES)
@pytest.mark.parametrize("model", ["everyday", "normals"])
def test_raw_model_output(server: Server, models: pathlib.Path, mesh_name: str, model: str) -> None:
    """Normals included, which the server works out itself; seams share theirs."""
    mesh = MESHES[mesh_name]
    vector = reference.standard_condition("viseme", "oh", 0.7)
    name = "default" if model == "everyday" else model
    answer = server.predict(request(mesh, condition("oh", 0.7), model=name))
    expected = run_reference(models / f"{model}.onnx", mesh, vector)
    assert np.abs(expected).max() > 1e-3
    assert_close(answer.offsets, expected)


def test_parameters_and_features(server: Server, models: pathlib.Path) -> None:
    mesh = MESHES["grid"]
    units = reference.unit_names()
    vector = np.zeros(64, np.float32)
    vector[2], vector[3] = 0.5, 1.0
    vector[4 + units.index("jawOpen")] = 0.4 * 0.5
    vector[4 + units.index("cheekPuff")] = 0.5
    made = condition(
        "any text", 0.5, pb.ExpressionCondition.CUSTOM, parameters={"jawOpen": 0.4, "cheekPuff": 1.0}
    )
    expected = run_reference(models / "everyday.onnx", mesh, vector)
    assert_close(server.predict(request(mesh, made)).offsets, expected)

    raw = np.random.default_rng(9).uniform(-2, 2, 64).astype(np.float32)
    made = condition("", 0.0, pb.ExpressionCondition.CUSTOM, features=raw)
    expected = run_reference(models / "everyday.onnx", mesh, raw)
    assert_close(server.predict(request(mesh, made)).offsets, expected)


@pytest.mark.parametrize(
    ("made", "vector"),
    [
        (condition("aa", 0.8), [0, 0.8, 0, 0, 0]),
        (condition("Joy", 0.5, KINDS["emotion"]), [0, 0, 0.5, 0, 0]),
        (condition("jawOpen", 1.0, KINDS["unit"]), [1, 0, 0, 0, 0]),
        (condition("mySmirk", 0.25, KINDS["unit"]), [0, 0, 0, 0, 0.25]),
        # No slot of its own: the recipe, as far as there are slots (jawOpen 0.2).
        (condition("kk", 1.0), [0.2, 0, 0, 0, 0]),
        (
            condition("", 0.5, KINDS["unit"], parameters={"eyeBlinkLeft": 0.6, "mySmirk": 1.0}),
            [0, 0, 0, 0.3, 0.5],
        ),
        (condition("", 1.0, KINDS["unit"], features=[1, 2, 3, 4, 5]), [1, 2, 3, 4, 5]),
    ],
    ids=["viseme", "emotion", "unit", "own", "recipe", "parameters", "features"],
)
def test_slots_of_its_own(
    server: Server, models: pathlib.Path, made: Any, vector: list[float]
) -> None:
    mesh = MESHES["grid"]
    answer = server.predict(request(mesh, made, model="slots"))
    expected = run_reference(models / "slots.onnx", mesh, np.array(vector, np.float32))
    assert_close(answer.offsets, expected)


@pytest.mark.parametrize("mesh_name", MESHES)
@pytest.mark.parametrize("iterations", [0, 1, 3, 20])
def test_smoothing(
    server: Server, models: pathlib.Path, mesh_name: str, iterations: int
) -> None:
    """0 means 2."""
    mesh = MESHES[mesh_name]
    vector = reference.standard_condition("viseme", "aa", 1.0)
    raw = run_reference(models / "strong.onnx", mesh, vector)
    answer = server.predict(
        request(mesh, model="strong", apply_smoothing=True, smoothing_iterations=iterations)
    )
    expected = reference.smooth(mesh, neighbours_of(mesh), raw, iterations or 2)
    if len(mesh.vertices) > 1:
        assert np.abs(expected - raw).max() > 1e-4, "smoothing should do something here"
    assert_close(answer.offsets, expected)


def test_no_smoothing_unless_asked(server: Server) -> None:
    plain = server.predict(request(MESHES["grid"]))
    other = server.predict(request(MESHES["grid"], smoothing_iterations=20))
    assert plain.offsets == other.offsets


@pytest.mark.parametrize("longest", [0.0, 0.001, 0.05, 0.3])
def test_clamp(server: Server, models: pathlib.Path, longest: float) -> None:
    """0 means 0.08 m."""
    mesh = MESHES["grid"]
    raw = run_reference(models / "strong.onnx", mesh, reference.standard_condition("viseme", "aa", 1.0))
    answer = server.predict(
        request(mesh, model="strong", clamp_extreme_values=True, max_displacement=longest)
    )
    limit = longest or 0.08
    assert np.linalg.norm(raw, axis=1).max() > limit
    assert_close(answer.offsets, reference.clamp(raw, limit))
    assert np.linalg.norm(meshes.offsets_of(answer).astype(np.float64), axis=1).max() <= limit * (
        1 + 1e-6
    )


def test_no_clamp_unless_asked(server: Server) -> None:
    plain = server.predict(request(MESHES["grid"], model="strong"))
    other = server.predict(request(MESHES["grid"], model="strong", max_displacement=0.001))
    assert plain.offsets == other.offsets


@pytest.mark.parametrize("mesh_name", MESHES)
@pytest.mark.parametrize(
    "options",
    [{}, {"apply_smoothing": True}, {"apply_smoothing": True, "clamp_extreme_values": True}],
    ids=["raw", "smooth", "smooth-clamp"],
)
def test_quality(server: Server, mesh_name: str, options: dict[str, Any]) -> None:
    """Of what is sent: after smoothing and clamp."""
    mesh = MESHES[mesh_name]
    answer = server.predict(request(mesh, model="strong", **options))
    expected = reference.quality(mesh, neighbours_of(mesh), meshes.offsets_of(answer))
    quality = answer.metadata.quality
    assert quality.avg_displacement == pytest.approx(expected.mean, abs=TOLERANCE)
    assert quality.max_displacement == pytest.approx(expected.largest, abs=TOLERANCE)
    assert quality.extreme_vertex_count == expected.extreme
    assert quality.smoothness_score == pytest.approx(expected.smoothness, abs=1e-4)


def test_quality_tells_rough_from_smooth(server: Server) -> None:
    mesh = MESHES["points"]
    raw = server.predict(request(mesh, model="strong")).metadata.quality
    smooth = server.predict(
        request(mesh, model="strong", apply_smoothing=True, smoothing_iterations=20)
    ).metadata.quality
    assert raw.smoothness_score < smooth.smoothness_score
    assert smooth.avg_displacement < raw.avg_displacement


def test_smooth_then_clamp(server: Server, models: pathlib.Path) -> None:
    """In this order."""
    mesh = MESHES["seam"]
    raw = run_reference(models / "strong.onnx", mesh, reference.standard_condition("viseme", "aa", 1.0))
    answer = server.predict(
        request(
            mesh, model="strong", apply_smoothing=True, smoothing_iterations=4,
            clamp_extreme_values=True, max_displacement=0.02,
        )
    )
    smoothed = reference.smooth(mesh, neighbours_of(mesh), raw, 4)
    assert_close(answer.offsets, reference.clamp(smoothed, 0.02))


def test_seam_stays_closed(server: Server) -> None:
    mesh = MESHES["seam"]
    offsets = meshes.offsets_of(server.predict(request(mesh, model="strong", apply_smoothing=True)))
    assert mesh.points is not None
    np.testing.assert_array_equal(offsets, offsets[mesh.points])


@pytest.mark.skipif(
    not DEFAULT_MODEL.exists(), reason="models/default.onnx is not there (training/ makes it)"
)
def test_default_model(start_server: Callable[..., Server], tmp_path: pathlib.Path) -> None:
    """The shipped model, found without --model, on meshes of several sizes. What follows the network
    changes nothing but what is near an edge that got too long."""
    shipped = program().parent / "models/default.onnx"
    assert shipped.read_bytes() == DEFAULT_MODEL.read_bytes(), "build blendwire_default_model"
    server, plain = _with_plain(start_server, tmp_path)
    info = server.models()["default"]
    assert {"aa", "ou", "Joy", "jawOpen"} <= set(info.expressions)
    slots = list(info.condition_slots)
    for mesh in (MESHES["grid"], MESHES["seam"], meshes.grid(40, 37)):
        for kind, name in (("viseme", "aa"), ("emotion", "Joy"), ("unit", "jawOpen")):
            vector = _default_condition(slots, kind, name, 0.9)
            how = condition(name, 0.9, KINDS[kind])
            expected = run_symmetric_reference(plain, mesh, slots, vector)
            assert_close(server.predict(request(mesh, how, model="plain")).offsets, expected)
            offsets = meshes.offsets_of(server.predict(request(mesh, how)))
            changed = np.abs(offsets - expected).max(1) > TOLERANCE
            assert not changed[~_near_long_edges(mesh, expected)].any(), name


def _with_plain(
    start_server: Callable[..., Server], folder: pathlib.Path
) -> tuple[Server, pathlib.Path]:
    """A server of the shipped model that also has it as "plain", and that model's file."""
    server = start_server("--model-root", folder)
    assert list(server.models()) == ["default"]
    path = onnx_models.plain(DEFAULT_MODEL, folder / "plain.onnx")
    server.load(path, "plain")
    return server, path


def _near_long_edges(mesh: Mesh, offsets: np.ndarray) -> np.ndarray:
    """[N] bool: within two edges of an edge that is nearly three times as long as at rest, or more."""
    edges, stretch = reference.stretches(mesh, offsets)
    near = np.zeros(mesh.count, bool)
    near[edges[stretch > 2.99]] = True
    points = mesh.points if mesh.points is not None else np.arange(mesh.count)
    for _ in range(2):
        near[edges[near[edges].any(1)]] = True
        near = np.isin(points, points[near])
    return near


@pytest.mark.skipif(
    not DEFAULT_MODEL.exists(), reason="models/default.onnx is not there (training/ makes it)"
)
def test_default_model_on_a_face(
    start_server: Callable[..., Server], tmp_path: pathlib.Path
) -> None:
    """A mesh that is remembered gives the same numbers; contact moves lids and lips and no more."""
    face = _demo_face()
    server, plain = _with_plain(start_server, tmp_path)
    slots = list(server.models()["default"].condition_slots)
    for kind, name in (
        ("emotion", "Blink"), ("viseme", "PP"), ("viseme", "aa"), ("unit", "mouthSmileLeft")
    ):
        vector = _default_condition(slots, kind, name, 1.0)
        expected = run_symmetric_reference(plain, face, slots, vector)
        how = condition(name, 1.0, KINDS[kind])
        for turn in ("first", "remembered"):
            answer = server.predict(request(face, how, model="plain"))
            np.testing.assert_allclose(
                meshes.offsets_of(answer), expected, rtol=0, atol=TOLERANCE, err_msg=f"{name} {turn}"
            )
        moved = np.abs(meshes.offsets_of(server.predict(request(face, how))) - expected).max(1)
        assert moved.max() < 0.03, name
        assert (moved > TOLERANCE).mean() < 0.4, f"{name}: more than the rims' surroundings moved"


@pytest.mark.skipif(
    not DEFAULT_MODEL.exists(), reason="models/default.onnx is not there (training/ makes it)"
)
def test_the_order_of_vertices_does_not_matter(start_server: Callable[..., Server]) -> None:
    """Contact decides much by thresholds; none may depend on who comes first."""
    face = _demo_face()
    order = np.random.default_rng(3).permutation(face.count)
    place = np.argsort(order).astype(np.uint32)
    shuffled = Mesh(np.ascontiguousarray(face.vertices[order]), place[face.triangles])
    server = start_server()
    for kind, name in (("emotion", "Blink"), ("viseme", "PP"), ("unit", "eyeBlinkLeft")):
        how = condition(name, 1.0, KINDS[kind])
        one = meshes.offsets_of(server.predict(request(face, how, apply_smoothing=True)))
        other = meshes.offsets_of(server.predict(request(shuffled, how, apply_smoothing=True)))
        np.testing.assert_allclose(other, one[order], rtol=0, atol=TOLERANCE, err_msg=name)


@pytest.mark.skipif(
    not DEFAULT_MODEL.exists(), reason="models/default.onnx is not there (training/ makes it)"
)
def test_a_symmetric_face_moves_symmetrically(
    start_server: Callable[..., Server], tmp_path: pathlib.Path
) -> None:
    """To the bit, alone and in a batch, before lids and lips are brought together; nearly so after."""
    face = _demo_face()
    partners = reference.mirror_partners(face)
    assert (partners >= 0).all()
    server, plain = _with_plain(start_server, tmp_path)
    pairs = [("mouthLeft", "mouthRight"), ("eyeBlinkRight", "eyeBlinkLeft"), ("jawOpen", "jawOpen")]
    for model, smoothing, tolerance in (("plain", 0, 0.0), ("plain", 3, 0.0), ("", 2, 5e-4)):
        how: dict[str, Any] = {"model": model, "apply_smoothing": smoothing > 0}
        how["smoothing_iterations"] = smoothing
        for one, other in pairs:
            wanted = [
                request(None, condition(name, 1.0, KINDS["unit"]), **how) for name in (one, other)
            ]
            both = [meshes.offsets_of(x) for x in server.batch(meshes.batch(wanted, face)).responses]
            image = both[1][partners] * np.array([-1, 1, 1], np.float32)
            assert np.abs(both[0]).max() > 1e-3
            np.testing.assert_allclose(both[0], image, rtol=0, atol=tolerance, err_msg=one)
            alone = server.predict(request(face, condition(one, 1.0, KINDS["unit"]), **how))
            np.testing.assert_allclose(meshes.offsets_of(alone), both[0], rtol=0, atol=1e-6)
    # The network alone does not do so.
    slots = list(server.models()["default"].condition_slots)
    left, right = (
        run_reference(plain, face, _default_condition(slots, "unit", name, 1.0))
        for name in ("mouthLeft", "mouthRight")
    )
    assert np.abs(left - right[partners] * np.array([-1.0, 1.0, 1.0])).max() > 1e-4


@pytest.mark.skipif(
    not DEFAULT_MODEL.exists(), reason="models/default.onnx is not there (training/ makes it)"
)
def test_solids_do_not_bend_and_skin_does_not_tear(
    start_server: Callable[..., Server], tmp_path: pathlib.Path
) -> None:
    face = _demo_face()
    server, _ = _with_plain(start_server, tmp_path)
    drop = meshes.offsets_of(server.predict(request(face, condition("aa"), model="plain")))[:, 2]
    lip = face.vertices[drop.argsort()[:20]].mean(0)
    tooth = meshes.box(lip + np.array([0.0, 0.015, 0.0]), 0.006)
    both = meshes.joined(face, tooth)
    for kind, name in (("viseme", "aa"), ("unit", "jawOpen")):
        how = condition(name, 1.0, KINDS[kind])
        bent, rigid = (
            reference.bending(
                tooth.vertices,
                meshes.offsets_of(server.predict(request(both, how, model=model)))[face.count :],
            )
            for model in ("plain", "")
        )
        assert bent > 1e-4, name
        assert rigid < 1e-6, name
    torn = {}
    for model in ("plain", ""):
        answer = server.predict(request(face, condition("Blink", 1.0, KINDS["emotion"]), model=model))
        torn[model] = (reference.stretches(face, meshes.offsets_of(answer))[1] > 3.05).sum()
    assert torn["plain"] > 0
    assert torn[""] == 0


def _demo_face() -> Mesh:
    """The skin of assets/demo_head.glb in the contract's axes; glTF's Y is up, its Z is forward."""
    document, binary = _read_glb(REPOSITORY / "assets/demo_head.glb")
    (mesh,) = (mesh for mesh in document["meshes"] if mesh["name"] == "Head")
    primitive = mesh["primitives"][0]
    x, y, z = _accessor(document, binary, primitive["attributes"]["POSITION"]).reshape(-1, 3).T
    triangles = _accessor(document, binary, primitive["indices"]).reshape(-1, 3)
    return Mesh(np.stack([x, -z, y], 1).astype(np.float32), triangles.astype(np.uint32))


def _read_glb(path: pathlib.Path) -> tuple[dict[str, Any], bytes]:
    """The JSON and the binary chunk (glTF 2.0, 4.4)."""
    data = path.read_bytes()
    size = int.from_bytes(data[12:16], "little")
    return json.loads(data[20 : 20 + size]), data[20 + size + 8 :]


def _accessor(document: dict[str, Any], binary: bytes, index: int) -> np.ndarray:
    """All components in a row; tightly packed ones only."""
    accessor = document["accessors"][index]
    view = document["bufferViews"][accessor["bufferView"]]
    assert "byteStride" not in view
    start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    kind = {5123: np.uint16, 5125: np.uint32, 5126: np.float32}[accessor["componentType"]]
    count = accessor["count"] * {"SCALAR": 1, "VEC3": 3}[accessor["type"]]
    return np.frombuffer(binary, kind, count, start)


def _default_condition(slots: list[str], kind: str, name: str, intensity: float) -> np.ndarray:
    """[K]: the model's own slot if there is one, else the recipe."""
    if not slots:
        return reference.standard_condition(kind, name, intensity)
    vector = np.zeros(len(slots), np.float32)
    own = name if kind == "unit" else f"{kind}_{name}"
    if own in slots:
        vector[slots.index(own)] = intensity
        return vector
    for unit, weight in reference.unit_weights(kind, name).items():
        if unit in slots:
            vector[slots.index(unit)] = weight * intensity
    return vector
