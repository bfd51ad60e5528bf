# SPDX-License-Identifier: Apache-2.0
"""That the package says what the C header says, and how it finds the library."""

from __future__ import annotations

import ctypes as c
import pathlib
import re
import subprocess
import sys

import pytest

import blendwire
from blendwire import _library, _structs

HEADER = pathlib.Path(__file__).parents[2] / "src" / "capi" / "blendwire.h"
SIMPLE = {
    "size_t": c.c_size_t,
    "int32_t": c.c_int32,
    "int64_t": c.c_int64,
    "float": c.c_float,
    "double": c.c_double,
    "blendwire_code": c.c_int32,
    "const char*": c.c_char_p,
    "const float*": c.c_void_p,
    "float*": c.c_void_p,
    "const uint32_t*": c.c_void_p,
    "const char* const*": c.POINTER(c.c_char_p),
}


def python_name(name: str) -> str:
    """blendwire_client_options -> ClientOptions."""
    return "".join(word.capitalize() for word in name.split("_")[1:])


def header_structs() -> dict[str, list[tuple[str, object]]]:
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)
    structs = {}
    for name, body in re.findall(r"typedef struct (\w+) \{(.*?)\}", text, flags=re.S):
        fields: list[tuple[str, object]] = []
        for declaration in filter(None, (d.strip() for d in body.split(";"))):
            kind, names = re.match(r"(.*?[\s*])(\w+(?:\[\d+\])?(?:, \w+)*)$", declaration).groups()
            for field in names.split(", "):
                fields.append(python_field(kind.strip(), field))
        structs[name] = fields
    return structs


def python_field(kind: str, field: str) -> tuple[str, object]:
    array = re.match(r"(\w+)\[(\d+)\]", field)
    if array:
        assert kind == "char"
        return array[1], c.c_char * int(array[2])
    if kind in SIMPLE:
        return field, SIMPLE[kind]
    struct = getattr(_structs, python_name(kind.replace("const ", "").rstrip("*")))
    return field, c.POINTER(struct) if kind.endswith("*") else struct


STRUCTS = header_structs()


def test_the_header_was_understood() -> None:
    assert len(STRUCTS) >= 15


@pytest.mark.parametrize("name", STRUCTS)
def test_struct_is_as_in_the_header(name: str) -> None:
    assert getattr(_structs, python_name(name))._fields_ == STRUCTS[name]


def test_every_function_is_in_the_header() -> None:
    text = HEADER.read_text()
    for name in [*_library._CODE_FUNCTIONS, *_library._OTHER_FUNCTIONS]:
        assert f" blendwire_{name}(" in text or f"*blendwire_{name}(" in text, name


def test_versions_agree() -> None:
    assert blendwire.client_version() == blendwire.__version__
    assert f"BLENDWIRE_ABI_VERSION {_library.ABI_VERSION}\n" in HEADER.read_text()


def test_a_missing_library_says_what_to_do() -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            "import blendwire\n"
            "try: blendwire.Client()\n"
            "except blendwire.NotFoundError as error: print(error)",
        ],
        env={"BLENDWIRE_CLIENT_LIBRARY": "/no/such/lib.so", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "/no/such/lib.so" in ended.stdout
    assert "set BLENDWIRE_CLIENT_LIBRARY" in ended.stdout


def test_what_is_not_used_is_not_imported() -> None:
    """asyncio takes longer to import than the rest: a host's main thread should not wait for it."""
    code = (
        "import sys, numpy; before = set(sys.modules); import blendwire; "
        "print(*{'asyncio', 'numpy.typing'} & (set(sys.modules) - before)); "
        "print(blendwire.AsyncClient.__name__, blendwire.wait_for.__name__); "
        "print('asyncio' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines() == ["", "AsyncClient wait_for", "True"]
    with pytest.raises(AttributeError, match="has no attribute 'Cleint'"):
        _ = blendwire.Cleint
