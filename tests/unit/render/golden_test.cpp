// SPDX-License-Identifier: LGPL-2.1-or-later
// Renders whole images and compares the files that an install would write with those under tests/golden/render.
// BERTH_ACCEPT=1 rewrites them.
#include "render/exports/exports.hpp"
#include "render/messages.hpp"
#include "render/spec/config_generate.hpp"
#include "render/spec/config_json.hpp"
#include "render/spec/config_privileges.hpp"
#include "render/support.hpp"
#include "render/template/template.hpp"
#include "render/unit/tmpfiles.hpp"
#include "render/unit/unit.hpp"

namespace berth::render {
namespace {

namespace fs = std::filesystem;

const fs::path golden = BERTH_GOLDEN_DIR;

void expect_golden(const fs::path& file, const std::string& text) {
  const char* accept = std::getenv("BERTH_ACCEPT");
  if (accept != nullptr && std::string(accept) == "1") {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  EXPECT_EQ(text, test::read_text_file(file)) << file << "\nIf the new text is right, run once with BERTH_ACCEPT=1.";
}

std::string lines(const std::vector<std::string>& messages) {
  std::string text;
  for (const auto& message : messages) {
    text += message + "\n";
  }
  return text;
}

ToolValues tool(const std::string& name) {
  ToolValues tool;
  tool.name = name;
  tool.deployment = "/var/lib/containers/berth/" + name + ".0";
  tool.image_name = "registry.example/" + name + ":latest";
  tool.image_id = std::string(64, 'a');
  tool.runtime = "/usr/sbin/runc";
  tool.uuid = "00000000-0000-4000-8000-000000000000";
  tool.executable = "/usr/bin/berth";
  tool.capabilities = capability_names(1);
  return tool;
}

/// The image `name` from its directory `input`, which contains `exports` and serves as the root file system.
void expect_image(const std::string& name, const image::ImageConfig& image, ToolValues tool_values) {
  const auto rootfs = base::open_host_directory((golden / name / "input").string());
  test::Listener listener;
  const Exports exports = read_exports(open_exports(rootfs.get()).get(), listener);
  const std::string service =
      exports.service_template ? *exports.service_template : test::read_text_file(golden / "default.service.template");
  tool_values.detached = unit_wants_detached(service);
  const Values values = merge_values(tool_values, {}, exports.manifest.default_values);
  Renderer renderer(values);
  const std::string config = exports.config ? *exports.config
                             : exports.config_template
                                 ? renderer.render(TemplateKind::json, *exports.config_template, "config")
                                 : generate_config(image, rootfs.get(), values);
  const std::string unit = renderer.render(TemplateKind::unit, service, "service");
  const std::string tmpfiles =
      exports.tmpfiles_template ? renderer.render(TemplateKind::unit, *exports.tmpfiles_template, "tmpfiles") : "";
  renderer.check();
  const auto cgroup = cgroups_path(unit_slice(unit), tool_values.name);
  const auto finished = finish_config(config, "config", {}, cgroup);
  const fs::path expected = golden / name / "expected";
  expect_golden(expected / "config.json", finished.text);
  expect_golden(expected / "unit", complete_unit(unit, values.at("RUNTIME"), tool_values.name));
  expect_golden(expected / "tmpfiles", exports.tmpfiles_template
                                           ? tmpfiles
                                           : default_tmpfiles(bind_sources(finished.document), 0, 0,
                                                              [](const std::string& path) { return path == "/etc"; }));
  expect_golden(expected / "conversions", lines(finished.conversions));
  expect_golden(expected / "privileges", lines(test::messages(config_privileges(finished.document, cgroup))));
  EXPECT_EQ(finish_config(finished.text, "config", {}, "/other").text, finished.text);
}

TEST(Golden, RendersAnOldStyleService) {
  expect_image("old-style", {}, tool("greeter"));
}

TEST(Golden, RendersAModernServiceWithAPidFile) {
  expect_image("modern", {}, tool("store1"));
}

TEST(Golden, RendersAPlainImage) {
  image::ImageConfig image;
  image.entrypoint = {"/docker-entrypoint.sh"};
  image.command = {"nginx", "-g", "daemon off;"};
  image.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "NGINX_VERSION=1.25"};
  image.working_dir = "/srv";
  image.user = "web:web";
  image.stop_signal = "SIGQUIT";
  image.volumes = {"/var/lib/data"};
  auto tool_values = tool("web");
  tool_values.stop_signal = image.stop_signal;
  expect_image("plain", image, tool_values);
}

}  // namespace
}  // namespace berth::render
