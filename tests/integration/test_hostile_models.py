# SPDX-License-Identifier: Apache-2.0
"""Files that are broken or mean harm: a clear error, the server alive, the old model serving."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from harness import onnx_models
from harness.meshes import grid, offsets_of, request
from harness.onnx_models import constant, contract_inputs, metadata_of, save, transport, value
from harness.server import Server
from harness.stubs import health_pb

MESH = grid()
OFFSETS = value("offsets", ["B", "N", 3])
SECRET = "only the owner of this machine may read this"


def everyday_but(
    path: pathlib.Path,
    inputs: list[onnx.ValueInfoProto] | None = None,
    outputs: list[onnx.ValueInfoProto] | None = None,
    metadata: dict[str, str] | None = None,
    more: list[onnx.NodeProto] | None = None,
    output: str = "offsets",
) -> pathlib.Path:
    nodes, constants = transport(output=output)
    return save(
        path, nodes + (more or []), inputs or contract_inputs(), outputs or [OFFSETS], constants,
        metadata_of("hostile") if metadata is None else metadata,
    )


def cut(path: pathlib.Path, share: float) -> None:
    whole = onnx_models.everyday(path).read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])


def flip_bytes(path: pathlib.Path) -> None:
    data = bytearray(onnx_models.everyday(path).read_bytes())
    for i in range(20, len(data), 37):
        data[i] ^= 0x5A
    path.write_bytes(bytes(data))


def external(path: pathlib.Path, location: str, length: int | None = None) -> None:
    """The everyday model whose weights A are said to lie in another file."""
    model = onnx.load_from_string(onnx_models.everyday(path).read_bytes())
    weights = next(entry for entry in model.graph.initializer if entry.name == "A")
    size = len(weights.raw_data) if length is None else length
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    for key, text in {"location": location, "offset": "0", "length": str(size)}.items():
        entry = weights.external_data.add()
        entry.key, entry.value = key, text
    path.write_bytes(model.SerializeToString())


def external_parent(path: pathlib.Path) -> None:
    (path.parent.parent / "outside.bin").write_bytes((SECRET * 10).encode())
    external(path, "../outside.bin")


def external_absolute(path: pathlib.Path) -> None:
    outside = path.parent.parent / "absolute.bin"
    outside.write_bytes((SECRET * 10).encode())
    external(path, str(outside))


def external_link(path: pathlib.Path) -> None:
    outside = path.parent.parent / "linked.bin"
    outside.write_bytes((SECRET * 10).encode())
    (path.parent / "link.bin").symlink_to(outside)
    external(path, "link.bin")


def external_linked_folder(path: pathlib.Path) -> None:
    outside = path.parent.parent / "elsewhere"
    outside.mkdir()
    (outside / "weights.bin").write_bytes((SECRET * 10).encode())
    (path.parent / "folder").symlink_to(outside)
    external(path, "folder/weights.bin")


def huge_constant(path: pathlib.Path) -> None:
    """A file of some bytes that claims a tensor of 4 TB."""
    nodes, constants = transport()
    claimed = constant("D", np.zeros((onnx_models.HIDDEN, 3), np.float32))
    del claimed.dims[:]
    claimed.dims.extend([2**40, 1])
    constants = [entry for entry in constants if entry.name != "D"] + [claimed]
    save(path, nodes, contract_inputs(), [OFFSETS], constants, metadata_of("huge"))


def huge_at_run(path: pathlib.Path) -> None:
    """Loads without trouble and wants 4 TB in its first run."""
    nodes, constants = transport(output="quick")
    nodes += [
        helper.make_node("ConstantOfShape", ["size"], ["zeros"]),
        helper.make_node("ReduceMax", ["condition"], ["strongest"], keepdims=0),
        helper.make_node("Add", ["zeros", "strongest"], ["large"]),
        helper.make_node("ReduceSum", ["large"], ["sum"], keepdims=0),
        helper.make_node("Add", ["quick", "sum"], ["offsets"]),
    ]
    constants.append(constant("size", np.array([2**40], np.int64)))
    save(path, nodes, contract_inputs(), [OFFSETS], constants, metadata_of("huge"))


def wrong_rows(path: pathlib.Path) -> None:
    """Its output has a vertex more than its input, which only a run shows."""
    nodes, constants = transport(output="quick")
    nodes += [
        helper.make_node("Slice", ["quick", "zero", "one", "axis1"], ["first"]),
        helper.make_node("Concat", ["quick", "first"], ["offsets"], axis=1),
    ]
    constants += [constant("zero", np.array([0], np.int64)), constant("one", np.array([1], np.int64))]
    save(path, nodes, contract_inputs(), [OFFSETS], constants, metadata_of("rows"))


def recursive(path: pathlib.Path) -> None:
    """Subgraphs in subgraphs, 3000 deep: made to exhaust a parser's stack."""
    graph = helper.make_graph(
        [helper.make_node("Identity", ["condition"], ["deep"])], "g", [], [value("deep", [])]
    ).SerializeToString()

    def field(number: int, body: bytes) -> bytes:
        size, varint = len(body), b""
        while size >= 128:
            varint += bytes([size % 128 + 128])
            size //= 128
        return bytes([number * 8 + 2]) + varint + bytes([size]) + body

    for _ in range(3000):
        # AttributeProto {name, type: GRAPH, g} in NodeProto.attribute in GraphProto.node
        attribute = field(1, b"body") + field(6, graph) + b"\xa0\x01\x05"
        graph = field(1, field(4, b"If") + field(5, attribute)) + field(2, b"g")
    path.write_bytes(b"\x08\x08" + field(7, graph) + field(8, b"\x10\x11"))


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    make: Callable[[pathlib.Path], Any]
    text: str  # what the error must say


def with_metadata(**entries: str) -> Callable[[pathlib.Path], Any]:
    keyed = {f"blendwire.{key}": text for key, text in entries.items()}
    return lambda path: everyday_but(path, metadata=keyed)


CANNOT_LOAD = r"ONNX Runtime cannot load .*bad\.onnx: |ended the process that tried it"
CASES = [
    Case("empty", lambda path: path.write_bytes(b""), r"has 0 bytes; an ONNX file has 1 byte to 2 GiB"),
    Case("one-byte", lambda path: path.write_bytes(b"\x00"), CANNOT_LOAD),
    Case("text", lambda path: path.write_text("This is no model.\n" * 50), CANNOT_LOAD),
    Case("zeros", lambda path: path.write_bytes(bytes(100_000)), CANNOT_LOAD),
    Case("noise", lambda path: path.write_bytes(np.random.default_rng(1).bytes(50_000)), CANNOT_LOAD),
    Case("truncated-half", lambda path: cut(path, 0.5), CANNOT_LOAD),
    Case("truncated-end", lambda path: cut(path, 0.98), CANNOT_LOAD),
    Case("flipped", flip_bytes, CANNOT_LOAD),
    Case("recursive", recursive, CANNOT_LOAD),
    Case("no-condition",
        lambda path: save(path, [helper.make_node("Identity", ["vertices"], ["offsets"])],
            [value("vertices", [1, "N", 3])], [value("offsets", [1, "N", 3])], []),
        r'it has no input "condition", but "vertices" \[1,\?,3\]'),
    Case("no-vertices",
        lambda path: save(path, [helper.make_node("Identity", ["condition"], ["offsets"])],
            [value("condition", [1, 64])], [value("offsets", [1, 64])], []),
        r'it has no input "vertices"'),
    Case("other-output-name",
        lambda path: everyday_but(path, outputs=[value("deltas", ["B", "N", 3])], output="deltas"),
        r'it has no output "offsets", but "deltas"'),
    Case("input-too-many",
        lambda path: everyday_but(path, inputs=[*contract_inputs(), value("age", [1])],
            more=[helper.make_node("Identity", ["age"], ["unused"])]),
        r'it has another input, "age" \[1\]'),
    Case("wrong-rank",
        lambda path: everyday_but(path, inputs=[value("vertices", ["N", 3]), value("condition", ["B", 64])]),
        r'its input "vertices" is \[\?,3\]'),
    Case("four-coordinates",
        lambda path: save(path, [helper.make_node("Identity", ["vertices"], ["offsets"]),
                                 helper.make_node("Identity", ["condition"], ["unused"])],
            [value("vertices", [1, "N", 4]), value("condition", ["B", 64])],
            [value("offsets", [1, "N", 4])], []),
        r'its input "vertices" is \[1,\?,4\]'),
    Case("doubles",
        lambda path: save(path, [helper.make_node("Identity", ["vertices"], ["offsets"]),
                                 helper.make_node("Identity", ["condition"], ["unused"])],
            [value("vertices", [1, "N", 3], TensorProto.DOUBLE), value("condition", ["B", 64])],
            [value("offsets", [1, "N", 3], TensorProto.DOUBLE)], []),
        r'its input "vertices" is not a tensor of 32-bit floats'),
    Case("integer-output",
        lambda path: everyday_but(path, outputs=[value("offsets", ["B", "N", 3], TensorProto.INT32)],
            output="quick",
            more=[helper.make_node("Cast", ["quick"], ["offsets"], to=TensorProto.INT32)]),
        r'its output "offsets" is not a tensor of 32-bit floats'),
    Case("strings",
        lambda path: save(path, [helper.make_node("Identity", ["vertices"], ["offsets"]),
                                 helper.make_node("Identity", ["condition"], ["unused"])],
            [value("vertices", [1, "N", 3], TensorProto.STRING), value("condition", ["B", 64])],
            [value("offsets", [1, "N", 3], TensorProto.STRING)], []),
        r'its input "vertices" is not a tensor of 32-bit floats'),
    Case("batch-of-two", lambda path: everyday_but(path, inputs=contract_inputs(batch=2)),
        r"its batch size is fixed to more than 1"),
    Case("condition-size-unexplained",
        lambda path: onnx_models.everyday(path, slots=["a", "b"], metadata=False),
        r"the model's condition has 2 floats, but its metadata names 0 condition slots"),
    Case("too-few-slots-named", with_metadata(condition_slots='["jawOpen"]'),
        r"the model's condition has 64 floats, but its metadata names 1 condition slots"),
    Case("slots-that-are-no-list", with_metadata(condition_slots='{"a": 1}'),
        r"it must be a JSON array of 1 to 4096 names"),
    Case("slots-not-json", with_metadata(condition_slots="[" * 100_000),
        r"it must be a JSON array|metadata"),
    Case("slots-twice", lambda path: onnx_models.everyday(path, slots=["a", "b", "a"]),
        r'the slot "a" stands there twice'),
    Case("slots-that-mean-the-same", lambda path: onnx_models.everyday(path, slots=["jawOpen", "JAWOPEN"]),
        r"."),
    Case("slot-without-name", lambda path: onnx_models.everyday(path, slots=["jawOpen", ""]), r"."),
    Case("negative-batch", with_metadata(max_batch="-3"),
        r'blendwire\.max_batch = "-3"; it must be a whole number from 0'),
    Case("batch-is-text", with_metadata(max_batch="many"), r'blendwire\.max_batch = "many"'),
    Case("endless-version", with_metadata(version="v" * 10_000), r"at most 256 bytes"),
    Case("future-contract", with_metadata(contract="2"), r"this server knows contract 1"),
    Case("custom-op",
        lambda path: save(path, [helper.make_node("Nonexistent", ["vertices", "condition"], ["offsets"],
            domain="com.example")], contract_inputs(), [OFFSETS], []), CANNOT_LOAD),
    Case("unknown-op",
        lambda path: save(path, [helper.make_node("FrobnicateAll", ["vertices", "condition"], ["offsets"])],
            contract_inputs(), [OFFSETS], []), CANNOT_LOAD),
    Case("cycle",
        lambda path: save(path, [helper.make_node("Add", ["b", "vertices"], ["a"]),
                                 helper.make_node("Identity", ["a"], ["b"]),
                                 helper.make_node("Identity", ["b"], ["offsets"])],
            contract_inputs(), [OFFSETS], []), CANNOT_LOAD),
    Case("shapes-that-do-not-fit",
        lambda path: save(path, [helper.make_node("MatMul", ["vertices", "condition"], ["offsets"])],
            contract_inputs(), [OFFSETS], []), r"."),
    Case("more-vertices-out-than-in", wrong_rows, r"a first run of the model failed"),
    Case("huge-constant", huge_constant, CANNOT_LOAD),
    Case("huge-at-run", huge_at_run, r"a first run of the model failed|ended the process"),
    Case("external-parent", external_parent, CANNOT_LOAD),
    Case("external-absolute", external_absolute, CANNOT_LOAD),
    Case("external-link", external_link, CANNOT_LOAD),
    Case("external-linked-folder", external_linked_folder, CANNOT_LOAD),
    Case("external-missing", lambda path: external(path, "nowhere.bin"), CANNOT_LOAD),
    Case("external-device", lambda path: external(path, "/dev/zero"), CANNOT_LOAD),
    Case("external-huge", lambda path: external(path, "bad.onnx", 2**50), CANNOT_LOAD),
    Case("external-percent", lambda path: external(path, "..%2foutside.bin"), CANNOT_LOAD),
]  # fmt: skip


@pytest.fixture(scope="module")
def area(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def hardened(start_shared_server: Callable[..., Server], models: pathlib.Path, area: pathlib.Path) -> Server:
    return start_shared_server("--model", models / "everyday.onnx", "--model-root", area)


@pytest.fixture
def server(hardened: Server) -> Iterator[Server]:
    """Whatever a test did: the same process, the old model with the old answers, and healthy."""
    expected = offsets_of(hardened.predict(request(MESH)))
    pid = hardened.pid
    before = hardened.models()
    yield hardened
    assert hardened.running() and hardened.pid == pid
    np.testing.assert_array_equal(offsets_of(hardened.predict(request(MESH))), expected)
    assert {n: m.sha256 for n, m in hardened.models().items()} == {n: m.sha256 for n, m in before.items()}
    answer = hardened.health.Check(health_pb.HealthCheckRequest(), timeout=60)
    assert answer.status == health_pb.HealthCheckResponse.SERVING


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
@pytest.mark.filterwarnings("ignore")
def test_hostile_file(server: Server, area: pathlib.Path, case: Case) -> None:
    """Loading it under the default model's own name, so that a success would replace that."""
    folder = area / case.name / "models"
    folder.mkdir(parents=True)
    case.make(folder / "bad.onnx")
    with pytest.raises(grpc.RpcError) as caught:
        server.load(folder / "bad.onnx")
    text = caught.value.details()
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT, text
    assert re.search(case.text, text), text
    assert SECRET[:10] not in text
    assert len(text) < 4000


def test_external_data_beside_the_model_is_fine(server: Server, area: pathlib.Path) -> None:
    """Large models are made so; only leaving the folder is refused."""
    folder = area / "honest"
    folder.mkdir()
    whole = onnx.load_from_string(onnx_models.everyday(folder / "m.onnx").read_bytes())
    weights = next(entry for entry in whole.graph.initializer if entry.name == "A")
    (folder / "weights.bin").write_bytes(weights.raw_data)
    external(folder / "m.onnx", "weights.bin")
    assert server.load(folder / "m.onnx", "honest").success
    try:
        expected = offsets_of(server.predict(request(MESH)))
        actual = offsets_of(server.predict(request(MESH, model="honest")))
        np.testing.assert_array_equal(actual, expected)
    finally:
        server.unload("honest")


def test_file_that_crashes_the_process_that_opens_it(
    server: Server, area: pathlib.Path
) -> None:
    """The trial happens in a child: the server's own process never opens a file before that. Shown
    by the child's own limit of memory, which huge_at_run meets, while the server's stays flat."""
    folder = area / "trial"
    folder.mkdir()
    huge_at_run(folder / "bad.onnx")
    before = server.resident_mib()
    with pytest.raises(grpc.RpcError):
        server.load(folder / "bad.onnx", "x")
    assert server.resident_mib() - before < 20


def test_unreadable_file(server: Server, area: pathlib.Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root can read every file")
    path = onnx_models.everyday(area / "unreadable.onnx")
    path.chmod(0)
    with pytest.raises(grpc.RpcError) as caught:
        server.load(path, "x")
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
