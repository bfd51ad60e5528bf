// SPDX-License-Identifier: Apache-2.0
//
// Structs that begin with their own size. A program and a library of different ages may disagree on
// it: each fills and reads what both know.

#ifndef BLENDWIRE_CAPI_STRUCTS_H_
#define BLENDWIRE_CAPI_STRUCTS_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "capi/blendwire.h"
#include "capi/error.h"

namespace blendwire::capi {

// What the *_init functions set.
blendwire_client_options DefaultClientOptions();
blendwire_call_options DefaultCallOptions();
blendwire_mesh DefaultMesh();
blendwire_expression DefaultExpression();
blendwire_prediction_options DefaultPredictionOptions();
blendwire_predict_request DefaultPredictRequest();
blendwire_batch_request DefaultBatchRequest();
blendwire_load_request DefaultLoadRequest();
blendwire_server_options DefaultServerOptions();

// Writes as much of `text` as fits, cut between two UTF-8 characters, and a NUL.
void CopyText(absl::string_view text, char* buffer, size_t size);

// nullptr is "".
inline std::string Text(const char* text) { return text == nullptr ? "" : text; }

template <typename Struct>
void InitStruct(Struct* target, size_t struct_size, const Struct& defaults) {
  static_assert(std::is_trivially_copyable_v<Struct>);
  if (target == nullptr || struct_size < sizeof(size_t)) return;
  std::memset(static_cast<void*>(target), 0, struct_size);
  std::memcpy(static_cast<void*>(target), &defaults, std::min(struct_size, sizeof(Struct)));
  target->struct_size = struct_size;
}

inline absl::Status CheckStructSize(size_t struct_size, absl::string_view name) {
  if (struct_size >= sizeof(size_t)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, ".struct_size is ", struct_size, ", but must be the struct's sizeof"));
}

// A copy of what the caller's program knows of the struct; the rest as in `defaults`.
template <typename Struct>
absl::StatusOr<Struct> ReadStruct(const Struct* given, const Struct& defaults,
                                  absl::string_view name) {
  if (given == nullptr) return NullError(name);
  if (auto s = CheckStructSize(given->struct_size, name); !s.ok()) return s;
  Struct result = defaults;
  std::memcpy(static_cast<void*>(&result), given, std::min(given->struct_size, sizeof(Struct)));
  return result;
}

// Fills in what the caller's program knows of the struct.
template <typename Struct>
absl::Status WriteStruct(const Struct& full, Struct* target, absl::string_view name) {
  if (auto s = CheckStructSize(target->struct_size, name); !s.ok()) return s;
  const size_t struct_size = target->struct_size;
  std::memcpy(static_cast<void*>(target), &full, std::min(struct_size, sizeof(Struct)));
  target->struct_size = struct_size;
  return absl::OkStatus();
}

}  // namespace blendwire::capi

#endif  // BLENDWIRE_CAPI_STRUCTS_H_
