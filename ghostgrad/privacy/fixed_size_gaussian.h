// SPDX-License-Identifier: Apache-2.0
// A bound on the Renyi divergence of the Gaussian on m of n examples drawn without replacement, one of them replaced
// [WBK19, Theorems 9 and 27]. With q = m / n, e(j) = j / (2 sigma^2) and integer orders a:
//
//     e^((a-1) rdp(a)) <= 1 + C(a,2) q^2 min(4 (e^e(2) - 1), 2 e^e(2)) + sum_{j=3}^{a} C(a,j) q^j min(2 e^((j-1) e(j)), 4 sqrt(B_- B_+))
//     B_-, B_+ = E[(e^L - 1)^l] for the even l next to j,   L the privacy loss of the Gaussian
//
// (a-1) rdp(a) is convex in a, so between integers its chord is a bound too. sigma is relative to the distance of two neighbours' sums:
// half the noise multiplier, since replacing an example moves the sum by up to 2 C.
//
//     fixed_size_gaussian_rdp(rdp_orders(), 0.5, 0.01);
#pragma once

#include <vector>

namespace ghostgrad::privacy {

/// orders ascending, > 1; sigma > 0; rate in (0, 1].
[[nodiscard]] std::vector<double> fixed_size_gaussian_rdp(const std::vector<double>& orders, double sigma, double rate);

}  // namespace ghostgrad::privacy
