# SPDX-License-Identifier: Apache-2.0
"""The contract contains the specification, field for field, and adds only what nobody can notice.

specification.proto is the specification's own text and must never be changed.
"""

from __future__ import annotations

import hashlib
import pathlib
import tempfile
from collections.abc import Iterator

import pytest
from google.protobuf import descriptor_pb2
from grpc_tools import protoc

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SPECIFICATION = REPOSITORY / "tests/contract/specification.proto"
CONTRACT = REPOSITORY / "proto/vrchat/blendshape/inference/inference.proto"
FIRST_ADDED_FIELD = 16
SPECIFICATION_SHA256 = "95e337455a2a0a76026d4d523d5c00596f713aebadbf8091d41086c5b9c48416"

Message = descriptor_pb2.DescriptorProto
Enum = descriptor_pb2.EnumDescriptorProto


def parse(proto: pathlib.Path) -> descriptor_pb2.FileDescriptorProto:
    """The compiler's own understanding of the file."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "descriptors"
        code = protoc.main(
            ["protoc", f"--proto_path={proto.parent}", f"--descriptor_set_out={out}", proto.name]
        )
        assert code == 0, proto
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file[0]


@pytest.fixture(scope="module")
def specification() -> descriptor_pb2.FileDescriptorProto:
    return parse(SPECIFICATION)


@pytest.fixture(scope="module")
def contract() -> descriptor_pb2.FileDescriptorProto:
    return parse(CONTRACT)


def messages_of(
    file: descriptor_pb2.FileDescriptorProto | Message, prefix: str = ""
) -> Iterator[tuple[str, Message]]:
    """Every message by its full name, nested ones (map entries, too) included."""
    nested = file.nested_type if isinstance(file, Message) else file.message_type
    for message in nested:
        yield prefix + message.name, message
        yield from messages_of(message, f"{prefix}{message.name}.")


def enums_of(file: descriptor_pb2.FileDescriptorProto) -> dict[str, Enum]:
    found = {enum.name: enum for enum in file.enum_type}
    for name, message in messages_of(file):
        found |= {f"{name}.{enum.name}": enum for enum in message.enum_type}
    return found


def test_specification_is_as_it_was_given() -> None:
    assert hashlib.sha256(SPECIFICATION.read_bytes()).hexdigest() == SPECIFICATION_SHA256


def test_files_mean_the_same_package_and_syntax(specification, contract) -> None:
    assert contract.package == specification.package == "vrchat.blendshape.inference"
    assert contract.syntax == specification.syntax == "proto3"


def test_specification_is_not_empty(specification) -> None:
    """So that the comparisons below compare something. A map is a nested message of 2 fields."""
    assert len(list(messages_of(specification))) == 18 + 2
    assert sum(len(message.field) for _, message in messages_of(specification)) == 64 + 2 * 2
    assert len(enums_of(specification)) == 2
    assert [len(service.method) for service in specification.service] == [6]


def test_every_field_is_there_unchanged(specification, contract) -> None:
    ours = dict(messages_of(contract))
    for name, message in messages_of(specification):
        assert name in ours
        assert ours[name].options == message.options, name
        fields = {field.number: field for field in ours[name].field}
        for field in message.field:
            # Name, number, type, label, packing, JSON name, oneof: everything there is.
            assert fields.get(field.number) == field, f"{name}.{field.name}"


def test_additions_start_at_16(specification, contract) -> None:
    theirs = dict(messages_of(specification))
    added = 0
    for name, message in messages_of(contract):
        if name not in theirs:
            continue
        known = {field.number for field in theirs[name].field}
        for field in message.field:
            if field.number not in known:
                added += 1
                assert field.number >= FIRST_ADDED_FIELD, f"{name}.{field.name}"
        assert [one.name for one in message.oneof_decl] == [one.name for one in theirs[name].oneof_decl]
        assert not message.reserved_range and not message.extension_range
    assert added > 0


def test_enums_are_the_same(specification, contract) -> None:
    ours = enums_of(contract)
    for name, enum in enums_of(specification).items():
        assert ours[name] == enum, name


def test_methods_are_the_same(specification, contract) -> None:
    (ours,) = contract.service
    (theirs,) = specification.service
    assert ours.name == theirs.name
    methods = {method.name: method for method in ours.method}
    for method in theirs.method:
        assert methods.get(method.name) == method, method.name


def test_additions_are_the_documented_ones(specification, contract) -> None:
    """A change here is a change of the contract: docs and clients have to follow."""
    known = {name for name, _ in messages_of(specification)}
    assert {name for name, _ in messages_of(contract)} - known == {
        "MeshTopology",
        "SharedMemoryPlace",
        "ShareMemoryRequest",
        "SharedMemoryRegion",
        "BatchPredictionUpdate",
        "LatencySummary",
        "ModelStats",
        "ListModelsRequest",
        "ListModelsResponse",
        "ModelInfo",
    }
    methods = {method.name: method for method in contract.service[0].method}
    added = set(methods) - {method.name for method in specification.service[0].method}
    assert added == {"PredictStream", "ListModels", "ShareMemory"}
    assert methods["PredictStream"].server_streaming and not methods["PredictStream"].client_streaming
