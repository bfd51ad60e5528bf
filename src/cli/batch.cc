// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "avatar/avatar.h"
#include "cli/commands.h"
#include "cli/expression_choice.h"
#include "cli/json_output.h"
#include "cli/mesh_options.h"
#include "cli/npy.h"
#include "cli/npz.h"
#include "cli/prediction_options.h"
#include "cli/progress.h"
#include "system/files.h"

namespace blendwire::cli {
namespace {

constexpr char kFooter[] = R"text(
One call predicts all the expressions, and the mesh travels once. The offsets are in metres,
Z up, facing -Y, in the order of the mesh's vertices.
  OUT.npz   one float32 array of shape (vertices, 3) for each expression, under its name
  OUT.json  the same with each prediction's metadata, and the errors of those that failed
A MESH.npy holds vertices in these axes, float32 or float64, shape (vertices, 3). It has no
triangles, so that the server smooths over nearest neighbours, lips included; --smooth 0 does not.

Examples:
  blendwire batch head.glb -o offsets.npz
  blendwire batch head.obj --unit 0.01 --set visemes,emotions,arkit -o offsets.npz
  blendwire batch head.glb --only aa,Joy,jawOpen --intensity 0.8 -o offsets.json
  blendwire batch vertices.npy --only aa --smooth 0 --server 127.0.0.1:50051 -o aa.npz
  python3 -c "import numpy; print(numpy.load('offsets.npz')['aa'])"

Exit codes: 0 done, 1 failed or an expression did (the others are written), 2 wrong arguments,
3 no server, 130 interrupted.
)text";

constexpr uint64_t kMaxNpyBytes = uint64_t{1} << 30;  // far beyond any mesh

using Chosen = std::vector<const expression::Expression*>;

struct BatchOptions {
  std::string input;
  std::string output;
  std::string vertices_output;
  std::vector<std::string> sets;
  std::vector<std::string> only;
  PredictionChoice prediction;
  int max_parallel = 0;
  MeshChoice meshes;
  bool json = false;
  bool quiet = false;
  ServerChoice server;
};

// What the input file holds; the avatar's own, or vertices alone.
struct Input {
  std::optional<avatar::Avatar> avatar;
  std::vector<float> lone_vertices;

  absl::Span<const float> vertices() const {
    return avatar.has_value() ? absl::Span<const float>(avatar->vertices()) : lone_vertices;
  }
  MeshView mesh() const {
    MeshView view;
    view.vertices = vertices();
    if (avatar.has_value()) view.triangles = avatar->triangles();
    return view;
  }
  std::vector<std::string> warnings() const {
    if (avatar.has_value()) return {avatar->warnings().begin(), avatar->warnings().end()};
    return {"an .npy file has no triangles, so smoothing goes over nearest neighbours"};
  }
};

absl::Status CheckOutput(const char* option, const std::string& file,
                         const std::vector<std::string>& extensions, const std::string& wanted) {
  bool known = false;
  for (const std::string& extension : extensions)
    known = known || system::HasExtension(file, extension);
  if (!known) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, " is ", file, ", but must end with ", wanted));
  }
  const std::filesystem::path folder = system::PathFromUtf8(file).parent_path();
  std::error_code error;
  if (!folder.empty() && !std::filesystem::is_directory(folder, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, " is ", file, ", but there is no folder ", system::ToUtf8(folder)));
  }
  return absl::OkStatus();
}

absl::Status CheckArguments(const BatchOptions& options) {
  if (system::HasExtension(options.input, ".npy") && !options.meshes.names.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--mesh needs a file with named meshes, but the input is ", options.input));
  }
  if (!options.vertices_output.empty()) {
    const absl::Status status =
        CheckOutput("--vertices", options.vertices_output, {".npy"}, ".npy");
    if (!status.ok()) return status;
  }
  return CheckOutput("--output", options.output, {".npz", ".json"}, ".npz or .json");
}

absl::StatusOr<Input> ReadInput(const BatchOptions& options) {
  Input input;
  if (!system::HasExtension(options.input, ".npy")) {
    avatar::ReadOptions read;
    read.meshes = options.meshes.names;
    read.obj_unit = options.meshes.unit;
    absl::StatusOr<avatar::Avatar> avatar =
        avatar::Avatar::Read(system::PathFromUtf8(options.input), read);
    if (!avatar.ok()) return avatar.status();
    input.avatar = *std::move(avatar);
    return input;
  }
  const absl::StatusOr<std::string> bytes =
      system::ReadFile(system::PathFromUtf8(options.input), kMaxNpyBytes);
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<std::vector<float>> vertices = FromNpy(*bytes);
  if (!vertices.ok()) {
    return absl::Status(vertices.status().code(),
                        absl::StrCat(options.input, ": ", vertices.status().message()));
  }
  input.lone_vertices = *std::move(vertices);
  return input;
}

BatchRequest ToRequest(const BatchOptions& options, const Input& input, const Chosen& chosen) {
  BatchRequest request;
  request.mesh = input.mesh();
  request.max_parallel = options.max_parallel;
  for (const expression::Expression* choice : chosen) {
    BatchItem item;
    item.expression.kind = ToClient(choice->kind);
    item.expression.name = choice->name;
    item.expression.intensity = options.prediction.intensity;
    item.options = options.prediction.options();
    item.model = options.prediction.model;
    request.items.push_back(std::move(item));
  }
  return request;
}

absl::StatusOr<BatchResult> Predict(const BatchOptions& options, const Context& context,
                                    const Input& input, const Chosen& chosen) {
  absl::StatusOr<Session> session = context.connect(options.server, context.cancellation);
  if (!session.ok()) return session.status();
  Progress progress(context.err, options.quiet      ? Progress::Style::kNone
                                 : context.terminal ? Progress::Style::kBar
                                                    : Progress::Style::kLines);
  return session->client.PredictStream(
      ToRequest(options, input, chosen),
      [&](const BatchUpdate& update) {
        progress.Step(update.completed, update.total, chosen[update.index]->name);
      },
      context.call());
}

// Says which expressions failed, and returns how many.
size_t ReportFailures(const Context& context, const Chosen& chosen, const BatchResult& result) {
  size_t failures = 0;
  for (size_t i = 0; i < chosen.size(); ++i) {
    const absl::Status status = result.items[i].status();
    if (status.ok()) continue;
    ++failures;
    (void)context.Fail(
        absl::Status(status.code(), absl::StrCat(chosen[i]->name, ": ", status.message())));
  }
  return failures;
}

Json ItemsJson(const Chosen& chosen, const BatchResult& result, bool with_offsets) {
  Json items = Json::array();
  for (size_t i = 0; i < chosen.size(); ++i) {
    const absl::StatusOr<Prediction>& item = result.items[i];
    Json json = {{"expression", chosen[i]->name},
                 {"kind", std::string(expression::KindName(chosen[i]->kind))},
                 {"ok", item.ok()}};
    if (item.ok()) {
      json["metadata"] = MetadataJson(item->metadata);
      if (with_offsets) json["offsets"] = VectorsJson(item->offsets);
    } else {
      json["error"] = std::string(item.status().message());
    }
    items.push_back(std::move(json));
  }
  return items;
}

absl::StatusOr<std::string> OutputBytes(const BatchOptions& options, const Input& input,
                                        const Chosen& chosen, const BatchResult& result) {
  if (system::HasExtension(options.output, ".json")) {
    const Json json = {{"input", options.input},
                       {"vertex_count", input.vertices().size() / 3},
                       {"expressions", ItemsJson(chosen, result, /*with_offsets=*/true)}};
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  std::vector<NamedVectors> arrays;
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (result.items[i].ok()) arrays.push_back({chosen[i]->name, result.items[i]->offsets});
  }
  return ToNpz(arrays);
}

std::string SummaryText(const BatchOptions& options, const Input& input, const Chosen& chosen,
                        const BatchResult& result, double seconds, size_t bytes) {
  std::string text;
  size_t successes = 0;
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (!result.items[i].ok()) continue;
    ++successes;
    const QualityMetrics& quality = result.items[i]->metadata.quality;
    absl::StrAppendFormat(&text, "%-24s %6.2f mm  smoothness %.2f\n", chosen[i]->name,
                          quality.max_displacement * 1000.0f, quality.smoothness);
  }
  absl::StrAppendFormat(&text, "%s: %d of %d expressions for %d vertices in %.2f s, %d bytes\n",
                        options.output, successes, chosen.size(), input.vertices().size() / 3,
                        seconds, bytes);
  return text;
}

// Writes what there is and says so.
absl::Status Deliver(const BatchOptions& options, const Context& context, const Input& input,
                     const Chosen& chosen, const BatchResult& result, double seconds) {
  const absl::StatusOr<std::string> bytes = OutputBytes(options, input, chosen, result);
  if (!bytes.ok()) return bytes.status();
  if (absl::Status s = system::WriteFileAtomically(system::PathFromUtf8(options.output), *bytes);
      !s.ok())
    return s;
  if (!options.vertices_output.empty()) {
    const absl::Status status = system::WriteFileAtomically(
        system::PathFromUtf8(options.vertices_output), ToNpy(input.vertices()));
    if (!status.ok()) return status;
  }
  if (options.json) {
    const Json json = {{"input", options.input},
                       {"output", options.output},
                       {"vertex_count", input.vertices().size() / 3},
                       {"prediction_seconds", seconds},
                       {"file_bytes", bytes->size()},
                       {"expressions", ItemsJson(chosen, result, /*with_offsets=*/false)}};
    context.out << Text(json) << std::endl;
  } else if (!options.quiet) {
    context.out << SummaryText(options, input, chosen, result, seconds, bytes->size())
                << std::flush;
  }
  return absl::OkStatus();
}

ExitCode Batch(const BatchOptions& options, const Context& context) {
  const absl::StatusOr<Chosen> chosen = ChooseExpressions(options.sets, options.only);
  if (!chosen.ok()) return context.FailUsage(chosen.status().message());
  if (absl::Status s = CheckArguments(options); !s.ok()) return context.FailUsage(s.message());
  const absl::StatusOr<Input> input = ReadInput(options);
  if (!input.ok()) return context.Fail(input.status());
  if (!options.quiet) {
    for (const std::string& warning : input->warnings()) {
      context.err << "blendwire: note: " << warning << std::endl;
    }
  }
  const absl::Time start = absl::Now();
  const absl::StatusOr<BatchResult> result = Predict(options, context, *input, *chosen);
  if (!result.ok()) return context.Fail(result.status());
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  if (context.cancellation.cancelled()) return context.Fail(absl::CancelledError("interrupted"));
  const size_t failures = ReportFailures(context, *chosen, *result);
  // A file without any offsets would only look like a result.
  if (failures == chosen->size()) return ExitCode::kFailed;
  const absl::Status status = Deliver(options, context, *input, *chosen, *result, seconds);
  if (!status.ok()) return context.Fail(status);
  return failures == 0 ? ExitCode::kOk : ExitCode::kFailed;
}

void AddInputAndOutput(CLI::App& command, BatchOptions& options) {
  command.add_option("MESH", options.input, "Mesh: .obj, .glb, .gltf, .vrm or .npy")->required();
  command.add_option("-o,--output", options.output, "File to write: .npz or .json")
      ->type_name("FILE")
      ->required();
  command
      .add_option("--vertices", options.vertices_output,
                  "File (.npy) for the vertices that the offsets belong to")
      ->type_name("FILE");
  AddMeshOptions(command, options.meshes);
  command.add_flag("--json", options.json, "The summary as JSON");
  command.add_flag("--quiet,-q", options.quiet, "Nothing but errors (and --json)");
}

}  // namespace

void AddBatch(CLI::App& app, Run& run) {
  auto options = std::make_shared<BatchOptions>();
  CLI::App* command = app.add_subcommand(
      "batch", "Predict many expressions' vertex offsets of one mesh into one file");
  command->footer(kFooter);
  AddInputAndOutput(*command, *options);
  command
      ->add_option("--set", options->sets,
                   "Sets of expressions: visemes, emotions, arkit [visemes,emotions]")
      ->check(CLI::IsMember({"visemes", "emotions", "arkit"}))
      ->delimiter(',');
  command->add_option("--only", options->only, "Only these expressions, by any name they have")
      ->type_name("NAME,...")
      ->delimiter(',');
  AddPredictionOptions(*command, options->prediction);
  command
      ->add_option("--max-parallel", options->max_parallel,
                   "How many the server may work on side by side; 0: as it can")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  AddPrivateServerOptions(*command, options->server);
  command->callback(
      [options, &run] { run = [options](Context& context) { return Batch(*options, context); }; });
}

}  // namespace blendwire::cli
