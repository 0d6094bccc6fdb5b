// SPDX-License-Identifier: LGPL-2.1-or-later
// Hostile images: names and paths of entries.
#include <fmt/format.h>

#include "store/hostile_image.hpp"
#include "store/raw_tar.hpp"
#include "store/tar_builder.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store

class HostileNames : public ::testing::TestWithParam<HostileImage> {};

TEST_P(HostileNames, AreRefusedOrKeptByteForByte) {
  expect_outcome(GetParam());
}

std::string named(const std::string& name, char type = '0') {
  return raw({.name = name, .type = type, .content = type == '0' ? "x" : ""}) + tar_end();
}

std::string pax_named(const std::string& name) {
  return pax({{"path", name}}) + raw({.name = "ustar-name", .content = "x"}) + tar_end();
}

/// A path of exactly `size` bytes in components of `component` bytes.
std::string path_of(std::size_t size, std::size_t component) {
  std::string path;
  while (path.size() < size) {
    path += path.size() % (component + 1) == component && path.size() + 1 < size ? '/' : 'p';
  }
  return path;
}

/// The listing of a file of one byte at `path` whose directories are implied.
std::vector<std::string> listing_of(const std::string& path) {
  std::vector<std::string> lines{path + ": file 0644 0:0 x"};
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    lines.push_back(path.substr(0, slash) + ": directory 0755 0:0");
  }
  return lines;
}

const std::string long_name(255, 'n');             // NOLINT(cert-err58-cpp): a table of a test
const std::string too_long(256, 'n');              // NOLINT(cert-err58-cpp)
const std::string much_too_long(300, 'n');         // NOLINT(cert-err58-cpp)
const std::string long_path = path_of(4000, 250);  // NOLINT(cert-err58-cpp)
const std::string nul_within("a\0/../../b", 10);   // NOLINT(cert-err58-cpp)

const std::vector<HostileImage> legal{
    // NOLINT(cert-err58-cpp)
    {"AbsoluteIsBelowTheRoot", stack(named("/etc/passwd")), "", listing_of("etc/passwd")},
    {"ManySlashesInFront", stack(named("//.//etc/passwd")), "", listing_of("etc/passwd")},
    {"TrailingSlashOfADirectory", stack(named("d///", '5')), "", {"d: directory 0644 0:0"}},
    {"TrailingSlashMakesADirectory",
     stack(raw({.name = "d/", .mode = "0000755"}) + tar_end()),
     "",
     {"d: directory 0755 0:0"}},
    {"DotIsTheRoot", stack(named("./", '5')), "", {}},
    {"Newline", stack(pax_named("a\nb")), "", {"a\nb: file 0644 0:0 x"}},
    {"OtherControls", stack(named("a\x1b[2J\tb\x7f")), "", {"a\x1b[2J\tb\x7f: file 0644 0:0 x"}},
    {"Backslashes", stack(named("..\\..\\etc\\passwd")), "", {"..\\..\\etc\\passwd: file 0644 0:0 x"}},
    {"TrailingDots", stack(named("a...")), "", {"a...: file 0644 0:0 x"}},
    {"ThreeDots", stack(named("...")), "", {"...: file 0644 0:0 x"}},
    {"DotDotSomething", stack(named("..a/b..")), "", listing_of("..a/b..")},
    {"Blanks", stack(named(" / ")), "", listing_of(" / ")},
    {"Dash", stack(named("--checkpoint-action=exec=sh")), "", {"--checkpoint-action=exec=sh: file 0644 0:0 x"}},
    {"Shell", stack(named("$(touch x);`y`'\"")), "", {"$(touch x);`y`'\": file 0644 0:0 x"}},
    {"RightToLeft", stack(named("a\u202egpj.exe")), "", {"a\u202egpj.exe: file 0644 0:0 x"}},
    {"Name255", stack(pax_named(long_name)), "", listing_of(long_name)},
    {"Name255Gnu", stack(gnu_long(long_name) + named("short")), "", listing_of(long_name)},
    {"Path4000", stack(pax_named(long_path)), "", listing_of(long_path)},
    {"Path4000Gnu", stack(gnu_long(long_path) + named("short")), "", listing_of(long_path)},
    {"Depth200", stack(pax_named(path_of(399, 1))), "", listing_of(path_of(399, 1))},
    {"UstarPrefix", stack(raw({.name = "passwd", .content = "x", .prefix = "/etc"}) + tar_end()), "",
     listing_of("etc/passwd")},
    {"PaxWinsOverUstar", stack(pax_named("a")), "", {"a: file 0644 0:0 x"}},
    {"PaxPathTwiceTheLastWins",
     stack(pax({{"path", "../first"}, {"path", "second"}}) + raw({.name = "u", .content = "x"}) + tar_end()),
     "",
     {"second: file 0644 0:0 x"}},
    {"LegacyNamesOfOldTar",
     stack(raw({.name = "d/", .type = '\0', .mode = "0000700", .dialect = TarDialect::old}) +
           raw({.name = "d/a", .type = '\0', .content = "x", .dialect = TarDialect::old}) + tar_end()),
     "",
     {"d: directory 0700 0:0", "d/a: file 0644 0:0 x"}},
    {"CaseMatters",
     stack(TarBuilder().file("A", "1").file("a", "2")),
     "",
     {"A: file 0644 0:0 1", "a: file 0644 0:0 2"}},
    {"ComposedAndDecomposed",
     stack(TarBuilder().file("\u00e9", "1").file("e\u0301", "2")),
     "",
     {"\u00e9: file 0644 0:0 1", "e\u0301: file 0644 0:0 2"}},
    {"MissingParents", stack(named("a/b/c")), "", listing_of("a/b/c")},
    {"NulEndsAUstarName", stack(named(std::string("a\0/../../b", 10))), "", {"a: file 0644 0:0 x"}},
    {"NulsBehindAGnuName", stack(gnu_long(std::string("a\0\0\0", 4)) + named("short")), "", {"a: file 0644 0:0 x"}},
    {"NulInAPaxValueThatIsNoName",
     stack(pax({{"SCHILY.xattr.user.x", std::string("a\0b", 3)}}) + named("a")),
     "",
     {"a: file 0644 0:0 x"}},
    {"NulInAGlobalPaxHeaderMeansNothing",
     stack(pax({{"path", nul_within}}, 'g') + named("a")),
     "",
     {"a: file 0644 0:0 x"}},
};

const std::vector<HostileImage> illegal{
    // NOLINT(cert-err58-cpp)
    {"DotDot", stack(named("..")), "'..' is not a valid component"},
    {"DotDotInFront", stack(named("../canary/secret")), "'..' is not a valid component"},
    {"DotDotWithin", stack(named("a/../../canary/secret")), "'..' is not a valid component"},
    {"DotDotAtTheEnd", stack(named("a/..", '5')), "'..' is not a valid component"},
    {"DotDotBehindASlash", stack(named("/../canary/secret")), "'..' is not a valid component"},
    {"DotDotBehindADot", stack(named("./../canary/secret")), "'..' is not a valid component"},
    {"DotDotStaysWithin", stack(named("a/b/../c")), "'..' is not a valid component"},
    {"DotDotInPax", stack(pax_named("../canary/secret")), "'..' is not a valid component"},
    {"DotDotInGnu", stack(gnu_long("../canary/secret") + named("a")), "'..' is not a valid component"},
    {"DotDotInUstarPrefix", stack(raw({.name = "secret", .content = "x", .prefix = "../canary"}) + tar_end()),
     "'..' is not a valid component"},
    {"DotDotInGnuSparse",
     stack(pax({{"GNU.sparse.name", "../canary/secret"}, {"path", "harmless"}}) + raw({.name = "a", .content = "x"}) +
           tar_end()),
     "'..' is not a valid component"},
    {"DotDotDirectory", stack(named("../canary/", '5')), "'..' is not a valid component"},
    {"DotDotLink", stack(raw({.name = "../canary/l", .type = '2', .link = "x"}) + tar_end()),
     "'..' is not a valid component"},
    {"DotDotHardLink", stack(named("a") + "", raw({.name = "../canary/l", .type = '1', .link = "a"}) + tar_end()),
     "'..' is not a valid component"},
    {"DotDotDevice", stack(named("../canary/null", '3')), "'..' is not a valid component"},
    {"DotDotWhiteout", stack(named("../canary/.wh.secret")), "'..' is not a valid component"},
    {"DotWithin", stack(named("a/./b")), "", listing_of("a/b")},
    {"EmptyWithin", stack(named("a//b")), "", listing_of("a/b")},
    {"EmptyName", stack(named("")), "it is empty"},
    {"TheRootAsAFile", stack(named(".")), "the root of the image is a file or link"},
    {"TheRootAsASlash", stack(raw({.name = "/", .type = '2', .link = "/etc"}) + tar_end()),
     "the root of the image is a file or link"},
    {"TheRootAsAHardLink", stack(raw({.name = "./", .type = '1', .link = "a"}) + tar_end()), "the root of the image"},
    {"Name256", stack(pax_named(too_long)), "a component has 256 bytes, the limit is 255"},
    {"Name300Gnu", stack(gnu_long(much_too_long) + named("short")), "a component has 300 bytes, the limit is 255"},
    {"Name300Directory", stack(pax_named("a/" + much_too_long + "/b")), "a component has 300 bytes"},
    {"Path4096", stack(pax_named(path_of(4096, 250))), "it has 4096 bytes, the limit is 4095"},
    {"Path4096Gnu", stack(gnu_long(path_of(4096, 250)) + named("short")), "it has 4096 bytes, the limit is 4095"},
    {"PathOfAMegabyte", stack(pax_named(path_of(1'000'000, 250))),
     "the first header: 'Rejecting pax extended attribute > 1MB'"},
    {"GnuNameOverAMegabyte", stack(gnu_long(std::string(2'000'000, 'n')) + named("short")), "Special header too large"},
    {"Depth513", stack(pax_named(path_of(1025, 1))), "it is nested deeper than 512 directories"},
    {"Latin1", stack(named("caf\xe9")), "'caf\\xe9': it is not UTF-8"},
    {"Latin1InPax", stack(pax_named("caf\xe9")), "'caf\\xe9': it is not UTF-8"},
    {"Latin1DeclaredBinary",
     stack(pax({{"hdrcharset", "BINARY"}, {"path", "caf\xe9"}}) + raw({.name = "a", .content = "x"}) + tar_end()),
     "it is not UTF-8"},
    {"OverlongSlash",
     stack(named("..\xc0\xaf..\xc0\xaf"
                 "etc")),
     "it is not UTF-8"},
    {"NulInPax", stack(pax_named(nul_within)), "the first header: the pax path 'a\\x00/../../b' contains a NUL byte"},
    {"NulInPaxBehindOthers",
     stack(named("z").substr(0, 1024) + pax({{"path", "harmless"}, {"comment", "x"}, {"path", nul_within}}) +
           named("a")),
     "the header after 'z': the pax path"},
    {"NulAtTheEndOfAPaxName", stack(pax_named(std::string("a\0", 2))), "the pax path 'a\\x00' contains a NUL byte"},
    {"NulInPaxLink", stack(pax({{"linkpath", nul_within}}) + raw({.name = "a", .type = '2', .link = "b"}) + tar_end()),
     "the pax linkpath 'a\\x00/../../b' contains a NUL byte"},
    {"NulInPaxHardLink",
     stack(named("a").substr(0, 1024) + pax({{"linkpath", std::string("a\0x", 3)}}) +
           raw({.name = "h", .type = '1', .link = "b"}) + tar_end()),
     "the pax linkpath 'a\\x00x' contains a NUL byte"},
    {"NulInGnuSparseName",
     stack(pax({{"GNU.sparse.name", nul_within}, {"GNU.sparse.map", "0,1"}, {"GNU.sparse.size", "1"}}) + named("a")),
     "the pax GNU.sparse.name 'a\\x00/../../b' contains a NUL byte"},
    {"NulInAPaxKey", stack(pax({{std::string("path\0x", 6), "b"}}) + named("a")),
     "the first header: 'Invalid pax extended attributes'"},
    {"NulInGnu", stack(gnu_long(nul_within) + named("short")),
     "the GNU long name 'a\\x00/../../b' contains a NUL byte"},
    {"NulInGnuLink",
     stack(gnu_long(nul_within, 'K') + raw({.name = "a", .type = '2', .link = "b", .dialect = TarDialect::gnu}) +
           tar_end()),
     "the GNU long link 'a\\x00/../../b' contains a NUL byte"},
    {"NulInGnuBehindPax", stack(pax({{"comment", "x"}}) + gnu_long(nul_within) + named("short")),
     "the GNU long name 'a\\x00/../../b' contains a NUL byte"},
    {"Surrogates", stack(named("a\xed\xa0\x80")), "it is not UTF-8"},
};

INSTANTIATE_TEST_SUITE_P(Legal, HostileNames, ::testing::ValuesIn(legal), test_name);
INSTANTIATE_TEST_SUITE_P(Illegal, HostileNames, ::testing::ValuesIn(illegal), test_name);

}  // namespace
}  // namespace berth::store
