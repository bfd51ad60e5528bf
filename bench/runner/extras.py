# SPDX-License-Identifier: Apache-2.0
"""Figures that are no cells: time to serve, memory, tails under load, pieces, Blender."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Any

import contestants
from places import BENCH, ROOT, Places
from processes import clean_environment
from record import Results

BUSY_CLIENTS = 16
SHARE_OF_LOAD = 0.8


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def time_to_serve(results: Results, places: Places, rounds: int) -> None:
    """From exec until the server says that it serves."""
    results.extra.pop("start", None)
    for server, model in (("tcp", "default"), ("tcp", "transport"), ("reference", "default")):
        for _ in range(rounds if server == "tcp" else min(rounds, 2)):
            loadavg = os.getloadavg()[0]
            started = contestants.start(server, model, places)
            results.extra.setdefault("start", {}).setdefault(f"{server} {model}", []).append(
                {"seconds": started.start_seconds, "loadavg": loadavg}
            )
            started.stop()


def memory(results: Results, places: Places) -> None:
    """Resident when idle with the default model, and the most while a batch of 15 on 20,000
    vertices runs."""
    for server, caller in (("tcp", "tcp:c++"), ("reference", "reference")):
        running = contestants.start(server, "default", places)
        try:
            time.sleep(2)  # what it gives back when idle, it has given back
            idle = running.resident_mib()
            running.forget_peak()
            load = {
                "kind": "batch",
                "items": 15,
                "fresh": True,
                "seconds": 0.1,
                "at_least": 1,
                "warm_up": 1 if server == "tcp" else 0,
            }
            contestants.measure(caller, "default", 20_000, load, running, places)
            peak = running.peak_mib()
            time.sleep(3)
            results.extra.setdefault("memory", {})[server] = {
                "idle_mib": idle, "peak_mib": peak, "after_mib": running.resident_mib(),
            }  # fmt: skip
        finally:
            running.stop()


def tails(results: Results, places: Places, quick: bool) -> None:
    """p50 and p99 when calls come evenly, at 80 % of what the server can do."""
    for model, vertices, seconds in (("transport", 20_000, 4.0), ("default", 5_000, 12.0)):
        server = contestants.start("tcp", model, places)
        try:
            load: dict[str, Any] = {
                "clients": BUSY_CLIENTS,
                "fresh": True,
                "at_least": 1,
                "seconds": seconds / (4 if quick else 2),
            }
            most = contestants.measure("tcp:c++", model, vertices, load, server, places)
            load |= {
                "rate": SHARE_OF_LOAD * most["per_second"],
                "seconds": seconds / (2 if quick else 1),
            }
            result = contestants.measure("tcp:c++", model, vertices, load, server, places)
            results.extra.setdefault("tails", {})[f"{model} {vertices}"] = result | {
                "most_per_second": most["per_second"], "rate": load["rate"],
            }  # fmt: skip
        finally:
            server.stop()


def idle_processor_time(results: Results, places: Places) -> None:
    """What an idle server uses of one core."""
    for server in ("tcp", "reference"):
        running = contestants.start(server, "default", places)
        try:
            time.sleep(2)
            before = running.cpu_seconds()
            time.sleep(3)
            share = (running.cpu_seconds() - before) / 3
            results.extra.setdefault("idle_cpu", {})[server] = share
        finally:
            running.stop()


def pieces(results: Results, places: Places, sizes: tuple[int, ...], quick: bool) -> None:
    """Google Benchmark's figures, in nanoseconds of processor time: piece -> vertices -> entry."""
    meshes = [places.mesh(size) for size in sizes]
    done = subprocess.run(
        [places.program("bench-pieces"), *meshes, "--benchmark_format=json",
         f"--benchmark_min_time={0.02 if quick else 0.1}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, dict[str, Any]] = {}
    scale = {"ns": 1.0, "us": 1e3, "ms": 1e6}
    for entry in json.loads(done.stdout)["benchmarks"]:
        piece, vertices = entry["name"].split("/")
        found.setdefault(piece, {})[vertices] = {
            "cpu_ns": entry["cpu_time"] * scale[entry["time_unit"]],
            "bytes_per_second": entry.get("bytes_per_second"),
            "offset_bytes_per_second": entry.get("offset_bytes_per_second"),
        }
    results.extra["pieces"] = found


def click(results: Results, places: Places, rounds: int) -> None:
    """From the operator's start to 15 shape keys on 20,000 vertices, in Blender, with the add-on as
    scripts/package makes it of this build; how much of it the model took the server says."""
    blender = shutil.which("blender")
    if blender is None:
        results.problems.append("click to 15 keys: not measured, there is no Blender here")
        return
    folder = places.work / "dist"
    packaged = subprocess.run(
        [ROOT / "scripts/package", "--build", places.build, "--output", folder],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    zips = sorted(folder.glob("blendwire-*-linux_x64.zip"))
    if packaged.returncode != 0 or not zips:
        results.problems.append(f"click to 15 keys: no add-on, {packaged.stderr[-600:]}")
        return
    results.extra.pop("click", None)
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as profile:
            env = clean_environment({"BLENDER_USER_RESOURCES": profile})
            for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
                env.pop(name, None)
            loadavg = os.getloadavg()[0]
            done = subprocess.run(
                [blender, "-b", "--factory-startup", "--python-exit-code", "1", "--python",
                 BENCH / "click.py", "--", zips[-1], places.mesh(20_000)],
                env=env, capture_output=True, text=True, timeout=240, check=False,
            )  # fmt: skip
        match = re.search(r"^CLICK (.*)$", done.stdout, re.MULTILINE)
        if match is None:
            results.problems.append(f"click to 15 keys: {(done.stdout + done.stderr)[-600:]}")
            return
        results.extra.setdefault("click", []).append(json.loads(match[1]) | {"loadavg": loadavg})
