// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/package_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace berth::render {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using Labels = std::map<std::string, std::string>;

PackageDescription described(const Labels& labels, const std::string& architecture = "amd64") {
  return describe_package("web", labels, "registry.example/team/web:1", architecture, 1'700'000'000,
                          "a948904f2f0f479b");
}

TEST(PackageText, TakesItsFieldsFromTheLabels) {
  const auto package = described({{"summary", "a web server"},
                                  {"version", "2.4"},
                                  {"release", "3"},
                                  {"license", "MIT"},
                                  {"url", "https://example.org"},
                                  {"requires", "adduser"},
                                  {"provides", "httpd"},
                                  {"conflicts", "apache2"},
                                  {"description", "It serves.\n\nWell."}});
  EXPECT_EQ(deb_control(package, "berth <root@host>"),
            "Package: atomic-container-web\n"
            "Version: 2.4-3\n"
            "Architecture: amd64\n"
            "Maintainer: berth <root@host>\n"
            "Section: misc\n"
            "Priority: optional\n"
            "Depends: adduser\n"
            "Provides: httpd\n"
            "Conflicts: apache2\n"
            "Homepage: https://example.org\n"
            "Description: a web server\n"
            " It serves.\n"
            " .\n"
            " Well.\n"
            " Made from the image registry.example/team/web:1.\n");
}

TEST(PackageText, PrefersTheLabelsMeantForIt) {
  const auto package =
      described({{"version", "1"}, {"atomic.version", "2"}, {"summary", "a"}, {"atomic.summary", "b"}});
  EXPECT_EQ(package.version, "2");
  EXPECT_EQ(package.summary, "b");
}

TEST(PackageText, HasDefaultsForMissingLabels) {
  const auto package = described({}, "");
  EXPECT_EQ(package.version, "0.20231114.221320");
  EXPECT_EQ(package.release, "0.a948904f2f0f");
  const auto control = deb_control(package, "x");
  EXPECT_THAT(control, HasSubstr("Architecture: all\n"));
  EXPECT_THAT(control, HasSubstr("Description: host files of the system container web\n"));
  EXPECT_THAT(control, Not(HasSubstr("Depends")));
}

TEST(PackageText, MakesVersionsThatBothFormatsAccept) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"1.2-3", "1.2.3"}, {"v1", "0.v1"}, {"1:2", "1.2"}, {"1 2", "1.2"}, {"1~rc1+git", "1~rc1+git"}, {"ä", "0..."}};
  for (const auto& [text, version] : cases) {
    EXPECT_EQ(described({{"version", text}}).version, version) << text;
  }
}

TEST(PackageText, MakesNamesThatBothFormatsAccept) {
  EXPECT_EQ(package_name("web"), "atomic-container-web");
  EXPECT_EQ(package_name("Web_2.x"), "atomic-container-web-2.x");
}

TEST(PackageText, LabelsCannotAddFieldsOrMacros) {
  const auto package = described({{"summary", "x\nDepends: evil"},
                                  {"description", "ok\nPackage: other\n%pre\nrm -rf /\n%(touch /tmp/x)"},
                                  {"url", "%{lua: os.execute('x')}"},
                                  {"version", "%(id)"}});
  const auto control = deb_control(package, "x");
  EXPECT_THAT(control, HasSubstr("Description: x Depends: evil\n ok\n Package: other\n"));
  const auto spec = rpm_spec(package, {});
  const auto texts = spec.substr(spec.find("Name:"));
  EXPECT_THAT(texts, Not(HasSubstr("%pre")));
  EXPECT_THAT(texts, Not(HasSubstr("%(")));
  EXPECT_THAT(texts, Not(HasSubstr("%{")));
  EXPECT_THAT(texts, HasSubstr("URL:  percent{lua: os.execute"));
}

TEST(PackageText, ListsTheFilesForRpm) {
  const auto spec = rpm_spec(
      described({}), {{"/etc/web.conf", false, true}, {"/usr/lib/web", true, false}, {"/usr/lib/web/x", false, false}});
  EXPECT_THAT(spec, HasSubstr("%files\n%config(noreplace) /etc/web.conf\n%dir /usr/lib/web\n/usr/lib/web/x\n"));
  EXPECT_THAT(spec, HasSubstr("License: unknown\n"));
}

TEST(PackageText, RecommendsAPackage) {
  auto package = described({});
  package.recommendation = "crun";
  EXPECT_THAT(deb_control(package, "x"), HasSubstr("\nRecommends: crun\n"));
  EXPECT_THAT(rpm_spec(package, {}), HasSubstr("\nRecommends: crun\n"));
}

TEST(PackageText, ScriptsReloadSystemd) {
  const PackagedService service{"web.service", "web.conf", "/var/lib/containers/berth/web"};
  auto scripts = deb_scripts(service);
  EXPECT_EQ(scripts.size(), 3U);
  EXPECT_EQ(scripts["postinst"],
            "#!/bin/sh\nset -e\n"
            "if [ \"$1\" = configure ] && [ -d /run/systemd/system ]; then\n"
            "  systemctl daemon-reload\n"
            "  systemd-tmpfiles --create web.conf || true\n"
            "  if [ -n \"$2\" ] && [ ! -L /var/lib/containers/berth/web ]; then "
            "systemctl try-restart web.service || true; fi\n"
            "fi\n");
  EXPECT_THAT(scripts["prerm"], HasSubstr("if [ \"$1\" = remove ] && [ -d /run/systemd/system ]"));
  EXPECT_THAT(scripts["prerm"], HasSubstr("systemctl stop web.service"));
  const auto sections = rpm_scripts(service);
  EXPECT_THAT(sections, HasSubstr("\n%post\nif [ -d /run/systemd/system ]"));
  EXPECT_THAT(sections, HasSubstr("[ \"$1\" -gt 1 ]"));
  EXPECT_THAT(sections, HasSubstr("\n%preun\nif [ \"$1\" -eq 0 ]"));
  EXPECT_THAT(sections, HasSubstr("\n%postun\n"));
}

TEST(PackageText, HasNoScriptsWithoutAUnit) {
  EXPECT_TRUE(deb_scripts({}).empty());
  EXPECT_EQ(rpm_scripts({}), "");
}

TEST(PackageText, RefusesNamesThatRpmWouldInterpret) {
  for (const std::string path : {"/a b", "/a%b", "/a*", "/a\nb", "/a\"b", "/\xc3\xa4"}) {
    try {
      (void)rpm_spec(described({}), {{path, false, false}});
      ADD_FAILURE() << path;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::verification);
      EXPECT_THAT(error.hint(), HasSubstr("--system-package=no"));
    }
  }
}

TEST(PackageText, ConfigurationFilesOfDebianAreFilesBelowEtc) {
  EXPECT_EQ(deb_conffiles({{"/etc/a", false, true}, {"/etc/b", true, true}, {"/usr/c", false, false}}), "/etc/a\n");
  EXPECT_THROW((void)deb_conffiles({{"/usr/a\nb", false, false}}), base::Error);
}

}  // namespace
}  // namespace berth::render
