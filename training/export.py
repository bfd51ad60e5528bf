# SPDX-License-Identifier: Apache-2.0
"""Writes the ONNX model: `python3 -m training.export --run RUN --out models/default.onnx`.

Inputs vertices and normals [1 or B,N,3], condition [B,K]; output offsets [B,N,3]; N and B dynamic.
Weights are stored as fp16 and cast to fp32 when the model is loaded.
"""

from __future__ import annotations

import argparse
import json
import pathlib

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import torch

from . import network, slots

OPSET = 16
_KEEP_FP32_BELOW = 256  # elements; biases and constants cost nothing and keep their precision


class Exported(torch.nn.Module):
    """The graph: offsets for every condition over one mesh, or one mesh per condition."""

    def __init__(self, model: network.FaceNetwork) -> None:
        super().__init__()
        self.model = model

    def forward(self, vertices: torch.Tensor, condition: torch.Tensor, normals: torch.Tensor):
        return self.model.conditioned(self.model.encode(vertices, normals), condition)


def load_network(path: pathlib.Path) -> network.FaceNetwork:
    """The running average of a checkpoint's weights."""
    state = torch.load(path, map_location="cpu")["average"]
    model = network.FaceNetwork(
        state["mean_marks"],
        state["region_weights"],
        state["slot_scale"],
        width=state["offsets.weight"].shape[1],
    )
    model.load_state_dict(state)
    return model.eval()


def store_as_fp16(model: onnx.ModelProto) -> None:
    """Turns large fp32 initializers into fp16 ones with a Cast behind each, in place."""
    casts = []
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < _KEEP_FP32_BELOW:
            continue
        name = tensor.name
        half = onnx.numpy_helper.from_array(values.astype(np.float16), name + "_fp16")
        tensor.CopyFrom(half)
        casts.append(
            onnx.helper.make_node(
                "Cast", [name + "_fp16"], [name], name=name + "_cast", to=onnx.TensorProto.FLOAT
            )
        )
    nodes = casts + list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def metadata(version: str) -> dict[str, str]:
    return {
        "blendwire.contract": "1",
        "blendwire.title": "Blendwire default face",
        "blendwire.version": version,
        "blendwire.condition_slots": json.dumps(slots.SLOTS),
        "blendwire.max_batch": "0",
        "blendwire.license": "Apache-2.0",
        "blendwire.coordinates": "metres, Z up, facing -Y",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=pathlib.Path, required=True, help="a run of training.train")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--version", default="2026.11.1")
    arguments = parser.parse_args()
    model = Exported(load_network(arguments.run / "checkpoint.pt"))
    example = (torch.randn(1, 64, 3), torch.rand(3, slots.COUNT), torch.randn(1, 64, 3))
    torch.onnx.export(
        model,
        example,
        str(arguments.out),
        opset_version=OPSET,
        input_names=["vertices", "condition", "normals"],
        output_names=["offsets"],
        dynamic_axes={
            "vertices": {0: "M", 1: "N"},
            "condition": {0: "B"},
            "normals": {0: "M", 1: "N"},
            "offsets": {0: "B", 1: "N"},
        },
    )
    stored = onnx.load(str(arguments.out))
    store_as_fp16(stored)
    onnx.helper.set_model_props(stored, metadata(arguments.version))
    onnx.checker.check_model(stored)
    onnx.save(stored, str(arguments.out))
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
