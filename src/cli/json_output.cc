// SPDX-License-Identifier: Apache-2.0

#include "cli/json_output.h"

#include <charconv>

namespace blendwire::cli {

double Shortest(float value) {
  char text[64];
  const auto written = std::to_chars(text, text + sizeof(text), value);
  double number = value;
  std::from_chars(text, written.ptr, number);
  return number;
}

Json VectorsJson(absl::Span<const float> vectors) {
  Json json = Json::array();
  for (size_t i = 0; i + 2 < vectors.size(); i += 3) {
    json.push_back(
        Json::array({Shortest(vectors[i]), Shortest(vectors[i + 1]), Shortest(vectors[i + 2])}));
  }
  return json;
}

Json MetadataJson(const PredictionMetadata& metadata) {
  return Json{{"model", metadata.model_name},
              {"model_version", metadata.model_version},
              {"execution_provider", metadata.execution_provider},
              {"queue_time_ms", Shortest(metadata.queue_time_ms)},
              {"preprocessing_time_ms", Shortest(metadata.preprocessing_time_ms)},
              {"inference_time_ms", Shortest(metadata.inference_time_ms)},
              {"postprocessing_time_ms", Shortest(metadata.postprocessing_time_ms)},
              {"mean_displacement_m", Shortest(metadata.quality.mean_displacement)},
              {"max_displacement_m", Shortest(metadata.quality.max_displacement)},
              {"extreme_vertices", metadata.quality.extreme_vertices},
              {"smoothness", Shortest(metadata.quality.smoothness)}};
}

std::string Text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace blendwire::cli
