// SPDX-License-Identifier: LGPL-2.1-or-later
// systemd of a root that is not running: links on disk.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <optional>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "host/systemd/systemd.hpp"
#include "host/systemd/unit_file.hpp"

namespace berth::host {

namespace {

constexpr std::uint64_t unit_size_limit = 1U << 20U;  // bytes

class OfflineSystemd final : public Systemd {
 public:
  OfflineSystemd(const Layout& layout, base::Reporter& reporter)
      : root_path_(layout.root()), units_(layout.units_in_root()), reporter_(reporter) {}

  void reload() override {}
  void create_tmpfiles(const std::string& /*conf*/) override {}
  void remove_tmpfiles(const std::string& /*conf*/) override {}
  void reset_failed(const std::string& /*unit*/) override {}
  std::vector<std::string> journal_tail(const std::string& /*unit*/, std::size_t /*count*/) override { return {}; }

  EnableResult enable(const std::string& unit) override {
    const base::Fd root = base::open_host_directory(root_path_);
    const auto text = read_unit(root.get(), unit);
    if (!text) {
      throw base::Error(base::ErrorKind::not_found,
                        fmt::format("cannot enable {}: {}{} does not exist", unit, root_path_, path_of(unit)));
    }
    const InstallSection section = parse_install_section(*text, unit);
    for (const std::string& assignment : section.not_followed) {
      reporter_.warning(fmt::format("{}: [Install] {} is not followed in an offline root", unit, assignment));
    }
    return {make_unit_links(root.get(), unit, section, units_)};
  }

  void disable(const std::string& unit) override {
    remove_unit_links(base::open_host_directory(root_path_).get(), unit, {}, units_);
  }

  JobResult start(const std::string& unit) override { refuse("start", unit); }
  JobResult stop(const std::string& unit) override { refuse("stop", unit); }
  JobResult restart(const std::string& unit) override { refuse("restart", unit); }
  std::vector<std::string> stopped_with(const std::vector<std::string>& /*units*/) override { return {}; }
  JobResult start_again(const std::string& unit) override { refuse("start", unit); }
  std::string enter_scope(const std::string& scope, const std::string& /*description*/) override {
    refuse("start", scope);
  }

  std::map<std::string, UnitState> states(const std::vector<std::string>& units) override {
    std::map<std::string, UnitState> states;
    const base::Fd root = base::open_host_directory(root_path_);
    const auto linked = linked_units(root.get(), units_);
    for (const std::string& unit : units) {
      auto& state = states[unit];
      if (read_unit(root.get(), unit)) {
        state.load_state = "loaded";
        state.unit_file_state = linked.contains(unit) ? "enabled" : "disabled";
      }
    }
    return states;
  }

  UnitState state(const std::string& unit) override { return states({unit}).at(unit); }

 private:
  [[nodiscard]] std::string path_of(const std::string& unit) const { return units_ + "/" + unit; }

  [[nodiscard]] std::optional<std::string> read_unit(int root, const std::string& unit) const {
    const auto file = base::find_in_root(root, path_of(unit), O_RDONLY | O_NONBLOCK);
    if (!file) {
      return std::nullopt;
    }
    struct stat status {};
    base::check_errno(::fstat(file->get(), &status), "examine " + unit);
    return S_ISREG(status.st_mode) ? std::optional(base::read_all(file->get(), unit_size_limit, unit)) : std::nullopt;
  }

  [[noreturn]] void refuse(std::string_view verb, const std::string& unit) const {
    throw base::Error(base::ErrorKind::not_permitted,
                      fmt::format("cannot {} {}: the system in {} is not running", verb, unit, root_path_),
                      "boot it; an enabled service starts by itself");
  }

  std::string root_path_;
  std::string units_;  ///< directory of units, inside the root
  base::Reporter& reporter_;
};

}  // namespace

std::unique_ptr<Systemd> make_offline_systemd(const Layout& layout, base::Reporter& reporter) {
  return std::make_unique<OfflineSystemd>(layout, reporter);
}

}  // namespace berth::host
