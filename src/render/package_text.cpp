// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/package_text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "base/error.hpp"

namespace berth::render {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t field_limit = 1024;  // bytes; package managers accept far more
constexpr std::size_t description_limit = 16384;

bool is_alphanumeric(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9');
}

/// A text of the image as one line, so that a package manager takes it for a value only.
std::string one_line(std::string_view text, std::size_t limit = field_limit) {
  std::string line(text.substr(0, limit));
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  const auto begin = line.find_first_not_of(' ');
  const auto end = line.find_last_not_of(' ');
  return begin == std::string::npos ? "" : line.substr(begin, end + 1 - begin);
}

/// The value of a label as one line.
std::string label(const std::map<std::string, std::string>& labels, const std::string& name) {
  for (const auto& key : {"atomic." + name, name}) {
    if (const auto found = labels.find(key); found != labels.end()) {
      return one_line(found->second);
    }
  }
  return "";
}

/// A version that deb and rpm accept. It begins with a digit as Debian requires; `-` separates version and release.
std::string version_of(std::string_view text, std::string_view fallback) {
  std::string version;
  for (const char letter : text) {
    version += is_alphanumeric(letter) || letter == '.' || letter == '+' || letter == '~' ? letter : '.';
  }
  if (version.empty()) {
    return std::string(fallback);
  }
  const bool digit = version.front() >= '0' && version.front() <= '9';
  return digit ? version : "0." + version;
}

std::string date_version(std::int64_t created) {
  const auto seconds = static_cast<std::time_t>(created);
  return fmt::format("0.{:%Y%m%d.%H%M%S}", fmt::gmtime(seconds));
}

/// Debian's name of an architecture; `all` for one that Debian has no name for.
std::string deb_architecture(std::string_view architecture) {
  using Pair = std::pair<std::string_view, std::string_view>;
  static constexpr std::array names = {Pair{"amd64", "amd64"},     Pair{"arm64", "arm64"},      Pair{"arm", "armhf"},
                                       Pair{"386", "i386"},        Pair{"ppc64le", "ppc64el"},  Pair{"s390x", "s390x"},
                                       Pair{"riscv64", "riscv64"}, Pair{"mips64le", "mips64el"}};
  const auto* found =
      std::find_if(names.begin(), names.end(), [&](const Pair& name) { return name.first == architecture; });
  return found == names.end() ? "all" : std::string(found->second);
}

void add_field(std::string& text, std::string_view name, std::string_view value) {
  if (!value.empty()) {
    text += fmt::format("{}: {}\n", name, value);
  }
}

/// Lines after the first of a field begin with a space, empty ones are ` .` (deb-control(5)).
std::string continued_lines(std::string_view description) {
  std::string text;
  while (!description.empty()) {
    const auto end = std::min(description.find('\n'), description.size());
    const auto line = one_line(description.substr(0, end), description_limit);
    text += line.empty() ? " .\n" : fmt::format(" {}\n", line);
    description.remove_prefix(std::min(end + 1, description.size()));
  }
  return text;
}

/// Replaces `%`, which begins a macro that may run a command; even `%%` can begin a section.
std::string without_macros(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char letter : text) {
    if (letter == '%') {
      result += " percent";
    } else {
      result += letter;
    }
  }
  return result;
}

/// Refuses a path with characters that have a meaning in %files: blanks, quotes, wildcards.
void refuse_special_path(const std::string& path) {
  const auto special = [](unsigned char c) {
    return c <= 0x20 || c >= 0x7f ||
           std::string_view("%\"'\\*?[]{}$`").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (std::any_of(path.begin(), path.end(), special)) {
    throw Error(ErrorKind::verification,
                fmt::format("the host file {} has a name that an RPM package cannot contain", base::printable(path)),
                copy_instead);
  }
}

std::string rpm_line(const PackagedFile& file) {
  refuse_special_path(file.path);
  if (file.directory) {
    return fmt::format("%dir {}\n", file.path);
  }
  return fmt::format("{}{}\n", file.configuration ? "%config(noreplace) " : "", file.path);
}

std::string rpm_description(std::string_view description) {
  std::string text;
  while (!description.empty()) {
    const auto end = std::min(description.find('\n'), description.size());
    text += without_macros(one_line(description.substr(0, end), description_limit)) + "\n";
    description.remove_prefix(std::min(end + 1, description.size()));
  }
  return text;
}

/// @param condition prefix of the shell condition @param replaced shell condition: another version was installed before
std::string after_install(const PackagedService& service, std::string_view condition, std::string_view replaced) {
  const auto tmpfiles =
      service.tmpfiles.empty() ? "" : fmt::format("  systemd-tmpfiles --create {} || true\n", service.tmpfiles);
  return fmt::format(
      "if {}[ -d /run/systemd/system ]; then\n"
      "  systemctl daemon-reload\n{}"
      "  if {} && [ ! -L {} ]; then systemctl try-restart {} || true; fi\n"
      "fi\n",
      condition, tmpfiles, replaced, service.hidden_by, service.unit);
}

/// @param condition shell condition: the package is removed, not upgraded
std::string before_removal(const PackagedService& service, std::string_view condition) {
  return fmt::format("if {} && [ -d /run/systemd/system ] && [ ! -L {} ]; then systemctl stop {}; fi\n", condition,
                     service.hidden_by, service.unit);
}

constexpr const char* after_removal = "if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi\n";

}  // namespace

std::string package_name(std::string_view container) {
  std::string name = "atomic-container-";
  for (const char letter : container) {
    const bool upper = letter >= 'A' && letter <= 'Z';
    const char lower = upper ? static_cast<char>(letter - 'A' + 'a') : letter;
    name += is_alphanumeric(letter) || letter == '.' ? lower : '-';
  }
  return name;
}

PackageDescription describe_package(std::string_view container, const std::map<std::string, std::string>& labels,
                                    const std::string& image, const std::string& architecture, std::int64_t created,
                                    std::string_view image_id) {
  constexpr std::size_t id_digits = 12;
  PackageDescription package;
  package.name = package_name(container);
  package.version = version_of(label(labels, "version"), date_version(created));
  package.release = version_of(label(labels, "release"), version_of(image_id.substr(0, id_digits), "1"));
  package.summary = label(labels, "summary");
  if (package.summary.empty()) {
    package.summary = "host files of the system container " + std::string(container);
  }
  const auto described = labels.find("description");
  const auto preferred = labels.find("atomic.description");
  if (preferred != labels.end() || described != labels.end()) {
    package.description = (preferred != labels.end() ? preferred : described)->second.substr(0, description_limit);
  }
  if (!package.description.empty()) {
    package.description += '\n';
  }
  package.description += fmt::format("Made from the image {}.", one_line(image));
  package.license = label(labels, "license");
  package.url = label(labels, "url");
  package.requirements = label(labels, "requires");
  package.provides = label(labels, "provides");
  package.conflicts = label(labels, "conflicts");
  package.architecture = architecture;
  return package;
}

std::string deb_control(const PackageDescription& package, std::string_view maintainer) {
  std::string text;
  add_field(text, "Package", package.name);
  add_field(text, "Version", fmt::format("{}-{}", package.version, package.release));
  add_field(text, "Architecture", deb_architecture(package.architecture));
  add_field(text, "Maintainer", maintainer);
  add_field(text, "Section", "misc");
  add_field(text, "Priority", "optional");
  add_field(text, "Depends", package.requirements);
  add_field(text, "Recommends", package.recommendation);
  add_field(text, "Provides", package.provides);
  add_field(text, "Conflicts", package.conflicts);
  add_field(text, "Homepage", package.url);
  add_field(text, "Description", package.summary);
  return text + continued_lines(package.description);
}

std::string deb_conffiles(const std::vector<PackagedFile>& files) {
  std::string text;
  for (const auto& file : files) {
    const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (std::any_of(file.path.begin(), file.path.end(), control)) {
      throw Error(ErrorKind::verification,
                  fmt::format("the host file {} has a name that dpkg cannot record", base::printable(file.path)),
                  copy_instead);
    }
    if (file.configuration && !file.directory) {
      text += file.path + "\n";
    }
  }
  return text;
}

std::map<std::string, std::string> deb_scripts(const PackagedService& service) {
  if (service.unit.empty()) {
    return {};
  }
  constexpr const char* head = "#!/bin/sh\nset -e\n";
  return {{"postinst", head + after_install(service, R"([ "$1" = configure ] && )", R"([ -n "$2" ])")},
          {"prerm", head + before_removal(service, R"([ "$1" = remove ])")},
          {"postrm", fmt::format("{}{}", head, after_removal)}};
}

std::string rpm_scripts(const PackagedService& service) {
  if (service.unit.empty()) {
    return {};
  }
  return fmt::format("\n%post\n{}\n%preun\n{}\n%postun\n{}", after_install(service, "", R"([ "$1" -gt 1 ])"),
                     before_removal(service, R"([ "$1" -eq 0 ])"), after_removal);
}

std::string rpm_spec(const PackageDescription& package, const std::vector<PackagedFile>& files) {
  const auto field = [](std::string& text, std::string_view name, std::string_view value) {
    add_field(text, name, without_macros(value));
  };
  std::string text =
      "%global debug_package %{nil}\n"
      "%global __os_install_post %{nil}\n"
      "%global _build_id_links none\n"
      "%global _binaries_in_noarch_packages_terminate_build 0\n"
      "AutoReqProv: no\n";
  field(text, "Name", package.name);
  field(text, "Version", package.version);
  field(text, "Release", package.release);
  field(text, "Summary", package.summary);
  field(text, "License", package.license.empty() ? "unknown" : package.license);
  field(text, "URL", package.url);
  field(text, "Requires", package.requirements);
  field(text, "Recommends", package.recommendation);
  field(text, "Provides", package.provides);
  field(text, "Conflicts", package.conflicts);
  text += "\n%description\n" + rpm_description(package.description) + "\n%files\n";
  for (const auto& file : files) {
    text += rpm_line(file);
  }
  return text;
}

}  // namespace berth::render
