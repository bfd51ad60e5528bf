// SPDX-License-Identifier: Apache-2.0

#include "predict/layouts.h"

#include <memory>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/testing/model_files.h"

namespace blendwire::predict {
namespace {

using model::testing::LoadModel;
using ::testing::Each;
using ::testing::ElementsAre;

TEST(LayoutsTest, AModelWithoutSlotsHasTheStandardLayout) {
  Layouts layouts;
  const auto layout = layouts.For(LoadModel("linear"));
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_TRUE((*layout)->is_standard());
  EXPECT_EQ((*layout)->size(), 64u);
}

TEST(LayoutsTest, AModelsOwnSlotsAreItsLayout) {
  Layouts layouts;
  const auto layout = layouts.For(LoadModel("slots"));
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_FALSE((*layout)->is_standard());
  EXPECT_THAT((*layout)->names(), ElementsAre("jawOpen", "viseme_aa", "puppyEyes"));
}

TEST(LayoutsTest, IsWorkedOutOnceForAModel) {
  Layouts layouts;
  const model::ModelRef model = LoadModel("slots");
  const auto first = layouts.For(model).value();
  std::vector<const expression::SlotLayout*> seen(8);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < seen.size(); ++i) {
    threads.emplace_back([&, i] { seen[i] = layouts.For(model)->get(); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(seen, Each(first.get()));
}

// A reference of another origin, as the repository makes them, is the same model.
TEST(LayoutsTest, BelongsToTheModelNotToTheReference) {
  Layouts layouts;
  const model::ModelRef model = LoadModel("slots");
  const auto first = layouts.For(model).value();
  const model::ModelRef alias(model.get(), [model](const model::Model*) {});
  EXPECT_EQ(layouts.For(alias).value(), first);
}

TEST(LayoutsTest, DoesNotKeepTheModelAliveNorConfusesItsSuccessor) {
  Layouts layouts;
  // The allocator likes to give the successor the same address.
  for (int i = 0; i < 20; ++i) {
    model::ModelRef model = LoadModel(i % 2 == 0 ? "slots" : "linear");
    const std::weak_ptr<const model::Model> alive = model;
    EXPECT_EQ(layouts.For(model).value()->size(), i % 2 == 0 ? 3u : 64u);
    model.reset();
    EXPECT_TRUE(alive.expired());
  }
}

}  // namespace
}  // namespace blendwire::predict
