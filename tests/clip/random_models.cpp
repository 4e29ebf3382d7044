// SPDX-License-Identifier: Apache-2.0
#include "random_models.h"

#include <memory>

namespace ghostgrad::tests {
namespace {

using at::Tensor;

constexpr int64_t kWidth = 6, kPositions = 3;

/// Activations [B, T, 6] or [T, B, 6].
struct State {
  Tensor x;
  bool batch_first = true;
};

using Block = std::function<State(State)>;

int64_t draw(int64_t n) { return at::randint(n, {1}, at::kLong).item<int64_t>(); }

class Builder {
 public:
  std::vector<Block> blocks() {
    std::vector<Block> blocks{affine()};
    const int64_t count = 2 + draw(5);
    for (int64_t i = 0; i < count; ++i) blocks.push_back(block(draw(12)));
    return blocks;
  }
  std::vector<Tensor> parameters() { return parameters_; }

 private:
  Tensor parameter(at::IntArrayRef sizes) {
    parameters_.push_back((at::randn(sizes, at::kDouble) * 0.6).requires_grad_());
    return parameters_.back();
  }

  static Block elementwise(std::function<Tensor(const Tensor&)> op) {
    return [op](State s) { return State{op(s.x), s.batch_first}; };
  }

  Block affine() {
    weight_ = parameter({kWidth, kWidth});
    const Tensor w = weight_, bias = draw(2) ? parameter({kWidth}) : Tensor();
    return elementwise([=](const Tensor& x) { return at::linear(x, w, bias); });
  }

  Block residual() {
    const Block inner = affine();
    return [inner](State s) { return State{s.x + inner(s).x.tanh(), s.batch_first}; };
  }

  Block norm() {
    const Tensor gain = parameter({kWidth}), bias = draw(2) ? parameter({kWidth}) : Tensor();
    return elementwise([=](const Tensor& x) { return at::layer_norm(x, {kWidth}, gain, bias); });
  }

  Block positions() {
    const Tensor table = parameter({kPositions, kWidth});
    return [=](State s) { return State{s.x + (s.batch_first ? table : table.unsqueeze(1)), s.batch_first}; };
  }

  Block convolution() {
    const Tensor kernel = parameter({kWidth, kWidth / 2, 3});
    return [=](State s) {
      const Tensor channels = s.batch_first ? s.x.transpose(1, 2) : s.x.permute({1, 2, 0});
      const Tensor out = at::conv1d(channels, kernel, {}, 1, 1, 1, 2);
      return State{s.batch_first ? out.transpose(1, 2) : out.permute({2, 0, 1}), s.batch_first};
    };
  }

  Block attention() {
    const Tensor q = parameter({kWidth, kWidth}), k = parameter({kWidth, kWidth});
    return [=](State s) {
      const Tensor x = s.batch_first ? s.x : s.x.transpose(0, 1);
      const Tensor out = at::linear(x, q).matmul(at::linear(x, k).transpose(1, 2)).mul(0.3).softmax(2).matmul(x);
      return State{s.batch_first ? out : out.transpose(0, 1), s.batch_first};
    };
  }

  Block block(int64_t kind) {
    const Tensor shared = weight_;
    switch (kind) {
      case 0:
        return affine();
      case 1:
        return residual();
      case 2:
        return norm();
      case 3:
        return elementwise([](const Tensor& x) { return at::gelu(x); });
      case 4:
        return positions();
      case 5:
        return elementwise([gain = parameter({kWidth})](const Tensor& x) { return x * gain; });
      case 6:
        return elementwise([shared](const Tensor& x) { return at::linear(x, shared).tanh(); });  // once more
      case 7:
        return elementwise([shared](const Tensor& x) { return x.matmul(shared).tanh(); });  // and transposed
      case 8:
        return [](State s) { return State{s.x.transpose(0, 1).contiguous(), !s.batch_first}; };
      case 9:
        return convolution();
      case 10:
        return attention();
      default:
        return elementwise([shared, scale = parameter({kWidth, 1})](const Tensor& x) { return at::linear(x, shared * scale.exp()); });
    }
  }

  std::vector<Tensor> parameters_;
  Tensor weight_;
};

/// [B, T, 6] -> [B]
std::function<Tensor(const Tensor&)> losses() {
  switch (draw(4)) {
    case 0:
      return [](const Tensor& x) { return x.square().sum({1, 2}); };
    case 1:
      return [](const Tensor& x) { return -x.mean(1).log_softmax(1).select(1, 2); };
    case 2:
      return [](const Tensor& x) { return x.select(1, kPositions - 1).abs().sum(1); };
    default:
      return [](const Tensor& x) { return (x.sum(2) - 1).square().mean(1); };
  }
}

}  // namespace

Subject random_model(uint64_t seed, int64_t examples) {
  torch::manual_seed(seed);
  Builder builder;
  const auto blocks = builder.blocks();
  const auto loss = losses();
  const bool regularised = draw(4) == 0;
  const Tensor first = builder.parameters()[0];
  // Sizes of gradients spread over six powers of ten.
  const Tensor sizes = at::rand({examples}, at::kDouble).mul(6).sub(3).mul(2.302585).exp();
  return {builder.parameters(), {at::randn({examples, kPositions, kWidth}, at::kDouble), sizes}, [=](const Batch& b) {
            State s{b[0]};
            for (const Block& block : blocks) s = block(s);
            Tensor each = loss(s.batch_first ? s.x : s.x.transpose(0, 1)) * b[1];
            return regularised ? each + 0.1 * first.square().sum() : each;
          }};
}

}  // namespace ghostgrad::tests
