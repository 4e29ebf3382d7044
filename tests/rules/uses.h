// SPDX-License-Identifier: Apache-2.0
// From a case to its terms and back to the parameters: the plumbing of the harness.
#pragma once

#include "tests/rules/harness.h"
#include <map>

#include "ghostgrad/graph/cut.h"
#include "ghostgrad/rules/trial.h"

namespace ghostgrad::rules::tests {

/// A case evaluated on some of its examples.
struct Batch {
  Tensors parameters;  // leaves
  at::Tensor losses;
};

struct Range {
  int64_t first, count;
};

[[nodiscard]] Batch evaluate(const Case& tested, at::ScalarType dtype, Range examples);

/// One term, its zone, and whether a rule made it.
struct Use {
  TermPtr term;
  const graph::Zone* zone;
  bool by_rule;
  std::string op;
};

/// The graph of a batch, and the terms of all its calls.
struct Reading {
  Batch batch;
  graph::Graph graph;
  graph::Cut cut;
  std::vector<Use> uses;
};

/// root [B]: what each loss is multiplied with.
[[nodiscard]] Reading read(Batch batch, const at::Tensor& root, const Tamper& tamper, Trials& trials);

/// Brings gradients at the entry of a zone, [n, *shape there], to the parameters below.
[[nodiscard]] std::map<int, at::Tensor> settle(const Reading& reading, const graph::Zone& zone, const at::Tensor& grads);

/// One term for all uses of a parameter; nullptr when they have no common form, or something else than transposes lies between.
[[nodiscard]] TermPtr merge(const Reading& reading, int parameter);

}  // namespace ghostgrad::rules::tests
