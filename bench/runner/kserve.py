# SPDX-License-Identifier: Apache-2.0
"""Starts Triton and MLServer with a model of ours."""

from __future__ import annotations

import pathlib
import shutil
import socket
import subprocess
import sys

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


def _condition_size(file: pathlib.Path) -> int:
    inputs = onnx.load(file).graph.input
    shape = next(entry.type.tensor_type.shape for entry in inputs if entry.name == "condition")
    return int(shape.dim[1].dim_value)
