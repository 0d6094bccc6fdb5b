// SPDX-License-Identifier: LGPL-2.1-or-later
// Published /exports directories: each one renders, converts and keeps its meaning. Directories made for these tests
// are in tests/golden; BERTH_EXPORTS_SAMPLES names further ones (separated by `:`), each holding one directory an
// image.
#include "base/json.hpp"
#include "render/exports/exports.hpp"
#include "render/spec/config_json.hpp"
#include "render/spec/config_privileges.hpp"
#include "render/support.hpp"
#include "render/template/template.hpp"
#include "render/unit/unit.hpp"

namespace berth::render {
namespace {

namespace fs = std::filesystem;

/// Directories with a config.json.template, links to them named `exports` beside, as an image has them.
std::vector<fs::path> sample_directories() {
  std::vector<fs::path> directories;
  std::stringstream names(std::getenv("BERTH_EXPORTS_SAMPLES") == nullptr ? "" : std::getenv("BERTH_EXPORTS_SAMPLES"));
  for (std::string name; std::getline(names, name, ':');) {
    for (const auto& entry : fs::directory_iterator(name)) {
      if (fs::exists(entry.path() / "config.json.template")) {
        directories.push_back(entry.path());
      }
    }
  }
  for (const char* own : {"old-style", "modern"}) {
    directories.push_back(fs::path(BERTH_GOLDEN_DIR) / own / "input/exports");
  }
  return directories;
}

void expect_renders(const fs::path& sample) {
  test::TemporaryDirectory root;
  fs::copy(sample, root / "exports", fs::copy_options::recursive);
  test::Listener listener;
  const Exports exports = read_exports(open_exports(root.fd()).get(), listener);
  ToolValues tool;
  tool.name = "sample";
  tool.runtime = "/usr/sbin/runc";
  const Values values = merge_values(tool, {}, exports.manifest.default_values);
  Renderer renderer(values);
  const auto config = renderer.render(TemplateKind::json, exports.config_template.value(), "config.json.template");
  const auto unit = renderer.render(TemplateKind::unit, exports.service_template.value(), "service.template");
  renderer.render(TemplateKind::unit, exports.tmpfiles_template.value_or(""), "tmpfiles.template");
  renderer.check();
  EXPECT_NO_THROW(complete_unit(unit, "/usr/sbin/runc", "sample"));
  const auto finished = finish_config(config, "config.json.template", {}, "/system.slice/sample.service/payload");
  EXPECT_TRUE(finish_config(finished.text, "again", {}, "/x").conversions.empty());
  const auto before = base::parse_json(config, "config");
  for (const char* key : {"args", "env"}) {
    EXPECT_EQ(finished.document["process"][key], before.at("process").at(key));
  }
  EXPECT_EQ(bind_sources(finished.document), bind_sources(before));
}

TEST(Samples, EachRendersAndConverts) {
  for (const auto& sample : sample_directories()) {
    SCOPED_TRACE(sample);
    expect_renders(sample);
  }
}

}  // namespace
}  // namespace berth::render
