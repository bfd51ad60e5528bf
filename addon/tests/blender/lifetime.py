# SPDX-License-Identifier: GPL-3.0-or-later
"""Begins a run, says which process the server is, and goes on until it is killed; started by
run_blender.py --lifetime."""

from __future__ import annotations

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import bpy
import harness
import scenes


def main() -> None:
    options = harness.arguments()
    scenes.setup(harness.install(options.zip), options.head, "")
    scenes.fresh_file()
    scenes.import_head()
    assert bpy.ops.blendwire.start_server("EXEC_DEFAULT") == {"FINISHED"}
    scenes.begin({"visemes", "arkit"})
    scenes.until_phase("predicting")
    print("SERVER", scenes.session().care.pid, flush=True)
    while True:
        if not scenes.session().busy:
            scenes.begin({"visemes", "arkit"})
        scenes.session().tick()
        time.sleep(0.01)


main()
