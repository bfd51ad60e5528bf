// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLI_JSON_OUTPUT_H_
#define BLENDWIRE_CLI_JSON_OUTPUT_H_

#include <string>

#include "absl/types/span.h"
#include "client/types.h"
#include "nlohmann/json.hpp"

namespace blendwire::cli {

using Json = nlohmann::ordered_json;

// A float as the shortest number that means the same float: 0.1, not 0.10000000149011612.
double Shortest(float value);

// [n,3] flattened as [[x,y,z],…].
Json VectorsJson(absl::Span<const float> vectors);

Json MetadataJson(const PredictionMetadata& metadata);

// Readable text, for standard output; what is not UTF-8 in it is replaced.
std::string Text(const Json& json);

}  // namespace blendwire::cli

#endif  // BLENDWIRE_CLI_JSON_OUTPUT_H_
