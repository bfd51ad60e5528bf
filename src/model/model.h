// SPDX-License-Identifier: Apache-2.0
//
// One loaded model: an ONNX Runtime session that is known to fulfil the model contract
// (docs/model-contract.md).

#ifndef BLENDWIRE_MODEL_MODEL_H_
#define BLENDWIRE_MODEL_MODEL_H_

#include <onnxruntime_cxx_api.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "model/device.h"
#include "model/metadata.h"

namespace blendwire::model {

struct LoadOptions {
  Device device = Device::kAuto;
  // Threads of one run; 0 means one for each processor.
  int threads = 0;
  // Run once with a tiny mesh, so that the first request does not pay for lazy initialisation.
  bool warm_up = true;
  // 64 hexadecimal digits that the file's SHA-256 must match; empty: any.
  std::string sha256 = {};
};

// What is known of a loaded model.
struct ModelFacts {
  std::string version;  // from the metadata, else "sha256:" and the first 12 digits
  std::string title;
  std::string sha256;
  ProviderChoice provider;
  int threads = 0;
  int condition_size = 0;                    // K
  std::vector<std::string> condition_slots;  // K names, or empty: the standard layout
  bool takes_normals = false;
  int max_batch = 1;               // conditions in one run; 0 is any number
  int64_t fixed_vertex_count = 0;  // 0: any number of vertices
  int feature_size = 0;            // F; 0: it cannot encode a mesh once for many runs
  bool has_margins = false;
  // For each slot of the condition; empty if no slot closes anything.
  std::vector<ContactShare> contact;
  // What each slot becomes when left and right are exchanged; empty: offsets are not averaged with
  // their mirror images.
  std::vector<size_t> mirrored_slots;
  bool rigid_solids = false;  // teeth, eyeballs and the like are to move without bending
  float max_stretch = 0.0f;   // how many times as long an edge may get; 0: any
};

// One run: one mesh, `batch` expressions. All memory is the caller's; ONNX Runtime reads and writes
// it in place.
struct RunArguments {
  absl::Span<const float> vertices;    // [N,3] metres
  absl::Span<const float> normals;     // [N,3] unit length, or zeros where unknown; ignored by a
                                       // model without that input
  absl::Span<const float> conditions;  // [batch,K]
  int64_t batch = 1;
  absl::Span<float> offsets;  // [batch,N,3] metres, written
  // Only for models that have them; empty: none.
  absl::Span<const float> features = {};  // [N,F] what `encoded` was for the same mesh
  absl::Span<float> encoded = {};         // [N,F] written
  absl::Span<float> margins = {};         // [N,kMarginChannels] 0 to 1, written
};

// Immutable and safe for use from several threads at once.
class Model {
 public:
  // Reads the file once: what is hashed is what is loaded. NOT_FOUND: no such file;
  // INVALID_ARGUMENT: ONNX Runtime cannot load it, its inputs or outputs are not the contract's,
  // its metadata is wrong, or its SHA-256 is not the expected one, each with the reason.
  static absl::StatusOr<std::shared_ptr<const Model>> Load(const std::filesystem::path& file,
                                                           const LoadOptions& options);

  const ModelFacts& facts() const { return facts_; }

  // INVALID_ARGUMENT if the model cannot take that many vertices; CANCELLED if `stop` was requested
  // before or during the run, which then ends early; INTERNAL if ONNX Runtime fails. `offsets` is
  // unspecified unless OK is returned. The numbers are not looked at: NaN is for the caller to
  // find.
  absl::Status Run(const RunArguments& arguments, std::stop_token stop = {}) const;

 private:
  Model(Ort::Session session, ModelFacts facts)
      : session_(std::move(session)), facts_(std::move(facts)) {}

  absl::Status WarmUp() const;

  // Ort::Session::Run is thread-safe but not const.
  mutable Ort::Session session_;
  ModelFacts facts_;
};

}  // namespace blendwire::model

#endif  // BLENDWIRE_MODEL_MODEL_H_
