# SPDX-License-Identifier: Apache-2.0
"""Where everything lies that a run of the benchmarks uses."""

from __future__ import annotations

import dataclasses
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
ENVIRONMENTS = ROOT / ".deps/bench"


@dataclasses.dataclass(frozen=True)
class Places:
    build: pathlib.Path  # the CMake build folder
    out: pathlib.Path  # report, plots, raw results
    default_model: pathlib.Path

    @property
    def work(self) -> pathlib.Path:
        """Meshes, models and sockets of the run."""
        return self.out / "work"

    def program(self, name: str) -> pathlib.Path:
        return self.build / "bin" / name

    def mesh(self, vertices: int) -> pathlib.Path:
        return self.work / f"head_{vertices}.mesh"

    def model(self, name: str) -> pathlib.Path:
        """`name` is "transport" or "default"."""
        return self.default_model if name == "default" else self.work / "transport.onnx"


def python_of(environment: str) -> pathlib.Path:
    """The interpreter of "runner", "reference", "triton" or "mlserver"."""
    return ENVIRONMENTS / environment / "bin/python"


def has(environment: str) -> bool:
    """Whether scripts/bench could set that environment up."""
    return any((ENVIRONMENTS / environment).glob(".complete-*"))
