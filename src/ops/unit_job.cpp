#include "ops/unit_job.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "ops/service.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

}  // namespace

void stop_or_throw(Session& session, const std::string& unit) {
  if (const auto job = session.systemd.stop(unit); !job.done) {
    throw Error(ErrorKind::failed, fmt::format("{} could not be stopped: {}", unit, job.words),
                fmt::format("stop it with {} stop {} and try again", session.layout.command("systemctl"), unit));
  }
}

void start_or_throw(Session& session, const std::string& unit) {
  try {
    if (const auto job = session.systemd.start(unit); !job.done) {
      throw_start_failed(session, unit, job, ErrorKind::start_failed);
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::start_failed || error.kind() == ErrorKind::interrupted) {
      throw;
    }
    throw Error(ErrorKind::start_failed, error.what(), error.hint());
  }
}

void start_again(Session& session, const std::string& unit) {
  const auto warn = [&](const std::string& reason) {
    session.reporter.warning(fmt::format("{} did not start again: {}", unit, reason));
  };
  try {
    if (const auto job = session.systemd.start(unit); !job.done) {
      warn(job.words);
    }
  } catch (const Error& error) {
    session.systemd.state(unit);  // who answers has refused, and will refuse the next time
    warn(error.what());
  }
}

}  // namespace berth::ops
