// SPDX-License-Identifier: LGPL-2.1-or-later
// Hostile images: whiteouts, opaque markers, and one kind of file over another.
#include "store/hostile_image.hpp"
#include "store/raw_tar.hpp"
#include "store/tar_builder.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store

class HostileWhiteouts : public ::testing::TestWithParam<HostileImage> {};

TEST_P(HostileWhiteouts, HideOnlyTheNamedEntries) {
  expect_outcome(GetParam());
}

class TypeChanges : public ::testing::TestWithParam<HostileImage> {};

TEST_P(TypeChanges, ReplaceTheEarlierEntry) {
  expect_outcome(GetParam());
}

std::string empty_file(const std::string& name) {
  return raw({.name = name}) + tar_end();
}

/// d/a, d/b and top.
TarBuilder lower() {
  return TarBuilder().directory("d").file("d/a", "a").file("d/b", "b").file("top", "t");
}

const std::vector<HostileImage> whiteouts{
    // NOLINT(cert-err58-cpp): a table of a test
    {"OfNothing", stack(lower(), empty_file(".wh.")), "'.wh.' is not a valid whiteout"},
    {"OfTheDirectoryItself", stack(lower(), empty_file(".wh..")), "'.wh..' is not a valid whiteout"},
    {"OfTheDirectoryAbove", stack(lower(), empty_file(".wh...")), "'.wh...' is not a valid whiteout"},
    {"OfNothingDeep", stack(lower(), empty_file("d/.wh.")), "'.wh.' is not a valid whiteout"},
    {"OfTheDirectoryAboveDeep", stack(lower(), empty_file("d/x/.wh...")), "'.wh...' is not a valid whiteout"},
    {"OfTheDirectoryAboveAsAParent", stack(lower(), empty_file(".wh.../x")), "'.wh...' is not a valid whiteout"},
    {"OfTheDirectoryAboveAsADirectory", stack(raw({.name = ".wh.../", .type = '5'}) + tar_end()),
     "'.wh...' is not a valid whiteout"},
    {"OfTheDirectoryAboveAsADevice", stack(raw({.name = ".wh...", .type = '3'}) + tar_end()),
     "'.wh...' is not a valid whiteout"},
    {"OfTheDirectoryAboveAsALink", stack(raw({.name = ".wh...", .type = '2', .link = "x"}) + tar_end()),
     "'.wh...' is not a valid whiteout"},
    {"OfThreeDots",
     stack(TarBuilder().file("...", "x").file("a", "1"), empty_file(".wh....")),
     "",
     {"a: file 0644 0:0 1"}},
    {"AtTheTop",
     stack(lower(), empty_file(".wh.top")),
     "",
     {"d: directory 0755 0:0", "d/a: file 0644 0:0 a", "d/b: file 0644 0:0 b"}},
    {"Deep",
     stack(lower(), empty_file("d/.wh.a")),
     "",
     {"d: directory 0755 0:0", "d/b: file 0644 0:0 b", "top: file 0644 0:0 t"}},
    {"OfADirectory", stack(lower(), empty_file(".wh.d")), "", {"top: file 0644 0:0 t"}},
    {"OfWhatIsNotThere",
     stack(empty_file(".wh.x"), empty_file("d/e/.wh.y")),
     "",
     {"d: directory 0755 0:0", "d/e: directory 0755 0:0"}},
    {"OfALongName",
     stack(TarBuilder().directory("d").file("d/" + std::string(253, 'n'), "x"),
           TarBuilder().file("d/.wh." + std::string(253, 'n'), "")),
     "",
     {"d: directory 0755 0:0"}},
    {"OfADirectoryAndOfWhatIsInIt",
     stack(lower(), empty_file(".wh.d").substr(0, 512) + empty_file("d/.wh.a")),
     "",
     {"top: file 0644 0:0 t"}},
    {"OfAWhiteout",
     stack(lower(), empty_file(".wh.top"), empty_file(".wh..wh.top")),
     "",
     {"d: directory 0755 0:0", "d/a: file 0644 0:0 a", "d/b: file 0644 0:0 b"}},
    {"OfALink",
     stack(TarBuilder().link("l", "../canary").file("a", "1"), empty_file(".wh.l")),
     "",
     {"a: file 0644 0:0 1"}},
    {"BelowALinkOfALowerLayer",
     stack(TarBuilder().link("l", "../canary"), empty_file("l/.wh.secret")),
     "",
     {"l: directory 0755 0:0"}},
    {"BelowALinkToWithinOfALowerLayer",
     stack(lower().link("l", "d"), empty_file("l/.wh.a")),
     "",
     {"d: directory 0755 0:0", "d/a: file 0644 0:0 a", "d/b: file 0644 0:0 b", "l: directory 0755 0:0",
      "top: file 0644 0:0 t"}},
    {"OfTheFileOfTheSameLayerBefore",
     stack(lower(), TarBuilder().file("top", "new").file(".wh.top", "")),
     "",
     {"d: directory 0755 0:0", "d/a: file 0644 0:0 a", "d/b: file 0644 0:0 b", "top: file 0644 0:0 new"}},
    {"OfTheFileOfTheSameLayerBehind",
     stack(lower(), TarBuilder().file(".wh.top", "").file("top", "new")),
     "",
     {"d: directory 0755 0:0", "d/a: file 0644 0:0 a", "d/b: file 0644 0:0 b", "top: file 0644 0:0 new"}},
    {"OfADirectoryThatIsMadeAgain",
     stack(lower(), TarBuilder().file("d/c", "c").file(".wh.d", "").file(".wh.top", "")),
     "",
     {"d: directory 0755 0:0", "d/c: file 0644 0:0 c"}},
    {"WithContent",
     stack(lower(), TarBuilder().file(".wh.d", "this is not empty", {5, 6, 04777, {}})),
     "",
     {"top: file 0644 0:0 t"}},
    {"AsADirectory", stack(lower(), TarBuilder().directory(".wh.d")), "", {"top: file 0644 0:0 t"}},
    {"AsADirectoryWithFiles", stack(lower(), TarBuilder().file(".wh.d/x", "1")), "", {"top: file 0644 0:0 t"}},
    {"AsALink", stack(lower(), TarBuilder().link(".wh.d", "../canary")), "", {"top: file 0644 0:0 t"}},
    {"AsAHardLink",
     stack(lower(), TarBuilder().file("f", "x").hard_link(".wh.d", "f")),
     "",
     {"f: file 0644 0:0 x", "top: file 0644 0:0 t"}},
    {"AsADevice", stack(lower(), TarBuilder().device(".wh.d")), "", {"top: file 0644 0:0 t"}},
    {"OfAufsAreNoPart",
     stack(lower(), TarBuilder().directory(".wh..wh.plnk").file(".wh..wh.plnk/1.2", "x").file(".wh..wh.aufs", "")),
     "",
     {"d: directory 0755 0:0", "d/a: file 0644 0:0 a", "d/b: file 0644 0:0 b", "top: file 0644 0:0 t"}},
    {"InTheLowestLayer",
     stack(TarBuilder().file(".wh.etc", "").file(".wh..wh..opq", "").file("a", "1")),
     "",
     {"a: file 0644 0:0 1"}},
    {"DeviceOfOverlayfs",
     stack(lower(), raw({.name = "top", .type = '3'}) + tar_end()),
     "",
     {"d: directory 0755 0:0", "d/a: file 0644 0:0 a", "d/b: file 0644 0:0 b"}},
};

const std::vector<HostileImage> opaque_markers{
    // NOLINT(cert-err58-cpp)
    {"BeforeItsSiblings",
     stack(lower(), TarBuilder().file("d/.wh..wh..opq", "").file("d/c", "c")),
     "",
     {"d: directory 0755 0:0", "d/c: file 0644 0:0 c", "top: file 0644 0:0 t"}},
    {"BehindItsSiblings",
     stack(lower(), TarBuilder().file("d/c", "c").file("d/.wh..wh..opq", "")),
     "",
     {"d: directory 0755 0:0", "d/c: file 0644 0:0 c", "top: file 0644 0:0 t"}},
    {"BetweenItsSiblings",
     stack(lower(), TarBuilder().file("d/b", "new").file("d/.wh..wh..opq", "").file("d/c", "c")),
     "",
     {"d: directory 0755 0:0", "d/b: file 0644 0:0 new", "d/c: file 0644 0:0 c", "top: file 0644 0:0 t"}},
    {"AtTheTop", stack(lower(), TarBuilder().file("x", "1").file(".wh..wh..opq", "")), "", {"x: file 0644 0:0 1"}},
    {"AsADirectory", stack(lower(), TarBuilder().directory("d/.wh..wh..opq").file("d/.wh..wh..opq/x", "1")),
     "goes through '.wh..wh..opq'"},
    {"AsALink",
     stack(lower(), TarBuilder().link("d/.wh..wh..opq", "../../canary")),
     "",
     {"d: directory 0755 0:0", "top: file 0644 0:0 t"}},
    {"BelowALinkOfALowerLayer",
     stack(lower().link("l", "../canary"), empty_file("l/.wh..wh..opq")),
     "",
     {"d: directory 0755 0:0", "d/a: file 0644 0:0 a", "d/b: file 0644 0:0 b", "l: directory 0755 0:0",
      "top: file 0644 0:0 t"}},
    {"BelowALinkToWithinOfALowerLayer",
     stack(lower().link("l", "d"), empty_file("l/.wh..wh..opq")),
     "",
     {"d: directory 0755 0:0", "d/a: file 0644 0:0 a", "d/b: file 0644 0:0 b", "l: directory 0755 0:0",
      "top: file 0644 0:0 t"}},
};

const std::vector<HostileImage> same_layer{
    // NOLINT(cert-err58-cpp)
    {"FileOverDirectory",
     stack(TarBuilder().directory("x").file("x/y", "1").file("x", "2")),
     "",
     {"x: file 0644 0:0 2"}},
    {"DirectoryOverFile",
     stack(TarBuilder().file("x", "1").directory("x").file("x/y", "2")),
     "",
     {"x: directory 0755 0:0", "x/y: file 0644 0:0 2"}},
    {"LinkOverDirectory",
     stack(TarBuilder().directory("x").file("x/y", "1").link("x", "../canary")),
     "",
     {"x: link ../canary"}},
    {"LinkOverDirectoryThenThrough", stack(TarBuilder().directory("x").link("x", "../canary").file("x/secret", "1")),
     "goes through 'x'"},
    {"FileThenBelowIt", stack(TarBuilder().file("x", "1").file("x/y", "2")), "goes through 'x'"},
    {"DeviceOverDirectory", stack(TarBuilder().directory("x").file("x/y", "1").device("x")), "", {}},
    {"DeviceThenBelowIt",
     stack(TarBuilder().device("x").file("x/y", "2")),
     "",
     {"x: directory 0755 0:0", "x/y: file 0644 0:0 2"}},
    {"DuplicateFile", stack(TarBuilder().file("x", "1").file("x", "2", {1, 1, 0600, {}})), "", {"x: file 0600 1:1 2"}},
    {"DuplicateDirectoryKeepsItsFiles",
     stack(TarBuilder().directory("x").file("x/y", "1").directory("x", {3, 4, 0711, {}})),
     "",
     {"x: directory 0711 3:4", "x/y: file 0644 0:0 1"}},
    {"DuplicateByAnotherSpelling",
     stack(TarBuilder().file("./x", "1").file("/x", "2").directory("d/").directory("./d/.", {3, 4, 0711, {}})),
     "",
     {"d: directory 0711 3:4", "x: file 0644 0:0 2"}},
};

const std::vector<HostileImage> next_layer{
    // NOLINT(cert-err58-cpp)
    {"FileOverDirectory",
     stack(lower(), TarBuilder().file("d", "f")),
     "",
     {"d: file 0644 0:0 f", "top: file 0644 0:0 t"}},
    {"DirectoryOverFile",
     stack(lower(), TarBuilder().directory("top").file("top/x", "1")),
     "",
     {"d: directory 0755 0:0", "d/a: file 0644 0:0 a", "d/b: file 0644 0:0 b", "top: directory 0755 0:0",
      "top/x: file 0644 0:0 1"}},
    {"LinkOverDirectory",
     stack(lower(), TarBuilder().link("d", "../canary")),
     "",
     {"d: link ../canary", "top: file 0644 0:0 t"}},
    {"DirectoryOverLink",
     stack(TarBuilder().link("x", "../canary"), TarBuilder().directory("x", {1, 2, 0711, {}})),
     "",
     {"x: directory 0711 1:2"}},
    {"DeviceOverDirectory", stack(lower(), TarBuilder().device("d")), "", {"top: file 0644 0:0 t"}},
    {"DirectoryOverDirectoryMerges",
     stack(lower(), TarBuilder().directory("d", {1, 2, 0711, {}}).file("d/c", "c")),
     "",
     {"d: directory 0711 1:2", "d/a: file 0644 0:0 a", "d/b: file 0644 0:0 b", "d/c: file 0644 0:0 c",
      "top: file 0644 0:0 t"}},
    {"ImpliedDirectoryKeepsTheOwner",
     stack(TarBuilder().directory("d", {1, 2, 0700, {}}), TarBuilder().file("d/c", "c")),
     "",
     {"d: directory 0700 1:2", "d/c: file 0644 0:0 c"}},
    {"ToAFileAndBackForgetsTheDirectory",
     stack(lower(), TarBuilder().file("d", "f"), TarBuilder().file("d/new", "1")),
     "",
     {"d: directory 0755 0:0", "d/new: file 0644 0:0 1", "top: file 0644 0:0 t"}},
};

INSTANTIATE_TEST_SUITE_P(Plain, HostileWhiteouts, ::testing::ValuesIn(whiteouts), test_name);
INSTANTIATE_TEST_SUITE_P(Opaque, HostileWhiteouts, ::testing::ValuesIn(opaque_markers), test_name);
INSTANTIATE_TEST_SUITE_P(SameLayer, TypeChanges, ::testing::ValuesIn(same_layer), test_name);
INSTANTIATE_TEST_SUITE_P(NextLayer, TypeChanges, ::testing::ValuesIn(next_layer), test_name);

}  // namespace
}  // namespace berth::store
