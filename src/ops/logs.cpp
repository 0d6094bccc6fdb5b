#include "ops/logs.hpp"

#include "base/error.hpp"
#include "host/deployment.hpp"
#include "host/layout.hpp"
#include "ops/service.hpp"

namespace berth::ops {

namespace {

/// Who may read the journal need not be root, and only root may read what a container was installed with: then the unit
/// of a container that is there will do.
std::string readable_unit(Session& session, const std::string& name) {
  try {
    return unit_of(session, name);
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::not_permitted || !host::current_slot(session.layout, name)) {
      throw;
    }
    return host::unit_name(name);
  }
}

}  // namespace

void logs(Session& session, const std::string& name, host::LogQuery query,
          const std::function<bool(const host::LogEntry&)>& take, const std::function<bool()>& go_on) {
  query.unit = readable_unit(session, name);
  query.own_user = session.layout.user().has_value();
  if (session.layout.offline()) {
    query.root = session.layout.root();
  }
  host::read_log(query, take, go_on);
}

}  // namespace berth::ops
