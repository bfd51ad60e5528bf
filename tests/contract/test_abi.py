# SPDX-License-Identifier: Apache-2.0
"""Programs that were built with an older blendwire.h go on working with a newer library of the same
ABI version: functions keep their declarations, constants their values, and structs may only grow at
their end (each begins with its own size).

recorded_abi.json is what the C compiler made of the header at the last release. After a change that
only adds:

    python tests/contract/test_abi.py --record

That the library shows exactly the header's functions is src/capi/symbols_test.cmake's to check.
"""

from __future__ import annotations

import copy
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Any

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
HEADER = REPOSITORY / "src/capi/blendwire.h"
RECORDED = pathlib.Path(__file__).resolve().parent / "recorded_abi.json"

Abi = dict[str, Any]


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)


def fields_of(body: str) -> list[str]:
    """Names of a struct's members; `float a, b[3];` declares two."""
    names = []
    for declaration in body.split(";"):
        if declaration.strip():
            for part in declaration.split(","):
                found = re.search(r"(\w+)\s*(\[[^\]]*\])?\s*$", part)
                assert found, declaration
                names.append(found[1])
    return names


def read_header() -> Abi:
    """What the header says; layouts as this machine's C compiler sees them."""
    text = without_comments(HEADER.read_text())
    structs = {
        name: fields_of(body)
        for body, name in re.findall(r"typedef struct \w+ \{(.*?)\}\s*(\w+);", text, re.DOTALL)
    }
    constants = re.findall(r"^\s*(BLENDWIRE_[A-Z_0-9]+)(?: = -?\d+)?,?$", text, re.MULTILINE)
    for enum in re.findall(r"enum \{(.*?)\}", text, re.DOTALL):
        constants += re.findall(r"BLENDWIRE_[A-Z_0-9]+", enum)
    constants += ["BLENDWIRE_ABI_VERSION"]
    functions = {
        re.search(r"(blendwire_\w+)\s*\(", declaration)[1]: " ".join(declaration.split())  # type: ignore[index]
        for declaration in re.findall(r"BLENDWIRE_API\s+(?!__)([^;{]*?\([^;]*?\));", text)
    }
    types = re.findall(r"typedef [^;{]*;", text)
    return {
        "functions": functions,
        "types": sorted(" ".join(entry.split()) for entry in types),
        **layout(structs, sorted(set(constants))),
    }


def layout(structs: dict[str, list[str]], constants: list[str]) -> Abi:
    lines = ["#include <stdio.h>", "#include <stddef.h>", f'#include "{HEADER}"', "int main(void) {"]
    for struct, fields in structs.items():
        lines.append(f'printf("S {struct} %zu\\n", sizeof({struct}));')
        for field in fields:
            lines.append(
                f'printf("F {struct} {field} %zu %zu\\n", offsetof({struct}, {field}), '
                f"sizeof((({struct}*)0)->{field}));"
            )
    lines += [f'printf("C {name} %ld\\n", (long)({name}));' for name in constants]
    lines += ["return 0; }"]
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "layout.c"
        source.write_text("\n".join(lines))
        program = pathlib.Path(folder) / "layout"
        subprocess.run(["cc", "-std=c11", str(source), "-o", str(program)], check=True)
        output = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    found: Abi = {"structs": {}, "constants": {}}
    for line in output.splitlines():
        kind, name, *rest = line.split()
        if kind == "S":
            found["structs"][name] = {"size": int(rest[0]), "fields": {}}
        elif kind == "F":
            found["structs"][name]["fields"][rest[0]] = [int(rest[1]), int(rest[2])]
        else:
            found["constants"][name] = int(rest[0])
    return found


def losses(was: Abi, now: Abi) -> list[str]:
    """What a program that was built with `was` would miss in `now`."""
    found = [
        f"{name} is gone or has changed: {text}"
        for name, text in was["functions"].items()
        if now["functions"].get(name) != text
    ]
    found += [f"type is gone or has changed: {t}" for t in was["types"] if t not in now["types"]]
    found += [
        f"{name} is gone or is not {value} any more"
        for name, value in was["constants"].items()
        if now["constants"].get(name) != value
    ]
    for name, struct in was["structs"].items():
        other = now["structs"].get(name, {"size": 0, "fields": {}})
        if other["size"] < struct["size"]:
            found.append(f"{name} has shrunk or is gone")
        # A struct inside another cannot grow; the ones that can begin with their size.
        if "struct_size" not in struct["fields"] and other["size"] != struct["size"]:
            found.append(f"{name} has no struct_size and has changed its size")
        for field, place in struct["fields"].items():
            if other["fields"].get(field) != place:
                found.append(f"{name}.{field} is gone, has moved or has changed its size")
    return found


pytestmark = pytest.mark.skipif(
    shutil.which("cc") is None or sys.maxsize < 2**32, reason="needs a 64-bit C compiler"
)


@pytest.fixture(scope="module")
def header() -> Abi:
    return read_header()


def recorded() -> Abi:
    return json.loads(RECORDED.read_text())


def test_the_header_is_understood(header: Abi) -> None:
    text = HEADER.read_text()
    assert len(header["functions"]) == len(re.findall(r"^BLENDWIRE_API ", text, re.MULTILINE)) > 50
    assert len(header["structs"]) == len(re.findall(r"^typedef struct \w+ \{", text, re.MULTILINE)) > 12
    assert header["constants"]["BLENDWIRE_UNAUTHENTICATED"] == 16
    assert header["structs"]["blendwire_mesh"]["fields"]["vertices"] == [8, 8]
    assert {"p50_ms", "p95_ms", "p99_ms", "max_ms"} <= set(header["structs"]["blendwire_latency"]["fields"])


def test_nothing_is_lost(header: Abi) -> None:
    assert losses(recorded(), header) == []


def test_the_record_is_up_to_date(header: Abi) -> None:
    assert losses(header, recorded()) == [], "run this file with --record"


@pytest.mark.parametrize(
    "change",
    [
        lambda abi: abi["functions"].pop("blendwire_predict"),
        lambda abi: abi["functions"].update(blendwire_version="char* blendwire_version(void)"),
        lambda abi: abi["constants"].update(BLENDWIRE_PENDING=-2),
        lambda abi: abi["structs"].pop("blendwire_mesh"),
        lambda abi: abi["structs"]["blendwire_mesh"]["fields"].pop("triangles"),
        lambda abi: abi["structs"]["blendwire_mesh"]["fields"].update(triangles=[0, 8]),
        lambda abi: abi["structs"]["blendwire_mesh"]["fields"].update(triangles=[32, 4]),
        lambda abi: abi["structs"]["blendwire_latency"].update(size=64),
        lambda abi: abi["types"].clear(),
    ],
    ids=["function", "signature", "constant", "struct", "field", "moved", "retyped", "grown", "type"],
)  # fmt: skip
def test_a_loss_is_noticed(change: Any) -> None:
    now = copy.deepcopy(recorded())
    change(now)
    assert losses(recorded(), now) != []


def test_a_struct_may_grow_at_its_end() -> None:
    now = copy.deepcopy(recorded())
    now["structs"]["blendwire_mesh"]["size"] += 8
    now["structs"]["blendwire_mesh"]["fields"]["more"] = [48, 8]
    assert losses(recorded(), now) == []


if __name__ == "__main__":
    assert sys.argv[1:] == ["--record"], __doc__
    RECORDED.write_text(json.dumps(read_header(), indent=1) + "\n")
