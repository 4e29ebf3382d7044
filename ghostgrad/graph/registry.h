// SPDX-License-Identifier: Apache-2.0
// The table of transfer functions: each file of ops/ registers its family.
//
//     const Registered scans = transfers<CumsumBackward0, CumprodBackward0>([](const auto& node, Transfer& t) { t.all_but(node.dim); });
//     const Registered same = transfers({"ViewBackward0", "UnsafeViewBackward0"}, [](Transfer& t) { t.same_order(); });
//
// Ops with attributes are keyed by their generated class, so a custom Function that calls itself "SoftmaxBackward0" is never taken for
// one; ops without are keyed by name, and only a node that libtorch itself made is looked up by name.
#pragma once

#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <typeindex>
#include <typeinfo>
#include <utility>

#include "ghostgrad/graph/transfer.h"
#include "ghostgrad/graph/versions.h"

namespace ghostgrad::graph {

using TransferFunction = std::function<void(Transfer&)>;

/// What a transfer function takes care of itself.
struct Handles {
  bool every_slot = false;  // else it is called only when slot 0 alone carries gradient
  bool single = false;      // else a gradient that is one example's stays that example's on every edge, whatever the op
};

struct TransferRule {
  TransferFunction function;
  Handles handles;
};

/// Proof that something was registered; keeps the static object that did it.
class Registered {
 public:
  Registered() {}
};

void register_transfer(std::type_index type, TransferRule rule);
void register_transfer(std::string op, TransferRule rule);

/// Registers f(const NodeClass&, Transfer&) for each class that this libtorch has (versions.h names those that some lack).
template <class... NodeClasses, class F>
Registered transfers(F f, Handles handles = {}) {
  const auto add = [&]<class N>(std::type_identity<N>) {
    if constexpr (requires { sizeof(N); }) {
      register_transfer(typeid(N), {[f](Transfer& t) { f(static_cast<const N&>(*t.node()), t); }, handles});
    }
  };
  (add(std::type_identity<NodeClasses>{}), ...);
  return {};
}

/// Registers f(Transfer&) for native ops of these names.
Registered transfers(std::initializer_list<const char*> ops, const TransferFunction& f, Handles handles = {});

/// Carries ownership through one node whose live slots are all resolved: fills `results` [edges].
/// False if there is no rule for the op, which then mixes for all that is known.
bool carry(const NodeView& view, std::span<Ownership> results);

/// For tests only: puts a wrong transfer function in an op's place, by name, until the end of the scope.
///
///     const ScopedOverride broken("SoftmaxBackward0", [](Transfer& t, const TransferFunction& right) { t.elementwise(); });
class ScopedOverride {
 public:
  using Broken = std::function<void(Transfer&, const TransferFunction& right)>;
  ScopedOverride(std::string op, Broken broken);
  ~ScopedOverride();
  ScopedOverride(const ScopedOverride&) = delete;
  ScopedOverride& operator=(const ScopedOverride&) = delete;

 private:
  std::string op_;
};

}  // namespace ghostgrad::graph
