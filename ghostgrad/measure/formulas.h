// SPDX-License-Identifier: Apache-2.0
// What the papers' formulas say that a step costs, to stand beside what was measured.
//
// Floating-point operations of one layer with B examples, T positions, d inputs and p outputs [Bu22bk, Table 2], with the shapes of every
// call read from the graph:
//
//     forward 2BTpd    output gradients 2BTpd    weight gradient 2BTpd         ordinary training: 6BTpd
//     Gram 2BT^2(p+d)  instantiating 2BTpd       weighted sum of instantiated 2Bpd    book-keeping 2BTpd    second backward 4BTpd
//
// Memory of a method beyond ordinary training: 2BT^2 for the Gram matrices of a layer, Bpd for instantiated gradients; the largest layer
// where they are thrown away, the sum over layers where they are kept.
//
//     const Formula formula = formula_of(method, costs, 16);
//     formula.operations / formula_of(non_private, costs, 16).operations;        // the papers' ratio
//
// Elementwise passes, and memory traffic, which decide on a CPU, are not in these formulas.
#pragma once

#include <cstdint>
#include <span>

#include "ghostgrad/clip/method.h"
#include "ghostgrad/rules/term.h"

namespace ghostgrad::measure {

struct Formula {
  double operations = 0;   // floating-point operations of one step
  double extra_bytes = 0;  // beyond ordinary training, in float32
};

/// For `auto`, which measures, the cheaper of the two routes of each call by operation count.
[[nodiscard]] Formula formula_of(const clip::Method& method, std::span<const rules::Cost> costs, int64_t examples);

}  // namespace ghostgrad::measure
