// SPDX-License-Identifier: Apache-2.0
// A rule on trial: one that was never judged on the library it reads, as CUDA's recurrent kernel. Whenever it meets a call of a new shape,
// its terms are compared with what the node itself gives, and only then believed:
//
//     sum_i c_i G_i   of the terms        against        node(c * g)        c tells the examples apart
//
// A backward is linear in g, so that terms of wrong gradients, or of another example's, agree for no such c but by accident. What disagrees
// goes to the fallback: exact, slower, and reported. Gradients of zero agree with every rule: the next call of this shape is tried again.
// The trial costs one more backward of the node, once for each shape.
#pragma once

#include <set>
#include <string>

#include "ghostgrad/rules/rule.h"

namespace ghostgrad::rules {

class Trials {
 public:
  /// Whether these terms of a call may be believed: they agree with the node now, or terms of a call like this one did before.
  [[nodiscard]] bool passes(const CallSite& call, const Terms& terms);

 private:
  std::set<std::string> passed_;  // calls by op, shapes, layouts and type
};

}  // namespace ghostgrad::rules
