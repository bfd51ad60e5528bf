// SPDX-License-Identifier: Apache-2.0
//
// Several predictions for tests, and all that Predict() tells about them.

#ifndef BLENDWIRE_PREDICT_TESTING_PREDICTIONS_H_
#define BLENDWIRE_PREDICT_TESTING_PREDICTIONS_H_

#include <cstddef>
#include <functional>
#include <stop_token>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "predict/predict.h"

namespace blendwire::predict::testing {

using Condition = std::vector<float>;
using Offsets = std::vector<float>;

// Runs Predict() and keeps what it tells about every task.
class Predictions {
 public:
  void Add(Condition condition, Options options = {}) {
    conditions_.push_back(std::move(condition));
    options_.push_back(options);
  }

  void Run(const model::Model& model, const PreparedMesh& mesh, std::stop_token stop = {}) {
    const size_t count = conditions_.size();
    offsets.assign(count, {});
    outcomes.assign(count, {});
    done.assign(count, 0);
    asked.assign(count, 0);
    std::vector<Task> tasks;
    for (size_t i = 0; i < count; ++i) {
      tasks.push_back({conditions_[i], options_[i],
                       [this, i, &mesh] {
                         ++asked[i];
                         // A value that nobody may leave there.
                         offsets[i].assign(mesh.vertices().size(), 777.0f);
                         return absl::MakeSpan(offsets[i]);
                       },
                       [this, i](const Outcome& outcome) {
                         ++done[i];
                         outcomes[i] = outcome;
                         order.push_back(i);
                         if (when_done) when_done(i);
                       }});
    }
    Predict(model, mesh, tasks, encodings_, std::move(stop));
  }

  std::function<void(size_t)> when_done;
  std::vector<Offsets> offsets;
  std::vector<Outcome> outcomes;
  std::vector<int> done;
  std::vector<int> asked;
  std::vector<size_t> order;

 private:
  EncodingCache encodings_{1 << 20};
  std::vector<Condition> conditions_;
  std::vector<Options> options_;
};

}  // namespace blendwire::predict::testing

#endif  // BLENDWIRE_PREDICT_TESTING_PREDICTIONS_H_
