// SPDX-License-Identifier: Apache-2.0
// The methods, as one table: how the norms are formed, how the clipped sum is formed, and which paper does it so.
//
//     const Method& method = find_method("bk_mixed_opt");
//
// All methods give the same clipped sum. Command-line help, docs, the benchmark's axis and the test grid read this table; adding a method
// is adding a row.
#pragma once

#include <string>
#include <vector>

namespace ghostgrad::clip {

enum class NormRoute {
  none,           // no norms: ordinary training
  loop_forward,   // one forward and backward per example
  loop_backward,  // one backward per example on one graph
  instantiate,    // form every per-example gradient
  closed_form,    // |a|^2 |g|^2 where T = 1, else instantiate [Lee20, Sec. 5]
  gram,           // ghost norm wherever there is one
  mixed,          // ghost norm iff 2 T^2 <= p d, else instantiate [Bu, Mao, Xu 2022, Sec. 4]
  measured        // whatever was fastest when this call was first seen
};

enum class SumRoute {
  autograd,         // no clipping
  loop,             // add up as the loop goes
  second_backward,  // backward of sum_i c_i loss_i
  book_keeping,     // sum_i c_i G_i from kept activations and output gradients
  kept              // from the instantiated gradients where they were kept, else book-keeping
};

struct Method {
  std::string name;
  NormRoute norm;
  SumRoute sum;
  std::string paper;
  std::string summary;
};

[[nodiscard]] const std::vector<Method>& methods();

/// Errors: InvalidArgument for an unknown name, listing the known ones.
[[nodiscard]] const Method& find_method(const std::string& name);

}  // namespace ghostgrad::clip
