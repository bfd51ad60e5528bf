// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/accessor.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "avatar/internal/little_endian.h"
#include "avatar/internal/status_macros.h"

namespace blendwire::avatar {
namespace {

// A row of equally spaced elements in the buffer.
struct Elements {
  const char* first = nullptr;
  size_t stride = 0;
};

absl::StatusOr<ComponentType> ToComponentType(uint64_t code, absl::string_view where) {
  switch (code) {
    case 5120:
    case 5121:
    case 5122:
    case 5123:
    case 5125:
    case 5126:
      return static_cast<ComponentType>(code);
    default:
      return absl::InvalidArgumentError(absl::StrCat(where, ".componentType is ", code,
                                                     ", but must be 5120 to 5123, 5125 or 5126"));
  }
}

// `count` elements of `size` bytes from `byteOffset` of `object` (an accessor, or one half of a
// sparse one) in the bufferView `view`. `object` may be interleaved only if `may_stride`.
absl::StatusOr<Elements> Locate(const Document& document, const Json& object, size_t view,
                                uint64_t count, size_t size, bool may_stride,
                                const std::string& where) {
  const Json& json = List(document.json, "bufferViews")[view];
  const std::string view_where = Where("bufferViews", view);
  // The document has checked that the bufferView is inside the buffer.
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const uint64_t start,
                                    GetUint(json, "byteOffset", view_where, 0));
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const uint64_t length, GetUint(json, "byteLength", view_where));
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(uint64_t stride, GetUint(json, "byteStride", view_where, 0));
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const uint64_t offset, GetUint(object, "byteOffset", where, 0));
  if (stride == 0 || !may_stride) stride = size;
  if (stride < size || stride > 65536) {
    return absl::InvalidArgumentError(absl::StrCat(view_where, ".byteStride is ", stride,
                                                   ", but the elements of ", where, " have ", size,
                                                   " bytes"));
  }
  // No overflow: count has been checked against the limits, and stride is small.
  const uint64_t needed = count == 0 ? 0 : (count - 1) * stride + size;
  if (offset > length || needed > length - offset) {
    return absl::InvalidArgumentError(absl::StrCat(where, " wants ", needed, " bytes from ", offset,
                                                   " on, but ", view_where, " has ", length));
  }
  return Elements{document.bin.data() + start + offset, static_cast<size_t>(stride)};
}

template <typename Stored>
double Load(const char* bytes, bool normalized) {
  const Stored stored = LoadLittle<Stored>(bytes);
  const double value = static_cast<double>(stored);
  if constexpr (std::is_integral_v<Stored>) {
    if (normalized) {
      return std::max(value / static_cast<double>(std::numeric_limits<Stored>::max()), -1.0);
    }
  }
  return value;
}

double LoadComponent(const char* bytes, ComponentType type, bool normalized) {
  switch (type) {
    case ComponentType::kInt8:
      return Load<int8_t>(bytes, normalized);
    case ComponentType::kUint8:
      return Load<uint8_t>(bytes, normalized);
    case ComponentType::kInt16:
      return Load<int16_t>(bytes, normalized);
    case ComponentType::kUint16:
      return Load<uint16_t>(bytes, normalized);
    case ComponentType::kUint32:
      return Load<uint32_t>(bytes, normalized);
    case ComponentType::kFloat:
      return Load<float>(bytes, normalized);
  }
  return 0;
}

template <typename T>
void LoadElement(const char* bytes, const AccessorLayout& layout, T* out) {
  const size_t size = SizeOf(layout.type);
  for (size_t c = 0; c < layout.components; ++c) {
    out[c] = static_cast<T>(LoadComponent(bytes + c * size, layout.type, layout.normalized));
  }
}

absl::StatusOr<size_t> ViewOf(const Document& document, const Json& object,
                              const std::string& where) {
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
      const std::optional<size_t> view,
      GetIndex(document.json, object, "bufferView", "bufferViews", where));
  if (view.has_value()) return *view;
  return absl::InvalidArgumentError(absl::StrCat(where, ".bufferView is missing"));
}

// Puts the values of a sparse accessor over `out`.
template <typename T>
absl::Status ApplySparse(const Document& document, const Json& sparse, const std::string& where,
                         const AccessorLayout& layout, std::vector<T>& out) {
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const uint64_t count, GetUint(sparse, "count", where));
  if (count > layout.count) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, ".count is ", count, ", but the accessor has ", layout.count, " elements"));
  }
  const Json* indices = Find(sparse, "indices");
  const Json* values = Find(sparse, "values");
  if (indices == nullptr || values == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(where, " lacks its indices or its values"));
  }
  const std::string indices_where = absl::StrCat(where, ".indices");
  const std::string values_where = absl::StrCat(where, ".values");
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const uint64_t code,
                                    GetUint(*indices, "componentType", indices_where));
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const ComponentType type, ToComponentType(code, indices_where));
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const size_t indices_view,
                                    ViewOf(document, *indices, indices_where));
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const size_t values_view,
                                    ViewOf(document, *values, values_where));
  const size_t value_size = SizeOf(layout.type) * layout.components;
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
      const Elements index_elements,
      Locate(document, *indices, indices_view, count, SizeOf(type), false, indices_where));
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
      const Elements value_elements,
      Locate(document, *values, values_view, count, value_size, false, values_where));
  for (size_t i = 0; i < count; ++i) {
    const double index =
        LoadComponent(index_elements.first + i * index_elements.stride, type, false);
    if (!(index >= 0 && index < static_cast<double>(layout.count))) {
      return absl::InvalidArgumentError(absl::StrCat(indices_where, "[", i, "] is ", index,
                                                     ", but the accessor has ", layout.count,
                                                     " elements"));
    }
    LoadElement(value_elements.first + i * value_elements.stride, layout,
                out.data() + static_cast<size_t>(index) * layout.components);
  }
  return absl::OkStatus();
}

}  // namespace

size_t SizeOf(ComponentType type) {
  switch (type) {
    case ComponentType::kInt8:
    case ComponentType::kUint8:
      return 1;
    case ComponentType::kInt16:
    case ComponentType::kUint16:
      return 2;
    case ComponentType::kUint32:
    case ComponentType::kFloat:
      return 4;
  }
  return 4;
}

absl::StatusOr<AccessorLayout> AccessorReader::Layout(size_t accessor) const {
  const std::string where = Where("accessors", accessor);
  const Json& json = List(document_.json, "accessors")[accessor];
  AccessorLayout layout;
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const uint64_t count, GetUint(json, "count", where));
  if (count > limits_.max_numbers_read) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ".count is ", count, ", but the limit is ", limits_.max_numbers_read));
  }
  layout.count = static_cast<size_t>(count);
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const uint64_t code, GetUint(json, "componentType", where));
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(layout.type, ToComponentType(code, where));
  const Json* normalized = Find(json, "normalized");
  layout.normalized = normalized != nullptr && normalized->is_boolean() && normalized->get<bool>();
  const std::string type = GetText(json, "type");
  for (const auto& [name, components] :
       {std::pair("SCALAR", 1), {"VEC2", 2}, {"VEC3", 3}, {"VEC4", 4}, {"MAT4", 16}}) {
    if (type == name) layout.components = static_cast<size_t>(components);
  }
  if (layout.components == 0 || (layout.components == 16 && layout.type != ComponentType::kFloat)) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, ".type must be SCALAR, VEC2, VEC3 or VEC4, or MAT4 of componentType 5126"));
  }
  return layout;
}

absl::Status AccessorReader::Spend(uint64_t count) {
  if (count > numbers_left_) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the meshes have more than ", limits_.max_numbers_read, " numbers, which is the limit"));
  }
  numbers_left_ -= count;
  return absl::OkStatus();
}

template <typename T>
absl::StatusOr<std::vector<T>> AccessorReader::Decode(size_t accessor,
                                                      const AccessorLayout& layout) {
  const std::string where = Where("accessors", accessor);
  const Json& json = List(document_.json, "accessors")[accessor];
  BLENDWIRE_AVATAR_RETURN_IF_ERROR(Spend(layout.count * layout.components));
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
      const std::optional<size_t> view,
      GetIndex(document_.json, json, "bufferView", "bufferViews", where));
  std::vector<T> out;
  if (view.has_value()) {
    const size_t size = SizeOf(layout.type) * layout.components;
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
        const Elements elements, Locate(document_, json, *view, layout.count, size, true, where));
    out.resize(layout.count * layout.components);
    for (size_t i = 0; i < layout.count; ++i) {
      LoadElement(elements.first + i * elements.stride, layout, &out[i * layout.components]);
    }
  } else {
    // No data in the file vouches for this count.
    if (layout.count > limits_.max_vertices) {
      return absl::InvalidArgumentError(absl::StrCat(where, ".count is ", layout.count,
                                                     ", but the limit is ", limits_.max_vertices));
    }
    out.resize(layout.count * layout.components);
  }
  if (const Json* sparse = Find(json, "sparse"); sparse != nullptr) {
    BLENDWIRE_AVATAR_RETURN_IF_ERROR(
        ApplySparse(document_, *sparse, absl::StrCat(where, ".sparse"), layout, out));
  }
  return out;
}

absl::StatusOr<std::vector<float>> AccessorReader::Floats(size_t accessor, size_t components) {
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const AccessorLayout layout, Layout(accessor));
  if (layout.components != components) {
    return absl::InvalidArgumentError(absl::StrCat(Where("accessors", accessor), " has ",
                                                   layout.components, " numbers per element, but ",
                                                   components, " are needed"));
  }
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(std::vector<float> out, Decode<float>(accessor, layout));
  for (size_t i = 0; i < out.size(); ++i) {
    if (std::isfinite(out[i])) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(Where("accessors", accessor), "[", i / components, "] is not finite"));
  }
  return out;
}

absl::StatusOr<std::vector<uint32_t>> AccessorReader::Integers(size_t accessor, size_t components) {
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const AccessorLayout layout, Layout(accessor));
  const bool is_unsigned = layout.type == ComponentType::kUint8 ||
                           layout.type == ComponentType::kUint16 ||
                           layout.type == ComponentType::kUint32;
  if (layout.components != components || !is_unsigned || layout.normalized) {
    return absl::InvalidArgumentError(
        absl::StrCat(Where("accessors", accessor), " must have ", components,
                     " unsigned, not normalized numbers per element"));
  }
  return Decode<uint32_t>(accessor, layout);
}

}  // namespace blendwire::avatar
