// SPDX-License-Identifier: Apache-2.0

#include "system/parallel_for.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"

namespace blendwire::system {
namespace {

using Pieces = std::vector<std::pair<size_t, size_t>>;

Pieces PiecesOf(size_t count, size_t grain) {
  absl::Mutex mutex;
  Pieces pieces;
  ParallelFor(count, grain, [&](size_t begin, size_t end) {
    const absl::MutexLock lock(&mutex);
    pieces.emplace_back(begin, end);
  });
  std::sort(pieces.begin(), pieces.end());
  return pieces;
}

TEST(ParallelForTest, PiecesCoverEverythingOnceAndDependOnTheGrainOnly) {
  EXPECT_EQ(PiecesOf(0, 4), Pieces());
  EXPECT_EQ(PiecesOf(3, 4), (Pieces{{0, 3}}));
  EXPECT_EQ(PiecesOf(4, 4), (Pieces{{0, 4}}));
  EXPECT_EQ(PiecesOf(10, 4), (Pieces{{0, 4}, {4, 8}, {8, 10}}));
}

TEST(ParallelForTest, AnotherThreadHelps) {
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "one processor: nobody can help";
  // Each of two pieces waits until the other has begun.
  std::atomic<int> begun = 0;
  ParallelFor(2, 1, [&](size_t, size_t) {
    ++begun;
    while (begun < 2) std::this_thread::yield();
  });
  EXPECT_EQ(begun, 2);
}

TEST(ParallelForTest, WhatIsThrownArrivesAndTheNextCallWorks) {
  for (int round = 0; round < 100; ++round) {
    EXPECT_THROW(ParallelFor(100, 1,
                             [](size_t begin, size_t) {
                               if (begin % 7 == 3) throw std::bad_alloc();
                             }),
                 std::bad_alloc);
    EXPECT_EQ(PiecesOf(5, 3).size(), 2u);
  }
}

TEST(ParallelForTest, CallsWithinACallRunAlone) {
  std::atomic<size_t> sum = 0;
  ParallelFor(4, 1, [&](size_t, size_t) {
    ParallelFor(10, 3, [&](size_t begin, size_t end) { sum += end - begin; });
  });
  EXPECT_EQ(sum, 40u);
}

TEST(ParallelForTest, ManyCallersAtOnceEachGetTheirOwn) {
  std::vector<std::thread> callers;
  std::atomic<size_t> wrong = 0;
  for (size_t caller = 0; caller < 8; ++caller) {
    callers.emplace_back([&wrong, caller] {
      for (size_t round = 0; round < 300; ++round) {
        std::vector<size_t> squares(97 + caller);
        ParallelFor(squares.size(), 5, [&](size_t begin, size_t end) {
          for (size_t i = begin; i < end; ++i) squares[i] = i * i + round;
        });
        for (size_t i = 0; i < squares.size(); ++i) wrong += squares[i] != i * i + round ? 1 : 0;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace blendwire::system
