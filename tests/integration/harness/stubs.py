# SPDX-License-Identifier: Apache-2.0
"""Stubs of the contract, and of gRPC's health and reflection services, made from their .proto files
when the tests start, so that they cannot be out of date.

    from harness.stubs import pb, rpc
"""

from __future__ import annotations

import atexit
import importlib
import importlib.resources
import pathlib
import shutil
import sys
import tempfile
from typing import Any

from grpc_tools import protoc

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
CONTRACT = "vrchat/blendshape/inference/inference.proto"


def compile_protos(roots: list[pathlib.Path], files: list[str], out: pathlib.Path) -> None:
    """Python messages and stubs of `files`, which lie below one of the `roots`, into `out`."""
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    arguments = ["protoc", *(f"--proto_path={root}" for root in roots), f"--proto_path={well_known}"]
    code = protoc.main([*arguments, f"--python_out={out}", f"--grpc_python_out={out}", *files])
    if code != 0:
        raise RuntimeError(f"protoc failed with {code} on {files}")


def _load() -> list[Any]:
    out = pathlib.Path(tempfile.mkdtemp(prefix="blendwire-stubs-"))
    atexit.register(shutil.rmtree, out, ignore_errors=True)
    compile_protos(
        [REPOSITORY / "proto", pathlib.Path(__file__).parent],
        [CONTRACT, "grpc_health.proto", "grpc_reflection.proto"],
        out,
    )
    sys.path.insert(0, str(out))
    names = ["vrchat.blendshape.inference.inference", "grpc_health", "grpc_reflection"]
    return [importlib.import_module(name + end) for name in names for end in ("_pb2", "_pb2_grpc")]


pb, rpc, health_pb, health_rpc, reflection_pb, reflection_rpc = _load()

SERVICE = "vrchat.blendshape.inference.InferenceService"
