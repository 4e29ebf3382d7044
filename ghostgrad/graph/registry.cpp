// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/registry.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <unordered_map>

#include "ghostgrad/graph/autograd.h"

namespace ghostgrad::graph {
namespace {

struct Registry {
  std::mutex mutex;
  std::unordered_map<std::type_index, TransferRule> by_class;
  std::unordered_map<std::string, TransferRule> by_name;
  std::unordered_map<std::string, ScopedOverride::Broken> broken;
  std::atomic<uint64_t> version{0};  // moves with every change, so that the threads' look-ups start afresh
};

Registry& registry() {
  static Registry all;
  return all;
}

struct Found {
  TransferRule rule;  // without a function if there is none
  bool native = false;
};

/// The slow look-up, once per class, thread and version of the registry.
Found look_up(const Node& node) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  Found found{{}, is_native(node)};
  const auto typed = all.by_class.find(typeid(node));
  if (typed != all.by_class.end()) found.rule = typed->second;
  if (!found.native) return found;
  const std::string name = short_name(node);
  const auto named = all.by_name.find(name);
  if (!found.rule.function && named != all.by_name.end()) found.rule = named->second;
  const auto broken = all.broken.find(name);
  if (broken != all.broken.end()) {
    found.rule.function = [right = found.rule.function, wrong = broken->second](Transfer& t) { wrong(t, right); };
  }
  return found;
}

const Found& find(const Node& node) {
  thread_local uint64_t version = 0;
  thread_local std::unordered_map<std::type_index, Found> known;
  const uint64_t now = registry().version.load(std::memory_order_acquire);
  if (version != now) {
    known.clear();
    version = now;
  }
  const auto it = known.find(typeid(node));
  return it != known.end() ? it->second : known.emplace(typeid(node), look_up(node)).first->second;
}

/// The example that all live slots belong to, or -1.
int64_t only_example(const NodeView& view) {
  int64_t example = -1;
  for (const Ownership& slot : view.slots) {
    if (!slot.live()) continue;
    if (slot.kind != Ownership::Kind::single || (example >= 0 && slot.example != example)) return -1;
    example = slot.example;
  }
  return example;
}

bool only_first_is_live(const NodeView& view) {
  return view.slots[0].live() && std::none_of(view.slots.begin() + 1, view.slots.end(), [](const Ownership& slot) { return slot.live(); });
}

}  // namespace

void register_transfer(std::type_index type, TransferRule rule) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  all.by_class.insert_or_assign(type, std::move(rule));
  ++all.version;
}

void register_transfer(std::string op, TransferRule rule) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  all.by_name.insert_or_assign(std::move(op), std::move(rule));
  ++all.version;
}

Registered transfers(std::initializer_list<const char*> ops, const TransferFunction& f, Handles handles) {
  for (const char* op : ops) register_transfer(std::string(op), {f, handles});
  return {};
}

bool carry(const NodeView& view, std::span<Ownership> results) {
  Transfer transfer(view, results);
  const Found& found = find(*view.node);
  const int64_t example = only_example(view);
  if (example >= 0 && found.native && (view.examples == 1 || !found.rule.handles.single)) {
    // Every native backward is linear in its slots: what one example sends in comes out as that example's.
    for (int edge = 0; edge < transfer.edges(); ++edge) transfer.set(edge, Ownership::single(example));
    return true;
  }
  if (!found.rule.function) return false;
  if (found.rule.handles.every_slot || only_first_is_live(view)) found.rule.function(transfer);
  return true;
}

ScopedOverride::ScopedOverride(std::string op, Broken broken) : op_(std::move(op)) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  all.broken.insert_or_assign(op_, std::move(broken));
  ++all.version;
}

ScopedOverride::~ScopedOverride() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  all.broken.erase(op_);
  ++all.version;
}

}  // namespace ghostgrad::graph
