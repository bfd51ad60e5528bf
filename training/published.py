# SPDX-License-Identifier: Apache-2.0
"""The weights of an exported model, to train on from a published file where no checkpoint is left.

graph.build keeps most weights under their names and folds some into products; this undoes that. The
file holds fp16, so the network is the published one, not its rounded-off beginnings.
"""

from __future__ import annotations

import pathlib

import onnx
import onnx.numpy_helper
import torch

from . import slots

_POINTS = 6  # place_in's first inputs: position and normal
_TOWARD = 3.0  # chunked.Shared folds this factor in


def _stored(path: pathlib.Path) -> dict[str, torch.Tensor]:
    """Initializers by name, in fp32."""
    tensors = {}
    for tensor in onnx.load(str(path)).graph.initializer:
        values = torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())
        if values.is_floating_point():
            tensors[tensor.name.removesuffix("_fp16")] = values.float()
    return tensors


def _only(tensors: dict[str, torch.Tensor], piece: str, *shape: int) -> torch.Tensor:
    """The one weight of a piece that has this shape, and that tracing gave a name of its own."""
    found = [
        value
        for name, value in tensors.items()
        if name.startswith(piece + "/onnx::") and tuple(value.shape) == shape
    ]
    if len(found) != 1:
        raise ValueError(f"{len(found)} weights of the shape {shape} in {piece}, instead of one")
    return found[0]


def weights_of(path: pathlib.Path) -> dict[str, torch.Tensor]:
    """A state for FaceNetwork.load_state_dict(strict=False). The mean landmarks and the regions'
    weights are not in it: they belong to the data.

    ValueError where the file is not an export of this architecture.
    """
    tensors = _stored(path)
    state = {}
    for name, value in tensors.items():
        piece, _, own = name.partition("/")
        if own.startswith("model."):
            state[own.removeprefix("model.")] = value
        elif own.startswith("layers."):
            state[f"{piece}.{own.removeprefix('layers.')}"] = value
    if "sharpness" not in state or "place_in.bias" not in state:
        raise ValueError(f"{path} is not a model of training.export")
    count, width = len(state["sharpness"]), len(state["place_in.bias"])
    toward = _only(tensors, "shared", 3, count, width) / _TOWARD
    close = _only(tensors, "shared", 1, count, width)[0]
    first = _only(tensors, "shared", 1, _POINTS, width)[0]
    state["place_in.weight"] = torch.cat([first, close, toward.flatten(0, 1)]).t()
    state["move_in.weight"] = _only(tensors, "shared", 1, width + 27, width)[0].t()
    offsets = _only(tensors, "decode", slots.COUNT, 3 * width).view(slots.COUNT, width, 3)
    state["offsets.weight"] = offsets.permute(2, 0, 1).reshape(3 * slots.COUNT, width)
    state["offsets.bias"] = _only(tensors, "decode", slots.COUNT, 3).t().reshape(-1)
    inner, outer = (v for n, v in tensors.items() if n.startswith("rims/onnx::"))
    state["margin_in.weight"], state["margin_in.bias"] = inner[:-1].t(), inner[-1]
    state["margin_out.weight"] = outer.t()
    return {name: value.contiguous() for name, value in state.items()}
