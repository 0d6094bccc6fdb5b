// lint, render and init.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/temp_directory.hpp"
#include "ops/author/init.hpp"
#include "ops/author/lint.hpp"
#include "ops/author/render.hpp"
#include "ops/images/pull.hpp"
#include "ops/machine.hpp"
#include "ops/tree.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::Finding;
using base::Severity;
using base::test::error_of;
using test::full_image;
using test::Machine;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* unit =
    "[Unit]\nDescription=Test $NAME\n[Service]\nType=forking\nPIDFile=$PIDFILE\nExecStart=$EXEC_START\n"
    "ExecStop=$EXEC_STOP\nExecStopPost=$EXEC_STOPPOST\nWorkingDirectory=$DESTDIR\n[Install]\n"
    "WantedBy=multi-user.target\n";

constexpr const char* config =
    "{\"ociVersion\": \"1.0.2\",\n\"root\": {\"path\": \"rootfs\", \"readonly\": true},\n"
    "\"process\": {\"args\": [\"/bin/server\", \"$PORT\"], \"cwd\": \"/\", \"user\": {\"uid\": 0, \"gid\": 0}},\n"
    "\"linux\": {\"namespaces\": [{\"type\": \"mount\"}, {\"type\": \"pid\"}, {\"type\": \"network\"}, {\"type\": "
    "\"ipc\"}, {\"type\": \"uts\"}]}}\n";

constexpr const char* manifest =
    "{\"version\": \"1.0\", \"defaultValues\": {\"PORT\": \"80\"}, \"healthCheck\": {\"command\": \"true\"}}\n";

std::vector<std::string> codes(const LintReport& report) {
  std::vector<std::string> result;
  for (const auto& finding : report.findings) {
    result.push_back(finding.code);
  }
  return result;
}

/// Codes of what is worse than a note.
std::vector<std::string> complaints(const LintReport& report) {
  std::vector<std::string> result;
  for (const auto& finding : report.findings) {
    if (finding.severity != Severity::note) {
      result.push_back(finding.code + ": " + finding.message);
    }
  }
  return result;
}

class Author : public ::testing::Test {
 protected:
  Author() {
    put("config.json.template", config);
    put("service.template", unit);
    put("manifest.json", manifest);
    std::ofstream(machine_.directory / "data/exports-templates/service.template") << unit;
  }
  void put(const std::string& name, const std::string& text) {
    const std::filesystem::path path = directory_ / ("web/exports/" + name);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  LintReport lint_of(const std::string& target, const std::vector<std::string>& set = {}) {
    auto context = machine_.context();
    LintRequest request;
    request.preview.target = target;
    request.set = set;
    return lint(context, request);
  }
  LintReport lint_directory() { return lint_of(directory_ / "web/exports"); }
  std::vector<RenderedFile> render_of(const std::string& target, const std::vector<std::string>& set = {}) {
    auto context = machine_.context();
    RenderRequest request;
    request.preview.target = target;
    request.set = set;
    return render(context, request);
  }
  std::vector<std::string> init_of(const std::string& directory, const std::string& from = "") {
    auto context = machine_.context();
    InitRequest request;
    request.directory = directory;
    request.from.target = from;
    return init(context, request);
  }

  Machine machine_;
  base::test::TempDirectory directory_;
};

TEST_F(Author, GoodTemplatesGiveNoFinding) {
  const auto report = lint_directory();
  EXPECT_THAT(codes(report), IsEmpty());
  EXPECT_EQ(report.directory, directory_ / "web/exports");
}

TEST_F(Author, ADirectoryThatHoldsExportsMeansThem) {
  EXPECT_EQ(lint_of(directory_ / "web/").directory, directory_ / "web/exports");
}

TEST_F(Author, ARootFileSystemIsLookedAtForTheProgramAndForHelp) {
  std::filesystem::create_directories(directory_ / "web/bin");
  EXPECT_THAT(codes(lint_of(directory_ / "web")), ElementsAre("no-such-program", "no-help"));
  std::ofstream(directory_ / "web/bin/server") << "x";
  std::ofstream(directory_ / "web/help.1") << "x";
  EXPECT_THAT(codes(lint_of(directory_ / "web")), IsEmpty());
}

TEST_F(Author, WhatSystemdSaysAboutTheUnitHasItsLine) {
  put("service.template", std::string(unit) + "\n[Service]\nRetart=always\nRestart=sometimes\nNonsense\n");
  const auto report = lint_directory();
  ASSERT_THAT(codes(report), ElementsAre("unit", "unit", "unit"));
  EXPECT_EQ(report.findings[0].line, 14U);
  EXPECT_THAT(report.findings[0].message, HasSubstr("Retart"));
  EXPECT_EQ(report.findings[1].line, 15U);
  EXPECT_EQ(report.findings[2].line, 16U);
  EXPECT_EQ(report.findings[2].severity, Severity::warning);
}

TEST_F(Author, AUnitThatSystemdWouldNotLoadIsAnError) {
  put("service.template", std::string(unit) + "[Service]\nExecStartPre=relative/path\n");
  const auto report = lint_directory();
  ASSERT_THAT(codes(report), ElementsAre("unit", "privilege-over-host", "unit"));
  EXPECT_EQ(report.findings[0].severity, Severity::error);
  EXPECT_EQ(report.findings[2].line, 13U);
}

TEST_F(Author, EveryPartThatCannotBeUsedIsToldWithItsPlace) {
  put("manifest.json", "{\n\"version\": 1,,\n}");
  std::filesystem::remove(directory_ / "web/exports/service.template");
  std::filesystem::create_symlink("/etc/passwd", directory_ / "web/exports/service.template");
  put("tmpfiles.template", "d /run/$\n");
  const auto report = lint_directory();
  ASSERT_THAT(codes(report), ElementsAre("no-default", "refused", "refused", "template"));
  EXPECT_EQ(report.findings[0].file, "exports/config.json.template");
  EXPECT_EQ(report.findings[1].file, "exports/manifest.json");
  EXPECT_EQ(report.findings[1].line, 2U);
  EXPECT_EQ(report.findings[2].file, "exports/service.template");
  EXPECT_EQ(report.findings[3].line, 1U);
}

TEST_F(Author, WhatAnInstallWouldRefuseIsAnError) {
  put("config.json.template",
      "{\"ociVersion\": \"1.0.2\", \"root\": {\"path\": \"rootfs\"}, \"process\": {\"args\": "
      "[\"$PORT\"], \"cwd\": \"/\"}}");
  const auto report = lint_directory();
  ASSERT_THAT(codes(report), ElementsAre("refused"));
  EXPECT_EQ(report.findings[0].file, "exports/config.json.template");
  EXPECT_THAT(report.findings[0].message, HasSubstr("root"));
  EXPECT_THAT(report.findings[0].hint, HasSubstr("readonly"));
}

TEST_F(Author, TmpfilesLinesAreCheckedWhenRendered) {
  put("tmpfiles.template", "d ${STATE_DIRECTORY}/$NAME 0700\nk $RUN_DIRECTORY/x\n");
  const auto report = lint_directory();
  ASSERT_THAT(codes(report), Contains("tmpfiles-syntax"));
  EXPECT_EQ(report.findings.back().line, 2U);
}

TEST_F(Author, KeysThatNobodyKnowsAreWarnedAbout) {
  put("manifest.json", R"({"version": "1.0", "defaultValues": {"PORT": "80"}, "healthcheck": {}})");
  EXPECT_THAT(codes(lint_directory()), ElementsAre("manifest", "no-health-check"));
}

TEST_F(Author, ASetValueCountsAsTheUsers) {
  put("manifest.json", R"({"version": "1.0", "healthCheck": {"command": "true"}})");
  EXPECT_THAT(codes(lint_directory()), ElementsAre("no-default"));
  EXPECT_THAT(codes(lint_of(directory_ / "web/exports", {"PORT=1"})), IsEmpty());
  EXPECT_EQ(error_of([&] { lint_of(directory_ / "web/exports", {"NAME=x"}); }).kind(), ErrorKind::usage);
}

TEST_F(Author, AnImageIsFetchedLookedAtAndForgotten) {
  const auto report = lint_of(machine_.image("web", full_image()));
  EXPECT_EQ(report.directory, "exports");
  EXPECT_THAT(codes(report), Contains("privilege-over-host"));  // a setuid program in hostfs
  EXPECT_THAT(codes(report), Contains("no-type-label"));
  EXPECT_FALSE(machine_.exists("var/lib/containers"));
}

TEST_F(Author, AStoredImageIsLookedAtWhereItIs) {
  auto context = machine_.context();
  PullRequest pulled;
  pulled.image = machine_.image("web", full_image());
  const auto name = pull(context, pulled).image.name;
  std::filesystem::remove_all(machine_.directory / "web");
  const auto before = test::tree_text(machine_.on_disk("var/lib/containers/berth"));
  EXPECT_THAT(codes(lint_of(name)), Contains("no-type-label"));
  EXPECT_EQ(test::tree_text(machine_.on_disk("var/lib/containers/berth")), before);
}

TEST_F(Author, AnImageWithoutExportsIsToldAboutThem) {
  test::ImageSpec spec;
  spec.config = R"({"Cmd": ["/bin/true"]})";
  EXPECT_THAT(codes(lint_of(machine_.image("plain", spec))), Contains("no-exports"));
}

TEST_F(Author, ATargetThatIsNotThere) {
  const auto error = error_of([&] { lint_of(directory_ / "nothing"); });
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_THAT(error.hint(), HasSubstr("[SOURCE:]IMAGE"));
  EXPECT_THAT(error_of([&] { lint_of("exprots"); }).message(), HasSubstr("there is no directory exprots, and "));
}

TEST_F(Author, RenderGivesWhatAnInstallWrites) {
  const auto image = machine_.image("web", full_image());
  const auto files = render_of(image, {"PORT=81"});
  auto context = machine_.context();
  InstallRequest request;
  request.image = image;
  request.name = "web";
  request.set = {"PORT=81"};
  install(context, request);
  std::vector<std::string> paths;
  for (const auto& file : files) {
    paths.push_back(file.path);
    EXPECT_EQ(machine_.read(file.path), file.content) << file.path;
  }
  EXPECT_THAT(paths, ElementsAre("/var/lib/containers/berth/web.0/config.json", "/etc/systemd/system/web.service",
                                 "/etc/tmpfiles.d/web.conf", "/etc/web/web.conf"));
}

TEST_F(Author, RenderNamesEveryMissingVariable) {
  put("manifest.json", "{}");
  put("tmpfiles.template", "d $WHERE\n");
  const auto error = error_of([&] { render_of(directory_ / "web"); });
  EXPECT_THAT(error.hint(), HasSubstr("--set PORT=… --set WHERE=…"));
}

TEST_F(Author, RenderedFilesAreWrittenOnceAndNeverOverwritten) {
  const auto files = render_of(directory_ / "web");
  const auto output = directory_ / "out/put";
  write_rendered(files, output);
  EXPECT_TRUE(std::filesystem::exists(output + "/etc/systemd/system/web.service"));
  std::filesystem::remove(output + files.front().path);
  EXPECT_EQ(error_of([&] { write_rendered(files, output); }).kind(), ErrorKind::conflict);
  EXPECT_FALSE(std::filesystem::exists(output + files.front().path));
}

TEST_F(Author, WhatInitWritesHasNoFault) {
  const auto written = init_of(directory_ / "new/greeter");
  EXPECT_THAT(written, ElementsAre("exports/manifest.json", "exports/config.json.template", "exports/service.template",
                                   "exports/tmpfiles.template", "Containerfile", "help.md", "run.sh"));
  EXPECT_TRUE(std::filesystem::is_directory(directory_ / "new/greeter/exports/hostfs"));
  EXPECT_THAT(complaints(lint_of(directory_ / "new/greeter")), IsEmpty());
}

TEST_F(Author, InitOverwritesNothing) {
  std::filesystem::create_directories(directory_ / "own");
  std::ofstream(directory_ / "own/run.sh") << "mine";
  const auto error = error_of([&] { init_of(directory_ / "own"); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_THAT(error.message(), HasSubstr("own/run.sh"));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "own/exports"));
}

TEST_F(Author, InitTakesWhatTheImageSays) {
  test::ImageSpec spec;
  spec.files = {{"etc/passwd", "guest:x:7:8::/home:/bin/sh\n", 0644, ""}};
  spec.config =
      R"({"Entrypoint": ["/bin/serve", "a$b"], "Env": ["PORT=80", "PATH=/bin", "PRICE=5$", "QUOTE=a\"b"], "User": "guest",)"
      R"("StopSignal": "SIGQUIT", "Volumes": {"/data": {}}})";
  const auto image = machine_.image("served", spec);
  const auto written = init_of(directory_ / "made", image);
  EXPECT_THAT(written, Not(Contains("run.sh")));
  const auto files = render_of(directory_ / "made", {"PORT=81"});
  const auto made = base::parse_json(files.at(0).content, "config.json");
  EXPECT_EQ(made["process"]["args"], base::Json({"/bin/serve", "a$b"}));
  EXPECT_EQ(made["process"]["user"]["uid"], 7);
  for (const std::string entry : {"PORT=81", "PATH=/bin", "PRICE=5$", "QUOTE=a\"b"}) {
    EXPECT_THAT(made["process"]["env"].get<std::vector<std::string>>(), Contains(entry));
  }
  EXPECT_THAT(files.at(1).content, HasSubstr("kill 'made' SIGQUIT\n"));
  EXPECT_THAT(files.at(1).content, HasSubstr("KillSignal=SIGQUIT\n"));
  EXPECT_EQ(files.at(2).content,
            "d /var/lib/berth 0700 0 0 - -\nd /var/lib/berth/made 0700 0 0 - -\n"
            "d /var/lib/berth/made/data 0755 7 8 - -\n");
}

TEST_F(Author, InitFromADirectoryIsAMistake) {
  EXPECT_EQ(error_of([&] { init_of(directory_ / "x", directory_ / "web"); }).kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace berth::ops
