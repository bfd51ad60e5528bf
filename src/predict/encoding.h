// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_PREDICT_ENCODING_H_
#define BLENDWIRE_PREDICT_ENCODING_H_

#include <cstddef>
#include <memory>

#include "absl/types/span.h"
#include "model/model.h"

namespace blendwire::predict {

// What one model made of one mesh, whatever the expression: docs/model-contract.md, "Encode once".
class Encoding {
 public:
  // Uninitialised: the model writes every value. Without `with_features` only the margins have
  // room.
  Encoding(const model::ModelFacts& facts, size_t vertex_count, bool with_features)
      : feature_count_(with_features ? FeatureBytes(facts, vertex_count) / sizeof(float) : 0),
        margin_count_(facts.has_margins ? vertex_count * model::kMarginChannels : 0),
        features_(new float[feature_count_]),
        margins_(new float[margin_count_]) {}

  static size_t FeatureBytes(const model::ModelFacts& facts, size_t vertex_count) {
    return vertex_count * static_cast<size_t>(facts.feature_size) * sizeof(float);
  }

  absl::Span<float> features() { return {features_.get(), feature_count_}; }
  absl::Span<const float> features() const { return {features_.get(), feature_count_}; }
  absl::Span<float> margins() { return {margins_.get(), margin_count_}; }
  absl::Span<const float> margins() const { return {margins_.get(), margin_count_}; }

 private:
  size_t feature_count_;
  size_t margin_count_;
  std::unique_ptr<float[]> features_;  // [N,F]
  std::unique_ptr<float[]> margins_;   // [N,4]
};

}  // namespace blendwire::predict

#endif  // BLENDWIRE_PREDICT_ENCODING_H_
