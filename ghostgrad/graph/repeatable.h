// SPDX-License-Identifier: Apache-2.0
// Whether a second backward through a graph is the linear function that the first one was.
//
//     if (is_repeatable(graph)) ...           // sum_i c_i G_i = backward of sum_i c_i loss_i
//
// It is not where the gradient passes through code of a user, which may be anything but linear; where what was saved for the backward is
// made again by such code (checkpoints, which may draw other random numbers: saved tensors with hooks); and where the per-example gradients
// were formed by arithmetic of our own that rounds the saved values otherwise (recurrent kernels, whose gates our rules compute again).
#pragma once

#include "ghostgrad/graph/walk.h"

namespace ghostgrad::graph {

[[nodiscard]] bool is_repeatable(const Graph& graph);

}  // namespace ghostgrad::graph
