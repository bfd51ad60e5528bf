// SPDX-License-Identifier: Apache-2.0

#include "model/sessions.h"

#include <vector>

#include "gtest/gtest.h"

namespace blendwire::model {
namespace {

// Sessions that cannot run, but can be told apart.
Ort::Session Nothing() { return Ort::Session(nullptr); }

// The sessions of `runs` runs that are under way at once, the first one first.
std::vector<const Ort::Session*> Nested(Sessions& sessions, int runs) {
  std::vector<const Ort::Session*> chosen;
  sessions.With([&](Ort::Session& session) {
    chosen.push_back(&session);
    if (runs > 1) {
      const auto inner = Nested(sessions, runs - 1);
      chosen.insert(chosen.end(), inner.begin(), inner.end());
    }
  });
  return chosen;
}

TEST(SessionsTest, RunsBesideEachOtherAreNarrow) {
  int made = 0;
  Sessions sessions(Nothing(), 2, [&made] { return ++made, Nothing(); });
  const auto first = Nested(sessions, 1);
  EXPECT_EQ(Nested(sessions, 1), first);
  EXPECT_EQ(made, 0);
  const auto three = Nested(sessions, 3);
  EXPECT_EQ(three[0], first[0]);
  EXPECT_NE(three[1], first[0]);
  EXPECT_EQ(three[2], three[1]);
  EXPECT_EQ(Nested(sessions, 3), three);
  EXPECT_EQ(made, 1);
  EXPECT_EQ(Nested(sessions, 1), first);
}

TEST(SessionsTest, AsLongAsEachHasSeveralProcessorsTheyAreWide) {
  Sessions sessions(Nothing(), 8, [] { return Nothing(); });
  const auto six = Nested(sessions, 6);
  for (size_t i = 1; i < 4; ++i) EXPECT_EQ(six[i], six[0]);
  EXPECT_NE(six[4], six[0]);
  EXPECT_EQ(six[5], six[4]);
}

TEST(SessionsTest, WithoutASecondSessionAllUseTheFirst) {
  Sessions one(Nothing(), 2, nullptr);
  const auto both = Nested(one, 2);
  EXPECT_EQ(both[0], both[1]);
  int tried = 0;
  Sessions failing(Nothing(), 2, [&tried]() -> Ort::Session {
    ++tried;
    throw Ort::Exception("no memory", ORT_FAIL);
  });
  for (int i = 0; i < 2; ++i) {
    const auto again = Nested(failing, 2);
    EXPECT_EQ(again[0], again[1]);
  }
  EXPECT_EQ(tried, 1);
}

TEST(SessionsTest, ARunThatThrowsIsOver) {
  Sessions sessions(Nothing(), 2, [] { return Nothing(); });
  const auto first = Nested(sessions, 1);
  EXPECT_THROW(sessions.With([](Ort::Session&) { throw Ort::Exception("no", ORT_FAIL); }),
               Ort::Exception);
  EXPECT_EQ(Nested(sessions, 1), first);
}

}  // namespace
}  // namespace blendwire::model
