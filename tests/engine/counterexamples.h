// SPDX-License-Identifier: Apache-2.0
// Models and losses that look private and are not, beside those that look suspicious and are fine.
//
//     graph       what the graph alone says at a step:
//                 accepted | unproved (asks for the independence check) | refused (whatever the user vouches for)
//     finally     with the independence check: accepted | refused
#pragma once

#include "setup.h"
#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace ghostgrad::engine::tests {

enum class Verdict { accepted, unproved, refused };

struct Counterexample {
  std::string name;
  Verdict graph;
  Verdict finally;
  std::string op;  // what the graph's message names; empty when the graph accepts
  std::function<Situation()> make;
};

/// Makes gtest print the name.
inline void PrintTo(const Counterexample& example, std::ostream* out) { *out << example.name; }

/// Layers and their operands.
[[nodiscard]] std::vector<Counterexample> layer_counterexamples();
/// Statistics over the batch, in and beside the graph.
[[nodiscard]] std::vector<Counterexample> batch_counterexamples();

}  // namespace ghostgrad::engine::tests
