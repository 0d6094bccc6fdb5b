// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/json.hpp"

namespace berth::ops {
namespace {

using base::Progress;
using base::ProgressPhase;
using base::ProgressTask;
using base::ProgressUnit;

TEST(ProgressJson, EachTaskHasANameAndALabelOfItsOwn) {
  std::set<std::string> names;
  std::set<std::string> labels;
  constexpr int last = static_cast<int>(ProgressTask::applying);
  for (int task = 0; task <= last; ++task) {
    const auto json = to_json(Progress{"it", static_cast<ProgressTask>(task)});
    names.insert(json.at("task").get<std::string>());
    labels.insert(json.at("label").get<std::string>());
  }
  EXPECT_EQ(names.size(), last + 1U);
  EXPECT_EQ(labels.size(), last + 1U);
  EXPECT_FALSE(names.contains("") || labels.contains(""));
}

TEST(ProgressJson, TheLabelOfAFetchSaysItsPhase) {
  EXPECT_EQ(label_of({"it", ProgressTask::fetching, 0, 1, ProgressPhase::waiting}), "waiting");
  EXPECT_EQ(label_of({"it", ProgressTask::fetching, 0, 1, ProgressPhase::working}), "fetching");
  EXPECT_EQ(label_of({"it", ProgressTask::fetching, 1, 1, ProgressPhase::done}), "fetched");
}

TEST(ProgressJson, HasAllNumbers) {
  const auto json =
      to_json(Progress{"objects", ProgressTask::removing, 3, 9, ProgressPhase::done, ProgressUnit::objects});
  EXPECT_EQ(
      json.dump(),
      R"({"id":"objects","task":"removing","label":"removing","phase":"done","done":3,"total":9,"unit":"objects"})");
}

}  // namespace
}  // namespace berth::ops
