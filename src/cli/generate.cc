// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>
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
#include "cli/prediction_options.h"
#include "cli/progress.h"
#include "system/files.h"

namespace blendwire::cli {
namespace {

struct GenerateOptions {
  std::string input;
  std::string output;
  std::vector<std::string> sets;
  std::vector<std::string> only;
  std::string names = "vrchat";
  PredictionChoice prediction;
  MeshChoice meshes;
  float min_displacement = 1e-4f;
  bool overwrite = false;
  bool no_normals = false;
  bool json = false;
  bool quiet = false;
  ServerChoice server;
};

BatchRequest ToRequest(const GenerateOptions& options, const avatar::Avatar& avatar,
                       const std::vector<ChosenExpression>& chosen) {
  BatchRequest request;
  request.mesh = {avatar.vertices(), avatar.triangles()};
  for (const ChosenExpression& choice : chosen) {
    BatchItem item;
    item.expression.kind = ToClient(choice.expression->kind);
    item.expression.name = choice.expression->name;
    item.expression.intensity = options.prediction.intensity;
    item.options = options.prediction.options();
    item.model = options.prediction.model;
    request.items.push_back(std::move(item));
  }
  return request;
}

absl::StatusOr<avatar::Avatar> ReadAvatar(const GenerateOptions& options) {
  avatar::ReadOptions read;
  read.meshes = options.meshes.names;
  read.obj_unit = options.meshes.unit;
  return avatar::Avatar::Read(system::PathFromUtf8(options.input), read);
}

absl::StatusOr<avatar::WriteReport> WriteAvatar(const GenerateOptions& options,
                                                const avatar::Avatar& avatar,
                                                const std::vector<ChosenExpression>& chosen,
                                                const BatchResult& result) {
  std::vector<avatar::MorphTarget> targets;
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (result.items[i].ok()) {
      targets.push_back({chosen[i].target_name, result.items[i]->offsets});
    }
  }
  avatar::WriteOptions write;
  write.overwrite = options.overwrite;
  write.normals = !options.no_normals;
  write.min_displacement = options.min_displacement;
  return avatar.Write(system::PathFromUtf8(options.output), targets, write);
}

// What a run has to tell, once it is done.
class Summary {
 public:
  Summary(const GenerateOptions& options, const avatar::Avatar& avatar,
          const std::vector<ChosenExpression>& chosen, const BatchResult& result,
          const avatar::WriteReport& report, absl::Duration prediction_time)
      : options_(options),
        avatar_(avatar),
        chosen_(chosen),
        result_(result),
        report_(report),
        seconds_(absl::ToDoubleSeconds(prediction_time)) {}

  std::string ToText() const {
    std::string text;
    for (size_t i = 0; i < chosen_.size(); ++i) {
      if (!result_.items[i].ok()) continue;
      const QualityMetrics& quality = result_.items[i]->metadata.quality;
      absl::StrAppendFormat(&text, "%-24s %6.2f mm  smoothness %.2f\n", chosen_[i].target_name,
                            quality.max_displacement * 1000.0f, quality.smoothness);
    }
    for (const avatar::MeshReport& mesh : report_.meshes) {
      absl::StrAppendFormat(&text, "mesh %s: %d added", mesh.name, mesh.added.size());
      if (!mesh.replaced.empty()) {
        absl::StrAppendFormat(&text, ", %d replaced", mesh.replaced.size());
      }
      if (!mesh.kept.empty()) {
        absl::StrAppendFormat(&text, ", %d kept as they were (--overwrite replaces)",
                              mesh.kept.size());
      }
      text += '\n';
    }
    absl::StrAppendFormat(&text, "%s: %d shapes for %d vertices in %.2f s, %d bytes\n",
                          options_.output, Successes(), avatar_.vertices().size() / 3, seconds_,
                          report_.file_bytes);
    return text;
  }

  Json ToJson() const {
    Json expressions = Json::array();
    for (size_t i = 0; i < chosen_.size(); ++i) {
      Json json = {{"expression", chosen_[i].expression->name},
                   {"target", chosen_[i].target_name},
                   {"ok", result_.items[i].ok()}};
      if (result_.items[i].ok()) {
        json["metadata"] = MetadataJson(result_.items[i]->metadata);
      } else {
        json["error"] = std::string(result_.items[i].status().message());
      }
      expressions.push_back(std::move(json));
    }
    Json meshes = Json::array();
    for (const avatar::MeshReport& mesh : report_.meshes) {
      meshes.push_back({{"name", mesh.name},
                        {"added", mesh.added},
                        {"replaced", mesh.replaced},
                        {"kept", mesh.kept}});
    }
    return Json{{"input", options_.input},
                {"output", options_.output},
                {"vertices", avatar_.vertices().size() / 3},
                {"triangles", avatar_.triangles().size() / 3},
                {"prediction_seconds", seconds_},
                {"file_bytes", report_.file_bytes},
                {"warnings", avatar_.warnings()},
                {"meshes", std::move(meshes)},
                {"expressions", std::move(expressions)}};
  }

 private:
  size_t Successes() const {
    size_t count = 0;
    for (const auto& item : result_.items) count += item.ok() ? 1u : 0u;
    return count;
  }

  const GenerateOptions& options_;
  const avatar::Avatar& avatar_;
  const std::vector<ChosenExpression>& chosen_;
  const BatchResult& result_;
  const avatar::WriteReport& report_;
  const double seconds_;
};

// Says which expressions failed; the status is the first one's, or OK.
absl::Status ReportFailures(const Context& context, const std::vector<ChosenExpression>& chosen,
                            const BatchResult& result) {
  absl::Status first;
  for (size_t i = 0; i < chosen.size(); ++i) {
    const absl::Status status = result.items[i].status();
    if (status.ok()) continue;
    if (first.ok()) first = status;
    (void)context.Fail(absl::Status(
        status.code(), absl::StrCat(chosen[i].expression->name, ": ", status.message())));
  }
  return first;
}

absl::StatusOr<BatchResult> Predict(const GenerateOptions& options, const Context& context,
                                    const avatar::Avatar& avatar,
                                    const std::vector<ChosenExpression>& chosen) {
  absl::StatusOr<Session> session = context.connect(options.server, context.cancellation);
  if (!session.ok()) return session.status();
  Progress progress(context.err, options.quiet      ? Progress::Style::kNone
                                 : context.terminal ? Progress::Style::kBar
                                                    : Progress::Style::kLines);
  return session->client.PredictStream(
      ToRequest(options, avatar, chosen),
      [&](const BatchUpdate& update) {
        progress.Step(update.completed, update.total, chosen[update.index].target_name);
      },
      context.call());
}

ExitCode Generate(const GenerateOptions& options, const Context& context) {
  const auto expressions = ChooseExpressions(options.sets, options.only);
  if (!expressions.ok()) return context.FailUsage(expressions.status().message());
  const absl::StatusOr<avatar::Avatar> avatar = ReadAvatar(options);
  if (!avatar.ok()) return context.Fail(avatar.status());
  // Before anything that takes time.
  if (absl::Status s = avatar->CheckOutput(system::PathFromUtf8(options.output)); !s.ok()) {
    return context.FailUsage(s.message());
  }
  const auto chosen = NameTargets(*expressions, options.names, avatar->format());
  if (!chosen.ok()) return context.FailUsage(chosen.status().message());
  if (!options.quiet) {
    for (const std::string& warning : avatar->warnings()) {
      context.err << "blendwire: note: " << warning << std::endl;
    }
  }
  const absl::Time start = absl::Now();
  const absl::StatusOr<BatchResult> result = Predict(options, context, *avatar, *chosen);
  if (!result.ok()) return context.Fail(result.status());
  const absl::Duration time = absl::Now() - start;
  if (context.cancellation.cancelled()) return context.Fail(absl::CancelledError("interrupted"));
  const absl::Status failure = ReportFailures(context, *chosen, *result);
  bool any = false;
  for (const auto& item : result->items) any = any || item.ok();
  if (!any) return ExitCodeOf(failure);
  const auto report = WriteAvatar(options, *avatar, *chosen, *result);
  if (!report.ok()) return context.Fail(report.status());
  const Summary summary(options, *avatar, *chosen, *result, *report, time);
  if (options.json) {
    context.out << Text(summary.ToJson()) << std::endl;
  } else if (!options.quiet) {
    context.out << summary.ToText() << std::flush;
  }
  return ExitCodeOf(failure);
}

void AddOutputOptions(CLI::App& command, GenerateOptions& options) {
  command.add_flag("--overwrite", options.overwrite,
                   "Replace morph targets of the same name; otherwise they are kept");
  command.add_flag("--no-normals", options.no_normals, "Leave the morph targets' normals out");
  command
      .add_option("--min-displacement", options.min_displacement,
                  "Metres: a mesh that no expression moves by more gets no morph targets")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command.add_flag("--json", options.json, "The summary as JSON");
  command.add_flag("--quiet,-q", options.quiet, "Nothing but errors (and --json)");
}

}  // namespace

void AddGenerate(CLI::App& app, Run& run) {
  auto options = std::make_shared<GenerateOptions>();
  CLI::App* command =
      app.add_subcommand("generate", "Add morph targets (shape keys) to an avatar file");
  command->add_option("INPUT", options->input, "Avatar: .glb, .gltf, .vrm or .obj")->required();
  command->add_option("-o,--output", options->output, "File to write: .glb, .gltf or .vrm")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--set", options->sets,
                   "Sets of expressions: visemes, emotions, arkit [visemes,emotions]")
      ->check(CLI::IsMember({"visemes", "emotions", "arkit"}))
      ->delimiter(',');
  command->add_option("--only", options->only, "Only these expressions, by any name they have")
      ->type_name("NAME,...")
      ->delimiter(',');
  command
      ->add_option("--names", options->names,
                   "How the targets are named: vrc.v_aa, viseme_aa, VRM's A or aa, …")
      ->check(CLI::IsMember({"vrchat", "vrm", "vrm0", "vrm1", "arkit", "oculus"}))
      ->capture_default_str();
  AddPredictionOptions(*command, options->prediction);
  AddMeshOptions(*command, options->meshes);
  AddOutputOptions(*command, *options);
  AddPrivateServerOptions(*command, options->server);
  command->callback([options, &run] {
    run = [options](Context& context) { return Generate(*options, context); };
  });
}

}  // namespace blendwire::cli
