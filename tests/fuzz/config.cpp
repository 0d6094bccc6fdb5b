// SPDX-License-Identifier: LGPL-2.1-or-later
// config.json of images: conversion of old forms, and checks.
#include "base/json.hpp"
#include "render/spec/config_json.hpp"

#include "harness.hpp"
#include "render/spec/config_privileges.hpp"

namespace {

using namespace berth;

void check(std::string_view text, const render::HostFeatures& features, const std::string& remote) {
  const std::string path = "/system.slice/app.service/payload";
  const auto finished =
      fuzz::accepted([&] { return render::finish_config(text, "config.json", features, path, remote); });
  if (!finished) {
    return;
  }
  for (const auto& message : finished->conversions) {
    fuzz::require(fuzz::is_showable(message), "a conversion is fit to be shown", message);
  }
  const auto& document = finished->document;
  fuzz::require(base::parse_json(finished->text, "config.json") == document, "text and document say the same",
                finished->text);
  fuzz::require(document.at("root").at("readonly") == true, "no root file system is writable", finished->text);
  fuzz::require(document.at("root").at("path") == (remote.empty() ? "rootfs" : remote), "the root file system is ours",
                finished->text);
  fuzz::require(!document.at("linux").at("cgroupsPath").get<std::string>().empty(), "there is a cgroup",
                finished->text);
  const auto again = render::finish_config(finished->text, "config.json", features, path, remote);
  fuzz::require(again.text == finished->text && again.conversions.empty(), "a finished configuration stays as it is",
                finished->text + again.text);
  for (const auto& privilege : render::config_privileges(document, "")) {
    fuzz::require(fuzz::is_showable(privilege.message), "a warning is fit to be shown", privilege.message);
  }
  (void)render::bind_sources(document);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  render::HostFeatures old_host;
  old_host.cgroup_unified = false;
  old_host.selinux = true;
  old_host.apparmor = true;
  check(text, {}, "");
  check(text, old_host, "/srv/other/rootfs");
  return 0;
}
