// SPDX-License-Identifier: LGPL-2.1-or-later
// Names in layers.
#include "store/tree/entry_name.hpp"

#include "base/shown_text.hpp"
#include "harness.hpp"

namespace {

using namespace berth;

void check_component(std::string_view component, std::string_view path) {
  fuzz::require(!component.empty() && component != "." && component != "..", "components are names", path);
  fuzz::require(component.size() <= 255, "a component fits into a directory", path);
  if (store::meaning_of(component) == store::NameMeaning::whiteout) {  // throws for invalid names
    const auto hidden = store::hidden_name(component);
    fuzz::require(!hidden.empty() && hidden != "." && hidden != "..", "a whiteout hides a name", path);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto raw = fuzz::text_of(data, size);
  fuzz::require(fuzz::is_showable(base::quoted_name(raw)) && store::is_utf8(base::quoted_name(raw)),
                "a quoted name is fit to be shown", base::quoted_name(raw));
  const auto path = fuzz::accepted([&] { return store::normal_entry_path(raw, "an entry"); });
  if (!path || path->empty()) {
    return 0;
  }
  fuzz::require(path->find('\0') == std::string::npos && path->size() <= 4095, "the kernel accepts the path", *path);
  fuzz::require(store::is_utf8(*path), "a path is UTF-8", *path);
  fuzz::require(store::normal_entry_path(*path, "an entry") == *path, "a normal path stays as it is", *path);
  std::string_view rest = *path;
  while (true) {
    const auto slash = rest.find('/');
    check_component(rest.substr(0, slash), *path);
    if (slash == std::string_view::npos) {
      break;
    }
    rest.remove_prefix(slash + 1);
  }
  const std::string parent(store::parent_path(*path));
  fuzz::require((parent.empty() ? "" : parent + "/") + std::string(store::base_name(*path)) == *path,
                "a path is its parent and its name", *path);
  return 0;
}
