# SPDX-License-Identifier: Apache-2.0
"""What a release is made of, as dependencies/pins.txt names it, with everybody's licences."""

from __future__ import annotations

import dataclasses
import pathlib

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
PINS = REPOSITORY / "packaging" / "dependencies" / "pins.txt"
SOURCES = REPOSITORY / ".deps" / "dist" / "sources"

# The wheel of ONNX Runtime for each system.
_RUNTIME_PLATFORM = {
    "linux-x64": "manylinux_2_28_x86_64",
    "windows-x64": "win_amd64",
    "macos-arm64": "macosx_14_0_arm64",
}

# SPDX expressions; what they stand for in full is in the texts.
_LICENCES = {
    "zlib": "Zlib",
    "re2": "BSD-3-Clause",
    "abseil": "Apache-2.0",
    "protobuf": "BSD-3-Clause",
    "grpc": "Apache-2.0 AND BSD-3-Clause AND BSD-2-Clause",
    "libcli11-dev": "BSD-3-Clause",
    "libfmt-dev": "MIT",
    "libnanoflann-dev": "BSD-2-Clause",
    "libspdlog-dev": "MIT",
    "libtinyobjloader-dev": "MIT",
    "nlohmann-json3-dev": "MIT",
    "grpcio": "OpenSSL",
    "ziglang": "MIT AND (Apache-2.0 WITH LLVM-exception)",
    "onnxruntime": "MIT",
}

# Those whose name in pins.txt is that of the package that they come from.
_NAMES = {
    "libcli11-dev": "CLI11",
    "libfmt-dev": "fmt",
    "libnanoflann-dev": "nanoflann",
    "libspdlog-dev": "spdlog",
    "libtinyobjloader-dev": "tinyobjloader",
    "nlohmann-json3-dev": "nlohmann-json",
    "grpcio": "boringssl-sha256",
    "ziglang": "libc++ and compiler-rt",
}


@dataclasses.dataclass(frozen=True)
class Component:
    """One library inside a release."""

    name: str
    version: str
    sha256: str  # of the file that was fetched, see pins.txt
    licence: str  # SPDX expression
    package_url: str
    texts: tuple[pathlib.Path, ...]  # licence files, as unpacked


def _texts(kind: str, pinned: str) -> tuple[pathlib.Path, ...]:
    if kind == "source":
        return (SOURCES / pinned / "debian" / "copyright",)
    if kind == "headers":
        return (SOURCES / "headers" / "usr" / "share" / "doc" / pinned / "copyright",)
    if pinned == "grpcio":
        return (SOURCES / "grpcio/boringssl-with-bazel/src/crypto/fipsmodule/sha/sha256.c",)
    if pinned == "ziglang":
        library = SOURCES / "ziglang" / "ziglang" / "lib"
        return (library / "libcxx" / "LICENSE.TXT", library / "libc" / "mingw" / "COPYING")
    folder = SOURCES / pinned / "onnxruntime"
    return (folder / "LICENSE", folder / "ThirdPartyNotices.txt")


def _package_url(kind: str, name: str, version: str) -> str:
    encoded = version.replace(":", "%3A").replace("+", "%2B").replace("~", "%7E")
    if kind == "source":
        return f"pkg:deb/debian/{name}@{encoded}?arch=source&distro=bookworm"
    if kind == "headers":
        return f"pkg:deb/debian/{name}@{encoded}?distro=bookworm"
    return f"pkg:pypi/{name}@{encoded}"


def components(target: str) -> list[Component]:
    """Everything inside a release for that system, in the order of pins.txt."""
    found = []
    for line in PINS.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        kind, pinned, version, sha256 = line.split()
        name, _, platform = pinned.partition("@")
        if kind in ("tests", "tool") or (platform and platform != _RUNTIME_PLATFORM[target]):
            continue
        found.append(
            Component(
                name=_NAMES.get(name, name),
                version=version,
                sha256=sha256,
                licence=_LICENCES[name],
                package_url=_package_url(kind, name, version),
                texts=_texts(kind, pinned),
            )
        )
    return found


def leading_comment(text: str) -> str:
    """The comment that a source file begins with, without its decoration."""
    body = text[text.index("/*") + 2 : text.index("*/")]
    return "\n".join(line.strip().lstrip("*").strip() for line in body.splitlines()).strip()


def licence_texts(target: str) -> str:
    """All licences of a release in one text."""
    parts = [
        "Blendwire contains, in whole or in part, the following works of others, under the\n"
        "licences below. Blendwire's own licence is in LICENSE.\n"
    ]
    for component in components(target):
        title = f"{component.name} {component.version}"
        parts.append(f"{'=' * 80}\n{title}\n{component.licence}\n{'=' * 80}\n")
        for path in component.texts:
            text = path.read_text(encoding="utf-8", errors="replace")
            parts.append(leading_comment(text) if path.suffix == ".c" else text.strip())
            parts.append("")
    return "\n".join(parts) + "\n"
