// SPDX-License-Identifier: Apache-2.0
// The models of ghostgrad/models, every family at a tiny size, as subjects.
#pragma once

#include "subjects.h"

namespace ghostgrad::tests {

[[nodiscard]] const std::vector<SubjectFactory>& zoo_subjects();

}  // namespace ghostgrad::tests
