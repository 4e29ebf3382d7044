// SPDX-License-Identifier: Apache-2.0
// A user of the whole library: torch's and our headers are found, both libraries load, and a step of training runs.
#include <torch/nn/modules/linear.h>
#include <torch/optim/sgd.h>

#include "ghostgrad/ghostgrad.h"

int main() {
  torch::nn::Linear model(3, 2);
  const auto before = model->weight.detach().clone();
  torch::optim::SGD optimizer(model->parameters(), 0.1);
  ghostgrad::Engine engine(model->named_parameters(),
                           ghostgrad::Plan({.noise_multiplier = 1.0, .expected_batch_size = 4, .sample_rate = 0.5}));
  engine.backward(model->forward(at::ones({4, 3})).square().sum(1));
  engine.step(optimizer);
  return engine.steps() == 1 && !at::equal(model->weight, before) ? 0 : 1;
}
