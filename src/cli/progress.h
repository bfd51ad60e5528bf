// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLI_PROGRESS_H_
#define BLENDWIRE_CLI_PROGRESS_H_

#include <cstddef>
#include <ostream>

#include "absl/strings/string_view.h"

namespace blendwire::cli {

// How far a batch is: a bar that rewrites its line on a terminal, else one line per step. To be
// used by one thread at a time.
class Progress {
 public:
  enum class Style { kBar, kLines, kNone };

  Progress(std::ostream& out, Style style) : out_(out), style_(style) {}
  ~Progress() { Finish(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `what` has just been done.
  void Step(size_t done, size_t total, absl::string_view what);

  // Takes the bar away, so that other output can follow.
  void Finish();

 private:
  std::ostream& out_;
  const Style style_;
  bool bar_shown_ = false;
};

}  // namespace blendwire::cli

#endif  // BLENDWIRE_CLI_PROGRESS_H_
