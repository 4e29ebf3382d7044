// SPDX-License-Identifier: Apache-2.0
// Graphs that change from batch to batch: whatever a plan made at the first step would remember is wrong at the next. One engine, exact at
// every step, for methods that remember nothing, measurements (auto), or the graph (multi_loss).
#include "setup.h"

#include <gtest/gtest.h>

namespace ghostgrad::engine::tests {
namespace {

namespace nn = torch::nn;
using at::Tensor;

constexpr int64_t kExamples = 6;
constexpr int kSteps = 4;

Tensor numbers(at::IntArrayRef sizes) { return at::randn(sizes, at::kDouble); }

/// Linear layers 5 -> 5, the experts of the routed models.
std::vector<nn::Linear> experts() {
  std::vector<nn::Linear> layers;
  for (int k = 0; k < 3; ++k) layers.emplace_back(5, 5);
  return layers;
}

NamedParameters named_of(const std::vector<nn::Linear>& layers) {
  Modules modules;
  for (const nn::Linear& layer : layers) modules.push_back(layer.ptr());
  return named(modules);
}

Tensor flat_sum(const Tensor& outputs) { return outputs.square().flatten(1).sum(1); }

/// [B*4] expert of each row
Tensor best_expert(const Tensor& rows) { return rows.narrow(1, 0, 3).argmax(1).detach(); }

/// Losses at a step, on new data each time; the graph may be another one.
using LossesAt = std::function<Tensor(int step)>;

void expect_exact_at_every_step(const NamedParameters& parameters, const LossesAt& losses_at) {
  for (const char* method : {"auto", "bk", "per_example", "multi_loss"}) {
    torch::manual_seed(11);
    Engine engine(parameters, noiseless([&](PlanOptions& options) {
                    options.method = method;
                    options.independence = "assumed";  // some of these look parameters up by data
                    options.clip = 3.0;
                  }),
                  random::Key::for_tests(1));
    for (int step = 0; step < kSteps; ++step) {
      EXPECT_LT(error_of(engine, losses_at(step), parameters), 1e-11) << method << " at step " << step;
    }
    clear_gradients(parameters);
  }
}

TEST(ChangingGraphs, RowsSortedByADataValue) {
  nn::Sequential body(nn::Linear(5, 8), nn::Tanh(), nn::Linear(8, 1));
  nn::Linear head(1, 1);
  expect_exact_at_every_step(named({body.ptr(), head.ptr()}), [=](int step) mutable {
    Tensor x = numbers({kExamples, 5});
    if (step == 0) x = std::get<0>(x.sort(0));  // the first batch happens to be in order
    const Tensor order = x.select(1, 0).argsort();
    const Tensor z = head->forward(body->forward(x).index_select(0, order)).squeeze(1);
    return at::zeros({kExamples}, z.options()).index_add(0, order, z) + 0;
  });
}

TEST(ChangingGraphs, ABranchThatIsDeadAtFirst) {
  nn::Linear first(5, 8), branch(8, 3), other(5, 3);
  expect_exact_at_every_step(named({first.ptr(), branch.ptr(), other.ptr()}), [=](int step) mutable {
    const Tensor x = numbers({kExamples, 5}), h = first->forward(x) - (step == 0 ? 1e6 : 0.0);
    return flat_sum(branch->forward(h.relu()) + other->forward(x));
  });
}

TEST(ChangingGraphs, ABranchThatIsMissingAtFirst) {
  nn::Linear first(5, 8), branch(8, 3), other(5, 3);
  expect_exact_at_every_step(named({first.ptr(), branch.ptr(), other.ptr()}), [=](int step) mutable {
    const Tensor x = numbers({kExamples, 5});
    Tensor out = other->forward(x);
    if (step % 2 == 1) out = out + branch->forward(first->forward(x).relu());
    return flat_sum(out);
  });
}

TEST(ChangingGraphs, OtherNumbersOfExamplesAndPositions) {
  nn::Linear first(5, 8), second(8, 3);
  const int64_t sizes[kSteps][2] = {{6, 4}, {3, 4}, {4, 7}, {1, 2}};
  expect_exact_at_every_step(named({first.ptr(), second.ptr()}), [=](int step) mutable {
    return flat_sum(second->forward(first->forward(numbers({sizes[step][0], sizes[step][1], 5})).tanh()));
  });
}

TEST(ChangingGraphs, OtherWidthsOfAConvolutionsInput) {
  nn::Conv1d conv(nn::Conv1dOptions(2, 4, 3).padding(1));
  expect_exact_at_every_step(named({conv.ptr()}), [=](int step) mutable {
    return flat_sum(conv->forward(numbers({kExamples, 2, 5 + 3 * step})));
  });
}

TEST(ChangingGraphs, ALayoutThatFlipsWhileAllShapesStay) {
  nn::Linear first(5, 8), second(8, 3);
  expect_exact_at_every_step(named({first.ptr(), second.ptr()}), [=](int step) mutable {
    const Tensor out = second->forward(first->forward(numbers({4, 4, 5})).tanh());  // [B, T, ..] or [T, B, ..]
    return out.square().sum(at::IntArrayRef(step % 2 == 0 ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{0, 2}));
  });
}

TEST(ChangingGraphs, RoutingByIndexAdd) {
  auto layers = experts();
  expect_exact_at_every_step(named_of(layers), [=](int) mutable {
    const Tensor rows = numbers({kExamples * 4, 5}), best = best_expert(rows);
    Tensor out = at::zeros_like(rows);
    for (int k = 0; k < 3; ++k) {
      const Tensor mine = best.eq(k).nonzero().squeeze(1);
      out = out.index_add(0, mine, layers[k]->forward(rows.index_select(0, mine)));
    }
    return flat_sum(out.view({kExamples, -1}));
  });
}

TEST(ChangingGraphs, RoutingByBooleanMasksInPlace) {
  auto layers = experts();
  expect_exact_at_every_step(named_of(layers), [=](int) mutable {
    const Tensor rows = numbers({kExamples * 4, 5}), best = best_expert(rows);
    Tensor out = at::zeros_like(rows);
    for (int k = 0; k < 3; ++k) {
      const Tensor mine = best.eq(k);
      out.index_put_({mine}, layers[k]->forward(rows.index({mine})));
    }
    return flat_sum(out.view({kExamples, -1}));
  });
}

TEST(ChangingGraphs, RoutingBySortingSplittingAndScattering) {
  auto layers = experts();
  nn::Linear in(5, 5);
  layers.push_back(in);
  expect_exact_at_every_step(named_of(layers), [=](int step) mutable {
    const Tensor rows = in->forward(numbers({kExamples * 4, 5})), best = best_expert(rows);
    const Tensor order = best.argsort(/*stable=*/true), counts = at::bincount(best, {}, 3);
    const std::vector<int64_t> sizes(counts.data_ptr<int64_t>(), counts.data_ptr<int64_t>() + 3);
    auto parts = rows.index_select(0, order).split_with_sizes(sizes);
    for (int k = 0; k < 3; ++k) parts[k] = layers[k]->forward(parts[k]);
    const Tensor sorted = at::cat(parts), zeros = at::zeros_like(rows);
    const Tensor out = step % 2 == 0 ? zeros.scatter(0, order.unsqueeze(1).expand({-1, 5}), sorted) : zeros.index_copy(0, order, sorted);
    return flat_sum(out.view({kExamples, -1}));
  });
}

TEST(ChangingGraphs, RaggedExamplesPackedByAMask) {
  nn::Linear layer(5, 5), inner(5, 5);
  expect_exact_at_every_step(named({layer.ptr(), inner.ptr()}), [=](int) mutable {
    const Tensor lengths = at::tensor({4, 2, 3, 1, 4, 2}).index_select(0, at::randperm(kExamples, at::kLong));
    const Tensor mask = at::arange(4).unsqueeze(0).lt(lengths.unsqueeze(1));
    const Tensor packed = inner->forward(layer->forward(numbers({kExamples, 4, 5})).index({mask})).tanh();
    return at::zeros({kExamples, 4, 5}, at::kDouble)
        .masked_scatter(mask.unsqueeze(2).expand({-1, -1, 5}), packed)
        .sum(at::IntArrayRef{1, 2});
  });
}

TEST(ChangingGraphs, NothingIsRememberedOfALongerSequence) {
  nn::GRU recurrent(4, 5);
  expect_exact_at_every_step(named({recurrent.ptr()}), [=](int step) mutable {
    return std::get<0>(recurrent->forward(numbers({5 - step, 3, 4})))[4 - step].square().sum(1);
  });
}

}  // namespace
}  // namespace ghostgrad::engine::tests
