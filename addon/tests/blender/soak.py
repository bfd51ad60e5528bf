# SPDX-License-Identifier: GPL-3.0-or-later
"""Generates, undoes, cancels and kills the server again and again in one Blender; started by
run_blender.py --cycles.

At the end nothing may be left behind (servers, zombies) and nothing may have grown (threads, open
files, memory) since the first third, by when Blender's undo history is full.
"""

from __future__ import annotations

import os
import pathlib
import signal
import statistics
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import bpy
import harness
import scenes

SETS = {"visemes", "emotions"}
KEYS = 15 + 6
MOST_GROWTH_MIB = 30.0


def head() -> bpy.types.Object:
    """Looked up each time: an undo replaces it."""
    return bpy.data.objects["Head"]


def key_count() -> int:
    return len(scenes.keys_of(head()))


def generate_and_undo() -> None:
    scenes.generate(sets=SETS)
    assert key_count() == KEYS + 1, key_count()
    bpy.ops.ed.undo()
    assert key_count() == 0, key_count()


def undo_and_redo() -> None:
    scenes.generate(sets=SETS)
    bpy.ops.ed.undo()
    bpy.ops.ed.redo()
    assert key_count() == KEYS + 1, key_count()
    bpy.ops.ed.undo()
    assert key_count() == 0, key_count()


def cancel_while_predicting() -> None:
    scenes.begin(SETS)
    scenes.until_phase("predicting")
    bpy.ops.blendwire.cancel()
    assert scenes.codes()[0] == "cancelled" and key_count() == 0


def cancel_while_writing() -> None:
    scenes.begin(SETS)
    run = scenes.until_phase("writing")
    for _ in range(5):
        run.tick(0)
    bpy.ops.blendwire.cancel()
    assert scenes.codes()[0] == "cancelled" and key_count() == 0


def kill_the_server() -> None:
    server = scenes.session().care.pid
    os.kill(server, signal.SIGSTOP)  # it knows the mesh by now, and would answer before it dies
    run = scenes.begin(SETS)
    scenes.until_phase("predicting")
    os.kill(server, signal.SIGKILL)
    scenes.pump(lambda: run.finished)
    assert scenes.codes()[0] in ("crashed", "unreachable"), scenes.codes()
    assert key_count() == 0
    scenes.pump(lambda: scenes.session().care.state.value == "crashed", 10)
    assert bpy.ops.blendwire.restart_server() == {"FINISHED"}
    scenes.pump(lambda: scenes.session().care.state.value == "running", 60)


CYCLES = (
    generate_and_undo,
    cancel_while_predicting,
    undo_and_redo,
    cancel_while_writing,
    kill_the_server,
)


def sample() -> dict[str, float]:
    """What this process holds."""
    status = pathlib.Path("/proc/self/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return {
        "memory_mib": int(fields["VmRSS"].split()[0]) / 1024,
        "threads": int(fields["Threads"]),
        "open_files": len(os.listdir("/proc/self/fd")),
    }


def children() -> list[int]:
    """Processes whose parent this one is, ended ones that nobody has asked after included."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parent = folder.joinpath("stat").read_text().rsplit(") ", 1)[1].split()[1]
        except (OSError, IndexError):
            continue
        if int(parent) == os.getpid():
            found.append(int(folder.name))
    return found


def run(count: int) -> None:
    """All cycles, and what must hold after them."""
    scenes.fresh_file()
    scenes.import_head()
    bpy.ops.ed.undo_push(message="Ready")
    assert bpy.ops.blendwire.start_server("EXEC_DEFAULT") == {"FINISHED"}
    samples, servers = [], {scenes.session().care.pid}
    begin = time.monotonic()
    for number in range(count):
        CYCLES[number % len(CYCLES)]()
        servers.add(scenes.session().care.pid)
        samples.append(sample())
        assert children() == [scenes.session().care.pid], (children(), servers)
        if number % 20 == 19:
            print(f"{number + 1} cycles: {samples[-1]}", flush=True)
    seconds = time.monotonic() - begin
    scenes.tear_down()
    assert children() == [], f"left behind: {children()}"
    third = max(1, count // 3)
    before, after = (
        {key: statistics.median(s[key] for s in part) for key in samples[0]}
        for part in (samples[third : 2 * third], samples[-third:])
    )
    scenes.report(
        "cycles",
        cycles=count,
        seconds=round(seconds),
        servers=len(servers),
        second_third=before,
        last_third=after,
    )
    assert after["threads"] <= before["threads"], (before, after)
    assert after["open_files"] <= before["open_files"], (before, after)
    assert after["memory_mib"] <= before["memory_mib"] + MOST_GROWTH_MIB, (before, after)


def main() -> int:
    options = harness.arguments(times=200)
    scenes.setup(harness.install(options.zip), options.head, options.out)
    run(options.times)
    print(f"{options.times} cycles passed", flush=True)
    return 0


CODE = 1
try:
    CODE = main()
except BaseException:
    traceback.print_exc()
finally:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(CODE)
