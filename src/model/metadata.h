// SPDX-License-Identifier: Apache-2.0
//
// What a model file says about itself in its custom metadata (docs/model-contract.md). Every entry
// is optional: a model without any is run one expression at a time with the standard 64-float
// condition.

#ifndef BLENDWIRE_MODEL_METADATA_H_
#define BLENDWIRE_MODEL_METADATA_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace blendwire::model {

struct Metadata {
  std::string version;  // "blendwire.version"
  std::string title;    // "blendwire.title"
  // "blendwire.condition_slots", a JSON array of strings: what each float of the condition means.
  // Empty: the standard layout.
  std::vector<std::string> condition_slots;
  // "blendwire.max_batch": conditions that one run may have; 0 is any number.
  int max_batch = 1;
};

// Reads the metadata through `lookup`, which gives the value of a key if the file has it.
// INVALID_ARGUMENT naming the key, its value and what would be right.
absl::StatusOr<Metadata> ReadMetadata(
    const std::function<std::optional<std::string>(const char* key)>& lookup);

}  // namespace blendwire::model

#endif  // BLENDWIRE_MODEL_METADATA_H_
