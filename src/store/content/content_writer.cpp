// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/content/content_writer.hpp"

#include <utility>

namespace berth::store {

ContentWriter::ContentWriter(const Repository& repository, StreamDigest* digest)
    : writer_(std::in_place_type<OstreeWriter>, repository) {
  if (auto* staging = repository.staging()) {
    writer_.emplace<ObjectWriter>(*staging, repository.mode(), digest);
  }
}

Checksum ContentWriter::file(const Ownership& ownership, Content content) {
  return std::visit([&](auto& writer) { return writer.file(ownership, std::move(content)); }, writer_);
}

Checksum ContentWriter::symbolic_link(std::uint32_t uid, std::uint32_t gid, const std::string& target) {
  return std::visit([&](auto& writer) { return writer.symbolic_link(uid, gid, target); }, writer_);
}

Checksum ContentWriter::marker() {
  return file(Ownership{0, 0, 0644, {}}, Content(0, [](std::span<std::byte>) { return std::size_t{0}; }));
}

}  // namespace berth::store
