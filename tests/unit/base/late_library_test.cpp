// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/late_library.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <string>

#include "base/error.hpp"

namespace berth::base {
namespace {

using ::testing::HasSubstr;

std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::failed);
    EXPECT_THAT(error.hint(), HasSubstr("package"));
    return error.message();
  }
  return "nothing was refused";
}

TEST(LateLibrary, FindsFunctions) {
  const LateLibrary library("libz.so.1");
  const char* (*version)() = library["zlibVersion"];
  EXPECT_EQ(*version(), '1');
}

TEST(LateLibrary, NamesTheMissingLibraryOrFunction) {
  EXPECT_THAT(refusal([] { LateLibrary("libnobody-has-it.so.7"); }),
              HasSubstr("cannot load libnobody-has-it.so.7: libnobody-has-it.so.7: cannot open shared object file"));
  EXPECT_THAT(refusal([] {
                const LateLibrary library("libz.so.1");
                static_cast<void>(library["no_such_function"]);
              }),
              HasSubstr("undefined symbol: no_such_function"));
}

/// The layout of elf(5), "Notes (Nhdr)": sizes, type, and the owner and the description, each padded to four bytes.
TEST(DlopenNote, IsAnElfNote) {
  constexpr auto note = dlopen_note("[{}]");
  static_assert(sizeof note == 3 * 4 + 4 + 8);
  EXPECT_EQ(note.name_size, sizeof note.name);
  EXPECT_EQ(note.description_size, 5U);
  EXPECT_EQ(note.type, 0x407c0c0aU);
  EXPECT_STREQ(note.name, "FDO");
  EXPECT_STREQ(note.description, "[{}]");
}

}  // namespace
}  // namespace berth::base
