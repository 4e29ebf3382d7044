// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/adjacency.h"

#include <array>
#include <string>

#include "ghostgrad/base/error.h"

namespace ghostgrad::privacy {
namespace {

struct Row {
  Adjacency adjacency;
  std::string_view name;
  std::string_view words;
};

constexpr std::array rows = {
    Row{Adjacency::add_remove, "add_remove", "adding or removing one example"},
    Row{Adjacency::replace_one, "replace_one", "replacing one example by another"},
    Row{Adjacency::zero_out, "zero_out", "replacing one example by one that contributes nothing"},
};

constexpr const Row& row(Adjacency adjacency) { return rows.at(static_cast<std::size_t>(adjacency)); }

static_assert(row(Adjacency::replace_one).adjacency == Adjacency::replace_one && row(Adjacency::zero_out).adjacency == Adjacency::zero_out);

}  // namespace

std::string_view to_text(Adjacency adjacency) { return row(adjacency).name; }
std::string_view in_words(Adjacency adjacency) { return row(adjacency).words; }

Adjacency adjacency_named(std::string_view name) {
  for (const auto& each : rows) {
    if (each.name == name) return each.adjacency;
  }
  throw base::InvalidArgument("adjacency", "is not known", std::string(name), "pass add_remove, replace_one or zero_out");
}

}  // namespace ghostgrad::privacy
