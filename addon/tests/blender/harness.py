# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the tests of cases.py inside a Blender, against the built zip in a fresh profile.

    BLENDER_USER_RESOURCES=EMPTY-FOLDER blender -b --factory-startup --python harness.py -- \\
        --zip dist/blendwire-….zip --head assets/demo_head.glb [-k WORD]
    BLENDER_USER_RESOURCES=EMPTY-FOLDER python harness.py -- …         (with PyPI's bpy)

The exit code is 0 only if all tests passed. Ends with os._exit: some bpy modules hang or crash when
Python ends.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pathlib
import sys
import time
import traceback

import bpy
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# Blender 3.4's glTF importer uses a name that the numpy of its distribution no longer has.
if "bool" not in vars(numpy):
    numpy.bool = bool


def install(path: str) -> str:
    """Installs and enables the zip; the add-on's module name."""
    if bpy.app.version >= (4, 2):
        bpy.ops.extensions.package_install_files(
            filepath=path, repo="user_default", enable_on_install=True
        )
        name = "bl_ext.user_default.blendwire"
    else:
        bpy.ops.preferences.addon_install(filepath=path, overwrite=True)
        name = "blendwire_addon"
        bpy.ops.preferences.addon_enable(module=name)
    assert name in bpy.context.preferences.addons, "the add-on is not enabled"
    return name


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--zip", required=True)
    parser.add_argument("--head", required=True)
    parser.add_argument("--out", default="")
    parser.add_argument("-k", default="")
    own = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    return parser.parse_args(own)


def main() -> int:
    options = arguments()
    addon = install(options.zip)
    cases = importlib.import_module("cases")
    cases.setup(addon, options.head, options.out)
    failed = []
    tests = {n: f for n, f in vars(cases).items() if n.startswith("test_") and options.k in n}
    print(f"Blender {bpy.app.version_string}, numpy {numpy.__version__}, {len(tests)} tests")
    for name, function in tests.items():
        begin = time.monotonic()
        try:
            cases.fresh_file()
            function()
            outcome = "passed"
        except Exception:
            traceback.print_exc()
            outcome = "FAILED"
            failed.append(name)
        print(f"{outcome} {name} ({time.monotonic() - begin:.1f} s)", flush=True)
    cases.tear_down()
    print(f"{len(tests) - len(failed)} passed, {len(failed)} failed {failed or ''}")
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    code = 1
    try:
        code = main()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
