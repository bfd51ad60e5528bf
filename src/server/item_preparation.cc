// SPDX-License-Identifier: Apache-2.0

#include "server/item_preparation.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "expression/condition.h"

namespace blendwire::server {
namespace {

template <typename T>
absl::string_view BytesOf(absl::Span<const T> values) {
  return absl::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

}  // namespace

absl::StatusOr<ItemPreparation::Mesh> ItemPreparation::MakeMesh(
    absl::Span<const float> vertices, int64_t vertex_count,
    absl::Span<const uint32_t> triangles) const {
  const auto count = static_cast<int64_t>(vertices.size() / 3);
  if (count > core_.limits.max_vertices) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the mesh has ", count, " vertices; this server takes at most ",
                     core_.limits.max_vertices, " (--max-vertices)"));
  }
  const auto triangle_count = static_cast<int64_t>(triangles.size() / 3);
  if (triangle_count > core_.limits.max_triangles) {
    return absl::ResourceExhaustedError(absl::StrCat("the mesh has ", triangle_count,
                                                     " triangles; this server takes at most ",
                                                     core_.limits.max_triangles));
  }
  return predict::PreparedMesh::Create(vertices, vertex_count, triangles, core_.meshes);
}

template <typename Request>
absl::StatusOr<ItemPreparation::Mesh> ItemPreparation::MeshById(const Request& request) const {
  if (request.vertices_size() > 0 || request.topology().triangles_size() > 0) {
    return absl::InvalidArgumentError(
        "mesh_id is set, so vertices and topology must be left out: it names a mesh that was sent "
        "before");
  }
  std::shared_ptr<const predict::KnownMesh> known = core_.meshes.Find(request.mesh_id());
  if (known == nullptr) {
    return absl::NotFoundError(
        "mesh_id names no mesh that this server keeps; send vertices and topology instead, and use "
        "the mesh_id of the answer");
  }
  const auto count = static_cast<int64_t>(known->vertices.size() / 3);
  if (request.vertex_count() != 0 && request.vertex_count() != count) {
    return absl::InvalidArgumentError(absl::StrCat("vertex_count is ", request.vertex_count(),
                                                   ", but the mesh that mesh_id names has ",
                                                   count));
  }
  return predict::PreparedMesh::Of(std::move(known));
}

absl::Status ItemPreparation::SetSharedMesh(const pb::BatchPredictionRequest& batch) {
  has_shared_mesh_ = batch.vertices_size() > 0 || !batch.mesh_id().empty();
  if (!has_shared_mesh_) return absl::OkStatus();
  shared_mesh_ = batch.mesh_id().empty() ? MakeMesh(VerticesOf(batch), batch.vertex_count(),
                                                    TrianglesOf(batch.topology()))
                                         : MeshById(batch);
  return absl::IsNotFound(shared_mesh_.status()) ? shared_mesh_.status() : absl::OkStatus();
}

absl::StatusOr<ItemPreparation::Mesh> ItemPreparation::SharedMeshFor(
    const pb::VertexOffsetRequest& item) const {
  if (!shared_mesh_.ok()) return shared_mesh_;
  if (item.topology().triangles_size() > 0) {
    return absl::InvalidArgumentError(
        "topology has triangles, but the item has no vertices of its own; leave it out to use the "
        "batch's mesh");
  }
  const auto count = static_cast<int64_t>((*shared_mesh_)->vertex_count());
  if (item.vertex_count() != 0 && item.vertex_count() != count) {
    return absl::InvalidArgumentError(absl::StrCat("vertex_count is ", item.vertex_count(),
                                                   ", but the item has no vertices of its own and "
                                                   "the batch's mesh has ",
                                                   count));
  }
  return shared_mesh_;
}

absl::StatusOr<ItemPreparation::Mesh> ItemPreparation::MeshOf(const pb::VertexOffsetRequest& item) {
  if (!item.mesh_id().empty()) {
    absl::StatusOr<Mesh> mesh = MeshById(item);
    if (!mesh.ok()) return mesh;
    Mesh& known = named_meshes_[item.mesh_id()];
    if (known == nullptr) known = *mesh;
    return known;
  }
  if (item.vertices_size() == 0 && has_shared_mesh_) return SharedMeshFor(item);
  const absl::Span<const float> vertices = VerticesOf(item);
  const absl::Span<const uint32_t> triangles = TrianglesOf(item.topology());
  Mesh& known = meshes_[Content(BytesOf(vertices), BytesOf(triangles))];
  // An equal mesh has passed, but the count beside it may still be wrong.
  if (known != nullptr && static_cast<int64_t>(known->vertex_count()) == item.vertex_count()) {
    return known;
  }
  absl::StatusOr<Mesh> mesh = MakeMesh(vertices, item.vertex_count(), triangles);
  if (mesh.ok()) known = *mesh;
  return mesh;
}

absl::Status ItemPreparation::FindPlace(const pb::VertexOffsetRequest& item,
                                        PreparedItem& prepared) const {
  if (!item.has_answer_place()) return absl::OkStatus();
  std::shared_ptr<SharedRegion> region = core_.regions.Find(item.answer_place().region_id());
  if (region == nullptr) return absl::OkStatus();
  const absl::StatusOr<absl::Span<float>> place =
      region->Place(item.answer_place().offset(), prepared.mesh->vertices().size());
  if (absl::IsInvalidArgument(place.status())) return place.status();
  if (!place.ok()) return absl::OkStatus();
  prepared.place = *place;
  prepared.region = std::move(region);
  return absl::OkStatus();
}

absl::StatusOr<PreparedItem> ItemPreparation::Prepare(const pb::VertexOffsetRequest& item) {
  PreparedItem prepared;
  absl::StatusOr<model::ModelRef> model = core_.models.Get(item.model_name());
  if (!model.ok()) return model.status();
  prepared.model = *std::move(model);
  prepared.model_name =
      item.model_name().empty() ? std::string(model::kDefaultModelName) : item.model_name();

  absl::StatusOr<Mesh> mesh = MeshOf(item);
  if (!mesh.ok()) return mesh.status();
  prepared.mesh = *std::move(mesh);
  if (absl::Status status = FindPlace(item, prepared); !status.ok()) return status;

  prepared.options = ToOptions(item.options());
  if (absl::Status status = prepared.options.Validate(); !status.ok()) return status;

  const auto layout = core_.layouts.For(prepared.model);
  if (!layout.ok()) return layout.status();
  const absl::StatusOr<expression::ConditionSpec> spec = ToConditionSpec(item.condition());
  if (!spec.ok()) return spec.status();
  prepared.condition.resize((*layout)->size());
  if (absl::Status status =
          expression::EncodeCondition(*spec, **layout, absl::MakeSpan(prepared.condition));
      !status.ok()) {
    return status;
  }
  return prepared;
}

}  // namespace blendwire::server
