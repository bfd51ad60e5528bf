# SPDX-License-Identifier: Apache-2.0
"""MLServer runs this: a model of ours through onnxruntime, inputs and output by their own names."""

from __future__ import annotations

import numpy as np
import onnxruntime
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

from mlserver import MLModel


class OnnxModel(MLModel):
    """One model."""

    async def load(self) -> bool:
        self.session = onnxruntime.InferenceSession(
            self.settings.parameters.uri, providers=["CPUExecutionProvider"]
        )
        self.shapes = {entry.name: entry.shape for entry in self.session.get_inputs()}
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        feeds = {entry.name: NumpyCodec.decode_input(entry) for entry in payload.inputs}
        if "normals" in self.shapes:  # as in the reference: unknown
            feeds["normals"] = np.zeros_like(feeds["vertices"])
        if "features" in self.shapes:
            feeds["features"] = np.zeros((1, 0, self.shapes["features"][2]), np.float32)
        offsets = self.session.run(["offsets"], feeds)[0]
        return InferenceResponse(
            model_name=self.name, outputs=[NumpyCodec.encode_output("offsets", offsets)]
        )
