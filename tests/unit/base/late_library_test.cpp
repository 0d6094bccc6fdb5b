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

TEST(LateLibrary, SaysWhatIsMissing) {
  EXPECT_THAT(refusal([] { LateLibrary("libnobody-has-it.so.7"); }),
              HasSubstr("cannot load libnobody-has-it.so.7: libnobody-has-it.so.7: cannot open shared object file"));
  EXPECT_THAT(refusal([] {
                const LateLibrary library("libz.so.1");
                static_cast<void>(library["no_such_function"]);
              }),
              HasSubstr("undefined symbol: no_such_function"));
}

}  // namespace
}  // namespace berth::base
