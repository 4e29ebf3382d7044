// SPDX-License-Identifier: Apache-2.0
// The oracle of ownership: backward passes whose loss weights are powers of two.
//
// With weights r_i = 2^k_i, distinct for each example, an element that example i owns satisfies g_r == 2^k_i g_1 bit for bit: every
// backward is linear in its gradients, and scaling by a power of two commutes with rounding. Codes k_i are random digits in base 64, so one
// pass tells 64 examples apart. Denormal numbers do not scale so; they are passed over.
//
//     const Probed probed = probe(losses, parameters);
//     EXPECT_THAT(probed.wrong, IsEmpty());
#pragma once

#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ghostgrad/graph/propagate.h"
#include "ghostgrad/graph/walk.h"

namespace ghostgrad::graph {

struct Probed {
  int checked = 0;                      // claims compared with values that are not all zero
  std::vector<std::string> wrong;       // claims that the values contradict
  std::vector<std::string> missed;      // "op slot shape <- op": mixed by propagation, though at these values each element has one owner
  std::map<std::string, int> resolved;  // op -> its slots that were resolved and checked
  bool mixed = false;                   // propagation lost ownership somewhere above the parameters
};

/// Compares the claim on every slot above the parameters with the values of the probe.
[[nodiscard]] Probed probe(const at::Tensor& losses, const std::vector<at::Tensor>& parameters, uint64_t seed = 1);

/// The leaves that the losses depend on.
[[nodiscard]] std::vector<at::Tensor> leaves_of(const at::Tensor& losses);

}  // namespace ghostgrad::graph
