# SPDX-License-Identifier: GPL-3.0-or-later
"""Begins a run, says which process the server is, and goes on until it is killed; started by
run_blender.py --lifetime."""

from __future__ import annotations

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import bpy
import cases
import harness


def main() -> None:
    options = harness.arguments()
    cases.setup(harness.install(options.zip), options.head, "")
    cases.fresh_file()
    cases.import_head()
    assert bpy.ops.blendwire.start_server("EXEC_DEFAULT") == {"FINISHED"}
    cases.begin({"visemes", "arkit"})
    cases.until_phase("predicting")
    print("SERVER", cases.session().care.pid, flush=True)
    while True:
        if not cases.session().busy:
            cases.begin({"visemes", "arkit"})
        cases.session().tick()
        time.sleep(0.01)


main()
