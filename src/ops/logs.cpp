#include "ops/logs.hpp"

#include "ops/service.hpp"

namespace berth::ops {

void logs(Session& session, const std::string& name, host::LogQuery query,
          const std::function<bool(const host::LogEntry&)>& take, const std::function<bool()>& go_on) {
  query.unit = unit_of(session, name);
  query.own_user = session.layout.user().has_value();
  if (session.layout.offline()) {
    query.root = session.layout.root();
  }
  host::read_log(query, take, go_on);
}

}  // namespace berth::ops
