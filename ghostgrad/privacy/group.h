// SPDX-License-Identifier: Apache-2.0
// Group privacy: what is promised to k examples at once, say all of one person.
//
//     chained    the curve, used k times from one data set to the next:  delta_k = delta(epsilon) (1 + e^epsilon + ... + e^((k-1) epsilon))
//                at k epsilon, for the best epsilon [DR14, Thm 2.2], [Vad17, Lemma 2.2]
//     together   all k are in or all are out. At each release at least one of them is drawn with probability 1 - (1-q)^k, and together
//                they move the sum by at most k C: never worse than gaussian(sigma / k), Poisson-sampled at 1 - (1-q)^k. For likelihood
//                ratios grow with the sum, and the true mixture of shifts is stochastically below this one [Gan24]. Exact for q = 1.
//
//     group_bounds(event, {.size = 4, .delta = 1e-5}, [] { return make_accountant("rdp"); }).front().epsilon;
//
// Guarantee: each bound holds if the accountant's do. "chained" is for every adjacency; "together" is for add_remove and zero_out,
// and only for Gaussian events, plain or Poisson-sampled, however they are composed.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ghostgrad/privacy/accountants.h"

namespace ghostgrad::privacy {

struct Group {
  std::int64_t size;
  double delta;
};

struct GroupBound {
  double epsilon;
  std::string_view by;  // "chained" or "together"
};

/// The event as the whole group sees it, or nothing where "together" does not apply.
[[nodiscard]] std::optional<Event> together(const Event& event, std::int64_t group_size);

/// Every bound that applies, the least first.
[[nodiscard]] std::vector<GroupBound> group_bounds(const Event& event, const Group& group, const AccountantFactory& accountant);

}  // namespace ghostgrad::privacy
