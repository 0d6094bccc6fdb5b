// SPDX-License-Identifier: LGPL-2.1-or-later
// A container `web`, a newer image for it, and updates.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "host/state/deployment.hpp"
#include "ops/containers/install.hpp"
#include "ops/containers/update.hpp"
#include "ops/images/pull.hpp"
#include "ops/machine.hpp"
#include "ops/tree.hpp"

namespace berth::test {

inline void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// A later version of full_image(): another program, one file added and one removed, another template, unit and
/// default.
inline ImageSpec newer_image() {
  auto spec = full_image();
  std::erase_if(spec.files, [](const LayerFile& file) {
    return file.name == "exports/hostfs/etc/web/current" || file.name == "exports/hostfs/var/lib/web-data/";
  });
  for (auto& file : spec.files) {
    if (file.name == "bin/server") {
      file.content += "# newer\n";
    }
    replace_all(file.content, "\"PORT\":\"80\"", "\"PORT\":\"81\",\"COLOUR\":\"red\"");
    replace_all(file.content, "greeting=$GREETING", "greeting=$GREETING in $COLOUR");
    replace_all(file.content, "Description=Test", "Description=Newer");
  }
  spec.files.push_back({"exports/hostfs/etc/web/more/added", "added\n", 0600, ""});
  return spec;
}

class WebTest : public ::testing::Test {
 protected:
  WebTest() : context(machine.context()) { context.config.settle_seconds = 0; }

  /// Stores an image under the name of the container's image.
  void store(const ImageSpec& spec) {
    std::filesystem::remove_all(machine.directory / "web");
    ops::pull(context, {machine.image("web", spec), "", ""});
  }

  void install_web(bool start = true, std::vector<std::string> set = {"PORT=8080"}) {
    ops::InstallRequest request;
    request.image = machine.image("web", full_image());
    request.name = "web";
    request.start = start;
    request.set = std::move(set);
    ops::install(context, request);
    machine.systemd.calls.clear();
  }

  [[nodiscard]] host::Deployment live() const { return host::find_deployment(machine.layout, "web").value(); }
  [[nodiscard]] std::string tree() const { return tree_text(machine.on_disk("")); }

  /// Whether temporary names of a change are left.
  [[nodiscard]] bool is_littered() const {
    return tree_text(machine.on_disk(""), std::string(deployments) + "/.storage").find("/.") != std::string::npos;
  }

  static ops::UpdateRequest web(std::vector<std::string> set = {}) {
    ops::UpdateRequest request;
    request.name = "web";
    request.set = std::move(set);
    return request;
  }

  /// Updates in a child process, which exits with status 0 on success.
  pid_t start_update() {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        ops::update(context, web());
      } catch (...) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    return child;
  }

  Machine machine;
  ops::Context context;
};

}  // namespace berth::test
