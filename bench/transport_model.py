# SPDX-License-Identifier: Apache-2.0
"""The transport model: it costs next to nothing, so that what is measured is everything else.

offsets[b,n] = 0.01 * vertices[n] + 0.001 * sum of condition[b]

python bench/transport_model.py FILE.onnx
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CONDITION_SIZE = 64  # the standard layout: docs/model-contract.md
OPSET = 17
IR_VERSION = 8
METADATA = {
    "blendwire.contract": "1",
    "blendwire.version": "transport-1",
    "blendwire.title": "Costs next to nothing",
    "blendwire.max_batch": "0",
}


def write(path: pathlib.Path) -> None:
    constants = {
        "scale": np.float32(0.01),
        "strength": np.full((CONDITION_SIZE, 1), 0.001, np.float32),
        "axis": np.array([1], np.int64),
    }
    nodes = [
        helper.make_node("Mul", ["vertices", "scale"], ["scaled"]),  # [1,N,3]
        helper.make_node("MatMul", ["condition", "strength"], ["sum"]),  # [B,1]
        helper.make_node("Unsqueeze", ["sum", "axis"], ["shift"]),  # [B,1,1]
        helper.make_node("Add", ["scaled", "shift"], ["offsets"]),  # [B,N,3]
    ]

    def value(name: str, shape: list[int | str]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        nodes,
        "transport",
        [value("vertices", ["V", "N", 3]), value("condition", ["B", CONDITION_SIZE])],
        [value("offsets", ["B", "N", 3])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    helper.set_model_props(model, METADATA)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))
