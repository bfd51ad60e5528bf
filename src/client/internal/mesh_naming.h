// SPDX-License-Identifier: Apache-2.0
//
// A mesh is sent once; calls name it from then on.

#ifndef BLENDWIRE_CLIENT_INTERNAL_MESH_NAMING_H_
#define BLENDWIRE_CLIENT_INTERNAL_MESH_NAMING_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "client/internal/grpc_rpc.h"
#include "client/internal/known_meshes.h"
#include "client/types.h"

namespace blendwire::client {

// What is sent in the place of a mesh that the server knows.
inline std::string IdOf(const std::shared_ptr<const KnownMesh>& known) {
  return known == nullptr ? std::string() : known->id;
}

template <typename Message>
void PutInFull(const KnownMesh& mesh, Message& message) {
  message.clear_mesh_id();
  *message.mutable_vertices() = mesh.vertices;
  *message.mutable_topology()->mutable_triangles() = mesh.triangles;
}

// Puts the mesh itself into a message that named it, once the server has said that it does not (or
// no longer) know it. NOT_FOUND may mean the model, too: then the second try ends in the same way.
template <typename Message>
AmendFunction SendingMeshInFull(Message& message, std::shared_ptr<const KnownMesh> known) {
  if (known == nullptr) return nullptr;
  return [&message, known = std::move(known)](const absl::Status& status) {
    if (!absl::IsNotFound(status)) return false;
    PutInFull(*known, message);
    return true;
  };
}

// Puts a copy of `mesh` into a message that named another one, of the same size.
template <typename Message>
std::function<void()> SendingInstead(Message& message, const MeshView& mesh) {
  auto copy = std::make_shared<KnownMesh>();
  copy->vertices.Add(mesh.vertices.begin(), mesh.vertices.end());
  copy->triangles.Add(mesh.triangles.begin(), mesh.triangles.end());
  return [&message, copy = std::move(copy)] { PutInFull(*copy, message); };
}

// Remembers the mesh of a message that has been answered; it moves out of the message.
template <typename Message>
void Learn(Message& message, const std::string& id, KnownMeshes& meshes) {
  if (id.empty() || message.vertices_size() == 0) return;
  auto known = std::make_shared<KnownMesh>();
  known->id = id;
  known->vertices.Swap(message.mutable_vertices());
  if (message.has_topology()) {
    known->triangles.Swap(message.mutable_topology()->mutable_triangles());
  }
  meshes.Remember(std::move(known));
}

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_MESH_NAMING_H_
