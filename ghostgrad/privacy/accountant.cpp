// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/accountant.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/privacy/checks.h"

namespace ghostgrad::privacy {

bool Accountant::supports(const Event& event) const {
  return std::ranges::all_of(parts(event), [&](const Part& part) { return promises_nothing(part.event) || supports_part(part.event); });
}

void Accountant::require_support(const Part& part) const {
  if (promises_nothing(part.event) || supports_part(part.event)) return;
  throw base::Unsupported(std::string(name()), fmt::format("cannot account for this event under {}", to_text(adjacency_)),
                          to_text(part.event), "choose an accountant or an adjacency that supports it");
}

void Accountant::compose(const Event& event, std::int64_t count) {
  const auto all = parts(event, count);
  auto released = released_;
  for (const auto& part : all) {
    require_support(part);
    released = checked_sum(released, part.count);
  }
  released_ = released;
  for (const auto& part : all) {
    if (promises_nothing(part.event)) {
      promises_nothing_ = true;
    } else {
      add(part);
    }
  }
}

Bound Accountant::epsilon(double delta) const {
  checked_delta(delta);
  if (promises_nothing_) return {.value = std::numeric_limits<double>::infinity(), .warnings = {"there is no noise: no privacy"}};
  return released_ == 0 ? Bound{} : epsilon_of_all(delta);
}

Bound Accountant::delta(double epsilon) const {
  checked_epsilon(epsilon);
  if (promises_nothing_) return {.value = 1, .warnings = {"there is no noise: no privacy"}};
  return released_ == 0 ? Bound{} : delta_of_all(epsilon);
}

}  // namespace ghostgrad::privacy
