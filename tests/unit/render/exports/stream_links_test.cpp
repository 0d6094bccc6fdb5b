// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/exports/stream_links.hpp"

#include "render/support.hpp"

namespace berth::render {
namespace {

TEST(StreamLinks, AreFoundOutsideTheKernelsDirectories) {
  test::TemporaryDirectory root;
  root.link("var/log/nginx/access.log", "/dev/stdout");
  root.link("var/log/nginx/error.log", "/dev/stderr");
  root.link("opt/x", "../proc/self/fd/2");
  root.link("dev/stdout", "/proc/self/fd/1");
  root.link("var/log/other", "/dev/null");
  EXPECT_THAT(stream_links(root.fd()),
              testing::ElementsAre("/opt/x", "/var/log/nginx/access.log", "/var/log/nginx/error.log"));
}

}  // namespace
}  // namespace berth::render
