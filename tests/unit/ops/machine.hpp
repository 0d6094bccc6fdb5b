// SPDX-License-Identifier: LGPL-2.1-or-later
// A small machine in a temporary directory: root, repository, runtime, and a fake systemd whose calls can fail.
#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include "base/temp_directory.hpp"
#include "host/fake_systemd.hpp"
#include "ops/containers/install.hpp"
#include "ops/context.hpp"
#include "ops/oci_layout.hpp"

namespace berth::test {

inline constexpr const char* deployments = "var/lib/containers/berth";

inline constexpr const char* service_template =
    "[Unit]\nDescription=Test $NAME\n[Service]\nExecStart=$EXEC_START\nExecStop=$EXEC_STOP\n"
    "WorkingDirectory=$DESTDIR\n[Install]\nWantedBy=multi-user.target\n";

inline constexpr const char* config_template =
    R"({"ociVersion":"1.0.2","root":{"path":"rootfs","readonly":true},)"
    R"("process":{"args":["/bin/server","$PORT"],"cwd":"/","user":{"uid":0,"gid":0}},)"
    R"("mounts":[{"destination":"/data","type":"bind","source":"${STATE_DIRECTORY}/$NAME","options":["rbind","rw"]}],)"
    R"("linux":{"namespaces":[{"type":"mount"},{"type":"pid"}]}})";

/// An image with every kind of file that can be installed on a host.
inline ImageSpec full_image() {
  ImageSpec spec;
  spec.files = {{"bin/", "", 0755, ""},
                {"bin/server", "#!/bin/sh\n", 0755, ""},
                {"exports/", "", 0755, ""},
                {"exports/config.json.template", config_template, 0644, ""},
                {"exports/service.template", service_template, 0644, ""},
                {"exports/manifest.json",
                 R"({"version":"1.0","defaultValues":{"PORT":"80","GREETING":"hello"},)"
                 R"("installedFilesTemplate":["/etc/web/web.conf"],)"
                 R"("renameFiles":{"/usr/local/bin/ctl":"/usr/local/bin/${NAME}ctl"}})",
                 0644, ""},
                {"exports/hostfs/usr/local/bin/ctl", "control\n", 04755, ""},
                {"exports/hostfs/etc/web/web.conf", "greeting=$GREETING\n", 0640, ""},
                {"exports/hostfs/etc/web/current", "", 0777, "web.conf"},
                {"exports/hostfs/var/lib/web-data/", "", 0700, ""}};
  return spec;
}

class Machine {
 public:
  /// @param user the owner of the containers in user mode; not set for system containers
  explicit Machine(std::optional<host::UserDirectories> user = {})
      : layout(settings(directory / "root", std::move(user))), systemd(layout) {
    make_directory("usr/bin");
    make_directory("usr/local/bin");
    make_directory("etc/systemd/system");
    make_directory("etc/tmpfiles.d");
    write("usr/bin/runc", "#!/bin/sh\n[ \"$1\" != state ] || exit 1\necho 'runc version 1.1.5'\necho --pid-file\n",
          0755);
    write("etc/hostname", "host\n");
    std::filesystem::create_directories(directory / "data/exports-templates");
    std::ofstream(directory / "data/exports-templates/service.template")
        << "[Service]\nType=forking\nPIDFile=$PIDFILE\nExecStart=$EXEC_START\nExecStop=$EXEC_STOP\n"
           "ExecStopPost=$EXEC_STOPPOST\n[Install]\nWantedBy=multi-user.target\n";
    facts.executable = "/usr/bin/berth";
  }

  [[nodiscard]] ops::Context context() {
    host::Config config;
    config.lock_timeout_seconds = 0;
    return {layout, config, facts, systemd, reporter, stop.get_token(), "berth test", directory / "data", ""};
  }

  void make_directory(const std::string& path) const { std::filesystem::create_directories(on_disk(path)); }

  void write(const std::string& path, const std::string& content, unsigned mode = 0644) const {
    std::filesystem::create_directories(std::filesystem::path(on_disk(path)).parent_path());
    std::ofstream(on_disk(path)) << content;
    ::chmod(on_disk(path).c_str(), mode);
  }

  [[nodiscard]] std::string read(const std::string& path) const {
    std::ifstream file(on_disk(path));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  [[nodiscard]] bool exists(const std::string& path) const {
    return std::filesystem::exists(std::filesystem::symlink_status(on_disk(path)));
  }

  [[nodiscard]] std::string on_disk(const std::string& path) const { return directory / ("root/" + path); }

  /// Creates an image as an OCI layout. @return its reference
  [[nodiscard]] std::string image(const std::string& name, const ImageSpec& spec) const {
    write_oci_layout(directory / name, spec);
    return "oci:" + (directory / name);
  }

  base::test::TempDirectory directory;
  host::Layout layout;
  host::Facts facts;
  host::testing::FakeSystemd systemd;
  host::testing::RecordingReporter reporter;
  std::stop_source stop;

 private:
  static host::LayoutSettings settings(const std::string& root, std::optional<host::UserDirectories> user) {
    std::filesystem::create_directories(root);
    host::LayoutSettings result;
    result.root = root;
    result.running = true;
    result.user = std::move(user);
    return result;
  }
};

}  // namespace berth::test
