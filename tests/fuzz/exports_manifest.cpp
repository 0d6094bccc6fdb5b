// SPDX-License-Identifier: LGPL-2.1-or-later
// exports/manifest.json, and the destinations of host files.
#include "harness.hpp"
#include "render/exports/exports.hpp"

namespace {

using namespace berth;

const render::Values values = {{"NAME", "app"}, {"CONF_DIRECTORY", "/etc"}, {"UP", "../.."}, {"LINE", "a\nb"}};

void check_destination(const std::string& path) {
  fuzz::require(path.starts_with('/') && path.size() > 1, "a destination is absolute and not the root", path);
  fuzz::require((path + "/").find("/../") == std::string::npos && (path + "/").find("/./") == std::string::npos &&
                    (path + "/").find("//") == std::string::npos,
                "a destination has neither `..`, `.` nor empty components", path);
  fuzz::require(path.find('\0') == std::string::npos && path.find('\n') == std::string::npos,
                "a destination is one line of text", path);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::QuietReporter reporter;
  const auto text = fuzz::text_of(data, size);
  const auto manifest = fuzz::accepted([&] { return render::parse_exports_manifest(text, reporter); });
  if (!manifest) {
    return 0;
  }
  std::vector<std::string> paths = {"usr/local/bin/x", "etc/app/app.conf", "etc/app", "a", "a/b/c"};
  for (const auto& [from, to] : manifest->rename_files) {
    paths.push_back(from.substr(from.find_first_not_of('/') == std::string::npos ? 0 : from.find_first_not_of('/')));
  }
  std::vector<render::HostEntry> entries;
  for (const auto& path : paths) {
    const auto destination = fuzz::accepted([&] { return render::host_destination(path, *manifest, values); });
    if (destination) {
      check_destination(*destination);
      entries.push_back({path, render::HostEntryKind::file, 0644, 0, 0, "", false});
    }
  }
  fuzz::accepted([&] {
    render::check_destinations(entries, *manifest, values);
    return true;
  });
  const auto again = render::parse_exports_manifest(manifest->document.dump(), reporter);
  fuzz::require(again.document == manifest->document && again.rename_files == manifest->rename_files &&
                    again.default_values == manifest->default_values,
                "the document kept says what was read");
  return 0;
}
