// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_PREDICT_ENCODING_H_
#define BLENDWIRE_PREDICT_ENCODING_H_

#include <cstddef>
#include <memory>
#include <mutex>

#include "absl/types/span.h"
#include "contact/contact.h"
#include "model/model.h"
#include "predict/prepared_mesh.h"
#include "system/large_array.h"

namespace blendwire::predict {

// What one model made of one mesh, whatever the expression: docs/model-contract.md, "Encode once"
// and "Margins". Once written, safe for use from several threads at once.
class Encoding {
 public:
  // Uninitialised: the model writes every value. Without `with_features` only the margins have
  // room.
  Encoding(const model::ModelFacts& facts, size_t vertex_count, bool with_features);

  // What the features of such a mesh take, and what may be worked out of its margins.
  static size_t Bytes(const model::ModelFacts& facts, size_t vertex_count);

  absl::Span<float> features() { return {features_.get(), feature_count_}; }
  absl::Span<const float> features() const { return {features_.get(), feature_count_}; }
  absl::Span<float> margins() { return {margins_.get(), margin_count_}; }
  absl::Span<const float> margins() const { return {margins_.get(), margin_count_}; }

  // The rims of lids and lips, from the margins, worked out when first needed. `mesh` is the mesh
  // that was encoded, or one of equal content.
  const contact::ContactMap& Contact(const PreparedMesh& mesh) const;

 private:
  size_t feature_count_;
  size_t margin_count_;
  system::LargeArray features_;        // [N,F]
  std::unique_ptr<float[]> margins_;   // [N,4]
  mutable std::once_flag contact_once_;
  mutable contact::ContactMap contact_;
};

}  // namespace blendwire::predict

#endif  // BLENDWIRE_PREDICT_ENCODING_H_
