// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/accounts.hpp"

#include <gtest/gtest.h>

namespace berth::host {
namespace {

constexpr unsigned unknown_id = 3'999'999'999;

TEST(Accounts, FindsAUserByNumber) {
  const auto root = find_account(0);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->name, "root");
  EXPECT_EQ(root->home, "/root");
  EXPECT_FALSE(find_account(unknown_id));
}

TEST(Accounts, FindsAGroupByNumber) {
  EXPECT_TRUE(has_group(0));
  EXPECT_FALSE(has_group(unknown_id));
}

}  // namespace
}  // namespace berth::host
