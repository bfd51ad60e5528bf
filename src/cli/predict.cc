// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "avatar/avatar.h"
#include "cli/commands.h"
#include "cli/json_output.h"
#include "cli/mesh_options.h"
#include "cli/npy.h"
#include "cli/prediction_options.h"
#include "system/files.h"

namespace blendwire::cli {
namespace {

struct PredictOptions {
  std::string input;
  std::string expression;
  std::string type = "viseme";
  std::vector<std::string> parameters;  // NAME=WEIGHT
  PredictionChoice prediction;
  MeshChoice meshes;
  std::string output;
  std::string vertices_output;
  ServerChoice server;
};

absl::StatusOr<std::map<std::string, float>> ParseParameters(
    const std::vector<std::string>& texts) {
  std::map<std::string, float> parameters;
  for (const std::string& text : texts) {
    const std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits('=', 1));
    float weight = 0;
    if (parts.size() != 2 || parts[0].empty() || !absl::SimpleAtof(parts[1], &weight) ||
        !(weight >= 0 && weight <= 1)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--param is \"", text,
                       "\", but must be NAME=WEIGHT with a weight of 0 to 1, "
                       "such as jawOpen=0.4"));
    }
    parameters[parts[0]] = weight;
  }
  return parameters;
}

absl::StatusOr<Expression> ToExpression(const PredictOptions& options) {
  Expression expression;
  expression.kind = options.type == "viseme"    ? ExpressionKind::kViseme
                    : options.type == "emotion" ? ExpressionKind::kEmotion
                                                : ExpressionKind::kCustom;
  expression.name = options.expression;
  expression.intensity = options.prediction.intensity;
  auto parameters = ParseParameters(options.parameters);
  if (!parameters.ok()) return parameters.status();
  expression.parameters = *std::move(parameters);
  if (!expression.parameters.empty() && expression.kind != ExpressionKind::kCustom) {
    return absl::InvalidArgumentError("--param needs --type custom");
  }
  if (expression.name.empty() && expression.parameters.empty()) {
    return absl::InvalidArgumentError("--expression is missing (or --param, with --type custom)");
  }
  return expression;
}

absl::Status CheckOutputs(const PredictOptions& options) {
  if (!options.output.empty() && !system::HasExtension(options.output, ".npy") &&
      !system::HasExtension(options.output, ".json")) {
    return absl::InvalidArgumentError(
        absl::StrCat("--output is ", options.output, ", but must end with .npy or .json"));
  }
  if (!options.vertices_output.empty() && !system::HasExtension(options.vertices_output, ".npy")) {
    return absl::InvalidArgumentError(
        absl::StrCat("--vertices is ", options.vertices_output, ", but must end with .npy"));
  }
  return absl::OkStatus();
}

absl::Status WriteOutputs(const PredictOptions& options, const Context& context,
                          const avatar::Avatar& avatar, const Prediction& prediction) {
  if (!options.vertices_output.empty()) {
    absl::Status status = system::WriteFileAtomically(
        system::PathFromUtf8(options.vertices_output), ToNpy(avatar.vertices()));
    if (!status.ok()) return status;
  }
  Json json = {{"expression", options.expression},
               {"vertex_count", avatar.vertices().size() / 3},
               {"metadata", MetadataJson(prediction.metadata)}};
  if (system::HasExtension(options.output, ".npy")) {
    absl::Status status = system::WriteFileAtomically(system::PathFromUtf8(options.output),
                                                            ToNpy(prediction.offsets));
    if (!status.ok()) return status;
    context.out << Text(json) << std::endl;
    return absl::OkStatus();
  }
  json["offsets"] = VectorsJson(prediction.offsets);
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  if (!options.output.empty())
    return system::WriteFileAtomically(system::PathFromUtf8(options.output), text);
  context.out << text << std::flush;
  return absl::OkStatus();
}

ExitCode Predict(const PredictOptions& options, const Context& context) {
  const absl::StatusOr<Expression> expression = ToExpression(options);
  if (!expression.ok()) return context.FailUsage(expression.status().message());
  if (absl::Status s = CheckOutputs(options); !s.ok()) return context.FailUsage(s.message());
  avatar::ReadOptions read;
  read.meshes = options.meshes.names;
  read.obj_unit = options.meshes.unit;
  const auto avatar = avatar::Avatar::Read(system::PathFromUtf8(options.input), read);
  if (!avatar.ok()) return context.Fail(avatar.status());
  absl::StatusOr<Session> session = context.connect(options.server, context.cancellation);
  if (!session.ok()) return context.Fail(session.status());
  PredictRequest request;
  request.mesh = {avatar->vertices(), avatar->triangles()};
  request.expression = *expression;
  request.options = options.prediction.options();
  request.model = options.prediction.model;
  const absl::StatusOr<Prediction> prediction = session->client.Predict(request, context.call());
  if (!prediction.ok()) return context.Fail(prediction.status());
  const absl::Status status = WriteOutputs(options, context, *avatar, *prediction);
  return status.ok() ? ExitCode::kOk : context.Fail(status);
}

}  // namespace

void AddPredict(CLI::App& app, Run& run) {
  auto options = std::make_shared<PredictOptions>();
  CLI::App* command = app.add_subcommand(
      "predict", "Predict one expression's vertex offsets (metres, Z up, facing -Y)");
  command->add_option("MESH", options->input, "Mesh: .obj, .glb, .gltf or .vrm")->required();
  command->add_option("-e,--expression", options->expression, "Its name: aa, Joy, jawOpen, …")
      ->type_name("NAME");
  command->add_option("--type", options->type, "What kind of expression it is")
      ->check(CLI::IsMember({"viseme", "emotion", "custom"}))
      ->capture_default_str();
  command
      ->add_option("--param", options->parameters,
                   "Weight of an ARKit unit, for --type custom; may be given several times")
      ->type_name("NAME=WEIGHT")
      ->expected(1)
      ->take_all();
  AddPredictionOptions(*command, options->prediction);
  AddMeshOptions(*command, options->meshes);
  command
      ->add_option("-o,--output", options->output,
                   "File for the offsets, .npy or .json; without it, JSON on standard output")
      ->type_name("FILE");
  command
      ->add_option("--vertices", options->vertices_output,
                   "File (.npy) for the vertices that the offsets belong to")
      ->type_name("FILE");
  AddPrivateServerOptions(*command, options->server);
  command->callback([options, &run] {
    run = [options](Context& context) { return Predict(*options, context); };
  });
}

}  // namespace blendwire::cli
