# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the tests of cases_*.py inside a Blender, against the built zip in a fresh profile.

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
from typing import Any

import bpy
import numpy

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[2] / "packaging")]
from blender_install import install

_CASES = ("cases_meshes", "cases_stalls", "cases_run", "cases_writing")


def arguments(**more: Any) -> argparse.Namespace:
    """What stands behind "--"; `more` are further options and their defaults."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--zip", required=True)
    parser.add_argument("--head", required=True)
    parser.add_argument("--out", default="")
    parser.add_argument("-k", default="")
    for name, default in more.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    own = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    return parser.parse_args(own)


def main() -> int:
    options = arguments()
    addon = install(options.zip)
    scenes = importlib.import_module("scenes")
    scenes.setup(addon, options.head, options.out)
    failed = []
    tests = {
        name: function
        for module in _CASES
        for name, function in vars(importlib.import_module(module)).items()
        if name.startswith("test_") and options.k in name
    }
    print(f"Blender {bpy.app.version_string}, numpy {numpy.__version__}, {len(tests)} tests")
    for name, function in tests.items():
        begin = time.monotonic()
        try:
            scenes.fresh_file()
            function()
            outcome = "passed"
        except Exception:
            traceback.print_exc()
            outcome = "FAILED"
            failed.append(name)
        print(f"{outcome} {name} ({time.monotonic() - begin:.1f} s)", flush=True)
    scenes.tear_down()
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
