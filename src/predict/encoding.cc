// SPDX-License-Identifier: Apache-2.0

#include "predict/encoding.h"

namespace blendwire::predict {
namespace {

size_t FeatureCount(const model::ModelFacts& facts, size_t vertex_count) {
  return vertex_count * static_cast<size_t>(facts.feature_size);
}

size_t MarginCount(const model::ModelFacts& facts, size_t vertex_count) {
  return facts.has_margins ? vertex_count * model::kMarginChannels : 0;
}

}  // namespace

Encoding::Encoding(const model::ModelFacts& facts, size_t vertex_count, bool with_features)
    : feature_count_(with_features ? FeatureCount(facts, vertex_count) : 0),
      margin_count_(MarginCount(facts, vertex_count)),
      features_(system::MakeLargeArray(feature_count_)),
      margins_(new float[margin_count_]) {}

size_t Encoding::Bytes(const model::ModelFacts& facts, size_t vertex_count) {
  // A contact map takes no more than the margins of which it is made: rims are a small part of a
  // mesh.
  return (FeatureCount(facts, vertex_count) + 2 * MarginCount(facts, vertex_count)) * sizeof(float);
}

const contact::ContactMap& Encoding::Contact(const PreparedMesh& mesh) const {
  std::call_once(contact_once_, [&] {
    const mesh::Adjacency& adjacency = mesh.adjacency();
    const auto neighbours = [&adjacency](size_t node) { return adjacency.neighbours(node); };
    contact_ = contact::ContactMap::Build(
        {mesh.vertices(), adjacency.nodes(), adjacency.node_count(), neighbours, mesh.triangles()},
        margins());
  });
  return contact_;
}

}  // namespace blendwire::predict
