// SPDX-License-Identifier: Apache-2.0
// One matrix used several times, whole or in pieces, however a program spells it: ghost norms, never a gradient of its size for each example.
#include "measure.h"

#include <gtest/gtest.h>

namespace ghostgrad::tests {
namespace {

namespace nn = torch::nn;
using at::Tensor;

constexpr int64_t kTokens = 9, kWidth = 6, kLength = 5;

struct Spelling {
  std::string name;
  std::function<Tensor(const Tensor& hidden, const Tensor& matrix)> map;  // [B, T, d] and the matrix
};

/// A table of tokens that is the head, too.
Subject tied(const Spelling& spelling, int64_t examples, at::ScalarType dtype) {
  nn::Embedding embedding(kTokens, kWidth);
  nn::Linear middle(kWidth, kWidth);
  embedding->to(dtype);
  middle->to(dtype);
  const Tensor ids = torch::randint(kTokens, {examples, kLength});
  return {{embedding->weight, middle->weight}, {ids}, [=, map = spelling.map](const Batch& b) mutable {
            const Tensor logits = map(torch::tanh(middle->forward(embedding->forward(b[0]))), embedding->weight);
            return at::cross_entropy_loss(logits.transpose(1, 2), b[0], {}, at::Reduction::None).sum(1);
          }};
}

/// Attention by one matrix for queries, keys and values.
Subject attention(const Spelling& spelling, int64_t examples, at::ScalarType dtype) {
  const Tensor matrix = torch::randn({3 * kWidth, kWidth}, dtype).requires_grad_();
  return {{matrix}, {torch::randn({examples, kLength, kWidth}, dtype)}, [=, map = spelling.map](const Batch& b) {
            return map(b[0], matrix).square().sum({1, 2});
          }};
}

Tensor attend(const Tensor& hidden, const Tensor& q, const Tensor& k, const Tensor& v) {
  const Tensor scores = at::matmul(at::linear(hidden, q), at::linear(hidden, k).transpose(1, 2));
  return at::matmul(at::softmax(scores, -1), at::linear(hidden, v));
}

Tensor attend_by(const Tensor& hidden, const std::vector<Tensor>& parts) { return attend(hidden, parts[0], parts[1], parts[2]); }

const std::vector<Spelling> heads = {
    {"linear", [](const Tensor& h, const Tensor& w) { return at::linear(h, w); }},
    {"t", [](const Tensor& h, const Tensor& w) { return at::matmul(h, w.t()); }},
    {"numpy_T", [](const Tensor& h, const Tensor& w) { return at::matmul(h, w.numpy_T()); }},
    {"mT", [](const Tensor& h, const Tensor& w) { return at::matmul(h, w.mT()); }},
    {"permute",
     [](const Tensor& h, const Tensor& w) {
       return at::matmul(h, w.permute({1, 0}));
     }},
    {"einsum",
     [](const Tensor& h, const Tensor& w) {
       return at::einsum("btd,vd->btv", {h, w});
     }},
    {"view_and_slices",
     [](const Tensor& h, const Tensor& w) {
       return at::linear(h, w.view({3, 3, -1}).slice(0, 0, 3).flatten(0, 1));
     }},
};

const std::vector<Spelling> parts = {
    {"chunk", [](const Tensor& x, const Tensor& w) { return attend_by(x, w.chunk(3)); }},
    {"split_with_sizes",
     [](const Tensor& x, const Tensor& w) {
       return attend_by(x, w.split_with_sizes({kWidth, kWidth, kWidth}));
     }},
    {"view_and_unbind",
     [](const Tensor& x, const Tensor& w) {
       return attend_by(x, w.view({3, kWidth, kWidth}).unbind());
     }},
    {"columns",
     [](const Tensor& x, const Tensor& w) {
       return attend_by(x, w.view({kWidth, 3 * kWidth}).chunk(3, 1));
     }},
    {"every_third",
     [](const Tensor& x, const Tensor& w) {
       return attend(x, w.slice(0, 0, INT64_MAX, 3), w.slice(0, 1, INT64_MAX, 3), w.slice(0, 2, INT64_MAX, 3));
     }},
    {"one_twice", [](const Tensor& x, const Tensor& w) { return attend(x, w.chunk(3)[0], w.chunk(3)[0].t().t(), w.chunk(3)[2]); }},
    {"one_transposed", [](const Tensor& x, const Tensor& w) { return attend(x, w.chunk(3)[1], w.chunk(3)[1].t(), w.chunk(3)[2]); }},
};

const std::vector<Spelling> overlapping = {
    {"rows_in_common", [](const Tensor& x, const Tensor& w) { return attend(x, w.slice(0, 0, 6), w.slice(0, 5, 11), w.slice(0, 12, 18)); }},
    {"whole_and_part", [](const Tensor& x, const Tensor& w) { return attend_by(x, w.chunk(3)) + at::linear(x, w).narrow(2, 4, kWidth); }},
};

void expect_exact(const Subject& subject, double tolerance) {
  const double threshold = reference(subject, 1.0).norms.median().item<double>();
  const Reference expected = reference(subject, threshold);
  for (const std::string& method : clipping_methods()) {
    if (method == "naive") continue;
    const Measured got = measure(subject, {.method = method, .threshold = threshold});
    EXPECT_LT(relative_error({got.norms}, {expected.norms}), tolerance) << method;
    EXPECT_LT(relative_error(got.sums, expected.sums, threshold), tolerance) << method;
  }
}

/// Whether book-keeping forms a gradient of a matrix for each example.
bool instantiates_a_matrix(const Subject& subject) {
  bool found = false;
  for (const clip::CallReport& call : measure(subject, {.method = "bk"}).calls) {
    const bool is_bias = call.label.find(", ") == std::string::npos;
    found = found || (!is_bias && call.route != "gram");
  }
  return found;
}

struct Family {
  std::string name;
  Subject (*make)(const Spelling&, int64_t, at::ScalarType);
  const std::vector<Spelling>* spellings;
  bool by_ghost_norms;
};

/// Makes gtest print the name.
void PrintTo(const Family& family, std::ostream* out) { *out << family.name; }

class Pieces : public testing::TestWithParam<Family> {};

TEST_P(Pieces, HaveTheClippedSumOfTheLoop) {
  for (const Spelling& spelling : *GetParam().spellings) {
    SCOPED_TRACE(spelling.name);
    torch::manual_seed(900);
    expect_exact(GetParam().make(spelling, 4, at::kDouble), 1e-10);
    expect_exact(GetParam().make(spelling, 4, at::kFloat), 1e-5);
  }
}

TEST_P(Pieces, HaveGhostNormsUnlessTheyOverlap) {
  for (const Spelling& spelling : *GetParam().spellings) {
    EXPECT_EQ(instantiates_a_matrix(GetParam().make(spelling, 4, at::kDouble)), !GetParam().by_ghost_norms) << spelling.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Pieces,
                         testing::Values(Family{"tied", tied, &heads, true}, Family{"attention", attention, &parts, true},
                                         Family{"overlapping", attention, &overlapping, false}),
                         [](const auto& family) { return family.param.name; });

}  // namespace
}  // namespace ghostgrad::tests
