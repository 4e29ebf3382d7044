// SPDX-License-Identifier: Apache-2.0
// A tiny model of every family, with inputs for four examples and what it must be like.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <torch/nn.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/models/make.h"

namespace ghostgrad::models {

struct Case {
  std::string name;
  std::function<std::shared_ptr<Model>()> make;
  at::Tensor inputs;  // [4, ...]
  std::vector<int64_t> output;
  int64_t parameters;  // counted by hand
};

[[nodiscard]] std::vector<Case> cases();

[[nodiscard]] int64_t count_parameters(const Model& model);

/// What the InvalidArgument says that `act` throws.
template <class Act>
std::string refused(Act act) {
  try {
    act();
  } catch (const base::InvalidArgument& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace ghostgrad::models
