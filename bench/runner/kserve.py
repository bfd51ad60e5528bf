# SPDX-License-Identifier: Apache-2.0
"""Starts Triton and MLServer with a model of ours."""

from __future__ import annotations

import json
import pathlib
import shutil
import socket
import subprocess

import onnx
from places import BENCH, ENVIRONMENTS, Places, python_of
from processes import Server


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _ready(environment: str, address: str, model: str) -> bool:
    """Asks with the peer's own client; this environment has none."""
    program = (
        "import sys, tritonclient.grpc as k\n"
        "sys.exit(not k.InferenceServerClient(sys.argv[1]).is_model_ready(sys.argv[2]))"
    )
    call = [python_of(environment), "-c", program, address, model]
    return subprocess.run(call, capture_output=True, check=False).returncode == 0


def condition_size(file: pathlib.Path) -> int:
    """Values of one condition of a model."""
    inputs = onnx.load(file).graph.input
    shape = next(entry.type.tensor_type.shape for entry in inputs if entry.name == "condition")
    return int(shape.dim[1].dim_value)


def _triton(model: str, places: Places, ports: list[int]) -> Server:
    folder = places.work / "triton" / model
    (folder / model / "1").mkdir(parents=True, exist_ok=True)
    text = (BENCH / "triton/config.pbtxt.in").read_text()
    file = places.model(model)
    fields = {"NAME": model, "CONDITION_SIZE": condition_size(file), "ONNX_FILE": file}
    for key, value in fields.items():
        text = text.replace(f"@{key}@", str(value))
    (folder / model / "config.pbtxt").write_text(text)
    shutil.copy(BENCH / "triton/model.py", folder / model / "1/model.py")
    packages = next((ENVIRONMENTS / "triton/lib").glob("python3*/site-packages"))
    home = packages / "pytriton/tritonserver"
    version = packages.parent.name.removeprefix("python")
    stub = "triton_python_backend_stub"  # runs model.py, and is searched beside the backend only
    shutil.copy(home / "python_backend_stubs" / version / stub, home / "backends/python" / stub)
    # The Python backend is linked to the interpreter's library; it imports from the environment.
    libraries = subprocess.run(
        [python_of("triton"), "-c", "import sysconfig; print(sysconfig.get_config_var('LIBDIR'))"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    env = {
        "LD_LIBRARY_PATH": f"{libraries}:{home / 'external_libs'}",
        "BLENDWIRE_BENCH_PACKAGES": str(packages),
    }
    http, grpc, metrics = ports
    return Server(
        f"triton {model}",
        [home / "bin/tritonserver", f"--model-repository={folder}",
         f"--backend-directory={home / 'backends'}", f"--http-port={http}", f"--grpc-port={grpc}",
         f"--metrics-port={metrics}", "--http-address=127.0.0.1", "--grpc-address=127.0.0.1",
         "--allow-metrics=false", "--log-verbose=0"],
        address=f"127.0.0.1:{grpc}",
        ready=lambda: _ready("triton", f"127.0.0.1:{grpc}", model),
        env=env,
    )  # fmt: skip


def _mlserver(model: str, places: Places, ports: list[int]) -> Server:
    http, grpc, metrics = ports
    folder = places.work / "mlserver" / model
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(BENCH / "mlserver/onnx_model.py", folder)
    (folder / "settings.json").write_text(json.dumps({
        "host": "127.0.0.1", "http_port": http, "grpc_port": grpc, "metrics_port": metrics,
        "grpc_max_message_length": 2**30, "debug": False,
        # In its own process: its workers do not start on Python 3.11 with this uvloop.
        "parallel_workers": 0,
    }))  # fmt: skip
    size = condition_size(places.model(model))
    (folder / "model-settings.json").write_text(json.dumps({
        "name": model,
        "implementation": "onnx_model.OnnxModel",
        "parameters": {"uri": str(places.model(model))},
        "inputs": [
            {"name": "vertices", "datatype": "FP32", "shape": [1, -1, 3]},
            {"name": "condition", "datatype": "FP32", "shape": [-1, size]},
        ],
    }))  # fmt: skip
    return Server(
        f"mlserver {model}",
        [ENVIRONMENTS / "mlserver/bin/mlserver", "start", folder],
        address=f"127.0.0.1:{grpc}",
        ready=lambda: _ready("mlserver", f"127.0.0.1:{grpc}", model),
        env={"PYTHONPATH": str(folder)},
    )


def start(kind: str, model: str, places: Places) -> Server:
    """`kind` is "triton" or "mlserver"; the model keeps its own name."""
    make = {"triton": _triton, "mlserver": _mlserver}[kind]
    return make(model, places, _free_ports(3))
