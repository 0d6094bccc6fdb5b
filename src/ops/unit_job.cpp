#include "ops/unit_job.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace berth::ops {

void stop_or_throw(Session& session, const std::string& unit) {
  if (const auto job = session.systemd.stop(unit); !job.done) {
    throw base::Error(base::ErrorKind::failed, fmt::format("{} could not be stopped: {}", unit, job.words),
                      fmt::format("stop it with systemctl stop {} and try again", unit));
  }
}

void start_again(Session& session, const std::string& unit) {
  if (const auto job = session.systemd.start(unit); !job.done) {
    throw base::Error(base::ErrorKind::failed, fmt::format("{} did not start again: {}", unit, job.words));
  }
}

}  // namespace berth::ops
