// SPDX-License-Identifier: Apache-2.0
// The privacy of telling N(0, 1) from N(mu, 1), exactly [BW18, Theorem 8].
//
//     delta(epsilon) = Phi(mu/2 - epsilon/mu) - e^epsilon Phi(-mu/2 - epsilon/mu)
//
// The two terms nearly cancel, and both underflow long before delta does. With the Mills ratio m(x) = Phi(-x) / phi(x) they share
// their density, phi(-mu/2 - epsilon/mu) e^epsilon = phi(mu/2 - epsilon/mu), and m' = x m - 1 removes the cancellation:
//
//     delta = phi(x) (m(x) - m(x + mu)) = phi(x) int_x^{x+mu} (1 - s m(s)) ds,      x = epsilon/mu - mu/2
//
//     gaussian_epsilon(1.0, 1e-5);         // 4.377178...: one release with noise multiplier 1
//
// Guarantee: ln delta within 1e-12 for mu in [1e-8, 1e8], of its own size where that is larger; epsilon is rounded upwards.
#pragma once

namespace ghostgrad::privacy {

/// Phi(-x) / phi(x), for every x where it is a double; 1e-13 relative.
[[nodiscard]] double mills_ratio(double x);

/// ln delta(epsilon); mu > 0, epsilon >= 0. -infinity where delta is 0 in any precision.
[[nodiscard]] double gaussian_log_delta(double mu, double epsilon);

/// The least epsilon >= 0 with delta(epsilon) <= delta; mu > 0, delta in (0, 1). Infinity where it exceeds the range of a double.
[[nodiscard]] double gaussian_epsilon(double mu, double delta);

}  // namespace ghostgrad::privacy
