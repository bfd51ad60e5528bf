#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the add-on's zip: an extension for Blender 4.2 and later, a classic add-on before that.

    packaging/make_addon_zip.py --wheel dist/blendwire-0.1.0-py3-none-….whl --output dist

It has one top folder, whose name must not be `blendwire`: that is what the Python package in the
wheel is called. The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import zipfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
ADDON = REPOSITORY / "addon"
FOLDER = "blendwire_addon"
EPOCH = (2026, 1, 1, 0, 0, 0)

# What of addon/ goes into the zip.
_PATTERNS = (
    "__init__.py",
    "core/*.py",
    "core/data/*.json",
    "host/*.py",
    "ui/*.py",
    "locale/*.json",
)


def addon_files(wheel: pathlib.Path, platform: str = "linux_x64") -> dict[str, bytes]:
    """Contents by their path in the zip."""
    manifest = (ADDON / "blender_manifest.toml").read_text(encoding="utf-8")
    manifest = re.sub(
        r"^platforms = .*$",
        f'platforms = ["{platform.replace("_", "-", 1)}"]',
        manifest,
        flags=re.MULTILINE,
    )
    files = {
        "blender_manifest.toml": manifest.replace("@WHEEL@", wheel.name).encode(),
        f"wheels/{wheel.name}": wheel.read_bytes(),
        "core/data/expressions.json": (
            REPOSITORY / "src" / "expression" / "expressions.json"
        ).read_bytes(),
    }
    for pattern in _PATTERNS:
        for path in sorted(ADDON.glob(pattern)):
            files[path.relative_to(ADDON).as_posix()] = path.read_bytes()
    license_file = ADDON / "LICENSE"
    if license_file.is_file():
        files["LICENSE"] = license_file.read_bytes()
    return files


def version_of(manifest: bytes) -> str:
    """The add-on's version."""
    match = re.search(rb'^version = "([^"]+)"', manifest, re.MULTILINE)
    assert match is not None
    return match.group(1).decode()


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--wheel", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True, help="where the zip goes")
    parser.add_argument("--platform", default="linux_x64", help="the system it is for")
    return parser.parse_args()


def main() -> None:
    """Makes the zip and prints its path."""
    arguments = parse_arguments()
    files = addon_files(arguments.wheel, arguments.platform)
    version = version_of(files["blender_manifest.toml"])
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / f"blendwire-{version}-{arguments.platform}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", EPOCH)
            entry.external_attr = 0o100644 << 16
            stored = name.endswith(".whl")  # compressed already
            archive.writestr(entry, data, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
    print(path)


if __name__ == "__main__":
    main()
