// SPDX-License-Identifier: Apache-2.0
#include "subjects.h"

#include <cmath>

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn.h>

namespace ghostgrad::tests {
namespace {

namespace nn = torch::nn;
using at::Tensor;

Tensor cross_entropy(const Tensor& logits, const Tensor& targets) {
  return at::cross_entropy_loss(logits, targets, {}, at::Reduction::None);
}

std::vector<Tensor> parameters_of(nn::Module& module, at::ScalarType dtype) {
  module.to(dtype);
  return module.parameters();
}

Tensor classes(int64_t examples, int64_t count = 5) { return torch::randint(count, {examples}); }

Tensor parameter(at::IntArrayRef shape, at::ScalarType dtype) { return torch::randn(shape, dtype).requires_grad_(); }

Subject mlp(int64_t examples, at::ScalarType dtype) {
  nn::Sequential model(nn::Linear(10, 8), nn::ReLU(), nn::Linear(8, 6), nn::Tanh(), nn::Linear(nn::LinearOptions(6, 5).bias(false)));
  return {parameters_of(*model, dtype), {torch::randn({examples, 10}, dtype), classes(examples)}, [model](const Batch& b) mutable {
            return cross_entropy(model->forward(b[0]), b[1]);
          }};
}

Subject cnn(int64_t examples, at::ScalarType dtype) {
  nn::Sequential model(nn::Conv2d(nn::Conv2dOptions(2, 4, 3).stride(2).padding(1)), nn::GroupNorm(2, 4), nn::ReLU(),
                       nn::Conv2d(nn::Conv2dOptions(4, 8, 3).groups(2).dilation(2).padding(2)), nn::Tanh(), nn::AdaptiveAvgPool2d(2),
                       nn::Flatten(), nn::Linear(32, 5));
  return {parameters_of(*model, dtype), {torch::randn({examples, 2, 9, 9}, dtype), classes(examples)}, [model](const Batch& b) mutable {
            return cross_entropy(model->forward(b[0]), b[1]);
          }};
}

struct Block : nn::Module {
  Block()
      : attention(nn::MultiheadAttentionOptions(8, 2)),
        first(8, 16),
        second(16, 8),
        norm1(nn::LayerNormOptions({8})),
        norm2(nn::LayerNormOptions({8})) {
    register_module("attention", attention);
    register_module("first", first);
    register_module("second", second);
    register_module("norm1", norm1);
    register_module("norm2", norm2);
  }
  // x [T, B, 8]
  Tensor forward(Tensor x) {
    const Tensor h = norm1(x);
    x = x + std::get<0>(attention(h, h, h));
    return x + second(torch::gelu(first(norm2(x))));
  }
  nn::MultiheadAttention attention;
  nn::Linear first, second;
  nn::LayerNorm norm1, norm2;
};

struct Transformer : nn::Module {
  Transformer() : embedding(11, 8), block(std::make_shared<Block>()), head(8, 5) {
    register_module("embedding", embedding);
    register_module("block", block);
    register_module("head", head);
    position = register_parameter("position", torch::randn({6, 1, 8}));
    token = register_parameter("token", torch::randn({1, 1, 8}));
  }
  Tensor forward(const Tensor& tokens) {  // [B, T] -> [B, 5]
    Tensor x = embedding(tokens).transpose(0, 1);
    x = torch::cat({token.expand({1, x.size(1), 8}), x}, 0) + position;
    return head(block->forward(x)[0]);
  }
  nn::Embedding embedding;
  std::shared_ptr<Block> block;
  nn::Linear head;
  Tensor position, token;
};

Subject transformer(int64_t examples, at::ScalarType dtype) {
  auto model = std::make_shared<Transformer>();
  return {parameters_of(*model, dtype), {torch::randint(11, {examples, 5}), classes(examples)}, [model](const Batch& b) {
            return cross_entropy(model->forward(b[0]), b[1]);
          }};
}

Subject sequence_first(int64_t examples, at::ScalarType dtype) {
  nn::Sequential model(nn::Linear(6, 8), nn::Tanh(), nn::LayerNorm(nn::LayerNormOptions({8})), nn::Linear(8, 5));
  return {parameters_of(*model, dtype), {torch::randn({examples, 4, 6}, dtype), classes(examples)}, [model](const Batch& b) mutable {
            return cross_entropy(model->forward(b[0].transpose(0, 1).contiguous()).mean(0), b[1]);
          }};
}

Subject tied(int64_t examples, at::ScalarType dtype) {
  nn::Embedding embedding(9, 6);
  nn::Linear middle(6, 6);
  embedding->to(dtype);
  middle->to(dtype);
  auto parameters = embedding->parameters();
  for (const Tensor& p : middle->parameters()) parameters.push_back(p);
  return {parameters, {torch::randint(9, {examples, 7})}, [=](const Batch& b) mutable {
            const Tensor h = torch::tanh(middle->forward(embedding->forward(b[0].narrow(1, 0, 6))));
            const Tensor logits = torch::matmul(h, embedding->weight.t());
            return cross_entropy(logits.transpose(1, 2), b[0].narrow(1, 1, 6)).mean(1);
          }};
}

Subject used_twice(int64_t examples, at::ScalarType dtype) {
  nn::Linear layer(6, 6), out(6, 5);
  layer->to(dtype);
  out->to(dtype);
  auto parameters = layer->parameters();
  for (const Tensor& p : out->parameters()) parameters.push_back(p);
  return {parameters, {torch::randn({examples, 6}, dtype), classes(examples)}, [=](const Batch& b) mutable {
            Tensor h = torch::tanh(layer->forward(b[0]));
            h = torch::tanh(layer->forward(h)) + torch::matmul(h, layer->weight);  // also functionally, the other way round
            return cross_entropy(out->forward(h), b[1]);
          }};
}

Subject lora(int64_t examples, at::ScalarType dtype) {
  const Tensor frozen = torch::randn({8, 10}, dtype), a = parameter({2, 10}, dtype), b = parameter({8, 2}, dtype),
               head = parameter({5, 8}, dtype);
  return {{a, b, head}, {torch::randn({examples, 3, 10}, dtype), classes(examples)}, [=](const Batch& batch) {
            const Tensor low = torch::linear(torch::linear(batch[0], a), b);
            return cross_entropy(torch::linear(torch::tanh(torch::linear(batch[0], frozen) + low).mean(1), head), batch[1]);
          }};
}

Subject merged_lora(int64_t examples, at::ScalarType dtype) {
  const Tensor frozen = torch::randn({5, 10}, dtype), a = parameter({2, 10}, dtype), b = parameter({5, 2}, dtype);
  return {{a, b}, {torch::randn({examples, 10}, dtype), classes(examples)}, [=](const Batch& batch) {
            return cross_entropy(torch::linear(batch[0], frozen + b.mm(a)), batch[1]);
          }};
}

Subject weight_norm(int64_t examples, at::ScalarType dtype) {
  const Tensor v = parameter({5, 10}, dtype), g = parameter({5, 1}, dtype);
  return {{v, g}, {torch::randn({examples, 3, 10}, dtype), classes(examples)}, [=](const Batch& batch) {
            const Tensor weight = g * v / v.norm(2, {1}, true);
            return cross_entropy(torch::linear(batch[0], weight).sum(1), batch[1]);
          }};
}

struct Cube : torch::autograd::Function<Cube> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& scale) {
    context->save_for_backward({x, scale});
    return x.pow(3) * scale;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, const torch::autograd::variable_list& grads) {
    const auto saved = context->get_saved_variables();
    return {grads[0] * 3 * saved[0].pow(2) * saved[1], (grads[0] * saved[0].pow(3)).sum(0)};
  }
};

Subject custom_function(int64_t examples, at::ScalarType dtype) {
  const Tensor first = parameter({6, 10}, dtype), scale = parameter({6}, dtype), second = parameter({5, 6}, dtype);
  return {{first, scale, second}, {torch::randn({examples, 10}, dtype), classes(examples)}, [=](const Batch& batch) {
            return cross_entropy(torch::linear(Cube::apply(torch::linear(batch[0], first), scale), second), batch[1]);
          }};
}

template <class Recurrent>
Subject recurrent(int64_t examples, at::ScalarType dtype) {
  Recurrent layer(4, 5);
  nn::Linear head(5, 5);
  layer->to(dtype);
  head->to(dtype);
  auto parameters = layer->parameters();
  for (const Tensor& p : head->parameters()) parameters.push_back(p);
  return {parameters, {torch::randn({examples, 3, 4}, dtype), classes(examples)}, [=](const Batch& b) mutable {
            return cross_entropy(head->forward(std::get<0>(layer->forward(b[0].transpose(0, 1)))[2]), b[1]);
          }};
}

Subject regularised(int64_t examples, at::ScalarType dtype) {
  const Tensor w = parameter({5, 10}, dtype);
  return {{w}, {torch::randn({examples, 10}, dtype), classes(examples)}, [=](const Batch& batch) {
            return cross_entropy(torch::linear(batch[0], w), batch[1]) + 0.1 * w.square().sum();
          }};
}

Subject routed(int64_t examples, at::ScalarType dtype) {
  const Tensor in = parameter({6, 6}, dtype), left = parameter({6, 6}, dtype), right = parameter({6, 6}, dtype);
  return {{in, left, right}, {torch::randn({examples, 4, 6}, dtype)}, [=](const Batch& batch) {
            const Tensor rows = torch::linear(batch[0], in).reshape({-1, 6});
            const Tensor to_left = rows.select(1, 0).detach().gt(0);
            Tensor out = torch::zeros_like(rows);
            const Tensor l = to_left.nonzero().flatten(), r = to_left.logical_not().nonzero().flatten();
            out = out.index_add(0, l, torch::tanh(torch::linear(rows.index_select(0, l), left)));
            out = out.index_add(0, r, torch::tanh(torch::linear(rows.index_select(0, r), right)));
            return out.view({batch[0].size(0), -1}).square().sum(1);
          }};
}

}  // namespace

const std::vector<SubjectFactory>& subjects() {
  static const std::vector<SubjectFactory> all = {{"mlp", mlp},
                                                  {"cnn", cnn},
                                                  {"transformer", transformer},
                                                  {"sequence_first", sequence_first},
                                                  {"tied", tied},
                                                  {"used_twice", used_twice},
                                                  {"lora", lora},
                                                  {"merged_lora", merged_lora},
                                                  {"weight_norm", weight_norm},
                                                  {"custom_function", custom_function},
                                                  {"lstm", recurrent<nn::LSTM>},
                                                  {"gru", recurrent<nn::GRU>},
                                                  {"regularised", regularised},
                                                  {"routed", routed}};
  return all;
}

std::vector<std::vector<at::Tensor>> one_at_a_time(const Subject& subject) {
  std::vector<std::vector<at::Tensor>> all;
  for (int64_t i = 0; i < subject.batch[0].size(0); ++i) {
    Batch one;
    for (const Tensor& tensor : subject.batch) one.push_back(tensor.narrow(0, i, 1));
    auto grads = torch::autograd::grad({subject.losses(one).sum()}, subject.parameters, {}, {}, false, /*allow_unused=*/true);
    for (size_t p = 0; p < grads.size(); ++p) {
      if (!grads[p].defined()) grads[p] = torch::zeros_like(subject.parameters[p]);
    }
    all.push_back(std::move(grads));
  }
  return all;
}

Reference reference(const Subject& subject, double threshold) {
  const auto grads = one_at_a_time(subject);
  Reference reference{torch::zeros({static_cast<int64_t>(grads.size())}, at::kDouble), {}};
  for (const Tensor& p : subject.parameters) reference.sums.push_back(torch::zeros_like(p, at::kDouble).detach());
  for (size_t i = 0; i < grads.size(); ++i) {
    double squared = 0;
    for (const Tensor& g : grads[i]) squared += g.to(at::kDouble).square().sum().item<double>();
    reference.norms[i] = std::sqrt(squared);
    const double coefficient = std::min(1.0, threshold / std::sqrt(squared));
    for (size_t p = 0; p < reference.sums.size(); ++p) reference.sums[p] += coefficient * grads[i][p].to(at::kDouble);
  }
  return reference;
}

double relative_error(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b, double size) {
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double apart = (a[i].to(at::kDouble) - b[i].to(at::kDouble)).abs().max().item<double>();
    if (std::isnan(apart)) return apart;  // std::max would lose it
    worst = std::max(worst, apart);
    size = std::max(size, b[i].abs().max().item<double>());
  }
  return worst / std::max(size, 1e-300);
}

}  // namespace ghostgrad::tests
