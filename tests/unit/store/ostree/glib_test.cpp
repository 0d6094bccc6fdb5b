// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/glib.hpp"

#include <gio/gio.h>
#include <gmock/gmock.h>

#include "base/error.hpp"

namespace berth::store {
namespace {

using ::testing::HasSubstr;

base::Error raised(int code, const char* message) {
  try {
    Failure failure;
    g_set_error_literal(failure.out(), G_IO_ERROR, code, message);
    EXPECT_EQ(failure.is_not_found(), code == G_IO_ERROR_NOT_FOUND);
    failure.raise("do it");
  } catch (const base::Error& error) {
    return error;
  }
}

TEST(Failure, NamesTheOperationAndTheReason) {
  EXPECT_EQ(raised(G_IO_ERROR_FAILED, "no").message(), "cannot do it: no");
}

TEST(Failure, MapsDomainsToKinds) {
  EXPECT_EQ(raised(G_IO_ERROR_FAILED, "x").kind(), base::ErrorKind::failed);
  EXPECT_EQ(raised(G_IO_ERROR_NOT_FOUND, "x").kind(), base::ErrorKind::not_found);
  EXPECT_EQ(raised(G_IO_ERROR_EXISTS, "x").kind(), base::ErrorKind::conflict);
  EXPECT_EQ(raised(G_IO_ERROR_PERMISSION_DENIED, "x").kind(), base::ErrorKind::not_permitted);
  EXPECT_EQ(raised(G_IO_ERROR_READ_ONLY, "x").kind(), base::ErrorKind::not_permitted);
}

TEST(Failure, GivesRemedies) {
  EXPECT_THAT(raised(G_IO_ERROR_NO_SPACE, "x").hint(), HasSubstr("free space"));
  EXPECT_THAT(raised(G_IO_ERROR_FAILED, "min-free-space-percent '3%' would be exceeded").hint(),
              HasSubstr("free space"));
  EXPECT_THAT(raised(G_IO_ERROR_NOT_SUPPORTED, "x").hint(), HasSubstr("extended attributes"));
}

TEST(Failure, AcceptsUnknownAndMissingErrors) {
  try {
    Failure failure;
    g_set_error_literal(failure.out(), G_CONVERT_ERROR, G_CONVERT_ERROR_FAILED, "odd");
    failure.raise("do it");
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::failed);
  }
  const Failure nothing;
  EXPECT_THROW(nothing.raise("do it"), base::Error);
}

}  // namespace
}  // namespace berth::store
