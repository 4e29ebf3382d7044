// SPDX-License-Identifier: Apache-2.0
// What a network is trained to do: data sets and models state it, and the trainer takes losses and scores from it (engine/task.h).
//
//     if (model.task != data.task) ...     // they do not fit
#pragma once

namespace ghostgrad::base {

enum class Task {
  classification,  // one class per example
  language_model   // the next token at each position of a sequence
};

}  // namespace ghostgrad::base
