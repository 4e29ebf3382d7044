// SPDX-License-Identifier: Apache-2.0
// Which route each bundle takes: by the method's table row, or measured once per shape of call and remembered (method `auto`).
//
//     published rule        gram iff 2 T^2 <= p d                       [Bu, Mao, Xu 2022, Sec. 4.2] (a memory rule)
//     measured              the faster of {gram, instantiate}, each with the sum that follows from it, and with the pages that keeping takes
//
// Instantiated gradients are kept while they fit the budget of the physical batch. What does not fit takes the published rule, untried.
#pragma once

#include <string>
#include <unordered_map>

#include "ghostgrad/clip/bundle.h"
#include "ghostgrad/clip/method.h"

namespace ghostgrad::clip {

class Router {
 public:
  Router(const Method& method, int64_t keep_bytes) : method_(&method), keep_bytes_(keep_bytes) {}

  /// A new physical batch: nothing is kept yet.
  void begin() { kept_bytes_ = 0; }
  /// Decides, and counts what will be kept. losses: on the device and in the precision of the model
  [[nodiscard]] Route route(Bundle& bundle, const at::TensorOptions& losses);

 private:
  /// Seconds of both routes, as long as nothing else is kept.
  struct Trial {
    double instantiate, gram;
  };
  [[nodiscard]] const Trial& trial(Bundle& bundle, const rules::Cost& cost);
  [[nodiscard]] bool gram_is_faster(Bundle& bundle, int64_t bytes, at::Device device);

  const Method* method_;
  int64_t keep_bytes_;
  int64_t kept_bytes_ = 0;
  std::unordered_map<std::string, Trial> trials_;  // by label and cost of the bundle
};

/// What the row of a method says of a call that has a ghost norm, but for `measured`.
[[nodiscard]] bool uses_gram(NormRoute norm, const rules::Cost& cost);

[[nodiscard]] std::string to_string(Route route);

}  // namespace ghostgrad::clip
