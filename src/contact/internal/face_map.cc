// SPDX-License-Identifier: Apache-2.0

#include "contact/internal/face_map.h"

namespace blendwire::contact::internal {
namespace {

template <typename T>
size_t BytesOf(const std::vector<T>& values) {
  return values.capacity() * sizeof(T);
}

size_t BytesOf(const Rims& rims) {
  return BytesOf(rims.upper_nodes) + BytesOf(rims.lower_nodes) +
         static_cast<size_t>(rims.upper.columns() + rims.lower.columns()) * sizeof(Vector);
}

template <typename Things>
void RenumberEach(absl::Span<const uint32_t> local_of, Things& things) {
  for (auto& thing : things) thing.local = local_of[thing.local];
}

void RenumberRims(absl::Span<const uint32_t> local_of, Rims& rims) {
  RenumberEach(local_of, rims.upper_nodes);
  RenumberEach(local_of, rims.lower_nodes);
}

}  // namespace

void Renumber(absl::Span<const uint32_t> local_of, EyeMap& eye) {
  RenumberRims(local_of, eye.rims);
  RenumberEach(local_of, eye.members);
  for (Strip& strip : eye.strips) {
    for (uint32_t& local : strip.locals) local = local_of[local];
    for (std::vector<Share>& shares : strip.stands_on) RenumberEach(local_of, shares);
  }
}

void Renumber(absl::Span<const uint32_t> local_of, MouthMap& mouth) {
  RenumberRims(local_of, mouth.rims);
  RenumberEach(local_of, mouth.members);
}

size_t MemoryBytes(const FaceMap& face) {
  size_t bytes = sizeof(FaceMap) + BytesOf(face.first_vertex) + BytesOf(face.vertices) +
                 BytesOf(face.positions) + BytesOf(face.mouth.rims) + BytesOf(face.mouth.members);
  for (const auto& triangles : face.triangles) bytes += BytesOf(triangles);
  for (const EyeMap& eye : face.eyes) {
    bytes += BytesOf(eye.rims) + BytesOf(eye.members) + BytesOf(eye.strips) +
             static_cast<size_t>(eye.eyeball.columns()) * sizeof(Vector);
    for (const Strip& strip : eye.strips) {
      bytes += BytesOf(strip.locals) + BytesOf(strip.stands_on);
      for (const std::vector<Share>& shares : strip.stands_on) bytes += BytesOf(shares);
    }
  }
  return bytes;
}

uint32_t RegionBuilder::LocalOf(uint32_t node) {
  if (local_of_[node] == kNone) {
    local_of_[node] = static_cast<uint32_t>(nodes_.size());
    nodes_.push_back(node);
  }
  return local_of_[node];
}

std::vector<uint32_t> RegionBuilder::Join(const RegionBuilder& part) {
  std::vector<uint32_t> local_of;
  local_of.reserve(part.nodes_.size());
  for (const uint32_t node : part.nodes_) local_of.push_back(LocalOf(node));
  return local_of;
}

void RegionBuilder::Finish(const Surface& surface, const std::vector<Vector>& node_positions,
                           FaceMap& face) {
  face.vertex_count = surface.node_of.size();
  face.positions.reserve(nodes_.size());
  for (const uint32_t node : nodes_) face.positions.push_back(node_positions[node]);

  face.first_vertex.assign(nodes_.size() + 1, 0);
  for (const uint32_t node : surface.node_of) {
    if (local_of_[node] != kNone) ++face.first_vertex[local_of_[node] + 1];
  }
  for (size_t i = 0; i < nodes_.size(); ++i) face.first_vertex[i + 1] += face.first_vertex[i];
  face.vertices.resize(face.first_vertex.back());
  std::vector<uint32_t> next(face.first_vertex.begin(), face.first_vertex.end());
  for (uint32_t vertex = 0; vertex < surface.node_of.size(); ++vertex) {
    const uint32_t local = local_of_[surface.node_of[vertex]];
    if (local != kNone) face.vertices[next[local]++] = vertex;
  }

  std::vector<uint8_t> parts(nodes_.size());  // a bit for each part a node belongs to
  for (const Part part : {kLeftLid, kRightLid, kLips}) {
    const std::vector<Member>& members =
        part == kLips ? face.mouth.members : face.eyes[part].members;
    for (const Member& member : members) {
      parts[member.local] = static_cast<uint8_t>(parts[member.local] | (1U << part));
    }
  }
  for (size_t t = 0; t + 2 < surface.triangles.size(); t += 3) {
    std::array<uint32_t, 3> corners{};
    unsigned common = 0xff;
    for (size_t i = 0; i < 3 && common != 0; ++i) {
      corners[i] = local_of_[surface.node_of[surface.triangles[t + i]]];
      common = corners[i] == kNone ? 0 : common & parts[corners[i]];
    }
    const bool flat =
        corners[0] == corners[1] || corners[1] == corners[2] || corners[2] == corners[0];
    if (common == 0 || flat) continue;
    for (size_t part = 0; part < kParts; ++part) {
      if ((common >> part & 1U) != 0) face.triangles[part].push_back(corners);
    }
  }
}

}  // namespace blendwire::contact::internal
