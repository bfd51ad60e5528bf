// SPDX-License-Identifier: Apache-2.0

#include "predict/layouts.h"

#include <utility>

namespace blendwire::predict {
namespace {

absl::StatusOr<expression::SlotLayout> LayoutOf(const model::ModelFacts& facts) {
  if (facts.condition_slots.empty()) return expression::SlotLayout::Standard();
  return expression::SlotLayout::FromNames(facts.condition_slots);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const expression::SlotLayout>> Layouts::For(
    const model::ModelRef& model) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(model.get());
  if (found != entries_.end() && !found->second.model.expired()) return found->second.layout;

  absl::StatusOr<expression::SlotLayout> layout = LayoutOf(model->facts());
  if (!layout.ok()) return layout.status();
  std::erase_if(entries_, [](const auto& entry) { return entry.second.model.expired(); });
  auto shared = std::make_shared<const expression::SlotLayout>(*std::move(layout));
  entries_[model.get()] = Entry{model, shared};
  return shared;
}

}  // namespace blendwire::predict
