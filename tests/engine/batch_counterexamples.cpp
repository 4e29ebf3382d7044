// SPDX-License-Identifier: Apache-2.0
#include "counterexamples.h"

namespace ghostgrad::engine::tests {
namespace {

namespace nn = torch::nn;
using at::Tensor;

constexpr int64_t kExamples = 6;

Tensor numbers(at::IntArrayRef sizes) { return at::randn(sizes, at::kDouble); }
Batch features() { return {numbers({kExamples, 10}), at::randint(5, {kExamples}, at::kLong)}; }

/// 10 -> 8 -> between -> 5
Situation between(const std::function<Tensor(const Tensor& hidden)>& op) {
  nn::Linear first(10, 8), second(8, 5);
  return classifier({first.ptr(), second.ptr()}, {}, features(),
                    [=](const Tensor& x) mutable { return second->forward(op(first->forward(x))); });
}

/// between -> 10 -> 8 -> 5
Situation before(const std::function<Tensor(const Tensor& inputs)>& op) {
  nn::Linear first(10, 8), second(8, 5);
  return classifier({first.ptr(), second.ptr()}, {}, features(),
                    [=](const Tensor& x) mutable { return second->forward(first->forward(op(x)).relu()); });
}

Situation weak_mixing(double factor) {
  return between([factor](const Tensor& h) { return (h - factor * h.mean(0)).tanh(); });
}

/// Each example is to be told from the others of its batch.
Situation contrastive(bool against_inputs) {
  nn::Linear layer(10, 8);
  return classifier({layer.ptr()}, {}, {numbers({kExamples, 10}), at::arange(kExamples)}, [=](const Tensor& x) mutable {
    const Tensor h = layer->forward(x);
    return h.mm(against_inputs ? x.narrow(1, 0, 8).t() : h.t());
  });
}

Situation mean_times_weight() {
  nn::Linear first(10, 8), second(8, 5);
  const Tensor weight = numbers({10, 8}).requires_grad_();
  return classifier({first.ptr(), second.ptr()}, {weight}, features(),
                    [=](const Tensor& x) mutable { return second->forward(first->forward(x) + x.mean(0, true).mm(weight)); });
}

Situation embedding_of_a_statistic() {
  nn::Linear first(10, 8), second(8, 5);
  nn::Embedding embedding(10, 8);
  return classifier({first.ptr(), second.ptr(), embedding.ptr()}, {}, features(), [=](const Tensor& x) mutable {
    return second->forward(first->forward(x) + embedding->forward(x.mean(0).argsort().narrow(0, 0, 1)).sum(0));
  });
}

Situation softmax_over_the_batch() {
  nn::Linear first(10, 8), second(8, 5), gate(10, 1);
  return classifier({first.ptr(), second.ptr(), gate.ptr()}, {}, features(),
                    [=](const Tensor& x) mutable { return second->forward(first->forward(x) * gate->forward(x).softmax(0)); });
}

/// Only the three examples with the largest scores reach the expert.
Situation limited_capacity() {
  nn::Linear shared(10, 5), expert(10, 5);
  return classifier({shared.ptr(), expert.ptr()}, {}, features(), [=](const Tensor& x) mutable {
    const Tensor chosen = std::get<1>(x.sum(1).topk(3)), h = shared->forward(x);
    return h + at::zeros_like(h).index_add(0, chosen, expert->forward(x.index_select(0, chosen)));
  });
}

/// One example alone reaches the expert, by its place in the batch: no other takes it unless this one is left out.
Situation served_by_place(int64_t place) {
  nn::Linear shared(10, 5), expert(10, 5);
  return classifier({shared.ptr(), expert.ptr()}, {}, features(), [=](const Tensor& x) mutable {
    const Tensor chosen = at::full({1}, place < 0 ? x.size(0) + place : place, at::kLong), h = shared->forward(x);
    return h + at::zeros_like(h).index_add(0, chosen, expert->forward(x.index_select(0, chosen)));
  });
}

/// The identity, whose gradient is divided by the number of examples: losses and replacements know nothing of it.
class OverTheBatchSize : public torch::autograd::Function<OverTheBatchSize> {
 public:
  static Tensor forward(torch::autograd::AutogradContext*, const Tensor& x) { return x.clone(); }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*, const torch::autograd::variable_list& grad) {
    return {grad[0] / static_cast<double>(grad[0].size(0))};
  }
};

/// 10 -> 8 -> 5, and losses made of the examples' own and of the batch.
Situation losses_by(const std::function<Tensor(const Tensor& losses, const Batch& batch)>& op) {
  nn::Linear first(10, 8), second(8, 5);
  const Batch batch{numbers({kExamples, 10}), at::arange(kExamples).remainder(5)};
  return {named({first.ptr(), second.ptr()}), batch,
          [=](const Batch& b) mutable { return op(cross_entropy(second->forward(first->forward(b[0]).tanh()), b[1]), b); }};
}

Tensor class_weights(const Tensor& losses, const Batch& b) {
  const Tensor weights = at::bincount(b[1], {}, 5).to(at::kDouble) + 1;
  return losses * weights.index_select(0, b[1]);
}

Tensor per_valid_token(const Tensor& losses, const Batch& b) {
  const Tensor valid = b[1].gt(0).to(at::kDouble);
  return losses * valid / valid.sum();
}

}  // namespace

std::vector<Counterexample> batch_counterexamples() {
  using V = Verdict;
  return {
      {"batch_norm_by_hand", V::refused, V::refused, "AddmmBackward0 [6, 8]",
       [] { return between([](const Tensor& h) { return (h - h.mean(0)) / h.std(0); }); }},
      {"centred_activations", V::refused, V::refused, "AddmmBackward0 [6, 8]",
       [] { return between([](const Tensor& h) { return (h - h.mean(0)).relu(); }); }},
      {"centred_inputs", V::accepted, V::refused, "", [] { return before([](const Tensor& x) { return x - x.mean(0); }); }},
      {"centred_by_a_detached_mean", V::accepted, V::refused, "",
       [] { return between([](const Tensor& h) { return (h - h.mean(0).detach()).relu(); }); }},
      {"weak_mixing_1e_6", V::refused, V::refused, "AddmmBackward0 [6, 8]", [] { return weak_mixing(1e-6); }},
      {"weak_mixing_1e_10", V::refused, V::refused, "AddmmBackward0 [6, 8]", [] { return weak_mixing(1e-10); }},
      {"weak_mixing_1e_14", V::refused, V::refused, "AddmmBackward0 [6, 8]", [] { return weak_mixing(1e-14); }},
      {"contrastive", V::refused, V::refused, "[6, 8]", [] { return contrastive(false); }},
      {"contrastive_against_inputs", V::accepted, V::refused, "", [] { return contrastive(true); }},
      {"mean_input_times_weight", V::unproved, V::refused, "MmBackward0 [1, 8]", mean_times_weight},
      {"embedding_of_a_batch_statistic", V::accepted, V::refused, "", embedding_of_a_statistic},
      {"softmax_over_the_batch", V::refused, V::refused, "SoftmaxBackward0 [6, 1]", softmax_over_the_batch},
      {"sum_over_the_batch_so_far", V::refused, V::refused, "CumsumBackward0 [6, 8]",
       [] { return between([](const Tensor& h) { return h.cumsum(0); }); }},
      {"experts_of_limited_capacity", V::accepted, V::refused, "", limited_capacity},
      {"first_come_first_served", V::accepted, V::refused, "", [] { return served_by_place(0); }},
      {"last_come_first_served", V::accepted, V::refused, "", [] { return served_by_place(-1); }},
      {"backward_over_the_batch_size", V::unproved, V::refused, "OverTheBatchSize",
       [] { return between([](const Tensor& h) { return OverTheBatchSize::apply(h); }); }},
      {"mixup", V::accepted, V::refused, "",
       [] { return before([](const Tensor& x) { return 0.7 * x + 0.3 * x.index_select(0, at::randperm(x.size(0), at::kLong)); }); }},
      {"losses_of_neighbours", V::refused, V::refused, "[6]",
       [] { return losses_by([](const Tensor& l, const Batch&) { return l + l.roll(1); }); }},
      {"mean_loss_added", V::refused, V::refused, "[6]",
       [] { return losses_by([](const Tensor& l, const Batch&) { return l + l.mean(); }); }},
      {"losses_over_the_valid_tokens", V::accepted, V::refused, "", [] { return losses_by(per_valid_token); }},
      {"losses_over_the_batch_size", V::accepted, V::refused, "",
       [] { return losses_by([](const Tensor& l, const Batch&) { return l / static_cast<double>(l.size(0)); }); }},
      {"class_weights_of_the_batch", V::accepted, V::refused, "", [] { return losses_by(class_weights); }},
      {"hardest_half", V::accepted, V::refused, "",
       [] { return losses_by([](const Tensor& l, const Batch&) { return l * l.ge(l.median()).to(at::kDouble).detach(); }); }},
  };
}

}  // namespace ghostgrad::engine::tests
