# SPDX-License-Identifier: Apache-2.0
"""Makes the small ONNX models beside this file, which the C++ unit tests load.

Run it with the project's Python environment after a change:

    .venv/bin/python src/model/testdata/make.py

Every model but the broken ones computes something that a test can compute again in a few lines:

    linear.onnx       offsets[b,n] = vertices[n] * condition[b,2] + condition[b,4:7]; any batch
    normals.onnx      offsets[b,n] = normals[n] * condition[b,2]; any batch
    bare.onnx         as linear.onnx, without any metadata
    fixed_count.onnx  as linear.onnx, for exactly 5 vertices and one expression
    slots.onnx        offsets[b,n] = condition[b,0:3] in x, y, z; names its own three slots
    mirror.onnx       as slots.onnx, with the slots smileLeft, smileRight and jawOpen; wants to be
                      averaged with its mirror image
    mirror_places.onnx  its offsets times the vertices
    surface.onnx      the same, not averaged; wants solids to be rigid and edges to be stretched to
                      twice their length at most
    not_finite.onnx   offsets[b,n] = vertices[n] * log(condition[b,4]), so that 0 makes it infinite,
                      or NaN where a coordinate is 0
    encode_once.onnx  as slots.onnx, plus what it encoded of the mesh: vertices * 2. Where that is given
                      back as features, it is vertices * 2 + 1, against the rule, so that a test sees
                      it. margins[n] = encoded[n] and 0.5; the slots close lids and lips
    slow.onnx         as linear.onnx, after some 10^9 turns of a loop: only ever cancelled
    wrong_input.onnx  its mesh input is called "points"
    wrong_type.onnx   its condition is of 64-bit floats
    wrong_slots.onnx  names two slots for a condition of 64 floats
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).resolve().parent
OPSET = 17
Dimension = int | str


def constant(name: str, values: Any, dtype: type) -> onnx.TensorProto:
    """An initializer of the graph."""
    return numpy_helper.from_array(np.asarray(values, dtype=dtype), name)


def column(name: str, start: int, end: int) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Nodes that make `name` [B,1,end-start] of the condition's columns start to end-1."""
    tensors = [
        constant(f"{name}_start", [start], np.int64),
        constant(f"{name}_end", [end], np.int64),
        constant(f"{name}_axis", [1], np.int64),
    ]
    nodes = [
        helper.make_node(
            "Slice",
            ["condition", f"{name}_start", f"{name}_end", f"{name}_axis"],
            [f"{name}_flat"],
        ),
        helper.make_node("Unsqueeze", [f"{name}_flat", f"{name}_axis"], [name]),
    ]
    return nodes, tensors


def save(
    name: str,
    nodes: list[onnx.NodeProto],
    tensors: list[onnx.TensorProto],
    *,
    size: int = 64,
    batch: Dimension = "B",
    count: Dimension = "N",
    mesh: str = "vertices",
    with_normals: bool = False,
    condition_type: int = TensorProto.FLOAT,
    more_inputs: Sequence[onnx.ValueInfoProto] = (),
    more_outputs: Sequence[onnx.ValueInfoProto] = (),
    metadata: dict[str, str] | None = None,
) -> None:
    """Writes one model with the contract's inputs and output."""
    inputs = [
        helper.make_tensor_value_info(mesh, TensorProto.FLOAT, [1, count, 3]),
        helper.make_tensor_value_info("condition", condition_type, [batch, size]),
    ]
    if with_normals:
        inputs.append(helper.make_tensor_value_info("normals", TensorProto.FLOAT, [1, count, 3]))
    inputs += more_inputs
    outputs = [helper.make_tensor_value_info("offsets", TensorProto.FLOAT, [batch, count, 3])]
    outputs += more_outputs
    graph = helper.make_graph(nodes, name, inputs, outputs, tensors)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name=""
    )
    helper.set_model_props(model, metadata or {})
    onnx.checker.check_model(model)
    onnx.save(model, FOLDER / f"{name}.onnx")


def linear(mesh: str = "vertices") -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """offsets = mesh * condition[2] + condition[4:7]."""
    scale_nodes, scale_tensors = column("scale", 2, 3)
    shift_nodes, shift_tensors = column("shift", 4, 7)
    nodes = [
        *scale_nodes,
        *shift_nodes,
        helper.make_node("Mul", [mesh, "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "shift"], ["offsets"]),
    ]
    return nodes, scale_tensors + shift_tensors


def make_working_models() -> None:
    """The models that a test runs."""
    metadata = {
        "blendwire.contract": "1",
        "blendwire.version": "1.2.3",
        "blendwire.title": "Linear",
        "blendwire.max_batch": "0",
    }
    save("linear", *linear(), metadata=metadata)
    save("bare", *linear())
    save("fixed_count", *linear(), batch=1, count=5, metadata={"blendwire.max_batch": "8"})

    nodes, tensors = column("scale", 2, 3)
    nodes.append(helper.make_node("Mul", ["normals", "scale"], ["towards"]))
    # A model may not leave its mesh unused: an optimiser would drop the input.
    tensors.append(constant("zero", 0.0, np.float32))
    nodes.append(helper.make_node("Mul", ["vertices", "zero"], ["nothing"]))
    nodes.append(helper.make_node("Add", ["towards", "nothing"], ["offsets"]))
    save("normals", nodes, tensors, with_normals=True, metadata=metadata)

    nodes, tensors = column("slots", 0, 3)
    tensors.append(constant("zero", 0.0, np.float32))
    nodes.append(helper.make_node("Mul", ["vertices", "zero"], ["nothing"]))
    nodes.append(helper.make_node("Add", ["nothing", "slots"], ["offsets"]))
    slots = '["jawOpen", "viseme_aa", "puppyEyes"]'
    save("slots", nodes, tensors, size=3,
         metadata={"blendwire.condition_slots": slots, "blendwire.max_batch": "2"})
    slots = '["smileLeft", "smileRight", "jawOpen"]'
    metadata = {"blendwire.condition_slots": slots, "blendwire.max_batch": "0",
                "blendwire.mirror": "average"}
    save("mirror", nodes, tensors, size=3, metadata=metadata)
    nodes, tensors = column("slots", 0, 3)
    nodes.append(helper.make_node("Mul", ["vertices", "slots"], ["offsets"]))
    save("mirror_places", nodes, tensors, size=3, metadata=metadata)
    metadata = {"blendwire.condition_slots": slots, "blendwire.max_batch": "0",
                "blendwire.solids": "rigid", "blendwire.max_stretch": "2"}
    save("surface", nodes, tensors, size=3, metadata=metadata)

    nodes, tensors = column("unit", 4, 5)
    nodes.append(helper.make_node("Log", ["unit"], ["logarithm"]))
    nodes.append(helper.make_node("Mul", ["vertices", "logarithm"], ["offsets"]))
    save("not_finite", nodes, tensors, metadata={"blendwire.max_batch": "0"})


def make_encode_once_model() -> None:
    """An encoder behind an If, as training/export.py builds it."""
    width = ["M", "G", 3]

    def branch(name: str, node: onnx.NodeProto) -> onnx.GraphProto:
        output = helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, None)
        return helper.make_graph([node], name, [], [output])

    given = branch("given", helper.make_node("Add", ["features", "one"], ["given_out"]))
    encoder = branch("encoder", helper.make_node("Mul", ["vertices", "two"], ["encoder_out"]))
    nodes, tensors = column("slots", 0, 3)
    tensors += [
        constant("one", 1.0, np.float32),
        constant("two", 2.0, np.float32),
        constant("none", 0, np.int64),
        constant("half", [0.5], np.float32),
        constant("one_wide", [1], np.int64),
    ]
    nodes += [
        helper.make_node("Shape", ["features"], ["given_count"], start=1, end=2),
        helper.make_node("Squeeze", ["given_count"], ["given_scalar"]),
        helper.make_node("Greater", ["given_scalar", "none"], ["given_any"]),
        helper.make_node("If", ["given_any"], ["encoded"], then_branch=given, else_branch=encoder),
        helper.make_node("Add", ["encoded", "slots"], ["offsets"]),
        helper.make_node("Shape", ["encoded"], ["mesh_size"], start=0, end=2),
        helper.make_node("Concat", ["mesh_size", "one_wide"], ["margin_size"], axis=0),
        helper.make_node("Expand", ["half", "margin_size"], ["halves"]),
        helper.make_node("Concat", ["encoded", "halves"], ["margins"], axis=2),
    ]
    save(
        "encode_once", nodes, tensors, size=3,
        more_inputs=[helper.make_tensor_value_info("features", TensorProto.FLOAT, width)],
        more_outputs=[
            helper.make_tensor_value_info("encoded", TensorProto.FLOAT, ["M", "N", 3]),
            helper.make_tensor_value_info("margins", TensorProto.FLOAT, ["M", "N", 4]),
        ],
        metadata={
            "blendwire.condition_slots": '["jawOpen", "viseme_PP", "eyeBlinkLeft"]',
            "blendwire.max_batch": "0",
            "blendwire.features": "3",
            "blendwire.margins": '["upper_lid", "lower_lid", "upper_lip", "lower_lip"]',
            "blendwire.contact": '{"viseme_PP": {"lips": 1}, "eyeBlinkLeft": {"left_lid": 0.9}}',
        },
    )


def make_slow_model() -> None:
    """A loop whose turns a run can be stopped between."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["go_on_out"]),
            helper.make_node("Add", ["sum", "sum_step"], ["sum_out"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, ["B", "N", 3]),
        ],
        [
            helper.make_tensor_value_info("go_on_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum_out", TensorProto.FLOAT, ["B", "N", 3]),
        ],
        [constant("sum_step", 1e-12, np.float32)],
    )
    nodes, tensors = linear()
    nodes[-1].output[0] = "start"
    tensors += [
        constant("turns", 10**9, np.int64),
        constant("yes", True, np.bool_),
    ]
    nodes.append(helper.make_node("Loop", ["turns", "yes", "start"], ["offsets"], body=body))
    save("slow", nodes, tensors, metadata={"blendwire.max_batch": "0"})


def make_broken_models() -> None:
    """The models that must be refused."""
    save("wrong_input", *linear("points"), mesh="points")

    nodes, tensors = linear()
    for node in nodes:
        node.input[:] = ["narrow" if name == "condition" else name for name in node.input]
    nodes.insert(0, helper.make_node("Cast", ["condition"], ["narrow"], to=TensorProto.FLOAT))
    save("wrong_type", nodes, tensors, condition_type=TensorProto.DOUBLE)

    save("wrong_slots", *linear(), metadata={"blendwire.condition_slots": '["jawOpen", "aa"]'})


def main() -> None:
    """Writes all models."""
    make_working_models()
    make_encode_once_model()
    make_slow_model()
    make_broken_models()
    for file in sorted(FOLDER.glob("*.onnx")):
        print(f"{file.name}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
