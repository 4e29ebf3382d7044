// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/method.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::clip {

const std::vector<Method>& methods() {
  using N = NormRoute;
  using S = SumRoute;
  static const std::vector<Method> table = {
      {"non_private", N::none, S::autograd, "baseline", "ordinary gradients, not clipped: the baseline of every measurement"},
      {"naive", N::loop_forward, S::loop, "nxBP, Lee & Kifer 2020", "one forward and backward per example"},
      {"multi_loss", N::loop_backward, S::loop, "multiLoss, Lee & Kifer 2020", "one backward per example on one graph"},
      {"per_example", N::instantiate, S::kept, "Opacus", "instantiates and keeps every per-example gradient"},
      {"reweight", N::closed_form, S::second_backward, "ReweightGP, Lee & Kifer 2020",
       "norms from instantiated gradients, in closed form where T = 1; then a second backward"},
      {"ghost", N::gram, S::second_backward, "Li et al. 2021", "ghost norms, then a second backward"},
      {"mixed_ghost", N::mixed, S::second_backward, "Bu, Mao, Xu 2022", "ghost norm iff 2T^2 <= pd, then a second backward"},
      {"bk", N::gram, S::book_keeping, "Bu et al. 2022 (BK)", "ghost norms, one backward, book-keeping"},
      {"bk_mixed_ghost", N::mixed, S::book_keeping, "Bu et al. 2022 (BK-MixGhostClip)", "as mixed_ghost, with book-keeping"},
      {"bk_mixed_opt", N::mixed, S::kept, "Bu et al. 2022 (BK-MixOpt)", "as bk_mixed_ghost, reusing what was instantiated"},
      {"auto", N::measured, S::kept, "ghostgrad", "the fastest route of each call, measured when it is first seen, within a memory budget"},
  };
  return table;
}

const Method& find_method(const std::string& name) {
  std::vector<std::string> names;
  for (const Method& method : methods()) {
    if (method.name == name) return method;
    names.push_back(method.name);
  }
  throw base::InvalidArgument("method", "must be the name of a method", '"' + name + '"',
                              fmt::format("choose one of {}", fmt::join(names, ", ")));
}

}  // namespace ghostgrad::clip
