// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <exception>
#include <stdexcept>
#include <type_traits>

#include "base/temp_directory.hpp"

namespace berth::base {
namespace {

using test::error_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Error, CarriesKindMessageHintAndDetails) {
  const Error error(ErrorKind::conflict, "the name etcd is taken", "choose another with --name", "by web.service\n");
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_EQ(error.details(), "by web.service\n");
  EXPECT_EQ(error.message(), "the name etcd is taken");
  EXPECT_EQ(error.hint(), "choose another with --name");
  EXPECT_STREQ(error.what(), "the name etcd is taken");
}

TEST(Error, PutsTheOutermostContextFirst) {
  Error error(ErrorKind::failed, "no space");
  error.add_context("while writing the unit");
  error.add_context("while installing etcd");
  EXPECT_STREQ(error.what(), "while installing etcd: while writing the unit: no space");
  EXPECT_THAT(error.contexts(), ElementsAre("while writing the unit", "while installing etcd"));
}

TEST(InContext, AddsToErrorsAndPassesResults) {
  EXPECT_EQ(in_context("unused", [] { return 7; }), 7);
  const Error plain = error_of([] { in_context("outer", [] { throw Error(ErrorKind::usage, "inner"); }); });
  EXPECT_STREQ(plain.what(), "outer: inner");
  const Error lazy =
      error_of([] { in_context([] { return std::string("made"); }, [] { throw Error(ErrorKind::usage, "inner"); }); });
  EXPECT_STREQ(lazy.what(), "made: inner");
}

TEST(InContext, EvaluatesACallableOnlyOnFailure) {
  bool asked = false;
  in_context(
      [&] {
        asked = true;
        return std::string();
      },
      [] {});
  EXPECT_FALSE(asked);
}

TEST(ThrowErrno, ChoosesKindAndHint) {
  struct Expectation {
    int code;
    ErrorKind kind;
    const char* hint_part;
  };
  const char* root_hint = ::geteuid() == 0 ? "even root was refused" : "";
  for (const auto& [code, kind, hint_part] :
       {Expectation{EACCES, ErrorKind::not_permitted, root_hint},
        Expectation{EPERM, ErrorKind::not_permitted, root_hint},
        Expectation{EROFS, ErrorKind::not_permitted, "read-only"}, Expectation{ENOENT, ErrorKind::not_found, ""},
        Expectation{EEXIST, ErrorKind::conflict, ""}, Expectation{ENOSPC, ErrorKind::failed, "space"},
        Expectation{EIO, ErrorKind::failed, ""}}) {
    const Error error = error_of([number = code] { throw_errno("open /x", number); });
    EXPECT_EQ(error.kind(), kind) << code;
    EXPECT_THAT(error.message(), StartsWith("cannot open /x: "));
    EXPECT_THAT(error.hint(), HasSubstr(hint_part));
  }
}

TEST(ThrowErrno, ExplainsWhatIsNotSupported) {
  for (const int code : {EINVAL, EOPNOTSUPP, ENOSYS}) {
    const Error error = error_of([code] { throw_errno("sync /x", code); });
    EXPECT_EQ(error.message(), "cannot sync /x: that is not supported there");
    EXPECT_THAT(error.hint(), HasSubstr("ext4"));
  }
}

TEST(CheckErrno, PassesResultsAndThrowsFailures) {
  EXPECT_EQ(check_errno(3, "do it"), 3);
  errno = ENOENT;
  EXPECT_EQ(error_of([] { check_errno(-1, "do it"); }).kind(), ErrorKind::not_found);
}

/// Handlers of failures must not swallow a request to stop.
TEST(Interrupted, IsNoException) {
  static_assert(!std::is_base_of_v<std::exception, Interrupted>);
  EXPECT_THROW(throw_interrupted(), Interrupted);
  EXPECT_THROW(in_context("outer", [] { throw_interrupted(); }), Interrupted);
  EXPECT_EQ(Interrupted("run: berth recover").hint(), "run: berth recover");
}

TEST(CurrentMessage, NamesWhatIsBeingHandled) {
  const auto message_of = [](auto thrown) {
    try {
      throw thrown;
    } catch (...) {
      return current_message();
    }
  };
  EXPECT_EQ(message_of(Error(ErrorKind::failed, "no space")), "no space");
  EXPECT_EQ(message_of(std::runtime_error("odd")), "odd");
  EXPECT_EQ(message_of(Interrupted()), "interrupted");
}

TEST(Printable, MakesOneSafeLine) {
  EXPECT_EQ(printable("plain"), "plain");
  EXPECT_EQ(printable("a\x1b[31mb\n"), "a?[31mb\\n");
  EXPECT_EQ(printable("\xc3\xa9 \xff \xe2\x80\xae"), "\xc3\xa9 ? <U+202E>");
  EXPECT_EQ(printable("12345", 3), "123...");
  EXPECT_EQ(printable("12\xc3\xa9", 3), "12...");
}

}  // namespace
}  // namespace berth::base
