// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/accessor_writer.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "avatar/internal/accessor.h"
#include "avatar/internal/little_endian.h"

namespace blendwire::avatar {
namespace {

// About what the JSON of a sparse accessor and its two bufferViews takes over that of a dense one.
constexpr size_t kSparseOverhead = 250;

template <typename T>
absl::string_view Bytes(absl::Span<const T> values) {
  return absl::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

size_t AppendAccessor(Document& document, Json accessor) {
  Json& accessors = MutableList(document.json, "accessors");
  accessors.push_back(std::move(accessor));
  return accessors.size() - 1;
}

void AddBounds(Json& accessor, absl::Span<const float> values, size_t components) {
  Json lower = Json::array();
  Json upper = Json::array();
  for (size_t c = 0; c < components; ++c) {
    float least = values[c];
    float most = values[c];
    for (size_t i = c; i < values.size(); i += components) {
      least = std::min(least, values[i]);
      most = std::max(most, values[i]);
    }
    lower.push_back(least);
    upper.push_back(most);
  }
  accessor["min"] = std::move(lower);
  accessor["max"] = std::move(upper);
}

Json NewAccessor(ComponentType component, size_t count, const char* type) {
  return Json{{"componentType", static_cast<int>(component)}, {"count", count}, {"type", type}};
}

const char* TypeName(size_t components) {
  static constexpr const char* kNames[] = {"SCALAR", "VEC2", "VEC3", "VEC4"};
  return kNames[components - 1];
}

template <typename T>
std::string Narrowed(const std::vector<uint32_t>& indices) {
  std::string bytes;
  for (const uint32_t index : indices) AppendLittle(bytes, static_cast<T>(index));
  return bytes;
}

Json Sparse(Document& document, absl::Span<const float> vectors,
            const std::vector<uint32_t>& moved) {
  const bool small = vectors.size() / 3 <= 65536;
  const size_t indices = AppendView(
      document, small ? Narrowed<uint16_t>(moved) : Narrowed<uint32_t>(moved), ViewTarget::kNone);
  std::vector<float> values;
  values.reserve(3 * moved.size());
  for (const uint32_t i : moved) {
    const absl::Span<const float> vector = vectors.subspan(size_t{3} * i, 3);
    values.insert(values.end(), vector.begin(), vector.end());
  }
  const size_t values_view =
      AppendView(document, Bytes(absl::Span<const float>(values)), ViewTarget::kNone);
  const ComponentType type = small ? ComponentType::kUint16 : ComponentType::kUint32;
  return Json{{"count", moved.size()},
              {"indices", {{"bufferView", indices}, {"componentType", static_cast<int>(type)}}},
              {"values", {{"bufferView", values_view}}}};
}

}  // namespace

size_t AppendMorphAttribute(Document& document, absl::Span<const float> vectors) {
  const size_t count = vectors.size() / 3;
  std::vector<uint32_t> moved;
  for (size_t i = 0; i < count; ++i) {
    if (vectors[3 * i] != 0 || vectors[3 * i + 1] != 0 || vectors[3 * i + 2] != 0) {
      moved.push_back(static_cast<uint32_t>(i));
    }
  }
  const size_t index_bytes = count <= 65536 ? 2 : 4;
  if (!moved.empty() && moved.size() * (12 + index_bytes) + kSparseOverhead >= 12 * count) {
    return AppendFloats(document, vectors, 3, ViewTarget::kVertices, /*bounds=*/true);
  }
  Json accessor = NewAccessor(ComponentType::kFloat, count, "VEC3");
  AddBounds(accessor, vectors, 3);
  if (!moved.empty()) accessor["sparse"] = Sparse(document, vectors, moved);
  return AppendAccessor(document, std::move(accessor));
}

size_t AppendFloats(Document& document, absl::Span<const float> values, size_t components,
                    ViewTarget target, bool bounds) {
  const size_t view = AppendView(document, Bytes(values), target);
  Json accessor =
      NewAccessor(ComponentType::kFloat, values.size() / components, TypeName(components));
  accessor["bufferView"] = view;
  if (bounds) AddBounds(accessor, values, components);
  return AppendAccessor(document, std::move(accessor));
}

size_t AppendIndices(Document& document, absl::Span<const uint32_t> indices) {
  const size_t view = AppendView(document, Bytes(indices), ViewTarget::kIndices);
  Json accessor = NewAccessor(ComponentType::kUint32, indices.size(), "SCALAR");
  accessor["bufferView"] = view;
  return AppendAccessor(document, std::move(accessor));
}

}  // namespace blendwire::avatar
