// SPDX-License-Identifier: Apache-2.0
// Attention, recurrent layers, embeddings, whole blocks.
#include "tests/graph/cases.h"
#include "tests/graph/probe.h"

#include <torch/nn.h>

namespace ghostgrad::graph {
namespace {

using at::Tensor;
using enum Expect;

Tensor heads() { return features({B, 2, 3}); }

/// Losses of a recurrent layer over [3, B, 6] (or [B, 3, 6]) in this type.
template <class Layer, class Options>
Tensor recurrent(at::ScalarType type, bool batch_first = false) {
  Layer layer(Options(6, 5).num_layers(2).bidirectional(true).batch_first(batch_first));
  layer->to(type);
  const Tensor x = randn(batch_first ? at::IntArrayRef{B, 3, 6} : at::IntArrayRef{3, B, 6}).to(type);
  return per(std::get<0>(layer(x)), batch_first ? 0 : 1);
}

TEST(LibraryLayers, Attention) {
  judge({
      {"fused", resolved, [] { return per(at::scaled_dot_product_attention(heads(), heads(), heads())); }},
      {"causal", resolved, [] { return per(at::scaled_dot_product_attention(heads(), heads(), heads(), {}, 0., true)); }},
      {"masked", resolved,
       [] {
         return per(at::scaled_dot_product_attention(heads(), heads(), heads(), randn({3, 3})));
       }},
      {"with dropout", resolved,
       [] {
         return per(at::scaled_dot_product_attention(heads(), heads(), heads(), randn({3, 3}), 0.1));
       }},
      {"with a learned bias", resolved,
       [] {
         return per(at::scaled_dot_product_attention(heads(), heads(), heads(), parameter({2, 3, 3})));
       }},
      {"with fewer key heads", resolved,
       [] {
         return per(at::scaled_dot_product_attention(features({B, 4, 3}), heads(), heads(), {}, 0., false, std::nullopt, true));
       }},
      {"in float32", resolved,
       [] {
         const Tensor h = heads().to(at::kFloat);
         return per(at::scaled_dot_product_attention(h, h, h));
       }},
      {"in bfloat16", resolved,
       [] {
         const Tensor h = heads().to(at::kBFloat16);
         return per(at::scaled_dot_product_attention(h, h, h));
       }},
  });
}

TEST(LibraryLayers, Recurrent) {
  judge({
      {"LSTM, fused", resolved, [] { return recurrent<torch::nn::LSTM, torch::nn::LSTMOptions>(at::kFloat); }},
      {"LSTM, fused, batch first", resolved, [] { return recurrent<torch::nn::LSTM, torch::nn::LSTMOptions>(at::kFloat, true); }},
      {"LSTM, float64", resolved, [] { return recurrent<torch::nn::LSTM, torch::nn::LSTMOptions>(at::kDouble); }},
      {"GRU", resolved, [] { return recurrent<torch::nn::GRU, torch::nn::GRUOptions>(at::kFloat); }},
      {"RNN", resolved, [] { return recurrent<torch::nn::RNN, torch::nn::RNNOptions>(at::kDouble, true); }},
      {"LSTM, its final states too", resolved,
       [] {
         torch::nn::LSTM layer(6, 5);
         const auto [y, states] = layer(randn({7, B, 6}).to(at::kFloat));
         return per(y, 1) + per(std::get<0>(states), 1) + per(std::get<1>(states), 1);
       }},
      {"GRU over packed sequences", resolved,
       [] {
         torch::nn::GRU layer(6, 5);
         layer->to(at::kDouble);
         const auto packed = torch::nn::utils::rnn::pack_padded_sequence(features({7, B}), numbers({7, 5, 5, 2}));
         const auto out = std::get<0>(layer->forward_with_packed_input(packed));
         return per(std::get<0>(torch::nn::utils::rnn::pad_packed_sequence(out)), 1);
       }},
  });
}

TEST(LibraryLayers, WholeBlocks) {
  judge({
      {"transformer encoder, sequence first", resolved,
       [] {
         torch::nn::TransformerEncoderLayer layer(torch::nn::TransformerEncoderLayerOptions(6, 2).dim_feedforward(8));
         layer->to(at::kDouble);
         return per(layer(features({5, B})), 1);
       }},
      {"multi-head attention over itself", resolved,
       [] {
         torch::nn::MultiheadAttention layer(6, 2);
         layer->to(at::kDouble);
         const Tensor x = features({5, B});
         return per(std::get<0>(layer(x, x, x)), 1);
       }},
      {"embedding, positions, class token", resolved,
       [] {
         const Tensor tokens = at::embedding(parameter({10, 6}), integers(0, 10, {B, 3})) + parameter({3, 6});
         return per(at::cat({parameter({1, 1, 6}).expand({B, 1, 6}), tokens}, 1).matmul(parameter({6, 6})).pow(2));
       }},
      {"embedding bag", resolved,
       [] {
         return per(std::get<0>(at::embedding_bag(parameter({10, 6}), integers(0, 10, {3 * B}), at::arange(0, 3 * B, 3))).pow(2));
       }},
      {"one example", resolved,
       [] {
         return at::tanh(randn({1, 6}).matmul(parameter({6, 6}))).softmax(0).sum(1);
       }},
      {"losses in bfloat16", resolved,
       [] {
         return per(features({B}).to(at::kBFloat16).matmul(parameter({6, 3}).to(at::kBFloat16)).pow(2));
       }},
      {"losses in float32, mixed over the batch", mixed, [] { return per(features({B}).to(at::kFloat).softmax(0)); }},
      {"more examples than codes in one pass", resolved,
       [] {
         return per(at::tanh(randn({100, 6}).matmul(parameter({6, 6}))).softmax(1));
       }},
  });
}

}  // namespace
}  // namespace ghostgrad::graph
