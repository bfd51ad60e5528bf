// SPDX-License-Identifier: Apache-2.0

#include "model/session_contract.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace blendwire::model {
namespace {

struct Tensor {
  bool is_float = false;
  std::vector<int64_t> shape;  // -1: dynamic
};

using Tensors = std::map<std::string, Tensor>;

Tensor Describe(const Ort::TypeInfo& type) {
  Tensor tensor;
  if (type.GetONNXType() != ONNX_TYPE_TENSOR) return tensor;
  const auto info = type.GetTensorTypeAndShapeInfo();
  tensor.is_float = info.GetElementType() == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  tensor.shape = info.GetShape();
  return tensor;
}

std::string ShapeText(const std::vector<int64_t>& shape) {
  return absl::StrCat("[",
                      absl::StrJoin(shape, ",",
                                    [](std::string* out, int64_t size) {
                                      absl::StrAppend(out, size < 0 ? "?" : std::to_string(size));
                                    }),
                      "]");
}

std::string Names(const Tensors& tensors) {
  return absl::StrJoin(tensors, ", ", [](std::string* out, const auto& entry) {
    absl::StrAppend(out, "\"", entry.first, "\" ", ShapeText(entry.second.shape));
  });
}

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("the model does not fulfil the contract: ", what,
                   "; it must have float inputs vertices [1 or B,N,3] and condition [B,K], "
                   "optionally normals [1 or B,N,3], and the output offsets [B,N,3]"));
}

// `pattern`: -1 any size, otherwise the size that the dimension must have if it is fixed.
absl::Status CheckTensor(const Tensors& tensors, absl::string_view kind, absl::string_view name,
                         const std::vector<int64_t>& pattern) {
  const auto found = tensors.find(std::string(name));
  if (found == tensors.end()) {
    return Wrong(absl::StrCat("it has no ", kind, " \"", name, "\", but ", Names(tensors)));
  }
  const Tensor& tensor = found->second;
  if (!tensor.is_float) {
    return Wrong(absl::StrCat("its ", kind, " \"", name, "\" is not a tensor of 32-bit floats"));
  }
  bool fits = tensor.shape.size() == pattern.size();
  for (size_t i = 0; fits && i < pattern.size(); ++i) {
    fits = tensor.shape[i] < 0 || pattern[i] < 0 || tensor.shape[i] == pattern[i];
  }
  if (!fits) {
    return Wrong(absl::StrCat("its ", kind, " \"", name, "\" is ", ShapeText(tensor.shape)));
  }
  return absl::OkStatus();
}

Tensors Inputs(const Ort::Session& session) {
  Ort::AllocatorWithDefaultOptions allocator;
  Tensors inputs;
  for (size_t i = 0; i < session.GetInputCount(); ++i) {
    inputs[session.GetInputNameAllocated(i, allocator).get()] =
        Describe(session.GetInputTypeInfo(i));
  }
  return inputs;
}

Tensors Outputs(const Ort::Session& session) {
  Ort::AllocatorWithDefaultOptions allocator;
  Tensors outputs;
  for (size_t i = 0; i < session.GetOutputCount(); ++i) {
    outputs[session.GetOutputNameAllocated(i, allocator).get()] =
        Describe(session.GetOutputTypeInfo(i));
  }
  return outputs;
}

absl::Status CheckNoOtherInputs(const Tensors& inputs) {
  for (const auto& [name, tensor] : inputs) {
    if (name != kVerticesInput && name != kConditionInput && name != kNormalsInput &&
        name != kFeaturesInput) {
      return Wrong(absl::StrCat("it has another input, \"", name, "\" ", ShapeText(tensor.shape)));
    }
  }
  return absl::OkStatus();
}

// What only models have that say so in their metadata.
absl::Status CheckExtras(const Tensors& inputs, const Tensors& outputs, const Metadata& metadata) {
  const int64_t width = metadata.feature_size;
  if (width == 0 && inputs.contains(kFeaturesInput)) {
    return Wrong("it has an input \"features\", but no metadata blendwire.features with its width");
  }
  if (width > 0) {
    if (auto s = CheckTensor(inputs, "input", kFeaturesInput, {-1, -1, width}); !s.ok()) return s;
    if (auto s = CheckTensor(outputs, "output", kEncodedOutput, {-1, -1, width}); !s.ok()) return s;
  }
  if (!metadata.has_margins) return absl::OkStatus();
  return CheckTensor(outputs, "output", kMarginsOutput, {-1, -1, kMarginChannels});
}

}  // namespace

absl::StatusOr<SessionShape> CheckContract(const Ort::Session& session, const Metadata& metadata) {
  const Tensors inputs = Inputs(session);
  const Tensors outputs = Outputs(session);
  SessionShape shape;
  shape.takes_normals = inputs.contains(kNormalsInput);
  // An output whose shape ONNX cannot infer is described by its rank at best: sizes are checked
  // again at the warm-up run.
  if (auto s = CheckTensor(inputs, "input", kVerticesInput, {-1, -1, 3}); !s.ok()) return s;
  if (auto s = CheckTensor(inputs, "input", kConditionInput, {-1, -1}); !s.ok()) return s;
  if (shape.takes_normals) {
    if (auto s = CheckTensor(inputs, "input", kNormalsInput, {-1, -1, 3}); !s.ok()) return s;
  }
  if (auto s = CheckTensor(outputs, "output", kOffsetsOutput, {-1, -1, 3}); !s.ok()) return s;
  if (auto s = CheckNoOtherInputs(inputs); !s.ok()) return s;
  if (auto s = CheckExtras(inputs, outputs, metadata); !s.ok()) return s;

  const Tensor& vertices = inputs.at(kVerticesInput);
  const Tensor& condition = inputs.at(kConditionInput);
  if (vertices.shape[0] > 1 || condition.shape[0] > 1) {
    return Wrong("its batch size is fixed to more than 1");
  }
  shape.vertex_count = vertices.shape[1];
  shape.condition_size = condition.shape[1];
  shape.dynamic_batch = condition.shape[0] < 0;
  return shape;
}

}  // namespace blendwire::model
