// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/propagate.h"

#include "tests/graph/cases.h"
#include "tests/graph/probe.h"

#include <torch/csrc/autograd/custom_function.h>

#include "ghostgrad/graph/registry.h"

namespace ghostgrad::graph {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// sin, with a backward that nobody has a rule for; its name may lie.
struct SinBackward0 : torch::autograd::Function<SinBackward0> {
  static Tensor forward(AutogradContext* context, const Tensor& x) {
    context->save_for_backward({x});
    return x.sin();
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    return {grads[0] * context->get_saved_variables()[0].cos()};
  }
};

struct Propagated {
  Graph graph;
  Ownerships owners;
};

Propagated run(const Tensor& losses) {
  Graph graph = walk(losses, leaves_of(losses));
  Ownerships owners = propagate(graph);
  return {std::move(graph), std::move(owners)};
}

std::vector<std::string> stops(const Propagated& run) {
  std::vector<std::string> names;
  for (const auto& stop : run.owners.stops) names.push_back(short_name(*run.graph.nodes[stop.node]) + (stop.known ? "" : " unknown"));
  return names;
}

/// Every slot below this one is unresolved or carries nothing.
bool nothing_resolved_below(const Propagated& run, int node) {
  for (int edge = 0; edge < run.graph.edges(node); ++edge) {
    const Target below = run.graph.target(node, edge);
    if (!below.defined() || !run.graph.reaches[below.node]) continue;
    if (run.owners.slots[below.node][below.slot].resolved() || !nothing_resolved_below(run, below.node)) return false;
  }
  return true;
}

TEST(Propagation, NamesTheOpThatMixes) {
  const Propagated mixed = run(per(features({B}).softmax(0)));
  EXPECT_EQ(stops(mixed), std::vector<std::string>{"SoftmaxBackward0"});
  EXPECT_TRUE(nothing_resolved_below(mixed, mixed.graph.target(mixed.owners.stops[0].node, 0).node));
}

TEST(Propagation, StopsAtCustomFunctionsWhateverTheirName) {
  const Propagated stopped = run(per(SinBackward0::apply(features({B}))));
  ASSERT_EQ(stopped.owners.stops.size(), 1u);
  EXPECT_FALSE(stopped.owners.stops[0].known);
}

TEST(Propagation, TakesHooksForCodeThatMayMix) {
  const auto resolves = [](const std::function<void(Tensor&)>& touch) {
    Tensor h = features({B}) * 1;
    touch(h);
    const Tensor losses = per(h.sin());
    const Probed probed = probe(losses, leaves_of(losses));
    EXPECT_TRUE(probed.wrong.empty());
    return probed.resolved.count("MmBackward0") == 1;
  };
  EXPECT_TRUE(resolves([](Tensor&) {}));
  EXPECT_FALSE(resolves([](Tensor& h) { h.register_hook([](const Tensor& g) { return g + g.mean(0); }); }));
  EXPECT_FALSE(resolves([](Tensor& h) { h.register_hook([](const Tensor& g) { return g; }); }));
  EXPECT_TRUE(resolves([](Tensor& h) { h.retain_grad(); }));
}

TEST(Propagation, LosesOwnershipWhereAResolvedGradientMeetsAMixedOne) {
  const Tensor h = features({B});
  const Propagated conflict = run(per(h.sin()) + per(h.softmax(0)));
  ASSERT_EQ(conflict.owners.conflicts.size(), 1u);
  const Target at = conflict.owners.conflicts[0];
  EXPECT_TRUE(conflict.owners.slots[at.node][at.slot].is_mixed());
}

TEST(Propagation, DoesNotEnterWhatComesFromParametersAlone) {
  const Tensor weight = at::tanh(parameter({6, 6})).matmul(parameter({6, 6}));
  const Propagated zone = run(per(randn({B, 6}).matmul(weight)));
  EXPECT_TRUE(zone.owners.stops.empty());
  for (size_t node = 0; node < zone.graph.nodes.size(); ++node) {
    if (!zone.graph.parameter_only[node]) continue;
    for (const Ownership& slot : zone.owners.slots[node]) EXPECT_FALSE(slot.live());
  }
}

TEST(Propagation, KeepsOutOfSparseGradients) {
  const Propagated sparse = run(per(features({B}).to_sparse().to_dense()));
  EXPECT_EQ(sparse.owners.stops.size(), 1u);
}

TEST(Propagation, OfOneExampleResolvesWhateverLibtorchMade) {
  const Tensor h = features({1});
  const Propagated one = run((h.softmax(0) + h.mean()).cumsum(0).sum(1));
  EXPECT_TRUE(one.owners.stops.empty());
  EXPECT_TRUE(one.owners.conflicts.empty());
}

TEST(Propagation, FollowsGraphsThatChangeFromBatchToBatch) {
  const Tensor in = parameter({5, 8}), out = parameter({8, 1}), skip = parameter({5, 1});
  for (int64_t step = 0; step < 4; ++step) {
    at::manual_seed(10 + step);
    const int64_t batch = 3 + step;
    Tensor x = randn({batch, 5});
    if (step == 0) x = std::get<0>(x.sort(0));
    const Tensor order = x.select(1, 0).argsort();
    const Tensor h = (x.matmul(in) - (step == 1 ? 1e6 : 0)).relu().index({order});  // all dead at step 1
    const Tensor losses = at::zeros({batch}, at::kDouble).index_add(0, order, h.matmul(out).squeeze(1)) + x.matmul(skip).squeeze(1).pow(2);
    const Probed probed = probe(losses, {in, out, skip});
    EXPECT_TRUE(probed.wrong.empty()) << "step " << step;
    EXPECT_FALSE(probed.mixed) << "step " << step;
  }
}

TEST(Propagation, TellsLayoutsApartThatHaveAllShapesInCommon) {
  const Tensor w = parameter({B, B});
  const auto layout_at_product = [&](bool transposed) {
    const Tensor h = randn({B, B}).matmul(w);
    const Propagated now = run(per(transposed ? h.t().sin() : h.sin()));
    const int product = static_cast<int>(now.graph.nodes.size()) - 2;  // just above the parameter
    EXPECT_EQ(short_name(*now.graph.nodes[product]), "MmBackward0");
    return to_string(now.owners.slots[product][0], now.graph.slots[product][0], B);
  };
  EXPECT_EQ(layout_at_product(false), "strided(dim 0, inner 1)");
  EXPECT_EQ(layout_at_product(true), "strided(dim 1, inner 1)");
}

TEST(TransferRegistry, RestoresARuleAfterItsOverride) {
  const auto mixes = [] {
    const Tensor losses = per(features({B}).softmax(0));
    return !run(losses).owners.stops.empty();
  };
  EXPECT_TRUE(mixes());
  {
    const ScopedOverride broken("SoftmaxBackward0", [](Transfer& t, const TransferFunction&) { t.elementwise(); });
    EXPECT_FALSE(mixes());
  }
  EXPECT_TRUE(mixes());
}

}  // namespace
}  // namespace ghostgrad::graph
