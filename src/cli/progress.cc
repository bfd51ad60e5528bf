// SPDX-License-Identifier: Apache-2.0

#include "cli/progress.h"

#include <algorithm>
#include <string>

namespace blendwire::cli {
namespace {

constexpr size_t kBarWidth = 30;
constexpr char kClearLine[] = "\r\x1b[K";

}  // namespace

void Progress::Step(size_t done, size_t total, absl::string_view what) {
  if (style_ == Style::kNone || total == 0) return;
  if (style_ == Style::kLines) {
    out_ << done << "/" << total << " " << what << std::endl;
    return;
  }
  const size_t filled = std::min(done, total) * kBarWidth / total;
  out_ << kClearLine << "[" << std::string(filled, '#') << std::string(kBarWidth - filled, '.')
       << "] " << done << "/" << total << " " << what << std::flush;
  bar_shown_ = true;
}

void Progress::Finish() {
  if (bar_shown_) out_ << kClearLine << std::flush;
  bar_shown_ = false;
}

}  // namespace blendwire::cli
