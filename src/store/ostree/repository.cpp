// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/repository.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <set>
#include <utility>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/scope_exit.hpp"
#include "base/sha256.hpp"
#include "base/shown_text.hpp"
#include "store/ostree/libostree.hpp"
#include "store/ostree/object_files.hpp"
#include "store/ostree/object_staging.hpp"
#include "store/ostree/refs.hpp"
#include "store/ostree/repository_creation.hpp"
#include "store/ostree/staging.hpp"
#include "store/ostree/xattrs.hpp"
#include "store/tree/entry_name.hpp"

namespace berth::store {
namespace {

constexpr int metadata_limit = OSTREE_MAX_METADATA_SIZE;  // bytes of a directory or commit
constexpr const char* repair_hint = "berth images verify shows the images concerned, berth images repair repairs them";

/// How many bytes of objects are written between two syncs for the sake of others.
constexpr std::uint64_t gentle_interval = std::uint64_t{16} << 20U;

/// Types of the values that metadata objects are; see ostree-core.h.
const GVariantType* type_of_value(OstreeObjectType type) {
  switch (type) {
    case OSTREE_OBJECT_TYPE_DIR_TREE:
      return OSTREE_TREE_GVARIANT_FORMAT;
    case OSTREE_OBJECT_TYPE_DIR_META:
      return OSTREE_DIRMETA_GVARIANT_FORMAT;
    default:
      return OSTREE_COMMIT_GVARIANT_FORMAT;
  }
}

VariantPtr variant_of(OstreeObjectType type, std::string bytes) {
  const auto size = bytes.size();
  auto* kept = new std::string(std::move(bytes));
  const auto release = [](gpointer text) { delete static_cast<std::string*>(text); };
  return own(g_variant_new_from_data(type_of_value(type), kept->data(), size, FALSE, release, kept));
}

Checksum checksum_child(GVariant* parent, std::size_t index) {
  const VariantPtr child(g_variant_get_child_value(parent, index));
  gsize count = 0;
  const auto* bytes = static_cast<const std::uint8_t*>(g_variant_get_fixed_array(child.get(), &count, 1));
  return Checksum::from_bytes(std::span(bytes, count));
}

std::string name_child(GVariant* parent) {
  const VariantPtr child(g_variant_get_child_value(parent, 0));
  std::string name = g_variant_get_string(child.get(), nullptr);
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("a stored directory has an entry with the name {}", base::quoted_name(name)),
                      "the repository is damaged; run `ostree fsck` on it");
  }
  return name;
}

std::uint64_t timestamp_child(GVariant* commit) {
  constexpr std::size_t timestamp_index = 5;
  const VariantPtr child(g_variant_get_child_value(commit, timestamp_index));
  return GUINT64_FROM_BE(g_variant_get_uint64(child.get()));
}

GVariant* checksum_variant(const Checksum& checksum) {
  return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, checksum.bytes.data(), checksum.bytes.size(), 1);
}

VariantPtr meta_variant(const Ownership& ownership) {
  auto xattrs = xattrs_variant(ownership.xattrs);
  if (!xattrs) {
    xattrs = own(g_variant_new_array(G_VARIANT_TYPE("(ayay)"), nullptr, 0));
  }
  const std::uint32_t mode = S_IFDIR | ownership.permissions;
  return own(g_variant_new("(uuu@a(ayay))", GUINT32_TO_BE(ownership.uid), GUINT32_TO_BE(ownership.gid),
                           GUINT32_TO_BE(mode), xattrs.get()));
}

void read_to_end(const base::Fd& file, const std::string& name) {
  std::array<char, std::size_t{64} << 10U> piece{};
  while (base::check_errno(static_cast<int>(::read(file.get(), piece.data(), piece.size())), "read " + name) > 0) {
  }
}

/// More than the time between the creation of a staging directory and of its lock in libostree.
constexpr std::chrono::seconds libostree_pause{60};

}  // namespace

Checksum name_of_meta(const Ownership& ownership) {
  const auto value = meta_variant(ownership);
  const std::string_view bytes(static_cast<const char*>(g_variant_get_data(value.get())),
                               g_variant_get_size(value.get()));
  return Checksum::from_hex(base::digest_of(bytes).hex());
}

Ownership implied_ownership() {
  return {0, 0, 0755, {{implied_directory_xattr, "1"}}};
}

Ownership plain_ownership() {
  return {};
}

struct Repository::Handle {
  std::mutex reported_lock;
  std::set<std::string> reported;  ///< damaged branches
  std::once_flag once;
  GObjectPtr<OstreeRepo> repo;
};

Repository::Repository(base::Fd directory, StoredConfig config, const StoreOptions& options)
    : directory_(std::move(directory)),
      config_(config.config),
      damage_(std::move(config.damage)),
      path_(options.repository),
      handle_(std::make_unique<Handle>()),
      writer_(options.writer),
      durability_(options.durability),
      reporter_(options.reporter) {}
Repository::Repository(Repository&&) noexcept = default;
Repository& Repository::operator=(Repository&&) noexcept = default;
Repository::~Repository() = default;

Repository Repository::open_directory(const StoreOptions& options) {
  auto directory = base::open_host_directory(options.repository);
  refuse_links(directory.get(), options.repository);
  auto config = read_config(directory.get(), options);
  return {std::move(directory), std::move(config), options};
}

Repository Repository::open(const StoreOptions& options) {
  if (!is_repository(options.repository)) {
    make_repository(options);
  }
  auto repository = open_directory(options);
  repository.refuse_damaged_config();
  return repository;
}

std::optional<Repository> Repository::open_existing(const StoreOptions& options) {
  if (!is_repository(options.repository)) {
    return std::nullopt;
  }
  auto repository = open_directory(options);
  if (const auto& damage = repository.damage_) {
    options.reporter->warning(fmt::format("{}; {}", damage->message(), damage->hint()));
  }
  return repository;
}

void Repository::refuse_damaged_config() const {
  if (damage_) {
    throw base::Error(*damage_);
  }
}

OstreeRepo* Repository::handle() const {
  std::call_once(handle_->once, [this] {
    refuse_damaged_config();
    Failure failure;
    handle_->repo.reset(libostree().repo_open_at(directory(), ".", nullptr, failure.out()));
    if (!handle_->repo) {
      failure.raise("open the repository " + path_);
    }
  });
  return handle_->repo.get();
}

bool Repository::has(const ObjectName& name) const {
  return base::stat_at(directory(), object_path(name)).has_value();
}

void Repository::warn_once(const DamagedBranch& branch) const {
  const std::scoped_lock guard(handle_->reported_lock);
  if (handle_->reported.insert(branch.name).second) {
    reporter_->warning(fmt::format("{}; {}", describe_damage(branch), branch_hint));
  }
}

std::optional<Checksum> Repository::resolve(const std::string& branch) const {
  try {
    const auto commit = read_branch(directory(), branch);
    return commit && has({OSTREE_OBJECT_TYPE_COMMIT, *commit}) ? commit : std::nullopt;
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::verification) {
      throw;
    }
    static_cast<void>(branches());  // warns
    return std::nullopt;
  }
}

std::vector<Branch> Repository::branches() const {
  auto listing = list_branches(directory(), "ociimage");
  std::for_each(listing.damaged.begin(), listing.damaged.end(), [this](const auto& branch) { warn_once(branch); });
  return std::move(listing.sound);
}

std::vector<DamagedBranch> Repository::damaged_branches() const {
  return list_branches(directory(), "ociimage").damaged;
}

std::vector<Branch> Repository::all_refs() const {
  auto listing = list_refs(directory());
  std::for_each(listing.damaged.begin(), listing.damaged.end(), [this](const auto& branch) { warn_once(branch); });
  return std::move(listing.sound);
}

std::vector<DamagedBranch> Repository::damaged_refs() const {
  return list_refs(directory()).damaged;
}

std::string Repository::path_of(const ObjectName& name) const {
  return fmt::format("{}/{}", path_, object_path(name));
}

void Repository::remove_branch(const std::string& branch) const {
  base::unlink_at(directory(), branch_path(branch));
  sync_refs();
}

/// Makes the set of branches durable, which libostree does not do, and notifies programs that wait for changes of them.
void Repository::sync_refs() const {
  ::futimens(directory(), nullptr);
  if (!syncs()) {
    return;
  }
  for (const char* directory : {"refs/heads/ociimage", "refs/heads"}) {
    if (base::stat_at(this->directory(), directory)) {
      base::sync_at(this->directory(), directory);
    }
  }
}

// libostree would block on a fifo.
std::optional<ObjectFault> Repository::check_presence(const ObjectName& name) const {
  const auto status = base::stat_at(directory(), object_path(name));
  if (!status) {
    return ObjectFault{name, true, "it does not exist"};
  }
  const bool link = S_ISLNK(status->st_mode) && name.type == OSTREE_OBJECT_TYPE_FILE;
  return S_ISREG(status->st_mode) || link ? std::nullopt : std::optional(ObjectFault{name, false, "it is not a file"});
}

std::optional<ObjectFault> Repository::verify(const ObjectName& name) const {
  auto fault = name.type == OSTREE_OBJECT_TYPE_FILE ? verify_content(name) : check_presence(name);
  if (fault) {
    return fault;
  }
  Failure failure;
  if (libostree().repo_fsck_object(handle(), name.type, name.checksum.hex().c_str(), nullptr, failure.out()) != 0) {
    return std::nullopt;
  }
  // An error of the disk or the system is not damage; libostree makes no difference.
  const auto path = object_path(name);
  if (const auto status = base::stat_at(directory(), path); status && S_ISREG(status->st_mode)) {
    read_to_end(base::open_at(directory(), path, O_RDONLY | O_NONBLOCK), path_of(name));
  }
  return ObjectFault{name, failure.is_not_found(), std::string(failure.message())};
}

/// The mode of a content object; 0 when it is not known. In a bare-user repository it is in the file's metadata,
/// `(uuua(ayay))`: owner, group and mode in network byte order, then extended attributes.
mode_t Repository::described_mode(const std::string& path, const struct stat& status) const {
  if (mode() == RepositoryMode::bare || !S_ISREG(status.st_mode)) {
    return status.st_mode;
  }
  std::array<std::uint32_t, 3> header{};
  std::vector<char> value(std::size_t{64} << 10U);
  const auto place = fmt::format("/proc/self/fd/{}/{}", directory(), path);
  const auto size = ::getxattr(place.c_str(), "user.ostreemeta", value.data(), value.size());
  if (size < static_cast<ssize_t>(sizeof header)) {
    return 0;
  }
  std::memcpy(header.data(), value.data(), sizeof header);
  return GUINT32_FROM_BE(header[2]);
}

// libostree aborts the process for a content object of a type that it never writes.
std::optional<ObjectFault> Repository::verify_content(const ObjectName& name) const {
  if (auto fault = check_presence(name)) {
    return fault;
  }
  const auto path = object_path(name);
  const auto status = base::stat_at(directory(), path);
  const auto mode = status ? described_mode(path, *status) : 0;
  if (mode == 0) {
    return ObjectFault{name, false, "it has no metadata"};
  }
  if (S_ISREG(mode) || S_ISLNK(mode)) {
    return std::nullopt;
  }
  return ObjectFault{name, false, "it is neither a file nor a link"};
}

mode_t Repository::type_of(const Checksum& content) const {
  const auto path = object_path({OSTREE_OBJECT_TYPE_FILE, content});
  const auto status = base::stat_at(directory(), path);
  if (!status) {
    throw base::Error(base::ErrorKind::not_found,
                      fmt::format("the object {} is not stored", path_of({OSTREE_OBJECT_TYPE_FILE, content})),
                      repair_hint);
  }
  const mode_t type = described_mode(path, *status) & static_cast<mode_t>(S_IFMT);
  if (!S_ISREG(type) && !S_ISLNK(type)) {
    throw base::Error(
        base::ErrorKind::verification,
        fmt::format("the object {} is neither a file nor a link", path_of({OSTREE_OBJECT_TYPE_FILE, content})),
        repair_hint);
  }
  return type;
}

std::optional<std::string> Repository::read_file(const Checksum& commit, const std::string& path,
                                                 std::uint64_t limit) const {
  auto directory = load_commit(commit).root;
  const auto components = base::safe_components(path, path);
  for (std::size_t i = 0; i + 1 < components.size(); ++i) {
    const auto listing = load_directory(directory.tree);
    const auto found = listing.directories.find(components[i]);
    if (found == listing.directories.end()) {
      return std::nullopt;
    }
    directory = found->second;
  }
  const auto listing = load_directory(directory.tree);
  const auto found = components.empty() ? listing.files.end() : listing.files.find(components.back());
  return found == listing.files.end() ? std::nullopt : read_content(found->second, path, limit);
}

std::optional<std::string> Repository::read_content(const Checksum& content, const std::string& name,
                                                    std::uint64_t limit) const {
  if (!S_ISREG(type_of(content))) {
    return std::nullopt;
  }
  const auto file = base::open_at(directory(), object_path({OSTREE_OBJECT_TYPE_FILE, content}), O_RDONLY | O_NONBLOCK);
  return base::read_all(file.get(), limit, name);
}

/// The bytes of a metadata object, from the open transaction or else from the repository.
std::optional<std::string> Repository::read_metadata(const ObjectName& name) const {
  if (staging_) {
    if (auto bytes = staging_->read(path_in_objects(name), metadata_limit)) {
      return bytes;
    }
  }
  if (const auto fault = check_presence(name); fault && !fault->missing) {
    throw base::Error(base::ErrorKind::verification, fmt::format("{} is not a file", path_of(name)), repair_hint);
  }
  return base::read_file_at(directory(), object_path(name), metadata_limit);
}

/// Whether a metadata object in `objects` matches its name.
bool Repository::is_sound(const ObjectName& name) const {
  if (check_presence(name)) {
    return false;
  }
  const auto bytes = base::read_file_at(directory(), object_path(name), metadata_limit);
  return bytes && base::digest_of(*bytes).hex() == name.checksum.hex();
}

VariantPtr Repository::load_object(OstreeObjectType type, const Checksum& name) const {
  VariantPtr owned;
  if (auto bytes = read_metadata({type, name})) {
    owned = variant_of(type, std::move(*bytes));
  } else {
    // Objects in a transaction of libostree can be read by libostree alone.
    Failure failure;
    GVariant* value = nullptr;
    if (libostree().repo_load_variant(handle(), type, name.hex().c_str(), &value, failure.out()) == 0) {
      failure.raise("read the object " + name.hex());
    }
    owned.reset(value);
  }
  const std::string_view bytes(static_cast<const char*>(g_variant_get_data(owned.get())),
                               g_variant_get_size(owned.get()));
  if (base::digest_of(bytes).hex() != name.hex()) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("the stored {} {} does not match its name", type_name(type), path_of({type, name})),
                      repair_hint);
  }
  return owned;
}

Commit Repository::load_commit(const Checksum& commit) const {
  // (metadata, parent, related, subject, body, timestamp, root tree, root meta); see ostree-core.h
  const auto value = load_object(OSTREE_OBJECT_TYPE_COMMIT, commit);
  constexpr std::size_t tree_index = 6;
  constexpr std::size_t meta_index = 7;
  return {{checksum_child(value.get(), tree_index), checksum_child(value.get(), meta_index)},
          static_cast<std::int64_t>(timestamp_child(value.get())),
          VariantPtr(g_variant_get_child_value(value.get(), 0))};
}

DirectoryListing Repository::load_directory(const Checksum& tree) const {
  const auto value = load_object(OSTREE_OBJECT_TYPE_DIR_TREE, tree);
  const VariantPtr files(g_variant_get_child_value(value.get(), 0));
  const VariantPtr directories(g_variant_get_child_value(value.get(), 1));
  DirectoryListing result;
  for (std::size_t i = 0; i < g_variant_n_children(files.get()); ++i) {
    const VariantPtr file(g_variant_get_child_value(files.get(), i));
    result.files.emplace_hint(result.files.end(), name_child(file.get()), checksum_child(file.get(), 1));
  }
  for (std::size_t i = 0; i < g_variant_n_children(directories.get()); ++i) {
    const VariantPtr directory(g_variant_get_child_value(directories.get(), i));
    const StoredDirectory stored{checksum_child(directory.get(), 1), checksum_child(directory.get(), 2)};
    result.directories.emplace_hint(result.directories.end(), name_child(directory.get()), stored);
  }
  return result;
}

Ownership Repository::load_meta(const Checksum& meta) const {
  const auto value = load_object(OSTREE_OBJECT_TYPE_DIR_META, meta);
  Ownership result;
  std::uint32_t mode = 0;
  GVariant* attributes = nullptr;
  g_variant_get(value.get(), "(uuu@a(ayay))", &result.uid, &result.gid, &mode, &attributes);
  const VariantPtr xattrs(attributes);
  result.uid = GUINT32_FROM_BE(result.uid);
  result.gid = GUINT32_FROM_BE(result.gid);
  constexpr std::uint32_t permission_bits = 07777;
  result.permissions = GUINT32_FROM_BE(mode) & permission_bits;
  for (std::size_t i = 0; i < g_variant_n_children(xattrs.get()); ++i) {
    const VariantPtr pair(g_variant_get_child_value(xattrs.get(), i));
    const VariantPtr name(g_variant_get_child_value(pair.get(), 0));
    const VariantPtr bytes(g_variant_get_child_value(pair.get(), 1));
    gsize size = 0;
    const auto* data = static_cast<const char*>(g_variant_get_fixed_array(bytes.get(), &size, 1));
    result.xattrs.emplace(g_variant_get_bytestring(name.get()), std::string(data, size));
  }
  return result;
}

Checksum Repository::stage_object(OstreeObjectType type, GVariant* value) const {
  const auto bytes =
      std::as_bytes(std::span(static_cast<const char*>(g_variant_get_data(value)), g_variant_get_size(value)));
  if (bytes.size() > std::size_t{metadata_limit}) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("a directory or commit of {} bytes is more than the {} that OSTree stores",
                                  bytes.size(), metadata_limit));
  }
  base::Sha256 hash;
  hash.update(bytes);
  const Checksum name{hash.finish()};
  const auto path = path_in_objects({type, name});
  // Commits are few, so an existing one is verified: a pull thereby replaces damaged commits.
  if (type == OSTREE_OBJECT_TYPE_COMMIT && staging_->is_stored(path) && !is_sound({type, name})) {
    staging_->replace(path);
  }
  if (!staging_->is_stored(path)) {
    constexpr mode_t mode = 0644;
    if (const auto file = staging_->create(path, mode)) {
      staging_->write(file->get(), bytes);
      staging_->set_mode(file->get(), mode, mode);
    }
  }
  return name;
}

Checksum Repository::write_object(OstreeObjectType type, GVariant* value) const {
  if (staging_) {
    return stage_object(type, value);
  }
  Failure failure;
  guchar* name = nullptr;
  if (libostree().repo_write_metadata(handle(), type, nullptr, value, &name, nullptr, failure.out()) == 0) {
    failure.raise("store a directory or commit");
  }
  const BytesPtr owned(name);
  return Checksum::from_bytes(std::span(name, Checksum().bytes.size()));
}

Checksum Repository::write_meta(const Ownership& ownership) const {
  return write_object(OSTREE_OBJECT_TYPE_DIR_META, meta_variant(ownership).get());
}

Checksum Repository::write_tree(const Directory& directory) const {
  GVariantBuilder files;
  GVariantBuilder directories;
  g_variant_builder_init(&files, G_VARIANT_TYPE("a(say)"));
  g_variant_builder_init(&directories, G_VARIANT_TYPE("a(sayay)"));
  try {
    for (const auto& [name, node] : directory.children) {
      if (const auto* content = std::get_if<Checksum>(&node)) {
        g_variant_builder_add(&files, "(s@ay)", name.c_str(), checksum_variant(*content));
      } else if (const auto* inner = directory_in(node)) {
        const auto tree = write_tree(*inner);
        g_variant_builder_add(&directories, "(s@ay@ay)", name.c_str(), checksum_variant(tree),
                              checksum_variant(inner->meta));
      }
    }
  } catch (...) {
    g_variant_builder_clear(&files);
    g_variant_builder_clear(&directories);
    throw;
  }
  const auto value = own(g_variant_new("(a(say)a(sayay))", &files, &directories));
  return write_object(OSTREE_OBJECT_TYPE_DIR_TREE, value.get());
}

Checksum Repository::write_commit(const StoredDirectory& root, std::int64_t timestamp, GVariant* metadata) const {
  GVariant* no_parent = g_variant_new_array(G_VARIANT_TYPE_BYTE, nullptr, 0);
  GVariant* no_related = g_variant_new_array(G_VARIANT_TYPE("(say)"), nullptr, 0);
  const auto time = GUINT64_TO_BE(static_cast<std::uint64_t>(std::max<std::int64_t>(timestamp, 0)));
  const auto value = own(g_variant_new("(@a{sv}@ay@a(say)sst@ay@ay)", metadata, no_parent, no_related, "", "", time,
                                       checksum_variant(root.tree), checksum_variant(root.meta)));
  return write_object(OSTREE_OBJECT_TYPE_COMMIT, value.get());
}

void Repository::begin_staging(ReplacedObjects replaced) const {
  const auto interval = durability_ == Durability::gentle ? gentle_interval : 0;
  staging_ = std::make_unique<ObjectStaging>(directory(),
                                             ObjectStaging::Options{reserve(), syncs(), interval, std::move(replaced)});
}

// The object writer needs nothing of libostree's transaction but its lock: the transaction would create a staging
// directory, and sync each of the 256 directories of objects.
Transaction::Transaction(const Repository& repository, ReplacedObjects replaced)
    : repository_(repository), own_(repository.writer_ == ObjectAuthor::own || !replaced.empty()) {
  if (repository.staging_) {
    throw base::Error(base::ErrorKind::failed, "the repository has an open transaction already");
  }
  repository.refuse_damaged_config();
  remove_stale_staging(repository.directory(), own_ ? libostree_pause : std::chrono::seconds::zero());
  if (own_) {
    lock_.emplace(repository.directory(), OstreeRepoLock::Kind::shared, repository.config());
    repository.begin_staging(std::move(replaced));
    return;
  }
  Failure failure;
  if (libostree().repo_prepare_transaction(repository.handle(), nullptr, nullptr, failure.out()) == 0) {
    failure.raise("begin a transaction in the repository");
  }
}

Transaction::~Transaction() {
  if (!open_) {
    return;
  }
  if (own_) {
    repository_.staging_.reset();
    return;
  }
  // The next transaction removes the rest.
  Failure failure;
  libostree().repo_abort_transaction(repository_.handle(), nullptr, failure.out());
  try {
    remove_stale_staging(repository_.directory());
  } catch (const base::Error&) {
    return;
  }
}

void Transaction::set_branch(const std::string& branch, const Checksum& commit) {
  if (own_) {
    repository_.staging_->set_branch(branch, commit.hex());
  } else {
    libostree().repo_transaction_set_ref(repository_.handle(), nullptr, branch.c_str(), commit.hex().c_str());
  }
}

void Transaction::commit() {
  if (own_) {
    repository_.staging_->publish();
    repository_.staging_.reset();
    lock_.reset();
  } else {
    Failure failure;
    if (libostree().repo_commit_transaction(repository_.handle(), nullptr, nullptr, failure.out()) == 0) {
      failure.raise("commit to the repository");
    }
  }
  open_ = false;
  repository_.sync_refs();
}

}  // namespace berth::store
