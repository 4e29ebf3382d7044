// SPDX-License-Identifier: Apache-2.0
// Takes a reduced loss apart: from the scalar that an ordinary training loop has to one loss per example, on the same graph.
//
//     loss = (1/B) sum_i loss_i      ->      losses [B]
//
// The scalar's own node says how it was reduced, and what it saved gives the terms back exactly: a mean or sum of [B] losses; cross entropy
// (negative log likelihood), squared error and binary cross entropy with reduction mean or sum. What hangs below the node is untouched.
//
//     const at::Tensor losses = unreduced(at::cross_entropy_loss(logits, targets), parameters);      // [B]
//
// The examples lie along dimension 0 of what was reduced; positions beyond it are averaged (mean) or added up (sum) within each example.
//
// Guarantee: either the losses' mean (or sum) is the scalar and their graph is the scalar's, or an error. Nothing is taken apart that is
// normalised over the batch by data: class weights, ignored targets. Rows that a view made of several axes, which the graph between losses and
// the tracked parameters shows, are refused: they are an example's positions as often as examples. So are rows that the loss took from
// another axis than the first of what the model's last layer made: tokens that a mask picks, the tokens of a batch of one.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

namespace ghostgrad::graph {

/// Losses that are no scalar come back as they are. Values are zero where the scalar's node did not keep them (mean and sum of [B] losses):
/// an example that is not finite then shows in its gradient alone.
/// Errors: InvalidArgument for any other scalar, saying what to write instead.
[[nodiscard]] at::Tensor unreduced(const at::Tensor& losses, const std::vector<at::Tensor>& parameters);

}  // namespace ghostgrad::graph
