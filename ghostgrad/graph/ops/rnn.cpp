// SPDX-License-Identifier: Apache-2.0
// Recurrent layers as one op: sequences stay apart, whatever happens along time. Each result and operand is read as "which example owns
// which sequence".
#include <ATen/ATen.h>
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/packed.h"
#include "ghostgrad/graph/registry.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd::generated;

constexpr Handles all_slots{.every_slot = true, .single = false};

/// Ownership of the sequences [n], from a slot that holds them along `dim`, or packed (dim 0) if batch sizes are given.
Ownership of_sequences(const Transfer& t, int slot, int dim, const Ints& batch_sizes) {
  const auto axis = t.axis(slot);
  if (!axis || axis->dim != dim) return Ownership::mixed();
  if (batch_sizes.empty()) return placed(*axis, 0, Shape{axis->size}, t.examples());
  const std::vector<int64_t> sequences = sequence_of_rows(batch_sizes);
  if (static_cast<int64_t>(sequences.size()) != axis->size) return Ownership::mixed();
  const Owners owners = into_bins(t.owners(*axis), sequences.data(), batch_sizes[0]);
  return owners ? Ownership::per_index(0, owners, Shape{batch_sizes[0]}, t.examples()) : Ownership::mixed();
}

/// The rows of a packed batch from its sequences.
std::vector<int32_t> to_rows(const std::vector<int32_t>& owners, const Ints& batch_sizes) {
  std::vector<int32_t> rows;
  for (int64_t sequence : sequence_of_rows(batch_sizes)) rows.push_back(owners[sequence]);
  return rows;
}

/// Slots: output (sequences along `dim`, or packed), final states [.., B, h]. Edges: input like output, then states from `first_state` on.
void recur(Transfer& t, int dim, int first_state, const Ints& batch_sizes) {
  Ownership all = Ownership::none();
  int64_t sequences = 0;
  for (int slot = 0; slot < t.slots(); ++slot) {
    if (!t.live(slot)) continue;
    if (slot > 2) return;  // workspaces
    const bool output = slot == 0;
    const int batch = output ? dim : t.rank(slot) - 2;
    if (batch < 0 || batch >= t.rank(slot)) return;
    const int64_t here = output && !batch_sizes.empty() ? batch_sizes[0] : t.shape(slot)[batch];
    if (sequences != 0 && sequences != here) return;
    sequences = here;
    all = join(all, of_sequences(t, slot, batch, output ? batch_sizes : Ints()), Shape{sequences}, t.examples());
  }
  const auto axis = axis_of(all, Shape{sequences}, t.examples());
  if (!axis) return;
  if (batch_sizes.empty()) t.keep(0, axis, dim);
  if (!batch_sizes.empty()) t.set(0, 0, to_rows(t.owners(*axis), batch_sizes));
  for (int edge = first_state; edge < t.edges(); ++edge) {
    if (t.wanted(edge)) t.keep(edge, axis, t.edge_rank(edge) - 2);
  }
}

/// Edges: input [T, B, d], four weights, hx, cx.
const Registered mkldnn = transfers<MkldnnRnnLayerBackward0>(
    [](const auto& node, Transfer& t) {
      if (node.batch_sizes.empty()) recur(t, 1, 5, {});
    },
    all_slots);

/// Edges: input, the weights, hx, cx.
const Registered cudnn = transfers<CudnnRnnBackward0>(
    [](const auto& node, Transfer& t) {
      const Ints batch_sizes = as_ints(node.batch_sizes);
      const int dim = batch_sizes.empty() && !node.batch_first ? 1 : 0;
      recur(t, dim, 1 + static_cast<int>(node.weight_size_), batch_sizes);
    },
    all_slots);

/// One step. Edges: gates [B, k h] from input and hidden state, previous state [B, h], biases.
const Registered cells = transfers(
    {"ThnnFusedLstmCellBackward0", "ThnnFusedGruCellBackward0"},
    [](Transfer& t) {
      for (int edge = 0; edge < 3; ++edge) {
        if (!t.wanted(edge) || t.edge_rank(edge) != 2) continue;
        Ownership rows = Ownership::none();
        for (int slot = 0; slot < t.slots(); ++slot) {
          if (!t.live(slot)) continue;
          const auto axis = t.axis(slot);
          const bool fits = axis && axis->dim == 0;
          rows =
              join(rows, fits ? placed(*axis, 0, t.edge_shape(edge), t.examples()) : Ownership::mixed(), t.edge_shape(edge), t.examples());
        }
        t.set(edge, rows);
      }
    },
    all_slots);

/// Rows [sum of lengths, ..] from padded sequences [T, B, ..] or [B, T, ..].
const Registered packing = transfers<PackPaddedSequenceBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (!axis || !t.wanted(0)) return;
  if (axis->dim > 0) return t.keep(0, axis, axis->dim + 1);
  const at::Tensor sizes = node.result1_.unpack(t.node()).to(at::kCPU, at::kLong).contiguous();
  const int64_t* first = sizes.template const_data_ptr<int64_t>();
  const Ownership all = of_sequences(t, 0, 0, Ints(first, first + sizes.numel()));
  const int batch = node.batch_first ? 0 : 1;
  if (const auto sequences = axis_of(all, Shape{t.edge_shape()[batch]}, t.examples())) t.keep(0, sequences, batch);
});

}  // namespace
}  // namespace ghostgrad::graph
