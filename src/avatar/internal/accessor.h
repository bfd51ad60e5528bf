// SPDX-License-Identifier: Apache-2.0
//
// Numbers out of a document's accessors (glTF 2.0, chapter 3.6.2): all component types, normalized
// or not, interleaved, sparse, and without a bufferView (all zero).

#ifndef BLENDWIRE_AVATAR_INTERNAL_ACCESSOR_H_
#define BLENDWIRE_AVATAR_INTERNAL_ACCESSOR_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "avatar/avatar.h"
#include "avatar/internal/document.h"

namespace blendwire::avatar {

enum class ComponentType {
  kInt8 = 5120,
  kUint8 = 5121,
  kInt16 = 5122,
  kUint16 = 5123,
  kUint32 = 5125,
  kFloat = 5126,
};

size_t SizeOf(ComponentType type);

// What one accessor says about itself, checked.
struct AccessorLayout {
  size_t count = 0;       // elements
  size_t components = 0;  // numbers in each: 1 for SCALAR, 3 for VEC3, 16 for MAT4
  ComponentType type = ComponentType::kFloat;
  bool normalized = false;
};

// Keeps count of what it decodes: a small file can ask for the same numbers again and again.
class AccessorReader {
 public:
  // Both must outlive the reader.
  AccessorReader(const Document& document, const Limits& limits)
      : document_(document), limits_(limits), numbers_left_(limits.max_numbers_read) {}

  absl::StatusOr<AccessorLayout> Layout(size_t accessor) const;

  // [count, components] flattened. INVALID_ARGUMENT if it has another number of components, is not
  // all inside its bufferView, or holds a NaN or an infinity.
  absl::StatusOr<std::vector<float>> Floats(size_t accessor, size_t components);

  // As Floats, for whole numbers that are not normalized.
  absl::StatusOr<std::vector<uint32_t>> Integers(size_t accessor, size_t components);

  // Takes `count` off what may still be decoded; INVALID_ARGUMENT when that is too much.
  absl::Status Spend(uint64_t count);

  const Document& document() const { return document_; }
  const Limits& limits() const { return limits_; }

 private:
  template <typename T>
  absl::StatusOr<std::vector<T>> Decode(size_t accessor, const AccessorLayout& layout);

  const Document& document_;
  const Limits& limits_;
  uint64_t numbers_left_;
};

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_ACCESSOR_H_
