// SPDX-License-Identifier: LGPL-2.1-or-later
// A directory `web` with an exports directory that has no fault.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/temp_directory.hpp"
#include "ops/author/init.hpp"
#include "ops/author/lint.hpp"
#include "ops/author/render.hpp"
#include "ops/machine.hpp"

namespace berth::test {

inline constexpr const char* unit =
    "[Unit]\nDescription=Test $NAME\n[Service]\nType=forking\nPIDFile=$PIDFILE\nExecStart=$EXEC_START\n"
    "ExecStop=$EXEC_STOP\nExecStopPost=$EXEC_STOPPOST\nWorkingDirectory=$DESTDIR\n[Install]\n"
    "WantedBy=multi-user.target\n";

inline constexpr const char* config =
    "{\"ociVersion\": \"1.0.2\",\n\"root\": {\"path\": \"rootfs\", \"readonly\": true},\n"
    "\"process\": {\"args\": [\"/bin/server\", \"$PORT\"], \"cwd\": \"/\", \"user\": {\"uid\": 0, \"gid\": 0}},\n"
    "\"linux\": {\"namespaces\": [{\"type\": \"mount\"}, {\"type\": \"pid\"}, {\"type\": \"network\"}, {\"type\": "
    "\"ipc\"}, {\"type\": \"uts\"}]}}\n";

inline constexpr const char* manifest =
    "{\"version\": \"1.0\", \"defaultValues\": {\"PORT\": \"80\"}, \"healthCheck\": {\"command\": \"true\"}}\n";

inline std::vector<std::string> codes(const ops::LintReport& report) {
  std::vector<std::string> result;
  for (const auto& finding : report.findings) {
    result.push_back(finding.code);
  }
  return result;
}

/// Warnings and errors.
inline std::vector<std::string> complaints(const ops::LintReport& report) {
  std::vector<std::string> result;
  for (const auto& finding : report.findings) {
    if (finding.severity != base::Severity::note) {
      result.push_back(finding.code + ": " + finding.message);
    }
  }
  return result;
}

class AuthorTest : public ::testing::Test {
 protected:
  AuthorTest() {
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
  ops::LintReport lint_of(const std::string& target, const std::vector<std::string>& set = {}) {
    auto context = machine_.context();
    ops::LintRequest request;
    request.preview.target = target;
    request.set = set;
    return ops::lint(context, request);
  }
  ops::LintReport lint_directory() { return lint_of(directory_ / "web/exports"); }
  std::vector<ops::RenderedFile> render_of(const std::string& target, const std::vector<std::string>& set = {}) {
    auto context = machine_.context();
    ops::RenderRequest request;
    request.preview.target = target;
    request.set = set;
    return ops::render(context, request);
  }
  std::vector<std::string> init_of(const std::string& directory, const std::string& from = "") {
    auto context = machine_.context();
    ops::InitRequest request;
    request.directory = directory;
    request.from.target = from;
    return ops::init(context, request).files;
  }

  Machine machine_;
  TempDirectory directory_;
};

}  // namespace berth::test
