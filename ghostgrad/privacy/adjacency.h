// SPDX-License-Identifier: Apache-2.0
// Which data sets are neighbours. Every epsilon is relative to one of these; the same training has a different epsilon under each.
//
//     add_remove     D' = D with one example added or removed
//     replace_one    D' = D with one example replaced by another (up to twice the distance: never read it as add_remove)
//     zero_out       D' = D with one example replaced by one that contributes nothing; |D| is public
#pragma once

#include <string_view>

namespace ghostgrad::privacy {

enum class Adjacency { add_remove, replace_one, zero_out };

/// The name on the command line and in JSON: "add_remove", ...
[[nodiscard]] std::string_view to_text(Adjacency adjacency);

/// In words: "adding or removing one example", ...
[[nodiscard]] std::string_view in_words(Adjacency adjacency);

/// The inverse of to_text; throws base::InvalidArgument that lists the names.
[[nodiscard]] Adjacency adjacency_named(std::string_view name);

}  // namespace ghostgrad::privacy
