# SPDX-License-Identifier: Apache-2.0
"""Promises of the ONNX contract, on an untrained network."""

import json
import pathlib

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from training import export, losses, network, slots  # noqa: E402


@pytest.fixture(scope="module")
def model() -> "export.Exported":
    torch.manual_seed(0)
    marks = torch.randn(12, 3) * 0.3
    weights = torch.softmax(torch.randn(network.REGIONS, 12), 1)
    return export.Exported(network.FaceNetwork(marks, weights, torch.rand(slots.COUNT), 32)).eval()


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


@pytest.mark.parametrize("count", [1, 2, 5])
def test_tiny_and_degenerate_meshes_give_numbers(model, count: int) -> None:
    condition = torch.rand(2, slots.COUNT)
    with torch.no_grad():
        for vertices in (torch.randn(1, count, 3), torch.ones(1, count, 3)):
            assert torch.isfinite(model(vertices, condition, torch.zeros(1, count, 3))).all()


def test_fp16_storage_changes_weights_by_their_rounding_only(tmp_path: pathlib.Path) -> None:
    values = np.random.default_rng(0).normal(0, 1, (40, 40)).astype(np.float32)
    weight = onnx.numpy_helper.from_array(values, "w")
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [node],
        "g",
        [info("x", onnx.TensorProto.FLOAT, [1, 40])],
        [info("y", onnx.TensorProto.FLOAT, [1, 40])],
        [weight],
    )
    opset = [onnx.helper.make_opsetid("", export.OPSET)]
    model = onnx.helper.make_model(graph, opset_imports=opset)
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


def test_metadata_names_every_slot() -> None:
    values = export.metadata("2026.11.1")
    assert json.loads(values["blendwire.condition_slots"]) == slots.SLOTS
    assert values["blendwire.contract"] == "1"


def test_motion_loss_measures_what_it_says() -> None:
    generator = torch.Generator().manual_seed(4)
    shape = (2, 50, 3, slots.COUNT)
    truth, raw = (torch.randn(shape, generator=generator) for _ in range(2))
    scale, spread = torch.tensor([0.2, 0.3]).view(2, 1, 1), torch.tensor([0.1, 0.4]).view(2, 1, 1)
    slot_scale = torch.rand(slots.COUNT, generator=generator) + 0.5
    touching = torch.rand(2, 50, generator=generator)
    batch = {
        "offsets": truth,
        "contact": touching,
        "slot_weight": torch.ones(2, slots.COUNT),
        "canonical": torch.zeros(2, 50, 3),
        "canonical_weight": torch.ones(2, 50),
    }
    encoding = network.Encoding(raw[:, :, 0], scale, None, None, torch.zeros(2, 50, 3))
    importance = torch.ones(slots.COUNT)
    weights = losses.Weights()
    _, report = losses.motion_loss(raw, encoding, batch, spread, slot_scale, importance, weights)
    predicted = raw * (scale / spread).unsqueeze(3)
    wanted = truth / (spread.unsqueeze(3) * slot_scale)
    weight = 1 + losses._CONTACT * touching
    weight = (weight / weight.sum(1, keepdim=True)).view(2, 50, 1, 1)
    error = ((predicted - wanted) ** 2 * weight).sum((1, 2))
    size = (wanted**2 * weight).sum((1, 2))
    dot = (predicted * wanted * weight).sum((1, 2))
    cosine = dot / torch.sqrt(size * (predicted**2 * weight).sum((1, 2)))
    relative = torch.sqrt(error / (size + losses._FLOOR))
    assert report["relative"] == pytest.approx(relative.mean().item(), rel=1e-4)
    assert report["cosine"] == pytest.approx(cosine.mean().item(), abs=1e-5)
