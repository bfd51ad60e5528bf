// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/expression_choice.h"
#include "cli/json_output.h"

namespace blendwire::cli {
namespace {

struct ExpressionsOptions {
  std::vector<std::string> sets = {"visemes", "emotions", "arkit"};
  bool json = false;
};

Json ToJson(const expression::Expression& expression) {
  Json recipe = Json::object();
  for (const expression::UnitWeight& part : expression.recipe) {
    recipe[expression::Table::Get().units()[part.unit]] = Shortest(part.weight);
  }
  return Json{{"name", expression.name},
              {"kind", std::string(expression::KindName(expression.kind))},
              {"description", expression.description},
              {"names", expression.names},
              {"aliases", expression.aliases},
              {"recipe", recipe}};
}

std::string ToText(const expression::Expression& expression) {
  std::vector<std::string> others = expression.aliases;
  for (const auto& [convention, name] : expression.names) {
    if (name != expression.name) others.push_back(absl::StrCat(convention, " ", name));
  }
  return absl::StrFormat("%-8s %-20s %-52s %s\n", expression::KindName(expression.kind),
                         expression.name, expression.description, absl::StrJoin(others, ", "));
}

ExitCode Expressions(const ExpressionsOptions& options, const Context& context) {
  const auto expressions = ChooseExpressions(options.sets, {});
  if (!expressions.ok()) return context.FailUsage(expressions.status().message());
  Json json = Json::array();
  for (const expression::Expression* expression : *expressions) {
    if (options.json) {
      json.push_back(ToJson(*expression));
    } else {
      context.out << ToText(*expression);
    }
  }
  if (options.json) context.out << Text(json) << "\n";
  context.out.flush();
  return ExitCode::kOk;
}

}  // namespace

void AddExpressions(CLI::App& app, Run& run) {
  auto options = std::make_shared<ExpressionsOptions>();
  CLI::App* command =
      app.add_subcommand("expressions", "List the expressions that are known by name (no server)");
  command->add_option("--set", options->sets, "visemes, emotions, arkit [all]")
      ->check(CLI::IsMember({"visemes", "emotions", "arkit"}))
      ->delimiter(',');
  command->add_flag("--json", options->json, "As JSON, with the recipes");
  command->callback([options, &run] {
    run = [options](Context& context) { return Expressions(*options, context); };
  });
}

}  // namespace blendwire::cli
