// SPDX-License-Identifier: Apache-2.0
// A whole privacy curve as one number: the mu of the Gaussian mechanism that is at most as private, as far as delta matters.
//
//     G_mu(epsilon) = Phi(mu/2 - epsilon/mu) - e^epsilon Phi(-mu/2 - epsilon/mu)                 N(0, 1) against N(mu, 1)  [DRS22], [BW18]
//     equivalent_mu = the least mu with G_mu(epsilon) >= delta(epsilon) for all epsilon in [0, last]
//
// `last` is the epsilon of the smallest delta that matters. It cannot be left out: far enough in the tail a subsampled run has the
// curve of the same run without subsampling, so the mu for all epsilon is that of sampling everybody, sqrt(steps) / sigma.
//
//     equivalent_mu(delta_of(*accountant), accountant->epsilon(1e-5).value);
//
// A description, not a guarantee: the curves are compared at 100 epsilons and round the worst of them, not everywhere.
#pragma once

#include "ghostgrad/privacy/curve.h"

namespace ghostgrad::privacy {

/// 0 where delta is 0 everywhere, infinity where delta is 1 somewhere or `last` is infinite.
[[nodiscard]] double equivalent_mu(const DeltaOf& delta, double last);

}  // namespace ghostgrad::privacy
