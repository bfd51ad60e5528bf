// SPDX-License-Identifier: Apache-2.0

#include "model/ort_status.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"

namespace blendwire::model {
namespace {

// As ONNX Runtime 1.32 words them.
const char* const kShortMemory[] = {
    "Non-zero status code returned while running Mul node. Name:'' Status Message: "
    "bfc_arena.cc:376 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, "
    "onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 43200000",
    "Available memory of 1048576 is smaller than requested bytes of 43200000",
    "std::bad_alloc",
    "bad allocation",
};

TEST(OrtStatusTest, ShortMemoryIsNobodysFault) {
  for (const char* const text : kShortMemory) {
    const Ort::Exception error(text, ORT_RUNTIME_EXCEPTION);
    EXPECT_EQ(FromRunException(error).code(), absl::StatusCode::kResourceExhausted) << text;
  }
}

TEST(OrtStatusTest, AFailedRunIsInternalAndSaysWhy) {
  const absl::Status status = FromRunException(Ort::Exception("Mul broke", ORT_FAIL));
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(absl::StrContains(status.message(), "Mul broke")) << status;
}

TEST(OrtStatusTest, AFileToBlameIsAnInvalidArgument) {
  EXPECT_EQ(FromOrtException("loading", Ort::Exception("no graph", ORT_INVALID_GRAPH)),
            absl::InvalidArgumentError("loading: no graph"));
  EXPECT_EQ(FromOrtException("loading", Ort::Exception("no engine", ORT_ENGINE_ERROR)),
            absl::InternalError("loading: no engine"));
}

}  // namespace
}  // namespace blendwire::model
