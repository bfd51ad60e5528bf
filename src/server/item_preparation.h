// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SERVER_ITEM_PREPARATION_H_
#define BLENDWIRE_SERVER_ITEM_PREPARATION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "predict/options.h"
#include "predict/prepared_mesh.h"
#include "server/core.h"
#include "server/translate.h"

namespace blendwire::server {

// One valid item of a call: all that a prediction needs.
struct PreparedItem {
  std::string model_name;
  model::ModelRef model;
  std::shared_ptr<const predict::PreparedMesh> mesh;
  std::vector<float> condition;
  predict::Options options;
  // Where the answer goes instead of into its message: empty, or 3 floats for each vertex in
  // `region`.
  absl::Span<float> place;
  std::shared_ptr<SharedRegion> region;
};

// Validates the items of one call. Meshes are views of the request, which must stay alive as long
// as they do. Items that send equal meshes get one and the same, so that they can share a model
// run; so do those that use the batch's.
class ItemPreparation {
 public:
  explicit ItemPreparation(Core& core) : core_(core) {}

  // The mesh for items without vertices of their own. NOT_FOUND if it is named by an id that is not
  // known; all other errors are reported by the items that use it.
  absl::Status SetSharedMesh(const pb::BatchPredictionRequest& batch);

  // Errors are those of the contract's table: docs/errors.md.
  absl::StatusOr<PreparedItem> Prepare(const pb::VertexOffsetRequest& item);

 private:
  using Mesh = std::shared_ptr<const predict::PreparedMesh>;

  absl::StatusOr<Mesh> MeshOf(const pb::VertexOffsetRequest& item);
  // The mesh that `request`, an item or a batch, names by its id.
  template <typename Request>
  absl::StatusOr<Mesh> MeshById(const Request& request) const;
  // Finds the place that `item` names, if its region is there and the system has memory for it.
  absl::Status FindPlace(const pb::VertexOffsetRequest& item, PreparedItem& prepared) const;
  absl::StatusOr<Mesh> SharedMeshFor(const pb::VertexOffsetRequest& item) const;
  absl::StatusOr<Mesh> MakeMesh(absl::Span<const float> vertices, int64_t vertex_count,
                                absl::Span<const uint32_t> triangles) const;

  // Content of a mesh, to find equal ones.
  using Content = std::pair<absl::string_view, absl::string_view>;

  Core& core_;
  bool has_shared_mesh_ = false;
  absl::StatusOr<Mesh> shared_mesh_;
  absl::flat_hash_map<Content, Mesh> meshes_;
  absl::flat_hash_map<std::string, Mesh> named_meshes_;
};

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_ITEM_PREPARATION_H_
