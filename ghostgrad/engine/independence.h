// SPDX-License-Identifier: Apache-2.0
// The independence check: what the graph cannot see (statistics of raw inputs, detached means, normalisers over the batch, routing by
// rank), an experiment does.
//
//     const auto report = check_independence(loss_fn, batch, parameters);      // throws PrivacyError when examples are coupled
//
// Replaces random subsets of the examples by copies of others, with the same seed and the same shapes (so that dropout keeps its masks),
// and demands that the losses and the gradient norms of all others stay the same to the bit. Rounding alone (1e-12 in float64, 1e-5 in
// float32) is let pass and reported: libraries choose kernels by what a batch holds, attention without its mask where nothing is padded.
// Then leaves examples out (the first, the last, about half), which catches division by a count of them and whoever is served first.
// Norms are needed as well as losses: a custom backward that mixes leaves the losses alone. And the examples' gradients must add up to the
// ordinary gradient of the batch: a custom backward that is not linear in its gradient has no parts that could be clipped.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ghostgrad/graph/cut.h"

namespace ghostgrad::engine {

/// Tensors with the examples first, all of one length B.
using Batch = std::vector<at::Tensor>;
/// Batch -> losses [B]
using LossFunction = std::function<at::Tensor(const Batch&)>;

struct IndependenceOptions {
  int rounds = 4;    // replacements tried
  bool drop = true;  // also compare with smaller batches (left out by itself for losses that are random)
};

struct IndependenceReport {
  int rounds = 0;
  bool dropped = false;        // the comparison with smaller batches was made
  bool to_the_bit = true;      // false: something moved by rounding, as kernels do that are chosen by what a batch holds
  bool random_losses = false;  // the losses differ between seeds (dropout, sampling), so smaller batches cannot be compared
  uint64_t structure = 0;      // of the graph that passed (graph/cut.h)
  uint64_t signature = 0;
};

/// Of the parameters those that require gradients are compared; none, frozen ones neither, may change in a forward pass.
/// Errors: InvalidArgument (fewer than two different examples, tensors of different lengths), PrivacyError (coupled examples, refused
/// graphs).
IndependenceReport check_independence(const LossFunction& loss_fn, const Batch& batch, const std::vector<at::Tensor>& parameters,
                                      const IndependenceOptions& options = {});

}  // namespace ghostgrad::engine
