// SPDX-License-Identifier: Apache-2.0
//
// What the system tells of this process and machine: process_figures.h, gpu_figures.h, processor.h,
// dynamic_library.h.

#include <array>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "system/dynamic_library.h"
#include "system/gpu_figures.h"
#include "system/process_figures.h"
#include "system/processor.h"

namespace blendwire::system {
namespace {

TEST(ProcessFiguresTest, ResidentMemoryGrowsWithWhatIsTouched) {
  constexpr size_t kBytes = size_t{64} << 20;
  const int64_t before = ResidentMemoryBytes();
  EXPECT_GT(before, 1 << 20);
  std::vector<char> touched(kBytes, 1);
  EXPECT_GT(ResidentMemoryBytes() - before, static_cast<int64_t>(kBytes / 2));
  EXPECT_EQ(touched[kBytes / 3], 1);
}

TEST(ProcessFiguresTest, ReleasingFreeMemoryDoesNoHarm) {
  const auto kept = std::make_unique<std::array<char, 4096>>();
  (*kept)[17] = 'x';
  ReleaseFreeMemory();
  EXPECT_EQ((*kept)[17], 'x');
}

TEST(ProcessFiguresTest, ProcessorTimeCountsWorkOfEveryThread) {
  const absl::Duration before = ProcessorTime();
  EXPECT_GT(before, absl::ZeroDuration());
  std::thread([] {
    const absl::Duration start = ProcessorTime();
    while (ProcessorTime() - start < absl::Milliseconds(50)) {
    }
  }).join();
  EXPECT_GE(ProcessorTime() - before, absl::Milliseconds(50));
}

TEST(ProcessFiguresTest, SleepingTakesNoProcessorTime) {
  const absl::Duration before = ProcessorTime();
  absl::SleepFor(absl::Milliseconds(200));
  EXPECT_LT(ProcessorTime() - before, absl::Milliseconds(150));
}

TEST(ProcessFiguresTest, TheProcessHasANumber) { EXPECT_GT(ProcessId(), 0); }

TEST(ProcessorTest, HasAName) { EXPECT_FALSE(ProcessorName().empty()); }

TEST(DynamicLibraryTest, AMissingOneIsNull) {
  EXPECT_EQ(DynamicLibrary::Open({"libblendwire-does-not-exist.so.9"}), nullptr);
  EXPECT_EQ(DynamicLibrary::Open({}), nullptr);
}

TEST(DynamicLibraryTest, TheFirstThatIsThereIsTaken) {
  // The C maths library under its Linux, macOS and Windows names.
  const auto library = DynamicLibrary::Open(
      {"libblendwire-does-not-exist.so.9", "libm.so.6", "libSystem.B.dylib", "ucrtbase.dll"});
  ASSERT_NE(library, nullptr);
  double (*square_root)(double) = nullptr;
  ASSERT_TRUE(library->Find("sqrt", square_root));
  EXPECT_EQ(square_root(81.0), 9.0);
  double (*missing)(double) = square_root;
  EXPECT_FALSE(library->Find("blendwire_no_such_function", missing));
  EXPECT_EQ(missing, nullptr);
}

TEST(GpuFiguresTest, AreInRangeWithOrWithoutAGpu) {
  const GpuFigures figures = ReadGpuFigures();
  EXPECT_GE(figures.process_memory_bytes, 0);
  EXPECT_GE(figures.utilization_percent, 0.0);
  EXPECT_LE(figures.utilization_percent, 100.0);
}

TEST(GpuFiguresTest, SeveralThreadsMayAsk) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([] { ReadGpuFigures(); });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace blendwire::system
