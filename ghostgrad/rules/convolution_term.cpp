// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/rules/convolution_term.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include <ATen/ops/cat.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>

#include "ghostgrad/rules/linear_term.h"
#include "ghostgrad/rules/rounding.h"

namespace ghostgrad::rules {
namespace {

int64_t product(at::IntArrayRef sizes) { return std::accumulate(sizes.begin(), sizes.end(), int64_t{1}, std::multiplies<>()); }

std::vector<int64_t> with_front(int64_t front, at::IntArrayRef sizes) {
  std::vector<int64_t> result{front};
  result.insert(result.end(), sizes.begin(), sizes.end());
  return result;
}

/// The library's weight gradient: inputs [N, C, *], grads [N, O, *] -> [O, C / groups, *kernel]
at::Tensor weight_gradient(const at::Tensor& inputs, const at::Tensor& grads, at::IntArrayRef shape, const Convolution& c) {
  const at::Tensor weight = at::empty(shape, inputs.options());  // only its shape is read
  const std::vector<int64_t> no_output_padding(c.stride.size(), 0);
  return std::get<1>(at::convolution_backward(grads, inputs, weight, std::nullopt, c.stride, c.padding, c.dilation, /*transposed=*/false,
                                              no_output_padding, c.groups, {false, true, false}));
}

/// [B, m, C, *] -> [m, B * C, *]
at::Tensor examples_to_channels(const at::Tensor& images) { return images.transpose(0, 1).flatten(1, 2); }

/// Calls f(first, count) on blocks of examples whose unfolded inputs are of moderate size.
template <class F>
void in_blocks(int64_t examples, int64_t elements_per_example, F f) {
  constexpr int64_t block_elements = int64_t{1} << 22;
  const int64_t block = std::clamp<int64_t>(block_elements / std::max<int64_t>(1, elements_per_example), 1, examples);
  for (int64_t first = 0; first < examples; first += block) f(first, std::min(block, examples - first));
}

/// The convolution of some examples as a linear map over positions: G_i = g_i^T u_i, for each group.
LinearTerm linear_form(const at::Tensor& inputs, const at::Tensor& grads, const Shape& shape, const Convolution& convolution) {
  const at::Tensor columns = unfold(inputs, convolution, {at::IntArrayRef(shape).slice(2), grads.sizes().slice(3)});
  const int64_t outputs = shape[0] / convolution.groups;
  const at::Tensor rows = grads.transpose(1, 2).reshape({grads.size(0), convolution.groups, outputs, columns.size(3)});
  return {rows.transpose(2, 3), columns.transpose(2, 3), Shape{convolution.groups, outputs, columns.size(2)}};
}

}  // namespace

ConvolutionTerm::ConvolutionTerm(at::Tensor inputs, at::Tensor grads, Shape shape, Convolution convolution)
    : Term(inputs.size(0), std::move(shape)),
      inputs_(at_least_float(inputs)),
      grads_(at_least_float(grads)),
      convolution_(std::move(convolution)) {}

int64_t ConvolutionTerm::positions() const { return grads_.size(1) * product(grads_.sizes().slice(3)); }

// Measured on one thread with oneDNN, 14 shapes (B 8 to 64, C 1 to 512, images 4x4 to 56x56): this choice is within 1.35x of the best of
// the three everywhere.
ConvolutionWay ConvolutionTerm::chosen() const {
  const int64_t row = numel() / shape()[0], work = positions() * numel();  // C / groups * prod(kernel); multiply-adds for one example
  if (convolution_.groups > 1) return ConvolutionWay::grouped;
  const bool few_columns = row <= 32 || product(at::IntArrayRef(shape()).slice(2)) == 1;
  const bool small_images = positions() <= 256 && shape()[0] >= 96;
  if (few_columns || small_images) return ConvolutionWay::unfolded;
  return work < 2'000'000 ? ConvolutionWay::grouped : ConvolutionWay::one_by_one;
}

at::Tensor ConvolutionTerm::per_example_by(ConvolutionWay way) const {
  switch (way) {
    case ConvolutionWay::one_by_one:
      return one_by_one();
    case ConvolutionWay::grouped:
      return grouped();
    case ConvolutionWay::unfolded:
      break;
  }
  return unfolded();
}

at::Tensor ConvolutionTerm::one_by_one() const {
  at::Tensor all = at::empty(with_front(examples(), shape()), inputs_.options());
  for (int64_t i = 0; i < examples(); ++i) all[i].copy_(weight_gradient(inputs_[i], grads_[i], shape(), convolution_));
  return all;
}

at::Tensor ConvolutionTerm::grouped() const {
  Convolution apart = convolution_;
  apart.groups *= examples();
  const auto channels = with_front(examples() * shape()[0], at::IntArrayRef(shape()).slice(1));
  return weight_gradient(examples_to_channels(inputs_), examples_to_channels(grads_), channels, apart)
      .view(with_front(examples(), shape()));
}

at::Tensor ConvolutionTerm::unfolded() const {
  at::Tensor all = at::empty(with_front(examples(), shape()), inputs_.options());
  in_blocks(examples(), positions() * (numel() / shape()[0]) * convolution_.groups, [&](int64_t first, int64_t count) {
    const LinearTerm block = linear_form(inputs_.narrow(0, first, count), grads_.narrow(0, first, count), shape(), convolution_);
    all.narrow(0, first, count).copy_(block.per_example().view(with_front(count, shape())));
  });
  return all;
}

at::Tensor ConvolutionTerm::squared_norms() const {
  at::Tensor all = at::empty({examples()}, inputs_.options().dtype(at::kDouble));
  const int64_t columns = positions() * (numel() / shape()[0]) * convolution_.groups,
                grams = positions() * positions() * convolution_.groups;
  in_blocks(examples(), std::max(columns, grams), [&](int64_t first, int64_t count) {
    const LinearTerm block = linear_form(inputs_.narrow(0, first, count), grads_.narrow(0, first, count), shape(), convolution_);
    all.narrow(0, first, count).copy_(block.squared_norms());
  });
  return all;
}

at::Tensor ConvolutionTerm::weighted_sum(const at::Tensor& coefficients) const {
  std::vector<int64_t> sizes(grads_.dim(), 1);
  sizes[0] = examples();
  const at::Tensor c = coefficients.to(grads_.scalar_type()).view(sizes);
  const bool scale_inputs = inputs_.numel() < grads_.numel();
  const at::Tensor inputs = scale_inputs ? inputs_ * c : inputs_, grads = scale_inputs ? grads_ : grads_ * c;
  return weight_gradient(inputs.flatten(0, 1), grads.flatten(0, 1), shape(), convolution_);
}

at::Tensor ConvolutionTerm::rounding() const {
  const at::Tensor pixels = inputs_.square().sum(2).flatten(1).amax(1);  // [B], so that |u_t|^2 <= prod(kernel) * pixels
  const int64_t kernel = product(at::IntArrayRef(shape()).slice(2));
  return rounding_of_sums(unit(), positions(), squares_per_example(grads_).mul_(pixels).mul_(kernel));
}

double ConvolutionTerm::unit() const { return unit_of(inputs_); }

Cost ConvolutionTerm::cost() const {
  const auto batch = static_cast<double>(examples()), t = static_cast<double>(positions());
  const auto elements = static_cast<double>(numel()), groups = static_cast<double>(convolution_.groups);
  const double outputs = static_cast<double>(shape()[0]) / groups, row = elements / static_cast<double>(shape()[0]);
  const double dense = batch * t * elements;
  return {dense, batch * groups * t * t * (outputs + row), dense, batch * elements, t, elements};
}

TermPtr ConvolutionTerm::concatenate(const std::vector<const Term*>& others) const {
  std::vector<at::Tensor> inputs{inputs_}, grads{grads_};
  for (const Term* other : others) {
    const auto* same = dynamic_cast<const ConvolutionTerm*>(other);
    if (!same || !(same->convolution_ == convolution_) || same->inputs_.sizes().slice(2) != inputs_.sizes().slice(2)) return nullptr;
    inputs.push_back(same->inputs_);
    grads.push_back(same->grads_);
  }
  return std::make_unique<ConvolutionTerm>(at::cat(inputs, 1), at::cat(grads, 1), shape(), convolution_);
}

void ConvolutionTerm::keep_only(const at::Tensor& valid) {
  inputs_ = select_examples(inputs_, valid);
  grads_ = select_examples(grads_, valid);
}

}  // namespace ghostgrad::rules
