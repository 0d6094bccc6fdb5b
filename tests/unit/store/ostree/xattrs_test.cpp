// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/xattrs.hpp"

#include <gtest/gtest.h>

namespace berth::store {
namespace {

TEST(XattrsVariant, IsNullWithoutAttributes) {
  EXPECT_EQ(xattrs_variant({}), nullptr);
  const auto variant = xattrs_variant({{"user.b", "2"}, {"user.a", "1"}});
  const CharsPtr text(g_variant_print(variant.get(), FALSE));
  EXPECT_STREQ(text.get(), "[(b'user.a', [0x31]), (b'user.b', [0x32])]");
}

}  // namespace
}  // namespace berth::store
