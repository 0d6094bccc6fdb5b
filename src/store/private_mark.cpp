#include "store/private_mark.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "store/examination.hpp"

namespace berth::store {
namespace {

constexpr std::uint64_t mark_limit = std::uint64_t{4} << 20U;  // bytes; 65 for each commit
constexpr mode_t mark_mode = 0600;
constexpr std::string_view opened = "open\n";

/// What was examined, one commit a line; nullopt when nobody can have changed anything.
std::optional<std::string> examined(int repository) {
  auto text = base::read_file_at(repository, private_mark, mark_limit);
  if (!text) {
    return std::string(opened);
  }
  return text->empty() ? std::nullopt : std::move(text);
}

std::string describe_fault(const Repository& repository, const Checksum& commit, const ObjectFault& fault) {
  std::string where;
  visit_paths(repository, commit, [&](const ObjectName& name, const std::string& path) {
    if (where.empty() && name == fault.name) {
      where = path;
    }
  });
  return where.empty() ? fault.name.checksum.hex() : where;
}

}  // namespace

void mark_private(int repository) {
  base::replace_file_at(repository, private_mark, "", mark_mode);
}

void mark_opened(const std::string& repository) {
  if (base::stat_at(AT_FDCWD, repository + "/objects")) {
    base::replace_file_at(base::open_host_folder(repository).get(), private_mark, opened, mark_mode);
  }
}

bool is_marked(const std::string& repository) {
  return base::stat_at(AT_FDCWD, repository + "/" + private_mark).has_value();
}

bool examine_before_use(const Repository& repository, const StoreOptions& options, const Checksum& commit) {
  auto known = examined(repository.folder());
  const auto line = commit.hex() + "\n";
  if (!known || known->find(line) != std::string::npos) {
    return known.has_value();
  }
  const auto result = Examination(repository, options).examine("objects", {commit});
  if (!result.faults.empty()) {
    throw base::Error(
        base::ErrorKind::verification,
        fmt::format("{} of the {} stored objects are not what was stored, the first is {}; the disk may have "
                    "changed them, or other users before the folders were closed",
                    result.faults.size(), result.objects, describe_fault(repository, commit, result.faults.front())),
        "berth images verify shows the images and containers concerned, berth images repair mends them");
  }
  if (known->size() + line.size() <= mark_limit) {
    base::replace_file_at(repository.folder(), private_mark, *known + line, mark_mode);
  }
  return true;
}

std::vector<ObjectFault> complete_examination(const Repository& repository, Examination& examination) {
  if (!examined(repository.folder())) {
    return {};
  }
  auto faults = examination.examine_rest();
  if (faults.empty()) {
    mark_private(repository.folder());
  }
  return faults;
}

}  // namespace berth::store
