// SPDX-License-Identifier: Apache-2.0

#include "model/repository.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace blendwire::model {
namespace {

constexpr size_t kMaxModels = 32;
constexpr size_t kMaxNameBytes = 64;

absl::string_view OrDefault(absl::string_view name) {
  return name.empty() ? kDefaultModelName : name;
}

std::string Shown(absl::string_view name) {
  return absl::StrCat("\"", absl::CEscape(name.substr(0, kMaxNameBytes)), "\"");
}

}  // namespace

absl::Status Repository::CheckName(absl::string_view name) {
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.';
  };
  name = OrDefault(name);
  if (name.size() > kMaxNameBytes || !std::all_of(name.begin(), name.end(), allowed)) {
    return absl::InvalidArgumentError(
        absl::StrCat("model_name is ", Shown(name), " (", name.size(),
                     " bytes); it must be 1 to 64 letters, digits, '_', '-' or '.'"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ModelRef> Repository::Get(absl::string_view name) const {
  name = OrDefault(name);
  absl::MutexLock lock(&mutex_);
  if (models_.empty()) {
    return absl::FailedPreconditionError("no model is loaded; load one with LoadModel");
  }
  const auto found = models_.find(name);
  if (found == models_.end()) {
    return absl::NotFoundError(absl::StrCat(
        "model_name is ", Shown(name),
        ", but loaded are: ", absl::StrJoin(models_, ", ", [](std::string* out, const auto& entry) {
          absl::StrAppend(out, entry.first);
        })));
  }
  return found->second.model;
}

absl::Status Repository::Put(absl::string_view name, ModelRef model) {
  if (const absl::Status status = CheckName(name); !status.ok()) return status;
  Entry entry;
  entry.gone = std::make_shared<absl::Notification>();
  // Aliases `model`; the deleter runs when the last of *these* references is dropped, and frees the
  // session before it tells.
  const Model* raw = model.get();
  entry.model = ModelRef(raw, [owner = std::move(model), gone = entry.gone](const Model*) mutable {
    owner.reset();
    gone->Notify();
  });
  Entry replaced;  // destroyed outside the lock: freeing a session takes time
  {
    absl::MutexLock lock(&mutex_);
    const auto found = models_.find(OrDefault(name));
    if (found == models_.end() && models_.size() >= kMaxModels) {
      return absl::ResourceExhaustedError(
          absl::StrCat("there are ", kMaxModels, " models already; unload one first"));
    }
    Entry& place = models_[std::string(OrDefault(name))];
    replaced = std::exchange(place, std::move(entry));
  }
  return absl::OkStatus();
}

absl::Status Repository::Remove(absl::string_view name, absl::Duration patience) {
  std::shared_ptr<absl::Notification> gone;
  {
    Entry removed;
    {
      absl::MutexLock lock(&mutex_);
      const auto found = models_.find(OrDefault(name));
      if (found == models_.end()) {
        return absl::NotFoundError(absl::StrCat("model_name is ", Shown(OrDefault(name)),
                                                ", and no model of that name is loaded"));
      }
      removed = std::move(found->second);
      models_.erase(found);
    }
    gone = removed.gone;
  }
  if (!gone->WaitForNotificationWithTimeout(patience)) {
    return absl::DeadlineExceededError(absl::StrCat("the model ", Shown(OrDefault(name)),
                                                    " is unloaded, but requests that began "
                                                    "before still use it after ",
                                                    absl::FormatDuration(patience),
                                                    "; its memory is freed when they are done"));
  }
  return absl::OkStatus();
}

std::vector<Repository::Named> Repository::List() const {
  absl::MutexLock lock(&mutex_);
  std::vector<Named> result;
  result.reserve(models_.size());
  for (const auto& [name, entry] : models_) result.push_back({name, entry.model});
  return result;
}

bool Repository::empty() const {
  absl::MutexLock lock(&mutex_);
  return models_.empty();
}

}  // namespace blendwire::model
