// SPDX-License-Identifier: Apache-2.0
//
// What a model file says about itself in its custom metadata (docs/model-contract.md). Every entry
// is optional: a model without any is run one expression at a time with the standard 64-float
// condition.

#ifndef BLENDWIRE_MODEL_METADATA_H_
#define BLENDWIRE_MODEL_METADATA_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace blendwire::model {

// Channels of the output `margins`: how surely a vertex lies on the rim of the upper lid, of the
// lower lid, on the edge of the upper lip, of the lower lip.
inline constexpr int kMarginChannels = 4;

// How much of an opening an expression at full weight is meant to close, each 0 to 1.
struct ContactShare {
  float left_lid = 0;  // the avatar's own left
  float right_lid = 0;
  float lips = 0;
  // The lids are only closed where the model's own offsets take away at least this share of the eyes'
  // opening: a smile closes the eyes of some faces only.
  float least_own_lids = 0;
};

struct Metadata {
  std::string version;  // "blendwire.version"
  std::string title;    // "blendwire.title"
  // "blendwire.condition_slots", a JSON array of strings: what each float of the condition means.
  // Empty: the standard layout.
  std::vector<std::string> condition_slots;
  // "blendwire.max_batch": conditions that one run may have; 0 is any number.
  int max_batch = 1;
  // "blendwire.features", the width of the input `features` and of the output `encoded`; 0: it has
  // neither.
  int feature_size = 0;
  // "blendwire.margins", a JSON array of the channels of the output `margins`; only
  // ["upper_lid", "lower_lid", "upper_lip", "lower_lip"] is known.
  bool has_margins = false;
  // "blendwire.contact", a JSON object of slot names.
  std::map<std::string, ContactShare> contact;
  // "blendwire.mirror"; only "average" is known: where a mesh is symmetric, offsets and margins are
  // averaged with their mirror images.
  bool average_with_mirror = false;
  // "blendwire.solids"; only "rigid" is known: small solid parts that move almost without bending
  // move without bending.
  bool rigid_solids = false;
  // "blendwire.max_stretch": how many times as long as at rest an edge of the mesh may get, above 1;
  // 0, if the file says nothing: any number of times.
  float max_stretch = 0.0f;
};

// Reads the metadata through `lookup`, which gives the value of a key if the file has it.
// INVALID_ARGUMENT naming the key, its value and what would be right.
absl::StatusOr<Metadata> ReadMetadata(
    const std::function<std::optional<std::string>(const char* key)>& lookup);

}  // namespace blendwire::model

#endif  // BLENDWIRE_MODEL_METADATA_H_
