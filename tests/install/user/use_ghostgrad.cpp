// SPDX-License-Identifier: Apache-2.0
// A user of the whole library: torch's and our headers are found, and every library loads.
#include <ATen/core/grad_mode.h>

#include "ghostgrad/base/error.h"

int main() {
  const at::NoGradGuard guard;
  return !at::GradMode::is_enabled() && ghostgrad::base::to_string({.where = "a", .wrong = "b"}) == "[a] b" ? 0 : 1;
}
