// The command lines of the older tool, `atomic`, translated into requests of ours. Its options, names of images,
// places, messages and exit statuses are those of its last release, 1.22; berth-atomic(8) says what differs.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "cli/verbs/command_line.hpp"

namespace berth::cli {

/// Whether the program was started through a link with the older tool's name. @param program argv[0]
bool is_called_atomic(std::string_view program);

/// Overwrites what --src-creds was given in the arguments of this process, which everybody may read (proc(5)). To be
/// called once they are copied.
void hide_credentials(int argc, char** argv);

/// [SOURCE:]IMAGE as the older tool has it, in our words: `oci:IMAGE` is in a registry, `docker:IMAGE:TAG` in a daemon.
std::string our_reference(const std::string& text);

/// What names a stored image: the text without the words for a source.
std::string without_source(std::string text);

/// Adds a verb of the older tool. Missing values are told in its words, too.
CLI::App* add_atomic_verb(CLI::App& group, CommandLine& line, const std::string& name, const std::string& description,
                          bool needs_root, std::function<int(ops::Context&)> action);

/// --storage. @throws Error, when the verb runs, for another one than `ostree`
void add_storage(CLI::App& verb, CommandLine& line);
void check_storage(const CommandLine& line);

/// Asks on standard output, unless --assumeyes was given.
/// @return false, and says so, when the answer is not yes
bool confirmed(const CommandLine& line, const std::string& what);

// One function a group, each in a file of its own.
void add_atomic_lists(CLI::App& atomic, CLI::App& containers, CLI::App& images, CommandLine& line);
void add_atomic_images(CLI::App& atomic, CLI::App& images, CommandLine& line);

}  // namespace berth::cli
