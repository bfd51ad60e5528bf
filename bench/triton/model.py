# SPDX-License-Identifier: Apache-2.0
"""Triton's Python backend runs this: a model of ours through onnxruntime, inputs and output by
their own names."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

# The backend's interpreter looks neither at PYTHONPATH nor into a virtual environment.
sys.path.insert(0, os.environ["BLENDWIRE_BENCH_PACKAGES"])

import numpy as np
import onnxruntime
import triton_python_backend_utils as triton


class TritonPythonModel:
    """One instance."""

    def initialize(self, args: dict[str, str]) -> None:
        parameters = json.loads(args["model_config"])["parameters"]
        self.session = onnxruntime.InferenceSession(
            parameters["onnx_file"]["string_value"], providers=["CPUExecutionProvider"]
        )
        self.inputs = {entry.name: entry.shape for entry in self.session.get_inputs()}

    def execute(self, requests: list[Any]) -> list[Any]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        feeds = {
            name: triton.get_input_tensor_by_name(request, name).as_numpy()
            for name in ("vertices", "condition")
        }
        if "normals" in self.inputs:  # as in the reference: unknown
            feeds["normals"] = np.zeros_like(feeds["vertices"])
        if "features" in self.inputs:
            feeds["features"] = np.zeros((1, 0, self.inputs["features"][2]), np.float32)
        offsets = self.session.run(["offsets"], feeds)[0]
        return triton.InferenceResponse([triton.Tensor("offsets", offsets)])
