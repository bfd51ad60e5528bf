// SPDX-License-Identifier: Apache-2.0
//
// Opening a model file in a child process first: a file that makes ONNX Runtime crash, hang or eat
// all memory then takes the child along, not the server.

#ifndef BLENDWIRE_SERVER_MODEL_PROBE_H_
#define BLENDWIRE_SERVER_MODEL_PROBE_H_

#include <filesystem>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "model/model.h"

namespace blendwire::server {

// The program that tries model files: this one. Found at the first call, which should come early: a
// program whose file is replaced while it runs, by an update say, no longer knows where it lies.
const absl::StatusOr<std::filesystem::path>& ProbeProgram();

// Runs this program as `blendwire-server --check-model FILE`. If the model loads there and its first
// run succeeds, the SHA-256 of what was tried; otherwise the child's own status, or INVALID_ARGUMENT
// saying how it ended, or UNAVAILABLE if `stop` was requested, which ends the child.
absl::StatusOr<std::string> ProbeModel(const std::filesystem::path& file,
                                       const model::LoadOptions& options, std::stop_token stop);

// The child's side: checks the file under limits of memory and time, prints the outcome as one line
// of JSON on standard output, and returns the exit code.
int CheckModelAndReport(const std::filesystem::path& file, const model::LoadOptions& options);

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_MODEL_PROBE_H_
