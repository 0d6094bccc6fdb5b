#include "base/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temp_directory.hpp"

namespace berth::base {
namespace {

using test::error_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Error, CarriesKindSentenceAndHint) {
  const Error error(ErrorKind::conflict, "the name etcd is taken", "choose another with --name");
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
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
  for (const auto& [code, kind, hint_part] :
       {Expectation{EACCES, ErrorKind::not_permitted, "root"}, Expectation{EPERM, ErrorKind::not_permitted, "root"},
        Expectation{EROFS, ErrorKind::not_permitted, "read-only"}, Expectation{ENOENT, ErrorKind::not_found, ""},
        Expectation{EEXIST, ErrorKind::conflict, ""}, Expectation{ENOSPC, ErrorKind::failed, "space"},
        Expectation{EIO, ErrorKind::failed, ""}}) {
    const Error error = error_of([number = code] { throw_errno("open /x", number); });
    EXPECT_EQ(error.kind(), kind) << code;
    EXPECT_THAT(error.message(), StartsWith("cannot open /x: "));
    EXPECT_THAT(error.hint(), HasSubstr(hint_part));
  }
}

TEST(ThrowErrno, SaysInWordsThatSomethingIsNotSupported) {
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

TEST(ThrowInterrupted, HasItsKind) {
  EXPECT_EQ(error_of(throw_interrupted).kind(), ErrorKind::interrupted);
}

TEST(Printable, TamesTextFromOutside) {
  EXPECT_EQ(printable("plain"), "plain");
  EXPECT_EQ(printable("a\x1b[31mb\n"), "a?[31mb?");
  EXPECT_EQ(printable("\xc3\xa9"), "??");
  EXPECT_EQ(printable("12345", 3), "123...");
}

}  // namespace
}  // namespace berth::base
