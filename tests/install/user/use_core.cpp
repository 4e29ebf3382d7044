// SPDX-License-Identifier: Apache-2.0
// A user of the torch-free half: what it throws can be caught here, across the shared library.
#include <string>

#include "ghostgrad/base/error.h"

int main() {
  try {
    throw ghostgrad::base::InvalidArgument("sample_rate", "must lie in (0, 1]", "2", "pass batch size / data set size");
  } catch (const ghostgrad::base::Error& error) {
    return std::string(error.what()) == "[sample_rate] must lie in (0, 1], but got 2; pass batch size / data set size" ? 0 : 1;
  }
}
