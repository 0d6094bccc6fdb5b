// SPDX-License-Identifier: LGPL-2.1-or-later
// Names of images as users and documents write them.
#include "image/reference.hpp"

#include "harness.hpp"
#include "host/layout.hpp"
#include "image/manifest.hpp"

namespace {

using namespace berth;

void check_name(const image::ImageName& name) {
  const auto text = name.text();
  const auto again = image::parse_image_name(text);
  fuzz::require(again == name && again.text() == text, "a name that was parsed is parsed again", text);
  const auto encoded = name.encoded();
  fuzz::require(encoded.find('/') == std::string::npos && encoded.size() <= 255, "a branch is one file name", encoded);
  fuzz::require(image::decode_branch(encoded) == text, "a branch name is decoded to what it encodes", encoded);
  fuzz::require(name.registry.find('/') == std::string::npos, "a registry is no path", text);
  fuzz::require(("/" + name.repository + "/").find("/../") == std::string::npos, "no `..` in a repository", text);
  const auto container = image::default_container_name(name);
  if (container.size() < 200) {
    host::check_container_name(container);  // throws
  }
}

void check_reference(std::string_view text) {
  const auto reference = fuzz::accepted([&] { return image::parse_reference(text); });
  if (!reference) {
    return;
  }
  const auto written = reference->text();
  const auto again = image::parse_reference(written);
  fuzz::require(again.text() == written && again.name == reference->name && again.transport == reference->transport &&
                    again.path == reference->path && again.selector == reference->selector,
                "a reference that was parsed is parsed again", written);
  check_name(reference->name);
}

void check_branch(std::string_view text) {
  const auto decoded = image::decode_branch(text);
  if (!decoded) {
    return;
  }
  const auto name = fuzz::accepted([&] { return image::parse_image_name(*decoded); });
  if (name && name->text() == *decoded) {
    fuzz::require(name->encoded() == text, "one branch name for one image", text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  check_reference(text);
  check_branch(text);
  if (const auto name = fuzz::accepted([&] { return image::parse_image_name(text); })) {
    check_name(*name);
  }
  if (const auto name = fuzz::accepted([&] { return image::parse_familiar_name(text); })) {
    check_name(*name);
  }
  if (const auto platform = fuzz::accepted([&] { return image::parse_platform(text); })) {
    fuzz::require(image::parse_platform(platform->text()) == *platform, "a platform is parsed again", text);
    fuzz::require(image::runs_on(*platform, *platform), "an image runs on its own platform", text);
  }
  return 0;
}
