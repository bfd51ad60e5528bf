#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the built zip in Blenders that no distribution has here: PyPI's bpy, one for each series.

    addon/tests/other_blenders.py --folder /var/tmp/blenders            4.2, 4.5, 5.0 and 5.2
    addon/tests/other_blenders.py --folder /var/tmp/blenders 4.5 5.2    only these

Each gets a virtual environment in the folder (about 1 GB; made once, kept), with the Python that
it was built for: python3.11 or python3.13 from the PATH or from pyenv. In each the zip is validated
by Blender's own `extension validate`, installed, and all shape keys are generated. A series without
its Python is left out, and that is said; at least one must have run.

A Blender program, 4.2 or newer, that $BLENDWIRE_BLENDERS names is tested in the same way.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent

# Series -> release of bpy, and what it needs.
RELEASES = {
    "4.2": ("3.11", ["bpy==4.2.23", "numpy<2"]),
    "4.5": ("3.11", ["bpy==4.5.15"]),
    "5.0": ("3.11", ["bpy==5.0.1"]),
    "5.2": ("3.13", ["bpy==5.2.3"]),
}
TESTS = os.environ.get("BLENDWIRE_TEST_WORD", "on_the_demo_head")


def find_python(version: str) -> str | None:
    """A Python of this version."""
    on_path = shutil.which(f"python{version}")
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv")) / "versions"
    found = sorted(pyenv.glob(f"{version}.*/bin/python"))
    for candidate in [*map(str, reversed(found)), *([on_path] if on_path else [])]:
        answer = subprocess.run(
            [candidate, "-c", "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.stdout.strip() == version:
            return candidate
    return None


def environment(series: str, folder: pathlib.Path) -> pathlib.Path | None:
    """The Python of the series' virtual environment, which is made if it is missing."""
    version, packages = RELEASES[series]
    home = folder / f"bpy-{series}"
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        creator = find_python(version)
        if creator is None:
            print(f"skipped {series}: there is no python{version}")
            return None
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([creator, "-m", "venv", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        (home / "complete").touch()
    return python


def validate(blender: pathlib.Path, zip_file: pathlib.Path) -> None:
    """Blender's own check of an extension."""
    if "python" not in blender.name:
        subprocess.run([blender, "--command", "extension", "validate", zip_file], check=True)
        return
    tools = sorted(blender.parents[1].glob("lib/*/site-packages/bpy/**/bl_pkg/cli/blender_ext.py"))
    subprocess.run([blender, tools[0], "validate", zip_file], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--zip", type=pathlib.Path, help="else the newest in dist/")
    parser.add_argument("series", nargs="*", default=list(RELEASES), help="4.2 4.5 5.0 5.2")
    arguments = parser.parse_args()
    built = (HERE.parents[1] / "dist").glob("blendwire-*-linux_x64.zip")
    zips = [arguments.zip] if arguments.zip else sorted(built, key=os.path.getmtime)
    if not zips:
        print("skipped: dist/ has no blendwire-*-linux_x64.zip; scripts/package makes it")
        return 77
    blenders = {s: environment(s, arguments.folder.resolve()) for s in arguments.series}
    for program in filter(None, os.environ.get("BLENDWIRE_BLENDERS", "").split(";")):
        blenders[program] = pathlib.Path(program)
    results = {}
    for name, blender in blenders.items():
        if blender is None:
            continue
        print(f"== Blender {name}", flush=True)
        validate(blender, zips[-1])
        done = subprocess.run(
            [sys.executable, HERE / "run_blender.py", "--blender", "-k", TESTS, "--zip", zips[-1]],
            env={**os.environ, "BLENDWIRE_BLENDERS": str(blender)},
            check=False,
        )
        results[name] = done.returncode
    print(", ".join(f"{n}: {'failed' if code else 'passed'}" for n, code in results.items()))
    return int(not results or any(results.values()))


if __name__ == "__main__":
    sys.exit(main())
