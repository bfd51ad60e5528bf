# SPDX-License-Identifier: Apache-2.0
"""Promises of the ONNX contract, on an untrained network."""

import json
import pathlib

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from training import (  # noqa: E402
    chunked,
    export,
    graph,
    losses,
    margins,
    network,
    predictors,
    published,
    slots,
)


class Whole(torch.nn.Module):
    """Vertices, condition and normals to offsets, as training sees the network."""

    def __init__(self, model: network.FaceNetwork) -> None:
        super().__init__()
        self.model = model

    def forward(self, vertices, condition, normals):
        return self.model.conditioned(self.model.encode(vertices, normals), condition)


@pytest.fixture(scope="module")
def model() -> Whole:
    torch.manual_seed(0)
    marks = torch.randn(12, 3) * 0.3
    weights = torch.softmax(torch.randn(network.REGIONS, 12), 1)
    return Whole(network.FaceNetwork(marks, weights, torch.rand(slots.COUNT), 32)).eval()


@pytest.fixture
def mesh() -> tuple["torch.Tensor", "torch.Tensor"]:
    generator = torch.Generator().manual_seed(1)
    normals = torch.nn.functional.normalize(torch.randn(1, 300, 3, generator=generator), dim=2)
    return torch.randn(1, 300, 3, generator=generator) * 0.1, normals


def test_offsets_follow_size_and_ignore_place_and_order(model, mesh) -> None:
    vertices, normals = mesh
    condition = torch.rand(4, slots.COUNT)
    with torch.no_grad():
        base = model(vertices, condition, normals)
        assert base.shape == (4, 300, 3)
        larger = model(vertices * 7 + 2, condition, normals)
        order = torch.randperm(300)
        shuffled = model(vertices[:, order], condition, normals[:, order])
    scale = base.abs().max()
    assert (larger / 7 - base).abs().max() < 1e-4 * scale
    assert (shuffled - base[:, order]).abs().max() < 1e-4 * scale


def test_offsets_are_linear_in_the_condition_and_zero_for_none(model, mesh) -> None:
    vertices, normals = mesh
    a, b = torch.rand(1, slots.COUNT), torch.rand(1, slots.COUNT)
    with torch.no_grad():
        x, y = model(vertices, a, normals), model(vertices, b, normals)
        both = model(vertices, 0.5 * a + 2 * b, normals)
        nothing = model(vertices, torch.zeros(1, slots.COUNT), normals)
    assert (both - 0.5 * x - 2 * y).abs().max() < 1e-4 * both.abs().max()
    assert nothing.abs().max() == 0


def test_folding_the_condition_equals_mixing_all_outputs(model, mesh) -> None:
    vertices, normals = mesh
    condition = torch.rand(3, slots.COUNT)
    with torch.no_grad():
        encoding = model.model.encode(vertices, normals)
        raw = model.model.raw_offsets(encoding) * model.model.slot_scale
        expected = torch.einsum("nck,bk->bnc", raw[0], condition) * encoding.scale
        got = model(vertices, condition, normals)
    assert (got - expected).abs().max() < 1e-4 * expected.abs().max()


def test_each_round_looks_from_where_the_one_before_ended(model, mesh, monkeypatch) -> None:
    vertices, normals = mesh
    with torch.no_grad():
        twice = model.model.encode(vertices, normals)
        monkeypatch.setattr(network, "ROUNDS", 1)
        once = model.model.encode(vertices, normals)
    assert torch.equal(twice.middle_marks, once.marks)
    assert torch.equal(once.middle_marks, once.marks)
    assert (twice.marks - once.marks).abs().max() > 1e-4


def test_a_jolt_moves_and_stretches_the_first_landmarks_in_their_spreads(model, mesh) -> None:
    vertices, normals = mesh
    seen = []
    original = model.model._look
    model.model._look = lambda q, n, marks: seen.append(marks) or original(q, n, marks)
    jolt = torch.zeros(1, 2, 3)
    jolt[0, 0, 2], jolt[0, 1, 1] = -0.5, np.log(2.0)
    try:
        with torch.no_grad():
            still = model.model.encode(vertices, normals, True, torch.zeros(1, 2, 3))
            moved = model.model.encode(vertices, normals, True, jolt)
    finally:
        del model.model._look
    assert torch.equal(still.first_marks, moved.first_marks)  # what stage 1 is judged by
    begun, shifted = seen[0], seen[network.ROUNDS]
    spread = (begun - begun.mean(1, keepdim=True)).square().mean().sqrt()
    change = (shifted - begun).mean(1)[0] / spread
    assert change.tolist() == pytest.approx([0, 0, -0.5], abs=1e-2)
    size = (shifted - shifted.mean(1)).std(1) / (begun - begun.mean(1)).std(1)
    assert size[0].tolist() == pytest.approx([1, 2, 1], rel=1e-2)


def test_jolts_of_a_batchs_second_half_mirror_the_first() -> None:
    torch.manual_seed(3)
    jolts = network.jolts(400)
    first, second = jolts.chunk(2)
    assert torch.equal(second[:, 0, 0], -first[:, 0, 0])
    assert torch.equal(second[:, 0, 1:], first[:, 0, 1:])
    assert torch.equal(second[:, 1], first[:, 1])
    alone = (first == 0).all(2).all(1).float().mean()
    assert 0.15 < alone < 0.35
    assert 0.3 < first[:, 0, 2].std() < 0.45


@pytest.mark.parametrize("count", [1, 2, 5])
def test_tiny_and_degenerate_meshes_give_numbers(model, count: int) -> None:
    condition = torch.rand(2, slots.COUNT)
    with torch.no_grad():
        for vertices in (torch.randn(1, count, 3), torch.ones(1, count, 3)):
            assert torch.isfinite(model(vertices, condition, torch.zeros(1, count, 3))).all()


def test_packed_features_hold_all_that_offsets_and_margins_need(model, mesh) -> None:
    vertices, normals = mesh
    condition = torch.rand(5, slots.COUNT)
    with torch.no_grad():
        encoding = model.model.encode(vertices * 3, normals)
        packed = model.model.packed(encoding)
        offsets = model.model.decoded(packed, condition)
        expected = model.model.conditioned(encoding, condition)
        rims = model.model.margins_of(packed)
        scores = torch.sigmoid(model.model.margin_logits(encoding.features))
    assert (offsets - expected).abs().max() < 1e-5 * expected.abs().max()
    assert (rims - scores).abs().max() < 1e-5
    assert rims.shape == (1, 300, margins.COUNT) and 0 <= rims.min() and rims.max() <= 1


@pytest.mark.parametrize("count", [1, 63, 64, 65, 300])
def test_chunks_give_what_the_whole_mesh_gives(model, mesh, monkeypatch, count: int) -> None:
    monkeypatch.setattr(chunked, "CHUNK", 64)
    vertices, normals = mesh[0][:, :count], mesh[1][:, :count]
    with torch.no_grad():
        expected = model.model.packed(model.model.encode(vertices, normals))
        got = chunked.encode(model.model, vertices, normals)
    assert got.shape == expected.shape
    assert (got - expected).abs().max() < 1e-5 * expected.abs().max()


@pytest.fixture(scope="module")
def session(model):
    onnxruntime = pytest.importorskip("onnxruntime")
    built = graph.build(model.model)
    onnx.checker.check_model(built, full_check=True)
    return onnxruntime.InferenceSession(
        built.SerializeToString(), providers=["CPUExecutionProvider"]
    )


def feeds(mesh, condition, features) -> dict[str, np.ndarray]:
    return {
        "vertices": mesh[0].numpy(),
        "normals": mesh[1].numpy(),
        "condition": condition.numpy(),
        "features": features,
    }


@pytest.mark.parametrize("count", [1, 2, 300, 4096, 9000])
def test_the_graph_gives_the_networks_numbers(session, model, count: int) -> None:
    generator = torch.Generator().manual_seed(count)
    vertices = torch.randn(1, count, 3, generator=generator) * 0.1 + 1
    normals = torch.nn.functional.normalize(torch.randn(1, count, 3, generator=generator), dim=2)
    condition = torch.rand(3, slots.COUNT, generator=generator)
    nothing = np.zeros((1, 0, model.model.packed_width), np.float32)
    offsets, rims, encoded = session.run(None, feeds((vertices, normals), condition, nothing))
    with torch.no_grad():
        expected = model(vertices, condition, normals).numpy()
    assert offsets.shape == (3, count, 3) and rims.shape == (1, count, margins.COUNT)
    assert encoded.shape == (1, count, model.model.packed_width)
    assert np.abs(offsets - expected).max() < 1e-4 * np.abs(expected).max()


def test_features_given_back_are_used_and_nothing_else(session, model, mesh) -> None:
    condition = torch.rand(2, slots.COUNT)
    nothing = np.zeros((1, 0, model.model.packed_width), np.float32)
    first = session.run(None, feeds(mesh, condition, nothing))
    elsewhere = (mesh[0] * 50, mesh[1] * 0)
    again = session.run(None, feeds(elsewhere, condition, first[2]))
    assert np.array_equal(first[0], again[0])
    # What the caller has already is not worked out once more.
    assert again[1].shape == (1, 0, margins.COUNT)
    assert again[2].shape == (1, 0, model.model.packed_width)


def test_fp16_storage_changes_weights_by_their_rounding_only(tmp_path: pathlib.Path) -> None:
    values = np.random.default_rng(0).normal(0, 1, (40, 40)).astype(np.float32)
    weight = onnx.numpy_helper.from_array(values, "w")
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    info = onnx.helper.make_tensor_value_info
    single = onnx.helper.make_graph(
        [node],
        "g",
        [info("x", onnx.TensorProto.FLOAT, [1, 40])],
        [info("y", onnx.TensorProto.FLOAT, [1, 40])],
        [weight],
    )
    opset = [onnx.helper.make_opsetid("", graph.OPSET)]
    model = onnx.helper.make_model(single, opset_imports=opset)
    export.store_as_fp16(model)
    onnx.checker.check_model(model)
    assert model.graph.initializer[0].data_type == onnx.TensorProto.FLOAT16
    onnxruntime = pytest.importorskip("onnxruntime")
    model.ir_version = 8
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    got = session.run(None, {"x": np.eye(1, 40, dtype=np.float32)})[0]
    assert np.array_equal(got[0], values[0].astype(np.float16).astype(np.float32))


def test_restamping_changes_the_metadata_only(tmp_path: pathlib.Path) -> None:
    helper = onnx.helper
    shape = helper.make_tensor_value_info
    graph_ = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "g",
        [shape("x", onnx.TensorProto.FLOAT, [1])],
        [shape("y", onnx.TensorProto.FLOAT, [1])],
    )
    old = helper.make_model(graph_, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
    helper.set_model_props(old, {"blendwire.features": "33", "blendwire.version": "1", "own": "x"})
    onnx.save(old, str(tmp_path / "old.onnx"))
    export.restamp(tmp_path / "old.onnx", tmp_path / "new.onnx", "2")
    new = onnx.load(str(tmp_path / "new.onnx"))
    assert new.graph == old.graph
    assert {e.key: e.value for e in new.metadata_props} == export.metadata("2", 33)
    assert export.metadata("2", 33)["blendwire.mirror"] == "average"


def test_a_published_model_gives_its_weights_back(model, mesh, tmp_path: pathlib.Path) -> None:
    export.write(model.model, tmp_path / "model.onnx", "1")
    known = model.model
    torch.manual_seed(1)
    again = Whole(network.FaceNetwork(known.mean_marks, known.region_weights, known.slot_scale, 32))
    weights = published.weights_of(tmp_path / "model.onnx")
    missing = again.model.load_state_dict(weights, strict=False)
    assert not missing.unexpected_keys
    assert set(missing.missing_keys) == {"mean_marks", "region_weights"}
    for (name, value), kept in zip(again.model.named_parameters(), known.parameters()):
        assert torch.allclose(value, kept, rtol=1e-3, atol=1e-6), name  # what fp16 keeps
    condition = torch.eye(slots.COUNT)[:4]
    with torch.no_grad():
        got, want = again.eval()(mesh[0], condition, mesh[1]), model(mesh[0], condition, mesh[1])
    assert (got - want).abs().max() < 0.02 * want.abs().max()


def test_a_file_that_is_no_published_model_is_refused(tmp_path: pathlib.Path) -> None:
    shape = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    other = onnx.helper.make_graph([], "g", [shape], [shape])
    onnx.save(onnx.helper.make_model(other), str(tmp_path / "other.onnx"))
    with pytest.raises(ValueError, match="other.onnx is not a model of training.export"):
        published.weights_of(tmp_path / "other.onnx")


def test_metadata_names_every_slot() -> None:
    values = export.metadata("2026.11.1", 33)
    assert values["blendwire.features"] == "33"
    assert json.loads(values["blendwire.margins"]) == list(margins.NAMES)
    assert set(json.loads(values["blendwire.contact"])) <= set(slots.SLOTS)
    assert json.loads(values["blendwire.condition_slots"]) == slots.SLOTS
    assert values["blendwire.contract"] == "1"


def motion_batch() -> tuple[dict, "torch.Tensor", "network.Encoding", tuple]:
    """(batch, raw, encoding, (scale, spread, slot_scale)) of random numbers."""
    generator = torch.Generator().manual_seed(4)
    shape = (2, 50, 3, slots.COUNT)
    truth, raw = (torch.randn(shape, generator=generator) for _ in range(2))
    scale, spread = torch.tensor([0.2, 0.3]).view(2, 1, 1), torch.tensor([0.1, 0.4]).view(2, 1, 1)
    slot_scale = torch.rand(slots.COUNT, generator=generator) + 0.5
    batch = {
        "offsets": truth,
        "contact": torch.rand(2, 50, generator=generator),
        "margins": torch.rand(2, 50, margins.COUNT, generator=generator),
        "still": (torch.rand(2, 50, generator=generator) < 0.3).float(),
        "joined": torch.ones(2, 25),
        "slot_weight": torch.ones(2, slots.COUNT),
        "canonical": torch.zeros(2, 50, 3),
        "canonical_weight": torch.ones(2, 50),
    }
    encoding = network.Encoding(raw[:, :, 0], scale, None, None, None, torch.zeros(2, 50, 3))
    return batch, raw, encoding, (scale, spread, slot_scale)


def test_motion_loss_measures_what_it_says() -> None:
    batch, raw, encoding, (scale, spread, slot_scale) = motion_batch()
    truth, importance = batch["offsets"], torch.ones(slots.COUNT)
    _, report = losses.motion_loss(
        raw, encoding, batch, spread, slot_scale, importance, losses.Weights()
    )
    predicted = raw * (scale / spread).unsqueeze(3)
    wanted = truth / (spread.unsqueeze(3) * slot_scale)
    weight = 1 + losses._CONTACT * torch.maximum(batch["contact"], batch["margins"].amax(2))
    weight = (weight / weight.sum(1, keepdim=True)).view(2, 50, 1, 1)
    error = ((predicted - wanted) ** 2 * weight).sum((1, 2))
    size = (wanted**2 * weight).sum((1, 2))
    got = (predicted**2 * weight).sum((1, 2))
    cosine = (predicted * wanted * weight).sum((1, 2)) / torch.sqrt(size * got)
    fit = torch.sqrt(error / (size + losses._FLOOR) + 1e-3)
    assert report["fit"] == pytest.approx(fit.mean().item(), rel=1e-4)
    assert report["direction"] == pytest.approx(1 - cosine.mean().item(), abs=1e-5)
    amplitude = (0.5 * torch.log(got / size)).clamp(-2, 2) ** 2
    assert report["amplitude"] == pytest.approx(amplitude.mean().item(), rel=1e-2)
    still = batch["still"].view(2, 50, 1)
    spilt = (predicted.norm(dim=2) * still).sum(1) / (wanted.norm(dim=2).sum(1) + 1)
    assert report["spill"] == pytest.approx(spilt.mean().item(), rel=1e-3)
    flip = torch.tensor([-1.0, 1.0, 1.0]).view(1, 3, 1)
    seen = predicted[1][:, :, slots.mirror_permutation().tolist()] * flip
    lopsided = ((predicted[0] - seen) ** 2 * weight[0]).sum((0, 1)) / (size[0] + losses._FLOOR)
    assert report["lopsided"] == pytest.approx((lopsided + 1e-3).sqrt().mean().item(), rel=1e-4)
    flat = weight.view(2, 50, 1, 1)
    both = flat[:, :25] + flat[:, 25:]
    apart, got_apart = (f[:, :25] - f[:, 25:] for f in (wanted, predicted))
    uneven = ((got_apart - apart) ** 2 * both).sum((1, 2)) / (apart**2 * both).sum((1, 2))
    assert report["uneven"] == pytest.approx(uneven.sqrt().mean().item(), rel=1e-2)
    vowels = [slots.INDEX["viseme_" + v] for v in ("aa", "E", "ih", "oh", "ou")]
    grams = []
    for field in (predicted, wanted):
        rows = (field[..., vowels] * weight.sqrt()).permute(0, 3, 1, 2).flatten(2)
        rows = rows / rows.norm(dim=2, keepdim=True)
        grams.append(rows @ rows.transpose(1, 2))
    expected = ((grams[0] - grams[1]) ** 2).mean().item()
    assert report["vowels"] == pytest.approx(expected, rel=1e-2)


def test_motion_loss_is_least_for_the_artists_own_motion() -> None:
    batch, _, encoding, (scale, spread, slot_scale) = motion_batch()
    batch["offsets"] = batch["offsets"] * (1 - batch["still"]).view(2, 50, 1, 1)
    mirror = slots.mirror_permutation().tolist()
    batch["offsets"][1] = batch["offsets"][0][:, :, mirror] * torch.tensor([-1.0, 1, 1]).view(3, 1)
    for name in ("contact", "margins", "still"):
        batch[name][1] = batch[name][0]
    scale, spread = scale[:1].expand(2, 1, 1), spread[:1].expand(2, 1, 1)
    encoding.scale, slot_scale = scale, 0.5 * (slot_scale + slot_scale[mirror])
    own = batch["offsets"] / (spread.unsqueeze(3) * slot_scale) / (scale / spread).unsqueeze(3)
    importance, weights = torch.ones(slots.COUNT), losses.Weights()

    def total(raw) -> float:
        return float(
            losses.motion_loss(raw, encoding, batch, spread, slot_scale, importance, weights)[0]
        )

    best = total(own)
    assert best < 0.1
    assert total(own * 0.6) > best + 0.1
    assert total(own.flip(1)) > best + 0.5
    spilt = own + batch["still"].view(2, 50, 1, 1) * 0.2
    assert total(spilt) > best + 0.01


def test_a_written_file_is_read_and_asked_as_evaluation_does(model, mesh, tmp_path) -> None:
    pytest.importorskip("onnxruntime")
    path = tmp_path / "face.onnx"
    export.write(model.model, path, "7")
    assert path.stat().st_size < 3 * 2**20
    predict = predictors.OnnxFile(path)
    vertices, normals = (x[0].numpy() for x in mesh)
    with torch.no_grad():
        every = torch.eye(slots.COUNT)
        expected = model(mesh[0], every, mesh[1]).numpy()
        bare = model(mesh[0], every, mesh[1] * 0).numpy()
    none = np.zeros((0, 3), int)
    got = predict(vertices, normals, none)
    assert got.shape == (300, slots.COUNT, 3)
    for answer, wanted in ((got, expected), (predict(vertices, None, none), bare)):
        error = np.abs(np.moveaxis(answer, 1, 0) - wanted).max()
        assert error < 0.01 * np.abs(wanted).max()  # weights are stored as fp16
    assert predict.margins(vertices, normals).shape == (300, margins.COUNT)
