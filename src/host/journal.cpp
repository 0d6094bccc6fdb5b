#include "host/journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"

namespace berth::host {

namespace {

constexpr mode_t folder_mode = 0700;  // notes hold values, which may be secrets
constexpr mode_t note_mode = 0600;

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
    return false;  // a temporary file of an interrupted write
  }
  return true;
}

/// An empty folder of notes goes too; one that another command has just used stays.
void remove_if_empty(const std::string& path) {
  if (::unlinkat(AT_FDCWD, path.c_str(), AT_REMOVEDIR) == 0) {
    base::sync_at(AT_FDCWD, base::split_path(path).first);
  }
}

}  // namespace

void write_journal(const Layout& layout, const std::string& name, const base::Json& note) {
  const std::string path = layout.journals();
  base::make_folders_at(AT_FDCWD, layout.deployments(), 0755);
  base::make_folders_at(AT_FDCWD, path, folder_mode);
  const base::Fd folder = base::open_folder_at(AT_FDCWD, path);
  base::replace_file_at(folder.get(), name, note.dump(2) + "\n", note_mode);
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
  if (base::unlink_at(folder->get(), name)) {
    base::sync_at(folder->get(), ".");
  }
  remove_if_empty(layout.journals());
}

std::vector<std::string> list_journals(const Layout& layout) {
  const auto folder = open_folder(layout.journals());
  if (!folder) {
    return {};
  }
  std::vector<std::string> names = base::list_folder(folder->get());
  std::erase_if(names, [](const std::string& name) { return !is_note(name); });
  return names;
}

}  // namespace berth::host
