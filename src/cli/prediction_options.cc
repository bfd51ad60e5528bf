// SPDX-License-Identifier: Apache-2.0

#include "cli/prediction_options.h"

namespace blendwire::cli {

PredictionOptions PredictionChoice::options() const {
  PredictionOptions options;
  options.apply_smoothing = smooth > 0;
  options.smoothing_iterations = smooth;
  options.max_displacement = max_displacement;
  options.clamp_extreme_values = true;
  options.timeout_seconds = 0;
  return options;
}

void AddPredictionOptions(CLI::App& command, PredictionChoice& choice) {
  command.add_option("--intensity", choice.intensity, "How strong the expressions are, 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command.add_option("--smooth", choice.smooth, "Rounds of smoothing; 0 switches it off")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  command
      .add_option("--max-displacement", choice.max_displacement,
                  "Metres that a vertex may move at most")
      ->check(CLI::Range(0.0001, 10.0))
      ->capture_default_str();
  command.add_option("--model", choice.model, "Which of the server's models; `blendwire models`")
      ->type_name("NAME");
}

}  // namespace blendwire::cli
