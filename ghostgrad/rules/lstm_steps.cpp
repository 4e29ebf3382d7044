// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/rules/lstm_steps.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

namespace ghostgrad::rules {
namespace {

/// x, but between -9 and 9; NaN stays. Floats compare as the integers of their bits do, which no compiler minds doing in vectors.
inline float bounded(float x) {
  constexpr int32_t kSign = INT32_MIN, kNine = std::bit_cast<int32_t>(9.0F), kInfinity = 0x7f800000;
  const auto bits = std::bit_cast<int32_t>(x), length = bits & ~kSign;
  const int32_t too_long = -static_cast<int32_t>((length > kNine) & (length <= kInfinity));
  return std::bit_cast<float>((bits & ~too_long) | (((bits & kSign) | kNine) & too_long));
}

/// The continued fraction of tanh [Abramowitz64, Eq. 4.5.70] at x / 4, which is exact enough up to 9 / 4, then twice
/// tanh(2 x) = 2 tanh(x) / (1 + tanh(x)^2). Both as 1 minus what is small, so that small x lose nothing. tanh(9) rounds to 1.
inline float tanh_of(float x) {
  const float quarter = bounded(x) / 4, s = quarter * quarter;
  const float missing = s * (45045 + s * (2772 + s * 27)) / (135135 + s * (62370 + s * (3150 + s * 28)));
  float tanh = quarter * (1 - missing);
  float squared = tanh * tanh;
  tanh = 2 * tanh * (1 - squared / (1 + squared));
  squared = tanh * tanh;
  return 2 * tanh * (1 - squared / (1 + squared));
}

inline double tanh_of(double x) { return std::tanh(x); }

/// One sequence at one step: rows of h elements, of the gates 4 h.
template <class Value>
struct Row {
  Value *gates, *cell, *to_cell, *forget;
};

/// The gates, of which that of the candidate is yet a_t, become what the gradients are multiplied by; the cell moves on.
template <class Value>
void forwards(const Row<Value>& row, int64_t units) {
  Value* const __restrict input = row.gates, * const __restrict forgetting = row.gates + units;
  Value* const __restrict candidate = row.gates + 2 * units, * const __restrict output = row.gates + 3 * units;
  Value* const __restrict cell = row.cell, * const __restrict to_cell = row.to_cell, * const __restrict forget = row.forget;
#pragma GCC ivdep
  for (int64_t u = 0; u < units; ++u) {
    const Value i = input[u], f = forgetting[u], g = tanh_of(candidate[u]), o = output[u], before = cell[u];
    const Value after = f * before + i * g, tanh = tanh_of(after);
    input[u] = g * i * (1 - i);
    forgetting[u] = before * f * (1 - f);
    candidate[u] = i * (1 - g * g);
    output[u] = tanh * o * (1 - o);
    to_cell[u] = o * (1 - tanh * tanh);
    forget[u] = f;
    cell[u] = after;
  }
}

/// The gates become their gradients; the gradient of the cell moves on. `state`: from the steps after, or none.
template <class Value>
void backwards(const Row<Value>& row, const Value* arriving, const Value* state, int64_t units) {
  Value* const __restrict input = row.gates, * const __restrict forgetting = row.gates + units;
  Value* const __restrict candidate = row.gates + 2 * units, * const __restrict output = row.gates + 3 * units;
  Value* const __restrict cell = row.cell;
  const Value* const __restrict to_cell = row.to_cell, * const __restrict forget = row.forget;
#pragma GCC ivdep
  for (int64_t u = 0; u < units; ++u) {
    const Value hidden = arriving[u] + state[u], k = cell[u] + hidden * to_cell[u];
    input[u] *= k;
    forgetting[u] *= k;
    candidate[u] *= k;
    output[u] *= hidden;
    cell[u] = k * forget[u];
  }
}

/// Runs `work` on ranges of sequences that are worth a thread.
template <class Work>
void for_sequences(int64_t sequences, int64_t elements_of_each, const Work& work) {
  constexpr int64_t kGrain = 1 << 14;  // elements
  at::parallel_for(0, sequences, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, elements_of_each)), work);
}

/// [T, N, k] or [N, k], rows of elements side by side. Undefined: zeros, the same row everywhere.
at::Tensor with_rows(const at::Tensor& grads, const at::Tensor& like) {
  if (!grads.defined()) return at::zeros({like.size(-1)}, like.options()).expand(like.sizes());
  const at::Tensor typed = grads.to(like.scalar_type());
  return typed.stride(-1) == 1 ? typed : typed.contiguous();
}

template <class Value>
class LstmSteps {
 public:
  LstmSteps(const RecurrentLayer& layer, const RecurrentGrads& grads)
      : layer_(layer),
        steps_(layer.inputs.size(0)),
        sequences_(layer.inputs.size(1)),
        units_(layer.first_state.size(1)),
        before_(at::cat({layer.first_state.unsqueeze(0), layer.states.narrow(0, 0, steps_ - 1)})),
        gates_(gates()),
        to_cell_(at::empty_like(before_)),
        forget_(at::empty_like(before_)),
        arriving_(with_rows(grads.outputs, layer.states)),
        state_(with_rows(grads.last_state, layer.first_state)),
        cell_(grads.last_cell.defined() ? grads.last_cell.to(before_.scalar_type()).clone(at::MemoryFormat::Contiguous)
                                        : at::zeros({sequences_, units_}, before_.options())) {}

  RecurrentMaps run() {
    run_forwards();
    for (int64_t t = steps_ - 1; t >= 0; --t) {
      run_backwards(t);
      if (t > 0) state_ = layer_.product(gates_[t], layer_.state_weight);
    }
    return {gates_, gates_, before_, {}, {}};
  }

 private:
  /// a_t of all steps in one product, then the gates, but the candidate's. [T, N, 4 h]
  at::Tensor gates() const {
    const at::Tensor rows = at::cat({layer_.inputs, before_}, 2).flatten(0, 1),
                     weight = at::cat({layer_.input_weight, layer_.state_weight}, 1);
    at::Tensor gates = layer_.product(rows, weight.t()).view({steps_, sequences_, 4 * units_});
    if (layer_.input_bias.defined()) gates.add_(layer_.input_bias + layer_.state_bias);
    gates.narrow(2, 0, 2 * units_).sigmoid_();
    gates.narrow(2, 3 * units_, units_).sigmoid_();
    return gates;
  }

  Row<Value> row(int64_t t, int64_t n, const at::Tensor& cell) const {
    const int64_t at = t * sequences_ + n;
    return {gates_.data_ptr<Value>() + at * 4 * units_, cell.data_ptr<Value>() + n * units_, to_cell_.data_ptr<Value>() + at * units_,
            forget_.data_ptr<Value>() + at * units_};
  }

  void run_forwards() {
    const at::Tensor cell = layer_.first_cell.clone(at::MemoryFormat::Contiguous);
    for_sequences(sequences_, steps_ * units_, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) {
        for (int64_t t = 0; t < steps_; ++t) forwards(row(t, n, cell), units_);
      }
    });
  }

  void run_backwards(int64_t t) {
    const at::Tensor arriving = arriving_[t];
    for_sequences(sequences_, units_, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) {
        const Value* from_above = arriving.const_data_ptr<Value>() + n * arriving.stride(0);
        const Value* from_after = state_.const_data_ptr<Value>() + n * state_.stride(0);
        backwards(row(t, n, cell_), from_above, from_after, units_);
      }
    });
  }

  const RecurrentLayer& layer_;
  int64_t steps_, sequences_, units_;
  at::Tensor before_;            // h_{t-1} [T, N, h]
  at::Tensor gates_;             // [T, N, 4 h]: a_t, then what d_t are made with, then d_t
  at::Tensor to_cell_, forget_;  // [T, N, h]
  at::Tensor arriving_;          // of h_t from above [T, N, h]
  at::Tensor state_, cell_;      // of h_t, c_t from the steps after t [N, h]
};

}  // namespace

float quick_tanh(float x) { return tanh_of(x); }

bool has_lstm_steps(const RecurrentLayer& layer) {
  const auto type = layer.states.scalar_type();
  return layer.cell == Cell::lstm && layer.states.device().is_cpu() && (type == at::kFloat || type == at::kDouble) &&
         layer.active.empty() && !layer.projection.defined() && layer.states.numel() > 0;
}

RecurrentMaps maps_by_lstm_steps(const RecurrentLayer& layer, const RecurrentGrads& grads) {
  if (layer.states.scalar_type() == at::kFloat) return LstmSteps<float>(layer, grads).run();
  return LstmSteps<double>(layer, grads).run();
}

}  // namespace ghostgrad::rules
