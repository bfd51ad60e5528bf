# SPDX-License-Identifier: Apache-2.0
"""What is measured side by side: a server, and a program that calls it (or, for the floor, none).

A contestant's name is "server:caller", for instance "tcp:c++", "unix:python", "triton:c++ shared",
"reference", "floor".
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import tempfile
from collections.abc import Mapping
from typing import Any

import kserve
from places import BENCH, ENVIRONMENTS, ROOT, Places, has, python_of
from processes import Server, clean_environment

# Flags of a measurement, as bench-load, bench-floor and callers/main.py have them.
Load = Mapping[str, Any]
CALL_SECONDS = 300.0


def start(server: str, model: str, places: Places) -> Server:
    """`server` is "tcp", "unix", "reference", "triton" or "mlserver"."""
    name = f"{server} {model}"
    file = places.model(model)
    # As a managed server has it; the other contestants have theirs, too.
    ours = [places.program("blendwire-server"), "--model", file, "--log-level", "ERROR",
            "--shared-memory", "64"]  # fmt: skip
    if server == "tcp":
        return Server(name, [*ours, "--port", "0"])
    if server == "unix":
        folder = pathlib.Path(tempfile.mkdtemp(prefix="blendwire-bench-"))  # 0700, a short path
        return Server(name, [*ours, "--socket", folder / "socket"], folder=folder)
    if server == "reference":
        stubs = ENVIRONMENTS / "reference/stubs"
        program = BENCH / "reference/server.py"
        arguments = ["--stubs", stubs, "--model", file, "--port", "0", "--log-level", "WARNING"]
        return Server(name, [python_of("reference"), program, *arguments])
    return kserve.start(server, model, places)


def _flags(load: Load, names: Mapping[str, str]) -> list[str]:
    """{"items": 15, "fresh": True} -> ["--items", "15", "--fresh"], for the names there are."""
    made: list[str] = []
    for key, value in load.items():
        if key not in names or value is False:
            continue
        made.append(names[key])
        if value is not True:
            made.append(str(value))
    return made


_CPP = {
    key: "--" + key.replace("_", "-")
    for key in (
        "kind",
        "items",
        "own_meshes",
        "fresh",
        "plain",
        "clients",
        "seconds",
        "at_least",
        "warm_up",
        "rate",
    )
}
_PYTHON = {key: flag for key, flag in _CPP.items() if key not in ("kind", "rate")}
_TRITON = {key: flag for key, flag in _PYTHON.items() if key not in ("items", "own_meshes", "plain")}
_FLOOR = {
    "items": "--batch",
    "clients": "--callers",
    "seconds": "--seconds",
    "at_least": "--at-least",
    "again": "--again",
    "model_threads": "--model-threads",
}


def command(
    contestant: str, model: str, vertices: int, load: Load, address: str, places: Places
) -> tuple[list[str | os.PathLike[str]], dict[str, str]]:
    """The program that calls, and what its environment must have."""
    mesh = ["--mesh", places.mesh(vertices)]
    where = ["--address", address]
    server, _, caller = contestant.partition(":")
    script = BENCH / "callers/main.py"
    if server == "floor":
        program = places.program("bench-floor")
        return [program, "--model", places.model(model), *mesh, *_flags(load, _FLOOR)], {}
    if server == "triton" and caller.startswith("c++"):
        size = str(kserve.condition_size(places.model(model)))
        arguments = [*where, *mesh, "--model", model, "--condition-size", size]
        if caller == "c++ shared":
            arguments.append("--shared-memory")
        return [places.program("bench-triton-load"), *arguments, *_flags(load, _TRITON)], {}
    if caller == "c++":
        return [places.program("bench-load"), *where, *mesh, *_flags(load, _CPP)], {}
    if caller == "python":
        library = places.build / "lib/libblendwire_client.so.1"
        env = {"PYTHONPATH": str(ROOT / "python"), "BLENDWIRE_CLIENT_LIBRARY": str(library)}
        arguments = ["blendwire", *where, *mesh, *_flags(load, _PYTHON)]
        return [python_of("runner"), script, *arguments], env
    if server == "reference":
        stubs = ENVIRONMENTS / "reference/stubs"
        env = {"PYTHONPATH": f"{stubs}:{BENCH / 'reference'}"}
        arguments = ["reference", *where, *mesh, *_flags(load, _PYTHON)]
        return [python_of("reference"), script, *arguments], env
    arguments = ["kserve", *where, *mesh, "--model", model, *_flags(load, _PYTHON)]
    if caller == "shared":
        arguments.append("--shared-memory")
    return [python_of(server), script, *arguments], {}


def available(contestant: str) -> bool:
    server = contestant.partition(":")[0]
    return server not in ("triton", "mlserver") or has(server)


def measure(
    contestant: str, model: str, vertices: int, load: Load, server: Server | None, places: Places
) -> dict[str, Any]:
    """One measurement: what the calling program prints, the load of the machine when it began, and
    the server's processor seconds for each call, warm-ups included."""
    program, env = command(
        contestant, model, vertices, load, server.address if server else "", places
    )
    loadavg = os.getloadavg()[0]
    cpu = server.cpu_seconds() if server else 0.0
    done = subprocess.run(
        program, env=clean_environment(env), capture_output=True, text=True,
        timeout=CALL_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{contestant} failed: {' '.join(map(str, program))}\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout)
    if result["errors"]:
        raise RuntimeError(f"{contestant}: {result['errors']} errors, {result['first_error']}")
    if server:
        warm_ups = load.get("clients", 1) * load.get("warm_up", 1)
        result["cpu_s"] = (server.cpu_seconds() - cpu) / (result["calls"] + warm_ups)
    return result | {"loadavg": loadavg}
