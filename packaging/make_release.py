#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packs what scripts/dist has built for one system:

    packaging/make_release.py windows-x64 --build build/dist-windows-x64 --output dist/windows-x64

    blendwire-<version>-<system>.zip              the add-on for Blender
    blendwire-<version>-py3-none-<platform>.whl   the Python package inside it
    blendwire-<version>-sdk-<system>.zip/.tar.gz  programs, header, library, CMake and pkg-config
    blendwire-<version>-<system>.spdx.json        what is inside, as SPDX has it
    THIRD_PARTY_LICENSES.txt                      everybody's licences; in the wheel and SDK, too
    SHA256SUMS
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import check_binaries
from components import REPOSITORY, licence_texts
from sbom import document

_EPOCH = (2026, 1, 1, 0, 0, 0)
_EPOCH_SECONDS = 1767225600

_WHEEL_PLATFORM = {
    "linux-x64": "manylinux_2_28_x86_64",
    "windows-x64": "win_amd64",
    "macos-arm64": "macosx_14_0_arm64",
}
_RUNTIME = {
    "linux-x64": "libonnxruntime.so.1",
    "windows-x64": "onnxruntime.dll",
    "macos-arm64": "libonnxruntime.1.dylib",
}
_LIBRARY = {
    "linux-x64": "lib/libblendwire_client.so.1",
    "windows-x64": "bin/blendwire_client.dll",
    "macos-arm64": "lib/libblendwire_client.1.dylib",
}


def run(*command: object) -> str:
    """The last line of the program's output; a failure ends the script."""
    result = subprocess.run(
        [str(c) for c in command], check=True, stdout=subprocess.PIPE, text=True
    )
    return result.stdout.strip().rsplit("\n", 1)[-1]


def project_version() -> str:
    """As CMakeLists.txt has it."""
    text = (REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8")
    match = re.search(r"project\(blendwire VERSION (\S+)", text)
    assert match is not None
    return match.group(1)


def program(name: str, target: str) -> str:
    """A program's file name on that system."""
    return f"bin/{name}.exe" if target.startswith("windows") else f"bin/{name}"


def native_files(target: str, build: pathlib.Path) -> list[pathlib.Path]:
    """What was built, and ONNX Runtime."""
    return [
        build / program("blendwire-server", target),
        build / program("blendwire", target),
        (build / _LIBRARY[target]).resolve(),
        build / "bin" / _RUNTIME[target],
    ]


def fill_sdk(target: str, build: pathlib.Path, folder: pathlib.Path) -> None:
    """What `cmake --install` installs, and the programs."""
    run("cmake", "--install", build, "--component", "client", "--prefix", folder)
    for package in folder.glob("lib/pkgconfig/*.pc"):  # it may lie anywhere
        text = package.read_text(encoding="utf-8")
        package.write_text(re.sub(r"^prefix=.*", "prefix=${pcfiledir}/../..", text), encoding="utf-8")
    (folder / "bin" / "models").mkdir(parents=True, exist_ok=True)
    for name in ("blendwire-server", "blendwire"):
        shutil.copy2(build / program(name, target), folder / "bin")
    shutil.copy2(build / "bin" / _RUNTIME[target], folder / "bin")
    shutil.copy2(REPOSITORY / "models" / "default.onnx", folder / "bin" / "models")
    shutil.copy2(REPOSITORY / "LICENSE", folder)
    shutil.copytree(REPOSITORY / "proto" / "vrchat", folder / "share" / "blendwire" / "proto" / "vrchat")


def write_zip(folder: pathlib.Path, path: pathlib.Path) -> None:
    """The folder with everything in it; the same input gives the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder.parent).as_posix(), _EPOCH)
            entry.external_attr = (0o100000 | (0o755 if file.stat().st_mode & 0o100 else 0o644)) << 16
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)


def write_tar(folder: pathlib.Path, path: pathlib.Path) -> None:
    """The same, with symbolic links."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_dir() and not file.is_symlink():
                continue
            entry = archive.gettarinfo(file, file.relative_to(folder.parent).as_posix())
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mtime = _EPOCH_SECONDS
            with file.open("rb") if entry.isreg() else io.BytesIO() as content:
                archive.addfile(entry, content if entry.isreg() else None)
    path.write_bytes(gzip.compress(buffer.getvalue(), mtime=_EPOCH_SECONDS))


def make(target: str, build: pathlib.Path, output: pathlib.Path) -> None:
    """Fills the output folder anew."""
    version = project_version()
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    licences = output / "THIRD_PARTY_LICENSES.txt"
    licences.write_text(licence_texts(target), encoding="utf-8")
    contents = output / f"blendwire-{version}-{target}.spdx.json"
    contents.write_text(
        json.dumps(document(target, version, native_files(target, build)), indent=1) + "\n",
        encoding="utf-8",
    )

    wheel = run(
        sys.executable, REPOSITORY / "python" / "build_wheel.py", "--build", build,
        "--output", output, "--platform", _WHEEL_PLATFORM[target],
        "--library", build / "bin" / _RUNTIME[target], "--license", licences,
    )  # fmt: skip
    run(
        sys.executable, REPOSITORY / "packaging" / "make_addon_zip.py", "--wheel", wheel,
        "--output", output, "--platform", target.replace("-", "_"),
    )  # fmt: skip

    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / f"blendwire-{version}-sdk-{target}"
        fill_sdk(target, build, folder)
        shutil.copy2(licences, folder)
        shutil.copy2(contents, folder)
        if target.startswith("windows"):
            write_zip(folder, output / f"{folder.name}.zip")
        else:
            write_tar(folder, output / f"{folder.name}.tar.gz")

    files = sorted(output.iterdir())
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" for file in files]
    (output / "SHA256SUMS").write_text("\n".join([*sums, ""]), encoding="utf-8")
    for file in files:
        print(f"{file.stat().st_size / 1e6:8.1f} MB  {file}")


def main() -> None:
    """Checks what was built, then packs it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("target", choices=sorted(_WHEEL_PLATFORM))
    parser.add_argument("--build", type=pathlib.Path, required=True, help="the build's folder")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="filled anew")
    arguments = parser.parse_args()
    try:
        check_binaries.check(arguments.target, arguments.build)
    except check_binaries.Problems as problems:
        sys.exit(f"what was built is not fit for a release:\n{problems}")
    make(arguments.target, arguments.build.resolve(), arguments.output)


if __name__ == "__main__":
    main()
