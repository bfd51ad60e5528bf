// SPDX-License-Identifier: Apache-2.0
//
// The loaded models, by name.

#ifndef BLENDWIRE_MODEL_REPOSITORY_H_
#define BLENDWIRE_MODEL_REPOSITORY_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "model/model.h"

namespace blendwire::model {

// Holding one keeps the model alive, through a swap and through an unload.
using ModelRef = std::shared_ptr<const Model>;

inline constexpr absl::string_view kDefaultModelName = "default";

// Safe for use from several threads at once.
class Repository {
 public:
  struct Named {
    std::string name;
    ModelRef model;
  };

  // An empty name means "default". NOT_FOUND: there is no model of that name, but others;
  // FAILED_PRECONDITION: there is none at all.
  absl::StatusOr<ModelRef> Get(absl::string_view name) const;

  // Makes `model` the one of that name, at once for every later Get(); what was there before stays
  // alive until its last user is done. INVALID_ARGUMENT for a name that is not 1 to 64 letters,
  // digits, '_', '-' or '.'; RESOURCE_EXHAUSTED if there are 32 models already.
  absl::Status Put(absl::string_view name, ModelRef model);

  // As Put() would judge it; before the work of loading is done.
  static absl::Status CheckName(absl::string_view name);

  // No later Get() finds it; returns when its last user is done and its memory has been freed, or
  // with DEADLINE_EXCEEDED if that takes longer than `patience` (it is freed later then).
  // NOT_FOUND: there is no model of that name.
  absl::Status Remove(absl::string_view name, absl::Duration patience);

  // Sorted by name.
  std::vector<Named> List() const;
  bool empty() const;

 private:
  struct Entry {
    ModelRef model;
    // Notified when the model has been destroyed.
    std::shared_ptr<absl::Notification> gone;
  };

  mutable absl::Mutex mutex_;
  std::map<std::string, Entry, std::less<>> models_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace blendwire::model

#endif  // BLENDWIRE_MODEL_REPOSITORY_H_
