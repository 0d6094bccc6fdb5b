// SPDX-License-Identifier: LGPL-2.1-or-later
// The directory of `atomic`, and how the files of a container move between it and that of berth.
#pragma once

#include <string>
#include <vector>

#include "base/fd.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// Both directories of deployments. All names are relative to them.
class AdoptedPlaces {
 public:
  /// @param from directory of `atomic`, inside the root
  /// @throws Error(not_found) when it does not exist
  AdoptedPlaces(const Context& context, const std::string& from);

  [[nodiscard]] const std::string& from() const { return from_; }
  [[nodiscard]] const std::string& to() const { return to_; }
  /// Whether both are the same directory.
  [[nodiscard]] bool same() const;
  /// @throws Error(failed) when they are on different file systems
  void refuse_other_file_system() const;

  /// Containers in the directory of `atomic` that are not adopted, sorted.
  [[nodiscard]] std::vector<std::string> waiting() const;
  /// Adopted containers.
  [[nodiscard]] std::vector<std::string> adopted() const;
  /// The deployments NAME.0 and NAME.1 that are directories in `place`.
  [[nodiscard]] std::vector<std::string> slots(int place, const std::string& name) const;

  /// Moves a container to berth's directory and leaves links. May be done again after an interruption.
  void take(const std::string& name) const;
  /// Moves a container back. Its link names the slot in the directory of `atomic` again.
  void give_back(const std::string& name) const;
  /// Removes the links of a container that was removed.
  void remove_links(const std::string& name) const;

  [[nodiscard]] int from_directory() const { return from_directory_.get(); }
  [[nodiscard]] int to_directory() const { return to_directory_.get(); }

 private:
  [[nodiscard]] bool leads_to_berth(const std::string& entry) const;
  static void exchange(int here, int there, const std::string& name, const std::string& target);

  std::string from_;
  std::string to_;
  base::Fd from_directory_;
  base::Fd to_directory_;
};

/// Name of the record below berth's deployments.
inline constexpr const char* adoptions_record = ".adopted";
/// One entry of it.
struct Adoption {
  std::string from;
  bool repository = false;  ///< the repository was moved; it is moved back with the last container
};
std::vector<Adoption> read_adoptions(const Context& context);
void write_adoptions(const Context& context, const std::vector<Adoption>& adoptions);

}  // namespace berth::ops
