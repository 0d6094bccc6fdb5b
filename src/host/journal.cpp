#include "host/journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "host/private_folder.hpp"

namespace berth::host {

namespace {

constexpr mode_t folder_mode = 0700;  // notes hold values, which may be secrets
constexpr mode_t note_mode = 0600;
constexpr int write_attempts = 100;
constexpr std::string_view fresh_prefix = ".new-";  // a note that is being written; a kill leaves it

std::string fresh_name(const std::string& name) {
  return std::string(fresh_prefix) + name;
}

std::optional<base::Fd> open_folder(const std::string& path) {
  if (!base::stat_at(AT_FDCWD, path)) {
    return std::nullopt;
  }
  return base::open_folder_at(AT_FDCWD, path);
}

bool is_note(const std::string& name) {
  try {
    check_container_name(name);
  } catch (const base::Error&) {
    return false;
  }
  return true;
}

/// An empty folder of notes goes too; one that another command has just used stays.
void remove_if_empty(const std::string& path) {
  if (::unlinkat(AT_FDCWD, path.c_str(), AT_REMOVEDIR) == 0) {
    base::sync_at(AT_FDCWD, base::split_path(path).first);
  }
}

void write_note(const Layout& layout, const std::string& name, const std::string& text) {
  make_deployments_folder(layout);
  base::make_folders_at(AT_FDCWD, layout.journals(), folder_mode);
  const base::Fd folder = base::open_folder_at(AT_FDCWD, layout.journals());
  const auto fresh = fresh_name(name);
  base::unlink_at(folder.get(), fresh);
  base::create_file_at(folder.get(), fresh, text, note_mode);
  base::check_errno(::renameat(folder.get(), fresh.c_str(), folder.get(), name.c_str()), "write the note " + name);
  base::sync_at(folder.get(), ".");
}

}  // namespace

void write_journal(const Layout& layout, const std::string& name, const base::Json& note) {
  const std::string text = note.dump(2) + "\n";
  for (int attempt = 1;; ++attempt) {
    try {
      return write_note(layout, name, text);
    } catch (const base::Error& error) {
      // Another command, done with another container, may remove the folder that is empty so far.
      if (error.kind() != base::ErrorKind::not_found || attempt == write_attempts) {
        throw;
      }
    }
  }
}

std::optional<base::Json> read_journal(const Layout& layout, const std::string& name) {
  const auto folder = open_folder(layout.journals());
  if (!folder) {
    return std::nullopt;
  }
  const auto text = base::read_file_at(folder->get(), name, base::json_size_limit);
  if (!text) {
    return std::nullopt;
  }
  return base::parse_json(*text, layout.journals() + "/" + name);
}

void remove_journal(const Layout& layout, const std::string& name) {
  const auto folder = open_folder(layout.journals());
  if (!folder) {
    return;
  }
  const bool had_fresh = base::unlink_at(folder->get(), fresh_name(name));
  if (base::unlink_at(folder->get(), name) || had_fresh) {
    base::sync_at(folder->get(), ".");
    remove_if_empty(layout.journals());
  }
}

void remove_empty_journals(const Layout& layout) {
  remove_if_empty(layout.journals());
}

std::vector<std::string> list_journals(const Layout& layout) {
  const auto folder = open_folder(layout.journals());
  if (!folder) {
    return {};
  }
  std::set<std::string> names;
  for (const auto& entry : base::list_folder(folder->get())) {
    const auto name = entry.starts_with(fresh_prefix) ? entry.substr(fresh_prefix.size()) : entry;
    if (is_note(name)) {
      names.insert(name);
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace berth::host
