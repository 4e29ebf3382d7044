// SPDX-License-Identifier: Apache-2.0
// An image read row by row by a recurrent network, as in [Lee20, Sec. 6.1]: one layer of 128 units on 28 rows of MNIST.
//
//     h_t = cell(row_t, h_{t-1}),  logits = W h_T + b          row_t [C W], t = 1 ... H
//
//     rnn   h_t = tanh(W x_t + b + U h_{t-1} + c)              [Elman90]
//     lstm  four gates and a memory cell                       [Hochreiter97]
//     gru   three gates                                        [Cho14]
//
//     auto model = std::make_shared<models::Recurrent>(models::RecurrentOptions{.cell = models::Cell::lstm});
#pragma once

#include <variant>

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/rnn.h>

#include "ghostgrad/models/model.h"

namespace ghostgrad::models {

enum class Cell { rnn, lstm, gru };

struct RecurrentOptions {
  ImageShape image{};
  int64_t classes = 10;
  Cell cell = Cell::rnn;
  int64_t hidden = 128;
  int64_t layers = 1;
};

class Recurrent : public Model {
 public:
  explicit Recurrent(const RecurrentOptions& options);
  at::Tensor forward(const at::Tensor& inputs) override;

 private:
  std::variant<torch::nn::RNN, torch::nn::LSTM, torch::nn::GRU> layers_;
  torch::nn::Linear head_{nullptr};
};

}  // namespace ghostgrad::models
