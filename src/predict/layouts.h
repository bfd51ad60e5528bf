// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_PREDICT_LAYOUTS_H_
#define BLENDWIRE_PREDICT_LAYOUTS_H_

#include <map>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "expression/slot_layout.h"
#include "model/repository.h"

namespace blendwire::predict {

// The condition layout of each model, worked out once. Safe for use from several threads at once.
class Layouts {
 public:
  // INVALID_ARGUMENT if the model's condition slots make no layout.
  absl::StatusOr<std::shared_ptr<const expression::SlotLayout>> For(const model::ModelRef& model);

 private:
  struct Entry {
    // A new model may get the address of one that is gone.
    std::weak_ptr<const model::Model> model;
    std::shared_ptr<const expression::SlotLayout> layout;
  };

  absl::Mutex mutex_;
  std::map<const model::Model*, Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace blendwire::predict

#endif  // BLENDWIRE_PREDICT_LAYOUTS_H_
