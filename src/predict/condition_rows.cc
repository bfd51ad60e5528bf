// SPDX-License-Identifier: Apache-2.0

#include "predict/condition_rows.h"

#include <utility>

#include "absl/container/flat_hash_map.h"

namespace blendwire::predict {
namespace {

std::vector<float> Mirrored(absl::Span<const float> condition,
                            absl::Span<const size_t> mirrored_slots) {
  std::vector<float> mirrored(condition.size());
  for (size_t slot = 0; slot < condition.size(); ++slot) {
    mirrored[mirrored_slots[slot]] = condition[slot];
  }
  return mirrored;
}

}  // namespace

ConditionRows RowsOf(absl::Span<const absl::Span<const float>> conditions,
                     absl::Span<const size_t> mirrored_slots) {
  ConditionRows rows;
  absl::flat_hash_map<std::vector<float>, size_t> places;
  const auto append = [&rows](absl::Span<const float> condition) {
    rows.values.insert(rows.values.end(), condition.begin(), condition.end());
    return rows.count++;
  };
  for (const absl::Span<const float> condition : conditions) {
    const size_t row = append(condition);
    if (!mirrored_slots.empty()) {
      places.try_emplace(std::vector<float>(condition.begin(), condition.end()), row);
    }
  }
  if (mirrored_slots.empty()) return rows;
  for (const absl::Span<const float> condition : conditions) {
    std::vector<float> mirrored = Mirrored(condition, mirrored_slots);
    const auto found = places.find(mirrored);
    if (found != places.end()) {
      rows.mirrored.push_back(found->second);
      continue;
    }
    rows.mirrored.push_back(append(mirrored));
    places.emplace(std::move(mirrored), rows.mirrored.back());
  }
  return rows;
}

}  // namespace blendwire::predict
