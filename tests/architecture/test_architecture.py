# SPDX-License-Identifier: Apache-2.0
"""The floors of src/: a folder includes only folders below its own, and what a folder is kept free of
stays out of it."""

from __future__ import annotations

import pathlib
import re

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SOURCES = REPOSITORY / "src"

FLOORS = {
    "contract": 0, "system": 0,
    "mesh": 1, "contact": 1, "expression": 1, "model": 1, "avatar": 1, "client": 1,
    "predict": 2, "capi": 2,
    "server": 3, "cli": 3,
}  # fmt: skip

# Where each library may be included; everything else keeps free of it.
GRPC = {"client", "server"}
ONNX = {"model"}
ONLY_IN = {
    "gRPC": (r"grpc(pp)?/", GRPC),
    "the contract's messages": (r"vrchat/", GRPC),
    "protobuf": (r"google/protobuf/", GRPC),
    "ONNX Runtime": (r"onnxruntime", ONNX),
    "spdlog": (r"spdlog/", {"server", "cli"}),
    "CLI11": (r"CLI/", {"server", "cli"}),
    "nanoflann": (r"nanoflann", {"mesh"}),
    "POSIX": (
        r"(unistd\.h|sys/|signal\.h|dlfcn\.h|fcntl\.h|poll\.h|pthread\.h|spawn\.h|netinet/|arpa/)",
        {"system"},
    ),
    "Windows": (r"(windows\.h|winsock)", {"system"}),
}
# A test may use POSIX to look at what the code under test has done.
TESTS_MAY_USE = {"POSIX", "gRPC", "protobuf", "the contract's messages"}

# The flat API is the client's other face: its jobs count as calls of the client they belong to.
SHARED_INTERNALS = {("capi", "client/internal/call_tracker.h")}

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
CONDITIONAL = re.compile(r"^\s*#\s*(?:if|ifdef|ifndef|elif)\b(.*)$", re.MULTILINE)


def files() -> list[pathlib.Path]:
    found = [f for f in SOURCES.rglob("*") if f.suffix in {".h", ".cc", ".c"}]
    assert len(found) > 100
    return sorted(found)


def folder_of(file: pathlib.Path) -> str:
    return file.relative_to(SOURCES).parts[0]


def is_test(file: pathlib.Path) -> bool:
    relative = file.relative_to(SOURCES)
    return "testing" in relative.parts or "test" in re.split(r"[_.]", relative.name)


def included(file: pathlib.Path) -> list[str]:
    return INCLUDE.findall(file.read_text())


def name(file: pathlib.Path) -> str:
    return str(file.relative_to(REPOSITORY))


def test_every_folder_has_a_floor() -> None:
    assert {folder.name for folder in SOURCES.iterdir() if folder.is_dir()} == set(FLOORS)


def test_floors_are_those_of_the_build() -> None:
    """src/CMakeLists.txt adds the folders floor by floor, and says so."""
    floor, found = None, {}
    for line in (SOURCES / "CMakeLists.txt").read_text().splitlines():
        if match := re.match(r"# floor (\d)", line):
            floor = int(match[1])
        elif match := re.match(r"add_subdirectory\((\w+)\)", line):
            found[match[1]] = floor
    assert found == FLOORS


def test_includes_point_down() -> None:
    wrong, seen = [], 0
    for file in files():
        here = folder_of(file)
        for path in included(file):
            there = path.split("/")[0]
            if there not in FLOORS or there == here or "/" not in path:
                continue
            seen += 1
            if FLOORS[there] >= FLOORS[here]:
                wrong.append(f"{name(file)} (floor {FLOORS[here]}) includes {path}")
    assert seen > 50
    assert not wrong, "\n".join(wrong)


def test_server_and_client_do_not_know_each_other() -> None:
    """Nor through the flat API or the command line's parts."""
    for file in files():
        theirs = {path.split("/")[0] for path in included(file) if "/" in path}
        if folder_of(file) == "server":
            assert not theirs & {"client", "capi", "cli"}, name(file)
        if folder_of(file) in {"client", "capi", "cli"}:
            assert not theirs & {"server", "predict", "model"}, name(file)


@pytest.mark.parametrize("library", ONLY_IN)
def test_library_stays_in_its_folders(library: str) -> None:
    pattern, folders = ONLY_IN[library]
    wrong = [
        f"{name(file)} includes {path}"
        for file in files()
        if folder_of(file) not in folders and not (library in TESTS_MAY_USE and is_test(file))
        for path in included(file)
        if re.match(pattern, path)
    ]
    assert not wrong, "\n".join(wrong)


def test_public_headers_of_the_client_are_free_of_grpc() -> None:
    """Whoever uses the client need not have gRPC's headers."""
    for file in (SOURCES / "client").glob("*.h"):
        paths = included(file)
        assert not [p for p in paths if re.match(r"grpc|google/|vrchat/", p)], name(file)


def test_internals_stay_inside() -> None:
    """client/internal/ and the like are included by their own folder only."""
    wrong = [
        f"{name(file)} includes {path}"
        for file in files()
        for path in included(file)
        if "/internal/" in path and path.split("/")[0] in FLOORS
        and path.split("/")[0] != folder_of(file)
        and (folder_of(file), path) not in SHARED_INTERNALS
    ]  # fmt: skip
    assert not wrong, "\n".join(wrong)


def test_no_conditional_code_outside_system() -> None:
    """One file per system instead. Header guards are allowed, and the flat API's header, which C and
    C++ share and which marks what a library exports."""
    allowed = re.compile(r"^\s*(BLENDWIRE_\w+_H_|!defined\(BLENDWIRE_\w+_H_\))\s*$")
    wrong = [
        f"{name(file)}: {condition.strip()}"
        for file in files()
        if folder_of(file) != "system" and name(file) != "src/capi/blendwire.h" and not is_test(file)
        for condition in CONDITIONAL.findall(file.read_text())
        if not allowed.match(condition)
    ]
    assert not wrong, "\n".join(wrong)


def test_files_name_their_licence_and_guard() -> None:
    for file in files():
        text = file.read_text()
        comment = "/*" if name(file) == "src/capi/blendwire.h" or file.suffix == ".c" else "//"
        assert text.startswith(f"{comment} SPDX-License-Identifier: Apache-2.0"), name(file)
        if file.suffix == ".h":
            guard = "BLENDWIRE_" + re.sub(r"\W", "_", str(file.relative_to(SOURCES))).upper() + "_"
            if name(file) != "src/capi/blendwire.h":
                assert f"#ifndef {guard}\n#define {guard}\n" in text, name(file)


def python_files(*folders: str) -> list[pathlib.Path]:
    return [f for folder in folders for f in sorted((REPOSITORY / folder).rglob("*.py"))]


def test_bpy_lives_in_the_add_on_only() -> None:
    uses = re.compile(r"^\s*(?:import|from)\s+(?:bpy|bmesh|mathutils|addon_utils)\b", re.MULTILINE)
    for file in python_files("python", "training", "scripts", "tools", "tests"):
        assert not uses.search(file.read_text()), name(file)


def test_the_python_package_needs_numpy_only() -> None:
    """No gRPC and no protobuf in Blender's process but those inside the C library; and no thread."""
    uses = re.compile(
        r"^\s*(?:import|from)\s+(?:grpc|google|onnx|onnxruntime|_thread|concurrent|multiprocessing)\b"
        r"|threading\.(?:Thread|Timer)\b",
        re.MULTILINE,
    )
    found = python_files("python/blendwire")
    assert found
    for file in found:
        assert not uses.search(file.read_text()), name(file)


def test_the_add_on_starts_no_thread() -> None:
    """A Python thread inside Blender is enough to crash it."""
    uses = re.compile(
        r"^\s*(?:import|from)\s+(?:threading|_thread|concurrent|multiprocessing|asyncio|grpc)\b",
        re.MULTILINE,
    )
    for file in python_files("addon"):
        if "tests" not in file.parts:
            assert not uses.search(file.read_text()), name(file)


def test_no_test_is_forgotten() -> None:
    """Every file of tests is in a CMakeLists.txt, by its name or through a list of names."""
    lists = "\n".join(f.read_text() for f in sorted(REPOSITORY.glob("tests/**/CMakeLists.txt")))
    words = set(re.findall(r"[\w./]+", lists))
    for file in sorted((REPOSITORY / "tests").rglob("test_*.py")):
        relative = str(file.relative_to(REPOSITORY / "tests"))
        listed = file.stem.removeprefix("test_") in words or relative in words
        assert listed or file.name in words, relative
    for test in sorted(SOURCES.rglob("*_test.cc")):
        folder = SOURCES / folder_of(test)
        assert str(test.relative_to(folder)) in (folder / "CMakeLists.txt").read_text(), name(test)
