// SPDX-License-Identifier: Apache-2.0
// Generated nodes that some of the supported libtorch versions (2.11 to 2.13) lack. Declared here, a class that is missing stays
// incomplete, and registry.h passes over it: the op then consists of others.
#pragma once

namespace torch::autograd::generated {

struct AminmaxBackward0;  // from 2.12

}  // namespace torch::autograd::generated
