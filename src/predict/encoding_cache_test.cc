// SPDX-License-Identifier: Apache-2.0

#include "predict/encoding_cache.h"

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace blendwire::predict {
namespace {

constexpr size_t kBytes = 1000;

EncodingCache::Mesh NewMesh() { return std::make_shared<const DerivedMesh>(); }

std::shared_ptr<const Encoding> NewEncoding() {
  return std::make_shared<const Encoding>(model::ModelFacts{}, 1, false);
}

// Takes the turn, which must be there, and keeps an encoding.
std::shared_ptr<const Encoding> Make(EncodingCache& cache, const EncodingCache::Mesh& mesh,
                                     const char* model = "a") {
  EncodingCache::Lookup lookup = cache.Get(mesh, model, kBytes, {});
  EXPECT_EQ(lookup.encoding, nullptr);
  EXPECT_TRUE(lookup.turn.has_value());
  auto encoding = NewEncoding();
  lookup.turn->Keep(encoding);
  return encoding;
}

TEST(EncodingCacheTest, IsOfOneMeshAndOneModel) {
  EncodingCache cache(10 * kBytes);
  const auto mesh = NewMesh();
  const auto other = NewMesh();
  const auto encoding = Make(cache, mesh);
  const auto of_other_model = Make(cache, mesh, "b");
  const auto of_other_mesh = Make(cache, other);
  EXPECT_EQ(cache.Get(mesh, "a", kBytes, {}).encoding, encoding);
  EXPECT_EQ(cache.Get(mesh, "b", kBytes, {}).encoding, of_other_model);
  EXPECT_EQ(cache.Get(other, "a", kBytes, {}).encoding, of_other_mesh);
  EXPECT_EQ(cache.used_bytes(), 3 * kBytes);
}

TEST(EncodingCacheTest, TheLeastRecentlyUsedGoesFirst) {
  EncodingCache cache(3 * kBytes);
  const std::vector<EncodingCache::Mesh> meshes = {NewMesh(), NewMesh(), NewMesh(), NewMesh()};
  const auto first = Make(cache, meshes[0]);
  Make(cache, meshes[1]);
  Make(cache, meshes[2]);
  EXPECT_EQ(cache.Get(meshes[0], "a", kBytes, {}).encoding, first);
  Make(cache, meshes[3]);
  EXPECT_EQ(cache.used_bytes(), 3 * kBytes);
  EXPECT_EQ(cache.Get(meshes[0], "a", kBytes, {}).encoding, first);
  Make(cache, meshes[1]);  // was forgotten
}

TEST(EncodingCacheTest, WhatDoesNotFitIsNobodysTurn) {
  EncodingCache cache(kBytes - 1);
  const auto lookup = cache.Get(NewMesh(), "a", kBytes, {});
  EXPECT_EQ(lookup.encoding, nullptr);
  EXPECT_FALSE(lookup.turn.has_value());
}

TEST(EncodingCacheTest, AMeshThatIsForgottenMakesRoom) {
  EncodingCache cache(3 * kBytes);
  Make(cache, NewMesh());
  Make(cache, NewMesh());
  const auto mesh = NewMesh();
  Make(cache, mesh);
  EXPECT_EQ(cache.used_bytes(), kBytes);
}

TEST(EncodingCacheTest, ATurnThatEndsWithoutResultGoesToTheNext) {
  EncodingCache cache(10 * kBytes);
  const auto mesh = NewMesh();
  {
    const auto lookup = cache.Get(mesh, "a", kBytes, {});
  }
  EXPECT_EQ(cache.used_bytes(), 0u);
  Make(cache, mesh);
}

TEST(EncodingCacheTest, OneEncodesAndTheOthersWait) {
  EncodingCache cache(10 * kBytes);
  const auto mesh = NewMesh();
  std::atomic<int> turns = 0;
  std::atomic<int> found = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      auto lookup = cache.Get(mesh, "a", kBytes, {});
      if (lookup.turn.has_value()) {
        ++turns;
        absl::SleepFor(absl::Milliseconds(30));
        lookup.turn->Keep(NewEncoding());
      } else if (lookup.encoding != nullptr) {
        ++found;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(turns, 1);
  EXPECT_EQ(found, 7);
}

TEST(EncodingCacheTest, AWaitIsCancelled) {
  EncodingCache cache(10 * kBytes);
  const auto mesh = NewMesh();
  const auto holder = cache.Get(mesh, "a", kBytes, {});
  ASSERT_TRUE(holder.turn.has_value());
  std::stop_source stop;
  std::thread stopper([&stop] {
    absl::SleepFor(absl::Milliseconds(20));
    stop.request_stop();
  });
  const auto lookup = cache.Get(mesh, "a", kBytes, stop.get_token());
  stopper.join();
  EXPECT_EQ(lookup.encoding, nullptr);
  EXPECT_FALSE(lookup.turn.has_value());
}

TEST(EncodingCacheTest, ServesSeveralThreadsWithinItsLimit) {
  constexpr size_t kMaxBytes = 3 * kBytes;
  EncodingCache cache(kMaxBytes);
  std::vector<EncodingCache::Mesh> meshes(7);
  for (auto& mesh : meshes) mesh = NewMesh();
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = 0; i < 500; ++i) {
        auto lookup = cache.Get(meshes[(i * (t + 1)) % 7], "a", kBytes, {});
        ASSERT_NE(lookup.encoding == nullptr, !lookup.turn.has_value());
        if (lookup.turn.has_value() && i % 5 != 0) lookup.turn->Keep(NewEncoding());
        EXPECT_LE(cache.used_bytes(), kMaxBytes);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace blendwire::predict
