# SPDX-License-Identifier: Apache-2.0
"""Programs of an older release go on working with a newer server, and the other way round: nothing
that was recorded of the contract may be removed, renumbered or change its type.

recorded_contract.txtpb is what protoc made of the contract at the last release. After a change that
only adds:

    python tests/contract/test_upgrade.py --record
"""

from __future__ import annotations

import copy
import pathlib
import sys
from collections.abc import Callable, Iterator

import pytest
from google.protobuf import descriptor_pb2, text_format
from test_contract import CONTRACT, enums_of, messages_of, parse

RECORDED = pathlib.Path(__file__).resolve().parent / "recorded_contract.txtpb"

File = descriptor_pb2.FileDescriptorProto
Message = descriptor_pb2.DescriptorProto
# What a field is on the wire, and in JSON.
FIELD_TRAITS = ("name", "type", "type_name", "label", "json_name", "proto3_optional")


def recorded() -> File:
    return text_format.Parse(RECORDED.read_text(), File())


def lost_fields(name: str, was: Message, now: Message) -> Iterator[str]:
    fields = {field.number: field for field in now.field}
    for field in was.field:
        found = fields.get(field.number)
        if found is None:
            yield f"{name}.{field.name} = {field.number} is gone"
            continue
        for trait in FIELD_TRAITS:
            if getattr(found, trait) != getattr(field, trait):
                yield f"{name}.{field.name}: {trait} has changed"
        if found.HasField("oneof_index") != field.HasField("oneof_index"):
            yield f"{name}.{field.name}: has moved into or out of a oneof"
        if (found.options.packed, found.options.deprecated) != (
            field.options.packed,
            field.options.deprecated,
        ):
            yield f"{name}.{field.name}: its options have changed"


def lost_methods(was: File, now: File) -> Iterator[str]:
    services = {service.name: service for service in now.service}
    for service in was.service:
        if service.name not in services:
            yield f"service {service.name} is gone"
            continue
        methods = {method.name: method for method in services[service.name].method}
        for method in service.method:
            if methods.get(method.name) != method:
                yield f"{service.name}.{method.name} is gone or has changed"


def losses(was: File, now: File) -> list[str]:
    """What a program that was built with `was` would miss in `now`."""
    found = []
    if (was.package, was.syntax) != (now.package, now.syntax):
        found.append("package or syntax has changed")
    messages = dict(messages_of(now))
    for name, message in messages_of(was):
        if name in messages:
            found += lost_fields(name, message, messages[name])
        else:
            found.append(f"message {name} is gone")
    enums = enums_of(now)
    for name, enum in enums_of(was).items():
        values = {value.number: value.name for value in enums[name].value} if name in enums else {}
        for value in enum.value:
            if values.get(value.number) != value.name:
                found.append(f"{name}.{value.name} = {value.number} is gone")
    return found + list(lost_methods(was, now))


def test_nothing_is_lost() -> None:
    assert losses(recorded(), parse(CONTRACT)) == []


def test_the_record_is_up_to_date() -> None:
    """What has been added is recorded too, from the commit on that adds it."""
    assert losses(parse(CONTRACT), recorded()) == [], "run this file with --record"


def message(file: File, name: str) -> Message:
    return dict(messages_of(file))[name]


def remove_field(file: File) -> None:
    del message(file, "VertexOffsetRequest").field[0]


def renumber_field(file: File) -> None:
    message(file, "QualityMetrics").field[0].number = 99


def retype_field(file: File) -> None:
    message(file, "QualityMetrics").field[0].type = descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE


def rename_field(file: File) -> None:
    message(file, "QualityMetrics").field[0].name = "average"


def make_repeated(file: File) -> None:
    message(file, "ServerInfo").field[0].label = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED


def unpack_field(file: File) -> None:
    message(file, "VertexOffsetRequest").field[0].options.packed = False


def remove_message(file: File) -> None:
    del file.message_type[3]


def renumber_enum_value(file: File) -> None:
    enums_of(file)["ExpressionCondition.ExpressionType"].value[2].number = 7


def remove_method(file: File) -> None:
    del file.service[0].method[2]


def make_streaming(file: File) -> None:
    file.service[0].method[2].server_streaming = True


def change_package(file: File) -> None:
    file.package += ".v2"


@pytest.mark.parametrize(
    "change",
    [
        remove_field, renumber_field, retype_field, rename_field, make_repeated, unpack_field,
        remove_message, renumber_enum_value, remove_method, make_streaming, change_package,
    ],
    ids=lambda change: change.__name__,
)  # fmt: skip
def test_a_loss_is_noticed(change: Callable[[File], None]) -> None:
    was = recorded()
    now = copy.deepcopy(was)
    assert losses(was, now) == []
    change(now)
    assert losses(was, now) != []


def test_additions_are_no_loss() -> None:
    was = recorded()
    now = copy.deepcopy(was)
    message(now, "ServerInfo").field.add(name="more", number=16)
    now.message_type.add(name="New")
    now.service[0].method.add(name="New")
    assert losses(was, now) == []


if __name__ == "__main__":
    assert sys.argv[1:] == ["--record"], __doc__
    RECORDED.write_text(text_format.MessageToString(parse(CONTRACT)))
