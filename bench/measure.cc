// SPDX-License-Identifier: Apache-2.0

#include "measure.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>

namespace blendwire::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr size_t kTimesShown = 1000;

struct Record {
  std::vector<double> milliseconds;
  size_t errors = 0;
  std::string first_error;
  Clock::time_point end;
};

// One thread's calls.
class Caller {
 public:
  Caller(const Plan& plan, const Call& call, int thread, std::atomic<size_t>& due)
      : plan_(plan), call_(call), thread_(thread), due_(due) {}

  void WarmUp() {
    for (size_t i = 0; i < plan_.warm_up; ++i) Count(call_(thread_, next_++), false, 0.0);
  }

  void Run(Clock::time_point start) {
    const Clock::time_point end =
        start + std::chrono::duration_cast<Clock::duration>(Seconds(plan_.seconds));
    for (size_t made = 0;; ++made) {
      Clock::time_point begin = Clock::now();
      if (plan_.rate > 0) {
        begin = start + std::chrono::duration_cast<Clock::duration>(
                            Seconds(static_cast<double>(due_.fetch_add(1)) / plan_.rate));
        if (begin >= end) break;
        std::this_thread::sleep_until(begin);
      } else if (made >= plan_.at_least && begin >= end) {
        break;
      }
      const absl::Status status = call_(thread_, next_++);
      Count(status, true, Seconds(Clock::now() - begin).count() * 1000);
    }
    record_.end = Clock::now();
  }

  const Record& record() const { return record_; }

 private:
  void Count(const absl::Status& status, bool timed, double milliseconds) {
    if (!status.ok()) {
      if (record_.errors++ == 0) record_.first_error = status.ToString();
    } else if (timed) {
      record_.milliseconds.push_back(milliseconds);
    }
  }

  const Plan& plan_;
  const Call& call_;
  const int thread_;
  std::atomic<size_t>& due_;
  size_t next_ = 0;
  Record record_;
};

// Nearest rank.
double Percentile(const std::vector<double>& sorted, double percent) {
  const double rank = std::ceil(percent / 100 * static_cast<double>(sorted.size()));
  return sorted[static_cast<size_t>(std::max(rank, 1.0)) - 1];
}

std::string ToJson(const std::vector<Caller>& callers, Clock::time_point start, std::clock_t cpu) {
  std::vector<double> times;
  nlohmann::json json;
  size_t errors = 0;
  Clock::time_point end = start;
  for (const Caller& caller : callers) {
    const Record& record = caller.record();
    times.insert(times.end(), record.milliseconds.begin(), record.milliseconds.end());
    errors += record.errors;
    if (!record.first_error.empty()) json["first_error"] = record.first_error;
    end = std::max(end, record.end);
  }
  const double seconds = Seconds(end - start).count();
  json["seconds"] = seconds;
  json["calls"] = times.size();
  json["errors"] = errors;
  if (!times.empty()) {
    json["caller_cpu_s"] =
        static_cast<double>(cpu) / CLOCKS_PER_SEC / static_cast<double>(times.size());
    json["per_second"] = static_cast<double>(times.size()) / seconds;
    const auto shown = static_cast<std::ptrdiff_t>(std::min(times.size(), kTimesShown));
    json["times_ms"] = std::vector<double>(times.begin(), times.begin() + shown);
    std::sort(times.begin(), times.end());
    json["mean_ms"] =
        std::accumulate(times.begin(), times.end(), 0.0) / static_cast<double>(times.size());
    json["min_ms"] = times.front();
    json["p50_ms"] = Percentile(times, 50);
    json["p95_ms"] = Percentile(times, 95);
    json["p99_ms"] = Percentile(times, 99);
    json["max_ms"] = times.back();
  }
  return json.dump();
}

}  // namespace

std::string Measure(const Plan& plan, const Call& call) {
  std::atomic<size_t> due{0};
  std::vector<Caller> callers;
  for (int i = 0; i < plan.threads; ++i) callers.emplace_back(plan, call, i, due);
  Clock::time_point start;
  std::clock_t cpu = 0;
  std::barrier warm(plan.threads, [&start, &cpu]() noexcept {
    start = Clock::now();
    cpu = std::clock();
  });
  std::vector<std::jthread> threads;
  for (Caller& caller : callers) {
    threads.emplace_back([&caller, &warm, &start] {
      caller.WarmUp();
      warm.arrive_and_wait();
      caller.Run(start);
    });
  }
  threads.clear();  // joins
  return ToJson(callers, start, std::clock() - cpu);
}

}  // namespace blendwire::bench
