// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/atomic/atomic.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <strings.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "base/error.hpp"
#include "cli/terminal/output.hpp"
#include "render/template/template.hpp"

namespace berth::cli {

namespace {

using base::Error;
using base::ErrorKind;

bool take_word(std::string& text, std::string_view word) {
  if (!text.starts_with(word)) {
    return false;
  }
  text.erase(0, word.size());
  return true;
}

Action declare(const Subcommand& atomic, CommandLine& line) {
  const AtomicParser parser{line, std::make_shared<AtomicOptions>()};
  auto& options = *parser.options;
  atomic.require_subcommand();
  atomic.set_version_flag("-v,--version", "berth " BERTH_VERSION ", as atomic 1.22", "Print the version and exit");
  atomic.add_flag("-y,--assumeyes", options.assume_yes, "Do not ask for confirmation");
  atomic.add_flag("--debug,-i,--ignore", options.ignored, "Accepted; has no effect");
  add_atomic_containers(atomic, parser);
  auto containers = atomic.add_group("containers", "Manage installed containers");
  auto images = atomic.add_group("images", "Manage stored images");
  add_atomic_changes(containers, parser);
  add_atomic_lists(atomic, containers, images, parser);
  add_atomic_images(atomic, images, parser);
  return {};
}

}  // namespace

bool is_called_atomic(std::string_view program) {
  return program.substr(program.rfind('/') + 1) == "atomic";
}

void hide_credentials(int argc, char** argv) {
  const std::string_view option = credentials_option;
  for (int index = 1; index < argc; ++index) {
    const std::string_view word = argv[index];
    char* secret = nullptr;
    if (word == option && index + 1 < argc) {
      secret = argv[index + 1];
    } else if (word.starts_with(option) && word.substr(option.size()).starts_with('=')) {
      secret = argv[index] + option.size() + 1;
    }
    if (secret != nullptr) {
      ::explicit_bzero(secret, std::strlen(secret));
    }
  }
}

std::string without_source(std::string text) {
  for (const std::string_view word : {"oci:", "https:", "http:", "docker:", "sha256:"}) {
    take_word(text, word);
  }
  return text;
}

std::string berth_reference(const std::string& text) {
  auto rest = text;
  if (take_word(rest, "docker:")) {
    return rest.find(':') == std::string::npos ? rest : "docker-daemon:" + rest;
  }
  if (take_word(rest, "dockertar:/")) {
    const bool relative = !rest.starts_with('/') && ::access(rest.c_str(), F_OK) == 0;
    return fmt::format("docker-archive:{}{}", relative ? "" : "/", rest);
  }
  if (take_word(rest, "oci:") && !rest.starts_with('/') && !rest.starts_with('.')) {
    return rest;
  }
  return text;
}

Subcommand add_atomic_verb(const Subcommand& group, const AtomicParser& parser, const VerbEntry& entry,
                           AtomicAction action) {
  auto& line = parser.line;
  auto verb = add_verb(group, line, entry, [&line, options = parser.options, action](ops::Context& context) {
    try {
      return action(*options, line, context);
    } catch (const render::UnsetVariables& error) {
      throw Error(ErrorKind::failed,
                  fmt::format("{}\nthe templates still contain an unreplaced value for: ''{}''", error.what(),
                              fmt::join(error.names(), "'', ''")),
                  error.hint());
    }
  });
  verb.when_parsed([&line] { line.atomic = true; });
  return verb;
}

void add_storage(const Subcommand& verb, AtomicOptions& options) {
  verb.add_option("--storage", options.storage, "ostree, the only storage").type_name("STORAGE");
}

void check_storage(const AtomicOptions& options) {
  if (!options.storage.empty() && options.storage != "ostree") {
    throw Error(ErrorKind::failed,
                fmt::format("Unable to associate string '{}' with backend", base::printable(options.storage)),
                "berth keeps images in ostree only");
  }
}

bool confirmed(const AtomicOptions& options, const std::string& what) {
  if (options.assume_yes || ask(stdout, "\nConfirm (y/N) ")) {
    return true;
  }
  emit_error("User aborted delete operation for {}\n", what);
  return false;
}

Verb atomic_verb() {
  return {{.name = "atomic", .order = 220, .summary = "Accept the command line of atomic"}, declare};
}

}  // namespace berth::cli
