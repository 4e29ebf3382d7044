// SPDX-License-Identifier: Apache-2.0
#include "counterexamples.h"

#include <torch/csrc/autograd/custom_function.h>

namespace ghostgrad::engine::tests {
namespace {

namespace nn = torch::nn;
using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr int64_t kExamples = 6;

Tensor numbers(at::IntArrayRef sizes) { return at::randn(sizes, at::kDouble); }
Tensor parameter(at::IntArrayRef sizes) { return numbers(sizes).requires_grad_(); }
Batch features() { return {numbers({kExamples, 10}), at::randint(5, {kExamples}, at::kLong)}; }
Batch tokens() { return {at::randint(12, {kExamples, 5}, at::kLong), at::randint(5, {kExamples}, at::kLong)}; }
Batch sequences() { return {numbers({kExamples, 7, 10}), at::randint(5, {kExamples}, at::kLong)}; }

/// first -> what lies between -> second: 10 -> 8 -> 5
Situation sandwich(const std::function<Tensor(const Tensor& hidden, const Tensor& inputs)>& between, const Modules& more = {},
                   const std::vector<Tensor>& others = {}) {
  nn::Linear first(10, 8), second(8, 5);
  Modules modules{first.ptr(), second.ptr()};
  modules.insert(modules.end(), more.begin(), more.end());
  return classifier(modules, others, features(), [=](const Tensor& x) mutable { return second->forward(between(first->forward(x), x)); });
}

// Custom functions: what their backward does is nobody's to see.

struct Cube : Function<Cube> {
  static Tensor forward(AutogradContext* context, const Tensor& x) {
    context->save_for_backward({x});
    return x.pow(3);
  }
  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    return {grads[0] * 3 * context->get_saved_variables()[0].square()};
  }
};

/// The gradient of the weight depends on all inputs: the losses do not move, the norms do.
struct MixingProduct : Function<MixingProduct> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight) {
    context->save_for_backward({x, weight});
    return x.mm(weight);
  }
  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto saved = context->get_saved_variables();
    return {grads[0].mm(saved[1].t()), saved[0].t().mm(grads[0]) / saved[0].norm()};
  }
};

/// Calls itself as a libtorch op does, and adds rows of the batch up.
struct AddBackward0 : Function<AddBackward0> {
  static Tensor forward(AutogradContext*, const Tensor& x) { return x.clone(); }
  static variable_list backward(AutogradContext*, const variable_list& grads) { return {grads[0] + grads[0].mean(0)}; }
};

/// Not the derivative of anything: a backward that is not linear in the gradient.
struct NormalisedGradient : Function<NormalisedGradient> {
  static Tensor forward(AutogradContext*, const Tensor& x) { return x.clone(); }
  static variable_list backward(AutogradContext*, const variable_list& grads) { return {grads[0] / grads[0].norm()}; }
};

/// As a reentrant checkpoint of PyTorch calls itself.
struct CheckpointFunctionBackward : Function<CheckpointFunctionBackward> {
  static Tensor forward(AutogradContext*, const Tensor& x) { return x.clone(); }
  static variable_list backward(AutogradContext*, const variable_list& grads) { return {grads[0]}; }
};

Situation batch_norm(const nn::BatchNorm1dOptions& options, bool training) {
  nn::BatchNorm1d norm(options);
  norm->train(training);
  return sandwich([norm](const Tensor& h, const Tensor&) mutable { return norm->forward(h); }, {norm.ptr()});
}

Situation batch_norm_of_inputs(bool frozen) {
  nn::BatchNorm1d norm(10);
  nn::Linear layer(10, 5);
  norm->to(at::kDouble);
  for (Tensor p : norm->parameters()) p.requires_grad_(!frozen);
  return classifier({norm.ptr(), layer.ptr()}, {}, features(), [=](const Tensor& x) mutable { return layer->forward(norm->forward(x)); });
}

Situation instance_norm(bool keeps_statistics) {
  nn::InstanceNorm1d norm(nn::InstanceNorm1dOptions(4).affine(true).track_running_stats(keeps_statistics));
  nn::Linear layer(12, 5);
  const Batch batch{numbers({kExamples, 4, 12}), at::randint(5, {kExamples}, at::kLong)};
  return classifier({norm.ptr(), layer.ptr()}, {}, batch,
                    [=](const Tensor& x) mutable { return layer->forward(norm->forward(x)).mean(1); });
}

Situation embedding_of(bool scaled_by_frequency, bool of_unique_tokens) {
  nn::Embedding embedding(nn::EmbeddingOptions(12, 8).scale_grad_by_freq(scaled_by_frequency));
  nn::Linear layer(8, 5);
  Batch batch = tokens();
  batch[0].masked_fill_(batch[0].eq(7), 11);  // a gap, so that the unique tokens are not 0, 1, 2, ...
  return classifier({embedding.ptr(), layer.ptr()}, {}, batch, [=](const Tensor& ids) mutable {
    if (!of_unique_tokens) return layer->forward(embedding->forward(ids).mean(1));
    const auto [unique, inverse, counts] = at::_unique2(ids, true, true);
    return layer->forward(embedding->forward(unique).index({inverse}).mean(1));
  });
}

Situation layer_norm_over_the_batch() {
  nn::Linear layer(10, 5);
  const Tensor gain = parameter({kExamples, 10});
  return classifier({layer.ptr()}, {gain}, features(),
                    [=](const Tensor& x) mutable { return layer->forward(at::layer_norm(x, x.sizes(), gain.narrow(0, 0, x.size(0)))); });
}

Situation attention_along_the_wrong_axis() {
  nn::MultiheadAttention attention(10, 2);  // takes [T, B, d] and is given [B, T, d]
  nn::Linear layer(10, 5);
  return classifier({attention.ptr(), layer.ptr()}, {}, sequences(),
                    [=](const Tensor& x) mutable { return layer->forward(std::get<0>(attention->forward(x, x, x)).mean(1)); });
}

template <class Op>
Situation custom() {
  return sandwich([](const Tensor& h, const Tensor&) { return Op::apply(h); });
}

Situation mixing_product() {
  nn::Linear layer(8, 5);
  const Tensor weight = parameter({10, 8});
  return classifier({layer.ptr()}, {weight}, features(),
                    [=](const Tensor& x) mutable { return layer->forward(MixingProduct::apply(x, weight)); });
}

Situation plain(const std::function<void(const Tensor& hidden)>& touch, const std::function<void(const Situation&)>& prepare = {}) {
  Situation setup = sandwich([touch](const Tensor& h, const Tensor&) {
    const Tensor own = h * 1;
    touch(own);
    return own.tanh();
  });
  if (prepare) prepare(setup);
  return setup;
}

Situation gained(const std::function<Tensor(const Tensor& gain, const Tensor& inputs)>& factor) {
  const Tensor gain = parameter({8});
  return sandwich([=](const Tensor& h, const Tensor& x) { return h * factor(gain, x); }, {}, {gain});
}

}  // namespace

std::vector<Counterexample> layer_counterexamples() {
  using V = Verdict;
  const auto nothing = [](const Tensor&) {};
  return {
      {"mlp", V::accepted, V::accepted, "", [=] { return plain(nothing); }},
      {"dropout", V::accepted, V::accepted, "",
       [] { return sandwich([](const Tensor& h, const Tensor&) { return at::dropout(h, 0.5, true); }); }},
      {"gain_plus_a_number", V::accepted, V::accepted, "", [] { return gained([](const Tensor& w, const Tensor&) { return w + 1; }); }},
      {"gain_plus_a_tensor", V::unproved, V::accepted, "AddBackward0 [8]",
       [] { return gained([](const Tensor& w, const Tensor&) { return w + at::ones({8}, w.options()); }); }},
      {"retain_grad", V::accepted, V::accepted, "", [] { return plain([](const Tensor& h) { h.retain_grad(); }); }},
      {"hook_on_an_activation", V::refused, V::refused, "MulBackward1 [6, 8]",
       [] { return plain([](const Tensor& h) { h.register_hook([](const Tensor& g) { return g + g.mean(0); }); }); }},
      {"hook_on_a_parameter", V::refused, V::refused, "a tracked parameter",
       [=] {
         return plain(nothing, [](const Situation& s) { s.parameters[0].second.register_hook([](const Tensor& g) { return g * 100; }); });
       }},
      {"batch_norm_in_eval", V::accepted, V::accepted, "", [] { return batch_norm({8}, false); }},
      {"batch_norm_in_training", V::refused, V::refused, "NativeBatchNormBackward0 [6, 8]", [] { return batch_norm({8}, true); }},
      {"batch_norm_in_training_without_affine", V::refused, V::refused, "NativeBatchNormBackward0 [6, 8]",
       [] { return batch_norm(nn::BatchNorm1dOptions(8).affine(false), true); }},
      {"batch_norm_in_training_without_running_statistics", V::refused, V::refused, "NativeBatchNormBackward0 [6, 8]",
       [] { return batch_norm(nn::BatchNorm1dOptions(8).track_running_stats(false), true); }},
      {"batch_norm_of_the_inputs", V::refused, V::refused, "NativeBatchNormBackward0 [6, 10]", [] { return batch_norm_of_inputs(false); }},
      {"frozen_batch_norm_below_all_parameters", V::accepted, V::refused, "", [] { return batch_norm_of_inputs(true); }},
      {"instance_norm", V::accepted, V::accepted, "", [] { return instance_norm(false); }},
      {"instance_norm_with_running_statistics", V::refused, V::refused, "NativeBatchNormBackward0 [1, 24, 12]",
       [] { return instance_norm(true); }},
      {"layer_norm_over_the_batch", V::refused, V::refused, "NativeLayerNormBackward0 [6, 10]", layer_norm_over_the_batch},
      {"attention_along_the_wrong_axis", V::unproved, V::refused, "[", attention_along_the_wrong_axis},
      {"lookup_of_unique_tokens", V::unproved, V::accepted, "EmbeddingBackward0", [] { return embedding_of(false, true); }},
      {"embedding_scaled_by_frequency", V::refused, V::refused, "EmbeddingBackward0 [6, 5, 8]", [] { return embedding_of(true, false); }},
      {"custom_function", V::unproved, V::accepted, "Cube", custom<Cube>},
      {"custom_backward_that_mixes_the_weights", V::unproved, V::refused, "MixingProduct", mixing_product},
      {"custom_backward_with_a_familiar_name", V::unproved, V::refused, "AddBackward0", custom<AddBackward0>},
      {"custom_backward_that_normalises", V::unproved, V::refused, "NormalisedGradient", custom<NormalisedGradient>},
      {"reentrant_checkpoint", V::refused, V::refused, "CheckpointFunctionBackward", custom<CheckpointFunctionBackward>},
      {"gain_times_the_mean_input", V::unproved, V::refused, "MulBackward0 [8]",
       [] { return gained([](const Tensor& w, const Tensor& x) { return w * x.mean(); }); }},
      {"gain_plus_the_mean_input", V::unproved, V::refused, "AddBackward0 [8]",
       [] { return gained([](const Tensor& w, const Tensor& x) { return w + x.mean(0).narrow(0, 0, 8); }); }},
  };
}

}  // namespace ghostgrad::engine::tests
