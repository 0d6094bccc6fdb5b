// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/tag.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "image/reference.hpp"
#include "ops/images/image_lookup.hpp"

namespace berth::ops {

using base::Error;
using base::ErrorKind;

std::string tag_image(Context& context, const std::string& source, const std::string& name) {
  const auto target =
      context.naming == image::Naming::canonical ? image::parse_image_name(name) : image::parse_written_name(name);
  if (target.digest) {
    throw Error(ErrorKind::usage, fmt::format("{} contains a digest, which cannot be assigned", name),
                "give a name of the form REGISTRY/REPOSITORY:TAG");
  }
  auto store = open_images(context);
  store.hold();
  const auto image = choose_image(context, store, source);
  if (image.name.empty()) {
    throw Error(ErrorKind::usage, fmt::format("{} is a layer", source), "only images have names");
  }
  store.tag(image, target);
  return target.text();
}

}  // namespace berth::ops
