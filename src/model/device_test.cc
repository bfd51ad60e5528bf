// SPDX-License-Identifier: Apache-2.0

#include "model/device.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::model {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

bool Has(const std::string& provider) {
  const std::vector<std::string> all = Ort::GetAvailableProviders();
  return std::find(all.begin(), all.end(), provider) != all.end();
}

TEST(DeviceTest, EveryNameLeadsThereAndBack) {
  for (const Device device :
       {Device::kAuto, Device::kCpu, Device::kCuda, Device::kCoreMl, Device::kDirectMl}) {
    const absl::StatusOr<Device> parsed = ParseDevice(DeviceName(device));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, device);
    EXPECT_THAT(DeviceNames(), HasSubstr(std::string(DeviceName(device))));
  }
}

TEST(DeviceTest, CaseDoesNotMatter) { EXPECT_EQ(ParseDevice("CuDa").value(), Device::kCuda); }

TEST(DeviceTest, AnUnknownNameIsToldWithTheKnownOnes) {
  for (const char* name : {"", "gpu", "cpu ", "cuda:0"}) {
    const absl::Status status = ParseDevice(name).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(std::string("\"") + name + "\""), HasSubstr("auto, cpu, cuda")));
  }
}

TEST(DeviceTest, TheCpuNeedsNoReason) {
  Ort::SessionOptions options;
  const ProviderChoice choice = AppendProvider(Device::kCpu, options);
  EXPECT_EQ(choice.device, Device::kCpu);
  EXPECT_EQ(choice.provider, "CPUExecutionProvider");
  EXPECT_THAT(choice.fallback_reason, IsEmpty());
}

TEST(DeviceTest, AMissingDeviceFallsBackToTheCpuAndSaysWhy) {
  for (const auto& [device, provider] : {std::pair{Device::kCuda, "CUDAExecutionProvider"},
                                         std::pair{Device::kCoreMl, "CoreMLExecutionProvider"},
                                         std::pair{Device::kDirectMl, "DmlExecutionProvider"}}) {
    if (Has(provider)) continue;
    Ort::SessionOptions options;
    const ProviderChoice choice = AppendProvider(device, options);
    EXPECT_EQ(choice.device, Device::kCpu);
    EXPECT_EQ(choice.provider, "CPUExecutionProvider");
    EXPECT_THAT(choice.fallback_reason,
                AllOf(HasSubstr(provider), HasSubstr("it has"), HasSubstr("CPUExecutionProvider")));
  }
}

TEST(DeviceTest, AutoIsNeverAFallback) {
  Ort::SessionOptions options;
  EXPECT_THAT(AppendProvider(Device::kAuto, options).fallback_reason, IsEmpty());
}

TEST(DeviceTest, TheProcessorIsDescribed) {
  EXPECT_THAT(ProcessorDescription(1), Not(StartsWith(",")));
  EXPECT_THAT(ProcessorDescription(1), ::testing::EndsWith(", 1 thread"));
  EXPECT_THAT(ProcessorDescription(8), ::testing::EndsWith(", 8 threads"));
}

}  // namespace
}  // namespace blendwire::model
