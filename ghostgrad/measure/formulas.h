// SPDX-License-Identifier: Apache-2.0
// How many floating-point operations and bytes a step costs by formula, to stand beside what was measured.
//
// One layer with B examples, T positions, d inputs and p outputs, with the shapes of every call read from the graph:
//
//     forward 2BTpd    output gradients 2BTpd    weight gradient 2BTpd         ordinary training: 6BTpd
//     Gram 2BT^2(p+d)  instantiating 2BTpd       weighted sum of instantiated 2Bpd    book-keeping 2BTpd    second backward 4BTpd
//
// Two counts differ in the first of two backward passes. Ours forms output gradients only, so that ghost clipping is 8BTpd + 2BT^2(p+d).
// The papers' implementations run an ordinary one, with weight gradients that are thrown away [Bu22, Fig. 1]: 10BTpd + 2BT^2(p+d), and
// book-keeping at 6BTpd + 2BT^2(p+d) is the 0.61 of it that [Bu22bk] states. Instantiating, in the papers, adds to an ordinary backward too.
//
// Memory of a method beyond ordinary training: 2BT^2 for the Gram matrices of a layer, Bpd for instantiated gradients; the largest layer
// where they are thrown away, the sum over layers where they are kept.
//
//     const Formula formula = formula_of(method, costs, 16);
//     formula.operations / formula_of(non_private, costs, 16).operations;        // what the step should cost here
//
// Elementwise passes, and memory traffic, which decide on a CPU, are not in these formulas.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "ghostgrad/clip/method.h"
#include "ghostgrad/rules/term.h"

namespace ghostgrad::measure {

struct Formula {
  double operations = 0;                   // floating-point operations of one step as this library does it
  std::optional<double> paper_operations;  // as the papers do it; none for `auto`, which is in no paper
  double extra_bytes = 0;                  // beyond ordinary training, in float32
};

/// For `auto`, which measures, the cheaper of the two routes of each call by operation count.
[[nodiscard]] Formula formula_of(const clip::Method& method, std::span<const rules::Cost> costs, int64_t examples);

}  // namespace ghostgrad::measure
