// SPDX-License-Identifier: Apache-2.0
// One layer each, in the ways that other systems got wrong.
#include "subjects.h"

#include <torch/nn.h>

namespace ghostgrad::tests {
namespace {

namespace nn = torch::nn;
using at::Tensor;
using Make = std::function<Subject(int64_t examples, at::ScalarType dtype)>;

Tensor parameter(at::IntArrayRef shape, at::ScalarType dtype) { return torch::randn(shape, dtype).requires_grad_(); }

Tensor score(const Tensor& outputs) { return (outputs.square() * 0.5 + outputs).flatten(1).sum(1); }

/// A module of inputs [B, *shape], scored.
template <class Module>
Make layer(std::vector<int64_t> shape, std::function<Module()> make) {
  return [=](int64_t examples, at::ScalarType dtype) {
    Module module = make();
    module->to(dtype);
    std::vector<int64_t> sizes{examples};
    sizes.insert(sizes.end(), shape.begin(), shape.end());
    std::vector<Tensor> tracked;
    for (const Tensor& p : module->parameters()) {
      if (p.requires_grad()) tracked.push_back(p);
    }
    return Subject{tracked, {torch::randn(sizes, dtype)}, [module](const Batch& b) mutable { return score(module->forward(b[0])); }};
  };
}

/// A function of parameters and inputs [B, *shape], scored.
Make function(std::vector<std::vector<int64_t>> parameters, std::vector<int64_t> shape,
              std::function<Tensor(const std::vector<Tensor>& w, const Tensor& x)> op) {
  return [=](int64_t examples, at::ScalarType dtype) {
    std::vector<Tensor> all;
    for (const auto& sizes : parameters) all.push_back(parameter(sizes, dtype));
    std::vector<int64_t> sizes{examples};
    sizes.insert(sizes.end(), shape.begin(), shape.end());
    return Subject{all, {torch::randn(sizes, dtype)}, [=](const Batch& b) { return score(op(all, b[0])); }};
  };
}

nn::Conv2dOptions conv2d(int64_t in, int64_t out, int64_t kernel) { return nn::Conv2dOptions(in, out, kernel); }

Make convolution(std::vector<int64_t> shape, const nn::Conv2dOptions& options) {
  return layer<nn::Conv2d>(std::move(shape), [=] { return nn::Conv2d(options); });
}

/// Inputs and weight in channels_last, a 1x1 among the convolutions.
Subject channels_last(int64_t examples, at::ScalarType dtype) {
  nn::Sequential module(nn::Conv2d(conv2d(3, 4, 3).padding(1)), nn::Tanh(), nn::Conv2d(conv2d(4, 2, 1)));
  module->to(dtype);
  for (Tensor p : module->parameters()) {
    if (p.dim() == 4) p.set_data(p.detach().contiguous(at::MemoryFormat::ChannelsLast));
  }
  return {module->parameters(),
          {torch::randn({examples, 3, 5, 5}, dtype).contiguous(at::MemoryFormat::ChannelsLast)},
          [module](const Batch& b) mutable { return score(module->forward(b[0].contiguous(at::MemoryFormat::ChannelsLast))); }};
}

/// Two tokens make up most of every example; token 0 is padding.
Subject embedding(int64_t examples, at::ScalarType dtype) {
  nn::Embedding table(nn::EmbeddingOptions(9, 4).padding_idx(0));
  nn::Linear head(4, 3);
  table->to(dtype);
  head->to(dtype);
  const Tensor tokens = torch::tensor({0, 1, 1, 0, 2, 1, 0, 1}).repeat({examples, 1});
  tokens.select(1, 2).copy_(torch::randint(9, {examples}));
  return {{table->weight, head->weight, head->bias}, {tokens}, [=](const Batch& b) mutable {
            return score(head->forward(table->forward(b[0])).tanh());
          }};
}

Subject embedding_bag(int64_t examples, at::ScalarType dtype) {
  nn::EmbeddingBag table(nn::EmbeddingBagOptions(9, 4).mode(torch::kMean));
  table->to(dtype);
  return {{table->weight}, {torch::randint(9, {examples, 6})}, [=](const Batch& b) mutable { return score(table->forward(b[0])); }};
}

/// Losses over the tokens that count, a mean over the example's own.
Subject ignored_tokens(int64_t examples, at::ScalarType dtype) {
  nn::Linear head(4, 6);
  head->to(dtype);
  Tensor targets = torch::randint(6, {examples, 5});
  targets.narrow(1, 2, 2).fill_(-100);
  return {head->parameters(), {torch::randn({examples, 5, 4}, dtype), targets}, [=](const Batch& b) mutable {
            const Tensor each = at::cross_entropy_loss(head->forward(b[0]).transpose(1, 2), b[1], {}, at::Reduction::None);
            return each.sum(1) / b[1].ne(-100).sum(1);
          }};
}

Make bias_alone() {
  return layer<nn::Linear>({3, 4}, [] {
    nn::Linear linear(4, 5);
    linear->weight.requires_grad_(false);
    return linear;
  });
}

Tensor layer_norm_without_bias(const std::vector<Tensor>& w, const Tensor& x) { return at::layer_norm(x, {4}, w[0]); }
Tensor group_norm_without_bias(const std::vector<Tensor>& w, const Tensor& x) { return at::group_norm(x, 2, w[0]); }
Tensor rms_norm(const std::vector<Tensor>& w, const Tensor& x) { return x * at::rsqrt(x.square().mean(-1, true) + 1e-6) * w[0]; }
Tensor map(const std::vector<Tensor>& w, const Tensor& x) { return at::linear(x, w[0], w[1]); }
Tensor map_of_transposed(const std::vector<Tensor>& w, const Tensor& x) { return at::linear(x.transpose(1, 2), w[0], w[1]); }
Tensor bilinear(const std::vector<Tensor>& w, const Tensor& x) { return at::bilinear(x, x, w[0], w[1]); }

std::vector<SubjectFactory> convolutions() {
  return {
      {"conv_grouped", convolution({4, 5, 5}, conv2d(4, 6, 3).groups(2).padding(1))},
      {"conv_depthwise", convolution({4, 5, 5}, conv2d(4, 8, 3).groups(4).bias(false))},
      {"conv_dilated_strided", convolution({2, 9, 7}, conv2d(2, 3, 3).dilation(2).stride({2, 1}).padding({2, 0}))},
      {"conv_reflect", convolution({2, 5, 5}, conv2d(2, 3, 3).padding(1).padding_mode(torch::kReflect))},
      {"conv_circular", convolution({2, 5, 5}, conv2d(2, 3, 3).padding(2).padding_mode(torch::kCircular))},
      {"conv_replicate", convolution({2, 5, 5}, conv2d(2, 3, 3).padding(1).padding_mode(torch::kReplicate))},
      {"conv_same", convolution({2, 5, 5}, conv2d(2, 3, 4).padding(torch::kSame))},
      {"conv_1d_circular",
       layer<nn::Conv1d>({3, 7}, [] { return nn::Conv1d(nn::Conv1dOptions(3, 4, 3).padding(1).padding_mode(torch::kCircular)); })},
      {"conv_3d", layer<nn::Conv3d>({2, 3, 4, 4}, [] { return nn::Conv3d(nn::Conv3dOptions(2, 3, 2).padding(1)); })},
      {"conv_transposed",
       layer<nn::ConvTranspose2d>(
           {4, 3, 3}, [] { return nn::ConvTranspose2d(nn::ConvTranspose2dOptions(4, 6, 3).stride(2).groups(2).output_padding(1)); })},
      {"channels_last", channels_last},
  };
}

}  // namespace

const std::vector<SubjectFactory>& layer_subjects() {
  static const std::vector<SubjectFactory> all = [] {
    std::vector<SubjectFactory> layers = convolutions();
    layers.insert(layers.end(),
                  {{"embedding_padded", embedding},
                   {"embedding_bag", embedding_bag},
                   {"ignored_tokens", ignored_tokens},
                   {"bias_alone", bias_alone()},
                   {"layer_norm_without_bias", function({{4}}, {3, 4}, layer_norm_without_bias)},
                   {"group_norm_without_bias", function({{4}}, {4, 5}, group_norm_without_bias)},
                   {"rms_norm", function({{4}}, {3, 4}, rms_norm)},
                   {"linear_of_4d_inputs", function({{5, 4}, {5}}, {2, 3, 4}, map)},
                   {"linear_of_transposed_inputs", function({{5, 4}, {5}}, {4, 3}, map_of_transposed)},
                   {"bias_as_wide_as_the_batch", function({{5}}, {5}, [](const auto& w, const Tensor& x) { return x + w[0]; })},
                   {"scalar_gain", function({{}}, {3, 4}, [](const auto& w, const Tensor& x) { return x * w[0]; })},
                   {"prelu", function({{4}}, {4, 3}, [](const auto& w, const Tensor& x) { return at::prelu(x, w[0]); })},
                   {"bilinear", function({{3, 4, 4}, {3}}, {4}, bilinear)}});
    return layers;
  }();
  return all;
}

}  // namespace ghostgrad::tests
