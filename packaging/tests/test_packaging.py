# SPDX-License-Identifier: Apache-2.0
"""What goes into a release is told completely, and what must not is found."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import check_binaries
import components
import make_release
import sbom

TARGETS = ["linux-x64", "macos-arm64", "windows-x64"]


@pytest.mark.parametrize("target", TARGETS)
def test_components(target: str) -> None:
    """Each pin once, and of ONNX Runtime's three wheels the one for that system."""
    found = components.components(target)
    names = [c.name for c in found]
    assert len(set(names)) == len(names)
    assert {"grpc", "protobuf", "abseil", "zlib", "re2", "onnxruntime", "spdlog"} <= set(names)
    assert not {"googletest", "macholib"} & set(names), "in no release"
    for component in found:
        assert re.fullmatch(r"[0-9a-f]{64}", component.sha256)
        assert component.package_url.startswith(("pkg:deb/debian/", "pkg:pypi/"))


@pytest.mark.parametrize("target", TARGETS)
def test_document_refers_to_what_it_has(target: str, tmp_path: pathlib.Path) -> None:
    """The rules of SPDX 2.3 that a typing error breaks first."""
    native = tmp_path / "blendwire-server"
    native.write_bytes(b"program")
    document = sbom.document(target, "1.2.3", [native])
    identifiers = [e["SPDXID"] for e in (document, *document["packages"], *document["files"])]
    assert len(set(identifiers)) == len(identifiers)
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i) for i in identifiers)
    for relation in document["relationships"]:
        assert relation["spdxElementId"] in identifiers
        assert relation["relatedSpdxElement"] in identifiers
    contained = {r["relatedSpdxElement"] for r in document["relationships"]}
    assert contained >= set(identifiers) - {"SPDXRef-DOCUMENT"}
    assert document == sbom.document(target, "1.2.3", [native]), "the same input, the same bytes"


@pytest.mark.skipif(not components.SOURCES.is_dir(), reason="scripts/dist has fetched nothing yet")
@pytest.mark.parametrize("target", TARGETS)
def test_licence_texts(target: str) -> None:
    text = components.licence_texts(target)
    for component in components.components(target):
        assert f"{component.name} {component.version}\n" in text
    for words in (
        "Jean-loup Gailly", "Google Inc", "Niels Lohmann", "Victor Zverovich",
        "Gabi Melman", "Eric Young", "Apache License", "Microsoft Corporation", "LLVM Exceptions",
    ):  # fmt: skip
        assert words in text, words


def test_comment_at_the_beginning() -> None:
    assert components.leading_comment("/* One\n * two\n *\n * three. */\nint x; /* no */\n") == (
        "One\ntwo\n\nthree."
    )


@pytest.fixture
def build(tmp_path: pathlib.Path) -> pathlib.Path:
    """A build for this Linux with a library that shows exactly the API."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "lib").mkdir()
    functions = "".join(f"void {name}(void) {{}}\n" for name in check_binaries.declared_functions())
    (tmp_path / "api.c").write_text(functions)
    (tmp_path / "main.c").write_text("int main(void) { return 0; }\n")
    for name in ("blendwire", "blendwire-server"):
        subprocess.run(["cc", tmp_path / "main.c", "-o", tmp_path / "bin" / name], check=True)
    _library(tmp_path)
    return tmp_path


def _library(folder: pathlib.Path, *more: str) -> None:
    output = folder / "lib" / "libblendwire_client.so.1"
    command = ["cc", "-shared", "-nostdlib", folder / "api.c", *more, "-o", output]
    subprocess.run(command, check=True)


def check(build: pathlib.Path) -> str:
    """What is wrong, without what this machine's own C library causes."""
    problems = check_binaries.check_linux(build)
    return "\n".join(p for p in problems if "GLIBC_" not in p)


def test_good_build(build: pathlib.Path) -> None:
    assert check(build) == ""


def test_symbol_too_much_and_too_few(build: pathlib.Path) -> None:
    text = (build / "api.c").read_text().replace("void blendwire_version(", "void _Znwm(")
    (build / "api.c").write_text(text)
    _library(build)
    assert "libblendwire_client.so.1 does not show blendwire_version" in check(build)
    assert "libblendwire_client.so.1 shows _Znwm" in check(build)


def test_library_of_somebody_else(build: pathlib.Path) -> None:
    _library(build, "-Wl,--no-as-needed", "-l:libz.so.1")
    assert "libblendwire_client.so.1 needs libz.so.1" in check(build)


def test_newer_c_library(build: pathlib.Path) -> None:
    """This machine's own compiler asks for more than is promised."""
    (build / "main.c").write_text(
        "#define _GNU_SOURCE\n#include <unistd.h>\n#include <pthread.h>\n"
        "int main(void) { return pthread_create(0, 0, 0, 0); }\n"
    )
    subprocess.run(["cc", build / "main.c", "-o", build / "bin" / "blendwire"], check=True)
    assert any("blendwire needs GLIBC_2.3" in p for p in check_binaries.check_linux(build))


ZIG = components.SOURCES / "ziglang" / "ziglang" / "zig"


@pytest.fixture(scope="module")
def macos_build(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Programs and a library for macOS, made here, as they should be; more libraries beside them."""
    folder = tmp_path_factory.mktemp("macos")
    cache = str(components.SOURCES.parent / "zig-cache")
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
    functions = "".join(f"void {name}(void) {{}}\n" for name in check_binaries.declared_functions())
    (folder / "api.c").write_text(f"{functions}\n#ifdef MORE\nvoid _Znwm(void) {{}}\n#endif\n")
    (folder / "main.c").write_text("int main(void) { return 0; }\n")
    (folder / "bin").mkdir()
    (folder / "lib").mkdir()
    name = "-Wl,-install_name,@rpath/libblendwire_client.1.dylib"
    for source, output, *options in (
        ("main.c", "bin/blendwire"),
        ("main.c", "bin/blendwire-server", "-Wl,-rpath,@loader_path"),
        ("api.c", "lib/libblendwire_client.1.dylib", "-shared", name),
        ("api.c", "more", "-shared", name, "-DMORE"),
    ):
        subprocess.run(
            [ZIG, "cc", "-target", "aarch64-macos.13.0", folder / source, "-o", folder / output]
            + options,
            check=True, env=environment,
        )  # fmt: skip
    return folder


needs_zig = pytest.mark.skipif(not ZIG.is_file(), reason="scripts/dist has fetched no compiler yet")


@needs_zig
def test_good_macos_build(macos_build: pathlib.Path) -> None:
    assert check_binaries.check_macos(macos_build) == []


def _newer(library: bytes) -> bytes:
    """For macOS 15: in LC_BUILD_VERSION, after the command, its size and the platform."""
    at = library.index(struct.pack("<I", 0x32), 32)
    return library[: at + 12] + struct.pack("<I", 15 << 16) + library[at + 16 :]


@needs_zig
@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("more", bytes, "libblendwire_client.1.dylib shows _Znwm"),
        (
            "lib/libblendwire_client.1.dylib",
            lambda library: library.replace(b"@rpath/", b"/other/", 1),
            "libblendwire_client.1.dylib calls itself /other/libblendwire_client.1.dylib",
        ),
        ("lib/libblendwire_client.1.dylib", _newer, "libblendwire_client.1.dylib is for macOS (15, 0)"),
        (
            "lib/libblendwire_client.1.dylib",
            lambda library: library[:4] + struct.pack("<I", 0x01000007) + library[8:],
            "libblendwire_client.1.dylib is not for arm64",
        ),
    ],
)
def test_bad_macos_build(
    macos_build: pathlib.Path, tmp_path: pathlib.Path, name: str,
    change: Callable[[bytes], bytes], problem: str,
) -> None:  # fmt: skip
    """Each fault is named, and nothing else."""
    shutil.copytree(macos_build / "bin", tmp_path / "bin")
    (tmp_path / "lib").mkdir()
    library = change((macos_build / name).read_bytes())
    (tmp_path / "lib" / "libblendwire_client.1.dylib").write_bytes(library)
    assert check_binaries.check_macos(tmp_path) == [problem]


@needs_zig
def test_macos_server_that_finds_no_library(macos_build: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """One that was linked without a path beside itself."""
    shutil.copytree(macos_build, tmp_path, dirs_exist_ok=True)
    shutil.copy(tmp_path / "bin" / "blendwire", tmp_path / "bin" / "blendwire-server")
    problem = "blendwire-server does not look for libraries beside itself"
    assert check_binaries.check_macos(tmp_path) == [problem]


def test_version_is_the_projects() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", make_release.project_version())
