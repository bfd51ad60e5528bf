// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLI_PREDICTION_OPTIONS_H_
#define BLENDWIRE_CLI_PREDICTION_OPTIONS_H_

#include <string>

#include "CLI/CLI.hpp"
#include "client/types.h"

namespace blendwire::cli {

// What `generate` and `predict` can be told about each prediction.
struct PredictionChoice {
  float intensity = 1.0f;
  int smooth = 2;
  float max_displacement = 0.08f;
  std::string model;

  // Only the call's own deadline ends a prediction.
  PredictionOptions options() const;
};

void AddPredictionOptions(CLI::App& command, PredictionChoice& choice);

}  // namespace blendwire::cli

#endif  // BLENDWIRE_CLI_PREDICTION_OPTIONS_H_
