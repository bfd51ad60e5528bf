# SPDX-License-Identifier: Apache-2.0
"""Puts the pieces of chunked.py together as one ONNX graph.

PyTorch traces each piece; here they become the bodies of `Scan` (chunk after chunk) and the branches
of an `If` that skips the encoder where its result is given. Weights stay outside of all bodies, so
that whatever is done to them on loading is done once.
"""

from __future__ import annotations

import dataclasses
import pathlib
import tempfile
from collections.abc import Sequence

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import torch
from torch import nn

from . import chunked, margins, slots
from .network import REGIONS, ROUNDS, FaceNetwork

OPSET = 16
_FLOAT = onnx.TensorProto.FLOAT


class Decoder(nn.Module):
    """One mesh's features and conditions to offsets [B,N,3]."""

    def __init__(self, model: FaceNetwork) -> None:
        super().__init__()
        self.model = model

    def forward(self, encoded: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        return self.model.decoded(encoded, condition)


class Rims(nn.Module):
    """One mesh's features to margins [1,N,4]."""

    def __init__(self, model: FaceNetwork) -> None:
        super().__init__()
        self.model = model

    def forward(self, encoded: torch.Tensor) -> torch.Tensor:
        return self.model.margins_of(encoded)


@dataclasses.dataclass
class Piece:
    """Traced nodes and weights; names other than inputs and outputs are its own."""

    nodes: list[onnx.NodeProto]
    weights: list[onnx.TensorProto]
    inputs: list[str]
    outputs: list[str]

    def again(self, name: str, renamed: dict[str, str]) -> Piece:
        """The same nodes with the same weights once more. Inputs and outputs are `renamed`, what
        lies between gets the prefix `name`."""
        own = {output for node in self.nodes for output in node.output}
        nodes = []
        for node in self.nodes:
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            copy.name = f"{name}/{node.name}"
            for names in (copy.input, copy.output):
                names[:] = [renamed.get(n, f"{name}/{n}" if n in own else n) for n in names]
            nodes.append(copy)

        def called(names: list[str]) -> list[str]:
            return [renamed.get(n, n) for n in names]

        return Piece(nodes, [], called(self.inputs), called(self.outputs))


# The axes of what passes between the pieces; an axis that is not named has a fixed length.
_AXES = {
    "vertices": {0: "M", 1: "N"},
    "normals": {0: "M", 1: "N"},
    "chunks": {0: "C", 1: "M", 2: "c"},
    "chunk": {0: "M", 1: "c"},
    "packed": {0: "C", 1: "M", 2: "c"},
    "packed_chunk": {0: "M", 1: "c"},
    "encoded": {0: "M", 1: "N"},
    "condition": {0: "B"},
    "offsets": {0: "B", 1: "N"},
    "margins": {0: "M", 1: "N"},
}


def _axes(name: str) -> dict[int, str]:
    return _AXES.get(name, {0: "M"})


def _traced(
    module: nn.Module, name: str, values: dict[str, torch.Tensor], outputs: Sequence[str]
) -> tuple[Piece, dict[str, torch.Tensor]]:
    """The module as nodes, and its outputs for the example `values` (input name -> tensor)."""
    example = tuple(values.values())
    with torch.no_grad():
        results = module(*example)
    results = results if isinstance(results, tuple) else (results,)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "piece.onnx"
        torch.onnx.export(
            module,
            example,
            str(path),
            opset_version=OPSET,
            input_names=list(values),
            output_names=list(outputs),
            dynamic_axes={key: _axes(key) for key in [*values, *outputs]},
        )
        traced = onnx.load(str(path)).graph
    kept = {"", *values, *outputs}

    def rename(names: list[str]) -> list[str]:
        return [key if key in kept else f"{name}/{key}" for key in names]

    for node in traced.node:
        node.name = f"{name}/{node.name}"
        node.input[:], node.output[:] = rename(node.input), rename(node.output)
    for weight in traced.initializer:
        weight.name = f"{name}/{weight.name}"
    piece = Piece(list(traced.node), list(traced.initializer), list(values), list(outputs))
    return piece, dict(zip(outputs, results))


def _value(name: str) -> onnx.ValueInfoProto:
    return onnx.helper.make_tensor_value_info(name, _FLOAT, None)


def _scan(piece: Piece, output: str, state: str | None) -> onnx.NodeProto:
    """The piece over all `chunks`: its first input and its output are the state, if there is
    one."""
    body_inputs = [piece.inputs[0], "chunk"] if state else ["chunk"]
    name = f"{output}/scan"
    body = onnx.helper.make_graph(
        piece.nodes, name, [_value(n) for n in body_inputs], [_value(n) for n in piece.outputs]
    )
    inputs = [state, "chunks"] if state else ["chunks"]
    return onnx.helper.make_node("Scan", inputs, [output], name=name, body=body, num_scan_inputs=1)


class _Encoder:
    """Traces the pieces one after the other, each with the results of those before."""

    def __init__(self, model: FaceNetwork) -> None:
        generator = torch.Generator().manual_seed(0)
        points = torch.randn(2, 2, 300, 3, generator=generator)
        self.values: dict[str, torch.Tensor] = {"vertices": points[0], "normals": points[1]}
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.pieces: dict[str, Piece] = {}
        self._run(chunked.Prepare(), "prepare", "vertices normals", "chunks radius none")
        self.values["chunk"] = self.values["chunks"][0]
        self._repeat_zeros()
        self._pool(chunked.Whole(model), "whole", "none", "", "whole/code")
        self._run(
            chunked.WholeMarks(model), "whole_marks", "whole/code", "marks/0 center/0 spread/0"
        )
        for k in range(1, ROUNDS + 1):
            self._look(model, k)
        self._run(
            chunked.Shared(model),
            "shared",
            f"near/{k} regions/{k} marks/{k} spread/{k} radius",
            "scale place move",
        )
        given = f"center2/{k} spread2/{k} middles/{k} marks/{k} center/{k} spread/{k}"
        piece = self._trace(
            chunked.Vertices(model), "vertex", f"chunk {given} scale place move", "packed_chunk"
        )
        self.nodes.append(_scan(piece, "packed", None))
        self.values["packed"] = self.values["packed_chunk"][:1].unsqueeze(0)
        self._run(chunked.Gather(), "gather", "packed vertices", "encode/encoded")

    def _look(self, model: FaceNetwork, k: int) -> None:
        """Round `k` of the second and third stage."""
        before = f"marks/{k - 1} center/{k - 1} spread/{k - 1}"
        frame = f"center2/{k} spread2/{k}"
        self._pool(chunked.Near(model), "near", "none", before, f"near/{k}")
        self._run(
            chunked.NearMarks(model),
            "near_marks",
            f"near/{k} {before}",
            f"marks2/{k} {frame} middles/{k}",
        )
        inside = f"{frame} middles/{k}"
        self._pool(chunked.Regions(model), "regions", "zeros", inside, f"regions/{k}")
        self._run(
            chunked.RegionMarks(model),
            "region_marks",
            f"regions/{k} marks2/{k} {frame}",
            f"marks/{k} center/{k} spread/{k}",
        )

    def _trace(self, module: nn.Module, name: str, inputs: str, outputs: str) -> Piece:
        """The module as nodes. A `name` that was traced before gives the same ones for other inputs
        and outputs, with the same weights."""
        took, gives = inputs.split(), outputs.split()
        if name in self.pieces:
            first = self.pieces[name]
            self.values |= {new: self.values[old] for new, old in zip(gives, first.outputs)}
            renamed = dict(zip(first.inputs + first.outputs, took + gives))
            return first.again(gives[0], renamed)
        values = {key: self.values[key] for key in took}
        piece, results = _traced(module, name, values, gives)
        self.values |= results
        self.weights += piece.weights
        self.pieces[name] = piece
        return piece

    def _run(self, module: nn.Module, name: str, inputs: str, outputs: str) -> None:
        self.nodes += self._trace(module, name, inputs, outputs).nodes

    def _pool(self, module: nn.Module, name: str, start: str, inputs: str, output: str) -> None:
        """`output` is a maximum over all chunks, from the zeros `start`."""
        self.values[output + "/state"] = self.values[start]
        piece = self._trace(module, name, f"{output}/state chunk {inputs}", output + "/pooled")
        self.nodes.append(_scan(piece, output, start))
        self.values[output] = self.values[output + "/pooled"]

    def _repeat_zeros(self) -> None:
        """`zeros` (M, REGIONS * 64) from `none` (M, 160)."""
        index = np.zeros(REGIONS * 64, np.int64)
        self.weights.append(onnx.numpy_helper.from_array(index, "zeros/index"))
        self.nodes.append(
            onnx.helper.make_node("Gather", ["none", "zeros/index"], ["zeros"], axis=1)
        )
        self.values["zeros"] = self.values["none"][:, index]


def _rows(source: str, output: str, end: tuple[int, int]) -> list[onnx.NodeProto]:
    """`output` is source[:, :end[0], :end[1]]."""

    def constant(name: str, *values: int) -> onnx.NodeProto:
        tensor = onnx.numpy_helper.from_array(np.array(values, np.int64))
        return onnx.helper.make_node("Constant", [], [f"{output}/{name}"], value=tensor)

    bounds = [f"{output}/{name}" for name in ("starts", "ends", "axes")]
    return [
        constant("starts", 0, 0),
        constant("ends", *end),
        constant("axes", 1, 2),
        onnx.helper.make_node("Slice", [source, *bounds], [output]),
    ]


def _unless_given(encoder: _Encoder, decoder: Piece, rims: Piece) -> list[onnx.NodeProto]:
    """Nodes that make the outputs. Where `features` has vertices, they are decoded where they lie,
    and nothing else is worked out: margins and encoded have no vertices then."""
    make = onnx.helper.make_node
    width = encoder.values["encode/encoded"].shape[2]
    outputs = ["offsets", "margins", "encoded"]

    def branch(name: str, nodes: list[onnx.NodeProto]) -> onnx.GraphProto:
        return onnx.helper.make_graph(nodes, name, [], [_value(f"{name}/{n}") for n in outputs])

    given = decoder.again("given", {"encoded": "features", "offsets": "given/offsets"}).nodes
    given += _rows("features", "given/margins", (0, margins.COUNT))
    given += _rows("features", "given/encoded", (0, width))
    work = [*encoder.nodes]
    for piece in (decoder, rims):
        renamed = {n: f"encode/{n}" for n in outputs}
        work += piece.again("encode", renamed).nodes
    none = onnx.numpy_helper.from_array(np.array([0], np.int64))
    return [
        make("Constant", [], ["given/none"], value=none),
        make("Shape", ["features"], ["given/count"], start=1, end=2),
        make("Greater", ["given/count", "given/none"], ["given/any"]),
        make(
            "If",
            ["given/any"],
            outputs,
            then_branch=branch("given", given),
            else_branch=branch("encode", work),
        ),
    ]


def build(model: FaceNetwork) -> onnx.ModelProto:
    """The whole graph, weights in fp32."""
    encoder = _Encoder(model)
    width = model.packed_width
    encoded = torch.rand(1, 64, width) + 0.1
    example = {"encoded": encoded, "condition": torch.rand(3, slots.COUNT)}
    decoder, _ = _traced(Decoder(model), "decode", example, ["offsets"])
    rims, _ = _traced(Rims(model), "rims", {"encoded": encoded}, ["margins"])

    def info(name: str, *shape: str | int) -> onnx.ValueInfoProto:
        return onnx.helper.make_tensor_value_info(name, _FLOAT, shape)

    graph = onnx.helper.make_graph(
        _unless_given(encoder, decoder, rims),
        "blendwire",
        [
            info("vertices", 1, "N", 3),
            info("condition", "B", slots.COUNT),
            info("normals", 1, "N", 3),
            info("features", 1, "G", width),
        ],
        [
            info("offsets", "B", "N", 3),
            info("margins", 1, "R", margins.COUNT),
            info("encoded", 1, "R", width),
        ],
        encoder.weights + decoder.weights + rims.weights,
    )
    opset = [onnx.helper.make_opsetid("", OPSET)]
    return onnx.helper.make_model(
        graph, opset_imports=opset, ir_version=8, producer_name="blendwire"
    )
