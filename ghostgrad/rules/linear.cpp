// SPDX-License-Identifier: Apache-2.0
// Linear maps: x @ W, W @ x, with any number of positions per example and any layout of the rows, and what is added to them.
//
//     z = x @ W        rows of z belong to examples:     G_i = x_i^T g_i       [d, p]
//     z = W @ x        columns of z belong to examples:  G_i = g_i x_i^T       [p, d]
#include <ATen/ops/bmm.h>
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/rules/examples_first.h"
#include "ghostgrad/rules/linear_term.h"
#include "ghostgrad/rules/rule.h"

namespace ghostgrad::rules {
namespace {

namespace generated = torch::autograd::generated;
using torch::autograd::SavedVariable;

/// A product of two (batches of) matrices: which edges its operands are, where they are saved, and the factor in front.
struct Product {
  int left_edge;
  int right_edge;
  const SavedVariable& left;
  const SavedVariable& right;
  double scale = 1;
};

/// [H, rows, k] -> [B, H, T, k]
at::Tensor by_example(const at::Tensor& batch, const graph::Axis& axis, int64_t examples) {
  const graph::Axis rows{0, axis.inner, axis.owners};
  if (batch.size(0) == 1) return examples_first(batch[0], rows, examples, 1).unsqueeze(1);
  const at::Tensor first = examples_first(batch.transpose(0, 1), rows, examples, 1);  // [B, T, H, k]
  return first.transpose(1, 2);
}

at::Tensor as_batch(const at::Tensor& matrix) { return matrix.dim() == 2 ? matrix.unsqueeze(0) : matrix; }

/// Real and dense: what terms are made of.
bool is_plain(const at::Tensor& tensor) { return tensor.layout() == at::kStrided && !tensor.is_complex(); }

/// One operand's term, given the factors of G = left^T right as matrices whose rows (dim -2) belong to examples.
TermPtr outer(const CallSite& call, const graph::Axis& rows, std::pair<at::Tensor, at::Tensor> factors, int edge) {
  const auto& [left, right] = factors;
  if (!left.defined() || !right.defined() || !is_plain(left) || !is_plain(right)) return nullptr;
  return std::make_unique<LinearTerm>(by_example(as_batch(left), rows, call.examples()), by_example(as_batch(right), rows, call.examples()),
                                      call.shape(edge));
}

at::Tensor turned(const at::Tensor& matrix) { return matrix.defined() ? matrix.transpose(-2, -1) : matrix; }

void product_terms(const CallSite& call, const Product& product, Terms& terms) {
  const int64_t dims = call.grads[0].dim();
  const at::Tensor grads = product.scale == 1 ? call.grads[0] : call.grads[0] * product.scale;
  const auto rows = call.axis_along(dims - 2), columns = call.axis_along(dims - 1);
  TermPtr right, left;
  if (call.wants(product.right_edge) && rows) right = outer(call, *rows, {product.left.unpack(call.self()), grads}, product.right_edge);
  if (call.wants(product.left_edge) && columns) {
    left = outer(call, *columns, {turned(grads), turned(product.right.unpack(call.self()))}, product.left_edge);
  }
  if (right) terms.emplace_back(product.right_edge, std::move(right));
  if (left) terms.emplace_back(product.left_edge, std::move(left));
}

/// What is added to the product, broadcast or not.
void added_term(const CallSite& call, int edge, double scale, Terms& terms) {
  if (!call.wants(edge)) return;
  const auto sum = call.summed(call.grads[0], edge);
  if (sum) terms.emplace_back(edge, std::make_unique<DenseTerm>(scale == 1 ? *sum : *sum * scale, call.shape(edge)));
}

Terms mm(const CallSite& call) {
  auto& node = call.node<generated::MmBackward0>();
  Terms terms;
  product_terms(call, {0, 1, node.self_, node.mat2_}, terms);
  return terms;
}

Terms bmm(const CallSite& call) {
  auto& node = call.node<generated::BmmBackward0>();
  Terms terms;
  product_terms(call, {0, 1, node.self_, node.mat2_}, terms);
  return terms;
}

Terms addmm(const CallSite& call) {
  auto& node = call.node<generated::AddmmBackward0>();
  Terms terms;
  product_terms(call, {1, 2, node.mat1_, node.mat2_, node.alpha.toDouble()}, terms);
  added_term(call, 0, node.beta.toDouble(), terms);
  return terms;
}

Terms baddbmm(const CallSite& call) {
  auto& node = call.node<generated::BaddbmmBackward0>();
  Terms terms;
  product_terms(call, {1, 2, node.batch1_, node.batch2_, node.alpha.toDouble()}, terms);
  added_term(call, 0, node.beta.toDouble(), terms);
  return terms;
}

/// z = x @ v for a vector of parameters: G_i = sum_t g_t x_t
Terms mv(const CallSite& call) {
  auto& node = call.node<generated::MvBackward0>();
  Terms terms;
  const auto axis = call.axis_along(0);
  const at::Tensor matrix = node.self_.unpack(call.self());
  if (!call.wants(1) || !axis || !matrix.defined() || !is_plain(matrix) || !is_plain(call.grads[0])) return terms;
  const at::Tensor data = at_least_float(examples_first(matrix, *axis, call.examples(), 1));
  const at::Tensor grads = at_least_float(examples_first(call.grads[0], *axis, call.examples(), 1));
  terms.emplace_back(1, std::make_unique<DenseTerm>(at::bmm(grads.unsqueeze(1), data).squeeze(1), call.shape(1)));
  return terms;
}

const RegisterRule registered_mm{{"MmBackward0", "linear", "x @ W or W @ x"}, mm};
const RegisterRule registered_bmm{{"BmmBackward0", "linear", "x_h @ W_h or W_h @ x_h, for each of H matrices"}, bmm};
const RegisterRule registered_addmm{{"AddmmBackward0", "linear", "beta * bias + alpha * x @ W"}, addmm};
const RegisterRule registered_baddbmm{{"BaddbmmBackward0", "linear", "beta * bias + alpha * x_h @ W_h"}, baddbmm};
const RegisterRule registered_mv{{"MvBackward0", "linear", "x @ v"}, mv};

}  // namespace
}  // namespace ghostgrad::rules
