// SPDX-License-Identifier: Apache-2.0
// An accountant turns events into (epsilon, delta). One file per accountant; all are judged by one abstract test suite.
//
//     auto accountant = make_accountant("rdp");                                 // privacy/accountants.h
//     accountant->compose(poisson_sampled(0.01, gaussian(1.0)), 1000);
//     accountant->epsilon(1e-5).value;
//
// Guarantees, for every accountant: the value is an upper bound (an accountant that only approximates says so in each Bound and in its
// warnings); nothing composed gives epsilon 0; an event that promises nothing gives infinity and delta 1; an event that the accountant
// cannot serve is refused with base::Unsupported however deep it is nested, and then nothing of the whole event was composed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ghostgrad/privacy/adjacency.h"
#include "ghostgrad/privacy/events.h"

namespace ghostgrad::privacy {

/// An epsilon or a delta, and what its reader must know. `value` is the guaranteed upper bound: it alone may be promised.
struct Bound {
  double value = 0;
  std::optional<double> lower{};     // the exact value is not below this
  std::optional<double> estimate{};  // between the two, likely closer than either
  bool is_approximation = false;     // `value` guarantees nothing: refuse it where a promise is made
  std::vector<std::string> warnings{};
};

class Accountant {
 public:
  explicit Accountant(Adjacency adjacency) : adjacency_(adjacency) {}
  Accountant(const Accountant&) = delete;
  Accountant& operator=(const Accountant&) = delete;
  virtual ~Accountant() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] Adjacency adjacency() const noexcept { return adjacency_; }

  [[nodiscard]] bool supports(const Event& event) const;

  /// Adds `count` times the event to what was released.
  void compose(const Event& event, std::int64_t count = 1);

  /// The epsilon for this delta in (0, 1).
  [[nodiscard]] Bound epsilon(double delta) const;

  /// The delta for this epsilon >= 0.
  [[nodiscard]] Bound delta(double epsilon) const;

 private:
  // A part is neither composed nor repeated and promises something.
  [[nodiscard]] virtual bool supports_part(const Event& event) const = 0;
  virtual void add(const Part& part) = 0;
  [[nodiscard]] virtual Bound epsilon_of_all(double delta) const = 0;
  [[nodiscard]] virtual Bound delta_of_all(double epsilon) const = 0;

  void require_support(const Part& part) const;

  Adjacency adjacency_;
  std::int64_t released_ = 0;
  bool promises_nothing_ = false;
};

}  // namespace ghostgrad::privacy
