// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/pure.h"

#include <typeindex>
#include <typeinfo>
#include <unordered_map>
#include <unordered_set>

namespace ghostgrad::graph {
namespace {

const std::unordered_set<std::string>& pure_names() {
  static const std::unordered_set<std::string> names = {
      // views and layout
      "TBackward0", "ViewBackward0", "UnsafeViewBackward0", "ReshapeAliasBackward0", "TransposeBackward0", "PermuteBackward0",
      "UnsqueezeBackward0", "SqueezeBackward0", "SqueezeBackward1", "SqueezeBackward2", "SliceBackward0", "SelectBackward0",
      "SplitBackward0", "SplitWithSizesBackward0", "UnbindBackward0", "CatBackward0", "StackBackward0", "AliasBackward0", "CloneBackward0",
      "ToCopyBackward0", "UnfoldBackward0", "AsStridedBackward0", "RollBackward0", "FlipBackward0", "TrilBackward0", "TriuBackward0",
      "ViewAsRealBackward0", "ViewAsComplexBackward0",
      // elementwise
      "ExpBackward0", "NegBackward0", "TanhBackward0", "SigmoidBackward0", "SoftplusBackward0", "LogBackward0", "SqrtBackward0",
      "RsqrtBackward0", "PowBackward0", "MulBackward0", "MulBackward1", "DivBackward0", "DivBackward1", "AddBackward0", "AddBackward1",
      "SubBackward0", "SubBackward1", "RsubBackward1", "ReciprocalBackward0", "ClampMinBackward0", "ReluBackward0", "AbsBackward0",
      "CosBackward0", "SinBackward0", "GeluBackward0", "SiluBackward0", "EluBackward0", "LeakyReluBackward0", "HardtanhBackward0",
      "ErfBackward0", "Expm1Backward0", "Log1PBackward0",
      // one size to another
      "UpsampleNearest1DBackward0", "UpsampleNearest2DBackward0", "UpsampleLinear1DBackward0", "UpsampleBilinear2DBackward0",
      "UpsampleBicubic2DBackward0", "UpsampleBilinear2DAaBackward0", "UpsampleBicubic2DAaBackward0",
      // reductions, norms, products
      "SumBackward0", "SumBackward1", "MeanBackward0", "MeanBackward1", "SoftmaxBackward0", "LogSoftmaxBackward0",
      "LinalgVectorNormBackward0", "NormBackward0", "NormBackward1", "WeightNormInterfaceBackward0", "MmBackward0", "BmmBackward0",
      "AddmmBackward0", "MvBackward0", "DotBackward0"};
  return names;
}

}  // namespace

bool is_pure(const Node& node) {
  static thread_local std::unordered_map<std::type_index, bool> known;  // generated classes: one name each
  if (!is_native(node)) return false;
  const auto [it, fresh] = known.try_emplace(typeid(node), false);
  if (fresh) it->second = pure_names().count(short_name(node)) > 0;
  return it->second;
}

}  // namespace ghostgrad::graph
