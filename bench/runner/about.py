# SPDX-License-Identifier: Apache-2.0
"""The machine and the versions of everything that is measured."""

from __future__ import annotations

import os
import pathlib
import platform
import re
import subprocess
import time
from typing import Any

from places import ROOT, Places, has, python_of


def _output(*command: Any) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def _packages(environment: str, names: list[str]) -> str:
    program = (
        "import importlib.metadata as m, platform, sys\n"
        "versions = [f', {name} {m.version(name)}' for name in sys.argv[1:]]\n"
        "print('Python', platform.python_version(), *versions)"
    )
    return _output(python_of(environment), "-c", program, *names).replace(" ,", ",")


def describe(places: Places) -> dict[str, str]:
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text())
    cache = (places.build / "CMakeCache.txt").read_text()
    kind = re.search(r"CMAKE_BUILD_TYPE:\w+=(.*)", cache)
    library = next(iter((ROOT / ".deps/onnxruntime/lib").glob("libonnxruntime.so.1.*")), None)
    found = {
        "when": time.strftime("%Y-%m-%d %H:%M"),
        "machine": f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} processors, "
        f"{int(memory[1]) / 2**20 if memory else 0:.0f} GiB, "
        f"{platform.system()} {platform.release()}",
        "system": _output("sh", "-c", ". /etc/os-release && echo $PRETTY_NAME"),
        "Blendwire": f"{_output(places.program('blendwire-server'), '--version')}, "
        f"commit {_output('git', '-C', ROOT, 'rev-parse', '--short', 'HEAD')}, "
        f"{kind[1] if kind else 'unknown'} build, {_output('c++', '--version').splitlines()[0]}, "
        f"ONNX Runtime {library.name.split('.so.')[1] if library else 'of the system'}",
        "default model": f"{places.default_model.name}, "
        f"{places.default_model.stat().st_size} bytes",
        "reference": _packages("reference", ["grpcio", "protobuf", "numpy", "onnxruntime"]),
    }
    if has("triton"):
        found["Triton"] = _packages("triton", ["nvidia-pytriton", "onnxruntime", "numpy"])
    if has("mlserver"):
        found["MLServer"] = _packages("mlserver", ["mlserver", "onnxruntime", "numpy"])
    return found
