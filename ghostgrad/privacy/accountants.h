// SPDX-License-Identifier: Apache-2.0
// The accountants by name. Adding one is adding a row to the table in accountants.cpp; help texts and docs come from it.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "ghostgrad/privacy/accountant.h"

namespace ghostgrad::privacy {

using AccountantFactory = std::function<std::unique_ptr<Accountant>()>;

struct AccountantRow {
  std::string_view name;
  std::string_view what;
  std::string_view source;
  std::unique_ptr<Accountant> (*make)(Adjacency);
};

[[nodiscard]] const std::vector<AccountantRow>& accountants();

/// A fresh accountant; base::InvalidArgument for a name that is not in the table, base::Unsupported for an adjacency it cannot serve.
[[nodiscard]] std::unique_ptr<Accountant> make_accountant(std::string_view name, Adjacency adjacency = Adjacency::add_remove);

/// Tight, and fast enough to ask often.
inline constexpr std::string_view kUsualAccountant = "pld";

/// Who should answer for an event when nobody is named: the usual one, or rdp where that does not serve the event.
[[nodiscard]] std::string_view usual_accountant(const Event& event, Adjacency adjacency);

}  // namespace ghostgrad::privacy
