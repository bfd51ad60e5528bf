// SPDX-License-Identifier: Apache-2.0

#include "model/repository.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/testing/model_files.h"

namespace blendwire::model {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::LoadModel;

TEST(RepositoryTest, WithoutModelsThereIsAPrecondition) {
  const Repository repository;
  EXPECT_TRUE(repository.empty());
  EXPECT_EQ(repository.Get("").status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(repository.Get("face").status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(RepositoryTest, AnEmptyNameIsTheDefault) {
  Repository repository;
  const ModelRef model = LoadModel("linear");
  ASSERT_TRUE(repository.Put("", model).ok());
  EXPECT_FALSE(repository.empty());
  EXPECT_EQ(repository.Get("default")->get(), model.get());
  EXPECT_EQ(repository.Get("")->get(), model.get());
}

TEST(RepositoryTest, AnUnknownNameIsToldWithTheKnownOnes) {
  Repository repository;
  const ModelRef model = LoadModel("linear");
  ASSERT_TRUE(repository.Put("b", model).ok());
  ASSERT_TRUE(repository.Put("a", model).ok());
  const absl::Status status = repository.Get("c\n").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(R"("c\n")"), HasSubstr("a, b")));
  EXPECT_EQ(repository.Remove("c", absl::ZeroDuration()).code(), absl::StatusCode::kNotFound);
}

TEST(RepositoryTest, NamesAreChecked) {
  for (const std::string& name : {std::string("a/b"), std::string("a b"), std::string("ä"),
                                  std::string(65, 'a'), std::string("a\0b", 3)}) {
    EXPECT_EQ(Repository::CheckName(name).code(), absl::StatusCode::kInvalidArgument) << name;
    Repository repository;
    EXPECT_EQ(repository.Put(name, LoadModel("linear")).code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(repository.empty());
  }
  for (const std::string& name :
       {std::string(), std::string(64, 'a'), std::string("My_model-1.0")}) {
    EXPECT_TRUE(Repository::CheckName(name).ok()) << name;
  }
}

TEST(RepositoryTest, ListsByName) {
  Repository repository;
  const ModelRef first = LoadModel("linear");
  const ModelRef second = LoadModel("slots");
  ASSERT_TRUE(repository.Put("zebra", first).ok());
  ASSERT_TRUE(repository.Put("ape", second).ok());
  const std::vector<Repository::Named> list = repository.List();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].name, "ape");
  EXPECT_EQ(list[0].model.get(), second.get());
  EXPECT_EQ(list[1].name, "zebra");
  EXPECT_EQ(list[1].model.get(), first.get());
}

TEST(RepositoryTest, OneInUseOutlivesItsReplacement) {
  Repository repository;
  ASSERT_TRUE(repository.Put("", LoadModel("linear")).ok());
  ModelRef in_use = repository.Get("").value();
  const std::weak_ptr<const Model> old = in_use;
  ASSERT_TRUE(repository.Put("", LoadModel("slots")).ok());
  EXPECT_EQ(repository.Get("").value()->facts().condition_size, 3);
  EXPECT_EQ(in_use->facts().condition_size, 64);
  in_use.reset();
  EXPECT_TRUE(old.expired());
}

TEST(RepositoryTest, RemoveWaitsForTheLastUser) {
  Repository repository;
  ModelRef original = LoadModel("linear");
  const std::weak_ptr<const Model> original_alive = original;
  ASSERT_TRUE(repository.Put("", std::move(original)).ok());
  ModelRef in_use = repository.Get("").value();
  std::atomic<bool> released{false};
  std::thread user([&] {
    absl::SleepFor(absl::Milliseconds(50));
    released = true;
    in_use.reset();
  });
  EXPECT_TRUE(repository.Remove("", absl::Seconds(30)).ok());
  EXPECT_TRUE(released);
  EXPECT_TRUE(original_alive.expired()) << "the memory must be free when Remove() returns";
  user.join();
}

TEST(RepositoryTest, RemoveGivesUpAndTheModelIsFreedLater) {
  Repository repository;
  ASSERT_TRUE(repository.Put("face", LoadModel("linear")).ok());
  ModelRef in_use = repository.Get("face").value();
  const std::weak_ptr<const Model> alive = in_use;
  const absl::Status status = repository.Remove("face", absl::Milliseconds(20));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("\"face\""), HasSubstr("20ms")));
  EXPECT_TRUE(repository.empty()) << "nobody new may get it";
  EXPECT_EQ(in_use->facts().condition_size, 64);
  in_use.reset();
  EXPECT_TRUE(alive.expired());
}

TEST(RepositoryTest, ThereIsALimitThatReplacingDoesNotTouch) {
  Repository repository;
  const ModelRef model = LoadModel("linear");
  for (int i = 0; i < 32; ++i) ASSERT_TRUE(repository.Put(absl::StrCat("m", i), model).ok());
  EXPECT_EQ(repository.Put("m32", model).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(repository.Put("m31", model).ok());
  ASSERT_TRUE(repository.Remove("m0", absl::Seconds(30)).ok());
  EXPECT_TRUE(repository.Put("m32", model).ok());
}

TEST(RepositoryTest, SwappingUnderLoadNeverShowsNothing) {
  Repository repository;
  ASSERT_TRUE(repository.Put("", LoadModel("linear")).ok());
  std::atomic<bool> stop{false};
  std::atomic<int> failures{0};
  std::vector<std::thread> users;
  for (int i = 0; i < 4; ++i) {
    users.emplace_back([&] {
      while (!stop) {
        const absl::StatusOr<ModelRef> model = repository.Get("");
        if (!model.ok() || (*model)->facts().condition_size != 64) ++failures;
        repository.List();
      }
    });
  }
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(repository.Put("", LoadModel("bare")).ok());
  stop = true;
  for (std::thread& user : users) user.join();
  EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace blendwire::model
