# SPDX-License-Identifier: Apache-2.0
"""Small models of the contract (docs/model-contract.md), each with one peculiarity, written as ONNX
files when the tests start.

The everyday one moves vertex v under condition c by
    offsets = ((tanh(v A) * (c C)) D) * scale
so that every value of both inputs matters and no two expressions or vertices move alike.
"""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
HIDDEN = 12
STANDARD_SIZE = 64
OWN_SLOTS = ["jawOpen", "viseme_aa", "emotion_Joy", "eyeBlinkLeft", "mySmirk"]

Shape = Sequence[int | str]


def value(name: str, shape: Shape, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, list(shape))


def constant(name: str, array: np.ndarray) -> onnx.TensorProto:
    return numpy_helper.from_array(array, name)


def save(
    path: pathlib.Path,
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    constants: list[onnx.TensorProto],
    metadata: dict[str, str] | None = None,
) -> pathlib.Path:
    """Not checked: some of these files are wrong on purpose."""
    graph = helper.make_graph(nodes, "test", inputs, outputs, constants)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    helper.set_model_props(model, metadata or {})
    path.write_bytes(model.SerializeToString())
    return path


def metadata_of(
    version: str, max_batch: int | None = 0, slots: Sequence[str] | None = None
) -> dict[str, str]:
    entries = {"blendwire.contract": "1", "blendwire.version": version, "blendwire.title": "Test"}
    if max_batch is not None:
        entries["blendwire.max_batch"] = str(max_batch)
    if slots is not None:
        entries["blendwire.condition_slots"] = json.dumps(list(slots))
    return entries


def contract_inputs(
    count: int | str = "N", size: int = STANDARD_SIZE, normals: bool = False, batch: int | str = "B"
) -> list[onnx.ValueInfoProto]:
    inputs = [value("vertices", ["V", count, 3]), value("condition", [batch, size])]
    return inputs + ([value("normals", ["V", count, 3])] if normals else [])


def transport(
    size: int = STANDARD_SIZE, normals: bool = False, seed: int = 5, scale: float = 0.004,
    output: str = "offsets",
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """The everyday model's nodes and weights."""
    random = np.random.default_rng(seed)

    def weights(name: str, *shape: int, spread: float = 1.0) -> onnx.TensorProto:
        return constant(name, random.normal(0, spread, shape).astype(np.float32))

    constants = [
        weights("A", 3, HIDDEN, spread=15.0),
        weights("C", size, HIDDEN),
        weights("D", HIDDEN, 3),
        constant("scale", np.float32(scale)),
        constant("axis1", np.array([1], np.int64)),
    ]
    nodes = [helper.make_node("MatMul", ["vertices", "A"], ["position"])]
    if normals:
        constants.append(weights("E", 3, HIDDEN))
        nodes += [
            helper.make_node("MatMul", ["normals", "E"], ["facing"]),
            helper.make_node("Add", ["position", "facing"], ["place"]),
        ]
    nodes += [
        helper.make_node("Tanh", ["place" if normals else "position"], ["hidden"]),
        helper.make_node("MatMul", ["condition", "C"], ["gains"]),
        helper.make_node("Unsqueeze", ["gains", "axis1"], ["rows"]),
        helper.make_node("Mul", ["hidden", "rows"], ["moved"]),
        helper.make_node("MatMul", ["moved", "D"], ["directions"]),
        helper.make_node("Mul", ["directions", "scale"], [output]),
    ]
    return nodes, constants


def everyday(
    path: pathlib.Path, version: str = "test-1", seed: int = 5, scale: float = 0.004,
    normals: bool = False, max_batch: int | None = 0, slots: Sequence[str] | None = None,
    count: int | str = "N", metadata: bool = True,
) -> pathlib.Path:
    """Any number of expressions in one run (`max_batch` 0)."""
    size = STANDARD_SIZE if slots is None else len(slots)
    nodes, constants = transport(size, normals, seed, scale)
    inputs = contract_inputs(count, size, normals)
    about = metadata_of(version, max_batch, slots) if metadata else None
    return save(path, nodes, inputs, [value("offsets", ["B", count, 3])], constants, about)


def _intensity() -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """`intensity`: [B,1], the standard condition's."""
    constants = [constant("slot2", np.array([2], np.int64))]
    return [helper.make_node("Gather", ["condition", "slot2"], ["intensity"], axis=1)], constants


def slow(path: pathlib.Path, steps: int = 20_000_000, width: int = 64) -> pathlib.Path:
    """The everyday model's answers after `steps * intensity` pointless products of [1,width] and
    [width,width]: far more than any test waits for at intensity 1, none at 0."""
    nodes, constants = transport(output="quick")
    more, of_intensity = _intensity()
    random = np.random.default_rng(3)
    rotation = np.linalg.qr(random.normal(size=(width, width)))[0].astype(np.float32)
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_in"], ["go_out"]),
            helper.make_node("MatMul", ["state_in", "rotation"], ["state_out"]),
        ],
        "body",
        [
            value("step", [], TensorProto.INT64),
            value("go_in", [], TensorProto.BOOL),
            value("state_in", [1, width]),
        ],
        [value("go_out", [], TensorProto.BOOL), value("state_out", [1, width])],
    )
    nodes += more + [
        helper.make_node("ReduceMax", ["intensity"], ["strongest"], keepdims=0),
        helper.make_node("Mul", ["strongest", "steps"], ["wanted"]),
        helper.make_node("Cast", ["wanted"], ["trips"], to=TensorProto.INT64),
        helper.make_node("Expand", ["strongest", "row"], ["state0"]),
        helper.make_node("Loop", ["trips", "yes", "state0"], ["state"], body=body),
        helper.make_node("ReduceSum", ["state"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "nothing"], ["ignored"]),
        helper.make_node("Add", ["quick", "ignored"], ["offsets"]),
    ]
    constants += of_intensity + [
        constant("rotation", rotation),
        constant("steps", np.float32(steps)),
        constant("row", np.array([1, width], np.int64)),
        constant("yes", np.array(True)),
        constant("nothing", np.float32(0)),
    ]
    return save(
        path, nodes, contract_inputs(), [value("offsets", ["B", "N", 3])], constants,
        metadata_of("slow-1", max_batch=None),
    )


def heavy(path: pathlib.Path, width: int = 48, layers: int = 2) -> pathlib.Path:
    """Work that grows with vertices and expressions: `layers` products of [N,width] and
    [width,width] for each expression, as a face model of that size has."""
    random = np.random.default_rng(4)
    nodes, constants = transport(output="quick")
    constants += [
        constant("wide", random.normal(0, 3, (HIDDEN, width)).astype(np.float32)),
        constant("narrow", random.normal(0, 0.003, (width, 3)).astype(np.float32)),
    ]
    nodes.append(helper.make_node("MatMul", ["moved", "wide"], ["h0"]))
    for i in range(layers):
        weights = random.normal(0, width**-0.5, (width, width)).astype(np.float32)
        constants.append(constant(f"W{i}", weights))
        nodes += [
            helper.make_node("MatMul", [f"h{i}", f"W{i}"], [f"p{i}"]),
            helper.make_node("Tanh", [f"p{i}"], [f"h{i + 1}"]),
        ]
    nodes += [
        helper.make_node("MatMul", [f"h{layers}", "narrow"], ["more"]),
        helper.make_node("Add", ["quick", "more"], ["offsets"]),
    ]
    return save(
        path, nodes, contract_inputs(), [value("offsets", ["B", "N", 3])], constants,
        metadata_of("heavy-1"),
    )


def not_a_number(path: pathlib.Path) -> pathlib.Path:
    """NaN above an intensity of 0.5, as a model has that was trained too little: sqrt(0.5 - i)."""
    nodes, constants = transport(output="sane")
    more, of_intensity = _intensity()
    nodes += more + [
        helper.make_node("Sub", ["half", "intensity"], ["below"]),
        helper.make_node("Sqrt", ["below"], ["root"]),
        helper.make_node("Unsqueeze", ["root", "axis1"], ["factor"]),
        helper.make_node("Mul", ["sane", "factor"], ["offsets"]),
    ]
    constants += of_intensity + [constant("half", np.float32(0.5))]
    return save(
        path, nodes, contract_inputs(), [value("offsets", ["B", "N", 3])], constants,
        metadata_of("nan-1"),
    )


def large(path: pathlib.Path, mib: int, version: str) -> pathlib.Path:
    """The everyday model with `mib` MiB of weights beside it that every run reads a little of."""
    nodes, constants = transport(output="quick")
    ballast = np.random.default_rng(6).normal(size=(mib * 2**18 // 64, 64)).astype(np.float32)
    nodes += [
        helper.make_node("ReduceMax", ["condition"], ["strongest"], keepdims=0),
        helper.make_node("Expand", ["strongest", "tall"], ["column"]),
        helper.make_node("MatMul", ["ballast", "column"], ["products"]),
        helper.make_node("ReduceSum", ["products"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "nothing"], ["ignored"]),
        helper.make_node("Add", ["quick", "ignored"], ["offsets"]),
    ]
    constants += [
        constant("ballast", ballast),
        constant("tall", np.array([64, 1], np.int64)),
        constant("nothing", np.float32(0)),
    ]
    return save(
        path, nodes, contract_inputs(), [value("offsets", ["B", "N", 3])], constants,
        metadata_of(version),
    )


def run(path: pathlib.Path, **inputs: np.ndarray) -> np.ndarray:
    """[B,N,3]: ONNX Runtime's Python package on the same file."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    session: Any = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    wanted = {entry.name: entry.shape for entry in session.get_inputs()}
    if "features" in wanted:  # none: the model encodes the mesh
        inputs["features"] = np.zeros((1, 0, wanted["features"][2]), np.float32)
    feeds = {name: array for name, array in inputs.items() if name in wanted}
    return session.run(["offsets"], feeds)[0]


def plain(source: pathlib.Path, path: pathlib.Path) -> pathlib.Path:
    """A copy whose metadata ask for nothing after the network but what is symmetric."""
    model = onnx.load(str(source))
    unwanted = [f"blendwire.{key}" for key in ("margins", "contact", "solids", "max_stretch")]
    kept = [e for e in model.metadata_props if e.key not in unwanted]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    onnx.save(model, str(path))
    return path
