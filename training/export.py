# SPDX-License-Identifier: Apache-2.0
"""Writes the ONNX model: `python3 -m training.export --run RUN --out models/default.onnx`.

Inputs vertices and normals [1,N,3], condition [B,K], features [1, 0 or N, F]; outputs offsets
[B,N,3], margins [1,N,4] and encoded [1,N,F]; N and B dynamic. Encoding a mesh takes
by far the longest: whoever gives `encoded` back as `features` (otherwise with no vertices) skips
it. Weights are stored as fp16 and cast to fp32 when the model is loaded.

`--restamp MODEL.onnx` instead of `--run` writes a model again with the same graph and weights and
today's metadata.
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

from . import closing, graph, margins, network, slots

_KEEP_FP32_BELOW = 256  # elements; biases and constants cost nothing and keep their precision


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


def metadata(version: str, width: int) -> dict[str, str]:
    return {
        "blendwire.contract": "1",
        "blendwire.title": "Blendwire default face",
        "blendwire.version": version,
        "blendwire.condition_slots": json.dumps(slots.SLOTS),
        "blendwire.max_batch": "0",
        "blendwire.features": str(width),
        "blendwire.margins": json.dumps(margins.NAMES),
        "blendwire.contact": json.dumps(closing.CONTACT),
        "blendwire.mirror": "average",
        "blendwire.solids": "rigid",
        "blendwire.max_stretch": "3",
        "blendwire.license": "Apache-2.0",
        "blendwire.coordinates": "metres, Z up, facing -Y",
    }


def write(model: network.FaceNetwork, path: pathlib.Path, version: str) -> None:
    stored = graph.build(model)
    store_as_fp16(stored)
    onnx.helper.set_model_props(stored, metadata(version, model.packed_width))
    onnx.checker.check_model(stored, full_check=True)
    onnx.save(stored, str(path))
    print(f"{path}: {path.stat().st_size} bytes")


def restamp(source: pathlib.Path, path: pathlib.Path, version: str) -> None:
    """Writes the model `source` again with the same graph and today's metadata."""
    stored = onnx.load(str(source))
    entries = {entry.key: entry.value for entry in stored.metadata_props}
    del stored.metadata_props[:]
    onnx.helper.set_model_props(stored, metadata(version, int(entries["blendwire.features"])))
    onnx.checker.check_model(stored, full_check=True)
    onnx.save(stored, str(path))
    print(f"{path}: {path.stat().st_size} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", type=pathlib.Path, help="a run of training.train")
    source.add_argument("--restamp", type=pathlib.Path, help="a model that was exported before")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--version", default="2026.12.2")
    arguments = parser.parse_args()
    if arguments.restamp:
        restamp(arguments.restamp, arguments.out, arguments.version)
    else:
        write(load_network(arguments.run / "checkpoint.pt"), arguments.out, arguments.version)


if __name__ == "__main__":
    main()
