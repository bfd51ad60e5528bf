// SPDX-License-Identifier: Apache-2.0

#include "model/model.h"

#include <onnxruntime_run_options_config_keys.h>
#include <onnxruntime_session_options_config_keys.h>

#include <array>
#include <fstream>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "model/file_digest.h"
#include "model/mirrored_slots.h"
#include "model/ort_status.h"
#include "model/session_contract.h"

namespace blendwire::model {
namespace {

constexpr int64_t kStandardConditionSize = 64;
// A condition vector beyond this is no face model; it bounds what a hostile file can make us hold.
constexpr int64_t kMaxConditionSize = 4096;
// The same for a model that takes exactly N vertices: the warm-up run allocates that many.
constexpr int64_t kMaxFixedVertexCount = 8'000'000;
constexpr uintmax_t kMaxFileBytes = uintmax_t{2} << 30;  // protobuf's own limit

std::string Utf8(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return std::string(text.begin(), text.end());
}

absl::StatusOr<std::string> ReadFile(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    return absl::NotFoundError(absl::StrCat("there is no model file ", Utf8(file)));
  }
  const uintmax_t size = std::filesystem::file_size(file, error);
  if (error || size == 0 || size > kMaxFileBytes) {
    return absl::InvalidArgumentError(absl::StrCat("the model file ", Utf8(file), " has ",
                                                   error ? 0 : size,
                                                   " bytes; an ONNX file has 1 byte to 2 GiB"));
  }
  std::ifstream stream(file, std::ios::binary);
  std::string bytes(size, '\0');
  if (!stream.read(bytes.data(), static_cast<std::streamsize>(size))) {
    return absl::InvalidArgumentError(
        absl::StrCat("the model file ", Utf8(file), " cannot be read"));
  }
  return bytes;
}

int EffectiveThreads(int threads) {
  if (threads > 0) return threads;
  const unsigned processors = std::thread::hardware_concurrency();
  return processors == 0 ? 1 : static_cast<int>(processors);
}

Ort::SessionOptions MakeSessionOptions(const std::filesystem::path& file, int threads) {
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(threads);
  options.SetInterOpNumThreads(1);
  options.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
  // Blender needs these cores: a waiting thread must sleep.
  options.AddConfigEntry(kOrtSessionOptionsConfigAllowIntraOpSpinning, "0");
  options.AddConfigEntry(kOrtSessionOptionsConfigAllowInterOpSpinning, "0");
  // The model comes from memory; its external data, if any, only from its own folder.
  options.AddConfigEntry(kOrtSessionOptionsModelExternalInitializersFileFolderPath,
                         Utf8(file.parent_path()).c_str());
  return options;
}

// A GPU that is there may still refuse (its driver, its memory): then the CPU takes over.
Ort::Session StartSession(const std::filesystem::path& file, const std::string& bytes,
                          Device device, int threads, ProviderChoice& choice) {
  Ort::SessionOptions options = MakeSessionOptions(file, threads);
  choice = AppendProvider(device, options);
  try {
    return Ort::Session(OrtEnvironment(), bytes.data(), bytes.size(), options);
  } catch (const Ort::Exception& error) {
    if (choice.device == Device::kCpu) throw;
    std::string reason = absl::StrCat(choice.provider, " refused the model: ", error.what());
    choice = ProviderChoice{};
    choice.fallback_reason = std::move(reason);
  }
  return Ort::Session(OrtEnvironment(), bytes.data(), bytes.size(),
                      MakeSessionOptions(file, threads));
}

absl::StatusOr<Metadata> ReadSessionMetadata(const Ort::Session& session) {
  Ort::AllocatorWithDefaultOptions allocator;
  const Ort::ModelMetadata metadata = session.GetModelMetadata();
  return ReadMetadata([&](const char* key) -> std::optional<std::string> {
    const Ort::AllocatedStringPtr value = metadata.LookupCustomMetadataMapAllocated(key, allocator);
    if (value == nullptr) return std::nullopt;
    return std::string(value.get());
  });
}

// One entry for each slot.
absl::StatusOr<std::vector<ContactShare>> ContactOfSlots(const Metadata& metadata) {
  std::vector<ContactShare> contact;
  if (metadata.contact.empty() || !metadata.has_margins) return contact;
  std::map<std::string, ContactShare> rest = metadata.contact;
  for (const std::string& slot : metadata.condition_slots) {
    const auto found = rest.find(slot);
    contact.push_back(found == rest.end() ? ContactShare{} : found->second);
    if (found != rest.end()) rest.erase(found);
  }
  if (rest.empty()) return contact;
  return absl::InvalidArgumentError(absl::StrCat("the model's blendwire.contact names \"",
                                                 rest.begin()->first,
                                                 "\", which is none of its condition slots"));
}

// None for a model whose offsets are left as they are.
absl::StatusOr<std::vector<size_t>> MirroredSlotsOf(const Metadata& metadata,
                                                    const SessionShape& shape) {
  if (!metadata.average_with_mirror) return std::vector<size_t>();
  if (shape.dynamic_batch) return MirroredSlots(metadata.condition_slots);
  return absl::InvalidArgumentError(
      "the model's blendwire.mirror is \"average\", for which its input condition must take any "
      "number of expressions, but it takes 1");
}

absl::StatusOr<ModelFacts> DescribeModel(const Ort::Session& session, std::string sha256) {
  absl::StatusOr<Metadata> metadata = ReadSessionMetadata(session);
  if (!metadata.ok()) return metadata.status();
  const absl::StatusOr<SessionShape> shape = CheckContract(session, *metadata);
  if (!shape.ok()) return shape.status();
  absl::StatusOr<std::vector<ContactShare>> contact = ContactOfSlots(*metadata);
  if (!contact.ok()) return contact.status();
  absl::StatusOr<std::vector<size_t>> mirrored_slots = MirroredSlotsOf(*metadata, *shape);
  if (!mirrored_slots.ok()) return mirrored_slots.status();

  const auto slots = static_cast<int64_t>(metadata->condition_slots.size());
  const int64_t size = shape->condition_size > 0 ? shape->condition_size
                       : slots > 0               ? slots
                                                 : kStandardConditionSize;
  if (size > kMaxConditionSize) {
    return absl::InvalidArgumentError(absl::StrCat("the model's condition has ", size,
                                                   " floats; at most ", kMaxConditionSize,
                                                   " are allowed"));
  }
  if (slots > 0 ? slots != size : size != kStandardConditionSize) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the model's condition has ", size, " floats, but its metadata names ", slots,
        " condition slots; a model without blendwire.condition_slots takes the standard ",
        kStandardConditionSize, " floats"));
  }
  if (shape->vertex_count > kMaxFixedVertexCount) {
    return absl::InvalidArgumentError(absl::StrCat("the model takes meshes of exactly ",
                                                   shape->vertex_count, " vertices; at most ",
                                                   kMaxFixedVertexCount, " are allowed"));
  }
  ModelFacts facts;
  facts.version = metadata->version.empty() ? absl::StrCat("sha256:", sha256.substr(0, 12))
                                            : std::move(metadata->version);
  facts.title = std::move(metadata->title);
  facts.sha256 = std::move(sha256);
  facts.condition_size = static_cast<int>(size);
  facts.condition_slots = std::move(metadata->condition_slots);
  facts.takes_normals = shape->takes_normals;
  facts.max_batch = shape->dynamic_batch ? metadata->max_batch : 1;
  facts.fixed_vertex_count = shape->vertex_count > 0 ? shape->vertex_count : 0;
  facts.feature_size = metadata->feature_size;
  facts.has_margins = metadata->has_margins;
  facts.contact = *std::move(contact);
  facts.mirrored_slots = *std::move(mirrored_slots);
  facts.rigid_solids = metadata->rigid_solids;
  facts.max_stretch = metadata->max_stretch;
  return facts;
}

// Named tensors over the caller's memory.
struct Tensors {
  std::vector<const char*> names;
  std::vector<Ort::Value> values;

  void Add(const char* name, absl::Span<float> data, std::initializer_list<int64_t> shape) {
    static float nothing = 0;  // a tensor of no values wants an address, too
    static const Ort::MemoryInfo memory =
        Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    names.push_back(name);
    values.push_back(Ort::Value::CreateTensor<float>(memory, data.empty() ? &nothing : data.data(),
                                                     data.size(), shape.begin(), shape.size()));
  }
  // ONNX Runtime never writes to an input, although its API does not say so.
  void Add(const char* name, absl::Span<const float> data, std::initializer_list<int64_t> shape) {
    Add(name, absl::Span<float>(const_cast<float*>(data.data()), data.size()), shape);
  }
};

void Bind(const RunArguments& arguments, const ModelFacts& facts, Tensors& inputs,
          Tensors& outputs) {
  const auto count = static_cast<int64_t>(arguments.vertices.size() / 3);
  const int64_t width = facts.feature_size;
  inputs.Add(kVerticesInput, arguments.vertices, {1, count, 3});
  inputs.Add(kConditionInput, arguments.conditions, {arguments.batch, facts.condition_size});
  if (facts.takes_normals) inputs.Add(kNormalsInput, arguments.normals, {1, count, 3});
  if (width > 0) {
    inputs.Add(kFeaturesInput, arguments.features,
               {1, arguments.features.empty() ? 0 : count, width});
  }
  outputs.Add(kOffsetsOutput, arguments.offsets, {arguments.batch, count, 3});
  if (!arguments.encoded.empty()) outputs.Add(kEncodedOutput, arguments.encoded, {1, count, width});
  if (!arguments.margins.empty()) {
    outputs.Add(kMarginsOutput, arguments.margins, {1, count, kMarginChannels});
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Model>> Model::Load(const std::filesystem::path& file,
                                                         const LoadOptions& options) {
  absl::StatusOr<std::string> bytes = ReadFile(file);
  if (!bytes.ok()) return bytes.status();
  std::string sha256 = Sha256Hex(*bytes);
  if (!options.sha256.empty() && absl::AsciiStrToLower(options.sha256) != sha256) {
    return absl::InvalidArgumentError(absl::StrCat("the SHA-256 of ", Utf8(file), " is ", sha256,
                                                   ", but ", options.sha256, " was expected"));
  }
  try {
    const int threads = EffectiveThreads(options.threads);
    ProviderChoice provider;
    Ort::Session session = StartSession(file, *bytes, options.device, threads, provider);
    absl::StatusOr<ModelFacts> facts = DescribeModel(session, std::move(sha256));
    if (!facts.ok()) return facts.status();
    facts->provider = std::move(provider);
    facts->threads = threads;
    std::shared_ptr<const Model> model(new Model(std::move(session), *std::move(facts)));
    if (options.warm_up) {
      if (const absl::Status status = model->WarmUp(); !status.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat("a first run of the model failed: ", status.message()));
      }
    }
    return model;
  } catch (const Ort::Exception& error) {
    return FromOrtException(absl::StrCat("ONNX Runtime cannot load ", Utf8(file)), error);
  }
}

absl::Status Model::Run(const RunArguments& arguments, std::stop_token stop) const {
  const auto count = static_cast<int64_t>(arguments.vertices.size() / 3);
  if (facts_.fixed_vertex_count > 0 && count != facts_.fixed_vertex_count) {
    return absl::InvalidArgumentError(absl::StrCat("vertex_count is ", count,
                                                   ", but this model takes meshes of exactly ",
                                                   facts_.fixed_vertex_count, " vertices"));
  }
  if (stop.stop_requested()) return absl::CancelledError("cancelled before the model ran");

  try {
    Tensors inputs;
    Tensors outputs;
    Bind(arguments, facts_, inputs, outputs);
    Ort::RunOptions run_options;
    // Give scratch memory back: an idle server should be small.
    run_options.AddConfigEntry(kOrtRunOptionsConfigEnableMemoryArenaShrinkage, "cpu:0");
    const std::stop_callback terminate(stop, [&run_options] { run_options.SetTerminate(); });
    session_.Run(run_options, inputs.names.data(), inputs.values.data(), inputs.names.size(),
                 outputs.names.data(), outputs.values.data(), outputs.names.size());
  } catch (const Ort::Exception& error) {
    if (stop.stop_requested()) return absl::CancelledError("cancelled while the model ran");
    return FromRunException(error);
  }
  return absl::OkStatus();
}

absl::Status Model::WarmUp() const {
  // A tetrahedron, repeated if the model wants more vertices; two expressions, if it takes two.
  constexpr std::array<float, 12> kCorners = {0, 0, 0, 0.1f, 0, 0, 0, 0.1f, 0, 0, 0, 0.1f};
  const int64_t count = facts_.fixed_vertex_count > 0 ? facts_.fixed_vertex_count : 4;
  const int64_t batch = facts_.max_batch == 1 ? 1 : 2;
  std::vector<float> vertices(static_cast<size_t>(count) * 3);
  for (size_t i = 0; i < vertices.size(); ++i) vertices[i] = kCorners[i % kCorners.size()];
  const std::vector<float> normals(vertices.size(), 0.0f);
  const std::vector<float> conditions(static_cast<size_t>(batch * facts_.condition_size), 0.0f);
  std::vector<float> offsets(static_cast<size_t>(batch) * vertices.size());
  std::vector<float> features(static_cast<size_t>(count * facts_.feature_size));
  std::vector<float> margins(static_cast<size_t>(facts_.has_margins ? count * kMarginChannels : 0));
  RunArguments arguments{vertices, normals, conditions, batch, absl::MakeSpan(offsets)};
  arguments.encoded = absl::MakeSpan(features);
  arguments.margins = absl::MakeSpan(margins);
  absl::Status encoded = Run(arguments);
  if (!encoded.ok() || features.empty()) return encoded;
  // The other way that such a model has.
  arguments.encoded = {};
  arguments.margins = {};
  arguments.features = features;
  return Run(arguments);
}

}  // namespace blendwire::model
