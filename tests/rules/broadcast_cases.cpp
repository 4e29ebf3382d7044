// SPDX-License-Identifier: Apache-2.0
// Parameters broadcast against data, expanded, repeated, chosen by masks; and PReLU.
#include "tests/rules/harness.h"

namespace ghostgrad::rules::tests {
namespace {

constexpr int64_t N = kMostExamples;

/// A parameter of this shape against data [B, 3, 4].
Case against_data(const std::string& name, at::IntArrayRef shape, at::Tensor (*op)(const at::Tensor& x, const at::Tensor& w)) {
  Draw draw(500 + std::hash<std::string>()(name) % 1000);
  return {"broadcast_" + name, {draw.positive(shape)}, {draw.positive({N, 3, 4})}, [op](const Tensors& w, const Tensors& x) {
            return score(op(x[0], w[0]));
          }};
}

using T = const at::Tensor&;

const RegisterCase positions([] { return against_data("positions", {3, 4}, [](T x, T w) { return x + w; }); });
const RegisterCase positions_kept([] {
  return against_data("positions_with_a_dimension_of_one", {1, 3, 1}, [](T x, T w) { return x + w; });
});
const RegisterCase on_the_left([] { return against_data("parameter_on_the_left", {4}, [](T x, T w) { return w + x; }); });
const RegisterCase scaled_add([] { return against_data("scaled_addition", {4}, [](T x, T w) { return at::add(x, w, 0.5); }); });
const RegisterCase minus([] { return against_data("subtraction", {3, 1}, [](T x, T w) { return at::sub(x, w, 2.0); }); });
const RegisterCase minuend([] { return against_data("subtraction_from_a_parameter", {4}, [](T x, T w) { return w - x; }); });
const RegisterCase rsub([] {
  return against_data("reversed_subtraction", {4}, [](T x, T w) { return at::rsub(w, x, 2.0) + at::rsub(x, w, 0.5); });
});
const RegisterCase gain([] { return against_data("gain", {4}, [](T x, T w) { return x * w; }); });
const RegisterCase scalar([] { return against_data("scalar", {}, [](T x, T w) { return x * w; }); });
const RegisterCase temperature([] { return against_data("temperature", {1}, [](T x, T w) { return x / w; }); });
const RegisterCase quotient([] { return against_data("quotient_of_a_parameter", {3, 1}, [](T x, T w) { return w / x; }); });
const RegisterCase twice([] { return against_data("parameter_used_twice", {4}, [](T x, T w) { return (x * w).tanh() * w; }); });
const RegisterCase transposed([] {
  return against_data("data_with_examples_last", {4, 1}, [](T x, T w) { return (x.permute({1, 2, 0}) * w).permute({2, 0, 1}); });
});
const RegisterCase split([] {
  return against_data("examples_split_over_two_views", {4}, [](T x, T w) { return (x.reshape({-1, 4}) * w).view({-1, 3, 4}); });
});

const RegisterCase class_token([] {
  return against_data("class_token", {1, 1, 4}, [](T x, T w) { return at::cat({w.expand({x.size(0), -1, -1}), x}, 1).cumsum(1); });
});
const RegisterCase over_positions([] {
  return against_data("expansion_over_positions", {4}, [](T x, T w) { return w.expand({x.size(0), 3, 4}) * x; });
});
const RegisterCase repeated([] {
  return against_data("repetition", {1, 4}, [](T x, T w) { return at::cat({w.repeat({x.size(0), 2, 1}), x}, 1).cumsum(1); });
});
const RegisterCase tiled([] {
  return against_data("repetition_along_the_parameter", {4}, [](T x, T w) { return w.repeat({3 * x.size(0)}).view_as(x) * x; });
});
const RegisterCase mask_token([] { return against_data("mask_token", {4}, [](T x, T w) { return at::where(x > 1, w, x); }); });
const RegisterCase kept_token([] {
  return against_data("mask_of_data", {3, 1}, [](T x, T w) { return at::where(x > 1, x, w).cumsum(1); });
});

const RegisterCase loop_over_examples([] {
  return against_data("loop_over_examples", {3, 4}, [](T x, T w) {
    Tensors rows;
    for (int64_t i = 0; i < x.size(0); ++i) rows.push_back(x[i] * w);
    return at::stack(rows);
  });
});

/// All sizes are the number of examples: which dimension of [5, 5, 5] is theirs cannot be told from shapes.
const RegisterCase equal_sizes([] {
  return Case{"broadcast_where_all_sizes_are_equal",
              {Draw(600).normal({5, 5})},
              {Draw(601).normal({N, 5, 5})},
              [](const Tensors& w, const Tensors& x) { return score((x[0].transpose(0, 1) * w[0].unsqueeze(1)).transpose(0, 1)); }};
});

/// A row of its own for each place in the batch: nothing is summed, so the fallback takes over.
const RegisterCase owned([] {
  return Case{"broadcast_of_a_row_per_place",
              {Draw(602).normal({N, 4})},
              {Draw(603).normal({N, 3, 4})},
              [](const Tensors& w, const Tensors& x) { return score(x[0] * w[0].narrow(0, 0, x[0].size(0)).unsqueeze(1)); },
              {"MulBackward0"},
              /*knows_positions=*/true};
});

const RegisterCase slope([] {
  return Case{"prelu_with_one_slope", {Draw(604).positive({1})}, {Draw(605).normal({N, 3, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(at::prelu(x[0], w[0]));
              }};
});

const RegisterCase slopes([] {
  return Case{"prelu_with_a_slope_for_each_channel",
              {Draw(606).positive({3})},
              {Draw(607).normal({N, 3, 4})},
              [](const Tensors& w, const Tensors& x) { return score(at::prelu(x[0], w[0])); }};
});

}  // namespace
}  // namespace ghostgrad::rules::tests
