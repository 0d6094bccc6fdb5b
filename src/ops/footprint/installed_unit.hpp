// The unit file and the tmpfiles.d lines of an installed container as an administrator may have left them: edited,
// masked, or removed; and the settings beside them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/state/deployment.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// Whether the unit file is a mask: a link to /dev/null, or an empty file (systemd.unit(5)).
bool is_masked(const Context& context, const std::string& name);

/// The same of any configuration file of systemd. @param path inside the root
bool is_mask(const Context& context, const std::string& path);

/// @throws Error(failed) when the unit is masked, with how it comes back: `systemctl unmask` would remove it
void refuse_masked(const Context& context, const std::string& name);

/// A text of the host, also by way of a link; nullopt when there is none, or something that is no text.
std::optional<std::string> text_on_host(const Context& context, const std::string& path);

/// What stands for the file, or the link, that is at `path`, to tell whether it is still that one; empty for nothing.
/// @throws Error(conflict) when something else is there
std::string checksum_on_host(const Context& context, const std::string& path);

/// The text of the unit as it was installed, from the deployment; nullopt when there is none that can be read.
std::optional<std::string> installed_unit_text(const host::Deployment& deployment);

/// What is wrong with the files that berth keeps in a deployment beside its info; empty when nothing is.
/// @param path of the deployment, as this process opens it
std::string damage_of_deployment(const std::string& path, const std::string& name, bool has_service);

/// Paths under which what an administrator wrote into our files, or the link that he put in their place, is kept when
/// they go; empty for what is not edited. A text is kept, too, when the deployment no longer tells what was installed.
struct SavedTexts {
  std::string unit;
  std::string tmpfiles;
};
SavedTexts saved_texts(const Context& context, const host::Deployment& deployment);

/// Ends the waiting of the file that was put aside for `path`: it gets the name `saved`, or goes when that is empty.
/// May run several times.
/// @param secret of the change @param checksum sha256 hex of what was put aside; empty when that is not known
void drop_or_save(const Context& context, const std::string& secret, const std::string& path, const std::string& saved,
                  const std::string& checksum);

/// Whether unit file or tmpfiles.d lines of a container are gone that was installed with them.
bool misses_texts(const Context& context, const host::Deployment& deployment);

/// Writes unit file and tmpfiles.d lines again when somebody removed them, and has systemd read the unit. The caller
/// holds the lock. @return whether something was missing
bool restore_missing_texts(Context& context, const host::Deployment& deployment);

/// Drop-ins and files of `systemctl set-property` for the container's unit, inside the root. They outlive it.
std::vector<std::string> settings_beside(const Context& context, const std::string& name);

/// The unit of an installed container. @throws Error(not_found), Error(usage) for one without a service
std::string unit_of(Context& context, const std::string& name);

}  // namespace berth::ops
