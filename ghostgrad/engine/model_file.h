// SPDX-License-Identifier: Apache-2.0
// A trained model on disk: parameters and buffers by name, in torch's own archive (`torch::load` in C++, `torch.jit.load` in Python).
//
//     save_model(*model, "out/model.pt");
//     load_model(*model, "out/model.pt");      // into a model of the same architecture
//
// Guarantee: the file appears complete or not at all.
#pragma once

#include <filesystem>

#include <torch/nn/module.h>

namespace ghostgrad::engine {

/// Errors: SystemError when it cannot be written.
void save_model(const torch::nn::Module& model, const std::filesystem::path& file);

/// Errors: InvalidArgument for a file that is missing, SystemError for one that does not hold this model.
void load_model(torch::nn::Module& model, const std::filesystem::path& file);

}  // namespace ghostgrad::engine
