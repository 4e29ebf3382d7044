// SPDX-License-Identifier: Apache-2.0
// Faults put into transfer functions on purpose. The fuzzer must find each of them, or its silence about the right ones would mean nothing.
#include "tests/graph/probe.h"
#include "tests/graph/programs.h"

#include "ghostgrad/graph/registry.h"

namespace ghostgrad::graph {
namespace {

using Wrong = ScopedOverride::Broken;

/// Keeps whatever axis there is, where sizes allow it.
void keep_blindly(Transfer& t, const TransferFunction&) {
  const auto axis = t.axis();
  for (int edge = 0; axis && edge < t.edges(); ++edge) t.keep(edge, axis, axis->dim);
}

/// Takes the op for a reshape of its operand.
void same_order_blindly(Transfer& t, const TransferFunction&) { t.same_order(); }

/// Takes the op for one that kept a beginning of its operand.
void from_the_start(Transfer& t, const TransferFunction&) {
  const auto axis = t.axis();
  if (axis) t.keep_shifted(0, axis, axis->dim, 0);
}

/// Finds the axis again in the first dimension of its size.
void same_sizes_blindly(Transfer& t, const TransferFunction&) {
  const auto axis = t.axis();
  for (int dim = 0; axis && dim < t.edge_rank(); ++dim) {
    if (t.edge_shape()[dim] == axis->size) return t.keep(0, axis, dim);
  }
}

struct Fault {
  std::string says;
  std::string op;
  std::string program_op;  // that programs favour
  Wrong wrong;
};

const std::vector<Fault>& faults() {
  static const std::vector<Fault> all = {
      {"softmax keeps its own dimension apart", "SoftmaxBackward0", "softmax", keep_blindly},
      {"cumsum keeps its own dimension apart", "CumsumBackward0", "cumsum", keep_blindly},
      {"mm keeps columns of the left operand", "MmBackward0", "gram", keep_blindly},
      {"bmm keeps every dimension", "BmmBackward0", "bmm", keep_blindly},
      {"layer norm keeps the dimensions that it norms", "NativeLayerNormBackward0", "layer_norm", keep_blindly},
      {"batch norm in training keeps examples apart", "NativeBatchNormBackward0", "batch_norm_training", keep_blindly},
      {"convolution keeps channels apart", "ConvolutionBackward0", "conv", keep_blindly},
      {"a transpose moves nothing", "TransposeBackward0", "transpose", same_order_blindly},
      {"permute moves nothing", "PermuteBackward0", "permute", same_order_blindly},
      {"as_strided is a reshape", "AsStridedBackward0", "as_strided", same_order_blindly},
      {"flip moves nothing", "FlipBackward0", "flip", keep_blindly},
      {"roll moves nothing", "RollBackward0", "roll", keep_blindly},
      {"index reads rows in order", "IndexBackward0", "advanced_index", keep_blindly},
      {"index_select reads rows in order", "IndexSelectBackward0", "index_select", keep_blindly},
      {"gather keeps the dimension that it gathers", "GatherBackward0", "gather", keep_blindly},
      {"sort keeps the dimension that it sorts", "SortBackward0", "sort", keep_blindly},
      {"repeat has one copy", "RepeatBackward0", "repeat", from_the_start},
      {"a slice begins at the start", "SliceBackward0", "slice", from_the_start},
      {"an in-place change of a view changes nothing", "CopySlices", "change_in_place",
       [](Transfer& t, const TransferFunction&) { t.elementwise(); }},
      {"a reduction keeps its dimension", "SumBackward1", "reduce_two", same_sizes_blindly},
  };
  return all;
}

/// The first of so many programs that contradicts the right rules (or one broken meanwhile); -1 if none does.
int programs_until_found(const std::string& favourite, int most) {
  int programs = 0;
  for (uint64_t seed = 100000; programs < most; ++seed) {
    const auto program = random_program(seed, favourite);
    if (!program) continue;
    ++programs;
    try {
      if (!probe(program->losses, program->parameters, seed).wrong.empty()) return programs;
    } catch (const c10::Error&) {  // a backward that libtorch does not have
    }
  }
  return -1;
}

TEST(Fuzzer, FindsEachFaultPutIntoATransferFunction) {
  for (const Fault& fault : faults()) {
    const ScopedOverride broken(fault.op, fault.wrong);
    const int found = programs_until_found(fault.program_op, 300);
    EXPECT_GT(found, 0) << fault.says;
    if (std::getenv("GHOSTGRAD_FUZZ_VERBOSE") != nullptr) std::cout << fault.says << ": program " << found << "\n";
  }
}

TEST(Fuzzer, FindsNothingOnceTheFaultIsGone) {
  { const ScopedOverride broken("SoftmaxBackward0", keep_blindly); }
  EXPECT_EQ(programs_until_found("softmax", 50), -1);
}

}  // namespace
}  // namespace ghostgrad::graph
