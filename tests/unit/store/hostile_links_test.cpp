// SPDX-License-Identifier: LGPL-2.1-or-later
// Hostile images: symbolic and hard links, and paths through them.
#include "store/hostile_image.hpp"
#include "store/raw_tar.hpp"
#include "store/tar_builder.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store

class HostileLinks : public ::testing::TestWithParam<HostileImage> {};

TEST_P(HostileLinks, AreRefusedOrStayInsideTheImage) {
  expect_outcome(GetParam());
}

std::string hard(const std::string& name, const std::string& target) {
  return raw({.name = name, .type = '1', .link = target}) + tar_end();
}

std::string symbolic(const std::string& name, const std::string& target) {
  return raw({.name = name, .type = '2', .link = target}) + tar_end();
}

/// A layer that depends on the path of the canary, and optional further layers.
template <typename Build>
std::function<Layers(const std::string&)> with_canary(Build build) {
  return [build](const std::string& canary) { return Layers(build(canary)); };
}

const std::vector<HostileImage> symbolic_links{
    // NOLINT(cert-err58-cpp): a table of a test
    {"ToTheHost",
     with_canary([](const std::string& canary) {
       return Layers{TarBuilder().link("a", canary).link("b", "../canary/secret").link("c", "/etc/passwd")};
     }),
     "",
     {"a: link @canary@", "b: link ../canary/secret", "c: link /etc/passwd"}},
    {"ToNothingAndToItself",
     stack(TarBuilder().link("a", "a").link("b", "c").link("c", "b").link("d", "no/such/file")),
     "",
     {"a: link a", "b: link c", "c: link b", "d: link no/such/file"}},
    {"OddTargets",
     stack(TarBuilder().link("a", "x\ny").link("b", ".wh.x").link("c", std::string(4095, 't'))),
     "",
     {"a: link x\ny", "b: link .wh.x", "c: link " + std::string(4095, 't')}},
    {"TargetOf4096Bytes", stack(TarBuilder().link("a", std::string(4096, 't'))), "over 4095 bytes"},
    {"TargetEmpty", stack(symbolic("a", "")), "the symbolic link 'a' has the target ''"},
    {"TargetNotUtf8", stack(symbolic("a", "caf\xe9")), "not UTF-8"},
    {"FileThrough", with_canary([](const std::string& canary) {
       return Layers{TarBuilder().link("a", canary).file("a/secret", "x")};
     }),
     "goes through 'a'"},
    {"FileThroughARelativeOne", stack(TarBuilder().link("a", "../canary").file("a/secret", "x")), "goes through 'a'"},
    {"FileThroughADeepOne", stack(TarBuilder().directory("d").link("d/a", "../../canary").file("d/a/etc/passwd", "x")),
     "goes through 'a'"},
    {"FileThroughTwo", stack(TarBuilder().link("a", "b").link("b", "../canary").file("a/secret", "x")),
     "goes through 'a'"},
    {"DirectoryThrough", stack(TarBuilder().link("a", "../canary").directory("a/etc")), "goes through 'a'"},
    {"LinkThrough", stack(TarBuilder().link("a", "../canary").link("a/secret", "x")), "goes through 'a'"},
    {"WhiteoutThroughMeansNothing",
     stack(TarBuilder().directory("a").file("a/x", "1"), TarBuilder().link("a", "../canary").file("a/.wh.secret", "")),
     "",
     {"a: link ../canary"}},
    {"WhiteoutThroughOneToWithinMeansNothing",
     stack(TarBuilder().file("a/x", "1").file("real/x", "2"), TarBuilder().link("a", "real").file("a/.wh.x", "")),
     "",
     {"a: link real", "real: directory 0755 0:0", "real/x: file 0644 0:0 2"}},
    {"OpaqueMarkerThroughMeansNothing",
     stack(TarBuilder().file("real/x", "2"), TarBuilder().link("a", "real").file("a/.wh..wh..opq", "")),
     "",
     {"a: link real", "real: directory 0755 0:0", "real/x: file 0644 0:0 2"}},
    {"HardLinkThrough", stack(TarBuilder().file("f", "x").link("a", "../canary").hard_link("a/secret", "f")),
     "goes through 'a'"},
    {"DeviceThrough", stack(TarBuilder().link("a", "../canary").device("a/secret")), "goes through 'a'"},
    {"FileThroughOneToWithin",
     stack(TarBuilder().directory("real").link("a", "real").file("a/f", "x")),
     "",
     {"a: link real", "real: directory 0755 0:0", "real/f: file 0644 0:0 x"}},
    {"FileOverOne",
     with_canary([](const std::string& canary) {
       return Layers{TarBuilder().link("a", canary + "/secret").file("a", "mine")};
     }),
     "",
     {"a: file 0644 0:0 mine"}},
    {"DirectoryOverOne",
     stack(TarBuilder().link("a", "../canary").directory("a").file("a/secret", "mine")),
     "",
     {"a: directory 0755 0:0", "a/secret: file 0644 0:0 mine"}},
    {"FileThroughOneOfALowerLayer",
     with_canary([](const std::string& canary) {
       return Layers{TarBuilder().link("a", canary), TarBuilder().file("a/secret", "mine")};
     }),
     "",
     {"a: directory 0755 0:0", "a/secret: file 0644 0:0 mine"}},
    {"FileOverOneOfALowerLayer",
     with_canary([](const std::string& canary) {
       return Layers{TarBuilder().link("a", canary + "/secret"), TarBuilder().file("a", "mine")};
     }),
     "",
     {"a: file 0644 0:0 mine"}},
    {"DirectoryThroughOneOfALowerLayer",
     stack(TarBuilder().link("a", "../canary"), TarBuilder().directory("a/etc", {0, 0, 0777, {}})),
     "",
     {"a: directory 0755 0:0", "a/etc: directory 0777 0:0"}},
    {"DirectoryOverOneOfALowerLayer",
     stack(TarBuilder().link("a", "../canary"), TarBuilder().directory("a", {0, 0, 0777, {}})),
     "",
     {"a: directory 0777 0:0"}},
    {"LinkSwappedForADirectoryAndBack",
     stack(TarBuilder().link("a", "../canary"), TarBuilder().file("a/x", "1"), TarBuilder().link("a", "../canary"),
           TarBuilder().file("a/secret", "2")),
     "",
     {"a: directory 0755 0:0", "a/secret: file 0644 0:0 2"}},
    {"ParentOfTheCheckoutInTheNextLayer",
     stack(TarBuilder().link("a", ".."), TarBuilder().directory("a/canary").file("a/canary/secret", "mine")),
     "",
     {"a: directory 0755 0:0", "a/canary: directory 0755 0:0", "a/canary/secret: file 0644 0:0 mine"}},
};

const std::vector<HostileImage> hard_links{
    // NOLINT(cert-err58-cpp)
    {"ToOutside", stack(hard("a", "../canary/secret")), "'..' is not a valid component"},
    {"ToOutsideBehindASlash", stack(hard("a", "/../canary/secret")), "'..' is not a valid component"},
    {"ToOutsideInPax",
     stack(pax({{"linkpath", "../canary/secret"}}) + raw({.name = "a", .type = '1', .link = "b"}) + tar_end()),
     "'..' is not a valid component"},
    {"ToOutsideInGnu",
     stack(gnu_long("../canary/secret", 'K') +
           raw({.name = "a", .type = '1', .link = "b", .dialect = TarDialect::gnu}) + tar_end()),
     "'..' is not a valid component"},
    {"ToAnAbsoluteName",
     with_canary([](const std::string& canary) { return Layers{TarBuilder().hard_link("a", canary + "/secret")}; }),
     "which is not a file of this layer or of a lower one"},
    {"ToAnAbsoluteNameWithin",
     stack(TarBuilder().file("etc/f", "x").hard_link("a", "/etc/f")),
     "",
     {"a: file 0644 0:0 x", "etc: directory 0755 0:0", "etc/f: file 0644 0:0 x"}},
    {"ToTheHostsPasswd", stack(hard("a", "/etc/passwd")), "which is not a file of this layer or of a lower one"},
    {"ToNothing", stack(hard("a", "missing")), "which is not a file of this layer or of a lower one"},
    {"ToItself", stack(hard("a", "a")), "which is not a file of this layer or of a lower one"},
    {"ToEachOther", stack(raw({.name = "a", .type = '1', .link = "b"}) + hard("b", "a")),
     "which is not a file of this layer or of a lower one"},
    {"ToADirectory", stack(TarBuilder().directory("d").hard_link("a", "d")), "has the directory 'd' as its target"},
    {"ToADirectoryBelow", stack(TarBuilder().directory("d"), TarBuilder().hard_link("a", "d")),
     "which is not a file of this layer or of a lower one"},
    {"ToTheRoot", stack(hard("a", "/")), "involves the root of the image"},
    {"ToEmpty", stack(hard("a", "")), "is a hard link without a target"},
    {"ToAWhiteoutName", stack(TarBuilder().file("x", "1"), hard("a", ".wh.x")),
     "which is not a file of this layer or of a lower one"},
    {"ToALink",
     with_canary([](const std::string& canary) {
       return Layers{TarBuilder().link("l", canary + "/secret").hard_link("a", "l")};
     }),
     "",
     {"a: link @canary@/secret", "l: link @canary@/secret"}},
    {"ToALinkBelow",
     with_canary([](const std::string& canary) {
       return Layers{TarBuilder().link("l", canary + "/secret"), TarBuilder().hard_link("a", "l")};
     }),
     "",
     {"a: link @canary@/secret", "l: link @canary@/secret"}},
    {"ThroughALink", stack(TarBuilder().link("l", "../canary").hard_link("a", "l/secret")), "the hard link 'a'"},
    {"ThroughALinkBelow", stack(TarBuilder().link("l", "../canary"), TarBuilder().hard_link("a", "l/secret")),
     "which is not a file of this layer or of a lower one"},
    {"ThroughALinkOverADirectoryBelow",
     stack(TarBuilder().file("l/secret", "lower"), TarBuilder().link("l", "../canary").hard_link("a", "l/secret")),
     "the hard link 'a'"},
    {"AcrossLayers",
     stack(TarBuilder().file("f", "x", {1, 2, 04755, {}}), TarBuilder().hard_link("d/a", "f")),
     "",
     {"d: directory 0755 0:0", "d/a: file 4755 1:2 x", "f: file 4755 1:2 x"}},
    {"ToAFileThatTheLayerRemoves",
     stack(TarBuilder().file("f", "x"), TarBuilder().hard_link("a", "f").file(".wh.f", "")),
     "",
     {"a: file 0644 0:0 x"}},
    {"OverADirectoryBelow",
     stack(TarBuilder().file("f", "x").file("d/y", "1"), TarBuilder().hard_link("d", "f")),
     "",
     {"d: file 0644 0:0 x", "f: file 0644 0:0 x"}},
    {"ToAFileReplacedLater",
     stack(TarBuilder().file("f", "old").hard_link("a", "f").file("f", "new")),
     "",
     {"a: file 0644 0:0 old", "f: file 0644 0:0 new"}},
    {"ToADevice", stack(TarBuilder().device("null").hard_link("a", "null")),
     "which is not a file of this layer or of a lower one"},
    {"InAWhiteoutDirectory", stack(TarBuilder().file("f", "x").hard_link(".wh.d/a", "f")), "", {"f: file 0644 0:0 x"}},
    {"WithData",
     stack(pax({{"comment", "pax"}}) + raw({.name = "f", .content = "one"}) +
           raw({.name = "a", .type = '1', .content = "two", .link = "f"}) + raw({.name = "z", .content = "z"}) +
           tar_end()),
     "it is not a tar archive: 'Unrecognized archive format'"},  // the data is read as a header
};

INSTANTIATE_TEST_SUITE_P(Symbolic, HostileLinks, ::testing::ValuesIn(symbolic_links), test_name);
INSTANTIATE_TEST_SUITE_P(Hard, HostileLinks, ::testing::ValuesIn(hard_links), test_name);

}  // namespace
}  // namespace berth::store
