// The directory of the older tool, and how a container's files change places between it and berth's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// Both directories of deployments. All names are relative to them.
class AdoptedPlaces {
 public:
  /// @param from the older tool's directory, inside the root
  /// @throws Error(not_found) when it does not exist
  AdoptedPlaces(const Context& context, const std::string& from);

  [[nodiscard]] const std::string& from() const { return from_; }
  [[nodiscard]] const std::string& to() const { return to_; }
  /// Whether both are one directory, by whatever path.
  [[nodiscard]] bool same() const;
  /// @throws Error(failed) when nothing can be moved between them, with the remedy
  void refuse_other_file_system() const;

  /// Containers of the older tool's directory that are not adopted, sorted.
  [[nodiscard]] std::vector<std::string> waiting() const;
  /// Those that are adopted.
  [[nodiscard]] std::vector<std::string> adopted() const;
  /// The deployments NAME.0 and NAME.1 that are directories in `place`.
  [[nodiscard]] std::vector<std::string> slots(int place, const std::string& name) const;

  /// Moves a container to berth's directory and leaves links. May be done again after an interruption.
  void take(const std::string& name) const;
  /// The reverse. The link names the older tool's slot again.
  void give_back(const std::string& name) const;
  /// Removes the links of a container that is gone.
  void remove_links(const std::string& name) const;

  [[nodiscard]] int from_directory() const { return from_directory_.get(); }
  [[nodiscard]] int to_directory() const { return to_directory_.get(); }

 private:
  [[nodiscard]] bool leads_to_us(const std::string& entry) const;
  static void exchange(int here, int there, const std::string& name, const std::string& target);

  std::string from_;
  std::string to_;
  base::Fd from_directory_;
  base::Fd to_directory_;
};

/// Name of the record below berth's deployments.
inline constexpr const char* adoptions_record = ".adopted";
/// One line of it.
struct Adoption {
  std::string from;
  bool repository = false;  ///< the repository was moved, and goes back with the last container
};
std::vector<Adoption> read_adoptions(const Context& context);
void write_adoptions(const Context& context, const std::vector<Adoption>& adoptions);

}  // namespace berth::ops
